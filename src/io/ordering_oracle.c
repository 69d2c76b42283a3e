#include "ordering_oracle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lmdb_ledger_internal.h"
#include "purser/codec/connection_write.h"
#include "purser/codec/record.h"
#include "purser/core/key.h"

static struct {
    pthread_mutex_t mutex;
    struct lmdb_ledger *ledger; /* NULL = none: nothing is judged */
    char spec_name[SPEC_NAME_BYTES_MAX + 1];
} watched = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void ordering_oracle_watch(struct lmdb_ledger *ledger, const char *spec_name)
{
    pthread_mutex_lock(&watched.mutex);
    watched.ledger = ledger;
    (void)snprintf(watched.spec_name, sizeof watched.spec_name, "%s", spec_name);
    pthread_mutex_unlock(&watched.mutex);
}

void ordering_oracle_forget(const struct lmdb_ledger *ledger)
{
    pthread_mutex_lock(&watched.mutex);
    if (watched.ledger == ledger)
        watched.ledger = NULL;
    pthread_mutex_unlock(&watched.mutex);
}

static bool is_key_of(const struct item *item, const struct frozen_request *frozen,
                      const char *idempotency_key)
{
    const char *job = ledger_names_get(&watched.ledger->jobs, item->job);
    const char *connection = ledger_names_get(&watched.ledger->connections, item->connection);
    char key[KEY_TEXT_BYTES];

    if (job == NULL || connection == NULL)
        return false;
    key_derive(slice_of(watched.spec_name), slice_of(job), slice_of(connection), frozen->key,
               item->generation, key);
    return strcmp(key, idempotency_key) == 0;
}

/* Secrets take the place of their references on the way out, so those bodies differ. */
static bool is_frozen(const struct frozen_request *frozen, const struct transfer_request *request)
{
    return frozen->method == request->method && slice_equal(frozen->path, request->path) &&
           slice_equal(frozen->key, request->item_key) &&
           (slice_equal(frozen->body, request->body) ||
            connection_write_of(request->method, request->path) != CONNECTION_WRITE_NONE);
}

/* What is on disk instead of the intent of this write; NULL = its intent is. Within a read. */
static const char *found_instead(const struct transfer_request *request)
{
    const struct ledger_key key = ledger_key_item(request->item);
    struct ledger_store *store = watched.ledger->store;
    struct frozen_request frozen;
    struct slice value;
    struct item item;
    struct err err = {0};

    if (request->item == 0)
        return "nothing, for it is of no item";
    if (ledger_store_get(store, LEDGER_ITEMS, ledger_key_slice(&key), &value, &err) != ERR_OK)
        return "no such item";
    if (!record_get_item(ledger_key_slice(&key), value, &item))
        return "a damaged item";
    if (item.state != ITEM_SENDING)
        return item_state_name(item.state);
    if (ledger_store_get(store, LEDGER_REQUESTS, ledger_key_slice(&key), &value, &err) != ERR_OK ||
        !record_get_request(ledger_key_slice(&key), value, &frozen))
        return "no request";
    if (!is_frozen(&frozen, request))
        return "another request";
    if (request->idempotency_key != NULL && !is_key_of(&item, &frozen, request->idempotency_key))
        return "another generation";
    /* Nothing of a key shows the generation; but each such send has an intent of its own. */
    if (request->at_most_once && item.attempt_total + 1 != request->attempt)
        return "the intent of another attempt";
    return NULL;
}

void ordering_oracle_leaves(const struct transfer_request *request)
{
    const char *found = NULL;
    struct err err = {0};

    if (request->remote_job != NULL || request->method == METHOD_GET)
        return;
    pthread_mutex_lock(&watched.mutex);
    if (watched.ledger != NULL &&
        ledger_store_check_run_lock(watched.ledger->store, &err) == ERR_OK) {
        if (ledger_store_begin_read(watched.ledger->store, &err) == ERR_OK) {
            found = found_instead(request);
            ledger_store_end_read(watched.ledger->store);
        } else {
            found = err.text;
        }
    }
    pthread_mutex_unlock(&watched.mutex);
    if (found == NULL)
        return;
    (void)fprintf(stderr,
                  "purser: ordering: item %llu (%.*s), attempt %u, %s %.*s: a byte would leave "
                  "before its intent is durable; on disk: %s\n",
                  (unsigned long long)request->item, (int)request->item_key.length,
                  request->item_key.bytes, (unsigned)request->attempt, method_name(request->method),
                  (int)request->path.length, request->path.bytes, found);
    abort();
}
