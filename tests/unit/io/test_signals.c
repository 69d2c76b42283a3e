#include "failing_system_calls.h"

#include "purser/io/signals.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/io/clock.h"

/* Runs `body` in a child, because signal dispositions and descriptors belong to the process. */
static int status_of(int (*body)(void))
{
    int status;
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int take_two_signals(void)
{
    struct err err = {0};
    int fd = -1;

    signal(SIGHUP, SIG_DFL);
    if (signals_open(&fd, &err) != ERR_OK || signals_take(fd) != 0)
        return 1;
    raise(SIGTERM);
    raise(SIGINT);
    if (signals_take(fd) + signals_take(fd) != SIGTERM + SIGINT || signals_take(fd) != 0)
        return 2;
    raise(SIGPIPE);
    signals_ignore_file_limit();
    raise(SIGXFSZ);
    signals_close(fd);
    return 0;
}

static int ignore_hangup_like_nohup(void)
{
    struct err err = {0};
    int fd = -1;

    signal(SIGHUP, SIG_IGN);
    if (signals_open(&fd, &err) != ERR_OK)
        return 1;
    raise(SIGHUP);
    return signals_take(fd);
}

static int close_all_and_secure(void)
{
    struct stat null_device, status;

    close(0);
    close(1);
    close(2);
    if (!signals_secure_standard_descriptors() || stat("/dev/null", &null_device) != 0)
        return 1;
    for (int fd = 0; fd <= 2; fd++) {
        if (fstat(fd, &status) != 0 || status.st_rdev != null_device.st_rdev)
            return 2;
    }
    return 0;
}

static int fail_to_open(void)
{
    struct err err = {0};
    int fd = -1;

    calls_fail("signalfd", 0, EMFILE);
    if (signals_open(&fd, &err) != ERR_SYSTEM ||
        strcmp(err.text, "signalfd: Too many open files") != 0)
        return 1;
    calls_fail("pthread_sigmask", 0, EINVAL);
    if (signals_open(&fd, &err) != ERR_SYSTEM ||
        strcmp(err.text, "block signals: Invalid argument") != 0)
        return 2;
    signals_close(-1);
    close(0);
    calls_fail("open", 0, ENOENT);
    return signals_secure_standard_descriptors() ? 3 : 0;
}

static void signals_become_readable_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(status_of(take_two_signals), 0);
}

static void a_hangup_ignored_from_outside_stays_ignored(void **state)
{
    (void)state;
    assert_int_equal(status_of(ignore_hangup_like_nohup), 0);
}

static void closed_standard_descriptors_become_the_null_device(void **state)
{
    (void)state;
    assert_int_equal(status_of(close_all_and_secure), 0);
}

static void what_cannot_be_had_is_told(void **state)
{
    (void)state;
    assert_int_equal(status_of(fail_to_open), 0);
}

static void open_standard_descriptors_are_left_alone(void **state)
{
    struct stat before, after;

    (void)state;
    assert_int_equal(fstat(2, &before), 0);
    assert_true(signals_secure_standard_descriptors());
    assert_int_equal(fstat(2, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void clocks_count_milliseconds_and_do_not_run_backwards(void **state)
{
    int64_t boot = clock_boot_ms();

    (void)state;
    assert_true(clock_wall_ms() > 1700000000000);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_boot_ms();

        assert_true(now >= boot);
        boot = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_become_readable_one_by_one),
        cmocka_unit_test(a_hangup_ignored_from_outside_stays_ignored),
        cmocka_unit_test(closed_standard_descriptors_become_the_null_device),
        cmocka_unit_test(what_cannot_be_had_is_told),
        cmocka_unit_test(open_standard_descriptors_are_left_alone),
        cmocka_unit_test(clocks_count_milliseconds_and_do_not_run_backwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
