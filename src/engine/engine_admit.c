#include <assert.h>

#include "engine_private.h"

enum {
    LOOK_AHEAD_MAX = 4096,
    SKIPS_A_TURN = 1000,
    RESUME_SPREAD_MS = 1000,
};

static bool is_repeatable(const struct engine *engine, const struct slot *slot)
{
    return engine->jobs[slot->job].policy.repeatable;
}

static enum err_code take_up_one(struct engine *engine, uint64_t number, const struct item *item,
                                 struct err *err)
{
    struct slot *slot = slot_take(engine, number, item);
    struct item_event event = engine_event(EVENT_RESTARTED);
    enum effect effect;

    if (!slot_map(engine, slot)) {
        slot_release(engine, slot);
        return ERR_OK;
    }
    if (item->state == ITEM_SENDING)
        engine->connections[slot->connection].sending_count++;
    else if (item->state == ITEM_WAITING)
        engine->waiting_count++;
    engine_canary_begins(engine, slot);
    if (item->state == ITEM_WAITING)
        event.delay_ms = (int64_t)rng_below(&engine->rng, RESUME_SPREAD_MS);
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    if (effect == EFFECT_FINAL) {
        slot->place = SLOT_FINISHED;
        queue_push(engine, &engine->finished, slot);
        return ERR_OK;
    }
    if (engine_correct_intent(engine, slot, err) != ERR_OK)
        return err->code;
    return engine_rest(engine, slot, err);
}

enum err_code engine_put_damaged(struct engine *engine, uint64_t number, const struct item *item,
                                 struct err *err)
{
    struct item before = *item;

    before.state = ITEM_SENDING;
    if (engine->ledger->ops->put_item(engine->ledger, number, &before, item, err) != ERR_OK) {
        engine->failed = true;
        return err->code;
    }
    engine->progress.in_doubt++;
    engine_touch_batch(engine);
    return ERR_OK;
}

/* Takes up what an earlier run left active, as far as there are slots. */
enum err_code engine_take_up(struct engine *engine, struct err *err)
{
    if (engine->restarting && engine_take_up_releases(engine, err) != ERR_OK)
        return err->code;
    while (engine->restarting && engine->free_count > 0) {
        uint64_t number;
        struct item item;
        enum err_code code = engine->ledger->ops->next_active(engine->ledger, engine->restart_after,
                                                              &number, &item, err);

        if (code == ERR_NOT_FOUND) {
            engine->restarting = false;
            return ERR_OK;
        }
        if (code == ERR_OK)
            code = item_state_is_active(item.state)
                       ? take_up_one(engine, number, &item, err)
                       : engine_put_damaged(engine, number, &item, err);
        if (code != ERR_OK)
            return code;
        engine->restart_after = number;
    }
    return ERR_OK;
}

static bool may_admit(const struct engine *engine, const struct connection *connection)
{
    return !connection->parked && !connection->ready_exhausted && !connection->awaits_canary &&
           connection->ahead < connection->look_ahead && engine->free_count > 0 &&
           engine->progress.started < engine->options.item_limit;
}

static bool may_start_again(const struct engine *engine, const struct connection *connection)
{
    return !connection->parked && connection->to_start.count > 0 && engine->unkeyed_ahead == 0;
}

/* A turn would admit something now, if there is still something to admit. */
bool engine_can_admit(const struct engine *engine)
{
    if (engine->progress.phase != ENGINE_RUNNING)
        return false;
    if (engine->restarting)
        return engine->free_count > 0;
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct connection *connection = &engine->connections[i];

        if (may_start_again(engine, connection) ||
            (may_admit(engine, connection) &&
             (!connection->held_back || engine->unkeyed_ahead == 0)))
            return true;
    }
    return false;
}

static void no_longer_turned_away(struct engine *engine, struct slot *slot)
{
    if (slot->is_turned_away)
        engine->connections[slot->connection].turned_away--;
    slot->is_turned_away = false;
}

/* Nothing is sent before the intent is durable. */
static enum err_code make_intent(struct engine *engine, struct slot *slot, struct err *err)
{
    struct connection *connection = &engine->connections[slot->connection];
    struct item_event event = engine_event(EVENT_START);
    enum effect effect;

