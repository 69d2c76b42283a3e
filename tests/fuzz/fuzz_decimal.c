/* Two numbers, one line each, and a byte in front for places and rounding. What is calculated is
 * held against itself (a sum less one part is the other part, a quotient times the divisor is the
 * dividend but for the rounding) and, where it fits, against 128-bit integers. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "purser/codec/decimal.h"

enum { ARENA_BYTES_MAX = 8 << 20, NUMBER_BYTES_MAX = 600 };

struct numbers {
    struct arena *arena;
    struct slice a, b;
    int places;
    enum decimal_rounding rounding;
};

static bool calculate(const struct numbers *numbers, enum decimal_operator symbol, struct slice a,
                      struct slice b, struct slice *out)
{
    enum decimal_status status = decimal_calculate(numbers->arena, symbol, a, b, out);

    LAW(status == DECIMAL_OK || status == DECIMAL_OVERFLOW || status == DECIMAL_NO_MEMORY);
    if (status == DECIMAL_OK)
        LAW(decimal_is_json(*out));
    return status == DECIMAL_OK;
}

static void check_sums(const struct numbers *numbers)
{
    struct slice sum, back, product, other;

    if (calculate(numbers, DECIMAL_ADD, numbers->a, numbers->b, &sum)) {
        LAW(calculate(numbers, DECIMAL_ADD, numbers->b, numbers->a, &other));
        LAW(decimal_compare(sum, other) == 0);
        if (calculate(numbers, DECIMAL_SUBTRACT, sum, numbers->b, &back))
            LAW(decimal_compare(back, numbers->a) == 0);
        if (calculate(numbers, DECIMAL_SUBTRACT, numbers->a, numbers->b, &back))
            LAW(decimal_compare(back, SLICE("0")) == decimal_compare(numbers->a, numbers->b));
    }
    if (calculate(numbers, DECIMAL_MULTIPLY, numbers->a, numbers->b, &product)) {
        LAW(calculate(numbers, DECIMAL_MULTIPLY, numbers->b, numbers->a, &other));
        LAW(decimal_compare(product, other) == 0);
        LAW(decimal_compare(product, SLICE("0")) ==
            decimal_compare(numbers->a, SLICE("0")) * decimal_compare(numbers->b, SLICE("0")));
    }
}

/* |error| against one unit of the last place, twice it for the half: -1, 0, 1. */
static void check_error(const struct numbers *numbers, struct slice exact, struct slice rounded)
{
    char unit_text[16];
    struct slice error, doubled, unit;
    int sign;

    if (!calculate(numbers, DECIMAL_SUBTRACT, rounded, exact, &error))
        return;
    unit = (struct slice){unit_text,
                          (size_t)snprintf(unit_text, sizeof unit_text, "1e-%d", numbers->places)};
    sign = decimal_compare(error, SLICE("0"));
    if (sign < 0 && !calculate(numbers, DECIMAL_SUBTRACT, SLICE("0"), error, &error))
        return;
    LAW(decimal_compare(error, unit) < 0);
    switch (numbers->rounding) {
    case DECIMAL_HALF_UP:
    case DECIMAL_HALF_EVEN:
        if (calculate(numbers, DECIMAL_ADD, error, error, &doubled))
            LAW(decimal_compare(doubled, unit) <= 0);
        break;
    case DECIMAL_DOWN:
        LAW(sign == 0 || sign == -decimal_compare(exact, SLICE("0")));
        break;
    case DECIMAL_UP:
        LAW(sign == 0 || sign == decimal_compare(exact, SLICE("0")));
        break;
    case DECIMAL_FLOOR:
        LAW(sign <= 0);
        break;
    case DECIMAL_CEILING:
        LAW(sign >= 0);
        break;
    }
}

static void check_rounding(const struct numbers *numbers)
{
    struct slice rounded, again;
    enum decimal_status status =
        decimal_round(numbers->arena, numbers->a, numbers->places, numbers->rounding, &rounded);
    const char *point;

    LAW(status == DECIMAL_OK || status == DECIMAL_OVERFLOW || status == DECIMAL_NO_MEMORY);
    if (status != DECIMAL_OK)
        return;
    LAW(decimal_is_json(rounded));
    point = memchr(rounded.bytes, '.', rounded.length);
    LAW(point == NULL ? numbers->places == 0
                      : rounded.bytes + rounded.length - point - 1 == numbers->places);
    check_error(numbers, numbers->a, rounded);
    if (decimal_round(numbers->arena, rounded, numbers->places, numbers->rounding, &again) ==
        DECIMAL_OK)
        LAW(slice_equal(rounded, again));
}

