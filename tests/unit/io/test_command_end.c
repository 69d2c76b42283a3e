/* How a command ends, by itself or not. The processes of a script hold a FIFO open, `alive`: lines
 * in it say where they are, and its end says that none of them is left. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "command_fixture.h"
#include "scratch.h"

enum { WAIT_MS_MAX = 30000, TIMEOUT_MS = 600000 };

static int alive = -1; /* the end of the FIFO that is read */
static int asked = -1; /* the same of another one */
static int held[2];    /* a pipe; see let_go() */
static pid_t helper = -1;

static int set_up_alive(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    alive = -1;
    return set_up(state);
}

static int tear_down_alive(void **state)
{
    if (alive != -1)
        close(alive);
    return tear_down(state) != 0 ? -1 : scratch_remove(state);
}

static int open_fifo(const char *name)
{
    int fd;

    assert_int_equal(mkfifo(below(name), 0600), 0);
    fd = open(below(name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_not_equal(fd, -1);
    return fd;
}

/* A script that begins with the FIFO open as descriptor 3. */
static const char *const *script(const char *text)
{
    static char whole[1024];
    static const char *const arguments[] = {"sh", "-c", whole, NULL};

    snprintf(whole, sizeof whole, "exec 3>%s; %s", below("alive"), text);
    alive = open_fifo("alive");
    return arguments;
}

/* The next byte of it; 0 at the end. */
static char next_byte(int fd)
{
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    char byte = 0;

    assert_int_equal(poll(&waited, 1, WAIT_MS_MAX), 1);
    return read(fd, &byte, 1) == 1 ? byte : 0;
}

static void wait_for_lines(unsigned count)
{
    while (count > 0) {
        char byte = next_byte(alive);

        assert_int_not_equal(byte, 0);
        count -= byte == '\n';
    }
}

static void assert_none_is_left(void)
{
    while (next_byte(alive) != 0)
        continue;
}

/* --- purser dies --- */

/* All but the last are not in the group of the command, or not below it. */
#define FAMILY                                              \
    "setsid sh -c 'echo a >&3; sleep 1000' &"               \
    "timeout 1000 sh -c 'echo b >&3; sleep 1000' &"         \
    "(setsid sh -c '(echo c >&3; sleep 1000) & exit 0' &);" \
    "(echo d >&3; sleep 1000) | sleep 1000"

static void a_command_and_all_it_has_started_end_with_this_process(void **state)
{
    const char *const *arguments = script(FAMILY);
    pid_t purser;
    int status;

    (void)state;
    purser = fork();
    if (purser == 0) {
        const struct byte_sink sink = {take, &out};

        prctl(PR_SET_DUMPABLE, 0); /* as it is while purser has credentials */
        _exit((int)command_run(
            &(struct command){.arguments = arguments, .folder = "/", .timeout_ms = TIMEOUT_MS},
            &sink, &end, &err));
    }
    wait_for_lines(4);
    assert_int_equal(kill(purser, SIGKILL), 0);
    assert_int_equal(waitpid(purser, &status, 0), purser);
    assert_true(WIFSIGNALED(status));
    assert_none_is_left();
}

/* --- purser ends it --- */

static enum err_code refuse(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)context, (void)bytes, (void)length;
    return err_set(sink_err, ERR_SYSTEM, "the disk is full");
}

/* SIGTERM to this process, once the command runs. */
static enum err_code interrupt(void *context, const char *bytes, size_t length,
                               struct err *sink_err)
{
    (void)context, (void)bytes, (void)length, (void)sink_err;
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    return ERR_OK;
}

static void it_is_killed_with_its_children_when_its_time_is_over(void **state)
{
    const struct byte_sink sink = {take, &out};

    (void)state;
    assert_int_equal(run_to(script(FAMILY), NULL, &sink, 200), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_TIMED_OUT);
    assert_int_equal(end.number, DELAY_BUSY);
    assert_none_is_left();
}

static void one_that_has_closed_its_output_and_goes_on_is_killed_when_its_time_is_over(void **state)
{
    const struct byte_sink sink = {take, &out};

    (void)state;
    assert_int_equal(run_to(script("echo a; exec >&- 2>&-; sleep 1000"), NULL, &sink, 200), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_TIMED_OUT);
    assert_none_is_left();
}

static void one_that_left_a_child_with_its_output_is_late_as_well(void **state)
{
    const struct byte_sink sink = {take, &out};

    (void)state;
    assert_int_equal(run_to(script("sleep 1000 & exit 0"), NULL, &sink, 200), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_TIMED_OUT);
    assert_none_is_left();
}

static void it_is_killed_when_the_sink_refuses(void **state)
{
    const struct byte_sink sink = {refuse, NULL};

    (void)state;
    assert_int_equal(run_to(script("echo a; sleep 1000"), NULL, &sink, TIMEOUT_MS), ERR_SYSTEM);
    assert_string_equal(err.text, "the disk is full");
    assert_none_is_left();
}

static void it_is_killed_when_this_process_is_asked_to_stop(void **state)
{
    const struct byte_sink sink = {interrupt, NULL};
    sigset_t after;

    (void)state;
    assert_int_equal(run_to(script("echo a; sleep 1000 | sleep 1000"), NULL, &sink, TIMEOUT_MS),
                     ERR_STOPPED);
    sigprocmask(SIG_BLOCK, NULL, &after);
    assert_false(sigismember(&after, SIGTERM));
    assert_none_is_left();
}

static void what_does_not_listen_to_SIGTERM_is_killed(void **state)
{
    const struct byte_sink sink = {interrupt, NULL};

    (void)state;
    assert_int_equal(run_to(script("trap '' TERM; setsid sleep 1000 & echo a; sleep 1000"), NULL,
                            &sink, TIMEOUT_MS),
                     ERR_STOPPED);
    assert_none_is_left();
}

/* SIGTERM a second time, when it has ended a process that has `asked` open. */
static enum err_code interrupt_twice(void *context, const char *bytes, size_t length,
                                     struct err *sink_err)
{
    pid_t tested = getpid();

    helper = fork();
    if (helper == 0)
        _exit(next_byte(asked) == 0 && kill(tested, SIGTERM) == 0 ? 0 : 1);
    assert_int_not_equal(helper, -1);
    return interrupt(context, bytes, length, sink_err);
}

static void a_second_signal_is_left_for_the_caller(void **state)
{
    const struct byte_sink sink = {interrupt_twice, NULL};
    const struct timespec none = {0};
    sigset_t term;
    int status = -1;

    (void)state;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    asked = open_fifo("asked");
    setenv("ASKED", below("asked"), 1);
    assert_int_equal(run_to(script("exec 4>$ASKED; sleep 1000 & exec 4>&-; trap '' TERM; echo a;"
                                   "sleep 1000"),
                            NULL, &sink, TIMEOUT_MS),
                     ERR_STOPPED);
    assert_none_is_left();
    assert_int_equal(waitpid(helper, &status, 0), helper);
    assert_int_equal(status, 0);
    assert_int_equal(sigtimedwait(&term, NULL, &none), SIGTERM);
    sigprocmask(SIG_UNBLOCK, &term, NULL);
    unsetenv("ASKED");
    close(asked);
}

/* --- it ends by itself --- */

static void one_that_has_closed_its_output_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(run("exec >&- 2>&-; (exit 0); exit 3"), ERR_OK);
    assert_int_equal(end.number, 3);
}

