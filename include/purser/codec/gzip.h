/* gzip bytes → what they hold, pushed in chunks. Owner of zlib.
 *
 * Several members one after the other are one stream, and zeros behind the last one are passed
 * over, as gzip(1) does. Source: RFC 1952, sections 2.2 and 2.3; zlib.h. */
#ifndef PURSER_CODEC_GZIP_H
#define PURSER_CODEC_GZIP_H

#include "purser/base/byte_sink.h"

struct gzip_reader;

/* What is unpacked goes to `sink`, which is copied. Errors: ERR_NO_MEMORY. */
enum err_code gzip_reader_open(const struct byte_sink *sink, struct gzip_reader **reader_out,
                               struct err *err) ERR_CHECKED;
void gzip_reader_close(struct gzip_reader *reader);

/* Errors: ERR_INPUT (damaged, or no gzip at all), ERR_NO_MEMORY, or what the sink says. */
enum err_code gzip_reader_feed(struct gzip_reader *reader, const char *bytes, size_t length,
                               struct err *err) ERR_CHECKED;
/* There are no more bytes. ERR_INPUT when the last member is not complete. */
enum err_code gzip_reader_finish(struct gzip_reader *reader, struct err *err) ERR_CHECKED;

#endif
