#include <stdio.h>

#include "purser/base/text.h"
#include "purser/cli/run.h"
#include "purser/io/clock.h"

enum { SUMMARY_BYTES_MAX = 9 * 1024 * 1024 };

/* What another run goes on with. When this one was not stopped, whatever is blocked waits for what
 * no run can help. */
static uint64_t unfinished_count(const struct engine_progress *progress,
                                 const struct item_counts *counts)
{
    uint64_t unsent = counts->by_state[ITEM_READY] + counts->by_state[ITEM_SENDING] +
                      counts->by_state[ITEM_WAITING];

    return progress->stop == STOP_NONE ? unsent : unsent + counts->by_state[ITEM_BLOCKED];
}

int run_exit_status(const struct engine_progress *progress, const struct item_counts *counts)
{
    if (progress->stop == STOP_CREDENTIALS || progress->parked_for_credentials)
        return EXIT_CREDENTIALS;
    if (progress->stop == STOP_MAX_FAILURES || progress->stop == STOP_CANARY ||
        progress->stopped_jobs > 0)
        return EXIT_MAX_FAILURES;
    if (unfinished_count(progress, counts) > progress->stuck)
        return EXIT_NOT_FINISHED;
    if (counts->by_state[ITEM_IN_DOUBT] > 0 || progress->stuck > 0)
        return EXIT_IN_DOUBT;
    return counts->by_state[ITEM_FAILED] > 0 || counts->by_state[ITEM_BLOCKED] > 0
               ? EXIT_SOME_FAILED
               : EXIT_DONE;
}

static uint64_t changed_count(const struct import_counts *import)
{
    return import->by_action[CONVERGE_REPLACE] + import->by_action[CONVERGE_RESEND];
}

static uint64_t kept_count(const struct import_counts *import)
{
    return import->by_action[CONVERGE_KEEP] + import->by_action[CONVERGE_FINISH_FIRST];
}

static void append_json(const struct run *run, int exit_status, struct buf *out)
{
    const struct import_counts *import = &run->import;
    uint64_t total = 0;

    for (int i = 0; i < ITEM_STATE_COUNT; i++)
        total += run->counts.by_state[i];
    buf_append_text(out, "{\"v\":1,\"spec\":");
    text_append_json(out, slice_of(run->session->spec.name));
    buf_append_format(out, ",\"run\":%u,\"exit_code\":%d,\"items\":{\"total\":%llu", run->number,
                      exit_status, (unsigned long long)total);
    for (int i = 0; i < ITEM_STATE_COUNT; i++)
        buf_append_format(out, ",\"%s\":%llu", item_state_name((enum item_state)i),
                          (unsigned long long)run->counts.by_state[i]);
    buf_append_format(
        out,
        "},\"this_run\":{\"added\":%llu,\"changed\":%llu,\"unchanged\":%llu,\"kept\":%llu,"
        "\"dropped\":%llu,\"sent\":%llu,\"polls\":%llu,\"throttled\":%llu,\"retried\":%llu}",
        (unsigned long long)(import->by_action[CONVERGE_ADD] + import->by_action[CONVERGE_SKIP]),
        (unsigned long long)changed_count(import),
        (unsigned long long)(import->by_action[CONVERGE_UNCHANGED] +
                             import->by_action[CONVERGE_CORRECTED]),
        (unsigned long long)kept_count(import), (unsigned long long)import->dropped,
        (unsigned long long)run->progress.sent, (unsigned long long)run->progress.polls,
        (unsigned long long)run->progress.throttled, (unsigned long long)run->progress.retried);
    if (run->outdated + run->outdated_corrected + run->outdated_kept > 0)
        buf_append_format(
            out, ",\"outdated\":%llu,\"outdated_corrected\":%llu,\"outdated_kept\":%llu",
            (unsigned long long)run->outdated, (unsigned long long)run->outdated_corrected,
            (unsigned long long)run->outdated_kept);
    if (run->parked_json != NULL)
        buf_append_format(out, ",\"parked\":[%s]", run->parked_json);
    if (run->progress.stopped_jobs > 0) {
        buf_append_text(out, ",\"stopped_job\":");
        text_append_json(out, slice_of(run->progress.stopped_job));
    }
    if (run->progress.stop != STOP_NONE) {
        buf_append_text(out, ",\"stopped\":");
        text_append_json(out, slice_of(run->progress.stop_text));
    }
    buf_append_format(out, ",\"elapsed_ms\":%lld}\n",
                      (long long)(clock_boot_ms() - run->started_boot_ms));
}

static void append_counts(const struct item_counts *counts, struct buf *out)
{
    bool first = true;

    for (int i = 0; i < ITEM_STATE_COUNT; i++) {
        if (counts->by_state[i] == 0)
            continue;
        buf_append_format(out, "%s%llu %s", first ? "" : ", ",
                          (unsigned long long)counts->by_state[i],
                          item_state_name((enum item_state)i));
        first = false;
    }
    if (first)
        buf_append_text(out, "no items");
}

