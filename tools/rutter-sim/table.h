/* A flat hash table from a 64-bit hash to a 32-bit value, and a heap of timers. */
#ifndef RUTTER_SIM_TABLE_H
#define RUTTER_SIM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing, grows by doubling, entries are never removed. Zero-initialised is empty.
 * Two different things with one 64-bit hash share a slot: callers that cannot bear it keep the
 * full key beside their value and step on with `table_next`. */
struct table {
    struct table_slot *slots;
    size_t mask;
    size_t count;
};

struct table_slot {
    uint64_t hash; /* 0: empty */
    uint32_t value;
};

/* The slot of `hash`, made with value 0 if it was not there. Valid until the next call. */
struct table_slot *table_at(struct table *table, uint64_t hash);
/* The slot of `hash`, or NULL. */
struct table_slot *table_find(const struct table *table, uint64_t hash);
void table_reset(struct table *table);

/* Something that becomes due. Embedded in its owner, which must not move. */
struct timer {
    int64_t due_ms;
    size_t place; /* 1-based place in the heap; 0: not in it */
    void (*fire)(struct timer *timer);
};

/* A min-heap of timers by due time. */
struct timers {
    struct timer **heap;
    size_t count;
    size_t capacity;
};

void timers_add(struct timers *timers, struct timer *timer);
void timers_remove(struct timers *timers, struct timer *timer);
/* Takes out and fires every timer that is due at `now_ms`, earliest first. */
void timers_fire(struct timers *timers, int64_t now_ms);
/* Milliseconds until the next one is due, at least 0; -1 when there is none. */
int64_t timers_wait_ms(const struct timers *timers, int64_t now_ms);

#endif
