/* What persons do between two runs. Who resolves a doubt has looked, and tells the truth. */
#include "model.h"

static bool is_under_way(const struct local *local)
{
    for (uint32_t i = 0; i < COPIES_MAX; i++)
        if (local->copies[i].key != 0)
            return true;
    for (uint32_t key = 1; key <= GENERATIONS_MAX; key++)
        if (local->remotes[key].status == JOB_RUNNING)
            return true;
    return false;
}

static bool is_true(const struct model *model, const struct local *local, enum item_event_kind kind)
{
    if (model->rules->persons_guess)
        return true;
    if (kind == EVENT_RESOLVED_DONE)
        return local->effects == 1 && !is_under_way(local);
    if (kind == EVENT_RESOLVED_NOT_DONE)
        return local->effects == 0 && !is_under_way(local);
    /* Without a key an old copy is told from nothing: what comes after it must wait (A3). */
    if ((kind == EVENT_UNDONE || kind == EVENT_CHANGED) && local->kind == KIND_NATURAL &&
        is_under_way(local))
        return false;
    if (kind == EVENT_UNDONE)
        return local->effects == 1;
    return true;
}

static void act(struct model *model, uint32_t item, enum item_event_kind kind)
{
    struct world next = *model->from;
    struct local *local = &next.items[item];
    struct model_event event = {.kind = kind,
                                .reason = kind == EVENT_UNDONE ? REASON_UNDONE : REASON_NONE,
                                .body = !local->disk.body};
    enum effect effect;
    bool is_stored;

    if (!model_is_legal(model, model->from, item, &local->disk, &event) ||
        !is_true(model, local, kind))
        return;
    local->disk =
        model_step_value(model, model->from, item, &local->disk, &event, &effect, &is_stored);
    if (local->disk.generation > model->generations)
        return;
    local->shown = 0;
    /* The old write stays as it was, or is there no more; the next one is another. */
    if (kind == EVENT_UNDONE ||
        (kind == EVENT_CHANGED && model->from->items[item].disk.state == ITEM_SUCCEEDED))
        local->effects = 0;
    model_emit(model, &next, "a person's word: %s", item_event_name(kind), item, true);
}

void model_person_moves(struct model *model)
{
    if (model->from->shared.up)
        return;
    for (uint32_t i = 0; i < model->items; i++) {
        for (unsigned kind = EVENT_RETRY; kind <= EVENT_UNDONE; kind++)
            if (model->with_bodies || kind != EVENT_CHANGED)
                act(model, i, (enum item_event_kind)kind);
    }
}
