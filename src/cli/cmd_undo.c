/* purser undo SPEC --run N
 *
 * Promises: reverses what run N has written and what is as that run left it, in reverse order of
 * dependency; nothing twice, by the same ledger and the same rules as any write; says of everything
 * else why it still stands. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/comparison.h"
#include "purser/cli/run.h"
#include "purser/cli/schedule.h"
#include "purser/cli/undo.h"
#include "purser/engine/undo.h"
#include "purser/io/clock.h"
#include "purser/io/signals.h"

const char help_undo[] =
    "usage: purser undo SPEC --run N [options]\n\n"
    "  purser undo catalogue.yaml --run 12 --dry-run     what would be reversed\n"
    "  purser undo catalogue.yaml --run 12\n"
    "  purser undo catalogue.yaml --run 12 --dry-run --output ndjson\n\n"
    "Sends the `undo:` of the job for every item that run N has written and that is\n"
    "as that run left it: what was made last goes first, and an item stays while\n"
    "something that was made from it still stands. What was written again since is\n"
    "kept. Each run tells its number. Undos are items as well (job JOB:undo, key\n"
    "KEY#GENERATION): never sent twice, taken up again after a crash by the same\n"
    "command, shown by items and explain. Afterwards the item is cancelled with the\n"
    "reason undone: `run` leaves it alone, `retry` writes it anew. A DELETE that is\n"
    "answered with 410 has deleted nothing, for it was gone before: the reason is\n"
    "undo_found_nothing. A 404 says the same when another undo of the job has\n"
    "succeeded there; else it may mean that the platform cannot delete it, and\n"
    "nothing is concluded.\n\n"
    "  --run N            the run whose writes are reversed\n"
    "  --dry-run          show it, send nothing, write nothing\n"
    "  --wait DURATION    stop after this long; exit status 75 when not finished\n"
    "  --grace DURATION   after Ctrl-C or SIGTERM, time for what is on the wire\n"
    "                     (default 30s)\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --output FORMAT    table, json, or ndjson: a line an item\n"
    "  --state DIR        where the ledgers are\n"
    "  --quiet, -v, -vv   less talk, more talk\n\n"
    "Exit statuses as of run; 3 also when something of the run could not be reversed.\n";

enum { OUT_BYTES_MAX = 32 * 1024 * 1024, SHOWN_MAX = 20 };

struct undo {
    struct run run;
    struct undo_plan plan;
    struct importer importer;
    struct spec spec;  /* the session's, with the undos as its jobs */
    size_t *indices;   /* of those: of the job in the session's spec */
    uint32_t *numbers; /* in the ledger */
    uint64_t counts[UNDO_BUCKET_COUNT];
    uint64_t shown;               /* of this pass */
    struct engine_progress total; /* of all stages */
    bool stopped;
    struct buf out;
};

/* --- showing --- */

static bool is_worth_a_line(enum undo_bucket bucket)
{
    return bucket != UNDO_TO_REVERSE && bucket != UNDO_REVERSED;
}

static void append_line(struct undo *undo, const struct undo_view *view)
{
    const struct spec *spec = &undo->run.session->spec;

    if (!is_worth_a_line(view->bucket) || undo->shown++ >= SHOWN_MAX)
        return;
    buf_append_format(&undo->out, "  %s/", spec->jobs[view->job_index].name);
    text_append_printable(&undo->out, view->key);
    buf_append_format(&undo->out, "  %s", undo_bucket_name(view->bucket));
    if (view->detail[0] != '\0') {
        buf_append_text(&undo->out, ": ");
        text_append_printable(&undo->out, slice_of(view->detail));
    }
    buf_append_byte(&undo->out, '\n');
}

