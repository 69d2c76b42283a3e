/* How long writes will take: the slowest limit by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "purser/core/estimate.h"

static void nothing_takes_no_time(void **context)
{
    struct estimate_lane lane = {.rate_millis = 5000, .in_flight = 1};
    struct estimate estimate = estimate_duration(&(struct estimate_load){.lanes = &lane,
                                                                         .lane_count = 1,
                                                                         .rate_millis = 45000,
                                                                         .in_flight = 64,
                                                                         .exchange_ms = 300});
    (void)context;

    assert_int_equal(estimate.duration_ms, 0);
    assert_int_equal(estimate.bound, ESTIMATE_NOTHING);
}

static void polls_count_for_the_organisation_and_not_for_a_connection(void **context)
{
    struct estimate_lane lane = {.sends = 1000, .rate_millis = 20000, .in_flight = 1000};
    struct estimate_load load = {
        .lanes = &lane, .lane_count = 1, .sends = 1000, .rate_millis = 45000, .in_flight = 1000};
    struct estimate estimate = estimate_duration(&load);
    (void)context;

    assert_int_equal(estimate.duration_ms, 50000);
    assert_int_equal(estimate.bound, ESTIMATE_LANE_RATE);
    load.polls = 2000;
    estimate = estimate_duration(&load);
    assert_int_equal(estimate.duration_ms, 66666);
    assert_int_equal(estimate.bound, ESTIMATE_ALL_RATE);
}

static void connections_go_side_by_side(void **context)
{
    struct estimate_lane lanes[] = {{.sends = 10, .rate_millis = 1000, .in_flight = 8},
                                    {.sends = 30, .rate_millis = 1000, .in_flight = 8},
                                    {.sends = 30, .rate_millis = 1000, .in_flight = 8}};
    struct estimate estimate = estimate_duration(&(struct estimate_load){
        .lanes = lanes, .lane_count = 3, .sends = 70, .in_flight = 64, .exchange_ms = 300});
    (void)context;

    assert_int_equal(estimate.duration_ms, 30000);
    assert_int_equal(estimate.bound, ESTIMATE_LANE_RATE);
    assert_int_equal(estimate.lane, 1);
}

static void without_rates_the_places_on_the_wire_are_the_limit(void **context)
{
    struct estimate_lane lane = {.sends = 9, .in_flight = 4};
    struct estimate_load load = {
        .lanes = &lane, .lane_count = 1, .sends = 9, .in_flight = 64, .exchange_ms = 300};
    struct estimate estimate = estimate_duration(&load);
    (void)context;

    assert_int_equal(estimate.duration_ms, 900); /* three rounds */
    assert_int_equal(estimate.bound, ESTIMATE_LANE_IN_FLIGHT);
    load.in_flight = 2;
    estimate = estimate_duration(&load);
    assert_int_equal(estimate.duration_ms, 1500);
    assert_int_equal(estimate.bound, ESTIMATE_ALL_IN_FLIGHT);
}

static void more_than_can_be_counted_stays_at_the_maximum(void **context)
{
    struct estimate_lane lane = {.sends = UINT64_MAX, .rate_millis = 1, .in_flight = 1};
    struct estimate estimate =
        estimate_duration(&(struct estimate_load){.lanes = &lane,
                                                  .lane_count = 1,
                                                  .sends = UINT64_MAX,
                                                  .polls = UINT64_MAX,
                                                  .rate_millis = 1,
                                                  .in_flight = 1,
                                                  .exchange_ms = UINT32_MAX});
    (void)context;

    assert_int_equal(estimate.duration_ms, ESTIMATE_MAX_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_takes_no_time),
        cmocka_unit_test(polls_count_for_the_organisation_and_not_for_a_connection),
        cmocka_unit_test(connections_go_side_by_side),
        cmocka_unit_test(without_rates_the_places_on_the_wire_are_the_limit),
        cmocka_unit_test(more_than_can_be_counted_stays_at_the_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
