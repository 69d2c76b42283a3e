#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/codec/cell.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1024 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    arena_deinit(&arena);
    return 0;
}

static enum err_code convert(enum column_type type, const char *text, struct value *value_out,
                             struct cell_problem *problem_out)
{
    const struct spec_column column = {.name = SLICE("c"), .type = type, .separator = SLICE("|")};

    memset(value_out, 0xff, sizeof *value_out);
    memset(problem_out, 0, sizeof *problem_out);
    return cell_from_text(&arena, &column, slice_of(text), value_out, problem_out);
}

static void accept(enum column_type type, const char *text, enum value_kind kind,
                   const char *expected)
{
    struct value value;
    struct cell_problem problem;

    if (convert(type, text, &value, &problem) != ERR_OK)
        fail_msg("\"%s\" %s", text, problem.what);
    assert_int_equal(value.kind, kind);
    if (!slice_is(value.text, expected))
        fail_msg("\"%s\" became \"%.*s\"", text, (int)value.text.length, value.text.bytes);
}

static void refuse(enum column_type type, const char *text, const char *what)
{
    struct value value;
    struct cell_problem problem;

    if (convert(type, text, &value, &problem) != ERR_INPUT)
        fail_msg("accepted: \"%s\"", text);
    assert_string_equal(problem.what, what);
    assert_non_null(problem.help);
}

