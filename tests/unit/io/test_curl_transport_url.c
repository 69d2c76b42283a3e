/* What is refused before anything is asked: URLs, origins and credentials. */
#include "transport_fixture.h"

static void base_urls_are_https_or_loopback_and_nothing_more(void **state)
{
    static const char *const good[] = {"https://production.rutterapi.com/versioned",
                                       "https://host",
                                       "HTTPS://Host:8443/",
                                       "http://127.0.0.1:8080/versioned",
                                       "http://127.9.9.9",
                                       "http://localhost:1",
                                       "http://[::1]:80/x"};
    static const char *const bad[] = {"",
                                      "production.rutterapi.com",
                                      "http://production.rutterapi.com",
                                      "http://127.0.0.1.evil.example",
                                      "http://localhost.evil.example",
                                      "http://10.0.0.1",
                                      "https://user@host",
                                      "https://good.example@evil.example/",
                                      "https://user:pass@host",
                                      "https://host/?q",
                                      "https://host/?",
                                      "https://host/#f",
                                      "file:///etc/hostname",
                                      "ftp://host",
                                      "https://host/a b",
                                      "https://host/%2e%2e/x",
                                      "https://ho st",
                                      "https://host\r\nX: y"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (curl_transport_check_base_url(good[i], &err) != ERR_OK)
            fail_msg("%s: %s", good[i], err.text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (curl_transport_check_base_url(bad[i], &err) != ERR_INPUT)
            fail_msg("'%s' was taken", bad[i]);
        assert_string_not_equal(err.text, "");
    }
}

static void an_origin_is_lower_case_with_its_port(void **state)
{
    static const struct {
        const char *url, *origin;
    } cases[] = {
        {"https://Production.RutterAPI.com/v2/jobs/1", "https://production.rutterapi.com:443"},
        {"http://127.0.0.1/", "http://127.0.0.1:80"},
        {"https://[::1]:8443/x?y#z", "https://[::1]:8443"},
        {"https://good.example@evil.example/", "https://evil.example:443"}};
    char origin[256];
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(origin, 0xff, sizeof origin);
        assert_int_equal(curl_transport_origin(cases[i].url, origin, sizeof origin, &err), ERR_OK);
        assert_string_equal(origin, cases[i].origin);
    }
    assert_int_equal(curl_transport_origin("no url", origin, sizeof origin, &err), ERR_INPUT);
    assert_int_equal(curl_transport_origin("https://host/", origin, 8, &err), ERR_INPUT);
}

static void credentials_that_cannot_be_sent_are_refused(void **state)
{
    struct event_loop *loop;
    struct curl_transport *transport;
    struct err err = {0};
    const char *bad_tokens[] = {"a\nb"};
    struct curl_transport_options options = {.base_url = "http://127.0.0.1:1",
                                             .version = "v",
                                             .client_id = "id",
                                             .client_secret = "s",
                                             .access_tokens = tokens,
                                             .connection_count = 1,
                                             .in_flight = 1};
    struct curl_transport_options tried = options;

    (void)state;
    assert_int_equal(event_loop_open(&loop, &err), ERR_OK);
    tried.client_id = "a:b";
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    tried = options;
    tried.client_secret = "";
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    tried = options;
    tried.access_tokens = bad_tokens;
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    assert_null(strstr(err.text, "a\nb"));
    tried = options;
    tried.in_flight = IN_FLIGHT_MAX + 1;
    assert_int_equal(curl_transport_open(loop, &tried, &transport, &err), ERR_INPUT);
    event_loop_close(loop);
}

/* Visible text of that length. */
static const char *text_of(char *text, size_t length)
{
    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

static void what_is_sent_with_every_request_has_a_maximum(void **state)
{
    static char secret[SECRET_BYTES_MAX + 2], version[API_VERSION_BYTES_MAX + 2];
    static char url[URL_BYTES_MAX + 2] = "http://127.0.0.1:1/";
    struct event_loop *loop;
    struct curl_transport *transport;
    struct err err = {0};

    (void)state;
    assert_int_equal(event_loop_open(&loop, &err), ERR_OK);
    for (size_t what = 0; what < 5; what++) {
        for (size_t more = 0; more <= 1; more++) {
            const char *token = what == 2 ? text_of(secret, SECRET_BYTES_MAX + more) : "t";
            struct curl_transport_options options = {
                .base_url = "http://127.0.0.1:1",
                .version = what == 3 ? text_of(version, API_VERSION_BYTES_MAX + more) : "v",
                .client_id = what == 0 ? text_of(secret, SECRET_BYTES_MAX + more) : "id",
                .client_secret = what == 1 ? text_of(secret, SECRET_BYTES_MAX + more) : "s",
                .access_tokens = &token,
                .connection_count = 1,
                .in_flight = 1};
            size_t start = strlen("http://127.0.0.1:1/");

            if (what == 4) {
                (void)text_of(url + start, URL_BYTES_MAX + more - start);
                options.base_url = url;
            }
            if (more == 0) {
                assert_int_equal(curl_transport_open(loop, &options, &transport, &err), ERR_OK);
                curl_transport_close(transport);
            } else {
                assert_int_equal(curl_transport_open(loop, &options, &transport, &err), ERR_INPUT);
            }
        }
    }
    event_loop_close(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_urls_are_https_or_loopback_and_nothing_more),
        cmocka_unit_test(an_origin_is_lower_case_with_its_port),
        cmocka_unit_test(credentials_that_cannot_be_sent_are_refused),
        cmocka_unit_test(what_is_sent_with_every_request_has_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
