/* The open batch: what cannot be put into it whole is never committed, and after a failure nothing
 * is put into it any more. */
#include "ledger_of_each.h"
#include "ledger_patch.h"
#include "no_syncs.h"

/* --- everything that writes --- */

static enum err_code add_one(struct ledger *port, struct err *err)
{
    struct item item = item_new(0, 0, (struct hash128){0}, 0);
    struct frozen_request request = {.key = SLICE("new"), .path = SLICE("/products")};
    uint64_t number;

    return port->ops->add_item(port, &item, &request, &number, err);
}

static enum err_code add_open(struct ledger *port, struct err *err)
{
    struct item item = item_new(5, 5, (struct hash128){0}, 0);
    struct frozen_request request = {
        .job = 5, .connection = 5, .key = SLICE("new"), .path = SLICE("/products")};
    uint64_t number;

    item.state = ITEM_READY;
    return port->ops->add_item(port, &item, &request, &number, err);
}

static enum err_code move_on(struct ledger *port, struct err *err)
{
    struct item before = item_new(0, 0, (struct hash128){.high = 1, .low = 2}, 1000), item = before;

    before.state = ITEM_READY;
    item.state = ITEM_SENDING;
    return port->ops->put_item(port, 4, &before, &item, err);
}

static enum err_code drop(struct ledger *port, struct err *err)
{
    struct item before = item_new(0, 0, (struct hash128){.high = 1, .low = 2}, 1000);

    before.state = ITEM_READY;
    return port->ops->drop_item(port, 4, &before, err);
}

static enum err_code put_request(struct ledger *port, struct err *err)
{
    struct frozen_request request = {.key = SLICE("ready"), .path = SLICE("/products")};

    return port->ops->put_request(port, 4, &request, err);
}

static enum err_code name_job(struct ledger *port, struct err *err)
{
    uint32_t number;

    return port->ops->job_number(port, "a new job", &number, err);
}

static enum err_code name_connection(struct ledger *port, struct err *err)
{
    uint32_t number;

    return port->ops->connection_number(port, "a new shop", &number, err);
}

/* The port is the ledger. */
static enum err_code put_lost_since(struct ledger *port, struct err *err)
{
    return lmdb_ledger_put_lost_since((struct lmdb_ledger *)port, 7, err);
}

static writing *const more_writings[] = {add_one,     add_open, move_on,         drop,
                                         put_request, name_job, name_connection, put_lost_since};

enum {
    RECORDS = sizeof record_writings / sizeof record_writings[0],
    WRITINGS = RECORDS + sizeof more_writings / sizeof more_writings[0],
};

static writing *writing_at(size_t i)
{
    return i < RECORDS ? record_writings[i] : more_writings[i - RECORDS];
}

static void after_a_failure_nothing_is_written_any_more(void **context)
{
    struct opened opened;
    struct err err = {0};
    uint64_t sequence, durable;
    (void)context;

    make_one_of_each();
    opened = open_ledger();
    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    must(put_run(opened.port, &err), &err);
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err), ERR_STORAGE);
    for (size_t i = 0; i < WRITINGS; i++) {
        err = (struct err){0};
        assert_int_equal(writing_at(i)(opened.port, &err), ERR_STORAGE);
        assert_non_null(strstr(err.text, "was removed while it was in use"));
    }
    close_ledger(&opened);
}

/* Of a change that fails half-way the batch must not be committed; of one that has not begun it
 * may.
 */
static void commit_what_there_is(struct opened *opened)
{
    uint64_t sequence, durable;
    struct err err = {0};

    if (opened->port->ops->commit_begin(opened->port, &sequence, &err) == ERR_OK)
        must(opened->port->ops->commit_poll(opened->port, true, &durable, &err), &err);
    else
        assert_int_equal(err.code, ERR_NO_MEMORY);
    close_ledger(opened);
}

/* The table of counts has no place for one more connection. */
static void fill_the_counts(void)
{
    struct opened opened = open_ledger();
    char key[16];

    for (uint32_t i = 1; i < 8; i++) {
        (void)snprintf(key, sizeof key, "over %u", (unsigned)i);
        add(opened.port, 0, i, key, ITEM_SUCCEEDED, SLICE("{}"));
    }
    commit(opened.port);
    close_ledger(&opened);
}

static void no_memory_for_a_change_leaves_all_or_nothing_of_it(void **context)
{
    (void)context;

    make_one_of_each();
    fill_the_counts();
    for (size_t i = 0; i < WRITINGS; i++) {
        enum err_code code = ERR_NO_MEMORY;

        for (int64_t nth = 0; code != ERR_OK; nth++) {
            struct opened opened = open_ledger();
            struct err err = {0};

            mem_test_fail(nth, 0);
            code = writing_at(i)(opened.port, &err);
            mem_test_fail(-1, 0);
            if (code == ERR_OK) { /* … and is not committed, for the others */
                close_ledger(&opened);
                break;
            }
            assert_int_equal(code, ERR_NO_MEMORY);
            assert_true(strlen(err.text) > 0 && nth < 100);
            commit_what_there_is(&opened);
            opened = open_with(false, 0);
            assert_int_equal(count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_READY), 1);
            assert_int_equal(read_item(opened.port, 4).state, ITEM_READY);
            assert_int_equal(lmdb_ledger_lost_since_ms(opened.ledger), 0);
            close_ledger(&opened);
        }
    }
}

