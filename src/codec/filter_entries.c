/* Filters that look at the entries of a list. What is missing in it is an error where it would
 * change the result: a sum without one of its amounts is wrong, not smaller. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "purser/core/limits.h"

static bool is_missing(const struct value *value)
{
    return value->kind == VALUE_OMIT || value->kind == VALUE_NULL;
}

/* Texts by their bytes, numbers by what they are worth; both values are of the same kind. */
static int compare(const struct value *a, const struct value *b)
{
    size_t shorter = a->text.length < b->text.length ? a->text.length : b->text.length;
    int order;

    if (a->kind == VALUE_NUMBER)
        return decimal_compare(a->text, b->text);
    order = shorter > 0 ? memcmp(a->text.bytes, b->text.bytes, shorter) : 0;
    return order != 0 ? order
                      : (a->text.length > b->text.length) - (a->text.length < b->text.length);
}

static bool fail_entry(struct filter_call *call, size_t i, const char *wanted)
{
    const struct value *entry = &call->input.list.items[i];
    const char *help = is_missing(entry) ? "say what it counts as: … | map(\"amount\", 0)"
                       : entry->kind == VALUE_STRING
                           ? "give it a type in columns:; of JSON, numbers have no quotes"
                           : "take one member of each entry: … | map(\"amount\")";

    return filter_fail(call, help, "'%s' takes a list of %s; entry %zu is %s",
                       call->expr->operation.filter->name, wanted, i, value_phrase(entry->kind));
}

/* All entries must be numbers, or all texts. */
static bool are_comparable(struct filter_call *call)
{
    const struct value *items = call->input.list.items;

    for (size_t i = 0; i < call->input.list.count; i++)
        if ((items[i].kind != VALUE_NUMBER && items[i].kind != VALUE_STRING) ||
            items[i].kind != items[0].kind)
            return fail_entry(call, i,
                              i == 0 || items[0].kind == VALUE_STRING ? "texts" : "numbers");
    return true;
}

static bool are_equal(const struct value *a, const struct value *b)
{
    return a->kind == VALUE_BOOL ? a->boolean == b->boolean : compare(a, b) == 0;
}

/* As ==, text is not a number: entries of another kind are an error unless there is an equal one.
 */
static bool list_contains(struct filter_call *call)
{
    const struct value *list = &call->input, *wanted = &call->arguments[0];
    const struct value *other = NULL;

    if (wanted->kind == VALUE_LIST || wanted->kind == VALUE_MAP || is_missing(wanted))
        return filter_fail(call, call->expr->operation.filter->usage,
                           "'contains' takes text or a number, not %s", value_phrase(wanted->kind));
    for (size_t i = 0; i < list->list.count; i++) {
        const struct value *entry = &list->list.items[i];

        if (entry->kind == wanted->kind && are_equal(entry, wanted))
            return filter_give_truth(call, true);
        if (entry->kind != wanted->kind && !is_missing(entry))
            other = entry;
    }
    if (other == NULL)
        return filter_give_truth(call, false);
    return filter_fail(call, "write … | string or … | number", "'contains' compares %s with %s",
                       value_phrase(wanted->kind), value_phrase(other->kind));
}

bool filter_contains(struct filter_call *call)
{
    struct slice text, wanted;

    if (call->input.kind == VALUE_LIST)
        return list_contains(call);
    if (!value_to_text(&call->input, &text))
        return filter_fail(call, NULL, "'contains' takes text or a list, not %s",
                           value_phrase(call->input.kind));
    if (!filter_argument_text(call, 0, &wanted))
        return false;
    return filter_give_truth(call,
                             wanted.length == 0 ||
                                 (text.length > 0 && memmem(text.bytes, text.length, wanted.bytes,
                                                            wanted.length) != NULL));
}

bool filter_check_map(struct filter_call *call)
{
    struct slice name;

    return filter_argument_text(call, 0, &name);
}

/* Says which entry it was. */
static bool fail_each(struct filter_call *call, size_t i)
{
    struct eval_error *error = call->error;
    size_t length = strlen(error->text);

    if (sizeof error->text - length > 40)
        (void)snprintf(error->text + length, sizeof error->text - length,
                       " (entry %zu of the list)", i);
    return false;
}

/* Evaluates x => … for each entry: gives the results, or the entries for which the condition is
 * true. One that is not known makes the whole list unknown. */
static bool for_each(struct filter_call *call, bool is_condition)
{
    const struct value *list = &call->input;
    const struct expr *each = call->expr->operation.each;
    struct environment inner = *call->environment;
    struct value loops[LOOPS_MAX], *items, result;
    size_t loop = call->expr->operation.loop, kept = 0;
    bool is_unknown = false;

    assert(loop == inner.loop_count && loop < LOOPS_MAX);
    for (size_t i = 0; i < loop; i++)
        loops[i] = inner.loops[i];
    inner.loops = loops;
    inner.loop_count = loop + 1;
    items = filter_memory(call, list->list.count, sizeof *items);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < list->list.count; i++) {
        enum truth truth = TRUTH_YES;

        loops[loop] = list->list.items[i];
        if (is_condition ? !expr_condition(each, &inner, &truth, call->error)
                         : !expr_evaluate(each, &inner, &result, call->error))
            return fail_each(call, i);
        is_unknown =
            is_unknown || truth == TRUTH_UNKNOWN || (!is_condition && result.kind == VALUE_UNKNOWN);
        if (truth == TRUTH_YES)
            items[kept++] = is_condition ? loops[loop] : result;
    }
    if (is_unknown) {
        *call->out = (struct value){.kind = VALUE_UNKNOWN};
        return true;
    }
    return filter_give_list(call, items, kept);
}

