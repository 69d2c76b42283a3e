/* Everything one simulator knows. One thread; one of these. */
#ifndef RUTTER_SIM_SIM_H
#define RUTTER_SIM_SIM_H

#include "jobs.h"
#include "ledger.h"
#include "limit.h"
#include "options.h"
#include "script.h"
#include "table.h"

#define CONNECTION_HASH_LENGTH 12

enum connection_state {
    CONNECTION_READY,
    CONNECTION_NOT_READY,
    CONNECTION_DISABLED,
    CONNECTION_NEEDS_UPDATE,
    CONNECTION_REVOKED /* its platform credentials are dead: 451 */
};

/* One merchant: whatever came with one access token. */
struct connection {
    uint64_t hash;
    uint32_t number;                        /* from 1 */
    char shown[CONNECTION_HASH_LENGTH + 1]; /* first digits of the token's SHA-256 */
    struct slice token;
    struct limit platform;
    enum connection_state state;
};

/* One idempotency key of the organisation. */
struct key_record {
    struct slice key;
    uint32_t attempts;
    uint32_t job;  /* number of the job made by the first accepted request; 0: the key is free */
    uint32_t next; /* next record with the same hash, as number + 1 */
};

struct counters {
    uint64_t requests;
    uint64_t sends;
    uint64_t polls;
    uint64_t by_status[600]; /* index 0: closed without an answer */
    uint64_t by_other_status;
    int64_t open_connections;
    uint64_t accepted_connections;
    uint64_t dropped_connections; /* closed unread, by script */
};

struct sim {
    struct options options;
    const char *scheme; /* "http://" or "https://" */
    struct text authority;
    struct text authorization; /* the Basic credentials expected, without "Basic " */
    int64_t now_ms;            /* monotonic; set before each request and each turn */
    int64_t started_ms;
    int64_t started_wall_ms;
    uint32_t epoch; /* goes up with each reset */
    struct arena arena;
    struct timers timers;
    struct jobs jobs;
    struct ledger ledger;
    struct counters counters;
    struct limit organisation;
    struct table key_table; /* hash -> number of the first record + 1 */
    struct key_record *keys;
    uint32_t key_count;
    uint32_t key_capacity;
    struct table connection_table; /* hash of the token -> number + 1 */
    struct connection **connections;
    uint32_t connection_count;
    struct table content_counts; /* hash of a request's content and an outcome -> times seen */
    struct table deleted;        /* hash of connection and path -> 1 */
    struct script script;
};

void sim_init(struct sim *sim, const struct options *options, struct slice authority);
/* Forgets requests, jobs, keys, scripts and counts. Connections stay known. */
void sim_reset(struct sim *sim);

/* The connection of `token`, made if new; NULL when the token is not accepted. */
struct connection *sim_connection(struct sim *sim, struct slice token);
/* The connection of `token`, made if new, whether it is accepted or not. */
struct connection *sim_know(struct sim *sim, struct slice token);
/* The record of `key`, made if new. */
struct key_record *sim_key(struct sim *sim, struct slice key);
/* A value in a range that `draw` decides. */
int64_t sim_pick(const int64_t range[2], uint64_t draw);
/* Sets the clock. */
void sim_tick(struct sim *sim);

#endif