/* The last line names the next command. */
static void append_next(const struct run *run, int exit_status, struct buf *out)
{
    const char *file = run->session->spec.file;
    const char *state = session_state_words(run->session);

    switch (exit_status) {
    case EXIT_SOME_FAILED:
        if (run->counts.by_state[ITEM_FAILED] == 0 && run->only_seen) {
            buf_append_format(out, "next: purser run %s%s goes on with what has waited for these\n",
                              file, state);
            break;
        }
        if (run->counts.by_state[ITEM_FAILED] == 0) {
            buf_append_format(out,
                              "next: purser items %s%s --where state=blocked shows what the rest "
                              "waits for\n",
                              file, state);
            break;
        }
        buf_append_format(
            out,
            "next: purser items %s%s --where state=failed shows why; correct the rows "
            "and run again, or purser retry %s%s\n",
            file, state, file, state);
        break;
    case EXIT_IN_DOUBT:
        buf_append_format(
            out,
            "next: purser reconcile %s%s asks what became of them, and proposes; then "
            "purser resolve %s JOB/KEY%s --as done|not-done\n",
            file, state, file, state);
        break;
    case EXIT_MAX_FAILURES:
        if (run->counts.by_state[ITEM_FAILED] == 0 && run->counts.by_state[ITEM_IN_DOUBT] > 0)
            buf_append_format(out,
                              "next: purser reconcile %s%s asks what became of them; then run "
                              "again\n",
                              file, state);
        else
            buf_append_format(out,
                              "next: purser items %s%s --where state=failed shows why; correct "
                              "the rows or the spec and run again\n",
                              file, state);
        break;
    case EXIT_CREDENTIALS:
        buf_append_format(out, "next: mend the credentials, then purser run %s%s goes on\n", file,
                          state);
        break;
    case EXIT_NOT_FINISHED:
        if (run->outdated > 0) {
            buf_append_format(out, "next: purser run %s%s sends again what has changed by that\n",
                              file, state);
            break;
        }
        buf_append_format(out, "next: purser run %s%s goes on where this run stopped\n", file,
                          state);
        break;
    default:
        buf_append_format(out, "next: purser results %s%s -o results/ writes what came back\n",
                          file, state);
    }
}

static void append_outdated(const struct run *run, struct buf *out)
{
    const char *file = run->session->spec.file, *state = session_state_words(run->session);

    if (run->outdated > 0)
        buf_append_format(out,
                          "purser: %llu item%s made from an answer that has changed since: purser "
                          "plan %s%s shows what is sent again\n",
                          (unsigned long long)run->outdated, run->outdated == 1 ? " was" : "s were",
                          file, state);
    if (run->outdated_corrected > 0)
        buf_append_format(
            out,
            "purser: %llu corrected item%s made from an answer that has changed since, and the "
            "source has no row that could be sent again\n"
            "hint: put the corrected row%s into the source, then purser run %s%s\n",
            (unsigned long long)run->outdated_corrected,
            run->outdated_corrected == 1 ? " was" : "s were",
            run->outdated_corrected == 1 ? "" : "s", file, state);
    if (run->outdated_kept > 0)
        buf_append_format(out,
                          "purser: %llu item%s made from an answer that has changed since, and "
                          "when_changed: keep leaves %s so\n",
                          (unsigned long long)run->outdated_kept,
                          run->outdated_kept == 1 ? " was" : "s were",
                          run->outdated_kept == 1 ? "it" : "them");
}

static void append_text(const struct run *run, int exit_status, struct buf *out)
{
    const struct engine_progress *progress = &run->progress;

    if (progress->stop != STOP_NONE)
        buf_append_format(out, "purser: stopped: %s\n", progress->stop_text);
    buf_append_text(out, run->parked);
    if (progress->stopped_jobs > 0)
        buf_append_format(
            out, "purser: job %s was stopped: its first %llu items were all refused\n",
            progress->stopped_job, (unsigned long long)progress->stopped_job_refusals);
    if (progress->left_behind > 0)
        buf_append_format(out, "purser: %u items that may have been sent wait for the next run\n",
                          progress->left_behind);
    if (progress->stuck > 0)
        buf_append_format(out, "purser: %u remote jobs are pending for longer than a day\n",
                          progress->stuck);
    if (run->counts.by_state[ITEM_BLOCKED] > 0)
        buf_append_format(out,
                          "purser: %llu item%s for others: purser items %s%s --where "
                          "state=blocked says for which\n",
                          (unsigned long long)run->counts.by_state[ITEM_BLOCKED],
                          run->counts.by_state[ITEM_BLOCKED] == 1 ? " waits" : "s wait",
                          run->session->spec.file, session_state_words(run->session));
    append_outdated(run, out);
    buf_append_format(out, "%s run %u: ", run->session->spec.name, run->number);
    append_counts(&run->counts, out);
    buf_append_format(out, " (%llu sent, %llu polls, %llu throttled, %llu retried, %.1f s)\n",
                      (unsigned long long)progress->sent, (unsigned long long)progress->polls,
                      (unsigned long long)progress->throttled,
                      (unsigned long long)progress->retried,
                      (double)(clock_boot_ms() - run->started_boot_ms) / 1000.0);
    buf_append_format(out, "ledger: %s\n", run->session->directory.path);
    append_next(run, exit_status, out);
}

enum err_code run_print_summary(const struct run *run, int exit_status, struct err *err)
{
    struct buf out;
    enum err_code code = ERR_OK;

    buf_init(&out, SUMMARY_BYTES_MAX);
    if (!run->session->options->quiet) {
        append_text(run, exit_status, &out);
        if (out.length > 0)
            print_talk("%.*s", (int)out.length - 1, out.bytes);
        buf_clear(&out);
    }
    if (run->session->options->output == OUTPUT_JSON ||
        run->session->options->output == OUTPUT_NDJSON) {
        append_json(run, exit_status, &out);
        code = print_out(&out, err);
    }
    buf_deinit(&out);
    return code;
}
