/* What the files of the intake share. */
#ifndef PURSER_IO_INTAKE_PRIVATE_H
#define PURSER_IO_INTAKE_PRIVATE_H

#include "purser/codec/outputs.h"
#include "purser/io/intake.h"
#include "purser/io/spill.h"

struct intake_job {
    const struct spec_job *job;
    struct spec_job of_run; /* the job, with the source's names of this run, where it needs them */
    struct source *source;
    struct job_templates templates;
    bool gathered;      /* rows of a group do not stand together */
    bool is_needed;     /* another job waits for items of it */
    bool is_wrong;      /* the first pass found wrong rows */
    struct spill *keys; /* the identities of its rows, sorted; in the first pass, when needed */
};

struct intake {
    const struct spec *spec;
    const struct source_store *store; /* NULL = none */
    struct diagnostics *diagnostics;
    struct intake_job *jobs; /* as many as the spec has */
    struct arena templates;
    struct arena scratch;  /* values of one row */
    struct arena stripped; /* rows without purser's own columns */
    bool strips;
    struct buf body;
    struct value run, slot; /* ${run…}; of it what stays when the run is gone on with */
    struct value run_values[4];
    struct slice run_names[4];
    char run_id[16], run_started[TEXT_TIME_BYTES];
    uint64_t row_count;
    uint64_t misfits; /* rows whose body is not as the API's description says */
    bool is_checked;  /* the first pass found no error; warnings are not told again */
    const struct credentials *credentials; /* NULL = secrets are not read */
    bool (*stop)(void *context);
    void *stop_context;
    enum err_code (*begin)(void *context, size_t job_index, struct err *err);
    void *begin_context;
    struct outputs *outputs;
    struct ledger *ledger;                      /* NULL = there is none */
    bool knows_ledger;                          /* whether there is one */
    uint32_t *job_numbers, *connection_numbers; /* in the ledger, by index; UINT32_MAX = none */
    struct rendered_need needs[NEEDS_MAX];      /* of the row */
    struct buf draft, answer;
};

/* intake_run.c: sets what ${run…} gives. */
void intake_set_run(struct intake *intake, uint32_t run, int64_t started_ms);
/* Gives the job's source the file name and the arguments of this run. Errors: ERR_INPUT with
 * messages, ERR_NO_MEMORY. */
enum err_code intake_name_source(struct intake *intake, struct intake_job *job,
                                 struct err *err) ERR_CHECKED;

/* intake_render.c: renders one unit; *right_out is false when it was wrong and messages were added.
 */
enum err_code intake_render(struct intake *intake, const struct intake_job *job,
                            const struct unit *unit, struct rendered_row *row, bool *right_out,
                            struct err *err) ERR_CHECKED;
/* Parts of it; false when the row was wrong and messages were added. */
bool intake_render_condition(struct intake *intake, const struct intake_job *job,
                             const struct unit *unit, const struct environment *environment,
                             struct rendered_row *row);
bool intake_render_request(struct intake *intake, const struct intake_job *job,
                           const struct unit *unit, const struct environment *environment,
                           struct rendered_row *row);
/* ${item…}; false when memory ran out. */
bool intake_item_value(struct intake *intake, const struct unit *unit, struct slice key,
                       struct value *item_out);

/* intake_needs.c: sets needs and group of the row; false when they were wrong and messages were
 * added. */
bool intake_render_needs(struct intake *intake, const struct intake_job *job,
                         const struct unit *unit, const struct environment *environment,
                         struct rendered_row *row);
/* Tells of needed items that are nowhere; *there_out is false when that is an error. */
enum err_code intake_check_needs(struct intake *intake, const struct intake_job *job,
                                 const struct unit *unit, const struct rendered_row *row,
                                 bool *there_out, struct err *err) ERR_CHECKED;
/* After a rendering with what is needed unknown: makes the request if it is known, else a draft. */
enum err_code intake_finish_row(struct intake *intake, const struct intake_job *job,
                                const struct unit *unit, struct environment *environment,
                                struct rendered_row *row, bool *right_out,
                                struct err *err) ERR_CHECKED;
/* What ${needs.ALIAS…} stands for, of the answer that the ledger keeps of the item `number` of the
 * job. ERR_INPUT with *error_out when its outputs cannot be computed. */
enum err_code intake_read_need(struct intake *intake, size_t job_index, uint64_t number,
                               struct value *value_out, struct eval_error *error_out,
                               struct err *err) ERR_CHECKED;
struct hash128 intake_identity(struct slice key, size_t connection_index);

/* intake_strip.c: takes the columns that purser added from the rows of a unit, whose values then
 * are the intake's. False when memory ran out. */
bool intake_strip(struct intake *intake, struct unit *unit);
/* How many of `columns` are not purser's; those come first in *columns_out, which is the arena's or
 * `columns`. NULL when memory ran out. */
const struct slice *intake_own_columns(struct arena *arena, const struct slice *columns,
                                       size_t *count);

/* intake_check.c. Each returns false when the row must not be sent.
 *
 * The message of `error`, at the row, with the place in the spec that it is about. */
void intake_tell(struct intake *intake, const struct unit *unit, enum diag_severity severity,
                 const char *code, const struct eval_error *error);
/* The platform of `connection` has the job's operation, as far as is known. */
bool intake_check_platform(struct intake *intake, const struct intake_job *job,
                           const struct unit *unit, const struct spec_connection *connection);
/* intake_document.c: the body is as the API's description says. Where none is required and there is
 * none, it is. */
bool intake_check_body(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                       struct slice path, struct slice body);
/* Tells how many rows there were that intake_check_body() did not tell of, and what in the
 * description could not be judged. */
void intake_tell_of_document(struct intake *intake);
/* Tells of a member that is required and was left out. */
bool intake_tell_lack(struct intake *intake, const struct unit *unit,
                      const struct eval_error *error);

/* intake_connection.c: a body that makes a connection has what its platform needs, and its secrets
 * are there. */
bool intake_check_connection_write(struct intake *intake, const struct intake_job *job,
                                   const struct unit *unit, struct slice body);

#endif
