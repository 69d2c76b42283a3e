/* The table of the life cycle cell by cell, and the rules that must never bend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "purser/core/lifecycle.h"

enum { NOW_MS = 5000000, SERVER_NOW_MS = 7000000, INTENT_MS = 6000000 };

static const struct policy keyed = {.keyed = true,
                                    .attempt_limit = 3,
                                    .rekey_limit = 2,
                                    .first_delay_ms = 100,
                                    .max_delay_ms = 1000,
                                    .key_window_ms = 3600000,
                                    .missing_limit = 3,
                                    .missing_for_ms = 60000};

static struct policy unkeyed_policy(void)
{
    struct policy policy = keyed;

    policy.keyed = false;
    return policy;
}

/* An item as it is in `state` after an undisturbed life up to there. */
static struct item item_in(enum item_state state)
{
    struct item item = item_new(1, 2, (struct hash128){.high = 3, .low = 4}, 1000);
    bool sent = state != ITEM_BLOCKED && state != ITEM_READY && state != ITEM_SKIPPED &&
                state != ITEM_CANCELLED;

    item.state = state;
    if (sent) {
        item.intent_ms = INTENT_MS;
        item.attempt_count = 1;
        item.attempt_total = 1;
    }
    if (state == ITEM_WAITING || state == ITEM_SUCCEEDED) {
        item.accepted = true;
        item.accepted_ms = NOW_MS - 1000;
        memcpy(item.remote_job, "job-1", sizeof "job-1");
    }
    if (state == ITEM_FAILED)
        item.reason = REASON_REFUSED;
    if (state == ITEM_IN_DOUBT)
        item.reason = REASON_SERVER_ERROR;
    if (state == ITEM_CANCELLED)
        item.reason = REASON_CANCELLED;
    return item;
}

static struct item_event event_of(enum item_event_kind kind)
{
    struct item_event event = {.kind = kind,
                               .now_ms = NOW_MS,
                               .server_now_ms = SERVER_NOW_MS,
                               .key_age_ms = 1000,
                               .delay_ms = -1,
                               .random = 0x80000000u,
                               .http_status = 200,
                               .reason = REASON_NONE,
                               .remote_job = NULL,
                               .request_hash = {.high = 5, .low = 6}};

    if (kind == EVENT_ACCEPTED)
        event.remote_job = "job-1";
    if (kind == EVENT_REFUSED)
        event.reason = REASON_REFUSED;
    if (kind == EVENT_UNCLEAR)
        event.reason = REASON_KEY_CONFLICT;
    return event;
}

static struct step step_of(struct item *item, enum item_event_kind kind,
                           const struct policy *policy)
{
    struct item_event event = event_of(kind);
    struct step step;

    memset(&step, 0xff, sizeof step);
    step = lifecycle_step(item, &event, policy);
    assert_true(step.legal);
    *item = step.item;
    return step;
}

/* --- the table --- */

struct cell {
    enum item_state state;
    enum item_event_kind event;
    enum item_state next;
    enum effect effect;
};

