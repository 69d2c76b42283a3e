#include "purser/codec/yaml.h"

#include <string.h>
#include <yaml.h>

#include "purser/base/mem.h"
#include "purser/codec/yaml_duplicates.h"
#include "purser/codec/yaml_input.h"
#include "purser/codec/yaml_marks.h"
#include "purser/codec/yaml_problem.h"
#include "purser/codec/yaml_scalar.h"
#include "purser/core/limits.h"

enum { NO_ANCHOR = -1 };

static const char depth_help[] = "is a bracket too many open?";

struct anchor {
    const char *name; /* in the arena */
    const struct yaml_node *node;
    size_t nodes;    /* in it, aliases expanded; known when closed */
    unsigned height; /* levels of lists and maps in it */
    bool open;       /* we are inside: an alias to it would be a cycle */
};

/* A list or map that is being read. Its children are the top of builder.pending. */
struct frame {
    struct yaml_node *node;
    size_t first_pending;
    size_t nodes_before;
    unsigned height;
    int anchor;
};

struct builder {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const char *file;
    const char *bytes;
    size_t length;
    struct yaml_marks marks;
    yaml_parser_t parser;
    struct frame frames[SPEC_DEPTH_MAX];
    unsigned depth;
    /* Children of all open frames; for maps key, value, key, value. */
    const struct yaml_node **pending;
    size_t pending_count, pending_capacity;
    struct anchor anchors[SPEC_ANCHORS_MAX];
    int anchor_count;
    size_t node_count; /* with aliases expanded */
    const struct yaml_node *root;
    unsigned documents;
    bool refused;         /* at least one message was added */
    enum err_code failed; /* reading stops: ERR_INPUT or ERR_NO_MEMORY */
};

static void refuse(struct builder *builder, struct place place, const char *code, const char *help,
                   const char *text)
{
    builder->refused = true;
    diagnostics_add(builder->diagnostics, DIAG_ERROR, place, code, help, "%s", text);
}

/* A message after which the rest cannot be read. */
static void refuse_and_stop(struct builder *builder, struct place place, const char *code,
                            const char *help, const char *text)
{
    refuse(builder, place, code, help, text);
    builder->failed = ERR_INPUT;
}

static struct place place_of(const struct builder *builder, struct yaml_position at, size_t width)
{
    return (struct place){builder->file, at.line, at.column, (uint32_t)width};
}

/* Characters from `at` to `end`, or to the end of the line. */
static size_t width_on_line(const struct builder *builder, struct yaml_position at, size_t end)
{
    const char *start = builder->bytes + at.offset;
    const char *line_end = memchr(start, '\n', end - at.offset);

    return yaml_character_count(start,
                                line_end != NULL ? (size_t)(line_end - start) : end - at.offset);
}

static struct place place_of_event(const struct builder *builder, const yaml_event_t *event)
{
    struct yaml_position at = yaml_marks_of_character(&builder->marks, event->start_mark.index);
    struct yaml_position end = yaml_marks_of_character(&builder->marks, event->end_mark.index);

    return place_of(builder, at, width_on_line(builder, at, end.offset));
}

/* Past `&anchor` and `!tag`, which libyaml counts as part of a node. */
static struct yaml_position skip_properties(const struct builder *builder, struct yaml_position at,
                                            size_t end)
{
    const char *bytes = builder->bytes;
    size_t offset = at.offset;

    while (offset < end && (bytes[offset] == '&' || bytes[offset] == '!')) {
        while (offset < end && strchr(" \t\r\n", bytes[offset]) == NULL)
            offset++;
        while (offset < end && strchr(" \t\r\n#", bytes[offset]) != NULL) {
            if (bytes[offset] == '#')
                while (offset < end && bytes[offset] != '\n')
                    offset++;
            else
                offset++;
        }
    }
    return yaml_position_after(at, bytes, offset);
}

static bool count_nodes(struct builder *builder, size_t nodes, struct place place)
{
    builder->node_count += nodes;
    if (builder->node_count <= SPEC_NODES_MAX)
        return true;
    refuse_and_stop(builder, place, "yaml.too_many_nodes",
                    "put the rows into a CSV or NDJSON file and name it under source",
                    "more than 100000 values in this file (each use of an alias counts)");
    return false;
}

/* -- anchors ------------------------------------------------------------------------------- */

static int anchor_open(struct builder *builder, const yaml_char_t *name,
                       const struct yaml_node *node)
{
    struct anchor *anchor;

    if (name == NULL)
        return NO_ANCHOR;
    if (builder->anchor_count == SPEC_ANCHORS_MAX) {
        refuse_and_stop(builder, node->place, "yaml.alias", "write the values out",
                        "more than 1000 anchors");
        return NO_ANCHOR;
    }
    anchor = &builder->anchors[builder->anchor_count];
    *anchor = (struct anchor){.node = node, .nodes = 1, .open = true};
    anchor->name = arena_copy_text(builder->arena, (const char *)name, strlen((const char *)name));
    if (anchor->name == NULL) {
        builder->failed = ERR_NO_MEMORY;
        return NO_ANCHOR;
    }
    return builder->anchor_count++;
}

