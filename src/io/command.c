#include "purser/io/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_errors.h"
#include "interrupt.h"
#include "purser/base/mem.h"
#include "purser/io/clock.h"

extern char **environ;

enum { READ_BYTES = 64 * 1024, END_GRACE_MS = 2000 };

struct child {
    pid_t pid;
    int out, errors; /* -1 = ended */
    int ended;       /* a pidfd: readable when it has ended; -1 = this kernel has none */
    int64_t deadline_ms;
    struct command_errors words;
    char bytes[READ_BYTES];
};

/* --- starting --- */

static bool is_hidden(const char *variable, const char *const *names)
{
    size_t length = strcspn(variable, "=");

    for (; names != NULL && *names != NULL; names++)
        if (strlen(*names) == length && memcmp(*names, variable, length) == 0)
            return true;
    return false;
}

/* The environment without what is hidden; the texts stay those of this process. */
static char **visible_variables(const char *const *hidden)
{
    size_t count = 0, kept = 0;
    char **variables;

    while (environ[count] != NULL)
        count++;
    variables = mem_new(count + 1, sizeof *variables);
    for (size_t i = 0; variables != NULL && i < count; i++)
        if (!is_hidden(environ[i], hidden))
            variables[kept++] = environ[i];
    return variables;
}

/* In the child: only calls that are safe after fork() in a process with threads. What fails is told
 * through `report`, which closes by itself when the program starts. */
static void become(const struct command *command, char **variables, const int pipes[3][2],
                   pid_t parent)
{
    char *const *arguments;
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);
    int reason;

    memcpy(&arguments, &command->arguments, sizeof arguments);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && null != -1 && dup2(null, STDIN_FILENO) != -1 &&
        dup2(pipes[0][1], STDOUT_FILENO) != -1 && dup2(pipes[1][1], STDERR_FILENO) != -1 &&
        chdir(command->folder) == 0) {
        (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        environ = variables;
        (void)execvp(arguments[0], arguments);
    }
    reason = errno;
    (void)!write(pipes[2][1], &reason, sizeof reason);
    _exit(127);
}

static void close_pipes(int pipes[3][2], int side)
{
    for (int i = 0; i < 3; i++) {
        if (pipes[i][side] != -1)
            (void)close(pipes[i][side]);
        pipes[i][side] = -1;
    }
}

static enum err_code open_pipes(int pipes[3][2], struct err *err)
{
    memset(pipes, -1, 3 * sizeof pipes[0]);
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes[i], O_CLOEXEC) == 0)
            continue;
        (void)err_set(err, ERR_SYSTEM, "pipe: %s", strerror(errno));
        close_pipes(pipes, 0);
        close_pipes(pipes, 1);
        return err->code;
    }
    return ERR_OK;
}

/* 0 when the program runs, else why it does not. */
static int read_report(int report)
{
    int reason = 0;
    ssize_t count;

    do
        count = read(report, &reason, sizeof reason);
    while (count == -1 && errno == EINTR);
    return count == (ssize_t)sizeof reason ? reason : 0;
}

static void reap(pid_t pid, int *status_out)
{
    while (waitpid(pid, status_out, 0) == -1 && errno == EINTR)
        continue;
}

/* *reason_out is not 0 when it could not be started; then there is no child. */
static enum err_code start(const struct command *command, struct child *child, int *reason_out,
                           struct err *err)
{
    char **variables = visible_variables(command->hidden);
    pid_t parent = getpid();
    int pipes[3][2], status;

