/* A circuit breaker: stops calling what answers with little but errors, then lets one request at a
 * time find out whether that is over.
 *
 * Pure arithmetic on the caller's clock (milliseconds, never going back). Trouble is an answer of
 * 5xx or none at all; a refusal or a throttled request is none. */
#ifndef PURSER_CORE_BREAKER_H
#define PURSER_CORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_SPANS 6

/* It opens when at least half of at least 20 exchanges of the last 30 s were trouble. */
struct breaker {
    struct {
        int64_t number; /* of the span of 5 s, counted from 0 on the caller's clock */
        uint32_t good, trouble;
    } spans[BREAKER_SPANS];
    bool open;
    bool probing; /* the one request that is to find out is on its way */
    uint32_t failed_probes;
    int64_t probe_at_ms; /* not before; while it is open */
};

void breaker_init(struct breaker *breaker);

/* When a request may go: ≤ now_ms = now; INT64_MAX = not before the probe has been answered. */
int64_t breaker_ready_at_ms(const struct breaker *breaker, int64_t now_ms);

/* A request goes; breaker_ready_at_ms() allowed it. True: it is the probe, and whoever answers must
 * say so. */
bool breaker_take(struct breaker *breaker, int64_t now_ms);

/* A request was answered, or will not be. What was on its way when the breaker opened says nothing
 * that is new, unless it went well: then the breaker closes. `random` is for jitter. */
void breaker_answered(struct breaker *breaker, bool trouble, bool was_probe, int64_t now_ms,
                      uint32_t random);

#endif
