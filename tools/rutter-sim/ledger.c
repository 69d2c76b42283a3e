#include "ledger.h"

#include "sim.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_A_BLOCK 4096

void sha256(struct slice bytes, unsigned char digest_out[32])
{
    static EVP_MD *algorithm;
    static EVP_MD_CTX *context;

    if (algorithm == NULL) {
        algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
    }
    if (algorithm == NULL || context == NULL || EVP_DigestInit_ex2(context, algorithm, NULL) != 1 ||
        EVP_DigestUpdate(context, bytes.bytes, bytes.length) != 1 ||
        EVP_DigestFinal_ex(context, digest_out, NULL) != 1) {
        fputs("rutter-sim: SHA-256 is not available in OpenSSL\n", stderr);
        exit(1);
    }
}

void ledger_open(struct sim *sim)
{
    const char *path = sim->options.ledger_file;

    if (path == NULL)
        return;
    sim->ledger.file = fopen(path, "ae");
    if (sim->ledger.file == NULL) {
        fprintf(stderr, "rutter-sim: --ledger %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static void write_to_file(struct sim *sim, uint32_t number)
{
    struct text line = {0};

    if (sim->ledger.file == NULL)
        return;
    ledger_add_line(&line, sim, number);
    fwrite(line.bytes, 1, line.length, sim->ledger.file);
    text_free(&line);
}

void ledger_close(struct sim *sim)
{
    if (sim->ledger.file == NULL)
        return;
    for (uint32_t number = sim->ledger.forgotten + 1; number <= sim->ledger.last; number++)
        if (!ledger_at(&sim->ledger, number)->is_answered)
            write_to_file(sim, number);
    fclose(sim->ledger.file);
    sim->ledger.file = NULL;
}

void ledger_flush(struct sim *sim)
{
    if (sim->ledger.file != NULL)
        fflush(sim->ledger.file);
}

struct ledger_entry *ledger_at(const struct ledger *ledger, uint32_t number)
{
    uint32_t place = number - ledger->forgotten - 1;

    if (number <= ledger->forgotten || number > ledger->last)
        return NULL;
    return &ledger->blocks[place / ENTRIES_A_BLOCK][place % ENTRIES_A_BLOCK];
}

static struct ledger_entry *new_entry(struct sim *sim)
{
    struct ledger *ledger = &sim->ledger;
    struct ledger_entry *entry;

    if (ledger->last - ledger->forgotten == ledger->block_count * ENTRIES_A_BLOCK) {
        ledger->blocks =
            memory_grow(ledger->blocks, (ledger->block_count + 1) * sizeof(struct ledger_entry *));
        ledger->blocks[ledger->block_count++] =
            memory_new(ENTRIES_A_BLOCK * sizeof(struct ledger_entry));
    }
    ledger->last++;
    entry = ledger_at(ledger, ledger->last);
    *entry = (struct ledger_entry){.t_ms = (uint32_t)(sim->now_ms - sim->started_ms)};
    return entry;
}

struct ledger_entry *ledger_request(struct sim *sim, enum method method)
{
    struct ledger_entry *entry = new_entry(sim);

    entry->method = (uint8_t)method;
    return entry;
}

/* Packed text of an entry: four lengths, then method (only if unusual), path, key, digest. */
struct packed {
    uint8_t method_length;
    uint8_t key_length;
    uint8_t digest_length;
    uint16_t path_length;
};

static char *pack(struct sim *sim, struct ledger_entry *entry, struct slice parts[3],
                  size_t digest_length)
{
    struct packed packed = {(uint8_t)(parts[0].length > 20 ? 20 : parts[0].length),
                            (uint8_t)(parts[2].length > 255 ? 255 : parts[2].length),
                            (uint8_t)digest_length,
                            (uint16_t)(parts[1].length > 2000 ? 2000 : parts[1].length)};
    char *text = arena_take(&sim->arena, sizeof packed + packed.method_length + packed.path_length +
                                             packed.key_length + digest_length);
    char *p = text;

    memcpy(p, &packed, sizeof packed);
    p += sizeof packed;
    memcpy(p, parts[0].bytes == NULL ? "" : parts[0].bytes, packed.method_length);
    p += packed.method_length;
    memcpy(p, parts[1].bytes == NULL ? "" : parts[1].bytes, packed.path_length);
    p += packed.path_length;
    memcpy(p, parts[2].bytes == NULL ? "" : parts[2].bytes, packed.key_length);
    entry->text = text;
    return p + packed.key_length;
}

void ledger_describe(struct sim *sim, struct ledger_entry *entry, struct slice method,
                     struct slice path, struct slice key, struct slice body)
{
    struct slice parts[3] = {entry->method == METHOD_OTHER ? method : (struct slice){NULL, 0}, path,
                             key};
    char *digest = pack(sim, entry, parts, body.length > 0 ? 32 : 0);

    entry->is_digest_here = body.length > 0;
    if (body.length > 0)
        sha256(body, (unsigned char *)digest);
}

void ledger_describe_job(struct sim *sim, struct ledger_entry *entry, const struct job *job,
                         struct slice path, struct slice key)
{
    struct slice parts[3] = {{NULL, 0}, path, key};

    pack(sim, entry, parts, 0);
    entry->job = job->number;
}

void ledger_answered(struct sim *sim, uint32_t number, int status)
{
    struct ledger_entry *entry = ledger_at(&sim->ledger, number);

    if (entry == NULL || entry->is_answered)
        return;
    entry->status = (uint16_t)status;
    entry->is_answered = true;
    if (status >= 0 && status < 600)
        sim->counters.by_status[status]++;
    else
        sim->counters.by_other_status++;
    write_to_file(sim, number);
}

static uint64_t name_hash(const struct job *job)
{
    uint64_t hash = job->connection == NULL ? 1 : job->connection->hash;

    hash = hash_bytes(hash + (uint64_t)job->operation->method, job->path);
    return hash_bytes(hash, job->name);
}

void ledger_count_effect(struct sim *sim, const struct job *job)
{
    sim->ledger.effects++;
    if (job->operation->method == METHOD_POST && job->name.length > 0) {
        struct table_slot *slot = table_at(&sim->ledger.effects_by_name, name_hash(job));

        if (slot->value++ > 0)
            sim->ledger.duplicate_effects_by_name++;
    }
}

void ledger_effect(struct sim *sim, struct job *job)
{
    struct ledger_entry *entry = new_entry(sim);
    struct ledger_entry *request = ledger_at(&sim->ledger, job->entry);

    entry->is_effect = true;
    entry->is_answered = true;
    entry->job = job->number;
    entry->connection = job->connection;
    entry->method = (uint8_t)job->operation->method;
    if (request != NULL)
        request->has_effect = true;
    job->effects++;
    ledger_count_effect(sim, job);
    write_to_file(sim, sim->ledger.last);
}

static void add_quoted_or_null(struct text *text, const char *name, struct slice value)
{
    text_addf(text, ",\"%s\":", name);
    if (value.length == 0) {
        text_add(text, SLICE("null"));
        return;
    }
    text_add(text, SLICE("\""));
    text_add(text, value);
    text_add(text, SLICE("\""));
}

static void add_escaped_or_null(struct text *text, const char *name, struct slice value)
{
    struct text escaped = {0};

    text_add_escaped(&escaped, value);
    add_quoted_or_null(text, name, text_slice(&escaped));
    text_free(&escaped);
}

static void add_job_id(struct text *text, const struct job *job)
{
    struct text id = {0};

    if (job != NULL && !job->is_hidden)
        job_add_id(&id, job);
    add_quoted_or_null(text, "job_id", text_slice(&id));
    text_free(&id);
}

static void add_digest(struct text *text, const struct ledger_entry *entry, const struct job *job,
                       const char *packed_digest)
{
    unsigned char digest[32];

    text_add(text, SLICE(",\"body_sha256\":"));
    if (entry->is_digest_here) {
        memcpy(digest, packed_digest, sizeof digest);
    } else if (job != NULL && !entry->is_poll && job->body.length > 0) {
        sha256(job->body, digest);
    } else if (job != NULL && !entry->is_poll && job->has_digest) {
        memcpy(digest, job->body_sha256, sizeof digest);
    } else {
        text_add(text, SLICE("null"));
        return;
    }
    text_add(text, SLICE("\""));
    text_add_hex(text, digest, sizeof digest);
    text_add(text, SLICE("\""));
}

static void add_effect_line(struct text *text, const struct ledger_entry *entry, uint32_t number,
                            const struct job *job)
{
    struct text path = {0};

    text_add(&path, SLICE("/versioned"));
    text_add(&path, job->path);
    text_addf(text, "{\"effect\":%u,\"t_ms\":%u", number, entry->t_ms);
    add_quoted_or_null(text, "method", slice_of(method_name(job->operation->method)));
    add_escaped_or_null(text, "path", text_slice(&path));
    add_quoted_or_null(text, "connection",
                       entry->connection == NULL ? (struct slice){NULL, 0}
                                                 : slice_of(entry->connection->shown));
    add_escaped_or_null(text, "idempotency_key", job->key);
    add_job_id(text, job);
    text_addf(text, ",\"request\":%u", job->entry);
    add_quoted_or_null(text, "name", job->name);
    add_quoted_or_null(text, "sku", job->sku);
    text_add(text, SLICE("}\n"));
    text_free(&path);
}

static void add_request_line(struct text *text, const struct ledger_entry *entry, uint32_t number,
                             const struct job *job)
{
    struct packed packed = {0};
    const char *p = NULL;
    struct text path = {0};
    struct slice method = slice_of(method_name(entry->method));
    struct slice key = {NULL, 0};

    if (entry->text != NULL) {
        memcpy(&packed, entry->text, sizeof packed);
        p = entry->text + sizeof packed;
        if (packed.method_length > 0)
            method = (struct slice){p, packed.method_length};
        p += packed.method_length;
        text_add(&path, (struct slice){p, packed.path_length});
        p += packed.path_length;
        key = (struct slice){p, packed.key_length};
        p += packed.key_length;
    } else if (job != NULL) {
        text_add(&path, entry->is_old_url ? SLICE("/v2/jobs/") : SLICE("/versioned/jobs/"));
        job_add_id(&path, job);
    }
    text_addf(text, "{\"seq\":%u,\"t_ms\":%u", number, entry->t_ms);
    add_escaped_or_null(text, "method", method);
    add_escaped_or_null(text, "path", text_slice(&path));
    add_quoted_or_null(text, "connection",
                       entry->connection == NULL ? (struct slice){NULL, 0}
                                                 : slice_of(entry->connection->shown));
    add_escaped_or_null(text, "idempotency_key", key);
    add_digest(text, entry, job, p);
    if (entry->is_answered)
        text_addf(text, ",\"status\":%u", entry->status);
    else
        text_add(text, SLICE(",\"status\":null"));
    add_job_id(text, job);
    text_addf(text, ",\"accepted\":%s,\"replay\":%s,\"effect\":%s",
              entry->is_accepted ? "true" : "false", entry->is_replay ? "true" : "false",
              entry->has_effect ? "true" : "false");
    add_quoted_or_null(text, "fault",
                       entry->fault == 0 ? (struct slice){NULL, 0}
                                         : slice_of(outcome_at(entry->fault - 1u)->name));
    if (!entry->is_poll)
        add_quoted_or_null(text, "job_fault",
                           job == NULL || job->outcome == NULL ? (struct slice){NULL, 0}
                                                               : slice_of(job->outcome->name));
    text_add(text, SLICE("}\n"));
    text_free(&path);
}

void ledger_add_line(struct text *text, const struct sim *sim, uint32_t number)
{
    const struct ledger_entry *entry = ledger_at(&sim->ledger, number);
    const struct job *job = entry->job == 0 ? NULL : jobs_at(&sim->jobs, entry->job);

    if (entry->is_effect && job != NULL)
        add_effect_line(text, entry, number, job);
    else
        add_request_line(text, entry, number, job);
}

void ledger_reset(struct ledger *ledger)
{
    table_reset(&ledger->effects_by_name);
    ledger->last = 0;
    ledger->forgotten = 0;
    ledger->effects = 0;
    ledger->duplicate_effects_by_name = 0;
}
