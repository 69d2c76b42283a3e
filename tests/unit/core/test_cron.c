#include "purser/core/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/calendar.h"

static struct cron parsed(const char *text)
{
    struct cron cron;
    struct cron_error error;

    if (!cron_parse(slice_of(text), &cron, &error))
        fail_msg("%s: %zu: %s", text, error.offset, error.problem.text);
    return cron;
}

static int64_t minute_of(int year, int month, int day, int hour, int minute)
{
    return calendar_to_days((struct calendar_date){year, month, day}) * 1440 + hour * 60 + minute;
}

static void assert_refused(const char *text, size_t offset, size_t length, const char *message)
{
    struct cron cron = {.minutes = 7};
    struct cron_error error;

    if (cron_parse(slice_of(text), &cron, &error))
        fail_msg("%s was taken", text);
    assert_int_equal(cron.minutes, 7);
    if (strstr(error.problem.text, message) == NULL || error.offset != offset ||
        error.length != length)
        fail_msg("%s: at %zu+%zu: %s (%s)", text, error.offset, error.length, error.problem.text,
                 error.help);
}

static void fields_become_sets(void **state)
{
    struct cron cron = parsed(" 0,15-20/2\t8-18/5  1,15 feb-apr,12 mon-fri ");

    (void)state;
    assert_true(cron.minutes == (1u | 1u << 15 | 1u << 17 | 1u << 19));
    assert_int_equal(cron.hours, 1 << 8 | 1 << 13 | 1 << 18);
    assert_int_equal(cron.days, 1 << 1 | 1 << 15);
    assert_int_equal(cron.months, 1 << 2 | 1 << 3 | 1 << 4 | 1 << 12);
    assert_int_equal(cron.weekdays, 0x3e);
    assert_true(cron.either_day);
    assert_false(cron.last_day);
}

static void names_of_any_case_and_both_sundays(void **state)
{
    (void)state;
    assert_int_equal(parsed("0 0 * JAN,Dec SAT-SUN").weekdays, 1 << 6 | 1);
    assert_int_equal(parsed("0 0 * * 5-7").weekdays, 1 << 5 | 1 << 6 | 1);
    assert_int_equal(parsed("0 0 * * 0").weekdays, parsed("0 0 * * 7").weekdays);
    assert_int_equal(parsed("0 0 * * 0-7").weekdays, 0x7f);
    assert_int_equal(parsed("0 0 * * */3").weekdays, 1 | 1 << 3 | 1 << 6);
}