static const struct cell cells[] = {
    {ITEM_BLOCKED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_BLOCKED, EVENT_CANCELLED, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_READY, EVENT_START, ITEM_SENDING, EFFECT_NONE},
    {ITEM_READY, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_READY, EVENT_CANCELLED, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_SENDING, EVENT_WITHDRAWN, ITEM_READY, EFFECT_NONE},
    {ITEM_SENDING, EVENT_RESTARTED, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_DUE, ITEM_SENDING, EFFECT_SEND},
    {ITEM_SENDING, EVENT_ACCEPTED, ITEM_WAITING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_DONE, ITEM_SUCCEEDED, EFFECT_FINAL},
    {ITEM_SENDING, EVENT_REFUSED, ITEM_FAILED, EFFECT_FINAL},
    {ITEM_SENDING, EVENT_THROTTLED, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_HELD, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_LOST, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_NOT_SENT, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SENDING, EVENT_UNCLEAR, ITEM_IN_DOUBT, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_RESTARTED, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_DUE, ITEM_WAITING, EFFECT_POLL},
    {ITEM_WAITING, EVENT_DONE, ITEM_SUCCEEDED, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_REFUSED, ITEM_FAILED, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_THROTTLED, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_HELD, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_LOST, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_NOT_SENT, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_UNCLEAR, ITEM_IN_DOUBT, EFFECT_FINAL},
    {ITEM_WAITING, EVENT_PENDING, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_MISSING, ITEM_WAITING, EFFECT_NONE},
    {ITEM_WAITING, EVENT_JOB_THROTTLED, ITEM_SENDING, EFFECT_NONE},
    {ITEM_SUCCEEDED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_FAILED, EVENT_RETRY, ITEM_READY, EFFECT_NONE},
    {ITEM_FAILED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
    {ITEM_IN_DOUBT, EVENT_RESOLVED_DONE, ITEM_SUCCEEDED, EFFECT_FINAL},
    {ITEM_IN_DOUBT, EVENT_RESOLVED_NOT_DONE, ITEM_READY, EFFECT_NONE},
    {ITEM_IN_DOUBT, EVENT_ABANDONED, ITEM_CANCELLED, EFFECT_FINAL},
    {ITEM_CANCELLED, EVENT_RETRY, ITEM_READY, EFFECT_NONE},
    {ITEM_SKIPPED, EVENT_CHANGED, ITEM_READY, EFFECT_NONE},
};

static const struct cell *cell_of(unsigned state, unsigned event)
{
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        if (cells[i].state == state && cells[i].event == event)
            return &cells[i];
    return NULL;
}

static void every_cell_of_the_table_is_as_listed_and_all_others_are_illegal(void **context)
{
    (void)context;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++) {
            const struct cell *cell = cell_of(state, kind);
            struct item item = item_in((enum item_state)state);
            struct item_event event = event_of((enum item_event_kind)kind);
            struct step step;

            if (kind == EVENT_WITHDRAWN)
                item.attempt_count = 0;
            if (lifecycle_is_legal((enum item_state)state, (enum item_event_kind)kind) !=
                (cell != NULL))
                fail_msg("%s on %s: the list of this test and the table differ",
                         item_state_name((enum item_state)state),
                         item_event_name((enum item_event_kind)kind));
            step = lifecycle_step(&item, &event, &keyed);
            assert_int_equal(step.legal, cell != NULL);
            if (cell == NULL) {
                assert_memory_equal(&step.item, &item, sizeof item);
                continue;
            }
            if (step.item.state != cell->next || step.effect != cell->effect)
                fail_msg("%s on %s: became %s", item_state_name((enum item_state)state),
                         item_event_name((enum item_event_kind)kind),
                         item_state_name(step.item.state));
            assert_int_equal(step.item.changed_ms, NOW_MS);
        }
    }
}

static void no_automatic_event_leaves_a_final_state(void **context)
{
    (void)context;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        for (unsigned kind = 0; kind < ITEM_EVENT_COUNT; kind++)
            if (item_state_is_final((enum item_state)state) && kind < EVENT_RETRY)
                assert_false(
                    lifecycle_is_legal((enum item_state)state, (enum item_event_kind)kind));
}

static void every_event_has_a_name_of_its_own_and_a_meaning(void **context)
{
    (void)context;
    for (unsigned a = 0; a < ITEM_EVENT_COUNT; a++) {
        assert_true(strlen(item_event_meaning((enum item_event_kind)a)) > 0);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(item_event_name((enum item_event_kind)a),
                                    item_event_name((enum item_event_kind)b));
    }
}

static void the_same_item_event_and_policy_give_the_same_step(void **context)
{
    (void)context;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct item item = item_in(cells[i].state);
        struct item_event event = event_of(cells[i].event);
        struct step one, two;

        if (cells[i].event == EVENT_WITHDRAWN)
            item.attempt_count = 0;
        one = lifecycle_step(&item, &event, &keyed);
        two = lifecycle_step(&item, &event, &keyed);
        assert_int_equal(one.effect, two.effect);
        assert_memory_equal(&one.item, &two.item, sizeof one.item);
    }
}

/* --- sending --- */

