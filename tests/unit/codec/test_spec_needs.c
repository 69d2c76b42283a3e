#include "spec_fixture.h"

#define SOURCE "    source: { csv: a.csv, key: \"${row.sku}\" }\n"
#define REQUEST "    request: DELETE /products/${row.sku}\n"
#define JOB(name, rest) "  " name ":\n" SOURCE REQUEST rest
#define BEGIN HEAD CONNECTIONS "jobs:\n" /* jobs begin on line 6 */

static void list_waits_for_whole_jobs_and_map_for_items(void **state)
{
    const struct spec_job *job;

    (void)state;
    loaded(BEGIN JOB("c", "    needs: [a, b]\n")
               JOB("b", "    needs:\n      one: { job: a, key: \"${row.a}\", connection: shop }\n"
                        "      two: { job: a, key: \"${row.b}\" }\n"
                        "      all: { job: a }\n"
                        "    order_by: ${row.customer}\n") JOB("a", ""));
    job = &spec.jobs[0];
    assert_int_equal(job->need_count, 2);
    assert_null(job->needs[0].alias);
    assert_int_equal(job->needs[0].job, 2);
    assert_int_equal(job->needs[1].job, 1);
    job = &spec.jobs[1];
    assert_int_equal(job->need_count, 3);
    assert_null(job->needs[2].alias); /* without a key: all of the job */
    assert_string_equal(job->needs[0].alias, "one");
    assert_int_equal(job->needs[0].job, 2);
    assert_non_null(job->needs[0].connection);
    assert_null(job->needs[1].connection);
    assert_non_null(job->order_by);
    assert_int_equal(spec.jobs[2].need_count, 0);
}

static void jobs_have_an_order_that_follows_their_needs(void **state)
{
    (void)state;
    loaded(BEGIN JOB("c", "    needs: [b]\n") JOB("d", "") JOB("b", "    needs: [a, d]\n")
               JOB("a", ""));
    assert_int_equal(spec.job_order[0], 3); /* a */
    assert_int_equal(spec.job_order[1], 1); /* d */
    assert_int_equal(spec.job_order[2], 2); /* b */
    assert_int_equal(spec.job_order[3], 0); /* c */
}

static void circle_is_told_whole_with_its_places(void **state)
{
    (void)state;
    assert_refused(BEGIN JOB("a", "    needs: [b]\n") JOB("b", "    needs: [c]\n")
                       JOB("c", "    needs:\n      x: { job: a, key: \"${row.k}\" }\n"),
                   "t.yaml:9:13: error: the needs go in a circle: a needs b (9:13), b needs c "
                   "(13:13), c needs a (18:17)   [spec.needs_circle]");
    assert_refused(BEGIN JOB("z", "    needs: [a]\n") JOB("a", "    needs: [b]\n")
                       JOB("b", "    needs: [a]\n"),
                   "t.yaml:13:13: error: the needs go in a circle: a needs b (13:13), b needs a "
                   "(17:13)");
    assert_refused(BEGIN JOB("a", "    needs: [a]\n"),
                   "t.yaml:9:13: error: job 'a' needs itself   [spec.needs_circle]");
}

static void circle_of_many_jobs_is_cut(void **state)
{
    (void)state;
    buf_clear(&text);
    buf_append_text(&text, BEGIN);
    for (int i = 0; i < SPEC_JOBS_MAX; i++)
        buf_append_format(&text, "  j%d:\n" SOURCE REQUEST "    needs: [j%d]\n", i,
                          (i + 1) % SPEC_JOBS_MAX);
    assert_message(buf_text(&text), ERR_INPUT,
                   "error: the needs go in a circle: j0 needs j1 (9:13)");
    assert_int_equal(diagnostics.error_count, 1);
}

static void mistakes_in_needs_are_named(void **state)
{
    static const struct {
        const char *rest, *message;
    } cases[] = {
        {"    needs: [produts]\n", "t.yaml:12:13: error: there is no job 'produts'   "
                                   "[spec.unknown_job]\n"
                                   "      help: did you mean 'products'?"},
        {"    needs: products\n", "t.yaml:12:12: error: 'needs' is text, must be a list or a map"},
        {"    needs: [1]\n", "t.yaml:12:13: error: a need is a whole number, must be the name"},
        {"    needs: [products, products]\n",
         "t.yaml:12:23: error: job 'products' is needed twice"},
        {"    needs: { p: { job: products, connection: shop } }\n",
         "t.yaml:12:46: error: need 'p' has a connection and no key"},
        {"    needs: { p: { key: \"${row.a}\" } }\n",
         "t.yaml:12:17: error: 'job' is missing in need 'p'"},
        {"    needs: { p: products }\n", "t.yaml:12:17: error: need 'p' is text, must be a map"},
        {"    needs: { p-q: { job: products, key: \"${row.a}\" } }\n",
         "t.yaml:12:14: error: 'p-q' cannot be the name of a need"},
        {"    needs: { p: { job: products, key: \"${row.a}\", jbo: x } }\n",
         "t.yaml:12:51: error: unknown key 'jbo' in need 'p'   [spec.unknown_key]\n"
         "      help: did you mean 'job'?"},
        {"    needs: { p: { job: products, key: \"${row.a}\", connection: shap } }\n",
         "t.yaml:12:63: error: no connection 'shap'"},
        {"    order_by: customer\n", "t.yaml:12:15: error: 'order_by' is the same for every row"},
    };
    char yaml[2048];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(yaml, sizeof yaml, "%s%s%s%s", BEGIN, JOB("products", ""), JOB("x", ""),
                 cases[i].rest);
        assert_refused(yaml, cases[i].message);
    }
}

