#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_schema_internal.h"
#include "purser/core/limits.h"

enum { TABLE_START = 1024, REFERENCES_IN_A_ROW_MAX = 64, NOTE_BYTES = 256, POINTER_BYTES = 512 };

void *json_schema_new(struct json_schema_set *set, size_t count, size_t size)
{
    void *memory;

    if (set->failed != ERR_OK)
        return NULL;
    memory = arena_new(set->arena, count == 0 ? 1 : count, size);
    if (memory == NULL)
        set->failed = ERR_NO_MEMORY;
    return memory;
}

void json_schema_note(struct json_schema_set *set, bool is_flaw, const char *format, ...)
{
    struct json_schema_note *note = &set->notes[set->note_count];
    char text[NOTE_BYTES];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < set->note_count; i++) {
        if (strcmp(set->notes[i].text, text) == 0) {
            set->notes[i].count++;
            return;
        }
    }
    if (length < 0 || set->note_count == JSON_SCHEMA_NOTES_MAX)
        return;
    *note = (struct json_schema_note){.count = 1, .is_flaw = is_flaw};
    note->text = arena_copy_text(set->arena, text, strlen(text));
    if (note->text == NULL)
        set->failed = ERR_NO_MEMORY;
    else
        set->note_count++;
}

const struct json_schema_note *json_schema_notes(const struct json_schema_set *set,
                                                 size_t *count_out)
{
    *count_out = set->note_count;
    return set->notes;
}

/* -- references ------------------------------------------------------------------------------ */

