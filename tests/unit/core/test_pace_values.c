/* What pace comes to, to the number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/core/pace.h"

static struct pace pace_of(bool learns, uint32_t start_millis, uint32_t burst, int64_t now_ms)
{
    const struct pace_config config = {
        .learns = learns, .start_millis = start_millis, .burst = burst};
    struct pace pace;

    pace_init(&pace, &config, now_ms);
    return pace;
}

static void take(struct pace *pace, int count, int64_t now_ms)
{
    for (int i = 0; i < count; i++)
        pace_take(pace, now_ms);
}

static void refuse(struct pace *pace, int count, int64_t now_ms)
{
    for (int i = 0; i < count; i++)
        pace_throttled(pace, now_ms, -1);
}

static void a_wait_ends_with_the_first_millisecond_that_is_not_too_early(void **context)
{
    static const struct {
        uint32_t rate_millis, burst;
        int64_t ready_ms;
    } cases[] = {{1000, 1, 6000},    {3000, 1, 5334}, {3000, 2, 5000},       {7000, 1, 5143},
                 {1000000, 1, 5001}, {200, 1, 10000}, {1000000000, 1, 5001}, {1, 1, 1005000}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pace pace = pace_of(false, cases[i].rate_millis, cases[i].burst, 0);

        assert_int_equal(pace_ready_at_ms(&pace, 5000), 5000);
        pace_take(&pace, 5000);
        assert_int_equal(pace_ready_at_ms(&pace, 5000), cases[i].ready_ms);
        assert_int_equal(pace_ready_at_ms(&pace, 2000000), 2000000);
    }
}

static void a_burst_is_as_many_as_it_says(void **context)
{
    struct pace pace = pace_of(false, 1000, 3, 0);
    (void)context;

    take(&pace, 3, 10000);
    assert_int_equal(pace_ready_at_ms(&pace, 10000), 11000);
    pace_take(&pace, 11000);
    assert_int_equal(pace_ready_at_ms(&pace, 11000), 12000);
    assert_int_equal(pace_ready_at_ms(&pace, 13000), 13000);
    take(&pace, 2, 13000); /* two have come back since */
    assert_int_equal(pace_ready_at_ms(&pace, 13000), 14000);
}

static void what_went_in_a_second_is_counted_from_the_first_one_after_it(void **context)
{
    struct pace pace = pace_of(true, 0, 1, 7000);
    (void)context;

    take(&pace, 10, 7000);
    take(&pace, 2, 7999);
    assert_int_equal(pace.second_count, 12);
    assert_int_equal(pace.observed_millis, 0);
    pace_take(&pace, 8000);
    assert_int_equal(pace.second_count, 1);
    assert_int_equal(pace.observed_millis, 12000);
    assert_int_equal(pace.second_start_ms, 8000);
    take(&pace, 5, 8500);
    pace_take(&pace, 10500); /* six in two seconds and a half */
    assert_int_equal(pace.observed_millis, 2400);
    assert_int_equal(pace.second_count, 1);
    pace = pace_of(true, 0, 1, 7000);
    take(&pace, 1000, 7500);
    pace_take(&pace, 8000);
    assert_int_equal(pace.observed_millis, 1000000);
}

static void what_is_full_again_may_go_now_and_not_before(void **context)
{
    struct pace pace = pace_of(false, 100000, 1, 0);
    (void)context;

    pace_take(&pace, 19980);
    assert_int_equal(pace_ready_at_ms(&pace, 19985), 19990);
    assert_int_equal(pace_ready_at_ms(&pace, 20000), 20000);
}

static void the_share_of_refusals_remembers_about_thirty_two_requests(void **context)
{
    struct pace pace = pace_of(true, 0, 1, 0);
    (void)context;

    refuse(&pace, 1, 10);
    assert_int_equal(pace.refused_share, 2048);
    refuse(&pace, 2, 10);
    assert_int_equal(pace.refused_share, 5954);
    assert_false(pace.throttled_once); /* not a tenth yet */
    pace_take(&pace, 10);
    assert_int_equal(pace.refused_share, 5954 - 186);
    refuse(&pace, 2, 10);
    assert_true(pace.throttled_once);
    pace.refused_share = 1;
    refuse(&pace, 1, 20);
    assert_int_equal(pace.refused_share, 1 + 2047);
}

