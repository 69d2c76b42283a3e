/* What must hold of the server's truth. */
#include "life.h"

/* What an answer may be taken for, by what it says. */
void life_judge_answer(struct life *life, enum situation situation, const struct reply_rule *rule)
{
#define AS(kind) (UINT64_C(1) << (kind))
    static const uint64_t may_be[SITUATION_COUNT] = {
        [SAYS_NOT_ACCEPTED] = AS(EVENT_REFUSED) | AS(EVENT_THROTTLED) | AS(EVENT_HELD) |
                              AS(EVENT_LOST) | AS(EVENT_UNCLEAR),
        [SAYS_NOTHING] = AS(EVENT_LOST) | AS(EVENT_UNCLEAR),
        [SAYS_ACCEPTED] = AS(EVENT_ACCEPTED) | AS(EVENT_LOST) | AS(EVENT_UNCLEAR),
        [SAYS_DONE] = AS(EVENT_DONE),
        [SAYS_CONFLICT] = AS(EVENT_UNCLEAR) | AS(EVENT_LOST),
        [POLL_PENDING] = AS(EVENT_PENDING),
        [POLL_SUCCEEDED] = AS(EVENT_DONE),
        [POLL_PARTIAL] = AS(EVENT_UNCLEAR),
        [POLL_REFUSED] = AS(EVENT_REFUSED),
        [POLL_THROTTLED] = AS(EVENT_JOB_THROTTLED),
        [POLL_ERROR] = AS(EVENT_UNCLEAR),
        [POLL_MISSING] = AS(EVENT_MISSING),
        [POLL_TROUBLE] = AS(EVENT_THROTTLED) | AS(EVENT_HELD) | AS(EVENT_LOST) | AS(EVENT_NOT_SENT),
        [POLL_OF_ANOTHER] = AS(EVENT_UNCLEAR),
    };

    if ((may_be[situation] & AS(rule->event)) == 0)
        life_break(life, "an answer is taken for something else than it says");
#undef AS
}

/* I1, I5, and at most once. */
void life_judge_send(struct life *life, struct life_item *item)
{
    const struct item *sent = &item->memory;

    if (item->disk.state != ITEM_SENDING || item->disk.generation != sent->generation ||
        item->disk.request_hash.low != sent->request_hash.low)
        life_break(life, "a request leaves before its intent is durable");
    if (item->belief.unsure && item->sent_generation == sent->generation &&
        item->kind == LIFE_KEYED &&
        life->now_ms - item->first_sent_ms >= item->policy.key_window_ms + LIFE_NOISE_MS)
        life_break(life, "a key is repeated that the server may have forgotten");
    /* What was turned away does not count: nothing stands under the key. */
    if (!item->belief.unsure || item->sent_generation != sent->generation) {
        item->sent_generation = sent->generation;
        item->first_sent_ms = life->now_ms;
    }
}

void life_judge_world(struct life *life)
{
    for (uint32_t i = 0; i < life->item_count; i++) {
        const struct life_item *item = &life->items[i];
        const struct item *now = item->is_loaded ? &item->memory : &item->disk;

        if (item->effects > 1)
            life_break(life, "done twice");
        switch (now->state) {
        case ITEM_BLOCKED:
        case ITEM_READY:
        case ITEM_SKIPPED:
            if (item->effects != 0)
                life_break(life, "to be sent, but it is done already");
            break;
        case ITEM_FAILED:
            if (item->effects != 0)
                life_break(life, "failed, but it is done");
            break;
        case ITEM_SUCCEEDED:
            if (item->effects != 1)
                life_break(life, "succeeded, but nothing was done");
            break;
        case ITEM_CANCELLED:
            if (item->effects != 0 && now->reason != REASON_ABANDONED)
                life_break(life, "cancelled, but it is done");
            break;
        case ITEM_SENDING:
        case ITEM_WAITING:
        case ITEM_IN_DOUBT:
        case ITEM_STATE_COUNT:
            break;
        }
    }
}
