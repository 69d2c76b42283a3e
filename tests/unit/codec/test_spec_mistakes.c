#include "spec_fixture.h"

static void mistakes_at_the_top_are_named(void **state)
{
    (void)state;
    assert_refused("", "t.yaml:1:1: error: the file holds no spec   [spec.empty]");
    assert_refused("just text\n", "t.yaml:1:1: error: the spec is text, must be a map");
    assert_refused("name: demo\n" CONNECTIONS JOBS, "t.yaml:1:1: error: 'purser' is missing in the "
                                                    "spec   [spec.required]");
    assert_refused("purser: 2\nnmae: x\n", "t.yaml:1:9: error: this purser understands format 1 of "
                                           "a spec, not '2'   [spec.version]");
    assert_message("name: demo\npurser: 1\n" CONNECTIONS JOBS, ERR_OK,
                   "t.yaml:2:9: warning: 'purser: 1' should be the first key");
    assert_refused("purser: 1\n" CONNECTIONS JOBS, "t.yaml:1:1: error: 'name' is missing");
    assert_refused("purser: 1\nname: My Spec\n" CONNECTIONS JOBS,
                   "t.yaml:2:7: error: 'My Spec' cannot be the name of a spec   [spec.name]");
    assert_refused("purser: 1\nname: my spec\n" CONNECTIONS JOBS,
                   "t.yaml:2:7: error: 'my spec' can");
    assert_refused("purser: 1\nname: \"-x\"\n" CONNECTIONS JOBS, "t.yaml:2:7: error: '-x' cannot");
    assert_refused("purser: 1\nname: 12\n" CONNECTIONS JOBS,
                   "t.yaml:2:7: error: 'name' is a whole number, must be text   [spec.type]");
    assert_refused(HEAD CONNECTIONS, "t.yaml:1:1: error: 'jobs' is missing in the spec");
    assert_refused(HEAD CONNECTIONS "jobs: {}\n", "t.yaml:5:7: error: 'jobs' is empty");
    assert_refused(HEAD CONNECTIONS "jobs:\n", "t.yaml:5:6: error: 'jobs' is empty, must be a map");
    assert_refused(HEAD "conections: {}\n" CONNECTIONS JOBS,
                   "t.yaml:3:1: error: unknown key 'conections' in the spec   [spec.unknown_key]\n"
                   "      help: did you mean 'connections'?");
    assert_refused(HEAD "idempotency: { window: 8d }\n" CONNECTIONS JOBS,
                   "t.yaml:3:24: error: window is 8d, must be from 1m to 7d   [spec.value]");
    assert_refused(HEAD "max_failures: 101%\n" CONNECTIONS JOBS,
                   "t.yaml:3:15: error: max_failures is '101%'   [spec.value]");
    assert_refused(HEAD "vars: { a-b: 1 }\n" CONNECTIONS JOBS,
                   "t.yaml:3:9: error: 'a-b' cannot be the name of a variable   [spec.name]");
}

