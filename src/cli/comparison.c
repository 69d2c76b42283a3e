#include "purser/cli/comparison.h"

#include <string.h>

#include "purser/cli/outdated.h"
#include "purser/io/spilled_tally.h"

struct walk {
    struct comparison *comparison;
    struct importer importer;
    comparison_row_fn *row_fn;
    void *context;
};

static enum err_code find_number(struct ledger *ledger, const char *name, bool write,
                                 const char *(*name_of)(struct ledger *self, uint32_t number),
                                 enum err_code (*make)(struct ledger *self, const char *name,
                                                       uint32_t *number_out, struct err *err),
                                 uint32_t *number_out, struct err *err)
{
    if (write)
        return make(ledger, name, number_out, err);
    *number_out = ledger == NULL ? UINT32_MAX : ledger_number_of(ledger, name, name_of);
    return ERR_OK;
}

enum err_code comparison_numbers(struct session *session, bool write,
                                 const uint32_t **connections_out, const uint32_t **jobs_out,
                                 struct err *err)
{
    static const struct ledger_ops none;
    const struct spec *spec = &session->spec;
    struct ledger *ledger = session->ledger;
    const struct ledger_ops *ops = ledger == NULL ? &none : ledger->ops;
    uint32_t *connections = arena_new(&session->arena, spec->connection_count, sizeof *connections);
    uint32_t *jobs = arena_new(&session->arena, spec->job_count, sizeof *jobs);

    if (connections == NULL || jobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the names of the spec");
    for (size_t i = 0; i < spec->connection_count; i++)
        if (find_number(ledger, spec->connections[i].alias, write, ops->connection_name,
                        ops->connection_number, &connections[i], err) != ERR_OK)
            return err->code;
    for (size_t i = 0; i < spec->job_count; i++)
        if (find_number(ledger, spec->jobs[i].name, write, ops->job_name, ops->job_number, &jobs[i],
                        err) != ERR_OK)
            return err->code;
    *connections_out = connections;
    *jobs_out = jobs;
    return ERR_OK;
}

enum err_code comparison_open(struct session *session, const struct comparison_options *options,
                              struct comparison *comparison_out, struct err *err)
{
    struct ledger *ledger = session->ledger;
    struct comparison *comparison = comparison_out;

    *comparison = (struct comparison){.session = session,
                                      .run = ledger == NULL ? 1 : ledger->ops->last_run(ledger) + 1,
                                      .started_ms = options->started_ms};
    comparison->counts =
        arena_new(&session->arena, session->spec.job_count, sizeof(struct comparison_counts *));
    if (comparison->counts == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the counts of the comparison");
    comparison->store.directory = options->keep_rows ? &session->directory : NULL;
    if (selection_make(session, &comparison->selection, err) != ERR_OK ||
        intake_open_with_store(&session->spec, comparison->selection.left_out, comparison->run,
                               options->planned_ms != 0 ? options->planned_ms : options->started_ms,
                               options->keep_rows ? &comparison->store : NULL,
                               &session->diagnostics, &comparison->intake, err) != ERR_OK)
        return err->code;
    intake_set_stop(comparison->intake, options->stop, options->stop_context);
    intake_set_credentials(comparison->intake, options->credentials);
    if (intake_set_ledger(comparison->intake, ledger, err) != ERR_OK)
        return err->code;
    return intake_check(comparison->intake, err);
}

void comparison_close(struct comparison *comparison)
{
    intake_close(comparison->intake);
    comparison->intake = NULL;
    spilled_tally_close(comparison->tally);
    comparison->tally = NULL;
}

struct intake *comparison_take_intake(struct comparison *comparison)
{
    struct intake *intake = comparison->intake;

    intake_close_sources(intake);
    comparison->intake = NULL;
    return intake;
}

static struct comparison_counts *counts_of(struct comparison *comparison, size_t job)
{
    struct session *session = comparison->session;
    struct comparison_counts **counts = &comparison->counts[job];