static void an_empty_cell_of_any_type_is_omitted(void **state)
{
    enum column_type type;
    struct value value;
    struct cell_problem problem;

    (void)state;
    for (type = COLUMN_STRING; type <= COLUMN_AS_WRITTEN; type++) {
        assert_int_equal(convert(type, "", &value, &problem), ERR_OK);
        assert_int_equal(value.kind, VALUE_OMIT);
    }
    assert_int_equal(convert(COLUMN_DECIMAL, " \t", &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_OMIT);
    assert_int_equal(cell_from_text(&arena, NULL, slice_of(""), &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_OMIT);
}

static void strings_are_taken_as_they_stand(void **state)
{
    struct value value;
    struct cell_problem problem;

    (void)state;
    accept(COLUMN_STRING, " 007 ", VALUE_STRING, " 007 ");
    assert_int_equal(cell_from_text(&arena, NULL, slice_of(" x "), &value, &problem), ERR_OK);
    assert_true(slice_is(value.text, " x "));
}

static void decimals_keep_their_digits(void **state)
{
    static const char *const good[] = {
        "12.340", "0", "-0.5", "1e5", "19.99", "0.10", "123456789012345678901234567890"};
    static const char *const bad[] = {"12,34",  "1.",  ".5",      "+1",     "1,234.5",
                                      "007.50", "00",  "12.34 €", "1 000",  "--1",
                                      "1e",     "NaN", "0x1",     "12.3.4", "-"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        accept(COLUMN_DECIMAL, good[i], VALUE_NUMBER, good[i]);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(COLUMN_DECIMAL, bad[i], "is not a decimal");
    accept(COLUMN_DECIMAL, "  2.55\t", VALUE_NUMBER, "2.55");
}

static void integers_are_whole_and_fit_64_bits(void **state)
{
    (void)state;
    accept(COLUMN_INTEGER, "0", VALUE_NUMBER, "0");
    accept(COLUMN_INTEGER, " -6 ", VALUE_NUMBER, "-6");
    accept(COLUMN_INTEGER, "18446744073709551615", VALUE_NUMBER, "18446744073709551615");
    refuse(COLUMN_INTEGER, "18446744073709551616", "is too large for an integer");
    refuse(COLUMN_INTEGER, "-9223372036854775809", "is too large for an integer");
    refuse(COLUMN_INTEGER, "17850.0", "is not a whole number");
    refuse(COLUMN_INTEGER, "1e3", "is not a whole number");
    refuse(COLUMN_INTEGER, "007", "is not a whole number");
    refuse(COLUMN_INTEGER, "1,000", "is not a whole number");
    refuse(COLUMN_INTEGER, "x", "is not a whole number");
}

static void booleans_have_six_words_in_any_case(void **state)
{
    static const char *const words[] = {"false", "NO", "0", "True", "yes", " 1 "};
    struct value value;
    struct cell_problem problem;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(convert(COLUMN_BOOLEAN, words[i], &value, &problem), ERR_OK);
        assert_int_equal(value.kind, VALUE_BOOL);
        assert_int_equal(value.boolean, i >= 3);
    }
    refuse(COLUMN_BOOLEAN, "y", "is not a boolean");
    refuse(COLUMN_BOOLEAN, "2", "is not a boolean");
    refuse(COLUMN_BOOLEAN, "truex", "is not a boolean");
}

static void dates_are_days_of_the_calendar(void **state)
{
    (void)state;
    accept(COLUMN_DATE, "2026-11-26", VALUE_STRING, "2026-11-26");
    accept(COLUMN_DATE, " 2024-02-29 ", VALUE_STRING, "2024-02-29");
    refuse(COLUMN_DATE, "2026-02-29", "is not a date");
    refuse(COLUMN_DATE, "2026-13-01", "is not a date");
    refuse(COLUMN_DATE, "26.11.2026", "is not a date");
    refuse(COLUMN_DATE, "2026-11-2x", "is not a date");
    refuse(COLUMN_DATE, "2026-11-261", "is not a date");
    refuse(COLUMN_DATE, "2026-1--1-", "is not a date");
    refuse(COLUMN_DATE, "2010-12-01 08:26:00", "is not a date");
}

static void assert_list(const char *separator, const char *text, const char *expected)
{
    const struct spec_column column = {.type = COLUMN_LIST, .separator = slice_of(separator)};
    struct value value;
    struct cell_problem problem;
    struct buf joined;
    size_t i;

    buf_init(&joined, 100);
    assert_int_equal(cell_from_text(&arena, &column, slice_of(text), &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_LIST);
    for (i = 0; i < value.list.count; i++) {
        assert_int_equal(value.list.items[i].kind, VALUE_STRING);
        buf_append_byte(&joined, '<');
        buf_append(&joined, value.list.items[i].text.bytes, value.list.items[i].text.length);
        buf_append_byte(&joined, '>');
    }
    assert_string_equal(buf_text(&joined), expected);
    buf_deinit(&joined);
}

static void lists_are_split_trimmed_and_without_empties(void **state)
{
    (void)state;
    assert_list("|", "a|b", "<a><b>");
    assert_list("|", " a b | |c||", "<a b><c>");
    assert_list("|", "alone", "<alone>");
    assert_list("|", "||", "");
    assert_list(", ", "a, b,c, d", "<a><b,c><d>");
    assert_list("", "a b", "<a b>");
    assert_list("::", "a::b:c::", "<a><b:c>");
}

static void typed_values_are_checked_too(void **state)
{
    const struct spec_column decimal = {.type = COLUMN_DECIMAL};
    const struct spec_column boolean = {.type = COLUMN_BOOLEAN};
    const struct spec_column list = {.type = COLUMN_LIST, .separator = SLICE("|")};
    const struct spec_column string = {.type = COLUMN_STRING};
    const struct value number = {.kind = VALUE_NUMBER, .text = SLICE("1.50")};
    const struct value text = {.kind = VALUE_STRING, .text = SLICE("1.50")};
    const struct value truth = {.kind = VALUE_BOOL, .boolean = true};
    const struct value null = {.kind = VALUE_NULL};
    const struct value items = {.kind = VALUE_LIST};
    const struct value map = {.kind = VALUE_MAP};
    struct value value;
    struct cell_problem problem;

    (void)state;
    assert_int_equal(cell_from_value(&arena, &decimal, &text, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_NUMBER);
    assert_int_equal(cell_from_value(&arena, &string, &number, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_STRING);
    assert_int_equal(cell_from_value(&arena, &boolean, &truth, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_BOOL);
    assert_int_equal(cell_from_value(&arena, &decimal, &null, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_NULL);
    assert_int_equal(cell_from_value(&arena, &list, &items, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_LIST);
    assert_int_equal(cell_from_value(&arena, NULL, &map, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_MAP);
    assert_int_equal(cell_from_value(&arena, NULL, &number, &value, &problem), ERR_OK);
    assert_int_equal(value.kind, VALUE_NUMBER);
    assert_int_equal(cell_from_value(&arena, &decimal, &truth, &value, &problem), ERR_INPUT);
    assert_string_equal(problem.what, "is not a decimal");
    assert_int_equal(cell_from_value(&arena, &string, &items, &value, &problem), ERR_INPUT);
    assert_int_equal(cell_from_value(&arena, &list, &map, &value, &problem), ERR_INPUT);
    assert_int_equal(cell_from_value(&arena, &boolean, &text, &value, &problem), ERR_INPUT);
}

static void a_list_that_finds_no_memory_is_told(void **state)
{
    struct value value;
    struct cell_problem problem;

    (void)state;
    mem_test_fail(0, 1);
    assert_int_equal(convert(COLUMN_LIST, "a|b", &value, &problem), ERR_NO_MEMORY);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_cell_of_any_type_is_omitted),
        TEST(strings_are_taken_as_they_stand),
        TEST(decimals_keep_their_digits),
        TEST(integers_are_whole_and_fit_64_bits),
        TEST(booleans_have_six_words_in_any_case),
        TEST(dates_are_days_of_the_calendar),
        TEST(lists_are_split_trimmed_and_without_empties),
        TEST(typed_values_are_checked_too),
        TEST(a_list_that_finds_no_memory_is_told),
    };

    return cmocka_run_group_tests_name("codec/cell", tests, NULL, NULL);
}
