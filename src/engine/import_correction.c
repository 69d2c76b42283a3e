/* Corrected rows, given beside the source, and undos: rows that are no rows of the source. */
#include <assert.h>

#include "import_needs.h"
#include "import_private.h"
#include "purser/core/lifecycle.h"

/* One correction on its way into the ledger. */
struct pass {
    const struct import_row *row;
    const struct import_outcome *outcome;
    enum correction correction;
    bool corrected; /* the row stands beside the source */
};

static struct item step(const struct importer *importer, const struct pass *pass,
                        const struct item *item, enum item_event_kind kind)
{
    struct item_event event = {.kind = kind,
                               .now_ms = importer->now_ms,
                               .delay_ms = -1,
                               .corrected = pass->corrected,
                               .source_hash = import_stored_hash(pass->outcome),
                               .request_hash = pass->outcome->request_hash,
                               .has_needs = import_has_needs(pass->row)};
    struct policy policy = {0};
    struct step step = lifecycle_step(item, &event, &policy);

    assert(step.legal);
    return step.item;
}

/* Ready, or, if it has needs, blocked until the run has looked at them. */
static struct item sendable(const struct importer *importer, const struct pass *pass)
{
    struct item after = pass->outcome->known;

    if (after.state == ITEM_CANCELLED || pass->correction == CORRECTION_AGAIN)
        after = step(importer, pass, &after, EVENT_RETRY);
    if (pass->correction == CORRECTION_CHANGE)
        after = step(importer, pass, &after, EVENT_CHANGED);
    if (after.state == ITEM_READY && after.has_needs)
        after = step(importer, pass, &after, EVENT_WAITS);
    if (import_is_unsent(&after))
        after.seen_run = importer->run;
    after.has_dependents = after.has_dependents || pass->row->has_group;
    return after;
}

/* The item with the row's request and needs, in one batch. */
static enum err_code correct(struct importer *importer, const struct pass *pass, struct err *err)
{
    const struct ledger_ops *ops = importer->ledger->ops;
    const struct import_outcome *outcome = pass->outcome;
    struct item after = sendable(importer, pass);
    struct frozen_request request = import_freeze(pass->row, after.generation);

    assert(pass->row->draft.length == 0);
    if (pass->correction == CORRECTION_CHANGE &&
        ops->put_request(importer->ledger, outcome->number, &request, err) != ERR_OK)
        return err->code;
    if (ops->put_item(importer->ledger, outcome->number, &outcome->known, &after, err) != ERR_OK ||
        import_put_needs(importer, pass->row, outcome, outcome->number, err) != ERR_OK)
        return err->code;
    return import_commit_when_full(importer, err);
}

static bool is_unknown(const struct need *need)
{
    return need->kind == WAIT_UNKNOWN_ITEM ||
           (need->kind == WAIT_JOB && need->target == UINT32_MAX);
}

/* Nobody resolves the needs of a corrected row again, so all of them must be there. */
static bool needs_unknown(const struct needs_record *needs)
{
    for (size_t i = 0; i < needs->need_count; i++)
        if (is_unknown(&needs->needs[i]))
            return true;
    return false;
}

static enum correction correction_of(const struct import_row *row,
                                     const struct import_outcome *outcome)
{
    const struct item *known = outcome->is_known ? &outcome->known : NULL;
    enum correction correction = converge_correction(known, row->condition, outcome->request_hash);
    bool is_unsent = correction == CORRECTION_GOES_ON && import_is_unsent(known);

    if (correction != CORRECTION_CHANGE && correction != CORRECTION_AGAIN && !is_unsent)
        return correction;
    if (needs_unknown(&outcome->needs))
        return CORRECTION_NEEDS_UNKNOWN;
    return outcome->same_needs ? correction : CORRECTION_CHANGE;
}

enum err_code import_correction(struct importer *importer, const struct import_row *row,
                                enum correction *correction_out, struct err *err)
{
    struct import_outcome outcome;
    struct pass pass = {.row = row, .outcome = &outcome, .corrected = true};

    if (import_compare(importer, row, &outcome, err) != ERR_OK)
        return err->code;
    pass.correction = *correction_out = correction_of(row, &outcome);
    if (importer->dry)
        return ERR_OK;
    switch (pass.correction) {
    case CORRECTION_GOES_ON:
        return import_is_unsent(&outcome.known) ? correct(importer, &pass, err) : ERR_OK;
    case CORRECTION_CHANGE:
    case CORRECTION_AGAIN:
        return correct(importer, &pass, err);
    case CORRECTION_DONE:
    case CORRECTION_UNKNOWN:
    case CORRECTION_SKIPPED:
    case CORRECTION_UNDER_WAY:
    case CORRECTION_IN_DOUBT:
    case CORRECTION_SUCCEEDED:
    case CORRECTION_GIVEN_UP:
    case CORRECTION_NEEDS_UNKNOWN:
    case CORRECTION_COUNT:
        break;
    }
    return ERR_OK;
}

enum err_code import_undo(struct importer *importer, const struct import_row *row, struct err *err)
{
    struct import_outcome outcome;
    struct pass pass = {.row = row, .outcome = &outcome};

    if (import_compare(importer, row, &outcome, err) != ERR_OK)
        return err->code;
    if (!outcome.is_known)
        return import_apply(importer, row, &outcome, err);
    pass.correction = converge_correction(&outcome.known, true, outcome.request_hash);
    if (pass.correction != CORRECTION_CHANGE && pass.correction != CORRECTION_AGAIN &&
        (pass.correction != CORRECTION_GOES_ON || outcome.known.state != ITEM_READY))
        return ERR_OK;
    return correct(importer, &pass, err);
}
