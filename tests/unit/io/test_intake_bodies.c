/* Bodies against the API's own description, and those that make connections. */
#include "intake_fixture.h"

#include "purser/base/log.h"

#define PRODUCT(row, body)                                           \
    SHOPS "jobs:\n"                                                  \
          "  products:\n"                                            \
          "    connection: blue\n"                                   \
          "    source: { inline: [" row "], key: \"${row.sku}\" }\n" \
          "    request: POST /products\n" body

#define DOCUMENT(required, schema)                                    \
    "openapi: 3.1.0\n"                                                \
    "info: { title: A, version: \"1\" }\n"                            \
    "paths:\n"                                                        \
    "  /products:\n"                                                  \
    "    post:\n"                                                     \
    "      requestBody:\n"                                            \
    "        required: " required "\n"                                \
    "        content: { application/json: { schema: " schema " } }\n" \
    "  /connections/create:\n"                                        \
    "    post:\n"                                                     \
    "      requestBody:\n"                                            \
    "        content: { application/json: { schema: " schema " } }\n"

#define NAMED                                                                                  \
    "{ type: object, required: [product], properties: { product: { type: object,"              \
    " required: [name], properties: { name: { type: string, maxLength: 3 },"                   \
    " price: { type: number }, a: { type: string }, b: { type: string }, c: { type: string }," \
    " d: { type: string } } } } }"

/* Checks `yaml` against `document`. */
static enum err_code check_against(const char *document, enum validation validation,
                                   const char *yaml)
{
    load_spec(yaml);
    load_document(document, validation);
    must_be(open_intake(), ERR_OK);
    return check();
}

static const char too_long[] =
    PRODUCT("{ sku: a, name: long }", "    body: { product: { name: \"${row.name}\" } }\n");

static void a_body_that_is_not_as_described_is_an_error(void **state)
{
    (void)state;
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_ERROR, too_long), ERR_INPUT);
    assert_told("t.yaml:10:1: error: job products: body.product.name");
    assert_told("--validate=warn sends it all the same");
}

static void or_a_warning_and_then_it_is_sent(void **state)
{
    (void)state;
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_WARN, too_long), ERR_OK);
    assert_told("t.yaml:10:1: warning: job products: body.product.name");
    assert_rows("products a blue /products "
                "{\"response_mode\":\"async\",\"product\":{\"name\":\"long\"}}\n");
}

static void of_a_body_with_many_mistakes_some_are_told(void **state)
{
    static const char yaml[] =
        PRODUCT("{ sku: a, name: long }",
                "    body: { product: { name: \"${row.name}\", a: 1, b: 2, c: 3, d: 4 } }\n");

    (void)state;
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_ERROR, yaml), ERR_INPUT);
    assert_told("; and there is more");
    assert_int_equal(diagnostics.error_count, 4);
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_WARN, yaml), ERR_OK);
    assert_int_equal(diagnostics.error_count, 0);
}

/* A mistake in the spec is in each row: it does not bury all other warnings. */
static void of_many_rows_some_are_told_and_the_others_counted(void **state)
{
    static char yaml[64 * 1024];
    size_t length = (size_t)snprintf(yaml, sizeof yaml,
                                     SHOPS "jobs:\n  products:\n    connection: blue\n"
                                           "    request: POST /products\n"
                                           "    body: { product: { name: \"${row.name}\" } }\n"
                                           "    source:\n      key: ${row.sku}\n      inline:\n");

    (void)state;
    for (int i = 0; i < DIAG_SHOWN_MAX + 10; i++)
        length += (size_t)snprintf(yaml + length, sizeof yaml - length,
                                   "        - { sku: a%d, name: long }\n", i);
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_WARN, yaml), ERR_OK);
    assert_told("11 more rows have bodies that api.yaml does not allow");
}

