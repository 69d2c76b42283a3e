/* Rows that purser has written once, without what it added to them. */
#include "intake_private.h"

#include <string.h>

#include "purser/io/result_row.h"

/* The positions of members that are the source's own; how many. */
static size_t own_members(const struct value *row, struct slice *names, struct value *values)
{
    size_t count = 0;

    for (size_t i = 0; i < row->map.count; i++) {
        if (result_row_is_added(row->map.names[i]))
            continue;
        names[count] = row->map.names[i];
        values[count++] = row->map.values[i];
    }
    return count;
}

static bool strip_row(struct arena *arena, struct value *row)
{
    struct slice *names;
    struct value *values;

    if (row->kind != VALUE_MAP || row->map.count == 0)
        return true;
    names = arena_new(arena, row->map.count, sizeof *names);
    values = arena_new(arena, row->map.count, sizeof *values);
    if (names == NULL || values == NULL)
        return false;
    row->map.count = own_members(row, names, values);
    row->map.names = names;
    row->map.values = values;
    return true;
}

bool intake_strip(struct intake *intake, struct unit *unit)
{
    struct value *rows;

    arena_clear(&intake->stripped);
    rows = arena_new(&intake->stripped, unit->rows.list.count + 1, sizeof *rows);
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < unit->rows.list.count; i++) {
        rows[i] = unit->rows.list.items[i];
        if (!strip_row(&intake->stripped, &rows[i]))
            return false;
    }
    unit->rows.list.items = rows;
    unit->row = rows[0];
    return true;
}

const struct slice *intake_own_columns(struct arena *arena, const struct slice *columns,
                                       size_t *count)
{
    struct slice *own = arena_new(arena, *count + 1, sizeof *own);
    size_t kept = 0;

    if (own == NULL)
        return NULL;
    for (size_t i = 0; i < *count; i++)
        if (!result_row_is_added(columns[i]))
            own[kept++] = columns[i];
    *count = kept;
    return own;
}
