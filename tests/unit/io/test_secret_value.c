/* One secret from where a reference says: what is wrong with it is told without any part of it. */
#include "failing_system_calls.h"

#include "purser/io/secret_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/core/limits.h"
#include "scratch.h"

static char value[SECRET_BYTES_MAX + 1];
static struct secret_problem problem;

static const char *put(const char *name, const char *text, size_t length)
{
    const char *path = below(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
    return path;
}

static void refused(enum secret_kind kind, const char *name, const char *code, const char *text)
{
    memset(value, 'v', sizeof value);
    assert_false(secret_value_read(kind, name, value, &problem));
    assert_string_equal(value, "");
    assert_string_equal(problem.code, code);
    if (strstr(problem.text, text) == NULL || strstr(problem.text, "s3cret") != NULL)
        fail_msg("%s", problem.text);
}

static void a_file_is_read_whole_however_it_comes(void **context)
{
    const char *path = put("key", "s3cret\r\n", 8);
    (void)context;

    for (int way = 0; way < 3; way++) {
        calls_fail("pread", 0, way == 0 ? EINTR : CALL_IS_SHORT);
        if (way == 2)
            calls_end();
        assert_true(secret_value_read(SECRET_FILE, path, value, &problem));
        (void)calls_end();
        assert_string_equal(value, "s3cret");
    }
}

static void a_file_that_cannot_be_read_is_told_with_its_reason(void **context)
{
    const char *path = put("key", "s3cret\n", 7);
    (void)context;

    calls_fail("pread", 0, EIO);
    refused(SECRET_FILE, path, "credentials.file", "key' Input/output error");
    assert_non_null(calls_end());
    calls_fail("fstat", 0, EIO);
    refused(SECRET_FILE, path, "credentials.file", "key' Input/output error");
    assert_non_null(calls_end());
    calls_fail("open", 0, EACCES);
    refused(SECRET_FILE, path, "credentials.file", "key' Permission denied");
    assert_non_null(calls_end());
    assert_non_null(strstr(problem.help, "the user who runs purser can read"));
    assert_false(problem.missing);
    if (geteuid() == 0 && chown(path, 1, (gid_t)-1) == 0)
        refused(SECRET_FILE, path, "credentials.owner", "belongs to another user");
}

static void what_is_no_secret_is_told_as_that(void **context)
{
    static char longest[SECRET_BYTES_MAX + 5];
    (void)context;

    memset(longest, 'x', sizeof longest - 1);
    refused(SECRET_FILE, put("key", "\r\n", 2), "credentials.missing", "is empty");
    refused(SECRET_FILE, put("key", "s3cret\001", 7), "credentials.value", "not visible ASCII");
    refused(SECRET_FILE, put("key", "s3cret\177", 7), "credentials.value", "not visible ASCII");
    refused(SECRET_FILE, put("key", longest, SECRET_BYTES_MAX + 1), "credentials.value",
            "longer than 4096 bytes");
    refused(SECRET_FILE, put("key", longest, sizeof longest - 1), "credentials.value",
            "longer than 4096 bytes");
    assert_true(
        secret_value_read(SECRET_FILE, put("key", longest, SECRET_BYTES_MAX), value, &problem));
    assert_int_equal(strlen(value), SECRET_BYTES_MAX);
}

static void a_credential_is_looked_for_in_its_folder_alone(void **context)
{
    static char longest[5000];
    (void)context;

    put("key", "s3cret", 6);
    memset(longest, 'x', sizeof longest - 1);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
    refused(SECRET_CREDENTIAL, "key", "credentials.missing", "CREDENTIALS_DIRECTORY is not set");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", scratch, 1), 0);
    assert_true(secret_value_read(SECRET_CREDENTIAL, "key", value, &problem));
    refused(SECRET_CREDENTIAL, ".", "credentials.name", "is a path");
    refused(SECRET_CREDENTIAL, "..", "credentials.name", "is a path");
    refused(SECRET_CREDENTIAL, "a/b", "credentials.name", "is a path");
    refused(SECRET_CREDENTIAL, longest, "credentials.file", "'xxx");
    assert_int_equal(chmod(below("key"), 0644), 0);
    refused(SECRET_CREDENTIAL, "key", "credentials.mode", "can be read by others");
    assert_int_equal(chmod(below("key"), 0640), 0); /* its access list shows so */
    assert_true(secret_value_read(SECRET_CREDENTIAL, "key", value, &problem));
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* Whoever cannot hide it must not use it. */
static void a_secret_that_cannot_be_hidden_in_every_form_is_told(void **context)
{
    char text[] = "a\"b\\c/d a%22b%5Cc%2Fd a\\\"b\\\\c/d";
    bool hidden = false;
    (void)context;

    for (int64_t nth = 0; !hidden; nth++) {
        uint64_t failures = mem_failure_count();

        log_forget();
        mem_test_fail(nth, 1);
        hidden = secret_value_hide("a\"b\\c/d");
        mem_test_fail(-1, 0);
        assert_true(nth < 100 && hidden == (mem_failure_count() == failures));
    }
    log_redact(text, strlen(text));
    assert_null(strstr(text, "c/d"));
    assert_null(strstr(text, "2Fd"));
    log_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_file_is_read_whole_however_it_comes),
        SCRATCH_TEST(a_file_that_cannot_be_read_is_told_with_its_reason),
        SCRATCH_TEST(what_is_no_secret_is_told_as_that),
        SCRATCH_TEST(a_credential_is_looked_for_in_its_folder_alone),
        SCRATCH_TEST(a_secret_that_cannot_be_hidden_in_every_form_is_told),
    };

    return cmocka_run_group_tests_name("io/secret_value", tests, NULL, NULL);
}
