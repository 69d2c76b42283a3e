/* The rules that must never bend, while an item waits for its remote job. */
#include "lifecycle_bench.h"

static void no_trouble_with_a_poll_ends_an_item(void **context)
{
    static const enum item_event_kind trouble[] = {EVENT_THROTTLED, EVENT_HELD, EVENT_LOST,
                                                   EVENT_NOT_SENT};
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    for (uint32_t i = 1; i <= 1000; i++) {
        step_of(&item, trouble[i % 4], &keyed);
        assert_int_equal(item.state, ITEM_WAITING);
        assert_int_equal(item.trouble_count, i);
        assert_true(item.due_ms > NOW_MS && item.due_ms <= NOW_MS + keyed.max_delay_ms);
    }
    assert_int_equal(item.attempt_count, 1);
    assert_false(item.unknown_send);
}

static void a_pending_job_is_asked_again_after_the_given_delay(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_PENDING);
    struct step step;
    (void)context;

    item.trouble_count = 3;
    event.delay_ms = 2500;
    step = lifecycle_step(&item, &event, &keyed);
    assert_int_equal(step.item.due_ms, NOW_MS + 2500);
    assert_int_equal(step.item.poll_count, 1);
    assert_int_equal(step.item.trouble_count, 0);
    event.delay_ms = -1;
    assert_int_equal(lifecycle_step(&item, &event, &keyed).item.due_ms, NOW_MS + 1);
}

static void a_job_that_is_pending_for_a_day_is_called_stuck_and_polled_on(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_PENDING);
    struct policy policy = keyed;
    (void)context;

    item.accepted_ms = NOW_MS - policy.stuck_ms + 1;
    assert_int_equal(lifecycle_step(&item, &event, &policy).item.reason, REASON_NONE);
    item.accepted_ms = NOW_MS - policy.stuck_ms;
    item = lifecycle_step(&item, &event, &policy).item;
    assert_int_equal(item.reason, REASON_STUCK_PENDING);
    assert_int_equal(item.state, ITEM_WAITING);
    event = event_of(EVENT_DONE);
    assert_int_equal(lifecycle_step(&item, &event, &policy).item.reason, REASON_NONE);
    policy.stuck_ms = 0;
    item.reason = REASON_NONE;
    event = event_of(EVENT_PENDING);
    assert_int_equal(lifecycle_step(&item, &event, &policy).item.reason, REASON_NONE);
}

static void a_missing_job_is_in_doubt_only_after_often_and_long_enough(void **context)
{
    static const struct {
        uint32_t before;
        int64_t age_ms;
        enum item_state state;
    } cases[] = {{0, 1000000, ITEM_WAITING}, {1, 1000000, ITEM_WAITING},
                 {2, 59999, ITEM_WAITING},   {2, 60000, ITEM_IN_DOUBT},
                 {99, 59999, ITEM_WAITING},  {99, 60000, ITEM_IN_DOUBT}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct item item = item_in(ITEM_WAITING);

        item.missing_count = cases[i].before;
        item.accepted_ms = NOW_MS - cases[i].age_ms;
        step_of(&item, EVENT_MISSING, &keyed);
        assert_int_equal(item.state, cases[i].state);
        assert_int_equal(item.generation, 1); /* it was accepted: never sent again by itself */
        if (item.state == ITEM_IN_DOUBT)
            assert_int_equal(item.reason, REASON_SERVER_LOST_JOB);
    }
}

static void a_missing_job_is_asked_for_at_its_other_address(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    item.job_path = JOB_PATH_V2;
    step_of(&item, EVENT_MISSING, &keyed);
    assert_int_equal(item.job_path, JOB_PATH_BASE);
    step_of(&item, EVENT_MISSING, &keyed);
    assert_int_equal(item.job_path, JOB_PATH_V2);
    step_of(&item, EVENT_PENDING, &keyed);
    assert_int_equal(item.job_path, JOB_PATH_V2);
}

static void only_polls_that_were_answered_so_count_as_missing(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    item.accepted_ms = NOW_MS - 1000000;
    for (int i = 0; i < 10; i++)
        step_of(&item, EVENT_LOST, &keyed); /* an outage, and then a first strange answer */
    step_of(&item, EVENT_MISSING, &keyed);
    assert_int_equal(item.state, ITEM_WAITING);
    step_of(&item, EVENT_MISSING, &keyed);
    step_of(&item, EVENT_PENDING, &keyed); /* it is known after all */
    step_of(&item, EVENT_MISSING, &keyed);
    step_of(&item, EVENT_MISSING, &keyed);
    assert_int_equal(item.state, ITEM_WAITING);
    step_of(&item, EVENT_LOST, &keyed);
    step_of(&item, EVENT_MISSING, &keyed);
    assert_int_equal(item.state, ITEM_IN_DOUBT);
}

