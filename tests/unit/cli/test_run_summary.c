#include "purser/cli/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct item_counts one_in(enum item_state state)
{
    struct item_counts counts = {{0}};

    counts.by_state[ITEM_SUCCEEDED] = 5;
    counts.by_state[state]++;
    return counts;
}

static int status_of(enum item_state state)
{
    struct item_counts counts = one_in(state);
    struct engine_progress progress = {0};

    return run_exit_status(&progress, &counts);
}

static void the_state_of_the_items_decides(void **context)
{
    (void)context;
    assert_int_equal(status_of(ITEM_SUCCEEDED), EXIT_DONE);
    assert_int_equal(status_of(ITEM_CANCELLED), EXIT_DONE);
    assert_int_equal(status_of(ITEM_SKIPPED), EXIT_DONE);
    assert_int_equal(status_of(ITEM_FAILED), EXIT_SOME_FAILED);
    assert_int_equal(status_of(ITEM_IN_DOUBT), EXIT_IN_DOUBT);
    assert_int_equal(status_of(ITEM_READY), EXIT_NOT_FINISHED);
    assert_int_equal(status_of(ITEM_BLOCKED), EXIT_SOME_FAILED);
    assert_int_equal(status_of(ITEM_SENDING), EXIT_NOT_FINISHED);
    assert_int_equal(status_of(ITEM_WAITING), EXIT_NOT_FINISHED);
}

static void what_is_blocked_waits_for_a_person_unless_the_run_was_stopped(void **context)
{
    struct item_counts counts = one_in(ITEM_BLOCKED);
    struct engine_progress progress = {.stop = STOP_ASKED};

    (void)context;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_NOT_FINISHED);
    progress.stop = STOP_NONE;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_SOME_FAILED);
    counts.by_state[ITEM_IN_DOUBT] = 1;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_IN_DOUBT);
}

static void of_several_the_first_of_the_order_counts(void **context)
{
    struct item_counts counts = one_in(ITEM_FAILED);
    struct engine_progress progress = {0};

    (void)context;
    counts.by_state[ITEM_IN_DOUBT] = 1;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_IN_DOUBT);
    counts.by_state[ITEM_WAITING] = 1;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_NOT_FINISHED);
    progress.stop = STOP_MAX_FAILURES;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_MAX_FAILURES);
    progress.parked_for_credentials = true;
    assert_int_equal(run_exit_status(&progress, &counts), EXIT_CREDENTIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_of_the_items_decides),
        cmocka_unit_test(what_is_blocked_waits_for_a_person_unless_the_run_was_stopped),
        cmocka_unit_test(of_several_the_first_of_the_order_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