static void what_it_has_left_behind_without_its_output_stays(void **state)
{
    const struct byte_sink sink = {take, &out};
    int go;

    (void)state;
    assert_int_equal(mkfifo(below("go"), 0600), 0);
    go = open(below("go"), O_RDWR | O_CLOEXEC);
    setenv("GO", below("go"), 1);
    assert_int_equal(run_to(script("(read word; echo $word >&3) <$GO >/dev/null 2>&1 & exit 0"),
                            NULL, &sink, TIMEOUT_MS),
                     ERR_OK);
    assert_int_equal(end.outcome, COMMAND_EXITED);
    assert_int_equal(end.number, 0);
    assert_int_equal(write(go, "x\n", 2), 2);
    assert_int_equal(next_byte(alive), 'x');
    assert_none_is_left();
    unsetenv("GO");
    close(go);
}

static void an_ignored_SIGCHLD_hides_no_failure(void **state)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;

    (void)state;
    assert_int_equal(sigaction(SIGCHLD, &ignore, &before), 0);
    assert_int_equal(run("(exit 3); echo $?; exit 7"), ERR_OK);
    assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
    assert_int_equal(end.outcome, COMMAND_EXITED);
    assert_int_equal(end.number, 7);
    assert_string_equal(buf_text(&out), "3\n");
}

/* The parent of the command, whose number it has printed. */
static enum err_code kill_watcher(void *context, const char *bytes, size_t length,
                                  struct err *sink_err)
{
    (void)context, (void)length, (void)sink_err;
    assert_int_not_equal(strtol(bytes, NULL, 10), getpid());
    assert_int_equal(kill((pid_t)strtol(bytes, NULL, 10), SIGKILL), 0);
    return ERR_OK;
}

static void the_end_of_its_watcher_is_its_own(void **state)
{
    const struct byte_sink sink = {kill_watcher, NULL};

    (void)state;
    assert_int_equal(run_to(script("echo $PPID; exec sleep 1000"), NULL, &sink, TIMEOUT_MS),
                     ERR_OK);
    assert_int_equal(end.outcome, COMMAND_KILLED);
    assert_int_equal(end.number, SIGKILL);
    assert_none_is_left();
}

/* Closes the only end that is written to; whoever else had it would keep the pipe open. */
static enum err_code let_go(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)context, (void)bytes, (void)length, (void)sink_err;
    if (held[1] != -1)
        close(held[1]);
    held[1] = -1;
    assert_int_equal(next_byte(held[0]), 0);
    return ERR_OK;
}

static void its_watcher_holds_no_descriptor_of_this_process(void **state)
{
    const struct byte_sink sink = {let_go, NULL};

    (void)state;
    assert_int_equal(pipe(held), 0); /* without O_CLOEXEC */
    assert_int_equal(run_to(script("echo a"), NULL, &sink, TIMEOUT_MS), ERR_OK);
    assert_int_equal(held[1], -1);
    close(held[0]);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up_alive, tear_down_alive)
    const struct CMUnitTest tests[] = {
        TEST(a_command_and_all_it_has_started_end_with_this_process),
        TEST(it_is_killed_with_its_children_when_its_time_is_over),
        TEST(one_that_has_closed_its_output_and_goes_on_is_killed_when_its_time_is_over),
        TEST(one_that_left_a_child_with_its_output_is_late_as_well),
        TEST(it_is_killed_when_the_sink_refuses),
        TEST(it_is_killed_when_this_process_is_asked_to_stop),
        TEST(what_does_not_listen_to_SIGTERM_is_killed),
        TEST(a_second_signal_is_left_for_the_caller),
        TEST(one_that_has_closed_its_output_is_waited_for),
        TEST(what_it_has_left_behind_without_its_output_stays),
        TEST(an_ignored_SIGCHLD_hides_no_failure),
        TEST(the_end_of_its_watcher_is_its_own),
        TEST(its_watcher_holds_no_descriptor_of_this_process),
    };

    return cmocka_run_group_tests_name("io/command_end", tests, NULL, NULL);
}
