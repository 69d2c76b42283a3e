/* Texts with expressions in them: what becomes of their values. */
#include "expr_value_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(names_of_entries_are_known_in_their_expression_only),
        FIXTURE_TEST(single_expression_keeps_its_type_and_mixed_text_is_text),
        FIXTURE_TEST(text_with_many_parts_is_put_together_in_order),
        FIXTURE_TEST(keys_refuse_what_is_missing),
        FIXTURE_TEST(values_cannot_break_out_of_a_path),
        FIXTURE_TEST(plain_scalars_keep_their_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
