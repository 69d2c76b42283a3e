/* What an item keeps and forgets, and what a person's word does to it. */
#include "lifecycle_bench.h"

/* --- what is kept and what is forgotten --- */

static void every_answer_leaves_its_status_and_codes(void **context)
{
    static const struct {
        enum item_state state;
        enum item_event_kind kind;
    } answers[] = {{ITEM_SENDING, EVENT_ACCEPTED},     {ITEM_SENDING, EVENT_DONE},
                   {ITEM_SENDING, EVENT_REFUSED},      {ITEM_SENDING, EVENT_THROTTLED},
                   {ITEM_SENDING, EVENT_HELD},         {ITEM_SENDING, EVENT_LOST},
                   {ITEM_SENDING, EVENT_UNCLEAR},      {ITEM_WAITING, EVENT_DONE},
                   {ITEM_WAITING, EVENT_REFUSED},      {ITEM_WAITING, EVENT_UNCLEAR},
                   {ITEM_WAITING, EVENT_JOB_THROTTLED}};
    (void)context;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct item item = item_in(answers[i].state);
        struct item_event event = event_of(answers[i].kind);

        event.http_status = 418;
        event.error_type = "TYPE";
        event.error_code = "CODE";
        item = lifecycle_step(&item, &event, &keyed).item;
        assert_int_equal(item.http_status, 418);
        assert_string_equal(item.error_type, "TYPE");
        assert_string_equal(item.error_code, "CODE");
        event.error_type = event.error_code = NULL;
        item = item_in(answers[i].state);
        assert_string_equal(lifecycle_step(&item, &event, &keyed).item.error_code, "");
    }
}

static void trouble_with_a_poll_keeps_the_last_real_answer(void **context)
{
    static const enum item_event_kind trouble[] = {EVENT_THROTTLED, EVENT_HELD, EVENT_LOST,
                                                   EVENT_NOT_SENT};
    (void)context;

    for (size_t i = 0; i < 4; i++) {
        struct item item = item_in(ITEM_WAITING);
        struct item_event event = event_of(trouble[i]);

        item.http_status = 202;
        event.http_status = 503;
        assert_int_equal(lifecycle_step(&item, &event, &keyed).item.http_status, 202);
    }
}

static void an_end_leaves_nothing_that_waits(void **context)
{
    static const enum item_event_kind ends[] = {EVENT_DONE, EVENT_REFUSED, EVENT_UNCLEAR};
    (void)context;

    for (size_t i = 0; i < 3; i++) {
        struct item item = item_in(ITEM_WAITING);

        item.due_ms = NOW_MS + 5000;
        item.trouble_count = 3;
        step_of(&item, ends[i], &keyed);
        assert_int_equal(item.due_ms, 0);
        assert_int_equal(item.trouble_count, 0);
        assert_int_equal(item.finished_ms, NOW_MS);
    }
}

static void a_fresh_start_forgets_the_old_generation(void **context)
{
    static const struct {
        enum item_state state;
        enum item_event_kind kind;
    } starts[] = {{ITEM_FAILED, EVENT_RETRY},
                  {ITEM_SUCCEEDED, EVENT_CHANGED},
                  {ITEM_IN_DOUBT, EVENT_RESOLVED_NOT_DONE},
                  {ITEM_WAITING, EVENT_JOB_THROTTLED}};
    (void)context;

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct item item = item_in(starts[i].state);

        item.accepted = true;
        item.reason = REASON_SERVER_ERROR;
        item.attempt_count = item.poll_count = item.trouble_count = item.missing_count = 3;
        item.attempt_total = 9;
        item.accepted_ms = item.finished_ms = NOW_MS - 1;
        item.job_path = JOB_PATH_V2;
        step_of(&item, starts[i].kind, &keyed);
        assert_int_equal(item.generation, 2);
        assert_int_equal(item.reason, REASON_NONE);
        assert_int_equal(item.attempt_count, 0);
        assert_int_equal(item.poll_count, 0);
        assert_int_equal(item.trouble_count, 0);
        assert_int_equal(item.missing_count, 0);
        assert_int_equal(item.accepted_ms, 0);
        assert_int_equal(item.finished_ms, 0);
        assert_int_equal(item.job_path, JOB_PATH_BASE);
        assert_string_equal(item.remote_job, "");
        assert_int_equal(item.attempt_total, 9); /* over all generations */
    }
}

static void success_notes_when_it_was_accepted(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    step_of(&item, EVENT_DONE, &keyed);
    assert_int_equal(item.accepted_ms, NOW_MS);
    item = item_in(ITEM_WAITING);
    step_of(&item, EVENT_DONE, &keyed);
    assert_int_equal(item.accepted_ms, NOW_MS - 1000);
}

