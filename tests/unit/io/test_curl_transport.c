#include "purser/io/curl_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/io/clock.h"
#include "scripted_server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define OK_EMPTY OK_HEAD "Content-Length: 2\r\n\r\n{}"
#define TOKEN "to/ken+with=odd&bytes"
#define TOKEN_ENCODED "to%2Fken%2Bwith%3Dodd%26bytes"

/* Secrets that must never come out in any text of the transport. */
static const char *const tokens[] = {TOKEN, "second-token"};

struct fixture {
    struct event_loop *loop;
    struct scripted_server *server;
    struct curl_transport *transport;
    struct transport *port;
    struct err err;
};

static void open_transport(struct fixture *fixture, const char *base_url, const char *ca_file,
                           uint32_t in_flight)
{
    const struct curl_transport_options options = {.base_url = base_url,
                                                   .version = "2024-08-31",
                                                   .client_id = "the-client",
                                                   .client_secret = "the-secret",
                                                   .access_tokens = tokens,
                                                   .connection_count = 2,
                                                   .ca_file = ca_file,
                                                   .in_flight = in_flight,
                                                   .connect_timeout_ms = 5000};

    assert_int_equal(event_loop_open(&fixture->loop, &fixture->err), ERR_OK);
    if (curl_transport_open(fixture->loop, &options, &fixture->transport, &fixture->err) != ERR_OK)
        fail_msg("%s", fixture->err.text);
    fixture->port = curl_transport_port(fixture->transport);
}

static void open_fixture(struct fixture *fixture, const struct scripted_answer *script,
                         size_t count, uint32_t in_flight)
{
    char base_url[64];

    memset(fixture, 0, sizeof *fixture);
    fixture->server = scripted_server_start(script, count);
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u/versioned",
             scripted_server_port(fixture->server));
    open_transport(fixture, base_url, NULL, in_flight);
}

static void close_fixture(struct fixture *fixture)
{
    curl_transport_close(fixture->transport);
    event_loop_close(fixture->loop);
    if (fixture->server != NULL)
        scripted_server_stop(fixture->server);
    assert_int_equal(mem_test_live_count(), 0);
}

static struct transfer_request post_of(uint64_t tag)
{
    return (struct transfer_request){.tag = tag,
                                     .connection = 0,
                                     .method = METHOD_POST,
                                     .path = SLICE("/products"),
                                     .body = SLICE("{\"product\":{}}"),
                                     .idempotency_key = "11111111-2222-4333-8444-555555555555",
                                     .timeout_ms = 10000};
}

static void begin(struct fixture *fixture, const struct transfer_request *request)
{
    if (fixture->port->ops->start(fixture->port, request, &fixture->err) != ERR_OK)
        fail_msg("%s", fixture->err.text);
}

static struct reply wait_for_reply(struct fixture *fixture)
{
    struct reply reply;
    int64_t start_ms = clock_boot_ms();

    memset(&reply, 0xff, sizeof reply);
    while (!fixture->port->ops->take(fixture->port, &reply)) {
        assert_int_equal(event_loop_turn(fixture->loop, 1000, &fixture->err), ERR_OK);
        assert_true(clock_boot_ms() - start_ms < 30000);
    }
    assert_null(strstr(reply.failure, "token"));
    return reply;
}

static struct reply exchange(struct fixture *fixture, const struct transfer_request *request)
{
    begin(fixture, request);
    return wait_for_reply(fixture);
}

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
    assert_int_equal(scripted_server_request_count(fixture.server), 1);
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

/* --- answers --- */

static void headers_that_matter_are_kept_and_trailers_are_not(void **state)
{
    static const struct scripted_answer script[] = {
        {"HTTP/1.1 103 Early Hints\r\nX-Rutter-Job-ID: early\r\n\r\n"
         "HTTP/1.1 202 Accepted\r\nX-Rutter-Job-ID:  job-9 \r\nx-rutter-request-id: req-1\r\n"
         "Retry-After: 3\r\nDate: Thu, 26 Nov 2026 21:45:23 GMT\r\nContent-Type: "
         "application/json\r\n"
         "X-Rutter-Job-ID: job-10\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\n{}\r\n0\r\nX-Rutter-Job-ID: trailer\r\n\r\n",
         0, SCRIPT_KEEP},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\n{}\r\n0\r\nX-Rutter-Job-ID: trailer\r\n\r\n",
         0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    open_fixture(&fixture, script, 2, 1);
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.http_status, 202);
    assert_string_equal(reply.job_id, "job-9");
    assert_string_equal(reply.request_id, "req-1");
    assert_string_equal(reply.retry_after, "3");
    assert_string_equal(reply.date, "Thu, 26 Nov 2026 21:45:23 GMT");
    assert_string_equal(reply.content_type, "application/json");
    reply = exchange(&fixture, &request);
    assert_string_equal(reply.job_id, "");
    assert_string_equal(reply.date, "");
    close_fixture(&fixture);
}

