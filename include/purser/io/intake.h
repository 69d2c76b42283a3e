/* Spec and sources → rendered requests, one at a time, every one of them checked first.
 *
 * Two passes: the first reads all sources, renders every row, gathers all errors and finds
 * duplicate keys; only if it found none may a second one hand the rows on. Flat memory. */
#ifndef PURSER_IO_INTAKE_H
#define PURSER_IO_INTAKE_H

#include "purser/codec/spec.h"
#include "purser/io/credentials.h"
#include "purser/io/source.h"

struct intake;

/* One row, rendered. Borrowed for the call. */
struct rendered_row {
    size_t job_index;        /* in the spec */
    size_t connection_index; /* in the spec */
    struct slice key, path, body;
    const char *file;
    uint32_t line;
    bool condition;                  /* its if: ; when false, path and body are empty */
    const struct source_span *spans; /* where its rows stand in the source */
    size_t span_count;
};

typedef enum err_code intake_row_fn(void *context, const struct rendered_row *row, struct err *err);

/* Opens the sources of all jobs in `spec` and compiles their templates; `run` and `started_ms` are
 * what ${run.id} and ${run.started_at} give. Errors: ERR_INPUT with messages in `diagnostics`,
 * ERR_NO_MEMORY. */
enum err_code intake_open(const struct spec *spec, uint32_t run, int64_t started_ms,
                          struct diagnostics *diagnostics, struct intake **intake_out,
                          struct err *err) ERR_CHECKED;
void intake_close(struct intake *intake);

/* The same for one job alone; the sources of the others are not opened, and its rows lose the
 * columns whose names begin with purser_. */
enum err_code intake_open_one(const struct spec *spec, size_t job_index, uint32_t run,
                              int64_t started_ms, struct diagnostics *diagnostics,
                              struct intake **intake_out, struct err *err) ERR_CHECKED;

/* `stop` is asked now and then during a pass; when it says true the pass ends with ERR_STOPPED. */
void intake_set_stop(struct intake *intake, bool (*stop)(void *context), void *context);

/* The first pass also reads every secret that a body refers to, to see that it is there;
 * `credentials` must outlive the intake. Without this only the references are looked at. */
void intake_set_credentials(struct intake *intake, const struct credentials *credentials);

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
