/* A job against what is known of its operation, before any row is read. */
#include <stdio.h>

#include "purser/codec/spec_check.h"

enum { HELP_BYTES = 1024, REQUEST_BYTES = 160 };

static enum diag_severity severity_of(const struct spec *spec)
{
    return spec->validation == VALIDATE_ERROR ? DIAG_ERROR : DIAG_WARNING;
}

void spec_warn_of_platform(struct spec_reader *reader, const struct yaml_node *platform)
{
    const char *names[PLATFORM_COUNT], *guess;
    enum platform known;
    char help[HELP_BYTES];

    if (platform_parse(platform->text, &known))
        return;
    for (int i = 0; i < PLATFORM_COUNT; i++)
        names[i] = platform_name((enum platform)i);
    guess = spec_guess(help, sizeof help, platform->text.bytes, names, PLATFORM_COUNT);
    diagnostics_add(reader->diagnostics, DIAG_WARNING, platform->place, "spec.platform",
                    guess != NULL ? guess : "if the API knows it, all is well",
                    "purser does not know the platform '%s', so nothing is checked against it",
                    platform->text.bytes);
}

/* The table is of December 2023 and the API has grown since, so only what it knows of both sides is
 * refused: an operation with its platforms, and a platform that was there then. Leaving the
 * platform out of the connection, or --validate=off, is the way round it. */
bool spec_check_platform(const struct spec *spec, const struct spec_job *job,
                         const struct spec_connection *connection, struct place place,
                         const char *code, struct diagnostics *diagnostics)
{
    const struct operation *operation = job->operation;
    char help[HELP_BYTES], platforms[HELP_BYTES / 2];
    bool is_wrong;

    if (spec->validation == VALIDATE_OFF)
        return true;
    if (spec_document_has_platform(spec, job, connection->platform, &is_wrong, platforms,
                                   sizeof platforms)) {
        if (!is_wrong)
            return true;
        (void)snprintf(help, sizeof help, "the API description lists %s", platforms);
        diagnostics_add(diagnostics, severity_of(spec), place, code, help,
                        "job %s: %s %s is not there for %s, the platform of connection '%s'",
                        job->name, method_name(operation->method), operation->path,
                        connection->platform, connection->alias);
        return spec->validation != VALIDATE_ERROR;
    }
    if (platform_may_be_in(operation->platforms, connection->platform))
        return true;
    platform_list_names(operation->platforms, platforms, sizeof platforms);
    (void)snprintf(
        help, sizeof help,
        "it is there for %s; if %s has got it since December 2023, leave platform out of "
        "the connection",
        platforms, connection->platform);
    diagnostics_add(diagnostics, severity_of(spec), place, code, help,
                    "job %s: %s %s is not there for %s, the platform of connection '%s'", job->name,
                    method_name(operation->method), operation->path, connection->platform,
                    connection->alias);
    return spec->validation != VALIDATE_ERROR;
}

static void check_fixed_connection(const struct spec *spec, const struct spec_job *job,
                                   struct diagnostics *diagnostics)
{
    const struct spec_connection *connection;

    if (job->connection == NULL || spec_has_expression(job->connection->text))
        return;
    connection = spec_connection_find(spec, job->connection->text);
    if (connection != NULL)
        (void)spec_check_platform(spec, job, connection, job->request->place, "spec.platform",
                                  diagnostics);
}

bool spec_check_operation(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                          struct body_template *body, struct diagnostics *diagnostics)
{
    const struct operation *operation = job->operation;
    const char *const *required = operation->required;
    char request[REQUEST_BYTES];

    check_fixed_connection(spec, job, diagnostics);
    if (spec->validation == VALIDATE_OFF)
        return true;
    if (!spec_document_narrow(arena, spec, job, &required, diagnostics))
        return false;
    if (required == NULL || required[0] == NULL)
        return true;
    (void)snprintf(request, sizeof request, "%s %s", method_name(operation->method),
                   operation->path);
    if (body != NULL)
        body_template_require(body, operation->wrapper, required, request, severity_of(spec),
                              diagnostics);
    else
        diagnostics_add(diagnostics, severity_of(spec), job->request->place, "spec.required_member",
                        NULL, "%s needs a body with '%s'", request, required[0]);
    return true;
}
