/* What the filters share; filter_table.c lists them. */
#include "filter.h"

#include <stdarg.h>
#include <stdio.h>

#include "purser/codec/decimal.h"

bool filter_fail(struct filter_call *call, const char *help, const char *format, ...)
{
    char text[sizeof call->error->text];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    return expr_fail(call->expr, call->error, help, "%s", text);
}

bool filter_give_text(struct filter_call *call, const char *bytes, size_t length)
{
    *call->out = (struct value){.kind = VALUE_STRING, .text = {bytes, length}};
    return true;
}

bool filter_give_list(struct filter_call *call, const struct value *items, size_t count)
{
    *call->out = (struct value){.kind = VALUE_LIST, .list = {items, count}};
    return true;
}

bool filter_give_truth(struct filter_call *call, bool truth)
{
    *call->out = (struct value){.kind = VALUE_BOOL, .boolean = truth};
    return true;
}

void *filter_memory(struct filter_call *call, size_t count, size_t size)
{
    void *memory = arena_new(call->environment->arena, count, size);

    if (memory == NULL)
        filter_fail(call, NULL, "'%s': this row needs more memory than there is",
                    call->expr->operation.filter->name);
    return memory;
}

bool filter_argument_text(struct filter_call *call, size_t index, struct slice *text_out)
{
    if (value_to_text(&call->arguments[index], text_out))
        return true;
    return filter_fail(call, call->expr->operation.filter->usage, "'%s' takes text, not %s",
                       call->expr->operation.filter->name,
                       value_phrase(call->arguments[index].kind));
}

bool filter_argument_whole(struct filter_call *call, size_t index, int64_t least, int64_t greatest,
                           int64_t *number_out)
{
    const struct value *argument = &call->arguments[index];
    const char *name = call->expr->operation.filter->name;
    struct slice text;

    if (argument->kind == VALUE_NUMBER && decimal_to_int64(argument->text, number_out) &&
        *number_out >= least && *number_out <= greatest)
        return true;
    if (argument->kind == VALUE_STRING)
        return filter_fail(call,
                           "give the column a type (columns: { NAME: integer }) or write "
                           "… | integer",
                           "'%s' takes a whole number, not text", name);
    if (!value_to_text(argument, &text))
        text = slice_of(value_phrase(argument->kind));
    return filter_fail(call, call->expr->operation.filter->usage,
                       "'%s' takes a whole number from %lld to %lld, not %.*s", name,
                       (long long)least, (long long)greatest, expr_shown(text), text.bytes);
}

static bool fits(struct filter_call *call, enum filter_takes takes)
{
    switch (takes) {
    case TAKES_TEXT:
        return value_to_text(&call->input, &call->text);
    case TAKES_LIST:
        return call->input.kind == VALUE_LIST;
    case TAKES_NUMBER:
        return call->input.kind == VALUE_NUMBER;
    case TAKES_VALUE:
    case TAKES_ANY:
        return true;
    }
    return false;
}

bool filter_run(struct filter_call *call)
{
    static const char *const wanted[] = {
        [TAKES_TEXT] = "text", [TAKES_LIST] = "a list", [TAKES_NUMBER] = "a number",
        [TAKES_VALUE] = "",    [TAKES_ANY] = "",
    };
    const struct filter *filter = call->expr->operation.filter;
    const char *help = filter->takes == TAKES_LIST ? "make a list of text with … | split(\",\")"
                       : filter->takes == TAKES_NUMBER
                           ? "make a number of text with … | number"
                           : "write a list or map as text with … | json";

    if ((call->input.kind == VALUE_OMIT || call->input.kind == VALUE_NULL) &&
        filter->takes != TAKES_ANY) {
        *call->out = call->input;
        return true;
    }
    if (!fits(call, filter->takes))
        return filter_fail(call, help, "'%s' takes %s, not %s", filter->name, wanted[filter->takes],
                           value_phrase(call->input.kind));
    return filter->run(call);
}
