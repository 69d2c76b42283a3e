/* A world: drawn from its seed, played run by run until every item has its end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/base/mem.h"
#include "sim.h"

enum {
    BOOT_START_MS = 1000, /* a boot clock is never at zero when purser runs */
    CALM_RUNS_MAX = 40,   /* liveness: faults have stopped, so it ends within these */
    RUN_TURNS_MAX = 50000,
    SPIN_MAX = 500, /* turns at one moment */
};

/* --- clocks, trace, failure --- */

int64_t sim_wall_ms(const struct sim *sim)
{
    return SIM_WALL_START_MS + sim->now_ms + sim->wall_skew_ms;
}

int64_t sim_server_ms(const struct sim *sim)
{
    return SIM_WALL_START_MS + sim->now_ms + sim->server_skew_ms;
}

static struct engine_now engine_now(const struct sim *sim)
{
    return (struct engine_now){.wall_ms = sim_wall_ms(sim),
                               .boot_ms = sim->now_ms - sim->boot_zero_ms + BOOT_START_MS};
}

void sim_mark(struct sim *sim, const int64_t *values, size_t count)
{
    uint64_t parts[3] = {sim->trace.hash, (uint64_t)sim->now_ms,
                         checksum64(&sim->rng, sizeof sim->rng)};

    sim->trace.hash = checksum64(parts, sizeof parts);
    if (count > 0)
        sim->trace.hash ^= checksum64(values, count * sizeof values[0]);
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    va_list arguments;

    sim_mark(sim, NULL, 0);
    if (!sim->trace.print)
        return;
    (void)printf("[%8lld] ", (long long)sim->now_ms);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)printf("\n");
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list arguments;

    (void)fflush(stdout);
    (void)fprintf(stderr, "sim: VIOLATION: ");
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "\nsim: seed %llu; replay it with: sim --seed %llu --trace\n",
                  (unsigned long long)sim->seed, (unsigned long long)sim->seed);
    exit(1);
}

bool sim_crash_point(struct sim *sim, const char *where)
{
    if (sim->script != NULL) {
        const char *written = sim->run == 1 ? sim->script->crash_where : NULL;

        if (written == NULL || sim->crashed || strcmp(written, where) != 0)
            return false;
    } else if (sim->crash_in == 0 || --sim->crash_in > 0) {
        return false;
    }
    sim->crashed = true;
    sim_totals.crashes++;
    sim_trace(sim, "the process dies %s", where);
    return true;
}

/* --- drawing --- */

static uint32_t between(struct sim *sim, uint32_t from, uint32_t to)
{
    return from + (uint32_t)rng_below(&sim->rng, to - from + 1);
}

static struct pace_config draw_pace(struct sim *sim, uint32_t least_millis)
{
    struct pace_config pace = {.start_millis = 0, .burst = between(sim, 1, 10)};

    switch (rng_below(&sim->rng, 3)) {
    case 0: /* unlimited */
        break;
    case 1:
        pace.start_millis = least_millis + between(sim, 0, 100000);
        break;
    default:
        pace.learns = true;
        pace.start_millis = least_millis + between(sim, 0, 20000);
        pace.ceiling_millis = pace.start_millis + between(sim, 0, 50000);
        break;
    }
    return pace;
}

