/* Sources of several files, unpacked and decoded ones, streams, and what is kept of them. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/io/source.h"

static const struct value no_vars = {.kind = VALUE_MAP};

static struct err err;
static struct diagnostics diagnostics;
static struct spec spec;
static struct spec_job job;
static struct source *source;
static struct state_directory ledger;
static struct source_store store;
static struct arena template_arena;
static struct buf out;
static char folder[64], path[128];
static int64_t live_before;
static int lowest_free_before;

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

static void file_name(char name_out[128], const char *name)
{
    snprintf(name_out, 128, "%s/%s", folder, name);
}

static void write_bytes(const char *name, const char *bytes, size_t length)
{
    char full[128];
    FILE *file;

    file_name(full, name);
    file = fopen(full, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    memset(&err, 0, sizeof err);
    source = NULL;
    diagnostics_init(&diagnostics);
    arena_init(&template_arena, 1024 * 1024);
    buf_init(&out, 64 * 1024 * 1024);
    snprintf(folder, sizeof folder, "/tmp/purser-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    file_name(path, "*.csv");
    spec = (struct spec){.file = "spec.yaml", .folder = folder, .jobs = &job, .job_count = 1};
    job = (struct spec_job){
        .name = "rows",
        .source = {.kind = SOURCE_CSV,
                   .path = path,
                   .is_pattern = true,
                   .place = {.file = "spec.yaml", .line = 12, .column = 10},
                   .encoding_place = {.file = "spec.yaml", .line = 13, .column = 17},
                   .delimiter = ',',
                   .quote = '"',
                   .timeout_ms = 60000}};
    ledger = (struct state_directory){.fd = open(folder, O_RDONLY | O_DIRECTORY), .lock_fd = -1};
    snprintf(ledger.path, sizeof ledger.path, "%s", folder);
    store = (struct source_store){.directory = &ledger};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    source_close(source);
    close(ledger.fd);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&template_arena);
    buf_deinit(&out);
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    for (const char *const *name = (const char *const[]){"1.csv", "2.csv", "3.csv", "a.csv.gz",
                                                         "rows.rows", "rows.old", NULL};
         *name != NULL; name++) {
        char full[128];

        file_name(full, *name);
        unlink(full);
    }
    assert_int_equal(rmdir(folder), 0); /* nothing else was left there */
    return 0;
}

static void open_source(const struct source_store *with)
{
    source_close(source);
    source = NULL;
    if (source_open(&spec, &job, with, &diagnostics, &source, &err) != ERR_OK) {
        diagnostics_print(&diagnostics, &out);
        fail_msg("%s\n%s", err.text, buf_text(&out));
    }
}

static void assert_printed(const char *text)
{
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    if (strstr(buf_text(&out), text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, buf_text(&out));
}

static void refuse_to_open(enum err_code code, const char *text)
{
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), code);
    assert_null(source);
    assert_printed(text);
}

static enum err_code print_units(void)
{
    struct unit unit;
    enum err_code code;

    buf_clear(&out);
    while ((code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK) {
        const char *name = strrchr(unit.file, '/');

        assert_string_equal(unit.file, source_file_name(source, unit.file_number));
        buf_append_format(&out, "%s:%u ", name == NULL ? unit.file : name + 1, unit.line);
        value_append_json(&out, &unit.rows);
        buf_append_byte(&out, '\n');
    }
    return code;
}

static void assert_units(const char *expected)
{
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    if (print_units() != ERR_NOT_FOUND)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&out), expected);
}

/* All rows as source_read_span() gives them, behind the header. */
static void assert_given_back(const char *expected)
{
    struct unit unit;
    struct buf bytes;

    buf_init(&bytes, 1024 * 1024);
    assert_int_equal(source_rewind(source, false, &err), ERR_OK);
    assert_int_equal(source_header(source, &bytes, &err), ERR_OK);
    while (source_next(source, &unit, &diagnostics, &err) == ERR_OK)
        for (size_t i = 0; i < unit.span_count; i++)
            assert_int_equal(source_read_span(source, &unit.spans[i], &bytes, &err), ERR_OK);
    assert_string_equal(buf_text(&bytes), expected);
    buf_deinit(&bytes);
}

