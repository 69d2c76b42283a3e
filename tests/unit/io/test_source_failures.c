/* Calls of the system, and memory, that fail while rows are read: either all rows come, or it is
 * told that they do not. */
#include "failing_system_calls.h"

#include "source_files_fixture.h"

enum { CALLS_MAX = 2000 };

static const char expected[] = "sku=A sku=B ";

/* What all the rows are; ERR_NOT_FOUND at their end. */
static enum err_code read_rows(const struct source_store *with, struct buf *rows)
{
    struct unit unit;
    enum err_code code = source_open(&spec, &job, with, &diagnostics, &source, &err);

    if (code != ERR_OK)
        return code;
    for (int pass = 0; pass < 2 && (pass == 0 || code == ERR_NOT_FOUND); pass++) {
        buf_clear(rows);
        code = source_rewind(source, false, &err);
        while (code == ERR_OK && (code = source_next(source, &unit, &diagnostics, &err)) == ERR_OK)
            buf_append_format(rows, "sku=%.*s ", (int)unit.row.map.values[0].text.length,
                              unit.row.map.values[0].text.bytes);
    }
    if (code == ERR_NOT_FOUND && with != NULL && source_keep(source, &err) != ERR_OK)
        return err.code;
    return code;
}

static void start_again(void)
{
    source_close(source);
    source = NULL;
    diagnostics_deinit(&diagnostics);
    diagnostics_init(&diagnostics);
    err = (struct err){0};
}

/* Gives how often it was told. */
static int read_with_failures(const char *name, int error, const struct source_store *with)
{
    struct buf rows;
    int told = 0;

    buf_init(&rows, 4096);
    for (int64_t until = 0; until < CALLS_MAX; until++) {
        const char *failed;
        enum err_code code;

        start_again();
        calls_fail(name, until, error);
        code = read_rows(with, &rows);
        failed = calls_end();
        if (code == ERR_NOT_FOUND) {
            assert_string_equal(buf_text(&rows), expected);
            assert_false(diagnostics_has_errors(&diagnostics));
        } else {
            assert_true(strlen(err.text) > 0);
            told++;
        }
        if (failed == NULL) {
            assert_int_equal(code, ERR_NOT_FOUND);
            break;
        }
    }
    buf_deinit(&rows);
    start_again();
    return told;
}

static void two_files(void)
{
    write_text("1.csv", "sku,name\nA,x\n");
    write_text("2.csv", "sku,name\nB,y\n");
}

static void files_whose_reading_fails_are_told(void **state)
{
    (void)state;
    two_files();
    assert_true(read_with_failures(NULL, EIO, NULL) > 5);
    assert_int_equal(read_with_failures("pread", EINTR, NULL), 0);
    assert_int_equal(read_with_failures("pread", CALL_IS_SHORT, NULL), 0);
    calls_fail("pread", 0, EIO);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "1.csv: Input/output error"));
}

static void decoded_files_whose_decoding_fails_are_told(void **state)
{
    (void)state;
    file_name(path, "1.csv");
    job.source.is_pattern = false;
    job.source.encoding = ENCODING_LATIN_1;
    write_text("1.csv", "sku,name\nA,x\nB,y\n");
    assert_true(read_with_failures(NULL, EIO, NULL) > 5);
    assert_int_equal(read_with_failures("read", EINTR, NULL), 0);
    assert_int_equal(read_with_failures("read", EAGAIN, NULL), 0);
    assert_int_equal(read_with_failures("read", CALL_IS_SHORT, NULL), 0);
    calls_fail("write", 0, ENOSPC);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "the rows cannot be kept on the disk: No space left"));
    assert_non_null(strstr(err.text, "hint: TMPDIR names another folder"));
}

static void use_command(const char *const *command)
{
    job.source.origin = ORIGIN_COMMAND;
    job.source.is_pattern = false;
    job.source.path = NULL;
    job.source.command = command;
}

static void commands_whose_output_cannot_be_kept_are_told(void **state)
{
    static const char *const command[] = {"printf", "sku\\nA\\nB\\n", NULL};
    static const char *const names[] = {"openat", "write", "fsync", "renameat",
                                        "read",   "pipe2", "pread"};
    int told = 0;

    (void)state;
    use_command(command);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        told += read_with_failures(names[i], EIO, &store);
    assert_true(told > 6);
}

