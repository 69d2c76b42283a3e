/* Items that wait for a whole job, or for the one before them. */
#include "waiting_bench.h"

/* --- jobs --- */

static void a_whole_job_is_waited_for(void **context)
{
    uint64_t one = add(0, 0, ITEM_READY), child = add_waiting(1, WAIT_JOB, 0, false);
    (void)context;

    add(0, 1, ITEM_SKIPPED);
    add(0, 1, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    succeed(0);
    assert_int_equal(state_of(one), ITEM_SUCCEEDED);
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    succeed(1);
    assert_int_equal(state_of(child), ITEM_SENDING);
    close_bench();
}

static void a_gate_stays_shut_while_one_item_failed_or_is_in_doubt(void **context)
{
    static const enum item_state states[] = {ITEM_FAILED, ITEM_IN_DOUBT, ITEM_BLOCKED};
    (void)context;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        uint64_t child;

        set_up_bench();
        add(0, 0, ITEM_READY);
        child = add_waiting(1, WAIT_JOB, 0, false);
        add(0, 0, states[i]);
        if (states[i] == ITEM_BLOCKED)
            bench.ledger.newest[3].waits_on = bench.ledger.durable[3].waits_on = WAIT_UNKNOWN_ITEM;
        open_engine();
        settle();
        succeed(0);
        assert_int_equal(state_of(child), ITEM_BLOCKED);
        assert_int_equal(progress()->phase, ENGINE_ENDED);
        close_bench();
    }
}

static void a_gate_that_has_opened_between_two_runs_lets_them_go(void **context)
{
    uint64_t child, other;
    (void)context;

    add(0, 0, ITEM_CANCELLED);
    child = add_waiting(1, WAIT_JOB, 0, false);
    other = add_waiting(1, WAIT_JOB, 2, false); /* a job that this run has not */
    bench.ledger.newest[add(0, 0, ITEM_SUCCEEDED)].job = 2;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(progress()->released, 2);
    assert_true(state_of(child) != ITEM_BLOCKED && state_of(other) != ITEM_BLOCKED);
    close_bench();
}

/* --- order --- */

static void items_of_a_group_go_one_after_the_other(void **context)
{
    uint64_t one = add(0, 0, ITEM_READY), two = add_waiting(0, WAIT_ITEM, one, true);
    uint64_t three = add_waiting(0, WAIT_ITEM, two, true);
    (void)context;

    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    succeed(0);
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(state_of(three), ITEM_BLOCKED);
    succeed(1);
    assert_int_equal(state_of(three), ITEM_SENDING);
    assert_int_equal(bench.ledger.durable_needs[three].need_count, 0); /* met for good */
    close_bench();
}

static void a_cancelled_item_hands_its_place_to_the_one_before_it(void **context)
{
    uint64_t one = add(0, 0, ITEM_READY), two = add_waiting(0, WAIT_ITEM, one, true);
    uint64_t three = add_waiting(0, WAIT_ITEM, two, true);
    (void)context;

    bench.ledger.newest[two].waits_on = WAIT_NONE;
    bench.ledger.newest[two].waits_for = 0;
    bench.ledger.newest[two].release_due = true;
    put_durable(two, ITEM_CANCELLED);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(state_of(three), ITEM_BLOCKED);
    assert_int_equal(bench.ledger.durable[three].waits_for, one);
    succeed(0);
    assert_int_equal(state_of(three), ITEM_SENDING);
    close_bench();
}

static void an_order_is_over_when_the_one_before_was_cancelled_and_a_need_is_not(void **context)
{
    uint64_t parent = add(0, 0, ITEM_CANCELLED), child = add_child(parent);
    uint64_t next = add_waiting(0, WAIT_ITEM, parent, true);
    (void)context;

    bench.ledger.newest[parent].release_due = true;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_int_equal(state_of(next), ITEM_SENDING);
    close_bench();
}

static void a_damaged_place_in_an_order_fails_who_stands_behind_it_and_nobody_else(void **context)
{
    uint64_t one = add(0, 0, ITEM_SUCCEEDED), two = add_waiting(0, WAIT_ITEM, one, true);
    uint64_t three = add_waiting(0, WAIT_ITEM, two, true), other = add(0, 1, ITEM_READY);
    (void)context;

    bench.ledger.newest[two].waits_on = WAIT_NONE;
    bench.ledger.newest[two].waits_for = 0;
    bench.ledger.newest[two].release_due = true;
    put_durable(two, ITEM_CANCELLED);
    bench.ledger.needs_damaged[two] = true;
    open_engine();
    settle();
    assert_int_equal(state_of(three), ITEM_FAILED);
    assert_string_equal(bench.ledger.problem[three], "what it needs is damaged in the ledger");
    assert_int_equal(bench.transport.count, 1);
    succeed(0);
    assert_int_equal(state_of(other), ITEM_SUCCEEDED);
    close_bench();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_job_is_waited_for),
        TEST(a_gate_stays_shut_while_one_item_failed_or_is_in_doubt),
        TEST(a_gate_that_has_opened_between_two_runs_lets_them_go),
        TEST(items_of_a_group_go_one_after_the_other),
        TEST(a_cancelled_item_hands_its_place_to_the_one_before_it),
        TEST(an_order_is_over_when_the_one_before_was_cancelled_and_a_need_is_not),
        TEST(a_damaged_place_in_an_order_fails_who_stands_behind_it_and_nobody_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
