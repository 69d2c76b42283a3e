/* How long writes will take: the slowest limit, orders, needs, and what remote jobs take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "purser/core/estimate.h"

enum { LANES = 3, JOBS = 3 };

/* Limits that hold nothing up, and jobs with one part each on the first connection. */
struct bench {
    struct estimate_lane lanes[LANES];
    struct estimate_part parts[JOBS];
    struct estimate_job jobs[JOBS];
    struct estimate_load load;
};

static struct bench *bench_of(size_t job_count)
{
    static struct bench bench;

    bench = (struct bench){.load = {.lanes = bench.lanes,
                                    .lane_count = LANES,
                                    .jobs = bench.jobs,
                                    .job_count = job_count,
                                    .in_flight = 1000000,
                                    .outstanding = 1000000}};
    for (size_t i = 0; i < LANES; i++)
        bench.lanes[i].in_flight = 1000000;
    for (size_t i = 0; i < JOBS; i++)
        bench.jobs[i] = (struct estimate_job){.parts = &bench.parts[i], .part_count = 1};
    return &bench;
}

static void assert_estimate(struct bench *bench, int64_t duration_ms, enum estimate_bound bound)
{
    struct estimate estimate = estimate_duration(&bench->load);

    assert_int_equal(estimate.duration_ms, duration_ms);
    assert_int_equal(estimate.bound, bound);
    /* What a limit of all does not name is 0. */
    if (bound != ESTIMATE_LANE_RATE && bound != ESTIMATE_LANE_IN_FLIGHT &&
        bound != ESTIMATE_CHAIN && bound != ESTIMATE_ENDS)
        assert_int_equal(estimate.lane, 0);
    if (bound != ESTIMATE_CHAIN && bound != ESTIMATE_ENDS)
        assert_int_equal(estimate.job, 0);
}

static void nothing_takes_no_time(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.rate_millis = 45000;
    bench->lanes[0].rate_millis = 5000;
    bench->parts[0] = (struct estimate_part){.answer_ms = 300, .finish_ms = 2000};
    assert_estimate(bench, 0, ESTIMATE_NOTHING);
}

static void polls_take_of_the_limit_of_all_requests(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.rate_millis = 45000;
    bench->lanes[0].rate_millis = 20000;
    bench->parts[0].sends = 1000;
    assert_estimate(bench, 50000, ESTIMATE_LANE_RATE);
    bench->parts[0].polls = 2000;
    assert_estimate(bench, 66666, ESTIMATE_ALL_RATE);
    bench->load.other_polls = 1500; /* of what an earlier run has sent */
    assert_estimate(bench, 100000, ESTIMATE_ALL_RATE);
}

static void connections_go_side_by_side(void **context)
{
    struct bench *bench = bench_of(3);
    struct estimate estimate;
    (void)context;

    for (size_t i = 0; i < 3; i++) {
        bench->lanes[i].rate_millis = 1000;
        bench->parts[i] = (struct estimate_part){.lane = i, .sends = i == 0 ? 10 : 30};
    }
    estimate = estimate_duration(&bench->load);
    assert_int_equal(estimate.duration_ms, 30000);
    assert_int_equal(estimate.bound, ESTIMATE_LANE_RATE);
    assert_int_equal(estimate.lane, 1);
}

static void jobs_of_one_connection_go_one_after_the_other(void **context)
{
    struct bench *bench = bench_of(2);
    (void)context;

    bench->lanes[0].rate_millis = 1000;
    bench->parts[0].sends = 10;
    bench->parts[1].sends = 30;
    assert_estimate(bench, 40000, ESTIMATE_LANE_RATE);
}

