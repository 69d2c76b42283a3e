#include "ledger_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger_check.h"
#include "ledger_files.h"
#include "ledger_heads.h"
#include "ledger_newest.h"
#include "ledger_pages.h"
#include "purser/base/mem.h"
#include "purser/io/clock.h"
#include "purser/io/ledger_guard.h"

#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"
#define RUN_LOCK_FILE "purser.lock"
#define ABOUT_FILE "about.txt"

/* LMDB maps its lock file and makes it sparse: on a full disk the first touch is a SIGBUS. This is
 * the size it has for the default of 126 readers. Source: measured with LMDB 0.9.24. */
#define LOCK_FILE_BYTES 8192

#define MAP_BYTES_DEFAULT ((size_t)256 * 1024 * 1024)
#define MAP_BYTES_MAX (SIZE_MAX / 4)

/* A reader that was killed keeps old pages from being reused until it is looked for. */
#define READER_CHECK_COMMITS 4096
#define READER_CHECK_MS (60 * 60 * 1000)

/* Looking over so many bytes takes some 50 ms. What reads every item looks over more, too: that
 * takes less than the reading. What reads few of a larger ledger is left to ledger_guard. */
#define READER_CHECK_BYTES_MAX ((off_t)64 * 1024 * 1024)

/* So often are pages that were read or written once let go of. */
#define READS_TO_RELEASE 32768
#define BYTES_TO_RELEASE ((uint64_t)32 * 1024 * 1024)

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

const char *ledger_store_platform(void)
{
    return sizeof(void *) == 8 ? (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "64 little lmdb-0.9"
                                                                            : "64 big lmdb-0.9")
                               : (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "32 little lmdb-0.9"
                                                                            : "32 big lmdb-0.9");
}

/* `code` of LMDB: an errno or one of its own. */
static enum err_code failed(const struct ledger_store *store, int code, const char *doing,
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

/* --- opening --- */

/* LMDB was given a path; what it opened must be what was checked. */
static enum err_code check_data_file(struct ledger_store *store, struct err *err)
{
    struct stat opened, named = {0};
    MDB_envinfo info;
    MDB_stat pages;
    int fd = -1;

    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &opened) != 0)
        return err_set(err, ERR_SYSTEM, "stat %s/%s: %s", store->files.path, DATA_FILE,
                       strerror(errno));
    store->data_file = opened;
    if (fstatat(store->files.directory_fd, RUN_LOCK_FILE, &store->run_lock, AT_SYMLINK_NOFOLLOW) !=
        0)
        store->run_lock.st_nlink = 0;
    ledger_files_identity(&store->files, DATA_FILE, store->identity);
    /* LMDB marks the lock file and its descriptor for headers, but not this one. */
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (fstatat(store->files.directory_fd, DATA_FILE, &named, AT_SYMLINK_NOFOLLOW) != 0 &&
        errno != ENOENT)
        return err_set(err, ERR_SYSTEM, "stat %s/%s: %s", store->files.path, DATA_FILE,
                       strerror(errno));
    if (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino)
        return err_set(err, ERR_STATE_DIRECTORY, "%s was replaced while it was opened",
                       store->files.path);
    if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &pages) != 0)
        return err_set(err, ERR_INTERNAL, "no information on the environment");
    /* Touching a page behind the end of the file would be a SIGBUS. */
    if ((uint64_t)opened.st_size / pages.ms_psize < (uint64_t)info.me_last_pgno + 1)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s/%s is cut short: %lld bytes where at least %llu belong\n"
                       "hint: restore the directory from a complete copy",
                       store->files.path, DATA_FILE, (long long)opened.st_size,
                       ((unsigned long long)info.me_last_pgno + 1) * pages.ms_psize);
    return ERR_OK;
}

/* LMDB believes what it reads, so what it will read is looked over first. */
static enum err_code check_heads(const struct ledger_store *store, struct err *err)
{
    int fd = openat(store->files.directory_fd, DATA_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum err_code code;

    if (fd == -1)
        return ledger_files_failed(&store->files, errno, "open the ledger", err);
    code = ledger_heads_check(&store->files, fd, err);
    close(fd);
    return code;
}

static enum err_code check_pages(const struct ledger_store *store, bool reads_all, struct err *err)
{
    MDB_txn *txn;
    enum err_code code;
    int fd = -1;

