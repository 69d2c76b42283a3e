#include "child.h"
#include "ledger_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* File systems that do not take what they are given, and readers that never came to their end. A
 * child has file systems of its own; where that is not allowed the test is skipped. */

static bool mount_scratch(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", scratch, "tmpfs", 0, "size=8m,mode=0700") == 0;
}

static int open_read_only(void)
{
    struct opened opened;
    struct err err = {0};

    if (!mount_scratch())
        return SKIPPED;
    make_one_item();
    if (mount("none", scratch, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) != 0)
        return SKIPPED;
    if (try_open(&opened, BASE_URL, true, 0, &err) == ERR_OK ||
        strstr(err.text, "Read-only file system") == NULL)
        return 1;
    if (try_open(&opened, NULL, false, 0, &err) != ERR_OK)
        return 2;
    if (read_item(opened.port, 1).state != ITEM_READY)
        return 3;
    close_ledger(&opened);
    return 0;
}

static void a_read_only_file_system_is_read_and_not_written(void **context)
{
    (void)context;
    run_in_child(open_read_only);
}

static off_t size_of_data(void)
{
    struct stat status;

    assert_int_equal(stat(below("catalog/data.mdb"), &status), 0);
    return status.st_size;
}

/* Another process looks at the ledger; with `dies` it is gone in the middle of that, by where it
 * puts what it has read. */
static void look_from_another_process(bool dies)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        void *nowhere = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct opened opened = open_with(false, 0);
        struct err err = {0};
        struct item item;
        uint64_t number;

        close(STDERR_FILENO); /* a sanitizer has much to say here */
        (void)signal(SIGSEGV, SIG_DFL);
        _exit(opened.port->ops->next_item(opened.port, 0, dies ? nowhere : &number, &item, &err) !=
              ERR_OK);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status != 0, dies);
}

/* A dead reader keeps the pages that it has seen until its slot is cleared: each commit would take
 * new ones. The next who opens the ledger clears it. */
static void a_reader_that_died_does_not_let_the_ledger_grow(void **context)
{
    struct opened opened;
    struct item item;
    off_t before;
    (void)context;

    make_one_item();
    opened = open_ledger();
    look_from_another_process(true);
    look_from_another_process(false);
    item = read_item(opened.port, 1);
    before = size_of_data();
    for (int i = 0; i < 300; i++) {
        move_item(opened.port, 1, &item, i % 2 == 0 ? ITEM_SENDING : ITEM_READY);
        commit(opened.port);
    }
    assert_in_range(size_of_data() - before, 0, 64 * 4096);
    close_ledger(&opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_read_only_file_system_is_read_and_not_written),
        SCRATCH_TEST(a_reader_that_died_does_not_let_the_ledger_grow),
    };

    return cmocka_run_group_tests_name("io/lmdb_ledger: disks", tests, NULL, NULL);
}
