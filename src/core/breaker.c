#include "purser/core/breaker.h"

#include <assert.h>
#include <string.h>

#include "purser/core/backoff.h"

/* Source: reliability practice of large services; "Handling Overload", Site Reliability
 * Engineering, chapter 21. The figures are a choice. */
enum {
    SPAN_MS = 5000,
    JUDGED_MIN = 20, /* exchanges, before anything is said of them */
    PROBE_FIRST_MS = 1000,
    PROBE_MAX_MS = 60 * 1000,
};

void breaker_init(struct breaker *breaker)
{
    memset(breaker, 0, sizeof *breaker);
}

static void count(struct breaker *breaker, bool trouble, int64_t now_ms)
{
    int64_t number = now_ms / SPAN_MS;
    size_t i = (size_t)(number % BREAKER_SPANS);

    if (breaker->spans[i].number != number) {
        breaker->spans[i].number = number;
        breaker->spans[i].good = breaker->spans[i].trouble = 0;
    }
    if (trouble)
        breaker->spans[i].trouble++;
    else
        breaker->spans[i].good++;
}

static bool is_storm(const struct breaker *breaker, int64_t now_ms)
{
    uint64_t good = 0, trouble = 0;

    for (size_t i = 0; i < BREAKER_SPANS; i++) {
        if (now_ms / SPAN_MS - breaker->spans[i].number >= BREAKER_SPANS)
            continue;
        good += breaker->spans[i].good;
        trouble += breaker->spans[i].trouble;
    }
    return good + trouble >= JUDGED_MIN && trouble >= good;
}

int64_t breaker_ready_at_ms(const struct breaker *breaker, int64_t now_ms)
{
    if (!breaker->open)
        return now_ms;
    return breaker->probing ? INT64_MAX : breaker->probe_at_ms;
}

bool breaker_take(struct breaker *breaker, int64_t now_ms)
{
    assert(breaker_ready_at_ms(breaker, now_ms) <= now_ms);
    breaker->probing = breaker->open;
    return breaker->probing;
}

/* Half to the whole of the backoff: a probe at once would be none. */
static void probe_later(struct breaker *breaker, int64_t now_ms, uint32_t random)
{
    uint32_t shift = breaker->failed_probes < 6 ? breaker->failed_probes : 6;
    int64_t most_ms = (int64_t)PROBE_FIRST_MS << shift;

    if (most_ms > PROBE_MAX_MS)
        most_ms = PROBE_MAX_MS;
    breaker->probe_at_ms = now_ms + most_ms / 2 + backoff_delay_ms(1, most_ms / 2, most_ms, random);
}

void breaker_answered(struct breaker *breaker, bool trouble, bool was_probe, int64_t now_ms,
                      uint32_t random)
{
    if (was_probe)
        breaker->probing = false;
    if (breaker->open && !trouble) {
        breaker_init(breaker);
        return;
    }
    if (breaker->open) {
        if (was_probe) {
            breaker->failed_probes++;
            probe_later(breaker, now_ms, random);
        }
        return;
    }
    count(breaker, trouble, now_ms);
    if (trouble && is_storm(breaker, now_ms)) {
        breaker->open = true;
        probe_later(breaker, now_ms, random);
    }
}
