#include "purser/codec/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/rng.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 24);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* A number of at most eight digits on each side of the point, now and then with an exponent. */
static struct slice any_number(struct rng *rng)
{
    char text[64];
    int length =
        snprintf(text, sizeof text, "%s%llu", rng_below(rng, 2) == 0 ? "-" : "",
                 (unsigned long long)rng_below(rng, rng_below(rng, 2) == 0 ? 20 : 100000000));

    if (rng_below(rng, 3) > 0)
        length += snprintf(text + length, sizeof text - (size_t)length, ".%0*llu",
                           (int)rng_below(rng, 5) + 1, (unsigned long long)rng_below(rng, 100));
    if (rng_below(rng, 5) == 0)
        length += snprintf(text + length, sizeof text - (size_t)length, "e%d",
                           (int)rng_below(rng, 9) - 4);
    return (struct slice){arena_copy_text(&arena, text, (size_t)length), (size_t)length};
}

static struct slice calculate(enum decimal_operator symbol, struct slice a, struct slice b)
{
    struct slice result = {0};

    assert_int_equal(decimal_calculate(&arena, symbol, a, b, &result), DECIMAL_OK);
    assert_true(decimal_is_json(result));
    return result;
}

static void laws_of_arithmetic_hold(void **state)
{
    struct rng rng;

    (void)state;
    rng_init(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        struct slice a = any_number(&rng), b = any_number(&rng), c = any_number(&rng);
        struct slice sum = calculate(DECIMAL_ADD, a, b), product;
        int order = decimal_compare(a, b);

        assert_int_equal(order, -decimal_compare(b, a));
        assert_int_equal(order, decimal_compare(calculate(DECIMAL_SUBTRACT, a, b), SLICE("0")));
        assert_int_equal(decimal_compare(sum, calculate(DECIMAL_ADD, b, a)), 0);
        assert_int_equal(decimal_compare(calculate(DECIMAL_SUBTRACT, sum, b), a), 0);
        product = calculate(DECIMAL_MULTIPLY, sum, c);
        assert_int_equal(
            decimal_compare(product, calculate(DECIMAL_ADD, calculate(DECIMAL_MULTIPLY, a, c),
                                               calculate(DECIMAL_MULTIPLY, c, b))),
            0);
        arena_clear(&arena);
    }
}

static void rounding_moves_by_half_a_unit_at_most(void **state)
{
    static const char *const halves[] = {"0.5", "0.05", "0.005"};
    struct rng rng;

    (void)state;
    rng_init(&rng, 2);
    for (int i = 0; i < 20000; i++) {
        struct slice a = any_number(&rng), rounded, again, moved;
        int places = (int)rng_below(&rng, 3);

        assert_int_equal(decimal_round(&arena, a, places, DECIMAL_HALF_UP, &rounded), DECIMAL_OK);
        assert_true(decimal_is_json(rounded));
        moved = calculate(DECIMAL_SUBTRACT, rounded, a);
        if (moved.bytes[0] == '-')
            moved = (struct slice){moved.bytes + 1, moved.length - 1};
        assert_true(decimal_compare(moved, slice_of(halves[places])) <= 0);
        assert_int_equal(decimal_round(&arena, rounded, places, DECIMAL_HALF_UP, &again),
                         DECIMAL_OK);
        assert_true(slice_equal(again, rounded));
        arena_clear(&arena);
    }
}

static const enum decimal_rounding roundings[] = {
    DECIMAL_HALF_UP, DECIMAL_HALF_EVEN, DECIMAL_DOWN, DECIMAL_UP, DECIMAL_FLOOR, DECIMAL_CEILING};

enum { ROUNDING_COUNT = sizeof roundings / sizeof *roundings };

