#include "purser/cli/connection_view.h"

#include <stdio.h>
#include <string.h>

#include "purser/cli/recall.h"

enum { RECORD_BYTES_MAX = 64 * 1024 };

static const char state_ok[] = "ok", state_parked[] = "parked", state_unknown[] = "unknown";

static bool keep(struct session *session, struct slice *text)
{
    text->bytes =
        arena_copy_text(&session->arena, text->bytes == NULL ? "" : text->bytes, text->length);
    return text->bytes != NULL;
}

static void judge(struct connection_view *view)
{
    struct slice reason = view->record.parked_reason;

    view->is_refused = slice_is(reason, "unauthorized") || slice_is(reason, "needs_update");
    if (reason.length > 0)
        view->state = state_parked;
    else
        view->state = view->record.checked_ms != 0 ? state_ok : state_unknown;
}

static enum err_code read_view(struct session *session, struct buf *storage,
                               struct connection_view *view, struct err *err)
{
    struct ledger *ledger = session->ledger;
    uint32_t number =
        ledger_number_of(ledger, view->connection->alias, ledger->ops->connection_name);

    if (number == UINT32_MAX)
        return ERR_OK;
    if (ledger->ops->counts(ledger, UINT32_MAX, number, &view->counts, err) != ERR_OK ||
        recall_connection(ledger, number, view->connection->alias, storage, &view->record, err) !=
            ERR_OK)
        return err->code;
    if (!keep(session, &view->record.parked_reason) || !keep(session, &view->record.link_url) ||
        !keep(session, &view->record.detail))
        return err_set(err, ERR_NO_MEMORY, "no memory for what is known of the connections");
    return ERR_OK;
}

size_t connection_views_count(const struct session *session)
{
    const struct spec *spec = &session->spec;
    size_t count = spec->connection_count;

    return count > 0 && spec->connections[count - 1].has_no_token ? count - 1 : count;
}

enum err_code connection_views_read(struct session *session, struct connection_view **views_out,
                                    struct err *err)
{
    const struct spec *spec = &session->spec;
    const size_t count = connection_views_count(session);
    struct connection_view *views = arena_new(&session->arena, count + 1, sizeof *views);
    enum err_code code = ERR_OK;
    struct buf storage;

    if (views == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu connections", spec->connection_count);
    buf_init(&storage, RECORD_BYTES_MAX);
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        const char *platform = spec->connections[i].platform;

        views[i].connection = &spec->connections[i];
        views[i].platform = platform == NULL ? "" : platform;
        if (session->ledger != NULL)
            code = read_view(session, &storage, &views[i], err);
        if (code == ERR_OK)
            judge(&views[i]);
    }
    buf_deinit(&storage);
    if (code == ERR_OK)
        *views_out = views;
    return code;
}

void connection_view_apply(struct connection_view *view, const struct connection_status *status,
                           int64_t now_ms)
{
    struct connection_record *record = &view->record;
    struct slice reason = slice_of(status->park_reason == NULL ? "" : status->park_reason);

    view->asked = true;
    if (view->platform[0] == '\0')
        view->platform = status->platform;
    if (status->state == CONNECTION_UNKNOWN) {
        record->detail = slice_of(status->detail);
        if (record->parked_reason.length == 0)
            view->state = state_unknown;
        return;
    }
    if (reason.length == 0)
        record->parked_since_ms = 0;
    else if (!slice_equal(reason, record->parked_reason))
        record->parked_since_ms = now_ms;
    record->parked_reason = reason;
    record->link_url = slice_of(status->link_url);
    record->detail = slice_of(status->detail);
    record->last_sync_ms = status->last_sync_ms;
    record->checked_ms = now_ms;
    judge(view);
}

/* --- printing --- */

static uint64_t ready_count(const struct connection_view *view)
{
    return view->counts.by_state[ITEM_READY] + view->counts.by_state[ITEM_BLOCKED];
}

static uint64_t under_way_count(const struct connection_view *view)
{
    return view->counts.by_state[ITEM_SENDING] + view->counts.by_state[ITEM_WAITING];
}

static void append_time(struct buf *out, int64_t time_ms, const char *none)
{
    char text[TEXT_TIME_BYTES];

    if (time_ms == 0) {
        buf_append_text(out, none);
        return;
    }
    text_from_time_ms(time_ms, text);
    buf_append_text(out, text);
}

static void append_text_member(struct buf *out, const char *name, struct slice text)
{
    buf_append_format(out, ",\"%s\":", name);
    if (text.length == 0)
        buf_append_text(out, "null");
    else
        text_append_json(out, text);
}

static void append_time_member(struct buf *out, const char *name, int64_t time_ms)
{
    char text[TEXT_TIME_BYTES] = "";

    if (time_ms != 0)
        text_from_time_ms(time_ms, text);
    append_text_member(out, name, slice_of(text));
}

