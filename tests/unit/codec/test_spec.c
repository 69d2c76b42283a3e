#include "spec_fixture.h"

/* -- what a good spec becomes --------------------------------------------------------------- */

static void smallest_spec_gets_the_defaults(void **state)
{
    const struct spec_job *job;

    (void)state;
    loaded(HEAD CONNECTIONS JOBS);
    assert_string_equal(spec.name, "demo");
    assert_string_equal(spec.folder, ".");
    assert_int_equal(spec.api.environment, ENVIRONMENT_SANDBOX);
    assert_string_equal(spec.api.base_url, "https://sandbox.rutterapi.com/versioned");
    assert_string_equal(spec.api.version, "2024-08-31");
    assert_string_equal(spec.api.client_id.name, "RUTTER_CLIENT_ID");
    assert_string_equal(spec.api.client_secret.name, "RUTTER_CLIENT_SECRET");
    assert_int_equal(spec.api.rate.kind, RATE_AUTO);
    assert_int_equal(spec.api.in_flight, 64);
    assert_int_equal(spec.key_window_ms, 12 * 3600 * 1000);
    assert_int_equal(spec.api.connect_timeout_ms, 10 * 1000);
    assert_int_equal(spec.api.exchange_timeout_ms, 60 * 1000);
    assert_false(spec.max_failures.set);
    assert_int_equal(spec.connection_count, 1);
    assert_string_equal(spec.connections[0].alias, "shop");
    assert_string_equal(spec.connections[0].access_token.name, "T");
    assert_int_equal(spec.connections[0].in_flight, 4);
    assert_int_equal(spec.job_count, 1);
    job = &spec.jobs[0];
    assert_string_equal(job->name, "products");
    assert_int_equal(job->method, METHOD_POST);
    assert_string_equal(job->operation->path, "/products");
    assert_true(slice_is(job->connection->text, "shop"));
    assert_int_equal(job->source.kind, SOURCE_CSV);
    assert_string_equal(job->source.path, "data/products.csv");
    assert_int_equal(job->source.delimiter, ',');
    assert_int_equal(job->retry.attempts, 8);
    assert_int_equal(job->retry.first_delay_ms, 1000);
    assert_int_equal(job->retry.max_delay_ms, 300000);
    assert_int_equal(job->retry.give_up_after_ms, 6 * 3600 * 1000);
    assert_int_equal(job->when_empty, WHEN_EMPTY_OMIT);
    assert_int_equal(job->when_changed, WHEN_CHANGED_KEEP);
    assert_null(job->condition);
}

static const char full[] =
    "purser: 1\n"
    "name: full-1\n"
    "description: all of it\n"
    "api:\n"
    "  environment: https://localhost:8443/x/versioned/\n"
    "  version: 2025-01-01\n"
    "  client_id: { file: id.txt }\n"
    "  client_secret: { credential: rutter-secret }\n"
    "  ca_file: /etc/ca.pem\n"
    "  limits: { rate: 500/10s, in_flight: 100, outstanding: 5000 }\n"
    "  timeouts: { connect: 500ms, exchange: 2m }\n"
    "  simulator: { profile: hostile, seed: 7 }\n"
    "  openapi: rutter.json\n"
    "connections:\n"
    "  a.b-1: { platform: SHOPIFY, access_token: { env: A }, limits: { rate: 90/m,"
    " in_flight: 2 } }\n"
    "  b: { access_token: { env: B }, limits: { rate: unlimited } }\n"
    "vars: { brand: X, rate: 1.50, on: true, none: ~, list: [1, a], map: { a: b } }\n"
    "defaults:\n"
    "  connection: b\n"
    "  mode: async\n"
    "  retry: { attempts: 3, first_delay: 2s, max_delay: 1m, give_up_after: 1h }\n"
    "  max_failures: 5%\n"
    "  when_empty: null\n"
    "  when_changed: error\n"
    "max_failures: 50\n"
    "idempotency: { window: 6h }\n"
    "jobs:\n"
    "  one:\n"
    "    description: the first\n"
    "    connection: ${row.shop}\n"
    "    source: { csv: p.csv, key: \"${row.sku}\", group_by: \"${row.h}\", delimiter: ';',"
    " columns: { p: decimal, t: list(|), s: string } }\n"
    "    request: PATCH /products/${row.id | replace(\"/\", \" }\")}/variants/${row.v}\n"
    "    body: { variant: { price: 1 } }\n"
    "    if: ${row.a}\n"
    "    outputs: { id: \"${response.variant.id}\" }\n"
    "    retry: { attempts: 9 }\n"
    "    max_failures: 0\n"
    "    when_empty: error\n"
    "    when_changed: resend\n"
    "  two:\n"
    "    source: { inline: [ { id: 1, n: ~ }, { id: \"2\" } ], key: \"${row.id}\" }\n"
    "    request: DELETE /products/${row.id}\n";

