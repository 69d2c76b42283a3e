#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ledger_pages.h"
#include "lmdb_ledger_environment.h"
#include "purser/io/ledger_guard.h"

/* So often are pages that were read once let go of. */
#define READS_TO_RELEASE 32768

enum err_code ledger_store_mark(const struct ledger_store *store, struct err *err)
{
    return ledger_files_make_text(
        &store->files, ABOUT_FILE,
        "This directory is a ledger of purser: which writes of one spec were sent, and what became "
        "of them.\n"
        "It keeps them from being sent twice. Do not edit, remove or copy single files.\n",
        err);
}

const char *ledger_store_identity(const struct ledger_store *store)
{
    return store->identity;
}

uint64_t ledger_store_revision(const struct ledger_store *store)
{
    MDB_envinfo info;

    (void)mdb_env_info(store->env, &info);
    return info.me_last_txnid;
}

bool ledger_store_is_older(const struct ledger_store *store)
{
    return ledger_store_revision(store) < store->newest.transaction;
}

bool ledger_store_is_overwritten(const struct ledger_store *store)
{
    return store->newest.is_another_file;
}

void ledger_store_claim(struct ledger_store *store)
{
    assert(store->newest_fd == -1);
    store->newest_fd = ledger_newest_make(&store->files, ledger_store_revision(store));
}

#if __SIZEOF_POINTER__ == 8
#define WORD "64"
#else
#define WORD "32"
#endif
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_NAME "little"
#else
#define BYTE_ORDER_NAME "big"
#endif

const char *ledger_store_platform(void)
{
    return WORD " " BYTE_ORDER_NAME " lmdb-0.9";
}

enum err_code ledger_store_failed(const struct ledger_store *store, int code, const char *doing,
                                  struct err *err)
{
    if (code == ENOMEM)
        return err_set(err, ERR_NO_MEMORY, "%s in %s: no memory", doing, store->files.path);
    if (code > 0)
        return ledger_files_failed(&store->files, code, doing, err);
    if (code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND || code == MDB_INVALID)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the ledger in %s is damaged (%s: %s)\nhint: restore the directory from a "
                       "backup; without one, move it away: the same idempotency keys are made "
                       "again",
                       store->files.path, doing, mdb_strerror(code));
    if (code == MDB_VERSION_MISMATCH)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "the ledger in %s was written by another version of LMDB\n"
                       "hint: use the purser that wrote it again",
                       store->files.path);
    return err_set(err, ERR_STORAGE, "%s in %s: %s", doing, store->files.path, mdb_strerror(code));
}

void ledger_store_guard_map(const struct ledger_store *store)
{
    MDB_envinfo info;

    (void)mdb_env_info(store->env, &info);
    ledger_guard_begin(store->files.path, info.me_mapaddr, info.me_mapsize);
}

enum err_code ledger_store_begin_read(struct ledger_store *store, struct err *err)
{
    int code;

    pthread_rwlock_rdlock(&store->map_lock);
    if (++store->reads_since_release >= READS_TO_RELEASE) {
        store->reads_since_release = 0;
        ledger_pages_release(&store->data_file);
    }
    code = mdb_txn_renew(store->reading);
    if (code == MDB_MAP_RESIZED) { /* another process made the map larger */
        pthread_rwlock_unlock(&store->map_lock);
        pthread_rwlock_wrlock(&store->map_lock);
        code = mdb_env_set_mapsize(store->env, 0);
        ledger_store_guard_map(store);
        if (code == 0)
            code = mdb_txn_renew(store->reading);
    }
    if (code != 0) {
        pthread_rwlock_unlock(&store->map_lock);
        return ledger_store_failed(store, code, "read", err);
    }
    memset(store->cursor_is_set, 0, sizeof store->cursor_is_set);
    return ERR_OK;
}

void ledger_store_end_read(struct ledger_store *store)
{
    mdb_txn_reset(store->reading);
    pthread_rwlock_unlock(&store->map_lock);
}

static struct slice slice_of_val(MDB_val val)
{
    return (struct slice){.bytes = val.mv_data, .length = val.mv_size};
}

enum err_code ledger_store_get(struct ledger_store *store, enum ledger_database database,
                               struct slice key, struct slice *value_out, struct err *err)
{
    MDB_val key_val = val_of(key), value_val;
    int code = mdb_get(store->reading, store->databases[database], &key_val, &value_val);

    if (code == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (code != 0)
        return ledger_store_failed(store, code, "read", err);
    *value_out = slice_of_val(value_val);
    return ERR_OK;
}

static enum err_code move_cursor(struct ledger_store *store, enum ledger_database database,
                                 MDB_cursor_op op, struct slice key, struct slice *key_out,
                                 struct slice *value_out, struct err *err)
{
    MDB_val key_val = val_of(key), value_val;
    MDB_cursor **cursor = &store->cursors[database];
    int code = 0;

    if (*cursor == NULL)
        code = mdb_cursor_open(store->reading, store->databases[database], cursor);
    else if (!store->cursor_is_set[database])
        code = mdb_cursor_renew(store->reading, *cursor);
    store->cursor_is_set[database] = true;
    if (code == 0)
        code = mdb_cursor_get(*cursor, &key_val, &value_val, op);
    if (code == MDB_NOTFOUND)
        return ERR_NOT_FOUND;
    if (code != 0)
        return ledger_store_failed(store, code, "read", err);
    *key_out = slice_of_val(key_val);
    *value_out = slice_of_val(value_val);
    return ERR_OK;
}

enum err_code ledger_store_seek(struct ledger_store *store, enum ledger_database database,
                                struct slice key, struct slice *key_out, struct slice *value_out,
                                struct err *err)
{
    return move_cursor(store, database, MDB_SET_RANGE, key, key_out, value_out, err);
}

enum err_code ledger_store_next(struct ledger_store *store, enum ledger_database database,
                                struct slice *key_out, struct slice *value_out, struct err *err)
{
    assert(store->cursor_is_set[database]);
    return move_cursor(store, database, MDB_NEXT, SLICE(""), key_out, value_out, err);
}

enum err_code ledger_store_last(struct ledger_store *store, enum ledger_database database,
                                struct slice *key_out, struct slice *value_out, struct err *err)
{
    return move_cursor(store, database, MDB_LAST, SLICE(""), key_out, value_out, err);
}
