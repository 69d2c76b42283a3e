#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { KEYS_MAX = 32, HELP_BYTES = 256, FORMAT_BYTES = 512 };

void *spec_new(struct spec_reader *reader, size_t count, size_t size)
{
    void *memory = arena_new(reader->arena, count > 0 ? count : 1, size);

    if (memory == NULL)
        reader->no_memory = true;
    return memory;
}

const char *spec_copy(struct spec_reader *reader, const char *text, size_t length)
{
    const char *copy = arena_copy_text(reader->arena, text, length);

    if (copy == NULL)
        reader->no_memory = true;
    return copy;
}

const char *spec_format(struct spec_reader *reader, const char *format, ...)
{
    char text[FORMAT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return spec_copy(reader, text, strlen(text));
}

const char *spec_guess(char *help, size_t help_bytes, const char *text,
                       const char *const *candidates, size_t candidate_count)
{
    const char *closest = text_closest(text, candidates, candidate_count);

    if (closest == NULL)
        return NULL;
    snprintf(help, help_bytes, "did you mean '%s'?", closest);
    return help;
}

bool spec_name_is_valid(struct slice name)
{
    if (name.length == 0 || name.length > SPEC_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char byte = name.bytes[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                      (byte >= '0' && byte <= '9');

        if (!letter && (i == 0 || strchr("_.-", byte) == NULL || byte == '\0'))
            return false;
    }
    return true;
}

/* "text", "a whole number", "text or a whole number" … */
static void describe_kinds(unsigned kinds, char *text, size_t bytes)
{
    size_t length = 0;

    text[0] = '\0';
    for (int kind = YAML_NULL; kind <= YAML_MAP; kind++) {
        int written;

        if ((kinds & KIND_BIT(kind)) == 0 || length >= bytes)
            continue;
        written = snprintf(text + length, bytes - length, "%s%s", length > 0 ? " or " : "",
                           yaml_kind_name((enum yaml_kind)kind));
        length += written > 0 ? (size_t)written : 0;
    }
}

static bool has_kind(struct spec_reader *reader, const struct yaml_node *node,
                     const struct spec_key *key)
{
    bool is_number = node->kind == YAML_INTEGER || node->kind == YAML_FLOAT;
    const char *help = NULL;
    char kinds[96];

    if (key->kinds == KINDS_ANY || (key->kinds & KIND_BIT(node->kind)) != 0)
        return true;
    describe_kinds(key->kinds, kinds, sizeof kinds);
    if ((key->kinds & KINDS_TEXT) != 0 && (is_number || node->kind == YAML_BOOL))
        help = "put it in quotes";
    if (node->kind == YAML_NULL)
        help = "write a value, or leave the key out";
    spec_error(reader, node->place, "spec.type", help, "'%s' is %s, must be %s", key->name,
               yaml_kind_name(node->kind), kinds);
    return false;
}

static void report_unknown(struct spec_reader *reader, const struct yaml_node *key,
                           const char *what, const struct spec_key *keys, size_t key_count)
{
    const char *candidates[KEYS_MAX] = {NULL};
    size_t candidate_count = 0;
    char help[HELP_BYTES];

    for (size_t i = 0; i < key_count; i++)
        if (keys[i].unsupported == NULL)
            candidates[candidate_count++] = keys[i].name;
    if (spec_guess(help, sizeof help, key->text.bytes, candidates, candidate_count) == NULL) {
        size_t length = (size_t)snprintf(help, sizeof help, "known here: ");

        for (size_t i = 0; i < candidate_count && length < sizeof help; i++)
            length += (size_t)snprintf(help + length, sizeof help - length, "%s%s",
                                       i > 0 ? ", " : "", candidates[i]);
    }
    spec_error(reader, key->place, "spec.unknown_key", help, "unknown key '%s' in %s",
               key->text.bytes, what);
}

static const struct spec_key *find_key(const struct spec_key *keys, size_t key_count,
                                       struct slice name)
{
    for (size_t i = 0; i < key_count; i++)
        if (slice_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

static void report_missing(struct spec_reader *reader, const struct yaml_node *map,
                           const char *what, const char *name)
{
    char help[HELP_BYTES];

    snprintf(help, sizeof help, "add the line %s: …", name);
    spec_error(reader, map->place, "spec.required", help, "'%s' is missing in %s", name, what);
}

bool spec_read_map(struct spec_reader *reader, const struct yaml_node *map, const char *what,
                   const struct spec_key *keys, size_t key_count,
                   const struct yaml_node **found_out)
{
    bool seen[KEYS_MAX] = {false};

    assert(key_count <= KEYS_MAX);
    for (size_t i = 0; i < key_count; i++)
        found_out[i] = NULL;
    if (map->kind != YAML_MAP) {
        spec_error(reader, map->place, "spec.type", "write lines of the form key: value below it",
                   "%s is %s, must be a map", what, yaml_kind_name(map->kind));
        return false;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct spec_key *key = find_key(keys, key_count, map->keys[i]->text);

        if (key == NULL) {
            report_unknown(reader, map->keys[i], what, keys, key_count);
            continue;
        }
        seen[key - keys] = true;
        if (key->unsupported != NULL)
            spec_error(reader, map->keys[i]->place, "spec.unsupported", key->unsupported,
                       "'%s' in %s is not supported by this version", key->name, what);
        else if (has_kind(reader, map->items[i], key))
            found_out[key - keys] = map->items[i];
    }
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].required && !seen[i])
            report_missing(reader, map, what, keys[i].name);
    return true;
}
