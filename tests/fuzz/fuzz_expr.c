/* A text with ${…} compiles or has a message; evaluating ends and gives a value or a message, the
 * same ones again. What it gives is JSON that can be read back. An input whose first line begins
 * with { has the row there, as JSON; else the row is one that fits. */
#include <string.h>

#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/decimal.h"
#include "purser/codec/expr.h"
#include "purser/codec/json.h"

/* Small, so that the end of memory is reached as well. */
enum { INPUT_BYTES_MAX = 4096, ARENA_BYTES_MAX = 4 << 20, OUT_BYTES_MAX = 64 << 20 };

static const char row_text[] =
    "{\"sku\":\"S-1\",\"price\":12.340,\"stock\":3,\"empty\":\"\",\"none\":null,\"yes\":true,"
    "\"tags\":[\"a\",\"b\"],\"day\":\"2026-11-26\",\"at\":\"2026-11-26T21:45:00.5+01:00\","
    "\"nested\":{\"a\":[1,2,{\"b\":\"c\"}]},\"n\":[1.5,-2,3e2,0.0],\"lines\":[{\"x\":1},{\"x\":2."
    "50}]}";

/* Numbers are JSON's, texts UTF-8, all the way down. */
static void check_value(const struct value *value)
{
    size_t bad;

    switch (value->kind) {
    case VALUE_NUMBER:
        LAW(decimal_is_json(value->text));
        break;
    case VALUE_STRING:
        LAW(text_is_utf8(value->text.bytes, value->text.length, &bad) ||
            value->text.bytes[bad] == '\0');
        break;
    case VALUE_LIST:
        for (size_t i = 0; i < value->list.count; i++)
            check_value(&value->list.items[i]);
        break;
    case VALUE_MAP:
        for (size_t i = 0; i < value->map.count; i++)
            check_value(&value->map.values[i]);
        break;
    case VALUE_OMIT:
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_UNKNOWN:
        break;
    }
}

static void check_error(const struct eval_error *error)
{
    size_t bad;

    LAW(error->text[0] != '\0' && memchr(error->text, '\0', sizeof error->text) != NULL);
    LAW(text_is_utf8(error->text, strlen(error->text), &bad));
    LAW(error->place.line > 0 && error->place.column > 0);
}

/* What a template gives, as JSON; what it says when it fails. */
static void evaluate(const struct text_template *compiled, const struct environment *environment,
                     struct buf *out)
{
    struct eval_error error = {0};
    struct value value;

    if (text_template_evaluate(compiled, environment, &value, &error)) {
        check_value(&value);
        value_append_json(out, &value);
    } else {
        check_error(&error);
        buf_append_text(out, error.text);
        buf_append_text(out, error.help);
    }
}

static void evaluate_as_text(const struct text_template *compiled,
                             const struct environment *environment)
{
    struct eval_error error = {0};
    struct slice text;

    if (!text_template_text(compiled, environment, &text, &error))
        check_error(&error);
    error = (struct eval_error){0};
    if (!text_template_path(compiled, environment, &text, &error))
        check_error(&error);
    error = (struct eval_error){0};
    if (!text_template_quoted(compiled, environment, &text, &error))
        check_error(&error);
}

static void evaluate_twice(const struct text_template *compiled, const struct value *row,
                           const struct value *vars)
{
    struct arena unit;
    struct environment environment = {.row = row, .vars = vars, .arena = &unit};
    struct buf first, again;

    arena_init(&unit, ARENA_BYTES_MAX);
    buf_init(&first, OUT_BYTES_MAX);
    buf_init(&again, OUT_BYTES_MAX);
    evaluate(compiled, &environment, &first);
    arena_clear(&unit);
    evaluate(compiled, &environment, &again);
    LAW(first.failed == again.failed && first.length == again.length);
    LAW(memcmp(buf_text(&first), buf_text(&again), first.length) == 0);
    evaluate_as_text(compiled, &environment);
    buf_deinit(&first);
    buf_deinit(&again);
    arena_deinit(&unit);
}

/* Takes the row off the front of the input, if there is one. */
static struct value take_row(struct arena *arena, struct slice *input)
{
    const char *end = memchr(input->bytes, '\n', input->length);
    struct value row = {0};
    struct err err = {0};

    if (input->length > 0 && input->bytes[0] == '{' && end != NULL) {
        size_t length = (size_t)(end - input->bytes);
        bool is_row = json_parse(arena, input->bytes, length, &row, &err) == ERR_OK;

        input->bytes += length + 1;
        input->length -= length + 1;
        if (is_row && row.kind == VALUE_MAP)
            return row;
    }
    err = (struct err){0};
    LAW(json_parse(arena, row_text, sizeof row_text - 1, &row, &err) == ERR_OK);
    return row;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct scope scope = {.parts = SCOPE_ROW | SCOPE_VARS, .source_name = "rows.csv"};
    struct value vars = {.kind = VALUE_MAP}, row;
    struct yaml_node scalar = {.kind = YAML_STRING};
    struct diagnostics diagnostics;
    const struct text_template *compiled;
    struct arena arena;
    size_t bad;

    if (length > INPUT_BYTES_MAX || !text_is_utf8((const char *)bytes, length, &bad))
        return 0;
    scope.vars = &vars;
    arena_init(&arena, ARENA_BYTES_MAX);
    diagnostics_init(&diagnostics);
    scalar.text = (struct slice){arena_copy_text(&arena, (const char *)bytes, length), length};
    row = take_row(&arena, &scalar.text);
    scalar.raw = scalar.text;
    scalar.place = (struct place){.file = "fuzz.yaml", .line = 1, .column = 1};
    compiled = text_template_compile(&arena, &scalar, &scope, &diagnostics);
    LAW((compiled == NULL) == diagnostics_has_errors(&diagnostics));
    if (compiled != NULL)
        evaluate_twice(compiled, &row, &vars);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
