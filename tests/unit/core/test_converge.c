#include "purser/core/converge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct hash128 old_hash = {1, 2}, new_hash = {1, 3};

static struct item in_state(enum item_state state)
{
    struct item item = item_new(0, 0, old_hash, 1000);

    item.state = state;
    return item;
}

static enum converge_action of(enum item_state state, bool condition, struct hash128 hash,
                               enum when_changed when_changed)
{
    struct item item = in_state(state);

    return converge_row(&item, condition, hash, when_changed);
}

static void a_new_key_is_added_and_a_false_condition_skips_it(void **context)
{
    (void)context;
    assert_int_equal(converge_row(NULL, true, new_hash, WHEN_CHANGED_KEEP), CONVERGE_ADD);
    assert_int_equal(converge_row(NULL, false, new_hash, WHEN_CHANGED_KEEP), CONVERGE_SKIP);
}

static void an_unchanged_row_changes_nothing_in_any_state(void **context)
{
    (void)context;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        if (state != ITEM_SKIPPED)
            assert_int_equal(of((enum item_state)state, true, old_hash, WHEN_CHANGED_RESEND),
                             CONVERGE_UNCHANGED);
}

static void a_false_condition_leaves_a_known_item_alone(void **context)
{
    (void)context;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        assert_int_equal(of((enum item_state)state, false, new_hash, WHEN_CHANGED_RESEND),
                         CONVERGE_UNCHANGED);
}

static void a_changed_row_does_what_its_state_allows(void **context)
{
    static const enum converge_action expected[ITEM_STATE_COUNT] = {
        [ITEM_BLOCKED] = CONVERGE_REPLACE,       [ITEM_READY] = CONVERGE_REPLACE,
        [ITEM_SENDING] = CONVERGE_FINISH_FIRST,  [ITEM_WAITING] = CONVERGE_FINISH_FIRST,
        [ITEM_SUCCEEDED] = CONVERGE_RESEND,      [ITEM_FAILED] = CONVERGE_RESEND,
        [ITEM_IN_DOUBT] = CONVERGE_FINISH_FIRST, [ITEM_CANCELLED] = CONVERGE_KEEP,
        [ITEM_SKIPPED] = CONVERGE_REPLACE,
    };

    (void)context;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        assert_int_equal(of((enum item_state)state, true, new_hash, WHEN_CHANGED_RESEND),
                         expected[state]);
}

static void after_success_the_spec_says_what_a_change_means(void **context)
{
    (void)context;
    assert_int_equal(of(ITEM_SUCCEEDED, true, new_hash, WHEN_CHANGED_KEEP), CONVERGE_KEEP);
    assert_int_equal(of(ITEM_SUCCEEDED, true, new_hash, WHEN_CHANGED_ERROR), CONVERGE_REFUSE);
    assert_int_equal(of(ITEM_FAILED, true, new_hash, WHEN_CHANGED_ERROR), CONVERGE_RESEND);
}

static void a_success_for_which_others_still_wait_is_not_replaced_before_they_had_it(void **context)
{
    struct item item = in_state(ITEM_SUCCEEDED);
    (void)context;

    item.release_due = true;
    assert_int_equal(converge_row(&item, true, new_hash, WHEN_CHANGED_RESEND),
                     CONVERGE_FINISH_FIRST);
    assert_int_equal(converge_row(&item, true, new_hash, WHEN_CHANGED_KEEP), CONVERGE_KEEP);
    assert_int_equal(converge_row(&item, true, old_hash, WHEN_CHANGED_RESEND), CONVERGE_UNCHANGED);
}

static void a_skipped_item_whose_condition_became_true_is_sent(void **context)
{
    (void)context;
    assert_int_equal(of(ITEM_SKIPPED, true, old_hash, WHEN_CHANGED_KEEP), CONVERGE_REPLACE);
}

