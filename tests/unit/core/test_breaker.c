#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/core/breaker.h"

static void answer_many(struct breaker *breaker, int count, bool trouble, int64_t now_ms)
{
    for (int i = 0; i < count; i++)
        breaker_answered(breaker, trouble, false, now_ms, 0);
}

static bool may_go(const struct breaker *breaker, int64_t now_ms)
{
    return breaker_ready_at_ms(breaker, now_ms) <= now_ms;
}

static struct breaker open_breaker(int64_t now_ms)
{
    struct breaker breaker;

    breaker_init(&breaker);
    answer_many(&breaker, 20, true, now_ms);
    assert_false(may_go(&breaker, now_ms));
    return breaker;
}

static void little_trouble_changes_nothing(void **context)
{
    struct breaker breaker;
    (void)context;

    breaker_init(&breaker);
    answer_many(&breaker, 19, true, 1000);
    assert_true(may_go(&breaker, 1000));
    breaker_init(&breaker);
    for (int i = 0; i < 500; i++) {
        answer_many(&breaker, 2, false, 1000 + i);
        answer_many(&breaker, 1, true, 1000 + i);
        assert_true(may_go(&breaker, 1000 + i));
    }
}

static void it_opens_at_the_half_of_twenty(void **context)
{
    struct breaker breaker;
    (void)context;

    breaker_init(&breaker);
    answer_many(&breaker, 10, false, 1000);
    answer_many(&breaker, 9, true, 1000);
    assert_true(may_go(&breaker, 1000));
    answer_many(&breaker, 1, true, 1000);
    assert_false(may_go(&breaker, 1000));
}

static void old_trouble_is_forgotten(void **context)
{
    struct breaker breaker;
    (void)context;

    breaker_init(&breaker);
    answer_many(&breaker, 19, true, 1000);
    answer_many(&breaker, 1, true, 1000 + 36 * 1000);
    assert_true(may_go(&breaker, 1000 + 36 * 1000));
}

static void an_open_one_lets_one_probe_through(void **context)
{
    struct breaker breaker = open_breaker(1000);
    int64_t at_ms = breaker_ready_at_ms(&breaker, 1000);
    (void)context;

    assert_true(at_ms >= 1500 && at_ms <= 2000);
    assert_true(breaker_take(&breaker, at_ms));
    assert_int_equal(INT64_MAX, breaker_ready_at_ms(&breaker, at_ms + 100000));
}

static void a_probe_that_went_well_closes_it(void **context)
{
    struct breaker breaker = open_breaker(1000);
    int64_t at_ms = breaker_ready_at_ms(&breaker, 1000);
    (void)context;

    (void)breaker_take(&breaker, at_ms);
    breaker_answered(&breaker, false, true, at_ms, 0);
    assert_true(may_go(&breaker, at_ms));
    assert_false(breaker_take(&breaker, at_ms));
    answer_many(&breaker, 19, true, at_ms); /* the count begins anew */
    assert_true(may_go(&breaker, at_ms));
}

static void failed_probes_wait_longer_up_to_a_minute(void **context)
{
    struct breaker breaker = open_breaker(1000);
    int64_t now_ms = 1000, last_ms = 0;
    (void)context;

    for (int i = 0; i < 20; i++) {
        int64_t at_ms = breaker_ready_at_ms(&breaker, now_ms);

        assert_true(at_ms - now_ms >= last_ms && at_ms - now_ms <= 60000);
        last_ms = at_ms - now_ms;
        now_ms = at_ms;
        assert_true(breaker_take(&breaker, now_ms));
        breaker_answered(&breaker, true, true, now_ms, 0);
    }
    assert_true(last_ms >= 30000);
}

static void late_trouble_does_not_count_as_the_probe(void **context)
{
    struct breaker breaker = open_breaker(1000);
    int64_t at_ms = breaker_ready_at_ms(&breaker, 1000);
    (void)context;

    answer_many(&breaker, 10, true, 1100);
    assert_int_equal(at_ms, breaker_ready_at_ms(&breaker, 1100));
    (void)breaker_take(&breaker, at_ms);
    answer_many(&breaker, 10, true, at_ms);
    assert_int_equal(INT64_MAX, breaker_ready_at_ms(&breaker, at_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_trouble_changes_nothing),
        cmocka_unit_test(it_opens_at_the_half_of_twenty),
        cmocka_unit_test(old_trouble_is_forgotten),
        cmocka_unit_test(an_open_one_lets_one_probe_through),
        cmocka_unit_test(a_probe_that_went_well_closes_it),
        cmocka_unit_test(failed_probes_wait_longer_up_to_a_minute),
        cmocka_unit_test(late_trouble_does_not_count_as_the_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