static void polls_are_counted_when_the_server_answered(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_PENDING);
    (void)context;

    step_of(&item, EVENT_MISSING, &keyed);
    step_of(&item, EVENT_PENDING, &keyed);
    step_of(&item, EVENT_LOST, &keyed);
    assert_int_equal(item.poll_count, 2);
    event.http_status = 206;
    event.delay_ms = 0;
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.http_status, 206);
    assert_int_equal(item.due_ms, NOW_MS + 1); /* never at once: that would be a hot loop */
}

static void a_job_given_up_as_lost_keeps_the_answer_that_said_so(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_MISSING);
    (void)context;

    item.missing_count = 99;
    item.accepted_ms = 0;
    event.http_status = 404;
    event.error_code = "JOB_NOT_FOUND";
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.http_status, 404);
    assert_string_equal(item.error_code, "JOB_NOT_FOUND");
}

static void an_acceptance_starts_the_count_of_missing_polls(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    (void)context;

    item.missing_count = 2;
    step_of(&item, EVENT_ACCEPTED, &keyed);
    assert_int_equal(item.missing_count, 0);
}

static void a_start_is_due_at_once_and_gives_no_reason(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    item.reason = REASON_REFUSED;
    step_of(&item, EVENT_START, &keyed);
    assert_int_equal(item.reason, REASON_NONE);
    item.due_ms = NOW_MS + 100000;
    step_of(&item, EVENT_RESTARTED, &keyed);
    assert_int_equal(item.due_ms, NOW_MS);
}

/* --- a person's word --- */

static void a_retry_keeps_the_key_that_was_never_accepted(void **context)
{
    struct item item = item_in(ITEM_FAILED);
    (void)context;

    step_of(&item, EVENT_RETRY, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.reason, REASON_NONE);
    assert_int_equal(item.attempt_count, 0);
}

static void a_retry_of_an_accepted_item_takes_a_new_key(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    step_of(&item, EVENT_REFUSED, &keyed);
    step_of(&item, EVENT_RETRY, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.generation, 2);
    assert_false(item.accepted);
}

static void a_retry_of_an_abandoned_item_changes_nothing(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    (void)context;

    step_of(&item, EVENT_ABANDONED, &keyed);
    assert_int_equal(item.state, ITEM_CANCELLED);
    assert_int_equal(item.reason, REASON_ABANDONED);
    assert_int_equal(step_of(&item, EVENT_RETRY, &keyed).effect, EFFECT_NONE);
    assert_int_equal(item.state, ITEM_CANCELLED);
    assert_int_equal(item.reason, REASON_ABANDONED);
    assert_int_equal(item.generation, 1);
}

static void a_cancelled_item_can_be_tried_after_all(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    step_of(&item, EVENT_CANCELLED, &keyed);
    assert_int_equal(item.reason, REASON_CANCELLED);
    step_of(&item, EVENT_RETRY, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.generation, 1);
}

static void a_changed_row_takes_a_new_key_only_when_the_old_one_is_used_up(void **context)
{
    static const struct {
        enum item_state state;
        bool accepted;
        uint32_t generation;
    } cases[] = {{ITEM_READY, false, 1},    {ITEM_BLOCKED, false, 1}, {ITEM_SKIPPED, false, 1},
                 {ITEM_SUCCEEDED, true, 2}, {ITEM_FAILED, false, 1},  {ITEM_FAILED, true, 2}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct item item = item_in(cases[i].state);

        item.accepted = cases[i].accepted;
        step_of(&item, EVENT_CHANGED, &keyed);
        assert_int_equal(item.state, ITEM_READY);
        assert_int_equal(item.generation, cases[i].generation);
        assert_int_equal(item.request_hash.high, 5);
        assert_int_equal(item.request_hash.low, 6);
        assert_false(item.accepted);
    }
}

static void what_was_undone_stays_so_until_a_retry_makes_a_new_generation(void **context)
{
    struct item item = item_in(ITEM_SUCCEEDED);
    (void)context;

    step_of(&item, EVENT_UNDONE, &keyed);
    assert_int_equal(item.state, ITEM_CANCELLED);
    assert_int_equal(item.reason, REASON_UNDONE);
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.request_hash.low, 4);
    step_of(&item, EVENT_RETRY, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.generation, 2);
}

static void a_correction_remembers_what_the_source_said_through_further_ones(void **context)
{
    struct item item = item_in(ITEM_FAILED);
    struct item_event event = event_of(EVENT_CHANGED);
    (void)context;

    event.corrected = true;
    event.source_hash = (struct hash128){.high = 1, .low = 2};
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_true(item.corrected);
    assert_int_equal(item.source_hash.low, 2);
    assert_int_equal(item.request_hash.low, 6);
    event.request_hash = (struct hash128){.high = 7, .low = 8};
    event.source_hash = (struct hash128){.high = 5, .low = 6};
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.source_hash.low, 2);
    assert_int_equal(item.request_hash.low, 8);
    event.corrected = false; /* the source's own row has changed */
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_false(item.corrected);
    assert_int_equal(item.source_hash.low, 0);
}

