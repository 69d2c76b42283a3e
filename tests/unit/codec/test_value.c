#include "purser/codec/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct value text(const char *bytes)
{
    return (struct value){.kind = VALUE_STRING, .text = slice_of(bytes)};
}

static void member_of_a_map_is_found_and_of_anything_else_is_omit(void **state)
{
    const struct slice names[] = {SLICE("a"), SLICE("b")};
    const struct value values[] = {text("x"), text("y")};
    struct value map = {.kind = VALUE_MAP, .map = {names, values, 2}}, found;

    (void)state;
    found = value_member(&map, SLICE("b"));
    assert_int_equal(found.kind, VALUE_STRING);
    assert_true(slice_is(found.text, "y"));
    found = value_member(&map, SLICE("c"));
    assert_int_equal(found.kind, VALUE_OMIT);
    assert_false(found.boolean); /* a gap, not a wish */
    found = value_member(&values[0], SLICE("a"));
    assert_int_equal(found.kind, VALUE_OMIT);
}

static void json_leaves_out_what_is_omitted(void **state)
{
    const struct value number = {.kind = VALUE_NUMBER, .text = SLICE("19.990")};
    const struct value items[] = {
        {.kind = VALUE_OMIT}, number, {.kind = VALUE_OMIT}, {.kind = VALUE_NULL}, text("\"")};
    const struct value list = {.kind = VALUE_LIST, .list = {items, 5}};
    const struct slice names[] = {SLICE("a"), SLICE("b\n"), SLICE("c")};
    const struct value values[] = {
        {.kind = VALUE_OMIT}, list, {.kind = VALUE_BOOL, .boolean = true}};
    const struct value map = {.kind = VALUE_MAP, .map = {names, values, 3}};
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    value_append_json(&out, &map);
    assert_string_equal(buf_text(&out), "{\"b\\n\":[19.990,null,\"\\\"\"],\"c\":true}");
    buf_clear(&out);
    value_append_json(&out, &values[0]);
    assert_string_equal(buf_text(&out), "");
    buf_deinit(&out);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(value_kind_name(VALUE_STRING), "text");
    assert_string_equal(value_kind_name(VALUE_LIST), "list");
    assert_string_equal(value_kind_name(VALUE_MAP), "map");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member_of_a_map_is_found_and_of_anything_else_is_omit),
        cmocka_unit_test(json_leaves_out_what_is_omitted),
        cmocka_unit_test(kinds_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
