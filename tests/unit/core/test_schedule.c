#include "purser/core/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/calendar.h"
#include "zone_fixture.h"

enum { RANGES_MAX = 16 };

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return calendar_to_days((struct calendar_date){year, month, day}) * 86400 + hour * 3600 +
           minute * 60;
}

/* Berlin in 2026: summer time from 29 March 01:00 to 25 October 01:00 UTC. */
static struct fake_zone berlin(void)
{
    int64_t spring = at(2026, 3, 29, 1, 0), autumn = at(2026, 10, 25, 1, 0);

    return (struct fake_zone){
        {span_of}, {{INT64_MIN, spring, 3600}, {spring, autumn, 7200}, {autumn, INT64_MAX, 3600}}};
}

static struct cron parsed(const char *text)
{
    struct cron cron;
    struct cron_error error;

    assert_true(cron_parse(slice_of(text), &cron, &error));
    return cron;
}

static void usual_days_are_converted(void **state)
{
    struct fake_zone zone = berlin();
    struct cron cron = parsed("15 6 * * 1-5");
    struct schedule_slot slot = schedule_next(&cron, &zone.zone, at(2026, 3, 27, 5, 14));

    (void)state;
    assert_true(slot.due_s == at(2026, 3, 27, 5, 15));
    assert_false(slot.is_skipped || slot.is_doubled);
    slot = schedule_next(&cron, &zone.zone, slot.due_s);
    assert_true(slot.due_s == at(2026, 3, 30, 4, 15));
    assert_int_equal(slot.offset_s, 7200);
    slot = schedule_next(&cron, &zone_utc, at(2026, 3, 27, 6, 15) - 1);
    assert_true(slot.due_s == at(2026, 3, 27, 6, 15));
}

static void skipped_time_is_due_when_the_clocks_jump(void **state)
{
    struct fake_zone zone = berlin();
    struct cron cron = parsed("30 2 * * *"), often = parsed("*/10 2-3 * * *");
    struct schedule_slot slot = schedule_next(&cron, &zone.zone, at(2026, 3, 28, 12, 0));

    (void)state;
    assert_true(slot.due_s == at(2026, 3, 29, 1, 0));
    assert_true(slot.is_skipped);
    slot = schedule_next(&cron, &zone.zone, slot.due_s);
    assert_true(slot.due_s == at(2026, 3, 30, 0, 30));
    assert_false(slot.is_skipped);
    /* Six times that do not exist and 03:00 itself are one slot. */
    slot = schedule_next(&often, &zone.zone, at(2026, 3, 29, 0, 0));
    assert_true(slot.due_s == at(2026, 3, 29, 1, 0));
    slot = schedule_next(&often, &zone.zone, slot.due_s);
    assert_true(slot.due_s == at(2026, 3, 29, 1, 10));
    assert_false(slot.is_skipped);
}

static void doubled_time_is_due_once(void **state)
{
    struct fake_zone zone = berlin();
    struct cron cron = parsed("30 2 * * *"), hourly = parsed("0 * * * *");
    struct schedule_slot slot = schedule_next(&cron, &zone.zone, at(2026, 10, 24, 12, 0));

    (void)state;
    assert_true(slot.due_s == at(2026, 10, 25, 0, 30));
    assert_true(slot.is_doubled);
    slot = schedule_next(&cron, &zone.zone, slot.due_s);
    assert_true(slot.due_s == at(2026, 10, 26, 1, 30));
    assert_false(slot.is_doubled);
    slot = schedule_next(&hourly, &zone.zone, at(2026, 10, 25, 0, 30));
    /* 03:00 of winter; 02:00 was there already. */
    assert_true(slot.due_s == at(2026, 10, 25, 2, 0));
}

