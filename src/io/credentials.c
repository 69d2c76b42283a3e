#include "purser/io/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/core/key.h"

enum { SECRET_BYTES_MAX = 4096 };

/* One secret on its way in. */
struct secret_read {
    const struct secret_reference *reference;
    const char *what; /* "client secret" */
    struct diagnostics *diagnostics;
    bool may_be_missing; /* the simulator has its own */
    bool missing;
    size_t length;
    char bytes[SECRET_BYTES_MAX + 3]; /* a line break and one byte too many */
};

/* The line of the reference is not shown: a person may have put a secret there by mistake. */
static void complain(struct secret_read *read, const char *code, const char *help,
                     const char *problem)
{
    const struct secret_reference *reference = read->reference;
    static const char *const kinds[] = {[SECRET_ENV] = "environment variable",
                                        [SECRET_FILE] = "file",
                                        [SECRET_CREDENTIAL] = "credential"};

    diagnostics_add(read->diagnostics, DIAG_ERROR, reference->place, code, help, "%s: %s '%s' %s",
                    read->what, kinds[reference->kind],
                    reference->name == NULL ? "" : reference->name, problem);
}

static bool is_missing(struct secret_read *read, const char *help, const char *problem)
{
    read->missing = true;
    if (!read->may_be_missing)
        complain(read, "credentials.missing", help, problem);
    return false;
}

static bool read_variable(struct secret_read *read)
{
    const char *value = getenv(read->reference->name);

    if (value == NULL || value[0] == '\0')
        return is_missing(read, "set it for this command, or refer to a file or a credential",
                          value == NULL ? "is not set" : "is empty");
    read->length = strnlen(value, sizeof read->bytes);
    memcpy(read->bytes, value, read->length);
    return true;
}

static bool read_all(struct secret_read *read, int fd)
{
    ssize_t got = 1;

    while (got > 0 && read->length < sizeof read->bytes) {
        got = TEMP_FAILURE_RETRY(pread(fd, read->bytes + read->length,
                                       sizeof read->bytes - read->length, (off_t)read->length));
        if (got > 0)
            read->length += (size_t)got;
    }
    if (got == -1)
        complain(read, "credentials.file", NULL, strerror(errno));
    return got != -1;
}

/* A secret that others can read is none. The service manager's credentials are guarded by an
 * access list, which shows as rights of the group. */
static bool check_file(struct secret_read *read, int fd)
{
    bool is_credential = read->reference->kind == SECRET_CREDENTIAL;
    struct stat status;

    if (fstat(fd, &status) == -1) {
        complain(read, "credentials.file", NULL, strerror(errno));
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        complain(read, "credentials.file", NULL, "is not a regular file");
        return false;
    }
    if (status.st_uid != geteuid() && status.st_uid != 0) {
        complain(read, "credentials.owner", "let it belong to the user that runs purser",
                 "belongs to another user");
        return false;
    }
    if ((status.st_mode & (is_credential ? 07 : 077)) != 0) {
        complain(read, "credentials.mode", "chmod 600 it, and change the secret if it was seen",
                 "can be read by others");
        return false;
    }
    return true;
}

