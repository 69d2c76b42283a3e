#include "failing_process_calls.h"

#include "purser/io/api_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/io/signals.h"
#include "scripted_server.h"

#define JSON "Content-Type: application/json\r\n"
#define EMPTY "Content-Length: 2\r\n\r\n{}"
#define OK "HTTP/1.1 200 OK\r\nX-Rutter-Request-ID: r-1\r\n" JSON EMPTY
#define AGAIN(status) "HTTP/1.1 " status " x\r\nRetry-After: 0\r\n" JSON EMPTY

struct fixture {
    struct scripted_server *server;
    struct spec spec;
    struct spec_connection connection;
    struct credentials credentials;
    char *tokens[1];
    char base_url[64];
    struct api_client *client;
    struct arena arena;
    struct err err;
};

static void prepare(struct fixture *fixture, const struct scripted_answer *script, size_t count)
{
    static char id[] = "the-client", secret[] = "the-secret", token[] = "the-token";

    memset(fixture, 0, sizeof *fixture);
    fixture->server = scripted_server_start(script, count);
    snprintf(fixture->base_url, sizeof fixture->base_url, "http://127.0.0.1:%u/versioned",
             scripted_server_port(fixture->server));
    fixture->tokens[0] = token;
    fixture->credentials = (struct credentials){.client_id = id,
                                                .client_secret = secret,
                                                .access_tokens = fixture->tokens,
                                                .connection_count = 1};
    fixture->spec.api = (struct spec_api){.environment = ENVIRONMENT_URL,
                                          .base_url = fixture->base_url,
                                          .version = "2024-08-31",
                                          .rate = {.kind = RATE_UNLIMITED},
                                          .in_flight = 3,
                                          .connect_timeout_ms = 10000,
                                          .exchange_timeout_ms = 60000};
    arena_init(&fixture->arena, 1 << 20);
}

static void open_client(struct fixture *fixture, const struct scripted_answer *script, size_t count,
                        int signal_fd)
{
    prepare(fixture, script, count);
    if (api_client_open(&fixture->spec, &fixture->credentials,
                        &(struct api_client_options){.signal_fd = signal_fd, .first_delay_ms = 1},
                        &fixture->client, &fixture->err) != ERR_OK)
        fail_msg("%s", fixture->err.text);
}

static void close_client(struct fixture *fixture)
{
    api_client_close(fixture->client);
    arena_deinit(&fixture->arena);
    scripted_server_stop(fixture->server);
    assert_int_equal(mem_test_live_count(), 0);
}

static const struct api_request status_question = {
    .tag = 7, .connection = 0, .method = METHOD_GET, .path = SLICE("/connections/status")};

static struct api_answer ask(struct fixture *fixture, const struct api_request *request)
{
    struct api_answer answer;

    memset(&answer, 0xff, sizeof answer);
    if (api_client_request(fixture->client, request, &fixture->arena, &answer, &fixture->err) !=
        ERR_OK)
        fail_msg("%s", fixture->err.text);
    return answer;
}

static void a_question_is_answered_in_the_callers_memory(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 1, -1);
    answer = ask(&fixture, &status_question);
    assert_int_equal(answer.tag, 7);
    assert_int_equal(answer.outcome, TRANSFER_ANSWERED);
    assert_int_equal(answer.http_status, 200);
    assert_int_equal(answer.attempt_count, 1);
    assert_true(slice_is(answer.body, "{}"));
    assert_string_equal(answer.request_id, "r-1");
    assert_string_equal(answer.job_id, "");
    assert_string_equal(answer.failure, "");
    assert_non_null(strstr(scripted_server_request(fixture.server, 0),
                           "GET /versioned/connections/status?access_token=the-token HTTP/1.1"));
    close_client(&fixture);
}

