#include "reply_fixture.h"

/* --- laws over every cell --- */

static const char *const bodies[] = {
    "",
    "   \r\n",
    "not json",
    "<html>",
    "[1]",
    "{}",
    ASYNC("job-9", ""),
    ASYNC("", ""),
    "{\"product\":{\"id\":\"1\"}}",
    "{\"error_type\":\"T\",\"error_code\":\"C\",\"error_message\":\"M\"}",
    "{\"errors\":[{\"code\":7,\"slug\":\"s\",\"description\":\"d\"}]}",
    "{\"errors\":\"text\"}",
    "{\"error_code\":\"INVALID_CREDENTIALS\"}",
    "{\"error_code\":\"PRODUCT_NOT_ALLOWED\"}",
    "{\"error_code\":\"NEEDS_UPDATE\"}",
    "{\"error_code\":\"CONNECTION_DISABLED\"}",
    "{\"error_code\":\"PRODUCT_NOT_READY\"}",
    JOB("\"status\":\"pending\""),
    JOB("\"status\":\"odd\""),
    DONE_JOB("success", "200", "{\"product\":{}}"),
    DONE_JOB("partial_success", "200", "{}"),
    DONE_JOB("failure", "400", "{}"),
    DONE_JOB("failure", "451", "{}"),
    DONE_JOB("failure", "403", "{}"),
    DONE_JOB("failure", "452", "{}"),
    DONE_JOB("failure", "409", "{}"),
    DONE_JOB("failure", "500", "{}"),
    DONE_JOB("failure", "550", "{}"),
    "{\"id\":\"job-2\",\"status\":\"success\"}",
};

static void assert_legal(const struct reply_input *input, const struct reply_reading *reading)
{
    enum item_state state = input->phase == PHASE_SEND ? ITEM_SENDING : ITEM_WAITING;
    bool needs_reason =
        reading->event.kind == EVENT_REFUSED || reading->event.kind == EVENT_UNCLEAR;

    assert_true(lifecycle_is_legal(state, reading->event.kind));
    assert_int_equal(needs_reason, reading->event.reason != REASON_NONE);
    assert_non_null(reading->rule);
    assert_non_null(reading->message);
    assert_int_equal(reading->pause_ms, -1);
    if (reading->event.kind == EVENT_ACCEPTED)
        assert_true(reply_job_id_is_valid(slice_of(reading->event.remote_job)));
    if (reading->scope == SCOPE_OF_ITEM || reading->scope == SCOPE_OF_ALL)
        assert_null(reading->park_reason);
    /* What could have been accepted is never called refused or not done. */
    if (input->phase == PHASE_SEND && reading->event.kind == EVENT_REFUSED)
        assert_true(input->job_id[0] == '\0' && input->http_status >= 400);
    if (input->phase == PHASE_SEND && input->job_id[0] != '\0')
        assert_true(reading->event.kind == EVENT_ACCEPTED || reading->event.kind == EVENT_DONE ||
                    reading->event.kind == EVENT_LOST);
    if (reading->event.kind == EVENT_DONE)
        assert_true(input->http_status / 100 == 2);
}

static void every_cell_gives_an_event_that_is_legal_in_its_phase(void **state)
{
    static const char *const job_ids[] = {"", "job-1", "not a job id"};
    static const char *const types[] = {JSON, "", "text/html", "text/plain",
                                        "application/problem+json; charset=utf-8"};
    size_t cells = 0;

    (void)state;
    for (int status = 99; status <= 601; status++) {
        for (size_t i = 0; i < 3 * 5 * 2 * (sizeof bodies / sizeof bodies[0]); i++) {
            struct reply_input input =
                input_of(i % 2 == 0 ? PHASE_SEND : PHASE_POLL, status, bodies[i / 30]);
            struct reply_reading reading;

            input.job_id = job_ids[i / 2 % 3];
            input.content_type = types[i / 6 % 5];
            memset(&reading, 0xff, sizeof reading);
            reading = reply_read(&arena, &input);
            assert_legal(&input, &reading);
            arena_clear(&arena);
            cells++;
        }
    }
    assert_int_equal(cells, 503 * 30 * (sizeof bodies / sizeof bodies[0]));
}

static void a_body_cut_anywhere_is_never_done(void **state)
{
    static const char whole[] = DONE_JOB("success", "200", "{\"product\":{\"id\":\"1\"}}");
    static const char entity[] = "{\"product\":{\"id\":\"1\"}}";

    (void)state;
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        struct reply_input input = input_of(PHASE_POLL, 200, whole);

        input.body.length = length;
        assert_int_equal(reply_read(&arena, &input).event.kind, EVENT_LOST);
        arena_clear(&arena);
    }
    for (size_t length = 0; length < sizeof entity - 1; length++) {
        struct reply_input input = input_of(PHASE_SEND, 200, entity);

        input.body.length = length;
        assert_int_equal(reply_read(&arena, &input).event.kind, EVENT_LOST);
        arena_clear(&arena);
    }
}

/* --- details --- */

