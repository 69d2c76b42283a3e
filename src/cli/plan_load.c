/* What a comparison comes to: the parts of the estimate, from the counts and what is known. */
#include "purser/cli/plan_times.h"
#include "purser/cli/plan_view.h"
#include "purser/codec/spec_pace.h"

enum {
    COMMIT_MS = 5,        /* assumed: until an intent is durable */
    LEARNED_ENOUGH = 8,   /* remote jobs until polls follow their times */
    FIRST_POLL_MS = 1000, /* until then */
};

struct work {
    const struct comparison *comparison;
    struct plan_experience experience;
    struct plan_load *shown;
    struct estimate_load load;
    struct learned_times *times; /* of each connection */
    size_t *places;              /* of each job of the spec in load.jobs */
    uint64_t left;               /* of --limit */
    uint64_t most;               /* sends of the part that the text is about */
    double repeats;              /* begun, of parts before */
};

static uint64_t share_of(uint64_t count, double each)
{
    double share = (double)count * each + 0.5;

    return share >= (double)UINT64_MAX ? UINT64_MAX : (uint64_t)share;
}

/* When the end of a remote job is known: it is asked for after a second, and again after half as
 * long as that more, until the times of some jobs have been seen. */
static uint32_t found_after_ms(uint32_t job_ms, uint64_t chain)
{
    uint64_t asked_ms = FIRST_POLL_MS, delay_ms = FIRST_POLL_MS;

    if (chain > LEARNED_ENOUGH)
        return job_ms;
    while (asked_ms < job_ms) {
        delay_ms = delay_ms * 3 / 2 < 30000 ? delay_ms * 3 / 2 : 30000;
        asked_ms += delay_ms;
    }
    return (uint32_t)asked_ms;
}

static void set_times(const struct spec_job *job, const struct learned_times *times,
                      struct estimate_part *part)
{
    part->answer_ms = times->answer_ms;
    if (job->mode == RESPONSE_SYNC)
        return;
    part->answer_ms = times->accept_ms;
    part->finish_ms = found_after_ms(times->finish_ms, part->chain);
}

static void add_part(struct work *work, size_t job_index, size_t connection,
                     struct estimate_job *estimated, struct estimate_part *part)
{
    const struct spec_job *job = &work->comparison->session->spec.jobs[job_index];
    const struct comparison_counts *counts = &work->comparison->counts[job_index][connection];
    bool is_polled = job->mode != RESPONSE_SYNC;

    *part =
        (struct estimate_part){.lane = connection,
                               .sends = counts->starts < work->left ? counts->starts : work->left,
                               .chain = counts->chain < work->left ? counts->chain : work->left,
                               .ahead = work->comparison->session->options->canary};
    work->left -= part->sends;
    work->repeats += (double)part->sends * work->experience.repeats_each;
    part->repeats = share_of(1, work->repeats);
    work->repeats -= (double)part->repeats;
    part->repeat_ms = (uint32_t)job->retry.first_delay_ms;
    if (is_polled)
        part->polls = share_of(part->sends, work->experience.polls_each);
    if (spec_job_repeat(job) == REPEAT_NEVER)
        part->commit_ms = COMMIT_MS;
    set_times(job, &work->times[connection], part);
    estimated->part_count++;
    work->shown->sends += part->sends;
    work->shown->polls += part->polls;
    if (part->sends > work->most) {
        work->most = part->sends;
        work->shown->write_ms = part->answer_ms;
        work->shown->job_ms = is_polled ? work->times[connection].finish_ms : 0;
    }
    if (counts->active > 0) {
        work->load.other_polls += share_of(counts->active, work->experience.polls_each);
        work->load.other_ms = found_after_ms(work->times[connection].finish_ms, 0);
    }
}

static enum err_code add_needs(struct work *work, const struct spec_job *job,
                               struct estimate_job *estimated, struct err *err)
{
    struct estimate_need *needs =
        arena_new(&work->comparison->session->arena, job->need_count, sizeof *needs);

