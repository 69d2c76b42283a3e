/* An HTTP answer → the event that the life cycle understands.
 *
 * The decision is a table over (phase × status class × accepted or not × body class), see
 * reply_table.h; nonsense from the server becomes EVENT_LOST, never a crash. It yields only events
 * that are legal in the phase. */
#ifndef PURSER_CODEC_REPLY_H
#define PURSER_CODEC_REPLY_H

#include "purser/base/arena.h"
#include "purser/core/lifecycle.h"
#include "purser/core/operation.h"

enum reply_phase { PHASE_SEND, PHASE_POLL };

/* What an answer means beyond its own item. */
enum reply_scope {
    SCOPE_OF_ITEM,       /* nothing beyond */
    SCOPE_OF_CONNECTION, /* throttles or parks this connection */
    SCOPE_OF_ALL,        /* throttles everything (429) */
    SCOPE_OF_RUN,        /* stops the run: credentials, redirect, not the API */
    /* 401 or INVALID_CREDENTIALS on a send: one code for the client's credentials and for this
     * connection's access token. A question without access token must settle it. */
    SCOPE_OF_CREDENTIALS
};

struct reply_input {
    enum reply_phase phase;
    const struct operation *operation; /* NULL when unknown */
    struct slice path; /* PHASE_POLL: ours, to compare; empty = the operation's template */
    int http_status;
    struct slice body;
    const char *content_type;
    const char *job_id;
    const char *retry_after;
    const char *date;
    const char *base_origin;     /* "https://host:port" of the base URL, to judge response_url */
    const char *remote_job;      /* PHASE_POLL: ours */
    const char *idempotency_key; /* ours; an echo that differs is another's job */
    int64_t now_ms;
};

struct reply_reading {
    struct item_event event; /* its texts borrow from the arena */
    enum reply_scope scope;
    int64_t pause_ms;        /* for SCOPE_OF_CONNECTION / _ALL: Retry-After, -1 = none given */
    const char *park_reason; /* a stable word when the connection must be parked; NULL = throttle
                                only: "needs_update", "disabled", "not_ready", "not_allowed",
                                "unauthorized" */
    int64_t server_now_ms;   /* from Date; 0 = none or not valid */
    struct slice result;     /* the finished entity or error body to keep; JSON text */
    const char *message;     /* for people, sanitised; "" = none */
    const char *rule;        /* stable name of the rule that decided, for `explain` */
};

/* Reads an answer. `arena` holds what the reading borrows; the caller clears it. Cannot fail: what
 * cannot be understood is an event too. */
struct reply_reading reply_read(struct arena *arena, const struct reply_input *input);

/* Seconds, or an HTTP date taken relative to the answer's own Date; clamped to [0,
 * RETRY_AFTER_MAX]; -1 when neither. */
int64_t reply_retry_after_ms(const char *retry_after, const char *date, int64_t now_ms);

/* A strict IMF-fixdate ("Thu, 26 Nov 2026 21:45:23 GMT") → Unix ms; -1 when it is not one. */
int64_t reply_date_ms(const char *date);

/* A remote job id may be used in a path: [A-Za-z0-9._:-]{1,128}, not "." or "..". */
bool reply_job_id_is_valid(struct slice id);

#endif
