/* Text as it stands in a manual page.
 * Source: groff_man(7) of groff 1.22, mandoc's roff(7). */
#ifndef PURSER_TOOLS_MAN_TEXT_H
#define PURSER_TOOLS_MAN_TEXT_H

#include "purser/base/buf.h"
#include "purser/base/text.h"

/* Appends the text so that it is shown as it is: nothing in it is a request or an escape. */
void man_append(struct buf *out, struct slice text);

/* Appends a request with the text as its only argument: .SH "TEXT" */
void man_request(struct buf *out, const char *request, const char *text);

/* Appends a paragraph; its words are filled into lines. */
void man_paragraph(struct buf *out, struct slice text);

/* Appends lines that stay as they are. */
void man_lines(struct buf *out, struct slice lines);

/* Appends an entry of a list of terms: the term in bold, its text below. */
void man_term(struct buf *out, struct slice term, struct slice text);

/* Appends the text of a help: lines that begin in the first column are paragraphs, indented ones
 * stay as they are, and those of the form "  --option   text" become terms. */
void man_help(struct buf *out, const char *help);

#endif
