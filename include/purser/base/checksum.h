/* Fast hashes that protect against damage and find equal things; not against an adversary.
 * Owner of xxHash. */
#ifndef PURSER_BASE_CHECKSUM_H
#define PURSER_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash128 {
    uint64_t high, low;
};

/* XXH3, 64 bits. */
uint64_t checksum64(const void *bytes, size_t length);

/* XXH3, 128 bits: equal for equal bytes; for practical purposes never equal for others. */
struct hash128 checksum128(const void *bytes, size_t length);

static inline bool hash128_equal(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

#endif
