#include "purser/codec/connection_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "purser/core/limits.h"

#define FINE                                            \
    "\"needs_update_status\":{\"needs_update\":false}," \
    "\"disabled_status\":{\"is_disabled\":false,\"disabled_reason\":null}"
#define WRAPPED(fields)                                                                            \
    "{\"connection\":{\"id\":\"c\",\"orgId\":\"o\",\"platform\":\"XERO\"},\"status\":{" fields "}" \
    "}"
#define ERROR(code) "{\"error_type\":\"CONNECTION_ERROR\",\"error_code\":\"" code "\"}"

static struct connection_status read_status(int http_status, const char *body)
{
    return connection_status_read(
        &arena, &(struct connection_status_input){
                    .http_status = http_status,
                    .body = slice_of(body),
                    .content_type = body[0] == '<' ? "text/html" : "application/json"});
}

struct expectation {
    int http_status;
    const char *body;
    enum connection_state state;
    const char *park_reason;
};

static void assert_all(const struct expectation *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct connection_status status = read_status(table[i].http_status, table[i].body);

        if (status.state != table[i].state)
            fail_msg("%d %s: %s", table[i].http_status, table[i].body,
                     connection_state_name(status.state));
        if (table[i].park_reason == NULL)
            assert_null(status.park_reason);
        else
            assert_string_equal(status.park_reason, table[i].park_reason);
        arena_clear(&arena);
    }
}

static void the_flags_decide_wrapped_or_flat(void **state)
{
    static const struct expectation table[] = {
        {200, WRAPPED("\"is_ready\":true," FINE), CONNECTION_USABLE, NULL},
        {200, "{\"is_ready\":true," FINE "}", CONNECTION_USABLE, NULL},
        {200, "{\"connection\":{\"is_ready\":true," FINE "}}", CONNECTION_USABLE, NULL},
        {200, "{\"is_ready\":true}", CONNECTION_USABLE, NULL},
        {200, WRAPPED("\"is_ready\":false," FINE), CONNECTION_NOT_READY, "not_ready"},
        {200, WRAPPED("\"is_ready\":true,\"needs_update_status\":{\"needs_update\":true}"),
         CONNECTION_NEEDS_UPDATE, "needs_update"},
        {200, WRAPPED("\"is_ready\":true,\"disabled_status\":{\"is_disabled\":true}"),
         CONNECTION_DISABLED, "disabled"},
        /* The cure that a merchant has goes first. */
        {200,
         WRAPPED("\"is_ready\":false,\"needs_update_status\":{\"needs_update\":true},"
                 "\"disabled_status\":{\"is_disabled\":true}"),
         CONNECTION_NEEDS_UPDATE, "needs_update"},
    };

    (void)state;
    assert_all(table, sizeof table / sizeof table[0]);
}

static void what_does_not_tell_is_unknown_and_never_usable(void **state)
{
    static const struct expectation table[] = {
        {200, "", CONNECTION_UNKNOWN, NULL},
        {200, "{}", CONNECTION_UNKNOWN, NULL},
        {200, "{" FINE "}", CONNECTION_UNKNOWN, NULL},
        {200, "{\"is_ready\":\"true\"}", CONNECTION_UNKNOWN, NULL},
        {200, "{\"is_ready\":true,\"needs_update_status\":{\"needs_update\":\"no\"}}",
         CONNECTION_UNKNOWN, NULL},
        {200, "{\"is_ready\":true,\"disabled_status\":{\"is_disabled\":0}}", CONNECTION_UNKNOWN,
         NULL},
        {200, "{\"is_ready\":true", CONNECTION_UNKNOWN, NULL},
        {200, "[true]", CONNECTION_UNKNOWN, NULL},
        {200, "<html>sign in</html>", CONNECTION_UNKNOWN, NULL},
        {302, "{\"is_ready\":true}", CONNECTION_UNKNOWN, NULL},
        {404, "{}", CONNECTION_UNKNOWN, NULL},
        {429, "{\"is_ready\":true}", CONNECTION_UNKNOWN, NULL},
        {500, "{\"is_ready\":true}", CONNECTION_UNKNOWN, NULL},
        {200, "{\"is_ready\":true,\"errors\":[{\"code\":1}]}", CONNECTION_UNKNOWN, NULL},
    };

    (void)state;
    assert_all(table, sizeof table / sizeof table[0]);
}

