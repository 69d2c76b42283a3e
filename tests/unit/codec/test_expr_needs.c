/* What another item's answer gives: unknown while its row is checked, and its names. */
#include "expr_fixture.h"

#include "purser/codec/template.h"

static const struct slice outputs[] = {{"id", 2}, {"handle", 6}};
static const struct scope_need needs[] = {
    {.alias = {"product", 7}, .job = "products", .outputs = outputs, .output_count = 2},
    {.alias = {"shop", 4}, .job = "shops"},
};

static void set_scope(void)
{
    fixture.scope.parts |= SCOPE_NEEDS;
    fixture.scope.needs = needs;
    fixture.scope.need_count = 2;
}

static const struct text_template *compile(const char *expression)
{
    static char yaml[512]; /* the places of errors are looked up in it later */

    set_scope();
    snprintf(yaml, sizeof yaml, "v: >-\n  %s\n", expression);
    return text_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                                 &fixture.diagnostics);
}

/* The value as JSON; "?" when it is not known. */
static const char *value_of(const char *text)
{
    const struct text_template *text_template = compile(text);
    struct value value;

    if (text_template == NULL)
        fail_msg("%s", fixture_messages());
    buf_clear(&fixture.out);
    if (!text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error))
        buf_append_format(&fixture.out, "!%s", fixture.error.text);
    else if (value.kind == VALUE_UNKNOWN)
        buf_append_byte(&fixture.out, '?');
    else
        value_append_json(&fixture.out, &value);
    return buf_text(&fixture.out);
}

static void what_is_made_of_the_unknown_is_unknown(void **state)
{
    static const char *const unknown[] = {
        "${needs.product.outputs.id}",
        "${needs.product.response.a.b[0].c}",
        "${needs.product.outputs.id | upper}",
        "${row.a | replace(needs.product.outputs.id, 'x')}",
        "${needs.product.outputs.id + 1}",
        "${1 - needs.product.outputs.id}",
        "${needs.product.outputs.id ?? 'x'}",
        "${needs.product.outputs.id | default('x')}",
        "${needs.product.outputs.id == null}",
        "${needs.product.outputs.id < 3}",
        "${not needs.product.outputs.id}",
        "${needs.product.outputs.id and true}",
        "${true and needs.product.outputs.id}",
        "${needs.product.outputs.id or false}",
        "${if(needs.product.outputs.id, 1, 2)}",
        "${row[needs.product.outputs.id]}",
        "${needs.product.outputs.id / 2 | round(2)}",
        "${2 / needs.product.outputs.id | round(2)}",
        "${row.l | map(x => x * needs.product.outputs.id) | sum}",
        "${row.l | where(x => x == needs.product.outputs.id) | first}",
        "${needs.product.outputs.id | map(x => x.a)}",
        "a ${needs.product.outputs.id} b",
    };

    (void)state;
    fixture_row("{\"a\":\"x\",\"l\":[1,2]}");
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_string_equal(value_of(unknown[i]), "?");
}

static void what_the_other_side_decides_is_known(void **state)
{
    (void)state;
    fixture_row("{\"a\":\"x\"}");
    assert_string_equal(value_of("${needs.product.outputs.id and false}"), "false");
    assert_string_equal(value_of("${false and needs.product.outputs.id}"), "false");
    assert_string_equal(value_of("${needs.product.outputs.id or true}"), "true");
    assert_string_equal(value_of("${row.a ?? needs.product.outputs.id}"), "\"x\"");
    assert_string_equal(value_of("${if(row.a == 'x', 1, needs.product.outputs.id)}"), "1");
}

static void errors_beside_the_unknown_are_still_found(void **state)
{
    (void)state;
    fixture_row("{\"a\":\"x\",\"l\":[1,2,\"x\"]}");
    assert_string_equal(value_of("${row.l | map(x => x * needs.product.outputs.id)}"),
                        "!x is text, not a number (entry 2 of the list)");
    assert_string_equal(value_of("${needs.product.outputs.id} ${row.a + 1}"),
                        "!row.a is text, not a number");
    assert_string_equal(value_of("${needs.product.outputs.id and row.a}"),
                        "!row.a is text, not true or false");
}

static void known_outputs_are_values_as_others(void **state)
{
    struct value known = fixture_json(
        &fixture.spec_arena,
        "{\"product\":{\"outputs\":{\"id\":\"p1\"},\"response\":{\"product\":{\"n\":7}}}}");

    (void)state;
    fixture_row("{}");
    fixture.environment.needs = &known;
    assert_string_equal(value_of("/x/${needs.product.outputs.id}/y"), "\"/x/p1/y\"");
    assert_string_equal(value_of("${needs.product.response.product.n + 1}"), "8");
    assert_string_equal(value_of("${needs.product.outputs.handle ?? 'none'}"), "\"none\"");
}

