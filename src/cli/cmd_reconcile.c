/* purser reconcile SPEC [--apply-found]
 *
 * Promises: sends no write; changes nothing without --apply-found, and with it only items that were
 * found done. What is shown as applied is durable. */
#include "purser/cli/command.h"
#include "purser/cli/decide.h"
#include "purser/cli/reconcile.h"
#include "purser/io/signals.h"

const char help_reconcile[] =
    "usage: purser reconcile SPEC [options]\n\n"
    "  purser reconcile invoices.yaml                       evidence and proposals\n"
    "  purser reconcile invoices.yaml --apply-found         takes what was found\n"
    "  purser reconcile invoices.yaml --where 'key ~ INV-7' --output ndjson\n\n"
    "Gathers evidence for the items in doubt; sends no write. The remote job is asked\n"
    "for if its id is known, then the look-up that the job of the spec has:\n\n"
    "  reconcile:\n"
    "    request: GET /accounting/invoices\n"
    "    filter: document_number = \"${body.invoice.document_number}\"\n"
    "    match: { customer_id: \"${body.invoice.customer_id}\" }     # optional\n\n"
    "Expressions see what was sent (body), item.key, item.line and vars. Let the\n"
    "filter name what no other write has. Proposals:\n\n"
    "  done       the remote job says success, or exactly one was found\n"
    "  not_done   the remote job failed for good; or nothing was found, and the\n"
    "             connection was synchronised more than 15 minutes after the item\n"
    "             came into doubt\n"
    "  later      the remote job still runs, the list may be older than the write, or\n"
    "             no answer\n"
    "  look       several were found, or one that is older than the write or another\n"
    "             item's, or nothing tells\n\n"
    "  --apply-found      record as succeeded what was found done; all else stays for\n"
    "                     `resolve`\n"
    "  --where TERMS      as in `purser items`\n"
    "  --output FORMAT    table, json, ndjson or csv\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --state DIR        where the ledgers are\n\n"
    "Exit status: 0 nothing in doubt remains, 7 some remain, 4 credentials are\n"
    "refused.\n";

enum { OUT_BYTES_MAX = 64 * 1024 * 1024, FLUSH_BYTES = 64 * 1024, GROUNDS_BYTES_MAX = 4096 };

struct reconcile_run {
    struct session *session;
    struct reconciler *reconciler;
    struct buf out;
    uint64_t by_proposal[PROPOSAL_COUNT];
    uint64_t count, applied;
};

/* Durable first, then shown. */
static enum err_code flush(struct reconcile_run *run, struct err *err)
{
    if (run->session->options->apply_found &&
        decide_commit(run->session->ledger, true, err) != ERR_OK)
        return err->code;
    if (print_out(&run->out, err) != ERR_OK)
        return err->code;
    buf_clear(&run->out);
    return ERR_OK;
}

static enum err_code apply(struct reconcile_run *run, const struct finding *finding,
                           struct err *err)
{
    const struct result_record result = {.http_status = finding->http_status,
                                         .body = finding->result};
    struct decision decision = {.kind = EVENT_RESOLVED_DONE,
                                .reason = REASON_RECONCILED,
                                .result = finding->result.length > 0 ? &result : NULL};
    struct buf grounds;
    enum err_code code;

    buf_init(&grounds, GROUNDS_BYTES_MAX);
    reconcile_append_grounds(finding, &grounds);
    decision.message = (struct slice){buf_text(&grounds), grounds.length};
    code = decide_put(run->session, finding->number, &finding->item, &decision, err);
    buf_deinit(&grounds);
    if (code == ERR_OK)
        run->applied++;
    return code;
}

static enum err_code take(struct reconcile_run *run, const struct finding *finding, struct err *err)
{
    struct ledger *ledger = run->session->ledger;
    bool writes = run->session->options->apply_found;
    bool applies = writes && finding->proposal == PROPOSE_DONE;
    bool is_large = run->out.length > FLUSH_BYTES ||
                    (writes && ledger->ops->batch_bytes(ledger) > BATCH_BYTES_MAX / 2);

    if (is_large && flush(run, err) != ERR_OK)
        return err->code;
    run->by_proposal[finding->proposal]++;
    if (applies && apply(run, finding, err) != ERR_OK)
        return err->code;
    reconcile_append(run->session, finding, run->count == 0, applies, &run->out);
    run->count++;
    return ERR_OK;
}

static enum err_code take_all(struct reconcile_run *run, struct err *err)
{
    enum output_format format = run->session->options->output;
    enum err_code code = ERR_OK;
    struct finding finding;

