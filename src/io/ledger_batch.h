/* The writes that become durable together.
 *
 * A later write of the same key takes the place of the earlier one, so an item that moves three
 * steps within one batch costs one write. Owns copies of all keys and values. Sticky error. */
#ifndef PURSER_IO_LEDGER_BATCH_H
#define PURSER_IO_LEDGER_BATCH_H

#include "ledger_keys.h"

enum ledger_op_kind {
    LEDGER_OP_PUT,
    LEDGER_OP_ADD,          /* put; the key is most likely behind all that are there */
    LEDGER_OP_DELETE,       /* no error when there is nothing to delete */
    LEDGER_OP_ATTEMPT,      /* the key is an item number; its index is found when it is applied */
    LEDGER_OP_DELETE_PREFIX /* all keys that begin with this one */
};

struct ledger_op {
    enum ledger_op_kind kind;
    enum ledger_database database;
    uint32_t key_length;
    uint32_t value_length;
    size_t key_offset; /* in bytes */
    size_t value_offset;
};

struct ledger_batch {
    uint64_t sequence; /* set by the ledger when it closes the batch */
    struct buf bytes;
    struct ledger_op *ops;
    size_t op_count, op_capacity;
    uint32_t *slots; /* hash of (database, key) → op + 1 */
    size_t slot_count;
    enum err_code failed;
};

void ledger_batch_init(struct ledger_batch *batch);
void ledger_batch_deinit(struct ledger_batch *batch);

/* Forgets the writes; keeps memory for reuse unless it is much more than a batch commonly has. */
void ledger_batch_clear(struct ledger_batch *batch);

/* `value` is ignored for deletions. Errors are kept in batch->failed: ERR_NO_MEMORY, ERR_TOO_BIG.
 */
void ledger_batch_add(struct ledger_batch *batch, enum ledger_op_kind kind,
                      enum ledger_database database, struct slice key, struct slice value);

/* What the batch would write under `key`: false when it says nothing about it. Of a deletion,
 * value_out->bytes is NULL. Borrowed until the next write. Not for attempts. */
bool ledger_batch_find(const struct ledger_batch *batch, enum ledger_database database,
                       struct slice key, struct slice *value_out);

struct slice ledger_batch_key(const struct ledger_batch *batch, const struct ledger_op *op);
struct slice ledger_batch_value(const struct ledger_batch *batch, const struct ledger_op *op);

#endif
