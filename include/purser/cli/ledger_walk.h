/* Reads all that a ledger has, to find what is damaged. */
#ifndef PURSER_CLI_LEDGER_WALK_H
#define PURSER_CLI_LEDGER_WALK_H

#include "purser/engine/ledger.h"

struct ledger_walk {
    struct err err; /* why it could not be opened, or read on */
    struct item_counts counted, kept;
    uint64_t item_count, damaged_count, first_damaged;
    bool ended; /* all was read */
};

/* Every record of every item, and the ledger's own counters (`kept`), until it is done or this time
 * of the boot clock has come; it reads one item at least. Into a zeroed walk; a damaged record is
 * counted and gone on behind. Its err is ERR_OK unless the reading broke: ERR_STORAGE,
 * ERR_NO_MEMORY. */
void ledger_walk_all(struct ledger *ledger, int64_t until_boot_ms, struct ledger_walk *walk);

#endif
