/* purser run SPEC
 *
 * Promises: nothing is sent before spec, sources and every request have been found right; what is
 * reported is durable; the same command again is always safe. */
#include <stdio.h>
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/run.h"
#include "purser/io/clock.h"
#include "purser/io/intake.h"
#include "purser/io/signals.h"

const char help_run[] =
    "usage: purser run SPEC [options]\n\n"
    "  purser run jobspecs/catalog-upload.yaml              1,000 products to the simulator\n"
    "  purser run catalogue.yaml --limit 10                 only ten new items\n"
    "  purser run invoices.yaml --wait 50m --output json    for a scheduler\n\n"
    "Compares the rows of today with the ledger and does what is not done: new keys are added,\n"
    "what was interrupted goes on, what is done is skipped, what failed stays failed until\n"
    "`purser retry` or until its row changed. The same command again is always safe.\n\n"
    "  --limit N          start at most N new items\n"
    "  --wait DURATION    stop after this long; exit status 75 when not finished\n"
    "  --grace DURATION   after Ctrl-C or SIGTERM, time for what is on the wire (default 30s)\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --validate WORD    error (default), warn or off: a request that breaks what is known\n"
    "                     of its operation stops the run, is warned of, or passes\n"
    "  --output json      one object on stdout, on every way out\n"
    "  --state DIR        where the ledgers are (default: $XDG_STATE_HOME/purser)\n"
    "  --quiet, -v, -vv   less talk, more talk\n\n"
    "Exit statuses: purser help exit-status\n";

struct import_context {
    struct run *run;
    struct importer *importer;
    const uint32_t *connections, *jobs; /* numbers in the ledger */
    struct diagnostics *diagnostics;
};

static enum err_code import_rendered(void *opaque, const struct rendered_row *row, struct err *err)
{
    struct import_context *context = opaque;
    const struct spec_job *job = &context->run->session->spec.jobs[row->job_index];
    enum converge_action action;

    if (import_row(context->importer,
                   &(struct import_row){.job = context->jobs[row->job_index],
                                        .connection = context->connections[row->connection_index],
                                        .key = row->key,
                                        .method = job->method,
                                        .path = row->path,
                                        .body = row->body,
                                        .source_file = slice_of(row->file),
                                        .source_line = row->line,
                                        .condition = row->condition,
                                        .when_changed = job->when_changed},
                   &action, err) != ERR_OK)
        return err->code;
    if (action == CONVERGE_REFUSE)
        diagnostics_add(context->diagnostics, DIAG_ERROR,
                        (struct place){.file = row->file, .line = row->line, .column = 1},
                        "data.changed", "when_changed: resend or keep says what should happen",
                        "job %s: the row of key '%.*s' changed after it succeeded", job->name,
                        (int)row->key.length, row->key.bytes);
    return ERR_OK;
}

static enum err_code import_all(struct run *run, struct intake *intake, struct err *err)
{
    struct session *session = run->session;
    struct importer importer = {
        .ledger = session->ledger, .run = run->number, .now_ms = run->started_wall_ms};
    struct import_context context = {
        .run = run, .importer = &importer, .diagnostics = &session->diagnostics};
    uint32_t *connections, *jobs, connection_count = 0;

    if (run_ledger_numbers(session, &connections, &jobs, err) != ERR_OK)
        return err->code;
    context.connections = connections;
    context.jobs = jobs;
    if (intake_each(intake, import_rendered, &context, err) != ERR_OK)
        return err->code;
    if (diagnostics_has_errors(&session->diagnostics))
        return err_set(err, ERR_INPUT, "rows changed that must not change; nothing was sent");
    while (session->ledger->ops->connection_name(session->ledger, connection_count) != NULL)
        connection_count++;
    if (import_finish(&importer, connection_count, err) != ERR_OK)
        return err->code;
    run->import = importer.counts;
    return ERR_OK;
}

static void tell_comparison(const struct run *run)
{
    const struct import_counts *import = &run->import;

    if (run->session->options->quiet)
        return;
    print_talk(
        "%s run %u: %llu added, %llu changed, %llu unchanged, %llu kept, %llu dropped",
        run->session->spec.name, run->number,
        (unsigned long long)(import->by_action[CONVERGE_ADD] + import->by_action[CONVERGE_SKIP]),
        (unsigned long long)(import->by_action[CONVERGE_REPLACE] +
                             import->by_action[CONVERGE_RESEND]),
        (unsigned long long)import->by_action[CONVERGE_UNCHANGED],
        (unsigned long long)(import->by_action[CONVERGE_KEEP] +
                             import->by_action[CONVERGE_FINISH_FIRST]),
        (unsigned long long)import->dropped);
    if (import->by_action[CONVERGE_KEEP] > 0)
        print_talk("warning: %llu rows changed after they succeeded and were kept as they are; "
                   "when_changed: resend would send them again",
                   (unsigned long long)import->by_action[CONVERGE_KEEP]);
    if (import->by_action[CONVERGE_FINISH_FIRST] > 0)
        print_talk("warning: %llu rows changed while their item is in flight or in doubt; that is "
                   "finished first",
                   (unsigned long long)import->by_action[CONVERGE_FINISH_FIRST]);
}

static bool is_stopped(void *context)
{
    const struct run *run = context;

    return signals_take(run->signal_fd) != 0;
}

/* From the sources to the ledger. */
static enum err_code compare(struct run *run, struct err *err)
{
    struct session *session = run->session;
    struct intake *intake = NULL;
    enum err_code code;

    run->number = session->ledger->ops->last_run(session->ledger) + 1;
    code = intake_open(&session->spec, run->number, run->started_wall_ms, &session->diagnostics,
                       &intake, err);
    if (code == ERR_OK) {
        intake_set_stop(intake, is_stopped, run);
        intake_set_credentials(intake, run->credentials);
        code = intake_check(intake, err);
    }
    if (code == ERR_OK) {
        session_warn(session);
        code = run_put_record(run, -1, err);
    }
    if (code == ERR_OK)
        code = import_all(run, intake, err);
    intake_close(intake);
    session_drop_document(session);
    if (code == ERR_OK)
        tell_comparison(run);
    return code;
}

static int run_session(struct session *session, struct credentials *credentials)
{
    struct run run = {.session = session,
                      .credentials = credentials,
                      .started_wall_ms = clock_wall_ms(),
                      .started_boot_ms = clock_boot_ms()};
    struct err err = {0};
    int exit_status;

    if (session_load_spec(session, &err) != ERR_OK ||
        session_load_document(session, &err) != ERR_OK ||
        credentials_load(&session->spec, credentials, &session->diagnostics, &err) != ERR_OK ||
        signals_open(&run.signal_fd, &err) != ERR_OK)
        return session_fail(session, &err);
    if (session_open_ledger(session, true, &err) != ERR_OK || compare(&run, &err) != ERR_OK ||
        run_engine(&run, &err) != ERR_OK)
        exit_status = session_fail(session, &err);
    else
        exit_status = run_finish(&run, &err);
    signals_close(run.signal_fd);
    return exit_status;
}

int cmd_run(int argc, char **argv)
{
    struct options options;
    struct session session;
    struct credentials credentials = {0};
    int exit_status = options_parse(
        argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_RUN | ALLOW_VALIDATE, &options);

    if (exit_status != -1)
        return exit_status;
    session_init(&session, &options);
    exit_status = run_session(&session, &credentials);
    credentials_wipe(&credentials);
    session_deinit(&session);
    return exit_status;
}
