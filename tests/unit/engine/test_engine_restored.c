/* On a ledger that was restored from a backup: what it starts may have been sent already. */
#include "waiting_bench.h"

static int set_up_restored(void **context)
{
    (void)context;
    set_up_bench();
    bench.connections[0].asks_status = bench.connections[1].asks_status = false;
    bench.options.lost_since_ms = WALL_MS;
    return 0;
}

static void a_job_that_was_throttled_gets_no_new_key(void **context)
{
    (void)context;
    add(0, 0, ITEM_WAITING);
    open_engine();
    for (int second = 0; second < 5; second++) {
        turn_after(1000);
        settle();
    }
    answer(
        find_poll("job-1"), 200,
        "{\"id\":\"job-1\",\"status\":\"failure\",\"response\":{\"http_status\":452,\"body\":{}}}");
    settle();
    assert_int_equal(bench.ledger.durable[1].state, ITEM_IN_DOUBT);
    assert_int_equal(bench.ledger.durable[1].reason, REASON_RESTORED_STATE);
    assert_int_equal(bench.ledger.durable[1].generation, 1);
    close_bench();
}

static void what_was_not_sent_again_is_as_it_was_when_the_run_ends(void **context)
{
    (void)context;
    for (int i = 0; i < 4; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    settle(); /* how old they are only the server's time tells */
    reply_to(0, (struct reply){.http_status = 200, .date = "Mon, 12 Jan 1970 13:46:45 GMT"});
    settle();
    assert_int_equal(count_starts("/products"), 2);
    assert_int_equal(bench.ledger.durable[3].state, ITEM_SENDING);
    assert_int_equal(bench.ledger.durable[3].reason, REASON_RESTORED_STATE);
    engine_drain(bench.engine, bench.boot_ms + 5000);
    answer(1, 201, "{\"product\":{}}");
    turn_after(6000);
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_SUCCEEDED);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_SENDING);
    assert_int_equal(bench.ledger.durable[3].state, ITEM_READY);
    assert_int_equal(bench.ledger.durable[3].reason, REASON_NONE);
    close_bench();
}

static void what_cannot_be_made_is_counted_as_in_doubt(void **context)
{
    uint64_t child, ready;
    (void)context;

    add_damaged_children(&child, &ready);
    open_engine();
    settle();
    assert_int_equal(state_of(child), ITEM_IN_DOUBT);
    assert_int_equal(state_of(ready), ITEM_IN_DOUBT);
    assert_int_equal(progress()->in_doubt, 2);
    assert_int_equal(progress()->failed, 0);
    assert_int_equal(progress()->blocked, 0);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_job_that_was_throttled_gets_no_new_key, set_up_restored),
        cmocka_unit_test_setup(what_was_not_sent_again_is_as_it_was_when_the_run_ends,
                               set_up_restored),
        cmocka_unit_test_setup(what_cannot_be_made_is_counted_as_in_doubt, set_up_restored),
    };

    return cmocka_run_group_tests_name("engine/engine_restored", tests, NULL, NULL);
}
