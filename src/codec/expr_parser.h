/* Tokens and the parser's state; shared by the two files that make a tree of a text. */
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

#endif
