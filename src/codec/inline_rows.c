#include "purser/codec/inline_rows.h"

#include <string.h>

#include "purser/base/text.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

enum { COLUMNS_AT_FIRST = 16 };

/* Its index; `count` when there is none. */
static size_t find(const struct spec_column *columns, size_t count, struct slice name)
{
    size_t i = 0;

    while (i < count && !slice_equal(columns[i].name, name))
        i++;
    return i;
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
static void meet(bool is_typed, const struct value *value, struct spec_column *column)
{
    if (is_typed ? is_nested(value) : !is_plain_text(value))
        column->type = COLUMN_AS_WRITTEN;
}

struct columns {
    struct arena *arena;
    struct spec_column *columns;
    size_t count, room;
};

/* The members of all rows are many, their names few. */
static bool add(struct columns *columns, const struct spec_column *column)
{
    if (columns->count == columns->room) {
        size_t room = columns->room * 2;
        struct spec_column *moved = arena_new(columns->arena, room, sizeof *moved);

        if (moved == NULL)
            return false;
        memcpy(moved, columns->columns, columns->count * sizeof *moved);
        columns->columns = moved;
        columns->room = room;
    }
    columns->columns[columns->count++] = *column;
    return true;
}

static bool take_row(struct columns *columns, const struct spec_source *source,
                     const struct value *row)
{
    for (size_t i = 0; i < row->map.count; i++) {
        struct spec_column column = {.name = row->map.names[i]};
        size_t typed = find(source->columns, source->column_count, column.name);
        size_t at = find(columns->columns, columns->count, column.name);
        bool is_typed = typed < source->column_count;

        if (is_typed)
            column = source->columns[typed];
        if (at == columns->count && !add(columns, &column))
            return false;
        meet(is_typed, &row->map.values[i], &columns->columns[at]);
    }
    return true;
}

enum err_code inline_rows_columns(struct arena *arena, const struct spec_source *source,
                                  struct spec_column **columns_out, size_t *count_out)
{
    struct columns columns = {.arena = arena, .room = COLUMNS_AT_FIRST};

    columns.columns = arena_new(arena, columns.room, sizeof *columns.columns);
    if (columns.columns == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < source->inline_count; i++)
        if (!take_row(&columns, source, &source->inline_rows[i]))
            return ERR_NO_MEMORY;
    *columns_out = columns.columns;
    *count_out = columns.count;
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
