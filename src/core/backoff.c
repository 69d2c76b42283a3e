#include "purser/core/backoff.h"

#include <assert.h>

int64_t backoff_delay_ms(uint32_t trouble, int64_t first_ms, int64_t max_ms, uint32_t random)
{
    int64_t cap_ms = first_ms;

    assert(trouble >= 1 && first_ms >= 1 && max_ms >= first_ms && max_ms <= INT64_MAX / 4);
    for (uint32_t i = 1; i < trouble && cap_ms < max_ms; i++)
        cap_ms *= 2;
    if (cap_ms > max_ms)
        cap_ms = max_ms;
    /* A whole number drawn from [0, cap) by the upper bits, then one more. */
    return 1 + (int64_t)(((unsigned __int128)random * (uint64_t)cap_ms) >> 32);
}
