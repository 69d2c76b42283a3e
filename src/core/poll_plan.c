#include "purser/core/poll_plan.h"

#include <assert.h>

enum {
    LEARNED_ENOUGH = 8,
    FORGET_ABOVE = 4096,
    FIRST_DELAY_MS = 1000,
    DELAY_MAX_MS = 30000,
    DELAY_MIN_MS = 20,
};

/* Four buckets to each doubling, from 16 ms; the last one takes all above about 12 days. */
static int64_t upper_ms(int bucket)
{
    static const int64_t quarter_per_mille[] = {1000, 1189, 1414, 1682};

    return ((int64_t)16 << (bucket / 4)) * quarter_per_mille[bucket % 4] / 1000;
}

static int bucket_of(int64_t age_ms)
{
    int bucket = 0;

    while (bucket < POLL_PLAN_BUCKETS - 1 && upper_ms(bucket) < age_ms)
        bucket++;
    return bucket;
}

void poll_plan_learn(struct poll_plan *plan, int64_t pending_age_ms, int64_t finished_age_ms)
{
    int64_t middle_ms;

    if (pending_age_ms < 0 || pending_age_ms > finished_age_ms)
        pending_age_ms = 0;
    /* It ended somewhere between the two polls. Taking the later one would never learn that jobs
     * have become faster. */
    middle_ms = pending_age_ms + (finished_age_ms - pending_age_ms) / 2;
    plan->counts[bucket_of(middle_ms)]++;
    plan->total++;
    if (plan->total <= FORGET_ABOVE)
        return;
    plan->total = 0;
    for (int i = 0; i < POLL_PLAN_BUCKETS; i++) {
        plan->counts[i] /= 2;
        plan->total += plan->counts[i];
    }
}

static int64_t blind_delay_ms(uint32_t poll_count)
{
    int64_t delay_ms = FIRST_DELAY_MS;

    for (uint32_t i = 0; i < poll_count && delay_ms < DELAY_MAX_MS; i++)
        delay_ms = delay_ms * 3 / 2;
    return delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS;
}

int64_t poll_plan_delay_ms(const struct poll_plan *plan, int64_t age_ms, uint32_t poll_count,
                           bool busy)
{
    uint64_t surviving = 0;
    int first;
    int64_t delay_ms;

    assert(age_ms >= 0);
    if (plan->total < LEARNED_ENOUGH)
        return blind_delay_ms(poll_count);
    first = poll_count == 0 ? 0 : bucket_of(age_ms) + 1;
    for (int i = first; i < POLL_PLAN_BUCKETS; i++)
        surviving += plan->counts[i];
    /* Longer than almost all before it: a share of its own age. */
    delay_ms = age_ms / (busy ? 2 : 6);
    if (surviving > 0) {
        /* Fewer than survive, so one of the buckets passes it. */
        uint64_t wanted = surviving * (busy ? 7 : 4) / 10;
        uint64_t seen = plan->counts[first];
        int bucket = first;

        while (seen <= wanted)
            seen += plan->counts[++bucket];
        delay_ms = upper_ms(bucket) - age_ms;
    }
    if (delay_ms > DELAY_MAX_MS)
        delay_ms = DELAY_MAX_MS;
    return delay_ms > DELAY_MIN_MS ? delay_ms : DELAY_MIN_MS;
}
