/* Calls of the system that fail below the ledger and below LMDB: what is said, and what is left. */
#include "failing_system_calls.h"

#include "ledger_fixture.h"

enum { CALLS_MAX = 1000 };

static void nothing(void)
{
}

static void remove_all(void)
{
    (void)scratch_remove(NULL);
    assert_int_equal(mkdir(scratch, 0700), 0);
}

/* The directory itself is opened before any call fails. */
static enum err_code open_in(struct opened *opened, bool write, struct err *err)
{
    struct lmdb_ledger_options options = {
        .spec_name = "catalog", .base_url = BASE_URL, .write = write};
    enum err_code code = lmdb_ledger_open(&opened->directory, &options, &opened->ledger, err);

    opened->port = code == ERR_OK ? lmdb_ledger_port(opened->ledger) : NULL;
    return code;
}

static const char *open_with_failure(bool write, const char *name, int64_t until, int error,
                                     enum err_code *code_out, struct err *err)
{
    struct opened opened;
    const char *failed;

    *err = (struct err){0};
    must(state_directory_open(scratch, "catalog", write, &opened.directory, err), err);
    calls_fail(name, until, error);
    *code_out = open_in(&opened, write, err);
    failed = calls_end();
    if (*code_out == ERR_OK)
        lmdb_ledger_close(opened.ledger);
    state_directory_close(&opened.directory);
    return failed;
}

static void assert_item_is_there(void)
{
    struct opened opened = open_with(false, 0);

    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 1);
    close_ledger(&opened);
}

/* Some calls may fail: what file it is, and the newest transaction beside it, are told when they
 * can be. LMDB takes any failure of a lock for a lock of another process. */
static int open_with_each_failure(bool write, void (*before)(void), void (*after)(void))
{
    int told = 0;

    for (int64_t until = 0; until < CALLS_MAX; until++) {
        int64_t live = mem_test_live_count();
        enum err_code code;
        struct err err;
        const char *failed;

        before();
        failed = open_with_failure(write, NULL, until, EIO, &code, &err);
        assert_int_equal(mem_test_live_count(), live);
        if (code != ERR_OK && strcmp(failed, "fcntl") != 0) {
            if (strstr(err.text, "Input/output error") == NULL)
                fail_msg("%s: %s", failed, err.text);
            told++;
            after();
        }
        if (failed == NULL)
            return told;
    }
    fail();
    return 0;
}

static void whatever_fails_while_it_is_opened_is_told_and_nothing_is_lost(void **context)
{
    (void)context;

    make_one_item();
    assert_true(open_with_each_failure(true, nothing, assert_item_is_there) > 20);
    assert_true(open_with_each_failure(false, nothing, assert_item_is_there) > 10);
}

static void whatever_fails_while_it_is_begun_it_can_begin_again(void **context)
{
    (void)context;

    assert_true(open_with_each_failure(true, remove_all, make_one_item) > 20);
}

static void a_reading_that_is_interrupted_or_short_goes_on(void **context)
{
    enum err_code code;
    struct err err;
    (void)context;

    make_one_item();
    for (int way = 0; way < 2; way++) {
        const char *failed = "";
        int refused = 0;

        for (int64_t until = 0; failed != NULL; until++) {
            failed = open_with_failure(true, "pread", until, way == 0 ? EINTR : CALL_IS_SHORT,
                                       &code, &err);
            /* LMDB reads its two heads in one go each; it says that it has not. */
            if (code != ERR_OK)
                assert_true(++refused <= 2 && strstr(err.text, "open") != NULL);
            assert_true(until < CALLS_MAX);
        }
        assert_item_is_there();
    }
}

/* --- committing --- */

static struct err commit_with_failure(const char *name, int error)
{
    struct opened opened = open_ledger();
    uint64_t sequence, durable;
    struct err err = {0};

    add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
    calls_fail(name, 0, error);
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err), ERR_STORAGE);
    assert_non_null(calls_end());
    assert_int_equal(opened.port->ops->commit_begin(opened.port, &sequence, &err), ERR_STORAGE);
    close_ledger(&opened);
    assert_item_is_there();
    return err;
}

