/* Evaluates expressions, or renders a body, for tests in another language.
 *
 * usage: evaluate-expressions            lines {"row": …, "expression": "…"}
 *        evaluate-expressions BODY.yaml  lines of rows; each is rendered with the body
 *
 * Writes one line for each: JSON, "omit", "! MESSAGE" when a row cannot be evaluated, "? MESSAGE"
 * when the expression cannot be compiled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "purser/codec/json.h"
#include "purser/codec/template.h"
#include "purser/core/limits.h"

struct tool {
    struct arena spec, unit;
    struct diagnostics diagnostics;
    struct body_template *body; /* NULL: expressions */
    struct buf out;
};

static int fail(const char *what)
{
    fprintf(stderr, "evaluate-expressions: %s\n", what);
    return 2;
}

/* The first message, on one line. */
static void print_refusal(struct tool *tool)
{
    buf_clear(&tool->out);
    diagnostics_print(&tool->diagnostics, &tool->out);
    diagnostics_deinit(&tool->diagnostics);
    printf("? %.*s\n", (int)strcspn(buf_text(&tool->out), "\n"), buf_text(&tool->out));
}

static void print_value(struct tool *tool, const struct text_template *compiled,
                        const struct environment *environment)
{
    struct eval_error error = {0};
    struct value value;

    buf_clear(&tool->out);
    if (!text_template_evaluate(compiled, environment, &value, &error)) {
        printf("! %s\n", error.text);
    } else if (value.kind == VALUE_OMIT) {
        printf("omit\n");
    } else {
        value_append_json(&tool->out, &value);
        printf("%s\n", buf_text(&tool->out));
    }
}

static void evaluate(struct tool *tool, const struct value *line)
{
    const struct scope scope = {.parts = SCOPE_ROW};
    struct value row = value_member(line, SLICE("row"));
    struct value text = value_member(line, SLICE("expression"));
    struct yaml_node scalar = {.kind = YAML_STRING, .text = text.text, .raw = text.text};
    const struct environment environment = {.row = &row, .arena = &tool->unit};
    const struct text_template *compiled =
        text_template_compile(&tool->unit, &scalar, &scope, &tool->diagnostics);

    if (compiled == NULL)
        print_refusal(tool);
    else
        print_value(tool, compiled, &environment);
}

static void render(struct tool *tool, const struct value *row)
{
    const struct environment environment = {.row = row, .arena = &tool->unit};
    struct eval_error error = {0};

    buf_clear(&tool->out);
    if (body_template_render(tool->body, &environment, NULL, &tool->out, &error))
        printf("%s\n", buf_text(&tool->out));
    else
        printf("! %s\n", error.text);
}

static bool load_body(struct tool *tool, const char *path)
{
    static char text[SPEC_BYTES_MAX];
    const struct scope scope = {.parts = SCOPE_ROW};
    const struct yaml_node *root;
    FILE *file = fopen(path, "r");
    size_t length;

    if (file == NULL)
        return false;
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (yaml_parse(&tool->spec, path, text, length, &root, &tool->diagnostics) == ERR_OK)
        tool->body =
            body_template_compile(&tool->spec, root, &scope, WHEN_EMPTY_OMIT, &tool->diagnostics);
    if (tool->body == NULL)
        print_refusal(tool);
    return tool->body != NULL;
}

int main(int argc, char **argv)
{
    static char line[ROW_BYTES_MAX];
    struct tool tool = {0};
    struct value value;
    struct err err = {0};

    arena_init(&tool.spec, SPEC_ARENA_BYTES_MAX);
    arena_init(&tool.unit, UNIT_ARENA_BYTES_MAX);
    diagnostics_init(&tool.diagnostics);
    buf_init(&tool.out, BODY_BYTES_MAX);
    if (argc > 2 || (argc == 2 && !load_body(&tool, argv[1])))
        return fail("usage: evaluate-expressions [BODY.yaml]");
    while (fgets(line, sizeof line, stdin) != NULL) {
        arena_clear(&tool.unit);
        if (json_parse(&tool.unit, line, strcspn(line, "\n"), &value, &err) != ERR_OK)
            return fail(err.text);
        if (tool.body != NULL)
            render(&tool, &value);
        else
            evaluate(&tool, &value);
    }
    buf_deinit(&tool.out);
    arena_deinit(&tool.spec);
    arena_deinit(&tool.unit);
    return 0;
}
