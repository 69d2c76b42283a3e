/* purser items SPEC
 *
 * Promises: one line an item, in the order of first sight; works while a run goes on. */
#include <stdio.h>

#include "purser/cli/command.h"
#include "purser/cli/listing.h"
#include "purser/cli/waits.h"
#include "purser/codec/outputs.h"

const char help_items[] =
    "usage: purser items SPEC [options]\n\n"
    "  purser items catalogue.yaml\n"
    "  purser items catalogue.yaml --where 'state=failed and code=450'\n"
    "  purser items catalogue.yaml --output ndjson      everything, for a script\n\n"
    "  --where TERMS      terms joined by 'and'; fields: state, reason, job,\n"
    "                     connection, key, code (HTTP status or error code),\n"
    "                     generation, attempts; operators: = != ~ (contains) < <= >\n"
    "                     >=\n"
    "  --output FORMAT    table, json, ndjson or csv\n"
    "  --state DIR        where the ledgers are\n";

enum { LINE_BYTES_MAX = 16 * 1024 * 1024, ANSWER_BYTES = ANSWER_BYTES_MAX + 64 * 1024 };

struct items_output {
    struct session *session;
    struct outputs *outputs;
    struct buf line, answer;
    uint64_t count;
};

static void append_member(struct buf *out, const char *name, struct slice value)
{
    buf_append_format(out, ",\"%s\":", name);
    if (value.length == 0)
        buf_append_text(out, "null");
    else
        text_append_json(out, value);
}

static void append_source(struct buf *out, const struct item_view *view)
{
    char line[16];
    struct buf source;

    buf_init(&source, 8192);
    buf_append(&source, view->request.source_file.bytes, view->request.source_file.length);
    (void)snprintf(line, sizeof line, ":%u", view->request.source_line);
    buf_append_text(&source, line);
    append_member(out, "source", (struct slice){buf_text(&source), source.length});
    buf_deinit(&source);
}

/* `wait` NULL: it is not blocked. */
static void append_json(struct items_output *to, const struct item_view *view,
                        const struct result_record *result, const struct wait_view *wait)
{
    const struct item *item = &view->item;
    char key[37];

    view_idempotency_key(&to->session->spec, view, key);
    buf_append_text(&to->line, "{\"v\":1,\"job\":");
    text_append_json(&to->line, slice_of(view->job));
    append_member(&to->line, "connection", slice_of(view->connection));
    append_member(&to->line, "key", view->request.key);
    append_member(&to->line, "state", slice_of(item_state_name(item->state)));
    append_member(&to->line, "reason", slice_of(reason_code(item->reason)));
    buf_append_format(&to->line, ",\"generation\":%u,\"attempts\":%u", item->generation,
                      item->attempt_total);
    append_member(&to->line, "idempotency_key", slice_of(key));
    append_member(&to->line, "remote_job", slice_of(item->remote_job));
    if (item->http_status == 0)
        buf_append_text(&to->line, ",\"http_status\":null");
    else
        buf_append_format(&to->line, ",\"http_status\":%u", item->http_status);
    append_member(&to->line, "error_type", slice_of(item->error_type));
    append_member(&to->line, "error_code", slice_of(item->error_code));
    append_member(&to->line, "error_message", result->message);
    append_source(&to->line, view);
    if (wait != NULL) {
        buf_append_text(&to->line, ",\"waits_for\":");
        wait_view_append_json(wait, &to->line);
    }
    buf_append_text(&to->line, ",\"outputs\":");
    if (item->state == ITEM_SUCCEEDED)
        outputs_append_json(to->outputs, view->job, result->body, &to->line);
    else
        buf_append_text(&to->line, "{}");
    buf_append_byte(&to->line, '}');
}

static void append_csv(struct items_output *to, const struct item_view *view,
                       const struct result_record *result)
{
    const struct item *item = &view->item;
    char numbers[64];

    text_append_csv(&to->line, slice_of(view->job), ',', true);
    buf_append_byte(&to->line, ',');
    text_append_csv(&to->line, slice_of(view->connection), ',', true);
    buf_append_byte(&to->line, ',');
    text_append_csv(&to->line, view->request.key, ',', true);
    (void)snprintf(numbers, sizeof numbers, ",%s,%s,%u,%u,%u,", item_state_name(item->state),
                   reason_code(item->reason), item->generation, item->attempt_total,
                   item->http_status);
    buf_append_text(&to->line, numbers);
    text_append_csv(&to->line, slice_of(item->error_code), ',', true);
    buf_append_byte(&to->line, ',');
    text_append_csv(&to->line, result->message, ',', true);
    buf_append_byte(&to->line, '\n');
}

