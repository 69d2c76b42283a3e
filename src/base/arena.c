#include "purser/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "purser/base/mem.h"

enum { BLOCK_BYTES = 16 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max_bytes = max_bytes};
}

static void free_blocks(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *older = block->older;

        mem_free(block);
        block = older;
    }
}

void arena_deinit(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena_init(arena, arena->max_bytes);
}

void arena_clear(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;

    if (kept == NULL)
        return;
    free_blocks(kept->older);
    kept->older = NULL;
    kept->used = 0;
    arena->used_bytes = 0;
}

void *arena_new(struct arena *arena, size_t count, size_t size)
{
    struct arena_block *block = arena->blocks;
    size_t bytes, rounded;
    void *place;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > arena->max_bytes)
        return NULL;
    rounded = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (rounded > arena->max_bytes - arena->used_bytes)
        return NULL;
    if (block == NULL || block->size - block->used < rounded) {
        size_t block_bytes = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;

        block = mem_new(1, sizeof *block + block_bytes);
        if (block == NULL)
            return NULL;
        block->size = block_bytes;
        block->older = arena->blocks;
        arena->blocks = block;
    }
    place = block->bytes + block->used;
    memset(place, 0, rounded);
    block->used += rounded;
    arena->used_bytes += rounded;
    return place;
}

char *arena_copy_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : arena_new(arena, length + 1, 1);

    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    return copy;
}
