/* Makes chosen calls of LMDB fail for a lack of memory, in a whole process; preloaded.
 *
 * It stands between the program and liblmdb, so the program itself carries no test code. Calls that
 * can fail so are numbered from 0, each thread on its own; threads as they first call, main is 0.
 * The same variables, and the same report, as memory_shim.c: PURSER_MEMORY_FAIL,
 * PURSER_MEMORY_REPORT and PURSER_MEMORY_STACKS; memory that is leaked it does not look for. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lmdb.h>

#include "starter.h"

enum { THREADS_MAX = 64, STACK_FRAMES = 24 };

static struct {
    long thread; /* -1: none */
    unsigned long long number;
    bool from_now_on;
} chosen = {.thread = -1};
static FILE *stacks;
static const char *report_path;
static pid_t own_pid;
static _Atomic bool failing;
static _Atomic int thread_count;
static _Atomic unsigned long long counts[THREADS_MAX], failed_count;
static __thread int own_thread = -1;

static void read_settings(void)
{
    const char *point = getenv("PURSER_MEMORY_FAIL"), *path = getenv("PURSER_MEMORY_STACKS");
    char *end;

    own_pid = getpid();
    report_path = getenv("PURSER_MEMORY_REPORT");
    if (path != NULL)
        stacks = fopen(path, "we");
    if (point != NULL) {
        chosen.thread = strtol(point, &end, 10);
        chosen.number = strtoull(end + 1, &end, 10);
        chosen.from_now_on = *end == '+';
    }
    unsetenv("LD_PRELOAD"); /* programs that this one starts are not meant */
}

__attribute__((constructor)) static void start(void)
{
    own_thread = atomic_fetch_add(&thread_count, 1);
    read_settings();
}

void starter_child(void)
{
    read_settings();
}

__attribute__((destructor)) static void report(void)
{
    FILE *file;

    if (report_path == NULL || getpid() != own_pid)
        return;
    if (stacks != NULL)
        (void)fclose(stacks);
    file = fopen(report_path, "we");
    if (file == NULL)
        return;
    (void)fprintf(file, "before 0\n");
    for (int i = 0; i < atomic_load(&thread_count); i++)
        (void)fprintf(file, "thread %d %llu\n", i, atomic_load(&counts[i]));
    (void)fprintf(file, "failed %llu\nend\n", atomic_load(&failed_count));
    (void)fclose(file);
}

static void note_stack(unsigned long long number)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    void *frames[STACK_FRAMES];
    uint64_t hash = 14695981039346656037ULL;
    int count = backtrace(frames, STACK_FRAMES);

    for (int i = 0; i < count; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211ULL;
    pthread_mutex_lock(&mutex);
    (void)fprintf(stacks, "%d:%llu %016llx\n", own_thread, number, (unsigned long long)hash);
    pthread_mutex_unlock(&mutex);
}

/* Counts one call. Must it fail? */
static bool fails(void)
{
    unsigned long long number;

    if (own_thread < 0)
        own_thread = atomic_fetch_add(&thread_count, 1);
    if (own_thread >= THREADS_MAX)
        abort();
    number = atomic_fetch_add(&counts[own_thread], 1);
    if (stacks != NULL)
        note_stack(number);
    if (own_thread == chosen.thread && number == chosen.number) {
        atomic_store(&failing, chosen.from_now_on);
        atomic_fetch_add(&failed_count, 1);
        return true;
    }
    if (!atomic_load(&failing))
        return false;
    atomic_fetch_add(&failed_count, 1);
    return true;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

#define FAILING(name, parameters, arguments)                                 \
    int name parameters                                                      \
    {                                                                        \
        return fails() ? ENOMEM : ((int(*) parameters)real(#name))arguments; \
    }

FAILING(mdb_env_create, (MDB_env * *env), (env))
FAILING(mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
        (env, path, flags, mode))
FAILING(mdb_env_sync, (MDB_env * env, int force), (env, force))
FAILING(mdb_reader_check, (MDB_env * env, int *dead), (env, dead))
FAILING(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
        (env, parent, flags, txn))
FAILING(mdb_txn_renew, (MDB_txn * txn), (txn))
FAILING(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi),
        (txn, name, flags, dbi))
FAILING(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data))
FAILING(mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
        (txn, dbi, key, data, flags))
FAILING(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data), (txn, dbi, key, data))
FAILING(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
FAILING(mdb_cursor_renew, (MDB_txn * txn, MDB_cursor *cursor), (txn, cursor))
FAILING(mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op),
        (cursor, key, data, op))
FAILING(mdb_cursor_del, (MDB_cursor * cursor, unsigned flags), (cursor, flags))

/* A transaction is gone after its commit, whatever became of it. */
int mdb_txn_commit(MDB_txn *txn)
{
    if (fails()) {
        mdb_txn_abort(txn);
        return ENOMEM;
    }
    return ((int (*)(MDB_txn *))real("mdb_txn_commit"))(txn);
}
