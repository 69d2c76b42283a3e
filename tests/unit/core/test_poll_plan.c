#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/base/rng.h"
#include "purser/core/poll_plan.h"

static struct poll_plan learned(int count, int64_t pending_ms, int64_t finished_ms)
{
    struct poll_plan plan = {0};

    for (int i = 0; i < count; i++)
        poll_plan_learn(&plan, pending_ms, finished_ms);
    return plan;
}

static void without_knowledge_polls_start_at_a_second_and_slow_down_to_thirty(void **context)
{
    static const int64_t expected[] = {1000,  1500,  2250,  3375,  5062, 7593,
                                       11389, 17083, 25624, 30000, 30000};
    struct poll_plan plan = {0};
    (void)context;

    for (uint32_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(poll_plan_delay_ms(&plan, 0, i, false), expected[i]);
        assert_int_equal(poll_plan_delay_ms(&plan, 1000000, i, true), expected[i]);
    }
    assert_int_equal(poll_plan_delay_ms(&plan, 0, UINT32_MAX, true), 30000);
}

static void a_few_jobs_teach_nothing_yet(void **context)
{
    struct poll_plan plan = learned(7, 0, 100);
    (void)context;

    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), 1000);
    poll_plan_learn(&plan, 0, 100);
    assert_true(poll_plan_delay_ms(&plan, 0, 0, false) < 100);
}

static void the_first_poll_falls_where_most_jobs_have_ended(void **context)
{
    struct poll_plan plan = learned(100, 4000, 6000);
    int64_t delay_ms = poll_plan_delay_ms(&plan, 0, 0, false);
    (void)context;

    assert_true(delay_ms >= 5000 && delay_ms <= 6000);
}

/* Ten jobs each of ten times, spread over many buckets. */
static struct poll_plan spread(void)
{
    struct poll_plan plan = {0};

    for (int i = 0; i < 10; i++)
        for (int64_t time_ms = 20; time_ms < 20 << 10; time_ms *= 2)
            poll_plan_learn(&plan, time_ms, time_ms);
    return plan;
}

static void an_idle_run_asks_at_four_tenths_and_a_busy_one_at_seven(void **context)
{
    struct poll_plan plan = spread();
    (void)context;

    /* The fifth and the eighth of 20, 40, 80 … ms, rounded up to a quarter of a doubling. */
    assert_in_range(poll_plan_delay_ms(&plan, 0, 0, false), 320, 380);
    assert_in_range(poll_plan_delay_ms(&plan, 0, 0, true), 2560, 3050);
}

static void after_a_poll_only_jobs_that_are_still_running_count(void **context)
{
    struct poll_plan plan = spread();
    int64_t delay_ms = poll_plan_delay_ms(&plan, 2600, 1, false);
    (void)context;

    /* 5120 and 10240 are left: half of them have ended at the first. */
    assert_in_range(2600 + delay_ms, 5120, 6100);
    assert_true(poll_plan_delay_ms(&plan, 5120 * 119 / 100, 1, false) >= 10240 - 5120 * 119 / 100);
}

static void jobs_of_a_few_milliseconds_are_asked_for_soon(void **context)
{
    struct poll_plan plan = learned(100, 0, 10);
    (void)context;

    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), 20);
    plan = learned(100, 50, 10); /* the pending age cannot be the greater one */
    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), 20);
}

static void what_is_forgotten_is_forgotten_evenly(void **context)
{
    struct poll_plan plan = {0};
    (void)context;

    for (int i = 0; i < 3000; i++) {
        poll_plan_learn(&plan, 0, 10);
        poll_plan_learn(&plan, 20000, 20000);
    }
    for (int i = 1; i < POLL_PLAN_BUCKETS; i++)
        if (plan.counts[i] > 0)
            assert_in_range(plan.counts[i], plan.counts[0] - 2, plan.counts[0] + 2);
}

static void a_busy_run_asks_no_sooner_than_an_idle_one(void **context)
{
    struct poll_plan plan = {0};
    struct rng rng;
    (void)context;

    rng_init(&rng, 3);
    for (int i = 0; i < 500; i++)
        poll_plan_learn(&plan, 0, (int64_t)rng_below(&rng, 60000));
    for (int64_t age_ms = 0; age_ms < 100000; age_ms += 97)
        assert_true(poll_plan_delay_ms(&plan, age_ms, 1, true) >=
                    poll_plan_delay_ms(&plan, age_ms, 1, false));
}

