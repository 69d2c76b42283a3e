/* What a blocked item waits for, in words. */
#ifndef PURSER_CLI_WAITS_H
#define PURSER_CLI_WAITS_H

#include "purser/engine/ledger.h"

struct wait_view {
    enum wait_kind kind;
    const char *job;        /* of what it waits for; NULL = not known */
    uint64_t number;        /* WAIT_ITEM */
    struct item item;       /* WAIT_ITEM: as the ledger has it */
    bool is_there;          /* WAIT_ITEM: the ledger has it */
    const char *connection; /* WAIT_ITEM */
    struct slice key;       /* WAIT_ITEM; borrows from `request` */
    struct slice message;   /* WAIT_ITEM: why it has not succeeded; borrows from `result` */
    uint64_t left;          /* WAIT_JOB: items of it that are not over */
    struct buf request, result;
};

/* Reads what `item`, which is blocked, waits for. Errors: ERR_STORAGE, ERR_NO_MEMORY; close it
 * after them as well. */
enum err_code wait_view_open(struct ledger *ledger, const struct item *item,
                             struct wait_view *view_out, struct err *err) ERR_CHECKED;
void wait_view_close(struct wait_view *view);

/* "products/SHIRT-1, which failed: 450 …": what follows "waits for". */
void wait_view_append_text(const struct wait_view *view, struct buf *out);

/* An object with job, connection, key, state and left; what does not apply is null. */
void wait_view_append_json(const struct wait_view *view, struct buf *out);

#endif
