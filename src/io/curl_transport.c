/* The exchanges. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "curl_transport_internal.h"
#include "ordering_oracle.h"
#include "purser/base/log.h"
#include "purser/codec/reply.h"

bool header_value_is_visible(const char *text, size_t bytes_max)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return length > 0 && length <= bytes_max;
}

static struct curl_transport *of_port(struct transport *self)
{
    return (struct curl_transport *)self;
}

static void release(struct curl_transport *transport, struct slot *slot)
{
    slot->state = SLOT_FREE;
    transport->free_slots[transport->free_count++] = (uint32_t)(slot - transport->slots);
}

static void release_taken(struct curl_transport *transport)
{
    if (transport->taken != NULL)
        release(transport, transport->taken);
    transport->taken = NULL;
}

static enum err_code write_poll_url(struct curl_transport *transport,
                                    const struct transfer_request *request, char *url,
                                    struct err *err)
{
    bool v2 = request->job_path == JOB_PATH_V2;

    if (!reply_job_id_is_valid(slice_of(request->remote_job)))
        return err_set(err, ERR_INPUT, "the id of the remote job cannot be part of a URL");
    snprintf(url, transport->url_capacity, "%s%s%s",
             v2 ? transport->base.origin : transport->base.text, v2 ? "/v2/jobs/" : "/jobs/",
             request->remote_job);
    return ERR_OK;
}

static bool names_token(struct slice path)
{
    static const char name[] = "access_token=";

    return memmem(path.bytes, path.length, name, sizeof name - 1) != NULL;
}

static enum err_code write_url(struct curl_transport *transport,
                               const struct transfer_request *request, char *url, struct err *err)
{
    const char *token = "", *mark = "";

    if (request->remote_job != NULL)
        return write_poll_url(transport, request, url, err);
    if (request_path_check(request->path, err) != ERR_OK)
        return err->code;
    if (names_token(request->path))
        return err_set(err, ERR_INPUT,
                       "the path must not hold access_token; the connection of the "
                       "item adds it");
    if (request->connection != UINT32_MAX) {
        assert(request->connection < transport->token_count);
        assert(transport->tokens[request->connection] != NULL);
        token = transport->tokens[request->connection];
        mark = memchr(request->path.bytes, '?', request->path.length) != NULL ? "&" : "?";
    }
    snprintf(url, transport->url_capacity, "%s%.*s%s%s", transport->base.text,
             (int)request->path.length, request->path.bytes, mark, token);
    return ERR_OK;
}

/* The handle may have been used before, so every option that any request sets is set. */
static bool set_request(struct slot *slot, const struct transfer_request *request)
{
    bool is_poll = request->remote_job != NULL;
    enum http_method method = is_poll ? METHOD_GET : request->method;
    struct slice body = is_poll ? (struct slice){0} : request->body;
    bool sends_body = body.length > 0 || method == METHOD_POST;
    bool plain_method = method == METHOD_GET || method == METHOD_POST;
    CURL *easy = slot->easy;
    bool failed = false;

    if (sends_body) {
        SET(easy, CURLOPT_POST, 1L);
        SET(easy, CURLOPT_POSTFIELDS, body.length > 0 ? body.bytes : "");
        SET(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
    } else {
        SET(easy, CURLOPT_POSTFIELDS, NULL);
        SET(easy, CURLOPT_HTTPGET, 1L);
    }
    SET(easy, CURLOPT_CUSTOMREQUEST, plain_method ? NULL : method_name(method));
    SET(easy, CURLOPT_URL, slot->url);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    SET(easy, CURLOPT_FRESH_CONNECT, request->at_most_once ? 1L : 0L);
    SET(easy, CURLOPT_FORBID_REUSE, request->at_most_once ? 1L : 0L);
    return !failed;
}

static enum err_code set_headers(struct curl_transport *transport, struct slot *slot,
                                 const struct transfer_request *request, struct err *err)
{
    struct curl_slist *list =
        request->body.length > 0 ? &transport->content_type_node : &transport->common_headers[0];

    if (request->idempotency_key != NULL) {
        if (!header_value_is_visible(request->idempotency_key, IDEMPOTENCY_KEY_BYTES_MAX))
            return err_set(err, ERR_INPUT, "the idempotency key cannot be sent in a header");
        snprintf(slot->key_header, sizeof slot->key_header, "Idempotency-Key: %s",
                 request->idempotency_key);
        slot->key_node = (struct curl_slist){slot->key_header, list};
        list = &slot->key_node;
    }
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, list);
    return ERR_OK;
}

static enum err_code start(struct transport *self, const struct transfer_request *request,
                           struct err *err)
{
    struct curl_transport *transport = of_port(self);
    struct slot *slot;
    CURLMcode code;

    release_taken(transport);
    if (transport->broken.code != ERR_OK)
        return err_set(err, transport->broken.code, "%s", transport->broken.text);
    if (transport->free_count == 0)
        return err_set(err, ERR_BUSY, "all %u requests are in flight", transport->slot_count);
    slot = &transport->slots[transport->free_slots[transport->free_count - 1]];
    if (transport->renews && slot->was_used && !slot_renew(slot))
        return err_set(err, ERR_NO_MEMORY, "libcurl has no memory for a request");
    if (write_url(transport, request, slot->url, err) != ERR_OK ||
        set_headers(transport, slot, request, err) != ERR_OK)
        return err->code;
    answer_reset(&slot->answer);
    slot->tag = request->tag;
    slot->send_count = 0;
    slot->bad_peer = false;
    slot->failure[0] = '\0';
    if (!set_request(slot, request))
        return err_set(err, ERR_NO_MEMORY, "libcurl has no memory for a request");
    slot->was_used = true;
    ordering_oracle_leaves(request);
    code = curl_multi_add_handle(transport->multi, slot->easy);
    if (code != CURLM_OK)
        return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
    if (transport->broken.code != ERR_OK) { /* in a callback: nothing has left yet */
        curl_multi_remove_handle(transport->multi, slot->easy);
        return err_set(err, transport->broken.code, "%s", transport->broken.text);
    }
    transport->free_count--;
    slot->state = SLOT_RUNNING;
    return ERR_OK;
}

