#include "purser/codec/yaml_problem.h"

#include <stdio.h>
#include <string.h>

#define QUOTE_HELP "put the whole value in quotes: key: \"…\" (inside \"…\" write \\\" for a quote)"
#define INDENT_HELP "keys of one map start in the same column; their values stand further right"

/* The first row whose parts are all found in libyaml's texts is taken. */
struct explanation {
    const char *problem, *context;
    const char *code, *text, *help;
    bool with_context; /* the text ends with a %u for the line where the construct began */
};

static const struct explanation explanations[] = {
    {"mapping values are not allowed", "", "yaml.syntax",
     "a ': ' stands inside a value that has no quotes, or this key is indented too far",
     QUOTE_HELP "; or start this key in the column of the keys above", false},
    {"could not find expected ':'", "", "yaml.syntax",
     "a key without ':'; the line began on line %u",
     "write key: value; a text over several lines needs quotes or '|'", true},
    {"found a tab character", "", "yaml.tab", "a tab cannot indent", "indent with spaces", false},
    {"end of stream", "quoted scalar", "yaml.syntax",
     "the quote that opens on line %u is never closed", NULL, true},
    {"document indicator", "quoted scalar", "yaml.syntax",
     "the quote that opens on line %u is never closed", NULL, true},
    {"unknown escape", "", "yaml.syntax", "no such escape in a text with \"…\"",
     "write \\\\ for a backslash, or use '…', where a backslash is only itself", false},
    {"expected key", "block mapping", "yaml.syntax",
     "this does not fit into the map that starts on line %u",
     INDENT_HELP "; nothing may follow a closing quote or bracket", true},
    {"expected '-'", "block collection", "yaml.syntax",
     "this does not fit into the list that starts on line %u",
     "each item starts with '- ' in the same column", true},
    {"',' or '}'", "", "yaml.syntax", "',' or '}' is missing in the { … } that opens on line %u",
     NULL, true},
    {"',' or ']'", "", "yaml.syntax", "',' or ']' is missing in the [ … ] that opens on line %u",
     NULL, true},
    {"block sequence entries", "", "yaml.syntax", "a list cannot start here",
     "write each '- item' on a line of its own below the key", false},
    {"expected node content", "", "yaml.syntax", "a value is missing or starts with this character",
     QUOTE_HELP, false},
    {"undefined tag handle", "", "yaml.tag", "tags are not supported", "write the value without !…",
     false},
    {"expected <document start>", "", "yaml.documents", "a spec is one YAML document",
     "split it into one file for each spec", false},
    {"incompatible YAML document", "", "yaml.syntax", "only YAML 1.1 and 1.2 are understood",
     "leave the %YAML line out", false},
    {"alphabetic or numeric", "", "yaml.syntax",
     "'&' and '*' start an anchor or an alias, which needs a name", QUOTE_HELP, false},
};

static void add(struct diagnostics *diagnostics, const char *file, struct yaml_position at,
                const char *code, const char *help, const char *text)
{
    struct place place = {.file = file, .line = at.line, .column = at.column, .width = 1};

    diagnostics_add(diagnostics, DIAG_ERROR, place, code, help, "%s", text);
}

/* Plain text ends at '{' in flow style, so ${…} is torn apart there. */
static bool is_flow_expression(const char *bytes, size_t length, const struct yaml_problem *problem)
{
    size_t at = problem->at.offset;

    return strstr(problem->problem, "did not find expected ','") != NULL && at > 0 && at < length &&
           bytes[at] == '{' && bytes[at - 1] == '$';
}

static void report_first_character(struct diagnostics *diagnostics, const char *file,
                                   const char *bytes, size_t length, struct yaml_position at)
{
    char text[80];

    if (at.offset < length && bytes[at.offset] == '\t') {
        add(diagnostics, file, at, "yaml.tab", "indent with spaces", "a tab cannot indent");
        return;
    }
    snprintf(text, sizeof text, "a value without quotes cannot start with '%c'",
             at.offset < length ? bytes[at.offset] : ' ');
    add(diagnostics, file, at, "yaml.syntax", QUOTE_HELP, text);
}

static const struct explanation *explanation_of(const struct yaml_problem *problem)
{
    const char *context = problem->context != NULL ? problem->context : "";

    for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++)
        if (strstr(problem->problem, explanations[i].problem) != NULL &&
            strstr(context, explanations[i].context) != NULL)
            return &explanations[i];
    return NULL;
}

static void report_explained(struct diagnostics *diagnostics, const char *file,
                             const struct explanation *explanation,
                             const struct yaml_problem *problem)
{
    const char *number = strstr(explanation->text, "%u");
    char text[200];

    if (explanation->with_context && number != NULL)
        snprintf(text, sizeof text, "%.*s%u%s", (int)(number - explanation->text),
                 explanation->text, problem->context_at.line, number + 2);
    else
        snprintf(text, sizeof text, "%s", explanation->text);
    add(diagnostics, file, problem->at, explanation->code, explanation->help, text);
}

void yaml_problem_report(struct diagnostics *diagnostics, const char *file, const char *bytes,
                         size_t length, const struct yaml_problem *given)
{
    struct yaml_problem problem = *given;
    const struct explanation *explanation;
    char text[200];

    if (problem.problem == NULL)
        problem.problem = "this is not valid YAML";
    if (is_flow_expression(bytes, length, &problem)) {
        problem.at.column--;
        add(diagnostics, file, problem.at, "yaml.flow_expr",
            "{ name: size, value: \"${row.size}\" }", "in { … } and [ … ] a ${…} needs quotes");
        return;
    }
    if (strstr(problem.problem, "cannot start any token") != NULL) {
        report_first_character(diagnostics, file, bytes, length, problem.at);
        return;
    }
    explanation = explanation_of(&problem);
    if (explanation != NULL) {
        report_explained(diagnostics, file, explanation, &problem);
        return;
    }
    snprintf(text, sizeof text, "this is not valid YAML: %s%s%s",
             problem.context != NULL ? problem.context : "", problem.context != NULL ? ": " : "",
             problem.problem);
    add(diagnostics, file, problem.at, "yaml.syntax", NULL, text);
}
