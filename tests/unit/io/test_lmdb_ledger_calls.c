/* Each call of LMDB fails once, whatever the ledger is doing: it says so, gives no answer that it
 * has not read, and is afterwards what it was before. */
#include "failing_ledger_calls.h"

#include <errno.h>

#include "ledger_of_each.h"
#include "ledger_patch.h"
#include "no_syncs.h"

enum { CALLS_MAX = 1000 };

/* --- reading --- */

static void assert_told(enum err_code code, const struct err *err, int error)
{
    const char *text = error == EIO ? "Input/output error" : "is damaged (";

    assert_int_equal(code, error == EIO ? ERR_STORAGE : ERR_STATE_DIRECTORY);
    assert_int_equal(err->code, code);
    if (strstr(err->text, text) == NULL || strstr(err->text, scratch) == NULL)
        fail_msg("%s", err->text);
}

static void lmdbs_own_errors_say_what_to_do(void **context)
{
    static const struct {
        int error;
        enum err_code code;
        const char *text;
    } errors[] = {
        {MDB_PAGE_NOTFOUND, ERR_STATE_DIRECTORY, "hint: restore the directory from a backup"},
        {MDB_INVALID, ERR_STATE_DIRECTORY, "hint: restore the directory from a backup"},
        {MDB_VERSION_MISMATCH, ERR_STATE_DIRECTORY, "hint: use the purser that wrote it again"},
        {MDB_READERS_FULL, ERR_STORAGE, "MDB_READERS_FULL"},
    };
    struct opened opened;
    (void)context;

    make_one_of_each();
    opened = open_with(false, 0);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct err err = {0};

        calls_fail("mdb_txn_renew", 0, errors[i].error);
        assert_int_equal(read_one(opened.port, &err), errors[i].code);
        assert_non_null(calls_end());
        assert_non_null(strstr(err.text, errors[i].text));
        assert_non_null(strstr(err.text, scratch));
    }
    close_ledger(&opened);
}

static void read_with_failures(struct ledger *port, reading *read, int error)
{
    for (int64_t until = 0; until < CALLS_MAX; until++) {
        struct err err = {0};
        enum err_code code;

        calls_fail(NULL, until, error);
        code = read(port, &err);
        if (calls_end() == NULL) {
            must(code, &err);
            assert_true(until > 1);
            return;
        }
        assert_told(code, &err, error);
    }
    fail();
}

static void a_reading_that_fails_is_told_and_the_next_one_is_right(void **context)
{
    (void)context;

    make_one_of_each();
    buf_init(&storage, BODY_BYTES_MAX);
    for (int write = 0; write < 2; write++) {
        struct opened opened = open_with(write != 0, 0);

        for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
            read_with_failures(opened.port, readings[i], EIO);
            read_with_failures(opened.port, readings[i], MDB_CORRUPTED);
        }
        assert_int_equal(counts_read.by_state[ITEM_READY], 1);
        assert_int_equal(slot_s, 9);
        close_ledger(&opened);
    }
    buf_deinit(&storage);
}

/* Names that a reader does not know yet have no way to tell an error: no name is given, and nothing
 * is kept of the failure. */
static void a_name_that_cannot_be_read_comes_when_it_can(void **context)
{
    struct opened opened;
    (void)context;

    make_one_of_each();
    for (int64_t until = 0; until < 2; until++) {
        opened = open_with(false, 0);
        calls_fail(NULL, until, EIO);
        assert_null(opened.port->ops->job_name(opened.port, 1));
        assert_non_null(calls_end());
        calls_fail(NULL, until, EIO);
        assert_int_equal(opened.port->ops->last_run(opened.port), 1);
        assert_non_null(calls_end());
        assert_string_equal(opened.port->ops->job_name(opened.port, 0), "products");
        assert_string_equal(opened.port->ops->proven_operation(opened.port, 0), "POST /products");
        close_ledger(&opened);
    }
}

/* --- opening --- */

static void open_with_failures(bool write, const char *base_url, int error, void (*before)(void),
                               void (*after)(void))
{
    for (int64_t until = 0; until < CALLS_MAX; until++) {
        struct opened opened;
        struct err err = {0};
        int64_t live = mem_test_live_count();
        enum err_code code;
        const char *failed;

        before();
        calls_fail(NULL, until, error);
        code = try_open(&opened, base_url, write, 0, &err);
        failed = calls_end();
        /* Readers that have died are looked for in passing. */
        if (failed == NULL || strcmp(failed, "mdb_reader_check") == 0) {
            must(code, &err);
            close_ledger(&opened);
        } else {
            assert_told(code, &err, error);
            after();
        }
        assert_int_equal(mem_test_live_count(), live);
        if (failed == NULL)
            return;
    }
    fail();
}