static void group_by_name(void)
{
    const struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS, .vars = &no_vars};
    const struct yaml_node *node = NULL;

    assert_int_equal(
        yaml_parse(&template_arena, "spec.yaml", "${row.name}", 11, &node, &diagnostics), ERR_OK);
    source_set_group_by(source, text_template_compile(&template_arena, node, &scope, &diagnostics),
                        &no_vars);
}

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

static bool is_there(const char *name)
{
    char full[128];

    file_name(full, name);
    return access(full, F_OK) == 0;
}

static void use_command(const char *const *command)
{
    job.source.origin = ORIGIN_COMMAND;
    job.source.is_pattern = false;
    job.source.path = NULL;
    job.source.command = command;
}

static void rows_of_a_command_are_kept_when_it_is_said(void **state)
{
    static const char *const first[] = {"printf", "sku\\nA\\n", NULL};
    static const char *const second[] = {"printf", "sku\\nB\\n", NULL};

    (void)state;
    use_command(first);
    open_source(NULL);
    assert_units("<rows: printf>:2 [{\"sku\":\"A\"}]\n");
    open_source(&store);
    assert_units("<rows: printf>:2 [{\"sku\":\"A\"}]\n");
    assert_false(is_there("rows.rows"));
    assert_int_equal(source_keep(source, &err), ERR_OK);
    assert_true(is_there("rows.rows"));
    assert_given_back("sku\nA\n");
    /* What is not kept goes, and does not touch what was. */
    use_command(second);
    open_source(&store);
    assert_units("<rows: printf>:2 [{\"sku\":\"B\"}]\n");
    source_close(source);
    source = NULL;
    assert_false(is_there("rows-unkept.rows"));
    store.is_kept = true;
    open_source(&store);
    assert_units("<rows: printf>:2 [{\"sku\":\"A\"}]\n");
    write_text("rows.old", "");
    source_forget_others(&spec, &ledger);
    assert_false(is_there("rows.old"));
    assert_true(is_there("rows.rows"));
    job.source.origin = ORIGIN_FILES;
    source_forget_others(&spec, &ledger);
    assert_false(is_there("rows.rows"));
    job.source.origin = ORIGIN_COMMAND;
}

static void kept_rows_are_asked_for_in_vain_before_the_first_run(void **state)
{
    static const char *const command[] = {"true", NULL};

    (void)state;
    use_command(command);
    store.is_kept = true;
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_INPUT);
    assert_printed("spec.yaml:12:10: error: no rows of an earlier run are kept");
}

static void a_link_in_the_place_of_the_rows_is_not_followed(void **state)
{
    static const char *const command[] = {"printf", "sku\\nA\\n", NULL};
    char full[128];

    (void)state;
    use_command(command);
    file_name(full, "rows-unkept.rows");
    assert_int_equal(symlink("/dev/full", full), 0);
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "rows-unkept.rows"));
    unlink(full);
}

/* As on a full disk, which a test cannot have: the process may write no more. */
static void a_spool_that_cannot_be_written_is_told(void **state)
{
    static const char *const command[] = {"head", "-c", "200000", "/dev/zero", NULL};
    struct rlimit before, little;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){100000, before.rlim_max};
    use_command(command);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(strstr(err.text, "the rows cannot be kept on the disk: File too large"));
    assert_non_null(strstr(err.text, "\nhint: TMPDIR names another folder"));
}

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
        TEST(rows_of_a_command_are_kept_when_it_is_said),
        TEST(kept_rows_are_asked_for_in_vain_before_the_first_run),
        TEST(a_link_in_the_place_of_the_rows_is_not_followed),
        TEST(a_spool_that_cannot_be_written_is_told),
        TEST(lack_of_memory_is_told_and_leaks_nothing),
    };

    return cmocka_run_group_tests_name("io/source_files", tests, NULL, NULL);
}
