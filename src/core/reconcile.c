#include "purser/core/reconcile.h"

#include <assert.h>

bool reconcile_needs_lookup(enum job_evidence job)
{
    return job != JOB_SUCCEEDED && job != JOB_RUNNING && job != JOB_PARTLY_DONE;
}

bool reconcile_reads_are_fresh(const struct evidence *evidence)
{
    return evidence->doubt_ms != 0 && evidence->last_sync_ms != 0 &&
           evidence->last_sync_ms - evidence->server_ahead_ms > evidence->doubt_ms + TRANSIT_MS_MAX;
}

/* The clocks of the platform and of the API need not agree to the minute. */
bool reconcile_is_older(int64_t created_ms, int64_t intent_ms)
{
    return created_ms != 0 && intent_ms != 0 && created_ms < intent_ms - TRANSIT_MS_MAX;
}

/* Doubts that are not about whether it is there, but about how it is there, or how often. */
static bool is_about_more(enum reason doubt)
{
    return doubt == REASON_TWO_SERVER_JOBS || doubt == REASON_PARTIAL_SUCCESS ||
           doubt == REASON_KEY_CONFLICT;
}

static enum proposal propose_by_lookup(const struct evidence *evidence)
{
    switch (evidence->lookup) {
    case LOOKUP_FOUND_ONE:
        return PROPOSE_DONE;
    case LOOKUP_FOUND_NOTHING:
        /* A remote job that could not be asked for may still run. */
        if (evidence->job != JOB_UNANSWERED && reconcile_reads_are_fresh(evidence))
            return PROPOSE_NOT_DONE;
        return evidence->doubt_ms == 0 ? PROPOSE_LOOK : PROPOSE_LATER;
    case LOOKUP_UNANSWERED:
        return PROPOSE_LATER;
    case LOOKUP_NONE:
    case LOOKUP_NOT_NEEDED:
    case LOOKUP_IMPOSSIBLE:
        return evidence->job == JOB_UNANSWERED ? PROPOSE_LATER : PROPOSE_LOOK;
    case LOOKUP_FOUND_OLDER:
    case LOOKUP_FOUND_TAKEN:
    case LOOKUP_FOUND_SEVERAL:
    case LOOKUP_EVIDENCE_COUNT:
        break;
    }
    return PROPOSE_LOOK;
}

/* The remote job speaks for its key, unless what the look-up found contradicts it. */
static enum proposal propose_after_failure(enum lookup_evidence lookup)
{
    bool is_there = lookup == LOOKUP_FOUND_ONE || lookup == LOOKUP_FOUND_SEVERAL;

    return is_there ? PROPOSE_LOOK : PROPOSE_NOT_DONE;
}

enum proposal reconcile_propose(const struct evidence *evidence)
{
    enum proposal proposal = PROPOSE_LOOK;

    switch (evidence->job) {
    case JOB_SUCCEEDED:
        proposal = PROPOSE_DONE;
        break;
    case JOB_RUNNING:
        return PROPOSE_LATER;
    case JOB_FAILED:
        proposal = propose_after_failure(evidence->lookup);
        break;
    case JOB_NOT_KNOWN:
    case JOB_UNCLEAR:
    case JOB_FORGOTTEN:
    case JOB_UNANSWERED:
        proposal = propose_by_lookup(evidence);
        break;
    case JOB_PARTLY_DONE:
    case JOB_EVIDENCE_COUNT:
        break;
    }
    return is_about_more(evidence->doubt) && proposal != PROPOSE_LATER ? PROPOSE_LOOK : proposal;
}

const char *job_evidence_name(enum job_evidence job)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        JOB_EVIDENCE_LIST(X)
#undef X
    };

    assert(job < JOB_EVIDENCE_COUNT);
    return names[job];
}

const char *job_evidence_meaning(enum job_evidence job)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        JOB_EVIDENCE_LIST(X)
#undef X
    };

    assert(job < JOB_EVIDENCE_COUNT);
    return meanings[job];
}

const char *lookup_evidence_name(enum lookup_evidence lookup)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        LOOKUP_EVIDENCE_LIST(X)
#undef X
    };

    assert(lookup < LOOKUP_EVIDENCE_COUNT);
    return names[lookup];
}

const char *lookup_evidence_meaning(enum lookup_evidence lookup)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        LOOKUP_EVIDENCE_LIST(X)
#undef X
    };

    assert(lookup < LOOKUP_EVIDENCE_COUNT);
    return meanings[lookup];
}

const char *proposal_name(enum proposal proposal)
{
    static const char *const names[] = {
#define X(identifier, name, meaning) [identifier] = name,
        PROPOSAL_LIST(X)
#undef X
    };

    assert(proposal < PROPOSAL_COUNT);
    return names[proposal];
}

const char *proposal_meaning(enum proposal proposal)
{
    static const char *const meanings[] = {
#define X(identifier, name, meaning) [identifier] = meaning,
        PROPOSAL_LIST(X)
#undef X
    };

    assert(proposal < PROPOSAL_COUNT);
    return meanings[proposal];
}
