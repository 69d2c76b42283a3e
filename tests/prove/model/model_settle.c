/* Each world in one form, so that what can make no difference makes no state. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

static int by_content(const void *a, const void *b)
{
    return -memcmp(a, b, sizeof(struct copy));
}

static bool has_copy(const struct local *local, uint32_t key)
{
    for (uint32_t i = 0; i < COPIES_MAX; i++)
        if (local->copies[i].key == key)
            return true;
    return false;
}

/* The slot is given back once what it holds is in the ledger. */
static void unload(struct local *local)
{
    if (local->place == PLACE_NOWHERE || local->is_dirty || local->memory.state == ITEM_SENDING ||
        local->memory.state == ITEM_WAITING)
        return;
    local->place = PLACE_NOWHERE;
    local->memory = (struct value){0};
}

static void settle(struct model *model, struct local *local)
{
    const struct value *current;
    uint8_t oldest = local->disk.generation;

    unload(local);
    current = local->place == PLACE_NOWHERE ? &local->disk : &local->memory;
    if (local->place == PLACE_NOWHERE || current->state != ITEM_SENDING)
        local->intent_open = local->is_new_intent = local->is_server_stamp = 0;
    if (current->state != ITEM_SENDING &&
        !(current->state == ITEM_WAITING && local->kind == KIND_NATURAL))
        local->unsure = 0;
    if (!local->is_dirty)
        local->staged = (struct value){0};
    qsort(local->copies, COPIES_MAX, sizeof local->copies[0], by_content);
    for (uint32_t key = 1; key <= GENERATIONS_MAX; key++) {
        struct remote *remote = &local->remotes[key];

        if (remote->is_forgotten)
            remote->age = 0;
        /* An old generation's job that has ended is asked for by nobody. */
        if (key < oldest && remote->status != JOB_RUNNING && !has_copy(local, key) &&
            !model->rules->key_is_random)
            *remote = (struct remote){0};
    }
}

void model_emit(struct model *model, struct world *next, const char *text, const char *detail,
                uint32_t item, bool is_fault)
{
    struct world settled = *next;
    struct action action = {
        .text = text, .detail = detail, .item = (uint8_t)item, .is_fault = is_fault};

    for (uint32_t i = 0; i < model->items; i++)
        settle(model, &settled.items[i]);
    if (model->broken == NULL)
        model->broken = model_broken_law(model, &settled);
    model->emit(model, &settled, &action);
}
