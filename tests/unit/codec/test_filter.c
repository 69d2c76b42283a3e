#include "expr_value_fixture.h"

static void missing_values_pass_through_all_filters_but_default(void **state)
{
    static const char *const filters[] = {
        "trim",
        "lower",
        "upper",
        "replace('a', 'b')",
        "split(',')",
        "join(',')",
        "number",
        "integer",
        "boolean",
        "string",
        "date",
        "datetime",
        "add_days(1)",
        "round(2)",
        "json",
        "base64",
        "sha256",
        "length",
        "first",
        "last",
        "truncate(3)",
        "slug",
        "abs",
        "pad(3, '0')",
        "sum",
        "min",
        "max",
        "map('a')",
        "unique",
        "sort",
        "timestamp",
        "contains('a')",
        "starts_with('a')",
        "ends_with('a')",
        "add_months(1)",
        "format_date('%d')",
    };
    char expression[64];

    (void)state;
    fixture_row("{\"nothing\":null}");
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        snprintf(expression, sizeof expression, "row.none | %s", filters[i]);
        assert_value(expression, "omit");
        snprintf(expression, sizeof expression, "row.nothing | %s", filters[i]);
        assert_value(expression, "null");
    }
    assert_value("row.none | default(1)", "1");
    assert_value("row.nothing | default('x')", "\"x\"");
    assert_value("'' | default('x')", "\"x\"");
    assert_value("0 | default(1)", "0");
    assert_value("false | default(true)", "false");
}

static void wrong_kinds_are_refused_with_help(void **state)
{
    (void)state;
    fixture_row("{\"list\":[1],\"map\":{\"a\":1},\"t\":\"5\"}");
    assert_error("row.list | upper", "'upper' takes text, not a list");
    assert_contains(fixture.error.help, "| json");
    assert_error("row.map | date", "'date' takes text, not a map");
    assert_error("row.t | join(',')", "'join' takes a list, not text");
    assert_error("row.t | round", "'round' takes a number, not text");
    assert_contains(fixture.error.help, "| number");
    assert_error("row.t | truncate(row.t)", "'truncate' takes a whole number, not text");
    assert_error("row.t | truncate(0 + 1.5)", "not 1.5");
    assert_error("row.t | truncate(0 - 1)", "not -1");
    assert_error("row.t | truncate(row.none)", "not missing");
    assert_error("row.t | replace(row.map, '')", "'replace' takes text, not a map");
}

static void lists_are_split_joined_and_counted(void **state)
{
    (void)state;
    fixture_row("{\"l\":[\"a\",1,null,true],\"deep\":[[1]],\"map\":{\"a\":1,\"b\":2}}");
    assert_value("'a|b||c' | split('|')", "[\"a\",\"b\",\"\",\"c\"]");
    assert_value("'a' | split('|')", "[\"a\"]");
    assert_value("'|' | split('|')", "[\"\",\"\"]");
    assert_value("'' | split('|')", "[]");
    assert_value("'a, b, c' | split(', ') | last", "\"c\"");
    assert_error("'abc' | split('' | trim)", "a separator that is not empty");
    assert_value("row.l | join(', ')", "\"a, 1, true\"");
    assert_value("'' | split(',') | join(',')", "\"\"");
    assert_error("row.deep | join(',')", "there is a list in it");
    assert_value("row.l | length", "4");
    assert_value("row.map | length", "2");
    assert_value("'gr\xc3\xb6\xc3\x9f"
                 "e' | length",
                 "5");
    assert_value("row.l | first", "\"a\"");
    assert_value("row.l | last", "true");
    assert_value("'' | split(',') | first", "omit");
    assert_value("'' | split(',') | last", "omit");
}

static void numbers_are_made_of_text(void **state)
{
    (void)state;
    fixture_row("{\"b\":true,\"long\":123456789012345678901234567890.5}");
    assert_value("' 12.50 ' | number", "12.50");
    assert_value("'+007.10' | number", "7.10");
    assert_value("'.5' | number", "0.5");
    assert_value("'-5.' | number", "-5");
    assert_value("'-000' | number", "-0");
    assert_value("'01E+2' | number", "1E+2");
    assert_value("row.long | number", "123456789012345678901234567890.5");
    assert_error("'12,34' | number", "'12,34' is not a number");
    assert_error("'1.234.5' | number", "is not a number");
    assert_error("'' | number", "is not a number");
    assert_error("'.' | number", "is not a number");
    assert_error("'1e' | number", "is not a number");
    assert_error("'12 EUR' | number", "is not a number");
    assert_error("row.b | number", "'number' cannot make anything of true or false");
    assert_value("'12.00' | integer", "12");
    assert_value("1.2e3 | integer", "1200");
    assert_value("'0012' | integer", "12");
    assert_error("12.5 | integer", "'12.5' is not a whole number");
    assert_error("1e999 | integer", "too large");
}

