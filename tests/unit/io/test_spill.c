#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "memory_in_use.h"
#include "purser/base/mem.h"
#include "purser/base/rng.h"
#include "purser/io/spill.h"

static struct err err;
static int64_t live_before;
static int lowest_free_before;

static int lowest_free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);

    assert_int_not_equal(fd, -1);
    close(fd);
    return fd;
}

static int set_up(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    live_before = mem_test_live_count();
    lowest_free_before = lowest_free_descriptor();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    assert_int_equal(mem_test_live_count(), live_before);
    assert_int_equal(lowest_free_descriptor(), lowest_free_before);
    return 0;
}

static void add(struct spill *spill, uint64_t high, uint64_t low, uint64_t order)
{
    struct spill_record record = {
        .hash = {high, low}, .order = order, .value = ~order, .extra = high ^ low};

    assert_int_equal(spill_add(spill, &record, &err), ERR_OK);
}

static bool in_order(const struct spill_record *a, const struct spill_record *b, bool by_order_only)
{
    if (!by_order_only && a->hash.high != b->hash.high)
        return a->hash.high < b->hash.high;
    if (!by_order_only && a->hash.low != b->hash.low)
        return a->hash.low < b->hash.low;
    return a->order <= b->order;
}

/* Sorted, and each record that was added is there once and whole. */
static void assert_sorted(struct spill *spill, uint64_t expected_count, bool by_order_only)
{
    uint64_t count = 99, order_sum = 0, i;
    const struct spill_record *records = spill_records(spill, &count);

    assert_int_equal(count, expected_count);
    for (i = 0; i < count; i++) {
        assert_int_equal(records[i].value, ~records[i].order);
        assert_int_equal(records[i].extra, records[i].hash.high ^ records[i].hash.low);
        order_sum += records[i].order;
        if (i > 0 && !in_order(&records[i - 1], &records[i], by_order_only))
            fail_msg("record %llu is out of order", (unsigned long long)i);
    }
    if (count > 0)
        assert_int_equal(order_sum, count * (count - 1) / 2);
}

static struct spill *open_spill(void)
{
    struct spill *spill = NULL;

