/* purser schedule next SPEC, purser schedule log SPEC
 *
 * Promise: both only read. */
#include <string.h>

#include "purser/base/moment.h"
#include "purser/cli/schedule.h"
#include "purser/io/clock.h"

enum { NEXT_DEFAULT = 5, LOG_DEFAULT = 20, NOTE_BYTES = 64, OUT_BYTES_MAX = 16 * 1024 * 1024 };

const char help_schedule_next[] =
    "usage: purser schedule next SPEC [options]\n\n"
    "  purser schedule next invoices.yaml\n"
    "  purser schedule next invoices.yaml -n 20 --from 2026-10-24T00:00Z\n\n"
    "The next slots of the schedule: in UTC, and what the clocks of its zone show\n"
    "then.\n\n"
    "  -n N               so many (default 5)\n"
    "  --from TIME        those after this time (default: now), as\n"
    "                     2026-10-24T02:00+02:00\n"
    "  --output json      one object on stdout\n";

const char help_schedule_log[] =
    "usage: purser schedule log SPEC [options]\n\n"
    "  purser schedule log invoices.yaml -n 100\n\n"
    "What became of each slot, the latest first. Slots in a row that met one fate are\n"
    "one line.\n\n"
    "  -n N               so many lines (default 20)\n"
    "  --output json      one object on stdout\n"
    "  --state DIR        where the ledgers are\n";

static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

static void append_slot(struct buf *out, const struct schedule_slot *slot, bool json, bool first)
{
    char utc[MOMENT_BYTES], local[MOMENT_BYTES], note[NOTE_BYTES];
    int64_t days = (slot->due_s + slot->offset_s) / 86400; /* TIMES before 1970 are refused */

    moment_print(slot->due_s, 0, utc);
    moment_print(slot->due_s, slot->offset_s, local);
    (void)schedule_note(slot, note, sizeof note);
    if (json) {
        buf_append_format(out, "%s{\"slot\":\"%s\",\"local\":\"%s\",\"note\":", first ? "" : ",",
                          utc, local);
        if (note[0] != '\0')
            text_append_json(out, slice_of(note));
        else
            buf_append_text(out, "null");
        buf_append_byte(out, '}');
        return;
    }
    buf_append_format(out, "%s  %s %s%s%s\n", utc, weekdays[(days + 4) % 7], local,
                      note[0] != '\0' ? "  " : "", note);
}

static enum err_code print_next(struct session *session, struct err *err)
{
    const struct options *options = session->options;
    const struct spec_schedule *schedule = &session->spec.schedule;
    bool json = options->output != OUTPUT_TABLE;
    uint32_t count = options->schedule.count != 0 ? options->schedule.count : NEXT_DEFAULT;
    int64_t at_s = options->schedule.has_now ? options->schedule.now_s : clock_wall_ms() / 1000;
    struct buf out;
    enum err_code code;

    if (at_s < 0)
        return err_set(err, ERR_INPUT, "--from is before 1970");
    buf_init(&out, OUT_BYTES_MAX);
    if (json) {
        buf_append_text(&out, "{\"v\":1,\"spec\":");
        text_append_json(&out, slice_of(session->spec.name));
        buf_append_text(&out, ",\"cron\":");
        text_append_json(&out, slice_of(schedule->cron_text));
        buf_append_text(&out, ",\"timezone\":");
        text_append_json(&out, slice_of(schedule->timezone));
        buf_append_text(&out, ",\"next\":[");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct schedule_slot slot = schedule_next(&schedule->cron, session->zone, at_s);

        append_slot(&out, &slot, json, i == 0);
        at_s = slot.due_s;
    }
    if (json)
        buf_append_text(&out, "]}\n");
    code = print_out(&out, err);
    buf_deinit(&out);
    return code;
}

static enum err_code run_next(struct session *session, int *exit_status_out, struct err *err)
{
    (void)exit_status_out;
    if (session_load_spec(session, err) != ERR_OK || schedule_require(session, err) != ERR_OK)
        return err->code;
    return print_next(session, err);
}

int schedule_next_command(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_NEXT | ALLOW_COUNT,
                       run_next);
}

/* --- log --- */

