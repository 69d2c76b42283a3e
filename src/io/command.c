#include "purser/io/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_errors.h"
#include "command_watch.h"
#include "interrupt.h"
#include "purser/base/mem.h"
#include "purser/io/clock.h"

extern char **environ;

enum { READ_BYTES = 64 * 1024 };

struct child {
    pid_t watcher;
    int out, errors; /* -1 = ended */
    int talk;        /* with the watcher */
    bool is_gone;    /* the watcher */
    bool ended;      /* the command; with: */
    int status;      /* SIGKILL until it is known: a watcher that dies takes the command with it */
    int reason;      /* why it was not started; 0 = it was */
    int64_t deadline_ms;
    enum command_delay delay; /* when its time was over */
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

static void close_end(int *fd)
{
    if (*fd != -1)
        (void)close(*fd);
    *fd = -1;
}

/* The ends of the watcher, and those of this process in *child. */
static enum err_code open_ends(struct child *child, struct watch_ends *ends, struct err *err)
{
    int output[2] = {-1, -1}, errors[2] = {-1, -1}, talk[2] = {-1, -1};
    enum err_code code = ERR_OK;

    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) != 0)
        code = err_set(err, ERR_SYSTEM, "pipes for a command: %s", strerror(errno));
    child->out = output[0];
    child->errors = errors[0];
    child->talk = talk[0];
    *ends = (struct watch_ends){.output = output[1], .errors = errors[1], .talk = talk[1]};
    return code;
}

static void close_ends(struct watch_ends *ends)
{
    close_end(&ends->output);
    close_end(&ends->errors);
    close_end(&ends->talk);
}

static enum err_code start(const struct command *command, struct child *child, struct err *err)
{
    char **variables = visible_variables(command->hidden);
    struct watch_ends ends;
    enum err_code code;

