/* The rules that must never bend, while an item is sent. */
#include "lifecycle_bench.h"

static void a_start_notes_the_servers_time_and_sends_nothing_yet(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct step step = step_of(&item, EVENT_START, &keyed);
    (void)context;

    assert_int_equal(step.effect, EFFECT_NONE);
    assert_int_equal(item.intent_ms, SERVER_NOW_MS);
    assert_int_equal(item.intent_boot_ms, BOOT_NOW_MS);
    assert_int_equal(item.intent_boot, BOOT);
    assert_int_equal(item.due_ms, NOW_MS);
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.attempt_count, 0);
}

static void a_repeat_goes_out_only_while_the_key_is_young(void **context)
{
    static const struct {
        bool unknown_send;
        int64_t age_ms;
        bool sends;
    } cases[] = {{false, 3600000, true}, /* nothing can be repeated, so nothing can be doubled */
                 {true, 0, true},
                 {true, 3599999, true},
                 {true, 3600000, false},
                 {true, INT64_MAX, false}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct item item = item_in(ITEM_SENDING);
        struct item_event event = event_of(EVENT_DUE);
        struct step step;

        item.unknown_send = cases[i].unknown_send;
        event.key_age_ms = cases[i].age_ms;
        step = lifecycle_step(&item, &event, &keyed);
        assert_int_equal(step.effect, cases[i].sends ? EFFECT_SEND : EFFECT_FINAL);
        assert_int_equal(step.item.state, cases[i].sends ? ITEM_SENDING : ITEM_IN_DOUBT);
        assert_int_equal(step.item.reason, cases[i].sends ? REASON_NONE : REASON_WINDOW_PASSED);
        assert_int_equal(step.item.attempt_count, cases[i].sends ? 2 : 1);
        assert_int_equal(step.item.generation, 1);
    }
}

static void a_lost_send_is_repeated_under_the_same_generation(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    step_of(&item, EVENT_LOST, &keyed);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_int_equal(item.generation, 1);
    assert_true(item.unknown_send);
    assert_int_equal(item.trouble_count, 1);
    assert_true(item.due_ms > NOW_MS && item.due_ms <= NOW_MS + 100);
    assert_int_equal(item.intent_ms, INTENT_MS);
}

static void after_the_last_lost_attempt_the_item_is_in_doubt(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    item.attempt_count = keyed.attempt_limit - 1;
    step_of(&item, EVENT_LOST, &keyed);
    assert_int_equal(item.state, ITEM_SENDING);
    step_of(&item, EVENT_DUE, &keyed);
    step_of(&item, EVENT_LOST, &keyed);
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.reason, REASON_RETRIES_EXHAUSTED);
}

static void what_has_been_lost_for_too_long_is_given_up(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_DUE);
    struct policy policy = keyed;
    struct step step;
    (void)context;

    policy.give_up_ms = 60000;
    event.key_age_ms = 60000;
    item.unknown_send = true;
    step = lifecycle_step(&item, &event, &policy);
    assert_int_equal(step.item.state, ITEM_IN_DOUBT);
    assert_int_equal(step.item.reason, REASON_RETRIES_EXHAUSTED);
    event.key_age_ms = 59999;
    assert_int_equal(lifecycle_step(&item, &event, &policy).effect, EFFECT_SEND);
    event.key_age_ms = 60000;
    item.attempt_count = 0; /* after a restart it is tried at least once */
    assert_int_equal(lifecycle_step(&item, &event, &policy).effect, EFFECT_SEND);
}

static void being_turned_away_uses_up_no_attempt(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    for (int i = 0; i < 20; i++) {
        step_of(&item, i % 2 == 0 ? EVENT_THROTTLED : EVENT_HELD, &keyed);
        assert_int_equal(item.attempt_count, 0);
        assert_false(item.unknown_send);
        step_of(&item, EVENT_DUE, &keyed);
    }
    assert_int_equal(item.attempt_total, 21);
    step_of(&item, EVENT_LOST, &keyed);
    assert_int_equal(item.state, ITEM_SENDING);
}

static void a_longer_retry_after_is_obeyed(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_THROTTLED);
    (void)context;

    event.delay_ms = 90000;
    assert_int_equal(lifecycle_step(&item, &event, &keyed).item.due_ms, NOW_MS + 90000);
    event.delay_ms = 0;
    assert_true(lifecycle_step(&item, &event, &keyed).item.due_ms > NOW_MS);
}

static void what_never_left_is_no_attempt_but_forgets_no_earlier_one(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    item.attempt_total = 5;
    step_of(&item, EVENT_NOT_SENT, &keyed);
    assert_int_equal(item.attempt_count, 0);
    assert_int_equal(item.attempt_total, 4);
    assert_false(item.unknown_send);

    item = item_in(ITEM_SENDING);
    item.unknown_send = true;
    step_of(&item, EVENT_NOT_SENT, &keyed);
    assert_true(item.unknown_send);
}

