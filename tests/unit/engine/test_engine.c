/* One turn after the other: what leaves when, and what is counted. */
#include "engine_bench.h"

/* --- the request --- */

static void the_hash_tells_method_path_and_body_apart(void **context)
{
    struct hash128 base = request_hash(METHOD_POST, SLICE("/a"), SLICE("bc"));
    struct hash128 others[] = {request_hash(METHOD_PUT, SLICE("/a"), SLICE("bc")),
                               request_hash(METHOD_POST, SLICE("/ab"), SLICE("c")),
                               request_hash(METHOD_POST, SLICE("/a"), SLICE("bd")),
                               request_hash(METHOD_POST, SLICE("/a"), SLICE(""))};
    struct hash128 again = request_hash(METHOD_POST, SLICE("/a"), SLICE("bc"));
    (void)context;

    assert_memory_equal(&base, &again, sizeof base);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_memory_not_equal(&base, &others[i], sizeof base);
}

static void nothing_leaves_before_its_intent_is_durable(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    bench.ledger.holds = true;
    open_engine();
    settle();
    assert_int_equal(bench.ledger.newest[1].state, ITEM_SENDING);
    assert_int_equal(bench.transport.count, 0);
    make_durable(&bench.ledger);
    turn();
    assert_int_equal(bench.transport.count, 1);
    close_bench();
}

static void what_is_sent_is_what_was_frozen_under_the_items_key(void **context)
{
    char key[KEY_TEXT_BYTES];
    (void)context;

    add(0, 1, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    key_derive(SLICE("catalogue"), SLICE("create"), SLICE("south"), SLICE("k1"), 1, key);
    assert_string_equal(bench.transport.starts[0].key, key);
    assert_string_equal(bench.transport.starts[0].path, "/products");
    assert_string_equal(bench.transport.starts[0].body, "{\"product\":{}}");
    assert_int_equal(bench.transport.starts[0].connection, 1);
    assert_false(bench.transport.starts[0].at_most_once);
    close_bench();
}

static void bytes_that_are_not_the_frozen_ones_never_leave(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    bench.ledger.changes = true;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 0);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_IN_DOUBT);
    assert_int_equal(bench.ledger.durable[1].reason, REASON_RECORD_DAMAGED);
    close_bench();
}

static void a_path_that_no_url_can_hold_is_a_refusal(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    bench.transport.refuses = ERR_INPUT;
    open_engine();
    settle();
    assert_int_equal(bench.ledger.durable[1].state, ITEM_FAILED);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    close_bench();
}

static void an_operation_without_a_key_is_one_ahead_and_on_its_own_connection(void **context)
{
    (void)context;
    for (int i = 0; i < 4; i++)
        add(1, 0, ITEM_READY);
    bench.ledger.holds = true;
    open_engine();
    settle();
    assert_int_equal(bench.ledger.newest[1].state, ITEM_SENDING);
    assert_int_equal(bench.ledger.newest[2].state, ITEM_READY);
    make_durable(&bench.ledger);
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_true(bench.transport.starts[0].at_most_once);
    assert_string_equal(bench.transport.starts[0].key, "");
    close_bench();
}

static void what_was_turned_away_without_a_key_would_survive_a_crash_unharmed(void **context)
{
    (void)context;
    add(1, 0, ITEM_READY);
    add(1, 0, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    answer(0, 452, "{}");
    settle();
    assert_int_equal(bench.ledger.durable[1].state, ITEM_READY); /* no doubt about it */
    assert_int_equal(progress()->phase, ENGINE_RUNNING);
    answer(1, 200, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_RUNNING); /* it waits for its time */
    turn_after(1000);
    settle();
    assert_int_equal(bench.transport.count, 3);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_SENDING);
    answer(2, 200, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->succeeded, 2);
    assert_int_equal(progress()->started, 2);
    close_bench();
}

