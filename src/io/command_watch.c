#include "command_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "purser/io/clock.h"

extern char **environ;

/* What hangs in the kernel is not waited for longer than GONE_MS after its SIGKILL. */
enum { GRACE_MS = 2000, GONE_MS = 5000, TALK = STDERR_FILENO + 1 };

enum phase { RUNS, TERMINATED, KILLED };

struct watch {
    pid_t command; /* and the number of its group */
    bool collected;
    int talk;    /* -1 = purser has closed it */
    int signals; /* SIGCHLD */
    enum phase phase;
    int64_t deadline_ms; /* of the phase, unless it is RUNS */
};

static bool report(int talk, enum watch_news news, int number)
{
    struct watch_report report;

    memset(&report, 0, sizeof report);
    report.news = news;
    report.number = number;
    return send(talk, &report, sizeof report, MSG_NOSIGNAL) != -1;
}

/* --- starting --- */

/* Standard input, output and error of the command, and TALK; no other descriptor stays open. In
 * particular none of the ledger's lock, which would outlive purser. */
static bool arrange(const struct watch_ends *ends)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    /* None of the ends is below TALK: purser keeps 0, 1 and 2 open. */
    if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(ends->output, STDOUT_FILENO) == -1 ||
        dup2(ends->errors, STDERR_FILENO) == -1 || dup3(ends->talk, TALK, O_CLOEXEC) == -1)
        return false;
    closefrom(TALK + 1);
    return true;
}

static _Noreturn void become(const struct command *command, char **variables, pid_t watcher)
{
    char *const *arguments;
    sigset_t none;

    memcpy(&arguments, &command->arguments, sizeof arguments);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == watcher && chdir(command->folder) == 0) {
        environ = variables;
        (void)execvp(arguments[0], arguments);
    }
    (void)report(TALK, WATCH_NOT_STARTED, errno);
    _exit(127);
}

/* --- ending --- */

/* To all that have lost their parents and hang on this process since. False when this kernel does
 * not tell which. */
static bool signal_orphans(const struct watch *watch, int number)
{
    char bytes[512];
    pid_t pid = 0;
    ssize_t count;
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

    if (fd == -1)
        return false;
    while ((count = read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < count; i++) {
            if (bytes[i] >= '0' && bytes[i] <= '9') {
                pid = pid * 10 + (bytes[i] - '0');
                continue;
            }
            if (pid > 0 && (pid != watch->command || watch->collected))
                (void)kill(pid, number);
            pid = 0;
        }
    (void)close(fd);
    return count == 0;
}

/* The number of the group is surely the command's only until that is collected. */
static void signal_all(const struct watch *watch, int number)
{
    if (!signal_orphans(watch, number) || !watch->collected)
        (void)kill(-watch->command, number);
}

static void enter(struct watch *watch, enum phase phase)
{
    if (watch->phase >= phase)
        return;
    watch->phase = phase;
    watch->deadline_ms = clock_boot_ms() + (phase == TERMINATED ? GRACE_MS : GONE_MS);
    signal_all(watch, phase == TERMINATED ? SIGTERM : SIGKILL);
}

/* Whoever died may have left children to this process, which are told as well. */
static void collect(struct watch *watch)
{
    struct signalfd_siginfo info;
    bool any = false;
    int status;
    pid_t pid;

    (void)!read(watch->signals, &info, sizeof info);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        any = true;
        if (pid != watch->command || watch->collected)
            continue;
        watch->collected = true;
        /* Else purser, if it lives, would wait for news that nobody has any more. */
        if (!report(TALK, WATCH_ENDED, status) && watch->phase == RUNS && errno != EPIPE)
            _exit(127);
    }
    if (watch->phase == RUNS)
        return;
    if (pid == -1 && errno == ECHILD)
        _exit(0);
    if (any && watch->phase == TERMINATED)
        (void)signal_orphans(watch, SIGTERM);
    if (any && watch->phase == KILLED)
        signal_all(watch, SIGKILL);
}

static void obey(struct watch *watch)
{
    char order = WATCH_TERMINATE;
    ssize_t count = recv(watch->talk, &order, 1, MSG_DONTWAIT);

    if (count == -1 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count == 1 && order == WATCH_RELEASE)
        _exit(0);
    if (count != 1)
        watch->talk = -1; /* it stays open, for reports that nobody reads */
    enter(watch, count == 1 && order == WATCH_KILL ? KILLED : TERMINATED);
}

static int time_left(const struct watch *watch)
{
    int64_t left = watch->deadline_ms - clock_boot_ms();

    return watch->phase == RUNS ? -1 : left < 0 ? 0 : (int)left;
}

static _Noreturn void watch_over(struct watch *watch)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = watch->talk, .events = POLLIN},
                               {.fd = watch->signals, .events = POLLIN}};
        int ready;

        collect(watch); /* also what ended between two looks */
        ready = poll(fds, 2, time_left(watch));
        if (ready == -1)
            continue;
        if (fds[0].revents != 0)
            obey(watch);
        if (watch->phase == RUNS || time_left(watch) > 0)
            continue;
        if (watch->phase == KILLED)
            _exit(0);
        enter(watch, KILLED);
    }
}

_Noreturn void command_watch(const struct command *command, char **variables,
                             const struct watch_ends *ends)
{
    struct watch watch = {.talk = TALK};
    pid_t self = getpid();
    sigset_t all, child;

    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, it would take the statuses away */
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_NAME, "purser-watch");
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (!arrange(ends)) {
        (void)report(ends->talk, WATCH_NOT_STARTED, errno);
        _exit(127);
    }
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    watch.signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
    watch.command = watch.signals == -1 ? -1 : fork();
    if (watch.command == 0)
        become(command, variables, self);
    if (watch.command == -1) {
        (void)report(TALK, WATCH_NOT_STARTED, errno);
        _exit(127);
    }
    (void)setpgid(watch.command, watch.command); /* here too: whichever is first */
    for (int fd = 0; fd < TALK; fd++)
        (void)close(fd);
    watch_over(&watch);
}
