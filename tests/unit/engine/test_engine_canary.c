/* The first items of a job go ahead, and the others follow when those have succeeded. */
#include "engine_bench.h"

static void add_ready(uint32_t job, uint32_t connection, int count)
{
    for (int i = 0; i < count; i++)
        add(job, connection, ITEM_READY);
}

static void pass(int seconds)
{
    for (int i = 0; i < seconds; i++) {
        turn_after(1000);
        settle();
    }
}

static void the_others_wait_until_the_first_have_succeeded(void **context)
{
    (void)context;
    add_ready(0, 0, 6);
    bench.options.canary = 2;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    answer(0, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(bench.transport.count, 2);
    answer(1, 201, "{\"product\":{}}");
    settle();
    for (size_t i = 2; i < bench.transport.count; i++) {
        answer(i, 201, "{\"product\":{}}");
        settle();
    }
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_NONE);
    assert_int_equal(progress()->succeeded, 6);
    close_bench();
}

static void when_one_fails_its_fellows_end_and_nothing_else_begins(void **context)
{
    (void)context;
    add_ready(0, 0, 4);
    add_ready(1, 1, 3);
    bench.options.canary = 2;
    open_engine();
    settle();
    while (bench.transport.count < 3) {
        turn_after(1000);
        settle();
    }
    answer(0, 400, "{}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_RUNNING); /* the others are not over */
    for (size_t i = 1; i < bench.transport.count; i++) {
        if (!bench.transport.starts[i].answered)
            answer(i, 201, "{\"product\":{}}");
        settle();
    }
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_CANARY);
    assert_string_equal(progress()->stop_text, "canary: 1 of the first 2 items of job create did "
                                               "not succeed; no other was sent");
    assert_in_range(bench.transport.count, 3, 4);
    assert_int_equal(bench.ledger.durable[3].state, ITEM_READY);
    assert_int_equal(bench.ledger.durable[4].state, ITEM_READY);
    assert_int_equal(bench.ledger.durable[7].state, ITEM_READY);
    close_bench();
}

static void what_an_earlier_run_left_is_a_canary_too(void **context)
{
    (void)context;
    add(0, 0, ITEM_WAITING);
    add_ready(0, 0, 3);
    bench.options.canary = 1;
    open_engine();
    settle();
    pass(5);
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(bench.transport.starts[0].method, METHOD_GET);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_READY);
    answer(0, 200, "{\"id\":\"job-1\",\"status\":\"success\",\"response\":{\"status_code\":200}}");
    settle();
    assert_int_equal(bench.ledger.durable[1].state, ITEM_SUCCEEDED);
    assert_in_range(bench.transport.count, 2, 3);
    assert_int_equal(bench.transport.starts[1].method, METHOD_POST);
    close_bench();
}

static void a_job_with_fewer_items_than_its_canary_ends(void **context)
{
    (void)context;
    add_ready(0, 0, 2);
    bench.options.canary = 5;
    open_engine();
    settle();
    answer(0, 201, "{\"product\":{}}");
    answer(1, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->succeeded, 2);
    close_bench();
}

static void a_canary_is_over_when_the_last_of_it_is_left_to_another_run(void **context)
{
    (void)context;
    bench.connections[0].asks_status = bench.connections[1].asks_status = false;
    add(0, 0, ITEM_WAITING);
    add(0, 1, ITEM_WAITING);
    add_ready(0, 0, 2);
    bench.options.canary = 1;
    open_engine();
    pass(5);
    answer(find_poll("job-1"), 200,
           "{\"id\":\"job-1\",\"status\":\"success\",\"response\":{\"status_code\":200}}");
    answer(find_poll("job-2"), 451, "{}");
    settle();
    assert_int_equal(progress()->parked_connections, 1);
    pass(5);
    assert_int_equal(count_starts("/products"), 0);
    answer(
        find_poll("job-2"), 200,
        "{\"id\":\"job-2\",\"status\":\"failure\",\"response\":{\"http_status\":452,\"body\":{}}}");
    settle();
    assert_int_equal(bench.ledger.durable[2].state, ITEM_READY);
    assert_int_equal(count_starts("/products"), 2);
    close_bench();
}

static void what_an_earlier_run_left_counts_also_when_it_is_taken_up_late(void **context)
{
    static const char done[] =
        "{\"id\":\"job-%d\",\"status\":\"success\",\"response\":{\"status_code\":200}}";
    char bodies[3][128], job[16];
    (void)context;
    for (int i = 0; i < 3; i++)
        add(0, 0, ITEM_WAITING);
    add_ready(0, 0, 1);
    bench.options.canary = 1;
    bench.options.outstanding = 2;
    open_engine();
    pass(5);
    for (int i = 1; i <= 3; i++) {
        (void)snprintf(job, sizeof job, "job-%d", i);
        (void)snprintf(bodies[i - 1], sizeof bodies[0], done, i);
        if (i == 3) {
            pass(5);
            assert_int_equal(count_starts("/products"), 0);
        }
        answer(find_poll(job), 200, bodies[i - 1]);
    }
    pass(5);
    assert_int_equal(count_starts("/products"), 1);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_others_wait_until_the_first_have_succeeded, set_up),
        cmocka_unit_test_setup(when_one_fails_its_fellows_end_and_nothing_else_begins, set_up),
        cmocka_unit_test_setup(what_an_earlier_run_left_is_a_canary_too, set_up),
        cmocka_unit_test_setup(what_an_earlier_run_left_counts_also_when_it_is_taken_up_late,
                               set_up),
        cmocka_unit_test_setup(a_job_with_fewer_items_than_its_canary_ends, set_up),
        cmocka_unit_test_setup(a_canary_is_over_when_the_last_of_it_is_left_to_another_run, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
