#include "openapi_text.h"

#include <string.h>

#include "purser/codec/json.h"
#include "purser/codec/yaml.h"
#include "purser/core/limits.h"

static bool convert(struct arena *arena, const struct yaml_node *node, struct value *value_out);

static bool convert_map(struct arena *arena, const struct yaml_node *node, struct value *value_out)
{
    struct slice *names = arena_new(arena, node->count + 1, sizeof *names);
    struct value *values = arena_new(arena, node->count + 1, sizeof *values);

    if (names == NULL || values == NULL)
        return false;
    for (size_t i = 0; i < node->count; i++) {
        names[i] = node->keys[i]->text; /* a key 200 of `responses` is text as well */
        if (!convert(arena, node->items[i], &values[i]))
            return false;
    }
    value_out->kind = VALUE_MAP;
    value_out->map.names = names;
    value_out->map.values = values;
    value_out->map.count = node->count;
    return true;
}

static bool convert_list(struct arena *arena, const struct yaml_node *node, struct value *value_out)
{
    struct value *items = arena_new(arena, node->count + 1, sizeof *items);

    if (items == NULL)
        return false;
    for (size_t i = 0; i < node->count; i++)
        if (!convert(arena, node->items[i], &items[i]))
            return false;
    value_out->kind = VALUE_LIST;
    value_out->list.items = items;
    value_out->list.count = node->count;
    return true;
}

/* Recursion is bounded by SPEC_DEPTH_MAX. */
static bool convert(struct arena *arena, const struct yaml_node *node, struct value *value_out)
{
    switch (node->kind) {
    case YAML_NULL:
        value_out->kind = VALUE_NULL;
        return true;
    case YAML_BOOL:
        value_out->kind = VALUE_BOOL;
        value_out->boolean = slice_is(node->text, "true");
        return true;
    case YAML_INTEGER:
    case YAML_FLOAT:
        *value_out = (struct value){.kind = VALUE_NUMBER, .text = node->text};
        return true;
    case YAML_STRING:
        *value_out = (struct value){.kind = VALUE_STRING, .text = node->text};
        return true;
    case YAML_LIST:
        return convert_list(arena, node, value_out);
    case YAML_MAP:
        return convert_map(arena, node, value_out);
    }
    return false;
}

static enum err_code parse_yaml(struct arena *arena, const char *file, const char *bytes,
                                size_t length, struct value *value_out,
                                struct diagnostics *diagnostics, struct err *err)
{
    const struct yaml_node *root = NULL;
    enum err_code code = yaml_parse(arena, file, bytes, length, &root, diagnostics);

    if (code == ERR_INPUT)
        return err_set(err, code,
                       "is YAML that cannot be read\nhint: a YAML document has at most %u MiB and "
                       "%d nodes; as JSON it may have %u MiB",
                       SPEC_BYTES_MAX / (1024 * 1024), SPEC_NODES_MAX,
                       OPENAPI_BYTES_MAX / (1024 * 1024));
    if (code == ERR_OK && root == NULL)
        return err_set(err, ERR_INPUT, "is empty");
    if (code != ERR_OK || !convert(arena, root, value_out))
        return err_set(err, ERR_NO_MEMORY, "no memory for the document");
    return ERR_OK;
}

enum err_code openapi_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                            struct value *value_out, struct diagnostics *diagnostics,
                            struct err *err)
{
    size_t start = 0;

    if (length > OPENAPI_BYTES_MAX)
        return err_set(err, ERR_TOO_BIG, "has more than %u MiB", OPENAPI_BYTES_MAX / (1024 * 1024));
    while (start < length && memchr(" \t\r\n", bytes[start], 4) != NULL)
        start++;
    if (start < length && bytes[start] == '{')
        return json_parse(arena, bytes, length, value_out, err);
    return parse_yaml(arena, file, bytes, length, value_out, diagnostics, err);
}
