/* Plain operations on text, independent of the locale. */
#ifndef PURSER_BASE_TEXT_H
#define PURSER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/buf.h"

/* Bytes that are not owned and not NUL-terminated. */
struct slice {
    const char *bytes;
    size_t length;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
struct slice slice_of(const char *text);
bool slice_equal(struct slice a, struct slice b);
bool slice_is(struct slice slice, const char *text);

/* Where the bytes end: NULL for a slice of NULL, to which C lets nothing be added, not even 0. */
static inline const char *slice_end(struct slice slice)
{
    return slice.length == 0 ? slice.bytes : slice.bytes + slice.length;
}

/* Reads the first character of `text` (valid UTF-8: no surrogates, no overlong forms): gives its
 * length in bytes, or 0 when the first bytes are no character or there are none. */
size_t text_decode(struct slice text, uint32_t *character_out);

/* True if the bytes are valid UTF-8 (no surrogates, no overlong forms) without NUL.
 * Otherwise *bad_offset_out is where the first wrong byte is. */
bool text_is_utf8(const char *bytes, size_t length, size_t *bad_offset_out);

/* Appends text made safe for a terminal or a log line: C0, C1, ESC, bidirectional controls and
 * invalid UTF-8 become '?', line breaks and tabs a space. */
void text_append_printable(struct buf *buf, struct slice text);

/* Appends a JSON string with its quotes. Input that is not UTF-8 has its wrong bytes replaced by
 * U+FFFD. */
void text_append_json(struct buf *buf, struct slice text);

/* Appends one CSV field, quoted when needed (RFC 4180, with `delimiter` in place of the comma).
 * With `guard`, a field that a spreadsheet would run as a formula (first character = + - @ TAB CR)
 * gets a leading apostrophe, unless it is a plain number. */
void text_append_csv(struct buf *buf, struct slice text, char delimiter, bool guard);

/* The candidate that is at most two edits away from `text` (one for a text of up to three bytes)
 * and closest; NULL when none is. Swapped neighbours are one edit; the case of ASCII letters counts
 * for nothing. Texts over 64 bytes are close to nothing. For "did you mean". */
const char *text_closest(const char *text, const char *const *candidates, size_t count);

/* A byte below the space, or DEL. */
bool text_has_control(const char *text);

static inline bool text_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* A place in a text that is read from the front to the end. */
struct text_reader {
    struct slice text;
    size_t at;
};

/* The next byte, NUL at the end; it stays. */
char text_peek(const struct text_reader *reader);

/* Goes past the next byte if it is `byte`. */
bool text_accept(struct text_reader *reader, char byte);

/* Whole unsigned number in decimal; false when there is anything else or it does not fit. */
bool text_to_u64(struct slice text, uint64_t *number_out);

/* "500ms", "2s", "5m", "6h", "7d" → milliseconds; false when it is none of these or > 10 years. */
bool text_to_duration_ms(struct slice text, int64_t *duration_ms_out);

/* "2026-11-26T21:45:23.123Z" for Unix milliseconds. */
#define TEXT_TIME_BYTES 32
void text_from_time_ms(int64_t unix_ms, char text_out[TEXT_TIME_BYTES]);

#endif