static void mistakes_in_api_and_connections_are_named(void **state)
{
    static const struct {
        const char *part, *message;
    } cases[] = {
        {"api: { environment: prodution }\n" CONNECTIONS,
         "t.yaml:3:21: error: no such environment: 'prodution'   [spec.value]\n"
         "      help: did you mean 'production'?"},
        {"api: { version: v2 }\n" CONNECTIONS, "t.yaml:3:17: error: api.version is 'v2'"},
        {"api: { openapi: [] }\n" CONNECTIONS,
         "t.yaml:3:17: error: 'openapi' is a list, must be text"},
        {"api: { limits: { rate: fast } }\n" CONNECTIONS, "t.yaml:3:24: error: 'fast' is no rate"},
        {"api: { limits: { rate: 1/h } }\n" CONNECTIONS, "t.yaml:3:24: error: '1/h' is no rate"},
        {"api: { limits: { rate: 0/s } }\n" CONNECTIONS, "t.yaml:3:24: error: '0/s' is no rate"},
        {"api: { limits: { in_flight: 0 } }\n" CONNECTIONS,
         "t.yaml:3:29: error: in_flight is 0, must be a whole number from 1 to 1024"},
        {"api: { limits: { in_flight: 1025 } }\n" CONNECTIONS, "t.yaml:3:29: error: in_flight is"},
        {"api: { timeouts: { connect: 1ms } }\n" CONNECTIONS, "t.yaml:3:29: error: connect is 1ms"},
        {"api: { timeouts: { exchange: 11m } }\n" CONNECTIONS,
         "t.yaml:3:30: error: exchange is 11m, must be from 100ms to 10m"},
        {"api: { simulator: { profile: calm } }\n" CONNECTIONS,
         "t.yaml:3:30: error: profile is 'calm', must be one of: clean, realistic, hostile"},
        {"api: { simulator: { seed: -1 } }\n" CONNECTIONS, "t.yaml:3:27: error: seed is -1"},
        {"api: { client_id: abc }\n" CONNECTIONS,
         "t.yaml:3:19: error: a secret must not be written here; say where it is   "
         "[spec.secret_literal]\n      help: client_id: { env: RUTTER_CLIENT_ID }"},
        {"connections: {}\ndefaults: { connection: \"${row.c}\" }\n",
         "t.yaml:3:14: error: 'connections' is empty   [spec.required]"},
        {"connections: { shop: {} }\n",
         "t.yaml:3:16: error: 'access_token' is missing in connection 'shop'   [spec.required]"},
        {"connections: { shop: }\n", "t.yaml:3:22: error: connection 'shop' is empty, must be a "},
        {"connections: { \"a b\": { access_token: { env: T } } }\n",
         "t.yaml:3:16: error: 'a b' cannot be the name of a connection   [spec.name]"},
        {"connections: { shop: { access_token: { env: T, file: f } } }\n",
         "t.yaml:3:38: error: access_token has both 'env' and 'file'   [spec.value]"},
        {"connections: { shop: { access_token: { } } }\n",
         "t.yaml:3:38: error: access_token does not say where the secret is   [spec.required]"},
        {"connections: { shop: { access_token: { command: [x] } } }\n",
         "t.yaml:3:40: error: 'command' in access_token is not supported by this version"},
        {"connections: { shop: { access_token: { env: T }, platform: shopify } }\n",
         "t.yaml:3:60: error: platform is 'shopify'   [spec.value]"},
        {"connections: { shop: { access_token: { env: T }, limits: { outstanding: 1 } } }\n",
         "t.yaml:3:60: error: 'outstanding' in limits is not supported by this version"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&text);
        buf_append_format(&text, HEAD "%s" JOBS, cases[i].part);
        assert_refused(buf_text(&text), cases[i].message);
    }
}

static void secrets_in_a_spec_are_refused_and_never_shown(void **state)
{
    static const char *const parts[] = {
        "access_token: sk_live_123",
        "access_token: \"sk_live_123\"",
        "access_token: { env: sk-live_123 }",
        "access_token: { credential: \"sk_live_123 x\" }",
        "access_tokn: sk_live_123",
        "access_token:\n      sk_live_123",
        "access_token: sk_live_123\n    access_token: sk_live_123",
        "access_token: sk_live_123: x",
        "access_token: [sk_live_123]",
        "access_token: 'sk_live_123",
    };
    char file[] = "/tmp/test_spec_XXXXXX";
    int descriptor = mkstemp(file);
    FILE *stream = fdopen(descriptor, "w");

    (void)state;
    assert_non_null(stream);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_clear(&text);
        buf_append_format(&text, HEAD "connections:\n  shop:\n    %s\n" JOBS, parts[i]);
        rewind(stream);
        assert_int_equal(ftruncate(descriptor, 0), 0);
        fputs(buf_text(&text), stream);
        fflush(stream);
        diagnostics_deinit(&diagnostics);
        assert_int_equal(load_with(file, buf_text(&text), NULL, 0), ERR_INPUT);
        diagnostics_print_json(&diagnostics, &out);
        if (strstr(buf_text(&out), "live_123") != NULL)
            fail_msg("%s\n%s", parts[i], buf_text(&out));
    }
    fclose(stream);
    unlink(file);
    assert_refused(HEAD "connections: { shop: { access_token: \"${env.MY_TOKEN}\" } }\n" JOBS,
                   "t.yaml:3:38: error: a token must not be written here; say where it is   "
                   "[spec.secret_literal]\n      help: access_token: { env: MY_TOKEN }");
}

