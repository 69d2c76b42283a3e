#include <stdio.h>
#include <string.h>

#include "filter.h"

/* The end of the piece that starts at `at`: the next separator, or the end. */
static const char *piece_end(struct slice text, const char *at, struct slice separator)
{
    const char *end = slice_end(text);
    const char *found = memmem(at, (size_t)(end - at), separator.bytes, separator.length);

    return found != NULL ? found : end;
}

bool filter_check_split(struct filter_call *call)
{
    struct slice separator;

    if (!filter_argument_text(call, 0, &separator))
        return false;
    return separator.length > 0 || filter_fail(call, call->expr->operation.filter->usage,
                                               "'split' needs a separator that is not empty");
}

/* Empty text has no pieces; else there is one more than there are separators. */
bool filter_split(struct filter_call *call)
{
    struct slice text = call->text, separator;
    const char *end = slice_end(text), *at = text.bytes;
    struct value *items;
    size_t count = 1;

    if (!filter_check_split(call) || !filter_argument_text(call, 0, &separator))
        return false;
    *call->out = (struct value){.kind = VALUE_LIST};
    if (text.length == 0)
        return true;
    while ((at = piece_end(text, at, separator)) != end) {
        at += separator.length;
        count++;
    }
    items = filter_memory(call, count, sizeof *items);
    if (items == NULL)
        return false;
    at = text.bytes;
    for (size_t i = 0; i < count; i++) {
        const char *piece = at;

        at = piece_end(text, at, separator);
        items[i] = (struct value){.kind = VALUE_STRING, .text = {piece, (size_t)(at - piece)}};
        if (at != end)
            at += separator.length;
    }
    return filter_give_list(call, items, count);
}

static bool is_missing(const struct value *value)
{
    return value->kind == VALUE_OMIT || value->kind == VALUE_NULL;
}

/* What is missing in the list leaves no trace in the text. */
bool filter_join(struct filter_call *call)
{
    const struct value *list = &call->input;
    struct slice separator, text;
    size_t length = 0, used = 0;
    char *out;

    if (!filter_argument_text(call, 0, &separator))
        return false;
    for (size_t i = 0; i < list->list.count; i++) {
        if (is_missing(&list->list.items[i]))
            continue;
        if (!value_to_text(&list->list.items[i], &text))
            return filter_fail(call, "write the list as JSON: … | json",
                               "'join' takes a list of texts and numbers; there is %s in it",
                               value_phrase(list->list.items[i].kind));
        length += text.length + separator.length;
    }
    out = filter_memory(call, length, 1);
    if (out == NULL)
        return false;
    length = 0;
    for (size_t i = 0; i < list->list.count; i++) {
        if (!value_to_text(&list->list.items[i], &text))
            continue;
        if (used++ > 0 && separator.length > 0) {
            memcpy(out + length, separator.bytes, separator.length);
            length += separator.length;
        }
        if (text.length > 0)
            memcpy(out + length, text.bytes, text.length);
        length += text.length;
    }
    return filter_give_text(call, out, length);
}

/* Characters of a text, entries of a list, members of a map. */
bool filter_length(struct filter_call *call)
{
    const struct value *input = &call->input;
    struct slice text;
    size_t count = 0;
    char *digits = filter_memory(call, 24, 1);

    if (digits == NULL)
        return false;
    if (input->kind == VALUE_LIST)
        count = input->list.count;
    else if (input->kind == VALUE_MAP)
        count = input->map.count;
    else if (value_to_text(input, &text))
        for (size_t i = 0; i < text.length; i++)
            count += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
    *call->out = (struct value){.kind = VALUE_NUMBER, .text.bytes = digits};
    call->out->text.length = (size_t)snprintf(digits, 24, "%zu", count);
    return true;
}

bool filter_first(struct filter_call *call)
{
    *call->out = (struct value){.kind = VALUE_OMIT};
    if (call->input.list.count > 0)
        *call->out = call->input.list.items[0];
    return true;
}

bool filter_last(struct filter_call *call)
{
    *call->out = (struct value){.kind = VALUE_OMIT};
    if (call->input.list.count > 0)
        *call->out = call->input.list.items[call->input.list.count - 1];
    return true;
}