static void without_rates_the_places_on_the_wire_are_the_limit(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->lanes[0].in_flight = 4;
    bench->parts[0] = (struct estimate_part){.sends = 9, .answer_ms = 300};
    assert_estimate(bench, 900, ESTIMATE_LANE_IN_FLIGHT); /* three rounds */
    bench->parts[0].sends = 8;
    assert_estimate(bench, 600, ESTIMATE_LANE_IN_FLIGHT);
    bench->parts[0].sends = 9;
    bench->load.in_flight = 2;
    assert_estimate(bench, 1350, ESTIMATE_ALL_IN_FLIGHT);
}

static void the_last_remote_job_comes_on_top(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->parts[0] = (struct estimate_part){.sends = 1, .answer_ms = 300, .finish_ms = 2000};
    assert_estimate(bench, 2300, ESTIMATE_ENDS);
    bench->lanes[0].rate_millis = 10000;
    bench->parts[0].sends = 100;
    assert_estimate(bench, 12000, ESTIMATE_LANE_RATE);
}

static void what_was_sent_earlier_is_followed_to_its_end(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.other_polls = 3;
    bench->load.other_ms = 2500;
    assert_estimate(bench, 2500, ESTIMATE_ENDS);
}

static void an_order_is_a_chain_of_whole_items(void **context)
{
    struct bench *bench = bench_of(1);
    struct estimate estimate;
    (void)context;

    bench->parts[0] =
        (struct estimate_part){.sends = 40, .chain = 10, .answer_ms = 300, .finish_ms = 700};
    assert_estimate(bench, 10000, ESTIMATE_CHAIN);
    estimate = estimate_duration(&bench->load);
    assert_int_equal(estimate.job, 0);
    bench->parts[0].chain = 1; /* each alone in its group */
    assert_estimate(bench, 1000, ESTIMATE_ENDS);
}

static void an_order_does_not_hold_up_the_next_job(void **context)
{
    struct bench *bench = bench_of(2);
    (void)context;

    bench->parts[0] = (struct estimate_part){.sends = 20, .chain = 20, .answer_ms = 100};
    bench->parts[1] = (struct estimate_part){.sends = 20, .chain = 20, .answer_ms = 100};
    assert_estimate(bench, 2100, ESTIMATE_CHAIN);
}

static void writes_without_a_key_begin_one_at_a_time_over_all_connections(void **context)
{
    struct bench *bench = bench_of(2);
    (void)context;

    bench->parts[0] = (struct estimate_part){.sends = 1000, .answer_ms = 300, .commit_ms = 5};
    assert_estimate(bench, 5000, ESTIMATE_COMMITS);
    bench->parts[1] = bench->parts[0];
    bench->parts[1].lane = 1;
    assert_estimate(bench, 10000, ESTIMATE_COMMITS);
}

static void a_whole_job_that_is_needed_comes_before(void **context)
{
    struct estimate_need needs[] = {{.job = 0, .whole = true}, {.job = 1, .whole = true}};
    struct bench *bench = bench_of(3);
    (void)context;

    for (size_t i = 0; i < 3; i++) {
        bench->lanes[i].rate_millis = 10000;
        bench->parts[i] =
            (struct estimate_part){.lane = i, .sends = 100, .answer_ms = 300, .finish_ms = 700};
    }
    assert_estimate(bench, 10700, ESTIMATE_LANE_RATE); /* side by side */
    bench->jobs[1].needs = &needs[0];
    bench->jobs[1].need_count = 1;
    bench->jobs[2].needs = &needs[1];
    bench->jobs[2].need_count = 1;
    assert_estimate(bench, 3 * 10700, ESTIMATE_LANE_RATE);
}

static void a_child_follows_its_own_parent(void **context)
{
    struct estimate_need need = {.job = 0};
    struct bench *bench = bench_of(2);
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        bench->lanes[i].rate_millis = 10000;
        bench->parts[i] =
            (struct estimate_part){.lane = i, .sends = 100, .answer_ms = 300, .finish_ms = 700};
    }
    bench->jobs[1].needs = &need;
    bench->jobs[1].need_count = 1;
    /* The first child after the first parent, the last one after the last. */
    assert_estimate(bench, 1000 + 10700, ESTIMATE_LANE_RATE);
    bench->parts[1].sends = 1;
    assert_estimate(bench, 10700 + 1000, ESTIMATE_LANE_RATE);
}

