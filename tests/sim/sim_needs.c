/* Who waits for whom: drawn, kept as rows would say it, and judged.
 *
 * Item needs and whole-job gates go from a job to one before it, so there are no circles; items of
 * a group go in order of their places. The judge asks the world, not the engine's records, where it
 * can: a place in an order is its own. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

static const struct sim_stored *stored_of(const struct sim *sim, uint64_t number)
{
    return &sim->ledger.durable[number];
}

static enum item_state state_of(const struct sim *sim, uint64_t number)
{
    return stored_of(sim, number)->damaged ? ITEM_IN_DOUBT : stored_of(sim, number)->item.state;
}

static bool is_same_group(const struct sim_item *a, const struct sim_item *b)
{
    return a->group > 0 && a->group == b->group && a->job == b->job &&
           a->connection == b->connection;
}

/* --- drawing --- */

static void draw_need(struct sim *sim, struct sim_item *item)
{
    uint32_t target = 1 + (uint32_t)rng_below(&sim->rng, sim->item_count);
    struct need *need = &item->needs[item->need_count];

    if (rng_below(&sim->rng, 5) == 0) {
        *need = (struct need){.kind = WAIT_JOB, .target = rng_below(&sim->rng, item->job)};
        item->need_count++;
    } else if (rng_below(&sim->rng, 40) == 0) {
        *need = (struct need){.kind = WAIT_UNKNOWN_ITEM, .name = SLICE("nobody")};
        item->need_count++;
    } else if (sim->items[target].job < item->job) {
        *need = (struct need){.kind = WAIT_ITEM, .target = target, .name = SLICE("parent")};
        item->need_count++;
    }
}

/* The one before it in its order; 0 = none. */
static uint64_t before_in_order(const struct sim *sim, const struct sim_item *item)
{
    const struct sim_item *before = NULL;

    for (uint32_t number = 1; number <= sim->item_count; number++) {
        const struct sim_item *other = &sim->items[number];

        if (is_same_group(item, other) && other->place < item->place && other->place > 0 &&
            (before == NULL || other->place > before->place))
            before = other;
    }
    return before == NULL ? 0 : before->number;
}

static uint32_t last_place(const struct sim *sim, const struct sim_item *item)
{
    uint32_t last = 0;

    for (uint32_t number = 1; number <= sim->item_count; number++)
        if (is_same_group(item, &sim->items[number]) && sim->items[number].place > last)
            last = sim->items[number].place;
    return last;
}

static enum err_code render(struct renderer *self, uint64_t number, const struct item *item,
                            const struct needs_record *needs, struct frozen_request *request_inout,
                            char *problem, size_t problem_size, struct err *err)
{
    struct sim *sim = sim_current;
    struct sim_item *from = &sim->items[number];
    struct frozen_request request;

    (void)self;
    if (item->state != ITEM_BLOCKED || needs->draft.length == 0)
        sim_fail(sim, "item %u is rendered without need", (unsigned)number);
    sim_judge_needs(sim, from, EVENT_START);
    if (sim->profile == SIM_ANYTHING && sim_chance(sim, 100)) {
        from->faults |= FAULT_NO_REQUEST;
        (void)snprintf(problem, problem_size, "there is no such output");
        return ERR_INPUT;
    }
    if (sim->profile == SIM_ANYTHING && sim_chance(sim, 100))
        return ERR_NOT_FOUND; /* its `if:` is false */
    buf_deinit(&sim->rendered);
    request = sim_request(from, from->epoch, &sim->rendered);
    if (sim->rendered.failed != ERR_OK)
        return err_set(err, ERR_NO_MEMORY, "no memory for the request");
    request_inout->method = request.method;
    request_inout->path = request.path;
    request_inout->body = request.body;
    return ERR_OK;
}

static const struct renderer_ops renderer_ops = {.render = render};

void sim_draw_needs(struct sim *sim)
{
    sim->renderer.ops = &renderer_ops;
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        struct sim_item *item = &sim->items[number];

        if (rng_below(&sim->rng, 5) < 2) {
            item->group = 1 + (uint32_t)rng_below(&sim->rng, SIM_GROUPS);
            if (state_of(sim, number) != ITEM_SKIPPED) /* it joins when it is to be sent */
                item->place = last_place(sim, item) + 1;
        }
        if (item->job > 0 && rng_below(&sim->rng, 3) != 0)
            for (int i = 0; i < SIM_NEEDS_MAX - 1; i++)
                draw_need(sim, item);
        item->is_drafted = item->need_count > 0 && rng_below(&sim->rng, 2) == 0;
    }
    sim_reset_needs(sim);
}

static struct needs_record record_of(const struct sim_item *item, uint64_t before)
{
    struct needs_record record = {.draft = item->is_drafted ? SLICE("draft") : SLICE("")};

