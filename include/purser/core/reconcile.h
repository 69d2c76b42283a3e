/* What became of an item in doubt, as far as evidence tells. Pure; it proposes and decides nothing.
 *
 * Only what was found proves something by itself. That something was not found proves little: the
 * API lists what it has synchronised from the platform, which may be older than the write. */
#ifndef PURSER_CORE_RECONCILE_H
#define PURSER_CORE_RECONCILE_H

#include "purser/core/item.h"

/* What the remote job says. identifier, name, meaning */
#define JOB_EVIDENCE_LIST(X)                                                                 \
    X(JOB_NOT_KNOWN, "not_known", "no remote job is known")                                  \
    X(JOB_SUCCEEDED, "succeeded", "remote job %s says success")                              \
    X(JOB_FAILED, "failed", "remote job %s failed and wrote nothing")                        \
    X(JOB_RUNNING, "running", "remote job %s still runs")                                    \
    X(JOB_PARTLY_DONE, "partly_done", "remote job %s succeeded in part")                     \
    X(JOB_UNCLEAR, "unclear", "remote job %s ended, and proves neither done nor not-done")   \
    X(JOB_FORGOTTEN, "forgotten", "the API does not know remote job %s, at neither address") \
    X(JOB_UNANSWERED, "unanswered", "remote job %s could not be asked for")

enum job_evidence {
#define X(identifier, name, meaning) identifier,
    JOB_EVIDENCE_LIST(X)
#undef X
        JOB_EVIDENCE_COUNT
};

/* What the look-up of the spec says. */
#define LOOKUP_EVIDENCE_LIST(X)                                                             \
    X(LOOKUP_NONE, "none", "the job has no reconcile: in the spec")                         \
    X(LOOKUP_NOT_NEEDED, "not_needed", "not asked: the remote job says enough")             \
    X(LOOKUP_FOUND_ONE, "found", "exactly one was found")                                   \
    X(LOOKUP_FOUND_OLDER, "older", "exactly one was found, and it is older than the write") \
    X(LOOKUP_FOUND_TAKEN, "taken", "exactly one was found, and it is another item's")       \
    X(LOOKUP_FOUND_SEVERAL, "ambiguous", "several were found")                              \
    X(LOOKUP_FOUND_NOTHING, "nothing", "nothing was found")                                 \
    X(LOOKUP_IMPOSSIBLE, "impossible", "this item cannot be asked about")                   \
    X(LOOKUP_UNANSWERED, "unanswered", "it could not be asked")

enum lookup_evidence {
#define X(identifier, name, meaning) identifier,
    LOOKUP_EVIDENCE_LIST(X)
#undef X
        LOOKUP_EVIDENCE_COUNT
};

struct evidence {
    enum reason doubt; /* of the item */
    enum job_evidence job;
    enum lookup_evidence lookup;
    /* When the item came into doubt, by the local clock: nothing of it was sent or done later that
     * purser knows of. 0 = not known. */
    int64_t doubt_ms;
    int64_t server_ahead_ms; /* the server's clock before the local one */
    /* When the last synchronisation ended that was over before the look-up, by the server's clock.
     * 0 = not known. */
    int64_t last_sync_ms;
};

/* identifier, name, meaning */
#define PROPOSAL_LIST(X)                                      \
    X(PROPOSE_DONE, "done", "it was found")                   \
    X(PROPOSE_NOT_DONE, "not_done", "nothing of it is there") \
    X(PROPOSE_LATER, "later", "ask again later")              \
    X(PROPOSE_LOOK, "look", "only a person can tell")

enum proposal {
#define X(identifier, name, meaning) identifier,
    PROPOSAL_LIST(X)
#undef X
        PROPOSAL_COUNT
};

/* How long after its send a request may still take effect; what is synchronised within this time
 * proves nothing. Source: no document says; a proxy's or a queue's delay is minutes. */
#define TRANSIT_MS_MAX (15 * 60 * 1000)

/* Whether the job's answer leaves the look-up something to say. */
bool reconcile_needs_lookup(enum job_evidence job);

/* True when what was synchronised last cannot be older than the write. */
bool reconcile_reads_are_fresh(const struct evidence *evidence);

/* True when what was found cannot be of a write whose intent was made at `intent_ms`; both by the
 * server's clock, 0 = not known. */
bool reconcile_is_older(int64_t created_ms, int64_t intent_ms);

enum proposal reconcile_propose(const struct evidence *evidence);

const char *job_evidence_name(enum job_evidence job);
/* A format with at most one %s, for the id of the remote job. */
const char *job_evidence_meaning(enum job_evidence job);
const char *lookup_evidence_name(enum lookup_evidence lookup);
const char *lookup_evidence_meaning(enum lookup_evidence lookup);
const char *proposal_name(enum proposal proposal);
const char *proposal_meaning(enum proposal proposal);

#endif