static void without_a_connection_no_token_travels(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}, {OK, 0, SCRIPT_KEEP}};
    struct api_request request = status_question;
    struct fixture fixture;

    (void)context;
    open_client(&fixture, script, 2, -1);
    request.connection = API_NO_CONNECTION;
    ask(&fixture, &request);
    assert_null(strstr(scripted_server_request(fixture.server, 0), "access_token"));
    request.remote_job = "job-1";
    request.path = SLICE("");
    ask(&fixture, &request);
    assert_non_null(
        strstr(scripted_server_request(fixture.server, 1), "GET /versioned/jobs/job-1 HTTP/1.1"));
    close_client(&fixture);
}

static void a_get_is_repeated_when_throttled_lost_or_unlucky(void **context)
{
    static const struct scripted_answer script[] = {{AGAIN("429"), 0, SCRIPT_KEEP},
                                                    {AGAIN("503"), 0, SCRIPT_KEEP},
                                                    {"HTTP/1.1 200 O", 0, SCRIPT_RESET},
                                                    {OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 4, -1);
    answer = ask(&fixture, &status_question);
    assert_int_equal(answer.http_status, 200);
    assert_int_equal(answer.attempt_count, 4);
    close_client(&fixture);
}

static void repeats_come_to_an_end(void **context)
{
    static const struct scripted_answer script[] = {
        {AGAIN("500"), 0, SCRIPT_KEEP}, {AGAIN("500"), 0, SCRIPT_KEEP},
        {AGAIN("500"), 0, SCRIPT_KEEP}, {AGAIN("500"), 0, SCRIPT_KEEP},
        {AGAIN("550"), 0, SCRIPT_KEEP}, {OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 6, -1);
    answer = ask(&fixture, &status_question);
    assert_int_equal(answer.http_status, 550);
    assert_int_equal(answer.attempt_count, 5);
    assert_int_equal(scripted_server_request_count(fixture.server), 5);
    close_client(&fixture);
}

static void an_answer_that_is_no_trouble_is_not_asked_again(void **context)
{
    static const struct scripted_answer script[] = {{AGAIN("404"), 0, SCRIPT_KEEP}};
    struct fixture fixture;

    (void)context;
    open_client(&fixture, script, 1, -1);
    assert_int_equal(ask(&fixture, &status_question).http_status, 404);
    assert_int_equal(scripted_server_request_count(fixture.server), 1);
    close_client(&fixture);
}

static void a_write_is_sent_once_whatever_comes(void **context)
{
    static const struct scripted_answer script[] = {
        {AGAIN("503"), 0, SCRIPT_KEEP}, {AGAIN("429"), 0, SCRIPT_KEEP}, {NULL, 0, SCRIPT_RESET}};
    const struct api_request write = {.connection = 0,
                                      .method = METHOD_POST,
                                      .path = SLICE("/products"),
                                      .body = SLICE("{\"product\":{}}"),
                                      .idempotency_key = "key-1"};
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 3, -1);
    assert_int_equal(ask(&fixture, &write).http_status, 503);
    assert_int_equal(ask(&fixture, &write).http_status, 429);
    answer = ask(&fixture, &write);
    assert_int_equal(answer.outcome, TRANSFER_LOST);
    assert_int_equal(answer.http_status, 0);
    assert_true(answer.failure[0] != '\0');
    assert_int_equal(scripted_server_request_count(fixture.server), 3);
    assert_non_null(
        strstr(scripted_server_request(fixture.server, 0), "Idempotency-Key: key-1\r\n"));
    assert_non_null(strstr(scripted_server_request(fixture.server, 0), "{\"product\":{}}"));
    close_client(&fixture);
}

static void a_long_wait_that_the_server_asks_for_is_an_answer(void **context)
{
    static const struct scripted_answer script[] = {
        {"HTTP/1.1 429 x\r\nRetry-After: 3000\r\n" JSON EMPTY, 0, SCRIPT_KEEP},
        {OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;

    (void)context;
    open_client(&fixture, script, 2, -1);
    assert_int_equal(ask(&fixture, &status_question).http_status, 429);
    assert_int_equal(ask(&fixture, &status_question).http_status, 200);
    close_client(&fixture);
}

/* More than there are places, so that the queue is used as a command uses it. */
static void several_are_asked_at_once_and_each_is_answered(void **context)
{
    enum { COUNT = 20 };
    struct scripted_answer script[COUNT];
    struct api_request request = status_question;
    struct api_answer answer;
    struct fixture fixture;
    uint64_t started = 0, answered = 0, seen = 0;

    (void)context;
    for (int i = 0; i < COUNT; i++)
        script[i] = (struct scripted_answer){OK, 0, SCRIPT_KEEP};
    open_client(&fixture, script, COUNT, -1);
    while (answered < COUNT) {
        while (started < COUNT && api_client_has_room(fixture.client)) {
            request.tag = started++;
            assert_int_equal(api_client_start(fixture.client, &request, &fixture.err), ERR_OK);
        }
        assert_int_equal(api_client_next(fixture.client, &fixture.arena, &answer, &fixture.err),
                         ERR_OK);
        assert_int_equal(seen >> answer.tag & 1, 0);
        seen |= 1ull << answer.tag;
        answered++;
    }
    assert_int_equal(seen, (1ull << COUNT) - 1);
    assert_int_equal(api_client_next(fixture.client, &fixture.arena, &answer, &fixture.err),
                     ERR_NOT_FOUND);
    assert_in_range(scripted_server_connection_count(fixture.server), 2, 3);
    close_client(&fixture);
}

static void nobody_there_is_told_after_a_few_tries(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 1, -1);
    scripted_server_stop(fixture.server);
    answer = ask(&fixture, &status_question);
    assert_int_equal(answer.outcome, TRANSFER_NOT_SENT);
    assert_int_equal(answer.attempt_count, 5);
    assert_true(answer.failure[0] != '\0');
    assert_null(strstr(answer.failure, "the-token"));
    fixture.server = scripted_server_start(script, 1);
    close_client(&fixture);
}

static void a_signal_ends_all_waiting(void **context)
{
    static const struct scripted_answer script[] = {{NULL, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;
    struct err err = {0};
    int signal_fd;

    (void)context;
    assert_int_equal(signals_open(&signal_fd, &err), ERR_OK);
    open_client(&fixture, script, 1, signal_fd);
    assert_int_equal(api_client_wait(fixture.client, 0, &fixture.err), ERR_OK);
    assert_int_equal(api_client_start(fixture.client, &status_question, &fixture.err), ERR_OK);
    raise(SIGINT);
    assert_int_equal(api_client_next(fixture.client, &fixture.arena, &answer, &fixture.err),
                     ERR_STOPPED);
    raise(SIGINT);
    assert_int_equal(api_client_wait(fixture.client, 3600 * 1000, &fixture.err), ERR_STOPPED);
    close_client(&fixture);
    signals_close(signal_fd);
}

static void a_path_that_is_none_is_refused(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}};
    struct api_request request = status_question;
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 1, -1);
    request.path = SLICE("//elsewhere");
    assert_int_equal(
        api_client_request(fixture.client, &request, &fixture.arena, &answer, &fixture.err),
        ERR_INPUT);
    close_client(&fixture);
}

/* --- calls that fail --- */

static void without_memory_it_is_not_opened(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    enum err_code code = ERR_NO_MEMORY;
    int64_t nth = 0;

    (void)context;
    prepare(&fixture, script, 1);
    for (; code != ERR_OK && nth < 50; nth++) {
        mem_test_fail(nth, 0);
        code = api_client_open(&fixture.spec, &fixture.credentials,
                               &(struct api_client_options){.signal_fd = -1}, &fixture.client,
                               &fixture.err);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
        assert_int_equal(mem_test_live_count(), 0);
    }
    assert_int_equal(code, ERR_OK);
    assert_true(nth > 3);
    close_client(&fixture);
}

static void what_it_does_not_get_of_the_system_is_said(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    int signal_fd;

    (void)context;
    prepare(&fixture, script, 1);
    assert_int_equal(signals_open(&signal_fd, &fixture.err), ERR_OK);
    for (int64_t until = 0; until < 2; until++) { /* libcurl's timer, and the signals */
        calls_fail("epoll_ctl", until, ENOSPC);
        assert_int_equal(api_client_open(&fixture.spec, &fixture.credentials,
                                         &(struct api_client_options){.signal_fd = signal_fd},
                                         &fixture.client, &fixture.err),
                         ERR_SYSTEM);
        assert_string_equal(calls_end(), "epoll_ctl");
        assert_non_null(strstr(fixture.err.text, "No space left on device"));
        assert_int_equal(mem_test_live_count(), 0);
    }
    calls_fail("epoll_create1", 0, EMFILE);
    assert_int_equal(api_client_open(&fixture.spec, &fixture.credentials,
                                     &(struct api_client_options){.signal_fd = -1}, &fixture.client,
                                     &fixture.err),
                     ERR_SYSTEM);
    assert_string_equal(calls_end(), "epoll_create1");
    signals_close(signal_fd);
    arena_deinit(&fixture.arena);
    scripted_server_stop(fixture.server);
}

static void a_wait_that_fails_is_told(void **context)
{
    static const struct scripted_answer script[] = {{NULL, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;

    (void)context;
    open_client(&fixture, script, 1, -1);
    calls_fail("epoll_wait", 0, EBADF);
    assert_int_equal(api_client_wait(fixture.client, 1000, &fixture.err), ERR_SYSTEM);
    calls_fail("epoll_wait", 0, EBADF);
    assert_int_equal(
        api_client_request(fixture.client, &status_question, &fixture.arena, &answer, &fixture.err),
        ERR_SYSTEM);
    assert_string_equal(calls_end(), "epoll_wait");
    close_client(&fixture);
}

static void an_answer_that_there_is_no_memory_for_is_not_half_there(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}, {OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;
    struct api_answer answer;
    struct arena none;

    (void)context;
    for (size_t bytes = 0; bytes < 96; bytes += 16) {
        open_client(&fixture, script, 2, -1);
        arena_init(&none, bytes);
        assert_int_equal(
            api_client_request(fixture.client, &status_question, &none, &answer, &fixture.err),
            ERR_NO_MEMORY);
        assert_string_equal(fixture.err.text, "no memory for an answer of the API");
        arena_deinit(&none);
        close_client(&fixture);
    }
}

static void a_request_that_there_is_no_memory_for_is_not_sent(void **context)
{
    static const struct scripted_answer script[] = {{OK, 0, SCRIPT_KEEP}};
    struct fixture fixture;

    (void)context;
    open_client(&fixture, script, 1, -1);
    mem_test_fail(0, 0);
    assert_int_equal(api_client_start(fixture.client, &status_question, &fixture.err),
                     ERR_NO_MEMORY);
    mem_test_fail(-1, 0);
    assert_int_equal(ask(&fixture, &status_question).http_status, 200);
    assert_int_equal(scripted_server_request_count(fixture.server), 1);
    close_client(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered_in_the_callers_memory),
        cmocka_unit_test(without_a_connection_no_token_travels),
        cmocka_unit_test(a_get_is_repeated_when_throttled_lost_or_unlucky),
        cmocka_unit_test(repeats_come_to_an_end),
        cmocka_unit_test(an_answer_that_is_no_trouble_is_not_asked_again),
        cmocka_unit_test(a_write_is_sent_once_whatever_comes),
        cmocka_unit_test(a_long_wait_that_the_server_asks_for_is_an_answer),
        cmocka_unit_test(several_are_asked_at_once_and_each_is_answered),
        cmocka_unit_test(nobody_there_is_told_after_a_few_tries),
        cmocka_unit_test(a_signal_ends_all_waiting),
        cmocka_unit_test(a_path_that_is_none_is_refused),
        cmocka_unit_test(without_memory_it_is_not_opened),
        cmocka_unit_test(what_it_does_not_get_of_the_system_is_said),
        cmocka_unit_test(a_wait_that_fails_is_told),
        cmocka_unit_test(an_answer_that_there_is_no_memory_for_is_not_half_there),
        cmocka_unit_test(a_request_that_there_is_no_memory_for_is_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
