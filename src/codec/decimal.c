#include "purser/codec/decimal.h"

#include <assert.h>
#include <string.h>

__extension__ typedef __int128 int128;

/* A JSON number taken apart: digits of integer and fraction in one row, times a power of ten. */
struct parts {
    bool negative;
    struct slice integer, fraction;
    int64_t exponent;
};

/* Beyond this an exponent is as good as endless; far from where int64_t ends. */
static const int64_t exponent_clamp = INT64_C(1000000000000000);

static size_t skip_digits(struct slice text, size_t at)
{
    while (at < text.length && text.bytes[at] >= '0' && text.bytes[at] <= '9')
        at++;
    return at;
}

static char byte_at(struct slice text, size_t at)
{
    return at < text.length ? text.bytes[at] : '\0';
}

/* Takes "-12.50e-3" apart; either side of the point may be empty, but not both. False when `text`
 * is no number. */
static bool take_apart(struct slice text, struct parts *parts_out)
{
    struct parts parts = {0};
    size_t at = 0, end;

    if (byte_at(text, at) == '-' || byte_at(text, at) == '+')
        parts.negative = text.bytes[at++] == '-';
    end = skip_digits(text, at);
    parts.integer = (struct slice){text.bytes + at, end - at};
    at = end;
    if (byte_at(text, at) == '.') {
        end = skip_digits(text, ++at);
        parts.fraction = (struct slice){text.bytes + at, end - at};
        at = end;
    }
    if (parts.integer.length + parts.fraction.length == 0)
        return false;
    if (byte_at(text, at) == 'e' || byte_at(text, at) == 'E') {
        char sign = byte_at(text, ++at);

        if (sign == '-' || sign == '+')
            at++;
        end = skip_digits(text, at);
        if (end == at)
            return false;
        for (; at < end; at++)
            if (parts.exponent < exponent_clamp)
                parts.exponent = parts.exponent * 10 + (text.bytes[at] - '0');
        if (sign == '-')
            parts.exponent = -parts.exponent;
    }
    *parts_out = parts;
    return at == text.length;
}

bool decimal_is_json(struct slice text)
{
    struct parts parts;

    if (!take_apart(text, &parts) || text.bytes[0] == '+' || parts.integer.length == 0)
        return false;
    if (parts.integer.length > 1 && parts.integer.bytes[0] == '0')
        return false;
    return parts.fraction.length > 0 || memchr(text.bytes, '.', text.length) == NULL;
}

static size_t digit_count(const struct parts *parts)
{
    return parts->integer.length + parts->fraction.length;
}

/* The i-th digit of the row, '0' behind its end. */
static char digit_at(const struct parts *parts, size_t i)
{
    if (i < parts->integer.length)
        return parts->integer.bytes[i];
    i -= parts->integer.length;
    return i < parts->fraction.length ? parts->fraction.bytes[i] : '0';
}

static size_t leading_zeros(const struct parts *parts)
{
    size_t count = digit_count(parts), i = 0;

    while (i < count && digit_at(parts, i) == '0')
        i++;
    return i;
}

static struct parts parts_of(struct slice number)
{
    struct parts parts;
    bool is_number = take_apart(number, &parts);

    assert(is_number);
    return parts;
}

bool decimal_is_whole(struct slice number)
{
    struct parts parts = parts_of(number);
    size_t used = digit_count(&parts);

    while (used > 0 && digit_at(&parts, used - 1) == '0')
        used--;
    return used == 0 || (int64_t)used <= (int64_t)parts.integer.length + parts.exponent;
}

int decimal_compare(struct slice a, struct slice b)
{
    struct parts x = parts_of(a), y = parts_of(b);
    size_t x_first = leading_zeros(&x), y_first = leading_zeros(&y);
    size_t x_left = digit_count(&x) - x_first, y_left = digit_count(&y) - y_first;
    /* Digits in front of the point: the greater number has more of them. */
    int64_t x_size = (int64_t)x.integer.length - (int64_t)x_first + x.exponent;
    int64_t y_size = (int64_t)y.integer.length - (int64_t)y_first + y.exponent;
    int x_sign = x_left == 0 ? 0 : x.negative ? -1 : 1;
    int y_sign = y_left == 0 ? 0 : y.negative ? -1 : 1;

    if (x_sign != y_sign)
        return x_sign < y_sign ? -1 : 1;
    if (x_sign == 0)
        return 0;
    if (x_size != y_size)
        return x_size < y_size ? -x_sign : x_sign;
    for (size_t i = 0; i < x_left || i < y_left; i++) {
        char x_digit = digit_at(&x, x_first + i), y_digit = digit_at(&y, y_first + i);

        if (x_digit != y_digit)
            return x_digit < y_digit ? -x_sign : x_sign;
    }
    return 0;
}

