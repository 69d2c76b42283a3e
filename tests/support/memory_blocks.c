#include "memory_blocks.h"

#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCKS_MAX = 1 << 19 }; /* a power of two; far more than are alive at once */

static struct block *blocks; /* by address; not in the data of this object, which is searched */
static _Atomic bool blocks_locked;

static void *pages(size_t size)
{
    void *memory = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        abort();
    return memory;
}

void blocks_begin(void)
{
    blocks = pages(BLOCKS_MAX * sizeof *blocks);
}

/* ---- the blocks that are alive ---- */

static void lock_blocks(void)
{
    while (atomic_exchange_explicit(&blocks_locked, true, memory_order_acquire))
        continue;
}

static void unlock_blocks(void)
{
    atomic_store_explicit(&blocks_locked, false, memory_order_release);
}

static struct block *find_block(const void *start)
{
    size_t at = (size_t)(((uintptr_t)start >> 4) * 0x9e3779b97f4a7c15ULL >> 40) & (BLOCKS_MAX - 1);

    for (size_t looks = 0; looks < BLOCKS_MAX; looks++, at = (at + 1) & (BLOCKS_MAX - 1))
        if (blocks[at].start == NULL || blocks[at].start == start)
            return &blocks[at];
    abort();
}

void blocks_add(const struct block *block)
{
    struct block *place;

    if (block->start == NULL || blocks == NULL)
        return;
    lock_blocks();
    place = find_block(block->start);
    *place = *block;
    place->alive = true;
    unlock_blocks();
}

void blocks_remove(const void *start)
{
    if (start == NULL || blocks == NULL)
        return;
    lock_blocks();
    find_block(start)->alive = false;
    unlock_blocks();
}

/* ---- what is leaked ---- */

static struct {
    struct block **sorted;
    size_t count;
    struct block **todo;
    size_t todo_count;
} search;

static struct block *block_around(uintptr_t address)
{
    size_t low = 0, high = search.count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if ((uintptr_t)search.sorted[middle]->start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    return address - (uintptr_t)search.sorted[low - 1]->start < search.sorted[low - 1]->size ||
                   address == (uintptr_t)search.sorted[low - 1]->start
               ? search.sorted[low - 1]
               : NULL;
}

__attribute__((no_sanitize("address"))) static void search_range(uintptr_t from, uintptr_t to)
{
    from = (from + sizeof(void *) - 1) & ~(uintptr_t)(sizeof(void *) - 1);
    for (; from + sizeof(void *) <= to; from += sizeof(void *)) {
        struct block *block = block_around(*(const uintptr_t *)from);

        if (block != NULL && !block->reached) {
            block->reached = true;
            search.todo[search.todo_count++] = block;
        }
    }
}

static int search_object(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        uintptr_t start = object->dlpi_addr + segment->p_vaddr;

        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) != 0)
            search_range(start, start + segment->p_memsz);
        if (segment->p_type == PT_TLS && object->dlpi_tls_data != NULL)
            search_range((uintptr_t)object->dlpi_tls_data,
                         (uintptr_t)object->dlpi_tls_data + segment->p_memsz);
    }
    return 0;
}

static int by_start(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)(*(struct block *const *)a)->start;
    uintptr_t right = (uintptr_t)(*(struct block *const *)b)->start;

    return (left > right) - (left < right);
}

/* The C library keeps what pthread_setspecific is given in the thread's descriptor. */
enum { DESCRIPTOR_BYTES = 2304 };

void blocks_search(void (*tell)(const struct block *block, void *context), void *context)
{
    extern void *__libc_stack_end;
    void *here = NULL;

    if (blocks == NULL)
        return;
    search.sorted = pages(BLOCKS_MAX * sizeof(void *));
    search.todo = pages(BLOCKS_MAX * sizeof(void *));
    for (size_t i = 0; i < BLOCKS_MAX; i++)
        if (blocks[i].alive)
            search.sorted[search.count++] = &blocks[i];
    qsort(search.sorted, search.count, sizeof(void *), by_start);
    __builtin_unwind_init(); /* what is in registers lies on the stack from here */
    search_range((uintptr_t)&here, (uintptr_t)__libc_stack_end);
    search_range((uintptr_t)pthread_self(), (uintptr_t)pthread_self() + DESCRIPTOR_BYTES);
    dl_iterate_phdr(search_object, NULL);
    while (search.todo_count > 0) {
        struct block *block = search.todo[--search.todo_count];

        search_range((uintptr_t)block->start, (uintptr_t)block->start + block->size);
    }
    for (size_t i = 0; i < search.count; i++)
        if (!search.sorted[i]->reached)
            tell(search.sorted[i], context);
}
