#include "expr_fixture.h"

/* The value of `expression` as JSON, "omit", or "!text" when it is an error. */
static const char *value_of(const char *expression)
{
    size_t size = strlen(expression) + 32;
    char *yaml = arena_new(&fixture.spec_arena, 1, size);
    const struct text_template *text_template;
    struct value value;

    snprintf(yaml, size, "v: >-\n  ${%s}\n", expression);
    text_template = text_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                                          &fixture.diagnostics);
    if (text_template == NULL)
        fail_msg("%s", fixture_messages());
    buf_clear(&fixture.out);
    memset(&fixture.error, 0xff, sizeof fixture.error);
    if (!text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error))
        buf_append_format(&fixture.out, "!%s", fixture.error.text);
    else if (value.kind == VALUE_OMIT)
        buf_append_text(&fixture.out, "omit");
    else
        value_append_json(&fixture.out, &value);
    return buf_text(&fixture.out);
}

#define assert_value(expression, expected) assert_string_equal(value_of(expression), expected)
#define assert_error(expression, part)                  \
    do {                                                \
        assert_int_equal(value_of(expression)[0], '!'); \
        assert_contains(buf_text(&fixture.out), part);  \
    } while (0)

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

static void blanks_are_trimmed_also_those_of_spreadsheets(void **state)
{
    (void)state;
    fixture_row("{\"s\":\" \\t\\u00a0\\u2003a \\u00a0 b\\u3000\\ufeff\\r\\n\",\"b\":\" \\n \"}");
    assert_value("row.s | trim", "\"a \xc2\xa0 b\"");
    assert_value("row.b | trim", "\"\"");
    assert_value("'' | trim", "\"\"");
}

static void case_changes_for_latin_letters_of_europe(void **state)
{
    (void)state;
    fixture_row("{\"up\":\"AZ\\u00c4\\u00d8\\u00d7\\u00de\\u0100\\u0130\\u0139\\u0147\\u0160"
                "\\u0178\\u0179\\u017d\\u03a9\",\"down\":\"az\\u00e4\\u00df\\u00f7\\u00ff\\u0101"
                "\\u0131\\u0137\\u0138\\u013a\\u0149\\u0161\\u017e\\u017f\\u03c9\",\"n\":12}");
    assert_value("row.up | lower", "\"az\xc3\xa4\xc3\xb8\xc3\x97\xc3\xbe\xc4\x81"
                                   "i\xc4\xba\xc5\x88\xc5\xa1\xc3\xbf\xc5\xba\xc5\xbe\xce\xa9\"");
    assert_value("row.down | upper",
                 "\"AZ\xc3\x84\xc3\x9f\xc3\xb7\xc5\xb8\xc4\x80"
                 "I\xc4\xb6\xc4\xb8\xc4\xb9\xc5\x89\xc5\xa0\xc5\xbdS\xcf\x89\"");
    assert_value("row.n | upper", "\"12\"");
}

static void replace_changes_every_place(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'a-b-c' | replace('-', '+++')", "\"a+++b+++c\"");
    assert_value("'--a--' | replace('-', '')", "\"a\"");
    assert_value("'aaa' | replace('aa', 'b')", "\"ba\"");
    assert_value("'abc' | replace('x', 'y')", "\"abc\"");
    assert_value("'' | replace('x', 'y')", "\"\"");
    assert_value("'x' | replace('x', '')", "\"\"");
    assert_error("'abc' | replace('' | trim, 'y')", "cannot look for empty text");
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

