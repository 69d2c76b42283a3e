#include "purser/engine/engine.h"

#include <assert.h>
#include <string.h>

#include "engine_private.h"
#include "purser/base/mem.h"

enum {
    ANSWER_ARENA_BYTES = 64 * 1024 * 1024, /* values of the largest answer */
    LOOK_AHEAD_START = 2,                  /* times what may be on the wire */
    UNREACHABLE_AFTER = 3,                 /* exchanges in a row without an answer */
    STORAGE_BYTES = BODY_BYTES_MAX + PATH_BYTES_MAX + ITEM_KEY_BYTES_MAX + 4096,
};

static bool allocate_slots(struct engine *engine)
{
    uint32_t buckets = 1;

    while (buckets < engine->slot_count)
        buckets *= 2;
    engine->bucket_mask = buckets - 1;
    engine->slots = mem_new(engine->slot_count, sizeof *engine->slots);
    engine->buckets = mem_new(buckets, sizeof *engine->buckets);
    return engine->slots != NULL && engine->buckets != NULL &&
           heap_reserve(&engine->due, engine->slot_count) == ERR_OK;
}

static void init_slots(struct engine *engine)
{
    memset(engine->buckets, 0xff, (engine->bucket_mask + 1) * sizeof *engine->buckets);
    engine->free_slots = 0;
    engine->free_count = engine->slot_count;
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        engine->slots[i].next = i + 1 < engine->slot_count ? i + 1 : NO_SLOT;
        buf_init(&engine->slots[i].storage, STORAGE_BYTES);
    }
}

static void init_connections(struct engine *engine)
{
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct engine_connection *from = &engine->options.connections[i];
        struct connection *connection = &engine->connections[i];

        pace_init(&connection->pace, &from->pace, engine->now.boot_ms);
        window_init(&connection->window, from->in_flight);
        pace_recall(&connection->pace, from->learned_rate_millis);
        window_recall(&connection->window, from->learned_in_flight);
        connection->look_ahead = from->in_flight * LOOK_AHEAD_START;
        breaker_init(&connection->breaker);
    }
}

/* What was written before the engine came is durable first: from here on it counts batches itself.
 */
static enum err_code start_batches(struct engine *engine, struct err *err)
{
    struct ledger *ledger = engine->ledger;
    uint64_t sequence;

    if (ledger->ops->batch_bytes(ledger) > 0 &&
        ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    if (ledger->ops->commit_poll(ledger, true, &engine->batch_durable, err) != ERR_OK)
        return err->code;
    engine->batch_open = engine->batch_durable + 1;
    return ERR_OK;
}

static enum err_code count_blocked(struct engine *engine, struct err *err)
{
    struct item_counts counts;

    if (engine->ledger->ops->counts(engine->ledger, UINT32_MAX, UINT32_MAX, &counts, err) != ERR_OK)
        return err->code;
    engine->progress.blocked = counts.by_state[ITEM_BLOCKED];
    return ERR_OK;
}

enum err_code engine_new(const struct engine_options *options, struct ledger *ledger,
                         struct transport *transport, struct engine_now now,
                         struct engine **engine_out, struct err *err)
{
    struct engine *engine = mem_new(1, sizeof *engine);

