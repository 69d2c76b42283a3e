/* Blocked items: looked at when what they wait for has come, rendered, and made ready.
 *
 * One scan at a time goes over those that wait for one thing, some of them a turn. What ended and
 * has dependents keeps its slot until its scan is over, so memory stays what it is and a crash
 * finds it in the ledger's index. A scan reads what is durable: it begins when every item that can
 * have come to wait for the thing, before its end was known, stands in the index. */
#include <assert.h>

#include "engine_private.h"

enum {
    LOOKS_A_TURN = 256,
    BATCH_BYTES_FULL = BATCH_BYTES_MAX / 2,
};

/* --- what has come --- */

void engine_release_ended(struct engine *engine, struct slot *slot)
{
    struct job *job = &engine->jobs[slot->job];

    if (item_state_is_over(slot->item.state) && job->gate == GATE_SHUT)
        job->gate = GATE_UNKNOWN;
    if (!slot->item.release_due || engine->progress.phase != ENGINE_RUNNING) {
        slot_release(engine, slot);
        return;
    }
    slot->place = SLOT_RELEASING;
    slot->last_batch = engine->waits_batch;
    queue_push(engine, &engine->releasing, slot);
}

void engine_release_closing(struct engine *engine)
{
    assert(engine->news_closing.released == 0 && engine->news_closing.failed == 0);
    assert(engine->news_closing.in_doubt == 0);
    engine->news_closing = engine->news_open;
    engine->news_open = (struct news){0};
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        struct connection *connection = &engine->connections[i];

        connection->released_closing = connection->released_open;
        connection->released_open = 0;
    }
}

/* What has become ready may have a number that the cursor has passed. */
void engine_release_closed(struct engine *engine)
{
    engine->progress.released += engine->news_closing.released;
    engine->progress.failed += engine->news_closing.failed;
    engine->progress.in_doubt += engine->news_closing.in_doubt;
    for (uint32_t i = 0; i < engine->options.job_count && engine->news_closing.skipped > 0; i++)
        if (engine->jobs[i].gate == GATE_SHUT)
            engine->jobs[i].gate = GATE_UNKNOWN;
    engine->news_closing = (struct news){0};
    while (engine->released.count > 0 &&
           engine->slots[engine->released.head].last_batch <= engine->batch_durable)
        slot_release(engine, queue_pop(engine, &engine->released));
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        struct connection *connection = &engine->connections[i];

        if (connection->released_closing == 0)
            continue;
        if (connection->ready_after >= connection->released_closing)
            connection->ready_after = connection->released_closing - 1;
        connection->ready_exhausted = false;
        connection->released_closing = 0;
    }
}

enum err_code engine_take_up_releases(struct engine *engine, struct err *err)
{
    while (!engine->releases_taken_up && engine->free_count > 0) {
        uint64_t number;
        struct item item;
        enum err_code code = engine->ledger->ops->next_release(
            engine->ledger, engine->release_after, &number, &item, err);

        if (code == ERR_NOT_FOUND) {
            engine->releases_taken_up = true;
            return ERR_OK;
        }
        if (code == ERR_OK && !item_state_is_over(item.state))
            code = engine_put_damaged(engine, number, &item, err);
        else if (code == ERR_OK && slot_find(engine, number) == NULL)
            engine_release_ended(engine, slot_take(engine, number, &item));
        if (code != ERR_OK)
            return code;
        engine->release_after = number;
    }
    return ERR_OK;
}

static bool unslotted_are_due(const struct engine *engine)
{
    return engine->unslotted_batch > 0 && engine->unslotted_batch <= engine->batch_durable;
}

/* --- scans --- */

static void begin_scan(struct engine *engine, enum wait_kind kind, uint64_t target)
{
    engine->scan.runs = true;
    engine->scan.kind = kind;
    engine->scan.target = target;
    engine->scan.after = 0;
}

/* At the start: who waits for a whole job, and whether its gate has opened since. */
static enum err_code look_at_next_job(struct engine *engine, struct err *err)
{
    uint32_t number = engine->gate_next, index = engine_job_index(engine, number);
    uint64_t ignored;
    struct item item;
    bool open = false;
    enum err_code code;

    if (engine->ledger->ops->job_name(engine->ledger, number) == NULL) {
        engine->gates_known = true;
        return ERR_OK;
    }
    engine->gate_next++;
    code = engine->ledger->ops->next_blocked(engine->ledger, WAIT_JOB, number, 0, &ignored, &item,
                                             err);
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (index < engine->options.job_count) {
        engine->jobs[index].is_needed = true;
        return ERR_OK;
    }
    if (engine_gate_is_open(engine, number, &open, err) != ERR_OK)
        return err->code;
    if (open)
        begin_scan(engine, WAIT_JOB, number);
    return ERR_OK;
}

static bool gate_is_due(const struct engine *engine, const struct job *job)
{
    return job->is_needed &&
           (job->gate == GATE_UNKNOWN ||
            (job->gate == GATE_OPENED && job->gate_batch <= engine->batch_durable));
}

