#include "purser/base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"

static int tear_down(void **state)
{
    (void)state;
    log_forget();
    log_set_level(LOG_WARNING);
    assert_int_equal(mem_test_live_count(), 0);
    return 0;
}

static void add(const char *value)
{
    assert_true(log_add_secret(value, strlen(value)));
}

static void assert_redacted(const char *text, const char *expected)
{
    char copy[512];
    size_t length = strlen(text);

    memcpy(copy, text, length + 1);
    length = log_redact(copy, length);
    copy[length] = '\0';
    assert_string_equal(copy, expected);
    assert_true(length <= strlen(text));
}

/* What log_line() wrote, with descriptor 2 turned to a file meanwhile. */
static const char *captured(void (*talk)(void))
{
    static char text[200000];
    int kept = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    size_t length;

    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    talk();
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static void a_secret_is_replaced_wherever_it_stands(void **state)
{
    (void)state;
    add("token-0123456789");
    assert_redacted("token-0123456789", "[secret]");
    assert_redacted("a token-0123456789 and token-0123456789.", "a [secret] and [secret].");
    assert_redacted("token-012345678", "token-012345678");
    assert_redacted("", "");
}

static void the_longest_secret_wins(void **state)
{
    (void)state;
    add("abcdefgh");
    add("abcdefghijklmnop");
    add("abcd");
    assert_redacted("<abcdefghijklmnop>", "<[secret]>");
    assert_redacted("<abcdefghi>", "<[secret]i>");
}

static void overlapping_secrets_leave_no_rest(void **state)
{
    (void)state;
    add("first-half-MID");
    add("MID-second-half");
    assert_redacted("first-half-MID-second-half!", "[secret]!");
}

static void a_short_secret_never_makes_the_text_longer(void **state)
{
    (void)state;
    add("wxyz");
    assert_redacted("=wxyz=", "=****=");
}

static void values_under_four_bytes_are_no_secrets(void **state)
{
    (void)state;
    assert_true(log_add_secret("abc", 3));
    assert_redacted("abcabc", "abcabc");
}

static void the_same_secret_is_kept_once_and_65536_is_the_end(void **state)
{
    char value[16];

    (void)state;
    for (int i = 0; i < 65536; i++) {
        snprintf(value, sizeof value, "value-%05d", i);
        assert_true(log_add_secret(value, strlen(value)));
        assert_true(log_add_secret(value, strlen(value)));
    }
    assert_false(log_add_secret("one-more", 8));
    assert_redacted("value-00000 value-65535", "[secret] [secret]");
}

static void no_memory_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        mem_test_fail(i, 0);
        assert_false(log_add_secret("some-secret", 11));
    }
    mem_test_fail(-1, 0);
    assert_true(log_add_secret("some-secret", 11));
}

static void say_one_line(void)
{
    log_line(LOG_WARNING, "event=lost url=%s text=%s", "https://h/p?access_token=token-0123456789",
             "a\nb\x1b[31m");
}

static void a_line_has_time_level_and_no_secret_or_control(void **state)
{
    const char *text;

    (void)state;
    add("token-0123456789");
    text = captured(say_one_line);
    assert_int_equal(text[4], '-');
    assert_int_equal(text[23], 'Z');
    assert_string_equal(
        text + 24, " warning event=lost url=https://h/p?access_token=[secret] text=a b?[31m\n");
}

static void say_at_info(void)
{
    log_line(LOG_INFO, "event=unheard");
}

static void lines_above_the_level_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(captured(say_at_info), "");
    log_set_level(LOG_INFO);
    assert_string_not_equal(captured(say_at_info), "");
    assert_false(log_enabled(LOG_DEBUG));
}

static void say_too_much(void)
{
    static char text[65536 + 40];

    memset(text, 'x', sizeof text - 1);
    /* Begins before the cut and ends behind it. */
    memcpy(text + 65536 - 24, "token-0123456789", 16);
    memcpy(text + 65536 - 8, "token-0123456789", 16);
    log_line(LOG_WARNING, "%s", text);
}

static void a_line_that_is_cut_shows_no_half_of_a_secret(void **state)
{
    const char *text;

    (void)state;
    add("token-0123456789");
    text = captured(say_too_much);
    assert_null(strstr(text, "token-"));
    assert_true(strlen(text) <= 65536 + 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
        TEST(a_secret_is_replaced_wherever_it_stands),
        TEST(the_longest_secret_wins),
        TEST(overlapping_secrets_leave_no_rest),
        TEST(a_short_secret_never_makes_the_text_longer),
        TEST(values_under_four_bytes_are_no_secrets),
        TEST(the_same_secret_is_kept_once_and_65536_is_the_end),
        TEST(no_memory_is_told),
        TEST(a_line_has_time_level_and_no_secret_or_control),
        TEST(lines_above_the_level_are_dropped),
        TEST(a_line_that_is_cut_shows_no_half_of_a_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
