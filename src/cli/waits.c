#include "purser/cli/waits.h"

enum { REQUEST_BYTES = BODY_BYTES_MAX + 64 * 1024, RESULT_BYTES = ANSWER_BYTES_MAX + 64 * 1024 };

static enum err_code read_parent(struct ledger *ledger, struct wait_view *view, struct err *err)
{
    struct frozen_request request;
    struct result_record result;
    enum err_code code = ledger->ops->read_item(ledger, view->number, &view->item, err);

    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code != ERR_OK)
        return code;
    view->is_there = true;
    view->job = ledger->ops->job_name(ledger, view->item.job);
    view->connection = ledger->ops->connection_name(ledger, view->item.connection);
    code = ledger->ops->read_request(ledger, view->number, &view->request, &request, err);
    if (code == ERR_OK)
        view->key = request.key;
    if (code == ERR_OK || ledger_has_none(code))
        code = ledger->ops->read_result(ledger, view->number, &view->result, &result, err);
    if (code == ERR_OK)
        view->message = result.message;
    return ledger_has_none(code) ? ERR_OK : code;
}

static enum err_code count_left(struct ledger *ledger, uint32_t job, struct wait_view *view,
                                struct err *err)
{
    struct item_counts counts;

    view->job = ledger->ops->job_name(ledger, job);
    if (ledger->ops->counts(ledger, job, UINT32_MAX, &counts, err) != ERR_OK)
        return err->code;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        if (!item_state_is_over((enum item_state)state))
            view->left += counts.by_state[state];
    return ERR_OK;
}

enum err_code wait_view_open(struct ledger *ledger, const struct item *item,
                             struct wait_view *view_out, struct err *err)
{
    *view_out = (struct wait_view){
        .kind = item->waits_on, .number = item->waits_for, .key = SLICE(""), .message = SLICE("")};
    buf_init(&view_out->request, REQUEST_BYTES);
    buf_init(&view_out->result, RESULT_BYTES);
    if (item->waits_on == WAIT_ITEM)
        return read_parent(ledger, view_out, err);
    if (item->waits_on == WAIT_JOB)
        return count_left(ledger, (uint32_t)item->waits_for, view_out, err);
    return ERR_OK;
}

void wait_view_close(struct wait_view *view)
{
    buf_deinit(&view->request);
    buf_deinit(&view->result);
}

static const char *words_for(enum item_state state)
{
    switch (state) {
    case ITEM_BLOCKED:
        return "which waits itself";
    case ITEM_READY:
        return "which is not sent yet";
    case ITEM_SENDING:
    case ITEM_WAITING:
        return "which is under way";
    case ITEM_SUCCEEDED:
        return "which has succeeded: the next run goes on with this";
    case ITEM_FAILED:
        return "which failed";
    case ITEM_IN_DOUBT:
        return "which is in doubt";
    case ITEM_CANCELLED:
        return "which was cancelled";
    case ITEM_SKIPPED:
        return "which was skipped: its if: is false";
    case ITEM_STATE_COUNT:
        break;
    }
    return "";
}

static void append_parent(const struct wait_view *view, struct buf *out)
{
    bool has_failed = view->item.state == ITEM_FAILED || view->item.state == ITEM_IN_DOUBT;

    if (!view->is_there) {
        buf_append_text(out, "an item that is not in the ledger any more");
        return;
    }
    text_append_printable(out, slice_of(view->job == NULL ? "?" : view->job));
    buf_append_byte(out, '/');
    text_append_printable(out, view->key);
    buf_append_format(out, ", %s", words_for(view->item.state));
    if (!has_failed || (view->item.http_status == 0 && view->message.length == 0))
        return;
    buf_append_byte(out, ':');
    if (view->item.http_status != 0)
        buf_append_format(out, " %u", view->item.http_status);
    if (view->message.length > 0)
        buf_append_byte(out, ' ');
    text_append_printable(out, view->message);
}

void wait_view_append_text(const struct wait_view *view, struct buf *out)
{
    switch (view->kind) {
    case WAIT_ITEM:
        append_parent(view, out);
        return;
    case WAIT_JOB:
        buf_append_format(out, "job %s: %llu item%s not done", view->job == NULL ? "?" : view->job,
                          (unsigned long long)view->left, view->left == 1 ? " is" : "s are");
        return;
    case WAIT_UNKNOWN_ITEM:
        buf_append_text(out, "an item that neither a row nor the ledger has");
        return;
    case WAIT_NONE:
        buf_append_text(out, "the next run, which looks at what it needs");
        return;
    case WAIT_KIND_COUNT:
        break;
    }
}

static void append_member(struct buf *out, const char *name, const char *text)
{
    buf_append_format(out, "\"%s\":", name);
    if (text == NULL)
        buf_append_text(out, "null,");
    else {
        text_append_json(out, slice_of(text));
        buf_append_byte(out, ',');
    }
}

void wait_view_append_json(const struct wait_view *view, struct buf *out)
{
    static const char *const kinds[] = {[WAIT_NONE] = "next_run",
                                        [WAIT_ITEM] = "item",
                                        [WAIT_JOB] = "job",
                                        [WAIT_UNKNOWN_ITEM] = "unknown_item"};

    buf_append_byte(out, '{');
    append_member(out, "kind", view->kind < WAIT_KIND_COUNT ? kinds[view->kind] : NULL);
    append_member(out, "job", view->job);
    append_member(out, "connection", view->connection);
    buf_append_text(out, "\"key\":");
    if (view->is_there)
        text_append_json(out, view->key);
    else
        buf_append_text(out, "null");
    buf_append_byte(out, ',');
    append_member(out, "state", view->is_there ? item_state_name(view->item.state) : NULL);
    if (view->kind == WAIT_JOB)
        buf_append_format(out, "\"left\":%llu}", (unsigned long long)view->left);
    else
        buf_append_text(out, "\"left\":null}");
}
