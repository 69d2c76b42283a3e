#include "purser/codec/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

static struct arena arena;
static struct json_schema_verdict verdict;
static struct json_schema_set *set;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 26);
    memset(&verdict, 0xff, sizeof verdict);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct value *parse(const char *text)
{
    struct value *value = arena_new(&arena, 1, sizeof *value);
    struct err err = {0};

    assert_non_null(value);
    if (json_parse(&arena, text, strlen(text), value, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static const struct json_schema *compile(const char *text)
{
    const struct json_schema *schema;
    struct value *document = parse(text);
    struct err err = {0};

    assert_int_equal(json_schema_set_new(&arena, document, &set, &err), ERR_OK);
    assert_int_equal(json_schema_compile(set, document, &schema, &err), ERR_OK);
    return schema;
}

static bool fits(const char *schema, const char *value)
{
    return json_schema_check(compile(schema), parse(value), "body", NULL, &verdict);
}

struct example {
    const char *schema, *value;
};

static void assert_all(const struct example *examples, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++)
        if (fits(examples[i].schema, examples[i].value) != expected)
            fail_msg("%s is %sexpected to fit %s", examples[i].value, expected ? "" : "not ",
                     examples[i].schema);
}

#define ASSERT_FIT(examples) assert_all(examples, sizeof examples / sizeof examples[0], true)
#define ASSERT_UNFIT(examples) assert_all(examples, sizeof examples / sizeof examples[0], false)

/* path: text [help] of the n-th violation. */
static void assert_told(size_t n, const char *expected)
{
    char told[1024];

    assert_true(n < verdict.count);
    (void)snprintf(told, sizeof told, "%s: %s [%s]", verdict.violations[n].path,
                   verdict.violations[n].text, verdict.violations[n].help);
    assert_string_equal(told, expected);
}

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

/* -- messages -------------------------------------------------------------------------------- */

static const char invoice[] =
    "{\"type\":\"object\",\"required\":[\"invoice\"],\"properties\":{\"invoice\":{\"type\":"
    "\"object\",\"additionalProperties\":false,\"required\":[\"customer_id\",\"issue_date\"],"
    "\"properties\":{\"customer_id\":{\"type\":\"string\"},\"issue_date\":{\"type\":\"string\"},"
    "\"currency\":{\"enum\":[\"USD\",\"EUR\"]},\"line_items\":{\"type\":\"array\",\"items\":{"
    "\"properties\":{\"quantity\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"item\":{\"anyOf\":"
    "[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{"
    "\"type\":\"string\"}}},{\"type\":\"null\"}]}}}}}}}}";

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
        TEST(what_is_not_judged_is_noted_once_with_a_count),
        TEST(flaws_of_a_document_let_everything_pass_and_are_noted),
        TEST(a_closed_part_of_an_all_of_leaves_room_for_the_others),
        TEST(members_that_other_keywords_speak_for_are_not_additional),
        TEST(references_are_followed_with_their_escapes),
        TEST(a_reference_and_what_stands_beside_it_both_count),
        TEST(schemas_that_contain_themselves_are_checked_to_the_bottom),
        TEST(references_in_a_circle_without_a_value_between_are_not_followed_for_ever),
        TEST(a_check_that_would_take_for_ever_is_given_up),
        TEST(a_message_says_where_what_and_what_else),
        TEST(all_that_is_missing_in_a_place_is_one_message),
        TEST(a_name_that_resembles_none_gets_the_list),
        TEST(no_more_is_told_than_stated),
        TEST(a_long_value_is_not_shown_nor_a_part_of_it),
        TEST(a_long_path_is_cut_between_characters),
        TEST(the_undeclared_member_may_stand_in_the_outermost_map_only),
        TEST(what_a_schema_requires_is_found_through_its_parts),
        TEST(a_member_that_is_not_known_fits_everything_but_its_name),
        TEST(more_schemas_than_stated_are_refused),
        TEST(patterns_and_notes_stay_within_their_limits),
        TEST(a_compilation_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
