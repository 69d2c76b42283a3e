/* A JSON schema and a value, one line each: the schema compiles, or is too big; the value fits, or
 * there is something that can be shown. What a schema says of nothing (a value that fits) does not
 * change when the same set is asked once more, or when only the form of the JSON is another. */
#include <string.h>

#include "fuzz.h"
#include "purser/codec/json.h"
#include "purser/codec/json_schema.h"

enum { ARENA_BYTES_MAX = 64 << 20, INPUT_BYTES_MAX = 16384 };

static void check_text(const char *text, size_t size)
{
    size_t bad;

    LAW(memchr(text, '\0', size) != NULL);
    LAW(text_is_utf8(text, strlen(text), &bad));
}

static bool fits(const struct json_schema *schema, const struct value *value)
{
    struct json_schema_verdict verdict;
    bool is_right = json_schema_check(schema, value, "body", NULL, &verdict);

    LAW(is_right || verdict.count > 0);
    LAW(verdict.count <= JSON_SCHEMA_VIOLATIONS_MAX);
    for (size_t i = 0; !is_right && i < verdict.count; i++) {
        check_text(verdict.violations[i].path, sizeof verdict.violations[i].path);
        check_text(verdict.violations[i].text, sizeof verdict.violations[i].text);
        check_text(verdict.violations[i].help, sizeof verdict.violations[i].help);
        LAW(verdict.violations[i].text[0] != '\0');
    }
    return is_right;
}

/* The value as it comes out of purser and is read again. */
static void check_again(struct arena *arena, const struct json_schema *schema,
                        const struct value *value, bool is_right)
{
    struct value again;
    struct err err = {0};
    struct buf text;

    buf_init(&text, ARENA_BYTES_MAX);
    value_append_json(&text, value);
    if (text.failed == ERR_OK && json_parse(arena, text.bytes, text.length, &again, &err) == ERR_OK)
        LAW(fits(schema, &again) == is_right);
    buf_deinit(&text);
}

static void check_notes(const struct json_schema_set *set)
{
    size_t count;
    const struct json_schema_note *notes = json_schema_notes(set, &count);

    LAW(count <= JSON_SCHEMA_NOTES_MAX);
    for (size_t i = 0; i < count; i++)
        LAW(notes[i].text != NULL && notes[i].count > 0);
}

static void judge(struct arena *arena, const struct value *document, const struct value *value)
{
    struct json_schema_set *set;
    const struct json_schema *schema;
    struct err err = {0};
    bool is_right;

    if (json_schema_set_new(arena, document, &set, &err) != ERR_OK)
        return;
    if (json_schema_compile(set, document, &schema, &err) != ERR_OK) {
        LAW(err.code == ERR_TOO_BIG || err.code == ERR_NO_MEMORY);
        LAW(err.text[0] != '\0');
        return;
    }
    check_notes(set);
    is_right = fits(schema, value);
    LAW(fits(schema, value) == is_right);
    check_again(arena, schema, value, is_right);
    (void)json_schema_requires(schema, SLICE("a"), SLICE("b"));
    (void)json_schema_requires(schema, SLICE(""), SLICE("a"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *line = memchr(bytes, '\n', length);
    struct value document, value;
    struct arena arena;
    struct err err = {0};

    if (line == NULL || length > INPUT_BYTES_MAX)
        return 0;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (json_parse(&arena, (const char *)bytes, (size_t)(line - bytes), &document, &err) ==
            ERR_OK &&
        json_parse(&arena, (const char *)line + 1, length - (size_t)(line + 1 - bytes), &value,
                   &err) == ERR_OK)
        judge(&arena, &document, &value);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
