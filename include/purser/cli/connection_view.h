/* The connections of a spec as `purser connections` shows them: what the ledger knows, what is
 * waiting for each, and, with --check, what the API says now. */
#ifndef PURSER_CLI_CONNECTION_VIEW_H
#define PURSER_CLI_CONNECTION_VIEW_H

#include "purser/cli/session.h"
#include "purser/codec/connection_status.h"
#include "purser/io/api_client.h"

struct connection_view {
    const struct spec_connection *connection;
    const char *platform;            /* as the spec or the API says; "" = not said */
    const char *state;               /* "ok", "parked" or "unknown" */
    struct connection_record record; /* its texts live in the session's arena */
    struct item_counts counts;       /* of the items on it */
    bool is_refused;                 /* parked for credentials */
    bool asked;                      /* by --check, in this call */
};

/* How many connections of the spec have a status: all but the one without a token. */
size_t connection_views_count(const struct session *session);

/* One view a connection that has a status, from the ledger of the session if one is open. Errors:
 * ERR_STORAGE, ERR_NO_MEMORY. */
enum err_code connection_views_read(struct session *session, struct connection_view **views_out,
                                    struct err *err) ERR_CHECKED;

/* What the API answered, into the view; its texts must live as long as the view. An answer that
 * does not tell leaves what the ledger knows. */
void connection_view_apply(struct connection_view *view, const struct connection_status *status,
                           int64_t now_ms);

/* What the first complete answer tells of the way to the API. */
struct connection_answers {
    bool answered, untrusted; /* untrusted: its certificate or address was not accepted */
    int http_status;
    int http_version; /* 11, 20; 0 = not known */
    int64_t duration_ms;
    int64_t host_ms, server_ms; /* Unix, when it came, and its Date; -1 = it has none */
    char failure[512];          /* when none has answered, why */
};

/* Asks the API for the status of every view's connection and applies what it says; `answers`, if
 * not NULL, is zeroed by the caller. Errors: those of api_client_next(). */
enum err_code connection_views_ask(struct session *session, struct connection_view *views,
                                   struct api_client *client, struct connection_answers *answers,
                                   struct err *err) ERR_CHECKED;

/* Appends all views in the format of the options. */
void connection_views_append(const struct session *session, const struct connection_view *views,
                             struct buf *out);

/* 0 all usable (or, when they were not asked, not known to be unusable), 4 credentials are refused
 * or a merchant must sign in again, 3 a connection cannot be written to or could not be asked. */
int connection_views_exit_status(const struct session *session,
                                 const struct connection_view *views);

#endif
