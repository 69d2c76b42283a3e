#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/base/rng.h"
#include "purser/core/backoff.h"

static int64_t cap_ms(uint32_t trouble, int64_t first_ms, int64_t max_ms)
{
    int64_t cap = first_ms;

    for (uint32_t i = 1; i < trouble; i++) {
        if (cap >= max_ms / 2 + 1)
            return max_ms;
        cap *= 2;
    }
    return cap < max_ms ? cap : max_ms;
}

static void a_delay_is_at_least_one_and_at_most_the_doubled_first(void **context)
{
    static const struct {
        int64_t first_ms, max_ms;
    } settings[] = {{1, 1}, {1, 1000}, {500, 60000}, {999, 1000}, {1000, INT64_MAX / 4}};
    struct rng rng;
    (void)context;

    rng_init(&rng, 1);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        for (uint32_t trouble = 1; trouble <= 80; trouble++) {
            int64_t cap = cap_ms(trouble, settings[i].first_ms, settings[i].max_ms);

            for (int draw = 0; draw < 50; draw++) {
                int64_t delay = backoff_delay_ms(trouble, settings[i].first_ms, settings[i].max_ms,
                                                 (uint32_t)rng_next(&rng));

                assert_true(delay >= 1 && delay <= cap);
            }
        }
    }
}

static void the_jitter_is_full_from_end_to_end(void **context)
{
    (void)context;
    assert_int_equal(backoff_delay_ms(3, 100, 10000, 0), 1);
    assert_int_equal(backoff_delay_ms(3, 100, 10000, UINT32_MAX), 400);
    assert_int_equal(backoff_delay_ms(99, 100, 10000, 0), 1);
    assert_int_equal(backoff_delay_ms(99, 100, 10000, UINT32_MAX), 10000);
}

static void all_parts_of_the_range_are_drawn_equally_often(void **context)
{
    uint32_t counts[10] = {0};
    struct rng rng;
    (void)context;

    rng_init(&rng, 2);
    for (int i = 0; i < 100000; i++)
        counts[(backoff_delay_ms(1, 1000, 1000, (uint32_t)rng_next(&rng)) - 1) / 100]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
}

static void any_number_of_troubles_gives_a_delay(void **context)
{
    (void)context;
    assert_int_equal(backoff_delay_ms(UINT32_MAX, 1, INT64_MAX / 4, 0), 1);
    assert_true(backoff_delay_ms(UINT32_MAX, 1, INT64_MAX / 4, UINT32_MAX) <= INT64_MAX / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delay_is_at_least_one_and_at_most_the_doubled_first),
        cmocka_unit_test(the_jitter_is_full_from_end_to_end),
        cmocka_unit_test(all_parts_of_the_range_are_drawn_equally_often),
        cmocka_unit_test(any_number_of_troubles_gives_a_delay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
