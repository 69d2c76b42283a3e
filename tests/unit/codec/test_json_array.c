#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/buf.h"
#include "purser/base/mem.h"
#include "purser/codec/json_array.h"

static const struct slice no_path[1];
static const struct slice orders[] = {SLICE("data"), SLICE("orders")};
static const struct slice rows[] = {SLICE("rows")};

static struct json_array_reader *reader;
static struct buf out;
static struct err err;
static int64_t live_before;

static int set_up(void **state)
{
    (void)state;
    live_before = mem_test_live_count();
    buf_init(&out, 1024 * 1024);
    reader = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_array_close(reader);
    buf_deinit(&out);
    assert_int_equal(mem_test_live_count(), live_before);
    return 0;
}

/* All elements as "line:column text|". */
static enum err_code split(const struct slice *path, size_t count, const char *text, size_t step)
{
    size_t length = strlen(text);
    struct json_element element;

    memset(&err, 0, sizeof err);
    buf_clear(&out);
    json_array_close(reader);
    assert_int_equal(json_array_open(path, count, 1000, &reader, &err), ERR_OK);
    for (size_t at = 0; at < length; at += step) {
        enum err_code code;

        json_array_feed(reader, text + at, length - at < step ? length - at : step);
        while ((code = json_array_next(reader, &element, &err)) == ERR_OK) {
            assert_in_range(element.byte_offset, 1000, 1000 + length);
            buf_append_format(&out, "%u:%u %.*s|", element.line, element.column,
                              (int)element.byte_length, text + element.byte_offset - 1000);
        }
        if (code != ERR_NOT_FOUND)
            return code;
    }
    return json_array_finish(reader, &err);
}

static void assert_split(const struct slice *path, size_t count, const char *text,
                         const char *elements)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        if (split(path, count, text, step) != ERR_OK)
            fail_msg("%s: %s", text, err.text);
        assert_string_equal(buf_text(&out), elements);
    }
}

static void assert_refused(const struct slice *path, size_t count, const char *text,
                           uint32_t at_line, uint32_t at_column, const char *message)
{
    uint32_t line, column;

    for (size_t step = 1; step <= strlen(text); step++) {
        if (split(path, count, text, step) != ERR_INPUT)
            fail_msg("not refused: %s", text);
        assert_string_equal(err.text, message);
        json_array_place(reader, &line, &column);
        assert_int_equal(line, at_line);
        assert_int_equal(column, at_column);
    }
}

static void elements_of_the_whole_document_are_found(void **state)
{
    (void)state;
    assert_split(no_path, 0, "[]", "");
    assert_split(no_path, 0, " [ {\"a\":1} ,{\"b\":[2,{}]}]\n",
                 "1:4 {\"a\":1}|1:13 {\"b\":[2,{}]}|");
    assert_split(no_path, 0, "[\n  {\"ä\":\n \"]}\\\"\"},\r\n\"x\",-1.5,null]",
                 "2:3 {\"ä\":\n \"]}\\\"\"}|4:1 \"x\"|4:5 -1.5|4:10 null|");
}

static void elements_of_an_array_inside_are_found(void **state)
{
    (void)state;
    assert_split(
        orders, 2,
        "{\"orders\":[7],\"data\":{\"x\":[1,[{\"orders\":[9]}]],\"orders\":[{},{}]},\"y\":{}}",
        "1:58 {}|1:61 {}|");
    assert_split(rows, 1, "{\"ro\\u0077s\":[1]}", "1:15 1|");
    assert_split(rows, 1, "{\"a\":{\"rows\":[1]},\"rows\":[2]}", "1:27 2|");
    assert_split(orders, 2, "{\"data\":{},\"x\":{\"orders\":[1]},\"data\":{\"orders\":[2]}}",
                 "1:49 2|");
}