static void anchor_close(struct builder *builder, int number, size_t nodes, unsigned height)
{
    if (number == NO_ANCHOR)
        return;
    builder->anchors[number].nodes = nodes;
    builder->anchors[number].height = height;
    builder->anchors[number].open = false;
}

/* The newest of that name: YAML allows to use a name again. */
static const struct anchor *anchor_find(const struct builder *builder, const char *name)
{
    for (int i = builder->anchor_count - 1; i >= 0; i--)
        if (strcmp(builder->anchors[i].name, name) == 0)
            return &builder->anchors[i];
    return NULL;
}

/* -- the tree ------------------------------------------------------------------------------ */

static void grow_pending(struct builder *builder)
{
    size_t capacity = builder->pending_capacity == 0 ? 256 : builder->pending_capacity * 2;
    const struct yaml_node **pending =
        mem_resize(builder->pending, capacity, sizeof(*builder->pending));

    if (pending == NULL) {
        builder->failed = ERR_NO_MEMORY;
        return;
    }
    builder->pending = pending;
    builder->pending_capacity = capacity;
}

/* Puts a complete node where it belongs. */
static void attach(struct builder *builder, const struct yaml_node *node, unsigned height)
{
    struct frame *frame;

    if (builder->depth == 0) {
        builder->root = node;
        return;
    }
    frame = &builder->frames[builder->depth - 1];
    if (frame->height < height + 1)
        frame->height = height + 1;
    if (builder->pending_count == builder->pending_capacity)
        grow_pending(builder);
    if (builder->failed == ERR_OK)
        builder->pending[builder->pending_count++] = node;
}

static struct yaml_node *new_node(struct builder *builder, enum yaml_kind kind, struct place place)
{
    struct yaml_node *node = arena_new(builder->arena, 1, sizeof *node);

    if (node == NULL) {
        builder->failed = ERR_NO_MEMORY;
        return NULL;
    }
    node->kind = kind;
    node->place = place;
    return count_nodes(builder, 1, place) ? node : NULL;
}

/* -- scalars ------------------------------------------------------------------------------- */

static bool has_core_tag(const yaml_char_t *tag, const char *name)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    const char *text = (const char *)tag;

    return tag != NULL && strncmp(text, prefix, sizeof prefix - 1) == 0 &&
           strcmp(text + sizeof prefix - 1, name) == 0;
}

static void read_plain(struct builder *builder, struct yaml_node *node)
{
    switch (yaml_scalar_read(builder->arena, node->text, &node->kind, &node->text)) {
    case YAML_SCALAR_OK:
        break;
    case YAML_SCALAR_NOT_FINITE:
        refuse(builder, node->place, "yaml.number", "put it in quotes if it is meant as text",
               "JSON has no infinity and no NaN");
        break;
    case YAML_SCALAR_TOO_LONG:
        refuse(builder, node->place, "yaml.number", "put it in quotes if it is meant as text",
               "this number has more than 64 bits");
        break;
    case YAML_SCALAR_NO_MEMORY:
        builder->failed = ERR_NO_MEMORY;
        break;
    }
}

/* A tag of the core schema must say what the text is anyway; `!!str` makes any text a string. */
static void apply_tag(struct builder *builder, struct yaml_node *node, const yaml_char_t *tag)
{
    static const struct {
        const char *name;
        enum yaml_kind kind;
    } tags[] = {{"null", YAML_NULL}, {"bool", YAML_BOOL}, {"int", YAML_INTEGER}};
    bool fits = false;

    if (strcmp((const char *)tag, "!") == 0 || has_core_tag(tag, "str"))
        return;
    read_plain(builder, node);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        fits = fits || (has_core_tag(tag, tags[i].name) && node->kind == tags[i].kind);
    fits = fits ||
           (has_core_tag(tag, "float") && (node->kind == YAML_FLOAT || node->kind == YAML_INTEGER));
    if (!fits)
        refuse(builder, node->place, "yaml.tag", "write the value without !…",
               "this tag is not supported or does not fit its value");
}

