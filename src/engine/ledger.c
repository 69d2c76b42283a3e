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

/* Puts what `change` makes of each item that it changes. */
static enum err_code change_all(struct ledger *ledger, bool (*change)(struct item *, int64_t),
                                int64_t value_ms, struct err *err)
{
    uint64_t number = 0, sequence;
    struct item item;
    enum err_code code;

    while ((code = ledger->ops->next_item(ledger, number, &number, &item, err)) == ERR_OK) {
        struct item after = item;

        if (item.reason == REASON_RECORD_DAMAGED || !change(&after, value_ms))
            continue;
        if (ledger->ops->put_item(ledger, number, &item, &after, err) != ERR_OK)
            return err->code;
        if (ledger->ops->batch_bytes(ledger) < BATCH_BYTES)
            continue;
        if (ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK ||
            ledger->ops->commit_poll(ledger, true, &sequence, err) != ERR_OK)
            return err->code;
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* A person has said that it was not done, and nothing was heard of it since. */
static bool has_word(const struct item *item)
{
    return item->reason == REASON_RESOLVED && !item_state_is_final(item->state);
}

static bool keep_loss(struct item *item, int64_t lost_since_ms)
{
    if (item->state == ITEM_SUCCEEDED || item->lost_since_ms != 0 || has_word(item))
        return false;
    item->lost_since_ms = lost_since_ms;
    return true;
}

enum err_code ledger_keep_loss(struct ledger *ledger, int64_t lost_since_ms, struct err *err)
{
    return change_all(ledger, keep_loss, lost_since_ms, err);
}

static bool forget_word(struct item *item, int64_t ignored_ms)
{
    (void)ignored_ms;
    if (!has_word(item))
        return false;
    item->reason = REASON_NONE;
    return true;
}

enum err_code ledger_forget_words(struct ledger *ledger, struct err *err)
{
    return change_all(ledger, forget_word, 0, err);
}
