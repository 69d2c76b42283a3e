/* The manual pages, made of what the program itself knows. */
#ifndef PURSER_TOOLS_MAN_PAGE_H
#define PURSER_TOOLS_MAN_PAGE_H

#include "purser/base/buf.h"
#include "purser/codec/value.h"

/* Appends purser(1): the commands and topics of `purser help`. */
void man_page_program(struct buf *out);

/* Appends purser-spec(5): the keys of the JSON Schema, and the expressions. */
void man_page_spec(const struct value *schema, struct buf *out);

#endif