static void words_become_true_and_false(void **state)
{
    (void)state;
    fixture_row("{\"list\":[],\"control\":\"\\u0011\"}");
    assert_value("'YES' | boolean", "true");
    assert_value("'True' | boolean", "true");
    assert_value("1 | boolean", "true");
    assert_value("'Off' | boolean", "false");
    assert_value("'0' | boolean", "false");
    assert_value("false | boolean", "false");
    assert_error("'maybe' | boolean", "'maybe' is neither true nor false");
    assert_error("'' | boolean", "neither");
    assert_error("2 | boolean", "neither");
    assert_error("row.control | boolean", "neither"); /* '1' without the bit of lower case */
    assert_error("row.list | boolean", "of a list");
}

static void text_is_made_of_scalars_and_json_of_anything(void **state)
{
    (void)state;
    fixture_row("{\"l\":[1.50,\"a\\\"\"],\"n\":1.50}");
    assert_value("row.n | string", "\"1.50\"");
    assert_value("true | string", "\"true\"");
    assert_error("row.l | string", "'string' cannot make text of a list");
    assert_value("row.l | json", "\"[1.50,\\\"a\\\\\\\"\\\"]\"");
    assert_value("'x' | json", "\"\\\"x\\\"\"");
}

static void rounding_is_on_the_digits_and_gives_as_many_as_asked_for(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("2.5 | round", "3");
    assert_value("-2.5 | round", "-3");
    assert_value("2.4999 | round", "2");
    assert_value("1.005 | round(2)", "1.01"); /* a double would say 1.00 */
    assert_value("1.995 | round(2)", "2.00");
    assert_value("99.999 | round(2)", "100.00");
    assert_value("0.004 | round(2)", "0.00");
    assert_value("-0.004 | round(2)", "0.00");
    assert_value("0.05 | round(1)", "0.1");
    assert_value("0.5 | round", "1");
    assert_value("0.4 | round", "0");
    assert_value("1.5 | round(2)", "1.50");
    assert_value("1.5e3 | round(2)", "1500.00");
    assert_value("1.50e-0 | round(2)", "1.50");
    assert_value("12345e-3 | round(2)", "12.35");
    assert_value("1e-5 | round(10)", "0.0000100000");
    assert_value("6e-3 | round(2)", "0.01");
    assert_value("6e-4 | round(2)", "0.00");
    assert_value("9e-400 | round(1)", "0.0");
    assert_error("9e-401 | round(1)", "too large or too small");
    assert_error("1 | round(15 + 16)", "from 0 to 30");
    assert_value("1 | round(30)", "1.000000000000000000000000000000");
    assert_value("2.5 | round(0, 'half_even')", "2");
    assert_value("2.01 | round(1, 'up')", "2.1");
    assert_value("-2.01 | round(1, 'ceiling')", "-2.0");
    assert_error("1 | round(2, 'half' | lower)", "there is no rounding 'half'");
    assert_contains(fixture.error.help, "half_even");
}

