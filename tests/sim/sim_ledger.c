/* The ledger in memory: durable values, one closing batch, one open batch. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/mem.h"
#include "sim.h"

enum { REQUEST_BYTES_MAX = 4096 };

static struct sim_ledger *of(struct ledger *self)
{
    return (struct sim_ledger *)self;
}

struct frozen_request sim_request(const struct sim_item *item, uint32_t epoch, struct buf *storage)
{
    struct frozen_request request = {.job = item->job,
                                     .connection = item->connection,
                                     .method = item->keyed ? METHOD_POST : METHOD_PATCH,
                                     .source_line = (uint32_t)item->number,
                                     .generation = 1};
    size_t path_end, body_end;

    buf_init(storage, REQUEST_BYTES_MAX);
    buf_append_format(storage, item->keyed ? "/products" : "/products/%s", item->key);
    path_end = storage->length;
    buf_append_format(storage, "{%s\"product\":{\"name\":\"%s\",\"epoch\":%u}}",
                      item->keyed ? "\"response_mode\":\"async\"," : "", item->key, epoch);
    body_end = storage->length;
    buf_append_text(storage, item->key);
    if (storage->failed != ERR_OK)
        return request;
    request.path = (struct slice){storage->bytes, path_end};
    request.body = (struct slice){storage->bytes + path_end, body_end - path_end};
    request.key = (struct slice){storage->bytes + body_end, storage->length - body_end};
    return request;
}

/* --- batches --- */

static bool append(struct sim_ledger *ledger, const struct sim_entry *entry)
{
    struct sim_batch *batch = &ledger->open;

    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity == 0 ? 64 : batch->capacity * 2;
        struct sim_entry *grown = mem_resize(batch->entries, capacity, sizeof *grown);

        if (grown == NULL)
            return false;
        batch->entries = grown;
        batch->capacity = capacity;
    }
    batch->entries[batch->count++] = *entry;
    return true;
}

static void apply(struct sim_ledger *ledger, struct sim_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct sim_entry *entry = &batch->entries[i];
        struct sim_stored *stored = &ledger->durable[entry->number];

        switch (entry->kind) {
        case WRITE_ITEM:
            stored->item = entry->item;
            stored->damaged = false;
            if (entry->item.state == ITEM_READY)
                stored->has_result = false;
            break;
        case WRITE_REQUEST:
            stored->epoch = entry->epoch;
            stored->request_generation = entry->generation;
            stored->is_draft = false;
            break;
        case WRITE_NEEDS:
            stored->needs = entry->needs;
            stored->has_needs = true;
            stored->needs_damaged = false;
            stored->is_draft = entry->needs.draft.length > 0;
            break;
        case WRITE_RESULT:
            stored->has_result = true;
            break;
        case WRITE_PROOF:
            ledger->proven = true;
            break;
        case WRITE_ATTEMPT:
            break;
        }
    }
    batch->count = 0;
}

static void apply_closing(struct sim_ledger *ledger)
{
    apply(ledger, &ledger->closing);
    ledger->durable_sequence = ledger->sequence;
    ledger->closing_done_ms = SIM_NEVER;
}

void sim_ledger_advance(struct sim_ledger *ledger)
{
    if (ledger->closing_done_ms <= ledger->sim->now_ms)
        apply_closing(ledger);
}

static void forget_batches(struct sim_ledger *ledger)
{
    ledger->open.count = 0;
    ledger->closing.count = 0;
    ledger->closing_done_ms = SIM_NEVER;
    ledger->failed = false;
    /* A new process opens the ledger and counts its batches from one. */
    ledger->sequence = 0;
    ledger->durable_sequence = 0;
    for (uint64_t number = 1; number <= ledger->count; number++)
        ledger->newest[number] = ledger->durable[number].item.state;
}

void sim_ledger_crash(struct sim_ledger *ledger)
{
    sim_ledger_advance(ledger);
    if (ledger->closing_done_ms != SIM_NEVER && rng_below(&ledger->sim->rng, 2) == 0)
        apply_closing(ledger);
    forget_batches(ledger);
}

/* --- reading: what is durable --- */