static void an_item_without_a_key_is_sent_at_most_once(void **context)
{
    static const enum item_event_kind unknown[] = {EVENT_LOST, EVENT_RESTARTED};
    struct policy policy = unkeyed_policy();
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        struct item item = item_in(ITEM_SENDING);

        step_of(&item, unknown[i], &policy);
        assert_int_equal(item.state, ITEM_IN_DOUBT);
        assert_int_equal(item.reason, REASON_UNKEYED_UNKNOWN);
    }
}

static void an_item_without_a_key_is_ready_again_when_it_was_turned_away(void **context)
{
    static const enum item_event_kind harmless[] = {EVENT_THROTTLED, EVENT_HELD, EVENT_NOT_SENT};
    struct policy policy = unkeyed_policy();
    (void)context;

    for (size_t i = 0; i < 3; i++) {
        struct item item = item_in(ITEM_SENDING);

        item.trouble_count = 2;
        step_of(&item, harmless[i], &policy);
        assert_int_equal(item.state, ITEM_READY); /* a crash leaves no doubt */
        assert_int_equal(item.generation, 1);
        assert_int_equal(item.trouble_count, 3); /* the next pause is longer */
        assert_true(item.due_ms > NOW_MS);
        step_of(&item, EVENT_START, &policy);
        assert_int_equal(item.trouble_count, 3);
        assert_int_equal(step_of(&item, EVENT_DUE, &policy).effect, EFFECT_SEND);
    }
}

static void a_crash_makes_an_intent_an_unknown_send(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    step_of(&item, EVENT_START, &keyed);
    step_of(&item, EVENT_RESTARTED, &keyed);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_true(item.unknown_send);
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.intent_ms, SERVER_NOW_MS); /* the age counts from the first one */
    assert_int_equal(item.due_ms, NOW_MS);
}

static void a_refusal_is_final_only_when_no_other_copy_can_exist(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    step_of(&item, EVENT_REFUSED, &keyed);
    assert_int_equal(item.state, ITEM_FAILED);
    assert_int_equal(item.reason, REASON_REFUSED);
    assert_int_equal(item.finished_ms, NOW_MS);

    item = item_in(ITEM_SENDING);
    item.unknown_send = true;
    step_of(&item, EVENT_REFUSED, &keyed);
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.reason, REASON_REFUSED_AFTER_UNKNOWN);
}

static void an_unsent_intent_is_withdrawn_without_a_trace(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    step_of(&item, EVENT_START, &keyed);
    step_of(&item, EVENT_WITHDRAWN, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.intent_ms, 0);
    assert_int_equal(item.due_ms, 0);
}

static void an_acceptance_is_kept_with_its_remote_job(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_ACCEPTED);
    struct step step;
    (void)context;

    item.trouble_count = 4;
    event.delay_ms = 700;
    event.job_path = JOB_PATH_V2;
    event.http_status = 202;
    step = lifecycle_step(&item, &event, &keyed);
    assert_true(step.item.accepted);
    assert_string_equal(step.item.remote_job, "job-1");
    assert_int_equal(step.item.job_path, JOB_PATH_V2);
    assert_int_equal(step.item.accepted_ms, NOW_MS);
    assert_int_equal(step.item.due_ms, NOW_MS + 700);
    assert_int_equal(step.item.trouble_count, 0);
    assert_int_equal(step.item.http_status, 202);
}

static void texts_of_an_answer_are_cut_to_their_maximum(void **context)
{
    char text[REMOTE_JOB_BYTES_MAX + 100];
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_ACCEPTED);
    struct step step;
    (void)context;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    event.remote_job = text;
    event.error_type = text;
    event.error_code = text;
    step = lifecycle_step(&item, &event, &keyed);
    assert_int_equal(strlen(step.item.remote_job), REMOTE_JOB_BYTES_MAX);
    assert_int_equal(strlen(step.item.error_type), ERROR_CODE_BYTES_MAX);
    assert_int_equal(strlen(step.item.error_code), ERROR_CODE_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_notes_the_servers_time_and_sends_nothing_yet),
        cmocka_unit_test(a_repeat_goes_out_only_while_the_key_is_young),
        cmocka_unit_test(a_lost_send_is_repeated_under_the_same_generation),
        cmocka_unit_test(after_the_last_lost_attempt_the_item_is_in_doubt),
        cmocka_unit_test(what_has_been_lost_for_too_long_is_given_up),
        cmocka_unit_test(being_turned_away_uses_up_no_attempt),
        cmocka_unit_test(a_longer_retry_after_is_obeyed),
        cmocka_unit_test(what_never_left_is_no_attempt_but_forgets_no_earlier_one),
        cmocka_unit_test(an_item_without_a_key_is_sent_at_most_once),
        cmocka_unit_test(an_item_without_a_key_is_ready_again_when_it_was_turned_away),
        cmocka_unit_test(a_crash_makes_an_intent_an_unknown_send),
        cmocka_unit_test(a_refusal_is_final_only_when_no_other_copy_can_exist),
        cmocka_unit_test(an_unsent_intent_is_withdrawn_without_a_trace),
        cmocka_unit_test(an_acceptance_is_kept_with_its_remote_job),
        cmocka_unit_test(texts_of_an_answer_are_cut_to_their_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
