/* Dates as ISO 8601 writes them, in the text's own time zone: nothing is converted. */
#include <stdio.h>
#include <string.h>

#include "date_layout.h"
#include "filter.h"

static bool take_time(struct slice text, size_t *at, struct moment *moment)
{
    size_t start;

    moment->has_time = true;
    if (!date_take_digits(text, at, 2, &moment->hour) || !date_take_byte(text, at, ":") ||
        !date_take_digits(text, at, 2, &moment->minute))
        return false;
    if (date_take_byte(text, at, ":") && !date_take_digits(text, at, 2, &moment->second))
        return false;
    start = *at;
    if (date_take_byte(text, at, ".")) {
        while (*at < text.length && text.bytes[*at] >= '0' && text.bytes[*at] <= '9')
            ++*at;
        if (*at == start + 1)
            return false;
        moment->fraction = (struct slice){text.bytes + start, *at - start};
    }
    start = *at;
    if (!date_take_zone(text, at))
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

    if (!date_take_digits(text, &at, 4, &year) || !date_take_byte(text, &at, "-") ||
        !date_take_digits(text, &at, 2, &moment.date.month) || !date_take_byte(text, &at, "-") ||
        !date_take_digits(text, &at, 2, &moment.date.day))
        return false;
    moment.date.year = year;
    if (date_take_byte(text, &at, "Tt ") && !take_time(text, &at, &moment))
        return false;
    *moment_out = moment;
    return at == text.length && calendar_is_valid(moment.date);
}

static bool take_moment(struct filter_call *call, struct moment *moment_out)
{
    struct slice text = call->text;

    if (parse_moment(text, moment_out))
        return true;
    return filter_fail(call,
                       "dates are written 2026-11-26, with a time 2026-11-26T21:45:00Z; others are "
                       "read by date(\"%d.%m.%Y\")",
                       "'%.*s' is not a date", expr_shown(text), text.bytes);
}

static bool take_layout(struct filter_call *call, bool is_reading, struct slice *layout_out)
{
    const char *problem;

    if (!filter_argument_text(call, 0, layout_out))
        return false;
    problem = date_layout_problem(*layout_out, is_reading);
    return problem == NULL ||
           filter_fail(call, call->expr->operation.filter->usage, "a layout of '%s' %s",
                       call->expr->operation.filter->name, problem);
}

/* date and datetime: as ISO 8601, or as their argument says. */
static bool read_moment(struct filter_call *call, struct moment *moment_out)
{
    struct slice layout;

    if (call->argument_count == 0)
        return take_moment(call, moment_out);
    if (!take_layout(call, true, &layout))
        return false;
    return date_layout_read(layout, call->text, moment_out) ||
           filter_fail(call, "format_date(LAYOUT) is what writes a date in a layout",
                       "'%.*s' is not a date that is written '%.*s'", expr_shown(call->text),
                       call->text.bytes, expr_shown(layout), layout.bytes);
}

bool filter_check_reading(struct filter_call *call)
{
    struct slice layout;

    return call->argument_count == 0 || take_layout(call, true, &layout);
}

bool filter_check_writing(struct filter_call *call)
{
    struct slice layout;

    return take_layout(call, false, &layout);
}

enum { DATE_BYTES = 10, TIME_BYTES = 9, DATE_LAYOUT_BYTES_MAX = 4096 };

static bool give_moment(struct filter_call *call, const struct moment *moment, bool with_time)
{
    size_t size = DATE_BYTES + TIME_BYTES + moment->fraction.length + DATE_ZONE_BYTES;
    char *out, zone[DATE_ZONE_BYTES];
    int length;

    if (moment->date.year < 0 || moment->date.year > 9999)
        return filter_fail(call, NULL, "'%s' leaves the years 0000 to 9999",
                           call->expr->operation.filter->name);
    out = filter_memory(call, size, 1);
    if (out == NULL)
        return false;
    length = snprintf(out, size, "%04d-%02d-%02d", (int)moment->date.year, moment->date.month,
                      moment->date.day);
    date_spell_zone(moment->zone, zone);
    if (with_time)
        length +=
            snprintf(out + length, size - (size_t)length, "T%02d:%02d:%02d%.*s%s", moment->hour,
                     moment->minute, moment->second, (int)moment->fraction.length,
                     moment->fraction.length > 0 ? moment->fraction.bytes : "", zone);
    return filter_give_text(call, out, (size_t)length);
}

