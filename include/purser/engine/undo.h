/* The link between an item and the one that reverses its success.
 *
 * The reversing item belongs to the job "JOB:undo", on the same connection; its key is the item's
 * key and, behind a #, the generation whose success it reverses. So it reverses that one only, and
 * nothing has to be remembered in the item. */
#ifndef PURSER_ENGINE_UNDO_H
#define PURSER_ENGINE_UNDO_H

#include "purser/engine/ledger.h"

#define UNDO_JOB_SUFFIX ":undo"

/* "S-1#2" of the key "S-1", which is a row's, and generation 2. */
struct slice undo_key(struct slice key, uint32_t generation, char storage[ITEM_KEY_BYTES_MAX + 1]);

/* The reverse; false when it is none. *key_out borrows. */
bool undo_key_split(struct slice undo_key, struct slice *key_out, uint32_t *generation_out);

/* True when the ledger's job is one of undos. */
bool undo_is_job(struct ledger *ledger, uint32_t job);

/* Counts by state of all items but undos: those of the rows. */
enum err_code undo_counts_without(struct ledger *ledger, struct item_counts *counts_out,
                                  struct err *err) ERR_CHECKED;

/* What the end of an undo means for the item that it reverses: REASON_UNDONE,
 * REASON_UNDO_FOUND_NOTHING, or REASON_NONE when that still stands, as far as is known. A 410 says
 * that nothing is there. A 404 may also say that there is no such operation for the platform; it is
 * believed when another undo of the job has succeeded on the connection. Errors: ERR_STORAGE. */
enum err_code undo_end_of(struct ledger *ledger, const struct item *undo, enum http_method method,
                          enum reason *reason_out, struct err *err) ERR_CHECKED;

/* Ends the item that `undo` reverses, an item of `job`, in the open batch, if the undo has ended so
 * that nothing of it is there any more; nothing when the item has gone on since, or has ended so
 * already. `request` is that of the undo. Errors: ERR_STORAGE, ERR_NO_MEMORY. */
enum err_code undo_settle(struct ledger *ledger, uint32_t job, const struct item *undo,
                          const struct frozen_request *request, int64_t now_ms,
                          struct err *err) ERR_CHECKED;

#endif
