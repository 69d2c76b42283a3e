#include "source_fixture.h"

/* --- files that cannot be used --- */

static void a_file_that_is_not_there_is_told_at_the_specs_place(void **state)
{
    (void)state;
    refuse_to_open("spec.yaml:12:10: error: cannot open /tmp/purser-test-");
    assert_printed("No such file or directory");
}

static void only_files_are_read(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    refuse_to_open("is a pipe, not a file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    refuse_to_open("is a folder, not a file");
    job.source.path = "/dev/null";
    refuse_to_open("/dev/null is a device, not a file");
}

static void a_symbolic_link_to_a_file_is_followed(void **state)
{
    char real[140];

    (void)state;
    open_text("sku\nA\n");
    source_close(source);
    snprintf(real, sizeof real, "%s.real", path);
    assert_int_equal(rename(path, real), 0);
    assert_int_equal(symlink(real, path), 0);
    open_source();
    assert_units("0@2 [{\"sku\":\"A\"}]\n");
    unlink(real);
}

static void a_change_of_the_file_is_seen(void **state)
{
    FILE *file;

    (void)state;
    open_text("sku\nA\n");
    assert_true(source_is_unchanged(source));
    assert_units("0@2 [{\"sku\":\"A\"}]\n");
    assert_true(source_is_unchanged(source));
    file = fopen(path, "a");
    assert_non_null(file);
    fputs("B\n", file);
    fclose(file);
    assert_false(source_is_unchanged(source));
    /* The end stays the end until the source is rewound. */
    assert_units("");
}

/* --- spans --- */

static void the_bytes_of_header_and_rows_are_given_back(void **state)
{
    static const char text[] = "\xef\xbb\xbfsku ,\"name\"\r\nA,\"two\r\nlines\"\r\n\r\nB,b";
    struct unit unit;
    struct buf bytes;

    (void)state;
    open_text(text);
    buf_init(&bytes, 1000);
    assert_int_equal(source_header(source, &bytes, &err), ERR_OK);
    assert_string_equal(buf_text(&bytes), "sku ,\"name\"\r\n");
    while (source_next(source, &unit, &diagnostics, &err) == ERR_OK)
        assert_int_equal(source_read_span(source, &unit.spans[0], &bytes, &err), ERR_OK);
    assert_string_equal(buf_text(&bytes), "sku ,\"name\"\r\nA,\"two\r\nlines\"\r\nB,b");
    assert_int_equal(source_read_span(source, &(struct source_span){10, 1000, 1}, &bytes, &err),
                     ERR_SYSTEM);
    buf_deinit(&bytes);
}

/* --- rows in the spec --- */

static const struct slice names_hd[] = {SLICE("h"), SLICE("d")};
static const struct slice names_dx[] = {SLICE("d"), SLICE("x")};
static const struct value values_1[] = {{.kind = VALUE_STRING, .text = SLICE("a")},
                                        {.kind = VALUE_NUMBER, .text = SLICE("1.50")}};
static const struct value values_2[] = {{.kind = VALUE_STRING, .text = SLICE("2")},
                                        {.kind = VALUE_BOOL, .boolean = true}};
static const struct value values_3[] = {{.kind = VALUE_STRING, .text = SLICE("a")},
                                        {.kind = VALUE_STRING, .text = SLICE("x")}};
static const struct value inline_rows[] = {
    {.kind = VALUE_MAP, .map = {.names = names_hd, .values = values_1, .count = 2}},
    {.kind = VALUE_MAP, .map = {.names = names_dx, .values = values_2, .count = 2}},
    {.kind = VALUE_MAP, .map = {.names = names_hd, .values = values_3, .count = 2}},
};
static const struct place inline_places[] = {{.file = "spec.yaml", .line = 20, .column = 9},
                                             {.file = "spec.yaml", .line = 21, .column = 9},
                                             {.file = "spec.yaml", .line = 22, .column = 9}};

static void rows_in_the_spec_are_typed_and_placed(void **state)
{
    static const struct spec_column decimal = {.name = SLICE("d"), .type = COLUMN_DECIMAL};
    size_t count;
    const struct slice *columns;

    (void)state;
    job.source.kind = SOURCE_INLINE;
    job.source.inline_rows = inline_rows;
    job.source.inline_places = inline_places;
    job.source.inline_count = 3;
    job.source.columns = &decimal;
    job.source.column_count = 1;
    open_source();
    columns = source_columns(source, &count);
    assert_int_equal(count, 3);
    assert_true(slice_is(columns[2], "x"));
    assert_units("0@20 [{\"h\":\"a\",\"d\":1.50}]\n1@21 [{\"d\":2,\"x\":true}]\n");
    print_messages();
    assert_printed("spec.yaml:22:9: error: column 'd': \"x\" is not a decimal (row 3)");
    assert_true(source_is_unchanged(source));
}

static void rows_in_the_spec_are_grouped_and_gathered(void **state)
{
    (void)state;
    job.source.kind = SOURCE_INLINE;
    job.source.inline_rows = inline_rows;
    job.source.inline_places = inline_places;
    job.source.inline_count = 3;
    open_source();
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_units("0@20 [{\"h\":\"a\",\"d\":1.50},{\"h\":\"a\",\"d\":\"x\"}]\n");
    print_messages();
    assert_printed(
        "spec.yaml:21:9: error: group_by: row.h is missing and cannot stand in a text (row 2)");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_that_is_not_there_is_told_at_the_specs_place),
        TEST(only_files_are_read),
        TEST(a_symbolic_link_to_a_file_is_followed),
        TEST(a_change_of_the_file_is_seen),
        TEST(the_bytes_of_header_and_rows_are_given_back),
        TEST(rows_in_the_spec_are_typed_and_placed),
        TEST(rows_in_the_spec_are_grouped_and_gathered),
    };

    return cmocka_run_group_tests_name("io/source", tests, NULL, NULL);
}
