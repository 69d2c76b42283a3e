#include <stdio.h>
#include <string.h>

#include "intake_private.h"
#include "purser/codec/response_mode.h"

static struct place row_place(const struct unit *unit)
{
    return (struct place){.file = unit->file, .line = unit->line, .column = 1};
}

static void tell(struct intake *intake, const struct unit *unit, const char *code,
                 const struct eval_error *error)
{
    intake_tell(intake, unit, DIAG_ERROR, code, error);
}

static bool is_of_operation(const struct spec_job *job, struct slice path)
{
    return job->is_custom ? operation_takes_path(job->operation, path)
                          : operation_find(job->method, path) == job->operation;
}

/* A value must not turn the request into another one. */
static bool check_path(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                       struct slice path)
{
    if (path.length > PATH_BYTES_MAX - RESPONSE_MODE_QUERY_BYTES_MAX) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.path",
                        "what stands in a path names one object of the API",
                        "job %s: the path of this row is longer than %d bytes", job->job->name,
                        PATH_BYTES_MAX - RESPONSE_MODE_QUERY_BYTES_MAX);
        return false;
    }
    if (!is_of_operation(job->job, path)) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.path",
                        "what stands in a path names one object of the API",
                        "job %s: the values of this row make '%s %.*s', which is not %s",
                        job->job->name, method_name(job->job->method), (int)path.length, path.bytes,
                        job->job->operation->path);
        return false;
    }
    return true;
}

static bool render_key(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                       const struct environment *environment, struct rendered_row *row)
{
    struct environment of_slot = *environment;
    struct eval_error error = {0};

    of_slot.run = &intake->slot;
    if (!text_template_text(job->templates.key, &of_slot, &row->key, &error)) {
        tell(intake, unit, "data.key", &error);
        return false;
    }
    if (row->key.length == 0 || row->key.length > ROW_KEY_BYTES_MAX) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.key",
                        "a key names one item for ever; it has 1 to 300 bytes",
                        "job %s: the key of this row is %s", job->job->name,
                        row->key.length == 0 ? "empty" : "longer than 300 bytes");
        return false;
    }
    return true;
}

static bool render_connection(struct intake *intake, const struct intake_job *job,
                              const struct unit *unit, const struct environment *environment,
                              struct rendered_row *row)
{
    const struct spec_connection *connection;
    struct eval_error error = {0};
    struct slice alias;

    if (!text_template_text(job->templates.connection, environment, &alias, &error)) {
        tell(intake, unit, "data.connection", &error);
        return false;
    }
    connection = spec_connection_find(intake->spec, alias);
    if (connection == NULL) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.connection",
                        "connections: in the spec names those that there are",
                        "job %s: there is no connection '%.*s'", job->job->name, (int)alias.length,
                        alias.bytes);
        return false;
    }
    row->connection_index = (size_t)(connection - intake->spec->connections);
    return intake_check_platform(intake, job, unit, connection);
}

bool intake_render_condition(struct intake *intake, const struct intake_job *job,
                             const struct unit *unit, const struct environment *environment,
                             struct rendered_row *row)
{
    struct eval_error error = {0};
    struct value value;

    row->condition = true;
    row->condition_unknown = false;
    if (job->templates.condition == NULL)
        return true;
    if (!text_template_evaluate(job->templates.condition, environment, &value, &error)) {
        tell(intake, unit, "data.condition", &error);
        return false;
    }
    if (value.kind == VALUE_UNKNOWN) {
        row->condition_unknown = true;
        return true;
    }
    if (value.kind == VALUE_OMIT || value.kind == VALUE_NULL) { /* as in `and` and `or` */
        row->condition = false;
        return true;
    }
    if (value.kind != VALUE_BOOL) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.condition",
                        "compare it, as in ${row.status != \"draft\"}",
                        "job %s: if: gives a %s, not true or false", job->job->name,
                        value_kind_name(value.kind));
        return false;
    }
    row->condition = value.boolean;
    return true;
}

/* Puts the mode behind the path where the operation takes it there. False when memory ran out. */
static bool add_query(struct intake *intake, const struct spec_job *job, struct slice *path)
{
    const char *query = response_mode_query(job->operation, job->mode);
    size_t length = strlen(query);
    char *whole;

    if (length == 0)
        return true;
    whole = arena_new(&intake->scratch, path->length + length, 1);
    if (whole == NULL)
        return false;
    memcpy(whole, path->bytes, path->length);
    memcpy(whole + path->length, query, length);
    *path = (struct slice){whole, path->length + length};
    return true;
}

