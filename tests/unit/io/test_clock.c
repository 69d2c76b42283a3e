#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/io/clock.h"

static void the_boot_has_one_number(void **context)
{
    (void)context;
    assert_int_not_equal(clock_boot(), 0);
    assert_int_equal(clock_boot(), clock_boot());
}

static void the_boot_clock_never_goes_back(void **context)
{
    int64_t before_ms = clock_boot_ms();
    (void)context;

    for (int i = 0; i < 1000; i++) {
        int64_t now_ms = clock_boot_ms();

        assert_true(now_ms >= before_ms);
        before_ms = now_ms;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_boot_has_one_number),
        cmocka_unit_test(the_boot_clock_never_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
