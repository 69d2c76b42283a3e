/* Where messages about rows point to, and what they show of them. */
#include "source_fixture.h"

static const struct spec_column number_column = {
    .name = SLICE("i"),
    .type = COLUMN_INTEGER,
    .place = {.file = "spec.yaml", .line = 20, .column = 7}};

static void type_number(void)
{
    job.source.columns = &number_column;
    job.source.column_count = 1;
}

static void read_all(void)
{
    struct unit unit;
    enum err_code code = ERR_OK;

    while (code == ERR_OK)
        code = source_next(source, &unit, &diagnostics, &err);
    print_messages();
}

static void told_of(const char *rows)
{
    open_text(rows);
    read_all();
}

static void next_source(void)
{
    source_close(source);
    source = NULL;
    diagnostics_deinit(&diagnostics);
    diagnostics_init(&diagnostics);
}

static void a_cell_is_shown_where_it_stands_in_its_row(void **state)
{
    (void)state;
    type_number();
    told_of("i,s\r\n1,\"a\r\nb\"\r\n2,c\r\nx y,d\r\n");
    assert_printed("rows:5:1: error: column 'i': \"x y\" is not a whole number (row 3)");
    assert_printed("    5 | x y,d\n      | ^~~\n");
    next_source();
    told_of("i,s\r1,\"a\rb,c\"\rx,d\r");
    assert_printed("rows:4:1: error: column 'i': \"x\" is not a whole number (row 2)");
    next_source();
    told_of("s,i\n\"a,\nb\",\"x,\ny\"\n");
    assert_printed("rows:3:4: error: column 'i': \"x, y\" is not a whole number (row 1)");
    assert_printed("    3 | b\",\"x,\n      |    ^~~\n");
    next_source();
    job.source.quote = '\0';
    job.source.delimiter = ';';
    told_of("s;i;d\n\"a;\xc3\xa4\xc3\xb6z;1\n");
    assert_printed("rows:2:4: error: column 'i': \"\xc3\xa4\xc3\xb6z\" is not");
    assert_printed("      |    ^~~\n");
}

/* Of cells before it that have breaks of their own, of every kind. */
static void a_cell_behind_many_lines_is_found(void **state)
{
    (void)state;
    type_number();
    told_of("s,t,i\n\"a\rb\",\"c\r\nd\",\"x\"\"y\"\n");
    assert_printed("rows:4:4: error: column 'i': \"x\"y\" is not a whole number (row 1)");
    next_source();
    told_of("s,i\n\"a\nb\",x\r");
    assert_printed("rows:3:4: error: column 'i': \"x\" is not");
    next_source();
    told_of("i\nx");
    assert_printed("rows:2:1: error: column 'i': \"x\" is not");
    assert_printed("    2 | x\n      | ^\n");
}

/* The place of a cell is found by reading its row again, which may not be possible any more. */
static void a_cell_that_cannot_be_read_again_is_told_by_its_row(void **state)
{
    struct unit unit;

    (void)state;
    type_number();
    open_text("s,i\na,1\nb,x\n");
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
    write_file("", 0);
    read_all();
    assert_printed("rows:3:1: error: column 'i': \"x\" is not a whole number (row 2)");
}

static void long_values_and_names_are_cut_at_a_whole_character(void **state)
{
    char text[400] = "", name[200] = "";
    struct spec_column column = {.type = COLUMN_INTEGER};

    (void)state;
    for (size_t i = 0; i < 40; i++)
        memcpy(name + 2 * i, "\xc3\xa4", 3);
    column.name = slice_of(name);
    job.source.columns = &column;
    job.source.column_count = 1;
    (void)snprintf(text, sizeof text, "%s\nx%s\n", name, name);
    told_of(text);
    assert_printed("\xc3\xa4\xe2\x80\xa6': \"x\xc3\xa4");
    assert_printed("\xc3\xa4\xe2\x80\xa6\" is not a whole number (row 1)");
}

static void members_of_ndjson_are_shown_where_they_stand(void **state)
{
    (void)state;
    job.source.kind = SOURCE_NDJSON;
    type_columns();
    told_of("{\"i\": \"x\"}\n{\"s\":1,\"i\":[1,\n2]}\n");
    assert_printed("rows:1:7: error: column 'i': \"x\" is not a whole number (row 1)");
    assert_printed("rows:2:15: error: JSON: it ends too early (row 2)");
    assert_printed("    2 | {\"s\":1,\"i\":[1,\n      |               ^\n");
    next_source();
    told_of("{\"i\": {\"a\":1}}\n{\"i\": true}\n{\"i\": false}\n{\"i\": 1.5}\n{\"d\": "
            "null}\n{\"b\": [1]}\n");
    assert_printed("rows:1:7: error: column 'i': a map is not a whole number (row 1)");
    assert_printed("      |       ^~~~~~~\n");
    assert_printed("rows:2:7: error: column 'i': true is not");
    assert_printed("rows:3:7: error: column 'i': false is not");
    assert_printed("rows:4:7: error: column 'i': 1.5 is not");
    assert_printed("rows:6:7: error: column 'b': a list is not a boolean (row 6)");
    next_source();
    job.source.kind = SOURCE_JSON;
    told_of("[{\r\"i\":\"x\"},\r\n{\"i\":\r\n\"y\"}]");
    assert_printed("rows:2:5: error: column 'i': \"x\" is not");
    assert_printed("rows:4:1: error: column 'i': \"y\" is not");
    next_source();
    told_of("[{\"i\":1},\n {\"d\":2,\n  \"i\":[1,\n2]}]");
    assert_printed("rows:3:7: error: column 'i': a list is not a whole number (row 2)");
    assert_printed("    3 |   \"i\":[1,\n      |       ^\n");
}

static void of_very_many_messages_the_last_point_to_the_row(void **state)
{
    static char text[4096];
    size_t length = 0;

    (void)state;
    type_number();
    length += (size_t)snprintf(text, sizeof text, "s,i\n");
    for (int i = 0; i < 300; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "a,x\n");
    told_of(text);
    assert_int_equal(diagnostics.error_count, 300);
    assert_printed("rows:2:3: error: column 'i': \"x\" is not");
}

static void a_column_that_is_missing_is_told_with_those_that_are_there(void **state)
{
    static char text[4096];
    size_t length = 0;
    (void)state;

    type_number();
    write_file("skuu,price,I\n1,2,3\n", 18);
    refuse_to_open("no column 'i'");
    assert_printed("error: no column 'i' in /tmp/");
    assert_printed("help: did you mean 'I'? columns: skuu, price, I\n");
    next_source();
    for (int i = 0; i < 60; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%scolumn %d",
                                   i == 0 ? "" : ",", i);
    (void)snprintf(text + length, sizeof text - length, "\n1\n");
    write_file(text, strlen(text));
    refuse_to_open("no column 'i'");
    assert_printed("column 26, column 27, \xe2\x80\xa6\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cell_is_shown_where_it_stands_in_its_row, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cell_behind_many_lines_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cell_that_cannot_be_read_again_is_told_by_its_row, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(long_values_and_names_are_cut_at_a_whole_character, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(members_of_ndjson_are_shown_where_they_stand, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_very_many_messages_the_last_point_to_the_row, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_column_that_is_missing_is_told_with_those_that_are_there,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests_name("io/source: messages", tests, NULL, NULL);
}
