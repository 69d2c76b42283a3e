#include "source_reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "purser/base/mem.h"

static const char encoding_help[] = "save the file as UTF-8 (in a spreadsheet: \"CSV UTF-8\")";

/* --- raw rows --- */

/* Errors of the CSV reader begin with their line. */
static enum err_code broken_csv(const struct source_reader *reader, struct diagnostics *diagnostics,
                                struct err *err)
{
    struct err inner = *err;
    char *rest;
    unsigned long line = strtoul(inner.text, &rest, 10);

    if (inner.code == ERR_NO_MEMORY)
        return err_wrap(err, "%s", reader->file);
    if (strncmp(rest, ": ", 2) == 0)
        rest += 2;
    return broken_file(reader, (uint32_t)line, inner.code, "data.csv", rest, diagnostics, err);
}

/* ERR_NOT_FOUND at the end. */
static enum err_code next_raw(struct source_reader *reader, struct csv_row *row_out,
                              struct diagnostics *diagnostics, struct err *err)
{
    while (!csv_reader_take(reader->csv, row_out)) {
        enum err_code code;

        if (reader->at_end)
            return ERR_NOT_FOUND;
        if (reader_fill_window(reader, err) != ERR_OK)
            return err->code;
        reader->at_end = reader->window_length == 0;
        if (reader->at_end)
            code = csv_reader_finish(reader->csv, err);
        else
            code = csv_reader_feed(reader->csv, reader->window, reader->window_length, err);
        if (code != ERR_OK)
            return broken_csv(reader, diagnostics, err);
    }
    return ERR_OK;
}

/* --- header --- */

static struct slice trimmed(struct slice name)
{
    while (name.length > 0 && (name.bytes[0] == ' ' || name.bytes[0] == '\t')) {
        name.bytes++;
        name.length--;
    }
    while (name.length > 0 &&
           (name.bytes[name.length - 1] == ' ' || name.bytes[name.length - 1] == '\t'))
        name.length--;
    return name;
}

static enum err_code copy_columns(struct source_reader *reader, const struct csv_row *row,
                                  struct err *err)
{
    struct slice *columns = arena_new(&reader->arena, row->count, sizeof *columns);
    size_t i;

    reader->types = arena_new(&reader->arena, row->count, sizeof(const struct spec_column *));
    if (columns == NULL || reader->types == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader->file);
    for (i = 0; i < row->count; i++) {
        struct slice name = trimmed(row->cells[i]);
        size_t type;

        columns[i].bytes = arena_copy_text(&reader->arena, name.bytes, name.length);
        columns[i].length = name.length;
        if (columns[i].bytes == NULL)
            return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader->file);
        for (type = 0; type < reader->source->column_count; type++) {
            if (slice_equal(name, reader->source->columns[type].name))
                reader->types[i] = &reader->source->columns[type];
        }
    }
    reader->columns = columns;
    reader->column_count = row->count;
    return ERR_OK;
}

static void check_name(const struct source_reader *reader, size_t index, struct source_row *row,
                       struct diagnostics *diagnostics)
{
    struct slice name = reader->columns[index];
    size_t i, bad;

    if (name.length == 0)
        row_message(reader, row, "data.header", "give it a name, or delete the column", diagnostics,
                    "column %zu has no name", index + 1);
    if (!text_is_utf8(name.bytes, name.length, &bad))
        row_message(reader, row, "data.encoding", encoding_help, diagnostics,
                    "the name of column %zu is not UTF-8", index + 1);
    for (i = 0; i < index && name.length > 0; i++) {
        if (!slice_equal(reader->columns[i], name))
            continue;
        row_message(reader, row, "data.header", "each column needs a name of its own", diagnostics,
                    "the column name '%.*s' stands twice: columns %zu and %zu", (int)name.length,
                    name.bytes, i + 1, index + 1);
        return;
    }
}