static void read_scalar(struct builder *builder, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    struct yaml_position at = yaml_marks_of_character(&builder->marks, event->start_mark.index);
    size_t end = yaml_marks_of_character(&builder->marks, event->end_mark.index).offset;
    struct yaml_node *node;
    int anchor;

    at = skip_properties(builder, at, end);
    node = new_node(builder, YAML_STRING, place_of(builder, at, width_on_line(builder, at, end)));
    if (node == NULL)
        return;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->raw = (struct slice){builder->bytes + at.offset, end - at.offset};
    node->text = (struct slice){arena_copy_text(builder->arena, value, length), length};
    if (node->text.bytes == NULL) {
        builder->failed = ERR_NO_MEMORY;
        return;
    }
    if (memchr(value, '\0', length) != NULL)
        refuse(builder, node->place, "yaml.nul", "take the \\0 out",
               "a text cannot hold a NUL character");
    if (event->data.scalar.tag != NULL)
        apply_tag(builder, node, event->data.scalar.tag);
    else if (node->plain)
        read_plain(builder, node);
    anchor = anchor_open(builder, event->data.scalar.anchor, node);
    anchor_close(builder, anchor, 1, 0);
    attach(builder, node, 0);
}

/* -- aliases ------------------------------------------------------------------------------- */

static void read_alias(struct builder *builder, const yaml_event_t *event)
{
    const struct anchor *anchor = anchor_find(builder, (const char *)event->data.alias.anchor);
    struct place place = place_of_event(builder, event);

    if (anchor == NULL) {
        refuse_and_stop(builder, place, "yaml.alias",
                        "if the value is meant to start with '*', put it in quotes",
                        "no anchor of this name stands above");
    } else if (anchor->open) {
        refuse_and_stop(builder, place, "yaml.alias", "write the value out",
                        "this alias stands inside its own anchor");
    } else if (builder->depth + anchor->height > SPEC_DEPTH_MAX) {
        refuse_and_stop(builder, place, "yaml.depth", depth_help,
                        "lists and maps are nested more than 64 deep");
    } else if (count_nodes(builder, anchor->nodes, place)) {
        attach(builder, anchor->node, anchor->height);
    }
}

/* -- lists and maps ------------------------------------------------------------------------ */

static void begin_collection(struct builder *builder, const yaml_event_t *event,
                             enum yaml_kind kind, const yaml_char_t *tag, const yaml_char_t *anchor)
{
    struct yaml_position at = yaml_marks_of_character(&builder->marks, event->start_mark.index);
    const char *core = kind == YAML_LIST ? "seq" : "map";
    struct yaml_node *node;

    if (builder->depth == SPEC_DEPTH_MAX) {
        refuse_and_stop(builder, place_of(builder, at, 1), "yaml.depth", depth_help,
                        "lists and maps are nested more than 64 deep");
        return;
    }
    if (tag != NULL && strcmp((const char *)tag, "!") != 0 && !has_core_tag(tag, core))
        refuse(builder, place_of(builder, at, 1), "yaml.tag", "write the value without !…",
               "this tag is not supported or does not fit its value");
    node = new_node(builder, kind, place_of(builder, at, 1));
    if (node == NULL)
        return;
    builder->frames[builder->depth++] =
        (struct frame){.node = node,
                       .first_pending = builder->pending_count,
                       .nodes_before = builder->node_count - 1,
                       .height = 1,
                       .anchor = anchor_open(builder, anchor, node)};
}

static bool key_is_usable(struct builder *builder, const struct yaml_node *key)
{
    if (key->kind == YAML_LIST || key->kind == YAML_MAP) {
        refuse(builder, key->place, "yaml.key", "write name: value",
               "a key must be text, not a list or map");
        return false;
    }
    if (key->plain && slice_is(key->text, "<<")) {
        refuse(builder, key->place, "yaml.merge_key", "write the keys out, or share a whole value",
               "merge keys (<<) are not supported");
        return false;
    }
    if (key->kind == YAML_NULL && key->text.length == 0) {
        refuse(builder, key->place, "yaml.key", "write name: value", "a key is missing before ':'");
        return false;
    }
    return true;
}

static void check_duplicates(struct builder *builder, const struct yaml_node *map)
{
    bool found = false;

    if (yaml_report_duplicates(map, builder->diagnostics, &found) != ERR_OK)
        builder->failed = ERR_NO_MEMORY;
    builder->refused = builder->refused || found;
}

static void end_list(struct builder *builder, struct yaml_node *node,
                     const struct yaml_node **children, size_t count)
{
    node->items = arena_new(builder->arena, count, sizeof(*node->items));
    if (count > 0 && node->items == NULL) {
        builder->failed = ERR_NO_MEMORY;
        return;
    }
    if (count > 0)
        memcpy(node->items, children, count * sizeof(*children));
    node->count = count;
}

static void end_map(struct builder *builder, struct yaml_node *node,
                    const struct yaml_node **children, size_t count)
{
    node->keys = arena_new(builder->arena, count / 2, sizeof(*node->keys));
    node->items = arena_new(builder->arena, count / 2, sizeof(*node->items));
    if (count > 0 && (node->keys == NULL || node->items == NULL)) {
        builder->failed = ERR_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (!key_is_usable(builder, children[i]))
            continue;
        node->keys[node->count] = children[i];
        node->items[node->count++] = children[i + 1];
    }
    check_duplicates(builder, node);
}

