/* The only caller of malloc. Tests make call N fail.
 *
 * Memory from here is freed with mem_free() alone. */
#ifndef PURSER_BASE_MEM_H
#define PURSER_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory for `count` objects of `size` bytes; NULL when there is none or on overflow. */
void *mem_new(size_t count, size_t size);

/* Grows or shrinks `block` (NULL: new) to `count` × `size` bytes. New bytes are undefined.
 * NULL when there is none; `block` is then untouched and still the caller's. */
void *mem_resize(void *block, size_t count, size_t size);

/* A copy of `length` bytes with a NUL after it; NULL when there is none. */
char *mem_copy_text(const char *text, size_t length);

void mem_free(void *block);

/* Overwrites `size` bytes in a way that the compiler keeps, then frees. For secrets. */
void mem_free_secret(void *block, size_t size);

/* How many allocations have failed in this process. When it has grown, what was made meanwhile may
 * lack something, and what was refused may be right. */
uint64_t mem_failure_count(void);

/* For tests: the allocation number `nth` from now (0 = next) fails, and with `sticky` all after
 * it. A negative `nth` switches failing off. */
void mem_test_fail(int64_t nth, int sticky);

/* For tests: blocks that are allocated and not freed. */
int64_t mem_test_live_count(void);

#endif
