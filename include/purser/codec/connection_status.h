/* The answer to GET /connections/status?access_token=… → may this connection be written to?
 *
 * Used before a run and to see whether a parked connection works again. Only an answer that says so
 * makes a connection usable; what does not tell is CONNECTION_UNKNOWN, and nothing is concluded.
 * Source: docs.rutter.com, "Fetch a Connection Status"; Rutter's OpenAPI document of 2023-12 (where
 * the fields stand in `status`, beside `connection`; the page lists them flat). */
#ifndef PURSER_CODEC_CONNECTION_STATUS_H
#define PURSER_CODEC_CONNECTION_STATUS_H

#include "purser/base/arena.h"
#include "purser/base/text.h"

enum connection_state {
    CONNECTION_UNKNOWN, /* the answer does not tell: throttled, a server error, of another form */
    CONNECTION_USABLE,
    CONNECTION_NEEDS_UPDATE, /* the merchant must sign in to the platform again */
    CONNECTION_DISABLED,
    CONNECTION_NOT_READY, /* the first synchronisation is not finished */
    CONNECTION_REFUSED,   /* 401 or INVALID_CREDENTIALS: the access token or the client's */
    CONNECTION_FORBIDDEN,
    CONNECTION_OTHER_PLATFORM, /* fine, but not the platform that the spec names: the wrong token?
                                */
    CONNECTION_STATE_COUNT
};

struct connection_status_input {
    int http_status;
    struct slice body;
    const char *content_type; /* NULL or "" = none given */
    const char *platform;     /* that the spec names; NULL = none. Compared when both are known */
};

/* All texts are safe to show and without secrets, "" when there is none, and borrow from the arena.
 */
struct connection_status {
    enum connection_state state;
    const char *park_reason; /* a stable word of reply.h; NULL = usable or unknown */
    const char *link_url;    /* https, for the merchant; "" also when it would show a secret */
    const char *detail;      /* one line for people: why the state is what it is */
    const char *platform;
    int64_t last_sync_ms; /* Unix; 0 = never, or not told */
};

/* Cannot fail: what cannot be understood is CONNECTION_UNKNOWN. */
struct connection_status connection_status_read(struct arena *arena,
                                                const struct connection_status_input *input);

/* "usable", "needs_update" … Never NULL. */
const char *connection_state_name(enum connection_state state);
/* What it means, for people. */
const char *connection_state_meaning(enum connection_state state);

#endif
