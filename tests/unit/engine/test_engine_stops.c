/* Why a run stops, what it leaves behind, and the time that it goes by. */
#include "engine_bench.h"

/* --- why a run stops --- */

static void refused_credentials_stop_the_run_and_keep_the_items(void **context)
{
    (void)context;
    for (int i = 0; i < 4; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    settle();
    answer(0, 401, "{}");
    answer(1, 401, "{}");
    settle();
    assert_string_equal(bench.transport.starts[2].path, "/connections");
    answer(2, 401, "{}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_CREDENTIALS);
    assert_int_equal(progress()->parked_connections, 0); /* nothing is said of its token */
    for (uint64_t number = 1; number <= 4; number++)
        assert_int_equal(bench.ledger.durable[number].state, ITEM_READY);
    close_bench();
}

static void what_is_not_the_api_stops_the_run(void **context)
{
    static const enum transfer_outcome outcomes[] = {TRANSFER_ANSWERED, TRANSFER_UNTRUSTED};
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        set_up_bench();
        add(0, 0, ITEM_READY);
        open_engine();
        settle();
        reply_to(0, (struct reply){.outcome = outcomes[i], .http_status = 307, .failure = "who?"});
        settle();
        assert_int_equal(progress()->stop, STOP_NOT_THE_API);
        assert_int_equal(bench.ledger.durable[1].state, ITEM_READY);
        close_bench();
    }
}

static void a_parked_connection_lets_the_others_go_on(void **context)
{
    (void)context;
    for (uint32_t i = 0; i < 8; i++)
        add(0, i / 4, ITEM_READY);
    bench.options.outstanding = 4; /* all places could be its own */
    open_engine();
    settle();
    for (size_t i = 0; i < bench.transport.count; i++) {
        if (bench.transport.starts[i].answered)
            continue;
        if (bench.transport.starts[i].connection == 0)
            answer(i, 451, "{\"error_type\":\"X\",\"error_code\":\"NEEDS_UPDATE\"}");
        else
            answer(i, 201, "{\"product\":{}}");
        settle();
    }
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_NONE);
    assert_int_equal(progress()->succeeded, 4);
    assert_int_equal(progress()->parked_connections, 1);
    assert_string_equal(progress()->parked_alias, "north");
    assert_string_equal(progress()->parked_reason, "needs_update");
    assert_true(progress()->parked_for_credentials);
    for (uint64_t number = 1; number <= 4; number++)
        assert_int_equal(bench.ledger.durable[number].state, ITEM_READY);
    close_bench();
}

static void a_connection_without_permission_is_parked_but_not_for_credentials(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    answer(0, 403, "{}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_string_equal(progress()->parked_reason, "not_allowed");
    assert_false(progress()->parked_for_credentials);
    close_bench();
}

static void too_many_failures_stop_the_run(void **context)
{
    (void)context;
    for (int i = 0; i < 6; i++)
        add(0, 0, ITEM_READY);
    bench.jobs[0].failures_max = 1;
    open_engine();
    settle();
    answer(0, 400, "{}");
    settle();
    assert_int_equal(progress()->stop, STOP_NONE);
    answer(1, 400, "{}");
    settle();
    assert_int_equal(progress()->stop, STOP_MAX_FAILURES);
    assert_non_null(strstr(progress()->stop_text, "create"));
    close_bench();
}

static void a_server_that_never_answers_stops_the_run(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    for (size_t i = 0; i < 50 && progress()->phase == ENGINE_RUNNING; i++) {
        if (i < bench.transport.count)
            reply_to(i, (struct reply){.outcome = TRANSFER_NOT_SENT, .failure = "no route"});
        settle();
        turn_after(10000);
    }
    assert_int_equal(progress()->stop, STOP_UNREACHABLE);
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_READY); /* nothing ever left */
    close_bench();
}

static void a_drain_waits_for_the_wire_and_then_gives_up(void **context)
{
    (void)context;
    for (int i = 0; i < 4; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 2);
    engine_drain(bench.engine, bench.boot_ms + 5000);
    answer(0, 201, "{\"product\":{}}");
    settle();
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(progress()->phase, ENGINE_DRAINING);
    assert_int_equal(bench.ledger.durable[3].state, ITEM_READY);
    turn_after(6000);
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_ASKED);
    assert_true(bench.transport.abandoned);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_SUCCEEDED);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_SENDING); /* it may have been done */
    close_bench();
}

/* --- the server's time --- */

