#include "source_reader.h"

#include <string.h>

static bool is_known(const struct slice *names, size_t count, struct slice name)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (slice_equal(names[i], name))
            return true;
    }
    return false;
}

/* The columns are the names of all rows, in the order in which they come up. */
enum err_code inline_rows_open(struct source_reader *reader, struct err *err)
{
    const struct spec_source *source = reader->source;
    struct slice *names;
    size_t room = 0, count = 0, row, i;

    for (row = 0; row < source->inline_count; row++)
        room += source->inline_rows[row].map.count;
    if (room == 0)
        return ERR_OK;
    names = arena_new(&reader->arena, room, sizeof *names);
    if (names == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
    for (row = 0; row < source->inline_count; row++) {
        const struct value *map = &source->inline_rows[row];

        for (i = 0; i < map->map.count; i++) {
            struct slice name = map->map.names[i];

            if (is_known(names, count, name))
                continue;
            name.bytes = arena_copy_text(&reader->arena, name.bytes, name.length);
            if (name.bytes == NULL)
                return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
            names[count++] = name;
        }
    }
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
