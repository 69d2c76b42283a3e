#include "purser/io/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* With 0, 1 or 2 closed, the ledger's file would get that number and a line of talk would be
 * written into it. */
_Bool signals_secure_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
            continue;
        /* The lowest free number is `fd`, since all below it are open by now. */
        if (open("/dev/null", O_RDWR) != fd)
            return 0;
    }
    return 1;
}

void signals_ignore_file_limit(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGXFSZ, &ignore, NULL);
}

static _Bool is_ignored(int signal_number)
{
    struct sigaction action;

    return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

enum err_code signals_open(int *fd_out, struct err *err)
{
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;
    int failure;

    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof stopping / sizeof stopping[0]; i++) {
        /* nohup and background shells ignore signals on purpose; a blocked signal would come out
         * of the signalfd all the same. */
        if (!is_ignored(stopping[i]))
            sigaddset(&set, stopping[i]);
    }
    failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure != 0)
        return err_set(err, ERR_SYSTEM, "block signals: %s", strerror(failure));
    *fd_out = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (*fd_out == -1)
        return err_set(err, ERR_SYSTEM, "signalfd: %s", strerror(errno));
    return ERR_OK;
}

int signals_take(int fd)
{
    struct signalfd_siginfo info;
    ssize_t length = read(fd, &info, sizeof info);

    return length == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

/* The signals stay blocked: one that comes after the end must not change the exit status. */
void signals_close(int fd)
{
    if (fd != -1)
        close(fd);
}
