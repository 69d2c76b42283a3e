#include "purser/codec/draft.h"

#include <string.h>

#include "purser/codec/decimal.h"
#include "purser/codec/json.h"

/* Behind whole numbers: json_parse() gives those with an exponent back letter by letter, however
 * long they are. */
static const char whole_mark[] = "e-00";
enum { WHOLE_MARK_BYTES = sizeof whole_mark - 1 };

static void append_value(struct buf *out, const struct value *value);

static void append_number(struct buf *out, struct slice number)
{
    bool is_whole = false;

    buf_append(out, number.bytes, number.length);
    if (json_number_length(number.bytes, number.length, &is_whole) == number.length && is_whole)
        buf_append(out, whole_mark, WHOLE_MARK_BYTES);
}

static void append_list(struct buf *out, const struct value *list)
{
    bool first = true;

    buf_append_byte(out, '[');
    for (size_t i = 0; i < list->list.count; i++) {
        if (list->list.items[i].kind == VALUE_OMIT)
            continue;
        if (!first)
            buf_append_byte(out, ',');
        first = false;
        append_value(out, &list->list.items[i]);
    }
    buf_append_byte(out, ']');
}

static void append_map(struct buf *out, const struct value *map)
{
    bool first = true;

    buf_append_byte(out, '{');
    for (size_t i = 0; i < map->map.count; i++) {
        if (map->map.values[i].kind == VALUE_OMIT)
            continue;
        if (!first)
            buf_append_byte(out, ',');
        first = false;
        text_append_json(out, map->map.names[i]);
        buf_append_byte(out, ':');
        append_value(out, &map->map.values[i]);
    }
    buf_append_byte(out, '}');
}

/* Recursion is bounded by JSON_DEPTH_MAX: rows are parsed text. */
static void append_value(struct buf *out, const struct value *value)
{
    if (value->kind == VALUE_NUMBER)
        append_number(out, value->text);
    else if (value->kind == VALUE_LIST)
        append_list(out, value);
    else if (value->kind == VALUE_MAP)
        append_map(out, value);
    else
        value_append_json(out, value);
}

void draft_append(const struct draft *draft, struct buf *out)
{
    buf_append_format(out, "{\"line\":%u,\"index\":%llu,\"file\":", draft->line,
                      (unsigned long long)draft->index);
    text_append_json(out, draft->file);
    buf_append_text(out, draft->has_rows ? ",\"rows\":" : ",\"row\":");
    append_value(out, draft->has_rows ? &draft->rows : &draft->row);
    if (draft->run.kind == VALUE_MAP) {
        buf_append_text(out, ",\"run\":");
        append_value(out, &draft->run);
    }
    buf_append_byte(out, '}');
}

/* The values were made by json_parse() for this call alone. */
static void take_marks(struct value *value)
{
    struct slice *text = &value->text;
    size_t count = value->kind == VALUE_LIST  ? value->list.count
                   : value->kind == VALUE_MAP ? value->map.count
                                              : 0;
    const struct value *parts = value->kind == VALUE_LIST ? value->list.items : value->map.values;

    if (value->kind == VALUE_NUMBER && text->length > WHOLE_MARK_BYTES &&
        memcmp(text->bytes + text->length - WHOLE_MARK_BYTES, whole_mark, WHOLE_MARK_BYTES) == 0)
        text->length -= WHOLE_MARK_BYTES;
    for (size_t i = 0; i < count; i++)
        take_marks((struct value *)&parts[i]);
}

static bool take_count(const struct value *whole, const char *name, uint64_t max,
                       uint64_t *count_out)
{
    struct value value = value_member(whole, slice_of(name));
    int64_t number;

    if (value.kind != VALUE_NUMBER || !decimal_to_int64(value.text, &number) || number < 0 ||
        (uint64_t)number > max)
        return false;
    *count_out = (uint64_t)number;
    return true;
}

enum err_code draft_read(struct arena *arena, struct slice text, struct draft *draft_out,
                         struct err *err)
{
    static const char damaged[] = "the row that is kept of it cannot be read";
    struct value whole, file;
    uint64_t line;

    if (json_parse(arena, text.bytes, text.length, &whole, err) != ERR_OK)
        return err_wrap(err, "%s", damaged);
    take_marks(&whole);
    *draft_out = (struct draft){.row = value_member(&whole, SLICE("row")),
                                .rows = value_member(&whole, SLICE("rows")),
                                .run = value_member(&whole, SLICE("run"))};
    file = value_member(&whole, SLICE("file"));
    draft_out->has_rows = draft_out->rows.kind == VALUE_LIST && draft_out->rows.list.count > 0;
    if (draft_out->has_rows)
        draft_out->row = draft_out->rows.list.items[0];
    if (draft_out->row.kind != VALUE_MAP ||
        (draft_out->run.kind != VALUE_MAP && draft_out->run.kind != VALUE_OMIT) ||
        file.kind != VALUE_STRING || !take_count(&whole, "line", UINT32_MAX, &line) ||
        !take_count(&whole, "index", INT64_MAX, &draft_out->index))
        return err_set(err, ERR_INPUT, "%s", damaged);
    draft_out->line = (uint32_t)line;
    draft_out->file = file.text;
    return ERR_OK;
}
