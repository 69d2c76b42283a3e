/* Prints the codes of messages as Markdown, from the table that `purser help CODE` prints from.
 * --check FILE and --update FILE: see marked_text.h. */
#include "marked_text.h"
#include "purser/cli/message_code.h"

enum { TEXT_BYTES_MAX = 1024 * 1024 };

int main(int argc, char **argv)
{
    struct buf text;
    int status;

    buf_init(&text, TEXT_BYTES_MAX);
    message_code_document(&text);
    status = marked_text_main(argc, argv, "messages-table",
                              (struct slice){buf_text(&text), text.length});
    buf_deinit(&text);
    return status;
}
