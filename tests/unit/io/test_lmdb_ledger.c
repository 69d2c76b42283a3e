#include "ledger_fixture.h"

#include <poll.h>
#include <sys/stat.h>

/* --- reading what was written --- */

static void names_are_numbered_from_zero_and_stay(void **context)
{
    struct opened opened = open_ledger();
    uint32_t number = 9;
    struct err err = {0};
    char name[32];
    (void)context;

    for (uint32_t i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "shop-%u", (unsigned)i);
        must(opened.port->ops->connection_number(opened.port, name, &number, &err), &err);
        assert_int_equal(number, i);
    }
    must(opened.port->ops->job_number(opened.port, "products", &number, &err), &err);
    assert_int_equal(number, 0);
    must(opened.port->ops->connection_number(opened.port, "shop-7", &number, &err), &err);
    assert_int_equal(number, 7);
    commit(opened.port);
    close_ledger(&opened);

    opened = open_ledger();
    assert_string_equal(opened.port->ops->connection_name(opened.port, 99), "shop-99");
    assert_null(opened.port->ops->connection_name(opened.port, 100));
    assert_null(opened.port->ops->connection_name(opened.port, UINT32_MAX));
    assert_string_equal(opened.port->ops->job_name(opened.port, 0), "products");
    must(opened.port->ops->connection_number(opened.port, "shop-42", &number, &err), &err);
    assert_int_equal(number, 42);
    must(opened.port->ops->connection_number(opened.port, "new", &number, &err), &err);
    assert_int_equal(number, 100);
    close_ledger(&opened);
}

static void an_item_is_found_by_its_identity_once_it_is_durable(void **context)
{
    struct opened opened = open_ledger();
    char long_key[ITEM_KEY_BYTES_MAX + 2];
    struct err err = {0};
    uint64_t number = 0;
    (void)context;

    memset(long_key, 'k', sizeof long_key);
    long_key[ITEM_KEY_BYTES_MAX] = '\0';
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    add(opened.port, 0, 1, "a", ITEM_READY, SLICE("{}"));
    add(opened.port, 1, 0, "a", ITEM_READY, SLICE("{}"));
    add(opened.port, 0, 0, long_key, ITEM_READY, SLICE("{}"));
    assert_int_equal(opened.port->ops->find(opened.port, 0, 0, SLICE("a"), &number, &err),
                     ERR_NOT_FOUND);
    commit(opened.port);
    must(opened.port->ops->find(opened.port, 0, 0, SLICE("a"), &number, &err), &err);
    assert_int_equal(number, 1);
    must(opened.port->ops->find(opened.port, 0, 1, SLICE("a"), &number, &err), &err);
    assert_int_equal(number, 2);
    must(opened.port->ops->find(opened.port, 1, 0, SLICE("a"), &number, &err), &err);
    assert_int_equal(number, 3);
    must(opened.port->ops->find(opened.port, 0, 0, slice_of(long_key), &number, &err), &err);
    assert_int_equal(number, 4);
    assert_int_equal(opened.port->ops->find(opened.port, 0, 0, SLICE("b"), &number, &err),
                     ERR_NOT_FOUND);
    long_key[ITEM_KEY_BYTES_MAX] = 'k';
    assert_int_equal(opened.port->ops->find(opened.port, 0, 0,
                                            (struct slice){long_key, ITEM_KEY_BYTES_MAX + 1},
                                            &number, &err),
                     ERR_NOT_FOUND);
    close_ledger(&opened);
}

