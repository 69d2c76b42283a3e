#include "source_reader.h"

#include <string.h>

#include "purser/codec/json.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";
enum { MARK_BYTES = sizeof byte_order_mark - 1 };

void ndjson_rows_begin(struct source_reader *reader)
{
    reader->line_number = 1;
    if (reader->window_length >= MARK_BYTES &&
        memcmp(reader->window, byte_order_mark, MARK_BYTES) == 0)
        reader->window_at = MARK_BYTES;
}

/* Takes bytes of the window up to and with a line end; false when the line goes on. */
static bool take_from_window(struct source_reader *reader, struct slice *part_out)
{
    const char *start = reader->window + reader->window_at;
    size_t left = reader->window_length - reader->window_at;
    const char *end = memchr(start, '\n', left);

    *part_out = (struct slice){start, end == NULL ? left : (size_t)(end - start) + 1};
    reader->window_at += part_out->length;
    return end != NULL;
}

static enum err_code line_failed(const struct source_reader *reader, struct err *err)
{
    if (reader->line.failed == ERR_TOO_BIG)
        return err_set(err, ERR_TOO_BIG,
                       "a line of more than %u bytes starts here\nhint: each line is one object",
                       ROW_BYTES_MAX);
    return err_set(err, reader->line.failed, "out of memory for a line");
}

/* The next line with its line end; it lies in the window if it can, else in reader->line.
 * ERR_NOT_FOUND at the end. */
static enum err_code next_line(struct source_reader *reader, struct slice *line_out,
                               struct source_span *span_out, struct err *err)
{
    struct slice part;
    bool ended;

    buf_clear(&reader->line);
    span_out->line = reader->line_number;
    span_out->byte_offset = reader_offset(reader);
    ended = take_from_window(reader, &part);
    *line_out = part;
    while (!ended && !reader->at_end) {
        buf_append(&reader->line, part.bytes, part.length);
        if (reader->line.failed != ERR_OK)
            return line_failed(reader, err);
        if (reader_fill_window(reader, err) != ERR_OK)
            return err->code;
        ended = take_from_window(reader, &part);
        if (ended)
            buf_append(&reader->line, part.bytes, part.length);
        *line_out = (struct slice){reader->line.bytes, reader->line.length};
    }
    if (reader->line.failed != ERR_OK)
        return line_failed(reader, err);
    span_out->byte_length = line_out->length;
    reader->line_number++;
    return line_out->length == 0 ? ERR_NOT_FOUND : ERR_OK;
}

static bool is_blank(struct slice line)
{
    size_t i;

    for (i = 0; i < line.length; i++) {
        if (strchr(" \t\r\n", line.bytes[i]) == NULL || line.bytes[i] == '\0')
            return false;
    }
    return true;
}

enum err_code ndjson_rows_parse(struct source_reader *reader, struct slice line,
                                struct arena *arena, struct source_row *row_out,
                                struct diagnostics *diagnostics, struct err *err)
{
    struct err wrong = {0};
    struct value value;
    size_t bad_at;
    enum err_code code = json_parse_at(arena, line.bytes, line.length, &value, &bad_at, &wrong);

    if (code == ERR_INPUT) {
        byte_message(reader, row_out, line, bad_at, "data.json",
                     reader->source->kind == SOURCE_JSON
                         ? NULL
                         : "each line is one object, as in {\"sku\": \"A-1\"}",
                     diagnostics, wrong.text);
        return ERR_OK;
    }
    if (code == ERR_TOO_BIG)
        return broken_file(reader, row_out->span.line, code, "data.too_big", wrong.text,
                           diagnostics, err);
    if (code != ERR_OK)
        return err_set(err, code, "%s: %s", reader_file(reader), wrong.text);
    if (value.kind != VALUE_MAP) {
        bool is_array = reader->source->kind == SOURCE_JSON;

        row_message(reader, row_out, "data.json",
                    is_array ? "write [{\"sku\": \"A-1\"}, …]"
                             : "write {\"sku\": \"A-1\"}, one in each line",
                    diagnostics, "%s must be one JSON object; this is a %s",
                    is_array ? "each element of the array" : "a line", value_kind_name(value.kind));
        return ERR_OK;
    }
    row_out->value = value;
    return reader_type_members(reader, arena, row_out, diagnostics, err);
}

enum err_code ndjson_rows_next(struct source_reader *reader, struct arena *arena,
                               struct source_row *row_out, struct diagnostics *diagnostics,
                               struct err *err)
{
    struct slice line;
    enum err_code code;

    do
        code = next_line(reader, &line, &row_out->span, err);
    while (code == ERR_OK && is_blank(line));
    if (code == ERR_TOO_BIG) {
        struct err too_big = *err;

        return broken_file(reader, row_out->span.line, code, "data.too_big", too_big.text,
                           diagnostics, err);
    }
    if (code != ERR_OK)
        return code;
    reader->row_count++;
    return ndjson_rows_parse(reader, line, arena, row_out, diagnostics, err);
}