static void each_rounding_is_what_its_name_says(void **state)
{
    static const struct {
        const char *number, *rounded[ROUNDING_COUNT];
    } cases[] = {
        {"2.5", {"3", "2", "2", "3", "2", "3"}},        {"3.5", {"4", "4", "3", "4", "3", "4"}},
        {"-2.5", {"-3", "-2", "-2", "-3", "-3", "-2"}}, {"2.51", {"3", "3", "2", "3", "2", "3"}},
        {"2.49", {"2", "2", "2", "3", "2", "3"}},       {"2", {"2", "2", "2", "2", "2", "2"}},
        {"-0.4", {"0", "0", "0", "-1", "-1", "0"}},     {"5e-400", {"0", "0", "0", "1", "0", "1"}},
        {"0.5", {"1", "0", "0", "1", "0", "1"}},        {"-0.00", {"0", "0", "0", "0", "0", "0"}},
    };
    struct slice rounded, quotient;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t j = 0; j < ROUNDING_COUNT; j++) {
            struct slice number = slice_of(cases[i].number);

            assert_int_equal(decimal_round(&arena, number, 0, roundings[j], &rounded), DECIMAL_OK);
            if (!slice_is(rounded, cases[i].rounded[j]))
                fail_msg("%s by %zu: %.*s", cases[i].number, j, (int)rounded.length, rounded.bytes);
            if (number.length > 5) /* too small to divide */
                continue;
            assert_int_equal(
                decimal_divide(&arena, number, SLICE("1.0"), 0, roundings[j], &quotient),
                DECIMAL_OK);
            assert_true(slice_equal(rounded, quotient));
        }
}

/* a / b rounded down to n places is the largest multiple of 10^-n whose product with b is not
 * beyond a; the other roundings give it or the next one. */
static void quotients_are_exact_to_their_last_digit(void **state)
{
    static const char *const units[] = {"1", "0.1", "0.01", "0.001"};
    struct rng rng;

    (void)state;
    rng_init(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        struct slice a = any_number(&rng), b = any_number(&rng), down, left, next;
        int places = (int)rng_below(&rng, 4);
        bool is_less;

        if (decimal_compare(b, SLICE("0")) == 0)
            continue;
        a.length -= a.bytes[0] == '-', a.bytes += a.bytes[0] == '-';
        b.length -= b.bytes[0] == '-', b.bytes += b.bytes[0] == '-';
        assert_int_equal(decimal_divide(&arena, a, b, places, DECIMAL_DOWN, &down), DECIMAL_OK);
        left = calculate(DECIMAL_SUBTRACT, a, calculate(DECIMAL_MULTIPLY, down, b));
        next = calculate(DECIMAL_MULTIPLY, b, slice_of(units[places]));
        assert_true(decimal_compare(left, SLICE("0")) >= 0);
        assert_true(decimal_compare(left, next) < 0);
        is_less = decimal_compare(calculate(DECIMAL_ADD, left, left), next) < 0;
        assert_int_equal(decimal_divide(&arena, a, b, places, DECIMAL_HALF_UP, &left), DECIMAL_OK);
        assert_int_equal(decimal_compare(left, down) == 0, is_less);
        arena_clear(&arena);
    }
}

static void quotients_use_all_digits_that_there_are(void **state)
{
    static const struct {
        const char *dividend, *divisor;
        int places;
        const char *quotient; /* NULL: more than fit */
    } cases[] = {
        {"1", "3", 30, "0.333333333333333333333333333333"},
        {"170141183460469231731687303715884105727", "1", 0,
         "170141183460469231731687303715884105727"},
        {"170141183460469231731687303715884105726", "170141183460469231731687303715884105727", 30,
         "1.000000000000000000000000000000"},
        {"85070591730234615865843651857942052863", "170141183460469231731687303715884105727", 2,
         "0.50"},
        {"170141183460469231731687303715884105727", "1e-1", 0, NULL},
        {"1e38", "1e-38", 0, NULL},
        {"1e-38", "1e38", 2, "0.00"},
        {"1e39", "1", 0, NULL},
        {"1", "1e39", 0, NULL},
        {"1.00000000000000000000000000000000000001", "2", 2, "0.50"},
        {"1.00000000000000000000000000000000000001", "2e-2", 0, "50"},
        {"-0", "5", 2, "0.00"},
    };
    struct slice quotient;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum decimal_status status =
            decimal_divide(&arena, slice_of(cases[i].dividend), slice_of(cases[i].divisor),
                           cases[i].places, DECIMAL_HALF_UP, &quotient);

        assert_int_equal(status, cases[i].quotient != NULL ? DECIMAL_OK : DECIMAL_OVERFLOW);
        if (status == DECIMAL_OK && !slice_is(quotient, cases[i].quotient))
            fail_msg("%s / %s: %.*s", cases[i].dividend, cases[i].divisor, (int)quotient.length,
                     quotient.bytes);
    }
    assert_int_equal(
        decimal_divide(&arena, SLICE("1"), SLICE("-0.0"), 0, DECIMAL_HALF_UP, &quotient),
        DECIMAL_DIVISION_BY_ZERO);
}

