/* Rendered bodies against the API's own description. */
#include <stdio.h>

#include "intake_private.h"
#include "purser/base/log.h"
#include "purser/codec/json.h"
#include "purser/codec/openapi.h"

enum {
    TOLD_A_ROW_MAX = 4,
    WARNED_ROWS_MAX = DIAG_SHOWN_MAX - 1, /* the last line shown is the count of the others */
    FLAWS_TOLD_MAX = 5,
};

static bool is_error(const struct intake *intake)
{
    return intake->spec->validation == VALIDATE_ERROR;
}

/* A body that is wrong. Told in full where it stops the run; else of some rows the first that is
 * wrong, so that one mistake in the spec does not bury all other warnings. */
static void tell(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                 const struct json_schema_verdict *verdict)
{
    size_t most = is_error(intake) ? TOLD_A_ROW_MAX : 1;
    struct place place = {.file = unit->file, .line = unit->line, .column = 1};

    intake->misfits++;
    if (!is_error(intake) && intake->misfits > WARNED_ROWS_MAX)
        return;
    for (size_t i = 0; i < verdict->count && i < most; i++) {
        const struct json_schema_violation *violation = &verdict->violations[i];
        const char *help = violation->help;

        if (violation->is_number_as_text && job->job->source.kind == SOURCE_CSV)
            help = "cells of a CSV file are text until columns: { NAME: decimal } says otherwise";
        else if (help[0] == '\0')
            help = is_error(intake) ? "--validate=warn sends it all the same" : NULL;
        diagnostics_add(intake->diagnostics, is_error(intake) ? DIAG_ERROR : DIAG_WARNING, place,
                        "data.schema", help, "job %s: %s %s%s", job->job->name, violation->path,
                        violation->text,
                        i + 1 == most && i + 1 < verdict->count ? "; and there is more" : "");
    }
}

/* One thing that is wrong with the body as a whole. */
static void tell_whole(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                       const char *text)
{
    struct json_schema_verdict verdict = {.count = 1};

    (void)snprintf(verdict.violations[0].path, sizeof verdict.violations[0].path, "body");
    (void)snprintf(verdict.violations[0].text, sizeof verdict.violations[0].text, "%.200s", text);
    tell(intake, job, unit, &verdict);
}

/* Where a reference to a secret stands, text will be sent that is not known here. */
static enum err_code hide_references(struct intake *intake, enum connection_write write,
                                     struct value *body, struct err *err)
{
    struct value *values;

    if (write == CONNECTION_WRITE_NONE || body->kind != VALUE_MAP || body->map.count == 0)
        return ERR_OK;
    values = arena_new(&intake->scratch, body->map.count, sizeof *values);
    if (values == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a body");
    for (size_t i = 0; i < body->map.count; i++)
        if (!connection_write_is_secret(write, body->map.names[i]))
            values[i] = body->map.values[i];
        else
            values[i].kind = VALUE_OMIT;
    body->map.values = values;
    return ERR_OK;
}

/* What stands in the body for what is needed and not known yet can be anything. The values were
 * made for this check alone. */
static void allow_unknown(struct value *value)
{
    size_t count = value->kind == VALUE_LIST  ? value->list.count
                   : value->kind == VALUE_MAP ? value->map.count
                                              : 0;
    const struct value *parts = value->kind == VALUE_LIST ? value->list.items : value->map.values;

    if (value_was_unknown(value))
        *value = (struct value){.kind = VALUE_UNKNOWN};
    for (size_t i = 0; i < count; i++)
        allow_unknown((struct value *)&parts[i]);
}

/* The body as the schema is to see it. */
static enum err_code read_body(struct intake *intake, const struct intake_job *job,
                               struct slice body, struct value *value_out, struct err *err)
{
    if (json_parse(&intake->scratch, body.bytes, body.length, value_out, err) != ERR_OK ||
        hide_references(intake, job->job->connection_write, value_out, err) != ERR_OK)
        return err->code;
    if (job->templates.uses_needs)
        allow_unknown(value_out);
    return ERR_OK;
}

bool intake_check_body(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                       struct slice path, struct slice body)
{
    const struct openapi_operation *operation;
    struct json_schema_verdict verdict;
    struct err err = {0};
    struct value value;
    uint64_t before = intake->misfits;
    bool has_schema;
    enum err_code code;

    /* Rows that are gathered were looked at before. */
    if (intake->spec->document == NULL || intake->is_checked ||
        (job->gathered && !is_error(intake)))
        return true;
    code = openapi_find(intake->spec->document, job->job->method, path, &operation, &err);
    if (code == ERR_OK && operation == NULL)
        return true;
    has_schema = code == ERR_OK && body.length > 0 && operation->body != NULL;
    if (has_schema)
        code = read_body(intake, job, body, &value, &err);
    if (code == ERR_NO_MEMORY)
        intake->body.failed = ERR_NO_MEMORY;
    else if (code != ERR_OK)
        tell_whole(intake, job, unit, err.text);
    else if (has_schema &&
             !json_schema_check(operation->body, &value, "body", "response_mode", &verdict))
        tell(intake, job, unit, &verdict);
    else if (body.length == 0 && operation->body_required)
        tell_whole(intake, job, unit, "is missing, and is required");
    return code != ERR_NO_MEMORY && (intake->misfits == before || !is_error(intake));
}

static void tell_notes(struct intake *intake)
{
    size_t count, told = 0;
    const struct json_schema_note *notes =
        json_schema_notes(openapi_schemas(intake->spec->document), &count);

    for (size_t i = 0; i < count; i++) {
        if (notes[i].is_flaw && told++ < FLAWS_TOLD_MAX)
            diagnostics_add(intake->diagnostics, DIAG_WARNING, intake->spec->api.openapi_place,
                            "spec.openapi", NULL, "%s: %s", intake->spec->api.openapi,
                            notes[i].text);
        log_line(LOG_INFO, "event=openapi_not_judged count=%llu what=\"%s\"",
                 (unsigned long long)notes[i].count, notes[i].text);
    }
}

void intake_tell_of_document(struct intake *intake)
{
    if (intake->spec->document == NULL)
        return;
    if (!is_error(intake) && intake->misfits > WARNED_ROWS_MAX)
        diagnostics_add(intake->diagnostics, DIAG_WARNING, intake->spec->api.openapi_place,
                        "data.schema", NULL, "%llu more rows have bodies that %s does not allow",
                        (unsigned long long)(intake->misfits - WARNED_ROWS_MAX),
                        intake->spec->api.openapi);
    tell_notes(intake);
}
