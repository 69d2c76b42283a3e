/* The ledger in LMDB. Owner of LMDB; the interface is engine/ledger.h.
 *
 * Flags 0 and MDB_NOTLS. Batches are applied by one committing thread, so that the event loop never
 * waits for the disk; at most one is being committed and one waits, a third waits in commit_begin.
 * Any failure of the store is final: nothing more is written or acknowledged; reading goes on.
 *
 * All calls from one thread. A process may have a ledger directory open only once at a time (LMDB's
 * locks are the process's): a reader beside a writer is another process. */
#ifndef PURSER_IO_LMDB_LEDGER_H
#define PURSER_IO_LMDB_LEDGER_H

#include "purser/engine/ledger.h"
#include "purser/io/state_directory.h"

struct lmdb_ledger;

/* A person's word on a ledger that is a copy of another one, or was put in its place. */
enum ledger_adoption {
    LEDGER_ADOPT_NONE,
    LEDGER_ADOPT_MOVED,   /* it is the newest, and no other copy is used again */
    LEDGER_ADOPT_RESTORED /* it is a backup: what was done since then is not in it */
};

struct lmdb_ledger_options {
    const char *spec_name;
    const char *base_url; /* pinned at the first open for writing; another one is refused */
    bool write;
    bool is_known;  /* with `write`: none is made; ERR_NOT_FOUND when there is none */
    bool reads_all; /* every item will be read, so all of it is looked over, however large */
    enum ledger_adoption adoption; /* with `write` */
    size_t map_bytes;              /* first size of the map, 0 = default; it grows when needed */
};

/* Opens the ledger in an open state directory, which the caller closes after the ledger. Errors:
 * ERR_STATE_DIRECTORY (another spec, base URL, newer format, damaged, a copy that was not adopted
 * …), ERR_STORAGE (full disk …), ERR_NOT_FOUND (reading or `is_known`, and there is none),
 * ERR_NO_MEMORY, ERR_SYSTEM.
 */
enum err_code lmdb_ledger_open(const struct state_directory *directory,
                               const struct lmdb_ledger_options *options,
                               struct lmdb_ledger **ledger_out, struct err *err) ERR_CHECKED;

/* Waits for closed batches to be committed, throws the open one away, closes. NULL is nothing. */
void lmdb_ledger_close(struct lmdb_ledger *ledger);

struct ledger *lmdb_ledger_port(struct lmdb_ledger *ledger);

/* Which ledger it is, as far as the file system tells ("" when it does not), and the number of the
 * last transaction that changed it: as long as both are the same, nothing in it has changed. */
const char *lmdb_ledger_identity(const struct lmdb_ledger *ledger);
uint64_t lmdb_ledger_revision(const struct lmdb_ledger *ledger);

/* This opening has adopted a copy. */
bool lmdb_ledger_was_adopted(const struct lmdb_ledger *ledger);

#define LEDGER_LOST_ALL_MS 1 /* no time is known: whatever was sent is lost */

/* Of a restored backup: what was sent since then, by the server's clock, is not in it. 0 = nothing
 * is lost. */
int64_t lmdb_ledger_lost_since_ms(const struct lmdb_ledger *ledger);

/* Into the open batch; 0 = from now on whatever was lost is known again. Errors: as put_run(). */
enum err_code lmdb_ledger_put_lost_since(struct lmdb_ledger *ledger, int64_t lost_since_ms,
                                         struct err *err) ERR_CHECKED;

/* Becomes readable when a commit has ended; for the event loop. Read and forget 8 bytes. -1 when
 * opened for reading. */
int lmdb_ledger_event_fd(const struct lmdb_ledger *ledger);

#endif
