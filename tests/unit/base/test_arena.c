#include "purser/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdalign.h>
#include <stdint.h>

#include "purser/base/mem.h"
static int no_block_is_left(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    return mem_test_live_count() == 0 ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_teardown(name, no_block_is_left)

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    static const unsigned char zeros[40000];
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t round = 0; round < 2; round++) {
        unsigned char *before = NULL;

        for (size_t size = 1; size < 300; size++) {
            unsigned char *block = arena_new(&arena, size, 1);

            assert_int_equal((uintptr_t)block % alignof(max_align_t), 0);
            assert_memory_equal(block, zeros, size);
            memset(block, 0xff, size);
            assert_true(before == NULL || before[0] == 0xff);
            before = block;
        }
        assert_memory_equal(arena_new(&arena, 1, sizeof zeros), zeros, sizeof zeros);
        arena_clear(&arena); /* used memory comes back zeroed */
    }
    arena_deinit(&arena);
}

static void maximum_can_be_reached_but_not_passed(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 64);
    assert_non_null(arena_new(&arena, 3, 16));
    assert_non_null(arena_new(&arena, 1, 1));
    assert_null(arena_new(&arena, 1, 1));
    arena_clear(&arena);
    assert_non_null(arena_new(&arena, 1, 64));
    arena_clear(&arena);
    assert_null(arena_new(&arena, 1, 65));
    assert_null(arena_new(&arena, SIZE_MAX, 1));
    assert_null(arena_new(&arena, SIZE_MAX / 2, 4));
    assert_null(arena_copy_text(&arena, "a", SIZE_MAX));
    arena_deinit(&arena);
}

static void nothing_asked_is_still_an_answer(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 64);
    assert_non_null(arena_new(&arena, 0, 8));
    arena_deinit(&arena);
}

static void copies_end_with_nul(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1000);
    assert_string_equal(arena_copy_text(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy_text(&arena, NULL, 0), "");
    arena_deinit(&arena);
}

static void clearing_keeps_one_block_for_the_next_row(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 20);
    arena_clear(&arena);
    for (int i = 0; i < 10; i++)
        assert_non_null(arena_new(&arena, 1, 10000));
    assert_true(mem_test_live_count() > 1);
    arena_clear(&arena);
    assert_int_equal(mem_test_live_count(), 1);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena_new(&arena, 1, 10000));
    assert_int_equal(mem_test_live_count(), 1);
    arena_deinit(&arena);
}

static void lack_of_memory_gives_null_and_loses_nothing(void **state)
{
    struct arena arena;
    char *kept;

    (void)state;
    arena_init(&arena, 1 << 20);
    kept = arena_copy_text(&arena, "kept", 4);
    mem_test_fail(0, 0);
    assert_null(arena_new(&arena, 1, 100000));
    assert_string_equal(kept, "kept");
    assert_non_null(arena_new(&arena, 1, 100000));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_is_zeroed_aligned_and_apart),
        TEST(maximum_can_be_reached_but_not_passed),
        TEST(nothing_asked_is_still_an_answer),
        TEST(copies_end_with_nul),
        TEST(clearing_keeps_one_block_for_the_next_row),
        TEST(lack_of_memory_gives_null_and_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
