#include "purser/cli/plan_view.h"
#include "purser/codec/spec_pace.h"

enum {
    EXCHANGE_MS = 300, /* assumed: accepting a write, as far as is known */
    RUNS_LOOKED_AT_MAX = 100,
    CONNECTION_BYTES_MAX = 64 * 1024,
};

#define POLLS_EACH_ASSUMED 2.0

static uint64_t sends_of(const struct comparison *comparison, size_t connection)
{
    uint64_t sends = 0, limit = comparison->session->options->limit;

    for (size_t i = 0; i < comparison->session->spec.job_count; i++)
        if (comparison->counts[i] != NULL)
            sends += comparison->counts[i][connection].starts;
    return sends < limit ? sends : limit;
}

/* Remote jobs are polled; a synchronous answer is the end. */
static uint64_t polled_of(const struct comparison *comparison)
{
    const struct spec *spec = &comparison->session->spec;
    uint64_t polled = 0;

    for (size_t i = 0; i < spec->job_count; i++)
        for (size_t j = 0; comparison->counts[i] != NULL && j < spec->connection_count; j++)
            polled += comparison->counts[i][j].active +
                      (spec->jobs[i].mode == RESPONSE_SYNC ? 0 : comparison->counts[i][j].starts);
    return polled;
}

static void learn_polls(const struct comparison *comparison, struct plan_load *load)
{
    struct ledger *ledger = comparison->session->ledger;
    struct run_record record;
    struct err ignored = {0};
    uint32_t last = ledger == NULL ? 0 : ledger->ops->last_run(ledger);

    load->polls_each = POLLS_EACH_ASSUMED;
    for (uint32_t run = last; run > 0 && last - run < RUNS_LOOKED_AT_MAX; run--) {
        if (ledger->ops->read_run(ledger, run, &record, &ignored) != ERR_OK || record.sent == 0)
            continue;
        load->polls_each = (double)record.polls / (double)record.sent;
        load->polls_run = run;
        return;
    }
}

/* As the engine will begin with; a record that cannot be read is no more than nothing learned. */
static uint32_t rate_of(const struct comparison *comparison, size_t connection, struct buf *storage,
                        struct plan_load *load)
{
    struct ledger *ledger = comparison->session->ledger;
    struct pace_config pace =
        spec_connection_pace(&comparison->session->spec.connections[connection].rate);
    struct connection_record record = {0};
    struct err ignored = {0};

    if (pace.learns && ledger != NULL && comparison->connections[connection] != UINT32_MAX &&
        ledger->ops->read_connection(ledger, comparison->connections[connection], storage, &record,
                                     &ignored) == ERR_OK &&
        record.learned_rate_millis > 0) {
        load->learned = true;
        return record.learned_rate_millis;
    }
    return pace.start_millis;
}

enum err_code plan_load_find(const struct comparison *comparison, struct plan_load *load_out,
                             struct err *err)
{
    struct session *session = comparison->session;
    const struct spec *spec = &session->spec;
    struct estimate_lane *lanes = arena_new(&session->arena, spec->connection_count, sizeof *lanes);
    struct estimate_load load = {.lanes = lanes,
                                 .lane_count = spec->connection_count,
                                 .rate_millis = spec_organisation_pace(&spec->api).start_millis,
                                 .in_flight = spec->api.in_flight,
                                 .exchange_ms = EXCHANGE_MS};
    struct buf storage;

    *load_out = (struct plan_load){.sends = 0};
    if (lanes == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu connections", spec->connection_count);
    learn_polls(comparison, load_out);
    buf_init(&storage, CONNECTION_BYTES_MAX);
    for (size_t i = 0; i < spec->connection_count; i++) {
        lanes[i] = (struct estimate_lane){.sends = sends_of(comparison, i),
                                          .in_flight = spec->connections[i].in_flight};
        if (lanes[i].sends > 0)
            lanes[i].rate_millis = rate_of(comparison, i, &storage, load_out);
        load.sends += lanes[i].sends;
    }
    buf_deinit(&storage);
    if (load.sends > session->options->limit)
        load.sends = session->options->limit;
    load.polls = polled_of(comparison);
    if (load.polls > load.sends && session->options->limit != UINT64_MAX)
        load.polls = load.sends;
    load.polls = (uint64_t)((double)load.polls * load_out->polls_each + 0.5);
    load_out->sends = load.sends;
    load_out->polls = load.polls;
    load_out->estimate = estimate_duration(&load);
    if (load_out->estimate.bound == ESTIMATE_ALL_RATE)
        load_out->rate_millis = load.rate_millis;
    if (load_out->estimate.bound == ESTIMATE_LANE_RATE)
        load_out->rate_millis = lanes[load_out->estimate.lane].rate_millis;
    return ERR_OK;
}
