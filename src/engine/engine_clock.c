#include "engine_private.h"

static bool bears_the_hosts_time(const struct engine *engine, const struct slot *slot)
{
    bool is_of_this_boot =
        slot->item.intent_boot != 0 && slot->item.intent_boot == engine->options.boot;

    bool is_new = slot->has_new_intent && slot->item.reason != REASON_RESTORED_STATE;

    return slot->place != SLOT_FREE && !slot->has_server_intent &&
           slot->item.state == ITEM_SENDING && (is_new || is_of_this_boot);
}

enum err_code engine_correct_intent(struct engine *engine, struct slot *slot, struct err *err)
{
    struct key_clock clock = engine_key_clock(engine);
    struct item before = slot->item;

    if (!engine->server_clock_known || !bears_the_hosts_time(engine, slot))
        return ERR_OK;
    slot->has_server_intent = true;
    if (!key_age_correct_intent(&slot->item, &clock))
        return ERR_OK;
    if (engine->ledger->ops->put_item(engine->ledger, slot->number, &before, &slot->item, err) !=
        ERR_OK) {
        engine->failed = true;
        return err->code;
    }
    slot->last_batch = engine->batch_open;
    slot->intent_batch = engine->batch_open;
    engine_touch_batch(engine);
    return ERR_OK;
}

enum err_code engine_correct_intents(struct engine *engine, struct err *err)
{
    if (!engine->stamps_due)
        return ERR_OK;
    engine->stamps_due = false;
    for (uint32_t i = 0; i < engine->slot_count; i++)
        if (engine_correct_intent(engine, &engine->slots[i], err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

void engine_learn_clock(struct engine *engine, int64_t server_now_ms)
{
    if (server_now_ms <= 0)
        return;
    engine->server_offset_ms = server_now_ms - engine->now.boot_ms;
    engine->stamps_due |= !engine->server_clock_known;
    engine->server_clock_known = true;
}

bool engine_must_know_clock(const struct engine *engine, const struct slot *slot)
{
    struct key_clock clock = engine_key_clock(engine);

    return key_age_needs_server(&slot->item, &clock);
}

/* A question for the status of the connection brings it too. */
bool engine_clock_is_wanted(const struct engine *engine)
{
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct connection *connection = &engine->connections[i];

        if (connection->to_send.count > 0 && !connection->parked &&
            (connection->checked || !engine->options.connections[i].asks_status) &&
            engine_must_know_clock(engine, &engine->slots[connection->to_send.head]))
            return true;
    }
    return false;
}

/* A server that tells no time leaves the host's clock. */
void engine_clock_answered(struct engine *engine)
{
    engine->clock_given_up = !engine->server_clock_known;
}
