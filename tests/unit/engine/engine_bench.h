/* An engine on a bench: a ledger of arrays and a network for which the test answers. Time goes by
 * only when the test says so. */
#ifndef ENGINE_BENCH_H
#define ENGINE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/core/key.h"
#include "purser/engine/engine.h"

enum { ITEMS_MAX = 64, STARTS_MAX = 256, WALL_MS = 1000000000, BOOT_MS = 5000 };

/* --- a ledger of arrays --- */

struct fake_ledger {
    struct ledger base;
    struct item durable[ITEMS_MAX + 1], closing[ITEMS_MAX + 1], newest[ITEMS_MAX + 1];
    uint32_t job_of[ITEMS_MAX + 1];
    uint64_t count, sequence, durable_sequence;
    size_t open_count;
    bool damaged[ITEMS_MAX + 1], request_damaged[ITEMS_MAX + 1];
    bool holds;                         /* batches become durable only when the test says so */
    bool fails;                         /* commits fail */
    bool changes;                       /* frozen requests are not what they were */
    char proven[64], newest_proven[64]; /* operation; "" = none */
    struct needs_record durable_needs[ITEMS_MAX + 1], newest_needs[ITEMS_MAX + 1];
    bool has_needs[ITEMS_MAX + 1], needs_damaged[ITEMS_MAX + 1];
    char body[ITEMS_MAX + 1][64]; /* that was frozen by the engine; "" = as it was */
    char problem[ITEMS_MAX + 1][64];
};

static inline enum err_code read_request(struct ledger *self, uint64_t number, struct buf *storage,
                                         struct frozen_request *request_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    if (ledger->request_damaged[number])
        return err_set(err, ERR_DAMAGED, "the request is damaged");
    buf_clear(storage);
    buf_append_format(storage, "k%u", (unsigned)number);
    *request_out = (struct frozen_request){
        .method = ledger->job_of[number] == 0 ? METHOD_POST : METHOD_PATCH,
        .path = ledger->job_of[number] == 0 ? SLICE("/products") : SLICE("/products/1"),
        .body = ledger->changes                   ? SLICE("{\"product\":{\"price\":1}}")
                : ledger->body[number][0] != '\0' ? slice_of(ledger->body[number])
                                                  : SLICE("{\"product\":{}}"),
        .key = {storage->bytes, storage->length}};
    return ERR_OK;
}

static inline void give_item(const struct fake_ledger *ledger, uint64_t number,
                             struct item *item_out)
{
    *item_out = ledger->durable[number];
    if (ledger->damaged[number]) {
        item_out->state = ITEM_IN_DOUBT;
        item_out->reason = REASON_RECORD_DAMAGED;
    }
}

