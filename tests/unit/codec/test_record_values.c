/* Records that are no items. */
#include "record_fixture.h"

static void a_request_comes_back_with_any_bytes_in_it(void **context)
{
    struct frozen_request request = {
        .job = 1,
        .connection = UINT32_MAX,
        .key = SLICE("sku \0\xff 7"),
        .method = METHOD_PATCH,
        .path = SLICE("/products/1?x=1"),
        .body = SLICE("{\"price\":12.340,\"name\":\"\xc3\xbc\"}"),
        .source_file = SLICE("rows.csv"),
        .source_line = 4000000000,
        .generation = 2,
    };
    struct frozen_request read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_request(&buf, key, &request);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_request(key, bytes_of(&buf), &read));
    assert_int_equal(read.job, 1);
    assert_int_equal(read.connection, UINT32_MAX);
    assert_slices_equal(read.key, request.key);
    assert_int_equal(read.method, METHOD_PATCH);
    assert_slices_equal(read.path, request.path);
    assert_slices_equal(read.body, request.body);
    assert_slices_equal(read.source_file, request.source_file);
    assert_int_equal(read.source_line, 4000000000);
    assert_int_equal(read.generation, 2);
    buf_deinit(&buf);
}

static void the_longest_request_is_kept_and_a_longer_one_is_refused(void **context)
{
    char *body = mem_new(BODY_BYTES_MAX + 1, 1);
    char item_key[ITEM_KEY_BYTES_MAX + 1];
    struct frozen_request request = {.body = {body, BODY_BYTES_MAX},
                                     .key = {item_key, ITEM_KEY_BYTES_MAX}};
    struct frozen_request read;
    struct buf buf;
    (void)context;

    memset(body, 'b', BODY_BYTES_MAX + 1);
    memset(item_key, 'k', sizeof item_key);
    buf_init(&buf, 2 * BODY_BYTES_MAX);
    record_put_request(&buf, key, &request);
    assert_true(record_get_request(key, bytes_of(&buf), &read));
    assert_int_equal(read.body.length, BODY_BYTES_MAX);
    assert_int_equal(read.key.length, ITEM_KEY_BYTES_MAX);

    request.body.length++;
    buf_clear(&buf);
    record_put_request(&buf, key, &request);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    request.body.length = 0;
    request.key.length++;
    buf_clear(&buf);
    record_put_request(&buf, key, &request);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    buf_deinit(&buf);
    mem_free(body);
}

static void an_attempt_comes_back_and_its_long_message_is_cut_between_characters(void **context)
{
    char message[ERROR_MESSAGE_BYTES_MAX + 2];
    struct attempt_record attempt = {
        .generation = 3,
        .poll = true,
        .started_ms = 1796000000123,
        .duration_ms = 456,
        .event = EVENT_CANCELLED,
        .state = ITEM_SKIPPED,
        .http_status = 452,
        .reason = REASON_JOB_FAILED,
        .next_due_ms = 1796000001000,
        .request_id = SLICE("req-1"),
        .remote_job = SLICE("job-1"),
        .error_code = SLICE("rate_limit"),
        .message = {message, sizeof message},
        .rule = SLICE("platform_throttled"),
        .run = 12,
    };
    struct attempt_record read;
    struct buf buf;
    (void)context;

    memset(message, 'm', sizeof message);
    memcpy(message + ERROR_MESSAGE_BYTES_MAX - 1, "\xc3\xbc", 2);
    buf_init(&buf, 4096);
    record_put_attempt(&buf, key, &attempt);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_attempt(key, bytes_of(&buf), &read));
    assert_int_equal(read.generation, 3);
    assert_true(read.poll);
    assert_int_equal(read.started_ms, 1796000000123);
    assert_int_equal(read.duration_ms, 456);
    assert_int_equal(read.event, EVENT_CANCELLED);
    assert_int_equal(read.state, ITEM_SKIPPED);
    assert_int_equal(read.http_status, 452);
    assert_int_equal(read.reason, REASON_JOB_FAILED);
    assert_int_equal(read.next_due_ms, 1796000001000);
    assert_slices_equal(read.request_id, attempt.request_id);
    assert_slices_equal(read.remote_job, attempt.remote_job);
    assert_slices_equal(read.error_code, attempt.error_code);
    assert_int_equal(read.message.length, ERROR_MESSAGE_BYTES_MAX - 1);
    assert_slices_equal(read.rule, attempt.rule);
    assert_int_equal(read.run, 12);
    buf_deinit(&buf);
}

static void a_result_comes_back(void **context)
{
    struct result_record result = {
        .http_status = 200,
        .body = SLICE("{\"product\":{\"id\":\"1\"}}"),
        .message = SLICE("fine"),
        .request_id = SLICE("req-2"),
    };
    struct result_record read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_result(&buf, key, &result);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_result(key, bytes_of(&buf), &read));
    assert_int_equal(read.http_status, 200);
    assert_slices_equal(read.body, result.body);
    assert_slices_equal(read.message, result.message);
    assert_slices_equal(read.request_id, result.request_id);

    result.body.length = ANSWER_BYTES_MAX + 1;
    buf_clear(&buf);
    result.body.bytes = mem_new(ANSWER_BYTES_MAX + 1, 1);
    record_put_result(&buf, key, &result);
    assert_int_equal(buf.failed, ERR_TOO_BIG);
    mem_free((void *)(uintptr_t)result.body.bytes);
    buf_deinit(&buf);
}