/* --- the files that nobody sees --- */

/* Not every file system knows files without a name. */
static void where_files_must_have_a_name_they_have_it_for_a_moment(void **state)
{
    static const int errors[] = {EOPNOTSUPP, EISDIR, ENOENT};
    static char longest[4096];
    struct buf rows;

    (void)state;
    buf_init(&rows, 4096);
    file_name(path, "1.csv");
    job.source.is_pattern = false;
    job.source.encoding = ENCODING_LATIN_1;
    write_text("1.csv", "sku,name\nA,x\nB,y\n");
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    for (size_t i = 0; i < 3; i++) {
        start_again();
        calls_fail("open", 1, errors[i]);
        assert_int_equal(read_rows(NULL, &rows), ERR_NOT_FOUND);
        assert_non_null(calls_end());
        assert_string_equal(buf_text(&rows), expected);
    }
    start_again();
    calls_fail("open", 1, EOPNOTSUPP);
    calls_fail_also("mkostemp", 0, EROFS);
    assert_int_equal(read_rows(NULL, &rows), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "a temporary file cannot be made in /tmp/purser-test-"));
    assert_non_null(strstr(err.text, "Read-only file system\nhint: TMPDIR names another folder"));
    memset(longest, 'x', sizeof longest - 4);
    assert_int_equal(setenv("TMPDIR", longest, 1), 0);
    calls_fail("open", 1, EOPNOTSUPP);
    assert_int_equal(read_rows(NULL, &rows), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_int_equal(setenv("TMPDIR", "", 1), 0);
    start_again();
    assert_int_equal(read_rows(NULL, &rows), ERR_NOT_FOUND);
    assert_int_equal(unsetenv("TMPDIR"), 0);
    buf_deinit(&rows);
}

/* --- rows that are kept --- */

static void kept_rows_that_are_no_file_are_told(void **state)
{
    static const char *const command[] = {"printf", "sku\\nA\\nB\\n", NULL};
    static char longest[300];
    char full[128];

    (void)state;
    use_command(command);
    store.is_kept = true;
    file_name(full, "rows.rows");
    assert_int_equal(mkdir(full, 0700), 0);
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "rows.rows is not a file"));
    assert_int_equal(rmdir(full), 0);
    write_text("rows.rows", "sku\nA\nB\n");
    calls_fail("fstat", 0, EIO);
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    calls_fail("openat", 0, EACCES);
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "rows.rows: Permission denied"));
    memset(longest, 'j', sizeof longest - 1);
    job.name = longest;
    assert_int_equal(source_open(&spec, &job, &store, &diagnostics, &source, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "the name is too long for a file"));
    job.name = "rows";
}

static void rows_that_cannot_be_put_into_place_leave_those_that_were(void **state)
{
    static const char *const command[] = {"printf", "sku\\nA\\nB\\n", NULL};
    static const char *const names[] = {"fsync", "renameat"};
    char full[128];

    (void)state;
    use_command(command);
    write_text("rows.rows", "older");
    file_name(full, "rows.rows");
    for (size_t i = 0; i < 2; i++) {
        struct stat status;

        open_source(&store);
        calls_fail(names[i], 0, EIO);
        assert_int_equal(source_keep(source, &err), ERR_SYSTEM);
        assert_non_null(calls_end());
        assert_non_null(strstr(err.text, "rows.rows cannot be put into place: Input/output error"));
        start_again();
        assert_int_equal(stat(full, &status), 0);
        assert_int_equal(status.st_size, 5);
    }
    open_source(&store);
    calls_fail("fsync", 1, EIO); /* of the folder */
    assert_int_equal(source_keep(source, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "sync /tmp/purser-test-"));
    start_again();
}

static void what_is_left_of_others_may_stay(void **state)
{
    char full[128];

    (void)state;
    write_text("rows.old", "");
    file_name(full, "rows.old");
    calls_fail("openat", 0, EMFILE);
    source_forget_others(&spec, &ledger);
    assert_non_null(calls_end());
    calls_fail("fdopendir", 0, ENOMEM);
    source_forget_others(&spec, &ledger);
    assert_non_null(calls_end());
    assert_int_equal(access(full, F_OK), 0);
    source_forget_others(&spec, &ledger);
    assert_int_equal(access(full, F_OK), -1);
}

