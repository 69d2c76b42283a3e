/* Connections and the access tokens that name them.
 *
 * A token that came with a request and is accepted (see --access-token) makes a connection; so do
 * POST /connections/create and the exchange of a public token, which hand out a token of their own.
 * A connection has one current token; tokens that were invalidated, or whose connection was
 * deleted, are answered with 401 for ever. */
#ifndef RUTTER_SIM_CONNECTIONS_H
#define RUTTER_SIM_CONNECTIONS_H

#include "limit.h"
#include "scan.h"
#include "table.h"

struct job;
struct sim;

#define CONNECTION_HASH_LENGTH 12
#define DIGEST_BYTES 32

enum connection_state {
    CONNECTION_READY,
    CONNECTION_NOT_READY,
    CONNECTION_DISABLED,
    CONNECTION_NEEDS_UPDATE,
    CONNECTION_REVOKED,     /* its platform credentials are dead: 451 */
    CONNECTION_NOT_ALLOWED, /* 403 */
    CONNECTION_BAD_TOKEN,   /* its token is refused: 401 */
    CONNECTION_DELETED      /* for ever */
};

/* One merchant. Never moves and is never removed. */
struct connection {
    uint32_t number; /* from 1 */
    uint32_t token;  /* number of its current one */
    uint64_t hash;
    uint64_t id[2];                         /* the two halves of its UUID */
    char shown[CONNECTION_HASH_LENGTH + 1]; /* first digits of its first token's SHA-256 */
    enum connection_state state;
    struct slice platform;
    struct slice store;           /* its name; may be empty */
    struct slice disabled_reason; /* empty: MANUALLY_DISABLED */
    int64_t created_wall_ms;
    bool has_flat_status; /* answers /connections/status in the older form */
    struct limit writes;
};

struct token {
    uint64_t hash;
    uint64_t made_of[2]; /* of a token that was handed out: its halves; else 0 */
    struct slice text;   /* empty: known by its digest only, not seen in this process */
    unsigned char digest[DIGEST_BYTES];
    uint32_t connection; /* number */
    bool is_revoked;
};

/* All of them. Zero-initialised is empty. */
struct connections {
    struct connection **all;
    uint32_t count;
    struct token *tokens;
    uint32_t token_count;
    struct table by_token;  /* hash of a token -> number of it */
    struct table exchanged; /* hash of a public token -> 1 */
};

/* The connection of `token`, made if new; NULL when the token is not accepted. */
struct connection *connection_of(struct sim *sim, struct slice token);
/* The same whatever its state: NULL only for a token that was revoked or is not accepted. */
struct connection *connection_in_any_state(struct sim *sim, struct slice token);
/* The connection with the UUID `id`, deleted or not; NULL when there is none. */
struct connection *connection_by_id(const struct sim *sim, struct slice id);
const struct connection *connection_at(const struct sim *sim, uint32_t number);

/* A new one without a token: for a world that is loaded. */
struct connection *connection_new(struct sim *sim);
/* Adds a token for `connection`, and makes it the current one unless it is revoked. Copies. */
void connection_add_token(struct sim *sim, const struct token *token);

/* All are as they were when they were first seen; those that were made by requests are deleted. */
void connections_reset(struct sim *sim);

/* Its current token; empty when this process has not seen it. */
struct slice connection_token(const struct sim *sim, const struct connection *connection);

/* What is wrong with the body of POST /connections/create or of the exchange of a public token;
 * NULL: nothing. `code_out` is then the error code, `status_out` the answer's status. */
const char *connection_problem(struct sim *sim, const struct scan *scan, bool is_exchange,
                               const char **code_out, int *status_out);
/* Notes of a body what connection_effect() needs, and that its public token is used up. The body
 * itself is full of secrets and forgotten. */
void connection_note(struct sim *sim, struct job *job, const struct scan *scan);
/* What was asked for was done: makes, deletes or gives a new token to a connection, if the job is
 * about one. */
void connection_effect(struct sim *sim, struct job *job);

/* Adds {"id":…,"orgId":…,"platform":…}; NULL gives a fixed one. */
void add_connection(struct text *text, const struct sim *sim, const struct connection *connection);
/* Adds the address where its merchant signs in again; NULL: nothing. */
void add_link_url(struct text *text, const struct connection *connection);

bool connection_state_from_text(struct slice name, enum connection_state *state_out);
/* The name of the outcome that refuses writes in this state, or NULL. */
const char *connection_refusal(enum connection_state state);

#endif
