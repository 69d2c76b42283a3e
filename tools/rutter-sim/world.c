#include "world.h"

#include "api.h"
#include "world_text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_WAIT_MS 30000
#define LOCK_RETRY_MS 5
#define PATH_BYTES 4096

/* Kinds of records, in the order in which they stand. */
enum record {
    RECORD_CONNECTION = 1,
    RECORD_TOKEN,
    RECORD_JOB,
    RECORD_KEY,
    RECORD_CONTENT,
    RECORD_DELETED,
    RECORD_EXCHANGED
};

enum job_flag { FLAG_HIDDEN = 1, FLAG_FINISHED = 2, FLAG_FOUND_DELETED = 4, FLAG_OLD_URL = 8 };

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void give_up(const struct sim *sim, const char *what, const char *detail)
{
    fprintf(stderr, "rutter-sim: --world %s: %s%s%s\n", sim->options.world_file, what,
            detail[0] == '\0' ? "" : ": ", detail);
    exit(1);
}

static void make_path(const struct sim *sim, const char *ending, char path_out[PATH_BYTES])
{
    int length = snprintf(path_out, PATH_BYTES, "%s%s", sim->options.world_file, ending);

    if (length < 0 || length >= PATH_BYTES)
        give_up(sim, "the name is too long", "");
}

/* --- saving --- */

static void put_connections(struct world_writer *writer, const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->connections.count; i++) {
        const struct connection *connection = sim->connections.all[i];

        world_put_number(writer, RECORD_CONNECTION);
        world_put_number(writer, connection->hash);
        world_put_number(writer, connection->id[0]);
        world_put_number(writer, connection->id[1]);
        world_put_bytes(writer, slice_of(connection->shown));
        world_put_number(writer, (uint64_t)connection->state);
        world_put_bytes(writer, connection->platform);
        world_put_bytes(writer, connection->store);
        world_put_bytes(writer, connection->disabled_reason);
        world_put_number(writer, (uint64_t)connection->created_wall_ms);
        world_put_number(writer, connection->has_flat_status);
        world_end_record(writer);
    }
}

/* A client's tokens are its secrets: only their digests are kept. */
static void put_tokens(struct world_writer *writer, const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->connections.token_count; i++) {
        const struct token *token = &sim->connections.tokens[i];

        world_put_number(writer, RECORD_TOKEN);
        world_put_number(writer, token->hash);
        world_put_number(writer, token->made_of[0]);
        world_put_number(writer, token->made_of[1]);
        world_put_bytes(writer, (struct slice){(const char *)token->digest, DIGEST_BYTES});
        world_put_number(writer, token->connection);
        world_put_number(writer, token->is_revoked);
        world_end_record(writer);
    }
}

/* A part of the body by its place; of a forgotten body the part itself. */
static void put_part(struct world_writer *writer, const struct job *job, struct slice part)
{
    if (job->has_digest) {
        world_put_bytes(writer, part);
        return;
    }
    world_put_number(writer, part.length == 0 ? 0 : (uint64_t)(part.bytes - job->body.bytes));
    world_put_number(writer, part.length);
}

static void put_outcome(struct world_writer *writer, const struct outcome *outcome)
{
    world_put_bytes(writer, slice_of(outcome == NULL ? "" : outcome->name));
}

static void put_body(struct world_writer *writer, const struct job *job)
{
    struct slice digest = {(const char *)job->body_sha256, sizeof job->body_sha256};

    world_put_number(writer, job->has_digest);
    world_put_bytes(writer, job->has_digest ? digest : job->body);
    put_part(writer, job, job->wrapper);
    put_part(writer, job, job->own_id);
    put_part(writer, job, job->name);
    put_part(writer, job, job->sku);
}

static void put_job(struct world_writer *writer, const struct sim *sim, const struct job *job)
{
    int64_t left_ms = job->timer.due_ms - sim->now_ms;

    world_put_number(writer, RECORD_JOB);
    world_put_bytes(writer, slice_of(method_name(job->operation->method)));
    world_put_bytes(writer, slice_of(job->operation->path));
    world_put_number(writer, job->connection == NULL ? 0 : job->connection->number);
    put_outcome(writer, job->outcome);
    put_outcome(writer, job->poll_outcome);
    world_put_number(writer, job->poll_outcome_left);
    world_put_number(writer, (uint64_t)(sim->now_ms - job->accepted_ms));
    world_put_number(writer, job->is_finished ? (uint64_t)(sim->now_ms - job->finished_ms) : 0);
    world_put_number(writer, job->is_finished || left_ms < 0 ? 0 : (uint64_t)left_ms);
    world_put_number(writer, job->draw);
    world_put_number(writer, job->entity[0]);
    world_put_number(writer, job->entity[1]);
    world_put_number(writer, job->id[0]);
    world_put_number(writer, job->id[1]);
    world_put_number(writer, job->entry);
    world_put_number(writer, job->polls);
    world_put_number(writer, job->effects);
    world_put_number(writer, (job->is_hidden ? FLAG_HIDDEN : 0u) |
                                 (job->is_finished ? FLAG_FINISHED : 0u) |
                                 (job->found_deleted ? FLAG_FOUND_DELETED : 0u) |
                                 (job->old_url ? FLAG_OLD_URL : 0u));
    world_put_bytes(writer, job->path);
    world_put_bytes(writer, job->key);
    put_body(writer, job);
    world_end_record(writer);
}

