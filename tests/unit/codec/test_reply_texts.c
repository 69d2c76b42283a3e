/* What is taken from the header fields and texts of an answer, and what is left out. */
#include "reply_fixture.h"

static void append(char *text, size_t size, const char *more, int times)
{
    for (size_t length = strlen(text); times > 0; times--) {
        snprintf(text + length, size - length, "%s", more);
        length += strlen(more);
    }
}

static void long_texts_are_cut_at_a_character(void **state)
{
    static char body[200000];
    struct reply_input input;
    struct reply_reading reading;
    size_t bad;

    (void)state;
    append(body, sizeof body, "{\"error_code\":\"", 1);
    append(body, sizeof body, "C", 300);
    append(body, sizeof body, "\",\"error_message\":\"x", 1);
    append(body, sizeof body, "\xc3\xa4", 2000);
    append(body, sizeof body, "\"}", 1);
    input = input_of(PHASE_SEND, 400, body);
    reading = reply_read(&arena, &input);
    assert_int_equal(strlen(reading.event.error_code), ERROR_CODE_BYTES_MAX);
    assert_true(strlen(reading.message) <= ERROR_MESSAGE_BYTES_MAX);
    assert_true(strlen(reading.message) >= ERROR_MESSAGE_BYTES_MAX - 1);
    assert_true(text_is_utf8(reading.message, strlen(reading.message), &bad));
}

static void secrets_that_the_server_repeats_are_not_kept(void **state)
{
    struct reply_input input = input_of(
        PHASE_SEND, 400,
        "{\"error_code\":\"X\",\"error_message\":\"GET /products?access_token=token-0123456789\"}");
    struct reply_reading reading;

    (void)state;
    assert_true(log_add_secret("token-0123456789", 16));
    reading = reply_read(&arena, &input);
    assert_string_equal(reading.message, "GET /products?access_token=[secret]");
    assert_null(memmem(reading.result.bytes, reading.result.length, "token-01", 8));
    assert_non_null(memmem(reading.result.bytes, reading.result.length, "[secret]\"}", 10));
}

static void dates_are_taken_in_one_form_only(void **state)
{
    static const char *const bad[] = {
        "",
        "Thu, 26 Nov 2026 21:45:23",
        "Thu, 26 Nov 2026 21:45:23 UTC",
        "Fri, 26 Nov 2026 21:45:23 GMT",
        "Thu, 31 Nov 2026 21:45:23 GMT",
        "Thu, 26 nov 2026 21:45:23 GMT",
        "Thu, 26 Nov 2026 24:00:00 GMT",
        "Thu, 26 Nov 2026 21:60:00 GMT",
        "Thu, 26 Nov 2026 2a:45:23 GMT",
        "Thursday, 26-Nov-26 21:45:23 GMT",
        "Thu Nov 26 21:45:23 2026",
        " Thu, 26 Nov 2026 21:45:23 GMT",
    };

    (void)state;
    assert_int_equal(reply_date_ms("Thu, 26 Nov 2026 21:45:23 GMT"), 1795729523000);
    assert_int_equal(reply_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
    assert_int_equal(reply_date_ms("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800000);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(reply_date_ms(bad[i]), -1);
    assert_int_equal(reply_date_ms(NULL), -1);
}

static void retry_after_is_seconds_or_a_date_and_at_most_an_hour(void **state)
{
    static const char date[] = "Thu, 26 Nov 2026 21:45:23 GMT";

    (void)state;
    assert_int_equal(reply_retry_after_ms("3", date, 0), 3000);
    assert_int_equal(reply_retry_after_ms("0", date, 0), 0);
    assert_int_equal(reply_retry_after_ms("3600", date, 0), RETRY_AFTER_MAX_MS);
    assert_int_equal(reply_retry_after_ms("3601", date, 0), RETRY_AFTER_MAX_MS);
    assert_int_equal(reply_retry_after_ms("99999999999999999999999", date, 0), RETRY_AFTER_MAX_MS);
    assert_int_equal(reply_retry_after_ms("Thu, 26 Nov 2026 21:45:33 GMT", date, 0), 10000);
    assert_int_equal(reply_retry_after_ms("Thu, 26 Nov 2026 21:45:13 GMT", date, 0), 0);
    assert_int_equal(reply_retry_after_ms("Fri, 27 Nov 2026 21:45:23 GMT", date, 0),
                     RETRY_AFTER_MAX_MS);
    assert_int_equal(reply_retry_after_ms("Thu, 26 Nov 2026 21:45:33 GMT", "", 1795729532000),
                     1000);
    assert_int_equal(reply_retry_after_ms("", date, 0), -1);
    assert_int_equal(reply_retry_after_ms("-1", date, 0), -1);
    assert_int_equal(reply_retry_after_ms("1.5", date, 0), -1);
    assert_int_equal(reply_retry_after_ms("soon", date, 0), -1);
    assert_int_equal(reply_retry_after_ms(NULL, date, 0), -1);
}

static void the_pause_and_the_servers_clock_come_with_every_answer(void **state)
{
    struct reply_input input = input_of(PHASE_SEND, 429, "");
    struct reply_reading reading;

    (void)state;
    input.retry_after = "7";
    input.date = "Thu, 26 Nov 2026 21:45:23 GMT";
    reading = reply_read(&arena, &input);
    assert_int_equal(reading.pause_ms, 7000);
    assert_int_equal(reading.event.delay_ms, 7000);
    assert_int_equal(reading.server_now_ms, 1795729523000);
    input.date = "yesterday";
    assert_int_equal(reply_read(&arena, &input).server_now_ms, 0);
}

static void job_ids_are_safe_in_a_path(void **state)
{
    char id[REMOTE_JOB_BYTES_MAX + 1];

    (void)state;
    memset(id, 'a', sizeof id);
    assert_true(reply_job_id_is_valid((struct slice){id, REMOTE_JOB_BYTES_MAX}));
    assert_false(reply_job_id_is_valid((struct slice){id, REMOTE_JOB_BYTES_MAX + 1}));
    assert_true(reply_job_id_is_valid(SLICE("A-z_0.9:x")));
    assert_true(reply_job_id_is_valid(SLICE("...")));
    assert_false(reply_job_id_is_valid(SLICE("")));
    assert_false(reply_job_id_is_valid(SLICE(".")));
    assert_false(reply_job_id_is_valid(SLICE("..")));
    assert_false(reply_job_id_is_valid(SLICE("a/b")));
    assert_false(reply_job_id_is_valid(SLICE("a%2fb")));
    assert_false(reply_job_id_is_valid(SLICE("a?b")));
    assert_false(reply_job_id_is_valid(SLICE("a\0b")));
    assert_false(reply_job_id_is_valid(SLICE("a\r\nb")));
    assert_false(reply_job_id_is_valid(SLICE("\xc3\xa4")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(long_texts_are_cut_at_a_character),
        TEST(secrets_that_the_server_repeats_are_not_kept),
        TEST(dates_are_taken_in_one_form_only),
        TEST(retry_after_is_seconds_or_a_date_and_at_most_an_hour),
        TEST(the_pause_and_the_servers_clock_come_with_every_answer),
        TEST(job_ids_are_safe_in_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
