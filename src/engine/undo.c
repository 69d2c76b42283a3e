#include "purser/engine/undo.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/text.h"
#include "purser/core/lifecycle.h"

struct slice undo_key(struct slice key, uint32_t generation, char storage[ITEM_KEY_BYTES_MAX + 1])
{
    int length = snprintf(storage, ITEM_KEY_BYTES_MAX + 1, "%.*s#%u", (int)key.length, key.bytes,
                          generation);

    assert(key.length <= ROW_KEY_BYTES_MAX && length > 0 && length <= ITEM_KEY_BYTES_MAX);
    return (struct slice){storage, (size_t)length};
}

bool undo_key_split(struct slice undo_key, struct slice *key_out, uint32_t *generation_out)
{
    size_t at = undo_key.length;
    uint64_t generation;

    while (at > 0 && undo_key.bytes[at - 1] != '#')
        at--;
    if (at == 0 ||
        !text_to_u64((struct slice){undo_key.bytes + at, undo_key.length - at}, &generation) ||
        generation == 0 || generation > UINT32_MAX)
        return false;
    *key_out = (struct slice){undo_key.bytes, at - 1};
    *generation_out = (uint32_t)generation;
    return true;
}

bool undo_is_job(struct ledger *ledger, uint32_t job)
{
    const char *name = ledger->ops->job_name(ledger, job);
    const char *colon = name == NULL ? NULL : strrchr(name, ':');

    return colon != NULL && strcmp(colon, UNDO_JOB_SUFFIX) == 0;
}

enum err_code undo_counts_without(struct ledger *ledger, struct item_counts *counts_out,
                                  struct err *err)
{
    struct item_counts counts;

    if (ledger->ops->counts(ledger, UINT32_MAX, UINT32_MAX, counts_out, err) != ERR_OK)
        return err->code;
    for (uint32_t job = 0; ledger->ops->job_name(ledger, job) != NULL; job++) {
        if (!undo_is_job(ledger, job))
            continue;
        if (ledger->ops->counts(ledger, job, UINT32_MAX, &counts, err) != ERR_OK)
            return err->code;
        for (int state = 0; state < ITEM_STATE_COUNT; state++)
            counts_out->by_state[state] -= counts.by_state[state];
    }
    return ERR_OK;
}

/* A DELETE that is refused because nothing is there has deleted nothing. The refusal is the undo's
 * own end (I11), and the item is over all the same. */
enum err_code undo_end_of(struct ledger *ledger, const struct item *undo, enum http_method method,
                          enum reason *reason_out, struct err *err)
{
    struct item_counts counts;

    *reason_out = undo->state == ITEM_SUCCEEDED ? REASON_UNDONE : REASON_NONE;
    if (undo->state != ITEM_FAILED || method != METHOD_DELETE)
        return ERR_OK;
    if (undo->http_status == 410)
        *reason_out = REASON_UNDO_FOUND_NOTHING;
    if (undo->http_status != 404)
        return ERR_OK;
    if (ledger->ops->counts(ledger, undo->job, undo->connection, &counts, err) != ERR_OK)
        return err->code;
    if (counts.by_state[ITEM_SUCCEEDED] > 0)
        *reason_out = REASON_UNDO_FOUND_NOTHING;
    return ERR_OK;
}

static enum err_code put_undone(struct ledger *ledger, uint64_t number, const struct item *item,
                                const struct item *undo, enum reason reason, int64_t now_ms,
                                struct err *err)
{
    const struct item_event event = {
        .kind = EVENT_UNDONE, .now_ms = now_ms, .delay_ms = -1, .reason = reason};
    const struct policy policy = {0};
    struct step step = lifecycle_step(item, &event, &policy);
    char message[64];
    struct attempt_record attempt = {.generation = item->generation,
                                     .started_ms = now_ms,
                                     .event = EVENT_UNDONE,
                                     .state = (uint8_t)step.item.state,
                                     .reason = reason};

    assert(step.legal);
    (void)snprintf(message, sizeof message, "by its undo, sent in run %u", undo->sent_run);
    attempt.message = slice_of(message);
    if (ledger->ops->put_item(ledger, number, item, &step.item, err) != ERR_OK)
        return err->code;
    return ledger->ops->put_attempt(ledger, number, &attempt, err);
}

enum err_code undo_settle(struct ledger *ledger, uint32_t job, const struct item *undo,
                          const struct frozen_request *request, int64_t now_ms, struct err *err)
{
    enum reason reason;
    struct slice key;
    uint32_t generation;
    uint64_t number;
    struct item item;
    enum err_code code;

    if (undo_end_of(ledger, undo, request->method, &reason, err) != ERR_OK)
        return err->code;
    if (reason == REASON_NONE || !undo_key_split(request->key, &key, &generation))
        return ERR_OK;
    code = ledger->ops->find(ledger, job, undo->connection, key, &number, err);
    if (code == ERR_OK)
        code = ledger->ops->read_item(ledger, number, &item, err);
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (item.state != ITEM_SUCCEEDED || item.generation != generation)
        return ERR_OK;
    return put_undone(ledger, number, &item, undo, reason, now_ms, err);
}
