/* What an estimate comes to, to the number, and where it stops counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "purser/core/estimate.h"

enum { LANES = 3, PARTS = 4, JOBS = 3 };

/* Limits that hold nothing up; part n is of job n on connection n, the last one of none. */
static struct estimate_lane lanes[LANES];
static struct estimate_part parts[PARTS];
static struct estimate_job jobs[JOBS];
static struct estimate_need needs[2];
static struct estimate_load load;

static void begin(size_t job_count)
{
    load = (struct estimate_load){.lanes = lanes,
                                  .lane_count = LANES,
                                  .jobs = jobs,
                                  .job_count = job_count,
                                  .in_flight = 1000000,
                                  .outstanding = 1000000};
    for (size_t i = 0; i < LANES; i++)
        lanes[i] = (struct estimate_lane){.in_flight = 1000000};
    for (size_t i = 0; i < PARTS; i++)
        parts[i] = (struct estimate_part){.lane = i % LANES};
    for (size_t i = 0; i < JOBS; i++)
        jobs[i] = (struct estimate_job){.parts = &parts[i], .part_count = 1};
}

static void assert_takes(int64_t duration_ms, enum estimate_bound bound, size_t lane, size_t job)
{
    struct estimate estimate = estimate_duration(&load);

    assert_int_equal(estimate.duration_ms, duration_ms);
    assert_int_equal(estimate.bound, bound);
    assert_int_equal(estimate.lane, lane);
    assert_int_equal(estimate.job, job);
}

/* `job` needs the one before it. */
static void need(size_t job, bool whole)
{
    needs[job - 1] = (struct estimate_need){.job = job - 1, .whole = whole};
    jobs[job].needs = &needs[job - 1];
    jobs[job].need_count = 1;
}

static void a_rate_is_counted_to_the_last_number_that_fits(void **context)
{
    (void)context;
    begin(2);
    lanes[1].rate_millis = 1000000;
    parts[1].sends = 1000000;
    assert_takes(1000000, ESTIMATE_LANE_RATE, 1, 0);
    lanes[1].rate_millis = UINT32_MAX;
    parts[1].sends = UINT64_MAX / 1000000;
    assert_takes((int64_t)(UINT64_MAX / 1000000 * 1000000 / UINT32_MAX), ESTIMATE_LANE_RATE, 1, 0);
    parts[1].sends++;
    assert_takes(ESTIMATE_MAX_MS, ESTIMATE_LANE_RATE, 1, 0);
    parts[1].sends = UINT64_MAX;
    parts[1].repeats = 2;
    assert_takes(ESTIMATE_MAX_MS, ESTIMATE_LANE_RATE, 1, 0);
}

static void a_product_is_counted_to_the_last_number_that_fits(void **context)
{
    (void)context;
    begin(1);
    parts[0] = (struct estimate_part){.sends = (uint64_t)ESTIMATE_MAX_MS / 7, .commit_ms = 7};
    assert_takes(ESTIMATE_MAX_MS / 7 * 7, ESTIMATE_COMMITS, 0, 0);
    parts[0].sends++;
    assert_takes(ESTIMATE_MAX_MS, ESTIMATE_COMMITS, 0, 0);
    parts[0] = (struct estimate_part){.sends = UINT64_C(1) << 62, .commit_ms = 8};
    assert_takes(ESTIMATE_MAX_MS, ESTIMATE_COMMITS, 0, 0);
}

static void a_product_that_would_begin_anew_is_the_maximum(void **context)
{
    (void)context;
    begin(1); /* 2^64 and 384 milliseconds */
    parts[0] = (struct estimate_part){.sends = 18446744073709552, .commit_ms = 1000};
    assert_takes(ESTIMATE_MAX_MS, ESTIMATE_COMMITS, 0, 0);
}

static void the_last_item_waits_for_the_last_of_each_job_that_it_needs(void **context)
{
    (void)context;
    for (size_t longer = 0; longer < 2; longer++) {
        begin(3);
        for (size_t i = 0; i < 2; i++) {
            lanes[i].rate_millis = 10000;
            parts[i] = (struct estimate_part){.lane = i, .sends = i == longer ? 100 : 1};
            needs[i] = (struct estimate_need){.job = i};
        }
        jobs[2].needs = needs;
        jobs[2].need_count = 2;
        parts[2] = (struct estimate_part){.lane = 2, .sends = 1, .answer_ms = 200};
        assert_takes(10200, ESTIMATE_LANE_RATE, longer, 0);
    }
}

