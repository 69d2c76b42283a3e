#include "purser/core/retry_budget.h"

enum {
    WHOLE = 1000,
    SHARE = 10, /* first attempts for one repeat */
    BURST = 32, /* repeats: what a short trouble breaks is mended at once */
    RATE_MIN_MILLIS = 1000,
    RATE_UNLIMITED_MILLIS = 10000,
};

void retry_budget_init(struct retry_budget *budget, uint32_t rate_millis, int64_t now_ms)
{
    *budget = (struct retry_budget){.millis = (int64_t)BURST * WHOLE, .filled_ms = now_ms};
    budget->rate_millis = rate_millis == 0 ? RATE_UNLIMITED_MILLIS : rate_millis / SHARE;
    if (budget->rate_millis < RATE_MIN_MILLIS)
        budget->rate_millis = RATE_MIN_MILLIS;
}

static int64_t capped(int64_t millis)
{
    return millis > (int64_t)BURST * WHOLE ? (int64_t)BURST * WHOLE : millis;
}

void retry_budget_earn(struct retry_budget *budget)
{
    budget->millis = capped(budget->millis + WHOLE / SHARE);
}

/* A whole budget is there after BURST seconds at the most; a longer time would only overflow. */
static int64_t filled(const struct retry_budget *budget, int64_t now_ms)
{
    int64_t passed_ms = now_ms - budget->filled_ms;

    if (passed_ms > (int64_t)BURST * 1000)
        passed_ms = (int64_t)BURST * 1000;
    return capped(budget->millis + passed_ms * budget->rate_millis / 1000);
}

bool retry_budget_take(struct retry_budget *budget, int64_t now_ms)
{
    int64_t there = filled(budget, now_ms);

    if (there < WHOLE)
        return false;
    budget->millis = there - WHOLE;
    budget->filled_ms = now_ms;
    return true;
}

int64_t retry_budget_ready_at_ms(const struct retry_budget *budget, int64_t now_ms)
{
    int64_t missing = WHOLE - filled(budget, now_ms);

    if (missing <= 0)
        return now_ms;
    return now_ms + (missing * 1000 + budget->rate_millis - 1) / budget->rate_millis;
}
