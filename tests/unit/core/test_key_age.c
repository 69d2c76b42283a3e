#include "purser/core/key_age.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { HOUR_MS = 60 * 60 * 1000 };
#define NOON INT64_C(1795000000000)

/* Everything agrees: it is noon. */
static struct key_clock clock_at_noon(void)
{
    return (struct key_clock){.wall_ms = NOON,
                              .boot_ms = 10 * HOUR_MS,
                              .boot = 7,
                              .server_ms = NOON,
                              .server_known = true};
}

/* An intent of an earlier process, an hour ago, in this boot. */
static struct item intent_an_hour_ago(void)
{
    return (struct item){.state = ITEM_SENDING,
                         .unknown_send = true,
                         .intent_ms = NOON - HOUR_MS,
                         .intent_boot_ms = 9 * HOUR_MS,
                         .intent_boot = 7};
}

static void test_all_clocks_agree(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    assert_int_equal(key_age_ms(&item, false, &clock), HOUR_MS);
    assert_int_equal(key_age_ms(&item, true, &clock), HOUR_MS);
}

static void test_the_hosts_clock_is_not_asked_about_a_stamp_of_the_server(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    clock.wall_ms += 100 * HOUR_MS;
    assert_int_equal(key_age_ms(&item, true, &clock), HOUR_MS);
}

static void test_a_clock_set_back_makes_no_key_younger(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    clock.wall_ms -= HOUR_MS;
    assert_int_equal(key_age_ms(&item, false, &clock), HOUR_MS);
    item.intent_boot = 6;
    assert_int_equal(key_age_ms(&item, false, &clock), HOUR_MS);
    clock.server_known = false; /* and then there is only the host's clock */
    clock.server_ms = clock.wall_ms;
    assert_int_equal(key_age_ms(&item, false, &clock), 0);
}

static void test_within_a_boot_its_clock_counts_if_it_says_more(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_ms = NOON + HOUR_MS; /* the host's clock was fast when the intent was made */
    assert_int_equal(key_age_ms(&item, false, &clock), HOUR_MS);
    item.intent_ms = NOON - 3 * HOUR_MS;
    assert_int_equal(key_age_ms(&item, false, &clock), 3 * HOUR_MS);
}

static void test_of_an_intent_of_the_future_nothing_is_known(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_boot = 0;
    item.intent_ms = NOON + 6 * 60 * 1000;
    assert_true(key_age_ms(&item, false, &clock) == INT64_MAX);
    item.intent_ms = NOON + 4 * 60 * 1000; /* clocks differ a little */
    assert_int_equal(key_age_ms(&item, false, &clock), -4 * 60 * 1000);
}

static void test_only_a_repeat_waits_for_the_servers_time(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    assert_false(key_age_needs_server(&item, &clock));
    clock.server_known = false;
    assert_true(key_age_needs_server(&item, &clock));
    clock.given_up = true;
    assert_false(key_age_needs_server(&item, &clock));
    clock.given_up = false;
    item.unknown_send = false;
    assert_false(key_age_needs_server(&item, &clock));
}

static void test_a_stamp_is_corrected_whatever_the_hosts_clock_did_since(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_ms = NOON + 5 * HOUR_MS; /* by a clock that was six hours fast and was set since */
    assert_true(key_age_correct_intent(&item, &clock));
    assert_int_equal(item.intent_ms, NOON - HOUR_MS);
    assert_int_equal(key_age_ms(&item, true, &clock), HOUR_MS);
    item.intent_ms += 2000; /* what the Date of an answer can be off is no news */
    assert_false(key_age_correct_intent(&item, &clock));
    assert_int_equal(item.intent_ms, NOON - HOUR_MS);
}

static void test_the_last_repeat_arrives_while_the_key_is_known(void **state)
{
    const int64_t minute_ms = 60 * 1000;

    (void)state;
    assert_int_equal(key_age_repeat_max_ms(12 * HOUR_MS), 12 * HOUR_MS - 20 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(42 * minute_ms), 22 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(40 * minute_ms), 20 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(10 * minute_ms), 5 * minute_ms);
}

static void test_while_the_servers_time_is_not_known_the_future_is_only_no_age(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_boot = 0;
    item.intent_ms = NOON + HOUR_MS;
    clock.server_known = false;
    assert_int_equal(key_age_ms(&item, false, &clock), -HOUR_MS);
    clock.server_known = true;
    assert_true(key_age_ms(&item, false, &clock) == INT64_MAX);
}

static void test_a_stamp_of_a_slow_clock_is_corrected_too(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_ms = NOON - 6 * HOUR_MS; /* by a clock that was five hours slow */
    assert_true(key_age_correct_intent(&item, &clock));
    assert_int_equal(item.intent_ms, NOON - HOUR_MS);
    item.intent_ms -= 2000;
    assert_false(key_age_correct_intent(&item, &clock));
    item.intent_ms = NOON - HOUR_MS - 2001;
    assert_true(key_age_correct_intent(&item, &clock));
    item.intent_ms = NOON - HOUR_MS + 2001;
    assert_true(key_age_correct_intent(&item, &clock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_clocks_agree),
        cmocka_unit_test(test_the_hosts_clock_is_not_asked_about_a_stamp_of_the_server),
        cmocka_unit_test(test_a_clock_set_back_makes_no_key_younger),
        cmocka_unit_test(test_within_a_boot_its_clock_counts_if_it_says_more),
        cmocka_unit_test(test_of_an_intent_of_the_future_nothing_is_known),
        cmocka_unit_test(test_a_stamp_is_corrected_whatever_the_hosts_clock_did_since),
        cmocka_unit_test(test_the_last_repeat_arrives_while_the_key_is_known),
        cmocka_unit_test(test_only_a_repeat_waits_for_the_servers_time),
        cmocka_unit_test(test_while_the_servers_time_is_not_known_the_future_is_only_no_age),
        cmocka_unit_test(test_a_stamp_of_a_slow_clock_is_corrected_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