static void a_job_id_too_long_is_not_cut_to_a_valid_one(void **state)
{
    static char answer[1024];
    const struct scripted_answer script[] = {{answer, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);

    (void)state;
    snprintf(answer, sizeof answer,
             "HTTP/1.1 200 OK\r\nX-Rutter-Job-ID: %0200d\r\nContent-Length: 0\r\n\r\n", 1);
    open_fixture(&fixture, script, 1, 1);
    assert_true(strlen(exchange(&fixture, &request).job_id) > REMOTE_JOB_BYTES_MAX);
    close_fixture(&fixture);
}

static void redirects_are_answers_and_are_not_followed(void **state)
{
    static const struct scripted_answer script[] = {
        {"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 0,
         SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);

    (void)state;
    open_fixture(&fixture, script, 1, 1);
    assert_int_equal(exchange(&fixture, &request).http_status, 307);
    assert_int_equal(scripted_server_request_count(fixture.server), 1);
    close_fixture(&fixture);
}

static void answers_that_are_not_complete_are_lost(void **state)
{
    static const struct scripted_answer script[] = {
        {NULL, 0, SCRIPT_CLOSE},
        {NULL, 0, SCRIPT_RESET},
        {OK_HEAD, 0, SCRIPT_CLOSE},
        {OK_HEAD "Content-Length: 10\r\n\r\n{}", 0, SCRIPT_CLOSE},
        {OK_HEAD "Content-Length: 10\r\n\r\n{}", 0, SCRIPT_RESET},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 0, SCRIPT_CLOSE},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 0, SCRIPT_CLOSE},
        {"{\"no\":\"http at all\"}\r\n\r\n", 0, SCRIPT_CLOSE},
        {"HTTP/1.1 100 Continue\r\n\r\n", 0, SCRIPT_CLOSE},
    };
    const size_t count = sizeof script / sizeof script[0];
    struct fixture fixture;
    struct transfer_request request = post_of(1);

    (void)state;
    open_fixture(&fixture, script, count, 1);
    for (size_t i = 0; i < count; i++) {
        struct reply reply = exchange(&fixture, &request);

        assert_int_equal(reply.outcome, TRANSFER_LOST);
        assert_int_equal(reply.http_status, 0);
        assert_int_equal(reply.body.length, 0);
        assert_string_not_equal(reply.failure, "");
        assert_string_equal(reply.job_id, "");
    }
    assert_int_equal(scripted_server_request_count(fixture.server), count);
    close_fixture(&fixture);
}

static void append(char *text, size_t size, const char *more)
{
    size_t length = strlen(text);

    snprintf(text + length, size - length, "%s", more);
}

