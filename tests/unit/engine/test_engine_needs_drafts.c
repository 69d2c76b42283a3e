/* Requests that are made from what others returned. */
#include "waiting_bench.h"

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

/* Its request is frozen, and what it was made from may have changed since. */
static uint64_t add_corrected(enum item_state state)
{
    uint64_t parent = add(0, 0, ITEM_SUCCEEDED), child = add_draft(parent);

    bench.ledger.newest_needs[child].remake = bench.ledger.newest_needs[child].draft;
    bench.ledger.newest_needs[child].draft = SLICE("");
    bench.ledger.newest[child].corrected = true;
    bench.ledger.newest[child].waits_on = WAIT_NONE;
    bench.ledger.newest[child].waits_for = 0;
    put_durable(child, state);
    return child;
}

static void a_corrected_request_is_made_anew_when_it_has_changed(void **context)
{
    static const enum item_state states[] = {ITEM_READY, ITEM_BLOCKED};
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        uint64_t child;

        set_up_bench();
        child = add_corrected(states[i]);
        open_engine();
        settle();
        assert_int_equal(bench.transport.count, 1);
        assert_string_equal(bench.transport.starts[0].body, "{\"product\":{\"parent\":1}}");
        succeed(0);
        assert_int_equal(state_of(child), ITEM_SUCCEEDED);
        assert_int_equal(bench.ledger.durable[child].generation, 1);
        assert_int_equal(bench.ledger.durable_needs[child].draft.length, 0);
        assert_int_equal(progress()->phase, ENGINE_ENDED);
        assert_int_equal(progress()->blocked, 0);
        close_bench();
    }
}

static void a_corrected_request_that_is_as_it_was_is_sent_as_it_stands(void **context)
{
    const char *body = "{\"product\":{\"parent\":1}}";
    uint64_t child = add_corrected(ITEM_READY);
    (void)context;

    bench.ledger.newest[child].request_hash =
        request_hash(METHOD_POST, SLICE("/products"), slice_of(body));
    (void)snprintf(bench.ledger.body[child], sizeof bench.ledger.body[child], "%s", body);
    put_durable(child, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(rendered, 1);
    assert_int_equal(bench.transport.count, 1);
    assert_string_equal(bench.transport.starts[0].body, body);
    close_bench();
}

static void a_corrected_request_that_cannot_be_made_any_more_is_never_sent(void **context)
{
    uint64_t child = add_corrected(ITEM_READY);
    (void)context;

    rendering = ERR_INPUT;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 0);
    assert_int_equal(state_of(child), ITEM_FAILED);
    assert_string_equal(bench.ledger.problem[child], "no id in it");
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->blocked, 0);
    close_bench();
}

/* A run of corrections has just made it, and has no renderer. */
static void without_a_renderer_a_corrected_request_is_sent_as_it_stands(void **context)
{
    (void)add_corrected(ITEM_BLOCKED);
    (void)context;

    bench.options.renderer = NULL;
    open_engine();
    settle();
    assert_int_equal(rendered, 0);
    assert_int_equal(bench.transport.count, 1);
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
    uint64_t child, ready;
    (void)context;

    add_damaged_children(&child, &ready);
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
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(a_draft_is_rendered_once_and_frozen),
        TEST(a_corrected_request_is_made_anew_when_it_has_changed),
        TEST(a_corrected_request_that_is_as_it_was_is_sent_as_it_stands),
        TEST(a_corrected_request_that_cannot_be_made_any_more_is_never_sent),
        TEST(without_a_renderer_a_corrected_request_is_sent_as_it_stands),
        TEST(what_cannot_be_rendered_fails_with_the_problem_and_is_never_sent),
        TEST(what_is_not_wanted_is_skipped_and_those_behind_it_are_looked_at),
        TEST(a_damaged_needs_record_fails_its_item_and_nothing_is_sent),
        TEST(a_damaged_blocked_item_is_in_doubt_and_nothing_is_sent),
        TEST(an_item_of_a_job_that_this_run_has_not_is_left_to_one_that_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
