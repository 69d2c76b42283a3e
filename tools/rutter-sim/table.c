#include "table.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_SLOTS_FIRST 1024

static struct table_slot *probe(const struct table *table, uint64_t hash)
{
    size_t place = (size_t)hash & table->mask;

    while (table->slots[place].hash != 0 && table->slots[place].hash != hash)
        place = (place + 1) & table->mask;
    return &table->slots[place];
}

static void grow(struct table *table)
{
    struct table old = *table;
    size_t slots = old.slots == NULL ? TABLE_SLOTS_FIRST : (old.mask + 1) * 2;

    table->slots = memory_new(slots * sizeof *table->slots);
    memset(table->slots, 0, slots * sizeof *table->slots);
    table->mask = slots - 1;
    for (size_t i = 0; old.slots != NULL && i <= old.mask; i++)
        if (old.slots[i].hash != 0)
            *probe(table, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

struct table_slot *table_at(struct table *table, uint64_t hash)
{
    struct table_slot *slot;

    if (hash == 0)
        hash = 1;
    if (table->slots == NULL || table->count * 2 > table->mask)
        grow(table);
    slot = probe(table, hash);
    if (slot->hash == 0) {
        slot->hash = hash;
        slot->value = 0;
        table->count++;
    }
    return slot;
}

struct table_slot *table_find(const struct table *table, uint64_t hash)
{
    struct table_slot *slot;

    if (table->slots == NULL)
        return NULL;
    slot = probe(table, hash == 0 ? 1 : hash);
    return slot->hash == 0 ? NULL : slot;
}

void table_reset(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place - 1] = timer;
    timer->place = place;
}

static void sift_up(struct timers *timers, struct timer *timer, size_t place)
{
    while (place > 1 && timers->heap[place / 2 - 1]->due_ms > timer->due_ms) {
        put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct timers *timers, struct timer *timer, size_t place)
{
    size_t child;

    while ((child = place * 2) <= timers->count) {
        if (child < timers->count && timers->heap[child]->due_ms < timers->heap[child - 1]->due_ms)
            child++;
        if (timers->heap[child - 1]->due_ms >= timer->due_ms)
            break;
        put(timers, place, timers->heap[child - 1]);
        place = child;
    }
    put(timers, place, timer);
}

void timers_add(struct timers *timers, struct timer *timer)
{
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity == 0 ? 1024 : timers->capacity * 2;
        timers->heap = memory_grow(timers->heap, timers->capacity * sizeof(struct timer *));
    }
    timers->count++;
    sift_up(timers, timer, timers->count);
}

void timers_remove(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    struct timer *last;

    if (place == 0)
        return;
    timer->place = 0;
    last = timers->heap[timers->count - 1];
    timers->count--;
    if (last == timer)
        return;
    if (place > 1 && timers->heap[place / 2 - 1]->due_ms > last->due_ms)
        sift_up(timers, last, place);
    else
        sift_down(timers, last, place);
}

void timers_fire(struct timers *timers, int64_t now_ms)
{
    while (timers->count > 0 && timers->heap[0]->due_ms <= now_ms) {
        struct timer *timer = timers->heap[0];

        timers_remove(timers, timer);
        timer->fire(timer);
    }
}

int64_t timers_wait_ms(const struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0)
        return -1;
    return timers->heap[0]->due_ms <= now_ms ? 0 : timers->heap[0]->due_ms - now_ms;
}
