#include <stdio.h>
#include <string.h>

#include "purser/codec/lookup.h"
#include "purser/codec/spec_check.h"
#include "purser/codec/undo.h"

enum { HELP_BYTES = 256 };

/* Names that the rows of an inline source have; each once, in the order they first come. */
static bool names_of_inline(struct arena *arena, const struct spec_source *source,
                            const struct slice **names_out, size_t *count_out)
{
    size_t total = 0, count = 0;
    struct slice *names;

    for (size_t i = 0; i < source->inline_count; i++)
        total += source->inline_rows[i].map.count;
    names = arena_new(arena, total + 1, sizeof *names);
    if (names == NULL)
        return false;
    for (size_t i = 0; i < source->inline_count; i++) {
        const struct value *row = &source->inline_rows[i];

        for (size_t j = 0; j < row->map.count; j++) {
            bool known = false;

            for (size_t k = 0; k < count && !known; k++)
                known = slice_equal(names[k], row->map.names[j]);
            /* Rows with ever other names are not compared without end. */
            if (!known && count < ROW_COLUMNS_MAX)
                names[count++] = row->map.names[j];
        }
    }
    *names_out = names;
    *count_out = count;
    return true;
}

static const struct text_template *compile(struct arena *arena, const struct yaml_node *node,
                                           const struct scope *base, unsigned parts,
                                           struct diagnostics *diagnostics)
{
    struct scope scope = *base;

    if (node == NULL)
        return NULL;
    scope.parts = parts;
    return text_template_compile(arena, node, &scope, diagnostics);
}

/* A type for a column that is not there would never be applied. */
static void check_columns(const struct spec_source *source, const struct scope *scope,
                          struct arena *arena, struct diagnostics *diagnostics)
{
    const char **names = arena_new(arena, scope->column_count + 1, sizeof(*names));
    char help[HELP_BYTES];

    if (names == NULL || scope->columns == NULL)
        return;
    for (size_t i = 0; i < scope->column_count; i++) {
        names[i] = arena_copy_text(arena, scope->columns[i].bytes, scope->columns[i].length);
        if (names[i] == NULL)
            return;
    }
    for (size_t i = 0; i < source->column_count; i++) {
        const struct spec_column *column = &source->columns[i];
        const char *guess;
        bool known = false;

        for (size_t j = 0; j < scope->column_count && !known; j++)
            known = slice_equal(column->name, scope->columns[j]);
        if (known)
            continue;
        guess = spec_guess(help, sizeof help, column->name.bytes, names, scope->column_count);
        diagnostics_add(diagnostics, DIAG_ERROR, column->place, "spec.unknown_column", guess,
                        "no column '%.*s' in %s", (int)column->name.length, column->name.bytes,
                        scope->source_name);
    }
}

/* Outputs are evaluated on an answer, of which the row is long gone; here only their names are
 * checked. */
static void check_outputs(struct arena *arena, const struct yaml_node *outputs,
                          const struct scope *scope, struct diagnostics *diagnostics)
{
    for (size_t i = 0; outputs != NULL && i < outputs->count; i++)
        compile(arena, outputs->items[i], scope, SCOPE_RESPONSE | SCOPE_VARS, diagnostics);
}

static struct scope scope_of_job(const struct spec *spec, const struct spec_job *job,
                                 const struct slice *columns, size_t column_count)
{
    return (struct scope){.columns = columns,
                          .column_count = column_count,
                          .source_name =
                              job->source.path != NULL ? job->source.path : "the inline rows",
                          .vars = &spec->vars};
}

static void bind(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                 const struct scope *scope, struct job_templates *templates,
                 struct diagnostics *diagnostics)
{
    struct body_template *body = NULL;
    bool has_memory = true;
    const unsigned row = SCOPE_ROW | SCOPE_VARS;
    const unsigned named = row | SCOPE_RUN;
    const unsigned rows = job->source.group_by != NULL ? row | SCOPE_ROWS : row;
    struct scope body_scope = *scope, name_scope = *scope;
    unsigned used = 0, needs;

    name_scope.run_is_slot = true;
    name_scope.parts = named;
    if (!spec_bind_needs(arena, spec, job, &name_scope, templates, diagnostics) ||
        !spec_scope_needs(arena, spec, job, &body_scope))
        return; /* what was not compiled tells of memory */
    needs = body_scope.parts & SCOPE_NEEDS;
    body_scope.used_parts = &used;
    templates->key = compile(arena, job->source.key, &name_scope, named, diagnostics);
    templates->group_by = compile(arena, job->source.group_by, scope, row, diagnostics);
    templates->connection = compile(arena, job->connection, &name_scope, named, diagnostics);
    templates->connection_varies = spec_has_expression(job->connection->text);
    body_scope.parts = rows | SCOPE_ITEM | SCOPE_RUN | needs;
    templates->path = compile(arena, spec_request_path(arena, job->request), &body_scope,
                              body_scope.parts, diagnostics);
    templates->condition =
        compile(arena, job->condition, &body_scope, body_scope.parts, diagnostics);
    if (job->body != NULL)
        body = body_template_compile(arena, job->body, &body_scope, job->when_empty, diagnostics);
    templates->body = body;
    templates->uses_needs = (used & SCOPE_NEEDS) != 0;
    templates->uses_run = (used & SCOPE_RUN) != 0;
    templates->mixes_needs = (used & SCOPE_MIXED) != 0;
    if (job->body == NULL || body != NULL)
        has_memory = spec_check_operation(arena, spec, job, body, diagnostics);
    if (!has_memory)
        templates->path = NULL;
    check_outputs(arena, job->outputs, scope, diagnostics);
}

/* False when a part that the job has could not be compiled. */
static bool is_complete(const struct spec_job *job, const struct job_templates *templates)
{
    return templates->key != NULL && templates->connection != NULL && templates->path != NULL &&
           (job->source.group_by == NULL || templates->group_by != NULL) &&
           (job->condition == NULL || templates->condition != NULL) &&
           (job->body == NULL || templates->body != NULL) &&
           (job->order_by == NULL || templates->order_by != NULL);
}

enum err_code spec_job_bind(struct arena *arena, const struct spec *spec,
                            const struct spec_job *job, const struct slice *columns,
                            size_t column_count, struct job_templates *templates_out,
                            struct diagnostics *diagnostics)
{
    uint64_t errors = diagnostics->error_count;
    const struct lookup *lookup;
    const struct undo_template *undo;
    struct scope scope;

    *templates_out = (struct job_templates){0};
    if (columns == NULL && job->source.kind == SOURCE_INLINE &&
        !names_of_inline(arena, &job->source, &columns, &column_count))
        return ERR_NO_MEMORY;
    scope = scope_of_job(spec, job, columns, column_count);
    check_columns(&job->source, &scope, arena, diagnostics);
    bind(arena, spec, job, &scope, templates_out, diagnostics);
    if (lookup_compile(arena, spec, job, &lookup, diagnostics) == ERR_NO_MEMORY)
        return ERR_NO_MEMORY;
    if (undo_compile(arena, spec, job, &undo, diagnostics) == ERR_NO_MEMORY)
        return ERR_NO_MEMORY;
    if (diagnostics->error_count > errors)
        return ERR_INPUT;
    return is_complete(job, templates_out) ? ERR_OK : ERR_NO_MEMORY;
}