static bool read_file(struct secret_read *read, const char *path)
{
    /* Non-blocking, so that a pipe in the place of the file does not stop everything. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool ok;

    if (fd == -1 && errno == ENOENT)
        return is_missing(read, NULL, "does not exist");
    if (fd == -1) {
        complain(read, "credentials.file", NULL, strerror(errno));
        return false;
    }
    ok = check_file(read, fd) && read_all(read, fd);
    close(fd);
    return ok;
}

static bool read_credential(struct secret_read *read)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    const char *name = read->reference->name;
    char path[4096];
    int length;

    if (directory == NULL || directory[0] == '\0')
        return is_missing(read, "it is set by systemd for a service with LoadCredential=",
                          "cannot be found: CREDENTIALS_DIRECTORY is not set");
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        complain(read, "credentials.name", NULL, "is a path, not the name of a credential");
        return false;
    }
    length = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        complain(read, "credentials.file", NULL, "has a path that is too long");
        return false;
    }
    return read_file(read, path);
}

static bool check_value(struct secret_read *read)
{
    if (read->length > 0 && read->bytes[read->length - 1] == '\n')
        read->length--;
    if (read->length > 0 && read->bytes[read->length - 1] == '\r')
        read->length--;
    if (read->length == 0)
        return is_missing(read, NULL, "is empty");
    if (read->length > SECRET_BYTES_MAX) {
        complain(read, "credentials.value", NULL, "is longer than 4096 bytes");
        return false;
    }
    for (size_t i = 0; i < read->length; i++) {
        if (read->bytes[i] <= ' ' || read->bytes[i] > '~') {
            complain(read, "credentials.value", "is there a space, a second line or a quote mark?",
                     "holds bytes that are not visible ASCII");
            return false;
        }
    }
    return true;
}

static bool read_secret(struct secret_read *read)
{
    bool ok = false;

    if (read->reference->name == NULL)
        return is_missing(read, NULL, "is not given");
    switch (read->reference->kind) {
    case SECRET_ENV:
        ok = read_variable(read);
        break;
    case SECRET_FILE:
        ok = read_file(read, read->reference->name);
        break;
    case SECRET_CREDENTIAL:
        ok = read_credential(read);
        break;
    }
    return ok && check_value(read);
}

/* NULL after a message, or without memory (then *no_memory_out). `otherwise` stands in for what is
 * missing; NULL = nothing may be missing. */
static char *load_one(const struct secret_reference *reference, const char *what,
                      const char *otherwise, struct diagnostics *diagnostics, bool *no_memory_out)
{
    struct secret_read read = {.reference = reference,
                               .what = what,
                               .diagnostics = diagnostics,
                               .may_be_missing = otherwise != NULL};
    bool ok = read_secret(&read);
    char *copy = NULL;

    if (ok)
        copy = mem_copy_text(read.bytes, read.length);
    else if (read.missing && otherwise != NULL)
        copy = mem_copy_text(otherwise, strlen(otherwise));
    if (copy == NULL && (ok || (read.missing && otherwise != NULL)))
        *no_memory_out = true;
    explicit_bzero(read.bytes, sizeof read.bytes);
    return copy;
}

/* --- what must never come out --- */

/* As it stands in a URL. */
static bool hide_encoded(const char *value)
{
    static const char hex[] = "0123456789ABCDEF";
    char encoded[3 * SECRET_BYTES_MAX + 1];
    size_t length = 0;
    bool kept;

    for (; *value != '\0'; value++) {
        bool plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
                     (*value >= '0' && *value <= '9') || strchr("-._~", *value) != NULL;

        if (plain) {
            encoded[length++] = *value;
            continue;
        }
        encoded[length++] = '%';
        encoded[length++] = hex[(unsigned char)*value >> 4];
        encoded[length++] = hex[(unsigned char)*value & 15];
    }
    kept = log_add_secret(encoded, length);
    explicit_bzero(encoded, sizeof encoded);
    return kept;
}

static bool hide(const char *value)
{
    return log_add_secret(value, strlen(value)) && hide_encoded(value);
}

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
    bool kept = hide(credentials->client_secret) &&
                hide_pair(credentials->client_id, credentials->client_secret);

    for (size_t i = 0; i < credentials->connection_count; i++)
        kept = kept && hide(credentials->access_tokens[i]);
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
        err_set(err, ERR_NO_MEMORY, "out of memory for credentials");
    else if (diagnostics->error_count > errors_before)
        err_set(err, ERR_INPUT, "the credentials cannot be used");
    else if (hide_all(&credentials, err) == ERR_OK) {
        *credentials_out = credentials;
        return ERR_OK;
    }
    credentials_wipe(&credentials);
    return err->code;
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
