#include "transport_fixture.h"

/* --- requests --- */

static void a_write_carries_key_version_token_and_credentials(void **state)
{
    static const struct scripted_answer script[] = {{OK_EMPTY, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(7);
    struct reply reply;
    const char *received;

    (void)state;
    open_fixture(&fixture, script, 1, 2);
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    assert_int_equal(reply.http_status, 200);
    assert_int_equal(reply.tag, 7);
    assert_true(slice_is(reply.body, "{}"));
    received = scripted_server_request(fixture.server, 0);
    assert_ptr_equal(
        strstr(received, "POST /versioned/products?access_token=" TOKEN_ENCODED " HTTP/1.1\r\n"),
        received);
    assert_non_null(
        strstr(received, "\r\nIdempotency-Key: 11111111-2222-4333-8444-555555555555\r\n"));
    assert_non_null(strstr(received, "\r\nX-Rutter-Version: 2024-08-31\r\n"));
    assert_non_null(strstr(received, "\r\nAuthorization: Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0\r\n"));
    assert_non_null(strstr(received, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(received, "\r\nUser-Agent: purser/"));
    assert_null(strstr(received, "Expect"));
    assert_null(strstr(received, "Accept"));
    assert_non_null(strstr(received, "\r\n\r\n{\"product\":{}}"));
    close_fixture(&fixture);
}

/* One handle is used for all of them, so that what one leaves behind would show in the next. */
static void each_method_sends_what_it_should_on_a_handle_used_before(void **state)
{
    static const struct scripted_answer script[] = {
        {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP},
        {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    const char *received;

    (void)state;
    open_fixture(&fixture, script, 6, 1);
    request.method = METHOD_PATCH;
    request.path = SLICE("/products/1?x=y");
    request.connection = 1;
    exchange(&fixture, &request);
    received = scripted_server_request(fixture.server, 0);
    assert_ptr_equal(
        strstr(received, "PATCH /versioned/products/1?x=y&access_token=second-token HTTP"),
        received);
    assert_non_null(strstr(received, "{\"product\":{}}"));

    request = (struct transfer_request){.connection = UINT32_MAX,
                                        .remote_job = "job-1",
                                        .job_path = JOB_PATH_BASE,
                                        .timeout_ms = 10000};
    exchange(&fixture, &request);
    received = scripted_server_request(fixture.server, 1);
    assert_ptr_equal(strstr(received, "GET /versioned/jobs/job-1 HTTP"), received);
    assert_null(strstr(received, "Content-"));
    assert_null(strstr(received, "Idempotency"));

    request.job_path = JOB_PATH_V2;
    exchange(&fixture, &request);
    received = scripted_server_request(fixture.server, 2);
    assert_ptr_equal(strstr(received, "GET /v2/jobs/job-1 HTTP"), received);

    request = post_of(1);
    request.method = METHOD_DELETE;
    request.path = SLICE("/products/1");
    request.body = (struct slice){0};
    request.idempotency_key = NULL;
    exchange(&fixture, &request);
    received = scripted_server_request(fixture.server, 3);
    assert_ptr_equal(strstr(received, "DELETE /versioned/products/1?"), received);
    assert_null(strstr(received, "Content-"));

    request.body = SLICE("{\"response_mode\":\"async\"}");
    exchange(&fixture, &request);
    received = scripted_server_request(fixture.server, 4);
    assert_ptr_equal(strstr(received, "DELETE /versioned/products/1?"), received);
    assert_non_null(strstr(received, "\r\n\r\n{\"response_mode\":\"async\"}"));

    request = post_of(1);
    request.body = (struct slice){0};
    request.connection = UINT32_MAX;
    exchange(&fixture, &request);
    received = scripted_server_request(fixture.server, 5);
    assert_ptr_equal(strstr(received, "POST /versioned/products HTTP"), received);
    assert_non_null(strstr(received, "\r\nContent-Length: 0\r\n"));

    assert_int_equal(scripted_server_connection_count(fixture.server), 1);
    close_fixture(&fixture);
}

static void a_path_that_could_change_the_url_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "products",
                                      "//evil.example/x",
                                      "/a b",
                                      "/a\r\nX: y",
                                      "/a#b",
                                      "/../a",
                                      "/a/..",
                                      "/a/%2E./b",
                                      "/.",
                                      "/a\\b",
                                      "/a\xc3\xa4",
                                      "/a?access_token=other"};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    char long_path[PATH_BYTES_MAX + 2];

    (void)state;
    open_fixture(&fixture, NULL, 0, 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        request.path = slice_of(bad[i]);
        assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err), ERR_INPUT);
    }
    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    request.path = (struct slice){long_path, PATH_BYTES_MAX + 1};
    assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err), ERR_INPUT);
    request.path.length = PATH_BYTES_MAX;
    assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
    request = (struct transfer_request){.remote_job = "../x", .timeout_ms = 1000};
    assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err), ERR_INPUT);
    request = post_of(1);
    request.idempotency_key = "a\r\nb";
    assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err), ERR_INPUT);
    memset(long_path, 'k', IDEMPOTENCY_KEY_BYTES_MAX + 1);
    long_path[IDEMPOTENCY_KEY_BYTES_MAX + 1] = '\0';
    request.idempotency_key = long_path;
    assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err), ERR_INPUT);
    long_path[IDEMPOTENCY_KEY_BYTES_MAX] = '\0';
    assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
    assert_int_equal(scripted_server_request_count(fixture.server), 2);
    close_fixture(&fixture);
}

