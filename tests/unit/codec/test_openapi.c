#include "purser/codec/openapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/base/mem.h"
#include "purser/core/limits.h"

static struct arena arena;
static struct diagnostics diagnostics;
static struct err err;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, OPENAPI_ARENA_BYTES_MAX);
    diagnostics_init(&diagnostics);
    err = (struct err){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&arena);
    diagnostics_deinit(&diagnostics);
    return 0;
}

static enum err_code load(const char *text, struct openapi **document)
{
    return openapi_load(&arena, "t.json", text, strlen(text), document, &diagnostics, &err);
}

#define BODY(schema)                                                                            \
    "{\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":" schema \
    "}}}}"

static const char paths[] =
    "{\"openapi\":\"3.1.0\",\"paths\":{"
    "\"/accounting/{entityType}\":{\"post\":{\"x-supported-platforms\":[\"XERO\"]}},"
    "\"/accounting/invoices\":{\"parameters\":[],\"get\":{},\"post\":" BODY(
        "{\"type\":\"object\"}") "},"
                                 "\"/accounting/invoices/"
                                 ":id\":{\"patch\":{\"x-supported-platforms\":[]}},"
                                 "\"/{a}/b/c\":{\"post\":{}},\"/a/{b}/c\":{\"post\":{}},\"/a/b/"
                                 "{c}\":{\"post\":{}},"
                                 "\"/shared\":{\"$ref\":\"#/components/pathItems/shared\"}},"
                                 "\"components\":{\"pathItems\":{\"shared\":{\"post\":{"
                                 "\"requestBody\":{\"$ref\":"
                                 "\"#/components/requestBodies/"
                                 "b\"}}}},\"requestBodies\":{\"b\":{\"content\":{\"text/plain\":{},"
                                 "\"application/json; "
                                 "charset=utf-8\":{\"schema\":{\"type\":\"string\"}}}}}}}";

static const struct openapi_operation *find(struct openapi *document, enum http_method method,
                                            const char *path)
{
    const struct openapi_operation *operation = (const void *)1;

    assert_int_equal(openapi_find(document, method, slice_of(path), &operation, &err), ERR_OK);
    return operation;
}

static void assert_found(struct openapi *document, enum http_method method, const char *path,
                         const char *template)
{
    const struct openapi_operation *operation = find(document, method, path);

    if (operation == NULL || !slice_is(operation->path, template))
        fail_msg("%s leads to %.*s", path, operation == NULL ? 4 : (int)operation->path.length,
                 operation == NULL ? "none" : operation->path.bytes);
}

static void concrete_paths_come_before_templates(void **state)
{
    struct openapi *document;

    (void)state;
    assert_int_equal(load(paths, &document), ERR_OK);
    assert_found(document, METHOD_POST, "/accounting/invoices", "/accounting/invoices");
    assert_found(document, METHOD_POST, "/accounting/widgets", "/accounting/{entityType}");
    assert_found(document, METHOD_POST, "/accounting/{entityType}", "/accounting/{entityType}");
    assert_found(document, METHOD_PATCH, "/accounting/invoices/7", "/accounting/invoices/:id");
    assert_found(document, METHOD_PATCH, "/accounting/invoices/{id}", "/accounting/invoices/:id");
    assert_found(document, METHOD_POST, "/a/b/c", "/a/b/{c}");
    assert_found(document, METHOD_POST, "/a/x/c", "/a/{b}/c");
    assert_found(document, METHOD_POST, "/x/b/c", "/{a}/b/c");
    assert_null(find(document, METHOD_POST, "/accounting"));
    assert_null(find(document, METHOD_POST, "/accounting/"));
    assert_null(find(document, METHOD_POST, "/accounting/invoices/7"));
    assert_null(find(document, METHOD_DELETE, "/accounting/invoices"));
    assert_null(find(document, METHOD_POST, "/"));
    assert_null(find(document, METHOD_POST, ""));
}

static void a_body_is_found_through_references(void **state)
{
    const struct openapi_operation *operation;
    struct openapi *document;

    (void)state;
    assert_int_equal(load(paths, &document), ERR_OK);
    operation = find(document, METHOD_POST, "/accounting/invoices");
    assert_non_null(operation->body);
    assert_true(operation->body_required);
    operation = find(document, METHOD_POST, "/shared");
    assert_non_null(operation->body);
    assert_false(operation->body_required);
    operation = find(document, METHOD_POST, "/a/b/c");
    assert_null(operation->body);
    assert_false(operation->body_required);
}

static void a_platform_is_supported_when_listed_or_when_none_is(void **state)
{
    const struct openapi_operation *operation;
    struct openapi *document;

    (void)state;
    assert_int_equal(load(paths, &document), ERR_OK);
    operation = find(document, METHOD_POST, "/accounting/widgets");
    assert_true(openapi_supports(operation, "XERO"));
    assert_false(openapi_supports(operation, "SHOPIFY"));
    assert_false(openapi_supports(operation, "XER"));
    assert_true(
        openapi_supports(find(document, METHOD_PATCH, "/accounting/invoices/7"), "SHOPIFY"));
    assert_true(openapi_supports(find(document, METHOD_POST, "/a/b/c"), "SHOPIFY"));
}