static void append_table(struct items_output *to, const struct item_view *view,
                         const struct result_record *result, const struct wait_view *wait)
{
    const struct item *item = &view->item;

    buf_append_format(&to->line, "%-10s ", item_state_name(item->state));
    text_append_printable(&to->line, slice_of(view->job));
    buf_append_byte(&to->line, '/');
    text_append_printable(&to->line, view->request.key);
    if (to->session->spec.connection_count > 1)
        buf_append_format(&to->line, "  on %s", view->connection);
    if (item->reason != REASON_NONE)
        buf_append_format(&to->line, "  %s", reason_code(item->reason));
    if (item->http_status != 0 && item->state != ITEM_SUCCEEDED)
        buf_append_format(&to->line, "  %u", item->http_status);
    if (item->attempt_total > 1)
        buf_append_format(&to->line, "  %u attempts", item->attempt_total);
    if (result->message.length > 0 && item->state != ITEM_SUCCEEDED) {
        buf_append_text(&to->line, "  ");
        text_append_printable(&to->line, result->message);
    }
    if (wait != NULL) {
        buf_append_text(&to->line, "  waits for ");
        wait_view_append_text(wait, &to->line);
    }
    buf_append_byte(&to->line, '\n');
}

static enum err_code append_item(struct items_output *to, const struct item_view *view,
                                 const struct result_record *result, struct err *err)
{
    struct wait_view wait, *shown = NULL;

    if (view->item.state == ITEM_BLOCKED && to->session->options->output != OUTPUT_CSV) {
        shown = &wait;
        if (wait_view_open(to->session->ledger, &view->item, &wait, err) != ERR_OK) {
            wait_view_close(&wait);
            return err->code;
        }
    }
    switch (to->session->options->output) {
    case OUTPUT_TABLE:
        append_table(to, view, result, shown);
        break;
    case OUTPUT_CSV:
        append_csv(to, view, result);
        break;
    case OUTPUT_JSON:
        buf_append_text(&to->line, to->count == 0 ? "[\n" : ",\n");
        append_json(to, view, result, shown);
        break;
    case OUTPUT_NDJSON:
        append_json(to, view, result, shown);
        buf_append_byte(&to->line, '\n');
        break;
    }
    if (shown != NULL)
        wait_view_close(&wait);
    return ERR_OK;
}

static enum err_code print_item(struct items_output *to, const struct item_view *view,
                                struct err *err)
{
    struct ledger *ledger = to->session->ledger;
    struct result_record result = {0};

    if ((item_state_is_final(view->item.state) || view->is_unreadable) &&
        view_result(ledger, view, &to->answer, &result, err) != ERR_OK)
        return err->code;
    buf_clear(&to->line);
    if (append_item(to, view, &result, err) != ERR_OK)
        return err->code;
    to->count++;
    return print_out(&to->line, err);
}

static enum err_code print_frame(struct items_output *to, bool begin, struct err *err)
{
    buf_clear(&to->line);
    if (begin && to->session->options->output == OUTPUT_CSV)
        buf_append_text(&to->line, "job,connection,key,state,reason,generation,attempts,"
                                   "http_status,error_code,error_message\n");
    if (!begin && to->session->options->output == OUTPUT_JSON)
        buf_append_text(&to->line, to->count == 0 ? "[]\n" : "\n]\n");
    return print_out(&to->line, err);
}

static enum err_code list(struct items_output *to, const struct where *where, struct err *err)
{
    struct listing listing;
    struct item_view view;
    enum err_code code = print_frame(to, true, err);

    listing_init(&listing, to->session->ledger, where);
    while (code == ERR_OK) {
        code = listing_next(&listing, &view, err);
        if (code == ERR_OK)
            code = print_item(to, &view, err);
    }
    listing_deinit(&listing);
    return code == ERR_NOT_FOUND ? print_frame(to, false, err) : code;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct items_output to = {.session = session};
    struct where where;
    enum err_code code = where_parse(session->options->where, &where, err);

    (void)exit_status_out;
    session->reads_all = true;
    buf_init(&to.line, LINE_BYTES_MAX);
    buf_init(&to.answer, ANSWER_BYTES);
    if (code == ERR_OK)
        code = session_open(session, err);
    if (code == ERR_OK)
        code =
            outputs_open(&session->spec, &session->arena, &session->diagnostics, &to.outputs, err);
    if (code == ERR_OK)
        code = list(&to, &where, err);
    outputs_close(to.outputs);
    buf_deinit(&to.line);
    buf_deinit(&to.answer);
    return code;
}

int cmd_items(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_WHERE, run);
}
