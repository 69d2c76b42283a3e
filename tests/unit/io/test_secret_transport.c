#include "purser/io/secret_transport.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "scratch.h"

#define TOKEN "tok-4711-\\\"quoted"
#define TOKEN_JSON "tok-4711-\\\\\\\"quoted"

/* What lies below: keeps the request that came, and answers as told. */
struct inner {
    struct transport port;
    unsigned started;
    char body[4096];
    struct reply reply;
    bool has_reply;
};

static enum err_code inner_start(struct transport *self, const struct transfer_request *request,
                                 struct err *err)
{
    struct inner *inner = (struct inner *)self;

    (void)err;
    inner->started++;
    snprintf(inner->body, sizeof inner->body, "%.*s", (int)request->body.length,
             request->body.bytes == NULL ? "" : request->body.bytes);
    inner->reply.tag = request->tag;
    return ERR_OK;
}

static bool inner_take(struct transport *self, struct reply *reply_out)
{
    struct inner *inner = (struct inner *)self;
    bool had = inner->has_reply;

    inner->has_reply = false;
    *reply_out = inner->reply;
    return had;
}

static void inner_abandon(struct transport *self)
{
    ((struct inner *)self)->has_reply = false;
}

static const struct transport_ops inner_ops = {inner_start, inner_take, inner_abandon};

static struct inner inner;
static struct spec spec;
static struct spec_job job;
static struct credentials credentials;
static struct secret_transport *transport;
static struct transport *port;
static struct err err;

static void open_transport(void)
{
    static char id[] = "the-client", secret[] = "the-client-secret", path[256];

    snprintf(path, sizeof path, "%s", below("tokens"));
    inner = (struct inner){.port.ops = &inner_ops};
    err = (struct err){0};
    job = (struct spec_job){
        .name = "shops", .connection_write = CONNECTION_WRITE_CREATE, .access_tokens = path};
    spec = (struct spec){.folder = scratch, .jobs = &job, .job_count = 1};
    spec.api.environment = ENVIRONMENT_URL;
    spec.api.in_flight = 2;
    credentials = (struct credentials){.client_id = id, .client_secret = secret};
    setenv("SHOP_1", "env-secret", 1);
    if (secret_transport_open(&spec, &credentials, &inner.port, &transport, &err) != ERR_OK)
        fail_msg("%s", err.text);
    port = secret_transport_port(transport);
}

static void close_transport(void)
{
    secret_transport_close(transport);
    log_forget();
    assert_int_equal(mem_test_live_count(), 0);
}

static void start(const char *path, const char *body)
{
    const struct transfer_request request = {.tag = 5,
                                             .connection = UINT32_MAX,
                                             .method = METHOD_POST,
                                             .path = slice_of(path),
                                             .body = slice_of(body),
                                             .item_key = SLICE("shop-1")};

    if (port->ops->start(port, &request, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static struct reply answer(int http_status, const char *body)
{
    struct reply reply;

    inner.has_reply = true;
    inner.reply.outcome = TRANSFER_ANSWERED;
    inner.reply.http_status = http_status;
    inner.reply.body = slice_of(body);
    inner.reply.content_type = inner.reply.request_id = inner.reply.job_id = "";
    inner.reply.retry_after = inner.reply.date = inner.reply.failure = "";
    assert_true(port->ops->take(port, &reply));
    assert_int_equal(reply.tag, 5);
    return reply;
}

static struct reply refused(void)
{
    struct reply reply;

    assert_int_equal(inner.started, 0);
    assert_true(port->ops->take(port, &reply));
    assert_int_equal(reply.outcome, TRANSFER_NOT_SENT);
    return reply;
}

static const char *tokens(void)
{
    static char content[1024];
    int fd = open(below("tokens"), O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, content, sizeof content - 1);

    close(fd);
    content[length < 0 ? 0 : length] = '\0';
    return content;
}

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