static void an_array_that_is_not_there_is_told_with_those_that_are(void **state)
{
    (void)state;
    assert_refused(no_path, 0, "{\"data\":{\"orders\":[1],\"n\":[[1]]}}", 1, 34,
                   "the document is an object, not an array\n"
                   "hint: at: says where it is; there is data.orders, data.n");
    assert_refused(rows, 1, "{\"rows\":{\"x\":[]}}", 1, 18,
                   "what 'at' names is an object, not an array\n"
                   "hint: at: says where it is; there is rows.x");
    assert_refused(orders, 2, "{\"data\":1}", 1, 11, "there is no array where 'at' says");
    assert_refused(no_path, 0, "\"x\"", 1, 4, "the document is a text, not an array");
    assert_refused(no_path, 0, "17", 1, 3, "the document is a single value, not an array");
    assert_refused(rows, 1, "[1]", 1, 4, "there is no array where 'at' says");
}

static void what_is_no_json_is_told_where_it_is(void **state)
{
    (void)state;
    assert_refused(no_path, 0, "[1\n,]", 2, 2, "JSON: no ']' may stand here");
    assert_refused(no_path, 0, "[1 2]", 1, 4, "JSON: a ',' or an end is missing here");
    assert_refused(no_path, 0, "[{]", 1, 3, "JSON: no ']' may stand here");
    assert_refused(no_path, 0, "[}", 1, 2, "JSON: no '}' may stand here");
    assert_refused(no_path, 0, "[,1]", 1, 2, "JSON: a value is missing here");
    assert_refused(no_path, 0, "[1]]", 1, 4, "JSON: no ']' may stand here");
    assert_refused(no_path, 0, "[1] 2", 1, 5, "JSON: more text after the end");
    assert_refused(no_path, 0, "[{\"a\" 1}]", 1, 7, "JSON: a ':' is missing here");
    assert_refused(no_path, 0, "[{a:1}]", 1, 3, "JSON: a name in quotes is missing here");
    assert_refused(no_path, 0, "[{\"a\":1,}]", 1, 9, "JSON: no '}' may stand here");
    assert_refused(rows, 1, "{\"x\":[tru]}", 1, 10,
                   "JSON: something before this is not a JSON value");
    assert_refused(rows, 1, "{\"x\":01}", 1, 8, "JSON: something before this is not a JSON value");
    assert_refused(no_path, 0, "[\"a\nb\"]", 1, 4,
                   "JSON: a control character in a string must be escaped");
    assert_refused(rows, 1, "{\"rows\":[1],\"rows\":[2]}", 1, 20,
                   "JSON: the array stands here a second time");
}

static void a_document_that_is_cut_short_is_refused_wherever_it_is_cut(void **state)
{
    static const char whole[] = "{\"data\":{\"orders\":[{\"a\":\"x\\\"\"},2]}}";
    char text[sizeof whole];

    (void)state;
    for (size_t length = 1; length < sizeof whole - 1; length++) {
        memcpy(text, whole, length);
        text[length] = '\0';
        assert_int_equal(split(orders, 2, text, length), ERR_INPUT);
        assert_string_equal(err.text, "JSON: it ends too early");
    }
}

static void depth_is_limited(void **state)
{
    char text[200];

    (void)state;
    memset(text, '[', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_refused(no_path, 0, text, 1, 74, "JSON: nested too deep");
}

static void long_names_and_words_are_no_trouble(void **state)
{
    static char text[5000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "{\"", 2);
    memcpy(text + 4000, "\":[],\"rows\":[3]}", sizeof "\":[],\"rows\":[3]}");
    assert_int_equal(split(rows, 1, text, 999), ERR_OK);
    assert_string_equal(buf_text(&out), "1:4014 3|");
    memset(text, '1', sizeof text - 1);
    memcpy(text, "{\"x\":", 5);
    memcpy(text + 4000, "}", 2);
    assert_int_equal(split(rows, 1, text, 999), ERR_INPUT);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(elements_of_the_whole_document_are_found),
        TEST(elements_of_an_array_inside_are_found),
        TEST(an_array_that_is_not_there_is_told_with_those_that_are),
        TEST(what_is_no_json_is_told_where_it_is),
        TEST(a_document_that_is_cut_short_is_refused_wherever_it_is_cut),
        TEST(depth_is_limited),
        TEST(long_names_and_words_are_no_trouble),
    };

    return cmocka_run_group_tests_name("codec/json_array", tests, NULL, NULL);
}