static void whole_day_can_be_left_out(void **state)
{
    /* Samoa went over the date line: 30 December 2011 does not exist there. */
    int64_t jump = at(2011, 12, 30, 10, 0);
    struct fake_zone zone = {{span_of},
                             {{INT64_MIN, jump, -10 * 3600}, {jump, INT64_MAX, 14 * 3600}}};
    struct cron cron = parsed("15 6 * * *");
    struct schedule_slot slot = schedule_next(&cron, &zone.zone, at(2011, 12, 29, 16, 15));

    (void)state;
    assert_true(slot.due_s == jump);
    assert_true(slot.is_skipped);
    slot = schedule_next(&cron, &zone.zone, slot.due_s);
    assert_true(slot.due_s == jump + 6 * 3600 + 15 * 60);
}

static void slots_are_known_by_their_moment(void **state)
{
    struct fake_zone zone = berlin();
    struct cron cron = parsed("30 2 * * *");
    struct schedule_slot slot;

    (void)state;
    assert_true(schedule_slot_at(&cron, &zone.zone, at(2026, 10, 25, 0, 30), &slot));
    assert_true(slot.is_doubled);
    assert_false(schedule_slot_at(&cron, &zone.zone, at(2026, 10, 25, 1, 30), &slot));
    assert_true(schedule_slot_at(&cron, &zone.zone, at(2026, 3, 29, 1, 0), &slot));
    assert_true(slot.is_skipped);
}

/* --- what becomes of them --- */

struct books {
    struct schedule_range ranges[RANGES_MAX];
    int count, refuse_at;
    int64_t busy_from_s, busy_to_s; /* of run 7 … */
    int64_t other_from_s;           /* … and from here on of another one; 0 = there is none */
    uint32_t other;
};

static uint32_t went_on(void *context, int64_t due_s)
{
    const struct books *books = context;

    if (due_s <= books->busy_from_s || due_s > books->busy_to_s)
        return 0;
    return books->other_from_s != 0 && due_s > books->other_from_s ? books->other : 7;
}

static bool put(void *context, const struct schedule_range *range)
{
    struct books *books = context;

    if (books->refuse_at > 0 && books->count + 1 == books->refuse_at)
        return false;
    assert_true(books->count < RANGES_MAX);
    books->ranges[books->count++] = *range;
    return true;
}

static struct cron every_hour;

/* Accounts for the hours after 10:00 up to 15:20 of a day. */
static struct schedule_account hours(struct books *books, enum if_missed if_missed)
{
    every_hour = parsed("@hourly");
    return (struct schedule_account){
        .cron = &every_hour,
        .zone = &zone_utc,
        .policy = {.if_missed = if_missed, .window_s = INT64_MAX},
        .after_s = at(2026, 1, 1, 10, 0),
        .now_s = at(2026, 1, 1, 15, 20),
        .went_on = went_on,
        .put = put,
        .context = books,
    };
}

static void assert_range(const struct books *books, int index, int first, int last,
                         enum slot_fate fate)
{
    const struct schedule_range *range = &books->ranges[index];

    assert_true(index < books->count);
    assert_true(range->first_s == at(2026, 1, 1, first, 0));
    assert_true(range->last_s == at(2026, 1, 1, last, 0));
    assert_int_equal(range->count, last - first + 1);
    assert_int_equal(range->fate, fate);
}

static void run_once_runs_the_last_for_all(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ONCE);
    struct schedule_slot slot;

    (void)state;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_true(slot.due_s == at(2026, 1, 1, 15, 0));
    assert_int_equal(books.count, 2);
    assert_range(&books, 0, 11, 14, SLOT_SUPERSEDED);
    assert_range(&books, 1, 15, 15, SLOT_CLAIMED);
}

static void run_all_runs_the_first_and_leaves_the_others_due(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ALL);
    struct schedule_slot slot;

    (void)state;
    for (int hour = 11; hour <= 15; hour++) {
        books.count = 0;
        account.after_s = schedule_account(&account, &slot);
        assert_true(account.after_s == at(2026, 1, 1, hour, 0));
        assert_true(slot.due_s == account.after_s);
        assert_int_equal(books.count, 1);
        assert_range(&books, 0, hour, hour, SLOT_CLAIMED);
    }
    books.count = 0;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_true(slot.due_s == 0);
    assert_int_equal(books.count, 0);
}

