#include "expr_fixture.h"

static const struct text_template *compile(const char *yaml)
{
    return text_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                                 &fixture.diagnostics);
}

/* The value of an expression as JSON; "omit" when it is OMIT, "!text" when it is an error. */
static const char *value_of(const char *expression)
{
    char *yaml = arena_new(&fixture.spec_arena, 1, strlen(expression) + 32);
    const struct text_template *text_template;
    struct value value;

    snprintf(yaml, strlen(expression) + 32, "v: >-\n  ${%s}\n", expression);
    text_template = compile(yaml);
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

/* What the compiler says about an expression that it refuses. */
static const char *refused(const char *expression)
{
    char *yaml = arena_new(&fixture.spec_arena, 1, strlen(expression) + 32);

    snprintf(yaml, strlen(expression) + 32, "v: >-\n  ${%s}\n", expression);
    assert_null(compile(yaml));
    return fixture_messages();
}

static void literals_and_names_give_their_values(void **state)
{
    (void)state;
    fixture_row("{\"sku\":\"A-1\",\"a\":{\"b\":[10,{\"c\":\"deep\"}]},\"Unit price\":\"9\","
                "\"gr\\u00f6\\u00dfe\":\"L\"}");
    assert_value("\"te\\\"x\\nt\"", "\"te\\\"x\\nt\"");
    assert_value("'it\\'s'", "\"it's\"");
    assert_value("'\\u00e4\\u20AC\\u0041' == '\xc3\xa4\xe2\x82\xac\x41'", "true");
    assert_value("1.50", "1.50");
    assert_value("-3", "-3");
    assert_value("true", "true");
    assert_value("false", "false");
    assert_value("null", "null");
    assert_value("omit", "omit");
    assert_value("row.sku", "\"A-1\"");
    assert_value("row.a.b[1].c", "\"deep\"");
    assert_value("row.a[\"b\"][0]", "10");
    assert_value("row[\"Unit price\"]", "\"9\"");
    assert_value("row.gr\xc3\xb6\xc3\x9f"
                 "e",
                 "\"L\"");
    assert_value("vars.brand", "\"Rutter\"");
    assert_value("item.key", "\"K1\"");
    assert_value("item.line", "12");
    assert_value("run.id", "3");
    assert_value("( row.sku )", "\"A-1\"");
}

static void what_does_not_exist_is_omit_but_text_has_no_members(void **state)
{
    (void)state;
    fixture_row("{\"sku\":\"A-1\",\"list\":[1],\"nothing\":null}");
    assert_value("row.none", "omit");
    assert_value("row.none.deeper[3].more", "omit");
    assert_value("row.nothing.deeper", "omit");
    assert_value("row.list[1]", "omit");
    assert_error("row.sku.length", "row.sku is text and has no 'length'");
    assert_error("row.list.length", "row.list is a list and has no 'length'");
    assert_error("row.list[0.5]", "does not fit");
    assert_error("row.list[-1]", "does not fit");
    assert_contains(fixture.error.help, "| last");
    assert_value("row.list[1e30]", "omit");
    assert_value("row.list[0.0]", "1");
    assert_error("row.list[\"a\"]", "row.list is a list and has no 'a'");
    assert_error("row.sku[0]", "does not fit");
    assert_error("row.sku.a.b", "row.sku is text and has no 'a'");
    assert_error("row.sku.a[0]", "row.sku is text and has no 'a'");
    assert_error("row.list[row.sku.a]", "row.sku is text and has no 'a'");
    assert_error("row.sku.a == 1", "row.sku is text and has no 'a'");
    assert_error("1 == row.sku.a", "row.sku is text and has no 'a'");
    assert_error("not row.sku.a", "row.sku is text and has no 'a'");
    assert_error("row.sku.a ?? 1", "row.sku is text and has no 'a'");
    assert_error("row.sku.a | upper", "row.sku is text and has no 'a'");
    assert_error("1 | default(row.sku.a)", "row.sku is text and has no 'a'");
}

static void operators_bind_as_the_grammar_says(void **state)
{
    (void)state;
    fixture_row("{\"n\":5,\"t\":\"x\",\"yes\":true,\"nothing\":null}");
    assert_value("row.n + 2 * 3", "11");
    assert_value("(row.n + 2) * 3", "21");
    assert_value("10 - 2 - 3", "5");
    assert_value("-row.n + 1", "-4");
    assert_value("2 - -1", "3");
    assert_value("1 + 1 == 2 and not 1 > 2", "true");
    assert_value("true or false and false", "true");
    assert_value("not true or true", "true");
    assert_value("not not row.yes", "true");
    assert_value("not not not row.yes", "false");
    assert_value("row.none ?? row.nothing ?? \"c\"", "\"c\"");
    assert_value("row.none ?? \"b\" | upper", "\"B\"");
    assert_value("row.n ?? 1", "5");
    assert_value("if(row.n > 3, \"many\", \"few\")", "\"many\"");
    assert_value("if(row.none, 1, omit)", "omit");
    assert_value("if(row.yes, \"only this is evaluated\", row.t * 2)",
                 "\"only this is evaluated\"");
}

static void logic_takes_only_true_false_and_missing_values(void **state)
{
    (void)state;
    fixture_row("{\"text\":\"false\",\"one\":1,\"nothing\":null}");
    assert_value("row.none or true", "true");
    assert_value("row.nothing and true", "false");
    assert_value("not row.none", "true");
    assert_error("row.text and true", "row.text is text, not true or false");
    assert_error("not row.one", "row.one is a number");
    assert_error("if(row.text, 1, 2)", "row.text is text");
    assert_value("false and row.text", "false");
    assert_value("true or row.text", "true");
    assert_error("true and row.text", "row.text is text");
}

static void numbers_compare_by_their_exact_value(void **state)
{
    (void)state;
    fixture_row("{\"a\":19.990,\"t\":\"5\",\"b\":\"true\"}");
    assert_value("row.a == 19.99", "true");
    assert_value("row.a == 1999e-2", "true");
    assert_value("0.1 + 0.2 == 0.3", "true");
    assert_value("9007199254740993 == 9007199254740992", "false");
    assert_value("10 > 9", "true");
    assert_value("-10 < -9", "true");
    assert_value("-1 < 1", "true");
    assert_value("-0.0 == 0", "true");
    assert_value("0.001 < 0.01", "true");
    assert_value("1e3 >= 999.999", "true");
    assert_value("1e400 > 1e399", "true");
    assert_value("5 != 5.0", "false");
    assert_value("5 <= 5.0", "true");
    assert_error("row.t > 4", "row.t > 4 compares text with a number");
    assert_contains(fixture.error.help, "| number");
    assert_error("row.t == 5", "compares text with a number");
    assert_error("row.b == true", "compares text with true or false");
}

static void texts_compare_by_their_bytes_and_missing_values_only_as_equal(void **state)
{
    (void)state;
    fixture_row("{\"a\":\"abc\",\"nothing\":null,\"list\":[1],\"t\":true}");
    assert_value("row.a == 'abc'", "true");
    assert_value("row.a < 'abd'", "true");
    assert_value("'ab' < row.a", "true");
    assert_value("row.a >= 'abc'", "true");
    assert_value("row.none == null", "true");
    assert_value("row.nothing == omit", "true");
    assert_value("row.none == 'abc'", "false");
    assert_value("row.none != 5", "true");
    assert_value("row.t == true", "true");
    assert_value("row.t != false", "true");
    assert_error("row.none < 5", "compares with a value that is missing");
    assert_error("row.list == 1", "compares a list with a number");
    assert_error("row.t < true", "compares true or false with true or false");
}

static void arithmetic_is_exact_and_says_when_it_cannot_be(void **state)
{
    (void)state;
    fixture_row("{\"q\":3,\"p\":19.99,\"t\":\"3\"}");
    assert_value("row.q * row.p", "59.97");
    assert_value("0.1 + 0.2", "0.3");
    assert_value("1.10 + 1", "2.10");
    assert_value("2.0 * 19.99", "39.98");
    assert_value("0.05 * 0.05", "0.0025");
    assert_value("1 - 1.00", "0.00");
    assert_value("-0.5 + 0.4", "-0.1");
    assert_value("1e3 * 2", "2000");
    assert_value("5e-3 + 1", "1.005");
    assert_value("99999999999999999999 * 99999999999999999",
                 "9999999999999999899900000000000000001");
    assert_error("99999999999999999999 * 99999999999999999999", "more than 38 digits");
    assert_error("1e39 + 1", "more than 38 digits");
    assert_error("1e-39 + 1", "more than 38 digits");
    assert_error("1 + 1e39", "more than 38 digits");
    assert_error("9999999999999999999999999999999999999999 * 1", "more than 38 digits");
    assert_error("12345678901234567890123456789012345678 + 0.01", "more than 38 digits");
    assert_error("0.01 - 12345678901234567890123456789012345678", "more than 38 digits");
    assert_value("10e-39 + 0", "0.00000000000000000000000000000000000001");
    assert_error("170141183460469231731687303715884105727 + 1", "more than 38 digits");
    assert_value("0e999999999999999999999 + 1", "1");
    assert_error("row.t * 2", "row.t is text, not a number");
    assert_error("row.none + 1", "row.none is missing");
}

static void quotients_are_rounded_once_where_they_are_made(void **state)
{
    (void)state;
    fixture_row("{\"total\":10,\"count\":3,\"zero\":0.00,\"t\":\"3\",\"n\":2}");
    assert_value("(row.total / row.count) | round(2)", "3.33");
    assert_value("row.total / row.count | round", "3");
    assert_value("row.total / row.count | round(row.n, 'up')", "3.34");
    assert_value("row.total * 100 / row.count | round(1)", "333.3");
    assert_value("-row.total / row.count | round(1)", "-3.3");
    assert_value("10 / 4 | round(2)", "2.50");
    assert_value("0.125 / 1 | round(2, 'half_even')", "0.12");
    /* Rounded twice it would be 0.15, then 0.2. */
    assert_value("0.1499 / 1 | round(1)", "0.1");
    assert_value("if(row.count == 0, omit, (row.total / row.count) | round(1)) + 1", "4.3");
    assert_value("row.none | default((row.total / row.count) | round(1))", "3.3");
    assert_value("10 | round((7 / 4) | round)", "10.00");
    assert_error("row.total / row.zero | round(2)", "row.total / row.zero divides by zero");
    assert_contains(fixture.error.help, "if(b == 0");
    assert_int_equal(fixture.error.place.line, 2);
    assert_int_equal(fixture.error.place.column, 5);
    assert_int_equal(fixture.error.place.width, 20);
    assert_error("row.total / row.t | round(2)", "row.t is text, not a number");
    assert_error("row.none / row.count | round(2)", "row.none is missing");
    assert_error("row.total.a / 1 | round", "has no 'a'");
    assert_error("1e38 / 1e-38 | round", "1e38 / 1e-38 needs more than 38 digits");
}

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

static void names_of_entries_are_known_in_their_expression_only(void **state)
{
    static const struct slice columns[] = {SLICE("price")};

    (void)state;
    fixture_columns(columns, 1);
    fixture.scope.parts |= SCOPE_ROWS;
    assert_contains(refused("rows | map(x => x.prize)"), "no column 'prize'");
    assert_contains(refused("rows | where(x => x.price > 0) | map(x => x.prize)"),
                    "no column 'prize'");
    assert_contains(refused("rows | map(x => y.price)"), "names here: x, row, rows");
    assert_contains(refused("(rows | map(x => x.price) | length) + x"), "unknown name 'x'");
    assert_contains(refused("rows | map(row => 1)"), "'row' is a name already");
    assert_contains(refused("rows | map(x => rows | map(x => 1))"), "'x' is a name already");
    assert_contains(refused("rows | map(if => 1)"), "'if' is a name already");
    assert_contains(refused("rows | sum(x => x.price)"), "'sum' does not take =>");
    assert_contains(refused("rows | where('price')"), "'where' needs a condition");
    assert_contains(refused("rows | where()"), "'where' does not take 0 arguments");
    assert_contains(refused("rows | map(x => 1, 2)"), "'map' does not take 2 arguments");
    assert_contains(refused("rows | map(x => )"), "a value is missing before ')'");
    assert_contains(refused("rows | map(x => x.price / 2)"), "a quotient must be rounded");
    assert_contains(refused("row.price => 2"), ">= compares");
    assert_contains(
        refused("1 | map(a => 1 | map(b => 1 | map(c => 1 | map(d => 1 | map(e => 1 | map(f => 1 | "
                "map(g => 1 | map(h => 1 | map(i => 1)))))))))"),
        "too many loops in one another");
}

static void single_expression_keeps_its_type_and_mixed_text_is_text(void **state)
{
    const struct text_template *text_template;
    struct value value;

    (void)state;
    fixture_row("{\"n\":5,\"b\":true,\"nothing\":null,\"list\":[1],\"s\":\"x\"}");
    text_template = compile("v: n=${row.n} b=${row.b} ${row.none}|${row.s}$${row.s}$$");
    assert_true(
        text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error));
    assert_int_equal(value.kind, VALUE_STRING);
    assert_true(slice_is(value.text, "n=5 b=true |x${row.s}$$"));
    text_template = compile("v: ${row.n}");
    assert_true(
        text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error));
    assert_int_equal(value.kind, VALUE_NUMBER);
    text_template = compile("v: a${row.nothing}");
    assert_false(
        text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error));
    assert_string_equal(fixture.error.text, "row.nothing is null and cannot stand in a text");
    text_template = compile("v: a${row.list}");
    assert_false(
        text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error));
    assert_contains(fixture.error.help, "join");
    assert_int_equal(fixture.error.place.line, 1);
    assert_int_equal(fixture.error.place.column, 7);
}

