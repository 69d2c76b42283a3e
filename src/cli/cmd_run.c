/* purser run SPEC
 *
 * Promises: nothing is sent before spec, sources and every request have been found right; what is
 * reported is durable; the same command again is always safe. */
#include <stdio.h>
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/plan_file.h"
#include "purser/cli/run.h"
#include "purser/cli/schedule.h"
#include "purser/io/clock.h"
#include "purser/io/request_renderer.h"
#include "purser/io/signals.h"

const char help_run[] =
    "usage: purser run SPEC [options]\n\n"
    "  purser run jobspecs/catalog-upload.yaml              1,000 products, simulated\n"
    "  purser run catalogue.yaml --limit 10                 only ten new items\n"
    "  purser run invoices.yaml --wait 50m --output json    for a scheduler\n\n"
    "Compares the rows of today with the ledger and does what is not done: new keys\n"
    "are added, what was interrupted goes on, what is done is skipped, what failed\n"
    "stays failed until `purser retry` or until its row changed. The same command\n"
    "again is always safe.\n\n"
    "Rows that --only and --where leave out are not compared, dropped or sent. What\n"
    "an earlier run has under way is always taken to its end.\n\n"
    "  --only JOB         only this job; may be repeated\n"
    "  --where TERMS      only rows for which all TERMS hold, such as 'key~SALE and\n"
    "                     state=new'; fields: job, connection, key, line, state (of\n"
    "                     its item; new = none yet)\n"
    "  --limit N          start at most N new items\n"
    "  --canary N         each job sends N items first, and the others when these\n"
    "                     have all succeeded; else it stops with exit status 5\n"
    "  --plan FILE        send what `purser plan -o FILE` has shown, or refuse: when\n"
    "                     the spec, a row or the ledger has changed since, nothing is\n"
    "                     written and nothing is sent\n"
    "  --wait DURATION    stop after this long; exit status 75 when not finished\n"
    "  --grace DURATION   after Ctrl-C or SIGTERM, time for what is on the wire\n"
    "                     (default 30s)\n"
    "  --slot TIME        run for this time of the schedule: ${run.slot} and\n"
    "                     ${run.slot_local}\n"
    "  --scheduled        do nothing when the slot is over; `purser schedule tick`\n"
    "                     adds it\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --validate WORD    error (default), warn or off: a request that breaks what is\n"
    "                     known of its operation stops the run, is warned of, or\n"
    "                     passes\n"
    "  --output json      one object on stdout, on every way out\n"
    "  --state DIR        where the ledgers are (default: $XDG_STATE_HOME/purser)\n"
    "  --quiet, -v, -vv   less talk, more talk\n\n"
    "Exit statuses: purser help exit-status\n";

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
        (unsigned long long)(import->by_action[CONVERGE_UNCHANGED] +
                             import->by_action[CONVERGE_CORRECTED]),
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

static enum err_code take_planned(void *context, const struct rendered_row *row,
                                  const struct import_outcome *outcome, struct err *err)
{
    return plan_rows_take(context, row, outcome, err);
}

/* The comparison as it was shown, before anything is written. */
static enum err_code keep_to_plan(const struct run *run, struct comparison *comparison,
                                  struct err *err)
{
    static struct plan_rows rows; /* too large for the stack */

    if (run->plan == NULL)
        return ERR_OK;
    plan_rows_init(&rows, &run->session->spec, run->plan);
    if (comparison_walk(comparison, false, take_planned, &rows, err) != ERR_OK)
        return err->code;
    return plan_rows_end(&rows, err);
}

/* From the sources to the ledger. */
static enum err_code compare(struct run *run, struct err *err)
{
    struct session *session = run->session;
    struct comparison comparison;
    enum err_code code = comparison_open(
        session,
        &(struct comparison_options){.started_ms = run->started_wall_ms,
                                     .planned_ms = run->plan == NULL ? 0 : run->plan->planned_ms,
                                     .credentials = run->credentials,
                                     .keep_rows = true,
                                     .stop = is_stopped,
                                     .stop_context = run},
        &comparison, err);

