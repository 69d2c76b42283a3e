#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/core/retry_budget.h"

static int take_all(struct retry_budget *budget, int64_t now_ms)
{
    int taken = 0;

    while (retry_budget_take(budget, now_ms))
        taken++;
    return taken;
}

static void a_short_trouble_is_mended_at_once(void **context)
{
    struct retry_budget budget;
    (void)context;

    retry_budget_init(&budget, 45000, 1000);
    assert_int_equal(32, take_all(&budget, 1000));
}

static void ten_first_attempts_pay_for_one_repeat(void **context)
{
    struct retry_budget budget;
    (void)context;

    retry_budget_init(&budget, 45000, 1000);
    (void)take_all(&budget, 1000);
    for (int i = 0; i < 1000; i++)
        retry_budget_earn(&budget);
    assert_int_equal(32, take_all(&budget, 1000)); /* and never more than a full budget */
    for (int i = 0; i < 59; i++)
        retry_budget_earn(&budget);
    assert_int_equal(5, take_all(&budget, 1000));
    retry_budget_earn(&budget);
    assert_int_equal(1, take_all(&budget, 1000));
}

static void time_brings_a_tenth_of_the_rate_but_one_a_second_at_least(void **context)
{
    static const struct {
        uint32_t rate_millis;
        int repeats; /* in ten seconds */
    } rates[] = {{45000, 32}, {20000, 20}, {10000, 10}, {200, 10}, {0, 32}};
    (void)context;

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct retry_budget budget;

        retry_budget_init(&budget, rates[i].rate_millis, 1000);
        (void)take_all(&budget, 1000);
        assert_int_equal(rates[i].repeats, take_all(&budget, 11000));
        assert_int_equal(32, take_all(&budget, INT64_MAX / 2));
    }
}

static void it_says_when_the_next_one_is_there(void **context)
{
    struct retry_budget budget;
    int64_t at_ms;
    (void)context;

    retry_budget_init(&budget, 45000, 1000);
    assert_int_equal(1000, retry_budget_ready_at_ms(&budget, 1000));
    (void)take_all(&budget, 1000);
    at_ms = retry_budget_ready_at_ms(&budget, 1000);
    assert_true(at_ms > 1000 && at_ms <= 2000);
    assert_false(retry_budget_take(&budget, at_ms - 1));
    assert_true(retry_budget_take(&budget, at_ms));
}

static void the_next_one_is_there_when_what_is_missing_has_come_in(void **context)
{
    static const struct {
        uint32_t rate_millis;
        int64_t there_millis, wait_ms;
    } cases[] = {{40000, 0, 250},  {45000, 0, 223},  {40000, 500, 125}, {40000, 999, 1},
                 {40000, 1000, 0}, {10000, 0, 1000}, {10010, 0, 1000},  {9990, 0, 1000},
                 {11000, 0, 910},  {0, 0, 100},      {1, 0, 1000},      {20000, 998, 1}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct retry_budget budget;

        retry_budget_init(&budget, cases[i].rate_millis, 1000);
        (void)take_all(&budget, 1000);
        budget.millis = cases[i].there_millis;
        assert_int_equal(retry_budget_ready_at_ms(&budget, 1000), 1000 + cases[i].wait_ms);
        assert_int_equal(retry_budget_take(&budget, 1000 + cases[i].wait_ms - 1), false);
        assert_int_equal(retry_budget_take(&budget, 1000 + cases[i].wait_ms), true);
    }
}

static void time_alone_fills_it_in_half_a_minute_at_the_most(void **context)
{
    static const struct {
        int64_t passed_ms;
        int repeats;
    } cases[] = {{999, 0}, {1000, 1}, {20000, 20}, {31999, 31}, {32000, 32}, {33000, 32}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct retry_budget budget;

        retry_budget_init(&budget, 10000, 1000);
        assert_int_equal(budget.millis, 32000);
        assert_int_equal(budget.rate_millis, 1000);
        (void)take_all(&budget, 1000);
        assert_int_equal(take_all(&budget, 1000 + cases[i].passed_ms), cases[i].repeats);
    }
}

static void the_rate_of_repeats_is_a_tenth_within_its_bounds(void **context)
{
    static const struct {
        uint32_t rate_millis, repeats_millis;
    } cases[] = {{0, 10000}, {1, 1000}, {9999, 1000}, {10010, 1001}, {100000, 10000}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct retry_budget budget;

        retry_budget_init(&budget, cases[i].rate_millis, 1000);
        assert_int_equal(budget.rate_millis, cases[i].repeats_millis);
    }
}

static void a_repeat_takes_a_whole_one_and_leaves_the_rest(void **context)
{
    struct retry_budget budget;
    (void)context;

    retry_budget_init(&budget, 40000, 1000);
    assert_int_equal(budget.rate_millis, 4000);
    budget.millis = 1500;
    assert_true(retry_budget_take(&budget, 1010));
    assert_int_equal(budget.millis, 1500 + 40 - 1000);
    assert_int_equal(budget.filled_ms, 1010);
    assert_false(retry_budget_take(&budget, 1020));
    assert_int_equal(budget.millis, 540); /* what is not taken leaves no trace */
    assert_int_equal(budget.filled_ms, 1010);
    retry_budget_earn(&budget);
    assert_int_equal(budget.millis, 640);
    budget.millis = 31950;
    retry_budget_earn(&budget);
    assert_int_equal(budget.millis, 32000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_trouble_is_mended_at_once),
        cmocka_unit_test(ten_first_attempts_pay_for_one_repeat),
        cmocka_unit_test(time_brings_a_tenth_of_the_rate_but_one_a_second_at_least),
        cmocka_unit_test(the_next_one_is_there_when_what_is_missing_has_come_in),
        cmocka_unit_test(time_alone_fills_it_in_half_a_minute_at_the_most),
        cmocka_unit_test(the_rate_of_repeats_is_a_tenth_within_its_bounds),
        cmocka_unit_test(a_repeat_takes_a_whole_one_and_leaves_the_rest),
        cmocka_unit_test(it_says_when_the_next_one_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