static void before_the_first_repeat_the_server_is_asked_for_its_time(void **context)
{
    (void)context;
    add(0, 0, ITEM_SENDING);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(bench.transport.starts[0].method, METHOD_GET);
    assert_string_equal(bench.transport.starts[0].path, "/connections");
    /* The host believes that a second has passed since the intent; the server knows better. */
    reply_to(0, (struct reply){.http_status = 200, .date = "Fri, 01 Jan 2027 00:00:00 GMT"});
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_IN_DOUBT);
    assert_int_equal(bench.ledger.durable[1].reason, REASON_WINDOW_PASSED);
    close_bench();
}

static void a_server_without_a_time_leaves_the_hosts(void **context)
{
    (void)context;
    add(0, 0, ITEM_SENDING);
    open_engine();
    settle();
    reply_to(0, (struct reply){.outcome = TRANSFER_LOST, .failure = "reset"});
    settle();
    assert_int_equal(bench.transport.count, 1); /* not at once */
    turn_after(30000);
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(bench.transport.starts[1].method, METHOD_GET);
    answer(1, 404, "{}");
    settle();
    assert_int_equal(bench.transport.count, 3);
    assert_int_equal(bench.transport.starts[2].method, METHOD_POST);
    close_bench();
}

static void who_is_not_trusted_is_not_believed_the_time(void **context)
{
    (void)context;
    add(0, 0, ITEM_SENDING);
    open_engine();
    settle();
    reply_to(0, (struct reply){.outcome = TRANSFER_UNTRUSTED, .failure = "a strange certificate"});
    settle();
    assert_int_equal(progress()->stop, STOP_NOT_THE_API);
    assert_string_equal(progress()->stop_text, "a strange certificate");
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(bench.transport.count, 1);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_SENDING);
    close_bench();
}

static void a_server_that_never_tells_the_time_is_unreachable(void **context)
{
    (void)context;
    add(0, 0, ITEM_SENDING);
    open_engine();
    settle();
    for (size_t i = 0; i < 50 && progress()->phase == ENGINE_RUNNING; i++) {
        if (i < bench.transport.count)
            reply_to(i, (struct reply){.outcome = TRANSFER_LOST, .failure = "reset"});
        settle();
        turn_after(30000);
    }
    assert_int_equal(progress()->stop, STOP_UNREACHABLE);
    assert_in_range(bench.transport.count, 3, 20); /* asked with pauses */
    for (size_t i = 0; i < bench.transport.count; i++)
        assert_int_equal(bench.transport.starts[i].method, METHOD_GET);
    close_bench();
}

static void an_answer_to_the_question_ends_the_silence(void **context)
{
    (void)context;
    add(0, 0, ITEM_SENDING);
    bench.options.unreachable_ms = 60000;
    open_engine();
    settle();
    for (size_t i = 0; i < 2; i++) {
        reply_to(i, (struct reply){.outcome = TRANSFER_LOST, .failure = "reset"});
        settle();
        turn_after(35000);
    }
    answer(2, 404, "{}"); /* 70 s later, but an answer */
    settle();
    assert_int_equal(bench.transport.starts[3].method, METHOD_POST);
    reply_to(3, (struct reply){.outcome = TRANSFER_LOST, .failure = "reset"});
    settle();
    assert_int_equal(progress()->phase, ENGINE_RUNNING);
    close_bench();
}

static void an_intent_of_the_future_proves_nothing_about_its_age(void **context)
{
    (void)context;
    add(0, 0, ITEM_SENDING);
    bench.ledger.durable[1].intent_ms = INT64_C(1800000000000);
    bench.ledger.newest[1] = bench.ledger.durable[1];
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 200, .date = "Fri, 01 Jan 2027 00:00:00 GMT"});
    settle();
    assert_int_equal(bench.ledger.durable[1].state, ITEM_IN_DOUBT);
    close_bench();
}

static void in_the_same_boot_a_clock_set_right_does_not_make_a_key_younger(void **context)
{
    static const struct {
        uint32_t boot;
        int64_t age_ms;
        enum item_state state;
    } cases[] = {
        {7, 3600000, ITEM_IN_DOUBT}, {7, 3599000, ITEM_SENDING}, {8, 3600000, ITEM_SENDING}};
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        set_up_bench();
        bench.options.boot = 7;
        bench.boot_ms = 5000000;
        add(0, 0, ITEM_SENDING);
        /* The host was four minutes ahead when it made the intent. */
        bench.ledger.durable[1].intent_ms = WALL_MS + bench.boot_ms + 240000;
        bench.ledger.durable[1].intent_boot = cases[i].boot;
        bench.ledger.durable[1].intent_boot_ms = bench.boot_ms - cases[i].age_ms;
        bench.ledger.newest[1] = bench.ledger.durable[1];
        open_engine();
        settle();
        reply_to(0, (struct reply){.http_status = 200});
        settle();
        assert_int_equal(bench.ledger.durable[1].state, cases[i].state);
        close_bench();
    }
}

