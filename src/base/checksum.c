#include "purser/base/checksum.h"

#include <xxhash.h>

uint64_t checksum64(const void *bytes, size_t length)
{
    return XXH3_64bits(bytes, length);
}

struct hash128 checksum128(const void *bytes, size_t length)
{
    XXH128_hash_t hash = XXH3_128bits(bytes, length);

    return (struct hash128){.high = hash.high64, .low = hash.low64};
}
