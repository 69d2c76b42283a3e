#include "failing_system_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/io/clock.h"

/* Source: clone(2); glibc has no name for it before 2.36. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static void the_boot_has_one_number(void **context)
{
    (void)context;
    assert_int_not_equal(clock_boot(), 0);
    assert_int_equal(clock_boot(), clock_boot());
}

/* No boot is taken for another one then. */
static void a_boot_that_cannot_be_known_has_none(void **context)
{
    (void)context;
    calls_fail("open", 0, EACCES);
    assert_int_equal(clock_boot(), 0);
    assert_string_equal(calls_end(), "open");
    calls_fail("read", 0, EIO);
    assert_int_equal(clock_boot(), 0);
    assert_string_equal(calls_end(), "read");
}

static void the_boot_clock_never_goes_back(void **context)
{
    int64_t before_ms = clock_boot_ms();
    (void)context;

    for (int i = 0; i < 1000; i++) {
        int64_t now_ms = clock_boot_ms();

        assert_true(now_ms >= before_ms);
        before_ms = now_ms;
    }
}

/* A machine that slept for a day and something, seen from a time namespace of our own: 0 = its
 * sleep counts, 77 = cannot be tried here. */
static int sleep_for_a_day(void)
{
    static const char offset[] = "boottime 100000 0\n";
    struct timespec awake;
    int status = -1;
    pid_t child;
    int fd;

    if (unshare(CLONE_NEWTIME) != 0)
        return 77;
    fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd == -1 || write(fd, offset, sizeof offset - 1) != sizeof offset - 1)
        return 77;
    child = fork(); /* the offset is for children */
    if (child == 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &awake);
        _exit(clock_boot_ms() - (int64_t)awake.tv_sec * 1000 >= 100000000 ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static void time_asleep_counts(void **context)
{
    int status = -1;
    pid_t child = fork();

    (void)context;
    if (child == 0)
        _exit(sleep_for_a_day());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_boot_has_one_number),
        cmocka_unit_test(a_boot_that_cannot_be_known_has_none),
        cmocka_unit_test(the_boot_clock_never_goes_back),
        cmocka_unit_test(time_asleep_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
