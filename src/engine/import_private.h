/* What the two ways of comparing rows share: those of the source, and corrected ones. */
#ifndef PURSER_ENGINE_IMPORT_PRIVATE_H
#define PURSER_ENGINE_IMPORT_PRIVATE_H

#include "purser/engine/import.h"

static inline bool import_has_needs(const struct import_row *row)
{
    return row->need_count > 0 || row->has_group;
}

static inline bool import_is_unsent(const struct item *item)
{
    return item->state == ITEM_READY || item->state == ITEM_BLOCKED;
}

/* What stands for the row that the item was made from. */
static inline struct hash128 import_stored_hash(const struct import_outcome *outcome)
{
    return outcome->has_stored ? outcome->stored_hash : outcome->known.request_hash;
}

/* Borrows from the row. */
struct frozen_request import_freeze(const struct import_row *row, uint32_t generation);

enum err_code import_commit_when_full(struct importer *importer, struct err *err) ERR_CHECKED;

#endif
