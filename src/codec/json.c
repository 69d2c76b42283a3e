#include "purser/codec/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_string.h"
#include "purser/base/mem.h"
#include "purser/core/limits.h"

/* Lists and maps whose end has not come yet lie here, one behind the other; what has ended moves to
 * the arena, where it must be of one piece. */
struct entry {
    struct value value;
    struct slice name; /* of a member */
    size_t at;         /* where its name begins */
};

enum { ENTRIES_AT_FIRST = 32, PAIRS_MAX = 12 };

struct parser {
    struct text_reader text;
    struct arena *arena;
    struct entry *entries; /* `first` or on the heap */
    size_t count, capacity;
    struct entry first[ENTRIES_AT_FIRST];
    size_t bad_at; /* where it is wrong */
    struct err *err;
};

static bool refuse(struct parser *parser, size_t at, const char *what)
{
    parser->bad_at = at;
    (void)err_set(parser->err, ERR_INPUT, "JSON: %s", what);
    return false;
}

static bool refuse_here(struct parser *parser, const char *what)
{
    const struct text_reader *text = &parser->text;

    return refuse(parser, text->at, text->at == text->text.length ? "it ends too early" : what);
}

static bool no_room(struct parser *parser, size_t bytes)
{
    const struct arena *arena = parser->arena;

    if (bytes + sizeof(max_align_t) > arena->max_bytes - arena->used_bytes)
        (void)err_set(parser->err, ERR_TOO_BIG, "JSON: larger than %zu bytes in memory",
                      arena->max_bytes);
    else
        (void)err_set(parser->err, ERR_NO_MEMORY, "JSON: out of memory");
    return false;
}

static void skip_space(struct parser *parser)
{
    struct text_reader *text = &parser->text;

    while (text->at < text->text.length && memchr(" \t\r\n", text_peek(text), 4) != NULL)
        text->at++;
}

/* --- lists and maps that are not at their end --- */

static struct entry *add_entry(struct parser *parser)
{
    size_t capacity = 2 * parser->capacity;
    struct entry *grown;

    if (parser->count < parser->capacity)
        return &parser->entries[parser->count++];
    if (parser->count * sizeof grown->value >
        parser->arena->max_bytes - parser->arena->used_bytes) {
        (void)no_room(parser, parser->arena->max_bytes);
        return NULL;
    }
    grown = mem_resize(parser->entries == parser->first ? NULL : parser->entries, capacity,
                       sizeof *grown);
    if (grown == NULL) {
        (void)err_set(parser->err, ERR_NO_MEMORY, "JSON: out of memory");
        return NULL;
    }
    if (parser->entries == parser->first)
        memcpy(grown, parser->first, sizeof parser->first);
    parser->entries = grown;
    parser->capacity = capacity;
    return &parser->entries[parser->count++];
}

