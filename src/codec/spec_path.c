#include "purser/codec/spec_path.h"

#include <stdio.h>
#include <string.h>

enum { HELP_BYTES = 320, OPERATIONS_MAX = 256 };

const char *spec_path_fixed_text(struct spec_reader *reader, struct slice path)
{
    char *text = spec_new(reader, path.length + 1, 1);
    size_t length = 0;

    for (size_t i = 0; text != NULL && i < path.length;) {
        struct slice rest = {path.bytes + i, path.length - i};

        if (rest.length > 1 && memcmp(rest.bytes, "${", 2) == 0) {
            text[length++] = '~';
            i = spec_expression_end(path, i);
            continue;
        }
        if (rest.length > 2 && memcmp(rest.bytes, "$${", 3) == 0) {
            text[length++] = '$'; /* no expression begins behind it */
            i++;
        }
        text[length++] = path.bytes[i++];
    }
    return text;
}

const char *spec_path_shape(struct spec_reader *reader, const char *text)
{
    char *shape = spec_new(reader, strlen(text) + 1, 1);
    size_t length = 0;

    while (shape != NULL && *text != '\0') {
        size_t segment = strcspn(text, "/");

        if (memchr(text, '~', segment) != NULL) {
            shape[length++] = '~';
        } else {
            memcpy(shape + length, text, segment);
            length += segment;
        }
        text += segment;
        if (*text == '/')
            shape[length++] = *text++;
    }
    return shape;
}

const char *spec_path_template(struct spec_reader *reader, const char *shape)
{
    static const char name[] = "{value}";
    char *template = spec_new(reader, strlen(shape) * (sizeof name - 1) + 1, 1);
    size_t length = 0;

    for (; template != NULL && *shape != '\0'; shape++) {
        if (*shape == '~') {
            memcpy(template + length, name, sizeof name - 1);
            length += sizeof name - 1;
        } else {
            template[length++] = *shape;
        }
    }
    return template;
}

/* "/products/{id}" → "/products/~" */
static const char *shape_of_operation(struct spec_reader *reader, const char *path)
{
    char *shape = spec_new(reader, strlen(path) + 1, 1);
    size_t length = 0;

    if (shape == NULL)
        return NULL;
    for (; *path != '\0'; path++) {
        if (*path == '{') {
            shape[length++] = '~';
            path += strcspn(path, "}");
        } else {
            shape[length++] = *path;
        }
    }
    return shape;
}

/* -- guesses --------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* The operation that was probably meant: the same path with another method, the path with its area
 * in front, or one that is a few letters off. NULL when there is none. */
static const struct operation *guess(struct spec_reader *reader, enum http_method method,
                                     const char *shape)
{
    const char *shapes[OPERATIONS_MAX];
    const struct operation *operation, *best = NULL;
    size_t count = 0;
    const char *closest;

    while (count < OPERATIONS_MAX && (operation = operation_at(count)) != NULL) {
        shapes[count] = shape_of_operation(reader, operation->path);
        if (shapes[count] == NULL)
            return NULL;
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        operation = operation_at(i);
        if (strcmp(shapes[i], shape) == 0 && (best == NULL || operation->method == METHOD_PATCH))
            best = operation;
    }
    for (size_t i = 0; best == NULL && i < count; i++)
        if (ends_with(shapes[i], shape) && operation_at(i)->method == method)
            best = operation_at(i);
    if (best != NULL)
        return best;
    closest = text_closest(shape, shapes, count);
    for (size_t i = 0; closest != NULL && i < count; i++)
        if (strcmp(shapes[i], closest) == 0 && (best == NULL || operation_at(i)->method == method))
            best = operation_at(i);
    return best;
}

void spec_path_report_unknown(struct spec_reader *reader, const struct yaml_node *request,
                              enum http_method method, struct slice path, const char *shape)
{
    const struct operation *operation = guess(reader, method, shape);
    char help[HELP_BYTES];

    if (strncmp(shape, "/versioned/", 11) == 0)
        snprintf(help, sizeof help, "write the path below /versioned, which is in the base URL");
    else if (operation != NULL)
        snprintf(help, sizeof help, "did you mean '%s %s'?", method_name(operation->method),
                 operation->path);
    else
        snprintf(help, sizeof help,
                 "paths are as in the API reference: /products, /accounting/invoices");
    spec_error(reader, request->place, "spec.unknown_operation", help,
               "the API has no write operation %s %.*s", method_name(method), (int)path.length,
               path.bytes);
}

/* POST /accounting/{entityType} takes every name, so a slip of the pen would pass as one. */
void spec_path_warn_of_custom_object(struct spec_reader *reader, const struct yaml_node *request,
                                     const struct operation *operation, const char *shape)
{
    const char *known[OPERATIONS_MAX];
    char help[HELP_BYTES];
    size_t count = 0;

    if (strcmp(operation->path, "/accounting/{entityType}") != 0 || strchr(shape, '~') != NULL)
        return;
    for (size_t i = 0; count < OPERATIONS_MAX && operation_at(i) != NULL; i++)
        if (operation_at(i)->method == METHOD_POST)
            known[count++] = operation_at(i)->path;
    if (spec_guess(help, sizeof help, shape, known, count) != NULL)
        diagnostics_add(reader->diagnostics, DIAG_WARNING, request->place, "spec.custom_object",
                        help, "%s is taken for a custom object of the platform", shape);
}
