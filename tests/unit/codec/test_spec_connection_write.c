#include "spec_fixture.h"

#define API "api: { environment: simulator }\n"
#define JOB(request, body) \
    "jobs:\n  p:\n    source: { csv: p.csv, key: \"${row.a}\" }\n    request: " request "\n" body
#define CREATE "POST /connections/create"
#define TOKENS "    access_tokens: tokens.ndjson\n"

static const char *spec_of(const char *job)
{
    buf_clear(&text);
    buf_append_format(&text, HEAD API "%s", job);
    return buf_text(&text);
}

static void a_job_without_an_access_token_runs_on_a_connection_of_its_own(void **state)
{
    (void)state;
    loaded(spec_of(JOB(CREATE, TOKENS)));
    assert_int_equal(spec.connection_count, 1);
    assert_string_equal(spec.connections[0].alias, "organisation");
    assert_true(spec.connections[0].has_no_token);
    assert_true(slice_is(spec.jobs[0].connection->text, "organisation"));
    assert_string_equal(spec.jobs[0].access_tokens, "tokens.ndjson");
    assert_int_equal(spec.jobs[0].connection_write, CONNECTION_WRITE_CREATE);
    loaded(HEAD CONNECTIONS JOB("DELETE /connections/${row.id}", ""));
    assert_int_equal(spec.connection_count, 2);
    assert_string_equal(spec.connections[0].alias, "shop");
    assert_false(spec.connections[0].has_no_token);
    assert_true(spec.connections[1].has_no_token);
    loaded(HEAD CONNECTIONS JOB("DELETE /products/${row.id}", ""));
    assert_int_equal(spec.connection_count, 1);
    assert_message(HEAD CONNECTIONS JOB(CREATE, TOKENS "    connection: shop\n"), ERR_INPUT,
                   "takes no access token, so it belongs to no connection");
    assert_message(HEAD "connections: { organisation: { access_token: { env: T } } }\n" JOBS,
                   ERR_INPUT, "is the name of what operations without an access token run on");
}

static void secrets_are_references_and_nothing_else(void **state)
{
    static const char *const refused[] = {
        "hunter2",
        "\"${row.password}\"",
        "\"${vars.x}\"",
        "[ a ]",
        "12",
        "true",
        "{ env: A, file: B }",
        "{ literal: hunter2 }",
        "{ api: client_secret }",
        "{ env: [A] }",
        "{ env: \"\" }",
        "{ $for: x in row.list, $do: a }",
        "{}",
    };
    char body[256];

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        snprintf(body, sizeof body, JOB(CREATE, TOKENS "    body: { basic_password: %s }\n"),
                 refused[i]);
        assert_message(spec_of(body), ERR_INPUT, "'basic_password'");
        assert_null(strstr(buf_text(&out), "hunter2"));
    }
    loaded(spec_of(JOB(CREATE, TOKENS "    body: { platform: \"${row.p}\", anything_new: { file: "
                                      "\"s/${row.a}\" } }\n")));
    assert_message(spec_of(JOB(CREATE, TOKENS "    body: { store_url: { env: A } }\n")), ERR_INPUT,
                   "'store_url' is no secret");
}

static void answers_with_tokens_need_a_file_for_them(void **state)
{
    (void)state;
    assert_refused(spec_of(JOB(CREATE, "")), "t.yaml:7:14: error: the answers hold access tokens");
    assert_message(HEAD CONNECTIONS JOB("POST /connections/access_token/invalidate", ""), ERR_INPUT,
                   "the answers hold access tokens");
    assert_message(HEAD CONNECTIONS JOB("DELETE /products/${row.a}", TOKENS), ERR_INPUT,
                   "no access token comes back from DELETE /products/{id}");
    assert_message(spec_of(JOB(CREATE, TOKENS
                               "    outputs: { t: \"${response.connection.access_token}\" }\n")),
                   ERR_INPUT, "an access token cannot be an output");
}

static void an_exchange_gets_the_credentials_of_the_api(void **state)
{
    const struct yaml_node *body;

    (void)state;
    loaded(spec_of(JOB("POST /item/public_token/exchange",
                       TOKENS "    body: { public_token: { env: \"P_${row.a}\" } }\n")));
    body = spec.jobs[0].body;
    assert_int_equal(body->count, 3);
    assert_true(slice_is(yaml_get(yaml_get(body, "client_id"), "api")->text, "client_id"));
    assert_true(slice_is(yaml_get(yaml_get(body, "secret"), "api")->text, "client_secret"));
    assert_message(spec_of(JOB("POST /item/public_token/exchange",
                               TOKENS "    body: { secret: { env: S } }\n")),
                   ERR_INPUT, "'secret' has no place in this body");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_job_without_an_access_token_runs_on_a_connection_of_its_own),
        TEST(secrets_are_references_and_nothing_else),
        TEST(answers_with_tokens_need_a_file_for_them),
        TEST(an_exchange_gets_the_credentials_of_the_api),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