    if (*counts == NULL)
        *counts = arena_new(&session->arena, session->spec.connection_count, sizeof **counts);
    return *counts;
}

static bool is_sent(enum converge_action action)
{
    return action == CONVERGE_ADD || action == CONVERGE_REPLACE || action == CONVERGE_RESEND;
}

/* One more of its order is to be sent. */
static enum err_code count_chain(struct comparison *comparison, const struct rendered_row *row,
                                 struct comparison_counts *counts, struct err *err)
{
    struct hash128 group = checksum128(row->group.bytes, row->group.length);
    uint64_t parts[] = {TALLY_CHAIN, row->job_index, row->connection_index, group.high, group.low};
    uint64_t length;

    if (comparison->tally == NULL || !row->has_group)
        return ERR_OK;
    if (comparison->tally->ops->add(comparison->tally, checksum128(parts, sizeof parts), &length,
                                    err) != ERR_OK)
        return err->code;
    if (length > counts->chain)
        counts->chain = length;
    return ERR_OK;
}

bool comparison_job_needs(const struct spec_job *job, size_t other_index)
{
    for (size_t i = 0; i < job->need_count; i++)
        if (job->needs[i].alias != NULL && job->needs[i].job == other_index)
            return true;
    return false;
}

static bool others_are_made_from(const struct spec *spec, size_t job_index)
{
    for (size_t i = 0; i < spec->job_count; i++)
        if (comparison_job_needs(&spec->jobs[i], job_index))
            return true;
    return false;
}

static enum err_code count(struct comparison *comparison, const struct rendered_row *row,
                           const struct import_outcome *outcome, const struct import_row *imported,
                           struct err *err)
{
    struct comparison_counts *counts = counts_of(comparison, row->job_index);
    enum item_state state = outcome->known.state;

    if (counts == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the counts of the comparison");
    counts += row->connection_index;
    counts->by_action[outcome->action]++;
    if (outcome->is_known)
        counts->seen[state]++;
    if (outcome->is_known && row->condition && import_is_droppable(&outcome->known))
        counts->kept_unsent++;
    if (outcome->is_known && item_state_is_active(state))
        counts->active++;
    counts->may_change += import_may_change(imported, outcome);
    comparison->remade += outcome->action == CONVERGE_RESEND && state == ITEM_SUCCEEDED &&
                          outcome->known.has_dependents &&
                          others_are_made_from(&comparison->session->spec, row->job_index);
    if (is_sent(outcome->action) ||
        (outcome->is_known && row->condition && (state == ITEM_READY || state == ITEM_BLOCKED))) {
        counts->starts++;
        counts->waits += import_will_wait(imported, outcome);
        return count_chain(comparison, row, counts, err);
    }
    return ERR_OK;
}

static void tell_refused(struct session *session, const struct rendered_row *row)
{
    diagnostics_add(&session->diagnostics, DIAG_ERROR,
                    (struct place){.file = row->file, .line = row->line, .column = 1},
                    "data.changed", "when_changed: resend or keep says what should happen",
                    "job %s: the row of key '%.*s' changed after it succeeded",
                    session->spec.jobs[row->job_index].name, (int)row->key.length, row->key.bytes);
}

static void set_needs(const uint32_t *connections, const uint32_t *jobs,
                      const struct rendered_row *row, struct import_need needs_out[NEEDS_MAX],
                      struct import_row *imported)
{
    for (size_t i = 0; i < row->need_count; i++) {
        const struct rendered_need *need = &row->needs[i];

        needs_out[i] =
            (struct import_need){.whole_job = need->alias == NULL,
                                 .job_index = need->job_index,
                                 .job = jobs[need->job_index],
                                 .connection = connections[need->connection_index],
                                 .key = need->key,
                                 .name = slice_of(need->alias == NULL ? "" : need->alias)};
    }
    imported->needs = needs_out;
    imported->need_count = row->need_count;
    imported->uses_needs = row->uses_needs;
    imported->has_group = row->has_group;
    if (row->has_group)
        imported->group = checksum128(row->group.bytes, row->group.length);
    imported->draft_hash = row->draft_hash;
    imported->draft = row->draft;
    imported->remake = row->remake;
}

struct import_row comparison_import_row(const struct spec *spec, const uint32_t *connections,
                                        const uint32_t *jobs, const struct rendered_row *row,
                                        struct import_need needs_out[NEEDS_MAX])
{
    const struct spec_job *job = &spec->jobs[row->job_index];
    struct import_row imported = {.job = jobs[row->job_index],
                                  .connection = connections[row->connection_index],
                                  .job_index = row->job_index,
                                  .connection_index = row->connection_index,
                                  .key = row->key,
                                  .method = job->method,
                                  .path = row->path,
                                  .body = row->body,
                                  .source_file = slice_of(row->file),
                                  .source_line = row->line,
                                  .condition = row->condition,
                                  .when_changed = job->when_changed};