static void read_stored(const struct sim_ledger *ledger, uint64_t number, struct item *item_out)
{
    const struct sim_stored *stored = &ledger->durable[number];

    *item_out = stored->item;
    if (!stored->damaged)
        return;
    *item_out = item_new(stored->item.job, stored->item.connection, (struct hash128){0}, 0);
    item_out->state = ITEM_IN_DOUBT;
    item_out->reason = REASON_RECORD_DAMAGED;
    item_out->generation = stored->request_generation + DAMAGED_GENERATION_STEP;
    item_out->has_needs = item_out->has_dependents = true;
}

static enum err_code read_item(struct ledger *self, uint64_t number, struct item *item_out,
                               struct err *err)
{
    (void)err;
    if (number == 0 || number > of(self)->count)
        return ERR_NOT_FOUND;
    read_stored(of(self), number, item_out);
    return ERR_OK;
}

static enum err_code read_request(struct ledger *self, uint64_t number, struct buf *storage,
                                  struct frozen_request *request_out, struct err *err)
{
    struct sim_ledger *ledger = of(self);

    if (number == 0 || number > ledger->count)
        return ERR_NOT_FOUND;
    buf_deinit(storage);
    *request_out = sim_request(&ledger->sim->items[number], ledger->durable[number].epoch, storage);
    request_out->generation = ledger->durable[number].request_generation;
    if (ledger->durable[number].is_draft)
        request_out->path = request_out->body = SLICE("");
    return storage->failed == ERR_OK ? ERR_OK
                                     : err_set(err, ERR_NO_MEMORY, "no memory for the request");
}

static enum err_code next_item(struct ledger *self, uint64_t after, uint64_t *number_out,
                               struct item *item_out, struct err *err)
{
    (void)err;
    if (after >= of(self)->count)
        return ERR_NOT_FOUND;
    *number_out = after + 1;
    read_stored(of(self), after + 1, item_out);
    return ERR_OK;
}

