/* purser explain SPEC JOB/KEY
 *
 * Promises: everything that the ledger knows of one item, oldest first, and why it is where it is.
 */
#include "purser/cli/advice.h"
#include "purser/cli/command.h"
#include "purser/cli/listing.h"
#include "purser/cli/waits.h"
#include "purser/codec/reply_table.h"
#include "purser/core/lifecycle.h"

const char help_explain[] =
    "usage: purser explain SPEC JOB/KEY [options]\n\n"
    "  purser explain catalogue.yaml products/SKU-17\n\n"
    "Every exchange of one item: what was sent when, what came back, and which rule\n"
    "chose the next step. Questions that only said \"not finished yet\" are left out.\n"
    "All rules, with the answers that they decide: docs/ANSWERS.md. An item in doubt:\n"
    "purser help in-doubt.\n\n"
    "  --connection ALIAS  where a key stands on several connections\n"
    "  --output FORMAT     table or json\n"
    "  --state DIR         where the ledgers are\n";

enum { TEXT_BYTES_MAX = 8 * 1024 * 1024, STORAGE_BYTES = BODY_BYTES_MAX + 64 * 1024 };

static void append_time(struct buf *out, const char *label, int64_t time_ms)
{
    char text[TEXT_TIME_BYTES];

    if (time_ms == 0)
        return;
    text_from_time_ms(time_ms, text);
    buf_append_format(out, "  %-16s %s\n", label, text);
}

static void append_advice(const struct item *item, struct buf *out)
{
    struct advice advice = advice_for(item->reason);

    if (advice.look_at[0] != '\0')
        buf_append_format(out, "  %-16s %s\n", "look at", advice.look_at);
    if (advice.then[0] != '\0')
        buf_append_format(out, "  %-16s %s\n", "then", advice.then);
}

/* What to do about it is done to the item that it waits for. */
static void append_wait(struct session *session, const struct wait_view *wait, struct buf *out)
{
    const char *file = session->spec.file, *state = session_state_words(session);

    buf_append_format(out, "  %-16s ", "waits for");
    wait_view_append_text(wait, out);
    if (wait->kind == WAIT_JOB)
        buf_append_format(out, "\n  %-16s purser items %s --where 'job=%s'%s", "look at", file,
                          wait->job == NULL ? "?" : wait->job, state);
    else if (wait->is_there)
        buf_append_format(out, "\n  %-16s purser explain %s %s/%.*s%s", "look at", file, wait->job,
                          (int)wait->key.length, wait->key.bytes, state);
    if (wait->is_there && wait->item.state == ITEM_FAILED)
        buf_append_format(out,
                          "\n  %-16s correct its row, or purser retry %s --where 'job=%s and "
                          "key=%.*s'%s; then purser run",
                          "next", file, wait->job, (int)wait->key.length, wait->key.bytes, state);
    buf_append_byte(out, '\n');
}

static void append_request(const struct item_view *view, struct buf *out)
{
    const struct frozen_request *request = &view->request;

    buf_append_format(out, "  %-16s %s ", "request", method_name(request->method));
    if (request->path.length > 0)
        buf_append_format(out, "%.*s, %zu bytes", (int)request->path.length, request->path.bytes,
                          request->body.length);
    else
        buf_append_text(out, "…, made of what it waits for");
    buf_append_format(out, ", from %.*s:%u\n", (int)request->source_file.length,
                      request->source_file.bytes, request->source_line);
}

/* `wait` NULL: it is not blocked. */
static void append_head(struct session *session, const struct item_view *view,
                        const struct wait_view *wait, struct buf *out)
{
    const struct item *item = &view->item;
    char key[37];

    view_idempotency_key(&session->spec, view, key);
    buf_append_format(out, "%s/", view->job);
    text_append_printable(out, view->request.key);
    buf_append_format(out, "  on %s\n  %-16s %s: %s\n", view->connection, "state",
                      item_state_name(item->state), item_state_meaning(item->state));
    if (item->reason != REASON_NONE)
        buf_append_format(out, "  %-16s %s: %s\n", "reason", reason_code(item->reason),
                          reason_meaning(item->reason));
    if (wait != NULL)
        append_wait(session, wait, out);
    append_advice(item, out);
    if (item->corrected)
        buf_append_format(out,
                          "  %-16s by a row that was given to retry --input; the row of the "
                          "source counts again when it changes\n",
                          "corrected");
    append_request(view, out);
    buf_append_format(out, "  %-16s %u, idempotency key %s\n", "generation", item->generation, key);
    if (item->remote_job[0] != '\0')
        buf_append_format(out, "  %-16s %s\n", "remote job", item->remote_job);
    append_time(out, "intent durable", item->intent_ms);
    append_time(out, "accepted", item->accepted_ms);
    append_time(out, "finished", item->finished_ms);
    if (!item_state_is_final(item->state))
        append_time(out, "next", item->due_ms);
}