static void a_doubling_rate_is_counted_in_whole_requests_a_second(void **context)
{
    (void)context;
    begin(1);
    load.rate_doubles = true;
    load.rate_millis = 1998; /* 1 + 2 + 4, and 3 of 8 */
    parts[0].sends = 10;
    assert_takes(3375, ESTIMATE_ALL_RATE, 0, 0);
    load.rate_millis = 2000000;
    parts[0].sends = 1999;
    assert_takes(999, ESTIMATE_ALL_RATE, 0, 0);
    parts[0].sends = 2000;
    assert_takes(1000, ESTIMATE_ALL_RATE, 0, 0);
    parts[0].sends = 2000 + 3999;
    assert_takes(1999, ESTIMATE_ALL_RATE, 0, 0);
}

static void what_is_told_names_its_connection_and_its_job(void **context)
{
    (void)context;
    begin(3);
    lanes[2].in_flight = 2;
    parts[2] = (struct estimate_part){.lane = 2, .sends = 10, .answer_ms = 300};
    assert_takes(1500, ESTIMATE_LANE_IN_FLIGHT, 2, 0);
    begin(3);
    parts[2] = (struct estimate_part){.lane = 2, .sends = 1, .answer_ms = 300};
    assert_takes(300, ESTIMATE_ENDS, 2, 2);
    parts[2] = (struct estimate_part){.lane = 2, .sends = 2, .chain = 2, .answer_ms = 300};
    assert_takes(600, ESTIMATE_CHAIN, 2, 2);
}

static void commits_come_before_what_needs_them(void **context)
{
    (void)context;
    begin(2);
    need(1, true);
    for (size_t i = 0; i < 2; i++)
        parts[i] =
            (struct estimate_part){.lane = i, .sends = 1000, .commit_ms = 5, .finish_ms = 2000};
    assert_takes(2 * 7000, ESTIMATE_COMMITS, 0, 0);
}

static void a_canary_may_be_one_or_all_and_waits_for_what_it_needs(void **context)
{
    (void)context;
    begin(2);
    parts[0] = (struct estimate_part){.sends = 10, .ahead = 1, .finish_ms = 1000};
    assert_takes(2000, ESTIMATE_ENDS, 0, 0);
    parts[0].ahead = 11;
    assert_takes(1000, ESTIMATE_ENDS, 0, 0);
    parts[0].ahead = 0;
    parts[1] = (struct estimate_part){.lane = 1, .sends = 10, .ahead = 2, .finish_ms = 1000};
    need(1, true);
    assert_takes(3000, ESTIMATE_ENDS, 0, 0);
}

static void a_pause_before_repeats_counts_when_there_are_any(void **context)
{
    (void)context;
    begin(1);
    parts[0] = (struct estimate_part){.sends = 1, .answer_ms = 100, .repeat_ms = 1500};
    assert_takes(100, ESTIMATE_ENDS, 0, 0);
    parts[0].repeats = 1;
    assert_takes(1600, ESTIMATE_ENDS, 0, 0);
}

static void all_that_is_needed_is_waited_for_in_any_order(void **context)
{
    (void)context;
    for (size_t longer = 0; longer < 2; longer++)
        for (int whole = 0; whole < 2; whole++) {
            begin(3);
            for (size_t i = 0; i < 2; i++) {
                parts[i] = (struct estimate_part){
                    .lane = i, .sends = 1, .finish_ms = i == longer ? 5000 : 1000};
                needs[i] = (struct estimate_need){.job = i, .whole = whole == 1};
            }
            jobs[2].needs = needs;
            jobs[2].need_count = 2;
            lanes[2].rate_millis = 10000;
            parts[2] = (struct estimate_part){.lane = 2, .sends = 100};
            assert_takes(15000, ESTIMATE_LANE_RATE, 2, 0);
            parts[2].sends = 1;
            parts[2].answer_ms = 200;
            assert_takes(5200, ESTIMATE_ENDS, longer, longer);
        }
}

static void items_follow_items_over_three_jobs(void **context)
{
    (void)context;
    begin(3);
    need(1, false);
    need(2, false);
    for (size_t i = 0; i < 3; i++)
        parts[i] = (struct estimate_part){.lane = i, .sends = 1, .finish_ms = 1000};
    lanes[2].rate_millis = 10000;
    parts[2].sends = 100;
    assert_takes(2000 + 10000 + 1000, ESTIMATE_LANE_RATE, 2, 0);
}

