#include "failing_process_calls.h"

#include "purser/io/event_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/io/clock.h"

struct seen {
    int count;
    int fd;
    int ready;
    struct loop_watch *remove; /* taken away from inside the callback */
};

static void note(void *context, int fd, int ready)
{
    struct seen *seen = context;

    seen->count++;
    seen->fd = fd;
    seen->ready = ready;
    if (seen->remove != NULL) {
        loop_watch_remove(seen->remove);
        seen->remove = NULL;
    }
}

struct fixture {
    struct event_loop *loop;
    int pipe[2];
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    memset(&fixture, 0, sizeof fixture);
    assert_int_equal(event_loop_open(&fixture.loop, &fixture.err), ERR_OK);
    assert_int_equal(pipe(fixture.pipe), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    event_loop_close(fixture->loop);
    close(fixture->pipe[0]);
    close(fixture->pipe[1]);
    assert_int_equal(mem_test_live_count(), 0);
    return 0;
}

static void turn(struct fixture *fixture)
{
    assert_int_equal(event_loop_turn(fixture->loop, 0, &fixture->err), ERR_OK);
}

static void a_readable_descriptor_calls_back_once_a_turn(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch;
    struct seen seen = {0};

    assert_int_equal(loop_watch_add(fixture->loop, fixture->pipe[0], LOOP_READ, note, &seen, &watch,
                                    &fixture->err),
                     ERR_OK);
    turn(fixture);
    assert_int_equal(seen.count, 0);
    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    turn(fixture);
    turn(fixture);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.fd, fixture->pipe[0]);
    assert_int_equal(seen.ready, LOOP_READ);
}

static void an_interest_taken_back_is_silent_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch;
    struct seen seen = {0};

    assert_int_equal(loop_watch_add(fixture->loop, fixture->pipe[0], LOOP_READ, note, &seen, &watch,
                                    &fixture->err),
                     ERR_OK);
    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    assert_int_equal(loop_watch_change(watch, 0, &fixture->err), ERR_OK);
    turn(fixture);
    turn(fixture);
    assert_int_equal(seen.count, 0);
    assert_int_equal(loop_watch_change(watch, LOOP_READ, &fixture->err), ERR_OK);
    turn(fixture);
    assert_int_equal(seen.count, 1);
}

/* What the kernel still watches out of laziness must not make the loop spin. */
static void an_event_that_nobody_wants_comes_to_the_loop_only_once(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch;
    int64_t start_ms;
    struct seen seen = {0};

    assert_int_equal(loop_watch_add(fixture->loop, fixture->pipe[0], LOOP_READ, note, &seen, &watch,
                                    &fixture->err),
                     ERR_OK);
    assert_int_equal(loop_watch_change(watch, 0, &fixture->err), ERR_OK);
    close(fixture->pipe[1]); /* hang-up is reported whether asked for or not */
    turn(fixture);
    start_ms = clock_boot_ms();
    assert_int_equal(event_loop_turn(fixture->loop, 30, &fixture->err), ERR_OK);
    assert_true(clock_boot_ms() - start_ms >= 25);
    assert_int_equal(seen.count, 0);
    fixture->pipe[1] = dup(fixture->pipe[0]);
}

static void more_interest_than_before_reaches_the_kernel(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch;
    struct seen seen = {0};

    assert_int_equal(
        loop_watch_add(fixture->loop, fixture->pipe[1], 0, note, &seen, &watch, &fixture->err),
        ERR_OK);
    turn(fixture);
    assert_int_equal(seen.count, 0);
    assert_int_equal(loop_watch_change(watch, LOOP_WRITE, &fixture->err), ERR_OK);
    turn(fixture);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.ready, LOOP_WRITE);
}

static void a_watch_removed_by_another_callback_is_not_called(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *first, *second;
    struct seen seen_first = {0}, seen_second = {0};
    int other[2];

    assert_int_equal(pipe(other), 0);
    assert_int_equal(loop_watch_add(fixture->loop, fixture->pipe[0], LOOP_READ, note, &seen_first,
                                    &first, &fixture->err),
                     ERR_OK);
    assert_int_equal(loop_watch_add(fixture->loop, other[0], LOOP_READ, note, &seen_second, &second,
                                    &fixture->err),
                     ERR_OK);
    seen_first.remove = second;
    seen_second.remove = first;
    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    assert_int_equal(write(other[1], "x", 1), 1);
    turn(fixture);
    assert_int_equal(seen_first.count + seen_second.count, 1);
    turn(fixture);
    assert_int_equal(seen_first.count + seen_second.count, 2);
    close(other[0]);
    close(other[1]);
}

