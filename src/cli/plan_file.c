#include "purser/cli/plan_file.h"
#include "purser/cli/recall.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/digest.h"
#include "purser/io/result_file.h"

enum { FILE_BYTES_MAX = 40 * 1024 * 1024, HEX_BYTES = 33 };

static void append_text_or_null(struct buf *out, const char *text)
{
    if (text == NULL)
        buf_append_text(out, "null");
    else
        text_append_json(out, slice_of(text));
}

static void append_options(struct buf *out, const struct options *options)
{
    buf_append_text(out, " \"options\": {\"only\": [");
    for (size_t i = 0; i < options->only_count; i++) {
        if (i > 0)
            buf_append_text(out, ", ");
        text_append_json(out, slice_of(options->only[i]));
    }
    buf_append_text(out, "], \"where\": ");
    append_text_or_null(out, options->where);
    if (options->limit == UINT64_MAX)
        buf_append_text(out, ", \"limit\": null");
    else
        buf_append_format(out, ", \"limit\": %" PRIu64, options->limit);
    if (options->schedule.has_slot)
        buf_append_format(out, ", \"slot\": %" PRId64, options->schedule.slot_s);
    buf_append_format(out, ", \"canary\": %u, \"vars\": {", options->canary);
    for (size_t i = 0; i < options->variable_count; i++) {
        if (i > 0)
            buf_append_text(out, ", ");
        text_append_json(out, options->variables[i].name);
        buf_append_text(out, ": ");
        text_append_json(out, options->variables[i].value);
    }
    buf_append_text(out, "}},\n");
}

static void append_ledger(struct buf *out, const struct session *session)
{
    if (session->lmdb == NULL) {
        buf_append_text(out, " \"ledger\": null,\n");
        return;
    }
    buf_append_text(out, " \"ledger\": {\"identity\": ");
    text_append_json(out, slice_of(lmdb_ledger_identity(session->lmdb)));
    buf_append_format(out, ", \"revision\": %" PRIu64 "},\n", lmdb_ledger_revision(session->lmdb));
}

/* One line a block, so that two plans can be compared as text. */
static void append_rows(struct buf *out, const struct row_digest *digest)
{
    uint8_t sum[DIGEST_BYTES];

    digest_bytes(digest->blocks, digest->block_count * sizeof *digest->blocks, sum);
    buf_append_format(out, " \"rows\": {\"count\": %" PRIu64 ", \"digest\": \"", digest->row_count);
    for (size_t i = 0; i < sizeof sum; i++)
        buf_append_format(out, "%02x", sum[i]);
    buf_append_format(out, "\", \"rows_a_block\": %u, \"blocks\": [", digest->rows_each);
    for (size_t i = 0; i < digest->block_count; i++)
        buf_append_format(out, "%s\n  \"%016" PRIx64 "\"", i == 0 ? "" : ",", digest->blocks[i]);
    buf_append_text(out, "]}\n}\n");
}

static enum err_code write_bytes(const char *name, const struct buf *out, struct err *err)
{
    const char *slash = strrchr(name, '/');
    char folder[4096];
    struct result_file *file;

    if (slash != NULL && (size_t)(slash - name) >= sizeof folder)
        return err_set(err, ERR_OUTPUT, "%.100s…: the path is too long", name);
    (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - name),
                   slash == NULL ? "." : name);
    if (slash == name)
        (void)snprintf(folder, sizeof folder, "/");
    if (result_file_open(folder, slash == NULL ? name : slash + 1, &file, err) != ERR_OK)
        return err->code;
    if (result_file_append(file, (struct slice){out->bytes, out->length}, err) != ERR_OK) {
        result_file_abandon(file);
        return err->code;
    }
    return result_file_commit(file, err);
}