static enum err_code next_ready(struct ledger *self, uint32_t connection, uint64_t after,
                                uint64_t *number_out, struct item *item_out, struct err *err)
{
    struct sim_ledger *ledger = of(self);

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        const struct item *item = &ledger->durable[number].item;

        if (item->state == ITEM_READY && item->connection == connection) {
            *number_out = number;
            read_stored(ledger, number, item_out);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err_code next_active(struct ledger *self, uint64_t after, uint64_t *number_out,
                                 struct item *item_out, struct err *err)
{
    struct sim_ledger *ledger = of(self);

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        if (item_state_is_active(ledger->durable[number].item.state)) {
            *number_out = number;
            read_stored(ledger, number, item_out);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err_code read_needs(struct ledger *self, uint64_t number, struct buf *storage,
                                struct needs_record *needs_out, struct err *err)
{
    const struct sim_stored *stored = &of(self)->durable[number];

    (void)storage;
    if (!stored->has_needs)
        return ERR_NOT_FOUND;
    if (stored->needs_damaged)
        return err_set(err, ERR_DAMAGED, "what an item needs is damaged");
    *needs_out = stored->needs;
    return ERR_OK;
}

static enum err_code next_blocked(struct ledger *self, enum wait_kind kind, uint64_t target,
                                  uint64_t after, uint64_t *number_out, struct item *item_out,
                                  struct err *err)
{
    struct sim_ledger *ledger = of(self);

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        const struct item *item = &ledger->durable[number].item;

        if (item->state == ITEM_BLOCKED && item->waits_on == kind && item->waits_for == target) {
            *number_out = number;
            read_stored(ledger, number, item_out);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err_code next_release(struct ledger *self, uint64_t after, uint64_t *number_out,
                                  struct item *item_out, struct err *err)
{
    struct sim_ledger *ledger = of(self);

    (void)err;
    for (uint64_t number = after + 1; number <= ledger->count; number++) {
        if (ledger->durable[number].item.release_due) {
            *number_out = number;
            read_stored(ledger, number, item_out);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum err_code counts(struct ledger *self, uint32_t job, uint32_t connection,
                            struct item_counts *counts_out, struct err *err)
{
    struct sim_ledger *ledger = of(self);

    (void)err;
    *counts_out = (struct item_counts){0};
    for (uint64_t number = 1; number <= ledger->count; number++) {
        const struct item *item = &ledger->durable[number].item;

        if ((job == UINT32_MAX || item->job == job) &&
            (connection == UINT32_MAX || item->connection == connection))
            counts_out->by_state[item->state]++;
    }
    return ERR_OK;
}

static const char *job_name(struct ledger *self, uint32_t job)
{
    return job < SIM_JOB_KINDS ? of(self)->sim->jobs[job].name : NULL;
}

static const char *connection_name(struct ledger *self, uint32_t connection)
{
    return connection < SIM_CONNECTIONS_MAX ? of(self)->sim->connections[connection].alias : NULL;
}

/* --- writing --- */

static enum err_code write_entry(struct ledger *self, const struct sim_entry *entry,
                                 struct err *err)
{
    struct sim_ledger *ledger = of(self);

    if (ledger->failed)
        return err_set(err, ERR_STORAGE, "the ledger has failed before");
    assert(entry->kind == WRITE_PROOF || (entry->number >= 1 && entry->number <= ledger->count));
    if (append(ledger, entry))
        return ERR_OK;
    ledger->failed = true;
    return err_set(err, ERR_NO_MEMORY, "no memory for the batch");
}

static enum err_code put_item(struct ledger *self, uint64_t number, const struct item *before,
                              const struct item *item, struct err *err)
{
    struct sim_ledger *ledger = of(self);
    enum err_code code = write_entry(
        self, &(struct sim_entry){.kind = WRITE_ITEM, .number = number, .item = *item}, err);

    if (code != ERR_OK)
        return code;
    if (before->state != ledger->newest[number] && before->reason != REASON_RECORD_DAMAGED)
        sim_fail(ledger->sim, "item %u was put from %s but is %s", (unsigned)number,
                 item_state_name(before->state), item_state_name(ledger->newest[number]));
    ledger->newest[number] = item->state;
    if (before->reason == REASON_RECORD_DAMAGED && item->reason == REASON_RECORD_DAMAGED)
        ledger->sim->run_ends[ITEM_IN_DOUBT]++; /* no step: nothing is known of it */
    return ERR_OK;
}

static enum err_code put_request(struct ledger *self, uint64_t number,
                                 const struct frozen_request *request, struct err *err)
{
    return write_entry(self,
                       &(struct sim_entry){.kind = WRITE_REQUEST,
                                           .number = number,
                                           .epoch = of(self)->sim->items[number].epoch,
                                           .generation = request->generation},
                       err);
}

static enum err_code put_needs(struct ledger *self, uint64_t number,
                               const struct needs_record *needs, struct err *err)
{
    struct sim *sim = of(self)->sim;
    bool has_order = false;

    for (size_t i = 0; i < needs->need_count; i++)
        has_order |= needs->needs[i].ordering;
    if (sim->person_acts_on == 0 && !has_order)
        sim_judge_order(sim, &sim->items[number]);
    return write_entry(
        self, &(struct sim_entry){.kind = WRITE_NEEDS, .number = number, .needs = *needs}, err);
}

static enum err_code put_result(struct ledger *self, uint64_t number,
                                const struct result_record *result, struct err *err)
{
    (void)result;
    return write_entry(self, &(struct sim_entry){.kind = WRITE_RESULT, .number = number}, err);
}

static enum err_code put_attempt(struct ledger *self, uint64_t number,
                                 const struct attempt_record *attempt, struct err *err)
{
    (void)attempt;
    return write_entry(self, &(struct sim_entry){.kind = WRITE_ATTEMPT, .number = number}, err);
}

static const char *proven_operation(struct ledger *self, uint32_t number)
{
    return number == 0 && of(self)->proven ? "POST /products" : NULL;
}

static enum err_code put_proven_operation(struct ledger *self, const char *operation,
                                          struct err *err)
{
    if (strcmp(operation, "POST /products") != 0)
        sim_fail(of(self)->sim, "%s was never proven", operation);
    return write_entry(self, &(struct sim_entry){.kind = WRITE_PROOF}, err);
}

static size_t batch_bytes(struct ledger *self)
{
    return of(self)->open.count * 100;
}

static enum err_code died(struct sim_ledger *ledger, struct err *err)
{
    ledger->failed = true;
    return err_set(err, ERR_STORAGE, "the process dies here");
}

static enum err_code commit_begin(struct ledger *self, uint64_t *sequence_out, struct err *err)
{
    struct sim_ledger *ledger = of(self);
    struct sim_batch closing = ledger->closing;

    if (ledger->failed)
        return err_set(err, ERR_STORAGE, "the ledger has failed before");
    if (ledger->closing_done_ms != SIM_NEVER)
        sim_fail(ledger->sim, "a commit was begun while one was running");
    if (sim_crash_point(ledger->sim, "before a commit"))
        return died(ledger, err);
    ledger->closing = ledger->open;
    ledger->open = closing;
    ledger->open.count = 0;
    ledger->closing_done_ms =
        ledger->sim->now_ms + sim_draw_ms(ledger->sim, 0, ledger->sim->limits.commit_ms);
    *sequence_out = ++ledger->sequence;
    if (sim_crash_point(ledger->sim, "during a commit"))
        return died(ledger, err);
    return ERR_OK;
}

static enum err_code commit_poll(struct ledger *self, bool wait, uint64_t *durable_out,
                                 struct err *err)
{
    struct sim_ledger *ledger = of(self);

    if (ledger->failed)
        return err_set(err, ERR_STORAGE, "the ledger has failed before");
    if (wait && ledger->closing_done_ms != SIM_NEVER)
        apply_closing(ledger);
    sim_ledger_advance(ledger);
    if (ledger->closing_done_ms == SIM_NEVER && sim_crash_point(ledger->sim, "after a commit"))
        return died(ledger, err);
    *durable_out = ledger->durable_sequence;
    return ERR_OK;
}

/* The engine and the persons of the simulation use no others. */
static const struct ledger_ops ops = {.read_item = read_item,
                                      .read_request = read_request,
                                      .read_needs = read_needs,
                                      .next_blocked = next_blocked,
                                      .next_release = next_release,
                                      .counts = counts,
                                      .put_needs = put_needs,
                                      .next_item = next_item,
                                      .next_ready = next_ready,
                                      .next_active = next_active,
                                      .job_name = job_name,
                                      .connection_name = connection_name,
                                      .proven_operation = proven_operation,
                                      .put_proven_operation = put_proven_operation,
                                      .put_item = put_item,
                                      .put_request = put_request,
                                      .put_result = put_result,
                                      .put_attempt = put_attempt,
                                      .batch_bytes = batch_bytes,
                                      .commit_begin = commit_begin,
                                      .commit_poll = commit_poll};

void sim_ledger_init(struct sim_ledger *ledger, struct sim *sim)
{
    struct sim_batch open = ledger->open, closing = ledger->closing;

    *ledger = (struct sim_ledger){.base.ops = &ops, .sim = sim, .closing_done_ms = SIM_NEVER};
    ledger->open = open;
    ledger->closing = closing;
    ledger->open.count = 0;
    ledger->closing.count = 0;
}

void sim_ledger_deinit(struct sim_ledger *ledger)
{
    mem_free(ledger->open.entries);
    mem_free(ledger->closing.entries);
    ledger->open = (struct sim_batch){0};
    ledger->closing = (struct sim_batch){0};
}

uint64_t sim_ledger_add(struct sim_ledger *ledger, const struct item *item)
{
    uint64_t number = ++ledger->count;

    assert(number <= SIM_ITEMS_MAX);
    ledger->durable[number] = (struct sim_stored){.item = *item, .request_generation = 1};
    ledger->newest[number] = item->state;
    return number;
}

void sim_ledger_commit(struct sim_ledger *ledger)
{
    uint64_t sequence = 0, durable = 0;
    struct err err = {0};

    if (batch_bytes(&ledger->base) == 0)
        return;
    if (commit_begin(&ledger->base, &sequence, &err) != ERR_OK ||
        commit_poll(&ledger->base, true, &durable, &err) != ERR_OK || durable != sequence)
        sim_fail(ledger->sim, "a commit between two runs failed: %s", err.text);
}
