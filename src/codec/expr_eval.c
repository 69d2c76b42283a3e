/* Tree + environment → value. What is unknown absorbs everything but a condition that the other
 * side decides. No memory but the environment's arena; recursion is bounded by
 * EXPRESSION_TREE_DEPTH_MAX. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expr_tree.h"
#include "filter.h"
#include "purser/codec/decimal.h"

const char *value_phrase(enum value_kind kind)
{
    static const char *const phrases[] = {
        [VALUE_OMIT] = "missing",       [VALUE_NULL] = "null",
        [VALUE_BOOL] = "true or false", [VALUE_NUMBER] = "a number",
        [VALUE_STRING] = "text",        [VALUE_LIST] = "a list",
        [VALUE_MAP] = "a map",          [VALUE_UNKNOWN] = "not known yet",
    };

    assert((size_t)kind < sizeof phrases / sizeof *phrases);
    return phrases[kind];
}

static bool starts_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

int expr_shown(struct slice text)
{
    enum { SHOWN_BYTES_MAX = 60 };
    size_t length = SHOWN_BYTES_MAX;

    if (text.length <= length)
        return (int)text.length;
    while (length > 0 && !starts_character(text.bytes[length]))
        length--;
    return (int)length;
}

bool expr_fail(const struct expr *expr, struct eval_error *error_out, const char *help,
               const char *format, ...)
{
    va_list arguments;
    size_t bad;

    error_out->place = expr_place(expr->origin, expr->source);
    if (snprintf(error_out->help, sizeof error_out->help, "%s", help != NULL ? help : "") < 0)
        error_out->help[0] = '\0';
    va_start(arguments, format);
    if (vsnprintf(error_out->text, sizeof error_out->text, format, arguments) < 0)
        error_out->text[0] = '\0';
    va_end(arguments);
    /* What does not fit may have been cut inside a character. */
    if (!text_is_utf8(error_out->text, strlen(error_out->text), &bad))
        error_out->text[bad] = '\0';
    return false;
}

static int shown(const struct expr *expr)
{
    return expr_shown(expr->source);
}

/* Most expressions are a member of the row: the others do not enlarge the frame that it needs. */
#define OUT_OF_LINE __attribute__((noinline))

static bool is_missing(const struct value *value)
{
    return value->kind == VALUE_OMIT || value->kind == VALUE_NULL;
}

bool value_to_text(const struct value *value, struct slice *text_out)
{
    switch (value->kind) {
    case VALUE_STRING:
    case VALUE_NUMBER:
        *text_out = value->text;
        return true;
    case VALUE_BOOL:
        *text_out = value->boolean ? SLICE("true") : SLICE("false");
        return true;
    case VALUE_OMIT:
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_UNKNOWN:
        return false;
    }
    return false;
}

/* True, with the value set, if one of the operands is not known. */
static bool give_unknown(const struct value *left, const struct value *right,
                         struct value *value_out)
{
    if (left->kind != VALUE_UNKNOWN && right->kind != VALUE_UNKNOWN)
        return false;
    *value_out = (struct value){.kind = VALUE_UNKNOWN};
    return true;
}

static const struct value *root_of(enum scope_part root, const struct environment *environment)
{
    static const struct value unknown = {.kind = VALUE_UNKNOWN};

    switch (root) {
    case SCOPE_ROW:
        return environment->row;
    case SCOPE_ROWS:
        return environment->rows;
    case SCOPE_VARS:
        return environment->vars;
    case SCOPE_ITEM:
        return environment->item;
    case SCOPE_RUN:
        return environment->run;
    case SCOPE_RESPONSE:
        return environment->response;
    case SCOPE_BODY:
        return environment->body;
    case SCOPE_NEEDS:
        return environment->needs != NULL ? environment->needs : &unknown;
    case SCOPE_OUTPUTS:
        return environment->outputs;
    case SCOPE_ENV: /* is a literal */
        break;
    }
    return NULL;
}

/* The value of `expr` without a copy where there is one already, else in *storage. NULL after a
 * message. */
static const struct value *borrow(const struct expr *expr, const struct environment *environment,
                                  struct value *storage, struct eval_error *error_out)
{
    static const struct value nothing = {.kind = VALUE_OMIT};
    const struct value *value = NULL;

