#include "purser/codec/outputs.h"

#include <stdio.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"

enum { ANSWER_VALUES_BYTES = 64 * 1024 * 1024 };

struct job_outputs {
    const struct text_template **templates; /* one a key of `node` */
    const struct yaml_node *node;           /* NULL = none */
    struct slice *names;
};

struct outputs {
    const struct spec *spec;
    struct job_outputs *jobs; /* as many as the spec has */
    struct arena scratch;
};

static enum err_code compile(struct outputs *outputs, struct arena *arena,
                             const struct spec_job *job, struct job_outputs *to,
                             struct diagnostics *diagnostics, struct err *err)
{
    struct scope scope = {.parts = SCOPE_RESPONSE | SCOPE_VARS, .vars = &outputs->spec->vars};

    to->node = job->outputs;
    if (job->outputs == NULL)
        return ERR_OK;
    to->templates = arena_new(arena, job->outputs->count, sizeof(*to->templates));
    to->names = arena_new(arena, job->outputs->count, sizeof *to->names);
    if (to->templates == NULL || to->names == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the outputs of job %s", job->name);
    for (size_t i = 0; i < job->outputs->count; i++) {
        to->names[i] = job->outputs->keys[i]->text;
        to->templates[i] =
            text_template_compile(arena, job->outputs->items[i], &scope, diagnostics);
    }
    return ERR_OK;
}

enum err_code outputs_open(const struct spec *spec, struct arena *arena,
                           struct diagnostics *diagnostics, struct outputs **outputs_out,
                           struct err *err)
{
    struct outputs *outputs = mem_new(1, sizeof *outputs);
    uint64_t errors = diagnostics->error_count;

    if (outputs != NULL)
        outputs->jobs = mem_new(spec->job_count, sizeof *outputs->jobs);
    if (outputs == NULL || outputs->jobs == NULL) {
        mem_free(outputs);
        return err_set(err, ERR_NO_MEMORY, "no memory for the outputs");
    }
    outputs->spec = spec;
    arena_init(&outputs->scratch, ANSWER_VALUES_BYTES);
    for (size_t i = 0; i < spec->job_count; i++) {
        if (compile(outputs, arena, &spec->jobs[i], &outputs->jobs[i], diagnostics, err) !=
            ERR_OK) {
            outputs_close(outputs);
            return err->code;
        }
    }
    if (diagnostics->error_count > errors) {
        outputs_close(outputs);
        return err_set(err, ERR_INPUT, "the outputs in %s are wrong", spec->file);
    }
    *outputs_out = outputs;
    return ERR_OK;
}

void outputs_close(struct outputs *outputs)
{
    if (outputs == NULL)
        return;
    arena_deinit(&outputs->scratch);
    mem_free(outputs->jobs);
    mem_free(outputs);
}

static bool evaluate(const struct outputs *outputs, const struct job_outputs *job, size_t index,
                     const struct value *response, struct arena *arena, struct value *value_out,
                     struct eval_error *error_out)
{
    struct environment environment = {
        .response = response, .vars = &outputs->spec->vars, .arena = arena};

    return text_template_evaluate(job->templates[index], &environment, value_out, error_out);
}

static void append_one(struct outputs *outputs, const struct job_outputs *job, size_t index,
                       const struct value *response, bool *first, struct buf *out)
{
    struct eval_error error = {0};
    struct value value;

    if (!evaluate(outputs, job, index, response, &outputs->scratch, &value, &error) ||
        value.kind == VALUE_OMIT)
        return;
    if (!*first)
        buf_append_byte(out, ',');
    *first = false;
    text_append_json(out, job->names[index]);
    buf_append_byte(out, ':');
    value_append_json(out, &value);
}

void outputs_append_json(struct outputs *outputs, const char *job, struct slice body,
                         struct buf *out)
{
    struct value response;
    struct err ignored = {0};
    uint64_t failures_before = mem_failure_count();
    bool first = true;

    buf_append_byte(out, '{');
    arena_clear(&outputs->scratch);
    for (size_t i = 0; i < outputs->spec->job_count; i++) {
        const struct job_outputs *known = &outputs->jobs[i];

        if (strcmp(outputs->spec->jobs[i].name, job) != 0 || known->node == NULL ||
            json_parse(&outputs->scratch, body.bytes, body.length, &response, &ignored) != ERR_OK)
            continue;
        for (size_t j = 0; j < known->node->count; j++)
            append_one(outputs, known, j, &response, &first, out);
    }
    if (mem_failure_count() > failures_before) /* something of it is missing */
        out->failed = ERR_NO_MEMORY;
    buf_append_byte(out, '}');
}

static bool fail_memory(struct eval_error *error_out)
{
    *error_out = (struct eval_error){.text = "the answer needs more memory than there is"};
    return false;
}

bool outputs_read(const struct outputs *outputs, size_t job, struct slice body, struct arena *arena,
                  struct value *value_out, struct eval_error *error_out)
{
    static const struct slice names[] = {{"outputs", 7}, {"response", 8}};
    const struct job_outputs *known = &outputs->jobs[job];
    size_t count = known->node != NULL ? known->node->count : 0;
    struct value *parts = arena_new(arena, 2, sizeof *parts);
    struct value *values = arena_new(arena, count + 1, sizeof *values);
    struct err ignored = {0};

    if (parts == NULL || values == NULL)
        return fail_memory(error_out);
    parts[1] = (struct value){.kind = VALUE_OMIT};
    if (json_parse(arena, body.bytes, body.length, &parts[1], &ignored) == ERR_NO_MEMORY)
        return fail_memory(error_out);
    for (size_t i = 0; i < count; i++)
        if (!evaluate(outputs, known, i, &parts[1], arena, &values[i], error_out))
            return false;
    parts[0] = (struct value){.kind = VALUE_MAP};
    parts[0].map.names = known->names;
    parts[0].map.values = values;
    parts[0].map.count = count;
    *value_out = (struct value){.kind = VALUE_MAP};
    value_out->map.names = names;
    value_out->map.values = parts;
    value_out->map.count = 2;
    return true;
}
