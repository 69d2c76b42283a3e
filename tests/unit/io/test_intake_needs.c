/* Rows that wait for items of another job, and what the ledger says of those. */
#include "intake_fixture.h"

#include "ledger_fixture.h"

#define PARENTS                                                                 \
    "jobs:\n"                                                                   \
    "  products:\n"                                                             \
    "    connection: blue\n"                                                    \
    "    source: { inline: [{ sku: p1 }, { sku: p2 }], key: \"${row.sku}\" }\n" \
    "    request: POST /products\n"                                             \
    "    body: { product: { name: \"${row.sku}\" } }\n"                         \
    "    outputs: { id: \"${response.product.id}\" }\n"
#define CHILD(row, needs, rest)                                            \
    SHOPS PARENTS "  variants:\n"                                          \
                  "    connection: blue\n"                                 \
                  "    needs: { product: { job: products, " needs " } }\n" \
                  "    source: { inline: [{ " row " }], key: \"${row.sku}\" }\n" rest
#define OF "key: \"${row.of}\""
#define TO_PARENT                                                            \
    "    request: \"POST /products/${needs.product.outputs.id}/variants\"\n" \
    "    body: { variant: { sku: \"${row.sku}\", title: \"${run.id}-${row.of}\" } }\n"
#define PRODUCTS                                                                               \
    "products p1 blue /products {\"response_mode\":\"async\",\"product\":{\"name\":\"p1\"}}\n" \
    "products p2 blue /products {\"response_mode\":\"async\",\"product\":{\"name\":\"p2\"}}\n"

static struct opened opened;

static int set_up_ledger(void **state)
{
    opened = (struct opened){0};
    return scratch_make(state) != 0 ? -1 : set_up_intake(state);
}

static int tear_down_ledger(void **state)
{
    intake_close(intake);
    intake = NULL;
    if (opened.port != NULL)
        close_ledger(&opened);
    return tear_down_intake(state) != 0 ? -1 : scratch_remove(state);
}

/* A ledger that knows the jobs and connections, and item 1, a product. */
static void open_with_parent(const char *key, enum item_state state, const char *answer)
{
    struct result_record result = {.http_status = 200};
    struct err err = {0};
    uint32_t number;
    uint64_t parent;

    opened = open_ledger();
    must(opened.port->ops->job_number(opened.port, "products", &number, &err), &err);
    must(opened.port->ops->connection_number(opened.port, "blue", &number, &err), &err);
    parent = add(opened.port, 0, 0, key, state, SLICE("{}"));
    if (answer != NULL) {
        result.body = slice_of(answer);
        must(opened.port->ops->put_result(opened.port, parent, &result, &err), &err);
    }
    commit(opened.port);
}

static void open_checked(const char *yaml)
{
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    must_be(intake_set_ledger(intake, opened.port, &why), ERR_OK);
    must_be(check(), ERR_OK);
}

/* --- what a row says of its needs --- */

static void wrong_needs_are_told_at_the_row(void **state)
{
    char yaml[4096], long_text[400];

    (void)state;
    assert_rows_refused(CHILD("sku: v, of: p1", "key: \"${row.of + 1}\"", TO_PARENT),
                        "[data.needs]");
    assert_rows_refused(CHILD("sku: v, of: ''", OF, TO_PARENT), "need 'product': the key is empty");
    memset(long_text, 'k', sizeof long_text);
    snprintf(yaml, sizeof yaml, CHILD("sku: v, of: %.301s", OF, TO_PARENT), long_text);
    assert_rows_refused(yaml, "need 'product': the key is longer than 300 bytes");
    assert_rows_refused(CHILD("sku: v, of: p1", OF ", connection: \"${row.of + 1}\"", TO_PARENT),
                        "[data.needs]");
    assert_rows_refused(CHILD("sku: v, of: p1", OF ", connection: \"${row.of}\"", TO_PARENT),
                        "need 'product': there is no connection 'p1'");
    assert_rows_refused(CHILD("sku: v, of: p1", OF, "    order_by: \"${row.of + 1}\"\n" TO_PARENT),
                        "[data.needs]");
}

