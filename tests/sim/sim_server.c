/* The server: what it remembers under a key, its remote jobs, and the effects that they had.
 *
 * Semantics of keys as the API documents them: the result of the first accepted request is kept
 * under its key, whatever it is; a repeat gets it again; other bytes under the same key are a
 * conflict. A request that is refused leaves no trace. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

/* The job that owns the key; UINT32_MAX when there is none, or it was so long ago that the server
 * has forgotten it. */
static uint32_t job_of_key(const struct sim *sim, const char *key)
{
    for (uint32_t i = sim->server.job_count; i > 0; i--) {
        const struct sim_job *job = &sim->server.jobs[i - 1];

        if (job->key[0] != '\0' && memcmp(job->key, key, KEY_TEXT_BYTES) == 0 &&
            sim->now_ms - job->accepted_ms < sim->server.retention_ms)
            return i - 1;
    }
    return UINT32_MAX;
}

uint32_t sim_job_of_id(const struct sim *sim, const char *id)
{
    unsigned number = 0;

    if (sscanf(id, "job-%u", &number) != 1 || number >= sim->server.job_count)
        sim_fail(sim_current, "a poll of the unknown job %s", id);
    return number;
}

static bool result_has_effect(struct sim *sim, enum sim_result result)
{
    switch (result) {
    case RESULT_SUCCESS:
    case RESULT_VANISHED:
    case RESULT_PARTIAL:
        return true;
    case RESULT_REFUSED:
    case RESULT_THROTTLED:
        return false;
    case RESULT_ERROR:
    case RESULT_PLATFORM:
    case RESULT_NONSENSE:
    case RESULT_COUNT:
        break;
    }
    return rng_below(&sim->rng, 2) == 0;
}

static int result_status(struct sim *sim, enum sim_result result)
{
    static const int refused[] = {400, 404, 410, 422, 450, 450};
    static const int errors[] = {500, 502, 503, 504};

    switch (result) {
    case RESULT_REFUSED:
        return refused[rng_below(&sim->rng, sizeof refused / sizeof refused[0])];
    case RESULT_THROTTLED:
        return 452;
    case RESULT_ERROR:
        return errors[rng_below(&sim->rng, sizeof errors / sizeof errors[0])];
    case RESULT_PLATFORM:
        return 550;
    case RESULT_SUCCESS:
    case RESULT_PARTIAL:
    case RESULT_NONSENSE:
    case RESULT_VANISHED:
    case RESULT_COUNT:
        break;
    }
    return 200;
}

static uint32_t accept(struct sim *sim, const struct sim_delivery *delivery)
{
    struct sim_item *item = &sim->items[delivery->item];
    uint32_t number = sim->server.job_count;
    struct sim_job *job = &sim->server.jobs[number];

    if (number == SIM_JOBS_MAX)
        sim_fail(sim, "more remote jobs than SIM_JOBS_MAX");
    sim->server.job_count++;
    *job = (struct sim_job){.item = delivery->item,
                            .epoch = delivery->epoch,
                            .body_hash = delivery->body_hash,
                            .result = sim_choose_result(sim, item),
                            .accepted_ms = sim->now_ms,
                            .visible_ms = sim->now_ms,
                            .vanish_ms = SIM_NEVER};
    memcpy(job->key, delivery->key, sizeof job->key);
    job->http_status = result_status(sim, job->result);
    job->had_effect = result_has_effect(sim, job->result);
    job->synchronous = sim_chance(sim, 200);
    job->done_ms = sim->now_ms + (job->synchronous ? 0 : sim_draw_ms(sim, 0, sim->limits.job_ms));
    if (sim_chance(sim, sim->limits.result / 4)) /* the copy that answers polls lags behind */
        job->visible_ms = sim->now_ms + sim_draw_ms(sim, 1, 3000);
    if (job->result == RESULT_VANISHED)
        job->vanish_ms = sim->now_ms + sim_draw_ms(sim, 0, 2 * sim->limits.job_ms);
    if (job->result == RESULT_THROTTLED)
        item->job_throttles++;
    if (job->had_effect) {
        item->effects[delivery->epoch]++;
        sim_judge_effect(sim, delivery->item, delivery->epoch);
    }
    return number;
}

