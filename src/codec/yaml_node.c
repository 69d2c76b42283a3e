#include <assert.h>

#include "purser/codec/yaml.h"
#include "purser/codec/yaml_marks.h"

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (slice_is(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

struct place yaml_place_in(const struct yaml_node *scalar, size_t offset, size_t width)
{
    struct yaml_position at = {0, scalar->place.line, scalar->place.column};

    assert(offset <= scalar->raw.length);
    at = yaml_position_after(at, scalar->raw.bytes, offset);
    return (struct place){scalar->place.file, at.line, at.column, (uint32_t)width};
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    static const char *const names[] = {
        [YAML_NULL] = "empty",     [YAML_BOOL] = "true or false", [YAML_INTEGER] = "a whole number",
        [YAML_FLOAT] = "a number", [YAML_STRING] = "text",        [YAML_LIST] = "a list",
        [YAML_MAP] = "a map",
    };

    return names[kind];
}
