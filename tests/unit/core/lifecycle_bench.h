/* Items as they are in each state, and events as they come to them. */
#ifndef LIFECYCLE_BENCH_H
#define LIFECYCLE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "purser/core/lifecycle.h"

enum {
    NOW_MS = 5000000,
    SERVER_NOW_MS = 7000000,
    INTENT_MS = 6000000,
    BOOT_NOW_MS = 3000,
    BOOT = 9
};

static const struct policy keyed = {.repeatable = true,
                                    .attempt_limit = 3,
                                    .rekey_limit = 2,
                                    .first_delay_ms = 100,
                                    .max_delay_ms = 1000,
                                    .key_window_ms = 3600000,
                                    .missing_limit = 3,
                                    .missing_for_ms = 60000,
                                    .stuck_ms = 86400000};

static inline struct policy unkeyed_policy(void)
{
    struct policy policy = keyed;

    policy.repeatable = false;
    return policy;
}

/* An item as it is in `state` after an undisturbed life up to there. */
static inline struct item item_in(enum item_state state)
{
    struct item item = item_new(1, 2, (struct hash128){.high = 3, .low = 4}, 1000);
    bool sent = state != ITEM_BLOCKED && state != ITEM_READY && state != ITEM_SKIPPED &&
                state != ITEM_CANCELLED;

    item.state = state;
    if (sent) {
        item.intent_ms = INTENT_MS;
        item.attempt_count = 1;
        item.attempt_total = 1;
    }
    if (state == ITEM_WAITING || state == ITEM_SUCCEEDED) {
        item.accepted = true;
        item.accepted_ms = NOW_MS - 1000;
        memcpy(item.remote_job, "job-1", sizeof "job-1");
    }
    if (state == ITEM_FAILED)
        item.reason = REASON_REFUSED;
    if (state == ITEM_IN_DOUBT)
        item.reason = REASON_SERVER_ERROR;
    if (state == ITEM_CANCELLED)
        item.reason = REASON_CANCELLED;
    return item;
}

static inline struct item_event event_of(enum item_event_kind kind)
{
    struct item_event event = {.kind = kind,
                               .now_ms = NOW_MS,
                               .server_now_ms = SERVER_NOW_MS,
                               .boot_now_ms = BOOT_NOW_MS,
                               .boot = BOOT,
                               .key_age_ms = 1000,
                               .delay_ms = -1,
                               .random = 0x80000000u,
                               .http_status = 200,
                               .reason = REASON_NONE,
                               .remote_job = NULL,
                               .request_hash = {.high = 5, .low = 6}};

    if (kind == EVENT_ACCEPTED)
        event.remote_job = "job-1";
    if (kind == EVENT_REFUSED)
        event.reason = REASON_REFUSED;
    if (kind == EVENT_UNCLEAR)
        event.reason = REASON_KEY_CONFLICT;
    if (kind == EVENT_UNDONE)
        event.reason = REASON_UNDONE;
    return event;
}

static inline struct step step_of(struct item *item, enum item_event_kind kind,
                                  const struct policy *policy)
{
    struct item_event event = event_of(kind);
    struct step step;

    memset(&step, 0xff, sizeof step);
    step = lifecycle_step(item, &event, policy);
    assert_true(step.legal);
    *item = step.item;
    return step;
}

#endif