static void refuse(struct sim *sim, const struct sim_delivery *delivery,
                   struct sim_transfer *transfer)
{
    sim->items[delivery->item].faults |= FAULT_REFUSAL;
    if (transfer != NULL)
        sim_answer_refusal(sim, transfer);
}

/* The request was looked at, whatever becomes of its answer. */
static void take_write(struct sim *sim, const struct sim_delivery *delivery,
                       struct sim_transfer *transfer, enum sim_answer answer)
{
    struct sim_item *item = &sim->items[delivery->item];
    uint32_t job = delivery->key[0] == '\0' ? UINT32_MAX : job_of_key(sim, delivery->key);
    bool replay = job != UINT32_MAX;

    if (!replay && item->refused_always && delivery->epoch == item->epoch) {
        refuse(sim, delivery, transfer);
        return;
    }
    if (replay && sim->server.jobs[job].body_hash != delivery->body_hash) {
        /* The other ones may be of a history that was lost. */
        if (!sim->adopts)
            sim_fail(sim, "item %u sent other bytes under the same key", delivery->item);
        if (transfer != NULL)
            sim_answer_nothing(sim, transfer, ANSWER_CONFLICT);
        return;
    }
    if (!replay)
        job = accept(sim, delivery);
    if (transfer == NULL)
        return;
    if (answer == ANSWER_GATEWAY_AFTER || answer == ANSWER_ERRORS_ONLY)
        sim_answer_nothing(sim, transfer, answer);
    else if (answer == ANSWER_GARBAGE)
        sim_answer_garbage(sim, transfer, job);
    else
        sim_answer_accepted(sim, transfer, job, replay);
}

static void receive_write(struct sim *sim, const struct sim_delivery *delivery,
                          struct sim_transfer *transfer)
{
    uint32_t connection = sim->items[delivery->item].connection;
    enum sim_answer answer = sim_choose_answer(sim, &sim->items[delivery->item]);

    if (sim_is_held(sim, connection))
        answer = ANSWER_HELD;
    else if (answer == ANSWER_HELD)
        sim_hold(sim, connection);
    if (transfer == NULL)
        sim_trace(sim, "item %u reaches the server, nobody hears the answer", delivery->item);
    switch (answer) {
    case ANSWER_429:
    case ANSWER_452:
    case ANSWER_HELD:
    case ANSWER_GATEWAY_BEFORE:
    case ANSWER_PORTAL:
    case ANSWER_550_BEFORE:
    case ANSWER_CONFLICT:
        if (transfer != NULL)
            sim_answer_nothing(sim, transfer, answer);
        break;
    case ANSWER_REFUSED:
        refuse(sim, delivery, transfer);
        break;
    case ANSWER_PLAIN:
    case ANSWER_GATEWAY_AFTER:
    case ANSWER_GARBAGE:
    case ANSWER_ERRORS_ONLY:
    case ANSWER_COUNT:
        take_write(sim, delivery, transfer, answer);
        break;
    }
}

void sim_server_receive(struct sim *sim, const struct sim_delivery *delivery,
                        struct sim_transfer *transfer)
{
    if (delivery->item == SIM_NO_ITEM) {
        if (transfer != NULL)
            sim_answer_question(sim, transfer);
    } else if (delivery->job == UINT32_MAX) {
        receive_write(sim, delivery, transfer);
    } else if (transfer != NULL) {
        const struct sim_job *job = &sim->server.jobs[delivery->job];
        enum sim_poll poll = sim_choose_poll(sim, job);

        if ((sim->server.jobs_at == JOBS_AT_BASE && delivery->job_path != JOB_PATH_BASE) ||
            (sim->server.jobs_at == JOBS_AT_V2 && delivery->job_path != JOB_PATH_V2))
            poll = POLL_MISSING;
        sim_answer_poll(sim, transfer, delivery->job, poll);
    }
    if (transfer != NULL) {
        sim_answer_date(sim, transfer);
        transfer->answered = true;
    }
}
