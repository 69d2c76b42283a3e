/* Many rows in order as a few hashes: a difference is seen, and has a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "purser/core/row_digest.h"

static struct row_digest grown, fixed; /* too large for the stack */

static struct hash128 row(uint64_t number)
{
    return checksum128(&number, sizeof number);
}

static void grow_over(uint64_t count)
{
    row_digest_init(&grown, 0);
    for (uint64_t i = 0; i < count; i++)
        row_digest_add(&grown, row(i));
    row_digest_end(&grown);
}

/* The first block that differs when row `changed` is another one; SIZE_MAX = none does. */
static size_t first_difference(uint64_t count, uint64_t changed)
{
    row_digest_init(&fixed, grown.rows_each);
    for (uint64_t i = 0; i < count; i++)
        if (row_digest_add(&fixed, i == changed ? row(i + 1000000) : row(i)) &&
            fixed.last != grown.blocks[fixed.block_count - 1])
            return fixed.block_count - 1;
    if (row_digest_end(&fixed) && fixed.last != grown.blocks[fixed.block_count - 1])
        return fixed.block_count - 1;
    assert_int_equal(fixed.block_count, grown.block_count);
    return SIZE_MAX;
}

static void each_row_has_its_own_block_as_long_as_there_is_room(void **context)
{
    (void)context;
    grow_over(ROW_DIGEST_BLOCKS_MAX);
    assert_int_equal(grown.rows_each, 1);
    assert_int_equal(grown.block_count, ROW_DIGEST_BLOCKS_MAX);
    grow_over(ROW_DIGEST_BLOCKS_MAX + 1);
    assert_int_equal(grown.rows_each, 2);
    assert_int_equal(grown.block_count, ROW_DIGEST_BLOCKS_MAX / 2 + 1);
}

static void blocks_that_grew_are_those_that_were_long_from_the_beginning(void **context)
{
    static const uint64_t counts[] = {0, 1, 4095, 4096, 4097, 8192, 8193, 20000, 50001};
    (void)context;

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        grow_over(counts[i]);
        assert_int_equal(grown.row_count, counts[i]);
        assert_in_range(grown.block_count, 0, ROW_DIGEST_BLOCKS_MAX);
        assert_true(first_difference(counts[i], UINT64_MAX) == SIZE_MAX);
    }
}

static void a_changed_row_is_found_in_its_block(void **context)
{
    static const uint64_t changed[] = {0, 1, 15, 16, 12345, 50000};
    (void)context;

    grow_over(50001);
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
        assert_int_equal(first_difference(50001, changed[i]), changed[i] / grown.rows_each);
}

static void the_order_of_rows_counts(void **context)
{
    uint64_t first;
    (void)context;

    row_digest_init(&fixed, 2);
    row_digest_add(&fixed, row(1));
    row_digest_add(&fixed, row(2));
    first = fixed.last;
    row_digest_init(&fixed, 2);
    row_digest_add(&fixed, row(2));
    row_digest_add(&fixed, row(1));
    assert_true(first != fixed.last);
}

/* Blocks of eight rows, the last one cut off after `count`; row `changed` is another one. */
static uint64_t last_of(uint64_t count, uint64_t changed)
{
    row_digest_init(&fixed, 8);
    for (uint64_t i = 0; i < count; i++)
        assert_false(row_digest_add(&fixed, i == changed ? row(i + 1000000) : row(i)));
    assert_true(row_digest_end(&fixed));
    return fixed.last;
}

static void a_block_that_is_cut_off_depends_on_each_of_its_rows(void **context)
{
    (void)context;
    for (uint64_t count = 1; count < 8; count++) {
        uint64_t whole = last_of(count, UINT64_MAX);

        for (uint64_t changed = 0; changed < count; changed++)
            assert_true(last_of(count, changed) != whole);
        for (uint64_t other = 1; other < count; other++)
            assert_true(last_of(other, UINT64_MAX) != whole);
    }
}

static uint64_t joined(uint64_t first, uint64_t second)
{
    const uint64_t both[] = {first, second};

    return checksum64(both, sizeof both);
}

static uint64_t hash_of(uint64_t number)
{
    return joined(row(number).high, row(number).low);
}

/* Stored: runs of other versions must come to the same. */
static void a_block_is_the_hash_of_its_halves(void **context)
{
    uint64_t pairs[4], first_four;
    (void)context;

    for (uint64_t i = 0; i < 4; i++)
        pairs[i] = joined(hash_of(2 * i), hash_of(2 * i + 1));
    first_four = joined(pairs[0], pairs[1]);
    assert_true(last_of(1, UINT64_MAX) == hash_of(0));
    assert_true(last_of(2, UINT64_MAX) == pairs[0]);
    assert_true(last_of(3, UINT64_MAX) == joined(pairs[0], hash_of(2)));
    assert_true(last_of(4, UINT64_MAX) == first_four);
    assert_true(last_of(5, UINT64_MAX) == joined(first_four, hash_of(4)));
    assert_true(last_of(6, UINT64_MAX) == joined(first_four, pairs[2]));
    assert_true(last_of(7, UINT64_MAX) == joined(first_four, joined(pairs[2], hash_of(6))));
    row_digest_init(&fixed, 8);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(row_digest_add(&fixed, row(i)), i == 7);
    assert_true(fixed.last == joined(first_four, joined(pairs[2], pairs[3])));
}

static void blocks_of_a_given_length_do_not_grow_and_are_not_kept(void **context)
{
    (void)context;
    row_digest_init(&fixed, 1);
    assert_false(fixed.grows);
    for (uint64_t i = 0; i < 2 * ROW_DIGEST_BLOCKS_MAX; i++)
        assert_true(row_digest_add(&fixed, row(i)));
    assert_int_equal(fixed.block_count, 2 * ROW_DIGEST_BLOCKS_MAX);
    assert_int_equal(fixed.rows_each, 1);
    assert_int_equal(fixed.blocks[0], 0);
}

static void no_block_is_open_behind_a_complete_one(void **context)
{
    (void)context;
    row_digest_init(&fixed, 1);
    assert_false(row_digest_end(&fixed));
    row_digest_add(&fixed, row(1));
    assert_false(row_digest_end(&fixed));
    assert_int_equal(fixed.block_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_its_own_block_as_long_as_there_is_room),
        cmocka_unit_test(blocks_that_grew_are_those_that_were_long_from_the_beginning),
        cmocka_unit_test(a_changed_row_is_found_in_its_block),
        cmocka_unit_test(a_block_is_the_hash_of_its_halves),
        cmocka_unit_test(blocks_of_a_given_length_do_not_grow_and_are_not_kept),
        cmocka_unit_test(no_block_is_open_behind_a_complete_one),
        cmocka_unit_test(the_order_of_rows_counts),
        cmocka_unit_test(a_block_that_is_cut_off_depends_on_each_of_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