static void aliases_are_their_fields(void **state)
{
    static const char *const pairs[][2] = {{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
                                           {"@midnight", "0 0 * * *"}, {"@WEEKLY ", "0 0 * * sun"},
                                           {"@monthly", "0 0 1 * ?"},  {"@yearly", "0 0 1 1 *"},
                                           {"@annually", "0 0 1 1 *"}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int64_t at = minute_of(2026, 1, 1, 0, 0); at < minute_of(2026, 3, 1, 0, 0); at += 7) {
            struct cron a = parsed(pairs[i][0]), b = parsed(pairs[i][1]);

            assert_true(cron_next(&a, at) == cron_next(&b, at));
        }
}

static void what_is_wrong_has_its_place(void **state)
{
    (void)state;
    assert_refused("", 0, 0, "the minute is missing");
    assert_refused("15 6 * *", 8, 0, "the weekday is missing");
    assert_refused("0 15 6 * * 1", 11, 1, "one field too many");
    assert_refused("60 6 * * *", 0, 2, "the minute is 60, must be from 0 to 59");
    assert_refused("0 24 * * *", 2, 2, "the hour is 24");
    assert_refused("0 0 0 * *", 4, 1, "the day of the month is 0");
    assert_refused("0 0 1-32 * *", 6, 2, "the day of the month is 32");
    assert_refused("0 0 * 13 *", 6, 2, "the month is 13");
    assert_refused("0 0 * * 8", 8, 1, "the weekday is 8");
    assert_refused("0 0 * * 18446744073709551617", 8, 20, "the weekday is 18446744073709551617");
    assert_refused("0 0 * juni *", 6, 4, "there is no month 'juni'");
    assert_refused("0 0 * * mo", 8, 2, "there is no weekday 'mo'");
    assert_refused("x 0 * * *", 0, 1, "the minute is a number, not 'x'");
    assert_refused("*/0 * * * *", 2, 1, "the step of the minute is 0");
    assert_refused("*/60 * * * *", 2, 2, "the step of the minute is 60");
    assert_refused("5/15 * * * *", 0, 1, "a step needs a range, and 5 is one value");
    assert_refused("0 22-5 * * *", 2, 4, "the range 22-5 runs backwards");
    assert_refused("0 0 * * fri-mon", 8, 7, "the range fri-mon runs backwards");
    assert_refused("1, * * * *", 2, 0, "a value is missing in the minute");
    assert_refused("1- * * * *", 2, 0, "a value is missing in the minute");
    assert_refused("*/ * * * *", 2, 0, "a value is missing in the minute");
    assert_refused("1+ * * * *", 1, 1, "'+' is not expected in the minute");
    assert_refused("? * * * *", 0, 1, "'?' is not expected in the minute");
    assert_refused("* * ?,1 * *", 4, 1, "'?' is not expected in the day");
    assert_refused("0 0 * * 1#2", 9, 1, "'#' is not known here");
    assert_refused("0 0 15W * *", 6, 1, "'W' is not known here");
    assert_refused("0 0 L-2 * *", 5, 1, "'-' is not expected in the day of the month");
    assert_refused("@reboot", 0, 7, "'@reboot' is no schedule");
    assert_refused("@daily 5", 7, 1, "nothing can stand behind @daily");
    assert_refused("\xc3\xa4 * * * *", 0, 1, "'?' is not expected");
}

static void days_that_never_come_are_refused(void **state)
{
    (void)state;
    assert_refused("30 2 31 2 *", 5, 2, "this never comes");
    assert_refused("0 0 31 2,4,6,9,11 *", 4, 2, "this never comes");
    assert_refused("0 0 30-31 feb */2", 4, 5, "this never comes");
    parsed("0 0 29 2 *");
    parsed("0 0 31 2 1");
    parsed("0 0 L 2 *");
    parsed("0 0 31 2,3 *");
}

static void either_day_is_enough_when_both_are_restricted(void **state)
{
    struct cron both = parsed("0 12 13 * 5"), star = parsed("0 12 */13 * 5");

    (void)state;
    /* 2026-11-13 is a Friday. */
    assert_true(cron_matches(&both, minute_of(2026, 11, 6, 12, 0)));
    assert_true(cron_matches(&both, minute_of(2026, 10, 13, 12, 0)));
    assert_false(cron_matches(&both, minute_of(2026, 11, 12, 12, 0)));
    assert_false(cron_matches(&star, minute_of(2026, 11, 13, 12, 0)));
    assert_false(cron_matches(&star, minute_of(2026, 11, 14, 12, 0)));
    assert_true(cron_matches(&star, minute_of(2026, 11, 27, 12, 0)));
}

static void next_is_the_first_match(void **state)
{
    struct cron weekdays = parsed("15 6 * * 1-5"), leap = parsed("0 0 29 2 *"),
                last = parsed("0 0 L * *"), leap_monday = parsed("0 0 29 2 */7");

    (void)state;
    assert_true(cron_next(&weekdays, minute_of(2026, 11, 27, 6, 14)) ==
                minute_of(2026, 11, 27, 6, 15));
    assert_true(cron_next(&weekdays, minute_of(2026, 11, 27, 6, 15)) ==
                minute_of(2026, 11, 30, 6, 15));
    assert_true(cron_next(&leap, minute_of(2096, 2, 29, 0, 0)) == minute_of(2104, 2, 29, 0, 0));
    assert_true(cron_next(&last, minute_of(2027, 1, 31, 0, 0)) == minute_of(2027, 2, 28, 0, 0));
    assert_true(cron_next(&last, minute_of(2028, 1, 31, 0, 0)) == minute_of(2028, 2, 29, 0, 0));
    /* A Sunday, over the year 2100, which is no leap year. */
    assert_true(cron_next(&leap_monday, minute_of(2088, 2, 29, 0, 0)) ==
                minute_of(2128, 2, 29, 0, 0));
    assert_true(cron_next(&leap, -minute_of(2300, 1, 1, 0, 0)) == minute_of(1640, 2, 29, 0, 0));
}

static void days_begin_at_midnight_before_1970_too(void **state)
{
    struct cron midnight = parsed("0 0 * * *"), late = parsed("59 23 * * *");

    (void)state;
    for (int64_t day = -3; day <= 1; day++) {
        assert_true(cron_matches(&midnight, day * 1440));
        assert_true(cron_matches(&late, day * 1440 - 1));
        assert_false(cron_matches(&midnight, day * 1440 - 1));
        assert_true(cron_next(&midnight, day * 1440 - 1) == day * 1440);
        assert_true(cron_next(&midnight, day * 1440) == (day + 1) * 1440);
    }
}

static void the_next_hour_is_not_passed_over_from_the_end_of_the_one_before(void **state)
{
    (void)state;
    for (int hour = 1; hour < 24; hour++) {
        char text[32];
        struct cron cron;

        snprintf(text, sizeof text, "0 %d * * *", hour);
        cron = parsed(text);
        for (int before = 1; before <= 60; before++)
            assert_true(cron_next(&cron, hour * 60 - before) == hour * 60);
    }
}

static void next_agrees_with_looking_at_every_minute(void **state)
{
    static const char *const texts[] = {"*/7 3-5 * * *", "59 23 L * *", "0 0 1,31 */2 sat",
                                        "30 12 ? 6 0", "1-59/13 * 28-31 1-2 *"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cron cron = parsed(texts[i]);
        int64_t at = minute_of(2023, 12, 1, 0, 0), expected = at;

        for (int count = 0; count < 40; count++) {
            do
                expected++;
            while (!cron_matches(&cron, expected));
            at = cron_next(&cron, at);
            assert_true(at == expected);
        }
    }
}

static void a_byte_that_belongs_nowhere_is_shown_only_if_it_can_be_printed(void **state)
{
    (void)state;
    assert_refused("{ * * * *", 0, 1, "'{' is not expected in the minute");
    assert_refused("[ * * * *", 0, 1, "'[' is not expected in the minute");
    assert_refused("~ * * * *", 0, 1, "'~' is not expected in the minute");
    assert_refused("\x7f * * * *", 0, 1, "'?' is not expected in the minute");
    assert_refused("\x1f * * * *", 0, 1, "'?' is not expected in the minute");
}

static void the_nearest_weekday_is_known_by_name_to_be_unknown(void **state)
{
    (void)state;
    assert_refused("0 0 15w * *", 6, 1, "'w' is not known here");
    assert_refused("0 0 15x * *", 6, 1, "'x' is not expected in the day of the month");
}

static void a_step_beyond_all_numbers_is_refused_as_a_step(void **state)
{
    (void)state;
    assert_refused("*/18446744073709551617 * * * *", 2, 20,
                   "the step of the minute is 18446744073709551617, must be from 1 to 59");
}

static void only_sunday_at_the_end_of_a_range_is_the_seventh_day(void **state)
{
    (void)state;
    assert_int_equal(parsed("0 0 * * sun-sun").weekdays, 1);
    assert_int_equal(parsed("0 0 * * 0-0").weekdays, 1);
    assert_int_equal(parsed("0 0 * * mon-sun").weekdays, 0x7f);
    assert_int_equal(parsed("0 0 * * sat-sun").weekdays, 1 << 6 | 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_sets),
        cmocka_unit_test(names_of_any_case_and_both_sundays),
        cmocka_unit_test(aliases_are_their_fields),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(days_that_never_come_are_refused),
        cmocka_unit_test(either_day_is_enough_when_both_are_restricted),
        cmocka_unit_test(next_is_the_first_match),
        cmocka_unit_test(days_begin_at_midnight_before_1970_too),
        cmocka_unit_test(the_next_hour_is_not_passed_over_from_the_end_of_the_one_before),
        cmocka_unit_test(next_agrees_with_looking_at_every_minute),
        cmocka_unit_test(a_byte_that_belongs_nowhere_is_shown_only_if_it_can_be_printed),
        cmocka_unit_test(the_nearest_weekday_is_known_by_name_to_be_unknown),
        cmocka_unit_test(a_step_beyond_all_numbers_is_refused_as_a_step),
        cmocka_unit_test(only_sunday_at_the_end_of_a_range_is_the_seventh_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
