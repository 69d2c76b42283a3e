/* The expressions in ${…}: compiled once a spec, evaluated once a row.
 *
 * Grammar: expr = pipe; pipe = coalesce ("|" filter ["(" args ")"])*; args = expr ("," expr)* or
 * name "=>" expr, which is evaluated for each entry of a list; coalesce = or ("??" or)*; or, and,
 * not; == != < <= > >=; + - * /; path = name ("." name | "[" expr "]")*; literals "text" 'text'
 * 1.5 true false null omit; if(c, a, b). Total: it always ends, does no I/O, and gives the same
 * bytes every time.
 *
 * What is there and what is not: a path whose member does not exist gives OMIT; a member of
 * text, a number or a list is an error. `??` takes the right side when the left is OMIT or NULL.
 * Missing values pass through filters (all but `default`), count as false in a condition, are equal
 * to `null`, `omit` and each other only, and are an error in < > + - * /. A condition takes nothing
 * but true, false and missing values: the text "false" is an error, not true.
 *
 * Numbers are compared and calculated in decimal, exactly; a result of more than 38 digits is an
 * error. A quotient is the input of the filter round and stands nowhere else: it is rounded once,
 * as it is divided; by zero is an error. Text is not turned into a number by itself: comparing the
 * two is an error. row["Unit price"] is the column whose name is no name of the language. env.NAME
 * is read while compiling. Filters are listed in filter.c. */
#ifndef PURSER_CODEC_EXPR_H
#define PURSER_CODEC_EXPR_H

#include "purser/codec/value.h"
#include "purser/codec/yaml.h"

struct expr; /* lives in the spec's arena */

/* A text with ${…} in it, or a single ${…} that keeps its type. */
struct text_template;

/* What a name may be, decided at load time: unknown names are errors with a place. */
enum scope_part {
    SCOPE_ROW = 1 << 0,      /* row.COLUMN, row alone */
    SCOPE_ROWS = 1 << 1,     /* rows (grouped sources) */
    SCOPE_VARS = 1 << 2,     /* vars.NAME */
    SCOPE_ENV = 1 << 3,      /* env.NAME: only in vars and sources */
    SCOPE_ITEM = 1 << 4,     /* item.key item.index item.line */
    SCOPE_RUN = 1 << 5,      /* run.id run.started_at run.slot run.slot_local */
    SCOPE_RESPONSE = 1 << 6, /* response.… : only in outputs */
    SCOPE_BODY = 1 << 7,     /* body.… : what was sent; only in reconcile */
    SCOPE_NEEDS = 1 << 8,    /* needs.ALIAS.outputs.NAME, needs.ALIAS.response.… */
    SCOPE_OUTPUTS = 1 << 9,  /* outputs.NAME: only in undo */
};

#define SCOPE_MIXED (1u << 31)

/* An item that this one waits for, as far as names are concerned. */
struct scope_need {
    struct slice alias;
    const char *job;
    const struct slice *outputs; /* that the job has */
    size_t output_count;
};

struct scope {
    unsigned parts;
    /* Known columns of row; NULL = any name (NDJSON). `source_name` names the file in messages. */
    const struct slice *columns;
    size_t column_count;
    const char *source_name;
    const struct value *vars; /* a map; names are checked against it */
    const struct scope_need *needs;
    size_t need_count;
    const struct scope_need *own; /* whose outputs.NAME is, with SCOPE_OUTPUTS */
    unsigned *used_parts; /* parts that are referred to are added to it, and SCOPE_MIXED when one
                             expression makes a value of what is needed and of the row or the run;
                             NULL = nobody asks */
    bool run_is_slot;     /* of run only what stays when the run is gone on with: its slot */
    bool item_is_frozen;  /* of item only what the ledger keeps is there: its key and line */
    /* Loop variables of $for, innermost last. */
    const struct slice *loop_names;
    size_t loop_count;
};

struct environment {
    const struct value *row;  /* map */
    const struct value *rows; /* list of maps */
    const struct value *vars; /* map */
    const struct value *item; /* map */
    const struct value *run;  /* map */
    const struct value *response;
    const struct value *body;
    const struct value *needs;   /* a map of aliases; NULL = not known yet */
    const struct value *outputs; /* map */
    const struct value *loops;   /* one a loop variable, same order as in the scope */
    size_t loop_count;
    struct arena *arena; /* for intermediate values; cleared by the caller between units */
};

/* What went wrong while evaluating; `place` is that of the expression in the spec. */
struct eval_error {
    struct place place;
    char text[256];
    char help[256]; /* "" = none */
};

/* Compiles the text of a scalar. Returns NULL after adding messages. `${` is written `$${`. */
const struct text_template *text_template_compile(struct arena *arena,
                                                  const struct yaml_node *scalar,
                                                  const struct scope *scope,
                                                  struct diagnostics *diagnostics);

/* Evaluates: a template that is one ${…} gives that value, others a STRING (an OMIT part counts as
 * empty text; NULL, lists and maps inside mixed text are an error). False with *error_out set. */
bool text_template_evaluate(const struct text_template *text_template,
                            const struct environment *environment, struct value *value_out,
                            struct eval_error *error_out);

/* As above, but gives text: numbers and booleans as they print; OMIT, NULL, lists and maps are an
 * error. What is unknown gives VALUE_UNKNOWN_TEXT. For keys and paths. */
bool text_template_text(const struct text_template *text_template,
                        const struct environment *environment, struct slice *text_out,
                        struct eval_error *error_out);

/* As text_template_text(), for a path of a URL: the bytes that come from ${…} are percent-encoded
 * (all but letters, digits, - . _ ~), and an expression that gives empty text, "." or ".." is an
 * error, so that no value can lead to another resource. */
bool text_template_path(const struct text_template *text_template,
                        const struct environment *environment, struct slice *path_out,
                        struct eval_error *error_out);

/* As text_template_text(), for a text with double quotes in it around the ${…}: an expression that
 * gives a quote, a backslash or a control character is an error, so that no value can end the
 * quotes and mean something else. */
bool text_template_quoted(const struct text_template *text_template,
                          const struct environment *environment, struct slice *text_out,
                          struct eval_error *error_out);

#endif