static bool take_list(struct parser *parser, size_t from, struct value *value_out)
{
    size_t count = parser->count - from;
    struct value *items = arena_new(parser->arena, count, sizeof *items);

    if (items == NULL)
        return no_room(parser, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = parser->entries[from + i].value;
    value_out->kind = VALUE_LIST;
    value_out->list.items = items;
    value_out->list.count = count;
    parser->count = from;
    return true;
}

static bool take_map(struct parser *parser, size_t from, struct value *value_out)
{
    size_t count = parser->count - from;
    struct slice *names = arena_new(parser->arena, count, sizeof *names);
    struct value *values = arena_new(parser->arena, count, sizeof *values);

    if (names == NULL || values == NULL)
        return no_room(parser, count * (sizeof *names + sizeof *values));
    for (size_t i = 0; i < count; i++) {
        names[i] = parser->entries[from + i].name;
        values[i] = parser->entries[from + i].value;
    }
    value_out->kind = VALUE_MAP;
    value_out->map.names = names;
    value_out->map.values = values;
    value_out->map.count = count;
    parser->count = from;
    return true;
}

/* --- which name stands twice --- */

static int compare_names(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    size_t shorter = a->name.length < b->name.length ? a->name.length : b->name.length;
    int order = shorter == 0 ? 0 : memcmp(a->name.bytes, b->name.bytes, shorter);

    if (order != 0)
        return order;
    if (a->name.length != b->name.length)
        return a->name.length < b->name.length ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static const struct entry *find_twice(const struct entry *members, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (slice_equal(members[i].name, members[j].name))
                return &members[i];
    return NULL;
}

/* Sorts, for maps of so many members that each pair would take too long. */
static const struct entry *find_twice_among_many(struct entry *members, size_t count)
{
    const struct entry *first = NULL;

    qsort(members, count, sizeof *members, compare_names);
    for (size_t i = 1; i < count; i++)
        if (slice_equal(members[i - 1].name, members[i].name) &&
            (first == NULL || members[i].at < first->at))
            first = &members[i];
    return first;
}

static bool check_names(struct parser *parser, size_t from)
{
    struct entry *members = parser->entries + from, *sorted = NULL;
    size_t count = parser->count - from;
    const struct entry *twice;

    if (count > PAIRS_MAX) {
        sorted = mem_new(count, sizeof *sorted);
        if (sorted == NULL) {
            (void)err_set(parser->err, ERR_NO_MEMORY, "JSON: out of memory");
            return false;
        }
        memcpy(sorted, members, count * sizeof *sorted);
    }
    twice = sorted != NULL ? find_twice_among_many(sorted, count) : find_twice(members, count);
    if (twice != NULL) {
        parser->bad_at = twice->at;
        (void)err_set(parser->err, ERR_INPUT, "JSON: the name \"%.*s\" a second time",
                      (int)(twice->name.length < 100 ? twice->name.length : 100),
                      twice->name.bytes);
    }
    mem_free(sorted);
    return twice == NULL;
}

/* --- values --- */

static bool parse_value(struct parser *parser, int depth, struct value *value_out);

static bool parse_string(struct parser *parser, struct slice *text_out)
{
    struct slice raw;
    bool escaped;
    const char *wrong = json_string_read(&parser->text, &raw, &escaped);
    char *decoded;

    if (wrong != NULL)
        return refuse(parser, parser->text.at, wrong);
    decoded = arena_copy_text(parser->arena, raw.bytes, raw.length);
    if (decoded == NULL)
        return no_room(parser, raw.length);
    *text_out = (struct slice){decoded, escaped ? json_string_decode(raw, decoded) : raw.length};
    return true;
}

static bool parse_number(struct parser *parser, struct value *value_out)
{
    struct text_reader *text = &parser->text;
    const char *start = text->text.bytes + text->at, *copy;
    size_t left = text->text.length - text->at;
    bool whole;
    size_t length = json_number_length(start, left, &whole);

    if (length == 0 || (length < left && memchr(",]} \t\r\n", start[length], 7) == NULL))
        return refuse(parser, text->at, "not a JSON number");
    if (whole && !json_whole_fits((struct slice){start, length}))
        return refuse(parser, text->at, "a whole number must be from -2^63 to 2^64-1: this one");
    copy = arena_copy_text(parser->arena, start, length);
    if (copy == NULL)
        return no_room(parser, length);
    text->at += length;
    value_out->kind = VALUE_NUMBER;
    value_out->text = (struct slice){copy, length};
    return true;
}

static bool parse_word(struct parser *parser, struct value *value_out)
{
    static const struct {
        struct slice word;
        struct value value;
    } words[] = {{{"null", 4}, {.kind = VALUE_NULL}},
                 {{"true", 4}, {.kind = VALUE_BOOL, .boolean = true}},
                 {{"false", 5}, {.kind = VALUE_BOOL, .boolean = false}}};
    struct text_reader *text = &parser->text;
    size_t left = text->text.length - text->at;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = words[i].word.length;

        if (left > 0 && memcmp(text->text.bytes + text->at, words[i].word.bytes,
                               left < length ? left : length) == 0) {
            if (left < length)
                return refuse(parser, text->text.length, "it ends too early");
            *value_out = words[i].value;
            text->at += length;
            return true;
        }
    }
    return refuse_here(parser, "unexpected character");
}

/* Behind an element: true when another one follows, false when `close` did or at an error. */
static bool goes_on(struct parser *parser, char close, bool *wrong_out)
{
    skip_space(parser);
    if (text_accept(&parser->text, ','))
        return true;
    if (!text_accept(&parser->text, close))
        *wrong_out = !refuse_here(parser, "a ',' or an end is missing here");
    return false;
}

static bool parse_list(struct parser *parser, int depth, struct value *value_out)
{
    size_t from = parser->count;
    bool wrong = false;

    parser->text.at++;
    skip_space(parser);
    if (text_accept(&parser->text, ']'))
        return take_list(parser, from, value_out);
    do {
        struct value value;

        if (!parse_value(parser, depth + 1, &value) || add_entry(parser) == NULL)
            return false;
        parser->entries[parser->count - 1].value = value;
    } while (goes_on(parser, ']', &wrong));
    return !wrong && take_list(parser, from, value_out);
}

static bool parse_member(struct parser *parser, int depth)
{
    struct entry entry = {0}, *added;

    skip_space(parser);
    entry.at = parser->text.at;
    if (text_peek(&parser->text) != '"')
        return refuse_here(parser, "a name in quotes is missing here");
    if (!parse_string(parser, &entry.name))
        return false;
    skip_space(parser);
    if (!text_accept(&parser->text, ':'))
        return refuse_here(parser, "a ':' is missing here");
    if (!parse_value(parser, depth + 1, &entry.value))
        return false;
    added = add_entry(parser);
    if (added != NULL)
        *added = entry;
    return added != NULL;
}

static bool parse_map(struct parser *parser, int depth, struct value *value_out)
{
    size_t from = parser->count;
    bool wrong = false;

    parser->text.at++;
    skip_space(parser);
    if (text_accept(&parser->text, '}'))
        return take_map(parser, from, value_out);
    do {
        if (!parse_member(parser, depth))
            return false;
    } while (goes_on(parser, '}', &wrong));
    return !wrong && check_names(parser, from) && take_map(parser, from, value_out);
}

static bool parse_value(struct parser *parser, int depth, struct value *value_out)
{
    char byte;

    skip_space(parser);
    byte = text_peek(&parser->text);
    if ((byte == '{' || byte == '[') && depth >= JSON_DEPTH_MAX) {
        (void)err_set(parser->err, ERR_INPUT, "JSON: nested deeper than %d", JSON_DEPTH_MAX);
        return false;
    }
    if (byte == '{')
        return parse_map(parser, depth, value_out);
    if (byte == '[')
        return parse_list(parser, depth, value_out);
    if (byte == '-' || text_is_digit(byte))
        return parse_number(parser, value_out);
    if (byte != '"')
        return parse_word(parser, value_out);
    value_out->kind = VALUE_STRING;
    return parse_string(parser, &value_out->text);
}

/* --- the whole --- */

enum err_code json_parse_at(struct arena *arena, const char *bytes, size_t length,
                            struct value *value_out, size_t *bad_at_out, struct err *err)
{
    struct parser parser = {.text = {{bytes, length}, 0},
                            .arena = arena,
                            .entries = parser.first,
                            .capacity = ENTRIES_AT_FIRST,
                            .bad_at = SIZE_MAX,
                            .err = err};
    struct value value;
    bool parsed;

    *bad_at_out = SIZE_MAX;
    if (!text_is_utf8(bytes, length, bad_at_out))
        return err_set(err, ERR_INPUT, "JSON: not UTF-8");
    parsed = parse_value(&parser, 0, &value);
    if (parsed) {
        skip_space(&parser);
        if (parser.text.at < length)
            parsed = refuse(&parser, parser.text.at, "more text after the value");
    }
    if (parser.entries != parser.first)
        mem_free(parser.entries);
    *bad_at_out = parser.bad_at;
    if (!parsed)
        return err->code;
    *value_out = value;
    return ERR_OK;
}

enum err_code json_parse(struct arena *arena, const char *bytes, size_t length,
                         struct value *value_out, struct err *err)
{
    size_t bad_at, text_length;
    enum err_code code = json_parse_at(arena, bytes, length, value_out, &bad_at, err);

    if (code == ERR_OK || bad_at == SIZE_MAX)
        return code;
    text_length = strlen(err->text);
    (void)snprintf(err->text + text_length, sizeof err->text - text_length, " at byte %zu",
                   bad_at + 1);
    return code;
}
