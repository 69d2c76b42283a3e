#include "json_schema_fixture.h"

/* -- keywords -------------------------------------------------------------------------------- */

static void values_that_fit_their_keyword_pass(void **state)
{
    static const struct example examples[] = {
        {"{}", "12"},
        {"true", "12"},
        {"{\"type\":\"string\"}", "\"a\""},
        {"{\"type\":\"number\"}", "12.5"},
        {"{\"type\":\"number\"}", "12"},
        {"{\"type\":\"integer\"}", "12"},
        {"{\"type\":\"integer\"}", "12.0"},
        {"{\"type\":\"integer\"}", "1e400"},
        {"{\"type\":\"boolean\"}", "false"},
        {"{\"type\":\"null\"}", "null"},
        {"{\"type\":\"array\"}", "[]"},
        {"{\"type\":\"object\"}", "{}"},
        {"{\"type\":[\"string\",\"null\"]}", "null"},
        {"{\"type\":[\"integer\",\"string\"]}", "7"},
        {"{\"type\":\"string\",\"nullable\":true}", "null"},
        {"{\"enum\":[\"a\"],\"nullable\":true}", "null"},
        {"{\"enum\":[\"a\",1,null,[1,{\"b\":2}]]}", "1.0"},
        {"{\"enum\":[\"a\",1,null,[1,{\"b\":2,\"c\":3}]]}", "[1,{\"c\":3,\"b\":2e0}]"},
        {"{\"const\":\"a\"}", "\"a\""},
        {"{\"required\":[\"a\"]}", "{\"a\":null}"},
        {"{\"required\":[\"a\"]}", "7"},
        {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":1}"},
        {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "[1]"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}"},
        {"{\"additionalProperties\":{\"type\":\"number\"}}", "{\"a\":1,\"b\":2}"},
        {"{\"additionalProperties\":{}}", "{\"a\":1,\"b\":[]}"},
        {"{\"items\":{\"type\":\"number\"}}", "[1,2]"},
        {"{\"items\":{\"type\":\"number\"}}", "\"text\""},
        {"{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1,\"b\":1}"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", "1"},
        {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "1"},
        {"{\"minimum\":0}", "0"},
        {"{\"minimum\":0}", "\"-1\""},
        {"{\"minimum\":0.1}", "0.1000"},
        {"{\"maximum\":10}", "1e1"},
        {"{\"exclusiveMinimum\":0}", "0.00000000000000000000000000000000001"},
        {"{\"minimum\":0,\"exclusiveMinimum\":true}", "1"},
        {"{\"minimum\":0,\"exclusiveMinimum\":false}", "0"},
        {"{\"exclusiveMaximum\":1}", "0.99999999999999999999999999999999999"},
        {"{\"maxLength\":2}", "\"\xc3\xbc\xf0\x9f\xa7\xbe\""},
        {"{\"minLength\":2}", "\"\xc3\xbc\xc3\xbc\""},
        {"{\"minItems\":1,\"maxItems\":2}", "[1,2]"},
        {"{\"format\":\"uuid\"}", "\"00000000-0000-0000-0000-00000000ABcd\""},
        {"{\"format\":\"uuid\"}", "7"},
        {"{\"format\":\"email\"}", "\"ann@example.com\""},
        {"{\"format\":\"uri\"}", "\"https://example.com/a?b=c#d\""},
        {"{\"format\":\"uri\"}", "\"urn:isbn:0\""},
        {"{\"format\":\"date\"}", "\"of no kind that is judged\""},
    };

    (void)state;
    ASSERT_FIT(examples);
}

static void values_that_do_not_fit_their_keyword_are_refused(void **state)
{
    static const struct example examples[] = {
        {"false", "12"},
        {"{\"type\":\"string\"}", "1"},
        {"{\"type\":\"string\"}", "null"},
        {"{\"type\":\"number\"}", "\"12\""},
        {"{\"type\":\"integer\"}", "12.5"},
        {"{\"type\":\"integer\"}", "1e-400"},
        {"{\"type\":\"boolean\"}", "1"},
        {"{\"type\":\"null\"}", "0"},
        {"{\"type\":\"array\"}", "{}"},
        {"{\"type\":\"object\"}", "[]"},
        {"{\"type\":[\"string\",\"null\"]}", "1"},
        {"{\"type\":\"string\",\"nullable\":false}", "null"},
        {"{\"enum\":[\"a\"]}", "\"A\""},
        {"{\"enum\":[1]}", "true"},
        {"{\"enum\":[1]}", "1.00000000000000000000000000000000001"},
        {"{\"enum\":[[1,2]]}", "[2,1]"},
        {"{\"enum\":[{\"a\":1}]}", "{\"b\":1}"},
        {"{\"const\":1}", "2"},
        {"{\"required\":[\"a\"]}", "{\"b\":1}"},
        {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b\":1}"},
        {"{\"required\":[\"b\"],\"additionalProperties\":false}", "{\"b\":1}"},
        {"{\"additionalProperties\":{\"type\":\"number\"}}", "{\"a\":1,\"b\":\"2\"}"},
        {"{\"items\":{\"type\":\"number\"}}", "[1,\"2\"]"},
        {"{\"allOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1}"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", "[]"},
        {"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", "[]"},
        {"{\"minimum\":0}", "-0.00000000000000000000000000000000001"},
        {"{\"maximum\":10}", "10.00000000000000000000000000000000001"},
        {"{\"exclusiveMinimum\":0}", "0.00"},
        {"{\"minimum\":0,\"exclusiveMinimum\":true}", "0"},
        {"{\"minimum\":5,\"exclusiveMinimum\":0}", "4"},
        {"{\"minimum\":0,\"exclusiveMinimum\":5}", "5"},
        {"{\"maximum\":0,\"exclusiveMaximum\":true}", "0"},
        {"{\"exclusiveMaximum\":1}", "1.0"},
        {"{\"maxLength\":2}", "\"\xc3\xbc\xc3\xbc\xc3\xbc\""},
        {"{\"minLength\":2}", "\"\xc3\xbc\""},
        {"{\"minItems\":1}", "[]"},
        {"{\"maxItems\":2}", "[1,2,3]"},
        {"{\"format\":\"uuid\"}", "\"00000000-0000-0000-0000-00000000000g\""},
        {"{\"format\":\"uuid\"}", "\"00000000000000000000000000000000\""},
        {"{\"format\":\"uuid\"}", "\"00000000-0000_0000-0000-000000000000\""},
        {"{\"format\":\"uuid\"}", "\"\""},
        {"{\"format\":\"email\"}", "\"ann\""},
        {"{\"format\":\"email\"}", "\"@example.com\""},
        {"{\"format\":\"email\"}", "\"ann@\""},
        {"{\"format\":\"email\"}", "\"ann b@example.com\""},
        {"{\"format\":\"uri\"}", "\"example.com/a\""},
        {"{\"format\":\"uri\"}", "\"https://example.com/a b\""},
        {"{\"format\":\"uri\"}", "\"https://example.com/{a}\""},
        {"{\"format\":\"uri\"}", "\"\""},
    };

    (void)state;
    ASSERT_UNFIT(examples);
}

static void patterns_find_what_they_should(void **state)
{
    static const struct example fit[] = {
        {"{\"pattern\":\".*[a-zA-Z0-9].*\"}", "\"-- a --\""},
        {"{\"pattern\":\"^[A-Z]{3}$\"}", "\"USD\""},
        {"{\"pattern\":\"b\"}", "\"abc\""},
        {"{\"pattern\":\"\"}", "\"\""},
        {"{\"pattern\":\"^(a|bc|)$\"}", "\"\""},
        {"{\"pattern\":\"^(a|bc|d)$\"}", "\"bc\""},
        {"{\"pattern\":\"^(a|bc|d)$\"}", "\"d\""},
        {"{\"pattern\":\"^(?:ab)+?$\"}", "\"ababab\""},
        {"{\"pattern\":\"^.{2}$\"}", "\"\xc3\xbc\xf0\x9f\xa7\xbe\""},
        {"{\"pattern\":\"^a{2,3}b{0,2}c{1,}$\"}", "\"aaabccc\""},
        {"{\"pattern\":\"^a{2,3}b{0,2}c{1,}$\"}", "\"aac\""},
        {"{\"pattern\":\"^\\\\d{4}-\\\\d\\\\d$\"}", "\"2023-01\""},
        {"{\"pattern\":\"^[\\\\w.\\\\-]+$\"}", "\"a-b.c_d\""},
        {"{\"pattern\":\"^[^a-c]$\"}", "\"\xc3\xbc\""},
        {"{\"pattern\":\"^[\xc3\xa4-\xc3\xbc]$\"}", "\"\xc3\xb6\""},
        {"{\"pattern\":\"^\\\\S\\\\s\\\\D\\\\W$\"}", "\"a b.\""},
        {"{\"pattern\":\"^(a*)*$\"}", "\"aaaa\""},
        {"{\"pattern\":\"^(a?){20}a{20}$\"}", "\"aaaaaaaaaaaaaaaaaaaa\""},
        {"{\"pattern\":\"a{0}b\"}", "\"b\""},
        {"{\"pattern\":\"[a-]\"}", "\"-\""},
        {"{\"pattern\":\"x\"}", "7"},
    };
    static const struct example unfit[] = {
        {"{\"pattern\":\".*[a-zA-Z0-9].*\"}", "\"-- \xc3\xbc --\""},
        {"{\"pattern\":\"^[A-Z]{3}$\"}", "\"USDX\""},
        {"{\"pattern\":\"^[A-Z]{3}$\"}", "\"US\""},
        {"{\"pattern\":\"^(a|bc|d)$\"}", "\"b\""},
        {"{\"pattern\":\"^a{2,3}b{0,2}c{1,}$\"}", "\"aaaac\""},
        {"{\"pattern\":\"^a{2,3}b{0,2}c{1,}$\"}", "\"aab\""},
        {"{\"pattern\":\"^a{2,3}b{0,2}c{1,}$\"}", "\"aabbbc\""},
        {"{\"pattern\":\"^a.b$\"}", "\"a\\nb\""},
        {"{\"pattern\":\"^a\\\\.b$\"}", "\"axb\""},
        {"{\"pattern\":\"^[^a-c]$\"}", "\"b\""},
        {"{\"pattern\":\"a$\"}", "\"a\\n\""},
        {"{\"pattern\":\"^b\"}", "\"ab\""},
        {"{\"pattern\":\"^\\\\D$\"}", "\"1\""},
        {"{\"pattern\":\"^\\\\w$\"}", "\"`\""},
        {"{\"pattern\":\"^\\\\W$\"}", "\"_\""},
        {"{\"pattern\":\"^\\\\S$\"}", "\"\xc2\xa0\""},
    };

    (void)state;
    ASSERT_FIT(fit);
    ASSERT_UNFIT(unfit);
}

static void patterns_beyond_the_simple_are_noted_and_let_everything_pass(void **state)
{
    static const char *const patterns[] = {
        "(?=a)b",
        "(?!a)",
        "(?<n>a)",
        "\\\\bword",
        "(a)\\\\1",
        "\\\\u0041",
        "\\\\p{L}",
        "a{2",
        "{2}",
        "*a",
        "(a",
        "a)",
        "[a",
        "[z-a]",
        "[]a]",
        "a{3,2}",
        "a{5000}",
        "^*",
        "\\\\",
        "[a\\\\",
        "[a-\\\\",
        "[\\\\d-z",
        "(a{900}){900}",
        "[a-\\\\d]",
        "\\\\x41",
        "((((((((((((((((((((((((((((((((((a",
    };
    const struct json_schema_note *notes;
    char schema[256];
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        (void)snprintf(schema, sizeof schema, "{\"pattern\":\"%s\"}", patterns[i]);
        if (!fits(schema, "\"\""))
            fail_msg("%s is judged", patterns[i]);
        notes = json_schema_notes(set, &count);
        assert_int_equal(count, 1);
        assert_non_null(strstr(notes[0].text, "is not judged"));
        assert_true(notes[0].is_flaw);
    }
}

/* -- limits ---------------------------------------------------------------------------------- */

static void more_schemas_than_stated_are_refused(void **state)
{
    struct arena large;
    struct value *items, list = {.kind = VALUE_LIST}, document = {.kind = VALUE_MAP};
    static const struct slice names[] = {{"anyOf", 5}};
    const struct json_schema *schema;
    struct value *type = parse("{\"type\":\"string\"}");
    struct err err = {0};

    (void)state;
    arena_init(&large, OPENAPI_ARENA_BYTES_MAX);
    items = arena_new(&large, SCHEMAS_MAX, sizeof *items);
    assert_non_null(items);
    for (size_t i = 0; i < SCHEMAS_MAX; i++)
        items[i] = *type;
    list.list.items = items;
    document.map.names = names;
    document.map.values = &list;
    document.map.count = 1;
    list.list.count = SCHEMAS_MAX - 1; /* and the whole */
    assert_int_equal(json_schema_set_new(&large, &document, &set, &err), ERR_OK);
    assert_int_equal(json_schema_compile(set, &document, &schema, &err), ERR_OK);
    list.list.count = SCHEMAS_MAX;
    assert_int_equal(json_schema_set_new(&large, &document, &set, &err), ERR_OK);
    assert_int_equal(json_schema_compile(set, &document, &schema, &err), ERR_TOO_BIG);
    arena_deinit(&large);
}

static void patterns_and_notes_stay_within_their_limits(void **state)
{
    char schema[4096] = "{";
    size_t length = 1, count;

    (void)state;
    (void)snprintf(schema, sizeof schema, "{\"pattern\":\"a{%d}\"}", PATTERN_STEPS_MAX - 1);
    assert_false(fits(schema, "\"a\"")); /* and one step for "found" */
    (void)snprintf(schema, sizeof schema, "{\"pattern\":\"a{%d}b\"}", PATTERN_STEPS_MAX - 1);
    assert_true(fits(schema, "\"a\""));
    (void)json_schema_notes(set, &count);
    assert_int_equal(count, 1);
    for (int i = 0; i <= JSON_SCHEMA_NOTES_MAX; i++)
        length += (size_t)snprintf(schema + length, sizeof schema - length, "\"k%d\":1,", i);
    (void)snprintf(schema + length, sizeof schema - length, "\"type\":\"string\"}");
    assert_false(fits(schema, "1"));
    (void)json_schema_notes(set, &count);
    assert_int_equal(count, JSON_SCHEMA_NOTES_MAX);
}

static void a_compilation_without_memory_says_so(void **state)
{
    struct value *document = parse(invoice);

    (void)state;
    for (size_t room = 0;; room += 4096) {
        struct arena small;
        const struct json_schema *schema;
        struct err err = {0};
        enum err_code code;

        arena_init(&small, room);
        code = json_schema_set_new(&small, document, &set, &err);
        if (code == ERR_OK)
            code = json_schema_compile(set, document, &schema, &err);
        arena_deinit(&small);
        assert_int_equal(mem_test_live_count(), 1);
        if (code == ERR_OK)
            return;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(values_that_fit_their_keyword_pass),
        TEST(values_that_do_not_fit_their_keyword_are_refused),
        TEST(patterns_find_what_they_should),
        TEST(patterns_beyond_the_simple_are_noted_and_let_everything_pass),
        TEST(more_schemas_than_stated_are_refused),
        TEST(patterns_and_notes_stay_within_their_limits),
        TEST(a_compilation_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