static void full_spec_is_read_in_its_common_parts(void **state)
{
    (void)state;
    loaded(full);
    assert_string_equal(spec.api.base_url, "https://localhost:8443/x/versioned");
    assert_string_equal(spec.api.version, "2025-01-01");
    assert_int_equal(spec.api.client_id.kind, SECRET_FILE);
    assert_int_equal(spec.api.client_secret.kind, SECRET_CREDENTIAL);
    assert_string_equal(spec.api.openapi, "rutter.json");
    assert_int_equal(spec.api.openapi_place.line, 13);
    assert_int_equal(spec.api.rate.millis_per_second, 50000);
    assert_int_equal(spec.api.rate.burst, 5);
    assert_int_equal(spec.api.outstanding, 5000);
    assert_string_equal(spec.api.simulator_profile, "hostile");
    assert_int_equal(spec.api.simulator_seed, 7);
    assert_int_equal(spec.api.connect_timeout_ms, 500);
    assert_int_equal(spec.api.exchange_timeout_ms, 2 * 60 * 1000);
    assert_int_equal(spec.connections[0].rate.millis_per_second, 1500);
    assert_int_equal(spec.connections[0].rate.burst, 1);
    assert_int_equal(spec.connections[1].rate.kind, RATE_UNLIMITED);
    assert_ptr_equal(spec_connection_find(&spec, SLICE("b")), &spec.connections[1]);
    assert_null(spec_connection_find(&spec, SLICE("c")));
    assert_int_equal(spec.vars.map.count, 6);
    assert_int_equal(value_member(&spec.vars, SLICE("rate")).kind, VALUE_NUMBER);
    assert_true(slice_is(value_member(&spec.vars, SLICE("rate")).text, "1.50"));
    assert_true(value_member(&spec.vars, SLICE("on")).boolean);
    assert_int_equal(spec.max_failures.count, 50);
    assert_int_equal(spec.key_window_ms, 6 * 3600 * 1000);
    assert_int_equal(diagnostics.warning_count, 0);
}

static void full_spec_is_read_in_its_jobs(void **state)
{
    const struct spec_job *job;

    (void)state;
    loaded(full);
    job = &spec.jobs[0];
    assert_string_equal(job->operation->path, "/products/{id}/variants/{variantId}");
    assert_int_equal(job->source.delimiter, ';');
    assert_int_equal(job->source.column_count, 3);
    assert_int_equal(job->source.columns[0].type, COLUMN_DECIMAL);
    assert_true(slice_is(job->source.columns[1].separator, "|"));
    assert_non_null(job->source.group_by);
    assert_int_equal(job->retry.attempts, 9);
    assert_int_equal(job->retry.first_delay_ms, 2000);
    assert_true(job->max_failures.set && !job->max_failures.is_share);
    assert_int_equal(job->max_failures.count, 0);
    assert_int_equal(job->when_empty, WHEN_EMPTY_ERROR);
    assert_int_equal(job->when_changed, WHEN_CHANGED_RESEND);
    job = &spec.jobs[1];
    assert_int_equal(job->source.inline_count, 2);
    assert_int_equal(job->source.inline_rows[0].kind, VALUE_MAP);
    assert_int_equal(value_member(&job->source.inline_rows[0], SLICE("n")).kind, VALUE_NULL);
    assert_int_equal(job->source.inline_places[1].line, 41);
    assert_true(slice_is(job->connection->text, "b"));
    assert_int_equal(job->retry.attempts, 3);
    assert_true(job->max_failures.is_share);
    assert_int_equal(job->max_failures.share_millionth, 50000);
    assert_int_equal(job->when_empty, WHEN_EMPTY_NULL);
    assert_int_equal(job->when_changed, WHEN_CHANGED_ERROR);
}

static void updates_are_sent_again_when_their_row_changed(void **state)
{
    (void)state;
    loaded(HEAD CONNECTIONS "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.sku}\" }\n"
                            "    request: PATCH /products/${row.sku}\n"
                            "    body: { product: { name: x } }\n");
    assert_int_equal(spec.jobs[0].when_changed, WHEN_CHANGED_RESEND);
}

static void expression_may_be_a_part_of_its_path_segment(void **state)
{
    (void)state;
    loaded(HEAD CONNECTIONS
           "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.a}\" }\n"
           "    request: DELETE /products/a-long-prefix-${row.a}-${row.b}.x/variants/v1\n");
    assert_string_equal(spec.jobs[0].operation->path, "/products/{id}/variants/{variantId}");
}

static void relative_paths_are_from_the_folder_of_the_spec(void **state)
{
    (void)state;
    assert_int_equal(load_with("a/b/t.yaml", HEAD CONNECTIONS JOBS, NULL, 0), ERR_OK);
    assert_string_equal(spec.folder, "a/b");
    assert_string_equal(spec.jobs[0].source.path, "a/b/data/products.csv");
    assert_int_equal(load_with("/t.yaml", HEAD CONNECTIONS JOBS, NULL, 0), ERR_OK);
    assert_string_equal(spec.folder, "/");
}

static void simulator_needs_no_token(void **state)
{
    (void)state;
    loaded(HEAD "api: { environment: simulator }\nconnections: { shop: {}, books: }\n"
                "defaults: { connection: shop }\n" JOBS);
    assert_string_equal(spec.api.base_url, "");
    assert_null(spec.connections[0].access_token.name);
    assert_null(spec.connections[1].access_token.name);
}

