#include "purser/io/write_whole.h"

#include <errno.h>
#include <unistd.h>

int write_whole(int fd, const void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t written = write(fd, (const char *)bytes + at, length - at);

        if (written == -1 && errno != EINTR)
            return errno;
        if (written == 0)
            return ENOSPC;
        if (written > 0)
            at += (size_t)written;
    }
    return 0;
}
