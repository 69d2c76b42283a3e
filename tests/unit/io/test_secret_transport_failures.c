/* What keeps a secret from leaving, or a token from being kept: nothing is pretended, and nothing
 * of them is seen. */
#include "secret_transport_fixture.h"

static enum err_code start_again(void)
{
    const struct transfer_request request = {.tag = 5,
                                             .method = METHOD_POST,
                                             .path = SLICE("/connections/create"),
                                             .body = SLICE("{\"api_key\":{\"env\":\"SHOP_1\"}}"),
                                             .item_key = SLICE("shop-1")};

    err = (struct err){0};
    return port->ops->start(port, &request, &err);
}

/* --- on the way out --- */

/* What the loader lets through has none of these; what a ledger of another time holds may. */
static void a_body_that_is_no_reference_does_not_leave(void **context)
{
    static const char *const bodies[] = {
        "{\"api_key\":{\"other\":\"SHOP_1\"}}",
        "{\"api_key\":{\"env\":\"SHOP_1\",\"file\":\"key\"}}",
        "{\"api_key\":{\"env\":1}}",
        "{\"api_key\":{\"env\":\"a\\u0000b\"}}",
        "[]",
        "{",
    };
    static char path[5000];
    char body[6000];

    (void)context;
    open_transport();
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        start("/connections/create", bodies[i]);
        assert_true(strncmp(refused().failure, "not sent: ", 10) == 0);
    }
    memset(path, 'p', sizeof path - 1);
    snprintf(body, sizeof body, "{\"api_key\":{\"file\":\"%.4090s\"}}", path);
    start("/connections/create", body);
    assert_non_null(strstr(refused().failure, "the path of the file is too long"));
    snprintf(body, sizeof body, "{\"api_key\":{\"file\":\"%s\"}}", path);
    start("/connections/create", body);
    assert_non_null(strstr(refused().failure, "does not say where the secret is"));
    close_transport();
}

static void more_requests_than_may_be_in_flight_are_not_begun(void **context)
{
    (void)context;
    open_transport();
    assert_int_equal(start_again(), ERR_OK);
    assert_int_equal(start_again(), ERR_OK);
    assert_int_equal(start_again(), ERR_BUSY);
    assert_int_equal(inner.started, 2);
    port->ops->abandon(port);
    assert_int_equal(start_again(), ERR_OK);
    close_transport();
}

static enum err_code refuse_start(struct transport *self, const struct transfer_request *request,
                                  struct err *why)
{
    (void)self, (void)request;
    return err_set(why, ERR_SYSTEM, "no");
}

/* It takes no place, and its body is wiped. */
static void a_request_that_is_refused_below_is_forgotten(void **context)
{
    static const struct transport_ops refusing = {refuse_start, inner_take, inner_abandon};

    (void)context;
    open_transport();
    inner.port.ops = &refusing;
    for (int i = 0; i < 3; i++) /* more than may be in flight */
        assert_int_equal(start_again(), ERR_SYSTEM);
    inner.port.ops = &inner_ops;
    assert_int_equal(start_again(), ERR_OK);
    close_transport();
}

static void no_memory_is_told_and_nothing_is_half_sent(void **context)
{
    enum err_code code = ERR_NO_MEMORY;

    (void)context;
    open_transport();
    for (int64_t nth = 0; code != ERR_OK; nth++) {
        secret_transport_close(transport);
        transport = NULL;
        mem_test_fail(nth, 0);
        code = secret_transport_open(&spec, &credentials, &inner.port, &transport, &err);
        mem_test_fail(-1, 0);
        assert_true(nth < 100 && (code == ERR_OK || code == ERR_NO_MEMORY));
        if (code != ERR_OK)
            assert_int_equal(mem_test_live_count(), 0);
    }
    close_transport();
    code = ERR_NO_MEMORY;
    for (int64_t nth = 0; code != ERR_OK; nth++) {
        open_transport();
        mem_test_fail(nth, 0);
        code = start_again();
        mem_test_fail(-1, 0);
        assert_true(nth < 100 && (code == ERR_OK || code == ERR_NO_MEMORY));
        assert_int_equal(inner.started, code == ERR_OK ? 1 : 0);
        close_transport();
    }
}

