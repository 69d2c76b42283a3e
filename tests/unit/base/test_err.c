#include "purser/base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdbool.h>
static void code_given_is_the_code_kept(void **state)
{
    struct err err = {0};

    (void)state;
    assert_int_equal(err_set(&err, ERR_INPUT, "line %d", 7), ERR_INPUT);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, "line 7");
}

static void context_goes_in_front_from_the_inside_out(void **state)
{
    struct err err = {0};

    (void)state;
    err_set(&err, ERR_SYSTEM, "no such file");
    assert_int_equal(err_wrap(&err, "open %s", "a.csv"), ERR_SYSTEM);
    assert_int_equal(err_wrap(&err, "job products"), ERR_SYSTEM);
    assert_string_equal(err.text, "job products: open a.csv: no such file");
}

static void long_texts_are_cut_and_the_outer_context_stays(void **state)
{
    char huge[2 * ERR_TEXT_BYTES];
    struct err err;

    (void)state;
    memset(huge, 'x', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    memset(&err, 0xff, sizeof err);
    err_set(&err, ERR_INPUT, "%s", huge);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    err_wrap(&err, "outer");
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    assert_memory_equal(err.text, "outer: xxx", 10);
    err_wrap(&err, "%s", huge);
    assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
    assert_int_equal(err.text[0], 'x');
}

static void every_code_has_a_text_and_a_documented_exit_status(void **state)
{
    static const int documented[] = {0, 1, 2, 3, 4, 5, 6, 7, 75};

    (void)state;
    for (int code = 0; code < ERR_CODE_COUNT; code++) {
        bool found = false;

        assert_true(strlen(err_code_text((enum err_code)code)) > 0);
        for (size_t i = 0; i < sizeof documented / sizeof *documented; i++)
            found = found || err_exit_status((enum err_code)code) == documented[i];
        assert_true(found);
    }
    assert_int_equal(err_exit_status(ERR_OK), 0);
    assert_int_equal(err_exit_status(ERR_INPUT), 2);
    assert_int_equal(err_exit_status(ERR_CREDENTIALS), 4);
    assert_int_equal(err_exit_status(ERR_LOCKED), 6);
    assert_int_equal(err_exit_status(ERR_STORAGE), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_given_is_the_code_kept),
        cmocka_unit_test(context_goes_in_front_from_the_inside_out),
        cmocka_unit_test(long_texts_are_cut_and_the_outer_context_stays),
        cmocka_unit_test(every_code_has_a_text_and_a_documented_exit_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
