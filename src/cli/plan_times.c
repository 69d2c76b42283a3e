#include "purser/cli/plan_times.h"

#include <string.h>

#include "purser/codec/spec_pace.h"

enum {
    RUNS_LOOKED_AT_MAX = 100,
    CONNECTION_BYTES_MAX = 64 * 1024,
    SIMULATOR_RATE_MILLIS = 50 * 1000, /* 500 requests in 10 s */
};

/* As rutter-sim is set by each profile: answers after 5 to 40 ms, remote jobs and writes without
 * one 50 to 800 ms later; and which share of its sends it turns away or loses. */
static const struct simulated {
    const char *profile;
    struct learned_times times;
    double repeats_each;
    uint32_t rate_millis;
} simulated[] = {
    {"clean", {.answer_ms = 2, .accept_ms = 2, .finish_ms = 1}, 0, 0},
    {"realistic",
     {.answer_ms = 450, .accept_ms = 25, .finish_ms = 425},
     0.043,
     SIMULATOR_RATE_MILLIS},
    {"hostile", {.answer_ms = 430, .accept_ms = 2, .finish_ms = 425}, 0.19, SIMULATOR_RATE_MILLIS},
};

/* Nothing documents these. */
static const struct learned_times assumed = {.answer_ms = 500, .accept_ms = 300, .finish_ms = 2000};
#define POLLS_EACH_ASSUMED 1.3

static void take_simulated(const struct spec_api *api, struct plan_experience *experience)
{
    for (size_t i = 0; i < sizeof simulated / sizeof *simulated; i++) {
        if (strcmp(simulated[i].profile, api->simulator_profile) != 0)
            continue;
        experience->origin = TIMES_SIMULATED;
        experience->times = simulated[i].times;
        experience->repeats_each = simulated[i].repeats_each;
        if (api->rate.kind == RATE_AUTO && simulated[i].rate_millis != 0) {
            experience->rate_millis = simulated[i].rate_millis;
            experience->rate_doubles = false;
        }
    }
}

/* The last run that has sent something. */
static void take_last_run(const struct comparison *comparison, struct plan_experience *experience)
{
    struct ledger *ledger = comparison->session->ledger;
    struct run_record record;
    struct err ignored = {0};
    uint32_t last = ledger == NULL ? 0 : ledger->ops->last_run(ledger);

    for (uint32_t run = last; run > 0 && last - run < RUNS_LOOKED_AT_MAX; run--) {
        if (ledger->ops->read_run(ledger, run, &record, &ignored) != ERR_OK || record.sent == 0)
            continue;
        experience->run = run;
        experience->repeats_each =
            record.sent > record.retried
                ? (double)record.retried / (double)(record.sent - record.retried)
                : 0;
        if (record.polls > 0)
            experience->polls_each = (double)record.polls / (double)record.sent;
        if (record.rate_millis != 0 && comparison->session->spec.api.rate.kind == RATE_AUTO) {
            experience->rate_millis = record.rate_millis;
            experience->rate_doubles = false;
        }
        return;
    }
}

struct plan_experience plan_experience_find(const struct comparison *comparison)
{
    const struct spec_api *api = &comparison->session->spec.api;
    struct pace_config pace = spec_organisation_pace(api);
    struct plan_experience experience = {.origin = TIMES_ASSUMED,
                                         .times = assumed,
                                         .polls_each = POLLS_EACH_ASSUMED,
                                         .rate_millis = pace.start_millis,
                                         .rate_doubles = pace.learns && pace.ceiling_millis == 0};

    if (api->environment == ENVIRONMENT_SIMULATOR)
        take_simulated(api, &experience);
    take_last_run(comparison, &experience);
    return experience;
}

static void take_time(uint32_t learned_ms, uint32_t *time_ms, enum times_origin *origin)
{
    if (learned_ms == 0)
        return;
    *time_ms = learned_ms;
    *origin = TIMES_LEARNED;
}

enum times_origin plan_times_of(const struct comparison *comparison,
                                const struct plan_experience *experience, size_t connection,
                                struct learned_times *times_out, uint32_t *rate_millis_out,
                                bool *rate_learned_out)
{
    struct ledger *ledger = comparison->session->ledger;
    struct pace_config pace =
        spec_connection_pace(&comparison->session->spec.connections[connection].rate);
    enum times_origin origin = experience->origin;
    struct connection_record record = {0};
    struct err ignored = {0};
    struct buf storage;

    *times_out = experience->times;
    *rate_millis_out = pace.start_millis;
    *rate_learned_out = false;
    if (ledger == NULL || comparison->connections[connection] == UINT32_MAX)
        return origin;
    buf_init(&storage, CONNECTION_BYTES_MAX);
    /* A record that cannot be read is no more than nothing learned. */
    if (ledger->ops->read_connection(ledger, comparison->connections[connection], &storage, &record,
                                     &ignored) == ERR_OK) {
        take_time(record.times.answer_ms, &times_out->answer_ms, &origin);
        take_time(record.times.accept_ms, &times_out->accept_ms, &origin);
        take_time(record.times.finish_ms, &times_out->finish_ms, &origin);
        *rate_learned_out = pace.learns && record.learned_rate_millis > 0;
    }
    if (*rate_learned_out)
        *rate_millis_out = record.learned_rate_millis;
    buf_deinit(&storage);
    return origin;
}
