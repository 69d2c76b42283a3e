/* Days of the proleptic Gregorian calendar, without time zones or the C library's notion of time.
 * Source: Hinnant, "chrono-compatible low-level date algorithms" (2021). */
#ifndef PURSER_BASE_CALENDAR_H
#define PURSER_BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct calendar_date {
    int64_t year;
    int month, day; /* from 1 */
};

/* True if there is such a day. */
bool calendar_is_valid(struct calendar_date date);

/* Days of a month, 1 to 12. */
int calendar_month_length(int64_t year, int month);

/* 0 = Sunday, of the day that is `days` after 1970-01-01. */
int calendar_weekday(int64_t days);

/* Days since 1970-01-01 of a valid date; |year| up to 10^9. */
int64_t calendar_to_days(struct calendar_date date);

/* The date that is `days` after 1970-01-01; |days| up to 10^11. */
struct calendar_date calendar_from_days(int64_t days);

#endif