static void an_error_code_says_more_than_the_http_status(void **state)
{
    static const struct expectation table[] = {
        {401, "", CONNECTION_REFUSED, "unauthorized"},
        {403, "", CONNECTION_FORBIDDEN, "not_allowed"},
        {451, "", CONNECTION_NEEDS_UPDATE, "needs_update"},
        {400, ERROR("INVALID_CREDENTIALS"), CONNECTION_REFUSED, "unauthorized"},
        {401, ERROR("NEEDS_UPDATE"), CONNECTION_NEEDS_UPDATE, "needs_update"},
        {400, ERROR("CONNECTION_DISABLED"), CONNECTION_DISABLED, "disabled"},
        {409, ERROR("PRODUCT_NOT_READY"), CONNECTION_NOT_READY, "not_ready"},
        {400, ERROR("PRODUCT_NOT_ALLOWED"), CONNECTION_FORBIDDEN, "not_allowed"},
        {200, ERROR("CONNECTION_DISABLED"), CONNECTION_DISABLED, "disabled"},
        {400, ERROR("SOMETHING_ELSE"), CONNECTION_UNKNOWN, NULL},
    };

    (void)state;
    assert_all(table, sizeof table / sizeof table[0]);
}

static void the_texts_are_for_people(void **state)
{
    struct connection_status status =
        read_status(200, WRAPPED("\"is_ready\":true,\"link_url\":\"https://link.example/r/1?a=b\","
                                 "\"last_sync_completed_at\":\"2026-11-26T21:45:23.123Z\"," FINE));

    (void)state;
    assert_string_equal(status.platform, "XERO");
    assert_string_equal(status.link_url, "https://link.example/r/1?a=b");
    assert_int_equal(status.last_sync_ms, 1795729523000);
    assert_string_equal(status.detail, "");

    status = read_status(200, "{\"disabled_status\":{\"is_disabled\":true,\"disabled_reason\":"
                              "\"SHOP_PAYMENT_REQUIRED\"},\"link_url\":null,"
                              "\"last_sync_completed_at\":null}");
    assert_string_equal(status.detail, "disabled: SHOP_PAYMENT_REQUIRED");
    assert_string_equal(status.link_url, "");
    assert_int_equal(status.last_sync_ms, 0);

    status = read_status(403, "{\"error_type\":\"X\",\"error_message\":\"no\\u001b[31m way\"}");
    assert_string_equal(status.detail, "HTTP 403: no?[31m way");
}

static void a_link_that_is_no_plain_https_url_or_holds_a_secret_is_not_shown(void **state)
{
    static const char *const links[] = {
        "http://link.example/",
        "https:///nowhere",
        "https://",
        "javascript:alert(1)",
        "https://link.example/\\u001b[31m",
        "https://link.example/a b",
        "https://link.example/\\u202e",
        "https://bank.example@evil.example/",
        "https://link.example/?x=tok-of-the-merchant",
        "https://link.example/?access_token=abc",
        "https://link.example/?ACCESS_TOKEN=abc",
    };
    char body[512];

    (void)state;
    log_add_secret("tok-of-the-merchant", 19);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        (void)snprintf(body, sizeof body, "{\"is_ready\":true,\"link_url\":\"%s\"}", links[i]);
        assert_string_equal(read_status(200, body).link_url, "");
        arena_clear(&arena);
    }
    assert_string_equal(read_status(200, "{\"link_url\":\"HTTPS://a.b/@x\"}").link_url,
                        "HTTPS://a.b/@x");
}

static void a_link_at_its_maximum_is_shown_and_above_it_is_not(void **state)
{
    static char body[LINK_URL_BYTES_MAX + 64];
    char link[LINK_URL_BYTES_MAX + 2];

    (void)state;
    memset(link, 'a', sizeof link);
    memcpy(link, "https://", 8);
    for (size_t more = 0; more < 2; more++) {
        link[LINK_URL_BYTES_MAX + more] = '\0';
        (void)snprintf(body, sizeof body, "{\"link_url\":\"%s\"}", link);
        assert_int_equal(strlen(read_status(200, body).link_url),
                         more == 0 ? LINK_URL_BYTES_MAX : 0);
        link[LINK_URL_BYTES_MAX] = 'a';
    }
}