static void dates_are_read_as_iso_and_kept_in_their_zone(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'2026-11-26' | date", "\"2026-11-26\"");
    assert_value("'2026-11-26T23:59:59.5-08:00' | date", "\"2026-11-26\"");
    assert_value("'2026-11-26 21:45' | date", "\"2026-11-26\"");
    assert_value("'2026-11-26' | datetime", "\"2026-11-26T00:00:00Z\"");
    assert_value("'2026-11-26 21:45' | datetime", "\"2026-11-26T21:45:00Z\"");
    assert_value("'2026-11-26t21:45:01.25z' | datetime", "\"2026-11-26T21:45:01.25Z\"");
    assert_value("'2026-11-26T21:45:01+0130' | datetime", "\"2026-11-26T21:45:01+01:30\"");
    assert_value("'2026-11-26T21:45:01-05' | datetime", "\"2026-11-26T21:45:01-05:00\"");
    assert_value("'2026-11-26T21:45:01-05:30' | datetime", "\"2026-11-26T21:45:01-05:30\"");
    assert_value("'2016-12-31T23:59:60Z' | datetime", "\"2016-12-31T23:59:60Z\"");
    assert_error("'26.11.2026' | date", "'26.11.2026' is not a date");
    assert_contains(fixture.error.help, "2026-11-26");
    assert_contains(fixture.error.help, "date(\"%d.%m.%Y\")");
    assert_error("'2026-02-29' | date", "is not a date");
    assert_error("'2026-1-2' | date", "is not a date");
    assert_error("'2026-11-26T24:00' | date", "is not a date");
    assert_error("'2026-11-26T21:45:01.' | date", "is not a date");
    assert_error("'2026-11-26T21:45+1' | date", "is not a date");
    assert_error("'2026-11-26T21:45+24:00' | date", "is not a date");
    assert_error("'2026-11-26T21:45+23:60' | date", "is not a date");
    assert_error("'2026-11-26T21:60' | date", "is not a date");
    assert_error("'2026-11-26T21:45:61' | date", "is not a date");
    assert_error("'2026-11-26T21:' | date", "is not a date");
    assert_error("'2026-11-26T21:45:' | date", "is not a date");
    assert_value("'2026-11-26T23:59:59+23:59' | date", "\"2026-11-26\"");
    assert_error("'2026-11-26x' | date", "is not a date");
    assert_error("'2026-11-26T21:45Zx' | date", "is not a date");
    assert_error("20261126 | date", "is not a date");
    assert_error("'' | date", "is not a date");
}

static void other_layouts_are_read(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'31.12.2026' | date('%d.%m.%Y')", "\"2026-12-31\"");
    assert_value("'1/5/2026' | date('%m/%d/%Y')", "\"2026-01-05\"");
    assert_value("'01/05/26' | date('%m/%d/%y')", "\"2026-01-05\"");
    assert_value("'1.1.68' | date('%d.%m.%y')", "\"2068-01-01\"");
    assert_value("'1.1.69' | date('%d.%m.%y')", "\"1969-01-01\"");
    assert_value("'20261231' | date('%Y%m%d')", "\"2026-12-31\"");
    assert_value("'5 mar 2026' | date('%d %b %Y')", "\"2026-03-05\"");
    assert_value("'100% 2026-12-31' | date('100%% %Y-%m-%d')", "\"2026-12-31\"");
    assert_value("'31.12.2026 9:05' | datetime('%d.%m.%Y %H:%M')", "\"2026-12-31T09:05:00Z\"");
    assert_value("'31.12.2026 09:05:07 +0130' | datetime('%d.%m.%Y %H:%M:%S %z')",
                 "\"2026-12-31T09:05:07+01:30\"");
    assert_value("'12/31/2026 12:00 am' | datetime('%m/%d/%Y %I:%M %p')",
                 "\"2026-12-31T00:00:00Z\"");
    assert_value("'12/31/2026 12:30 PM' | datetime('%m/%d/%Y %I:%M %p')",
                 "\"2026-12-31T12:30:00Z\"");
    assert_value("0 | datetime('%s')", "\"1970-01-01T00:00:00Z\"");
    assert_value("-1 | datetime('%s')", "\"1969-12-31T23:59:59Z\"");
    assert_value("253402300799 | datetime('%s')", "\"9999-12-31T23:59:59Z\"");
    assert_error("253402300800 | datetime('%s')", "leaves the years");
    assert_error("'31.13.2026' | date('%d.%m.%Y')",
                 "'31.13.2026' is not a date that is written '%d.%m.%Y'");
    assert_error("'30.02.2026' | date('%d.%m.%Y')", "is not a date");
    assert_error("'31.12.26' | date('%d.%m.%Y')", "is not a date");
    assert_error("'31.12.2026 ' | date('%d.%m.%Y')", "is not a date");
    assert_error("'31.12.' | date('%d.%m.%Y')", "is not a date");
    assert_error("'' | date('%d.%m.%Y')", "is not a date");
    assert_error("'1 foo 2026' | date('%d %b %Y')", "is not a date");
    assert_error("'1.1.2026 13:00 PM' | date('%d.%m.%Y %I:%M %p')", "is not a date");
    assert_error("'1.1.2026 24:00' | date('%d.%m.%Y %H:%M')", "is not a date");
    assert_error("'1.5' | datetime('%s')", "is not a date");
    assert_error("'1.1.2026' | date('%d' | trim)", "needs day, month and year");
}

