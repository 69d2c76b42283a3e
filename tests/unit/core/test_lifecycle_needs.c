/* Items that wait for others, and those for which others wait. */
#include "lifecycle_bench.h"

static struct item step_with(struct item item, const struct item_event *event)
{
    struct step step = lifecycle_step(&item, event, &keyed);

    assert_true(step.legal);
    return step.item;
}

static void a_blocked_item_waits_for_one_thing_at_a_time(void **context)
{
    struct item item = item_in(ITEM_BLOCKED);
    struct item_event event = event_of(EVENT_WAITS);
    (void)context;

    item.waits_on = WAIT_JOB;
    item.waits_for = 3;
    event.waits_on = WAIT_ITEM;
    event.waits_for = 17;
    item = step_with(item, &event);
    assert_int_equal(item.state, ITEM_BLOCKED);
    assert_int_equal(item.waits_on, WAIT_ITEM);
    assert_int_equal(item.waits_for, 17);
    step_of(&item, EVENT_UNBLOCKED, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.waits_on, WAIT_NONE);
    assert_int_equal(item.waits_for, 0);
    assert_int_equal(item.request_hash.high, 5);
    assert_int_equal(item.request_hash.low, 6);
}

static void a_ready_item_whose_need_is_not_met_any_more_waits_again(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct item_event event = event_of(EVENT_WAITS);
    (void)context;

    event.waits_on = WAIT_JOB;
    event.waits_for = 2;
    item = step_with(item, &event);
    assert_int_equal(item.state, ITEM_BLOCKED);
    assert_int_equal(item.waits_on, WAIT_JOB);
    assert_int_equal(item.waits_for, 2);
    assert_int_equal(item.request_hash.high, 3);
}

static void what_cannot_be_rendered_fails_and_nothing_was_sent(void **context)
{
    struct item item = item_in(ITEM_BLOCKED);
    struct item_event event = event_of(EVENT_NOT_RENDERED);
    (void)context;

    item.http_status = 400; /* of an earlier generation */
    event.http_status = 0;
    item = step_with(item, &event);
    assert_int_equal(item.state, ITEM_FAILED);
    assert_int_equal(item.reason, REASON_NOT_RENDERED);
    assert_int_equal(item.http_status, 0);
    assert_int_equal(item.attempt_total, 0);
    item.has_needs = true;
    step_of(&item, EVENT_RETRY, &keyed);
    assert_int_equal(item.state, ITEM_BLOCKED);
    assert_int_equal(item.waits_on, WAIT_NONE);
    assert_int_equal(item.generation, 1);
}

/* Whether its needs are met now, only the next run can say. */
static void whatever_a_person_makes_sendable_has_its_needs_looked_at_again(void **context)
{
    static const struct {
        enum item_state state;
        enum item_event_kind kind;
    } cases[] = {{ITEM_FAILED, EVENT_RETRY},
                 {ITEM_CANCELLED, EVENT_RETRY},
                 {ITEM_IN_DOUBT, EVENT_RESOLVED_NOT_DONE}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct item item = item_in(cases[i].state);

        item.has_needs = true;
        step_of(&item, cases[i].kind, &keyed);
        assert_int_equal(item.state, ITEM_BLOCKED);
        assert_int_equal(item.waits_on, WAIT_NONE);
        assert_true(item.has_needs);
    }
}

static void a_changed_row_brings_its_own_needs(void **context)
{
    static const enum item_state states[] = {ITEM_BLOCKED, ITEM_READY, ITEM_SUCCEEDED, ITEM_FAILED,
                                             ITEM_SKIPPED};
    struct item_event event = event_of(EVENT_CHANGED);
    (void)context;

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct item item = item_in(states[i]);

        event.has_needs = true;
        event.waits_on = WAIT_ITEM;
        event.waits_for = 5;
        item = step_with(item, &event);
        assert_int_equal(item.state, ITEM_BLOCKED);
        assert_int_equal(item.waits_for, 5);
        assert_int_equal(item.generation, states[i] == ITEM_SUCCEEDED ? 2 : 1);
        event.waits_on = WAIT_NONE;
        event.waits_for = 0;
        item = step_with(item, &event);
        assert_int_equal(item.state, ITEM_READY);
        assert_true(item.has_needs);
        event.has_needs = false;
        item = step_with(item, &event);
        assert_false(item.has_needs);
    }
}

static void a_release_is_due_when_an_item_with_dependents_is_over(void **context)
{
    static const struct {
        enum item_state state;
        enum item_event_kind kind;
        bool due;
    } cases[] = {{ITEM_WAITING, EVENT_DONE, true},           {ITEM_SENDING, EVENT_DONE, true},
                 {ITEM_READY, EVENT_CANCELLED, true},        {ITEM_BLOCKED, EVENT_CANCELLED, true},
                 {ITEM_IN_DOUBT, EVENT_RESOLVED_DONE, true}, {ITEM_IN_DOUBT, EVENT_ABANDONED, true},
                 {ITEM_WAITING, EVENT_REFUSED, false},       {ITEM_WAITING, EVENT_UNCLEAR, false},
                 {ITEM_BLOCKED, EVENT_NOT_RENDERED, false},  {ITEM_BLOCKED, EVENT_SKIPPED, true}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int dependents = 0; dependents < 2; dependents++) {
            struct item item = item_in(cases[i].state);
            struct item_event event = event_of(cases[i].kind);

            item.has_dependents = dependents == 1;
            if (event.reason == REASON_NONE && cases[i].kind == EVENT_REFUSED)
                event.reason = REASON_REFUSED;
            item = step_with(item, &event);
            assert_int_equal(item.release_due, cases[i].due && dependents == 1);
            assert_int_equal(item.has_dependents, dependents);
        }
    }
}

static void who_is_to_be_sent_again_releases_nobody(void **context)
{
    struct item item = item_in(ITEM_SUCCEEDED);
    (void)context;

    item.has_dependents = item.release_due = true;
    step_of(&item, EVENT_CHANGED, &keyed);
    assert_false(item.release_due);
    assert_true(item.has_dependents);
    item = item_in(ITEM_CANCELLED);
    item.has_dependents = item.release_due = true;
    step_of(&item, EVENT_RETRY, &keyed);
    assert_false(item.release_due);
}

static void an_end_forgets_what_was_waited_for(void **context)
{
    struct item item = item_in(ITEM_BLOCKED);
    (void)context;

    item.waits_on = WAIT_ITEM;
    item.waits_for = 4;
    step_of(&item, EVENT_CANCELLED, &keyed);
    assert_int_equal(item.waits_on, WAIT_NONE);
    assert_int_equal(item.waits_for, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blocked_item_waits_for_one_thing_at_a_time),
        cmocka_unit_test(a_ready_item_whose_need_is_not_met_any_more_waits_again),
        cmocka_unit_test(what_cannot_be_rendered_fails_and_nothing_was_sent),
        cmocka_unit_test(whatever_a_person_makes_sendable_has_its_needs_looked_at_again),
        cmocka_unit_test(a_changed_row_brings_its_own_needs),
        cmocka_unit_test(a_release_is_due_when_an_item_with_dependents_is_over),
        cmocka_unit_test(who_is_to_be_sent_again_releases_nobody),
        cmocka_unit_test(an_end_forgets_what_was_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
