#include "purser/cli/probe.h"

#include <stdio.h>
#include <string.h>

#include "purser/io/clock.h"

enum { DURATION_BYTES = 32, WORTH_TELLING_MS = 1000 };

static const char *const finding_names[] = {[PROBE_REMEMBERED] = "remembered",
                                            [PROBE_FORGOTTEN] = "forgotten",
                                            [PROBE_CONFLICT] = "conflict",
                                            [PROBE_UNCLEAR] = "unclear"};

enum err_code probe_parse_times(const char *text, struct probe *probe, struct err *err)
{
    probe->repeat_count = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        int64_t after_ms;

        if (probe->repeat_count == PROBE_REPEATS_MAX)
            return err_set(err, ERR_USAGE, "--after takes at most %d times", PROBE_REPEATS_MAX);
        if (!text_to_duration_ms((struct slice){text, length}, &after_ms) ||
            (probe->repeat_count > 0 && after_ms <= probe->after_ms[probe->repeat_count - 1]))
            return err_set(err, ERR_USAGE,
                           "--after takes rising times such as 10m,1h,12h, not '%.60s'", text);
        probe->after_ms[probe->repeat_count++] = after_ms;
        if (text[length] == '\0')
            return ERR_OK;
        text += length + 1;
    }
}

bool probe_first_is_accepted(const struct probe_answer *first)
{
    return first->event == EVENT_ACCEPTED || first->event == EVENT_DONE;
}

/* Two answers that name no remote job are the same write's when they are the same, byte for byte:
 * what a second write makes has an id of its own. */
enum probe_finding probe_compare(const struct probe_answer *first, const struct probe_answer *again)
{
    if (again->http_status == 409)
        return PROBE_CONFLICT;
    if (again->event != EVENT_ACCEPTED && again->event != EVENT_DONE)
        return PROBE_UNCLEAR;
    if (first->remote_job[0] != '\0' && again->remote_job[0] != '\0')
        return strcmp(first->remote_job, again->remote_job) == 0 ? PROBE_REMEMBERED
                                                                 : PROBE_FORGOTTEN;
    if (first->remote_job[0] != '\0' || again->remote_job[0] != '\0' || first->body.length == 0)
        return PROBE_UNCLEAR;
    return slice_equal(first->body, again->body) ? PROBE_REMEMBERED : PROBE_FORGOTTEN;
}

static enum err_code send_once(struct probe *probe, struct probe_answer *answer_out,
                               struct err *err)
{
    struct arena *arena = &probe->session->arena;
    int64_t sent_ms = clock_wall_ms();
    struct api_answer answer;
    struct reply_reading reading;
    enum err_code code;

    code = api_client_request(probe->client,
                              &(struct api_request){.connection = probe->connection,
                                                    .method = probe->job->method,
                                                    .path = probe->path,
                                                    .body = probe->body,
                                                    .idempotency_key = probe->key},
                              arena, &answer, err);
    if (code != ERR_OK)
        return code;
    *answer_out = (struct probe_answer){.sent_ms = sent_ms,
                                        .event = EVENT_LOST,
                                        .remote_job = answer.job_id,
                                        .request_id = answer.request_id,
                                        .body = answer.body,
                                        .message = answer.failure};
    if (answer.outcome != TRANSFER_ANSWERED)
        return ERR_OK;
    reading =
        reply_read(arena, &(struct reply_input){.phase = PHASE_SEND,
                                                .operation = probe->job->operation,
                                                .http_status = answer.http_status,
                                                .body = answer.body,
                                                .content_type = answer.content_type,
                                                .job_id = answer.job_id,
                                                .retry_after = "",
                                                .date = answer.date,
                                                .base_origin = api_client_origin(probe->client),
                                                .idempotency_key = probe->key,
                                                .now_ms = sent_ms});
    answer_out->http_status = answer.http_status;
    answer_out->event = reading.event.kind;
    answer_out->message = reading.message;
    if (reading.event.kind == EVENT_ACCEPTED && reading.event.remote_job != NULL)
        answer_out->remote_job = reading.event.remote_job;
    return ERR_OK;
}

static void write_duration(int64_t ms, char text_out[DURATION_BYTES])
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{24 * 60 * 60 * 1000, "d"},
                 {60 * 60 * 1000, "h"},
                 {60 * 1000, "m"},
                 {1000, "s"},
                 {1, "ms"}};
    size_t i = 0;

    while (i < sizeof units / sizeof units[0] - 1 && (ms < units[i].ms || ms % units[i].ms != 0))
        i++;
    (void)snprintf(text_out, DURATION_BYTES, "%lld%s", (long long)(ms / units[i].ms),
                   units[i].unit);
    if (ms == 0)
        (void)snprintf(text_out, DURATION_BYTES, "0s");
}

enum err_code probe_run(struct probe *probe, struct err *err)
{
    int64_t started_ms = clock_boot_ms();

