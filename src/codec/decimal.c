#include "purser/codec/decimal.h"

#include <assert.h>
#include <string.h>

#include "decimal_parts.h"

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
static bool take_apart(struct slice text, struct decimal_parts *parts_out)
{
    struct decimal_parts parts = {0};
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
    struct decimal_parts parts;

    if (!take_apart(text, &parts) || text.bytes[0] == '+' || parts.integer.length == 0)
        return false;
    if (parts.integer.length > 1 && parts.integer.bytes[0] == '0')
        return false;
    return parts.fraction.length > 0 || memchr(text.bytes, '.', text.length) == NULL;
}

size_t decimal_digit_count(const struct decimal_parts *parts)
{
    return parts->integer.length + parts->fraction.length;
}

char decimal_digit_at(const struct decimal_parts *parts, size_t i)
{
    if (i < parts->integer.length)
        return parts->integer.bytes[i];
    i -= parts->integer.length;
    return i < parts->fraction.length ? parts->fraction.bytes[i] : '0';
}

static size_t leading_zeros(const struct decimal_parts *parts)
{
    size_t count = decimal_digit_count(parts), i = 0;

    while (i < count && decimal_digit_at(parts, i) == '0')
        i++;
    return i;
}

struct decimal_parts decimal_take_apart(struct slice number)
{
    struct decimal_parts parts;
    bool is_number = take_apart(number, &parts);

    assert(is_number);
    return parts;
}

bool decimal_is_whole(struct slice number)
{
    struct decimal_parts parts = decimal_take_apart(number);
    size_t used = decimal_digit_count(&parts);

    while (used > 0 && decimal_digit_at(&parts, used - 1) == '0')
        used--;
    return used == 0 || (int64_t)used <= (int64_t)parts.integer.length + parts.exponent;
}

int decimal_compare(struct slice a, struct slice b)
{
    struct decimal_parts x = decimal_take_apart(a), y = decimal_take_apart(b);
    size_t x_first = leading_zeros(&x), y_first = leading_zeros(&y);
    size_t x_left = decimal_digit_count(&x) - x_first, y_left = decimal_digit_count(&y) - y_first;
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
        char x_digit = decimal_digit_at(&x, x_first + i),
             y_digit = decimal_digit_at(&y, y_first + i);

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
    struct decimal_parts parts;
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

enum decimal_status decimal_write(struct arena *arena, bool negative, const char *digits,
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

bool decimal_rounding_find(struct slice name, enum decimal_rounding *rounding_out)
{
    static const char *const names[] = {
        [DECIMAL_HALF_UP] = "half_up", [DECIMAL_HALF_EVEN] = "half_even",
        [DECIMAL_DOWN] = "down",       [DECIMAL_UP] = "up",
        [DECIMAL_FLOOR] = "floor",     [DECIMAL_CEILING] = "ceiling",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(name, names[i])) {
            *rounding_out = (enum decimal_rounding)i;
            return true;
        }
    return false;
}

enum decimal_rest decimal_rest_of(unsigned digit, enum decimal_rest rest)
{
    if (digit == 0 && rest == REST_NOTHING)
        return REST_NOTHING;
    if (digit == 5 && rest == REST_NOTHING)
        return REST_HALF;
    return digit < 5 ? REST_BELOW_HALF : REST_ABOVE_HALF;
}

bool decimal_rounds_away(enum decimal_rounding rounding, bool negative, bool is_odd,
                         enum decimal_rest rest)
{
    switch (rounding) {
    case DECIMAL_HALF_UP:
        return rest >= REST_HALF;
    case DECIMAL_HALF_EVEN:
        return rest == REST_ABOVE_HALF || (rest == REST_HALF && is_odd);
    case DECIMAL_DOWN:
        return false;
    case DECIMAL_UP:
        return rest != REST_NOTHING;
    case DECIMAL_FLOOR:
        return negative && rest != REST_NOTHING;
    case DECIMAL_CEILING:
        return !negative && rest != REST_NOTHING;
    }
    return false;
}

/* What lies behind the first `kept` digits; a negative `kept` puts zeros in front of them. */
static enum decimal_rest rest_behind(const struct decimal_parts *parts, int64_t kept)
{
    int64_t total = (int64_t)decimal_digit_count(parts);
    bool is_zero = true;

    for (int64_t i = kept < 0 ? 0 : kept + 1; i < total && is_zero; i++)
        is_zero = decimal_digit_at(parts, (size_t)i) == '0';
    return decimal_rest_of(kept < 0 ? 0 : (unsigned)(decimal_digit_at(parts, (size_t)kept) - '0'),
                           is_zero ? REST_NOTHING : REST_BELOW_HALF);
}

/* Adds one to a row of digits that has room for the carry. */
static void count_up(char *digits, size_t count)
{
    while (digits[count - 1] == '9')
        digits[--count] = '0';
    digits[count - 1]++;
}

enum decimal_status decimal_round(struct arena *arena, struct slice number, int places,
                                  enum decimal_rounding rounding, struct slice *rounded_out)
{
    struct decimal_parts parts = decimal_take_apart(number);
    int64_t kept = (int64_t)parts.integer.length + parts.exponent + places;
    size_t count = (size_t)(kept > 0 ? kept : 0) + 1;
    char *digits;

    assert(places >= 0 && places <= DECIMAL_PLACES_MAX);
    if (parts.exponent > DECIMAL_EXPONENT_MAX || parts.exponent < -DECIMAL_EXPONENT_MAX)
        return DECIMAL_OVERFLOW;
    /* As it is written, if it is written so: without a sign or an exponent, which may be e0. */
    if (parts.fraction.length == (size_t)places &&
        number.length == parts.integer.length + parts.fraction.length + (places > 0)) {
        *rounded_out = number;
        return DECIMAL_OK;
    }
    digits = arena_new(arena, 1, count);
    if (digits == NULL)
        return DECIMAL_NO_MEMORY;
    digits[0] = '0'; /* for the carry */
    for (size_t i = 1; i < count; i++)
        digits[i] = decimal_digit_at(&parts, i - 1);
    if (decimal_rounds_away(rounding, parts.negative, (digits[count - 1] & 1) != 0,
                            rest_behind(&parts, kept)))
        count_up(digits, count);
    return decimal_write(arena, parts.negative, digits, count, (size_t)places, rounded_out);
}