static void requests_results_runs_and_connections_come_back(void **context)
{
    struct opened opened = open_ledger();
    struct frozen_request request, changed;
    struct result_record result = {.http_status = 200, .body = SLICE("{\"id\":\"1\"}")};
    struct run_record run = {.started_ms = 5, .added = 1};
    struct connection_record learned = {.learned_in_flight = 3, .parked_reason = SLICE("re-auth")};
    struct buf storage;
    struct err err = {0};
    uint64_t number;
    (void)context;

    buf_init(&storage, BODY_BYTES_MAX * 2);
    number = add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{\"price\":1.50}"));
    assert_int_equal(opened.port->ops->last_run(opened.port), 0);
    must(opened.port->ops->put_run(opened.port, 1, &run, &err), &err);
    must(opened.port->ops->put_run(opened.port, 2, &run, &err), &err);
    must(opened.port->ops->put_result(opened.port, number, &result, &err), &err);
    must(opened.port->ops->put_connection(opened.port, 0, &learned, &err), &err);
    commit(opened.port);
    assert_int_equal(opened.port->ops->last_run(opened.port), 2);

    must(opened.port->ops->read_request(opened.port, number, &storage, &request, &err), &err);
    assert_true(slice_is(request.body, "{\"price\":1.50}"));
    assert_true(slice_is(request.key, "a"));
    assert_int_equal(request.source_line, 2);
    changed = request;
    changed.generation = 2;
    must(opened.port->ops->put_request(opened.port, number, &changed, &err), &err);
    must(opened.port->ops->read_result(opened.port, number, &storage, &result, &err), &err);
    assert_true(slice_is(result.body, "{\"id\":\"1\"}"));
    memset(&run, 0xff, sizeof run);
    must(opened.port->ops->read_run(opened.port, 2, &run, &err), &err);
    assert_int_equal(run.started_ms, 5);
    must(opened.port->ops->read_connection(opened.port, 0, &storage, &learned, &err), &err);
    assert_true(slice_is(learned.parked_reason, "re-auth"));
    commit(opened.port);
    must(opened.port->ops->read_request(opened.port, number, &storage, &request, &err), &err);
    assert_int_equal(request.generation, 2);

    assert_int_equal(opened.port->ops->read_request(opened.port, 2, &storage, &request, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->read_result(opened.port, 2, &storage, &result, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->read_run(opened.port, 3, &run, &err), ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->read_connection(opened.port, 1, &storage, &learned, &err),
                     ERR_NOT_FOUND);
    buf_deinit(&storage);
    close_ledger(&opened);
}

static void put_attempts(struct ledger *port, uint64_t number, uint32_t first, uint32_t last)
{
    struct err err = {0};

    for (uint32_t i = first; i <= last; i++) {
        struct attempt_record attempt = {.generation = i, .state = ITEM_WAITING};

        must(port->ops->put_attempt(port, number, &attempt, &err), &err);
    }
}

static uint32_t read_attempt(struct ledger *port, uint64_t number, uint32_t index)
{
    struct attempt_record attempt;
    struct err err = {0};
    struct buf storage;
    uint32_t generation = 0;
    enum err_code code;

    buf_init(&storage, 65536);
    code = port->ops->read_attempt(port, number, index, &storage, &attempt, &err);
    if (code == ERR_OK)
        generation = attempt.generation;
    else
        assert_int_equal(code, ERR_NOT_FOUND);
    buf_deinit(&storage);
    return generation;
}

static void attempts_are_kept_in_order_and_past_the_maximum_the_last_is_replaced(void **context)
{
    struct opened opened = open_ledger();
    (void)context;

    for (int i = 0; i < 3; i++)
        add(opened.port, 0, 0, i == 0 ? "a" : i == 1 ? "b" : "c", ITEM_READY, SLICE("{}"));
    put_attempts(opened.port, 3, 1, 2);
    put_attempts(opened.port, 1, 11, 11);
    commit(opened.port);
    put_attempts(opened.port, 2, 1, ATTEMPTS_KEPT_MAX - 1);
    put_attempts(opened.port, 1, 12, 12);
    commit(opened.port);
    put_attempts(opened.port, 2, ATTEMPTS_KEPT_MAX, ATTEMPTS_KEPT_MAX);
    commit(opened.port);
    assert_int_equal(read_attempt(opened.port, 2, ATTEMPTS_KEPT_MAX - 1), ATTEMPTS_KEPT_MAX);
    put_attempts(opened.port, 2, ATTEMPTS_KEPT_MAX + 1, ATTEMPTS_KEPT_MAX + 2);
    commit(opened.port);
    for (uint32_t i = 0; i < ATTEMPTS_KEPT_MAX - 1; i++)
        assert_int_equal(read_attempt(opened.port, 2, i), i + 1);
    assert_int_equal(read_attempt(opened.port, 2, ATTEMPTS_KEPT_MAX - 1), ATTEMPTS_KEPT_MAX + 2);
    assert_int_equal(read_attempt(opened.port, 2, ATTEMPTS_KEPT_MAX), 0);
    assert_int_equal(read_attempt(opened.port, 1, 0), 11);
    assert_int_equal(read_attempt(opened.port, 1, 1), 12);
    assert_int_equal(read_attempt(opened.port, 1, 2), 0);
    assert_int_equal(read_attempt(opened.port, 3, 1), 2);
    close_ledger(&opened);
}

static void a_dropped_item_leaves_nothing_and_its_identity_can_come_again(void **context)
{
    struct opened opened = open_ledger();
    struct result_record result = {.body = SLICE("x")};
    struct frozen_request request;
    struct item item;
    struct buf storage;
    struct err err = {0};
    uint64_t number = 0;
    (void)context;

    buf_init(&storage, 65536);
    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
    add(opened.port, 0, 0, "c", ITEM_READY, SLICE("{}"));
    put_attempts(opened.port, 1, 1, 3);
    put_attempts(opened.port, 2, 1, 300);
    put_attempts(opened.port, 3, 1, 3);
    must(opened.port->ops->put_result(opened.port, 2, &result, &err), &err);
    commit(opened.port);
    item = read_item(opened.port, 2);
    must(opened.port->ops->drop_item(opened.port, 2, &item, &err), &err);
    commit(opened.port);
    assert_int_equal(opened.port->ops->read_item(opened.port, 2, &item, &err), ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->read_request(opened.port, 2, &storage, &request, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->read_result(opened.port, 2, &storage, &result, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->find(opened.port, 0, 0, SLICE("b"), &number, &err),
                     ERR_NOT_FOUND);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(read_attempt(opened.port, 2, i), 0);
    assert_int_equal(read_attempt(opened.port, 1, 2), 3);
    assert_int_equal(read_attempt(opened.port, 3, 0), 1);
    must(opened.port->ops->next_ready(opened.port, 0, 1, &number, &item, &err), &err);
    assert_int_equal(number, 3);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 2);
    assert_int_equal(add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}")), 4);
    commit(opened.port);
    must(opened.port->ops->find(opened.port, 0, 0, SLICE("b"), &number, &err), &err);
    assert_int_equal(number, 4);
    buf_deinit(&storage);
    close_ledger(&opened);
}

static void an_item_can_be_dropped_in_the_batch_that_added_it(void **context)
{
    struct opened opened = open_ledger();
    struct item item = item_new(0, 0, (struct hash128){0}, 0);
    struct err err = {0};
    uint64_t number;
    (void)context;

    number = add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    must(opened.port->ops->drop_item(opened.port, number, &item, &err), &err);
    commit(opened.port);
    assert_int_equal(opened.port->ops->find(opened.port, 0, 0, SLICE("a"), &number, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->next_item(opened.port, 0, &number, &item, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(opened.port->ops->next_ready(opened.port, 0, 0, &number, &item, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 0);
    close_ledger(&opened);
}

/* --- batches --- */

static void steps_of_one_item_within_a_batch_end_in_the_last(void **context)
{
    struct opened opened = open_ledger();
    struct item item = item_new(0, 1, (struct hash128){.high = 1, .low = 2}, 1000), read;
    struct err err = {0};
    uint64_t number, ignored;
    size_t bytes;
    (void)context;

    number = add(opened.port, 0, 1, "a", ITEM_READY, SLICE("{}"));
    move_item(opened.port, number, &item, ITEM_SENDING);
    move_item(opened.port, number, &item, ITEM_READY);
    move_item(opened.port, number, &item, ITEM_SENDING);
    bytes = opened.port->ops->batch_bytes(opened.port);
    for (int i = 0; i < 1000; i++) {
        move_item(opened.port, number, &item, ITEM_WAITING);
        move_item(opened.port, number, &item, ITEM_SENDING);
    }
    assert_true(opened.port->ops->batch_bytes(opened.port) < bytes + 200);
    (void)snprintf(item.remote_job, sizeof item.remote_job, "%s",
                   "a remote job makes the record longer");
    move_item(opened.port, number, &item, ITEM_WAITING);
    commit(opened.port);
    read = read_item(opened.port, number);
    assert_int_equal(read.state, ITEM_WAITING);
    assert_string_equal(read.remote_job, "a remote job makes the record longer");
    must(opened.port->ops->next_active(opened.port, 0, &ignored, &read, &err), &err);
    assert_int_equal(opened.port->ops->next_ready(opened.port, 1, 0, &ignored, &read, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(count_of(opened.port, 0, 1, ITEM_WAITING), 1);
    assert_int_equal(count_of(opened.port, 0, 1, ITEM_SENDING), 0);
    close_ledger(&opened);
}

static void nothing_of_the_open_batch_is_seen_and_closing_throws_it_away(void **context)
{
    struct opened opened = open_ledger();
    struct item item;
    struct err err = {0};
    uint64_t number, sequence = 0, first;
    (void)context;

    first = commit(opened.port);
    assert_int_equal(opened.port->ops->batch_bytes(opened.port), 0);
    number = add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    assert_true(opened.port->ops->batch_bytes(opened.port) > 0);
    assert_int_equal(opened.port->ops->read_item(opened.port, number, &item, &err), ERR_NOT_FOUND);
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 0);
    close_ledger(&opened);
    opened = open_ledger();
    assert_int_equal(opened.port->ops->read_item(opened.port, number, &item, &err), ERR_NOT_FOUND);
    assert_int_equal(add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}")), number);
    must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
    assert_true(sequence > 0);
    (void)first;
    close_ledger(&opened); /* waits for what was closed */
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, number).state, ITEM_READY);
    close_ledger(&opened);
}

static void sequence_numbers_count_batches_and_the_descriptor_tells_of_their_end(void **context)
{
    struct opened opened = open_ledger();
    struct pollfd event = {.fd = lmdb_ledger_event_fd(opened.ledger), .events = POLLIN};
    struct err err = {0};
    uint64_t first, sequence = 0, durable = 0, eight;
    char key[32];
    (void)context;

    first = commit(opened.port);
    for (uint64_t i = 1; i <= 50; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", (int)i);
        add(opened.port, 0, 0, key, ITEM_READY, SLICE("{}"));
        must(opened.port->ops->commit_begin(opened.port, &sequence, &err), &err);
        assert_int_equal(sequence, first + i);
        must(opened.port->ops->commit_poll(opened.port, false, &durable, &err), &err);
        assert_true(durable <= sequence && durable + 2 >= sequence);
    }
    must(opened.port->ops->commit_poll(opened.port, true, &durable, &err), &err);
    assert_int_equal(durable, sequence);
    assert_int_equal(poll(&event, 1, 10000), 1);
    assert_int_equal(read(event.fd, &eight, sizeof eight), sizeof eight);
    assert_int_equal(commit(opened.port), sequence); /* an empty batch is none */
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 50);
    close_ledger(&opened);
}

static void a_small_map_grows_by_itself(void **context)
{
    struct opened opened = open_with(true, 64 * 1024);
    char *body = mem_new(4096, 1), key[32];
    struct stat status;
    (void)context;

    memset(body, 'b', 4096);
    for (int i = 1; i <= 2000; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", i);
        add(opened.port, 0, 0, key, ITEM_READY, (struct slice){body, 4096});
        if (i % 100 == 0)
            commit(opened.port);
    }
    assert_int_equal(count_of(opened.port, 0, 0, ITEM_READY), 2000);
    assert_int_equal(stat(below("catalog/data.mdb"), &status), 0);
    assert_true(status.st_size > 2000 * 4096);
    close_ledger(&opened);
    opened = open_with(true, 64 * 1024);
    assert_int_equal(read_item(opened.port, 2000).state, ITEM_READY);
    commit(opened.port);
    close_ledger(&opened);
    mem_free(body);
}

static void the_largest_body_passes_through(void **context)
{
    struct opened opened = open_with(true, 1024 * 1024);
    char *body = mem_new(BODY_BYTES_MAX, 1);
    struct frozen_request request;
    struct err err = {0};
    struct buf storage;
    (void)context;

    memset(body, 'b', BODY_BYTES_MAX);
    buf_init(&storage, BODY_BYTES_MAX + 65536);
    add(opened.port, 0, 0, "a", ITEM_READY, (struct slice){body, BODY_BYTES_MAX});
    commit(opened.port);
    must(opened.port->ops->read_request(opened.port, 1, &storage, &request, &err), &err);
    assert_int_equal(request.body.length, BODY_BYTES_MAX);
    assert_memory_equal(request.body.bytes, body, BODY_BYTES_MAX);
    buf_deinit(&storage);
    mem_free(body);
    close_ledger(&opened);
}

/* Bytes of the mapped data file that count as memory of this process. */
static size_t mapped_bytes(void)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool in_map = false;
    size_t total = 0;

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, "data.mdb") != NULL)
            in_map = true;
        else if (in_map && strncmp(line, "Rss:", 4) == 0) {
            total += (size_t)strtoul(line + 4, NULL, 10) * 1024;
            in_map = false;
        }
    }
    fclose(maps);
    return total;
}