static void needs_have_a_maximum(void **state)
{
    (void)state;
    buf_clear(&text);
    buf_append_text(&text, BEGIN JOB("a", "") JOB("x", "    needs:\n"));
    for (int i = 0; i < NEEDS_MAX - 1; i++)
        buf_append_format(&text, "      n%d: { job: a, key: \"${row.k}\" }\n", i);
    loaded(buf_text(&text));
    assert_int_equal(spec.jobs[1].need_count, NEEDS_MAX - 1);
    buf_append_text(&text, "      more: { job: a, key: \"${row.k}\" }\n");
    assert_refused(buf_text(&text), "t.yaml:13:7: error: more than 15 needs   [spec.too_many]");
}

/* -- binding ---------------------------------------------------------------------------------- */

static struct job_templates templates;

static const char *bound(const char *yaml, size_t index)
{
    static const struct slice columns[] = {{"sku", 3}, {"handle", 6}};

    diagnostics_deinit(&diagnostics);
    loaded(yaml);
    (void)!spec_job_bind(&arena, &spec, &spec.jobs[index], columns, 2, &templates, &diagnostics);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    return buf_text(&out);
}

#define PARENT                                             \
    "  products:\n" SOURCE "    request: POST /products\n" \
    "    body: { product: { name: x } }\n"                 \
    "    outputs: { id: \"${response.product.id}\" }\n"
#define CHILD(key, path, rest)                                                               \
    BEGIN PARENT "  variants:\n" SOURCE "    needs: { product: { job: products, key: \"" key \
                 "\" } }\n"                                                                  \
                 "    request: PATCH /products/" path "\n"                                   \
                 "    body: { product: { name: x } }\n" rest

static void what_needs_give_is_known_in_path_body_and_condition(void **state)
{
    (void)state;
    assert_string_equal(bound(CHILD("${row.handle}", "${needs.product.outputs.id}",
                                    "    if: ${needs.product.outputs.id != \"x\"}\n"),
                              1),
                        "");
    assert_true(templates.uses_needs);
    assert_non_null(templates.needs[0].key);
    /* The parent's job has one connection for all its rows. */
    assert_non_null(templates.needs[0].connection);
    assert_string_equal(bound(CHILD("${row.handle}", "${row.sku}", ""), 1), "");
    assert_false(templates.uses_needs);
}

static void names_of_needs_are_checked_when_a_job_is_bound(void **state)
{
    (void)state;
    assert_non_null(strstr(bound(CHILD("${row.handle}", "${needs.product.outputs.idd}", ""), 1),
                           "error: job products has no output 'idd'   [expr.unknown_output]"));
    assert_non_null(strstr(buf_text(&out), "help: did you mean 'id'?"));
    assert_non_null(strstr(bound(CHILD("${row.handel}", "${row.sku}", ""), 1),
                           "error: no column 'handel' in a.csv"));
    assert_non_null(strstr(bound(CHILD("${needs.product.outputs.id}", "${row.sku}", ""), 1),
                           "'needs' cannot be used here"));
    assert_non_null(strstr(
        bound(CHILD("${row.handle}", "${row.sku}", "    order_by: ${needs.product.outputs.id}\n"),
              1),
        "'needs' cannot be used here"));
}

static void needs_of_whole_jobs_give_nothing_to_refer_to(void **state)
{
    (void)state;
    assert_non_null(
        strstr(bound(BEGIN PARENT "  x:\n" SOURCE "    needs: [products]\n"
                                  "    request: DELETE /products/${needs.products.outputs.id}\n",
                     1),
               "'needs' cannot be used here"));
}

static void outputs_are_taken_from_the_answer_alone(void **state)
{
    (void)state;
    assert_non_null(strstr(bound(BEGIN "  products:\n" SOURCE "    request: POST /products\n"
                                       "    body: { product: { name: x } }\n"
                                       "    outputs: { id: \"${row.sku}\" }\n",
                                 0),
                           "'row' cannot be used here"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list_waits_for_whole_jobs_and_map_for_items),
        TEST(jobs_have_an_order_that_follows_their_needs),
        TEST(circle_is_told_whole_with_its_places),
        TEST(circle_of_many_jobs_is_cut),
        TEST(mistakes_in_needs_are_named),
        TEST(needs_have_a_maximum),
        TEST(what_needs_give_is_known_in_path_body_and_condition),
        TEST(names_of_needs_are_checked_when_a_job_is_bound),
        TEST(needs_of_whole_jobs_give_nothing_to_refer_to),
        TEST(outputs_are_taken_from_the_answer_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
