/* What an item is: its states, the reasons it can have, and its hot record. Plain values. */
#ifndef PURSER_CORE_ITEM_H
#define PURSER_CORE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/checksum.h"
#include "purser/core/limits.h"

/* identifier, name as printed, meaning. The numbers are stored: append, never reorder. */
#define ITEM_STATE_LIST(X)                                                            \
    X(ITEM_BLOCKED, "blocked", "waits for another item")                              \
    X(ITEM_READY, "ready", "nothing of this generation has been sent")                \
    X(ITEM_SENDING, "sending", "the intent is durable; it may or may not have left")  \
    X(ITEM_WAITING, "waiting", "accepted; the remote job is known and being polled")  \
    X(ITEM_SUCCEEDED, "succeeded", "the server reported success for this item's key") \
    X(ITEM_FAILED, "failed", "the server said definitely that there was no effect")   \
    X(ITEM_IN_DOUBT, "in_doubt", "neither done nor not-done can be proved")           \
    X(ITEM_CANCELLED, "cancelled", "stopped by a person, or reversed by its undo")    \
    X(ITEM_SKIPPED, "skipped", "its if: was false")

enum item_state {
#define X(identifier, name, meaning) identifier,
    ITEM_STATE_LIST(X)
#undef X
        ITEM_STATE_COUNT
};

/* Why an item is where it is. identifier, stable code, meaning. Stored: append, never reorder. */
#define REASON_LIST(X)                                                                            \
    X(REASON_NONE, "", "")                                                                        \
    X(REASON_REFUSED, "refused", "refused before it was accepted; nothing was written")           \
    X(REASON_JOB_FAILED, "job_failed", "accepted, then failed; nothing was written")              \
    X(REASON_RETRIES_EXHAUSTED, "retries_exhausted", "no usable answer after the last attempt")   \
    X(REASON_WINDOW_PASSED, "window_passed",                                                      \
      "the server may have forgotten the idempotency key, so it cannot be repeated safely")       \
    X(REASON_SERVER_LOST_JOB, "server_lost_job", "the server no longer knows the remote job")     \
    X(REASON_KEY_CONFLICT, "key_conflict_409",                                                    \
      "the server holds another request under this idempotency key")                              \
    X(REASON_PLATFORM_ERROR, "platform_error_550", "the platform failed; it may have written")    \
    X(REASON_SERVER_ERROR, "server_error", "accepted, then a server error; it may have written")  \
    X(REASON_UNCLASSIFIED, "unclassified_failure", "the answer proves neither done nor not-done") \
    X(REASON_TWO_SERVER_JOBS, "two_server_jobs", "one key was answered with two remote jobs")     \
    X(REASON_RECORD_DAMAGED, "record_damaged", "the ledger record of this item is damaged")       \
    X(REASON_UNKEYED_UNKNOWN, "unkeyed_unknown",                                                  \
      "the operation has no idempotency key and its outcome is unknown")                          \
    X(REASON_REFUSED_AFTER_UNKNOWN, "refused_after_unknown",                                      \
      "refused, but an earlier send of it may have been accepted")                                \
    X(REASON_PARTIAL_SUCCESS, "partial_success", "the remote job succeeded in part")              \
    X(REASON_WRONG_JOB, "wrong_job", "the answer belongs to another request")                     \
    X(REASON_RESOLVED, "resolved_by_person", "a person decided it")                               \
    X(REASON_ABANDONED, "abandoned", "a person gave it up")                                       \
    X(REASON_CANCELLED, "cancelled_by_person", "a person cancelled it before it was sent")        \
    X(REASON_CONDITION_FALSE, "condition_false", "its if: was false")                             \
    X(REASON_RESTORED_STATE, "restored_state",                                                    \
      "the ledger was restored or copied; what happened since then is not in it")                 \
    X(REASON_STUCK_PENDING, "stuck_pending", "the remote job is pending for longer than a day")   \
    X(REASON_RECONCILED, "reconciled", "a look-up after the doubt found it done")                 \
    X(REASON_UNDONE, "undone", "it succeeded, and its undo has reversed it")                      \
    X(REASON_UNDO_FOUND_NOTHING, "undo_found_nothing",                                            \
      "it succeeded, and its undo found nothing there any more to be reversed")                   \
    X(REASON_NOT_RENDERED, "not_rendered",                                                        \
      "it could not be rendered from what its parents returned; nothing was sent")

