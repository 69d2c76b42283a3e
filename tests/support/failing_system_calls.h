/* Calls of the system that fail when a test says so: failing_calls.h. */
#ifndef PURSER_TESTS_FAILING_SYSTEM_CALLS_H
#define PURSER_TESTS_FAILING_SYSTEM_CALLS_H

#include "failing_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SYSTEM_CALL(type, failed, name, parameters, arguments)  \
    type name parameters                                        \
    {                                                           \
        if (call_fails(#name)) {                                \
            errno = failing_calls.error;                        \
            return failed;                                      \
        }                                                       \
        return ((type(*) parameters)real_call(#name))arguments; \
    }

/* One that transfers bytes. */
#define SYSTEM_TRANSFER(name, parameters, arguments)               \
    ssize_t name parameters                                        \
    {                                                              \
        if (call_fails(#name)) {                                   \
            if (failing_calls.error != CALL_IS_SHORT) {            \
                errno = failing_calls.error;                       \
                return -1;                                         \
            }                                                      \
            length /= 2;                                           \
        }                                                          \
        return ((ssize_t(*) parameters)real_call(#name))arguments; \
    }

/* One that gives its error. */
#define SYSTEM_CODE(name, parameters, arguments)                                   \
    int name parameters                                                            \
    {                                                                              \
        return call_fails(#name) ? failing_calls.error                             \
                                 : ((int(*) parameters)real_call(#name))arguments; \
    }

SYSTEM_TRANSFER(read, (int fd, void *bytes, size_t length), (fd, bytes, length))
SYSTEM_TRANSFER(pread, (int fd, void *bytes, size_t length, off_t at), (fd, bytes, length, at))
SYSTEM_TRANSFER(write, (int fd, const void *bytes, size_t length), (fd, bytes, length))
SYSTEM_TRANSFER(pwrite, (int fd, const void *bytes, size_t length, off_t at),
                (fd, bytes, length, at))
SYSTEM_CALL(int, -1, stat, (const char *path, struct stat *status), (path, status))
SYSTEM_CALL(int, -1, fstat, (int fd, struct stat *status), (fd, status))
SYSTEM_CALL(int, -1, fstatat, (int fd, const char *path, struct stat *status, int flags),
            (fd, path, status, flags))
SYSTEM_CALL(int, -1, statx,
            (int fd, const char *path, int flags, unsigned mask, struct statx *status),
            (fd, path, flags, mask, status))
SYSTEM_CALL(int, -1, fstatfs, (int fd, struct statfs *status), (fd, status))
SYSTEM_CALL(int, -1, fstatvfs, (int fd, struct statvfs *status), (fd, status))
SYSTEM_CALL(int, -1, ftruncate, (int fd, off_t length), (fd, length))
SYSTEM_CALL(int, -1, chmod, (const char *path, mode_t mode), (path, mode))
SYSTEM_CALL(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
SYSTEM_CALL(int, -1, fchmodat, (int fd, const char *path, mode_t mode, int flags),
            (fd, path, mode, flags))
SYSTEM_CALL(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
SYSTEM_CALL(int, -1, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
SYSTEM_CALL(int, -1, rename, (const char *from, const char *to), (from, to))
SYSTEM_CALL(int, -1, renameat, (int from_fd, const char *from, int to_fd, const char *to),
            (from_fd, from, to_fd, to))
SYSTEM_CALL(int, -1, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
SYSTEM_CALL(int, -1, flock, (int fd, int operation), (fd, operation))
SYSTEM_CALL(off_t, -1, lseek, (int fd, off_t offset, int from), (fd, offset, from))
SYSTEM_CALL(int, -1, eventfd, (unsigned count, int flags), (count, flags))
SYSTEM_CALL(int, -1, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
SYSTEM_CALL(int, -1, pipe2, (int fds[2], int flags), (fds, flags))
SYSTEM_CALL(int, -1, mkostemp, (char *path, int flags), (path, flags))
SYSTEM_CALL(char *, NULL, getcwd, (char *path, size_t size), (path, size))
SYSTEM_CALL(DIR *, NULL, opendir, (const char *path), (path))
SYSTEM_CALL(DIR *, NULL, fdopendir, (int fd), (fd))
SYSTEM_CALL(void *, MAP_FAILED, mmap,
            (void *address, size_t length, int protection, int flags, int fd, off_t offset),
            (address, length, protection, flags, fd, offset))
SYSTEM_CODE(posix_fallocate, (int fd, off_t offset, off_t length), (fd, offset, length))
SYSTEM_CODE(pthread_create,
            (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
             void *context),
            (thread, attributes, run, context))
SYSTEM_CODE(pthread_sigmask, (int how, const sigset_t *set, sigset_t *before), (how, set, before))
SYSTEM_CODE(posix_spawn_file_actions_init, (posix_spawn_file_actions_t * actions), (actions))
SYSTEM_CODE(posix_spawnattr_init, (posix_spawnattr_t * attributes), (attributes))

/* Nothing that a test shows needs the power to fail: it waits for no disk. */
int fsync(int fd)
{
    (void)fd;
    if (!call_fails("fsync"))
        return 0;
    errno = failing_calls.error;
    return -1;
}

int fdatasync(int fd)
{
    (void)fd;
    if (!call_fails("fdatasync"))
        return 0;
    errno = failing_calls.error;
    return -1;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    if (call_fails("open")) {
        errno = failing_calls.error;
        return -1;
    }
    va_start(arguments, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return ((int (*)(const char *, int, ...))real_call("open"))(path, flags, mode);
}

int openat(int fd, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    if (call_fails("openat")) {
        errno = failing_calls.error;
        return -1;
    }
    va_start(arguments, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return ((int (*)(int, const char *, int, ...))real_call("openat"))(fd, path, flags, mode);
}

/* All its commands take a number, a pointer or nothing. */
int fcntl(int fd, int command, ...)
{
    va_list arguments;
    void *argument;

    if (call_fails("fcntl")) {
        errno = failing_calls.error;
        return -1;
    }
    va_start(arguments, command);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return ((int (*)(int, int, ...))real_call("fcntl"))(fd, command, argument);
}

#endif
