#include "expr_fixture.h"
#include "purser/codec/expr_reference.h"

/* What an expression gives, as the reference writes it. */
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
    if (!text_template_evaluate(text_template, &fixture.environment, &value, &fixture.error))
        fail_msg("%s: %s", expression, fixture.error.text);
    if (value.kind == VALUE_OMIT)
        return "omit";
    value_append_json(&fixture.out, &value);
    return buf_text(&fixture.out);
}

static void every_example_gives_what_stands_beside_it(void **state)
{
    struct expr_reference reference;
    size_t count = 0;

    (void)state;
    fixture_row(expr_reference_row);
    for (size_t i = 0; expr_reference_at(i, &reference); i++)
        for (const struct expr_example *example = reference.examples; example->expression != NULL;
             example++, count++) {
            const char *value = value_of(example->expression);

            if (strcmp(value, example->result) != 0)
                fail_msg("${%s} is %s, not %s", example->expression, value, example->result);
        }
    assert_true(count > 50);
}

/* The compiler names the first filters when it meets an unknown one, and says how many more there
 * are. */
static void every_filter_has_an_entry(void **state)
{
    struct expr_reference reference;
    unsigned long in_reference = 0, named = 1;
    const char *names, *more;

    (void)state;
    for (size_t i = 0; expr_reference_at(i, &reference); i++)
        in_reference += strncmp(reference.usage, "\xe2\x80\xa6 | ", 6) == 0;
    assert_null(text_template_compile(&fixture.spec_arena, fixture_yaml("v: ${1 | no_such_filter}"),
                                      &fixture.scope, &fixture.diagnostics));
    names = strstr(fixture_messages(), "filters: ");
    more = strstr(names, " \xe2\x80\xa6 and ");
    assert_non_null(more);
    for (const char *at = names; at < more; at++)
        named += *at == ',';
    assert_int_equal(in_reference, named + strtoul(more + strlen(" \xe2\x80\xa6 and "), NULL, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_example_gives_what_stands_beside_it),
        FIXTURE_TEST(every_filter_has_an_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
