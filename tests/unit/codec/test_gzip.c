#include "purser/codec/gzip.h"

#define READER struct gzip_reader
#define READER_DOES(verb) gzip_reader_##verb

/* What they hold: TEXT and MORE. */
static const char first[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xce\x2e\xd5\xc9\x4b\xcc\x4d\xe5\x72"
    "\xd4\x71\xcc\xcb\x4b\xe4\x02\x00\x13\x3e\xc1\xc0\x10\x00\x00\x00";
static const char second[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x73\xd2\x71\xca\x4f\xe2\x02\x00\x51\x34"
    "\xeb\x32\x06\x00\x00\x00";

#include "unpacking.h"

/* Its middle is one code again and again. */
static void add_large(void)
{
    static const char head[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc7\xc9\x01\xc0\x10\x00\x00\xb0\x95"
        "\x94\xba\xc6\x41\xd9\x7f\x84\xae\xe1\x91\xfc\x12\x9e\x98\xde\x5c\x6a\xeb\x63\xae\x6f\x9f"
        "\xe0";

    ADD(head);
    for (unsigned i = 0; i < 1239; i++)
        buf_append_byte(&packed, (char)0xee);
    ADD("\x7e\xd9\x7f\x49\xe7\xbd\xe1\x00\xc4\x09\x00");
}

/* Time, level and system of the maker. */
static bool nothing_depends_on(size_t at)
{
    return at >= 4 && at <= 9;
}

static void members_one_after_the_other_are_one_text(void **state)
{
    (void)state;
    assert_one_text_of_several();
}

static void zeros_behind_the_end_are_padding(void **state)
{
    (void)state;
    ADD(first);
    ADD("\0\0\0\0\0");
    for (size_t step = 1; step <= packed.length; step++) {
        assert_int_equal(unpack(step), ERR_OK);
        assert_string_equal(buf_text(&out), TEXT);
    }
    ADD(second);
    assert_int_equal(unpack(5), ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNPACKING_TEST(it_is_unpacked_whatever_the_pieces_are),
        UNPACKING_TEST(what_does_not_fit_a_buffer_comes_in_pieces),
        UNPACKING_TEST(what_is_cut_short_is_refused_wherever_it_is_cut),
        UNPACKING_TEST(a_changed_byte_is_seen),
        UNPACKING_TEST(other_text_is_refused),
        UNPACKING_TEST(an_error_of_the_sink_ends_it),
        UNPACKING_TEST(lack_of_memory_is_told),
        UNPACKING_TEST(members_one_after_the_other_are_one_text),
        UNPACKING_TEST(zeros_behind_the_end_are_padding),
    };

    return cmocka_run_group_tests_name("codec/gzip", tests, NULL, NULL);
}
