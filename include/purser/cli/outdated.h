/* What has succeeded, and was made from an answer that is another one by now.
 *
 * The comparison keeps the draft of such a row with its item, because what the item is made from
 * was to be sent again; that of a corrected row stays with the item as long as the row counts, for
 * no source has it. They are made into requests once more and compared. */
#ifndef PURSER_CLI_OUTDATED_H
#define PURSER_CLI_OUTDATED_H

#include "purser/engine/ledger.h"
#include "purser/io/intake.h"

typedef void outdated_fn(void *context, const struct item *item);

/* Calls `found` for each. With `write` the drafts that were compared are forgotten, and that is
 * durable when this returns: the next comparison sees for itself. Errors: ERR_STORAGE,
 * ERR_NO_MEMORY. */
enum err_code outdated_find(struct ledger *ledger, struct intake *intake, bool write,
                            outdated_fn *found, void *context, struct err *err) ERR_CHECKED;

#endif
