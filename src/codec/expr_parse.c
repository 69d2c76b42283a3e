/* Tokens → tree, by recursive descent: one function a level of precedence. A function gives NULL
 * after a message. */
#include <stdio.h>

#include "expr_names.h"
#include "expr_parser.h"
#include "filter.h"
#include "purser/codec/decimal.h"
#include "purser/core/limits.h"

bool parser_accept(struct parser *parser, enum token_kind kind)
{
    if (parser->failed || parser->token.kind != kind)
        return false;
    parser_advance(parser);
    return !parser->failed;
}

static bool is_word(const struct parser *parser, const char *word)
{
    return !parser->failed && parser->token.kind == TOKEN_NAME &&
           slice_is(parser->token.source, word);
}

void parser_expected(struct parser *parser, const char *what)
{
    static const char help[] = "as in ${row.price * 2} or ${row.name | upper}";
    struct slice found = parser->token.source;

    if (parser->token.kind == TOKEN_END)
        parser_error(parser, found, "expr.syntax", help, "%s is missing at the end", what);
    else
        parser_error(parser, found, "expr.syntax", help, "%s is missing before '%.*s'", what,
                     (int)found.length, found.bytes);
}

bool parser_require(struct parser *parser, enum token_kind kind, const char *what)
{
    if (parser->failed)
        return false;
    if (parser->token.kind != kind) {
        parser_expected(parser, what);
        return false;
    }
    parser_advance(parser);
    return !parser->failed;
}

struct expr *parser_finish(struct parser *parser, struct expr *expr, const char *start)
{
    if (expr == NULL || parser->failed)
        return NULL;
    expr->source = (struct slice){start, (size_t)(parser->end_of_previous - start)};
    expr->origin = parser->origin;
    if (expr->depth <= EXPRESSION_TREE_DEPTH_MAX)
        return expr;
    parser_error(parser, expr->source, "expr.too_deep", "split it up with vars",
                 "more than %d operators and filters in a row", EXPRESSION_TREE_DEPTH_MAX);
    return NULL;
}

struct expr *parser_node(struct parser *parser, enum expr_kind kind)
{
    struct expr *expr = parser->failed ? NULL : arena_new(parser->context->arena, 1, sizeof *expr);

    if (expr == NULL) {
        parser_no_memory(parser);
        return NULL;
    }
    expr->kind = kind;
    expr->depth = 1;
    return expr;
}

/* 1 / 3 has no last digit: how many of them are kept, and how, must be said. */
static void refuse_quotient(struct parser *parser, const struct expr *quotient)
{
    char help[160];

    snprintf(help, sizeof help,
             "write (%.*s) | round(2), and divide last: (a * 100 / b) | round(2)",
             expr_shown(quotient->source), quotient->source.bytes);
    parser_error(parser, quotient->source, "expr.division", help,
                 "a quotient must be rounded, for its digits may never end");
}

void parser_put_above(struct parser *parser, struct expr *expr, const struct expr *child)
{
    bool is_rounded = expr->kind == EXPR_FILTER && child == expr->operation.first &&
                      expr->operation.filter->run == filter_round;

    if (child->depth >= expr->depth)
        expr->depth = child->depth + 1;
    if (child->kind == EXPR_DIVIDE && !is_rounded)
        refuse_quotient(parser, child);
}

struct expr *parser_binary(struct parser *parser, enum expr_kind kind, int symbol,
                           const struct expr *left, const struct expr *right)
{
    struct expr *expr;

    if (left == NULL || right == NULL)
        return NULL;
    expr = parser_node(parser, kind);
    if (expr == NULL)
        return NULL;
    expr->operation.first = left;
    expr->operation.second = right;
    expr->operation.symbol = symbol;
    parser_put_above(parser, expr, left);
    parser_put_above(parser, expr, right);
    return parser_finish(parser, expr, left->source.bytes);
}

struct expr *parser_literal(struct parser *parser, struct value value, const char *start)
{
    struct expr *expr = parser_node(parser, EXPR_LITERAL);

    if (expr != NULL)
        expr->literal = value;
    return parser_finish(parser, expr, start);
}

static struct expr *parse_unary(struct parser *parser)
{
    static const struct value zero = {.kind = VALUE_NUMBER, .text = {"0", 1}};
    struct slice minus = parser->token.source;
    struct expr *operand, *left;

    if (!parser_accept(parser, TOKEN_MINUS))
        return parser_path(parser);
    if (parser->token.kind == TOKEN_MINUS) {
        parser_expected(parser, "a value");
        return NULL;
    }
    if (parser->token.kind == TOKEN_NUMBER &&
        parser->token.source.bytes == minus.bytes + minus.length) {
        minus.length += parser->token.source.length;
        parser->token.source = minus;
        return parser_path(parser);
    }
    operand = parser_path(parser);
    left = operand == NULL ? NULL : parser_literal(parser, zero, minus.bytes);
    return parser_binary(parser, EXPR_CALCULATE, DECIMAL_SUBTRACT, left, operand);
}

static struct expr *parse_product(struct parser *parser)
{
    struct expr *left = parse_unary(parser);

    while (left != NULL && !parser->failed) {
        if (parser_accept(parser, TOKEN_TIMES))
            left =
                parser_binary(parser, EXPR_CALCULATE, DECIMAL_MULTIPLY, left, parse_unary(parser));
        else if (parser_accept(parser, TOKEN_DIVIDE))
            left = parser_binary(parser, EXPR_DIVIDE, 0, left, parse_unary(parser));
        else
            break;
    }
    return parser->failed ? NULL : left;
}

static struct expr *parse_sum(struct parser *parser)
{
    struct expr *left = parse_product(parser);

