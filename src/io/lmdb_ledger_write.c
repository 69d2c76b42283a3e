#include "lmdb_ledger_internal.h"

#include <assert.h>
#include <string.h>

enum err_code lmdb_ledger_begin_write(struct ledger *self, struct lmdb_ledger **ledger_out,
                                      struct err *err)
{
    struct lmdb_ledger *ledger = (struct lmdb_ledger *)self;

    assert(ledger->committer != NULL);
    *ledger_out = ledger;
    buf_clear(&ledger->scratch);
    return ledger_committer_check(ledger->committer, err);
}

static enum err_code put_failed(enum err_code code, struct err *err)
{
    return err_set(err, code, "write to the ledger: %s", err_code_text(code));
}

/* Puts a value into the open batch. */
static enum err_code put(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                         enum ledger_database database, struct slice key, struct slice value,
                         struct err *err)
{
    struct ledger_batch *batch = ledger_committer_batch(ledger->committer);

    ledger_batch_add(batch, kind, database, key, value);
    return batch->failed == ERR_OK ? ERR_OK : put_failed(batch->failed, err);
}

/* Half of a change may be in the batch, so it must never be committed. */
static enum err_code spoil_batch(struct lmdb_ledger *ledger, struct err *err)
{
    ledger_committer_batch(ledger->committer)->failed = ERR_NO_MEMORY;
    return put_failed(ERR_NO_MEMORY, err);
}

enum err_code lmdb_ledger_put_scratch(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                                      enum ledger_database database, struct slice key,
                                      struct err *err)
{
    if (ledger->scratch.failed == ERR_NO_MEMORY)
        return spoil_batch(ledger, err);
    if (ledger->scratch.failed != ERR_OK)
        return put_failed(ledger->scratch.failed, err);
    return put(ledger, kind, database, key,
               (struct slice){ledger->scratch.bytes, ledger->scratch.length}, err);
}

static enum err_code delete_key(struct lmdb_ledger *ledger, enum ledger_database database,
                                struct slice key, struct err *err)
{
    return put(ledger, LEDGER_OP_DELETE, database, key, SLICE(""), err);
}

static enum err_code put_sealed(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                                enum ledger_database database, struct slice key, struct slice value,
                                struct err *err)
{
    buf_clear(&ledger->scratch);
    ledger_seal(&ledger->scratch, key, value);
    return lmdb_ledger_put_scratch(ledger, kind, database, key, err);
}

static enum err_code put_sealed_u64(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                                    enum ledger_database database, struct slice key,
                                    uint64_t number, struct err *err)
{
    char bytes[8];

    ledger_store_u64(bytes, number);
    return put_sealed(ledger, kind, database, key, (struct slice){bytes, sizeof bytes}, err);
}

/* --- names --- */

static enum err_code number_of(struct ledger *self, const char *prefix, struct ledger_names *names,
                               const char *name, uint32_t *number_out, struct err *err)
{
    struct lmdb_ledger *ledger;
    struct ledger_key key;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    if (ledger_names_find(names, slice_of(name), number_out))
        return ERR_OK;
    if (ledger_names_add(names, slice_of(name), err) != ERR_OK)
        return err->code;
    *number_out = names->count - 1;
    key = ledger_key_text_u32(prefix, *number_out);
    return put_sealed(ledger, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&key), slice_of(name),
                      err);
}

enum err_code lmdb_ledger_job_number(struct ledger *self, const char *name, uint32_t *number_out,
                                     struct err *err)
{
    return number_of(self, LEDGER_META_JOB, &((struct lmdb_ledger *)self)->jobs, name, number_out,
                     err);
}

enum err_code lmdb_ledger_connection_number(struct ledger *self, const char *alias,
                                            uint32_t *number_out, struct err *err)
{
    return number_of(self, LEDGER_META_CONNECTION, &((struct lmdb_ledger *)self)->connections,
                     alias, number_out, err);
}

enum err_code lmdb_ledger_put_proven_operation(struct ledger *self, const char *operation,
                                               struct err *err)
{
    uint32_t ignored;

    return number_of(self, LEDGER_META_PROVEN, &((struct lmdb_ledger *)self)->proven, operation,
                     &ignored, err);
}

/* --- items --- */

static enum err_code count(struct lmdb_ledger *ledger, const struct item *item, int by,
                           struct err *err)
{
    if (ledger_counts_add(&ledger->counts, item->job, item->connection, item->state, by))
        return ERR_OK;
    return spoil_batch(ledger, err);
}

