#include "purser/engine/import.h"

#include <assert.h>

#include "purser/core/lifecycle.h"
#include "purser/engine/engine.h"

static enum err_code commit_when_full(struct importer *importer, struct err *err)
{
    uint64_t sequence;

    if (importer->ledger->ops->batch_bytes(importer->ledger) < BATCH_BYTES_MAX / 2)
        return ERR_OK;
    return importer->ledger->ops->commit_begin(importer->ledger, &sequence, err);
}

static struct frozen_request freeze(const struct import_row *row, uint32_t generation)
{
    return (struct frozen_request){.job = row->job,
                                   .connection = row->connection,
                                   .key = row->key,
                                   .method = row->method,
                                   .path = row->path,
                                   .body = row->body,
                                   .source_file = row->source_file,
                                   .source_line = row->source_line,
                                   .generation = generation};
}

static enum err_code add(struct importer *importer, const struct import_row *row,
                         struct hash128 hash, struct err *err)
{
    struct item item = item_new(row->job, row->connection, hash, importer->now_ms);
    struct frozen_request request = freeze(row, item.generation);
    uint64_t number;

    item.seen_run = importer->run;
    if (!row->condition) {
        item.state = ITEM_SKIPPED;
        item.reason = REASON_CONDITION_FALSE;
        item.finished_ms = importer->now_ms;
    }
    return importer->ledger->ops->add_item(importer->ledger, &item, &request, &number, err);
}

/* A new request takes the place of the old one; item and request in one batch. */
static enum err_code change(struct importer *importer, const struct import_row *row,
                            uint64_t number, const struct item *known, struct hash128 hash,
                            struct err *err)
{
    struct item_event event = {
        .kind = EVENT_CHANGED, .now_ms = importer->now_ms, .delay_ms = -1, .request_hash = hash};
    struct policy policy = {0};
    struct step step = lifecycle_step(known, &event, &policy);
    struct frozen_request request;

    assert(step.legal);
    step.item.seen_run = importer->run;
    request = freeze(row, step.item.generation);
    if (importer->ledger->ops->put_request(importer->ledger, number, &request, err) != ERR_OK)
        return err->code;
    return importer->ledger->ops->put_item(importer->ledger, number, known, &step.item, err);
}

static bool is_corrected(const struct item *known)
{
    return known->corrected && (known->source_hash.high != known->request_hash.high ||
                                known->source_hash.low != known->request_hash.low);
}

/* The source has caught up with the correction when its row makes the request that counts. */
static enum err_code keep(struct importer *importer, const struct import_row *row,
                          enum converge_action action, uint64_t number, const struct item *known,
                          struct err *err)
{
    struct item after = *known;

    if (!row->condition)
        return ERR_OK;
    if (known->state == ITEM_READY)
        after.seen_run = importer->run;
    if (action == CONVERGE_UNCHANGED && is_corrected(known)) {
        after.corrected = false;
        after.source_hash = (struct hash128){0};
    }
    if (after.seen_run == known->seen_run && after.corrected == known->corrected)
        return ERR_OK;
    return importer->ledger->ops->put_item(importer->ledger, number, known, &after, err);
}

static enum err_code apply(struct importer *importer, const struct import_row *row,
                           enum converge_action action, uint64_t number, const struct item *known,
                           struct hash128 hash, struct err *err)
{
    switch (action) {
    case CONVERGE_ADD:
    case CONVERGE_SKIP:
        return add(importer, row, hash, err);
    case CONVERGE_REPLACE:
    case CONVERGE_RESEND:
        return change(importer, row, number, known, hash, err);
    case CONVERGE_UNCHANGED:
    case CONVERGE_CORRECTED:
        return keep(importer, row, action, number, known, err);
    case CONVERGE_KEEP:
    case CONVERGE_FINISH_FIRST:
    case CONVERGE_REFUSE:
        return ERR_OK;
    case CONVERGE_COUNT:
        break;
    }
    assert(!"an action that is none");
    return ERR_OK;
}

enum err_code import_compare(struct importer *importer, const struct import_row *row,
                             struct import_outcome *outcome_out, struct err *err)
{
    struct ledger *ledger = importer->ledger;
    enum err_code found = ERR_NOT_FOUND;

    *outcome_out =
        (struct import_outcome){.request_hash = request_hash(row->method, row->path, row->body)};
    if (ledger != NULL && row->job != UINT32_MAX && row->connection != UINT32_MAX) {
        found = ledger->ops->find(ledger, row->job, row->connection, row->key, &outcome_out->number,
                                  err);
        if (found == ERR_OK)
            found = ledger->ops->read_item(ledger, outcome_out->number, &outcome_out->known, err);
        if (found != ERR_OK && found != ERR_NOT_FOUND)
            return found;
    }
    outcome_out->is_known = found == ERR_OK;
    outcome_out->action =
        converge_row(outcome_out->is_known ? &outcome_out->known : NULL, row->condition,
                     outcome_out->request_hash, row->when_changed);
    return ERR_OK;
}

enum err_code import_apply(struct importer *importer, const struct import_row *row,
                           const struct import_outcome *outcome, struct err *err)
{
    enum converge_action action = outcome->action;

    importer->counts.by_action[action]++;
    if (action == CONVERGE_ADD || action == CONVERGE_REPLACE || action == CONVERGE_RESEND ||
        ((action == CONVERGE_UNCHANGED || action == CONVERGE_CORRECTED) &&
         outcome->known.state == ITEM_READY && row->condition))
        importer->counts.ready_of_now++;
    if (importer->dry)
        return ERR_OK;
    if (apply(importer, row, action, outcome->number, &outcome->known, outcome->request_hash,
              err) != ERR_OK)
        return err->code;
    return commit_when_full(importer, err);
}

