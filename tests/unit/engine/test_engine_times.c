/* What a run learns of times and rates, for the estimates of the next plan. */
#include "engine_bench.h"

static void sends_that_their_answer_ended_tell_how_long_a_write_takes(void **context)
{
    struct learned_times times;
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 201,
                               .body = SLICE("{\"product\":{\"id\":\"1\"}}"),
                               .duration_ms = 300});
    reply_to(1, (struct reply){.http_status = 201,
                               .body = SLICE("{\"product\":{\"id\":\"2\"}}"),
                               .duration_ms = 501});
    settle();
    times = engine_learned(bench.engine, 0).times;
    assert_int_equal(times.answer_ms, 401); /* rounded up */
    assert_int_equal(times.accept_ms, 0);
    assert_int_equal(times.finish_ms, 0);
    assert_int_equal(engine_learned(bench.engine, 1).times.answer_ms, 0);
    close_bench();
}

static void a_remote_job_tells_how_long_it_was_accepted_and_followed(void **context)
{
    struct learned_times times;
    int64_t accepted_boot_ms;
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    accept(0);
    bench.transport.replies[0].duration_ms = 120;
    accepted_boot_ms = bench.boot_ms;
    settle();
    turn_after(1000);
    answer(1, 200, "{\"id\":\"job-1\",\"status\":\"pending\"}");
    settle();
    turn_after(4000);
    answer(2, 200, "{\"id\":\"job-1\",\"status\":\"success\",\"request\":{}}");
    turn();
    times = engine_learned(bench.engine, 0).times;
    assert_int_equal(times.answer_ms, 0);
    assert_int_equal(times.accept_ms, 121);
    assert_int_equal(times.finish_ms, bench.boot_ms - accepted_boot_ms + 1);
    settle();
    close_bench();
}

/* One such job would else be remembered as one that takes months, and all others be polled every
 * half a minute. */
static void a_job_takes_no_longer_when_the_clock_is_set_while_it_is_followed(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    accept(0);
    settle();
    bench.clock_set_ms = INT64_C(90) * 24 * 3600 * 1000;
    turn_after(1000);
    answer(1, 200, "{\"id\":\"job-1\",\"status\":\"success\",\"request\":{}}");
    turn();
    assert_in_range(engine_learned(bench.engine, 0).times.finish_ms, 1000, 2000);
    settle();
    close_bench();
}

static void a_job_that_was_accepted_before_this_process_tells_nothing(void **context)
{
    (void)context;
    add(0, 0, ITEM_WAITING);
    bench.clock_set_ms = INT64_C(90) * 24 * 3600 * 1000;
    open_engine();
    turn();
    turn_after(1000);
    answer(0, 200, "{\"id\":\"job-1\",\"status\":\"success\",\"request\":{}}");
    settle();
    assert_int_equal(progress()->polls, 1);
    assert_int_equal(engine_learned(bench.engine, 0).times.finish_ms, 0);
    close_bench();
}

static void what_was_refused_or_lost_tells_nothing(void **context)
{
    struct learned_times times;
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 400, .body = SLICE("{}"), .duration_ms = 300});
    reply_to(1, (struct reply){.outcome = TRANSFER_LOST, .duration_ms = 60000});
    settle();
    times = engine_learned(bench.engine, 0).times;
    assert_int_equal(times.answer_ms, 0);
    assert_int_equal(times.accept_ms, 0);
    assert_int_equal(times.finish_ms, 0);
    close_bench();
}

static void a_rate_is_learned_when_it_was_refused(void **context)
{
    (void)context;
    for (int i = 0; i < 8; i++)
        add(0, 0, ITEM_READY);
    bench.connections[0].in_flight = 8;
    bench.options.pace = (struct pace_config){.learns = true, .start_millis = 1000000, .burst = 8};
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 8);
    assert_int_equal(progress()->learned_rate_millis, 0);
    for (size_t i = 0; i < 8; i++)
        answer(i, 429, "{}");
    settle();
    assert_true(progress()->learned_rate_millis > 0);
    assert_int_equal(progress()->learned_rate_millis, progress()->rate_millis);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sends_that_their_answer_ended_tell_how_long_a_write_takes, set_up),
        cmocka_unit_test_setup(a_remote_job_tells_how_long_it_was_accepted_and_followed, set_up),
        cmocka_unit_test_setup(a_job_takes_no_longer_when_the_clock_is_set_while_it_is_followed,
                               set_up),
        cmocka_unit_test_setup(a_job_that_was_accepted_before_this_process_tells_nothing, set_up),
        cmocka_unit_test_setup(what_was_refused_or_lost_tells_nothing, set_up),
        cmocka_unit_test_setup(a_rate_is_learned_when_it_was_refused, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
