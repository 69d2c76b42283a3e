/* How long writes will take under the limits that are known. Pure; an estimate, not a promise.
 *
 * Assumes that a connection takes its jobs in the order of their needs, and
 * that connections go side by side. */
#ifndef PURSER_CORE_ESTIMATE_H
#define PURSER_CORE_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A connection. */
struct estimate_lane {
    uint32_t rate_millis; /* thousandths of a send a second; 0 = no limit known */
    uint32_t in_flight;   /* sends at once, ≥ 1 */
    int64_t free_ms;      /* the estimate's own */
};

/* The writes of one job on one connection. */
struct estimate_part {
    size_t lane;
    uint64_t sends;
    uint64_t polls;
    uint64_t repeats;   /* beside the sends: of those that are turned away or lost … */
    uint32_t repeat_ms; /* … after so long */
    uint64_t chain;     /* at most so many of them go one after the other; 0 and 1 = none do */
    uint64_t ahead;     /* so many are taken to their end before the others begin: a canary */
    uint32_t answer_ms; /* until one is answered */
    uint32_t finish_ms; /* from then until its end is known: of a remote job; 0 = with the answer */
    uint32_t commit_ms; /* each waits for the disk before the next is made ready, over all
                           connections: without a key; 0 = many at a time */
};

struct estimate_need {
    size_t job; /* one before */
    bool whole; /* begins when all of it is done; else item by item */
};

struct estimate_job {
    const struct estimate_part *parts;
    size_t part_count;
    const struct estimate_need *needs;
    size_t need_count;
    int64_t first_ms, end_ms; /* the estimate's own: its first item is done, all are */
};

struct estimate_load {
    struct estimate_lane *lanes;
    size_t lane_count;
    struct estimate_job *jobs; /* each after those that it needs */
    size_t job_count;
    uint64_t other_polls; /* of what was sent earlier */
    uint32_t other_ms;    /* until the end of that is known */
    uint32_t rate_millis; /* of all requests, polls among them; 0 = no limit known */
    bool rate_doubles;    /* each second: no limit is known, and it is only begun with */
    uint32_t in_flight;   /* requests at once, ≥ 1 */
    uint32_t outstanding; /* items that are sent and not at their end, ≥ 1 */
};

/* What takes longest. */
enum estimate_bound {
    ESTIMATE_NOTHING, /* nothing is sent */
    ESTIMATE_ALL_RATE,
    ESTIMATE_ALL_IN_FLIGHT,
    ESTIMATE_OUTSTANDING,
    ESTIMATE_COMMITS,
    ESTIMATE_LANE_RATE,
    ESTIMATE_LANE_IN_FLIGHT,
    ESTIMATE_CHAIN,
    ESTIMATE_ENDS /* that an item is answered and its end is known */
};

struct estimate {
    int64_t duration_ms; /* at most ESTIMATE_MAX_MS */
    enum estimate_bound bound;
    size_t lane; /* of ESTIMATE_LANE_…; the first that takes so long */
    size_t job;  /* of ESTIMATE_CHAIN */
};

#define ESTIMATE_MAX_MS (INT64_C(1000) * 365 * 24 * 60 * 60 * 1000)

/* Each request needs a place in every limit, so a part takes as long as the slowest of them, and at
 * least as long as its longest order; what it needs comes before it. All of it together takes at
 * least as long as the slowest limit of all. */
struct estimate estimate_duration(struct estimate_load *load);

#endif