static void dates_are_written_in_other_layouts(void **state)
{
    (void)state;
    fixture_row("{\"at\":\"2026-02-03T00:04:05.5-08:00\",\"noon\":\"2026-12-31T12:00\"}");
    assert_value("row.at | format_date('%d.%m.%Y')", "\"03.02.2026\"");
    assert_value("row.at | format_date('%m/%d/%y')", "\"02/03/26\"");
    assert_value("row.at | format_date('%d-%b-%Y %H:%M:%S %z')", "\"03-Feb-2026 00:04:05 -08:00\"");
    assert_value("row.at | format_date('%I:%M %p, 100%%')", "\"12:04 AM, 100%\"");
    assert_value("row.noon | format_date('%I:%M %p %z')", "\"12:00 PM Z\"");
    assert_error("'31.12.2026' | format_date('%d')", "is not a date");
    assert_error("row.at | format_date('%q' | trim)", "a layout of 'format_date' has %Y");
    assert_error("row.at | format_date('' | trim)", "must not be empty");
    assert_error("row.none ?? '2026-01-01' | format_date(row.none)", "takes text, not missing");
}

static void times_of_all_zones_are_seconds(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'1970-01-01' | timestamp", "0");
    assert_value("'1970-01-01T00:00:00+01:00' | timestamp", "-3600");
    assert_value("'1970-01-01T00:00-0530' | timestamp", "19800");
    assert_value("'1970-01-01T00:00-05' | timestamp", "18000");
    assert_value("'2026-11-26T21:45:00.250Z' | timestamp", "1795729500.250");
    assert_value("'1969-12-31T23:59:59.25Z' | timestamp", "-0.75");
    assert_value("'2016-12-31T23:59:60Z' | timestamp", "1483228800");
    assert_value(
        "('2026-11-26T21:45:00+01:00' | timestamp) == ('2026-11-26T20:45:00Z' | timestamp)",
        "true");
    assert_value("'2026-11-26T21:45:00+01:00' | timestamp | datetime('%s')",
                 "\"2026-11-26T20:45:00Z\"");
    assert_error("'2026-11-26T21:45:00.1234567890123456789012345678901234567890Z' | timestamp",
                 "too many digits");
}

