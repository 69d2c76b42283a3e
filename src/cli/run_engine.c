#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "purser/base/log.h"
#include "purser/cli/comparison.h"
#include "purser/cli/recall.h"
#include "purser/cli/run.h"
#include "purser/codec/spec_pace.h"
#include "purser/core/key_age.h"
#include "purser/io/api_link.h"
#include "purser/io/clock.h"
#include "purser/io/request_renderer.h"
#include "purser/io/secret_transport.h"
#include "purser/io/signals.h"

enum {
    UNREACHABLE_MS = 5 * 60 * 1000,
    REKEY_LIMIT = 5,
    MISSING_LIMIT = 5,
    MISSING_FOR_MS = 5 * 60 * 1000,
    CONNECTION_BYTES_MAX = 64 * 1024,
    PARKED_JSON_BYTES_MAX = 8 * 1024 * 1024,
    STUCK_MS = 24 * 60 * 60 * 1000,
    DOCUMENTED_MILLIS = 45 * 1000,     /* a tenth under 500 requests in 10 s */
    UNKNOWN_START_MILLIS = 200 * 1000, /* doubles each second until the first 429 */
    AUTO_BURST = 10,
};

/* What runs beside the engine. */
struct machinery {
    struct api_link link;
    struct secret_transport *secrets; /* NULL = no job has any */
    struct loop_watch *signal_watch, *ledger_watch;
    struct engine *engine;
    struct request_renderer renderer;
    struct engine_connection *connections;
    struct engine_job *jobs;
};

static struct engine_now read_clocks(void)
{
    return (struct engine_now){.wall_ms = clock_wall_ms(), .boot_ms = clock_boot_ms()};
}

static void set_failures(const struct max_failures *from, uint64_t *max_out,
                         uint32_t *millionth_out)
{
    *max_out = from->set && !from->is_share ? from->count : UINT64_MAX;
    *millionth_out = from->set && from->is_share ? from->share_millionth : 0;
}

/* When the first so many items of a job are all refused, the job is wrong and stops. A limit that
 * the spec gives comes before it. */
static uint32_t refusals_max(const struct max_failures *given, uint64_t ready)
{
    enum { LEAST = 10, MOST = 100, SHARE = 20 };

    if (given->set)
        return 0;
    if (ready / SHARE < LEAST)
        return LEAST;
    return ready / SHARE > MOST ? MOST : (uint32_t)(ready / SHARE);
}

/* In words, and whether the merchant's link is of use. */
static const char *meaning_of_parked(const char *reason, bool *has_link_out)
{
    static const struct {
        const char *reason, *meaning;
        bool has_link;
    } meanings[] = {{"needs_update", "the merchant must sign in to the platform again", true},
                    {"disabled", "the connection is disabled", true},
                    {"not_ready", "its first synchronisation is not finished", false},
                    {"not_allowed", "the API does not allow this to it", false},
                    {"unauthorized", "the API refused its access token", false},
                    {"other_platform",
                     "its access token is of a connection to another platform than the spec says",
                     false}};

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (strcmp(meanings[i].reason, reason) != 0)
            continue;
        *has_link_out = meanings[i].has_link;
        return meanings[i].meaning;
    }
    *has_link_out = false;
    return reason;
}

/* As many as have room are named. */
static void tell_parked(struct run *run, const char *alias, const struct engine_learned *learned)
{
    size_t length = strlen(run->parked);
    bool has_link;
    const char *meaning = meaning_of_parked(learned->parked_reason, &has_link);

    has_link = has_link && learned->link_url[0] != '\0';
    if ((size_t)snprintf(run->parked + length, sizeof run->parked - length,
                         "purser: %s is parked: %s%s%s\n", alias, meaning, has_link ? ": " : "",
                         has_link ? learned->link_url : "") >= sizeof run->parked - length)
        run->parked[length] = '\0';
}

static void append_parked_json(struct buf *out, const char *alias,
                               const struct engine_learned *learned)
{
    buf_append_text(out, out->length == 0 ? "{\"connection\":" : ",{\"connection\":");
    text_append_json(out, slice_of(alias));
    buf_append_text(out, ",\"reason\":");
    text_append_json(out, slice_of(learned->parked_reason));
    buf_append_text(out, ",\"link_url\":");
    if (learned->link_url[0] == '\0')
        buf_append_text(out, "null");
    else
        text_append_json(out, slice_of(learned->link_url));
    buf_append_byte(out, '}');
}

