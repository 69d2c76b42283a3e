#include "purser/base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
static const char *hex(const uint8_t digest[DIGEST_BYTES])
{
    static char text[2 * DIGEST_BYTES + 1];

    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

/* Source: NIST, FIPS 180-4 examples; the empty one from RFC 6234 test code. */
static void plain_digests_are_the_published_ones(void **state)
{
    uint8_t digest[DIGEST_BYTES];

    (void)state;
    memset(digest, 0xff, sizeof digest);
    digest_bytes("", 0, digest);
    assert_string_equal(hex(digest),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_bytes("abc", 3, digest);
    assert_string_equal(hex(digest),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
    assert_string_equal(hex(digest),
                        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void parts_are_hashed_with_their_lengths_in_front(void **state)
{
    static const char framed[] = "\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1c";
    const struct digest_part parts[] = {{"ab", 2}, {"", 0}, {"c", 1}};
    uint8_t digest[DIGEST_BYTES], expected[DIGEST_BYTES];

    (void)state;
    digest_parts(parts, 3, digest);
    digest_bytes(framed, sizeof framed - 1, expected);
    assert_memory_equal(digest, expected, DIGEST_BYTES);
}

static void where_a_part_ends_makes_a_difference(void **state)
{
    const struct digest_part one[] = {{"ab", 2}, {"c", 1}}, other[] = {{"a", 1}, {"bc", 2}};
    uint8_t a[DIGEST_BYTES], b[DIGEST_BYTES];

    (void)state;
    digest_parts(one, 2, a);
    digest_parts(other, 2, b);
    assert_memory_not_equal(a, b, DIGEST_BYTES);
    digest_parts(NULL, 0, a);
    digest_bytes("", 0, b);
    assert_memory_equal(a, b, DIGEST_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_digests_are_the_published_ones),
        cmocka_unit_test(parts_are_hashed_with_their_lengths_in_front),
        cmocka_unit_test(where_a_part_ends_makes_a_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
