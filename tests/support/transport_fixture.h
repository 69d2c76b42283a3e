/* A transport and a scripted server that answers it. */
#ifndef PURSER_TESTS_TRANSPORT_FIXTURE_H
#define PURSER_TESTS_TRANSPORT_FIXTURE_H

#include "purser/io/curl_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/io/clock.h"
#include "scripted_server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define OK_EMPTY OK_HEAD "Content-Length: 2\r\n\r\n{}"
#define TOKEN "to/ken+with=odd&bytes"
#define TOKEN_ENCODED "to%2Fken%2Bwith%3Dodd%26bytes"

/* Secrets that must never come out in any text of the transport. */
static const char *const tokens[] = {TOKEN, "second-token"};

struct fixture {
    struct event_loop *loop;
    struct scripted_server *server;
    struct curl_transport *transport;
    struct transport *port;
    struct err err;
};

static inline void open_transport(struct fixture *fixture, const char *base_url,
                                  const char *ca_file, uint32_t in_flight)
{
    const struct curl_transport_options options = {.base_url = base_url,
                                                   .version = "2024-08-31",
                                                   .client_id = "the-client",
                                                   .client_secret = "the-secret",
                                                   .access_tokens = tokens,
                                                   .connection_count = 2,
                                                   .ca_file = ca_file,
                                                   .in_flight = in_flight,
                                                   .connect_timeout_ms = 5000};

    assert_int_equal(event_loop_open(&fixture->loop, &fixture->err), ERR_OK);
    if (curl_transport_open(fixture->loop, &options, &fixture->transport, &fixture->err) != ERR_OK)
        fail_msg("%s", fixture->err.text);
    fixture->port = curl_transport_port(fixture->transport);
}

static inline void open_fixture(struct fixture *fixture, const struct scripted_answer *script,
                                size_t count, uint32_t in_flight)
{
    char base_url[64];

    memset(fixture, 0, sizeof *fixture);
    fixture->server = scripted_server_start(script, count);
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u/versioned",
             scripted_server_port(fixture->server));
    open_transport(fixture, base_url, NULL, in_flight);
}

static inline void close_fixture(struct fixture *fixture)
{
    curl_transport_close(fixture->transport);
    event_loop_close(fixture->loop);
    if (fixture->server != NULL)
        scripted_server_stop(fixture->server);
    assert_int_equal(mem_test_live_count(), 0);
}

static inline struct transfer_request post_of(uint64_t tag)
{
    return (struct transfer_request){.tag = tag,
                                     .connection = 0,
                                     .method = METHOD_POST,
                                     .path = SLICE("/products"),
                                     .body = SLICE("{\"product\":{}}"),
                                     .idempotency_key = "11111111-2222-4333-8444-555555555555",
                                     .timeout_ms = 10000};
}

static inline void begin(struct fixture *fixture, const struct transfer_request *request)
{
    if (fixture->port->ops->start(fixture->port, request, &fixture->err) != ERR_OK)
        fail_msg("%s", fixture->err.text);
}

static inline struct reply wait_for_reply(struct fixture *fixture)
{
    struct reply reply;
    int64_t start_ms = clock_boot_ms();

    memset(&reply, 0xff, sizeof reply);
    while (!fixture->port->ops->take(fixture->port, &reply)) {
        assert_int_equal(event_loop_turn(fixture->loop, 1000, &fixture->err), ERR_OK);
        assert_true(clock_boot_ms() - start_ms < 30000);
    }
    assert_null(strstr(reply.failure, "token"));
    return reply;
}

static inline struct reply exchange(struct fixture *fixture, const struct transfer_request *request)
{
    begin(fixture, request);
    return wait_for_reply(fixture);
}

#endif
