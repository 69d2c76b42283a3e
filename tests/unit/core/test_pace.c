#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/base/rng.h"
#include "purser/core/pace.h"

static struct pace pace_of(bool learns, uint32_t start_millis, uint32_t ceiling_millis,
                           uint32_t burst)
{
    struct pace pace;

    pace_init(&pace,
              &(struct pace_config){.learns = learns,
                                    .start_millis = start_millis,
                                    .ceiling_millis = ceiling_millis,
                                    .burst = burst},
              0);
    return pace;
}

static bool may_go(const struct pace *pace, int64_t now_ms)
{
    return pace_ready_at_ms(pace, now_ms) <= now_ms;
}

/* Takes as fast as it may for one second from `start_ms`; gives how many went. */
static uint32_t take_for_a_second(struct pace *pace, int64_t start_ms)
{
    uint32_t taken = 0;

    for (int64_t now_ms = start_ms; now_ms < start_ms + 1000; now_ms++) {
        pace_grow(pace, now_ms);
        while (may_go(pace, now_ms) && taken < 1000000) {
            pace_take(pace, now_ms);
            taken++;
        }
    }
    return taken;
}

static void a_rate_holds_wherever_a_counter_of_milliseconds_could_wrap(void **context)
{
    static const int64_t edges[] = {INT64_C(1) << 31, INT64_C(1) << 32, INT64_C(1) << 53};
    (void)context;

    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        int64_t start_ms = edges[i] - 500;
        struct pace pace;

        pace_init(&pace, &(struct pace_config){.start_millis = 10000, .burst = 1},
                  start_ms - 10000);
        assert_in_range(take_for_a_second(&pace, start_ms), 10, 11);
        assert_in_range(pace_ready_at_ms(&pace, start_ms + 1000) - start_ms, 1000, 1100);
        pace_throttled(&pace, start_ms, 2000);
        assert_int_equal(pace_ready_at_ms(&pace, start_ms + 1000), start_ms + 2000);
    }
}

static void no_window_of_time_holds_more_than_rate_times_time_plus_burst(void **context)
{
    enum { COUNT = 400 };
    static int64_t times[COUNT];
    struct rng rng;
    (void)context;

    rng_init(&rng, 5);
    for (int world = 0; world < 60; world++) {
        uint32_t rate_millis = 500 + (uint32_t)rng_below(&rng, 200000);
        uint32_t burst = 1 + (uint32_t)rng_below(&rng, 20);
        struct pace pace = pace_of(false, rate_millis, 0, burst);
        int64_t now_ms = 0;

        for (int i = 0; i < COUNT; i++) {
            int64_t ready_ms;

            if (rng_below(&rng, 20) == 0) /* a pause: nothing may be saved up beyond the burst */
                now_ms += (int64_t)rng_below(&rng, 10000);
            ready_ms = pace_ready_at_ms(&pace, now_ms);
            if (ready_ms > now_ms)
                now_ms = ready_ms;
            pace_take(&pace, now_ms);
            times[i] = now_ms;
        }
        for (int a = 0; a < COUNT; a++)
            for (int b = a; b < COUNT; b++)
                assert_true((int64_t)(b - a + 1) * 1000000 <=
                            (times[b] - times[a] + 1) * (int64_t)rate_millis +
                                (int64_t)burst * 1000000);
    }
}

static void the_time_given_is_the_earliest_that_works(void **context)
{
    struct pace pace = pace_of(false, 3000, 0, 1);
    int64_t now_ms = 0;
    (void)context;

    for (int i = 0; i < 100; i++) {
        int64_t ready_ms = pace_ready_at_ms(&pace, now_ms);

        if (ready_ms > now_ms)
            assert_false(may_go(&pace, ready_ms - 1));
        assert_true(may_go(&pace, ready_ms));
        now_ms = ready_ms;
        pace_take(&pace, now_ms);
    }
    assert_in_range(now_ms, 32900, 33100); /* 99 intervals of a third of a second */
}

static void without_a_limit_everything_goes_at_once(void **context)
{
    struct pace pace = pace_of(false, 0, 0, 1);
    (void)context;

    for (int i = 0; i < 10000; i++) {
        assert_true(may_go(&pace, 7));
        pace_take(&pace, 7);
    }
    pace_throttled(&pace, 8, 500);
    assert_int_equal(pace_ready_at_ms(&pace, 8), 508);
}

