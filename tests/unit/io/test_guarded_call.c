#include "failing_process_calls.h"

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

/* --- calls of the system that fail --- */

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

static enum err_code call_with(const char *name, int64_t until, int error,
                               void (*function)(void *context, void *result),
                               enum guarded_end *end_out, struct err *err)
{
    int value = 7, signal_number, lowest = lowest_free_descriptor();
    struct result result = {0};
    enum err_code code;

    memset(err, 0, sizeof *err);
    calls_fail(name, until, error);
    code = guarded_call(function, &value, &result, sizeof result, LONG_MS, end_out, &signal_number,
                        err);
    (void)calls_end();
    failing_process = 0;
    assert_int_equal(lowest_free_descriptor(), lowest);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    if (code == ERR_OK && *end_out == GUARDED_RETURNED)
        assert_int_equal(result.value, 7);
    return code;
}

static void what_it_does_not_get_of_the_system_is_said(void **state)
{
    static const struct {
        const char *name, *text;
    } calls[] = {{"mmap", "mmap: "},
                 {"pipe2", "a process to read the ledger in: "},
                 {"fork", "a process to read the ledger in: "}};
    enum guarded_end end;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(call_with(calls[i].name, 0, ENOMEM, give_value, &end, &err), ERR_SYSTEM);
        assert_memory_equal(err.text, calls[i].text, strlen(calls[i].text));
        assert_non_null(strstr(err.text, strerror(ENOMEM)));
    }
}

/* It would print for the user, or outlive this process. */
static void without_what_its_child_needs_nothing_is_called(void **state)
{
    static const struct {
        const char *name;
        int64_t until;
    } calls[] = {{"open", 0}, {"dup2", 0}, {"dup2", 1}, {"prctl", 0}};
    enum guarded_end end;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        assert_int_equal(call_with(calls[i].name, calls[i].until, EMFILE, never_end, &end, &err),
                         ERR_OK);
        assert_int_equal(end, GUARDED_DIED);
    }
}

static void an_interrupted_wait_goes_on(void **state)
{
    static const struct {
        const char *name;
        int error;
    } calls[] = {{"poll", EINTR}, {"poll", EAGAIN}, {"waitpid", EINTR}};
    enum guarded_end end;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        failing_process = getpid();
        assert_int_equal(call_with(calls[i].name, 0, calls[i].error, give_value, &end, &err),
                         ERR_OK);
        assert_int_equal(end, GUARDED_RETURNED);
    }
}

static void what_cannot_be_waited_for_is_ended(void **state)
{
    enum guarded_end end;
    struct err err;

    (void)state;
    assert_int_equal(call_with("poll", 0, ENOMEM, never_end, &end, &err), ERR_SYSTEM);
    assert_memory_equal(err.text, "wait for the process that reads the ledger: ", 44);
    assert_non_null(strstr(err.text, strerror(ENOMEM)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_gives_comes_back),
        cmocka_unit_test(its_death_is_an_answer),
        cmocka_unit_test(what_does_not_end_is_ended),
        cmocka_unit_test(what_it_does_not_get_of_the_system_is_said),
        cmocka_unit_test(without_what_its_child_needs_nothing_is_called),
        cmocka_unit_test(an_interrupted_wait_goes_on),
        cmocka_unit_test(what_cannot_be_waited_for_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