enum err_code plan_file_write(const char *name, const struct comparison *comparison,
                              const struct plan_rows *rows, struct slice shown, struct err *err)
{
    const struct session *session = comparison->session;
    const struct spec *spec = &session->spec;
    char planned[TEXT_TIME_BYTES];
    struct buf out;
    enum err_code code;

    buf_init(&out, FILE_BYTES_MAX);
    text_from_time_ms(comparison->started_ms, planned);
    buf_append_format(&out, "{\n \"purser_plan\": %d,\n \"spec\": ", PLAN_FILE_VERSION);
    text_append_json(&out, slice_of(spec->name));
    buf_append_text(&out, ",\n \"file\": ");
    text_append_json(&out, slice_of(spec->file));
    buf_append_format(&out,
                      ",\n \"spec_digest\": \"%016" PRIx64 "%016" PRIx64 "\",\n"
                      " \"planned_at\": \"%s\", \"planned_ms\": %" PRId64 ",\n \"run\": %u,\n",
                      spec->digest.high, spec->digest.low, planned, comparison->started_ms,
                      comparison->run);
    append_ledger(&out, session);
    append_options(&out, session->options);
    buf_append_text(&out, " \"shown\": ");
    buf_append(&out, shown.bytes, shown.length);
    buf_append_text(&out, ",\n");
    append_rows(&out, &rows->digest);
    code = out.failed == ERR_OK ? write_bytes(name, &out, err)
                                : err_set(err, out.failed, "no memory for the plan");
    buf_deinit(&out);
    return code;
}

enum err_code plan_file_check_spec(const struct plan_file *file, const struct session *session,
                                   struct err *err)
{
    const struct spec *spec = &session->spec;

    if (strcmp(file->spec_name, spec->name) != 0)
        return err_set(err, ERR_INPUT, "%s is a plan of spec '%s', not of '%s'; nothing was sent",
                       file->name, file->spec_name, spec->name);
    if (hash128_equal(file->spec_digest, spec->digest))
        return ERR_OK;
    return err_set(err, ERR_INPUT,
                   "%s: %s has changed since the plan was made; nothing was sent\n"
                   "hint: purser plan %s -o %s makes a plan of today",
                   file->name, spec->file, spec->file, file->name);
}

static enum err_code ledger_differs(const struct plan_file *file, const struct session *session,
                                    const char *what, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "%s: %s; nothing was sent\nhint: purser plan %s -o %s makes a plan of today",
                   file->name, what, session->spec.file, file->name);
}

enum err_code plan_file_check_ledger(const struct plan_file *file, const struct session *session,
                                     struct err *err)
{
    struct ledger *ledger = session->ledger;
    uint32_t last_run = ledger->ops->last_run(ledger);
    struct run_record record;
    char what[200], started[TEXT_TIME_BYTES] = "";
    struct item item;
    uint64_t number;
    enum err_code found;
    bool found_run;

    if (last_run >= file->run) {
        if (recall_run(ledger, last_run, true, &record, &found_run, err) != ERR_OK)
            return err->code;
        if (found_run)
            text_from_time_ms(record.started_ms, started);
        (void)snprintf(what, sizeof what,
                       "the ledger has changed since the plan was made, by run %u of %s", last_run,
                       started);
        return ledger_differs(file, session, what, err);
    }
    if (!file->has_ledger) {
        found = ledger->ops->next_item(ledger, 0, &number, &item, err);
        if (found == ERR_NOT_FOUND)
            return ERR_OK;
        return found != ERR_OK ? found
                               : ledger_differs(file, session,
                                                "there was no ledger when the plan was made", err);
    }
    if (last_run + 1 < file->run ||
        strcmp(file->ledger_identity, lmdb_ledger_identity(session->lmdb)) != 0)
        return ledger_differs(file, session, "this is not the ledger that the plan was made with",
                              err);
    if (lmdb_ledger_revision(session->lmdb) == file->ledger_revision)
        return ERR_OK;
    return ledger_differs(file, session,
                          "the ledger has changed since the plan was made, by retry, cancel, "
                          "resolve or another decision",
                          err);
}
