/* When so much fails that going on would only do harm. */
#include <assert.h>

#include "engine_private.h"

static bool too_many_failed(uint64_t failed, uint64_t finished, uint64_t max, uint32_t millionth)
{
    if (failed > max)
        return true;
    return millionth > 0 && finished >= 100 && failed * 1000000 > finished * millionth;
}

void engine_check_failures(struct engine *engine)
{
    uint64_t failed = 0, finished = 0;

    for (size_t i = 0; i < engine->options.job_count; i++) {
        const struct engine_job *job = &engine->options.jobs[i];

        failed += engine->jobs[i].failed;
        finished += engine->jobs[i].finished;
        if (too_many_failed(engine->jobs[i].failed, engine->jobs[i].finished, job->failures_max,
                            job->failures_millionth))
            engine_stop_run(
                engine, STOP_MAX_FAILURES,
                "job %s: %llu of %llu finished items failed, more than its max_failures", job->name,
                (unsigned long long)engine->jobs[i].failed,
                (unsigned long long)engine->jobs[i].finished);
    }
    if (too_many_failed(failed, finished, engine->options.failures_max,
                        engine->options.failures_millionth))
        engine_stop_run(engine, STOP_MAX_FAILURES,
                        "%llu of %llu finished items failed, more than max_failures",
                        (unsigned long long)failed, (unsigned long long)finished);
}

/* A row that is wrong is one thing; when the first ones are all refused, it is the job that is
 * wrong.
 */
void engine_count_end(struct engine *engine, const struct slot *slot)
{
    const struct engine_job *given = &engine->options.jobs[slot->job];
    struct job *job = &engine->jobs[slot->job];

    job->finished++;
    if (slot->item.state == ITEM_FAILED)
        job->failed++;
    if (slot->item.state == ITEM_FAILED && slot->item.reason == REASON_REFUSED)
        job->refused++;
    if (job->stopped || given->refusals_max == 0 || job->refused < job->finished ||
        job->refused < given->refusals_max)
        return;
    job->stopped = true;
    engine->job_aside_due = true;
    engine->progress.stopped_jobs++;
    engine->progress.stopped_job = given->name;
    engine->progress.stopped_job_refusals = job->refused;
}

/* Keeps the order of the others. */
static void take_out(struct engine *engine, struct queue *queue)
{
    struct queue before = *queue;
    struct slot *slot;

    *queue = (struct queue){0};
    while ((slot = queue_pop(engine, &before)) != NULL) {
        if (!engine->jobs[slot->job].stopped || !engine_is_unsent(slot))
            queue_push(engine, queue, slot);
        else
            slot->place = SLOT_RESTING;
    }
}

/* What was not sent of a stopped job becomes ready again and stays it; what may have been sent goes
 * on to its end. */
enum err_code engine_set_jobs_aside(struct engine *engine, struct err *err)
{
    if (!engine->job_aside_due)
        return ERR_OK;
    engine->job_aside_due = false;
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        take_out(engine, &engine->connections[i].to_send);
        take_out(engine, &engine->connections[i].to_start);
    }
    for (uint32_t i = 0; i < engine->slot_count; i++) {
        struct slot *slot = &engine->slots[i];

        if (slot->place != SLOT_RESTING || !engine->jobs[slot->job].stopped ||
            !engine_is_unsent(slot))
            continue;
        engine_leave_look_ahead(engine, slot);
        if (engine_take_back(engine, slot, err) != ERR_OK)
            return err->code;
    }
    engine_release_durable(engine);
    return ERR_OK;
}