static void put_keys(struct world_writer *writer, const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->key_count; i++) {
        bool is_forgotten = sim_key_is_forgotten(sim, &sim->keys[i]);

        world_put_number(writer, RECORD_KEY);
        world_put_bytes(writer, sim->keys[i].key);
        world_put_number(writer, sim->keys[i].attempts);
        world_put_number(writer, sim->keys[i].times_forgotten + is_forgotten);
        world_put_number(writer, is_forgotten ? 0 : sim->keys[i].job);
        world_end_record(writer);
    }
}

static void put_table(struct world_writer *writer, enum record record, const struct table *table)
{
    for (size_t i = 0; table->slots != NULL && i <= table->mask; i++) {
        if (table->slots[i].hash == 0)
            continue;
        world_put_number(writer, record);
        world_put_number(writer, table->slots[i].hash);
        world_put_number(writer, table->slots[i].value);
        world_end_record(writer);
    }
}

static bool put_world(const struct sim *sim, FILE *file)
{
    struct world_writer writer;

    world_writer_init(&writer, file);
    world_put_number(&writer, (uint64_t)wall_ms());
    world_put_number(&writer, sim->epoch);
    world_put_number(&writer, sim->ledger.last);
    world_put_number(&writer, sim->jobs.forgotten);
    world_end_record(&writer);
    put_connections(&writer, sim);
    put_tokens(&writer, sim);
    for (uint32_t number = sim->jobs.forgotten + 1; number <= sim->jobs.last; number++)
        put_job(&writer, sim, jobs_at(&sim->jobs, number));
    put_keys(&writer, sim);
    put_table(&writer, RECORD_CONTENT, &sim->content_counts);
    put_table(&writer, RECORD_DELETED, &sim->deleted);
    put_table(&writer, RECORD_EXCHANGED, &sim->connections.exchanged);
    return world_end(&writer);
}

bool world_save(struct sim *sim)
{
    char aside[PATH_BYTES];
    FILE *file = NULL;
    bool is_saved;
    int descriptor;

    if (sim->options.world_file == NULL)
        return true;
    make_path(sim, ".new", aside);
    sim_tick(sim);
    descriptor = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor != -1)
        file = fdopen(descriptor, "w");
    is_saved = file != NULL && put_world(sim, file) && fsync(fileno(file)) == 0;
    if (file != NULL)
        is_saved = fclose(file) == 0 && is_saved;
    is_saved = is_saved && rename(aside, sim->options.world_file) == 0;
    if (!is_saved) {
        fprintf(stderr, "rutter-sim: --world %s: it cannot be written: %s\n",
                sim->options.world_file, strerror(errno));
        unlink(aside);
    }
    return is_saved;
}

/* --- loading --- */

static const struct outcome *get_outcome(struct world_reader *reader)
{
    struct slice name = world_get_bytes(reader);
    const struct outcome *outcome = outcome_find(name);

    if (outcome == NULL && name.length > 0)
        world_fail(reader, "it names an outcome that this rutter-sim does not know");
    return outcome;
}

static const struct operation *get_operation(struct world_reader *reader)
{
    enum method method = method_from_text(world_get_bytes(reader));
    struct slice path = world_get_bytes(reader);

    for (size_t i = 0; operation_at(i) != NULL; i++)
        if (operation_at(i)->method == method && slice_equal(slice_of(operation_at(i)->path), path))
            return operation_at(i);
    world_fail(reader, "it names an operation that this rutter-sim does not know");
    return operation_at(0);
}

static struct slice get_part(struct world_reader *reader, const struct job *job)
{
    uint64_t at, length;

    if (job->has_digest)
        return world_get_bytes(reader);
    at = world_get_number(reader, job->body.length);
    length = world_get_number(reader, job->body.length - at);
    return length == 0 ? (struct slice){NULL, 0}
                       : (struct slice){job->body.bytes + at, (size_t)length};
}

