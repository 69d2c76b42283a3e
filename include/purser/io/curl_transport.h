/* HTTP exchanges over libcurl's multi socket interface. Owner of libcurl; the interface is
 * engine/transport.h. */
#ifndef PURSER_IO_CURL_TRANSPORT_H
#define PURSER_IO_CURL_TRANSPORT_H

#include "purser/engine/transport.h"
#include "purser/io/event_loop.h"

struct curl_transport;

struct curl_transport_options {
    const char *base_url; /* https, or http to a loopback address; nothing else is accepted */
    const char *version;  /* X-Rutter-Version */
    const char *client_id, *client_secret;
    const char *const *access_tokens; /* by connection index; NULL = no request is for it */
    size_t connection_count;
    const char *ca_file; /* NULL = the system's */
    uint32_t in_flight;  /* slots */
    int64_t connect_timeout_ms;
};

/* Copies the secrets and wipes its copies at close. Errors: ERR_INPUT (base URL not acceptable; a
 * token or id with bytes that cannot be sent), ERR_NO_MEMORY, ERR_SYSTEM. */
enum err_code curl_transport_open(struct event_loop *loop,
                                  const struct curl_transport_options *options,
                                  struct curl_transport **transport_out,
                                  struct err *err) ERR_CHECKED;
void curl_transport_close(struct curl_transport *transport);
struct transport *curl_transport_port(struct curl_transport *transport);

/* https with any host, or http with a loopback host (127.0.0.0/8, ::1, localhost); no user, query,
 * fragment. ERR_INPUT says what is wrong. */
enum err_code curl_transport_check_base_url(const char *url, struct err *err) ERR_CHECKED;

/* scheme://host:port of a URL, lower case, with the port written out. */
enum err_code curl_transport_origin(const char *url, char *origin_out, size_t size,
                                    struct err *err) ERR_CHECKED;

/* Whether a libcurl of this version (0xXXYYZZ) with this TLS library (NULL = none) will do: 7.88.0
 * or newer, with TLS, and not with NSS, which libcurl has given up. ERR_SYSTEM says what is wrong
 * and what to do. The one in use is looked at when a transport is opened. */
enum err_code curl_transport_check_library(unsigned version, const char *tls,
                                           struct err *err) ERR_CHECKED;

/* "libcurl/7.88.1 OpenSSL/3.0… zlib/1.2.13 nghttp2/1.52.0" for --version. A text that is too long
 * is cut. */
void curl_transport_version(char *text_out, size_t size);

#endif
