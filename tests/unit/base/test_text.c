#include "purser/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"

static struct buf out;

static int setup(void **state)
{
    (void)state;
    buf_init(&out, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_deinit(&out);
    return mem_test_live_count() == 0 ? 0 : -1;
}

static const char *printable(const char *text, size_t length)
{
    buf_clear(&out);
    text_append_printable(&out, (struct slice){text, length});
    return buf_text(&out);
}

static const char *json(const char *text, size_t length)
{
    buf_clear(&out);
    text_append_json(&out, (struct slice){text, length});
    return buf_text(&out);
}

static const char *csv(const char *text, bool guard)
{
    buf_clear(&out);
    text_append_csv(&out, slice_of(text), ',', guard);
    return buf_text(&out);
}

static void slices_are_equal_when_their_bytes_are(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("a\0b"), (struct slice){"a\0b", 3}));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_false(slice_is(SLICE("ab"), "abc"));
    assert_true(slice_equal((struct slice){NULL, 0}, SLICE("")));
}

static void utf8_is_checked_to_the_last_rule(void **state)
{
    static const struct {
        struct slice text;
        size_t bad_offset;
    } wrong[] = {
        {SLICE("ab\0c"), 2},        /* NUL */
        {SLICE("12345678\0"), 8},   /* NUL behind eight good bytes */
        {SLICE("\xc0\xaf"), 0},     /* overlong / */
        {SLICE("\xe0\x80\xaf"), 0}, /* overlong / in three */
        {SLICE("\xf0\x80\x80\xaf"), 0},
        {SLICE("a\xed\xa0\x80"), 1},    /* a surrogate */
        {SLICE("\xf4\x90\x80\x80"), 0}, /* above U+10FFFF */
        {SLICE("12345678\xff"), 8},
        {SLICE("\xc3"), 0}, /* cut short */
        {SLICE("\xe2\x82"), 0},
        {SLICE("\x80"), 0}, /* continuation alone */
    };
    const struct slice good = SLICE("gr\xc3\xb6\xc3\x9f"
                                    "e \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf");
    size_t bad_offset;

    (void)state;
    assert_true(text_is_utf8("", 0, &bad_offset));
    assert_true(text_is_utf8(good.bytes, good.length, &bad_offset));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bad_offset = 99;
        assert_false(text_is_utf8(wrong[i].text.bytes, wrong[i].text.length, &bad_offset));
        assert_int_equal(bad_offset, wrong[i].bad_offset);
    }
}

