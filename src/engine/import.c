#include "purser/engine/import.h"

#include <assert.h>

#include "import_needs.h"
#include "import_private.h"
#include "purser/core/lifecycle.h"
#include "purser/engine/engine.h"
#include "purser/engine/undo.h"

enum err_code import_commit_when_full(struct importer *importer, struct err *err)
{
    uint64_t sequence;

    if (importer->ledger->ops->batch_bytes(importer->ledger) < BATCH_BYTES_MAX / 2)
        return ERR_OK;
    return importer->ledger->ops->commit_begin(importer->ledger, &sequence, err);
}

struct frozen_request import_freeze(const struct import_row *row, uint32_t generation)
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
                         const struct import_outcome *outcome, struct err *err)
{
    struct item item = item_new(row->job, row->connection, outcome->request_hash, importer->now_ms);
    struct frozen_request request = import_freeze(row, item.generation);
    uint64_t number;

    item.seen_run = importer->run;
    item.has_needs = import_has_needs(row);
    item.has_dependents = row->has_group;
    if (!row->condition) {
        item.state = ITEM_SKIPPED;
        item.reason = REASON_CONDITION_FALSE;
        item.finished_ms = importer->now_ms;
    } else if (import_will_wait(row, outcome)) {
        item.state = ITEM_BLOCKED;
        item.waits_on = outcome->waits_on;
        item.waits_for = outcome->waits_for;
    }
    if (importer->ledger->ops->add_item(importer->ledger, &item, &request, &number, err) != ERR_OK)
        return err->code;
    return row->condition ? import_put_needs(importer, row, outcome, number, err) : ERR_OK;
}

static struct item after_event(struct importer *importer, const struct import_row *row,
                               const struct import_outcome *outcome, const struct item *item,
                               enum item_event_kind kind)
{
    struct item_event event = {.kind = kind,
                               .now_ms = importer->now_ms,
                               .delay_ms = -1,
                               .request_hash = outcome->request_hash,
                               .has_needs = import_has_needs(row),
                               .waits_on = outcome->waits_on,
                               .waits_for = outcome->waits_for};
    struct policy policy = {0};
    struct step step = lifecycle_step(item, &event, &policy);

    assert(step.legal);
    step.item.seen_run = importer->run;
    step.item.has_dependents = item->has_dependents || row->has_group;
    return step.item;
}

/* The item with all that belongs to it, in one batch. */
static enum err_code put(struct importer *importer, const struct import_row *row,
                         const struct import_outcome *outcome, const struct item *after,
                         bool with_request, struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    struct frozen_request request = import_freeze(row, after->generation);

    if (with_request &&
        ops->put_request(importer->ledger, outcome->number, &request, err) != ERR_OK)
        return err->code;
    if (ops->put_item(importer->ledger, outcome->number, &outcome->known, after, err) != ERR_OK)
        return err->code;
    return import_put_needs(importer, row, outcome, outcome->number, err);
}

/* A new request takes the place of the old one. */
static enum err_code change(struct importer *importer, const struct import_row *row,
                            const struct import_outcome *outcome, struct err *err)
{
    struct item after = after_event(importer, row, outcome, &outcome->known, EVENT_CHANGED);

    /* Its needs are met, and yet it could not be rendered: the engine finds out and tells. */
    if (after.state == ITEM_READY && import_will_wait(row, outcome))
        after = after_event(importer, row, outcome, &after, EVENT_WAITS);
    return put(importer, row, outcome, &after, true, err);
}

static bool is_corrected(const struct import_outcome *outcome)
{
    return outcome->known.corrected &&
           !hash128_equal(outcome->known.source_hash, import_stored_hash(outcome));
}

/* The source has caught up with the correction when its row makes the request that counts. */
static void forget_correction(const struct import_outcome *outcome, struct item *after)
{
    if (!is_corrected(outcome))
        return;
    after->corrected = false;
    after->source_hash = (struct hash128){0};
}

