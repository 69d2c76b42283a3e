#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "purser/core/limits.h"
#include "purser/io/state_directory.h"
#include "scratch.h"

static int make_scratch(void **context)
{
    unsetenv("PURSER_STATE");
    unsetenv("STATE_DIRECTORY");
    unsetenv("XDG_STATE_HOME");
    return scratch_make(context);
}

static unsigned mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static struct state_directory open_ok(const char *root, const char *name, bool write)
{
    struct state_directory directory;
    struct err err = {0};

    memset(&directory, 0xff, sizeof directory);
    if (state_directory_open(root, name, write, &directory, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return directory;
}

static struct err open_fails(const char *root, const char *name, bool write, enum err_code code)
{
    struct state_directory directory;
    struct err err = {0};

    memset(&directory, 0xff, sizeof directory);
    assert_int_equal(state_directory_open(root, name, write, &directory, &err), code);
    assert_int_equal(err.code, code);
    assert_int_equal(directory.fd, -1);
    assert_int_equal(directory.lock_fd, -1);
    assert_true(strlen(err.text) > 0);
    return err;
}

static void it_is_made_with_all_above_it_for_the_owner_only(void **context)
{
    struct state_directory directory;
    (void)context;

    directory = open_ok(below("a/b//c"), "catalog", true);
    assert_string_equal(directory.path, below("a/b//c/catalog"));
    assert_int_equal(mode_of(below("a")), 0700);
    assert_int_equal(mode_of(below("a/b/c")), 0700);
    assert_int_equal(mode_of(below("a/b/c/catalog")), 0700);
    assert_int_equal(mode_of(below("a/b/c/catalog/purser.lock")), 0600);
    state_directory_close(&directory);
    assert_int_equal(directory.fd, -1);
}

static void the_umask_does_not_matter(void **context)
{
    static const mode_t masks[] = {0, 0777};
    (void)context;

    for (size_t i = 0; i < 2; i++) {
        mode_t before = umask(masks[i]);
        struct state_directory directory;

        directory = open_ok(below(i == 0 ? "x/y" : "z/y"), "catalog", true);
        umask(before);
        assert_int_equal(mode_of(directory.path), 0700);
        assert_int_equal(mode_of(below(i == 0 ? "x" : "z")), 0700);
        assert_int_equal(
            mode_of(below(i == 0 ? "x/y/catalog/purser.lock" : "z/y/catalog/purser.lock")), 0600);
        state_directory_close(&directory);
    }
}

static void the_root_comes_from_the_environment_in_the_documented_order(void **context)
{
    struct state_directory directory;
    char listed[256], *home = getenv("HOME");
    (void)context;

    setenv("HOME", below("home"), 1);
    directory = open_ok(NULL, "s", true);
    assert_string_equal(directory.path, below("home/.local/state/purser/s"));
    state_directory_close(&directory);
    setenv("XDG_STATE_HOME", below("xdg"), 1);
    directory = open_ok(NULL, "s", true);
    assert_string_equal(directory.path, below("xdg/purser/s"));
    state_directory_close(&directory);
    (void)snprintf(listed, sizeof listed, "%s:%s", below("systemd"), below("other"));
    setenv("STATE_DIRECTORY", listed, 1);
    directory = open_ok(NULL, "s", true);
    assert_string_equal(directory.path, below("systemd/s"));
    state_directory_close(&directory);
    setenv("PURSER_STATE", below("own"), 1);
    directory = open_ok(NULL, "s", true);
    assert_string_equal(directory.path, below("own/s"));
    state_directory_close(&directory);
    directory = open_ok(below("argument"), "s", true);
    assert_string_equal(directory.path, below("argument/s"));
    state_directory_close(&directory);
    unsetenv("PURSER_STATE");
    unsetenv("STATE_DIRECTORY");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    open_fails(NULL, "s", true, ERR_STATE_DIRECTORY);
    if (home != NULL)
        setenv("HOME", home, 1);
}

static void a_relative_root_becomes_absolute(void **context)
{
    struct state_directory directory;
    char before[4096];
    (void)context;

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(scratch), 0);
    directory = open_ok("state", "s", true);
    assert_int_equal(chdir(before), 0);
    assert_string_equal(directory.path, below("state/s"));
    state_directory_close(&directory);
}

static void reading_what_is_not_there_is_not_found_and_makes_nothing(void **context)
{
    struct state_directory directory;
    (void)context;

    open_fails(below("root"), "s", false, ERR_NOT_FOUND);
    assert_int_equal(access(below("root"), F_OK), -1);
    directory = open_ok(below("root"), "s", true);
    open_fails(below("root"), "t", false, ERR_NOT_FOUND);
    assert_int_equal(access(below("root/t"), F_OK), -1);
    state_directory_close(&directory);
}

static void a_second_writer_is_told_who_holds_the_lock(void **context)
{
    struct state_directory first;
    struct err err;
    char pid[32];
    (void)context;

    first = open_ok(below("root"), "s", true);
    err = open_fails(below("root"), "s", true, ERR_LOCKED);
    (void)snprintf(pid, sizeof pid, "with pid %d since 20", (int)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_non_null(strstr(err.text, "hint:"));
    state_directory_close(&first);
    first = open_ok(below("root"), "s", true);
    state_directory_close(&first);
}

static void another_spec_name_is_another_lock(void **context)
{
    struct state_directory first, second;
    (void)context;

    first = open_ok(below("root"), "s", true);
    second = open_ok(below("root"), "t", true);
    state_directory_close(&first);
    state_directory_close(&second);
}

static void the_lock_follows_the_directory_not_its_name(void **context)
{
    struct state_directory first;
    (void)context;

    first = open_ok(below("root"), "s", true);
    assert_int_equal(symlink(below("root"), below("alias")), 0);
    open_fails(below("alias"), "s", true, ERR_LOCKED);
    state_directory_close(&first);
}

static void readers_do_not_need_the_lock(void **context)
{
    struct state_directory writer, reader;
    (void)context;

    writer = open_ok(below("root"), "s", true);
    reader = open_ok(below("root"), "s", false);
    assert_int_equal(reader.lock_fd, -1);
    state_directory_close(&reader);
    open_fails(below("root"), "s", true, ERR_LOCKED);
    state_directory_close(&writer);
}

static void of_a_dead_holder_only_the_text_is_left_and_that_does_not_lock(void **context)
{
    struct state_directory directory;
    pid_t child;
    int status;
    (void)context;

    child = fork();
    if (child == 0) {
        struct err err = {0};

        _exit(state_directory_open(below("root"), "s", true, &directory, &err) == ERR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    directory = open_ok(below("root"), "s", true);
    state_directory_close(&directory);
}

static void a_stale_or_strange_lock_text_names_nobody(void **context)
{
    static const char *const texts[] = {"",       "garbage",
                                        "0 x\n",  "99999999999 x\n",
                                        "-1 x\n", "2147483646 2026-01-01T00:00:00.000Z\n",
                                        "1",      "\n"};
    struct state_directory holder;
    (void)context;

    holder = open_ok(below("root"), "s", true);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err err;

        assert_int_equal(ftruncate(holder.lock_fd, 0), 0);
        assert_int_equal(pwrite(holder.lock_fd, texts[i], strlen(texts[i]), 0),
                         (ssize_t)strlen(texts[i]));
        err = open_fails(below("root"), "s", true, ERR_LOCKED);
        assert_non_null(strstr(err.text, "another purser"));
    }
    state_directory_close(&holder);
}

static void a_directory_open_to_others_is_refused_with_the_command_that_mends_it(void **context)
{
    static const mode_t modes[] = {0701, 0710, 0755, 0770, 0704};
    struct state_directory directory;
    (void)context;

    directory = open_ok(below("root"), "s", true);
    state_directory_close(&directory);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct err err;

        assert_int_equal(chmod(below("root/s"), modes[i]), 0);
        err = open_fails(below("root"), "s", true, ERR_STATE_DIRECTORY);
        assert_non_null(strstr(err.text, "hint: chmod 700 "));
        open_fails(below("root"), "s", false, ERR_STATE_DIRECTORY);
    }
}

static void a_root_that_others_can_write_is_refused_unless_it_is_sticky(void **context)
{
    struct state_directory directory;
    (void)context;

    assert_int_equal(mkdir(below("root"), 0700), 0);
    assert_int_equal(chmod(below("root"), 0777), 0);
    open_fails(below("root"), "s", true, ERR_STATE_DIRECTORY);
    assert_int_equal(access(below("root/s"), F_OK), -1);
    assert_int_equal(chmod(below("root"), 01777), 0);
    directory = open_ok(below("root"), "s", true);
    state_directory_close(&directory);
    assert_int_equal(chmod(below("root"), 0755), 0);
    directory = open_ok(below("root"), "s", true);
    state_directory_close(&directory);
}

static void a_symbolic_link_in_place_of_the_directory_or_the_lock_is_refused(void **context)
{
    struct state_directory directory;
    (void)context;

    directory = open_ok(below("root"), "real", true);
    state_directory_close(&directory);
    assert_int_equal(symlink("real", below("root/s")), 0);
    open_fails(below("root"), "s", true, ERR_STATE_DIRECTORY);
    open_fails(below("root"), "s", false, ERR_STATE_DIRECTORY);
    assert_int_equal(unlink(below("root/real/purser.lock")), 0);
    assert_int_equal(close(open(below("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    assert_int_equal(symlink(below("file"), below("root/real/purser.lock")), 0);
    open_fails(below("root"), "real", true, ERR_STATE_DIRECTORY);
}

static void a_file_or_a_pipe_in_the_way_is_refused(void **context)
{
    (void)context;
    assert_int_equal(close(open(below("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
    open_fails(below("file"), "s", true, ERR_STATE_DIRECTORY);
    open_fails(below("file/deeper"), "s", true, ERR_STATE_DIRECTORY);
    assert_int_equal(mkdir(below("root"), 0700), 0);
    assert_int_equal(mkdir(below("root/s"), 0700), 0);
    assert_int_equal(mkfifo(below("root/s/purser.lock"), 0600), 0);
    open_fails(below("root"), "s", true, ERR_STATE_DIRECTORY);
}

static void a_name_that_leads_elsewhere_is_refused(void **context)
{
    char name[SPEC_NAME_BYTES_MAX + 2];
    (void)context;

    open_fails(scratch, "", true, ERR_STATE_DIRECTORY);
    open_fails(scratch, ".", true, ERR_STATE_DIRECTORY);
    open_fails(scratch, "..", true, ERR_STATE_DIRECTORY);
    open_fails(scratch, "a/b", true, ERR_STATE_DIRECTORY);
    open_fails(scratch, ".hidden", true, ERR_STATE_DIRECTORY);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    open_fails(scratch, name, true, ERR_STATE_DIRECTORY);
    name[sizeof name - 2] = '\0';
    {
        struct state_directory directory = open_ok(scratch, name, true);

        state_directory_close(&directory);
    }
}

static void a_path_that_is_too_long_is_refused(void **context)
{
    char path[5000];
    (void)context;

    memset(path, 'p', sizeof path);
    for (size_t i = 0; i < sizeof path; i += 100)
        path[i] = '/';
    path[4990] = '\0';
    open_fails(path, "s", true, ERR_STATE_DIRECTORY);
    path[4000] = '\0';
    open_fails(path, "s", true, ERR_STATE_DIRECTORY);
}

static void descriptors_do_not_pass_to_programs_that_are_started(void **context)
{
    struct state_directory directory;
    (void)context;

    directory = open_ok(below("root"), "s", true);
    assert_int_equal(fcntl(directory.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(directory.lock_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    state_directory_close(&directory);
}

static void network_file_systems_have_a_name_to_refuse_them_by(void **context)
{
    (void)context;
    assert_string_equal(state_directory_refused_file_system(0x6969), "NFS");
    assert_string_equal(state_directory_refused_file_system(0xff534d42), "CIFS");
    assert_string_equal(state_directory_refused_file_system(0x65735546), "FUSE");
    assert_string_equal(state_directory_refused_file_system(0x01021997), "9p");
    assert_null(state_directory_refused_file_system(0xef53));     /* ext4 */
    assert_null(state_directory_refused_file_system(0x58465342)); /* xfs */
    assert_null(state_directory_refused_file_system(0x9123683e)); /* btrfs */
    assert_null(state_directory_refused_file_system(0x01021994)); /* tmpfs */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_made_with_all_above_it_for_the_owner_only),
        TEST(the_umask_does_not_matter),
        TEST(the_root_comes_from_the_environment_in_the_documented_order),
        TEST(a_relative_root_becomes_absolute),
        TEST(reading_what_is_not_there_is_not_found_and_makes_nothing),
        TEST(a_second_writer_is_told_who_holds_the_lock),
        TEST(another_spec_name_is_another_lock),
        TEST(the_lock_follows_the_directory_not_its_name),
        TEST(readers_do_not_need_the_lock),
        TEST(of_a_dead_holder_only_the_text_is_left_and_that_does_not_lock),
        TEST(a_stale_or_strange_lock_text_names_nobody),
        TEST(a_directory_open_to_others_is_refused_with_the_command_that_mends_it),
        TEST(a_root_that_others_can_write_is_refused_unless_it_is_sticky),
        TEST(a_symbolic_link_in_place_of_the_directory_or_the_lock_is_refused),
        TEST(a_file_or_a_pipe_in_the_way_is_refused),
        TEST(a_name_that_leads_elsewhere_is_refused),
        TEST(a_path_that_is_too_long_is_refused),
        TEST(descriptors_do_not_pass_to_programs_that_are_started),
        TEST(network_file_systems_have_a_name_to_refuse_them_by),
    };

    return cmocka_run_group_tests_name("io/state_directory", tests, NULL, NULL);
}
