/* Schedules in the five fields of cron, over civil time: what clocks on the wall show, without any
 * time zone.
 *
 * minute hour day month weekday; *, ?, lists, ranges, steps (10-59/15, 8-18/2), the English names
 * of months and weekdays in three letters (ranges of them too, sat-sun among them), 0 and 7 for
 * Sunday, L for the last day of the month, and @hourly, @daily, @midnight, @weekly, @monthly,
 * @yearly, @annually. A day that is restricted in both fields needs only one of them to match; a
 * field that begins with * or ? is no restriction, so with a step on * both must match.
 * Source: crontab(5) of Vixie's cron 3.0, Debian 12; L is from later crons. */
#ifndef PURSER_CORE_CRON_H
#define PURSER_CORE_CRON_H

#include "purser/base/err.h"
#include "purser/base/text.h"

/* Bit n = the value n. Made by cron_parse() alone: one that never matches is not made. */
struct cron {
    uint64_t minutes;
    uint32_t hours, days, months, weekdays; /* days and months from bit 1; Sunday is bit 0 */
    bool last_day;                          /* L: the last day of a month is among the days */
    bool either_day;                        /* days or weekdays; else both */
};

/* What is wrong with an expression, and with which part of it. */
struct cron_error {
    size_t offset, length; /* in bytes; length 0: something is missing there */
    struct err problem;    /* ERR_INPUT */
    const char *help;      /* NULL = none; a literal */
};

/* False with *error_out set; *cron_out is then untouched. Also refuses what has no day in any year,
 * as 30 2 31 2 *. */
bool cron_parse(struct slice text, struct cron *cron_out, struct cron_error *error_out);

/* Minutes of civil time are counted from 1970-01-01 00:00; up to 10^12 on either side. */
bool cron_matches(const struct cron *cron, int64_t minute);

/* The first match after `minute`. There is one within 400 years, after which the calendar repeats
 * itself with its weekdays; at most 4800 months and 366 days of them are looked at. */
int64_t cron_next(const struct cron *cron, int64_t minute);

#endif
