/* What decisions depend on in an item, and one step of the real life cycle. */
#include <assert.h>
#include <string.h>

#include "model.h"

#define TICK_MS INT64_C(3600000)
#define NOW_MS INT64_C(1795000000000) /* by the server's clock; ages are relative to it */
#define BOOT_NOW_MS (1000 * TICK_MS)

enum {
    BOOT = 7,
    INTENT_MAX = WINDOW_TICKS + SKEW_TICKS + 1,
    ACCEPTANCE_MAX = STUCK_TICKS + 2 * SKEW_TICKS,
};

static int64_t wall_ms(const struct shared *shared)
{
    return NOW_MS + (shared->skew - SKEW_TICKS) * TICK_MS;
}

static struct key_clock clock_of(const struct shared *shared)
{
    return (struct key_clock){.wall_ms = wall_ms(shared),
                              .boot_ms = BOOT_NOW_MS,
                              .boot = BOOT,
                              .server_ms = shared->clock_known ? NOW_MS : wall_ms(shared),
                              .server_known = shared->clock_known,
                              .given_up = shared->clock_given_up};
}

bool model_is_repeatable(const struct world *world, uint32_t item)
{
    enum kind kind = (enum kind)world->items[item].kind;

    return kind == KIND_PROVABLE ? world->shared.proof == 2 : kind != KIND_UNKEYED;
}

static struct policy policy_of(const struct world *world, uint32_t item)
{
    enum kind kind = (enum kind)world->items[item].kind;

    return (struct policy){
        .repeatable = model_is_repeatable(world, item),
        .by_nature = kind == KIND_NATURAL,
        .attempt_limit = ATTEMPT_LIMIT,
        .rekey_limit = REKEY_LIMIT,
        .first_delay_ms = 1000,
        .max_delay_ms = 60000,
        .key_window_ms = kind == KIND_NATURAL ? INT64_MAX : WINDOW_TICKS * TICK_MS,
        .give_up_ms = kind == KIND_IMPATIENT ? TICK_MS : 0,
        .missing_limit = MISSING_LIMIT,
        .missing_for_ms = MISSING_TICKS * TICK_MS,
        .stuck_ms = STUCK_TICKS * TICK_MS,
    };
}

struct value model_new_value(enum kind kind)
{
    struct value value = {.state = kind == KIND_NEEDY ? ITEM_BLOCKED : ITEM_READY,
                          .generation = 1,
                          .needs = kind == KIND_NEEDY,
                          .waits = kind == KIND_NEEDY ? WAIT_ITEM : WAIT_NONE,
                          .intent = AGE_NONE,
                          .true_intent = AGE_NONE,
                          .acceptance = AGE_NONE};

    return value;
}

/* What is left out has one value or another. */
static void fill_in_the_rest(struct item *item, bool other)
{
    if (!other)
        return;
    item->job = 3;
    item->connection = 4;
    item->poll_count = 17;
    item->trouble_count = 9;
    item->attempt_total = 50;
    item->seen_run = item->sent_run = 12;
    item->corrected = true;
    item->source_hash.high = 99;
    item->http_status = 418;
    item->due_ms = NOW_MS + 5;
    item->finished_ms = item->changed_ms = NOW_MS - 5;
    item->has_dependents = true;
    item->job_path = JOB_PATH_V2;
    memcpy(item->error_type, "type", 5);
    memcpy(item->error_code, "code", 5);
    if (item->state != ITEM_SENDING) {
        item->intent_ms = NOW_MS - 77 * TICK_MS;
        item->intent_boot_ms = BOOT_NOW_MS - 88 * TICK_MS;
        item->intent_boot = BOOT;
    }
    if (item->state != ITEM_WAITING)
        item->accepted_ms = NOW_MS - 99 * TICK_MS;
}