static void no_memory_for_a_commit_leaves_the_old_state(void **context)
{
    enum err_code code = ERR_NO_MEMORY;
    (void)context;

    make_one_of_each();
    for (int64_t nth = 0; code != ERR_OK; nth++) {
        struct opened opened = open_ledger();
        struct err err = {0};
        uint64_t sequence;

        must(add_open(opened.port, &err), &err);
        must(move_on(opened.port, &err), &err);
        mem_test_fail(nth, 0);
        code = opened.port->ops->commit_begin(opened.port, &sequence, &err);
        mem_test_fail(-1, 0);
        close_ledger(&opened);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
        assert_non_null(strstr(err.text, "memory"));
        opened = open_with(false, 0);
        assert_int_equal(read_item(opened.port, 4).state, ITEM_READY);
        assert_int_equal(count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_READY), 1);
        close_ledger(&opened);
        assert_true(nth < 100);
    }
}

/* --- what is in it --- */

static void what_the_batch_does_not_say_is_looked_up_in_the_store(void **context)
{
    static const struct hash128 other = {.high = 9};
    struct opened opened;
    struct err err = {0};
    uint64_t number = 0;
    (void)context;

    make_one_of_each();
    opened = open_ledger();
    must(opened.port->ops->put_group(opened.port, 0, 0, other, 3, &err), &err);
    must(opened.port->ops->find_group(opened.port, 0, 0, group, &number, &err), &err);
    assert_int_equal(number, 2);
    must(opened.port->ops->find_group(opened.port, 0, 0, other, &number, &err), &err);
    assert_int_equal(number, 3);
    close_ledger(&opened);
}

/* A large batch is committed like any other; its room is given back with the batch behind it. */
static void a_large_batch_leaves_no_room_behind(void **context)
{
    struct opened opened = open_ledger();
    char *body = mem_new(1, BODY_BYTES_MAX), key[16];
    (void)context;

    memset(body, 'b', BODY_BYTES_MAX);
    add(opened.port, 0, 0, "large", ITEM_READY, (struct slice){body, BODY_BYTES_MAX});
    for (int i = 0; i < 3; i++) {
        commit(opened.port);
        (void)snprintf(key, sizeof key, "small %d", i);
        add(opened.port, 0, 0, key, ITEM_READY, SLICE("{}"));
    }
    commit(opened.port);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 4);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, 4).state, ITEM_READY);
    close_ledger(&opened);
    mem_free(body);
}

/* --- the counts of what is damaged --- */

static void make_damaged(enum item_state state, bool release_due)
{
    struct opened opened = open_ledger();
    struct item item = item_new(0, 0, (struct hash128){.high = 1, .low = 2}, 1000);

    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    (void)snprintf(item.error_code, sizeof item.error_code, "damage-me");
    item.state = ITEM_READY;
    item.release_due = release_due;
    move_item(opened.port, 1, &item, state);
    commit(opened.port);
    close_ledger(&opened);
    assert_true(patch_data("damage-me", "damage-ne", 9) > 0);
}

/* What it was stands in the index still, or is told by the counts. */
static void what_a_damaged_item_was_is_not_counted_any_more(void **context)
{
    static const struct {
        enum item_state state;
        bool release_due;
    } cases[] = {
        {ITEM_READY, false},   {ITEM_BLOCKED, false},  {ITEM_SENDING, false},
        {ITEM_WAITING, false}, {ITEM_SUCCEEDED, true}, {ITEM_CANCELLED, true},
    };
    (void)context;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opened opened;
        struct item damaged;

        (void)scratch_remove(NULL);
        assert_int_equal(mkdir(scratch, 0700), 0);
        make_damaged(cases[i].state, cases[i].release_due);
        opened = open_ledger();
        damaged = read_item(opened.port, 1);
        assert_int_equal(damaged.reason, REASON_RECORD_DAMAGED);
        move_item(opened.port, 1, &damaged, ITEM_FAILED);
        commit(opened.port);
        for (int again = 0; again < 2; again++) { /* as guessed, and as counted anew */
            assert_int_equal(count_of(opened.port, 0, 0, cases[i].state), 0);
            assert_int_equal(count_of(opened.port, 0, 0, ITEM_FAILED), 1);
            close_ledger(&opened);
            opened = open_ledger();
        }
        close_ledger(&opened);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(after_a_failure_nothing_is_written_any_more),
        SCRATCH_TEST(no_memory_for_a_change_leaves_all_or_nothing_of_it),
        SCRATCH_TEST(no_memory_for_a_commit_leaves_the_old_state),
        SCRATCH_TEST(what_the_batch_does_not_say_is_looked_up_in_the_store),
        SCRATCH_TEST(a_large_batch_leaves_no_room_behind),
        SCRATCH_TEST(what_a_damaged_item_was_is_not_counted_any_more),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: batches", tests, NULL, NULL);
}