static void draw_limits(struct sim *sim)
{
    struct sim_limits *limits = &sim->limits;
    bool everything = sim->profile == SIM_ANYTHING;

    limits->network = rng_below(&sim->rng, 4) == 0 ? 0 : between(sim, 0, 300);
    limits->server = rng_below(&sim->rng, 4) == 0 ? 0 : between(sim, 0, 300);
    limits->poll = rng_below(&sim->rng, 4) == 0 ? 0 : between(sim, 0, 300);
    limits->result = rng_below(&sim->rng, 4) == 0 ? 0 : between(sim, 0, 400);
    limits->crash_every = rng_below(&sim->rng, 8) == 0 ? 0 : between(sim, 2, 60);
    limits->drain_every = rng_below(&sim->rng, 3) == 0 ? between(sim, 5, 100) : 0;
    limits->latency_ms = between(sim, 1, 300);
    limits->commit_ms = rng_below(&sim->rng, 3) == 0 ? 0 : between(sim, 1, 60);
    limits->job_ms = between(sim, 0, rng_below(&sim->rng, 8) == 0 ? 600000 : 8000);
    limits->away_ms = between(sim, 0, 60000);
    limits->storm_runs = between(sim, 2, 8);
    if (everything && rng_below(&sim->rng, 6) == 0)
        limits->away_ms = 20 * 60 * 60 * 1000; /* beyond every key window */
    sim->server.dates = rng_below(&sim->rng, 4) == 0   ? DATES_OFTEN
                        : rng_below(&sim->rng, 6) == 0 ? DATES_NEVER
                                                       : DATES_ALWAYS;
    sim->server.jobs_at = rng_below(&sim->rng, 2) == 0   ? JOBS_AT_BOTH
                          : rng_below(&sim->rng, 2) == 0 ? JOBS_AT_BASE
                                                         : JOBS_AT_V2;
    sim->clock_goes_back =
        everything && sim->server.dates == DATES_ALWAYS && rng_below(&sim->rng, 2) == 0;
    sim->server_skew_ms = (int64_t)between(sim, 0, 120000) - 60000;
    sim->wall_skew_ms = (int64_t)between(sim, 0, 120000) - 60000;
}

static struct policy draw_policy(struct sim *sim)
{
    struct policy policy = {.attempt_limit = UINT32_MAX,
                            .rekey_limit = 3,
                            .first_delay_ms = between(sim, 50, 1000),
                            .max_delay_ms = between(sim, 1000, 30000),
                            .key_window_ms = (int64_t)between(sim, 2, 12) * 60 * 60 * 1000,
                            .missing_limit = between(sim, 3, 6),
                            .missing_for_ms = between(sim, 60000, 120000)};

    if (sim->profile == SIM_ANYTHING)
        policy.attempt_limit = between(sim, 2, 6);
    if (sim->profile == SIM_ANYTHING && rng_below(&sim->rng, 4) == 0)
        policy.give_up_ms = (int64_t)between(sim, 1, 60) * 60 * 1000;
    return policy;
}

static void draw_options(struct sim *sim)
{
    static const char *const aliases[SIM_CONNECTIONS_MAX] = {"north", "south", "west"};
    uint32_t connections = between(sim, 1, SIM_CONNECTIONS_MAX);
    struct policy policy = draw_policy(sim);
    bool asks_status = sim->script == NULL && rng_below(&sim->rng, 4) != 0;

    for (uint32_t i = 0; i < SIM_CONNECTIONS_MAX; i++)
        sim->connections[i] = (struct engine_connection){.alias = aliases[i],
                                                         .number = i,
                                                         .pace = draw_pace(sim, 2000),
                                                         .in_flight = between(sim, 1, 4),
                                                         .asks_status = asks_status};
    sim->jobs[0] = (struct engine_job){.name = "create",
                                       .number = 0,
                                       .operation = operation_find(METHOD_POST, SLICE("/products")),
                                       .repeat = REPEAT_BY_KEY,
                                       .policy = policy,
                                       .failures_max = UINT64_MAX};
    sim->jobs[1] =
        (struct engine_job){.name = "update",
                            .number = 1,
                            .operation = operation_find(METHOD_PATCH, SLICE("/products/k1")),
                            .repeat = REPEAT_NEVER,
                            .policy = policy,
                            .failures_max = UINT64_MAX};
    sim->jobs[2] = sim->jobs[0];
    sim->jobs[2].name = "add";
    sim->jobs[2].number = 2;
    sim->options = (struct engine_options){
        .spec_name = SIM_SPEC_NAME,
        .base_origin = SIM_ORIGIN,
        .connections = sim->connections,
        .connection_count = connections,
        .jobs = sim->jobs,
        .job_count = SIM_JOB_KINDS,
        .renderer = &sim->renderer,
        .pace = draw_pace(sim, 5000),
        .in_flight = between(sim, 1, 8),
        .outstanding = between(sim, 2, rng_below(&sim->rng, 3) == 0 ? 3 : 16),
        .failures_max = UINT64_MAX,
        .timeout_ms = between(sim, 500, 5000),
        .unreachable_ms = 60000};
    sim->server.retention_ms = policy.key_window_ms + SIM_TRANSIT_MAX_MS + 20 * 60 * 1000;
}

