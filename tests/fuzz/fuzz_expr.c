/* A text with ${…} compiles or has a message; evaluating ends and gives a value or a message. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/expr.h"
#include "purser/codec/json.h"

static const char row_text[] =
    "{\"sku\":\"S-1\",\"price\":12.340,\"stock\":3,\"empty\":\"\",\"none\":null,\"yes\":true,"
    "\"tags\":[\"a\",\"b\"],\"day\":\"2026-11-26\",\"nested\":{\"a\":[1,2,{\"b\":\"c\"}]}}";

static void evaluate(struct arena *arena, const struct text_template *compiled)
{
    struct value row = {0}, vars = {0}, out;
    struct environment environment = {.row = &row, .vars = &vars, .arena = arena};
    struct eval_error error = {0};
    struct slice text;
    struct err err = {0};

    if (json_parse(arena, row_text, sizeof row_text - 1, &row, &err) != ERR_OK)
        abort();
    vars.kind = VALUE_MAP;
    if (!text_template_evaluate(compiled, &environment, &out, &error))
        LAW(error.text[0] != '\0');
    error = (struct eval_error){0};
    if (!text_template_text(compiled, &environment, &text, &error))
        LAW(error.text[0] != '\0');
    error = (struct eval_error){0};
    if (!text_template_path(compiled, &environment, &text, &error))
        LAW(error.text[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS, .source_name = "rows.csv"};
    struct value vars = {.kind = VALUE_MAP};
    struct yaml_node scalar = {.kind = YAML_STRING};
    struct diagnostics diagnostics;
    const struct text_template *compiled;
    struct arena arena;
    size_t bad;

    if (!text_is_utf8((const char *)bytes, length, &bad) || length > 4096)
        return 0;
    scope.vars = &vars;
    arena_init(&arena, 64u * 1024 * 1024);
    diagnostics_init(&diagnostics);
    scalar.text = (struct slice){arena_copy_text(&arena, (const char *)bytes, length), length};
    scalar.raw = scalar.text;
    scalar.place = (struct place){.file = "fuzz.yaml", .line = 1, .column = 1};
    compiled = text_template_compile(&arena, &scalar, &scope, &diagnostics);
    LAW((compiled == NULL) == diagnostics_has_errors(&diagnostics));
    if (compiled != NULL)
        evaluate(&arena, compiled);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