bool filter_where(struct filter_call *call)
{
    return for_each(call, true);
}

bool filter_map(struct filter_call *call)
{
    const struct value *list = &call->input;
    struct value *items;
    struct slice name;

    if (call->expr->operation.each != NULL)
        return for_each(call, false);
    if (!filter_argument_text(call, 0, &name))
        return false;
    items = filter_memory(call, list->list.count, sizeof *items);
    if (items == NULL)
        return false;
    for (size_t i = 0; i < list->list.count; i++) {
        const struct value *entry = &list->list.items[i];

        if (entry->kind != VALUE_MAP && !is_missing(entry))
            return filter_fail(call, NULL, "'map' takes a list of maps; entry %zu is %s", i,
                               value_phrase(entry->kind));
        items[i] = value_member(entry, name);
        if (is_missing(&items[i]) && call->argument_count > 1)
            items[i] = call->arguments[1];
    }
    return filter_give_list(call, items, list->list.count);
}

bool filter_sum(struct filter_call *call)
{
    const struct value *list = &call->input;
    struct slice sum = SLICE("0");

    for (size_t i = 0; i < list->list.count; i++) {
        if (list->list.items[i].kind != VALUE_NUMBER)
            return fail_entry(call, i, "numbers");
        switch (decimal_calculate(call->environment->arena, DECIMAL_ADD, sum,
                                  list->list.items[i].text, &sum)) {
        case DECIMAL_OK:
            break;
        case DECIMAL_OVERFLOW:
            return filter_fail(call, NULL, "the sum needs more than 38 digits");
        case DECIMAL_DIVISION_BY_ZERO:
        case DECIMAL_NO_MEMORY:
            return filter_fail(call, NULL, "out of memory");
        }
    }
    *call->out = (struct value){.kind = VALUE_NUMBER, .text = sum};
    return true;
}

/* The first of those that no other is less than (sign 1), or greater than (sign -1). */
static bool give_extreme(struct filter_call *call, int sign)
{
    const struct value *list = &call->input, *found = list->list.items;

    if (!are_comparable(call))
        return false;
    for (size_t i = 1; i < list->list.count; i++)
        if (sign * compare(&list->list.items[i], found) < 0)
            found = &list->list.items[i];
    *call->out = (struct value){.kind = VALUE_OMIT};
    if (list->list.count > 0)
        *call->out = *found;
    return true;
}

bool filter_min(struct filter_call *call)
{
    return give_extreme(call, 1);
}

bool filter_max(struct filter_call *call)
{
    return give_extreme(call, -1);
}

/* Equal entries stay in their order. */
static int by_value(const void *left, const void *right)
{
    const struct value *a = *(const struct value *const *)left;
    const struct value *b = *(const struct value *const *)right;
    int order = compare(a, b);

    return order != 0 ? order : (a > b) - (a < b);
}

/* The entries from the least to the greatest; NULL after a message. */
static const struct value **in_order(struct filter_call *call)
{
    size_t count = call->input.list.count;
    const struct value **sorted =
        are_comparable(call) ? filter_memory(call, count, sizeof *sorted) : NULL;

    if (sorted == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &call->input.list.items[i];
    if (count > 1)
        qsort(sorted, count, sizeof *sorted, by_value);
    return sorted;
}

bool filter_sort(struct filter_call *call)
{
    size_t count = call->input.list.count;
    const struct value **sorted = in_order(call);
    struct value *items = sorted != NULL ? filter_memory(call, count, sizeof *items) : NULL;

    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        items[i] = *sorted[i];
    return filter_give_list(call, items, count);
}

/* Of equal entries the first one stays, where it is. */
bool filter_unique(struct filter_call *call)
{
    const struct value *list = &call->input;
    size_t count = list->list.count, kept = 0;
    const struct value **sorted = in_order(call);
    struct value *items = sorted != NULL ? filter_memory(call, count, sizeof *items) : NULL;
    bool *is_repeated = items != NULL ? filter_memory(call, count, sizeof *is_repeated) : NULL;

    if (is_repeated == NULL)
        return false;
    for (size_t i = 1; i < count; i++)
        is_repeated[sorted[i] - list->list.items] = compare(sorted[i - 1], sorted[i]) == 0;
    for (size_t i = 0; i < count; i++)
        if (!is_repeated[i])
            items[kept++] = list->list.items[i];
    return filter_give_list(call, items, kept);
}
