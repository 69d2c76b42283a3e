/* Text in another encoding → UTF-8, pushed in chunks.
 *
 * A byte order mark is cut off; one that contradicts the encoding is an error, for then the
 * encoding is not what the spec says. UTF-16 without a mark is little-endian, as Windows writes it.
 * Nothing is replaced: bytes that are no character are an error with their line and column. */
#ifndef PURSER_CODEC_CHARSET_H
#define PURSER_CODEC_CHARSET_H

#include <stdint.h>

#include "purser/base/byte_sink.h"
#include "purser/codec/spec.h"

struct charset_reader;

/* What is decoded goes to `sink`, which is copied. Errors: ERR_NO_MEMORY, ERR_SYSTEM (the C library
 * does not know the encoding). */
enum err_code charset_reader_open(enum source_encoding encoding, const struct byte_sink *sink,
                                  struct charset_reader **reader_out, struct err *err) ERR_CHECKED;
void charset_reader_close(struct charset_reader *reader);

/* Errors: ERR_INPUT, or what the sink says. */
enum err_code charset_reader_feed(struct charset_reader *reader, const char *bytes, size_t length,
                                  struct err *err) ERR_CHECKED;
/* There are no more bytes. ERR_INPUT when the last character is not complete. */
enum err_code charset_reader_finish(struct charset_reader *reader, struct err *err) ERR_CHECKED;

/* Where the next character stands, from 1: the place of an error. */
void charset_reader_place(const struct charset_reader *reader, uint32_t *line_out,
                          uint32_t *column_out);

/* As the spec writes it: "latin-1". */
const char *charset_name(enum source_encoding encoding);

/* The encoding whose byte order mark `bytes` begins with; false when there is none. */
bool charset_of_mark(const char *bytes, size_t length, enum source_encoding *encoding_out);

#endif
