/* Expressions that are refused, and with which words. */
#include "expr_value_fixture.h"

static void quotient_that_nothing_rounds_is_refused_with_the_fix(void **state)
{
    static const char *const wrong[] = {
        "row.a / row.b",
        "row.a / row.b + 1 | round(2)",
        "row.a / row.b * 100 | round(2)",
        "row.a / row.b / 2 | round(2)",
        "-(row.a / row.b) | round(2)",
        "(row.a / row.b ?? 1) | round(2)",
        "if(true, row.a / row.b, 0) | round(2)",
        "row.a / row.b | integer",
        "row.a / row.b | default(1) | round(2)",
        "row.c | round(row.a / row.b)",
        "row.c | default(row.a / row.b)",
        "row.l[row.a / row.b]",
        "(row.a / row.b) > 1",
        "not (row.a / row.b)",
        "(row.a / row.b).c",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *messages = refused(wrong[i]);

        assert_contains(messages, "a quotient must be rounded");
        assert_contains(messages, "| round(2)");
    }
    assert_contains(refused("1 + row.a / row.b"), "write (row.a / row.b) | round(2)");
}

static void arguments_that_are_written_out_are_checked_at_once(void **state)
{
    (void)state;
    assert_contains(refused("row.a | round(31)"), "from 0 to 30, not 31");
    assert_contains(refused("row.a | round('2')"), "not text");
    assert_contains(refused("row.a | round(2, 'bankers')"), "there is no rounding 'bankers'");
    assert_contains(refused("row.a | round(2, 'bankers')"), "half_up, half_even");
    assert_contains(refused("row.a | date('%d.%m')"), "needs day, month and year (%d.%m.%Y)");
    assert_contains(refused("row.a | date('%d.%m.%Y %I:%M')"), "has %I only with %p");
    assert_contains(refused("row.a | format_date('%s')"), "a layout of 'format_date' has %Y");
    assert_contains(refused("row.a | split('')"), "a separator that is not empty");
    assert_contains(refused("row.a | map(omit)"), "takes text, not missing");
    assert_contains(refused("row.a | pad(5, '00')"), "fills up with one character");
}

static void unknown_column_is_shown_with_caret_and_help(void **state)
{
    static const struct slice columns[] = {SLICE("sku"), SLICE("name"), SLICE("price"),
                                           SLICE("stock")};
    char file[] = "/tmp/test_expr_XXXXXX";
    const char yaml[] = "v: \"\xc3\xa4\xc3\xb6 ${row.prize} \xc3\xa9\"\n";
    const struct yaml_node *root;
    int descriptor = mkstemp(file);

    (void)state;
    assert_int_equal(write(descriptor, yaml, strlen(yaml)), strlen(yaml));
    close(descriptor);
    fixture_columns(columns, 4);
    assert_int_equal(
        yaml_parse(&fixture.spec_arena, file, yaml, strlen(yaml), &root, &fixture.diagnostics),
        ERR_OK);
    assert_null(text_template_compile(&fixture.spec_arena, yaml_get(root, "v"), &fixture.scope,
                                      &fixture.diagnostics));
    assert_string_equal(
        fixture_messages() + strlen(file),
        ":1:14: error: no column 'prize' in data/products.csv   [expr.unknown_column]\n"
        "    1 | v: \"\xc3\xa4\xc3\xb6 ${row.prize} \xc3\xa9\"\n"
        "      |              ^~~~~\n"
        "      help: did you mean 'price'? columns: sku, name, price, stock\n");
    unlink(file);
}

/* The place of the one message about `yaml`, as line:column:width. */
static const char *place_in(const char *yaml)
{
    static char text[32];
    const struct yaml_node *scalar = fixture_yaml(yaml);

    assert_null(
        text_template_compile(&fixture.spec_arena, scalar, &fixture.scope, &fixture.diagnostics));
    assert_int_equal(fixture.diagnostics.error_count, 1);
    buf_clear(&fixture.out);
    diagnostics_print_json(&fixture.diagnostics, &fixture.out);
    snprintf(text, sizeof text, "%.20s", strstr(buf_text(&fixture.out), "\"line\""));
    diagnostics_deinit(&fixture.diagnostics);
    return text;
}