static void a_conflict_without_a_key_of_ours_is_only_unclear(void **state)
{
    struct reply_input input = input_of(PHASE_SEND, 409, "{}");

    (void)state;
    input.idempotency_key = "";
    assert_string_equal(reply_read(&arena, &input).rule, "unknown_refusal");
}

static void no_content_is_an_end_for_a_delete_alone(void **state)
{
    struct reply_input input = input_of(PHASE_SEND, 204, "");

    (void)state;
    input.operation = operation_find(METHOD_DELETE, SLICE("/products/1"));
    assert_string_equal(reply_read(&arena, &input).rule, "deleted");
    input.http_status = 200;
    assert_string_equal(reply_read(&arena, &input).rule, "unreadable_success");
}

static void a_type_that_is_not_json_counts_as_unreadable(void **state)
{
    struct reply_input input = input_of(PHASE_SEND, 200, "{\"product\":{}}");

    (void)state;
    input.content_type = "text/plain";
    assert_string_equal(reply_read(&arena, &input).rule, "unreadable_success");
    input.content_type = "Application/JSON; charset=utf-8";
    assert_string_equal(reply_read(&arena, &input).rule, "answered_with_entity");
    input.content_type = "";
    assert_string_equal(reply_read(&arena, &input).rule, "answered_with_entity");
}

