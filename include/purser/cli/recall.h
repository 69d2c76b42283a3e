/* What earlier runs have left in the ledger for later ones: their records, and what they have
 * learned of the connections.
 *
 * Nothing there is nothing, a damaged record is nothing as well, but said on stderr; whatever else
 * a read fails with is an error, for it says nothing about what is there. */
#ifndef PURSER_CLI_RECALL_H
#define PURSER_CLI_RECALL_H

#include "purser/engine/ledger.h"

/* The record of a run; *found_out is false, and the record all 0, when there is none or it is
 * damaged. `tells`: the latter is said. Errors: those of the ledger. */
enum err_code recall_run(struct ledger *ledger, uint32_t run, bool tells,
                         struct run_record *run_out, bool *found_out, struct err *err) ERR_CHECKED;

/* What was learned of a connection, by its number; all 0 when nothing was, or it is damaged. Its
 * texts borrow from `storage`. `alias` is for what is said; NULL = nothing is. Errors: as above. */
enum err_code recall_connection(struct ledger *ledger, uint32_t connection, const char *alias,
                                struct buf *storage, struct connection_record *record_out,
                                struct err *err) ERR_CHECKED;

#endif
