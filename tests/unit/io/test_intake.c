#include "intake_fixture.h"

#include "scratch.h"

/* One job over one row. */
#define ROW(row, key, rest) \
    SHOPS "jobs:\n"         \
          "  products:\n"   \
          "    source: { inline: [" row "], key: \"" key "\" }\n" rest
#define PRODUCT                     \
    "    request: POST /products\n" \
    "    body: { product: { name: \"${row.name}\", variants: [] } }\n"
#define ON_BLUE "    connection: blue\n"

static void rows_become_requests(void **state)
{
    (void)state;
    check_right(ROW("{ sku: a, name: A }, { sku: b, name: B }", "${row.sku}", ON_BLUE PRODUCT));
    assert_rows("products a blue /products "
                "{\"response_mode\":\"async\",\"product\":{\"name\":\"A\",\"variants\":[]}}\n"
                "products b blue /products "
                "{\"response_mode\":\"async\",\"product\":{\"name\":\"B\",\"variants\":[]}}\n");
    assert_int_equal(intake_row_count(intake), 2);
}

static void what_a_row_makes_wrong_is_told_at_the_row(void **state)
{
    char yaml[4096], long_text[3000];

    (void)state;
    assert_rows_refused(ROW("{ sku: a, name: A }", "${row.sku + 1}", ON_BLUE PRODUCT),
                        "[data.key]");
    assert_rows_refused(ROW("{ sku: '' , name: A }", "${row.sku}", ON_BLUE PRODUCT),
                        "job products: the key of this row is empty");
    memset(long_text, 'k', sizeof long_text);
    snprintf(yaml, sizeof yaml, ROW("{ sku: %.301s, name: A }", "${row.sku}", ON_BLUE PRODUCT),
             long_text);
    assert_rows_refused(yaml, "job products: the key of this row is longer than 300 bytes");
    assert_rows_refused(
        ROW("{ sku: a, name: A }", "${row.sku}", "    connection: ${row.sku + 1}\n" PRODUCT),
        "[data.connection]");
    assert_rows_refused(ROW("{ sku: a, name: A, shop: pink }", "${row.sku}",
                            "    connection: ${row.shop}\n" PRODUCT),
                        "job products: there is no connection 'pink'");
    assert_rows_refused(
        ROW("{ sku: a, name: A }", "${row.sku}", ON_BLUE "    if: ${row.sku > 1}\n" PRODUCT),
        "[data.condition]");
    assert_rows_refused(
        ROW("{ sku: a, name: A }", "${row.sku}", ON_BLUE "    if: ${row.sku}\n" PRODUCT),
        "job products: if: gives a text, not true or false");
    assert_rows_refused(ROW("{ sku: a, name: A }", "${row.sku}",
                            ON_BLUE "    request: PATCH /products/${row.sku + 1}\n"
                                    "    body: { product: { name: x } }\n"),
                        "[data.path]");
    assert_rows_refused(ROW("{ sku: a, id: '' }", "${row.sku}",
                            ON_BLUE "    request: PATCH /products/${row.id}\n"
                                    "    body: { product: { name: x } }\n"),
                        "'' cannot stand in a path");
    snprintf(yaml, sizeof yaml,
             ROW("{ sku: a, id: %.2900s }", "${row.sku}",
                 ON_BLUE "    request: PATCH /products/${row.id}\n"
                         "    body: { product: { name: x } }\n"),
             long_text);
    assert_rows_refused(yaml, "the path of this row is longer than");
}

static void a_condition_without_a_value_skips_the_row(void **state)
{
    (void)state;
    check_right(ROW("{ sku: a, name: A, go: null }, { sku: b, name: B, go: true }", "${row.sku}",
                    ON_BLUE "    if: ${row.go}\n" PRODUCT));
    assert_rows("products a blue skipped\n"
                "products b blue /products "
                "{\"response_mode\":\"async\",\"product\":{\"name\":\"B\",\"variants\":[]}}\n");
}

static void one_key_twice_is_told_where(void **state)
{
    (void)state;
    assert_rows_refused(
        ROW("{ sku: a, name: A },\n { sku: a, name: B }", "${row.sku}", ON_BLUE PRODUCT),
        "job products: key 'a' was used on line 9");
}

/* --- errors of others --- */

static bool stop(void *context)
{
    (*(int *)context)++;
    return true;
}

static void load_many(unsigned count)
{
    static char yaml[256 * 1024];
    size_t length = (size_t)snprintf(yaml, sizeof yaml,
                                     SHOPS "jobs:\n  products:\n" ON_BLUE PRODUCT
                                           "    source:\n      key: ${row.sku}\n      inline:\n");

    for (unsigned i = 0; i < count; i++)
        length += (size_t)snprintf(yaml + length, sizeof yaml - length,
                                   "        - { sku: a%u, name: A }\n", i);
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
}