static void response_url_only_chooses_between_two_known_addresses(void **state)
{
    static const struct {
        const char *url;
        enum job_path path;
        bool noted;
    } cases[] = {
        {"https://production.rutterapi.com/v2/jobs/job-1", JOB_PATH_V2, false},
        {"HTTPS://Production.RutterAPI.com:443/v2/jobs/job-1", JOB_PATH_V2, false},
        {"https://production.rutterapi.com/versioned/jobs/job-1", JOB_PATH_BASE, false},
        {"https://production.rutterapi.com/jobs/job-1", JOB_PATH_BASE, false},
        {"https://production.rutterapi.com/x/v2/jobs/job-1", JOB_PATH_BASE, false},
        {"https://production.rutterapi.com/v2/jobs/job-2", JOB_PATH_BASE, true},
        {"https://production.rutterapi.com/v2/jobs/job-1?x=y", JOB_PATH_BASE, true},
        {"https://production.rutterapi.com/v2/jobs/../job-1", JOB_PATH_BASE, true},
        {"https://production.rutterapi.com@evil.example/v2/jobs/job-1", JOB_PATH_BASE, true},
        {"https://production.rutterapi.com.evil.example/v2/jobs/job-1", JOB_PATH_BASE, true},
        {"https://production.rutterapi.com:444/v2/jobs/job-1", JOB_PATH_BASE, true},
        {"http://production.rutterapi.com/v2/jobs/job-1", JOB_PATH_BASE, true},
        {"//production.rutterapi.com/v2/jobs/job-1", JOB_PATH_BASE, true},
        {"file:///v2/jobs/job-1", JOB_PATH_BASE, true},
        {"", JOB_PATH_BASE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        struct reply_input input;
        struct reply_reading reading;

        snprintf(body, sizeof body,
                 "{\"async_response\":{\"id\":\"job-1\",\"response_url\":\"%s\"}}", cases[i].url);
        input = input_of(PHASE_SEND, 200, body);
        reading = reply_read(&arena, &input);
        assert_int_equal(reading.event.kind, EVENT_ACCEPTED);
        assert_string_equal(reading.event.remote_job, "job-1");
        assert_int_equal(reading.event.job_path, cases[i].path);
        assert_int_equal(reading.message[0] != '\0', cases[i].noted);
    }
}

static void the_header_names_the_job_when_the_body_does_not(void **state)
{
    struct reply_input input = input_of(PHASE_SEND, 500, ASYNC("job-9", ""));

    (void)state;
    input.job_id = "job-7";
    assert_string_equal(reply_read(&arena, &input).event.remote_job, "job-7");
    input.http_status = 200;
    assert_string_equal(reply_read(&arena, &input).event.remote_job, "job-9");
}

static void results_are_kept_as_json_text(void **state)
{
    struct reply_input input =
        input_of(PHASE_POLL, 200,
                 DONE_JOB("success", "200", "{\"product\":{\"id\":\"1\",\"price\":12.340}}"));
    struct reply_reading reading = reply_read(&arena, &input);

    (void)state;
    assert_true(slice_is(reading.result, "{\"product\":{\"id\":\"1\",\"price\":12.340}}"));
    assert_int_equal(reading.event.http_status, 200);
    input = input_of(PHASE_SEND, 200, " {\"product\":{\"id\":\"1\"}}\n");
    reading = reply_read(&arena, &input);
    assert_true(slice_is(reading.result, "{\"product\":{\"id\":\"1\"}}"));
    input = input_of(PHASE_POLL, 200, JOB("\"status\":\"success\""));
    assert_int_equal(reply_read(&arena, &input).result.length, 0);
}

static void a_failed_job_brings_its_own_status_code_and_message(void **state)
{
    struct reply_input input =
        input_of(PHASE_POLL, 200,
                 DONE_JOB("failure", "450",
                          "{\"error_type\":\"PLATFORM_ERROR\",\"error_code\":\"BAD_SKU\","
                          "\"error_message\":\"SKU\\u001b[31m is\\n\\u202etaken\"}"));
    struct reply_reading reading = reply_read(&arena, &input);

    (void)state;
    assert_int_equal(reading.event.http_status, 450);
    assert_string_equal(reading.event.error_type, "PLATFORM_ERROR");
    assert_string_equal(reading.event.error_code, "BAD_SKU");
    assert_string_equal(reading.message, "SKU?[31m is ?taken");
    assert_non_null(strstr(reading.result.bytes, "BAD_SKU"));
}

/* A platform that throttles with a 400 looks like a refusal: what it said itself tells. */
static void what_the_platform_said_stands_behind_the_message(void **state)
{
    struct reply_input input = input_of(
        PHASE_SEND, 450,
        "{\"error_type\":\"T\",\"error_code\":\"C\",\"error_message\":\"rejected\","
        "\"error_metadata\":{\"source\":\"platform\",\"human_readable\":\"too much at once\","
        "\"platform\":{\"code\":\"SSS_REQUEST_LIMIT_EXCEEDED\",\"status\":400,\"list\":[1],"
        "\"headers\":{\"x-rate\":\"0\",\"set-cookie\":\"a=b\",\"Authorization\":\"x\"}}}}");

    (void)state;
    assert_string_equal(reply_read(&arena, &input).message,
                        "rejected; too much at once; the platform: "
                        "code=SSS_REQUEST_LIMIT_EXCEEDED, status=400, x-rate=0");
    input = input_of(PHASE_SEND, 450,
                     "{\"error_code\":\"C\",\"error_message\":\"rejected\",\"error_metadata\":"
                     "{\"human_readable\":\"rejected\",\"platform\":\"said\\u0007 no\"}}");
    assert_string_equal(reply_read(&arena, &input).message, "rejected; the platform: said? no");
    input = input_of(PHASE_SEND, 450, "{\"error_code\":\"C\",\"error_metadata\":[]}");
    assert_string_equal(reply_read(&arena, &input).message, "");
}

static void two_names_of_a_job_are_told(void **state)
{
    struct reply_input input = input_of(PHASE_SEND, 200, ASYNC("job-9", ""));

    (void)state;
    input.job_id = "job-7";
    assert_non_null(strstr(reply_read(&arena, &input).message, "names another job"));
    input.job_id = "job-9";
    assert_string_equal(reply_read(&arena, &input).message, "");
}

static void an_older_list_of_errors_is_understood(void **state)
{
    struct reply_input input = input_of(
        PHASE_SEND, 400,
        "{\"errors\":[{\"code\":1,\"slug\":\"invalid_sku\",\"description\":\"no such sku\","
        "\"source\":\"invalid_input\"}]}");
    struct reply_reading reading = reply_read(&arena, &input);

    (void)state;
    assert_string_equal(reading.event.error_type, "invalid_input");
    assert_string_equal(reading.event.error_code, "invalid_sku");
    assert_string_equal(reading.message, "no such sku");
}

static void no_memory_is_an_event_too(void **state)
{
    static const char whole[] = DONE_JOB("success", "200", "{\"product\":{\"id\":\"1\"}}");

    (void)state;
    for (int64_t nth = 0; nth < 40; nth++) {
        struct reply_input input = input_of(nth % 2 == 0 ? PHASE_POLL : PHASE_SEND, 200, whole);
        struct reply_reading reading;

        arena_deinit(&arena);
        arena_init(&arena, 64u * 1024 * 1024);
        mem_test_fail(nth / 2, 1);
        reading = reply_read(&arena, &input);
        mem_test_fail(-1, 0);
        assert_legal(&input, &reading);
    }
}

/* The answer of the second kind of memory: the arena's own maximum, reached at every point. */
static void a_full_arena_is_an_event_too(void **state)
{
    size_t lost = 0;

    (void)state;
    for (size_t room = 0; room < 4096; room += 8) {
        struct reply_input input = input_of(PHASE_SEND, 500, "");
        struct reply_reading reading;

        input.job_id = "job-1";
        arena_deinit(&arena);
        arena_init(&arena, room);
        reading = reply_read(&arena, &input);
        assert_legal(&input, &reading);
        lost += reading.event.kind == EVENT_LOST;
    }
    assert_true(lost > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_cell_gives_an_event_that_is_legal_in_its_phase),
        TEST(a_body_cut_anywhere_is_never_done),
        TEST(a_conflict_without_a_key_of_ours_is_only_unclear),
        TEST(no_content_is_an_end_for_a_delete_alone),
        TEST(a_type_that_is_not_json_counts_as_unreadable),
        TEST(response_url_only_chooses_between_two_known_addresses),
        TEST(the_header_names_the_job_when_the_body_does_not),
        TEST(results_are_kept_as_json_text),
        TEST(a_failed_job_brings_its_own_status_code_and_message),
        TEST(what_the_platform_said_stands_behind_the_message),
        TEST(two_names_of_a_job_are_told),
        TEST(an_older_list_of_errors_is_understood),
        TEST(no_memory_is_an_event_too),
        TEST(a_full_arena_is_an_event_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
