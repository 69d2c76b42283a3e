/* Compiled expressions, as the files of this module see them.
 *
 * A tree in the spec's arena. It keeps its source text and, through `origin`, the YAML scalar that
 * it stands in, so that a message can be placed when it is needed and costs nothing before. */
#ifndef PURSER_CODEC_EXPR_TREE_H
#define PURSER_CODEC_EXPR_TREE_H

#include "purser/codec/expr.h"

/* Where a text lies in a scalar: the byte at `text_offset` of its value is the byte at
 * `raw_offset` of its source. */
struct expr_origin {
    const struct yaml_node *scalar;
    size_t text_offset, raw_offset;
    bool is_known; /* false: the value is not what its source says; messages get the scalar's place
                    */
};

/* The origin of a scalar's first byte. */
void expr_origin_start(struct expr_origin *origin, const struct yaml_node *scalar);

/* Goes on to the byte at `text_offset`, at or behind where it is. */
void expr_origin_advance(struct expr_origin *origin, size_t text_offset);

/* The place of `text`, a part of the scalar's value at or behind the origin. */
struct place expr_place(const struct expr_origin *origin, struct slice text);

enum expr_kind {
    EXPR_LITERAL,
    EXPR_ROOT,
    EXPR_LOOP,
    EXPR_MEMBER,
    EXPR_INDEX,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR,
    EXPR_COALESCE,
    EXPR_COMPARE,
    EXPR_CALCULATE,
    EXPR_DIVIDE, /* stands under a filter that rounds it, nowhere else */
    EXPR_IF,
    EXPR_FILTER,
};

enum expr_compare {
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_LESS_OR_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_OR_EQUAL
};

struct filter;

struct expr {
    enum expr_kind kind;
    unsigned depth; /* of the tree from here, at least 1 */
    struct slice source;
    const struct expr_origin *origin;
    union {
        struct value literal;
        enum scope_part root;
        size_t loop; /* which of environment.loops */
        struct {
            const struct expr *base;
            struct slice name;
            size_t hint; /* where the column probably is */
        } member;
        struct {
            /* INDEX: list, index. Binary operators: left, right. NOT: the operand.
             * IF: condition, then, else. FILTER: input. */
            const struct expr *first, *second, *third;
            int symbol; /* enum expr_compare or decimal_operator */
            const struct filter *filter;
            const struct expr *const *arguments;
            size_t argument_count;
            /* FILTER: of x => …, evaluated for each entry as the loop variable `loop`. */
            const struct expr *each;
            size_t loop;
        } operation;
    };
};

/* What is known while compiling. */
struct compile_context {
    struct arena *arena;
    const struct scope *scope;
    struct diagnostics *diagnostics;
    /* Loop variables, innermost last; is_row: it runs over `rows`, so its members are columns. */
    const struct slice *loop_names;
    const bool *loop_is_row;
    size_t loop_count;
};

/* Compiles the expression at `*at` of the origin's scalar. With `in_braces` it must end with '}',
 * and *at is then behind that; else it must end with the text. NULL after adding a message; *at is
 * then where it went wrong, and in case of no memory, too. */
const struct expr *expr_compile(const struct compile_context *context,
                                const struct expr_origin *origin, bool in_braces, size_t *at);

/* False with *error_out set. The value may borrow from the environment and its arena. */
bool expr_evaluate(const struct expr *expr, const struct environment *environment,
                   struct value *value_out, struct eval_error *error_out);

/* As expr_evaluate(), for a condition: missing values are false, text and numbers an error. */
enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };
bool expr_condition(const struct expr *expr, const struct environment *environment,
                    enum truth *truth_out, struct eval_error *error_out);

/* Sets *error_out with the place of `expr`; gives false. `help` may be NULL. */
bool expr_fail(const struct expr *expr, struct eval_error *error_out, const char *help,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* How much of `text` a message shows, for "%.*s": at most 60 bytes, whole characters. */
int expr_shown(struct slice text);

/* "text", "a number", "a list" …: what a value is, inside a sentence. */
const char *value_phrase(enum value_kind kind);

/* The text of a scalar value: as written for numbers, true or false. False for other kinds. */
bool value_to_text(const struct value *value, struct slice *text_out);

/* Percent-encodes all but letters, digits, - . _ ~ into the arena; false without memory. Source:
 * RFC 3986 section 2.1 */
bool expr_percent_encode(struct arena *arena, struct slice *text);

struct text_part {
    struct slice literal;
    const struct expr *expr; /* NULL: the literal */
};

struct text_template {
    const struct yaml_node *scalar;
    struct value literal; /* when part_count is 0 */
    const struct text_part *parts;
    size_t part_count;
};

/* text_template_compile() with loop variables. */
const struct text_template *text_template_compile_in(const struct compile_context *context,
                                                     const struct yaml_node *scalar);

/* True for `rows`, or some of them: their members are columns. */
bool expr_is_rows(const struct expr *expr);

/* The words of the language; they cannot be names of loop variables. */
bool expr_is_reserved(struct slice name);

/* True for a name as the language has them: letters, digits, _, not a digit first. */
bool expr_is_name(struct slice name);

#endif