static void a_closed_descriptor_can_be_removed_and_its_number_used_again(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch, *again;
    struct seen seen = {0}, seen_again = {0};
    int number = dup(fixture->pipe[0]);

    assert_int_equal(
        loop_watch_add(fixture->loop, number, LOOP_READ, note, &seen, &watch, &fixture->err),
        ERR_OK);
    close(number);
    loop_watch_remove(watch);
    assert_int_equal(dup2(fixture->pipe[1], number), number);
    assert_int_equal(
        loop_watch_add(fixture->loop, number, LOOP_WRITE, note, &seen_again, &again, &fixture->err),
        ERR_OK);
    turn(fixture);
    assert_int_equal(seen.count, 0);
    assert_int_equal(seen_again.count, 1);
    close(number);
}

static void a_descriptor_that_cannot_be_watched_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch;
    struct seen seen = {0};

    assert_int_equal(
        loop_watch_add(fixture->loop, 9999, LOOP_READ, note, &seen, &watch, &fixture->err),
        ERR_SYSTEM);
    assert_non_null(strstr(fixture->err.text, "9999"));
}

static void out_of_memory_leaves_nothing_behind(void **state)
{
    struct fixture *fixture = *state;
    struct event_loop *loop;
    struct loop_watch *watch;
    struct seen seen = {0};

    mem_test_fail(0, 0);
    assert_int_equal(event_loop_open(&loop, &fixture->err), ERR_NO_MEMORY);
    mem_test_fail(0, 0);
    assert_int_equal(loop_watch_add(fixture->loop, fixture->pipe[0], LOOP_READ, note, &seen, &watch,
                                    &fixture->err),
                     ERR_NO_MEMORY);
    mem_test_fail(-1, 0);
}

static void a_loop_that_cannot_be_had_or_wait_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct event_loop *loop;

    calls_fail("epoll_create1", 0, EMFILE);
    assert_int_equal(event_loop_open(&loop, &fixture->err), ERR_SYSTEM);
    assert_string_equal(fixture->err.text, "event loop: epoll_create1: Too many open files");
    calls_fail("epoll_wait", 0, EINTR);
    assert_int_equal(event_loop_turn(fixture->loop, 0, &fixture->err), ERR_OK);
    calls_fail("epoll_wait", 0, EBADF);
    assert_int_equal(event_loop_turn(fixture->loop, 0, &fixture->err), ERR_SYSTEM);
    assert_string_equal(fixture->err.text, "event loop: epoll_wait: Bad file descriptor");
    (void)calls_end();
}

static void an_interest_that_the_kernel_does_not_take_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct loop_watch *watch;
    struct seen seen = {0};

    assert_int_equal(
        loop_watch_add(fixture->loop, fixture->pipe[0], 0, note, &seen, &watch, &fixture->err),
        ERR_OK);
    calls_fail("epoll_ctl", 0, ENOSPC);
    assert_int_equal(loop_watch_change(watch, LOOP_READ, &fixture->err), ERR_SYSTEM);
    (void)calls_end();
    assert_non_null(strstr(fixture->err.text, "No space left on device"));
    assert_int_equal(loop_watch_change(watch, LOOP_READ, &fixture->err), ERR_OK);
    loop_watch_remove(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_readable_descriptor_calls_back_once_a_turn),
        TEST(an_interest_taken_back_is_silent_and_comes_back),
        TEST(an_event_that_nobody_wants_comes_to_the_loop_only_once),
        TEST(more_interest_than_before_reaches_the_kernel),
        TEST(a_watch_removed_by_another_callback_is_not_called),
        TEST(a_closed_descriptor_can_be_removed_and_its_number_used_again),
        TEST(a_descriptor_that_cannot_be_watched_is_an_error),
        TEST(out_of_memory_leaves_nothing_behind),
        TEST(a_loop_that_cannot_be_had_or_wait_says_so),
        TEST(an_interest_that_the_kernel_does_not_take_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