    while (left != NULL && !parser->failed) {
        if (parser_accept(parser, TOKEN_PLUS))
            left = parser_binary(parser, EXPR_CALCULATE, DECIMAL_ADD, left, parse_product(parser));
        else if (parser_accept(parser, TOKEN_MINUS))
            left = parser_binary(parser, EXPR_CALCULATE, DECIMAL_SUBTRACT, left,
                                 parse_product(parser));
        else
            break;
    }
    return parser->failed ? NULL : left;
}

static bool comparison_of(enum token_kind kind, int *symbol_out)
{
    static const struct {
        enum token_kind kind;
        enum expr_compare symbol;
    } comparisons[] = {
        {TOKEN_EQUAL, COMPARE_EQUAL},     {TOKEN_UNEQUAL, COMPARE_UNEQUAL},
        {TOKEN_LESS, COMPARE_LESS},       {TOKEN_LESS_OR_EQUAL, COMPARE_LESS_OR_EQUAL},
        {TOKEN_GREATER, COMPARE_GREATER}, {TOKEN_GREATER_OR_EQUAL, COMPARE_GREATER_OR_EQUAL},
    };

    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (comparisons[i].kind == kind) {
            *symbol_out = (int)comparisons[i].symbol;
            return true;
        }
    return false;
}

static struct expr *parse_comparison(struct parser *parser)
{
    struct expr *left = parse_sum(parser);
    int symbol;

    if (left == NULL || !comparison_of(parser->token.kind, &symbol))
        return left;
    parser_advance(parser);
    left = parser_binary(parser, EXPR_COMPARE, symbol, left, parse_sum(parser));
    if (left != NULL && comparison_of(parser->token.kind, &symbol))
        parser_error(parser, parser->token.source, "expr.syntax", "write a < b and b < c",
                     "comparisons cannot stand in a row");
    return parser->failed ? NULL : left;
}

static struct expr *parse_not(struct parser *parser)
{
    const char *first = parser->token.source.bytes;
    unsigned count = 0;
    struct expr *expr;

    for (; is_word(parser, "not"); count++)
        parser_advance(parser);
    expr = parse_comparison(parser);
    if (expr == NULL || count == 0)
        return expr;
    /* An even number of them still makes true or false of the value. */
    for (count = count % 2 == 0 ? 2 : 1; count > 0 && expr != NULL; count--) {
        struct expr *inverted = parser_node(parser, EXPR_NOT);

        if (inverted == NULL)
            return NULL;
        inverted->operation.first = expr;
        parser_put_above(parser, inverted, expr);
        expr = parser_finish(parser, inverted, first);
    }
    return expr;
}

static struct expr *parse_and(struct parser *parser)
{
    struct expr *left = parse_not(parser);

    while (left != NULL && is_word(parser, "and")) {
        parser_advance(parser);
        left = parser_binary(parser, EXPR_AND, 0, left, parse_not(parser));
    }
    return left;
}

static struct expr *parse_or(struct parser *parser)
{
    struct expr *left = parse_and(parser);

    while (left != NULL && is_word(parser, "or")) {
        parser_advance(parser);
        left = parser_binary(parser, EXPR_OR, 0, left, parse_and(parser));
    }
    return left;
}

static struct expr *parse_coalesce(struct parser *parser)
{
    struct expr *left = parse_or(parser);

    while (left != NULL && parser_accept(parser, TOKEN_COALESCE))
        left = parser_binary(parser, EXPR_COALESCE, 0, left, parse_or(parser));
    return parser->failed ? NULL : left;
}

struct expr *parser_pipe(struct parser *parser)
{
    struct expr *expr;

    if (parser->failed)
        return NULL;
    if (++parser->depth > EXPRESSION_DEPTH_MAX) {
        parser_error(parser, parser->token.source, "expr.too_deep", "split it up with vars",
                     "more than %d parentheses in one another", EXPRESSION_DEPTH_MAX);
        return NULL;
    }
    expr = parse_coalesce(parser);
    while (expr != NULL && parser_accept(parser, TOKEN_PIPE))
        expr = parser_filter(parser, expr);
    parser->depth--;
    return parser->failed ? NULL : expr;
}

const struct expr *expr_compile(const struct compile_context *context,
                                const struct expr_origin *origin, bool in_braces, size_t *at)
{
    struct parser parser = {
        .context = context, .origin = origin, .text = origin->scalar->text, .at = *at};
    struct expr *expr;

    parser_advance(&parser);
    expr = parser_pipe(&parser);
    if (!parser.failed && expr->kind == EXPR_DIVIDE)
        refuse_quotient(&parser, expr);
    if (!parser.failed && in_braces && parser.token.kind == TOKEN_END)
        parser_error(&parser, (struct slice){parser.text.bytes + origin->text_offset, 2},
                     "expr.syntax", "a text ${ that is no expression is written $${",
                     "this ${ has no }");
    else if (!parser.failed && parser.token.kind != (in_braces ? TOKEN_CLOSE_BRACE : TOKEN_END))
        parser_error(&parser, parser.token.source, "expr.syntax",
                     parser.token.kind == TOKEN_ARROW
                         ? ">= compares; => stands in map(x => …) and where(x => …)"
                     : parser.token.kind >= TOKEN_COALESCE
                         ? "to go on behind a filter, put it in parentheses: (value | filter) > 0"
                         : NULL,
                     "'%.*s' is not expected here", (int)parser.token.source.length,
                     parser.token.source.bytes);
    *at = parser.failed ? (size_t)(parser.token.source.bytes - parser.text.bytes) : parser.at;
    return parser.failed ? NULL : expr;
}