    memcpy(record.needs, item->needs, sizeof item->needs);
    record.need_count = item->need_count;
    if (before > 0)
        record.needs[record.need_count++] =
            (struct need){.kind = WAIT_ITEM, .ordering = true, .target = before};
    return record;
}

void sim_reset_needs(struct sim *sim)
{
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        struct sim_item *item = &sim->items[number];
        struct sim_stored *stored = &sim->ledger.durable[number];
        uint64_t before = before_in_order(sim, item);

        item->was_let_go = false;
        stored->item.has_dependents |= item->group > 0;
        for (size_t i = 0; i < item->need_count; i++)
            if (item->needs[i].kind == WAIT_ITEM)
                sim->ledger.durable[item->needs[i].target].item.has_dependents = true;
        stored->needs = record_of(item, before);
        stored->has_needs = stored->item.has_needs = item->need_count > 0 || item->group > 0;
        stored->is_draft = item->is_drafted;
        if (stored->needs.need_count == 0 || item_state_is_final(stored->item.state))
            continue;
        stored->item.state = sim->ledger.newest[number] = ITEM_BLOCKED;
        if (rng_below(&sim->rng, 2) == 0)
            continue; /* looked at when the first run begins */
        if (before > 0 && state_of(sim, before) != ITEM_SKIPPED) {
            stored->item.waits_on = WAIT_ITEM;
            stored->item.waits_for = before;
        } else if (before == 0) {
            stored->item.waits_on = item->needs[0].kind;
            stored->item.waits_for = item->needs[0].target;
        }
    }
}

/* --- what persons do --- */

static uint64_t order_of(const struct needs_record *needs)
{
    for (size_t i = 0; i < needs->need_count; i++)
        if (needs->needs[i].ordering)
            return needs->needs[i].target;
    return 0;
}

/* It becomes the last of its group, and waits for who was it; but not for one that waits for it,
 * or would if a person tried again what was cancelled in between. */
static uint64_t join_order(struct sim *sim, struct sim_item *item)
{
    uint32_t old_place = item->place;
    uint64_t before, at;

    item->place = last_place(sim, item) + 1;
    before = before_in_order(sim, item);
    /* Who has succeeded may be changed after this, and then comes behind. */
    if (before > 0 && sim->ledger.newest[before] == ITEM_SUCCEEDED)
        before = 0;
    for (at = before; at != 0; at = order_of(&stored_of(sim, at)->needs)) {
        if (at != item->number)
            continue;
        item->place = old_place;
        return 0;
    }
    /* All before it are over; who of them is tried again comes too late. */
    item->was_let_go = before == 0;
    return before;
}

struct needs_record sim_renew_needs(struct sim *sim, struct sim_item *item,
                                    const struct item *value)
{
    const struct needs_record *known = &stored_of(sim, item->number)->needs;
    bool joins = value->state == ITEM_SUCCEEDED || value->state == ITEM_SKIPPED;
    uint64_t before = 0;

    if (item->group > 0 && joins)
        before = join_order(sim, item);
    if (!joins)
        before = order_of(known);
    return record_of(item, before);
}

void sim_take_place_again(struct sim *sim, struct sim_item *item)
{
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        const struct sim_item *other = &sim->items[number];

        if (item->undone ||
            (is_same_group(item, other) && other->place > item->place && other->was_let_go))
            item->place = 0;
    }
}

/* --- the laws --- */

static bool job_is_over(const struct sim *sim, uint64_t job)
{
    for (uint32_t number = 1; number <= sim->item_count; number++)
        if (sim->items[number].job == job && !item_state_is_over(state_of(sim, number)))
            return false;
    return true;
}

void sim_judge_order(struct sim *sim, struct sim_item *item)
{
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        const struct sim_item *other = &sim->items[number];

        if (!item->was_let_go && is_same_group(item, other) && other->place < item->place &&
            other->place > 0 && !item_state_is_over(state_of(sim, number)))
            sim_fail(sim, "item %u goes, but item %u is before it and %s", (unsigned)item->number,
                     number, item_state_name(state_of(sim, number)));
    }
    item->was_let_go = true;
}

/* What it needs itself, or one of those among which it has its place. */
static bool is_order_damaged(const struct sim *sim, const struct sim_item *item)
{
    for (uint32_t number = 1; number <= sim->item_count; number++)
        if ((number == item->number || is_same_group(item, &sim->items[number])) &&
            stored_of(sim, number)->needs_damaged)
            return true;
    return false;
}

