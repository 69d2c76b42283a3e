#include "purser/codec/tzif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/calendar.h"

enum { FILE_BYTES_MAX = 1024 };

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return calendar_to_days((struct calendar_date){year, month, day}) * 86400 + hour * 3600 +
           minute * 60;
}

struct file {
    char bytes[FILE_BYTES_MAX];
    size_t length;
};

static void put(struct file *file, const char *bytes, size_t length)
{
    assert_true(file->length + length <= sizeof file->bytes);
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

static void put_number(struct file *file, int64_t number, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        put(file, (char[]){(char)((uint64_t)number >> shift)}, 1);
}

static void put_header(struct file *file, char version, uint32_t leaps, uint32_t transitions,
                       uint32_t types)
{
    put(file, "TZif", 4);
    put(file, &version, 1);
    for (int i = 0; i < 15; i++)
        put(file, "", 1);
    put_number(file, 0, 4);
    put_number(file, 0, 4);
    put_number(file, leaps, 4);
    put_number(file, transitions, 4);
    put_number(file, types, 4);
    put_number(file, 4, 4);
}

static void put_type(struct file *file, int32_t offset)
{
    put_number(file, offset, 4);
    put(file, "\0\0", 2);
}

/* Version 2: +1 h, from 1980 on +2 h, then the rule. */
static struct file made(const char *rule)
{
    struct file file = {.length = 0};

    put_header(&file, '2', 0, 0, 1);
    put_type(&file, 0);
    put(&file, "ABC", 4);
    put_header(&file, '2', 0, 1, 2);
    put_number(&file, at(1980, 1, 1, 0, 0), 8);
    put(&file, "\1", 1);
    put_type(&file, 3600);
    put_type(&file, 7200);
    put(&file, "ABC", 4);
    put(&file, "\n", 1);
    put(&file, rule, strlen(rule));
    put(&file, "\n", 1);
    return file;
}

static const struct zone *loaded(const char *rule)
{
    struct file file = made(rule);
    const struct zone *zone;
    struct err err = {0};

    if (tzif_load(&arena, file.bytes, file.length, &zone, &err) != ERR_OK)
        fail_msg("%s: %s", rule, err.text);
    return zone;
}

static void assert_span(const struct zone *zone, int64_t unix_s, int64_t begin_s, int64_t end_s,
                        int32_t offset_s)
{
    struct zone_span span = zone->span(zone, unix_s);

    if (span.begin_s != begin_s || span.end_s != end_s || span.offset_s != offset_s)
        fail_msg("at %lld: %lld to %lld %d, expected %lld to %lld %d", (long long)unix_s,
                 (long long)span.begin_s, (long long)span.end_s, (int)span.offset_s,
                 (long long)begin_s, (long long)end_s, (int)offset_s);
}

static void changes_of_the_file_come_before_its_rule(void **state)
{
    const struct zone *zone = loaded("XYZ-3");
    int64_t change = at(1980, 1, 1, 0, 0);

    (void)state;
    assert_span(zone, INT64_MIN / 4, INT64_MIN, change, 3600);
    assert_span(zone, change - 1, INT64_MIN, change, 3600);
    assert_span(zone, change, change, INT64_MAX, 10800);
    zone = loaded("");
    assert_span(zone, change, change, INT64_MAX, 7200);
}

static void rules_of_all_forms_are_known(void **state)
{
    const struct zone *berlin = loaded("CET-1CEST,M3.5.0,M10.5.0/3"),
                      *sydney = loaded("AEST-10AEDT,M10.1.0,M4.1.0/3"),
                      *ireland = loaded("IST-1GMT0,M10.5.0,M3.5.0/1"),
                      *nuuk = loaded("<-02>2<-01>,M3.5.0/-1,M10.5.0/0"),
                      *julian = loaded("AAA0BBB,J60/0,J305/0"),
                      *zero = loaded("AAA0BBB-1:30,59/0,304/0"),
                      *all_year = loaded("AAA0BBB,0/0,J365/25");

    (void)state;
    assert_span(berlin, at(2100, 7, 1, 0, 0), at(2100, 3, 28, 1, 0), at(2100, 10, 31, 1, 0), 7200);
    assert_span(berlin, at(2100, 12, 31, 23, 59), at(2100, 10, 31, 1, 0), at(2101, 3, 27, 1, 0),
                3600);
    assert_span(sydney, at(2026, 1, 1, 0, 0), at(2025, 10, 4, 16, 0), at(2026, 4, 4, 16, 0), 39600);
    assert_span(ireland, at(2026, 7, 1, 0, 0), at(2026, 3, 29, 1, 0), at(2026, 10, 25, 1, 0), 3600);
    assert_span(nuuk, at(2026, 4, 1, 0, 0), at(2026, 3, 29, 1, 0), at(2026, 10, 25, 1, 0), -3600);
    /* 1 March, leap year or not. */
    assert_span(julian, at(2028, 5, 1, 0, 0), at(2028, 3, 1, 0, 0), at(2028, 10, 31, 23, 0), 3600);
    assert_span(zero, at(2028, 5, 1, 0, 0), at(2028, 2, 29, 0, 0), at(2028, 10, 30, 22, 30), 5400);
    assert_int_equal(all_year->span(all_year, at(2026, 7, 1, 0, 0)).offset_s, 3600);
    assert_int_equal(all_year->span(all_year, at(2027, 1, 1, 0, 0)).offset_s, 3600);
}

static void version_1_has_times_of_32_bits(void **state)
{
    struct file file = {.length = 0};
    const struct zone *zone;
    struct err err = {0};

    (void)state;
    put_header(&file, '\0', 0, 1, 2);
    put_number(&file, -3600, 4);
    put(&file, "\1", 1);
    put_type(&file, -3600);
    put_type(&file, 0);
    put(&file, "ABC", 4);
    assert_int_equal(tzif_load(&arena, file.bytes, file.length, &zone, &err), ERR_OK);
    assert_span(zone, -3601, INT64_MIN, -3600, -3600);
    assert_span(zone, 0, -3600, INT64_MAX, 0);
}

static void what_is_no_zone_is_refused(void **state)
{
    static const char *const rules[] = {"CET",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M3.5.0,",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.6.0,M10.5.0",
                                        "CET-1CEST,M3.5.7,M10.5.0",
                                        "CET-1CEST,J0,J2",
                                        "CET-1CEST,J1,366",
                                        "CET-25",
                                        "<CET-1",
                                        "CET-1x",
                                        "CET-1CEST,J1/168,J2",
                                        "-1"};
    struct file good = made("CET-1CEST,M3.5.0,M10.5.0/3"), file;
    const struct zone *zone;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        file = made(rules[i]);
        if (tzif_load(&arena, file.bytes, file.length, &zone, &err) != ERR_INPUT)
            fail_msg("%s was taken", rules[i]);
    }
    for (size_t length = 0; length < good.length; length++)
        assert_int_equal(tzif_load(&arena, good.bytes, length, &zone, &err), ERR_INPUT);
    file = (struct file){.length = 0};
    put_header(&file, '\0', 1, 0, 1);
    put_type(&file, 0);
    put(&file, "ABC\0\0\0\0\0\0\0\0\0", 12);
    assert_int_equal(tzif_load(&arena, file.bytes, file.length, &zone, &err), ERR_INPUT);
    assert_non_null(strstr(err.text, "leap seconds"));
    file = (struct file){.length = 0};
    put_header(&file, '\0', 0, 2, 1);
    put_number(&file, 5, 4);
    put_number(&file, 5, 4);
    put(&file, "\0\0", 2);
    put_type(&file, 0);
    put(&file, "ABC", 4);
    assert_int_equal(tzif_load(&arena, file.bytes, file.length, &zone, &err), ERR_INPUT);
    assert_non_null(strstr(err.text, "out of order"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_of_the_file_come_before_its_rule),
        cmocka_unit_test(rules_of_all_forms_are_known),
        cmocka_unit_test(version_1_has_times_of_32_bits),
        cmocka_unit_test(what_is_no_zone_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