static void append_ndjson(struct undo *undo, const struct undo_view *view)
{
    struct session *session = undo->run.session;
    const char *alias =
        session->ledger->ops->connection_name(session->ledger, view->item.connection);

    buf_append_text(&undo->out, "{\"v\":1,\"job\":");
    text_append_json(&undo->out, slice_of(session->spec.jobs[view->job_index].name));
    buf_append_text(&undo->out, ",\"connection\":");
    text_append_json(&undo->out, slice_of(alias == NULL ? "?" : alias));
    buf_append_text(&undo->out, ",\"key\":");
    text_append_json(&undo->out, view->key);
    buf_append_format(&undo->out,
                      ",\"generation\":%u,\"undo\":\"%s\",\"detail\":", view->item.generation,
                      undo_bucket_name(view->bucket));
    text_append_json(&undo->out, slice_of(view->detail));
    buf_append_text(&undo->out, "}\n");
}

static enum err_code show(void *context, const struct undo_view *view, struct err *err)
{
    struct undo *undo = context;
    enum err_code code;

    undo->counts[view->bucket]++;
    if (undo->run.session->options->output == OUTPUT_TABLE)
        append_line(undo, view);
    if (undo->run.session->options->output != OUTPUT_NDJSON)
        return ERR_OK;
    append_ndjson(undo, view);
    code = print_out(&undo->out, err);
    buf_clear(&undo->out);
    return code;
}

/* All jobs, each before those that it needs. */
static enum err_code look(struct undo *undo, undo_view_fn *fn, struct err *err)
{
    const struct spec *spec = &undo->run.session->spec;

