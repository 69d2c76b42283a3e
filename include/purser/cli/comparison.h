/* The rows of today against the ledger: what `plan` shows and `run` writes, by one code path.
 *
 * Owns the intake and the counts; the session and its ledger are the caller's. */
#ifndef PURSER_CLI_COMPARISON_H
#define PURSER_CLI_COMPARISON_H

#include "purser/cli/selection.h"
#include "purser/engine/import.h"
#include "purser/io/intake.h"

/* What a job's rows on one connection come to. */
struct comparison_counts {
    uint64_t by_action[CONVERGE_COUNT];
    uint64_t active;      /* unchanged and under way: polled to its end, or repeated */
    uint64_t starts;      /* ready or blocked afterwards: will be sent */
    uint64_t waits;       /* of them, blocked: when others are done */
    uint64_t chain;       /* of them, at most so many in one order (only when nothing is written) */
    uint64_t kept_unsent; /* never sent, and with a row */
    uint64_t may_change;  /* unchanged, but what they are made from is sent again */
    uint64_t outdated;    /* corrected, and made from an answer that is another one by now (only
                             counted when nothing is written) */
    uint64_t dropped;     /* without a row and never sent (only counted when nothing is written) */
    uint64_t gone;        /* without a row, and over (as above) */
    uint64_t seen[ITEM_STATE_COUNT]; /* items with a row, by the state before */
};

struct comparison {
    struct session *session;
    struct selection selection;
    struct intake *intake;
    struct source_store store; /* where it keeps rows; used when keep_rows was said */
    uint32_t run;              /* the number of this run, or of the next one */
    int64_t started_ms;
    /* Numbers in the ledger by index in the spec; UINT32_MAX = the ledger has it not (plan). */
    const uint32_t *connections, *jobs;
    struct comparison_counts **counts; /* by job and connection; NULL = the job has had no row */
    struct import_counts total;
    struct tally *tally; /* of a walk that writes nothing; NULL = not opened */
    uint64_t remade; /* items that are sent again after a success, and that others are made from */
};

struct comparison_options {
    int64_t started_ms;                    /* of the run */
    int64_t planned_ms;                    /* what ${run.started_at} gives; 0 = started_ms */
    const struct credentials *credentials; /* to see that secrets are there; NULL = not looked */
    bool keep_rows; /* a walk that writes keeps the rows of standard input and of commands in the
                       ledger's folder, for `results` */
    bool (*stop)(void *context); /* NULL = never; true ends with ERR_STOPPED */
    void *stop_context;
};

/* Sees each row with what becomes of it, before anything of it is written. */
typedef enum err_code comparison_row_fn(void *context, const struct rendered_row *row,
                                        const struct import_outcome *outcome, struct err *err);

/* Opens the sources of the session's spec and checks every row of the jobs that the options select.
 * The session's ledger may be NULL: everything is new. Errors: as selection_make(), intake_open()
 * and intake_check(); close it after them as well. */
enum err_code comparison_open(struct session *session, const struct comparison_options *options,
                              struct comparison *comparison_out, struct err *err) ERR_CHECKED;

/* One pass over the selected rows; the counts are of the last one. With `write` the ledger holds
 * the result, durable, when this returns; what an error leaves written compares as unchanged in the
 * next run. Rows that must not change (when_changed: error) are told in the session's diagnostics;
 * with `write` they end it with ERR_INPUT before the last step. `row_fn` may be NULL. */
enum err_code comparison_walk(struct comparison *comparison, bool write, comparison_row_fn *row_fn,
                              void *context, struct err *err) ERR_CHECKED;

void comparison_close(struct comparison *comparison);

/* The intake without its sources, for making requests later; the caller closes it. */
struct intake *comparison_take_intake(struct comparison *comparison);

/* Numbers in the ledger of all connections and jobs of the spec, into arrays of the spec's lengths
 * from its arena. With `write` they are made when they are new. */
enum err_code comparison_numbers(struct session *session, bool write,
                                 const uint32_t **connections_out, const uint32_t **jobs_out,
                                 struct err *err) ERR_CHECKED;

/* True if items of `job` need items of the other one, not only all of it. */
bool comparison_job_needs(const struct spec_job *job, size_t other_index);

/* The row as the import takes it; arrays as of comparison_numbers(). Borrows from the row, and its
 * needs are in `needs_out`. */
struct import_row comparison_import_row(const struct spec *spec, const uint32_t *connections,
                                        const uint32_t *jobs, const struct rendered_row *row,
                                        struct import_need needs_out[NEEDS_MAX]);

#endif
