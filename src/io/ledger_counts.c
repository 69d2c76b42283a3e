#include "ledger_counts.h"

#include <assert.h>
#include <string.h>

#include "purser/base/mem.h"

void ledger_counts_init(struct ledger_counts *counts)
{
    *counts = (struct ledger_counts){0};
}

void ledger_counts_deinit(struct ledger_counts *counts)
{
    mem_free(counts->table);
    mem_free(counts->used);
    mem_free(counts->changed);
    ledger_counts_init(counts);
}

static size_t find_place(const struct ledger_counts *counts, uint32_t job, uint32_t connection)
{
    uint64_t mixed = ((uint64_t)job << 32 | connection) * 0x9e3779b97f4a7c15u;
    size_t mask = counts->capacity - 1;

    for (size_t at = (size_t)(mixed >> 32) & mask;; at = (at + 1) & mask) {
        const struct ledger_count *count = &counts->table[at];

        if (!counts->used[at] || (count->job == job && count->connection == connection))
            return at;
    }
}

static bool grow(struct ledger_counts *counts)
{
    struct ledger_counts grown = {.capacity = counts->capacity == 0 ? 16 : counts->capacity * 2};

    grown.table = mem_new(grown.capacity, sizeof grown.table[0]);
    grown.used = mem_new(grown.capacity, sizeof grown.used[0]);
    grown.changed = mem_new(grown.capacity, sizeof grown.changed[0]);
    if (grown.table == NULL || grown.used == NULL || grown.changed == NULL) {
        ledger_counts_deinit(&grown);
        return false;
    }
    for (size_t i = 0; i < counts->capacity; i++) {
        const struct ledger_count *count = &counts->table[i];
        size_t place;

        if (!counts->used[i])
            continue;
        place = find_place(&grown, count->job, count->connection);
        grown.table[place] = *count;
        grown.used[place] = true;
        grown.count++;
        if (count->changed)
            grown.changed[grown.changed_count++] = place;
    }
    grown.is_estimate = counts->is_estimate;
    ledger_counts_deinit(counts);
    *counts = grown;
    return true;
}

struct ledger_count *ledger_counts_entry(struct ledger_counts *counts, uint32_t job,
                                         uint32_t connection)
{
    size_t place;

    if (counts->count * 2 >= counts->capacity && !grow(counts))
        return NULL;
    place = find_place(counts, job, connection);
    if (!counts->used[place]) {
        counts->used[place] = true;
        counts->table[place] = (struct ledger_count){.job = job, .connection = connection};
        counts->count++;
    }
    return &counts->table[place];
}

static void mark_changed(struct ledger_counts *counts, struct ledger_count *count)
{
    if (count->changed)
        return;
    count->changed = true;
    counts->changed[counts->changed_count++] = (size_t)(count - counts->table);
}

void ledger_counts_zero(struct ledger_counts *counts)
{
    for (size_t i = 0; i < counts->capacity; i++) {
        if (!counts->used[i])
            continue;
        memset(counts->table[i].by_state, 0, sizeof counts->table[i].by_state);
        mark_changed(counts, &counts->table[i]);
    }
}

bool ledger_counts_add(struct ledger_counts *counts, uint32_t job, uint32_t connection,
                       enum item_state state, int by)
{
    struct ledger_count *count = ledger_counts_entry(counts, job, connection);

    assert(state < ITEM_STATE_COUNT);
    if (count == NULL)
        return false;
    if (by < 0) {
        assert(count->by_state[state] > 0 || counts->is_estimate);
        if (count->by_state[state] > 0)
            count->by_state[state]--;
    } else {
        count->by_state[state]++;
    }
    mark_changed(counts, count);
    return true;
}

void ledger_counts_flush(struct ledger_counts *counts, struct ledger_batch *batch,
                         struct buf *scratch)
{
    for (size_t i = 0; i < counts->changed_count; i++) {
        struct ledger_count *count = &counts->table[counts->changed[i]];
        struct ledger_key key = ledger_key_counts(count->job, count->connection);
        char value[LEDGER_COUNTS_BYTES];

        for (size_t state = 0; state < ITEM_STATE_COUNT; state++)
            ledger_store_u64(value + 8 * state, count->by_state[state]);
        buf_clear(scratch);
        ledger_seal(scratch, ledger_key_slice(&key), (struct slice){value, sizeof value});
        if (scratch->failed != ERR_OK)
            batch->failed = scratch->failed;
        ledger_batch_add(batch, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&key),
                         (struct slice){scratch->bytes, scratch->length});
        count->changed = false;
    }
    counts->changed_count = 0;
}

bool ledger_counts_decode(struct slice key, struct slice bytes, struct ledger_count *count_out)
{
    size_t prefix = sizeof LEDGER_META_COUNTS - 1;
    struct slice value;

    if (key.length != prefix + 8 || !ledger_unseal(key, bytes, &value) ||
        value.length != LEDGER_COUNTS_BYTES)
        return false;
    *count_out = (struct ledger_count){
        .job = ledger_load_u32(key.bytes + prefix),
        .connection = ledger_load_u32(key.bytes + prefix + 4),
    };
    for (size_t state = 0; state < ITEM_STATE_COUNT; state++)
        count_out->by_state[state] = ledger_load_u64(value.bytes + 8 * state);
    return true;
}
