#include "purser/cli/outputs.h"

#include <string.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"

enum { ANSWER_VALUES_BYTES = 64 * 1024 * 1024 };

struct job_outputs {
    const char *job;
    const struct text_template **templates; /* one a key of `node` */
    const struct yaml_node *node;
};

struct outputs {
    struct job_outputs *jobs;
    size_t count;
    struct arena scratch;
};

static enum err_code compile(struct session *session, const struct spec_job *job,
                             struct job_outputs *to, struct err *err)
{
    struct scope scope = {.parts = SCOPE_RESPONSE | SCOPE_VARS, .vars = &session->spec.vars};

    to->job = job->name;
    to->node = job->outputs;
    if (job->outputs == NULL)
        return ERR_OK;
    to->templates = arena_new(&session->arena, job->outputs->count, sizeof(*to->templates));
    if (to->templates == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the outputs of job %s", job->name);
    for (size_t i = 0; i < job->outputs->count; i++)
        to->templates[i] = text_template_compile(&session->arena, job->outputs->items[i], &scope,
                                                 &session->diagnostics);
    return ERR_OK;
}

enum err_code outputs_open(struct session *session, struct outputs **outputs_out, struct err *err)
{
    struct outputs *outputs = mem_new(1, sizeof *outputs);
    const struct spec *spec = &session->spec;

    if (outputs != NULL)
        outputs->jobs = mem_new(spec->job_count, sizeof *outputs->jobs);
    if (outputs == NULL || outputs->jobs == NULL) {
        mem_free(outputs);
        return err_set(err, ERR_NO_MEMORY, "no memory for the outputs");
    }
    outputs->count = spec->job_count;
    arena_init(&outputs->scratch, ANSWER_VALUES_BYTES);
    for (size_t i = 0; i < spec->job_count; i++) {
        if (compile(session, &spec->jobs[i], &outputs->jobs[i], err) != ERR_OK) {
            outputs_close(outputs);
            return err->code;
        }
    }
    if (diagnostics_has_errors(&session->diagnostics)) {
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

static void append_one(struct outputs *outputs, const struct job_outputs *job, size_t index,
                       const struct value *response, bool *first, struct buf *out)
{
    struct environment environment = {.response = response, .arena = &outputs->scratch};
    struct eval_error error = {0};
    struct value value;

    if (!text_template_evaluate(job->templates[index], &environment, &value, &error) ||
        value.kind == VALUE_OMIT)
        return;
    if (!*first)
        buf_append_byte(out, ',');
    *first = false;
    text_append_json(out, job->node->keys[index]->text);
    buf_append_byte(out, ':');
    value_append_json(out, &value);
}

void outputs_append_json(struct outputs *outputs, const char *job, struct slice body,
                         struct buf *out)
{
    struct value response;
    struct err ignored = {0};
    bool first = true;

    buf_append_byte(out, '{');
    arena_clear(&outputs->scratch);
    for (size_t i = 0; i < outputs->count; i++) {
        const struct job_outputs *known = &outputs->jobs[i];

        if (strcmp(known->job, job) != 0 || known->node == NULL ||
            json_parse(&outputs->scratch, body.bytes, body.length, &response, &ignored) != ERR_OK)
            continue;
        for (size_t j = 0; j < known->node->count; j++)
            append_one(outputs, known, j, &response, &first, out);
    }
    buf_append_byte(out, '}');
}
