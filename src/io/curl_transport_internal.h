/* What the files of the transport share. Only they include libcurl. */
#ifndef PURSER_IO_CURL_TRANSPORT_INTERNAL_H
#define PURSER_IO_CURL_TRANSPORT_INTERNAL_H

#include <curl/curl.h>

#include "purser/base/buf.h"
#include "purser/io/curl_transport.h"
#include "purser/io/peer.h"

enum {
    BASE_URL_BYTES_MAX = 1024, /* with what may be added to it */
    HEADER_VALUE_BYTES_MAX = 128,
    KEY_HEADER_BYTES_MAX = 160,
};

struct base_url {
    bool plain; /* http, not https */
    enum peer_policy policy;
    char origin[BASE_URL_BYTES_MAX]; /* scheme://host:port */
    char text[BASE_URL_BYTES_MAX];   /* origin and path, without a slash at its end */
};

/* curl_transport_url.c */
enum err_code base_url_read(const char *url, struct base_url *base_out,
                            struct err *err) ERR_CHECKED;
/* A path and query that can follow a base URL without changing what is before it. */
enum err_code request_path_check(struct slice path, struct err *err) ERR_CHECKED;

/* What has come in of one answer. */
struct answer {
    struct buf body;
    size_t header_bytes;
    uint32_t informational_count;
    int http_status;       /* of the last status line; 0 = that was none */
    bool headers_complete; /* what follows are trailers */
    const char *refused;   /* why the transfer was stopped from here; NULL = it was not */
    char content_type[HEADER_VALUE_BYTES_MAX];
    char request_id[HEADER_VALUE_BYTES_MAX];
    /* Longer than any id that is accepted, so that a cut one is not taken for another job's. */
    char job_id[REMOTE_JOB_BYTES_MAX + 2];
    char retry_after[HEADER_VALUE_BYTES_MAX];
    char date[HEADER_VALUE_BYTES_MAX];
};

/* curl_transport_answer.c; the two callbacks have libcurl's form. */
void answer_reset(struct answer *answer);
size_t answer_take_header(char *bytes, size_t size, size_t count, void *context);
size_t answer_take_body(char *bytes, size_t size, size_t count, void *context);

enum slot_state { SLOT_FREE, SLOT_RUNNING, SLOT_TAKEN };

/* One exchange at a time, on an easy handle that is used again. */
struct slot {
    struct curl_transport *transport;
    CURL *easy;
    bool was_used; /* `easy`, for a transfer */
    enum slot_state state;
    uint64_t tag;
    uint32_t send_count; /* how often libcurl was about to send the request */
    bool bad_peer;       /* the peer's address was refused; nothing was sent */
    struct answer answer;
    char *url; /* holds the access token */
    char key_header[KEY_HEADER_BYTES_MAX];
    struct curl_slist key_node;
    char failure[CURL_ERROR_SIZE + 64];
    char peer[64];
};

/* A descriptor that libcurl uses. */
struct socket_entry {
    struct loop_watch *watch;
    bool opened_here; /* our callback will hear of its end, so its watch may be kept */
};

struct curl_transport {
    struct transport port; /* first: the interface is this object */
    struct event_loop *loop;
    CURLM *multi;
    CURL *model;       /* has the options that all requests share, and makes none itself */
    bool renews;       /* a handle makes one request */
    struct err broken; /* the first failure around libcurl's multi handle: no transfer can go on */
    int timer_fd;
    struct loop_watch *timer_watch;
    struct socket_entry *sockets; /* by descriptor */
    size_t socket_capacity;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t *free_slots; /* a stack: the handle used last is the warmest */
    uint32_t free_count;
    struct slot *taken; /* its reply is still borrowed */
    struct base_url base;
    char **tokens; /* "access_token=…", encoded */
    size_t token_count;
    char version_header[HEADER_VALUE_BYTES_MAX];
    struct curl_slist common_headers[3]; /* the tail that all lists share */
    struct curl_slist content_type_node;
    size_t url_capacity;
    bool curl_is_up;
};

/* An option that was not taken must not go unnoticed: it could be the method or a check of trust.
 */
#define SET(easy, option, value) (failed |= curl_easy_setopt(easy, option, value) != CURLE_OK)

/* curl_transport.c */
extern const struct transport_ops curl_transport_ops;
/* Visible ASCII, 1 to `bytes_max` of it. */
bool header_value_is_visible(const char *text, size_t bytes_max);

/* curl_transport_open.c: a handle for the next request of a slot. False = no memory; then the slot
 * has the one that it had. */
bool slot_renew(struct slot *slot);

/* curl_transport_socket.c: glue between libcurl and the event loop. */
enum err_code sockets_open(struct curl_transport *transport, struct err *err) ERR_CHECKED;
void sockets_attach(struct curl_transport *transport, CURL *easy);
/* After the multi handle is gone. */
void sockets_close(struct curl_transport *transport);

#endif
