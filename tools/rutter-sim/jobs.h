/* Writes that were accepted: each is a job, with or without an id that the client learns. */
#ifndef RUTTER_SIM_JOBS_H
#define RUTTER_SIM_JOBS_H

#include "operations.h"
#include "outcome.h"
#include "table.h"
#include "text.h"

struct sim;
struct connection;

struct job {
    struct timer timer; /* fires when the job is finished */
    struct sim *sim;
    const struct operation *operation;
    const struct outcome *outcome; /* of stage job; NULL: succeeds */
    const struct outcome *poll_outcome;
    const struct connection *connection; /* NULL for an operation without a token */
    int64_t accepted_ms;
    int64_t finished_ms; /* when its effect was executed */
    uint64_t draw;       /* what the job's random draws depend on */
    uint64_t entity[2];  /* the two halves of the created entity's UUID */
    uint64_t id[2];      /* the two halves of the job's UUID */
    uint32_t number;
    uint32_t entry; /* the accepting request's entry in the ledger */
    uint32_t polls;
    uint32_t poll_outcome_left;
    bool is_hidden;     /* of an operation without jobs: the client never sees the id */
    bool is_finished;   /* the effect, if any, is executed */
    bool found_deleted; /* a DELETE of what was deleted before */
    bool has_digest;    /* the body is forgotten, `body_sha256` is known */
    uint8_t effects;    /* so many were executed */
    bool old_url;       /* response_url has the form /v2/jobs/ID */
    struct slice path;  /* under /versioned */
    struct slice key;
    struct slice body;    /* as received; empty with --no-echo */
    struct slice wrapper; /* raw value of the wrapper member; of a new connection its platform */
    struct slice own_id;  /* id member of the wrapper, raw; empty if absent */
    struct slice name;    /* what identifies the written thing, raw JSON string inside */
    struct slice sku;
    unsigned char body_sha256[32]; /* if `has_digest` */
};

/* Where all jobs are. Jobs never move; numbers start at 1 and are not used twice. */
struct jobs {
    struct job **blocks;
    size_t block_count;
    uint32_t last;
    uint32_t forgotten; /* jobs up to this number were removed by a reset */
};

/* A new zeroed job with its number set. */
struct job *jobs_new(struct jobs *jobs);
struct job *jobs_at(const struct jobs *jobs, uint32_t number);
/* Sets the job's id from its number and `draw`. */
void job_set_id(struct job *job);
/* Goes on numbering behind `number`; only before the first job. */
void jobs_continue(struct jobs *jobs, uint32_t number);
/* The visible job whose id is `id`, or NULL. */
struct job *jobs_find(const struct jobs *jobs, struct slice id);

/* Adds the job's id, 36 characters. */
void job_add_id(struct text *text, const struct job *job);
/* Adds the job object as GET /jobs/{id} answers it at this time. */
void job_add_object(struct text *text, const struct job *job);
/* Adds what the finished write answers, and returns its HTTP status. */
int job_add_result(struct text *text, const struct job *job);
/* Adds the address where the job can be polled. `authority` is the client's Host. */
void job_add_url(struct text *text, const struct job *job, struct slice authority);

/* Adds an error body in Rutter's form. */
void add_error(struct text *text, const char *type, const char *code, const char *message);

#endif
