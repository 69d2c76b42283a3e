/* The body of a request: a YAML tree with ${…}, $for and $do, rendered straight to JSON text.
 *
 * A plain YAML number keeps its text. What a missing value does to the field that holds it is said
 * by when_empty: WHEN_EMPTY_OMIT leaves the field out, WHEN_EMPTY_NULL sends null, WHEN_EMPTY_ERROR
 * is an error. The word `omit` always leaves it out. A null in the data is an error except under
 * WHEN_EMPTY_NULL: nobody may erase data, or be refused, without having said so. An empty YAML
 * value (`memo:`) is an error at load time, and so is a null that is written there, because the API
 * answers 400 to it. Source: help.rutter.com, article 9131427961 (2026-06).
 *
 * The same goes for the entries of a list. An object or a list whose entries were all left out is
 * left out too, so that a row without an address sends none instead of an empty one; one written
 * as {} or [] stays, and so does the body itself. `$for: NAME in EXPRESSION` with `$do: …` gives a
 * list with one entry for each of the expression's list, [] for an empty one; a missing list is a
 * missing value. NAME must be new. */
#ifndef PURSER_CODEC_TEMPLATE_H
#define PURSER_CODEC_TEMPLATE_H

#include "purser/codec/expr.h"

struct body_template;

enum when_empty { WHEN_EMPTY_OMIT, WHEN_EMPTY_NULL, WHEN_EMPTY_ERROR };

/* Compiles a body (a YAML map). Returns NULL after adding messages. */
struct body_template *body_template_compile(struct arena *arena, const struct yaml_node *node,
                                            const struct scope *scope, enum when_empty when_empty,
                                            struct diagnostics *diagnostics);

/* Says that the object under `wrapper` ("" = the body itself) must have the members `names` (ends
 * with NULL; outlives the body). Those that the body cannot have become messages of `severity`, in
 * which `what` is the request; body_template_render() tells of those that a row leaves out. */
void body_template_require(struct body_template *body, const char *wrapper,
                           const char *const *names, const char *what, enum diag_severity severity,
                           struct diagnostics *diagnostics);

/* Appends the rendered JSON object. With `first_member` (such as "\"response_mode\":\"async\"") the
 * object starts with it. False with *error_out set when a value cannot be rendered; buf->failed
 * tells of memory and size. True with error_out->text set when it is rendered and lacks a member
 * that is required. */
bool body_template_render(const struct body_template *body, const struct environment *environment,
                          const char *first_member, struct buf *buf, struct eval_error *error_out);

#endif
