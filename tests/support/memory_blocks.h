/* The blocks of memory that a process has, and which of them nothing points to any more.
 *
 * A block is leaked if no pointer to it, or into it, is found in the data of any object, on the
 * stack, in the thread's own memory or in a block that is not leaked itself. Nothing here allocates
 * by way of libc: this is for what stands in its place. */
#ifndef MEMORY_BLOCKS_H
#define MEMORY_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    void *start; /* NULL: never used; itself is kept when the block is freed */
    size_t size;
    uint64_t number; /* of the call that made it, in its thread */
    void *caller;
    int32_t thread;
    bool alive, reached;
};

/* Until this is called nothing is kept. Ends the process when there is no memory. */
void blocks_begin(void);
/* From any thread. A start of NULL is nothing. */
void blocks_add(const struct block *block);
void blocks_remove(const void *start);
/* Calls `tell` for each block that is leaked; once, when the process ends. */
void blocks_search(void (*tell)(const struct block *block, void *context), void *context);

#endif