static void places_are_exact_in_every_style_of_scalar(void **state)
{
    (void)state;
    assert_string_equal(place_in("v: ${row.sku} ${nope}"), "\"line\":1,\"column\":17");
    assert_string_equal(place_in("v: '${row.sku} it''s ${nope}'"), "\"line\":1,\"column\":24");
    assert_string_equal(place_in("v: \"\\t${row.sku} \\\"${'\\\"' | trim}\\\" \\u00e4 ${nope}\""),
                        "\"line\":1,\"column\":46");
    assert_string_equal(place_in("v: \"${row['\\\"'] ?? nope}\""), "\"line\":1,\"column\":20");
    assert_string_equal(place_in("v: '${row[''a''] ?? nope}'"), "\"line\":1,\"column\":21");
    assert_string_equal(place_in("v: a ${row.a}\n   b ${row.b +\n     nope} c"),
                        "\"line\":3,\"column\":6,");
    assert_string_equal(place_in("v: |\n  a ${row.a}\n\n    b ${nope}\n"),
                        "\"line\":4,\"column\":9,");
    assert_string_equal(place_in("v: >\n  a ${row.a}\n  b ${row.b\n  + nope}\n"),
                        "\"line\":4,\"column\":5,");
    assert_string_equal(place_in("v: $${a} ${nope}"), "\"line\":1,\"column\":12");
    assert_string_equal(place_in("v: \"\\x24{nope}\""), "\"line\":1,\"column\":10");
}

static void all_errors_of_a_text_are_found(void **state)
{
    (void)state;
    assert_null(compile("v: ${nope} ${row.a | uper} ${} ${row.b"));
    assert_int_equal(fixture.diagnostics.error_count, 4);
    fixture_messages();
    assert_contains(buf_text(&fixture.out), "unknown name 'nope'");
    assert_contains(buf_text(&fixture.out), "unknown filter 'uper'");
    assert_contains(buf_text(&fixture.out), "did you mean 'upper'? filters: trim, lower");
    assert_contains(buf_text(&fixture.out), "a value is missing before '}'");
    assert_contains(buf_text(&fixture.out), "this ${ has no }");
}

static void reading_goes_on_right_behind_an_error(void **state)
{
    (void)state;
    assert_null(compile("v: ${one}${two}${row.a}${three | x}"));
    assert_int_equal(fixture.diagnostics.error_count, 3);
}

static void names_are_checked_against_what_there_is(void **state)
{
    static const struct slice columns[] = {SLICE("price"), SLICE("unit-price")};

    (void)state;
    fixture_columns(columns, 2);
    assert_contains(refused("rwo.price"), "did you mean 'row'? names here: row, vars, item, run");
    assert_contains(refused("price"), "a column is written row.price");
    assert_contains(refused("vars.brnd"), "did you mean 'brand'? vars: brand, rate");
    assert_contains(refused("item.kay"), "did you mean 'key'?");
    assert_contains(refused("run.start"), "there are: id, started_at");
    assert_contains(refused("row[\"prize\"]"), "no column 'prize' in data/products.csv");
    assert_contains(refused("row.unit-price"), "row[\"unit-price\"]");
    assert_contains(refused("env.HOME"), "env is known in vars and source only");
    assert_contains(refused("response.id"), "response is known in outputs and undo only");
    assert_contains(refused("rows"), "group_by");
    assert_contains(refused("needs.x.outputs.y"), "'needs' cannot be used here");
}

static void environment_is_read_only_where_it_is_allowed(void **state)
{
    (void)state;
    fixture.scope.parts |= SCOPE_ENV;
    setenv("PURSER_TEST_VALUE", "from outside", 1);
    unsetenv("PURSER_TEST_NOTHING");
    assert_value("env.PURSER_TEST_VALUE", "\"from outside\"");
    assert_value("env.PURSER_TEST_NOTHING ?? 'x'", "\"x\"");
    assert_contains(refused("env"), "'.' and the name of an environment variable is missing");
}