static void get_body(struct world_reader *reader, struct job *job)
{
    struct slice bytes;

    job->has_digest = world_get_number(reader, 1) == 1;
    bytes = world_get_bytes(reader);
    if (!job->has_digest)
        job->body = bytes;
    else if (bytes.length == sizeof job->body_sha256)
        memcpy(job->body_sha256, bytes.bytes, bytes.length);
    else
        world_fail(reader, "a digest has another length");
    job->wrapper = get_part(reader, job);
    job->own_id = get_part(reader, job);
    job->name = get_part(reader, job);
    job->sku = get_part(reader, job);
}

static void get_connection(struct world_reader *reader, struct sim *sim)
{
    struct connection *connection = connection_new(sim);
    struct slice shown;

    connection->hash = world_get_number(reader, UINT64_MAX);
    connection->id[0] = world_get_number(reader, UINT64_MAX);
    connection->id[1] = world_get_number(reader, UINT64_MAX);
    shown = world_get_bytes(reader);
    if (shown.length == CONNECTION_HASH_LENGTH)
        memcpy(connection->shown, shown.bytes, shown.length);
    else
        world_fail(reader, "a connection's name has another length");
    connection->state = (enum connection_state)world_get_number(reader, CONNECTION_DELETED);
    connection->platform = world_get_bytes(reader);
    connection->store = world_get_bytes(reader);
    connection->disabled_reason = world_get_bytes(reader);
    connection->created_wall_ms = (int64_t)world_get_number(reader, INT64_MAX);
    connection->has_flat_status = world_get_number(reader, 1) == 1;
}

static void get_token(struct world_reader *reader, struct sim *sim)
{
    struct token token = {.hash = world_get_number(reader, UINT64_MAX)};
    struct slice digest;

    token.made_of[0] = world_get_number(reader, UINT64_MAX);
    token.made_of[1] = world_get_number(reader, UINT64_MAX);
    digest = world_get_bytes(reader);
    if (digest.length == DIGEST_BYTES)
        memcpy(token.digest, digest.bytes, digest.length);
    else
        world_fail(reader, "a digest has another length");
    token.connection = (uint32_t)world_get_number(reader, sim->connections.count);
    token.is_revoked = world_get_number(reader, 1) == 1;
    if (token.connection == 0)
        world_fail(reader, "a token belongs to no connection");
    if (reader->problem == NULL)
        connection_add_token(sim, &token);
}

static void get_numbers(struct world_reader *reader, struct job *job)
{
    uint64_t flags;

    job->draw = world_get_number(reader, UINT64_MAX);
    job->entity[0] = world_get_number(reader, UINT64_MAX);
    job->entity[1] = world_get_number(reader, UINT64_MAX);
    job->id[0] = world_get_number(reader, UINT64_MAX);
    job->id[1] = world_get_number(reader, UINT64_MAX);
    job->entry = (uint32_t)world_get_number(reader, UINT32_MAX);
    job->polls = (uint32_t)world_get_number(reader, UINT32_MAX);
    job->effects = (uint8_t)world_get_number(reader, UINT8_MAX);
    flags = world_get_number(reader, 15);
    job->is_hidden = (flags & FLAG_HIDDEN) != 0;
    job->is_finished = (flags & FLAG_FINISHED) != 0;
    job->found_deleted = (flags & FLAG_FOUND_DELETED) != 0;
    job->old_url = (flags & FLAG_OLD_URL) != 0;
}

/* `away_ms`: how long no process was there. The world went on meanwhile. */
static void get_job(struct world_reader *reader, struct sim *sim, int64_t away_ms)
{
    struct job *job = jobs_new(&sim->jobs);
    uint64_t connection, age_ms, finished_age_ms, left_ms;

    job->sim = sim;
    job->operation = get_operation(reader);
    connection = world_get_number(reader, sim->connections.count);
    job->connection = connection_at(sim, (uint32_t)connection);
    job->outcome = get_outcome(reader);
    job->poll_outcome = get_outcome(reader);
    job->poll_outcome_left = (uint32_t)world_get_number(reader, UINT32_MAX);
    age_ms = world_get_number(reader, INT64_MAX / 4);
    finished_age_ms = world_get_number(reader, INT64_MAX / 4);
    left_ms = world_get_number(reader, INT64_MAX);
    get_numbers(reader, job);
    job->path = world_get_bytes(reader);
    job->key = world_get_bytes(reader);
    get_body(reader, job);
    if (reader->problem != NULL)
        return;
    job->accepted_ms = sim->now_ms - away_ms - (int64_t)age_ms;
    job->finished_ms = sim->now_ms - away_ms - (int64_t)finished_age_ms;
    job->timer.due_ms = sim->now_ms;
    if (!job->is_finished)
        job_wait(job, sim->now_ms + ((int64_t)left_ms > away_ms ? (int64_t)left_ms - away_ms : 0));
    for (uint8_t i = 0; i < job->effects; i++)
        ledger_count_effect(sim, job);
}

