/* How many repeats may be made: a tenth of what is asked for the first time, so that trouble does
 * not multiply the load of a server that has too much of it already.
 *
 * Pure arithmetic on the caller's clock (milliseconds, never going back). A token bucket that
 * answered first attempts fill, and time, slowly: what is left at the end must end too.
 * Source: "Handling Overload", Site Reliability Engineering, chapter 21: a retry budget of 10 %. */
#ifndef PURSER_CORE_RETRY_BUDGET_H
#define PURSER_CORE_RETRY_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct retry_budget {
    int64_t millis; /* thousandths of a repeat that are there */
    int64_t filled_ms;
    uint32_t rate_millis; /* thousandths of a repeat a second that time brings */
};

/* Starts full. `rate_millis`: the rate of requests as it is now, 0 = no limit; a tenth of it, but
 * at least one repeat a second, is what time brings. */
void retry_budget_init(struct retry_budget *budget, uint32_t rate_millis, int64_t now_ms);

/* A first attempt was answered. */
void retry_budget_earn(struct retry_budget *budget);

/* Takes one repeat; false when there is none. */
bool retry_budget_take(struct retry_budget *budget, int64_t now_ms);

/* When there will be one if nothing is earned: ≤ now_ms = now. */
int64_t retry_budget_ready_at_ms(const struct retry_budget *budget, int64_t now_ms);

#endif
