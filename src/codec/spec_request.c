#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { HELP_BYTES = 320, OPERATIONS_MAX = 256 };

/* A request line cut into its parts; slices of the scalar's text. */
struct request_line {
    struct slice method, path;
};

static struct request_line cut(struct slice text)
{
    struct request_line line = {.method = text};
    const char *space = memchr(text.bytes, ' ', text.length);
    size_t at;

    if (space == NULL)
        return line;
    line.method.length = at = (size_t)(space - text.bytes);
    while (at < text.length && text.bytes[at] == ' ')
        at++;
    while (text.length > at && text.bytes[text.length - 1] == ' ')
        text.length--;
    line.path = (struct slice){text.bytes + at, text.length - at};
    return line;
}

const struct yaml_node *spec_request_path(struct arena *arena, const struct yaml_node *request)
{
    struct yaml_node *path = arena_new(arena, 1, sizeof *path);

    if (path == NULL)
        return NULL;
    /* The source between the marks stays whole: the n-th ${ of it is the n-th of the path too. */
    *path = *request;
    path->text = cut(request->text).path;
    return path;
}

/* -- shapes: a path with ~ for each segment that is not fixed ---------------------------------- */

/* "/products/${row.id}" → "/products/~"; NULL when memory ran out. */
static const char *shape_of_request(struct spec_reader *reader, struct slice path)
{
    char *shape = spec_new(reader, path.length + 2, 1);
    size_t length = 0;
    bool variable = false;

    if (shape == NULL)
        return NULL;
    for (size_t i = 0; i < path.length;) {
        struct slice rest = {path.bytes + i, path.length - i};

        if (rest.length >= 2 && rest.bytes[0] == '$' && rest.bytes[1] == '{') {
            while (length > 0 && shape[length - 1] != '/')
                length--;
            shape[length++] = '~';
            variable = true;
            i = spec_expression_end(path, i);
            continue;
        }
        if (path.bytes[i] == '/')
            variable = false;
        if (!variable)
            shape[length++] = path.bytes[i];
        i++;
    }
    shape[length] = '\0'; /* a prefix that the ~ replaced may have reached further */
    return shape;
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

static void report_unknown(struct spec_reader *reader, const struct yaml_node *request,
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
static void warn_of_custom_object(struct spec_reader *reader, const struct yaml_node *request,
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

/* -- the line -------------------------------------------------------------------------------- */

static bool read_method(struct spec_reader *reader, const struct yaml_node *request,
                        struct slice text, enum http_method *method_out)
{
    char upper[16] = "", help[HELP_BYTES];
    enum http_method meant;
    size_t length = text.length < sizeof upper - 1 ? text.length : 0;

    for (size_t i = 0; i < length; i++)
        upper[i] = text.bytes[i] >= 'a' && text.bytes[i] <= 'z' ? (char)(text.bytes[i] - 'a' + 'A')
                                                                : text.bytes[i];
    if (method_parse(text, method_out) && *method_out != METHOD_GET)
        return true;
    if (method_parse(slice_of(upper), &meant) && meant != METHOD_GET)
        snprintf(help, sizeof help, "write %s in capitals", upper);
    else
        snprintf(help, sizeof help,
                 "request: POST /products; purser writes only: POST, PATCH, "
                 "PUT or DELETE");
    spec_error(reader, request->place, "spec.request", help, "'%.*s' is no method of a write",
               (int)text.length, text.bytes);
    return false;
}

/* What is wrong with the fixed parts of a path; NULL when nothing is. */
static const char *find_fault(const char *shape, struct slice path)
{
    if (path.length == 0)
        return "has no path";
    if (path.length > PATH_BYTES_MAX)
        return "is too long";
    if (shape[0] != '/')
        return "has a path that does not start with /";
    if (strchr(shape, '?') != NULL)
        return "has a query, which is not supported by this version";
    for (const char *at = shape; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || strchr("#%\\\"<>^`{|}", *at) != NULL)
            return "has a character that cannot stand in a path";
    if (strstr(shape, "//") != NULL || strstr(shape, "/.") != NULL || ends_with(shape, "/"))
        return "has an empty segment or one that starts with a point";
    return NULL;
}

/* -- the body -------------------------------------------------------------------------------- */

static void check_wrapper(struct spec_reader *reader, const struct operation *operation,
                          const struct yaml_node *body)
{
    bool has_wrapper = yaml_get(body, operation->wrapper) != NULL;
    char help[HELP_BYTES];

    snprintf(help, sizeof help, "body: { %s: { … } }", operation->wrapper);
    for (size_t i = 0; i < body->count; i++) {
        const struct yaml_node *key = body->keys[i];

        if (slice_is(key->text, operation->wrapper))
            continue;
        if (slice_is(key->text, "response_mode"))
            spec_error(reader, key->place, "spec.body", "leave it out",
                       "purser puts response_mode into the body itself");
        else if (has_wrapper)
            spec_error(reader, key->place, "spec.body", help,
                       "'%s' stands beside '%s' in the body; %s %s takes only that",
                       key->text.bytes, operation->wrapper, method_name(operation->method),
                       operation->path);
    }
    if (!has_wrapper)
        spec_error(reader, body->count > 0 ? body->keys[0]->place : body->place, "spec.body", help,
                   "the body of %s %s has all its fields below '%s'",
                   method_name(operation->method), operation->path, operation->wrapper);
}

static void check_body(struct spec_reader *reader, const struct operation *operation,
                       const struct yaml_node *request, const struct yaml_node *body)
{
    bool wrapped = operation->wrapper[0] != '\0';
    char help[HELP_BYTES];

    if (operation->method == METHOD_DELETE) {
        if (body != NULL)
            spec_error(reader, body->place, "spec.body", "leave it out", "DELETE %s takes no body",
                       operation->path);
        return;
    }
    if (body == NULL && wrapped) {
        snprintf(help, sizeof help, "body: { %s: { … } }", operation->wrapper);
        spec_error(reader, request->place, "spec.body", help, "%s %s needs a body",
                   method_name(operation->method), operation->path);
    } else if (body != NULL && wrapped) {
        check_wrapper(reader, operation, body);
    }
}

void spec_read_request(struct spec_reader *reader, const struct yaml_node *request,
                       const struct yaml_node *body, struct spec_job *job)
{
    struct request_line line = cut(request->text);
    const char *shape, *fault;

    job->request = request;
    job->body = body;
    if (!read_method(reader, request, line.method, &job->method))
        return;
    shape = shape_of_request(reader, line.path);
    if (shape == NULL)
        return;
    fault = find_fault(shape, line.path);
    if (fault != NULL) {
        spec_error(reader, request->place, "spec.request",
                   strstr(shape, "://") != NULL ? "the base URL is said once, in api.environment"
                                                : "request: POST /products",
                   "the request %s", fault);
        return;
    }
    job->operation = operation_find(job->method, slice_of(shape));
    if (job->operation == NULL) {
        report_unknown(reader, request, job->method, line.path, shape);
        return;
    }
    warn_of_custom_object(reader, request, job->operation, shape);
    check_body(reader, job->operation, request, body);
}