static enum err_code put_item_record(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                                     uint64_t number, const struct item *item, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);

    buf_clear(&ledger->scratch);
    record_put_item(&ledger->scratch, ledger_key_slice(&key), item);
    return lmdb_ledger_put_scratch(ledger, kind, LEDGER_ITEMS, ledger_key_slice(&key), err);
}

static enum err_code put_request_record(struct lmdb_ledger *ledger, enum ledger_op_kind kind,
                                        uint64_t number, const struct frozen_request *request,
                                        struct err *err)
{
    struct ledger_key key = ledger_key_item(number);

    buf_clear(&ledger->scratch);
    record_put_request(&ledger->scratch, ledger_key_slice(&key), request);
    return lmdb_ledger_put_scratch(ledger, kind, LEDGER_REQUESTS, ledger_key_slice(&key), err);
}

enum err_code lmdb_ledger_add_item(struct ledger *self, const struct item *item,
                                   const struct frozen_request *request, uint64_t *number_out,
                                   struct err *err)
{
    struct lmdb_ledger *ledger;
    struct ledger_key name, open;
    uint64_t number;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    if (request->key.length > ITEM_KEY_BYTES_MAX)
        return put_failed(ERR_TOO_BIG, err);
    assert(item->job == request->job && item->connection == request->connection);
    number = ledger->next_item;
    name = ledger_key_name(item->job, item->connection, request->key);
    /* The request first: it is what can be too big, and then nothing else has changed. */
    if (put_request_record(ledger, LEDGER_OP_ADD, number, request, err) != ERR_OK ||
        put_item_record(ledger, LEDGER_OP_ADD, number, item, err) != ERR_OK ||
        put_sealed_u64(ledger, LEDGER_OP_PUT, LEDGER_NAMES, ledger_key_slice(&name), number, err) !=
            ERR_OK ||
        count(ledger, item, 1, err) != ERR_OK)
        return err->code;
    if (ledger_key_open_of(number, item, &open) &&
        put(ledger, LEDGER_OP_PUT, LEDGER_OPEN, ledger_key_slice(&open), SLICE(""), err) != ERR_OK)
        return err->code;
    ledger->next_item++;
    ledger->next_item_changed = true;
    *number_out = number;
    return ERR_OK;
}