static void printable_text_cannot_drive_a_terminal(void **state)
{
    (void)state;
    assert_string_equal(printable("a\x1b[31mb", 7), "a?[31mb");
    assert_string_equal(printable("a\tb\r\nc\0d\x7f", 9), "a b  c?d?");
    assert_string_equal(printable("\xc2\x9b", 2), "?");     /* C1 CSI */
    assert_string_equal(printable("\xe2\x80\xae", 3), "?"); /* right-to-left override */
    assert_string_equal(printable("\xe2\x81\xa6", 3), "?"); /* isolate */
    assert_string_equal(printable("\xe2\x80\xa8", 3), " "); /* line separator */
    assert_string_equal(printable("\xc3\xb6\xff\xc3", 4), "\xc3\xb6??");
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(json("", 0), "\"\"");
    assert_string_equal(json("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
    assert_string_equal(json("\b\t\n\f\r\x01\x1f\x0b\0", 9),
                        "\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u000b\\u0000\"");
    assert_string_equal(json("\xc3\xb6\xff", 3), "\"\xc3\xb6\xef\xbf\xbd\"");
}

static void csv_fields_are_quoted_only_when_needed(void **state)
{
    (void)state;
    assert_string_equal(csv("plain text", false), "plain text");
    assert_string_equal(csv("a,b", false), "\"a,b\"");
    assert_string_equal(csv("say \"x\"", false), "\"say \"\"x\"\"\"");
    assert_string_equal(csv("a\nb", false), "\"a\nb\"");
    assert_string_equal(csv(" a", false), "\" a\"");
    assert_string_equal(csv("a ", false), "\"a \"");
    assert_string_equal(csv("", true), "");
}

static void csv_guard_disarms_formulas_but_not_numbers(void **state)
{
    (void)state;
    assert_string_equal(csv("=1+1", true), "'=1+1");
    assert_string_equal(csv("=1+1", false), "=1+1");
    assert_string_equal(csv("@a,b", true), "\"'@a,b\"");
    assert_string_equal(csv("+49 30 1", true), "'+49 30 1");
    assert_string_equal(csv("-", true), "'-");
    assert_string_equal(csv("-1.", true), "'-1.");
    assert_string_equal(csv("-1e", true), "'-1e");
    assert_string_equal(csv("-12.50", true), "-12.50");
    assert_string_equal(csv("-90", true), "-90");
    assert_string_equal(csv("+1E5", true), "+1E5");
    assert_string_equal(csv("+3e-5", true), "+3e-5");
}

static void closest_word_is_at_most_two_edits_away(void **state)
{
    static const char *const names[] = {"sku", "name", "price", "stock", "connection"};
    char huge[200];

    (void)state;
    assert_string_equal(text_closest("prize", names, 5), "price");
    assert_string_equal(text_closest("conection", names, 5), "connection");
    assert_string_equal(text_closest("nmae", names, 5), "name"); /* swapped neighbours */
    assert_string_equal(text_closest("SKU", names, 5), "sku");
    assert_string_equal(text_closest("NAME", names, 5), "name");
    assert_string_equal(text_closest("sk", names, 5), "sku");
    assert_null(text_closest("id", names, 5));
    assert_null(text_closest("prxxce", (const char *const[]){"pr"}, 1));
    assert_null(text_closest("connxxxion", names, 5));
    assert_null(text_closest("", names, 5));
    assert_null(text_closest("a", names, 0));
    memset(huge, 'a', sizeof huge);
    huge[65] = '\0';
    assert_null(text_closest(huge, (const char *const[]){huge}, 1));
    huge[64] = '\0';
    assert_ptr_equal(text_closest(huge, (const char *const[]){huge}, 1), huge);
}

static void whole_numbers_are_digits_that_fit(void **state)
{
    uint64_t number = 7;

    (void)state;
    assert_true(text_to_u64(SLICE("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_false(text_to_u64(SLICE("18446744073709551616"), &number));
    assert_false(text_to_u64(SLICE("99999999999999999999"), &number));
    assert_false(text_to_u64(SLICE(""), &number));
    assert_false(text_to_u64(SLICE("+1"), &number));
    assert_false(text_to_u64(SLICE("1 "), &number));
    assert_true(text_to_u64(SLICE("007"), &number));
    assert_int_equal(number, 7);
}

static void durations_have_one_unit_and_a_maximum(void **state)
{
    int64_t ms = -1;

    (void)state;
    assert_true(text_to_duration_ms(SLICE("500ms"), &ms));
    assert_int_equal(ms, 500);
    assert_true(text_to_duration_ms(SLICE("2s"), &ms));
    assert_int_equal(ms, 2000);
    assert_true(text_to_duration_ms(SLICE("5m"), &ms));
    assert_int_equal(ms, 300000);
    assert_true(text_to_duration_ms(SLICE("6h"), &ms));
    assert_int_equal(ms, 21600000);
    assert_true(text_to_duration_ms(SLICE("3653d"), &ms));
    assert_int_equal(ms, 315619200000);
    assert_false(text_to_duration_ms(SLICE("3654d"), &ms));
    assert_false(text_to_duration_ms(SLICE("18446744073709551615h"), &ms));
    assert_false(text_to_duration_ms(SLICE("5"), &ms));
    assert_false(text_to_duration_ms(SLICE("s"), &ms));
    assert_false(text_to_duration_ms(SLICE("-5s"), &ms));
    assert_false(text_to_duration_ms(SLICE("5 s"), &ms));
    assert_false(text_to_duration_ms(SLICE("1.5h"), &ms));
}

static void times_are_printed_in_utc(void **state)
{
    char text[TEXT_TIME_BYTES];

    (void)state;
    text_from_time_ms(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    text_from_time_ms(1795729523123, text);
    assert_string_equal(text, "2026-11-26T21:45:23.123Z");
    text_from_time_ms(951782400000, text);
    assert_string_equal(text, "2000-02-29T00:00:00.000Z");
    text_from_time_ms(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    text_from_time_ms(INT64_MIN, text);
    text_from_time_ms(INT64_MAX, text);
    assert_string_equal(text, "292278994-08-17T07:12:55.807Z");
}

static void a_field_with_the_delimiter_of_the_file_is_quoted(void **context)
{
    (void)context;
    buf_clear(&out);
    text_append_csv(&out, SLICE("a;b"), ';', true);
    text_append_csv(&out, SLICE("a,b"), ';', true);
    text_append_csv(&out, SLICE("a;b"), ',', true);
    assert_string_equal(buf_text(&out), "\"a;b\"a,ba;b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_with_the_delimiter_of_the_file_is_quoted),
        cmocka_unit_test(slices_are_equal_when_their_bytes_are),
        cmocka_unit_test(utf8_is_checked_to_the_last_rule),
        cmocka_unit_test(printable_text_cannot_drive_a_terminal),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(csv_fields_are_quoted_only_when_needed),
        cmocka_unit_test(csv_guard_disarms_formulas_but_not_numbers),
        cmocka_unit_test(closest_word_is_at_most_two_edits_away),
        cmocka_unit_test(whole_numbers_are_digits_that_fit),
        cmocka_unit_test(durations_have_one_unit_and_a_maximum),
        cmocka_unit_test(times_are_printed_in_utc),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
