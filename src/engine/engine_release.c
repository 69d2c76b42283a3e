/* Blocked items: looked at when what they wait for has come, rendered, and made ready.
 *
 * One scan at a time goes over those that wait for one thing, some of them a turn. What ended and
 * has dependents keeps its slot until its scan is over, so memory stays what it is and a crash
 * finds it in the ledger's index. A scan reads what is durable: it begins when every item that can
 * have come to wait for the thing, before its end was known, stands in the index. */
#include <assert.h>
#include <stdio.h>

#include "engine_private.h"
#include "purser/base/log.h"

enum {
    LOOKS_A_TURN = 256,
    BATCH_BYTES_FULL = BATCH_BYTES_MAX / 2,
};

/* --- one item --- */

/* It has no slot: it is not active, and there may be very many. */
static struct slot passing_slot(uint64_t number, const struct item *item)
{
    return (struct slot){.number = number, .item = *item};
}

static enum err_code make_wait(struct engine *engine, struct slot *slot, struct wait wait,
                               struct err *err)
{
    struct item_event event = engine_event(engine, EVENT_WAITS);
    bool was_ready = slot->item.state == ITEM_READY;
    uint32_t gate = engine_job_index(engine, wait.target);
    enum effect effect;

    event.waits_on = wait.kind;
    event.waits_for = wait.target;
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    engine->waits_batch = engine->batch_open;
    engine->progress.blocked += was_ready;
    if (wait.kind == WAIT_JOB && gate < engine->options.job_count)
        engine->jobs[gate].is_needed = true;
    return ERR_OK;
}

static enum err_code fail(struct engine *engine, struct slot *slot, const char *problem,
                          struct err *err)
{
    struct ledger *ledger = engine->ledger;
    struct item_event event = engine_event(engine, EVENT_NOT_RENDERED);
    struct result_record result = {.message = slice_of(problem)};
    struct attempt_record attempt = {.started_ms = event.now_ms,
                                     .event = EVENT_NOT_RENDERED,
                                     .reason = REASON_NOT_RENDERED,
                                     .message = slice_of(problem),
                                     .rule = SLICE("not_rendered")};
    enum effect effect;

    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    log_line(LOG_INFO, "item=%llu job=%s not rendered: %s", (unsigned long long)slot->number,
             engine->options.jobs[slot->job].name, problem);
    engine->progress.blocked--;
    engine_count_end(engine, slot);
    attempt.generation = slot->item.generation;
    attempt.state = (uint8_t)slot->item.state;
    attempt.run = engine->options.run;
    if (ledger->ops->put_attempt(ledger, slot->number, &attempt, err) != ERR_OK)
        return err->code;
    return ledger->ops->put_result(ledger, slot->number, &result, err);
}

/* Its `if:` is false. Those that wait for it need a slot to be looked at; false in *done_out when
 * there is none. */
static enum err_code skip(struct engine *engine, struct slot *slot, bool *done_out, struct err *err)
{
    struct item_event event = engine_event(engine, EVENT_SKIPPED);
    enum effect effect;

    *done_out = !slot->item.has_dependents || engine->free_count > 0;
    if (!*done_out)
        return ERR_OK;
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    engine->progress.blocked--;
    engine->news_open.skipped++;
    engine->commit_urgent = true;
    engine_count_end(engine, slot);
    if (slot->item.release_due) {
        struct slot *releasing = slot_take(engine, slot->number, &slot->item);

        releasing->place = SLOT_RELEASING;
        releasing->last_batch = engine->batch_open;
        engine->awaited_count--; /* it stands in the queue already */
        queue_push(engine, &engine->releasing, releasing);
    }
    return ERR_OK;
}

/* Makes the request out of the draft. Whose it is and where it is from stays as it was stored.
 * ERR_INPUT: `problem` says why there is none; ERR_NOT_FOUND: none is wanted. */
static enum err_code freeze(struct engine *engine, const struct slot *slot,
                            const struct needs_record *needs, struct hash128 *hash_out,
                            char problem[ERROR_MESSAGE_BYTES_MAX], struct err *err)
{
    struct renderer *renderer = engine->options.renderer;
    struct frozen_request stored, request;
    enum err_code code = engine->ledger->ops->read_request(engine->ledger, slot->number,
                                                           &engine->request_storage, &stored, err);

    assert(renderer != NULL);
    problem[0] = '\0';
    if (code == ERR_STORAGE || code == ERR_NOT_FOUND) {
        (void)snprintf(problem, ERROR_MESSAGE_BYTES_MAX, "its request is damaged in the ledger");
        return ERR_INPUT;
    }
    if (code != ERR_OK)
        return code;
    request = stored;
    code = renderer->ops->render(renderer, slot->number, &slot->item, needs, &request, problem,
                                 ERROR_MESSAGE_BYTES_MAX, err);
    if (code != ERR_OK)
        return code;
    if (request.path.length > PATH_BYTES_MAX || request.body.length > BODY_BYTES_MAX) {
        (void)snprintf(problem, ERROR_MESSAGE_BYTES_MAX, "its request is too long");
        return ERR_INPUT;
    }
    stored.method = request.method;
    stored.path = request.path;
    stored.body = request.body;
    stored.generation = slot->item.generation;
    *hash_out = request_hash(stored.method, stored.path, stored.body);
    return engine->ledger->ops->put_request(engine->ledger, slot->number, &stored, err);
}

/* This run can do nothing for it; the next one that can looks at it again. */
static enum err_code leave_to_others(struct engine *engine, uint64_t number,
                                     const struct item *item, struct err *err)
{
    struct item_event event = engine_event(engine, EVENT_WAITS);
    struct policy policy = {0};
    struct step step = lifecycle_step(item, &event, &policy);

    if (item->waits_on == WAIT_NONE)
        return ERR_OK;
    engine_touch_batch(engine);
    return engine->ledger->ops->put_item(engine->ledger, number, item, &step.item, err);
}

