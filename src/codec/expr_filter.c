/* Filters behind a value: their names and arguments, also those of the form x => … */
#include <string.h>

#include "expr_names.h"
#include "expr_parser.h"
#include "filter.h"
#include "purser/core/limits.h"

static bool takes_each(const struct filter *filter)
{
    return filter->run == filter_map || filter->run == filter_where;
}

/* True if the token is a name and => comes behind it. */
static bool is_each(const struct parser *parser)
{
    size_t at = parser->at;

    if (parser->failed || parser->token.kind != TOKEN_NAME)
        return false;
    while (at < parser->text.length && memchr(" \t\r\n", parser->text.bytes[at], 4) != NULL)
        at++;
    return parser->text.length - at >= 2 && memcmp(parser->text.bytes + at, "=>", 2) == 0;
}

bool expr_is_rows(const struct expr *expr)
{
    while (expr->kind == EXPR_FILTER && expr->operation.filter->run == filter_where)
        expr = expr->operation.first;
    return expr->kind == EXPR_ROOT && expr->root == SCOPE_ROWS;
}

/* A name that stands for nothing else yet. */
static bool check_new_name(struct parser *parser, struct slice name)
{
    const struct compile_context *context = parser->context;
    bool is_taken = expr_is_reserved(name);

    for (size_t i = 0; i < context->loop_count; i++)
        is_taken = is_taken || slice_equal(context->loop_names[i], name);
    if (is_taken)
        parser_error(parser, name, "expr.syntax", "take another name for the entry",
                     "'%.*s' is a name already", expr_shown(name), name.bytes);
    else if (context->loop_count >= LOOPS_MAX)
        parser_error(parser, name, "expr.too_deep", "make the lists where the rows come from",
                     "there are too many loops in one another");
    return !parser->failed;
}

/* "x => …": the expression is compiled with a loop variable more. */
static bool parse_each(struct parser *parser, struct expr *expr)
{
    const struct compile_context *outer = parser->context;
    struct compile_context inner = *outer;
    struct slice names[LOOPS_MAX], name = parser->token.source;
    bool is_row[LOOPS_MAX];
    const struct expr *each;

    if (!takes_each(expr->operation.filter))
        parser_error(parser, name, "expr.arguments",
                     "=> stands in map and where: … | map(x => x.amount * 2) | sum",
                     "'%s' does not take =>", expr->operation.filter->name);
    if (parser->failed || !check_new_name(parser, name))
        return false;
    for (size_t i = 0; i < outer->loop_count; i++) {
        names[i] = outer->loop_names[i];
        is_row[i] = outer->loop_is_row != NULL && outer->loop_is_row[i];
    }
    names[outer->loop_count] = name;
    is_row[outer->loop_count] = expr_is_rows(expr->operation.first);
    inner.loop_names = names;
    inner.loop_is_row = is_row;
    inner.loop_count++;
    parser_advance(parser);
    parser_advance(parser);
    parser->context = &inner;
    each = parser_pipe(parser);
    parser->context = outer;
    if (each == NULL)
        return false;
    expr->operation.each = each;
    expr->operation.loop = outer->loop_count;
    parser_put_above(parser, expr, each);
    return !parser->failed;
}

static bool parse_argument(struct parser *parser, struct expr *expr, const struct expr **arguments,
                           size_t count)
{
    struct expr *argument;

    if (is_each(parser))
        return parse_each(parser, expr);
    argument = parser_pipe(parser);
    if (argument == NULL)
        return false;
    if (count < FILTER_ARGUMENTS_MAX) {
        arguments[count] = argument;
        parser_put_above(parser, expr, argument);
    }
    return true;
}

static bool parse_arguments(struct parser *parser, struct expr *expr)
{
    const struct expr **arguments =
        arena_new(parser->context->arena, FILTER_ARGUMENTS_MAX, sizeof *arguments);
    const struct filter *filter = expr->operation.filter;
    struct slice name = parser->token.source;
    size_t count = 0;

    if (arguments == NULL) {
        parser_no_memory(parser);
        return false;
    }
    parser_advance(parser);
    if (parser_accept(parser, TOKEN_OPEN) && !parser_accept(parser, TOKEN_CLOSE)) {
        do {
            if (!parse_argument(parser, expr, arguments, count))
                return false;
            count++;
        } while (parser_accept(parser, TOKEN_COMMA));
        parser_require(parser, TOKEN_CLOSE, "')'");
    }
    if (!parser->failed && (count < filter->arguments_min || count > filter->arguments_max ||
                            (count > 1 && expr->operation.each != NULL)))
        parser_error(parser, name, "expr.arguments", filter->usage,
                     "'%s' does not take %zu argument%s", filter->name, count,
                     count == 1 ? "" : "s");
    else if (filter->run == filter_where && expr->operation.each == NULL)
        parser_error(parser, name, "expr.arguments", filter->usage,
                     "'where' needs a condition for each entry");
    expr->operation.arguments = arguments;
    expr->operation.argument_count = expr->operation.each != NULL ? 0 : count;
    return !parser->failed;
}

/* Arguments that are written out are checked here and now, not when the first row comes by. */
static bool check_arguments(struct parser *parser, const struct expr *expr, struct slice name)
{
    struct eval_error error = {0};
    struct filter_call call = {.expr = expr, .error = &error};

    if (expr == NULL || expr->operation.filter->check == NULL || expr->operation.each != NULL)
        return expr != NULL;
    for (; call.argument_count < expr->operation.argument_count; call.argument_count++) {
        const struct expr *argument = expr->operation.arguments[call.argument_count];

        if (argument->kind != EXPR_LITERAL)
            return true;
        call.arguments[call.argument_count] = argument->literal;
    }
    if (expr->operation.filter->check(&call))
        return true;
    name.length = (size_t)(parser->end_of_previous - name.bytes);
    parser_error(parser, name, "expr.arguments", error.help[0] != '\0' ? error.help : NULL, "%s",
                 error.text);
    return false;
}

struct expr *parser_filter(struct parser *parser, const struct expr *input)
{
    struct slice name = parser->token.source;
    const struct filter *filter;
    struct expr *expr;

    if (parser->token.kind != TOKEN_NAME) {
        parser_expected(parser, "the name of a filter");
        return NULL;
    }
    filter = filter_find(name);
    if (filter == NULL) {
        struct slice names[FILTER_NAMES_MAX];
        size_t count = filter_names(names, FILTER_NAMES_MAX);

        parser_error(parser, name, "expr.unknown_filter",
                     expr_names_help(parser->context->arena, name, "filters", names, count),
                     "unknown filter '%.*s'", (int)name.length, name.bytes);
        return NULL;
    }
    expr = parser_node(parser, EXPR_FILTER);
    if (expr == NULL)
        return NULL;
    expr->operation.first = input;
    expr->operation.filter = filter;
    parser_put_above(parser, expr, input);
    if (!parse_arguments(parser, expr))
        return NULL;
    expr = parser_finish(parser, expr, input->source.bytes);
    return check_arguments(parser, expr, name) ? expr : NULL;
}
