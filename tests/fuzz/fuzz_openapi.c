/* A document and, behind a line "====", a body: loading ends with a document or with words, and
 * every operation of the document judges the body, twice alike. */
#include <string.h>

#include "fuzz.h"
#include "purser/codec/json.h"
#include "purser/codec/openapi.h"

static const char separator[] = "\n====\n";

static void check_verdict(const struct json_schema *schema, const struct value *body)
{
    struct json_schema_verdict first, second;
    bool fits = json_schema_check(schema, body, "body", "response_mode", &first);

    LAW(fits == (first.count == 0));
    LAW(first.count <= JSON_SCHEMA_VIOLATIONS_MAX);
    LAW(json_schema_check(schema, body, "body", "response_mode", &second) == fits);
    LAW(first.count == second.count);
    for (size_t i = 0; i < first.count; i++) {
        const struct json_schema_violation *a = &first.violations[i], *b = &second.violations[i];

        LAW(strncmp(a->path, "body", 4) == 0 && a->text[0] != '\0');
        LAW(strcmp(a->path, b->path) == 0 && strcmp(a->text, b->text) == 0 &&
            strcmp(a->help, b->help) == 0);
    }
}

static void judge_path(struct openapi *document, struct slice path, const struct value *body)
{
    for (int method = 0; method < METHOD_COUNT; method++) {
        const struct openapi_operation *operation;
        struct err err = {0};

        if (openapi_find(document, (enum http_method)method, path, &operation, &err) != ERR_OK) {
            LAW(err.text[0] != '\0');
            return;
        }
        if (operation == NULL)
            continue;
        (void)openapi_supports(operation, "SHOPIFY");
        if (operation->body != NULL)
            check_verdict(operation->body, body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    const char *cut = memmem(text, length, separator, sizeof separator - 1);
    size_t document_length = cut == NULL ? length : (size_t)(cut - text);
    struct value body = {.kind = VALUE_NULL}, paths;
    struct diagnostics diagnostics;
    struct openapi *document;
    struct err err = {0}, ignored = {0};
    struct arena arena;
    enum err_code code;

    arena_init(&arena, 64u * 1024 * 1024);
    diagnostics_init(&diagnostics);
    if (cut != NULL)
        (void)!json_parse(&arena, cut + sizeof separator - 1,
                          length - document_length - (sizeof separator - 1), &body, &ignored);
    code = openapi_load(&arena, "made-up", text, document_length, &document, &diagnostics, &err);
    LAW(code == err.code && (code == ERR_OK) == (err.text[0] == '\0'));
    if (code == ERR_OK) {
        paths = value_member(openapi_value(document), SLICE("paths"));
        for (size_t i = 0; paths.kind == VALUE_MAP && i < paths.map.count && i < 32; i++)
            judge_path(document, paths.map.names[i], &body);
    }
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
