#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"
#include "purser/codec/spec_path.h"

enum { HELP_BYTES = 320 };

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
    *path = *request;
    path->text = cut(request->text).path;
    if (path->text.bytes != NULL)
        path->cut = (size_t)(path->text.bytes - request->text.bytes);
    return path;
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

static const char *help_for_path(const char *text)
{
    if (strstr(text, "://") != NULL)
        return "the base URL is said once, in api.environment";
    if (strstr(text, "/{") != NULL || strstr(text, "/:") != NULL)
        return "write an expression: PATCH /products/${row.id}";
    return "request: POST /products";
}

/* What is wrong with the fixed text of a path; NULL when nothing is. */
static const char *find_fault(const char *text, struct slice path)
{
    if (path.length == 0)
        return "has no path";
    if (path.length > PATH_BYTES_MAX)
        return "is too long";
    if (text[0] != '/')
        return "has a path that does not start with /";
    if (strchr(text, '?') != NULL)
        return "has a query, which is not supported by this version";
    if (strstr(text, "/{") != NULL || strstr(text, "/:") != NULL)
        return "has a placeholder where a value must be";
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || strchr("#%\\\"<>^`{|}", *at) != NULL)
            return "has a character that cannot stand in a path";
    if (strstr(text, "//") != NULL || strstr(text, "/.") != NULL || text[strlen(text) - 1] == '/')
        return "has an empty segment or one that starts with a point";
    return NULL;
}

bool spec_check_question(struct spec_reader *reader, const struct yaml_node *request)
{
    struct request_line line = cut(request->text);
    const char *text = spec_path_fixed_text(reader, line.path);
    const char *fault;

    if (text == NULL)
        return false;
    fault = slice_is(line.method, "GET") ? find_fault(text, line.path) : "is no GET";
    if (fault != NULL)
        spec_error(reader, request->place, "spec.request", "request: GET /accounting/invoices",
                   "the request %s", fault);
    return fault == NULL;
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

/* A request of the user's own: nothing is known of it, so it is sent as it is and at most once. */
static void read_custom(struct spec_reader *reader, const struct yaml_node *request,
                        const char *shape, struct spec_job *job)
{
    struct operation *custom;

    if (job->operation != NULL) {
        spec_error(reader, request->place, "spec.custom", "leave custom out",
                   "%s %s is an operation that is known, so it is not custom",
                   method_name(job->method), job->operation->path);
        return;
    }
    custom = spec_new(reader, 1, sizeof *custom);
    if (custom == NULL)
        return;
    *custom = (struct operation){.method = job->method,
                                 .path = spec_path_template(reader, shape),
                                 .wrapper = "",
                                 .result = "",
                                 .class = CLASS_N,
                                 .mode_place = MODE_NOWHERE,
                                 .takes_access_token = true,
                                 .summary = "send a request of your own",
                                 .platforms = PLATFORMS_UNKNOWN};
    job->operation = custom->path != NULL ? custom : NULL;
}

void spec_read_request(struct spec_reader *reader, const struct yaml_node *request,
                       const struct yaml_node *body, struct spec_job *job)
{
    struct request_line line = cut(request->text);
    const char *text, *shape, *fault;

    job->request = request;
    job->body = body;
    if (!read_method(reader, request, line.method, &job->method))
        return;
    text = spec_path_fixed_text(reader, line.path);
    shape = text != NULL ? spec_path_shape(reader, text) : NULL;
    if (shape == NULL)
        return;
    fault = find_fault(text, line.path);
    if (fault != NULL) {
        spec_error(reader, request->place, "spec.request", help_for_path(text), "the request %s",
                   fault);
        return;
    }
    job->operation = operation_find(job->method, slice_of(shape));
    if (job->is_custom) {
        read_custom(reader, request, shape, job);
        return;
    }
    if (job->operation == NULL) {
        spec_path_report_unknown(reader, request, job->method, line.path, shape);
        return;
    }
    spec_path_warn_of_custom_object(reader, request, job->operation, shape);
    check_body(reader, job->operation, request, body);
}
