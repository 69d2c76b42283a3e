#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

static struct arena arena;
static struct err err;
static int64_t live_before; /* a test that failed leaves its blocks behind */
static struct value value;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 16 * 1024 * 1024);
    memset(&err, 0, sizeof err);
    memset(&value, 0xff, sizeof value);
    live_before = mem_test_live_count();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_test_fail(-1, 0);
    arena_deinit(&arena);
    assert_int_equal(mem_test_live_count(), live_before);
    return 0;
}

/* From a block of its exact size, so that a read past the end is seen by the sanitizer. */
static enum err_code parse(const char *text, size_t length)
{
    char *exact = mem_new(length, 1);
    enum err_code code;

    assert_non_null(exact);
    memcpy(exact, text, length);
    code = json_parse(&arena, exact, length, &value, &err);
    memset(exact, 'x', length); /* values must not borrow from the text */
    mem_free(exact);
    return code;
}

static void accept(const char *text)
{
    if (parse(text, strlen(text)) != ERR_OK)
        fail_msg("%s: %s", text, err.text);
}

static void refuse(const char *text, const char *message)
{
    struct value before;

    memset(&value, 0xff, sizeof value);
    memcpy(&before, &value, sizeof value);
    if (parse(text, strlen(text)) != ERR_INPUT)
        fail_msg("accepted: %s", text);
    if (strstr(err.text, message) == NULL)
        fail_msg("%s: \"%s\" does not contain \"%s\"", text, err.text, message);
    assert_memory_equal(&value, &before, sizeof value);
}

static void assert_text(const struct value *got, enum value_kind kind, const char *text)
{
    assert_int_equal(got->kind, kind);
    if (!slice_is(got->text, text))
        fail_msg("%.*s is not %s", (int)got->text.length, got->text.bytes, text);
}

static void numbers_keep_their_own_text(void **state)
{
    static const char *const texts[] = {"0",
                                        "-1",
                                        "19.99",
                                        "12.340",
                                        "1e5",
                                        "1E5",
                                        "1e+5",
                                        "2E-3",
                                        "1e400",
                                        "-1e-400",
                                        "-0.0",
                                        "0.1234567890123456789012345678901234567890",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "18446744073709551615",
                                        "-9223372036854775808",
                                        "9007199254740993"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        accept(texts[i]);
        assert_text(&value, VALUE_NUMBER, texts[i]);
    }
}

static void whole_numbers_that_would_saturate_are_refused(void **state)
{
    (void)state;
    refuse("18446744073709551616", "from -2^63 to 2^64-1");
    refuse("[1, -9223372036854775809]", "byte 5");
    refuse("{\"id\":123456789012345678901234567890}", "byte 7");
}

