#include <string.h>

#include "filter.h"
#include "purser/codec/decimal.h"
#include "purser/core/limits.h"

static bool fail_kind(struct filter_call *call)
{
    return filter_fail(call, NULL, "'%s' cannot make anything of %s",
                       call->expr->operation.filter->name, value_phrase(call->input.kind));
}

/* Empty text counts as missing, too: that is what an empty cell of a spreadsheet means. */
bool filter_default(struct filter_call *call)
{
    bool is_missing = call->input.kind == VALUE_OMIT || call->input.kind == VALUE_NULL ||
                      (call->input.kind == VALUE_STRING && call->input.text.length == 0);

    *call->out = is_missing ? call->arguments[0] : call->input;
    return true;
}

bool filter_number(struct filter_call *call)
{
    struct slice text = call->input.text, number;

    if (call->input.kind == VALUE_NUMBER) {
        *call->out = call->input;
        return true;
    }
    if (call->input.kind != VALUE_STRING)
        return fail_kind(call);
    if (!decimal_from_text(call->environment->arena, text, &number))
        return filter_fail(call, "a point, no thousands separator, no unit: 1234.50",
                           "'%.*s' is not a number", expr_shown(text), text.bytes);
    if (number.bytes == NULL)
        return filter_fail(call, NULL, "out of memory");
    *call->out = (struct value){.kind = VALUE_NUMBER, .text = number};
    return true;
}

bool filter_integer(struct filter_call *call)
{
    struct slice rounded = {0};

    if (!filter_number(call))
        return false;
    switch (decimal_round(call->environment->arena, call->out->text, 0, DECIMAL_DOWN, &rounded)) {
    case DECIMAL_OK:
        break;
    case DECIMAL_DIVISION_BY_ZERO:
    case DECIMAL_OVERFLOW:
        return filter_fail(call, NULL, "'%.*s' is too large or too small",
                           expr_shown(call->out->text), call->out->text.bytes);
    case DECIMAL_NO_MEMORY:
        return filter_fail(call, NULL, "out of memory");
    }
    if (decimal_compare(rounded, call->out->text) != 0)
        return filter_fail(call, "round it first: … | round", "'%.*s' is not a whole number",
                           expr_shown(call->out->text), call->out->text.bytes);
    call->out->text = rounded;
    return true;
}

/* Equal but for the case of ASCII letters. */
static bool is_word(struct slice text, const char *word)
{
    size_t length = strlen(word);

    if (text.length != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        char byte = text.bytes[i];

        if ((byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte) != word[i])
            return false;
    }
    return true;
}

bool filter_boolean(struct filter_call *call)
{
    static const struct {
        const char *word;
        bool truth;
    } words[] = {
        {"true", true},   {"yes", true}, {"y", true},  {"t", true},  {"on", true},   {"1", true},
        {"false", false}, {"no", false}, {"n", false}, {"f", false}, {"off", false}, {"0", false},
    };
    struct slice text;

    if (!value_to_text(&call->input, &text))
        return fail_kind(call);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(text, words[i].word)) {
            *call->out = (struct value){.kind = VALUE_BOOL, .boolean = words[i].truth};
            return true;
        }
    return filter_fail(call, "true, yes, y, t, on, 1 or false, no, n, f, off, 0; in any case",
                       "'%.*s' is neither true nor false", expr_shown(text), text.bytes);
}

bool filter_string(struct filter_call *call)
{
    struct slice text;

    if (!value_to_text(&call->input, &text))
        return filter_fail(call, "write a list or map as JSON: … | json",
                           "'string' cannot make text of %s", value_phrase(call->input.kind));
    return filter_give_text(call, text.bytes, text.length);
}

static bool take_rounding(struct filter_call *call, int64_t *places_out,
                          enum decimal_rounding *rounding_out)
{
    struct slice name;

    *places_out = 0;
    *rounding_out = DECIMAL_HALF_UP;
    if (call->argument_count > 0 &&
        !filter_argument_whole(call, 0, 0, DECIMAL_PLACES_MAX, places_out))
        return false;
    if (call->argument_count < 2)
        return true;
    if (!filter_argument_text(call, 1, &name))
        return false;
    return decimal_rounding_find(name, rounding_out) ||
           filter_fail(call, "half_up, half_even, down, up, floor or ceiling",
                       "there is no rounding '%.*s'", expr_shown(name), name.bytes);
}

bool filter_check_round(struct filter_call *call)
{
    int64_t places;
    enum decimal_rounding rounding;

    return take_rounding(call, &places, &rounding);
}

/* A quotient is divided and rounded in one step, so that it is rounded once. */
bool filter_round(struct filter_call *call)
{
    const struct expr *input = call->expr->operation.first;
    struct arena *arena = call->environment->arena;
    struct slice number = call->input.text, rounded = {0};
    enum decimal_rounding rounding;
    enum decimal_status status;
    int64_t places = 0;

    if (!take_rounding(call, &places, &rounding))
        return false;
    status = call->divisor == NULL ? decimal_round(arena, number, (int)places, rounding, &rounded)
                                   : decimal_divide(arena, number, call->divisor->text, (int)places,
                                                    rounding, &rounded);
    switch (status) {
    case DECIMAL_OK:
        *call->out = (struct value){.kind = VALUE_NUMBER, .text = rounded};
        return true;
    case DECIMAL_DIVISION_BY_ZERO:
        return expr_fail(input, call->error,
                         "say what it is then: if(b == 0, omit, (a / b) | round(2))",
                         "%.*s divides by zero", expr_shown(input->source), input->source.bytes);
    case DECIMAL_OVERFLOW:
        if (call->divisor != NULL)
            return expr_fail(input, call->error, "use fewer digits",
                             "%.*s needs more than 38 digits", expr_shown(input->source),
                             input->source.bytes);
        return filter_fail(call, NULL, "'%.*s' is too large or too small to round",
                           expr_shown(number), number.bytes);
    case DECIMAL_NO_MEMORY:
        break;
    }
    return filter_fail(call, NULL, "out of memory");
}

bool filter_abs(struct filter_call *call)
{
    *call->out = call->input;
    if (call->out->text.bytes[0] == '-') {
        call->out->text.bytes++;
        call->out->text.length--;
    }
    return true;
}

bool filter_json(struct filter_call *call)
{
    struct buf text;
    char *copy = NULL;
    size_t length;

    buf_init(&text, BODY_BYTES_MAX);
    value_append_json(&text, &call->input);
    length = text.length;
    if (text.failed == ERR_OK)
        copy = arena_copy_text(call->environment->arena, buf_text(&text), length);
    buf_deinit(&text);
    if (copy == NULL)
        return filter_fail(call, NULL, "'json' makes more text than there is memory for");
    return filter_give_text(call, copy, length);
}
