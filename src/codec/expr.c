/* Texts with ${…} in them: finding the expressions, and putting the values together. */
#include "purser/codec/expr.h"

#include <assert.h>
#include <string.h>

#include "expr_tree.h"
#include "purser/codec/decimal.h"

static bool find_opening(struct slice text, size_t from, size_t *found_out)
{
    for (size_t i = from; i + 1 < text.length; i++)
        if (text.bytes[i] == '$' && text.bytes[i + 1] == '{') {
            *found_out = i;
            return true;
        }
    return false;
}

struct compiler {
    const struct compile_context *context;
    struct expr_origin at; /* the last ${ compiled */
    struct slice text;
    struct text_part *parts;
    size_t count, capacity;
    bool failed;
};

static void add_part(struct compiler *compiler, struct text_part part)
{
    if (compiler->count == compiler->capacity) {
        size_t capacity = compiler->capacity == 0 ? 4 : compiler->capacity * 2;
        struct text_part *grown = arena_new(compiler->context->arena, capacity, sizeof *grown);

        if (grown == NULL) {
            if (!compiler->failed)
                diagnostics_add(compiler->context->diagnostics, DIAG_ERROR,
                                compiler->at.scalar->place, "expr.memory", NULL, "out of memory");
            compiler->failed = true;
            return;
        }
        if (compiler->count > 0)
            memcpy(grown, compiler->parts, compiler->count * sizeof *grown);
        compiler->parts = grown;
        compiler->capacity = capacity;
    }
    compiler->parts[compiler->count++] = part;
}

static void add_literal(struct compiler *compiler, size_t from, size_t to)
{
    if (to > from)
        add_part(compiler, (struct text_part){.literal = {compiler->text.bytes + from, to - from}});
}

/* Between the two, what is used is that of one expression. */
static void begin_use(const struct scope *scope, unsigned *before_out)
{
    if (scope->used_parts == NULL)
        return;
    *before_out = *scope->used_parts;
    *scope->used_parts = 0;
}

static void end_use(const struct scope *scope, unsigned before)
{
    const unsigned of_row = SCOPE_ROW | SCOPE_ROWS | SCOPE_ITEM | SCOPE_RUN;
    unsigned used;

    if (scope->used_parts == NULL)
        return;
    used = *scope->used_parts;
    if ((used & SCOPE_NEEDS) != 0 && (used & of_row) != 0)
        used |= SCOPE_MIXED;
    *scope->used_parts = before | used;
}

/* Compiles the ${…} at `at`; gives the offset behind it, also after an error, so that all errors of
 * a text are found. */
static size_t add_expression(struct compiler *compiler, size_t at)
{
    const struct compile_context *context = compiler->context;
    struct expr_origin *origin = arena_new(context->arena, 1, sizeof *origin);
    const struct expr *expr = NULL;
    unsigned used_before;
    size_t end = at + 2;

    if (origin != NULL) {
        expr_origin_advance(&compiler->at, at);
        *origin = compiler->at;
        begin_use(context->scope, &used_before);
        expr = expr_compile(context, origin, true, &end);
        end_use(context->scope, used_before);
    } else {
        diagnostics_add(context->diagnostics, DIAG_ERROR, compiler->at.scalar->place, "expr.memory",
                        NULL, "out of memory");
    }
    if (expr != NULL) {
        add_part(compiler, (struct text_part){.expr = expr});
        return end;
    }
    compiler->failed = true;
    while (end < compiler->text.length && compiler->text.bytes[end] != '}')
        end++;
    return end < compiler->text.length ? end + 1 : end;
}

static void compile_parts(struct compiler *compiler)
{
    size_t at = 0, opening;

    while (find_opening(compiler->text, at, &opening)) {
        if (opening > at && compiler->text.bytes[opening - 1] == '$') {
            add_literal(compiler, at, opening - 1); /* $${ is ${ as text */
            add_literal(compiler, opening, opening + 2);
            at = opening + 2;
            continue;
        }
        add_literal(compiler, at, opening);
        at = add_expression(compiler, opening);
    }
    add_literal(compiler, at, compiler->text.length);
}

/* The value of a scalar without quotes that is no text: null, true, 12. */
static struct value plain_value(const struct yaml_node *scalar)
{
    if (scalar->kind == YAML_BOOL) /* true, True, TRUE */
        return (struct value){.kind = VALUE_BOOL, .boolean = scalar->text.length == 4};
    if (scalar->kind == YAML_NULL)
        return (struct value){.kind = VALUE_NULL};
    assert(decimal_is_json(scalar->text));
    return (struct value){.kind = VALUE_NUMBER, .text = scalar->text};
}

