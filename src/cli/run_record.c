/* What the ledger keeps of a run, from its beginning to its end. */
#include "purser/cli/plan_file.h"
#include "purser/cli/schedule.h"
#include "purser/engine/undo.h"
#include "purser/io/clock.h"
#include "purser/io/signals.h"

enum err_code run_put_record(struct run *run, int exit_status, struct err *err)
{
    struct ledger *ledger = run->session->ledger;
    struct run_record record = {
        .started_ms = run->started_wall_ms,
        .ended_ms = exit_status < 0 ? 0 : clock_wall_ms(),
        .exit_status = exit_status,
        .spec_digest = run->session->spec.digest,
        .added = run->import.by_action[CONVERGE_ADD] + run->import.by_action[CONVERGE_SKIP],
        .changed = run->import.by_action[CONVERGE_REPLACE] + run->import.by_action[CONVERGE_RESEND],
        .unchanged =
            run->import.by_action[CONVERGE_UNCHANGED] + run->import.by_action[CONVERGE_CORRECTED],
        .kept = run->import.by_action[CONVERGE_KEEP] + run->import.by_action[CONVERGE_FINISH_FIRST],
        .dropped = run->import.dropped,
        .sent = run->progress.sent,
        .polls = run->progress.polls,
        .throttled = run->progress.throttled,
        .retried = run->progress.retried,
        .slot_s = run->slot_s,
        .read_run = run->read_run != 0 ? run->read_run : run->number,
        .read_ms = run->read_run != 0  ? run->read_ms
                   : run->plan != NULL ? run->plan->planned_ms
                                       : run->started_wall_ms,
        .rate_millis = run->progress.learned_rate_millis};
    uint64_t sequence;

    if (ledger->ops->put_run(ledger, run->number, &record, err) != ERR_OK ||
        run_slot_put(run, exit_status, err) != ERR_OK ||
        ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    return ledger->ops->commit_poll(ledger, true, &sequence, err);
}

int run_fail(struct run *run, const struct err *err)
{
    int number = err->code == ERR_STOPPED ? signals_take(run->signal_fd) : 0;

    return session_fail_as(run->session, err,
                           number == 0 ? err_exit_status(err->code) : 128 + number);
}

/* After a restored backup: each row was compared, none has to wait for an end of its item, and each
 * item has ended. What succeeded is known; the others were perhaps tried again since the backup was
 * made, and remember that. */
static enum err_code learn_what_was_lost(struct run *run, int exit_status, struct err *err)
{
    struct lmdb_ledger *ledger = run->session->lmdb;
    bool is_finished =
        exit_status == EXIT_DONE || exit_status == EXIT_SOME_FAILED || exit_status == EXIT_IN_DOUBT;

    if (!is_finished || !run->compared_all || run->import.by_action[CONVERGE_FINISH_FIRST] > 0 ||
        lmdb_ledger_lost_since_ms(ledger) == 0)
        return ERR_OK;
    if (ledger_keep_loss(run->session->ledger, lmdb_ledger_lost_since_ms(ledger), err) != ERR_OK)
        return err->code;
    return lmdb_ledger_put_lost_since(ledger, 0, err);
}

int run_finish(struct run *run, struct err *err)
{
    struct session *session = run->session;
    int exit_status;

    if (run->stop_signal != 0)
        return 128 + run->stop_signal;
    if (undo_counts_without(session->ledger, &run->counts, err) != ERR_OK)
        return session_fail(session, err);
    if (run_find_outdated(run, err) != ERR_OK)
        return session_fail(session, err);
    exit_status = run_exit_status(&run->progress, &run->counts);
    if (exit_status == EXIT_DONE && run->outdated > 0)
        exit_status = EXIT_NOT_FINISHED;
    if (learn_what_was_lost(run, exit_status, err) != ERR_OK ||
        run_put_record(run, exit_status, err) != ERR_OK ||
        run_print_summary(run, exit_status, err) != ERR_OK)
        return session_fail(session, err);
    return exit_status;
}