static void every_delay_is_between_twenty_ms_and_thirty_seconds(void **context)
{
    struct rng rng;
    (void)context;

    rng_init(&rng, 4);
    for (int world = 0; world < 200; world++) {
        struct poll_plan plan = {0};
        int count = (int)rng_below(&rng, 200);

        for (int i = 0; i < count; i++)
            poll_plan_learn(&plan, (int64_t)rng_below(&rng, 1000),
                            (int64_t)rng_below(&rng, (uint64_t)1 << rng_below(&rng, 40)));
        for (int i = 0; i < 200; i++) {
            int64_t age_ms = (int64_t)rng_below(&rng, (uint64_t)1 << rng_below(&rng, 40));
            int64_t delay_ms = poll_plan_delay_ms(&plan, age_ms, (uint32_t)rng_below(&rng, 5),
                                                  rng_below(&rng, 2) == 0);

            assert_true(delay_ms >= 20 && delay_ms <= 30000);
        }
    }
}

static void a_job_that_outlives_all_others_is_asked_at_shares_of_its_age(void **context)
{
    struct poll_plan plan = learned(50, 0, 1000);
    (void)context;

    assert_int_equal(poll_plan_delay_ms(&plan, 60000, 3, false), 10000);
    assert_int_equal(poll_plan_delay_ms(&plan, 60000, 3, true), 30000);
}

/* With jobs that take as long as `took_ms`, how late is the end noticed, in the idle case? */
static void jobs_that_become_faster_are_noticed_soon_after_their_end(void **context)
{
    struct poll_plan plan = learned(200, 9000, 10000);
    int64_t late_ms = 0;
    (void)context;

    for (int i = 0; i < 3000; i++) {
        int64_t age_ms = 0, pending_ms = 0;

        for (uint32_t polls = 0;; polls++) {
            age_ms += poll_plan_delay_ms(&plan, age_ms, polls, false);
            if (age_ms >= 500)
                break;
            pending_ms = age_ms;
        }
        poll_plan_learn(&plan, pending_ms, age_ms);
        late_ms = age_ms - 500;
    }
    assert_true(late_ms <= 500);
}

static void counts_stay_bounded(void **context)
{
    struct poll_plan plan = learned(100000, 0, 1000);
    uint32_t sum = 0;
    (void)context;

    for (int i = 0; i < POLL_PLAN_BUCKETS; i++)
        sum += plan.counts[i];
    assert_int_equal(sum, plan.total);
    assert_true(plan.total <= 4096);
}

static void times_that_went_backwards_do_no_harm(void **context)
{
    struct poll_plan plan = {0};
    (void)context;

    for (int i = 0; i < 20; i++) {
        poll_plan_learn(&plan, -5, -10);
        poll_plan_learn(&plan, 5000, 10);
        poll_plan_learn(&plan, 0, INT64_MAX / 4);
    }
    assert_in_range(poll_plan_delay_ms(&plan, 0, 0, false), 20, 30000);
}

/* Where each bucket ends: four to a doubling, from 16 ms. */
static int64_t end_of_bucket(int bucket)
{
    static const int64_t quarters[] = {16000, 19024, 22624, 26912};

    return (quarters[bucket % 4] << (bucket / 4)) / 1000;
}

static int bucket_of(int64_t pending_ms, int64_t finished_ms)
{
    struct poll_plan plan = learned(1, pending_ms, finished_ms);
    int bucket = 0;

    while (plan.counts[bucket] == 0)
        bucket++;
    return bucket;
}

static void times_are_kept_in_quarters_of_a_doubling(void **context)
{
    (void)context;
    for (int bucket = 0; bucket < POLL_PLAN_BUCKETS - 1; bucket++) {
        int64_t end_ms = end_of_bucket(bucket);

        assert_int_equal(bucket_of(end_ms, end_ms), bucket);
        assert_int_equal(bucket_of(end_ms + 1, end_ms + 1), bucket + 1);
    }
    assert_int_equal(bucket_of(0, INT64_MAX), POLL_PLAN_BUCKETS - 1);
}

static void a_job_is_taken_to_have_ended_half_way_between_two_polls(void **context)
{
    (void)context;
    assert_int_equal(bucket_of(100, 200), bucket_of(150, 150));
    assert_int_equal(bucket_of(0, 128), bucket_of(64, 64));
    assert_int_equal(bucket_of(0, 130), bucket_of(65, 65));
    assert_int_equal(bucket_of(-1, 128), bucket_of(64, 64));
    assert_int_equal(bucket_of(201, 128), bucket_of(64, 64));
    assert_int_equal(bucket_of(64, -100), 0);
    /* A pending age that cannot be is none. */
    assert_int_equal(bucket_of(-100, 128), bucket_of(64, 64));
    assert_int_equal(bucket_of(-1, 130), bucket_of(65, 65));
    assert_int_equal(bucket_of(200, 129), bucket_of(64, 64));
    assert_int_equal(bucket_of(200, 130), bucket_of(65, 65));
}

