#include "purser/cli/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The codes that stand for a doubt are stable: scripts and people's notes name them. */
static void every_reason_to_doubt_says_what_to_look_at_and_what_then(void **state)
{
    static const char *const codes[] = {
        "window_passed",      "server_lost_job",      "key_conflict_409",      "server_error",
        "platform_error_550", "unclassified_failure", "two_server_jobs",       "record_damaged",
        "restored_state",     "unkeyed_unknown",      "refused_after_unknown", "partial_success",
        "wrong_job",          "stuck_pending",        "retries_exhausted",
    };
    size_t doubts = 0;

    (void)state;
    for (unsigned reason = 0; reason < REASON_COUNT; reason++)
        doubts += advice_for((enum reason)reason).is_doubt;
    assert_int_equal(doubts, sizeof codes / sizeof codes[0]);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        unsigned reason = 0;
        struct advice advice;

        while (reason < REASON_COUNT && strcmp(reason_code((enum reason)reason), codes[i]) != 0)
            reason++;
        assert_true(reason < REASON_COUNT);
        advice = advice_for((enum reason)reason);
        if (!advice.is_doubt || advice.look_at[0] == '\0' || advice.then[0] == '\0')
            fail_msg("%s has no advice", codes[i]);
    }
}

static void every_reason_has_texts_of_one_line(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        struct advice advice = advice_for((enum reason)reason);

        assert_non_null(advice.look_at);
        assert_non_null(advice.then);
        assert_true(strlen(advice.look_at) <= ADVICE_BYTES_MAX);
        assert_true(strlen(advice.then) <= ADVICE_BYTES_MAX);
        assert_null(strpbrk(advice.look_at, "\r\n\t"));
        assert_null(strpbrk(advice.then, "\r\n\t"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_to_doubt_says_what_to_look_at_and_what_then),
        cmocka_unit_test(every_reason_has_texts_of_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
