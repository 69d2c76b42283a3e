#include "purser/base/heap.h"

#include <assert.h>

#include "purser/base/mem.h"

enum { CHILDREN = 4 };

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_deinit(struct heap *heap)
{
    mem_free(heap->entries);
    heap_init(heap);
}

enum err_code heap_reserve(struct heap *heap, size_t count)
{
    struct heap_entry *grown;

    if (count <= heap->capacity)
        return ERR_OK;
    grown = mem_resize(heap->entries, count, sizeof *grown);
    if (grown == NULL)
        return ERR_NO_MEMORY;
    heap->entries = grown;
    heap->capacity = count;
    return ERR_OK;
}

static bool before(struct heap_entry a, struct heap_entry b)
{
    return a.due_ms < b.due_ms || (a.due_ms == b.due_ms && a.tag < b.tag);
}

enum err_code heap_push(struct heap *heap, int64_t due_ms, uint64_t tag)
{
    struct heap_entry entry = {due_ms, tag};
    size_t at = heap->count;

    if (heap->count == heap->capacity &&
        heap_reserve(heap, heap->capacity < 32 ? 64 : heap->capacity * 2) != ERR_OK)
        return ERR_NO_MEMORY;
    heap->count++;
    while (at > 0) {
        size_t parent = (at - 1) / CHILDREN;

        if (!before(entry, heap->entries[parent]))
            break;
        heap->entries[at] = heap->entries[parent];
        at = parent;
    }
    heap->entries[at] = entry;
    return ERR_OK;
}

bool heap_peek(const struct heap *heap, struct heap_entry *entry_out)
{
    if (heap->count == 0)
        return false;
    *entry_out = heap->entries[0];
    return true;
}

void heap_pop(struct heap *heap)
{
    struct heap_entry last;
    size_t at = 0;

    assert(heap->count > 0);
    last = heap->entries[--heap->count];
    for (;;) {
        size_t first = at * CHILDREN + 1, least = first;

        if (first >= heap->count)
            break;
        for (size_t child = first + 1; child < first + CHILDREN && child < heap->count; child++)
            if (before(heap->entries[child], heap->entries[least]))
                least = child;
        if (!before(heap->entries[least], last))
            break;
        heap->entries[at] = heap->entries[least];
        at = least;
    }
    heap->entries[at] = last;
}
