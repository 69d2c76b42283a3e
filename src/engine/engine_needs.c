/* Which of the things that an item needs is not there yet. States are read from the ledger, which
 * gives what is durable: nothing is sent because of a success that a crash could take back. */
#include <string.h>

#include "engine_private.h"

enum { ORDER_STEPS_MAX = 100000 }; /* then it is looked at again in the next run */

uint32_t engine_job_index(const struct engine *engine, uint64_t number)
{
    uint32_t job = 0;

    while (job < engine->options.job_count && engine->options.jobs[job].number != number)
        job++;
    return job;
}

/* --- whole jobs --- */

static enum err_code all_are_over(struct engine *engine, uint64_t job, bool *over_out,
                                  struct err *err)
{
    struct item_counts counts;
    enum err_code code =
        engine->ledger->ops->counts(engine->ledger, (uint32_t)job, UINT32_MAX, &counts, err);

    *over_out = true;
    for (unsigned state = 0; code == ERR_OK && state < ITEM_STATE_COUNT; state++)
        if (counts.by_state[state] > 0 && !item_state_is_over((enum item_state)state))
            *over_out = false;
    return code;
}

enum err_code engine_gate_is_open(struct engine *engine, uint64_t number, bool *open_out,
                                  struct err *err)
{
    uint32_t index = engine_job_index(engine, number);
    struct job *job = &engine->jobs[index];

    if (index == engine->options.job_count) /* of another run: nothing moves in it */
        return all_are_over(engine, number, open_out, err);
    if (job->gate == GATE_UNKNOWN) {
        if (all_are_over(engine, number, open_out, err) != ERR_OK)
            return err->code;
        job->gate = *open_out ? GATE_OPENED : GATE_SHUT;
        job->gate_batch = engine->waits_batch;
    }
    *open_out = job->gate != GATE_SHUT;
    return ERR_OK;
}

/* --- single items --- */

enum err_code engine_read_needs(struct engine *engine, uint64_t number, struct buf *storage,
                                struct needs_record *needs_out, struct err *err)
{
    enum err_code code =
        engine->ledger->ops->read_needs(engine->ledger, number, storage, needs_out, err);

    return code == ERR_DAMAGED ? ERR_INPUT : code;
}

/* Without dependents nobody would come back to it: then it is looked at in each run. */
static struct wait wait_for_item(uint64_t number, const struct item *item)
{
    return item->has_dependents ? (struct wait){.kind = WAIT_ITEM, .target = number}
                                : (struct wait){.kind = WAIT_NONE};
}

static enum err_code look_at_success(struct engine *engine, uint64_t number, struct wait *wait_out,
                                     struct err *err)
{
    struct item item;
    enum err_code code = engine->ledger->ops->read_item(engine->ledger, number, &item, err);

    if (code == ERR_NOT_FOUND)
        *wait_out = (struct wait){.kind = WAIT_UNKNOWN_ITEM};
    else if (code == ERR_OK && item.state == ITEM_SUCCEEDED)
        *wait_out = (struct wait){.is_met = true};
    else if (code == ERR_OK)
        *wait_out = wait_for_item(number, &item);
    else
        return code;
    return ERR_OK;
}

static size_t find_order(const struct needs_record *needs)
{
    size_t i = 0;

    while (i < needs->need_count && !needs->needs[i].ordering)
        i++;
    return i;
}

/* Who was cancelled or dropped while it waited itself leaves its place to the one before it. */
static enum err_code look_at_order(struct engine *engine, uint64_t number, struct wait *wait_out,
                                   struct err *err)
{
    struct ledger *ledger = engine->ledger;
    struct needs_record needs;
    struct item item;
    size_t order;

    for (uint32_t steps = 0; steps < ORDER_STEPS_MAX; steps++) {
        enum err_code code = ledger->ops->read_item(ledger, number, &item, err);

        *wait_out = (struct wait){.is_met = true};
        if (code == ERR_OK && !item_state_is_over(item.state)) {
            *wait_out = wait_for_item(number, &item);
            return ERR_OK;
        }
        if (code == ERR_OK && (item.state == ITEM_SUCCEEDED || !item.has_needs))
            return ERR_OK;
        if (code == ERR_OK || code == ERR_NOT_FOUND)
            code = engine_read_needs(engine, number, &engine->other_storage, &needs, err);
        if (code != ERR_OK)
            return code == ERR_NOT_FOUND ? ERR_OK : code;
        order = find_order(&needs);
        if (order == needs.need_count)
            return ERR_OK;
        number = needs.needs[order].target;
    }
    *wait_out = (struct wait){.kind = WAIT_NONE};
    return ERR_OK;
}

static void take_out(struct needs_record *needs, size_t index)
{
    needs->need_count--;
    memmove(&needs->needs[index], &needs->needs[index + 1],
            (needs->need_count - index) * sizeof needs->needs[0]);
}

/* --- all of them --- */

static enum err_code look_at_need(struct engine *engine, const struct need *need,
                                  struct wait *wait_out, struct err *err)
{
    switch (need->kind) {
    case WAIT_JOB:
        *wait_out = (struct wait){.kind = WAIT_JOB, .target = need->target};
        return engine_gate_is_open(engine, need->target, &wait_out->is_met, err);
    case WAIT_ITEM:
        return look_at_success(engine, need->target, wait_out, err);
    case WAIT_NONE:
    case WAIT_UNKNOWN_ITEM:
    case WAIT_KIND_COUNT:
        break;
    }
    *wait_out = (struct wait){.kind = WAIT_UNKNOWN_ITEM};
    return ERR_OK;
}

/* The order first: while it is not met, the item stands in the index under who is before it. */
enum err_code engine_find_wait(struct engine *engine, struct needs_record *needs,
                               struct wait *wait_out, bool *changed_out, struct err *err)
{
    size_t order = find_order(needs);
    enum err_code code = ERR_OK;

    *changed_out = false;
    *wait_out = (struct wait){.is_met = true};
    if (order < needs->need_count) {
        code = look_at_order(engine, needs->needs[order].target, wait_out, err);
        if (code != ERR_OK || !wait_out->is_met)
            return code;
        take_out(needs, order);
        *changed_out = true;
    }
    for (size_t i = 0; i < needs->need_count && code == ERR_OK && wait_out->is_met; i++)
        code = look_at_need(engine, &needs->needs[i], wait_out, err);
    return code;
}
