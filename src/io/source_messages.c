#include "source_reader.h"

#include <stdarg.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"

enum {
    SHOWN_BYTES_MAX = 60, /* of a cell in a message */
    COLUMNS_HELP_BYTES = 300,
    ROW_TEXT_BYTES = 32,
    LOCATED_MESSAGES_MAX = 200, /* far more than are shown: then the row is not read again */
};

struct place row_place(const struct source_reader *reader, const struct source_row *row)
{
    const struct source_file *file = &reader->files.files[row->file];

    if (reader->source->kind == SOURCE_INLINE && row->number > 0)
        return reader->source->inline_places[row->number - 1];
    return (struct place){
        .file = file->name, .line = row->span.line, .column = row->column == 0 ? 1 : row->column};
}

/* Text made printable, cut to what fits into a message; at a whole character. */
static void append_shown(struct buf *out, struct slice text)
{
    size_t length = text.length;

    if (length > SHOWN_BYTES_MAX) {
        length = SHOWN_BYTES_MAX;
        while (length > 0 && ((unsigned char)text.bytes[length] & 0xc0) == 0x80)
            length--;
    }
    text_append_printable(out, (struct slice){text.bytes, length});
    if (length < text.length)
        buf_append_text(out, "…");
}

/* " (row 17)"; of many files it would be a number that is in none of them. */
static void format_row(const struct source_reader *reader, const struct source_row *row,
                       char text[ROW_TEXT_BYTES])
{
    text[0] = '\0';
    if (row->number > 0 && reader->files.count == 1)
        (void)snprintf(text, ROW_TEXT_BYTES, " (row %llu)", (unsigned long long)row->number);
}

void row_message(const struct source_reader *reader, struct source_row *row, const char *code,
                 const char *help, struct diagnostics *diagnostics, const char *format, ...)
{
    char text[DIAG_TEXT_BYTES_MAX], number[ROW_TEXT_BYTES];
    va_list arguments;

    row->wrong = true;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    format_row(reader, row, number);
    diagnostics_add(diagnostics, DIAG_ERROR, row_place(reader, row), code, help, "%s%s", text,
                    number);
}

/* --- where in a row --- */

static uint32_t characters(const char *from, const char *to)
{
    uint32_t count = 0;

    for (; from < to; from++)
        count += ((unsigned char)*from & 0xc0) != 0x80;
    return count;
}

/* Moves a place over `length` bytes. */
static void move_place(struct place *place, const char *bytes, size_t length)
{
    const char *line = NULL;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n' && (bytes[i] != '\r' || (i + 1 < length && bytes[i + 1] == '\n')))
            continue;
        line = bytes + i + 1;
        place->line++;
    }
    place->column = line == NULL ? place->column + characters(bytes, bytes + length)
                                 : characters(line, bytes + length) + 1;
}

void byte_message(const struct source_reader *reader, struct source_row *row, struct slice bytes,
                  size_t at, const char *code, const char *help, struct diagnostics *diagnostics,
                  const char *text)
{
    struct place place = row_place(reader, row);
    char number[ROW_TEXT_BYTES];

    row->wrong = true;
    if (at != SIZE_MAX) {
        /* What lacks stands behind the last byte of the line, not on the next one. */
        while (bytes.length > 0 && strchr("\r\n", bytes.bytes[bytes.length - 1]) != NULL)
            bytes.length--;
        move_place(&place, bytes.bytes, at < bytes.length ? at : bytes.length);
    }
    format_row(reader, row, number);
    diagnostics_add(diagnostics, DIAG_ERROR, place, code, help, "%s%s", text, number);
}

/* --- where a cell of a CSV row stands --- */

/* The row has been parsed; this only counts its delimiters outside quotes up to the cell. */
static void find_cell(const struct buf *raw, char delimiter, char quote, size_t cell,
                      struct place *place)
{
    const char *at = raw->bytes, *end = raw->bytes + raw->length, *line = at, *start;
    bool quoted = false;

    for (; at < end && cell > 0; at++) {
        quoted ^= quote != '\0' && *at == quote;
        if (*at == '\n' || (*at == '\r' && (at + 1 == end || at[1] != '\n'))) {
            line = at + 1;
            place->line++;
        }
        cell -= !quoted && *at == delimiter;
    }
    start = at;
    place->column = characters(line, start) + 1;
    for (; at < end && *at != '\n' && *at != '\r' && (quoted || *at != delimiter); at++)
        quoted ^= quote != '\0' && *at == quote;
    place->width = characters(start, at);
}

static void find_member(const struct buf *raw, struct slice name, struct place *place)
{
    struct slice value = json_find_member((struct slice){raw->bytes, raw->length}, name);

    if (value.length == 0)
        return;
    move_place(place, raw->bytes, (size_t)(value.bytes - raw->bytes));
    if (memchr(value.bytes, '\n', value.length) == NULL)
        place->width = characters(value.bytes, value.bytes + value.length);
}

