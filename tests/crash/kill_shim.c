/* Kills the process at a named point of its effects on disk and wire; preloaded by kill.py.
 *
 * It stands between the program with all its libraries (LMDB and libcurl too) and libc, so the
 * program itself carries no test code. PURSER_FAIL_POINT=WHEN_WHAT:N dies with SIGKILL at the N-th
 * WHAT, where WHAT is write (to a regular file), sync, send or receive (on a TCP socket) and WHEN
 * is before, after, or half (half the bytes, then death). With PURSER_FAIL_COUNTS=FILE the number
 * of each WHAT is written there when the process ends by itself. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum what { WHAT_WRITE, WHAT_SYNC, WHAT_SEND, WHAT_RECEIVE, WHAT_COUNT };
enum when { WHEN_NEVER, WHEN_BEFORE, WHEN_HALF, WHEN_AFTER };

static const char *const what_names[] = {
    [WHAT_WRITE] = "write", [WHAT_SYNC] = "sync", [WHAT_SEND] = "send", [WHAT_RECEIVE] = "receive"};
static const char *const when_names[] = {
    [WHEN_NEVER] = "", [WHEN_BEFORE] = "before_", [WHEN_HALF] = "half_", [WHEN_AFTER] = "after_"};

static _Atomic uint64_t counts[WHAT_COUNT];
static enum when chosen_when;
static enum what chosen_what;
static uint64_t chosen_number;

static _Noreturn void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* A point that cannot be understood must not look like one that was never reached. */
static _Noreturn void refuse(const char *text)
{
    fprintf(stderr, "kill_shim: PURSER_FAIL_POINT=%s is no point\n", text);
    abort();
}

static void choose(const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;

    chosen_number = colon == NULL ? 0 : strtoull(colon + 1, &end, 10);
    if (chosen_number == 0 || *end != '\0')
        refuse(text);
    for (enum when when = WHEN_BEFORE; when <= WHEN_AFTER; when++) {
        size_t length = strlen(when_names[when]);

        if (strncmp(text, when_names[when], length) != 0)
            continue;
        for (enum what what = WHAT_WRITE; what < WHAT_COUNT; what++) {
            size_t rest = (size_t)(colon - text) - length;

            if (strlen(what_names[what]) == rest &&
                strncmp(text + length, what_names[what], rest) == 0) {
                chosen_what = what;
                chosen_when = when;
                return;
            }
        }
    }
    refuse(text);
}

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("PURSER_FAIL_POINT");

    if (text != NULL)
        choose(text);
}

__attribute__((destructor)) static void write_counts(void)
{
    const char *path = getenv("PURSER_FAIL_COUNTS");
    FILE *file = path == NULL ? NULL : fopen(path, "w");

    if (file == NULL)
        return;
    for (enum what what = WHAT_WRITE; what < WHAT_COUNT; what++)
        fprintf(file, "%s %llu\n", what_names[what],
                (unsigned long long)atomic_load(&counts[what]));
    fclose(file);
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

#define REAL(name) ((__typeof__(&name))real(#name))

static bool is_file(int fd)
{
    struct stat status;

    /* The output of the program is none of its state. */
    return fd > 2 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_tcp(int fd)
{
    int domain = 0;
    socklen_t size = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           (domain == AF_INET || domain == AF_INET6);
}

/* Counts one WHAT; says when the process must die in it. */
static enum when pass(enum what what)
{
    uint64_t number = atomic_fetch_add(&counts[what], 1) + 1;
    enum when when = what == chosen_what && number == chosen_number ? chosen_when : WHEN_NEVER;

    if (when == WHEN_BEFORE)
        die();
    return when;
}

/* For calls of one block: `half` of it is done before death. */
static ssize_t finish(enum when when, ssize_t result)
{
    if (when != WHEN_NEVER)
        die();
    return result;
}

static size_t length_of(enum when when, size_t length)
{
    return when == WHEN_HALF ? (length + 1) / 2 : length;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    enum when when = is_file(fd) ? pass(WHAT_WRITE) : is_tcp(fd) ? pass(WHAT_SEND) : WHEN_NEVER;

    return finish(when, REAL(write)(fd, bytes, length_of(when, length)));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    enum when when = is_file(fd) ? pass(WHAT_WRITE) : WHEN_NEVER;

    return finish(when, REAL(pwrite)(fd, bytes, length_of(when, length), offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    enum when when = is_file(fd) ? pass(WHAT_WRITE) : WHEN_NEVER;

    return finish(when, REAL(pwrite64)(fd, bytes, length_of(when, length), offset));
}

ssize_t writev(int fd, const struct iovec *blocks, int count)
{
    enum when when = is_file(fd) ? pass(WHAT_WRITE) : is_tcp(fd) ? pass(WHAT_SEND) : WHEN_NEVER;

    return finish(when, REAL(writev)(fd, blocks, when == WHEN_HALF ? (count + 1) / 2 : count));
}

int fdatasync(int fd)
{
    return (int)finish(pass(WHAT_SYNC), REAL(fdatasync)(fd));
}

int fsync(int fd)
{
    return (int)finish(pass(WHAT_SYNC), REAL(fsync)(fd));
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    enum when when = is_tcp(fd) ? pass(WHAT_SEND) : WHEN_NEVER;

    return finish(when, REAL(send)(fd, bytes, length_of(when, length), flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return finish(is_tcp(fd) ? pass(WHAT_SEND) : WHEN_NEVER, REAL(sendmsg)(fd, message, flags));
}

ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
    return finish(is_tcp(fd) ? pass(WHAT_RECEIVE) : WHEN_NEVER,
                  REAL(recv)(fd, bytes, length, flags));
}
