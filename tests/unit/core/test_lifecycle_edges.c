/* The life cycle at the exact values where it does one thing or the other. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lifecycle_bench.h"

static struct item after(struct item item, const struct item_event *event,
                         const struct policy *policy)
{
    struct step step = lifecycle_step(&item, event, policy);

    assert_true(step.legal);
    return step.item;
}

static void an_answers_texts_take_the_place_of_longer_and_shorter_ones(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_LOST);
    const char nothing[sizeof item.error_code] = "";
    (void)context;

    event.error_code = "A_LONG_CODE";
    item = after(item, &event, &keyed);
    event.error_code = "B";
    item = after(item, &event, &keyed);
    assert_string_equal(item.error_code, "B");
    assert_memory_equal(item.error_code + 1, nothing, sizeof nothing - 1);
    event.error_code = NULL;
    item = after(item, &event, &keyed);
    assert_memory_equal(item.error_code, nothing, sizeof nothing);
}

static void an_intent_that_is_withdrawn_leaves_no_time_of_any_clock(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    step_of(&item, EVENT_START, &keyed);
    assert_int_equal(item.intent_boot_ms, BOOT_NOW_MS);
    step_of(&item, EVENT_WITHDRAWN, &keyed);
    assert_int_equal(item.intent_boot_ms, 0);
    assert_int_equal(item.intent_boot, 0);
    assert_int_equal(item.intent_ms, 0);
}

static void the_random_number_of_the_event_spreads_the_pause(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_LOST);
    (void)context;

    event.random = 0;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 1);
    event.random = UINT32_MAX;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 100);
    item.trouble_count = 1;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 200);
}

static void a_given_delay_counts_only_when_it_is_the_longer_one(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_THROTTLED);
    (void)context;

    event.random = UINT32_MAX;
    event.delay_ms = 99;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 100);
    event.delay_ms = 101;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 101);
}

static void a_send_is_given_up_from_the_given_age_on(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_DUE);
    struct policy policy = keyed;
    (void)context;

    policy.give_up_ms = 1;
    event.key_age_ms = 0;
    assert_int_equal(after(item, &event, &policy).state, ITEM_SENDING);
    event.key_age_ms = 1;
    assert_int_equal(after(item, &event, &policy).state, ITEM_IN_DOUBT);
    event.key_age_ms = 1000;
    assert_int_equal(after(item, &event, &policy).state, ITEM_IN_DOUBT);
    assert_int_equal(after(item, &event, &policy).reason, REASON_RETRIES_EXHAUSTED);
}

static void a_lower_limit_of_attempts_holds_for_what_is_beyond_it(void **context)
{
    struct item item = item_in(ITEM_SENDING);
    struct item_event event = event_of(EVENT_LOST);
    (void)context;

    item.attempt_count = keyed.attempt_limit + 1;
    assert_int_equal(after(item, &event, &keyed).state, ITEM_IN_DOUBT);
}

static void a_remote_job_is_first_polled_at_once_or_after_the_given_delay(void **context)
{
    static const enum item_event_kind kinds[] = {EVENT_ACCEPTED, EVENT_RESTARTED};
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        struct item item = item_in(i == 0 ? ITEM_SENDING : ITEM_WAITING);
        struct item_event event = event_of(kinds[i]);

        for (int64_t delay_ms = -2; delay_ms <= 2; delay_ms++) {
            event.delay_ms = delay_ms;
            assert_int_equal(after(item, &event, &keyed).due_ms,
                             NOW_MS + (delay_ms < 0 ? 0 : delay_ms));
        }
    }
}

static void a_job_that_was_stuck_is_not_called_so_when_it_is_asked_anew(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    (void)context;

    item.reason = REASON_STUCK_PENDING;
    step_of(&item, EVENT_RESTARTED, &keyed);
    assert_int_equal(item.reason, REASON_NONE);
}

static void a_job_is_called_stuck_from_the_given_age_on(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_PENDING);
    struct policy policy = keyed;
    (void)context;

    policy.stuck_ms = 1;
    item.accepted_ms = NOW_MS;
    assert_int_equal(after(item, &event, &policy).reason, REASON_NONE);
    item.accepted_ms = NOW_MS - 1;
    assert_int_equal(after(item, &event, &policy).reason, REASON_STUCK_PENDING);
    item.accepted_ms = NOW_MS - 2;
    assert_int_equal(after(item, &event, &policy).reason, REASON_STUCK_PENDING);
}

static void the_pause_before_a_new_key_grows_with_the_generation(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_JOB_THROTTLED);
    (void)context;

    event.random = UINT32_MAX;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 100);
    item.generation = 2;
    assert_int_equal(after(item, &event, &keyed).due_ms, NOW_MS + 200);
}

static void what_is_skipped_says_why_and_keeps_no_older_answer(void **context)
{
    struct item item = item_in(ITEM_BLOCKED);
    struct item_event event = event_of(EVENT_SKIPPED);
    (void)context;

    item.http_status = 400;
    event.http_status = 0;
    item = after(item, &event, &keyed);
    assert_int_equal(item.reason, REASON_CONDITION_FALSE);
    assert_int_equal(item.http_status, 0);
}

static void neither_a_plain_retry_nor_a_change_makes_a_correction(void **context)
{
    struct item item = item_in(ITEM_FAILED);
    struct item_event event = event_of(EVENT_RETRY);
    (void)context;

    event.source_hash = (struct hash128){.high = 7, .low = 8};
    assert_false(after(item, &event, &keyed).corrected);
    item.corrected = true;
    item.source_hash = (struct hash128){.high = 5, .low = 6};
    event.kind = EVENT_CHANGED;
    item = after(item, &event, &keyed);
    assert_false(item.corrected);
    assert_int_equal(item.source_hash.high, 0);
    assert_int_equal(item.source_hash.low, 0);
}

static void another_generation_is_stored_whichever_it_is(void **context)
{
    struct item before = item_in(ITEM_SENDING), now = before;
    (void)context;

    before.generation = 3;
    now.generation = 2;
    assert_true(lifecycle_must_be_stored(&before, &now));
    now.generation = 4;
    assert_true(lifecycle_must_be_stored(&before, &now));
}

/* A wrong program must not go on writing state. */
static void a_step_to_what_cannot_be_ends_the_process(void **context)
{
    int status = 0;
    pid_t child = fork();
    (void)context;

    if (child == 0) {
        struct item item = item_in(ITEM_WAITING);
        struct item_event event = event_of(EVENT_PENDING);

        memset(item.remote_job, 0, sizeof item.remote_job); /* and so nothing can be polled */
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        lifecycle_step(&item, &event, &keyed);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answers_texts_take_the_place_of_longer_and_shorter_ones),
        cmocka_unit_test(an_intent_that_is_withdrawn_leaves_no_time_of_any_clock),
        cmocka_unit_test(the_random_number_of_the_event_spreads_the_pause),
        cmocka_unit_test(a_given_delay_counts_only_when_it_is_the_longer_one),
        cmocka_unit_test(a_send_is_given_up_from_the_given_age_on),
        cmocka_unit_test(a_lower_limit_of_attempts_holds_for_what_is_beyond_it),
        cmocka_unit_test(a_remote_job_is_first_polled_at_once_or_after_the_given_delay),
        cmocka_unit_test(a_job_that_was_stuck_is_not_called_so_when_it_is_asked_anew),
        cmocka_unit_test(a_job_is_called_stuck_from_the_given_age_on),
        cmocka_unit_test(the_pause_before_a_new_key_grows_with_the_generation),
        cmocka_unit_test(what_is_skipped_says_why_and_keeps_no_older_answer),
        cmocka_unit_test(neither_a_plain_retry_nor_a_change_makes_a_correction),
        cmocka_unit_test(another_generation_is_stored_whichever_it_is),
        cmocka_unit_test(a_step_to_what_cannot_be_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
