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
    item.intent_boot_ms = 0; /* nor is the boot clock */
    assert_int_equal(key_age_ms(&item, true, &clock), HOUR_MS);
}

static void test_after_a_boot_the_older_of_the_hosts_and_the_servers_age_counts(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_boot = 6;
    clock.wall_ms = NOON + HOUR_MS;
    assert_int_equal(key_age_ms(&item, false, &clock), 2 * HOUR_MS);
    item.intent_boot = 8; /* of a ledger that was moved here */
    assert_int_equal(key_age_ms(&item, false, &clock), 2 * HOUR_MS);
    clock.wall_ms = NOON - HOUR_MS;
    assert_int_equal(key_age_ms(&item, false, &clock), HOUR_MS);
}

static void test_a_boot_that_is_not_known_is_not_the_same_boot(void **state)
{
    struct key_clock clock = clock_at_noon();
    struct item item = intent_an_hour_ago();

    (void)state;
    item.intent_boot = clock.boot = 0;
    item.intent_boot_ms = 0;
    assert_int_equal(key_age_ms(&item, false, &clock), HOUR_MS);
    item.intent_boot = clock.boot = 1;
    assert_int_equal(key_age_ms(&item, false, &clock), 10 * HOUR_MS);
    item.intent_boot = clock.boot = UINT32_MAX;
    assert_int_equal(key_age_ms(&item, false, &clock), 10 * HOUR_MS);
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
    item.intent_ms = NOON + 5 * 60 * 1000; /* clocks differ a little */
    assert_int_equal(key_age_ms(&item, false, &clock), -5 * 60 * 1000);
    item.intent_ms++;
    assert_true(key_age_ms(&item, false, &clock) == INT64_MAX);
    clock.server_known = false; /* nothing contradicts the host's clock */
    assert_int_equal(key_age_ms(&item, false, &clock), -5 * 60 * 1000 - 1);
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
}

static void test_what_the_date_of_an_answer_can_be_off_is_no_news(void **state)
{
    static const struct {
        int off_ms;
        bool is_news;
    } cases[] = {{0, false},    {2000, false},  {-2000, false},         {2001, true},
                 {-2001, true}, {400000, true}, {-20 * 60 * 1000, true}};
    struct key_clock clock = clock_at_noon();
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct item item = intent_an_hour_ago();

        item.intent_ms += cases[i].off_ms;
        assert_int_equal(key_age_correct_intent(&item, &clock), cases[i].is_news);
        assert_int_equal(item.intent_ms, NOON - HOUR_MS);
    }
}

static void test_the_last_repeat_arrives_while_the_key_is_known(void **state)
{
    const int64_t minute_ms = 60 * 1000;

    (void)state;
    assert_int_equal(key_age_repeat_max_ms(12 * HOUR_MS), 12 * HOUR_MS - 20 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(42 * minute_ms), 22 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(40 * minute_ms + 2), 20 * minute_ms + 2);
    assert_int_equal(key_age_repeat_max_ms(40 * minute_ms + 1), 20 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(40 * minute_ms), 20 * minute_ms);
    assert_int_equal(key_age_repeat_max_ms(30 * minute_ms), 15 * minute_ms);
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
        cmocka_unit_test(test_after_a_boot_the_older_of_the_hosts_and_the_servers_age_counts),
        cmocka_unit_test(test_a_boot_that_is_not_known_is_not_the_same_boot),
        cmocka_unit_test(test_what_the_date_of_an_answer_can_be_off_is_no_news),
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
