#include <assert.h>
#include <string.h>

#include "engine_private.h"

struct hash128 request_hash(enum http_method method, struct slice path, struct slice body)
{
    uint64_t parts[5];
    struct hash128 path_hash = checksum128(path.bytes, path.length);
    struct hash128 body_hash = checksum128(body.bytes, body.length);

    parts[0] = (uint64_t)method;
    parts[1] = path_hash.high;
    parts[2] = path_hash.low;
    parts[3] = body_hash.high;
    parts[4] = body_hash.low;
    return checksum128(parts, sizeof parts);
}

const char *slot_key(struct engine *engine, struct slot *slot, const struct frozen_request *frozen)
{
    if (slot->key_generation != slot->item.generation) {
        key_derive(slice_of(engine->options.spec_name),
                   slice_of(engine->options.jobs[slot->job].name),
                   slice_of(engine->options.connections[slot->connection].alias), frozen->key,
                   slot->item.generation, slot->key);
        slot->key_generation = slot->item.generation;
    }
    return slot->key;
}

static enum err_code finish_slot(struct engine *engine, struct slot *slot)
{
    slot->place = SLOT_FINISHED;
    queue_push(engine, &engine->finished, slot);
    return ERR_OK;
}

/* It was about to leave but cannot: an event instead of a request. */
static enum err_code give_up(struct engine *engine, struct slot *slot, enum item_event_kind kind,
                             enum reason reason, struct err *err)
{
    struct item_event event = engine_event(kind);
    enum effect effect;

    event.reason = reason;
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    return effect == EFFECT_FINAL ? finish_slot(engine, slot) : slot_rest(engine, slot, err);
}

static void put_on_wire(struct engine *engine, struct slot *slot, bool polling)
{
    slot->place = SLOT_ON_WIRE;
    slot->polling = polling;
    slot->started_boot_ms = engine->now.boot_ms;
    slot->is_probe = engine_take_request(engine);
    if (polling) {
        engine->progress.polls++;
        return;
    }
    engine->progress.sent++;
    if (slot->item.attempt_total > 1)
        engine->progress.retried++;
    slot->is_budgeted = false;
    engine_trust_sent(engine, slot);
    slot->is_connection_probe =
        breaker_take(&engine->connections[slot->connection].breaker, engine->now.boot_ms);
    pace_take(&engine->connections[slot->connection].pace, engine->now.boot_ms);
    window_take(&engine->connections[slot->connection].window);
}

void engine_leave_look_ahead(struct engine *engine, struct slot *slot)
{
    if (!slot->is_ahead)
        return;
    slot->is_ahead = false;
    engine->connections[slot->connection].ahead--;
    if (slot->is_unkeyed_ahead) {
        assert(engine->unkeyed_ahead > 0);
        engine->unkeyed_ahead--;
    }
    slot->is_unkeyed_ahead = false;
}

static enum err_code start_transfer(struct engine *engine, struct slot *slot,
                                    const struct transfer_request *request, struct err *err)
{
    enum err_code code = engine->transport->ops->start(engine->transport, request, err);

    if (code == ERR_OK) {
        put_on_wire(engine, slot, request->remote_job != NULL);
        return ERR_OK;
    }
    if (code == ERR_INPUT) /* the path or the id cannot be part of a URL */
        return give_up(engine, slot, request->remote_job != NULL ? EVENT_UNCLEAR : EVENT_REFUSED,
                       request->remote_job != NULL ? REASON_UNCLASSIFIED : REASON_REFUSED, err);
    return code;
}

bool engine_sends_key(const struct engine_job *job)
{
    return job->repeat == REPEAT_BY_KEY || job->repeat == REPEAT_IF_PROVEN;
}

static enum err_code send_item(struct engine *engine, struct slot *slot, struct err *err)
{
    const struct engine_job *job = &engine->options.jobs[slot->job];
    struct item_event event = engine_event(EVENT_DUE);
    struct frozen_request frozen;
    enum effect effect;
    enum err_code code;

