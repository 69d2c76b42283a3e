#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "purser/base/mem.h"
#include "purser/core/lifecycle.h"
#include "purser/core/limits.h"
#include "purser/io/lmdb_ledger.h"
#include "scratch.h"

#define BASE_URL "http://127.0.0.1:8080/versioned"

struct opened {
    struct state_directory directory;
    struct lmdb_ledger *ledger;
    struct ledger *port;
};

static enum err_code try_open(struct opened *opened, const char *base_url, bool write,
                              size_t map_bytes, struct err *err)
{
    struct lmdb_ledger_options options = {
        .spec_name = "catalog", .base_url = base_url, .write = write, .map_bytes = map_bytes};
    enum err_code code;

    code = state_directory_open(scratch, "catalog", write, &opened->directory, err);
    if (code != ERR_OK)
        return code;
    code = lmdb_ledger_open(&opened->directory, &options, &opened->ledger, err);
    if (code != ERR_OK)
        state_directory_close(&opened->directory);
    else
        opened->port = lmdb_ledger_port(opened->ledger);
    return code;
}

static void must(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("%d: %s", (int)code, err->text);
}

static struct opened open_with(bool write, size_t map_bytes)
{
    struct opened opened;
    struct err err = {0};

    must(try_open(&opened, BASE_URL, write, map_bytes, &err), &err);
    return opened;
}

static struct opened open_ledger(void)
{
    return open_with(true, 0);
}

static void close_ledger(struct opened *opened)
{
    lmdb_ledger_close(opened->ledger);
    state_directory_close(&opened->directory);
}

static uint64_t commit(struct ledger *port)
{
    uint64_t sequence = 0, durable = 0;
    struct err err = {0};

    must(port->ops->commit_begin(port, &sequence, &err), &err);
    must(port->ops->commit_poll(port, true, &durable, &err), &err);
    assert_int_equal(durable, sequence);
    return sequence;
}

static uint64_t add(struct ledger *port, uint32_t job, uint32_t connection, const char *key,
                    enum item_state state, struct slice body)
{
    struct item item = item_new(job, connection, (struct hash128){.high = 1, .low = 2}, 1000);
    struct frozen_request request = {.job = job,
                                     .connection = connection,
                                     .key = slice_of(key),
                                     .method = METHOD_POST,
                                     .path = SLICE("/products"),
                                     .body = body,
                                     .source_file = SLICE("rows.csv"),
                                     .source_line = 2,
                                     .generation = 1};
    struct err err = {0};
    uint64_t number = 0;

    item.state = state;
    must(port->ops->add_item(port, &item, &request, &number, &err), &err);
    return number;
}

static struct item read_item(struct ledger *port, uint64_t number)
{
    struct item item;
    struct err err = {0};

    memset(&item, 0xff, sizeof item);
    must(port->ops->read_item(port, number, &item, &err), &err);
    return item;
}

static void move_item(struct ledger *port, uint64_t number, struct item *item,
                      enum item_state state)
{
    struct item before = *item;
    struct err err = {0};

    item->state = state;
    must(port->ops->put_item(port, number, &before, item, &err), &err);
}

static uint64_t count_of(struct ledger *port, uint32_t job, uint32_t connection,
                         enum item_state state)
{
    struct item_counts counts;
    struct err err = {0};

    must(port->ops->counts(port, job, connection, &counts, &err), &err);
    return counts.by_state[state];
}

/* --- a model of what must be in the ledger --- */

#define ITEMS 1000
#define JOBS 2
#define CONNECTIONS 3

struct model {
    bool there;
    struct item item;
};

static uint32_t draw(uint64_t *random, uint32_t below_this)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33) % below_this;
}

