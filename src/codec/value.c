#include "purser/codec/value.h"

#include <assert.h>

struct value value_member(const struct value *value, struct slice name)
{
    if (value->kind == VALUE_MAP)
        for (size_t i = 0; i < value->map.count; i++)
            if (slice_equal(value->map.names[i], name))
                return value->map.values[i];
    return (struct value){.kind = VALUE_OMIT};
}

bool value_was_unknown(const struct value *value)
{
    return value->kind == VALUE_STRING && slice_is(value->text, "\001" VALUE_UNKNOWN_TEXT);
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_OMIT] = "nothing",
        [VALUE_NULL] = "null",
        [VALUE_BOOL] = "true or false",
        [VALUE_NUMBER] = "number",
        [VALUE_STRING] = "text",
        [VALUE_LIST] = "list",
        [VALUE_MAP] = "map",
        [VALUE_UNKNOWN] = "value that is not known yet",
    };

    assert((size_t)kind < sizeof names / sizeof *names);
    return names[kind];
}

static void append_list(struct buf *buf, const struct value *list)
{
    bool first = true;

    buf_append_byte(buf, '[');
    for (size_t i = 0; i < list->list.count; i++) {
        if (list->list.items[i].kind == VALUE_OMIT)
            continue;
        if (!first)
            buf_append_byte(buf, ',');
        first = false;
        value_append_json(buf, &list->list.items[i]);
    }
    buf_append_byte(buf, ']');
}

static void append_map(struct buf *buf, const struct value *map)
{
    bool first = true;

    buf_append_byte(buf, '{');
    for (size_t i = 0; i < map->map.count; i++) {
        if (map->map.values[i].kind == VALUE_OMIT)
            continue;
        if (!first)
            buf_append_byte(buf, ',');
        first = false;
        text_append_json(buf, map->map.names[i]);
        buf_append_byte(buf, ':');
        value_append_json(buf, &map->map.values[i]);
    }
    buf_append_byte(buf, '}');
}

void value_append_json(struct buf *buf, const struct value *value)
{
    switch (value->kind) {
    case VALUE_OMIT:
        break;
    case VALUE_NULL:
        buf_append_text(buf, "null");
        break;
    case VALUE_BOOL:
        buf_append_text(buf, value->boolean ? "true" : "false");
        break;
    case VALUE_NUMBER:
        buf_append(buf, value->text.bytes, value->text.length);
        break;
    case VALUE_STRING:
        text_append_json(buf, value->text);
        break;
    case VALUE_LIST:
        append_list(buf, value);
        break;
    case VALUE_MAP:
        append_map(buf, value);
        break;
    case VALUE_UNKNOWN:
        buf_append_text(buf, VALUE_UNKNOWN_JSON);
        break;
    }
}