    set_needs(connections, jobs, row, needs_out, &imported);
    return imported;
}

static enum err_code walk_row(void *context, const struct rendered_row *row, struct err *err)
{
    struct walk *walk = context;
    struct import_need needs[NEEDS_MAX];
    struct import_row imported =
        comparison_import_row(&walk->comparison->session->spec, walk->comparison->connections,
                              walk->comparison->jobs, row, needs);
    struct import_outcome outcome;

    if (import_compare(&walk->importer, &imported, &outcome, err) != ERR_OK)
        return err->code;
    if (!selection_takes(&walk->comparison->selection, &walk->comparison->session->spec, row,
                         &outcome))
        return ERR_OK;
    if (count(walk->comparison, row, &outcome, &imported, err) != ERR_OK)
        return err->code;
    if (outcome.action == CONVERGE_REFUSE)
        tell_refused(walk->comparison->session, row);
    if (walk->row_fn != NULL && walk->row_fn(walk->context, row, &outcome, err) != ERR_OK)
        return err->code;
    return import_apply(&walk->importer, &imported, &outcome, err);
}

static enum err_code begin_job(void *context, size_t job_index, struct err *err)
{
    struct walk *walk = context;

    (void)job_index;
    return import_begin_job(&walk->importer, err);
}

static void forget_counts(struct comparison *comparison)
{
    const struct spec *spec = &comparison->session->spec;

    comparison->remade = 0;
    for (size_t i = 0; i < spec->job_count; i++)
        if (comparison->counts[i] != NULL)
            memset(comparison->counts[i], 0, spec->connection_count * sizeof **comparison->counts);
}

/* A new one for each walk, when some row waits for another. */
static enum err_code open_tally(struct comparison *comparison, struct err *err)
{
    const struct spec *spec = &comparison->session->spec;
    bool is_needed = false;

    spilled_tally_close(comparison->tally);
    comparison->tally = NULL;
    for (size_t i = 0; i < spec->job_count; i++)
        is_needed = is_needed || spec->jobs[i].need_count > 0 || spec->jobs[i].order_by != NULL;
    return is_needed ? spilled_tally_open(NULL, &comparison->tally, err) : ERR_OK;
}

/* Before the first write: what the ledger holds can then always be given back. */
static enum err_code keep_rows(struct comparison *comparison, struct err *err)
{
    if (comparison->store.directory == NULL)
        return ERR_OK;
    if (intake_keep_rows(comparison->intake, err) != ERR_OK)
        return err->code;
    source_forget_others(&comparison->session->spec, comparison->store.directory);
    return ERR_OK;
}

static size_t index_of(const uint32_t *numbers, size_t count, uint32_t number)
{
    size_t i = 0;

    while (i < count && numbers[i] != number)
        i++;
    return i;
}

/* One that is dropped unless a row stands behind it. */
static void count_unsent(void *context, const struct item *item)
{
    struct comparison *comparison = context;
    const struct spec *spec = &comparison->session->spec;
    size_t job = index_of(comparison->jobs, spec->job_count, item->job);
    size_t connection = index_of(comparison->connections, spec->connection_count, item->connection);
    struct comparison_counts *counts;

    if (job == spec->job_count || connection == spec->connection_count)
        return;
    counts = counts_of(comparison, job);
    if (counts != NULL)
        counts[connection].dropped++;
}

/* Items that are over and have no row any more; without --where, which leaves rows out. */
static enum err_code count_gone(struct comparison *comparison, struct err *err)
{
    static const enum item_state over[] = {ITEM_SUCCEEDED, ITEM_FAILED, ITEM_IN_DOUBT,
                                           ITEM_CANCELLED, ITEM_SKIPPED};
    const struct spec *spec = &comparison->session->spec;
    struct ledger *ledger = comparison->session->ledger;

