/* A comparison as `plan` shows it: by job and connection, with the requests and the time. */
#ifndef PURSER_CLI_PLAN_VIEW_H
#define PURSER_CLI_PLAN_VIEW_H

#include "purser/cli/plan_times.h"
#include "purser/core/estimate.h"

struct plan_load {
    uint64_t sends; /* of this run: at most --limit */
    uint64_t polls; /* expected */
    bool learned;   /* some rate is what earlier runs have learned */
    /* What the estimate rests on, where most is to be sent. */
    enum times_origin origin;
    uint32_t write_ms;        /* until a write is answered */
    uint32_t job_ms;          /* that its remote job takes; 0 = it has none */
    double repeats_each;      /* of a write */
    uint32_t rate_millis;     /* of the limit that the estimate names; 0 = none */
    struct estimate estimate; /* its job is an index of the spec */
};

/* What a walked comparison comes to under the limits of the spec and what the ledger has learned.
 * Errors: ERR_NO_MEMORY, ERR_STORAGE. */
enum err_code plan_load_find(const struct comparison *comparison, struct plan_load *load_out,
                             struct err *err) ERR_CHECKED;

void plan_append_table(const struct comparison *comparison, const struct plan_load *load,
                       struct buf *out);
/* One object in one line. */
void plan_append_json(const struct comparison *comparison, const struct plan_load *load,
                      struct buf *out);

#endif
