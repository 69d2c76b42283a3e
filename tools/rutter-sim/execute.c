/* The end of a job: its effect, once. */
#include "api.h"

#include <stddef.h>

#define FOR_EVER_MS (INT64_MAX / 2)

static void execute(struct job *job)
{
    struct sim *sim = job->sim;
    enum job_turn turn = job->outcome == NULL ? JOB_SUCCEEDS : job->outcome->job;

    if (turn == JOB_FAILS || turn == JOB_NO_HTTP_STATUS || turn == JOB_INCONSISTENT ||
        turn == JOB_VANISHES)
        return;
    if (job->operation->method == METHOD_DELETE) {
        uint64_t hash = job->connection == NULL ? 1 : job->connection->hash;
        struct table_slot *slot = table_at(&sim->deleted, hash_bytes(hash, job->path));

        job->found_deleted = slot->value++ > 0;
        if (job->found_deleted)
            return;
    }
    job->finished_ms = sim->now_ms;
    ledger_effect(sim, job);
    connection_effect(sim, job);
    if (turn == JOB_ACTS_TWICE)
        ledger_effect(sim, job);
}

void job_finish(struct job *job)
{
    if (job->is_finished)
        return;
    timers_remove(&job->sim->timers, &job->timer);
    job->is_finished = true;
    execute(job);
}

void job_settle(struct job *job)
{
    if (!job->is_finished && job->timer.due_ms <= job->sim->now_ms)
        job_finish(job);
}

static void finish_when_due(struct timer *timer)
{
    job_finish((struct job *)(void *)((char *)timer - offsetof(struct job, timer)));
}

void job_wait(struct job *job, int64_t due_ms)
{
    job->timer.fire = finish_when_due;
    job->timer.due_ms = due_ms;
    if (job->outcome != NULL && job->outcome->job == JOB_NEVER_ENDS)
        job->timer.due_ms = FOR_EVER_MS;
    else
        timers_add(&job->sim->timers, &job->timer);
}
