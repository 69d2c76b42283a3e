/* A job that shows another request than ours is not ours (S13, S14). */
#include "purser/codec/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://production.rutterapi.com/versioned"
#define OUR_KEY "11111111-2222-4333-8444-555555555555"

enum { ARENA_BYTES_MAX = 1024 * 1024 };

static enum reason reason_of(const char *path, const char *job)
{
    struct arena arena;
    struct reply_reading reading;
    enum reason reason;

    arena_init(&arena, ARENA_BYTES_MAX);
    reading = reply_read(&arena, &(struct reply_input){.phase = PHASE_POLL,
                                                       .operation = operation_find(
                                                           METHOD_PATCH, SLICE("/products/7")),
                                                       .path = slice_of(path),
                                                       .http_status = 200,
                                                       .body = slice_of(job),
                                                       .remote_job = "job-1",
                                                       .idempotency_key = OUR_KEY});
    reason = reading.event.reason;
    if (reason == REASON_WRONG_JOB)
        assert_string_equal(reading.rule, "wrong_job");
    else
        assert_int_equal(reading.event.kind, EVENT_DONE);
    arena_deinit(&arena);
    return reason;
}

static void assert_request(const char *path, const char *request, bool ours)
{
    char job[512];

    (void)snprintf(job, sizeof job, "{\"id\":\"job-1\",\"status\":\"success\",\"request\":%s}",
                   request);
    if (reason_of(path, job) != (ours ? REASON_NONE : REASON_WRONG_JOB))
        fail_msg("path '%s', job of %s", path, request);
}

static void another_id_or_key_is_another_job(void **state)
{
    (void)state;
    assert_int_equal(reason_of("", "{\"id\":\"job-2\",\"status\":\"success\"}"), REASON_WRONG_JOB);
    assert_int_equal(reason_of("", "{\"id\":\"job-2\",\"status\":\"pending\"}"), REASON_WRONG_JOB);
    assert_request("", "{\"idempotency_key\":\"another\"}", false);
    assert_request("", "{\"idempotency_key\":\"" OUR_KEY "\"}", true);
    assert_request("", "{\"idempotency_key\":null}", true);
    assert_request("", "{\"idempotency_key\":\"\"}", true);
    assert_request("", "null", true);
    assert_request("", "[]", true);
}

static void another_method_is_another_job(void **state)
{
    (void)state;
    assert_request("", "{\"method\":\"PATCH\"}", true);
    assert_request("", "{\"method\":\"patch\"}", true);
    assert_request("", "{\"method\":\"POST\"}", false);
    assert_request("", "{\"method\":\"delete\"}", false);
    assert_request("", "{\"method\":\"UPSERT\"}", true); /* nobody knows it: no contradiction */
    assert_request("", "{\"method\":7}", true);
}

static void without_a_path_of_ours_the_template_is_compared(void **state)
{
    (void)state;
    assert_request("", "{\"url\":\"" BASE "/products/7?access_token=a\"}", true);
    assert_request("", "{\"url\":\"" BASE "/products/8#x\"}", true);
    assert_request("", "{\"url\":\"/products/8/\"}", true);
    assert_request("", "{\"url\":\"8\"}", true);
    assert_request("", "{\"url\":\"/products/:id\"}", true);
    assert_request("", "{\"url\":\"https://production.rutterapi.com\"}", true);
    assert_request("", "{\"url\":\"\"}", true);
    assert_request("", "{\"url\":\"" BASE "/orders/7\"}", false);
    assert_request("", "{\"url\":\"" BASE "/products\"}", false);
    assert_request("", "{\"url\":\"" BASE "/products/7/variants\"}", false);
}

/* %xx and the byte that it stands for are the same. */
static void a_path_of_ours_is_compared_to_its_last_byte(void **state)
{
    (void)state;
    assert_request("/products/7", "{\"url\":\"" BASE "/products/7\"}", true);
    assert_request("/products/7?a=b", "{\"url\":\"" BASE "/products/7?access_token=x\"}", true);
    assert_request("/products/7", "{\"url\":\"" BASE "/products/8\"}", false);
    assert_request("/products/7", "{\"url\":\"" BASE "/products/77\"}", false);
    assert_request("/products/77", "{\"url\":\"" BASE "/products/7\"}", false);
    assert_request("/products/7", "{\"url\":\"" BASE "/Products/7\"}", false);
    assert_request("/products/a%20b", "{\"url\":\"/products/a b\"}", true);
    assert_request("/products/a%2fb", "{\"url\":\"/products/a%2Fb\"}", true);
    assert_request("/products/a%2fb", "{\"url\":\"/products/a%2\"}", false);
    assert_request("/products/a%zz", "{\"url\":\"/products/a%zz\"}", true);
}

static void a_request_that_nobody_knows_contradicts_nothing(void **state)
{
    struct arena arena;
    struct reply_input input = {
        .phase = PHASE_POLL,
        .http_status = 200,
        .body = SLICE("{\"id\":\"job-1\",\"status\":\"success\",\"request\":{\"method\":\"PUT\","
                      "\"url\":\"/x\"}}"),
        .remote_job = "job-1",
        .idempotency_key = OUR_KEY};

    (void)state;
    arena_init(&arena, ARENA_BYTES_MAX);
    assert_int_equal(reply_read(&arena, &input).event.kind, EVENT_DONE);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_id_or_key_is_another_job),
        cmocka_unit_test(another_method_is_another_job),
        cmocka_unit_test(without_a_path_of_ours_the_template_is_compared),
        cmocka_unit_test(a_path_of_ours_is_compared_to_its_last_byte),
        cmocka_unit_test(a_request_that_nobody_knows_contradicts_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