/* Everything that it needs is there. */
static enum err_code unblock(struct engine *engine, struct slot *slot, struct needs_record *needs,
                             bool needs_changed, struct err *err)
{
    struct connection *connection = &engine->connections[slot->connection];
    struct item_event event = engine_event(engine, EVENT_UNBLOCKED);
    char problem[ERROR_MESSAGE_BYTES_MAX];
    enum err_code code = ERR_OK;
    bool has_draft = needs->draft.length > 0, skipped = false;
    enum effect effect;

    event.request_hash = slot->item.request_hash;
    if (has_draft)
        code = freeze(engine, slot, needs, &event.request_hash, problem, err);
    if (code == ERR_NOT_FOUND) {
        if (skip(engine, slot, &skipped, err) != ERR_OK || skipped)
            return err->code;
        return leave_to_others(engine, slot->number, &slot->item, err);
    }
    if (code != ERR_OK && code != ERR_INPUT)
        return code;
    if (code == ERR_OK)
        needs->draft = SLICE("");
    if ((needs_changed || (has_draft && code == ERR_OK)) &&
        engine->ledger->ops->put_needs(engine->ledger, slot->number, needs, err) != ERR_OK)
        return err->code;
    if (code == ERR_INPUT) {
        engine->news_open.failed++;
        return fail(engine, slot, problem, err);
    }
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    engine->news_open.released++;
    engine->progress.blocked--;
    engine->commit_urgent = true;
    if (connection->released_open == 0 || slot->number < connection->released_open)
        connection->released_open = slot->number;
    return ERR_OK;
}

/* A blocked item, as the ledger has it. */
static enum err_code look_at(struct engine *engine, uint64_t number, const struct item *item,
                             struct err *err)
{
    struct slot slot = passing_slot(number, item);
    struct needs_record needs = {0};
    struct wait wait = {.is_met = true};
    bool changed = false;
    enum err_code code;

    if (item->state != ITEM_BLOCKED) {
        engine->progress.blocked--;
        return engine_put_damaged(engine, number, item, err);
    }
    if (!slot_map(engine, &slot))
        return leave_to_others(engine, number, item, err);
    code = engine->ledger->ops->read_needs(engine->ledger, number, &engine->needs_storage, &needs,
                                           err);
    if (code == ERR_OK)
        code = engine_find_wait(engine, &needs, &wait, &changed, err);
    if (code == ERR_STORAGE) {
        engine->news_open.failed++;
        return fail(engine, &slot, "what it needs is damaged in the ledger", err);
    }
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    if (wait.is_met && needs.draft.length > 0 && engine->options.renderer == NULL)
        return leave_to_others(engine, number, item, err);
    if (wait.is_met)
        return unblock(engine, &slot, &needs, changed, err);
    if (changed && engine->ledger->ops->put_needs(engine->ledger, number, &needs, err) != ERR_OK)
        return err->code;
    if (wait.kind == item->waits_on && wait.target == item->waits_for)
        return ERR_OK;
    return make_wait(engine, &slot, wait, err);
}

/* The ledger's index says that it is ready, but what it needs may be under way again: sent once
 * more because its row has changed, or tried again by a person. */
enum err_code engine_check_needs(struct engine *engine, struct slot *slot, bool *blocked_out,
                                 struct err *err)
{
    struct needs_record needs;
    struct wait wait;
    bool changed;
    enum err_code code = engine->ledger->ops->read_needs(engine->ledger, slot->number,
                                                         &engine->needs_storage, &needs, err);

    *blocked_out = false;
    if (code == ERR_OK)
        code = engine_find_wait(engine, &needs, &wait, &changed, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code != ERR_OK && code != ERR_STORAGE)
        return code;
    if (code == ERR_OK && changed &&
        engine->ledger->ops->put_needs(engine->ledger, slot->number, &needs, err) != ERR_OK)
        return err->code;
    if (code == ERR_OK && wait.is_met)
        return ERR_OK;
    *blocked_out = true;
    if (make_wait(engine, slot, code == ERR_OK ? wait : (struct wait){.kind = WAIT_NONE}, err) !=
            ERR_OK ||
        (code != ERR_OK &&
         fail(engine, slot, "what it needs is damaged in the ledger", err) != ERR_OK))
        return err->code;
    slot->place = SLOT_FINISHED;
    queue_push(engine, &engine->finished, slot);
    return ERR_OK;
}

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
    for (uint32_t i = 0; i < engine->options.job_count && engine->news_closing.skipped > 0; i++)
        if (engine->jobs[i].gate == GATE_SHUT)
            engine->jobs[i].gate = GATE_UNKNOWN;
    engine->news_closing = (struct news){0};
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
    slot_release(engine, slot);
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
    return look_at(engine, number, &item, err);
}

static bool has_room(const struct engine *engine)
{
    return engine->progress.phase == ENGINE_RUNNING &&
           engine->ledger->ops->batch_bytes(engine->ledger) < BATCH_BYTES_FULL;
}

enum err_code engine_release(struct engine *engine, struct err *err)
{
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
    if (engine->scan.runs || !engine->looked || !engine->gates_known || release_is_due(engine))
        return true;
    for (uint32_t i = 0; i < engine->options.job_count; i++)
        if (gate_is_due(engine, &engine->jobs[i]))
            return true;
    return false;
}

bool engine_release_is_pending(const struct engine *engine)
{
    if (engine->scan.runs || !engine->looked || !engine->gates_known ||
        engine->releasing.count > 0 || engine->awaited_count > 0 ||
        (engine->progress.blocked > 0 && engine->finished.count > 0))
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