static void a_run_comes_back(void **context)
{
    struct run_record run = {
        .started_ms = 1,
        .ended_ms = 2,
        .exit_status = -1,
        .spec_digest = {.high = 3, .low = 4},
        .added = 5,
        .changed = 6,
        .unchanged = 7,
        .kept = 8,
        .dropped = UINT64_MAX,
        .sent = 9,
        .polls = 10,
        .throttled = 11,
        .retried = 12,
        .slot_s = 13,
        .rate_millis = 16,
        .read_run = 14,
        .read_ms = 15,
    };
    struct run_record read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_run(&buf, key, &run);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_run(key, bytes_of(&buf), &read));
    assert_int_equal(read.slot_s, 13);
    assert_int_equal(read.rate_millis, 16);
    assert_int_equal(read.read_run, 14);
    assert_int_equal(read.read_ms, 15);
    assert_int_equal(read.started_ms, 1);
    assert_int_equal(read.ended_ms, 2);
    assert_int_equal(read.exit_status, -1);
    assert_int_equal(read.spec_digest.high, 3);
    assert_int_equal(read.spec_digest.low, 4);
    assert_int_equal(read.added, 5);
    assert_int_equal(read.changed, 6);
    assert_int_equal(read.unchanged, 7);
    assert_int_equal(read.kept, 8);
    assert_int_equal(read.dropped, UINT64_MAX);
    assert_int_equal(read.sent, 9);
    assert_int_equal(read.polls, 10);
    assert_int_equal(read.throttled, 11);
    assert_int_equal(read.retried, 12);
    buf_deinit(&buf);
}

static void a_connection_comes_back(void **context)
{
    struct connection_record connection = {
        .parked_since_ms = 1796000000000,
        .learned_rate_millis = 12500,
        .learned_in_flight = 4,
        .parked_reason = SLICE("the merchant must connect again"),
        .link_url = SLICE("https://link.example/1"),
        .detail = SLICE("HTTP 451"),
        .checked_ms = 1796000000001,
        .last_sync_ms = 1796000000002,
        .times = {.answer_ms = 5, .accept_ms = 6, .finish_ms = 7},
    };
    struct connection_record read;
    struct buf buf;
    (void)context;

    buf_init(&buf, 4096);
    record_put_connection(&buf, key, &connection);
    memset(&read, 0xff, sizeof read);
    assert_true(record_get_connection(key, bytes_of(&buf), &read));
    assert_int_equal(read.parked_since_ms, 1796000000000);
    assert_int_equal(read.learned_rate_millis, 12500);
    assert_int_equal(read.learned_in_flight, 4);
    assert_slices_equal(read.parked_reason, connection.parked_reason);
    assert_slices_equal(read.link_url, connection.link_url);
    assert_slices_equal(read.detail, connection.detail);
    assert_int_equal(read.checked_ms, 1796000000001);
    assert_int_equal(read.last_sync_ms, 1796000000002);
    assert_int_equal(read.times.answer_ms, 5);
    assert_int_equal(read.times.accept_ms, 6);
    assert_int_equal(read.times.finish_ms, 7);
    buf_deinit(&buf);
}

static void ids_of_requests_and_names_of_files_are_cut_at_their_maximum(void **context)
{
    static char text[SOURCE_FILE_BYTES_MAX + 1];
    struct buf buf;

    (void)context;
    memset(text, 'x', sizeof text);
    buf_init(&buf, 64 * 1024);
    for (size_t more = 0; more <= 1; more++) {
        struct attempt_record attempt = {.state = ITEM_WAITING,
                                         .request_id = {text, REQUEST_ID_BYTES_MAX + more}};
        struct frozen_request request = {.source_file = {text, SOURCE_FILE_BYTES_MAX + more}};

        buf_clear(&buf);
        record_put_attempt(&buf, key, &attempt);
        assert_true(record_get_attempt(key, bytes_of(&buf), &attempt));
        assert_int_equal(attempt.request_id.length, REQUEST_ID_BYTES_MAX);
        buf_clear(&buf);
        record_put_request(&buf, key, &request);
        assert_true(record_get_request(key, bytes_of(&buf), &request));
        assert_int_equal(request.source_file.length, SOURCE_FILE_BYTES_MAX);
    }
    buf_deinit(&buf);
}

static void the_longest_path_and_answer_are_kept_and_longer_ones_are_refused(void **context)
{
    static char text[ANSWER_BYTES_MAX + 1];
    struct buf buf;

    (void)context;
    buf_init(&buf, 2 * ANSWER_BYTES_MAX);
    for (size_t more = 0; more <= 1; more++) {
        struct frozen_request request = {.path = {text, PATH_BYTES_MAX + more}};
        struct result_record result = {.body = {text, ANSWER_BYTES_MAX + more}};

        buf_clear(&buf);
        record_put_request(&buf, key, &request);
        assert_int_equal(buf.failed, more == 0 ? ERR_OK : ERR_TOO_BIG);
        assert_true(more == 1 || record_get_request(key, bytes_of(&buf), &request));
        buf_clear(&buf);
        record_put_result(&buf, key, &result);
        assert_int_equal(buf.failed, more == 0 ? ERR_OK : ERR_TOO_BIG);
        assert_true(more == 1 || record_get_result(key, bytes_of(&buf), &result));
    }
    buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_back_with_any_bytes_in_it),
        cmocka_unit_test(the_longest_request_is_kept_and_a_longer_one_is_refused),
        cmocka_unit_test(an_attempt_comes_back_and_its_long_message_is_cut_between_characters),
        cmocka_unit_test(a_result_comes_back),
        cmocka_unit_test(a_run_comes_back),
        cmocka_unit_test(a_connection_comes_back),
        cmocka_unit_test(ids_of_requests_and_names_of_files_are_cut_at_their_maximum),
        cmocka_unit_test(the_longest_path_and_answer_are_kept_and_longer_ones_are_refused),
    };

    return cmocka_run_group_tests_name("codec/record_values", tests, NULL, NULL);
}