static void the_first_poll_comes_when_the_bucket_ends(void **context)
{
    (void)context;
    for (int bucket = 1; bucket < 40; bucket++) {
        int64_t end_ms = end_of_bucket(bucket);
        struct poll_plan plan = learned(8, end_ms, end_ms);

        assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), end_ms < 20      ? 20
                                                                 : end_ms > 30000 ? 30000
                                                                                  : end_ms);
        /* Of a job that is older than most, and was not asked for yet. */
        assert_int_equal(poll_plan_delay_ms(&plan, end_ms, 0, false), 20);
    }
}

static void the_quickest_and_the_slowest_jobs_count_too(void **context)
{
    struct poll_plan plan = learned(6, 10, 10);
    (void)context;

    for (int i = 0; i < 4; i++)
        poll_plan_learn(&plan, 5000, 5000);
    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), 20);
    plan = learned(8, INT64_MAX, INT64_MAX);
    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), 30000);
}

static void of_those_that_still_run_four_tenths_or_seven_are_waited_for(void **context)
{
    struct poll_plan plan = {0};
    (void)context;

    /* Ten that ended before the first poll, and ten, one in each bucket, after it. */
    for (int i = 0; i < 10; i++) {
        int64_t end_ms = end_of_bucket(20 + i);

        poll_plan_learn(&plan, end_ms, end_ms);
        poll_plan_learn(&plan, 40, 40);
    }
    assert_int_equal(poll_plan_delay_ms(&plan, 100, 1, false), end_of_bucket(24) - 100);
    assert_int_equal(poll_plan_delay_ms(&plan, 100, 1, true), end_of_bucket(27) - 100);
    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, false), 45);
    assert_int_equal(poll_plan_delay_ms(&plan, 0, 0, true), end_of_bucket(24));
    assert_int_equal(poll_plan_delay_ms(&plan, end_of_bucket(28), 1, false),
                     end_of_bucket(29) - end_of_bucket(28));
    assert_int_equal(poll_plan_delay_ms(&plan, end_of_bucket(29), 1, false), end_of_bucket(29) / 6);
    assert_int_equal(poll_plan_delay_ms(&plan, end_of_bucket(29), 1, true), end_of_bucket(29) / 2);
}

static void half_is_forgotten_when_4096_are_known(void **context)
{
    struct poll_plan plan = learned(4096, 100, 100);
    int bucket = bucket_of(100, 100);
    (void)context;

    assert_int_equal(plan.total, 4096);
    assert_int_equal(plan.counts[bucket], 4096);
    poll_plan_learn(&plan, 16, 16);
    assert_int_equal(plan.counts[bucket], 2048);
    assert_int_equal(plan.counts[0], 0);
    assert_int_equal(plan.total, 2048);
    poll_plan_learn(&plan, INT64_MAX, INT64_MAX);
    assert_int_equal(plan.counts[POLL_PLAN_BUCKETS - 1], 1);
    plan = learned(4096, INT64_MAX, INT64_MAX);
    poll_plan_learn(&plan, 16, 16);
    assert_int_equal(plan.counts[POLL_PLAN_BUCKETS - 1], 2048);
    assert_int_equal(plan.total, 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_knowledge_polls_start_at_a_second_and_slow_down_to_thirty),
        cmocka_unit_test(times_are_kept_in_quarters_of_a_doubling),
        cmocka_unit_test(a_job_is_taken_to_have_ended_half_way_between_two_polls),
        cmocka_unit_test(the_first_poll_comes_when_the_bucket_ends),
        cmocka_unit_test(the_quickest_and_the_slowest_jobs_count_too),
        cmocka_unit_test(of_those_that_still_run_four_tenths_or_seven_are_waited_for),
        cmocka_unit_test(half_is_forgotten_when_4096_are_known),
        cmocka_unit_test(a_few_jobs_teach_nothing_yet),
        cmocka_unit_test(the_first_poll_falls_where_most_jobs_have_ended),
        cmocka_unit_test(an_idle_run_asks_at_four_tenths_and_a_busy_one_at_seven),
        cmocka_unit_test(after_a_poll_only_jobs_that_are_still_running_count),
        cmocka_unit_test(jobs_of_a_few_milliseconds_are_asked_for_soon),
        cmocka_unit_test(what_is_forgotten_is_forgotten_evenly),
        cmocka_unit_test(a_busy_run_asks_no_sooner_than_an_idle_one),
        cmocka_unit_test(every_delay_is_between_twenty_ms_and_thirty_seconds),
        cmocka_unit_test(a_job_that_outlives_all_others_is_asked_at_shares_of_its_age),
        cmocka_unit_test(jobs_that_become_faster_are_noticed_soon_after_their_end),
        cmocka_unit_test(counts_stay_bounded),
        cmocka_unit_test(times_that_went_backwards_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
