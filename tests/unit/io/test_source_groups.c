#include "source_fixture.h"

static void rows_of_one_group_that_stand_together_are_one_unit(void **state)
{
    (void)state;
    open_text("h,s\nx,1\nx,2\ny,3\nx,4\nz,5\nz,6\n");
    source_set_group_by(source, by_handle, &no_vars);
    assert_units("0@2 [{\"h\":\"x\",\"s\":\"1\"},{\"h\":\"x\",\"s\":\"2\"}]\n"
                 "1@4 [{\"h\":\"y\",\"s\":\"3\"}]\n"
                 "2@5 [{\"h\":\"x\",\"s\":\"4\"}]\n"
                 "3@6 [{\"h\":\"z\",\"s\":\"5\"},{\"h\":\"z\",\"s\":\"6\"}]\n");
}

static void gathered_groups_stand_where_their_first_row_stood(void **state)
{
    static const char gathered[] =
        "0@2 [{\"h\":\"x\",\"s\":\"1\"},{\"h\":\"x\",\"s\":\"\xef\xbb\xbf"
        "4\\n\"},{\"h\":\"x\",\"s\":\"6\"}]\n"
        "1@3 [{\"h\":\"y\",\"s\":\"2\"},{\"h\":\"y\",\"s\":\"3\"}]\n"
        "2@7 [{\"h\":\"z\",\"s\":\"5\"}]\n";

    (void)state;
    open_text("h,s\nx,1\r\ny,2\r\ny,3\r\nx,\"\xef\xbb\xbf"
              "4\n\"\nz,5\rx,6");
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_units(gathered);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_units(gathered);
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_units("0@2 [{\"h\":\"x\",\"s\":\"1\"}]\n"
                 "1@3 [{\"h\":\"y\",\"s\":\"2\"},{\"h\":\"y\",\"s\":\"3\"}]\n"
                 "2@5 [{\"h\":\"x\",\"s\":\"\xef\xbb\xbf"
                 "4\\n\"}]\n"
                 "3@7 [{\"h\":\"z\",\"s\":\"5\"}]\n"
                 "4@8 [{\"h\":\"x\",\"s\":\"6\"}]\n");
    assert_false(diagnostics_has_errors(&diagnostics));
}

static void a_gathered_row_keeps_what_looks_like_a_byte_order_mark(void **state)
{
    (void)state;
    open_text("h\n\xef\xbb\xbfx\ny\n");
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_units("0@2 [{\"h\":\"\xef\xbb\xbfx\"}]\n1@3 [{\"h\":\"y\"}]\n");
}

static void a_wrong_row_takes_its_group_with_it(void **state)
{
    static const struct spec_column decimal = {.name = SLICE("d"), .type = COLUMN_DECIMAL};
    int gather;

    (void)state;
    job.source.columns = &decimal;
    job.source.column_count = 1;
    open_text("h,d\nx,1\ny,1\ny,1.\ny,2\nz,3\n");
    source_set_group_by(source, by_handle, &no_vars);
    for (gather = 0; gather < 2; gather++) {
        assert_int_equal(source_rewind(source, gather == 1, &err), ERR_OK);
        assert_units("0@2 [{\"h\":\"x\",\"d\":1}]\n2@6 [{\"h\":\"z\",\"d\":3}]\n");
        assert_int_equal(diagnostics.error_count, 1); /* the same is told once */
        print_messages();
        assert_printed("rows:4:3: error: column 'd': \"1.\" is not a decimal (row 3)");
    }
}

static void a_row_without_its_group_is_told(void **state)
{
    int gather;

    (void)state;
    open_text("h,s\nx,1\n,2\n,3\ny,4\n");
    source_set_group_by(source, by_handle, &no_vars);
    for (gather = 0; gather < 2; gather++) {
        assert_int_equal(source_rewind(source, gather == 1, &err), ERR_OK);
        assert_units("0@2 [{\"h\":\"x\",\"s\":\"1\"}]\n3@5 [{\"h\":\"y\",\"s\":\"4\"}]\n");
        assert_int_equal(diagnostics.error_count, 2);
        print_messages();
        assert_printed(
            "rows:3:1: error: group_by: row.h is missing and cannot stand in a text (row 2)");
        assert_printed("help: every row needs a value here");
    }
}

static void groups_are_limited_in_rows(void **state)
{
    struct unit unit;
    size_t i;

    (void)state;
    buf_append_text(&out, "h\n");
    for (i = 0; i < GROUP_ROWS_MAX; i++)
        buf_append_text(&out, "x\n");
    write_file(out.bytes, out.length);
    open_source();
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
    assert_int_equal(unit.span_count, GROUP_ROWS_MAX);
    source_close(source);
    source = NULL;
    buf_append_text(&out, "x\n");
    write_file(out.bytes, out.length);
    open_source();
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_TOO_BIG);
    print_messages();
    assert_printed("rows:100002:1: error: a group has more than 100000 rows");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_of_one_group_that_stand_together_are_one_unit),
        TEST(gathered_groups_stand_where_their_first_row_stood),
        TEST(a_gathered_row_keeps_what_looks_like_a_byte_order_mark),
        TEST(a_wrong_row_takes_its_group_with_it),
        TEST(a_row_without_its_group_is_told),
        TEST(groups_are_limited_in_rows),
    };

    return cmocka_run_group_tests_name("io/source_groups", tests, NULL, NULL);
}
