/* The calls of shim.h that make, change and lock files by name. */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

static int record_made(int result, bool makes, int folder, const char *path)
{
    if (makes && result != -1)
        shim_record_path(RECORD_MAKE, folder, path);
    return result;
}

static int record_renamed(int result, int old_folder, const char *old, int new_folder,
                          const char *new)
{
    if (result == 0)
        shim_record_rename(old_folder, old, new_folder, new);
    return result;
}

static int record_removed(int result, int folder, const char *path)
{
    if (result == 0)
        shim_record_path(RECORD_REMOVE, folder, path);
    return result;
}

static int do_open(int folder, const char *path, int flags, mode_t mode)
{
    bool is_effect = (flags & (O_CREAT | O_TRUNC)) != 0;
    bool makes = (flags & O_CREAT) != 0 && shim_is_missing(folder, path);

    CALL(-1, shim_pass("open", -1, path, is_effect),
         record_made((int)syscall(SYS_openat, folder, path, flags, mode), makes, folder, path));
}

#define OPEN(name)                                   \
    int name(const char *path, int flags, ...)       \
    {                                                \
        va_list rest;                                \
        mode_t mode;                                 \
                                                     \
        va_start(rest, flags);                       \
        mode = mode_of(flags, rest);                 \
        va_end(rest);                                \
        return do_open(AT_FDCWD, path, flags, mode); \
    }
#define OPENAT(name)                                       \
    int name(int folder, const char *path, int flags, ...) \
    {                                                      \
        va_list rest;                                      \
        mode_t mode;                                       \
                                                           \
        va_start(rest, flags);                             \
        mode = mode_of(flags, rest);                       \
        va_end(rest);                                      \
        return do_open(folder, path, flags, mode);         \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int mkostemp(char *path, int flags)
{
    CALL(-1, EFFECT(mkostemp, -1, path),
         record_made(REAL(mkostemp)(path, flags), true, AT_FDCWD, path));
}

int mkdir(const char *path, mode_t mode)
{
    CALL(-1, EFFECT(mkdir, -1, path), record_made(REAL(mkdir)(path, mode), true, AT_FDCWD, path));
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    CALL(-1, EFFECT(mkdir, -1, path),
         record_made(REAL(mkdirat)(folder, path, mode), true, folder, path));
}

int rename(const char *old, const char *new)
{
    CALL(-1, EFFECT(rename, -1, old),
         record_renamed(REAL(rename)(old, new), AT_FDCWD, old, AT_FDCWD, new));
}

int renameat(int old_folder, const char *old, int new_folder, const char *new)
{
    CALL(-1, EFFECT(rename, -1, old),
         record_renamed(REAL(renameat)(old_folder, old, new_folder, new), old_folder, old,
                        new_folder, new));
}

int unlink(const char *path)
{
    CALL(-1, EFFECT(unlink, -1, path), record_removed(REAL(unlink)(path), AT_FDCWD, path));
}

int unlinkat(int folder, const char *path, int flags)
{
    CALL(-1, EFFECT(unlink, -1, path),
         record_removed(REAL(unlinkat)(folder, path, flags), folder, path));
}

int chmod(const char *path, mode_t mode)
{
    CALL(-1, EFFECT(chmod, -1, path), REAL(chmod)(path, mode));
}

int fchmod(int fd, mode_t mode)
{
    CALL(-1, EFFECT(fchmod, fd, NULL), REAL(fchmod)(fd, mode));
}

int fchmodat(int folder, const char *path, mode_t mode, int flags)
{
    CALL(-1, EFFECT(fchmod, -1, path), REAL(fchmodat)(folder, path, mode, flags));
}

int flock(int fd, int operation)
{
    CALL(-1, EFFECT(flock, fd, NULL), REAL(flock)(fd, operation));
}

static int do_fcntl(int fd, int command, void *argument)
{
    bool is_lock = command == F_SETLK || command == F_SETLKW;

    CALL(-1, shim_pass(is_lock ? "fcntl-lock" : "fcntl", fd, NULL, is_lock),
         (int)syscall(SYS_fcntl, fd, command, argument));
}

#define FCNTL(name)                             \
    int name(int fd, int command, ...)          \
    {                                           \
        va_list rest;                           \
        void *argument;                         \
                                                \
        va_start(rest, command);                \
        argument = va_arg(rest, void *);        \
        va_end(rest);                           \
        return do_fcntl(fd, command, argument); \
    }
FCNTL(fcntl)
FCNTL(fcntl64)
