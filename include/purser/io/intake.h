/* Spec and sources → rendered requests, one at a time, every one of them checked first.
 *
 * Two passes: the first reads all sources, renders every row, gathers all errors, finds duplicate
 * keys and items that are needed and are nowhere; only if it found none may a second one hand the
 * rows on. Flat memory. Jobs come after those that they need.
 *
 * What a needed item will return is unknown in the first pass. The second makes the request when
 * the ledger has what was returned, else it hands the row on as a draft. */
#ifndef PURSER_IO_INTAKE_H
#define PURSER_IO_INTAKE_H

#include "purser/codec/spec.h"
#include "purser/engine/ledger.h"
#include "purser/io/credentials.h"
#include "purser/io/source.h"

struct intake;

/* An item that a row waits for, or all of a job. */
struct rendered_need {
    const char *alias;       /* NULL = all of the job; it has neither key nor connection */
    size_t job_index;        /* in the spec */
    size_t connection_index; /* in the spec */
    struct slice key;
};

/* One row, rendered. Borrowed for the call. */
struct rendered_row {
    size_t job_index;        /* in the spec */
    size_t connection_index; /* in the spec */
    struct slice key, path, body;
    const char *file;
    uint32_t file_number; /* for source_file_name() */
    uint32_t line;
    bool condition;         /* its if: ; when false, path and body are empty */
    bool condition_unknown; /* what is needed decides it; it then counts as true */
    bool is_draft;          /* the request cannot be made yet: path and body are empty … */
    struct slice draft;     /* … and are made of this by the renderer */
    struct slice remake;    /* of intake_open_one(): the same, though the request could be made */
    /* Of a draft, as far as they are known: with VALUE_UNKNOWN_TEXT in the place of the rest. */
    struct slice known_path, known_body;
    /* The same as long as neither the request, but for what it needs, nor whom it waits for
     * changes. Set when there are needs. */
    struct hash128 draft_hash;
    const struct rendered_need *needs;
    size_t need_count;
    bool uses_needs; /* its request is made from what they return */
    bool has_group;
    struct slice group;              /* order_by: */
    const struct source_span *spans; /* where its rows stand in the source */
    size_t span_count;
};

typedef enum err_code intake_row_fn(void *context, const struct rendered_row *row, struct err *err);

/* Opens the sources of all jobs in `spec` and compiles their templates; `run` and `started_ms` are
 * what ${run.id} and ${run.started_at} give; those of the slot are in the spec. Errors: ERR_INPUT
 * with messages in `diagnostics`, those of source_open(), ERR_NO_MEMORY. */
enum err_code intake_open(const struct spec *spec, uint32_t run, int64_t started_ms,
                          struct diagnostics *diagnostics, struct intake **intake_out,
                          struct err *err) ERR_CHECKED;

/* The same with a place for the rows of standard input and of commands (`store`; NULL = none), and
 * without the jobs that `left_out` (by index in the spec; NULL = none) says: their sources are not
 * opened, and what items of other jobs need of them is not looked for. Both are borrowed. */
enum err_code intake_open_with_store(const struct spec *spec, const bool *left_out, uint32_t run,
                                     int64_t started_ms, const struct source_store *store,
                                     struct diagnostics *diagnostics, struct intake **intake_out,
                                     struct err *err) ERR_CHECKED;
void intake_close(struct intake *intake);

/* After the last pass: what is left is good for rendering, see request_renderer.h. */
void intake_close_sources(struct intake *intake);

/* The same for one job alone; the sources of the others are not opened, and its rows lose the
 * columns whose names begin with purser_. */
enum err_code intake_open_one(const struct spec *spec, size_t job_index, uint32_t run,
                              int64_t started_ms, struct diagnostics *diagnostics,
                              struct intake **intake_out, struct err *err) ERR_CHECKED;

/* Keeps the rows of standard input and of commands in the store, in place of those of the last run.
 * Errors: ERR_SYSTEM. */
enum err_code intake_keep_rows(struct intake *intake, struct err *err) ERR_CHECKED;

/* `stop` is asked now and then during a pass; when it says true the pass ends with ERR_STOPPED. */
void intake_set_stop(struct intake *intake, bool (*stop)(void *context), void *context);

/* The first pass also reads every secret that a body refers to, to see that it is there;
 * `credentials` must outlive the intake. Without this only the references are looked at. */
void intake_set_credentials(struct intake *intake, const struct credentials *credentials);

/* Where needed items are looked for that no row of today stands behind, and what they have
 * returned; set it again when the ledger has got new names of jobs or connections. NULL: there is
 * no ledger yet. Without this call a needed item that is in no row is a warning, not an error.
 * Errors: ERR_NO_MEMORY. */
enum err_code intake_set_ledger(struct intake *intake, struct ledger *ledger,
                                struct err *err) ERR_CHECKED;

/* `begin` is called in later passes before the first row of each job is read: what the rows of the
 * jobs before have done to the ledger must then be there to be read. */
void intake_set_job_begin(struct intake *intake,
                          enum err_code (*begin)(void *context, size_t job_index, struct err *err),
                          void *context);

/* The first pass. ERR_INPUT when any message is an error. */
enum err_code intake_check(struct intake *intake, struct err *err) ERR_CHECKED;

/* A later pass over rows that intake_check() found right. Ends with the first error of `row_fn`, or
 * with ERR_INPUT when a source is no longer what was checked. */
enum err_code intake_each(struct intake *intake, intake_row_fn *row_fn, void *context,
                          struct err *err) ERR_CHECKED;

/* Rows seen by the last pass. */
uint64_t intake_row_count(const struct intake *intake);

/* The source of a job, to read header and rows again. Borrowed. */
struct source *intake_source(struct intake *intake, size_t job_index);

#endif
