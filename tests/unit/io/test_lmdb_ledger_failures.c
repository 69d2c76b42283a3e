#include "ledger_patch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void assert_failed_for_good(struct ledger *port, const char *text)
{
    struct item item = item_new(0, 0, (struct hash128){0}, 0);
    struct frozen_request request = {.key = SLICE("z")};
    struct err err;
    uint64_t number;

    for (int i = 0; i < 2; i++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(port->ops->commit_begin(port, &number, &err), ERR_STORAGE);
        assert_non_null(strstr(err.text, text));
        memset(&err, 0, sizeof err);
        assert_int_equal(port->ops->commit_poll(port, true, &number, &err), ERR_STORAGE);
        assert_non_null(strstr(err.text, text));
        memset(&err, 0, sizeof err);
        assert_int_equal(port->ops->add_item(port, &item, &request, &number, &err), ERR_STORAGE);
        assert_non_null(strstr(err.text, text));
    }
}

static void a_failed_commit_is_final_and_leaves_the_old_state(void **context)
{
    struct rlimit limit, small;
    struct opened opened = open_ledger();
    char *body = mem_new(1, 200000);
    struct item item;
    struct err err = {0};
    uint64_t sequence = 0, durable = 0, before;
    struct stat status;
    (void)context;

    memset(body, 'b', 200000);
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    before = commit(opened.port);
    assert_int_equal(stat(below("catalog/data.mdb"), &status), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){(rlim_t)status.st_size, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    item = read_item(opened.port, 1);
    move_item(opened.port, 1, &item, ITEM_SENDING);
    add(opened.port, 0, 0, "b", ITEM_READY, (struct slice){body, 200000});
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err), ERR_STORAGE);
    assert_int_equal(durable, before);
    assert_failed_for_good(opened.port, "ulimit -f");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_failed_for_good(opened.port, "ulimit -f");
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);

    opened = open_ledger();
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    assert_int_equal(opened.port->ops->read_item(opened.port, 2, &item, &err), ERR_NOT_FOUND);
    assert_int_equal(count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_READY), 1);
    assert_int_equal(count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_SENDING), 0);
    close_ledger(&opened);
    mem_free(body);
}

static void no_memory_in_the_middle_of_a_change_spoils_the_batch(void **context)
{
    struct opened opened = open_ledger();
    struct item item = item_new(0, 0, (struct hash128){0}, 0);
    struct frozen_request request = {.key = SLICE("a"), .path = SLICE("/products")};
    struct err err = {0};
    uint64_t number = 0;
    enum err_code code = ERR_NO_MEMORY;
    (void)context;

    for (int64_t nth = 0; code != ERR_OK && nth < 100; nth++) {
        close_ledger(&opened);
        opened = open_ledger();
        mem_test_fail(nth, 0);
        code = opened.port->ops->add_item(opened.port, &item, &request, &number, &err);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
        assert_int_not_equal(opened.port->ops->commit_begin(opened.port, &number, &err), ERR_OK);
        close_ledger(&opened);
        opened = open_ledger();
        assert_int_equal(opened.port->ops->next_item(opened.port, 0, &number, &item, &err),
                         ERR_NOT_FOUND);
        item = item_new(0, 0, (struct hash128){0}, 0);
    }
    assert_int_equal(code, ERR_OK);
    close_ledger(&opened);
}

static void no_memory_while_opening_leaves_nothing_behind(void **context)
{
    struct opened opened = open_ledger();
    struct err err = {0};
    enum err_code code = ERR_NO_MEMORY;
    uint32_t number;
    int64_t live;
    int failures = 0;
    (void)context;

    must(opened.port->ops->job_number(opened.port, "products", &number, &err), &err);
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
    live = mem_test_live_count();
    for (int64_t nth = 0; nth < 1000; nth++) {
        mem_test_fail(nth, 0);
        code = try_open(&opened, BASE_URL, true, 0, &err);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
        assert_int_equal(mem_test_live_count(), live);
        failures++;
    }
    assert_int_equal(code, ERR_OK);
    assert_true(failures > 3);
    close_ledger(&opened);
    assert_int_equal(mem_test_live_count(), live);
}

