#include "purser/core/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void platform_names_go_there_and_back(void **state)
{
    enum platform platform = PLATFORM_COUNT;

    (void)state;
    for (int i = 0; i < PLATFORM_COUNT; i++) {
        assert_true(platform_parse(slice_of(platform_name((enum platform)i)), &platform));
        assert_int_equal(platform, i);
    }
    assert_int_equal(PLATFORM_COUNT, 53);
    assert_string_equal(platform_name(PLATFORM_SAGE_INTACCT), "SAGE_INTACCT");
    platform = PLATFORM_XERO;
    assert_false(platform_parse(SLICE("xero"), &platform));
    assert_false(platform_parse(SLICE("XEROX"), &platform));
    assert_false(platform_parse(SLICE(""), &platform));
    assert_int_equal(platform, PLATFORM_XERO);
}

static void only_a_known_platform_is_ever_out_of_a_known_set(void **state)
{
    uint64_t books = PLATFORM_BIT(XERO) | PLATFORM_BIT(AMAZON) | PLATFORM_BIT(GOOGLE);

    (void)state;
    assert_true(platform_may_be_in(books, "XERO"));
    assert_true(platform_may_be_in(books, "AMAZON"));
    assert_true(platform_may_be_in(books, "GOOGLE"));
    assert_false(platform_may_be_in(books, "TALLY"));
    assert_true(platform_may_be_in(books, "RILLET"));
    assert_true(platform_may_be_in(books, NULL));
    assert_true(platform_may_be_in(PLATFORMS_UNKNOWN, "TALLY"));
    assert_true(platform_may_be_in(PLATFORMS_ALL, "TALLY"));
}

static void names_of_a_set_are_cut_where_the_text_is_full(void **state)
{
    uint64_t books = PLATFORM_BIT(XERO) | PLATFORM_BIT(NETSUITE);
    char text[32];

    (void)state;
    platform_list_names(books, text, sizeof text);
    assert_string_equal(text, "NETSUITE, XERO");
    platform_list_names(books, text, 12);
    assert_string_equal(text, "NETSUITE, X");
    platform_list_names(books, text, 1);
    assert_string_equal(text, "");
    platform_list_names(PLATFORMS_UNKNOWN, text, sizeof text);
    assert_string_equal(text, "");
}

static void a_list_that_is_cut_off_ends_where_its_room_ends(void **state)
{
    const uint64_t two = PLATFORM_BIT(ALIBABA) | PLATFORM_BIT(ZOHOBOOKS);

    (void)state;
    for (size_t bytes = 1; bytes < 24; bytes++) {
        static const char whole[] = "ALIBABA, ZOHOBOOKS";
        char text[32];

        memset(text, '#', sizeof text);
        platform_list_names(two, text, bytes);
        assert_true(strncmp(text, whole, bytes - 1) == 0);
        assert_int_equal(strlen(text), bytes <= sizeof whole ? bytes - 1 : sizeof whole - 1);
        for (size_t i = bytes; i < sizeof text; i++)
            assert_int_equal(text[i], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(platform_names_go_there_and_back),
        cmocka_unit_test(names_of_a_set_are_cut_where_the_text_is_full),
        cmocka_unit_test(a_list_that_is_cut_off_ends_where_its_room_ends),
        cmocka_unit_test(only_a_known_platform_is_ever_out_of_a_known_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
