#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl_transport_internal.h"
#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/codec/reply.h"

#define USER_AGENT "purser/" PURSER_VERSION

enum { CONNECTION_IDLE_S = 118, CONNECTION_LIFE_S = 3600, CONNECT_TIMEOUT_MS = 10000 };

/* libcurl sends a request again by itself when a reused connection dies before the first byte of
 * the answer. For a write that would be a second send that nobody recorded, so it is stopped here.
 * Source: curl lib/transfer.c, Curl_retry_request; found with a server that counts. */
static int before_send(void *context, char *peer, char *local, int peer_port, int local_port)
{
    struct slot *slot = context;

    (void)local;
    (void)peer_port;
    (void)local_port;
    if (!peer_is_allowed(slot->transport->base.policy, peer)) {
        slot->bad_peer = true;
        snprintf(slot->peer, sizeof slot->peer, "%s", peer);
        return CURL_PREREQFUNC_ABORT;
    }
    slot->send_count++;
    return slot->send_count > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Options that are the same for every request. There is no switch that makes any of them weaker. */
static void set_security(CURL *easy, const struct base_url *base, const char *ca_file)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);

    if (ca_file == NULL)
        ca_file = version->cainfo;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, base->plain ? "http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 0L);
    curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        /* With both set libcurl reads the bundle anew for each connection: 23 ms instead of 1. */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
}

static void set_common(struct slot *slot, const struct curl_transport_options *options)
{
    struct curl_transport *transport = slot->transport;
    CURL *easy = slot->easy;
    long connect_timeout_ms =
        options->connect_timeout_ms > 0 ? (long)options->connect_timeout_ms : CONNECT_TIMEOUT_MS;

    set_security(easy, &transport->base, options->ca_file);
    sockets_attach(transport, easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->failure);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     transport->base.plain ? (long)CURL_HTTP_VERSION_1_1
                                           : (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(easy, CURLOPT_USERNAME, options->client_id);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options->client_secret);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, slot);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &slot->answer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &slot->answer);
}

/* --- opening and closing --- */

static bool is_visible(const char *text, size_t bytes_max)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return length > 0 && length <= bytes_max;
}

static enum err_code check_options(const struct curl_transport_options *options, struct err *err)
{
    if (options->in_flight == 0 || options->in_flight > IN_FLIGHT_MAX)
        return err_set(err, ERR_INPUT, "requests in flight must be 1 to %d", IN_FLIGHT_MAX);
    if (!is_visible(options->version, 64))
        return err_set(err, ERR_INPUT, "the API version cannot be sent in a header");
    if (!is_visible(options->client_id, TOKEN_BYTES_MAX) || strchr(options->client_id, ':') != NULL)
        return err_set(err, ERR_INPUT, "the client id must be visible ASCII without ':'");
    if (!is_visible(options->client_secret, TOKEN_BYTES_MAX))
        return err_set(err, ERR_INPUT, "the client secret must be visible ASCII");
    for (size_t i = 0; i < options->connection_count; i++) {
        if (!is_visible(options->access_tokens[i], TOKEN_BYTES_MAX))
            return err_set(err, ERR_INPUT,
                           "the access token of connection %zu must be visible ASCII", i + 1);
    }
    return ERR_OK;
}

/* "access_token=…", encoded once. */
static enum err_code copy_tokens(struct curl_transport *transport,
                                 const struct curl_transport_options *options, struct err *err)
{
    size_t longest = 0;

    transport->tokens = mem_new(options->connection_count, sizeof transport->tokens[0]);
    if (transport->tokens == NULL)
        return err_set(err, ERR_NO_MEMORY, "out of memory for %zu connections",
                       options->connection_count);
    transport->token_count = options->connection_count;
    for (size_t i = 0; i < options->connection_count; i++) {
        static const char name[] = "access_token=";
        char *encoded = curl_easy_escape(NULL, options->access_tokens[i], 0);
        size_t length = encoded == NULL ? 0 : strlen(encoded);
        char *token = encoded == NULL ? NULL : mem_new(sizeof name + length, 1);

        if (token != NULL)
            snprintf(token, sizeof name + length, "%s%s", name, encoded);
        if (encoded != NULL)
            explicit_bzero(encoded, length);
        curl_free(encoded);
        if (token == NULL)
            return err_set(err, ERR_NO_MEMORY, "out of memory for a token");
        transport->tokens[i] = token;
        longest = strlen(token) > longest ? strlen(token) : longest;
    }
    transport->url_capacity = strlen(transport->base.text) + PATH_BYTES_MAX + longest + 32;
    return ERR_OK;
}

