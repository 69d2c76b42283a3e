/* purser results SPEC -o DIR
 *
 * Promises: the source's own rows, byte for byte, sorted by what became of them; failed.csv is a
 * valid input again; files appear whole or not at all. */
#include <stdio.h>
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/listing.h"
#include "purser/cli/schedule.h"
#include "purser/cli/waits.h"
#include "purser/codec/outputs.h"
#include "purser/io/clock.h"
#include "purser/io/intake.h"
#include "purser/io/result_file.h"
#include "purser/io/result_row.h"

const char help_results[] =
    "usage: purser results SPEC -o DIR [options]\n\n"
    "  purser results catalogue.yaml -o results/\n\n"
    "Writes succeeded, failed, in_doubt, blocked, in_flight and unsent (.csv, or\n"
    ".ndjson for JSON sources): the source's own columns in its own order, then\n"
    "purser_* columns. failed.csv is a valid input again. Rows that stand in the\n"
    "spec have their members as columns: texts as they are, all else as JSON. A spec\n"
    "with several jobs gets a folder for each.\n\n"
    "  -o DIR             where to; made when it is not there\n"
    "  --slot TIME        what a run of this time has read; else that of the last run\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --state DIR        where the ledgers are\n";

enum result_kind {
    RESULT_SUCCEEDED,
    RESULT_FAILED,
    RESULT_IN_DOUBT,
    RESULT_BLOCKED,
    RESULT_IN_FLIGHT,
    RESULT_UNSENT,
    RESULT_COUNT
};

static const char *const result_names[RESULT_COUNT] = {
    [RESULT_SUCCEEDED] = "succeeded", [RESULT_FAILED] = "failed",
    [RESULT_IN_DOUBT] = "in_doubt",   [RESULT_BLOCKED] = "blocked",
    [RESULT_IN_FLIGHT] = "in_flight", [RESULT_UNSENT] = "unsent",
};

enum { ROWS_BYTES_MAX = 64 * 1024 * 1024, STORAGE_BYTES = BODY_BYTES_MAX + 64 * 1024 };

enum { COLUMN_COUNT = 9 };

static const char *const columns[COLUMN_COUNT] = {
    "purser_key",         "purser_state",           "purser_reason",
    "purser_http_status", "purser_error_code",      "purser_error_message",
    "purser_remote_job",  "purser_idempotency_key", "purser_outputs",
};

struct results {
    struct session *session;
    struct intake *intake;
    struct outputs *outputs;
    size_t job_index;  /* of the files that are open */
    size_t cells_kept; /* of the source's row; what follows are purser's of an earlier time */
    struct result_file *files[RESULT_COUNT];
    uint64_t counts[RESULT_COUNT];
    struct buf row, storage, answer, cells, outputs_text, wait_text;
};

static enum result_kind kind_of(enum item_state state)
{
    static const enum result_kind kinds[ITEM_STATE_COUNT] = {
        [ITEM_BLOCKED] = RESULT_BLOCKED,     [ITEM_READY] = RESULT_UNSENT,
        [ITEM_SENDING] = RESULT_IN_FLIGHT,   [ITEM_WAITING] = RESULT_IN_FLIGHT,
        [ITEM_SUCCEEDED] = RESULT_SUCCEEDED, [ITEM_FAILED] = RESULT_FAILED,
        [ITEM_IN_DOUBT] = RESULT_IN_DOUBT,   [ITEM_CANCELLED] = RESULT_UNSENT,
        [ITEM_SKIPPED] = RESULT_UNSENT,
    };

    return kinds[state];
}

static void cut_line_end(struct buf *buf)
{
    while (buf->length > 0 &&
           (buf->bytes[buf->length - 1] == '\n' || buf->bytes[buf->length - 1] == '\r'))
        buf_truncate(buf, buf->length - 1);
}

/* A failed.csv that became a source has purser's columns at its end: they are written anew, so the
 * old ones go. Returns how many columns stand before them. */
static size_t own_column_count(struct source *source)
{
    size_t count, kept;
    const struct slice *names = source_columns(source, &count);

    for (kept = count; kept > 0; kept--)
        if (!result_row_is_added(names[kept - 1]))
            break;
    return kept;
}

/* Cuts the row that starts at `start` behind its first `kept` cells. It has been read as CSV
 * before, so only quotes and delimiters count here. */
static void keep_cells(struct buf *row, size_t start, char delimiter, size_t kept)
{
    bool quoted = false;
    size_t cells = 1;

    for (size_t i = start; i < row->length; i++) {
        if (row->bytes[i] == '"')
            quoted = !quoted;
        else if (row->bytes[i] == delimiter && !quoted && cells++ == kept) {
            buf_truncate(row, i);
            return;
        }
    }
}

static void append_csv_cell(struct results *results, struct slice value, char delimiter)
{
    buf_append_byte(&results->cells, delimiter);
    text_append_csv(&results->cells, value, delimiter, true);
}

static void append_json_cell(struct results *results, const char *name, struct slice value)
{
    buf_append_format(&results->cells, ",\"%s\":", name);
    text_append_json(&results->cells, value);
}

