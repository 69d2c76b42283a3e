#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json_schema_walk.h"

enum {
    SHOWN_BYTES_MAX = 40, /* of a value; a longer one is not shown at all, nor a part of it: it
                             could be a secret, which only the whole of it gives away */
    CHOICE_FAULTS = 10,   /* a wrong word from a list often tells which form was not meant */
    COUNTED_MAX = 1000,
    NAMES_MAX = 256,
};

bool walk_is_done(const struct walk *walk)
{
    if (walk->stopped)
        return true;
    switch (walk->mode) {
    case WALK_ASK:
        return walk->faults > 0;
    case WALK_COUNT:
        return walk->faults >= COUNTED_MAX;
    case WALK_TELL:
        return walk->verdict->count == JSON_SCHEMA_VIOLATIONS_MAX;
    }
    return true;
}

/* -- text that is cut where it does not fit -------------------------------------------------- */

struct room {
    char *text;
    size_t size, used;
};

static void put(struct room *room, const char *bytes, size_t length)
{
    size_t left = room->size - 1 - room->used;

    if (length > left) /* not within a character */
        for (length = left; length > 0 && ((unsigned char)bytes[length] & 0xc0) == 0x80;)
            length--;
    if (length > 0)
        memcpy(room->text + room->used, bytes, length);
    room->used += length;
    room->text[room->used] = '\0';
}

static void put_text(struct room *room, const char *text)
{
    put(room, text, strlen(text));
}

static bool is_plain_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++)
        if (strchr(".[]' \t\n", name.bytes[i]) != NULL)
            return false;
    return name.length > 0;
}

static void write_path(const struct walk *walk, struct room *room)
{
    char index[32];

    put_text(room, walk->root);
    for (size_t i = 0; i < walk->depth; i++) {
        struct slice name = walk->path[i].name;

        if (name.bytes == NULL) {
            (void)snprintf(index, sizeof index, "[%zu]", walk->path[i].index);
            put_text(room, index);
        } else {
            bool plain = is_plain_name(name);

            put_text(room, plain ? "." : "['");
            put(room, name.bytes, name.length);
            put_text(room, plain ? "" : "']");
        }
    }
}

void walk_refuse(struct walk *walk, const char *help, const char *format, ...)
{
    struct json_schema_violation *violation;
    struct room path, help_room;
    va_list arguments;

    walk->faults++;
    if (walk->mode != WALK_TELL || walk->verdict->count == JSON_SCHEMA_VIOLATIONS_MAX)
        return;
    violation = &walk->verdict->violations[walk->verdict->count++];
    violation->is_number_as_text = false;
    path = (struct room){violation->path, sizeof violation->path, 0};
    write_path(walk, &path);
    va_start(arguments, format);
    if (vsnprintf(violation->text, sizeof violation->text, format, arguments) < 0)
        violation->text[0] = '\0';
    va_end(arguments);
    help_room = (struct room){violation->help, sizeof violation->help, 0};
    put_text(&help_room, help == NULL ? "" : help);
}

/* -- values and types in words --------------------------------------------------------------- */

static void put_value(struct room *room, const struct value *value)
{
    static const char *const words[] = {
        [VALUE_OMIT] = "nothing",    [VALUE_NULL] = "null",         [VALUE_BOOL] = "false",
        [VALUE_NUMBER] = "a number", [VALUE_STRING] = "text",       [VALUE_LIST] = "a list",
        [VALUE_MAP] = "a map",       [VALUE_UNKNOWN] = "not known",
    };
    bool shown = (value->kind == VALUE_NUMBER || value->kind == VALUE_STRING) &&
                 value->text.length <= SHOWN_BYTES_MAX;

    if (shown && value->kind == VALUE_STRING)
        put_text(room, "'");
    if (shown)
        put(room, value->text.bytes, value->text.length);
    else
        put_text(room, value->kind == VALUE_BOOL && value->boolean ? "true" : words[value->kind]);
    if (shown && value->kind == VALUE_STRING)
        put_text(room, "'");
}

static void put_types(struct room *room, unsigned types)
{
    static const char *const words[TYPE_COUNT] = {
        "text", "a number", "a whole number", "true or false", "a list", "a map", "null"};
    bool first = true;

    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        if ((types & 1u << i) == 0)
            continue;
        if (!first)
            put_text(room, (types >> (i + 1)) == 0 ? " or " : ", ");
        put_text(room, words[i]);
        first = false;
    }
}

void walk_refuse_type(struct walk *walk, unsigned types, const struct value *value)
{
    char is[64] = "", must[128] = "";
    struct room is_room = {is, sizeof is, 0}, must_room = {must, sizeof must, 0};

    if (walk->mode == WALK_TELL) {
        struct value kind = {.kind = value->kind, .boolean = true};

        kind.text = (struct slice){"", SHOWN_BYTES_MAX + 1}; /* its kind says enough */
        if (value->kind == VALUE_BOOL ||
            (value->kind == VALUE_NUMBER && (types & TYPE_INTEGER) != 0))
            kind = *value;
        put_value(&is_room, &kind);
        put_types(&must_room, types);
    }
    walk_refuse(walk, NULL, "is %s, must be %s", is, must);
    if (walk->mode == WALK_TELL)
        walk->verdict->violations[walk->verdict->count - 1].is_number_as_text =
            value->kind == VALUE_STRING && (types & (TYPE_NUMBER | TYPE_INTEGER)) != 0;
}

