/* The body of a request: a YAML tree with ${…}, $for and $do, rendered straight to JSON text.
 *
 * A plain YAML number keeps its text. A field whose value is OMIT is left out; so is an object
 * entry whose value is missing under when_empty: omit. An empty YAML value (`memo:`) is an error at
 * load time: null is only sent where it is written as such, and then refused, because the API
 * answers 400 to it. Source: help.rutter.com, article 9131427961 (2026-06). */
#ifndef PURSER_CODEC_TEMPLATE_H
#define PURSER_CODEC_TEMPLATE_H

#include "purser/codec/expr.h"

struct body_template;

enum when_empty { WHEN_EMPTY_OMIT, WHEN_EMPTY_NULL, WHEN_EMPTY_ERROR };

/* Compiles a body (a YAML map). Returns NULL after adding messages. */
const struct body_template *body_template_compile(struct arena *arena, const struct yaml_node *node,
                                                  const struct scope *scope,
                                                  enum when_empty when_empty,
                                                  struct diagnostics *diagnostics);

/* Appends the rendered JSON object. With `first_member` (such as "\"response_mode\":\"async\"") the
 * object starts with it. False with *error_out set when a value cannot be rendered; buf->failed
 * tells of memory and size. */
bool body_template_render(const struct body_template *body, const struct environment *environment,
                          const char *first_member, struct buf *buf, struct eval_error *error_out);

#endif
