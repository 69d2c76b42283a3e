/* What the API's own description says of a job's operation. Where there is one it is believed more
 * than the table of operations: its user chose it, and it can be newer. */
#include <stdio.h>
#include <string.h>

#include "purser/codec/openapi.h"
#include "purser/codec/spec_check.h"

/* False with a message when the description cannot be used; *operation_out is NULL when it does not
 * have the operation. */
static bool find(const struct spec *spec, const struct spec_job *job,
                 const struct openapi_operation **operation_out, struct err *err)
{
    return openapi_find(spec->document, job->method, slice_of(job->operation->path), operation_out,
                        err) == ERR_OK;
}

bool spec_document_has_platform(const struct spec *spec, const struct spec_job *job,
                                const char *platform, bool *is_wrong_out, char *names,
                                size_t names_bytes)
{
    const struct openapi_operation *operation = NULL;
    struct err err = {0};
    size_t used = 0;

    if (spec->document == NULL || !find(spec, job, &operation, &err) || operation == NULL ||
        operation->platforms == NULL || operation->platforms->list.count == 0)
        return false;
    *is_wrong_out = platform != NULL && !openapi_supports(operation, platform);
    names[0] = '\0';
    for (size_t i = 0; i < operation->platforms->list.count; i++) {
        const struct value *name = &operation->platforms->list.items[i];
        int length;

        if (name->kind != VALUE_STRING)
            continue;
        length = snprintf(names + used, names_bytes - used, "%s%.*s", used == 0 ? "" : ", ",
                          (int)name->text.length, name->text.bytes);
        if (length < 0 || (size_t)length >= names_bytes - used) {
            names[used] = '\0';
            break;
        }
        used += (size_t)length;
    }
    return true;
}

/* The names that the description asks for too. */
static bool narrow(struct arena *arena, const struct openapi_operation *operation,
                   const char *wrapper, const char *const **names)
{
    const char **kept;
    size_t count = 0, all = 0;

    while ((*names)[all] != NULL)
        all++;
    kept = arena_new(arena, all + 1, sizeof *kept);
    if (kept == NULL)
        return false;
    for (size_t i = 0; i < all; i++)
        if (json_schema_requires(operation->body, slice_of(wrapper), slice_of((*names)[i])))
            kept[count++] = (*names)[i];
    *names = kept;
    return true;
}

bool spec_document_narrow(struct arena *arena, const struct spec *spec, const struct spec_job *job,
                          const char *const **names, struct diagnostics *diagnostics)
{
    const struct openapi_operation *operation;
    struct err err = {0};

    if (spec->document == NULL)
        return true;
    if (!find(spec, job, &operation, &err)) {
        diagnostics_add(diagnostics, DIAG_ERROR, spec->api.openapi_place, "spec.openapi",
                        "--validate=off does without the document", "%s: %s", spec->api.openapi,
                        err.text);
        return true;
    }
    if (operation == NULL) {
        diagnostics_add(diagnostics, DIAG_WARNING, job->request->place, "spec.openapi",
                        "get the document anew, if the API has the operation",
                        "%s does not describe %s %s, so its bodies are not checked against it",
                        spec->api.openapi, method_name(job->method), job->operation->path);
        return true;
    }
    return *names == NULL || operation->body == NULL ||
           narrow(arena, operation, job->operation->wrapper, names);
}
