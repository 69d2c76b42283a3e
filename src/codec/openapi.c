#include "purser/codec/openapi.h"

#include <stdio.h>
#include <string.h>

#include "openapi_text.h"
#include "purser/core/limits.h"

enum { PATH_REMEMBERED_MAX = 128 };

/* One method of one path. */
struct entry {
    struct openapi_operation operation;
    const struct value *source;
    bool compiled;
};

/* The last path asked for: most jobs have one for all their rows. */
struct memory {
    char path[PATH_REMEMBERED_MAX];
    size_t length;
    enum http_method method;
    const struct openapi_operation *operation;
};

struct openapi {
    struct value value;
    struct memory last;
    struct json_schema_set *schemas;
    struct entry *entries;
    size_t count;
};

const struct value *openapi_value(const struct openapi *document)
{
    return &document->value;
}

struct json_schema_set *openapi_schemas(struct openapi *document)
{
    return document->schemas;
}

/* A member, through a $ref if it is one. */
static const struct value *member_of(const struct value *root, const struct value *map,
                                     const char *name)
{
    enum { REFERENCES_MAX = 8 };
    const struct value *found = NULL;

    for (size_t i = 0; map != NULL && map->kind == VALUE_MAP && i < map->map.count; i++)
        if (slice_is(map->map.names[i], name))
            found = &map->map.values[i];
    for (int i = 0; found != NULL && i < REFERENCES_MAX; i++) {
        struct value reference = value_member(found, SLICE("$ref"));

        if (reference.kind != VALUE_STRING)
            return found;
        found = json_schema_resolve(root, reference.text);
    }
    return found;
}

/* -- reading --------------------------------------------------------------------------------- */

/* `method` of this name, as documents write it: in small letters. */
static bool method_of(struct slice name, enum http_method *method_out)
{
    char capital[8];

    if (name.length >= sizeof capital)
        return false;
    for (size_t i = 0; i < name.length; i++)
        capital[i] = (char)(name.bytes[i] >= 'a' && name.bytes[i] <= 'z' ? name.bytes[i] - 'a' + 'A'
                                                                         : name.bytes[i]);
    return method_parse((struct slice){capital, name.length}, method_out);
}

static size_t list_path(struct openapi *document, struct slice path, const struct value *item,
                        struct entry *entries)
{
    size_t count = 0;
    struct value reference = value_member(item, SLICE("$ref"));
    const struct value *platforms;

    if (reference.kind == VALUE_STRING)
        item = json_schema_resolve(&document->value, reference.text);
    for (size_t i = 0; item != NULL && item->kind == VALUE_MAP && i < item->map.count; i++) {
        struct entry entry = {.source = &item->map.values[i], .operation = {.path = path}};

        if (!method_of(item->map.names[i], &entry.operation.method))
            continue;
        platforms = member_of(&document->value, entry.source, "x-supported-platforms");
        if (platforms != NULL && platforms->kind == VALUE_LIST)
            entry.operation.platforms = platforms;
        if (entries != NULL)
            entries[count] = entry;
        count++;
    }
    return count;
}

static enum err_code list_operations(struct arena *arena, struct openapi *document,
                                     const struct value *paths, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < paths->map.count; i++)
        count += list_path(document, paths->map.names[i], &paths->map.values[i], NULL);
    if (count > OPENAPI_OPERATIONS_MAX)
        return err_set(err, ERR_TOO_BIG, "more than %d operations", OPENAPI_OPERATIONS_MAX);
    document->entries = arena_new(arena, count == 0 ? 1 : count, sizeof *document->entries);
    if (document->entries == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the operations");
    for (size_t i = 0; i < paths->map.count; i++)
        document->count += list_path(document, paths->map.names[i], &paths->map.values[i],
                                     document->entries + document->count);
    return ERR_OK;
}

static enum err_code check_version(const struct value *value, struct err *err)
{
    struct value version = value_member(value, SLICE("openapi"));
    struct value swagger = value_member(value, SLICE("swagger"));

    if (swagger.kind != VALUE_OMIT)
        return err_set(err, ERR_INPUT,
                       "is a Swagger 2 document\nhint: OpenAPI 3.0 or 3.1 is wanted");
    if (version.kind == VALUE_OMIT)
        return err_set(err, ERR_INPUT,
                       "is no OpenAPI document: it has no 'openapi' with its version\n"
                       "hint: the file starts with {\"openapi\":\"3.1.0\", … or openapi: 3.1.0");
    if ((version.kind != VALUE_STRING && version.kind != VALUE_NUMBER) || version.text.length < 2 ||
        memcmp(version.text.bytes, "3.", 2) != 0)
        return err_set(err, ERR_INPUT,
                       "is of an unknown version of OpenAPI\n"
                       "hint: OpenAPI 3.0 or 3.1 is wanted");
    return ERR_OK;
}

enum err_code openapi_load(struct arena *arena, const char *file, const char *bytes, size_t length,
                           struct openapi **document_out, struct diagnostics *diagnostics,
                           struct err *err)
{
    struct openapi *document = arena_new(arena, 1, sizeof *document);
    const struct value *paths;

