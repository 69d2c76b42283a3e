#include "engine_private.h"
#include "purser/codec/reply.h"
#include "purser/core/backoff.h"

enum {
    ASK_FIRST_DELAY_MS = 500,
    ASK_MAX_DELAY_MS = 30000,
};

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

/* I5: how old a key is counts on the server's clock. The host's may have been set back while purser
 * was away, so nothing is repeated before the server has told its time. */
bool engine_must_know_clock(const struct engine *engine, const struct slot *slot)
{
    return slot->item.unknown_send && !engine->server_clock_known && !engine->clock_given_up;
}

static bool is_wanted(const struct engine *engine)
{
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct connection *connection = &engine->connections[i];

        if (connection->to_send.count > 0 && !connection->parked &&
            engine_must_know_clock(engine, &engine->slots[connection->to_send.head]))
            return true;
    }
    return false;
}

int64_t engine_ask_clock_at_ms(const struct engine *engine)
{
    int64_t pace_ms = pace_ready_at_ms(&engine->pace, engine->now.boot_ms);

    if (engine->clock_asked || engine->on_wire >= engine->options.in_flight || !is_wanted(engine))
        return INT64_MAX;
    return pace_ms > engine->clock_ask_after_ms ? pace_ms : engine->clock_ask_after_ms;
}

/* Any answer has the time in its head; this one reads nothing else. */
enum err_code engine_ask_clock(struct engine *engine, struct err *err)
{
    if (engine_ask_clock_at_ms(engine) > engine->now.boot_ms)
        return ERR_OK;
    if (engine->transport->ops->start(
            engine->transport,
            &(struct transfer_request){.tag = CLOCK_TAG,
                                       .connection = UINT32_MAX,
                                       .method = METHOD_GET,
                                       .path = SLICE("/connections"),
                                       .timeout_ms = engine->options.timeout_ms},
            err) != ERR_OK)
        return err->code;
    engine->clock_asked = true;
    engine->on_wire++;
    pace_take(&engine->pace, engine->now.boot_ms);
    return ERR_OK;
}

void engine_take_clock(struct engine *engine, const struct reply *reply)
{
    engine->on_wire--;
    engine->clock_asked = false;
    if (reply->outcome == TRANSFER_ANSWERED) {
        engine->answered_boot_ms = engine->now.boot_ms;
        engine->unanswered_count = 0;
        engine_learn_clock(engine, reply_date_ms(reply->date));
        /* A server that tells no time leaves the host's clock. */
        engine->clock_given_up = !engine->server_clock_known;
        return;
    }
    if (reply->outcome == TRANSFER_UNTRUSTED)
        engine_stop_run(engine, STOP_NOT_THE_API, "%s",
                        reply->failure == NULL ? "" : reply->failure);
    engine->unanswered_count++;
    engine->clock_trouble++;
    engine->clock_ask_after_ms =
        engine->now.boot_ms + backoff_delay_ms(engine->clock_trouble, ASK_FIRST_DELAY_MS,
                                               ASK_MAX_DELAY_MS,
                                               (uint32_t)(rng_next(&engine->rng) >> 32));
}
