#include "purser/core/cron.h"

#include <assert.h>

#include "purser/base/calendar.h"

enum { MINUTES_OF_DAY = 24 * 60, MONTHS_OF_400_YEARS = 4800 };

static bool has_bit(uint64_t bits, int number)
{
    return (bits >> number & 1) != 0;
}

static bool matches_day(const struct cron *cron, int64_t days, struct calendar_date date)
{
    bool day = has_bit(cron->days, date.day) ||
               (cron->last_day && date.day == calendar_month_length(date.year, date.month));
    bool weekday = has_bit(cron->weekdays, calendar_weekday(days));

    if (!has_bit(cron->months, date.month))
        return false;
    return cron->either_day ? day || weekday : day && weekday;
}

static int64_t day_of(int64_t minute)
{
    return (minute >= 0 ? minute : minute - (MINUTES_OF_DAY - 1)) / MINUTES_OF_DAY;
}

bool cron_matches(const struct cron *cron, int64_t minute)
{
    int64_t days = day_of(minute);
    int time = (int)(minute - days * MINUTES_OF_DAY);

    return has_bit(cron->minutes, time % 60) && has_bit(cron->hours, time / 60) &&
           matches_day(cron, days, calendar_from_days(days));
}

/* The first time of a day from `time` on, in minutes; MINUTES_OF_DAY when there is none left. */
static int time_from(const struct cron *cron, int time)
{
    while (time < MINUTES_OF_DAY) {
        if (!has_bit(cron->hours, time / 60))
            time = (time / 60 + 1) * 60;
        else if (!has_bit(cron->minutes, time % 60))
            time++;
        else
            return time;
    }
    return MINUTES_OF_DAY;
}

int64_t cron_next(const struct cron *cron, int64_t minute)
{
    int64_t days = day_of(minute + 1);
    int time = (int)(minute + 1 - days * MINUTES_OF_DAY);

    for (int months = 0;; months++) {
        struct calendar_date date = calendar_from_days(days);
        int length = calendar_month_length(date.year, date.month);

        assert(months <= MONTHS_OF_400_YEARS + 1); /* none is made that never comes */
        for (; has_bit(cron->months, date.month) && date.day <= length; date.day++, days++) {
            if (matches_day(cron, days, date)) {
                time = time_from(cron, time);
                if (time < MINUTES_OF_DAY)
                    return days * MINUTES_OF_DAY + time;
            }
            time = 0;
        }
        days += length - date.day + 1;
        time = 0;
    }
}
