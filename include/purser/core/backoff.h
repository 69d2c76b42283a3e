/* Exponential backoff with full jitter, and nothing else. */
#ifndef PURSER_CORE_BACKOFF_H
#define PURSER_CORE_BACKOFF_H

#include <stdint.h>

/* A delay drawn evenly from [0, min(first_ms × 2^(trouble - 1), max_ms)], for the `trouble`-th
 * trouble in a row (from 1), but at least one millisecond.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015): full jitter. */
int64_t backoff_delay_ms(uint32_t trouble, int64_t first_ms, int64_t max_ms, uint32_t random);

#endif
