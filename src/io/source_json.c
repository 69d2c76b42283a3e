#include "source_reader.h"

#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";
enum { MARK_BYTES = sizeof byte_order_mark - 1 };

enum err_code json_rows_begin(struct source_reader *reader, struct err *err)
{
    const struct spec_source *source = reader->source;

    json_array_close(reader->array);
    reader->array = NULL;
    if (reader->window_length >= MARK_BYTES &&
        memcmp(reader->window, byte_order_mark, MARK_BYTES) == 0)
        reader->window_at = MARK_BYTES;
    return json_array_open(source->at, source->at_count, reader_offset(reader), &reader->array,
                           err);
}

static enum err_code broken_array(struct source_reader *reader, struct diagnostics *diagnostics,
                                  struct err *err)
{
    struct err why = *err;
    uint32_t line, column;

    if (why.code != ERR_INPUT)
        return why.code;
    json_array_place(reader->array, &line, &column);
    return broken_file_at(reader, line, column, ERR_INPUT, "data.json", why.text, diagnostics, err);
}

/* ERR_NOT_FOUND at the end. */
static enum err_code next_element(struct source_reader *reader, struct json_element *element_out,
                                  struct diagnostics *diagnostics, struct err *err)
{
    for (;;) {
        enum err_code code = json_array_next(reader->array, element_out, err);

        if (code == ERR_OK)
            return ERR_OK;
        if (code != ERR_NOT_FOUND)
            return broken_array(reader, diagnostics, err);
        *err = (struct err){0};
        if (reader->window_at == reader->window_length && !reader->at_end &&
            reader_fill_window(reader, err) != ERR_OK)
            return err->code;
        if (reader->at_end) {
            if (json_array_finish(reader->array, err) != ERR_OK)
                return broken_array(reader, diagnostics, err);
            return ERR_NOT_FOUND;
        }
        json_array_feed(reader->array, reader->window + reader->window_at,
                        reader->window_length - reader->window_at);
        reader->window_at = reader->window_length;
    }
}

/* Its bytes: in the window, or read again. */
static enum err_code take_bytes(struct source_reader *reader, const struct json_element *element,
                                struct slice *bytes_out, struct err *err)
{
    uint64_t window_start = reader->window_end - reader->window_length;

    if (element->byte_offset >= window_start) {
        *bytes_out = (struct slice){reader->window + (element->byte_offset - window_start),
                                    (size_t)element->byte_length};
        return ERR_OK;
    }
    buf_clear(&reader->line);
    if (reader_append_bytes(reader, element->byte_offset, element->byte_length, &reader->line,
                            err) != ERR_OK)
        return err->code;
    *bytes_out = (struct slice){reader->line.bytes, reader->line.length};
    return ERR_OK;
}

enum err_code json_rows_next(struct source_reader *reader, struct arena *arena,
                             struct source_row *row_out, struct diagnostics *diagnostics,
                             struct err *err)
{
    struct json_element element;
    struct slice bytes;
    enum err_code code = next_element(reader, &element, diagnostics, err);

    if (code != ERR_OK)
        return code;
    if (element.byte_length > ROW_BYTES_MAX)
        return broken_file_at(reader, element.line, element.column, ERR_TOO_BIG, "data.too_big",
                              "an element of more than 16777216 bytes starts here", diagnostics,
                              err);
    row_out->span = (struct source_span){element.byte_offset, element.byte_length, element.line};
    row_out->column = element.column;
    code = take_bytes(reader, &element, &bytes, err);
    if (code != ERR_OK)
        return code;
    reader->row_count++;
    return ndjson_rows_parse(reader, bytes, arena, row_out, diagnostics, err);
}