static struct slice without_blanks(struct slice text)
{
    while (text.length > 0 && memchr(" \t\r\n", text.bytes[0], 4) != NULL) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && memchr(" \t\r\n", text.bytes[text.length - 1], 4) != NULL)
        text.length--;
    return text;
}

static size_t append(char *out, size_t length, struct slice text)
{
    if (text.length > 0)
        memcpy(out + length, text.bytes, text.length);
    return length + text.length;
}

bool decimal_from_text(struct arena *arena, struct slice text, struct slice *number_out)
{
    struct slice trimmed = without_blanks(text), exponent = {0};
    struct parts parts;
    size_t length = 0;
    char *out;

    if (!take_apart(trimmed, &parts))
        return false;
    if (decimal_is_json(trimmed)) {
        *number_out = trimmed;
        return true;
    }
    while (parts.integer.length > 1 && parts.integer.bytes[0] == '0') {
        parts.integer.bytes++;
        parts.integer.length--;
    }
    if (parts.integer.length == 0)
        parts.integer = SLICE("0");
    for (size_t i = 0; i < trimmed.length && exponent.length == 0; i++)
        if (trimmed.bytes[i] == 'e' || trimmed.bytes[i] == 'E')
            exponent = (struct slice){trimmed.bytes + i, trimmed.length - i};
    out = arena_new(arena, 1, trimmed.length + 1);
    if (out != NULL) {
        length = append(out, length, parts.negative ? SLICE("-") : SLICE(""));
        length = append(out, length, parts.integer);
        length = append(out, length, parts.fraction.length > 0 ? SLICE(".") : SLICE(""));
        length = append(out, length, parts.fraction);
        length = append(out, length, exponent);
    }
    *number_out = (struct slice){out, length};
    return true;
}

/* Writes `count` digits, the last `places` of them behind the point: zeros are put in front where
 * digits are missing and taken away where they are needless. No "-0". */
static enum decimal_status write_digits(struct arena *arena, bool negative, const char *digits,
                                        size_t count, size_t places, struct slice *number_out)
{
    size_t zeros = count <= places ? places + 1 - count : 0;
    size_t significant = 0, length = 0;
    char *text;

    for (size_t i = 0; i < count; i++)
        significant += digits[i] != '0';
    while (count > places + 1 && digits[0] == '0') {
        digits++;
        count--;
    }
    text = arena_new(arena, 1, zeros + count + 3);
    if (text == NULL)
        return DECIMAL_NO_MEMORY;
    if (negative && significant > 0)
        text[length++] = '-';
    for (size_t i = 0; i < zeros + count; i++) {
        if (places > 0 && zeros + count - i == places)
            text[length++] = '.';
        text[length++] = i < zeros ? '0' : digits[i - zeros];
    }
    *number_out = (struct slice){text, length};
    return DECIMAL_OK;
}

/* Adds one to a row of digits that has room for the carry. */
static void count_up(char *digits, size_t count)
{
    while (digits[count - 1] == '9')
        digits[--count] = '0';
    digits[count - 1]++;
}

enum decimal_status decimal_round(struct arena *arena, struct slice number, int places,
                                  struct slice *rounded_out)
{
    struct parts parts = parts_of(number);
    int64_t total = (int64_t)digit_count(&parts), point, kept, behind = places;
    char *digits;

