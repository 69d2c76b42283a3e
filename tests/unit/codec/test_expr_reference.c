#include "expr_value_fixture.h"
#include "purser/codec/expr_reference.h"

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
