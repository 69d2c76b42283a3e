/* Slots beside the steps of clocks, to the second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/base/calendar.h"
#include "zone_fixture.h"

enum { HOUR_S = 3600 };

/* `first_offset_s` until `first_s`, then `second_offset_s` until `second_s`, then `third_offset_s`.
 */
static struct fake_zone steps(int32_t first_offset_s, int64_t first_s, int32_t second_offset_s,
                              int64_t second_s, int32_t third_offset_s)
{
    return (struct fake_zone){{span_of},
                              {{INT64_MIN, first_s, first_offset_s},
                               {first_s, second_s, second_offset_s},
                               {second_s, INT64_MAX, third_offset_s}}};
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return calendar_to_days((struct calendar_date){year, month, day}) * 86400 + hour * HOUR_S +
           minute * 60;
}

static struct schedule_slot next_slot(const char *text, const struct fake_zone *zone,
                                      int64_t unix_s)
{
    struct cron cron;
    struct cron_error error;

    assert_true(cron_parse(slice_of(text), &cron, &error));
    return schedule_next(&cron, &zone->zone, unix_s);
}

static int64_t next_due(const char *text, const struct fake_zone *zone, int64_t unix_s)
{
    return next_slot(text, zone, unix_s).due_s;
}

/* Berlin in `year`: summer time from 29 March to 25 October, 01:00 UTC. */
static struct fake_zone berlin(int year)
{
    return steps(HOUR_S, at(year, 3, 29, 1, 0), 2 * HOUR_S, at(year, 10, 25, 1, 0), HOUR_S);
}

static void after_the_clocks_went_back_each_hour_that_was_there_is_passed_over(void **state)
{
    static const int years[] = {2026, 1964};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fake_zone zone = berlin(years[i]);
        int64_t autumn = at(years[i], 10, 25, 1, 0);

        assert_true(next_due("0 * * * *", &zone, autumn - 1) == autumn + HOUR_S);
        assert_true(next_due("0 * * * *", &zone, autumn) == autumn + HOUR_S);
        assert_true(next_due("0 * * * *", &zone, autumn + 1800) == autumn + HOUR_S);
        assert_true(next_due("0 * * * *", &zone, autumn + HOUR_S - 1) == autumn + HOUR_S);
        assert_true(next_due("0 * * * *", &zone, autumn + 70 * 60) == autumn + 2 * HOUR_S);
        assert_true(next_due("0 * * * *", &zone, autumn + 50 * HOUR_S) == autumn + 51 * HOUR_S);
    }
}

static void times_before_1970_are_doubled_and_skipped_as_those_after_it(void **state)
{
    struct fake_zone zone = berlin(1964);

    (void)state;
    assert_true(next_slot("30 2 * * *", &zone, at(1964, 10, 24, 12, 0)).is_doubled);
    assert_true(next_due("30 2 * * *", &zone, at(1964, 10, 24, 12, 0)) == at(1964, 10, 25, 0, 30));
    assert_true(next_slot("30 2 * * *", &zone, at(1964, 3, 28, 12, 0)).is_skipped);
    assert_true(next_due("30 2 * * *", &zone, at(1964, 3, 28, 12, 0)) == at(1964, 3, 29, 1, 0));
    assert_true(next_due("30 2 * * *", &zone, at(1964, 7, 1, 12, 0)) == at(1964, 7, 2, 0, 30));
}

static void what_clocks_have_shown_long_ago_is_not_due_again(void **state)
{
    /* Two days and four hours back: the widest step that there can be. */
    int64_t step = at(2026, 5, 1, 0, 0), again = step + 2 * ZONE_OFFSET_MAX_S;
    struct fake_zone zone =
        steps(ZONE_OFFSET_MAX_S, step, -ZONE_OFFSET_MAX_S, INT64_MAX - 1, -ZONE_OFFSET_MAX_S);

    (void)state;
    for (int64_t hour = 0; hour < 52; hour++)
        assert_true(next_due("0 * * * *", &zone, step + hour * HOUR_S) == again);
    assert_true(next_due("0 * * * *", &zone, again - 2) == again);
    assert_true(next_due("0 * * * *", &zone, again) == again + HOUR_S);
}