static void a_clock_that_was_set_back_does_not_keep_a_missing_job_for_hours(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_MISSING);
    (void)context;

    item.accepted_ms = NOW_MS + 3600000;
    for (int i = 0; i < 10; i++) {
        item = lifecycle_step(&item, &event, &keyed).item;
        assert_int_equal(item.state, ITEM_WAITING);
    }
    event.now_ms += keyed.missing_for_ms;
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.state, ITEM_IN_DOUBT);
}

static void a_throttled_job_gets_a_new_key_and_an_intent_in_the_same_value(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    item.unknown_send = true;
    step_of(&item, EVENT_JOB_THROTTLED, &keyed);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_int_equal(item.generation, 2);
    assert_int_equal(item.intent_ms, SERVER_NOW_MS);
    assert_int_equal(item.attempt_count, 0);
    assert_false(item.unknown_send); /* of the new generation nothing has left */
    assert_false(item.accepted);
    assert_string_equal(item.remote_job, "");
    assert_true(item.due_ms > NOW_MS);
}

static void new_keys_are_limited(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    for (uint32_t generation = 1; generation <= keyed.rekey_limit; generation++) {
        assert_int_equal(item.generation, generation);
        step_of(&item, EVENT_JOB_THROTTLED, &keyed);
        assert_int_equal(item.state, ITEM_SENDING);
        step_of(&item, EVENT_DUE, &keyed);
        step_of(&item, EVENT_ACCEPTED, &keyed);
    }
    step_of(&item, EVENT_JOB_THROTTLED, &keyed);
    assert_int_equal(item.state, ITEM_FAILED);
    assert_int_equal(item.reason, REASON_JOB_FAILED);
    assert_int_equal(item.generation, keyed.rekey_limit + 1);
}

static void a_throttled_job_without_a_key_fails(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct policy policy = unkeyed_policy();
    (void)context;

    step_of(&item, EVENT_JOB_THROTTLED, &policy);
    assert_int_equal(item.state, ITEM_FAILED);
    assert_int_equal(item.generation, 1);
}

static void without_a_key_a_failed_job_says_nothing_of_earlier_sends(void **context)
{
    static const enum item_event_kind kinds[] = {EVENT_REFUSED, EVENT_JOB_THROTTLED};
    struct policy policy = keyed;
    (void)context;

    policy.by_nature = true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct item item = item_in(ITEM_WAITING);

        item.unknown_send = true;
        step_of(&item, kinds[i], &policy);
        assert_int_equal(item.state, ITEM_IN_DOUBT);
        assert_int_equal(item.reason, REASON_REFUSED_AFTER_UNKNOWN);
        assert_int_equal(item.generation, 1);
        item = item_in(ITEM_WAITING);
        step_of(&item, kinds[i], &policy);
        assert_int_equal(item.state, kinds[i] == EVENT_REFUSED ? ITEM_FAILED : ITEM_SENDING);
    }
}

static void a_failed_job_is_final_even_after_an_unknown_send(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    item.unknown_send = true; /* all copies share the job that was found */
    step_of(&item, EVENT_REFUSED, &keyed);
    assert_int_equal(item.state, ITEM_FAILED);
}

static void after_a_crash_a_waiting_item_only_polls(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_RESTARTED);
    (void)context;

    event.delay_ms = 333;
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.due_ms, NOW_MS + 333);
    assert_false(item.unknown_send);
    assert_int_equal(step_of(&item, EVENT_DUE, &keyed).effect, EFFECT_POLL);
    assert_int_equal(item.attempt_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_trouble_with_a_poll_ends_an_item),
        cmocka_unit_test(a_pending_job_is_asked_again_after_the_given_delay),
        cmocka_unit_test(a_missing_job_is_in_doubt_only_after_often_and_long_enough),
        cmocka_unit_test(a_missing_job_is_asked_for_at_its_other_address),
        cmocka_unit_test(only_polls_that_were_answered_so_count_as_missing),
        cmocka_unit_test(a_clock_that_was_set_back_does_not_keep_a_missing_job_for_hours),
        cmocka_unit_test(a_throttled_job_gets_a_new_key_and_an_intent_in_the_same_value),
        cmocka_unit_test(new_keys_are_limited),
        cmocka_unit_test(a_throttled_job_without_a_key_fails),
        cmocka_unit_test(without_a_key_a_failed_job_says_nothing_of_earlier_sends),
        cmocka_unit_test(a_failed_job_is_final_even_after_an_unknown_send),
        cmocka_unit_test(after_a_crash_a_waiting_item_only_polls),
        cmocka_unit_test(a_job_that_is_pending_for_a_day_is_called_stuck_and_polled_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
