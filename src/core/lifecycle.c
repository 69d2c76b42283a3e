#include "purser/core/lifecycle.h"

#include <assert.h>
#include <string.h>

#include "purser/core/backoff.h"

typedef enum effect transition_fn(struct item *item, const struct item_event *event,
                                  const struct policy *policy);

static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = from == NULL ? 0 : strnlen(from, size - 1);

    if (length > 0)
        memcpy(to, from, length);
    memset(to + length, 0, size - length);
}

static void keep_answer(struct item *item, const struct item_event *event)
{
    item->http_status = event->http_status;
    copy_text(item->error_type, sizeof item->error_type, event->error_type);
    copy_text(item->error_code, sizeof item->error_code, event->error_code);
}

static enum effect finish(struct item *item, const struct item_event *event, enum item_state state,
                          enum reason reason)
{
    item->state = state;
    item->reason = reason;
    item->finished_ms = event->now_ms;
    item->due_ms = 0;
    item->trouble_count = 0;
    item->waits_on = WAIT_NONE;
    item->waits_for = 0;
    item->release_due = item->has_dependents && item_state_is_over(state);
    return EFFECT_FINAL;
}

static enum effect doubt(struct item *item, const struct item_event *event, enum reason reason)
{
    return finish(item, event, ITEM_IN_DOUBT, reason);
}

/* Back to the start: nothing is known to have been accepted under the key that it now has. On a
 * restored ledger a person's word that it was not done stays until something was heard of it. */
static enum effect make_ready(struct item *item)
{
    if (item->reason != REASON_RESOLVED || item_state_is_final(item->state))
        item->reason = REASON_NONE;
    item->state = ITEM_READY;
    item->waits_on = WAIT_NONE;
    item->waits_for = 0;
    item->release_due = false;
    item->attempt_count = 0;
    item->poll_count = 0;
    item->trouble_count = 0;
    item->missing_count = 0;
    item->unknown_send = false;
    item->accepted = false;
    item->intent_ms = 0;
    item->intent_boot_ms = 0;
    item->intent_boot = 0;
    item->due_ms = 0;
    item->accepted_ms = 0;
    item->finished_ms = 0;
    item->job_path = JOB_PATH_BASE;
    memset(item->remote_job, 0, sizeof item->remote_job);
    return EFFECT_NONE;
}

static void wait_for(struct item *item, const struct item_event *event, const struct policy *policy,
                     uint32_t trouble)
{
    int64_t delay_ms =
        backoff_delay_ms(trouble, policy->first_delay_ms, policy->max_delay_ms, event->random);

    if (event->delay_ms > delay_ms)
        delay_ms = event->delay_ms;
    item->due_ms = event->now_ms + delay_ms;
}

static enum effect wait_a_while(struct item *item, const struct item_event *event,
                                const struct policy *policy)
{
    item->trouble_count++;
    wait_for(item, event, policy, item->trouble_count);
    return EFFECT_NONE;
}

static void make_intent(struct item *item, const struct item_event *event)
{
    item->state = ITEM_SENDING;
    item->intent_ms = event->server_now_ms;
    item->intent_boot_ms = event->boot_now_ms;
    item->intent_boot = event->boot;
    item->sent_run = event->run;
}

/* What was lost of the ledger, or of this item alone, begins with the older loss. 0 = nothing. */
static int64_t lost_since_ms(const struct item *item, const struct item_event *event)
{
    bool is_older = item->lost_since_ms < event->lost_since_ms || event->lost_since_ms == 0;

    return item->lost_since_ms != 0 && is_older ? item->lost_since_ms : event->lost_since_ms;
}

/* The ledger does not know whether this generation was sent; if so, not before what was lost
 * begins. After a person's word it does. */
static bool may_have_been_sent(const struct item *item, const struct item_event *event)
{
    return lost_since_ms(item, event) != 0 && item->reason != REASON_RESOLVED;
}

/* In the history that was lost a person may have tried it again, under the next key. */
static enum effect fail(struct item *item, const struct item_event *event, enum reason reason)
{
    if (may_have_been_sent(item, event))
        return doubt(item, event, REASON_RESTORED_STATE);
    return finish(item, event, ITEM_FAILED, reason);
}