static void text_with_many_parts_is_put_together_in_order(void **state)
{
    struct buf yaml, expected;
    struct slice text;

    (void)state;
    fixture_row("{\"n\":7}");
    buf_init(&yaml, 4096);
    buf_init(&expected, 4096);
    for (int i = 0; i < 40; i++) {
        buf_append_text(&yaml, i == 0 ? "v: a${row.n}" : "a${row.n}");
        buf_append_text(&expected, "a7");
    }
    assert_true(
        text_template_text(compile(buf_text(&yaml)), &fixture.environment, &text, &fixture.error));
    assert_true(slice_is(text, buf_text(&expected)));
    buf_deinit(&yaml);
    buf_deinit(&expected);
}

static void keys_refuse_what_is_missing(void **state)
{
    struct slice text;

    (void)state;
    fixture_row("{\"sku\":\"A\",\"n\":1.50,\"nothing\":null}");
    assert_true(text_template_text(compile("v: ${row.sku}/${row.n}/${true}"), &fixture.environment,
                                   &text, &fixture.error));
    assert_true(slice_is(text, "A/1.50/true"));
    assert_true(
        text_template_text(compile("v: plain"), &fixture.environment, &text, &fixture.error));
    assert_true(slice_is(text, "plain"));
    assert_true(text_template_text(compile("v: 12"), &fixture.environment, &text, &fixture.error));
    assert_true(slice_is(text, "12"));
    assert_false(
        text_template_text(compile("v: ${row.none}"), &fixture.environment, &text, &fixture.error));
    assert_string_equal(fixture.error.text, "row.none is missing and cannot stand in a text");
    assert_false(text_template_text(compile("v: a${row.nothing}"), &fixture.environment, &text,
                                    &fixture.error));
}