static void end_collection(struct builder *builder)
{
    struct frame *frame = &builder->frames[--builder->depth];
    const struct yaml_node **children = NULL;
    size_t count = builder->pending_count - frame->first_pending;

    if (count > 0)
        children = builder->pending + frame->first_pending;
    if (frame->node->kind == YAML_LIST)
        end_list(builder, frame->node, children, count);
    else
        end_map(builder, frame->node, children, count);
    builder->pending_count = frame->first_pending;
    anchor_close(builder, frame->anchor, builder->node_count - frame->nodes_before, frame->height);
    if (builder->failed == ERR_OK)
        attach(builder, frame->node, frame->height);
}

/* -- events -------------------------------------------------------------------------------- */

static void begin_document(struct builder *builder, const yaml_event_t *event)
{
    if (builder->documents++ == 0)
        return;
    refuse_and_stop(builder, place_of_event(builder, event), "yaml.documents",
                    "split it into one file for each spec", "a spec is one YAML document");
}

static void take_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    case YAML_DOCUMENT_START_EVENT:
        begin_document(builder, event);
        break;
    case YAML_ALIAS_EVENT:
        read_alias(builder, event);
        break;
    case YAML_SCALAR_EVENT:
        read_scalar(builder, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        begin_collection(builder, event, YAML_LIST, event->data.sequence_start.tag,
                         event->data.sequence_start.anchor);
        break;
    case YAML_MAPPING_START_EVENT:
        begin_collection(builder, event, YAML_MAP, event->data.mapping_start.tag,
                         event->data.mapping_start.anchor);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        end_collection(builder);
        break;
    }
}

/* libyaml's own complaint becomes a message with a place. */
static void report_parser(struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    struct yaml_problem problem = {.problem = parser->problem, .context = parser->context};

    if (parser->error == YAML_MEMORY_ERROR) {
        builder->failed = ERR_NO_MEMORY;
        return;
    }
    problem.at = yaml_marks_of_character(&builder->marks, parser->problem_mark.index);
    problem.context_at = yaml_marks_of_character(&builder->marks, parser->context_mark.index);
    if (parser->error == YAML_READER_ERROR)
        problem.at = yaml_position_after(
            (struct yaml_position){0, 1, 1}, builder->bytes,
            parser->problem_offset < builder->length ? parser->problem_offset : builder->length);
    yaml_problem_report(builder->diagnostics, builder->file, builder->bytes, builder->length,
                        &problem);
    builder->refused = true;
    builder->failed = ERR_INPUT;
}

/* The depth is checked at each event because libyaml 0.2.5 needs time in the square of the nesting
 * of [ and {; its look-ahead is at most 1024 characters. */
static void read_events(struct builder *builder)
{
    bool done = false;

    while (!done && builder->failed == ERR_OK) {
        yaml_event_t event;

        if (!yaml_parser_parse(&builder->parser, &event)) {
            report_parser(builder);
            return;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        take_event(builder, &event);
        yaml_event_delete(&event);
    }
}

/* -- the whole ----------------------------------------------------------------------------- */

static enum err_code parse_with(struct builder *builder)
{
    if (yaml_marks_init(&builder->marks, builder->bytes, builder->length) != ERR_OK)
        return ERR_NO_MEMORY;
    if (yaml_parser_initialize(&builder->parser)) {
        yaml_parser_set_encoding(&builder->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&builder->parser, (const unsigned char *)builder->bytes,
                                     builder->length);
        read_events(builder);
        yaml_parser_delete(&builder->parser);
    } else {
        builder->failed = ERR_NO_MEMORY;
    }
    yaml_marks_deinit(&builder->marks);
    if (builder->failed == ERR_OK && builder->refused)
        return ERR_INPUT;
    return builder->failed;
}

enum err_code yaml_parse(struct arena *arena, const char *file, const char *bytes, size_t length,
                         const struct yaml_node **root_out, struct diagnostics *diagnostics)
{
    /* On the heap: the anchors make it too large for a stack frame. */
    struct builder *builder = mem_new(1, sizeof *builder);
    enum err_code code;
    size_t skip;

    *root_out = NULL;
    if (!yaml_input_is_usable(file, bytes, length, diagnostics)) {
        mem_free(builder);
        return ERR_INPUT;
    }
    if (builder == NULL)
        return ERR_NO_MEMORY;
    skip = yaml_input_mark_length(bytes, length);
    builder->arena = arena;
    builder->diagnostics = diagnostics;
    builder->file = file;
    builder->bytes = bytes + skip;
    builder->length = length - skip;
    code = parse_with(builder);
    if (builder->failed == ERR_OK)
        *root_out = builder->root;
    mem_free(builder->pending);
    mem_free(builder);
    return code;
}
