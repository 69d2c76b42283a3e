#include "source_fixture.h"

static void csv_rows_come_in_order_with_their_lines(void **state)
{
    size_t count;
    const struct slice *columns;

    (void)state;
    open_text("\xef\xbb\xbfsku, name ,price\nA,\"two\nlines\",1.50\r\n\nB,\"\",x\nC,c,");
    columns = source_columns(source, &count);
    assert_int_equal(count, 3);
    assert_true(slice_is(columns[0], "sku"));
    assert_true(slice_is(columns[1], "name"));
    assert_units("0@2 [{\"sku\":\"A\",\"name\":\"two\\nlines\",\"price\":\"1.50\"}]\n"
                 "1@5 [{\"sku\":\"B\",\"price\":\"x\"}]\n"
                 "2@6 [{\"sku\":\"C\",\"name\":\"c\"}]\n");
    assert_false(diagnostics_has_errors(&diagnostics));
    assert_int_equal(source_next(source, &(struct unit){0}, &diagnostics, &err), ERR_NOT_FOUND);
}

static void rewinding_gives_the_same_rows_again(void **state)
{
    int pass;

    (void)state;
    open_text("sku\nA\nB\n");
    for (pass = 0; pass < 3; pass++) {
        assert_units("0@2 [{\"sku\":\"A\"}]\n1@3 [{\"sku\":\"B\"}]\n");
        assert_int_equal(source_rewind(source, pass == 1, &err), ERR_OK);
    }
}

static void rewinding_in_the_middle_starts_anew(void **state)
{
    struct unit unit;

    (void)state;
    open_text("sku\nA\nB\nC\n");
    source_set_group_by(source, compile("${row.sku}"), &no_vars);
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_units("0@2 [{\"sku\":\"A\"}]\n1@3 [{\"sku\":\"B\"}]\n2@4 [{\"sku\":\"C\"}]\n");
}

static void a_file_with_only_a_header_has_no_rows(void **state)
{
    (void)state;
    open_text("sku,name");
    assert_units("");
}

static void cells_are_typed_as_the_columns_say(void **state)
{
    (void)state;
    type_columns();
    open_text("s,l,t,b,d,i,u\n007,a| b,2026-11-26,Yes,12.340,-1,1.0\n,,,,,,\n");
    assert_units("0@2 [{\"s\":\"007\",\"l\":[\"a\",\"b\"],\"t\":\"2026-11-26\",\"b\":true,"
                 "\"d\":12.340,\"i\":-1,\"u\":\"1.0\"}]\n"
                 "1@3 [{}]\n");
}

static void a_wrong_cell_is_shown_where_it_stands(void **state)
{
    (void)state;
    type_columns();
    open_text("s,l,t,b,d,i,u\n"
              "\"größe, \nßx\",,2026-11-26,yes,\"12,34\",1,u\n"
              "ok,,,,1.5,1,u\n"
              "b,,2026-02-30,maybe,1,1.5,u\n");
    assert_units("1@4 [{\"s\":\"ok\",\"d\":1.5,\"i\":1,\"u\":\"u\"}]\n");
    print_messages();
    assert_printed("rows:3:21: error: column 'd': \"12,34\" is not a decimal (row 1)");
    assert_printed("write 12.34 (a point, no thousands separator)");
    assert_printed("rows:5:4: error: column 't': \"2026-02-30\" is not a date (row 3)");
    assert_printed("rows:5:15: error: column 'b': \"maybe\" is not a boolean (row 3)");
    assert_printed("rows:5:23: error: column 'i': \"1.5\" is not a whole number (row 3)");
    assert_printed("^~~~~~~\n");
    assert_int_equal(diagnostics.error_count, 4);
}

static void a_row_must_have_a_cell_for_each_column(void **state)
{
    (void)state;
    open_text("a,b\n1\n1,2\n1,2,3\n");
    assert_units("1@3 [{\"a\":\"1\",\"b\":\"2\"}]\n");
    print_messages();
    assert_printed("rows:2:1: error: the row has 1 cells, the header 2 columns (row 1)");
    assert_printed("rows:4:1: error: the row has 3 cells, the header 2 columns (row 3)");
    assert_printed("a cell with the delimiter in it must be quoted");
}

