#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine_private.h"
#include "purser/base/log.h"
#include "purser/engine/undo.h"

int64_t engine_server_now_ms(const struct engine *engine)
{
    if (engine->server_clock_known)
        return engine->now.boot_ms + engine->server_offset_ms;
    return engine->now.wall_ms;
}

struct key_clock engine_key_clock(const struct engine *engine)
{
    return (struct key_clock){.wall_ms = engine->now.wall_ms,
                              .boot_ms = engine->now.boot_ms,
                              .boot = engine->options.boot,
                              .server_ms = engine_server_now_ms(engine),
                              .server_known = engine->server_clock_known,
                              .given_up = engine->clock_given_up};
}

struct item_event engine_event(enum item_event_kind kind)
{
    return (struct item_event){.kind = kind, .delay_ms = -1};
}

/* What holds for every event, whoever has made it. */
static void surround(struct engine *engine, const struct slot *slot, struct item_event *event)
{
    struct key_clock clock = engine_key_clock(engine);

    event->now_ms = engine->now.wall_ms;
    event->server_now_ms = engine_server_now_ms(engine);
    event->boot_now_ms = engine->now.boot_ms;
    event->boot = engine->options.boot;
    event->run = engine->options.run;
    event->lost_since_ms = engine->options.lost_since_ms;
    event->key_age_ms = key_age_ms(&slot->item, slot->has_server_intent, &clock);
    event->random = (uint32_t)(rng_next(&engine->rng) >> 32);
}

static void count_states(struct engine *engine, const struct slot *slot, enum item_state before,
                         enum item_state after)
{
    struct connection *connection = &engine->connections[slot->connection];

    if (before == after)
        return;
    if (before == ITEM_SENDING)
        connection->sending_count--;
    if (after == ITEM_SENDING)
        connection->sending_count++;
    if (before == ITEM_WAITING)
        engine->waiting_count--;
    if (after == ITEM_WAITING)
        engine->waiting_count++;
}

static void count_stuck(struct engine *engine, const struct item *before, const struct item *after)
{
    bool was = before->state == ITEM_WAITING && before->reason == REASON_STUCK_PENDING;
    bool is = after->state == ITEM_WAITING && after->reason == REASON_STUCK_PENDING;

    if (was != is)
        engine->progress.stuck += is ? 1 : -1u;
}

/* The one line that sees every change. */
static void log_step(const struct engine *engine, const struct slot *slot,
                     const struct item_event *event, enum item_state before)
{
    if (log_enabled(LOG_DEBUG))
        log_line(
            LOG_DEBUG, "event=%s job=%s connection=%s item=%llu generation=%u %s -> %s%s%s",
            item_event_name(event->kind), engine->options.jobs[slot->job].name,
            engine->options.connections[slot->connection].alias, (unsigned long long)slot->number,
            slot->item.generation, item_state_name(before), item_state_name(slot->item.state),
            slot->item.reason == REASON_NONE ? "" : " reason=", reason_code(slot->item.reason));
}

void engine_touch_batch(struct engine *engine)
{
    if (engine->batch_since_boot_ms == 0)
        engine->batch_since_boot_ms = engine->now.boot_ms;
}

/* What the item reverses has its end in the same batch. */
static enum err_code settle_undo(struct engine *engine, const struct slot *slot, struct err *err)
{
    struct ledger *ledger = engine->ledger;
    struct frozen_request request;
    struct buf storage;
    enum err_code code;

    buf_init(&storage, BODY_BYTES_MAX + PATH_BYTES_MAX + ITEM_KEY_BYTES_MAX + 4096);
    code = ledger_require(ledger->ops->read_request(ledger, slot->number, &storage, &request, err),
                          "the request of an undo", err);
    if (code == ERR_OK)
        code = undo_settle(ledger, engine->options.jobs[slot->job].undone_job, &slot->item,
                           &request, engine->now.wall_ms, err);
    buf_deinit(&storage);
    return code;
}

enum err_code engine_step(struct engine *engine, struct slot *slot, struct item_event *event,
                          enum effect *effect_out, struct err *err)
{
    struct item before = slot->item;
    struct step step;

    surround(engine, slot, event);
    step = lifecycle_step(&before, event, &engine->jobs[slot->job].policy);
    assert(step.legal);
    slot->item = step.item;
    *effect_out = step.effect;
    log_step(engine, slot, event, before.state);
    count_states(engine, slot, before.state, step.item.state);
    count_stuck(engine, &before, &step.item);
    if (step.effect == EFFECT_FINAL)
        engine_canary_ends(engine, slot);
    if (!lifecycle_must_be_stored(&before, &step.item))
        return ERR_OK;
    if (engine->ledger->ops->put_item(engine->ledger, slot->number, &before, &step.item, err) !=
        ERR_OK) {
        engine->failed = true;
        return err->code;
    }
    slot->last_batch = engine->batch_open;
    if (step.item.release_due) {
        engine->awaited_count++;
        engine->commit_urgent = true;
    }
    engine_touch_batch(engine);
    if (*effect_out == EFFECT_FINAL && engine->options.jobs[slot->job].undoes) {
        enum err_code code = settle_undo(engine, slot, err);

        if (code != ERR_OK) {
            engine->failed = true;
            return code;
        }
    }
    if (step.item.state == ITEM_SENDING &&
        (before.state != ITEM_SENDING || before.generation != step.item.generation)) {
        slot->intent_batch = engine->batch_open;
        slot->has_new_intent = true;
        slot->has_server_intent =
            step.item.reason != REASON_RESTORED_STATE && engine->server_clock_known;
    }
    return ERR_OK;
}

void engine_stop_run(struct engine *engine, enum engine_stop stop, const char *format, ...)
{
    va_list arguments;

    if (engine->progress.stop != STOP_NONE)
        return;
    engine->progress.stop = stop;
    va_start(arguments, format);
    if (vsnprintf(engine->progress.stop_text, sizeof engine->progress.stop_text, format,
                  arguments) < 0)
        engine->progress.stop_text[0] = '\0';
    va_end(arguments);
    if (engine->progress.phase == ENGINE_RUNNING)
        engine->progress.phase = ENGINE_DRAINING;
}