static enum effect start(struct item *item, const struct item_event *event,
                         const struct policy *policy)
{
    bool is_lost = may_have_been_sent(item, event);
    int64_t since_ms = lost_since_ms(item, event);

    make_intent(item, event);
    item->due_ms = event->now_ms;
    if (since_ms == 0)
        item->reason = REASON_NONE;
    if (!is_lost)
        return EFFECT_NONE;
    item->reason = REASON_RESTORED_STATE;
    item->unknown_send = true;
    item->intent_ms = since_ms;
    item->intent_boot_ms = 0;
    item->intent_boot = 0;
    return policy->repeatable ? EFFECT_NONE : doubt(item, event, REASON_RESTORED_STATE);
}

/* Only an intent of which no copy can have an effect can be taken back. What a restored ledger had
 * taken for sent, before it was sent again, is so when it starts the next time. */
static enum effect withdraw(struct item *item, const struct item_event *event,
                            const struct policy *policy)
{
    (void)event;
    (void)policy;
    assert(item->attempt_count == 0);
    assert(!item->unknown_send || item->reason == REASON_RESTORED_STATE);
    return make_ready(item);
}

/* A crash: the intent was durable, so the request may have left. */
static enum effect resume_sending(struct item *item, const struct item_event *event,
                                  const struct policy *policy)
{
    item->unknown_send = true;
    if (!policy->repeatable)
        return doubt(item, event, REASON_UNKEYED_UNKNOWN);
    item->due_ms = event->now_ms;
    return EFFECT_NONE;
}

static enum reason too_old(const struct item *item)
{
    return item->reason == REASON_RESTORED_STATE ? REASON_RESTORED_STATE : REASON_WINDOW_PASSED;
}

static enum effect send(struct item *item, const struct item_event *event,
                        const struct policy *policy)
{
    /* I5: a repeat only while the server is assumed to remember the key. */
    if (item->unknown_send && event->key_age_ms >= policy->key_window_ms)
        return doubt(item, event, too_old(item));
    if (item->attempt_count > 0 && policy->give_up_ms > 0 &&
        event->key_age_ms >= policy->give_up_ms)
        return doubt(item, event, REASON_RETRIES_EXHAUSTED);
    assert(policy->repeatable || !item->unknown_send); /* at most once */
    assert(item->intent_ms != 0);                      /* I1 */
    item->attempt_count++;
    item->attempt_total++;
    return EFFECT_SEND;
}

static enum effect accept(struct item *item, const struct item_event *event,
                          const struct policy *policy)
{
    (void)policy;
    assert(event->remote_job != NULL && event->remote_job[0] != '\0');
    keep_answer(item, event);
    item->state = ITEM_WAITING;
    item->accepted = true;
    item->accepted_ms = event->now_ms;
    item->trouble_count = 0;
    item->missing_count = 0;
    item->job_path = event->job_path;
    copy_text(item->remote_job, sizeof item->remote_job, event->remote_job);
    item->due_ms = event->now_ms + (event->delay_ms > 0 ? event->delay_ms : 0);
    return EFFECT_NONE;
}

static enum effect succeed(struct item *item, const struct item_event *event,
                           const struct policy *policy)
{
    (void)policy;
    keep_answer(item, event);
    item->accepted = true;
    if (item->accepted_ms == 0)
        item->accepted_ms = event->now_ms;
    item->lost_since_ms = 0;
    return finish(item, event, ITEM_SUCCEEDED, REASON_NONE);
}

/* I11: a refusal proves something only if no other copy of this generation can exist. */
static enum effect refuse(struct item *item, const struct item_event *event,
                          const struct policy *policy)
{
    (void)policy;
    assert(event->reason != REASON_NONE);
    keep_answer(item, event);
    if (item->unknown_send)
        return doubt(item, event, REASON_REFUSED_AFTER_UNKNOWN);
    return finish(item, event, ITEM_FAILED, event->reason);
}

/* No copy of this send can have an effect, so it is no attempt either: if all were like that, the
 * item can be withdrawn when the run ends. Without a key even that is too long to be in a state
 * which a crash turns into a doubt: the intent is taken back and made again when its time has come.
 */
static enum effect take_back(struct item *item, const struct item_event *event,
                             const struct policy *policy)
{
    uint32_t trouble_count = item->trouble_count;

    assert(item->attempt_count > 0);
    item->attempt_count--;
    if (!policy->repeatable) {
        make_ready(item);
        item->trouble_count = trouble_count;
    }
    return wait_a_while(item, event, policy);
}

static enum effect throttle(struct item *item, const struct item_event *event,
                            const struct policy *policy)
{
    keep_answer(item, event);
    return take_back(item, event, policy);
}

