/* What purser does while it runs, as the engine does it. Which of the things that are possible
 * comes next is open: so every order of turns, batches and timers is among the histories. */
#include <assert.h>
#include <string.h>

#include "model.h"

static const struct reading *reading_of(const struct model *model, uint8_t reply)
{
    assert(reply > 0 && reply <= model->readings.count);
    return &model->readings.list[reply - 1];
}

static bool is_up(const struct model *model)
{
    return model->from->shared.up != 0;
}

/* One step of what the process holds, and what the engine notes down with it. */
static enum effect apply(struct model *model, struct world *world, uint32_t item,
                         const struct model_event *event, enum situation situation)
{
    struct local *local = &world->items[item];
    const struct value before = local->memory;
    enum effect effect;
    bool is_stored;

    if (event->kind == EVENT_LOST && before.state == ITEM_SENDING)
        local->unsure = 1;
    local->memory = model_step_value(model, world, item, &before, event, &effect, &is_stored);
    if (event->kind == EVENT_LOST && local->memory.state == ITEM_SENDING &&
        local->memory.lost < ATTEMPT_LIMIT)
        local->memory.lost++;
    if (is_stored) {
        local->staged = local->memory;
        local->is_dirty = 1;
    }
    if (local->memory.state == ITEM_IN_DOUBT)
        model_judge_doubt(model, world, item, &before, event->kind, situation);
    if (effect == EFFECT_FINAL && model->rules->shows_before_durable)
        local->shown = local->memory.state;
    if (local->memory.state == ITEM_SENDING &&
        (before.state != ITEM_SENDING || before.generation != local->memory.generation)) {
        local->intent_open =
            !(model->rules->intent_of_rekey_is_open && event->kind == EVENT_JOB_THROTTLED);
        local->is_new_intent = 1;
        local->is_server_stamp = world->shared.clock_known;
        local->unsure = 0;
    }
    return effect;
}

/* The server told its time, or its answer shows that it tells none. */
static void learn_clock(struct model *model, struct world *world, uint32_t item)
{
    if (world->items[item].kind == KIND_TIMELESS || world->shared.clock_known)
        return;
    world->shared.clock_known = 1;
    for (uint32_t i = 0; i < model->items; i++) {
        struct local *local = &world->items[i];

        if (local->place == PLACE_NOWHERE || local->is_server_stamp ||
            local->memory.state != ITEM_SENDING ||
            (!local->is_new_intent && !local->memory.this_boot))
            continue;
        local->is_server_stamp = 1;
        if (!model_correct_intent(model, world, i))
            continue;
        local->staged = local->memory;
        local->is_dirty = local->intent_open = 1;
    }
}

/* --- items begin --- */

static void start(struct model *model, uint32_t item)
{
    const struct local *from = &model->from->items[item];
    struct world next = *model->from;
    struct local *local = &next.items[item];
    enum item_state state =
        (enum item_state)(from->place == PLACE_NOWHERE ? from->disk.state : from->memory.state);

    if (state != ITEM_READY || (from->place == PLACE_NOWHERE && from->is_dirty))
        return;
    if (from->place == PLACE_NOWHERE)
        local->memory = local->disk;
    local->place = PLACE_RESTING;
    apply(model, &next, item, &(struct model_event){.kind = EVENT_START}, LOST);
    model_emit(model, &next, "intent is made", NULL, item, false);
    if (!from->disk.needs || from->place != PLACE_NOWHERE)
        return;
    next = *model->from;
    local->memory = local->disk;
    local->place = PLACE_RESTING;
    apply(model, &next, item, &(struct model_event){.kind = EVENT_WAITS}, LOST);
    model_emit(model, &next, "what it needs is under way again", NULL, item, true);
}

static void unblock(struct model *model, uint32_t item)
{
    static const struct {
        enum item_event_kind kind;
        const char *text;
        bool is_fault;
    } ways[] = {{EVENT_UNBLOCKED, "its needs are met", false},
                {EVENT_WAITS, "another need is not met", true},
                {EVENT_NOT_RENDERED, "its request cannot be made", true},
                {EVENT_SKIPPED, "its if: is false", true}};
    const struct local *from = &model->from->items[item];

    if (from->place != PLACE_NOWHERE || from->disk.state != ITEM_BLOCKED)
        return;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct world next = *model->from;
        struct local *local = &next.items[item];

        local->memory = local->disk;
        local->place = PLACE_RESTING;
        apply(model, &next, item,
              &(struct model_event){.kind = ways[i].kind, .body = from->disk.body}, LOST);
        model_emit(model, &next, ways[i].text, NULL, item, ways[i].is_fault);
    }
}

/* The run ends, or its connection is parked. */
static void withdraw(struct model *model, uint32_t item)
{
    struct world next = *model->from;

    if (next.items[item].place != PLACE_RESTING || next.items[item].memory.state != ITEM_SENDING ||
        !model_is_unused_intent(model, model->from, item))
        return;
    apply(model, &next, item, &(struct model_event){.kind = EVENT_WITHDRAWN}, LOST);
    model_emit(model, &next, "intent is taken back", NULL, item, true);
}

