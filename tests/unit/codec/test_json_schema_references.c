#include "json_schema_fixture.h"

/* -- leniency -------------------------------------------------------------------------------- */

static void what_is_not_judged_is_noted_once_with_a_count(void **state)
{
    const struct json_schema_note *notes;
    size_t count;

    (void)state;
    assert_true(fits("{\"not\":{},\"description\":\"x\",\"x-own\":1,\"default\":3,"
                     "\"items\":{\"not\":{},\"format\":\"date\"}}",
                     "[1]"));
    notes = json_schema_notes(set, &count);
    assert_int_equal(count, 2);
    assert_string_equal(notes[0].text, "the keyword 'not' is not judged");
    assert_int_equal(notes[0].count, 2);
    assert_false(notes[0].is_flaw);
    assert_string_equal(notes[1].text, "the format 'date' is not judged");
    assert_int_equal(notes[1].count, 1);
}

static void flaws_of_a_document_let_everything_pass_and_are_noted(void **state)
{
    static const char *const schemas[] = {
        "null",
        "7",
        "{\"$ref\":\"#/nowhere\"}",
        "{\"$ref\":\"other.json#/a\"}",
        "{\"$ref\":\"#/x%2\"}",
        "{\"$ref\":\"#/x~2\"}",
        "{\"$ref\":7}",
        "{\"$ref\":\"#\"}",
        "{\"$ref\":\"#/nowhere\",\"type\":[\"number\",\"null\"]}",
        "{\"type\":\"file\"}",
        "{\"type\":7}",
        "{\"enum\":7}",
        "{\"required\":true}",
        "{\"required\":[7]}",
        "{\"properties\":[]}",
        "{\"properties\":{\"a\":null}}",
        "{\"minimum\":\"0\"}",
        "{\"exclusiveMinimum\":\"0\"}",
        "{\"maxLength\":-1}",
        "{\"maxLength\":1.5}",
        "{\"anyOf\":{}}",
        "{\"items\":[{\"type\":\"string\"}]}",
        "{\"format\":7}",
        "{\"pattern\":7}",
        "{\"additionalProperties\":7}",
    };
    static const char *const values[] = {"12", "\"text\"", "{\"a\":1}", "[1]"};

    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        size_t count;

        for (size_t at = 0; at < sizeof values / sizeof values[0]; at++)
            if (!fits(schemas[i], values[at]) && strstr(schemas[i], "number") == NULL)
                fail_msg("%s is judged", schemas[i]);
        if (json_schema_notes(set, &count)->text == NULL || count != 1)
            fail_msg("%s: %zu notes", schemas[i], count);
    }
}

static void a_closed_part_of_an_all_of_leaves_room_for_the_others(void **state)
{
    static const char schema[] =
        "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"],"
        "\"additionalProperties\":false},{\"anyOf\":[{\"required\":[\"b\"]}]}]}";

    (void)state;
    assert_true(fits(schema, "{\"a\":\"1\",\"b\":2}"));
    assert_false(fits(schema, "{\"a\":\"1\"}"));
    assert_false(fits(schema, "{\"a\":1,\"b\":2}"));
    /* Alone it is as closed as it says. */
    assert_false(fits("{\"allOf\":[{\"properties\":{\"a\":{}},\"additionalProperties\":false}]}",
                      "{\"b\":1}"));
    /* And so are the maps within it. */
    assert_false(fits("{\"allOf\":[{\"properties\":{\"a\":{\"additionalProperties\":false}}},{"
                      "\"type\":\"object\"}]}",
                      "{\"a\":{\"b\":1}}"));
}

static void members_that_other_keywords_speak_for_are_not_additional(void **state)
{
    (void)state;
    assert_true(
        fits("{\"patternProperties\":{\"^x\":{}},\"additionalProperties\":false}", "{\"xa\":1}"));
    assert_true(fits("{\"prefixItems\":[{}],\"items\":false}", "[1]"));
}

/* -- references ------------------------------------------------------------------------------ */

static void references_are_followed_with_their_escapes(void **state)
{
    static const char schema[] = "{\"$ref\":\"#/$defs/a~1b%20~0\",\"$defs\":{\"a/b ~\":{\"type\":"
                                 "\"string\"}}}";

    (void)state;
    assert_true(fits(schema, "\"a\""));
    assert_false(fits(schema, "1"));
    assert_false(fits("{\"$ref\":\"#/allOf/1\",\"allOf\":[{},{\"type\":\"string\"}]}", "1"));
}

static void a_reference_and_what_stands_beside_it_both_count(void **state)
{
    static const char schema[] = "{\"$ref\":\"#/$defs/a\",\"minimum\":5,\"$defs\":{\"a\":{\"type\":"
                                 "\"integer\"}}}";

    (void)state;
    assert_true(fits(schema, "5"));
    assert_false(fits(schema, "4"));
    assert_false(fits(schema, "5.5"));
}

