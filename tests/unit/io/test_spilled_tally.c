/* How often things were seen: exact, at any number of them, with no memory of its own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/io/spilled_tally.h"

static struct err err;

static struct hash128 thing_of(uint64_t number)
{
    return checksum128(&number, sizeof number);
}

static uint64_t add(struct tally *tally, struct hash128 thing)
{
    uint64_t count = 0;

    assert_int_equal(tally->ops->add(tally, thing, &count, &err), ERR_OK);
    return count;
}

static void what_was_never_seen_counts_nothing(void **context)
{
    struct tally *tally;
    (void)context;

    assert_int_equal(spilled_tally_open(NULL, &tally, &err), ERR_OK);
    assert_int_equal(tally->ops->count(tally, thing_of(1)), 0);
    assert_int_equal(add(tally, thing_of(1)), 1);
    assert_int_equal(tally->ops->count(tally, thing_of(2)), 0);
    spilled_tally_close(tally);
}

static void each_thing_is_counted_while_the_table_grows(void **context)
{
    enum { THINGS = 50000, TIMES = 3 };
    struct tally *tally;
    (void)context;

    assert_int_equal(spilled_tally_open(NULL, &tally, &err), ERR_OK);
    for (uint64_t time = 1; time <= TIMES; time++)
        for (uint64_t i = 0; i < THINGS; i++)
            assert_int_equal(add(tally, thing_of(i)), time);
    for (uint64_t i = 0; i < THINGS; i++)
        assert_int_equal(tally->ops->count(tally, thing_of(i)), TIMES);
    assert_int_equal(tally->ops->count(tally, thing_of(THINGS)), 0);
    spilled_tally_close(tally);
}

static void things_that_meet_in_one_place_are_told_apart(void **context)
{
    struct tally *tally;
    (void)context;

    assert_int_equal(spilled_tally_open(NULL, &tally, &err), ERR_OK);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(add(tally, (struct hash128){.high = i, .low = 4095}), 1);
    assert_int_equal(add(tally, (struct hash128){.high = 7, .low = 4095}), 2);
    assert_int_equal(tally->ops->count(tally, (struct hash128){.high = 8, .low = 4095}), 1);
    assert_int_equal(tally->ops->count(tally, (struct hash128){.high = 100, .low = 4095}), 0);
    spilled_tally_close(tally);
}

static void a_full_disk_is_told_and_what_was_counted_stays(void **context)
{
    struct rlimit unlimited, small = {.rlim_cur = 200 * 1024};
    struct tally *tally;
    uint64_t seen = 0, count;
    (void)context;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    small.rlim_max = unlimited.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(spilled_tally_open(NULL, &tally, &err), ERR_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    while (seen < 100000 && tally->ops->add(tally, thing_of(seen), &count, &err) == ERR_OK)
        seen++;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "TMPDIR"));
    assert_true(seen > 0);
    for (uint64_t i = 0; i < seen; i++)
        assert_int_equal(tally->ops->count(tally, thing_of(i)), 1);
    assert_int_equal(tally->ops->count(tally, thing_of(seen)), 0);
    spilled_tally_close(tally);
}

static void without_memory_it_is_not_opened(void **context)
{
    struct tally *tally;
    (void)context;

    mem_test_fail(0, 1);
    assert_int_equal(spilled_tally_open(NULL, &tally, &err), ERR_NO_MEMORY);
    mem_test_fail(-1, 0);
}

static int set_up(void **context)
{
    (void)context;
    memset(&err, 0, sizeof err);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_never_seen_counts_nothing, set_up),
        cmocka_unit_test_setup(each_thing_is_counted_while_the_table_grows, set_up),
        cmocka_unit_test_setup(things_that_meet_in_one_place_are_told_apart, set_up),
        cmocka_unit_test_setup(a_full_disk_is_told_and_what_was_counted_stays, set_up),
        cmocka_unit_test_setup(without_memory_it_is_not_opened, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
