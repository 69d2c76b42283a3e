#include "purser/codec/connection_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "purser/codec/json.h"

static struct arena arena;

static enum connection_needs check(const char *json, char text_out[CONNECTION_NEEDS_BYTES])
{
    struct err err = {0};
    struct value value;

    arena_clear(&arena);
    if (json_parse(&arena, json, strlen(json), &value, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return connection_write_check(&value, text_out);
}

static void only_three_writes_have_secrets(void **context)
{
    (void)context;
    assert_int_equal(connection_write_of(METHOD_POST, SLICE("/connections/create")),
                     CONNECTION_WRITE_CREATE);
    assert_int_equal(connection_write_of(METHOD_POST, SLICE("/connections/create?a=b")),
                     CONNECTION_WRITE_CREATE);
    assert_int_equal(connection_write_of(METHOD_POST, SLICE("/item/public_token/exchange")),
                     CONNECTION_WRITE_EXCHANGE);
    assert_int_equal(
        connection_write_of(METHOD_POST, SLICE("/connections/access_token/invalidate")),
        CONNECTION_WRITE_INVALIDATE);
    assert_int_equal(connection_write_of(METHOD_GET, SLICE("/connections/create")),
                     CONNECTION_WRITE_NONE);
    assert_int_equal(connection_write_of(METHOD_DELETE, SLICE("/connections/create")),
                     CONNECTION_WRITE_NONE);
    assert_int_equal(connection_write_of(METHOD_POST, SLICE("/connections/created")),
                     CONNECTION_WRITE_NONE);
}

static void what_is_not_known_to_be_plain_is_a_secret(void **context)
{
    (void)context;
    assert_false(connection_write_is_secret(CONNECTION_WRITE_CREATE, SLICE("store_url")));
    assert_true(connection_write_is_secret(CONNECTION_WRITE_CREATE, SLICE("api_key")));
    assert_true(connection_write_is_secret(CONNECTION_WRITE_CREATE, SLICE("of_the_future")));
    assert_true(connection_write_is_secret(CONNECTION_WRITE_EXCHANGE, SLICE("client_id")));
    assert_false(connection_write_is_secret(CONNECTION_WRITE_NONE, SLICE("api_key")));
}

static void each_platform_needs_what_it_needs(void **context)
{
    char text[CONNECTION_NEEDS_BYTES];

    (void)context;
    assert_int_equal(check("{}", text), NEEDS_MET);
    assert_int_equal(check("{\"scope\":\"x\"}", text), NEEDS_PLATFORM);
    assert_int_equal(check("{\"platform\":\"MYSPACE\"}", text), NEEDS_UNKNOWN);
    assert_int_equal(check("{\"platform\":\"PRESTASHOP\",\"api_key\":{\"env\":\"A\"}}", text),
                     NEEDS_UNMET);
    assert_string_equal(text, "store_url");
    assert_int_equal(
        check("{\"platform\":\"PRESTASHOP\",\"api_key\":{\"env\":\"A\"},\"store_url\":\"\"}", text),
        NEEDS_UNMET);
    assert_int_equal(
        check("{\"platform\":\"PRESTASHOP\",\"api_key\":{\"env\":\"A\"},\"store_url\":\"u\"}",
              text),
        NEEDS_MET);
}

/* Of two forms the one that is nearly there is what was meant. */
static void of_two_forms_either_will_do(void **context)
{
    char text[CONNECTION_NEEDS_BYTES];

    (void)context;
    assert_int_equal(check("{\"platform\":\"SHOPIFY\",\"store_url\":\"u\",\"basic_username\":1,"
                           "\"basic_password\":1}",
                           text),
                     NEEDS_MET);
    assert_int_equal(check("{\"platform\":\"SHOPIFY\",\"store_url\":\"u\",\"oauth_client_id\":1,"
                           "\"oauth_client_secret\":1,\"oauth_access_token\":1}",
                           text),
                     NEEDS_MET);
    assert_int_equal(
        check("{\"platform\":\"SHOPIFY\",\"store_url\":\"u\",\"basic_username\":1}", text),
        NEEDS_UNMET);
    assert_string_equal(text, "basic_password");
}

static int begin(void **context)
{
    (void)context;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int end(void **context)
{
    (void)context;
    arena_deinit(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_three_writes_have_secrets),
        cmocka_unit_test(what_is_not_known_to_be_plain_is_a_secret),
        cmocka_unit_test(each_platform_needs_what_it_needs),
        cmocka_unit_test(of_two_forms_either_will_do),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