    if (document == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the document");
    if (openapi_parse(arena, file, bytes, length, &document->value, diagnostics, err) != ERR_OK ||
        check_version(&document->value, err) != ERR_OK)
        return err->code;
    paths = member_of(&document->value, &document->value, "paths");
    if (paths == NULL || paths->kind != VALUE_MAP)
        return err_set(err, ERR_INPUT, "has no 'paths', so it describes no operation");
    if (list_operations(arena, document, paths, err) != ERR_OK ||
        json_schema_set_new(arena, &document->value, &document->schemas, err) != ERR_OK)
        return err->code;
    *document_out = document;
    return ERR_OK;
}

/* -- finding --------------------------------------------------------------------------------- */

static struct slice take_segment(struct slice *rest)
{
    size_t length = 0;
    struct slice segment;

    while (length < rest->length && rest->bytes[length] != '/')
        length++;
    segment = (struct slice){rest->bytes, length};
    if (length < rest->length)
        length++;
    *rest = (struct slice){rest->bytes + length, rest->length - length};
    return segment;
}

static bool is_template(struct slice segment)
{
    return (segment.length > 1 && segment.bytes[0] == ':') ||
           (segment.length > 0 && memchr(segment.bytes, '{', segment.length) != NULL);
}

static bool path_fits(struct slice template, struct slice path)
{
    while (template.length > 0 && path.length > 0) {
        struct slice wanted = take_segment(&template), segment = take_segment(&path);

        if (is_template(wanted) ? segment.length == 0 : !slice_equal(wanted, segment))
            return false;
    }
    return template.length == 0 && path.length == 0;
}

/* Of two templates that fit one path: the first segment in which only one is a template decides. */
static bool is_closer(struct slice a, struct slice b)
{
    while (a.length > 0 && b.length > 0) {
        bool a_template = is_template(take_segment(&a)), b_template = is_template(take_segment(&b));

        if (a_template != b_template)
            return b_template;
    }
    return false;
}

/* The schema of a JSON body among the media types; NULL when there is none. */
static const struct value *body_schema(const struct openapi *document, const struct value *body)
{
    const struct value *content = member_of(&document->value, body, "content");

    for (size_t i = 0; content != NULL && content->kind == VALUE_MAP && i < content->map.count;
         i++) {
        struct slice type = content->map.names[i];
        const struct value *media = &content->map.values[i];

        if (type.length < 16 || memcmp(type.bytes, "application/json", 16) != 0 ||
            media->kind != VALUE_MAP)
            continue;
        for (size_t at = 0; at < media->map.count; at++)
            if (slice_is(media->map.names[at], "schema"))
                return &media->map.values[at];
    }
    return NULL;
}

static enum err_code compile(struct openapi *document, struct entry *entry, struct err *err)
{
    const struct value *body = member_of(&document->value, entry->source, "requestBody");
    const struct value *schema = body_schema(document, body);
    struct value required = {.kind = VALUE_OMIT};

    if (schema != NULL &&
        json_schema_compile(document->schemas, schema, &entry->operation.body, err) != ERR_OK)
        return err_wrap(err, "%s %.*s", method_name(entry->operation.method),
                        (int)entry->operation.path.length, entry->operation.path.bytes);
    if (body != NULL)
        required = value_member(body, SLICE("required"));
    entry->operation.body_required = required.kind == VALUE_BOOL && required.boolean;
    entry->compiled = true;
    return ERR_OK;
}

static bool is_remembered(const struct memory *last, enum http_method method, struct slice path)
{
    return last->method == method && last->length > 0 && last->length == path.length &&
           memcmp(last->path, path.bytes, path.length) == 0;
}

static void remember(struct memory *last, enum http_method method, struct slice path,
                     const struct openapi_operation *operation)
{
    if (path.length == 0 || path.length > sizeof last->path)
        return;
    memcpy(last->path, path.bytes, path.length);
    last->length = path.length;
    last->method = method;
    last->operation = operation;
}

enum err_code openapi_find(struct openapi *document, enum http_method method, struct slice path,
                           const struct openapi_operation **operation_out, struct err *err)
{
    struct entry *best = NULL;

    if (is_remembered(&document->last, method, path)) {
        *operation_out = document->last.operation;
        return ERR_OK;
    }

    for (size_t i = 0; i < document->count; i++) {
        struct entry *entry = &document->entries[i];

        if (entry->operation.method == method && path_fits(entry->operation.path, path) &&
            (best == NULL || is_closer(entry->operation.path, best->operation.path)))
            best = entry;
    }
    if (best != NULL && !best->compiled && compile(document, best, err) != ERR_OK)
        return err->code;
    *operation_out = best == NULL ? NULL : &best->operation;
    remember(&document->last, method, path, *operation_out);
    return ERR_OK;
}

bool openapi_supports(const struct openapi_operation *operation, const char *platform)
{
    const struct value *platforms = operation->platforms;

    if (platforms == NULL || platforms->list.count == 0)
        return true;
    for (size_t i = 0; i < platforms->list.count; i++)
        if (platforms->list.items[i].kind == VALUE_STRING &&
            slice_is(platforms->list.items[i].text, platform))
            return true;
    return false;
}