static void output_that_the_answer_lacks_is_an_error_and_no_gap(void **state)
{
    struct value known = fixture_json(
        &fixture.spec_arena, "{\"product\":{\"outputs\":{\"id\":\"p1\"},\"response\":{}}}");

    (void)state;
    fixture_row("{}");
    fixture.environment.needs = &known;
    assert_contains(value_of("${needs.product.outputs.handle}"),
                    "!needs.product.outputs.handle is missing: the answer does not have it");
    assert_contains(value_of("a ${needs.product.outputs.handle | upper}"),
                    "!needs.product.outputs");
    assert_string_equal(value_of("${needs.product.response.handle}"), "");
    assert_string_equal(value_of("${needs.product.outputs.handle ?? omit}"), "");
    assert_string_equal(value_of("${needs.product.outputs.handle == null}"), "true");
}

static void an_unknown_value_has_a_place_in_paths_and_bodies(void **state)
{
    const struct text_template *path = compile("/products/${needs.product.outputs.id}/variants");
    const struct yaml_node *yaml =
        fixture_yaml("v: {id: \"${needs.product.outputs.id}\", x: \"${row.a}\", n: 1}");
    struct body_template *body;
    struct slice text;

    (void)state;
    fixture_row("{\"a\":\"x\"}");
    assert_true(text_template_path(path, &fixture.environment, &text, &fixture.error));
    assert_true(slice_is(text, "/products/~/variants"));
    body = body_template_compile(&fixture.spec_arena, yaml, &fixture.scope, WHEN_EMPTY_OMIT,
                                 &fixture.diagnostics);
    assert_non_null(body);
    buf_clear(&fixture.out);
    assert_true(
        body_template_render(body, &fixture.environment, NULL, &fixture.out, &fixture.error));
    assert_string_equal(buf_text(&fixture.out),
                        "{\"id\":" VALUE_UNKNOWN_JSON ",\"x\":\"x\",\"n\":1}");
    {
        struct value back = fixture_json(&fixture.unit_arena, buf_text(&fixture.out));

        assert_true(value_was_unknown(&back.map.values[0]));
        assert_false(value_was_unknown(&back.map.values[1]));
        assert_false(value_was_unknown(&back.map.values[2]));
    }
}

static void names_of_needs_are_checked(void **state)
{
    (void)state;
    assert_null(compile("${needs.prodct.outputs.id}"));
    assert_contains(fixture_messages(), "this job has no need 'prodct'");
    assert_null(compile("${needs.product.outputs.idd}"));
    assert_contains(fixture_messages(), "job products has no output 'idd'");
    assert_null(compile("${needs.product.outputs.idd}"));
    assert_contains(fixture_messages(), "did you mean 'id'? its outputs: id, handle");
    assert_null(compile("${needs.shop.outputs.id}"));
    assert_contains(fixture_messages(), "give it one: outputs:");
    assert_null(compile("${needs.product.output.id}"));
    assert_contains(fixture_messages(), "a need has no 'output'");
    set_scope();
    fixture.scope.parts &= ~(unsigned)SCOPE_NEEDS;
    assert_null(text_template_compile(&fixture.spec_arena, fixture_yaml("v: ${needs.a.outputs.b}"),
                                      &fixture.scope, &fixture.diagnostics));
    assert_contains(fixture_messages(), "'needs' cannot be used here");
}

static void use_of_needs_is_noticed(void **state)
{
    unsigned used = 0;

    (void)state;
    fixture.scope.used_parts = &used;
    assert_non_null(compile("${row.a} ${vars.brand}"));
    assert_int_equal(used & SCOPE_NEEDS, 0);
    assert_non_null(compile("${row.a} ${needs.product.outputs.id}"));
    assert_int_equal(used & SCOPE_NEEDS, SCOPE_NEEDS);
    assert_int_equal(used & SCOPE_MIXED, 0);
    assert_non_null(compile("${needs.product.outputs.id ?? row.a}"));
    assert_int_equal(used & SCOPE_MIXED, SCOPE_MIXED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(what_is_made_of_the_unknown_is_unknown),
        FIXTURE_TEST(what_the_other_side_decides_is_known),
        FIXTURE_TEST(errors_beside_the_unknown_are_still_found),
        FIXTURE_TEST(known_outputs_are_values_as_others),
        FIXTURE_TEST(output_that_the_answer_lacks_is_an_error_and_no_gap),
        FIXTURE_TEST(an_unknown_value_has_a_place_in_paths_and_bodies),
        FIXTURE_TEST(names_of_needs_are_checked),
        FIXTURE_TEST(use_of_needs_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
