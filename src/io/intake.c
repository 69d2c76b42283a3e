#include "purser/io/intake.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "intake_private.h"
#include "purser/base/mem.h"
#include "purser/io/source.h"
#include "purser/io/spill.h"

enum { DUPLICATES_SHOWN_MAX = DIAG_SHOWN_MAX, ROWS_BETWEEN_STOPS = 1024 };

static enum err_code bind_job(struct intake *intake, struct intake_job *job,
                              const struct slice *columns, size_t column_count, struct err *err)
{
    enum err_code code = spec_job_bind(&intake->templates, intake->spec, job->job, columns,
                                       column_count, &job->templates, intake->diagnostics);

    if (code == ERR_NO_MEMORY)
        return err_set(err, code, "no memory for the templates of job %s", job->job->name);
    return code;
}

/* The rows of a job that is left out are not read, but those that wait already get their requests
 * when it is their turn. */
static enum err_code leave_out(struct intake *intake, struct intake_job *job, struct err *err)
{
    for (size_t i = 0; i < job->job->need_count; i++)
        if (job->job->needs[i].alias != NULL)
            return bind_job(intake, job, NULL, 0, err);
    return ERR_OK;
}

static enum err_code open_job(struct intake *intake, struct intake_job *job, struct err *err)
{
    const struct slice *columns;
    size_t column_count;
    enum err_code code = intake_name_source(intake, job, err);

    if (code == ERR_OK)
        code = source_open(intake->spec, job->job, intake->store, intake->diagnostics, &job->source,
                           err);
    if (code != ERR_OK)
        return code;
    columns = source_columns(job->source, &column_count);
    if (intake->strips && columns != NULL) {
        columns = intake_own_columns(&intake->templates, columns, &column_count);
        if (columns == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the columns of job %s",
                           job->job->name);
    }
    code = bind_job(intake, job, columns, column_count, err);
    if (code == ERR_OK && job->templates.group_by != NULL)
        source_set_group_by(job->source, job->templates.group_by, &intake->spec->vars);
    return code;
}

static enum err_code input_error(const struct intake *intake, struct err *err)
{
    return err_set(err, ERR_INPUT, "%llu error%s in %s and its sources; nothing was sent",
                   (unsigned long long)intake->diagnostics->error_count,
                   intake->diagnostics->error_count == 1 ? "" : "s", intake->spec->file);
}

static enum err_code open_needs(struct intake *intake, struct err *err)
{
    const struct spec *spec = intake->spec;

    for (size_t i = 0; i < spec->job_count; i++)
        for (size_t j = 0; j < spec->jobs[i].need_count; j++)
            if (spec->jobs[i].needs[j].alias != NULL)
                intake->jobs[spec->jobs[i].needs[j].job].is_needed = true;
    return outputs_open(spec, &intake->templates, intake->diagnostics, &intake->outputs, err);
}

/* The job `only`, or with SIZE_MAX all but those that are left out. */
static enum err_code open_jobs(const struct spec *spec, size_t only, const bool *left_out,
                               uint32_t run, int64_t started_ms, const struct source_store *store,
                               struct diagnostics *diagnostics, struct intake **intake_out,
                               struct err *err)
{
    struct intake *intake = mem_new(1, sizeof *intake);
    enum err_code code = ERR_OK;