static void add_item(struct sim *sim, uint32_t job)
{
    struct sim_item *item = &sim->items[++sim->item_count];
    struct frozen_request request;
    struct item value;
    struct buf storage;

    *item = (struct sim_item){.job = job,
                              .keyed = job != 1,
                              .connection =
                                  (uint32_t)rng_below(&sim->rng, sim->options.connection_count)};
    for (uint32_t epoch = 0; epoch < SIM_EPOCHS_MAX; epoch++)
        item->expected[epoch] = -1;
    (void)snprintf(item->key, sizeof item->key, "k%u", sim->item_count);
    item->number = sim->item_count;
    request = sim_request(item, 0, &storage);
    item->request_hash = request_hash(request.method, request.path, request.body);
    buf_deinit(&storage);
    value = item_new(job, item->connection, item->request_hash, sim_wall_ms(sim));
    if (sim->profile == SIM_ANYTHING) {
        item->refused_always = sim_chance(sim, 60);
        if (sim_chance(sim, 150))
            value.state = rng_below(&sim->rng, 2) == 0 ? ITEM_BLOCKED : ITEM_SKIPPED;
    }
    if (sim_ledger_add(&sim->ledger, &value) != item->number)
        sim_fail(sim, "items are numbered in another order than expected");
}

static void draw_world(struct sim *sim)
{
    static const enum sim_profile profiles[] = {SIM_RESOLVABLE, SIM_DUPLICATES, SIM_ANYTHING,
                                                SIM_ANYTHING};
    uint32_t most = rng_below(&sim->rng, 6) == 0 ? SIM_ITEMS_MAX : 10;
    uint32_t items;

    sim->profile = profiles[rng_below(&sim->rng, sizeof profiles / sizeof profiles[0])];
    draw_limits(sim);
    sim_draw_weather(sim);
    draw_options(sim);
    /* What has no key would be done again: nothing is promised for it there. */
    sim->loses_state = sim->profile != SIM_ANYTHING && rng_below(&sim->rng, 5) == 0;
    if (!sim->loses_state && rng_below(&sim->rng, 3) == 0)
        sim->jobs[0].repeat = sim->jobs[2].repeat = REPEAT_IF_PROVEN;
    items = between(sim, 1, most);
    for (uint32_t i = 0; i < items; i++)
        add_item(sim, !sim->loses_state && rng_below(&sim->rng, 4) == 0 ? 1
                      : rng_below(&sim->rng, 2) == 0                    ? 0
                                                                        : 2);
    sim->has_needs = rng_below(&sim->rng, 2) == 0;
    if (sim->has_needs)
        sim_draw_needs(sim);
    sim->adopts = sim->profile == SIM_ANYTHING && sim->seed % 3 == 1;
}

/* Nothing is drawn: round numbers, so that a trace can be followed by eye. */
static void write_world(struct sim *sim)
{
    const struct sim_script *script = sim->script;

    sim->profile = SIM_RESOLVABLE;
    draw_options(sim);
    sim->limits = (struct sim_limits){.latency_ms = 50,
                                      .commit_ms = 5,
                                      .job_ms = 1200,
                                      .away_ms = script->away_ms,
                                      .storm_runs = 1};
    sim->connections[0].pace = (struct pace_config){.burst = 1};
    sim->connections[0].in_flight = 2;
    sim->options.pace = (struct pace_config){.burst = 1};
    sim->options.connection_count = 1;
    sim->options.in_flight = 4;
    sim->options.outstanding = 8;
    sim->options.timeout_ms = 2000;
    for (uint32_t i = 0; i < SIM_JOB_KINDS; i++) {
        sim->jobs[i].policy.attempt_limit = 4;
        /* A millisecond leaves nothing to draw, so that traces stay as they are. */
        sim->jobs[i].policy.first_delay_ms = 1;
        sim->jobs[i].policy.max_delay_ms = 1;
        sim->jobs[i].policy.key_window_ms = 12 * 60 * 60 * 1000;
        sim->jobs[i].policy.missing_limit = 3;
        sim->jobs[i].policy.missing_for_ms = 300;
    }
    sim->server.retention_ms = 13 * 60 * 60 * 1000;
    sim->server.dates = DATES_ALWAYS;
    sim->server.jobs_at = JOBS_AT_BOTH;
    for (uint32_t i = 0; i < script->items; i++)
        add_item(sim, script->unkeyed ? 1 : 0);
    sim->items[1].refused_always = script->refused;
    rng_init(&sim->rng, 1); /* what is drawn for other worlds does not move these */
}

