/* What a command becomes when a call of the system fails: it is said, and nothing is left of it. */
#include "failing_process_calls.h"

#include "command_fixture.h"
#include "scratch.h"

enum { TIMEOUT_MS = 600000 };

static const struct command *command_of(const char *script)
{
    static const char *arguments[] = {"sh", "-c", NULL, NULL};
    static const struct command command = {
        .arguments = arguments, .folder = "/", .timeout_ms = TIMEOUT_MS};

    arguments[2] = script;
    return &command;
}

static enum err_code run_script(const char *script)
{
    const struct byte_sink sink = {take, &out};
    enum err_code code;

    buf_clear(&out);
    memset(&err, 0, sizeof err);
    code = command_run(command_of(script), &sink, &end, &err);
    (void)calls_end();
    failing_process = 0;
    return code;
}

static void assert_said(enum err_code code, int error)
{
    assert_int_equal(code, ERR_SYSTEM);
    if (strstr(err.text, strerror(error)) == NULL)
        fail_msg("no '%s' in: %s", strerror(error), err.text);
}

/* --- starting --- */

static void what_it_needs_of_the_system_and_does_not_get_is_said(void **state)
{
    static const struct {
        const char *name;
        int64_t until;
        const char *text;
    } calls[] = {{"pipe2", 0, "pipes for a command: "},
                 {"pipe2", 1, "pipes for a command: "},
                 {"socketpair", 0, "pipes for a command: "},
                 {"fork", 0, "fork: "},
                 {"signalfd", 0, "signalfd: "},
                 {"pthread_sigmask", 0, "block signals: "}};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        calls_fail(calls[i].name, calls[i].until, EMFILE);
        assert_said(run_script("echo a"), EMFILE);
        assert_memory_equal(err.text, calls[i].text, strlen(calls[i].text));
        assert_int_equal(out.length, 0);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

/* In the process between purser and the command, or in that of the command before it is one. */
static void what_its_process_does_not_get_is_told_as_the_reason(void **state)
{
    static const struct {
        const char *name;
        int64_t until;
    } calls[] = {{"open", 0}, {"dup2", 0},     {"dup2", 1}, {"dup2", 2},
                 {"dup3", 0}, {"signalfd", 1}, {"fork", 1}, {"chdir", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        calls_fail(calls[i].name, calls[i].until, EMFILE);
        assert_int_equal(run_script("echo a"), ERR_OK);
        assert_int_equal(end.outcome, COMMAND_NOT_STARTED);
        assert_int_equal(end.number, EMFILE);
        assert_int_equal(out.length, 0);
    }
}

/* --- running --- */

static void an_interrupted_call_is_made_again(void **state)
{
    static const struct {
        const char *name;
        int error;
    } calls[] = {{"poll", EINTR}, {"read", EINTR},  {"read", EAGAIN},
                 {"recv", EINTR}, {"recv", EAGAIN}, {"waitpid", EINTR}};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        failing_process = getpid();
        calls_fail(calls[i].name, 0, calls[i].error);
        assert_int_equal(run_script("echo a; exit 3"), ERR_OK);
        assert_int_equal(end.outcome, COMMAND_EXITED);
        assert_int_equal(end.number, 3);
        assert_string_equal(buf_text(&out), "a\n");
    }
}

static void what_cannot_be_waited_for_or_read_is_no_end_of_it(void **state)
{
    static const struct {
        const char *name, *script, *text;
    } calls[] = {{"poll", "sleep 1000", "poll: "},
                 {"read", "echo a; sleep 1000", "read what a command writes: "},
                 {"read", "echo a >&2; sleep 1000", "read what a command writes: "},
                 {"recv", "exit 0", "hear what became of a command: "}};

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        failing_process = getpid();
        calls_fail(calls[i].name, 0, EIO);
        assert_said(run_script(calls[i].script), EIO);
        assert_memory_equal(err.text, calls[i].text, strlen(calls[i].text));
        assert_int_equal(out.length, 0);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

/* Else purser would wait for the end of a command that has long ended. */
static void an_end_that_cannot_be_reported_is_no_success(void **state)
{
    (void)state;
    calls_fail("send", 0, ENOBUFS);
    assert_int_equal(run_script("echo a; exit 0"), ERR_OK);
    assert_int_equal(end.outcome, COMMAND_KILLED);
    assert_int_equal(end.number, SIGKILL);
}

/* --- ending it --- */

struct trouble {
    const char *name;
    int error;
};

static enum err_code refuse(void *context, const char *bytes, size_t length, struct err *sink_err)
{
    const struct trouble *trouble = context;

    (void)bytes, (void)length;
    failing_process = getpid();
    calls_fail(trouble->name, 0, trouble->error);
    return err_set(sink_err, ERR_TOO_BIG, "enough");
}

static void what_fails_while_it_is_ended_does_not_keep_it_alive(void **state)
{
    static struct trouble troubles[] = {
        {"poll", EIO}, {"poll", EINTR}, {"recv", EIO}, {"send", ENOBUFS}, {"waitpid", EINTR}};

    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        const struct byte_sink sink = {refuse, &troubles[i]};

        memset(&err, 0, sizeof err);
        assert_int_equal(
            command_run(command_of("echo a; (sleep 1000)& sleep 1000"), &sink, &end, &err),
            ERR_TOO_BIG);
        assert_string_equal(calls_end(), troubles[i].name);
        failing_process = 0;
        assert_string_equal(err.text, "enough");
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static enum err_code stop_at_once(void *context, const char *bytes, size_t length,
                                  struct err *sink_err)
{
    (void)context, (void)bytes, (void)length;
    return err_set(sink_err, ERR_TOO_BIG, "enough");
}

/* Without /proc, or in an older kernel: of what it has started at least its group is ended. */
static void where_orphans_cannot_be_listed_its_group_is_ended(void **state)
{
    const struct byte_sink sink = {stop_at_once, NULL};
    char script[256], byte;
    int alive;

    (void)state;
    assert_int_equal(scratch_make(state), 0);
    assert_int_equal(mkfifo(below("alive"), 0600), 0);
    alive = open(below("alive"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    snprintf(script, sizeof script, "exec 3>%s; sleep 1000 & echo a; sleep 1000", below("alive"));
    calls_fail("open", 1, ENOENT);
    assert_int_equal(command_run(command_of(script), &sink, &end, &err), ERR_TOO_BIG);
    (void)calls_end();
    assert_int_equal(poll(&(struct pollfd){.fd = alive, .events = POLLIN}, 1, 30000), 1);
    assert_int_equal(read(alive, &byte, 1), 0); /* none of them holds it any more */
    close(alive);
    assert_int_equal(scratch_remove(state), 0);
}

/* --- what it says --- */

static void what_it_says_after_its_end_is_heard(void **state)
{
    (void)state;
    assert_int_equal(run_script("(while kill -0 $$; do :; done 2>/dev/null; echo late >&2)"
                                " >/dev/null & exit 3"),
                     ERR_OK);
    assert_int_equal(end.outcome, COMMAND_EXITED);
    assert_int_equal(end.number, 3);
    assert_string_equal(end.last_words, "late");
}

static void last_words_are_whole_lines_with_something_in_them(void **state)
{
    (void)state;
    assert_int_equal(run_script("echo >&2; echo a >&2; echo >&2; exit 1"), ERR_OK);
    assert_string_equal(end.last_words, "a");
    assert_int_equal(run_script("printf 'x%0201d\\n' 1 | sed 's/0/\\xc3\\xa4/g' >&2; exit 1"),
                     ERR_OK);
    assert_int_equal(strlen(end.last_words), 199); /* no half of a character */
    assert_int_equal(run_script("for i in 1 2 3; do printf 'x%0150d\\n' $i >&2; done; exit 1"),
                     ERR_OK);
    assert_int_equal(strlen(end.last_words), 151 + 3 + 151);
}

/* What it says is lost then, for lack of memory, and nothing else. */
static void without_memory_for_its_words_it_goes_on(void **state)
{
    (void)state;
    for (int64_t nth = 2; nth < 12; nth++) {
        mem_test_fail(nth, 0);
        (void)run_script("echo of its own >&2; exit 3");
        mem_test_fail(-1, 0);
        assert_int_equal(end.outcome, COMMAND_EXITED);
        assert_int_equal(end.number, 3);
        assert_true(strcmp(end.last_words, "of its own") == 0 || end.last_words[0] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(what_it_needs_of_the_system_and_does_not_get_is_said),
        COMMAND_TEST(what_its_process_does_not_get_is_told_as_the_reason),
        COMMAND_TEST(an_interrupted_call_is_made_again),
        COMMAND_TEST(what_cannot_be_waited_for_or_read_is_no_end_of_it),
        COMMAND_TEST(an_end_that_cannot_be_reported_is_no_success),
        COMMAND_TEST(what_fails_while_it_is_ended_does_not_keep_it_alive),
        COMMAND_TEST(where_orphans_cannot_be_listed_its_group_is_ended),
        COMMAND_TEST(what_it_says_after_its_end_is_heard),
        COMMAND_TEST(last_words_are_whole_lines_with_something_in_them),
        COMMAND_TEST(without_memory_for_its_words_it_goes_on),
    };

    return cmocka_run_group_tests_name("io/command_calls", tests, NULL, NULL);
}
