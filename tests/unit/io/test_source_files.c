/* Sources of several files, unpacked and decoded ones. */
#include "source_files_fixture.h"

/* --- several files --- */

static void three_files(void)
{
    write_text("1.csv", "sku,name\nA,x\nB,y");
    write_text("2.csv", "\xef\xbb\xbfsku,name\n");
    write_text("3.csv", "sku, name\n\"C\",x\n");
}

static void files_of_a_pattern_are_one_source(void **state)
{
    (void)state;
    three_files();
    open_source(NULL);
    for (int pass = 0; pass < 2; pass++)
        assert_units("1.csv:2 [{\"sku\":\"A\",\"name\":\"x\"}]\n"
                     "1.csv:3 [{\"sku\":\"B\",\"name\":\"y\"}]\n"
                     "3.csv:2 [{\"sku\":\"C\",\"name\":\"x\"}]\n");
    assert_given_back("sku,name\nA,x\nB,y\"C\",x\n");
    assert_true(source_is_unchanged(source));
}

static void groups_are_gathered_over_files(void **state)
{
    (void)state;
    three_files();
    open_source(NULL);
    group_by_name();
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_int_equal(print_units(), ERR_NOT_FOUND);
    assert_string_equal(buf_text(&out), "1.csv:2 [{\"sku\":\"A\",\"name\":\"x\"},{\"sku\":\"C\","
                                        "\"name\":\"x\"}]\n"
                                        "1.csv:3 [{\"sku\":\"B\",\"name\":\"y\"}]\n");
}

static void a_file_that_appears_or_goes_is_a_change(void **state)
{
    char full[128];

    (void)state;
    write_text("1.csv", "sku\nA\n");
    open_source(NULL);
    assert_true(source_is_unchanged(source));
    write_text("3.csv", "sku\nB\n");
    assert_false(source_is_unchanged(source));
    open_source(NULL);
    assert_true(source_is_unchanged(source));
    file_name(full, "1.csv");
    unlink(full);
    assert_false(source_is_unchanged(source));
}

static void a_file_that_changes_between_two_looks_is_an_error(void **state)
{
    (void)state;
    three_files();
    open_source(NULL);
    assert_int_equal(print_units(), ERR_NOT_FOUND);
    write_text("1.csv", "sku,name\nA,x\nB,z,\n");
    assert_false(source_is_unchanged(source));
    assert_int_equal(source_rewind(source, false, &err), ERR_INPUT);
    assert_non_null(strstr(err.text, "1.csv was changed while it was read; nothing was sent"));
}

static void a_pattern_without_files_is_an_error(void **state)
{
    (void)state;
    refuse_to_open(ERR_INPUT, "spec.yaml:12:10: error: no file matches /tmp/");
}

static void brackets_of_a_path_that_is_no_pattern_are_letters(void **state)
{
    (void)state;
    write_text("1.csv", "sku\nA\n");
    job.source.is_pattern = false;
    refuse_to_open(ERR_INPUT, "*.csv: No such file or directory");
}

static void columns_in_another_order_are_refused(void **state)
{
    (void)state;
    three_files();
    write_text("2.csv", "name,sku\n");
    refuse_to_open(ERR_INPUT, "2.csv:1:1: error: column 1 is 'name'; in /tmp/");
}

/* --- unpacked and decoded --- */

static const char packed[] = /* gzip of "sku,name\nA,\xe4\n" */
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xce\x2e\xd5\xc9\x4b\xcc\x4d\xe5\x72"
    "\xd4\x79\xc2\x05\x00\x75\x8d\xae\x33\x0d\x00\x00\x00";

static void a_packed_file_is_decoded_as_well(void **state)
{
    (void)state;
    write_bytes("a.csv.gz", packed, sizeof packed - 1);
    file_name(path, "a.csv.gz");
    job.source.is_pattern = false;
    job.source.encoding = ENCODING_LATIN_1;
    open_source(NULL);
    assert_units("a.csv.gz:2 [{\"sku\":\"A\",\"name\":\"ä\"}]\n");
    assert_given_back("sku,name\nA,ä\n");
    assert_true(source_is_unchanged(source));
}

static void some_files_of_a_pattern_may_be_packed(void **state)
{
    (void)state;
    write_bytes("a.csv.gz", packed, sizeof packed - 1);
    write_text("1.csv", "sku,name\nB,y\n");
    file_name(path, "*.csv*");
    open_source(NULL);
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_int_equal(print_units(), ERR_NOT_FOUND);
    assert_string_equal(buf_text(&out), "1.csv:2 [{\"sku\":\"B\",\"name\":\"y\"}]\n");
    assert_printed("a.csv.gz:2:3: error: column 'name': \"?\" is not UTF-8");
    assert_printed("    2 | A,?\n");
}

/* --- CSV in other forms --- */

