#include <string.h>

#include "purser/codec/spec_check.h"
#include "purser/codec/yaml_scalar.h"

enum { HELP_BYTES = 256 };

bool spec_has_expression(struct slice text)
{
    for (size_t i = 0; i + 1 < text.length; i++) {
        if (text.bytes[i] != '$')
            continue;
        if (text.bytes[i + 1] == '{')
            return true;
        if (i + 2 < text.length && text.bytes[i + 1] == '$' && text.bytes[i + 2] == '{')
            i += 2;
    }
    return false;
}

size_t spec_expression_end(struct slice text, size_t at)
{
    char quote = '\0';

    for (size_t i = at + 2; i < text.length; i++) {
        char byte = text.bytes[i];

        if (quote != '\0' && byte == '\\')
            i++;
        else if (quote != '\0')
            quote = byte == quote ? '\0' : quote;
        else if (byte == '"' || byte == '\'')
            quote = byte;
        else if (byte == '}')
            return i + 1;
    }
    return text.length;
}

static const struct scope *scope_of_spec(const struct spec_reader *reader, struct scope *scope)
{
    *scope = (struct scope){.parts = SCOPE_ENV | SCOPE_VARS, .vars = &reader->spec->vars};
    return scope;
}

static bool evaluate(struct spec_reader *reader, const struct yaml_node *node,
                     struct value *value_out)
{
    struct environment environment = {.vars = &reader->spec->vars, .arena = reader->arena};
    struct eval_error error = {0};
    struct scope scope;
    const struct text_template *compiled = text_template_compile(
        reader->arena, node, scope_of_spec(reader, &scope), reader->diagnostics);

    if (compiled == NULL)
        return false;
    if (text_template_evaluate(compiled, &environment, value_out, &error))
        return true;
    spec_error(reader, error.place, "spec.evaluate", error.help[0] != '\0' ? error.help : NULL,
               "%s", error.text);
    return false;
}

bool spec_read_evaluated(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                         const char **text_out)
{
    struct yaml_node with_value = *node;
    struct value value;

    if (!spec_has_expression(node->text))
        return spec_read_text(reader, node, what, text_out);
    if (!evaluate(reader, node, &value))
        return false;
    if (value.kind != VALUE_STRING && value.kind != VALUE_NUMBER) {
        spec_error(reader, node->place, "spec.value", "give a default: ${env.NAME ?? \"…\"}",
                   "%s has no value, or is %s", what, value_kind_name(value.kind));
        return false;
    }
    with_value.text.bytes = spec_copy(reader, value.text.bytes, value.text.length);
    with_value.text.length = value.text.length;
    return with_value.text.bytes != NULL && spec_read_text(reader, &with_value, what, text_out);
}

bool spec_read_path(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                    const char **path_out)
{
    const char *path;

    if (!spec_read_evaluated(reader, node, what, &path))
        return false;
    *path_out = spec_join_path(reader->arena, reader->spec->folder, path);
    return *path_out != NULL;
}

const char *spec_join_path(struct arena *arena, const char *folder, const char *path)
{
    size_t folder_length = strlen(folder), length = strlen(path);
    char *joined;

    if (path[0] == '/' || strcmp(folder, ".") == 0)
        return path;
    joined = arena_new(arena, folder_length + length + 2, 1);
    if (joined == NULL)
        return NULL;
    memcpy(joined, folder, folder_length);
    joined[folder_length] = '/';
    memcpy(joined + folder_length + 1, path, length);
    return joined;
}

/* -- values ---------------------------------------------------------------------------------- */

static bool read_list(struct spec_reader *reader, const struct yaml_node *node, bool with_text,
                      struct value *value_out)
{
    struct value *items = spec_new(reader, node->count, sizeof *items);
    bool good = items != NULL || node->count == 0;

    for (size_t i = 0; good && i < node->count; i++)
        good = spec_read_value(reader, node->items[i], with_text, &items[i]);
    *value_out = (struct value){.kind = VALUE_LIST, .list = {.items = items, .count = node->count}};
    return good;
}

static bool read_map(struct spec_reader *reader, const struct yaml_node *node, bool with_text,
                     struct value *value_out)
{
    struct slice *names = spec_new(reader, node->count, sizeof *names);
    struct value *values = spec_new(reader, node->count, sizeof *values);
    bool good = (names != NULL && values != NULL) || node->count == 0;

    for (size_t i = 0; good && i < node->count; i++) {
        names[i] = node->keys[i]->text;
        good = spec_read_value(reader, node->items[i], with_text, &values[i]);
    }
    *value_out = (struct value){.kind = VALUE_MAP,
                                .map = {.names = names, .values = values, .count = node->count}};
    return good;
}

bool spec_read_value(struct spec_reader *reader, const struct yaml_node *node, bool with_text,
                     struct value *value_out)
{
    switch (node->kind) {
    case YAML_NULL:
        *value_out = (struct value){.kind = VALUE_NULL};
        return true;
    case YAML_BOOL:
        *value_out = (struct value){.kind = VALUE_BOOL, .boolean = slice_is(node->text, "true")};
        return true;
    case YAML_INTEGER:
    case YAML_FLOAT:
        *value_out = (struct value){.kind = VALUE_NUMBER, .text = node->text};
        return true;
    case YAML_STRING:
        if (with_text && memchr(node->text.bytes, '$', node->text.length) != NULL)
            return evaluate(reader, node, value_out);
        *value_out = (struct value){.kind = VALUE_STRING, .text = node->text};
        return true;
    case YAML_LIST:
        return read_list(reader, node, with_text, value_out);
    case YAML_MAP:
        return read_map(reader, node, with_text, value_out);
    }
    return false;
}

