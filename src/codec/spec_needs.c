/* needs: and order_by: what an item waits for. Circles are errors, so that the jobs have an order.
 */
#include <stdio.h>
#include <string.h>

#include "expr_tree.h"
#include "purser/codec/spec_check.h"

enum { HELP_BYTES = 256, CIRCLE_BYTES = 900 };

enum { NEED_JOB, NEED_KEY, NEED_CONNECTION, NEED_KEY_COUNT };

static const struct spec_key need_keys[NEED_KEY_COUNT] = {
    [NEED_JOB] = {"job", KINDS_TEXT, true, NULL},
    [NEED_KEY] = {"key", KINDS_TEXT, false, NULL},
    [NEED_CONNECTION] = {"connection", KINDS_TEXT, false, NULL},
};

static bool find_job(struct spec_reader *reader, const struct yaml_node *name,
                     const struct spec_job *job, size_t *index_out)
{
    const struct spec *spec = reader->spec;
    const char **names = spec_new(reader, spec->job_count, sizeof(*names));
    char help[HELP_BYTES];

    if (names == NULL)
        return false;
    for (size_t i = 0; i < spec->job_count; i++) {
        names[i] = spec->jobs[i].name;
        if (!slice_is(name->text, names[i]))
            continue;
        *index_out = i;
        if (&spec->jobs[i] != job)
            return true;
        spec_error(reader, name->place, "spec.needs_circle",
                   "order_by: keeps the items of one job in order", "job '%s' needs itself",
                   job->name);
        return false;
    }
    spec_error(reader, name->place, "spec.unknown_job",
               spec_guess(help, sizeof help, name->text.bytes, names, spec->job_count),
               "there is no job '%s'", name->text.bytes);
    return false;
}

/* needs: [products, prices] */
static void read_list(struct spec_reader *reader, const struct yaml_node *node,
                      const struct spec_job *job, struct spec_need *needs, size_t *count)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *name = node->items[i];
        struct spec_need need = {.place = name->place};
        bool known = false;

        if (name->kind != YAML_STRING) {
            spec_error(reader, name->place, "spec.type", "needs: [products]",
                       "a need is %s, must be the name of a job", yaml_kind_name(name->kind));
            continue;
        }
        if (!find_job(reader, name, job, &need.job))
            continue;
        for (size_t j = 0; j < *count && !known; j++)
            known = needs[j].job == need.job;
        if (known)
            spec_error(reader, name->place, "spec.value", "keep one of them",
                       "job '%s' is needed twice", name->text.bytes);
        else
            needs[(*count)++] = need;
    }
}

static void check_connection(struct spec_reader *reader, const struct yaml_node *node)
{
    if (node != NULL && !spec_has_expression(node->text) &&
        spec_connection_find(reader->spec, node->text) == NULL)
        spec_error(reader, node->place, "spec.unknown_connection", NULL,
                   "no connection '%s' under connections", node->text.bytes);
}

static void read_need(struct spec_reader *reader, const struct yaml_node *name,
                      const struct yaml_node *node, const struct spec_job *job,
                      struct spec_need *needs, size_t *count)
{
    const struct yaml_node *found[NEED_KEY_COUNT];
    struct spec_need need = {.alias = name->text.bytes, .place = name->place};
    char what[96];

    snprintf(what, sizeof what, "need '%.63s'", need.alias);
    if (!expr_is_name(name->text)) {
        spec_error(reader, name->place, "spec.name", "letters, digits and _, not a digit first",
                   "'%s' cannot be the name of a need", need.alias);
        return;
    }
    if (!spec_read_map(reader, node, what, need_keys, NEED_KEY_COUNT, found) ||
        found[NEED_JOB] == NULL || !find_job(reader, found[NEED_JOB], job, &need.job))
        return;
    need.place = found[NEED_JOB]->place;
    if (found[NEED_KEY] == NULL) {
        need.alias = NULL;
        if (found[NEED_CONNECTION] != NULL)
            spec_error(reader, found[NEED_CONNECTION]->place, "spec.value",
                       "key: says which item of the job; without it all of them are waited for",
                       "%s has a connection and no key", what);
        needs[(*count)++] = need;
        return;
    }
    need.key = found[NEED_KEY];
    need.connection = found[NEED_CONNECTION];
    check_connection(reader, need.connection);
    needs[(*count)++] = need;
}

static void read_needs(struct spec_reader *reader, const struct yaml_node *node,
                       struct spec_job *job)
{
    struct spec_need *needs;
    size_t count = 0;

    if (node->kind != YAML_LIST && node->kind != YAML_MAP) {
        spec_error(reader, node->place, "spec.type",
                   "needs: [products] waits for a whole job; needs: { product: { job: products, "
                   "key: \"${row.handle}\" } } for one item of it",
                   "'needs' is %s, must be a list or a map", yaml_kind_name(node->kind));
        return;
    }
    /* One is left for the place in an order. */
    if (node->count > NEEDS_MAX - 1) {
        spec_error(reader, node->place, "spec.too_many", NULL, "more than %d needs", NEEDS_MAX - 1);
        return;
    }
    needs = spec_new(reader, node->count, sizeof *needs);
    if (needs == NULL)
        return;
    if (node->kind == YAML_LIST)
        read_list(reader, node, job, needs, &count);
    for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++)
        read_need(reader, node->keys[i], node->items[i], job, needs, &count);
    job->needs = needs;
    job->need_count = count;
}

/* -- the order of jobs ------------------------------------------------------------------------ */

struct ordering {
    struct spec_reader *reader;
    enum { UNSEEN, OPEN, DONE } * states;
    size_t *path;                   /* jobs that are open, from the outside in */
    const struct spec_need **steps; /* the need that leads on from each */
    size_t depth;
};