static void a_fixed_rate_never_changes_but_pauses(void **context)
{
    struct pace pace = pace_of(false, 5000, 0, 1);
    (void)context;

    for (int64_t now_ms = 0; now_ms < 100000; now_ms += 500)
        pace_grow(&pace, now_ms);
    assert_int_equal(pace.rate_millis, 5000);
    pace_throttled(&pace, 100000, 2000);
    assert_int_equal(pace.rate_millis, 5000);
    assert_false(may_go(&pace, 101999));
    assert_true(may_go(&pace, 102000));
}

static void a_learning_rate_doubles_each_second_until_the_first_refusal(void **context)
{
    struct pace pace = pace_of(true, 1000, 0, 1);
    (void)context;

    for (uint32_t second = 1; second <= 8; second++) {
        pace_grow(&pace, second * 1000 - 1);
        pace_grow(&pace, second * 1000);
        assert_int_equal(pace.rate_millis, 1000u << second);
    }
}

/* `count` requests over a second, each `nth` of which is refused at its end. */
static void send_with_refusals(struct pace *pace, int64_t start_ms, int count, int nth)
{
    for (int i = 0; i < count; i++) {
        int64_t now_ms = start_ms + (int64_t)i * 1000 / count;

        if (!may_go(pace, now_ms))
            continue;
        pace_take(pace, now_ms);
        if (i % nth == nth - 1)
            pace_throttled(pace, now_ms, -1);
    }
}

static void many_refusals_lower_the_rate_to_what_was_accepted(void **context)
{
    struct pace pace = pace_of(true, 100000, 0, 10);
    (void)context;

    send_with_refusals(&pace, 0, 60, 1000);
    send_with_refusals(&pace, 1000, 60, 3);
    assert_true(pace.throttled_once);
    assert_in_range(pace.rate_millis, 35000, 54000);
}

static void a_stray_refusal_does_not_lower_the_rate(void **context)
{
    struct pace pace = pace_of(true, 45000, 45000, 10);
    (void)context;

    for (int64_t second = 0; second < 200; second++)
        send_with_refusals(&pace, second * 1000, 40, 40);
    assert_int_equal(pace.rate_millis, 45000);
}

/* Enough of them in a row to be believed. */
static void refuse(struct pace *pace, int64_t now_ms)
{
    for (int i = 0; i < 5; i++)
        pace_throttled(pace, now_ms, -1);
}

static void refusals_within_a_second_count_once(void **context)
{
    struct pace pace = pace_of(true, 64000, 0, 100);
    uint32_t after_first;
    (void)context;

    take_for_a_second(&pace, 0);
    refuse(&pace, 1000);
    after_first = pace.rate_millis;
    for (int64_t now_ms = 1001; now_ms < 2000; now_ms += 50)
        refuse(&pace, now_ms);
    assert_int_equal(pace.rate_millis, after_first);
    pace_throttled(&pace, 2000, -1);
    assert_true(pace.rate_millis < after_first);
}

static void a_lower_rate_gives_no_credit_that_was_not_there(void **context)
{
    struct pace pace = pace_of(true, 20000, 0, 3);
    (void)context;

    for (int i = 0; i < 3; i++)
        pace_take(&pace, 5000);
    assert_false(may_go(&pace, 5001));
    for (int i = 0; i < 5; i++)
        pace_throttled(&pace, 5001, -1);
    assert_true(pace.rate_millis < 20000);
    assert_false(may_go(&pace, 5001));
    assert_false(may_go(&pace, 5060));
    assert_true(may_go(&pace, 5000 + 1000000 / (int64_t)pace.rate_millis + 1));
}

static void after_a_refusal_the_rate_grows_by_small_steps(void **context)
{
    struct pace pace = pace_of(true, 64000, 0, 1);
    uint32_t before;
    (void)context;

    take_for_a_second(&pace, 0);
    refuse(&pace, 1000);
    for (int64_t second = 2; second < 60; second++) {
        before = pace.rate_millis;
        pace_grow(&pace, second * 1000);
        assert_true(pace.rate_millis > before);
        assert_true(pace.rate_millis <= before + before / 50 + 100);
    }
}

