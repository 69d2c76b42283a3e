/* purser plan SPEC
 *
 * Promises: the same comparison as `run`, by the same code; sends nothing, writes nothing. */
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/plan_file.h"
#include "purser/cli/plan_view.h"
#include "purser/cli/schedule.h"
#include "purser/io/clock.h"

const char help_plan[] =
    "usage: purser plan SPEC [options]\n\n"
    "  purser plan jobspecs/catalog-upload.yaml\n"
    "  purser plan catalogue.yaml --show products/SKU-17   one item's request\n"
    "  purser plan catalogue.yaml --output ndjson          a line an item\n"
    "  purser plan catalogue.yaml -o monday.plan           for `run --plan`\n\n"
    "Compares the rows of today with the ledger, as `run` does, and says what would\n"
    "be done. Every request is rendered and checked. Nothing is sent, nothing is\n"
    "written.\n\n"
    "Of rows that have left the source, those never sent are dropped by a run; those\n"
    "that ended are only counted. The time is an estimate: of sends and polls under\n"
    "the limits, of orders, needs and remote jobs, with the rates and times that\n"
    "earlier runs have seen, or with what it says that it assumes.\n\n"
    "  -o FILE            also write the plan to FILE (mode 0600, JSON: what is\n"
    "                     shown, the options, hashes of spec, rows and ledger; no\n"
    "                     secrets, but the values of --var)\n"
    "  --show JOB/KEY     print one request\n"
    "  --only JOB, --where TERMS, --limit N, --canary N\n"
    "                     as for `run`: what it would do with these\n"
    "  --slot TIME        as for a run of this time of the schedule\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --validate WORD    error (default), warn or off: a request that breaks what is\n"
    "                     known of its operation stops the run, is warned of, or\n"
    "                     passes\n"
    "  --output FORMAT    table, json or ndjson\n"
    "  --state DIR        where the ledgers are\n";

enum { PLAN_BYTES_MAX = 32 * 1024 * 1024 };

struct plan {
    struct session *session;
    struct comparison comparison;
    struct plan_load load;
    struct plan_rows rows; /* for -o */
    struct buf out;
    bool shown;
};

static bool is_asked_for(const struct plan *plan, const struct rendered_row *row)
{
    const char *show = plan->session->options->show;
    const char *job = plan->session->spec.jobs[row->job_index].name;
    size_t length = strlen(job);

    return show != NULL && strncmp(show, job, length) == 0 && show[length] == '/' &&
           slice_is(row->key, show + length + 1);
}

