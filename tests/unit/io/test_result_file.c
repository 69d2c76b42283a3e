#include "failing_system_calls.h"

#include "purser/io/result_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "scratch.h"

static void assert_content(const char *path, const char *expected, size_t length)
{
    struct stat status;
    char *content = mem_new(1, length + 2);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(read(fd, content, length + 1), (ssize_t)length);
    assert_memory_equal(content, expected, length);
    close(fd);
    mem_free(content);
}

static enum err_code write_file(const char *folder, const char *text, struct err *err)
{
    struct result_file *file;
    enum err_code code = result_file_open(folder, "failed.csv", &file, err);

    if (code != ERR_OK)
        return code;
    code = result_file_append(file, slice_of(text), err);
    if (code == ERR_OK)
        return result_file_commit(file, err);
    result_file_abandon(file);
    return code;
}

static void a_file_appears_whole_or_not_at_all(void **context)
{
    struct result_file *file;
    struct err err = {0};
    char *large = mem_new(1, 200000);
    (void)context;

    memset(large, 'r', 200000);
    assert_int_equal(result_file_open(below("a/b"), "rows.csv", &file, &err), ERR_OK);
    assert_int_equal(result_file_append(file, (struct slice){large, 200000}, &err), ERR_OK);
    assert_int_equal(access(below("a/b/rows.csv"), F_OK), -1);
    result_file_abandon(file);
    result_file_abandon(NULL);
    assert_int_equal(access(below("a/b/rows.csv"), F_OK), -1);
    assert_int_equal(access(below("a/b/.rows.csv.new"), F_OK), -1);
    assert_int_equal(result_file_open(below("a/b"), "rows.csv", &file, &err), ERR_OK);
    assert_int_equal(result_file_append(file, (struct slice){large, 200000}, &err), ERR_OK);
    assert_int_equal(result_file_commit(file, &err), ERR_OK);
    assert_content(below("a/b/rows.csv"), large, 200000);
    mem_free(large);
}

/* Also, of the buffers of a large one, each. */
static void what_fails_is_told_and_leaves_the_older_file(void **context)
{
    static const struct {
        const char *name;
        int error;
        const char *text;
    } failures[] = {
        {"open", EMFILE, "failed.csv.new: cannot be written: Too many open files"},
        {"write", ENOSPC, "failed.csv.new: cannot be written: No space left on device"},
        {"fsync", EIO, "failed.csv.new: cannot be synced: Input/output error"},
        {"rename", EACCES, "failed.csv: cannot be put into place: Permission denied"},
    };
    struct err err = {0};
    (void)context;

    assert_int_equal(write_file(below("results"), "older", &err), ERR_OK);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        calls_fail(failures[i].name, 0, failures[i].error);
        assert_int_equal(write_file(below("results"), "newer", &err), ERR_OUTPUT);
        assert_non_null(calls_end());
        if (strstr(err.text, failures[i].text) == NULL)
            fail_msg("%s", err.text);
        assert_content(below("results/failed.csv"), "older", 5);
        assert_int_equal(access(below("results/.failed.csv.new"), F_OK), -1);
    }
    mem_test_fail(0, 0);
    assert_int_equal(write_file(below("results"), "newer", &err), ERR_NO_MEMORY);
    mem_test_fail(-1, 0);
    assert_content(below("results/failed.csv"), "older", 5);
}

static void a_large_file_whose_disk_is_full_is_told_while_it_is_written(void **context)
{
    struct err err = {0};
    char *large = mem_new(1, 200001);
    (void)context;

    memset(large, 'r', 200000);
    calls_fail("write", 1, ENOSPC);
    assert_int_equal(write_file(below("results"), large, &err), ERR_OUTPUT);
    assert_non_null(calls_end());
    assert_int_equal(access(below("results/failed.csv"), F_OK), -1);
    assert_int_equal(access(below("results/.failed.csv.new"), F_OK), -1);
    mem_free(large);
}

/* It is in place, but may not be after a loss of power. */
static void a_name_that_may_not_be_durable_is_told(void **context)
{
    struct err err = {0};
    (void)context;

    calls_fail("fsync", 1, EIO);
    assert_int_equal(write_file(below("results"), "rows", &err), ERR_OUTPUT);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "results: cannot be synced: Input/output error"));
    calls_fail("open", 1, EMFILE);
    assert_int_equal(write_file(below("results"), "rows", &err), ERR_OUTPUT);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "results: cannot be synced: Too many open files"));
    assert_content(below("results/failed.csv"), "rows", 4);
}

static void a_folder_that_cannot_be_made_is_told(void **context)
{
    static char longest[5000];
    struct err err = {0};
    char before[4096];
    (void)context;

    assert_int_equal(write_file(below("a/b/c"), "rows", &err), ERR_OUTPUT); /* two are missing */
    assert_non_null(strstr(err.text, "a/b/c: the folder cannot be made: No such file"));
    for (int64_t until = 1; until < 3; until++) {
        calls_fail("mkdir", until, EACCES);
        assert_int_equal(write_file(below("new/folder"), "rows", &err), ERR_OUTPUT);
        assert_non_null(calls_end());
        assert_non_null(strstr(err.text, "new/folder: the folder cannot be made: Permission"));
    }
    calls_fail("mkdir", 0, EROFS);
    assert_int_equal(write_file(below("new/folder"), "rows", &err), ERR_OUTPUT);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "Read-only file system"));
    /* Two that make it at once. */
    calls_fail("mkdir", 0, ENOENT);
    assert_int_equal(write_file(below("new/folder"), "rows", &err), ERR_OK);
    assert_non_null(calls_end());
    assert_content(below("new/folder/failed.csv"), "rows", 4);
    memset(longest, 'x', sizeof longest - 1);
    assert_int_equal(write_file(longest, "rows", &err), ERR_OUTPUT);
    assert_non_null(strstr(err.text, "the path is too long"));
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch), 0);
    calls_fail("mkdir", 0, ENOENT);
    assert_int_equal(write_file("relative", "rows", &err), ERR_OUTPUT);
    assert_non_null(calls_end());
    calls_fail("mkdir", 0, ENOENT);
    assert_int_equal(write_file("/relative", "rows", &err), ERR_OUTPUT);
    assert_non_null(calls_end());
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_file_appears_whole_or_not_at_all),
        SCRATCH_TEST(what_fails_is_told_and_leaves_the_older_file),
        SCRATCH_TEST(a_large_file_whose_disk_is_full_is_told_while_it_is_written),
        SCRATCH_TEST(a_name_that_may_not_be_durable_is_told),
        SCRATCH_TEST(a_folder_that_cannot_be_made_is_told),
    };

    return cmocka_run_group_tests_name("io/result_file", tests, NULL, NULL);
}
