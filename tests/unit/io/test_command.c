#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/io/command.h"

static struct buf out, passed_on;
static struct err err;
static struct command_end end;
static int64_t live_before;
static int lowest_free_before;

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

static enum err_code take(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)sink_err;
    buf_append(context, bytes, length);
    return ERR_OK;
}

static enum err_code refuse(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    (void)context;
    (void)bytes;
    (void)length;
    return err_set(sink_err, ERR_SYSTEM, "the disk is full");
}

/* SIGTERM to this process, once the command runs. */
static enum err_code interrupt(void *context, const char *bytes, size_t length,
                               struct err *sink_err)
{
    (void)context;
    (void)bytes;
    (void)length;
    (void)sink_err;
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    return ERR_OK;
}

static int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    memset(&err, 0, sizeof err);
    memset(&end, 0xff, sizeof end);
    buf_init(&out, 1024 * 1024);
    buf_init(&passed_on, 64 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_deinit(&out);
    buf_deinit(&passed_on);
    log_forget();
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    return 0;
}

/* Runs it with standard error going into a file, which is then in passed_on. */
static enum err_code run_to(const char *const *arguments, const char *const *hidden,
                            const struct byte_sink *sink, int64_t timeout_ms)
{
    char name[] = "/tmp/purser-test-XXXXXX", bytes[4096];
    int file = mkstemp(name), kept = dup(STDERR_FILENO);
    enum err_code code;
    ssize_t count;

    assert_int_not_equal(file, -1);
    unlink(name);
    assert_int_not_equal(dup2(file, STDERR_FILENO), -1);
    code = command_run(
        &(struct command){
            .arguments = arguments, .folder = "/", .hidden = hidden, .timeout_ms = timeout_ms},
        sink, &end, &err);
    assert_int_not_equal(dup2(kept, STDERR_FILENO), -1);
    close(kept);
    lseek(file, 0, SEEK_SET);
    buf_clear(&passed_on);
    while ((count = read(file, bytes, sizeof bytes)) > 0)
        buf_append(&passed_on, bytes, (size_t)count);
    close(file);
    return code;
}

static enum err_code run(const char *script)
{
    const char *const arguments[] = {"sh", "-c", script, NULL};
    const struct byte_sink sink = {take, &out};

    buf_clear(&out);
    return run_to(arguments, NULL, &sink, 60000);
}

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

/* True when the process is gone; it may still have to be collected by init. */
static bool is_gone(const char *pid)
{
    char path[64], text[256] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", strtol(pid, NULL, 10));
    file = fopen(path, "r");
    if (file == NULL)
        return true;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    fclose(file);
    return text[0] == '\0' || strstr(text, ") Z ") != NULL;
}

static void wait_until_gone(const char *pids)
{
    for (const char *line = pids; *line != '\0'; line = strchr(line, '\n') + 1)
        while (!is_gone(line))
            sched_yield();
}

static void it_is_killed_with_its_children_when_its_time_is_over(void **state)
{
    const char *const arguments[] = {"sh", "-c", "sleep 1000 & echo $!; echo $$; wait", NULL};
    const struct byte_sink sink = {take, &out};

    (void)state;
    assert_int_equal(run_to(arguments, NULL, &sink, 200), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_TIMED_OUT);
    wait_until_gone(buf_text(&out));
}

static void one_that_has_closed_its_output_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(run("exec >&- 2>&-; (exit 0); exit 3"), ERR_OK);
    assert_int_equal(end.number, 3);
}

static void it_is_killed_when_the_sink_refuses(void **state)
{
    const char *const arguments[] = {"sh", "-c", "echo a; sleep 1000", NULL};
    const struct byte_sink sink = {refuse, NULL};

    (void)state;
    assert_int_equal(run_to(arguments, NULL, &sink, 600000), ERR_SYSTEM);
    assert_string_equal(err.text, "the disk is full");
}

static void it_is_killed_when_this_process_is_asked_to_stop(void **state)
{
    const char *const arguments[] = {"sh", "-c", "echo a; sleep 1000", NULL};
    const struct byte_sink sink = {interrupt, NULL};
    sigset_t after;

    (void)state;
    assert_int_equal(run_to(arguments, NULL, &sink, 600000), ERR_STOPPED);
    sigprocmask(SIG_BLOCK, NULL, &after);
    assert_false(sigismember(&after, SIGTERM));
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
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(output_is_handed_on_to_its_end),
        TEST(it_runs_in_its_folder_without_input),
        TEST(it_gets_no_descriptors_but_three),
        TEST(exit_status_and_last_words_are_told),
        TEST(what_it_says_is_safe_for_a_terminal_and_without_secrets),
        TEST(long_lines_of_it_come_in_parts),
        TEST(a_signal_that_killed_it_is_told),
        TEST(a_program_that_is_not_there_is_told),
        TEST(it_is_killed_with_its_children_when_its_time_is_over),
        TEST(one_that_has_closed_its_output_is_waited_for),
        TEST(it_is_killed_when_the_sink_refuses),
        TEST(it_is_killed_when_this_process_is_asked_to_stop),
        TEST(it_does_not_get_what_is_hidden),
        TEST(lack_of_memory_starts_nothing),
    };

    return cmocka_run_group_tests_name("io/command", tests, NULL, NULL);
}
