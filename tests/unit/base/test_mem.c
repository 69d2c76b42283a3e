#include "purser/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Without this AddressSanitizer ends the program where an allocator has to give NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void new_memory_is_zeroed_and_counted(void **state)
{
    static const unsigned char zeros[100];
    void *block = mem_new(10, 10);

    (void)state;
    assert_memory_equal(block, zeros, 100);
    assert_int_equal(mem_test_live_count(), 1);
    mem_free(block);
    mem_free(NULL);
    assert_int_equal(mem_test_live_count(), 0);
}

static void sizes_that_overflow_give_nothing(void **state)
{
    void *block = mem_new(1, 16);

    (void)state;
    assert_null(mem_new(SIZE_MAX / 2, 3));
    assert_null(mem_resize(block, SIZE_MAX / 2, 3));
    assert_null(mem_copy_text("a", SIZE_MAX));
    mem_free(block);
    assert_int_equal(mem_test_live_count(), 0);
}

static void nothing_at_all_is_a_block_too(void **state)
{
    void *block = mem_new(0, 8);

    (void)state;
    assert_non_null(block);
    block = mem_resize(block, 0, 0);
    assert_non_null(block);
    mem_free(block);
    assert_int_equal(mem_test_live_count(), 0);
}

static void resized_block_keeps_its_bytes(void **state)
{
    char *block = mem_resize(NULL, 4, 1);

    (void)state;
    memcpy(block, "abc", 4);
    block = mem_resize(block, 10000, 1);
    assert_string_equal(block, "abc");
    assert_int_equal(mem_test_live_count(), 1);
    mem_free_secret(block, 10000);
    assert_int_equal(mem_test_live_count(), 0);
}

static void copied_text_ends_with_nul(void **state)
{
    char *copy = mem_copy_text("abcdef", 3);

    (void)state;
    assert_string_equal(copy, "abc");
    mem_free(copy);
    copy = mem_copy_text(NULL, 0);
    assert_string_equal(copy, "");
    mem_free(copy);
}

static void chosen_allocation_fails_once_or_from_then_on(void **state)
{
    void *blocks[6];

    (void)state;
    mem_test_fail(1, 0);
    for (int i = 0; i < 3; i++)
        blocks[i] = mem_new(1, 1);
    assert_non_null(blocks[0]);
    assert_null(blocks[1]);
    assert_non_null(blocks[2]);
    mem_test_fail(1, 1);
    blocks[3] = mem_copy_text("a", 1);
    blocks[4] = mem_resize(blocks[0], 2, 1);
    blocks[5] = mem_new(1, 1);
    assert_non_null(blocks[3]);
    assert_null(blocks[4]); /* blocks[0] is untouched and still ours */
    assert_null(blocks[5]);
    mem_test_fail(-1, 0);
    mem_free(blocks[0]);
    mem_free(blocks[2]);
    mem_free(blocks[3]);
    assert_int_equal(mem_test_live_count(), 0);
}

static void failures_are_counted(void **state)
{
    uint64_t before = mem_failure_count();
    char *block;

    (void)state;
    block = mem_copy_text("x", 1);
    assert_int_equal(mem_failure_count(), before);
    mem_test_fail(0, 1);
    assert_null(mem_new(1, 1));
    assert_null(mem_resize(block, 2, 1));
    assert_null(mem_copy_text("x", 1));
    mem_test_fail(-1, 0);
    assert_int_equal(mem_failure_count(), before + 3);
    mem_free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed_and_counted),
        cmocka_unit_test(sizes_that_overflow_give_nothing),
        cmocka_unit_test(nothing_at_all_is_a_block_too),
        cmocka_unit_test(resized_block_keeps_its_bytes),
        cmocka_unit_test(copied_text_ends_with_nul),
        cmocka_unit_test(chosen_allocation_fails_once_or_from_then_on),
        cmocka_unit_test(failures_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