    no_longer_turned_away(engine, slot);
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    if (effect == EFFECT_FINAL) {
        slot->place = SLOT_FINISHED;
        queue_push(engine, &engine->finished, slot);
        return ERR_OK;
    }
    assert(effect == EFFECT_NONE);
    connection->ahead++;
    slot->is_ahead = true;
    slot->is_unkeyed_ahead = !is_repeatable(engine, slot);
    if (slot->is_unkeyed_ahead)
        engine->unkeyed_ahead++;
    slot->place = SLOT_TO_SEND;
    queue_push(engine, &connection->to_send, slot);
    return ERR_OK;
}

/* Makes the intent of the next ready item of a connection. */
static enum err_code admit_one(struct engine *engine, struct connection *connection,
                               uint32_t number_in_ledger, struct err *err)
{
    struct slot *slot;
    uint64_t number;
    struct item item;
    bool blocked = false;
    enum err_code code = engine->ledger->ops->next_ready(
        engine->ledger, number_in_ledger, connection->ready_after, &number, &item, err);

    if (code == ERR_NOT_FOUND) {
        connection->ready_exhausted = true;
        return ERR_OK;
    }
    if (code != ERR_OK)
        return code;
    if (slot_find(engine, number) != NULL) { /* the ledger does not know yet, or it rests */
        connection->ready_after = number;
        return ERR_OK;
    }
    if (item.state != ITEM_READY) {
        connection->ready_after = number;
        return engine_put_damaged(engine, number, &item, err);
    }
    if (engine->options.only_seen && item.seen_run != engine->options.run) {
        connection->ready_after = number;
        connection->held_back = ++engine->skipped >= SKIPS_A_TURN;
        return ERR_OK;
    }
    slot = slot_take(engine, number, &item);
    if (!slot_map(engine, slot)) {
        connection->ready_after = number;
        slot_release(engine, slot);
        return ERR_OK;
    }
    if (engine->jobs[slot->job].stopped) {
        connection->ready_after = number;
        connection->held_back = ++engine->skipped >= SKIPS_A_TURN;
        slot_release(engine, slot);
        return ERR_OK;
    }
    if (!engine_canary_allows(engine, slot->job)) {
        slot_release(engine, slot);
        connection->awaits_canary = true;
        return ERR_OK;
    }
    /* Without a key a crash leaves every intent in doubt: never more than one ahead. */
    if (!is_repeatable(engine, slot) && engine->unkeyed_ahead > 0) {
        slot_release(engine, slot);
        connection->held_back = true;
        return ERR_OK;
    }
    connection->ready_after = number;
    if (item.has_needs && engine_check_needs(engine, slot, &blocked, err) != ERR_OK)
        return err->code;
    if (blocked)
        return ERR_OK;
    slot->is_started = true;
    engine->progress.started++;
    engine_canary_begins(engine, slot);
    return make_intent(engine, slot, err);
}

/* Fair turns: one item a connection, round and round. */
enum err_code engine_admit(struct engine *engine, struct err *err)
{
    size_t count = engine->options.connection_count;
    bool again = true;

    if (engine->restarting || engine->progress.phase != ENGINE_RUNNING)
        return ERR_OK;
    engine->skipped = 0;
    for (size_t i = 0; i < count; i++)
        engine->connections[i].held_back = false;
    while (again) {
        again = false;
        for (size_t i = 0; i < count; i++) {
            struct connection *connection = &engine->connections[i];

            if (may_start_again(engine, connection) &&
                make_intent(engine, queue_pop(engine, &connection->to_start), err) != ERR_OK)
                return err->code;
            if (connection->held_back || !may_admit(engine, connection))
                continue;
            if (admit_one(engine, connection, engine->options.connections[i].number, err) != ERR_OK)
                return err->code;
            again = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = &engine->connections[i];

        if (connection->ahead > 0 && engine_connection_can_send(engine, connection) &&
            engine->slots[connection->to_send.head].intent_batch > engine->batch_durable) {
            connection->starved = true;
            if (connection->look_ahead < LOOK_AHEAD_MAX &&
                connection->look_ahead <= connection->ahead)
                connection->look_ahead *= 2;
        }
    }
    return ERR_OK;
}

bool engine_is_unsent(const struct slot *slot)
{
    /* On a restored ledger it is taken for a repeat, and yet nothing has left under it. */
    bool is_lost_intent = slot->has_new_intent && slot->item.state == ITEM_SENDING &&
                          slot->item.reason == REASON_RESTORED_STATE &&
                          slot->item.attempt_count == 0;
    bool is_unused = item_is_unused_intent(&slot->item) || is_lost_intent;

    return slot->item.state == ITEM_READY ||
           ((slot->place == SLOT_RESTING || slot->place == SLOT_TO_SEND) && is_unused);
}

/* The item is ready again and left to the ledger. */
static void retire(struct engine *engine, struct slot *slot)
{
    assert(slot->item.state == ITEM_READY);
    no_longer_turned_away(engine, slot);
    if (slot->is_started)
        engine->progress.started--;
    engine_canary_taken_back(engine, slot);
    slot->place = SLOT_FINISHED;
    queue_push(engine, &engine->finished, slot);
}

enum err_code engine_take_back(struct engine *engine, struct slot *slot, struct err *err)
{
    struct item_event event = engine_event(EVENT_WITHDRAWN);
    enum effect effect;

