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
    sim->now_ms = clock_ms(CLOCK_MONOTONIC);
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
    table_reset(&sim->content_counts);
    table_reset(&sim->deleted);
    for (uint32_t i = 0; i < sim->connection_count; i++) {
        free(sim->connections[i]->platform.allowed_at);
        sim->connections[i]->platform = (struct limit){0};
        sim->connections[i]->state = CONNECTION_READY;
    }
    script_clear(&sim->script);
}

static bool token_is_accepted(const struct options *options, struct slice token)
{
    if (options->token_count == 0)
        return uuid_is_valid(token);
    for (size_t i = 0; i < options->token_count; i++)
        if (slice_equal(token, options->tokens[i]))
            return true;
    return false;
}

static struct connection *new_connection(struct sim *sim, struct slice token, uint64_t hash)
{
    struct connection *connection = memory_new(sizeof *connection);
    struct text shown = {0};
    unsigned char digest[32];

    sha256(token, digest);
    text_add_hex(&shown, digest, CONNECTION_HASH_LENGTH / 2);
    *connection = (struct connection){.hash = hash, .token = arena_copy(&sim->arena, token)};
    memcpy(connection->shown, shown.bytes, CONNECTION_HASH_LENGTH);
    text_free(&shown);
    if ((sim->connection_count & (sim->connection_count + 1)) == 0)
        sim->connections = memory_grow(sim->connections, (sim->connection_count + 1) * 2 *
                                                             sizeof(struct connection *));
    sim->connections[sim->connection_count++] = connection;
    connection->number = sim->connection_count;
    return connection;
}

struct connection *sim_connection(struct sim *sim, struct slice token)
{
    uint64_t hash = hash_bytes(7, token);
    struct table_slot *slot = table_find(&sim->connection_table, hash);
    struct connection *connection;

    if (slot != NULL) {
        connection = sim->connections[slot->value - 1];
        return slice_equal(connection->token, token) ? connection : NULL;
    }
    if (!token_is_accepted(&sim->options, token))
        return NULL;
    return sim_know(sim, token);
}

struct connection *sim_know(struct sim *sim, struct slice token)
{
    uint64_t hash = hash_bytes(7, token);
    struct connection *connection = new_connection(sim, token, hash);

    table_at(&sim->connection_table, hash)->value = sim->connection_count;
    return connection;
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

int64_t sim_pick(const int64_t range[2], uint64_t draw)
{
    return range[0] + (int64_t)(draw % (uint64_t)(range[1] - range[0] + 1));
}