    if (!reads_all && store->data_file.st_size > READER_CHECK_BYTES_MAX)
        return ERR_OK;
    code = mdb_env_get_fd(store->env, &fd) == 0 ? ERR_OK : ERR_INTERNAL;
    if (code == ERR_OK) {
        int begun = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

        if (begun != 0)
            return failed(store, begun, "first read", err);
        code = ledger_check_pages(&store->files, fd, mdb_txn_id(txn), err);
        mdb_txn_abort(txn);
    }
    return code;
}

static enum err_code open_databases(struct ledger_store *store, bool write, struct err *err)
{
    static const char *const names[] = {
#define X(identifier, name) [identifier] = name,
        LEDGER_DATABASE_LIST(X)
#undef X
    };
    MDB_txn *txn;
    int code = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn);

    if (code != 0)
        return failed(store, code, "first transaction", err);
    for (int i = 0; i < LEDGER_DATABASE_COUNT && code == 0; i++)
        code = mdb_dbi_open(txn, names[i], write ? MDB_CREATE : 0, &store->databases[i]);
    if (code != 0) {
        mdb_txn_abort(txn);
        if (code == MDB_NOTFOUND)
            return err_set(err, ERR_NOT_FOUND, "there is no ledger in %s yet", store->files.path);
        return failed(store, code, "open the databases", err);
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? ERR_OK : failed(store, code, "make the databases", err);
}

/* A death while LMDB writes the header of a new file leaves a part of it, which is no ledger and
 * would look like a damaged one. Nothing was ever committed to it, so nothing was sent. */
static enum err_code remove_half_header(const struct ledger_store *store, struct stat *data,
                                        struct err *err)
{
    if (unlinkat(store->files.directory_fd, DATA_FILE, 0) != 0)
        return ledger_files_failed(&store->files, errno, "remove a half-made file", err);
    *data = (struct stat){0};
    return ERR_OK;
}

static void on_assertion(MDB_env *env, const char *text)
{
    (void)env;
    (void)text;
    ledger_guard_give_up();
}

static void guard_map(const struct ledger_store *store)
{
    MDB_envinfo info;

    (void)mdb_env_info(store->env, &info);
    ledger_guard_begin(store->files.path, info.me_mapaddr, info.me_mapsize);
}

static enum err_code open_environment(struct ledger_store *store, bool write, bool reads_all,
                                      struct err *err)
{
    struct stat data, about;
    bool is_new;
    int code;