/* --- one run --- */

static int64_t earliest(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* The process has died: what it knew is gone, what it wrote is kept or lost as a batch. */
static void die(struct sim *sim)
{
    sim_transport_abandon(&sim->transport);
    sim_ledger_crash(&sim->ledger);
    sim_judge_crash(sim);
    sim_mark_found_sending(sim);
    sim->crashed = false;
}

static void maybe_drain(struct sim *sim, struct engine *engine)
{
    if (sim->limits.drain_every == 0 || !sim_chance(sim, 1000 / sim->limits.drain_every))
        return;
    sim_trace(sim, "asked to stop");
    engine_drain(engine, engine_now(sim).boot_ms + sim_draw_ms(sim, 0, 10000));
}

/* Moves time to the next moment at which something happens; true when the engine has to look. */
static bool move_on(struct sim *sim, int64_t wake_ms)
{
    int64_t at_ms = wake_ms;

    at_ms = earliest(at_ms, sim_transport_next_ms(&sim->transport));
    at_ms = earliest(at_ms, sim->ledger.closing_done_ms);
    if (at_ms == SIM_NEVER)
        sim_fail(sim, "the run waits for nothing");
    if (at_ms > sim->now_ms)
        sim->now_ms = at_ms;
    sim_transport_advance(&sim->transport);
    return wake_ms <= sim->now_ms || sim_transport_is_finished(&sim->transport) ||
           sim->ledger.closing_done_ms <= sim->now_ms;
}

/* One turn, now and then with no memory left; false when the process has ended. */
static bool play_turn(struct sim *sim, struct engine *engine, int64_t *wake_boot_ms_out)
{
    struct err err = {0};
    enum err_code code;

    sim->starved = sim->profile == SIM_ANYTHING && sim_chance(sim, 10);
    if (sim->starved)
        mem_test_fail((int64_t)rng_below(&sim->rng, 30), 1);
    code = engine_turn(engine, engine_now(sim), wake_boot_ms_out, &err);
    mem_test_fail(-1, 0);
    if (code == ERR_OK)
        return true;
    if (code == ERR_NO_MEMORY && sim->starved && !sim->crashed) {
        sim_trace(sim, "the process ends: %s", err.text);
        sim->crashed = true;
        sim_totals.crashes++;
    }
    if (!sim->crashed)
        sim_fail(sim, "the engine gave up: %s", err.text);
    return false;
}

static bool play_turns(struct sim *sim, struct engine *engine)
{
    const struct engine_progress *progress = engine_progress(engine);
    uint32_t spins = 0;

    for (uint32_t turn = 0; turn < RUN_TURNS_MAX; turn++) {
        int64_t wake_boot_ms = INT64_MAX, wake_ms, before_ms = sim->now_ms;

        if (sim_crash_point(sim, "between two turns"))
            return false;
        sim_totals.turns++;
        if (!play_turn(sim, engine, &wake_boot_ms))
            return false;
        if (sim->crashed)
            sim_fail(sim, "the engine goes on after an error");
        if (progress->phase == ENGINE_ENDED)
            return true;
        maybe_drain(sim, engine);
        wake_ms = wake_boot_ms == INT64_MAX ? SIM_NEVER
                                            : wake_boot_ms + sim->boot_zero_ms - BOOT_START_MS;
        while (!move_on(sim, wake_ms))
            ;
        spins = sim->now_ms == before_ms ? spins + 1 : 0;
        if (spins > SPIN_MAX)
            sim_fail(sim, "the run spins without time going by");
    }
    sim_fail(sim, "the run does not end");
}

static bool is_finished(const struct sim *sim, const struct engine_progress *progress)
{
    bool is_over =
        progress->stop == STOP_NONE && progress->parked_connections == 0 && !sim->finishes_first;

    for (uint32_t number = 1; number <= sim->item_count; number++) {
        enum item_state state = sim->ledger.durable[number].item.state;

        is_over &= state != ITEM_READY && !item_state_is_active(state);
    }
    return is_over;
}

/* As the command does: what was lost of the ledger is from now on known item by item. */
static void keep_loss(struct sim *sim)
{
    struct err err = {0};

    if (sim->options.lost_since_ms == 0)
        return;
    sim->crash_in = 0;
    if (ledger_keep_loss(&sim->ledger.base, sim->options.lost_since_ms, &err) != ERR_OK)
        sim_fail(sim, "what was lost is not kept: %s", err.text);
    sim_ledger_commit(&sim->ledger);
    sim->options.lost_since_ms = 0;
    /* Of some it is known all the same; to doubt them is no lie. */
    for (uint32_t number = 1; number <= sim->item_count; number++)
        sim->items[number].restored |= sim->ledger.durable[number].item.lost_since_ms != 0;
}

static void play_run(struct sim *sim)
{
    struct engine *engine = NULL;
    struct err err = {0};
    bool ended;

    sim->run++;
    sim->ended_calmly = false;
    sim_totals.runs++;
    sim->options.seed = rng_next(&sim->rng);
    sim->options.item_limit = sim_chance(sim, 100) ? between(sim, 0, 5) : UINT64_MAX;
    sim->options.canary = 0;
    sim_person_compares(sim);
    if (!sim->calm && sim->script == NULL && sim->seed % 4 == 3)
        sim->options.canary = 1 + (uint32_t)(sim->seed / 4 % 4);
    sim->crash_in = 0;
    if (!sim->calm && sim->limits.crash_every > 0)
        sim->crash_in = between(sim, 1, 2 * sim->limits.crash_every);
    sim_trace(sim, "run %u begins", sim->run);
    sim_judge_run_begin(sim);
    if (engine_new(&sim->options, &sim->ledger.base, &sim->transport.base, engine_now(sim), &engine,
                   &err) != ERR_OK) {
        if (!sim->crashed)
            sim_fail(sim, "the engine does not start: %s", err.text);
        die(sim);
        return;
    }
    ended = play_turns(sim, engine);
    if (ended) {
        const struct engine_progress *progress = engine_progress(engine);

        sim_trace(sim, "run %u ends%s%s", sim->run, progress->stop == STOP_NONE ? "" : ": ",
                  progress->stop_text);
        sim_judge_run_end(sim, progress);
        if (is_finished(sim, progress))
            keep_loss(sim);
    }
    engine_free(engine);
    sim->crash_in = 0;
    if (!ended)
        die(sim);
}

/* --- the world --- */

static bool all_have_ended(const struct sim *sim)
{
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        enum item_state state = sim->ledger.durable[number].item.state;

        if (state == ITEM_READY || item_state_is_active(state))
            return false;
    }
    return !sim->has_needs || sim->ended_calmly;
}

uint64_t sim_world_play(struct sim *sim)
{
    sim_current = sim;
    rng_init(&sim->rng, sim->seed);
    sim_ledger_init(&sim->ledger, sim);
    sim_transport_init(&sim->transport, sim);
    if (sim->script != NULL)
        write_world(sim);
    else
        draw_world(sim);
    sim_trace(sim, "%u items on %zu connections", sim->item_count, sim->options.connection_count);
    do {
        sim->calm = sim->run >= sim->limits.storm_runs;
        play_run(sim);
        if (sim->run > sim->limits.storm_runs + CALM_RUNS_MAX)
            sim_fail(sim, "faults have stopped, and it does not end");
        sim_be_away(sim);
    } while (!all_have_ended(sim) || (sim->run < sim->limits.storm_runs &&
                                      sim->profile == SIM_ANYTHING && sim->script == NULL));
    sim_let_time_pass(sim, SIM_NEVER);
    sim_judge_world_end(sim);
    sim_totals.worlds++;
    sim_totals.items += sim->item_count;
    return sim->trace.hash;
}
