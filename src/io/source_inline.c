#include "source_reader.h"

#include <string.h>

#include "purser/codec/inline_rows.h"

/* The columns are the names of all rows, in the order in which they come up. */
enum err_code inline_rows_open(struct source_reader *reader, struct err *err)
{
    struct spec_column *columns;
    struct slice *names;
    size_t count;

    if (inline_rows_columns(&reader->arena, reader->source, &columns, &count) != ERR_OK)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
    if (count == 0)
        return ERR_OK;
    names = arena_new(&reader->arena, count, sizeof *names);
    for (size_t i = 0; names != NULL && i < count; i++) {
        names[i].length = columns[i].name.length;
        names[i].bytes =
            arena_copy_text(&reader->arena, columns[i].name.bytes, columns[i].name.length);
        if (names[i].bytes == NULL)
            names = NULL;
    }
    if (names == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
    reader->inline_columns = columns;
    reader->columns = names;
    reader->column_count = count;
    return ERR_OK;
}

enum err_code inline_rows_next(struct source_reader *reader, struct arena *arena,
                               struct source_row *row_out, struct diagnostics *diagnostics,
                               struct err *err)
{
    uint64_t index = reader->row_count;

    if (index >= reader->source->inline_count)
        return ERR_NOT_FOUND;
    reader->row_count++;
    row_out->number = reader->row_count;
    row_out->span = (struct source_span){.byte_offset = index,
                                         .line = reader->source->inline_places[index].line};
    row_out->value = reader->source->inline_rows[index];
    return reader_type_members(reader, arena, row_out, diagnostics, err);
}

static enum err_code type_member(struct source_reader *reader, const struct spec_column *column,
                                 struct value *value, struct arena *arena, struct source_row *row,
                                 struct diagnostics *diagnostics)
{
    struct cell_problem problem;
    struct value typed;
    enum err_code code = cell_from_value(arena, column, value, &typed, &problem);

    if (code == ERR_INPUT) {
        cell_message(reader, row, column->name, SIZE_MAX, value, &problem, diagnostics);
        return ERR_OK;
    }
    if (code == ERR_OK)
        *value = typed;
    return code;
}

enum err_code reader_type_members(struct source_reader *reader, struct arena *arena,
                                  struct source_row *row_out, struct diagnostics *diagnostics,
                                  struct err *err)
{
    const struct spec_source *source = reader->source;
    struct value *map = &row_out->value, *values;
    size_t column, i;

    if (source->column_count == 0)
        return ERR_OK;
    values = arena_new(arena, map->map.count, sizeof *values);
    if (values == NULL)
        return reader_no_room(reader, arena, row_out->span.line, diagnostics, err);
    if (map->map.count > 0)
        memcpy(values, map->map.values, map->map.count * sizeof *values);
    for (column = 0; column < source->column_count; column++) {
        for (i = 0; i < map->map.count; i++) {
            if (!slice_equal(map->map.names[i], source->columns[column].name))
                continue;
            if (type_member(reader, &source->columns[column], &values[i], arena, row_out,
                            diagnostics) != ERR_OK)
                return reader_no_room(reader, arena, row_out->span.line, diagnostics, err);
        }
    }
    map->map.values = values;
    return ERR_OK;
}
