#include "purser/codec/inline_rows.h"

#include <string.h>

#include "purser/base/text.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

static const struct spec_column *find(const struct spec_column *columns, size_t count,
                                      struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(columns[i].name, name))
            return &columns[i];
    return NULL;
}

static bool is_nested(const struct value *value)
{
    return value->kind == VALUE_LIST || value->kind == VALUE_MAP;
}

/* An empty cell is no value, so an empty text has to be written. */
static bool is_plain_text(const struct value *value)
{
    return value->kind == VALUE_STRING && value->text.length > 0;
}

/* What the value asks of its column. A list or map has no other text than JSON. */
static void meet(const struct spec_column *typed, const struct value *value,
                 struct spec_column *column)
{
    if (typed != NULL ? is_nested(value) : !is_plain_text(value))
        column->type = COLUMN_AS_WRITTEN;
}

enum err_code inline_rows_columns(struct arena *arena, const struct spec_source *source,
                                  struct spec_column **columns_out, size_t *count_out)
{
    struct spec_column *columns;
    size_t room = 0, count = 0;

    for (size_t i = 0; i < source->inline_count; i++)
        room += source->inline_rows[i].map.count;
    columns = arena_new(arena, room + 1, sizeof *columns);
    if (columns == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < source->inline_count; i++) {
        const struct value *row = &source->inline_rows[i];

        for (size_t j = 0; j < row->map.count; j++) {
            struct slice name = row->map.names[j];
            const struct spec_column *typed = find(source->columns, source->column_count, name);
            struct spec_column *column = (struct spec_column *)find(columns, count, name);

            if (column == NULL) {
                column = &columns[count++];
                *column = typed != NULL ? *typed : (struct spec_column){.name = name};
            }
            meet(typed, &row->map.values[j], column);
        }
    }
    *columns_out = columns;
    *count_out = count;
    return ERR_OK;
}

/* --- written --- */

/* True if a cell of COLUMN_AS_WRITTEN with this text would be read as something else. */
static bool needs_quotes(struct slice text)
{
    bool is_whole;

    return text.length == 0 || strchr("\"[{ \t\r\n", text.bytes[0]) != NULL ||
           strchr(" \t\r\n", text.bytes[text.length - 1]) != NULL || slice_is(text, "true") ||
           slice_is(text, "false") || slice_is(text, "null") ||
           json_number_length(text.bytes, text.length, &is_whole) == text.length;
}

static void append_cell(const struct spec_column *column, const struct value *value, char delimiter,
                        struct buf *cell, struct buf *out)
{
    bool as_written = column->type == COLUMN_AS_WRITTEN;

    if (value->kind == VALUE_OMIT || (value->kind == VALUE_NULL && !as_written))
        return;
    buf_clear(cell);
    if (value->kind == VALUE_STRING && !(as_written && needs_quotes(value->text)))
        buf_append(cell, value->text.bytes, value->text.length);
    else
        value_append_json(cell, value);
    if (cell->failed != ERR_OK)
        out->failed = cell->failed;
    text_append_csv(out, (struct slice){buf_text(cell), cell->length}, delimiter, false);
}

void inline_rows_append_header(const struct spec_column *columns, size_t count, char delimiter,
                               struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_byte(out, delimiter);
        text_append_csv(out, columns[i].name, delimiter, false);
    }
}

void inline_rows_append(const struct spec_column *columns, size_t count, const struct value *row,
                        char delimiter, struct buf *out)
{
    struct buf cell;

    buf_init(&cell, SPEC_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct value value = value_member(row, columns[i].name);

        if (i > 0)
            buf_append_byte(out, delimiter);
        append_cell(&columns[i], &value, delimiter, &cell, out);
    }
    buf_deinit(&cell);
}

/* --- read --- */

enum err_code inline_rows_type(struct arena *arena, const struct spec_source *inline_source,
                               struct spec_source *source)
{
    struct spec_column *columns;
    size_t count, kept = 0;

    if (inline_rows_columns(arena, inline_source, &columns, &count) != ERR_OK)
        return ERR_NO_MEMORY;
    /* A text needs no type, and its column may be taken out of the file. */
    for (size_t i = 0; i < count; i++)
        if (columns[i].type != COLUMN_STRING)
            columns[kept++] = columns[i];
    source->columns = columns;
    source->column_count = kept;
    return ERR_OK;
}
