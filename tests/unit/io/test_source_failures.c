/* Calls of the system that fail while rows are read: either all rows come, or it is
 * told that they do not. */
#include "failing_system_calls.h"

#include "source_rows.h"

enum { CALLS_MAX = 2000 };

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

static void what_is_no_file_is_told_as_what_it_is(void **state)
{
    static const char *const kinds[] = {"a folder", "a pipe", "a device"};

    (void)state;
    job.source.is_pattern = false;
    for (int i = 0; i < 3; i++) {
        char full[128];

        start_again();
        file_name(full, "thing");
        if (i == 0)
            assert_int_equal(mkdir(full, 0700), 0);
        else if (i == 1)
            assert_int_equal(mkfifo(full, 0600), 0);
        job.source.path = i == 2 ? "/dev/null" : full;
        assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_INPUT);
        assert_printed(kinds[i]);
        (void)remove(full);
    }
}

static void a_file_that_cannot_be_opened_is_told_as_that(void **state)
{
    (void)state;
    two_files();
    calls_fail("open", 0, ENOMEM);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_NO_MEMORY);
    assert_non_null(calls_end());
    calls_fail("open", 1, EMFILE);
    assert_int_equal(source_open(&spec, &job, NULL, &diagnostics, &source, &err), ERR_INPUT);
    assert_non_null(calls_end());
    assert_printed("2.csv: Too many open files");
    start_again();
    open_source(NULL);
    calls_fail("open", 0, ENOENT); /* one of them, again */
    if (source_rewind(source, false, &err) == ERR_OK)
        assert_int_equal(print_units(), ERR_INPUT);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, ".csv was changed while it was read; nothing was sent"));
    calls_fail("stat", 0, ENOENT);
    assert_false(source_is_unchanged(source));
    assert_non_null(calls_end());
    assert_true(source_is_unchanged(source));
    start_again();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOURCE_TEST(files_whose_reading_fails_are_told),
        SOURCE_TEST(a_file_that_cannot_be_opened_is_told_as_that),
        SOURCE_TEST(what_is_no_file_is_told_as_what_it_is),
        SOURCE_TEST(decoded_files_whose_decoding_fails_are_told),
        SOURCE_TEST(commands_whose_output_cannot_be_kept_are_told),
        SOURCE_TEST(standard_input_that_gives_no_rows_is_told),
        SOURCE_TEST(what_is_left_of_others_may_stay),
        SOURCE_TEST(rows_that_cannot_be_put_into_place_leave_those_that_were),
        SOURCE_TEST(kept_rows_that_are_no_file_are_told),
        SOURCE_TEST(where_files_must_have_a_name_they_have_it_for_a_moment),
    };

    return cmocka_run_group_tests_name("io/source: failures", tests, NULL, NULL);
}