static void a_request_that_is_too_big_changes_nothing(void **context)
{
    struct opened opened = open_ledger();
    struct item item = item_new(0, 0, (struct hash128){0}, 0);
    char path[PATH_BYTES_MAX + 1];
    struct frozen_request request = {.key = SLICE("a"), .path = {path, sizeof path}};
    struct err err = {0};
    uint64_t number;
    (void)context;

    memset(path, 'p', sizeof path);
    assert_int_equal(opened.port->ops->add_item(opened.port, &item, &request, &number, &err),
                     ERR_TOO_BIG);
    assert_int_equal(opened.port->ops->batch_bytes(opened.port), 0);
    assert_int_equal(add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}")), 1);
    commit(opened.port);
    close_ledger(&opened);
}

static void a_damaged_item_is_in_doubt_and_can_be_put_right(void **context)
{
    struct opened opened = open_ledger();
    struct item item, read;
    struct err err = {0};
    uint64_t number = 0;
    uint32_t ignored;
    (void)context;

    must(opened.port->ops->connection_number(opened.port, "x", &ignored, &err), &err);
    add(opened.port, 1, 7, "a", ITEM_READY, SLICE("{}"));
    add(opened.port, 1, 7, "b", ITEM_READY, SLICE("{}"));
    add(opened.port, 1, 7, "c", ITEM_READY, SLICE("{}"));
    item = item_new(1, 7, (struct hash128){0}, 0);
    (void)snprintf(item.remote_job, sizeof item.remote_job, "damage-me");
    move_item(opened.port, 2, &item, ITEM_WAITING);
    commit(opened.port);
    close_ledger(&opened);
    assert_true(patch_data("damage-me", "damage-ne", 9) > 0);

    opened = open_ledger();
    read = read_item(opened.port, 2);
    assert_int_equal(read.state, ITEM_IN_DOUBT);
    assert_int_equal(read.reason, REASON_RECORD_DAMAGED);
    assert_int_equal(read.job, 1);
    assert_int_equal(read.connection, 7);
    assert_int_equal(read.generation, 1 + DAMAGED_GENERATION_STEP);
    assert_string_equal(read.remote_job, "");
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    memset(&read, 0xff, sizeof read);
    must(opened.port->ops->next_active(opened.port, 0, &number, &read, &err), &err);
    assert_int_equal(number, 2);
    assert_int_equal(read.reason, REASON_RECORD_DAMAGED);

    must(opened.port->ops->put_item(opened.port, 2, &read, &read, &err), &err);
    commit(opened.port);
    assert_int_equal(opened.port->ops->next_active(opened.port, 0, &number, &read, &err),
                     ERR_NOT_FOUND);
    for (int opening = 0; opening < 2; opening++) { /* the second has counted anew */
        assert_int_equal(read_item(opened.port, 2).state, ITEM_IN_DOUBT);
        assert_int_equal(count_of(opened.port, 1, 7, ITEM_IN_DOUBT), 1);
        assert_int_equal(count_of(opened.port, 1, 7, ITEM_READY), 2);
        assert_int_equal(count_of(opened.port, 1, 7, ITEM_WAITING), 0);
        close_ledger(&opened);
        opened = open_ledger();
    }
    assert_int_equal(read_item(opened.port, 2).state, ITEM_IN_DOUBT);
    /* From here on it is an item as others are. */
    item = read_item(opened.port, 2);
    move_item(opened.port, 2, &item, ITEM_SUCCEEDED);
    commit(opened.port);
    assert_int_equal(count_of(opened.port, 1, 7, ITEM_IN_DOUBT), 0);
    assert_int_equal(count_of(opened.port, 1, 7, ITEM_SUCCEEDED), 1);
    close_ledger(&opened);
}

