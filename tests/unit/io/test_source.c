#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/core/limits.h"
#include "purser/io/source.h"

static const struct value no_vars = {.kind = VALUE_MAP};

static const struct text_template *by_handle; /* ${row.h} */
static struct arena template_arena;

static struct err err;
static struct diagnostics diagnostics;
static struct spec spec;
static struct spec_job job;
static struct source *source;
static struct buf out;
static char folder[64], path[128];
static int64_t live_before;
static int lowest_free_before;

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    assert_int_not_equal(fd, -1);
    close(fd);
    return fd;
}

static const struct text_template *compile(const char *text)
{
    const struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS, .vars = &no_vars};
    const struct yaml_node *node = NULL;
    const struct text_template *compiled;

    assert_int_equal(
        yaml_parse(&template_arena, "spec.yaml", text, strlen(text), &node, &diagnostics), ERR_OK);
    compiled = text_template_compile(&template_arena, node, &scope, &diagnostics);
    assert_non_null(compiled);
    return compiled;
}

static int set_up(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    memset(&job, 0, sizeof job);
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    source = NULL;
    diagnostics_init(&diagnostics);
    arena_init(&template_arena, 1024 * 1024);
    by_handle = compile("${row.h}");
    buf_init(&out, 64 * 1024 * 1024);
    snprintf(folder, sizeof folder, "/tmp/purser-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/rows", folder);
    spec = (struct spec){.file = "spec.yaml", .folder = "."};
    job.source = (struct spec_source){.kind = SOURCE_CSV,
                                      .path = path,
                                      .place = {.file = "spec.yaml", .line = 12, .column = 10},
                                      .delimiter = ',',
                                      .quote = '"'};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    source_close(source);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&template_arena);
    buf_deinit(&out);
    unlink(path);
    rmdir(path);
    rmdir(folder);
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    return 0;
}

static void write_file(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void open_source(void)
{
    if (source_open(&spec, &job, NULL, &diagnostics, &source, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static void open_text(const char *text)
{
    write_file(text, strlen(text));
    open_source();
}

static void print_messages(void)
{
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
}

static void assert_printed(const char *text)
{
    if (strstr(buf_text(&out), text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, buf_text(&out));
}

static void refuse_to_open(const char *text)
{
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_INPUT);
    assert_null(source);
    assert_true(diagnostics_has_errors(&diagnostics));
    print_messages();
    assert_printed(text);
}

/* All units as "index@line [rows]" lines. */
static enum err_code print_units(void)
{
    struct unit unit;
    enum err_code code;

    buf_clear(&out);
    memset(&unit, 0xff, sizeof unit);
    while ((code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK) {
        assert_int_equal(unit.rows.kind, VALUE_LIST);
        assert_int_equal(unit.rows.list.count, unit.span_count);
        assert_int_equal(unit.line, unit.spans[0].line);
        assert_memory_equal(&unit.row, &unit.rows.list.items[0], sizeof unit.row);
        buf_append_format(&out, "%llu@%u ", (unsigned long long)unit.index, unit.line);
        value_append_json(&out, &unit.rows);
        buf_append_byte(&out, '\n');
        memset(&unit, 0xff, sizeof unit);
    }
    return code;
}

static void assert_units(const char *expected)
{
    if (print_units() != ERR_NOT_FOUND)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&out), expected);
}

/* --- CSV --- */

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

static const struct spec_column columns_of_all_types[] = {
    {.name = SLICE("i"), .type = COLUMN_INTEGER},
    {.name = SLICE("d"), .type = COLUMN_DECIMAL},
    {.name = SLICE("b"), .type = COLUMN_BOOLEAN},
    {.name = SLICE("t"), .type = COLUMN_DATE},
    {.name = SLICE("l"), .type = COLUMN_LIST, .separator = SLICE("|")},
    {.name = SLICE("s"), .type = COLUMN_STRING},
};

static void type_columns(void)
{
    job.source.columns = columns_of_all_types;
    job.source.column_count = 6;
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

/* --- groups --- */

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

/* --- NDJSON --- */

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

static long anonymous_kilobytes(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    long kilobytes = -1;

    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL) {
        if (sscanf(line, "RssAnon: %ld", &kilobytes) == 1)
            break;
    }
    fclose(status);
    return kilobytes;
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
        TEST(a_file_that_is_not_there_is_told_at_the_specs_place),
        TEST(only_files_are_read),
        TEST(a_symbolic_link_to_a_file_is_followed),
        TEST(a_change_of_the_file_is_seen),
        TEST(the_bytes_of_header_and_rows_are_given_back),
        TEST(rows_of_one_group_that_stand_together_are_one_unit),
        TEST(gathered_groups_stand_where_their_first_row_stood),
        TEST(a_gathered_row_keeps_what_looks_like_a_byte_order_mark),
        TEST(a_wrong_row_takes_its_group_with_it),
        TEST(a_row_without_its_group_is_told),
        TEST(groups_are_limited_in_rows),
        TEST(ndjson_lines_are_rows),
        TEST(ndjson_members_are_typed),
        TEST(ndjson_lines_that_are_no_objects_are_told),
        TEST(ndjson_lines_longer_than_a_window_are_read),
        TEST(an_ndjson_line_is_limited),
        TEST(ndjson_groups_are_gathered),
        TEST(rows_in_the_spec_are_typed_and_placed),
        TEST(rows_in_the_spec_are_grouped_and_gathered),
        TEST(lack_of_memory_is_told_and_leaks_nothing),
        TEST(memory_does_not_grow_with_the_file),
        TEST(invoices_of_a_real_shop_are_grouped),
        TEST(products_of_a_real_shop_are_grouped),
    };

    return cmocka_run_group_tests_name("io/source", tests, NULL, NULL);
}