static void what_was_turned_away_without_a_key_is_left_ready_by_a_drain(void **context)
{
    (void)context;
    add(1, 0, ITEM_READY);
    add(1, 0, ITEM_READY);
    open_engine();
    settle();
    answer(0, 452, "{}");
    settle();
    engine_drain(bench.engine, bench.boot_ms + 60000);
    turn();
    answer(1, 452, "{}"); /* while draining */
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_READY);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_READY);
    assert_int_equal(progress()->active, 0);
    close_bench();
}

/* --- counts and ends --- */

static void an_end_is_counted_when_it_is_durable(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    bench.ledger.holds = true;
    answer(0, 201, "{\"product\":{\"id\":\"1\"}}");
    settle();
    assert_int_equal(bench.ledger.newest[1].state, ITEM_SUCCEEDED);
    assert_int_equal(progress()->succeeded, 0);
    assert_int_not_equal(progress()->phase, ENGINE_ENDED);
    make_durable(&bench.ledger);
    settle();
    assert_int_equal(progress()->succeeded, 1);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_NONE);
    close_bench();
}

static void an_accepted_write_is_polled_until_its_end(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    accept(0);
    settle();
    turn_after(1000);
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(bench.transport.starts[1].method, METHOD_GET);
    assert_string_equal(bench.transport.starts[1].remote_job, "job-1");
    answer(1, 200, "{\"id\":\"job-1\",\"status\":\"success\",\"request\":{}}");
    settle();
    assert_int_equal(progress()->succeeded, 1);
    assert_int_equal(progress()->sent, 1);
    assert_int_equal(progress()->polls, 1);
    close_bench();
}

static void a_failed_commit_stops_everything_at_once(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    bench.ledger.fails = true;
    open_engine();
    bench.boot_ms += 100;
    assert_int_equal(engine_turn(bench.engine, now_of_bench(), &bench.wake_ms, &bench.err),
                     ERR_STORAGE);
    assert_int_equal(bench.transport.count, 0);
    close_bench();
}

static void items_of_a_job_that_left_the_spec_are_left_alone_and_hold_no_place(void **context)
{
    uint64_t known;
    (void)context;

    for (int i = 0; i < 5; i++) {
        add(1, 0, ITEM_READY);
        add(1, 0, ITEM_WAITING);
    }
    known = add(0, 0, ITEM_READY);
    bench.options.job_count = 1;
    bench.options.outstanding = 2;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    answer(0, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(bench.ledger.durable[known].state, ITEM_SUCCEEDED);
    for (uint64_t number = 1; number < known; number++)
        assert_int_equal(bench.ledger.durable[number].state,
                         number % 2 == 1 ? ITEM_READY : ITEM_WAITING);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->active, 0);
    close_bench();
}

static void a_damaged_record_is_in_doubt_and_counted(void **context)
{
    (void)context;
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t number = add(0, 0, i == 0 ? ITEM_SENDING : ITEM_READY);

        /* What the ledger gives for it: it is in the index, and nothing else is known. */
        bench.ledger.damaged[number] = true;
    }
    open_engine();
    settle();
    assert_int_equal(progress()->in_doubt, 2);
    assert_int_equal(bench.ledger.durable[1].reason, REASON_RECORD_DAMAGED);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_IN_DOUBT);
    assert_int_equal(bench.transport.count, 0);
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    close_bench();
}

/* Whatever was answered, nobody could say that it is an answer to this write. */
static void after_a_restart_a_job_whose_request_is_damaged_is_in_doubt_unasked(void **context)
{
    uint64_t whole, damaged, without_key;
    (void)context;

    whole = add(0, 0, ITEM_WAITING);
    damaged = add(0, 0, ITEM_WAITING);
    without_key = add(1, 0, ITEM_WAITING);
    bench.ledger.request_damaged[damaged] = bench.ledger.request_damaged[without_key] = true;
    open_engine();
    settle();
    bench.boot_ms += 60000; /* past the first poll */
    settle();
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(bench.ledger.durable[damaged].state, ITEM_IN_DOUBT);
    assert_int_equal(bench.ledger.durable[damaged].reason, REASON_RECORD_DAMAGED);
    assert_int_equal(bench.ledger.durable[whole].state, ITEM_WAITING);
    assert_int_equal(bench.ledger.durable[without_key].state, ITEM_WAITING);
    close_bench();
}