static void a_child_does_not_wait_for_the_slowest_connection_of_its_parents(void **context)
{
    (void)context;
    for (unsigned slow = 0; slow < 2; slow++) {
        struct estimate_need need = {.job = 0};
        struct estimate_part parents[] = {{.lane = 0, .sends = 1, .finish_ms = 1000},
                                          {.lane = 1, .sends = 1, .finish_ms = 1000}};
        struct bench *bench = bench_of(2);

        parents[slow].finish_ms = 5000;
        bench->jobs[0].parts = parents;
        bench->jobs[0].part_count = 2;
        bench->jobs[1].needs = &need;
        bench->jobs[1].need_count = 1;
        bench->lanes[2].rate_millis = 10000;
        bench->parts[1] = (struct estimate_part){.lane = 2, .sends = 100};
        assert_estimate(bench, 11000, ESTIMATE_LANE_RATE);
    }
}

static void polls_of_a_job_are_done_before_the_job_that_needs_it_begins(void **context)
{
    struct estimate_need need = {.job = 0, .whole = true};
    struct bench *bench = bench_of(2);
    (void)context;

    bench->load.rate_millis = 10000;
    for (size_t i = 0; i < 2; i++)
        bench->parts[i] =
            (struct estimate_part){.lane = i, .sends = 100, .polls = 100, .finish_ms = 5000};
    assert_estimate(bench, 45000, ESTIMATE_ALL_RATE); /* side by side, and the last remote job */
    bench->jobs[1].needs = &need;
    bench->jobs[1].need_count = 1;
    assert_estimate(bench, 50000, ESTIMATE_ALL_RATE);
}

static void a_needed_job_without_work_holds_nothing_up(void **context)
{
    struct estimate_need needs[] = {{.job = 0, .whole = true}, {.job = 0}};
    struct bench *bench = bench_of(2);
    (void)context;

    bench->parts[0] = (struct estimate_part){.answer_ms = 300, .finish_ms = 5000};
    bench->parts[1] = (struct estimate_part){.sends = 1, .answer_ms = 300};
    bench->jobs[1].needs = needs;
    bench->jobs[1].need_count = 2;
    assert_estimate(bench, 300, ESTIMATE_ENDS);
}

static void a_canary_is_over_before_the_others_begin(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->parts[0] =
        (struct estimate_part){.sends = 10, .ahead = 2, .answer_ms = 300, .finish_ms = 700};
    assert_estimate(bench, 2000, ESTIMATE_ENDS);
    bench->parts[0].ahead = 10; /* all of them are the canary */
    assert_estimate(bench, 1000, ESTIMATE_ENDS);
}

static void what_is_sent_again_takes_its_place_and_its_time(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->lanes[0].rate_millis = 10000;
    bench->parts[0] = (struct estimate_part){.sends = 100, .repeats = 20, .repeat_ms = 1500};
    assert_estimate(bench, 13500, ESTIMATE_LANE_RATE);
}

static void no_more_than_outstanding_are_under_way(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.outstanding = 10;
    bench->parts[0] = (struct estimate_part){.sends = 1000, .answer_ms = 100, .finish_ms = 900};
    assert_estimate(bench, 100000, ESTIMATE_OUTSTANDING);
}

static void a_rate_that_doubles_is_no_limit_for_long(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.rate_millis = 200000;
    bench->load.rate_doubles = true;
    bench->parts[0].sends = 100;
    assert_estimate(bench, 500, ESTIMATE_ALL_RATE);
    bench->parts[0].sends = 200 + 400 + 800 + 400;
    assert_estimate(bench, 3250, ESTIMATE_ALL_RATE);
    bench->parts[0].sends = UINT64_MAX;
    assert_in_range(estimate_duration(&bench->load).duration_ms, 50000, 60000);
}

