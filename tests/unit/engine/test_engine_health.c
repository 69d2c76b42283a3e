/* Connections that need a person, and credentials that are doubted. */
#include "engine_bench.h"

static const char usable[] = "{\"connection\":{\"id\":\"c\"},\"status\":{\"is_ready\":true,"
                             "\"needs_update_status\":{\"needs_update\":false},"
                             "\"disabled_status\":{\"is_disabled\":false},"
                             "\"link_url\":\"https://link.invalid/1\"}}";
static const char needs_update[] = "{\"is_ready\":true,"
                                   "\"needs_update_status\":{\"needs_update\":true},"
                                   "\"disabled_status\":{\"is_disabled\":false},"
                                   "\"link_url\":\"https://link.invalid/2\"}";

static int set_up_asking(void **context)
{
    (void)context;
    set_up_bench();
    bench.connections[0].asks_status = bench.connections[1].asks_status = true;
    return 0;
}

/* The last transfer to `path` that has no answer yet. */
/* South works and has a job that never ends, so that the run goes on. */
static void keep_alive(void)
{
    add(0, 1, ITEM_WAITING);
}

static void poll_on(void)
{
    for (size_t i = 0; i < bench.transport.count; i++)
        if (!bench.transport.starts[i].answered && bench.transport.starts[i].remote_job[0] != '\0')
            answer(i, 200, "{\"id\":\"job-1\",\"status\":\"pending\"}");
}

static void pass(int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += 1000) {
        turn_after(1000);
        poll_on();
    }
    settle();
}

static void before_the_first_write_the_status_is_asked(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    assert_int_equal(bench.transport.count, 1);
    assert_string_equal(bench.transport.starts[0].path, "/connections/status");
    assert_int_equal(bench.transport.starts[0].connection, 0);
    answer(0, 200, usable);
    settle();
    assert_string_equal(bench.transport.starts[1].path, "/products");
    close_bench();
}

static void who_has_nothing_to_write_is_not_asked(void **context)
{
    (void)context;
    add(0, 0, ITEM_WAITING);
    open_engine();
    settle();
    turn_after(1000);
    assert_int_equal(count_starts("/connections/status"), 0);
    close_bench();
}

static void a_connection_that_needs_a_person_is_not_written_to(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    add(0, 1, ITEM_READY);
    open_engine();
    settle();
    answer(0, 200, bench.transport.starts[0].connection == 0 ? needs_update : usable);
    answer(1, 200, bench.transport.starts[1].connection == 0 ? needs_update : usable);
    settle();
    answer(find_start("/products"), 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(count_starts("/products"), 1);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_READY);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_SUCCEEDED);
    assert_string_equal(progress()->parked_link, "https://link.invalid/2");
    assert_string_equal(engine_learned(bench.engine, 0).parked_reason, "needs_update");
    assert_int_equal(engine_learned(bench.engine, 0).checked_ms > 0, 1);
    close_bench();
}

