/* Prints the language of ${…} as Markdown, from what `purser help expressions` prints from.
 * --check FILE and --update FILE: see marked_text.h. */
#include "marked_text.h"
#include "purser/cli/help_expressions.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

int main(int argc, char **argv)
{
    struct buf text;
    int status;

    buf_init(&text, TEXT_BYTES_MAX);
    help_expressions_document(&text);
    status = marked_text_main(argc, argv, "expressions-table",
                              (struct slice){buf_text(&text), text.length});
    buf_deinit(&text);
    return status;
}
