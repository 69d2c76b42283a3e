#include <stdio.h>
#include <string.h>

#include "engine_private.h"
#include "purser/base/log.h"
#include "purser/codec/reply.h"

enum {
    SETTLED_AFTER = 3, /* successes that show no remote job: the operation has none */
    OPERATION_BYTES = 256,
};

static void name_operation(const struct operation *operation, char name[OPERATION_BYTES])
{
    (void)snprintf(name, OPERATION_BYTES, "%s %s", method_name(operation->method), operation->path);
}

static bool is_proven(const struct engine *engine, const struct operation *operation)
{
    char name[OPERATION_BYTES];
    const char *proven;

    name_operation(operation, name);
    for (uint32_t i = 0;
         (proven = engine->ledger->ops->proven_operation(engine->ledger, i)) != NULL; i++)
        if (strcmp(proven, name) == 0)
            return true;
    return false;
}

static enum trust trust_of(const struct engine *engine, const struct engine_job *job)
{
    switch (job->repeat) {
    case REPEAT_BY_KEY:
    case REPEAT_BY_NATURE:
        return TRUST_GIVEN;
    case REPEAT_IF_PROVEN:
        return is_proven(engine, job->operation) ? TRUST_GIVEN : TRUST_OPEN;
    case REPEAT_NEVER:
        break;
    }
    return TRUST_NONE;
}

static bool same_operation(const struct engine_job *a, const struct engine_job *b)
{
    return a->repeat == b->repeat && a->operation->method == b->operation->method &&
           strcmp(a->operation->path, b->operation->path) == 0;
}

void engine_init_jobs(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->options.job_count; i++) {
        const struct engine_job *from = &engine->options.jobs[i];
        struct job *job = &engine->jobs[i];

        job->policy = from->policy;
        while (!same_operation(&engine->options.jobs[job->lead], from))
            job->lead++;
        job->trust = trust_of(engine, from);
        job->policy.repeatable = job->trust == TRUST_GIVEN;
        job->policy.by_nature = from->repeat == REPEAT_BY_NATURE;
        /* Nothing has to be remembered by anyone. */
        if (job->policy.by_nature)
            job->policy.key_window_ms = INT64_MAX;
    }
}

static struct job *lead_of(const struct engine *engine, const struct slot *slot)
{
    return &engine->jobs[engine->jobs[slot->job].lead];
}

bool engine_trust_allows(const struct engine *engine, const struct slot *slot)
{
    const struct job *lead = lead_of(engine, slot);

    if (lead->trust == TRUST_OPEN)
        return lead->open_on_wire == 0;
    return lead->trust != TRUST_SHOWN; /* its commit is a matter of milliseconds */
}

void engine_trust_sent(struct engine *engine, struct slot *slot)
{
    struct job *lead = lead_of(engine, slot);

    slot->is_open_on_wire = lead->trust == TRUST_OPEN;
    if (slot->is_open_on_wire)
        lead->open_on_wire++;
}

enum err_code engine_trust_answered(struct engine *engine, struct slot *slot,
                                    const struct reply *reply, enum item_event_kind kind,
                                    struct err *err)
{
    struct job *lead = lead_of(engine, slot);
    char name[OPERATION_BYTES];

    if (slot->is_open_on_wire)
        lead->open_on_wire--;
    slot->is_open_on_wire = false;
    if (lead->trust != TRUST_OPEN || reply == NULL)
        return ERR_OK;
    if (!reply_job_id_is_valid(slice_of(reply->job_id == NULL ? "" : reply->job_id))) {
        if ((kind == EVENT_DONE || kind == EVENT_ACCEPTED) &&
            ++lead->without_proof >= SETTLED_AFTER)
            lead->trust = TRUST_NONE;
        return ERR_OK;
    }
    name_operation(engine->options.jobs[slot->job].operation, name);
    log_line(LOG_INFO, "operation=\"%s\" shows remote jobs: repeated under its key from now on",
             name);
    lead->trust = TRUST_SHOWN;
    lead->proof_batch = engine->batch_open;
    engine_touch_batch(engine);
    return engine->ledger->ops->put_proven_operation(engine->ledger, name, err);
}

/* Not before: after a crash an operation that is not proven takes what is on the wire for lost. */
void engine_trust_durable(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->options.job_count; i++) {
        struct job *lead = &engine->jobs[engine->jobs[i].lead];

        if (lead->trust == TRUST_SHOWN && lead->proof_batch <= engine->batch_durable)
            lead->trust = TRUST_GIVEN;
        if (lead->trust == TRUST_GIVEN)
            engine->jobs[i].policy.repeatable = true;
    }
}
