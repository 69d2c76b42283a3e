#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine_private.h"
#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/codec/reply.h"

static struct slice borrowed(const char *text)
{
    return slice_of(text == NULL ? "" : text);
}

/* What an answer means for others than its own item. */
static void apply_scope(struct engine *engine, struct slot *slot,
                        const struct reply_reading *reading)
{
    struct connection *connection = &engine->connections[slot->connection];

    switch (reading->scope) {
    case SCOPE_OF_ITEM:
        if (!slot->polling)
            window_succeeded(&connection->window);
        break;
    case SCOPE_OF_CONNECTION:
        engine->progress.throttled++;
        if (reading->park_reason != NULL) {
            engine_park(engine, connection, reading->park_reason);
            break;
        }
        pace_throttled(&connection->pace, engine->now.boot_ms, reading->pause_ms);
        window_throttled(&connection->window, engine->now.boot_ms);
        break;
    case SCOPE_OF_ALL:
        engine->progress.throttled++;
        pace_throttled(&engine->pace, engine->now.boot_ms, reading->pause_ms);
        break;
    case SCOPE_OF_CREDENTIALS:
        engine_park(engine, connection, reading->park_reason);
        break;
    case SCOPE_OF_RUN:
        engine_stop_run(engine, reading->park_reason != NULL ? STOP_CREDENTIALS : STOP_NOT_THE_API,
                        "%s", reading->message);
        break;
    }
}

/* Ages of jobs count by the boot clock, because the local one may be set: one jump by a day, and
 * the jobs would be taken for slow ones for the rest of the run. */
static void begin_age(const struct engine *engine, struct slot *slot)
{
    slot->aged_since_ms = engine->now.boot_ms;
    slot->is_accepted_here = true;
}

/* The time to the next poll, and what this answer taught about the times of jobs. */
static int64_t poll_delay_ms(struct engine *engine, struct slot *slot, enum item_event_kind kind)
{
    struct connection *connection = &engine->connections[slot->connection];
    int64_t age_ms = engine->now.boot_ms - slot->aged_since_ms;
    bool busy = !connection->ready_exhausted || connection->to_send.count > 0;

    if (kind == EVENT_DONE && slot->polling && slot->is_accepted_here)
        poll_plan_learn(&connection->plan, slot->pending_age_ms, age_ms);
    if (kind == EVENT_PENDING)
        slot->pending_age_ms = age_ms;
    return poll_plan_delay_ms(&connection->plan, age_ms,
                              kind == EVENT_ACCEPTED ? 0 : slot->item.poll_count + 1, busy);
}

static void add_to(struct mean *mean, int64_t value_ms)
{
    mean->sum += value_ms < 0 ? 0 : (uint64_t)value_ms;
    mean->count++;
}

/* How long things take, for the estimates of plans. */
static void learn_times(struct engine *engine, const struct slot *slot, const struct reply *reply,
                        enum item_event_kind kind)
{
    struct connection *connection = &engine->connections[slot->connection];

    if (slot->polling && kind == EVENT_DONE && slot->is_accepted_here)
        add_to(&connection->finish, engine->now.boot_ms - slot->aged_since_ms);
    else if (!slot->polling && kind == EVENT_DONE)
        add_to(&connection->answer, reply->duration_ms);
    else if (!slot->polling && kind == EVENT_ACCEPTED)
        add_to(&connection->accept, reply->duration_ms);
}

/* With -v: what is not the plain way from accepted to done. */
static void log_trouble(const struct engine *engine, const struct slot *slot,
                        const struct reply *reply, const struct reply_reading *reading)
{
    enum item_event_kind kind = reading->event.kind;

    if (kind == EVENT_ACCEPTED || kind == EVENT_DONE || kind == EVENT_PENDING ||
        !log_enabled(LOG_INFO))
        return;
    log_line(LOG_INFO, "%s=%s rule=%s status=%d job=%s connection=%s item=%llu request=%s %s",
             slot->polling ? "poll" : "send", item_event_name(kind), reading->rule,
             reply->http_status, engine->options.jobs[slot->job].name,
             engine->options.connections[slot->connection].alias, (unsigned long long)slot->number,
             reply->request_id == NULL ? "" : reply->request_id, reading->message);
}

static enum err_code put_attempt(struct engine *engine, const struct slot *slot,
                                 const struct reply *reply, const struct reply_reading *reading,
                                 struct err *err)
{
    struct attempt_record attempt = {
        .generation = slot->item.generation,
        .poll = slot->polling,
        .started_ms = engine->now.wall_ms - reply->duration_ms,
        .duration_ms = reply->duration_ms,
        .event = (uint8_t)reading->event.kind,
        .state = (uint8_t)slot->item.state,
        .http_status = (uint16_t)reply->http_status,
        .reason = slot->item.reason,
        .next_due_ms = slot->item.due_ms,
        .request_id = borrowed(reply->request_id),
        .remote_job = slice_of(slot->item.remote_job),
        .error_code = slice_of(slot->item.error_code),
        .message = borrowed(reading->message),
        .rule = borrowed(reading->rule),
        .run = slot->item.sent_run,
    };

    if (attempt.message.length > ERROR_MESSAGE_BYTES_MAX)
        attempt.message.length = ERROR_MESSAGE_BYTES_MAX;
    return engine->ledger->ops->put_attempt(engine->ledger, slot->number, &attempt, err);
}

static enum err_code put_result(struct engine *engine, const struct slot *slot,
                                const struct reply *reply, const struct reply_reading *reading,
                                struct err *err)
{
    struct result_record result = {.http_status = slot->item.http_status,
                                   .body = reading->result,
                                   .message = borrowed(reading->message),
                                   .request_id = borrowed(reply->request_id)};

