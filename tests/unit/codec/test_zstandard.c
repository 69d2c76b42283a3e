#include "purser/codec/zstandard.h"

#define READER struct zstandard_reader
#define READER_DOES(verb) zstandard_reader_##verb

/* What they hold: TEXT and MORE. */
static const char first[] =
    "\x28\xb5\x2f\xfd\x04\x58\x81\x00\x00\x73\x6b\x75\x2c\x6e\x61\x6d\x65\x0a\x41\x2c"
    "\x41\x6e\x6e\x61\x0a\xe5\x3c\x35\x0d";
static const char second[] =
    "\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00\x42\x2c\x42\x6f\x62\x0a\xc1\xde\xc7\x48";

#include "unpacking.h"

static void add_large(void)
{
    static const char large[] =
        "\x28\xb5\x2f\xfd\x04\x58\xc4\x00\x00\x80\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39"
        "\x61\x62\x63\x64\x65\x66\x01\x00\xda\xff\x27\x9f\x4b\x4c\x00\x00\x08\x30\x01\x00"
        "\xfc\xff\x39\x10\x02\x4c\x00\x00\x08\x30\x01\x00\xfc\xff\x39\x10\x02\x4c\x00\x00"
        "\x08\x30\x01\x00\xfc\xff\x39\x10\x02\x4d\x00\x00\x08\x30\x01\x00\xfc\xc3\x39\x10"
        "\x02\x17\x6a\x23\x33";

    ADD(large);
}

/* The size of the window is only a limit. */
static bool nothing_depends_on(size_t at)
{
    return at == 5;
}

static void frames_one_after_the_other_are_one_text(void **state)
{
    (void)state;
    assert_one_text_of_several();
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
        UNPACKING_TEST(frames_one_after_the_other_are_one_text),
    };

    return cmocka_run_group_tests_name("codec/zstandard", tests, NULL, NULL);
}