static void cells_that_are_not_utf8_are_refused(void **state)
{
    (void)state;
    open_text("a,b\nx,Gr\xf6\xdf"
              "e\nx,a\n");
    assert_units("1@3 [{\"a\":\"x\",\"b\":\"a\"}]\n");
    print_messages();
    assert_printed("rows:2:3: error: column 'b'");
    assert_printed("is not UTF-8 (row 1)");
    assert_printed("CSV UTF-8");
}

static void a_broken_csv_file_stops_with_its_line(void **state)
{
    (void)state;
    open_text("a,b\n1,2\n3,4\"x\n5,6\n");
    assert_int_equal(print_units(), ERR_INPUT);
    assert_string_equal(buf_text(&out), "0@2 [{\"a\":\"1\",\"b\":\"2\"}]\n");
    assert_non_null(strstr(err.text, "rows:3: a quote in the middle of a cell"));
    print_messages();
    assert_printed("rows:3:1: error: a quote in the middle of a cell");
    assert_printed("help: a cell with a quote in it");
}

static void header_names_must_be_there_and_different(void **state)
{
    (void)state;
    write_file("sku,,n\xf6m, sku\nA,,b,c\n", 21);
    refuse_to_open("rows:1:1: error: column 2 has no name");
    assert_printed("rows:1:1: error: the column name 'sku' stands twice: columns 1 and 4");
    assert_printed("rows:1:1: error: the name of column 3 is not UTF-8");
}

static void an_empty_file_is_told(void **state)
{
    (void)state;
    write_file("\n\n", 2);
    refuse_to_open("rows:1:1: error: the file is empty");
    assert_printed("its first line must name the columns");
}

static void a_header_with_another_delimiter_is_suspected(void **state)
{
    (void)state;
    open_text("sku;name\nA;b\n");
    print_messages();
    assert_printed("warning: the header is one column; is another delimiter meant?");
    assert_printed("delimiter: \";\"");
}

static void another_delimiter_is_used(void **state)
{
    static const struct spec_column price = {.name = SLICE("price"), .type = COLUMN_DECIMAL};

    (void)state;
    job.source.delimiter = ';';
    job.source.columns = &price;
    job.source.column_count = 1;
    open_text("sku;price\nA,1;1,5\n");
    assert_units("");
    print_messages();
    assert_printed("rows:2:5: error: column 'price': \"1,5\" is not a decimal");
    assert_int_equal(diagnostics.error_count, 1);
}

static void a_column_of_the_spec_that_is_not_there_is_an_error(void **state)
{
    static const struct spec_column prize = {
        .name = SLICE("prize"),
        .type = COLUMN_DECIMAL,
        .place = {.file = "spec.yaml", .line = 15, .column = 18, .width = 5}};

    (void)state;
    job.source.columns = &prize;
    job.source.column_count = 1;
    write_file("sku,name,price,stock\n", 21);
    refuse_to_open("spec.yaml:15:18: error: no column 'prize' in /tmp/purser-test-");
    assert_printed("help: did you mean 'price'? columns: sku, name, price, stock");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(csv_rows_come_in_order_with_their_lines),
        TEST(rewinding_gives_the_same_rows_again),
        TEST(rewinding_in_the_middle_starts_anew),
        TEST(a_file_with_only_a_header_has_no_rows),
        TEST(cells_are_typed_as_the_columns_say),
        TEST(a_wrong_cell_is_shown_where_it_stands),
        TEST(a_row_must_have_a_cell_for_each_column),
        TEST(cells_that_are_not_utf8_are_refused),
        TEST(a_broken_csv_file_stops_with_its_line),
        TEST(header_names_must_be_there_and_different),
        TEST(an_empty_file_is_told),
        TEST(a_header_with_another_delimiter_is_suspected),
        TEST(another_delimiter_is_used),
        TEST(a_column_of_the_spec_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests_name("io/source_csv", tests, NULL, NULL);
}
