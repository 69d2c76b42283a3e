#include "expr_names.h"

#include <stdio.h>
#include <string.h>

enum { HELP_NAMES_MAX = 24 };

static const struct {
    const char *name;
    enum scope_part part;
    const char *elsewhere; /* help where it cannot be used */
} roots[] = {
    {"row", SCOPE_ROW, "row is the row of an item: it is known in the parts of a job"},
    {"rows", SCOPE_ROWS, "rows is known where the source has group_by"},
    {"vars", SCOPE_VARS, "vars is not known here"},
    {"env", SCOPE_ENV,
     "env is known in vars and source only, so that no environment value slips into a body: "
     "give it a name under vars"},
    {"item", SCOPE_ITEM, "item is known in the parts of a job, but not in its key"},
    {"run", SCOPE_RUN,
     "run is known in the parts of a job, in file names and in the arguments of a command"},
    {"response", SCOPE_RESPONSE, "response is known in outputs and undo only"},
    {"outputs", SCOPE_OUTPUTS, "outputs is known in undo only; elsewhere it is needs.NAME.outputs"},
    {"needs", SCOPE_NEEDS,
     "needs is known in request, body and if of a job whose needs: is a map: needs: { NAME: { job: "
     "…, key: … } }"},
    {"body", SCOPE_BODY, "body, what was sent, is known in reconcile only"},
};

enum { ROOT_COUNT = sizeof roots / sizeof *roots };

bool expr_is_reserved(struct slice name)
{
    static const char *const words[] = {"true", "false", "null", "omit", "and",
                                        "or",   "not",   "if",   "in"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_is(name, words[i]))
            return true;
    for (size_t i = 0; i < ROOT_COUNT; i++)
        if (slice_is(name, roots[i].name))
            return true;
    return false;
}

static const char *closest(struct arena *arena, struct slice wanted, const struct slice *names,
                           size_t count)
{
    const char **candidates = arena_new(arena, count, sizeof *candidates);
    const char *text = arena_copy_text(arena, wanted.bytes, wanted.length);

    if (candidates == NULL || text == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        candidates[i] = arena_copy_text(arena, names[i].bytes, names[i].length);
        if (candidates[i] == NULL)
            return NULL;
    }
    return text_closest(text, candidates, count);
}

const char *expr_names_help(struct arena *arena, struct slice wanted, const char *title,
                            const struct slice *names, size_t count)
{
    const char *meant = count > 0 ? closest(arena, wanted, names, count) : NULL;
    struct buf text;
    const char *help;

    if (count == 0)
        return NULL;
    buf_init(&text, DIAG_TEXT_BYTES_MAX);
    if (meant != NULL)
        buf_append_format(&text, "did you mean '%s'? ", meant);
    buf_append_format(&text, "%s: ", title);
    for (size_t i = 0; i < count && i < HELP_NAMES_MAX; i++) {
        if (i > 0)
            buf_append_text(&text, ", ");
        buf_append(&text, names[i].bytes, names[i].length);
    }
    if (count > HELP_NAMES_MAX)
        buf_append_format(&text, " … and %zu more", count - HELP_NAMES_MAX);
    help = arena_copy_text(arena, buf_text(&text), text.length);
    buf_deinit(&text);
    return help;
}

static bool is_column(const struct scope *scope, struct slice name, size_t *position_out)
{
    for (size_t i = 0; i < scope->column_count; i++)
        if (slice_equal(scope->columns[i], name)) {
            *position_out = i;
            return true;
        }
    return false;
}

static bool unknown_name(struct parser *parser, struct slice name)
{
    const struct compile_context *context = parser->context;
    struct slice *names =
        arena_new(context->arena, ROOT_COUNT + context->loop_count, sizeof *names);
    const char *help = NULL;
    size_t count = 0;

    for (size_t i = 0; i < context->loop_count && names != NULL; i++)
        names[count++] = context->loop_names[i];
    for (size_t i = 0; i < ROOT_COUNT && names != NULL; i++)
        if ((context->scope->parts & roots[i].part) != 0)
            names[count++] = slice_of(roots[i].name);
    if (is_column(context->scope, name, &(size_t){0}) && (context->scope->parts & SCOPE_ROW) != 0) {
        char text[128];

        snprintf(text, sizeof text, "a column is written row.%.*s", expr_shown(name), name.bytes);
        help = arena_copy_text(context->arena, text, strlen(text));
    } else if (names != NULL) {
        help = expr_names_help(context->arena, name, "names here", names, count);
    }
    parser_error(parser, name, "expr.unknown_name", help, "unknown name '%.*s'", (int)name.length,
                 name.bytes);
    return false;
}