    if (variables == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to start %s", command->arguments[0]);
    code = open_ends(child, &ends, err);
    if (code == ERR_OK) {
        child->watcher = fork();
        if (child->watcher == 0)
            command_watch(command, variables, &ends);
        if (child->watcher == -1)
            code = err_set(err, ERR_SYSTEM, "fork: %s", strerror(errno));
    }
    mem_free(variables);
    close_ends(&ends);
    return code;
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

/* Reads once; closes at the end. *count_out = the bytes read, 0 when there was nothing. What cannot
 * be read is no end: the rows behind it would be missing and nobody would know. */
static enum err_code read_some(struct child *child, int *fd, size_t *count_out, struct err *err)
{
    ssize_t count = read(*fd, child->bytes, READ_BYTES);

    *count_out = count > 0 ? (size_t)count : 0;
    if (count == -1 && errno != EINTR && errno != EAGAIN)
        return err_set(err, ERR_SYSTEM, "read what a command writes: %s", strerror(errno));
    if (count == 0)
        close_end(fd);
    return ERR_OK;
}

static enum err_code take_errors(struct child *child, struct err *err)
{
    size_t count;

    if (read_some(child, &child->errors, &count, err) != ERR_OK)
        return err->code;
    command_errors_take(&child->words, child->bytes, count);
    return ERR_OK;
}

static enum err_code take_output(struct child *child, const struct byte_sink *output,
                                 struct err *err)
{
    size_t count;

    if (read_some(child, &child->out, &count, err) != ERR_OK)
        return err->code;
    return byte_sink_write(output, child->bytes, count, err);
}

/* What the watcher says; its end is said by the socket. */
static enum err_code listen_to_watcher(struct child *child, struct err *err)
{
    struct watch_report report;
    ssize_t count = recv(child->talk, &report, sizeof report, MSG_DONTWAIT);

    if (count == -1 && (errno == EINTR || errno == EAGAIN))
        return ERR_OK;
    if (count == -1)
        return err_set(err, ERR_SYSTEM, "hear what became of a command: %s", strerror(errno));
    if (count != (ssize_t)sizeof report) {
        child->is_gone = true;
        return ERR_OK;
    }
    if (report.news == WATCH_NOT_STARTED)
        child->reason = report.number;
    if (report.news == WATCH_ENDED) {
        child->ended = true;
        child->status = report.number;
    }
    return ERR_OK;
}

/* Until both pipes are closed and it has ended; *late_out when its time was over before. */
static enum err_code follow(struct child *child, const struct interrupt *interrupt,
                            const struct byte_sink *output, bool *late_out, struct err *err)
{
    while (!child->is_gone && (!child->ended || child->out != -1 || child->errors != -1)) {
        struct pollfd fds[] = {{.fd = interrupt->fd, .events = POLLIN},
                               {.fd = child->out, .events = POLLIN},
                               {.fd = child->errors, .events = POLLIN},
                               {.fd = child->talk, .events = POLLIN}};
        int ready = poll(fds, 4, time_left(child));

        if (ready == -1 && errno != EINTR)
            return err_set(err, ERR_SYSTEM, "poll: %s", strerror(errno));
        if (ready == -1)
            continue;
        if (fds[0].revents != 0 && interrupt_take(interrupt))
            return err_set(err, ERR_STOPPED, "stopped while a command ran; nothing was sent");
        if (fds[3].revents != 0 && listen_to_watcher(child, err) != ERR_OK)
            return err->code;
        if ((fds[2].revents != 0 && take_errors(child, err) != ERR_OK) ||
            (fds[1].revents != 0 && take_output(child, output, err) != ERR_OK))
            return err->code;
        *late_out = is_late(child);
        if (*late_out) {
            child->delay = child->ended       ? DELAY_OUTPUT_HELD
                           : child->out == -1 ? DELAY_SILENT
                                              : DELAY_BUSY;
            return ERR_OK;
        }
    }
    return ERR_OK;
}

/* A watcher that cannot be told loses its purser, and kills what it watches. */
static void tell_watcher(struct child *child, enum watch_order order)
{
    char byte = (char)order;

    if (send(child->talk, &byte, 1, MSG_NOSIGNAL) != 1)
        close_end(&child->talk);
}

/* Waits until all is dead. A signal that comes meanwhile, it may be the second, gives no more time;
 * it is left for the caller. */
static void end_all(struct child *child, const struct interrupt *interrupt)
{
    struct pollfd fds[] = {{.fd = child->talk, .events = POLLIN},
                           {.fd = interrupt->fd, .events = POLLIN}};
    struct err ignored = {0}; /* why it must end is known already */

    tell_watcher(child, WATCH_TERMINATE);
    while (!child->is_gone && child->talk != -1) {
        if (poll(fds, 2, -1) == -1) {
            if (errno != EINTR)
                close_end(&child->talk);
            continue;
        }
        if (fds[0].revents != 0 && listen_to_watcher(child, &ignored) != ERR_OK)
            close_end(&child->talk);
        if (fds[1].revents == 0)
            continue;
        tell_watcher(child, WATCH_KILL);
        fds[1].fd = -1;
    }
}

static void collect(pid_t pid)
{
    while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
        continue;
}

static void say_end(const struct child *child, bool late, struct command_end *end_out)
{
    memcpy(end_out->last_words, child->words.last, sizeof end_out->last_words);
    if (child->reason != 0) {
        end_out->outcome = COMMAND_NOT_STARTED;
        end_out->number = child->reason;
    } else if (late) {
        end_out->outcome = COMMAND_TIMED_OUT;
        end_out->number = (int)child->delay;
    } else if (WIFSIGNALED(child->status)) {
        end_out->outcome = COMMAND_KILLED;
        end_out->number = WTERMSIG(child->status);
    } else {
        end_out->outcome = COMMAND_EXITED;
        end_out->number = WEXITSTATUS(child->status);
    }
}

static enum err_code run_child(const struct command *command, struct child *child,
                               const struct interrupt *interrupt, const struct byte_sink *output,
                               bool *late_out, struct err *err)
{
    enum err_code code = start(command, child, err);

    if (code != ERR_OK)
        return code;
    code = follow(child, interrupt, output, late_out, err);
    if (code != ERR_OK || *late_out)
        end_all(child, interrupt);
    else
        tell_watcher(child, WATCH_RELEASE);
    collect(child->watcher);
    return code;
}

enum err_code command_run(const struct command *command, const struct byte_sink *output,
                          struct command_end *end_out, struct err *err)
{
    struct child *child = mem_new(1, sizeof *child);
    struct interrupt interrupt;
    enum err_code code;
    bool late = false;

    *end_out = (struct command_end){.outcome = COMMAND_NOT_STARTED};
    if (child == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to start %s", command->arguments[0]);
    child->out = child->errors = child->talk = -1;
    child->status = SIGKILL;
    child->deadline_ms = clock_boot_ms() + command->timeout_ms;
    command_errors_init(&child->words, command->arguments[0]);
    code = interrupt_open(&interrupt, err);
    if (code == ERR_OK) {
        code = run_child(command, child, &interrupt, output, &late, err);
        interrupt_close(&interrupt);
    }
    command_errors_finish(&child->words);
    say_end(child, late, end_out);
    close_end(&child->out);
    close_end(&child->errors);
    close_end(&child->talk);
    mem_free(child);
    return code;
}