static bool is_trust_problem(CURLcode result)
{
    static const CURLcode problems[] = {
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,    CURLE_SSL_ISSUER_ERROR,
        CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CRL_BADFILE,
    };

    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        if (problems[i] == result)
            return true;
    }
    return false;
}

static enum transfer_outcome outcome_of(const struct slot *slot, CURLcode result, int http_status)
{
    if (slot->bad_peer)
        return TRANSFER_UNTRUSTED;
    /* A head that was cut off is a success for libcurl, and a damaged status line a 200. */
    if (result == CURLE_OK && http_status >= 200 && slot->answer.headers_complete &&
        slot->answer.http_status == http_status)
        return TRANSFER_ANSWERED;
    if (slot->send_count > 0)
        return TRANSFER_LOST;
    return is_trust_problem(result) ? TRANSFER_UNTRUSTED : TRANSFER_NOT_SENT;
}

/* Never with a URL: it holds the token. libcurl's own texts name the host alone, and whatever it
 * may say in another version passes through the redaction. */
static void explain_failure(struct slot *slot, CURLcode result)
{
    char *text = slot->failure;
    const size_t size = sizeof slot->failure;

    if (slot->bad_peer)
        snprintf(text, size, "the API's host name leads to %s, which is not a public address",
                 slot->peer);
    else if (slot->answer.refused != NULL)
        snprintf(text, size, "%s", slot->answer.refused);
    else if (slot->send_count > 1)
        snprintf(text, size, "the connection was closed before an answer came");
    else if (result == CURLE_OK)
        snprintf(text, size, "no complete answer");
    else if (text[0] == '\0')
        snprintf(text, size, "%s", curl_easy_strerror(result));
    text[log_redact(text, strlen(text))] = '\0';
    for (char *at = text; *at != '\0'; at++)
        *at = *at >= ' ' && *at <= '~' ? *at : ' ';
}

/* Source: curl/curl.h, CURL_HTTP_VERSION_*. */
static int http_version_of(CURL *easy)
{
    long version = CURL_HTTP_VERSION_NONE;

    curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return 10;
    case CURL_HTTP_VERSION_1_1:
        return 11;
    case CURL_HTTP_VERSION_2_0:
        return 20;
    case CURL_HTTP_VERSION_3:
        return 30;
    default:
        return 0;
    }
}

static void fill_reply(struct slot *slot, CURLcode result, struct reply *reply)
{
    long http_status = 0;
    curl_off_t total_us = 0;

    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &http_status);
    curl_easy_getinfo(slot->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    *reply = (struct reply){.tag = slot->tag,
                            .outcome = outcome_of(slot, result, (int)http_status),
                            .content_type = "",
                            .request_id = "",
                            .job_id = "",
                            .retry_after = "",
                            .date = "",
                            .failure = "",
                            .duration_ms = total_us / 1000};
    if (reply->outcome != TRANSFER_ANSWERED) {
        explain_failure(slot, result);
        reply->failure = slot->failure;
        return;
    }
    reply->http_status = (int)http_status;
    reply->http_version = http_version_of(slot->easy);
    reply->body = (struct slice){buf_text(&slot->answer.body), slot->answer.body.length};
    reply->content_type = slot->answer.content_type;
    reply->request_id = slot->answer.request_id;
    reply->job_id = slot->answer.job_id;
    reply->retry_after = slot->answer.retry_after;
    reply->date = slot->answer.date;
}

static void finish(struct curl_transport *transport, struct slot *slot, CURLcode result,
                   struct reply *reply_out)
{
    fill_reply(slot, result, reply_out);
    curl_multi_remove_handle(transport->multi, slot->easy);
    slot->state = SLOT_TAKEN;
    transport->taken = slot;
}

/* When libcurl or what it waits with failed, no transfer will ever be reported by it. */
static bool take_broken(struct curl_transport *transport, struct reply *reply_out)
{
    for (uint32_t i = 0; i < transport->slot_count; i++) {
        struct slot *slot = &transport->slots[i];

        if (slot->state != SLOT_RUNNING)
            continue;
        snprintf(slot->failure, sizeof slot->failure, "%.*s", (int)sizeof slot->failure - 1,
                 transport->broken.text);
        finish(transport, slot, CURLE_FAILED_INIT, reply_out);
        return true;
    }
    return false;
}

static bool take(struct transport *self, struct reply *reply_out)
{
    struct curl_transport *transport = of_port(self);
    CURLMsg *message;
    int left;

    release_taken(transport);
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        CURLcode result = message->data.result; /* dies with remove_handle */
        struct slot *slot = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &slot);
        finish(transport, slot, result, reply_out);
        return true;
    }
    return transport->broken.code != ERR_OK && take_broken(transport, reply_out);
}

static void abandon(struct transport *self)
{
    struct curl_transport *transport = of_port(self);

    release_taken(transport);
    for (uint32_t i = 0; i < transport->slot_count; i++) {
        struct slot *slot = &transport->slots[i];

        if (slot->state != SLOT_RUNNING)
            continue;
        curl_multi_remove_handle(transport->multi, slot->easy);
        release(transport, slot);
    }
}

const struct transport_ops curl_transport_ops = {.start = start, .take = take, .abandon = abandon};