static void syntax_errors_say_what_to_write(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_contains(refused("row.a && row.b"), "help: write and");
    assert_contains(refused("row.a || row.b"), "help: write or");
    assert_contains(refused("!row.a"), "help: write not");
    assert_contains(refused("row.a = 1"), "help: write ==");
    assert_contains(refused("row.a ? 1"), "if(condition, then, else)");
    assert_contains(refused("1 < 2 < 3"), "comparisons cannot stand in a row");
    assert_contains(refused("'abc"), "this text has no closing '");
    assert_contains(refused("'a\\q'"), "there is no such escape");
    assert_contains(refused("'\\u00e'"), "there is no such escape");
    assert_contains(refused("'\\u0000'"), "there is no such escape");
    assert_contains(refused("'\\ud800'"), "there is no such escape");
    assert_contains(refused("007"), "'007' is no number");
    assert_contains(refused("12abc"), "'12abc' is no number");
    assert_contains(refused("upper(row.a)"), "filters are written behind a value");
    assert_contains(refused("now()"), "the only function is if");
    assert_contains(refused("if(row.a, 1)"), "if needs a value for 'else'");
    assert_contains(refused("row.a | replace('x')"), "'replace' does not take 1 argument ");
    assert_contains(refused("row.a | trim(1, 2, 3)"), "'trim' does not take 3 arguments");
    assert_contains(refused("row.a row.b"), "'row' is not expected here");
    assert_contains(refused("row.a | integer > 0"), "(value | filter) > 0");
    assert_contains(refused("row."), "a name is missing before '}'");
    assert_contains(refused("row.a[1"), "']' is missing before '}'");
    assert_contains(refused("row.a #"), "'#' is not part of expressions");
    assert_contains(refused("${row.a"), "${ does not go inside ${");
    assert_contains(refused("--1"), "a value is missing before '-'");
}

/* "((((1))))" with `depth` parentheses, or "1+1+1" with `operators`. */
static const char *nested(size_t depth, size_t operators)
{
    static char text[4096];
    size_t length = 0;

    memset(text, 0, sizeof text);
    memset(text, '(', depth);
    text[depth] = '1';
    memset(text + depth + 1, ')', depth);
    for (length = 2 * depth + 1; operators > 0; operators--, length += 2)
        memcpy(text + length, "+1", 2);
    return text;
}

static void depth_has_a_maximum(void **state)
{
    (void)state;
    fixture_row("{}");
    assert_value(nested(EXPRESSION_DEPTH_MAX - 1, 0), "1");
    assert_contains(refused(nested(EXPRESSION_DEPTH_MAX, 0)), "parentheses in one another");
    assert_value(nested(0, EXPRESSION_TREE_DEPTH_MAX - 1), "256");
    assert_contains(refused(nested(0, EXPRESSION_TREE_DEPTH_MAX)), "in a row");
    assert_value("not not not not not not not not not true", "false");
}

static void without_memory_compiling_and_evaluating_end_with_a_message(void **state)
{
    const char yaml[] = "v: \"a ${row.a | upper} ${row['b'] ?? 'x' | replace('a', 'b')} c\"";
    const struct yaml_node *scalar = fixture_yaml(yaml);
    const struct text_template *text_template;
    struct arena small;
    struct slice text;

    (void)state;
    fixture_row("{\"a\":\"abc\"}");
    for (size_t max = 0; max < 4096; max += 16) {
        arena_init(&small, max);
        if (text_template_compile(&small, scalar, &fixture.scope, &fixture.diagnostics) == NULL)
            assert_true(fixture.diagnostics.error_count > 0);
        fixture_messages();
        arena_deinit(&small);
    }
    text_template = compile(yaml);
    assert_non_null(text_template);
    for (size_t max = 0; max < 64; max += 16) {
        arena_init(&small, max);
        fixture.environment.arena = &small;
        memset(&fixture.error, 0, sizeof fixture.error);
        if (!text_template_text(text_template, &fixture.environment, &text, &fixture.error))
            assert_contains(fixture.error.text, "memory");
        else
            assert_true(slice_is(text, "a ABC x c"));
        arena_deinit(&small);
    }
    fixture.environment.arena = &fixture.unit_arena;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(quotient_that_nothing_rounds_is_refused_with_the_fix),
        FIXTURE_TEST(arguments_that_are_written_out_are_checked_at_once),
        FIXTURE_TEST(unknown_column_is_shown_with_caret_and_help),
        FIXTURE_TEST(places_are_exact_in_every_style_of_scalar),
        FIXTURE_TEST(all_errors_of_a_text_are_found),
        FIXTURE_TEST(reading_goes_on_right_behind_an_error),
        FIXTURE_TEST(names_are_checked_against_what_there_is),
        FIXTURE_TEST(environment_is_read_only_where_it_is_allowed),
        FIXTURE_TEST(syntax_errors_say_what_to_write),
        FIXTURE_TEST(depth_has_a_maximum),
        FIXTURE_TEST(without_memory_compiling_and_evaluating_end_with_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
