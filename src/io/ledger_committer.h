/* Makes batches durable in a thread of its own, so that the event loop never waits for a disk.
 *
 * At most one batch is being committed and one waits; closing a third waits for the first. The
 * first failure is final: no later batch is tried, and it is what every call returns. */
#ifndef PURSER_IO_LEDGER_COMMITTER_H
#define PURSER_IO_LEDGER_COMMITTER_H

#include "ledger_store.h"

struct ledger_committer;

/* Borrows `store` until closed. Errors: ERR_NO_MEMORY, ERR_SYSTEM. */
enum err_code ledger_committer_open(struct ledger_store *store,
                                    struct ledger_committer **committer_out,
                                    struct err *err) ERR_CHECKED;
/* Waits for closed batches; throws the open one away. */
void ledger_committer_close(struct ledger_committer *committer);

/* The batch that is being filled. */
struct ledger_batch *ledger_committer_batch(struct ledger_committer *committer);

/* What the open batch, or one that is not durable yet, writes under `key`; as
 * ledger_batch_find(). */
bool ledger_committer_find(struct ledger_committer *committer, enum ledger_database database,
                           struct slice key, struct slice *value_out);

/* Closes the open batch, unless it is empty, and gives the number of the last closed one. */
enum err_code ledger_committer_submit(struct ledger_committer *committer, uint64_t *sequence_out,
                                      struct err *err) ERR_CHECKED;
/* The last durable one; with `wait`, first waits for all closed ones. */
enum err_code ledger_committer_poll(struct ledger_committer *committer, bool wait,
                                    uint64_t *durable_out, struct err *err) ERR_CHECKED;
/* ERR_OK, or the failure that ended all writing. */
enum err_code ledger_committer_check(struct ledger_committer *committer,
                                     struct err *err) ERR_CHECKED;
int ledger_committer_event_fd(const struct ledger_committer *committer);

#endif