static void the_ceiling_is_never_passed(void **context)
{
    struct pace pace = pace_of(true, 1000, 45000, 5);
    (void)context;

    for (int64_t second = 0; second < 100; second++) {
        assert_true(take_for_a_second(&pace, second * 1000) <= 45 + 5);
        assert_true(pace.rate_millis <= 45000);
        if (second % 10 == 9)
            refuse(&pace, second * 1000 + 999);
    }
    pace = pace_of(true, 90000, 45000, 5);
    assert_int_equal(pace.rate_millis, 45000);
}

static void the_rate_never_reaches_zero(void **context)
{
    struct pace pace = pace_of(true, 1000, 0, 1);
    (void)context;

    for (int64_t second = 1; second < 100; second++)
        refuse(&pace, second * 1000);
    assert_int_equal(pace.rate_millis, 200);
    assert_true(pace_ready_at_ms(&pace, 100000) <= 105000);
}

static void nothing_goes_before_a_retry_after_has_passed(void **context)
{
    struct pace pace = pace_of(true, 1000000, 0, 100);
    (void)context;

    pace_throttled(&pace, 1000, 30000);
    pace_throttled(&pace, 1001, 5000); /* a shorter one does not shorten it */
    assert_int_equal(pace_ready_at_ms(&pace, 2000), 31000);
    assert_true(may_go(&pace, 31000));
}

static void a_paused_rate_does_not_grow(void **context)
{
    struct pace pace = pace_of(true, 1000, 0, 1);
    (void)context;

    pace_throttled(&pace, 100, 60000);
    for (int64_t now_ms = 100; now_ms < 60100; now_ms += 100)
        pace_grow(&pace, now_ms);
    assert_true(pace.rate_millis <= 1000);
}

static void a_learned_rate_is_gone_on_with_in_small_steps(void **context)
{
    struct pace pace = pace_of(true, 50000, 60000, 1);
    (void)context;

    pace_recall(&pace, 0); /* nothing was learned */
    assert_int_equal(pace.rate_millis, 50000);
    pace_recall(&pace, 10000);
    assert_int_equal(pace.rate_millis, 10000);
    pace_grow(&pace, 1000);
    assert_in_range(pace.rate_millis, 10001, 10300);
    pace_recall(&pace, 90000);
    assert_int_equal(pace.rate_millis, 60000);
    pace = pace_of(false, 50000, 0, 1);
    pace_recall(&pace, 10000);
    assert_int_equal(pace.rate_millis, 50000);
}

/* --- how many at once --- */

static void a_learned_limit_is_gone_on_with(void **context)
{
    static const struct {
        uint32_t learned, limit;
    } cases[] = {{0, 8}, {1, 1}, {5, 5}, {8, 8}, {20, 8}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window window;

        window_init(&window, 8);
        window_recall(&window, cases[i].learned);
        assert_int_equal(window.limit, cases[i].limit);
    }
}

static void a_window_gives_no_more_than_its_limit(void **context)
{
    struct window window;
    (void)context;

    window_init(&window, 4);
    for (int i = 0; i < 4; i++) {
        assert_true(window_has_room(&window));
        window_take(&window);
    }
    assert_false(window_has_room(&window));
    window_give_back(&window);
    assert_true(window_has_room(&window));
}

static void a_refusal_halves_the_window_once_a_second_and_never_closes_it(void **context)
{
    static const uint32_t expected[] = {8, 4, 2, 1, 1, 1};
    struct window window;
    (void)context;

    window_init(&window, 16);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        int64_t now_ms = (int64_t)i * 1000 + 5;

        window_throttled(&window, now_ms);
        window_throttled(&window, now_ms + 999);
        assert_int_equal(window.limit, expected[i]);
        assert_true(window_has_room(&window));
    }
}

static void a_full_round_of_clean_answers_opens_the_window_by_one(void **context)
{
    struct window window;
    uint32_t answers = 0;
    (void)context;

    window_init(&window, 8);
    window_throttled(&window, 1000);
    assert_int_equal(window.limit, 4);
    while (window.limit < 8 && answers < 1000) {
        window_succeeded(&window);
        answers++;
    }
    assert_int_equal(answers, 4 + 5 + 6 + 7);
    for (int i = 0; i < 100; i++)
        window_succeeded(&window);
    assert_int_equal(window.limit, 8);
}