static void schemas_that_contain_themselves_are_checked_to_the_bottom(void **state)
{
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":"
                                 "\"string\"},\"sub\":{\"items\":{\"$ref\":\"#\"}}}}";

    (void)state;
    assert_true(fits(schema, "{\"sub\":[{\"sub\":[{\"name\":\"a\"}]},{}]}"));
    assert_false(fits(schema, "{\"sub\":[{\"sub\":[{\"name\":1}]},{}]}"));
    assert_told(0, "body.sub[0].sub[0].name: is a number, must be text []");
}

static void references_in_a_circle_without_a_value_between_are_not_followed_for_ever(void **state)
{
    (void)state;
    assert_true(fits("{\"$ref\":\"#/a\",\"a\":{\"$ref\":\"#/b\"},\"b\":{\"$ref\":\"#/a\"}}", "1"));
    assert_false(fits("{\"allOf\":[{\"$ref\":\"#\"}]}", "1"));
    assert_int_equal(verdict.count, 1);
    assert_non_null(strstr(verdict.violations[0].text, "cannot be judged"));
}

static void a_check_that_would_take_for_ever_is_given_up(void **state)
{
    char schema[4096] = "{\"$ref\":\"#/d/0\",\"d\":[";
    size_t length = strlen(schema);

    (void)state;
    for (int i = 0; i < 40; i++) /* 2^40 steps, none of them deep */
        length += (size_t)snprintf(schema + length, sizeof schema - length,
                                   "{\"allOf\":[{\"$ref\":\"#/d/%d\"},{\"$ref\":\"#/d/%d\"}]},",
                                   i + 1, i + 1);
    (void)snprintf(schema + length, sizeof schema - length, "{\"type\":\"number\"}]}");
    assert_false(fits(schema, "1"));
    assert_int_equal(verdict.count, 1);
    assert_non_null(strstr(verdict.violations[0].text, "cannot be judged"));
}

/* As many schemas in one another as `depth`. */
static bool is_judged_to(unsigned depth)
{
    char schema[SCHEMA_DEPTH_MAX * 48];
    size_t length = (size_t)snprintf(schema, sizeof schema, "{\"d\":[{\"type\":\"number\"}");

    for (unsigned i = 1; i < depth - 1; i++)
        length += (size_t)snprintf(schema + length, sizeof schema - length,
                                   ",{\"allOf\":[{\"$ref\":\"#/d/%u\"}]}", i - 1);
    (void)snprintf(schema + length, sizeof schema - length, "],\"allOf\":[{\"$ref\":\"#/d/%u\"}]}",
                   depth - 2);
    return fits(schema, "1");
}

static void schemas_are_followed_to_their_maximum_and_not_further(void **state)
{
    (void)state;
    assert_true(is_judged_to(SCHEMA_DEPTH_MAX));
    assert_false(is_judged_to(SCHEMA_DEPTH_MAX + 1));
    assert_non_null(strstr(verdict.violations[0].text, "more than 256 deep"));
}

/* A list of lists that share their numbers, and of more numbers: each value takes one step. */
static bool is_judged_in(size_t steps)
{
    enum { LISTS = 4000, NUMBERS = 4998 };
    const struct json_schema *schema =
        compile("{\"items\":{\"type\":[\"array\",\"number\"],\"items\":{\"type\":\"number\"}}}");
    size_t rest = steps - 1 - (size_t)LISTS * (1 + NUMBERS);
    struct value *numbers = arena_new(&arena, NUMBERS, sizeof *numbers);
    struct value *items = arena_new(&arena, LISTS + rest, sizeof *items);
    struct value whole = {.kind = VALUE_LIST};

    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = *parse("1");
    for (size_t i = 0; i < LISTS + rest; i++) {
        items[i] = numbers[0];
        if (i >= LISTS)
            continue;
        items[i] = (struct value){.kind = VALUE_LIST};
        items[i].list.items = numbers;
        items[i].list.count = NUMBERS;
    }
    whole.list.items = items;
    whole.list.count = LISTS + rest;
    return json_schema_check(schema, &whole, "body", NULL, &verdict);
}

static void a_check_takes_its_steps_and_no_more(void **state)
{
    (void)state;
    assert_true(is_judged_in(SCHEMA_STEPS_MAX));
    assert_false(is_judged_in(SCHEMA_STEPS_MAX + 1));
    assert_non_null(strstr(verdict.violations[0].text, "more than 20000000 steps"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_judged_is_noted_once_with_a_count),
        TEST(flaws_of_a_document_let_everything_pass_and_are_noted),
        TEST(a_closed_part_of_an_all_of_leaves_room_for_the_others),
        TEST(members_that_other_keywords_speak_for_are_not_additional),
        TEST(references_are_followed_with_their_escapes),
        TEST(a_reference_and_what_stands_beside_it_both_count),
        TEST(schemas_that_contain_themselves_are_checked_to_the_bottom),
        TEST(references_in_a_circle_without_a_value_between_are_not_followed_for_ever),
        TEST(a_check_that_would_take_for_ever_is_given_up),
        TEST(schemas_are_followed_to_their_maximum_and_not_further),
        TEST(a_check_takes_its_steps_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