    assert(engine_is_unsent(slot));
    if (slot->item.state != ITEM_READY && engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    retire(engine, slot);
    return ERR_OK;
}

/* The run ends: intents that were never used become ready again. */
enum err_code engine_withdraw_unsent(struct engine *engine, struct err *err)
{
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        engine->connections[i].to_start = (struct queue){0};
        engine->connections[i].to_send = (struct queue){0};
        engine->connections[i].ahead = 0;
    }
    engine->unkeyed_ahead = 0;
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        struct slot *slot = &engine->slots[i];

        slot->is_ahead = slot->is_unkeyed_ahead = false;
        if (slot->place == SLOT_TO_SEND || slot->place == SLOT_TO_START)
            slot->place = SLOT_RESTING;
        if (slot->place == SLOT_RESTING && engine_is_unsent(slot) &&
            engine_take_back(engine, slot, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

enum err_code engine_rest(struct engine *engine, struct slot *slot, struct err *err)
{
    struct connection *connection = &engine->connections[slot->connection];

    if (slot->item.state != ITEM_WAITING && connection->parked)
        engine->aside_due = true;
    if ((engine->withdrawn || engine->jobs[slot->job].stopped) && engine_is_unsent(slot))
        return engine_take_back(engine, slot, err);
    if (slot->item.state == ITEM_READY) {
        slot->is_turned_away = true;
        connection->turned_away++;
    }
    return slot_rest(engine, slot, err);
}

/* What waits to be sent on a parked connection would hold places that other connections need. What
 * may have had an effect stays in state sending, and in its place as long as nobody needs that. */
enum err_code engine_set_aside(struct engine *engine, struct err *err)
{
    if (!engine->aside_due)
        return ERR_OK;
    engine->aside_due = false;
    for (size_t i = 0; i < engine->options.connection_count; i++)
        if (engine->connections[i].parked)
            engine->connections[i].to_send = engine->connections[i].to_start = (struct queue){0};
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        struct slot *slot = &engine->slots[i];
        struct connection *connection = &engine->connections[slot->connection];

        if ((slot->place != SLOT_RESTING && slot->place != SLOT_TO_SEND &&
             slot->place != SLOT_TO_START) ||
            slot->item.state == ITEM_WAITING || !connection->parked)
            continue;
        slot->place = SLOT_RESTING;
        engine_leave_look_ahead(engine, slot);
        connection->aside_batch = engine->batch_open;
        if (!engine_is_unsent(slot)) {
            slot->place = SLOT_ASIDE;
            engine->aside_count++;
        } else if (engine_take_back(engine, slot, err) != ERR_OK) {
            return err->code;
        }
    }
    engine_release_durable(engine);
    return ERR_OK;
}

static void leave_behind(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        struct slot *slot = &engine->slots[i];

        if (slot->place != SLOT_ASIDE)
            continue;
        engine->connections[slot->connection].sending_count--;
        engine->progress.left_behind++;
        slot_release(engine, slot);
    }
    engine->aside_count = 0;
}

enum err_code engine_resume_aside(struct engine *engine, struct err *err)
{
    if (engine->aside_count > 0 && engine->free_count == 0)
        leave_behind(engine); /* the next run takes them up */
    if (!engine->resume_due)
        return ERR_OK;
    engine->resume_due = false;
    for (uint32_t i = 0; i < engine->slot_count && engine->aside_count > 0; i++) {
        struct slot *slot = &engine->slots[i];

        if (slot->place != SLOT_ASIDE || engine->connections[slot->connection].parked)
            continue;
        engine->aside_count--;
        if (slot_rest(engine, slot, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}
