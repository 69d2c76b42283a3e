/* Whose what was found is already: entities that succeeded items of the ledger have created, and
 * those that were found for other items. One entity is never two items' success.
 *
 * Nothing is read before the first claim. */
#ifndef PURSER_CLI_CLAIMS_H
#define PURSER_CLI_CLAIMS_H

#include "purser/cli/session.h"

#define CLAIMS_MAX (1u << 20) /* places in the table; three quarters of them are used */

struct claims {
    uint64_t *table; /* of hashes, 0 = free; NULL = nothing was read yet */
    uint32_t count;
};

void claims_deinit(struct claims *claims);

/* Claims the entity `id` of `connection` (number in the ledger) for the item that asks. Sets
 * *is_free_out to false when it is another's, or when there are too many to tell. Errors: those of
 * the ledger, ERR_NO_MEMORY. */
enum err_code claims_take(struct claims *claims, struct session *session, uint32_t connection,
                          struct slice id, bool *is_free_out, struct err *err) ERR_CHECKED;

#endif
