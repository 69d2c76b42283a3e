#include "purser/io/result_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_left(const char *row, const char *expected)
{
    struct buf buf;

    buf_init(&buf, 1000);
    buf_append_text(&buf, "before;");
    buf_append_text(&buf, row);
    result_row_drop_added(&buf, strlen("before;"));
    assert_int_equal(buf.length, strlen("before;") + strlen(expected));
    assert_memory_equal(buf.bytes, "before;", strlen("before;"));
    assert_memory_equal(buf.bytes + strlen("before;"), expected, strlen(expected));
    buf_deinit(&buf);
}

static void only_names_that_begin_with_purser_are_added_ones(void **state)
{
    (void)state;
    assert_true(result_row_is_added(slice_of("purser_key")));
    assert_true(result_row_is_added(slice_of("purser_")));
    assert_false(result_row_is_added(slice_of("purser")));
    assert_false(result_row_is_added(slice_of("my_purser_key")));
}

static void members_that_were_added_go_wherever_they_stand(void **state)
{
    (void)state;
    assert_left("{\"a\":1,\"purser_key\":\"x\",\"purser_state\":\"failed\"}", "{\"a\":1}");
    assert_left("{\"purser_key\":\"x\",\"a\":1}", "{\"a\":1}");
    assert_left("{ \"a\": 1, \"purser_x\": {\"y\": [1, \"}\"]}, \"b\": 2 }",
                "{ \"a\": 1, \"b\": 2 }");
    assert_left("{\"purser_key\":\"x\"}", "{}");
    assert_left("{\"purser_a\":1}\n", "{}\n");
}

static void nothing_else_is_touched(void **state)
{
    (void)state;
    assert_left("{}", "{}");
    assert_left("", "");
    assert_left("{\"a\":\"purser_key\",\"b\":{\"purser_x\":1}}",
                "{\"a\":\"purser_key\",\"b\":{\"purser_x\":1}}");
    assert_left("{\"a\":\"x\\\",\\\"purser_k\\\":1\",\"b\":\"\\\\\"}",
                "{\"a\":\"x\\\",\\\"purser_k\\\":1\",\"b\":\"\\\\\"}");
    assert_left("[1,2]", "[1,2]");
    assert_left("{\"cut", "{\"cut");
    assert_left("  {\"purser_a\":1", "  {");
    assert_left("{\n\t\"purser_a\":1,\r \"b\":2}", "{\r \"b\":2}");
    assert_left("{\"a\\", "{\"a\\");
    assert_left("   ", "   ");
    assert_left("{1:2,\"purser_", "{1:2,\"purser_");
    assert_left("{\"a\":1,", "{\"a\":1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_that_begin_with_purser_are_added_ones),
        cmocka_unit_test(members_that_were_added_go_wherever_they_stand),
        cmocka_unit_test(nothing_else_is_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
