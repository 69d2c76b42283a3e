/* How many items of each job on each connection are in each state, as of the open batch. */
#ifndef PURSER_IO_LEDGER_COUNTS_H
#define PURSER_IO_LEDGER_COUNTS_H

#include "ledger_batch.h"

#define LEDGER_COUNTS_BYTES (8 * ITEM_STATE_COUNT)

struct ledger_count {
    uint32_t job, connection;
    uint64_t by_state[ITEM_STATE_COUNT];
    bool changed; /* since it was last put into a batch */
};

struct ledger_counts {
    struct ledger_count *table; /* open addressing; capacity is a power of two or 0 */
    bool *used;
    size_t count, capacity;
    size_t *changed; /* places in the table; at most `count` */
    size_t changed_count;
    bool is_estimate; /* a damaged item was counted as what it most likely was: see below */
};

void ledger_counts_init(struct ledger_counts *counts);
void ledger_counts_deinit(struct ledger_counts *counts);

/* The entry, made when it is new; NULL when there is no memory. Valid until the next call. */
struct ledger_count *ledger_counts_entry(struct ledger_counts *counts, uint32_t job,
                                         uint32_t connection);

/* Counts one item more (or less: `by` = -1). An estimate ends at 0; otherwise there must be one to
 * take away. False when there is no memory. */
bool ledger_counts_add(struct ledger_counts *counts, uint32_t job, uint32_t connection,
                       enum item_state state, int by);

/* Every count becomes 0, as if each had changed. */
void ledger_counts_zero(struct ledger_counts *counts);

/* Puts every entry that has changed into the batch. */
void ledger_counts_flush(struct ledger_counts *counts, struct ledger_batch *batch,
                         struct buf *scratch);

/* The stored form ↔ an entry's by_state; false when it is damaged. */
bool ledger_counts_decode(struct slice key, struct slice bytes, struct ledger_count *count_out);

#endif
