#include "purser/core/row_digest.h"

#include <assert.h>
#include <string.h>

void row_digest_init(struct row_digest *digest, uint32_t rows_each)
{
    assert((rows_each & (rows_each - 1)) == 0 || rows_each == 0);
    memset(digest, 0, sizeof *digest);
    digest->grows = rows_each == 0;
    digest->rows_each = rows_each == 0 ? 1 : rows_each;
}

static uint64_t join(uint64_t first, uint64_t second)
{
    const uint64_t both[] = {first, second};

    return checksum64(both, sizeof both);
}

/* As if the blocks had been twice as long from the beginning. */
static void grow(struct row_digest *digest)
{
    for (size_t i = 0; i < digest->block_count / 2; i++)
        digest->blocks[i] = join(digest->blocks[2 * i], digest->blocks[2 * i + 1]);
    digest->block_count /= 2;
    digest->rows_each *= 2;
}

static void keep(struct row_digest *digest, uint64_t block)
{
    if (digest->grows)
        digest->blocks[digest->block_count] = block;
    digest->last = block;
    digest->block_count++;
    digest->open_rows = 0;
}

bool row_digest_add(struct row_digest *digest, struct hash128 row)
{
    uint64_t hash = join(row.high, row.low);
    uint32_t level = 0;

    if (digest->grows && digest->block_count == ROW_DIGEST_BLOCKS_MAX)
        grow(digest);
    /* A binary counter: two equal halves become one of the next level. */
    for (uint32_t rows = digest->open_rows; (rows & 1) != 0; rows >>= 1)
        hash = join(digest->levels[level++], hash);
    digest->levels[level] = hash;
    digest->row_count++;
    digest->open_rows++;
    if (digest->open_rows < digest->rows_each)
        return false;
    keep(digest, hash);
    return true;
}

bool row_digest_end(struct row_digest *digest)
{
    uint64_t hash = 0;
    bool is_first = true;

    if (digest->open_rows == 0)
        return false;
    for (uint32_t level = 0; level < 32; level++) {
        if ((digest->open_rows >> level & 1) == 0)
            continue;
        hash = is_first ? digest->levels[level] : join(digest->levels[level], hash);
        is_first = false;
    }
    assert(!digest->grows || digest->block_count < ROW_DIGEST_BLOCKS_MAX);
    keep(digest, hash);
    return true;
}
