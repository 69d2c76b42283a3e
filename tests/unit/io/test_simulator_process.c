/* The simulator as a child, played by a script. */
#include "failing_system_calls.h"

#include "purser/io/simulator_process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scratch.h"

/* It writes how it was called, says where it listens, and goes on until it is ended. */
static void be_played_by(const char *script)
{
    const char *path = below("program");
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\necho \"$@\" >%s/arguments\n%s\n", scratch, script) > 0);
    assert_int_equal(fchmod(fileno(file), 0700), 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("PURSER_SIMULATOR", path, 1), 0);
}

static const char *arguments(void)
{
    static char text[1024];
    FILE *file = fopen(below("arguments"), "re");

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_int_equal(fclose(file), 0);
    return text;
}

static void fails(enum err_code code, const char *text)
{
    struct simulator_process process = {0};
    struct err err = {0};

    assert_int_equal(simulator_process_start("clean", 7, scratch, &process, &err), code);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(process.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    simulator_process_stop(&process); /* there is none */
}

static void it_says_where_it_listens_and_is_ended(void **context)
{
    struct simulator_process process;
    struct err err = {0};
    pid_t pid;
    (void)context;

    be_played_by("echo http://127.0.0.1:4711\nexec tail -f /dev/null");
    calls_fail("read", 3, EINTR);
    assert_int_equal(simulator_process_start("clean", 7, scratch, &process, &err), ERR_OK);
    assert_non_null(calls_end());
    assert_string_equal(process.base_url, "http://127.0.0.1:4711/versioned");
    assert_non_null(strstr(arguments(), "--port 0 --profile clean --seed 7 --exit-with-parent "
                                        "--any-token --world /tmp/"));
    pid = process.pid;
    simulator_process_stop(&process);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(simulator_process_start("hostile", 8, NULL, &process, &err), ERR_OK);
    assert_null(strstr(arguments(), "--world"));
    simulator_process_stop(&process);
}

static void an_address_without_end_is_cut(void **context)
{
    struct simulator_process process;
    struct err err = {0};
    (void)context;

    be_played_by("printf %0200d 7\nexec tail -f /dev/null");
    assert_int_equal(simulator_process_start("clean", 7, scratch, &process, &err), ERR_OK);
    assert_true(strlen(process.base_url) < sizeof process.base_url);
    simulator_process_stop(&process);
}

static void one_that_cannot_be_started_is_told_and_none_is_left(void **context)
{
    static char longest[5000];
    struct simulator_process process = {0};
    struct err err = {0};
    (void)context;

    be_played_by("exit 3");
    fails(ERR_SYSTEM, "the simulator ended before it listened");
    be_played_by("echo http://127.0.0.1:4711\nexec tail -f /dev/null");
    calls_fail("read", 0, EIO);
    fails(ERR_SYSTEM, "the simulator ended before it listened");
    assert_non_null(calls_end());
    calls_fail("pipe2", 0, EMFILE);
    fails(ERR_SYSTEM, "pipe: Too many open files");
    assert_non_null(calls_end());
    calls_fail("posix_spawn_file_actions_init", 0, ENOMEM);
    fails(ERR_NO_MEMORY, "no memory to start the simulator");
    assert_non_null(calls_end());
    calls_fail("posix_spawnattr_init", 0, ENOMEM);
    fails(ERR_NO_MEMORY, "no memory to start the simulator");
    assert_non_null(calls_end());
    assert_int_equal(setenv("PURSER_SIMULATOR", below("nothing"), 1), 0);
    fails(ERR_NOT_FOUND, "nothing: No such file or directory\nhint: it is built beside purser");
    memset(longest, 'x', sizeof longest - 1);
    assert_int_equal(simulator_process_start("clean", 7, longest, &process, &err), ERR_INPUT);
    assert_non_null(strstr(err.text, "the path of the state directory is too long"));
}

/* Beside this program there is none, so it is looked for in PATH. */
static void without_a_name_it_is_looked_for_beside_purser_and_in_path(void **context)
{
    static char longest[5000];
    struct simulator_process process;
    struct err err = {0};
    (void)context;

    be_played_by("echo http://127.0.0.1:4711\nexec tail -f /dev/null");
    assert_int_equal(rename(below("program"), below("rutter-sim")), 0);
    memset(longest, 'x', sizeof longest - 1);
    for (int way = 0; way < 2; way++) {
        char path[4200];

        (void)snprintf(path, sizeof path, "%s:%s", scratch, "/usr/bin:/bin");
        assert_int_equal(setenv("PATH", path, 1), 0);
        assert_int_equal(
            way == 0 ? unsetenv("PURSER_SIMULATOR") : setenv("PURSER_SIMULATOR", longest, 1), 0);
        if (simulator_process_start("clean", 7, NULL, &process, &err) != ERR_OK)
            fail_msg("%s", err.text);
        assert_non_null(strstr(arguments(), "--seed 7"));
        simulator_process_stop(&process);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(it_says_where_it_listens_and_is_ended),
        SCRATCH_TEST(an_address_without_end_is_cut),
        SCRATCH_TEST(one_that_cannot_be_started_is_told_and_none_is_left),
        SCRATCH_TEST(without_a_name_it_is_looked_for_beside_purser_and_in_path),
    };

    return cmocka_run_group_tests_name("io/simulator_process", tests, NULL, NULL);
}