/* Candidates for "did you mean". */
struct candidates {
    char texts[NAMES_MAX][SHOWN_BYTES_MAX];
    const char *list[NAMES_MAX];
    size_t count;
};

static void add_candidate(struct candidates *candidates, struct slice text)
{
    char *copy = candidates->texts[candidates->count];

    if (candidates->count == NAMES_MAX || text.length >= SHOWN_BYTES_MAX)
        return;
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    candidates->list[candidates->count++] = copy;
}

/* False when none is close. */
static bool put_guess(struct room *room, const struct candidates *candidates, struct slice text)
{
    char wanted[SHOWN_BYTES_MAX];
    const char *closest;

    if (text.length >= sizeof wanted)
        return false;
    memcpy(wanted, text.bytes, text.length);
    wanted[text.length] = '\0';
    closest = text_closest(wanted, candidates->list, candidates->count);
    if (closest == NULL)
        return false;
    put_text(room, "did you mean '");
    put_text(room, closest);
    put_text(room, "'?");
    return true;
}

static void guess_choice(struct room *room, const struct value *choices, struct slice text)
{
    struct candidates candidates = {.count = 0};

    for (size_t i = 0; i < choices->list.count; i++)
        if (choices->list.items[i].kind == VALUE_STRING)
            add_candidate(&candidates, choices->list.items[i].text);
    (void)put_guess(room, &candidates, text);
}

void walk_refuse_choice(struct walk *walk, const struct value *choices, const struct value *value)
{
    char is[64] = "", must[128] = "", help[64] = "";
    struct room is_room = {is, sizeof is, 0}, must_room = {must, sizeof must, 0};
    struct room help_room = {help, sizeof help, 0};
    size_t shown = 0;

    walk->faults += CHOICE_FAULTS - 1;
    if (walk->mode == WALK_TELL) {
        put_value(&is_room, value);
        for (; shown < choices->list.count && must_room.used < sizeof must - 48; shown++) {
            put_text(&must_room, shown == 0 ? "" : ", ");
            put_value(&must_room, &choices->list.items[shown]);
        }
        if (shown < choices->list.count)
            put_text(&must_room, ", …");
        if (value->kind == VALUE_STRING)
            guess_choice(&help_room, choices, value->text);
    }
    walk_refuse(walk, help, "is %s, must be %s%s", is, choices->list.count > 1 ? "one of " : "",
                must);
}

void walk_refuse_bound(struct walk *walk, const struct json_bound *bound, const char *most_or_least,
                       const char *more_or_less, const struct value *value)
{
    walk_refuse(
        walk, NULL, "is %.*s, must be %s %.*s",
        (int)(value->text.length < SHOWN_BYTES_MAX ? value->text.length : SHOWN_BYTES_MAX),
        value->text.bytes, bound->exclusive ? more_or_less : most_or_least,
        (int)(bound->number.length < SHOWN_BYTES_MAX ? bound->number.length : SHOWN_BYTES_MAX),
        bound->number.bytes);
}

static bool has_member(const struct value *map, struct slice name)
{
    for (size_t i = 0; i < map->map.count; i++)
        if (slice_equal(map->map.names[i], name))
            return true;
    return false;
}

void walk_refuse_gaps(struct walk *walk, const struct json_schema *schema,
                      const struct value *value)
{
    char names[200] = "";
    struct room room = {names, sizeof names, 0};
    unsigned count = 0;

    for (size_t i = 0; i < schema->property_count; i++) {
        const struct json_property *property = &schema->properties[i];

        if (!property->required || has_member(value, property->name))
            continue;
        put_text(&room, count++ == 0 ? "'" : ", '");
        put(&room, property->name.bytes, property->name.length);
        put_text(&room, "'");
    }
    walk->faults += count - 1;
    walk_refuse(walk, NULL, "lacks %s, which %s required", names, count == 1 ? "is" : "are");
}

static void guess_member(struct room *room, const struct json_schema *schema, struct slice name)
{
    struct candidates candidates = {.count = 0};

    for (size_t i = 0; i < schema->property_count; i++)
        if (schema->properties[i].declared)
            add_candidate(&candidates, schema->properties[i].name);
    if (put_guess(room, &candidates, name))
        return;
    for (size_t i = 0; i < candidates.count; i++) {
        if (room->used + strlen(candidates.list[i]) + 8 > room->size) {
            put_text(room, ", …");
            return;
        }
        put_text(room, i == 0 ? "there are: " : ", ");
        put_text(room, candidates.list[i]);
    }
}

void walk_refuse_member(struct walk *walk, const struct json_schema *schema, struct slice name)
{
    char help[300] = "";
    struct room room = {help, sizeof help, 0};

    if (walk->mode == WALK_TELL)
        guess_member(&room, schema, name);
    walk_refuse(walk, help, "is not known here");
}
