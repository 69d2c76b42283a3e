/* A ledger in the scratch directory, and short ways to fill it and to look into it. */
#ifndef PURSER_TESTS_LEDGER_FIXTURE_H
#define PURSER_TESTS_LEDGER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/core/limits.h"
#include "purser/io/lmdb_ledger.h"
#include "scratch.h"

#define BASE_URL "http://127.0.0.1:8080/versioned"

struct opened {
    struct state_directory directory;
    struct lmdb_ledger *ledger;
    struct ledger *port;
};

/* A person's word for the next openings. */
static enum ledger_adoption adoption;

/* The next openings for writing make no ledger. */
static bool must_be_known;

static inline enum err_code try_open(struct opened *opened, const char *base_url, bool write,
                                     size_t map_bytes, struct err *err)
{
    struct lmdb_ledger_options options = {.spec_name = "catalog",
                                          .base_url = base_url,
                                          .write = write,
                                          .is_known = must_be_known,
                                          .adoption = adoption,
                                          .map_bytes = map_bytes};
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

static inline void must(enum err_code code, const struct err *err)
{
    if (code != ERR_OK)
        fail_msg("%d: %s", (int)code, err->text);
}

static inline struct opened open_with(bool write, size_t map_bytes)
{
    struct opened opened;
    struct err err = {0};

    must(try_open(&opened, BASE_URL, write, map_bytes, &err), &err);
    return opened;
}

static inline struct opened open_ledger(void)
{
    return open_with(true, 0);
}

static inline void close_ledger(struct opened *opened)
{
    lmdb_ledger_close(opened->ledger);
    state_directory_close(&opened->directory);
}

static inline uint64_t commit(struct ledger *port)
{
    uint64_t sequence = 0, durable = 0;
    struct err err = {0};

    must(port->ops->commit_begin(port, &sequence, &err), &err);
    must(port->ops->commit_poll(port, true, &durable, &err), &err);
    assert_int_equal(durable, sequence);
    return sequence;
}

static inline uint64_t add(struct ledger *port, uint32_t job, uint32_t connection, const char *key,
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

static inline struct item read_item(struct ledger *port, uint64_t number)
{
    struct item item;
    struct err err = {0};

    memset(&item, 0xff, sizeof item);
    must(port->ops->read_item(port, number, &item, &err), &err);
    return item;
}

static inline void move_item(struct ledger *port, uint64_t number, struct item *item,
                             enum item_state state)
{
    struct item before = *item;
    struct err err = {0};

    item->state = state;
    must(port->ops->put_item(port, number, &before, item, &err), &err);
}

static inline uint64_t count_of(struct ledger *port, uint32_t job, uint32_t connection,
                                enum item_state state)
{
    struct item_counts counts;
    struct err err = {0};

    must(port->ops->counts(port, job, connection, &counts, &err), &err);
    return counts.by_state[state];
}

static inline void make_one_item(void)
{
    struct opened opened = open_ledger();

    add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    close_ledger(&opened);
}

static inline struct err open_fails(const char *base_url, bool write, enum err_code code)
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

#endif