const struct text_template *text_template_compile_in(const struct compile_context *context,
                                                     const struct yaml_node *scalar)
{
    struct text_template *text_template = arena_new(context->arena, 1, sizeof *text_template);
    struct compiler compiler = {
        .context = context,
        .text = scalar->text,
    };
    size_t opening;

    if (text_template == NULL) {
        diagnostics_add(context->diagnostics, DIAG_ERROR, scalar->place, "expr.memory", NULL,
                        "out of memory");
        return NULL;
    }
    expr_origin_start(&compiler.at, scalar);
    text_template->scalar = scalar;
    if (scalar->kind != YAML_STRING) {
        text_template->literal = plain_value(scalar);
        return text_template;
    }
    if (!find_opening(scalar->text, 0, &opening)) {
        text_template->literal = (struct value){.kind = VALUE_STRING, .text = scalar->text};
        return text_template;
    }
    compile_parts(&compiler);
    text_template->parts = compiler.parts;
    text_template->part_count = compiler.count;
    return compiler.failed ? NULL : text_template;
}

const struct text_template *text_template_compile(struct arena *arena,
                                                  const struct yaml_node *scalar,
                                                  const struct scope *scope,
                                                  struct diagnostics *diagnostics)
{
    struct compile_context context = {
        .arena = arena,
        .scope = scope,
        .diagnostics = diagnostics,
        .loop_names = scope->loop_names,
        .loop_count = scope->loop_count,
    };

    if (scalar->kind != YAML_LIST && scalar->kind != YAML_MAP)
        return text_template_compile_in(&context, scalar);
    diagnostics_add(diagnostics, DIAG_ERROR, scalar->place, "expr.kind", "as in ${row.sku}",
                    "this is %s; a text or an expression belongs here",
                    scalar->kind == YAML_LIST ? "a list" : "a map");
    return NULL;
}

enum text_rule {
    TEXT_MIXED,  /* a missing value is empty text */
    TEXT_WHOLE,  /* a missing value is an error */
    TEXT_PATH,   /* as WHOLE, and percent-encoded */
    TEXT_QUOTED, /* as WHOLE, and without what ends a quoted text */
};

/* Parts that are joined at a time; longer texts are joined in several goes. */
enum { PARTS_AT_ONCE = 16 };

/* What a rule forbids in the text of an expression; NULL = nothing of it is there. */
static const char *forbidden(struct slice text, enum text_rule rule)
{
    if (rule == TEXT_PATH && (text.length == 0 || slice_is(text, ".") || slice_is(text, "..")))
        return "cannot stand in a path";
    for (size_t i = 0; i < text.length && rule == TEXT_QUOTED; i++)
        if ((unsigned char)text.bytes[i] < ' ' || strchr("\"\\\x7f", text.bytes[i]) != NULL)
            return "cannot stand between quotes";
    return NULL;
}

/* The base of a path's last member; NULL when `expr` is no such path. */
static const struct expr *base_of(const struct expr *expr)
{
    return expr != NULL && expr->kind == EXPR_MEMBER ? expr->member.base : NULL;
}

static bool is_output(const struct expr *expr)
{
    const struct expr *outputs = base_of(expr), *root = base_of(base_of(outputs));

    return root != NULL && root->kind == EXPR_ROOT && root->root == SCOPE_NEEDS &&
           slice_is(outputs->member.name, "outputs");
}

/* needs.X.outputs.Y that its item's answer does not have is no gap like an empty cell: what is made
 * of it would be another request than the one that was meant. Filters let it pass. */
static bool evaluate_expression(const struct expr *expr, const struct environment *environment,
                                struct value *value_out, struct eval_error *error_out)
{
    const struct expr *source = expr;

    if (!expr_evaluate(expr, environment, value_out, error_out))
        return false;
    if (value_out->kind != VALUE_OMIT || value_out->boolean)
        return true;
    while (source->kind == EXPR_FILTER)
        source = source->operation.first;
    if (!is_output(source))
        return true;
    return expr_fail(expr, error_out,
                     "outputs: of the needed job says where it is in the answer; write … ?? omit "
                     "here if it may be missing",
                     "%.*s is missing: the answer does not have it", expr_shown(source->source),
                     source->source.bytes);
}

/* run.slot, or what filters make of it. */
static bool is_of_run(const struct expr *expr)
{
    while (expr->kind == EXPR_FILTER)
        expr = expr->operation.first;
    return expr->kind == EXPR_MEMBER && expr->member.base->kind == EXPR_ROOT &&
           expr->member.base->root == SCOPE_RUN;
}

static bool part_text(const struct text_part *part, const struct environment *environment,
                      enum text_rule rule, struct slice *text_out, bool *unknown,
                      struct eval_error *error_out)
{
    const char *help = "write … ?? \"\" for empty text", *missing = "every row needs a value here";
    struct value value;

