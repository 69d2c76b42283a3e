/* Expressions from their text: what they give, or how they are refused. */
#ifndef PURSER_TESTS_EXPR_VALUE_FIXTURE_H
#define PURSER_TESTS_EXPR_VALUE_FIXTURE_H

#include "expr_fixture.h"

static inline const struct text_template *compile(const char *yaml)
{
    return text_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                                 &fixture.diagnostics);
}

/* The value of an expression as JSON; "omit" when it is OMIT, "!text" when it is an error. */
static inline const char *value_of(const char *expression)
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
static inline const char *refused(const char *expression)
{
    char *yaml = arena_new(&fixture.spec_arena, 1, strlen(expression) + 32);

    snprintf(yaml, strlen(expression) + 32, "v: >-\n  ${%s}\n", expression);
    assert_null(compile(yaml));
    return fixture_messages();
}

#endif
