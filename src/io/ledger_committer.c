#include "ledger_committer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "purser/base/mem.h"

#define BATCHES 3 /* one open, one waiting, one being committed */

struct ledger_committer {
    struct ledger_store *store;
    pthread_t thread;
    pthread_mutex_t mutex; /* over all that follows, but not the content of batches */
    pthread_cond_t changed;
    uint64_t closed;  /* number of the last closed batch; the open one is the next */
    uint64_t durable; /* number of the last durable one */
    bool stopping;
    struct err failure;
    int event_fd;
    /* By number modulo BATCHES. The open one belongs to the caller; a closed one is only read. */
    struct ledger_batch batches[BATCHES];
};

static struct ledger_batch *batch_at(struct ledger_committer *committer, uint64_t number)
{
    return &committer->batches[number % BATCHES];
}

static void commit_next(struct ledger_committer *committer)
{
    struct err err = {0};
    const struct ledger_batch *batch = batch_at(committer, committer->durable + 1);
    uint64_t one = 1;

    pthread_mutex_unlock(&committer->mutex);
    assert(batch->sequence == committer->durable + 1);
    if (ledger_store_apply(committer->store, batch, &err) == ERR_OK)
        err.code = ERR_OK;
    pthread_mutex_lock(&committer->mutex);
    if (err.code == ERR_OK)
        committer->durable++;
    else
        committer->failure = err;
    pthread_cond_broadcast(&committer->changed);
    /* A full counter cannot be: it takes 2^64 commits that nobody looks at. */
    (void)!write(committer->event_fd, &one, sizeof one);
}

static void *run(void *argument)
{
    struct ledger_committer *committer = argument;

    pthread_mutex_lock(&committer->mutex);
    while (committer->failure.code == ERR_OK) {
        if (committer->durable < committer->closed)
            commit_next(committer);
        else if (committer->stopping)
            break;
        else
            pthread_cond_wait(&committer->changed, &committer->mutex);
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

/* Signals are for the event loop: this thread must not be the one that the kernel picks. */
static int start_thread(struct ledger_committer *committer)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&committer->thread, NULL, run, committer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void free_committer(struct ledger_committer *committer)
{
    for (int i = 0; i < BATCHES; i++)
        ledger_batch_deinit(&committer->batches[i]);
    if (committer->event_fd != -1)
        close(committer->event_fd);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->mutex);
    mem_free(committer);
}

enum err_code ledger_committer_open(struct ledger_store *store,
                                    struct ledger_committer **committer_out, struct err *err)
{
    struct ledger_committer *committer = mem_new(1, sizeof *committer);
    int code;

    if (committer == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the committing thread");
    committer->store = store;
    pthread_mutex_init(&committer->mutex, NULL);
    pthread_cond_init(&committer->changed, NULL);
    for (int i = 0; i < BATCHES; i++)
        ledger_batch_init(&committer->batches[i]);
    committer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    code = committer->event_fd == -1 ? errno : start_thread(committer);
    if (code != 0) {
        err_set(err, ERR_SYSTEM,
                "start the committing thread: %s; is there memory, and does ulimit -u allow it?",
                strerror(code));
        free_committer(committer);
        return err->code;
    }
    *committer_out = committer;
    return ERR_OK;
}

void ledger_committer_close(struct ledger_committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    committer->stopping = true;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    free_committer(committer);
}

struct ledger_batch *ledger_committer_batch(struct ledger_committer *committer)
{
    return batch_at(committer, committer->closed + 1);
}

bool ledger_committer_find(struct ledger_committer *committer, enum ledger_database database,
                           struct slice key, struct slice *value_out)
{
    uint64_t durable;

    pthread_mutex_lock(&committer->mutex);
    durable = committer->durable;
    pthread_mutex_unlock(&committer->mutex);
    for (uint64_t number = committer->closed + 1; number > durable; number--) {
        if (ledger_batch_find(batch_at(committer, number), database, key, value_out))
            return true;
    }
    return false;
}

static enum err_code batch_failed(enum err_code code, struct err *err)
{
    return err_set(err, code, "the open batch of the ledger: %s", err_code_text(code));
}

enum err_code ledger_committer_submit(struct ledger_committer *committer, uint64_t *sequence_out,
                                      struct err *err)
{
    struct ledger_batch *batch = ledger_committer_batch(committer);

    pthread_mutex_lock(&committer->mutex);
    if (committer->failure.code == ERR_OK && batch->failed != ERR_OK)
        batch_failed(batch->failed, &committer->failure);
    if (committer->failure.code == ERR_OK && batch->op_count > 0) {
        batch->sequence = ++committer->closed;
        pthread_cond_broadcast(&committer->changed);
        /* The next open batch takes the place of the one that was closed two before. */
        while (committer->failure.code == ERR_OK &&
               committer->closed - committer->durable == BATCHES)
            pthread_cond_wait(&committer->changed, &committer->mutex);
        if (committer->failure.code == ERR_OK)
            ledger_batch_clear(ledger_committer_batch(committer));
    }
    *sequence_out = committer->closed;
    *err = committer->failure;
    pthread_mutex_unlock(&committer->mutex);
    return err->code;
}

enum err_code ledger_committer_poll(struct ledger_committer *committer, bool wait,
                                    uint64_t *durable_out, struct err *err)
{
    pthread_mutex_lock(&committer->mutex);
    while (wait && committer->failure.code == ERR_OK && committer->durable < committer->closed)
        pthread_cond_wait(&committer->changed, &committer->mutex);
    *durable_out = committer->durable;
    *err = committer->failure;
    pthread_mutex_unlock(&committer->mutex);
    return err->code;
}

enum err_code ledger_committer_check(struct ledger_committer *committer, struct err *err)
{
    uint64_t ignored;

    return ledger_committer_poll(committer, false, &ignored, err);
}

int ledger_committer_event_fd(const struct ledger_committer *committer)
{
    return committer->event_fd;
}