    if (intake == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the sources");
    intake->spec = spec;
    intake->store = store;
    intake->diagnostics = diagnostics;
    arena_init(&intake->templates, SPEC_ARENA_BYTES_MAX);
    arena_init(&intake->scratch, UNIT_ARENA_BYTES_MAX);
    arena_init(&intake->stripped, UNIT_ARENA_BYTES_MAX);
    intake->strips = only != SIZE_MAX;
    buf_init(&intake->body, BODY_BYTES_MAX);
    buf_init(&intake->draft, BODY_BYTES_MAX);
    buf_init(&intake->answer, ANSWER_BYTES_MAX + 64 * 1024);
    intake_set_run(intake, run, started_ms);
    intake->jobs = mem_new(spec->job_count, sizeof *intake->jobs);
    if (intake->jobs == NULL) {
        intake_close(intake);
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu jobs", spec->job_count);
    }
    /* All jobs, so that all errors are told at once. */
    for (size_t i = 0; i < spec->job_count && (code == ERR_OK || code == ERR_INPUT); i++) {
        enum err_code opened;
        struct err why = {0}; /* one that an earlier job has set says nothing of this one */

        intake->jobs[i].job = &spec->jobs[i];
        if (only != SIZE_MAX && i != only)
            continue;
        opened = left_out != NULL && left_out[i] ? leave_out(intake, &intake->jobs[i], &why)
                                                 : open_job(intake, &intake->jobs[i], &why);
        if (opened != ERR_OK) {
            code = opened;
            *err = why;
        }
    }
    if (code == ERR_OK && diagnostics_has_errors(diagnostics))
        code = ERR_INPUT;
    if (code == ERR_OK)
        code = open_needs(intake, err);
    if (code == ERR_INPUT && diagnostics_has_errors(diagnostics))
        input_error(intake, err);
    if (code != ERR_OK) {
        intake_close(intake);
        return code;
    }
    *intake_out = intake;
    return ERR_OK;
}

enum err_code intake_open(const struct spec *spec, uint32_t run, int64_t started_ms,
                          struct diagnostics *diagnostics, struct intake **intake_out,
                          struct err *err)
{
    return open_jobs(spec, SIZE_MAX, NULL, run, started_ms, NULL, diagnostics, intake_out, err);
}

enum err_code intake_open_with_store(const struct spec *spec, const bool *left_out, uint32_t run,
                                     int64_t started_ms, const struct source_store *store,
                                     struct diagnostics *diagnostics, struct intake **intake_out,
                                     struct err *err)
{
    return open_jobs(spec, SIZE_MAX, left_out, run, started_ms, store, diagnostics, intake_out,
                     err);
}

enum err_code intake_open_one(const struct spec *spec, size_t job_index, uint32_t run,
                              int64_t started_ms, struct diagnostics *diagnostics,
                              struct intake **intake_out, struct err *err)
{
    assert(job_index < spec->job_count);
    return open_jobs(spec, job_index, NULL, run, started_ms, NULL, diagnostics, intake_out, err);
}

static void close_job(struct intake_job *job)
{
    source_close(job->source);
    spill_close(job->keys);
}

void intake_close_sources(struct intake *intake)
{
    for (size_t i = 0; i < intake->spec->job_count; i++) {
        source_close(intake->jobs[i].source);
        intake->jobs[i].source = NULL;
    }
}

void intake_close(struct intake *intake)
{
    if (intake == NULL)
        return;
    for (size_t i = 0; intake->jobs != NULL && i < intake->spec->job_count; i++)
        close_job(&intake->jobs[i]);
    mem_free(intake->jobs);
    arena_deinit(&intake->templates);
    arena_deinit(&intake->scratch);
    arena_deinit(&intake->stripped);
    buf_deinit(&intake->body);
    buf_deinit(&intake->draft);
    buf_deinit(&intake->answer);
    outputs_close(intake->outputs);
    mem_free(intake);
}

enum err_code intake_keep_rows(struct intake *intake, struct err *err)
{
    for (size_t i = 0; i < intake->spec->job_count; i++)
        if (intake->jobs[i].source != NULL && source_keep(intake->jobs[i].source, err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

static struct hash128 identity_hash(const struct rendered_row *row)
{
    return intake_identity(row->key, row->connection_index);
}

typedef enum err_code unit_fn(struct intake *intake, void *context, const struct rendered_row *row,
                              struct err *err);

void intake_set_stop(struct intake *intake, bool (*stop)(void *context), void *context)
{
    intake->stop = stop;
    intake->stop_context = context;
}

void intake_set_job_begin(struct intake *intake,
                          enum err_code (*begin)(void *context, size_t job_index, struct err *err),
                          void *context)
{
    intake->begin = begin;
    intake->begin_context = context;
}

void intake_set_credentials(struct intake *intake, const struct credentials *credentials)
{
    intake->credentials = credentials;
}

/* One pass over a job's source. Rows that are wrong have added messages and are passed over. */
static enum err_code pass(struct intake *intake, struct intake_job *job, unit_fn *fn, void *context,
                          struct err *err)
{
    enum err_code code = source_rewind(job->source, job->gathered, err);
    struct unit unit;

    while (code == ERR_OK) {
        uint64_t failures_before = mem_failure_count();
        struct rendered_row row;
        bool is_right;

        code = source_next(job->source, &unit, intake->diagnostics, err);
        if (code != ERR_OK)
            break;
        intake->row_count++;
        if (intake->row_count % ROWS_BETWEEN_STOPS == 0 && intake->stop != NULL &&
            intake->stop(intake->stop_context))
            return err_set(err, ERR_STOPPED,
                           "stopped while the rows were compared; nothing was sent");
        if (intake->strips && !intake_strip(intake, &unit))
            return err_set(err, ERR_NO_MEMORY, "no memory for a row");
        code = intake_render(intake, job, &unit, &row, &is_right, err);
        /* No row is wrong for a lack of memory. */
        if (intake->body.failed == ERR_NO_MEMORY || mem_failure_count() > failures_before)
            return err_set(err, ERR_NO_MEMORY, "no memory for a row");
        if (code == ERR_OK && is_right)
            code = fn(intake, context, &row, err);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

/* File and line in one. */
static uint64_t place_number(const struct rendered_row *row)
{
    return (uint64_t)row->file_number << 32 | row->line;
}

static enum err_code collect_key(struct intake *intake, void *context,
                                 const struct rendered_row *row, struct err *err)
{
    return spill_add(context, /* the keys of one job's rows, too many for memory */
                     &(struct spill_record){.hash = identity_hash(row),
                                            .order = intake->row_count,
                                            .value = place_number(row)},
                     err);
}

/* The second, third … use of a key. */
struct duplicate {
    struct hash128 hash;
    uint64_t place, first_place; /* place_number() */
};

struct duplicates {
    struct duplicate shown[DUPLICATES_SHOWN_MAX];
    uint64_t count;
    struct diagnostics *diagnostics;
};

static void find_duplicates(const struct spill_record *records, uint64_t count,
                            struct duplicates *duplicates)
{
    uint64_t first = 0;

    for (uint64_t i = 1; i < count; i++) {
        if (!hash128_equal(records[i].hash, records[first].hash)) {
            first = i;
            continue;
        }
        if (duplicates->count < DUPLICATES_SHOWN_MAX)
            duplicates->shown[duplicates->count] =
                (struct duplicate){.hash = records[i].hash,
                                   .place = records[i].value,
                                   .first_place = records[first].value};
        duplicates->count++;
    }
}

static void tell_use(struct intake *intake, struct diagnostics *diagnostics,
                     const struct rendered_row *row, uint64_t first_place)
{
    const struct intake_job *job = &intake->jobs[row->job_index];
    uint32_t first_file = (uint32_t)(first_place >> 32);
    bool elsewhere = first_file != row->file_number;

    diagnostics_add(
        diagnostics, DIAG_ERROR, (struct place){.file = row->file, .line = row->line, .column = 1},
        "data.duplicate_key",
        "a key names one item; make it unique, or use group_by to make one item of several rows",
        "job %s: key '%.*s' was used on line %u%s%s", job->job->name, (int)row->key.length,
        row->key.bytes, (uint32_t)first_place, elsewhere ? " of " : "",
        elsewhere ? source_file_name(job->source, first_file) : "");
}

/* The keys themselves were not kept: a second look at the rows gives their text. */
static enum err_code tell_duplicate(struct intake *intake, void *context,
                                    const struct rendered_row *row, struct err *err)
{
    const struct duplicates *duplicates = context;
    struct hash128 hash = identity_hash(row);
    uint64_t shown =
        duplicates->count < DUPLICATES_SHOWN_MAX ? duplicates->count : DUPLICATES_SHOWN_MAX;

    (void)err;
    for (uint64_t i = 0; i < shown; i++) {
        const struct duplicate *duplicate = &duplicates->shown[i];

        if (duplicate->place != place_number(row) || !hash128_equal(duplicate->hash, hash))
            continue;
        tell_use(intake, duplicates->diagnostics, row, duplicate->first_place);
    }
    return ERR_OK;
}

static enum err_code check_job(struct intake *intake, struct intake_job *job, struct err *err)
{
    uint64_t errors_before = intake->diagnostics->error_count;
    struct spill *keys;
    struct duplicates duplicates = {.count = 0};
    struct diagnostics unheard;
    uint64_t count = 0, rows_before = intake->row_count;
    enum err_code code = spill_open(NULL, &keys, err);

    if (code != ERR_OK)
        return code;
    code = pass(intake, job, collect_key, keys, err);
    if (code == ERR_OK)
        code = spill_sort(keys, false, err);
    if (code == ERR_OK) {
        const struct spill_record *records = spill_records(keys, &count);

        find_duplicates(records, count, &duplicates);
    }
    job->is_wrong = intake->diagnostics->error_count > errors_before;
    spill_close(job->keys);
    job->keys = job->is_needed ? keys : NULL;
    if (!job->is_needed)
        spill_close(keys);
    if (code != ERR_OK || duplicates.count == 0)
        return code;
    if (job->templates.group_by != NULL && !job->gathered) {
        if (diagnostics_has_errors(intake->diagnostics))
            return ERR_OK;
        job->gathered = true;
        intake->row_count = rows_before;
        return check_job(intake, job, err);
    }
    /* The rows' own errors were told in the first look. */
    diagnostics_init(&unheard);
    duplicates.diagnostics = intake->diagnostics;
    intake->diagnostics = &unheard;
    intake->is_checked = true;
    code = pass(intake, job, tell_duplicate, &duplicates, err);
    intake->is_checked = false;
    intake->diagnostics = duplicates.diagnostics;
    diagnostics_deinit(&unheard);
    return code;
}

static void forget_keys(struct intake *intake)
{
    for (size_t i = 0; i < intake->spec->job_count; i++) {
        spill_close(intake->jobs[i].keys);
        intake->jobs[i].keys = NULL;
    }
}

enum err_code intake_check(struct intake *intake, struct err *err)
{
    intake->row_count = 0;
    for (size_t i = 0; i < intake->spec->job_count; i++) {
        struct intake_job *job = &intake->jobs[intake->spec->job_order[i]];
        enum err_code code = job->source == NULL ? ERR_OK : check_job(intake, job, err);

        /* Without a message there is only *err to tell what is wrong: a file has changed. */
        if (code != ERR_OK && ((code != ERR_INPUT && code != ERR_TOO_BIG) ||
                               !diagnostics_has_errors(intake->diagnostics)))
            return code;
    }
    forget_keys(intake);
    intake_tell_of_document(intake);
    if (diagnostics_has_errors(intake->diagnostics))
        return input_error(intake, err);
    intake->is_checked = true;
    return ERR_OK;
}

struct hand_on {
    intake_row_fn *row_fn;
    void *context;
};

static enum err_code hand_on(struct intake *intake, void *context, const struct rendered_row *row,
                             struct err *err)
{
    const struct hand_on *to = context;

    (void)intake;
    return to->row_fn(to->context, row, err);
}

/* `failure`: 0, or why it cannot be told whether it was. */
static enum err_code changed(const struct intake_job *job, int failure, struct err *err)
{
    if (failure != 0)
        return err_set(err, ERR_SYSTEM,
                       "the source of job %s cannot be looked at again: %s; nothing was sent",
                       job->job->name, strerror(failure));
    return err_set(err, ERR_INPUT,
                   "the source of job %s was changed while it was read; nothing was sent\n"
                   "hint: run again when the file is complete",
                   job->job->name);
}

enum err_code intake_each(struct intake *intake, intake_row_fn *row_fn, void *context,
                          struct err *err)
{
    struct hand_on to = {row_fn, context};

    intake->row_count = 0;
    for (size_t i = 0; i < intake->spec->job_count; i++) {
        struct intake_job *job = &intake->jobs[intake->spec->job_order[i]];
        enum err_code code;

        if (job->source == NULL)
            continue;
        code = intake->begin == NULL
                   ? ERR_OK
                   : intake->begin(intake->begin_context, intake->spec->job_order[i], err);
        if (code == ERR_OK)
            code = pass(intake, job, hand_on, &to, err);
        if (code != ERR_OK)
            return code;
        if (!source_is_unchanged(job->source))
            return changed(job, errno, err);
        if (diagnostics_has_errors(intake->diagnostics))
            return input_error(intake, err);
    }
    return ERR_OK;
}

uint64_t intake_row_count(const struct intake *intake)
{
    return intake->row_count;
}

struct source *intake_source(struct intake *intake, size_t job_index)
{
    assert(job_index < intake->spec->job_count);
    return intake->jobs[job_index].source;
}
