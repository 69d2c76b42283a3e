/* File names and arguments that ${run…} stands in: compiled with the spec, known when a run is. */
#include <string.h>

#include "purser/codec/spec_check.h"
#include "spec_source.h"

bool spec_compile_of_run(struct spec_reader *reader, const struct yaml_node *node,
                         const struct text_template **template_out)
{
    unsigned used = 0;
    struct scope scope = {.parts = SCOPE_ENV | SCOPE_VARS | SCOPE_RUN,
                          .vars = &reader->spec->vars,
                          .used_parts = &used};
    const struct text_template *compiled;

    *template_out = NULL;
    if (!spec_has_expression(node->text))
        return true;
    compiled = text_template_compile(reader->arena, node, &scope, reader->diagnostics);
    if (compiled != NULL && (used & SCOPE_RUN) != 0)
        *template_out = compiled;
    return compiled != NULL;
}

struct resolving {
    struct arena *arena;
    const struct spec *spec;
    struct environment environment;
    struct place place; /* of the source */
    struct diagnostics *diagnostics;
};

static bool refuse(struct resolving *resolving, const char *what, const char *problem)
{
    diagnostics_add(resolving->diagnostics, DIAG_ERROR, resolving->place, "spec.value",
                    "write it on one line: data/${run.slot | date}.csv", "%s %s", what, problem);
    return false;
}

static bool evaluate(struct resolving *resolving, const struct text_template *text_template,
                     const char *what, const char **text_out)
{
    struct eval_error error = {0};
    struct slice text;

    if (!text_template_text(text_template, &resolving->environment, &text, &error)) {
        diagnostics_add(resolving->diagnostics, DIAG_ERROR, error.place, "spec.evaluate",
                        error.help[0] == '\0' ? NULL : error.help, "%s", error.text);
        return false;
    }
    if (text.length == 0)
        return refuse(resolving, what, "is empty");
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.bytes[i] < 0x20 || text.bytes[i] == 0x7f)
            return refuse(resolving, what, "has a line break or another control character");
    *text_out = arena_copy_text(resolving->arena, text.bytes, text.length);
    return *text_out != NULL;
}

static bool resolve_command(struct resolving *resolving, const struct spec_source *source,
                            struct spec_source *source_out)
{
    const char **command;
    size_t count = 0;

    while (source->command[count] != NULL)
        count++;
    command = arena_new(resolving->arena, count + 1, sizeof *command);
    for (size_t i = 0; command != NULL && i < count; i++) {
        command[i] = source->command[i];
        if (source->command_of_run[i] != NULL &&
            !evaluate(resolving, source->command_of_run[i], "an argument of the command",
                      &command[i]))
            return false;
    }
    source_out->command = command;
    return command != NULL;
}

static bool resolve_path(struct resolving *resolving, const struct spec_source *source,
                         struct spec_source *source_out)
{
    const char *path;

    if (!evaluate(resolving, source->path_of_run, "the name of the file", &path))
        return false;
    path = spec_join_path(resolving->arena, resolving->spec->folder, path);
    if (path == NULL)
        return false;
    source_out->path = path;
    source_out->is_pattern = path[strcspn(path, "*?[")] != '\0';
    return true;
}

enum err_code spec_source_of_run(struct arena *arena, const struct spec *spec,
                                 const struct value *run, const struct spec_source *source,
                                 struct spec_source *source_out, struct diagnostics *diagnostics)
{
    uint64_t errors = diagnostics->error_count;
    struct resolving resolving = {.arena = arena,
                                  .spec = spec,
                                  .environment = {.vars = &spec->vars, .run = run, .arena = arena},
                                  .place = source->place,
                                  .diagnostics = diagnostics};

    *source_out = *source;
    if ((source->path_of_run == NULL || resolve_path(&resolving, source, source_out)) &&
        (source->command_of_run == NULL || resolve_command(&resolving, source, source_out)))
        return ERR_OK;
    return diagnostics->error_count > errors ? ERR_INPUT : ERR_NO_MEMORY;
}
