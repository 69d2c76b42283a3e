#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "ledger_pages.h"
#include "lmdb_ledger_environment.h"
#include "purser/io/clock.h"

#define MAP_BYTES_MAX (SIZE_MAX / 4)

/* A reader that was killed keeps old pages from being reused until it is looked for. */
#define READER_CHECK_COMMITS 4096
#define READER_CHECK_MS (60 * 60 * 1000)

/* So often are pages that were written once let go of. */
#define BYTES_TO_RELEASE ((uint64_t)32 * 1024 * 1024)

static bool begins_with(MDB_val key, struct slice prefix)
{
    return key.mv_size >= prefix.length && memcmp(key.mv_data, prefix.bytes, prefix.length) == 0;
}

/* Behind the last attempt of the item; past the maximum, over the last one. */
static int put_attempt(const struct ledger_store *store, MDB_txn *txn, struct slice item_key,
                       MDB_val value)
{
    struct ledger_key next = ledger_key_item(ledger_load_u64(item_key.bytes) + 1);
    struct ledger_key place;
    MDB_val found = val_of(ledger_key_slice(&next)), ignored, key;
    MDB_cursor *cursor;
    uint32_t index = 0;
    int code = mdb_cursor_open(txn, store->databases[LEDGER_ATTEMPTS], &cursor);

    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &found, &ignored, MDB_SET_RANGE);
    if (code == 0 || code == MDB_NOTFOUND)
        code = mdb_cursor_get(cursor, &found, &ignored, code == 0 ? MDB_PREV : MDB_LAST);
    if (code == 0 && begins_with(found, item_key) && found.mv_size == LEDGER_ITEM_KEY_BYTES + 4)
        index = ledger_load_u32((const char *)found.mv_data + LEDGER_ITEM_KEY_BYTES) + 1;
    mdb_cursor_close(cursor);
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    if (index >= ATTEMPTS_KEPT_MAX)
        index = ATTEMPTS_KEPT_MAX - 1;
    place = ledger_key_attempt(ledger_load_u64(item_key.bytes), index);
    key = val_of(ledger_key_slice(&place));
    return mdb_put(txn, store->databases[LEDGER_ATTEMPTS], &key, &value, 0);
}