/* Lists are built by hand: a request then allocates none, and all share this tail. */
static void build_headers(struct curl_transport *transport, const char *version)
{
    static char no_expect[] = "Expect:", no_accept[] = "Accept:";
    static char json[] = "Content-Type: application/json";

    snprintf(transport->version_header, sizeof transport->version_header, "X-Rutter-Version: %s",
             version);
    transport->common_headers[0] =
        (struct curl_slist){transport->version_header, &transport->common_headers[1]};
    transport->common_headers[1] = (struct curl_slist){no_expect, &transport->common_headers[2]};
    transport->common_headers[2] = (struct curl_slist){no_accept, NULL};
    transport->content_type_node = (struct curl_slist){json, &transport->common_headers[0]};
}

static enum err_code open_slots(struct curl_transport *transport,
                                const struct curl_transport_options *options, struct err *err)
{
    transport->slots = mem_new(options->in_flight, sizeof transport->slots[0]);
    transport->free_slots = mem_new(options->in_flight, sizeof transport->free_slots[0]);
    if (transport->slots == NULL || transport->free_slots == NULL)
        return err_set(err, ERR_NO_MEMORY, "out of memory for %u requests in flight",
                       options->in_flight);
    transport->slot_count = options->in_flight;
    for (uint32_t i = options->in_flight; i-- > 0;) {
        struct slot *slot = &transport->slots[i];

        slot->transport = transport;
        buf_init(&slot->answer.body, ANSWER_BYTES_MAX);
        slot->url = mem_new(transport->url_capacity, 1);
        slot->easy = curl_easy_init();
        if (slot->url == NULL || slot->easy == NULL)
            return err_set(err, ERR_NO_MEMORY, "out of memory for requests in flight");
        set_common(slot, options);
        transport->free_slots[transport->free_count++] = i;
    }
    return ERR_OK;
}

static enum err_code open_multi(struct curl_transport *transport, uint32_t in_flight,
                                struct err *err)
{
    /* Keys of TLS sessions are nobody's business, whatever the environment says. */
    unsetenv("SSLKEYLOGFILE");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_SYSTEM, "libcurl cannot be initialised");
    transport->curl_is_up = true;
    transport->multi = curl_multi_init();
    if (transport->multi == NULL)
        return err_set(err, ERR_NO_MEMORY, "out of memory for libcurl");
    curl_multi_setopt(transport->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    /* A transfer must never wait inside libcurl: there its time-out runs and each turn walks the
     * queue. One connection for each slot, and idle ones on top so that a burst keeps them. */
    curl_multi_setopt(transport->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)in_flight);
    curl_multi_setopt(transport->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)in_flight);
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, 2 * (long)in_flight);
    return sockets_open(transport, err);
}

static const struct transport_ops curl_transport_ops;

enum err_code curl_transport_open(struct event_loop *loop,
                                  const struct curl_transport_options *options,
                                  struct curl_transport **transport_out, struct err *err)
{
    struct curl_transport *transport;

    if (check_options(options, err) != ERR_OK)
        return err->code;
    transport = mem_new(1, sizeof *transport);
    if (transport == NULL)
        return err_set(err, ERR_NO_MEMORY, "out of memory for the transport");
    transport->port.ops = &curl_transport_ops;
    transport->loop = loop;
    transport->timer_fd = -1;
    if (base_url_read(options->base_url, &transport->base, err) != ERR_OK ||
        open_multi(transport, options->in_flight, err) != ERR_OK ||
        copy_tokens(transport, options, err) != ERR_OK)
        goto fail;
    build_headers(transport, options->version);
    if (open_slots(transport, options, err) != ERR_OK)
        goto fail;
    *transport_out = transport;
    return ERR_OK;
fail:
    curl_transport_close(transport);
    return err->code;
}

static void close_slot(struct curl_transport *transport, struct slot *slot)
{
    if (slot->state == SLOT_RUNNING)
        curl_multi_remove_handle(transport->multi, slot->easy);
    curl_easy_cleanup(slot->easy);
    mem_free_secret(slot->url, transport->url_capacity);
    buf_deinit(&slot->answer.body);
}

