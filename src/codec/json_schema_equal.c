#include "json_schema_internal.h"
#include "purser/codec/decimal.h"

static bool equal_lists(const struct value *a, const struct value *b)
{
    if (a->list.count != b->list.count)
        return false;
    for (size_t i = 0; i < a->list.count; i++)
        if (!json_schema_equal(&a->list.items[i], &b->list.items[i]))
            return false;
    return true;
}

static bool equal_maps(const struct value *a, const struct value *b)
{
    if (a->map.count != b->map.count)
        return false;
    for (size_t i = 0; i < a->map.count; i++) {
        struct value other = value_member(b, a->map.names[i]);

        if (!json_schema_equal(&a->map.values[i], &other))
            return false;
    }
    return true;
}

/* Recursion is bounded by JSON_DEPTH_MAX: both come from parsed text. */
bool json_schema_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_OMIT:
    case VALUE_NULL:
    case VALUE_UNKNOWN:
        return true;
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_NUMBER:
        return decimal_compare(a->text, b->text) == 0;
    case VALUE_STRING:
        return slice_equal(a->text, b->text);
    case VALUE_LIST:
        return equal_lists(a, b);
    case VALUE_MAP:
        return equal_maps(a, b);
    }
    return false;
}
