#include "purser/cli/plan_view.h"

#include <stdio.h>
#include <string.h>

enum {
    CONNECTIONS_SHOWN_MAX = 20,
    TEXT_BYTES = 300,
    TOO_SHORT_MS = 2000, /* to say what holds it up */
};

static void add_up(struct comparison_counts *sum, const struct comparison_counts *counts)
{
    for (int i = 0; i < CONVERGE_COUNT; i++)
        sum->by_action[i] += counts->by_action[i];
    sum->active += counts->active;
    sum->starts += counts->starts;
    sum->waits += counts->waits;
    sum->may_change += counts->may_change;
    sum->outdated += counts->outdated;
    sum->dropped += counts->dropped;
    sum->gone += counts->gone;
}

static bool is_empty(const struct comparison_counts *counts)
{
    uint64_t sum = counts->active + counts->starts + counts->dropped + counts->gone;

    for (int i = 0; i < CONVERGE_COUNT; i++)
        sum += counts->by_action[i];
    return sum == 0;
}

static void append_duration(int64_t duration_ms, char text_out[TEXT_BYTES])
{
    int64_t seconds = (duration_ms + 999) / 1000;

    if (seconds < 120)
        (void)snprintf(text_out, TEXT_BYTES, "%lld s", (long long)seconds);
    else if (seconds < 120 * 60)
        (void)snprintf(text_out, TEXT_BYTES, "%lld min", (long long)((seconds + 59) / 60));
    else
        (void)snprintf(text_out, TEXT_BYTES, "%.1f h", (double)seconds / 3600);
}

/* What holds the run up; "" when nothing does. */
static void describe_bound(const struct comparison *comparison, const struct plan_load *load,
                           char text_out[TEXT_BYTES])
{
    const struct spec *spec = &comparison->session->spec;
    const char *alias = spec->connections[load->estimate.lane].alias;
    double rate = (double)load->rate_millis / 1000;

    text_out[0] = '\0';
    if (load->estimate.duration_ms <= TOO_SHORT_MS)
        return;
    switch (load->estimate.bound) {
    case ESTIMATE_NOTHING:
        return;
    case ESTIMATE_ALL_RATE:
        (void)snprintf(text_out, TEXT_BYTES, "the limit of all requests, %g/s", rate);
        return;
    case ESTIMATE_ALL_IN_FLIGHT:
        (void)snprintf(text_out, TEXT_BYTES, "in_flight of all");
        return;
    case ESTIMATE_OUTSTANDING:
        (void)snprintf(text_out, TEXT_BYTES, "outstanding: %u items at once",
                       spec->api.outstanding);
        return;
    case ESTIMATE_COMMITS:
        (void)snprintf(text_out, TEXT_BYTES, "writes without a key, which begin one at a time");
        return;
    case ESTIMATE_LANE_RATE:
        (void)snprintf(text_out, TEXT_BYTES, "the limit of connection %s, %g/s%s", alias, rate,
                       load->learned ? " as learned" : "");
        return;
    case ESTIMATE_LANE_IN_FLIGHT:
        (void)snprintf(text_out, TEXT_BYTES, "in_flight of connection %s", alias);
        return;
    case ESTIMATE_CHAIN:
        (void)snprintf(text_out, TEXT_BYTES, "order_by of job %s: the longest order",
                       spec->jobs[load->estimate.job].name);
        return;
    case ESTIMATE_ENDS:
        (void)snprintf(text_out, TEXT_BYTES, "the time until an item is done");
        return;
    }
}

/* What the time rests on; "" when nothing is sent. */
static void describe_times(const struct plan_load *load, char text_out[TEXT_BYTES])
{
    static const char *const origins[] = {[TIMES_ASSUMED] = "assumed",
                                          [TIMES_SIMULATED] = "as the simulator is set",
                                          [TIMES_LEARNED] = "as in earlier runs"};
    size_t length;

    text_out[0] = '\0';
    if (load->sends == 0)
        return;
    (void)snprintf(text_out, TEXT_BYTES, "%s: %g s a write", origins[load->origin],
                   (double)load->write_ms / 1000);
    length = strlen(text_out);
    if (load->job_ms > 0)
        (void)snprintf(text_out + length, TEXT_BYTES - length, ", %g s its remote job",
                       (double)load->job_ms / 1000);
    length = strlen(text_out);
    if (load->repeats_each >= 0.005)
        (void)snprintf(text_out + length, TEXT_BYTES - length, ", %.0f%% are sent again",
                       load->repeats_each * 100);
    else
        (void)snprintf(text_out + length, TEXT_BYTES - length, ", none is sent again");
}

static void append_line(struct buf *out, uint64_t count, const char *name, const char *meaning)
{
    if (count > 0)
        buf_append_format(out, "  %8llu %-13s %s\n", (unsigned long long)count, name, meaning);
}

static void append_counts(struct buf *out, const struct comparison_counts *counts)
{
    for (int action = 0; action < CONVERGE_COUNT; action++)
        append_line(out, counts->by_action[action],
                    converge_action_name((enum converge_action)action),
                    converge_action_meaning((enum converge_action)action));
    append_line(out, counts->waits, "blocked", "of those to be sent: wait for others first");
    append_line(out, counts->active, "under_way", "of those: sent earlier, taken to their end");
    append_line(out, counts->may_change, "may_change",
                "of those: made from what is sent again; compared when that is done");
    append_line(out, counts->outdated, "outdated",
                "of those: made from an answer that has changed; only a row of the source is sent");
    append_line(out, counts->dropped, "drop", "left the source before they were sent");
    append_line(out, counts->gone, "gone",
                "left the source after they ended; they stay as they are");
}