    assert(slot->intent_batch <= engine->batch_durable); /* I1 */
    engine_leave_look_ahead(engine, slot);
    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    if (effect == EFFECT_FINAL)
        return finish_slot(engine, slot);
    assert(effect == EFFECT_SEND);
    code = engine->ledger->ops->read_request(engine->ledger, slot->number, &slot->storage, &frozen,
                                             err);
    if (code != ERR_OK && !ledger_has_none(code))
        return code;
    if (code != ERR_OK || !hash128_equal(request_hash(frozen.method, frozen.path, frozen.body),
                                         slot->item.request_hash)) /* I10 */
        return give_up(engine, slot, EVENT_UNCLEAR, REASON_RECORD_DAMAGED, err);
    return start_transfer(
        engine, slot,
        &(struct transfer_request){
            .tag = slot_index(engine, slot),
            .connection = job->operation->takes_access_token ? slot->connection : UINT32_MAX,
            .method = frozen.method,
            .path = frozen.path,
            .body = frozen.body,
            .idempotency_key = engine_sends_key(job) ? slot_key(engine, slot, &frozen) : NULL,
            .at_most_once = !engine->jobs[slot->job].policy.repeatable,
            .timeout_ms = engine->options.timeout_ms,
            .job = slot->job,
            .item_key = frozen.key,
            .item = slot->number,
            .attempt = slot->item.attempt_total},
        err);
}

/* After a restart the key is derived again, from the item key in the frozen request: without it
 * nobody could tell whether an answer is this write's (I4). ERR_DAMAGED, ERR_NOT_FOUND: it cannot
 * be known. */
static enum err_code know_key(struct engine *engine, struct slot *slot, struct err *err)
{
    struct frozen_request frozen;
    enum err_code code;

    if (slot->key_generation == slot->item.generation ||
        !engine_sends_key(&engine->options.jobs[slot->job]))
        return ERR_OK;
    code = engine->ledger->ops->read_request(engine->ledger, slot->number, &slot->storage, &frozen,
                                             err);
    if (code == ERR_OK)
        (void)slot_key(engine, slot, &frozen);
    buf_deinit(&slot->storage);
    return code;
}

static enum err_code poll_item(struct engine *engine, struct slot *slot, struct err *err)
{
    struct item_event event = engine_event(EVENT_DUE);
    enum effect effect;
    enum err_code code;

    if (engine_step(engine, slot, &event, &effect, err) != ERR_OK)
        return err->code;
    assert(effect == EFFECT_POLL);
    code = know_key(engine, slot, err);
    if (ledger_has_none(code))
        return give_up(engine, slot, EVENT_UNCLEAR, REASON_RECORD_DAMAGED, err);
    if (code != ERR_OK)
        return code;
    return start_transfer(engine, slot,
                          &(struct transfer_request){.tag = slot_index(engine, slot),
                                                     .connection = UINT32_MAX,
                                                     .method = METHOD_GET,
                                                     .remote_job = slot->item.remote_job,
                                                     .job_path = slot->item.job_path,
                                                     .timeout_ms = engine->options.timeout_ms},
                          err);
}

/* The intent of the first that waits is durable, and its repeat can be judged. */
bool engine_head_is_ready(const struct engine *engine, const struct connection *connection)
{
    const struct slot *head = &engine->slots[connection->to_send.head];

    assert(connection->to_send.count > 0);
    return head->intent_batch <= engine->batch_durable && !engine_must_know_clock(engine, head) &&
           engine_trust_allows(engine, head);
}

/* The next connection, in fair turns, that may send and has a durable intent at the head. */
static struct connection *next_sender(struct engine *engine)
{
    uint32_t count = (uint32_t)engine->options.connection_count;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = (engine->next_connection + i) % count;
        struct connection *connection = &engine->connections[index];

        if (connection->to_send.count > 0 && engine_connection_can_send(engine, connection) &&
            engine_head_is_ready(engine, connection)) {
            engine->next_connection = (index + 1) % count;
            return connection;
        }
    }
    return NULL;
}

/* Polls and sends take turns while both are there, so that neither starves the other. */
enum err_code engine_start_transfers(struct engine *engine, struct err *err)
{
    bool send_possible = true;

    if (engine->progress.phase != ENGINE_RUNNING)
        return ERR_OK;
    if (engine_ask(engine, err) != ERR_OK)
        return err->code;
    while (engine_ready_at_ms(engine) <= engine->now.boot_ms &&
           (engine->to_poll.count > 0 || send_possible)) {
        enum err_code code;

        engine->poll_turn = !engine->poll_turn;
        if (engine->to_poll.count > 0 && (engine->poll_turn || !send_possible)) {
            code = poll_item(engine, queue_pop(engine, &engine->to_poll), err);
        } else {
            struct connection *connection = next_sender(engine);

            send_possible = connection != NULL;
            code = connection == NULL
                       ? ERR_OK
                       : send_item(engine, queue_pop(engine, &connection->to_send), err);
        }
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}