    if (send_once(probe, &probe->first, err) != ERR_OK)
        return err->code;
    if (!probe_first_is_accepted(&probe->first))
        return ERR_OK;
    for (size_t i = 0; i < probe->repeat_count; i++) {
        int64_t wait_ms = started_ms + probe->after_ms[i] - clock_boot_ms();
        char after[DURATION_BYTES];

        write_duration(probe->after_ms[i], after);
        if (wait_ms >= WORTH_TELLING_MS && !probe->session->options->quiet)
            print_talk("purser: sent; the repeat follows %s after it. Ctrl-C ends the probe",
                       after);
        if ((wait_ms > 0 && api_client_wait(probe->client, wait_ms, err) != ERR_OK) ||
            send_once(probe, &probe->again[i], err) != ERR_OK)
            return err->code;
        probe->findings[i] = probe_compare(&probe->first, &probe->again[i]);
        probe->done_count++;
        if (probe->findings[i] == PROBE_FORGOTTEN)
            break;
    }
    return ERR_OK;
}

int probe_exit_status(const struct probe *probe)
{
    for (size_t i = 0; i < probe->done_count; i++)
        if (probe->findings[i] != PROBE_REMEMBERED)
            return EXIT_SOME_FAILED;
    return probe->done_count == probe->repeat_count ? EXIT_DONE : EXIT_SOME_FAILED;
}

/* --- printing --- */

static void append_text(const struct probe *probe, struct buf *out)
{
    if (!probe_first_is_accepted(&probe->first)) {
        buf_append_format(out,
                          "the first write was not accepted (HTTP %d): ", probe->first.http_status);
        text_append_printable(out, slice_of(probe->first.message));
        buf_append_text(out, "\nnothing is known about its key\n");
        return;
    }
    for (size_t i = 0; i < probe->done_count; i++) {
        const struct probe_answer *again = &probe->again[i];
        char after[DURATION_BYTES];

        write_duration(probe->after_ms[i], after);
        switch (probe->findings[i]) {
        case PROBE_REMEMBERED:
            buf_append_format(out, "remembered after %s: the first write answered again", after);
            break;
        case PROBE_FORGOTTEN:
            buf_append_format(out, "forgotten after %s: a second write was made", after);
            break;
        case PROBE_CONFLICT:
            buf_append_format(out, "409 after %s: the key is known, but not with this request",
                              after);
            break;
        case PROBE_UNCLEAR:
            buf_append_format(out, "unclear after %s (HTTP %d): ", after, again->http_status);
            text_append_printable(out, slice_of(again->message));
            break;
        }
        if (again->remote_job[0] != '\0') {
            buf_append_text(out, ", remote job ");
            text_append_printable(out, slice_of(again->remote_job));
        }
        buf_append_byte(out, '\n');
    }
    if (probe->done_count > 0 && probe->findings[probe->done_count - 1] == PROBE_FORGOTTEN)
        buf_append_text(out, "idempotency: { window: … } in the spec must be shorter than that\n");
}

static void append_answer(const struct probe_answer *answer, struct buf *out)
{
    const struct {
        const char *name;
        struct slice text;
    } members[] = {{"remote_job", slice_of(answer->remote_job)},
                   {"request_id", slice_of(answer->request_id)},
                   {"message", slice_of(answer->message)}};
    char sent[TEXT_TIME_BYTES];

    text_from_time_ms(answer->sent_ms, sent);
    buf_append_format(out, "\"sent\":\"%s\",\"http_status\":%d", sent, answer->http_status);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        buf_append_format(out, ",\"%s\":", members[i].name);
        if (members[i].text.length == 0)
            buf_append_text(out, "null");
        else
            text_append_json(out, members[i].text);
    }
}

static void append_json(const struct probe *probe, int exit_status, struct buf *out)
{
    const struct spec *spec = &probe->session->spec;

    buf_append_text(out, "{\"v\":1,\"spec\":");
    text_append_json(out, slice_of(spec->name));
    buf_append_format(out, ",\"exit_code\":%d,\"item\":", exit_status);
    text_append_json(out, slice_of(probe->item));
    buf_append_text(out, ",\"connection\":");
    text_append_json(out, slice_of(spec->connections[probe->connection].alias));
    buf_append_format(out, ",\"idempotency_key\":\"%s\",\"first\":{\"accepted\":%s,", probe->key,
                      probe_first_is_accepted(&probe->first) ? "true" : "false");
    append_answer(&probe->first, out);
    buf_append_text(out, "},\"repeats\":[");
    for (size_t i = 0; i < probe->done_count; i++) {
        buf_append_format(out, "%s{\"after_ms\":%lld,\"finding\":\"%s\",", i == 0 ? "" : ",",
                          (long long)probe->after_ms[i], finding_names[probe->findings[i]]);
        append_answer(&probe->again[i], out);
        buf_append_byte(out, '}');
    }
    buf_append_text(out, "]}\n");
}

void probe_append(const struct probe *probe, int exit_status, struct buf *out)
{
    if (probe->session->options->output == OUTPUT_TABLE)
        append_text(probe, out);
    else
        append_json(probe, exit_status, out);
}
