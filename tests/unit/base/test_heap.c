#include "purser/base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "purser/base/mem.h"
#include "purser/base/rng.h"
static int no_block_is_left(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    return mem_test_live_count() == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_teardown(name, no_block_is_left)

static int compare(const void *left, const void *right)
{
    const struct heap_entry *a = left, *b = right;

    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms ? -1 : 1;
    return a->tag < b->tag ? -1 : a->tag > b->tag ? 1 : 0;
}

static void entries_come_out_as_a_sort_would_put_them(void **state)
{
    enum { MAX = 500 };
    static struct heap_entry sorted[MAX];
    struct rng rng;
    struct heap heap;

    (void)state;
    rng_init(&rng, 1);
    heap_init(&heap);
    for (size_t count = 0; count < MAX; count += 1 + count / 8) {
        struct heap_entry entry;

        for (size_t i = 0; i < count; i++) {
            /* few times, so that many are equal */
            sorted[i] =
                (struct heap_entry){(int64_t)rng_below(&rng, 20) - 10, rng_below(&rng, 1000)};
            assert_int_equal(heap_push(&heap, sorted[i].due_ms, sorted[i].tag), ERR_OK);
        }
        qsort(sorted, count, sizeof *sorted, compare);
        for (size_t i = 0; i < count; i++) {
            assert_true(heap_peek(&heap, &entry));
            assert_int_equal(entry.due_ms, sorted[i].due_ms);
            assert_int_equal(entry.tag, sorted[i].tag);
            heap_pop(&heap);
        }
        assert_false(heap_peek(&heap, &entry));
    }
    heap_deinit(&heap);
}

static void pushes_between_pops_keep_the_order(void **state)
{
    struct rng rng;
    struct heap heap;
    struct heap_entry entry;
    int64_t now = 0;

    (void)state;
    rng_init(&rng, 2);
    heap_init(&heap);
    for (uint64_t i = 0; i < 10000; i++) {
        assert_int_equal(heap_push(&heap, now + (int64_t)rng_below(&rng, 50), i), ERR_OK);
        if (rng_below(&rng, 3) == 0)
            continue;
        assert_true(heap_peek(&heap, &entry));
        assert_true(entry.due_ms >= now);
        now = entry.due_ms;
        heap_pop(&heap);
    }
    heap_deinit(&heap);
}

static void push_within_what_is_reserved_cannot_fail(void **state)
{
    struct heap heap;

    (void)state;
    heap_init(&heap);
    assert_int_equal(heap_reserve(&heap, 100), ERR_OK);
    mem_test_fail(0, 1);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(heap_push(&heap, 0, i), ERR_OK);
    assert_int_equal(heap_push(&heap, 0, 100), ERR_NO_MEMORY);
    assert_int_equal(heap.count, 100);
    assert_int_equal(heap_reserve(&heap, 101), ERR_NO_MEMORY);
    assert_int_equal(heap_reserve(&heap, 50), ERR_OK);
    heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_come_out_as_a_sort_would_put_them),
        TEST(pushes_between_pops_keep_the_order),
        TEST(push_within_what_is_reserved_cannot_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