static void a_damaged_ready_item_leaves_the_index_of_its_connection(void **context)
{
    struct opened opened = open_ledger();
    struct item item = item_new(1, 7, (struct hash128){0}, 0), read;
    struct err err = {0};
    uint64_t number = 0;
    (void)context;

    add(opened.port, 1, 7, "a", ITEM_READY, SLICE("{}"));
    (void)snprintf(item.error_code, sizeof item.error_code, "damage-me");
    move_item(opened.port, 1, &item, ITEM_READY);
    add(opened.port, 1, 7, "b", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
    assert_true(patch_data("damage-me", "damage-ne", 9) > 0);

    opened = open_ledger();
    must(opened.port->ops->next_ready(opened.port, 7, 0, &number, &read, &err), &err);
    assert_int_equal(number, 1);
    assert_int_equal(read.state, ITEM_IN_DOUBT);
    item = read;
    item.state = ITEM_SENDING; /* a caller may call it what it likes */
    must(opened.port->ops->put_item(opened.port, 1, &item, &read, &err), &err);
    commit(opened.port);
    must(opened.port->ops->next_ready(opened.port, 7, 0, &number, &read, &err), &err);
    assert_int_equal(number, 2);
    assert_int_equal(count_of(opened.port, 1, 7, ITEM_READY), 1);
    assert_int_equal(count_of(opened.port, 1, 7, ITEM_IN_DOUBT), 1);
    close_ledger(&opened);
}

static void a_damaged_item_that_was_final_is_counted_at_the_next_opening(void **context)
{
    struct opened opened = open_ledger();
    struct item item = item_new(1, 7, (struct hash128){0}, 0), read;
    struct err err = {0};
    (void)context;

    add(opened.port, 1, 7, "a", ITEM_READY, SLICE("{}"));
    (void)snprintf(item.error_code, sizeof item.error_code, "damage-me");
    move_item(opened.port, 1, &item, ITEM_FAILED);
    commit(opened.port);
    close_ledger(&opened);
    assert_true(patch_data("damage-me", "damage-ne", 9) > 0);

    opened = open_ledger();
    read = read_item(opened.port, 1);
    item = read;
    item.state = ITEM_SUCCEEDED;
    must(opened.port->ops->put_item(opened.port, 1, &read, &item, &err), &err);
    commit(opened.port);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(count_of(opened.port, 1, 7, ITEM_SUCCEEDED), 1);
    assert_int_equal(count_of(opened.port, 1, 7, ITEM_FAILED), 0);
    close_ledger(&opened);
}

static void a_damaged_request_is_an_error_not_a_guess(void **context)
{
    struct opened opened = open_ledger();
    struct frozen_request request;
    struct err err = {0};
    struct buf storage;
    (void)context;

    buf_init(&storage, 65536);
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{\"price\":\"12.34\"}"));
    commit(opened.port);
    close_ledger(&opened);
    assert_true(patch_data("12.34", "12.35", 5) > 0);
    opened = open_ledger();
    assert_int_equal(opened.port->ops->read_request(opened.port, 1, &storage, &request, &err),
                     ERR_DAMAGED);
    assert_non_null(strstr(err.text, "damaged"));
    buf_deinit(&storage);
    close_ledger(&opened);
}

static void a_removed_data_file_ends_the_writing(void **context)
{
    struct opened opened = open_ledger();
    struct err err = {0};
    uint64_t sequence = 0, durable = 0;
    (void)context;

    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err), ERR_STORAGE);
    assert_failed_for_good(opened.port, "removed");
    close_ledger(&opened);
}

/* Another process can have the new lock and the same items. */
static void a_removed_lock_ends_the_writing(void **context)
{
    struct opened opened;
    struct err err = {0};
    uint64_t sequence = 0, durable = 0;
    FILE *lock;
    (void)context;

    opened = open_ledger();
    close_ledger(&opened);
    lock = fopen(below("catalog/purser.lock"), "w");
    assert_non_null(lock);
    assert_int_equal(fclose(lock), 0);
    opened = open_ledger();
    assert_int_equal(unlink(below("catalog/purser.lock")), 0);
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_int_equal(opened.port->ops->commit_poll(opened.port, true, &durable, &err), ERR_STORAGE);
    assert_failed_for_good(opened.port, "purser.lock was removed");
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_failed_commit_is_final_and_leaves_the_old_state),
        SCRATCH_TEST(no_memory_in_the_middle_of_a_change_spoils_the_batch),
        SCRATCH_TEST(no_memory_while_opening_leaves_nothing_behind),
        SCRATCH_TEST(a_request_that_is_too_big_changes_nothing),
        SCRATCH_TEST(a_damaged_item_is_in_doubt_and_can_be_put_right),
        SCRATCH_TEST(a_damaged_ready_item_leaves_the_index_of_its_connection),
        SCRATCH_TEST(a_damaged_item_that_was_final_is_counted_at_the_next_opening),
        SCRATCH_TEST(a_damaged_request_is_an_error_not_a_guess),
        SCRATCH_TEST(a_removed_data_file_ends_the_writing),
        SCRATCH_TEST(a_removed_lock_ends_the_writing),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: failures", tests, NULL, NULL);
}
