#include "spec_fixture.h"

#define SOURCE "source: { csv: p.csv, key: \"${row.a}\" }"

/* One job of the given lines. */
static const struct spec_job *job_of(const char *lines)
{
    buf_clear(&text);
    buf_append_format(&text, HEAD CONNECTIONS "jobs:\n  p:\n    " SOURCE "\n    %s\n", lines);
    loaded(buf_text(&text));
    return &spec.jobs[0];
}

static void the_mode_of_a_job_is_its_own_or_the_default_where_the_operation_takes_one(void **state)
{
    static const char body[] = "request: POST /accounting/items\n    body: { item: { a: 1 } }";

    (void)state;
    assert_int_equal(job_of(body)->mode, RESPONSE_ASYNC);
    assert_int_equal(job_of("mode: prefer_sync\n    request: POST /accounting/items\n"
                            "    body: { item: { a: 1 } }")
                         ->mode,
                     RESPONSE_PREFER_SYNC);
    assert_int_equal(job_of("request: DELETE /products/1")->mode, RESPONSE_SYNC);
    assert_int_equal(job_of("mode: sync\n    request: DELETE /products/1")->mode, RESPONSE_SYNC);
    buf_clear(&text);
    buf_append_format(&text,
                      HEAD CONNECTIONS "defaults: { mode: sync }\njobs:\n"
                                       "  p:\n    " SOURCE "\n    %s\n"
                                       "  q:\n    " SOURCE "\n    mode: async\n    %s\n",
                      body, body);
    loaded(buf_text(&text));
    assert_int_equal(spec.jobs[0].mode, RESPONSE_SYNC);
    assert_int_equal(spec.jobs[1].mode, RESPONSE_ASYNC);
}

static void a_custom_request_becomes_an_operation_that_is_sent_at_most_once(void **state)
{
    const struct spec_job *job = job_of("custom: true\n    request: PUT /pets/a-${row.a}/toys/7\n"
                                        "    body: { anything: { goes: 1 } }");

    (void)state;
    assert_true(job->is_custom);
    assert_int_equal(job->operation->method, METHOD_PUT);
    assert_string_equal(job->operation->path, "/pets/{value}/toys/7");
    assert_int_equal(job->operation->class, CLASS_N);
    assert_int_equal(operation_repeat(job->operation), REPEAT_NEVER);
    assert_int_equal(job->operation->mode_place, MODE_NOWHERE);
    assert_true(job->operation->takes_access_token);
    assert_true(operation_takes_path(job->operation, SLICE("/pets/a-1/toys/7")));
    assert_false(operation_takes_path(job->operation, SLICE("/pets/a-1/toys/8")));
    assert_false(job_of("custom: false\n    request: DELETE /products/1")->is_custom);
}

static void what_the_author_vouches_for_is_kept_with_the_job(void **state)
{
    const struct spec_job *job = job_of("request: DELETE /products/${row.a}");

    (void)state;
    assert_false(job->repeats_naturally);
    assert_false(job->trusts_key);
    job = job_of("retry: natural\n    request: DELETE /products/${row.a}");
    assert_true(job->repeats_naturally);
    assert_int_equal(job->retry.attempts, 8);
    job = job_of("retry: { natural: true, attempts: 3 }\n    request: DELETE /products/${row.a}");
    assert_true(job->repeats_naturally);
    assert_int_equal(job->retry.attempts, 3);
    assert_false(
        job_of("retry: { natural: false }\n    request: DELETE /products/1")->repeats_naturally);
    assert_true(job_of("idempotent: true\n    request: PATCH /products/${row.a}\n"
                       "    body: { product: { name: x } }")
                    ->trusts_key);
    assert_true(job_of("idempotent: true\n    custom: true\n    request: POST /pets")->trusts_key);
}

static void natural_is_no_default_and_a_known_key_needs_no_word(void **state)
{
    (void)state;
    assert_refused(HEAD CONNECTIONS "defaults: { retry: natural }\n" JOBS,
                   "t.yaml:5:20: error: natural is said of one job's request, not of all");
    assert_refused(HEAD CONNECTIONS "defaults: { retry: { natural: true } }\n" JOBS,
                   "t.yaml:5:31: error: natural is said of one job's request, not of all");
    assert_message(HEAD CONNECTIONS
                   "jobs:\n  p:\n    " SOURCE
                   "\n    retry: natural\n    request: DELETE /accounting/bills/1\n",
                   ERR_OK,
                   "t.yaml:8:12: warning: DELETE /accounting/bills/{id} is repeated under its key "
                   "by itself, which is safer; with natural no key is sent   [spec.natural]");
    assert_message(HEAD CONNECTIONS "jobs:\n  p:\n    " SOURCE
                                    "\n    idempotent: true\n    request: POST /accounting/items"
                                    "\n    body: { item: { a: 1 } }\n",
                   ERR_OK,
                   "t.yaml:8:17: warning: POST /accounting/items is known to honour its key; this "
                   "changes nothing   [spec.idempotent]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_mode_of_a_job_is_its_own_or_the_default_where_the_operation_takes_one, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            a_custom_request_becomes_an_operation_that_is_sent_at_most_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_author_vouches_for_is_kept_with_the_job, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(natural_is_no_default_and_a_known_key_needs_no_word, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
