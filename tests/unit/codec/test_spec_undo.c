/* The undo: of a job, from YAML to the request of one item. */
#include "spec_fixture.h"

#include "purser/codec/json.h"
#include "purser/codec/undo.h"

#define JOB                                                                    \
    "source: { csv: p.csv, key: \"${row.a}\" }\n    request: POST /products\n" \
    "    body: { product: { name: A, description: D, variants: [] } }\n"       \
    "    outputs: { product_id: \"${response.product.id}\" }\n"

static const struct spec_job *job_of(const char *lines)
{
    buf_clear(&text);
    buf_append_format(&text, HEAD CONNECTIONS "jobs:\n  p:\n    " JOB "    %s\n", lines);
    loaded(buf_text(&text));
    return &spec.jobs[0];
}

static void an_undo_is_a_job_of_its_own_that_knows_whose_it_is(void **state)
{
    const struct spec_job *job = job_of("undo: DELETE /products/${outputs.product_id}");

    (void)state;
    assert_string_equal(job->undo->name, "p:undo");
    assert_ptr_equal(job->undo->undoes, job);
    assert_int_equal(job->undo->method, METHOD_DELETE);
    assert_int_equal(job->undo->mode, RESPONSE_SYNC);
    assert_int_equal(operation_repeat(job->undo->operation), REPEAT_NEVER);
    assert_null(job->undoes);
    assert_null(job_of("")->undo);
    job = job_of("undo:\n      request: PATCH /accounting/items/${outputs.product_id}\n"
                 "      body: { item: { status: archived } }");
    assert_non_null(job->undo->body);
    assert_int_equal(job->undo->mode, RESPONSE_ASYNC);
}

/* Compiles and renders the undo for an answer; the path, or what was wrong. */
static const char *rendered(const struct spec_job *job, const char *outputs, const char *response)
{
    static char shown[1024];
    const struct undo_template *undo;
    const struct slice names[] = {SLICE("outputs"), SLICE("response")};
    struct value values[2];
    struct value returned = {.kind = VALUE_MAP,
                             .map = {.names = names, .values = values, .count = 2}};
    struct eval_error error = {0};
    struct err err = {0};
    struct slice path;
    struct buf body;

    buf_init(&body, 1000);
    assert_int_equal(undo_compile(&arena, &spec, job, &undo, &diagnostics), ERR_OK);
    assert_int_equal(json_parse(&arena, outputs, strlen(outputs), &values[0], &err), ERR_OK);
    assert_int_equal(json_parse(&arena, response, strlen(response), &values[1], &err), ERR_OK);
    if (undo_render(undo,
                    &(struct undo_item){.key = SLICE("S-1"), .line = 7, .returned = &returned},
                    &arena, &body, &path, &error))
        (void)snprintf(shown, sizeof shown, "%.*s %s", (int)path.length, path.bytes,
                       buf_text(&body));
    else
        (void)snprintf(shown, sizeof shown, "! %s", error.text);
    buf_deinit(&body);
    return shown;
}

static void what_was_returned_makes_the_request(void **state)
{
    (void)state;
    assert_string_equal(rendered(job_of("undo: DELETE /products/${outputs.product_id}"),
                                 "{\"product_id\":\"a/b\"}", "{}"),
                        "/products/a%2Fb ");
    assert_string_equal(
        rendered(job_of("undo:\n      request: PATCH /accounting/items/${response.id}\n"
                        "      body: { item: { name: \"${item.key}\" } }"),
                 "{}", "{\"id\":12}"),
        "/accounting/items/12 {\"response_mode\":\"async\",\"item\":{\"name\":\"S-1\"}}");
}

static void what_was_not_returned_makes_none(void **state)
{
    const char *told = rendered(job_of("undo: DELETE /products/${outputs.product_id}"), "{}", "{}");

    (void)state;
    assert_int_equal(told[0], '!');
    assert_non_null(strstr(told, "outputs.product_id"));
}

static void assert_refused_undo(const char *undo, const char *message)
{
    buf_clear(&text);
    buf_append_format(&text, HEAD CONNECTIONS "jobs:\n  p:\n    " JOB "    %s\n", undo);
    assert_message(buf_text(&text), ERR_INPUT, message);
}

static void mistakes_are_found_when_the_spec_is_loaded(void **state)
{
    (void)state;
    assert_refused_undo("undo: DELETE /products/1",
                        "nothing in this undo differs from item to item");
    assert_refused_undo("undo: DELETE /productz/${outputs.product_id}", "productz");
    assert_refused_undo("undo: GET /products/${outputs.product_id}", "is no method of a write");
    assert_refused_undo("undo: DELETE /connections/${response.id}",
                        "over the organisation's connection or over a merchant's");
    assert_refused_undo("undo: { body: { a: 1 } }", "'request' is missing in undo");
    assert_refused_undo("undo: { request: \"DELETE /products/${response.id}\", when: x }",
                        "unknown key 'when' in undo");
    assert_refused_undo("undo: [1]", "undo' is a list");
    assert_refused_undo("undo: { request: \"PATCH /products/${response.id}\" }", "needs a body");
}

static void assert_unknown(const char *undo, const char *message)
{
    const struct spec_job *job = job_of(undo);
    const struct undo_template *compiled;

    assert_int_equal(undo_compile(&arena, &spec, job, &compiled, &diagnostics), ERR_INPUT);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    if (strstr(buf_text(&out), message) == NULL)
        fail_msg("expected %s, got %s", message, buf_text(&out));
    diagnostics_deinit(&diagnostics);
    diagnostics_init(&diagnostics);
}

static void only_what_the_ledger_keeps_is_known(void **state)
{
    (void)state;
    assert_unknown("undo: DELETE /products/${outputs.produkt_id}",
                   "job p has no output 'produkt_id'   [expr.unknown_output]");
    assert_unknown("undo: DELETE /products/${row.a}", "'row' cannot be used here");
    assert_unknown("undo: DELETE /products/${run.id}", "'run' cannot be used here");
    assert_unknown("undo: DELETE /products/${needs.x.outputs.id}", "'needs' cannot be used here");
    assert_unknown("undo: DELETE /products/${item.index}", "item has no 'index'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_undo_is_a_job_of_its_own_that_knows_whose_it_is),
        TEST(what_was_returned_makes_the_request),
        TEST(what_was_not_returned_makes_none),
        TEST(mistakes_are_found_when_the_spec_is_loaded),
        TEST(only_what_the_ledger_keeps_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