    memset(undo->counts, 0, sizeof undo->counts);
    undo->shown = 0;
    undo_plan_restart(&undo->plan);
    for (size_t i = spec->job_count; i-- > 0;)
        if (undo_plan_job(&undo->plan, spec->job_order[i], fn, undo, err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

static enum err_code count_only(void *context, const struct undo_view *view, struct err *err)
{
    struct undo *undo = context;

    (void)err;
    undo->counts[view->bucket]++;
    return ERR_OK;
}

static enum err_code print_table(struct undo *undo, struct err *err)
{
    struct buf lines = undo->out;
    enum err_code code;

    if (undo->run.session->options->output != OUTPUT_TABLE)
        return ERR_OK;
    buf_init(&undo->out, OUT_BYTES_MAX);
    for (int bucket = 0; bucket < UNDO_BUCKET_COUNT; bucket++)
        if (undo->counts[bucket] > 0)
            buf_append_format(&undo->out, "%8llu %-13s %s\n",
                              (unsigned long long)undo->counts[bucket],
                              undo_bucket_name((enum undo_bucket)bucket),
                              undo_bucket_meaning((enum undo_bucket)bucket));
    if (undo->out.length == 0)
        buf_append_format(&undo->out, "run %u has written nothing\n", undo->plan.run);
    buf_append(&undo->out, buf_text(&lines), lines.length);
    if (undo->shown > SHOWN_MAX)
        buf_append_format(&undo->out, "  … and %llu more; --output ndjson lists all\n",
                          (unsigned long long)(undo->shown - SHOWN_MAX));
    code = print_out(&undo->out, err);
    buf_deinit(&lines);
    buf_clear(&undo->out);
    return code;
}

static enum err_code print_json(struct undo *undo, int exit_status, struct err *err)
{
    const struct session *session = undo->run.session;

    if (session->options->output != OUTPUT_JSON)
        return ERR_OK;
    buf_clear(&undo->out);
    buf_append_text(&undo->out, "{\"v\":1,\"spec\":");
    text_append_json(&undo->out, slice_of(session->spec.name));
    if (!session->options->schedule.dry_run)
        buf_append_format(&undo->out, ",\"run\":%u", undo->run.number);
    buf_append_format(&undo->out, ",\"undo_of\":%u,\"dry_run\":%s,\"exit_code\":%d,\"items\":{",
                      undo->plan.run, session->options->schedule.dry_run ? "true" : "false",
                      exit_status);
    for (int bucket = 0; bucket < UNDO_BUCKET_COUNT; bucket++)
        buf_append_format(&undo->out, "%s\"%s\":%llu", bucket == 0 ? "" : ",",
                          undo_bucket_name((enum undo_bucket)bucket),
                          (unsigned long long)undo->counts[bucket]);
    buf_append_format(&undo->out, "},\"sent\":%llu}\n", (unsigned long long)undo->total.sent);
    return print_out(&undo->out, err);
}

/* --- sending --- */

/* The undos of the spec as jobs, so that they are driven as any other. */
static enum err_code describe_undos(struct undo *undo, struct err *err)
{
    struct session *session = undo->run.session;
    const struct spec *spec = &session->spec;
    struct spec_job *jobs = arena_new(&session->arena, spec->job_count + 1, sizeof *jobs);

    undo->indices = arena_new(&session->arena, spec->job_count + 1, sizeof *undo->indices);
    undo->numbers = arena_new(&session->arena, spec->job_count, sizeof *undo->numbers);
    if (jobs == NULL || undo->indices == NULL || undo->numbers == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the undos of the spec");
    undo->spec = *spec;
    undo->spec.jobs = jobs;
    undo->spec.job_count = 0;
    undo->spec.max_failures = (struct max_failures){0};
    for (size_t i = 0; i < spec->job_count; i++) {
        undo->numbers[i] = UINT32_MAX;
        if (spec->jobs[i].undo == NULL)
            continue;
        undo->indices[undo->spec.job_count] = i;
        jobs[undo->spec.job_count++] = *spec->jobs[i].undo;
        if (session->ledger->ops->job_number(session->ledger, spec->jobs[i].undo->name,
                                             &undo->numbers[i], err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

/* Ends the item if its undo has ended, and nobody has told the item so far: after a crash, a
 * person's word, or a 404 that is believed by now. */
static enum err_code settle(void *context, const struct undo_view *view, struct err *err)
{
    struct undo *undo = context;
    struct ledger *ledger = undo->run.session->ledger;
    const struct spec_job *job = undo->run.session->spec.jobs[view->job_index].undo;
    char storage[ITEM_KEY_BYTES_MAX + 1];
    struct frozen_request own;

    if (!view->has_own || view->item.state != ITEM_SUCCEEDED ||
        (view->bucket != UNDO_REVERSED && view->bucket != UNDO_FOUND_NOTHING))
        return ERR_OK;
    own = (struct frozen_request){.method = job->method,
                                  .key = undo_key(view->key, view->item.generation, storage)};
    return undo_settle(ledger, view->item.job, &view->own, &own, undo->importer.now_ms, err);
}

/* Puts the undo of an item into the ledger, ready. */
static enum err_code prepare(void *context, const struct undo_view *view, struct err *err)
{
    struct undo *undo = context;
    const struct spec_job *job = undo->run.session->spec.jobs[view->job_index].undo;
    char storage[ITEM_KEY_BYTES_MAX + 1];
    struct slice key;

    if (settle(undo, view, err) != ERR_OK)
        return err->code;
    if (view->bucket != UNDO_TO_REVERSE)
        return ERR_OK;
    key = undo_key(view->key, view->item.generation, storage);
    return import_undo(&undo->importer,
                       &(struct import_row){.job = undo->numbers[view->job_index],
                                            .connection = view->item.connection,
                                            .key = key,
                                            .method = job->method,
                                            .path = view->path,
                                            .body = view->body,
                                            .source_file = view->frozen.source_file,
                                            .source_line = view->frozen.source_line,
                                            .condition = true,
                                            .job_index = view->job_index},
                       err);
}

static void add_progress(struct engine_progress *total, const struct engine_progress *stage)
{
    struct engine_progress sum = *stage;

    sum.sent += total->sent;
    sum.polls += total->polls;
    sum.throttled += total->throttled;
    sum.retried += total->retried;
    *total = sum;
}

static enum err_code drive(struct undo *undo, struct err *err)
{
    struct session *session = undo->run.session;
    struct spec own = session->spec;
    enum err_code code;

    undo->run.progress = (struct engine_progress){0};
    session->spec = undo->spec;
    code = run_engine(&undo->run, err);
    session->spec = own;
    add_progress(&undo->total, &undo->run.progress);
    undo->run.progress = undo->total;
    undo->stopped = undo->run.stop_signal != 0 || undo->total.stop != STOP_NONE ||
                    undo->total.parked_connections > 0;
    return code;
}

/* What was made last goes first; a job waits until the undos of those that need it have ended. */
static enum err_code send_all(struct undo *undo, struct err *err)
{
    const struct spec *spec = &undo->run.session->spec;
    struct undo_plan *plan = &undo->plan;

    undo_plan_restart(plan);
    for (size_t i = spec->job_count; i-- > 0 && !undo->stopped;) {
        size_t job = spec->job_order[i];

        if (spec->jobs[job].undo == NULL)
            continue;
        plan->ended = false;
        plan->planned.count = 0;
        plan->stands[job] = false;
        if (undo_plan_job(plan, job, prepare, undo, err) != ERR_OK ||
            import_commit(&undo->importer, err) != ERR_OK || drive(undo, err) != ERR_OK)
            return err->code;
        plan->ended = true;
        plan->planned.count = 0;
        plan->stands[job] = false;
        if (undo_plan_job(plan, job, settle, undo, err) != ERR_OK ||
            import_commit(&undo->importer, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

/* --- the end --- */

static int exit_status_of(const struct undo *undo)
{
    const uint64_t *counts = undo->counts;
    const struct item_counts none = {{0}};
    int by_engine = run_exit_status(&undo->total, &none);

    if (undo->run.stop_signal != 0)
        return 128 + undo->run.stop_signal;
    if (by_engine == EXIT_CREDENTIALS || by_engine == EXIT_MAX_FAILURES)
        return by_engine;
    if (counts[UNDO_TO_REVERSE] + counts[UNDO_UNDER_WAY] > 0)
        return EXIT_NOT_FINISHED;
    if (counts[UNDO_IN_DOUBT] + counts[UNDO_OWN_DOUBT] > 0)
        return EXIT_IN_DOUBT;
    return counts[UNDO_NO_UNDO] + counts[UNDO_NO_REQUEST] + counts[UNDO_REFUSED] +
                       counts[UNDO_KEPT_NEEDED] >
                   0
               ? EXIT_SOME_FAILED
               : EXIT_DONE;
}

static void tell(struct undo *undo, int exit_status)
{
    struct session *session = undo->run.session;
    const char *file = session->spec.file, *state = session_state_words(session);

    if (session->options->quiet)
        return;
    if (undo->total.stop != STOP_NONE)
        print_talk("purser: stopped: %s", undo->total.stop_text);
    if (undo->run.parked[0] != '\0')
        print_talk("%.*s", (int)strlen(undo->run.parked) - 1, undo->run.parked);
    print_talk("%s run %u: undo of run %u: %llu reversed (%llu sent, %llu polls, %.1f s)",
               session->spec.name, undo->run.number, undo->plan.run,
               (unsigned long long)undo->counts[UNDO_REVERSED],
               (unsigned long long)undo->total.sent, (unsigned long long)undo->total.polls,
               (double)(clock_boot_ms() - undo->run.started_boot_ms) / 1000.0);
    if (exit_status == EXIT_NOT_FINISHED)
        print_talk("next: purser undo %s%s --run %u goes on where this one stopped", file, state,
                   undo->plan.run);
    else if (exit_status == EXIT_IN_DOUBT)
        print_talk("next: purser items %s%s --where state=in_doubt shows them; then "
                   "purser resolve %s JOB/KEY%s --as done|not-done",
                   file, state, file, state);
    else if (undo->counts[UNDO_REVERSED] + undo->counts[UNDO_FOUND_NOTHING] > 0)
        print_talk("next: purser retry %s%s --where reason=undone and purser run would write it "
                   "anew",
                   file, state);
}

static enum err_code finish(struct undo *undo, int *exit_status_out, struct err *err)
{
    undo->plan.ended = true;
    buf_clear(&undo->out);
    if (look(undo, show, err) != ERR_OK)
        return err->code;
    *exit_status_out = exit_status_of(undo);
    if (undo->run.session->options->schedule.dry_run)
        return ERR_OK;
    if (run_put_record(&undo->run, *exit_status_out, err) != ERR_OK)
        return err->code;
    tell(undo, *exit_status_out);
    return ERR_OK;
}

static enum err_code send(struct undo *undo, int *exit_status_out, struct err *err)
{
    struct session *session = undo->run.session;

    if (look(undo, count_only, err) != ERR_OK)
        return err->code;
    if (!session->options->quiet)
        print_talk("%s: undo of run %u: %llu to be reversed", session->spec.name, undo->plan.run,
                   (unsigned long long)undo->counts[UNDO_TO_REVERSE]);
    undo->importer = (struct importer){
        .ledger = session->ledger, .run = undo->run.number, .now_ms = undo->run.started_wall_ms};
    undo->run.only_seen = true;
    if (run_put_record(&undo->run, -1, err) != ERR_OK || describe_undos(undo, err) != ERR_OK ||
        send_all(undo, err) != ERR_OK)
        return err->code;
    return finish(undo, exit_status_out, err);
}

static enum err_code open_session(struct undo *undo, struct err *err)
{
    struct session *session = undo->run.session;
    bool dry = session->options->schedule.dry_run;

    if (session_load_spec(session, err) != ERR_OK ||
        (!dry && (credentials_load(&session->spec, undo->run.credentials, &session->diagnostics,
                                   err) != ERR_OK ||
                  signals_open(&undo->run.signal_fd, err) != ERR_OK)) ||
        (dry ? session_open_ledger(session, false, err)
             : session_open_known_ledger(session, err)) != ERR_OK)
        return err->code;
    undo->run.number = session->ledger->ops->last_run(session->ledger) + 1;
    return run_slot_inherit(&undo->run, err);
}

static int run_undo(struct undo *undo)
{
    struct session *session = undo->run.session;
    struct err err = {0};
    int exit_status = EXIT_DONE;
    enum err_code code = open_session(undo, &err);

    if (code == ERR_OK) {
        code = undo_plan_open(session, (uint32_t)session->options->run, &undo->plan, &err);
        if (code == ERR_OK && session->options->schedule.dry_run)
            code = look(undo, show, &err);
        else if (code == ERR_OK)
            code = send(undo, &exit_status, &err);
        if (code == ERR_OK)
            code = print_table(undo, &err);
        if (code == ERR_OK)
            code = print_json(undo, exit_status, &err);
        undo_plan_close(&undo->plan);
    }
    if (undo->run.signal_fd != -1)
        signals_close(undo->run.signal_fd);
    return code == ERR_OK ? exit_status : session_fail(session, &err);
}

static int which_run(void)
{
    print_talk("purser undo: which run? Give --run N");
    print_talk("hint: `purser status SPEC` tells of the last one");
    return EXIT_INPUT;
}

int cmd_undo(int argc, char **argv)
{
    static struct undo undo; /* too large for the stack */
    struct options options;
    struct session session;
    struct credentials credentials = {0};
    int exit_status = options_parse(
        argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_RUN | ALLOW_UNDO, &options);

    if (exit_status != -1)
        return exit_status;
    if (options.run == 0 || options.run > UINT32_MAX)
        return which_run();
    session_init(&session, &options);
    undo.run = (struct run){.session = &session,
                            .credentials = &credentials,
                            .signal_fd = -1,
                            .started_wall_ms = clock_wall_ms(),
                            .started_boot_ms = clock_boot_ms()};
    buf_init(&undo.out, OUT_BYTES_MAX);
    exit_status = run_undo(&undo);
    buf_deinit(&undo.out);
    credentials_wipe(&credentials);
    session_deinit(&session);
    return exit_status;
}