static void a_token_of_another_platform_writes_nothing(void **context)
{
    static const char shopify[] = "{\"connection\":{\"platform\":\"SHOPIFY\"},\"is_ready\":true,"
                                  "\"needs_update_status\":{\"needs_update\":false},"
                                  "\"disabled_status\":{\"is_disabled\":false}}";

    (void)context;
    bench.connections[0].platform = "QUICKBOOKS";
    bench.connections[1].platform = "SHOPIFY";
    add(0, 0, ITEM_READY);
    add(0, 1, ITEM_READY);
    open_engine();
    settle();
    answer(0, 200, shopify);
    answer(1, 200, shopify);
    settle();
    answer(find_start("/products"), 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(count_starts("/products"), 1);
    assert_int_equal(bench.ledger.durable[1].state, ITEM_READY);
    assert_int_equal(bench.ledger.durable[2].state, ITEM_SUCCEEDED);
    assert_string_equal(engine_learned(bench.engine, 0).parked_reason, "other_platform");
    close_bench();
}

static void a_status_that_cannot_be_had_does_not_hold_up_for_ever(void **context)
{
    (void)context;
    add(0, 0, ITEM_READY);
    open_engine();
    for (size_t i = 0; i < 3; i++) {
        settle();
        turn_after(30000);
        assert_int_equal(bench.transport.count, i + 1);
        answer(i, 404, "{}");
    }
    settle();
    assert_string_equal(bench.transport.starts[3].path, "/products");
    close_bench();
}

static void a_parked_connection_goes_on_when_its_status_is_good_for_a_while(void **context)
{
    (void)context;
    keep_alive();
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    answer(find_start("/connections/status"), 200, usable);
    settle();
    answer(find_start("/products"), 451, "{}");
    settle();
    /* At once it is asked for the link; that it is said to work counts only later. */
    answer(find_start("/connections/status"), 200, usable);
    answer(find_start("/products"), 451, "{}");
    settle();
    assert_int_equal(progress()->parked_connections, 1);
    pass(55000);
    assert_int_equal(count_starts("/products"), 2);
    pass(30000);
    answer(find_start("/connections/status"), 200, usable);
    settle();
    settle();
    assert_int_equal(progress()->parked_connections, 0);
    assert_int_equal(count_starts("/products"), 4);
    close_bench();
}

static void what_shows_again_that_it_does_not_work_counts_more_than_its_status(void **context)
{
    (void)context;
    add(0, 0, ITEM_WAITING);
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    answer(find_start("/connections/status"), 200, usable);
    settle();
    answer(find_start("/products"), 451, "{}");
    settle();
    answer(find_start("/connections/status"), 503, "{}");
    answer(find_start("/products"), 201, "{\"product\":{}}");
    settle();
    turn_after(50000);
    answer(find_poll("job-1"), 451, "{}");
    settle();
    turn_after(30000);
    answer(find_start("/connections/status"), 200, usable);
    settle();
    assert_int_equal(progress()->parked_connections, 1);
    turn_after(60000);
    answer(find_start("/connections/status"), 200, usable);
    settle();
    assert_int_equal(progress()->parked_connections, 0);
    close_bench();
}

static void what_may_have_been_sent_goes_on_under_its_key(void **context)
{
    char key[KEY_TEXT_BYTES];
    size_t lost;
    (void)context;

    keep_alive();
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    open_engine();
    settle();
    answer(find_start("/connections/status"), 200, usable);
    settle();
    lost = find_start("/products");
    (void)snprintf(key, sizeof key, "%s", bench.transport.starts[lost].key);
    reply_to(lost, (struct reply){.http_status = 502, .date = "Mon, 12 Jan 1970 13:46:45 GMT"});
    answer(find_start("/products"), 451, "{}");
    settle();
    answer(find_start("/connections/status"), 200, usable);
    pass(85000);
    assert_int_equal(count_starts("/products"), 2);
    answer(find_start("/connections/status"), 200, usable);
    settle();
    turn_after(1000);
    settle();
    assert_int_equal(count_starts("/products"), 4);
    assert_true(strcmp(bench.transport.starts[bench.transport.count - 1].key, key) == 0 ||
                strcmp(bench.transport.starts[bench.transport.count - 2].key, key) == 0);
    close_bench();
}

static void places_that_others_need_are_left_to_the_next_run(void **context)
{
    (void)context;
    bench.options.outstanding = 2;
    add(0, 0, ITEM_READY);
    add(0, 0, ITEM_READY);
    for (int i = 0; i < 4; i++)
        add(0, 1, ITEM_READY);
    bench.connections[1].asks_status = false;
    open_engine();
    settle();
    answer(find_start("/connections/status"), 200, usable);
    for (int i = 0; i < 20 && progress()->phase != ENGINE_ENDED; i++) {
        settle();
        for (size_t at = 0; at < bench.transport.count; at++) {
            const struct started *started = &bench.transport.starts[at];

            if (started->answered)
                continue;
            if (started->method == METHOD_GET)
                answer(at, 200, needs_update);
            else if (started->connection == 0)
                reply_to(at, (struct reply){.http_status = 503});
            else
                answer(at, 201, "{\"product\":{}}");
        }
        if (i == 1)
            engine_drain(bench.engine, bench.boot_ms + 100000);
    }
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    close_bench();
}

static void a_refused_token_parks_its_connection_alone(void **context)
{
    (void)context;
    bench.connections[0].asks_status = bench.connections[1].asks_status = false;
    for (uint32_t i = 0; i < 6; i++)
        add(0, i % 2, ITEM_READY);
    open_engine();
    settle();
    answer(0, 401, "{}");
    for (size_t i = 1; i < 4; i++)
        answer(i, bench.transport.starts[i].connection == 0 ? 401 : 201, "{\"product\":{}}");
    turn();
    assert_int_equal(count_starts("/products"), 4); /* nothing more until it is settled */
    answer(find_start("/connections"), 200, "{\"connections\":[]}");
    settle();
    answer(find_start("/products"), 201, "{\"product\":{}}");
    settle();
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_NONE);
    assert_int_equal(progress()->succeeded, 3);
    assert_string_equal(progress()->parked_reason, "unauthorized");
    assert_true(progress()->parked_for_credentials);
    close_bench();
}

