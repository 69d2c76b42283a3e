#include "purser/base/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void times_with_a_zone_are_moments(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-27T05:15:00Z", 1795756500},
        {"2026-11-27T05:15Z", 1795756500},
        {"2026-11-27 06:15+01:00", 1795756500},
        {"2026-11-27T00:15:00-0500", 1795756500},
        {"2026-11-27T05:15:00.999z", 1795756500},
        {"1969-12-31T23:59:59Z", -1},
    };
    int64_t unix_s;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(moment_parse(slice_of(cases[i].text), &unix_s));
        assert_true(unix_s == cases[i].unix_s);
    }
}

static void others_are_none(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-11-27",
        "2026-11-27T05:15",
        "2026-11-27T05:15:00",
        "2026-02-29T05:15Z",
        "2026-11-27T24:00Z",
        "2026-11-27T05:60Z",
        "2026-11-27T05:15:60Z",
        "2026-11-27T5:15Z",
        "2026-11-27T05:15:00.Z",
        "2026-11-27T05:15Z ",
        "2026-11-27T05:15+1",
        "2026-11-27T05:15+24:00",
        "+2026-11-27T05:15Z",
    };
    int64_t unix_s;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (moment_parse(slice_of(cases[i]), &unix_s))
            fail_msg("%s", cases[i]);
}

static void moments_are_printed_in_a_zone(void **state)
{
    char text[MOMENT_BYTES];

    (void)state;
    moment_print(1795756500, 0, text);
    assert_string_equal(text, "2026-11-27T05:15:00Z");
    moment_print(1795756500, 3600, text);
    assert_string_equal(text, "2026-11-27T06:15:00+01:00");
    moment_print(-1, -12600, text);
    assert_string_equal(text, "1969-12-31T20:29:59-03:30");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_with_a_zone_are_moments),
        cmocka_unit_test(others_are_none),
        cmocka_unit_test(moments_are_printed_in_a_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
