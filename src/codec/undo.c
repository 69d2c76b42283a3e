#include "purser/codec/undo.h"

#include <stdio.h>
#include <string.h>

#include "purser/codec/response_mode.h"
#include "purser/codec/spec_check.h"

struct undo_template {
    const struct spec_job *job; /* the undo, as a job */
    const struct value *vars;
    const struct text_template *path;
    const struct body_template *body; /* NULL = none */
};

static bool scope_of(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                     struct scope *scope)
{
    struct scope_need *own = arena_new(arena, 1, sizeof *own);
    size_t count = job->outputs == NULL ? 0 : job->outputs->count;
    struct slice *names = arena_new(arena, count + 1, sizeof *names);

    if (own == NULL || names == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        names[i] = job->outputs->keys[i]->text;
    *own = (struct scope_need){.job = job->name, .outputs = names, .output_count = count};
    *scope = (struct scope){.vars = &spec->vars, .own = own, .item_is_frozen = true};
    if (!spec_scope_needs(arena, spec, job, scope))
        return false;
    scope->parts |= SCOPE_OUTPUTS | SCOPE_RESPONSE | SCOPE_ITEM | SCOPE_VARS;
    return true;
}

enum err_code undo_compile(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                           const struct undo_template **undo_out, struct diagnostics *diagnostics)
{
    uint64_t errors = diagnostics->error_count;
    struct undo_template *undo;
    struct body_template *body = NULL;
    const struct yaml_node *path;
    struct scope scope;
    bool is_right;

    *undo_out = NULL;
    if (job->undo == NULL)
        return ERR_OK;
    undo = arena_new(arena, 1, sizeof *undo);
    path = spec_request_path(arena, job->undo->request);
    if (undo == NULL || path == NULL || !scope_of(arena, spec, job, &scope))
        return ERR_NO_MEMORY;
    *undo = (struct undo_template){.job = job->undo, .vars = &spec->vars};
    undo->path = text_template_compile(arena, path, &scope, diagnostics);
    is_right = undo->path != NULL;
    if (job->undo->body != NULL) {
        body = body_template_compile(arena, job->undo->body, &scope, job->undo->when_empty,
                                     diagnostics);
        is_right = body != NULL && is_right;
    }
    undo->body = body;
    if (is_right && !spec_check_operation(arena, spec, job->undo, body, diagnostics))
        return ERR_NO_MEMORY;
    if (diagnostics->error_count > errors)
        return ERR_INPUT;
    if (!is_right)
        return ERR_NO_MEMORY;
    *undo_out = undo;
    return ERR_OK;
}

static bool fail(const struct undo_template *undo, struct eval_error *error_out, const char *text)
{
    *error_out = (struct eval_error){.place = undo->job->place};
    (void)snprintf(error_out->text, sizeof error_out->text, "%s", text);
    return false;
}

/* A value must not turn the request into another one. */
static bool is_of_operation(const struct spec_job *job, struct slice path)
{
    return job->is_custom ? operation_takes_path(job->operation, path)
                          : operation_find(job->method, path) == job->operation;
}

static bool finish_path(const struct undo_template *undo, struct arena *scratch, struct slice *path,
                        struct eval_error *error_out)
{
    const char *query = response_mode_query(undo->job->operation, undo->job->mode);
    size_t length = strlen(query);
    char *whole;

    if (!is_of_operation(undo->job, *path))
        return fail(undo, error_out, "the values of this item make another request of it");
    if (path->length + length > PATH_BYTES_MAX)
        return fail(undo, error_out, "its path is too long");
    whole = arena_new(scratch, path->length + length + 1, 1);
    if (whole == NULL)
        return fail(undo, error_out, "out of memory");
    memcpy(whole, path->bytes, path->length);
    memcpy(whole + path->length, query, length);
    *path = (struct slice){whole, path->length + length};
    return true;
}

static const struct value *member_of(const struct value *map, const char *name)
{
    for (size_t i = 0; map->kind == VALUE_MAP && i < map->map.count; i++)
        if (slice_is(map->map.names[i], name))
            return &map->map.values[i];
    return NULL;
}

bool undo_render(const struct undo_template *undo, const struct undo_item *item,
                 struct arena *scratch, struct buf *body, struct slice *path_out,
                 struct eval_error *error_out)
{
    static const struct value no_needs = {.kind = VALUE_MAP};
    const struct slice names[] = {SLICE("key"), SLICE("line")};
    const char *mode = response_mode_member(undo->job->operation, undo->job->mode);
    char line[16];
    struct value members[] = {{.kind = VALUE_STRING, .text = item->key},
                              {.kind = VALUE_NUMBER, .text = {line, 0}}};
    const struct value item_value = {.kind = VALUE_MAP,
                                     .map = {.names = names, .values = members, .count = 2}};
    const struct environment environment = {.vars = undo->vars,
                                            .item = &item_value,
                                            .outputs = member_of(item->returned, "outputs"),
                                            .response = member_of(item->returned, "response"),
                                            .needs = item->needs != NULL ? item->needs : &no_needs,
                                            .arena = scratch};

    members[1].text.length = (size_t)snprintf(line, sizeof line, "%u", item->line);
    buf_clear(body);
    if (!text_template_path(undo->path, &environment, path_out, error_out) ||
        !finish_path(undo, scratch, path_out, error_out))
        return false;
    if (undo->body != NULL)
        return body_template_render(undo->body, &environment, mode, body, error_out) &&
               error_out->text[0] == '\0' && body->failed == ERR_OK;
    if (mode != NULL)
        buf_append_format(body, "{%s}", mode);
    return body->failed == ERR_OK;
}