    if (spill_open(NULL, &spill, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return spill;
}

static void any_number_of_records_is_sorted_both_ways(void **state)
{
    static const uint64_t counts[] = {0,  1,    2,    3,    16,   17,   18,    33,
                                      99, 1599, 1600, 1601, 3200, 5000, 100000};
    struct rng rng;
    size_t i;
    uint64_t order;

    (void)state;
    rng_init(&rng, 7);
    for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct spill *spill = open_spill();

        for (order = 0; order < counts[i]; order++)
            add(spill, rng_below(&rng, 50), rng_below(&rng, 100), order);
        assert_int_equal(spill_sort(spill, false, &err), ERR_OK);
        assert_sorted(spill, counts[i], false);
        assert_int_equal(spill_sort(spill, true, &err), ERR_OK);
        assert_sorted(spill, counts[i], true);
        spill_close(spill);
    }
}

static uint64_t pattern(int kind, uint64_t i, uint64_t count)
{
    switch (kind) {
    case 0:
        return 7; /* all equal: only their order differs */
    case 1:
        return i;
    case 2:
        return count - i;
    case 3:
        return i < count / 2 ? i : count - i;
    case 4:
        return i % 2;
    default:
        return i ^ 1;
    }
}

static void inputs_with_a_pattern_are_sorted(void **state)
{
    int kind;
    uint64_t i;

    (void)state;
    for (kind = 0; kind < 6; kind++) {
        struct spill *spill = open_spill();

        for (i = 0; i < 20000; i++)
            add(spill, pattern(kind, i, 20000), 1, i);
        assert_int_equal(spill_sort(spill, false, &err), ERR_OK);
        assert_sorted(spill, 20000, false);
        spill_close(spill);
    }
}

/* Made by an adversary that answers comparisons so that each pivot is as bad as it can be: the
 * sort changes to its fallback. Source: McIlroy, "A Killer Adversary for Quicksort", 1999. */
static void the_worst_input_is_sorted(void **state)
{
    static const uint8_t worst[] = {0,  2,  3,  49, 5,  50, 7,  51, 9,  52, 11, 53, 13, 54, 15, 55,
                                    17, 56, 19, 57, 21, 94, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
                                    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
                                    1,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 58, 59, 60, 61, 62,
                                    63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78,
                                    79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 95};
    struct spill *spill = open_spill();
    uint64_t i;

    (void)state;
    for (i = 0; i < sizeof worst; i++)
        add(spill, worst[i], 0, i);
    assert_int_equal(spill_sort(spill, false, &err), ERR_OK);
    assert_sorted(spill, sizeof worst, false);
    spill_close(spill);
}

static void records_may_be_changed_and_sorted_again(void **state)
{
    struct spill *spill = open_spill();
    struct spill_record *records;
    uint64_t i, count;

    (void)state;
    for (i = 0; i < 5000; i++)
        add(spill, i, 0, i);
    assert_int_equal(spill_sort(spill, false, &err), ERR_OK);
    records = spill_records(spill, &count);
    for (i = 0; i < count; i++) {
        records[i].order = count - 1 - i;
        records[i].value = ~records[i].order;
    }
    assert_int_equal(spill_sort(spill, true, &err), ERR_OK);
    assert_sorted(spill, 5000, true);
    assert_ptr_equal(spill_records(spill, &count), records);
    assert_int_equal(records[0].hash.high, 4999);
    spill_close(spill);
}

static void anonymous_memory_stays_flat(void **state)
{
    struct spill *spill = open_spill();
    struct rng rng;
    uint64_t i;
    long before;

    (void)state;
    rng_init(&rng, 3);
    add(spill, rng_next(&rng), 0, 0);
    before = anonymous_kilobytes();
    for (i = 1; i < 1000000; i++) /* 40 MB */
        add(spill, rng_next(&rng), 0, i);
    assert_int_equal(spill_sort(spill, false, &err), ERR_OK);
    assert_sorted(spill, 1000000, false);
    assert_in_range(anonymous_kilobytes() - before + 10000, 0, 20000);
    spill_close(spill);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    struct spill *spill = NULL;

    (void)state;
    assert_int_equal(spill_open("/nonexistent/folder", &spill, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "/nonexistent/folder"));
    assert_non_null(strstr(err.text, "TMPDIR"));
    assert_null(spill);
    setenv("TMPDIR", "/nonexistent/too", 1);
    assert_int_equal(spill_open(NULL, &spill, &err), ERR_SYSTEM);
    assert_non_null(strstr(err.text, "/nonexistent/too"));
    unsetenv("TMPDIR");
}

static void a_full_disk_is_told(void **state)
{
    const struct rlimit small = {100000, RLIM_INFINITY};
    struct rlimit before;
    struct spill *spill = open_spill();
    struct spill_record record = {.order = 0};
    enum err_code code = ERR_OK;
    int i;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (i = 0; i < 10000 && code == ERR_OK; i++)
        code = spill_add(spill, &record, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "cannot be written"));
    spill_close(spill);
}

static void lack_of_memory_is_told(void **state)
{
    struct spill *spill = NULL;

    (void)state;
    mem_test_fail(0, 0);
    assert_int_equal(spill_open(NULL, &spill, &err), ERR_NO_MEMORY);
    assert_null(spill);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(any_number_of_records_is_sorted_both_ways),
        TEST(inputs_with_a_pattern_are_sorted),
        TEST(the_worst_input_is_sorted),
        TEST(records_may_be_changed_and_sorted_again),
        TEST(anonymous_memory_stays_flat),
        TEST(a_folder_that_is_not_there_is_named),
        TEST(a_full_disk_is_told),
        TEST(lack_of_memory_is_told),
    };

    return cmocka_run_group_tests_name("io/spill", tests, NULL, NULL);
}
