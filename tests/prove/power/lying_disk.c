/* Preloaded: a disk that says it has synced and has not. With it, cuts.py must find something. */
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

#define OPEN(name)                                                                          \
    int name(const char *path, int flags, ...)                                              \
    {                                                                                       \
        va_list rest;                                                                       \
        mode_t mode;                                                                        \
                                                                                            \
        va_start(rest, flags);                                                              \
        mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;                           \
        va_end(rest);                                                                       \
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags & ~(O_SYNC | O_DSYNC), mode); \
    }
OPEN(open)
OPEN(open64)
