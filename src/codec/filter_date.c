/* Dates as ISO 8601 writes them, in the text's own time zone: nothing is converted. */
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "purser/base/calendar.h"

/* 2026-11-26, 2026-11-26T21:45, 2026-11-26 21:45:23.5+01:00 */
struct moment {
    struct calendar_date date;
    bool has_time;
    int hour, minute, second;
    struct slice fraction; /* with its point; empty = none */
    struct slice zone;     /* Z, +01:00, +0100, +01; empty = none */
};

/* Takes exactly `count` digits at *at. */
static bool take_digits(struct slice text, size_t *at, int count, int *number_out)
{
    int number = 0;

    if (text.length < *at + (size_t)count)
        return false;
    for (int i = 0; i < count; i++) {
        char digit = text.bytes[(*at)++];

        if (digit < '0' || digit > '9')
            return false;
        number = number * 10 + (digit - '0');
    }
    *number_out = number;
    return true;
}

static bool take_byte(struct slice text, size_t *at, const char *accepted)
{
    if (*at >= text.length || text.bytes[*at] == '\0' || strchr(accepted, text.bytes[*at]) == NULL)
        return false;
    ++*at;
    return true;
}

static bool take_zone(struct slice text, size_t *at)
{
    int hours, minutes = 0;

    if (*at == text.length || take_byte(text, at, "Zz"))
        return true;
    if (!take_byte(text, at, "+-") || !take_digits(text, at, 2, &hours))
        return false;
    if (*at < text.length) {
        take_byte(text, at, ":");
        if (!take_digits(text, at, 2, &minutes))
            return false;
    }
    return hours <= 23 && minutes <= 59;
}

static bool take_time(struct slice text, size_t *at, struct moment *moment)
{
    size_t start;

    moment->has_time = true;
    if (!take_digits(text, at, 2, &moment->hour) || !take_byte(text, at, ":") ||
        !take_digits(text, at, 2, &moment->minute))
        return false;
    if (take_byte(text, at, ":") && !take_digits(text, at, 2, &moment->second))
        return false;
    start = *at;
    if (take_byte(text, at, ".")) {
        while (*at < text.length && text.bytes[*at] >= '0' && text.bytes[*at] <= '9')
            ++*at;
        if (*at == start + 1)
            return false;
        moment->fraction = (struct slice){text.bytes + start, *at - start};
    }
    start = *at;
    if (!take_zone(text, at))
        return false;
    moment->zone = (struct slice){text.bytes + start, *at - start};
    /* 60 is a leap second. */
    return moment->hour <= 23 && moment->minute <= 59 && moment->second <= 60;
}

static bool parse_moment(struct slice text, struct moment *moment_out)
{
    struct moment moment = {0};
    size_t at = 0;
    int year;

    if (!take_digits(text, &at, 4, &year) || !take_byte(text, &at, "-") ||
        !take_digits(text, &at, 2, &moment.date.month) || !take_byte(text, &at, "-") ||
        !take_digits(text, &at, 2, &moment.date.day))
        return false;
    moment.date.year = year;
    if (take_byte(text, &at, "Tt ") && !take_time(text, &at, &moment))
        return false;
    *moment_out = moment;
    return at == text.length && calendar_is_valid(moment.date);
}

static bool take_moment(struct filter_call *call, struct moment *moment_out)
{
    struct slice text = call->text;

    if (parse_moment(text, moment_out))
        return true;
    return filter_fail(call, "dates are written 2026-11-26, with a time 2026-11-26T21:45:00Z",
                       "'%.*s' is not a date", (int)(text.length < 60 ? text.length : 60),
                       text.bytes);
}

enum { DATE_BYTES = 10, TIME_BYTES = 9, ZONE_BYTES = 6 };

static bool give_moment(struct filter_call *call, const struct moment *moment, bool with_time)
{
    size_t size = DATE_BYTES + TIME_BYTES + moment->fraction.length + ZONE_BYTES + 1;
    struct slice zone = moment->zone;
    char *out;
    int length;

    if (moment->date.year < 0 || moment->date.year > 9999)
        return filter_fail(call, NULL, "'%s' leaves the years 0000 to 9999",
                           call->expr->operation.filter->name);
    out = filter_memory(call, size, 1);
    if (out == NULL)
        return false;
    length = snprintf(out, size, "%04d-%02d-%02d", (int)moment->date.year, moment->date.month,
                      moment->date.day);
    if (with_time) {
        length += snprintf(
            out + length, size - (size_t)length, "T%02d:%02d:%02d%.*s%s", moment->hour,
            moment->minute, moment->second, (int)moment->fraction.length,
            moment->fraction.length > 0 ? moment->fraction.bytes : "", zone.length <= 1 ? "Z" : "");
        if (zone.length > 1)
            length += snprintf(out + length, size - (size_t)length, "%.3s:%.2s", zone.bytes,
                               zone.length == 3   ? "00"
                               : zone.length == 5 ? zone.bytes + 3
                                                  : zone.bytes + 4);
    }
    return filter_give_text(call, out, (size_t)length);
}

bool filter_date(struct filter_call *call)
{
    struct moment moment;

    return take_moment(call, &moment) && give_moment(call, &moment, false);
}

/* Seconds and Z are put where they are missing: RFC 3339 wants them. */
bool filter_datetime(struct filter_call *call)
{
    struct moment moment;

    return take_moment(call, &moment) && give_moment(call, &moment, true);
}

bool filter_add_days(struct filter_call *call)
{
    struct moment moment;
    int64_t days;

    if (!take_moment(call, &moment) || !filter_argument_whole(call, 0, -4000000, 4000000, &days))
        return false;
    moment.date = calendar_from_days(calendar_to_days(moment.date) + days);
    return give_moment(call, &moment, moment.has_time);
}