static enum err_code look_at_gates(struct engine *engine, struct err *err)
{
    for (uint32_t i = 0; i < engine->options.job_count && !engine->scan.runs; i++) {
        struct job *job = &engine->jobs[i];
        bool open;

        if (!gate_is_due(engine, job))
            continue;
        if (engine_gate_is_open(engine, engine->options.jobs[i].number, &open, err) != ERR_OK)
            return err->code;
        if (!open || job->gate_batch > engine->batch_durable)
            continue;
        job->gate = GATE_OPEN;
        begin_scan(engine, WAIT_JOB, engine->options.jobs[i].number);
    }
    return ERR_OK;
}

static bool release_is_due(const struct engine *engine)
{
    return engine->releasing.count > 0 &&
           engine->slots[engine->releasing.head].last_batch <= engine->batch_durable;
}

/* Those that wait for nothing known come first: whoever they wait for then finds them. */
static enum err_code choose_scan(struct engine *engine, struct err *err)
{
    if (!engine->looked) {
        engine->looked = true;
        begin_scan(engine, WAIT_NONE, 0);
        return ERR_OK;
    }
    while (!engine->gates_known && !engine->scan.runs)
        if (look_at_next_job(engine, err) != ERR_OK)
            return err->code;
    if (!engine->scan.runs && look_at_gates(engine, err) != ERR_OK)
        return err->code;
    if (!engine->scan.runs && release_is_due(engine))
        begin_scan(engine, WAIT_ITEM, engine->slots[engine->releasing.head].number);
    return ERR_OK;
}

static enum err_code end_scan(struct engine *engine, struct err *err)
{
    struct slot *slot;
    struct item released;

    engine->scan.runs = false;
    if (engine->scan.kind != WAIT_ITEM)
        return ERR_OK;
    slot = queue_pop(engine, &engine->releasing);
    released = slot->item;
    released.release_due = false;
    if (engine->ledger->ops->put_item(engine->ledger, slot->number, &slot->item, &released, err) !=
        ERR_OK)
        return err->code;
    engine_touch_batch(engine);
    /* Until then the index still names it, and those that it has released. */
    slot->last_batch = engine->batch_open;
    queue_push(engine, &engine->released, slot);
    return ERR_OK;
}

static enum err_code scan_one(struct engine *engine, struct err *err)
{
    uint64_t number;
    struct item item;
    enum err_code code =
        engine->ledger->ops->next_blocked(engine->ledger, engine->scan.kind, engine->scan.target,
                                          engine->scan.after, &number, &item, err);

    if (code == ERR_NOT_FOUND)
        return end_scan(engine, err);
    if (code != ERR_OK)
        return code;
    engine->scan.after = number;
    return engine_look_at(engine, number, &item, err);
}

static bool has_room(const struct engine *engine)
{
    return engine->progress.phase == ENGINE_RUNNING &&
           engine->ledger->ops->batch_bytes(engine->ledger) < BATCH_BYTES_FULL;
}

enum err_code engine_release(struct engine *engine, struct err *err)
{
    if (unslotted_are_due(engine)) {
        engine->unslotted_batch = 0;
        engine->releases_taken_up = false;
        engine->release_after = 0;
    }
    if (engine_take_up_releases(engine, err) != ERR_OK)
        return err->code;
    for (int looks = 0; looks < LOOKS_A_TURN && has_room(engine); looks++) {
        if (!engine->scan.runs && choose_scan(engine, err) != ERR_OK)
            return err->code;
        if (!engine->scan.runs)
            return ERR_OK;
        if (scan_one(engine, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

bool engine_can_release(const struct engine *engine)
{
    if (!has_room(engine))
        return false;
    if (engine->scan.runs || !engine->looked || !engine->gates_known || release_is_due(engine) ||
        unslotted_are_due(engine) || (!engine->releases_taken_up && engine->free_count > 0))
        return true;
    for (uint32_t i = 0; i < engine->options.job_count; i++)
        if (gate_is_due(engine, &engine->jobs[i]))
            return true;
    return false;
}

bool engine_release_is_pending(const struct engine *engine)
{
    if (engine->scan.runs || !engine->looked || !engine->gates_known ||
        engine->releasing.count > 0 || engine->awaited_count > 0 || engine->unslotted_batch > 0 ||
        !engine->releases_taken_up ||
        (engine->progress.blocked > 0 &&
         engine->finished.count + engine->news_open.skipped + engine->news_closing.skipped > 0))
        return true;
    for (uint32_t i = 0; i < engine->options.job_count; i++)
        if (engine->jobs[i].is_needed && engine->jobs[i].gate != GATE_SHUT &&
            engine->jobs[i].gate != GATE_OPEN)
            return true;
    for (size_t i = 0; i < engine->options.connection_count; i++)
        if (!engine->connections[i].parked && (engine->connections[i].released_open > 0 ||
                                               engine->connections[i].released_closing > 0))
            return true;
    return false;
}
