#include "purser/cli/plan_times.h"

#include <string.h>

#include "purser/cli/recall.h"
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
static enum err_code take_last_run(const struct comparison *comparison,
                                   struct plan_experience *experience, struct err *err)
{
    struct ledger *ledger = comparison->session->ledger;
    struct run_record record;
    uint32_t last = ledger == NULL ? 0 : ledger->ops->last_run(ledger);
    bool found;

    for (uint32_t run = last; run > 0 && last - run < RUNS_LOOKED_AT_MAX; run--) {
        if (recall_run(ledger, run, true, &record, &found, err) != ERR_OK)
            return err->code;
        if (!found || record.sent == 0)
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
        return ERR_OK;
    }
    return ERR_OK;
}

enum err_code plan_experience_find(const struct comparison *comparison,
                                   struct plan_experience *experience_out, struct err *err)
{
    const struct spec_api *api = &comparison->session->spec.api;
    struct pace_config pace = spec_organisation_pace(api);

    *experience_out =
        (struct plan_experience){.origin = TIMES_ASSUMED,
                                 .times = assumed,
                                 .polls_each = POLLS_EACH_ASSUMED,
                                 .rate_millis = pace.start_millis,
                                 .rate_doubles = pace.learns && pace.ceiling_millis == 0};
    if (api->environment == ENVIRONMENT_SIMULATOR)
        take_simulated(api, experience_out);
    return take_last_run(comparison, experience_out, err);
}

static void take_time(uint32_t learned_ms, uint32_t *time_ms, enum times_origin *origin)
{
    if (learned_ms == 0)
        return;
    *time_ms = learned_ms;
    *origin = TIMES_LEARNED;
}

enum err_code plan_times_find(const struct comparison *comparison,
                              const struct plan_experience *experience, size_t connection,
                              struct plan_times *times_out, struct err *err)
{
    const struct spec_connection *known = &comparison->session->spec.connections[connection];
    struct ledger *ledger = comparison->session->ledger;
    struct pace_config pace = spec_connection_pace(&known->rate);
    struct connection_record record;
    struct buf storage;
    enum err_code code;

    *times_out = (struct plan_times){
        .origin = experience->origin, .times = experience->times, .rate_millis = pace.start_millis};
    if (ledger == NULL || comparison->connections[connection] == UINT32_MAX)
        return ERR_OK;
    buf_init(&storage, CONNECTION_BYTES_MAX);
    code = recall_connection(ledger, comparison->connections[connection], known->alias, &storage,
                             &record, err);
    buf_deinit(&storage);
    take_time(record.times.answer_ms, &times_out->times.answer_ms, &times_out->origin);
    take_time(record.times.accept_ms, &times_out->times.accept_ms, &times_out->origin);
    take_time(record.times.finish_ms, &times_out->times.finish_ms, &times_out->origin);
    times_out->rate_is_learned = pace.learns && record.learned_rate_millis > 0;
    if (times_out->rate_is_learned)
        times_out->rate_millis = record.learned_rate_millis;
    return code;
}
