/* Growable bytes that state their maximum.
 *
 * Writers have a sticky error: append all, check `failed` once at the end. A buffer that reached
 * its maximum or found no memory keeps what it had and ignores further appends. */
#ifndef PURSER_BASE_BUF_H
#define PURSER_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/err.h"

struct buf {
    char *bytes; /* NUL-terminated whenever length > 0; may be NULL when empty */
    size_t length;
    size_t capacity;
    size_t max_bytes;
    enum err_code failed; /* ERR_OK, ERR_NO_MEMORY or ERR_TOO_BIG */
};

/* An empty buffer that never holds more than `max_bytes`. Allocates nothing yet. */
void buf_init(struct buf *buf, size_t max_bytes);

/* Frees the bytes; the buffer is then as after buf_init(). */
void buf_deinit(struct buf *buf);

/* Forgets content and error, keeps the memory for reuse. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, const void *bytes, size_t length);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, char byte);
void buf_append_format(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes the buffer `length` bytes longer and gives their place, to be written at once; NULL after a
 * failure. */
char *buf_extend(struct buf *buf, size_t length);

/* Cuts back to `length`, which must not be more than there is. */
void buf_truncate(struct buf *buf, size_t length);

/* What has failed, as an error: `too_big` says what the user is told of a full buffer. */
enum err_code buf_error(const struct buf *buf, const char *too_big, struct err *err);

/* The content as a C string, "" when empty. Borrowed until the next change. */
const char *buf_text(const struct buf *buf);

#endif