static enum err_code drop_unseen(struct importer *importer, uint32_t connection, struct err *err)
{
    uint64_t number = 0;
    struct item item;

    for (;;) {
        enum err_code code = importer->ledger->ops->next_ready(importer->ledger, connection, number,
                                                               &number, &item, err);

        if (code == ERR_NOT_FOUND)
            return ERR_OK;
        if (code != ERR_OK)
            return code;
        if (item.state != ITEM_READY || item.seen_run == importer->run || item.attempt_total > 0 ||
            item.corrected)
            continue;
        importer->counts.dropped++;
        if (importer->dry)
            continue;
        if (importer->ledger->ops->drop_item(importer->ledger, number, &item, err) != ERR_OK ||
            commit_when_full(importer, err) != ERR_OK)
            return err->code;
    }
}

enum err_code import_commit(struct importer *importer, struct err *err)
{
    struct ledger *ledger = importer->ledger;
    uint64_t sequence;

    if (ledger->ops->batch_bytes(ledger) > 0 &&
        ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    return ledger->ops->commit_poll(ledger, true, &sequence, err);
}

enum err_code import_finish(struct importer *importer, uint32_t connection_count, struct err *err)
{
    struct item_counts counts;

    if (importer->ledger == NULL)
        return ERR_OK;
    if (!importer->dry && import_commit(importer, err) != ERR_OK)
        return err->code;
    if (importer->ledger->ops->counts(importer->ledger, UINT32_MAX, UINT32_MAX, &counts, err) !=
        ERR_OK)
        return err->code;
    /* The walk is only needed when some ready item has no row. A plan has marked nothing, so it can
     * say how many, not which. */
    if (importer->dry) {
        uint64_t added =
            importer->counts.by_action[CONVERGE_ADD] + importer->counts.by_action[CONVERGE_RESEND];
        uint64_t kept = importer->counts.ready_of_now - added;

        importer->counts.dropped =
            counts.by_state[ITEM_READY] > kept ? counts.by_state[ITEM_READY] - kept : 0;
        return ERR_OK;
    }
    if (counts.by_state[ITEM_READY] == importer->counts.ready_of_now)
        return ERR_OK;
    for (uint32_t connection = 0; connection < connection_count; connection++)
        if (drop_unseen(importer, connection, err) != ERR_OK)
            return err->code;
    return import_commit(importer, err);
}

/* --- corrected rows, given beside the source --- */

static struct item step(struct importer *importer, const struct item *item,
                        enum item_event_kind kind, struct hash128 hash)
{
    struct item_event event = {.kind = kind,
                               .now_ms = importer->now_ms,
                               .delay_ms = -1,
                               .corrected = true,
                               .request_hash = hash};
    struct policy policy = {0};
    struct step step = lifecycle_step(item, &event, &policy);

    assert(step.legal);
    return step.item;
}

/* The item is ready afterwards, with the row's request in the same batch. */
static enum err_code correct(struct importer *importer, const struct import_row *row,
                             enum correction correction, const struct import_outcome *outcome,
                             struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    const struct item *known = &outcome->known;
    struct hash128 hash = outcome->request_hash;
    struct item after = *known;
    struct frozen_request request;

    if (known->state == ITEM_CANCELLED || correction == CORRECTION_AGAIN)
        after = step(importer, &after, EVENT_RETRY, hash);
    if (correction == CORRECTION_CHANGE)
        after = step(importer, &after, EVENT_CHANGED, hash);
    if (after.state == ITEM_READY)
        after.seen_run = importer->run;
    request = freeze(row, after.generation);
    if (correction == CORRECTION_CHANGE &&
        ops->put_request(importer->ledger, outcome->number, &request, err) != ERR_OK)
        return err->code;
    if (ops->put_item(importer->ledger, outcome->number, known, &after, err) != ERR_OK)
        return err->code;
    return commit_when_full(importer, err);
}

enum err_code import_correction(struct importer *importer, const struct import_row *row,
                                enum correction *correction_out, struct err *err)
{
    struct import_outcome outcome;

    if (import_compare(importer, row, &outcome, err) != ERR_OK)
        return err->code;
    *correction_out = converge_correction(outcome.is_known ? &outcome.known : NULL, row->condition,
                                          outcome.request_hash);
    if (importer->dry)
        return ERR_OK;
    switch (*correction_out) {
    case CORRECTION_GOES_ON:
        if (outcome.known.state != ITEM_READY)
            return ERR_OK;
        return correct(importer, row, *correction_out, &outcome, err);
    case CORRECTION_CHANGE:
    case CORRECTION_AGAIN:
        return correct(importer, row, *correction_out, &outcome, err);
    case CORRECTION_DONE:
    case CORRECTION_UNKNOWN:
    case CORRECTION_SKIPPED:
    case CORRECTION_UNDER_WAY:
    case CORRECTION_IN_DOUBT:
    case CORRECTION_SUCCEEDED:
    case CORRECTION_GIVEN_UP:
    case CORRECTION_COUNT:
        break;
    }
    return ERR_OK;
}
