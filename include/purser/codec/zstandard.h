/* Zstandard bytes → what they hold, pushed in chunks. Owner of libzstd.
 *
 * Several frames one after the other are one stream. A frame that wants a window of more than
 * 128 MiB is refused, as zstd(1) does without --long=31. Source: RFC 8878, section 3; zstd.h. */
#ifndef PURSER_CODEC_ZSTANDARD_H
#define PURSER_CODEC_ZSTANDARD_H

#include "purser/base/byte_sink.h"

struct zstandard_reader;

/* What is unpacked goes to `sink`, which is copied. Errors: ERR_NO_MEMORY. */
enum err_code zstandard_reader_open(const struct byte_sink *sink,
                                    struct zstandard_reader **reader_out,
                                    struct err *err) ERR_CHECKED;
void zstandard_reader_close(struct zstandard_reader *reader);

/* Errors: ERR_INPUT (damaged, or no Zstandard at all), ERR_NO_MEMORY, or what the sink says. */
enum err_code zstandard_reader_feed(struct zstandard_reader *reader, const char *bytes,
                                    size_t length, struct err *err) ERR_CHECKED;
/* There are no more bytes. ERR_INPUT when the last frame is not complete. */
enum err_code zstandard_reader_finish(struct zstandard_reader *reader, struct err *err) ERR_CHECKED;

#endif
