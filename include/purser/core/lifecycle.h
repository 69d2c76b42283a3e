/* The life cycle of an item: the one place that decides what happens next.
 *
 * Pure: reads no clock, does no I/O, allocates nothing. The same item, event and policy always
 * give the same step, so a trace of events replays a run. The invariants I1–I11 of
 * ARCHITECTURE.md that concern one item are asserted here, in release builds too. */
#ifndef PURSER_CORE_LIFECYCLE_H
#define PURSER_CORE_LIFECYCLE_H

#include <stdbool.h>

#include "purser/core/item.h"

/* identifier, name, meaning */
#define ITEM_EVENT_LIST(X)                                                                        \
    X(EVENT_START, "start", "a place is free: make the intent durable")                           \
    X(EVENT_WITHDRAWN, "withdrawn", "the run ends before the intent was used")                    \
    X(EVENT_RESTARTED, "restarted", "purser came back and found the item here")                   \
    X(EVENT_DUE, "due", "its time has come")                                                      \
    X(EVENT_ACCEPTED, "accepted", "the server took the write and named a remote job")             \
    X(EVENT_DONE, "done", "the server reported success")                                          \
    X(EVENT_REFUSED, "refused", "a complete refusal: no effect, and there will be none")          \
    X(EVENT_THROTTLED, "throttled", "429, 452 or the like: later, under the same key")            \
    X(EVENT_HELD, "held", "the connection or the credentials are broken: later, same key")        \
    X(EVENT_LOST, "lost", "no usable answer: outcome unknown")                                    \
    X(EVENT_NOT_SENT, "not_sent", "no byte of the request left")                                  \
    X(EVENT_UNCLEAR, "unclear", "an answer that proves neither done nor not-done")                \
    X(EVENT_PENDING, "pending", "the remote job is not finished")                                 \
    X(EVENT_MISSING, "missing", "the server does not know the remote job")                        \
    X(EVENT_JOB_THROTTLED, "job_throttled", "the remote job was refused by the platform's limit") \
    X(EVENT_WAITS, "waits", "a need of it is not met")                                            \
    X(EVENT_UNBLOCKED, "unblocked", "its needs are met, and its request is frozen")               \
    X(EVENT_NOT_RENDERED, "not_rendered", "what its parents returned makes no request")           \
    X(EVENT_SKIPPED, "skipped", "what its parents returned makes its if: false")                  \
    X(EVENT_RETRY, "retry", "a person asks to try again")                                         \
    X(EVENT_CHANGED, "changed", "the row changed: a new request takes the place of the old one")  \
    X(EVENT_RESOLVED_DONE, "resolved_done", "a person, or what was found, says: it was done")     \
    X(EVENT_RESOLVED_NOT_DONE, "resolved_not_done", "a person says: it was not done")             \
    X(EVENT_ABANDONED, "abandoned", "a person gives it up")                                       \
    X(EVENT_CANCELLED, "cancelled", "a person cancels what has not been sent")                    \
    X(EVENT_UNDONE, "undone", "its undo has ended: what it wrote is there no more")

enum item_event_kind {
#define X(identifier, name, meaning) identifier,
    ITEM_EVENT_LIST(X)
#undef X
        ITEM_EVENT_COUNT
};

struct item_event {
    enum item_event_kind kind;
    int64_t now_ms;        /* local wall clock at the turn */
    int64_t server_now_ms; /* the server's clock, as far as known; EVENT_START, _RESOLVED… */
    int64_t boot_now_ms;   /* the boot clock, and which boot it counts from; 0 = unknown */
    uint32_t boot;
    uint32_t run; /* that makes the intent: EVENT_START, EVENT_JOB_THROTTLED */
    /* What was done since then, by the server's clock, is not in the ledger; 0 = nothing is lost.
     * Of the engine's events and EVENT_RESOLVED_NOT_DONE. */
    int64_t lost_since_ms;
    int64_t key_age_ms;   /* the oldest the first send can be; EVENT_DUE while sending */
    int64_t delay_ms;     /* Retry-After, or the learned time to the next poll; -1 = none */
    uint32_t random;      /* for jitter; drawn by the caller */
    uint16_t http_status; /* of the answer; 0 = none */
    bool accepted;        /* the answer proves that the write was accepted (X-Rutter-Job-ID) */
    enum reason reason;   /* EVENT_REFUSED, _UNCLEAR, _UNDONE; EVENT_RESOLVED_DONE that was found */
    bool corrected;       /* EVENT_CHANGED, EVENT_RETRY: by a row that stands beside the source */
    enum job_path job_path;
    const char *remote_job; /* EVENT_ACCEPTED; borrowed, at most REMOTE_JOB_BYTES_MAX */
    const char *error_type; /* NULL = none; borrowed */
    const char *error_code;
    struct hash128 source_hash;  /* corrected: what stood for the row in the place of which it is */
    struct hash128 request_hash; /* EVENT_CHANGED, EVENT_UNBLOCKED: of the request as it is now */
    bool has_needs;              /* EVENT_CHANGED: the new row has needs */
    enum wait_kind waits_on; /* EVENT_WAITS; EVENT_CHANGED: the first need that is not met, … */
    uint64_t waits_for;      /* … with WAIT_NONE there is none and it is ready */
};

struct policy {
    bool repeatable;        /* a repeat has no second effect: by its key, or by nature */
    bool by_nature;         /* … without a key: a remote job is of one send, not of all of them */
    uint32_t attempt_limit; /* sends of one generation with an unknown outcome */
    uint32_t rekey_limit;   /* new generations after a job-level 452, each without a person */
    int64_t first_delay_ms; /* backoff: rand(0, min(first × 2^n, max)) */
    int64_t max_delay_ms;
    int64_t key_window_ms;  /* a key is repeated only while it is younger than this */
    int64_t give_up_ms;     /* no further send when the first is older than this; 0 = never */
    uint32_t missing_limit; /* polls answered "unknown job" in a row … */
    int64_t missing_for_ms; /* … and at least so long after acceptance */
    int64_t stuck_ms; /* a remote job that is pending for so long is called stuck; 0 = never */
};

/* What the caller must do once the new item value is durable. */
enum effect {
    EFFECT_NONE,
    EFFECT_SEND,  /* one HTTP exchange with the frozen request under the item's key */
    EFFECT_POLL,  /* one GET of the remote job */
    EFFECT_FINAL, /* count it, write its result */
    EFFECT_COUNT
};

struct step {
    bool legal; /* false: this event cannot happen in this state; nothing else is set */
    struct item item;
    enum effect effect;
};

struct step lifecycle_step(const struct item *item, const struct item_event *event,
                           const struct policy *policy);

/* Whether the step is worth a write. Times and counters alone are not: a restart finds them out
 * again. */
bool lifecycle_must_be_stored(const struct item *before, const struct item *after);

/* True if the table has an entry. For the printed table and the tests. */
bool lifecycle_is_legal(enum item_state state, enum item_event_kind kind);

const char *item_event_name(enum item_event_kind kind);
const char *item_event_meaning(enum item_event_kind kind);

#endif
