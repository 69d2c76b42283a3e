#include <stdio.h>
#include <string.h>

#include "purser/codec/json.h"
#include "purser/core/limits.h"
#include "template_tree.h"

struct body_compiler {
    struct compile_context context;
    enum when_empty when_empty;
    struct slice loop_names[LOOPS_MAX];
    bool loop_is_row[LOOPS_MAX];
    bool failed;
};

static bool compile_node(struct body_compiler *compiler, const struct yaml_node *yaml,
                         struct body_node *node_out);

static bool refuse(struct body_compiler *compiler, struct place place, const char *code,
                   const char *help, const char *text)
{
    compiler->failed = true;
    diagnostics_add(compiler->context.diagnostics, DIAG_ERROR, place, code, help, "%s", text);
    return false;
}

static void *new_memory(struct body_compiler *compiler, const struct yaml_node *yaml, size_t count,
                        size_t size)
{
    void *memory = arena_new(compiler->context.arena, count, size);

    if (memory == NULL)
        refuse(compiler, yaml->place, "template.memory", NULL, "out of memory");
    return memory;
}

/* Moves what is in `text` to the arena and ends it. */
static bool keep_text(struct body_compiler *compiler, const struct yaml_node *yaml,
                      struct buf *text, struct slice *kept_out)
{
    char *copy = text->failed == ERR_OK
                     ? arena_copy_text(compiler->context.arena, buf_text(text), text->length)
                     : NULL;

    *kept_out = (struct slice){copy, text->length};
    buf_deinit(text);
    return copy != NULL || refuse(compiler, yaml->place, "template.memory", NULL, "out of memory");
}

static bool set_literal(struct body_compiler *compiler, const struct value *value,
                        struct body_node *node)
{
    struct buf text;

    buf_init(&text, BODY_BYTES_MAX);
    value_append_json(&text, value);
    node->kind = BODY_LITERAL;
    return keep_text(compiler, node->yaml, &text, &node->json);
}

static bool refuse_null(struct body_compiler *compiler, const struct yaml_node *yaml)
{
    if (yaml->text.length == 0)
        return refuse(compiler, yaml->place, "template.empty",
                      "take the line out, or write \"\" for empty text", "there is no value here");
    return refuse(compiler, yaml->place, "template.null",
                  "take the line out to leave the field as it is; to send null where a value is "
                  "missing, say when_empty: null",
                  "the API refuses null");
}

static bool compile_scalar(struct body_compiler *compiler, const struct yaml_node *yaml,
                           struct body_node *node)
{
    const struct text_template *text_template;

    if (yaml->kind == YAML_NULL &&
        (yaml->text.length == 0 || compiler->when_empty != WHEN_EMPTY_NULL))
        return refuse_null(compiler, yaml);
    text_template = text_template_compile_in(&compiler->context, yaml);
    if (text_template == NULL) {
        compiler->failed = true;
        return false;
    }
    if (text_template->part_count == 0 && json_holds_long_number(&text_template->literal))
        return refuse(compiler, yaml->place, "template.number",
                      "quote it when it is meant as text: \"123\"",
                      "a whole number must be from -2^63 to 2^64-1; this one is not");
    if (text_template->part_count == 0)
        return set_literal(compiler, &text_template->literal, node);
    if (text_template->part_count == 1 && text_template->parts[0].expr != NULL &&
        text_template->parts[0].expr->kind == EXPR_LITERAL &&
        text_template->parts[0].expr->literal.kind == VALUE_NULL &&
        compiler->when_empty != WHEN_EMPTY_NULL)
        return refuse_null(compiler, yaml);
    node->kind = BODY_VALUE;
    node->value = text_template;
    return true;
}

/* Entries that are all constant make a constant of what holds them. */
static bool fold_constant(struct body_compiler *compiler, struct body_node *node)
{
    bool is_object = node->kind == BODY_OBJECT;
    struct buf text;

    for (size_t i = 0; i < node->count; i++)
        if (node->entries[i].kind != BODY_LITERAL)
            return true;
    buf_init(&text, BODY_BYTES_MAX);
    buf_append_byte(&text, is_object ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        const struct body_node *entry = &node->entries[i];

        if (i > 0)
            buf_append_byte(&text, ',');
        if (is_object)
            buf_append(&text, entry->name_json.bytes + 1, entry->name_json.length - 1);
        else
            buf_append(&text, entry->json.bytes, entry->json.length);
    }
    buf_append_byte(&text, is_object ? '}' : ']');
    node->kind = BODY_LITERAL;
    return keep_text(compiler, node->yaml, &text, &node->json);
}