static void when_the_first_rows_are_all_refused_their_job_stops(void **context)
{
    (void)context;
    bench.jobs[0].refusals_max = 3;
    bench.connections[0].asks_status = bench.connections[1].asks_status = false;
    for (int i = 0; i < 6; i++)
        add(0, 0, ITEM_READY);
    add(1, 1, ITEM_READY);
    open_engine();
    for (size_t i = 0; i < 12 && progress()->phase != ENGINE_ENDED; i++) {
        settle();
        for (size_t at = 0; at < bench.transport.count; at++)
            if (!bench.transport.starts[at].answered)
                answer(at, bench.transport.starts[at].method == METHOD_POST ? 400 : 200,
                       "{\"product\":{}}");
    }
    assert_int_equal(progress()->phase, ENGINE_ENDED);
    assert_int_equal(progress()->stop, STOP_NONE);
    assert_int_equal(progress()->stopped_jobs, 1);
    assert_string_equal(progress()->stopped_job, "create");
    assert_int_equal(progress()->succeeded, 1); /* the other job */
    assert_in_range(progress()->failed, 3, 4);  /* what was on the wire */
    assert_int_equal(bench.ledger.durable[6].state, ITEM_READY);
    close_bench();
}

static void one_row_that_went_well_lets_the_job_go_on(void **context)
{
    (void)context;
    bench.jobs[0].refusals_max = 3;
    bench.connections[0].asks_status = false;
    for (int i = 0; i < 6; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    for (size_t i = 0; i < 12 && progress()->phase != ENGINE_ENDED; i++) {
        settle();
        for (size_t at = 0; at < bench.transport.count; at++)
            if (!bench.transport.starts[at].answered)
                answer(at, at == 1 ? 201 : 400, "{\"product\":{}}");
    }
    assert_int_equal(progress()->stopped_jobs, 0);
    assert_int_equal(progress()->failed, 5);
    close_bench();
}

static void a_storm_lets_only_single_requests_through(void **context)
{
    (void)context;
    bench.connections[0].asks_status = bench.connections[1].asks_status = false;
    for (uint32_t i = 0; i < 12; i++)
        add(0, i % 2, ITEM_READY);
    open_engine();
    for (int i = 0; i < 60 && bench.transport.count < 20; i++) {
        settle();
        for (size_t at = 0; at < bench.transport.count; at++)
            if (!bench.transport.starts[at].answered)
                reply_to(at, (struct reply){.http_status = 503,
                                            .date = "Mon, 12 Jan 1970 13:46:45 GMT"});
        turn_after(1000);
    }
    for (size_t at = 0; at < bench.transport.count; at++)
        if (!bench.transport.starts[at].answered)
            reply_to(at, (struct reply){.http_status = 503});
    settle();
    turn_after(2000);
    settle();
    assert_int_equal(progress()->in_flight, 1);
    answer(bench.transport.count - 1, 201, "{\"product\":{}}");
    settle();
    assert_true(progress()->in_flight > 1);
    close_bench();
}

static bool was_sent_before(size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(bench.transport.starts[i].key, bench.transport.starts[at].key) == 0)
            return true;
    return false;
}

