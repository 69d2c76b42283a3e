/* What purser does: the engine's part, in few words. */
#include "life.h"

#include <string.h>

void life_break(struct life *life, const char *law)
{
    if (life->broken == NULL)
        life->broken = law;
}

static struct key_clock clock_of(const struct life *life)
{
    int64_t wall_ms = life->now_ms + life->skew_ms;

    return (struct key_clock){.wall_ms = wall_ms,
                              .boot_ms = life->now_ms - life->boot_zero_ms,
                              .boot = life->boot,
                              .server_ms = life->clock_known ? life->now_ms : wall_ms,
                              .server_known = life->clock_known};
}

struct item_event life_event(const struct life *life, const struct life_item *item,
                             enum item_event_kind kind)
{
    struct key_clock clock = clock_of(life);

    return (struct item_event){
        .kind = kind,
        .now_ms = clock.wall_ms,
        .server_now_ms = clock.server_ms,
        .boot_now_ms = clock.boot_ms,
        .boot = clock.boot,
        .run = life->run,
        .delay_ms = life->c % 8 == 0 ? (life->c + 1) * 1000 : -1,
        .random = life->c * 0x01010101u,
        .request_hash = item->memory.request_hash,
        .key_age_ms = life->rules->key_age(&item->memory, item->is_server_stamp, &clock)};
}

/* What a restart could not find out again. */
static bool is_worth_a_write(const struct life_belief *before, const struct life_belief *after)
{
    return before->state != after->state || before->reason != after->reason ||
           before->generation != after->generation || before->unsure != after->unsure;
}

enum effect life_apply(struct life *life, struct life_item *item, const struct item_event *event)
{
    struct item before = item->memory;
    struct life_belief was = item->belief;
    struct step step = life->rules->step(&before, event, &item->policy);
    bool is_stored;

    life_steps++;
    life_cells[before.state] |= UINT64_C(1) << event->kind;
    if (!step.legal) {
        life_break(life, "an event that can happen is not taken");
        return EFFECT_NONE;
    }
    life_judge_step(life, item, event, &step);
    item->memory = step.item;
    if (step.item.state == ITEM_READY || step.item.state == ITEM_FAILED)
        item->sent_generation = 0; /* nothing stands under its key */
    is_stored = life->rules->must_be_stored(&before, &step.item);
    if (is_stored) {
        item->staged = step.item;
        item->staged_belief = item->belief;
        item->is_dirty = true;
    } else if (is_worth_a_write(&was, &item->belief)) {
        life_break(life, "what a restart must know is not stored");
    }
    if (step.item.state == ITEM_SENDING &&
        (before.state != ITEM_SENDING || before.generation != step.item.generation)) {
        item->intent_open = true;
        item->is_server_stamp = life->clock_known;
    }
    return step.effect;
}

void life_load(struct life_item *item)
{
    item->memory = item->disk;
    item->belief = item->disk_belief;
    item->is_loaded = true;
}

void life_commit(struct life *life)
{
    for (uint32_t i = 0; i < life->item_count; i++) {
        struct life_item *item = &life->items[i];

        if (item->is_dirty) {
            item->disk = item->staged;
            item->disk_belief = item->staged_belief;
        }
        item->is_dirty = item->intent_open = false;
        item->disk.missing_count = 0; /* is not stored */
        item->disk_belief.missing = 0;
        if (item->is_loaded && !item_state_is_active(item->memory.state))
            item->is_loaded = false;
    }
}

void life_stop_waiting(struct life_item *item)
{
    for (uint32_t i = 0; i < item->copy_count; i++)
        item->copies[i].is_awaited = false;
    item->on_wire = false;
}

void life_learn_clock(struct life *life)
{
    life->clock_known = true;
    for (uint32_t i = 0; i < life->item_count; i++) {
        struct life_item *item = &life->items[i];
        struct key_clock clock = clock_of(life);

        if (!item->is_loaded || item->is_server_stamp || item->memory.state != ITEM_SENDING ||
            item->memory.intent_boot != life->boot)
            continue;
        item->is_server_stamp = true;
        if (!life->rules->correct_intent(&item->memory, &clock))
            continue;
        item->staged = item->memory;
        item->staged_belief = item->belief;
        item->is_dirty = item->intent_open = true;
    }
}

void life_begin_run(struct life *life)
{
    life->up = true;
    life->run++;
    for (uint32_t i = 0; i < life->item_count; i++) {
        struct life_item *item = &life->items[i];
        struct item_event event;

        if (!item_state_is_active(item->disk.state))
            continue;
        life_load(item);
        event = life_event(life, item, EVENT_RESTARTED);
        life_apply(life, item, &event);
    }
}

void life_crash(struct life *life, bool with_boot)
{
    for (uint32_t i = 0; i < life->item_count; i++) {
        struct life_item *item = &life->items[i];

        life_stop_waiting(item);
        item->is_loaded = item->is_dirty = item->intent_open = item->is_server_stamp = false;
    }
    life->up = life->clock_known = false;
    if (with_boot) {
        life->boot++;
        life->boot_zero_ms = life->now_ms - life->c * LIFE_MINUTE_MS;
    }
}

void life_start(struct life *life, struct life_item *item)
{
    struct item_event event;

    life_load(item);
    event = life_event(life, item, EVENT_START);
    life_apply(life, item, &event);
}

bool life_can_send(const struct life *life, const struct life_item *item)
{
    return item->is_loaded && !item->on_wire && item->memory.state == ITEM_SENDING &&
           !item->intent_open && life->clock_known && item->copy_count < LIFE_COPIES_MAX;
}

void life_send(struct life *life, struct life_item *item, bool leaves)
{
    struct item_event event = life_event(life, item, EVENT_DUE);

    if (life_apply(life, item, &event) != EFFECT_SEND)
        return;
    if (!leaves) {
        event = life_event(life, item, EVENT_NOT_SENT);
        life_apply(life, item, &event);
        return;
    }
    life_judge_send(life, item);
    item->on_wire = true;
    item->copies[item->copy_count++] =
        (struct life_copy){.generation = item->memory.generation,
                           .body = (uint32_t)item->memory.request_hash.low,
                           .sent_ms = life->now_ms,
                           .is_awaited = true};
}