static void append_job(const struct comparison *comparison, size_t job, struct buf *out)
{
    const struct spec *spec = &comparison->session->spec;
    const struct comparison_counts *counts = comparison->counts[job];
    struct comparison_counts rest = {0};
    size_t shown = 0, more = 0;

    buf_append_format(out, "%s  %s %s\n", spec->jobs[job].name, method_name(spec->jobs[job].method),
                      spec->jobs[job].operation->path);
    for (size_t i = 0; counts != NULL && i < spec->connection_count; i++) {
        if (is_empty(&counts[i]))
            continue;
        if (shown == CONNECTIONS_SHOWN_MAX) {
            add_up(&rest, &counts[i]);
            more++;
            continue;
        }
        shown++;
        if (spec->connection_count > 1)
            buf_append_format(out, "  on %s\n", spec->connections[i].alias);
        append_counts(out, &counts[i]);
    }
    if (more > 0)
        buf_append_format(out, "  on %zu more; --output json has each\n", more);
    append_counts(out, &rest);
}

static void append_load(const struct comparison *comparison, const struct plan_load *load,
                        struct buf *out)
{
    const struct options *options = comparison->session->options;
    char duration[TEXT_BYTES], bound[TEXT_BYTES], times[TEXT_BYTES];

    append_duration(load->estimate.duration_ms, duration);
    describe_bound(comparison, load, bound);
    describe_times(load, times);
    buf_append_format(out, "%llu to send", (unsigned long long)load->sends);
    if (options->limit != UINT64_MAX)
        buf_append_format(out, " (at most, by --limit)");
    if (options->canary > 0)
        buf_append_format(out, ", each job's first %u before the others", options->canary);
    if (load->polls > 0)
        buf_append_format(out, ", about %llu polls", (unsigned long long)load->polls);
    if (load->estimate.bound != ESTIMATE_NOTHING)
        buf_append_format(out, ": about %s%s%s", duration, bound[0] == '\0' ? "" : ", limited by ",
                          bound);
    buf_append_byte(out, '\n');
    if (times[0] != '\0')
        buf_append_format(out, "  (%s)\n", times);
}

void plan_append_table(const struct comparison *comparison, const struct plan_load *load,
                       struct buf *out)
{
    const struct spec *spec = &comparison->session->spec;

    for (size_t i = 0; i < spec->job_count; i++)
        if (comparison->selection.left_out == NULL || !comparison->selection.left_out[i])
            append_job(comparison, i, out);
    append_load(comparison, load, out);
}

static void append_members(struct buf *out, const struct comparison_counts *counts)
{
    for (int action = 0; action < CONVERGE_COUNT; action++)
        buf_append_format(out, ",\"%s\":%llu", converge_action_name((enum converge_action)action),
                          (unsigned long long)counts->by_action[action]);
    buf_append_format(
        out,
        ",\"blocked\":%llu,\"under_way\":%llu,\"may_change\":%llu,\"outdated\":%llu,\"drop\":%llu,"
        "\"gone\":%llu,\"to_send\":%llu",
        (unsigned long long)counts->waits, (unsigned long long)counts->active,
        (unsigned long long)counts->may_change, (unsigned long long)counts->outdated,
        (unsigned long long)counts->dropped, (unsigned long long)counts->gone,
        (unsigned long long)counts->starts);
}

static void append_job_json(const struct comparison *comparison, size_t job, struct buf *out)
{
    const struct spec *spec = &comparison->session->spec;
    const struct comparison_counts *counts = comparison->counts[job];
    struct comparison_counts sum = {0};
    bool first = true;

    buf_append_text(out, "{\"job\":");
    text_append_json(out, slice_of(spec->jobs[job].name));
    for (size_t i = 0; counts != NULL && i < spec->connection_count; i++)
        add_up(&sum, &counts[i]);
    append_members(out, &sum);
    buf_append_text(out, ",\"connections\":[");
    for (size_t i = 0; counts != NULL && i < spec->connection_count; i++) {
        if (is_empty(&counts[i]))
            continue;
        buf_append_text(out, first ? "{\"connection\":" : ",{\"connection\":");
        text_append_json(out, slice_of(spec->connections[i].alias));
        append_members(out, &counts[i]);
        buf_append_byte(out, '}');
        first = false;
    }
    buf_append_text(out, "]}");
}

void plan_append_json(const struct comparison *comparison, const struct plan_load *load,
                      struct buf *out)
{
    const struct spec *spec = &comparison->session->spec;
    char bound[TEXT_BYTES], times[TEXT_BYTES];
    bool first = true;

    describe_bound(comparison, load, bound);
    describe_times(load, times);
    buf_append_text(out, "{\"v\":1,\"spec\":");
    text_append_json(out, slice_of(spec->name));
    buf_append_format(out, ",\"run\":%u,\"jobs\":[", comparison->run);
    for (size_t i = 0; i < spec->job_count; i++) {
        if (comparison->selection.left_out != NULL && comparison->selection.left_out[i])
            continue;
        if (!first)
            buf_append_byte(out, ',');
        append_job_json(comparison, i, out);
        first = false;
    }
    buf_append_format(out,
                      "],\"dropped\":%llu,\"requests\":{\"sends\":%llu,\"polls\":%llu},"
                      "\"estimate\":{\"elapsed_ms\":%lld,\"limited_by\":",
                      (unsigned long long)comparison->total.dropped,
                      (unsigned long long)load->sends, (unsigned long long)load->polls,
                      (long long)load->estimate.duration_ms);
    text_append_json(out, slice_of(bound));
    buf_append_text(out, ",\"rests_on\":");
    text_append_json(out, slice_of(times));
    buf_append_text(out, "},\"exit_code\":0}\n");
}
