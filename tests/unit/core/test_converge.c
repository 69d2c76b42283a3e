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

static void a_skipped_item_whose_condition_became_true_is_sent(void **context)
{
    (void)context;
    assert_int_equal(of(ITEM_SKIPPED, true, old_hash, WHEN_CHANGED_KEEP), CONVERGE_REPLACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_is_added_and_a_false_condition_skips_it),
        cmocka_unit_test(an_unchanged_row_changes_nothing_in_any_state),
        cmocka_unit_test(a_false_condition_leaves_a_known_item_alone),
        cmocka_unit_test(a_changed_row_does_what_its_state_allows),
        cmocka_unit_test(after_success_the_spec_says_what_a_change_means),
        cmocka_unit_test(a_skipped_item_whose_condition_became_true_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
