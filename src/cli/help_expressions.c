#include "purser/cli/help_expressions.h"

#include <string.h>

#include "purser/cli/wrapped_text.h"
#include "purser/codec/expr_reference.h"

enum { COLUMN_RESULT = 58, MARGIN = 4 };

static const char introduction[] =
    "An expression stands in ${…}. A value that is one ${…} keeps its type; in a text\n"
    "with more in it, it becomes text. $${ is ${ as text. Text needs quotes, names do\n"
    "not. An expression always ends, reads nothing but the names below and gives the\n"
    "same bytes every time. Unknown names and filters are found when the spec is\n"
    "loaded, wrong values before anything is sent.\n";

/* The result stands in a column of its own, further left when it is long, or on the next line. */
static void append_example(struct buf *out, const struct expr_example *example)
{
    const char *result = strcmp(example->result, "omit") == 0 ? "(missing)" : example->result;
    size_t width = wrapped_text_width(example->expression) + 6;
    size_t room = WRAPPED_TEXT_COLUMNS - 2 - wrapped_text_width(result);
    size_t column = room < COLUMN_RESULT ? room : COLUMN_RESULT;

    buf_append_format(out, "      %s", example->expression);
    if (width >= column) {
        buf_append_byte(out, '\n');
        width = 0;
    }
    buf_append_format(out, "%*s  %s\n", (int)(column - width), "", result);
}

void help_expressions(struct buf *out)
{
    struct expr_reference part;
    const char *group = "";

    buf_append_text(out, introduction);
    buf_append_format(out, "\nThe examples are about this row:\n\n%s\n", expr_reference_row);
    for (size_t i = 0; expr_reference_at(i, &part); i++) {
        if (strcmp(group, part.group) != 0)
            buf_append_format(out, "\n%s\n", part.group);
        group = part.group;
        buf_append_format(out, "\n  %s\n", part.usage);
        buf_append_format(out, "%*s", MARGIN, "");
        wrapped_text_append(out, part.summary, MARGIN, MARGIN);
        for (const struct expr_example *example = part.examples; example->expression != NULL;
             example++)
            append_example(out, example);
    }
}

void help_expressions_document(struct buf *out)
{
    struct expr_reference part;
    const char *group = "";

    buf_append_text(out, introduction);
    buf_append_format(out, "\nThe examples are about this row:\n\n```json\n%s\n```\n",
                      expr_reference_row);
    for (size_t i = 0; expr_reference_at(i, &part); i++) {
        if (strcmp(group, part.group) != 0)
            buf_append_format(out, "\n## %s\n", part.group);
        group = part.group;
        buf_append_format(out, "\n`%s`: %s\n", part.usage, part.summary);
        if (part.examples->expression != NULL)
            buf_append_text(out, "\n```\n");
        for (const struct expr_example *example = part.examples; example->expression != NULL;
             example++)
            buf_append_format(out, "%s  →  %s\n", example->expression,
                              strcmp(example->result, "omit") == 0 ? "(missing)" : example->result);
        if (part.examples->expression != NULL)
            buf_append_text(out, "```\n");
    }
}