    if (expr->kind == EXPR_LITERAL)
        return &expr->literal;
    if (expr->kind == EXPR_ROOT) {
        value = root_of(expr->root, environment);
        return value != NULL ? value : &nothing;
    }
    if (expr->kind == EXPR_LOOP) {
        assert(expr->loop < environment->loop_count);
        return &environment->loops[expr->loop];
    }
    return expr_evaluate(expr, environment, storage, error_out) ? storage : NULL;
}

static bool fail_member(const struct expr *expr, const struct value *base,
                        struct eval_error *error_out)
{
    const struct expr *owner = expr->member.base;
    const char *help = base->kind == VALUE_LIST
                           ? "take one of the list: [0], | first, or go through it with $for"
                           : NULL;

    return expr_fail(expr, error_out, help, "%.*s is %s and has no '%.*s'", shown(owner),
                     owner->source.bytes, value_phrase(base->kind), (int)expr->member.name.length,
                     expr->member.name.bytes);
}

static bool evaluate_member(const struct expr *expr, const struct environment *environment,
                            struct value *value_out, struct eval_error *error_out)
{
    size_t hint = expr->member.hint;
    struct value storage;
    const struct value *base = borrow(expr->member.base, environment, &storage, error_out);

    if (base == NULL)
        return false;
    if (base->kind == VALUE_MAP && hint < base->map.count &&
        slice_equal(base->map.names[hint], expr->member.name)) {
        *value_out = base->map.values[hint];
        return true;
    }
    if (base->kind == VALUE_UNKNOWN) {
        *value_out = *base;
        return true;
    }
    if (base->kind != VALUE_MAP && !is_missing(base))
        return fail_member(expr, base, error_out);
    *value_out = value_member(base, expr->member.name);
    return true;
}

OUT_OF_LINE static bool evaluate_index(const struct expr *expr,
                                       const struct environment *environment,
                                       struct value *value_out, struct eval_error *error_out)
{
    struct value base_storage, index_storage;
    const struct value *base = borrow(expr->operation.first, environment, &base_storage, error_out);
    const struct value *index =
        base == NULL ? NULL
                     : borrow(expr->operation.second, environment, &index_storage, error_out);
    int64_t position;

    if (index == NULL)
        return false;
    if (give_unknown(base, index, value_out))
        return true;
    *value_out = (struct value){.kind = VALUE_OMIT};
    if (is_missing(base) || is_missing(index))
        return true;
    if (base->kind == VALUE_MAP && index->kind == VALUE_STRING) {
        *value_out = value_member(base, index->text);
        return true;
    }
    if (base->kind != VALUE_LIST || index->kind != VALUE_NUMBER || !decimal_is_whole(index->text) ||
        decimal_compare(index->text, SLICE("0")) < 0)
        return expr_fail(expr, error_out,
                         "[…] takes the position in a list, from 0, or the name in a map; the last "
                         "entry is … | last",
                         "%.*s is %s: [] with %s does not fit", shown(expr->operation.first),
                         expr->operation.first->source.bytes, value_phrase(base->kind),
                         value_phrase(index->kind));
    if (decimal_to_int64(index->text, &position) && (uint64_t)position < base->list.count)
        *value_out = base->list.items[position];
    return true;
}

/* Missing values are false; only true and false are true or false. */
bool expr_condition(const struct expr *expr, const struct environment *environment,
                    enum truth *truth_out, struct eval_error *error_out)
{
    struct value storage;
    const struct value *value = borrow(expr, environment, &storage, error_out);

    if (value == NULL)
        return false;
    *truth_out = value->kind == VALUE_UNKNOWN                  ? TRUTH_UNKNOWN
                 : value->kind == VALUE_BOOL && value->boolean ? TRUTH_YES
                                                               : TRUTH_NO;
    if (value->kind == VALUE_BOOL || value->kind == VALUE_UNKNOWN || is_missing(value))
        return true;
    return expr_fail(expr, error_out, "compare it (… == \"yes\"), or make it one: … | boolean",
                     "%.*s is %s, not true or false", shown(expr), expr->source.bytes,
                     value_phrase(value->kind));
}

static bool evaluate_logic(const struct expr *expr, const struct environment *environment,
                           struct value *value_out, struct eval_error *error_out)
{
    /* What the first side alone decides. */
    enum truth deciding = expr->kind == EXPR_AND ? TRUTH_NO : TRUTH_YES;
    enum truth first, truth;