static void it_can_be_stopped(void **state)
{
    int asked = 0;

    (void)state;
    load_many(1500);
    intake_set_stop(intake, stop, &asked);
    must_be(check(), ERR_STOPPED);
    assert_string_equal(why.text, "stopped while the rows were compared; nothing was sent");
    assert_int_equal(asked, 1);
}

static enum err_code refuse_begin(void *context, size_t job_index, struct err *err)
{
    (void)context;
    return err_set(err, ERR_STORAGE, "job %zu cannot be begun", job_index);
}

static enum err_code refuse_row(void *context, const struct rendered_row *row, struct err *err)
{
    (void)context;
    return err_set(err, ERR_STORAGE, "%.*s cannot be stored", (int)row->key.length, row->key.bytes);
}

static void the_first_error_of_who_takes_the_rows_ends_it(void **state)
{
    (void)state;
    check_right(ROW("{ sku: a, name: A }, { sku: b, name: B }", "${row.sku}", ON_BLUE PRODUCT));
    must_be(intake_each(intake, refuse_row, NULL, &why), ERR_STORAGE);
    assert_string_equal(why.text, "a cannot be stored");
    intake_set_job_begin(intake, refuse_begin, NULL);
    must_be(print_rows(), ERR_STORAGE);
    assert_string_equal(why.text, "job 0 cannot be begun");
    assert_int_equal(rows.length, 0);
}

/* --- memory --- */

static void set_nothing(void)
{
}

static void lack_of_memory_is_no_fault_of_a_row(void **state)
{
    (void)state;
    lack_memory(SHOPS "vars: { pad: %.*s }\n"
                      "jobs:\n"
                      "  products:\n"
                      "    source:\n"
                      "      inline: [{ sku: a, name: A, shop: blue, go: true, id: 5 }]\n"
                      "      key: \"${vars.pad | lower | length}-${row.sku}\"\n"
                      "    connection: \"${row.shop | lower}\"\n"
                      "    if: \"${(row.name | lower) == 'a' and row.go}\"\n"
                      "    request: \"DELETE /products/${row.id}\"\n",
                set_nothing);
}

static enum err_code open_all(void)
{
    return intake_open(&spec, 7, STARTED_MS, &diagnostics, &intake, &why);
}

static enum err_code open_first(void)
{
    return intake_open_one(&spec, 0, 7, STARTED_MS, &diagnostics, &intake, &why);
}

static enum err_code open_all_but_the_first(void)
{
    static const bool left_out[] = {true, false};

    return intake_open_with_store(&spec, left_out, 7, STARTED_MS, NULL, &diagnostics, &intake,
                                  &why);
}

/* Two jobs, one with all that opening makes memory for; padded as the rows above. */
#define TWO_JOBS                                                                   \
    SHOPS "jobs:\n"                                                                \
          "  variants:\n"                                                          \
          "    connection: blue\n"                                                 \
          "    needs: { product: { job: products, key: \"${row.of}\" } }\n"        \
          "    source:\n"                                                          \
          "      csv: rows-${run.id}.csv\n"                                        \
          "      key: \"${row.sku}\"\n"                                            \
          "    if: \"${row.sku != '%.*s'}\"\n"                                     \
          "    request: \"POST /products/${needs.product.outputs.id}/variants\"\n" \
          "    body: { variant: { sku: \"${row.sku}\" } }\n"                       \
          "  products:\n"                                                          \
          "    connection: blue\n"                                                 \
          "    source: { inline: [{ sku: p }], key: \"${row.sku}\" }\n"            \
          "    request: POST /products\n"                                          \
          "    body: { product: { name: x } }\n"                                   \
          "    outputs: { id: \"${response.product.id}\" }\n"

static void write_rows(const char *lines)
{
    FILE *file = fopen(below("rows-7.csv"), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(lines, 1, strlen(lines), file), strlen(lines));
    assert_int_equal(fclose(file), 0);
}

static void lack_of_memory_while_opening_leaves_nothing(void **state)
{
    static enum err_code (*const ways[])(void) = {open_all, open_first, open_all_but_the_first};
    static char yaml[20 * 1024], pad[17 * 1024];

    assert_int_equal(scratch_make(state), 0);
    write_rows("sku,of,purser_state\nv,p,failed\n");
    memset(pad, 'p', sizeof pad);
    for (int length = 0; length < 16 * 1024; length += 240) {
        snprintf(yaml, sizeof yaml, TWO_JOBS, length, pad);
        load_spec(yaml);
        spec.folder = scratch;
        for (size_t way = 0; way < 3; way++) {
            uint64_t failures = UINT64_MAX;

            /* libcsv makes do with less. */
            for (int64_t nth = 0; failures != mem_failure_count(); nth++) {
                int64_t live = mem_test_live_count();
                enum err_code code;

                failures = mem_failure_count();
                mem_test_fail(nth, 0);
                code = ways[way]();
                mem_test_fail(-1, 0);
                if (failures == mem_failure_count())
                    must_be(code, ERR_OK);
                intake_close(intake);
                intake = NULL;
                diagnostics_deinit(&diagnostics);
                assert_true(mem_test_live_count() <= live);
            }
        }
    }
    assert_int_equal(scratch_remove(state), 0);
}

