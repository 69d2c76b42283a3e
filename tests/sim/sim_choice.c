/* What goes wrong: drawn from the seed, or as a script has it. */
#include "sim.h"

bool sim_chance(struct sim *sim, uint32_t per_mille)
{
    return sim->script == NULL && !sim->calm && rng_below(&sim->rng, 1000) < per_mille;
}

int64_t sim_draw_ms(struct sim *sim, int64_t from_ms, int64_t to_ms)
{
    if (sim->script != NULL || to_ms <= from_ms)
        return to_ms;
    return from_ms + (int64_t)rng_below(&sim->rng, (uint64_t)(to_ms - from_ms + 1));
}

enum weather {
    WEATHER_STEADY,
    WEATHER_STORMS,   /* all at once, for seconds to minutes */
    WEATHER_FLAPPING, /* up and down within seconds */
    WEATHER_SWIZZLED, /* down one by one, up in another order */
    WEATHER_BROKEN,   /* one connection never works */
};

void sim_draw_weather(struct sim *sim)
{
    static const enum weather kinds[] = {WEATHER_STEADY, WEATHER_STEADY,   WEATHER_STORMS,
                                         WEATHER_STORMS, WEATHER_FLAPPING, WEATHER_SWIZZLED,
                                         WEATHER_BROKEN};
    enum weather kind = kinds[rng_below(&sim->rng, sizeof kinds / sizeof kinds[0])];
    struct sim_weather *weather = &sim->weather;
    uint64_t broken = rng_below(&sim->rng, SIM_CONNECTIONS_MAX);

    *weather = (struct sim_weather){.rate = 600 + (uint32_t)rng_below(&sim->rng, 401),
                                    .of_network = rng_below(&sim->rng, 3) != 0};
    weather->of_server = !weather->of_network || rng_below(&sim->rng, 2) == 0;
    weather->period_ms =
        kind == WEATHER_FLAPPING ? sim_draw_ms(sim, 200, 10000) : sim_draw_ms(sim, 10000, 300000);
    for (unsigned i = 0; i < SIM_CONNECTIONS_MAX && kind != WEATHER_STEADY; i++) {
        bool alone = kind == WEATHER_FLAPPING || kind == WEATHER_SWIZZLED;
        bool first = i == 0 || alone;

        weather->phase_ms[i] =
            first ? sim_draw_ms(sim, 0, weather->period_ms) : weather->phase_ms[0];
        weather->down_ms[i] =
            first ? sim_draw_ms(sim, 0, weather->period_ms * 3 / 4) : weather->down_ms[0];
        if (kind == WEATHER_BROKEN)
            weather->down_ms[i] = i == broken ? weather->period_ms : 0;
    }
}

/* Faults per mille on `connection` at this moment. */
static uint32_t rate_now(const struct sim *sim, bool affected, uint32_t usual, uint32_t connection)
{
    const struct sim_weather *weather = &sim->weather;

    if (!affected || weather->down_ms[connection] == 0 ||
        (sim->now_ms + weather->phase_ms[connection]) % weather->period_ms >=
            weather->down_ms[connection])
        return usual;
    return weather->rate;
}

static uint64_t one_of(struct sim *sim, uint64_t count)
{
    return rng_below(&sim->rng, count);
}

enum sim_plan sim_choose_plan(struct sim *sim, const struct sim_item *item, bool polling)
{
    static const enum sim_plan plans[] = {PLAN_NOT_SENT,   PLAN_NOT_SENT,   PLAN_LOST_BEFORE,
                                          PLAN_LOST_AFTER, PLAN_LOST_AFTER, PLAN_LATE};

    if (sim->script != NULL && !polling)
        return sim->plan_count < SIM_SCRIPT_MAX ? sim->script->plans[sim->plan_count++]
                                                : PLAN_DELIVERED;
    if (sim->profile == SIM_DUPLICATES && item->keyed && !polling && sim_chance(sim, 300))
        return PLAN_DOUBLED;
    if (!sim_chance(sim,
                    rate_now(sim, sim->weather.of_network, sim->limits.network, item->connection)))
        return PLAN_DELIVERED;
    if (one_of(sim, 60) == 0)
        return PLAN_UNTRUSTED;
    return plans[one_of(sim, sizeof plans / sizeof plans[0])];
}