/* --- sends --- */

/* A connection is asked for its status before the first write of a run, which tells the time too.
 */
static bool must_ask_first(struct model *model, uint32_t item)
{
    const struct shared *shared = &model->from->shared;

    return model_needs_server(model, model->from, item) ||
           (!shared->clock_known && !shared->clock_given_up && !model->rules->asks_nothing_first);
}

static bool is_trusted(const struct model *model, uint32_t item)
{
    if (model->from->items[item].kind != KIND_PROVABLE)
        return true;
    if (model->from->shared.proof == 1) /* shown, and not durable yet */
        return false;
    for (uint32_t i = 0; i < model->items; i++)
        if (i != item && model->from->shared.proof == 0 &&
            model->from->items[i].place == PLACE_ON_WIRE)
            return false;
    return true;
}

static uint8_t key_of(const struct model *model, const struct world *world, uint32_t item)
{
    if (model->rules->key_is_random)
        return (uint8_t)(1 + world->shared.is_odd);
    return world->items[item].memory.generation;
}

static bool put_on_wire(struct model *model, struct world *world, uint32_t item)
{
    struct local *local = &world->items[item];

    local->place = PLACE_ON_WIRE;
    for (uint32_t i = 0; i < model->copies; i++) {
        if (local->copies[i].key != 0)
            continue;
        local->copies[i] = (struct copy){
            .key = key_of(model, world, item), .body = local->memory.body, .is_awaited = 1};
        return true;
    }
    return false;
}

static void send(struct model *model, uint32_t item)
{
    const struct local *from = &model->from->items[item];
    struct world next = *model->from, unsent;
    const struct reading *not_sent = &model->readings.list[model->readings.first[NOT_SENT]];
    enum effect effect;

    if (from->place != PLACE_RESTING || from->memory.state != ITEM_SENDING ||
        (from->intent_open && !model->rules->sends_before_durable) || must_ask_first(model, item) ||
        !is_trusted(model, item))
        return;
    effect = apply(model, &next, item, &(struct model_event){.kind = EVENT_DUE}, LOST);
    if (effect != EFFECT_SEND) {
        model_emit(model, &next, "it is too late to send it again", NULL, item, false);
        return;
    }
    model_judge_send(model, &next, item);
    unsent = next;
    apply(model, &unsent, item, &(struct model_event){.kind = not_sent->event}, NOT_SENT);
    model_emit(model, &unsent, "no byte of the request can be sent", NULL, item, true);
    if (put_on_wire(model, &next, item))
        model_emit(model, &next, "request is sent", NULL, item, false);
    if (model->rules->transport_repeats && put_on_wire(model, &next, item))
        model_emit(model, &next, "request is sent twice by the transport", NULL, item, true);
}

static void stop_waiting(struct local *local)
{
    for (uint32_t i = 0; i < COPIES_MAX; i++)
        local->copies[i].is_awaited = 0;
    local->place = PLACE_RESTING;
    local->reply = local->reply_key = 0;
}

static void lose(struct model *model, uint32_t item)
{
    struct world next = *model->from;
    struct local *local = &next.items[item];
    bool is_fault = local->reply != 0;

    if (local->place != PLACE_ON_WIRE)
        return;
    for (uint32_t i = 0; i < COPIES_MAX; i++)
        is_fault = is_fault || (local->copies[i].key != 0 && local->copies[i].is_awaited);
    stop_waiting(local);
    apply(model, &next, item, &(struct model_event){.kind = EVENT_LOST}, LOST);
    model_emit(model, &next, "no answer within the time", NULL, item, is_fault);
}

static void take_reply(struct model *model, uint32_t item)
{
    struct world next = *model->from;
    struct local *local = &next.items[item];
    const struct reading *reading;
    struct model_event event;

    if (local->place != PLACE_ON_WIRE || local->reply == 0)
        return;
    reading = reading_of(model, local->reply);
    event = (struct model_event){
        .kind = reading->event, .reason = reading->reason, .job = local->reply_key};
    stop_waiting(local);
    learn_clock(model, &next, item);
    if (reading->shows_key && local->kind == KIND_PROVABLE && next.shared.proof == 0)
        next.shared.proof = 1;
    apply(model, &next, item, &event, reading->situation);
    model_emit(model, &next, "answer is taken: %s", reading->rule, item, false);
}

/* --- polls: a question and its answer at once, for asking changes nothing --- */

static enum situation truth_of(const struct remote *remote)
{
    static const enum situation truths[] = {
        [JOB_NONE] = POLL_MISSING,        [JOB_RUNNING] = POLL_PENDING,
        [JOB_SUCCEEDED] = POLL_SUCCEEDED, [JOB_PARTIAL] = POLL_PARTIAL,
        [JOB_REFUSED] = POLL_REFUSED,     [JOB_THROTTLED] = POLL_THROTTLED,
        [JOB_ERROR] = POLL_ERROR};

    return remote->is_lost ? POLL_MISSING : truths[remote->status];
}