/* --- standard input --- */

static enum err_code open_standard_input(int fd)
{
    int before = dup(STDIN_FILENO);
    enum err_code code;

    start_again();
    job.source.origin = ORIGIN_STANDARD_INPUT;
    job.source.is_pattern = false;
    job.source.path = NULL;
    if (fd == -1)
        close(STDIN_FILENO);
    else
        assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    code = source_open(&spec, &job, NULL, &diagnostics, &source, &err);
    if (before == -1)
        close(STDIN_FILENO);
    else
        assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
    close(before);
    return code;
}

static enum err_code read_piped(const char *text)
{
    int fds[2];
    enum err_code code;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
    close(fds[1]);
    code = open_standard_input(fds[0]);
    close(fds[0]);
    return code;
}

static void standard_input_that_gives_no_rows_is_told(void **state)
{
    (void)state;
    assert_int_equal(open_standard_input(ledger.fd), ERR_INPUT);
    assert_non_null(strstr(err.text, "read <stdin>: Is a directory"));
    assert_int_equal(read_piped("sku\nA\nB\n"), ERR_OK);
    assert_units("<stdin>:2 [{\"sku\":\"A\"}]\n<stdin>:3 [{\"sku\":\"B\"}]\n");
    assert_int_equal(read_piped("sku\rA\r"), ERR_OK);
    assert_int_equal(read_piped("sku\nA\nB"), ERR_INPUT);
    assert_printed("<stdin>: error: it ends in the middle of a line");
    job.source.encoding = ENCODING_WINDOWS_1252;
    assert_int_equal(read_piped("sku\nA\nB\x81\n"), ERR_INPUT);
    assert_printed("encoding: utf-8, windows-1252, latin-1 or utf-16 says how the file is written");
}

/* --- memory --- */

static void read_without_memory(const struct source_store *with)
{
    uint64_t failures_before;
    struct buf rows;
    int64_t nth = 0;

    buf_init(&rows, 4096);
    buf_append_text(&rows, expected); /* so that it has its room */
    do {
        enum err_code code;

        assert_true(nth < CALLS_MAX);
        start_again();
        failures_before = mem_failure_count();
        mem_test_fail(nth++, 0);
        code = read_rows(with, &rows);
        mem_test_fail(-1, 0);
        if (code == ERR_NOT_FOUND)
            assert_string_equal(buf_text(&rows), expected);
        else
            assert_int_equal(code, ERR_NO_MEMORY);
    } while (mem_failure_count() > failures_before);
    assert_true(nth > 5);
    assert_false(diagnostics_has_errors(&diagnostics));
    buf_deinit(&rows);
    start_again();
}

static void one_file(enum source_kind kind, const char *text)
{
    file_name(path, "1.csv");
    job.source.is_pattern = false;
    job.source.kind = kind;
    write_text("1.csv", text);
}

static const struct spec_column text_column = {.name = SLICE("sku"), .type = COLUMN_STRING};

static void type_text(void)
{
    job.source.columns = &text_column;
    job.source.column_count = 1;
}

static void no_memory_for_files_is_told_as_that(void **state)
{
    (void)state;
    two_files();
    read_without_memory(NULL);
    type_text();
    read_without_memory(NULL);
    one_file(SOURCE_CSV, "sku\nA\nB\n");
    job.source.encoding = ENCODING_LATIN_1;
    read_without_memory(NULL);
}

static void no_memory_for_packed_files_is_told_as_that(void **state)
{
    /* "sku,name\nA,x\nB,y\n" */
    static const char gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xce\x2e\xd5\xc9\x4b"
                               "\xcc\x4d\xe5\x72\xd4\xa9\xe0"
                               "\x72\xd2\xa9\xe4\x02\x00\xbb\x25\xda\x6f\x11\x00\x00\x00";
    static const char zstandard[] = "\x28\xb5\x2f\xfd\x04\x58\x89\x00\x00\x73\x6b\x75\x2c\x6e\x61"
                                    "\x6d\x65\x0a\x41\x2c\x78\x0a\x42\x2c"
                                    "\x79\x0a\x4f\x80\x13\xb7";

    (void)state;
    write_bytes("a.csv.gz", gzip, sizeof gzip - 1);
    file_name(path, "a.csv.gz");
    job.source.is_pattern = false;
    read_without_memory(NULL);
    write_bytes("a.csv.zst", zstandard, sizeof zstandard - 1);
    file_name(path, "a.csv.zst");
    read_without_memory(NULL);
    assert_int_equal(unlink(path), 0);
}