    if (!expr_condition(expr->operation.first, environment, &first, error_out))
        return false;
    truth = first;
    if (expr->kind == EXPR_NOT)
        truth = first == TRUTH_UNKNOWN ? first : first == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
    else if (first != deciding &&
             !expr_condition(expr->operation.second, environment, &truth, error_out))
        return false;
    if (expr->kind != EXPR_NOT && first == TRUTH_UNKNOWN && truth != deciding)
        truth = TRUTH_UNKNOWN;
    *value_out = truth == TRUTH_UNKNOWN
                     ? (struct value){.kind = VALUE_UNKNOWN}
                     : (struct value){.kind = VALUE_BOOL, .boolean = truth == TRUTH_YES};
    return true;
}

static int compare_texts(struct slice a, struct slice b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter > 0 ? memcmp(a.bytes, b.bytes, shorter) : 0;

    return order != 0 ? order : a.length < b.length ? -1 : a.length > b.length ? 1 : 0;
}

static bool holds(int symbol, int order)
{
    switch ((enum expr_compare)symbol) {
    case COMPARE_EQUAL:
        return order == 0;
    case COMPARE_UNEQUAL:
        return order != 0;
    case COMPARE_LESS:
        return order < 0;
    case COMPARE_LESS_OR_EQUAL:
        return order <= 0;
    case COMPARE_GREATER:
        return order > 0;
    case COMPARE_GREATER_OR_EQUAL:
        return order >= 0;
    }
    return false;
}

static bool fail_comparison(const struct expr *expr, const struct value *left,
                            const struct value *right, struct eval_error *error_out)
{
    const char *help = NULL;

    if (left->kind != right->kind && (left->kind == VALUE_NUMBER || right->kind == VALUE_NUMBER))
        help = "give the column a type (columns: { NAME: decimal }) or write … | number";
    else if (left->kind != right->kind && (left->kind == VALUE_BOOL || right->kind == VALUE_BOOL))
        help = "give the column a type (columns: { NAME: boolean }) or write … | boolean";
    return expr_fail(expr, error_out, help, "%.*s compares %s with %s", shown(expr),
                     expr->source.bytes, value_phrase(left->kind), value_phrase(right->kind));
}

OUT_OF_LINE static bool evaluate_comparison(const struct expr *expr,
                                            const struct environment *environment,
                                            struct value *value_out, struct eval_error *error_out)
{
    int symbol = expr->operation.symbol, order;
    bool is_equality = symbol == COMPARE_EQUAL || symbol == COMPARE_UNEQUAL;
    struct value left_storage, right_storage;
    const struct value *left = borrow(expr->operation.first, environment, &left_storage, error_out);
    const struct value *right =
        left == NULL ? NULL
                     : borrow(expr->operation.second, environment, &right_storage, error_out);

    if (right == NULL)
        return false;
    if (give_unknown(left, right, value_out))
        return true;
    if (is_missing(left) || is_missing(right)) {
        if (!is_equality)
            return expr_fail(expr, error_out, "say what a missing value counts as: … ?? 0",
                             "%.*s compares with a value that is missing", shown(expr),
                             expr->source.bytes);
        order = is_missing(left) && is_missing(right) ? 0 : 1;
    } else if (left->kind == VALUE_NUMBER && right->kind == VALUE_NUMBER) {
        order = decimal_compare(left->text, right->text);
    } else if (left->kind == VALUE_STRING && right->kind == VALUE_STRING) {
        order = compare_texts(left->text, right->text);
    } else if (left->kind == VALUE_BOOL && right->kind == VALUE_BOOL && is_equality) {
        order = left->boolean == right->boolean ? 0 : 1;
    } else {
        return fail_comparison(expr, left, right, error_out);
    }
    *value_out = (struct value){.kind = VALUE_BOOL, .boolean = holds(symbol, order)};
    return true;
}

static bool evaluate_number(const struct expr *expr, const struct environment *environment,
                            struct value *value_out, struct eval_error *error_out)
{
    if (!expr_evaluate(expr, environment, value_out, error_out))
        return false;
    if (value_out->kind == VALUE_NUMBER || value_out->kind == VALUE_UNKNOWN)
        return true;
    if (is_missing(value_out))
        return expr_fail(expr, error_out, "say what a missing value counts as: … ?? 0",
                         "%.*s is missing", shown(expr), expr->source.bytes);
    return expr_fail(
        expr, error_out, "give the column a type (columns: { NAME: decimal }) or write … | number",
        "%.*s is %s, not a number", shown(expr), expr->source.bytes, value_phrase(value_out->kind));
}