static void only_numbers_as_json_writes_them_are_json(void **state)
{
    static const char *const numbers[] = {"0", "-0", "10", "0.50", "1e5", "1E+5", "-1.5e-3"};
    static const char *const others[] = {"",    "-",    "+1",  "01",  "-01",  ".5",
                                         "1.",  "1.e3", "1e",  "1e+", "1 ",   " 1",
                                         "0x1", "1a",   "NaN", "--1", "1.2.3"};

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(decimal_is_json(slice_of(numbers[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (decimal_is_json(slice_of(others[i])))
            fail_msg("'%s'", others[i]);
}

static void whole_numbers_are_read_however_they_are_written(void **state)
{
    int64_t number = 0;

    (void)state;
    assert_true(decimal_to_int64(SLICE("9223372036854775807"), &number));
    assert_true(number == INT64_MAX);
    assert_true(decimal_to_int64(SLICE("-9223372036854775808"), &number));
    assert_true(number == INT64_MIN);
    assert_false(decimal_to_int64(SLICE("9223372036854775808"), &number));
    assert_false(decimal_to_int64(SLICE("-9223372036854775809"), &number));
    assert_true(decimal_to_int64(SLICE("12.00"), &number));
    assert_int_equal(number, 12);
    assert_true(decimal_to_int64(SLICE("1.2e3"), &number));
    assert_int_equal(number, 1200);
    assert_false(decimal_to_int64(SLICE("1.5"), &number));
    assert_false(decimal_to_int64(SLICE("1e40"), &number));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void a_number_is_whole_by_its_worth(void **state)
{
    static const char *const whole[] = {"0",     "-0.0", "12",     "1.0",  "1.50e1",
                                        "1e400", "0e-9", "100e-2", "-7.0", "0.00"};
    static const char *const others[] = {"0.5", "1.01", "1.55e1", "1e-1", "100e-3", "-0.1"};

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (!decimal_is_whole(slice_of(whole[i])))
            fail_msg("%s", whole[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (decimal_is_whole(slice_of(others[i])))
            fail_msg("%s", others[i]);
}

static void places_and_powers_of_ten_have_a_maximum(void **state)
{
    struct slice rounded;

    (void)state;
    assert_int_equal(
        decimal_round(&arena, SLICE("0.5"), DECIMAL_PLACES_MAX, DECIMAL_DOWN, &rounded),
        DECIMAL_OK);
    assert_int_equal(rounded.length, 2 + DECIMAL_PLACES_MAX);
    assert_int_equal(decimal_round(&arena, SLICE("1e400"), 0, DECIMAL_DOWN, &rounded), DECIMAL_OK);
    assert_int_equal(rounded.length, 1 + DECIMAL_EXPONENT_MAX);
    assert_int_equal(decimal_round(&arena, SLICE("1e401"), 0, DECIMAL_DOWN, &rounded),
                     DECIMAL_OVERFLOW);
    assert_int_equal(decimal_round(&arena, SLICE("1e-401"), 0, DECIMAL_DOWN, &rounded),
                     DECIMAL_OVERFLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(laws_of_arithmetic_hold),
        TEST(rounding_moves_by_half_a_unit_at_most),
        TEST(each_rounding_is_what_its_name_says),
        TEST(quotients_are_exact_to_their_last_digit),
        TEST(quotients_use_all_digits_that_there_are),
        TEST(only_numbers_as_json_writes_them_are_json),
        TEST(whole_numbers_are_read_however_they_are_written),
        TEST(a_number_is_whole_by_its_worth),
        TEST(places_and_powers_of_ten_have_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