static void no_memory_for_json_is_told_as_that(void **state)
{
    (void)state;
    type_text();
    one_file(SOURCE_NDJSON, "{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n");
    read_without_memory(NULL);
    one_file(SOURCE_JSON, "[{\"sku\":\"A\"},{\"sku\":\"B\"}]");
    read_without_memory(NULL);
}

static void no_memory_for_rows_of_the_spec_is_told_as_that(void **state)
{
    static const struct slice names[] = {SLICE("sku")};
    static const struct value values[] = {{.kind = VALUE_STRING, .text = SLICE("A")},
                                          {.kind = VALUE_STRING, .text = SLICE("B")}};
    static const struct value rows[] = {
        {.kind = VALUE_MAP, .map = {.names = names, .values = &values[0], .count = 1}},
        {.kind = VALUE_MAP, .map = {.names = names, .values = &values[1], .count = 1}}};
    static const struct place places[] = {{.line = 1}, {.line = 2}};

    (void)state;
    job.source.kind = SOURCE_INLINE;
    job.source.is_pattern = false;
    job.source.inline_rows = rows;
    job.source.inline_places = places;
    job.source.inline_count = 2;
    read_without_memory(NULL);
    type_text();
    read_without_memory(NULL);
}

/* --- what a program gets to see --- */

static void a_command_sees_no_secret_of_the_spec(void **state)
{
    static const char *const command[] = {
        "sh", "-c",
        "echo sku; echo ${SECRET_A-A}${SECRET_C-}; echo ${SECRET_B-B}${SECRET_D-}${SECRET_E-}",
        NULL};
    static const char body[] =
        "{ plain: 1, list: [ { env: SECRET_B } ], api_key: { env: SECRET_D } }";
    struct spec_connection connection = {.access_token = {SECRET_ENV, "SECRET_A", {0}}};
    const struct yaml_node *node = NULL;

    (void)state;
    for (char letter = 'A'; letter <= 'E'; letter++)
        assert_int_equal(setenv((char[]){'S', 'E', 'C', 'R', 'E', 'T', '_', letter, 0}, "seen", 1),
                         0);
    assert_int_equal(
        yaml_parse(&template_arena, "spec.yaml", body, sizeof body - 1, &node, &diagnostics),
        ERR_OK);
    use_command(command);
    job.body = node;
    job.connection_write = CONNECTION_WRITE_CREATE;
    spec.connections = &connection;
    spec.connection_count = 1;
    spec.api.client_id = (struct secret_reference){SECRET_ENV, "SECRET_C", {0}};
    spec.api.client_secret = (struct secret_reference){SECRET_ENV, "SECRET_E", {0}};
    read_without_memory(NULL);
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOURCE_TEST(files_whose_reading_fails_are_told),
        SOURCE_TEST(decoded_files_whose_decoding_fails_are_told),
        SOURCE_TEST(commands_whose_output_cannot_be_kept_are_told),
        SOURCE_TEST(standard_input_that_gives_no_rows_is_told),
        SOURCE_TEST(what_is_left_of_others_may_stay),
        SOURCE_TEST(rows_that_cannot_be_put_into_place_leave_those_that_were),
        SOURCE_TEST(kept_rows_that_are_no_file_are_told),
        SOURCE_TEST(where_files_must_have_a_name_they_have_it_for_a_moment),
        SOURCE_TEST(no_memory_for_files_is_told_as_that),
        SOURCE_TEST(no_memory_for_packed_files_is_told_as_that),
        SOURCE_TEST(no_memory_for_json_is_told_as_that),
        SOURCE_TEST(no_memory_for_rows_of_the_spec_is_told_as_that),
        SOURCE_TEST(a_command_sees_no_secret_of_the_spec),
    };

    return cmocka_run_group_tests_name("io/source: failures", tests, NULL, NULL);
}