/* For the next run, and for `status`; durable with the record of the run. What this run had no
 * reason to ask stays as it was known. */
static enum err_code remember(struct run *run, const struct machinery *machinery, struct err *err)
{
    struct ledger *ledger = run->session->ledger;
    enum err_code code = ERR_OK;
    struct buf storage, json;

    buf_init(&storage, CONNECTION_BYTES_MAX);
    buf_init(&json, PARKED_JSON_BYTES_MAX);
    for (size_t i = 0; i < run->session->spec.connection_count && code == ERR_OK; i++) {
        struct engine_learned learned = engine_learned(machinery->engine, i);
        uint32_t number = machinery->connections[i].number;
        struct connection_record record;

        code = recall_connection(ledger, number, NULL, &storage, &record, err);
        if (code != ERR_OK)
            break;
        record.learned_rate_millis = learned.rate_millis;
        record.learned_in_flight = learned.in_flight;
        if (learned.times.answer_ms != 0)
            record.times.answer_ms = learned.times.answer_ms;
        if (learned.times.accept_ms != 0)
            record.times.accept_ms = learned.times.accept_ms;
        if (learned.times.finish_ms != 0)
            record.times.finish_ms = learned.times.finish_ms;
        if (learned.parked_reason != NULL) {
            tell_parked(run, run->session->spec.connections[i].alias, &learned);
            append_parked_json(&json, run->session->spec.connections[i].alias, &learned);
        }
        if (learned.parked_reason != NULL || learned.checked_ms != 0) {
            struct slice reason =
                slice_of(learned.parked_reason == NULL ? "" : learned.parked_reason);

            if (!slice_equal(reason, record.parked_reason))
                record.parked_since_ms = reason.length == 0 ? 0 : learned.parked_ms;
            record.parked_reason = reason;
            record.link_url = slice_of(learned.link_url);
            record.detail = slice_of(learned.detail);
            record.checked_ms = learned.checked_ms;
            record.last_sync_ms = learned.last_sync_ms;
        }
        code = ledger->ops->put_connection(ledger, number, &record, err);
    }
    if (json.length > 0 && json.failed == ERR_OK)
        run->parked_json = arena_copy_text(&run->session->arena, json.bytes, json.length);
    buf_deinit(&json);
    buf_deinit(&storage);
    return code;
}

