#include "purser/core/item.h"

#include <assert.h>
#include <string.h>

const char *item_state_name(enum item_state state)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        ITEM_STATE_LIST(X)
#undef X
    };

    assert(state < ITEM_STATE_COUNT);
    return names[state];
}

const char *item_state_meaning(enum item_state state)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        ITEM_STATE_LIST(X)
#undef X
    };

    assert(state < ITEM_STATE_COUNT);
    return meanings[state];
}

bool item_state_parse(const char *name, enum item_state *state_out)
{
    for (unsigned state = 0; state < ITEM_STATE_COUNT; state++) {
        if (strcmp(name, item_state_name((enum item_state)state)) == 0) {
            *state_out = (enum item_state)state;
            return true;
        }
    }
    return false;
}

bool item_state_is_final(enum item_state state)
{
    switch (state) {
    case ITEM_SUCCEEDED:
    case ITEM_FAILED:
    case ITEM_IN_DOUBT:
    case ITEM_CANCELLED:
    case ITEM_SKIPPED:
        return true;
    case ITEM_BLOCKED:
    case ITEM_READY:
    case ITEM_SENDING:
    case ITEM_WAITING:
    case ITEM_STATE_COUNT:
        break;
    }
    assert(state < ITEM_STATE_COUNT);
    return false;
}

bool item_state_is_over(enum item_state state)
{
    assert(state < ITEM_STATE_COUNT);
    return state == ITEM_SUCCEEDED || state == ITEM_CANCELLED || state == ITEM_SKIPPED;
}

bool item_state_is_active(enum item_state state)
{
    assert(state < ITEM_STATE_COUNT);
    return state == ITEM_SENDING || state == ITEM_WAITING;
}

bool item_is_unused_intent(const struct item *item)
{
    return item->state == ITEM_SENDING && item->attempt_count == 0 && !item->unknown_send;
}

const char *reason_code(enum reason reason)
{
    static const char *const codes[] = {
#define X(identifier, code, meaning) [identifier] = code,
        REASON_LIST(X)
#undef X
    };

    assert(reason < REASON_COUNT);
    return codes[reason];
}

const char *reason_meaning(enum reason reason)
{
    static const char *const meanings[] = {
#define X(identifier, code, meaning) [identifier] = meaning,
        REASON_LIST(X)
#undef X
    };

    assert(reason < REASON_COUNT);
    return meanings[reason];
}

struct item item_new(uint32_t job, uint32_t connection, struct hash128 request_hash, int64_t now_ms)
{
    return (struct item){
        .state = ITEM_READY,
        .reason = REASON_NONE,
        .job = job,
        .connection = connection,
        .generation = 1,
        .job_path = JOB_PATH_BASE,
        .changed_ms = now_ms,
        .request_hash = request_hash,
    };
}