/* The row is the same, but what it waits for has gone on, or is under way again. What was a draft
 * and can be rendered now is frozen, also while it waits for its turn: nobody would make its
 * request out of a draft that is no longer there. */
static enum err_code follow_needs(struct importer *importer, const struct import_row *row,
                                  const struct import_outcome *outcome, bool *done_out,
                                  struct err *err)
{
    const struct item *known = &outcome->known;
    bool freezes = outcome->stored_is_draft && row->draft.length == 0;
    struct item after;

    *done_out = false;
    if (!import_is_unsent(known) || !import_has_needs(row))
        return ERR_OK;
    if (import_will_wait(row, outcome)) {
        if (known->state == ITEM_BLOCKED && known->waits_on == outcome->waits_on &&
            known->waits_for == outcome->waits_for)
            return ERR_OK;
        after = after_event(importer, row, outcome, known, EVENT_WAITS);
        if (freezes)
            after.request_hash = outcome->request_hash;
    } else {
        if (known->state == ITEM_READY)
            return ERR_OK;
        after = after_event(importer, row, outcome, known, EVENT_UNBLOCKED);
    }
    *done_out = true;
    forget_correction(outcome, &after);
    return put(importer, row, outcome, &after, freezes || after.state == ITEM_READY, err);
}

static enum err_code keep(struct importer *importer, const struct import_row *row,
                          const struct import_outcome *outcome, struct err *err)
{
    const struct item *known = &outcome->known;
    struct item after = *known;
    bool done = false;

    if (!row->condition)
        return ERR_OK;
    if (outcome->action == CONVERGE_UNCHANGED && import_may_change(row, outcome) &&
        import_put_draft(importer, outcome, row->draft, err) != ERR_OK)
        return err->code;
    if (outcome->action == CONVERGE_UNCHANGED &&
        follow_needs(importer, row, outcome, &done, err) != ERR_OK)
        return err->code;
    if (done)
        return ERR_OK;
    if (import_is_unsent(known))
        after.seen_run = importer->run;
    if (outcome->action == CONVERGE_UNCHANGED)
        forget_correction(outcome, &after);
    if (after.seen_run == known->seen_run && after.corrected == known->corrected)
        return ERR_OK;
    return importer->ledger->ops->put_item(importer->ledger, outcome->number, known, &after, err);
}