static enum err_code describe_connections(struct run *run, struct machinery *machinery,
                                          const uint32_t *numbers, struct err *err)
{
    const struct spec *spec = &run->session->spec;
    struct connection_record record;
    struct buf storage;
    enum err_code code = ERR_OK;

    machinery->connections =
        arena_new(&run->session->arena, spec->connection_count, sizeof *machinery->connections);
    if (machinery->connections == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu connections", spec->connection_count);
    buf_init(&storage, CONNECTION_BYTES_MAX);
    for (size_t i = 0; i < spec->connection_count && code == ERR_OK; i++) {
        struct engine_connection *to = &machinery->connections[i];

        *to = (struct engine_connection){.alias = spec->connections[i].alias,
                                         .number = numbers[i],
                                         .pace = spec_connection_pace(&spec->connections[i].rate),
                                         .in_flight = spec->connections[i].in_flight,
                                         .asks_status = !spec->connections[i].has_no_token,
                                         .platform = spec->connections[i].platform};
        code =
            recall_connection(run->session->ledger, numbers[i], to->alias, &storage, &record, err);
        to->learned_rate_millis = record.learned_rate_millis;
        to->learned_in_flight = record.learned_in_flight;
    }
    buf_deinit(&storage);
    return code;
}

static enum err_code describe_jobs(struct run *run, struct machinery *machinery,
                                   const uint32_t *numbers, struct err *err)
{
    const struct spec *spec = &run->session->spec;

    machinery->jobs = arena_new(&run->session->arena, spec->job_count, sizeof *machinery->jobs);
    if (machinery->jobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu jobs", spec->job_count);
    for (size_t i = 0; i < spec->job_count; i++) {
        const struct spec_job *job = &spec->jobs[i];
        struct engine_job *to = &machinery->jobs[i];
        struct item_counts counts;

        if (run->session->ledger->ops->counts(run->session->ledger, numbers[i], UINT32_MAX, &counts,
                                              err) != ERR_OK)
            return err->code;
        *to = (struct engine_job){
            .name = job->name,
            .number = numbers[i],
            .operation = job->operation,
            .repeat = spec_job_repeat(job),
            .policy = {.attempt_limit = job->retry.attempts,
                       .rekey_limit = REKEY_LIMIT,
                       .first_delay_ms = job->retry.first_delay_ms,
                       .max_delay_ms = job->retry.max_delay_ms,
                       .key_window_ms = key_age_repeat_max_ms(spec->key_window_ms),
                       .give_up_ms = job->retry.give_up_after_ms,
                       .missing_limit = MISSING_LIMIT,
                       .stuck_ms = STUCK_MS,
                       .missing_for_ms = MISSING_FOR_MS}};
        set_failures(&job->max_failures, &to->failures_max, &to->failures_millionth);
        to->refusals_max = refusals_max(&job->max_failures, counts.by_state[ITEM_READY]);
        to->undoes = job->undoes != NULL;
        if (to->undoes &&
            run->session->ledger->ops->job_number(run->session->ledger, job->undoes->name,
                                                  &to->undone_job, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static struct transport *transport_of(const struct machinery *machinery)
{
    return machinery->secrets == NULL ? machinery->link.transport
                                      : secret_transport_port(machinery->secrets);
}

static enum err_code open_engine(struct run *run, struct machinery *machinery, struct err *err)
{
    const struct spec *spec = &run->session->spec;
    struct engine_options options = {.spec_name = spec->name,
                                     .base_origin = machinery->link.origin,
                                     .pace = spec_organisation_pace(&spec->api),
                                     .in_flight = spec->api.in_flight,
                                     .outstanding = spec->api.outstanding,
                                     .item_limit = run->session->options->limit,
                                     .canary = run->session->options->canary,
                                     .timeout_ms = spec->api.exchange_timeout_ms,
                                     .unreachable_ms = UNREACHABLE_MS,
                                     .run = run->number,
                                     .only_seen = run->only_seen,
                                     .boot = clock_boot(),
                                     .lost_since_ms = lmdb_ledger_lost_since_ms(run->session->lmdb),
                                     .seed = (uint64_t)run->started_wall_ms ^ (uint64_t)getpid()
                                                                                  << 40,
                                     .connection_count = spec->connection_count,
                                     .job_count = spec->job_count};
    const uint32_t *connections, *jobs;

    if (comparison_numbers(run->session, true, &connections, &jobs, err) != ERR_OK ||
        describe_connections(run, machinery, connections, err) != ERR_OK ||
        describe_jobs(run, machinery, jobs, err) != ERR_OK)
        return err->code;
    set_failures(&spec->max_failures, &options.failures_max, &options.failures_millionth);
    options.connections = machinery->connections;
    if (run->intake != NULL) {
        request_renderer_init(&machinery->renderer, run->intake);
        options.renderer = &machinery->renderer.port;
    }
    options.jobs = machinery->jobs;
    return engine_new(&options, run->session->ledger, transport_of(machinery), read_clocks(),
                      &machinery->engine, err);
}

/* The turn looks at everything anyway; waking up is all that is needed. */
static void on_ledger_ready(void *context, int fd, int ready)
{
    uint64_t forgotten;

    (void)context;
    (void)ready;
    if (read(fd, &forgotten, sizeof forgotten) == -1)
        return;
}

static void on_signal_ready(void *context, int fd, int ready)
{
    (void)context;
    (void)fd;
    (void)ready;
}

static enum err_code open_all(struct run *run, struct machinery *machinery, struct err *err)
{
    if (api_link_open(&run->session->spec, run->credentials, run->session->directory.path,
                      &machinery->link, err) != ERR_OK ||
        (secret_transport_is_needed(&run->session->spec) &&
         secret_transport_open(&run->session->spec, run->credentials, machinery->link.transport,
                               &machinery->secrets, err) != ERR_OK) ||
        open_engine(run, machinery, err) != ERR_OK ||
        loop_watch_add(machinery->link.loop, lmdb_ledger_event_fd(run->session->lmdb), LOOP_READ,
                       on_ledger_ready, NULL, &machinery->ledger_watch, err) != ERR_OK ||
        loop_watch_add(machinery->link.loop, run->signal_fd, LOOP_READ, on_signal_ready, NULL,
                       &machinery->signal_watch, err) != ERR_OK)
        return err->code;
    return ERR_OK;
}

static void close_all(struct machinery *machinery)
{
    engine_free(machinery->engine);
    secret_transport_close(machinery->secrets);
    if (machinery->ledger_watch != NULL)
        loop_watch_remove(machinery->ledger_watch);
    if (machinery->signal_watch != NULL)
        loop_watch_remove(machinery->signal_watch);
    api_link_close(&machinery->link);
}

/* The first signal drains, the second ends at once. False = end now. */
static bool take_signals(struct run *run, struct machinery *machinery, int64_t boot_ms,
                         bool *draining)
{
    int number = signals_take(run->signal_fd);

    if (number == 0)
        return true;
    if (*draining) {
        run->stop_signal = number;
        return false;
    }
    *draining = true;
    run->was_stopped = true;
    engine_drain(machinery->engine, boot_ms + run->session->options->grace_ms);
    if (!run->session->options->quiet)
        print_talk(
            "purser: stopping: what is on the wire is finished first (at most %lld s); press "
            "again to stop now, nothing is lost",
            (long long)(run->session->options->grace_ms / 1000));
    return true;
}

static enum err_code turn_until_ended(struct run *run, struct machinery *machinery,
                                      struct progress_line *line, uint64_t done_before,
                                      struct err *err)
{
    bool draining = false;

    for (;;) {
        struct engine_now now = read_clocks();
        int64_t wake_ms, wait_ms;

        if (!take_signals(run, machinery, now.boot_ms, &draining))
            return ERR_OK;
        if (!draining && run->session->options->wait_ms != INT64_MAX &&
            now.boot_ms - run->started_boot_ms >= run->session->options->wait_ms) {
            draining = true;
            engine_drain(machinery->engine, now.boot_ms + run->session->options->grace_ms);
            if (!run->session->options->quiet)
                print_talk("purser: stopping: the time given by --wait is over");
        }
        if (engine_turn(machinery->engine, now, &wake_ms, err) != ERR_OK)
            return err->code;
        run->progress = *engine_progress(machinery->engine);
        progress_line_show(line, &run->progress, done_before, now.boot_ms);
        if (run->progress.phase == ENGINE_ENDED)
            return ERR_OK;
        wait_ms = wake_ms - now.boot_ms;
        if (wait_ms > 100) /* for the progress line and --wait */
            wait_ms = 100;
        if (event_loop_turn(machinery->link.loop, wait_ms < 0 ? 0 : wait_ms, err) != ERR_OK)
            return err->code;
    }
}

static uint64_t open_count(const struct item_counts *counts)
{
    return counts->by_state[ITEM_BLOCKED] + counts->by_state[ITEM_READY] +
           counts->by_state[ITEM_SENDING] + counts->by_state[ITEM_WAITING];
}

enum err_code run_engine(struct run *run, struct err *err)
{
    struct machinery machinery = {0};
    struct progress_line *line;
    uint64_t total = 0, open;
    enum err_code code;

    if (run->session->ledger->ops->counts(run->session->ledger, UINT32_MAX, UINT32_MAX,
                                          &run->counts, err) != ERR_OK)
        return err->code;
    open = open_count(&run->counts);
    if (open == 0) {
        run->progress.phase = ENGINE_ENDED;
        return ERR_OK;
    }
    for (int i = 0; i < ITEM_STATE_COUNT; i++)
        total += run->counts.by_state[i];
    code = open_all(run, &machinery, err);
    line = code == ERR_OK ? progress_line_new(run, total) : NULL;
    if (code == ERR_OK)
        code = turn_until_ended(run, &machinery, line, total - open, err);
    progress_line_free(line);
    if (code == ERR_OK && run->stop_signal == 0)
        code = remember(run, &machinery, err);
    /* The texts of the progress belong to the engine. */
    run->progress.parked_reason = run->progress.parked_link = NULL;
    close_all(&machinery);
    return code;
}