static void append_record_json(struct buf *out, int64_t first_s, const struct slot_record *slot)
{
    char first[MOMENT_BYTES], last[MOMENT_BYTES];

    moment_print(first_s, 0, first);
    moment_print(slot->last_s, 0, last);
    buf_append_format(out, "{\"slot\":\"%s\",\"last\":\"%s\",\"count\":%llu,\"fate\":\"%s\"", first,
                      last, (unsigned long long)slot->count, slot_fate_code(slot->fate));
    if (slot->run != 0)
        buf_append_format(out, ",\"run\":%u", slot->run);
    else
        buf_append_text(out, ",\"run\":null");
    if (slot->fate == SLOT_RAN)
        buf_append_format(out, ",\"exit_code\":%d}", (int)slot->exit_status);
    else
        buf_append_text(out, ",\"exit_code\":null}");
}

static void append_record(struct buf *out, int64_t first_s, const struct slot_record *slot)
{
    char text[MOMENT_BYTES];

    moment_print(first_s, 0, text);
    buf_append_text(out, text);
    if (slot->count > 1) {
        moment_print(slot->last_s, 0, text);
        buf_append_format(out, " to %s (%llu slots)", text, (unsigned long long)slot->count);
    }
    buf_append_text(out, "  ");
    if (slot->fate == SLOT_RAN && slot->run == 0)
        buf_append_format(out, "nothing was sent, exit status %d", (int)slot->exit_status);
    else if (slot->fate == SLOT_RAN)
        buf_append_format(out, "ran in run %u, exit status %d", slot->run, (int)slot->exit_status);
    else if (slot->fate == SLOT_RUN_WENT_ON)
        buf_append_format(out, "skipped, run %u went on", slot->run);
    else
        buf_append_text(out, slot_fate_meaning(slot->fate));
    buf_append_byte(out, '\n');
}

enum err_code schedule_append_status(struct session *session, struct buf *out, bool json,
                                     struct err *err)
{
    const struct spec_schedule *schedule = &session->spec.schedule;
    struct slot_record slot;
    int64_t first_s;
    enum err_code code;
    bool found;

    if (schedule->cron_text == NULL)
        return ERR_OK;
    code = session->ledger->ops->slot_before(session->ledger, INT64_MAX, &first_s, &slot, err);
    found = code == ERR_OK;
    if (!found && code != ERR_NOT_FOUND)
        return code;
    if (json) {
        buf_append_text(out, ",\"schedule\":{\"cron\":");
        text_append_json(out, slice_of(schedule->cron_text));
        buf_append_text(out, ",\"timezone\":");
        text_append_json(out, slice_of(schedule->timezone));
        buf_append_text(out, ",\"last\":");
        if (found)
            append_record_json(out, first_s, &slot);
        else
            buf_append_text(out, "null");
        buf_append_byte(out, '}');
        return ERR_OK;
    }
    buf_append_format(out, "  schedule %s %s: ", schedule->cron_text, schedule->timezone);
    if (found)
        append_record(out, first_s, &slot);
    else
        buf_append_text(out, "no slot has come\n");
    return ERR_OK;
}

static enum err_code print_log(struct session *session, struct err *err)
{
    struct ledger *ledger = session->ledger;
    bool json = session->options->output != OUTPUT_TABLE;
    uint32_t left = session->options->schedule.count;
    int64_t before_s = INT64_MAX;
    struct slot_record slot;
    struct buf out;
    enum err_code code = ERR_OK;
    bool first = true;

    buf_init(&out, OUT_BYTES_MAX);
    if (json) {
        buf_append_text(&out, "{\"v\":1,\"spec\":");
        text_append_json(&out, slice_of(session->spec.name));
        buf_append_text(&out, ",\"slots\":[");
    }
    for (left = left != 0 ? left : LOG_DEFAULT; left > 0 && code == ERR_OK; left--) {
        code = ledger->ops->slot_before(ledger, before_s, &before_s, &slot, err);
        if (code != ERR_OK)
            break;
        if (json && !first)
            buf_append_byte(&out, ',');
        first = false;
        if (json)
            append_record_json(&out, before_s, &slot);
        else
            append_record(&out, before_s, &slot);
    }
    if (json)
        buf_append_text(&out, "]}\n");
    else if (first && !session->options->quiet)
        print_talk("%s: no slot is accounted for; `purser schedule tick` begins with it",
                   session->spec.name);
    if (code == ERR_OK || code == ERR_NOT_FOUND)
        code = print_out(&out, err);
    buf_deinit(&out);
    return code;
}

static enum err_code run_log(struct session *session, int *exit_status_out, struct err *err)
{
    enum err_code code = session_open(session, err);

    (void)exit_status_out;
    return code == ERR_OK ? print_log(session, err) : code;
}

int schedule_log_command(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_COUNT, run_log);
}
