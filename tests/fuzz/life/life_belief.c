/* A second life cycle, written from the rules of ARCHITECTURE.md and not from the first one. */
#include "life.h"

#define ON(kind) (UINT64_C(1) << (kind))

bool life_is_legal(enum item_state state, enum item_event_kind kind)
{
    static const uint64_t taken[ITEM_STATE_COUNT] = {
        [ITEM_BLOCKED] = ON(EVENT_WAITS) | ON(EVENT_UNBLOCKED) | ON(EVENT_NOT_RENDERED) |
                         ON(EVENT_SKIPPED) | ON(EVENT_CHANGED) | ON(EVENT_CANCELLED),
        [ITEM_READY] = ON(EVENT_START) | ON(EVENT_WAITS) | ON(EVENT_CHANGED) | ON(EVENT_CANCELLED),
        [ITEM_SENDING] = ON(EVENT_WITHDRAWN) | ON(EVENT_RESTARTED) | ON(EVENT_DUE) |
                         ON(EVENT_ACCEPTED) | ON(EVENT_DONE) | ON(EVENT_REFUSED) |
                         ON(EVENT_THROTTLED) | ON(EVENT_HELD) | ON(EVENT_LOST) |
                         ON(EVENT_NOT_SENT) | ON(EVENT_UNCLEAR),
        [ITEM_WAITING] = ON(EVENT_RESTARTED) | ON(EVENT_DUE) | ON(EVENT_DONE) | ON(EVENT_REFUSED) |
                         ON(EVENT_THROTTLED) | ON(EVENT_HELD) | ON(EVENT_LOST) |
                         ON(EVENT_NOT_SENT) | ON(EVENT_UNCLEAR) | ON(EVENT_PENDING) |
                         ON(EVENT_MISSING) | ON(EVENT_JOB_THROTTLED),
        [ITEM_SUCCEEDED] = ON(EVENT_CHANGED) | ON(EVENT_UNDONE),
        [ITEM_FAILED] = ON(EVENT_RETRY) | ON(EVENT_CHANGED),
        [ITEM_IN_DOUBT] =
            ON(EVENT_RESOLVED_DONE) | ON(EVENT_RESOLVED_NOT_DONE) | ON(EVENT_ABANDONED),
        [ITEM_CANCELLED] = ON(EVENT_RETRY),
        [ITEM_SKIPPED] = ON(EVENT_CHANGED),
    };

    return (taken[state] & ON(kind)) != 0;
}

struct life_belief life_first_belief(const struct item *item)
{
    return (struct life_belief){.state = item->state,
                                .reason = item->reason,
                                .generation = item->generation,
                                .body = (uint32_t)item->request_hash.low};
}

static void ends(struct life_belief *belief, enum item_state state, enum reason reason)
{
    belief->state = state;
    belief->reason = reason;
}

/* Nothing of this generation has been sent. */
static void is_free(struct life_belief *belief, enum item_state state)
{
    ends(belief, state, REASON_NONE);
    belief->attempts = belief->polls = belief->missing = 0;
    belief->unsure = belief->accepted = false;
    belief->intent_ms = belief->accepted_ms = 0;
}

static void begins_again(struct life_belief *belief, const struct life_item *item, bool new_key)
{
    belief->generation += new_key;
    is_free(belief, item->memory.has_needs ? ITEM_BLOCKED : ITEM_READY);
}

/* Where only a clock that was set decides, either is right: the laws of the truth look at it. */
static bool is_time(const struct life *life, int64_t since_ms, int64_t limit_ms, bool observed)
{
    return life->was_set ? observed : life->now_ms - since_ms >= limit_ms;
}

static enum effect is_due(const struct life *life, const struct life_item *item,
                          const struct step *step, struct life_belief *belief)
{
    const struct policy *policy = &item->policy;
    bool is_over = step->item.state == ITEM_IN_DOUBT;

    if (belief->state == ITEM_WAITING)
        return EFFECT_POLL;
    if (belief->unsure && is_time(life, belief->intent_ms, policy->key_window_ms,
                                  is_over && step->item.reason == REASON_WINDOW_PASSED)) {
        ends(belief, ITEM_IN_DOUBT, REASON_WINDOW_PASSED);
        return EFFECT_FINAL;
    }
    if (belief->attempts > 0 && policy->give_up_ms > 0 &&
        is_time(life, belief->intent_ms, policy->give_up_ms, is_over)) {
        ends(belief, ITEM_IN_DOUBT, REASON_RETRIES_EXHAUSTED);
        return EFFECT_FINAL;
    }
    belief->attempts++;
    belief->total++;
    return EFFECT_SEND;
}