static void an_answer_past_its_maximum_is_lost(void **state)
{
    static const char body_head[] = OK_HEAD "\r\n";
    static const char header_head[] = "HTTP/1.1 200 OK\r\nX-Long: ";
    static char body[sizeof body_head + ANSWER_BYTES_MAX + 1], headers[200 * 1024];
    static char informational[4096];
    struct scripted_answer script[] = {{body, 0, SCRIPT_CLOSE},
                                       {body, 0, SCRIPT_CLOSE},
                                       {headers, 0, SCRIPT_CLOSE},
                                       {informational, 0, SCRIPT_CLOSE}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    memset(body, 'x', sizeof body);
    memcpy(body, body_head, sizeof body_head - 1);
    script[0].length = sizeof body_head - 1 + ANSWER_BYTES_MAX;
    script[1].length = script[0].length + 1;
    for (size_t length = 0; length < sizeof headers - 200; length = strlen(headers))
        snprintf(headers + length, sizeof headers - length, "%s%0100d\r\n",
                 length == 0 ? header_head : "X-More: ", 1);
    append(headers, sizeof headers, "Content-Length: 0\r\n\r\n");
    for (int i = 0; i < 40; i++)
        append(informational, sizeof informational, "HTTP/1.1 103 Early Hints\r\n\r\n");
    open_fixture(&fixture, script, 4, 1);
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    assert_int_equal(reply.body.length, ANSWER_BYTES_MAX);
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_string_equal(reply.failure, "the answer is longer than 4 MiB");
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_string_equal(reply.failure, "the answer's headers are longer than 64 KiB");
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_string_equal(reply.failure, "more than 32 informational answers (1xx)");
    close_fixture(&fixture);
}

static void a_server_that_says_nothing_is_lost_after_the_timeout(void **state)
{
    static const struct scripted_answer script[] = {{NULL, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    open_fixture(&fixture, script, 1, 1);
    request.timeout_ms = 60;
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_true(reply.duration_ms >= 50);
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

/* --- URLs and peers --- */

static void base_urls_are_https_or_loopback_and_nothing_more(void **state)
{
    static const char *const good[] = {"https://production.rutterapi.com/versioned",
                                       "https://host",
                                       "HTTPS://Host:8443/",
                                       "http://127.0.0.1:8080/versioned",
                                       "http://127.9.9.9",
                                       "http://localhost:1",
                                       "http://[::1]:80/x"};
    static const char *const bad[] = {"",
                                      "production.rutterapi.com",
                                      "http://production.rutterapi.com",
                                      "http://127.0.0.1.evil.example",
                                      "http://localhost.evil.example",
                                      "http://10.0.0.1",
                                      "https://user@host",
                                      "https://good.example@evil.example/",
                                      "https://user:pass@host",
                                      "https://host/?q",
                                      "https://host/?",
                                      "https://host/#f",
                                      "file:///etc/hostname",
                                      "ftp://host",
                                      "https://host/a b",
                                      "https://host/%2e%2e/x",
                                      "https://ho st",
                                      "https://host\r\nX: y"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (curl_transport_check_base_url(good[i], &err) != ERR_OK)
            fail_msg("%s: %s", good[i], err.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (curl_transport_check_base_url(bad[i], &err) != ERR_INPUT)
            fail_msg("'%s' was taken", bad[i]);
        assert_string_not_equal(err.text, "");
    }
}

static void an_origin_is_lower_case_with_its_port(void **state)
{
    static const struct {
        const char *url, *origin;
    } cases[] = {
        {"https://Production.RutterAPI.com/v2/jobs/1", "https://production.rutterapi.com:443"},
        {"http://127.0.0.1/", "http://127.0.0.1:80"},
        {"https://[::1]:8443/x?y#z", "https://[::1]:8443"},
        {"https://good.example@evil.example/", "https://evil.example:443"}};
    char origin[256];
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(origin, 0xff, sizeof origin);
        assert_int_equal(curl_transport_origin(cases[i].url, origin, sizeof origin, &err), ERR_OK);
        assert_string_equal(origin, cases[i].origin);
    }
    assert_int_equal(curl_transport_origin("no url", origin, sizeof origin, &err), ERR_INPUT);
    assert_int_equal(curl_transport_origin("https://host/", origin, 8, &err), ERR_INPUT);
}

static void credentials_that_cannot_be_sent_are_refused(void **state)
{
    struct event_loop *loop;
    struct curl_transport *transport;
    struct err err = {0};
    const char *bad_tokens[] = {"a\nb"};
    struct curl_transport_options options = {.base_url = "http://127.0.0.1:1",
                                             .version = "v",
                                             .client_id = "id",
                                             .client_secret = "s",
                                             .access_tokens = tokens,
                                             .connection_count = 1,
                                             .in_flight = 1};
    struct curl_transport_options tried = options;

    (void)state;
    assert_int_equal(event_loop_open(&loop, &err), ERR_OK);
    tried.client_id = "a:b";
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    tried = options;
    tried.client_secret = "";
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    tried = options;
    tried.access_tokens = bad_tokens;
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    assert_null(strstr(err.text, "a\nb"));
    tried = options;
    tried.in_flight = IN_FLIGHT_MAX + 1;
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    event_loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_carries_key_version_token_and_credentials),
        cmocka_unit_test(each_method_sends_what_it_should_on_a_handle_used_before),
        cmocka_unit_test(a_path_that_could_change_the_url_is_refused),
        cmocka_unit_test(no_more_than_the_slots_can_be_in_flight),
        cmocka_unit_test(hundreds_of_requests_share_the_connections),
        cmocka_unit_test(headers_that_matter_are_kept_and_trailers_are_not),
        cmocka_unit_test(a_job_id_too_long_is_not_cut_to_a_valid_one),
        cmocka_unit_test(redirects_are_answers_and_are_not_followed),
        cmocka_unit_test(answers_that_are_not_complete_are_lost),
        cmocka_unit_test(an_answer_past_its_maximum_is_lost),
        cmocka_unit_test(a_server_that_says_nothing_is_lost_after_the_timeout),
        cmocka_unit_test(a_reused_connection_that_dies_is_not_sent_again_in_silence),
        cmocka_unit_test(at_most_once_uses_a_connection_of_its_own),
        cmocka_unit_test(a_refused_connection_is_not_sent),
        cmocka_unit_test(abandoned_transfers_give_no_reply_and_free_their_slots),
        cmocka_unit_test(closing_in_the_middle_of_transfers_leaves_nothing),
        cmocka_unit_test(key_logging_of_tls_is_switched_off),
        cmocka_unit_test(opening_without_memory_leaves_nothing),
        cmocka_unit_test(base_urls_are_https_or_loopback_and_nothing_more),
        cmocka_unit_test(an_origin_is_lower_case_with_its_port),
        cmocka_unit_test(credentials_that_cannot_be_sent_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
