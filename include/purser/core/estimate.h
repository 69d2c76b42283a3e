/* How long writes will take under the limits that are known. Pure; an estimate, not a promise. */
#ifndef PURSER_CORE_ESTIMATE_H
#define PURSER_CORE_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

struct estimate_lane {
    uint64_t sends;       /* of this connection */
    uint32_t rate_millis; /* thousandths of a send a second; 0 = no limit known */
    uint32_t in_flight;   /* sends at once */
};

struct estimate_load {
    const struct estimate_lane *lanes;
    size_t lane_count;
    uint64_t sends, polls; /* of all */
    uint32_t rate_millis;  /* of all requests, polls among them; 0 = no limit known */
    uint32_t in_flight;    /* requests at once */
    uint32_t exchange_ms;  /* that one request takes */
};

/* What takes longest, so that a higher limit elsewhere would change nothing. */
enum estimate_bound {
    ESTIMATE_NOTHING, /* nothing is sent */
    ESTIMATE_ALL_RATE,
    ESTIMATE_ALL_IN_FLIGHT,
    ESTIMATE_LANE_RATE,
    ESTIMATE_LANE_IN_FLIGHT
};

struct estimate {
    int64_t duration_ms; /* at most ESTIMATE_MAX_MS */
    enum estimate_bound bound;
    size_t lane; /* of ESTIMATE_LANE_…; the first that takes so long */
};

#define ESTIMATE_MAX_MS (INT64_C(1000) * 365 * 24 * 60 * 60 * 1000)

/* Connections go side by side and each request needs a place in every limit, so the whole takes as
 * long as the slowest limit by itself. That remote jobs take time, and that items wait for others,
 * is not in it. */
struct estimate estimate_duration(const struct estimate_load *load);

#endif