/* Rows of a JSON array are written one a line. */
static bool is_json(const struct spec_job *job)
{
    return job->source.kind == SOURCE_NDJSON || job->source.kind == SOURCE_JSON;
}

/* What a blocked item waits for stands where a failed one has its error. */
static enum err_code describe_wait(struct results *results, const struct item *item,
                                   struct err *err)
{
    struct wait_view wait;
    enum err_code code;

    buf_clear(&results->wait_text);
    if (item->state != ITEM_BLOCKED)
        return ERR_OK;
    code = wait_view_open(results->session->ledger, item, &wait, err);
    if (code == ERR_OK) {
        buf_append_text(&results->wait_text, "waits for ");
        wait_view_append_text(&wait, &results->wait_text);
    }
    wait_view_close(&wait);
    return code;
}

/* The purser_* cells of an item, in the order of the columns. */
static enum err_code build_cells(struct results *results, const struct item_view *view,
                                 const struct spec_job *job, struct err *err)
{
    struct session *session = results->session;
    const struct item *item = &view->item;
    struct result_record result = {0};
    char key[37], status[16] = "";

    if (view_result(session->ledger, view, &results->answer, &result, err) != ERR_OK)
        return err->code;
    view_idempotency_key(&session->spec, view, key);
    buf_clear(&results->outputs_text);
    if (item->state == ITEM_SUCCEEDED)
        outputs_append_json(results->outputs, view->job, result.body, &results->outputs_text);
    if (results->outputs_text.failed != ERR_OK)
        return buf_error(&results->outputs_text, "what the item returned is too large", err);
    if (describe_wait(results, item, err) != ERR_OK)
        return err->code;
    if (results->wait_text.length > 0)
        result.message = (struct slice){buf_text(&results->wait_text), results->wait_text.length};
    if (item->http_status != 0)
        (void)snprintf(status, sizeof status, "%u", item->http_status);
    const struct slice values[COLUMN_COUNT] = {
        view->request.key,
        slice_of(item_state_name(item->state)),
        slice_of(reason_code(item->reason)),
        slice_of(status),
        slice_of(item->error_code),
        result.message,
        slice_of(item->remote_job),
        slice_of(key),
        {buf_text(&results->outputs_text), results->outputs_text.length},
    };

    buf_clear(&results->cells);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (is_json(job))
            append_json_cell(results, columns[i], values[i]);
        else
            append_csv_cell(results, values[i], job->source.delimiter);
    }
    return ERR_OK;
}

/* One row of the source with the cells behind it. */
static void append_row(struct results *results, const struct spec_job *job, size_t row_start)
{
    const char *cells = buf_text(&results->cells);

    cut_line_end(&results->row);
    if (is_json(job)) {
        result_row_drop_added(&results->row, row_start);
        while (results->row.length > row_start &&
               results->row.bytes[results->row.length - 1] != '}')
            buf_truncate(&results->row, results->row.length - 1);
        if (results->row.length > row_start)
            buf_truncate(&results->row, results->row.length - 1);
        buf_append_format(&results->row, "%s}\n", cells);
        return;
    }
    keep_cells(&results->row, row_start, job->source.delimiter, results->cells_kept);
    buf_append_text(&results->row, results->cells_kept > 0 ? cells : cells + 1);
    buf_append_byte(&results->row, '\n');
}

static enum err_code find_view(struct results *results, const struct rendered_row *row,
                               struct item_view *view, struct err *err)
{
    struct session *session = results->session;
    struct buf name;
    enum err_code code;

    buf_init(&name, 1024);
    buf_append_format(&name, "%s/", session->spec.jobs[row->job_index].name);
    buf_append(&name, row->key.bytes, row->key.length);
    code = listing_find(session->ledger, buf_text(&name),
                        session->spec.connections[row->connection_index].alias, &results->storage,
                        view, err);
    buf_deinit(&name);
    return code;
}

static enum err_code write_row(void *opaque, const struct rendered_row *row, struct err *err)
{
    struct results *results = opaque;
    const struct spec_job *job = &results->session->spec.jobs[row->job_index];
    struct item_view view;
    enum result_kind kind;
    enum err_code code;

    if (row->job_index != results->job_index)
        return ERR_OK;
    code = find_view(results, row, &view, err);
    if (code == ERR_NOT_FOUND)
        return ERR_OK; /* a row that no run has seen yet */
    if (code != ERR_OK)
        return code;
    if (build_cells(results, &view, job, err) != ERR_OK)
        return err->code;
    buf_clear(&results->row);
    for (size_t i = 0; i < row->span_count; i++) {
        size_t start = results->row.length;

        if (source_read_span(intake_source(results->intake, row->job_index), &row->spans[i],
                             &results->row, err) != ERR_OK)
            return err->code;
        append_row(results, job, start);
    }
    if (row->span_count == 0)
        append_row(results, job, 0);
    if (results->row.failed != ERR_OK || results->cells.failed != ERR_OK)
        return err_set(err, ERR_TOO_BIG, "job %s: the rows of one item are too many to be written",
                       job->name);
    kind = kind_of(view.item.state);
    results->counts[kind]++;
    return result_file_append(results->files[kind],
                              (struct slice){buf_text(&results->row), results->row.length}, err);
}

