#include "purser/base/moment.h"

#include <stdio.h>

#include "purser/base/calendar.h"

enum { DAY_S = 24 * 60 * 60 };

/* Exactly `digits` of them. */
static bool take(struct text_reader *reader, int digits, int most, int *number_out)
{
    *number_out = 0;
    for (int i = 0; i < digits; i++) {
        if (!text_is_digit(text_peek(reader)))
            return false;
        *number_out = *number_out * 10 + (text_peek(reader) - '0');
        reader->at++;
    }
    return *number_out <= most;
}

static bool take_zone(struct text_reader *reader, int64_t *offset_out)
{
    bool west = text_peek(reader) == '-';
    int hours, minutes;

    *offset_out = 0;
    if (text_accept(reader, 'Z') || text_accept(reader, 'z'))
        return true;
    if ((!text_accept(reader, '+') && !text_accept(reader, '-')) || !take(reader, 2, 23, &hours))
        return false;
    text_accept(reader, ':');
    if (!take(reader, 2, 59, &minutes))
        return false;
    *offset_out = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool moment_parse(struct slice text, int64_t *unix_s_out)
{
    struct text_reader reader = {.text = text};
    struct calendar_date date;
    int year, hour, minute, second = 0;
    int64_t offset;

    if (!take(&reader, 4, 9999, &year) || !text_accept(&reader, '-') ||
        !take(&reader, 2, 12, &date.month) || !text_accept(&reader, '-') ||
        !take(&reader, 2, 31, &date.day))
        return false;
    date.year = year;
    if (!calendar_is_valid(date) || (!text_accept(&reader, 'T') && !text_accept(&reader, ' ')) ||
        !take(&reader, 2, 23, &hour) || !text_accept(&reader, ':') ||
        !take(&reader, 2, 59, &minute) ||
        (text_accept(&reader, ':') && !take(&reader, 2, 59, &second)))
        return false;
    if (text_accept(&reader, '.')) {
        if (!text_is_digit(text_peek(&reader)))
            return false;
        while (text_is_digit(text_peek(&reader)))
            reader.at++;
    }
    if (!take_zone(&reader, &offset) || reader.at != text.length)
        return false;
    *unix_s_out = calendar_to_days(date) * DAY_S + hour * 3600 + minute * 60 + second - offset;
    return true;
}

void moment_print(int64_t unix_s, int32_t offset_s, char text_out[MOMENT_BYTES])
{
    int64_t civil_s = unix_s + offset_s;
    int64_t days = (civil_s >= 0 ? civil_s : civil_s - (DAY_S - 1)) / DAY_S;
    struct calendar_date date = calendar_from_days(days);
    int time = (int)(civil_s - days * DAY_S);
    int minutes = (int)(offset_s < 0 ? -offset_s : offset_s) / 60;
    int length =
        snprintf(text_out, MOMENT_BYTES, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)date.year,
                 date.month, date.day, time / 3600, time / 60 % 60, time % 60);

    if (offset_s == 0)
        (void)snprintf(text_out + length, (size_t)(MOMENT_BYTES - length), "Z");
    else
        (void)snprintf(text_out + length, (size_t)(MOMENT_BYTES - length), "%c%02d:%02d",
                       offset_s < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}
