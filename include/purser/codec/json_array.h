/* A JSON document → where the elements of one array in it begin and end, pushed in chunks.
 *
 * Finds brackets, strings and commas and checks that they fit together; memory does not grow with
 * the document. It builds no values: an element is parsed by json_parse(), which also judges what
 * is in it. Of what stands outside the array, words and numbers are checked, texts are not decoded.
 * Source: RFC 8259. */
#ifndef PURSER_CODEC_JSON_ARRAY_H
#define PURSER_CODEC_JSON_ARRAY_H

#include <stdint.h>

#include "purser/base/err.h"
#include "purser/base/text.h"

struct json_array_reader;

struct json_element {
    uint64_t byte_offset, byte_length;
    uint32_t line, column; /* of its first byte, from 1; columns in characters */
};

/* The array is the whole document, or what stands at `path`: names of members, borrowed. The first
 * byte of the document is at `offset`. Errors: ERR_NO_MEMORY. */
enum err_code json_array_open(const struct slice *path, size_t path_count, uint64_t offset,
                              struct json_array_reader **reader_out, struct err *err) ERR_CHECKED;
void json_array_close(struct json_array_reader *reader);

/* Gives more bytes; they must stay until json_array_next() has asked for more. */
void json_array_feed(struct json_array_reader *reader, const char *bytes, size_t length);

/* The next element: ERR_OK; ERR_NOT_FOUND when more bytes are needed; ERR_INPUT, for good, when the
 * document is not JSON or the array stands twice. */
enum err_code json_array_next(struct json_array_reader *reader, struct json_element *element_out,
                              struct err *err) ERR_CHECKED;

/* There are no more bytes. ERR_INPUT when the document is not complete or has no such array; the
 * text may close with a line "hint: …" that names the arrays that there are. */
enum err_code json_array_finish(struct json_array_reader *reader, struct err *err) ERR_CHECKED;

/* The place of the next byte: that of an error. */
void json_array_place(const struct json_array_reader *reader, uint32_t *line_out,
                      uint32_t *column_out);

#endif