static enum err_code apply(struct importer *importer, const struct import_row *row,
                           const struct import_outcome *outcome, struct err *err)
{
    switch (outcome->action) {
    case CONVERGE_ADD:
    case CONVERGE_SKIP:
        return add(importer, row, outcome, err);
    case CONVERGE_REPLACE:
    case CONVERGE_RESEND:
        return change(importer, row, outcome, err);
    case CONVERGE_UNCHANGED:
    case CONVERGE_CORRECTED:
        return keep(importer, row, outcome, err);
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

bool import_will_wait(const struct import_row *row, const struct import_outcome *outcome)
{
    if (outcome->action == CONVERGE_CORRECTED) /* it is another row that waits */
        return outcome->known.state == ITEM_BLOCKED;
    return outcome->waits_on != WAIT_NONE || row->draft.length > 0;
}

/* The row of the source says nothing of its request. */
static bool is_made_correction(const struct import_row *row, const struct import_outcome *outcome)
{
    return outcome->action == CONVERGE_CORRECTED && row->condition && outcome->is_known &&
           outcome->known.state == ITEM_SUCCEEDED && outcome->stored_remakes;
}

bool import_may_change(const struct import_row *row, const struct import_outcome *outcome)
{
    if (is_made_correction(row, outcome))
        return outcome->stored_parent_is_remade;
    return outcome->action == CONVERGE_UNCHANGED && row->condition && outcome->is_known &&
           outcome->known.state == ITEM_SUCCEEDED && row->uses_needs &&
           (row->draft.length > 0 || outcome->parent_is_remade);
}

/* What the item needs is part of its row, though its request may be the same. */
static enum converge_action judge_needs(const struct import_row *row,
                                        const struct import_outcome *outcome, bool is_of_source)
{
    if (outcome->same_needs || !row->condition)
        return CONVERGE_UNCHANGED;
    if (is_of_source)
        return CONVERGE_CORRECTED;
    if (import_is_unsent(&outcome->known))
        return CONVERGE_REPLACE;
    if (outcome->known.state == ITEM_FAILED && outcome->waits_for_others)
        return CONVERGE_RESEND;
    return CONVERGE_UNCHANGED;
}

/* An item that was not sent yet, or whose request cannot be made now, is compared by what its
 * request is made from; so is the row of the source that a corrected one has taken the place of. */
static void judge(const struct import_row *row, struct import_outcome *outcome)
{
    struct item probe = outcome->known;
    bool has_needs = import_has_needs(row);

    outcome->same_needs = has_needs == outcome->has_stored &&
                          (!has_needs || hash128_equal(outcome->stored_hash, row->draft_hash));
    if (has_needs && outcome->same_needs &&
        (row->draft.length > 0 ||
         (outcome->stored_is_draft && outcome->known.state == ITEM_BLOCKED)))
        probe.request_hash = outcome->request_hash;
    if (has_needs) {
        probe.corrected = probe.corrected && hash128_equal(probe.source_hash, row->draft_hash);
        probe.source_hash = outcome->request_hash;
    }
    outcome->action = converge_row(outcome->is_known ? &probe : NULL, row->condition,
                                   outcome->request_hash, row->when_changed);
    if (outcome->action == CONVERGE_UNCHANGED && outcome->is_known)
        outcome->action = judge_needs(row, outcome, has_needs && probe.corrected);
}

enum err_code import_compare(struct importer *importer, const struct import_row *row,
                             struct import_outcome *outcome_out, struct err *err)
{
    struct ledger *ledger = importer->ledger;
    enum err_code found = ERR_NOT_FOUND;

    if (import_make_room(importer, err) != ERR_OK)
        return err->code;
    *outcome_out = (struct import_outcome){
        .request_hash = row->draft.length > 0 ? row->draft_hash
                                              : request_hash(row->method, row->path, row->body)};
    if (ledger != NULL && row->job != UINT32_MAX && row->connection != UINT32_MAX) {
        found = ledger->ops->find(ledger, row->job, row->connection, row->key, &outcome_out->number,
                                  err);
        if (found == ERR_OK)
            found = ledger->ops->read_item(ledger, outcome_out->number, &outcome_out->known, err);
        if (found != ERR_OK && found != ERR_NOT_FOUND)
            return found;
    }
    outcome_out->is_known = found == ERR_OK;
    if (row->condition && import_resolve_needs(importer, row, outcome_out, err) != ERR_OK)
        return err->code;
    judge(row, outcome_out);
    return ERR_OK;
}

bool import_is_droppable(const struct item *item)
{
    return import_is_unsent(item) && item->attempt_total == 0 && !item->corrected;
}

enum err_code import_apply(struct importer *importer, const struct import_row *row,
                           const struct import_outcome *outcome, struct err *err)
{
    enum converge_action action = outcome->action;
    bool is_sent =
        action == CONVERGE_ADD || action == CONVERGE_REPLACE || action == CONVERGE_RESEND;

    importer->counts.by_action[action]++;
    if (is_sent || ((action == CONVERGE_UNCHANGED || action == CONVERGE_CORRECTED) &&
                    import_is_unsent(&outcome->known) && row->condition)) {
        importer->counts.unsent_of_now++;
        importer->counts.waiting += import_will_wait(row, outcome);
        importer->has_work[row->job_index] = true;
    }
    if (outcome->is_known && row->condition && import_is_droppable(&outcome->known))
        importer->counts.droppable_of_now++;
    importer->counts.may_change += import_may_change(row, outcome);
    importer->counts.made_corrections += is_made_correction(row, outcome);
    if (importer->dry)
        return is_sent ? import_plan(importer, row, outcome, err) : ERR_OK;
    if (apply(importer, row, outcome, err) != ERR_OK)
        return err->code;
    return import_commit_when_full(importer, err);
}

static bool is_in_scope(const struct importer *importer, const struct item *item)
{
    for (size_t i = 0; i < importer->job_count; i++)
        if (importer->jobs[i] == item->job)
            return true;
    return importer->jobs == NULL;
}

/* Without a row, as far as the items are marked. */
static bool is_to_be_dropped(const struct importer *importer, const struct item *item)
{
    return import_is_droppable(item) && (importer->dry || item->seen_run != importer->run) &&
           is_in_scope(importer, item) && !undo_is_job(importer->ledger, item->job);
}

/* Those that wait for it stay: the run looks at what they need then. */
static enum err_code leave_alone(struct importer *importer, uint64_t target, struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    struct item_event event = {.kind = EVENT_WAITS, .now_ms = importer->now_ms, .delay_ms = -1};
    struct policy policy = {0};
    uint64_t number = 0;
    struct item item;
    enum err_code code;

    while ((code = ops->next_blocked(importer->ledger, WAIT_ITEM, target, number, &number, &item,
                                     err)) == ERR_OK) {
        struct step step;

        if (item.state != ITEM_BLOCKED || is_to_be_dropped(importer, &item))
            continue;
        step = lifecycle_step(&item, &event, &policy);
        if (ops->put_item(importer->ledger, number, &item, &step.item, err) != ERR_OK)
            return err->code;
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code drop(struct importer *importer, uint64_t number, const struct item *item,
                          struct err *err)
{
    importer->counts.dropped++;
    if (importer->dry && importer->unsent_fn != NULL)
        importer->unsent_fn(importer->unsent_context, item);
    if (importer->dry)
        return ERR_OK;
    if (item->has_dependents && leave_alone(importer, number, err) != ERR_OK)
        return err->code;
    if (importer->ledger->ops->drop_item(importer->ledger, number, item, err) != ERR_OK)
        return err->code;
    return import_commit_when_full(importer, err);
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
        if (is_to_be_dropped(importer, &item) && drop(importer, number, &item, err) != ERR_OK)
            return err->code;
    }
}

/* Blocked items are indexed by what they wait for, so this looks at all there are; it is needed
 * when rows have left the source. */
static enum err_code drop_unseen_blocked(struct importer *importer, uint64_t blocked,
                                         struct err *err)
{
    uint64_t number = 0;
    struct item item;

    while (blocked > 0) {
        enum err_code code =
            importer->ledger->ops->next_item(importer->ledger, number, &number, &item, err);

        if (code == ERR_NOT_FOUND)
            return ERR_OK;
        if (code != ERR_OK)
            return code;
        if (item.state != ITEM_BLOCKED)
            continue;
        blocked--;
        if (is_to_be_dropped(importer, &item) && drop(importer, number, &item, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
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
    uint64_t unsent, of_now = importer->counts.unsent_of_now;

    if (importer->ledger == NULL)
        return ERR_OK;
    if (!importer->dry && import_commit(importer, err) != ERR_OK)
        return err->code;
    if (undo_counts_without(importer->ledger, &counts, err) != ERR_OK)
        return err->code;
    unsent = counts.by_state[ITEM_READY] + counts.by_state[ITEM_BLOCKED];
    /* A plan has added nothing. */
    if (importer->dry)
        of_now -=
            importer->counts.by_action[CONVERGE_ADD] + importer->counts.by_action[CONVERGE_RESEND];
    /* The walk is only needed when some unsent item has no row. */
    if (importer->keeps_absent || unsent == of_now)
        return ERR_OK;
    for (uint32_t connection = 0; connection < connection_count; connection++)
        if (drop_unseen(importer, connection, err) != ERR_OK)
            return err->code;
    if (drop_unseen_blocked(importer, counts.by_state[ITEM_BLOCKED], err) != ERR_OK)
        return err->code;
    if (!importer->dry)
        return import_commit(importer, err);
    /* It has marked nothing either, so it can say how many, not which. */
    importer->counts.dropped -= importer->counts.droppable_of_now;
    return ERR_OK;
}
