/* Where a stream of bytes goes, one piece after the other. */
#ifndef PURSER_BASE_BYTE_SINK_H
#define PURSER_BASE_BYTE_SINK_H

#include <stddef.h>

#include "purser/base/err.h"

struct byte_sink {
    /* Takes `length` bytes, borrowed for the call. After an error no more are given. */
    enum err_code (*write)(void *context, const char *bytes, size_t length, struct err *err);
    void *context;
};

static inline enum err_code byte_sink_write(const struct byte_sink *sink, const char *bytes,
                                            size_t length, struct err *err)
{
    return length == 0 ? ERR_OK : sink->write(sink->context, bytes, length, err);
}

#endif