static void what_is_no_json_number_is_refused(void **state)
{
    static const char *const texts[] = {"01",   "-01",  "00",   "1.",  ".5",         "+1",
                                        "1e",   "1e+",  "-",    "--1", "1.5.5",      "0x10",
                                        "[1.]", "[00]", "1.e5", "NaN", "[Infinity]", "-Infinity"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse(texts[i], "JSON: ");
}

static void strings_are_decoded(void **state)
{
    (void)state;
    accept("\"a\\u00e9\\n\\/\\\\\\\"\\ud83d\\ude00\"");
    assert_text(&value, VALUE_STRING, "a\u00e9\n/\\\"\U0001F600");
    accept("\"\"");
    assert_text(&value, VALUE_STRING, "");
    accept("\"\\\\u0000\"");
    assert_text(&value, VALUE_STRING, "\\u0000");
}

static void half_a_surrogate_pair_becomes_the_replacement_character(void **state)
{
    (void)state;
    accept("\"cut \\ud83d\"");
    assert_text(&value, VALUE_STRING, "cut \uFFFD");
}

static void strings_that_others_let_pass_are_refused(void **state)
{
    (void)state;
    refuse("\"a\tb\"", "control character");
    refuse("[\"a\nb\"]", "byte 4");
    refuse("\"a\\u0000b\"", "u0000");
    refuse("{\"a\\u0000b\":1}", "byte 4");
    refuse("{'a':1}", "byte 2");
    refuse("\"\xc0\x80\"", "UTF-8 at byte 2");
    refuse("\"\xed\xa0\x80\"", "UTF-8");
    refuse("\"\xff\"", "UTF-8");
    refuse("\xef\xbb\xbf{}", "byte 1");
}

static void maps_and_lists_keep_order_and_nesting(void **state)
{
    const struct value *inner;

    (void)state;
    accept(" {\"z\": [1, null, true, {}], \"a\": {\"\": \"x\"}, \"b\": false } \r\n");
    assert_int_equal(value.kind, VALUE_MAP);
    assert_int_equal(value.map.count, 3);
    assert_true(slice_is(value.map.names[0], "z"));
    assert_true(slice_is(value.map.names[1], "a"));
    assert_true(slice_is(value.map.names[2], "b"));
    inner = &value.map.values[0];
    assert_int_equal(inner->kind, VALUE_LIST);
    assert_int_equal(inner->list.count, 4);
    assert_text(&inner->list.items[0], VALUE_NUMBER, "1");
    assert_int_equal(inner->list.items[1].kind, VALUE_NULL);
    assert_int_equal(inner->list.items[2].kind, VALUE_BOOL);
    assert_true(inner->list.items[2].boolean);
    assert_int_equal(inner->list.items[3].kind, VALUE_MAP);
    assert_int_equal(inner->list.items[3].map.count, 0);
    inner = &value.map.values[1];
    assert_true(slice_is(inner->map.names[0], ""));
    assert_text(&inner->map.values[0], VALUE_STRING, "x");
    assert_false(value.map.values[2].boolean);
}

static void a_name_that_stands_twice_is_refused_and_named(void **state)
{
    (void)state;
    refuse("{\"price\":1,\"name\":2,\"price\":3}", "\"price\" a second time at byte 21");
    refuse("[{\"a\":1},{\"b\":{\"c\":1,\"c\":2}}]", "\"c\" a second time");
    refuse("{\"a\":{\"x\":1},\"a\":{\"y\":1}}", "\"a\" a second time");
    refuse("{\"a\":1,\"\\u0061\":2}", "\"a\" a second time at byte 8");
    refuse("[{\"a\":1},{\"a\":2,\"b\":3,\"b\":4}]", "\"b\" a second time");
    refuse("[{\"b\":1},{\"b\":2,\"a\":3,\"a\":4}]", "\"a\" a second time");
    accept("[{\"a\":1},{\"a\":{\"a\":\"a:a\"}}]");
}

static void what_surrounds_the_value_must_be_white_space(void **state)
{
    static const char *const texts[] = {"{} x",       "{}{}", "[1]]", "1 2", "/*c*/1", "1//c",
                                        "",           "  ",   "\f1",  "1\v", "truex",  "[1,]",
                                        "{\"a\":1,}", "[,]",  "True", "nul", "{a:1}",  "'a'"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse(texts[i], "JSON: ");
    assert_int_equal(parse("{}\0x", 4), ERR_INPUT);
    assert_int_equal(parse("1\0", 2), ERR_INPUT);
    accept("\t\r\n 1 \t\r\n");
}

static void nesting_is_limited(void **state)
{
    char text[2 * (JSON_DEPTH_MAX + 1) + 2];
    int leaf, depth;

    (void)state;
    for (leaf = 0; leaf < 2; leaf++) {
        for (depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
            memset(text, '[', (size_t)depth);
            text[depth] = '1';
            memset(text + depth + leaf, ']', (size_t)depth);
            text[2 * depth + leaf] = '\0';
            if (depth == JSON_DEPTH_MAX)
                accept(text);
            else
                refuse(text, "deeper than 64");
        }
    }
}

static const char document[] = "{\"job\":{\"id\":\"b7\\u00e9\\\"x\",\"n\":[1,-2.50,3e2,true,false,"
                               "null,{}]},\"a\\\\\":[[],\"\"]}";

static void every_prefix_of_a_document_is_refused(void **state)
{
    size_t length;

    (void)state;
    for (length = 0; length < sizeof document - 1; length++)
        assert_int_equal(parse(document, length), ERR_INPUT);
    assert_int_equal(parse(document, sizeof document - 1), ERR_OK);
}

static void every_changed_byte_gives_a_value_or_a_message(void **state)
{
    static const char odd[] = "\"\\{}[],:'-.0e/N\x01\x80\xff ut\n";
    char text[sizeof document];
    size_t at, change;

    (void)state;
    for (at = 0; at < sizeof document - 1; at++) {
        for (change = 0; change < sizeof odd; change++) {
            memcpy(text, document, sizeof document);
            text[at] = odd[change];
            arena_clear(&arena);
            memset(&err, 0, sizeof err);
            if (parse(text, sizeof document - 1) != ERR_OK)
                assert_true(strncmp(err.text, "JSON: ", 6) == 0);
        }
    }
}

static void lack_of_memory_is_told_and_leaks_nothing(void **state)
{
    int64_t nth;

    (void)state;
    for (nth = 0; nth < 100; nth++) {
        enum err_code code;

        arena_deinit(&arena);
        mem_test_fail(nth, 1);
        code = json_parse(&arena, document, sizeof document - 1, &value, &err);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
    assert_in_range(nth, 1, 99);
}

static void an_arena_that_is_full_is_told(void **state)
{
    struct arena small;

    (void)state;
    arena_init(&small, 256);
    assert_int_equal(json_parse(&small, document, sizeof document - 1, &value, &err), ERR_TOO_BIG);
    arena_deinit(&small);
}

static void the_length_of_a_number_is_found(void **state)
{
    bool whole;

    (void)state;
    assert_int_equal(json_number_length("12.340,", 7, &whole), 6);
    assert_false(whole);
    assert_int_equal(json_number_length("007", 3, &whole), 1);
    assert_int_equal(json_number_length("1.", 2, &whole), 1);
    assert_int_equal(json_number_length("1e", 2, &whole), 1);
    assert_true(whole);
    assert_int_equal(json_number_length("-1e-7", 5, &whole), 5);
    assert_false(whole);
    assert_int_equal(json_number_length(".5", 2, &whole), 0);
    assert_int_equal(json_number_length("", 0, &whole), 0);
}

static void assert_member(const char *object, const char *name, const char *expected)
{
    struct slice found = json_find_member(slice_of(object), slice_of(name));

    assert_true(slice_is(found, expected));
}

static void the_bytes_of_a_member_are_found(void **state)
{
    (void)state;
    assert_member("{\"a\":1,\"b\": [1,{\"c\":2}] ,\"c\" : \"x,}\\\"\",\"d\":null}", "a", "1");
    assert_member("{\"a\":1,\"b\": [1,{\"c\":2}] ,\"c\" : \"x,}\\\"\",\"d\":null}", "b",
                  "[1,{\"c\":2}]");
    assert_member("{\"a\":1,\"b\": [1,{\"c\":2}] ,\"c\" : \"x,}\\\"\",\"d\":null}", "c",
                  "\"x,}\\\"\"");
    assert_member("{\"a\":{},\"d\":null}", "d", "null");
    assert_member("\n{ \"a\" :\n-1.5e3 }\n", "a", "-1.5e3");
    assert_member("{\"a\":{\"b\":1}}", "b", "");
    assert_member("{\"\\u0061\":1}", "a", "");
    assert_member("{}", "a", "");
    assert_member("", "a", "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_keep_their_own_text),
        TEST(whole_numbers_that_would_saturate_are_refused),
        TEST(what_is_no_json_number_is_refused),
        TEST(strings_are_decoded),
        TEST(half_a_surrogate_pair_becomes_the_replacement_character),
        TEST(strings_that_others_let_pass_are_refused),
        TEST(maps_and_lists_keep_order_and_nesting),
        TEST(a_name_that_stands_twice_is_refused_and_named),
        TEST(what_surrounds_the_value_must_be_white_space),
        TEST(nesting_is_limited),
        TEST(every_prefix_of_a_document_is_refused),
        TEST(every_changed_byte_gives_a_value_or_a_message),
        TEST(lack_of_memory_is_told_and_leaks_nothing),
        TEST(an_arena_that_is_full_is_told),
        TEST(the_length_of_a_number_is_found),
        TEST(the_bytes_of_a_member_are_found),
    };

    return cmocka_run_group_tests_name("codec/json", tests, NULL, NULL);
}