static void base_url_must_be_safe(void **state)
{
    static const struct {
        const char *url, *fault; /* NULL = good */
    } cases[] = {
        {"https://api.example.com/versioned", NULL},
        {"https://api.example.com:443/versioned///", NULL},
        {"http://127.0.0.1:8080/versioned", NULL},
        {"http://127.9.9.255/versioned", NULL},
        {"http://[::1]:8080/versioned", NULL},
        {"http://localhost:1/versioned", NULL},
        {"http://api.example.com/versioned", "would send credentials without encryption"},
        {"http://127.0.0.1.example.com/versioned", "would send credentials"},
        {"http://127.0.0.256/versioned", "would send credentials"},
        {"http://128.0.0.1/versioned", "would send credentials"},
        {"http://localhost.example.com/versioned", "would send credentials"},
        {"http://[::2]/versioned", "would send credentials"},
        {"ftp://example.com/versioned", "is no URL that starts with https://"},
        {"HTTPS://example.com/versioned", "is no URL that starts with https://"},
        {"https://production.rutterapi.com@evil.com/versioned", "must not hold a user name"},
        {"https://example.com/versioned?x=1", "must end with its path, without ? and #"},
        {"https://example.com/versioned#x", "must end with its path, without ? and #"},
        {"https:///versioned", "has no valid host and port"},
        {"https://example.com:0/versioned", "has no valid host and port"},
        {"https://example.com:65536/versioned", "has no valid host and port"},
        {"https://example.com:80x/versioned", "has no valid host and port"},
        {"https://exa_mple.com/versioned", "has no valid host and port"},
        {"https://[::1/versioned", "has no valid host and port"},
        {"https://example.com/../versioned", "has a path with // or .."},
        {"https://example.com\\@evil.com/versioned", "has a character that cannot stand in a URL"},
        {"https://example.com/ versioned", "has a character that cannot stand in a URL"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[160];

        buf_clear(&text);
        buf_append_format(&text, HEAD "api: { environment: '%s' }\n" CONNECTIONS JOBS,
                          cases[i].url);
        if (cases[i].fault == NULL) {
            diagnostics_deinit(&diagnostics);
            loaded(buf_text(&text));
            assert_int_equal(diagnostics.warning_count, 0);
            assert_int_equal(spec.api.environment, ENVIRONMENT_URL);
            continue;
        }
        snprintf(message, sizeof message, "t.yaml:3:21: error: the base URL %s", cases[i].fault);
        assert_refused(buf_text(&text), message);
    }
    assert_message(HEAD "api: { environment: https://a.example.com }\n" CONNECTIONS JOBS, ERR_OK,
                   "t.yaml:3:21: warning: the base URL does not end with /versioned   [spec.url]");
}

static void all_mistakes_come_together_in_order(void **state)
{
    const char *at;

    (void)state;
    assert_message("purser: 1\nname: X\nzzz: 1\nzzz: 2\n" CONNECTIONS
                   "jobs:\n  p: { source: {}, request: POST /x }\n",
                   ERR_INPUT, "t.yaml:2:7: error: 'X' cannot be");
    assert_int_equal(diagnostics.error_count, 7);
    at = buf_text(&out);
    for (uint32_t last = 0;;) {
        uint32_t line;

        at = strstr(at, "t.yaml:");
        if (at == NULL)
            break;
        at += strlen("t.yaml:");
        line = (uint32_t)strtoul(at, NULL, 10);
        assert_true(line >= last);
        last = line;
    }
}

static void jobs_connections_and_columns_have_a_maximum(void **state)
{
    (void)state;
    buf_append_text(&text, HEAD "api: { environment: simulator }\ndefaults: { connection: c0 }\n"
                                "connections:\n");
    for (int i = 0; i < SPEC_CONNECTIONS_MAX; i++)
        buf_append_format(&text, "  c%d: {}\n", i);
    buf_append_text(&text, JOBS);
    loaded(buf_text(&text));
    assert_int_equal(spec.connection_count, SPEC_CONNECTIONS_MAX);
    buf_append_text(&text, "  more:\n    source: { csv: a, key: '${row.a}', columns: {");
    for (int i = 0; i <= ROW_COLUMNS_MAX; i++)
        buf_append_format(&text, "c%d: date, ", i);
    buf_append_text(&text, "} }\n    request: DELETE /products/${row.a}\n");
    assert_refused(buf_text(&text), "t.yaml:4108:49: error: more than 4096 columns");
    buf_clear(&text);
    buf_append_text(&text, HEAD "connections:\n");
    for (int i = 0; i <= SPEC_CONNECTIONS_MAX; i++)
        buf_append_format(&text, "  c%d: { access_token: { env: T } }\n", i);
    buf_append_text(&text, "jobs: {}\n");
    assert_message(buf_text(&text), ERR_INPUT, "t.yaml:4:3: error: more than 4096 connections");
    buf_clear(&text);
    buf_append_text(&text, HEAD CONNECTIONS "jobs:\n");
    for (int i = 0; i < SPEC_JOBS_MAX; i++)
        buf_append_format(&text,
                          "  j%d: { source: { csv: a, key: '${row.a}' }, request: 'DELETE "
                          "/products/${row.a}' }\n",
                          i);
    diagnostics_deinit(&diagnostics);
    loaded(buf_text(&text));
    assert_int_equal(spec.job_count, SPEC_JOBS_MAX);
    buf_append_text(&text, "  more: {}\n");
    assert_refused(buf_text(&text), "t.yaml:6:3: error: more than 256 jobs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mistakes_at_the_top_are_named),
        TEST(mistakes_in_api_and_connections_are_named),
        TEST(secrets_in_a_spec_are_refused_and_never_shown),
        TEST(base_url_must_be_safe),
        TEST(all_mistakes_come_together_in_order),
        TEST(jobs_connections_and_columns_have_a_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
