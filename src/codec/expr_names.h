/* Which names there are, and what to say about one that is not there. */
#ifndef PURSER_CODEC_EXPR_NAMES_H
#define PURSER_CODEC_EXPR_NAMES_H

#include "expr_parser.h"

/* The node for a name that opens a path; NULL after a message. `env.NAME` is handled by
 * expr_names_environment(). */
bool expr_names_root(struct parser *parser, struct slice name, struct expr *expr_out);

/* True if `base` has a member `name`, or may have. False after a message. *hint_out is its
 * position among the columns, else 0. */
bool expr_names_member(struct parser *parser, const struct expr *base, struct slice name,
                       struct slice where, size_t *hint_out);

/* "did you mean 'price'? columns: sku, name, price" in the arena; NULL without names or memory. */
const char *expr_names_help(struct arena *arena, struct slice wanted, const char *title,
                            const struct slice *names, size_t count);

#endif