    run->number = comparison.run;
    if (code == ERR_OK)
        code = selection_tell_needs(&comparison.selection, session, err);
    if (code == ERR_OK)
        code = keep_to_plan(run, &comparison, err);
    if (code == ERR_OK) {
        session_warn(session);
        session_tell_loss(session);
        code = run_put_record(run, -1, err);
    }
    run->only_seen = !selection_is_all(&comparison.selection);
    if (code == ERR_OK)
        code = comparison_walk(&comparison, true, NULL, NULL, err);
    if (code == ERR_OK && request_renderer_is_needed(&session->spec))
        run->intake = comparison_take_intake(&comparison);
    comparison_close(&comparison);
    if (run->intake == NULL)
        session_drop_document(session);
    if (code != ERR_OK)
        return code;
    run->import = comparison.total;
    run->compared_all = !run->only_seen;
    tell_comparison(run);
    if (run->only_seen && comparison.remade > 0 && !session->options->quiet)
        print_talk("warning: %llu item%s sent again that others were made from; a run of all rows "
                   "compares those",
                   (unsigned long long)comparison.remade, comparison.remade == 1 ? " is" : "s are");
    return ERR_OK;
}

static int tell_slot_is_over(const struct session *session)
{
    if (!session->options->quiet)
        print_talk("%s: the run for %s has come to an end already; nothing is done",
                   session->spec.name, session->spec.slot);
    return EXIT_DONE;
}

static int run_session(struct session *session, struct credentials *credentials,
                       const struct plan_file *plan)
{
    struct run run = {.session = session,
                      .credentials = credentials,
                      .plan = plan,
                      .started_wall_ms = clock_wall_ms(),
                      .started_boot_ms = clock_boot_ms()};
    struct err err = {0};
    bool slot_is_over = false;
    int exit_status;

    if (session_load_spec(session, &err) != ERR_OK || run_slot_set(session, &err) != ERR_OK ||
        session_load_document(session, &err) != ERR_OK ||
        credentials_load(&session->spec, credentials, &session->diagnostics, &err) != ERR_OK ||
        signals_open(&run.signal_fd, &err) != ERR_OK)
        return session_fail(session, &err);
    if ((plan != NULL && plan_file_check_spec(plan, session, &err) != ERR_OK) ||
        session_open_ledger(session, true, &err) != ERR_OK ||
        (plan != NULL && plan_file_check_ledger(plan, session, &err) != ERR_OK) ||
        run_slot_begin(&run, &slot_is_over, &err) != ERR_OK)
        exit_status = session_fail(session, &err);
    else if (slot_is_over)
        exit_status = tell_slot_is_over(session);
    else if (compare(&run, &err) != ERR_OK || run_engine(&run, &err) != ERR_OK)
        exit_status = run_fail(&run, &err);
    else
        exit_status = run_finish(&run, &err);
    intake_close(run.intake);
    signals_close(run.signal_fd);
    return exit_status;
}

int cmd_run(int argc, char **argv)
{
    static struct plan_file plan; /* too large for the stack */
    struct options options;
    struct session session;
    struct credentials credentials = {0};
    struct err err = {0};
    int exit_status = options_parse(argc, argv,
                                    ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_RUN | ALLOW_SELECT |
                                        ALLOW_PLAN | ALLOW_VALIDATE | ALLOW_SLOT | ALLOW_SCHEDULED,
                                    &options);

    if (exit_status != -1)
        return exit_status;
    session_init(&session, &options);
    if (options.plan != NULL &&
        plan_file_read(options.plan, &session.arena, &options, &plan, &err) != ERR_OK)
        exit_status = session_fail(&session, &err);
    else
        exit_status = run_session(&session, &credentials, options.plan == NULL ? NULL : &plan);
    credentials_wipe(&credentials);
    session_deinit(&session);
    return exit_status;
}
