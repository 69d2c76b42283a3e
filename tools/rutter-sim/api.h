/* From a request to an answer: routing, credentials, limits, validation, keys and jobs. */
#ifndef RUTTER_SIM_API_H
#define RUTTER_SIM_API_H

#include "sim.h"

/* A request as it came; everything is borrowed until the answer is composed. */
struct request {
    struct slice method;
    struct slice path; /* without the query */
    struct slice query;
    struct slice authority;
    struct slice authorization;
    struct slice version;
    struct slice key;
    struct slice content_type;
    struct slice body;
};

enum response_mode { MODE_ASYNC, MODE_PREFER_SYNC, MODE_SYNC };

/* An answer. `body` is a buffer of the caller, cleared by `api_handle`. */
struct answer {
    int status;
    const char *content_type;
    const char *location;
    const char *content_encoding;
    struct text *body;
    char job_id[UUID_LENGTH];
    bool has_job_id;
    char retry_after[40];               /* empty: no such header */
    const struct script_entry *headers; /* further headers, or NULL */
    enum wire wire;
    int64_t delay_ms;
    uint32_t entry; /* in the ledger; 0: a request of the control interface */
    uint32_t epoch;
    uint64_t draw; /* names the request in X-Rutter-Request-ID */
    /* An answer that waits for its job: compose it with `api_finish` when the delay is over. */
    struct job *waits_for;
    enum response_mode mode;
    const struct outcome *after;
};

void api_handle(struct sim *sim, const struct request *request, struct answer *answer);
/* Composes an answer that waited for its job. `answer->body` is set by the caller. */
void api_finish(struct sim *sim, struct answer *answer);
/* Notes in the ledger that the answer left (or that the connection was closed instead). */
void api_answered(struct sim *sim, const struct answer *answer);

/* execute.c. Finishes the job now: executes its effect, if it has one. */
void job_finish(struct job *job);
/* Finishes the job at `due_ms`, unless its outcome is never to end. */
void job_wait(struct job *job, int64_t due_ms);
/* Finishes the job if it is due, without waiting for its timer. */
void job_settle(struct job *job);

/* answer.c: composing. */
void answer_error(struct answer *answer, int status, const char *type, const char *code,
                  const char *message);
/* A refusal or a poll fault. */
void answer_outcome(struct sim *sim, struct answer *answer, const struct outcome *outcome);
/* What an accepted write answers, with the changes of `answer->after`. */
void answer_write(struct sim *sim, struct answer *answer, struct job *job, struct slice authority);
/* Changes a composed answer as the outcome says. */
void answer_change(struct sim *sim, struct answer *answer, const struct outcome *outcome,
                   const struct job *job, struct slice authority);
void answer_set_job_id(struct answer *answer, const struct job *job);

/* write.c: a write operation, from its checks to its answer. */
void api_write(struct sim *sim, const struct request *request, const struct operation *operation,
               const struct script_entry *script, struct answer *answer);

/* read.c: a GET of anything but a job; its head was checked. `path` is under /versioned. */
void api_read(struct sim *sim, const struct request *request, struct slice path,
              struct answer *answer);

/* The value of a query parameter, as it stands; empty if absent. */
struct slice query_value(struct slice query, struct slice name);

/* control.c: /_sim. True if the answer is the ledger and must be streamed from `*from_out`. */
bool control_handle(struct sim *sim, const struct request *request, struct answer *answer,
                    uint32_t *from_out, uint32_t *to_out);

#endif
