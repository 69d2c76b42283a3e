/* LMDB below the ledger: one environment, its databases, reads in short transactions and batches
 * that are applied in one. Implemented by lmdb_ledger.c, the owner of LMDB,
 * lmdb_ledger_environment.c (opening) and lmdb_ledger_apply.c.
 *
 * Reading is for one thread, applying for one other; a growing map waits for a read to end. */
#ifndef PURSER_IO_LEDGER_STORE_H
#define PURSER_IO_LEDGER_STORE_H

#include "ledger_batch.h"
#include "purser/io/lmdb_ledger.h"

struct ledger_store;

/* Opens the environment; with `write`, and unless it `is_known`, makes it. Of the options neither
 * the texts nor the adoption matter here. Errors: ERR_STATE_DIRECTORY (not ours, damaged,
 * truncated), ERR_STORAGE (full disk), ERR_NOT_FOUND (there is none, and none is made),
 * ERR_NO_MEMORY, ERR_SYSTEM. */
enum err_code ledger_store_open(const struct state_directory *directory,
                                const struct lmdb_ledger_options *options,
                                struct ledger_store **store_out, struct err *err) ERR_CHECKED;
void ledger_store_close(struct ledger_store *store);

/* A read sees one state of everything until it ends. Values borrow from the map until then; no
 * wait may lie between begin and end. */
enum err_code ledger_store_begin_read(struct ledger_store *store, struct err *err) ERR_CHECKED;
void ledger_store_end_read(struct ledger_store *store);

/* Within a read. ERR_NOT_FOUND leaves `err` untouched; otherwise ERR_STORAGE. */
enum err_code ledger_store_get(struct ledger_store *store, enum ledger_database database,
                               struct slice key, struct slice *value_out,
                               struct err *err) ERR_CHECKED;
/* The first key that is not before `key`. */
enum err_code ledger_store_seek(struct ledger_store *store, enum ledger_database database,
                                struct slice key, struct slice *key_out, struct slice *value_out,
                                struct err *err) ERR_CHECKED;
/* The key after the one that ledger_store_seek() gave last for this database in this read. */
enum err_code ledger_store_next(struct ledger_store *store, enum ledger_database database,
                                struct slice *key_out, struct slice *value_out,
                                struct err *err) ERR_CHECKED;
/* The last key of all. */
enum err_code ledger_store_last(struct ledger_store *store, enum ledger_database database,
                                struct slice *key_out, struct slice *value_out,
                                struct err *err) ERR_CHECKED;

/* Makes the batch durable, all or nothing. The map grows when it must. Errors: ERR_STORAGE;
 * whether the batch is there will be known when the store is opened again. */
enum err_code ledger_store_apply(struct ledger_store *store, const struct ledger_batch *batch,
                                 struct err *err) ERR_CHECKED;

/* ERR_STORAGE: the lock of the one writer (state_directory) is not the one that was there when the
 * ledger was opened. Who has removed it lets another purser in. Any thread. */
enum err_code ledger_store_check_run_lock(const struct ledger_store *store,
                                          struct err *err) ERR_CHECKED;

/* Leaves a sign, and a word for people, that there is a ledger here: if the data file is missing
 * later, none is begun in its place. Errors: ERR_STORAGE, ERR_STATE_DIRECTORY, ERR_SYSTEM. */
enum err_code ledger_store_mark(const struct ledger_store *store, struct err *err) ERR_CHECKED;

/* Of the data file; a copy has another one. "" when it cannot be told. Borrowed. */
const char *ledger_store_identity(const struct ledger_store *store);

/* A transaction after its last one is known to have been written: it was put in the place of a
 * newer file. */
bool ledger_store_is_older(const struct ledger_store *store);

/* What lies beside the data file is of another time: if the data file is the one that was written
 * here, its content was overwritten. */
bool ledger_store_is_overwritten(const struct ledger_store *store);

/* From now on this is the newest, and older ones are known by that. Once, after it was opened for
 * writing, when no batch is being applied. */
void ledger_store_claim(struct ledger_store *store);

/* The number of the last transaction that changed something. */
uint64_t ledger_store_revision(const struct ledger_store *store);

/* What LMDB stores depends on: word size, byte order, version of the data format. */
const char *ledger_store_platform(void);

#endif
