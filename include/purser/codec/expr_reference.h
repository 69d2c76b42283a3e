/* The language of ${…} for its readers: `purser help expressions` and docs/EXPRESSIONS.md print it.
 *
 * Every example is evaluated by a test, so none can lie. */
#ifndef PURSER_CODEC_EXPR_REFERENCE_H
#define PURSER_CODEC_EXPR_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

/* An expression and what it gives: JSON, or "omit" for a value that is not there. */
struct expr_example {
    const char *expression, *result;
};

/* Something that can be written; its examples end with an empty one. */
struct expr_reference {
    const char *group;   /* entries of one group follow each other */
    const char *usage;   /* how it is written */
    const char *summary; /* what it does, in one sentence */
    const struct expr_example *examples;
};

/* The row, as JSON, that the examples are about. */
extern const char expr_reference_row[];

/* The n-th part of the language, operators first, then filters; false past the end. */
bool expr_reference_at(size_t index, struct expr_reference *reference_out);

#endif
