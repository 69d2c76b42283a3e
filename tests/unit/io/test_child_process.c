/* This program is its own child, too: see main(). */
#include "failing_process_calls.h"

#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>

#include "purser/io/child_process.h"

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    close(fd);
    return fd;
}

static struct child_process start(const char *what)
{
    static char name[] = "child", text[64];
    static char *arguments[] = {name, text, NULL};
    struct child_process child;
    struct err err = {0};

    snprintf(text, sizeof text, "%s", what);
    if (child_process_start(arguments, &child, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return child;
}

/* All that it prints. */
static const char *read_all(const struct child_process *child)
{
    static char text[256];
    size_t length = 0;
    ssize_t count = -1;

    while (count != 0 && length < sizeof text - 1) {
        struct pollfd fd = {.fd = child->output_fd, .events = POLLIN};

        assert_int_equal(poll(&fd, 1, 30000), 1);
        count = read(child->output_fd, text + length, sizeof text - 1 - length);
        assert_int_not_equal(count, -1);
        length += (size_t)count;
    }
    text[length] = '\0';
    return text;
}

static void what_it_prints_and_its_status_come_back(void **state)
{
    struct child_process child = start("say");
    char byte;

    (void)state;
    assert_string_equal(read_all(&child), "out\nerr\n");
    assert_int_equal(child_process_wait(&child), 3);
    assert_int_equal(child.output_fd, -1);
    child = start("wait");
    assert_int_equal(read(child.output_fd, &byte, 1), -1); /* nobody waits for what is not there */
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(kill(child.pid, SIGKILL), 0);
    assert_int_equal(child_process_wait(&child), 128 + SIGKILL);
}

/* Signals that purser waits for are blocked in it, and Ctrl-C goes to its group. */
static void it_hears_signals_of_its_own(void **state)
{
    struct child_process child;
    sigset_t all, before;

    (void)state;
    sigfillset(&all);
    assert_int_equal(sigprocmask(SIG_SETMASK, &all, &before), 0);
    child = start("wait");
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(getpgid(child.pid), child.pid);
    assert_int_equal(kill(child.pid, SIGTERM), 0);
    assert_int_equal(child_process_wait(&child), 128 + SIGTERM);
}

static void what_it_does_not_get_of_the_system_is_said(void **state)
{
    static const struct {
        const char *name;
        int error;
        enum err_code code;
        const char *text;
    } calls[] = {
        {"pipe2", EMFILE, ERR_SYSTEM, "pipe: "},
        {"fcntl", EIO, ERR_SYSTEM, "purser cannot be started: "},
        {"posix_spawn_file_actions_init", ENOMEM, ERR_NO_MEMORY, "purser cannot be started: "},
        {"posix_spawnattr_init", ENOMEM, ERR_NO_MEMORY, "purser cannot be started: "},
        {"posix_spawn_file_actions_adddup2", ENOMEM, ERR_NO_MEMORY, "purser cannot be started: "},
        {"posix_spawn", EAGAIN, ERR_SYSTEM, "purser cannot be started: "}};
    char name[] = "child";
    char *arguments[] = {name, NULL};
    int lowest = lowest_free_descriptor();

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct child_process child;
        struct err err = {0};

        calls_fail(calls[i].name, 0, calls[i].error);
        assert_int_equal(child_process_start(arguments, &child, &err), calls[i].code);
        assert_string_equal(calls_end(), calls[i].name);
        assert_memory_equal(err.text, calls[i].text, strlen(calls[i].text));
        assert_non_null(strstr(err.text, strerror(calls[i].error)));
        assert_int_equal(lowest_free_descriptor(), lowest);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
}

static void an_interrupted_wait_for_its_end_goes_on(void **state)
{
    struct child_process child = start("say");

    (void)state;
    assert_string_equal(read_all(&child), "out\nerr\n");
    calls_fail("waitpid", 0, EINTR);
    assert_int_equal(child_process_wait(&child), 3);
    assert_string_equal(calls_end(), "waitpid");
}

/* Whoever has taken the status away has taken the answer. */
static void an_end_that_nobody_knows_is_no_success(void **state)
{
    struct child_process child = start("say");

    (void)state;
    assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
    assert_int_equal(child_process_wait(&child), EXIT_INTERNAL);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_prints_and_its_status_come_back),
        cmocka_unit_test(it_hears_signals_of_its_own),
        cmocka_unit_test(what_it_does_not_get_of_the_system_is_said),
        cmocka_unit_test(an_interrupted_wait_for_its_end_goes_on),
        cmocka_unit_test(an_end_that_nobody_knows_is_no_success),
    };

    if (count == 2 && strcmp(arguments[1], "say") == 0) {
        (void)!write(STDOUT_FILENO, "out\n", 4);
        (void)!write(STDERR_FILENO, "err\n", 4);
        return 3;
    }
    if (count == 2 && strcmp(arguments[1], "wait") == 0)
        for (;;)
            pause();
    return cmocka_run_group_tests_name("io/child_process", tests, NULL, NULL);
}