static void nothing(void)
{
}

static void remove_it(void)
{
    (void)scratch_remove(NULL);
    assert_int_equal(mkdir(scratch, 0700), 0);
}

static void begin_it(void)
{
    open_fails(NULL, false, ERR_NOT_FOUND);
    must_be_known = true;
    open_fails(BASE_URL, true, ERR_NOT_FOUND);
    must_be_known = false;
    make_one_item();
}

static void one_of_each_is_there(void)
{
    enum ledger_adoption adopted = adoption;
    struct opened opened;

    adoption = LEDGER_ADOPT_NONE;
    opened = open_with(false, 0);
    assert_int_equal(read_item(opened.port, 2).state, ITEM_SENDING);
    assert_int_equal(read_item(opened.port, 4).state, ITEM_READY);
    assert_int_equal(count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_READY), 1);
    assert_string_equal(opened.port->ops->connection_name(opened.port, 0), "shop");
    close_ledger(&opened);
    adoption = adopted;
}

static void an_opening_that_fails_leaves_the_ledger_as_it_was(void **context)
{
    static const int errors[] = {EIO, MDB_CORRUPTED};
    (void)context;

    make_one_of_each();
    for (int i = 0; i < 2; i++) {
        open_with_failures(true, BASE_URL, errors[i], nothing, one_of_each_is_there);
        open_with_failures(false, NULL, errors[i], nothing, one_of_each_is_there);
        adoption = LEDGER_ADOPT_RESTORED;
        open_with_failures(true, BASE_URL, errors[i], nothing, one_of_each_is_there);
        adoption = LEDGER_ADOPT_NONE;
    }
}

static void a_beginning_that_fails_can_begin_again(void **context)
{
    (void)context;

    open_with_failures(true, BASE_URL, EIO, remove_it, begin_it);
}

/* --- committing --- */

static void change(struct ledger *port)
{
    struct attempt_record attempt = {.generation = 1, .http_status = 429};
    struct item item = read_item(port, 2), over = read_item(port, 4);
    struct err err = {0};

    move_item(port, 2, &item, ITEM_WAITING);
    must(port->ops->put_attempt(port, 2, &attempt, &err), &err);
    must(port->ops->put_attempt(port, 1, &attempt, &err), &err);
    must(port->ops->drop_item(port, 4, &over, &err), &err);
    add(port, 0, 0, "new", ITEM_READY, SLICE("{}"));
}

static void a_commit_that_fails_is_final_and_leaves_the_old_state(void **context)
{
    (void)context;

    make_one_of_each();
    for (int64_t until = 0; until < CALLS_MAX; until++) {
        struct opened opened = open_ledger();
        struct err err = {0};
        uint64_t sequence = 0, durable = 0;
        enum err_code code;
        bool failed;

        change(opened.port);
        calls_fail(NULL, until, EIO);
        must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
        code = opened.port->ops->commit_poll(opened.port, true, &durable, &err);
        failed = calls_end() != NULL;
        if (failed) {
            assert_told(code, &err, EIO);
            assert_true(durable < sequence);
            assert_int_equal(opened.port->ops->commit_begin(opened.port, &sequence, &err),
                             ERR_STORAGE);
        } else {
            must(code, &err);
        }
        close_ledger(&opened);
        if (!failed)
            break;
        one_of_each_is_there();
    }
    {
        struct opened opened = open_ledger();

        assert_int_equal(read_item(opened.port, 2).state, ITEM_WAITING);
        assert_int_equal(read_item(opened.port, 5).state, ITEM_READY);
        close_ledger(&opened);
    }
}

static void a_map_that_cannot_grow_is_told_and_leaves_the_old_state(void **context)
{
    struct opened opened;
    char *body = mem_new(1, 500000);
    struct err err = {0};
    uint64_t sequence, durable;
    (void)context;

    memset(body, 'b', 500000);
    make_one_of_each();
    opened = open_with(true, 200000);
    add(opened.port, 0, 0, "large", ITEM_READY, (struct slice){body, 500000});
    calls_fail("mdb_env_set_mapsize", 0, ENOMEM);
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err),
                     ERR_NO_MEMORY);
    assert_non_null(calls_end());
    assert_non_null(strstr(err.text, "grow the map in "));
    close_ledger(&opened);
    one_of_each_is_there();
    mem_free(body);
}