static void append_attempt(const struct attempt_record *attempt, struct buf *out)
{
    char started[TEXT_TIME_BYTES];

    text_from_time_ms(attempt->started_ms, started);
    buf_append_format(out, "  %s  generation %u, %s, %lld ms: ", started, attempt->generation,
                      attempt->poll ? "poll" : "send", (long long)attempt->duration_ms);
    if (attempt->http_status != 0)
        buf_append_format(out, "%u ", attempt->http_status);
    if (attempt->event < ITEM_EVENT_COUNT)
        buf_append_format(out, "%s (%s)", item_event_name((enum item_event_kind)attempt->event),
                          item_event_meaning((enum item_event_kind)attempt->event));
    if (attempt->state < ITEM_STATE_COUNT)
        buf_append_format(out, " -> %s", item_state_name((enum item_state)attempt->state));
    if (attempt->reason != REASON_NONE)
        buf_append_format(out, ", %s", reason_code(attempt->reason));
    if (attempt->next_due_ms > 0)
        buf_append_format(
            out, ", again after %lld ms",
            (long long)(attempt->next_due_ms - attempt->started_ms - attempt->duration_ms));
    if (attempt->request_id.length > 0)
        buf_append_format(out, ", request %.*s", (int)attempt->request_id.length,
                          attempt->request_id.bytes);
    buf_append_byte(out, '\n');
    if (attempt->rule.length > 0) {
        const char *meaning = reply_rule_meaning(attempt->rule);

        buf_append_text(out, "      rule ");
        text_append_printable(out, attempt->rule);
        buf_append_format(out, "%s%s\n", meaning == NULL ? "" : ": ",
                          meaning == NULL ? "" : meaning);
    }
    if (attempt->message.length > 0) {
        buf_append_text(out, "      ");
        text_append_printable(out, attempt->message);
        buf_append_byte(out, '\n');
    }
}

static void append_attempt_json(const struct attempt_record *attempt, struct buf *out)
{
    const char *meaning = reply_rule_meaning(attempt->rule);

    buf_append_format(
        out,
        "{\"generation\":%u,\"kind\":\"%s\",\"started_ms\":%lld,\"duration_ms\":%lld,"
        "\"http_status\":%u,\"event\":\"%s\",\"state\":\"%s\",\"reason\":\"%s\","
        "\"next_due_ms\":%lld,\"request_id\":",
        attempt->generation, attempt->poll ? "poll" : "send", (long long)attempt->started_ms,
        (long long)attempt->duration_ms, attempt->http_status,
        attempt->event < ITEM_EVENT_COUNT ? item_event_name((enum item_event_kind)attempt->event)
                                          : "",
        attempt->state < ITEM_STATE_COUNT ? item_state_name((enum item_state)attempt->state) : "",
        reason_code(attempt->reason), (long long)attempt->next_due_ms);
    text_append_json(out, attempt->request_id);
    buf_append_text(out, ",\"message\":");
    text_append_json(out, attempt->message);
    buf_append_text(out, ",\"rule\":");
    text_append_json(out, attempt->rule);
    buf_append_text(out, ",\"rule_meaning\":");
    text_append_json(out, slice_of(meaning == NULL ? "" : meaning));
    buf_append_byte(out, '}');
}

static void append_head_json(const struct session *session, const struct item_view *view,
                             const struct wait_view *wait, struct buf *out)
{
    struct advice advice = advice_for(view->item.reason);
    char key[37];

    view_idempotency_key(&session->spec, view, key);
    buf_append_text(out, "{\"v\":1,\"job\":");
    text_append_json(out, slice_of(view->job));
    buf_append_text(out, ",\"connection\":");
    text_append_json(out, slice_of(view->connection));
    buf_append_text(out, ",\"key\":");
    text_append_json(out, view->request.key);
    buf_append_format(out,
                      ",\"state\":\"%s\",\"reason\":\"%s\",\"generation\":%u,"
                      "\"idempotency_key\":\"%s\",\"method\":\"%s\",\"path\":",
                      item_state_name(view->item.state), reason_code(view->item.reason),
                      view->item.generation, key, method_name(view->request.method));
    text_append_json(out, view->request.path);
    buf_append_format(out, ",\"corrected\":%s", view->item.corrected ? "true" : "false");
    buf_append_text(out, ",\"remote_job\":");
    text_append_json(out, slice_of(view->item.remote_job));
    buf_append_text(out, ",\"look_at\":");
    text_append_json(out, slice_of(advice.look_at));
    buf_append_text(out, ",\"then\":");
    text_append_json(out, slice_of(advice.then));
    buf_append_text(out, ",\"waits_for\":");
    if (wait == NULL)
        buf_append_text(out, "null");
    else
        wait_view_append_json(wait, out);
    buf_append_text(out, ",\"attempts\":[");
}

static enum err_code explain(struct session *session, struct buf *out, struct err *err)
{
    struct ledger *ledger = session->ledger;
    bool json = session->options->output != OUTPUT_TABLE;
    struct wait_view wait, *shown = NULL;
    struct attempt_record attempt;
    struct item_view view;
    struct buf storage;
    enum err_code code;
    bool is_shown;

    buf_init(&storage, STORAGE_BYTES);
    code = listing_find(ledger, session->options->item, session->options->connection, &storage,
                        &view, err);
    if (code == ERR_OK && view.item.state == ITEM_BLOCKED) {
        code = wait_view_open(ledger, &view.item, &wait, err);
        shown = &wait;
    }
    if (code == ERR_OK && json)
        append_head_json(session, &view, shown, out);
    else if (code == ERR_OK)
        append_head(session, &view, shown, out);
    is_shown = code == ERR_OK;
    if (shown != NULL)
        wait_view_close(shown);
    for (uint32_t i = 0; code == ERR_OK; i++) {
        code = ledger->ops->read_attempt(ledger, view.number, i, &storage, &attempt, err);
        if (code != ERR_OK)
            break;
        if (json && i > 0)
            buf_append_byte(out, ',');
        if (json)
            append_attempt_json(&attempt, out);
        else
            append_attempt(&attempt, out);
    }
    buf_deinit(&storage);
    if (code != ERR_NOT_FOUND || !is_shown)
        return code;
    buf_append_text(out, json ? "]}\n" : "");
    return print_out(out, err);
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct buf out;
    enum err_code code = session_open(session, err);

    (void)exit_status_out;
    buf_init(&out, TEXT_BYTES_MAX);
    if (code == ERR_OK)
        code = explain(session, &out, err);
    buf_deinit(&out);
    return code;
}

int cmd_explain(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_CONNECTION | ALLOW_ITEM,
                       run);
}