    for (size_t i = 0; i < spec->job_count; i++) {
        struct comparison_counts *counts;

        if (comparison->jobs[i] == UINT32_MAX ||
            (comparison->selection.left_out != NULL && comparison->selection.left_out[i]))
            continue;
        counts = counts_of(comparison, i);
        if (counts == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the counts of the comparison");
        for (size_t j = 0; j < spec->connection_count; j++) {
            struct item_counts known;

            counts[j].dropped -= counts[j].dropped < counts[j].kept_unsent ? counts[j].dropped
                                                                           : counts[j].kept_unsent;
            if (comparison->connections[j] == UINT32_MAX)
                continue;
            if (ledger->ops->counts(ledger, comparison->jobs[i], comparison->connections[j], &known,
                                    err) != ERR_OK)
                return err->code;
            for (size_t k = 0; k < sizeof over / sizeof *over; k++)
                counts[j].gone += known.by_state[over[k]] - counts[j].seen[over[k]];
        }
    }
    return ERR_OK;
}

static void count_outdated(void *context, const struct item *item)
{
    struct comparison *comparison = context;
    const struct spec *spec = &comparison->session->spec;
    size_t job = index_of(comparison->jobs, spec->job_count, item->job);
    size_t connection = index_of(comparison->connections, spec->connection_count, item->connection);

    if (item->corrected && job < spec->job_count && connection < spec->connection_count &&
        comparison->counts[job] != NULL)
        comparison->counts[job][connection].outdated++;
}

static void limit_drops(const struct comparison *comparison, struct importer *importer)
{
    const struct spec *spec = &comparison->session->spec;
    uint32_t *jobs;

    importer->keeps_absent = comparison->selection.where.count > 0;
    if (comparison->selection.left_out == NULL)
        return;
    jobs = arena_new(&comparison->session->arena, spec->job_count, sizeof *jobs);
    importer->keeps_absent = importer->keeps_absent || jobs == NULL;
    importer->jobs = jobs;
    for (size_t i = 0; jobs != NULL && i < spec->job_count; i++)
        if (!comparison->selection.left_out[i])
            jobs[importer->job_count++] = comparison->jobs[i];
}

enum err_code comparison_walk(struct comparison *comparison, bool write, comparison_row_fn *row_fn,
                              void *context, struct err *err)
{
    struct session *session = comparison->session;
    struct ledger *ledger = session->ledger;
    struct walk walk = {.comparison = comparison,
                        .importer = {.ledger = ledger,
                                     .dry = !write,
                                     .run = comparison->run,
                                     .now_ms = comparison->started_ms,
                                     .unsent_fn = count_unsent,
                                     .unsent_context = comparison},
                        .row_fn = row_fn,
                        .context = context};
    uint32_t connection_count = 0;

    forget_counts(comparison);
    if (!write && open_tally(comparison, err) != ERR_OK)
        return err->code;
    walk.importer.planned = write ? NULL : comparison->tally;
    intake_set_job_begin(comparison->intake, begin_job, &walk);
    if (write && keep_rows(comparison, err) != ERR_OK)
        return err->code;
    if (comparison_numbers(session, write, &comparison->connections, &comparison->jobs, err) !=
            ERR_OK ||
        intake_set_ledger(comparison->intake, ledger, err) != ERR_OK)
        return err->code;
    limit_drops(comparison, &walk.importer);
    if (intake_each(comparison->intake, walk_row, &walk, err) != ERR_OK)
        return err->code;
    if (write && diagnostics_has_errors(&session->diagnostics))
        return err_set(err, ERR_INPUT, "rows changed that must not change; nothing was sent");
    while (ledger != NULL && ledger->ops->connection_name(ledger, connection_count) != NULL)
        connection_count++;
    if (import_finish(&walk.importer, connection_count, err) != ERR_OK)
        return err->code;
    comparison->total = walk.importer.counts;
    if (!write && comparison->total.made_corrections > 0 &&
        outdated_find(ledger, comparison->intake, false, count_outdated, comparison, err) != ERR_OK)
        return err->code;
    if (!write && ledger != NULL && comparison->selection.where.count == 0)
        return count_gone(comparison, err);
    return ERR_OK;
}