/* --- on the way in --- */

static void an_answer_without_memory_is_lost_unless_its_token_is_kept(void **context)
{
    static const char body[] = "{\"list\":[{\"a\":[1,\"x\"]}],\"connection_id\":\"c-9\","
                               "\"access_token\":\"tok-4711\",\"name\":\"n\"}";
    static const char without[] =
        "{\"list\":[{\"a\":[1,\"x\"]}],\"connection_id\":\"c-9\",\"name\":\"n\"}";
    uint64_t failures;
    int64_t nth = 0;

    (void)context;
    do {
        struct reply reply;

        open_transport();
        start("/connections/create", "");
        failures = mem_failure_count();
        mem_test_fail(nth++, 0);
        reply = answer(200, body);
        mem_test_fail(-1, 0);
        assert_true(nth < 200);
        if (reply.outcome == TRANSFER_ANSWERED) /* whatever else is missing of it */
            assert_non_null(strstr(tokens(), "\"access_token\":\"tok-4711\""));
        else
            assert_non_null(strstr(reply.failure, "the access token in its answer was not kept"));
        if (reply.body.length > 0)
            assert_true(slice_is(reply.body, without));
        if (mem_failure_count() == failures)
            assert_true(reply.body.length > 0);
        close_transport();
        assert_int_equal(unlink(below("tokens")), 0);
    } while (mem_failure_count() > failures);
}

/* Longer than a secret may be: it is kept, but cannot be hidden in the text around it. */
static void of_an_answer_with_a_token_without_end_only_the_token_is_kept(void **context)
{
    static char body[SECRET_BYTES_MAX + 200];
    struct reply reply;
    size_t length;

    (void)context;
    open_transport();
    start("/connections/create", "");
    length = (size_t)snprintf(body, sizeof body, "{\"note\":\"n\",\"access_token\":\"");
    memset(body + length, 't', SECRET_BYTES_MAX + 1);
    memcpy(body + length + SECRET_BYTES_MAX + 1, "\"}", 3);
    reply = answer(200, body);
    assert_int_equal(reply.outcome, TRANSFER_ANSWERED);
    assert_int_equal(reply.body.length, 0);
    assert_non_null(strstr(tokens(), "\"access_token\":\"tttt"));
    close_transport();
}

static void a_token_that_is_no_text_is_not_handed_on(void **context)
{
    (void)context;
    open_transport();
    start("/connections/create", "");
    assert_true(slice_is(answer(200, "{\"access_token\":17,\"a\":{\"access_token\":\"\"}}").body,
                         "{\"a\":{}}"));
    assert_string_equal(tokens(), "");
    close_transport();
}

static void what_was_not_answered_passes_as_it_is(void **context)
{
    struct reply reply;

    (void)context;
    open_transport();
    start("/connections/create", "");
    assert_false(port->ops->take(port, &reply));
    inner.has_reply = true;
    inner.reply.outcome = TRANSFER_LOST;
    assert_true(port->ops->take(port, &reply));
    assert_int_equal(reply.outcome, TRANSFER_LOST);
    inner.has_reply = true; /* of a request that needs no secrets */
    assert_true(port->ops->take(port, &reply));
    close_transport();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_body_that_is_no_reference_does_not_leave),
        SCRATCH_TEST(more_requests_than_may_be_in_flight_are_not_begun),
        SCRATCH_TEST(a_request_that_is_refused_below_is_forgotten),
        SCRATCH_TEST(no_memory_is_told_and_nothing_is_half_sent),
        SCRATCH_TEST(an_answer_without_memory_is_lost_unless_its_token_is_kept),
        SCRATCH_TEST(of_an_answer_with_a_token_without_end_only_the_token_is_kept),
        SCRATCH_TEST(a_token_that_is_no_text_is_not_handed_on),
        SCRATCH_TEST(what_was_not_answered_passes_as_it_is),
    };

    return cmocka_run_group_tests_name("io/secret_transport: failures", tests, NULL, NULL);
}
