/* A rendered request against what is known of its operation. */
#include "intake_private.h"

void intake_tell(struct intake *intake, const struct unit *unit, enum diag_severity severity,
                 const char *code, const struct eval_error *error)
{
    struct place place = {.file = unit->file, .line = unit->line, .column = 1};

    diagnostics_add(intake->diagnostics, severity, place, code,
                    error->help[0] == '\0' ? NULL : error->help, "%s (%s:%u:%u)", error->text,
                    error->place.file == NULL ? intake->spec->file : error->place.file,
                    error->place.line, error->place.column);
}

/* A connection that is the same for all rows was checked once and for all. */
bool intake_check_platform(struct intake *intake, const struct intake_job *job,
                           const struct unit *unit, const struct spec_connection *connection)
{
    struct place place = {.file = unit->file, .line = unit->line, .column = 1};

    if (!job->templates.connection_varies ||
        platform_may_be_in(job->job->operation->platforms, connection->platform))
        return true;
    if (intake->is_checked) /* a warning; it was told */
        return true;
    return spec_check_platform(intake->spec, job->job, connection, place, "data.platform",
                               intake->diagnostics);
}

bool intake_tell_lack(struct intake *intake, const struct unit *unit,
                      const struct eval_error *error)
{
    bool is_error = intake->spec->validation == VALIDATE_ERROR;

    if (!intake->is_checked)
        intake_tell(intake, unit, is_error ? DIAG_ERROR : DIAG_WARNING, "data.required", error);
    return !is_error;
}
