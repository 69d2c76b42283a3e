#include "transport_fixture.h"

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

/* libcurl 7.88 continued a header of the answer before, which it had freed. */
static void a_continued_header_right_at_the_begin_continues_nothing(void **state)
{
    static const struct scripted_answer script[] = {
        {"HTTP/1.1 200 OK\r\nX-Rutter-Request-ID: request-1\r\nContent-Length: 2\r\n\r\n{}", 0,
         SCRIPT_KEEP},
        {"HTTP/1.1 200 OK\r\n\tX-Rutter-Job-ID: job-2\r\n more\r\nContent-Length: 2\r\n\r\n{}", 0,
         SCRIPT_KEEP}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    open_fixture(&fixture, script, 2, 1);
    assert_string_equal(exchange(&fixture, &request).request_id, "request-1");
    reply = exchange(&fixture, &request);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_string_equal(reply.request_id, "");
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
        /* Each of them is a 200 for libcurl. */
        {"HTTp/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}", 0, SCRIPT_CLOSE},
        {"HTTP/q.1 504 Late\r\nContent-Length: 2\r\n\r\n{}", 0, SCRIPT_CLOSE},
        {"HTTP/1.1 20x OK\r\nContent-Length: 2\r\n\r\n{}", 0, SCRIPT_CLOSE},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/.1 504 Late\r\nContent-Length: 2\r\n\r\n{}", 0,
         SCRIPT_CLOSE},
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

/* A head of exactly `bytes`, with an empty body. */
static void write_head(char *head, size_t bytes)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                "Content-Length: 2\r\n";
    size_t length = sizeof begin - 1;

    memcpy(head, begin, length);
    while (bytes - length > 2) {
        size_t line = bytes - length - 2;

        line = line > 1000 + 6 ? 1000 : line;
        memset(head + length, 'x', line);
        memcpy(head + length, "X-A: ", 5);
        memcpy(head + length + line - 2, "\r\n", 2);
        length += line;
    }
    memcpy(head + length, "\r\n{}", 4);
}

static void headers_are_taken_to_their_maximum(void **state)
{
    static char most[ANSWER_HEADER_BYTES_MAX + 2], more[ANSWER_HEADER_BYTES_MAX + 3];
    char informational[2][(INFORMATIONAL_ANSWERS_MAX + 1) * 32 + 128] = {"", ""};
    struct scripted_answer script[] = {{most, sizeof most, SCRIPT_CLOSE},
                                       {more, sizeof more, SCRIPT_CLOSE},
                                       {informational[0], 0, SCRIPT_CLOSE},
                                       {informational[1], 0, SCRIPT_CLOSE}};
    struct fixture fixture;
    struct transfer_request request = post_of(1);
    struct reply reply;

    (void)state;
    write_head(most, ANSWER_HEADER_BYTES_MAX);
    write_head(more, ANSWER_HEADER_BYTES_MAX + 1);
    for (int i = 0; i <= INFORMATIONAL_ANSWERS_MAX; i++) {
        if (i < INFORMATIONAL_ANSWERS_MAX)
            append(informational[0], sizeof informational[0], "HTTP/1.1 103 Early Hints\r\n\r\n");
        append(informational[1], sizeof informational[1], "HTTP/1.1 103 Early Hints\r\n\r\n");
    }
    append(informational[0], sizeof informational[0], OK_EMPTY);
    append(informational[1], sizeof informational[1], OK_EMPTY);
    request.at_most_once = true; /* on a fresh connection: the last one may be closed by now */
    open_fixture(&fixture, script, 4, 1);
    for (int i = 0; i < 4; i++) {
        reply = exchange(&fixture, &request);
        assert_int_equal(reply.outcome, i % 2 == 0 ? TRANSFER_ANSWERED : TRANSFER_LOST);
        if (i % 2 == 1)
            assert_non_null(strstr(reply.failure, i == 1 ? "longer than 64 KiB" : "more than 32"));
    }
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_matter_are_kept_and_trailers_are_not),
        cmocka_unit_test(a_continued_header_right_at_the_begin_continues_nothing),
        cmocka_unit_test(a_job_id_too_long_is_not_cut_to_a_valid_one),
        cmocka_unit_test(redirects_are_answers_and_are_not_followed),
        cmocka_unit_test(answers_that_are_not_complete_are_lost),
        cmocka_unit_test(an_answer_past_its_maximum_is_lost),
        cmocka_unit_test(a_server_that_says_nothing_is_lost_after_the_timeout),
        cmocka_unit_test(headers_are_taken_to_their_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
