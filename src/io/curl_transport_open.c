/* Opening and closing: the options that hold for every exchange. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curl_transport_internal.h"
#include "purser/base/mem.h"

#define USER_AGENT "purser/" PURSER_VERSION

enum {
    CONNECTION_IDLE_S = 118,
    CONNECTION_LIFE_S = 3600,
    CONNECT_TIMEOUT_MS = 10000,
    LIBCURL_VERSION_MIN = 0x075800,
    LIBCURL_VERSION_SOUND_REUSE = 0x080101
};

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
static bool set_security(CURL *easy, const struct base_url *base, const char *ca_file)
{
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    bool failed = false;

    if (ca_file == NULL)
        ca_file = version->cainfo;
    SET(easy, CURLOPT_PROTOCOLS_STR, base->plain ? "http" : "https");
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_MAXREDIRS, 0L);
    SET(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file != NULL) {
        SET(easy, CURLOPT_CAINFO, ca_file);
        /* With both set libcurl reads the bundle anew for each connection: 23 ms instead of 1. */
        SET(easy, CURLOPT_CAPATH, NULL);
    }
    SET(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(easy, CURLOPT_PROXY, "");
    SET(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    SET(easy, CURLOPT_PATH_AS_IS, 1L);
    return !failed;
}

static bool set_common(struct curl_transport *transport,
                       const struct curl_transport_options *options)
{
    CURL *easy = transport->model;
    long connect_timeout_ms =
        options->connect_timeout_ms > 0 ? (long)options->connect_timeout_ms : CONNECT_TIMEOUT_MS;

    bool failed = !set_security(easy, &transport->base, options->ca_file);

    sockets_attach(transport, easy);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_HTTP_VERSION,
        transport->base.plain ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
    SET(easy, CURLOPT_PIPEWAIT, 1L);
    SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(easy, CURLOPT_MAXAGE_CONN, (long)CONNECTION_IDLE_S);
    SET(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
    SET(easy, CURLOPT_USERAGENT, USER_AGENT);
    SET(easy, CURLOPT_USERNAME, options->client_id);
    SET(easy, CURLOPT_PASSWORD, options->client_secret);
    SET(easy, CURLOPT_PREREQFUNCTION, before_send);
    SET(easy, CURLOPT_HEADERFUNCTION, answer_take_header);
    SET(easy, CURLOPT_WRITEFUNCTION, answer_take_body);
    return !failed;
}

bool slot_renew(struct slot *slot)
{
    CURL *easy = curl_easy_duphandle(slot->transport->model);
    bool failed = easy == NULL;

    if (failed)
        return false;
    SET(easy, CURLOPT_PRIVATE, slot);
    SET(easy, CURLOPT_ERRORBUFFER, slot->failure);
    SET(easy, CURLOPT_PREREQDATA, slot);
    SET(easy, CURLOPT_HEADERDATA, &slot->answer);
    SET(easy, CURLOPT_WRITEDATA, &slot->answer);
    if (failed) {
        curl_easy_cleanup(easy);
        return false;
    }
    curl_easy_cleanup(slot->easy);
    slot->easy = easy;
    slot->was_used = false;
    return true;
}

static enum err_code check_options(const struct curl_transport_options *options, struct err *err)
{
    if (options->in_flight == 0 || options->in_flight > IN_FLIGHT_MAX)
        return err_set(err, ERR_INPUT, "requests in flight must be 1 to %d", IN_FLIGHT_MAX);
    if (!header_value_is_visible(options->version, API_VERSION_BYTES_MAX))
        return err_set(err, ERR_INPUT, "the API version cannot be sent in a header");
    if (!header_value_is_visible(options->client_id, SECRET_BYTES_MAX) ||
        strchr(options->client_id, ':') != NULL)
        return err_set(err, ERR_INPUT, "the client id must be visible ASCII without ':'");
    if (!header_value_is_visible(options->client_secret, SECRET_BYTES_MAX))
        return err_set(err, ERR_INPUT, "the client secret must be visible ASCII");
    for (size_t i = 0; i < options->connection_count; i++) {
        if (options->access_tokens[i] != NULL &&
            !header_value_is_visible(options->access_tokens[i], SECRET_BYTES_MAX))
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
        char *encoded, *token;
        size_t length;

        if (options->access_tokens[i] == NULL)
            continue;
        encoded = curl_easy_escape(NULL, options->access_tokens[i], 0);
        length = encoded == NULL ? 0 : strlen(encoded);
        token = encoded == NULL ? NULL : mem_new(sizeof name + length, 1);

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
    transport->model = curl_easy_init();
    if (transport->model == NULL || !set_common(transport, options))
        return err_set(err, ERR_NO_MEMORY, "libcurl has no memory for requests");
    for (uint32_t i = options->in_flight; i-- > 0;) {
        struct slot *slot = &transport->slots[i];

        slot->transport = transport;
        buf_init(&slot->answer.body, ANSWER_BYTES_MAX);
        slot->url = mem_new(transport->url_capacity, 1);
        if (slot->url == NULL || !slot_renew(slot))
            return err_set(err, ERR_NO_MEMORY, "libcurl has no memory for requests in flight");
        transport->free_slots[transport->free_count++] = i;
    }
    return ERR_OK;
}

/* The library at run time need not be that of the build. */
enum err_code curl_transport_check_library(unsigned version, const char *tls, struct err *err)
{
    if (version < LIBCURL_VERSION_MIN)
        return err_set(err, ERR_SYSTEM,
                       "libcurl %u.%u.%u is too old\nhint: install 7.88.0 or a newer one",
                       version >> 16, version >> 8 & 0xff, version & 0xff);
    if (tls == NULL || tls[0] == '\0')
        return err_set(err, ERR_SYSTEM,
                       "this libcurl has no TLS\nhint: install one that is built with OpenSSL");
    if (strncmp(tls, "NSS", 3) == 0)
        return err_set(err, ERR_SYSTEM,
                       "this libcurl has NSS for TLS, which nobody maintains for it any more\n"
                       "hint: install one that is built with OpenSSL");
    err->code = ERR_OK;
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

enum err_code curl_transport_open(struct event_loop *loop,
                                  const struct curl_transport_options *options,
                                  struct curl_transport **transport_out, struct err *err)
{
    const curl_version_info_data *library = curl_version_info(CURLVERSION_NOW);
    struct curl_transport *transport;

    if (check_options(options, err) != ERR_OK ||
        curl_transport_check_library(library->version_num, library->ssl_version, err) != ERR_OK)
        return err->code;
    transport = mem_new(1, sizeof *transport);
    if (transport == NULL)
        return err_set(err, ERR_NO_MEMORY, "out of memory for the transport");
    transport->port.ops = &curl_transport_ops;
    transport->loop = loop;
    /* Before, a handle that had an answer kept a pointer to a header of it that is freed, and went
     * to it when the next answer began with a continued line. Source: curl issue 11101. */
    transport->renews = library->version_num < LIBCURL_VERSION_SOUND_REUSE;
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
    curl_easy_cleanup(transport->model);
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

void curl_transport_version(char *text_out, size_t size)
{
    /* Not curl_version(): that starts libldap, which asks the network for the name of this machine
     * and dies of a lack of memory. */
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    const char *tls = info->ssl_version != NULL ? info->ssl_version : "no TLS";
    const char *zlib = info->libz_version != NULL ? info->libz_version : "none";
    const char *http2 = info->nghttp2_version != NULL ? info->nghttp2_version : "none";

    snprintf(text_out, size, "libcurl/%s %s zlib/%s nghttp2/%s", info->version, tls, zlib, http2);
}