/* "a (line 5) needs b, b (line 9) needs a" from `start` of the path on. */
static void tell_circle(const struct ordering *ordering, size_t start)
{
    const struct spec *spec = ordering->reader->spec;
    char text[CIRCLE_BYTES];
    size_t length = 0;

    for (size_t i = start; i < ordering->depth && length < sizeof text; i++) {
        const struct spec_need *step = ordering->steps[i];

        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%s needs %s (%u:%u)",
                             i > start ? ", " : "", spec->jobs[ordering->path[i]].name,
                             spec->jobs[step->job].name, step->place.line, step->place.column);
    }
    spec_error(ordering->reader, ordering->steps[start]->place, "spec.needs_circle",
               "take one of the needs out: none of these jobs could ever start",
               "the needs go in a circle: %s", text);
}

/* Recursion is bounded by SPEC_JOBS_MAX. */
static void visit(struct ordering *ordering, size_t index, size_t *order, size_t *placed)
{
    const struct spec_job *job = &ordering->reader->spec->jobs[index];

    if (ordering->states[index] == DONE)
        return;
    ordering->states[index] = OPEN;
    ordering->path[ordering->depth++] = index;
    for (size_t i = 0; i < job->need_count; i++) {
        size_t needed = job->needs[i].job, start = 0;

        ordering->steps[ordering->depth - 1] = &job->needs[i];
        if (ordering->states[needed] != OPEN) {
            visit(ordering, needed, order, placed);
            continue;
        }
        while (ordering->path[start] != needed)
            start++;
        tell_circle(ordering, start);
    }
    ordering->depth--;
    ordering->states[index] = DONE;
    order[(*placed)++] = index;
}

static void put_in_order(struct spec_reader *reader)
{
    struct spec *spec = reader->spec;
    struct ordering ordering = {
        .reader = reader,
        .states = spec_new(reader, spec->job_count, sizeof *ordering.states),
        .path = spec_new(reader, spec->job_count, sizeof *ordering.path),
        .steps = spec_new(reader, spec->job_count, sizeof(*ordering.steps)),
    };
    size_t *order = spec_new(reader, spec->job_count, sizeof *order);
    size_t placed = 0;

    if (reader->no_memory)
        return;
    for (size_t i = 0; i < spec->job_count; i++)
        visit(&ordering, i, order, &placed);
    spec->job_order = order;
}

void spec_read_needs(struct spec_reader *reader, const struct yaml_node *node,
                     struct spec_job *jobs)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *needs =
            node->items[i]->kind == YAML_MAP ? yaml_get(node->items[i], "needs") : NULL;

        if (needs != NULL)
            read_needs(reader, needs, &jobs[i]);
    }
    put_in_order(reader);
}

const struct yaml_node *spec_read_order_by(struct spec_reader *reader, const struct yaml_node *node)
{
    if (node != NULL && !spec_has_expression(node->text))
        spec_error(reader, node->place, "spec.constant_key", "order_by: ${row.customer}",
                   "'order_by' is the same for every row");
    return node;
}

/* -- names and templates ---------------------------------------------------------------------- */

static bool set_outputs(struct arena *arena, const struct spec_job *parent, struct scope_need *need)
{
    struct slice *names;

    need->job = parent->name;
    if (parent->outputs == NULL)
        return true;
    names = arena_new(arena, parent->outputs->count, sizeof *names);
    for (size_t i = 0; i < parent->outputs->count && names != NULL; i++)
        names[i] = parent->outputs->keys[i]->text;
    need->outputs = names;
    need->output_count = names != NULL ? parent->outputs->count : 0;
    return names != NULL;
}

bool spec_scope_needs(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                      struct scope *scope)
{
    struct scope_need *needs = arena_new(arena, job->need_count + 1, sizeof *needs);
    size_t count = 0;

    if (needs == NULL)
        return false;
    for (size_t i = 0; i < job->need_count; i++) {
        if (job->needs[i].alias == NULL)
            continue;
        needs[count].alias = slice_of(job->needs[i].alias);
        if (!set_outputs(arena, &spec->jobs[job->needs[i].job], &needs[count++]))
            return false;
    }
    scope->needs = needs;
    scope->need_count = count;
    if (count > 0)
        scope->parts |= SCOPE_NEEDS;
    return true;
}

/* Where the parent is looked for when the need does not say: on its job's own connection when that
 * is the same for all rows, else on the one of the row that needs it. */
static const struct yaml_node *connection_of(const struct spec *spec, const struct spec_need *need)
{
    const struct spec_job *parent = &spec->jobs[need->job];

    if (need->connection != NULL)
        return need->connection;
    return parent->connection != NULL && !spec_has_expression(parent->connection->text)
               ? parent->connection
               : NULL;
}

bool spec_bind_needs(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                     const struct scope *scope, struct job_templates *templates,
                     struct diagnostics *diagnostics)
{
    struct need_templates *needs = arena_new(arena, job->need_count + 1, sizeof *needs);

    if (needs == NULL)
        return false;
    for (size_t i = 0; i < job->need_count; i++) {
        const struct spec_need *need = &job->needs[i];
        const struct yaml_node *connection = connection_of(spec, need);

        if (need->alias == NULL)
            continue;
        needs[i].key = text_template_compile(arena, need->key, scope, diagnostics);
        if (connection != NULL)
            needs[i].connection = text_template_compile(arena, connection, scope, diagnostics);
    }
    templates->needs = needs;
    if (job->order_by != NULL)
        templates->order_by = text_template_compile(arena, job->order_by, scope, diagnostics);
    return true;
}
