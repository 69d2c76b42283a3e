/* Operations whose idempotency key counts only once an answer has shown a remote job. */
#include "engine_bench.h"

static void accept_with_job(size_t index)
{
    reply_to(index, (struct reply){.http_status = 200,
                                   .job_id = "job-1",
                                   .date = "Mon, 12 Jan 1970 13:46:45 GMT",
                                   .body = SLICE("{\"async_response\":{\"id\":\"job-1\","
                                                 "\"status\":\"pending\"}}")});
}

/* A later write has the same key. */
static bool is_repeated(size_t index)
{
    for (size_t i = index + 1; i < bench.transport.count; i++)
        if (strcmp(bench.transport.starts[i].key, bench.transport.starts[index].key) == 0)
            return true;
    return false;
}

static int set_up_unproven(void **context)
{
    (void)context;
    set_up_bench();
    bench.jobs[0].repeat = REPEAT_IF_PROVEN;
    return 0;
}

static void until_it_is_proven_one_write_goes_at_a_time(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    add(0, 1, ITEM_READY); /* the other connection waits as well */
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_true(bench.transport.starts[0].at_most_once);
    assert_string_not_equal(bench.transport.starts[0].key, "");
    close_bench();
}

static void a_job_id_proves_it_for_all_that_follow(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    add(0, 1, ITEM_READY);
    open_engine();
    settle();
    accept_with_job(0);
    settle();
    assert_string_equal(bench.ledger.proven, "POST /products");
    assert_int_equal(bench.transport.count, 3);
    assert_false(bench.transport.starts[1].at_most_once);
    reply_to(1, (struct reply){.outcome = TRANSFER_LOST});
    settle();
    turn_after(1000);
    settle();
    assert_true(is_repeated(1));
    close_bench();
}

static void an_error_with_a_job_id_proves_it_too(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 500, .job_id = "job-1"});
    settle();
    assert_string_equal(bench.ledger.proven, "POST /products");
    assert_int_equal(bench.ledger.durable[1].state, ITEM_WAITING);
    close_bench();
}

static void nothing_is_sent_until_the_proof_is_durable(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    bench.ledger.holds = true;
    accept_with_job(0);
    settle();
    assert_int_equal(bench.transport.count, 1);
    make_durable(&bench.ledger);
    settle();
    make_durable(&bench.ledger); /* a look-ahead as long as it may be now */
    settle();
    assert_int_equal(bench.transport.count, 2);
    assert_false(bench.transport.starts[1].at_most_once);
    close_bench();
}

static void a_lost_first_write_is_in_doubt_and_the_next_one_is_asked(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    reply_to(0, (struct reply){.outcome = TRANSFER_LOST});
    settle();
    assert_int_equal(bench.ledger.durable[1].reason, REASON_UNKEYED_UNKNOWN);
    assert_int_equal(bench.transport.count, 2);
    accept_with_job(1);
    settle();
    assert_string_equal(bench.ledger.proven, "POST /products");
    close_bench();
}

static void three_successes_without_a_job_settle_it_the_other_way(void **context)
{
    (void)context;
    for (int i = 0; i < 6; i++)
        add(0, i % 2 == 0 ? 0 : 1, ITEM_READY);
    open_engine();
    for (size_t i = 0; i < 3; i++) {
        for (int again = 0; again < 3; again++)
            settle();
        assert_int_equal(bench.transport.count, i + 1);
        answer(i, 200, "{\"product\":{\"id\":\"1\"}}");
    }
    for (int i = 0; i < 5; i++)
        settle();
    assert_int_equal(progress()->in_flight, 2); /* side by side, at most once each */
    assert_true(bench.transport.starts[4].at_most_once);
    assert_string_equal(bench.ledger.proven, "");
    close_bench();
}

static void what_an_earlier_run_has_proven_counts_at_once(void **context)
{
    (void)context;
    (void)snprintf(bench.ledger.proven, sizeof bench.ledger.proven, "POST /products");
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_SENDING); /* as a crash leaves it */
    open_engine();
    settle();
    assert_int_equal(bench.ledger.durable[2].state, ITEM_SENDING);
    assert_false(bench.transport.starts[0].at_most_once);
    close_bench();
}

static void by_nature_it_is_repeated_without_a_key_and_at_any_age(void **context)
{
    (void)context;
    bench.jobs[1].repeat = REPEAT_BY_NATURE;
    add(1, 0, ITEM_SENDING);
    bench.ledger.durable[1].intent_ms = 1000; /* years ago */
    bench.ledger.newest[1] = bench.ledger.durable[1];
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 200}); /* the server's time */
    settle();
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(bench.transport.starts[1].method, METHOD_PATCH);
    assert_string_equal(bench.transport.starts[1].key, "");
    assert_false(bench.transport.starts[1].at_most_once);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(until_it_is_proven_one_write_goes_at_a_time, set_up_unproven),
        cmocka_unit_test_setup(a_job_id_proves_it_for_all_that_follow, set_up_unproven),
        cmocka_unit_test_setup(an_error_with_a_job_id_proves_it_too, set_up_unproven),
        cmocka_unit_test_setup(nothing_is_sent_until_the_proof_is_durable, set_up_unproven),
        cmocka_unit_test_setup(a_lost_first_write_is_in_doubt_and_the_next_one_is_asked,
                               set_up_unproven),
        cmocka_unit_test_setup(three_successes_without_a_job_settle_it_the_other_way,
                               set_up_unproven),
        cmocka_unit_test_setup(what_an_earlier_run_has_proven_counts_at_once, set_up_unproven),
        cmocka_unit_test_setup(by_nature_it_is_repeated_without_a_key_and_at_any_age, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
