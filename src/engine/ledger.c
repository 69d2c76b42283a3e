#include "purser/engine/ledger.h"

#include <string.h>

enum { BATCH_BYTES = 1024 * 1024 };

enum err_code ledger_require(enum err_code code, const char *what, struct err *err)
{
    if (code != ERR_NOT_FOUND)
        return code;
    return err_set(err, ERR_DAMAGED,
                   "the ledger is damaged: %s is missing\nhint: purser doctor SPEC looks it over; "
                   "restore the directory from a backup",
                   what);
}

uint32_t ledger_number_of(struct ledger *ledger, const char *name,
                          const char *(*name_of)(struct ledger *self, uint32_t number))
{
    const char *known;

    for (uint32_t i = 0; (known = name_of(ledger, i)) != NULL; i++)
        if (strcmp(known, name) == 0)
            return i;
    return UINT32_MAX;
}

static enum err_code keep_loss_of(struct ledger *ledger, uint64_t number, const struct item *item,
                                  int64_t lost_since_ms, struct err *err)
{
    struct item after = *item;
    uint64_t sequence;

    if (item->state == ITEM_SUCCEEDED || item->reason == REASON_RECORD_DAMAGED ||
        item->lost_since_ms != 0)
        return ERR_OK;
    after.lost_since_ms = lost_since_ms;
    if (ledger->ops->put_item(ledger, number, item, &after, err) != ERR_OK)
        return err->code;
    if (ledger->ops->batch_bytes(ledger) < BATCH_BYTES)
        return ERR_OK;
    if (ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    return ledger->ops->commit_poll(ledger, true, &sequence, err);
}

enum err_code ledger_keep_loss(struct ledger *ledger, int64_t lost_since_ms, struct err *err)
{
    uint64_t number = 0;
    struct item item;
    enum err_code code;

    while ((code = ledger->ops->next_item(ledger, number, &number, &item, err)) == ERR_OK)
        if (keep_loss_of(ledger, number, &item, lost_since_ms, err) != ERR_OK)
            return err->code;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
