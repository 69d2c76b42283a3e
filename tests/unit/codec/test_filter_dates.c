#include "expr_value_fixture.h"

static void dates_are_read_as_iso_and_kept_in_their_zone(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'2026-11-26' | date", "\"2026-11-26\"");
    assert_value("'2026-11-26T23:59:59.5-08:00' | date", "\"2026-11-26\"");
    assert_value("'2026-11-26 21:45' | date", "\"2026-11-26\"");
    assert_value("'2026-11-26' | datetime", "\"2026-11-26T00:00:00Z\"");
    assert_value("'2026-11-26 21:45' | datetime", "\"2026-11-26T21:45:00Z\"");
    assert_value("'2026-11-26t21:45:01.25z' | datetime", "\"2026-11-26T21:45:01.25Z\"");
    assert_value("'2026-11-26T21:45:01+0130' | datetime", "\"2026-11-26T21:45:01+01:30\"");
    assert_value("'2026-11-26T21:45:01-05' | datetime", "\"2026-11-26T21:45:01-05:00\"");
    assert_value("'2026-11-26T21:45:01-05:30' | datetime", "\"2026-11-26T21:45:01-05:30\"");
    assert_value("'2016-12-31T23:59:60Z' | datetime", "\"2016-12-31T23:59:60Z\"");
    assert_error("'26.11.2026' | date", "'26.11.2026' is not a date");
    assert_contains(fixture.error.help, "2026-11-26");
    assert_contains(fixture.error.help, "date(\"%d.%m.%Y\")");
    assert_error("'2026-02-29' | date", "is not a date");
    assert_error("'2026-1-2' | date", "is not a date");
    assert_error("'2026-11-26T24:00' | date", "is not a date");
    assert_error("'2026-11-26T21:45:01.' | date", "is not a date");
    assert_error("'2026-11-26T21:45+1' | date", "is not a date");
    assert_error("'2026-11-26T21:45+24:00' | date", "is not a date");
    assert_error("'2026-11-26T21:45+23:60' | date", "is not a date");
    assert_error("'2026-11-26T21:60' | date", "is not a date");
    assert_error("'2026-11-26T21:45:61' | date", "is not a date");
    assert_error("'2026-11-26T21:' | date", "is not a date");
    assert_error("'2026-11-26T21:45:' | date", "is not a date");
    assert_value("'2026-11-26T23:59:59+23:59' | date", "\"2026-11-26\"");
    assert_error("'2026-11-26x' | date", "is not a date");
    assert_error("'2026-11-26T21:45Zx' | date", "is not a date");
    assert_error("20261126 | date", "is not a date");
    assert_error("'' | date", "is not a date");
}

static void other_layouts_are_read(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'31.12.2026' | date('%d.%m.%Y')", "\"2026-12-31\"");
    assert_value("'1/5/2026' | date('%m/%d/%Y')", "\"2026-01-05\"");
    assert_value("'01/05/26' | date('%m/%d/%y')", "\"2026-01-05\"");
    assert_value("'1.1.68' | date('%d.%m.%y')", "\"2068-01-01\"");
    assert_value("'1.1.69' | date('%d.%m.%y')", "\"1969-01-01\"");
    assert_value("'20261231' | date('%Y%m%d')", "\"2026-12-31\"");
    assert_value("'5 mar 2026' | date('%d %b %Y')", "\"2026-03-05\"");
    assert_value("'100% 2026-12-31' | date('100%% %Y-%m-%d')", "\"2026-12-31\"");
    assert_value("'31.12.2026 9:05' | datetime('%d.%m.%Y %H:%M')", "\"2026-12-31T09:05:00Z\"");
    assert_value("'31.12.2026 09:05:07 +0130' | datetime('%d.%m.%Y %H:%M:%S %z')",
                 "\"2026-12-31T09:05:07+01:30\"");
    assert_value("'12/31/2026 12:00 am' | datetime('%m/%d/%Y %I:%M %p')",
                 "\"2026-12-31T00:00:00Z\"");
    assert_value("'12/31/2026 12:30 PM' | datetime('%m/%d/%Y %I:%M %p')",
                 "\"2026-12-31T12:30:00Z\"");
    assert_value("0 | datetime('%s')", "\"1970-01-01T00:00:00Z\"");
    assert_value("-1 | datetime('%s')", "\"1969-12-31T23:59:59Z\"");
    assert_value("253402300799 | datetime('%s')", "\"9999-12-31T23:59:59Z\"");
    assert_error("253402300800 | datetime('%s')", "leaves the years");
    assert_error("'31.13.2026' | date('%d.%m.%Y')",
                 "'31.13.2026' is not a date that is written '%d.%m.%Y'");
    assert_error("'30.02.2026' | date('%d.%m.%Y')", "is not a date");
    assert_error("'31.12.26' | date('%d.%m.%Y')", "is not a date");
    assert_error("'31.12.2026 ' | date('%d.%m.%Y')", "is not a date");
    assert_error("'31.12.' | date('%d.%m.%Y')", "is not a date");
    assert_error("'' | date('%d.%m.%Y')", "is not a date");
    assert_error("'1 foo 2026' | date('%d %b %Y')", "is not a date");
    assert_error("'1.1.2026 13:00 PM' | date('%d.%m.%Y %I:%M %p')", "is not a date");
    assert_error("'1.1.2026 24:00' | date('%d.%m.%Y %H:%M')", "is not a date");
    assert_error("'1.5' | datetime('%s')", "is not a date");
    assert_error("'1.1.2026' | date('%d' | trim)", "needs day, month and year");
}

