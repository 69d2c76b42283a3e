#include "source_reader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "purser/base/mem.h"

static const char encoding_help[] = "save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\"), or say "
                                    "how it is written: encoding: windows-1252";

/* --- raw rows --- */

/* Errors of the CSV reader begin with their line. */
static enum err_code broken_csv(const struct source_reader *reader, struct diagnostics *diagnostics,
                                struct err *err)
{
    struct err inner = *err;
    char *rest;
    unsigned long line = strtoul(inner.text, &rest, 10);

    if (inner.code == ERR_NO_MEMORY)
        return err_wrap(err, "%s", reader_file(reader));
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

        if (reader->finished)
            return ERR_NOT_FOUND;
        if (reader->window_at == reader->window_length && !reader->at_end &&
            reader_fill_window(reader, err) != ERR_OK)
            return err->code;
        reader->finished = reader->at_end;
        if (reader->finished)
            code = csv_reader_finish(reader->csv, err);
        else
            code = csv_reader_feed(reader->csv, reader->window + reader->window_at,
                                   reader->window_length - reader->window_at, err);
        reader->window_at = reader->window_length;
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

static enum err_code copy_columns(struct source_reader *reader, const struct slice *names,
                                  size_t count, struct err *err)
{
    struct slice *columns = arena_new(&reader->arena, count, sizeof *columns);
    size_t i;

    reader->types = arena_new(&reader->arena, count, sizeof(const struct spec_column *));
    if (columns == NULL || reader->types == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
    for (i = 0; i < count; i++) {
        struct slice name = trimmed(names[i]);
        size_t type;

        columns[i].bytes = arena_copy_text(&reader->arena, name.bytes, name.length);
        columns[i].length = name.length;
        if (columns[i].bytes == NULL)
            return err_set(err, ERR_NO_MEMORY, "%s: out of memory", reader_file(reader));
        for (type = 0; type < reader->source->column_count; type++) {
            if (slice_equal(name, reader->source->columns[type].name))
                reader->types[i] = &reader->source->columns[type];
        }
    }
    reader->columns = columns;
    reader->column_count = count;
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
static void suspect_delimiter(const struct source_reader *reader, const struct source_row *row,
                              struct diagnostics *diagnostics)
{
    static const char delimiters[] = ";\t|,";
    static const char *const helps[] = {"delimiter: \";\"", "delimiter: \"\\t\"",
                                        "delimiter: \"|\"", "delimiter: \",\""};
    struct slice name = reader->columns[0];
    size_t i;

    for (i = 0; i < sizeof delimiters - 1 && reader->column_count == 1; i++) {
        if (memchr(name.bytes, delimiters[i], name.length) == NULL)
            continue;
        diagnostics_add(diagnostics, DIAG_WARNING, row_place(reader, row), "data.delimiter",
                        helps[i], "the header is one column; is another delimiter meant?");
        return;
    }
}

static enum err_code check_header(struct source_reader *reader, struct source_row *row,
                                  struct diagnostics *diagnostics, struct err *err)
{
    size_t i;

    suspect_delimiter(reader, row, diagnostics);
    for (i = 0; i < reader->column_count; i++)
        check_name(reader, i, row, diagnostics);
    return row->wrong
               ? err_set(err, ERR_INPUT, "%s: the header cannot be used", reader_file(reader))
               : ERR_OK;
}

/* A row of one file is given back under the header of the first, so the columns must be the same
 * and in the same order. */
static enum err_code compare_header(struct source_reader *reader, const struct csv_row *raw,
                                    struct source_row *row, struct diagnostics *diagnostics,
                                    struct err *err)
{
    static const char help[] = "all files of a pattern need the same columns in the same order";
    const char *first = reader->files.files[0].name;
    size_t i;

    for (i = 0; i < raw->count && i < reader->column_count; i++) {
        struct slice name = trimmed(raw->cells[i]), wanted = reader->columns[i];

        if (slice_equal(name, wanted))
            continue;
        row_message(reader, row, "data.columns", help, diagnostics,
                    "column %zu is '%.*s'; in %s it is '%.*s'", i + 1,
                    (int)(name.length < 60 ? name.length : 60), name.bytes, first,
                    (int)wanted.length, wanted.bytes);
        break;
    }
    if (!row->wrong && raw->count != reader->column_count)
        row_message(reader, row, "data.columns", help, diagnostics,
                    "it has %zu columns; %s has %zu", raw->count, first, reader->column_count);
    return row->wrong ? err_set(err, ERR_INPUT, "%s: its columns are not those of %s",
                                reader_file(reader), first)
                      : ERR_OK;
}

/* --- where the rows begin --- */

/* A new reader for the bytes from here on. */
static enum err_code open_reader(const struct source_reader *reader, uint32_t line,
                                 struct csv_reader **csv_out, struct err *err)
{
    if (csv_reader_open(reader->source->delimiter, csv_out, err) != ERR_OK)
        return err->code;
    if (reader->source->quote != '"')
        csv_reader_set_quote(*csv_out, reader->source->quote);
    csv_reader_start_at(*csv_out, reader_offset(reader), line);
    return ERR_OK;
}

/* Passes over the lines that the spec says; stops at the end of the file. */
static enum err_code skip_lines(struct source_reader *reader, struct err *err)
{
    uint32_t left = reader->source->skip_lines;
    bool after_return = false;

    while ((left > 0 || after_return) && !reader->at_end) {
        char byte;

        if (reader->window_at == reader->window_length) {
            if (reader_fill_window(reader, err) != ERR_OK)
                return err->code;
            continue;
        }
        byte = reader->window[reader->window_at];
        if (left == 0 && byte != '\n')
            break; /* the last line ended with a CR alone */
        reader->window_at++;
        if (byte == '\r' || (byte == '\n' && !after_return))
            left--;
        after_return = byte == '\r';
    }
    return ERR_OK;
}

/* Behind the lines to skip; *raw_out is the header, if the file has one. */
static enum err_code begin(struct source_reader *reader, struct csv_row *raw_out,
                           struct diagnostics *diagnostics, struct err *err)
{
    csv_reader_close(reader->csv);
    reader->csv = NULL;
    reader->finished = false;
    if (skip_lines(reader, err) != ERR_OK ||
        open_reader(reader, reader->source->skip_lines + 1, &reader->csv, err) != ERR_OK)
        return err->code;
    if (reader->source->header_count > 0)
        return ERR_OK;
    return next_raw(reader, raw_out, diagnostics, err);
}

enum err_code csv_rows_begin(struct source_reader *reader, struct diagnostics *diagnostics,
                             struct err *err)
{
    struct csv_row raw;
    enum err_code code = begin(reader, &raw, diagnostics, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_SYSTEM, "%s became shorter while it was read", reader_file(reader));
    return code;
}

/* The header of one file: taken from the first, compared with it in the others. */
static enum err_code open_header(struct source_reader *reader, struct diagnostics *diagnostics,
                                 struct err *err)
{
    struct source_row row = {.file = (uint32_t)reader->file};
    struct csv_row raw;
    enum err_code code = begin(reader, &raw, diagnostics, err);

    if (code == ERR_NOT_FOUND)
        return broken_file(reader, 1, ERR_INPUT, "data.header",
                           "the file is empty\nhint: its first line must name the columns",
                           diagnostics, err);
    if (code != ERR_OK)
        return code;
    row.span = (struct source_span){raw.byte_offset, raw.byte_length, raw.line};
    if (reader->file > 0)
        return compare_header(reader, &raw, &row, diagnostics, err);
    reader->header = row.span;
    if (copy_columns(reader, raw.cells, raw.count, err) != ERR_OK)
        return err->code;
    return check_header(reader, &row, diagnostics, err);
}

enum err_code csv_rows_open(struct source_reader *reader, struct diagnostics *diagnostics,
                            struct err *err)
{
    const struct spec_source *source = reader->source;
    enum err_code code = ERR_OK;

    if (source->header_count > 0)
        return copy_columns(reader, source->header, source->header_count, err);
    for (size_t i = 0; i < reader->files.count; i++) {
        enum err_code opened = reader_open_file(reader, i, diagnostics, err);

        if (opened == ERR_OK)
            opened = open_header(reader, diagnostics, err);
        if (opened != ERR_OK && (opened != ERR_INPUT || i == 0))
            return opened;
        code = opened == ERR_OK ? code : opened; /* all files that are wrong are told */
    }
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
    return open_reader(reader, 2, &reader->csv_row, err);
}

/* The row in reader->span; its cells are borrowed until the next one. */
static enum err_code parse_span(struct source_reader *reader, struct csv_row *raw_out,
                                struct err *err)
{
    enum err_code code = ERR_OK;
    bool taken = false;

    if (reader->csv_row == NULL)
        code = open_row_reader(reader, err);
    if (code == ERR_OK)
        code = csv_reader_feed(reader->csv_row, reader->span.bytes, reader->span.length, err);
    if (code == ERR_OK)
        taken = csv_reader_take(reader->csv_row, raw_out);
    /* The last row of a file may lack its line end; one that ends in CR waits for LF. */
    if (code == ERR_OK && !taken)
        code = csv_reader_feed(reader->csv_row, "\n", 1, err);
    if (code == ERR_OK && !taken)
        taken = csv_reader_take(reader->csv_row, raw_out);
    if (code == ERR_OK && !taken)
        code = err_set(err, ERR_SYSTEM, "%s changed while it was read", reader_file(reader));
    if (code != ERR_OK) {
        csv_reader_close(reader->csv_row); /* it may stand in the middle of a row */
        reader->csv_row = NULL;
    }
    return code;
}

enum err_code csv_rows_parse(struct source_reader *reader, struct arena *arena,
                             struct source_row *row_out, struct diagnostics *diagnostics,
                             struct err *err)
{
    struct csv_row raw;

    if (parse_span(reader, &raw, err) != ERR_OK)
        return err->code;
    return convert_row(reader, &raw, arena, row_out, diagnostics, err);
}

enum err_code csv_rows_append(struct source_reader *reader, const struct source_span *span,
                              struct buf *out, struct err *err)
{
    char delimiter = reader->source->delimiter;
    const struct slice *cells = reader->source->header;
    size_t count = reader->source->header_count;
    struct csv_row raw;

    if (span->byte_length > 0) {
        if (reader->source->quote == '"')
            return reader_append_bytes(reader, span->byte_offset, span->byte_length, out, err);
        buf_clear(&reader->span);
        if (reader_append_bytes(reader, span->byte_offset, span->byte_length, &reader->span, err) !=
                ERR_OK ||
            parse_span(reader, &raw, err) != ERR_OK)
            return err->code;
        cells = raw.cells;
        count = raw.count;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_byte(out, delimiter);
        text_append_csv(out, cells[i], delimiter, false);
    }
    buf_append_byte(out, '\n');
    if (out->failed != ERR_OK)
        return err_set(err, out->failed, "%s: %s", reader_file(reader), err_code_text(out->failed));
    return ERR_OK;
}