/* --- more items than there is memory for --- */

enum { MANY = 10000000 };

static unsigned ready_reads;

static enum err_code one_of_many(struct ledger *self, uint32_t connection, uint64_t after,
                                 uint64_t *number_out, struct item *item_out, struct err *err)
{
    (void)self;
    (void)err;
    ready_reads++;
    if (connection != 0 || after == MANY)
        return ERR_NOT_FOUND;
    *number_out = after + 1;
    *item_out = item_new(
        0, 0, request_hash(METHOD_POST, SLICE("/products"), SLICE("{\"product\":{}}")), WALL_MS);
    return ERR_OK;
}

static enum err_code put_one_of_many(struct ledger *self, uint64_t number,
                                     const struct item *before, const struct item *item,
                                     struct err *err)
{
    (void)before;
    (void)item;
    (void)err;
    assert_true(number <= ITEMS_MAX);
    ((struct fake_ledger *)self)->open_count++;
    return ERR_OK;
}

static void ten_million_ready_items_wait_in_the_ledger(void **context)
{
    struct ledger_ops ops = *bench.ledger.base.ops;
    int64_t live = 0;
    (void)context;

    ops.next_ready = one_of_many;
    ops.put_item = put_one_of_many;
    bench.ledger.base.ops = &ops;
    bench.options.outstanding = 4;
    bench.connections[0].in_flight = 4;
    ready_reads = 0;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 4);
    for (size_t done = 0; done < 40; done += 4) {
        assert_int_equal(progress()->active, 4);
        for (size_t i = 0; i < 4; i++)
            answer(done + i, 201, "{\"product\":{}}");
        settle();
        assert_int_equal(bench.transport.count, done + 8);
        live = done == 0 ? mem_test_live_count() : live; /* the first answer had a place made */
    }
    assert_int_equal(mem_test_live_count(), live);
    assert_in_range(ready_reads, 44, 200); /* they are taken from the ledger as they are sent */
    close_bench();
}

