#include "json_schema_internal.h"

enum { PARTS_DEPTH_MAX = 8 };

/* Looks at the schema and at what it refers to for every value: $ref and allOf. */
static bool requires(const struct json_schema *schema, struct slice wrapper, struct slice name,
                     int depth)
{
    const struct json_property *property;

    if (schema == NULL || depth == PARTS_DEPTH_MAX)
        return false;
    property = json_schema_property(schema, wrapper.length > 0 ? wrapper : name);
    if (property != NULL && wrapper.length > 0 &&
        requires(property->schema, SLICE(""), name, depth + 1))
        return true;
    if (property != NULL && wrapper.length == 0 && property->required)
        return true;
    if (requires(schema->reference, wrapper, name, depth + 1))
        return true;
    for (size_t i = 0; i < schema->all_of.count; i++)
        if (requires(schema->all_of.items[i], wrapper, name, depth + 1))
            return true;
    return false;
}

bool json_schema_requires(const struct json_schema *schema, struct slice wrapper, struct slice name)
{
    return requires(schema, wrapper, name, 0);
}
