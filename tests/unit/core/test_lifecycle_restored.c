/* What starts on a ledger that a backup has replaced: it may have been sent already. */
#include "lifecycle_bench.h"

#define LOST_SINCE_MS (SERVER_NOW_MS - 1000)

static struct policy unkeyed;

static int make_policies(void **context)
{
    (void)context;
    unkeyed = unkeyed_policy();
    return 0;
}

static struct step start(struct item *item, const struct policy *policy)
{
    struct item_event event = event_of(EVENT_START);
    struct step step;

    event.lost_since_ms = LOST_SINCE_MS;
    step = lifecycle_step(item, &event, policy);
    assert_true(step.legal);
    *item = step.item;
    return step;
}

static void with_a_key_it_is_a_repeat_as_old_as_the_loss(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    assert_int_equal(start(&item, &keyed).effect, EFFECT_NONE);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_int_equal(item.reason, REASON_RESTORED_STATE);
    assert_true(item.unknown_send);
    assert_int_equal(item.intent_ms, LOST_SINCE_MS);
    assert_int_equal(item.intent_boot, 0);
    assert_int_equal(item.intent_boot_ms, 0);
    assert_int_equal(item.due_ms, NOW_MS);
    assert_int_equal(item.generation, 1);
    assert_false(item_is_unused_intent(&item));
}

static void beyond_the_window_it_is_in_doubt_for_that(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct item_event event = event_of(EVENT_DUE);
    struct step step;
    (void)context;

    start(&item, &keyed);
    event.key_age_ms = keyed.key_window_ms - 1;
    assert_int_equal(lifecycle_step(&item, &event, &keyed).effect, EFFECT_SEND);
    event.key_age_ms = keyed.key_window_ms;
    step = lifecycle_step(&item, &event, &keyed);
    assert_int_equal(step.effect, EFFECT_FINAL);
    assert_int_equal(step.item.state, ITEM_IN_DOUBT);
    assert_int_equal(step.item.reason, REASON_RESTORED_STATE);
}

static void without_a_key_it_is_in_doubt_at_once(void **context)
{
    struct item item = item_in(ITEM_READY);
    (void)context;

    assert_int_equal(start(&item, &unkeyed).effect, EFFECT_FINAL);
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.reason, REASON_RESTORED_STATE);
}

static void a_refusal_of_it_proves_nothing(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct item_event event = event_of(EVENT_REFUSED);
    (void)context;

    start(&item, &keyed);
    step_of(&item, EVENT_DUE, &keyed);
    event.reason = REASON_REFUSED;
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.reason, REASON_REFUSED_AFTER_UNKNOWN);
}

static void no_new_key_is_made_that_may_have_been_used(void **context)
{
    struct item item = item_in(ITEM_WAITING);
    struct item_event event = event_of(EVENT_JOB_THROTTLED);
    (void)context;

    event.lost_since_ms = LOST_SINCE_MS;
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.reason, REASON_RESTORED_STATE);
    assert_int_equal(item.generation, 1);
}

static void a_failure_is_none_that_a_person_may_have_tried_again(void **context)
{
    static const struct {
        enum item_state state;
        enum item_event_kind kind;
    } ends[] = {{ITEM_WAITING, EVENT_REFUSED}, {ITEM_BLOCKED, EVENT_NOT_RENDERED}};
    (void)context;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct item item = item_in(ends[i].state);
        struct item_event event = event_of(ends[i].kind);

        event.reason = REASON_JOB_FAILED;
        event.lost_since_ms = LOST_SINCE_MS;
        item = lifecycle_step(&item, &event, &keyed).item;
        assert_int_equal(item.state, ITEM_IN_DOUBT);
        assert_int_equal(item.reason, REASON_RESTORED_STATE);
    }
}

static void say_not_done(struct item *item)
{
    struct item_event event = event_of(EVENT_RESOLVED_NOT_DONE);

    event.lost_since_ms = LOST_SINCE_MS;
    *item = lifecycle_step(item, &event, &unkeyed).item;
    assert_int_equal(item->state, ITEM_READY);
    assert_int_equal(item->reason, REASON_RESOLVED);
}

/* So it is asked for once. */
static void the_word_is_taken_whatever_the_doubt_was(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    (void)context;

    item.reason = REASON_UNKEYED_UNKNOWN;
    say_not_done(&item);
    assert_int_equal(start(&item, &unkeyed).effect, EFFECT_NONE);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_false(item.unknown_send);
}

static void a_persons_word_that_it_was_not_done_is_taken(void **context)
{
    struct item item = item_in(ITEM_READY);
    struct item_event event = event_of(EVENT_JOB_THROTTLED);
    (void)context;

    start(&item, &unkeyed);
    say_not_done(&item);
    assert_int_equal(start(&item, &keyed).effect, EFFECT_NONE);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_false(item.unknown_send);
    assert_int_equal(item.intent_ms, SERVER_NOW_MS);
    /* Also after it was withdrawn, after another run, and when its job is to have another key. */
    step_of(&item, EVENT_WITHDRAWN, &keyed);
    assert_int_equal(item.reason, REASON_RESOLVED);
    start(&item, &keyed);
    step_of(&item, EVENT_DUE, &keyed);
    step_of(&item, EVENT_ACCEPTED, &keyed);
    step_of(&item, EVENT_RESTARTED, &keyed);
    event.lost_since_ms = LOST_SINCE_MS;
    item = lifecycle_step(&item, &event, &keyed).item;
    assert_int_equal(item.state, ITEM_SENDING);
    assert_int_equal(item.generation, 3);
    assert_int_equal(item.intent_ms, SERVER_NOW_MS);
}