static enum effect lose(struct item *item, const struct item_event *event,
                        const struct policy *policy)
{
    keep_answer(item, event);
    item->unknown_send = true;
    if (!policy->repeatable)
        return doubt(item, event, REASON_UNKEYED_UNKNOWN);
    if (item->attempt_count >= policy->attempt_limit)
        return doubt(item, event, REASON_RETRIES_EXHAUSTED);
    return wait_a_while(item, event, policy);
}

static enum effect not_sent(struct item *item, const struct item_event *event,
                            const struct policy *policy)
{
    item->attempt_total--;
    return take_back(item, event, policy);
}

static enum effect unclear(struct item *item, const struct item_event *event,
                           const struct policy *policy)
{
    (void)policy;
    assert(event->reason != REASON_NONE);
    keep_answer(item, event);
    return doubt(item, event, event->reason);
}

static enum effect poll(struct item *item, const struct item_event *event,
                        const struct policy *policy)
{
    (void)item;
    (void)event;
    (void)policy;
    return EFFECT_POLL;
}

/* The caller's delay spreads them, so that thousands do not come back at once. */
static enum effect resume_waiting(struct item *item, const struct item_event *event,
                                  const struct policy *policy)
{
    (void)policy;
    if (item->reason == REASON_STUCK_PENDING) /* stuck or not: it is asked anew */
        item->reason = REASON_NONE;
    item->due_ms = event->now_ms + (event->delay_ms > 0 ? event->delay_ms : 0);
    return EFFECT_NONE;
}

static enum effect poll_later(struct item *item, const struct item_event *event,
                              const struct policy *policy)
{
    item->poll_count++;
    item->trouble_count = 0;
    item->missing_count = 0;
    /* It is polled on; but nobody should wait for it any more without knowing. */
    if (policy->stuck_ms > 0 && event->now_ms - item->accepted_ms >= policy->stuck_ms)
        item->reason = REASON_STUCK_PENDING;
    item->http_status = event->http_status;
    item->due_ms = event->now_ms + (event->delay_ms > 0 ? event->delay_ms : 1);
    return EFFECT_NONE;
}

/* A poll has no effect on the server, so its trouble is never the item's end. */
static enum effect poll_trouble(struct item *item, const struct item_event *event,
                                const struct policy *policy)
{
    return wait_a_while(item, event, policy);
}

/* One job stands behind all sends under a key. Without one each send has its own, and the others'
 * may have had the effect: a second DELETE finds nothing to delete. */
static bool is_of_one_send(const struct item *item, const struct policy *policy)
{
    return policy->by_nature && item->unknown_send;
}

static enum effect job_refuse(struct item *item, const struct item_event *event,
                              const struct policy *policy)
{
    assert(event->reason != REASON_NONE);
    keep_answer(item, event);
    if (is_of_one_send(item, policy))
        return doubt(item, event, REASON_REFUSED_AFTER_UNKNOWN);
    return fail(item, event, event->reason);
}

static enum effect missing(struct item *item, const struct item_event *event,
                           const struct policy *policy)
{
    item->poll_count++;
    /* The local clock was set back: the time counts from here, or it would take hours. */
    if (event->now_ms < item->accepted_ms)
        item->accepted_ms = event->now_ms;
    /* Both forms of the address are documented: the other one is asked next. */
    item->job_path = item->job_path == JOB_PATH_BASE ? JOB_PATH_V2 : JOB_PATH_BASE;
    item->missing_count++;
    if (item->missing_count >= policy->missing_limit &&
        event->now_ms - item->accepted_ms >= policy->missing_for_ms) {
        keep_answer(item, event);
        return doubt(item, event, REASON_SERVER_LOST_JOB);
    }
    return wait_a_while(item, event, policy);
}

/* The one automatic new key: the platform's limit refused the job before it ran. The intent of the
 * new generation is part of the same value, hence of the same transaction (I3). */
static enum effect rekey(struct item *item, const struct item_event *event,
                         const struct policy *policy)
{
    keep_answer(item, event);
    if (is_of_one_send(item, policy))
        return doubt(item, event, REASON_REFUSED_AFTER_UNKNOWN);
    if (may_have_been_sent(item, event)) /* and so may the next generation */
        return doubt(item, event, REASON_RESTORED_STATE);
    if (!policy->repeatable || item->generation > policy->rekey_limit)
        return finish(item, event, ITEM_FAILED, REASON_JOB_FAILED);
    make_ready(item);
    make_intent(item, event);
    wait_for(item, event, policy, item->generation);
    item->generation++;
    return EFFECT_NONE;
}

static enum effect wait_on(struct item *item, enum wait_kind kind, uint64_t number)
{
    make_ready(item);
    item->state = ITEM_BLOCKED;
    item->waits_on = kind;
    item->waits_for = number;
    return EFFECT_NONE;
}

