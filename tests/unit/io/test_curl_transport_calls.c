/* The transport when libcurl, or what it needs of the system, fails: nothing is sent that is not
 * told, and nothing stays behind. */
#include "failing_process_calls.h"

#include "transport_fixture.h"

#include <curl/curl.h>
#undef curl_easy_setopt

#if LIBCURL_VERSION_NUM >= 0x080000
typedef const CURLU url_to_read;
#else
typedef CURLU url_to_read;
#endif

#define CURL_CALL(type, failed, name, parameters, arguments)                                 \
    type name parameters                                                                     \
    {                                                                                        \
        return call_fails(#name) ? failed : ((type(*) parameters)real_call(#name))arguments; \
    }

CURL_CALL(CURLcode, CURLE_FAILED_INIT, curl_global_init, (long flags), (flags))
CURL_CALL(CURLM *, NULL, curl_multi_init, (void), ())
CURL_CALL(CURL *, NULL, curl_easy_init, (void), ())
CURL_CALL(CURL *, NULL, curl_easy_duphandle, (CURL * easy), (easy))
CURL_CALL(CURLU *, NULL, curl_url, (void), ())
CURL_CALL(CURLUcode, CURLUE_OUT_OF_MEMORY, curl_url_set,
          (CURLU * url, CURLUPart part, const char *text, unsigned flags), (url, part, text, flags))
CURL_CALL(CURLUcode, CURLUE_OUT_OF_MEMORY, curl_url_get,
          (url_to_read * url, CURLUPart part, char **text, unsigned flags),
          (url, part, text, flags))
CURL_CALL(char *, NULL, curl_easy_escape, (CURL * easy, const char *text, int length),
          (easy, text, length))
CURL_CALL(CURLMcode, CURLM_OUT_OF_MEMORY, curl_multi_add_handle, (CURLM * multi, CURL *easy),
          (multi, easy))
CURL_CALL(CURLMcode, CURLM_INTERNAL_ERROR, curl_multi_socket_action,
          (CURLM * multi, curl_socket_t socket, int ready, int *running),
          (multi, socket, ready, running))

/* All that it takes is passed alike: a long, a curl_off_t or a pointer. */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    va_list arguments;
    void *value;

    if (call_fails("curl_easy_setopt"))
        return CURLE_OUT_OF_MEMORY;
    va_start(arguments, option);
    value = va_arg(arguments, void *);
    va_end(arguments);
    return ((CURLcode(*)(CURL *, CURLoption, ...))real_call("curl_easy_setopt"))(easy, option,
                                                                                 value);
}

static const struct scripted_answer answers[] = {{.bytes = OK_EMPTY}, {.bytes = OK_EMPTY}};

/* --- opening --- */

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static void what_cannot_be_opened_is_said_and_leaves_nothing(void **state)
{
    static const struct {
        const char *name;
        int64_t until;
        enum err_code code;
        const char *text;
    } calls[] = {
        {"curl_global_init", 0, ERR_SYSTEM, "libcurl cannot be initialised"},
        {"curl_multi_init", 0, ERR_NO_MEMORY, "out of memory for libcurl"},
        {"curl_easy_init", 1, ERR_NO_MEMORY, "libcurl has no memory for requests"},
        {"curl_easy_setopt", 3, ERR_NO_MEMORY, "libcurl has no memory for requests"},
        {"curl_easy_duphandle", 1, ERR_NO_MEMORY, "libcurl has no memory for requests in flight"},
        {"curl_easy_escape", 0, ERR_NO_MEMORY, "out of memory for a token"},
        {"curl_url", 0, ERR_NO_MEMORY, "out of memory for a URL"},
        {"curl_url_set", 0, ERR_NO_MEMORY, "out of memory for a URL"},
        {"curl_url_get", 0, ERR_NO_MEMORY, "out of memory for a URL"},
        {"curl_url_get", 5, ERR_NO_MEMORY, "out of memory for a URL"},
        {"timerfd_create", 0, ERR_SYSTEM, "timerfd_create: Too many open files"},
        {"epoll_ctl", 0, ERR_SYSTEM, "libcurl's timer: watch descriptor"}};
    const struct curl_transport_options options = {.base_url = "http://127.0.0.1:1",
                                                   .version = "v",
                                                   .client_id = "i",
                                                   .client_secret = "s",
                                                   .access_tokens = tokens,
                                                   .connection_count = 2,
                                                   .in_flight = 2};
    struct event_loop *loop;
    int descriptors;

    (void)state;
    assert_int_equal(event_loop_open(&loop, &(struct err){0}), ERR_OK);
    descriptors = count_descriptors();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct curl_transport *transport;
        int64_t live = mem_test_live_count();
        struct err err = {0};

        calls_fail(calls[i].name, calls[i].until, EMFILE);
        assert_int_equal(curl_transport_open(loop, &options, &transport, &err), calls[i].code);
        assert_string_equal(calls_end(), calls[i].name);
        if (strstr(err.text, calls[i].text) == NULL)
            fail_msg("no '%s' in: %s", calls[i].text, err.text);
        assert_int_equal(event_loop_turn(loop, 0, &err), ERR_OK); /* frees watches */
        assert_int_equal(mem_test_live_count(), live);
        assert_int_equal(count_descriptors(), descriptors);
    }
    event_loop_close(loop);
}