static int delete_prefix(MDB_txn *txn, MDB_dbi database, struct slice prefix)
{
    MDB_val key = val_of(prefix), ignored;
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, database, &cursor);

    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &ignored, MDB_SET_RANGE);
    while (code == 0 && begins_with(key, prefix)) {
        code = mdb_cursor_del(cursor, 0);
        if (code == 0)
            code = mdb_cursor_get(cursor, &key, &ignored, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int apply_op(const struct ledger_store *store, MDB_txn *txn,
                    const struct ledger_batch *batch, const struct ledger_op *op)
{
    MDB_dbi database = store->databases[op->database];
    MDB_val key = val_of(ledger_batch_key(batch, op));
    MDB_val value = val_of(ledger_batch_value(batch, op));
    int code;

    switch (op->kind) {
    case LEDGER_OP_ADD:
        /* Appending fills the pages; a key that is not the last after all is put the common way. */
        code = mdb_put(txn, database, &key, &value, MDB_APPEND);
        if (code != MDB_KEYEXIST)
            return code;
        value = val_of(ledger_batch_value(batch, op));
        return mdb_put(txn, database, &key, &value, 0);
    case LEDGER_OP_PUT:
        return mdb_put(txn, database, &key, &value, 0);
    case LEDGER_OP_DELETE:
        code = mdb_del(txn, database, &key, NULL);
        return code == MDB_NOTFOUND ? 0 : code;
    case LEDGER_OP_ATTEMPT:
        return put_attempt(store, txn, ledger_batch_key(batch, op), value);
    case LEDGER_OP_DELETE_PREFIX:
        return delete_prefix(txn, database, ledger_batch_key(batch, op));
    }
    return EINVAL;
}

static int apply_once(const struct ledger_store *store, const struct ledger_batch *batch)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(store->env, NULL, 0, &txn);

    if (code != 0)
        return code;
    for (size_t i = 0; i < batch->op_count; i++) {
        code = apply_op(store, txn, batch, &batch->ops[i]);
        if (code != 0) {
            mdb_txn_abort(txn);
            return code;
        }
    }
    return mdb_txn_commit(txn);
}

/* LMDB unmaps the old map before it makes the new one and cannot go back, so the room is tried
 * first. */
static bool has_address_space(size_t bytes)
{
    void *probe = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (probe == MAP_FAILED)
        return false;
    munmap(probe, bytes);
    return true;
}

static enum err_code grow_map(struct ledger_store *store, const struct ledger_batch *batch,
                              struct err *err)
{
    MDB_envinfo info;
    size_t bytes;
    int code;

    (void)mdb_env_info(store->env, &info);
    bytes = info.me_mapsize;
    do {
        if (bytes > MAP_BYTES_MAX / 2)
            return err_set(err, ERR_STORAGE, "the ledger in %s cannot grow any more",
                           store->files.path);
        bytes *= 2;
    } while (bytes - info.me_mapsize < batch->bytes.length);
    pthread_rwlock_wrlock(&store->map_lock);
    code = has_address_space(bytes) ? mdb_env_set_mapsize(store->env, bytes) : ENOMEM;
    ledger_store_guard_map(store);
    pthread_rwlock_unlock(&store->map_lock);
    return code == 0 ? ERR_OK : ledger_store_failed(store, code, "grow the map", err);
}

enum err_code ledger_store_check_run_lock(const struct ledger_store *store, struct err *err)
{
    struct stat now = {0};

    if (store->run_lock.st_nlink == 0)
        return ERR_OK;
    if (fstatat(store->files.directory_fd, RUN_LOCK_FILE, &now, AT_SYMLINK_NOFOLLOW) != 0 &&
        errno != ENOENT)
        return err_set(err, ERR_STORAGE, "stat %s/%s: %s", store->files.path, RUN_LOCK_FILE,
                       strerror(errno));
    if (now.st_dev == store->run_lock.st_dev && now.st_ino == store->run_lock.st_ino)
        return ERR_OK;
    return err_set(err, ERR_STORAGE,
                   "%s/%s was removed while it was in use: another purser may be writing here\n"
                   "hint: wait until no purser works on this spec, then run the same command again",
                   store->files.path, RUN_LOCK_FILE);
}

/* A ledger whose files were removed would go on into the void. */
static enum err_code check_still_there(const struct ledger_store *store, struct err *err)
{
    struct stat status;
    int fd = -1;

    (void)mdb_env_get_fd(store->env, &fd);
    if (fstat(fd, &status) != 0)
        return err_set(err, ERR_STORAGE, "stat %s/%s: %s", store->files.path, DATA_FILE,
                       strerror(errno));
    if (status.st_nlink == 0)
        return err_set(err, ERR_STORAGE, "%s/%s was removed while it was in use", store->files.path,
                       DATA_FILE);
    return ERR_OK;
}

static void check_readers(struct ledger_store *store)
{
    int64_t now_ms = clock_boot_ms();

    if (++store->commits_since_check < READER_CHECK_COMMITS &&
        now_ms - store->checked_ms < READER_CHECK_MS)
        return;
    store->commits_since_check = 0;
    store->checked_ms = now_ms;
    (void)mdb_reader_check(store->env, NULL);
}

static void release_written(struct ledger_store *store, size_t bytes)
{
    store->bytes_since_release += bytes;
    if (store->bytes_since_release < BYTES_TO_RELEASE)
        return;
    store->bytes_since_release = 0;
    pthread_rwlock_rdlock(&store->map_lock);
    ledger_pages_release(&store->data_file);
    pthread_rwlock_unlock(&store->map_lock);
}

enum err_code ledger_store_apply(struct ledger_store *store, const struct ledger_batch *batch,
                                 struct err *err)
{
    int code;

    if (check_still_there(store, err) != ERR_OK ||
        ledger_store_check_run_lock(store, err) != ERR_OK)
        return err->code;
    check_readers(store);
    while ((code = apply_once(store, batch)) == MDB_MAP_FULL) {
        if (grow_map(store, batch, err) != ERR_OK)
            return err->code;
    }
    if (code != 0)
        return ledger_store_failed(store, code, "commit", err);
    ledger_newest_write(store->newest_fd, ledger_store_revision(store));
    release_written(store, batch->bytes.length);
    return ERR_OK;
}