static void was_lost(const struct life_item *item, struct life_belief *belief)
{
    if (belief->state == ITEM_WAITING)
        return;
    belief->unsure = true;
    if (item->kind == LIFE_UNKEYED)
        ends(belief, ITEM_IN_DOUBT, REASON_UNKEYED_UNKNOWN);
    else if (belief->attempts >= item->policy.attempt_limit)
        ends(belief, ITEM_IN_DOUBT, REASON_RETRIES_EXHAUSTED);
}

static void was_turned_away(const struct life_item *item, enum item_event_kind kind,
                            struct life_belief *belief)
{
    if (belief->state == ITEM_WAITING)
        return;
    belief->attempts--;
    belief->total -= kind == EVENT_NOT_SENT;
    if (item->kind == LIFE_UNKEYED)
        is_free(belief, ITEM_READY);
}

static void was_restarted(const struct life_item *item, struct life_belief *belief)
{
    belief->reason = REASON_NONE;
    if (belief->state == ITEM_WAITING)
        return;
    belief->unsure = true;
    if (item->kind == LIFE_UNKEYED)
        ends(belief, ITEM_IN_DOUBT, REASON_UNKEYED_UNKNOWN);
}

/* A job speaks for one send only where there is no key. */
static bool may_another_have_done_it(const struct life_item *item, const struct life_belief *belief)
{
    return belief->unsure && (belief->state == ITEM_SENDING || item->kind == LIFE_NATURAL);
}

static void was_refused(const struct life_item *item, enum reason reason,
                        struct life_belief *belief)
{
    if (may_another_have_done_it(item, belief))
        ends(belief, ITEM_IN_DOUBT, REASON_REFUSED_AFTER_UNKNOWN);
    else
        ends(belief, ITEM_FAILED, reason);
}

static void was_throttled_as_job(const struct life *life, const struct life_item *item,
                                 struct life_belief *belief)
{
    if (may_another_have_done_it(item, belief)) {
        ends(belief, ITEM_IN_DOUBT, REASON_REFUSED_AFTER_UNKNOWN);
    } else if (item->kind == LIFE_UNKEYED || belief->generation > item->policy.rekey_limit) {
        ends(belief, ITEM_FAILED, REASON_JOB_FAILED);
    } else {
        begins_again(belief, item, true);
        belief->state = ITEM_SENDING;
        belief->intent_ms = life->now_ms;
    }
}

static void is_pending(const struct life *life, const struct life_item *item,
                       const struct step *step, struct life_belief *belief)
{
    belief->polls++;
    belief->missing = 0;
    if (is_time(life, belief->accepted_ms, item->policy.stuck_ms,
                step->item.reason == REASON_STUCK_PENDING))
        belief->reason = REASON_STUCK_PENDING;
}

static void is_missing(const struct life *life, const struct life_item *item,
                       const struct step *step, struct life_belief *belief)
{
    belief->polls++;
    belief->missing++;
    if (belief->missing >= item->policy.missing_limit &&
        is_time(life, belief->accepted_ms, item->policy.missing_for_ms,
                step->item.state == ITEM_IN_DOUBT))
        ends(belief, ITEM_IN_DOUBT, REASON_SERVER_LOST_JOB);
}

/* What persons, rows and parents say. */
static void was_said(const struct life_item *item, const struct item_event *event,
                     struct life_belief *belief)
{
    switch ((int)event->kind) {
    case EVENT_WAITS:
        is_free(belief, ITEM_BLOCKED);
        break;
    case EVENT_UNBLOCKED:
        is_free(belief, ITEM_READY);
        break;
    case EVENT_NOT_RENDERED:
        ends(belief, ITEM_FAILED, REASON_NOT_RENDERED);
        break;
    case EVENT_SKIPPED:
        ends(belief, ITEM_SKIPPED, REASON_CONDITION_FALSE);
        break;
    case EVENT_RETRY:
        if (belief->reason != REASON_ABANDONED)
            begins_again(belief, item, belief->accepted);
        break;
    case EVENT_CHANGED:
        begins_again(belief, item, belief->accepted);
        belief->body++;
        break;
    case EVENT_RESOLVED_DONE:
        belief->accepted = true;
        ends(belief, ITEM_SUCCEEDED, REASON_RESOLVED);
        break;
    case EVENT_RESOLVED_NOT_DONE:
        begins_again(belief, item, true);
        break;
    case EVENT_ABANDONED:
        ends(belief, ITEM_CANCELLED, REASON_ABANDONED);
        break;
    case EVENT_CANCELLED:
        ends(belief, ITEM_CANCELLED, REASON_CANCELLED);
        break;
    case EVENT_UNDONE:
        ends(belief, ITEM_CANCELLED, event->reason);
        break;
    default:
        break;
    }
}

