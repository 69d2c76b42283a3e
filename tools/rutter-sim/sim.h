/* Everything one simulator knows. One thread; one of these. */
#ifndef RUTTER_SIM_SIM_H
#define RUTTER_SIM_SIM_H

#include "connections.h"
#include "jobs.h"
#include "ledger.h"
#include "limit.h"
#include "options.h"
#include "script.h"
#include "table.h"

/* One idempotency key of the organisation. */
struct key_record {
    struct slice key;
    uint32_t attempts;
    uint32_t job;  /* number of the job made by the first accepted request; 0: the key is free */
    uint32_t next; /* next record with the same hash, as number + 1 */
    uint32_t times_forgotten;
};

#define SIM_TIME_BYTES 30

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
    struct text elsewhere;     /* where redirects lead, terminated */
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
    uint32_t keys_forgotten; /* keys of jobs up to this number are forgotten, by request */
    int64_t keys_older_ms;   /* time that has passed for keys only, by request */
    uint32_t key_count;
    uint32_t key_capacity;
    struct connections connections;
    struct table content_counts; /* hash of a request's content and an outcome -> times seen */
    struct table deleted;        /* hash of connection and path -> 1 */
    bool reads_stand_still;
    int64_t stood_still_ms; /* since when */
    struct script script;
};

void sim_init(struct sim *sim, const struct options *options, struct slice authority);
/* Forgets requests, jobs, keys, scripts and counts. Connections stay known. */
void sim_reset(struct sim *sim);

/* The record of `key`, made if new. */
struct key_record *sim_key(struct sim *sim, struct slice key);
/* Whether the key was accepted and is not remembered any more. */
bool sim_key_is_forgotten(const struct sim *sim, const struct key_record *record);
/* A value in a range that `draw` decides. */
int64_t sim_pick(const int64_t range[2], uint64_t draw);
/* The time of day that belongs to `now_ms`. */
int64_t sim_wall_ms(const struct sim *sim);
/* The time as a JSON string with its quotes: "2024-01-02T00:00:00.000Z". */
void sim_format_time(int64_t wall_ms, char out[SIM_TIME_BYTES]);
/* Until when reads show what was done, on the clock of `now_ms`. */
int64_t sim_synced_ms(const struct sim *sim);
/* Sets the clock. */
void sim_tick(struct sim *sim);

#endif
