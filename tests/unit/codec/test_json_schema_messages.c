#include "json_schema_fixture.h"

static void a_message_says_where_what_and_what_else(void **state)
{
    (void)state;
    assert_false(fits(invoice, "{\"invoice\":{\"customer_id\":7,\"currency\":\"usd\","
                               "\"isue_date\":\"2023-01-02\",\"line_items\":[{\"quantity\":1},"
                               "{\"quantity\":\"2\"},{\"quantity\":0},{\"item\":{\"sku\":1}},{"
                               "\"item\":8}]}}"));
    assert_told(0, "body.invoice.customer_id: is a number, must be text []");
    assert_told(
        1, "body.invoice.currency: is 'usd', must be one of 'USD', 'EUR' [did you mean 'USD'?]");
    assert_told(2, "body.invoice.isue_date: is not known here [did you mean 'issue_date'?]");
    assert_told(3, "body.invoice.line_items[1].quantity: is text, must be a number []");
    assert_told(4, "body.invoice.line_items[2].quantity: is 0, must be more than 0 []");
    assert_told(5, "body.invoice.line_items[3].item: lacks 'id', which is required [none of 3 "
                   "forms fits; this is said of the closest]");
    assert_told(6, "body.invoice.line_items[4].item: is a number, must be text, a map or null []");
    assert_told(7, "body.invoice: lacks 'issue_date', which is required []");
    for (size_t i = 0; i < verdict.count; i++)
        assert_int_equal(verdict.violations[i].is_number_as_text, i == 3);
    assert_int_equal(verdict.count, 8);
}

static void all_that_is_missing_in_a_place_is_one_message(void **state)
{
    (void)state;
    assert_false(fits(invoice, "{\"invoice\":{}}"));
    assert_told(0, "body.invoice: lacks 'customer_id', 'issue_date', which are required []");
    assert_int_equal(verdict.count, 1);
}

static void a_name_that_resembles_none_gets_the_list(void **state)
{
    (void)state;
    assert_false(fits("{\"properties\":{\"b\":{},\"a\":{}},\"additionalProperties\":false}",
                      "{\"title of it\":1}"));
    assert_told(0, "body['title of it']: is not known here [there are: a, b]");
}

static void no_more_is_told_than_stated(void **state)
{
    struct buf value;

    (void)state;
    buf_init(&value, 4096);
    buf_append_text(&value, "[0");
    for (int i = 0; i < 500; i++)
        buf_append_text(&value, ",\"a\"");
    buf_append_text(&value, "]");
    assert_false(fits("{\"items\":{\"type\":\"number\"}}", buf_text(&value)));
    assert_int_equal(verdict.count, JSON_SCHEMA_VIOLATIONS_MAX);
    assert_told(7, "body[8]: is text, must be a number []");
    buf_deinit(&value);
}

static void a_long_value_is_not_shown_nor_a_part_of_it(void **state)
{
    (void)state;
    assert_false(
        fits("{\"enum\":[\"a\"]}", "\"sk_live_0123456789012345678901234567890123456789\""));
    assert_told(0, "body: is text, must be 'a' []");
}

static void a_long_path_is_cut_between_characters(void **state)
{
    struct buf value;
    size_t length, bad;

    (void)state;
    buf_init(&value, 4096);
    for (int i = 0; i < 40; i++)
        buf_append_text(&value, "{\"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\":");
    buf_append_text(&value, "1");
    for (int i = 0; i < 40; i++)
        buf_append_text(&value, "}");
    assert_false(
        fits("{\"additionalProperties\":{\"$ref\":\"#\"},\"type\":\"object\"}", buf_text(&value)));
    length = strlen(verdict.violations[0].path);
    assert_in_range(length, 250, 255);
    assert_true(text_is_utf8(verdict.violations[0].path, length, &bad));
    buf_deinit(&value);
}

static void the_undeclared_member_may_stand_in_the_outermost_map_only(void **state)
{
    const struct json_schema *schema = compile(
        "{\"additionalProperties\":false,\"properties\":{\"a\":{\"additionalProperties\":false}}}");

    (void)state;
    assert_true(json_schema_check(schema, parse("{\"response_mode\":\"async\",\"a\":{}}"), "body",
                                  "response_mode", &verdict));
    assert_false(json_schema_check(schema, parse("{\"a\":{\"response_mode\":\"async\"}}"), "body",
                                   "response_mode", &verdict));
    assert_false(json_schema_check(
        compile("{\"properties\":{\"response_mode\":{\"enum\":[\"sync\"]}}}"),
        parse("{\"response_mode\":\"async\"}"), "body", "response_mode", &verdict));
}

static void what_a_schema_requires_is_found_through_its_parts(void **state)
{
    const struct json_schema *schema = compile(
        "{\"allOf\":[{\"properties\":{\"invoice\":{\"$ref\":\"#/d\"}}}],\"required\":[\"a\"],"
        "\"d\":{\"$ref\":\"#/e\",\"minItems\":1},\"e\":{\"required\":[\"due_date\"],"
        "\"properties\":{\"memo\":{}}}}");

    (void)state;
    assert_true(json_schema_requires(schema, SLICE("invoice"), SLICE("due_date")));
    assert_false(json_schema_requires(schema, SLICE("invoice"), SLICE("memo")));
    assert_false(json_schema_requires(schema, SLICE("invoice"), SLICE("a")));
    assert_false(json_schema_requires(schema, SLICE("bill"), SLICE("due_date")));
    assert_true(json_schema_requires(schema, SLICE(""), SLICE("a")));
    assert_false(json_schema_requires(schema, SLICE(""), SLICE("invoice")));
    assert_false(json_schema_requires(compile("{\"$ref\":\"#\"}"), SLICE(""), SLICE("a")));
}

static void a_member_that_is_not_known_fits_everything_but_its_name(void **state)
{
    static const char text[] =
        "{\"properties\":{\"a\":{\"type\":\"string\",\"minLength\":9},\"b\":{}},"
        "\"required\":[\"a\",\"b\"],\"additionalProperties\":false}";
    static const struct slice names[] = {{"a", 1}, {"c", 1}};
    static const struct value values[2];
    struct value map = {.kind = VALUE_MAP};

    (void)state;
    map.map.names = names;
    map.map.values = values;
    map.map.count = 2;
    assert_false(json_schema_check(compile(text), &map, "body", NULL, &verdict));
    assert_told(0, "body.c: is not known here [there are: a, b]");
    assert_told(1, "body: lacks 'b', which is required []");
    assert_int_equal(verdict.count, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_message_says_where_what_and_what_else),
        TEST(all_that_is_missing_in_a_place_is_one_message),
        TEST(a_name_that_resembles_none_gets_the_list),
        TEST(no_more_is_told_than_stated),
        TEST(a_long_value_is_not_shown_nor_a_part_of_it),
        TEST(a_long_path_is_cut_between_characters),
        TEST(the_undeclared_member_may_stand_in_the_outermost_map_only),
        TEST(what_a_schema_requires_is_found_through_its_parts),
        TEST(a_member_that_is_not_known_fits_everything_but_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
