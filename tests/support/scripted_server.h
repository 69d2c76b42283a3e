/* An HTTP server on a free loopback port that answers each request with the next bytes of a script,
 * whatever the request is. One thread in the test's process; uses nothing of purser, so that one
 * mistake cannot hide in both. */
#ifndef TESTS_SUPPORT_SCRIPTED_SERVER_H
#define TESTS_SUPPORT_SCRIPTED_SERVER_H

#include <stddef.h>
#include <stdint.h>

enum scripted_end {
    SCRIPT_KEEP,  /* the connection stays open for the next request */
    SCRIPT_CLOSE, /* closed in order after the bytes */
    SCRIPT_RESET, /* cut off with a reset */
};

struct scripted_answer {
    const char *bytes; /* raw: status line, headers, body; NULL = nothing is sent */
    size_t length;     /* 0 = up to the NUL */
    enum scripted_end then;
};

struct scripted_server;

/* Copies nothing of `script`; it must outlive the server. A request past the end of the script gets
 * a 500. Aborts when no server can be made. */
struct scripted_server *scripted_server_start(const struct scripted_answer *script, size_t count);
void scripted_server_stop(struct scripted_server *server);

uint16_t scripted_server_port(const struct scripted_server *server);

/* Complete requests received until now, and the raw text of one of them (NUL-terminated; borrowed
 * until the server stops). */
size_t scripted_server_request_count(struct scripted_server *server);
const char *scripted_server_request(struct scripted_server *server, size_t index);
size_t scripted_server_connection_count(struct scripted_server *server);

#endif