enum sim_answer sim_choose_answer(struct sim *sim, const struct sim_item *item)
{
    /* Refusals prove something only where the network does not repeat by itself (A4'). */
    static const enum sim_answer harmless[] = {ANSWER_GATEWAY_BEFORE,
                                               ANSWER_GATEWAY_AFTER,
                                               ANSWER_GARBAGE,
                                               ANSWER_429,
                                               ANSWER_429,
                                               ANSWER_452,
                                               ANSWER_452};
    static const enum sim_answer harmful[] = {ANSWER_REFUSED,     ANSWER_REFUSED,
                                              ANSWER_REFUSED,     ANSWER_CONFLICT,
                                              ANSWER_ERRORS_ONLY, ANSWER_550_BEFORE};

    if (sim->script != NULL)
        return sim->answer_count < SIM_SCRIPT_MAX ? sim->script->answers[sim->answer_count++]
                                                  : ANSWER_PLAIN;
    if (!sim_chance(sim,
                    rate_now(sim, sim->weather.of_server, sim->limits.server, item->connection)))
        return ANSWER_PLAIN;
    if (sim->profile == SIM_DUPLICATES)
        return harmless[one_of(sim, 3)];
    if (sim->profile == SIM_ANYTHING && one_of(sim, 3) == 0)
        return harmful[one_of(sim, sizeof harmful / sizeof harmful[0])];
    if (one_of(sim, 12) == 0)
        return one_of(sim, 2) == 0 ? ANSWER_HELD : ANSWER_PORTAL;
    return harmless[one_of(sim, sizeof harmless / sizeof harmless[0])];
}

enum sim_result sim_choose_result(struct sim *sim, struct sim_item *item)
{
    static const enum sim_result bad[] = {RESULT_REFUSED,  RESULT_REFUSED, RESULT_ERROR,
                                          RESULT_PLATFORM, RESULT_PARTIAL, RESULT_NONSENSE,
                                          RESULT_VANISHED, RESULT_VANISHED};

    if (sim->script != NULL)
        return sim->result_count < SIM_SCRIPT_MAX ? sim->script->results[sim->result_count++]
                                                  : RESULT_SUCCESS;
    if (!sim_chance(sim, sim->limits.result))
        return RESULT_SUCCESS;
    if (sim->profile == SIM_ANYTHING && one_of(sim, 2) == 0)
        return bad[one_of(sim, sizeof bad / sizeof bad[0])];
    if (sim->profile != SIM_ANYTHING && item->job_throttles >= sim->jobs[0].policy.rekey_limit)
        return RESULT_SUCCESS;
    return RESULT_THROTTLED;
}

enum sim_poll sim_choose_poll(struct sim *sim, const struct sim_job *job)
{
    static const enum sim_poll harmless[] = {POLL_429,     POLL_452,     POLL_GATEWAY,
                                             POLL_GATEWAY, POLL_GARBAGE, POLL_UNKNOWN_STATUS};

    if (sim->script != NULL)
        return sim->poll_count < SIM_SCRIPT_MAX ? sim->script->polls[sim->poll_count++]
                                                : POLL_PLAIN;
    if (!sim_chance(sim, sim->limits.poll))
        return POLL_PLAIN;
    if (sim->profile == SIM_ANYTHING && one_of(sim, 12) == 0)
        return POLL_WRONG_ECHO;
    if (one_of(sim, 30) == 0)
        return POLL_UNAUTHORIZED;
    if (sim->now_ms - job->accepted_ms < 5000 && one_of(sim, 4) == 0)
        return POLL_MISSING;
    return harmless[one_of(sim, sizeof harmless / sizeof harmless[0])];
}
