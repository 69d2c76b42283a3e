/* What waits for bytes, and may be told to stop: a source that is standard input. */
#include "failing_process_calls.h"

#include "source_fixture.h"

#define ROWS "h,n\na,1\n"
#define UNITS "0@2 [{\"h\":\"a\",\"n\":\"1\"}]\n"

static int kept_input;

static int set_up_input(void **state)
{
    int code = set_up(state), fds[2];

    job.source.origin = ORIGIN_STANDARD_INPUT;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], ROWS, strlen(ROWS)), strlen(ROWS));
    close(fds[1]);
    kept_input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);
    assert_int_not_equal(kept_input, -1);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    close(fds[0]);
    return code;
}

static int tear_down_input(void **state)
{
    assert_int_equal(dup2(kept_input, STDIN_FILENO), STDIN_FILENO);
    close(kept_input);
    return tear_down(state);
}

static enum err_code open_with_failing(const char *name, int64_t until, int error)
{
    sigset_t mask_before = {0}, mask_after = {0};
    enum err_code code;

    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask_before), 0);
    calls_fail(name, until, error);
    code = source_open(&spec, &job, NULL, &diagnostics, &source, &err);
    assert_string_equal(calls_end(), name);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask_after), 0);
    assert_memory_equal(&mask_after, &mask_before, sizeof mask_before); /* signals arrive again */
    return code;
}

static void an_interrupted_wait_goes_on(void **state)
{
    (void)state;
    assert_int_equal(open_with_failing("poll", 0, EINTR), ERR_OK);
    assert_units(UNITS);
}

static void a_wait_that_fails_is_no_end_of_the_rows(void **state)
{
    (void)state;
    assert_int_equal(open_with_failing("poll", 1, ENOMEM), ERR_SYSTEM);
    assert_string_equal(err.text, "poll: Cannot allocate memory");
}

static void signals_that_cannot_be_heard_are_told(void **state)
{
    (void)state;
    assert_int_equal(open_with_failing("signalfd", 0, EMFILE), ERR_SYSTEM);
    assert_string_equal(err.text, "signalfd: Too many open files");
    assert_int_equal(open_with_failing("pthread_sigmask", 0, EINVAL), ERR_SYSTEM);
    assert_string_equal(err.text, "block signals: Invalid argument");
}

/* Pending, so that it is there when the rows are read. */
static void send_blocked(int number, sigset_t *before)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, before), 0);
    assert_int_equal(raise(number), 0);
}

static void a_signal_stops_it(void **state)
{
    sigset_t before;

    (void)state;
    send_blocked(SIGTERM, &before);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_STOPPED);
    assert_string_equal(err.text, "stopped while rows were read; nothing was sent");
    send_blocked(SIGTERM, &before);
    assert_int_equal(open_with_failing("read", 0, EAGAIN), ERR_STOPPED);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

/* nohup. */
static void a_signal_that_is_ignored_stops_nothing(void **state)
{
    sigset_t before;

    (void)state;
    assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    send_blocked(SIGHUP, &before);
    open_source();
    assert_units(UNITS);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_true(signal(SIGHUP, SIG_DFL) != SIG_ERR);
}

#define INPUT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_input, tear_down_input)

int main(void)
{
    const struct CMUnitTest tests[] = {
        INPUT_TEST(an_interrupted_wait_goes_on),
        INPUT_TEST(a_wait_that_fails_is_no_end_of_the_rows),
        INPUT_TEST(signals_that_cannot_be_heard_are_told),
        INPUT_TEST(a_signal_stops_it),
        INPUT_TEST(a_signal_that_is_ignored_stops_nothing),
    };

    return cmocka_run_group_tests_name("io/interrupt", tests, NULL, NULL);
}
