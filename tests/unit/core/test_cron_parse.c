/* What is said of an expression that is none: place, words and help, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/core/cron.h"

static const struct {
    const char *text;
    size_t offset, length;
    const char *message, *help;
} refused[] = {
    {"", 0, 0, "the minute is missing", "five fields: minute hour day month weekday"},
    {"15 6 * *", 8, 0, "the weekday is missing", "five fields: minute hour day month weekday"},
    {"0 15 6 * * 1", 11, 1, "one field too many; seconds and years cannot be given",
     "five fields: minute hour day month weekday"},
    {"60 6 * * *", 0, 2, "the minute is 60, must be from 0 to 59", NULL},
    {"0 24 * * *", 2, 2, "the hour is 24, must be from 0 to 23", NULL},
    {"0 0 0 * *", 4, 1, "the day of the month is 0, must be from 1 to 31", NULL},
    {"0 0 * 0 *", 6, 1, "the month is 0, must be from 1 to 12", NULL},
    {"0 0 * 13 *", 6, 2, "the month is 13, must be from 1 to 12", NULL},
    {"0 0 * * 8", 8, 1, "the weekday is 8, must be from 0 to 7", NULL},
    {"0 0 * juni *", 6, 4, "there is no month 'juni'", "jan, feb, mar … dec"},
    {"0 0 * * mo", 8, 2, "there is no weekday 'mo'", "sun, mon, tue … sat"},
    {"0 0 * * abcdefghijklmnopqrst", 8, 20, "there is no weekday 'abcdefghijklmnopqrst'",
     "sun, mon, tue … sat"},
    {"0 0 * * abcdefghijklmnopqrstu", 8, 21, "there is no weekday 'abcdefghijklmnopqrst'",
     "sun, mon, tue … sat"},
    {"x 0 * * *", 0, 1, "the minute is a number, not 'x'", NULL},
    {"abcdefghijklmnopqrs 0 * * *", 0, 19, "the minute is a number, not 'abcdefghijklmnopqrs'",
     NULL},
    {"abcdefghijklmnopqrst 0 * * *", 0, 20, "the minute is a number, not 'abcdefghijklmnopqrst'",
     NULL},
    {"abcdefghijklmnopqrstu 0 * * *", 0, 21, "the minute is a number, not 'abcdefghijklmnopqrst'",
     NULL},
    {"99999999999999999999 * * * *", 0, 20,
     "the minute is 99999999999999999999, must be from 0 to 59", NULL},
    {"999999999999999999999 * * * *", 0, 21,
     "the minute is 99999999999999999999, must be from 0 to 59", NULL},
    {"*/0 * * * *", 2, 1, "the step of the minute is 0, must be from 1 to 59", NULL},
    {"*/60 * * * *", 2, 2, "the step of the minute is 60, must be from 1 to 59", NULL},
    {"*/999999999999999999999 * * * *", 2, 21,
     "the step of the minute is 99999999999999999999, must be from 1 to 59", NULL},
    {"5/15 * * * *", 0, 1, "a step needs a range, and 5 is one value",
     "write 5-59/15 to begin at 5, or */15"},
    {"0 22-5 * * *", 2, 4, "the range 22-5 runs backwards", "write both parts, as in 22-23,0-5"},
    {"0 0 * * fri-mon", 8, 7, "the range fri-mon runs backwards",
     "write both parts, as in 22-23,0-5"},
    {"1, * * * *", 2, 0, "a value is missing in the minute", "as in 5, 1-5, */10 or 1,15"},
    {"+ * * * *", 0, 1, "'+' is not expected in the minute", "as in 5, 1-5, */10 or 1,15"},
    {"0 0 * * 1#2", 9, 1, "'#' is not known here",
     "the n-th weekday of a month and the nearest one cannot be said"},
    {"0 0 15W * *", 6, 1, "'W' is not known here",
     "the n-th weekday of a month and the nearest one cannot be said"},
    {"@reboot", 0, 7, "'@reboot' is no schedule", "@hourly, @daily, @weekly, @monthly or @yearly"},
    {"@abcdefghijklmnopqrstuvw", 0, 24, "'@abcdefghijklmnopqrs' is no schedule",
     "@hourly, @daily, @weekly, @monthly or @yearly"},
    {"@daily 5", 7, 1, "nothing can stand behind @daily", NULL},
    {"@DAILY  x y", 8, 1, "nothing can stand behind @DAILY", NULL},
    {"@abcdefghijklmnopqrstuvw 5", 25, 1, "nothing can stand behind @abcdefghijklmnopqrs", NULL},
    {"30 2 31 2 *", 5, 2, "this never comes: none of these months has such a day",
     "L is the last day of a month"},
    {"0 000000000000000022-000000000000000005 * * *", 2, 37,
     "the range 000000000000000022-0 runs backwards", "write both parts, as in 22-23,0-5"},
    {"000000000000000000005/2 * * * *", 0, 21,
     "a step needs a range, and 00000000000000000000 is one value",
     "write 5-59/15 to begin at 5, or */15"},
    {"*", 1, 0, "the hour is missing", "five fields: minute hour day month weekday"},
    {"* *\t*", 5, 0, "the month is missing", "five fields: minute hour day month weekday"},
    {"0 0 1 1 * x", 10, 1, "one field too many; seconds and years cannot be given",
     "five fields: minute hour day month weekday"},
};