/* A file with another delimiter has one long column. */
static void suspect_delimiter(const struct source_reader *reader, struct diagnostics *diagnostics)
{
    static const char delimiters[] = ";\t|,";
    static const char *const helps[] = {"delimiter: \";\"", "delimiter: \"\\t\"",
                                        "delimiter: \"|\"", "delimiter: \",\""};
    struct slice name = reader->columns[0];
    struct place place = {.file = reader->file, .line = reader->header.line, .column = 1};
    size_t i;

    for (i = 0; i < sizeof delimiters - 1 && reader->column_count == 1; i++) {
        if (memchr(name.bytes, delimiters[i], name.length) == NULL)
            continue;
        diagnostics_add(diagnostics, DIAG_WARNING, place, "data.delimiter", helps[i],
                        "the header is one column; is another delimiter meant?");
        return;
    }
}

static enum err_code check_header(struct source_reader *reader, struct diagnostics *diagnostics,
                                  struct err *err)
{
    struct source_row row = {.span = reader->header};
    size_t i;

    suspect_delimiter(reader, diagnostics);
    for (i = 0; i < reader->column_count; i++)
        check_name(reader, i, &row, diagnostics);
    return row.wrong ? err_set(err, ERR_INPUT, "%s: the header cannot be used", reader->file)
                     : ERR_OK;
}

enum err_code csv_rows_open(struct source_reader *reader, struct diagnostics *diagnostics,
                            struct err *err)
{
    struct csv_row row;
    enum err_code code = csv_reader_open(reader->source->delimiter, &reader->csv, err);

    if (code == ERR_OK)
        code = next_raw(reader, &row, diagnostics, err);
    if (code == ERR_NOT_FOUND)
        return broken_file(reader, 1, ERR_INPUT, "data.header",
                           "the file is empty\nhint: its first line must name the columns",
                           diagnostics, err);
    if (code != ERR_OK)
        return code;
    reader->header = (struct source_span){row.byte_offset, row.byte_length, row.line};
    if (copy_columns(reader, &row, err) != ERR_OK)
        return err->code;
    return check_header(reader, diagnostics, err);
}

enum err_code csv_rows_restart(struct source_reader *reader, struct err *err)
{
    struct csv_row header;
    enum err_code code;

    csv_reader_close(reader->csv);
    reader->csv = NULL;
    code = csv_reader_open(reader->source->delimiter, &reader->csv, err);
    if (code == ERR_OK)
        code = next_raw(reader, &header, NULL, err);
    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_SYSTEM, "%s became shorter while it was read", reader->file);
    return code;
}

/* --- data rows --- */

static void check_count(const struct source_reader *reader, const struct csv_row *raw,
                        struct source_row *row, struct diagnostics *diagnostics)
{
    if (raw->count == reader->column_count)
        return;
    row_message(reader, row, "data.cells",
                raw->count > reader->column_count
                    ? "a cell with the delimiter in it must be quoted"
                    : "each column needs a cell, if only an empty one",
                diagnostics, "the row has %zu cells, the header %zu columns", raw->count,
                reader->column_count);
}

/* All cells in one piece of the arena. */
static char *copy_cells(const struct csv_row *raw, struct arena *arena)
{
    size_t length = 0, at = 0, i;
    char *text;

    for (i = 0; i < raw->count; i++)
        length += raw->cells[i].length;
    text = arena_new(arena, length + 1, 1);
    for (i = 0; i < raw->count && text != NULL; i++) {
        if (raw->cells[i].length > 0)
            memcpy(text + at, raw->cells[i].bytes, raw->cells[i].length);
        at += raw->cells[i].length;
    }
    return text;
}

static enum err_code convert_cell(struct source_reader *reader, size_t index, struct slice text,
                                  struct arena *arena, struct value *value_out,
                                  struct source_row *row, struct diagnostics *diagnostics)
{
    static const struct cell_problem not_utf8 = {"is not UTF-8", encoding_help};
    const struct value as_text = {.kind = VALUE_STRING, .text = text};
    struct cell_problem problem;
    enum err_code code = ERR_INPUT;
    size_t bad;