static void answer_poll(struct model *model, uint32_t item, enum situation situation, bool is_fault)
{
    for (uint8_t i = model->readings.first[situation]; i < model->readings.first[situation + 1];
         i++) {
        const struct reading *reading = &model->readings.list[i];
        struct world next = *model->from;

        if (apply(model, &next, item, &(struct model_event){.kind = EVENT_DUE}, LOST) !=
            EFFECT_POLL)
            model->broken = "a job that is waited for is not asked for";
        if (situation != LOST && situation != NOT_SENT)
            learn_clock(model, &next, item);
        apply(model, &next, item,
              &(struct model_event){.kind = reading->event, .reason = reading->reason}, situation);
        model_emit(model, &next, "job is asked for: %s", reading->rule, item, is_fault);
    }
}

static void poll(struct model *model, uint32_t item)
{
    const struct local *local = &model->from->items[item];

    if (local->place != PLACE_RESTING || local->memory.state != ITEM_WAITING)
        return;
    answer_poll(model, item, truth_of(&local->remotes[local->memory.job]), false);
    answer_poll(model, item, POLL_TROUBLE, true);
    answer_poll(model, item, LOST, true);
    answer_poll(model, item, NOT_SENT, true);
    answer_poll(model, item, POLL_OF_ANOTHER, true);
    if (!local->remotes[local->memory.job].is_lost)
        answer_poll(model, item, POLL_MISSING, true);
}

/* --- the process --- */

static void make_durable(struct local *local)
{
    if (local->is_dirty) {
        local->disk = local->staged;
        if (local->disk.state == ITEM_WAITING || local->disk.accepted)
            local->ended = local->disk.generation;
    }
    local->is_dirty = 0;
    local->intent_open = 0;
}

static void commit(struct model *model)
{
    struct world next = *model->from;
    bool is_due = next.shared.proof == 1;

    for (uint32_t i = 0; i < model->items; i++)
        is_due = is_due || next.items[i].is_dirty;
    if (!is_due)
        return;
    for (uint32_t i = 0; i < model->items; i++)
        make_durable(&next.items[i]);
    next.shared.proof = next.shared.proof == 0 ? 0 : 2;
    model_emit(model, &next, "batch is durable", NULL, SHARED_ACTION, false);
    if (!model->rules->ignores_failed_commits)
        return;
    next = *model->from;
    for (uint32_t i = 0; i < model->items; i++)
        next.items[i].is_dirty = next.items[i].intent_open = 0;
    model_emit(model, &next, "batch fails, and nobody cares", NULL, SHARED_ACTION, true);
}

static void ask_for_time(struct model *model)
{
    struct world next = *model->from;

    if (next.shared.clock_known || next.shared.clock_given_up)
        return;
    for (uint32_t i = 0; i < model->items; i++) {
        if (next.items[i].place != PLACE_RESTING || next.items[i].memory.state != ITEM_SENDING ||
            !must_ask_first(model, i))
            continue;
        learn_clock(model, &next, i);
        next.shared.clock_given_up = !next.shared.clock_known;
        model_emit(model, &next, "the server is asked for its time", NULL, SHARED_ACTION, false);
        return;
    }
}

static void crash(struct model *model)
{
    struct world next = *model->from;

    for (uint32_t i = 0; i < model->items; i++) {
        struct local *local = &next.items[i];

        stop_waiting(local);
        local->memory = local->staged = (struct value){0};
        local->place = PLACE_NOWHERE;
        local->is_dirty = local->intent_open = local->is_server_stamp = local->is_new_intent = 0;
        local->unsure = 0;
    }
    next.shared.up = next.shared.clock_known = next.shared.clock_given_up = 0;
    next.shared.proof = next.shared.proof == 2 ? 2 : 0;
    model_emit(model, &next, "CRASH", NULL, SHARED_ACTION, true);
}

static void begin_run(struct model *model)
{
    struct world next = *model->from;

    next.shared.up = 1;
    if (model->rules->key_is_random)
        next.shared.is_odd ^= 1;
    for (uint32_t i = 0; i < model->items; i++) {
        struct local *local = &next.items[i];

        if (local->disk.state != ITEM_SENDING && local->disk.state != ITEM_WAITING)
            continue;
        local->memory = local->disk;
        local->memory.missing = 0;
        local->place = PLACE_RESTING;
        local->unsure = local->disk.state == ITEM_SENDING || local->disk.unknown_send;
        apply(model, &next, i, &(struct model_event){.kind = EVENT_RESTARTED}, LOST);
    }
    model_emit(model, &next, "purser starts", NULL, SHARED_ACTION, false);
}

void model_process_moves(struct model *model)
{
    if (!is_up(model)) {
        begin_run(model);
        return;
    }
    for (uint32_t i = 0; i < model->items; i++) {
        start(model, i);
        unblock(model, i);
        withdraw(model, i);
        send(model, i);
        lose(model, i);
        take_reply(model, i);
        poll(model, i);
    }
    commit(model);
    ask_for_time(model);
    crash(model);
}