static void a_step_that_is_not_on_a_whole_minute_is_obeyed_to_the_second(void **state)
{
    int64_t autumn = at(2026, 10, 25, 1, 0) + 1, spring = at(2026, 3, 29, 1, 0) + 1;
    struct fake_zone zone = steps(HOUR_S, spring, 2 * HOUR_S, autumn, HOUR_S);
    struct fake_zone wide =
        steps(ZONE_OFFSET_MAX_S, autumn, -ZONE_OFFSET_MAX_S, INT64_MAX - 1, -ZONE_OFFSET_MAX_S);
    struct schedule_slot slot;
    struct cron cron;
    struct cron_error error;

    (void)state;
    /* 03:00:00 was shown for one second. */
    assert_true(next_due("0 * * * *", &zone, autumn + 60) == autumn - 1 + 2 * HOUR_S);
    assert_true(next_due("0 * * * *", &wide, autumn + 2 * ZONE_OFFSET_MAX_S - 2) ==
                autumn - 1 + 2 * ZONE_OFFSET_MAX_S + HOUR_S);
    /* A slot, and one second later all those that are skipped. */
    assert_true(cron_parse(SLICE("* * * * *"), &cron, &error));
    assert_true(schedule_slot_at(&cron, &zone.zone, spring - 1, &slot));
    assert_true(schedule_slot_at(&cron, &zone.zone, spring, &slot));
    assert_true(slot.is_skipped);
    assert_false(schedule_slot_at(&cron, &zone.zone, spring + 1, &slot));
}

static void a_time_comes_again_at_the_very_step_back(void **state)
{
    int64_t step = at(2026, 5, 3, 0, 0);
    struct fake_zone zone = steps(0, step, -ZONE_OFFSET_MAX_S, INT64_MAX - 1, -ZONE_OFFSET_MAX_S);
    struct schedule_slot slot = next_slot("0 22 1 5 *", &zone, at(2026, 4, 1, 0, 0));

    (void)state;
    assert_true(slot.due_s == step - ZONE_OFFSET_MAX_S);
    assert_true(slot.is_doubled);
    slot = next_slot("59 21 1 5 *", &zone, at(2026, 4, 1, 0, 0));
    assert_false(slot.is_doubled);
}

static void a_step_back_that_is_soon_taken_back_shows_only_its_own_minutes_again(void **state)
{
    /* 14:00 becomes 13:00 for ten minutes, then 13:10 becomes 14:10. */
    int64_t first = at(2026, 5, 1, 12, 0);
    struct fake_zone zone = steps(2 * HOUR_S, first, HOUR_S, first + 600, 2 * HOUR_S);

    (void)state;
    assert_true(next_slot("0 13 * * *", &zone, at(2026, 5, 1, 0, 0)).is_doubled);
    assert_true(next_slot("9 13 * * *", &zone, at(2026, 5, 1, 0, 0)).is_doubled);
    assert_false(next_slot("10 13 * * *", &zone, at(2026, 5, 1, 0, 0)).is_doubled);
    assert_false(next_slot("30 13 * * *", &zone, at(2026, 5, 1, 0, 0)).is_doubled);
}

static void a_time_that_was_skipped_and_is_shown_later_is_skipped_and_not_doubled(void **state)
{
    /* 02:00 becomes 03:00, and half an hour later 03:30 becomes 02:30. */
    int64_t spring = at(2026, 3, 29, 1, 0);
    struct fake_zone zone = steps(HOUR_S, spring, 2 * HOUR_S, spring + 1800, HOUR_S);
    struct schedule_slot slot = next_slot("45 2 * * *", &zone, at(2026, 3, 28, 12, 0));

    (void)state;
    assert_true(slot.due_s == spring);
    assert_true(slot.is_skipped);
    assert_false(slot.is_doubled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_the_clocks_went_back_each_hour_that_was_there_is_passed_over),
        cmocka_unit_test(times_before_1970_are_doubled_and_skipped_as_those_after_it),
        cmocka_unit_test(what_clocks_have_shown_long_ago_is_not_due_again),
        cmocka_unit_test(a_step_that_is_not_on_a_whole_minute_is_obeyed_to_the_second),
        cmocka_unit_test(a_time_comes_again_at_the_very_step_back),
        cmocka_unit_test(a_step_back_that_is_soon_taken_back_shows_only_its_own_minutes_again),
        cmocka_unit_test(a_time_that_was_skipped_and_is_shown_later_is_skipped_and_not_doubled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
