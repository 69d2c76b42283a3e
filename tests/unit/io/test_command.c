#include <signal.h>

#include "command_fixture.h"

static void output_is_handed_on_to_its_end(void **state)
{
    (void)state;
    assert_int_equal(run("echo a; echo b"), ERR_OK);
    assert_string_equal(buf_text(&out), "a\nb\n");
    assert_int_equal(end.outcome, COMMAND_EXITED);
    assert_int_equal(end.number, 0);
    assert_string_equal(end.last_words, "");
    assert_int_equal(run("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done"),
                     ERR_OK);
    assert_int_equal(out.length, 220000);
}

static void it_runs_in_its_folder_without_input(void **state)
{
    (void)state;
    assert_int_equal(run("pwd; cat"), ERR_OK);
    assert_string_equal(buf_text(&out), "/\n");
    assert_int_equal(end.number, 0);
}

static void it_gets_no_descriptors_but_three(void **state)
{
    int inherited = dup(STDERR_FILENO); /* without O_CLOEXEC */

    (void)state;
    assert_int_equal(run("ls /proc/self/fd"), ERR_OK);
    close(inherited);
    assert_string_equal(buf_text(&out), "0\n1\n2\n3\n"); /* 3 is the folder that ls reads */
}

static void exit_status_and_last_words_are_told(void **state)
{
    (void)state;
    assert_int_equal(run("for i in 1 2 3 4; do echo line $i >&2; done; printf rest >&2; exit 7"),
                     ERR_OK);
    assert_int_equal(end.outcome, COMMAND_EXITED);
    assert_int_equal(end.number, 7);
    assert_string_equal(end.last_words, "line 3 | line 4 | rest");
    assert_string_equal(buf_text(&passed_on),
                        "sh: line 1\nsh: line 2\nsh: line 3\nsh: line 4\nsh: rest\n");
}

static void what_it_says_is_safe_for_a_terminal_and_without_secrets(void **state)
{
    (void)state;
    assert_true(log_add_secret("hush-hush-1", 11));
    assert_int_equal(run("printf 'a\\033[2Jb\\r\\nkey hush-hush-1\\n' >&2; exit 1"), ERR_OK);
    assert_string_equal(buf_text(&passed_on), "sh: a?[2Jb\nsh: key [secret]\n");
    assert_string_equal(end.last_words, "a?[2Jb | key [secret]");
}

static void long_lines_of_it_come_in_parts(void **state)
{
    (void)state;
    assert_int_equal(run("printf '%05000d\\n' 1 >&2; exit 1"), ERR_OK);
    assert_int_equal(passed_on.length, 5000 + 6 * 5);
    assert_in_range(strlen(end.last_words), 1, COMMAND_WORDS_BYTES - 1);
}

static void a_signal_that_killed_it_is_told(void **state)
{
    (void)state;
    assert_int_equal(run("echo dying >&2; kill -9 $$"), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_KILLED);
    assert_int_equal(end.number, SIGKILL);
    assert_string_equal(end.last_words, "dying");
}

static void a_program_that_is_not_there_is_told(void **state)
{
    const char *const arguments[] = {"no-such-program-anywhere", NULL};
    const char *const folder[] = {"./tmp", NULL};
    const struct byte_sink sink = {take, &out};

    (void)state;
    assert_int_equal(run_to(arguments, NULL, &sink, 60000), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_NOT_STARTED);
    assert_int_equal(end.number, ENOENT);
    assert_int_equal(run_to(folder, NULL, &sink, 60000), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_NOT_STARTED);
    assert_int_equal(end.number, EACCES);
}

static void it_does_not_get_what_is_hidden(void **state)
{
    const char *const arguments[] = {"sh", "-c", "echo $PURSER_T1 $PURSER_T2 ${PURSER_T-none}",
                                     NULL};
    const char *const hidden[] = {"PURSER_T1", "PURSER_T", NULL};
    const struct byte_sink sink = {take, &out};

    (void)state;
    setenv("PURSER_T1", "one", 1);
    setenv("PURSER_T2", "two", 1);
    setenv("PURSER_T", "zero", 1);
    assert_int_equal(run_to(arguments, hidden, &sink, 60000), ERR_OK);
    assert_string_equal(buf_text(&out), "two none\n");
    assert_string_equal(getenv("PURSER_T1"), "one");
    unsetenv("PURSER_T1");
    unsetenv("PURSER_T2");
    unsetenv("PURSER_T");
}

static void lack_of_memory_starts_nothing(void **state)
{
    (void)state;
    for (int64_t nth = 0; nth < 2; nth++) {
        mem_test_fail(nth, 1);
        assert_int_equal(run("echo a"), ERR_NO_MEMORY);
        mem_test_fail(-1, 0);
        assert_int_equal(out.length, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(output_is_handed_on_to_its_end),
        COMMAND_TEST(it_runs_in_its_folder_without_input),
        COMMAND_TEST(it_gets_no_descriptors_but_three),
        COMMAND_TEST(exit_status_and_last_words_are_told),
        COMMAND_TEST(what_it_says_is_safe_for_a_terminal_and_without_secrets),
        COMMAND_TEST(long_lines_of_it_come_in_parts),
        COMMAND_TEST(a_signal_that_killed_it_is_told),
        COMMAND_TEST(a_program_that_is_not_there_is_told),
        COMMAND_TEST(it_does_not_get_what_is_hidden),
        COMMAND_TEST(lack_of_memory_starts_nothing),
    };

    return cmocka_run_group_tests_name("io/command", tests, NULL, NULL);
}