/* Another process has made it larger. */
static void a_map_that_has_grown_is_mapped_again(void **context)
{
    struct opened opened;
    struct err err = {0};
    enum err_code code;
    (void)context;

    make_one_of_each();
    opened = open_with(false, 0);
    calls_fail("mdb_txn_renew", 0, MDB_MAP_RESIZED);
    assert_int_equal(read_item(opened.port, 2).state, ITEM_SENDING);
    assert_non_null(calls_end());
    calls_fail("mdb_txn_renew", 0, MDB_MAP_RESIZED);
    calls_fail_also("mdb_env_set_mapsize", 0, EIO);
    code = read_one(opened.port, &err);
    assert_non_null(calls_end());
    assert_told(code, &err, EIO);
    assert_int_equal(read_item(opened.port, 2).state, ITEM_SENDING);
    close_ledger(&opened);
}

/* --- changing what is damaged --- */

static void make_damaged(void)
{
    struct opened opened = open_ledger();
    struct item item;

    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
    item = item_new(0, 0, (struct hash128){.high = 1, .low = 2}, 1000);
    (void)snprintf(item.error_code, sizeof item.error_code, "damage-me");
    move_item(opened.port, 1, &item, ITEM_READY);
    commit(opened.port);
    close_ledger(&opened);
    assert_true(patch_data("damage-me", "damage-ne", 9) > 0);
}

static enum err_code settle(struct ledger *port, const struct item *damaged, struct err *err)
{
    struct item settled = *damaged;

    settled.state = ITEM_SUCCEEDED;
    return port->ops->put_item(port, 1, damaged, &settled, err);
}

static enum err_code drop(struct ledger *port, const struct item *damaged, struct err *err)
{
    return port->ops->drop_item(port, 1, damaged, err);
}

/* Is item 1 what it was before it was changed: damaged, and among the ready ones? */
static void assert_unchanged(void)
{
    struct opened opened = open_with(false, 0);
    struct item item;
    struct err err = {0};
    uint64_t number = 0;

    must(opened.port->ops->next_ready(opened.port, 0, 0, &number, &item, &err), &err);
    assert_int_equal(number, 1);
    assert_int_equal(item.reason, REASON_RECORD_DAMAGED);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 2);
    close_ledger(&opened);
}

/* Half of it may be in the open batch already, so nothing of that is committed any more. */
static void change_with_failures(enum err_code (*change_it)(struct ledger *port,
                                                            const struct item *damaged,
                                                            struct err *err))
{
    for (int64_t until = 0; until < CALLS_MAX; until++) {
        struct opened opened = open_ledger();
        struct item damaged = read_item(opened.port, 1);
        struct err err = {0};
        uint64_t number;
        enum err_code code;
        bool failed;

        assert_int_equal(damaged.reason, REASON_RECORD_DAMAGED);
        calls_fail(NULL, until, EIO);
        code = change_it(opened.port, &damaged, &err);
        failed = calls_end() != NULL;
        if (!failed) {
            must(code, &err);
            commit(opened.port);
            close_ledger(&opened);
            opened = open_ledger(); /* which counts anew */
            assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 1);
            close_ledger(&opened);
            return;
        }
        assert_told(code, &err, EIO);
        if (opened.port->ops->commit_begin(opened.port, &number, &err) == ERR_OK)
            must(opened.port->ops->commit_poll(opened.port, true, &number, &err), &err);
        close_ledger(&opened);
        assert_unchanged();
    }
    fail();
}

static void a_damaged_item_that_cannot_be_settled_stays_as_it_was(void **context)
{
    (void)context;

    make_damaged();
    change_with_failures(settle);
}

static void a_damaged_item_that_cannot_be_dropped_stays_as_it_was(void **context)
{
    (void)context;

    make_damaged();
    change_with_failures(drop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_reading_that_fails_is_told_and_the_next_one_is_right),
        SCRATCH_TEST(lmdbs_own_errors_say_what_to_do),
        SCRATCH_TEST(a_name_that_cannot_be_read_comes_when_it_can),
        SCRATCH_TEST(an_opening_that_fails_leaves_the_ledger_as_it_was),
        SCRATCH_TEST(a_beginning_that_fails_can_begin_again),
        SCRATCH_TEST(a_commit_that_fails_is_final_and_leaves_the_old_state),
        SCRATCH_TEST(a_map_that_cannot_grow_is_told_and_leaves_the_old_state),
        SCRATCH_TEST(a_map_that_has_grown_is_mapped_again),
        SCRATCH_TEST(a_damaged_item_that_cannot_be_settled_stays_as_it_was),
        SCRATCH_TEST(a_damaged_item_that_cannot_be_dropped_stays_as_it_was),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: calls", tests, NULL, NULL);
}
