#include "purser/cli/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct probe_answer answer(int http_status, enum item_event_kind event, const char *job,
                                  const char *body)
{
    return (struct probe_answer){.http_status = http_status,
                                 .event = event,
                                 .remote_job = job,
                                 .request_id = "",
                                 .body = slice_of(body),
                                 .message = ""};
}

static void the_same_remote_job_is_the_same_write(void **context)
{
    struct probe_answer first = answer(200, EVENT_ACCEPTED, "job-1", "{}");
    struct probe_answer same = answer(200, EVENT_DONE, "job-1", "{\"product\":{}}");
    struct probe_answer other = answer(200, EVENT_ACCEPTED, "job-2", "{}");

    (void)context;
    assert_int_equal(probe_compare(&first, &same), PROBE_REMEMBERED);
    assert_int_equal(probe_compare(&first, &other), PROBE_FORGOTTEN);
}

static void without_a_job_the_entity_tells(void **context)
{
    struct probe_answer first = answer(200, EVENT_DONE, "", "{\"product\":{\"id\":\"1\"}}");
    struct probe_answer same = first;
    struct probe_answer other = answer(200, EVENT_DONE, "", "{\"product\":{\"id\":\"2\"}}");
    struct probe_answer job = answer(200, EVENT_ACCEPTED, "job-1", "{}");

    (void)context;
    assert_int_equal(probe_compare(&first, &same), PROBE_REMEMBERED);
    assert_int_equal(probe_compare(&first, &other), PROBE_FORGOTTEN);
    assert_int_equal(probe_compare(&first, &job), PROBE_UNCLEAR);
    assert_int_equal(probe_compare(&job, &first), PROBE_UNCLEAR);
}

static void what_is_no_answer_to_the_write_is_no_finding(void **context)
{
    struct probe_answer first = answer(200, EVENT_ACCEPTED, "job-1", "{}");
    struct probe_answer conflict = answer(409, EVENT_UNCLEAR, "", "{}");
    struct probe_answer throttled = answer(429, EVENT_THROTTLED, "", "{}");
    struct probe_answer refused = answer(400, EVENT_REFUSED, "", "{}");
    struct probe_answer lost = answer(0, EVENT_LOST, "", "");

    (void)context;
    assert_int_equal(probe_compare(&first, &conflict), PROBE_CONFLICT);
    assert_int_equal(probe_compare(&first, &throttled), PROBE_UNCLEAR);
    assert_int_equal(probe_compare(&first, &refused), PROBE_UNCLEAR);
    assert_int_equal(probe_compare(&first, &lost), PROBE_UNCLEAR);
    assert_true(probe_first_is_accepted(&first));
    assert_false(probe_first_is_accepted(&refused));
    assert_false(probe_first_is_accepted(&lost));
}

static void times_rise_and_are_few(void **context)
{
    struct probe probe = {0};
    struct err err = {0};

    (void)context;
    assert_int_equal(probe_parse_times("0s,10m,1h", &probe, &err), ERR_OK);
    assert_int_equal(probe.repeat_count, 3);
    assert_int_equal(probe.after_ms[2], 3600 * 1000);
    assert_int_equal(probe_parse_times("1h,1h", &probe, &err), ERR_USAGE);
    assert_int_equal(probe_parse_times("", &probe, &err), ERR_USAGE);
    assert_int_equal(probe_parse_times("1h,", &probe, &err), ERR_USAGE);
    assert_int_equal(
        probe_parse_times("1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s,12s,13s,14s,15s,16s", &probe, &err),
        ERR_OK);
    assert_int_equal(probe_parse_times("1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s,12s,13s,14s,15s,16s,17s",
                                       &probe, &err),
                     ERR_USAGE);
}

static void only_a_key_that_was_always_remembered_ends_with_0(void **context)
{
    struct probe probe = {
        .repeat_count = 2, .done_count = 2, .findings = {PROBE_REMEMBERED, PROBE_REMEMBERED}};

    (void)context;
    assert_int_equal(probe_exit_status(&probe), EXIT_DONE);
    probe.findings[1] = PROBE_UNCLEAR;
    assert_int_equal(probe_exit_status(&probe), EXIT_SOME_FAILED);
    probe.done_count = 1; /* the second was not made */
    assert_int_equal(probe_exit_status(&probe), EXIT_SOME_FAILED);
    probe.done_count = 0; /* the first write was not accepted */
    assert_int_equal(probe_exit_status(&probe), EXIT_SOME_FAILED);
}

static void repeats_have_a_maximum(void **context)
{
    char text[8 * PROBE_REPEATS_MAX] = "1m";
    struct probe probe = {0};
    struct err err = {0};

    (void)context;
    for (int i = 2; i <= PROBE_REPEATS_MAX; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), ",%dm", i);
    assert_int_equal(probe_parse_times(text, &probe, &err), ERR_OK);
    assert_int_equal(probe.repeat_count, PROBE_REPEATS_MAX);
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), ",%dm", PROBE_REPEATS_MAX + 1);
    assert_int_equal(probe_parse_times(text, &probe, &err), ERR_USAGE);
    assert_string_equal(err.text, "--after takes at most 16 times");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_remote_job_is_the_same_write),
        cmocka_unit_test(without_a_job_the_entity_tells),
        cmocka_unit_test(what_is_no_answer_to_the_write_is_no_finding),
        cmocka_unit_test(times_rise_and_are_few),
        cmocka_unit_test(only_a_key_that_was_always_remembered_ends_with_0),
        cmocka_unit_test(repeats_have_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
