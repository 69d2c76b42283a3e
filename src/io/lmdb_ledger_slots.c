/* The schedule's part of the ledger. */
#include "lmdb_ledger_internal.h"

enum err_code lmdb_ledger_read_schedule(struct ledger *self, struct schedule_record *schedule_out,
                                        struct err *err)
{
    struct lmdb_ledger *ledger = (struct lmdb_ledger *)self;
    struct ledger_key key = ledger_key_text(LEDGER_META_SCHEDULE);
    struct slice value;
    enum err_code code = ledger_store_begin_read(ledger->store, err);

    if (code != ERR_OK)
        return code;
    code = ledger_store_get(ledger->store, LEDGER_META, ledger_key_slice(&key), &value, err);
    if (code == ERR_OK && !record_get_schedule(ledger_key_slice(&key), value, schedule_out))
        code = lmdb_ledger_damaged(ledger, "the state of the schedule", err);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_slot_before(struct ledger *self, int64_t before_s, int64_t *first_s_out,
                                      struct slot_record *slot_out, struct err *err)
{
    struct lmdb_ledger *ledger = (struct lmdb_ledger *)self;
    struct ledger_key start = ledger_key_slot(before_s - 1);
    struct slice key, value;
    enum err_code code;

    if (before_s <= 0)
        return ERR_NOT_FOUND;
    code = ledger_store_begin_read(ledger->store, err);
    if (code != ERR_OK)
        return code;
    code =
        ledger_store_seek(ledger->store, LEDGER_SLOTS, ledger_key_slice(&start), &key, &value, err);
    if (code == ERR_OK && (key.length != 8 || !record_get_slot(key, value, slot_out)))
        code = lmdb_ledger_damaged(ledger, "the record of a slot", err);
    if (code == ERR_OK)
        *first_s_out = ledger_slot_of_key(key);
    ledger_store_end_read(ledger->store);
    return code;
}

enum err_code lmdb_ledger_put_schedule(struct ledger *self, const struct schedule_record *schedule,
                                       struct err *err)
{
    struct ledger_key key = ledger_key_text(LEDGER_META_SCHEDULE);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_schedule(&ledger->scratch, ledger_key_slice(&key), schedule);
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_PUT, LEDGER_META, ledger_key_slice(&key), err);
}

enum err_code lmdb_ledger_put_slot(struct ledger *self, int64_t first_s,
                                   const struct slot_record *slot, struct err *err)
{
    struct ledger_key key = ledger_key_slot(first_s);
    struct lmdb_ledger *ledger;

    if (lmdb_ledger_begin_write(self, &ledger, err) != ERR_OK)
        return err->code;
    record_put_slot(&ledger->scratch, ledger_key_slice(&key), slot);
    return lmdb_ledger_put_scratch(ledger, LEDGER_OP_PUT, LEDGER_SLOTS, ledger_key_slice(&key),
                                   err);
}