static void months_are_added_and_end_where_they_end(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value("'2026-01-31' | add_months(1)", "\"2026-02-28\"");
    assert_value("'2024-01-31' | add_months(1)", "\"2024-02-29\"");
    assert_value("'2026-01-31' | add_months(2)", "\"2026-03-31\"");
    assert_value("'2026-01-15' | add_months(-1)", "\"2025-12-15\"");
    assert_value("'2026-03-31' | add_months(-1)", "\"2026-02-28\"");
    assert_value("'2024-02-29' | add_months(12)", "\"2025-02-28\"");
    assert_value("'2026-11-30T10:00:00+02:00' | add_months(3)", "\"2027-02-28T10:00:00+02:00\"");
    assert_value("'0000-02-01' | add_months(-1)", "\"0000-01-01\"");
    assert_error("'0000-01-01' | add_months(-1)", "leaves the years 0000 to 9999");
    assert_error("'9999-12-01' | add_months(1)", "leaves the years");
    assert_error("'0000-01-31' | add_months(-120000)", "leaves the years");
    assert_error("'2026-12-31' | add_months(1.5 + 0)", "'add_months' takes a whole number");
}

static void text_is_looked_at_and_filled_up(void **state)
{
    (void)state;
    fixture_row("{\"n\":42,\"empty\":\"\"}");
    assert_value("'abc' | starts_with('ab')", "true");
    assert_value("'abc' | starts_with('b')", "false");
    assert_value("'a' | starts_with('ab')", "false");
    assert_value("row.empty | starts_with('')", "true");
    assert_value("'abc' | ends_with('bc')", "true");
    assert_value("'abc' | ends_with('b')", "false");
    assert_value("'c' | ends_with('bc')", "false");
    assert_value("'abc' | contains('b')", "true");
    assert_value("'abc' | contains('ac')", "false");
    assert_value("row.empty | contains('')", "true");
    assert_value("row.empty | contains('a')", "false");
    assert_value("row.n | contains(2)", "true");
    assert_error("'abc' | contains(row.none)", "takes text, not missing");
    assert_value("row.n | pad(5, '0')", "\"00042\"");
    assert_value("'\xc3\xa4' | pad(3, '\xe2\x82\xac')", "\"\xe2\x82\xac\xe2\x82\xac\xc3\xa4\"");
    assert_value("'abc' | pad(3, '0')", "\"abc\"");
    assert_value("'abcd' | pad(3, '0')", "\"abcd\"");
    assert_value("(row.empty | pad(1000, ' ') | length)", "1000");
    assert_error("'a' | pad(1000 + 1, '0')", "from 0 to 1000");
    assert_error("'a' | pad(3, '00' | trim)", "'pad' fills up with one character");
    assert_error("'a' | pad(3, row.empty)", "'pad' fills up with one character");
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

static void days_are_added_over_months_and_leap_years(void **state)
{
    (void)state;
    fixture_row("{\"terms\":30}");
    assert_value("'2026-11-26' | add_days(row.terms)", "\"2026-12-26\"");
    assert_value("'2024-02-28' | add_days(1)", "\"2024-02-29\"");
    assert_value("'2023-02-28' | add_days(1)", "\"2023-03-01\"");
    assert_value("'2026-01-01' | add_days(-1)", "\"2025-12-31\"");
    assert_value("'2026-12-31T10:00:00+02:00' | add_days(1)", "\"2027-01-01T10:00:00+02:00\"");
    assert_value("'2026-12-31T10:00' | add_days(14) | date", "\"2027-01-14\"");
    assert_error("'9999-12-31' | add_days(1)", "leaves the years 0000 to 9999");
    assert_error("'0000-01-01' | add_days(-1)", "leaves the years");
    assert_error("'2026-12-31' | add_days(99999998 + 1)", "'add_days' takes a whole number");
}

static void bytes_are_encoded_and_hashed(void **state)
{
    (void)state;
    fixture_row("{\"s\":\"\\u00ff\\u00fe?\"}");
    assert_value("'' | base64", "\"\"");
    assert_value("'f' | base64", "\"Zg==\"");
    assert_value("'fo' | base64", "\"Zm8=\"");
    assert_value("'foo' | base64", "\"Zm9v\"");
    assert_value("'foobar' | base64", "\"Zm9vYmFy\"");
    assert_value("row.s | base64", "\"w7/Dvj8=\"");
    assert_value("'abc' | sha256",
                 "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
}

static void text_is_cut_by_characters(void **state)
{
    (void)state;
    fixture_row("{\"s\":\"\\u00e4\\ud83d\\ude00bc\"}");
    assert_value("row.s | truncate(0)", "\"\"");
    assert_value("row.s | truncate(2)", "\"\xc3\xa4\xf0\x9f\x98\x80\"");
    assert_value("row.s | truncate(4)", "\"\xc3\xa4\xf0\x9f\x98\x80"
                                        "bc\"");
    assert_value("row.s | truncate(400)", "\"\xc3\xa4\xf0\x9f\x98\x80"
                                          "bc\"");
}

static void slugs_are_plain_letters_digits_and_single_dashes(void **state)
{
    (void)state;
    fixture_row("{\"s\":\" \\u00c4rger & Stra\\u00dfe: \\u0141\\u00f3d\\u017a \\u0152uvre "
                "\\u4e2d 12! \",\"none\":\"\\u4e2d\\u6587\"}");
    assert_value("row.s | slug", "\"arger-strasse-lodz-oeuvre-12\"");
    assert_value("'A--b__c' | slug", "\"a-b-c\"");
    assert_value("'0z9' | slug", "\"0z9\"");
    assert_error("row.none | slug", "'slug' finds no Latin letter");
    assert_error("'' | slug", "'slug' finds no Latin letter");
}

/* Each Latin letter with marks has a plain form that is not longer. */
static void every_latin_letter_has_a_slug(void **state)
{
    struct value text = {.kind = VALUE_STRING};
    char bytes[2], expression[] = "(row.s | slug | length) <= 2";
    struct slice name = SLICE("s");

    (void)state;
    for (unsigned character = 0xc0; character <= 0x17f; character++) {
        if (character == 0xd7 || character == 0xf7) /* × ÷ */
            continue;
        bytes[0] = (char)(0xc0 | character >> 6);
        bytes[1] = (char)(0x80 | (character & 0x3f));
        text.text = (struct slice){bytes, 2};
        fixture.row = (struct value){.kind = VALUE_MAP, .map = {&name, &text, 1}};
        assert_value(expression, "true");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(missing_values_pass_through_all_filters_but_default),
        FIXTURE_TEST(wrong_kinds_are_refused_with_help),
        FIXTURE_TEST(blanks_are_trimmed_also_those_of_spreadsheets),
        FIXTURE_TEST(case_changes_for_latin_letters_of_europe),
        FIXTURE_TEST(replace_changes_every_place),
        FIXTURE_TEST(lists_are_split_joined_and_counted),
        FIXTURE_TEST(numbers_are_made_of_text),
        FIXTURE_TEST(words_become_true_and_false),
        FIXTURE_TEST(text_is_made_of_scalars_and_json_of_anything),
        FIXTURE_TEST(rounding_is_on_the_digits_and_gives_as_many_as_asked_for),
        FIXTURE_TEST(dates_are_read_as_iso_and_kept_in_their_zone),
        FIXTURE_TEST(other_layouts_are_read),
        FIXTURE_TEST(dates_are_written_in_other_layouts),
        FIXTURE_TEST(times_of_all_zones_are_seconds),
        FIXTURE_TEST(months_are_added_and_end_where_they_end),
        FIXTURE_TEST(text_is_looked_at_and_filled_up),
        FIXTURE_TEST(entries_of_lists_are_added_and_compared),
        FIXTURE_TEST(something_is_made_of_each_entry),
        FIXTURE_TEST(sums_that_do_not_fit_are_errors),
        FIXTURE_TEST(signs_are_taken_away),
        FIXTURE_TEST(days_are_added_over_months_and_leap_years),
        FIXTURE_TEST(bytes_are_encoded_and_hashed),
        FIXTURE_TEST(text_is_cut_by_characters),
        FIXTURE_TEST(slugs_are_plain_letters_digits_and_single_dashes),
        FIXTURE_TEST(every_latin_letter_has_a_slug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