OUT_OF_LINE static bool evaluate_calculation(const struct expr *expr,
                                             const struct environment *environment,
                                             struct value *value_out, struct eval_error *error_out)
{
    struct value left, right, result = {.kind = VALUE_NUMBER};

    if (!evaluate_number(expr->operation.first, environment, &left, error_out) ||
        !evaluate_number(expr->operation.second, environment, &right, error_out))
        return false;
    if (give_unknown(&left, &right, value_out))
        return true;
    switch (decimal_calculate(environment->arena, (enum decimal_operator)expr->operation.symbol,
                              left.text, right.text, &result.text)) {
    case DECIMAL_OK:
        *value_out = result;
        return true;
    case DECIMAL_OVERFLOW:
        return expr_fail(expr, error_out, "use fewer digits: … | round(10)",
                         "%.*s needs more than 38 digits", shown(expr), expr->source.bytes);
    case DECIMAL_DIVISION_BY_ZERO:
    case DECIMAL_NO_MEMORY:
        break;
    }
    return expr_fail(expr, error_out, NULL, "out of memory");
}

OUT_OF_LINE static bool evaluate_filter(const struct expr *expr,
                                        const struct environment *environment,
                                        struct value *value_out, struct eval_error *error_out)
{
    struct filter_call call = {
        .expr = expr,
        .environment = environment,
        .error = error_out,
        .argument_count = expr->operation.argument_count,
        .out = value_out,
    };
    const struct expr *input = expr->operation.first;
    struct value divisor;

    if (input->kind == EXPR_DIVIDE) {
        if (!evaluate_number(input->operation.first, environment, &call.input, error_out) ||
            !evaluate_number(input->operation.second, environment, &divisor, error_out))
            return false;
        call.divisor = &divisor;
    } else if (!expr_evaluate(input, environment, &call.input, error_out)) {
        return false;
    }
    for (size_t i = 0; i < call.argument_count; i++)
        if (!expr_evaluate(expr->operation.arguments[i], environment, &call.arguments[i],
                           error_out))
            return false;
    if (call.divisor != NULL && give_unknown(&call.input, call.divisor, value_out))
        return true;
    for (size_t i = 0; i <= call.argument_count; i++)
        if (give_unknown(&call.input, i > 0 ? &call.arguments[i - 1] : &call.input, value_out))
            return true;
    return filter_run(&call);
}

OUT_OF_LINE static bool evaluate_choice(const struct expr *expr,
                                        const struct environment *environment,
                                        struct value *value_out, struct eval_error *error_out)
{
    enum truth truth;

    if (expr->kind == EXPR_IF) {
        if (!expr_condition(expr->operation.first, environment, &truth, error_out))
            return false;
        *value_out = (struct value){.kind = VALUE_UNKNOWN};
        if (truth == TRUTH_UNKNOWN)
            return true;
        return expr_evaluate(truth == TRUTH_YES ? expr->operation.second : expr->operation.third,
                             environment, value_out, error_out);
    }
    if (!expr_evaluate(expr->operation.first, environment, value_out, error_out))
        return false;
    return !is_missing(value_out) ||
           expr_evaluate(expr->operation.second, environment, value_out, error_out);
}

bool expr_evaluate(const struct expr *expr, const struct environment *environment,
                   struct value *value_out, struct eval_error *error_out)
{
    const struct value *value;

    switch (expr->kind) {
    case EXPR_LITERAL:
    case EXPR_ROOT:
    case EXPR_LOOP:
        value = borrow(expr, environment, value_out, error_out);
        *value_out = *value;
        return true;
    case EXPR_MEMBER:
        return evaluate_member(expr, environment, value_out, error_out);
    case EXPR_INDEX:
        return evaluate_index(expr, environment, value_out, error_out);
    case EXPR_NOT:
    case EXPR_AND:
    case EXPR_OR:
        return evaluate_logic(expr, environment, value_out, error_out);
    case EXPR_COALESCE:
    case EXPR_IF:
        return evaluate_choice(expr, environment, value_out, error_out);
    case EXPR_COMPARE:
        return evaluate_comparison(expr, environment, value_out, error_out);
    case EXPR_CALCULATE:
        return evaluate_calculation(expr, environment, value_out, error_out);
    case EXPR_DIVIDE: /* done by the filter above it; the compiler refuses any other */
        break;
    case EXPR_FILTER:
        return evaluate_filter(expr, environment, value_out, error_out);
    }
    assert(false);
    return false;
}