static void lines_are_skipped_whatever_ends_them(void **state)
{
    static const struct slice header[] = {SLICE("sku"), SLICE("name")};

    (void)state;
    job.source.skip_lines = 3;
    write_text("1.csv", "one\r\n\"two\rthree\nsku,name\nA,x\n");
    open_source(NULL);
    assert_units("1.csv:5 [{\"sku\":\"A\",\"name\":\"x\"}]\n");
    job.source.header = header;
    job.source.header_count = 2;
    open_source(NULL);
    assert_units("1.csv:4 [{\"sku\":\"sku\",\"name\":\"name\"}]\n"
                 "1.csv:5 [{\"sku\":\"A\",\"name\":\"x\"}]\n");
    job.source.skip_lines = 1; /* CR and LF are one line end */
    job.source.header_count = 0;
    write_text("1.csv", "one\r\nsku\nA\n");
    open_source(NULL);
    assert_units("1.csv:3 [{\"sku\":\"A\"}]\n");
    job.source.header_count = 2;
    job.source.skip_lines = 9;
    open_source(NULL);
    assert_units("");
    assert_given_back("sku,name\n");
    job.source.header_count = 0;
    source_close(source);
    source = NULL;
    refuse_to_open(ERR_INPUT, "1.csv:1:1: error: the file is empty");
}

static void other_quotes_are_given_back_as_usual_ones(void **state)
{
    (void)state;
    job.source.quote = '\'';
    write_text("1.csv", "sku,'na''me'\n'A\n\"1\"',x\nB,'y, z'");
    open_source(NULL);
    assert_units("1.csv:2 [{\"sku\":\"A\\n\\\"1\\\"\",\"na'me\":\"x\"}]\n"
                 "1.csv:4 [{\"sku\":\"B\",\"na'me\":\"y, z\"}]\n");
    assert_given_back("sku,na'me\n\"A\n\"\"1\"\"\",x\nB,\"y, z\"\n");
    job.source.quote = '\0';
    write_text("1.csv", "sku,name\n\"A,5\"\n");
    open_source(NULL);
    assert_units("1.csv:2 [{\"sku\":\"\\\"A\",\"name\":\"5\\\"\"}]\n");
    assert_given_back("sku,name\n\"\"\"A\",\"5\"\"\"\n");
}

/* --- JSON arrays --- */

static void elements_of_arrays_are_rows(void **state)
{
    (void)state;
    job.source.kind = SOURCE_JSON;
    write_text("1.csv", "\xef\xbb\xbf[ {\"name\":\"x\",\n  \"n\":[1,\n2]} ]");
    write_text("3.csv", "[]");
    write_text("2.csv", "[{\"name\":\"y\"},\n{\"name\":\"x\"}]");
    open_source(NULL);
    assert_units("1.csv:1 [{\"name\":\"x\",\"n\":[1,2]}]\n2.csv:1 [{\"name\":\"y\"}]\n"
                 "2.csv:2 [{\"name\":\"x\"}]\n");
    assert_given_back("{\"name\":\"x\",\"n\":[1,2]}{\"name\":\"y\"}{\"name\":\"x\"}");
    group_by_name();
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_int_equal(print_units(), ERR_NOT_FOUND);
    assert_string_equal(buf_text(&out), "1.csv:1 [{\"name\":\"x\",\"n\":[1,2]},{\"name\":\"x\"}]\n"
                                        "2.csv:1 [{\"name\":\"y\"}]\n");
}

static void elements_longer_than_a_window_are_read(void **state)
{
    struct unit unit;

    (void)state;
    job.source.kind = SOURCE_JSON;
    buf_append_text(&out, "[");
    for (int row = 0; row < 3; row++) {
        buf_append_format(&out, "%s{\"s\":\"", row > 0 ? "," : "");
        for (int i = 0; i < 100000; i++)
            buf_append_byte(&out, (char)('a' + row));
        buf_append_text(&out, "\"}");
    }
    buf_append_text(&out, "]");
    write_bytes("1.csv", out.bytes, out.length);
    open_source(NULL);
    for (int row = 0; row < 3; row++) {
        struct value value;

        assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
        value = value_member(&unit.row, SLICE("s"));
        assert_int_equal(value.text.length, 100000);
        assert_int_equal(value.text.bytes[99999], 'a' + row);
    }
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_NOT_FOUND);
}

/* --- streams, and what is kept --- */

static void lack_of_memory_is_told_and_leaks_nothing(void **state)
{
    int64_t nth;

    (void)state;
    three_files();
    write_bytes("a.csv.gz", packed, sizeof packed - 1);
    file_name(path, "*.csv*");
    job.source.encoding = ENCODING_LATIN_1;
    for (nth = 0; nth < 300; nth++) {
        enum err_code code;

        memset(&err, 0, sizeof err);
        mem_test_fail(nth, 1);
        code = source_open(&spec, &job, NULL, &diagnostics, &source, &err);
        mem_test_fail(-1, 0);
        source_close(source);
        source = NULL;
        if (code == ERR_INPUT) /* 2.csv has a byte order mark, and memory was enough to see it */
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
    assert_in_range(nth, 10, 299);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_of_a_pattern_are_one_source),
        TEST(groups_are_gathered_over_files),
        TEST(a_file_that_appears_or_goes_is_a_change),
        TEST(a_file_that_changes_between_two_looks_is_an_error),
        TEST(a_pattern_without_files_is_an_error),
        TEST(brackets_of_a_path_that_is_no_pattern_are_letters),
        TEST(columns_in_another_order_are_refused),
        TEST(a_packed_file_is_decoded_as_well),
        TEST(some_files_of_a_pattern_may_be_packed),
        TEST(lines_are_skipped_whatever_ends_them),
        TEST(other_quotes_are_given_back_as_usual_ones),
        TEST(elements_of_arrays_are_rows),
        TEST(elements_longer_than_a_window_are_read),
        TEST(lack_of_memory_is_told_and_leaks_nothing),
    };

    return cmocka_run_group_tests_name("io/source_files", tests, NULL, NULL);
}
