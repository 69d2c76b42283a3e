#include "failing_system_calls.h"

#include "purser/io/token_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "scratch.h"

static enum err_code append(struct token_file *file, const char *text, struct err *err)
{
    struct buf line;
    enum err_code code;

    buf_init(&line, 1024);
    buf_append_text(&line, text);
    code = token_file_append(file, &line, err);
    buf_deinit(&line);
    return code;
}

static void assert_content(const char *path, const char *expected)
{
    char content[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(read(fd, content, sizeof content - 1) >= 0);
    close(fd);
    assert_string_equal(content, expected);
}

static void put(const char *path, const char *content, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_new_file_is_for_its_owner_alone(void **context)
{
    const char *path = below("tokens");
    struct err err = {0};
    struct token_file file;
    struct stat status;
    mode_t before = umask(0);

    (void)context;
    assert_int_equal(token_file_open(path, &file, &err), ERR_OK);
    umask(before);
    assert_int_equal(append(&file, "one\n", &err), ERR_OK);
    assert_int_equal(append(&file, "two\n", &err), ERR_OK);
    token_file_close(&file);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_content(path, "one\ntwo\n");
}

static void lines_are_added_and_never_to_one_that_was_cut_short(void **context)
{
    const char *path = below("tokens");
    struct err err = {0};
    struct token_file file;

    (void)context;
    put(path, "one\nha", 0600);
    assert_int_equal(token_file_open(path, &file, &err), ERR_OK);
    assert_int_equal(append(&file, "two\n", &err), ERR_OK);
    assert_int_equal(append(&file, "three\n", &err), ERR_OK);
    token_file_close(&file);
    assert_content(path, "one\nha\ntwo\nthree\n");
}

static void assert_refused(const char *path, const char *why)
{
    struct err err = {0};
    struct token_file file;

    memset(&file, 0xff, sizeof file);
    assert_int_equal(token_file_open(path, &file, &err), ERR_INPUT);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(file.fd, -1);
}

static void what_others_may_see_or_move_is_refused(void **context)
{
    (void)context;
    put(below("group"), "", 0640);
    assert_refused(below("group"), "can be read or written by others");
    put(below("all"), "", 0602);
    assert_refused(below("all"), "can be read or written by others");
    put(below("good"), "", 0600);
    assert_int_equal(symlink(below("good"), below("link")), 0);
    assert_refused(below("link"), "symbolic link");
    assert_int_equal(symlink(below("nowhere"), below("dangling")), 0);
    assert_refused(below("dangling"), "symbolic link");
    assert_int_equal(link(below("good"), below("second")), 0);
    assert_refused(below("second"), "one name");
    assert_int_equal(mkfifo(below("pipe"), 0600), 0);
    assert_refused(below("pipe"), "");
    assert_refused(scratch, "");
    assert_refused(below("no/such/folder"), "No such file");
}

static void a_line_that_cannot_be_written_is_an_error(void **context)
{
    struct rlimit before, small;
    struct err err = {0};
    struct token_file file;

    (void)context;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(token_file_open(below("tokens"), &file, &err), ERR_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(append(&file, "one\n", &err), ERR_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(append(&file, "two\n", &err), ERR_OK);
    token_file_close(&file);
    assert_content(below("tokens"), "on\ntwo\n");
}

static void assert_open_fails(const char *name, int64_t until, const char *why)
{
    struct err err = {0};
    struct token_file file;

    calls_fail(name, until, EIO);
    assert_int_equal(token_file_open(below("tokens"), &file, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_int_equal(file.fd, -1);
    if (strstr(err.text, why) == NULL || strstr(err.text, "Input/output error") == NULL)
        fail_msg("%s", err.text);
}

/* Tokens in a file whose name is lost with the power are lost. */
static void a_new_file_whose_name_may_be_lost_is_not_left(void **context)
{
    struct err err = {0};
    struct token_file file;

    (void)context;
    assert_open_fails("fsync", 0, scratch);
    assert_int_equal(access(below("tokens"), F_OK), -1);
    assert_open_fails("open", 1, scratch); /* of the folder */
    assert_int_equal(access(below("tokens"), F_OK), -1);
    assert_open_fails("fstat", 0, "access_tokens: ");
    assert_int_equal(access(below("tokens"), F_OK), -1);
    put(below("tokens"), "one\n", 0600);
    assert_open_fails("fstat", 0, "access_tokens: ");
    assert_content(below("tokens"), "one\n");
    assert_int_equal(token_file_open(below("tokens"), &file, &err), ERR_OK);
    token_file_close(&file);
    token_file_close(&file);
}

static void what_may_not_be_on_the_disk_is_an_error_and_ends_its_line(void **context)
{
    struct err err = {0};
    struct token_file file;

    (void)context;
    put(below("tokens"), "one\n", 0600);
    calls_fail("pread", 0, EIO); /* does it end in a line? */
    assert_int_equal(token_file_open(below("tokens"), &file, &err), ERR_OK);
    assert_non_null(calls_end());
    calls_fail("fsync", 0, EIO);
    assert_int_equal(append(&file, "two\n", &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_string_equal(err.text, "the file of access tokens: Input/output error");
    calls_fail("write", 0, ENOSPC); /* of the line break before it */
    assert_int_equal(append(&file, "three\n", &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    calls_fail("write", 1, CALL_IS_SHORT);
    assert_int_equal(append(&file, "four\n", &err), ERR_OK);
    assert_non_null(calls_end());
    calls_fail("write", 0, EINTR);
    assert_int_equal(append(&file, "five\n", &err), ERR_OK);
    assert_non_null(calls_end());
    token_file_close(&file);
    assert_content(below("tokens"), "one\n\ntwo\n\nfour\nfive\n");
}

/* Relative, in the working directory or at the root of all. */
static void its_folder_is_told_from_its_path(void **context)
{
    struct err err = {0};
    struct token_file file;
    char before[4096];

    (void)context;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch), 0);
    assert_int_equal(token_file_open("tokens", &file, &err), ERR_OK);
    token_file_close(&file);
    assert_int_equal(unlink("tokens"), 0);
    calls_fail("fsync", 0, EIO);
    assert_int_equal(token_file_open("tokens", &file, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_string_equal(err.text, ".: Input/output error");
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_new_file_is_for_its_owner_alone),
        SCRATCH_TEST(lines_are_added_and_never_to_one_that_was_cut_short),
        SCRATCH_TEST(what_others_may_see_or_move_is_refused),
        SCRATCH_TEST(a_line_that_cannot_be_written_is_an_error),
        SCRATCH_TEST(a_new_file_whose_name_may_be_lost_is_not_left),
        SCRATCH_TEST(what_may_not_be_on_the_disk_is_an_error_and_ends_its_line),
        SCRATCH_TEST(its_folder_is_told_from_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
