/* What the command line and the environment ask for. */
#ifndef RUTTER_SIM_OPTIONS_H
#define RUTTER_SIM_OPTIONS_H

#include "limit.h"
#include "outcome.h"

#define OPTIONS_TOKENS_MAX 64

struct options {
    uint16_t port;
    uint64_t seed;
    enum profile profile;
    int64_t latency_ms[2];    /* least and most */
    int64_t job_time_ms[2];   /* least and most */
    int64_t read_lag_ms;      /* how far reads are behind what was done */
    int64_t key_retention_ms; /* how long a key is remembered; 0: for ever */
    int64_t sync_wait_ms;     /* how long prefer_sync waits before it answers async_response */
    struct limit_rule organisation_limit;
    struct limit_rule platform_limit;
    const char *tls_cert;
    const char *tls_key;
    const char *foreign_origin; /* where redirects and foreign addresses lead */
    int64_t clock_skew_ms;      /* how far the Date header is ahead */
    const char *ledger_file;
    const char *world_file; /* NULL: the world ends with the process */
    struct slice client_id;
    struct slice client_secret;
    size_t token_count; /* 0: any UUID is an access token … */
    bool any_token;     /* … or whatever is not empty */
    struct slice tokens[OPTIONS_TOKENS_MAX];
    bool no_echo; /* forget bodies once checked: answers carry no copy of the fields sent */
    bool exit_with_parent;
};

/* Fills `options` from the arguments and the environment; prints and exits on --help, --version
 * (status 0) and on a usage error (status 2). Borrows from `argv` and the environment. */
void options_read(int argc, char **argv, struct options *options);

#endif
