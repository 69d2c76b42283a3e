/* A transport for secrets over one that keeps the request that came and answers as told. */
#ifndef PURSER_TESTS_SECRET_TRANSPORT_FIXTURE_H
#define PURSER_TESTS_SECRET_TRANSPORT_FIXTURE_H

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
#include "purser/io/secret_transport.h"
#include "scratch.h"

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

static inline void open_transport(void)
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

static inline void close_transport(void)
{
    secret_transport_close(transport);
    log_forget();
    assert_int_equal(mem_test_live_count(), 0);
}

static inline void start(const char *path, const char *body)
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

static inline struct reply answer(int http_status, const char *body)
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

static inline struct reply refused(void)
{
    struct reply reply;

    assert_int_equal(inner.started, 0);
    assert_true(port->ops->take(port, &reply));
    assert_int_equal(reply.outcome, TRANSFER_NOT_SENT);
    return reply;
}

static inline const char *tokens(void)
{
    static char content[1024];
    int fd = open(below("tokens"), O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, content, sizeof content - 1);

    close(fd);
    content[length < 0 ? 0 : length] = '\0';
    return content;
}

#endif