static void variables_are_replaced_from_the_command_line(void **state)
{
    static const char yaml[] =
        HEAD "vars: { brand: X, n: 1.5, yes: false, empty: }\n" CONNECTIONS JOBS;
    static const struct spec_variable good[] = {{SLICE("brand"), SLICE("Y")},
                                                {SLICE("n"), SLICE("2")},
                                                {SLICE("yes"), SLICE("true")},
                                                {SLICE("empty"), SLICE("5")},
                                                {SLICE("brand"), SLICE("Z")}};
    static const struct spec_variable unknown[] = {{SLICE("brnd"), SLICE("Y")}};
    static const struct spec_variable wrong[] = {{SLICE("n"), SLICE("two")}};

    (void)state;
    assert_int_equal(load_with("t.yaml", yaml, good, 5), ERR_OK);
    assert_true(slice_is(value_member(&spec.vars, SLICE("brand")).text, "Z"));
    assert_int_equal(value_member(&spec.vars, SLICE("n")).kind, VALUE_NUMBER);
    assert_true(value_member(&spec.vars, SLICE("yes")).boolean);
    assert_int_equal(value_member(&spec.vars, SLICE("empty")).kind, VALUE_STRING);
    assert_int_equal(load_with("t.yaml", yaml, unknown, 1), ERR_INPUT);
    assert_non_null(strstr(buf_text(&out), "error: --var brnd: the spec has no such name under "
                                           "vars   [spec.variable]\n"
                                           "      help: did you mean 'brand'?"));
    assert_int_equal(load_with("t.yaml", yaml, wrong, 1), ERR_INPUT);
    assert_non_null(strstr(buf_text(&out), "t.yaml:3:22: error: --var n gives text for what is a "
                                           "number in the spec"));
}

static void variables_take_values_from_the_environment(void **state)
{
    static const char yaml[] =
        HEAD "vars: { a: \"${env.PURSER_TEST_A}\", b: \"<${vars.a}> $${x}\", c: [\"${vars.a}\"],"
             " d: \"${env.PURSER_TEST_NONE ?? \\\"none\\\"}\" }\n"
             "api: { environment: \"${vars.a}\" }\n" CONNECTIONS
             "jobs:\n  p:\n    source: { csv: \"${vars.a}.csv\", key: \"${row.a}\" }\n"
             "    request: DELETE /products/${row.a}\n";

    (void)state;
    setenv("PURSER_TEST_A", "production", 1);
    unsetenv("PURSER_TEST_NONE");
    loaded(yaml);
    assert_true(slice_is(value_member(&spec.vars, SLICE("b")).text, "<production> ${x}"));
    assert_int_equal(value_member(&spec.vars, SLICE("c")).kind, VALUE_LIST);
    assert_true(slice_is(value_member(&spec.vars, SLICE("d")).text, "none"));
    assert_int_equal(spec.api.environment, ENVIRONMENT_PRODUCTION);
    assert_string_equal(spec.jobs[0].source.path, "production.csv");
    unsetenv("PURSER_TEST_A");
    assert_int_equal(load_with("t.yaml", yaml, NULL, 0), ERR_INPUT);
    assert_non_null(strstr(buf_text(&out), "t.yaml:3:12: error: this variable has no value   "
                                           "[spec.variable]\n      help: give a default: "
                                           "${env.NAME ?? \"…\"}"));
}

static void every_allocation_may_fail(void **state)
{
    static const char yaml[] = HEAD "vars: { a: [1, { b: \"${1 + 2}\" }] }\n" CONNECTIONS JOBS;

    (void)state;
    for (int64_t nth = 0;; nth++) {
        enum err_code code;

        arena_deinit(&arena);
        diagnostics_deinit(&diagnostics);
        mem_test_fail(nth, 0);
        code = spec_load(&arena, "t.yaml", yaml, sizeof yaml - 1, NULL, 0, &spec, &diagnostics);
        mem_test_fail(-1, 0);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
    for (size_t bytes = 0;; bytes += 16) {
        enum err_code code;

        arena_deinit(&arena);
        arena_init(&arena, bytes);
        diagnostics_deinit(&diagnostics);
        code = spec_load(&arena, "t.yaml", yaml, sizeof yaml - 1, NULL, 0, &spec, &diagnostics);
        if (code == ERR_OK)
            break;
        assert_int_equal(code, ERR_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(smallest_spec_gets_the_defaults),
        TEST(full_spec_is_read_in_its_common_parts),
        TEST(full_spec_is_read_in_its_jobs),
        TEST(updates_are_sent_again_when_their_row_changed),
        TEST(expression_may_be_a_part_of_its_path_segment),
        TEST(relative_paths_are_from_the_folder_of_the_spec),
        TEST(simulator_needs_no_token),
        TEST(variables_are_replaced_from_the_command_line),
        TEST(variables_take_values_from_the_environment),
        TEST(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
