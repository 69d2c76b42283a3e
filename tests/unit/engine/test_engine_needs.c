/* Items that wait for others: when they go. */
#include "waiting_bench.h"

/* --- items --- */

static void a_child_goes_when_its_parents_success_is_durable_and_not_before(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_child(parent);
    (void)context;

    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(progress()->blocked, 1);
    bench.ledger.holds = true;
    succeed(0);
    assert_int_equal(bench.ledger.newest[parent].state, ITEM_SUCCEEDED);
    assert_true(bench.ledger.newest[parent].release_due);
    assert_int_equal(bench.ledger.newest[child].state, ITEM_BLOCKED);
    make_durable(&bench.ledger);
    bench.ledger.holds = false;
    settle();
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(state_of(child), ITEM_SENDING);
    assert_false(bench.ledger.durable[parent].release_due);
    assert_int_equal(progress()->released, 1);
    assert_int_equal(progress()->blocked, 0);
    succeed(1);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->succeeded, 2);
    close_bench();
}

static void a_run_ends_when_only_blocked_items_are_left_whose_parent_failed(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_child(parent);
    (void)context;

    open_engine();
    settle();
    answer(0, 400, "{\"error\":\"bad\"}");
    settle();
    assert_int_equal(state_of(parent), ITEM_FAILED);
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->blocked, 1);
    close_bench();
}

static void what_an_earlier_run_did_not_come_to_release_is_released(void **context)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED), child = add_child(parent);
    (void)context;

    bench.ledger.newest[parent].release_due = true;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_SENDING);
    assert_false(bench.ledger.durable[parent].release_due);
    close_bench();
}

static void what_a_person_tries_again_is_looked_at_when_the_run_begins(void **context)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED), failed = add(0, 0, ITEM_FAILED);
    uint64_t child = add_child(parent), other = add_child(failed);
    (void)context;

    bench.ledger.newest[child].waits_on = bench.ledger.newest[other].waits_on = WAIT_NONE;
    bench.ledger.newest[child].waits_for = bench.ledger.newest[other].waits_for = 0;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_SENDING);
    assert_int_equal(state_of(other), ITEM_BLOCKED);
    assert_int_equal(bench.ledger.durable[other].waits_on, WAIT_ITEM);
    assert_int_equal(bench.ledger.durable[other].waits_for, failed);
    close_bench();
}

static void a_child_of_two_parents_waits_for_one_after_the_other(void **context)
{
    uint64_t one = add(0, 0, ITEM_READY), two = add(0, 1, ITEM_READY), child = add_child(one);
    (void)context;

    bench.ledger.newest_needs[child].needs[1] =
        (struct need){.kind = WAIT_ITEM, .target = two, .name = SLICE("two")};
    bench.ledger.newest_needs[child].need_count = 2;
    bench.ledger.newest[two].has_dependents = true;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    succeed(0);
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_int_equal(bench.ledger.durable[child].waits_for, two);
    succeed(1);
    assert_int_equal(state_of(child), ITEM_SENDING);
    close_bench();
}

