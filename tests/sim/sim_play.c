/* One world from its beginning. */
#include <string.h>

#include "sim.h"

uint64_t sim_play(struct sim *sim, uint64_t seed, const struct sim_script *script, bool print)
{
    struct sim_batch open = sim->ledger.open, closing = sim->ledger.closing;

    /* The tables of transfers and jobs are cleared by their counts. */
    memset(&sim->trace, 0, sizeof sim->trace);
    memset(sim->items, 0, sizeof sim->items);
    sim->ledger.open = open;
    sim->ledger.closing = closing;
    sim->seed = seed;
    sim->script = script;
    sim->trace.print = print;
    sim->plan_count = sim->answer_count = sim->result_count = sim->poll_count = 0;
    sim->calm = sim->clock_goes_back = sim->loses_state = sim->adopts = sim->has_copy = false;
    sim->now_ms = sim->boot_zero_ms = sim->wall_skew_ms = sim->server_skew_ms = 0;
    sim->item_count = 0;
    memset(&sim->weather, 0, sizeof sim->weather);
    sim->server.job_count = 0;
    memset(sim->server.held_until_ms, 0, sizeof sim->server.held_until_ms);
    sim->server.client_refused_until_ms = 0;
    sim->crash_in = 0;
    sim->crashed = sim->starved = false;
    sim->run = 0;
    sim->person_acts_on = 0;
    sim->has_needs = sim->ended_calmly = false;
    return sim_world_play(sim);
}