static void a_url_without_memory_is_no_wrong_url(void **state)
{
    char origin[64];
    struct err err = {0};

    (void)state;
    calls_fail("curl_url_get", 2, 0);
    assert_int_equal(curl_transport_origin("https://a.example/", origin, sizeof origin, &err),
                     ERR_NO_MEMORY);
    (void)calls_end();
    assert_int_equal(curl_transport_origin("https://a.example/", origin, sizeof origin, &err),
                     ERR_OK);
    assert_string_equal(origin, "https://a.example:443");
    assert_int_equal(curl_transport_origin("https://a.example/", origin, 10, &err), ERR_INPUT);
    assert_int_equal(curl_transport_origin("file:///etc/passwd", origin, sizeof origin, &err),
                     ERR_INPUT);
}

/* --- requests --- */

static void a_request_that_cannot_be_set_is_not_sent(void **state)
{
    static const struct {
        const char *name;
        enum err_code code;
        const char *text;
    } calls[] = {{"curl_easy_setopt", ERR_NO_MEMORY, "libcurl has no memory for a request"},
                 {"curl_multi_add_handle", ERR_SYSTEM, "libcurl: Out of memory"},
                 {"timerfd_settime", ERR_SYSTEM, "libcurl's timer: Cannot allocate memory"}};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct transfer_request request = post_of(1);
        struct fixture fixture;

        open_fixture(&fixture, answers, 2, 1);
        calls_fail(calls[i].name, calls[i].name[0] == 'c' && calls[i].name[5] == 'e' ? 1 : 0,
                   ENOMEM);
        assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err),
                         calls[i].code);
        assert_string_equal(calls_end(), calls[i].name);
        assert_string_equal(fixture.err.text, calls[i].text);
        assert_int_equal(scripted_server_request_count(fixture.server), 0);
        /* Its slot is free again, unless nothing goes any more. */
        if (calls[i].name[0] == 'c')
            assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
        else
            assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err),
                             ERR_SYSTEM);
        close_fixture(&fixture);
    }
}

static void without_a_handle_for_it_a_request_is_not_sent(void **state)
{
    static const char *const calls[] = {"curl_easy_duphandle", "curl_easy_setopt"};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct transfer_request request = post_of(1);
        struct fixture fixture;

        open_fixture(&fixture, answers, 2, 1);
        assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
        calls_fail(calls[i], 0, ENOMEM);
        assert_int_equal(fixture.port->ops->start(fixture.port, &request, &fixture.err),
                         ERR_NO_MEMORY);
        assert_string_equal(calls_end(), calls[i]);
        assert_int_equal(scripted_server_request_count(fixture.server), 1);
        assert_int_equal(exchange(&fixture, &request).outcome, TRANSFER_ANSWERED);
        close_fixture(&fixture);
    }
}

