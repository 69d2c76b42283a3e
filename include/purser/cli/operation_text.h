/* What is known of an operation, as text: rows of a listing, or prose with a job to paste. */
#ifndef PURSER_CLI_OPERATION_TEXT_H
#define PURSER_CLI_OPERATION_TEXT_H

#include "purser/base/buf.h"
#include "purser/cli/options.h"
#include "purser/core/operation.h"

/* The header of a table or of CSV; nothing for the others. */
void operation_text_begin(enum output_format format, struct buf *out);

/* One operation; JSON rows begin with what parts them from the row before. */
void operation_text_row(const struct operation *operation, enum output_format format, bool is_first,
                        struct buf *out);

/* Everything about one operation, for people. */
void operation_text_explain(const struct operation *operation, struct buf *out);

#endif
