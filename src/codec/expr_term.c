/* Terms: what stands between two operators. Literals, names, paths, if(…) and parentheses. */
#include <stdlib.h>
#include <string.h>

#include "expr_names.h"
#include "expr_parser.h"
#include "filter.h"

/* Takes the token and gives its value as a node. */
static struct expr *take_literal(struct parser *parser, struct value value)
{
    const char *start = parser->token.source.bytes;

    parser_advance(parser);
    return parser_literal(parser, value, start);
}

static struct expr *parse_if(struct parser *parser)
{
    const char *start = parser->token.source.bytes;
    struct expr *condition, *then, *otherwise, *expr;

    parser_advance(parser);
    parser_require(parser, TOKEN_OPEN, "'('");
    condition = parser_pipe(parser);
    parser_require(parser, TOKEN_COMMA, "','");
    then = parser_pipe(parser);
    if (!parser->failed && parser->token.kind == TOKEN_CLOSE)
        parser_error(parser, parser->token.source, "expr.syntax",
                     "if(condition, then, else): write omit to leave the field out",
                     "if needs a value for 'else'");
    parser_require(parser, TOKEN_COMMA, "','");
    otherwise = parser_pipe(parser);
    parser_require(parser, TOKEN_CLOSE, "')'");
    expr = parser_node(parser, EXPR_IF);
    if (expr == NULL || condition == NULL || then == NULL || otherwise == NULL)
        return NULL;
    expr->operation.first = condition;
    expr->operation.second = then;
    expr->operation.third = otherwise;
    parser_put_above(parser, expr, condition);
    parser_put_above(parser, expr, then);
    parser_put_above(parser, expr, otherwise);
    return parser_finish(parser, expr, start);
}

/* env.NAME is read here and now: an expression must give the same value every time. */
static struct expr *parse_environment(struct parser *parser)
{
    const char *start = parser->token.source.bytes, *name, *text;
    struct expr probe = {0};
    struct value value = {.kind = VALUE_OMIT};

    if (!expr_names_root(parser, parser->token.source, &probe))
        return NULL;
    parser_advance(parser);
    parser_require(parser, TOKEN_DOT, "'.' and the name of an environment variable");
    if (!parser->failed && parser->token.kind != TOKEN_NAME)
        parser_expected(parser, "the name of an environment variable");
    if (parser->failed)
        return NULL;
    name = arena_copy_text(parser->context->arena, parser->token.source.bytes,
                           parser->token.source.length);
    text = name != NULL ? getenv(name) : NULL;
    if (text != NULL) {
        value = (struct value){.kind = VALUE_STRING, .text.length = strlen(text)};
        value.text.bytes = arena_copy_text(parser->context->arena, text, value.text.length);
    }
    if (name == NULL || (text != NULL && value.text.bytes == NULL)) {
        parser_no_memory(parser);
        return NULL;
    }
    parser_advance(parser);
    return parser_literal(parser, value, start);
}

static struct expr *parse_name(struct parser *parser)
{
    static const struct {
        const char *word;
        struct value value;
    } literals[] = {
        {"true", {.kind = VALUE_BOOL, .boolean = true}},
        {"false", {.kind = VALUE_BOOL}},
        {"null", {.kind = VALUE_NULL}},
        {"omit", {.kind = VALUE_OMIT, .boolean = true}},
    };
    struct slice name = parser->token.source;
    struct expr *expr;

    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
        if (slice_is(name, literals[i].word))
            return take_literal(parser, literals[i].value);
    if (slice_is(name, "if"))
        return parse_if(parser);
    if (slice_is(name, "env"))
        return parse_environment(parser);
    if (slice_is(name, "and") || slice_is(name, "or")) {
        parser_expected(parser, "a value");
        return NULL;
    }
    if (parser->at < parser->text.length && parser->text.bytes[parser->at] == '(') {
        parser_error(parser, name, "expr.syntax",
                     filter_find(name) != NULL ? "filters are written behind a value: value | name"
                                               : "the only function is if(condition, then, else)",
                     "there is no function '%.*s'", (int)name.length, name.bytes);
        return NULL;
    }
    expr = parser_node(parser, EXPR_ROOT);
    if (expr == NULL || !expr_names_root(parser, name, expr))
        return NULL;
    parser_advance(parser);
    return parser_finish(parser, expr, name.bytes);
}

static struct expr *parse_primary(struct parser *parser)
{
    struct token token = parser->token;
    struct expr *inner;

    if (parser->failed)
        return NULL;
    if (token.kind == TOKEN_NUMBER)
        return take_literal(parser, (struct value){.kind = VALUE_NUMBER, .text = token.source});
    if (token.kind == TOKEN_STRING)
        return take_literal(parser, (struct value){.kind = VALUE_STRING, .text = token.text});
    if (token.kind == TOKEN_NAME)
        return parse_name(parser);
    if (token.kind != TOKEN_OPEN) {
        parser_expected(parser, "a value");
        return NULL;
    }
    parser_advance(parser);
    inner = parser_pipe(parser);
    parser_require(parser, TOKEN_CLOSE, "')'");
    return parser_finish(parser, inner, token.source.bytes);
}

static struct expr *new_member(struct parser *parser, const struct expr *base, struct slice name,
                               struct slice where)
{
    struct expr *expr;
    size_t hint;

    if (parser->failed || !expr_names_member(parser, base, name, where, &hint))
        return NULL;
    expr = parser_node(parser, EXPR_MEMBER);
    if (expr == NULL)
        return NULL;
    expr->member.base = base;
    expr->member.name = name;
    expr->member.hint = hint;
    parser_put_above(parser, expr, base);
    return expr;
}

static struct expr *parse_index(struct parser *parser, const struct expr *base)
{
    struct expr *index = parser_pipe(parser), *expr;

    if (index != NULL && index->kind == EXPR_LITERAL && index->literal.kind == VALUE_STRING) {
        expr = new_member(parser, base, index->literal.text, index->source);
    } else {
        expr = index == NULL ? NULL : parser_binary(parser, EXPR_INDEX, 0, base, index);
    }
    parser_require(parser, TOKEN_CLOSE_BRACKET, "']'");
    return parser_finish(parser, expr, base->source.bytes);
}

struct expr *parser_path(struct parser *parser)
{
    struct expr *expr = parse_primary(parser);

    while (expr != NULL && !parser->failed) {
        const char *start = expr->source.bytes;

        if (parser_accept(parser, TOKEN_DOT)) {
            struct slice name = parser->token.source;

            if (parser->token.kind != TOKEN_NAME) {
                parser_expected(parser, "a name");
                return NULL;
            }
            expr = new_member(parser, expr, name, name);
            parser_advance(parser);
            expr = parser_finish(parser, expr, start);
        } else if (parser_accept(parser, TOKEN_OPEN_BRACKET)) {
            expr = parse_index(parser, expr);
        } else {
            break;
        }
    }
    return parser->failed ? NULL : expr;
}
