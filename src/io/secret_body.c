/* References in a frozen body → the secrets that they name. */
#include <stdio.h>
#include <string.h>

#include "purser/codec/json.h"
#include "purser/core/key.h"
#include "purser/io/secret_transport.h"
#include "purser/io/secret_value.h"

enum { BODY_ARENA_BYTES = 64 * 1024 * 1024, FILE_PATH_BYTES = 4096 };

struct expansion {
    const struct spec *spec;
    const struct credentials *credentials;
    struct buf *out; /* NULL = only a check */
    char secret[SECRET_BYTES_MAX + 1];
    struct secret_problem problem;
};

static bool copy_own(struct expansion *expansion, struct slice name)
{
    const char *own = slice_is(name, "client_id") ? expansion->credentials->client_id
                                                  : expansion->credentials->client_secret;

    return snprintf(expansion->secret, sizeof expansion->secret, "%s", own) > 0;
}

/* The simulator takes anything, the same for each run; so a spec can be tried without secrets. */
static void make_up(struct expansion *expansion, const char *name)
{
    char made_up[KEY_TEXT_BYTES];

    key_derive(SLICE("rutter-sim"), SLICE("secret"), slice_of(name), SLICE(""), 1, made_up);
    (void)snprintf(expansion->secret, sizeof expansion->secret, "%s", made_up);
}

static bool read_named(struct expansion *expansion, enum secret_kind kind, const char *name)
{
    char path[FILE_PATH_BYTES];

    if (kind == SECRET_FILE && name[0] != '/') {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", expansion->spec->folder, name) >=
            sizeof path) {
            (void)snprintf(expansion->problem.text, sizeof expansion->problem.text,
                           "the path of the file is too long");
            return false;
        }
        name = path;
    }
    if (secret_value_read(kind, name, expansion->secret, &expansion->problem))
        return true;
    if (!expansion->problem.missing || expansion->spec->api.environment != ENVIRONMENT_SIMULATOR)
        return false;
    make_up(expansion, name);
    return true;
}

/* {"env":"NAME"} and the like; what the loader let through has exactly this form. */
static bool read_reference(struct expansion *expansion, const struct value *reference)
{
    static const char *const kinds[] = {
        [SECRET_ENV] = "env", [SECRET_FILE] = "file", [SECRET_CREDENTIAL] = "credential"};
    char name[FILE_PATH_BYTES];
    struct slice text;

    if (reference->kind != VALUE_MAP || reference->map.count != 1 ||
        reference->map.values[0].kind != VALUE_STRING ||
        reference->map.values[0].text.length >= sizeof name ||
        memchr(reference->map.values[0].text.bytes, '\0', reference->map.values[0].text.length) !=
            NULL) {
        (void)snprintf(expansion->problem.text, sizeof expansion->problem.text,
                       "does not say where the secret is");
        return false;
    }
    text = reference->map.values[0].text;
    (void)snprintf(name, sizeof name, "%.*s", (int)text.length, text.bytes);
    if (slice_is(reference->map.names[0], "api"))
        return copy_own(expansion, text);
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (slice_is(reference->map.names[0], kinds[i]))
            return read_named(expansion, (enum secret_kind)i, name);
    (void)snprintf(expansion->problem.text, sizeof expansion->problem.text,
                   "does not say where the secret is");
    return false;
}

static enum err_code expand_member(struct expansion *expansion, struct slice member,
                                   const struct value *reference, struct err *err)
{
    expansion->problem.text[0] = '\0';
    if (!read_reference(expansion, reference))
        return err_set(err, ERR_INPUT, "%.*s: %.400s%s%s", (int)member.length, member.bytes,
                       expansion->problem.text, expansion->problem.help == NULL ? "" : "; ",
                       expansion->problem.help == NULL ? "" : expansion->problem.help);
    if (expansion->out == NULL)
        return ERR_OK;
    if (!secret_value_hide(expansion->secret))
        return err_set(err, ERR_NO_MEMORY, "too many secrets for one run, or no memory for them");
    text_append_json(expansion->out, slice_of(expansion->secret));
    return ERR_OK;
}

static enum err_code expand_all(struct expansion *expansion, enum connection_write write,
                                const struct value *body, struct err *err)
{
    struct buf *out = expansion->out;

    if (out != NULL)
        buf_append_byte(out, '{');
    for (size_t i = 0; i < body->map.count; i++) {
        if (out != NULL) {
            buf_append_text(out, i == 0 ? "" : ",");
            text_append_json(out, body->map.names[i]);
            buf_append_byte(out, ':');
        }
        if (!connection_write_is_secret(write, body->map.names[i])) {
            if (out != NULL)
                value_append_json(out, &body->map.values[i]);
        } else if (expand_member(expansion, body->map.names[i], &body->map.values[i], err) !=
                   ERR_OK) {
            return err->code;
        }
    }
    if (out != NULL)
        buf_append_byte(out, '}');
    return ERR_OK;
}

enum err_code secret_body_expand(const struct spec *spec, const struct credentials *credentials,
                                 enum connection_write write, struct slice body, struct buf *out,
                                 struct err *err)
{
    struct expansion expansion = {.spec = spec, .credentials = credentials, .out = out};
    struct arena arena;
    struct value value;

    err->code = ERR_OK;
    if (body.length == 0)
        return ERR_OK;
    arena_init(&arena, BODY_ARENA_BYTES);
    if (json_parse(&arena, body.bytes, body.length, &value, err) == ERR_OK) {
        if (value.kind != VALUE_MAP)
            err_set(err, ERR_INPUT, "the body is no object");
        else
            (void)expand_all(&expansion, write, &value, err);
    }
    arena_deinit(&arena);
    explicit_bzero(expansion.secret, sizeof expansion.secret);
    if (err->code == ERR_OK && out != NULL && out->failed != ERR_OK)
        err_set(err, ERR_NO_MEMORY, "no memory for a body");
    return err->code;
}
