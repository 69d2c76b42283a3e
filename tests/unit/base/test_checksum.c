#include "purser/base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Source: xxHash, doc/xxhash_spec.md: XXH3 of nothing with seed 0. */
static void hash_of_nothing_is_the_published_one(void **state)
{
    struct hash128 hash = checksum128("", 0);

    (void)state;
    assert_true(checksum64("", 0) == UINT64_C(0x2d06800538d394c2));
    assert_true(hash.high == UINT64_C(0x99aa06d3014798d8));
    assert_true(hash.low == UINT64_C(0x6001c324468d497f));
}

static void every_flipped_bit_is_seen(void **state)
{
    unsigned char bytes[300];
    uint64_t whole;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    whole = checksum64(bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_true(checksum64(bytes, sizeof bytes) != whole);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_true(checksum64(bytes, sizeof bytes) == whole);
    assert_true(checksum64(bytes, sizeof bytes - 1) != whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_of_nothing_is_the_published_one),
        cmocka_unit_test(every_flipped_bit_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
