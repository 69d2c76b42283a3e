/* Shared by the files of lmdb_ledger that work on the environment: what is open of it. */
#ifndef PURSER_IO_LMDB_LEDGER_ENVIRONMENT_H
#define PURSER_IO_LMDB_LEDGER_ENVIRONMENT_H

#include <lmdb.h>
#include <pthread.h>
#include <sys/stat.h>

#include "ledger_files.h"
#include "ledger_newest.h"
#include "ledger_store.h"

#define DATA_FILE "data.mdb"
#define RUN_LOCK_FILE "purser.lock"
#define ABOUT_FILE "about.txt"

struct ledger_store {
    struct ledger_files files;
    MDB_env *env;
    MDB_dbi databases[LEDGER_DATABASE_COUNT];
    MDB_txn *reading; /* reset between reads, which keeps its slot */
    MDB_cursor *cursors[LEDGER_DATABASE_COUNT];
    bool cursor_is_set[LEDGER_DATABASE_COUNT]; /* in this read */
    pthread_rwlock_t map_lock;                 /* shared by a read, exclusive while the map moves */
    size_t map_bytes;                          /* asked for by the caller; 0 = default */
    struct stat data_file;
    struct stat run_lock;                      /* st_nlink 0 = there is none */
    char identity[LEDGER_FILE_IDENTITY_BYTES]; /* of the data file */
    struct ledger_newest newest;               /* as it was when this one was opened */
    int newest_fd;                             /* -1 = not claimed */
    uint64_t reads_since_release;              /* of the reading thread */
    uint64_t bytes_since_release;              /* of the applying one, as all that follows */
    uint64_t commits_since_check;
    int64_t checked_ms;
};

/* `code` of LMDB: an errno or one of its own. Always an error. */
enum err_code ledger_store_failed(const struct ledger_store *store, int code, const char *doing,
                                  struct err *err);

/* To be said whenever the map has moved: faults within it are damage of the ledger. */
void ledger_store_guard_map(const struct ledger_store *store);

static inline MDB_val val_of(struct slice slice)
{
    /* LMDB takes keys and values without const and does not write to them. */
    return (MDB_val){.mv_size = slice.length, .mv_data = (void *)(uintptr_t)slice.bytes};
}

#endif