static void what_was_read_does_not_stay_in_memory(void **context)
{
    struct opened opened = open_ledger();
    char *body = mem_new(1, 1000000), key[32];
    struct frozen_request request;
    struct err err = {0};
    struct buf storage;
    (void)context;

    buf_init(&storage, 2000000);
    for (int i = 1; i <= 20; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", i);
        add(opened.port, 0, 0, key, ITEM_READY, (struct slice){body, 1000000});
        commit(opened.port);
    }
    for (uint64_t i = 1; i <= 20; i++)
        must(opened.port->ops->read_request(opened.port, i, &storage, &request, &err), &err);
    assert_true(mapped_bytes() > 15000000);
    for (int i = 0; i < 40000; i++)
        (void)read_item(opened.port, 1);
    assert_true(mapped_bytes() < 1000000);
    buf_deinit(&storage);
    mem_free(body);
    close_ledger(&opened);
}

static void names_have_a_maximum(void **context)
{
    struct opened opened = open_ledger();
    uint32_t number = 0;
    struct err err = {0};
    char name[32];

    (void)context;
    for (uint32_t i = 0; i < LEDGER_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof name, "job-%u", i);
        must(opened.port->ops->job_number(opened.port, name, &number, &err), &err);
    }
    assert_int_equal(number, LEDGER_NAMES_MAX - 1);
    must(opened.port->ops->job_number(opened.port, name, &number, &err), &err); /* known */
    assert_int_equal(opened.port->ops->job_number(opened.port, "one-more", &number, &err),
                     ERR_TOO_BIG);
    assert_string_equal(err.text, "a ledger holds at most 65536 names of jobs or connections");
    commit(opened.port);
    close_ledger(&opened);
}

