/* Makes chosen calls of LMDB fail for a lack of memory, in a whole process; preloaded.
 *
 * It stands between the program and liblmdb, so the program itself carries no test code. Calls that
 * can fail so are numbered from 0, each thread on its own; threads as they first call, main is 0.
 * The same variables, and the same report, as memory_shim.c: PURSER_MEMORY_FAIL,
 * PURSER_MEMORY_REPORT and PURSER_MEMORY_STACKS; memory that is leaked it does not look for. */
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

#include "ledger_calls.h"
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

static int ledger_call_error(const char *name)
{
    (void)name;
    return fails() ? ENOMEM : 0;
}