static void a_start_notes_the_servers_time_and_sends_nothing_yet(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct step step = step_of(&item, EVENT_START, &keyed);
    (void)context;

    assert_int_equal(step.effect, EFFECT_NONE);
    assert_int_equal(item.intent_ms, SERVER_NOW_MS);
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

static void an_item_without_a_key_waits_when_it_was_turned_away(void **context)
{
    static const enum item_event_kind harmless[] = {EVENT_THROTTLED, EVENT_HELD, EVENT_NOT_SENT};
    struct policy policy = unkeyed_policy();
    (void)context;

    for (size_t i = 0; i < 3; i++) {
        struct item item = item_in(ITEM_SENDING);

        step_of(&item, harmless[i], &policy);
        assert_int_equal(item.state, ITEM_SENDING);
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

/* --- waiting --- */

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

static void a_step_keeps_what_the_item_is(void **context)
{
    (void)context;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        struct item before = item_in(cells[i].state), after;

        if (cells[i].event == EVENT_WITHDRAWN)
            before.attempt_count = 0;
        before.seen_run = 9;
        after = before;
        step_of(&after, cells[i].event, &keyed);
        assert_int_equal(after.job, before.job);
        assert_int_equal(after.connection, before.connection);
        assert_int_equal(after.seen_run, before.seen_run);
        if (cells[i].event != EVENT_CHANGED)
            assert_memory_equal(&after.request_hash, &before.request_hash,
                                sizeof after.request_hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table_is_as_listed_and_all_others_are_illegal),
        cmocka_unit_test(no_automatic_event_leaves_a_final_state),
        cmocka_unit_test(every_event_has_a_name_of_its_own_and_a_meaning),
        cmocka_unit_test(the_same_item_event_and_policy_give_the_same_step),
        cmocka_unit_test(a_start_notes_the_servers_time_and_sends_nothing_yet),
        cmocka_unit_test(a_repeat_goes_out_only_while_the_key_is_young),
        cmocka_unit_test(a_lost_send_is_repeated_under_the_same_generation),
        cmocka_unit_test(after_the_last_lost_attempt_the_item_is_in_doubt),
        cmocka_unit_test(what_has_been_lost_for_too_long_is_given_up),
        cmocka_unit_test(being_turned_away_uses_up_no_attempt),
        cmocka_unit_test(a_longer_retry_after_is_obeyed),
        cmocka_unit_test(what_never_left_is_no_attempt_but_forgets_no_earlier_one),
        cmocka_unit_test(an_item_without_a_key_is_sent_at_most_once),
        cmocka_unit_test(an_item_without_a_key_waits_when_it_was_turned_away),
        cmocka_unit_test(a_crash_makes_an_intent_an_unknown_send),
        cmocka_unit_test(a_refusal_is_final_only_when_no_other_copy_can_exist),
        cmocka_unit_test(an_unsent_intent_is_withdrawn_without_a_trace),
        cmocka_unit_test(an_acceptance_is_kept_with_its_remote_job),
        cmocka_unit_test(texts_of_an_answer_are_cut_to_their_maximum),
        cmocka_unit_test(no_trouble_with_a_poll_ends_an_item),
        cmocka_unit_test(a_pending_job_is_asked_again_after_the_given_delay),
        cmocka_unit_test(a_missing_job_is_in_doubt_only_after_often_and_long_enough),
        cmocka_unit_test(only_polls_that_were_answered_so_count_as_missing),
        cmocka_unit_test(a_clock_that_was_set_back_does_not_keep_a_missing_job_for_hours),
        cmocka_unit_test(a_throttled_job_gets_a_new_key_and_an_intent_in_the_same_value),
        cmocka_unit_test(new_keys_are_limited),
        cmocka_unit_test(a_throttled_job_without_a_key_fails),
        cmocka_unit_test(a_failed_job_is_final_even_after_an_unknown_send),
        cmocka_unit_test(after_a_crash_a_waiting_item_only_polls),
        cmocka_unit_test(a_retry_keeps_the_key_that_was_never_accepted),
        cmocka_unit_test(a_retry_of_an_accepted_item_takes_a_new_key),
        cmocka_unit_test(a_retry_of_an_abandoned_item_changes_nothing),
        cmocka_unit_test(a_cancelled_item_can_be_tried_after_all),
        cmocka_unit_test(a_changed_row_takes_a_new_key_only_when_the_old_one_is_used_up),
        cmocka_unit_test(resolving_as_done_ends_in_success_and_uses_up_the_key),
        cmocka_unit_test(resolving_as_not_done_takes_a_new_key_with_a_fresh_window),
        cmocka_unit_test(a_step_keeps_what_the_item_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