void sim_judge_needs(struct sim *sim, struct sim_item *item, enum item_event_kind kind)
{
    sim->run_released += kind == EVENT_UNBLOCKED;
    if (kind == EVENT_NOT_RENDERED && (item->faults & FAULT_NO_REQUEST) == 0 &&
        !is_order_damaged(sim, item))
        sim_fail(sim, "item %u is said to make no request, and nothing was wrong with it",
                 (unsigned)item->number);
    if (kind != EVENT_UNBLOCKED && kind != EVENT_START)
        return;
    for (size_t i = 0; i < item->need_count; i++) {
        const struct need *need = &item->needs[i];

        if (need->kind == WAIT_ITEM && state_of(sim, need->target) != ITEM_SUCCEEDED)
            sim_fail(sim, "item %u goes, but item %u that it needs is %s", (unsigned)item->number,
                     (unsigned)need->target, item_state_name(state_of(sim, need->target)));
        if (need->kind == WAIT_JOB && !job_is_over(sim, need->target))
            sim_fail(sim, "item %u goes, but not all of job %s is over", (unsigned)item->number,
                     sim->jobs[need->target].name);
        if (need->kind == WAIT_UNKNOWN_ITEM)
            sim_fail(sim, "item %u goes, but nobody has what it needs", (unsigned)item->number);
    }
    sim_judge_order(sim, item);
}

/* Whom an item waits for that comes behind `number` in its order; 0 = nobody. */
static uint64_t end_of_order(const struct sim *sim, uint64_t number)
{
    for (uint32_t steps = 0; number > 0 && steps <= sim->item_count; steps++) {
        const struct needs_record *needs = &stored_of(sim, number)->needs;
        uint64_t before = 0;

        if (!item_state_is_over(state_of(sim, number)))
            return number;
        if (state_of(sim, number) == ITEM_SUCCEEDED)
            return 0;
        for (size_t i = 0; stored_of(sim, number)->has_needs && i < needs->need_count; i++)
            if (needs->needs[i].ordering)
                before = needs->needs[i].target;
        number = before;
    }
    return number;
}

/* The first need that is not met, as the record has it; kind WAIT_NONE: all are. */
static struct need unmet_need(const struct sim *sim, uint64_t number)
{
    const struct needs_record *needs = &stored_of(sim, number)->needs;

    for (size_t i = 0; stored_of(sim, number)->has_needs && i < needs->need_count; i++) {
        struct need need = needs->needs[i];

        if (need.ordering)
            need.target = end_of_order(sim, need.target);
        if ((need.ordering && need.target > 0) ||
            (!need.ordering && need.kind == WAIT_ITEM &&
             state_of(sim, need.target) != ITEM_SUCCEEDED) ||
            (need.kind == WAIT_JOB && !job_is_over(sim, need.target)) ||
            need.kind == WAIT_UNKNOWN_ITEM)
            return need;
    }
    return (struct need){.kind = WAIT_NONE};
}

static bool has_cause(const struct sim *sim, uint64_t number, bool *seen);

static bool is_cause(const struct sim *sim, uint64_t number, bool *seen)
{
    enum item_state state = state_of(sim, number);

    if (state == ITEM_BLOCKED)
        return has_cause(sim, number, seen);
    return state != ITEM_SUCCEEDED;
}

/* Something is at the end of what a blocked item waits for that no run could have brought about. */
static bool has_cause(const struct sim *sim, uint64_t number, bool *seen)
{
    const struct needs_record *needs = &stored_of(sim, number)->needs;

    if (seen[number])
        return false;
    seen[number] = true;
    for (size_t i = 0; i < needs->need_count; i++) {
        struct need need = needs->needs[i];

        if (need.kind == WAIT_UNKNOWN_ITEM)
            return true;
        if (need.ordering)
            need.target = end_of_order(sim, need.target);
        if (need.kind == WAIT_ITEM && need.target > 0 && is_cause(sim, need.target, seen))
            return true;
        for (uint32_t other = 1; need.kind == WAIT_JOB && other <= sim->item_count; other++)
            if (sim->items[other].job == need.target && !item_state_is_over(state_of(sim, other)) &&
                is_cause(sim, other, seen))
                return true;
    }
    return false;
}

void sim_judge_waits(struct sim *sim, uint32_t number)
{
    bool seen[SIM_ITEMS_MAX + 1] = {false};

    if (stored_of(sim, number)->item.release_due && !stored_of(sim, number)->damaged)
        sim_fail(sim, "the run ended by itself and never looked at those that wait for item %u",
                 number);
    if (state_of(sim, number) != ITEM_BLOCKED || stored_of(sim, number)->needs_damaged)
        return;
    if (unmet_need(sim, number).kind == WAIT_NONE)
        sim_fail(sim, "the run ended by itself, item %u has all that it needs and is blocked",
                 number);
    if (!has_cause(sim, number, seen))
        sim_fail(sim, "item %u is blocked, and waits for itself in the end", number);
}