/* Rounding is of the quotient: what is left of the dividend is less than the divisor's unit. */
static void check_quotient(const struct numbers *numbers)
{
    char unit_text[16];
    struct slice quotient, back, left, unit, bound;
    enum decimal_status status = decimal_divide(numbers->arena, numbers->a, numbers->b,
                                                numbers->places, numbers->rounding, &quotient);

    if (status == DECIMAL_OK || status == DECIMAL_DIVISION_BY_ZERO)
        LAW((status == DECIMAL_OK) == (decimal_compare(numbers->b, SLICE("0")) != 0));
    if (status != DECIMAL_OK ||
        !calculate(numbers, DECIMAL_MULTIPLY, quotient, numbers->b, &back) ||
        !calculate(numbers, DECIMAL_SUBTRACT, numbers->a, back, &left))
        return;
    unit = (struct slice){unit_text,
                          (size_t)snprintf(unit_text, sizeof unit_text, "1e-%d", numbers->places)};
    if (!calculate(numbers, DECIMAL_MULTIPLY, numbers->b, unit, &bound))
        return;
    if ((decimal_compare(left, SLICE("0")) < 0 &&
         !calculate(numbers, DECIMAL_SUBTRACT, SLICE("0"), left, &left)) ||
        (decimal_compare(bound, SLICE("0")) < 0 &&
         !calculate(numbers, DECIMAL_SUBTRACT, SLICE("0"), bound, &bound)))
        return;
    LAW(decimal_compare(left, bound) < 0);
}

static void check_whole(const struct numbers *numbers)
{
    int64_t a, b;
    struct slice sum, product;
    char text[64];

    if (!decimal_to_int64(numbers->a, &a) || !decimal_to_int64(numbers->b, &b))
        return;
    LAW(decimal_is_whole(numbers->a));
    LAW(decimal_compare(numbers->a, numbers->b) == (a > b) - (a < b));
    if (a > INT32_MAX || a < INT32_MIN || b > INT32_MAX || b < INT32_MIN)
        return;
    /* Of 1.000…0 and of 0e-38 the digits behind the point count. */
    if (numbers->a.length + numbers->b.length > 30 ||
        memchr(numbers->a.bytes, 'e', numbers->a.length) != NULL ||
        memchr(numbers->b.bytes, 'e', numbers->b.length) != NULL ||
        memchr(numbers->a.bytes, 'E', numbers->a.length) != NULL ||
        memchr(numbers->b.bytes, 'E', numbers->b.length) != NULL)
        return;
    LAW(calculate(numbers, DECIMAL_ADD, numbers->a, numbers->b, &sum));
    (void)snprintf(text, sizeof text, "%lld", (long long)(a + b));
    LAW(decimal_compare(sum, slice_of(text)) == 0);
    LAW(calculate(numbers, DECIMAL_MULTIPLY, numbers->a, numbers->b, &product));
    (void)snprintf(text, sizeof text, "%lld", (long long)(a * b));
    LAW(decimal_compare(product, slice_of(text)) == 0);
}

static bool take_number(struct arena *arena, struct slice *input, struct slice *number_out)
{
    const char *line = memchr(input->bytes, '\n', input->length);
    struct slice text = *input;

    if (line != NULL)
        text.length = (size_t)(line - input->bytes);
    input->bytes += text.length + (line != NULL);
    input->length -= text.length + (line != NULL);
    *number_out = text;
    if (decimal_is_json(text))
        return true;
    return decimal_from_text(arena, text, number_out) && number_out->bytes != NULL &&
           decimal_is_json(*number_out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct slice input = {(const char *)bytes + 1, length - 1};
    struct numbers numbers;
    struct arena arena;

    if (length < 2 || length > NUMBER_BYTES_MAX)
        return 0;
    arena_init(&arena, ARENA_BYTES_MAX);
    numbers = (struct numbers){.arena = &arena,
                               .places = bytes[0] % (DECIMAL_PLACES_MAX + 1),
                               .rounding = (enum decimal_rounding)(bytes[0] / 31 % 6)};
    if (take_number(&arena, &input, &numbers.a) && take_number(&arena, &input, &numbers.b)) {
        LAW(decimal_compare(numbers.a, numbers.b) == -decimal_compare(numbers.b, numbers.a));
        check_sums(&numbers);
        check_rounding(&numbers);
        check_quotient(&numbers);
        check_whole(&numbers);
    }
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