static void the_uncorrected_row_counts_for_nothing_until_it_changes_itself(void **context)
{
    static const struct hash128 newest_hash = {1, 4};
    (void)context;

    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        struct item item = in_state((enum item_state)state);

        if (state == ITEM_SKIPPED)
            continue;
        item.corrected = true;
        item.source_hash = new_hash;
        assert_int_equal(converge_row(&item, true, new_hash, WHEN_CHANGED_ERROR),
                         CONVERGE_CORRECTED);
        assert_int_equal(converge_row(&item, true, old_hash, WHEN_CHANGED_ERROR),
                         CONVERGE_UNCHANGED);
        assert_int_equal(converge_row(&item, true, newest_hash, WHEN_CHANGED_RESEND),
                         of((enum item_state)state, true, newest_hash, WHEN_CHANGED_RESEND));
        item.corrected = false;
        assert_int_not_equal(converge_row(&item, true, new_hash, WHEN_CHANGED_RESEND),
                             CONVERGE_CORRECTED);
    }
}

static void a_corrected_row_must_meet_an_item_that_it_may_replace(void **context)
{
    static const enum correction changed[ITEM_STATE_COUNT] = {
        [ITEM_BLOCKED] = CORRECTION_CHANGE,      [ITEM_READY] = CORRECTION_CHANGE,
        [ITEM_SENDING] = CORRECTION_UNDER_WAY,   [ITEM_WAITING] = CORRECTION_UNDER_WAY,
        [ITEM_SUCCEEDED] = CORRECTION_SUCCEEDED, [ITEM_FAILED] = CORRECTION_CHANGE,
        [ITEM_IN_DOUBT] = CORRECTION_IN_DOUBT,   [ITEM_CANCELLED] = CORRECTION_CHANGE,
        [ITEM_SKIPPED] = CORRECTION_CHANGE,
    };
    (void)context;

    assert_int_equal(converge_correction(NULL, true, new_hash), CORRECTION_UNKNOWN);
    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        struct item item = in_state((enum item_state)state);

        assert_int_equal(converge_correction(&item, true, new_hash), changed[state]);
        item.corrected = true;
        assert_int_equal(converge_correction(&item, true, new_hash), changed[state]);
    }
}

static void the_same_correction_twice_goes_on_or_is_done(void **context)
{
    static const enum correction same[ITEM_STATE_COUNT] = {
        [ITEM_BLOCKED] = CORRECTION_GOES_ON,   [ITEM_READY] = CORRECTION_GOES_ON,
        [ITEM_SENDING] = CORRECTION_GOES_ON,   [ITEM_WAITING] = CORRECTION_GOES_ON,
        [ITEM_SUCCEEDED] = CORRECTION_DONE,    [ITEM_FAILED] = CORRECTION_AGAIN,
        [ITEM_IN_DOUBT] = CORRECTION_IN_DOUBT, [ITEM_CANCELLED] = CORRECTION_AGAIN,
        [ITEM_SKIPPED] = CORRECTION_CHANGE,
    };
    (void)context;

    for (int state = 0; state < ITEM_STATE_COUNT; state++) {
        struct item item = in_state((enum item_state)state);

        item.corrected = true;
        item.source_hash = new_hash;
        assert_int_equal(converge_correction(&item, true, old_hash), same[state]);
    }
}

static void
a_row_of_an_item_that_nobody_corrected_is_no_correction_of_what_went_well(void **context)
{
    struct item item = in_state(ITEM_SUCCEEDED);
    (void)context;

    assert_int_equal(converge_correction(&item, true, old_hash), CORRECTION_SUCCEEDED);
    item.state = ITEM_WAITING;
    assert_int_equal(converge_correction(&item, true, old_hash), CORRECTION_UNDER_WAY);
}

static void a_corrected_row_that_sends_nothing_and_an_item_given_up_are_errors(void **context)
{
    struct item item = in_state(ITEM_FAILED);
    (void)context;

    assert_int_equal(converge_correction(&item, false, new_hash), CORRECTION_SKIPPED);
    item = in_state(ITEM_READY);
    assert_int_equal(converge_correction(&item, false, old_hash), CORRECTION_SKIPPED);
    item = in_state(ITEM_CANCELLED);
    item.reason = REASON_ABANDONED;
    assert_int_equal(converge_correction(&item, true, new_hash), CORRECTION_GIVEN_UP);
    item.reason = REASON_UNDONE;
    assert_int_equal(converge_correction(&item, true, new_hash), CORRECTION_CHANGE);
    for (int correction = 0; correction < CORRECTION_COUNT; correction++)
        assert_true(strlen(correction_meaning((enum correction)correction)) > 0);
}