static void refusals_lower_no_rate_that_does_not_learn(void **context)
{
    struct pace pace = pace_of(false, 50000, 1, 0);
    (void)context;

    refuse(&pace, 20, 10);
    assert_int_equal(pace.rate_millis, 50000);
    assert_int_equal(pace.paused_until_ms, 0);
}

static void a_bucket_that_has_been_full_for_long_stays_full(void **context)
{
    const int64_t now_ms = INT64_C(1800000000000);
    struct pace pace = pace_of(true, 1000000000, 1, now_ms);
    (void)context;

    refuse(&pace, 4, now_ms);
    assert_int_equal(pace.rate_millis, 200);
    assert_int_equal(pace_ready_at_ms(&pace, now_ms), now_ms);
    pace = pace_of(true, 40000, 1, now_ms);
    pace.full_at_us = now_ms * 1000 + 1;
    pace.observed_millis = 40000;
    pace.refused_share = 32768 - 1057;
    refuse(&pace, 1, now_ms);
    assert_int_equal(pace.full_at_us, now_ms * 1000 + 2);
}

static void a_tenth_of_refusals_is_enough(void **context)
{
    (void)context;
    for (uint32_t before = 4650; before <= 4651; before++) {
        struct pace pace = pace_of(true, 50000, 1, 0);

        pace.refused_share = before;
        refuse(&pace, 1, 10);
        assert_int_equal(pace.refused_share, before + 1902); /* a tenth is 6553 */
        assert_int_equal(pace.throttled_once, before == 4651);
    }
}

static void a_rate_goes_down_to_nine_tenths_of_what_was_accepted(void **context)
{
    struct pace pace = pace_of(true, 100000, 100, 0);
    (void)context;

    take(&pace, 60, 0);
    pace.refused_share = 32768 - 1057; /* half of them, after the next one */
    refuse(&pace, 1, 500);
    assert_int_equal(pace.refused_share, 32768);
    assert_int_equal(pace.rate_millis, 27000);
    assert_int_equal(pace.changed_ms, 500);
}

static void what_was_sent_is_the_fuller_of_two_seconds_but_no_more_than_the_rate(void **context)
{
    static const struct {
        uint32_t rate_millis, observed_millis, second_count, rate_after_millis;
    } cases[] = {{100000, 40000, 10, 18000}, {100000, 10000, 40, 18000}, {100000, 40000, 40, 18000},
                 {30000, 40000, 10, 13500},  {100000, 39999, 10, 17999}, {100000, 1000, 0, 450},
                 {0, 40000, 10, 18000},      {1000, 300, 0, 200}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pace pace = pace_of(true, cases[i].rate_millis, 1, 0);

        pace.observed_millis = cases[i].observed_millis;
        pace.second_count = cases[i].second_count;
        pace.refused_share = 32768 - 1057;
        refuse(&pace, 1, 5);
        assert_int_equal(pace.rate_millis, cases[i].rate_after_millis);
    }
}

static void what_has_been_taken_fills_up_at_the_new_rate(void **context)
{
    struct pace pace = pace_of(true, 40000, 1, 0);
    (void)context;

    pace_take(&pace, 100); /* full again in 25 ms */
    assert_int_equal(pace.full_at_us, 125000);
    pace.observed_millis = 40000;
    pace.refused_share = 32768 - 1057;
    refuse(&pace, 1, 105);
    assert_int_equal(pace.rate_millis, 18000);
    assert_int_equal(pace.full_at_us, 105000 + 20000 * 40 / 18);
    pace = pace_of(true, 40000, 1, 0);
    pace_take(&pace, 100);
    pace.observed_millis = 40000;
    pace.refused_share = 32768 - 1057;
    refuse(&pace, 1, 125); /* it is full */
    assert_int_equal(pace.full_at_us, 125000);
    assert_int_equal(pace_ready_at_ms(&pace, 125), 125);
}

