#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "purser/core/item.h"

static void every_state_has_a_name_that_parses_back(void **context)
{
    (void)context;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        enum item_state parsed = ITEM_STATE_COUNT;

        assert_true(strlen(item_state_name((enum item_state)state)) > 0);
        assert_true(strlen(item_state_meaning((enum item_state)state)) > 0);
        assert_true(item_state_parse(item_state_name((enum item_state)state), &parsed));
        assert_int_equal(parsed, state);
    }
}

static void an_unknown_state_name_is_refused_and_writes_nothing(void **context)
{
    static const char *const wrong[] = {"", "Ready", "ready ", "read", "in doubt", "unknown"};
    (void)context;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        enum item_state parsed = ITEM_STATE_COUNT;

        assert_false(item_state_parse(wrong[i], &parsed));
        assert_int_equal(parsed, ITEM_STATE_COUNT);
    }
}

static void the_stored_numbers_of_states_do_not_move(void **context)
{
    (void)context;
    assert_int_equal(ITEM_BLOCKED, 0);
    assert_int_equal(ITEM_READY, 1);
    assert_int_equal(ITEM_SENDING, 2);
    assert_int_equal(ITEM_WAITING, 3);
    assert_int_equal(ITEM_SUCCEEDED, 4);
    assert_int_equal(ITEM_FAILED, 5);
    assert_int_equal(ITEM_IN_DOUBT, 6);
    assert_int_equal(ITEM_CANCELLED, 7);
    assert_int_equal(ITEM_SKIPPED, 8);
    assert_int_equal(ITEM_STATE_COUNT, 9);
    assert_int_equal(REASON_RECORD_DAMAGED, 11);
    assert_int_equal(REASON_CONDITION_FALSE, 19);
}

static void a_state_is_active_or_final_or_waits_to_be_sent(void **context)
{
    (void)context;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        bool active = item_state_is_active((enum item_state)state);
        bool final = item_state_is_final((enum item_state)state);
        bool unsent = state == ITEM_BLOCKED || state == ITEM_READY;

        assert_int_equal((int)active + (int) final + (int)unsent, 1);
    }
    assert_true(item_state_is_active(ITEM_SENDING));
    assert_true(item_state_is_active(ITEM_WAITING));
}

static void reasons_have_codes_of_their_own(void **context)
{
    (void)context;
    assert_string_equal(reason_code(REASON_NONE), "");
    assert_string_equal(reason_meaning(REASON_NONE), "");
    for (unsigned a = 1; a < REASON_COUNT; a++) {
        assert_true(strlen(reason_code((enum reason)a)) > 0);
        assert_true(strlen(reason_meaning((enum reason)a)) > 0);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(reason_code((enum reason)a), reason_code((enum reason)b));
    }
}

static void a_new_item_is_ready_in_generation_one_and_empty_else(void **context)
{
    struct item item;
    (void)context;

    memset(&item, 0xff, sizeof item);
    item = item_new(3, 4, (struct hash128){.high = 5, .low = 6}, 7);
    assert_int_equal(item.state, ITEM_READY);
    assert_int_equal(item.reason, REASON_NONE);
    assert_int_equal(item.job, 3);
    assert_int_equal(item.connection, 4);
    assert_int_equal(item.generation, 1);
    assert_int_equal(item.request_hash.high, 5);
    assert_int_equal(item.request_hash.low, 6);
    assert_int_equal(item.changed_ms, 7);
    assert_int_equal(item.attempt_count + item.poll_count + item.trouble_count, 0);
    assert_int_equal(item.attempt_total + item.seen_run + item.http_status, 0);
    assert_int_equal(item.intent_ms, 0);
    assert_int_equal(item.due_ms, 0);
    assert_int_equal(item.job_path, JOB_PATH_BASE);
    assert_false(item.unknown_send);
    assert_false(item.accepted);
    assert_string_equal(item.remote_job, "");
    assert_string_equal(item.error_type, "");
    assert_string_equal(item.error_code, "");
}

static void an_intent_is_unused_only_while_nothing_of_it_can_have_an_effect(void **context)
{
    struct item item = item_new(1, 1, (struct hash128){.high = 5, .low = 6}, 7);
    (void)context;

    assert_false(item_is_unused_intent(&item));
    item.state = ITEM_SENDING;
    assert_true(item_is_unused_intent(&item));
    item.attempt_count = 1;
    assert_false(item_is_unused_intent(&item));
    item.attempt_count = 0;
    item.unknown_send = true;
    assert_false(item_is_unused_intent(&item));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_that_parses_back),
        cmocka_unit_test(an_unknown_state_name_is_refused_and_writes_nothing),
        cmocka_unit_test(the_stored_numbers_of_states_do_not_move),
        cmocka_unit_test(a_state_is_active_or_final_or_waits_to_be_sent),
        cmocka_unit_test(reasons_have_codes_of_their_own),
        cmocka_unit_test(a_new_item_is_ready_in_generation_one_and_empty_else),
        cmocka_unit_test(an_intent_is_unused_only_while_nothing_of_it_can_have_an_effect),
    };

    return cmocka_run_group_tests_name("core/item", tests, NULL, NULL);
}
