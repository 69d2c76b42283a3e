/* Messages that no spec brings up: others come first, or memory must be short. */
#include "expr_fixture.h"
#include "purser/codec/spec.h"
#include "purser/codec/template.h"

static void text_without_memory_says_so(void **state)
{
    const struct yaml_node *scalar = fixture_yaml("v: ${row.sku}x\n");
    struct arena small;

    (void)state;
    arena_init(&small, 0);
    assert_null(text_template_compile(&small, scalar, &fixture.scope, &fixture.diagnostics));
    assert_contains(fixture_messages(), "out of memory   [expr.memory]");
    arena_deinit(&small);
}

static void body_without_memory_says_so(void **state)
{
    const struct yaml_node *body = fixture_yaml("v: { name: x }\n");
    struct arena small;

    (void)state;
    arena_init(&small, 0);
    assert_null(
        body_template_compile(&small, body, &fixture.scope, WHEN_EMPTY_OMIT, &fixture.diagnostics));
    assert_contains(fixture_messages(), "out of memory   [template.memory]");
    arena_deinit(&small);
}

static void list_is_no_text(void **state)
{
    const struct yaml_node *list = fixture_yaml("v: [ a ]\n");

    (void)state;
    assert_null(
        text_template_compile(&fixture.spec_arena, list, &fixture.scope, &fixture.diagnostics));
    assert_contains(fixture_messages(), "this is a list; a text or an expression belongs here"
                                        "   [expr.kind]");
}

static void type_of_a_column_that_is_not_there_is_refused(void **state)
{
    static const char yaml[] = "purser: 1\nname: demo\n"
                               "connections:\n  shop: { access_token: { env: T } }\n"
                               "jobs:\n  products:\n    source:\n      csv: p.csv\n"
                               "      key: ${row.sku}\n      columns: { prise: decimal }\n"
                               "    request: DELETE /products/${row.sku}\n";
    static const struct slice columns[] = {{"sku", 3}, {"price", 5}};
    struct job_templates templates;
    struct spec spec;

    (void)state;
    assert_int_equal(spec_load(&fixture.spec_arena, "t.yaml", yaml, strlen(yaml), NULL, 0, &spec,
                               &fixture.diagnostics),
                     ERR_OK);
    assert_int_equal(spec_job_bind(&fixture.spec_arena, &spec, &spec.jobs[0], columns, 2,
                                   &templates, &fixture.diagnostics),
                     ERR_INPUT);
    assert_contains(fixture_messages(), "no column 'prise' in p.csv   [spec.unknown_column]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(text_without_memory_says_so),
        FIXTURE_TEST(body_without_memory_says_so),
        FIXTURE_TEST(list_is_no_text),
        FIXTURE_TEST(type_of_a_column_that_is_not_there_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