static void check_indexes(struct ledger *port, const struct model *model)
{
    struct err err = {0};
    uint64_t number = 0, after;
    struct item item;

    for (uint32_t connection = 0; connection < CONNECTIONS; connection++) {
        after = 0;
        for (uint64_t i = 1; i <= ITEMS; i++) {
            if (!model[i].there || model[i].item.state != ITEM_READY ||
                model[i].item.connection != connection)
                continue;
            must(port->ops->next_ready(port, connection, after, &number, &item, &err), &err);
            assert_int_equal(number, i);
            assert_int_equal(item.state, ITEM_READY);
            after = number;
        }
        assert_int_equal(port->ops->next_ready(port, connection, after, &number, &item, &err),
                         ERR_NOT_FOUND);
    }
    after = 0;
    for (uint64_t i = 1; i <= ITEMS; i++) {
        if (!model[i].there || !item_state_is_active(model[i].item.state))
            continue;
        must(port->ops->next_active(port, after, &number, &item, &err), &err);
        assert_int_equal(number, i);
        after = number;
    }
    assert_int_equal(port->ops->next_active(port, after, &number, &item, &err), ERR_NOT_FOUND);
}

static void check_against(struct ledger *port, const struct model *model)
{
    uint64_t recount[JOBS][CONNECTIONS][ITEM_STATE_COUNT] = {0}, number = 0, after = 0;
    struct err err = {0};
    struct item item;

    for (uint64_t i = 1; i <= ITEMS; i++) {
        if (!model[i].there) {
            assert_int_equal(port->ops->read_item(port, i, &item, &err), ERR_NOT_FOUND);
            continue;
        }
        must(port->ops->next_item(port, after, &number, &item, &err), &err);
        assert_int_equal(number, i);
        assert_int_equal(item.state, model[i].item.state);
        assert_int_equal(item.generation, model[i].item.generation);
        item = read_item(port, i);
        assert_int_equal(item.state, model[i].item.state);
        recount[item.job][item.connection][item.state]++;
        after = i;
    }
    assert_int_equal(port->ops->next_item(port, after, &number, &item, &err), ERR_NOT_FOUND);
    for (uint32_t job = 0; job < JOBS; job++)
        for (uint32_t connection = 0; connection < CONNECTIONS; connection++)
            for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
                assert_int_equal(count_of(port, job, connection, (enum item_state)state),
                                 recount[job][connection][state]);
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        assert_int_equal(count_of(port, UINT32_MAX, 1, (enum item_state)state),
                         recount[0][1][state] + recount[1][1][state]);
        assert_int_equal(count_of(port, 1, UINT32_MAX, (enum item_state)state),
                         recount[1][0][state] + recount[1][1][state] + recount[1][2][state]);
    }
    check_indexes(port, model);
}

static void a_thousand_items_live_and_every_view_of_them_agrees(void **context)
{
    struct model *model = mem_new(ITEMS + 1, sizeof *model);
    struct opened opened = open_ledger();
    uint64_t random = 20261126, total = 0;
    char key[32];
    (void)context;

    for (uint64_t i = 1; i <= ITEMS; i++) {
        uint32_t job = draw(&random, JOBS), connection = draw(&random, CONNECTIONS);

        (void)snprintf(key, sizeof key, "sku-%d", (int)i);
        assert_int_equal(add(opened.port, job, connection, key, ITEM_READY, SLICE("{}")), i);
        model[i] = (struct model){true, item_new(job, connection, (struct hash128){0}, 1)};
    }
    commit(opened.port);
    check_against(opened.port, model);
    for (int step = 0; step < 20 * ITEMS; step++) {
        uint64_t i = 1 + draw(&random, ITEMS);
        struct err err = {0};

        if (!model[i].there)
            continue;
        if (draw(&random, 100) == 0 && !item_state_is_active(model[i].item.state)) {
            must(opened.port->ops->drop_item(opened.port, i, &model[i].item, &err), &err);
            model[i].there = false;
        } else {
            struct item before = model[i].item;

            model[i].item.state = (enum item_state)draw(&random, ITEM_STATE_COUNT);
            model[i].item.generation++;
            must(opened.port->ops->put_item(opened.port, i, &before, &model[i].item, &err), &err);
        }
        if (draw(&random, 50) == 0)
            commit(opened.port);
    }
    commit(opened.port);
    check_against(opened.port, model);
    close_ledger(&opened);

    opened = open_ledger();
    check_against(opened.port, model);
    for (uint64_t i = 1; i <= ITEMS; i++)
        total += model[i].there;
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++)
        total -= count_of(opened.port, UINT32_MAX, UINT32_MAX, (enum item_state)state);
    assert_int_equal(total, 0);
    assert_int_equal(add(opened.port, 0, 0, "new", ITEM_READY, SLICE("{}")), ITEMS + 1);
    close_ledger(&opened);
    mem_free(model);
}

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
    assert_int_equal(read.generation, 1);
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
                     ERR_STORAGE);
    assert_non_null(strstr(err.text, "damaged"));
    buf_deinit(&storage);
    close_ledger(&opened);
}

