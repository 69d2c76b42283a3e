/* Tokens, the parser's state and its steps; shared by the files that make a tree of a text:
 * expr_lex.c (tokens), expr_term.c (terms), expr_filter.c (filters) and expr_parse.c (operators).
 *
 * A step that gives a node gives NULL after a message, and takes NULL for a part that failed. */
#ifndef PURSER_CODEC_EXPR_PARSER_H
#define PURSER_CODEC_EXPR_PARSER_H

#include "expr_tree.h"

enum token_kind {
    TOKEN_END, /* of the text */
    TOKEN_CLOSE_BRACE,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_OPEN_BRACKET,
    TOKEN_CLOSE_BRACKET,
    TOKEN_PIPE,
    TOKEN_ARROW,
    TOKEN_COALESCE,
    TOKEN_EQUAL,
    TOKEN_UNEQUAL,
    TOKEN_LESS,
    TOKEN_LESS_OR_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_OR_EQUAL,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_DIVIDE,
};

struct token {
    enum token_kind kind;
    struct slice source; /* as written */
    struct slice text;   /* STRING: what it means */
};

struct parser {
    const struct compile_context *context;
    const struct expr_origin *origin;
    struct slice text; /* the whole value of the scalar */
    size_t at;         /* behind `token` */
    struct token token;
    const char *end_of_previous; /* behind the token before `token` */
    unsigned depth;
    bool failed; /* a message was added; the rest is not looked at */
};

/* Reads the next token into parser->token. After an error it is TOKEN_END. */
void parser_advance(struct parser *parser);

/* Adds a message about `where`, the first one of an expression only; the parser has then failed.
 * `help` may be NULL. */
void parser_error(struct parser *parser, struct slice where, const char *code, const char *help,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Says that there is no memory; the parser has then failed. */
void parser_no_memory(struct parser *parser);

/* Goes past a token of this kind; false when there is another one. */
bool parser_accept(struct parser *parser, enum token_kind kind);

/* As accept, but another token is an error: "WHAT is missing before …". */
bool parser_require(struct parser *parser, enum token_kind kind, const char *what);
void parser_expected(struct parser *parser, const char *what);

/* A new node, which parser_finish() closes: its source runs from `start` to the last token taken.
 */
struct expr *parser_node(struct parser *parser, enum expr_kind kind);
struct expr *parser_finish(struct parser *parser, struct expr *expr, const char *start);

/* Makes `expr` at least one deeper than `child`, which is one of its parts. A quotient can be a
 * part of the filter that rounds it only: a message. */
void parser_put_above(struct parser *parser, struct expr *expr, const struct expr *child);

/* Whole nodes, closed. */
struct expr *parser_literal(struct parser *parser, struct value value, const char *start);
struct expr *parser_binary(struct parser *parser, enum expr_kind kind, int symbol,
                           const struct expr *left, const struct expr *right);

/* expr_term.c: a term with its .members and [indexes]. */
struct expr *parser_path(struct parser *parser);

/* expr_filter.c: the filter behind `input`, from its name on. */
struct expr *parser_filter(struct parser *parser, const struct expr *input);

/* expr_parse.c: a whole expression. */
struct expr *parser_pipe(struct parser *parser);

#endif
