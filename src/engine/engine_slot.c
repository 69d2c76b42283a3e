#include <assert.h>

#include "engine_private.h"

uint32_t slot_index(const struct engine *engine, const struct slot *slot)
{
    return (uint32_t)(slot - engine->slots);
}

/* Finds the indexes of the item's job and connection; false when this run has one of them not. */
bool slot_map(struct engine *engine, struct slot *slot)
{
    size_t connection = 0;
    uint32_t job = engine_job_index(engine, slot->item.job);

    while (connection < engine->options.connection_count &&
           engine->options.connections[connection].number != slot->item.connection)
        connection++;
    if (connection == engine->options.connection_count || job == engine->options.job_count)
        return false;
    slot->connection = (uint32_t)connection;
    slot->job = job;
    return true;
}

static uint32_t *bucket_of(const struct engine *engine, uint64_t number)
{
    return &engine->buckets[number & engine->bucket_mask];
}

struct slot *slot_find(const struct engine *engine, uint64_t number)
{
    for (uint32_t at = *bucket_of(engine, number); at != NO_SLOT;
         at = engine->slots[at].bucket_next)
        if (engine->slots[at].number == number)
            return &engine->slots[at];
    return NULL;
}

static void leave_bucket(struct engine *engine, const struct slot *slot)
{
    uint32_t *at = bucket_of(engine, slot->number);

    while (*at != slot_index(engine, slot))
        at = &engine->slots[*at].bucket_next;
    *at = slot->bucket_next;
}

struct slot *slot_take(struct engine *engine, uint64_t number, const struct item *item)
{
    struct slot *slot;

    assert(engine->free_slots != NO_SLOT);
    slot = &engine->slots[engine->free_slots];
    assert(slot->place == SLOT_FREE);
    engine->free_slots = slot->next;
    engine->free_count--;
    slot->place = SLOT_RESTING;
    slot->next = NO_SLOT;
    slot->number = number;
    slot->bucket_next = *bucket_of(engine, number);
    *bucket_of(engine, number) = slot_index(engine, slot);
    slot->connection = 0;
    slot->job = 0;
    slot->item = *item;
    slot->intent_batch = 0;
    slot->last_batch = 0;
    slot->pending_age_ms = 0;
    slot->aged_since_ms = engine->now.boot_ms;
    slot->is_accepted_here = false;
    slot->is_ahead = false;
    slot->is_unkeyed_ahead = false;
    slot->is_open_on_wire = false;
    slot->is_connection_probe = false;
    slot->is_budgeted = false;
    slot->is_lost_here = false;
    slot->is_turned_away = false;
    slot->is_started = false;
    slot->is_canary = false;
    slot->has_server_intent = false;
    slot->has_new_intent = false;
    slot->key_generation = 0;
    return slot;
}

void slot_release(struct engine *engine, struct slot *slot)
{
    assert(slot->place != SLOT_FREE && slot->place != SLOT_ON_WIRE);
    leave_bucket(engine, slot);
    buf_deinit(&slot->storage);
    slot->heap_token++;
    slot->place = SLOT_FREE;
    slot->next = engine->free_slots;
    engine->free_slots = slot_index(engine, slot);
    engine->free_count++;
}

void queue_push(struct engine *engine, struct queue *queue, struct slot *slot)
{
    uint32_t index = slot_index(engine, slot);

    slot->next = NO_SLOT;
    if (queue->count == 0)
        queue->head = index;
    else
        engine->slots[queue->tail].next = index;
    queue->tail = index;
    queue->count++;
}

void queue_push_front(struct engine *engine, struct queue *queue, struct slot *slot)
{
    if (queue->count == 0) {
        queue_push(engine, queue, slot);
        return;
    }
    slot->next = queue->head;
    queue->head = slot_index(engine, slot);
    queue->count++;
}

struct slot *queue_pop(struct engine *engine, struct queue *queue)
{
    struct slot *slot;

    if (queue->count == 0)
        return NULL;
    slot = &engine->slots[queue->head];
    queue->head = slot->next;
    queue->count--;
    slot->next = NO_SLOT;
    return slot;
}

/* Lets the slot wait until its item is due. */
enum err_code slot_rest(struct engine *engine, struct slot *slot, struct err *err)
{
    int64_t wait_ms = slot->item.due_ms - engine->now.wall_ms;
    uint32_t index = slot_index(engine, slot);

    slot->place = SLOT_RESTING;
    slot->heap_token++;
    if (heap_push(&engine->due, engine->now.boot_ms + (wait_ms > 0 ? wait_ms : 0),
                  (uint64_t)index << 32 | slot->heap_token) != ERR_OK)
        return err_set(err, ERR_NO_MEMORY, "no memory for the queue of due items");
    return ERR_OK;
}
