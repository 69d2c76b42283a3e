#include "date_layout.h"

#include <stdio.h>
#include <string.h>

enum { MONTHS = 12 };

static const char month_names[MONTHS][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool date_take_digits(struct slice text, size_t *at, int count, int *number_out)
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

bool date_take_byte(struct slice text, size_t *at, const char *accepted)
{
    if (*at >= text.length || text.bytes[*at] == '\0' || strchr(accepted, text.bytes[*at]) == NULL)
        return false;
    ++*at;
    return true;
}

bool date_take_zone(struct slice text, size_t *at)
{
    int hours, minutes = 0;

    if (*at == text.length || date_take_byte(text, at, "Zz"))
        return true;
    if (!date_take_byte(text, at, "+-") || !date_take_digits(text, at, 2, &hours))
        return false;
    if (*at < text.length) {
        date_take_byte(text, at, ":");
        if (!date_take_digits(text, at, 2, &minutes))
            return false;
    }
    return hours <= 23 && minutes <= 59;
}

void date_spell_zone(struct slice zone, char out[DATE_ZONE_BYTES])
{
    if (zone.length <= 1)
        snprintf(out, DATE_ZONE_BYTES, "Z");
    else
        snprintf(out, DATE_ZONE_BYTES, "%.3s:%.2s", zone.bytes,
                 zone.length == 3   ? "00"
                 : zone.length == 5 ? zone.bytes + 3
                                    : zone.bytes + 4);
}

/* The next part of a layout: a directive's letter, or '\0' for a byte that stands for itself. */
static char next_part(struct slice layout, size_t *at, char *byte_out)
{
    char byte = layout.bytes[(*at)++];

    *byte_out = byte;
    if (byte != '%')
        return '\0';
    byte = *at < layout.length ? layout.bytes[(*at)++] : '?';
    return byte == '%' ? '\0' : byte;
}

static bool has(struct slice layout, char directive)
{
    size_t at = 0;
    char byte;

    while (at < layout.length)
        if (next_part(layout, &at, &byte) == directive)
            return true;
    return false;
}

const char *date_layout_problem(struct slice layout, bool is_reading)
{
    static const char readable[] = "YymbdHIMSpzs", writable[] = "YymbdHIMSpz";
    size_t at = 0;
    char byte;

    while (at < layout.length) {
        char directive = next_part(layout, &at, &byte);

        if (directive != '\0' && strchr(is_reading ? readable : writable, directive) == NULL)
            return is_reading ? "has %Y %y %m %b %d %H %I %p %M %S %z %s and %%"
                              : "has %Y %y %m %b %d %H %I %p %M %S %z and %%";
    }
    if (layout.length == 0)
        return "must not be empty";
    if (is_reading && !has(layout, 's') &&
        ((!has(layout, 'Y') && !has(layout, 'y')) || (!has(layout, 'm') && !has(layout, 'b')) ||
         !has(layout, 'd')))
        return "needs day, month and year (%d.%m.%Y), or %s";
    if (has(layout, 'I') != has(layout, 'p'))
        return "has %I only with %p";
    return NULL;
}

/* One digit or two. */
static bool take_number(struct slice text, size_t *at, int *number_out)
{
    size_t second = *at + 1;
    bool has_two = second < text.length && text.bytes[second] >= '0' && text.bytes[second] <= '9';

    return date_take_digits(text, at, has_two ? 2 : 1, number_out);
}

/* The position of the three letters at *at among `names`. */
static bool take_name(struct slice text, size_t *at, const char *names, size_t size, int count,
                      int *index_out)
{
    for (int i = 0; i < count; i++) {
        const char *name = names + (size_t)i * size;
        size_t length = strlen(name);

        if (text.length - *at >= length && strncasecmp(text.bytes + *at, name, length) == 0) {
            *at += length;
            *index_out = i;
            return true;
        }
    }
    return false;
}

/* At most twelve digits: up to the year 9999 and beyond. */
static bool take_seconds(struct slice text, size_t *at, struct moment *moment)
{
    enum { DAY_SECONDS = 86400, DIGITS_MAX = 12 };
    bool negative = date_take_byte(text, at, "-");
    size_t start = *at;
    int64_t seconds = 0, days;

    while (*at < text.length && *at - start < DIGITS_MAX && text.bytes[*at] >= '0' &&
           text.bytes[*at] <= '9')
        seconds = seconds * 10 + (text.bytes[(*at)++] - '0');
    if (*at == start)
        return false;
    seconds = negative ? -seconds : seconds;
    days = (seconds - (seconds < 0 ? DAY_SECONDS - 1 : 0)) / DAY_SECONDS;
    seconds -= days * DAY_SECONDS;
    moment->date = calendar_from_days(days);
    moment->has_time = true;
    moment->hour = (int)(seconds / 3600);
    moment->minute = (int)(seconds / 60 % 60);
    moment->second = (int)(seconds % 60);
    moment->zone = SLICE("Z");
    return true;
}

struct half {
    bool is_known;
    int is_afternoon;
};

static bool read_part(char directive, struct slice text, size_t *at, struct moment *moment,
                      struct half *half)
{
    size_t start = *at;
    int number;

    moment->has_time = moment->has_time || strchr("HIMSp", directive) != NULL;
    switch (directive) {
    case 'Y':
        if (!date_take_digits(text, at, 4, &number))
            return false;
        moment->date.year = number;
        return true;
    case 'y':
        if (!date_take_digits(text, at, 2, &number))
            return false;
        moment->date.year = number + (number >= 69 ? 1900 : 2000); /* Source: POSIX, strptime */
        return true;
    case 'm':
        return take_number(text, at, &moment->date.month);
    case 'b':
        if (!take_name(text, at, month_names[0], sizeof month_names[0], MONTHS, &number))
            return false;
        moment->date.month = number + 1;
        return true;
    case 'd':
        return take_number(text, at, &moment->date.day);
    case 'H':
    case 'I':
        return take_number(text, at, &moment->hour);
    case 'M':
        return take_number(text, at, &moment->minute);
    case 'S':
        return take_number(text, at, &moment->second);
    case 'p':
        half->is_known = true;
        return take_name(text, at, "AM\0PM", 3, 2, &half->is_afternoon);
    case 's':
        return take_seconds(text, at, moment);
    case 'z':
        if (!date_take_zone((struct slice){text.bytes, text.length}, at))
            return false;
        moment->zone = (struct slice){text.bytes + start, *at - start};
        return true;
    default:
        return false;
    }
}

bool date_layout_read(struct slice layout, struct slice text, struct moment *moment_out)
{
    struct moment moment = {0};
    struct half half = {0};
    size_t part = 0, at = 0;
    char byte;

    while (part < layout.length) {
        char directive = next_part(layout, &part, &byte);

        if (directive != '\0' ? !read_part(directive, text, &at, &moment, &half)
                              : !date_take_byte(text, &at, (char[2]){byte, '\0'}))
            return false;
    }
    if (half.is_known) {
        if (moment.hour < 1 || moment.hour > 12)
            return false;
        moment.hour = moment.hour % 12 + half.is_afternoon * 12;
    }
    *moment_out = moment;
    return at == text.length && calendar_is_valid(moment.date) && moment.hour <= 23 &&
           moment.minute <= 59 && moment.second <= 60;
}

void date_layout_write(struct slice layout, const struct moment *moment, struct buf *out)
{
    int hour_of_half = moment->hour % 12 == 0 ? 12 : moment->hour % 12;
    char byte, zone[DATE_ZONE_BYTES];
    size_t at = 0;

    date_spell_zone(moment->zone, zone);
    while (at < layout.length) {
        switch (next_part(layout, &at, &byte)) {
        case 'Y':
            buf_append_format(out, "%04d", (int)moment->date.year);
            break;
        case 'y':
            buf_append_format(out, "%02d", (int)(moment->date.year % 100));
            break;
        case 'm':
            buf_append_format(out, "%02d", moment->date.month);
            break;
        case 'b':
            buf_append_text(out, month_names[moment->date.month - 1]);
            break;
        case 'd':
            buf_append_format(out, "%02d", moment->date.day);
            break;
        case 'H':
            buf_append_format(out, "%02d", moment->hour);
            break;
        case 'I':
            buf_append_format(out, "%02d", hour_of_half);
            break;
        case 'p':
            buf_append_text(out, moment->hour < 12 ? "AM" : "PM");
            break;
        case 'M':
            buf_append_format(out, "%02d", moment->minute);
            break;
        case 'S':
            buf_append_format(out, "%02d", moment->second);
            break;
        case 'z':
            buf_append_text(out, zone);
            break;
        default:
            buf_append_byte(out, byte);
        }
    }
}