static void yaml_is_read_as_well(void **state)
{
    static const char text[] = "# as downloaded\nopenapi: 3.1.0\npaths:\n  /products:\n    post:\n"
                               "      requestBody:\n        content:\n          application/json:\n"
                               "            schema: { type: object, properties: { n: { minimum: "
                               "0.5 }, d: { enum: [2023-01-02, null, true] } } }\n"
                               "      responses: { 200: {}, default: {} }\n";
    const struct openapi_operation *operation;
    struct json_schema_verdict verdict;
    struct openapi *document;
    static const struct slice name[] = {{"n", 1}};
    struct value number = {.kind = VALUE_NUMBER, .text = {"0.4", 3}};
    struct value body = {.kind = VALUE_MAP};

    (void)state;
    body.map.names = name;
    body.map.values = &number;
    body.map.count = 1;
    if (load(text, &document) != ERR_OK)
        fail_msg("%s", err.text);
    operation = find(document, METHOD_POST, "/products");
    assert_false(json_schema_check(operation->body, &body, "body", NULL, &verdict));
    assert_string_equal(verdict.violations[0].text, "is 0.4, must be at least 0.5");
}

static void what_is_no_document_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *reason;
    } wrong[] = {
        {"{\"openapi\":\"3.1.0\"}", "has no 'paths'"},
        {"{\"openapi\":\"3.1.0\",\"paths\":[]}", "has no 'paths'"},
        {"{\"openapi\":\"2.0\",\"paths\":{}}", "unknown version"},
        {"{\"openapi\":[],\"paths\":{}}", "unknown version"},
        {"{\"swagger\":\"2.0\",\"paths\":{}}", "Swagger 2"},
        {"{\"paths\":{}}", "no 'openapi'"},
        {"{}", "no 'openapi'"},
        {"[]", "no 'openapi'"},
        {"{\"openapi\":", "JSON"},
        {"openapi: 3.1.0\npaths: {}\npaths: {}\n", "YAML that cannot be read"},
        {"", "is empty"},
        {"just text", "no 'openapi'"},
    };
    struct openapi *document;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(load(wrong[i].text, &document), ERR_INPUT);
        if (strstr(err.text, wrong[i].reason) == NULL)
            fail_msg("%s: %s", wrong[i].text, err.text);
    }
}

static void a_document_larger_than_stated_is_refused(void **state)
{
    char *text = mem_new(OPENAPI_BYTES_MAX + 2, 1);
    static const char start[] = "{\"openapi\":\"3.1.0\",\"paths\":{}}";
    struct openapi *document;

    (void)state;
    assert_non_null(text);
    memset(text, ' ', OPENAPI_BYTES_MAX + 1);
    memcpy(text, start, sizeof start - 1);
    assert_int_equal(
        openapi_load(&arena, "t.json", text, OPENAPI_BYTES_MAX, &document, &diagnostics, &err),
        ERR_OK);
    assert_int_equal(
        openapi_load(&arena, "t.json", text, OPENAPI_BYTES_MAX + 1, &document, &diagnostics, &err),
        ERR_TOO_BIG);
    mem_free(text);
}

static void more_operations_than_stated_are_refused(void **state)
{
    struct openapi *document;
    struct buf text;

    (void)state;
    for (int over = 0; over <= 1; over++) {
        buf_init(&text, 16 * 1024 * 1024);
        buf_append_text(&text, "{\"openapi\":\"3.1.0\",\"paths\":{");
        for (int i = 0; i < OPENAPI_OPERATIONS_MAX + over; i++)
            buf_append_format(&text, "%s\"/%d\":{\"get\":{}}", i == 0 ? "" : ",", i);
        buf_append_text(&text, "}}");
        assert_int_equal(load(buf_text(&text), &document), over == 1 ? ERR_TOO_BIG : ERR_OK);
        buf_deinit(&text);
    }
}

static void a_document_without_memory_says_so(void **state)
{
    (void)state;
    for (size_t room = 0;; room += 4096) {
        const struct openapi_operation *operation;
        struct openapi *document;
        struct arena small;
        enum err_code code;

        arena_init(&small, room);
        code =
            openapi_load(&small, "t.json", paths, sizeof paths - 1, &document, &diagnostics, &err);
        if (code == ERR_OK)
            code = openapi_find(document, METHOD_POST, SLICE("/accounting/invoices"), &operation,
                                &err);
        arena_deinit(&small);
        if (code == ERR_OK)
            return;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(concrete_paths_come_before_templates),
        TEST(a_body_is_found_through_references),
        TEST(a_platform_is_supported_when_listed_or_when_none_is),
        TEST(yaml_is_read_as_well),
        TEST(what_is_no_document_is_refused_with_the_reason),
        TEST(a_document_larger_than_stated_is_refused),
        TEST(more_operations_than_stated_are_refused),
        TEST(a_document_without_memory_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
