#include "engine_private.h"

/* Intents of this process that bear the host's time get the same moment in the server's. */
static void correct_intents(struct engine *engine, int64_t shift_ms)
{
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        struct slot *slot = &engine->slots[i];

        if (slot->place == SLOT_FREE || !slot->has_new_intent || slot->has_server_intent)
            continue;
        slot->item.intent_ms += shift_ms;
        slot->has_server_intent = true;
    }
}

void engine_learn_clock(struct engine *engine, int64_t server_now_ms)
{
    if (server_now_ms <= 0)
        return;
    if (!engine->server_clock_known)
        correct_intents(engine, server_now_ms - engine->now.wall_ms);
    engine->server_offset_ms = server_now_ms - engine->now.boot_ms;
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
