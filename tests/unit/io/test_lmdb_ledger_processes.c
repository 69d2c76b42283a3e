#include "ledger_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- other processes --- */

static void reading_what_was_never_written_is_not_found(void **context)
{
    struct state_directory directory;
    struct err err = {0};
    (void)context;

    open_fails(BASE_URL, false, ERR_NOT_FOUND);
    must(state_directory_open(scratch, "catalog", true, &directory, &err), &err);
    open_fails(BASE_URL, false, ERR_NOT_FOUND);
    state_directory_close(&directory);
    assert_int_equal(close(open(below("catalog/data.mdb"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)),
                     0);
    open_fails(BASE_URL, false, ERR_NOT_FOUND);
}

static void expect_byte(int fd)
{
    char byte;

    if (read(fd, &byte, 1) != 1)
        _exit(9);
}

/* The reader's side: opens when told, looks, and looks again without opening anew. */
static int read_beside_writer(int told, int answers)
{
    struct opened opened;
    struct err err = {0};
    struct item item;
    uint64_t number;

    expect_byte(told);
    if (try_open(&opened, NULL, false, 0, &err) != ERR_OK)
        return 1;
    if (opened.port->ops->read_item(opened.port, 1, &item, &err) != ERR_OK ||
        item.state != ITEM_READY || lmdb_ledger_event_fd(opened.ledger) != -1)
        return 2;
    if (opened.port->ops->last_run(opened.port) != 0 ||
        opened.port->ops->connection_name(opened.port, 0) != NULL)
        return 3;
    if (write(answers, "1", 1) != 1)
        return 4;
    expect_byte(told);
    if (opened.port->ops->read_item(opened.port, 1, &item, &err) != ERR_OK ||
        item.state != ITEM_SENDING)
        return 5;
    if (opened.port->ops->next_item(opened.port, 2000, &number, &item, &err) != ERR_OK ||
        number != 2001)
        return 6;
    if (count_of(opened.port, UINT32_MAX, UINT32_MAX, ITEM_READY) != 2000)
        return 7;
    if (opened.port->ops->last_run(opened.port) != 1 ||
        opened.port->ops->connection_name(opened.port, 0) == NULL ||
        strcmp(opened.port->ops->connection_name(opened.port, 0), "shop") != 0)
        return 8;
    close_ledger(&opened);
    return 0;
}

static void a_reader_sees_commits_while_the_writer_runs_and_the_map_grows(void **context)
{
    int told[2], answers[2], status = -1;
    struct run_record run = {.started_ms = 1};
    struct opened opened;
    struct item item;
    struct err err = {0};
    uint32_t number;
    char key[32], byte;
    pid_t child;
    (void)context;

    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    assert_int_equal(pipe2(answers, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        close(told[1]);
        _exit(read_beside_writer(told[0], answers[1]));
    }
    close(answers[1]);
    opened = open_with(true, 64 * 1024);
    add(opened.port, 0, 0, "first", ITEM_READY, SLICE("{}"));
    commit(opened.port);
    assert_int_equal(write(told[1], "1", 1), 1);
    assert_int_equal(read(answers[0], &byte, 1), 1);
    item = read_item(opened.port, 1);
    move_item(opened.port, 1, &item, ITEM_SENDING);
    must(opened.port->ops->connection_number(opened.port, "shop", &number, &err), &err);
    must(opened.port->ops->put_run(opened.port, 1, &run, &err), &err);
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", i);
        add(opened.port, 0, 0, key, ITEM_READY, SLICE("{}"));
    }
    commit(opened.port);
    assert_int_equal(write(told[1], "1", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(told[0]);
    close(told[1]);
    close(answers[0]);
    close_ledger(&opened);
}

#define RACERS 8

static void of_many_that_race_for_a_new_ledger_one_gets_it(void **context)
{
    int start[2], verdicts[2], end[2], winners = 0;
    pid_t children[RACERS];
    (void)context;

    assert_int_equal(pipe2(start, O_CLOEXEC), 0);
    assert_int_equal(pipe2(verdicts, O_CLOEXEC), 0);
    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    for (int i = 0; i < RACERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct opened opened;
            struct err err = {0};
            enum err_code code;
            char verdict;

            close(end[1]);
            expect_byte(start[0]);
            code = try_open(&opened, BASE_URL, true, 0, &err);
            verdict = code == ERR_OK ? 'w' : code == ERR_LOCKED ? 'l' : '?';
            if (write(verdicts[1], &verdict, 1) != 1)
                _exit(1);
            (void)!read(end[0], &verdict, 1); /* until the parent closes it */
            _exit(0);
        }
    }
    close(end[0]);
    assert_int_equal(write(start[1], "12345678", RACERS), RACERS);
    for (int i = 0; i < RACERS; i++) {
        char verdict = 0;

        assert_int_equal(read(verdicts[0], &verdict, 1), 1);
        assert_true(verdict == 'w' || verdict == 'l');
        winners += verdict == 'w';
    }
    assert_int_equal(winners, 1);
    close(end[1]);
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    close(start[0]);
    close(start[1]);
    close(verdicts[0]);
    close(verdicts[1]);
}

static void what_a_killed_writer_had_committed_is_there(void **context)
{
    int ready[2], status = 0;
    struct opened opened;
    struct err err = {0};
    struct item item;
    char byte;
    pid_t child;
    (void)context;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        opened = open_ledger();
        add(opened.port, 0, 0, "a", ITEM_READY, SLICE("{}"));
        commit(opened.port);
        add(opened.port, 0, 0, "b", ITEM_READY, SLICE("{}"));
        if (write(ready[1], "1", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    opened = open_ledger();
    assert_int_equal(read_item(opened.port, 1).state, ITEM_READY);
    assert_int_equal(opened.port->ops->read_item(opened.port, 2, &item, &err), ERR_NOT_FOUND);
    close_ledger(&opened);
    close(ready[0]);
    close(ready[1]);
}

static void no_descriptor_of_the_ledger_passes_to_programs_that_are_started(void **context)
{
    struct opened opened = open_ledger();
    DIR *descriptors = opendir("/proc/self/fd");
    struct dirent *entry;
    int seen = 0;
    (void)context;

    assert_non_null(descriptors);
    while ((entry = readdir(descriptors)) != NULL) {
        char link[64], target[256] = "";

        (void)snprintf(link, sizeof link, "/proc/self/fd/%.20s", entry->d_name);
        if (readlink(link, target, sizeof target - 1) == -1 || strstr(target, scratch) == NULL)
            continue;
        seen++;
        if ((fcntl((int)strtol(entry->d_name, NULL, 10), F_GETFD) & FD_CLOEXEC) == 0)
            fail_msg("%s", target);
    }
    closedir(descriptors);
    assert_true(seen >= 6); /* directory twice, purser.lock, lock.mdb, data.mdb twice */
    assert_int_equal(fcntl(lmdb_ledger_event_fd(opened.ledger), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close_ledger(&opened);
}

/* In a child with a file system of its own: 0 = as it should be, 77 = cannot be tried here. */
static int fill_a_small_disk(void)
{
    struct opened opened;
    struct err err = {0};
    uint64_t number = 0;
    char *body, key[32];

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch, "tmpfs", 0, "size=1m,mode=0700") != 0)
        return 77;
    if (try_open(&opened, BASE_URL, true, 0, &err) != ERR_OK)
        return 1;
    body = mem_new(1, 50000);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "sku-%d", i);
        add(opened.port, 0, 0, key, ITEM_READY, (struct slice){body, 50000});
        if (opened.port->ops->commit_begin(opened.port, &number, &err) != ERR_OK ||
            opened.port->ops->commit_poll(opened.port, true, &number, &err) != ERR_OK)
            break;
    }
    if (err.code != ERR_STORAGE || strstr(err.text, "disk full: ") == NULL)
        return 2;
    lmdb_ledger_close(opened.ledger);
    state_directory_close(&opened.directory);
    if (try_open(&opened, BASE_URL, true, 0, &err) != ERR_OK)
        return 3;
    return count_of(opened.port, 0, 0, ITEM_READY) > 5 ? 0 : 4;
}

/* As above: the disk is full before anything is made. */
static int open_on_a_full_disk(void)
{
    struct opened opened;
    struct err err = {0};
    char block[4096] = "";
    int fd;

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", scratch, "tmpfs", 0, "size=64k,mode=0700") != 0 ||
        mkdir(below("catalog"), 0700) != 0)
        return 77;
    fd = open(below("filler"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    for (int free_blocks = 0; free_blocks < 16; free_blocks++) {
        enum err_code code = try_open(&opened, BASE_URL, true, 0, &err);

        if (code == ERR_OK)
            return free_blocks > 2 ? 0 : 1;
        if (code != ERR_STORAGE || strstr(err.text, "disk full: ") == NULL)
            return 2;
        if (ftruncate(fd, 65536 - 4096 * (free_blocks + 1)) != 0)
            return 3;
    }
    return 4;
}

static void run_in_child(int (*body)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(body());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* As above: the machine becomes another one. */
static int open_on_another_machine(void)
{
    struct opened opened;
    struct err err = {0};
    FILE *file;

    make_one_item();
    file = fopen(below("machine-id"), "we");
    fputs("0123456789abcdef0123456789abcdef\n", file);
    fclose(file);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(below("machine-id"), "/etc/machine-id", NULL, MS_BIND, NULL) != 0)
        return 77;
    if (try_open(&opened, BASE_URL, true, 0, &err) != ERR_STATE_DIRECTORY ||
        strstr(err.text, "another machine") == NULL)
        return 1;
    return 0;
}

static void on_another_machine_it_is_a_copy(void **context)
{
    (void)context;
    run_in_child(open_on_another_machine);
}

static void a_disk_that_fills_up_is_called_so_and_loses_nothing(void **context)
{
    (void)context;
    run_in_child(fill_a_small_disk);
}

static void opening_on_a_full_disk_is_an_error_and_no_signal(void **context)
{
    (void)context;
    run_in_child(open_on_a_full_disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(on_another_machine_it_is_a_copy),
        SCRATCH_TEST(reading_what_was_never_written_is_not_found),
        SCRATCH_TEST(a_reader_sees_commits_while_the_writer_runs_and_the_map_grows),
        SCRATCH_TEST(of_many_that_race_for_a_new_ledger_one_gets_it),
        SCRATCH_TEST(what_a_killed_writer_had_committed_is_there),
        SCRATCH_TEST(no_descriptor_of_the_ledger_passes_to_programs_that_are_started),
        SCRATCH_TEST(a_disk_that_fills_up_is_called_so_and_loses_nothing),
        SCRATCH_TEST(opening_on_a_full_disk_is_an_error_and_no_signal),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: processes", tests, NULL, NULL);
}
