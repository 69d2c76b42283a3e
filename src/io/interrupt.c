#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

enum err_code interrupt_open(struct interrupt *interrupt, struct err *err)
{
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;
    int failure;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof stopping / sizeof *stopping; i++)
        if (!is_ignored(stopping[i]))
            sigaddset(&set, stopping[i]);
    failure = pthread_sigmask(SIG_BLOCK, &set, &interrupt->before);
    if (failure != 0)
        return err_set(err, ERR_SYSTEM, "block signals: %s", strerror(failure));
    interrupt->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (interrupt->fd != -1)
        return ERR_OK;
    (void)err_set(err, ERR_SYSTEM, "signalfd: %s", strerror(errno));
    (void)pthread_sigmask(SIG_SETMASK, &interrupt->before, NULL);
    return err->code;
}

void interrupt_close(struct interrupt *interrupt)
{
    (void)close(interrupt->fd);
    (void)pthread_sigmask(SIG_SETMASK, &interrupt->before, NULL);
}

bool interrupt_take(const struct interrupt *interrupt)
{
    struct signalfd_siginfo info;

    return read(interrupt->fd, &info, sizeof info) == (ssize_t)sizeof info;
}

enum err_code interrupt_wait(const struct interrupt *interrupt, int fd, struct err *err)
{
    struct pollfd fds[] = {{.fd = interrupt->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

    do {
        if (poll(fds, 2, -1) == -1 && errno != EINTR)
            return err_set(err, ERR_SYSTEM, "poll: %s", strerror(errno));
        if (fds[0].revents != 0 && interrupt_take(interrupt))
            return err_set(err, ERR_STOPPED, "stopped while rows were read; nothing was sent");
    } while (fds[1].revents == 0);
    return ERR_OK;
}
