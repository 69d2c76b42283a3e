/* Blocked items, one by one: what they wait for, how they are rendered and made ready. */
#include <assert.h>
#include <stdio.h>

#include "engine_private.h"
#include "purser/base/log.h"

/* It has no slot: it is not active, and there may be very many. */
static struct slot passing_slot(uint64_t number, const struct item *item)
{
    return (struct slot){.number = number, .item = *item};
}

static enum err_code make_wait(struct engine *engine, struct slot *slot, struct wait wait,
                               struct err *err)
{
    struct item_event event = engine_event(EVENT_WAITS);
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
    struct item_event event = engine_event(EVENT_NOT_RENDERED);
    struct result_record result = {.message = slice_of(problem)};
    struct attempt_record attempt = {.started_ms = engine->now.wall_ms,
                                     .event = EVENT_NOT_RENDERED,
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
    attempt.reason = slot->item.reason;
    attempt.run = engine->options.run;
    if (ledger->ops->put_attempt(ledger, slot->number, &attempt, err) != ERR_OK)
        return err->code;
    return ledger->ops->put_result(ledger, slot->number, &result, err);
}

/* It has no slot that would count its end. */
static enum err_code fail_blocked(struct engine *engine, struct slot *slot, const char *problem,
                                  struct err *err)
{
    enum err_code code = fail(engine, slot, problem, err);

