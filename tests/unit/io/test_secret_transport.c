#include "secret_transport_fixture.h"

#define TOKEN "tok-4711-\\\"quoted"
#define TOKEN_JSON "tok-4711-\\\\\\\"quoted"

static void references_become_secrets_on_the_way_out_alone(void **context)
{
    char text[] = "env-secret file+secret";
    int fd;

    (void)context;
    open_transport();
    fd = open(below("key"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "file+secret\n", 12), 12);
    close(fd);
    start("/connections/create",
          "{\"platform\":\"MAGENTO\",\"store_url\":\"u\",\"basic_username\":{\"env\":\"SHOP_1\"},"
          "\"basic_password\":{\"file\":\"key\"}}");
    assert_string_equal(inner.body,
                        "{\"platform\":\"MAGENTO\",\"store_url\":\"u\",\"basic_"
                        "username\":\"env-secret\",\"basic_password\":\"file+secret\"}");
    log_redact(text, strlen(text));
    assert_null(strstr(text, "secret f"));
    assert_null(strstr(text, "file+"));
    close_transport();
}

/* What a row could put there. */
static void an_object_in_a_plain_member_is_no_reference(void **context)
{
    static const char body[] = "{\"platform\":\"X\",\"store_url\":{\"env\":\"SHOP_1\"}}";

    (void)context;
    open_transport();
    start("/connections/create", body);
    assert_string_equal(inner.body, body);
    close_transport();
}

static void other_requests_pass_as_they_are(void **context)
{
    static const char body[] = "{\"product\":{\"access_token\":{\"env\":\"SHOP_1\"}}}";

    (void)context;
    open_transport();
    start("/products", body);
    assert_string_equal(inner.body, body);
    assert_true(slice_is(answer(200, "{\"access_token\":\"x\"}").body, "{\"access_token\":\"x\"}"));
    assert_string_equal(tokens(), "");
    close_transport();
}

static void an_exchange_carries_the_credentials_of_the_api(void **context)
{
    (void)context;
    open_transport();
    start("/item/public_token/exchange",
          "{\"public_token\":{\"env\":\"SHOP_1\"},\"client_id\":{\"api\":\"client_id\"},"
          "\"secret\":{\"api\":\"client_secret\"}}");
    assert_string_equal(inner.body, "{\"public_token\":\"env-secret\",\"client_id\":\"the-client\","
                                    "\"secret\":\"the-client-secret\"}");
    close_transport();
}

static void a_secret_that_is_not_there_is_a_request_that_did_not_leave(void **context)
{
    (void)context;
    unsetenv("SHOP_2");
    open_transport();
    start("/connections/create", "{\"api_key\":{\"env\":\"SHOP_2\"}}");
    assert_non_null(
        strstr(refused().failure, "not sent: api_key: environment variable 'SHOP_2' is not set"));
    start("/connections/create", "{\"api_key\":\"forged\"}");
    assert_non_null(strstr(refused().failure, "does not say where the secret is"));
    start("/connections/create", "{\"api_key\":{\"file\":\"missing\"}}");
    assert_non_null(strstr(refused().failure, "missing' does not exist"));
    close_transport();
}

static void a_simulator_takes_what_is_made_up(void **context)
{
    char first[4096];

    (void)context;
    unsetenv("SHOP_2");
    open_transport();
    spec.api.environment = ENVIRONMENT_SIMULATOR;
    start("/connections/create", "{\"api_key\":{\"env\":\"SHOP_2\"}}");
    memcpy(first, inner.body, sizeof first);
    answer(200, "{}");
    start("/connections/create", "{\"api_key\":{\"env\":\"SHOP_2\"}}");
    assert_string_equal(inner.body, first);
    assert_null(strstr(first, "env"));
    close_transport();
}

static void a_token_goes_to_the_file_and_nowhere_else(void **context)
{
    struct reply reply;
    char text[] = "said: " TOKEN;

    (void)context;
    open_transport();
    start("/connections/create", "");
    reply = answer(200, "{\"connection\":{\"id\":\"c-1\",\"access_token\":\"" TOKEN_JSON
                        "\",\"link_url\":\"https://l/?t=" TOKEN_JSON "\"},\"list\":[1.50,{\"new_"
                        "access_token\":\"other\"}]}");
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    assert_int_equal(reply.http_status, 200);
    assert_true(slice_is(reply.body, "{\"connection\":{\"id\":\"c-1\",\"link_url\":\"https://l/?t="
                                     "[secret]\"},\"list\":[1.50,{}]}"));
    assert_non_null(strstr(tokens(), "{\"job\":\"shops\",\"key\":\"shop-1\",\"connection_id\":\"c-"
                                     "1\",\"access_token\":\"" TOKEN_JSON "\",\"received\":\""));
    log_redact(text, strlen(text));
    assert_null(strstr(text, "4711"));
    close_transport();
}

static void of_an_answer_that_cannot_be_read_nothing_is_handed_on(void **context)
{
    struct reply reply;

    (void)context;
    open_transport();
    start("/connections/create", "");
    reply = answer(200, "{\"connection\":{\"access_token\":\"tok-cut-off");
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    assert_int_equal(reply.body.length, 0);
    close_transport();
}

static void a_refusal_that_repeats_a_secret_is_cleaned(void **context)
{
    (void)context;
    open_transport();
    start("/connections/create", "{\"api_key\":{\"env\":\"SHOP_1\"}}");
    assert_true(slice_is(answer(400, "{\"error_message\":\"env-secret is wrong\"}").body,
                         "{\"error_message\":\"[secret] is wrong\"}"));
    close_transport();
}

static void a_token_that_cannot_be_kept_makes_the_answer_lost(void **context)
{
    struct rlimit before, none;
    struct reply reply;

    (void)context;
    signal(SIGXFSZ, SIG_IGN);
    open_transport();
    start("/connections/create", "");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    reply = answer(200, "{\"connection\":{\"id\":\"c-1\",\"access_token\":\"tok-4711\"}}");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    assert_int_equal(reply.body.length, 0);
    assert_non_null(strstr(reply.failure, "the API answered 200, but the access token"));
    assert_null(strstr(reply.failure, "4711"));
    close_transport();
}

static void a_file_for_tokens_that_others_read_stops_everything(void **context)
{
    (void)context;
    open_transport();
    secret_transport_close(transport);
    assert_int_equal(chmod(below("tokens"), 0644), 0);
    assert_int_equal(secret_transport_open(&spec, &credentials, &inner.port, &transport, &err),
                     ERR_INPUT);
    assert_non_null(strstr(err.text, "can be read or written by others"));
    assert_int_equal(mem_test_live_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(references_become_secrets_on_the_way_out_alone),
        SCRATCH_TEST(an_object_in_a_plain_member_is_no_reference),
        SCRATCH_TEST(other_requests_pass_as_they_are),
        SCRATCH_TEST(an_exchange_carries_the_credentials_of_the_api),
        SCRATCH_TEST(a_secret_that_is_not_there_is_a_request_that_did_not_leave),
        SCRATCH_TEST(a_simulator_takes_what_is_made_up),
        SCRATCH_TEST(a_token_goes_to_the_file_and_nowhere_else),
        SCRATCH_TEST(of_an_answer_that_cannot_be_read_nothing_is_handed_on),
        SCRATCH_TEST(a_refusal_that_repeats_a_secret_is_cleaned),
        SCRATCH_TEST(a_token_that_cannot_be_kept_makes_the_answer_lost),
        SCRATCH_TEST(a_file_for_tokens_that_others_read_stops_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
