#include "purser/cli/correct.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "purser/cli/comparison.h"
#include "purser/cli/run.h"
#include "purser/cli/schedule.h"
#include "purser/codec/inline_rows.h"
#include "purser/io/clock.h"
#include "purser/io/intake.h"
#include "purser/io/signals.h"

struct correct {
    struct run run;
    struct spec spec; /* the session's, with the file in the place of the job's source */
    size_t job_index;
    const uint32_t *connections, *jobs; /* numbers in the ledger; UINT32_MAX = not there */
    struct importer importer;
    uint64_t counts[CORRECTION_COUNT];
};

/* --- which job, and what kind of file --- */

static bool find_job(const struct spec *spec, const char *name, size_t length, size_t *index_out)
{
    for (size_t i = 0; i < spec->job_count; i++)
        if (strlen(spec->jobs[i].name) == length && memcmp(spec->jobs[i].name, name, length) == 0) {
            *index_out = i;
            return true;
        }
    return false;
}

/* `results` writes a folder for each job: results/products/failed.csv. */
static bool find_job_of_folder(const struct spec *spec, const char *file, size_t *index_out)
{
    const char *end = strrchr(file, '/'), *start;

    if (end == NULL)
        return false;
    for (start = end; start > file && start[-1] != '/';)
        start--;
    return find_job(spec, start, (size_t)(end - start), index_out);
}

static enum err_code choose_job(struct correct *correct, struct err *err)
{
    const struct session *session = correct->run.session;
    const struct spec *spec = &session->spec;
    const struct options *options = session->options;

    if (options->job != NULL) {
        if (find_job(spec, options->job, strlen(options->job), &correct->job_index))
            return ERR_OK;
        return err_set(err, ERR_USAGE, "--job: %s has no job '%.100s'", spec->file, options->job);
    }
    correct->job_index = 0;
    if (spec->job_count == 1 || find_job_of_folder(spec, options->input, &correct->job_index))
        return ERR_OK;
    return err_set(err, ERR_USAGE,
                   "%.200s: of which job are these rows? %s has %zu\nhint: --job JOB says it",
                   options->input, spec->file, spec->job_count);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static enum err_code choose_kind(struct arena *arena, const char *file, struct spec_source *source,
                                 struct err *err)
{
    struct spec_source before = *source;

    if (ends_with(file, ".csv") || ends_with(file, ".tsv")) {
        bool was_csv = before.kind == SOURCE_CSV;

        spec_source_of_results(source, SOURCE_CSV, file);
        if (!was_csv && ends_with(file, ".tsv"))
            source->delimiter = '\t';
        if (before.kind == SOURCE_INLINE && inline_rows_type(arena, &before, source) != ERR_OK)
            return err_set(err, ERR_NO_MEMORY, "no memory for the columns of %.200s", file);
    } else if (ends_with(file, ".ndjson") || ends_with(file, ".jsonl")) {
        spec_source_of_results(source, SOURCE_NDJSON, file);
    } else {
        return err_set(err, ERR_USAGE,
                       "--input: %.200s is neither .csv, .tsv, .ndjson nor .jsonl\n"
                       "hint: failed.csv of `purser results`, corrected, is what it takes",
                       file);
    }
    return ERR_OK;
}

/* The job as it stands in the spec, but with the file as its source. */
static enum err_code replace_source(struct correct *correct, struct err *err)
{
    struct session *session = correct->run.session;
    const char *file = session->options->input;
    struct spec_job *jobs;

