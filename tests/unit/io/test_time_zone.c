#include "failing_system_calls.h"

#include "purser/io/time_zone.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/core/limits.h"
#include "scratch.h"

static struct arena arena;

/* A database of two zones with UTC's content, and one file that is too long. */
static void make_database(void)
{
    /* Version 1: no changes, one kind of time. */
    static const char utc[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                              "\0\0\0\0\0\0\0\1\0\0\0\4\0\0\16\20\0\0ABC";
    static const char *const names[] = {"Europe/Berlin", "Europe/Bern", "lists",
                                        "Long",          "Full",        "Bad"};
    char path[512];

    snprintf(path, sizeof path, "%s/Europe", scratch);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", scratch, names[i]);
        file = fopen(path, "w");
        assert_non_null(file);
        if (strcmp(names[i], "Bad") != 0)
            assert_int_equal(fwrite(utc, sizeof utc, 1, file), 1);
        for (size_t j = sizeof utc; strcmp(names[i], "Full") == 0 && j < TIME_ZONE_BYTES_MAX; j++)
            fputc('x', file);
        for (size_t j = sizeof utc; strcmp(names[i], "Long") == 0 && j < TIME_ZONE_BYTES_MAX + 1;
             j++)
            fputc('x', file);
        assert_int_equal(fclose(file), 0);
    }
    assert_int_equal(setenv("TZDIR", scratch, 1), 0);
}

static void assert_refused(const char *name, const char *message)
{
    const struct zone *zone;
    struct err err = {0};

    assert_int_equal(time_zone_open(&arena, name, &zone, &err), ERR_INPUT);
    if (strstr(err.text, message) == NULL)
        fail_msg("%s: %s", name, err.text);
}

static void zones_are_found_by_name(void **state)
{
    const struct zone *zone;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 22);
    make_database();
    assert_int_equal(time_zone_open(&arena, "Europe/Berlin", &zone, &err), ERR_OK);
    assert_int_equal(zone->span(zone, 0).offset_s, 3600);
    assert_int_equal(time_zone_open(&arena, "UTC", &zone, &err), ERR_OK);
    assert_ptr_equal(zone, &zone_utc);
    assert_refused("Europe/Berln",
                   "no time zone 'Europe/Berln'\nhint: did you mean 'Europe/Berlin'?");
    assert_refused("berlin", "did you mean 'Europe/Berlin'?");
    assert_refused("Mars/Olympus", "hint: a name as Europe/Berlin");
    assert_refused("Europe", "there is no time zone 'Europe'");
    assert_refused("../Berlin", "there is no time zone");
    assert_refused("/Berlin", "there is no time zone");
    assert_refused("", "there is no time zone");
    assert_int_equal(time_zone_open(&arena, "Full", &zone, &err), ERR_OK);
    assert_refused("Long", "File too large");
    assert_refused("Bad", "no time zone file");
    arena_deinit(&arena);
}

static void without_a_database_there_is_utc(void **state)
{
    const struct zone *zone;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 22);
    assert_int_equal(setenv("TZDIR", scratch, 1), 0);
    assert_int_equal(time_zone_open(&arena, "UTC", &zone, &err), ERR_OK);
    assert_refused("Europe/Berlin", "install the package tzdata");
    arena_deinit(&arena);
}

static void a_zone_whose_file_cannot_be_read_is_told(void **state)
{
    static const struct {
        const char *name;
        int64_t until;
        int error;
        const char *message;
    } failures[] = {
        {"open", 0, EMFILE, "Europe/Berlin cannot be opened: Too many open files"},
        {"read", 0, EIO, "Europe/Berlin cannot be read: Input/output error"},
        {"fstat", 1, EIO, "Europe/Berlin is no file"},
        {"opendir", 0, EMFILE, "there is no time zone 'Europe/Berln'"},
    };
    const struct zone *zone;
    struct err err = {0};

    (void)state;
    arena_init(&arena, 1 << 22);
    make_database();
    for (size_t i = 0; i < 3; i++) {
        calls_fail(failures[i].name, failures[i].until, failures[i].error);
        assert_refused("Europe/Berlin", failures[i].message);
        assert_non_null(calls_end());
    }
    calls_fail("read", 0, EINTR);
    assert_int_equal(time_zone_open(&arena, "Europe/Berlin", &zone, &err), ERR_OK);
    assert_non_null(calls_end());
    calls_fail("read", 0, CALL_IS_SHORT);
    assert_int_equal(time_zone_open(&arena, "Europe/Berlin", &zone, &err), ERR_OK);
    assert_non_null(calls_end());
    assert_int_equal(mkfifo(below("Pipe"), 0600), 0);
    assert_refused("Pipe", "Pipe is no file");
    assert_refused("Full/Berlin", "there is no time zone 'Full/Berlin'"); /* below a file */
    arena_deinit(&arena);
}

/* What may have been meant is looked for only as far as it goes. */
static void a_name_is_refused_however_strange_the_database(void **state)
{
    static char longest[5000], folder[400];
    struct err err = {0};
    const struct zone *zone;

    (void)state;
    arena_init(&arena, 1 << 22);
    make_database();
    memset(longest, 'x', sizeof longest - 1);
    assert_refused(longest, "there is no time zone 'xxx");
    calls_fail("opendir", 1, EACCES); /* Europe */
    assert_refused("Berlin", "there is no time zone 'Berlin'");
    assert_non_null(calls_end());
    /* Deeper than zones are, and a name longer than any. */
    for (int depth = 1; depth < 5; depth++) {
        (void)snprintf(folder, sizeof folder, "%s%.*s", scratch, 2 * depth, "/A/A/A/A");
        assert_int_equal(mkdir(folder, 0700), 0);
    }
    (void)snprintf(folder, sizeof folder, "%s/Europe/%.255s", scratch, longest);
    folder[strlen(scratch) + 8] = 'X';
    fclose(fopen(folder, "we"));
    assert_refused("Berln", "did you mean 'Europe/Berlin'?");
    assert_int_equal(setenv("TZDIR", "relative", 1), 0); /* is none */
    assert_refused("No/Such/Zone/At/All", "there is no time zone");
    assert_int_equal(setenv("TZDIR", scratch, 1), 0);
    for (int64_t nth = 0;; nth++) {
        uint64_t failures = mem_failure_count();
        enum err_code code;

        arena_deinit(&arena);
        mem_test_fail(nth, 1);
        code = time_zone_open(&arena, nth % 2 == 0 ? "Berln" : "Europe/Berlin", &zone, &err);
        mem_test_fail(-1, 0);
        if (mem_failure_count() == failures)
            break;
        assert_true(code == ERR_NO_MEMORY || code == ERR_INPUT);
    }
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(zones_are_found_by_name),
        SCRATCH_TEST(a_zone_whose_file_cannot_be_read_is_told),
        SCRATCH_TEST(a_name_is_refused_however_strange_the_database),
        SCRATCH_TEST(without_a_database_there_is_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
