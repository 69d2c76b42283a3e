#include "purser/base/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void only_days_that_exist_are_valid(void **state)
{
    (void)state;
    assert_true(calendar_is_valid((struct calendar_date){2024, 2, 29}));
    assert_true(calendar_is_valid((struct calendar_date){2000, 2, 29}));
    assert_false(calendar_is_valid((struct calendar_date){1900, 2, 29}));
    assert_false(calendar_is_valid((struct calendar_date){2023, 2, 29}));
    assert_false(calendar_is_valid((struct calendar_date){2023, 4, 31}));
    assert_false(calendar_is_valid((struct calendar_date){2023, 13, 1}));
    assert_false(calendar_is_valid((struct calendar_date){2023, 0, 1}));
    assert_false(calendar_is_valid((struct calendar_date){2023, 1, 0}));
}

static void known_days_have_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(calendar_to_days((struct calendar_date){1970, 1, 1}), 0);
    assert_int_equal(calendar_to_days((struct calendar_date){2000, 3, 1}), 11017);
    assert_int_equal(calendar_to_days((struct calendar_date){1, 1, 1}), -719162);
    assert_int_equal(calendar_to_days((struct calendar_date){9999, 12, 31}), 2932896);
}

static void days_and_dates_turn_into_each_other(void **state)
{
    struct calendar_date before = calendar_from_days(-1000001);

    (void)state;
    for (int64_t days = -1000000; days <= 1000000; days += 1) {
        struct calendar_date date = calendar_from_days(days);

        if (!calendar_is_valid(date) || calendar_to_days(date) != days)
            fail_msg("day %lld", (long long)days);
        /* Each day is the next of its month or the first of another. */
        if (date.day != before.day + 1 && date.day != 1)
            fail_msg("day %lld", (long long)days);
        before = date;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_days_that_exist_are_valid),
        cmocka_unit_test(known_days_have_their_numbers),
        cmocka_unit_test(days_and_dates_turn_into_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
