#include "starter.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "PURSER_STARTER"
#define REQUEST_BYTES (1 << 20)
#define WORDS_MAX 1024

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void),
                           void (*)(void), void *);

extern char **environ;
start_function __libc_start_main;

static main_function *real_main;
static int channel = -1;
static char request[REQUEST_BYTES];
static char *words[2 * WORDS_MAX];

bool starter_is_parent(void)
{
    return getenv(VARIABLE) != NULL;
}

static void exit_at_once(int status)
{
    (void)syscall(SYS_exit_group, status);
}

/* False at the end of what comes. Straight to the kernel: the library numbers the calls of libc. */
static bool get(void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t got = syscall(SYS_read, channel, (char *)bytes + at, length - at);

        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        at += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static void put(int32_t number)
{
    if (syscall(SYS_write, channel, &number, sizeof number) != (long)sizeof number)
        exit_at_once(1);
}

/* The texts of a request: folder, file of stdout, file of stderr, arguments, "", environment. */
static size_t split(size_t length)
{
    size_t count = 0;

    for (size_t at = 0; at < length; at += strlen(request + at) + 1) {
        if (count == WORDS_MAX || request[length - 1] != '\0')
            exit_at_once(1);
        words[count++] = request + at;
    }
    words[count] = NULL;
    return count;
}

static void open_as(int fd, const char *path)
{
    int opened =
        (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (opened == -1 || syscall(SYS_dup3, opened, fd, 0) == -1)
        exit_at_once(1);
    (void)syscall(SYS_close, opened);
}

/* In the child: becomes the process that was asked for, and gives its number of arguments. */
static int become(size_t length)
{
    size_t count = split(length), end = 3;

    while (end < count && words[end][0] != '\0')
        end++;
    (void)syscall(SYS_close, channel);
    open_as(STDOUT_FILENO, words[1]);
    open_as(STDERR_FILENO, words[2]);
    if (end == count || syscall(SYS_chdir, words[0]) == -1)
        exit_at_once(1);
    words[end] = NULL;
    environ = &words[end + 1];
    starter_child();
    return (int)end - 3;
}

/* Ends with the child when nobody is there any more who would hear of its end. */
static void watch(pid_t child)
{
    struct pollfd ends[] = {{.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN},
                            {.fd = channel, .events = POLLIN}};

    while (syscall(SYS_poll, ends, 2, -1) == -1)
        if (errno != EINTR)
            exit_at_once(1);
    (void)syscall(SYS_close, ends[0].fd);
    if (ends[0].revents == 0) {
        (void)syscall(SYS_kill, child, SIGKILL);
        exit_at_once(1);
    }
}

/* Until the child has ended, and then all that it has left behind. */
static int await_end(pid_t child)
{
    int status = 0, other;

    watch(child);
    while (waitpid(child, &status, 0) == -1)
        if (errno != EINTR)
            exit_at_once(1);
    while (waitpid(-1, &other, 0) != -1 || errno == EINTR)
        continue;
    return status;
}

static int serve(int argument_count, char **arguments, char **environment)
{
    uint32_t length;

    (void)argument_count, (void)arguments, (void)environment;
    channel = (int)strtol(getenv(VARIABLE), NULL, 10);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    while (get(&length, sizeof length) && length < REQUEST_BYTES && get(request, length)) {
        pid_t child = fork();

        if (child == 0) {
            int count = become(length);

            return real_main(count, &words[3], environ);
        }
        if (child == -1)
            break;
        put(child);
        put(await_end(child));
    }
    exit_at_once(0);
    return 0;
}

/* Of libc; every program calls it, with its main. */
int __libc_start_main(main_function *program, int argument_count, char **arguments,
                      void (*begin)(void), void (*end)(void), void (*linker_end)(void), void *stack)
{
    start_function *real;
    void *found = dlsym(RTLD_NEXT, "__libc_start_main");

    memcpy(&real, &found, sizeof real);
    real_main = program;
    return real(starter_is_parent() ? serve : program, argument_count, arguments, begin, end,
                linker_end, stack);
}