bool intake_render_request(struct intake *intake, const struct intake_job *job,
                           const struct unit *unit, const struct environment *environment,
                           struct rendered_row *row)
{
    const char *mode = response_mode_member(job->job->operation, job->job->mode);
    struct eval_error error = {0};
    bool lacks = false;

    if (!text_template_path(job->templates.path, environment, &row->path, &error)) {
        tell(intake, unit, "data.path", &error);
        return false;
    }
    if (!check_path(intake, job, unit, row->path))
        return false;
    buf_clear(&intake->body);
    if (job->templates.body != NULL) {
        if (!body_template_render(job->templates.body, environment, mode, &intake->body, &error)) {
            tell(intake, unit, "data.body", &error);
            return false;
        }
        lacks = error.text[0] != '\0';
        if (lacks && !intake_tell_lack(intake, unit, &error))
            return false;
    } else if (mode != NULL) {
        buf_append_format(&intake->body, "{%s}", mode);
    }
    if (intake->body.failed == ERR_TOO_BIG) {
        diagnostics_add(intake->diagnostics, DIAG_ERROR, row_place(unit), "data.body",
                        "make several rows of it",
                        "job %s: the body of this row is larger than %u MiB", job->job->name,
                        BODY_BYTES_MAX / (1024 * 1024));
        return false;
    }
    row->body = (struct slice){buf_text(&intake->body), intake->body.length};
    if (!lacks && (!intake_check_body(intake, job, unit, row->path, row->body) ||
                   !intake_check_connection_write(intake, job, unit, row->body)))
        return false;
    if (!add_query(intake, job->job, &row->path)) {
        intake->body.failed = ERR_NO_MEMORY;
        return false;
    }
    return true;
}

bool intake_item_value(struct intake *intake, const struct unit *unit, struct slice key,
                       struct value *item_out)
{
    struct slice *names = arena_new(&intake->scratch, 3, sizeof *names);
    struct value *values = arena_new(&intake->scratch, 3, sizeof *values);
    char *numbers = arena_new(&intake->scratch, 2, 24);

    if (names == NULL || values == NULL || numbers == NULL)
        return false;
    (void)snprintf(numbers, 24, "%llu", (unsigned long long)unit->index);
    (void)snprintf(numbers + 24, 24, "%u", unit->line);
    names[0] = SLICE("key");
    names[1] = SLICE("index");
    names[2] = SLICE("line");
    values[0] = (struct value){.kind = VALUE_STRING, .text = key};
    values[1] = (struct value){.kind = VALUE_NUMBER, .text = slice_of(numbers)};
    values[2] = (struct value){.kind = VALUE_NUMBER, .text = slice_of(numbers + 24)};
    *item_out = (struct value){.kind = VALUE_MAP};
    item_out->map.names = names;
    item_out->map.values = values;
    item_out->map.count = 3;
    return true;
}

/* With what is needed unknown. */
static bool render(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                   struct environment *environment, struct value *item, struct rendered_row *row)
{
    if (!render_key(intake, job, unit, environment, row))
        return false;
    if (!intake_item_value(intake, unit, row->key, item)) {
        intake->body.failed = ERR_NO_MEMORY;
        return false;
    }
    if (!render_connection(intake, job, unit, environment, row) ||
        !intake_render_condition(intake, job, unit, environment, row))
        return false;
    return !row->condition || (intake_render_needs(intake, job, unit, environment, row) &&
                               intake_render_request(intake, job, unit, environment, row));
}

enum err_code intake_render(struct intake *intake, const struct intake_job *job,
                            const struct unit *unit, struct rendered_row *row, bool *right_out,
                            struct err *err)
{
    struct value item = {.kind = VALUE_MAP};
    struct environment environment = {.row = &unit->row,
                                      .rows = &unit->rows,
                                      .vars = &intake->spec->vars,
                                      .item = &item,
                                      .run = &intake->run,
                                      .arena = &intake->scratch};

    arena_clear(&intake->scratch);
    *row = (struct rendered_row){.job_index = (size_t)(job - intake->jobs),
                                 .file = unit->file,
                                 .file_number = unit->file_number,
                                 .line = unit->line,
                                 .spans = unit->spans,
                                 .span_count = unit->span_count};
    *right_out = render(intake, job, unit, &environment, &item, row);
    if (*right_out && !intake->is_checked &&
        intake_check_needs(intake, job, unit, row, right_out, err) != ERR_OK)
        return err->code;
    return *right_out ? intake_finish_row(intake, job, unit, &environment, row, right_out, err)
                      : ERR_OK;
}
