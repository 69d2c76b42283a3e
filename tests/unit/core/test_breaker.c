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

    for (int i = 0; i < 200; i++) {
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

static void trouble_counts_for_thirty_seconds_in_spans_of_five(void **context)
{
    static const struct {
        int64_t first_ms, second_ms;
        bool opens;
    } cases[] = {{0, 29999, true},     {4999, 29999, true},  {4999, 30000, false},
                 {5000, 34999, true},  {5000, 35000, false}, {5000, 9999, true},
                 {9999, 10000, true},  {1000, 36000, false}, {1000, 1000000, false},
                 {29999, 30000, true}, {30000, 59999, true}, {29999, 60000, false}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct breaker breaker;

        breaker_init(&breaker);
        answer_many(&breaker, 10, true, cases[i].first_ms);
        answer_many(&breaker, 9, true, cases[i].second_ms);
        assert_true(may_go(&breaker, cases[i].second_ms));
        answer_many(&breaker, 1, true, cases[i].second_ms);
        assert_int_equal(may_go(&breaker, cases[i].second_ms), !cases[i].opens);
    }
}

static void what_went_well_counts_as_long(void **context)
{
    struct breaker breaker;
    (void)context;

    breaker_init(&breaker);
    answer_many(&breaker, 21, false, 1000);
    answer_many(&breaker, 20, true, 29999);
    assert_true(may_go(&breaker, 29999));
    answer_many(&breaker, 1, true, 29999); /* half of forty-two */
    assert_false(may_go(&breaker, 29999));
    breaker_init(&breaker);
    answer_many(&breaker, 500, false, 1000);
    answer_many(&breaker, 20, true, 31000); /* in the place of that span */
    assert_false(may_go(&breaker, 31000));
}

static void a_closed_one_lets_all_go_now(void **context)
{
    struct breaker breaker;
    (void)context;

    breaker_init(&breaker);
    assert_int_equal(breaker_ready_at_ms(&breaker, 1234), 1234);
}

static void only_trouble_opens_it(void **context)
{
    struct breaker breaker;
    (void)context;

    breaker_init(&breaker);
    answer_many(&breaker, 15, true, 1000);
    answer_many(&breaker, 6, false, 1000);
    assert_true(may_go(&breaker, 1000));
    answer_many(&breaker, 1, true, 1000);
    assert_false(may_go(&breaker, 1000));
}

static void a_late_answer_that_went_well_closes_it_too(void **context)
{
    struct breaker breaker = open_breaker(1000);
    (void)context;

    answer_many(&breaker, 1, false, 1100);
    assert_true(may_go(&breaker, 1100));
    assert_false(breaker_take(&breaker, 1100));
}

static void a_probe_waits_half_to_the_whole_of_a_backoff(void **context)
{
    static const int64_t most_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    (void)context;

    for (uint32_t greatest = 0; greatest < 2; greatest++) {
        uint32_t random = greatest == 1 ? UINT32_MAX : 0;
        int64_t now_ms = 1000;
        struct breaker breaker;

        breaker_init(&breaker);
        answer_many(&breaker, 19, true, now_ms);
        breaker_answered(&breaker, true, false, now_ms, random);
        for (size_t i = 0; i < sizeof most_ms / sizeof most_ms[0]; i++) {
            int64_t wait_ms = greatest == 1 ? most_ms[i] : most_ms[i] / 2 + 1;

            assert_int_equal(breaker_ready_at_ms(&breaker, now_ms), now_ms + wait_ms);
            now_ms += wait_ms;
            assert_true(breaker_take(&breaker, now_ms));
            breaker_answered(&breaker, true, true, now_ms, random);
        }
    }
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
        cmocka_unit_test(trouble_counts_for_thirty_seconds_in_spans_of_five),
        cmocka_unit_test(what_went_well_counts_as_long),
        cmocka_unit_test(a_closed_one_lets_all_go_now),
        cmocka_unit_test(only_trouble_opens_it),
        cmocka_unit_test(a_late_answer_that_went_well_closes_it_too),
        cmocka_unit_test(a_probe_waits_half_to_the_whole_of_a_backoff),
        cmocka_unit_test(late_trouble_does_not_count_as_the_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