    if (needs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the needs of job %s", job->name);
    for (size_t i = 0; i < job->need_count; i++)
        needs[i] = (struct estimate_need){.job = work->places[job->needs[i].job],
                                          .whole = job->needs[i].alias == NULL};
    estimated->needs = needs;
    estimated->need_count = job->need_count;
    return ERR_OK;
}

static enum err_code add_job(struct work *work, size_t index, struct err *err)
{
    const struct comparison *comparison = work->comparison;
    const struct comparison_counts *counts = comparison->counts[index];
    size_t connection_count = comparison->session->spec.connection_count, used = 0;
    struct estimate_job *estimated = &work->load.jobs[work->load.job_count];
    struct estimate_part *parts;

    work->places[index] = work->load.job_count++;
    for (size_t i = 0; counts != NULL && i < connection_count; i++)
        used += counts[i].starts + counts[i].active > 0;
    if (add_needs(work, &comparison->session->spec.jobs[index], estimated, err) != ERR_OK)
        return err->code;
    parts = arena_new(&comparison->session->arena, used, sizeof *parts);
    if (parts == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu connections", used);
    estimated->parts = parts;
    for (size_t i = 0; counts != NULL && i < connection_count; i++)
        if (counts[i].starts + counts[i].active > 0)
            add_part(work, index, i, estimated, &parts[estimated->part_count]);
    return ERR_OK;
}

static enum err_code open_work(struct work *work, struct err *err)
{
    struct session *session = work->comparison->session;
    const struct spec *spec = &session->spec;
    struct estimate_load *load = &work->load;

    *load = (struct estimate_load){
        .lanes = arena_new(&session->arena, spec->connection_count, sizeof *load->lanes),
        .lane_count = spec->connection_count,
        .jobs = arena_new(&session->arena, spec->job_count, sizeof *load->jobs),
        .rate_millis = work->experience.rate_millis,
        .rate_doubles = work->experience.rate_doubles,
        .in_flight = spec->api.in_flight,
        .outstanding = spec->api.outstanding};
    work->times = arena_new(&session->arena, spec->connection_count, sizeof *work->times);
    work->places = arena_new(&session->arena, spec->job_count, sizeof *work->places);
    work->left = session->options->limit;
    if (load->lanes == NULL || load->jobs == NULL || work->times == NULL || work->places == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the estimate");
    return ERR_OK;
}

static enum err_code find_lanes(struct work *work, struct err *err)
{
    const struct comparison *comparison = work->comparison;

    work->shown->origin = work->experience.origin;
    for (size_t i = 0; i < work->load.lane_count; i++) {
        struct estimate_lane *lane = &work->load.lanes[i];
        struct plan_times times;

        lane->in_flight = comparison->session->spec.connections[i].in_flight;
        if (plan_times_find(comparison, &work->experience, i, &times, err) != ERR_OK)
            return err->code;
        work->times[i] = times.times;
        lane->rate_millis = times.rate_millis;
        if (times.origin == TIMES_LEARNED)
            work->shown->origin = TIMES_LEARNED;
        work->shown->learned = work->shown->learned || times.rate_is_learned;
    }
    return ERR_OK;
}

enum err_code plan_load_find(const struct comparison *comparison, struct plan_load *load_out,
                             struct err *err)
{
    const struct spec *spec = &comparison->session->spec;
    struct work work = {.comparison = comparison, .shown = load_out};

    if (plan_experience_find(comparison, &work.experience, err) != ERR_OK)
        return err->code;
    *load_out = (struct plan_load){.repeats_each = work.experience.repeats_each};
    if (open_work(&work, err) != ERR_OK || find_lanes(&work, err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < spec->job_count; i++)
        if (add_job(&work, spec->job_order[i], err) != ERR_OK)
            return err->code;
    load_out->polls += work.load.other_polls;
    load_out->estimate = estimate_duration(&work.load);
    if (load_out->estimate.bound == ESTIMATE_ALL_RATE)
        load_out->rate_millis = work.load.rate_millis;
    if (load_out->estimate.bound == ESTIMATE_LANE_RATE)
        load_out->rate_millis = work.load.lanes[load_out->estimate.lane].rate_millis;
    if (load_out->estimate.bound == ESTIMATE_CHAIN)
        load_out->estimate.job = spec->job_order[load_out->estimate.job];
    return ERR_OK;
}