static enum err_code write_header(struct results *results, const struct spec_job *job,
                                  struct result_file *file, struct err *err)
{
    buf_clear(&results->row);
    if (is_json(job))
        return ERR_OK;
    if (results->cells_kept > 0) {
        if (source_header(intake_source(results->intake, results->job_index), &results->row, err) !=
            ERR_OK)
            return err->code;
        cut_line_end(&results->row);
        keep_cells(&results->row, 0, job->source.delimiter, results->cells_kept);
        buf_append_byte(&results->row, job->source.delimiter);
    }
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (i > 0)
            buf_append_byte(&results->row, job->source.delimiter);
        buf_append_text(&results->row, columns[i]);
    }
    buf_append_byte(&results->row, '\n');
    return result_file_append(file, (struct slice){buf_text(&results->row), results->row.length},
                              err);
}

static enum err_code open_files(struct results *results, const struct spec_job *job,
                                const char *folder, struct err *err)
{
    const char *extension = is_json(job) ? "ndjson" : "csv";

    for (int kind = 0; kind < RESULT_COUNT; kind++) {
        char name[64];

        (void)snprintf(name, sizeof name, "%s.%s", result_names[kind], extension);
        if (result_file_open(folder, name, &results->files[kind], err) != ERR_OK ||
            write_header(results, job, results->files[kind], err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static enum err_code write_job(struct results *results, size_t job_index, struct err *err)
{
    const struct spec *spec = &results->session->spec;
    const char *directory = results->session->options->directory;
    char folder[4096];
    enum err_code code;

    results->job_index = job_index;
    results->cells_kept = own_column_count(intake_source(results->intake, job_index));
    (void)snprintf(folder, sizeof folder, "%s%s%s", directory, spec->job_count > 1 ? "/" : "",
                   spec->job_count > 1 ? spec->jobs[job_index].name : "");
    code = open_files(results, &spec->jobs[job_index], folder, err);
    if (code == ERR_OK)
        code = intake_each(results->intake, write_row, results, err);
    for (int kind = 0; kind < RESULT_COUNT; kind++) {
        if (code == ERR_OK)
            code = result_file_commit(results->files[kind], err);
        else
            result_file_abandon(results->files[kind]);
        results->files[kind] = NULL;
    }
    return code;
}

static void tell(const struct results *results)
{
    const struct session *session = results->session;

    if (session->options->quiet)
        return;
    for (int kind = 0; kind < RESULT_COUNT; kind++)
        if (results->counts[kind] > 0)
            print_talk("%8llu %s", (unsigned long long)results->counts[kind], result_names[kind]);
    print_talk("written to %s", session->options->directory);
}

static enum err_code write_all(struct results *results, struct err *err)
{
    struct session *session = results->session;
    struct run_record last;
    enum err_code code;

    if (session->options->directory == NULL)
        return err_set(err, ERR_USAGE, "where to? Give -o DIR");
    if (strcmp(session->options->directory, "-") == 0)
        return err_set(err, ERR_USAGE, "results are several files: -o takes a folder, not '-'");
    session->reads_all = true;
    if (session_open(session, err) != ERR_OK)
        return err->code;
    if (session->ledger->ops->last_run(session->ledger) == 0)
        return err_set(err, ERR_NOT_FOUND,
                       "%s has had no run yet, so there are no results\nhint: purser run %s%s",
                       session->spec.name, session->spec.file, session_state_words(session));
    if (run_slot_of_last(session, &last, err) != ERR_OK ||
        outputs_open(&session->spec, &session->arena, &session->diagnostics, &results->outputs,
                     err) != ERR_OK ||
        intake_open_with_store(
            &session->spec, NULL, last.read_run, last.read_ms,
            &(struct source_store){.directory = &session->directory, .is_kept = true},
            &session->diagnostics, &results->intake, err) != ERR_OK)
        return err->code;
    code = intake_check(results->intake, err);
    for (size_t i = 0; code == ERR_OK && i < session->spec.job_count; i++)
        code = write_job(results, i, err);
    if (code == ERR_OK)
        tell(results);
    return code;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct results results = {.session = session};
    enum err_code code;

    (void)exit_status_out;
    buf_init(&results.row, ROWS_BYTES_MAX);
    buf_init(&results.storage, STORAGE_BYTES);
    buf_init(&results.answer, STORAGE_BYTES);
    buf_init(&results.outputs_text, ANSWER_BYTES_MAX);
    buf_init(&results.wait_text, ANSWER_BYTES_MAX);
    buf_init(&results.cells, ANSWER_BYTES_MAX * 2);
    code = write_all(&results, err);
    intake_close(results.intake);
    outputs_close(results.outputs);
    buf_deinit(&results.row);
    buf_deinit(&results.storage);
    buf_deinit(&results.answer);
    buf_deinit(&results.outputs_text);
    buf_deinit(&results.wait_text);
    buf_deinit(&results.cells);
    return code;
}

int cmd_results(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_VARIABLES | ALLOW_DIRECTORY | ALLOW_SLOT, run);
}