    assert(places >= 0 && places <= DECIMAL_PLACES_MAX);
    if (parts.exponent > DECIMAL_EXPONENT_MAX || parts.exponent < -DECIMAL_EXPONENT_MAX)
        return DECIMAL_OVERFLOW;
    point = (int64_t)parts.integer.length + parts.exponent;
    kept = point + places;
    if (kept >= total && parts.exponent == 0) {
        *rounded_out = number;
        return DECIMAL_OK;
    }
    if (kept >= total) {
        kept = total > point ? total : point;
        behind = kept - point;
    }
    digits = arena_new(arena, 1, (size_t)(kept > 0 ? kept : 0) + 1);
    if (digits == NULL)
        return DECIMAL_NO_MEMORY;
    digits[0] = '0'; /* for the carry */
    for (int64_t i = 0; i < kept; i++)
        digits[i + 1] = digit_at(&parts, (size_t)i);
    if (kept >= 0 && digit_at(&parts, (size_t)kept) >= '5')
        count_up(digits, (size_t)kept + 1);
    return write_digits(arena, parts.negative, digits, (size_t)(kept > 0 ? kept : 0) + 1,
                        (size_t)behind, rounded_out);
}

/* units × 10^-scale, 0 ≤ scale ≤ SCALE_MAX */
struct scaled {
    int128 units;
    int64_t scale;
};

enum { SCALE_MAX = 38 };

static bool to_scaled(struct slice number, struct scaled *scaled_out)
{
    struct parts parts = parts_of(number);
    struct scaled scaled = {.scale = (int64_t)parts.fraction.length - parts.exponent};
    size_t count = digit_count(&parts);

    for (size_t i = 0; i < count; i++)
        if (__builtin_mul_overflow(scaled.units, 10, &scaled.units) ||
            __builtin_add_overflow(scaled.units, digit_at(&parts, i) - '0', &scaled.units))
            return false;
    if (scaled.units == 0 && (scaled.scale < 0 || scaled.scale > SCALE_MAX))
        scaled.scale = 0;
    for (; scaled.scale < 0; scaled.scale++)
        if (__builtin_mul_overflow(scaled.units, 10, &scaled.units))
            return false;
    for (; scaled.scale > SCALE_MAX && scaled.units % 10 == 0; scaled.scale--)
        scaled.units /= 10;
    if (parts.negative)
        scaled.units = -scaled.units;
    *scaled_out = scaled;
    return scaled.scale <= SCALE_MAX;
}

static bool raise_scale(struct scaled *scaled, int64_t scale)
{
    for (; scaled->scale < scale; scaled->scale++)
        if (__builtin_mul_overflow(scaled->units, 10, &scaled->units))
            return false;
    return true;
}

static bool calculate(enum decimal_operator symbol, struct scaled left, struct scaled right,
                      struct scaled *result_out)
{
    int64_t scale = left.scale > right.scale ? left.scale : right.scale;
    struct scaled result = {.scale = scale};
    bool overflow = false;

    if (symbol == DECIMAL_MULTIPLY) {
        overflow = __builtin_mul_overflow(left.units, right.units, &result.units);
        result.scale = left.scale + right.scale;
    } else {
        if (!raise_scale(&left, scale) || !raise_scale(&right, scale))
            return false;
        overflow = symbol == DECIMAL_ADD
                       ? __builtin_add_overflow(left.units, right.units, &result.units)
                       : __builtin_sub_overflow(left.units, right.units, &result.units);
    }
    for (; result.scale > scale && result.units % 10 == 0; result.scale--)
        result.units /= 10;
    *result_out = result;
    return !overflow;
}

enum decimal_status decimal_calculate(struct arena *arena, enum decimal_operator symbol,
                                      struct slice left, struct slice right,
                                      struct slice *result_out)
{
    struct scaled x, y, result;
    char digits[48]; /* 2^127 has 39 */
    size_t first = sizeof digits;
    bool negative;

    if (!to_scaled(left, &x) || !to_scaled(right, &y) || !calculate(symbol, x, y, &result))
        return DECIMAL_OVERFLOW;
    negative = result.units < 0;
    for (; result.units != 0; result.units /= 10) {
        int digit = (int)(result.units % 10);

        digits[--first] = (char)('0' + (digit < 0 ? -digit : digit));
    }
    return write_digits(arena, negative, digits + first, sizeof digits - first,
                        (size_t)result.scale, result_out);
}

bool decimal_to_int64(struct slice number, int64_t *value_out)
{
    struct scaled scaled;

    if (!to_scaled(number, &scaled))
        return false;
    for (; scaled.scale > 0 && scaled.units % 10 == 0; scaled.scale--)
        scaled.units /= 10;
    if (scaled.scale > 0 || scaled.units > INT64_MAX || scaled.units < INT64_MIN)
        return false;
    *value_out = (int64_t)scaled.units;
    return true;
}
