#include "engine_private.h"

enum { PROBE_PATIENCE_MS = 60 * 1000 };

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

int64_t engine_ready_at_ms(const struct engine *engine)
{
    if (engine->on_wire >= engine->options.in_flight)
        return INT64_MAX;
    return later(pace_ready_at_ms(&engine->pace, engine->now.boot_ms),
                 breaker_ready_at_ms(&engine->breaker, engine->now.boot_ms));
}

int64_t engine_connection_ready_at_ms(const struct engine *engine,
                                      const struct connection *connection)
{
    const struct engine_connection *given =
        &engine->options.connections[connection - engine->connections];

    if (connection->parked || engine->credentials_doubted ||
        (given->asks_status && !connection->checked) || !window_has_room(&connection->window))
        return INT64_MAX;
    return later(pace_ready_at_ms(&connection->pace, engine->now.boot_ms),
                 breaker_ready_at_ms(&connection->breaker, engine->now.boot_ms));
}

bool engine_connection_can_send(const struct engine *engine, const struct connection *connection)
{
    return engine_connection_ready_at_ms(engine, connection) <= engine->now.boot_ms;
}

bool engine_take_request(struct engine *engine)
{
    engine->on_wire++;
    pace_take(&engine->pace, engine->now.boot_ms);
    return breaker_take(&engine->breaker, engine->now.boot_ms);
}

static bool is_trouble(const struct reply *reply)
{
    return reply->outcome != TRANSFER_ANSWERED || reply->http_status >= 500;
}

void engine_request_answered(struct engine *engine, const struct reply *reply, bool was_probe)
{
    engine->on_wire--;
    if (reply->outcome == TRANSFER_ANSWERED) {
        engine->answered_boot_ms = engine->now.boot_ms;
        engine->unanswered_count = 0;
    } else {
        engine->unanswered_count++;
    }
    breaker_answered(&engine->breaker, is_trouble(reply), was_probe, engine->now.boot_ms,
                     (uint32_t)(rng_next(&engine->rng) >> 32));
}

void engine_write_answered(struct engine *engine, struct slot *slot, const struct reply *reply)
{
    window_give_back(&engine->connections[slot->connection].window);
    if (!is_trouble(reply) && slot->item.attempt_count == 1)
        retry_budget_earn(&engine->retries);
    else if (is_trouble(reply) && reply->outcome != TRANSFER_NOT_SENT)
        slot->is_lost_here = true;
}

/* How a write has gone, as far as the connection's breaker is concerned. A job that was accepted
 * tells only at its end: a platform that is down lets each of them fail, and with 5xx each would be
 * in doubt. One that takes its time says at least that nothing is broken. */
enum verdict { VERDICT_NONE, VERDICT_GOOD, VERDICT_TROUBLE };

static enum verdict verdict_of(const struct engine *engine, const struct slot *slot,
                               const struct reply *reply, const struct item_event *event)
{
    if (event->kind == EVENT_UNCLEAR &&
        (event->reason == REASON_SERVER_ERROR || event->reason == REASON_PLATFORM_ERROR))
        return VERDICT_TROUBLE;
    /* The item may end with this, so the probe has to as well: nobody else would end it. */
    if (slot->polling && event->kind == EVENT_MISSING)
        return slot->is_connection_probe ? VERDICT_GOOD : VERDICT_NONE;
    if (slot->polling && event->kind == EVENT_PENDING)
        return slot->is_connection_probe &&
                       engine->now.boot_ms - slot->aged_since_ms >= PROBE_PATIENCE_MS
                   ? VERDICT_GOOD
                   : VERDICT_NONE;
    if (slot->polling)
        return event->kind == EVENT_DONE || event->kind == EVENT_REFUSED ||
                       event->kind == EVENT_UNCLEAR || event->kind == EVENT_JOB_THROTTLED
                   ? VERDICT_GOOD
                   : VERDICT_NONE;
    if (event->kind == EVENT_ACCEPTED)
        return VERDICT_NONE;
    return is_trouble(reply) ? VERDICT_TROUBLE : VERDICT_GOOD;
}

void engine_judge_connection(struct engine *engine, struct slot *slot, const struct reply *reply,
                             const struct item_event *event)
{
    struct connection *connection = &engine->connections[slot->connection];
    enum verdict verdict = verdict_of(engine, slot, reply, event);

    if (verdict == VERDICT_NONE)
        return;
    breaker_answered(&connection->breaker, verdict == VERDICT_TROUBLE, slot->is_connection_probe,
                     engine->now.boot_ms, (uint32_t)(rng_next(&engine->rng) >> 32));
    slot->is_connection_probe = false;
}

bool engine_repeat_must_wait(struct engine *engine, struct slot *slot)
{
    if (!slot->is_lost_here || slot->is_budgeted)
        return false;
    if (retry_budget_take(&engine->retries, engine->now.boot_ms)) {
        slot->is_budgeted = true;
        return false;
    }
    return true;
}
