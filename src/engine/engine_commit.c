#include <assert.h>

#include "engine_private.h"

enum {
    COMMIT_BUSY_MS = 10, /* at most so long while sends go on */
    COMMIT_IDLE_MS = 50, /* while only a few answers trickle in */
    COMMIT_BYTES = BATCH_BYTES_MAX / 2,
};

static void count_final(struct engine *engine, const struct slot *slot)
{
    struct engine_progress *progress = &engine->progress;

    if (slot->item.state == ITEM_SUCCEEDED)
        progress->succeeded++;
    else if (slot->item.state == ITEM_FAILED)
        progress->failed++;
    else if (slot->item.state == ITEM_IN_DOUBT)
        progress->in_doubt++;
}

/* I6: an end is counted, and with it shown, only when it is durable. */
void engine_release_durable(struct engine *engine)
{
    while (engine->finished.count > 0 &&
           engine->slots[engine->finished.head].last_batch <= engine->batch_durable) {
        struct slot *slot = queue_pop(engine, &engine->finished);

        count_final(engine, slot);
        engine->awaited_count -= slot->item.release_due;
        engine_release_ended(engine, slot);
    }
}

enum err_code engine_poll_commit(struct engine *engine, struct err *err)
{
    if (engine->commit_running) {
        uint64_t durable = engine->batch_durable;

        if (engine->ledger->ops->commit_poll(engine->ledger, false, &durable, err) != ERR_OK) {
            engine->failed = true; /* I7 */
            return err->code;
        }
        engine->batch_durable = durable;
        engine->commit_running = durable + 1 < engine->batch_open;
        if (!engine->commit_running)
            engine_release_closed(engine);
    }
    engine_trust_durable(engine);
    engine_release_durable(engine);
    return ERR_OK;
}

static bool somebody_starves(const struct engine *engine)
{
    if (engine->on_wire >= engine->options.in_flight)
        return false;
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct connection *connection = &engine->connections[i];

        if (connection->starved || (engine->commit_urgent && !connection->parked &&
                                    connection->ready_exhausted && connection->ahead == 0))
            return true;
    }
    return false;
}

int64_t engine_commit_due_ms(const struct engine *engine)
{
    int64_t interval_ms =
        engine->on_wire * 4 >= engine->options.in_flight ? COMMIT_BUSY_MS : COMMIT_IDLE_MS;

    if (engine->batch_since_boot_ms == 0 || engine->commit_running)
        return INT64_MAX;
    return engine->batch_since_boot_ms + interval_ms;
}

enum err_code engine_commit_if_due(struct engine *engine, struct err *err)
{
    size_t bytes = engine->ledger->ops->batch_bytes(engine->ledger);
    uint64_t sequence = 0;

    if (bytes == 0 || engine->commit_running)
        return ERR_OK;
    if (engine->progress.phase == ENGINE_RUNNING && bytes < COMMIT_BYTES &&
        !somebody_starves(engine) && engine->now.boot_ms < engine_commit_due_ms(engine))
        return ERR_OK;
    if (engine->ledger->ops->commit_begin(engine->ledger, &sequence, err) != ERR_OK) {
        engine->failed = true;
        return err->code;
    }
    assert(sequence == engine->batch_open);
    engine->batch_open++;
    engine->batch_since_boot_ms = 0;
    engine->commit_running = true;
    engine->commit_urgent = false;
    engine_release_closing(engine);
    for (size_t i = 0; i < engine->options.connection_count; i++)
        engine->connections[i].starved = false;
    return engine_poll_commit(engine, err);
}