/* What its needs are now is for the next run to say. */
static enum effect make_sendable(struct item *item)
{
    return item->has_needs ? wait_on(item, WAIT_NONE, 0) : make_ready(item);
}

static enum effect waits(struct item *item, const struct item_event *event,
                         const struct policy *policy)
{
    (void)policy;
    return wait_on(item, event->waits_on, event->waits_for);
}

static enum effect unblock(struct item *item, const struct item_event *event,
                           const struct policy *policy)
{
    (void)policy;
    item->request_hash = event->request_hash;
    return make_ready(item);
}

static enum effect not_rendered(struct item *item, const struct item_event *event,
                                const struct policy *policy)
{
    (void)policy;
    keep_answer(item, event);
    return fail(item, event, REASON_NOT_RENDERED);
}

static enum effect skip(struct item *item, const struct item_event *event,
                        const struct policy *policy)
{
    (void)policy;
    keep_answer(item, event);
    return finish(item, event, ITEM_SKIPPED, REASON_CONDITION_FALSE);
}

/* Refused before it was accepted: the key is still free and stays, so that a lost ledger repeats
 * it. Accepted: its result is stored under the key for ever, so a new one is needed. */
static void begin_again(struct item *item)
{
    if (item->accepted)
        item->generation++;
}

/* The first correction remembers what the source said; so do those that correct it once more. */
static void keep_source(struct item *item, const struct item_event *event)
{
    if (!item->corrected)
        item->source_hash = event->source_hash;
    item->corrected = true;
}

static enum effect retry(struct item *item, const struct item_event *event,
                         const struct policy *policy)
{
    (void)policy;
    /* What was given up while in doubt may have been done. */
    if (item->reason == REASON_ABANDONED)
        return EFFECT_NONE;
    if (event->corrected)
        keep_source(item, event);
    begin_again(item);
    return make_sendable(item);
}

static enum effect change(struct item *item, const struct item_event *event,
                          const struct policy *policy)
{
    bool has_word = item->reason == REASON_RESOLVED && !item_state_is_final(item->state);

    (void)policy;
    if (event->corrected) {
        keep_source(item, event);
    } else {
        item->corrected = false;
        item->source_hash = (struct hash128){0};
    }
    item->request_hash = event->request_hash;
    begin_again(item);
    item->has_needs = event->has_needs;
    if (has_word) /* that the other request was not done */
        return doubt(item, event, REASON_RESTORED_STATE);
    return event->waits_on == WAIT_NONE ? make_ready(item)
                                        : wait_on(item, event->waits_on, event->waits_for);
}

static enum effect resolve_done(struct item *item, const struct item_event *event,
                                const struct policy *policy)
{
    (void)policy;
    item->accepted = true;
    item->lost_since_ms = 0;
    return finish(item, event, ITEM_SUCCEEDED,
                  event->reason == REASON_NONE ? REASON_RESOLVED : event->reason);
}

static enum effect resolve_not_done(struct item *item, const struct item_event *event,
                                    const struct policy *policy)
{
    (void)policy;
    item->lost_since_ms = 0;
    item->generation++;
    make_sendable(item);
    if (event->lost_since_ms != 0) /* else it is known from now on */
        item->reason = REASON_RESOLVED;
    return EFFECT_NONE;
}

static enum effect abandon(struct item *item, const struct item_event *event,
                           const struct policy *policy)
{
    (void)policy;
    return finish(item, event, ITEM_CANCELLED, REASON_ABANDONED);
}

static enum effect cancel(struct item *item, const struct item_event *event,
                          const struct policy *policy)
{
    (void)policy;
    return finish(item, event, ITEM_CANCELLED, REASON_CANCELLED);
}

/* The item's own write stands in the ledger as it was; only a person's retry makes another. */
static enum effect undone(struct item *item, const struct item_event *event,
                          const struct policy *policy)
{
    (void)policy;
    assert(event->reason != REASON_NONE);
    return finish(item, event, ITEM_CANCELLED, event->reason);
}

/* Read it as: in this state, on this event, do this. An empty cell means that the event cannot
 * happen there. */