static void a_wrong_host_clock_does_not_age_the_keys_of_this_run(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY); /* the intent bears the host's time, which is years behind */
    open_engine();
    settle();
    reply_to(0, (struct reply){.http_status = 503, .date = "Fri, 01 Jan 2027 00:00:00 GMT"});
    settle();
    turn_after(1000);
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(bench.transport.starts[1].method, METHOD_POST);
    assert_string_equal(bench.transport.starts[1].key, bench.transport.starts[0].key);
    close_bench();
}

/* The host lives in 1970. */
static void a_stamp_of_the_host_has_the_servers_time_in_the_ledger_before_it_leaves(void **context)
{
    const int64_t new_year_ms = INT64_C(1798761600000);
    (void)context;

    bench.options.boot = 7;
    bench.boot_ms = 5000000;
    add(0, 0, ITEM_SENDING);
    bench.ledger.durable[1].intent_boot = 7;
    bench.ledger.durable[1].intent_boot_ms = bench.boot_ms - 60000;
    bench.ledger.newest[1] = bench.ledger.durable[1];
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    reply_to(0, (struct reply){.http_status = 200, .date = "Fri, 01 Jan 2027 00:00:00 GMT"});
    settle();
    assert_int_equal(bench.transport.count, 2);
    assert_int_equal(bench.transport.starts[1].method, METHOD_POST);
    assert_in_range(bench.ledger.durable[1].intent_ms, new_year_ms - 61000, new_year_ms - 59000);
    close_bench();
}

/* --- memory --- */

static void without_memory_for_the_engine_nothing_is_left_behind(void **context)
{
    enum err_code code = ERR_NO_MEMORY;
    (void)context;

    add(0, 0, ITEM_READY);
    for (int64_t nth = 0; nth < 100 && code != ERR_OK; nth++) {
        bench.engine = NULL;
        mem_test_fail(nth, 1);
        code = engine_new(&bench.options, &bench.ledger.base, &bench.transport.base, now_of_bench(),
                          &bench.engine, &bench.err);
        mem_test_fail(-1, 0);
        assert_true(code == ERR_OK || code == ERR_NO_MEMORY);
        if (code != ERR_OK)
            assert_int_equal(mem_test_live_count(), 0);
    }
    assert_int_equal(code, ERR_OK);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(refused_credentials_stop_the_run_and_keep_the_items, set_up),
        cmocka_unit_test_setup(what_is_not_the_api_stops_the_run, set_up),
        cmocka_unit_test_setup(a_parked_connection_lets_the_others_go_on, set_up),
        cmocka_unit_test_setup(a_connection_without_permission_is_parked_but_not_for_credentials,
                               set_up),
        cmocka_unit_test_setup(too_many_failures_stop_the_run, set_up),
        cmocka_unit_test_setup(a_server_that_never_answers_stops_the_run, set_up),
        cmocka_unit_test_setup(a_drain_waits_for_the_wire_and_then_gives_up, set_up),
        cmocka_unit_test_setup(before_the_first_repeat_the_server_is_asked_for_its_time, set_up),
        cmocka_unit_test_setup(a_server_without_a_time_leaves_the_hosts, set_up),
        cmocka_unit_test_setup(who_is_not_trusted_is_not_believed_the_time, set_up),
        cmocka_unit_test_setup(a_server_that_never_tells_the_time_is_unreachable, set_up),
        cmocka_unit_test_setup(an_answer_to_the_question_ends_the_silence, set_up),
        cmocka_unit_test_setup(an_intent_of_the_future_proves_nothing_about_its_age, set_up),
        cmocka_unit_test_setup(in_the_same_boot_a_clock_set_right_does_not_make_a_key_younger,
                               set_up),
        cmocka_unit_test_setup(a_wrong_host_clock_does_not_age_the_keys_of_this_run, set_up),
        cmocka_unit_test_setup(
            a_stamp_of_the_host_has_the_servers_time_in_the_ledger_before_it_leaves, set_up),
        cmocka_unit_test_setup(without_memory_for_the_engine_nothing_is_left_behind, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
