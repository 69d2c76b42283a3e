/* HTTP exchanges, as the engine sees them.
 *
 * Owns: nothing; an interface. Real one: io/curl_transport. Fake: tests/support/sim_world.
 * A started transfer ends in exactly one reply; nothing is called back. Credentials are the
 * transport's alone: requests name a connection by number. */
#ifndef PURSER_ENGINE_TRANSPORT_H
#define PURSER_ENGINE_TRANSPORT_H

#include "purser/base/err.h"
#include "purser/base/text.h"
#include "purser/core/item.h"
#include "purser/core/operation.h"

struct transfer_request {
    uint64_t tag;        /* comes back in the reply */
    uint32_t connection; /* index given to the transport; UINT32_MAX = none (no access_token) */
    enum http_method method;
    /* Below the base URL ("/products"); a query of its own is allowed. For polls leave it empty and
     * set remote_job. */
    struct slice path;
    const char *remote_job; /* poll of this remote job, NULL = not a poll */
    enum job_path job_path;
    struct slice body;           /* JSON text; must stay until the reply is taken; empty = none */
    const char *idempotency_key; /* NULL = no header; copied */
    bool at_most_once;           /* use a fresh connection and never repeat */
    int64_t timeout_ms;          /* for the whole exchange */
    uint32_t job;                /* index in the spec of whose item this writes */
    struct slice item_key;       /* of the item; must stay like the body */
    uint64_t item;               /* its number; 0 = none */
    uint32_t attempt;            /* 1, 2, …: of the item, over all generations */
};

enum transfer_outcome {
    TRANSFER_ANSWERED, /* a complete answer; http_status is set */
    TRANSFER_NOT_SENT, /* provably no byte of the request left: name, connect, TLS handshake */
    TRANSFER_LOST,     /* bytes may have left, no complete answer */
    TRANSFER_UNTRUSTED /* the peer's certificate or address is not acceptable; no byte left */
};

struct reply {
    uint64_t tag;
    enum transfer_outcome outcome;
    int http_status;
    int http_version; /* 10, 11, 20 or 30; 0 = not known */
    /* Borrowed until the next call on the transport. Header values are "" when absent. */
    struct slice body;
    const char *content_type;
    const char *request_id;  /* X-Rutter-Request-ID */
    const char *job_id;      /* X-Rutter-Job-ID */
    const char *retry_after; /* as received */
    const char *date;        /* as received */
    const char *failure;     /* why there is no complete answer, for people; no secrets */
    int64_t duration_ms;
};

struct transport;

struct transport_ops {
    /* Starts `request` and returns at once. Errors: ERR_NO_MEMORY; ERR_BUSY when all slots are
     * taken; ERR_INPUT when the path cannot be part of a URL. On error nothing was started. */
    enum err_code (*start)(struct transport *self, const struct transfer_request *request,
                           struct err *err) ERR_CHECKED;

    /* Takes the next finished transfer, oldest first; false when none is left. */
    bool (*take)(struct transport *self, struct reply *reply_out);

    /* Ends every running transfer without a reply. What they sent may still take effect. */
    void (*abandon)(struct transport *self);
};

struct transport {
    const struct transport_ops *ops;
};

#endif
