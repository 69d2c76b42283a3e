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
        return CONVERGE_REFUSE;
    }
    assert(!"a when_changed that is none");
    return CONVERGE_REFUSE;
}

enum converge_action converge_row(const struct item *known, bool condition,
                                  struct hash128 request_hash, enum when_changed when_changed)
{
    if (known == NULL)
        return condition ? CONVERGE_ADD : CONVERGE_SKIP;
    if (!condition)
        return CONVERGE_UNCHANGED;
    if (known->state == ITEM_SKIPPED)
        return CONVERGE_REPLACE;
    if (known->request_hash.high == request_hash.high &&
        known->request_hash.low == request_hash.low)
        return CONVERGE_UNCHANGED;
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
        return changed_after_success(when_changed);
    case ITEM_FAILED:
        return CONVERGE_RESEND;
    case ITEM_CANCELLED: /* a person's word stands until a person takes it back */
        return CONVERGE_KEEP;
    case ITEM_STATE_COUNT:
        break;
    }
    assert(!"a state that is none");
    return CONVERGE_KEEP;
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