static transition_fn *const table[ITEM_STATE_COUNT][ITEM_EVENT_COUNT] = {
    [ITEM_BLOCKED] = {[EVENT_WAITS] = waits,
                      [EVENT_UNBLOCKED] = unblock,
                      [EVENT_NOT_RENDERED] = not_rendered,
                      [EVENT_SKIPPED] = skip,
                      [EVENT_CHANGED] = change,
                      [EVENT_CANCELLED] = cancel},
    [ITEM_READY] = {[EVENT_START] = start,
                    [EVENT_WAITS] = waits,
                    [EVENT_CHANGED] = change,
                    [EVENT_CANCELLED] = cancel},
    [ITEM_SENDING] = {[EVENT_WITHDRAWN] = withdraw,
                      [EVENT_RESTARTED] = resume_sending,
                      [EVENT_DUE] = send,
                      [EVENT_ACCEPTED] = accept,
                      [EVENT_DONE] = succeed,
                      [EVENT_REFUSED] = refuse,
                      [EVENT_THROTTLED] = throttle,
                      [EVENT_HELD] = throttle,
                      [EVENT_LOST] = lose,
                      [EVENT_NOT_SENT] = not_sent,
                      [EVENT_UNCLEAR] = unclear},
    [ITEM_WAITING] = {[EVENT_RESTARTED] = resume_waiting,
                      [EVENT_DUE] = poll,
                      [EVENT_DONE] = succeed,
                      [EVENT_REFUSED] = job_refuse,
                      [EVENT_THROTTLED] = poll_trouble,
                      [EVENT_HELD] = poll_trouble,
                      [EVENT_LOST] = poll_trouble,
                      [EVENT_NOT_SENT] = poll_trouble,
                      [EVENT_UNCLEAR] = unclear,
                      [EVENT_PENDING] = poll_later,
                      [EVENT_MISSING] = missing,
                      [EVENT_JOB_THROTTLED] = rekey},
    [ITEM_SUCCEEDED] = {[EVENT_CHANGED] = change, [EVENT_UNDONE] = undone},
    [ITEM_FAILED] = {[EVENT_RETRY] = retry, [EVENT_CHANGED] = change},
    [ITEM_IN_DOUBT] = {[EVENT_RESOLVED_DONE] = resolve_done,
                       [EVENT_RESOLVED_NOT_DONE] = resolve_not_done,
                       [EVENT_ABANDONED] = abandon},
    [ITEM_CANCELLED] = {[EVENT_RETRY] = retry},
    [ITEM_SKIPPED] = {[EVENT_CHANGED] = change},
};

bool lifecycle_is_legal(enum item_state state, enum item_event_kind kind)
{
    assert(state < ITEM_STATE_COUNT && kind < ITEM_EVENT_COUNT);
    return table[state][kind] != NULL;
}

/* What must hold for every item after every step. */
static void check(const struct item *before, const struct item *after)
{
    assert(after->generation >= before->generation); /* a key is never taken back */
    assert(after->generation <= before->generation + 1);
    if (after->generation != before->generation) { /* I3: only from a known end of the old one */
        assert(before->state == ITEM_WAITING || item_state_is_final(before->state));
        assert(!after->accepted && after->attempt_count == 0 && !after->unknown_send);
    }
    assert(after->state == ITEM_BLOCKED || after->waits_on == WAIT_NONE);
    assert(!after->release_due || item_state_is_over(after->state));
    assert(after->state != ITEM_WAITING || after->remote_job[0] != '\0');
    assert(after->state != ITEM_READY || (after->attempt_count == 0 && !after->unknown_send));
    assert(after->state != ITEM_FAILED || !after->unknown_send || after->accepted); /* I11 */
}

struct step lifecycle_step(const struct item *item, const struct item_event *event,
                           const struct policy *policy)
{
    struct step step = {.item = *item};
    transition_fn *transition;

    assert(item->state < ITEM_STATE_COUNT);
    assert(event->kind < ITEM_EVENT_COUNT);
    transition = table[item->state][event->kind];
    if (transition == NULL)
        return step;
    step.legal = true;
    step.effect = transition(&step.item, event, policy);
    step.item.changed_ms = event->now_ms;
    check(item, &step.item);
    return step;
}

bool lifecycle_must_be_stored(const struct item *before, const struct item *after)
{
    return before->state != after->state || before->generation != after->generation ||
           before->reason != after->reason || before->unknown_send != after->unknown_send ||
           before->waits_on != after->waits_on || before->waits_for != after->waits_for;
}

const char *item_event_name(enum item_event_kind kind)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        ITEM_EVENT_LIST(X)
#undef X
    };

    assert(kind < ITEM_EVENT_COUNT);
    return names[kind];
}

const char *item_event_meaning(enum item_event_kind kind)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        ITEM_EVENT_LIST(X)
#undef X
    };

    assert(kind < ITEM_EVENT_COUNT);
    return meanings[kind];
}