static inline enum err_code next_ready(struct ledger *self, uint32_t connection, uint64_t after,
                                       uint64_t *number_out, struct item *item_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        if (ledger->durable[number].state != ITEM_READY ||
            ledger->durable[number].connection != connection)
            continue;
        *number_out = number;
        give_item(ledger, number, item_out);
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

static inline enum err_code next_active(struct ledger *self, uint64_t after, uint64_t *number_out,
                                        struct item *item_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        if (!item_state_is_active(ledger->durable[number].state))
            continue;
        *number_out = number;
        give_item(ledger, number, item_out);
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

static inline enum err_code read_item(struct ledger *self, uint64_t number, struct item *item_out,
                                      struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    if (number == 0 || number > ledger->count)
        return ERR_NOT_FOUND;
    give_item(ledger, number, item_out);
    return ERR_OK;
}

static inline enum err_code next_blocked(struct ledger *self, enum wait_kind kind, uint64_t target,
                                         uint64_t after, uint64_t *number_out,
                                         struct item *item_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        const struct item *item = &ledger->durable[number];

        if (item->state != ITEM_BLOCKED || item->waits_on != kind || item->waits_for != target)
            continue;
        *number_out = number;
        give_item(ledger, number, item_out);
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

static inline enum err_code next_release(struct ledger *self, uint64_t after, uint64_t *number_out,
                                         struct item *item_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        if (!ledger->durable[number].release_due)
            continue;
        *number_out = number;
        give_item(ledger, number, item_out);
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

static inline enum err_code read_needs(struct ledger *self, uint64_t number, struct buf *storage,
                                       struct needs_record *needs_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)storage;
    if (!ledger->has_needs[number])
        return ERR_NOT_FOUND;
    if (ledger->needs_damaged[number])
        return err_set(err, ERR_DAMAGED, "damaged");
    *needs_out = ledger->durable_needs[number];
    return ERR_OK;
}

static inline enum err_code put_needs(struct ledger *self, uint64_t number,
                                      const struct needs_record *needs, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    ledger->newest_needs[number] = *needs;
    ledger->open_count++;
    return ERR_OK;
}

static inline enum err_code put_request(struct ledger *self, uint64_t number,
                                        const struct frozen_request *request, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    (void)snprintf(ledger->body[number], sizeof ledger->body[number], "%.*s",
                   (int)request->body.length, request->body.bytes);
    ledger->open_count++;
    return ERR_OK;
}

static inline enum err_code counts(struct ledger *self, uint32_t job, uint32_t connection,
                                   struct item_counts *counts_out, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    *counts_out = (struct item_counts){0};
    for (uint64_t number = 1; number <= ledger->count; number++) {
        const struct item *item = &ledger->durable[number];

        if ((job == UINT32_MAX || item->job == job) &&
            (connection == UINT32_MAX || item->connection == connection))
            counts_out->by_state[item->state]++;
    }
    return ERR_OK;
}

static inline const char *job_name(struct ledger *self, uint32_t job)
{
    static const char *const names[] = {"create", "update", "of another run"};

    (void)self;
    return job < 3 ? names[job] : NULL;
}

static inline enum err_code put_item(struct ledger *self, uint64_t number,
                                     const struct item *before, const struct item *item,
                                     struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    if (!ledger->damaged[number])
        assert_int_equal(before->state, ledger->newest[number].state);
    ledger->damaged[number] = false;
    ledger->newest[number] = *item;
    ledger->open_count++;
    return ERR_OK;
}

static inline enum err_code put_result(struct ledger *self, uint64_t number,
                                       const struct result_record *result, struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    (void)snprintf(ledger->problem[number], sizeof ledger->problem[number], "%.*s",
                   (int)result->message.length,
                   result->message.bytes == NULL ? "" : result->message.bytes);
    ledger->open_count++;
    return ERR_OK;
}

static inline enum err_code put_attempt(struct ledger *self, uint64_t number,
                                        const struct attempt_record *attempt, struct err *err)
{
    (void)number;
    (void)attempt;
    (void)err;
    ((struct fake_ledger *)self)->open_count++;
    return ERR_OK;
}

static inline const char *proven_operation(struct ledger *self, uint32_t number)
{
    const struct fake_ledger *ledger = (struct fake_ledger *)self;

    return number == 0 && ledger->proven[0] != '\0' ? ledger->proven : NULL;
}

static inline enum err_code put_proven_operation(struct ledger *self, const char *operation,
                                                 struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    (void)err;
    (void)snprintf(ledger->newest_proven, sizeof ledger->newest_proven, "%s", operation);
    ledger->open_count++;
    return ERR_OK;
}

static inline size_t batch_bytes(struct ledger *self)
{
    return ((struct fake_ledger *)self)->open_count * 100;
}

static inline void make_durable(struct fake_ledger *ledger)
{
    memcpy(ledger->durable, ledger->newest, sizeof ledger->durable);
    memcpy(ledger->proven, ledger->newest_proven, sizeof ledger->proven);
    memcpy(ledger->durable_needs, ledger->newest_needs, sizeof ledger->durable_needs);
    ledger->durable_sequence = ledger->sequence;
}

/* The batch that was closed last, and nothing of the open one. */
static inline void make_closed_durable(struct fake_ledger *ledger)
{
    memcpy(ledger->durable, ledger->closing, sizeof ledger->durable);
    ledger->durable_sequence = ledger->sequence;
}

static inline enum err_code commit_begin(struct ledger *self, uint64_t *sequence_out,
                                         struct err *err)
{
    struct fake_ledger *ledger = (struct fake_ledger *)self;

    if (ledger->fails)
        return err_set(err, ERR_STORAGE, "the disk is full");
    ledger->open_count = 0;
    memcpy(ledger->closing, ledger->newest, sizeof ledger->closing);
    *sequence_out = ++ledger->sequence;
    if (!ledger->holds)
        make_durable(ledger);
    return ERR_OK;
}

static inline enum err_code commit_poll(struct ledger *self, bool wait, uint64_t *durable_out,
                                        struct err *err)
{
    (void)wait;
    (void)err;
    *durable_out = ((struct fake_ledger *)self)->durable_sequence;
    return ERR_OK;
}

static const struct ledger_ops ledger_ops = {.read_item = read_item,
                                             .read_needs = read_needs,
                                             .next_blocked = next_blocked,
                                             .next_release = next_release,
                                             .counts = counts,
                                             .job_name = job_name,
                                             .put_needs = put_needs,
                                             .put_request = put_request,
                                             .read_request = read_request,
                                             .next_ready = next_ready,
                                             .next_active = next_active,
                                             .proven_operation = proven_operation,
                                             .put_proven_operation = put_proven_operation,
                                             .put_item = put_item,
                                             .put_result = put_result,
                                             .put_attempt = put_attempt,
                                             .batch_bytes = batch_bytes,
                                             .commit_begin = commit_begin,
                                             .commit_poll = commit_poll};

/* --- a network that the test answers for --- */

struct started {
    uint64_t tag;
    enum http_method method;
    uint32_t connection;
    char path[64], body[64], key[KEY_TEXT_BYTES], remote_job[32];
    bool at_most_once, answered;
};

struct fake_transport {
    struct transport base;
    struct started starts[STARTS_MAX];
    size_t count;
    struct reply replies[STARTS_MAX];
    size_t reply_count, reply_taken;
    enum err_code refuses; /* start gives this */
    bool abandoned;
};

static inline enum err_code start(struct transport *self, const struct transfer_request *request,
                                  struct err *err)
{
    struct fake_transport *transport = (struct fake_transport *)self;
    struct started *started = &transport->starts[transport->count];

    if (transport->refuses != ERR_OK)
        return err_set(err, transport->refuses, "not a URL");
    assert_true(transport->count < STARTS_MAX);
    *started = (struct started){.tag = request->tag,
                                .method = request->method,
                                .connection = request->connection,
                                .at_most_once = request->at_most_once};
    (void)snprintf(started->path, sizeof started->path, "%.*s", (int)request->path.length,
                   request->path.bytes == NULL ? "" : request->path.bytes);
    (void)snprintf(started->body, sizeof started->body, "%.*s", (int)request->body.length,
                   request->body.bytes == NULL ? "" : request->body.bytes);
    if (request->idempotency_key != NULL)
        (void)snprintf(started->key, sizeof started->key, "%s", request->idempotency_key);
    if (request->remote_job != NULL)
        (void)snprintf(started->remote_job, sizeof started->remote_job, "%s", request->remote_job);
    transport->count++;
    return ERR_OK;
}

static inline bool take(struct transport *self, struct reply *reply_out)
{
    struct fake_transport *transport = (struct fake_transport *)self;

    if (transport->reply_taken == transport->reply_count)
        return false;
    *reply_out = transport->replies[transport->reply_taken++];
    return true;
}

static inline void abandon(struct transport *self)
{
    ((struct fake_transport *)self)->abandoned = true;
}

static const struct transport_ops transport_ops = {
    .start = start, .take = take, .abandon = abandon};

/* --- the bench --- */

struct bench {
    struct fake_ledger ledger;
    struct fake_transport transport;
    struct engine_connection connections[2];
    struct engine_job jobs[2];
    struct engine_options options;
    struct engine *engine;
    int64_t boot_ms, wake_ms;
    int64_t clock_set_ms; /* by so much somebody has set the local clock */
    struct err err;
};

static struct bench bench;

static inline void set_up_bench(void)
{
    struct policy policy = {.attempt_limit = 5,
                            .rekey_limit = 2,
                            .first_delay_ms = 1000,
                            .max_delay_ms = 1000,
                            .key_window_ms = 3600000,
                            .missing_limit = 3,
                            .missing_for_ms = 1000};

    memset(&bench, 0, sizeof bench);
    bench.ledger.base.ops = &ledger_ops;
    bench.transport.base.ops = &transport_ops;
    bench.boot_ms = BOOT_MS;
    for (uint32_t i = 0; i < 2; i++)
        bench.connections[i] = (struct engine_connection){
            .alias = i == 0 ? "north" : "south", .number = i, .pace = {.burst = 1}, .in_flight = 2};
    bench.jobs[0] =
        (struct engine_job){.name = "create",
                            .number = 0,
                            .operation = operation_find(METHOD_POST, SLICE("/products")),
                            .repeat = REPEAT_BY_KEY,
                            .policy = policy,
                            .failures_max = UINT64_MAX};
    bench.jobs[1] =
        (struct engine_job){.name = "update",
                            .number = 1,
                            .operation = operation_find(METHOD_PATCH, SLICE("/products/1")),
                            .repeat = REPEAT_NEVER,
                            .policy = policy,
                            .failures_max = UINT64_MAX};
    bench.options = (struct engine_options){.spec_name = "catalogue",
                                            .base_origin = "https://api.invalid:443",
                                            .connections = bench.connections,
                                            .connection_count = 2,
                                            .jobs = bench.jobs,
                                            .job_count = 2,
                                            .pace = {.burst = 1},
                                            .in_flight = 8,
                                            .outstanding = 12,
                                            .failures_max = UINT64_MAX,
                                            .item_limit = UINT64_MAX,
                                            .timeout_ms = 60000,
                                            .unreachable_ms = 300000,
                                            .seed = 1};
}

static inline struct engine_now now_of_bench(void)
{
    return (struct engine_now){.wall_ms = WALL_MS + bench.boot_ms + bench.clock_set_ms,
                               .boot_ms = bench.boot_ms};
}

static inline uint64_t add(uint32_t job, uint32_t connection, enum item_state state)
{
    uint64_t number = ++bench.ledger.count;
    struct hash128 hash =
        job == 0 ? request_hash(METHOD_POST, SLICE("/products"), SLICE("{\"product\":{}}"))
                 : request_hash(METHOD_PATCH, SLICE("/products/1"), SLICE("{\"product\":{}}"));
    struct item item = item_new(job, connection, hash, WALL_MS);

    assert_true(number <= ITEMS_MAX);
    item.state = state;
    if (state == ITEM_SENDING || state == ITEM_WAITING)
        item.intent_ms = WALL_MS + bench.boot_ms - 1000;
    if (state == ITEM_WAITING) {
        item.accepted = true;
        item.accepted_ms = WALL_MS + bench.boot_ms - 500;
        (void)snprintf(item.remote_job, sizeof item.remote_job, "job-%u", (unsigned)number);
    }
    bench.ledger.durable[number] = bench.ledger.newest[number] = item;
    bench.ledger.job_of[number] = job;
    return number;
}

static inline void open_engine(void)
{
    if (engine_new(&bench.options, &bench.ledger.base, &bench.transport.base, now_of_bench(),
                   &bench.engine, &bench.err) != ERR_OK)
        fail_msg("%s", bench.err.text);
}

static inline void turn(void)
{
    if (engine_turn(bench.engine, now_of_bench(), &bench.wake_ms, &bench.err) != ERR_OK)
        fail_msg("%s", bench.err.text);
}

static inline void turn_after(int64_t ms)
{
    bench.boot_ms += ms;
    turn();
}

/* Turns until nothing more is due now. */
static inline void settle(void)
{
    turn();
    for (int i = 0; i < 50 && bench.wake_ms <= bench.boot_ms; i++)
        turn();
    turn_after(50); /* a commit of what trickled in */
    for (int i = 0; i < 50 && bench.wake_ms <= bench.boot_ms; i++)
        turn();
}

static inline const struct engine_progress *progress(void)
{
    return engine_progress(bench.engine);
}

static inline void reply_to(size_t index, struct reply reply)
{
    assert_true(index < bench.transport.count && !bench.transport.starts[index].answered);
    bench.transport.starts[index].answered = true;
    reply.tag = bench.transport.starts[index].tag;
    if (reply.content_type == NULL)
        reply.content_type = "application/json";
    reply.request_id = "";
    reply.job_id = reply.job_id == NULL ? "" : reply.job_id;
    reply.retry_after = reply.retry_after == NULL ? "" : reply.retry_after;
    reply.date = reply.date == NULL ? "" : reply.date;
    bench.transport.replies[bench.transport.reply_count++] = reply;
}

static inline void answer(size_t index, int status, const char *body)
{
    reply_to(index, (struct reply){.http_status = status, .body = slice_of(body)});
}

static inline void accept(size_t index)
{
    answer(index, 200, "{\"async_response\":{\"id\":\"job-1\",\"status\":\"pending\"}}");
}

static inline void close_bench(void)
{
    engine_free(bench.engine);
    bench.engine = NULL;
    assert_int_equal(mem_test_live_count(), 0);
}

static inline int set_up(void **context)
{
    (void)context;
    set_up_bench();
    return 0;
}

/* The last start that waits for its answer, of this path or that polls this job. */
static inline size_t find_start(const char *path)
{
    for (size_t i = bench.transport.count; i > 0; i--)
        if (!bench.transport.starts[i - 1].answered &&
            strcmp(bench.transport.starts[i - 1].path, path) == 0)
            return i - 1;
    fail_msg("nothing was asked of %s", path);
    return 0;
}

static inline size_t count_starts(const char *path)
{
    size_t found = 0;

    for (size_t i = 0; i < bench.transport.count; i++)
        found += strcmp(bench.transport.starts[i].path, path) == 0;
    return found;
}

static inline size_t find_poll(const char *remote_job)
{
    for (size_t i = bench.transport.count; i > 0; i--)
        if (!bench.transport.starts[i - 1].answered &&
            strcmp(bench.transport.starts[i - 1].remote_job, remote_job) == 0)
            return i - 1;
    fail_msg("%s was not polled", remote_job);
    return 0;
}

#endif
