/* SHA-256. Owner of the cryptographic library. */
#ifndef PURSER_BASE_DIGEST_H
#define PURSER_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32

struct digest_part {
    const void *bytes;
    size_t length;
};

/* SHA-256 over the parts, each preceded by its length as 8 bytes big-endian, so that no two
 * different lists of parts have the same input. */
void digest_parts(const struct digest_part *parts, size_t count, uint8_t digest_out[DIGEST_BYTES]);

/* SHA-256 of plain bytes. */
void digest_bytes(const void *bytes, size_t length, uint8_t digest_out[DIGEST_BYTES]);

#endif