/* An item can also be in doubt because its request was damaged: then its own record is fine. */
static enum err_code is_damaged(struct lmdb_ledger *ledger, uint64_t number,
                                const struct item *before, bool *damaged_out, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    struct slice value;
    struct item ignored;
    enum err_code code;

    *damaged_out = false;
    if (before->reason != REASON_RECORD_DAMAGED)
        return ERR_OK;
    code = ledger_store_begin_read(ledger->store, err);
    if (code != ERR_OK)
        return code;
    code = lmdb_ledger_get_newest(ledger, LEDGER_ITEMS, ledger_key_slice(&key), &value, err);
    *damaged_out = code == ERR_OK && !record_get_item(ledger_key_slice(&key), value, &ignored);
    ledger_store_end_read(ledger->store);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Deletes all that the index of open items says about the item, and tells which class it said; -1
 * when it said nothing. The index is searched whole: its order needs what the record knew. */
static enum err_code forget_open(struct lmdb_ledger *ledger, uint64_t number, int *class_out,
                                 struct err *err)
{
    struct slice key, value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    *class_out = -1;
    if (code != ERR_OK)
        return code;
    code = ledger_store_seek(ledger->store, LEDGER_OPEN, SLICE("\0"), &key, &value, err);
    while (code == ERR_OK) {
        if (key.length > LEDGER_ITEM_KEY_BYTES &&
            ledger_load_u64(key.bytes + key.length - LEDGER_ITEM_KEY_BYTES) == number) {
            *class_out = (unsigned char)key.bytes[0];
            code = delete_key(ledger, LEDGER_OPEN, key, err);
        }
        if (code == ERR_OK)
            code = ledger_store_next(ledger->store, LEDGER_OPEN, &key, &value, err);
    }
    ledger_store_end_read(ledger->store);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* Of the states in a class, the one that more items of the same job and connection are in. False
 * when none is. */
static bool likely_state(struct lmdb_ledger *ledger, const struct item *item, int class,
                         enum item_state *state_out)
{
    const struct ledger_count *counts =
        ledger_counts_entry(&ledger->counts, item->job, item->connection);

    if (class == LEDGER_CLASS_READY)
        *state_out = ITEM_READY;
    else if (class == LEDGER_CLASS_BLOCKED)
        *state_out = ITEM_BLOCKED;
    else if (class == LEDGER_CLASS_ACTIVE && counts != NULL)
        *state_out = counts->by_state[ITEM_SENDING] > counts->by_state[ITEM_WAITING] ? ITEM_SENDING
                                                                                     : ITEM_WAITING;
    else if (class == LEDGER_CLASS_RELEASE && counts != NULL)
        *state_out = counts->by_state[ITEM_SUCCEEDED] > counts->by_state[ITEM_CANCELLED]
                         ? ITEM_SUCCEEDED
                         : ITEM_CANCELLED;
    else
        return false;
    return counts != NULL && counts->by_state[*state_out] > 0;
}

/* The record was damaged, so what it counted as is not known for certain. The counts take the most
 * likely; the next opening counts anew. `item` NULL = dropped. */
static enum err_code forget_damaged(struct lmdb_ledger *ledger, uint64_t number,
                                    const struct item *item, struct err *err)
{
    struct ledger_key recount = ledger_key_text(LEDGER_META_RECOUNT);
    struct item likely;
    int class;

    ledger->counts.is_estimate = true;
    if (forget_open(ledger, number, &class, err) != ERR_OK) {
        ledger_committer_batch(ledger->committer)->failed = err->code; /* half of it is in there */
        return err->code;
    }
    if (put_sealed(ledger, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&recount), SLICE(""),
                   err) != ERR_OK)
        return err->code;
    if (item == NULL || item->job == UINT32_MAX)
        return ERR_OK;
    likely = *item;
    if (!likely_state(ledger, item, class, &likely.state))
        return ERR_OK;
    if (count(ledger, &likely, -1, err) != ERR_OK)
        return err->code;
    return count(ledger, item, 1, err);
}

/* Takes the item from its place in the index, unless it stays there, and counts the change. */
static enum err_code leave_before(struct lmdb_ledger *ledger, uint64_t number,
                                  const struct item *before, const struct item *item,
                                  struct err *err)
{
    struct ledger_key open_before, open_after;

    if (before->state != item->state &&
        (count(ledger, before, -1, err) != ERR_OK || count(ledger, item, 1, err) != ERR_OK))
        return err->code;
    if (!ledger_key_open_of(number, before, &open_before) ||
        (ledger_key_open_of(number, item, &open_after) &&
         slice_equal(ledger_key_slice(&open_before), ledger_key_slice(&open_after))))
        return ERR_OK;
    return delete_key(ledger, LEDGER_OPEN, ledger_key_slice(&open_before), err);
}

enum err_code lmdb_ledger_put_item(struct ledger *self, uint64_t number, const struct item *before,
                                   const struct item *item, struct err *err)
{
    struct lmdb_ledger *ledger;
    struct ledger_key open_before, open_after;
    bool damaged, was_open;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK ||
        is_damaged(ledger, number, before, &damaged, err) != ERR_OK ||
        put_item_record(ledger, LEDGER_OP_PUT, number, item, err) != ERR_OK ||
        (damaged ? forget_damaged(ledger, number, item, err)
                 : leave_before(ledger, number, before, item, err)) != ERR_OK)
        return err->code;
    if (!ledger_key_open_of(number, item, &open_after))
        return ERR_OK;
    was_open = !damaged && ledger_key_open_of(number, before, &open_before);
    if (was_open && slice_equal(ledger_key_slice(&open_before), ledger_key_slice(&open_after)))
        return ERR_OK;
    return put(ledger, LEDGER_OP_PUT, LEDGER_OPEN, ledger_key_slice(&open_after), SLICE(""), err);
}

enum err_code lmdb_ledger_put_request(struct ledger *self, uint64_t number,
                                      const struct frozen_request *request, struct err *err)
{
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    return put_request_record(ledger, LEDGER_OP_PUT, number, request, err);
}

enum err_code lmdb_ledger_put_needs(struct ledger *self, uint64_t number,
                                    const struct needs_record *needs, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_needs(&ledger->scratch, ledger_key_slice(&key), needs);
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_PUT, LEDGER_NEEDS, ledger_key_slice(&key),
                                   err);
}

enum err_code lmdb_ledger_put_group(struct ledger *self, uint32_t job, uint32_t connection,
                                    struct hash128 group, uint64_t number, struct err *err)
{
    struct ledger_key key = ledger_key_group(job, connection, group);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    return put_sealed_u64(ledger, LEDGER_OP_PUT, LEDGER_GROUPS, ledger_key_slice(&key), number,
                          err);
}

enum err_code lmdb_ledger_put_result(struct ledger *self, uint64_t number,
                                     const struct result_record *result, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_result(&ledger->scratch, ledger_key_slice(&key), result);
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_PUT, LEDGER_RESULTS, ledger_key_slice(&key),
                                   err);
}