static void a_body_that_is_required_is_missed(void **state)
{
    static const char yaml[] = SHOPS "jobs:\n"
                                     "  gone:\n"
                                     "    connection: blue\n"
                                     "    source: { inline: [{ sku: a }], key: \"${row.sku}\" }\n"
                                     "    request: DELETE /products/1\n";
    static const char document[] =
        "openapi: 3.1.0\n"
        "info: { title: A, version: \"1\" }\n"
        "paths:\n"
        "  \"/products/{id}\":\n"
        "    delete:\n"
        "      requestBody: { required: %s, content: { application/json: { schema: {} } } }\n";
    char filled[sizeof document + 8];

    (void)state;
    snprintf(filled, sizeof filled, document, "true");
    must_be(check_against(filled, VALIDATE_ERROR, yaml), ERR_INPUT);
    assert_told("job gone: body is missing, and is required");
    snprintf(filled, sizeof filled, document, "false");
    must_be(check_against(filled, VALIDATE_ERROR, yaml), ERR_OK);
}

static void what_the_description_does_not_have_is_not_checked(void **state)
{
    static const char document[] = "openapi: 3.1.0\n"
                                   "info: { title: A, version: \"1\" }\n"
                                   "paths: { /orders: { post: {} }, /products: { post: {} } }\n";

    (void)state;
    must_be(check_against(document, VALIDATE_WARN, too_long), ERR_OK);
    assert_null(strstr(buf_text(&out), "data.schema"));
    must_be(check_against("openapi: 3.1.0\ninfo: { title: A, version: \"1\" }\n"
                          "paths: { /orders: { post: {} } }\n",
                          VALIDATE_WARN, too_long),
            ERR_OK);
    assert_told("api.yaml does not describe POST /products");
}

static void flaws_of_the_description_are_told(void **state)
{
    (void)state;
    must_be(check_against(DOCUMENT("true", "{ properties: { product: { properties: {"
                                           " name: { pattern: \"(\" } } } } }"),
                          VALIDATE_ERROR, too_long),
            ERR_OK);
    assert_told("warning: api.yaml: ");
}

#define NEEDS                                                            \
    SHOPS "jobs:\n"                                                      \
          "  products:\n"                                                \
          "    connection: blue\n"                                       \
          "    source: { inline: [{ sku: p1 }], key: \"${row.sku}\" }\n" \
          "    request: POST /products\n"                                \
          "    body: { product: { name: \"x\" } }\n"                     \
          "    outputs: { id: \"${response.product.id}\" }\n"            \
          "  more:\n"                                                    \
          "    connection: blue\n"                                       \
          "    needs: { product: { job: products, key: p1 } }\n"         \
          "    source: { inline: [{ sku: p2 }], key: \"${row.sku}\" }\n" \
          "    request: POST /products\n"                                \
          "    body: { product: { name: x, price: \"${needs.product.outputs.id}\", a: %s } }\n"

/* It may turn out right; what is known already must be. */
static void what_is_needed_can_be_anything(void **state)
{
    char yaml[2048];

    (void)state;
    snprintf(yaml, sizeof yaml, NEEDS, "x");
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_ERROR, yaml), ERR_OK);
    snprintf(yaml, sizeof yaml, NEEDS, "[\"${row.sku}\"]");
    must_be(check_against(DOCUMENT("true", NAMED), VALIDATE_ERROR, yaml), ERR_INPUT);
    assert_told("body.product.a");
    assert_int_equal(diagnostics.error_count, 1);
}

/* --- connections --- */

#define SHOP(body)                                                                       \
    HEAD "api: { environment: simulator }\n"                                             \
         "jobs:\n"                                                                       \
         "  create:\n"                                                                   \
         "    source: { inline: [{ shop: blue, of: SHOPIFY }], key: \"${row.shop}\" }\n" \
         "    request: POST /connections/create\n"                                       \
         "    access_tokens: kept.ndjson\n"                                              \
         "    body: " body "\n"
#define SECRETS "basic_username: { env: PURSER_T_NAME }, basic_password: { env: PURSER_T_WORD }"

static const struct credentials credentials = {0};

static enum err_code check_secrets(const char *yaml)
{
    load_spec(yaml);
    must_be(open_intake(), ERR_OK);
    intake_set_credentials(intake, &credentials);
    return check();
}