static void a_time_of_another_form_is_no_time(void **state)
{
    static const struct {
        const char *text;
        int64_t time_ms;
    } table[] = {
        {"1970-01-01T00:00:01Z", 1000},
        {"2026-11-26T21:45:23.1Z", 1795729523000},
        {"2026-02-30T00:00:00Z", 0},
        {"2026-11-26T21:45:23+01:00", 0},
        {"2026-11-26", 0},
        {"2026-11-26T21:45:23", 0},
        {"2026-11-26T24:45:23Z", 0},
        {"1969-11-26T21:45:23Z", 0},
        {"2026-11-26T21:45:23ZZ", 0},
        {"2026--1-26T21:45:23Z", 0},
        {"2026-11-26T21:45:23.", 0},
        {"2026-11-26T21:45:23.12345678901234567890Z", 1795729523000},
    };
    char body[128];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)snprintf(body, sizeof body, "{\"last_sync_completed_at\":\"%s\"}", table[i].text);
        assert_int_equal(read_status(200, body).last_sync_ms, table[i].time_ms);
        arena_clear(&arena);
    }
}

static void another_platform_than_the_specs_is_not_usable(void **state)
{
    static const struct {
        const char *asked, *told;
        enum connection_state state;
    } cases[] = {
        {NULL, "XERO", CONNECTION_USABLE},
        {"XERO", "XERO", CONNECTION_USABLE},
        {"XERO", "QUICKBOOKS", CONNECTION_OTHER_PLATFORM},
        {"QUICKBOOKS", "QUICKBOOKS_DESKTOP", CONNECTION_OTHER_PLATFORM},
        {"XERO", "", CONNECTION_USABLE},
        {"XERO", "A_NEW_ONE", CONNECTION_USABLE}, /* what is not known contradicts nothing */
        {"A_NEW_ONE", "XERO", CONNECTION_USABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connection_status status;
        char body[512];

        (void)snprintf(body, sizeof body,
                       "{\"connection\":{\"platform\":\"%s\"},\"status\":{\"is_ready\":true," FINE
                       "}}",
                       cases[i].told);
        status = connection_status_read(
            &arena, &(struct connection_status_input){.http_status = 200,
                                                      .body = slice_of(body),
                                                      .content_type = "application/json",
                                                      .platform = cases[i].asked});
        assert_int_equal(status.state, cases[i].state);
        if (status.state == CONNECTION_OTHER_PLATFORM) {
            assert_string_equal(status.park_reason, "other_platform");
            assert_non_null(strstr(status.detail, cases[i].told));
        }
    }
}

static void every_state_has_a_name_and_a_meaning(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CONNECTION_STATE_COUNT; i++) {
        assert_true(strlen(connection_state_name((enum connection_state)i)) > 0);
        assert_true(strlen(connection_state_meaning((enum connection_state)i)) > 0);
    }
}

static void without_memory_nothing_is_concluded(void **state)
{
    (void)state;
    for (int nth = 0; nth < 40; nth++) {
        struct connection_status status;

        arena_deinit(&arena);
        arena_init(&arena, 64u * 1024 * 1024);
        mem_test_fail(nth / 2, nth % 2);
        status = read_status(200, WRAPPED("\"is_ready\":true," FINE));
        mem_test_fail(-1, 0);
        assert_true(status.state == CONNECTION_UNKNOWN || status.state == CONNECTION_USABLE);
        assert_non_null(status.link_url);
        assert_non_null(status.detail);
        assert_non_null(status.platform);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_flags_decide_wrapped_or_flat),
        TEST(what_does_not_tell_is_unknown_and_never_usable),
        TEST(an_error_code_says_more_than_the_http_status),
        TEST(the_texts_are_for_people),
        TEST(a_link_that_is_no_plain_https_url_or_holds_a_secret_is_not_shown),
        TEST(a_link_at_its_maximum_is_shown_and_above_it_is_not),
        TEST(a_time_of_another_form_is_no_time),
        TEST(every_state_has_a_name_and_a_meaning),
        TEST(another_platform_than_the_specs_is_not_usable),
        TEST(without_memory_nothing_is_concluded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