    reconcile_append_begin(format, &run->out);
    while (code == ERR_OK) {
        if (!reconciler_is_ready(run->reconciler))
            code = flush(run, err);
        if (code == ERR_OK)
            code = reconciler_next(run->reconciler, &finding, err);
        if (code == ERR_OK)
            code = take(run, &finding, err);
    }
    if (code != ERR_NOT_FOUND)
        return code;
    reconcile_append_end(format, run->count == 0, &run->out);
    return flush(run, err);
}

static void tell_next(const struct reconcile_run *run, uint64_t remaining)
{
    const char *file = run->session->spec.file, *state = session_state_words(run->session);
    uint64_t found = run->by_proposal[PROPOSE_DONE] - run->applied;

    if (found > 0)
        print_talk("next: purser reconcile %s%s --apply-found records what was found", file, state);
    else if (run->by_proposal[PROPOSE_NOT_DONE] + run->by_proposal[PROPOSE_LOOK] > 0)
        print_talk("next: look at each, then purser resolve %s JOB/KEY%s --as done|not-done", file,
                   state);
    else if (run->count == 0 && remaining > 0)
        print_talk("next: purser items %s%s --where state=in_doubt shows which", file, state);
    else if (remaining > 0)
        print_talk("next: purser reconcile %s%s again later", file, state);
    else
        print_talk("next: purser status %s%s", file, state);
}

static void tell(const struct reconcile_run *run, uint64_t remaining)
{
    if (run->session->options->quiet)
        return;
    print_talk("%s: %llu asked about: %llu found done%s, %llu not done, %llu later, %llu to look "
               "at; %llu in doubt remain",
               run->session->spec.name, (unsigned long long)run->count,
               (unsigned long long)run->by_proposal[PROPOSE_DONE],
               run->applied > 0 ? " and recorded" : "",
               (unsigned long long)run->by_proposal[PROPOSE_NOT_DONE],
               (unsigned long long)run->by_proposal[PROPOSE_LATER],
               (unsigned long long)run->by_proposal[PROPOSE_LOOK], (unsigned long long)remaining);
    tell_next(run, remaining);
}

static enum err_code finish(struct reconcile_run *run, int *exit_status_out, struct err *err)
{
    struct ledger *ledger = run->session->ledger;
    bool was_refused = reconciler_was_refused(run->reconciler);
    struct item_counts counts;
    uint64_t remaining;

    if (ledger->ops->counts(ledger, UINT32_MAX, UINT32_MAX, &counts, err) != ERR_OK)
        return err->code;
    remaining = counts.by_state[ITEM_IN_DOUBT];
    tell(run, remaining);
    if (was_refused)
        print_talk("purser: the API refused credentials; the evidence is not complete");
    *exit_status_out = was_refused ? EXIT_CREDENTIALS : remaining > 0 ? EXIT_IN_DOUBT : EXIT_DONE;
    return ERR_OK;
}

static enum err_code reconcile(struct reconcile_run *run, const struct where *where,
                               const struct credentials *credentials, int signal_fd,
                               int *exit_status_out, struct err *err)
{
    struct session *session = run->session;

    if ((session->options->apply_found ? session_open_known_ledger(session, err)
                                       : session_open_ledger(session, false, err)) != ERR_OK ||
        reconciler_open(session, credentials, where, signal_fd, &run->reconciler, err) != ERR_OK ||
        take_all(run, err) != ERR_OK)
        return err->code;
    return finish(run, exit_status_out, err);
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct reconcile_run reconciling = {.session = session};
    struct credentials credentials = {0};
    struct where where;
    int signal_fd = -1;
    enum err_code code = where_parse(session->options->where, &where, err);

    if (code == ERR_OK)
        code = session_load_spec(session, err);
    if (code == ERR_OK)
        code = credentials_load(&session->spec, &credentials, &session->diagnostics, err);
    if (code == ERR_OK)
        code = signals_open(&signal_fd, err);
    buf_init(&reconciling.out, OUT_BYTES_MAX);
    if (code == ERR_OK)
        code = reconcile(&reconciling, &where, &credentials, signal_fd, exit_status_out, err);
    reconciler_close(reconciling.reconciler);
    buf_deinit(&reconciling.out);
    signals_close(signal_fd);
    credentials_wipe(&credentials);
    return code;
}

int cmd_reconcile(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_WHERE | ALLOW_APPLY_FOUND,
                       run);
}