/* -- vars and --var -------------------------------------------------------------------------- */

/* The last --var of that name. */
static const struct spec_variable *find_variable(const struct spec_variable *variables,
                                                 size_t count, struct slice name)
{
    while (count-- > 0)
        if (slice_equal(variables[count].name, name))
            return &variables[count];
    return NULL;
}

/* A value from the command line is text, unless what it replaces is a number or true/false: then it
 * must be one too. */
static bool read_override(struct spec_reader *reader, const struct yaml_node *node,
                          const struct spec_variable *variable, struct value *value_out)
{
    bool number = node->kind == YAML_INTEGER || node->kind == YAML_FLOAT;
    enum yaml_kind kind;
    struct slice text;

    *value_out = (struct value){.kind = VALUE_STRING, .text = variable->value};
    if (!number && node->kind != YAML_BOOL && node->kind != YAML_LIST && node->kind != YAML_MAP)
        return true;
    if (yaml_scalar_read(reader->arena, variable->value, &kind, &text) == YAML_SCALAR_OK) {
        if (number && (kind == YAML_INTEGER || kind == YAML_FLOAT)) {
            *value_out = (struct value){.kind = VALUE_NUMBER, .text = text};
            return true;
        }
        if (node->kind == YAML_BOOL && kind == YAML_BOOL) {
            *value_out = (struct value){.kind = VALUE_BOOL, .boolean = slice_is(text, "true")};
            return true;
        }
    }
    spec_error(reader, node->place, "spec.variable",
               "give a value of that kind, or change the one under vars",
               "--var %.*s gives text for what is %s in the spec", (int)variable->name.length,
               variable->name.bytes, yaml_kind_name(node->kind));
    return false;
}

static bool name_is_usable(struct spec_reader *reader, const struct yaml_node *key)
{
    bool good = key->text.length > 0 && key->text.length <= SPEC_NAME_BYTES_MAX;

    for (size_t i = 0; good && i < key->text.length; i++) {
        char byte = key->text.bytes[i];

        good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
               (i > 0 && byte >= '0' && byte <= '9');
    }
    if (!good)
        spec_error(reader, key->place, "spec.name", "letters, digits and _, starting with a letter",
                   "'%s' cannot be the name of a variable", key->text.bytes);
    return good;
}

static void read_variable(struct spec_reader *reader, const struct yaml_node *node,
                          const struct spec_variable *override, struct value *value_out)
{
    struct value value = {.kind = VALUE_NULL};

    if (override != NULL ? !read_override(reader, node, override, &value)
                         : !spec_read_value(reader, node, true, &value))
        value.kind = VALUE_NULL;
    else if (value.kind == VALUE_OMIT)
        spec_error(reader, node->place, "spec.variable", "give a default: ${env.NAME ?? \"…\"}",
                   "this variable has no value");
    *value_out = value;
}

static void report_unknown_variables(struct spec_reader *reader, const struct yaml_node *node,
                                     const struct spec_variable *variables, size_t count)
{
    size_t known = node != NULL && node->kind == YAML_MAP ? node->count : 0;
    const char **names = spec_new(reader, known + 1, sizeof(*names));
    char help[HELP_BYTES];

    if (names == NULL)
        return;
    for (size_t i = 0; i < known; i++)
        names[i] = node->keys[i]->text.bytes;
    for (size_t i = 0; i < count; i++) {
        const char *name = spec_copy(reader, variables[i].name.bytes, variables[i].name.length);
        const char *guess;

        if (name == NULL || (known > 0 && yaml_get(node, name) != NULL))
            continue;
        guess = spec_guess(help, sizeof help, name, names, known);
        spec_error(reader, (struct place){.file = reader->spec->file}, "spec.variable", guess,
                   "--var %s: the spec has no such name under vars", name);
    }
}

void spec_read_vars(struct spec_reader *reader, const struct yaml_node *node,
                    const struct spec_variable *variables, size_t variable_count)
{
    struct value *vars = &reader->spec->vars;
    struct slice *names;
    struct value *values;

    *vars = (struct value){.kind = VALUE_MAP};
    report_unknown_variables(reader, node, variables, variable_count);
    if (node == NULL || node->count == 0)
        return;
    names = spec_new(reader, node->count, sizeof *names);
    values = spec_new(reader, node->count, sizeof *values);
    if (names == NULL || values == NULL)
        return;
    vars->map.names = names;
    vars->map.values = values;
    /* The map grows with each one, so a variable may use those above it. */
    for (size_t i = 0; i < node->count; i++) {
        if (!name_is_usable(reader, node->keys[i]))
            continue;
        names[vars->map.count] = node->keys[i]->text;
        read_variable(reader, node->items[i],
                      find_variable(variables, variable_count, node->keys[i]->text),
                      &values[vars->map.count]);
        vars->map.count++;
    }
}
