/* What many rows in order come to, small enough for a file: a hash for each block of rows, so that
 * a difference has a place. The blocks grow with the number of rows; up to ROW_DIGEST_BLOCKS_MAX
 * rows each has its own. Against mistakes, not against an adversary. */
#ifndef PURSER_CORE_ROW_DIGEST_H
#define PURSER_CORE_ROW_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/checksum.h"

#define ROW_DIGEST_BLOCKS_MAX 4096
#define ROW_DIGEST_ROWS_EACH_MAX (1u << 30)

struct row_digest {
    uint64_t blocks[ROW_DIGEST_BLOCKS_MAX]; /* when they grow */
    size_t block_count;                     /* blocks that are complete */
    uint64_t last;                          /* the newest of them */
    uint32_t rows_each;                     /* a power of two */
    bool grows;
    uint64_t row_count;
    uint64_t levels[32]; /* of the open block: halves that wait for their other half */
    uint32_t open_rows;
};

/* With rows_each = 0 the blocks grow as needed and are kept; else they have that many rows, a power
 * of two, and the caller looks at each when it is complete. */
void row_digest_init(struct row_digest *digest, uint32_t rows_each);

/* True when a block is complete. */
bool row_digest_add(struct row_digest *digest, struct hash128 row);

/* After the last row; true when that has completed a block, the last and smaller one. */
bool row_digest_end(struct row_digest *digest);

#endif