static void a_new_connection_has_what_its_platform_needs(void **state)
{
    (void)state;
    setenv("PURSER_T_NAME", "name-of-shop", 1);
    setenv("PURSER_T_WORD", "word-of-shop", 1);
    must_be(check_secrets(SHOP("{ platform: \"${row.of}\", store_url: u, " SECRETS " }")), ERR_OK);
    must_be(check_secrets(SHOP("{ platform: \"${row.of}\", " SECRETS " }")), ERR_INPUT);
    assert_told("job create: a connection to SHOPIFY needs store_url as well");
    must_be(check_secrets(SHOP("{ platform: \"${row.of}_2\", " SECRETS " }")), ERR_OK);
    assert_told("purser does not know the platform SHOPIFY_2, so nothing is checked for it");
    must_be(check_secrets(SHOP("{ store_url: u }")), ERR_INPUT);
    assert_told("there are credentials but no platform");
    unsetenv("PURSER_T_WORD"); /* of which the simulator needs nothing */
    must_be(check_secrets(SHOP("{ platform: \"${row.of}\", store_url: u, " SECRETS " }")), ERR_OK);
    load_spec(SHOP("{ platform: \"${row.of}\", store_url: u, " SECRETS " }"));
    spec.api.environment = ENVIRONMENT_PRODUCTION;
    must_be(open_intake(), ERR_OK);
    intake_set_credentials(intake, &credentials);
    must_be(check(), ERR_INPUT);
    assert_told("PURSER_T_WORD");
    unsetenv("PURSER_T_NAME");
    log_forget();
}

/* Where a reference stands, text will be sent. */
static void a_secret_is_text_for_the_description(void **state)
{
    static const char schema[] =
        DOCUMENT("true", "{ properties: { basic_password: { type: string, minLength: 3 },"
                         " store_url: { type: string, maxLength: 2 } } }");

    (void)state;
    must_be(check_against(schema, VALIDATE_ERROR,
                          SHOP("{ platform: \"${row.of}\", store_url: u, " SECRETS " }")),
            ERR_OK);
    must_be(check_against(schema, VALIDATE_ERROR,
                          SHOP("{ platform: \"${row.of}\", store_url: long, " SECRETS " }")),
            ERR_INPUT);
    assert_told("body.store_url");
    assert_int_equal(diagnostics.error_count, 1);
    must_be(check_against(schema, VALIDATE_ERROR, SHOP("{}")), ERR_OK);
}

/* --- memory --- */

static void use_document(void)
{
    intake_close(intake);
    intake = NULL;
    arena_deinit(&document_arena);
    load_document(DOCUMENT("true", "{ properties: { basic_password: { type: string } } }"),
                  VALIDATE_WARN);
    must_be(open_intake(), ERR_OK);
    intake_set_credentials(intake, &credentials);
}

static void lack_of_memory_is_no_fault_of_a_body(void **state)
{
    (void)state;
    setenv("PURSER_T_NAME", "name-of-shop", 1);
    setenv("PURSER_T_WORD", "word-of-shop", 1);
    lack_memory(HEAD "api: { environment: simulator }\n"
                     "vars: { pad: %.*s }\n"
                     "jobs:\n"
                     "  create:\n"
                     "    source:\n"
                     "      inline: [{ shop: blue, of: SHOPIFY }]\n"
                     "      key: \"${vars.pad | lower | length}-${row.shop}\"\n"
                     "    request: POST /connections/create\n"
                     "    access_tokens: kept.ndjson\n"
                     "    body: { platform: \"${row.of}\", store_url: u, " SECRETS " }\n",
                use_document);
    unsetenv("PURSER_T_NAME");
    unsetenv("PURSER_T_WORD");
    spec.document = NULL;
    log_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INTAKE_TEST(a_body_that_is_not_as_described_is_an_error),
        INTAKE_TEST(or_a_warning_and_then_it_is_sent),
        INTAKE_TEST(of_a_body_with_many_mistakes_some_are_told),
        INTAKE_TEST(of_many_rows_some_are_told_and_the_others_counted),
        INTAKE_TEST(a_body_that_is_required_is_missed),
        INTAKE_TEST(what_the_description_does_not_have_is_not_checked),
        INTAKE_TEST(flaws_of_the_description_are_told),
        INTAKE_TEST(what_is_needed_can_be_anything),
        INTAKE_TEST(a_new_connection_has_what_its_platform_needs),
        INTAKE_TEST(a_secret_is_text_for_the_description),
        INTAKE_TEST(lack_of_memory_is_no_fault_of_a_body),
    };

    return cmocka_run_group_tests_name("io/intake_bodies", tests, NULL, NULL);
}
