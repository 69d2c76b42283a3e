#include "purser/cli/operation_text.h"

#include "spec_fixture.h"

/* The part of the prose behind the words "A job to start from". */
static const char *job_of(const struct operation *operation)
{
    static const char words[] = "A job to start from:\n\n";
    const char *at;

    buf_clear(&out);
    operation_text_explain(operation, &out);
    at = strstr(buf_text(&out), words);
    assert_non_null(at);
    return at + strlen(words);
}

static void every_job_that_is_proposed_is_right(void **state)
{
    const struct operation *operation;

    (void)state;
    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++) {
        buf_clear(&text);
        buf_append_format(&text, HEAD CONNECTIONS "%s", job_of(operation));
        diagnostics_deinit(&diagnostics);
        loaded(buf_text(&text));
        assert_int_equal(diagnostics.warning_count, 0);
        assert_ptr_equal(spec.jobs[0].operation, operation);
    }
}

static void prose_says_what_a_lost_answer_does(void **state)
{
    static const struct {
        enum http_method method;
        const char *path, *words;
    } cases[] = {
        {METHOD_POST, "/accounting/invoices", "sent again under the same\n"},
        {METHOD_PATCH, "/accounting/invoices/1", "sent again under the same\n"},
        {METHOD_DELETE, "/accounting/invoices/1", "idempotent by design"},
        {METHOD_POST, "/products", "until an answer of this operation shows a remote\n"},
        {METHOD_POST, "/accounting/bank_feeds/transactions", "idempotent: true"},
        {METHOD_POST, "/orders", "idempotent: true"},
        {METHOD_PATCH, "/orders/1", "retry: natural"},
        {METHOD_DELETE, "/products/1", "retry: natural"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&out);
        operation_text_explain(operation_find(cases[i].method, slice_of(cases[i].path)), &out);
        if (strstr(buf_text(&out), cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].path, buf_text(&out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_job_that_is_proposed_is_right, setup, teardown),
        cmocka_unit_test_setup_teardown(prose_says_what_a_lost_answer_does, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
