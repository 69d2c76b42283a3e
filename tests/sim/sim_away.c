/* Time goes by without purser: what becomes of its ledger and its clocks meanwhile. */
#include <string.h>

#include "sim.h"

enum { AT_REST_MS = 5000 };

static void lose_records(struct sim *sim)
{
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        struct sim_stored *stored = &sim->ledger.durable[number];

        if (stored->has_needs && sim_chance(sim, 4)) {
            sim_trace(sim, "what item %u needs is damaged", number);
            stored->needs_damaged = true;
        }
        if (!sim_chance(sim, 4) || item_state_is_final(stored->item.state))
            continue;
        sim_trace(sim, "the record of item %u is damaged", number);
        stored->damaged = true;
        sim->items[number].faults |= FAULT_DAMAGE;
    }
}

void sim_let_time_pass(struct sim *sim, int64_t until_ms)
{
    int64_t next_ms = sim_transport_next_ms(&sim->transport);

    while (next_ms != SIM_NEVER && next_ms <= until_ms) {
        sim->now_ms = next_ms > sim->now_ms ? next_ms : sim->now_ms;
        sim_transport_advance(&sim->transport);
        next_ms = sim_transport_next_ms(&sim->transport);
    }
    if (until_ms != SIM_NEVER)
        sim->now_ms = until_ms;
}

/* The state directory is gone: everything starts again, under the keys that it had before. */
static void lose_state(struct sim *sim)
{
    sim_trace(sim, "the state directory is lost");
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        struct sim_item *item = &sim->items[number];
        struct item value =
            item_new(item->job, item->connection, item->request_hash, sim_wall_ms(sim));

        sim_mark_new_generation(item);
        sim->ledger.durable[number] = (struct sim_stored){.item = value, .request_generation = 1};
        sim->ledger.newest[number] = value.state;
    }
    sim_reset_needs(sim);
}

static void copy_state(struct sim *sim)
{
    memcpy(sim->copy.stored, sim->ledger.durable, sizeof sim->copy.stored);
    memcpy(sim->copy.items, sim->items, sizeof sim->copy.items);
    sim->copy.proven = sim->ledger.proven;
    sim->copy.lost_since_ms = sim->options.lost_since_ms;
    sim->copy.run_begin_wall_ms = sim->run_begin_wall_ms;
    sim->has_copy = true;
}

/* As io/lmdb_ledger_copy finds it: what was lost is younger than all that the copy knows of. */
static int64_t lost_since_ms(const struct sim *sim)
{
    int64_t end_ms = 0;

    for (uint32_t number = 1; number <= sim->item_count; number++)
        if (sim->copy.stored[number].item.intent_ms > end_ms)
            end_ms = sim->copy.stored[number].item.intent_ms;
    if (end_ms == 0)
        end_ms = sim->copy.run_begin_wall_ms;
    if (sim->copy.lost_since_ms != 0 && sim->copy.lost_since_ms < end_ms)
        return sim->copy.lost_since_ms;
    return end_ms;
}

/* What is known of an item is what was known then; what was done to it stays done. */
static void restore_item(struct sim_item *item, const struct sim_item *copy)
{
    struct sim_item then = *copy;

    memcpy(then.effects, item->effects, sizeof then.effects);
    then.source_epoch = item->source_epoch;
    then.sent_generation = item->sent_generation;
    then.clock_was_set = item->clock_was_set;
    then.refused_always = item->refused_always;
    then.job_throttles = item->job_throttles;
    *item = then;
}

/* An older copy of the ledger takes its place: what was durable since is gone. */
static void restore_copy(struct sim *sim)
{
    sim_trace(sim, "the state directory is replaced by an older copy");
    sim_totals.restores++;
    memcpy(sim->ledger.durable, sim->copy.stored, sizeof sim->copy.stored);
    sim->ledger.proven = sim->copy.proven;
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        restore_item(&sim->items[number], &sim->copy.items[number]);
        sim->ledger.newest[number] = sim->copy.stored[number].item.state;
    }
    sim_mark_found_sending(sim);
}

/* `purser adopt --as restored`. The copy is not used again. */
static void adopt_copy(struct sim *sim)
{
    struct err err = {0};

    restore_copy(sim);
    sim_totals.adoptions++;
    sim->has_copy = false;
    sim->options.lost_since_ms = lost_since_ms(sim);
    for (uint32_t number = 1; number <= sim->item_count; number++)
        sim->items[number].restored |= sim->copy.stored[number].item.state != ITEM_SUCCEEDED;
    if (ledger_forget_words(&sim->ledger.base, &err) != ERR_OK)
        sim_fail(sim, "%s", err.text);
    sim_ledger_commit(&sim->ledger);
}

static void make_backups(struct sim *sim)
{
    if (sim->has_copy && sim_chance(sim, 300))
        adopt_copy(sim);
    else if (sim_chance(sim, 300))
        copy_state(sim);
}

static void harm_state(struct sim *sim)
{
    if (sim_chance(sim, 200))
        copy_state(sim);
    if (sim_chance(sim, 200))
        lose_state(sim);
    else if (sim->has_copy && !sim->has_needs && sim_chance(sim, 300))
        restore_copy(sim);
}

/* It runs ahead more and more; or, where the server tells its time, it falls behind, and may be put
 * right again. */
static void set_wall_clock(struct sim *sim)
{
    int64_t by_ms = sim_draw_ms(sim, 0, 20 * 60 * 60 * 1000);

    if (!sim->clock_goes_back)
        sim->wall_skew_ms += by_ms;
    else
        sim->wall_skew_ms = rng_below(&sim->rng, 3) == 0 ? 0 : -by_ms;
    sim_trace(sim, "the wall clock is set; it is off by %lld ms", (long long)sim->wall_skew_ms);
    for (uint32_t number = 1; number <= sim->item_count; number++)
        sim->items[number].clock_was_set = true;
}

void sim_be_away(struct sim *sim)
{
    sim_let_time_pass(sim, sim->now_ms +
                               (sim->calm ? AT_REST_MS : sim_draw_ms(sim, 0, sim->limits.away_ms)));
    if (sim_chance(sim, 300))
        sim->boot_zero_ms = sim->now_ms; /* the host was started again */
    if (sim->loses_state)
        harm_state(sim);
    if (sim->profile != SIM_ANYTHING || sim->script != NULL)
        return;
    if (sim_chance(sim, 150))
        set_wall_clock(sim);
    if (sim->adopts)
        make_backups(sim);
    else
        lose_records(sim);
    sim_person_acts(sim);
}