static void each_mistake_is_told_in_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct cron cron;
        struct cron_error error;

        memset(&error, 0xff, sizeof error);
        if (cron_parse(slice_of(refused[i].text), &cron, &error))
            fail_msg("%s was taken", refused[i].text);
        assert_int_equal(error.problem.code, ERR_INPUT);
        assert_string_equal(error.problem.text, refused[i].message);
        if (error.offset != refused[i].offset || error.length != refused[i].length)
            fail_msg("%s: at %zu+%zu", refused[i].text, error.offset, error.length);
        if (refused[i].help == NULL)
            assert_null(error.help);
        else
            assert_string_equal(error.help, refused[i].help);
    }
}

static void assert_same(const struct cron *one, const struct cron *other)
{
    assert_int_equal(one->minutes, other->minutes);
    assert_int_equal(one->hours, other->hours);
    assert_int_equal(one->days, other->days);
    assert_int_equal(one->months, other->months);
    assert_int_equal(one->weekdays, other->weekdays);
    assert_int_equal(one->last_day, other->last_day);
    assert_int_equal(one->either_day, other->either_day);
}

static void what_stands_behind_the_text_is_not_read(void **state)
{
    static const char text[] = "*/2 1,2 3-4 5 6 7";
    struct cron cron, whole;
    struct cron_error error;

    (void)state;
    assert_true(cron_parse((struct slice){text, 15}, &cron, &error));
    assert_true(cron_parse(SLICE("*/2 1,2 3-4 5 6"), &whole, &error));
    assert_same(&cron, &whole);
    assert_false(cron_parse((struct slice){text, 14}, &cron, &error));
    assert_int_equal(error.offset, 14);
    assert_false(cron_parse((struct slice){text, 0}, &cron, &error));
    assert_false(cron_parse((struct slice){"@daily5", 5}, &cron, &error));
    assert_true(cron_parse((struct slice){"@daily5", 6}, &cron, &error));
}

static void each_value_of_each_field_is_one_bit(void **state)
{
    static const int low[] = {0, 0, 1, 1, 0}, high[] = {59, 23, 31, 12, 7};

    (void)state;
    for (int field = 0; field < 5; field++)
        for (int value = low[field]; value <= high[field]; value++) {
            char text[64] = "";
            struct cron cron;
            struct cron_error error;
            uint64_t sets[5];

            for (int i = 0; i < 5; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), i == field ? "%d " : "* ",
                         value);
            assert_true(cron_parse(slice_of(text), &cron, &error));
            sets[0] = cron.minutes;
            sets[1] = cron.hours;
            sets[2] = cron.days;
            sets[3] = cron.months;
            sets[4] = cron.weekdays;
            assert_true(sets[field] == UINT64_C(1) << (field == 4 ? value % 7 : value));
            for (int i = 0; i < 5; i++) {
                int last = i == 4 ? 6 : high[i];

                if (i != field)
                    assert_true(sets[i] == (UINT64_C(2) << last) - (UINT64_C(1) << low[i]));
            }
            assert_false(cron.either_day || cron.last_day);
        }
}

static void names_count_from_the_first_of_their_field(void **state)
{
    static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec"};
    static const char *const weekdays[] = {"sun", "MON", "Tue", "wEd", "thu", "fri", "sat"};
    char text[64];
    struct cron cron;
    struct cron_error error;

    (void)state;
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "0 0 1 %s *", months[i]);
        assert_true(cron_parse(slice_of(text), &cron, &error));
        assert_int_equal(cron.months, 1 << (i + 1));
    }
    for (int i = 0; i < 7; i++) {
        snprintf(text, sizeof text, "0 0 * * %s", weekdays[i]);
        assert_true(cron_parse(slice_of(text), &cron, &error));
        assert_int_equal(cron.weekdays, 1 << i);
    }
}

static void days_are_restricted_by_a_field_that_begins_with_a_value(void **state)
{
    static const struct {
        const char *text;
        bool either_day, last_day;
    } cases[] = {{"0 0 1 * 1", true, false},     {"0 0 * * 1", false, false},
                 {"0 0 1 * *", false, false},    {"0 0 ? * 1", false, false},
                 {"0 0 1 * ?", false, false},    {"0 0 L * 1", true, true},
                 {"0 0 l,15 * 1", true, true},   {"0 0 15,L * *", false, true},
                 {"0 0 1 * */2", false, false},  {"0 0 */2 * 1", false, false},
                 {"0 0 1-3/2 * 1", true, false}, {"0 0 *,1 * 1", false, false}};
    struct cron cron;
    struct cron_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(cron_parse(slice_of(cases[i].text), &cron, &error));
        assert_int_equal(cron.either_day, cases[i].either_day);
        assert_int_equal(cron.last_day, cases[i].last_day);
    }
    assert_true(cron_parse(SLICE("0 0 ? * ?"), &cron, &error));
    assert_int_equal(cron.days, UINT32_MAX);
    assert_int_equal(cron.weekdays, 0x7f);
}

static void the_last_days_of_months_decide_what_never_comes(void **state)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct cron cron;
    struct cron_error error;

    (void)state;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; day <= 31; day++) {
            char text[32];

            snprintf(text, sizeof text, "0 0 %d %d *", day, month);
            assert_int_equal(cron_parse(slice_of(text), &cron, &error), day <= lengths[month - 1]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_in_its_words),
        cmocka_unit_test(what_stands_behind_the_text_is_not_read),
        cmocka_unit_test(each_value_of_each_field_is_one_bit),
        cmocka_unit_test(names_count_from_the_first_of_their_field),
        cmocka_unit_test(days_are_restricted_by_a_field_that_begins_with_a_value),
        cmocka_unit_test(the_last_days_of_months_decide_what_never_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
