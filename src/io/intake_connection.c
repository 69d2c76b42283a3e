/* Rows that make connections. */
#include <stdio.h>

#include "intake_private.h"
#include "purser/codec/json.h"
#include "purser/io/secret_transport.h"

static bool tell(struct intake *intake, const struct intake_job *job, const struct unit *unit,
                 enum diag_severity severity, const char *help, const char *text)
{
    diagnostics_add(intake->diagnostics, severity,
                    (struct place){.file = unit->file, .line = unit->line, .column = 1},
                    "data.connection_write", help, "job %s: %s", job->job->name, text);
    return severity != DIAG_ERROR;
}

static bool check_needs(struct intake *intake, const struct intake_job *job,
                        const struct unit *unit, const struct value *body)
{
    char missing[CONNECTION_NEEDS_BYTES], text[CONNECTION_NEEDS_BYTES + 200];
    struct value platform = value_member(body, SLICE("platform"));
    int length =
        platform.kind == VALUE_STRING && platform.text.length < 60 ? (int)platform.text.length : 0;

    switch (connection_write_check(body, missing)) {
    case NEEDS_MET:
        return true;
    case NEEDS_UNMET:
        (void)snprintf(text, sizeof text, "a connection to %.*s needs %s as well", length,
                       platform.text.bytes, missing);
        return tell(intake, job, unit, DIAG_ERROR, "secrets are written as references: { env: … }",
                    text);
    case NEEDS_PLATFORM:
        return tell(intake, job, unit, DIAG_ERROR,
                    "say which, as in SHOPIFY; or send no body, and the merchant chooses",
                    "there are credentials but no platform");
    case NEEDS_UNKNOWN:
        (void)snprintf(text, sizeof text,
                       "purser does not know the platform %.*s, so nothing is checked for it",
                       length, platform.text.bytes);
        return tell(intake, job, unit, DIAG_WARNING, NULL, text);
    }
    return true;
}

bool intake_check_connection_write(struct intake *intake, const struct intake_job *job,
                                   const struct unit *unit, struct slice body)
{
    struct err err = {0};
    struct value value;
    enum err_code code;

    /* Rows that are gathered were looked at before. */
    if (job->job->connection_write == CONNECTION_WRITE_NONE || body.length == 0 ||
        intake->is_checked || job->gathered)
        return true;
    code = json_parse(&intake->scratch, body.bytes, body.length, &value, &err);
    if (code == ERR_OK && job->job->connection_write == CONNECTION_WRITE_CREATE &&
        !check_needs(intake, job, unit, &value))
        return false;
    if (code == ERR_OK && intake->credentials != NULL)
        code = secret_body_expand(intake->spec, intake->credentials, job->job->connection_write,
                                  body, NULL, &err);
    if (code == ERR_NO_MEMORY)
        intake->body.failed = ERR_NO_MEMORY;
    return code == ERR_OK || tell(intake, job, unit, DIAG_ERROR, NULL, err.text);
}
