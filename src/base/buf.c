#include "purser/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/mem.h"

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max_bytes = max_bytes};
}

void buf_deinit(struct buf *buf)
{
    mem_free(buf->bytes);
    buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    buf->failed = ERR_OK;
    if (buf->bytes != NULL)
        buf->bytes[0] = '\0';
}

static bool grow(struct buf *buf, size_t more)
{
    size_t needed, capacity;
    char *grown;

    if (more > buf->max_bytes - buf->length) {
        buf->failed = ERR_TOO_BIG;
        return false;
    }
    needed = buf->length + more + 1;
    capacity = buf->capacity < 64 ? 64 : buf->capacity;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity - 1 > buf->max_bytes)
        capacity = buf->max_bytes + 1;
    grown = mem_resize(buf->bytes, capacity, 1);
    if (grown == NULL) {
        buf->failed = ERR_NO_MEMORY;
        return false;
    }
    buf->bytes = grown;
    buf->capacity = capacity;
    return true;
}

/* Room for `more` bytes and the NUL behind them; there is never more of it than the maximum. */
static inline bool reserve(struct buf *buf, size_t more)
{
    if (buf->failed != ERR_OK)
        return false;
    return more < buf->capacity - buf->length || grow(buf, more);
}

char *buf_extend(struct buf *buf, size_t length)
{
    char *place;

    if (!reserve(buf, length))
        return NULL;
    place = buf->bytes + buf->length;
    buf->length += length;
    buf->bytes[buf->length] = '\0';
    return place;
}

void buf_append(struct buf *buf, const void *bytes, size_t length)
{
    char *place = buf_extend(buf, length);

    if (place != NULL && length > 0)
        memcpy(place, bytes, length);
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_byte(struct buf *buf, char byte)
{
    if (!reserve(buf, 1))
        return;
    buf->bytes[buf->length++] = byte;
    buf->bytes[buf->length] = '\0';
}

void buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list arguments, again;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && reserve(buf, (size_t)length)) {
        (void)vsnprintf(buf->bytes + buf->length, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}

void buf_truncate(struct buf *buf, size_t length)
{
    assert(length <= buf->length);
    buf->length = length;
    if (buf->bytes != NULL)
        buf->bytes[length] = '\0';
}

const char *buf_text(const struct buf *buf)
{
    return buf->bytes == NULL ? "" : buf->bytes;
}

enum err_code buf_error(const struct buf *buf, const char *too_big, struct err *err)
{
    if (buf->failed == ERR_TOO_BIG)
        return err_set(err, ERR_TOO_BIG, "%s", too_big);
    return buf->failed == ERR_OK ? ERR_OK : err_set(err, buf->failed, "out of memory");
}
