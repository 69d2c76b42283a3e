/* The request of an item that has waited: made of its row, which the ledger has kept, and of what
 * its parent has returned. What cannot be made fails alone, and a lack of memory fails nobody. */
#include "ledger_fixture.h"
#include "no_syncs.h"
#include "spec_fixture.h"

#include "purser/io/request_renderer.h"

static const char yaml[] =
    "purser: 1\n"
    "name: catalog\n"
    "connections:\n"
    "  shop: { access_token: { env: T } }\n"
    "jobs:\n"
    "  products:\n"
    "    source: { inline: [ { sku: A } ], key: \"${row.sku}\" }\n"
    "    request: POST /products\n"
    "    body: { product: { name: x, description: x, variants: [] } }\n"
    "    outputs: { id: \"${response.product.id}\", n: \"${response.product.n * 2}\" }\n"
    "  variants:\n"
    "    needs: { product: { job: products, key: \"${row.of}\" } }\n"
    "    source: { inline: [ { sku: V, of: A } ], key: \"${row.sku}\" }\n"
    "    if: ${row.sku != 'skipped'}\n"
    "    request: PATCH /products/${needs.product.outputs.id}\n"
    "    body: { product: { name: \"${row.sku}\" } }\n";

enum { PROBLEM_BYTES = 300 };

static const char row_of_v[] = "{\"row\":{\"sku\":\"V\",\"of\":\"A\"},\"index\":0,\"line\":13,"
                               "\"file\":\"t.yaml\"}";

static struct opened opened;
static struct intake *intake;
static struct request_renderer renderer;
static struct frozen_request request;
static char problem[PROBLEM_BYTES];
static struct item child;
static struct needs_record needs;
static struct err err;

/* Item 1 is the parent, whose answer is `answer`; NULL = none. */
static void open_all(const char *answer)
{
    struct result_record result = {.http_status = 200};
    uint32_t ignored;

    (void)loaded(yaml);
    opened = open_ledger();
    must(opened.port->ops->connection_number(opened.port, "shop", &ignored, &err), &err);
    must(opened.port->ops->job_number(opened.port, "products", &ignored, &err), &err);
    must(opened.port->ops->job_number(opened.port, "variants", &ignored, &err), &err);
    must(opened.port->ops->job_number(opened.port, "gone", &ignored, &err), &err);
    add(opened.port, 0, 0, "A", ITEM_SUCCEEDED, SLICE("{}"));
    if (answer != NULL) {
        result.body = slice_of(answer);
        must(opened.port->ops->put_result(opened.port, 1, &result, &err), &err);
    }
    add(opened.port, 2, 0, "of a job that is gone", ITEM_SUCCEEDED, SLICE("{}"));
    commit(opened.port);
    if (intake_open(&spec, 1, 0, &diagnostics, &intake, &err) != ERR_OK)
        fail_msg("%s", err.text);
    must(intake_set_ledger(intake, opened.port, &err), &err);
    if (intake_check(intake, &err) != ERR_OK) {
        diagnostics_print(&diagnostics, &out);
        fail_msg("%s", buf_text(&out));
    }
    request_renderer_init(&renderer, intake);
    child = item_new(1, 0, (struct hash128){0}, 0);
    needs =
        (struct needs_record){.needs = {{.kind = WAIT_ITEM, .target = 1, .name = SLICE("product")}},
                              .need_count = 1,
                              .draft = SLICE("")};
}

static void close_all(void)
{
    intake_close(intake);
    close_ledger(&opened);
}

static enum err_code render(const char *draft)
{
    request = (struct frozen_request){.job = 1, .key = SLICE("V")};
    err = (struct err){0};
    problem[0] = '\0';
    needs.draft = slice_of(draft);
    return renderer.port.ops->render(&renderer.port, 7, &child, &needs, &request, problem,
                                     sizeof problem, &err);
}

static void refuses(const char *draft, const char *what)
{
    assert_int_equal(render(draft), ERR_INPUT);
    if (strstr(problem, what) == NULL)
        fail_msg("%s", problem);
}

