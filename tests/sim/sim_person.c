/* What persons do between two runs: retry, cancel, change a row, resolve a doubt. A person who
 * resolves a doubt has looked at the server and tells the truth. */
#include "sim.h"

/* The events that a person could cause for this item now. */
static size_t possible_events(const struct sim *sim, const struct sim_item *item,
                              const struct item *value, enum item_event_kind *kinds)
{
    bool can_change = item->source_epoch + 1 < SIM_EPOCHS_MAX;
    size_t count = 0;

    for (unsigned kind = EVENT_RETRY; kind < ITEM_EVENT_COUNT; kind++) {
        if (!lifecycle_is_legal(value->state, (enum item_event_kind)kind))
            continue;
        if ((kind == EVENT_CHANGED || kind == EVENT_UNDONE) && !can_change)
            continue;
        if (kind == EVENT_UNDONE && sim->adopts)
            continue;
        /* Those that wait for it come first: the next comparison changes it. */
        if (kind == EVENT_CHANGED && value->release_due)
            continue;
        if (kind == EVENT_RESOLVED_DONE && item->effects[item->epoch] != 1)
            continue;
        /* Nor is it promised for what a backup does not know of such a word (`adopt --help`). */
        if (kind == EVENT_RESOLVED_NOT_DONE &&
            (item->effects[item->epoch] != 0 || (sim->adopts ? sim->has_copy : !can_change)))
            continue;
        /* Nobody can tell while something is still under way. */
        if (value->state == ITEM_IN_DOUBT &&
            sim_transport_has_delivery(&sim->transport, (uint32_t)item->number))
            continue;
        kinds[count++] = (enum item_event_kind)kind;
    }
    return count;
}

/* The row was changed: the old request must have had what its state says, and no more. */
static void begin_epoch(struct sim *sim, struct sim_item *item, const struct item *value)
{
    struct buf storage;
    struct frozen_request request;

    item->expected[item->epoch] = value->state == ITEM_SUCCEEDED ? 1 : item->restored ? -1 : 0;
    if (item->epoch == item->source_epoch)
        item->source_epoch++;
    item->epoch = item->source_epoch;
    item->refused_always = sim->profile == SIM_ANYTHING && sim_chance(sim, 60);
    request = sim_request(item, item->epoch, &storage);
    item->request_hash = request_hash(request.method, request.path, request.body);
    buf_deinit(&storage);
}

static void put_needs(struct sim *sim, const struct sim_item *item,
                      const struct needs_record *needs)
{
    struct err err = {0};

    sim->person_acts_on = item->number;
    if (sim->ledger.base.ops->put_needs(&sim->ledger.base, item->number, needs, &err) != ERR_OK)
        sim_fail(sim, "%s", err.text);
    sim->person_acts_on = 0;
}

static void step(struct sim *sim, struct sim_item *item, struct item *value,
                 enum item_event_kind kind)
{
    struct item_event event = {.kind = kind,
                               .now_ms = sim_wall_ms(sim),
                               .server_now_ms = sim_server_ms(sim),
                               .lost_since_ms = sim->options.lost_since_ms,
                               .delay_ms = -1,
                               .reason = kind == EVENT_UNDONE ? REASON_UNDONE : REASON_NONE};
    struct ledger *ledger = &sim->ledger.base;
    struct frozen_request request = {.generation = value->generation};
    struct item before = *value;
    struct needs_record needs = {0};
    struct step step;
    struct err err = {0};

    if (kind == EVENT_CHANGED) {
        /* A place in an order is found in what the ledger has of the others. */
        sim_ledger_commit(&sim->ledger);
        needs = sim_renew_needs(sim, item, value);
        event.has_needs = item->need_count > 0 || item->group > 0;
    }
    if (kind == EVENT_RETRY && value->state == ITEM_CANCELLED)
        sim_take_place_again(sim, item);
    if (kind == EVENT_UNDONE || (kind == EVENT_CHANGED && !item->undone))
        begin_epoch(sim, item, value);
    item->undone = kind == EVENT_UNDONE || (item->undone && kind != EVENT_CHANGED);
    event.request_hash = item->request_hash;
    sim->person_acts_on = item->number;
    step = lifecycle_step(&before, &event, &sim->jobs[item->job].policy);
    if (needs.need_count > 0 &&
        step.item.state == ITEM_READY) { /* whether they are met is for the next run to say */
        event.kind = EVENT_WAITS;
        step = lifecycle_step(&step.item, &event, &sim->jobs[item->job].policy);
    }
    sim->person_acts_on = 0;
    if (ledger->ops->put_item(ledger, item->number, &before, &step.item, &err) != ERR_OK)
        sim_fail(sim, "%s", err.text);
    request.generation = step.item.generation;
    if (kind == EVENT_CHANGED &&
        ledger->ops->put_request(ledger, item->number, &request, &err) != ERR_OK)
        sim_fail(sim, "%s", err.text);
    if (event.has_needs)
        put_needs(sim, item, &needs);
    if (kind == EVENT_ABANDONED)
        item->abandoned = true;
    if (kind == EVENT_RESOLVED_DONE || kind == EVENT_RESOLVED_NOT_DONE ||
        before.state == ITEM_SUCCEEDED)
        item->restored = false;
    if ((kind == EVENT_RETRY || kind == EVENT_CHANGED) && sim->options.lost_since_ms != 0)
        item->restored = true; /* a word is for one way to an end */
    *value = step.item;
}

static void act_on(struct sim *sim, struct sim_item *item, struct item *value)
{
    enum item_event_kind kinds[ITEM_EVENT_COUNT];
    size_t count = possible_events(sim, item, value, kinds);
    bool was_damaged = value->reason == REASON_RECORD_DAMAGED;
    enum item_event_kind kind;

    if (count == 0)
        return;
    kind = kinds[rng_below(&sim->rng, count)];
    step(sim, item, value, kind);
    /* The next comparison with the source gives it a request that is whole again; what was undone
     * is written anew, and its effect is another one. */
    if ((was_damaged || item->undone) &&
        (value->state == ITEM_READY || value->state == ITEM_BLOCKED))
        step(sim, item, value, EVENT_CHANGED);
}

void sim_person_compares(struct sim *sim)
{
    struct ledger *ledger = &sim->ledger.base;
    struct err err = {0};

    sim->finishes_first = false;
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        struct sim_item *item = &sim->items[number];
        struct item value;

        if (item->epoch == item->source_epoch)
            continue;
        if (ledger->ops->read_item(ledger, number, &value, &err) != ERR_OK)
            sim_fail(sim, "%s", err.text);
        if (lifecycle_is_legal(value.state, EVENT_CHANGED) && !value.release_due)
            step(sim, item, &value, EVENT_CHANGED);
        else
            sim->finishes_first |= value.state != ITEM_CANCELLED;
    }
    sim_ledger_commit(&sim->ledger);
}

void sim_person_acts(struct sim *sim)
{
    struct ledger *ledger = &sim->ledger.base;
    struct err err = {0};

    for (uint32_t number = 1; number <= sim->item_count; number++) {
        struct item value;

        if (!sim_chance(sim, 250))
            continue;
        if (ledger->ops->read_item(ledger, number, &value, &err) != ERR_OK)
            sim_fail(sim, "%s", err.text);
        act_on(sim, &sim->items[number], &value);
    }
    sim_ledger_commit(&sim->ledger);
}
