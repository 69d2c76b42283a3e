/* Min-heap of (due time, tag), four children a node.
 *
 * Entries are not removed from the middle: who changes his mind pushes again and ignores the
 * entry that no longer fits when it comes up. */
#ifndef PURSER_BASE_HEAP_H
#define PURSER_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "purser/base/err.h"

struct heap_entry {
    int64_t due_ms;
    uint64_t tag;
};

struct heap {
    struct heap_entry *entries;
    size_t count, capacity;
};

void heap_init(struct heap *heap);
void heap_deinit(struct heap *heap);

/* Makes room for `count` entries in all; later pushes up to there cannot fail. */
enum err_code heap_reserve(struct heap *heap, size_t count) ERR_CHECKED;

/* Errors: ERR_NO_MEMORY, the heap is then unchanged. */
enum err_code heap_push(struct heap *heap, int64_t due_ms, uint64_t tag) ERR_CHECKED;

/* The earliest entry; false when empty. Equal times come out in order of their tag. */
bool heap_peek(const struct heap *heap, struct heap_entry *entry_out);
void heap_pop(struct heap *heap);

#endif
