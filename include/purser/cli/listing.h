/* Items as commands show them: found by name, filtered by --where, one at a time. */
#ifndef PURSER_CLI_LISTING_H
#define PURSER_CLI_LISTING_H

#include "purser/cli/session.h"

/* field, operator, value: "state = failed". */
struct where_term {
    int field;
    int operation;
    struct slice value;
};

/* All terms must hold. Without terms everything matches. */
struct where {
    struct where_term terms[WHERE_TERMS_MAX];
    size_t count;
};

struct item_view {
    uint64_t number;
    struct item item;
    const char *job, *connection;
    struct frozen_request request; /* borrows from the listing's buffers */
    bool is_unreadable;            /* the request is damaged, so the item's key is not known */
};

/* "state=failed and code=450": fields state, reason, job, connection, key, code (HTTP status or
 * error code), generation, attempts, line of the source; operators = != ~ (contains) < <= > >=.
 * ERR_USAGE says what is wrong. */
enum err_code where_parse(const char *text, struct where *where_out, struct err *err) ERR_CHECKED;
bool where_matches(const struct where *where, const struct item_view *view);

/* What is known of a row of today before it is sent. */
struct where_row {
    const char *job, *connection;
    struct slice key;
    const char *state; /* of its item; WHERE_STATE_NEW when it has none yet */
    uint32_t line;     /* in its source */
};
#define WHERE_STATE_NEW "new"

/* As where_parse(), with the fields job, connection, key, state and line. */
enum err_code where_parse_rows(const char *text, struct where *where_out,
                               struct err *err) ERR_CHECKED;
bool where_matches_row(const struct where *where, const struct where_row *row);

struct listing {
    struct ledger *ledger;
    struct where where;
    uint64_t after;
    struct buf storage;
};

void listing_init(struct listing *listing, struct ledger *ledger, const struct where *where);
void listing_deinit(struct listing *listing);

/* The next item that matches, in the order of first sight; ERR_NOT_FOUND at the end. */
enum err_code listing_next(struct listing *listing, struct item_view *view_out,
                           struct err *err) ERR_CHECKED;

/* The item named "JOB/KEY", on `connection` when it is not NULL. ERR_NOT_FOUND, or ERR_USAGE when
 * the key stands on several connections. The view borrows from `storage`. */
enum err_code listing_find(struct ledger *ledger, const char *name, const char *connection,
                           struct buf *storage, struct item_view *view_out,
                           struct err *err) ERR_CHECKED;

/* What is stored of the item's end; of one without, nothing. When it or the request is damaged its
 * message says so. Borrows from `storage`. Errors: ERR_NO_MEMORY, ERR_STATE_DIRECTORY. */
enum err_code view_result(struct ledger *ledger, const struct item_view *view, struct buf *storage,
                          struct result_record *result_out, struct err *err) ERR_CHECKED;

/* The idempotency key of the item's generation; "" when the item's key is not known. */
void view_idempotency_key(const struct spec *spec, const struct item_view *view, char key_out[37]);

#endif
