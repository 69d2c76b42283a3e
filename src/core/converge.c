#include "purser/core/converge.h"

#include <assert.h>

static enum converge_action changed_after_success(enum when_changed when_changed)
{
    switch (when_changed) {
    case WHEN_CHANGED_RESEND:
        return CONVERGE_RESEND;
    case WHEN_CHANGED_KEEP:
        return CONVERGE_KEEP;
    case WHEN_CHANGED_ERROR:
        break;
    }
    assert(when_changed == WHEN_CHANGED_ERROR);
    return CONVERGE_REFUSE;
}

enum converge_action converge_row(const struct item *known, bool condition,
                                  struct hash128 request_hash, enum when_changed when_changed)
{
    bool was_skipped = known != NULL && known->state == ITEM_SKIPPED;

    if (known == NULL)
        return condition ? CONVERGE_ADD : CONVERGE_SKIP;
    if (!condition)
        return CONVERGE_UNCHANGED;
    if (!was_skipped && hash128_equal(known->request_hash, request_hash))
        return CONVERGE_UNCHANGED;
    if (!was_skipped && known->corrected && hash128_equal(known->source_hash, request_hash))
        return CONVERGE_CORRECTED;
    switch (known->state) {
    case ITEM_BLOCKED:
    case ITEM_READY:
    case ITEM_SKIPPED:
        return CONVERGE_REPLACE;
    case ITEM_SENDING:
    case ITEM_WAITING:
    case ITEM_IN_DOUBT:
        return CONVERGE_FINISH_FIRST;
    case ITEM_SUCCEEDED:
        /* Those that wait for this very success are released first, with what it returned. */
        if (known->release_due && when_changed == WHEN_CHANGED_RESEND)
            return CONVERGE_FINISH_FIRST;
        return changed_after_success(when_changed);
    case ITEM_FAILED:
        return CONVERGE_RESEND;
    case ITEM_CANCELLED: /* a person's word stands until a person takes it back */
    case ITEM_STATE_COUNT:
        break;
    }
    assert(known->state == ITEM_CANCELLED);
    return CONVERGE_KEEP;
}

enum correction converge_correction(const struct item *known, bool condition,
                                    struct hash128 request_hash)
{
    bool same;

    if (known == NULL)
        return CORRECTION_UNKNOWN;
    same = hash128_equal(known->request_hash, request_hash);
    switch (known->state) {
    case ITEM_BLOCKED:
    case ITEM_READY:
        if (condition)
            return same ? CORRECTION_GOES_ON : CORRECTION_CHANGE;
        return CORRECTION_SKIPPED;
    case ITEM_SKIPPED:
        return condition ? CORRECTION_CHANGE : CORRECTION_SKIPPED;
    case ITEM_SENDING:
    case ITEM_WAITING:
        return same && known->corrected ? CORRECTION_GOES_ON : CORRECTION_UNDER_WAY;
    case ITEM_IN_DOUBT:
        return CORRECTION_IN_DOUBT;
    case ITEM_SUCCEEDED:
        return same && known->corrected ? CORRECTION_DONE : CORRECTION_SUCCEEDED;
    case ITEM_CANCELLED:
        if (known->reason == REASON_ABANDONED)
            return CORRECTION_GIVEN_UP;
        break;
    case ITEM_FAILED:
    case ITEM_STATE_COUNT:
        break;
    }
    assert(known->state == ITEM_CANCELLED || known->state == ITEM_FAILED);
    if (!condition)
        return CORRECTION_SKIPPED;
    return same ? CORRECTION_AGAIN : CORRECTION_CHANGE;
}

const char *correction_meaning(enum correction correction)
{
    static const char *const meanings[] = {
#define X(identifier, meaning) [identifier] = meaning,
        CORRECTION_LIST(X)
#undef X
    };

    assert(correction < CORRECTION_COUNT);
    return meanings[correction];
}

const char *converge_action_name(enum converge_action action)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        CONVERGE_LIST(X)
#undef X
    };

    assert(action < CONVERGE_COUNT);
    return names[action];
}

const char *converge_action_meaning(enum converge_action action)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        CONVERGE_LIST(X)
#undef X
    };

    assert(action < CONVERGE_COUNT);
    return meanings[action];
}