static int hex_worth(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Takes the next token of a pointer, behind its '/': %xx is decoded, then ~1 and ~0. False when it
 * is too long or not well formed. */
static bool take_token(struct slice *rest, char token[POINTER_BYTES], struct slice *token_out)
{
    size_t length = 0, at = 0;
    bool tilde = false;

    for (; at < rest->length && rest->bytes[at] != '/'; at++) {
        char byte = rest->bytes[at];

        if (byte == '%') {
            int high = at + 2 < rest->length ? hex_worth(rest->bytes[at + 1]) : -1;
            int low = at + 2 < rest->length ? hex_worth(rest->bytes[at + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            at += 2;
        }
        if (tilde && byte != '0' && byte != '1')
            return false;
        if (tilde)
            token[length - 1] = byte == '0' ? '~' : '/';
        else if (length < POINTER_BYTES)
            token[length++] = byte;
        else
            return false;
        tilde = !tilde && byte == '~';
    }
    if (tilde)
        return false;
    *rest = (struct slice){rest->bytes + at, rest->length - at};
    *token_out = (struct slice){token, length};
    return true;
}

static const struct value *step_into(const struct value *value, struct slice token)
{
    uint64_t index;

    if (value->kind == VALUE_MAP) {
        for (size_t i = 0; i < value->map.count; i++)
            if (slice_equal(value->map.names[i], token))
                return &value->map.values[i];
    } else if (value->kind == VALUE_LIST && text_to_u64(token, &index) &&
               index < value->list.count) {
        return &value->list.items[index];
    }
    return NULL;
}

const struct value *json_schema_resolve(const struct value *document, struct slice reference)
{
    char token[POINTER_BYTES];
    struct slice rest = reference, name;
    const struct value *value = document;

    if (rest.length == 0 || rest.bytes[0] != '#')
        return NULL;
    rest = (struct slice){rest.bytes + 1, rest.length - 1};
    while (value != NULL && rest.length > 0) {
        if (rest.bytes[0] != '/')
            return NULL;
        rest = (struct slice){rest.bytes + 1, rest.length - 1};
        if (!take_token(&rest, token, &name))
            return NULL;
        value = step_into(value, name);
    }
    return value;
}

/* Where a schema that says nothing but $ref leads; NULL when `source` says more, or is no map. */
static const struct value *only_reference(const struct value *source)
{
    const struct value *reference = NULL;

    if (source->kind != VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < source->map.count; i++) {
        if (slice_is(source->map.names[i], "$ref") && source->map.values[i].kind == VALUE_STRING)
            reference = &source->map.values[i];
        else if (!json_schema_is_annotation(source->map.names[i]))
            return NULL;
    }
    return reference;
}

/* -- the table ------------------------------------------------------------------------------- */

static struct json_schema **place_of(struct json_schema **table, size_t capacity,
                                     const struct value *source)
{
    size_t at = (size_t)(((uintptr_t)source >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

    for (at &= capacity - 1; table[at] != NULL && table[at]->source != source;)
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static bool make_room(struct json_schema_set *set)
{
    struct json_schema **table;

    if (set->count == SCHEMAS_MAX) {
        set->failed = ERR_TOO_BIG;
        return false;
    }
    if (set->count < set->capacity / 2)
        return true;
    table = json_schema_new(set, set->capacity * 2, sizeof(struct json_schema *));
    if (table == NULL)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->table[i] != NULL)
            *place_of(table, set->capacity * 2, set->table[i]->source) = set->table[i];
    set->table = table;
    set->capacity *= 2;
    return true;
}

const struct json_schema *json_schema_of(struct json_schema_set *set, const struct value *source)
{
    const struct value *reference;
    struct json_schema **place;

    for (int i = 0; (reference = only_reference(source)) != NULL; i++) {
        source = json_schema_resolve(set->document, reference->text);
        if (source == NULL || i == REFERENCES_IN_A_ROW_MAX) {
            json_schema_note(set, true, "$ref: %.*s leads nowhere", NOTE_NAME(reference->text));
            return NULL;
        }
    }
    if (source->kind != VALUE_MAP && source->kind != VALUE_BOOL)
        json_schema_note(set, true, "a %s stands where a schema belongs",
                         value_kind_name(source->kind));
    if ((source->kind == VALUE_BOOL && source->boolean) ||
        (source->kind == VALUE_MAP && source->map.count == 0) ||
        (source->kind != VALUE_MAP && source->kind != VALUE_BOOL))
        return NULL;
    if (set->failed != ERR_OK || !make_room(set))
        return NULL;
    place = place_of(set->table, set->capacity, source);
    if (*place == NULL) {
        struct json_schema *schema = json_schema_new(set, 1, sizeof *schema);

        if (schema == NULL)
            return NULL;
        *schema = (struct json_schema){.source = source, .next_pending = set->pending};
        set->pending = schema;
        set->count++;
        *place = schema;
    }
    return *place;
}

/* -- the whole ------------------------------------------------------------------------------- */

enum err_code json_schema_set_new(struct arena *arena, const struct value *document,
                                  struct json_schema_set **set_out, struct err *err)
{
    struct json_schema_set *set = arena_new(arena, 1, sizeof *set);

    if (set == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the schemas");
    *set = (struct json_schema_set){.arena = arena, .document = document, .capacity = TABLE_START};
    set->table = json_schema_new(set, TABLE_START, sizeof(struct json_schema *));
    if (set->table == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the schemas");
    *set_out = set;
    return ERR_OK;
}

enum err_code json_schema_compile(struct json_schema_set *set, const struct value *schema,
                                  const struct json_schema **schema_out, struct err *err)
{
    static const struct json_schema anything;
    const struct json_schema *compiled = json_schema_of(set, schema);

    /* No recursion: a schema names others, which wait here until it is their turn. */
    while (set->pending != NULL && set->failed == ERR_OK) {
        struct json_schema *next = set->pending;

        set->pending = next->next_pending;
        json_schema_fill(set, next);
    }
    if (set->failed == ERR_TOO_BIG)
        return err_set(err, ERR_TOO_BIG, "more than %d schemas", SCHEMAS_MAX);
    if (set->failed != ERR_OK)
        return err_set(err, set->failed, "no memory for the schemas");
    *schema_out = compiled != NULL ? compiled : &anything;
    return ERR_OK;
}