static void no_more_than_the_slots_can_be_in_flight(void **state)
{
    static const struct scripted_answer script[] = {
        {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);

    (void)state;
    open_fixture(&fixture, script, 3, 2);
    begin(&fixture, &request);
    begin(&fixture, &request);
    assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err), ERR_BUSY);
    wait_for_reply(&fixture);
    begin(&fixture, &request); /* the reply's slot is free again */
    wait_for_reply(&fixture);
    wait_for_reply(&fixture);
    close_fixture(&fixture);
}

static void hundreds_of_requests_share_the_connections(void **state)
{
    enum { REQUESTS = 400, SLOTS = 16 };
    static struct scripted_answer script[REQUESTS];
    struct fixture fixture;
    struct transfer_request request;
    bool seen[REQUESTS] = {false};
    int started = 0, taken = 0;

    (void)state;
    for (int i = 0; i < REQUESTS; i++)
        script[i] =
            (struct scripted_answer){OK_EMPTY, 0, i % 50 == 49 ? SCRIPT_CLOSE : SCRIPT_KEEP};
    open_fixture(&fixture, script, REQUESTS, SLOTS);
    while (taken < REQUESTS) {
        struct reply reply;

        for (; started < REQUESTS && started - taken < SLOTS; started++) {
            request = post_of((uint64_t)started);
            begin(&fixture, &request);
        }
        reply = wait_for_reply(&fixture);
        assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
        assert_false(seen[reply.tag]);
        seen[reply.tag] = true;
        taken++;
    }
    assert_int_equal(scripted_server_request_count(fixture.server), REQUESTS);
    assert_true(scripted_server_connection_count(fixture.server) <= SLOTS + REQUESTS / 50);
    close_fixture(&fixture);
}

/* --- sent once, or not at all --- */

