#include "tzif_rule.h"

#include <string.h>

#include "purser/base/calendar.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, EVENTS = 6 };

static bool take_number(struct text_reader *reader, int most, int *number_out)
{
    int number = 0;

    if (!text_is_digit(text_peek(reader)))
        return false;
    while (text_is_digit(text_peek(reader))) {
        number = number * 10 + (text_peek(reader) - '0');
        if (number > most)
            return false;
        reader->at++;
    }
    *number_out = number;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct text_reader *reader, int hours_max, int32_t *time_out)
{
    bool negative = text_accept(reader, '-');
    int hours, minutes = 0, seconds = 0;

    if (!negative)
        text_accept(reader, '+');
    if (!take_number(reader, hours_max, &hours) ||
        (text_accept(reader, ':') &&
         (!take_number(reader, 59, &minutes) ||
          (text_accept(reader, ':') && !take_number(reader, 59, &seconds)))))
        return false;
    *time_out = (hours * HOUR_S + minutes * 60 + seconds) * (negative ? -1 : 1);
    return true;
}

/* CET or <+03> */
static bool skip_name(struct text_reader *reader)
{
    size_t start = reader->at;

    if (text_accept(reader, '<')) {
        while (text_peek(reader) != '>' && text_peek(reader) != '\0')
            reader->at++;
        return text_accept(reader, '>');
    }
    while ((text_peek(reader) | 0x20) >= 'a' && (text_peek(reader) | 0x20) <= 'z')
        reader->at++;
    return reader->at > start;
}

static bool take_date(struct text_reader *reader, struct tzif_date *date)
{
    date->time_s = 2 * HOUR_S;
    if (text_accept(reader, 'J')) {
        date->kind = TZIF_JULIAN;
        if (!take_number(reader, 365, &date->day) || date->day < 1)
            return false;
    } else if (text_accept(reader, 'M')) {
        date->kind = TZIF_MONTH_WEEK_DAY;
        if (!take_number(reader, 12, &date->month) || date->month < 1 ||
            !text_accept(reader, '.') || !take_number(reader, 5, &date->week) || date->week < 1 ||
            !text_accept(reader, '.') || !take_number(reader, 6, &date->day))
            return false;
    } else {
        date->kind = TZIF_ZERO_BASED;
        if (!take_number(reader, 365, &date->day))
            return false;
    }
    return !text_accept(reader, '/') || take_time(reader, 167, &date->time_s);
}

bool tzif_rule_parse(struct slice text, struct tzif_rule *rule_out)
{
    struct text_reader reader = {.text = text};
    struct tzif_rule rule = {0};

    if (!skip_name(&reader) || !take_time(&reader, 24, &rule.standard_s))
        return false;
    rule.standard_s = -rule.standard_s; /* there it is west of UTC */
    rule.has_summer = reader.at < text.length;
    if (rule.has_summer) {
        if (!skip_name(&reader))
            return false;
        rule.summer_s = rule.standard_s + HOUR_S;
        if (text_peek(&reader) != ',') {
            if (!take_time(&reader, 24, &rule.summer_s))
                return false;
            rule.summer_s = -rule.summer_s;
        }
        if (!text_accept(&reader, ',') || !take_date(&reader, &rule.start) ||
            !text_accept(&reader, ',') || !take_date(&reader, &rule.end))
            return false;
    }
    if (reader.at != text.length)
        return false;
    *rule_out = rule;
    return true;
}

/* Days since 1970-01-01. */
static int64_t day_of(const struct tzif_date *date, int64_t year)
{
    struct calendar_date first = {.year = year, .month = 1, .day = 1};
    int64_t days;
    int weekday;

    if (date->kind == TZIF_ZERO_BASED)
        return calendar_to_days(first) + date->day;
    if (date->kind == TZIF_JULIAN) {
        /* 29 February is never counted. */
        bool leap = calendar_is_valid((struct calendar_date){year, 2, 29});

        return calendar_to_days(first) + date->day - 1 + (leap && date->day > 59 ? 1 : 0);
    }
    first.month = date->month;
    days = calendar_to_days(first);
    weekday = calendar_weekday(days);
    days += (date->day - weekday + 7) % 7 + 7 * (date->week - 1);
    /* Week 5 is the last one. */
    while (calendar_from_days(days).month != date->month)
        days -= 7;
    return days;
}

struct event {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

/* In the order of time; of two at one moment the later in the year counts. */
static void insert(struct event *events, size_t count, struct event event)
{
    size_t at = count;

    for (; at > 0 && events[at - 1].at_s > event.at_s; at--)
        events[at] = events[at - 1];
    events[at] = event;
}

struct zone_span tzif_rule_span(const struct tzif_rule *rule, int64_t unix_s)
{
    struct zone_span span = {INT64_MIN, INT64_MAX, rule->standard_s};
    struct event events[EVENTS];
    int64_t days = unix_s / DAY_S, year = calendar_from_days(days).year;
    size_t count = 0;

    if (!rule->has_summer)
        return span;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        struct event start = {day_of(&rule->start, y) * DAY_S + rule->start.time_s -
                                  rule->standard_s,
                              rule->summer_s};
        struct event end = {day_of(&rule->end, y) * DAY_S + rule->end.time_s - rule->summer_s,
                            rule->standard_s};

        insert(events, count++, start);
        insert(events, count++, end);
    }
    for (size_t i = 0; i < count; i++) {
        if (events[i].at_s > unix_s) {
            span.end_s = events[i].at_s;
            break;
        }
        span.begin_s = events[i].at_s;
        span.offset_s = events[i].offset_s;
    }
    return span;
}