enum err_code lmdb_ledger_put_attempt(struct ledger *self, uint64_t number,
                                      const struct attempt_record *attempt, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_attempt(&ledger->scratch, ledger_key_slice(&key), attempt);
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_ATTEMPT, LEDGER_ATTEMPTS,
                                   ledger_key_slice(&key), err);
}

/* The key of the item's identity, which only the request holds: in a batch that is not durable yet,
 * or in the store. ERR_NOT_FOUND when the request is gone or damaged. */
static enum err_code find_name(struct lmdb_ledger *ledger, uint64_t number,
                               struct ledger_key *name_out, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    struct frozen_request request;
    struct slice value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    if (code != ERR_OK)
        return code;
    code = lmdb_ledger_get_newest(ledger, LEDGER_REQUESTS, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK && !record_get_request(ledger_key_slice(&key), value, &request))
        code = ERR_NOT_FOUND;
    if (code == ERR_OK)
        *name_out = ledger_key_name(request.job, request.connection, request.key);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_drop_item(struct ledger *self, uint64_t number, const struct item *before,
                                    struct err *err)
{
    struct ledger_key key = ledger_key_item(number), name, open;
    struct slice item_key = ledger_key_slice(&key);
    struct lmdb_ledger *ledger;
    enum err_code code;
    bool damaged;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK ||
        is_damaged(ledger, number, before, &damaged, err) != ERR_OK)
        return err->code;
    assert(!item_state_is_active(before->state));
    code = find_name(ledger, number, &name, err);
    if (code == ERR_NOT_FOUND)
        return lmdb_ledger_damaged(ledger, "the frozen request of an item", err);
    if (code != ERR_OK ||
        delete_key(ledger, LEDGER_NAMES, ledger_key_slice(&name), err) != ERR_OK ||
        delete_key(ledger, LEDGER_ITEMS, item_key, err) != ERR_OK ||
        delete_key(ledger, LEDGER_REQUESTS, item_key, err) != ERR_OK ||
        delete_key(ledger, LEDGER_RESULTS, item_key, err) != ERR_OK ||
        (!before->has_dependents && delete_key(ledger, LEDGER_NEEDS, item_key, err) != ERR_OK) ||
        put(ledger, LEDGER_OP_DELETE_PREFIX, LEDGER_ATTEMPTS, item_key, SLICE(""), err) != ERR_OK)
        return err->code;
    if (damaged)
        return forget_damaged(ledger, number, NULL, err);
    if (ledger_key_open_of(number, before, &open) &&
        delete_key(ledger, LEDGER_OPEN, ledger_key_slice(&open), err) != ERR_OK)
        return err->code;
    return count(ledger, before, -1, err);
}

/* --- runs, connections --- */

enum err_code lmdb_ledger_put_run(struct ledger *self, uint32_t run,
                                  const struct run_record *record, struct err *err)
{
    struct ledger_key key = ledger_key_run(run);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_run(&ledger->scratch, ledger_key_slice(&key), record);
    if (run > ledger->last_run)
        ledger->last_run = run;
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_PUT, LEDGER_RUNS, ledger_key_slice(&key), err);
}

enum err_code lmdb_ledger_put_connection(struct ledger *self, uint32_t connection,
                                         const struct connection_record *record, struct err *err)
{
    struct ledger_key key = ledger_key_text_u32(LEDGER_META_LEARNED, connection);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_connection(&ledger->scratch, ledger_key_slice(&key), record);
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&key), err);
}

/* --- commits --- */

size_t lmdb_ledger_batch_bytes(struct ledger *self)
{
    struct lmdb_ledger *ledger = (struct lmdb_ledger *)self;

    assert(ledger->committer != NULL);
    return ledger_committer_batch(ledger->committer)->bytes.length;
}

enum err_code lmdb_ledger_commit_begin(struct ledger *self, uint64_t *sequence_out, struct err *err)
{
    struct ledger_key next_item = ledger_key_text(LEDGER_META_NEXT_ITEM);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    ledger_counts_flush(&ledger->counts, ledger_committer_batch(ledger->committer),
                        &ledger->scratch);
    if (ledger->next_item_changed &&
        put_sealed_u64(ledger, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&next_item),
                       ledger->next_item, err) != ERR_OK)
        return err->code;
    ledger->next_item_changed = false;
    return ledger_committer_submit(ledger->committer, sequence_out, err);
}

enum err_code lmdb_ledger_commit_poll(struct ledger *self, bool wait, uint64_t *durable_out,
                                      struct err *err)
{
    struct lmdb_ledger *ledger = (struct lmdb_ledger *)self;

    assert(ledger->committer != NULL);
    return ledger_committer_poll(ledger->committer, wait, durable_out, err);
}
