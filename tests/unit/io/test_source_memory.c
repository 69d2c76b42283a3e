/* How much memory a source takes, and what it says when there is none; with data of real shops. */
#include "memory_in_use.h"
#include "source_fixture.h"

/* --- memory --- */

static void lack_of_memory_is_told_and_leaks_nothing(void **state)
{
    static const char text[] = "h,l\nx,a|b\ny,c\nx,d\n";
    static const struct spec_column list = {
        .name = SLICE("l"), .type = COLUMN_LIST, .separator = SLICE("|")};
    int64_t nth;

    (void)state;
    job.source.columns = &list;
    job.source.column_count = 1;
    write_file(text, sizeof text - 1);
    for (nth = 0; nth < 200; nth++) {
        struct unit unit;
        enum err_code code;

        memset(&err, 0, sizeof err);
        mem_test_fail(nth, 1);
        code = source_open(&spec, &job, NULL, &diagnostics, &source, &err);
        if (code == ERR_OK) {
            source_set_group_by(source, by_handle, &no_vars);
            code = source_rewind(source, true, &err);
        }
        while (code == ERR_OK)
            code = source_next(source, &unit, &diagnostics, &err);
        mem_test_fail(-1, 0);
        source_close(source);
        source = NULL;
        if (code == ERR_NOT_FOUND)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
    assert_in_range(nth, 10, 199);
}

static void memory_does_not_grow_with_the_file(void **state)
{
    FILE *file = fopen(path, "w");
    struct unit unit;
    enum err_code code;
    long before;
    size_t i, count = 0;

    (void)state;
    assert_non_null(file);
    fputs("h,name\n", file);
    for (i = 0; i < 200000; i++)
        fprintf(file, "%zu,a name that is long enough to be seen in the memory %zu\n", i / 2, i);
    assert_int_equal(fclose(file), 0);
    open_source();
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
    before = anonymous_kilobytes();
    while ((code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK)
        count++;
    assert_int_equal(code, ERR_NOT_FOUND);
    assert_int_equal(count, 99999);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    while (source_next(source, &unit, &diagnostics, &err) == ERR_OK)
        count++;
    assert_int_equal(count, 199999);
    assert_in_range(anonymous_kilobytes() - before + 2000, 0, 4000);
}

/* Twenty megabytes of the shortest rows there are. */
static void ten_million_rows_are_a_stream(void **state)
{
    static char rows[20000];
    FILE *file = fopen(path, "w");
    struct unit unit;
    enum err_code code;
    long before;
    size_t count = 0;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < sizeof rows; i++)
        rows[i] = "1\n"[i % 2];
    fputs("h\n", file);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(fwrite(rows, 1, sizeof rows, file), sizeof rows);
    assert_int_equal(fclose(file), 0);
    open_source();
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
    before = anonymous_kilobytes();
    while ((code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK)
        count++;
    assert_int_equal(code, ERR_NOT_FOUND);
    assert_int_equal(count, 9999999);
    assert_in_range(anonymous_kilobytes() - before + 2000, 0, 4000);
}

/* --- real files --- */

static bool open_shared(const char *name)
{
    static char shared[200];

    snprintf(shared, sizeof shared, "%s/../shared/data/%s", TEST_SOURCE_DIR, name);
    if (access(shared, R_OK) != 0) {
        print_message("skipped: %s is not there\n", shared);
        return false;
    }
    job.source.path = shared;
    open_source();
    return true;
}

static void count_units(size_t *units_out, size_t *rows_out, size_t *longest_out)
{
    struct unit unit;

    *units_out = *rows_out = *longest_out = 0;
    while (source_next(source, &unit, &diagnostics, &err) == ERR_OK) {
        ++*units_out;
        *rows_out += unit.span_count;
        if (unit.span_count > *longest_out)
            *longest_out = unit.span_count;
    }
    if (diagnostics_has_errors(&diagnostics)) {
        print_messages();
        fail_msg("%s", buf_text(&out));
    }
}

static void invoices_of_a_real_shop_are_grouped(void **state)
{
    static const struct spec_column columns[] = {
        {.name = SLICE("Quantity"), .type = COLUMN_INTEGER},
        {.name = SLICE("UnitPrice"), .type = COLUMN_DECIMAL}};
    size_t units, rows, longest;

    (void)state;
    job.source.columns = columns;
    job.source.column_count = 2;
    if (!open_shared("online-retail-10k.csv"))
        skip();
    source_set_group_by(source, compile("${row.InvoiceNo}"), &no_vars);
    count_units(&units, &rows, &longest);
    assert_int_equal(units, 512);
    assert_int_equal(rows, 10000);
    assert_int_equal(longest, 593);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    count_units(&units, &rows, &longest);
    assert_int_equal(units, 512);
    assert_int_equal(rows, 10000);
    assert_int_equal(longest, 593);
}

static void products_of_a_real_shop_are_grouped(void **state)
{
    size_t units, rows, longest;

    (void)state;
    if (!open_shared("shopify-apparel.csv"))
        skip();
    source_set_group_by(source, compile("${row.Handle}"), &no_vars);
    count_units(&units, &rows, &longest);
    assert_int_equal(units, 20);
    assert_int_equal(rows, 22);
    assert_int_equal(longest, 3);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lack_of_memory_is_told_and_leaks_nothing),
        TEST(memory_does_not_grow_with_the_file),
        TEST(ten_million_rows_are_a_stream),
        TEST(invoices_of_a_real_shop_are_grouped),
        TEST(products_of_a_real_shop_are_grouped),
    };

    return cmocka_run_group_tests_name("io/source_memory", tests, NULL, NULL);
}
