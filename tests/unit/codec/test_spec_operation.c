#include "spec_fixture.h"

#define SPEC(platform, job)                                                                        \
    "purser: 1\nname: demo\nconnections:\n  shop: { access_token: { env: T }, platform: " platform \
    " }\njobs:\n  p:\n    source: { csv: p.csv, key: \"${row.a}\" }\n" job

#define PRODUCT                                                     \
    "    request: POST /products\n    body: { product: { name: x, " \
    "description: \"${row.d}\", variants: [ { sku: 1 } ] } }\n"
#define ACCOUNT                                \
    "    request: POST /accounting/accounts\n" \
    "    body: { account: { account_type: x, name: y, currency_code: USD, nominal_code: 1 } }\n"

/* Loads, then binds the only job; the messages of both are in `out`. */
static enum err_code bound(const char *yaml, enum validation validation)
{
    struct job_templates templates;
    enum err_code code;

    diagnostics_deinit(&diagnostics);
    diagnostics_init(&diagnostics);
    buf_clear(&text);
    buf_append_text(&text, yaml);
    code = spec_load(&arena, "t.yaml", buf_text(&text), text.length, NULL, 0, &spec, &diagnostics);
    spec.validation = validation;
    if (code == ERR_OK)
        code = spec_job_bind(&arena, &spec, &spec.jobs[0], NULL, 0, &templates, &diagnostics);
    buf_clear(&out);
    diagnostics_print(&diagnostics, &out);
    return code;
}

static void assert_bound(const char *yaml, enum validation validation, enum err_code code,
                         const char *message)
{
    if (bound(yaml, validation) != code || strstr(buf_text(&out), message) == NULL ||
        (message[0] == '\0' && out.length > 0))
        fail_msg("for\n%s\n  expected %s\n  got\n%s", yaml, message, buf_text(&out));
}

static void a_platform_that_does_not_have_the_operation_is_refused(void **state)
{
    static const char message[] = "job p: POST /products is not there for XERO, the platform of "
                                  "connection 'shop'   [spec.platform]\n      help: it is there "
                                  "for AMAZON, BIG_COMMERCE, ETSY, MAGENTO, PRESTASHOP, SHOPIFY, "
                                  "SQUARE, SQUARESPACE, WIX, WOO_COMMERCE; if XERO has got it "
                                  "since December 2023, leave platform out of the connection";

    (void)state;
    assert_bound(SPEC("SHOPIFY", PRODUCT), VALIDATE_ERROR, ERR_OK, "");
    assert_bound(SPEC("XERO", ACCOUNT), VALIDATE_ERROR, ERR_OK, "");
    assert_bound(SPEC("XERO", PRODUCT), VALIDATE_ERROR, ERR_INPUT, message);
    assert_bound(SPEC("XERO", PRODUCT), VALIDATE_ERROR, ERR_INPUT, "t.yaml:8:14: error: job p");
    assert_bound(SPEC("XERO", PRODUCT), VALIDATE_WARN, ERR_OK, "t.yaml:8:14: warning: job p");
    assert_bound(SPEC("XERO", PRODUCT), VALIDATE_OFF, ERR_OK, "");
    assert_bound(SPEC("XERO", "    connection: ${row.c}\n" PRODUCT), VALIDATE_ERROR, ERR_OK, "");
    assert_bound(SPEC("XERO", "    request: POST /accounting/classes\n    body: { class: {} }\n"),
                 VALIDATE_ERROR, ERR_OK, "");
    assert_bound(SPEC("XERO", "    custom: true\n    request: POST /pets\n"), VALIDATE_ERROR,
                 ERR_OK, "");
}

static void a_platform_that_is_not_known_is_warned_of_once(void **state)
{
    (void)state;
    assert_bound(SPEC("RILLET", PRODUCT), VALIDATE_ERROR, ERR_OK,
                 "t.yaml:4:47: warning: purser does not know the platform 'RILLET', so nothing is "
                 "checked against it   [spec.platform]");
    assert_int_equal(diagnostics.warning_count, 1);
    assert_bound(SPEC("DYNAMICS_365", ACCOUNT), VALIDATE_ERROR, ERR_OK,
                 "help: did you mean 'DYNAMICS365'?");
}

static void required_members_that_the_body_does_not_have_are_errors(void **state)
{
    static const char some[] =
        SPEC("SHOPIFY", "    request: POST /products\n    body: { product: { name: x } }\n");
    static const char none[] = SPEC("XERO", "    request: POST /accounting/bills/1/attachments\n");

    (void)state;
    assert_bound(some, VALIDATE_ERROR, ERR_INPUT,
                 "t.yaml:9:22: error: POST /products requires 'description', which the body does "
                 "not have   [spec.required_member]\n");
    assert_int_equal(diagnostics.error_count, 2);
    assert_bound(some, VALIDATE_WARN, ERR_OK, "t.yaml:9:22: warning: POST /products requires 'var");
    assert_bound(some, VALIDATE_OFF, ERR_OK, "");
    assert_bound(none, VALIDATE_ERROR, ERR_INPUT,
                 "t.yaml:8:14: error: POST /accounting/bills/{id}/attachments needs a body with "
                 "'file'   [spec.required_member]");
    assert_bound(
        SPEC("SHOPIFY", "    request: PATCH /products/1\n    body: { product: { a: 1 } }\n"),
        VALIDATE_ERROR, ERR_OK, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_platform_that_does_not_have_the_operation_is_refused),
        TEST(a_platform_that_is_not_known_is_warned_of_once),
        TEST(required_members_that_the_body_does_not_have_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
