#include "purser/cli/ledger_walk.h"

#include "purser/core/limits.h"
#include "purser/io/clock.h"

enum { RECORD_BYTES_MAX = 64 * 1024 * 1024 };

/* An item need not have all records. */
static bool is_sound(enum err_code code)
{
    return code == ERR_OK || code == ERR_NOT_FOUND;
}

/* Reads all records of an item; ERR_DAMAGED. */
static enum err_code read_records(struct ledger *ledger, uint64_t number, const struct item *item,
                                  struct buf *storage, struct err *err)
{
    struct frozen_request request;
    struct attempt_record attempt;
    struct result_record result;
    struct needs_record needs;
    enum err_code code = ERR_OK;

    if (item->state == ITEM_IN_DOUBT && item->reason == REASON_RECORD_DAMAGED)
        return ERR_DAMAGED;
    for (uint32_t i = 0; i < ATTEMPTS_KEPT_MAX && code == ERR_OK; i++)
        code = ledger->ops->read_attempt(ledger, number, i, storage, &attempt, err);
    if (is_sound(code))
        code = ledger->ops->read_request(ledger, number, storage, &request, err);
    if (is_sound(code))
        code = ledger->ops->read_result(ledger, number, storage, &result, err);
    if (is_sound(code))
        code = ledger->ops->read_needs(ledger, number, storage, &needs, err);
    return code;
}

static enum err_code walk_items(struct ledger *ledger, int64_t until_boot_ms,
                                struct ledger_walk *walk, struct buf *storage)
{
    uint64_t number = 0;
    enum err_code code;

    do {
        const uint64_t before = number;
        struct item item;
        enum err_code records;

        code = ledger->ops->next_item(ledger, before, &number, &item, &walk->err);
        if (code != ERR_OK)
            break;
        if (number <= before)
            return err_set(&walk->err, ERR_STORAGE, "its items are not in order");
        walk->item_count++;
        walk->counted.by_state[item.state]++;
        records = read_records(ledger, number, &item, storage, &walk->err);
        if (!is_sound(records) && records != ERR_DAMAGED)
            return records;
        if (records == ERR_DAMAGED && walk->damaged_count++ == 0)
            walk->first_damaged = number;
    } while (clock_boot_ms() < until_boot_ms);
    walk->ended = code == ERR_NOT_FOUND;
    return walk->ended ? ERR_OK : code;
}

void ledger_walk_all(struct ledger *ledger, int64_t until_boot_ms, struct ledger_walk *walk)
{
    struct buf storage;
    enum err_code code;

    buf_init(&storage, RECORD_BYTES_MAX);
    code = ledger->ops->counts(ledger, UINT32_MAX, UINT32_MAX, &walk->kept, &walk->err);
    if (code == ERR_OK)
        code = walk_items(ledger, until_boot_ms, walk, &storage);
    if (code == ERR_OK)
        walk->err = (struct err){0}; /* of records that are damaged */
    buf_deinit(&storage);
}