/* A server that fails the first time for each write: new ones would meet that again and again. */
static void what_may_be_done_already_finds_out_whether_a_storm_is_over(void **context)
{
    size_t seen = 0, probes = 0;
    int quiet = 0;

    (void)context;
    bench.connections[0].asks_status = false;
    bench.options.outstanding = ITEMS_MAX;
    for (uint32_t i = 0; i < ITEMS_MAX; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    for (int i = 0; i < 3000 && probes < 4; i++) {
        turn_after(10);
        probes += quiet >= 40 && bench.transport.count == seen + 1;
        quiet = bench.transport.count == seen ? quiet + 1 : 0;
        for (; seen < bench.transport.count; seen++) {
            if (probes > 0)
                assert_true(was_sent_before(seen));
            reply_to(seen,
                     (struct reply){.http_status = 503, .date = "Mon, 12 Jan 1970 13:46:45 GMT"});
        }
    }
    assert_int_equal(probes, 4);
    close_bench();
}

static void a_platform_that_fails_every_job_is_not_given_all_of_them(void **context)
{
    (void)context;
    bench.connections[0].asks_status = false;
    bench.options.outstanding = ITEMS_MAX;
    for (uint32_t i = 0; i < ITEMS_MAX; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    for (int i = 0; i < 200; i++) {
        turn_after(100);
        for (size_t at = 0; at < bench.transport.count; at++) {
            if (bench.transport.starts[at].answered)
                continue;
            if (bench.transport.starts[at].method == METHOD_POST)
                accept(at);
            else
                answer(at, 200,
                       "{\"id\":\"job-1\",\"status\":\"failure\",\"request\":{},"
                       "\"response\":{\"http_status\":550,\"body\":{}}}");
        }
    }
    assert_in_range(count_starts("/products"), 20, ITEMS_MAX - 15);
    assert_int_equal(progress()->in_doubt, count_starts("/products"));
    close_bench();
}

static void a_probe_whose_job_is_lost_does_not_close_the_connection_for_good(void **context)
{
    size_t failures = 0, posts = 0;
    (void)context;

    bench.connections[0].asks_status = false;
    bench.options.outstanding = ITEMS_MAX;
    for (uint32_t i = 0; i < ITEMS_MAX; i++)
        add(0, 0, ITEM_READY);
    open_engine();
    for (int i = 0; i < 300; i++) {
        turn_after(100);
        for (size_t at = 0; at < bench.transport.count; at++) {
            if (bench.transport.starts[at].answered)
                continue;
            if (bench.transport.starts[at].method == METHOD_POST)
                accept(at);
            else if (failures++ < 20)
                answer(at, 200,
                       "{\"id\":\"job-1\",\"status\":\"failure\",\"request\":{},"
                       "\"response\":{\"http_status\":550,\"body\":{}}}");
            else
                answer(at, 404, "{}");
        }
        if (i == 150)
            posts = count_starts("/products");
    }
    assert_true(count_starts("/products") > posts || count_starts("/products") == ITEMS_MAX);
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(before_the_first_write_the_status_is_asked, set_up_asking),
        cmocka_unit_test_setup(who_has_nothing_to_write_is_not_asked, set_up_asking),
        cmocka_unit_test_setup(a_connection_that_needs_a_person_is_not_written_to, set_up_asking),
        cmocka_unit_test_setup(a_token_of_another_platform_writes_nothing, set_up_asking),
        cmocka_unit_test_setup(a_status_that_cannot_be_had_does_not_hold_up_for_ever,
                               set_up_asking),
        cmocka_unit_test_setup(a_parked_connection_goes_on_when_its_status_is_good_for_a_while,
                               set_up_asking),
        cmocka_unit_test_setup(what_may_have_been_sent_goes_on_under_its_key, set_up_asking),
        cmocka_unit_test_setup(places_that_others_need_are_left_to_the_next_run, set_up_asking),
        cmocka_unit_test_setup(what_shows_again_that_it_does_not_work_counts_more_than_its_status,
                               set_up_asking),
        cmocka_unit_test_setup(a_refused_token_parks_its_connection_alone, set_up_asking),
        cmocka_unit_test_setup(when_the_first_rows_are_all_refused_their_job_stops, set_up_asking),
        cmocka_unit_test_setup(one_row_that_went_well_lets_the_job_go_on, set_up_asking),
        cmocka_unit_test_setup(a_storm_lets_only_single_requests_through, set_up_asking),
        cmocka_unit_test_setup(what_may_be_done_already_finds_out_whether_a_storm_is_over,
                               set_up_asking),
        cmocka_unit_test_setup(a_probe_whose_job_is_lost_does_not_close_the_connection_for_good,
                               set_up_asking),
        cmocka_unit_test_setup(a_platform_that_fails_every_job_is_not_given_all_of_them,
                               set_up_asking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