    assert(options->in_flight >= 1 && options->in_flight <= IN_FLIGHT_MAX);
    assert(options->outstanding >= 1 && options->outstanding <= OUTSTANDING_MAX);
    if (engine == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the engine");
    engine->options = *options;
    engine->ledger = ledger;
    engine->transport = transport;
    engine->now = now;
    engine->slot_count = options->outstanding;
    engine->restarting = true;
    engine->answered_boot_ms = now.boot_ms;
    engine->drain_deadline_boot_ms = INT64_MAX;
    arena_init(&engine->arena, ANSWER_ARENA_BYTES);
    rng_init(&engine->rng, options->seed);
    heap_init(&engine->due);
    pace_init(&engine->pace, &options->pace, now.boot_ms);
    breaker_init(&engine->breaker);
    retry_budget_init(&engine->retries, engine->pace.rate_millis, now.boot_ms);
    buf_init(&engine->needs_storage, STORAGE_BYTES);
    buf_init(&engine->other_storage, STORAGE_BYTES);
    buf_init(&engine->request_storage, STORAGE_BYTES);
    engine->connections = mem_new(options->connection_count, sizeof *engine->connections);
    engine->jobs = mem_new(options->job_count, sizeof *engine->jobs);
    if (!allocate_slots(engine) || engine->connections == NULL || engine->jobs == NULL) {
        engine->slot_count = engine->slots == NULL ? 0 : engine->slot_count;
        engine_free(engine);
        return err_set(err, ERR_NO_MEMORY, "no memory for %u items at once", options->outstanding);
    }
    init_slots(engine);
    init_connections(engine);
    engine_init_jobs(engine);
    if (start_batches(engine, err) != ERR_OK || count_blocked(engine, err) != ERR_OK) {
        engine_free(engine);
        return err->code;
    }
    *engine_out = engine;
    return ERR_OK;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (uint32_t i = 0; i < engine->slot_count; i++)
        buf_deinit(&engine->slots[i].storage);
    heap_deinit(&engine->due);
    arena_deinit(&engine->arena);
    buf_deinit(&engine->needs_storage);
    buf_deinit(&engine->other_storage);
    buf_deinit(&engine->request_storage);
    mem_free(engine->slots);
    mem_free(engine->buckets);
    mem_free(engine->connections);
    mem_free(engine->jobs);
    mem_free(engine);
}

/* Until the retry budget has something; the place in the heap has just become free. */
static void put_off(struct engine *engine, uint64_t tag)
{
    enum err_code code = heap_push(
        &engine->due, retry_budget_ready_at_ms(&engine->retries, engine->now.boot_ms), tag);

    assert(code == ERR_OK);
    (void)code;
}

/* While a breaker is open, one that may have been done already finds out whether the trouble is
 * over, before another that would only add to those. */
static void push_repeat(struct engine *engine, struct slot *slot)
{
    struct connection *connection = &engine->connections[slot->connection];

    slot->place = SLOT_TO_SEND;
    if (engine->breaker.open || connection->breaker.open)
        queue_push_front(engine, &connection->to_send, slot);
    else
        queue_push(engine, &connection->to_send, slot);
}

/* Moves what is due from the heap to the queues. */
static void take_due(struct engine *engine)
{
    struct heap_entry entry;

    while (heap_peek(&engine->due, &entry) && entry.due_ms <= engine->now.boot_ms) {
        struct slot *slot = &engine->slots[entry.tag >> 32];

        heap_pop(&engine->due);
        if (slot->place != SLOT_RESTING || slot->heap_token != (uint32_t)entry.tag)
            continue;
        if (slot->item.state == ITEM_WAITING) {
            slot->place = SLOT_TO_POLL;
            queue_push(engine, &engine->to_poll, slot);
        } else if (slot->item.state == ITEM_READY) {
            slot->place = SLOT_TO_START;
            queue_push(engine, &engine->connections[slot->connection].to_start, slot);
        } else if (engine_repeat_must_wait(engine, slot)) {
            put_off(engine, entry.tag);
        } else {
            assert(slot->item.state == ITEM_SENDING);
            push_repeat(engine, slot);
        }
    }
}

/* Nothing is left that this run could do. */
static bool is_idle(const struct engine *engine)
{
    /* What has ended frees its slot when that is durable. */
    if ((engine->restarting && engine->free_count + engine->finished.count > 0) ||
        engine->on_wire > 0 || engine->waiting_count > engine->progress.stuck ||
        engine->credentials_doubted || engine_release_is_pending(engine))
        return false;
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct connection *connection = &engine->connections[i];

        if (!connection->parked && (connection->sending_count + connection->turned_away > 0 ||
                                    (!connection->ready_exhausted && !connection->awaits_canary &&
                                     engine->progress.started < engine->options.item_limit)))
            return false;
    }
    return true;
}

/* From running to draining to ended; nothing ends while something is not durable. */
static enum err_code advance_phase(struct engine *engine, struct err *err)
{
    struct engine_progress *progress = &engine->progress;