static void a_plain_retry_leaves_a_correction_as_it_is(void **context)
{
    struct item item = item_in(ITEM_FAILED);
    (void)context;

    item.corrected = true;
    item.source_hash = (struct hash128){1, 2};
    step_of(&item, EVENT_RETRY, &keyed);
    assert_true(item.corrected);
    assert_int_equal(item.source_hash.low, 2);
}

static void an_intent_remembers_its_run(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct item_event event = event_of(EVENT_START);
    (void)context;

    event.run = 12;
    assert_int_equal(lifecycle_step(&item, &event, &keyed).item.sent_run, 12);
}

static void resolving_as_done_ends_in_success_and_uses_up_the_key(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    (void)context;

    item.unknown_send = true;
    step_of(&item, EVENT_RESOLVED_DONE, &keyed);
    assert_int_equal(item.state, ITEM_SUCCEEDED);
    assert_int_equal(item.reason, REASON_RESOLVED);
    step_of(&item, EVENT_CHANGED, &keyed);
    assert_int_equal(item.generation, 2);
}

static void what_was_found_done_is_not_taken_for_a_persons_word(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    struct item_event event = event_of(EVENT_RESOLVED_DONE);
    struct step step;
    (void)context;

    event.reason = REASON_RECONCILED;
    step = lifecycle_step(&item, &event, &keyed);
    assert_int_equal(step.item.state, ITEM_SUCCEEDED);
    assert_int_equal(step.item.reason, REASON_RECONCILED);
}

static void resolving_as_not_done_takes_a_new_key_with_a_fresh_window(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    (void)context;

    item.unknown_send = true;
    item.accepted = true;
    step_of(&item, EVENT_RESOLVED_NOT_DONE, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.generation, 2);
    assert_int_equal(item.intent_ms, 0);
    assert_false(item.unknown_send);
}

static void a_corrected_retry_remembers_what_the_source_said(void **context)
{
    struct item item = item_in(ITEM_FAILED);
    struct item_event event = event_of(EVENT_RETRY);
    struct step step;
    (void)context;

    event.corrected = true;
    event.source_hash = (struct hash128){.high = 7, .low = 8};
    step = lifecycle_step(&item, &event, &keyed);
    assert_int_equal(step.item.state, ITEM_READY);
    assert_true(step.item.corrected);
    assert_int_equal(step.item.source_hash.high, 7);
    assert_int_equal(step.item.source_hash.low, 8);
}

static void what_a_crash_must_not_forget_is_stored_and_nothing_else(void **context)
{
    const struct item before = item_in(ITEM_SENDING);
    struct item after[6] = {before, before, before, before, before, before}, same = before;
    (void)context;

    after[0].state = ITEM_WAITING;
    after[1].generation++;
    after[2].reason = REASON_STUCK_PENDING;
    after[3].unknown_send = true;
    after[4].waits_on = WAIT_JOB;
    after[5].waits_for = 1;
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
        assert_true(lifecycle_must_be_stored(&before, &after[i]));
    same.poll_count++;
    same.trouble_count++;
    same.due_ms++;
    assert_false(lifecycle_must_be_stored(&before, &same));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_leaves_its_status_and_codes),
        cmocka_unit_test(trouble_with_a_poll_keeps_the_last_real_answer),
        cmocka_unit_test(an_end_leaves_nothing_that_waits),
        cmocka_unit_test(a_fresh_start_forgets_the_old_generation),
        cmocka_unit_test(success_notes_when_it_was_accepted),
        cmocka_unit_test(polls_are_counted_when_the_server_answered),
        cmocka_unit_test(a_job_given_up_as_lost_keeps_the_answer_that_said_so),
        cmocka_unit_test(an_acceptance_starts_the_count_of_missing_polls),
        cmocka_unit_test(a_start_is_due_at_once_and_gives_no_reason),
        cmocka_unit_test(a_retry_keeps_the_key_that_was_never_accepted),
        cmocka_unit_test(a_retry_of_an_accepted_item_takes_a_new_key),
        cmocka_unit_test(a_retry_of_an_abandoned_item_changes_nothing),
        cmocka_unit_test(a_cancelled_item_can_be_tried_after_all),
        cmocka_unit_test(a_changed_row_takes_a_new_key_only_when_the_old_one_is_used_up),
        cmocka_unit_test(what_was_found_done_is_not_taken_for_a_persons_word),
        cmocka_unit_test(what_was_undone_stays_so_until_a_retry_makes_a_new_generation),
        cmocka_unit_test(a_correction_remembers_what_the_source_said_through_further_ones),
        cmocka_unit_test(a_plain_retry_leaves_a_correction_as_it_is),
        cmocka_unit_test(an_intent_remembers_its_run),
        cmocka_unit_test(resolving_as_done_ends_in_success_and_uses_up_the_key),
        cmocka_unit_test(resolving_as_not_done_takes_a_new_key_with_a_fresh_window),
        cmocka_unit_test(a_corrected_retry_remembers_what_the_source_said),
        cmocka_unit_test(what_a_crash_must_not_forget_is_stored_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