static void a_request_is_the_same_only_when_all_of_its_digest_is(void **context)
{
    static const struct hash128 other_high = {2, 2}, other_low = {1, 3}, less_high = {0, 2},
                                less_low = {1, 1};
    (void)context;

    assert_int_equal(of(ITEM_FAILED, true, old_hash, WHEN_CHANGED_KEEP), CONVERGE_UNCHANGED);
    assert_int_equal(of(ITEM_FAILED, true, other_high, WHEN_CHANGED_KEEP), CONVERGE_RESEND);
    assert_int_equal(of(ITEM_FAILED, true, other_low, WHEN_CHANGED_KEEP), CONVERGE_RESEND);
    assert_int_equal(of(ITEM_FAILED, true, less_high, WHEN_CHANGED_KEEP), CONVERGE_RESEND);
    assert_int_equal(of(ITEM_FAILED, true, less_low, WHEN_CHANGED_KEEP), CONVERGE_RESEND);
}

static void a_skipped_item_is_sent_anew_even_if_a_correction_of_it_was_skipped(void **context)
{
    struct item item = in_state(ITEM_SKIPPED);
    (void)context;

    item.corrected = true;
    item.source_hash = new_hash;
    assert_int_equal(converge_row(&item, true, new_hash, WHEN_CHANGED_KEEP), CONVERGE_REPLACE);
    assert_int_equal(converge_row(&item, false, new_hash, WHEN_CHANGED_KEEP), CONVERGE_UNCHANGED);
}

static void a_correction_of_a_skipped_item_must_send_something(void **context)
{
    struct item item = in_state(ITEM_SKIPPED);
    (void)context;

    assert_int_equal(converge_correction(&item, false, new_hash), CORRECTION_SKIPPED);
    assert_int_equal(converge_correction(&item, true, new_hash), CORRECTION_CHANGE);
}

static void every_action_has_a_name_of_its_own_and_a_meaning(void **context)
{
    (void)context;
    for (unsigned a = 0; a < CONVERGE_COUNT; a++) {
        assert_true(strlen(converge_action_meaning((enum converge_action)a)) > 0);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(converge_action_name((enum converge_action)a),
                                    converge_action_name((enum converge_action)b));
    }
    assert_string_equal(converge_action_name(CONVERGE_FINISH_FIRST), "finish_first");
    assert_string_equal(converge_action_meaning(CONVERGE_SKIP), "a new key whose if: is false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_is_added_and_a_false_condition_skips_it),
        cmocka_unit_test(an_unchanged_row_changes_nothing_in_any_state),
        cmocka_unit_test(a_false_condition_leaves_a_known_item_alone),
        cmocka_unit_test(a_changed_row_does_what_its_state_allows),
        cmocka_unit_test(after_success_the_spec_says_what_a_change_means),
        cmocka_unit_test(a_success_for_which_others_still_wait_is_not_replaced_before_they_had_it),
        cmocka_unit_test(a_skipped_item_whose_condition_became_true_is_sent),
        cmocka_unit_test(the_uncorrected_row_counts_for_nothing_until_it_changes_itself),
        cmocka_unit_test(a_corrected_row_must_meet_an_item_that_it_may_replace),
        cmocka_unit_test(the_same_correction_twice_goes_on_or_is_done),
        cmocka_unit_test(a_row_of_an_item_that_nobody_corrected_is_no_correction_of_what_went_well),
        cmocka_unit_test(a_corrected_row_that_sends_nothing_and_an_item_given_up_are_errors),
        cmocka_unit_test(a_request_is_the_same_only_when_all_of_its_digest_is),
        cmocka_unit_test(a_skipped_item_is_sent_anew_even_if_a_correction_of_it_was_skipped),
        cmocka_unit_test(a_correction_of_a_skipped_item_must_send_something),
        cmocka_unit_test(every_action_has_a_name_of_its_own_and_a_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
