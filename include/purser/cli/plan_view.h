/* A comparison as `plan` shows it: by job and connection, with the requests and the time. */
#ifndef PURSER_CLI_PLAN_VIEW_H
#define PURSER_CLI_PLAN_VIEW_H

#include "purser/cli/comparison.h"
#include "purser/core/estimate.h"

struct plan_load {
    uint64_t sends; /* of this run: at most --limit */
    uint64_t polls; /* expected */
    double polls_each;
    uint32_t polls_run;   /* the run that this was learned from; 0 = assumed */
    bool learned;         /* some rate is what earlier runs have learned */
    uint32_t rate_millis; /* of the limit that the estimate names; 0 = none */
    struct estimate estimate;
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