static void a_higher_rate_fills_up_sooner(void **context)
{
    struct pace pace = pace_of(true, 500, 1, 0);
    (void)context;

    pace_take(&pace, 1000);
    pace_grow(&pace, 1500);
    assert_int_equal(pace.rate_millis, 1000);
    assert_int_equal(pace.full_at_us, 1500000 + 1500000 / 2);
}

static void a_pause_of_nothing_is_none(void **context)
{
    struct pace pace = pace_of(true, 1000, 1, 0);
    (void)context;

    pace_throttled(&pace, 500, 0);
    assert_int_equal(pace.paused_until_ms, 0);
    pace_throttled(&pace, 500, 1);
    assert_int_equal(pace.paused_until_ms, 501);
    assert_int_equal(pace_ready_at_ms(&pace, 500), 501);
    pace_throttled(&pace, 501, -300);
    assert_int_equal(pace.paused_until_ms, 501);
}

static void a_rate_is_lowered_again_when_a_second_has_passed(void **context)
{
    struct pace pace = pace_of(true, 100000, 1, 0);
    (void)context;

    pace.observed_millis = 100000;
    pace.refused_share = 32768 - 1057;
    refuse(&pace, 1, 10);
    assert_int_equal(pace.rate_millis, 45000);
    refuse(&pace, 1, 1009);
    assert_int_equal(pace.rate_millis, 45000);
    refuse(&pace, 1, 1010);
    assert_true(pace.rate_millis < 45000);
    pace.rate_millis = 45000;
    refuse(&pace, 1, 1010 + 1500);
    assert_true(pace.rate_millis < 45000);
}

static void the_first_refusals_lower_it_however_young_it_is(void **context)
{
    struct pace pace = pace_of(true, 100000, 1, 1000);
    (void)context;

    pace.observed_millis = 100000;
    pace.refused_share = 32768 - 1057;
    refuse(&pace, 1, 1000);
    assert_int_equal(pace.rate_millis, 45000);
}

static void a_rate_grows_once_a_second_from_its_start_and_from_the_end_of_a_pause(void **context)
{
    struct pace pace = pace_of(true, 1000, 1, 7000);
    (void)context;

    pace_grow(&pace, 7999);
    assert_int_equal(pace.rate_millis, 1000);
    pace_grow(&pace, 8000);
    assert_int_equal(pace.rate_millis, 2000);
    pace_grow(&pace, 8999);
    assert_int_equal(pace.rate_millis, 2000);
    pace_throttled(&pace, 9000, 3000);
    pace_grow(&pace, 11999);
    assert_int_equal(pace.rate_millis, 2000);
    pace_grow(&pace, 12000);
    assert_int_equal(pace.rate_millis, 4000);
    pace = pace_of(true, 0, 1, 7000);
    pace_grow(&pace, 9000); /* where there is no limit nothing changes */
    assert_int_equal(pace.rate_millis, 0);
    assert_int_equal(pace.changed_ms, 7000);
}

static void after_a_refusal_it_grows_by_a_fiftieth_and_a_tenth_of_a_request(void **context)
{
    struct pace pace = pace_of(true, 5000, 1, 0);
    (void)context;

    pace_recall(&pace, 5000);
    pace_grow(&pace, 1000);
    assert_int_equal(pace.rate_millis, 5200);
    pace_grow(&pace, 2000);
    assert_int_equal(pace.rate_millis, 5404);
}

