#include "purser/codec/spec.h"

#include <string.h>

#include "purser/codec/spec_check.h"

enum { FORMAT_VERSION = 1 };

/* A key is repeated only while the server is sure to remember it; how long that is, is not
 * documented. 24 h is what other APIs promise, so half of that is the default. */
static const int64_t hour_ms = 60 * 60 * 1000;
#define KEY_WINDOW_DEFAULT_MS (12 * hour_ms)

enum {
    TOP_PURSER,
    TOP_NAME,
    TOP_DESCRIPTION,
    TOP_API,
    TOP_CONNECTIONS,
    TOP_VARS,
    TOP_DEFAULTS,
    TOP_MAX_FAILURES,
    TOP_IDEMPOTENCY,
    TOP_JOBS,
    TOP_SCHEDULE,
    TOP_KEY_COUNT
};

static const struct spec_key top_keys[TOP_KEY_COUNT] = {
    [TOP_PURSER] = {"purser", KINDS_ANY, true, NULL},
    [TOP_NAME] = {"name", KINDS_TEXT, true, NULL},
    [TOP_DESCRIPTION] = {"description", KINDS_TEXT, false, NULL},
    [TOP_API] = {"api", KINDS_MAP, false, NULL},
    [TOP_CONNECTIONS] = {"connections", KINDS_MAP, false, NULL},
    [TOP_VARS] = {"vars", KINDS_MAP, false, NULL},
    [TOP_DEFAULTS] = {"defaults", KINDS_MAP, false, NULL},
    [TOP_MAX_FAILURES] = {"max_failures", KINDS_WHOLE | KINDS_TEXT, false, NULL},
    [TOP_IDEMPOTENCY] = {"idempotency", KINDS_MAP, false, NULL},
    [TOP_JOBS] = {"jobs", KINDS_MAP, true, NULL},
    [TOP_SCHEDULE] = {"schedule", KINDS_MAP, false, NULL},
};

/* Another format is refused before its keys are judged by the rules of this one. */
static bool has_known_format(struct spec_reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *node = yaml_get(root, "purser");

    if (node == NULL)
        return true;
    if (node->kind == YAML_INTEGER && slice_is(node->text, "1")) {
        if (!slice_is(root->keys[0]->text, "purser"))
            diagnostics_add(reader->diagnostics, DIAG_WARNING, node->place, "spec.order",
                            "move the line to the top of the file",
                            "'purser: 1' should be the first key, so that one sees what this is");
        return true;
    }
    spec_error(reader, node->place, "spec.version", "purser: 1",
               "this purser understands format %d of a spec, not '%.*s'", FORMAT_VERSION,
               (int)node->text.length, node->text.bytes != NULL ? node->text.bytes : "");
    return false;
}

/* It names a directory and is part of every idempotency key. */
static void read_name(struct spec_reader *reader, const struct yaml_node *node)
{
    bool good = node->text.length > 0 && node->text.length <= SPEC_NAME_BYTES_MAX;

    for (size_t i = 0; good && i < node->text.length; i++) {
        char byte = node->text.bytes[i];

        good =
            (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || (i > 0 && byte == '-');
    }
    if (good)
        reader->spec->name = node->text.bytes;
    else
        spec_error(reader, node->place, "spec.name",
                   "up to 63 small letters, digits and -, as in catalog-upload",
                   "'%s' cannot be the name of a spec", node->text.bytes);
}

static void read_idempotency(struct spec_reader *reader, const struct yaml_node *node)
{
    static const struct spec_key keys[] = {{"window", KINDS_TEXT, true, NULL}};
    const struct yaml_node *found[1];

    if (spec_read_map(reader, node, "idempotency", keys, 1, found) && found[0] != NULL)
        spec_read_duration(reader, found[0], "window", 60 * 1000, KEY_WINDOW_MAX_MS,
                           &reader->spec->key_window_ms);
}

static void read_sections(struct spec_reader *reader, const struct yaml_node *root,
                          const struct spec_variable *variables, size_t variable_count)
{
    const struct yaml_node *found[TOP_KEY_COUNT];
    struct spec_defaults defaults;

    if (!spec_read_map(reader, root, "the spec", top_keys, TOP_KEY_COUNT, found))
        return;
    if (found[TOP_NAME] != NULL)
        read_name(reader, found[TOP_NAME]);
    if (found[TOP_DESCRIPTION] != NULL)
        reader->spec->description = found[TOP_DESCRIPTION]->text.bytes;
    spec_read_vars(reader, found[TOP_VARS], variables, variable_count);
    spec_read_api(reader, found[TOP_API]);
    spec_read_connections(reader, found[TOP_CONNECTIONS]);
    spec_read_defaults(reader, found[TOP_DEFAULTS], &defaults);
    if (found[TOP_MAX_FAILURES] != NULL)
        spec_read_max_failures(reader, found[TOP_MAX_FAILURES], &reader->spec->max_failures);
    if (found[TOP_IDEMPOTENCY] != NULL)
        read_idempotency(reader, found[TOP_IDEMPOTENCY]);
    if (found[TOP_SCHEDULE] != NULL)
        spec_read_schedule(reader, found[TOP_SCHEDULE]);
    if (found[TOP_JOBS] != NULL)
        spec_read_jobs(reader, found[TOP_JOBS], found[TOP_CONNECTIONS], &defaults);
}

static const char *folder_of(struct spec_reader *reader, const char *file)
{
    const char *slash = strrchr(file, '/');

    if (slash == NULL)
        return ".";
    if (slash == file)
        return "/";
    return spec_copy(reader, file, (size_t)(slash - file));
}

enum err_code spec_load(struct arena *arena, const char *file, const char *bytes, size_t length,
                        const struct spec_variable *variables, size_t variable_count,
                        struct spec *spec_out, struct diagnostics *diagnostics)
{
    struct spec_reader reader = {.arena = arena, .diagnostics = diagnostics, .spec = spec_out};
    uint64_t errors = diagnostics->error_count;
    const struct yaml_node *root;

    *spec_out = (struct spec){.file = file,
                              .name = "",
                              .description = "",
                              .key_window_ms = KEY_WINDOW_DEFAULT_MS,
                              .digest = checksum128(bytes, length)};
    spec_out->folder = folder_of(&reader, file);
    if (yaml_parse(arena, file, bytes, length, &root, diagnostics) == ERR_NO_MEMORY ||
        reader.no_memory)
        return ERR_NO_MEMORY;
    if (root == NULL && diagnostics->error_count == errors)
        spec_error(&reader, (struct place){file, 1, 1, 0}, "spec.empty", "start with: purser: 1",
                   "the file holds no spec");
    if (root != NULL && has_known_format(&reader, root))
        read_sections(&reader, root, variables, variable_count);
    if (reader.no_memory)
        return ERR_NO_MEMORY;
    return diagnostics->error_count > errors ? ERR_INPUT : ERR_OK;
}