static bool compile_list(struct body_compiler *compiler, const struct yaml_node *yaml,
                         struct body_node *node)
{
    struct body_node *entries = new_memory(compiler, yaml, yaml->count, sizeof *entries);

    if (entries == NULL)
        return false;
    for (size_t i = 0; i < yaml->count; i++)
        compile_node(compiler, yaml->items[i], &entries[i]);
    if (compiler->failed)
        return false;
    node->kind = BODY_LIST;
    node->entries = entries;
    node->count = yaml->count;
    return fold_constant(compiler, node);
}

static bool compile_name(struct body_compiler *compiler, const struct yaml_node *key,
                         struct body_node *member)
{
    struct buf json;

    if (memmem(key->text.bytes, key->text.length, "${", 2) != NULL)
        return refuse(compiler, key->place, "template.name",
                      "write the name as it is; only values can be computed",
                      "the name of a field cannot be computed");
    if (key->text.length > 0 && key->text.bytes[0] == '$')
        return refuse(compiler, key->place, "template.name",
                      "a list is made with $for: NAME in EXPRESSION and $do: …, and nothing beside "
                      "the two",
                      "names with $ are not names of fields");
    buf_init(&json, BODY_BYTES_MAX);
    buf_append_byte(&json, ',');
    text_append_json(&json, key->text);
    buf_append_byte(&json, ':');
    if (member->kind == BODY_LITERAL && !compiler->failed)
        buf_append(&json, member->json.bytes, member->json.length);
    member->name = key->text;
    return keep_text(compiler, key, &json, &member->name_json);
}

static bool compile_object(struct body_compiler *compiler, const struct yaml_node *yaml,
                           struct body_node *node)
{
    struct body_node *members = new_memory(compiler, yaml, yaml->count, sizeof *members);

    if (members == NULL)
        return false;
    for (size_t i = 0; i < yaml->count; i++) {
        compile_node(compiler, yaml->items[i], &members[i]);
        compile_name(compiler, yaml->keys[i], &members[i]);
    }
    if (compiler->failed)
        return false;
    node->kind = BODY_OBJECT;
    node->entries = members;
    node->count = yaml->count;
    return true;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.length && is_blank(text.bytes[at]))
        at++;
    return at;
}

/* "NAME in …": the name, and *at behind `in`. */
static bool take_loop_name(struct body_compiler *compiler, const struct yaml_node *yaml,
                           struct slice *name_out, size_t *at)
{
    static const char help[] = "write $for: line in row.lines";
    size_t start = skip_blanks(yaml->text, 0), end = start, word;
    struct slice rest;

    while (end < yaml->text.length && !is_blank(yaml->text.bytes[end]))
        end++;
    *name_out = (struct slice){yaml->text.bytes + start, end - start};
    word = skip_blanks(yaml->text, end);
    rest = (struct slice){yaml->text.bytes + word, yaml->text.length - word};
    if (!expr_is_name(*name_out) || rest.length < 3 || memcmp(rest.bytes, "in", 2) != 0 ||
        !is_blank(rest.bytes[2]))
        return refuse(compiler, yaml->place, "template.loop", help,
                      "$for takes a new name, the word in, and a list, without ${…}");
    *at = word + 2;
    return true;
}

static bool check_loop_name(struct body_compiler *compiler, const struct expr_origin *origin,
                            struct slice name)
{
    bool is_taken = expr_is_reserved(name);
    char text[128];

    for (size_t i = 0; i < compiler->context.loop_count; i++)
        is_taken = is_taken || slice_equal(compiler->loop_names[i], name);
    if (!is_taken)
        return true;
    snprintf(text, sizeof text, "'%.*s' is a name already", expr_shown(name), name.bytes);
    return refuse(compiler, expr_place(origin, name), "template.loop",
                  "take another name for the loop", text);
}

