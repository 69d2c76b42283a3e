#include "lmdb_ledger_internal.h"

#include <string.h>

static struct lmdb_ledger *of(struct ledger *self)
{
    return (struct lmdb_ledger *)self;
}

enum err_code lmdb_ledger_damaged(const struct lmdb_ledger *ledger, const char *what,
                                  struct err *err)
{
    return err_set(err, ERR_DAMAGED,
                   "the ledger in %s is damaged: %s\nhint: restore the directory "
                   "from a backup",
                   ledger->path, what);
}

/* --- one value --- */

/* Copies a value into `storage`, from where it is decoded when the read has ended. */
static enum err_code copy_value(struct lmdb_ledger *ledger, enum ledger_database database,
                                struct slice key, struct buf *storage, struct err *err)
{
    struct slice value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    buf_clear(storage);
    if (code != ERR_OK)
        return code;
    code = ledger_store_get(ledger->store, database, key, &value, err);
    if (code == ERR_OK)
        buf_append(storage, value.bytes, value.length);
    ledger_store_end_read(ledger->store);
    if (storage->failed != ERR_OK)
        return err_set(err, storage->failed, "read from the ledger: %s",
                       err_code_text(storage->failed));
    return code;
}

static struct slice bytes_of(const struct buf *buf)
{
    return (struct slice){buf_text(buf), buf->length};
}

static enum err_code unseal_number(const struct lmdb_ledger *ledger, struct slice key,
                                   struct slice value, uint64_t *number_out, struct err *err)
{
    struct slice number;

    if (!ledger_unseal(key, value, &number) || number.length != 8)
        return lmdb_ledger_damaged(ledger, "the number of an item", err);
    *number_out = ledger_load_u64(number.bytes);
    return ERR_OK;
}

enum err_code lmdb_ledger_find(struct ledger *self, uint32_t job, uint32_t connection,
                               struct slice item_key, uint64_t *number_out, struct err *err)
{
    struct lmdb_ledger *ledger = of(self);
    struct ledger_key key;
    struct slice value;
    enum err_code code;

