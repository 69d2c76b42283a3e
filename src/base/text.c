#include "purser/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/calendar.h"

struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

bool slice_is(struct slice slice, const char *text)
{
    return slice_equal(slice, slice_of(text));
}

size_t text_decode(struct slice text, uint32_t *character_out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text.bytes;
    uint32_t character;
    size_t length;

    if (text.length == 0)
        return 0;
    if (bytes[0] < 0x80) {
        *character_out = bytes[0];
        return 1;
    }
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4)
        return 0;
    length = bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    if (text.length < length)
        return 0;
    character = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    if (character < least[length] || (character >= 0xd800 && character <= 0xdfff) ||
        character > 0x10ffff)
        return 0;
    *character_out = character;
    return length;
}

/* In each of eight bytes. */
#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS UINT64_C(0x8080808080808080)

bool text_is_utf8(const char *bytes, size_t length, size_t *bad_offset_out)
{
    size_t at = 0;

    while (at < length) {
        uint32_t character;
        uint64_t eight;
        size_t size;

        /* Eight ASCII bytes at a time; a NUL goes the slow way, which finds it. */
        while (length - at >= 8) {
            memcpy(&eight, bytes + at, 8);
            if (((eight | (eight - ONES)) & HIGH_BITS) != 0)
                break;
            at += 8;
        }
        if (at == length)
            break;
        size = text_decode((struct slice){bytes + at, length - at}, &character);
        if (size == 0 || character == 0) {
            *bad_offset_out = at;
            return false;
        }
        at += size;
    }
    return true;
}

bool text_has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/* Characters that turn the direction of the text around them: what is shown is then not what is
 * there. */