static bool compile_loop_list(struct body_compiler *compiler, const struct yaml_node *yaml,
                              struct body_node *node, struct slice *name_out)
{
    struct expr_origin *origin = new_memory(compiler, yaml, 1, sizeof *origin);
    size_t at = 0;

    if (origin == NULL)
        return false;
    if (yaml->kind != YAML_STRING)
        return refuse(compiler, yaml->place, "template.loop", "write $for: line in row.lines",
                      "$for takes a new name, the word in, and a list");
    expr_origin_start(origin, yaml);
    if (!take_loop_name(compiler, yaml, name_out, &at) ||
        !check_loop_name(compiler, origin, *name_out))
        return false;
    node->loop_values = expr_compile(&compiler->context, origin, false, &at);
    compiler->failed = compiler->failed || node->loop_values == NULL;
    return node->loop_values != NULL;
}

static bool compile_loop(struct body_compiler *compiler, const struct yaml_node *yaml,
                         struct body_node *node)
{
    const struct yaml_node *list = yaml_get(yaml, "$for"), *each = yaml_get(yaml, "$do");
    struct compile_context *context = &compiler->context;
    struct body_node *entry;
    struct slice name;
    bool done;

    if (list == NULL || each == NULL || yaml->count != 2)
        return refuse(compiler, yaml->place, "template.loop",
                      "$for and $do stand alone in their object",
                      "a loop has exactly $for and $do");
    if (context->loop_count == LOOPS_MAX)
        return refuse(compiler, yaml->place, "template.loop",
                      "make the lists where the rows come from",
                      "there are too many loops in one another");
    entry = new_memory(compiler, yaml, 1, sizeof *entry);
    if (entry == NULL || !compile_loop_list(compiler, list, node, &name))
        return false;
    compiler->loop_names[context->loop_count] = name;
    compiler->loop_is_row[context->loop_count] = expr_is_rows(node->loop_values);
    context->loop_count++;
    done = compile_node(compiler, each, entry);
    context->loop_count--;
    node->kind = BODY_LOOP;
    node->entries = entry;
    node->count = 1;
    return done;
}

static bool compile_node(struct body_compiler *compiler, const struct yaml_node *yaml,
                         struct body_node *node_out)
{
    node_out->yaml = yaml;
    switch (yaml->kind) {
    case YAML_LIST:
        return compile_list(compiler, yaml, node_out);
    case YAML_MAP:
        if (yaml_get(yaml, "$for") != NULL || yaml_get(yaml, "$do") != NULL)
            return compile_loop(compiler, yaml, node_out);
        return compile_object(compiler, yaml, node_out) && fold_constant(compiler, node_out);
    case YAML_NULL:
    case YAML_BOOL:
    case YAML_INTEGER:
    case YAML_FLOAT:
    case YAML_STRING:
        break;
    }
    return compile_scalar(compiler, yaml, node_out);
}

struct body_template *body_template_compile(struct arena *arena, const struct yaml_node *node,
                                            const struct scope *scope, enum when_empty when_empty,
                                            struct diagnostics *diagnostics)
{
    struct body_compiler compiler = {
        .context = {.arena = arena, .scope = scope, .diagnostics = diagnostics},
        .when_empty = when_empty,
    };
    struct body_template *body = new_memory(&compiler, node, 1, sizeof *body);

    if (body == NULL)
        return NULL;
    if (node->kind != YAML_MAP || yaml_get(node, "$for") != NULL) {
        refuse(&compiler, node->place, "template.kind", "write the fields of the request under it",
               "a body is a map");
        return NULL;
    }
    compiler.context.loop_names = compiler.loop_names;
    compiler.context.loop_is_row = compiler.loop_is_row;
    for (size_t i = 0; i < scope->loop_count && i < LOOPS_MAX; i++)
        compiler.loop_names[compiler.context.loop_count++] = scope->loop_names[i];
    body->when_empty = when_empty;
    body->root.yaml = node;
    compile_object(&compiler, node, &body->root);
    return compiler.failed ? NULL : body;
}
