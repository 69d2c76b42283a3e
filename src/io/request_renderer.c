#include "purser/io/request_renderer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "intake_private.h"
#include "purser/base/mem.h"
#include "purser/codec/draft.h"

bool request_renderer_is_needed(const struct spec *spec)
{
    for (size_t i = 0; i < spec->job_count; i++)
        for (size_t j = 0; j < spec->jobs[i].need_count; j++)
            if (spec->jobs[i].needs[j].alias != NULL)
                return true;
    return false;
}

/* One item while its request is made. */
struct rendering {
    struct intake *intake;
    char *problem;
    size_t problem_size;
};

__attribute__((format(printf, 2, 3))) static enum err_code refuse(const struct rendering *rendering,
                                                                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(rendering->problem, rendering->problem_size, format, arguments) < 0)
        rendering->problem[0] = '\0';
    va_end(arguments);
    return ERR_INPUT;
}

static struct intake_job *find_job(struct intake *intake, uint32_t number)
{
    const char *name = intake->ledger->ops->job_name(intake->ledger, number);

    for (size_t i = 0; name != NULL && i < intake->spec->job_count; i++)
        if (strcmp(intake->spec->jobs[i].name, name) == 0)
            return &intake->jobs[i];
    return NULL;
}

static enum err_code read_need(const struct rendering *rendering, const struct need *need,
                               struct value *value_out, struct err *err)
{
    struct intake *intake = rendering->intake;
    struct eval_error error = {0};
    const struct intake_job *job;
    struct item item;
    enum err_code code = intake->ledger->ops->read_item(intake->ledger, need->target, &item, err);

    if (code == ERR_NOT_FOUND)
        return refuse(rendering, "the item that it needs is not in the ledger any more");
    if (code != ERR_OK)
        return code;
    job = find_job(intake, item.job);
    if (job == NULL)
        return refuse(rendering, "the job of the item that it needs is not in the spec any more");
    code = intake_read_need(intake, (size_t)(job - intake->jobs), need->target, value_out, &error,
                            err);
    if (code == ERR_INPUT)
        return refuse(rendering, "outputs of job %s: %s (%s:%u:%u)", job->job->name, error.text,
                      error.place.file == NULL ? intake->spec->file : error.place.file,
                      error.place.line, error.place.column);
    return code;
}

static enum err_code read_needs(const struct rendering *rendering,
                                const struct needs_record *record, struct value *needs_out,
                                struct err *err)
{
    struct arena *arena = &rendering->intake->scratch;
    struct slice *names = arena_new(arena, NEEDS_MAX, sizeof *names);
    struct value *values = arena_new(arena, NEEDS_MAX, sizeof *values);
    size_t count = 0;

    if (names == NULL || values == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for what an item needs");
    for (size_t i = 0; i < record->need_count; i++) {
        const struct need *need = &record->needs[i];
        enum err_code code;

        if (need->kind != WAIT_ITEM || need->ordering || need->name.length == 0)
            continue;
        code = read_need(rendering, need, &values[count], err);
        if (code != ERR_OK)
            return code;
        names[count++] = need->name;
    }
    *needs_out = (struct value){.kind = VALUE_MAP};
    needs_out->map.names = names;
    needs_out->map.values = values;
    needs_out->map.count = count;
    return ERR_OK;
}

/* *run_out: ${run…} of the run that read the row, where its request needs it. */
static enum err_code read_unit(const struct rendering *rendering, struct slice text,
                               struct unit *unit_out, struct value *run_out, struct err *err)
{
    struct arena *arena = &rendering->intake->scratch;
    struct value *only = arena_new(arena, 1, sizeof *only);
    struct draft draft;
    struct err problem = {0};
    enum err_code code = draft_read(arena, text, &draft, &problem);
    const char *file;