static void an_item_that_is_nowhere_is_told(void **state)
{
    static const char yaml[] = CHILD("sku: v, of: p9", OF, TO_PARENT);

    (void)state;
    check_right(yaml);
    assert_told(
        "warning: job variants: it waits for products/p9 on blue, which is in no row of today");
    open_with_parent("p8", ITEM_READY, NULL);
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    must_be(intake_set_ledger(intake, opened.port, &why), ERR_OK);
    must_be(check(), ERR_INPUT);
    assert_told("which is in no row of today and not in the ledger");
}

/* One whose row is gone, and which was never sent, goes with it. */
static void what_leaves_the_ledger_is_not_there(void **state)
{
    static const struct {
        enum item_state state;
        bool corrected;
        uint32_t attempts;
        bool is_there;
    } cases[] = {{ITEM_READY, false, 0, false},
                 {ITEM_BLOCKED, false, 0, false},
                 {ITEM_READY, true, 0, true},
                 {ITEM_READY, false, 1, true},
                 {ITEM_SUCCEEDED, false, 0, true}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct item item;

        open_with_parent("p9", ITEM_READY, NULL);
        item = read_item(opened.port, 1);
        item.corrected = cases[i].corrected;
        item.attempt_total = cases[i].attempts;
        move_item(opened.port, 1, &item, cases[i].state);
        commit(opened.port);
        load_spec(CHILD("sku: v, of: p9", OF, TO_PARENT));
        must_be(open_intake(), ERR_OK);
        must_be(intake_set_ledger(intake, opened.port, &why), ERR_OK);
        must_be(check(), cases[i].is_there ? ERR_OK : ERR_INPUT);
        intake_close(intake);
        intake = NULL;
        close_ledger(&opened);
        opened.port = NULL;
        assert_int_equal(scratch_remove(state), 0);
        assert_int_equal(scratch_make(state), 0);
    }
}

/* --- what the ledger knows of it --- */

static void a_row_waits_until_what_it_needs_has_answered(void **state)
{
    (void)state;
    open_with_parent("p1", ITEM_READY, NULL);
    open_checked(CHILD("sku: v, of: p1", OF, TO_PARENT));
    assert_rows(PRODUCTS "variants v blue waits\n");
}

static void a_row_whose_need_has_answered_becomes_a_request(void **state)
{
    (void)state;
    open_with_parent("p1", ITEM_SUCCEEDED, "{\"product\":{\"id\":\"77\"}}");
    open_checked(CHILD("sku: v, of: p1", OF, TO_PARENT));
    assert_rows(PRODUCTS "variants v blue /products/77/variants "
                         "{\"variant\":{\"sku\":\"v\",\"title\":\"7-p1\"}}\n");
    open_checked(
        CHILD("sku: v, of: p1", OF, "    if: \"${needs.product.outputs.id == '78'}\"\n" TO_PARENT));
    assert_rows(PRODUCTS "variants v blue skipped\n");
}

/* It is told when its turn comes, and of it alone. */
static void an_answer_that_does_not_have_what_is_needed_lets_it_wait(void **state)
{
    static const char *const answers[] = {NULL, "{}", "{\"product\":{\"id\":\"a/b\"", ""};

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        open_with_parent("p1", ITEM_SUCCEEDED, answers[i]);
        open_checked(CHILD("sku: v, of: p1", OF, TO_PARENT));
        assert_rows(PRODUCTS "variants v blue waits\n");
        intake_close(intake);
        intake = NULL;
        close_ledger(&opened);
        opened.port = NULL;
        assert_int_equal(scratch_remove(state), 0);
        assert_int_equal(scratch_make(state), 0);
    }
}

/* Rendered anew with what is known now, it is no request: it waits, as it would without. */
static void a_value_that_makes_no_request_lets_it_wait(void **state)
{
    (void)state;
    open_with_parent("p1", ITEM_SUCCEEDED, "{\"product\":{\"id\":\"\"}}");
    open_checked(CHILD("sku: v, of: p1", OF, TO_PARENT));
    assert_rows(PRODUCTS "variants v blue waits\n");
}

/* --- a ledger that cannot be read --- */

static struct ledger_ops failing_ops;
static struct ledger failing_ledger;