enum reason {
#define X(identifier, code, meaning) identifier,
    REASON_LIST(X)
#undef X
        REASON_COUNT
};

/* How the remote job's address was given. */
enum job_path {
    JOB_PATH_BASE, /* {base}/jobs/{id} */
    JOB_PATH_V2,   /* {origin}/v2/jobs/{id} */
    JOB_PATH_COUNT
};

/* What a blocked item waits for. Stored: append, never reorder. */
enum wait_kind {
    WAIT_NONE,         /* nothing that is known: its needs are looked at when the next run begins */
    WAIT_ITEM,         /* another item, by its number */
    WAIT_JOB,          /* every item of a job, by its number in the ledger */
    WAIT_UNKNOWN_ITEM, /* an item that neither a row nor the ledger has */
    WAIT_KIND_COUNT
};

/* The small record that changes with every step. All times are Unix milliseconds; 0 = never. */
struct item {
    enum item_state state;
    enum reason reason;
    uint32_t job;           /* number in the ledger */
    uint32_t connection;    /* number in the ledger */
    uint32_t generation;    /* 1, 2, … */
    uint32_t attempt_count; /* sends of this generation that were not turned away as a whole */
    uint32_t poll_count;    /* answered polls of this generation */
    uint32_t trouble_count; /* throttled, lost or unsent exchanges in a row; drives backoff */
    uint32_t missing_count; /* polls in a row answered "unknown job"; of this process, not stored */
    uint32_t attempt_total; /* over all generations */
    uint32_t seen_run;      /* last run whose source had this row, kept only while it is unsent */
    uint32_t sent_run;      /* the run that made the intent of this generation; 0 = none yet */
    bool corrected;         /* its request is not of the source's row but of a corrected one */
    enum wait_kind waits_on; /* while it is blocked, … */
    uint64_t waits_for;      /* … and of which number; else none and 0 */
    bool has_needs;          /* there is a needs record of it: whatever makes it ready asks that */
    bool has_dependents;     /* a need of some item names it, or it has a place in an order */
    bool release_due;        /* it is over, and those that wait for it were not looked at since */
    bool unknown_send;       /* an earlier send of this generation has an unknown outcome */
    bool accepted;           /* this generation was accepted by the server */
    uint16_t http_status;    /* of the last answer; 0 = none */
    enum job_path job_path;
    int64_t intent_ms;      /* when the intent of this generation became durable; server's clock */
    int64_t intent_boot_ms; /* the same moment by the boot clock … */
    uint32_t intent_boot;   /* … of this boot; 0 = not known */
    int64_t lost_since_ms;  /* of a restored ledger: what was done with it since then, by the
                               server's clock, is not known; 0 = all is */
    int64_t due_ms;         /* not before; local clock */
    int64_t accepted_ms;    /* local clock, as the following */
    int64_t finished_ms;
    int64_t changed_ms;
    struct hash128 request_hash; /* of method, path and body of the frozen request */
    struct hash128 source_hash;  /* corrected: the same of the request that the source's row made;
                                    with needs, of what it was to be made from */
    char remote_job[REMOTE_JOB_BYTES_MAX + 1];
    char error_type[ERROR_CODE_BYTES_MAX + 1];
    char error_code[ERROR_CODE_BYTES_MAX + 1];
};

/* "succeeded" … Never NULL. */
const char *item_state_name(enum item_state state);
const char *item_state_meaning(enum item_state state);
/* False when no state has that name. */
bool item_state_parse(const char *name, enum item_state *state_out);
/* No automatic event leaves it. */
bool item_state_is_final(enum item_state state);
/* Succeeded, cancelled or skipped: nothing more will come of it unless a person or a row says so.
 */
bool item_state_is_over(enum item_state state);
/* Sent, or about to be, and not final: what a restart must look at first. */
bool item_state_is_active(enum item_state state);
/* In state sending, and no copy of this generation can have an effect, unless one is on the wire:
 * the intent can be taken back. */
bool item_is_unused_intent(const struct item *item);

const char *reason_code(enum reason reason);
const char *reason_meaning(enum reason reason);

/* A fresh item of generation 1. */
struct item item_new(uint32_t job, uint32_t connection, struct hash128 request_hash,
                     int64_t now_ms);

#endif
