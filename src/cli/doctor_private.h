/* The parts of `purser doctor`: each looks at one thing and adds what it found. */
#ifndef PURSER_CLI_DOCTOR_PRIVATE_H
#define PURSER_CLI_DOCTOR_PRIVATE_H

#include "purser/cli/connection_view.h"
#include "purser/cli/session.h"
#include "purser/io/credentials.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_PROBLEM, FINDING_SKIPPED };

struct doctor {
    struct session *session;
    struct buf out; /* in the format of the options */
    uint32_t count; /* of findings in it */
    uint64_t warning_count, problem_count;
    int exit_status;                /* of the first problem */
    uint32_t seen;                  /* messages of the session that are findings already */
    bool held;                      /* a run holds the ledger */
    struct credentials credentials; /* zeroed = not there */
};

/* Adds a line. `area` is one word; `next` says what to do, "" = nothing. A problem's `exit_status`
 * is that of doctor when it is the first. */
void doctor_add(struct doctor *doctor, enum finding_level level, const char *area, int exit_status,
                const char *next, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* A problem from an error: what stands behind "hint: " in it is what to do. */
void doctor_add_error(struct doctor *doctor, const char *area, const struct err *err);

/* What the session's diagnostics have got since the last call. */
void doctor_add_messages(struct doctor *doctor, const char *area);

/* The state directory: true when there is one that can be used. */
bool doctor_look_at_state(struct doctor *doctor);

/* The ledger in it, in a process of its own. */
void doctor_look_at_ledger(struct doctor *doctor);

/* The secrets: true when all are there; they stay in the doctor. */
bool doctor_look_at_credentials(struct doctor *doctor);

/* The API, the clocks and the connections. Errors: ERR_STOPPED by a signal, ERR_NO_MEMORY. */
enum err_code doctor_look_at_api(struct doctor *doctor, struct err *err) ERR_CHECKED;

#endif
