/* Dates that are not written as ISO 8601 does: layouts such as %d.%m.%Y, as strftime has them.
 *
 * %Y year, %y its last two digits (69 to 99 are 19…), %m month, %b its English name (Jan), %d day,
 * %H hour, %I hour of 12 with %p (AM, PM), %M minute, %S second, %z zone (Z, +01:00), %s seconds
 * since 1970 in UTC (reading only), %% a percent sign. Everything else stands for itself. While
 * reading, one digit will do for day, month and time, and case does not matter in names. */
#ifndef PURSER_CODEC_DATE_LAYOUT_H
#define PURSER_CODEC_DATE_LAYOUT_H

#include "purser/base/buf.h"
#include "purser/base/calendar.h"
#include "purser/base/text.h"

/* 2026-11-26, 2026-11-26T21:45, 2026-11-26 21:45:23.5+01:00 */
struct moment {
    struct calendar_date date;
    bool has_time;
    int hour, minute, second;
    struct slice fraction; /* with its point; empty = none */
    struct slice zone;     /* Z, +01:00, +0100, +01; empty = none */
};

/* Takes exactly `count` digits at *at. */
bool date_take_digits(struct slice text, size_t *at, int count, int *number_out);

/* Takes one of the bytes `accepted` at *at. */
bool date_take_byte(struct slice text, size_t *at, const char *accepted);

/* Takes a zone at *at; nothing is one too at the end of the text. */
bool date_take_zone(struct slice text, size_t *at);

/* "Z" or "+01:00" for a zone as written. */
enum { DATE_ZONE_BYTES = 8 };
void date_spell_zone(struct slice zone, char out[DATE_ZONE_BYTES]);

/* What is wrong with a layout; NULL = nothing. One for reading must give the whole date. */
const char *date_layout_problem(struct slice layout, bool is_reading);

/* Reads `text`; the layout must have no problem. False when it is not written so, or there is no
 * such day or time. */
bool date_layout_read(struct slice layout, struct slice text, struct moment *moment_out);

/* Writes a moment. */
void date_layout_write(struct slice layout, const struct moment *moment, struct buf *out);

#endif
