/* What must hold. */
#include <string.h>

#include "model.h"

static const struct value *current(const struct local *local)
{
    return local->place == PLACE_NOWHERE ? &local->disk : &local->memory;
}

static const char *of_item(const struct local *local)
{
    const struct value *value = current(local);
    uint8_t effects = local->effects;

    if (effects > 1)
        return "done twice";
    if (value->generation > GENERATIONS_MAX)
        return "more new keys than are allowed without a person";
    switch ((enum item_state)value->state) {
    case ITEM_BLOCKED:
    case ITEM_READY:
        return effects == 0 ? NULL : "to be sent, but it is done already";
    case ITEM_SUCCEEDED:
        return effects == 1 ? NULL : "succeeded, but nothing was done";
    case ITEM_FAILED:
    case ITEM_SKIPPED:
        return effects == 0 ? NULL : "failed, but it is done";
    case ITEM_CANCELLED:
        return effects == 0 || value->reason == REASON_ABANDONED ? NULL
                                                                 : "cancelled, but it is done";
    case ITEM_SENDING:
    case ITEM_WAITING:
    case ITEM_IN_DOUBT:
    case ITEM_STATE_COUNT:
        break;
    }
    return NULL;
}

/* I6: what was shown as an end stays it. */
static const char *of_what_was_shown(const struct local *local)
{
    if (local->shown == 0)
        return NULL;
    return local->shown == local->disk.state || local->place != PLACE_NOWHERE
               ? NULL
               : "an end that was shown is not in the ledger";
}

const char *model_broken_law(const struct model *model, const struct world *world)
{
    for (uint32_t i = 0; i < model->items; i++) {
        const char *broken = of_item(&world->items[i]);

        if (broken == NULL)
            broken = of_what_was_shown(&world->items[i]);
        if (broken != NULL)
            return broken;
    }
    return NULL;
}

void model_judge_send(struct model *model, const struct world *world, uint32_t item)
{
    const struct local *local = &world->items[item];

    if (local->disk.state != ITEM_SENDING || local->disk.generation != local->memory.generation ||
        local->disk.body != local->memory.body)
        model->broken = "a request leaves before its intent is durable (I1)";
    if (local->ended >= local->memory.generation && local->kind != KIND_NATURAL)
        model->broken = "a key is used again whose remote job is known (I3)";
}

/* The first send was made so long ago that the server may have forgotten it; or the host's clock
 * was set, and nobody can know. */
static bool may_be_as_old(const struct world *world, const struct local *local,
                          const struct value *before, int ticks)
{
    return local->unsure && (world->shared.was_set || before->true_intent >= ticks);
}

static bool is_caused(const struct world *world, uint32_t item, const struct value *before,
                      enum item_event_kind event, enum situation situation, enum reason reason)
{
    const struct local *local = &world->items[item];

    if (event == EVENT_UNCLEAR)
        return situation == SAYS_NOTHING || situation == SAYS_CONFLICT || situation == POLL_ERROR ||
               situation == POLL_PARTIAL || situation == POLL_OF_ANOTHER;
    switch ((int)reason) {
    case REASON_WINDOW_PASSED:
        return event == EVENT_DUE && may_be_as_old(world, local, before, WINDOW_TICKS);
    case REASON_RETRIES_EXHAUSTED:
        return local->unsure &&
               (before->lost + (event == EVENT_LOST) >= ATTEMPT_LIMIT ||
                (local->kind == KIND_IMPATIENT && may_be_as_old(world, local, before, 1)));
    case REASON_UNKEYED_UNKNOWN:
        return local->unsure && !model_is_repeatable(world, item);
    case REASON_REFUSED_AFTER_UNKNOWN:
        return local->unsure && (situation == SAYS_NOT_ACCEPTED ||
                                 (local->kind == KIND_NATURAL &&
                                  (situation == POLL_REFUSED || situation == POLL_THROTTLED)));
    case REASON_SERVER_LOST_JOB:
        return event == EVENT_MISSING && situation == POLL_MISSING;
    default:
        return false;
    }
}

void model_judge_doubt(struct model *model, const struct world *world, uint32_t item,
                       const struct value *before, enum item_event_kind event,
                       enum situation situation)
{
    if (model->broken == NULL &&
        !is_caused(world, item, before, event, situation, (enum reason)model->doubt))
        model->broken = "a doubt without a cause";
}

bool model_is_at_end(const struct model *model, const struct world *world)
{
    for (uint32_t i = 0; i < model->items; i++)
        if (world->items[i].place != PLACE_NOWHERE ||
            !item_state_is_final((enum item_state)world->items[i].disk.state))
            return false;
    return true;
}