/* --- what is refused --- */

static void make_one_item(void)
{
    struct opened opened = open_ledger();

    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
}

static struct err open_fails(const char *base_url, bool write, enum err_code code)
{
    struct opened opened;
    struct err err = {0};
    int64_t live = mem_test_live_count();

    assert_int_equal(try_open(&opened, base_url, write, 0, &err), code);
    assert_int_equal(err.code, code);
    assert_true(strlen(err.text) > 0);
    assert_int_equal(mem_test_live_count(), live);
    return err;
}

static void another_base_url_is_refused_and_both_are_named(void **context)
{
    struct err err;
    struct opened opened;
    (void)context;

    make_one_item();
    err = open_fails("https://production.example/versioned", true, ERR_STATE_DIRECTORY);
    assert_non_null(strstr(err.text, BASE_URL));
    assert_non_null(strstr(err.text, "https://production.example/versioned"));
    opened = open_with(false, 0);
    assert_string_equal(lmdb_ledger_base_url(opened.ledger), BASE_URL);
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
    assert_non_null(strstr(err.text, "PURSER_ADOPT=1"));
    opened = open_with(false, 0);
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    close_ledger(&opened);
    setenv("PURSER_ADOPT", "1", 1);
    opened = open_ledger();
    close_ledger(&opened);
    unsetenv("PURSER_ADOPT");
    opened = open_ledger();
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

/* --- other processes --- */

static void reading_what_was_never_written_is_not_found(void **context)
{
    struct state_directory directory;
    struct err err = {0};
    (void)context;

    open_fails(BASE_URL, false, ERR_NOT_FOUND);
    must(state_directory_open(scratch, "catalog", true, &directory, &err), &err);
    open_fails(BASE_URL, false, ERR_NOT_FOUND);
    state_directory_close(&directory);
    assert_int_equal(close(open(below("catalog/data.mdb"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)),
                     0);
    open_fails(BASE_URL, false, ERR_NOT_FOUND);
}

static void expect_byte(int fd)
{
    char byte;

    if (read(fd, &byte, 1) != 1)
        _exit(9);
}

/* The reader's side: opens when told, looks, and looks again without opening anew. */
static int read_beside_writer(int told, int answers)
{
    struct opened opened;
    struct err err = {0};
    struct item item;
    uint64_t number;

    expect_byte(told);
    if (try_open(&opened, NULL, false, 0, &err) != ERR_OK)
        return 1;
    if (opened.port->ops->read_item(opened.port, 1, &item, &err) != ERR_OK ||
        item.state != ITEM_READY || lmdb_ledger_event_fd(opened.ledger) != -1)
        return 2;
    if (opened.port->ops->last_run(opened.port) != 0 ||
        opened.port->ops->connection_name(opened.port, 0) != NULL)
        return 3;
    if (write(answers, "1", 1) != 1)
        return 4;
    expect_byte(told);
    if (opened.port->ops->read_item(opened.port, 1, &item, &err) != ERR_OK ||
        item.state != ITEM_SENDING)
        return 5;
    if (opened.port->ops->next_item(opened.port, 2000, &number, &item, &err) != ERR_OK ||
        number != 2001)
        return 6;
    if (count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_READY) != 2000)
        return 7;
    if (opened.port->ops->last_run(opened.port) != 1 ||
        opened.port->ops->connection_name(opened.port, 0) == NULL ||
        strcmp(opened.port->ops->connection_name(opened.port, 0), "shop") != 0)
        return 8;
    close_ledger(&opened);
    return 0;
}

static void a_reader_sees_commits_while_the_writer_runs_and_the_map_grows(void **context)
{
    int told[2], answers[2], status = -1;
    struct run_record run = {.started_ms = 1};
    struct opened opened;
    struct item item;
    struct err err = {0};
    uint32_t number;
    char key[32], byte;
    pid_t child;
    (void)context;

    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        close(told[1]);
        _exit(read_beside_writer(told[0], answers[1]));
    }
    close(answers[1]);
    opened = open_with(true, 64 * 1024);
    add(opened.port, 0, 0, "first", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    assert_int_equal(write(told[1], "1", 1), 1);
    assert_int_equal(read(answers[0], &byte, 1), 1);
    item = read_item(opened.port, 1);
    move_item(opened.port, 1, &item, ITEM_SENDING);
    must(opened.port->ops->connection_number(opened.port, "shop", &number, &err), &err);
    must(opened.port->ops->put_run(opened.port, 1, &run, &err), &err);
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", i);
        add(opened.port, 0, 0, key, ITEM_READY, SLICE("{}"));
    }
    commit(opened.port);
    assert_int_equal(write(told[1], "1", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(told[0]);
    close(told[1]);
    close(answers[0]);
    close_ledger(&opened);
}

#define RACERS 8

static void of_many_that_race_for_a_new_ledger_one_gets_it(void **context)
{
    int start[2], verdicts[2], end[2], winners = 0;
    pid_t children[RACERS];
    (void)context;

    assert_int_equal(pipe2(start, O_CLOEXEC), 0);
    assert_int_equal(pipe2(verdicts, O_CLOEXEC), 0);
    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    for (int i = 0; i < RACERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct opened opened;
            struct err err = {0};
            enum err_code code;
            char verdict;

            close(end[1]);
            expect_byte(start[0]);
            code = try_open(&opened, BASE_URL, true, 0, &err);
            verdict = code == ERR_OK ? 'w' : code == ERR_LOCKED ? 'l' : '?';
            if (write(verdicts[1], &verdict, 1) != 1)
                _exit(1);
            (void)!read(end[0], &verdict, 1); /* until the parent closes it */
            _exit(0);
        }
    }
    close(end[0]);
    assert_int_equal(write(start[1], "12345678", RACERS), RACERS);
    for (int i = 0; i < RACERS; i++) {
        char verdict = 0;

        assert_int_equal(read(verdicts[0], &verdict, 1), 1);
        assert_true(verdict == 'w' || verdict == 'l');
        winners += verdict == 'w';
    }
    assert_int_equal(winners, 1);
    close(end[1]);
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    close(start[0]);
    close(start[1]);
    close(verdicts[0]);
    close(verdicts[1]);
}

static void what_a_killed_writer_had_committed_is_there(void **context)
{
    int ready[2], status = 0;
    struct opened opened;
    struct err err = {0};
    struct item item;
    char byte;
    pid_t child;
    (void)context;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        opened = open_ledger();
        add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
        commit(opened.port);
        add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
        if (write(ready[1], "1", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    assert_int_equal(opened.port->ops->read_item(opened.port, 2, &item, &err), ERR_NOT_FOUND);
    close_ledger(&opened);
    close(ready[0]);
    close(ready[1]);
}

static void no_descriptor_of_the_ledger_passes_to_programs_that_are_started(void **context)
{
    struct opened opened = open_ledger();
    DIR *descriptors = opendir("/proc/self/fd");
    struct dirent *entry;
    int seen = 0;
    (void)context;

    assert_non_null(descriptors);
    while ((entry = readdir(descriptors)) != NULL) {
        char link[64], target[256] = "";

        (void)snprintf(link, sizeof link, "/proc/self/fd/%.20s", entry->d_name);
        if (readlink(link, target, sizeof target - 1) == -1 || strstr(target, scratch) == NULL)
            continue;
        seen++;
        if ((fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD) & FD_CLOEXEC) == 0)
            fail_msg("%s", target);
    }
    closedir(descriptors);
    assert_true(seen >= 6); /* directory twice, purser.lock, lock.mdb, data.mdb twice */
    assert_int_equal(fcntl(lmdb_ledger_event_fd(opened.ledger), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close_ledger(&opened);
}

/* In a child with a file system of its own: 0 = as it should be, 77 = cannot be tried here. */
static int fill_a_small_disk(void)
{
    struct opened opened;
    struct err err = {0};
    uint64_t number = 0;
    char *body, key[32];

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch, "tmpfs", 0, "size=1m,mode=0700") != 0)
        return 77;
    if (try_open(&opened, BASE_URL, true, 0, &err) != ERR_OK)
        return 1;
    body = mem_new(1, 50000);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", i);
        add(opened.port, 0, 0, key, ITEM_READY, (struct slice){body, 50000});
        if (opened.port->ops->commit_begin(opened.port, &number, &err) != ERR_OK ||
            opened.port->ops->commit_poll(opened.port, true, &number, &err) != ERR_OK)
            break;
    }
    if (err.code != ERR_STORAGE || strstr(err.text, "disk full: ") == NULL)
        return 2;
    lmdb_ledger_close(opened.ledger);
    state_directory_close(&opened.directory);
    if (try_open(&opened, BASE_URL, true, 0, &err) != ERR_OK)
        return 3;
    return count_of(opened.port, 0, 0, ITEM_READY) > 5 ? 0 : 4;
}

/* As above: the disk is full before anything is made. */
static int open_on_a_full_disk(void)
{
    struct opened opened;
    struct err err = {0};
    char block[4096] = "";
    int fd;

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch, "tmpfs", 0, "size=64k,mode=0700") != 0 ||
        mkdir(below("catalog"), 0700) != 0)
        return 77;
    fd = open(below("filler"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    for (int free_blocks = 0; free_blocks < 16; free_blocks++) {
        enum err_code code = try_open(&opened, BASE_URL, true, 0, &err);

        if (code == ERR_OK)
            return free_blocks > 2 ? 0 : 1;
        if (code != ERR_STORAGE || strstr(err.text, "disk full: ") == NULL)
            return 2;
        if (ftruncate(fd, 65536 - 4096 * (free_blocks + 1)) != 0)
            return 3;
    }
    return 4;
}

static void run_in_child(int (*body)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* As above: the machine becomes another one. */
static int open_on_another_machine(void)
{
    struct opened opened;
    struct err err = {0};
    FILE *file;

    make_one_item();
    file = fopen(below("machine-id"), "we");
    fputs("0123456789abcdef0123456789abcdef\n", file);
    fclose(file);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(below("machine-id"), "/etc/machine-id", NULL, MS_BIND, NULL) != 0)
        return 77;
    if (try_open(&opened, BASE_URL, true, 0, &err) != ERR_STATE_DIRECTORY ||
        strstr(err.text, "another machine") == NULL)
        return 1;
    return 0;
}

static void on_another_machine_it_is_a_copy(void **context)
{
    (void)context;
    run_in_child(open_on_another_machine);
}

static void a_disk_that_fills_up_is_called_so_and_loses_nothing(void **context)
{
    (void)context;
    run_in_child(fill_a_small_disk);
}

static void opening_on_a_full_disk_is_an_error_and_no_signal(void **context)
{
    (void)context;
    run_in_child(open_on_a_full_disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_thousand_items_live_and_every_view_of_them_agrees),
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
        SCRATCH_TEST(the_ledger_of_another_spec_is_refused),
        SCRATCH_TEST(a_copy_is_read_but_not_written_until_a_person_adopts_it),
        SCRATCH_TEST(moving_the_directory_is_no_copying),
        SCRATCH_TEST(on_another_machine_it_is_a_copy),
        SCRATCH_TEST(a_damaged_pin_is_refused),
        SCRATCH_TEST(a_ledger_that_is_cut_short_is_refused),
        SCRATCH_TEST(a_missing_data_file_does_not_begin_a_new_ledger),
        SCRATCH_TEST(files_open_to_others_and_links_are_refused),
        SCRATCH_TEST(a_removed_data_file_ends_the_writing),
        SCRATCH_TEST(reading_what_was_never_written_is_not_found),
        SCRATCH_TEST(a_reader_sees_commits_while_the_writer_runs_and_the_map_grows),
        SCRATCH_TEST(of_many_that_race_for_a_new_ledger_one_gets_it),
        SCRATCH_TEST(what_a_killed_writer_had_committed_is_there),
        SCRATCH_TEST(no_descriptor_of_the_ledger_passes_to_programs_that_are_started),
        SCRATCH_TEST(a_disk_that_fills_up_is_called_so_and_loses_nothing),
        SCRATCH_TEST(opening_on_a_full_disk_is_an_error_and_no_signal),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger", tests, NULL, NULL);
}
