/* purser status SPEC
 *
 * Promises: reads only; works while a run goes on and does not slow it. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/listing.h"
#include "purser/cli/recall.h"
#include "purser/cli/schedule.h"

const char help_status[] =
    "usage: purser status SPEC [options]\n\n"
    "  purser status catalogue.yaml\n"
    "  purser status catalogue.yaml --watch           every second, until Ctrl-C\n"
    "  purser status catalogue.yaml --output json\n\n"
    "Counts by job and state, the last run, and what is in doubt and why.\n\n"
    "  --watch            print again every second\n"
    "  --output FORMAT    table or json\n"
    "  --state DIR        where the ledgers are\n";

enum { STATUS_BYTES_MAX = 4 * 1024 * 1024, WATCH_EVERY_MS = 1000 };

struct doubts {
    uint64_t by_reason[REASON_COUNT];
};

/* Only when there are doubts is the ledger walked. */
static enum err_code count_doubts(struct ledger *ledger, uint64_t expected, struct doubts *doubts,
                                  struct err *err)
{
    uint64_t number = 0, found = 0;
    struct item item;
    enum err_code code = ERR_OK;

    while (found < expected && code == ERR_OK) {
        code = ledger->ops->next_item(ledger, number, &number, &item, err);
        if (code == ERR_OK && item.state == ITEM_IN_DOUBT) {
            doubts->by_reason[item.reason]++;
            found++;
        }
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static void append_time(struct buf *out, int64_t time_ms)
{
    char text[TEXT_TIME_BYTES];

    if (time_ms == 0) {
        buf_append_text(out, "-");
        return;
    }
    text_from_time_ms(time_ms, text);
    buf_append_text(out, text);
}

static enum err_code append_jobs(struct ledger *ledger, struct buf *out, bool json, struct err *err)
{
    const char *name;

    for (uint32_t job = 0; (name = ledger->ops->job_name(ledger, job)) != NULL; job++) {
        struct item_counts counts;
        bool first = true;

        if (ledger->ops->counts(ledger, job, UINT32_MAX, &counts, err) != ERR_OK)
            return err->code;
        if (json) {
            buf_append_text(out, job == 0 ? "{\"job\":" : ",{\"job\":");
            text_append_json(out, slice_of(name));
            for (int i = 0; i < ITEM_STATE_COUNT; i++)
                buf_append_format(out, ",\"%s\":%llu", item_state_name((enum item_state)i),
                                  (unsigned long long)counts.by_state[i]);
            buf_append_byte(out, '}');
            continue;
        }
        buf_append_format(out, "  %-20s ", name);
        for (int i = 0; i < ITEM_STATE_COUNT; i++) {
            if (counts.by_state[i] == 0)
                continue;
            buf_append_format(out, "%s%llu %s", first ? "" : ", ",
                              (unsigned long long)counts.by_state[i],
                              item_state_name((enum item_state)i));
            first = false;
        }
        buf_append_text(out, first ? "no items\n" : "\n");
    }
    return ERR_OK;
}

static enum err_code append_last_run(struct ledger *ledger, struct buf *out, bool json,
                                     struct err *err)
{
    uint32_t number = ledger->ops->last_run(ledger);
    struct run_record run;
    bool found;

    if (recall_run(ledger, number, true, &run, &found, err) != ERR_OK)
        return err->code;
    if (!found && (json || number == 0)) {
        buf_append_text(out, json ? "null" : "  no run yet\n");
        return ERR_OK;
    }
    if (!found) {
        buf_append_format(out, "  run %u: its record is damaged\n", number);
        return ERR_OK;
    }
    if (json) {
        buf_append_format(out,
                          "{\"run\":%u,\"started_ms\":%lld,\"ended_ms\":%lld,\"exit_code\":%d,"
                          "\"sent\":%llu,\"polls\":%llu,\"throttled\":%llu,\"retried\":%llu}",
                          number, (long long)run.started_ms, (long long)run.ended_ms,
                          run.exit_status, (unsigned long long)run.sent,
                          (unsigned long long)run.polls, (unsigned long long)run.throttled,
                          (unsigned long long)run.retried);
        return ERR_OK;
    }
    buf_append_format(out, "  run %u: ", number);
    append_time(out, run.started_ms);
    if (run.ended_ms == 0) {
        buf_append_text(out, ", going on, or it was killed\n");
        return ERR_OK;
    }
    buf_append_text(out, " to ");
    append_time(out, run.ended_ms);
    buf_append_format(out, ", exit status %d, %llu sent, %llu polls, %llu throttled\n",
                      run.exit_status, (unsigned long long)run.sent, (unsigned long long)run.polls,
                      (unsigned long long)run.throttled);
    return ERR_OK;
}

/* What the last run learned of each connection, where there is something to say. */
static enum err_code append_connections(struct ledger *ledger, struct buf *out, bool json,
                                        struct err *err)
{
    struct connection_record record;
    enum err_code code = ERR_OK;
    struct buf storage;
    const char *alias;
    bool first = true;

    buf_init(&storage, 64 * 1024);
    for (uint32_t i = 0; (alias = ledger->ops->connection_name(ledger, i)) != NULL; i++) {
        code = recall_connection(ledger, i, alias, &storage, &record, err);
        if (code != ERR_OK)
            break;
        if (record.learned_rate_millis == 0 && record.learned_in_flight == 0 &&
            record.parked_reason.length == 0)
            continue;
        if (json) {
            buf_append_text(out, first ? "{\"connection\":" : ",{\"connection\":");
            text_append_json(out, slice_of(alias));
            buf_append_format(out,
                              ",\"learned_rate_millis\":%u,\"learned_in_flight\":%u,\"parked\":",
                              record.learned_rate_millis, record.learned_in_flight);
            text_append_json(out, record.parked_reason);
            buf_append_byte(out, '}');
            first = false;
            continue;
        }
        buf_append_format(out, "  connection %s:", alias);
        if (record.learned_rate_millis > 0)
            buf_append_format(out, " learned %.1f/s", (double)record.learned_rate_millis / 1000);
        if (record.learned_in_flight > 0)
            buf_append_format(out, " %u in flight", record.learned_in_flight);
        if (record.parked_reason.length > 0)
            buf_append_format(out, " parked by the last run: %.*s %.*s",
                              (int)record.parked_reason.length, record.parked_reason.bytes,
                              (int)record.link_url.length, record.link_url.bytes);
        buf_append_byte(out, '\n');
    }
    buf_deinit(&storage);
    return code;
}

/* Operations whose key counts because an answer has shown it. */
static void append_proven(struct ledger *ledger, struct buf *out, bool json)
{
    const char *operation;

    for (uint32_t i = 0; (operation = ledger->ops->proven_operation(ledger, i)) != NULL; i++) {
        if (!json) {
            buf_append_format(out, "  proven: %s has remote jobs, so its key counts\n", operation);
            continue;
        }
        if (i > 0)
            buf_append_byte(out, ',');
        text_append_json(out, slice_of(operation));
    }
}

static void append_doubts(const struct doubts *doubts, struct buf *out, bool json)
{
    bool first = true;

    for (int i = 0; i < REASON_COUNT; i++) {
        if (doubts->by_reason[i] == 0)
            continue;
        if (json)
            buf_append_format(out, "%s\"%s\":%llu", first ? "" : ",", reason_code((enum reason)i),
                              (unsigned long long)doubts->by_reason[i]);
        else
            buf_append_format(out, "  in doubt: %llu %s: %s\n",
                              (unsigned long long)doubts->by_reason[i], reason_code((enum reason)i),
                              reason_meaning((enum reason)i));
        first = false;
    }
}

static enum err_code append_status(struct session *session, struct buf *out, struct err *err)
{
    struct ledger *ledger = session->ledger;
    bool json = session->options->output != OUTPUT_TABLE;
    struct doubts doubts = {{0}};
    struct item_counts counts;

    if (ledger->ops->counts(ledger, UINT32_MAX, UINT32_MAX, &counts, err) != ERR_OK ||
        count_doubts(ledger, counts.by_state[ITEM_IN_DOUBT], &doubts, err) != ERR_OK)
        return err->code;
    buf_append_text(out, json ? "{\"v\":1,\"spec\":" : "");
    if (json)
        text_append_json(out, slice_of(session->spec.name));
    else
        buf_append_format(out, "%s  %s\n", session->spec.name, session->directory.path);
    if (json)
        buf_append_text(out, ",\"jobs\":[");
    if (append_jobs(ledger, out, json, err) != ERR_OK)
        return err->code;
    if (!json && counts.by_state[ITEM_BLOCKED] > 0)
        buf_append_format(out,
                          "  blocked: purser items %s%s --where state=blocked says what they wait "
                          "for\n",
                          session->spec.file, session_state_words(session));
    if (json)
        buf_append_text(out, "],\"last_run\":");
    if (append_last_run(ledger, out, json, err) != ERR_OK ||
        schedule_append_status(session, out, json, err) != ERR_OK)
        return err->code;
    if (json)
        buf_append_text(out, ",\"connections\":[");
    if (append_connections(ledger, out, json, err) != ERR_OK)
        return err->code;
    if (json)
        buf_append_text(out, "],\"proven_operations\":[");
    append_proven(ledger, out, json);
    if (json)
        buf_append_text(out, "],\"in_doubt\":{");
    append_doubts(&doubts, out, json);
    if (json)
        buf_append_text(out, "}}\n");
    return ERR_OK;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct buf out;
    enum err_code code = session_open(session, err);

    (void)exit_status_out;
    if (code != ERR_OK)
        return code;
    buf_init(&out, STATUS_BYTES_MAX);
    do {
        buf_clear(&out);
        code = append_status(session, &out, err);
        if (code == ERR_OK)
            code = print_out(&out, err);
    } while (code == ERR_OK && session->options->watch && poll(NULL, 0, WATCH_EVERY_MS) == 0);
    buf_deinit(&out);
    return code;
}

int cmd_status(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_WATCH, run);
}
