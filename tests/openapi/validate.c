/* Verdicts of codec/openapi, for comparing them with those of another program.
 *
 * usage: openapi-validate DOCUMENT < questions
 *        openapi-validate --bench DOCUMENT METHOD PATH BODY-FILE
 *
 * Each line of stdin is {"schema": "#/pointer", "value": …} or {"method": …, "path": …, "value":
 * …}; each line of stdout is "valid", "unknown" (no such operation or schema) or "invalid" and what
 * is wrong. What the schemas say and is not judged goes to stderr at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/codec/openapi.h"
#include "purser/core/limits.h"

static struct arena arena, scratch;
static struct openapi *document;

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "openapi-validate: %s: %s\n", what, why);
    exit(2);
}

static char *read_file(const char *name, size_t *length_out)
{
    FILE *file = fopen(name, "rb");
    char *bytes = mem_new(OPENAPI_BYTES_MAX, 1);

    if (file == NULL || bytes == NULL)
        die(name, "cannot be read");
    *length_out = fread(bytes, 1, OPENAPI_BYTES_MAX, file);
    (void)fclose(file);
    return bytes;
}

static const struct json_schema *schema_for(const struct value *question)
{
    const struct openapi_operation *operation = NULL;
    struct value pointer = value_member(question, SLICE("schema"));
    struct value method = value_member(question, SLICE("method"));
    struct value path = value_member(question, SLICE("path"));
    const struct json_schema *schema = NULL;
    struct err err = {0};
    enum http_method verb = METHOD_GET;

    if (pointer.kind == VALUE_STRING) {
        const struct value *source = json_schema_resolve(openapi_value(document), pointer.text);

        if (source != NULL &&
            json_schema_compile(openapi_schemas(document), source, &schema, &err) != ERR_OK)
            die("schema", err.text);
        return schema;
    }
    if (method.kind != VALUE_STRING || path.kind != VALUE_STRING ||
        !method_parse(method.text, &verb))
        die("question", "has neither schema nor method and path");
    if (openapi_find(document, verb, path.text, &operation, &err) != ERR_OK)
        die("operation", err.text);
    return operation == NULL ? NULL : operation->body;
}

static void answer(const char *line, size_t length)
{
    struct json_schema_verdict verdict;
    const struct json_schema *schema;
    struct value question, value;
    struct err err = {0};

    arena_clear(&scratch);
    if (json_parse(&scratch, line, length, &question, &err) != ERR_OK)
        die("question", err.text);
    schema = schema_for(&question);
    value = value_member(&question, SLICE("value"));
    if (schema == NULL) {
        (void)printf("unknown\n");
    } else if (json_schema_check(schema, &value, "body", NULL, &verdict)) {
        (void)printf("valid\n");
    } else {
        (void)printf("invalid");
        for (size_t i = 0; i < verdict.count; i++)
            (void)printf("%s %s: %s", i == 0 ? "" : " |", verdict.violations[i].path,
                         verdict.violations[i].text);
        (void)printf("\n");
    }
}

static double now_us(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* What checking costs beside parsing, in microseconds a body. */
static void bench(const char *method, const char *path, const char *file)
{
    enum { ROUNDS = 20000 };
    const struct openapi_operation *operation = NULL;
    struct json_schema_verdict verdict;
    struct err err = {0};
    struct value value;
    enum http_method verb = METHOD_GET;
    size_t length;
    char *body = read_file(file, &length);
    double start = now_us(), parsing, finding, checking;
    bool fits = true;

    for (int i = 0; i < ROUNDS; i++) {
        arena_clear(&scratch);
        if (json_parse(&scratch, body, length, &value, &err) != ERR_OK)
            die(file, err.text);
    }
    parsing = (now_us() - start) / ROUNDS;
    if (!method_parse(slice_of(method), &verb) ||
        openapi_find(document, verb, slice_of(path), &operation, &err) != ERR_OK ||
        operation == NULL || operation->body == NULL)
        die(path, "has no body in the document");
    start = now_us();
    for (int i = 0; i < ROUNDS; i++)
        if (openapi_find(document, verb, slice_of(path), &operation, &err) != ERR_OK)
            die(path, err.text);
    finding = (now_us() - start) / ROUNDS;
    start = now_us();
    for (int i = 0; i < ROUNDS; i++)
        fits = json_schema_check(operation->body, &value, "body", "response_mode", &verdict);
    checking = (now_us() - start) / ROUNDS;
    (void)printf("body %zu bytes, %s; parse %.2f us, find %.2f us, check %.2f us (%.2f of parse)\n",
                 length, fits ? "fits" : "does not fit", parsing, finding, checking,
                 checking / parsing);
    mem_free(body);
}

int main(int argc, char **argv)
{
    bool benching = argc == 6 && strcmp(argv[1], "--bench") == 0;
    const char *file = argc > 1 ? argv[benching ? 2 : 1] : "";
    struct diagnostics diagnostics;
    const struct json_schema_note *notes;
    struct err err = {0};
    size_t length, room = 0, count;
    ssize_t got;
    char *bytes, *line = NULL;

    if (argc != 2 && !benching)
        die("usage", "openapi-validate DOCUMENT < questions");
    arena_init(&arena, OPENAPI_ARENA_BYTES_MAX);
    arena_init(&scratch, UNIT_ARENA_BYTES_MAX);
    diagnostics_init(&diagnostics);
    bytes = read_file(file, &length);
    if (openapi_load(&arena, file, bytes, length, &document, &diagnostics, &err) != ERR_OK)
        die(file, err.text);
    if (benching)
        bench(argv[3], argv[4], argv[5]);
    while (!benching && (got = getline(&line, &room, stdin)) > 0)
        answer(line, (size_t)got);
    notes = json_schema_notes(openapi_schemas(document), &count);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stderr, "%s: %llu times%s\n", notes[i].text,
                      (unsigned long long)notes[i].count, notes[i].is_flaw ? " (flaw)" : "");
    free(line);
    mem_free(bytes);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&scratch);
    arena_deinit(&arena);
    return 0;
}