static void get_key(struct world_reader *reader, struct sim *sim)
{
    struct slice key = world_get_bytes(reader);
    uint32_t attempts = (uint32_t)world_get_number(reader, UINT32_MAX);
    uint32_t times_forgotten = (uint32_t)world_get_number(reader, UINT32_MAX);
    uint32_t job = (uint32_t)world_get_number(reader, sim->jobs.last);
    struct key_record *record;

    if (job != 0 && jobs_at(&sim->jobs, job) == NULL)
        world_fail(reader, "a key names a job that is not there");
    if (reader->problem != NULL)
        return;
    record = sim_key(sim, key);
    record->attempts = attempts;
    record->times_forgotten = times_forgotten;
    record->job = job;
}

static void get_slot(struct world_reader *reader, struct table *table)
{
    uint64_t hash = world_get_number(reader, UINT64_MAX);
    uint32_t value = (uint32_t)world_get_number(reader, UINT32_MAX);

    if (reader->problem == NULL)
        table_at(table, hash)->value = value;
}

static void get_record(struct world_reader *reader, struct sim *sim, int64_t away_ms)
{
    switch ((enum record)world_get_number(reader, RECORD_EXCHANGED)) {
    case RECORD_CONNECTION:
        get_connection(reader, sim);
        break;
    case RECORD_TOKEN:
        get_token(reader, sim);
        break;
    case RECORD_JOB:
        get_job(reader, sim, away_ms);
        break;
    case RECORD_KEY:
        get_key(reader, sim);
        break;
    case RECORD_CONTENT:
        get_slot(reader, &sim->content_counts);
        break;
    case RECORD_DELETED:
        get_slot(reader, &sim->deleted);
        break;
    case RECORD_EXCHANGED:
        get_slot(reader, &sim->connections.exchanged);
        break;
    default:
        world_fail(reader, "a record is of no known kind");
    }
    world_expect_record_end(reader);
}

static void get_world(struct world_reader *reader, struct sim *sim)
{
    int64_t away_ms = wall_ms() - (int64_t)world_get_number(reader, INT64_MAX);

    sim->epoch = (uint32_t)world_get_number(reader, UINT32_MAX);
    sim->ledger.last = (uint32_t)world_get_number(reader, UINT32_MAX);
    sim->ledger.forgotten = sim->ledger.last;
    jobs_continue(&sim->jobs, (uint32_t)world_get_number(reader, UINT32_MAX));
    world_expect_record_end(reader);
    if (away_ms < 0)
        away_ms = 0; /* the clock was set back */
    while (reader->problem == NULL && !world_at_end(reader))
        get_record(reader, sim, away_ms);
}

static void load(struct sim *sim, struct slice file)
{
    struct world_reader reader;
    char where[160];

    if (world_begin(&reader, file))
        get_world(&reader, sim);
    if (reader.problem == NULL)
        return;
    snprintf(where, sizeof where, "record %llu: %s; remove it to begin with an empty world",
             (unsigned long long)reader.record, reader.problem);
    give_up(sim, "it cannot be used", where);
}

/* Held until the process ends. */
static void lock(struct sim *sim)
{
    char path[PATH_BYTES];
    int descriptor;

    make_path(sim, ".lock", path);
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor == -1)
        give_up(sim, path, strerror(errno));
    for (int waited_ms = 0; flock(descriptor, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_RETRY_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            give_up(sim, path, strerror(errno));
        if (waited_ms >= LOCK_WAIT_MS)
            give_up(sim, "another rutter-sim uses it", "");
        poll(NULL, 0, LOCK_RETRY_MS);
    }
}

void world_open(struct sim *sim)
{
    struct stat status;
    void *bytes;
    int descriptor;

    if (sim->options.world_file == NULL)
        return;
    lock(sim);
    descriptor = open(sim->options.world_file, O_RDONLY | O_CLOEXEC);
    if (descriptor == -1 && errno == ENOENT)
        return;
    if (descriptor == -1 || fstat(descriptor, &status) != 0)
        give_up(sim, "it cannot be read", strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        give_up(sim, "it is empty, or no file", "");
    /* Stays mapped: bodies and keys are used where they stand. */
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        give_up(sim, "it cannot be read", strerror(errno));
    close(descriptor);
    load(sim, (struct slice){bytes, (size_t)status.st_size});
}