    if (slot->item.state == ITEM_FAILED)
        engine->news_open.failed++;
    else if (slot->item.state == ITEM_IN_DOUBT)
        engine->news_open.in_doubt++;
    return code;
}

/* Its `if:` is false. It has no slot: if others wait for it, the index will say so. */
static enum err_code skip(struct engine *engine, struct slot *slot, struct err *err)
{
    struct item_event event = engine_event(EVENT_SKIPPED);
    enum effect effect;

    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    engine->progress.blocked--;
    engine->news_open.skipped++;
    engine_count_end(engine, slot);
    if (slot->item.release_due) {
        engine->awaited_count--;
        engine->unslotted_batch = engine->batch_open;
    }
    return ERR_OK;
}

/* What the request must be made out of before it is sent; empty = it is frozen as it stands. That
 * of a corrected row may have been made from an answer that has changed since, and its row is in no
 * source: nobody but this can tell. */
static struct slice draft_of(const struct engine *engine, const struct slot *slot,
                             const struct needs_record *needs)
{
    if (needs->draft.length > 0 || !slot->item.corrected || engine->options.renderer == NULL)
        return needs->draft;
    return needs->remake;
}

/* Makes the request out of the draft. Whose it is and where it is from stays as it was stored.
 * ERR_INPUT: `problem` says why there is none; ERR_NOT_FOUND: none is wanted. */
static enum err_code make(struct engine *engine, const struct slot *slot,
                          const struct needs_record *needs, struct frozen_request *request_out,
                          char problem[ERROR_MESSAGE_BYTES_MAX], struct err *err)
{
    struct renderer *renderer = engine->options.renderer;
    struct needs_record made_from = *needs;
    struct frozen_request stored, request;
    enum err_code code = engine->ledger->ops->read_request(engine->ledger, slot->number,
                                                           &engine->request_storage, &stored, err);

    assert(renderer != NULL);
    problem[0] = '\0';
    if (ledger_has_none(code)) {
        (void)snprintf(problem, ERROR_MESSAGE_BYTES_MAX, "its request is damaged in the ledger");
        return ERR_INPUT;
    }
    if (code != ERR_OK)
        return code;
    request = stored;
    made_from.draft = draft_of(engine, slot, needs);
    code = renderer->ops->render(renderer, slot->number, &slot->item, &made_from, &request, problem,
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
    *request_out = stored;
    return ERR_OK;
}

static enum err_code freeze(struct engine *engine, const struct slot *slot,
                            const struct needs_record *needs, struct hash128 *hash_out,
                            char problem[ERROR_MESSAGE_BYTES_MAX], struct err *err)
{
    struct frozen_request request;
    enum err_code code = make(engine, slot, needs, &request, problem, err);

    if (code != ERR_OK)
        return code;
    *hash_out = request_hash(request.method, request.path, request.body);
    return engine->ledger->ops->put_request(engine->ledger, slot->number, &request, err);
}

/* Whether its request would be another one by now, or none. */
static enum err_code is_outdated(struct engine *engine, const struct slot *slot,
                                 const struct needs_record *needs, bool *outdated_out,
                                 struct err *err)
{
    char problem[ERROR_MESSAGE_BYTES_MAX];
    struct frozen_request request;
    enum err_code code;

    *outdated_out = false;
    if (draft_of(engine, slot, needs).length == 0)
        return ERR_OK;
    code = make(engine, slot, needs, &request, problem, err);
    if (code != ERR_OK && code != ERR_INPUT && code != ERR_NOT_FOUND)
        return code;
    *outdated_out =
        code != ERR_OK || !hash128_equal(request_hash(request.method, request.path, request.body),
                                         slot->item.request_hash);
    return ERR_OK;
}

/* This run can do nothing for it; the next one that can looks at it again. */
static enum err_code leave_to_others(struct engine *engine, uint64_t number,
                                     const struct item *item, struct err *err)
{
    struct item_event event = engine_event(EVENT_WAITS);
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
    struct item_event event = engine_event(EVENT_UNBLOCKED);
    char problem[ERROR_MESSAGE_BYTES_MAX];
    enum err_code code = ERR_OK;
    bool has_draft = needs->draft.length > 0;
    enum effect effect;

    event.request_hash = slot->item.request_hash;
    if (draft_of(engine, slot, needs).length > 0)
        code = freeze(engine, slot, needs, &event.request_hash, problem, err);
    if (code != ERR_OK && code != ERR_INPUT && code != ERR_NOT_FOUND)
        return code;
    if (code == ERR_OK)
        needs->draft = SLICE("");
    if ((needs_changed || (has_draft && code == ERR_OK)) &&
        engine->ledger->ops->put_needs(engine->ledger, slot->number, needs, err) != ERR_OK)
        return err->code;
    if (code == ERR_NOT_FOUND)
        return skip(engine, slot, err);
    if (code == ERR_INPUT)
        return fail_blocked(engine, slot, problem, err);
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
enum err_code engine_look_at(struct engine *engine, uint64_t number, const struct item *item,
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
    code = engine_read_needs(engine, number, &engine->needs_storage, &needs, err);
    if (code == ERR_OK)
        code = engine_find_wait(engine, &needs, &wait, &changed, err);
    if (code == ERR_INPUT)
        return fail_blocked(engine, &slot, "what it needs is damaged in the ledger", err);
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

/* It is ready with a request that is out of date. Its next turn comes when the new one is durable.
 */
static enum err_code make_anew(struct engine *engine, struct slot *slot, struct needs_record *needs,
                               bool *blocked_out, struct err *err)
{
    *blocked_out = true;
    if (make_wait(engine, slot, (struct wait){.kind = WAIT_NONE}, err) != ERR_OK ||
        unblock(engine, slot, needs, false, err) != ERR_OK)
        return err->code;
    slot->place = SLOT_FINISHED;
    queue_push(engine, &engine->finished, slot);
    return ERR_OK;
}

/* The ledger's index says that it is ready, but what it needs may be under way again: sent once
 * more because its row has changed, or tried again by a person. */
enum err_code engine_check_needs(struct engine *engine, struct slot *slot, bool *blocked_out,
                                 struct err *err)
{
    struct needs_record needs;
    struct wait wait;
    bool changed, outdated;
    enum err_code code =
        engine_read_needs(engine, slot->number, &engine->needs_storage, &needs, err);

    *blocked_out = false;
    if (code == ERR_OK)
        code = engine_find_wait(engine, &needs, &wait, &changed, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code != ERR_OK && code != ERR_INPUT)
        return code;
    if (code == ERR_OK && changed &&
        engine->ledger->ops->put_needs(engine->ledger, slot->number, &needs, err) != ERR_OK)
        return err->code;
    if (code == ERR_OK && wait.is_met) {
        code = is_outdated(engine, slot, &needs, &outdated, err);
        return code != ERR_OK || !outdated ? code
                                           : make_anew(engine, slot, &needs, blocked_out, err);
    }
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