/* --- corrected rows --- */

static void what_purser_has_added_is_no_part_of_a_row(void **state)
{
    static const char yaml[] = SHOPS
        "jobs:\n"
        "  products:\n"
        "    connection: blue\n"
        "    source: { inline: [{ sku: a, purser_state: failed, name: A }], key: \"${row.sku}\" }\n"
        "    request: POST /products\n"
        "    body: { product: { name: \"${row.name}\" } }\n";

    (void)state;
    load_spec(
        ROW("{ sku: a, purser_state: failed, name: A }", "${row.purser_state}", ON_BLUE PRODUCT));
    must_be(printed(open_first()), ERR_INPUT);
    assert_told("no column 'purser_state'");
    load_spec(yaml);
    must_be(printed(open_first()), ERR_OK);
    must_be(check(), ERR_OK);
    assert_rows("products a blue /products "
                "{\"response_mode\":\"async\",\"product\":{\"name\":\"A\"}}\n");
    for (int64_t nth = 0; nth < 100; nth++) {
        uint64_t failures = mem_failure_count();
        enum err_code code;

        intake_close(intake);
        intake = NULL;
        diagnostics_deinit(&diagnostics);
        mem_test_fail(nth, 0);
        code = open_first();
        mem_test_fail(-1, 0);
        if (code == ERR_OK) {
            assert_int_equal(mem_failure_count(), failures);
            break;
        }
    }
    for (int64_t nth = 0; nth < 100; nth++) {
        uint64_t failures = mem_failure_count();
        enum err_code code;

        intake_close(intake);
        intake = NULL;
        diagnostics_deinit(&diagnostics);
        must_be(open_first(), ERR_OK);
        mem_test_fail(nth, 0);
        code = intake_check(intake, &why);
        mem_test_fail(-1, 0);
        must_be(code, mem_failure_count() > failures ? ERR_NO_MEMORY : ERR_OK);
        if (code == ERR_OK)
            break;
    }
}

/* --- duplicates --- */

static void of_many_duplicates_some_are_told_and_all_are_refused(void **state)
{
    static char yaml[64 * 1024];
    size_t length = (size_t)snprintf(yaml, sizeof yaml,
                                     SHOPS "jobs:\n  products:\n" ON_BLUE PRODUCT
                                           "    source:\n      key: ${row.sku}\n      inline:\n");

    (void)state;
    for (int i = 0; i < 2 * DIAG_SHOWN_MAX; i++)
        length += (size_t)snprintf(yaml + length, sizeof yaml - length,
                                   "        - { sku: a, name: A }\n");
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    must_be(check(), ERR_INPUT);
    assert_told("job products: key 'a' was used on line 15");
    assert_int_equal(diagnostics.error_count, DIAG_SHOWN_MAX);
}

#define GROUPED(rows)                                                                       \
    SHOPS "jobs:\n"                                                                         \
          "  products:\n"                                                                   \
          "    connection: blue\n"                                                          \
          "    source: { inline: [" rows "], key: \"${row.h}\", group_by: \"${row.h}\" }\n" \
          "    request: POST /products\n"                                                   \
          "    body: { product: { name: \"${rows | length}\" } }\n"

static void rows_of_a_group_are_one_wherever_they_stand(void **state)
{
    (void)state;
    check_right(GROUPED("{ h: a }, { h: b }, { h: a }"));
    assert_int_equal(intake_row_count(intake), 2);
    assert_rows(
        "products a blue /products {\"response_mode\":\"async\",\"product\":{\"name\":2}}\n"
        "products b blue /products {\"response_mode\":\"async\",\"product\":{\"name\":1}}\n");
    assert_int_equal(intake_row_count(intake), 2);
    assert_rows_refused(GROUPED("{ h: a }, { h: '' }, { h: a }"), "the key of this row is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTAKE_TEST(rows_become_requests),
        INTAKE_TEST(what_a_row_makes_wrong_is_told_at_the_row),
        INTAKE_TEST(a_condition_without_a_value_skips_the_row),
        INTAKE_TEST(one_key_twice_is_told_where),
        INTAKE_TEST(it_can_be_stopped),
        INTAKE_TEST(the_first_error_of_who_takes_the_rows_ends_it),
        INTAKE_TEST(lack_of_memory_is_no_fault_of_a_row),
        INTAKE_TEST(lack_of_memory_while_opening_leaves_nothing),
        INTAKE_TEST(what_purser_has_added_is_no_part_of_a_row),
        INTAKE_TEST(of_many_duplicates_some_are_told_and_all_are_refused),
        INTAKE_TEST(rows_of_a_group_are_one_wherever_they_stand),
    };

    return cmocka_run_group_tests_name("io/intake", tests, NULL, NULL);
}