    if (variables == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to start %s", command->arguments[0]);
    if (open_pipes(pipes, err) != ERR_OK) {
        mem_free(variables);
        return err->code;
    }
    child->pid = fork();
    if (child->pid == 0)
        become(command, variables, (const int(*)[2])pipes, parent);
    mem_free(variables);
    close_pipes(pipes, 1);
    if (child->pid == -1) {
        (void)err_set(err, ERR_SYSTEM, "fork: %s", strerror(errno));
        close_pipes(pipes, 0);
        return err->code;
    }
    (void)setpgid(child->pid, child->pid); /* here too: whichever is first */
    *reason_out = read_report(pipes[2][0]);
    (void)close(pipes[2][0]);
    child->out = pipes[0][0];
    child->errors = pipes[1][0];
    if (*reason_out != 0)
        reap(child->pid, &status);
    else
        child->ended = (int)syscall(SYS_pidfd_open, child->pid, 0);
    return ERR_OK;
}

/* --- running --- */

/* Milliseconds until the deadline, for poll(). */
static int time_left(const struct child *child)
{
    int64_t left = child->deadline_ms - clock_boot_ms();

    return left < 0 ? 0 : left > 60 * 1000 ? 60 * 1000 : (int)left;
}

static bool is_late(const struct child *child)
{
    return clock_boot_ms() >= child->deadline_ms;
}

/* Reads once; closes at the end. Returns the bytes read, 0 when there was nothing. */
static size_t read_some(struct child *child, int *fd)
{
    ssize_t count = read(*fd, child->bytes, READ_BYTES);

    if (count > 0)
        return (size_t)count;
    if (count == 0 || errno != EINTR) {
        (void)close(*fd);
        *fd = -1;
    }
    return 0;
}

/* Until both pipes are closed and it has ended; *late_out when its time was over before. */
static enum err_code follow(struct child *child, const struct interrupt *interrupt,
                            const struct byte_sink *output, bool *late_out, struct err *err)
{
    bool runs = child->ended != -1;

    *late_out = false;
    while (child->out != -1 || child->errors != -1 || runs) {
        struct pollfd fds[] = {
            {.fd = interrupt->fd, .events = POLLIN},
            {.fd = child->out, .events = POLLIN},
            {.fd = child->errors, .events = POLLIN},
            /* Its end matters only when nothing more is to be read. */
            {.fd = child->out == -1 && child->errors == -1 ? child->ended : -1, .events = POLLIN}};
        int ready = poll(fds, 4, time_left(child));

        if (ready == -1 && errno != EINTR)
            return err_set(err, ERR_SYSTEM, "poll: %s", strerror(errno));
        if (ready == -1)
            continue;
        if (fds[0].revents != 0 && interrupt_take(interrupt))
            return err_set(err, ERR_STOPPED, "stopped while a command ran; nothing was sent");
        if (fds[2].revents != 0)
            command_errors_take(&child->words, child->bytes, read_some(child, &child->errors));
        if (fds[1].revents != 0) {
            size_t count = read_some(child, &child->out);

            if (byte_sink_write(output, child->bytes, count, err) != ERR_OK)
                return err->code;
        }
        if (fds[3].revents != 0)
            runs = false;
        *late_out = is_late(child);
        if (*late_out)
            return ERR_OK;
    }
    return ERR_OK;
}

/* All of its group: first asked, then made to. */
static void kill_all(const struct child *child)
{
    struct pollfd ended = {.fd = child->ended, .events = POLLIN};

    (void)kill(-child->pid, SIGTERM);
    if (child->ended != -1)
        (void)poll(&ended, 1, END_GRACE_MS);
    (void)kill(-child->pid, SIGKILL);
}

static void close_child(struct child *child)
{
    int *fds[] = {&child->out, &child->errors, &child->ended};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (*fds[i] != -1)
            (void)close(*fds[i]);
    mem_free(child);
}

enum err_code command_run(const struct command *command, const struct byte_sink *output,
                          struct command_end *end_out, struct err *err)
{
    struct child *child = mem_new(1, sizeof *child);
    struct interrupt interrupt;
    enum err_code code;
    bool late = false;
    int reason = 0, status = 0;

    *end_out = (struct command_end){.outcome = COMMAND_NOT_STARTED};
    if (child == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to start %s", command->arguments[0]);
    child->out = child->errors = child->ended = -1;
    child->deadline_ms = clock_boot_ms() + command->timeout_ms;
    command_errors_init(&child->words, command->arguments[0]);
    code = interrupt_open(&interrupt, err);
    if (code == ERR_OK) {
        code = start(command, child, &reason, err);
        if (code == ERR_OK && reason == 0) {
            code = follow(child, &interrupt, output, &late, err);
            if (code != ERR_OK || late)
                kill_all(child);
            reap(child->pid, &status);
        }
        interrupt_close(&interrupt);
    }
    command_errors_finish(&child->words);
    memcpy(end_out->last_words, child->words.last, sizeof end_out->last_words);
    if (reason != 0)
        end_out->number = reason;
    else if (late)
        end_out->outcome = COMMAND_TIMED_OUT;
    else if (WIFSIGNALED(status)) {
        end_out->outcome = COMMAND_KILLED;
        end_out->number = WTERMSIG(status);
    } else {
        end_out->outcome = COMMAND_EXITED;
        end_out->number = WEXITSTATUS(status);
    }
    close_child(child);
    return code;
}