bool expr_names_root(struct parser *parser, struct slice name, struct expr *expr_out)
{
    const struct compile_context *context = parser->context;

    for (size_t i = context->loop_count; i-- > 0;)
        if (slice_equal(context->loop_names[i], name)) {
            expr_out->kind = EXPR_LOOP;
            expr_out->loop = i;
            if (context->scope->used_parts != NULL) /* may run over a list of the row */
                *context->scope->used_parts |= SCOPE_ROW;
            return true;
        }
    for (size_t i = 0; i < ROOT_COUNT; i++) {
        if (!slice_is(name, roots[i].name))
            continue;
        if ((context->scope->parts & roots[i].part) == 0) {
            parser_error(parser, name, "expr.scope", roots[i].elsewhere, "'%s' cannot be used here",
                         roots[i].name);
            return false;
        }
        if (context->scope->used_parts != NULL)
            *context->scope->used_parts |= roots[i].part;
        expr_out->kind = EXPR_ROOT;
        expr_out->root = roots[i].part;
        return true;
    }
    return unknown_name(parser, name);
}

static bool check_column(struct parser *parser, struct slice name, struct slice where,
                         size_t *hint_out)
{
    const struct scope *scope = parser->context->scope;
    const char *help;

    if (scope->columns == NULL || is_column(scope, name, hint_out))
        return true;
    help = expr_names_help(parser->context->arena, name, "columns", scope->columns,
                           scope->column_count);
    /* row.unit-price is read as a subtraction: only the message can know better. */
    if (parser->at < parser->text.length && parser->text.bytes[parser->at] == '-')
        help = "a column with other characters in its name is written row[\"unit-price\"]";
    parser_error(parser, where, "expr.unknown_column", help, "no column '%.*s'%s%s",
                 (int)name.length, name.bytes, scope->source_name != NULL ? " in " : "",
                 scope->source_name != NULL ? scope->source_name : "");
    return false;
}

static bool check_fixed(struct parser *parser, const char *owner, const char *const *members,
                        struct slice name, struct slice where)
{
    struct slice names[4];
    size_t count = 0;

    for (; members[count] != NULL; count++) {
        names[count] = slice_of(members[count]);
        if (slice_equal(names[count], name))
            return true;
    }
    parser_error(parser, where, "expr.unknown_name",
                 expr_names_help(parser->context->arena, name, "there are", names, count),
                 "%s has no '%.*s'", owner, (int)name.length, name.bytes);
    return false;
}

/* What is new in each run would make each row a new item. */
static bool check_run(struct parser *parser, struct slice name, struct slice where)
{
    static const char *const names[] = {"id", "started_at", "slot", "slot_local", NULL};

    if (!check_fixed(parser, "run", names, name, where))
        return false;
    if (!parser->context->scope->run_is_slot || slice_is(name, "slot") ||
        slice_is(name, "slot_local"))
        return true;
    parser_error(parser, where, "expr.scope",
                 "it is another one in each run; run.slot and run.slot_local stay the same",
                 "'run.%.*s' cannot be used here", (int)name.length, name.bytes);
    return false;
}

static bool check_variable(struct parser *parser, struct slice name, struct slice where)
{
    const struct value *vars = parser->context->scope->vars;
    const char *help;

    if (vars == NULL)
        return true;
    for (size_t i = 0; i < vars->map.count && vars->kind == VALUE_MAP; i++)
        if (slice_equal(vars->map.names[i], name))
            return true;
    help = vars->kind != VALUE_MAP || vars->map.count == 0
               ? "this spec has no vars"
               : expr_names_help(parser->context->arena, name, "vars", vars->map.names,
                                 vars->map.count);
    parser_error(parser, where, "expr.unknown_name", help, "there is no variable '%.*s' in vars",
                 (int)name.length, name.bytes);
    return false;
}