static void values_cannot_break_out_of_a_path(void **state)
{
    struct slice path;

    (void)state;
    fixture_row("{\"id\":\"a/b?c=\\u00f6 ~\",\"up\":\"..\",\"empty\":\"\"}");
    assert_true(text_template_path(compile("v: /products/${row.id}/variants?x=1"),
                                   &fixture.environment, &path, &fixture.error));
    assert_true(slice_is(path, "/products/a%2Fb%3Fc%3D%C3%B6%20~/variants?x=1"));
    assert_true(text_template_path(compile("v: /products?a=b c"), &fixture.environment, &path,
                                   &fixture.error));
    assert_true(slice_is(path, "/products?a=b c")); /* what the spec says stays as it is */
    assert_false(text_template_path(compile("v: /products/${row.up}"), &fixture.environment, &path,
                                    &fixture.error));
    assert_string_equal(fixture.error.text, "'..' cannot stand in a path");
    assert_false(text_template_path(compile("v: /products/${row.empty}"), &fixture.environment,
                                    &path, &fixture.error));
    assert_false(text_template_path(compile("v: /products/${row.none}"), &fixture.environment,
                                    &path, &fixture.error));
}

static void plain_scalars_keep_their_type(void **state)
{
    static const struct {
        const char *yaml;
        enum value_kind kind;
        const char *json;
    } scalars[] = {
        {"v: 1.50", VALUE_NUMBER, "1.50"},     {"v: 0x1F", VALUE_NUMBER, "31"},
        {"v: -5", VALUE_NUMBER, "-5"},         {"v: 0123", VALUE_STRING, "\"0123\""},
        {"v: True", VALUE_BOOL, "true"},       {"v: false", VALUE_BOOL, "false"},
        {"v: no", VALUE_STRING, "\"no\""},     {"v: ~", VALUE_NULL, "null"},
        {"v: \"12\"", VALUE_STRING, "\"12\""},
    };
    struct value value;

    (void)state;
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
        assert_true(text_template_evaluate(compile(scalars[i].yaml), &fixture.environment, &value,
                                           &fixture.error));
        assert_int_equal(value.kind, scalars[i].kind);
        buf_clear(&fixture.out);
        value_append_json(&fixture.out, &value);
        assert_string_equal(buf_text(&fixture.out), scalars[i].json);
    }
    assert_null(compile("v: [a]"));
    assert_contains(fixture_messages(), "this is a list");
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
        FIXTURE_TEST(literals_and_names_give_their_values),
        FIXTURE_TEST(what_does_not_exist_is_omit_but_text_has_no_members),
        FIXTURE_TEST(operators_bind_as_the_grammar_says),
        FIXTURE_TEST(logic_takes_only_true_false_and_missing_values),
        FIXTURE_TEST(numbers_compare_by_their_exact_value),
        FIXTURE_TEST(texts_compare_by_their_bytes_and_missing_values_only_as_equal),
        FIXTURE_TEST(arithmetic_is_exact_and_says_when_it_cannot_be),
        FIXTURE_TEST(quotients_are_rounded_once_where_they_are_made),
        FIXTURE_TEST(quotient_that_nothing_rounds_is_refused_with_the_fix),
        FIXTURE_TEST(arguments_that_are_written_out_are_checked_at_once),
        FIXTURE_TEST(names_of_entries_are_known_in_their_expression_only),
        FIXTURE_TEST(single_expression_keeps_its_type_and_mixed_text_is_text),
        FIXTURE_TEST(text_with_many_parts_is_put_together_in_order),
        FIXTURE_TEST(keys_refuse_what_is_missing),
        FIXTURE_TEST(values_cannot_break_out_of_a_path),
        FIXTURE_TEST(plain_scalars_keep_their_type),
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