/* Of a CSV cell, or of a JSON member called `column`. */
static struct place place_of_cell(struct source_reader *reader, const struct source_row *row,
                                  struct slice column, size_t cell)
{
    struct place place = row_place(reader, row);
    struct err ignored = {0};
    struct buf raw;

    buf_init(&raw, ROW_BYTES_MAX);
    if (reader_append_bytes(reader, row->span.byte_offset, row->span.byte_length, &raw, &ignored) ==
            ERR_OK &&
        raw.length > 0) {
        if (cell != SIZE_MAX)
            find_cell(&raw, reader->source->delimiter, reader->source->quote, cell, &place);
        else
            find_member(&raw, column, &place);
    }
    buf_deinit(&raw);
    return place;
}

static void append_value(struct buf *out, const struct value *value)
{
    if (value->kind == VALUE_STRING) {
        buf_append_byte(out, '"');
        append_shown(out, value->text);
        buf_append_byte(out, '"');
    } else if (value->kind == VALUE_NUMBER) {
        append_shown(out, value->text);
    } else if (value->kind == VALUE_BOOL) {
        buf_append_text(out, value->boolean ? "true" : "false");
    } else {
        buf_append_format(out, "a %s", value_kind_name(value->kind));
    }
}

void cell_message(struct source_reader *reader, struct source_row *row, struct slice column,
                  size_t cell, const struct value *value, const struct cell_problem *problem,
                  struct diagnostics *diagnostics)
{
    struct place place = row_place(reader, row);
    char number[ROW_TEXT_BYTES];
    struct buf text;

    row->wrong = true;
    format_row(reader, row, number);
    if (reader->source->kind != SOURCE_INLINE && diagnostics->error_count < LOCATED_MESSAGES_MAX)
        place = place_of_cell(reader, row, column, cell);
    buf_init(&text, DIAG_TEXT_BYTES_MAX);
    buf_append_text(&text, "column '");
    append_shown(&text, column);
    buf_append_text(&text, "': ");
    append_value(&text, value);
    diagnostics_add(diagnostics, DIAG_ERROR, place, "data.type", problem->help, "%s %s%s",
                    buf_text(&text), problem->what, number);
    buf_deinit(&text);
}

/* --- about the whole file --- */

static const char *closest_column(const struct source_reader *reader, const char *name)
{
    const char **names = mem_new(reader->column_count, sizeof *names);
    const char *closest = NULL;
    size_t i;

    for (i = 0; i < reader->column_count && names != NULL; i++)
        names[i] = reader->columns[i].bytes;
    if (names != NULL)
        closest = text_closest(name, names, reader->column_count);
    mem_free(names);
    return closest;
}

void column_message(const struct source_reader *reader, const struct spec_column *column,
                    struct diagnostics *diagnostics)
{
    char *name = mem_copy_text(column->name.bytes, column->name.length);
    const char *closest = name == NULL ? NULL : closest_column(reader, name);
    struct buf help;
    size_t i;

    buf_init(&help, 2 * COLUMNS_HELP_BYTES);
    if (closest != NULL)
        buf_append_format(&help, "did you mean '%s'? ", closest);
    buf_append_text(&help, "columns: ");
    for (i = 0; i < reader->column_count && help.length < COLUMNS_HELP_BYTES; i++) {
        buf_append_text(&help, i == 0 ? "" : ", ");
        append_shown(&help, reader->columns[i]);
    }
    if (i < reader->column_count)
        buf_append_text(&help, ", …");
    diagnostics_add(diagnostics, DIAG_ERROR, column->place, "source.column", buf_text(&help),
                    "no column '%.*s' in %s", (int)column->name.length, column->name.bytes,
                    reader->source->kind == SOURCE_INLINE ? "the rows"
                                                          : reader->files.files[0].name);
    buf_deinit(&help);
    mem_free(name);
}

enum err_code broken_file_at(const struct source_reader *reader, uint32_t line, uint32_t column,
                             enum err_code code, const char *message_code, const char *text,
                             struct diagnostics *diagnostics, struct err *err)
{
    static const char hint[] = "\nhint: ";
    const char *help = strstr(text, hint), *file = reader_file(reader);
    int length = help == NULL ? (int)strlen(text) : (int)(help - text);
    struct place place = {.file = file, .line = line, .column = column};

    if (diagnostics != NULL)
        diagnostics_add(diagnostics, DIAG_ERROR, place, message_code,
                        help == NULL ? NULL : help + sizeof hint - 1, "%.*s", length, text);
    return err_set(err, code, "%s:%u: %.*s", file, line, length, text);
}

enum err_code broken_file(const struct source_reader *reader, uint32_t line, enum err_code code,
                          const char *message_code, const char *text,
                          struct diagnostics *diagnostics, struct err *err)
{
    return broken_file_at(reader, line, 1, code, message_code, text, diagnostics, err);
}