void curl_transport_close(struct curl_transport *transport)
{
    if (transport == NULL)
        return;
    for (uint32_t i = 0; i < transport->slot_count; i++)
        close_slot(transport, &transport->slots[i]);
    /* Closes the idle connections and calls our socket callbacks for them. */
    curl_multi_cleanup(transport->multi);
    sockets_close(transport);
    for (size_t i = 0; i < transport->token_count; i++) {
        if (transport->tokens[i] != NULL)
            mem_free_secret(transport->tokens[i], strlen(transport->tokens[i]));
    }
    if (transport->curl_is_up)
        curl_global_cleanup();
    mem_free(transport->tokens);
    mem_free(transport->free_slots);
    mem_free(transport->slots);
    mem_free(transport);
}

struct transport *curl_transport_port(struct curl_transport *transport)
{
    return &transport->port;
}

const char *curl_transport_version(void)
{
    return curl_version();
}

/* --- one exchange --- */

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
        token = transport->tokens[request->connection];
        mark = memchr(request->path.bytes, '?', request->path.length) != NULL ? "&" : "?";
    }
    snprintf(url, transport->url_capacity, "%s%.*s%s%s", transport->base.text,
             (int)request->path.length, request->path.bytes, mark, token);
    return ERR_OK;
}

/* The handle was used before, so every option that any request sets is set. */
static void set_method(CURL *easy, enum http_method method, struct slice body)
{
    bool sends_body = body.length > 0 || method == METHOD_POST;

    if (sends_body) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.length > 0 ? body.bytes : "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
    } else {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                     method == METHOD_GET || method == METHOD_POST ? NULL : method_name(method));
}

static enum err_code set_headers(struct curl_transport *transport, struct slot *slot,
                                 const struct transfer_request *request, struct err *err)
{
    struct curl_slist *list =
        request->body.length > 0 ? &transport->content_type_node : &transport->common_headers[0];

    if (request->idempotency_key != NULL) {
        if (!is_visible(request->idempotency_key, 100))
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
    bool is_poll = request->remote_job != NULL;
    struct slot *slot;
    CURLMcode code;

    release_taken(transport);
    if (transport->broken != CURLM_OK)
        return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(transport->broken));
    if (transport->free_count == 0)
        return err_set(err, ERR_BUSY, "all %u requests are in flight", transport->slot_count);
    slot = &transport->slots[transport->free_slots[transport->free_count - 1]];
    if (write_url(transport, request, slot->url, err) != ERR_OK ||
        set_headers(transport, slot, request, err) != ERR_OK)
        return err->code;
    answer_reset(&slot->answer);
    slot->tag = request->tag;
    slot->send_count = 0;
    slot->bad_peer = false;
    slot->failure[0] = '\0';
    set_method(slot->easy, is_poll ? METHOD_GET : request->method,
               is_poll ? (struct slice){0} : request->body);
    curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(slot->easy, CURLOPT_FRESH_CONNECT, request->at_most_once ? 1L : 0L);
    curl_easy_setopt(slot->easy, CURLOPT_FORBID_REUSE, request->at_most_once ? 1L : 0L);
    if (curl_easy_setopt(slot->easy, CURLOPT_URL, slot->url) != CURLE_OK)
        return err_set(err, ERR_NO_MEMORY, "out of memory for a request");
    code = curl_multi_add_handle(transport->multi, slot->easy);
    if (code != CURLM_OK)
        return err_set(err, ERR_SYSTEM, "libcurl: %s", curl_multi_strerror(code));
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
    /* A head that was cut off is a success for libcurl. */
    if (result == CURLE_OK && http_status >= 200 && slot->answer.headers_complete)
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

/* When libcurl itself failed no transfer will ever be reported by it. */
static bool take_broken(struct curl_transport *transport, struct reply *reply_out)
{
    for (uint32_t i = 0; i < transport->slot_count; i++) {
        struct slot *slot = &transport->slots[i];

        if (slot->state != SLOT_RUNNING)
            continue;
        snprintf(slot->failure, sizeof slot->failure, "libcurl: %s",
                 curl_multi_strerror(transport->broken));
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
    return transport->broken != CURLM_OK && take_broken(transport, reply_out);
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

static const struct transport_ops curl_transport_ops = {
    .start = start, .take = take, .abandon = abandon};
