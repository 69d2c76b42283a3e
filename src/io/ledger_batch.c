#include "ledger_batch.h"

#include <assert.h>
#include <string.h>

#include "purser/base/checksum.h"
#include "purser/base/mem.h"

/* Two of the largest items above what the caller holds a batch to. */
#define BYTES_MAX ((size_t)BATCH_BYTES_MAX * 4 + 2 * ((size_t)BODY_BYTES_MAX + ANSWER_BYTES_MAX))
/* Each operation has at least a byte of key, so their numbers fit as well. */
_Static_assert(BYTES_MAX < UINT32_MAX / 4, "slots hold 32 bits");
#define KEPT_BYTES_MAX ((size_t)BATCH_BYTES_MAX * 4)
#define KEPT_OPS_MAX (64 * 1024)

void ledger_batch_init(struct ledger_batch *batch)
{
    *batch = (struct ledger_batch){0};
    buf_init(&batch->bytes, BYTES_MAX);
}

void ledger_batch_deinit(struct ledger_batch *batch)
{
    buf_deinit(&batch->bytes);
    mem_free(batch->ops);
    mem_free(batch->slots);
    ledger_batch_init(batch);
}

void ledger_batch_clear(struct ledger_batch *batch)
{
    if (batch->bytes.capacity > KEPT_BYTES_MAX || batch->op_capacity > KEPT_OPS_MAX) {
        ledger_batch_deinit(batch);
        return;
    }
    buf_clear(&batch->bytes);
    batch->op_count = 0;
    batch->failed = ERR_OK;
    if (batch->slots != NULL)
        memset(batch->slots, 0, batch->slot_count * sizeof batch->slots[0]);
}

struct slice ledger_batch_key(const struct ledger_batch *batch, const struct ledger_op *op)
{
    return (struct slice){batch->bytes.bytes + op->key_offset, op->key_length};
}

struct slice ledger_batch_value(const struct ledger_batch *batch, const struct ledger_op *op)
{
    return (struct slice){batch->bytes.bytes + op->value_offset, op->value_length};
}

/* Attempts and prefixes stand for keys that are not known yet; each is a write of its own. */
static bool is_hashed(enum ledger_op_kind kind)
{
    return kind == LEDGER_OP_PUT || kind == LEDGER_OP_ADD || kind == LEDGER_OP_DELETE;
}

/* The slot that holds (database, key), or the empty one where it belongs. */
static uint32_t *find_slot(const struct ledger_batch *batch, enum ledger_database database,
                           struct slice key)
{
    size_t mask = batch->slot_count - 1;
    size_t at =
        (size_t)(checksum64(key.bytes, key.length) + (uint64_t)database * 0x9e3779b97f4a7c15u);

    for (at &= mask;; at = (at + 1) & mask) {
        uint32_t *slot = &batch->slots[at];
        const struct ledger_op *op;

        if (*slot == 0)
            return slot;
        op = &batch->ops[*slot - 1];
        if (op->database == database && slice_equal(ledger_batch_key(batch, op), key))
            return slot;
    }
}

static bool grow(struct ledger_batch *batch)
{
    size_t capacity = batch->op_capacity == 0 ? 256 : batch->op_capacity * 2;
    struct ledger_op *ops;
    uint32_t *slots;

    ops = mem_resize(batch->ops, capacity, sizeof batch->ops[0]);
    if (ops != NULL)
        batch->ops = ops;
    slots = ops == NULL ? NULL : mem_new(capacity * 2, sizeof slots[0]);
    if (slots == NULL) {
        batch->failed = ERR_NO_MEMORY;
        return false;
    }
    mem_free(batch->slots);
    batch->slots = slots;
    batch->slot_count = capacity * 2;
    batch->op_capacity = capacity;
    for (size_t i = 0; i < batch->op_count; i++) {
        const struct ledger_op *op = &batch->ops[i];

        if (is_hashed(op->kind))
            *find_slot(batch, op->database, ledger_batch_key(batch, op)) = (uint32_t)i + 1;
    }
    return true;
}

/* Puts the value into `op`: over the old one when it fits, else behind everything. */
static void set_value(struct ledger_batch *batch, struct ledger_op *op, enum ledger_op_kind kind,
                      struct slice value)
{
    bool replaces = op->value_length >= value.length;

    /* What was to be added is not in the database yet: it stays an addition. */
    if (!(op->kind == LEDGER_OP_ADD && kind == LEDGER_OP_PUT))
        op->kind = kind;
    if (replaces && value.length > 0)
        memcpy(batch->bytes.bytes + op->value_offset, value.bytes, value.length);
    if (!replaces) {
        op->value_offset = batch->bytes.length;
        buf_append(&batch->bytes, value.bytes, value.length);
    }
    op->value_length = (uint32_t)value.length;
}

void ledger_batch_add(struct ledger_batch *batch, enum ledger_op_kind kind,
                      enum ledger_database database, struct slice key, struct slice value)
{
    uint32_t *slot = NULL;
    struct ledger_op *op;

    assert(key.length <= LEDGER_KEY_BYTES_MAX);
    if (kind == LEDGER_OP_DELETE || kind == LEDGER_OP_DELETE_PREFIX)
        value = (struct slice){"", 0};
    if (batch->failed != ERR_OK || (batch->op_count == batch->op_capacity && !grow(batch)))
        return;
    if (is_hashed(kind))
        slot = find_slot(batch, database, key);
    if (slot != NULL && *slot != 0) {
        set_value(batch, &batch->ops[*slot - 1], kind, value);
    } else {
        op = &batch->ops[batch->op_count++];
        *op = (struct ledger_op){
            .kind = kind,
            .database = database,
            .key_length = (uint32_t)key.length,
            .key_offset = batch->bytes.length,
        };
        buf_append(&batch->bytes, key.bytes, key.length);
        set_value(batch, op, kind, value);
        if (slot != NULL)
            *slot = (uint32_t)batch->op_count;
    }
    batch->failed = batch->bytes.failed;
}

bool ledger_batch_find(const struct ledger_batch *batch, enum ledger_database database,
                       struct slice key, struct slice *value_out)
{
    const struct ledger_op *op;
    uint32_t slot;

    if (batch->slot_count == 0 || batch->failed != ERR_OK)
        return false;
    slot = *find_slot(batch, database, key);
    if (slot == 0)
        return false;
    op = &batch->ops[slot - 1];
    *value_out =
        op->kind == LEDGER_OP_DELETE ? (struct slice){NULL, 0} : ledger_batch_value(batch, op);
    return true;
}