static enum err_code fail_read_item(struct ledger *self, uint64_t number, struct item *item_out,
                                    struct err *err)
{
    (void)self, (void)number, (void)item_out;
    return err_set(err, ERR_STORAGE, "the item cannot be read");
}

static enum err_code fail_find(struct ledger *self, uint32_t job, uint32_t connection,
                               struct slice key, uint64_t *number_out, struct err *err)
{
    (void)self, (void)job, (void)connection, (void)key, (void)number_out;
    return err_set(err, ERR_STORAGE, "the item cannot be found");
}

static enum err_code find_one(struct ledger *self, uint32_t job, uint32_t connection,
                              struct slice key, uint64_t *number_out, struct err *err)
{
    (void)self, (void)job, (void)connection, (void)key, (void)err;
    *number_out = 1;
    return ERR_OK;
}

static enum err_code read_succeeded(struct ledger *self, uint64_t number, struct item *item_out,
                                    struct err *err)
{
    (void)self, (void)number, (void)err;
    *item_out = item_new(0, 0, (struct hash128){0}, 0);
    item_out->state = ITEM_SUCCEEDED;
    return ERR_OK;
}

static enum err_code fail_read_result(struct ledger *self, uint64_t number, struct buf *storage,
                                      struct result_record *result_out, struct err *err)
{
    (void)self, (void)number, (void)storage, (void)result_out;
    return err_set(err, ERR_STORAGE, "the answer cannot be read");
}

static const char *first_name(struct ledger *self, uint32_t number)
{
    (void)self;
    return number == 0 ? "products" : NULL;
}

static const char *first_alias(struct ledger *self, uint32_t number)
{
    (void)self;
    return number == 0 ? "blue" : NULL;
}

static void a_ledger_that_cannot_be_read_ends_it(void **state)
{
    static const char yaml[] = CHILD("sku: v, of: p1", OF, TO_PARENT);
    static const char absent[] = CHILD("sku: v, of: p9", OF, TO_PARENT);

    (void)state;
    failing_ops = (struct ledger_ops){.job_name = first_name, .connection_name = first_alias};
    failing_ledger = (struct ledger){.ops = &failing_ops};
    opened.port = NULL;

    failing_ops.find = fail_find;
    load_spec(absent);
    must_be(open_intake(), ERR_OK);
    must_be(intake_set_ledger(intake, &failing_ledger, &why), ERR_OK);
    must_be(check(), ERR_STORAGE);
    assert_string_equal(why.text, "the item cannot be found");

    failing_ops.find = find_one;
    failing_ops.read_item = fail_read_item;
    load_spec(absent);
    must_be(open_intake(), ERR_OK);
    must_be(intake_set_ledger(intake, &failing_ledger, &why), ERR_OK);
    must_be(check(), ERR_STORAGE);
    assert_string_equal(why.text, "the item cannot be read");

    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    must_be(intake_set_ledger(intake, &failing_ledger, &why), ERR_OK);
    must_be(check(), ERR_OK);
    must_be(print_rows(), ERR_STORAGE);
    assert_string_equal(buf_text(&rows), PRODUCTS);
    failing_ops.read_item = read_succeeded;
    failing_ops.read_result = fail_read_result;
    must_be(print_rows(), ERR_STORAGE);
    assert_string_equal(why.text, "the answer cannot be read");
}

/* --- what of a row that waits has changed --- */

static struct hash128 draft_hash;

static enum err_code take_hash(void *context, const struct rendered_row *row, struct err *err)
{
    (void)context, (void)err;
    if (row->is_draft)
        draft_hash = row->draft_hash;
    return ERR_OK;
}

static struct hash128 hash_of(const char *yaml)
{
    open_checked(yaml);
    draft_hash = (struct hash128){0};
    must_be(intake_each(intake, take_hash, NULL, &why), ERR_OK);
    assert_false(draft_hash.high == 0 && draft_hash.low == 0);
    return draft_hash;
}

