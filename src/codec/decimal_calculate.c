/* Arithmetic on 128 bits: exact, or it says that it cannot be. */
#include <assert.h>

#include "decimal_parts.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* units × 10^-scale, 0 ≤ scale ≤ SCALE_MAX */
struct scaled {
    int128 units;
    int64_t scale;
};

enum { SCALE_MAX = 38 };

static bool to_scaled(struct slice number, struct scaled *scaled_out)
{
    struct decimal_parts parts = decimal_take_apart(number);
    struct scaled scaled = {.scale = (int64_t)parts.fraction.length - parts.exponent};
    size_t count = decimal_digit_count(&parts);

    for (size_t i = 0; i < count; i++)
        if (__builtin_mul_overflow(scaled.units, 10, &scaled.units) ||
            __builtin_add_overflow(scaled.units, decimal_digit_at(&parts, i) - '0', &scaled.units))
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

static enum decimal_status write_scaled(struct arena *arena, struct scaled number,
                                        struct slice *number_out)
{
    char digits[48]; /* 2^127 has 39 */
    size_t first = sizeof digits;
    bool negative = number.units < 0;

    for (; number.units != 0; number.units /= 10) {
        int digit = (int)(number.units % 10);

        digits[--first] = (char)('0' + (digit < 0 ? -digit : digit));
    }
    return decimal_write(arena, negative, digits + first, sizeof digits - first,
                         (size_t)number.scale, number_out);
}

enum decimal_status decimal_calculate(struct arena *arena, enum decimal_operator symbol,
                                      struct slice left, struct slice right,
                                      struct slice *result_out)
{
    struct scaled x, y, result;

    if (!to_scaled(left, &x) || !to_scaled(right, &y) || !calculate(symbol, x, y, &result))
        return DECIMAL_OVERFLOW;
    return write_scaled(arena, result, result_out);
}

static uint128 magnitude(int128 units)
{
    return units < 0 ? -(uint128)units : (uint128)units;
}

/* Takes `divisor` out of *rest once if it is in there. */
static unsigned take_out(uint128 *rest, uint128 divisor)
{
    if (*rest < divisor)
        return 0;
    *rest -= divisor;
    return 1;
}

/* The next digit of a long division: 10 × *rest / divisor; *rest becomes what is left. By doubling,
 * because ten times a rest below 2^127 does not fit. */
static unsigned next_digit(uint128 *rest, uint128 divisor)
{
    uint128 once = *rest, sum = once * 2;
    unsigned digit = take_out(&sum, divisor);

    sum *= 2;
    digit = digit * 2 + take_out(&sum, divisor);
    sum += once; /* 5 */
    digit += take_out(&sum, divisor);
    sum *= 2;
    digit = digit * 2 + take_out(&sum, divisor);
    *rest = sum;
    return digit;
}

/* False when the quotient does not fit. */
static bool divide(struct scaled x, struct scaled y, int places, enum decimal_rounding rounding,
                   struct scaled *quotient_out)
{
    uint128 divisor = magnitude(y.units), units = magnitude(x.units) / divisor;
    uint128 left = magnitude(x.units) % divisor;
    bool negative = (x.units < 0) != (y.units < 0);
    int64_t digits_due = places + y.scale - x.scale;
    enum decimal_rest rest;

    for (; digits_due > 0; digits_due--)
        if (__builtin_mul_overflow(units, 10, &units) ||
            __builtin_add_overflow(units, next_digit(&left, divisor), &units))
            return false;
    rest = left == 0                ? REST_NOTHING
           : left < divisor - left  ? REST_BELOW_HALF
           : left == divisor - left ? REST_HALF
                                    : REST_ABOVE_HALF;
    for (; digits_due < 0; digits_due++, units /= 10)
        rest = decimal_rest_of((unsigned)(units % 10), rest);
    if (decimal_rounds_away(rounding, negative, (units & 1) != 0, rest))
        units++;
    if (units > (uint128)-1 >> 1)
        return false;
    *quotient_out = (struct scaled){negative ? -(int128)units : (int128)units, places};
    return true;
}

enum decimal_status decimal_divide(struct arena *arena, struct slice dividend, struct slice divisor,
                                   int places, enum decimal_rounding rounding,
                                   struct slice *quotient_out)
{
    struct scaled x, y, quotient;

    assert(places >= 0 && places <= DECIMAL_PLACES_MAX);
    if (!to_scaled(dividend, &x) || !to_scaled(divisor, &y))
        return DECIMAL_OVERFLOW;
    if (y.units == 0)
        return DECIMAL_DIVISION_BY_ZERO;
    if (!divide(x, y, places, rounding, &quotient))
        return DECIMAL_OVERFLOW;
    return write_scaled(arena, quotient, quotient_out);
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