static struct item decode(const struct value *value, const struct shared *shared, bool other)
{
    struct item item = {.state = (enum item_state)value->state,
                        .reason = (enum reason)value->reason,
                        .generation = value->generation,
                        .attempt_count = value->attempts,
                        .missing_count = value->missing,
                        .attempt_total = value->attempts,
                        .waits_on = (enum wait_kind)value->waits,
                        .waits_for = value->waits == WAIT_NONE ? 0 : 5,
                        .has_needs = value->needs,
                        .unknown_send = value->unknown_send,
                        .accepted = value->accepted,
                        .request_hash = {.low = value->body}};

    fill_in_the_rest(&item, other);
    if (value->state == ITEM_SENDING) {
        item.intent_ms = NOW_MS - value->intent * TICK_MS;
        item.intent_boot = value->this_boot ? BOOT : BOOT - 1;
        item.intent_boot_ms = value->this_boot ? BOOT_NOW_MS - value->true_intent * TICK_MS
                              : other          ? 123
                                               : BOOT_NOW_MS;
    }
    if (value->state == ITEM_WAITING) {
        item.accepted_ms = wall_ms(shared) - value->acceptance * TICK_MS;
        item.remote_job[0] = (char)('0' + value->job);
    }
    return item;
}

static int8_t age_of(int64_t now_ms, int64_t then_ms, int max)
{
    int64_t age = (now_ms - then_ms) / TICK_MS;

    assert((now_ms - then_ms) % TICK_MS == 0 && age > AGE_NONE);
    return (int8_t)(age > max ? max : age);
}

static struct value encode(const struct item *item, const struct value *before,
                           const struct shared *shared)
{
    struct value value = {.state = (uint8_t)item->state,
                          .generation = (uint8_t)item->generation,
                          .unknown_send = item->unknown_send,
                          .accepted = item->accepted,
                          .body = (uint8_t)item->request_hash.low,
                          .needs = item->has_needs,
                          .waits = (uint8_t)item->waits_on,
                          .intent = AGE_NONE,
                          .true_intent = AGE_NONE,
                          .acceptance = AGE_NONE};

    if (item->state == ITEM_WAITING || item->state == ITEM_CANCELLED)
        value.reason = (uint8_t)item->reason;
    if (item->state == ITEM_SENDING) {
        bool is_new = before->state != ITEM_SENDING || before->generation != value.generation;

        value.attempts = (uint8_t)item->attempt_count;
        value.intent = age_of(NOW_MS, item->intent_ms, INTENT_MAX);
        value.this_boot = item->intent_boot == BOOT;
        value.true_intent = is_new ? 0 : before->true_intent;
        value.lost = is_new ? 0 : before->lost;
    }
    if (item->state == ITEM_WAITING) {
        value.job = (uint8_t)(item->remote_job[0] - '0');
        value.missing =
            (uint8_t)(item->missing_count > MISSING_LIMIT ? MISSING_LIMIT : item->missing_count);
        value.acceptance = age_of(wall_ms(shared), item->accepted_ms, ACCEPTANCE_MAX);
    }
    return value;
}

static struct item_event fill_event(const struct model_event *event, const struct shared *shared,
                                    bool other, char job[2])
{
    struct key_clock clock = clock_of(shared);

    job[0] = (char)('0' + event->job);
    job[1] = '\0';
    return (struct item_event){.kind = event->kind,
                               .now_ms = clock.wall_ms,
                               .server_now_ms = clock.server_ms,
                               .boot_now_ms = clock.boot_ms,
                               .boot = clock.boot,
                               .run = other ? 12 : 1,
                               .delay_ms = other ? 5000 : -1,
                               .random = other ? 0x12345678 : 0,
                               .http_status = other ? 418 : 200,
                               .accepted = event->job != 0,
                               .reason = event->reason,
                               .job_path = other ? JOB_PATH_V2 : JOB_PATH_BASE,
                               .remote_job = job,
                               .error_type = other ? "type" : NULL,
                               .request_hash = {.low = event->body},
                               .waits_on = event->kind == EVENT_WAITS ? WAIT_ITEM : WAIT_NONE,
                               .waits_for = event->kind == EVENT_WAITS ? 5 : 0};
}