static bool is_bidirectional_control(uint32_t character)
{
    return character == 0x61c || character == 0x200e || character == 0x200f ||
           (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

static bool is_space_when_shown(uint32_t character)
{
    return (character >= '\t' && character <= '\r') || character == 0x85 || character == 0x2028 ||
           character == 0x2029;
}

void text_append_printable(struct buf *buf, struct slice text)
{
    size_t at = 0, kept_from = 0;

    while (at < text.length) {
        uint32_t character = 0;
        size_t size = text_decode((struct slice){text.bytes + at, text.length - at}, &character);
        bool wrong = size == 0 || is_control(character) || is_bidirectional_control(character) ||
                     is_space_when_shown(character);

        if (wrong) {
            buf_append(buf, text.bytes + kept_from, at - kept_from);
            buf_append_byte(buf, size > 0 && is_space_when_shown(character) ? ' ' : '?');
        }
        at += size == 0 ? 1 : size;
        if (wrong)
            kept_from = at;
    }
    buf_append(buf, text.bytes + kept_from, at - kept_from);
}

/* How a byte below 0x80 goes into a JSON string: 0 as it is, 'u' as \u00XX, else after a
 * backslash. */
static const char json_escapes[128] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n',          'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u',          'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\', [0x7f] = 'u',
};

/* True if one of eight bytes is `byte`. */
static bool has_byte(uint64_t eight, unsigned char byte)
{
    uint64_t other = eight ^ byte * ONES;

    return ((other - ONES) & ~other & HIGH_BITS) != 0;
}

/* Past bytes that stand in a JSON string as they are, eight at a time. */
static size_t skip_plain(struct slice text, size_t at)
{
    uint64_t eight;

    for (; text.length - at >= 8; at += 8) {
        memcpy(&eight, text.bytes + at, 8);
        if ((eight & HIGH_BITS) != 0 || ((eight - ' ' * ONES) & ~eight & HIGH_BITS) != 0 ||
            has_byte(eight, '"') || has_byte(eight, '\\') || has_byte(eight, 0x7f))
            break;
    }
    while (at < text.length && (unsigned char)text.bytes[at] < 0x80 &&
           json_escapes[(unsigned char)text.bytes[at]] == 0)
        at++;
    return at;
}

void text_append_json(struct buf *buf, struct slice text)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = skip_plain(text, 0), kept_from = 0;
    char *place = at == text.length ? buf_extend(buf, text.length + 2) : NULL;

    if (place != NULL) {
        place[0] = '"';
        if (text.length > 0)
            memcpy(place + 1, text.bytes, text.length);
        place[text.length + 1] = '"';
    }
    if (at == text.length)
        return;
    buf_append_byte(buf, '"');
    for (; at < text.length; at = skip_plain(text, at)) {
        unsigned char byte = (unsigned char)text.bytes[at];
        char escape = byte < 0x80 ? json_escapes[byte] : 0;
        size_t size = 1;
        uint32_t character;

        if (byte >= 0x80)
            size = text_decode((struct slice){text.bytes + at, text.length - at}, &character);
        if (size > 0 && escape == 0) {
            at += size;
            continue;
        }
        buf_append(buf, text.bytes + kept_from, at - kept_from);
        if (size == 0)
            buf_append(buf, "\xef\xbf\xbd", 3); /* U+FFFD */
        else if (escape == 'u')
            buf_append(buf, (char[]){'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]}, 6);
        else
            buf_append(buf, (char[]){'\\', escape}, 2);
        kept_from = ++at;
    }
    buf_append(buf, text.bytes + kept_from, at - kept_from);
    buf_append_byte(buf, '"');
}

static size_t skip_digits(struct slice text, size_t at)
{
    while (at < text.length && text.bytes[at] >= '0' && text.bytes[at] <= '9')
        at++;
    return at;
}

/* -12, +12.50, 1e-3: nothing that a spreadsheet could run. */
static bool is_plain_number(struct slice text)
{
    size_t at = text.length > 0 && (text.bytes[0] == '-' || text.bytes[0] == '+') ? 1 : 0;
    size_t end = skip_digits(text, at);

    if (end == at)
        return false;
    at = end;
    if (at < text.length && text.bytes[at] == '.') {
        end = skip_digits(text, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (at < text.length && (text.bytes[at] == 'e' || text.bytes[at] == 'E')) {
        at++;
        if (at < text.length && (text.bytes[at] == '-' || text.bytes[at] == '+'))
            at++;
        end = skip_digits(text, at);
        return end > at && end == text.length;
    }
    return at == text.length;
}

void text_append_csv(struct buf *buf, struct slice text, char delimiter, bool guard)
{
    bool guarded = guard && text.length > 0 && memchr("=+-@\t\r", text.bytes[0], 6) != NULL &&
                   !is_plain_number(text);
    bool quoted = false;

    for (size_t i = 0; i < text.length && !quoted; i++)
        quoted = text.bytes[i] == delimiter || memchr("\"\r\n", text.bytes[i], 3) != NULL;
    if (text.length > 0 && (text.bytes[0] == ' ' || text.bytes[text.length - 1] == ' '))
        quoted = true; /* some readers strip blanks around a bare field */
    if (quoted)
        buf_append_byte(buf, '"');
    if (guarded)
        buf_append_byte(buf, '\'');
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] == '"')
            buf_append_byte(buf, '"');
        buf_append_byte(buf, text.bytes[i]);
    }
    if (quoted)
        buf_append_byte(buf, '"');
}

enum { CLOSEST_BYTES_MAX = 64 };

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits between two short texts: insert, delete, replace, swap neighbours (optimal string
 * alignment). */
static unsigned edit_distance(struct slice a, struct slice b)
{
    unsigned rows[3][CLOSEST_BYTES_MAX + 1];
    unsigned *before = rows[0], *previous = rows[1], *current = rows[2];

    for (size_t j = 0; j <= b.length; j++)
        previous[j] = (unsigned)j;
    for (size_t i = 1; i <= a.length; i++) {
        unsigned *spare = before;

        current[0] = (unsigned)i;
        for (size_t j = 1; j <= b.length; j++) {
            char x = lower(a.bytes[i - 1]), y = lower(b.bytes[j - 1]);

            current[j] =
                least(previous[j - 1] + (x != y ? 1 : 0), least(previous[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.bytes[j - 2]) && y == lower(a.bytes[i - 2]))
                current[j] = least(current[j], before[j - 2] + 1);
        }
        before = previous;
        previous = current;
        current = spare;
    }
    return previous[b.length];
}

const char *text_closest(const char *text, const char *const *candidates, size_t count)
{
    struct slice wanted = slice_of(text);
    unsigned best = wanted.length <= 3 ? 2 : 3; /* one more than is allowed */
    const char *closest = NULL;

    if (wanted.length == 0 || wanted.length > CLOSEST_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct slice candidate = slice_of(candidates[i]);
        unsigned distance;

        if (candidate.length > CLOSEST_BYTES_MAX)
            continue;
        distance = edit_distance(wanted, candidate);
        /* As many edits as there are bytes is another word. */
        if (distance < best && (distance < wanted.length || distance == 0)) {
            best = distance;
            closest = candidates[i];
        }
    }
    return closest;
}

char text_peek(const struct text_reader *reader)
{
    return reader->at < reader->text.length ? reader->text.bytes[reader->at] : '\0';
}

bool text_accept(struct text_reader *reader, char byte)
{
    if (text_peek(reader) != byte)
        return false;
    reader->at++;
    return true;
}

bool text_to_u64(struct slice text, uint64_t *number_out)
{
    uint64_t number = 0;

    if (text.length == 0)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char digit = text.bytes[i];

        if (digit < '0' || digit > '9' || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digit - '0'), &number))
            return false;
    }
    *number_out = number;
    return true;
}

bool text_to_duration_ms(struct slice text, int64_t *duration_ms_out)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    const uint64_t ten_years_ms = 3653u * UINT64_C(86400000);
    size_t digits = skip_digits(text, 0);
    uint64_t number;

    if (!text_to_u64((struct slice){text.bytes, digits}, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct slice unit = {text.bytes + digits, text.length - digits};

        if (!slice_is(unit, units[i].unit))
            continue;
        if (number > ten_years_ms / units[i].ms)
            return false;
        *duration_ms_out = (int64_t)(number * units[i].ms);
        return true;
    }
    return false;
}

void text_from_time_ms(int64_t unix_ms, char text_out[TEXT_TIME_BYTES])
{
    const int64_t day_ms = 86400000;
    int64_t ms = unix_ms % day_ms;
    int64_t days = unix_ms / day_ms;
    struct calendar_date date;
    int length;

    if (ms < 0) {
        ms += day_ms;
        days--;
    }
    date = calendar_from_days(days);
    length = snprintf(text_out, TEXT_TIME_BYTES, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ",
                      date.year, date.month, date.day, (int)(ms / 3600000), (int)(ms / 60000 % 60),
                      (int)(ms / 1000 % 60), (int)(ms % 1000));
    assert(length > 0 && length < TEXT_TIME_BYTES);
}
