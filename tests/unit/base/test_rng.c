#include "purser/base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Source: the reference code at prng.di.unimi.it (xoshiro256starstar.c, splitmix64.c), seed 0. */
static void numbers_are_those_of_the_reference(void **state)
{
    struct rng rng;

    (void)state;
    rng_init(&rng, 0);
    assert_true(rng.state[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(rng.state[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(rng_next(&rng) == UINT64_C(0x99ec5f36cb75f2b4));
    assert_true(rng_next(&rng) == UINT64_C(0xbf6e1f784956452a));
}

static void same_seed_gives_the_same_numbers_and_another_others(void **state)
{
    struct rng a, b, c;

    (void)state;
    rng_init(&a, 42);
    rng_init(&b, 42);
    rng_init(&c, 43);
    for (int i = 0; i < 100; i++) {
        uint64_t number = rng_next(&a);

        assert_true(number == rng_next(&b));
        assert_true(number != rng_next(&c));
    }
}

static void bounded_numbers_stay_below_and_reach_every_value(void **state)
{
    unsigned seen[7] = {0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 7);
    for (int i = 0; i < 7000; i++) {
        uint64_t number = rng_below(&rng, 7);

        assert_true(number < 7);
        seen[number]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(rng_below(&rng, 1), 0);
        assert_true(rng_below(&rng, UINT64_C(3) << 62) < UINT64_C(3) << 62);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_reference),
        cmocka_unit_test(same_seed_gives_the_same_numbers_and_another_others),
        cmocka_unit_test(bounded_numbers_stay_below_and_reach_every_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