/* libcurl alone would send the second request twice and report a success. */
static void a_reused_connection_that_dies_is_not_sent_again_in_silence(void **state)
{
    static const struct scripted_answer script[] = {
        {OK_EMPTY, 0, SCRIPT_KEEP}, {NULL, 0, SCRIPT_CLOSE}, {OK_EMPTY, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    open_fixture(&fixture, script, 3, 1);
    assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_string_equal(reply.failure, "the connection was closed before an answer came");
    assert_int_equal(scripted_server_request_count(fixture.server), 2);
    assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
    close_fixture(&fixture);
}

static void at_most_once_uses_a_connection_of_its_own(void **state)
{
    static const struct scripted_answer script[] = {
        {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);

    (void)state;
    open_fixture(&fixture, script, 3, 2);
    exchange(&fixture, &request);
    request.at_most_once = true;
    exchange(&fixture, &request);
    assert_int_equal(scripted_server_connection_count(fixture.server), 2);
    request.at_most_once = false;
    exchange(&fixture, &request);
    assert_int_equal(scripted_server_connection_count(fixture.server), 2);
    close_fixture(&fixture);
}

static void a_refused_connection_is_not_sent(void **state)
{
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    open_fixture(&fixture, NULL, 0, 1);
    scripted_server_stop(fixture.server); /* its port is closed from here on */
    fixture.server = NULL;
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_NOT_SENT);
    assert_string_not_equal(reply.failure, "");
    close_fixture(&fixture);
}

static void abandoned_transfers_give_no_reply_and_free_their_slots(void **state)
{
    static const struct scripted_answer script[] = {
        {NULL, 0, SCRIPT_KEEP}, {NULL, 0, SCRIPT_KEEP}, {OK_EMPTY, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    open_fixture(&fixture, script, 3, 2);
    begin(&fixture, &request);
    begin(&fixture, &request);
    while (scripted_server_request_count(fixture.server) < 2)
        assert_int_equal(event_loop_turn(fixture.loop, 10, &fixture.err), ERR_OK);
    fixture.port->ops->abandon(fixture.port);
    assert_false(fixture.port->ops->take(fixture.port, &reply));
    request.tag = 9;
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.tag, 9);
    close_fixture(&fixture);
}

static void closing_in_the_middle_of_transfers_leaves_nothing(void **state)
{
    static const struct scripted_answer script[] = {{NULL, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);

    (void)state;
    open_fixture(&fixture, script, 1, 2);
    begin(&fixture, &request);
    assert_int_equal(event_loop_turn(fixture.loop, 10, &fixture.err), ERR_OK);
    close_fixture(&fixture);
}

static void key_logging_of_tls_is_switched_off(void **state)
{
    struct fixture fixture;

    (void)state;
    setenv("SSLKEYLOGFILE", "/nonexistent/keys", 1);
    open_fixture(&fixture, NULL, 0, 1);
    assert_null(getenv("SSLKEYLOGFILE"));
    close_fixture(&fixture);
}

static void opening_without_memory_leaves_nothing(void **state)
{
    struct event_loop *loop;
    struct curl_transport *transport;
    struct err err = {0};
    const struct curl_transport_options options = {.base_url = "http://127.0.0.1:1",
                                                   .version = "v",
                                                   .client_id = "i",
                                                   .client_secret = "s",
                                                   .access_tokens = tokens,
                                                   .connection_count = 2,
                                                   .in_flight = 2};
    int64_t nth = 0;
    enum err_code code = ERR_NO_MEMORY;

    (void)state;
    assert_int_equal(event_loop_open(&loop, &err), ERR_OK);
    for (; code != ERR_OK; nth++) {
        mem_test_fail(nth, 0);
        code = curl_transport_open(loop, &options, &transport, &err);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            curl_transport_close(transport);
        else
            assert_int_equal(code, ERR_NO_MEMORY);
    }
    assert_true(nth > 5);
    event_loop_close(loop);
    assert_int_equal(mem_test_live_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_carries_key_version_token_and_credentials),
        cmocka_unit_test(each_method_sends_what_it_should_on_a_handle_used_before),
        cmocka_unit_test(a_path_that_could_change_the_url_is_refused),
        cmocka_unit_test(no_more_than_the_slots_can_be_in_flight),
        cmocka_unit_test(hundreds_of_requests_share_the_connections),
        cmocka_unit_test(a_reused_connection_that_dies_is_not_sent_again_in_silence),
        cmocka_unit_test(at_most_once_uses_a_connection_of_its_own),
        cmocka_unit_test(a_refused_connection_is_not_sent),
        cmocka_unit_test(abandoned_transfers_give_no_reply_and_free_their_slots),
        cmocka_unit_test(closing_in_the_middle_of_transfers_leaves_nothing),
        cmocka_unit_test(key_logging_of_tls_is_switched_off),
        cmocka_unit_test(opening_without_memory_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
