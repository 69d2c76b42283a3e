/* Schemas and values from JSON texts. */
#ifndef PURSER_TESTS_JSON_SCHEMA_FIXTURE_H
#define PURSER_TESTS_JSON_SCHEMA_FIXTURE_H

#include "purser/codec/json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/core/limits.h"

static struct arena arena;
static struct json_schema_verdict verdict;
static struct json_schema_set *set;

static inline int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 26);
    memset(&verdict, 0xff, sizeof verdict);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static inline struct value *parse(const char *text)
{
    struct value *value = arena_new(&arena, 1, sizeof *value);
    struct err err = {0};

    assert_non_null(value);
    if (json_parse(&arena, text, strlen(text), value, &err) != ERR_OK)
        fail_msg("%s: %s", text, err.text);
    return value;
}

static inline const struct json_schema *compile(const char *text)
{
    const struct json_schema *schema;
    struct value *document = parse(text);
    struct err err = {0};

    assert_int_equal(json_schema_set_new(&arena, document, &set, &err), ERR_OK);
    assert_int_equal(json_schema_compile(set, document, &schema, &err), ERR_OK);
    return schema;
}

static inline bool fits(const char *schema, const char *value)
{
    return json_schema_check(compile(schema), parse(value), "body", NULL, &verdict);
}

struct example {
    const char *schema, *value;
};

static inline void assert_all(const struct example *examples, size_t count, bool expected)
{
    for (size_t i = 0; i < count; i++)
        if (fits(examples[i].schema, examples[i].value) != expected)
            fail_msg("%s is %sexpected to fit %s", examples[i].value, expected ? "" : "not ",
                     examples[i].schema);
}

#define ASSERT_FIT(examples) assert_all(examples, sizeof examples / sizeof examples[0], true)
#define ASSERT_UNFIT(examples) assert_all(examples, sizeof examples / sizeof examples[0], false)

/* path: text [help] of the n-th violation. */
static inline void assert_told(size_t n, const char *expected)
{
    char told[1024];

    assert_true(n < verdict.count);
    (void)snprintf(told, sizeof told, "%s: %s [%s]", verdict.violations[n].path,
                   verdict.violations[n].text, verdict.violations[n].help);
    assert_string_equal(told, expected);
}

static const char invoice[] =
    "{\"type\":\"object\",\"required\":[\"invoice\"],\"properties\":{\"invoice\":{\"type\":"
    "\"object\",\"additionalProperties\":false,\"required\":[\"customer_id\",\"issue_date\"],"
    "\"properties\":{\"customer_id\":{\"type\":\"string\"},\"issue_date\":{\"type\":\"string\"},"
    "\"currency\":{\"enum\":[\"USD\",\"EUR\"]},\"line_items\":{\"type\":\"array\",\"items\":{"
    "\"properties\":{\"quantity\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"item\":{\"anyOf\":"
    "[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{"
    "\"type\":\"string\"}}},{\"type\":\"null\"}]}}}}}}}}";

#endif
