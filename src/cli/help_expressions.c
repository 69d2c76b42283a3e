#include "purser/cli/help_expressions.h"

#include <string.h>

#include "purser/base/text.h"
#include "purser/codec/expr_reference.h"

enum { COLUMN_RESULT = 58, COLUMNS = 96 };

static const char introduction[] =
    "An expression stands in ${…}. A value that is one ${…} keeps its type; in a text with more "
    "in\n"
    "it, it becomes text. $${ is ${ as text. Text needs quotes, names do not. An expression "
    "always\n"
    "ends, reads nothing but the names below and gives the same bytes every time. Unknown names "
    "and\n"
    "filters are found when the spec is loaded, wrong values before anything is sent.\n";

/* Characters, of which none here is wide. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Words on lines of at most COLUMNS, each with four blanks in front. */
static void append_wrapped(struct buf *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");

        if (column + 1 + (size_t)length > COLUMNS || column == 0) {
            buf_append_text(out, column == 0 ? "    " : "\n    ");
            column = 4;
        } else {
            buf_append_byte(out, ' ');
            column++;
        }
        buf_append_format(out, "%.*s", length, text);
        column += (size_t)length;
        text += length;
        text += *text == ' ';
    }
    buf_append_byte(out, '\n');
}

static void append_example(struct buf *out, const struct expr_example *example)
{
    size_t width = width_of(example->expression) + 6;

    buf_append_format(out, "      %s", example->expression);
    if (width >= COLUMN_RESULT) {
        buf_append_text(out, "\n");
        width = 0;
    }
    for (; width < COLUMN_RESULT; width++)
        buf_append_byte(out, ' ');
    buf_append_format(out, "  %s\n",
                      strcmp(example->result, "omit") == 0 ? "(missing)" : example->result);
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
        append_wrapped(out, part.summary);
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