    *text_out = part->literal;
    if (part->expr == NULL)
        return true;
    if (!evaluate_expression(part->expr, environment, &value, error_out))
        return false;
    if (value.kind == VALUE_UNKNOWN) {
        *text_out = SLICE(VALUE_UNKNOWN_TEXT);
        *unknown = true;
        return true;
    }
    if (value_to_text(&value, text_out)) {
        const char *why = forbidden(*text_out, rule);

        if (why == NULL)
            return true;
        return expr_fail(part->expr, error_out,
                         rule == TEXT_PATH ? "what stands in a path names one object of the API"
                                           : "take the quotes and line breaks out of the value",
                         "'%.*s' %s", expr_shown(*text_out), text_out->bytes, why);
    }
    *text_out = (struct slice){0};
    if (value.kind == VALUE_OMIT && is_of_run(part->expr))
        missing = "this run is for no time of the schedule: --slot TIME gives it one";
    if (value.kind == VALUE_OMIT && rule == TEXT_MIXED)
        return true;
    if (value.kind == VALUE_LIST || value.kind == VALUE_MAP)
        help = value.kind == VALUE_LIST
                   ? "join it (… | join(\", \")) or write it as JSON (… | json)"
                   : "take one of its members, or write it as JSON (… | json)";
    return expr_fail(part->expr, error_out,
                     rule == TEXT_MIXED || value.kind >= VALUE_LIST ? help : missing,
                     "%.*s is %s and cannot stand in a text", expr_shown(part->expr->source),
                     part->expr->source.bytes, value_phrase(value.kind));
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-._~", byte) != NULL);
}

bool expr_percent_encode(struct arena *arena, struct slice *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_new(arena, text->length, 3);
    size_t length = 0;

    if (encoded == NULL)
        return false;
    for (size_t i = 0; i < text->length; i++) {
        unsigned char byte = (unsigned char)text->bytes[i];

        if (is_unreserved(text->bytes[i])) {
            encoded[length++] = text->bytes[i];
            continue;
        }
        encoded[length++] = '%';
        encoded[length++] = digits[byte >> 4];
        encoded[length++] = digits[byte & 15];
    }
    *text = (struct slice){encoded, length};
    return true;
}

static void fail_memory(const struct text_template *text_template, struct eval_error *error_out)
{
    *error_out = (struct eval_error){
        .place = text_template->scalar->place,
        .text = "this row needs more memory than there is",
    };
}

static bool join_parts(const struct text_template *text_template,
                       const struct environment *environment, enum text_rule rule,
                       struct slice *text_out, bool *unknown, struct eval_error *error_out)
{
    struct slice texts[PARTS_AT_ONCE], joined = {0};

    for (size_t done = 0; done < text_template->part_count;) {
        size_t count = 0, length = joined.length;
        char *bytes;

        for (; count < PARTS_AT_ONCE && done < text_template->part_count; count++, done++) {
            const struct text_part *part = &text_template->parts[done];

            if (!part_text(part, environment, rule, &texts[count], unknown, error_out))
                return false;
            if (rule == TEXT_PATH && part->expr != NULL &&
                !expr_percent_encode(environment->arena, &texts[count]))
                goto fail;
            length += texts[count].length;
        }
        bytes = arena_new(environment->arena, length, 1);
        if (bytes == NULL)
            goto fail;
        if (joined.length > 0)
            memcpy(bytes, joined.bytes, joined.length);
        length = joined.length;
        for (size_t i = 0; i < count; length += texts[i++].length)
            if (texts[i].length > 0)
                memcpy(bytes + length, texts[i].bytes, texts[i].length);
        joined = (struct slice){bytes, length};
    }
    *text_out = joined;
    return true;
fail:
    fail_memory(text_template, error_out);
    return false;
}

bool text_template_evaluate(const struct text_template *text_template,
                            const struct environment *environment, struct value *value_out,
                            struct eval_error *error_out)
{
    struct value text = {.kind = VALUE_STRING};
    bool unknown = false;

    if (text_template->part_count == 0) {
        *value_out = text_template->literal;
        return true;
    }
    if (text_template->part_count == 1 && text_template->parts[0].expr != NULL)
        return evaluate_expression(text_template->parts[0].expr, environment, value_out, error_out);
    if (!join_parts(text_template, environment, TEXT_MIXED, &text.text, &unknown, error_out))
        return false;
    *value_out = unknown ? (struct value){.kind = VALUE_UNKNOWN} : text;
    return true;
}

bool text_template_text(const struct text_template *text_template,
                        const struct environment *environment, struct slice *text_out,
                        struct eval_error *error_out)
{
    if (text_template->part_count > 0)
        return join_parts(text_template, environment, TEXT_WHOLE, text_out, &(bool){false},
                          error_out);
    if (value_to_text(&text_template->literal, text_out))
        return true;
    *error_out = (struct eval_error){
        .place = text_template->scalar->place,
        .text = "this is null; a text belongs here",
    };
    return false;
}

bool text_template_path(const struct text_template *text_template,
                        const struct environment *environment, struct slice *path_out,
                        struct eval_error *error_out)
{
    if (text_template->part_count > 0)
        return join_parts(text_template, environment, TEXT_PATH, path_out, &(bool){false},
                          error_out);
    return text_template_text(text_template, environment, path_out, error_out);
}

bool text_template_quoted(const struct text_template *text_template,
                          const struct environment *environment, struct slice *text_out,
                          struct eval_error *error_out)
{
    if (text_template->part_count > 0)
        return join_parts(text_template, environment, TEXT_QUOTED, text_out, &(bool){false},
                          error_out);
    return text_template_text(text_template, environment, text_out, error_out);
}
