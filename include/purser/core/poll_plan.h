/* When to ask for a remote job again: learned from how long jobs of the same connection took.
 *
 * Until something is learned: 1 s, then × 1.5, at most 30 s. */
#ifndef PURSER_CORE_POLL_PLAN_H
#define PURSER_CORE_POLL_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define POLL_PLAN_BUCKETS 64

struct poll_plan {
    uint32_t counts[POLL_PLAN_BUCKETS]; /* by logarithm of the completion time */
    uint32_t total;
};

/* A job that was still pending at `pending_age_ms` (0: was not asked before) and finished when
 * asked at `finished_age_ms`; both since acceptance. Old jobs are forgotten slowly. */
void poll_plan_learn(struct poll_plan *plan, int64_t pending_age_ms, int64_t finished_age_ms);

/* The delay until the next poll of a job accepted `age_ms` ago and polled `poll_count` times.
 * `busy`: sends are waiting for places, so ask rarely; else the spare rate is free. */
int64_t poll_plan_delay_ms(const struct poll_plan *plan, int64_t age_ms, uint32_t poll_count,
                           bool busy);

#endif