static void no_more_new_items_are_begun_than_asked_for(void **context)
{
    (void)context;
    for (int i = 0; i < 5; i++)
        add(0, 0, ITEM_READY);
    bench.options.item_limit = 2;
    bench.connections[0].in_flight = 8;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    answer(0, 201, "{\"product\":{}}");
    answer(1, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(bench.ledger.durable[3].state, ITEM_READY);
    close_bench();
}

static void what_this_run_did_not_name_stays_ready(void **context)
{
    (void)context;
    for (int i = 0; i < 5; i++)
        add(0, 0, ITEM_READY);
    bench.ledger.durable[2].seen_run = bench.ledger.newest[2].seen_run = 7;
    bench.ledger.durable[4].seen_run = bench.ledger.newest[4].seen_run = 6;
    bench.options.run = 7;
    bench.options.only_seen = true;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    answer(0, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(bench.ledger.durable[2].sent_run, 7);
    for (uint64_t number = 1; number <= 5; number++)
        assert_int_equal(bench.ledger.durable[number].state,
                         number == 2 ? ITEM_SUCCEEDED : ITEM_READY);
    close_bench();
}

/* --- limits --- */

static void limits_of_all_and_of_a_connection_are_kept(void **context)
{
    (void)context;
    for (uint32_t i = 0; i < 8; i++)
        add(0, i / 4, ITEM_READY);
    bench.options.in_flight = 3;
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 3);
    assert_int_equal(progress()->in_flight, 3);
    close_bench();

    set_up_bench();
    for (uint32_t i = 0; i < 8; i++)
        add(0, i / 4, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 4); /* two on each */
    close_bench();
}

static void connections_take_turns(void **context)
{
    (void)context;
    for (uint32_t i = 0; i < 8; i++)
        add(0, i / 4, ITEM_READY);
    bench.options.in_flight = 1;
    open_engine();
    for (size_t i = 0; i < 6; i++) {
        settle();
        assert_int_equal(bench.transport.count, i + 1);
        assert_int_equal(bench.transport.starts[i].connection, i % 2);
        answer(i, 201, "{\"product\":{}}");
    }
    close_bench();
}

static void polls_and_sends_take_turns(void **context)
{
    size_t polls = 0;
    (void)context;

    for (uint32_t i = 0; i < 4; i++)
        add(0, 0, ITEM_WAITING);
    for (uint32_t i = 0; i < 4; i++)
        add(0, 0, ITEM_READY);
    bench.options.in_flight = 1;
    open_engine();
    turn();
    turn_after(1000);
    for (size_t i = 0; i < 6; i++) {
        settle();
        assert_int_equal(bench.transport.count, i + 1);
        polls += bench.transport.starts[i].method == METHOD_GET;
        answer(i, 503, "");
    }
    assert_in_range(polls, 2, 4);
    close_bench();
}

static void a_429_pauses_everything_and_a_452_its_connection(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 1, ITEM_READY);
    bench.options.in_flight = 1;
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 452, .body = SLICE("{}"), .retry_after = "20"});
    settle();
    assert_int_equal(bench.transport.count, 2); /* the other connection goes on */
    assert_int_equal(bench.transport.starts[1].connection, 1);
    reply_to(1, (struct reply){.http_status = 429, .body = SLICE("{}"), .retry_after = "60"});
    settle();
    assert_true(progress()->paused_until_boot_ms >= bench.boot_ms + 59000);
    turn_after(30000);
    assert_int_equal(bench.transport.count, 2);
    turn_after(31000);
    assert_int_equal(bench.transport.count, 3);
    assert_int_equal(progress()->throttled, 2);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_hash_tells_method_path_and_body_apart, set_up),
        cmocka_unit_test_setup(nothing_leaves_before_its_intent_is_durable, set_up),
        cmocka_unit_test_setup(what_is_sent_is_what_was_frozen_under_the_items_key, set_up),
        cmocka_unit_test_setup(bytes_that_are_not_the_frozen_ones_never_leave, set_up),
        cmocka_unit_test_setup(a_path_that_no_url_can_hold_is_a_refusal, set_up),
        cmocka_unit_test_setup(an_operation_without_a_key_is_one_ahead_and_on_its_own_connection,
                               set_up),
        cmocka_unit_test_setup(what_was_turned_away_without_a_key_would_survive_a_crash_unharmed,
                               set_up),
        cmocka_unit_test_setup(what_was_turned_away_without_a_key_is_left_ready_by_a_drain, set_up),
        cmocka_unit_test_setup(an_end_is_counted_when_it_is_durable, set_up),
        cmocka_unit_test_setup(an_accepted_write_is_polled_until_its_end, set_up),
        cmocka_unit_test_setup(a_failed_commit_stops_everything_at_once, set_up),
        cmocka_unit_test_setup(items_of_a_job_that_left_the_spec_are_left_alone_and_hold_no_place,
                               set_up),
        cmocka_unit_test_setup(a_damaged_record_is_in_doubt_and_counted, set_up),
        cmocka_unit_test_setup(after_a_restart_a_job_whose_request_is_damaged_is_in_doubt_unasked,
                               set_up),
        cmocka_unit_test_setup(ten_million_ready_items_wait_in_the_ledger, set_up),
        cmocka_unit_test_setup(no_more_new_items_are_begun_than_asked_for, set_up),
        cmocka_unit_test_setup(what_this_run_did_not_name_stays_ready, set_up),
        cmocka_unit_test_setup(limits_of_all_and_of_a_connection_are_kept, set_up),
        cmocka_unit_test_setup(connections_take_turns, set_up),
        cmocka_unit_test_setup(polls_and_sends_take_turns, set_up),
        cmocka_unit_test_setup(a_429_pauses_everything_and_a_452_its_connection, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
