/* What a fault within a map of a ledger makes of the process, and what any other fault does. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "purser/io/ledger_guard.h"

#define PAGE_BYTES 4096

/* Does `deed` in a process of its own; its end, as of waitpid(), and what it says. */
static int end_of(void (*deed)(void), char *said, size_t size)
{
    int pipe_fds[2], status = 0;
    ssize_t got, length = 0;
    pid_t child;

    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    if (child == 0) {
        struct rlimit none = {0};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(pipe_fds[1], STDERR_FILENO);
        /* cmocka and sanitizers have handlers of their own. */
        (void)signal(SIGBUS, SIG_DFL);
        (void)signal(SIGSEGV, SIG_DFL);
        deed();
        _exit(0);
    }
    close(pipe_fds[1]);
    while ((got = read(pipe_fds[0], said + length, size - 1 - (size_t)length)) > 0)
        length += got;
    said[length] = '\0';
    close(pipe_fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static volatile char *map_of_nothing(void)
{
    char name[] = "/tmp/purser-guard-XXXXXX";
    int fd = mkstemp(name);
    char *map = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);

    (void)unlink(name);
    ledger_guard_begin("/the/ledger", map, PAGE_BYTES);
    return map;
}

static void read_behind_the_file(void)
{
    volatile char *map = map_of_nothing();

    _exit(map[100]);
}

static void read_after_the_end(void)
{
    volatile char *map = map_of_nothing();

    ledger_guard_end();
    _exit(map[100]);
}

static void read_elsewhere(void)
{
    volatile char *volatile elsewhere = (volatile char *)16;

    (void)map_of_nothing();
    _exit(*elsewhere);
}

static void on_signal(int number)
{
    _exit(100 + number);
}

/* Of those who had seen to it before. */
static void raise_before_others(void)
{
    (void)signal(SIGSEGV, on_signal);
    (void)map_of_nothing();
    ledger_guard_end();
    ledger_guard_end(); /* has nothing more to do */
    (void)map_of_nothing();
    (void)raise(SIGSEGV);
}

static void fault_before_others(void)
{
    (void)signal(SIGBUS, on_signal);
    read_after_the_end();
}

static void fault_elsewhere_before_others(void)
{
    (void)signal(SIGSEGV, on_signal);
    read_elsewhere();
}

static void be_killed(void)
{
    (void)map_of_nothing();
    (void)raise(SIGSEGV);
}

static void find_what_cannot_be(void)
{
    (void)map_of_nothing();
    ledger_guard_give_up();
}

static void damage_is_told_and_no_signal_ends_the_process(void **context)
{
    char said[1024];
    int status = end_of(read_behind_the_file, said, sizeof said);
    (void)context;

    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(said, "the ledger in /the/ledger is damaged"));
    status = end_of(find_what_cannot_be, said, sizeof said);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(said, "/the/ledger"));
}

static void any_other_fault_takes_its_usual_course(void **context)
{
    static void (*const deeds[])(void) = {read_elsewhere, be_killed, read_after_the_end};
    static const int signals[] = {SIGSEGV, SIGSEGV, SIGBUS};
    char said[1024];
    (void)context;

    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        int status = end_of(deeds[i], said, sizeof said);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_string_equal(said, "");
    }
}

static void who_saw_to_it_before_sees_to_it_again(void **context)
{
    char said[1024];
    (void)context;

    assert_int_equal(end_of(raise_before_others, said, sizeof said), (100 + SIGSEGV) << 8);
    assert_int_equal(end_of(fault_before_others, said, sizeof said), (100 + SIGBUS) << 8);
    assert_int_equal(end_of(fault_elsewhere_before_others, said, sizeof said), (100 + SIGSEGV)
                                                                                   << 8);
    assert_string_equal(said, "");
}

/* Cut, it is still a sentence. */
static void name_a_long_path(void)
{
    static char path[6000];

    memset(path, 'p', sizeof path - 1);
    ledger_guard_begin(path, NULL, 0);
    ledger_guard_give_up();
}

static void a_path_without_end_is_cut(void **context)
{
    char said[8192];
    (void)context;

    assert_int_equal(end_of(name_a_long_path, said, sizeof said), 1 << 8);
    assert_true(strncmp(said, "purser: the ledger in ppp", 25) == 0 && strlen(said) > 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_told_and_no_signal_ends_the_process),
        cmocka_unit_test(any_other_fault_takes_its_usual_course),
        cmocka_unit_test(who_saw_to_it_before_sees_to_it_again),
        cmocka_unit_test(a_path_without_end_is_cut),
    };

    return cmocka_run_group_tests_name("io/ledger_guard", tests, NULL, NULL);
}