static void more_than_can_be_counted_stays_at_the_maximum(void **context)
{
    struct estimate_need need = {.job = 0, .whole = true};
    struct bench *bench = bench_of(2);
    (void)context;

    bench->lanes[0].rate_millis = 1;
    bench->lanes[0].in_flight = 1;
    bench->load.rate_millis = 1;
    bench->load.in_flight = bench->load.outstanding = 1;
    bench->parts[0] = (struct estimate_part){.sends = UINT64_MAX,
                                             .polls = UINT64_MAX,
                                             .repeats = UINT64_MAX,
                                             .repeat_ms = UINT32_MAX,
                                             .chain = UINT64_MAX,
                                             .answer_ms = UINT32_MAX,
                                             .finish_ms = UINT32_MAX,
                                             .commit_ms = UINT32_MAX};
    bench->parts[1] = bench->parts[0];
    bench->jobs[1].needs = &need;
    bench->jobs[1].need_count = 1;
    assert_int_equal(estimate_duration(&bench->load).duration_ms, ESTIMATE_MAX_MS);
}

static void a_rate_below_one_a_second_is_not_taken_to_double(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.rate_doubles = true;
    bench->load.rate_millis = 500;
    bench->parts[0].sends = 10;
    assert_estimate(bench, 20000, ESTIMATE_ALL_RATE);
    bench->load.rate_millis = 1000; /* 1 + 2 + 4 in three seconds, and 3 of 8 */
    assert_estimate(bench, 3375, ESTIMATE_ALL_RATE);
}

static void a_rate_doubles_up_to_all_that_can_be_counted(void **context)
{
    struct bench *bench = bench_of(1);
    (void)context;

    bench->load.rate_doubles = true;
    bench->load.rate_millis = 1000;
    bench->parts[0].sends = UINT64_MAX; /* 1 + 2 + 4 … + 2^63 */
    assert_estimate(bench, 64000, ESTIMATE_ALL_RATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_takes_no_time),
        cmocka_unit_test(polls_take_of_the_limit_of_all_requests),
        cmocka_unit_test(connections_go_side_by_side),
        cmocka_unit_test(jobs_of_one_connection_go_one_after_the_other),
        cmocka_unit_test(without_rates_the_places_on_the_wire_are_the_limit),
        cmocka_unit_test(the_last_remote_job_comes_on_top),
        cmocka_unit_test(what_was_sent_earlier_is_followed_to_its_end),
        cmocka_unit_test(an_order_is_a_chain_of_whole_items),
        cmocka_unit_test(an_order_does_not_hold_up_the_next_job),
        cmocka_unit_test(writes_without_a_key_begin_one_at_a_time_over_all_connections),
        cmocka_unit_test(a_whole_job_that_is_needed_comes_before),
        cmocka_unit_test(a_child_follows_its_own_parent),
        cmocka_unit_test(a_child_does_not_wait_for_the_slowest_connection_of_its_parents),
        cmocka_unit_test(polls_of_a_job_are_done_before_the_job_that_needs_it_begins),
        cmocka_unit_test(a_needed_job_without_work_holds_nothing_up),
        cmocka_unit_test(a_canary_is_over_before_the_others_begin),
        cmocka_unit_test(what_is_sent_again_takes_its_place_and_its_time),
        cmocka_unit_test(no_more_than_outstanding_are_under_way),
        cmocka_unit_test(a_rate_that_doubles_is_no_limit_for_long),
        cmocka_unit_test(more_than_can_be_counted_stays_at_the_maximum),
        cmocka_unit_test(a_rate_below_one_a_second_is_not_taken_to_double),
        cmocka_unit_test(a_rate_doubles_up_to_all_that_can_be_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