    if (code == ERR_INPUT || code == ERR_TOO_BIG)
        return refuse(rendering, "%s", problem.text);
    file = code == ERR_OK ? arena_copy_text(arena, draft.file.bytes, draft.file.length) : NULL;
    if (only == NULL || file == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a row that waited");
    *run_out = draft.run;
    *unit_out = (struct unit){.row = draft.row,
                              .rows = draft.rows,
                              .file = file,
                              .line = draft.line,
                              .index = draft.index};
    if (!draft.has_rows) {
        *only = draft.row;
        unit_out->rows = (struct value){.kind = VALUE_LIST, .list = {only, 1}};
    }
    return ERR_OK;
}

/* What the messages of the intake say of one row becomes the problem of its item. */
static enum err_code make(const struct rendering *rendering, const struct intake_job *job,
                          const struct unit *unit, const struct value *run, struct value *needs,
                          struct rendered_row *row, struct err *err)
{
    struct intake *intake = rendering->intake;
    struct diagnostics told, *before = intake->diagnostics;
    struct value item;
    struct environment environment = {.row = &unit->row,
                                      .rows = &unit->rows,
                                      .vars = &intake->spec->vars,
                                      .item = &item,
                                      .run = run->kind == VALUE_MAP ? run : &intake->run,
                                      .needs = needs,
                                      .arena = &intake->scratch};
    enum err_code code = ERR_OK;
    bool checked_before = intake->is_checked;

    if (!intake_item_value(intake, unit, row->key, &item))
        return err_set(err, ERR_NO_MEMORY, "no memory for an item");
    diagnostics_init(&told);
    intake->diagnostics = &told;
    intake->is_checked = false; /* its request was not seen before */
    if (!intake_render_condition(intake, job, unit, &environment, row) ||
        (row->condition && !intake_render_request(intake, job, unit, &environment, row)))
        code = refuse(rendering, "%s", diagnostics_first_error(&told));
    if (code == ERR_OK && !row->condition)
        code = ERR_NOT_FOUND;
    if (intake->body.failed == ERR_NO_MEMORY)
        code = err_set(err, ERR_NO_MEMORY, "no memory for a body");
    intake->is_checked = checked_before;
    intake->diagnostics = before;
    diagnostics_deinit(&told);
    return code;
}

static enum err_code render_item(const struct rendering *rendering, const struct item *item,
                                 const struct needs_record *record,
                                 struct frozen_request *request_inout, struct err *err)
{
    struct intake *intake = rendering->intake;
    const struct intake_job *job = find_job(intake, item->job);
    struct rendered_row row = {.key = request_inout->key};
    struct value run, needs;
    struct unit unit;
    enum err_code code;

    arena_clear(&intake->scratch);
    if (job == NULL)
        return refuse(rendering, "its job is not in the spec any more");
    code = read_unit(rendering, record->draft, &unit, &run, err);
    if (code == ERR_OK)
        code = read_needs(rendering, record, &needs, err);
    if (code == ERR_OK)
        code = make(rendering, job, &unit, &run, &needs, &row, err);
    if (code != ERR_OK)
        return code;
    request_inout->method = job->job->method;
    request_inout->path = row.path;
    request_inout->body = row.body;
    return ERR_OK;
}

static enum err_code render(struct renderer *self, uint64_t number, const struct item *item,
                            const struct needs_record *record, struct frozen_request *request_inout,
                            char *problem, size_t problem_size, struct err *err)
{
    struct rendering rendering = {.intake = ((struct request_renderer *)self)->intake,
                                  .problem = problem,
                                  .problem_size = problem_size};
    uint64_t failures_before = mem_failure_count();
    enum err_code code = render_item(&rendering, item, record, request_inout, err);

    (void)number;
    /* No item fails for a lack of memory here. */
    if (mem_failure_count() > failures_before)
        return err_set(err, ERR_NO_MEMORY, "out of memory for a request");
    return code;
}

void request_renderer_init(struct request_renderer *renderer, struct intake *intake)
{
    static const struct renderer_ops ops = {.render = render};

    *renderer = (struct request_renderer){.port.ops = &ops, .intake = intake};
}