static void what_is_past_its_window_is_missed(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_SKIP);
    struct schedule_slot slot;

    (void)state;
    account.policy.window_s = 80 * 60;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_int_equal(books.count, 3);
    assert_range(&books, 0, 11, 13, SLOT_TOO_LATE);
    assert_range(&books, 1, 14, 14, SLOT_SUPERSEDED);
    assert_range(&books, 2, 15, 15, SLOT_CLAIMED);
    books.count = 0;
    account.policy.window_s = 20 * 60 - 1;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_true(slot.due_s == 0);
    assert_int_equal(books.count, 1);
    assert_range(&books, 0, 11, 15, SLOT_TOO_LATE);
}

static void slots_during_a_run_are_skipped_or_wait(void **state)
{
    struct books books = {.busy_from_s = at(2026, 1, 1, 11, 0), .busy_to_s = at(2026, 1, 1, 13, 5)};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ONCE);
    struct schedule_slot slot;

    (void)state;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_int_equal(books.count, 4);
    assert_range(&books, 0, 11, 11, SLOT_SUPERSEDED);
    assert_range(&books, 1, 12, 13, SLOT_RUN_WENT_ON);
    assert_int_equal(books.ranges[1].run, 7);
    assert_range(&books, 2, 14, 14, SLOT_SUPERSEDED);
    books.count = 0;
    account.now_s = at(2026, 1, 1, 13, 10);
    account.policy.if_running = IF_RUNNING_WAIT;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_true(slot.due_s == at(2026, 1, 1, 13, 0));
}

static void nothing_is_due_when_the_clock_was_set_back(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ONCE);
    struct schedule_slot slot;

    (void)state;
    account.now_s = account.after_s - 3600;
    assert_true(schedule_account(&account, &slot) == account.after_s);
    assert_true(slot.due_s == 0);
    assert_int_equal(books.count, 0);
}

static void account_ends_when_it_cannot_be_written(void **state)
{
    struct schedule_account account;
    struct schedule_slot slot;

    (void)state;
    for (int refuse_at = 1; refuse_at <= 2; refuse_at++) {
        struct books books = {.refuse_at = refuse_at};

        account = hours(&books, IF_MISSED_RUN_ONCE);
        assert_true(schedule_account(&account, &slot) == INT64_MIN);
    }
}

static void fates_have_words(void **state)
{
    (void)state;
    for (int fate = 0; fate < SLOT_FATE_COUNT; fate++) {
        assert_non_null(slot_fate_code((enum slot_fate)fate));
        assert_non_null(slot_fate_meaning((enum slot_fate)fate));
    }
}

static void slots_before_1970_are_on_whole_minutes_too(void **state)
{
    struct cron cron = parsed("* * * * *");

    (void)state;
    assert_true(schedule_next(&cron, &zone_utc, -90).due_s == -60);
    assert_true(schedule_next(&cron, &zone_utc, -60).due_s == 0);
    assert_true(schedule_next(&cron, &zone_utc, -61).due_s == -60);
    assert_true(schedule_next(&cron, &zone_utc, -1).due_s == 0);
}

static void clocks_that_jump_ahead_after_a_slot_show_its_time_only_once(void **state)
{
    struct fake_zone zone = berlin();
    struct cron cron = parsed("15 1 29 3 *");
    struct schedule_slot slot = schedule_next(&cron, &zone.zone, at(2026, 3, 28, 12, 0));

    (void)state;
    assert_true(slot.due_s == at(2026, 3, 29, 0, 15));
    assert_false(slot.is_doubled || slot.is_skipped);
}

static void a_time_can_come_again_after_the_second_of_two_steps_back(void **state)
{
    /* 14:00 becomes 13:00 for ten minutes, then 13:10 becomes 12:10: 13:30 comes again, but not in
     * those ten minutes. */
    int64_t first = at(2026, 5, 1, 12, 0), second = first + 600;
    struct fake_zone zone = {
        {span_of}, {{INT64_MIN, first, 7200}, {first, second, 3600}, {second, INT64_MAX, 0}}};
    struct cron cron = parsed("30 13 * * *");
    struct schedule_slot slot = schedule_next(&cron, &zone.zone, at(2026, 5, 1, 0, 0));

    (void)state;
    assert_true(slot.due_s == at(2026, 5, 1, 11, 30));
    assert_true(slot.is_doubled);
    slot = schedule_next(&cron, &zone.zone, slot.due_s);
    assert_true(slot.due_s == at(2026, 5, 2, 13, 30));
}