/* How many items of a connection are begun while the first is on the wire. */
static unsigned count_begun(void)
{
    unsigned begun = 0;

    set_up_bench();
    bench.connections[0].in_flight = 1;
    for (int i = 0; i < 11; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    settle();
    for (uint64_t number = 1; number <= bench.ledger.count; number++)
        begun += state_of(number) == ITEM_SENDING;
    close_bench();
    assert_in_range(begun, 2, 9);
    return begun;
}

/* It comes to wait in the batch after the one that holds the parent's success. */
static void a_parent_that_ends_while_its_child_comes_to_wait_for_it_still_finds_it(void **context)
{
    unsigned begun = count_begun();
    uint64_t parent, child;
    size_t of_parent;
    (void)context;

    set_up_bench();
    bench.connections[0].in_flight = 1;
    parent = add(0, 1, ITEM_READY);
    for (unsigned i = 0; i < begun; i++)
        add(0, 0, ITEM_READY);
    child = add_child(parent);
    bench.ledger.newest[child].waits_on = WAIT_NONE;
    bench.ledger.newest[child].waits_for = 0;
    put_durable(child, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    of_parent = bench.transport.starts[0].connection == 1 ? 0 : 1;
    bench.ledger.holds = true;
    succeed(of_parent);
    assert_int_equal(bench.ledger.newest[child].state, ITEM_READY);
    succeed(1 - of_parent);
    assert_int_equal(bench.ledger.newest[child].state, ITEM_BLOCKED);
    assert_int_equal(bench.ledger.newest[child].waits_for, parent);
    make_closed_durable(&bench.ledger);
    turn();
    make_closed_durable(&bench.ledger);
    bench.ledger.holds = false;
    for (size_t i = 2; i <= begun; i++) {
        settle();
        answer(i, 201, "{\"product\":{}}");
    }
    settle();
    assert_int_equal(state_of(child), ITEM_SENDING);
    close_bench();
}

static void a_ready_child_whose_parent_is_under_way_again_waits_for_it(void **context)
{
    uint64_t parent = add(0, 1, ITEM_READY), child = add_child(parent);
    (void)context;

    bench.ledger.newest[child].waits_on = WAIT_NONE;
    bench.ledger.newest[child].waits_for = 0;
    put_durable(child, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(bench.transport.starts[0].connection, 1);
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_int_equal(bench.ledger.durable[child].waits_for, parent);
    succeed(0);
    assert_int_equal(state_of(child), ITEM_SENDING);
    close_bench();
}

static void an_item_that_nobody_has_is_waited_for_and_the_run_ends(void **context)
{
    uint64_t child = add_waiting(0, WAIT_UNKNOWN_ITEM, 0, false);
    (void)context;

    open_engine();
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_int_equal(bench.transport.count, 0);
    close_bench();
}

/* The cursor of the connection has passed its number long ago. */
static void a_child_with_a_lower_number_than_what_is_under_way_is_found_once(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_child(parent);
    (void)context;

    for (int i = 0; i < 3; i++)
        add(0, 0, ITEM_READY);
    bench.connections[0].in_flight = 8;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 4);
    succeed(0);
    assert_int_equal(bench.transport.count, 5);
    assert_int_equal(state_of(child), ITEM_SENDING);
    for (size_t i = 1; i < 5; i++)
        answer(i, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->sent, 5);
    assert_int_equal(progress()->succeeded, 5);
    close_bench();
}

static void what_rests_turned_away_is_not_started_twice_by_a_release(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_child(parent);
    uint64_t unkeyed = add(1, 0, ITEM_READY);
    (void)context;

    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    reply_to(1, (struct reply){.http_status = 452, .body = SLICE("{}"), .retry_after = "60"});
    settle();
    assert_int_equal(state_of(unkeyed), ITEM_READY); /* and in a slot */
    succeed(0);
    assert_int_equal(state_of(child), ITEM_SENDING);
    assert_int_equal(state_of(unkeyed), ITEM_READY);
    turn_after(61000);
    settle();
    assert_int_equal(bench.transport.count, 4);
    assert_int_equal(progress()->active, 2);
    close_bench();
}

static void a_parent_with_very_many_children_releases_some_a_turn(void **context)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED);
    (void)context;

    for (int i = 0; i < ITEMS_MAX - 1; i++)
        add_child(parent);
    bench.ledger.newest[parent].release_due = true;
    make_durable(&bench.ledger);
    bench.options.outstanding = 2;
    open_engine();
    settle();
    assert_int_equal(progress()->released, ITEMS_MAX - 1);
    assert_int_equal(progress()->active, 2);
    close_bench();
}

static void a_stopped_run_leaves_the_release_to_the_next(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_child(parent);
    (void)context;

    open_engine();
    settle();
    engine_drain(bench.engine, bench.boot_ms + 10000);
    succeed(0);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->active, 0);
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_true(bench.ledger.durable[parent].release_due);
    engine_free(bench.engine);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_SENDING);
    close_bench();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(a_child_goes_when_its_parents_success_is_durable_and_not_before),
        TEST(a_run_ends_when_only_blocked_items_are_left_whose_parent_failed),
        TEST(what_an_earlier_run_did_not_come_to_release_is_released),
        TEST(what_a_person_tries_again_is_looked_at_when_the_run_begins),
        TEST(a_child_of_two_parents_waits_for_one_after_the_other),
        TEST(a_parent_that_ends_while_its_child_comes_to_wait_for_it_still_finds_it),
        TEST(a_ready_child_whose_parent_is_under_way_again_waits_for_it),
        TEST(an_item_that_nobody_has_is_waited_for_and_the_run_ends),
        TEST(a_child_with_a_lower_number_than_what_is_under_way_is_found_once),
        TEST(what_rests_turned_away_is_not_started_twice_by_a_release),
        TEST(a_parent_with_very_many_children_releases_some_a_turn),
        TEST(a_stopped_run_leaves_the_release_to_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