static void a_rate_is_cut_to_a_million_a_second_and_to_its_ceiling(void **context)
{
    struct pace_config config = {.learns = true, .burst = 1, .start_millis = 1000000001};
    struct pace pace;
    (void)context;

    pace_init(&pace, &config, 0);
    assert_int_equal(pace.rate_millis, 1000000000);
    config.ceiling_millis = 1;
    pace_init(&pace, &config, 0);
    assert_int_equal(pace.rate_millis, 1);
    config.start_millis = 500;
    config.ceiling_millis = 501;
    pace_init(&pace, &config, 0);
    assert_int_equal(pace.rate_millis, 500);
}

/* --- how many at once --- */

static void a_window_is_halved_by_the_first_refusal_whenever_it_comes(void **context)
{
    static const int64_t times_ms[] = {1, 500, 999, 1000, 100000};
    (void)context;

    for (size_t i = 0; i < sizeof times_ms / sizeof times_ms[0]; i++) {
        struct window window;

        window_init(&window, 9);
        window_throttled(&window, times_ms[i]);
        assert_int_equal(window.limit, 4);
        window_throttled(&window, times_ms[i] + 999);
        assert_int_equal(window.limit, 4);
        window_throttled(&window, times_ms[i] + 1000);
        assert_int_equal(window.limit, 2);
        window_throttled(&window, times_ms[i] + 2500);
        assert_int_equal(window.limit, 1);
        window_throttled(&window, times_ms[i] + 4000);
        assert_int_equal(window.limit, 1);
    }
}

static void a_limit_that_was_recalled_counts_on(void **context)
{
    struct window window;
    (void)context;

    window_init(&window, 10);
    window_throttled(&window, 1000);
    for (int i = 0; i < 4; i++)
        window_succeeded(&window);
    window_recall(&window, 2);
    window_succeeded(&window);
    assert_int_equal(window.limit, 3);
    assert_int_equal(window.clean_count, 0);
}

static void clean_answers_are_counted_only_below_the_most(void **context)
{
    struct window window;
    (void)context;

    window_init(&window, 2);
    for (int i = 0; i < 5; i++)
        window_succeeded(&window);
    assert_int_equal(window.clean_count, 0);
    window_recall(&window, 1);
    window_succeeded(&window);
    assert_int_equal(window.limit, 2);
    assert_int_equal(window.clean_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_ends_with_the_first_millisecond_that_is_not_too_early),
        cmocka_unit_test(a_burst_is_as_many_as_it_says),
        cmocka_unit_test(what_went_in_a_second_is_counted_from_the_first_one_after_it),
        cmocka_unit_test(what_is_full_again_may_go_now_and_not_before),
        cmocka_unit_test(refusals_lower_no_rate_that_does_not_learn),
        cmocka_unit_test(a_bucket_that_has_been_full_for_long_stays_full),
        cmocka_unit_test(a_limit_that_was_recalled_counts_on),
        cmocka_unit_test(the_share_of_refusals_remembers_about_thirty_two_requests),
        cmocka_unit_test(a_tenth_of_refusals_is_enough),
        cmocka_unit_test(a_rate_goes_down_to_nine_tenths_of_what_was_accepted),
        cmocka_unit_test(what_was_sent_is_the_fuller_of_two_seconds_but_no_more_than_the_rate),
        cmocka_unit_test(what_has_been_taken_fills_up_at_the_new_rate),
        cmocka_unit_test(a_higher_rate_fills_up_sooner),
        cmocka_unit_test(a_pause_of_nothing_is_none),
        cmocka_unit_test(a_rate_is_lowered_again_when_a_second_has_passed),
        cmocka_unit_test(the_first_refusals_lower_it_however_young_it_is),
        cmocka_unit_test(a_rate_grows_once_a_second_from_its_start_and_from_the_end_of_a_pause),
        cmocka_unit_test(after_a_refusal_it_grows_by_a_fiftieth_and_a_tenth_of_a_request),
        cmocka_unit_test(a_rate_is_cut_to_a_million_a_second_and_to_its_ceiling),
        cmocka_unit_test(a_window_is_halved_by_the_first_refusal_whenever_it_comes),
        cmocka_unit_test(clean_answers_are_counted_only_below_the_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