static void slots_during_two_runs_tell_each_its_own(void **state)
{
    static const uint32_t others[] = {8, 6};
    struct schedule_slot slot;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct books books = {.busy_from_s = at(2026, 1, 1, 10, 0),
                              .busy_to_s = at(2026, 1, 1, 14, 0),
                              .other_from_s = at(2026, 1, 1, 12, 0),
                              .other = others[i]};
        struct schedule_account account = hours(&books, IF_MISSED_RUN_ONCE);

        assert_true(schedule_account(&account, &slot) == account.now_s);
        assert_int_equal(books.count, 3);
        assert_range(&books, 0, 11, 12, SLOT_RUN_WENT_ON);
        assert_int_equal(books.ranges[0].run, 7);
        assert_range(&books, 1, 13, 14, SLOT_RUN_WENT_ON);
        assert_int_equal(books.ranges[1].run, others[i]);
        assert_range(&books, 2, 15, 15, SLOT_CLAIMED);
    }
}

static void a_slot_is_due_in_its_very_second_and_may_run(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ONCE);
    struct schedule_slot slot;

    (void)state;
    account.now_s = at(2026, 1, 1, 15, 0);
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_true(slot.due_s == at(2026, 1, 1, 15, 0));
    assert_range(&books, 1, 15, 15, SLOT_CLAIMED);
}

static void a_slot_of_no_run_names_none(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ONCE);
    struct schedule_slot slot;

    (void)state;
    account.policy.window_s = 80 * 60;
    account.policy.if_running = IF_RUNNING_WAIT;
    assert_true(schedule_account(&account, &slot) == account.now_s);
    assert_int_equal(books.count, 3);
    for (int i = 0; i < books.count; i++)
        assert_int_equal(books.ranges[i].run, 0);
}

static void slots_before_1970_run_one_by_one_too(void **state)
{
    struct books books = {.count = 0};
    struct schedule_account account = hours(&books, IF_MISSED_RUN_ALL);
    struct schedule_slot slot;

    (void)state;
    account.after_s = at(1969, 1, 1, 10, 0);
    account.now_s = at(1969, 1, 1, 15, 20);
    assert_true(schedule_account(&account, &slot) == at(1969, 1, 1, 11, 0));
    assert_true(slot.due_s == at(1969, 1, 1, 11, 0));
    assert_int_equal(books.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_days_are_converted),
        cmocka_unit_test(skipped_time_is_due_when_the_clocks_jump),
        cmocka_unit_test(doubled_time_is_due_once),
        cmocka_unit_test(whole_day_can_be_left_out),
        cmocka_unit_test(slots_are_known_by_their_moment),
        cmocka_unit_test(run_once_runs_the_last_for_all),
        cmocka_unit_test(run_all_runs_the_first_and_leaves_the_others_due),
        cmocka_unit_test(what_is_past_its_window_is_missed),
        cmocka_unit_test(slots_during_a_run_are_skipped_or_wait),
        cmocka_unit_test(nothing_is_due_when_the_clock_was_set_back),
        cmocka_unit_test(account_ends_when_it_cannot_be_written),
        cmocka_unit_test(fates_have_words),
        cmocka_unit_test(slots_before_1970_are_on_whole_minutes_too),
        cmocka_unit_test(clocks_that_jump_ahead_after_a_slot_show_its_time_only_once),
        cmocka_unit_test(a_time_can_come_again_after_the_second_of_two_steps_back),
        cmocka_unit_test(a_slot_is_due_in_its_very_second_and_may_run),
        cmocka_unit_test(a_slot_of_no_run_names_none),
        cmocka_unit_test(slots_before_1970_run_one_by_one_too),
        cmocka_unit_test(slots_during_two_runs_tell_each_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
