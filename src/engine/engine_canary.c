/* The first items of each job, and whether the others may follow. */
#include <assert.h>

#include "engine_private.h"

/* All of the first ones have succeeded, but for those that were left to another run. */
static bool has_passed(const struct engine *engine, const struct job *job)
{
    return job->canaries_open == 0 && job->canaries_failed == 0 &&
           job->canaries >= engine->options.canary;
}

bool engine_canary_allows(const struct engine *engine, uint32_t job)
{
    return engine->jobs[job].canaries < engine->options.canary ||
           has_passed(engine, &engine->jobs[job]);
}

static void let_connections_go_on(struct engine *engine)
{
    for (size_t i = 0; i < engine->options.connection_count; i++)
        engine->connections[i].awaits_canary = false;
}

void engine_canary_begins(struct engine *engine, struct slot *slot)
{
    struct job *job = &engine->jobs[slot->job];

    /* For want of places some of an earlier run's are taken up when others have succeeded. */
    if (engine->options.canary == 0 || (has_passed(engine, job) && !engine->restarting))
        return;
    slot->is_canary = true;
    job->canaries++;
    job->canaries_open++;
}

void engine_canary_taken_back(struct engine *engine, struct slot *slot)
{
    struct job *job = &engine->jobs[slot->job];

    if (!slot->is_canary)
        return;
    assert(job->canaries > 0 && job->canaries_open > 0);
    slot->is_canary = false;
    job->canaries--;
    job->canaries_open--;
    let_connections_go_on(engine);
}

void engine_canary_ends(struct engine *engine, struct slot *slot)
{
    struct job *job = &engine->jobs[slot->job];

    if (!slot->is_canary)
        return;
    assert(job->canaries_open > 0);
    slot->is_canary = false;
    job->canaries_open--;
    if (slot->item.state != ITEM_SUCCEEDED) {
        job->canaries_failed++;
        for (size_t i = 0; i < engine->options.job_count; i++)
            engine->jobs[i].stopped = true;
        engine->job_aside_due = true;
    }
    let_connections_go_on(engine);
}

void engine_canary_tell(struct engine *engine)
{
    for (size_t i = 0; i < engine->options.job_count; i++) {
        const struct job *job = &engine->jobs[i];

        if (job->canaries_failed > 0)
            engine_stop_run(engine, STOP_CANARY,
                            "canary: %u of the first %u items of job %s did not succeed; no other "
                            "was sent",
                            job->canaries_failed, job->canaries, engine->options.jobs[i].name);
    }
}