    if (access(file, R_OK) != 0)
        return err_set(err, ERR_USAGE, "--input: %.200s: %s", file, strerror(errno));
    jobs = arena_new(&session->arena, session->spec.job_count, sizeof *jobs);
    if (jobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the jobs of the spec");
    memcpy(jobs, session->spec.jobs, session->spec.job_count * sizeof *jobs);
    correct->spec = session->spec;
    correct->spec.jobs = jobs;
    return choose_kind(&session->arena, file, &jobs[correct->job_index].source, err);
}

/* --- against the ledger --- */

static const char *help_for(enum correction correction)
{
    static const char *const helps[CORRECTION_COUNT] = {
        [CORRECTION_UNKNOWN] = "a corrected row keeps its key; a new row belongs into the source",
        [CORRECTION_SKIPPED] = "take the row out, or mend what if: looks at",
        [CORRECTION_UNDER_WAY] = "`purser run` finishes it first",
        [CORRECTION_IN_DOUBT] =
            "`purser reconcile` asks what became of it, `purser resolve` decides it",
        [CORRECTION_SUCCEEDED] =
            "take the row out; what was written is changed through the source and when_changed",
        [CORRECTION_GIVEN_UP] = "take the row out; `purser explain` tells what is known of it",
        [CORRECTION_NEEDS_UNKNOWN] = "correct what it names, or `purser run` that first",
    };

    return helps[correction];
}

static void refuse(struct correct *correct, const struct rendered_row *row,
                   enum correction correction)
{
    diagnostics_add(&correct->run.session->diagnostics, DIAG_ERROR,
                    (struct place){.file = row->file, .line = row->line, .column = 1},
                    "data.correction", help_for(correction), "job %s, key '%.*s': %s",
                    correct->spec.jobs[row->job_index].name, (int)row->key.length, row->key.bytes,
                    correction_meaning(correction));
}

static enum err_code correct_row(void *opaque, const struct rendered_row *row, struct err *err)
{
    struct correct *correct = opaque;
    const struct spec_job *job = &correct->spec.jobs[row->job_index];
    struct import_need needs[NEEDS_MAX];
    struct import_row imported;
    enum correction correction;

    if (row->is_draft) {
        diagnostics_add(&correct->run.session->diagnostics, DIAG_ERROR,
                        (struct place){.file = row->file, .line = row->line, .column = 1},
                        "data.correction", "when that has succeeded, purser run sends it",
                        "job %s, key '%.*s': what it needs is not there", job->name,
                        (int)row->key.length, row->key.bytes);
        return ERR_OK;
    }
    imported =
        comparison_import_row(&correct->spec, correct->connections, correct->jobs, row, needs);
    if (import_correction(&correct->importer, &imported, &correction, err) != ERR_OK)
        return err->code;
    correct->counts[correction]++;
    if (help_for(correction) != NULL)
        refuse(correct, row, correction);
    return ERR_OK;
}

static enum err_code pass(struct correct *correct, struct intake *intake, bool dry, struct err *err)
{
    struct diagnostics *diagnostics = &correct->run.session->diagnostics;
    enum err_code code;

    correct->importer.dry = dry;
    memset(correct->counts, 0, sizeof correct->counts);
    code = intake_each(intake, correct_row, correct, err);
    if (diagnostics_has_errors(diagnostics) && (code == ERR_OK || code == ERR_INPUT))
        return err_set(err, ERR_INPUT, "%llu error%s in %.200s; nothing was sent",
                       (unsigned long long)diagnostics->error_count,
                       diagnostics->error_count == 1 ? "" : "s",
                       correct->run.session->options->input);
    return code;
}

static bool is_stopped(void *context)
{
    const struct run *run = context;

    return signals_take(run->signal_fd) != 0;
}

/* Only the rows of the file are looked at; but what an item returned before may be in others. */
static void tell_children(struct correct *correct)
{
    struct session *session = correct->run.session;
    const struct spec *spec = &session->spec;

    for (size_t i = 0; i < spec->job_count; i++) {
        struct item_counts counts;
        struct err ignored = {0};

        if (!comparison_job_needs(&spec->jobs[i], correct->job_index) ||
            correct->jobs[i] == UINT32_MAX ||
            (session->ledger->ops->counts(session->ledger, correct->jobs[i], UINT32_MAX, &counts,
                                          &ignored) == ERR_OK &&
             counts.by_state[ITEM_SUCCEEDED] == 0))
            continue; /* where it cannot be told there may be some */
        print_talk("warning: items of job %s that were made from what these returned before are "
                   "not compared; purser run %s%s does that",
                   spec->jobs[i].name, spec->file, session_state_words(session));
    }
}

static void tell(struct correct *correct)
{
    struct run *run = &correct->run;
    uint64_t already = correct->counts[CORRECTION_GOES_ON] + correct->counts[CORRECTION_DONE];

    run->import.by_action[CONVERGE_RESEND] = correct->counts[CORRECTION_CHANGE];
    run->import.by_action[CONVERGE_UNCHANGED] = correct->counts[CORRECTION_AGAIN] + already;
    if (run->session->options->quiet)
        return;
    print_talk("%s run %u: only the rows of %s: %llu changed, %llu as they were, %llu done or "
               "under way already",
               run->session->spec.name, run->number, run->session->options->input,
               (unsigned long long)correct->counts[CORRECTION_CHANGE],
               (unsigned long long)correct->counts[CORRECTION_AGAIN], (unsigned long long)already);
    if (correct->counts[CORRECTION_CHANGE] + correct->counts[CORRECTION_AGAIN] > 0)
        tell_children(correct);
}

/* Everything is judged before anything is written. */
static enum err_code take_rows(struct correct *correct, struct err *err)
{
    struct run *run = &correct->run;
    struct session *session = run->session;
    struct intake *intake = NULL;
    enum err_code code;