    if (ledger_files_check(&store->files, DATA_FILE, &data, err) != ERR_OK ||
        ledger_files_check(&store->files, ABOUT_FILE, &about, err) != ERR_OK)
        return err->code;
    if (write && about.st_nlink == 0 && data.st_size > 0 &&
        data.st_size <= 2 * sysconf(_SC_PAGESIZE) &&
        remove_half_header(store, &data, err) != ERR_OK)
        return err->code;
    is_new = data.st_size == 0;
    if (is_new && about.st_nlink > 0)
        return err_set(err, ERR_STATE_DIRECTORY,
                       "%s/%s is missing or empty, but there was a ledger\n"
                       "hint: restore it from a backup; to begin anew, remove the directory: what "
                       "was sent long ago would then be sent again",
                       store->files.path, DATA_FILE);
    if (is_new && !write)
        return err_set(err, ERR_NOT_FOUND, "there is no ledger in %s yet", store->files.path);
    if (ledger_files_allocate(&store->files, LOCK_FILE, LOCK_FILE_BYTES, write, err) != ERR_OK)
        return err->code;
    if (!is_new && check_heads(store, err) != ERR_OK)
        return err->code;
    /* Before LMDB sees what is newest: a run may write in between. */
    if (!is_new)
        store->newest = ledger_newest_read(&store->files);
    code = mdb_env_create(&store->env);
    if (code == 0)
        code = mdb_env_set_maxdbs(store->env, LEDGER_DATABASE_COUNT);
    /* A ledger that is there knows the size of its map. */
    if (code == 0 && (is_new || store->map_bytes != 0))
        code = mdb_env_set_mapsize(store->env,
                                   store->map_bytes != 0 ? store->map_bytes : MAP_BYTES_DEFAULT);
    if (code == 0)
        code = mdb_env_open(store->env, store->files.path, MDB_NOTLS | (write ? 0u : MDB_RDONLY),
                            0600);
    if (code == 0)
        code = mdb_env_set_assert(store->env, on_assertion);
    if (code != 0) {
        failed(store, code, "open", err);
        if (is_new) /* half a header, of a full disk, would look like damage next time */
            (void)unlinkat(store->files.directory_fd, DATA_FILE, 0);
        return err->code;
    }
    /* Were the header lost with the power, but not what is written behind it, it would be taken for
     * a damaged ledger. So it is durable before the file grows. */
    if (is_new && (code = mdb_env_sync(store->env, 1)) != 0)
        return failed(store, code, "sync the header", err);
    guard_map(store);
    if (check_data_file(store, err) != ERR_OK ||
        check_pages(store, write || reads_all, err) != ERR_OK ||
        open_databases(store, write, err) != ERR_OK)
        return err->code;
    /* LMDB never syncs the names of the files it makes. */
    if (write && fsync(store->files.directory_fd) != 0)
        return failed(store, errno, "sync the directory", err);
    return ERR_OK;
}

enum err_code ledger_store_open(const struct state_directory *directory, bool write, bool reads_all,
                                size_t map_bytes, struct ledger_store **store_out, struct err *err)
{
    struct ledger_store *store = mem_new(1, sizeof *store);
    int code;

    if (store == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the ledger");
    store->map_bytes = map_bytes;
    store->checked_ms = clock_boot_ms();
    store->newest_fd = -1;
    pthread_rwlock_init(&store->map_lock, NULL);
    if (ledger_files_open(&store->files, directory, err) != ERR_OK ||
        open_environment(store, write, reads_all, err) != ERR_OK)
        goto fail;
    (void)mdb_reader_check(store->env, NULL);
    code = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading);
    if (code != 0) {
        failed(store, code, "first read", err);
        goto fail;
    }
    mdb_txn_reset(store->reading);
    *store_out = store;
    return ERR_OK;
fail:
    ledger_store_close(store);
    return err->code;
}

void ledger_store_close(struct ledger_store *store)
{
    for (int i = 0; i < LEDGER_DATABASE_COUNT; i++) {
        if (store->cursors[i] != NULL)
            mdb_cursor_close(store->cursors[i]);
    }
    if (store->reading != NULL)
        mdb_txn_abort(store->reading);
    /* A copy that was made while it was open is an old one from now on. */
    if (store->newest_fd != -1) {
        close(store->newest_fd);
        store->newest_fd = ledger_newest_make(&store->files, ledger_store_revision(store));
    }
    if (store->newest_fd != -1)
        close(store->newest_fd);
    ledger_guard_end();
    if (store->env != NULL)
        mdb_env_close(store->env);
    ledger_files_close(&store->files);
    pthread_rwlock_destroy(&store->map_lock);
    mem_free(store);
}

/* --- reading --- */

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
        guard_map(store);
        if (code == 0)
            code = mdb_txn_renew(store->reading);
    }
    if (code != 0) {
        pthread_rwlock_unlock(&store->map_lock);
        return failed(store, code, "read", err);
    }
    memset(store->cursor_is_set, 0, sizeof store->cursor_is_set);
    return ERR_OK;
}

void ledger_store_end_read(struct ledger_store *store)
{
    mdb_txn_reset(store->reading);
    pthread_rwlock_unlock(&store->map_lock);
}

static MDB_val val_of(struct slice slice)
{
    /* LMDB takes keys and values without const and does not write to them. */
    return (MDB_val){.mv_size = slice.length, .mv_data = (void *)(uintptr_t)slice.bytes};
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
        return failed(store, code, "read", err);
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
        return failed(store, code, "read", err);
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

/* --- applying --- */

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
    guard_map(store);
    pthread_rwlock_unlock(&store->map_lock);
    return code == 0 ? ERR_OK : failed(store, code, "grow the map", err);
}

/* Who has removed the lock of the one writer (state_directory) lets another one in. */
static enum err_code check_run_lock(const struct ledger_store *store, struct err *err)
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

    if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &status) != 0)
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

    if (check_still_there(store, err) != ERR_OK || check_run_lock(store, err) != ERR_OK)
        return err->code;
    check_readers(store);
    while ((code = apply_once(store, batch)) == MDB_MAP_FULL) {
        if (grow_map(store, batch, err) != ERR_OK)
            return err->code;
    }
    if (code != 0)
        return failed(store, code, "commit", err);
    ledger_newest_write(store->newest_fd, ledger_store_revision(store));
    release_written(store, batch->bytes.length);
    return ERR_OK;
}
