#include "source_fixture.h"

static void ndjson_lines_are_rows(void **state)
{
    size_t count;

    (void)state;
    job.source.kind = SOURCE_NDJSON;
    open_text(
        "\xef\xbb\xbf{\"sku\":\"A\",\"price\":12.340}\r\n\n  \n{\"lines\":[{\"q\":3}],\"n\":null}");
    assert_null(source_columns(source, &count));
    assert_int_equal(count, 0);
    assert_units("0@1 [{\"sku\":\"A\",\"price\":12.340}]\n"
                 "1@4 [{\"lines\":[{\"q\":3}],\"n\":null}]\n");
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_int_equal(print_units(), ERR_NOT_FOUND);
    assert_false(diagnostics_has_errors(&diagnostics));
}

static void ndjson_members_are_typed(void **state)
{
    (void)state;
    job.source.kind = SOURCE_NDJSON;
    type_columns();
    open_text(
        "{\"s\":7,\"l\":\"a|b\",\"t\":\"2026-11-26\",\"b\":\"no\",\"d\":\"1.50\",\"i\":\"3\"}\n"
        "{\"b\":true,\"l\":[1],\"d\":1.50,\"i\":3,\"s\":null}\n"
        "{\"i\":1.5}\n{\"d\":true}\n{\"s\":[]}\n");
    assert_units(
        "0@1 [{\"s\":\"7\",\"l\":[\"a\",\"b\"],\"t\":\"2026-11-26\",\"b\":false,\"d\":1.50,"
        "\"i\":3}]\n"
        "1@2 [{\"b\":true,\"l\":[1],\"d\":1.50,\"i\":3,\"s\":null}]\n");
    print_messages();
    assert_printed("rows:3:6: error: column 'i': 1.5 is not a whole number (row 3)");
    assert_printed("rows:4:6: error: column 'd': true is not a decimal (row 4)");
    assert_printed("rows:5:6: error: column 's': a list is not text (row 5)");
}

static void ndjson_lines_that_are_no_objects_are_told(void **state)
{
    (void)state;
    job.source.kind = SOURCE_NDJSON;
    open_text("{\"a\":1}\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":\n{\"b\":2}\n");
    assert_units("0@1 [{\"a\":1}]\n4@5 [{\"b\":2}]\n");
    print_messages();
    assert_printed("rows:2:1: error: a line must be one JSON object; this is a list (row 2)");
    assert_printed("rows:3:8: error: JSON: the name \"a\" a second time (row 3)");
    assert_printed("rows:4:6: error: JSON: it ends too early (row 4)");
}

static void ndjson_lines_longer_than_a_window_are_read(void **state)
{
    struct unit unit;
    struct buf bytes;
    size_t i, row;

    (void)state;
    job.source.kind = SOURCE_NDJSON;
    for (row = 0; row < 3; row++) {
        buf_append_format(&out, "{\"n\":%zu,\"s\":\"", row);
        for (i = 0; i < 100000; i++)
            buf_append_byte(&out, (char)('a' + row));
        buf_append_text(&out, "\"}\n");
    }
    write_file(out.bytes, out.length);
    open_source();
    buf_init(&bytes, 1000000);
    for (row = 0; row < 3; row++) {
        assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
        assert_int_equal(value_member(&unit.row, slice_of("s")).text.length, 100000);
        assert_int_equal(unit.line, row + 1);
        assert_int_equal(source_read_span(source, unit.spans, &bytes, &err), ERR_OK);
    }
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_NOT_FOUND);
    assert_string_equal(buf_text(&bytes), buf_text(&out));
    buf_deinit(&bytes);
}

static void an_ndjson_line_is_limited(void **state)
{
    struct unit unit;

    (void)state;
    job.source.kind = SOURCE_NDJSON;
    buf_append_text(&out, "{}\n{\"s\":\"");
    while (out.length <= ROW_BYTES_MAX + 3)
        buf_append_text(&out, "0123456789abcdef");
    write_file(out.bytes, out.length);
    open_source();
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_OK);
    assert_int_equal(source_next(source, &unit, &diagnostics, &err), ERR_TOO_BIG);
    print_messages();
    assert_printed("rows:2:1: error: a line of more than 16777216 bytes starts here");
}

static void ndjson_groups_are_gathered(void **state)
{
    (void)state;
    job.source.kind = SOURCE_NDJSON;
    open_text("{\"h\":\"x\",\"n\":1}\n{\"h\":\"y\",\"n\":2}\n[]\n{\"h\":\"x\",\"n\":3}");
    source_set_group_by(source, by_handle, &no_vars);
    assert_int_equal(source_rewind(source, true, &err), ERR_OK);
    assert_units(
        "0@1 [{\"h\":\"x\",\"n\":1},{\"h\":\"x\",\"n\":3}]\n1@2 [{\"h\":\"y\",\"n\":2}]\n");
    assert_int_equal(diagnostics.error_count, 1); /* not one more about its group */
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_int_equal(print_units(), ERR_NOT_FOUND);
    assert_int_equal(diagnostics.error_count, 1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ndjson_lines_are_rows),
        TEST(ndjson_members_are_typed),
        TEST(ndjson_lines_that_are_no_objects_are_told),
        TEST(ndjson_lines_longer_than_a_window_are_read),
        TEST(an_ndjson_line_is_limited),
        TEST(ndjson_groups_are_gathered),
    };

    return cmocka_run_group_tests_name("io/source_ndjson", tests, NULL, NULL);
}
