#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ledger_check.h"
#include "ledger_heads.h"
#include "lmdb_ledger_environment.h"
#include "purser/base/mem.h"
#include "purser/io/clock.h"
#include "purser/io/ledger_guard.h"

#define LOCK_FILE "lock.mdb"

/* LMDB maps its lock file and makes it sparse: on a full disk the first touch is a SIGBUS. This is
 * the size it has for the default of 126 readers. Source: measured with LMDB 0.9.24. */
#define LOCK_FILE_BYTES 8192

#define MAP_BYTES_DEFAULT ((size_t)256 * 1024 * 1024)

/* Looking over so many bytes takes some 50 ms. What reads every item looks over more, too: that
 * takes less than the reading. What reads few of a larger ledger is left to ledger_guard. */
#define READER_CHECK_BYTES_MAX ((off_t)64 * 1024 * 1024)

/* LMDB was given a path; what it opened must be what was checked. */
static enum err_code check_data_file(struct ledger_store *store, struct err *err)
{
    struct stat opened, named = {0};
    MDB_envinfo info;
    MDB_stat pages;
    int fd = -1;

    (void)mdb_env_get_fd(store->env, &fd); /* of one that is open it is told, as what follows */
    if (fstat(fd, &opened) != 0)
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
    (void)mdb_env_info(store->env, &info);
    (void)mdb_env_stat(store->env, &pages);
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
    int fd = -1, begun;

    if (!reads_all && store->data_file.st_size > READER_CHECK_BYTES_MAX)
        return ERR_OK;
    (void)mdb_env_get_fd(store->env, &fd);
    begun = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (begun != 0)
        return ledger_store_failed(store, begun, "first read", err);
    code = ledger_check_pages(&store->files, fd, mdb_txn_id(txn), err);
    mdb_txn_abort(txn);
    return code;
}

static enum err_code open_databases(struct ledger_store *store,
                                    const struct lmdb_ledger_options *options, struct err *err)
{
    static const char *const names[] = {
#define X(identifier, name) [identifier] = name,
        LEDGER_DATABASE_LIST(X)
#undef X
    };
    const unsigned flags = options->write && !options->is_known ? MDB_CREATE : 0;
    MDB_txn *txn;
    int code = mdb_txn_begin(store->env, NULL, options->write ? 0 : MDB_RDONLY, &txn);

    if (code != 0)
        return ledger_store_failed(store, code, "first transaction", err);
    for (int i = 0; i < LEDGER_DATABASE_COUNT && code == 0; i++)
        code = mdb_dbi_open(txn, names[i], flags, &store->databases[i]);
    if (code != 0) {
        mdb_txn_abort(txn);
        if (code == MDB_NOTFOUND)
            return err_set(err, ERR_NOT_FOUND, "there is no ledger in %s yet", store->files.path);
        return ledger_store_failed(store, code, "open the databases", err);
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? ERR_OK : ledger_store_failed(store, code, "make the databases", err);
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

static enum err_code open_environment(struct ledger_store *store,
                                      const struct lmdb_ledger_options *options, struct err *err)
{
    const bool write = options->write;
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
    if (is_new && (!write || options->is_known))
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
        ledger_store_failed(store, code, "open", err);
        if (is_new) /* half a header, of a full disk, would look like damage next time */
            (void)unlinkat(store->files.directory_fd, DATA_FILE, 0);
        return err->code;
    }
    /* Were the header lost with the power, but not what is written behind it, it would be taken for
     * a damaged ledger. So it is durable before the file grows. */
    if (is_new && (code = mdb_env_sync(store->env, 1)) != 0)
        return ledger_store_failed(store, code, "sync the header", err);
    ledger_store_guard_map(store);
    if (check_data_file(store, err) != ERR_OK ||
        check_pages(store, write || options->reads_all, err) != ERR_OK ||
        open_databases(store, options, err) != ERR_OK)
        return err->code;
    /* LMDB never syncs the names of the files it makes. */
    if (write && fsync(store->files.directory_fd) != 0)
        return ledger_store_failed(store, errno, "sync the directory", err);
    return ERR_OK;
}

enum err_code ledger_store_open(const struct state_directory *directory,
                                const struct lmdb_ledger_options *options,
                                struct ledger_store **store_out, struct err *err)
{
    struct ledger_store *store = mem_new(1, sizeof *store);
    int code;

    if (store == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the ledger");
    store->map_bytes = options->map_bytes;
    store->checked_ms = clock_boot_ms();
    store->newest_fd = -1;
    pthread_rwlock_init(&store->map_lock, NULL);
    if (ledger_files_open(&store->files, directory, err) != ERR_OK ||
        open_environment(store, options, err) != ERR_OK)
        goto fail;
    (void)mdb_reader_check(store->env, NULL);
    code = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading);
    if (code != 0) {
        ledger_store_failed(store, code, "first read", err);
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
