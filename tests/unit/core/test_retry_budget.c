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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_trouble_is_mended_at_once),
        cmocka_unit_test(ten_first_attempts_pay_for_one_repeat),
        cmocka_unit_test(time_brings_a_tenth_of_the_rate_but_one_a_second_at_least),
        cmocka_unit_test(it_says_when_the_next_one_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
