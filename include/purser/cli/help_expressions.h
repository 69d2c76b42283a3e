/* The language of ${…}, as `purser help expressions` and docs/EXPRESSIONS.md tell of it. */
#ifndef PURSER_CLI_HELP_EXPRESSIONS_H
#define PURSER_CLI_HELP_EXPRESSIONS_H

#include "purser/base/buf.h"

/* Appends the text for a terminal. */
void help_expressions(struct buf *out);

/* Appends the same as Markdown. */
void help_expressions_document(struct buf *out);

#endif