/* While the exchange goes on: what fails, and what is then said of it. */
static void what_fails_during_an_exchange_ends_it(void **state)
{
    static const struct {
        const char *name;
        int error;
        const char *text;
    } calls[] = {{"socket", EMFILE, "Couldn't connect to server"},
                 {"epoll_ctl", ENOSPC, "libcurl's sockets: watch descriptor"},
                 {"curl_multi_socket_action", 0, "libcurl: Internal error"},
                 {"read", EIO, "libcurl's timer: Input/output error"}};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct transfer_request request = post_of(1);
        struct fixture fixture;
        struct reply reply;

        open_fixture(&fixture, answers, 2, 1);
        begin(&fixture, &request);
        failing_process = getpid();
        calls_fail(calls[i].name, 0, calls[i].error);
        reply = wait_for_reply(&fixture);
        assert_string_equal(calls_end(), calls[i].name);
        assert_int_equal(reply.outcome, TRANSFER_NOT_SENT);
        assert_int_equal(reply.tag, 1);
        if (strstr(reply.failure, calls[i].text) == NULL)
            fail_msg("no '%s' in: %s", calls[i].text, reply.failure);
        assert_int_equal(scripted_server_request_count(fixture.server), 0);
        close_fixture(&fixture);
    }
}

static void without_memory_an_exchange_is_not_sent_or_lost(void **state)
{
    enum transfer_outcome outcome = TRANSFER_LOST;
    bool was_lost = false, was_not_sent = false;

    (void)state;
    for (int64_t nth = 0; nth < 20 && outcome != TRANSFER_ANSWERED; nth++) {
        struct transfer_request request = post_of(1);
        uint64_t failures = mem_failure_count();
        struct fixture fixture;
        struct reply reply;

        open_fixture(&fixture, answers, 2, 1);
        mem_test_fail(nth, 0);
        begin(&fixture, &request);
        reply = wait_for_reply(&fixture);
        mem_test_fail(-1, 0);
        outcome = reply.outcome;
        assert_int_equal(outcome == TRANSFER_ANSWERED, mem_failure_count() == failures);
        was_lost |=
            outcome == TRANSFER_LOST && strcmp(reply.failure, "out of memory for the answer") == 0;
        was_not_sent |= outcome == TRANSFER_NOT_SENT;
        if (outcome == TRANSFER_NOT_SENT)
            assert_int_equal(scripted_server_request_count(fixture.server), 0);
        close_fixture(&fixture);
    }
    assert_int_equal(outcome, TRANSFER_ANSWERED);
    assert_true(was_lost && was_not_sent);
}

/* libcurl takes some of them for a 200. */
static void an_answer_with_a_damaged_status_line_is_lost(void **state)
{
    static const char *const lines[] = {"HTTP/x.1 200 OK",  "HTTP/1.x 200 OK", "HTTP/1.1200 OK",
                                        "HTTP/1.1  200 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 20x OK",
                                        "HTTP/1.1 2000 OK", "HTTP/1.1 x00 OK", "HTTP/1.1 20"};

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct transfer_request request = post_of(1);
        struct scripted_answer answer = {.then = SCRIPT_CLOSE};
        struct fixture fixture;
        char bytes[256];

        snprintf(bytes, sizeof bytes, "%s\r\nContent-Length: 2\r\n\r\n{}", lines[i]);
        answer.bytes = bytes;
        open_fixture(&fixture, &answer, 1, 1);
        if (exchange(&fixture, &request).outcome != TRANSFER_LOST)
            fail_msg("answered: %s", lines[i]);
        close_fixture(&fixture);
    }
}

static void the_version_of_an_answer_is_told(void **state)
{
    static const struct scripted_answer old = {
        .bytes = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", .then = SCRIPT_CLOSE};
    struct transfer_request request = post_of(1);
    struct fixture fixture;

    (void)state;
    open_fixture(&fixture, &old, 1, 1);
    assert_int_equal(exchange(&fixture, &request).http_version, 10);
    close_fixture(&fixture);
    open_fixture(&fixture, answers, 2, 1);
    assert_int_equal(exchange(&fixture, &request).http_version, 11);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_opened_is_said_and_leaves_nothing),
        cmocka_unit_test(a_url_without_memory_is_no_wrong_url),
        cmocka_unit_test(a_request_that_cannot_be_set_is_not_sent),
        cmocka_unit_test(without_a_handle_for_it_a_request_is_not_sent),
        cmocka_unit_test(what_fails_during_an_exchange_ends_it),
        cmocka_unit_test(without_memory_an_exchange_is_not_sent_or_lost),
        cmocka_unit_test(an_answer_with_a_damaged_status_line_is_lost),
        cmocka_unit_test(the_version_of_an_answer_is_told),
    };

    return cmocka_run_group_tests_name("io/curl_transport_calls", tests, NULL, NULL);
}
