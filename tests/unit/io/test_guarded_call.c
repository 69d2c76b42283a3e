#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/io/guarded_call.h"

enum { LONG_MS = 60 * 1000, SHORT_MS = 1 };

struct result {
    int value;
};

static void give_value(void *context, void *result)
{
    ((struct result *)result)->value = *(const int *)context;
}

/* As a library does that meets what it did not expect. */
static void give_up(void *context, void *result)
{
    give_value(context, result);
    (void)signal(SIGABRT, SIG_DFL);
    printf("not for the user\n");
    (void)fflush(stdout);
    abort();
}

static void touch_nothing(void *context, void *result)
{
    give_value(context, result);
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
}

static void never_end(void *context, void *result)
{
    give_value(context, result);
    for (;;)
        pause();
}

static void call(void (*function)(void *context, void *result), int64_t limit_ms,
                 enum guarded_end *end_out, int *signal_out, struct result *result_out)
{
    struct err err = {0};
    int value = 7;

    assert_int_equal(guarded_call(function, &value, result_out, sizeof *result_out, limit_ms,
                                  end_out, signal_out, &err),
                     ERR_OK);
}

static void what_it_gives_comes_back(void **state)
{
    enum guarded_end end;
    struct result result = {0};
    int signal_number;

    (void)state;
    call(give_value, LONG_MS, &end, &signal_number, &result);
    assert_int_equal(end, GUARDED_RETURNED);
    assert_int_equal(signal_number, 0);
    assert_int_equal(result.value, 7);
}

static void its_death_is_an_answer(void **state)
{
    enum guarded_end end;
    struct result result = {0};
    int signal_number;

    (void)state;
    call(give_up, LONG_MS, &end, &signal_number, &result);
    assert_int_equal(end, GUARDED_DIED);
    assert_int_equal(signal_number, SIGABRT);
    assert_int_equal(result.value, 7);
    call(touch_nothing, LONG_MS, &end, &signal_number, &result);
    assert_int_equal(end, GUARDED_DIED);
    assert_int_equal(signal_number, SIGSEGV);
}

static void what_does_not_end_is_ended(void **state)
{
    enum guarded_end end;
    struct result result = {0};
    int signal_number;

    (void)state;
    call(never_end, SHORT_MS, &end, &signal_number, &result);
    assert_int_equal(end, GUARDED_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_gives_comes_back),
        cmocka_unit_test(its_death_is_an_answer),
        cmocka_unit_test(what_does_not_end_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