bool filter_date(struct filter_call *call)
{
    struct moment moment;

    return read_moment(call, &moment) && give_moment(call, &moment, false);
}

/* Seconds and Z are put where they are missing: RFC 3339 wants them. */
bool filter_datetime(struct filter_call *call)
{
    struct moment moment;

    return read_moment(call, &moment) && give_moment(call, &moment, true);
}

enum { DAYS_MAX = 4000000, MONTHS_MAX = 120000 };

bool filter_check_add_days(struct filter_call *call)
{
    int64_t days;

    return filter_argument_whole(call, 0, -DAYS_MAX, DAYS_MAX, &days);
}

bool filter_add_days(struct filter_call *call)
{
    struct moment moment;
    int64_t days;

    if (!take_moment(call, &moment) || !filter_argument_whole(call, 0, -DAYS_MAX, DAYS_MAX, &days))
        return false;
    moment.date = calendar_from_days(calendar_to_days(moment.date) + days);
    return give_moment(call, &moment, moment.has_time);
}

bool filter_check_add_months(struct filter_call *call)
{
    int64_t months;

    return filter_argument_whole(call, 0, -MONTHS_MAX, MONTHS_MAX, &months);
}

/* The same day of another month; its last one where there is no such day. */
bool filter_add_months(struct filter_call *call)
{
    struct moment moment;
    int64_t months;

    if (!take_moment(call, &moment) ||
        !filter_argument_whole(call, 0, -MONTHS_MAX, MONTHS_MAX, &months))
        return false;
    months += moment.date.year * 12 + moment.date.month - 1;
    moment.date.year = months < 0 ? -1 : months / 12;
    moment.date.month = (int)(months < 0 ? 1 : months % 12 + 1);
    while (!calendar_is_valid(moment.date))
        moment.date.day--;
    return give_moment(call, &moment, moment.has_time);
}

bool filter_format_date(struct filter_call *call)
{
    struct moment moment;
    struct slice layout;
    struct buf text;
    char *copy = NULL;

    if (!take_moment(call, &moment) || !take_layout(call, false, &layout))
        return false;
    buf_init(&text, DATE_LAYOUT_BYTES_MAX);
    date_layout_write(layout, &moment, &text);
    if (text.failed == ERR_OK)
        copy = arena_copy_text(call->environment->arena, buf_text(&text), text.length);
    *call->out = (struct value){.kind = VALUE_STRING, .text = {copy, text.length}};
    buf_deinit(&text);
    return copy != NULL || filter_fail(call, NULL, "'format_date' makes more text than it may");
}

/* Minutes that a zone is ahead of UTC; none counts as UTC. */
static int zone_minutes(struct slice zone)
{
    char spelled[DATE_ZONE_BYTES];
    int hours, minutes;
    size_t at = 1;

    date_spell_zone(zone, spelled);
    if (zone.length <= 1 || !date_take_digits(slice_of(spelled), &at, 2, &hours))
        return 0;
    at++;
    if (!date_take_digits(slice_of(spelled), &at, 2, &minutes))
        return 0;
    return (hours * 60 + minutes) * (spelled[0] == '-' ? -1 : 1);
}

/* Times of different zones cannot be compared as texts; as numbers they can. */
bool filter_timestamp(struct filter_call *call)
{
    struct arena *arena = call->environment->arena;
    struct moment moment;
    struct slice whole, fraction, sum;
    int64_t seconds;
    char *digits;

    if (!take_moment(call, &moment))
        return false;
    digits = filter_memory(call, 24 + moment.fraction.length, 1);
    if (digits == NULL)
        return false;
    seconds = calendar_to_days(moment.date) * 86400 + moment.hour * 3600 + moment.minute * 60 +
              moment.second - zone_minutes(moment.zone) * 60;
    whole = (struct slice){digits, (size_t)snprintf(digits, 24, "%lld", (long long)seconds)};
    sum = whole;
    if (moment.fraction.length > 0) {
        fraction = (struct slice){digits + 24 - 1, moment.fraction.length + 1};
        digits[23] = '0';
        memcpy(digits + 24, moment.fraction.bytes, moment.fraction.length);
        if (decimal_calculate(arena, DECIMAL_ADD, whole, fraction, &sum) != DECIMAL_OK)
            return filter_fail(call, NULL, "the seconds of '%.*s' have too many digits",
                               expr_shown(call->text), call->text.bytes);
    }
    *call->out = (struct value){.kind = VALUE_NUMBER, .text = sum};
    return true;
}