static void a_refusal_starts_the_count_of_clean_answers_again(void **context)
{
    struct window window;
    (void)context;

    window_init(&window, 8);
    window_throttled(&window, 1000);
    for (int i = 0; i < 3; i++)
        window_succeeded(&window);
    window_throttled(&window, 1500);
    for (int i = 0; i < 3; i++)
        window_succeeded(&window);
    assert_int_equal(window.limit, 4);
    window_succeeded(&window);
    assert_int_equal(window.limit, 5);
}

static void a_window_that_shrank_under_its_use_gives_nothing_until_it_fits(void **context)
{
    struct window window;
    (void)context;

    window_init(&window, 4);
    for (int i = 0; i < 4; i++)
        window_take(&window);
    window_throttled(&window, 1000);
    window_give_back(&window);
    assert_false(window_has_room(&window));
    window_give_back(&window);
    assert_false(window_has_room(&window));
    window_give_back(&window);
    assert_true(window_has_room(&window));
}

static void a_rate_never_passes_a_million_requests_a_second(void **context)
{
    struct pace pace = pace_of(true, 600000000, 0, 1);
    (void)context;

    pace_grow(&pace, 1000);
    assert_int_equal(pace.rate_millis, 1000000000);
    pace_grow(&pace, 2000);
    assert_int_equal(pace.rate_millis, 1000000000);
}

static void without_a_limit_refusals_teach_one_from_what_was_sent(void **context)
{
    struct pace pace = pace_of(true, 0, 0, 1);
    (void)context;

    pace_grow(&pace, 1000);
    assert_int_equal(pace.rate_millis, 0); /* nothing grows where there is no limit */
    for (int i = 0; i < 100; i++)
        pace_take(&pace, 1000);
    refuse(&pace, 1500);
    assert_true(pace.throttled_once);
    assert_in_range(pace.rate_millis, 70000, 90000);
    assert_true(may_go(&pace, 1500)); /* what went before it was learned fills nothing up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_window_of_time_holds_more_than_rate_times_time_plus_burst),
        cmocka_unit_test(a_rate_holds_wherever_a_counter_of_milliseconds_could_wrap),
        cmocka_unit_test(the_time_given_is_the_earliest_that_works),
        cmocka_unit_test(without_a_limit_everything_goes_at_once),
        cmocka_unit_test(a_fixed_rate_never_changes_but_pauses),
        cmocka_unit_test(a_learning_rate_doubles_each_second_until_the_first_refusal),
        cmocka_unit_test(many_refusals_lower_the_rate_to_what_was_accepted),
        cmocka_unit_test(a_stray_refusal_does_not_lower_the_rate),
        cmocka_unit_test(refusals_within_a_second_count_once),
        cmocka_unit_test(a_lower_rate_gives_no_credit_that_was_not_there),
        cmocka_unit_test(after_a_refusal_the_rate_grows_by_small_steps),
        cmocka_unit_test(the_ceiling_is_never_passed),
        cmocka_unit_test(the_rate_never_reaches_zero),
        cmocka_unit_test(nothing_goes_before_a_retry_after_has_passed),
        cmocka_unit_test(a_paused_rate_does_not_grow),
        cmocka_unit_test(a_learned_rate_is_gone_on_with_in_small_steps),
        cmocka_unit_test(a_learned_limit_is_gone_on_with),
        cmocka_unit_test(a_window_gives_no_more_than_its_limit),
        cmocka_unit_test(a_refusal_halves_the_window_once_a_second_and_never_closes_it),
        cmocka_unit_test(a_full_round_of_clean_answers_opens_the_window_by_one),
        cmocka_unit_test(a_refusal_starts_the_count_of_clean_answers_again),
        cmocka_unit_test(a_window_that_shrank_under_its_use_gives_nothing_until_it_fits),
        cmocka_unit_test(a_rate_never_passes_a_million_requests_a_second),
        cmocka_unit_test(without_a_limit_refusals_teach_one_from_what_was_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