    if (progress->phase == ENGINE_RUNNING && is_idle(engine)) {
        engine_canary_tell(engine);
        progress->phase = ENGINE_DRAINING;
    }
    if (progress->phase == ENGINE_RUNNING && engine->unanswered_count >= UNREACHABLE_AFTER &&
        engine->now.boot_ms - engine->answered_boot_ms >= engine->options.unreachable_ms)
        engine_stop_run(engine, STOP_UNREACHABLE, "nothing was answered for %lld s",
                        (long long)(engine->options.unreachable_ms / 1000));
    if (progress->phase != ENGINE_DRAINING)
        return ERR_OK;
    if (engine->on_wire > 0 && engine->now.boot_ms >= engine->drain_deadline_boot_ms) {
        engine->transport->ops->abandon(engine->transport);
        engine->on_wire = 0;
    }
    if (!engine->withdrawn) {
        engine->withdrawn = true;
        if (engine_withdraw_unsent(engine, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static void end_when_durable(struct engine *engine)
{
    if (engine->progress.phase == ENGINE_DRAINING && engine->withdrawn && engine->on_wire == 0 &&
        !engine->commit_running && engine->ledger->ops->batch_bytes(engine->ledger) == 0) {
        engine_release_durable(engine);
        assert(engine->finished.count == 0);
        engine->progress.phase = ENGINE_ENDED;
    }
}

static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* When the next turn is due if nothing finishes before. */
static int64_t wake_ms(const struct engine *engine)
{
    int64_t at_ms = engine_commit_due_ms(engine), pace_ms = INT64_MAX;
    struct heap_entry entry;

    if (engine->progress.phase == ENGINE_ENDED)
        return engine->now.boot_ms;
    if (engine->progress.phase == ENGINE_DRAINING)
        return earlier(at_ms, engine->on_wire > 0 ? engine->drain_deadline_boot_ms : INT64_MAX);
    if (engine_can_admit(engine) || engine_can_release(engine) || is_idle(engine))
        return engine->now.boot_ms;
    if (heap_peek(&engine->due, &entry))
        at_ms = earlier(at_ms, entry.due_ms);
    at_ms = earlier(at_ms, engine_ask_at_ms(engine));
    if (engine_ready_at_ms(engine) != INT64_MAX) {
        int64_t all_ms = engine_ready_at_ms(engine);

        if (engine->to_poll.count > 0)
            pace_ms = all_ms;
        for (size_t i = 0; i < engine->options.connection_count; i++) {
            const struct connection *connection = &engine->connections[i];
            int64_t own_ms;

            if (connection->to_send.count == 0 || !engine_head_is_ready(engine, connection))
                continue;
            own_ms = engine_connection_ready_at_ms(engine, connection);
            pace_ms = earlier(pace_ms, own_ms > all_ms ? own_ms : all_ms);
        }
    }
    return earlier(at_ms, pace_ms);
}

enum err_code engine_turn(struct engine *engine, struct engine_now now, int64_t *wake_boot_ms_out,
                          struct err *err)
{
    assert(!engine->failed);
    if (now.boot_ms < engine->now.boot_ms)
        now.boot_ms = engine->now.boot_ms;
    engine->now = now;
    pace_grow(&engine->pace, now.boot_ms);
    for (size_t i = 0; i < engine->options.connection_count; i++)
        pace_grow(&engine->connections[i].pace, now.boot_ms);
    if (engine_poll_commit(engine, err) != ERR_OK || engine_take_answers(engine, err) != ERR_OK ||
        engine_correct_intents(engine, err) != ERR_OK || engine_take_up(engine, err) != ERR_OK ||
        engine_set_aside(engine, err) != ERR_OK || engine_resume_aside(engine, err) != ERR_OK ||
        engine_release(engine, err) != ERR_OK)
        goto fail;
    take_due(engine);
    engine_check_failures(engine);
    if (engine_set_jobs_aside(engine, err) != ERR_OK || engine_admit(engine, err) != ERR_OK ||
        advance_phase(engine, err) != ERR_OK || engine_commit_if_due(engine, err) != ERR_OK ||
        engine_start_transfers(engine, err) != ERR_OK)
        goto fail;
    end_when_durable(engine);
    *wake_boot_ms_out = wake_ms(engine);
    return ERR_OK;

fail:
    engine->failed = true;
    return err->code;
}

void engine_drain(struct engine *engine, int64_t deadline_boot_ms)
{
    engine_stop_run(engine, STOP_ASKED, "asked to stop");
    engine->drain_deadline_boot_ms = deadline_boot_ms;
}

const struct engine_progress *engine_progress(struct engine *engine)
{
    struct engine_progress *progress = &engine->progress;

    progress->in_flight = engine->on_wire;
    progress->active =
        engine->slot_count - engine->free_count - engine->releasing.count - engine->released.count;
    progress->rate_millis = engine->pace.rate_millis;
    progress->learned_rate_millis = engine->pace.throttled_once ? engine->pace.rate_millis : 0;
    progress->paused_until_boot_ms =
        engine->pace.paused_until_ms > engine->now.boot_ms ? engine->pace.paused_until_ms : 0;
    return progress;
}

/* Rounded up: 0 means that there is none. */
static uint32_t mean_ms(const struct mean *mean)
{
    uint64_t rounded = mean->count == 0 ? 0 : mean->sum / mean->count + 1;

    return rounded > UINT32_MAX ? UINT32_MAX : (uint32_t)rounded;
}

struct engine_learned engine_learned(const struct engine *engine, size_t connection)
{
    const struct connection *from = &engine->connections[connection];
    struct engine_learned learned = {0};

    assert(connection < engine->options.connection_count);
    if (from->pace.throttled_once)
        learned.rate_millis = from->pace.rate_millis;
    if (from->window.limit < from->window.limit_max)
        learned.in_flight = from->window.limit;
    if (from->parked)
        learned.parked_reason = from->parked_reason;
    learned.parked_ms = from->parked_ms;
    learned.link_url = from->link_url;
    learned.detail = from->detail;
    learned.checked_ms = from->checked_ms;
    learned.last_sync_ms = from->last_sync_ms;
    learned.times.answer_ms = mean_ms(&from->answer);
    learned.times.accept_ms = mean_ms(&from->accept);
    learned.times.finish_ms = mean_ms(&from->finish);
    return learned;
}