static void a_commit_that_fails_says_what_to_do(void **context)
{
    static const struct {
        const char *name;
        int error;
        const char *text, *hint;
    } failures[] = {
        {"pwrite", ENOSPC, "disk full: ", "make room"},
        {"pwrite", EDQUOT, "the disk quota is used up", "make room"},
        {"pwrite", EFBIG, "the file may not grow any more", "ulimit -f"},
        {"pwrite", EIO, "commit in ", "Input/output error"},
        {"fdatasync", EIO, "commit in ", "Input/output error"},
        {"fstat", EIO, "stat ", "data.mdb: Input/output error"},
        {"fstatat", EIO, "stat ", "purser.lock: Input/output error"},
    };
    (void)context;

    make_one_item();
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct err err = commit_with_failure(failures[i].name, failures[i].error);

        if (strstr(err.text, failures[i].text) == NULL ||
            strstr(err.text, failures[i].hint) == NULL || strstr(err.text, scratch) == NULL)
            fail_msg("%s", err.text);
    }
}

/* It would be torn out of the process's room, and not come back. */
static void a_map_that_finds_no_room_is_not_moved(void **context)
{
    struct opened opened;
    char *body = mem_new(1, 500000);
    uint64_t sequence, durable;
    struct err err = {0};
    (void)context;

    memset(body, 'b', 500000);
    make_one_item();
    opened = open_with(true, 200000);
    add(opened.port, 0, 0, "large", ITEM_READY, (struct slice){body, 500000});
    calls_fail("mmap", 0, ENOMEM);
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err),
                     ERR_NO_MEMORY);
    assert_non_null(calls_end());
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
    assert_item_is_there();
    mem_free(body);
}

/* --- what lies beside it --- */

static void a_full_disk_is_told_before_the_ledger_is_begun(void **context)
{
    enum err_code code;
    struct err err;
    (void)context;

    assert_non_null(open_with_failure(true, "posix_fallocate", 0, ENOSPC, &code, &err));
    assert_int_equal(code, ERR_STORAGE);
    assert_non_null(strstr(err.text, "disk full: "));
    assert_int_equal(access(below("catalog/data.mdb"), F_OK), -1);
    make_one_item();
}

/* A ledger that nothing tells from a copy of it goes on being used: neither the machine nor the
 * file can be told everywhere. */
static void what_cannot_tell_its_file_is_opened(void **context)
{
    enum err_code code;
    struct err err;
    (void)context;

    make_one_item();
    assert_non_null(open_with_failure(true, "statx", 1, ENOSYS, &code, &err));
    must(code, &err);
    assert_non_null(open_with_failure(true, "statx", 0, ENOSYS, &code, &err));
    must(code, &err);
    assert_item_is_there();
}

/* LMDB opens its files; the machine's id is opened last. */
static void a_machine_without_an_id_is_none_to_refuse(void **context)
{
    enum err_code code = ERR_SYSTEM;
    struct err err;
    (void)context;

    make_one_item();
    for (int64_t until = 0; code != ERR_OK; until++) {
        assert_non_null(open_with_failure(true, "open", until, ENOENT, &code, &err));
        assert_true(code == ERR_OK || strstr(err.text, "No such file") != NULL);
    }
    assert_item_is_there();
}

/* The number of the newest transaction is kept beside the ledger; without it nothing is refused. */
static void a_newest_number_that_cannot_be_written_is_none(void **context)
{
    static const char *const names[] = {"renameat", "fsync", "pwrite"};
    struct opened opened;
    (void)context;

    make_one_item();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        opened = open_ledger();
        calls_fail(names[i], 0, ENOSPC);
        close_ledger(&opened);
        assert_non_null(calls_end());
        assert_int_equal(access(below("catalog/newest.new"), F_OK), -1);
        assert_item_is_there();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(whatever_fails_while_it_is_opened_is_told_and_nothing_is_lost),
        SCRATCH_TEST(whatever_fails_while_it_is_begun_it_can_begin_again),
        SCRATCH_TEST(a_reading_that_is_interrupted_or_short_goes_on),
        SCRATCH_TEST(a_commit_that_fails_says_what_to_do),
        SCRATCH_TEST(a_map_that_finds_no_room_is_not_moved),
        SCRATCH_TEST(a_full_disk_is_told_before_the_ledger_is_begun),
        SCRATCH_TEST(what_cannot_tell_its_file_is_opened),
        SCRATCH_TEST(a_machine_without_an_id_is_none_to_refuse),
        SCRATCH_TEST(a_newest_number_that_cannot_be_written_is_none),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: system", tests, NULL, NULL);
}