static void a_job_on_several_connections_ends_with_its_last_part(void **context)
{
    (void)context;
    begin(2);
    jobs[0].part_count = 2; /* on the first two connections; the second job is on the third */
    jobs[1].parts = &parts[2];
    need(1, true);
    parts[0] = (struct estimate_part){.lane = 0, .sends = 1, .finish_ms = 5000};
    parts[1] = (struct estimate_part){.lane = 1, .sends = 1, .finish_ms = 1000};
    parts[2] = (struct estimate_part){.lane = 2, .sends = 1, .finish_ms = 100};
    assert_takes(5100, ESTIMATE_ENDS, 0, 0);
    parts[0].sends = 0; /* nothing to do there */
    assert_takes(1100, ESTIMATE_ENDS, 1, 0);
    need(1, false);
    parts[0].sends = 1;
    lanes[2].rate_millis = 10000;
    parts[2].sends = 100;
    assert_takes(1000 + 10000 + 100, ESTIMATE_LANE_RATE, 2, 0);
}

static void the_limits_of_all_hold_all_parts_together(void **context)
{
    (void)context;
    begin(2);
    for (size_t i = 0; i < 2; i++) {
        lanes[i].rate_millis = 10000;
        parts[i] = (struct estimate_part){.lane = i, .sends = 100};
    }
    assert_takes(10000, ESTIMATE_LANE_RATE, 0, 0);
    load.rate_millis = 15000;
    assert_takes(13333, ESTIMATE_ALL_RATE, 0, 0);
    load.rate_millis = 0;
    parts[0].commit_ms = parts[1].commit_ms = 60;
    assert_takes(12000, ESTIMATE_COMMITS, 0, 0);
    parts[0].commit_ms = parts[1].commit_ms = 0;
    parts[0].answer_ms = parts[1].answer_ms = 100;
    load.in_flight = 1;
    assert_takes(20000, ESTIMATE_ALL_IN_FLIGHT, 0, 0);
    load.in_flight = 1000000;
    load.outstanding = 1;
    assert_takes(20000, ESTIMATE_OUTSTANDING, 0, 0);
    jobs[0].part_count = 2; /* both are of one job */
    load.job_count = 1;
    assert_takes(20000, ESTIMATE_OUTSTANDING, 0, 0);
    jobs[0].part_count = 1; /* what is behind the jobs is none */
    load.outstanding = 1000000;
    assert_takes(10000, ESTIMATE_LANE_RATE, 0, 0);
}

static void the_last_end_is_the_latest_whatever_the_order_of_parts(void **context)
{
    (void)context;
    begin(2);
    load.rate_millis = 10000;
    parts[0] = (struct estimate_part){.lane = 0, .sends = 1, .finish_ms = 5000};
    parts[1] = (struct estimate_part){.lane = 1, .sends = 100, .finish_ms = 1000};
    assert_takes(15100, ESTIMATE_ALL_RATE, 0, 0);
    parts[0].sends = 0;
    assert_takes(11000, ESTIMATE_ALL_RATE, 0, 0);
}

static void the_longest_job_counts_whichever_it_is(void **context)
{
    (void)context;
    for (size_t longer = 0; longer < 2; longer++) {
        begin(2);
        for (size_t i = 0; i < 2; i++) {
            lanes[i].rate_millis = 10000;
            parts[i] = (struct estimate_part){.lane = i, .sends = i == longer ? 100 : 10};
        }
        assert_takes(10000, ESTIMATE_LANE_RATE, longer, 0);
    }
}

static void one_earlier_item_is_followed_to_its_end(void **context)
{
    (void)context;
    begin(0);
    load.other_polls = 1;
    load.other_ms = 2500;
    assert_takes(2500, ESTIMATE_ENDS, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_counted_to_the_last_number_that_fits),
        cmocka_unit_test(a_product_is_counted_to_the_last_number_that_fits),
        cmocka_unit_test(a_product_that_would_begin_anew_is_the_maximum),
        cmocka_unit_test(the_last_item_waits_for_the_last_of_each_job_that_it_needs),
        cmocka_unit_test(a_doubling_rate_is_counted_in_whole_requests_a_second),
        cmocka_unit_test(what_is_told_names_its_connection_and_its_job),
        cmocka_unit_test(commits_come_before_what_needs_them),
        cmocka_unit_test(a_canary_may_be_one_or_all_and_waits_for_what_it_needs),
        cmocka_unit_test(a_pause_before_repeats_counts_when_there_are_any),
        cmocka_unit_test(all_that_is_needed_is_waited_for_in_any_order),
        cmocka_unit_test(items_follow_items_over_three_jobs),
        cmocka_unit_test(a_job_on_several_connections_ends_with_its_last_part),
        cmocka_unit_test(the_limits_of_all_hold_all_parts_together),
        cmocka_unit_test(the_last_end_is_the_latest_whatever_the_order_of_parts),
        cmocka_unit_test(the_longest_job_counts_whichever_it_is),
        cmocka_unit_test(one_earlier_item_is_followed_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