    run->number = session->ledger->ops->last_run(session->ledger) + 1;
    run->only_seen = true;
    correct->importer = (struct importer){
        .ledger = session->ledger, .run = run->number, .now_ms = run->started_wall_ms};
    code = comparison_numbers(session, false, &correct->connections, &correct->jobs, err);
    correct->spec.slot = session->spec.slot;
    correct->spec.slot_local = session->spec.slot_local;
    if (code == ERR_OK)
        code = intake_open_one(&correct->spec, correct->job_index, run->number,
                               run->started_wall_ms, &session->diagnostics, &intake, err);
    if (code == ERR_OK) {
        intake_set_stop(intake, is_stopped, run);
        intake_set_credentials(intake, run->credentials);
        code = intake_set_ledger(intake, session->ledger, err);
    }
    if (code == ERR_OK)
        code = intake_check(intake, err);
    if (code == ERR_OK)
        code = pass(correct, intake, true, err);
    if (code == ERR_OK) {
        session_warn(session);
        code = run_put_record(run, -1, err);
    }
    if (code == ERR_OK)
        code = pass(correct, intake, false, err);
    if (code == ERR_OK)
        code = import_commit(&correct->importer, err);
    intake_close(intake);
    session_drop_document(session);
    if (code == ERR_OK)
        tell(correct);
    return code;
}

static enum err_code open_ledger(struct session *session, struct err *err)
{
    enum err_code code = session_open_known_ledger(session, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, code,
                       "%s has sent nothing yet, so there is nothing to be corrected\n"
                       "hint: purser run %s",
                       session->spec.name, session->spec.file);
    return code;
}

static int run_correction(struct correct *correct, struct session *session,
                          struct credentials *credentials)
{
    struct run *run = &correct->run;
    struct err err = {0};
    int exit_status;

    if (session_load_spec(session, &err) != ERR_OK ||
        session_load_document(session, &err) != ERR_OK || choose_job(correct, &err) != ERR_OK ||
        replace_source(correct, &err) != ERR_OK ||
        credentials_load(&session->spec, credentials, &session->diagnostics, &err) != ERR_OK ||
        signals_open(&run->signal_fd, &err) != ERR_OK)
        return session_fail(session, &err);
    if (open_ledger(session, &err) != ERR_OK || run_slot_inherit(run, &err) != ERR_OK ||
        take_rows(correct, &err) != ERR_OK || run_engine(run, &err) != ERR_OK)
        exit_status = run_fail(run, &err);
    else
        exit_status = run_finish(run, &err);
    signals_close(run->signal_fd);
    return exit_status;
}

int correct_command(const struct options *options)
{
    static struct correct correct; /* too large for the stack */
    struct session session;
    struct credentials credentials = {0};
    int exit_status;

    session_init(&session, options);
    correct.run = (struct run){.session = &session,
                               .credentials = &credentials,
                               .started_wall_ms = clock_wall_ms(),
                               .started_boot_ms = clock_boot_ms()};
    exit_status = run_correction(&correct, &session, &credentials);
    credentials_wipe(&credentials);
    session_deinit(&session);
    return exit_status;
}