static void one_that_must_be_known_is_not_made(void **context)
{
    struct opened opened;
    struct err err;
    (void)context;

    make_one_item();
    must_be_known = true;
    opened = open_ledger();
    add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
    assert_int_equal(unlink(below("catalog/data.mdb")), 0);
    assert_int_equal(unlink(below("catalog/about.txt")), 0);
    err = open_fails(BASE_URL, true, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "there is no ledger"));
    assert_int_equal(access(below("catalog/data.mdb"), F_OK), -1);
    must_be_known = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(names_are_numbered_from_zero_and_stay),
        SCRATCH_TEST(an_item_is_found_by_its_identity_once_it_is_durable),
        SCRATCH_TEST(requests_results_runs_and_connections_come_back),
        SCRATCH_TEST(attempts_are_kept_in_order_and_past_the_maximum_the_last_is_replaced),
        SCRATCH_TEST(a_dropped_item_leaves_nothing_and_its_identity_can_come_again),
        SCRATCH_TEST(an_item_can_be_dropped_in_the_batch_that_added_it),
        SCRATCH_TEST(steps_of_one_item_within_a_batch_end_in_the_last),
        SCRATCH_TEST(nothing_of_the_open_batch_is_seen_and_closing_throws_it_away),
        SCRATCH_TEST(sequence_numbers_count_batches_and_the_descriptor_tells_of_their_end),
        SCRATCH_TEST(a_small_map_grows_by_itself),
        SCRATCH_TEST(the_largest_body_passes_through),
        SCRATCH_TEST(what_was_read_does_not_stay_in_memory),
        SCRATCH_TEST(names_have_a_maximum),
        SCRATCH_TEST(one_that_must_be_known_is_not_made),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger", tests, NULL, NULL);
}