static void dates_are_written_in_other_layouts(void **state)
{
    (void)state;
    fixture_row("{\"at\":\"2026-02-03T00:04:05.5-08:00\",\"noon\":\"2026-12-31T12:00\"}");
    assert_value("row.at | format_date('%d.%m.%Y')", "\"03.02.2026\"");
    assert_value("row.at | format_date('%m/%d/%y')", "\"02/03/26\"");
    assert_value("row.at | format_date('%d-%b-%Y %H:%M:%S %z')", "\"03-Feb-2026 00:04:05 -08:00\"");
    assert_value("row.at | format_date('%I:%M %p, 100%%')", "\"12:04 AM, 100%\"");
    assert_value("row.noon | format_date('%I:%M %p %z')", "\"12:00 PM Z\"");
    assert_error("'31.12.2026' | format_date('%d')", "is not a date");
    assert_error("row.at | format_date('%q' | trim)", "a layout of 'format_date' has %Y");
    assert_error("row.at | format_date('' | trim)", "must not be empty");
    assert_error("row.none ?? '2026-01-01' | format_date(row.none)", "takes text, not missing");
}

static void times_of_all_zones_are_seconds(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'1970-01-01' | timestamp", "0");
    assert_value("'1970-01-01T00:00:00+01:00' | timestamp", "-3600");
    assert_value("'1970-01-01T00:00-0530' | timestamp", "19800");
    assert_value("'1970-01-01T00:00-05' | timestamp", "18000");
    assert_value("'2026-11-26T21:45:00.250Z' | timestamp", "1795729500.250");
    assert_value("'1969-12-31T23:59:59.25Z' | timestamp", "-0.75");
    assert_value("'2016-12-31T23:59:60Z' | timestamp", "1483228800");
    assert_value(
        "('2026-11-26T21:45:00+01:00' | timestamp) == ('2026-11-26T20:45:00Z' | timestamp)",
        "true");
    assert_value("'2026-11-26T21:45:00+01:00' | timestamp | datetime('%s')",
                 "\"2026-11-26T20:45:00Z\"");
    assert_error("'2026-11-26T21:45:00.1234567890123456789012345678901234567890Z' | timestamp",
                 "too many digits");
}

static void months_are_added_and_end_where_they_end(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'2026-01-31' | add_months(1)", "\"2026-02-28\"");
    assert_value("'2024-01-31' | add_months(1)", "\"2024-02-29\"");
    assert_value("'2026-01-31' | add_months(2)", "\"2026-03-31\"");
    assert_value("'2026-01-15' | add_months(-1)", "\"2025-12-15\"");
    assert_value("'2026-03-31' | add_months(-1)", "\"2026-02-28\"");
    assert_value("'2024-02-29' | add_months(12)", "\"2025-02-28\"");
    assert_value("'2026-11-30T10:00:00+02:00' | add_months(3)", "\"2027-02-28T10:00:00+02:00\"");
    assert_value("'0000-02-01' | add_months(-1)", "\"0000-01-01\"");
    assert_error("'0000-01-01' | add_months(-1)", "leaves the years 0000 to 9999");
    assert_error("'9999-12-01' | add_months(1)", "leaves the years");
    assert_error("'0000-01-31' | add_months(-120000)", "leaves the years");
    assert_error("'2026-12-31' | add_months(1.5 + 0)", "'add_months' takes a whole number");
}

static void days_are_added_over_months_and_leap_years(void **state)
{
    (void)state;
    fixture_row("{\"terms\":30}");
    assert_value("'2026-11-26' | add_days(row.terms)", "\"2026-12-26\"");
    assert_value("'2024-02-28' | add_days(1)", "\"2024-02-29\"");
    assert_value("'2023-02-28' | add_days(1)", "\"2023-03-01\"");
    assert_value("'2026-01-01' | add_days(-1)", "\"2025-12-31\"");
    assert_value("'2026-12-31T10:00:00+02:00' | add_days(1)", "\"2027-01-01T10:00:00+02:00\"");
    assert_value("'2026-12-31T10:00' | add_days(14) | date", "\"2027-01-14\"");
    assert_error("'9999-12-31' | add_days(1)", "leaves the years 0000 to 9999");
    assert_error("'0000-01-01' | add_days(-1)", "leaves the years");
    assert_error("'2026-12-31' | add_days(99999998 + 1)", "'add_days' takes a whole number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(dates_are_read_as_iso_and_kept_in_their_zone),
        FIXTURE_TEST(other_layouts_are_read),
        FIXTURE_TEST(dates_are_written_in_other_layouts),
        FIXTURE_TEST(times_of_all_zones_are_seconds),
        FIXTURE_TEST(months_are_added_and_end_where_they_end),
        FIXTURE_TEST(days_are_added_over_months_and_leap_years),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
