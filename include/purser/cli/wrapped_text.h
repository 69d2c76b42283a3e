/* Words of help on lines of the width of a terminal. */
#ifndef PURSER_CLI_WRAPPED_TEXT_H
#define PURSER_CLI_WRAPPED_TEXT_H

#include "purser/base/buf.h"

enum { WRAPPED_TEXT_COLUMNS = 80 };

/* Characters of `text`, UTF-8 in which none is wide. */
size_t wrapped_text_width(const char *text);

/* Appends the words of `text`, of which one blank parts two, and a line break at the end. The line
 * that is being written has `column` characters already; those that follow begin with `indent`
 * blanks. A word alone may go past the last column. */
void wrapped_text_append(struct buf *out, const char *text, size_t column, size_t indent);

#endif
