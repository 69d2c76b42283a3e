/* Calls around processes and sockets that fail when a test says so: failing_calls.h. */
#ifndef PURSER_TESTS_FAILING_PROCESS_CALLS_H
#define PURSER_TESTS_FAILING_PROCESS_CALLS_H

#include "failing_system_calls.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

/* In which process the calls of this file fail; 0 = in each that is forked after calls_fail(). */
static pid_t failing_process;

static inline bool process_call_fails(const char *name)
{
    return (failing_process == 0 || failing_process == getpid()) && call_fails(name);
}

#define PROCESS_CALL(type, name, parameters, arguments)         \
    type name parameters                                        \
    {                                                           \
        if (process_call_fails(#name)) {                        \
            errno = failing_calls.error;                        \
            return -1;                                          \
        }                                                       \
        return ((type(*) parameters)real_call(#name))arguments; \
    }

PROCESS_CALL(pid_t, fork, (void), ())
PROCESS_CALL(pid_t, waitpid, (pid_t process, int *status, int options), (process, status, options))
PROCESS_CALL(int, dup2, (int from, int to), (from, to))
PROCESS_CALL(int, dup3, (int from, int to, int flags), (from, to, flags))
PROCESS_CALL(int, chdir, (const char *path), (path))
PROCESS_CALL(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
PROCESS_CALL(int, socket, (int family, int type, int protocol), (family, type, protocol))
PROCESS_CALL(int, socketpair, (int family, int type, int protocol, int fds[2]),
             (family, type, protocol, fds))
PROCESS_CALL(ssize_t, send, (int fd, const void *bytes, size_t length, int flags),
             (fd, bytes, length, flags))
PROCESS_CALL(ssize_t, recv, (int fd, void *bytes, size_t length, int flags),
             (fd, bytes, length, flags))
PROCESS_CALL(int, epoll_create1, (int flags), (flags))
PROCESS_CALL(int, epoll_ctl, (int epoll, int operation, int fd, struct epoll_event *event),
             (epoll, operation, fd, event))
PROCESS_CALL(int, epoll_wait, (int epoll, struct epoll_event *events, int count, int timeout),
             (epoll, events, count, timeout))
PROCESS_CALL(int, timerfd_create, (clockid_t clock, int flags), (clock, flags))
PROCESS_CALL(int, timerfd_settime,
             (int fd, int flags, const struct itimerspec *when, struct itimerspec *before),
             (fd, flags, when, before))

SYSTEM_CODE(posix_spawn_file_actions_adddup2,
            (posix_spawn_file_actions_t * actions, int from, int to), (actions, from, to))
SYSTEM_CODE(posix_spawn,
            (pid_t * process, const char *path, const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *attributes, char *const *arguments, char *const *variables),
            (process, path, actions, attributes, arguments, variables))

int prctl(int option, ...)
{
    va_list arguments;
    unsigned long more[4];

    if (process_call_fails("prctl")) {
        errno = failing_calls.error;
        return -1;
    }
    va_start(arguments, option);
    for (int i = 0; i < 4; i++)
        more[i] = va_arg(arguments, unsigned long);
    va_end(arguments);
    return ((int (*)(int, ...))real_call("prctl"))(option, more[0], more[1], more[2], more[3]);
}

#endif