    return engine->ledger->ops->put_result(engine->ledger, slot->number, &result, err);
}

/* An answer that names another key belongs to another request (I4). */
static const char *key_of(const struct engine *engine, const struct slot *slot)
{
    if (!engine_sends_key(&engine->options.jobs[slot->job]))
        return "";
    assert(slot->key_generation == slot->item.generation);
    return slot->key;
}

static struct reply_reading read_answer(struct engine *engine, const struct slot *slot,
                                        const struct reply *reply)
{
    const struct engine_job *job = &engine->options.jobs[slot->job];

    return reply_read(&engine->arena,
                      &(struct reply_input){.phase = slot->polling ? PHASE_POLL : PHASE_SEND,
                                            .operation = job->operation,
                                            .http_status = reply->http_status,
                                            .body = reply->body,
                                            .content_type = reply->content_type,
                                            .job_id = reply->job_id,
                                            .retry_after = reply->retry_after,
                                            .date = reply->date,
                                            .base_origin = engine->options.base_origin,
                                            .remote_job = slot->item.remote_job,
                                            .idempotency_key = key_of(engine, slot),
                                            .now_ms = engine->now.wall_ms});
}

/* No complete answer: what the transport knows is the event. */
static struct reply_reading read_failure(struct engine *engine, const struct slot *slot,
                                         const struct reply *reply)
{
    static const char *const rules[] = {[TRANSFER_LOST] = "lost",
                                        [TRANSFER_NOT_SENT] = "not_sent",
                                        [TRANSFER_UNTRUSTED] = "untrusted"};
    struct reply_reading reading = {
        .scope = SCOPE_OF_ITEM, .pause_ms = -1, .rule = rules[reply->outcome]};

    reading.event.kind = reply->outcome == TRANSFER_LOST ? EVENT_LOST : EVENT_NOT_SENT;
    reading.event.delay_ms = -1;
    reading.message = reply->failure == NULL ? "" : reply->failure;
    if (reply->outcome != TRANSFER_LOST && !slot->polling)
        engine->progress.sent--; /* what never left was not sent */
    else if (reply->outcome != TRANSFER_LOST)
        engine->progress.polls--;
    if (reply->outcome == TRANSFER_UNTRUSTED)
        engine_stop_run(engine, STOP_NOT_THE_API, "%s", reading.message);
    return reading;
}

static enum err_code after_answer(struct engine *engine, struct slot *slot,
                                  const struct reply *reply, const struct reply_reading *reading,
                                  enum effect effect, struct err *err)
{
    log_trouble(engine, slot, reply, reading);
    if (reading->event.kind != EVENT_PENDING &&
        put_attempt(engine, slot, reply, reading, err) != ERR_OK)
        return err->code;
    if (effect != EFFECT_FINAL)
        return engine_rest(engine, slot, err);
    if (put_result(engine, slot, reply, reading, err) != ERR_OK)
        return err->code;
    engine_count_end(engine, slot);
    slot->place = SLOT_FINISHED;
    queue_push(engine, &engine->finished, slot);
    return ERR_OK;
}

static enum err_code take_one(struct engine *engine, const struct reply *reply, struct err *err)
{
    struct slot *slot = &engine->slots[reply->tag];
    uint64_t failures_before = mem_failure_count();
    struct reply_reading reading;
    enum effect effect;

    assert(reply->tag < engine->slot_count && slot->place == SLOT_ON_WIRE);
    slot->place = SLOT_RESTING;
    engine_request_answered(engine, reply, slot->is_probe);
    if (!slot->polling)
        engine_write_answered(engine, slot, reply);
    arena_clear(&engine->arena);
    if (reply->outcome == TRANSFER_ANSWERED) {
        reading = read_answer(engine, slot, reply);
        engine_learn_clock(engine, reading.server_now_ms);
        apply_scope(engine, slot, &reading);
    } else {
        reading = read_failure(engine, slot, reply);
    }
    buf_deinit(&slot->storage);
    /* An answer that was not read in full must decide nothing: after a stop it is asked for again.
     */
    if (mem_failure_count() > failures_before)
        return err_set(err, ERR_NO_MEMORY, "out of memory for an answer");
    if (!slot->polling &&
        engine_trust_answered(engine, slot, reply->outcome == TRANSFER_ANSWERED ? reply : NULL,
                              reading.event.kind, err) != ERR_OK)
        return err->code;
    engine_judge_connection(engine, slot, reply, &reading.event);
    if (reading.event.kind == EVENT_ACCEPTED)
        begin_age(engine, slot);
    learn_times(engine, slot, reply, reading.event.kind);
    if (reading.event.kind == EVENT_ACCEPTED || reading.event.kind == EVENT_PENDING ||
        reading.event.kind == EVENT_DONE)
        reading.event.delay_ms = poll_delay_ms(engine, slot, reading.event.kind);
    else
        reading.event.delay_ms = reading.pause_ms;
    if (engine_step(engine, slot, &reading.event, &effect, err) != ERR_OK)
        return err->code;
    return after_answer(engine, slot, reply, &reading, effect, err);
}

enum err_code engine_take_answers(struct engine *engine, struct err *err)
{
    struct reply reply;

    while (engine->transport->ops->take(engine->transport, &reply)) {
        if (reply.tag >= STATUS_TAGS)
            engine_take_question(engine, &reply);
        else if (take_one(engine, &reply, err) != ERR_OK) {
            engine->failed = true;
            return err->code;
        }
    }
    return ERR_OK;
}
