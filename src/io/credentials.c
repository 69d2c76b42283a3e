#include "purser/io/credentials.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/core/key.h"
#include "purser/io/secret_value.h"

/* NULL after a message, or without memory (then *no_memory_out). `otherwise` stands in for what is
 * missing; NULL = nothing may be missing. */
static char *load_one(const struct secret_reference *reference, const char *what,
                      const char *otherwise, struct diagnostics *diagnostics, bool *no_memory_out)
{
    struct secret_problem problem = {.missing = true, .code = "credentials.missing"};
    char value[SECRET_BYTES_MAX + 1] = "";
    bool ok = reference->name != NULL &&
              secret_value_read(reference->kind, reference->name, value, &problem);
    char *copy = NULL;

    if (ok)
        copy = mem_copy_text(value, strlen(value));
    else if (problem.missing && otherwise != NULL)
        copy = mem_copy_text(otherwise, strlen(otherwise));
    else
        diagnostics_add(diagnostics, DIAG_ERROR, reference->place, problem.code, problem.help,
                        "%s: %s", what, reference->name == NULL ? "is not given" : problem.text);
    if (copy == NULL && (ok || (problem.missing && otherwise != NULL)))
        *no_memory_out = true;
    explicit_bzero(value, sizeof value);
    return copy;
}

/* --- what must never come out --- */

/* "id:secret" as it stands in the Authorization header. Source: RFC 4648, section 4. */
static bool hide_pair(const char *id, const char *secret)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(id) + 1 + strlen(secret);
    char *pair = mem_new(length + 3, 1);
    char *encoded = mem_new((length + 2) / 3 * 4 + 1, 1);
    bool kept = pair != NULL && encoded != NULL;

    if (kept) {
        char *out = encoded;

        snprintf(pair, length + 1, "%s:%s", id, secret);
        for (size_t i = 0; i < length; i += 3) {
            unsigned bits = (unsigned)(unsigned char)pair[i] << 16 |
                            (unsigned)(unsigned char)pair[i + 1] << 8 |
                            (unsigned)(unsigned char)pair[i + 2];

            *out++ = alphabet[bits >> 18 & 63];
            *out++ = alphabet[bits >> 12 & 63];
            *out++ = i + 1 < length ? alphabet[bits >> 6 & 63] : '=';
            *out++ = i + 2 < length ? alphabet[bits & 63] : '=';
        }
        /* Without the padding it is found with and without. */
        kept = log_add_secret(encoded, strcspn(encoded, "="));
    }
    if (pair != NULL)
        mem_free_secret(pair, length);
    if (encoded != NULL)
        mem_free_secret(encoded, strlen(encoded));
    return kept;
}

static enum err_code hide_all(const struct credentials *credentials, struct err *err)
{
    bool kept = secret_value_hide(credentials->client_secret) &&
                hide_pair(credentials->client_id, credentials->client_secret);

    for (size_t i = 0; i < credentials->connection_count; i++)
        kept = kept && (credentials->access_tokens[i] == NULL ||
                        secret_value_hide(credentials->access_tokens[i]));
    if (!kept)
        return err_set(err, ERR_NO_MEMORY, "out of memory to keep secrets out of the log");
    return ERR_OK;
}

/* --- all secrets of a spec --- */

static void load_tokens(const struct spec *spec, struct credentials *credentials,
                        struct diagnostics *diagnostics, bool *no_memory_out)
{
    bool simulator = spec->api.environment == ENVIRONMENT_SIMULATOR;

    for (size_t i = 0; i < spec->connection_count; i++) {
        const struct spec_connection *connection = &spec->connections[i];
        char made_up[KEY_TEXT_BYTES], what[128];

        if (connection->has_no_token)
            continue;

        /* The same for each run, so that the simulator knows its connections again. */
        key_derive(SLICE("rutter-sim"), SLICE("access_token"), slice_of(connection->alias),
                   SLICE(""), 1, made_up);
        snprintf(what, sizeof what, "access token of connection '%.64s'", connection->alias);
        credentials->access_tokens[i] =
            load_one(&connection->access_token, what, simulator ? made_up : NULL, diagnostics,
                     no_memory_out);
    }
}

enum err_code credentials_load(const struct spec *spec, struct credentials *credentials_out,
                               struct diagnostics *diagnostics, struct err *err)
{
    const uint64_t errors_before = diagnostics->error_count;
    bool simulator = spec->api.environment == ENVIRONMENT_SIMULATOR;
    bool no_memory = false;
    struct credentials credentials = {0};
    enum err_code code;

    credentials.access_tokens =
        mem_new(spec->connection_count, sizeof credentials.access_tokens[0]);
    if (credentials.access_tokens == NULL)
        return err_set(err, ERR_NO_MEMORY, "out of memory for credentials");
    credentials.connection_count = spec->connection_count;
    credentials.client_id = load_one(&spec->api.client_id, "client id",
                                     simulator ? "sim-client" : NULL, diagnostics, &no_memory);
    credentials.client_secret = load_one(&spec->api.client_secret, "client secret",
                                         simulator ? "sim-secret" : NULL, diagnostics, &no_memory);
    load_tokens(spec, &credentials, diagnostics, &no_memory);
    if (credentials.client_id != NULL && strchr(credentials.client_id, ':') != NULL)
        diagnostics_add(diagnostics, DIAG_ERROR, spec->api.client_id.place, "credentials.value",
                        "have id and secret been given in one?",
                        "client id: it must not hold a ':'");
    if (no_memory)
        code = err_set(err, ERR_NO_MEMORY, "out of memory for credentials");
    else if (diagnostics->error_count > errors_before)
        code = err_set(err, ERR_INPUT, "the credentials cannot be used");
    else
        code = hide_all(&credentials, err);
    if (code == ERR_OK)
        *credentials_out = credentials;
    else
        credentials_wipe(&credentials);
    return code;
}

static void wipe_one(char *secret)
{
    if (secret != NULL)
        mem_free_secret(secret, strlen(secret));
}

void credentials_wipe(struct credentials *credentials)
{
    wipe_one(credentials->client_id);
    wipe_one(credentials->client_secret);
    for (size_t i = 0; i < credentials->connection_count; i++)
        wipe_one(credentials->access_tokens[i]);
    mem_free(credentials->access_tokens);
    memset(credentials, 0, sizeof *credentials);
}

void credentials_protect_process(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