struct value model_step_value(struct model *model, const struct world *world, uint32_t item,
                              const struct value *value, const struct model_event *event,
                              enum effect *effect_out, bool *stored_out)
{
    const struct shared *shared = &world->shared;
    struct policy policy = policy_of(world, item);
    struct key_clock clock = clock_of(shared);
    uint32_t rounds = model->checks_projection ? 2 : 1;
    struct value results[2];
    struct step steps[2];

    *effect_out = EFFECT_NONE;
    *stored_out = false;
    model->steps++;
    model->cells[value->state][event->kind]++;
    for (uint32_t i = 0; i < rounds; i++) {
        struct item before = decode(value, shared, i == 1);
        char job[2];
        struct item_event full = fill_event(event, shared, i == 1, job);

        if (event->kind == EVENT_CHANGED)
            full.has_needs = before.has_needs;
        full.key_age_ms =
            model->rules->key_age(&before, world->items[item].is_server_stamp, &clock);
        steps[i] = model->rules->step(&before, &full, &policy);
        if (!steps[i].legal) {
            model->broken = "an event comes that cannot happen in this state";
            return *value;
        }
        results[i] = encode(&steps[i].item, value, shared);
        *stored_out = model->rules->must_be_stored(&before, &steps[i].item);
        *effect_out = steps[i].effect;
        /* The reason of an end matters to its judge only. */
        if (steps[i].effect == EFFECT_FINAL && steps[i].item.state == ITEM_IN_DOUBT)
            model->doubt = (uint8_t)steps[i].item.reason;
    }
    if (rounds == 2 && (memcmp(&results[0], &results[1], sizeof results[0]) != 0 ||
                        steps[0].effect != steps[1].effect))
        model->broken = "the step depends on something that it should not";
    return results[0];
}

bool model_is_legal(const struct model *model, const struct world *world, uint32_t item,
                    const struct value *value, const struct model_event *event)
{
    struct item before = decode(value, &world->shared, false);
    struct policy policy = policy_of(world, item);
    char job[2];
    struct item_event full = fill_event(event, &world->shared, false, job);

    return model->rules->step(&before, &full, &policy).legal;
}

bool model_is_unused_intent(struct model *model, const struct world *world, uint32_t item)
{
    struct item memory = decode(&world->items[item].memory, &world->shared, false);

    return model->rules->is_unused_intent(&memory);
}

bool model_needs_server(struct model *model, const struct world *world, uint32_t item)
{
    struct item memory = decode(&world->items[item].memory, &world->shared, false);
    struct key_clock clock = clock_of(&world->shared);

    return model->rules->needs_server(&memory, &clock);
}

bool model_correct_intent(struct model *model, struct world *world, uint32_t item)
{
    struct value *value = &world->items[item].memory;
    struct item memory = decode(value, &world->shared, false);
    struct key_clock clock = clock_of(&world->shared);

    bool is_news = model->rules->correct_intent(&memory, &clock);

    *value = encode(&memory, value, &world->shared);
    return is_news;
}

static int8_t older(int8_t age, int max)
{
    return age == AGE_NONE || age >= max ? age : (int8_t)(age + 1);
}

void model_age_value(struct value *value)
{
    value->intent = older(value->intent, INTENT_MAX);
    value->true_intent = older(value->true_intent, INTENT_MAX);
    value->acceptance = older(value->acceptance, ACCEPTANCE_MAX);
}

void model_turn_clock(struct value *value, int ticks)
{
    int age = value->acceptance + ticks;

    if (value->acceptance != AGE_NONE)
        value->acceptance = (int8_t)(age > ACCEPTANCE_MAX ? ACCEPTANCE_MAX : age);
}