static void a_request_is_made_of_its_row_and_of_what_its_parent_returned(void **state)
{
    (void)state;
    open_all("{\"product\":{\"id\":\"p-1\",\"n\":1}}");
    assert_true(request_renderer_is_needed(&spec));
    must(render(row_of_v), &err);
    assert_int_equal(request.method, METHOD_PATCH);
    assert_true(slice_is(request.path, "/products/p-1"));
    assert_true(slice_is(request.body, "{\"product\":{\"name\":\"V\"}}"));
    needs.need_count = 3; /* a whole job, and a place in an order, give nothing */
    needs.needs[1] = (struct need){.kind = WAIT_JOB, .target = 0};
    needs.needs[2] = (struct need){.kind = WAIT_ITEM, .target = 99, .ordering = true};
    must(render(row_of_v), &err);
    assert_true(slice_is(request.path, "/products/p-1"));
    assert_int_equal(render("{\"row\":{\"sku\":\"skipped\",\"of\":\"A\"},\"index\":0,\"line\":13,"
                            "\"file\":\"t.yaml\"}"),
                     ERR_NOT_FOUND);
    close_all();
}

static void what_cannot_be_made_says_why(void **state)
{
    (void)state;
    open_all("{\"product\":{\"name\":\"without an id\"}}");
    refuses(row_of_v, "outputs of job products: response.product.n is missing (t.yaml:10:");
    refuses("{\"row\":", "");
    refuses("[]", "");
    needs.needs[0].target = 99;
    refuses(row_of_v, "the item that it needs is not in the ledger any more");
    needs.needs[0].target = 2;
    refuses(row_of_v, "the job of the item that it needs is not in the spec any more");
    child.job = 2;
    refuses(row_of_v, "its job is not in the spec any more");
    child.job = 9; /* of no name at all */
    refuses(row_of_v, "its job is not in the spec any more");
    close_all();
}

static void a_request_that_lacks_an_output_says_which(void **state)
{
    (void)state;
    open_all("{\"product\":{\"n\":1}}");
    refuses(row_of_v, "needs.product.outputs.id is missing: the answer does not have it");
    close_all();
}

/* A person has decided that it was done. */
static void a_parent_without_an_answer_has_no_outputs(void **state)
{
    (void)state;
    open_all(NULL);
    refuses(row_of_v, "outputs of job products: response.product.n is missing (t.yaml:10:");
    close_all();
}

static void no_item_fails_for_a_lack_of_memory(void **state)
{
    enum err_code code = ERR_NO_MEMORY;

    (void)state;
    open_all("{\"product\":{\"id\":\"p-1\",\"n\":1}}");
    for (int64_t nth = 0; code != ERR_OK; nth++) {
        uint64_t failures = mem_failure_count();

        mem_test_fail(nth, 0);
        code = render(row_of_v);
        mem_test_fail(-1, 0);
        assert_true(nth < 500);
        assert_int_equal(code, mem_failure_count() > failures ? ERR_NO_MEMORY : ERR_OK);
    }
    assert_true(slice_is(request.path, "/products/p-1"));
    close_all();
}

static int setup_all(void **state)
{
    return setup(state) != 0 ? -1 : scratch_make(state);
}

static int teardown_all(void **state)
{
    int removed = scratch_remove(state);

    return teardown(state) != 0 ? -1 : removed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_request_is_made_of_its_row_and_of_what_its_parent_returned, setup_all, teardown_all),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_says_why, setup_all, teardown_all),
        cmocka_unit_test_setup_teardown(a_request_that_lacks_an_output_says_which, setup_all,
                                        teardown_all),
        cmocka_unit_test_setup_teardown(a_parent_without_an_answer_has_no_outputs, setup_all,
                                        teardown_all),
        cmocka_unit_test_setup_teardown(no_item_fails_for_a_lack_of_memory, setup_all,
                                        teardown_all),
    };

    return cmocka_run_group_tests_name("io/request_renderer", tests, NULL, NULL);
}