    if (item_key.length > ITEM_KEY_BYTES_MAX)
        return ERR_NOT_FOUND;
    key = ledger_key_name(job, connection, item_key);
    code = ledger_store_begin_read(ledger->store, err);
    if (code != ERR_OK)
        return code;
    code = ledger_store_get(ledger->store, LEDGER_NAMES, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK)
        code = unseal_number(ledger, ledger_key_slice(&key), value, number_out, err);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_get_newest(struct lmdb_ledger *ledger, enum ledger_database database,
                                     struct slice key, struct slice *value_out, struct err *err)
{
    if (ledger->committer == NULL ||
        !ledger_committer_find(ledger->committer, database, key, value_out))
        return ledger_store_get(ledger->store, database, key, value_out, err);
    return value_out->bytes == NULL ? ERR_NOT_FOUND : ERR_OK;
}

enum err_code lmdb_ledger_find_group(struct ledger *self, uint32_t job, uint32_t connection,
                                     struct hash128 group, uint64_t *number_out, struct err *err)
{
    struct lmdb_ledger *ledger = of(self);
    struct ledger_key key = ledger_key_group(job, connection, group);
    struct slice value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    if (code != ERR_OK)
        return code;
    code = lmdb_ledger_get_newest(ledger, LEDGER_GROUPS, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK)
        code = unseal_number(ledger, ledger_key_slice(&key), value, number_out, err);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_decode_item(struct lmdb_ledger *ledger, uint64_t number,
                                      struct slice bytes, struct item *item_out, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    struct frozen_request request;
    struct slice value;
    enum err_code code;

    if (record_get_item(ledger_key_slice(&key), bytes, item_out))
        return ERR_OK;
    *item_out = item_new(UINT32_MAX, UINT32_MAX, (struct hash128){0}, 0);
    item_out->state = ITEM_IN_DOUBT;
    item_out->reason = REASON_RECORD_DAMAGED;
    code = ledger_store_get(ledger->store, LEDGER_REQUESTS, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK && record_get_request(ledger_key_slice(&key), value, &request)) {
        item_out->job = request.job;
        item_out->connection = request.connection;
        item_out->generation = request.generation;
    }
    item_out->generation += DAMAGED_GENERATION_STEP;
    item_out->has_needs = item_out->has_dependents = true; /* it may have had */
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code lmdb_ledger_read_item(struct ledger *self, uint64_t number, struct item *item_out,
                                    struct err *err)
{
    struct lmdb_ledger *ledger = of(self);
    struct ledger_key key = ledger_key_item(number);
    struct slice value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    if (code != ERR_OK)
        return code;
    code = ledger_store_get(ledger->store, LEDGER_ITEMS, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK)
        code = lmdb_ledger_decode_item(ledger, number, value, item_out, err);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_read_request(struct ledger *self, uint64_t number, struct buf *storage,
                                       struct frozen_request *request_out, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    enum err_code code =
        copy_value(of(self), LEDGER_REQUESTS, ledger_key_slice(&key), storage, err);

    if (code == ERR_OK &&
        !record_get_request(ledger_key_slice(&key), bytes_of(storage), request_out))
        return lmdb_ledger_damaged(of(self), "the frozen request of an item", err);
    return code;
}

enum err_code lmdb_ledger_read_needs(struct ledger *self, uint64_t number, struct buf *storage,
                                     struct needs_record *needs_out, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    enum err_code code = copy_value(of(self), LEDGER_NEEDS, ledger_key_slice(&key), storage, err);

    if (code == ERR_OK && !record_get_needs(ledger_key_slice(&key), bytes_of(storage), needs_out))
        return lmdb_ledger_damaged(of(self), "what an item needs", err);
    return code;
}

enum err_code lmdb_ledger_read_result(struct ledger *self, uint64_t number, struct buf *storage,
                                      struct result_record *result_out, struct err *err)
{
    struct ledger_key key = ledger_key_item(number);
    enum err_code code = copy_value(of(self), LEDGER_RESULTS, ledger_key_slice(&key), storage, err);

    if (code == ERR_OK && !record_get_result(ledger_key_slice(&key), bytes_of(storage), result_out))
        return lmdb_ledger_damaged(of(self), "the result of an item", err);
    return code;
}

enum err_code lmdb_ledger_read_attempt(struct ledger *self, uint64_t number, uint32_t index,
                                       struct buf *storage, struct attempt_record *attempt_out,
                                       struct err *err)
{
    struct ledger_key key = ledger_key_attempt(number, index);
    struct ledger_key item_key = ledger_key_item(number);
    enum err_code code =
        copy_value(of(self), LEDGER_ATTEMPTS, ledger_key_slice(&key), storage, err);

    if (code == ERR_OK &&
        !record_get_attempt(ledger_key_slice(&item_key), bytes_of(storage), attempt_out))
        return lmdb_ledger_damaged(of(self), "an attempt of an item", err);
    return code;
}

/* --- the next item --- */

enum err_code lmdb_ledger_next_item(struct ledger *self, uint64_t after, uint64_t *number_out,
                                    struct item *item_out, struct err *err)
{
    struct lmdb_ledger *ledger = of(self);
    struct ledger_key start;
    struct slice key, value;
    enum err_code code;

    if (after == UINT64_MAX)
        return ERR_NOT_FOUND;
    start = ledger_key_item(after + 1);
    code = ledger_store_begin_read(ledger->store, err);
    if (code != ERR_OK)
        return code;
    code =
        ledger_store_seek(ledger->store, LEDGER_ITEMS, ledger_key_slice(&start), &key, &value, err);
    if (code == ERR_OK && key.length != LEDGER_ITEM_KEY_BYTES)
        code = lmdb_ledger_damaged(ledger, "the number of an item", err);
    if (code == ERR_OK) {
        *number_out = ledger_load_u64(key.bytes);
        code = lmdb_ledger_decode_item(ledger, *number_out, value, item_out, err);
    }
    ledger_store_end_read(ledger->store);
    return code;
}

/* The first entry of the index of open items behind `after`, whose key differs from it in the
 * number alone. */
static enum err_code next_open(struct lmdb_ledger *ledger, struct ledger_key after,
                               uint64_t *number_out, struct item *item_out, struct err *err)
{
    struct ledger_key start = after, item_key;
    size_t prefix = after.length - LEDGER_ITEM_KEY_BYTES;
    uint64_t number = ledger_load_u64(after.bytes + prefix);
    struct slice key, value;
    enum err_code code;

    if (number == UINT64_MAX)
        return ERR_NOT_FOUND;
    ledger_store_u64(start.bytes + prefix, number + 1);
    code = ledger_store_begin_read(ledger->store, err);
    if (code != ERR_OK)
        return code;
    code =
        ledger_store_seek(ledger->store, LEDGER_OPEN, ledger_key_slice(&start), &key, &value, err);
    if (code == ERR_OK && (key.length < prefix || memcmp(key.bytes, start.bytes, prefix) != 0))
        code = ERR_NOT_FOUND;
    if (code == ERR_OK && key.length != start.length)
        code = lmdb_ledger_damaged(ledger, "the index of open items", err);
    if (code == ERR_OK) {
        *number_out = ledger_load_u64(key.bytes + prefix);
        item_key = ledger_key_item(*number_out);
        code =
            ledger_store_get(ledger->store, LEDGER_ITEMS, ledger_key_slice(&item_key), &value, err);
        if (code == ERR_NOT_FOUND)
            code = lmdb_ledger_damaged(ledger, "an open item has no record", err);
    }
    if (code == ERR_OK)
        code = lmdb_ledger_decode_item(ledger, *number_out, value, item_out, err);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_next_ready(struct ledger *self, uint32_t connection, uint64_t after,
                                     uint64_t *number_out, struct item *item_out, struct err *err)
{
    return next_open(of(self), ledger_key_ready(connection, after), number_out, item_out, err);
}

enum err_code lmdb_ledger_next_active(struct ledger *self, uint64_t after, uint64_t *number_out,
                                      struct item *item_out, struct err *err)
{
    return next_open(of(self), ledger_key_active(after), number_out, item_out, err);
}

enum err_code lmdb_ledger_next_blocked(struct ledger *self, enum wait_kind kind, uint64_t target,
                                       uint64_t after, uint64_t *number_out, struct item *item_out,
                                       struct err *err)
{
    return next_open(of(self), ledger_key_blocked(kind, target, after), number_out, item_out, err);
}

enum err_code lmdb_ledger_next_release(struct ledger *self, uint64_t after, uint64_t *number_out,
                                       struct item *item_out, struct err *err)
{
    return next_open(of(self), ledger_key_release(after), number_out, item_out, err);
}

/* --- counts, names, runs, connections --- */

static enum err_code sum_counts(struct lmdb_ledger *ledger, struct ledger_key prefix,
                                uint32_t connection, struct item_counts *counts_out,
                                struct err *err)
{
    struct slice key, value, start = ledger_key_slice(&prefix);
    enum err_code code = ledger_store_seek(ledger->store, LEDGER_META, start, &key, &value, err);

    while (code == ERR_OK && key.length >= start.length &&
           memcmp(key.bytes, start.bytes, start.length) == 0) {
        struct ledger_count count;

        if (!ledger_counts_decode(key, value, &count))
            return lmdb_ledger_damaged(ledger, "the counts of items", err);
        for (int state = 0; state < ITEM_STATE_COUNT; state++) {
            if (connection == UINT32_MAX || connection == count.connection)
                counts_out->by_state[state] += count.by_state[state];
        }
        code = ledger_store_next(ledger->store, LEDGER_META, &key, &value, err);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code lmdb_ledger_counts(struct ledger *self, uint32_t job, uint32_t connection,
                                 struct item_counts *counts_out, struct err *err)
{
    struct lmdb_ledger *ledger = of(self);
    struct ledger_key prefix = ledger_key_text(LEDGER_META_COUNTS);
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    *counts_out = (struct item_counts){0};
    if (code != ERR_OK)
        return code;
    if (job != UINT32_MAX && connection != UINT32_MAX)
        prefix = ledger_key_counts(job, connection);
    else if (job != UINT32_MAX)
        prefix = ledger_key_text_u32(LEDGER_META_COUNTS, job);
    code = sum_counts(ledger, prefix, connection, counts_out, err);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_load_names(struct lmdb_ledger *ledger, const char *prefix,
                                     struct ledger_names *names, struct err *err)
{
    for (;;) {
        struct ledger_key key = ledger_key_text_u32(prefix, names->count);
        struct slice value, name;
        enum err_code code =
            ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&key), &value, err);

        if (code == ERR_NOT_FOUND)
            return ERR_OK;
        if (code == ERR_OK && !ledger_unseal(ledger_key_slice(&key), value, &name))
            code =
                lmdb_ledger_damaged(ledger, "the name of a job, a connection or an operation", err);
        if (code == ERR_OK)
            code = ledger_names_add(names, name, err);
        if (code != ERR_OK)
            return code;
    }
}

/* A reader meets items whose names the writer made after the reader had loaded them. */
static const char *name_of(struct lmdb_ledger *ledger, const char *prefix,
                           struct ledger_names *names, uint32_t number)
{
    struct err err = {0};
    enum err_code code;

    if (ledger->committer == NULL && number >= names->count && number < LEDGER_NAMES_MAX &&
        ledger_store_begin_read(ledger->store, &err) == ERR_OK) {
        code = lmdb_ledger_load_names(ledger, prefix, names, &err);
        ledger_store_end_read(ledger->store);
        if (code != ERR_OK)
            return NULL;
    }
    return ledger_names_get(names, number);
}

const char *lmdb_ledger_job_name(struct ledger *self, uint32_t job)
{
    return name_of(of(self), LEDGER_META_JOB, &of(self)->jobs, job);
}

const char *lmdb_ledger_connection_name(struct ledger *self, uint32_t connection)
{
    return name_of(of(self), LEDGER_META_CONNECTION, &of(self)->connections, connection);
}

const char *lmdb_ledger_proven_operation(struct ledger *self, uint32_t number)
{
    return name_of(of(self), LEDGER_META_PROVEN, &of(self)->proven, number);
}

enum err_code lmdb_ledger_read_run(struct ledger *self, uint32_t run, struct run_record *run_out,
                                   struct err *err)
{
    struct lmdb_ledger *ledger = of(self);
    struct ledger_key key = ledger_key_run(run);
    struct slice value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    if (code != ERR_OK)
        return code;
    code = ledger_store_get(ledger->store, LEDGER_RUNS, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK && !record_get_run(ledger_key_slice(&key), value, run_out))
        code = lmdb_ledger_damaged(ledger, "the record of a run", err);
    ledger_store_end_read(ledger->store);
    return code;
}

uint32_t lmdb_ledger_last_run(struct ledger *self)
{
    struct lmdb_ledger *ledger = of(self);
    struct err err = {0};
    struct slice key, value;

    /* Only a reader's number can be out of date. */
    if (ledger->committer == NULL && ledger_store_begin_read(ledger->store, &err) == ERR_OK) {
        if (ledger_store_last(ledger->store, LEDGER_RUNS, &key, &value, &err) == ERR_OK &&
            key.length == 4)
            ledger->last_run = ledger_load_u32(key.bytes);
        ledger_store_end_read(ledger->store);
    }
    return ledger->last_run;
}

enum err_code lmdb_ledger_read_connection(struct ledger *self, uint32_t connection,
                                          struct buf *storage,
                                          struct connection_record *connection_out, struct err *err)
{
    struct ledger_key key = ledger_key_text_u32(LEDGER_META_LEARNED, connection);
    enum err_code code = copy_value(of(self), LEDGER_META, ledger_key_slice(&key), storage, err);

    if (code == ERR_OK &&
        !record_get_connection(ledger_key_slice(&key), bytes_of(storage), connection_out))
        return lmdb_ledger_damaged(of(self), "what was learned of a connection", err);
    return code;
}