static void the_word_is_not_for_another_request(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    (void)context;

    say_not_done(&item);
    assert_int_equal(step_of(&item, EVENT_CHANGED, &keyed).effect, EFFECT_FINAL);
    assert_int_equal(item.state, ITEM_IN_DOUBT);
    assert_int_equal(item.reason, REASON_RESTORED_STATE);
    say_not_done(&item);
}

static void the_word_is_for_what_was_in_doubt_and_no_more(void **context)
{
    struct item item = item_in(ITEM_SUCCEEDED);
    (void)context;

    item.reason = REASON_RESOLVED;
    item.accepted = true;
    step_of(&item, EVENT_CHANGED, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.reason, REASON_NONE);
    start(&item, &keyed);
    assert_int_equal(item.reason, REASON_RESTORED_STATE);
}

static void on_a_whole_ledger_no_word_is_needed(void **context)
{
    struct item item = item_in(ITEM_IN_DOUBT);
    (void)context;

    item.reason = REASON_RESTORED_STATE;
    step_of(&item, EVENT_RESOLVED_NOT_DONE, &keyed);
    assert_int_equal(item.reason, REASON_NONE);
    item.reason = REASON_RESOLVED; /* of a loss that is over */
    step_of(&item, EVENT_START, &keyed);
    assert_int_equal(item.reason, REASON_NONE);
}

static struct item failed_and_lost(int64_t lost_since_ms)
{
    struct item item = item_in(ITEM_FAILED);

    item.lost_since_ms = lost_since_ms;
    step_of(&item, EVENT_RETRY, &keyed);
    assert_int_equal(item.state, ITEM_READY);
    return item;
}

static void an_item_remembers_what_was_lost_of_it_when_the_ledger_is_whole_again(void **context)
{
    struct item item = failed_and_lost(LOST_SINCE_MS), other = failed_and_lost(LOST_SINCE_MS);
    (void)context;

    assert_int_equal(step_of(&item, EVENT_START, &keyed).effect, EFFECT_NONE);
    assert_int_equal(item.reason, REASON_RESTORED_STATE);
    assert_true(item.unknown_send);
    assert_int_equal(item.intent_ms, LOST_SINCE_MS);
    assert_int_equal(step_of(&other, EVENT_START, &unkeyed).effect, EFFECT_FINAL);
    assert_int_equal(other.reason, REASON_RESTORED_STATE);
}

static void of_two_losses_the_older_one_counts(void **context)
{
    struct item earlier = failed_and_lost(LOST_SINCE_MS - 1),
                later = failed_and_lost(LOST_SINCE_MS + 1);
    (void)context;

    start(&earlier, &keyed);
    assert_int_equal(earlier.intent_ms, LOST_SINCE_MS - 1);
    start(&later, &keyed);
    assert_int_equal(later.intent_ms, LOST_SINCE_MS);
}

static void what_was_lost_of_an_item_is_known_by_its_end_or_by_a_persons_word(void **context)
{
    static const enum item_event_kind words[] = {EVENT_RESOLVED_DONE, EVENT_RESOLVED_NOT_DONE};
    struct item item = failed_and_lost(LOST_SINCE_MS);
    (void)context;

    step_of(&item, EVENT_START, &keyed);
    step_of(&item, EVENT_DUE, &keyed);
    assert_int_equal(item.lost_since_ms, LOST_SINCE_MS);
    step_of(&item, EVENT_DONE, &keyed);
    assert_int_equal(item.lost_since_ms, 0);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        item = failed_and_lost(LOST_SINCE_MS);
        step_of(&item, EVENT_START, &unkeyed);
        assert_int_equal(item.lost_since_ms, LOST_SINCE_MS);
        step_of(&item, words[i], &unkeyed);
        assert_int_equal(item.lost_since_ms, 0);
    }
    step_of(&item, EVENT_START, &unkeyed);
    assert_int_equal(item.state, ITEM_SENDING);
    assert_int_equal(item.reason, REASON_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_key_it_is_a_repeat_as_old_as_the_loss),
        cmocka_unit_test(beyond_the_window_it_is_in_doubt_for_that),
        cmocka_unit_test(without_a_key_it_is_in_doubt_at_once),
        cmocka_unit_test(a_refusal_of_it_proves_nothing),
        cmocka_unit_test(no_new_key_is_made_that_may_have_been_used),
        cmocka_unit_test(a_failure_is_none_that_a_person_may_have_tried_again),
        cmocka_unit_test(a_persons_word_that_it_was_not_done_is_taken),
        cmocka_unit_test(the_word_is_not_for_another_request),
        cmocka_unit_test(the_word_is_for_what_was_in_doubt_and_no_more),
        cmocka_unit_test(an_item_remembers_what_was_lost_of_it_when_the_ledger_is_whole_again),
        cmocka_unit_test(of_two_losses_the_older_one_counts),
        cmocka_unit_test(what_was_lost_of_an_item_is_known_by_its_end_or_by_a_persons_word),
        cmocka_unit_test(on_a_whole_ledger_no_word_is_needed),
        cmocka_unit_test(the_word_is_taken_whatever_the_doubt_was),
    };

    return cmocka_run_group_tests_name("core/lifecycle_restored", tests, make_policies, NULL);
}
