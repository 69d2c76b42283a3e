#include "sim.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t clock_ms(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sim_tick(struct sim *sim)
{
    int64_t now_ms = clock_ms(CLOCK_MONOTONIC);

    if (now_ms > sim->now_ms)
        sim->now_ms = now_ms;
}

int64_t sim_wall_ms(const struct sim *sim)
{
    return sim->started_wall_ms + sim->now_ms - sim->started_ms;
}

void sim_format_time(int64_t wall_ms, char out[SIM_TIME_BYTES])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    size_t length;

    gmtime_r(&seconds, &parts);
    length = strftime(out, SIM_TIME_BYTES, "\"%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + length, SIM_TIME_BYTES - length, ".%03dZ\"", (int)(wall_ms % 1000));
}

int64_t sim_synced_ms(const struct sim *sim)
{
    return sim->reads_stand_still ? sim->stood_still_ms : sim->now_ms - sim->options.read_lag_ms;
}

static void make_authorization(struct sim *sim)
{
    struct text pair = {0};
    int length;

    text_add(&pair, sim->options.client_id);
    text_add(&pair, SLICE(":"));
    text_add(&pair, sim->options.client_secret);
    text_reserve(&sim->authorization, pair.length * 2 + 8);
    length = EVP_EncodeBlock((unsigned char *)sim->authorization.bytes,
                             (const unsigned char *)pair.bytes, (int)pair.length);
    sim->authorization.length = (size_t)length;
    text_free(&pair);
}

void sim_init(struct sim *sim, const struct options *options, struct slice authority)
{
    *sim = (struct sim){.options = *options, .epoch = 1};
    sim->scheme = options->tls_cert != NULL ? "https://" : "http://";
    text_add(&sim->authority, authority);
    text_addf(&sim->elsewhere, "%s/versioned/elsewhere", options->foreign_origin);
    text_add(&sim->elsewhere, (struct slice){"", 1});
    make_authorization(sim);
    sim_tick(sim);
    sim->started_ms = sim->now_ms;
    sim->started_wall_ms = clock_ms(CLOCK_REALTIME);
    ledger_open(sim);
}

void sim_reset(struct sim *sim)
{
    int64_t open = sim->counters.open_connections;

    sim->epoch++;
    for (uint32_t number = sim->jobs.forgotten + 1; number <= sim->jobs.last; number++)
        timers_remove(&sim->timers, &jobs_at(&sim->jobs, number)->timer);
    sim->jobs.forgotten = sim->jobs.last;
    ledger_reset(&sim->ledger);
    sim->counters = (struct counters){.open_connections = open};
    free(sim->organisation.allowed_at);
    sim->organisation = (struct limit){0};
    table_reset(&sim->key_table);
    sim->key_count = 0;
    sim->keys_older_ms = 0;
    table_reset(&sim->content_counts);
    table_reset(&sim->deleted);
    connections_reset(sim);
    sim->reads_stand_still = false;
    script_clear(&sim->script);
}

struct key_record *sim_key(struct sim *sim, struct slice key)
{
    struct table_slot *slot = table_at(&sim->key_table, hash_bytes(sim->options.seed, key));
    uint32_t number = slot->value;

    while (number != 0) {
        if (slice_equal(sim->keys[number - 1].key, key))
            return &sim->keys[number - 1];
        number = sim->keys[number - 1].next;
    }
    if (sim->key_count == sim->key_capacity) {
        sim->key_capacity = sim->key_capacity == 0 ? 1024 : sim->key_capacity * 2;
        sim->keys = memory_grow(sim->keys, sim->key_capacity * sizeof *sim->keys);
    }
    sim->keys[sim->key_count] =
        (struct key_record){.key = arena_copy(&sim->arena, key), .next = slot->value};
    slot->value = ++sim->key_count;
    return &sim->keys[sim->key_count - 1];
}

bool sim_key_is_forgotten(const struct sim *sim, const struct key_record *record)
{
    int64_t age_ms;

    if (record->job == 0)
        return false;
    age_ms = sim->now_ms + sim->keys_older_ms - jobs_at(&sim->jobs, record->job)->accepted_ms;
    return record->job <= sim->keys_forgotten ||
           (sim->options.key_retention_ms > 0 && age_ms >= sim->options.key_retention_ms);
}

int64_t sim_pick(const int64_t range[2], uint64_t draw)
{
    return range[0] + (int64_t)(draw % (uint64_t)(range[1] - range[0] + 1));
}
