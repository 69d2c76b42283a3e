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

        assert_int_equal(decimal_round(&arena, a, places, &rounded), DECIMAL_OK);
        assert_true(decimal_is_json(rounded));
        moved = calculate(DECIMAL_SUBTRACT, rounded, a);
        if (moved.bytes[0] == '-')
            moved = (struct slice){moved.bytes + 1, moved.length - 1};
        assert_true(decimal_compare(moved, slice_of(halves[places])) <= 0);
        assert_int_equal(decimal_round(&arena, rounded, places, &again), DECIMAL_OK);
        assert_true(slice_equal(again, rounded));
        arena_clear(&arena);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(laws_of_arithmetic_hold),
        TEST(rounding_moves_by_half_a_unit_at_most),
        TEST(only_numbers_as_json_writes_them_are_json),
        TEST(whole_numbers_are_read_however_they_are_written),
        TEST(a_number_is_whole_by_its_worth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