static const struct scope_need *find_need(const struct scope *scope, struct slice alias)
{
    for (size_t i = 0; i < scope->need_count; i++)
        if (slice_equal(scope->needs[i].alias, alias))
            return &scope->needs[i];
    return NULL;
}

static bool check_alias(struct parser *parser, struct slice name, struct slice where)
{
    const struct scope *scope = parser->context->scope;
    struct slice *names;

    if (find_need(scope, name) != NULL)
        return true;
    names = arena_new(parser->context->arena, scope->need_count, sizeof *names);
    for (size_t i = 0; i < scope->need_count && names != NULL; i++)
        names[i] = scope->needs[i].alias;
    parser_error(parser, where, "expr.unknown_name",
                 expr_names_help(parser->context->arena, name, "needs of this job", names,
                                 names == NULL ? 0 : scope->need_count),
                 "this job has no need '%.*s'", (int)name.length, name.bytes);
    return false;
}

static bool has_output(struct parser *parser, const struct scope_need *owner, struct slice name,
                       struct slice where)
{
    for (size_t i = 0; i < owner->output_count; i++)
        if (slice_equal(owner->outputs[i], name))
            return true;
    parser_error(parser, where, "expr.unknown_output",
                 owner->output_count > 0
                     ? expr_names_help(parser->context->arena, name, "its outputs", owner->outputs,
                                       owner->output_count)
                     : "give it one: outputs: { id: ${response.….id} }",
                 "job %s has no output '%.*s'", owner->job, (int)name.length, name.bytes);
    return false;
}

/* needs.ALIAS.outputs.NAME: the job of the need must have that output. */
static bool check_output(struct parser *parser, const struct expr *base, struct slice name,
                         struct slice where)
{
    const struct expr *owner = base->member.base;
    const struct scope_need *need = find_need(parser->context->scope, owner->member.name);

    if (!slice_is(base->member.name, "outputs") || need == NULL)
        return true;
    return has_output(parser, need, name, where);
}

static bool is_needs(const struct expr *expr)
{
    return expr->kind == EXPR_ROOT && expr->root == SCOPE_NEEDS;
}

bool expr_names_member(struct parser *parser, const struct expr *base, struct slice name,
                       struct slice where, size_t *hint_out)
{
    static const char *const item[] = {"key", "index", "line", NULL};
    static const char *const frozen_item[] = {"key", "line", NULL};
    static const char *const need[] = {"outputs", "response", NULL};
    bool is_frozen = parser->context->scope->item_is_frozen;

    *hint_out = 0;
    if (base->kind == EXPR_LOOP && parser->context->loop_is_row != NULL &&
        parser->context->loop_is_row[base->loop])
        return check_column(parser, name, where, hint_out);
    if (base->kind == EXPR_MEMBER && is_needs(base->member.base))
        return check_fixed(parser, "a need", need, name, where);
    if (base->kind == EXPR_MEMBER && base->member.base->kind == EXPR_MEMBER &&
        is_needs(base->member.base->member.base))
        return check_output(parser, base, name, where);
    if (base->kind != EXPR_ROOT)
        return true;
    switch (base->root) {
    case SCOPE_ROW:
        return check_column(parser, name, where, hint_out);
    case SCOPE_VARS:
        return check_variable(parser, name, where);
    case SCOPE_ITEM:
        return check_fixed(parser, "item", is_frozen ? frozen_item : item, name, where);
    case SCOPE_RUN:
        return check_run(parser, name, where);
    case SCOPE_NEEDS:
        return check_alias(parser, name, where);
    case SCOPE_OUTPUTS:
        return parser->context->scope->own == NULL ||
               has_output(parser, parser->context->scope->own, name, where);
    case SCOPE_ROWS:
    case SCOPE_ENV:
    case SCOPE_RESPONSE:
    case SCOPE_BODY:
        return true;
    }
    return true;
}
