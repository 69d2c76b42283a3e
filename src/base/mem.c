#include "purser/base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t live_count;
static _Atomic int64_t fail_in = -1;
static _Atomic int fail_sticky;

static _Atomic uint64_t failure_count;

static void *count_failure(void *block)
{
    if (block == NULL)
        atomic_fetch_add(&failure_count, 1);
    return block;
}

static bool fails_now(void)
{
    int64_t left = atomic_load(&fail_in);

    if (left < 0)
        return false;
    if (left == 0) {
        if (!atomic_load(&fail_sticky))
            atomic_store(&fail_in, -1);
        return true;
    }
    atomic_store(&fail_in, left - 1);
    return false;
}

void *mem_new(size_t count, size_t size)
{
    void *block = fails_now() ? NULL : calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (block != NULL)
        atomic_fetch_add(&live_count, 1);
    return count_failure(block);
}

void *mem_resize(void *block, size_t count, size_t size)
{
    void *grown =
        fails_now() ? NULL : reallocarray(block, count > 0 ? count : 1, size > 0 ? size : 1);

    if (grown != NULL && block == NULL)
        atomic_fetch_add(&live_count, 1);
    return count_failure(grown);
}

char *mem_copy_text(const char *text, size_t length)
{
    char *copy = length == SIZE_MAX ? NULL : mem_new(length + 1, 1);

    if (copy != NULL && length > 0)
        memcpy(copy, text, length);
    return copy;
}

uint64_t mem_failure_count(void)
{
    return atomic_load(&failure_count);
}

void mem_free(void *block)
{
    if (block == NULL)
        return;
    atomic_fetch_sub(&live_count, 1);
    free(block);
}

void mem_free_secret(void *block, size_t size)
{
    if (block != NULL)
        explicit_bzero(block, size);
    mem_free(block);
}

void mem_test_fail(int64_t nth, int sticky)
{
    atomic_store(&fail_sticky, sticky);
    atomic_store(&fail_in, nth);
}

int64_t mem_test_live_count(void)
{
    return atomic_load(&live_count);
}
