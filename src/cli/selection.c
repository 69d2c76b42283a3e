#include "purser/cli/selection.h"

#include <string.h>

static enum err_code unknown_job(const struct spec *spec, const char *name, struct err *err)
{
    const char *names[SPEC_JOBS_MAX], *closest;

    for (size_t i = 0; i < spec->job_count; i++)
        names[i] = spec->jobs[i].name;
    closest = text_closest(name, names, spec->job_count);
    if (closest != NULL)
        return err_set(err, ERR_USAGE, "--only: %s has no job '%.60s'\nhint: did you mean '%s'?",
                       spec->file, name, closest);
    return err_set(err, ERR_USAGE, "--only: %s has no job '%.60s'\nhint: its first job is '%s'",
                   spec->file, name, spec->jobs[0].name);
}

enum err_code selection_make(struct session *session, struct selection *selection_out,
                             struct err *err)
{
    const struct options *options = session->options;
    const struct spec *spec = &session->spec;
    bool *left_out;

    *selection_out = (struct selection){.left_out = NULL};
    if (where_parse_rows(options->where, &selection_out->where, err) != ERR_OK)
        return err->code;
    if (options->only_count == 0)
        return ERR_OK;
    left_out = arena_new(&session->arena, spec->job_count, sizeof *left_out);
    if (left_out == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the jobs that are left out");
    memset(left_out, true, spec->job_count);
    for (size_t i = 0; i < options->only_count; i++) {
        size_t job = 0;

        while (job < spec->job_count && strcmp(spec->jobs[job].name, options->only[i]) != 0)
            job++;
        if (job == spec->job_count)
            return unknown_job(spec, options->only[i], err);
        left_out[job] = false;
    }
    selection_out->left_out = left_out;
    return ERR_OK;
}

bool selection_is_all(const struct selection *selection)
{
    return selection->left_out == NULL && selection->where.count == 0;
}

bool selection_takes(const struct selection *selection, const struct spec *spec,
                     const struct rendered_row *row, const struct import_outcome *outcome)
{
    if (selection->left_out != NULL && selection->left_out[row->job_index])
        return false;
    return where_matches_row(
        &selection->where,
        &(struct where_row){.job = spec->jobs[row->job_index].name,
                            .connection = spec->connections[row->connection_index].alias,
                            .key = row->key,
                            .state = outcome->is_known ? item_state_name(outcome->known.state)
                                                       : WHERE_STATE_NEW,
                            .line = row->line});
}

/* Items of a job that are not over in a way that lets others begin; UINT64_MAX: the ledger has none
 * of it. */
static enum err_code count_open(struct ledger *ledger, const char *job, uint64_t *count_out,
                                struct err *err)
{
    struct item_counts counts;
    const char *name;
    uint32_t number = 0;
    uint64_t total = 0;

    *count_out = UINT64_MAX;
    if (ledger == NULL)
        return ERR_OK;
    while ((name = ledger->ops->job_name(ledger, number)) != NULL && strcmp(name, job) != 0)
        number++;
    if (name == NULL)
        return ERR_OK;
    if (ledger->ops->counts(ledger, number, UINT32_MAX, &counts, err) != ERR_OK)
        return err->code;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        total += counts.by_state[state];
    if (total == 0)
        return ERR_OK;
    *count_out = 0;
    for (int state = 0; state < ITEM_STATE_COUNT; state++)
        if (state != ITEM_SUCCEEDED && state != ITEM_SKIPPED && state != ITEM_CANCELLED)
            *count_out += counts.by_state[state];
    return ERR_OK;
}

/* Nothing is known of the job's items, so a job that waits for all of them cannot wait. */
static enum err_code never_sent(const struct spec_job *job, const char *needed, struct err *err)
{
    return err_set(err, ERR_USAGE,
                   "--only leaves out job %s, which %s needs and of which nothing was ever sent\n"
                   "hint: --only %s as well, or first",
                   needed, job->name, needed);
}

enum err_code selection_tell_needs(const struct selection *selection, struct session *session,
                                   struct err *err)
{
    const struct spec *spec = &session->spec;

    for (size_t i = 0; selection->left_out != NULL && i < spec->job_count; i++) {
        for (size_t j = 0; !selection->left_out[i] && j < spec->jobs[i].need_count; j++) {
            size_t needed = spec->jobs[i].needs[j].job;
            uint64_t open_count;

            if (!selection->left_out[needed])
                continue;
            if (count_open(session->ledger, spec->jobs[needed].name, &open_count, err) != ERR_OK)
                return err->code;
            if (open_count == UINT64_MAX && spec->jobs[i].needs[j].alias == NULL)
                return never_sent(&spec->jobs[i], spec->jobs[needed].name, err);
            if (open_count == UINT64_MAX)
                print_talk("warning: job %s needs %s, which --only leaves out and which has not "
                           "been sent; what waits for it stays blocked",
                           spec->jobs[i].name, spec->jobs[needed].name);
            else if (open_count > 0)
                print_talk("warning: job %s needs %s, which --only leaves out and of which %llu "
                           "items are not done; what waits for them stays blocked",
                           spec->jobs[i].name, spec->jobs[needed].name,
                           (unsigned long long)open_count);
        }
    }
    return ERR_OK;
}