/* What is not known yet is marked as in a path. */
static void append_body(struct buf *out, struct slice body)
{
    static const char mark[] = VALUE_UNKNOWN_JSON;
    const char *end = body.bytes + body.length, *at = body.bytes, *found;

    while ((found = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        buf_append(out, at, (size_t)(found - at));
        buf_append_text(out, "\"" VALUE_UNKNOWN_TEXT "\"");
        at = found + sizeof mark - 1;
    }
    buf_append(out, at, (size_t)(end - at));
}

static void show_request(struct plan *plan, const struct rendered_row *row)
{
    const struct spec *spec = &plan->session->spec;
    const struct spec_job *job = &spec->jobs[row->job_index];
    struct slice path = row->is_draft ? row->known_path : row->path;
    struct slice body = row->is_draft ? row->known_body : row->body;

    plan->shown = true;
    if (!row->condition) {
        buf_append_text(&plan->out, "# its if: is false, so nothing is sent for it\n");
        return;
    }
    if (row->is_draft)
        buf_append_text(&plan->out, "# ~ stands for what comes from the items that it waits for\n");
    buf_append_format(&plan->out, "%s %.*s\nX-Rutter-Version: %s\nAuthorization: [secret]\n",
                      method_name(job->method), (int)path.length, path.bytes, spec->api.version);
    if (job->operation->takes_access_token)
        buf_append_format(&plan->out, "access_token: [secret of connection %s]\n",
                          spec->connections[row->connection_index].alias);
    if (body.length > 0) {
        buf_append_text(&plan->out, "Content-Type: application/json\n\n");
        append_body(&plan->out, body);
        buf_append_byte(&plan->out, '\n');
    }
}

/* Its item will wait for others, new or as it is. */
static bool waits(const struct rendered_row *row, const struct import_outcome *outcome)
{
    bool is_unsent = outcome->action == CONVERGE_ADD || outcome->action == CONVERGE_REPLACE ||
                     outcome->action == CONVERGE_RESEND ||
                     (outcome->is_known &&
                      (outcome->known.state == ITEM_READY || outcome->known.state == ITEM_BLOCKED));

    return is_unsent && row->condition && (outcome->waits_on != WAIT_NONE || row->is_draft);
}

static void list_row(struct plan *plan, const struct rendered_row *row,
                     const struct import_outcome *outcome)
{
    const struct spec *spec = &plan->session->spec;

    buf_append_text(&plan->out, "{\"v\":1,\"job\":");
    text_append_json(&plan->out, slice_of(spec->jobs[row->job_index].name));
    buf_append_text(&plan->out, ",\"connection\":");
    text_append_json(&plan->out, slice_of(spec->connections[row->connection_index].alias));
    buf_append_text(&plan->out, ",\"key\":");
    text_append_json(&plan->out, row->key);
    buf_append_format(&plan->out,
                      ",\"action\":\"%s\",\"source\":", converge_action_name(outcome->action));
    text_append_json(&plan->out, slice_of(row->file));
    buf_append_format(&plan->out, ",\"line\":%u,\"blocked\":%s}\n", row->line,
                      waits(row, outcome) ? "true" : "false");
}

static enum err_code plan_row(void *opaque, const struct rendered_row *row,
                              const struct import_outcome *outcome, struct err *err)
{
    struct plan *plan = opaque;

    if (plan->session->options->directory != NULL &&
        plan_rows_take(&plan->rows, row, outcome, err) != ERR_OK)
        return err->code;
    if (is_asked_for(plan, row))
        show_request(plan, row);
    if (plan->session->options->output != OUTPUT_NDJSON)
        return ERR_OK;
    list_row(plan, row, outcome);
    if (print_out(&plan->out, err) != ERR_OK)
        return err->code;
    buf_clear(&plan->out);
    return ERR_OK;
}

static enum err_code compare(struct plan *plan, struct err *err)
{
    struct session *session = plan->session;
    enum err_code code;

    if (session_load_spec(session, err) != ERR_OK || run_slot_set(session, err) != ERR_OK ||
        session_load_document(session, err) != ERR_OK)
        return err->code;
    session->reads_all = true;
    code = session_open_ledger(session, false, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    if (code == ERR_OK)
        session_tell_loss(session);
    *err = (struct err){0}; /* no ledger yet: everything is new */
    code = comparison_open(session, &(struct comparison_options){.started_ms = clock_wall_ms()},
                           &plan->comparison, err);
    plan_rows_init(&plan->rows, &session->spec, NULL);
    if (code == ERR_OK)
        code = comparison_walk(&plan->comparison, false, plan_row, plan, err);
    if (code == ERR_OK)
        code = plan_rows_end(&plan->rows, err);
    if (code == ERR_OK)
        code = selection_tell_needs(&plan->comparison.selection, session, err);
    comparison_close(&plan->comparison);
    return code;
}

/* With -o: what is shown goes into the file as well. */
static enum err_code write_file(struct plan *plan, struct err *err)
{
    const char *name = plan->session->options->directory;
    struct buf shown;
    enum err_code code;

    if (name == NULL)
        return ERR_OK;
    buf_init(&shown, PLAN_BYTES_MAX);
    plan_append_json(&plan->comparison, &plan->load, &shown);
    code = shown.failed == ERR_OK
               ? plan_file_write(name, &plan->comparison, &plan->rows,
                                 (struct slice){shown.bytes, shown.length - 1}, err)
               : buf_error(&shown, "the plan is too large to be built", err);
    buf_deinit(&shown);
    return code;
}

static void append_next(struct plan *plan)
{
    const struct options *options = plan->session->options;
    bool is_of_all = selection_is_all(&plan->comparison.selection) && options->canary == 0 &&
                     options->limit == UINT64_MAX;

    buf_append_format(&plan->out, "nothing was sent; next: purser run %s%s",
                      plan->session->spec.file, session_state_words(plan->session));
    if (options->directory != NULL)
        buf_append_format(&plan->out, " --plan %s", options->directory);
    else if (!is_of_all)
        buf_append_text(&plan->out, " with the same options");
    buf_append_byte(&plan->out, '\n');
}

static enum err_code print_plan(struct plan *plan, struct err *err)
{
    struct session *session = plan->session;
    const struct options *options = session->options;

    session_warn(session);
    if (options->show != NULL && !plan->shown)
        return err_set(err, ERR_NOT_FOUND, "no row of today is '%.200s'", options->show);
    if (options->show != NULL)
        return print_out(&plan->out, err);
    if (plan_load_find(&plan->comparison, &plan->load, err) != ERR_OK ||
        write_file(plan, err) != ERR_OK)
        return err->code;
    if (options->output == OUTPUT_TABLE) {
        plan_append_table(&plan->comparison, &plan->load, &plan->out);
        append_next(plan);
    } else if (options->output == OUTPUT_JSON) {
        plan_append_json(&plan->comparison, &plan->load, &plan->out);
    }
    return print_out(&plan->out, err);
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    static struct plan plan; /* too large for the stack */
    enum err_code code;

    (void)exit_status_out;
    plan.session = session;
    buf_init(&plan.out, PLAN_BYTES_MAX);
    code = compare(&plan, err);
    if (code == ERR_OK)
        code = print_plan(&plan, err);
    buf_deinit(&plan.out);
    return code;
}

int cmd_plan(int argc, char **argv)
{
    return session_run(argc, argv,
                       ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_SHOW | ALLOW_SELECT |
                           ALLOW_DIRECTORY | ALLOW_VALIDATE | ALLOW_SLOT,
                       run);
}
