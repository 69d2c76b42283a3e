/* Memory that is given back in one call: a loaded spec, a row and what is made of it.
 *
 * Not for data that grows with the number of items. */
#ifndef PURSER_BASE_ARENA_H
#define PURSER_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* in all blocks */
    size_t max_bytes;
};

/* An empty arena that never holds more than `max_bytes`. */
void arena_init(struct arena *arena, size_t max_bytes);

/* Frees everything. */
void arena_deinit(struct arena *arena);

/* Forgets everything but keeps one block for reuse: cheap, for use once a row. */
void arena_clear(struct arena *arena);

/* Zeroed memory, aligned for any type; NULL when there is none or the maximum is reached. */
void *arena_new(struct arena *arena, size_t count, size_t size);

/* A copy of `length` bytes with a NUL after it; NULL as above. */
char *arena_copy_text(struct arena *arena, const char *text, size_t length);

#endif