static bool same(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

static void a_row_that_waits_is_known_by_its_request_and_its_needs(void **state)
{
    static const char yaml[] = CHILD("sku: v, of: p1, title: a", OF, TO_PARENT);
    struct hash128 first;

    (void)state;
    open_with_parent("p1", ITEM_READY, NULL);
    first = hash_of(yaml);
    assert_true(same(first, hash_of(yaml)));
    assert_true(same(first, hash_of(CHILD("sku: v, of: p1, title: b", OF, TO_PARENT))));
    assert_false(same(first, hash_of(CHILD("sku: v, of: p2, title: a", OF, TO_PARENT))));
    assert_false(same(first, hash_of(CHILD("sku: v, of: p1, title: a", OF,
                                           "    order_by: \"${row.of}\"\n" TO_PARENT))));
}

#define MIXED \
    "    if: \"${needs.product.outputs.id == row.title or run.id == row.title}\"\n" TO_PARENT

/* What cannot be parted from what is needed counts whole. */
static void a_row_that_is_mixed_with_its_needs_is_known_by_all_of_it(void **state)
{
    (void)state;
    open_with_parent("p1", ITEM_READY, NULL);
    assert_false(same(hash_of(CHILD("sku: v, of: p1, title: a", OF, MIXED)),
                      hash_of(CHILD("sku: v, of: p1, title: b", OF, MIXED))));
}

static void set_ledger(void)
{
    must_be(intake_set_ledger(intake, opened.port, &why), ERR_OK);
}

static void lack_of_memory_is_no_fault_of_a_row_that_waits(void **state)
{
    (void)state;
    open_with_parent("p1", ITEM_SUCCEEDED, "{\"product\":{\"id\":\"77\"}}");
    lack_memory(SHOPS "vars: { pad: %.*s }\n" PARENTS "  variants:\n"
                      "    connection: blue\n"
                      "    needs: { product: { job: products, key: \"${row.of | lower}\","
                      " connection: \"${row.shop | lower}\" } }\n"
                      "    source:\n"
                      "      inline: [{ sku: v, of: p1, shop: blue, title: a }]\n"
                      "      key: \"${vars.pad | lower | length}-${row.sku}\"\n"
                      "    order_by: \"${row.of | lower}\"\n" MIXED,
                set_ledger);
}

/* Padded, as above: they stand behind the templates of the spec. */
static void lack_of_memory_for_the_names_of_a_ledger_is_told(void **state)
{
    static char yaml[20 * 1024], pad[17 * 1024];
    unsigned failed = 0;

    (void)state;
    open_with_parent("p1", ITEM_READY, NULL);
    memset(pad, 'p', sizeof pad);
    for (int length = 0; length < 16 * 1024; length += 16) {
        enum err_code code;

        snprintf(yaml, sizeof yaml,
                 CHILD("sku: v, of: p1", OF, "    if: \"${row.sku != '%.*s'}\"\n" TO_PARENT),
                 length, pad);
        load_spec(yaml);
        must_be(open_intake(), ERR_OK);
        mem_test_fail(0, 0);
        code = intake_set_ledger(intake, opened.port, &why);
        mem_test_fail(-1, 0);
        if (code != ERR_OK)
            must_be(code, ERR_NO_MEMORY);
        failed += code != ERR_OK;
    }
    assert_true(failed > 0);
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down_ledger)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(wrong_needs_are_told_at_the_row),
        LEDGER_TEST(an_item_that_is_nowhere_is_told),
        LEDGER_TEST(what_leaves_the_ledger_is_not_there),
        LEDGER_TEST(a_row_waits_until_what_it_needs_has_answered),
        LEDGER_TEST(a_row_whose_need_has_answered_becomes_a_request),
        LEDGER_TEST(an_answer_that_does_not_have_what_is_needed_lets_it_wait),
        LEDGER_TEST(a_value_that_makes_no_request_lets_it_wait),
        LEDGER_TEST(a_ledger_that_cannot_be_read_ends_it),
        LEDGER_TEST(a_row_that_waits_is_known_by_its_request_and_its_needs),
        LEDGER_TEST(a_row_that_is_mixed_with_its_needs_is_known_by_all_of_it),
        LEDGER_TEST(lack_of_memory_is_no_fault_of_a_row_that_waits),
        LEDGER_TEST(lack_of_memory_for_the_names_of_a_ledger_is_told),
    };

    return cmocka_run_group_tests_name("io/intake_needs", tests, NULL, NULL);
}
