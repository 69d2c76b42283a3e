#include "purser/io/guarded_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "purser/io/clock.h"

static _Noreturn void be_child(void (*call)(void *context, void *result), void *context,
                               void *result, pid_t parent)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* What a library prints on its way out is not for the user. */
    if (nowhere == -1 || dup2(nowhere, STDOUT_FILENO) == -1 || dup2(nowhere, STDERR_FILENO) == -1 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_INTERNAL);
    call(context, result);
    _exit(EXIT_DONE);
}

/* The pipe ends with the last process that holds its other end. 0; ETIMEDOUT when that took too
 * long, another errno when it cannot be waited for. */
static int wait_for_end(int fd, int64_t limit_ms)
{
    const int64_t until_ms = clock_boot_ms() + limit_ms;

    for (;;) {
        struct pollfd end = {.fd = fd, .events = POLLIN};
        int64_t left_ms = until_ms - clock_boot_ms();
        int count = poll(&end, 1, left_ms > 0 ? (int)left_ms : 0);

        if (count > 0)
            return 0;
        if (count == 0 && left_ms <= 0)
            return ETIMEDOUT;
        if (count == -1 && errno != EINTR && errno != EAGAIN)
            return errno;
    }
}

static void take_end(pid_t child, bool in_time, enum guarded_end *end_out, int *signal_out)
{
    int status = 0;

    if (!in_time)
        (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        continue;
    *signal_out = in_time && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (!in_time)
        *end_out = GUARDED_TOO_LONG;
    else
        *end_out =
            WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE ? GUARDED_RETURNED : GUARDED_DIED;
}

enum err_code guarded_call(void (*call)(void *context, void *result), void *context,
                           void *result_out, size_t result_bytes, int64_t limit_ms,
                           enum guarded_end *end_out, int *signal_out, struct err *err)
{
    const pid_t self = getpid();
    void *shared =
        mmap(NULL, result_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int fds[2] = {-1, -1};
    pid_t child = -1;
    int failure;

    if (shared == MAP_FAILED)
        return err_set(err, ERR_SYSTEM, "mmap: %s", strerror(errno));
    if (pipe2(fds, O_CLOEXEC) == 0)
        child = fork();
    if (child == 0)
        be_child(call, context, shared, self);
    if (child == -1) {
        err_set(err, ERR_SYSTEM, "a process to read the ledger in: %s", strerror(errno));
    } else {
        close(fds[1]);
        fds[1] = -1;
        err->code = ERR_OK;
        failure = wait_for_end(fds[0], limit_ms);
        take_end(child, failure == 0, end_out, signal_out);
        memcpy(result_out, shared, result_bytes);
        if (failure != 0 && failure != ETIMEDOUT)
            err_set(err, ERR_SYSTEM, "wait for the process that reads the ledger: %s",
                    strerror(failure));
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] != -1)
            close(fds[i]);
    munmap(shared, result_bytes);
    return err->code;
}
