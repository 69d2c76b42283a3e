/* A ledger with one of each that it can hold, and a reading of each. */
#ifndef PURSER_TESTS_LEDGER_OF_EACH_H
#define PURSER_TESTS_LEDGER_OF_EACH_H

#include <sys/stat.h>

#include "ledger_fixture.h"

static const struct hash128 group = {.high = 3, .low = 4};

typedef enum err_code writing(struct ledger *port, struct err *err);

static inline enum err_code put_run(struct ledger *port, struct err *err)
{
    struct run_record run = {.started_ms = 5};

    return port->ops->put_run(port, 1, &run, err);
}

static inline enum err_code put_result(struct ledger *port, struct err *err)
{
    struct result_record result = {.http_status = 200, .body = SLICE("{}")};

    return port->ops->put_result(port, 1, &result, err);
}

static inline enum err_code put_attempt(struct ledger *port, struct err *err)
{
    struct attempt_record attempt = {.generation = 1, .http_status = 200};

    return port->ops->put_attempt(port, 1, &attempt, err);
}

static inline enum err_code put_connection(struct ledger *port, struct err *err)
{
    struct connection_record learned = {.learned_in_flight = 3};

    return port->ops->put_connection(port, 0, &learned, err);
}

static inline enum err_code put_needs(struct ledger *port, struct err *err)
{
    struct needs_record needs = {.needs = {{.kind = WAIT_ITEM, .target = 1, .name = SLICE("p")}},
                                 .need_count = 1,
                                 .draft = SLICE("{}")};

    return port->ops->put_needs(port, 3, &needs, err);
}

static inline enum err_code put_group(struct ledger *port, struct err *err)
{
    return port->ops->put_group(port, 0, 0, group, 2, err);
}

static inline enum err_code put_schedule(struct ledger *port, struct err *err)
{
    struct schedule_record schedule = {.since_s = 1, .until_s = 2};

    return port->ops->put_schedule(port, &schedule, err);
}

static inline enum err_code put_slot(struct ledger *port, struct err *err)
{
    struct slot_record slot = {.last_s = 9, .count = 1, .fate = SLOT_RAN};

    return port->ops->put_slot(port, 9, &slot, err);
}

static inline enum err_code put_proven(struct ledger *port, struct err *err)
{
    return port->ops->put_proven_operation(port, "POST /products", err);
}

static writing *const record_writings[] = {put_run,        put_result, put_attempt,
                                           put_connection, put_needs,  put_group,
                                           put_schedule,   put_slot,   put_proven};

static inline void put_records(struct ledger *port)
{
    struct err err = {0};

    for (size_t i = 0; i < sizeof record_writings / sizeof record_writings[0]; i++)
        must(record_writings[i](port, &err), &err);
}

static inline void make_one_of_each(void)
{
    struct opened opened = open_ledger();
    struct ledger *port = opened.port;
    struct err err = {0};
    struct item item;
    uint32_t number;

    must(port->ops->job_number(port, "products", &number, &err), &err);
    must(port->ops->connection_number(port, "shop", &number, &err), &err);
    add(port, 0, 0, "over", ITEM_READY, SLICE("{}"));
    add(port, 0, 0, "sending", ITEM_SENDING, SLICE("{}"));
    add(port, 0, 0, "blocked", ITEM_BLOCKED, SLICE("{}"));
    add(port, 0, 0, "ready", ITEM_READY, SLICE("{}"));
    put_records(port);
    commit(port);
    item = read_item(port, 1);
    item.release_due = true;
    move_item(port, 1, &item, ITEM_SUCCEEDED);
    commit(port);
    close_ledger(&opened);
}

static struct buf storage;
static struct item item_read;

#define READING(name, call)                                         \
    static enum err_code name(struct ledger *port, struct err *err) \
    {                                                               \
        uint64_t number = 0;                                        \
        enum err_code code = port->ops->call;                       \
                                                                    \
        (void)number;                                               \
        return code;                                                \
    }

static struct frozen_request request_read;
static struct needs_record needs_read;
static struct result_record result_read;
static struct attempt_record attempt_read;
static struct item_counts counts_read;
static struct run_record run_read;
static struct connection_record connection_read;
static struct schedule_record schedule_read;
static struct slot_record slot_read;
static int64_t slot_s;

READING(find, find(port, 0, 0, SLICE("ready"), &number, err))
READING(read_one, read_item(port, 1, &item_read, err))
READING(read_request, read_request(port, 1, &storage, &request_read, err))
READING(read_needs, read_needs(port, 3, &storage, &needs_read, err))
READING(read_result, read_result(port, 1, &storage, &result_read, err))
READING(read_attempt, read_attempt(port, 1, 0, &storage, &attempt_read, err))
READING(next_item, next_item(port, 0, &number, &item_read, err))
READING(next_ready, next_ready(port, 0, 0, &number, &item_read, err))
READING(next_active, next_active(port, 0, &number, &item_read, err))
READING(next_blocked, next_blocked(port, WAIT_NONE, 0, 0, &number, &item_read, err))
READING(next_release, next_release(port, 0, &number, &item_read, err))
READING(find_group, find_group(port, 0, 0, group, &number, err))
READING(counts, counts(port, UINT32_MAX, UINT32_MAX, &counts_read, err))
READING(counts_of_job, counts(port, 0, UINT32_MAX, &counts_read, err))
READING(read_run, read_run(port, 1, &run_read, err))
READING(read_connection, read_connection(port, 0, &storage, &connection_read, err))
READING(read_schedule, read_schedule(port, &schedule_read, err))
READING(slot_before, slot_before(port, 100, &slot_s, &slot_read, err))

typedef enum err_code reading(struct ledger *port, struct err *err);

static reading *const readings[] = {
    find,      read_one,      read_request, read_needs,      read_result,   read_attempt,
    next_item, next_ready,    next_active,  next_blocked,    next_release,  find_group,
    counts,    counts_of_job, read_run,     read_connection, read_schedule, slot_before,
};

#endif
