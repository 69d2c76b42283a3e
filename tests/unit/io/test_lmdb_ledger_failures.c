#include "ledger_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* --- failures --- */

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

/* Changes every occurrence of `from` in the data file into `to`. Gives how many there were. */
static int patch_data(const char *from, const char *to, size_t length)
{
    FILE *file = fopen(below("catalog/data.mdb"), "r+be");
    char *bytes = mem_new(1, 4 * 1024 * 1024);
    size_t size = fread(bytes, 1, 4 * 1024 * 1024, file);
    int found = 0;

    for (size_t at = 0; at + length <= size; at++) {
        if (memcmp(bytes + at, from, length) != 0)
            continue;
        memcpy(bytes + at, to, length);
        found++;
    }
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    mem_free(bytes);
    return found;
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

/* --- what is refused --- */

static void another_base_url_is_refused_and_both_are_named(void **context)
{
    struct err err;
    struct opened opened;
    (void)context;

    make_one_item();
    err = open_fails("https://production.example/versioned", true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, BASE_URL));
    assert_non_null(strstr(err.text, "https://production.example/versioned"));
    opened = open_with(false, 0); /* under its own it still opens */
    close_ledger(&opened);
}

static void a_newer_format_is_refused_for_writing_and_reading(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_true(patch_data("format\0\0\0\1", "format\0\0\0\2", 10) > 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "newer purser (format 2"));
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
}

/* There was none before the first, so nothing is to be carried over yet. */
static void a_format_before_the_first_is_refused(void **context)
{
    (void)context;

    make_one_item();
    assert_true(patch_data("format\0\0\0\1", "format\0\0\0\0", 10) > 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
}

static void the_ledger_of_another_spec_is_refused(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(rename(below("catalog"), below("invoices")), 0);
    {
        struct lmdb_ledger_options options = {
            .spec_name = "invoices", .base_url = BASE_URL, .write = true};
        struct state_directory directory;
        struct lmdb_ledger *ledger;

        memset(&err, 0, sizeof err);
        must(state_directory_open(scratch, "invoices", true, &directory, &err), &err);
        assert_int_equal(lmdb_ledger_open(&directory, &options, &ledger, &err),
                         ERR_STATE_DIRECTORY);
        assert_non_null(strstr(err.text, "'catalog', not of 'invoices'"));
        state_directory_close(&directory);
    }
}

static void copy_file(const char *from, const char *to)
{
    FILE *source = fopen(from, "rbe"), *target = fopen(to, "wbe");
    char block[4096];
    size_t length;

    assert_non_null(source);
    assert_non_null(target);
    while ((length = fread(block, 1, sizeof block, source)) > 0)
        assert_int_equal(fwrite(block, 1, length, target), length);
    fclose(source);
    assert_int_equal(fchmod(fileno(target), 0600), 0);
    fclose(target);
}

static void a_copy_is_read_but_not_written_until_a_person_adopts_it(void **context)
{
    struct opened opened;
    struct err err;
    (void)context;

    make_one_item();
    copy_file(below("catalog/data.mdb"), below("backup"));
    assert_int_equal(rename(below("backup"), below("catalog/data.mdb")), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "restored backup"));
    assert_non_null(strstr(err.text, "adopt SPEC --as moved"));
    opened = open_with(false, 0);
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
    adoption = LEDGER_ADOPT_MOVED;
    opened = open_ledger();
    assert_true(lmdb_ledger_was_adopted(opened.ledger));
    assert_int_equal(lmdb_ledger_lost_since_ms(opened.ledger), 0);
    close_ledger(&opened);
    adoption = LEDGER_ADOPT_NONE;
    opened = open_ledger();
    assert_false(lmdb_ledger_was_adopted(opened.ledger));
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
}

static void moving_the_directory_is_no_copying(void **context)
{
    struct opened opened;
    (void)context;

    make_one_item();
    assert_int_equal(rename(below("catalog"), below("elsewhere")), 0);
    assert_int_equal(rename(below("elsewhere"), below("catalog")), 0);
    opened = open_ledger();
    close_ledger(&opened);
}

static void a_damaged_pin_is_refused(void **context)
{
    (void)context;
    make_one_item();
    assert_true(patch_data(BASE_URL, "http://127.0.0.1:8081", 21) > 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
}

static void a_ledger_that_is_cut_short_is_refused(void **context)
{
    struct stat status;
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(stat(below("catalog/data.mdb"), &status), 0);
    for (off_t size = status.st_size - 4096; size > 0; size -= 4096) {
        assert_int_equal(truncate(below("catalog/data.mdb"), size), 0);
        err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
        open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    }
    assert_int_equal(truncate(below("catalog/data.mdb"), 100), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "hint:"));
}

static void a_missing_data_file_does_not_begin_a_new_ledger(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(truncate(below("catalog/data.mdb"), 0), 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "data.mdb is missing"));
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("catalog/about.txt")), 0);
    make_one_item();
}

static void files_open_to_others_and_links_are_refused(void **context)
{
    struct err err;
    (void)context;

    make_one_item();
    assert_int_equal(chmod(below("catalog/data.mdb"), 0640), 0);
    err = open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, "hint: chmod 600"));
    assert_int_equal(chmod(below("catalog/data.mdb"), 0600), 0);
    assert_int_equal(rename(below("catalog/data.mdb"), below("elsewhere")), 0);
    assert_int_equal(symlink(below("elsewhere"), below("catalog/data.mdb")), 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
    open_fails(BASE_URL, false, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    assert_int_equal(link(below("elsewhere"), below("catalog/data.mdb")), 0);
    open_fails(BASE_URL, true, ERR_STATE_DIRECTORY);
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
        SCRATCH_TEST(another_base_url_is_refused_and_both_are_named),
        SCRATCH_TEST(a_newer_format_is_refused_for_writing_and_reading),
        SCRATCH_TEST(a_format_before_the_first_is_refused),
        SCRATCH_TEST(the_ledger_of_another_spec_is_refused),
        SCRATCH_TEST(a_copy_is_read_but_not_written_until_a_person_adopts_it),
        SCRATCH_TEST(moving_the_directory_is_no_copying),
        SCRATCH_TEST(a_damaged_pin_is_refused),
        SCRATCH_TEST(a_ledger_that_is_cut_short_is_refused),
        SCRATCH_TEST(a_missing_data_file_does_not_begin_a_new_ledger),
        SCRATCH_TEST(files_open_to_others_and_links_are_refused),
        SCRATCH_TEST(a_removed_data_file_ends_the_writing),
        SCRATCH_TEST(a_removed_lock_ends_the_writing),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: failures", tests, NULL, NULL);
}