static void entries_of_lists_are_added_and_compared(void **state)
{
    (void)state;
    fixture_row("{\"n\":[3,1.50,3.0,-2],\"t\":[\"b\",\"a\",\"b\",\"ab\"],\"none\":[],"
                "\"gap\":[1,null,2],\"mixed\":[1,\"2\"],\"flags\":[true,false],"
                "\"lines\":[{\"a\":1},{\"b\":2},null,{\"a\":3}]}");
    assert_value("row.n | sum", "5.50");
    assert_value("row.none | sum", "0");
    assert_error("row.gap | sum", "'sum' takes a list of numbers; entry 1 is null");
    assert_contains(fixture.error.help, "map(\"amount\", 0)");
    assert_error("row.t | sum", "entry 0 is text");
    assert_error("row.lines | sum", "entry 0 is a map");
    assert_contains(fixture.error.help, "map(\"amount\")");
    assert_error("'9e37,9e37' | split(',') | sum", "entry 0 is text");
    assert_value("row.n | min", "-2");
    assert_value("row.n | max", "3");
    assert_value("row.t | min", "\"a\"");
    assert_value("row.t | max", "\"b\"");
    assert_value("row.none | max", "omit");
    assert_error("row.mixed | max", "'max' takes a list of numbers; entry 1 is text");
    assert_error("row.flags | min", "entry 0 is true or false");
    assert_value("row.n | sort", "[-2,1.50,3,3.0]");
    assert_value("row.t | sort", "[\"a\",\"ab\",\"b\",\"b\"]");
    assert_value("row.none | sort", "[]");
    assert_error("row.gap | sort", "entry 1 is null");
    assert_value("row.n | unique", "[3,1.50,-2]");
    assert_value("row.t | unique", "[\"b\",\"a\",\"ab\"]");
    assert_value("row.none | unique", "[]");
    assert_value("row.lines | map('a', 0)", "[1,0,0,3]");
    assert_value("row.lines | map('a', 0) | sum", "4");
    assert_error("row.lines | map('a') | sum", "entry 1 is missing");
    assert_error("row.n | map('a')", "'map' takes a list of maps; entry 0 is a number");
    assert_value("row.n | contains(1.5)", "true");
    assert_value("row.n | contains(7)", "false");
    assert_value("row.t | contains('ab')", "true");
    assert_value("row.flags | contains(true)", "true");
    assert_value("row.gap | contains(7)", "false");
    assert_value("row.mixed | contains(1)", "true");
    assert_error("row.t | contains(1)", "'contains' compares a number with text");
    assert_error("row.t | contains(row.n)", "'contains' takes text or a number, not a list");
    assert_error("row | contains('a')", "'contains' takes text or a list, not a map");
}

static void something_is_made_of_each_entry(void **state)
{
    (void)state;
    fixture_row("{\"rate\":2,\"lines\":[{\"q\":2,\"p\":19.99,\"k\":\"a\"},{\"q\":3,\"p\":0.50,"
                "\"k\":\"b\"},{\"q\":1,\"p\":1}],\"grid\":[[1,2],[3]],\"n\":[1,\"x\",3],"
                "\"none\":[]}");
    assert_value("row.lines | map(line => line.q * line.p) | sum", "42.48");
    assert_value("row.lines | map(x => x.q * row.rate)", "[4,6,2]");
    assert_value("row.lines | where(x => x.q > 1) | map('p')", "[19.99,0.50]");
    assert_value("row.lines | where(x => x.k == null) | map(x => x.p)", "[1]");
    assert_value("row.lines | where(x => x.none) | length", "0");
    assert_value("row.grid | map(inner => inner | map(x => x + 1) | sum) | sum", "9");
    assert_value("row.grid | map(a => row.grid | map(b => (a | length) * (b | length)) | sum)",
                 "[6,3]");
    assert_value("row.none | map(x => x.a.b)", "[]");
    assert_value("row.nothing | where(x => x)", "omit");
    assert_value("row.lines | map(x => if(x.q > 1, x.k, omit))", "[\"a\",\"b\"]");
    assert_value("row.lines | map(x => (x.p / x.q) | round(2))", "[10.00,0.17,1.00]");
    assert_error("row.n | map(x => x * 2)", "x is text, not a number (entry 1 of the list)");
    assert_error("row.n | where(x => x)", "x is a number, not true or false (entry 0 of the list)");
    assert_error("row.rate | where(x => x)", "'where' takes a list, not a number");
}

static void sums_that_do_not_fit_are_errors(void **state)
{
    (void)state;
    fixture_row("{\"n\":[1.5e38,1.5e38]}");
    assert_error("row.n | sum", "more than 38 digits");
}

static void signs_are_taken_away(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("-12.50 | abs", "12.50");
    assert_value("12.50 | abs", "12.50");
    assert_value("-0 | abs", "0");
    assert_error("'-1' | abs", "'abs' takes a number, not text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(missing_values_pass_through_all_filters_but_default),
        FIXTURE_TEST(wrong_kinds_are_refused_with_help),
        FIXTURE_TEST(lists_are_split_joined_and_counted),
        FIXTURE_TEST(numbers_are_made_of_text),
        FIXTURE_TEST(words_become_true_and_false),
        FIXTURE_TEST(text_is_made_of_scalars_and_json_of_anything),
        FIXTURE_TEST(rounding_is_on_the_digits_and_gives_as_many_as_asked_for),
        FIXTURE_TEST(entries_of_lists_are_added_and_compared),
        FIXTURE_TEST(something_is_made_of_each_entry),
        FIXTURE_TEST(sums_that_do_not_fit_are_errors),
        FIXTURE_TEST(signs_are_taken_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
