/* The wire ledger: every request as received and every effect as executed, in order.
 *
 * It is what an independent judge reads to count duplicates and losses, so it is written by the
 * code that executes, not derived from what was answered. One sequence numbers both kinds. */
#ifndef RUTTER_SIM_LEDGER_H
#define RUTTER_SIM_LEDGER_H

#include "operations.h"
#include "outcome.h"
#include "table.h"

struct connection;
struct job;
struct sim;

struct ledger_entry {
    const struct connection *connection;
    const char *text; /* method, path, key and digest as packed by the ledger; NULL: see `job` */
    uint32_t t_ms;    /* since the start */
    uint32_t job;     /* number, 0: none */
    uint16_t status;  /* what was answered; 0: closed without an answer */
    uint16_t fault;   /* number of the outcome + 1; 0: none */
    uint8_t method;
    bool is_effect : 1;      /* an executed effect, not a request */
    bool is_answered : 1;    /* `status` is known */
    bool is_accepted : 1;    /* the write belongs to a job (this or an earlier request made it) */
    bool is_replay : 1;      /* an earlier request with this key made the job */
    bool has_effect : 1;     /* this request's job has executed its effect */
    bool is_old_url : 1;     /* a poll of the form /v2/jobs/ID */
    bool is_digest_here : 1; /* the body's digest is in `text`; else it is made from the job */
    bool is_poll : 1;
};

struct ledger {
    struct ledger_entry **blocks;
    size_t block_count;
    uint32_t last;
    uint32_t forgotten; /* entries up to this one were of an earlier process */
    struct table effects_by_name;
    uint64_t effects;
    uint64_t duplicate_effects_by_name;
    void *file; /* FILE of --ledger, or NULL */
};

/* Opens --ledger if asked; exits on an error. */
void ledger_open(struct sim *sim);
/* Adds the requests that were never answered to the file, and closes it. */
void ledger_close(struct sim *sim);
void ledger_flush(struct sim *sim);

/* A new entry for a request without details; its number is `sim->ledger.last`. */
struct ledger_entry *ledger_request(struct sim *sim, enum method method);
/* Keeps path, key and the digest of `body` (if any) with the entry. */
void ledger_describe(struct sim *sim, struct ledger_entry *entry, struct slice method,
                     struct slice path, struct slice key, struct slice body);
/* Keeps path and key; the digest will be made from the job's body. */
void ledger_describe_job(struct sim *sim, struct ledger_entry *entry, const struct job *job,
                         struct slice path, struct slice key);
/* Notes what was answered to request `number`. */
void ledger_answered(struct sim *sim, uint32_t number, int status);
/* Counts one effect of the job that an earlier process executed. */
void ledger_count_effect(struct sim *sim, const struct job *job);
/* Notes that the job's effect was executed now. */
void ledger_effect(struct sim *sim, struct job *job);

struct ledger_entry *ledger_at(const struct ledger *ledger, uint32_t number);
/* Adds entry `number` as one line of NDJSON. */
void ledger_add_line(struct text *text, const struct sim *sim, uint32_t number);
void ledger_reset(struct ledger *ledger);

/* SHA-256 of `bytes`. */
void sha256(struct slice bytes, unsigned char digest_out[32]);

#endif
