/* Calls of the system that fail while a state directory is made, checked and locked. */
#include "failing_system_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/io/state_directory.h"
#include "scratch.h"

enum { CALLS_MAX = 200 };

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void remove_all(void)
{
    (void)scratch_remove(NULL);
    assert_int_equal(mkdir(scratch, 0700), 0);
}

static enum err_code open_it(bool write, struct state_directory *directory, struct err *err)
{
    *err = (struct err){0};
    return state_directory_open(below("state/purser"), "catalog", write, directory, err);
}

static void open_and_close(bool write)
{
    struct state_directory directory;
    struct err err;

    if (open_it(write, &directory, &err) != ERR_OK)
        fail_msg("%s", err.text);
    state_directory_close(&directory);
}

/* Whoever writes must say of the call what it was about; a name in the lock file may be left out.
 */
static bool may_fail(const char *call)
{
    return strcmp(call, "ftruncate") == 0 || strcmp(call, "pwrite") == 0;
}

static void assert_told(enum err_code code, const struct state_directory *directory,
                        const struct err *err)
{
    assert_int_equal(code, ERR_SYSTEM);
    assert_int_equal(directory->fd, -1);
    assert_int_equal(directory->lock_fd, -1);
    if (strstr(err->text, "Input/output error") == NULL || strstr(err->text, " /tmp") == NULL)
        fail_msg("%s", err->text);
}

static void any_call_that_fails_is_told_and_the_next_opening_is_as_ever(void **context)
{
    int tried[2] = {0};
    (void)context;

    for (int write = 0; write < 2; write++) {
        const char *failed = "";

        for (int64_t until = 0; failed != NULL; until++) {
            struct state_directory directory;
            struct err err;
            enum err_code code;

            assert_true(until < CALLS_MAX);
            remove_all();
            if (!write)
                open_and_close(true);
            calls_fail(NULL, until, EIO);
            code = open_it(write != 0, &directory, &err);
            failed = calls_end();
            if (code == ERR_OK) {
                assert_true(failed == NULL || may_fail(failed) || strncmp(failed, "fstat", 5) == 0);
                state_directory_close(&directory);
            } else {
                assert_told(code, &directory, &err);
                tried[write]++;
            }
            open_and_close(true);
        }
    }
    assert_true(tried[true] > 12 && tried[false] > 3);
}

/* Who finds it takes it for one whose name is durable. */
static void a_directory_whose_name_may_not_be_durable_is_not_left(void **context)
{
    static const char *const made[] = {"state", "state/purser", "state/purser/catalog"};
    static const char *const calls[] = {"fsync", "chmod", "fchmodat"};
    struct state_directory directory;
    struct err err;
    (void)context;

    for (int64_t until = 0; until < 3; until++) {
        remove_all();
        calls_fail("fsync", until, EIO);
        assert_int_equal(open_it(true, &directory, &err), ERR_SYSTEM);
        assert_non_null(calls_end());
        assert_non_null(strstr(err.text, "sync the parent of "));
        assert_false(exists(below(made[until])));
        open_and_close(true);
    }
    for (int i = 1; i < 3; i++) {
        remove_all();
        calls_fail(calls[i], 0, EPERM);
        assert_int_equal(open_it(true, &directory, &err), ERR_SYSTEM);
        assert_non_null(calls_end());
        assert_non_null(strstr(err.text, "chmod 700 "));
        assert_false(exists(below(i == 1 ? "state" : "state/purser/catalog")));
    }
}

static void a_full_disk_keeps_the_name_out_of_the_lock_but_not_the_lock_away(void **context)
{
    struct state_directory first, second;
    char holder[STATE_HOLDER_BYTES];
    struct err err;
    (void)context;

    for (int way = 0; way < 3; way++) {
        remove_all();
        calls_fail(way == 0 ? "ftruncate" : "pwrite", 0, way == 2 ? CALL_IS_SHORT : ENOSPC);
        assert_int_equal(open_it(true, &first, &err), ERR_OK);
        assert_non_null(calls_end());
        assert_int_equal(open_it(true, &second, &err), ERR_LOCKED);
        assert_non_null(strstr(err.text, "is locked by another purser"));
        assert_int_equal(open_it(false, &second, &err), ERR_OK);
        assert_false(state_directory_is_held(&second, holder));
        state_directory_close(&second);
        state_directory_close(&first);
        open_and_close(true);
    }
}

static void a_lock_that_cannot_be_tried_is_no_lock_of_another(void **context)
{
    struct state_directory directory;
    struct err err;
    (void)context;

    calls_fail("flock", 0, ENOLCK);
    assert_int_equal(open_it(true, &directory, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "purser.lock: No locks available"));
}

/* Of a process that has just ended the text is still there. */
static void who_has_no_lock_file_or_a_free_one_holds_nothing(void **context)
{
    struct state_directory directory, writer;
    char holder[STATE_HOLDER_BYTES], text[64];
    struct err err;
    FILE *lock;
    (void)context;

    open_and_close(true);
    assert_int_equal(open_it(false, &directory, &err), ERR_OK);
    lock = fopen(below("state/purser/catalog/purser.lock"), "we");
    assert_non_null(lock);
    (void)snprintf(text, sizeof text, "%d since long ago\n", (int)getpid());
    assert_true(fputs(text, lock) >= 0);
    assert_int_equal(fclose(lock), 0);
    assert_false(state_directory_is_held(&directory, holder));
    assert_int_equal(open_it(true, &writer, &err), ERR_OK);
    calls_fail("flock", 0, ENOLCK);
    assert_false(state_directory_is_held(&directory, holder));
    assert_non_null(calls_end());
    assert_true(state_directory_is_held(&directory, holder));
    assert_non_null(strstr(holder, "pid "));
    state_directory_close(&writer);
    assert_int_equal(unlink(below("state/purser/catalog/purser.lock")), 0);
    assert_false(state_directory_is_held(&directory, holder));
    state_directory_close(&directory);
}

static void a_working_directory_that_is_gone_is_told(void **context)
{
    char path[4096];
    struct err err = {0};
    (void)context;

    calls_fail("getcwd", 0, ENOENT);
    assert_int_equal(state_directory_root("relative", path, &err), ERR_SYSTEM);
    assert_non_null(calls_end());
    assert_string_equal(err.text, "working directory: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(any_call_that_fails_is_told_and_the_next_opening_is_as_ever),
        SCRATCH_TEST(a_directory_whose_name_may_not_be_durable_is_not_left),
        SCRATCH_TEST(a_full_disk_keeps_the_name_out_of_the_lock_but_not_the_lock_away),
        SCRATCH_TEST(a_lock_that_cannot_be_tried_is_no_lock_of_another),
        SCRATCH_TEST(who_has_no_lock_file_or_a_free_one_holds_nothing),
        SCRATCH_TEST(a_working_directory_that_is_gone_is_told),
    };

    return cmocka_run_group_tests_name("io/state_directory: failures", tests, NULL, NULL);
}
