/* Items that wait for others: when they go, in which order, and what is rendered. */
#include "engine_bench.h"

static uint64_t add_waiting(uint32_t job, enum wait_kind kind, uint64_t target, bool ordering)
{
    uint64_t number = add(job, 0, ITEM_BLOCKED);
    struct item *item = &bench.ledger.newest[number];

    item->has_needs = true;
    item->waits_on = kind;
    item->waits_for = target;
    bench.ledger.has_needs[number] = true;
    bench.ledger.newest_needs[number] = (struct needs_record){
        .needs = {{.kind = kind, .ordering = ordering, .target = target}}, .need_count = 1};
    if (kind == WAIT_ITEM && target <= bench.ledger.count)
        bench.ledger.newest[target].has_dependents = true;
    make_durable(&bench.ledger);
    return number;
}

static uint64_t add_child(uint64_t parent)
{
    return add_waiting(0, WAIT_ITEM, parent, false);
}

static void put_durable(uint64_t number, enum item_state state)
{
    bench.ledger.newest[number].state = state;
    make_durable(&bench.ledger);
}

static enum item_state state_of(uint64_t number)
{
    return bench.ledger.durable[number].state;
}

static void succeed(size_t index)
{
    answer(index, 201, "{\"product\":{}}");
    settle();
}

/* --- a renderer --- */

static enum err_code rendering;
static unsigned rendered;

static enum err_code render(struct renderer *self, uint64_t number, const struct item *item,
                            const struct needs_record *needs, struct frozen_request *request_inout,
                            char *problem, size_t problem_size, struct err *err)
{
    (void)self;
    (void)err;
    assert_int_equal(item->state, ITEM_BLOCKED);
    assert_true(slice_is(needs->draft, "draft"));
    assert_int_equal(needs->need_count, 1);
    assert_true(number > 0 && request_inout->key.length > 0);
    rendered++;
    (void)snprintf(problem, problem_size, "no id in it");
    request_inout->body = SLICE("{\"product\":{\"parent\":1}}");
    return rendering;
}

static const struct renderer_ops renderer_ops = {.render = render};
static struct renderer renderer = {.ops = &renderer_ops};

static uint64_t add_draft(uint64_t parent)
{
    uint64_t number = add_child(parent);

    bench.ledger.newest_needs[number].draft = SLICE("draft");
    make_durable(&bench.ledger);
    bench.options.renderer = &renderer;
    rendering = ERR_OK;
    rendered = 0;
    return number;
}

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

/* --- rendering --- */

static void a_draft_is_rendered_once_and_frozen(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_draft(parent);
    (void)context;

    open_engine();
    settle();
    succeed(0);
    assert_int_equal(rendered, 1);
    assert_int_equal(bench.transport.count, 2);
    assert_string_equal(bench.transport.starts[1].body, "{\"product\":{\"parent\":1}}");
    assert_int_equal(state_of(child), ITEM_SENDING);
    assert_int_equal(bench.ledger.durable_needs[child].draft.length, 0);
    assert_int_equal(bench.ledger.durable_needs[child].need_count, 1);
    close_bench();
}

static void what_cannot_be_rendered_fails_with_the_problem_and_is_never_sent(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_draft(parent);
    (void)context;

    rendering = ERR_INPUT;
    open_engine();
    settle();
    succeed(0);
    assert_int_equal(state_of(child), ITEM_FAILED);
    assert_int_equal(bench.ledger.durable[child].reason, REASON_NOT_RENDERED);
    assert_string_equal(bench.ledger.problem[child], "no id in it");
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->failed, 1);
    assert_int_equal(progress()->blocked, 0);
    assert_true(slice_is(bench.ledger.durable_needs[child].draft, "draft")); /* for a retry */
    close_bench();
}

static void what_is_not_wanted_is_skipped_and_those_behind_it_are_looked_at(void **context)
{
    uint64_t parent = add(0, 0, ITEM_READY), child = add_draft(parent);
    (void)context;

    rendering = ERR_NOT_FOUND;
    bench.ledger.newest[child].has_dependents = true;
    put_durable(child, ITEM_BLOCKED);
    open_engine();
    settle();
    succeed(0);
    settle();
    assert_int_equal(state_of(child), ITEM_SKIPPED);
    assert_int_equal(bench.ledger.durable[child].reason, REASON_CONDITION_FALSE);
    assert_false(bench.ledger.durable[child].release_due);
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->failed, 0);
    assert_int_equal(progress()->blocked, 0);
    close_bench();
}

static void a_damaged_needs_record_fails_its_item_and_nothing_is_sent(void **context)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED), child = add_child(parent);
    uint64_t ready = add_child(parent);
    (void)context;

    bench.ledger.newest[parent].release_due = true;
    bench.ledger.needs_damaged[child] = bench.ledger.needs_damaged[ready] = true;
    bench.ledger.newest[ready].waits_on = WAIT_NONE;
    bench.ledger.newest[ready].waits_for = 0;
    put_durable(ready, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_FAILED);
    assert_int_equal(state_of(ready), ITEM_FAILED);
    assert_int_equal(bench.ledger.durable[child].reason, REASON_NOT_RENDERED);
    assert_non_null(strstr(bench.ledger.problem[child], "damaged"));
    assert_int_equal(progress()->failed, 2);
    assert_int_equal(bench.transport.count, 0);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    close_bench();
}

static void a_damaged_blocked_item_is_in_doubt_and_nothing_is_sent(void **context)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED), child = add_child(parent);
    (void)context;

    bench.ledger.newest[parent].release_due = true;
    bench.ledger.damaged[child] = true;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_IN_DOUBT);
    assert_int_equal(bench.transport.count, 0);
    assert_int_equal(progress()->in_doubt, 1);
    close_bench();
}

static void an_item_of_a_job_that_this_run_has_not_is_left_to_one_that_has(void **context)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED), child = add_child(parent);
    (void)context;

    bench.ledger.newest[parent].release_due = true;
    bench.ledger.newest[child].job = 2;
    make_durable(&bench.ledger);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_BLOCKED);
    assert_int_equal(bench.ledger.durable[child].waits_on, WAIT_NONE);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
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
        TEST(a_whole_job_is_waited_for),
        TEST(a_gate_stays_shut_while_one_item_failed_or_is_in_doubt),
        TEST(a_gate_that_has_opened_between_two_runs_lets_them_go),
        TEST(items_of_a_group_go_one_after_the_other),
        TEST(a_cancelled_item_hands_its_place_to_the_one_before_it),
        TEST(an_order_is_over_when_the_one_before_was_cancelled_and_a_need_is_not),
        TEST(a_draft_is_rendered_once_and_frozen),
        TEST(what_cannot_be_rendered_fails_with_the_problem_and_is_never_sent),
        TEST(what_is_not_wanted_is_skipped_and_those_behind_it_are_looked_at),
        TEST(a_damaged_needs_record_fails_its_item_and_nothing_is_sent),
        TEST(a_damaged_blocked_item_is_in_doubt_and_nothing_is_sent),
        TEST(an_item_of_a_job_that_this_run_has_not_is_left_to_one_that_has),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