static enum effect believe(const struct life *life, const struct life_item *item,
                           const struct item_event *event, const struct step *step,
                           struct life_belief *belief)
{
    switch ((int)event->kind) {
    case EVENT_START:
        ends(belief, ITEM_SENDING, REASON_NONE);
        belief->intent_ms = life->now_ms;
        break;
    case EVENT_WITHDRAWN:
        is_free(belief, ITEM_READY);
        break;
    case EVENT_RESTARTED:
        was_restarted(item, belief);
        break;
    case EVENT_DUE:
        return is_due(life, item, step, belief);
    case EVENT_ACCEPTED:
        belief->state = ITEM_WAITING;
        belief->accepted = true;
        belief->accepted_ms = life->now_ms;
        belief->missing = 0;
        break;
    case EVENT_DONE:
        belief->accepted = true;
        ends(belief, ITEM_SUCCEEDED, REASON_NONE);
        break;
    case EVENT_REFUSED:
        was_refused(item, event->reason, belief);
        break;
    case EVENT_THROTTLED:
    case EVENT_HELD:
    case EVENT_NOT_SENT:
        was_turned_away(item, event->kind, belief);
        break;
    case EVENT_LOST:
        was_lost(item, belief);
        break;
    case EVENT_UNCLEAR:
        ends(belief, ITEM_IN_DOUBT, event->reason);
        break;
    case EVENT_PENDING:
        is_pending(life, item, step, belief);
        break;
    case EVENT_MISSING:
        is_missing(life, item, step, belief);
        break;
    case EVENT_JOB_THROTTLED:
        was_throttled_as_job(life, item, belief);
        break;
    default:
        was_said(item, event, belief);
    }
    return step->effect; /* of what follows, the state is enough */
}

static const char *difference(const struct item *item, const struct life_belief *belief)
{
    if (item->state != belief->state)
        return "another state than the rules say";
    if (item->reason != belief->reason)
        return "another reason than the rules say";
    if (item->generation != belief->generation)
        return "another generation than the rules say";
    if (item->unknown_send != belief->unsure)
        return "it is not remembered whether a send may have had an effect";
    if (item->accepted != belief->accepted)
        return "it is not remembered whether it was accepted";
    if (item->attempt_count != belief->attempts || item->attempt_total != belief->total)
        return "the sends do not add up";
    if (item->poll_count != belief->polls || item->missing_count != belief->missing)
        return "the polls do not add up";
    if ((uint32_t)item->request_hash.low != belief->body)
        return "another request than the row's";
    return NULL;
}

/* A pause is neither shorter than what was asked for nor longer than the longest. */
static bool is_due_in_time(const struct life_item *item, const struct item_event *event,
                           const struct item *after)
{
    int64_t asked_ms = event->delay_ms > 0 ? event->delay_ms : 0;
    int64_t most_ms = asked_ms > item->policy.max_delay_ms ? asked_ms : item->policy.max_delay_ms;

    if (!item_state_is_active(after->state) || event->kind == EVENT_DUE)
        return true;
    return after->due_ms >= event->now_ms + (event->kind == EVENT_START ? 0 : asked_ms) -
                                (event->kind == EVENT_RESTARTED ? asked_ms : 0) &&
           after->due_ms <= event->now_ms + most_ms;
}

void life_judge_step(struct life *life, struct life_item *item, const struct item_event *event,
                     const struct step *step)
{
    struct life_belief belief = item->belief;
    enum effect effect = believe(life, item, event, step, &belief);
    const struct item *after = &step->item;
    const char *law = difference(after, &belief);

    if (law != NULL)
        life_break(life, law);
    if (effect != step->effect)
        life_break(life, "something else is done than the rules say");
    if (item_state_is_final(after->state) && after->state != item->memory.state &&
        step->effect != EFFECT_FINAL)
        life_break(life, "an end that nobody hears of");
    if (after->release_due != (after->has_dependents && item_state_is_over(after->state)))
        life_break(life, "those who wait for it are not looked at, or for nothing");
    if ((after->state == ITEM_BLOCKED) != (after->waits_on != WAIT_NONE) &&
        event->kind != EVENT_RETRY && event->kind != EVENT_RESOLVED_NOT_DONE &&
        after->state != ITEM_BLOCKED)
        life_break(life, "it waits for nothing, or does not wait");
    if (!is_due_in_time(item, event, after))
        life_break(life, "a pause is too short or too long");
    item->belief = belief;
}