    if (text_is_utf8(text.bytes, text.length, &bad))
        code = cell_from_text(arena, reader->types[index], text, value_out, &problem);
    else
        problem = not_utf8;
    if (code != ERR_INPUT)
        return code;
    cell_message(reader, row, reader->columns[index], index, &as_text, &problem, diagnostics);
    *value_out = as_text; /* enough to know the row's group */
    return ERR_OK;
}

static enum err_code convert_row(struct source_reader *reader, const struct csv_row *raw,
                                 struct arena *arena, struct source_row *row,
                                 struct diagnostics *diagnostics, struct err *err)
{
    struct value *values = arena_new(arena, reader->column_count, sizeof *values);
    const char *text = copy_cells(raw, arena);
    size_t i;

    if (values == NULL || text == NULL)
        return reader_no_room(reader, arena, row->span.line, diagnostics, err);
    check_count(reader, raw, row, diagnostics);
    for (i = 0; i < raw->count && i < reader->column_count; i++) {
        size_t length = raw->cells[i].length;

        if (convert_cell(reader, i, (struct slice){text, length}, arena, &values[i], row,
                         diagnostics) != ERR_OK)
            return reader_no_room(reader, arena, row->span.line, diagnostics, err);
        text += length;
    }
    row->value = (struct value){
        .kind = VALUE_MAP,
        .map = {.names = reader->columns, .values = values, .count = reader->column_count}};
    return ERR_OK;
}

enum err_code csv_rows_next(struct source_reader *reader, struct arena *arena,
                            struct source_row *row_out, struct diagnostics *diagnostics,
                            struct err *err)
{
    struct csv_row raw;
    enum err_code code = next_raw(reader, &raw, diagnostics, err);

    if (code != ERR_OK)
        return code;
    reader->row_count++;
    row_out->span = (struct source_span){raw.byte_offset, raw.byte_length, raw.line};
    return convert_row(reader, &raw, arena, row_out, diagnostics, err);
}

/* A reader of its own for rows out of their order. Its first row is not the file's: what looks like
 * a byte order mark there is none. */
static enum err_code open_row_reader(struct source_reader *reader, struct err *err)
{
    struct csv_row unused;
    enum err_code code = csv_reader_open(reader->source->delimiter, &reader->csv_row, err);

    if (code == ERR_OK)
        code = csv_reader_feed(reader->csv_row, "start\n", 6, err);
    while (code == ERR_OK && csv_reader_take(reader->csv_row, &unused))
        continue;
    return code;
}

enum err_code csv_rows_parse(struct source_reader *reader, struct arena *arena,
                             struct source_row *row_out, struct diagnostics *diagnostics,
                             struct err *err)
{
    struct csv_row raw;
    enum err_code code = ERR_OK;
    bool taken = false;

    if (reader->csv_row == NULL)
        code = open_row_reader(reader, err);
    if (code == ERR_OK)
        code = csv_reader_feed(reader->csv_row, reader->span.bytes, reader->span.length, err);
    if (code == ERR_OK)
        taken = csv_reader_take(reader->csv_row, &raw);
    /* The last row of a file may lack its line end; one that ends in CR waits for LF. */
    if (code == ERR_OK && !taken)
        code = csv_reader_feed(reader->csv_row, "\n", 1, err);
    if (code == ERR_OK && !taken)
        taken = csv_reader_take(reader->csv_row, &raw);
    if (code == ERR_OK && !taken)
        code = err_set(err, ERR_SYSTEM, "%s changed while it was read", reader->file);
    if (code != ERR_OK) {
        csv_reader_close(reader->csv_row); /* it may stand in the middle of a row */
        reader->csv_row = NULL;
        return code;
    }
    return convert_row(reader, &raw, arena, row_out, diagnostics, err);
}