static void append_json(const struct connection_view *view, struct buf *out)
{
    const struct connection_record *record = &view->record;

    buf_append_text(out, "{\"v\":1,\"connection\":");
    text_append_json(out, slice_of(view->connection->alias));
    append_text_member(out, "platform", slice_of(view->platform));
    append_text_member(out, "state", slice_of(view->state));
    append_text_member(out, "reason", record->parked_reason);
    append_time_member(out, "parked_since", record->parked_since_ms);
    append_text_member(out, "link_url", record->link_url);
    append_text_member(out, "detail", record->detail);
    append_time_member(out, "checked", record->checked_ms);
    append_time_member(out, "last_sync", record->last_sync_ms);
    buf_append_format(out, ",\"learned_rate_millis\":%u,\"learned_in_flight\":%u",
                      record->learned_rate_millis, record->learned_in_flight);
    buf_append_format(out, ",\"ready\":%llu,\"under_way\":%llu,\"in_doubt\":%llu}",
                      (unsigned long long)ready_count(view),
                      (unsigned long long)under_way_count(view),
                      (unsigned long long)view->counts.by_state[ITEM_IN_DOUBT]);
}

static void append_csv(const struct connection_view *view, struct buf *out)
{
    const struct connection_record *record = &view->record;
    const struct slice texts[] = {slice_of(view->connection->alias), slice_of(view->platform),
                                  slice_of(view->state), record->parked_reason};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        text_append_csv(out, texts[i], ',', true);
        buf_append_byte(out, ',');
    }
    append_time(out, record->parked_since_ms, "");
    buf_append_byte(out, ',');
    text_append_csv(out, record->link_url, ',', true);
    buf_append_byte(out, ',');
    text_append_csv(out, record->detail, ',', true);
    buf_append_byte(out, ',');
    append_time(out, record->checked_ms, "");
    buf_append_byte(out, ',');
    append_time(out, record->last_sync_ms, "");
    buf_append_format(out, ",%u,%u,%llu,%llu,%llu\n", record->learned_rate_millis,
                      record->learned_in_flight, (unsigned long long)ready_count(view),
                      (unsigned long long)under_way_count(view),
                      (unsigned long long)view->counts.by_state[ITEM_IN_DOUBT]);
}

static bool merchant_can_mend(const struct connection_record *record)
{
    return slice_is(record->parked_reason, "needs_update") ||
           slice_is(record->parked_reason, "disabled");
}

static void append_table(const struct connection_view *view, struct buf *out)
{
    const struct connection_record *record = &view->record;

    buf_append_format(out, "%-20s %-12s %-7s", view->connection->alias,
                      view->platform[0] == '\0' ? "-" : view->platform, view->state);
    if (record->parked_reason.length > 0) {
        buf_append_format(out, "  %.*s since ", (int)record->parked_reason.length,
                          record->parked_reason.bytes);
        append_time(out, record->parked_since_ms, "?");
    }
    if (ready_count(view) > 0)
        buf_append_format(out, "  %llu ready", (unsigned long long)ready_count(view));
    if (under_way_count(view) > 0)
        buf_append_format(out, "  %llu under way", (unsigned long long)under_way_count(view));
    if (view->counts.by_state[ITEM_IN_DOUBT] > 0)
        buf_append_format(out, "  %llu in doubt",
                          (unsigned long long)view->counts.by_state[ITEM_IN_DOUBT]);
    if (record->learned_rate_millis > 0)
        buf_append_format(out, "  learned %u.%u/s", record->learned_rate_millis / 1000,
                          record->learned_rate_millis / 100 % 10);
    if (record->learned_in_flight > 0)
        buf_append_format(out, "  %u in flight", record->learned_in_flight);
    buf_append_text(out, record->checked_ms == 0 ? "  never checked" : "  checked ");
    append_time(out, record->checked_ms, "");
    if (view->state != state_ok && record->detail.length > 0) {
        buf_append_text(out, "  ");
        text_append_printable(out, record->detail);
    }
    if (merchant_can_mend(record) && record->link_url.length > 0) {
        buf_append_text(out, "  send to the merchant: ");
        text_append_printable(out, record->link_url);
    }
    buf_append_byte(out, '\n');
}

void connection_views_append(const struct session *session, const struct connection_view *views,
                             struct buf *out)
{
    size_t count = connection_views_count(session);

    if (session->options->output == OUTPUT_CSV)
        buf_append_text(out,
                        "connection,platform,state,reason,parked_since,link_url,detail,checked,"
                        "last_sync,learned_rate_millis,learned_in_flight,ready,under_way,"
                        "in_doubt\n");
    for (size_t i = 0; i < count; i++) {
        switch (session->options->output) {
        case OUTPUT_TABLE:
            append_table(&views[i], out);
            break;
        case OUTPUT_CSV:
            append_csv(&views[i], out);
            break;
        case OUTPUT_JSON:
            buf_append_text(out, i == 0 ? "[\n" : ",\n");
            append_json(&views[i], out);
            break;
        case OUTPUT_NDJSON:
            append_json(&views[i], out);
            buf_append_byte(out, '\n');
            break;
        }
    }
    if (session->options->output == OUTPUT_JSON)
        buf_append_text(out, "\n]\n");
}

int connection_views_exit_status(const struct session *session, const struct connection_view *views)
{
    int exit_status = EXIT_DONE;

    for (size_t i = 0; i < connection_views_count(session); i++) {
        if (views[i].is_refused)
            return EXIT_CREDENTIALS;
        if (views[i].state == state_parked || (views[i].asked && views[i].state == state_unknown))
            exit_status = EXIT_SOME_FAILED;
    }
    return exit_status;
}
