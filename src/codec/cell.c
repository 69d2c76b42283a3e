#include "purser/codec/cell.h"

#include <string.h>

#include "purser/base/calendar.h"
#include "purser/codec/json.h"

static const struct cell_problem problems[] = {
    [COLUMN_STRING] = {"is not text", "write it in quotes"},
    [COLUMN_INTEGER] = {"is not a whole number",
                        "write 1234 (digits only: no point, no separators, no leading zeros)"},
    [COLUMN_DECIMAL] = {"is not a decimal", "write 12.34 (a point, no thousands separator)"},
    [COLUMN_BOOLEAN] = {"is not a boolean", "write true or false (or yes, no, 1, 0)"},
    [COLUMN_DATE] = {"is not a date", "write 2026-11-26 (year-month-day)"},
    [COLUMN_LIST] = {"is not a list", "write text with separators, or a list"},
    [COLUMN_AS_WRITTEN] = {"", ""}, /* there is no such cell */
};

static const struct cell_problem too_large = {
    "is too large for an integer",
    "whole numbers go from -2^63 to 2^64-1; a longer id is a string"};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && is_blank(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.bytes[text.length - 1]))
        text.length--;
    return text;
}

static bool equals_ignoring_case(struct slice text, const char *word)
{
    size_t i;

    if (text.length != strlen(word))
        return false;
    for (i = 0; i < text.length; i++) {
        char byte = text.bytes[i];

        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte - 'A' + 'a');
        if (byte != word[i])
            return false;
    }
    return true;
}

static bool to_boolean(struct slice text, struct value *value_out)
{
    static const char *const words[2][3] = {{"false", "no", "0"}, {"true", "yes", "1"}};
    int truth, i;

    for (truth = 0; truth < 2; truth++) {
        for (i = 0; i < 3; i++) {
            if (!equals_ignoring_case(text, words[truth][i]))
                continue;
            *value_out = (struct value){.kind = VALUE_BOOL, .boolean = truth == 1};
            return true;
        }
    }
    return false;
}

static int digits_at(const char *bytes, int count)
{
    int number = 0, i;

    for (i = 0; i < count; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return -1;
        number = number * 10 + (bytes[i] - '0');
    }
    return number;
}

static bool is_date(struct slice text)
{
    struct calendar_date date;

    if (text.length != 10 || text.bytes[4] != '-' || text.bytes[7] != '-')
        return false;
    date = (struct calendar_date){.year = digits_at(text.bytes, 4),
                                  .month = digits_at(text.bytes + 5, 2),
                                  .day = digits_at(text.bytes + 8, 2)};
    return date.year >= 0 && date.month >= 0 && date.day >= 0 && calendar_is_valid(date);
}

/* The parts of a list one after the other; false at the end. Empty parts are passed over. */
static bool next_part(struct slice *rest, struct slice separator, struct slice *part_out)
{
    while (rest->length > 0) {
        /* memmem finds an empty separator everywhere. */
        const char *found = separator.length == 0 ? NULL
                                                  : memmem(rest->bytes, rest->length,
                                                           separator.bytes, separator.length);
        size_t length = found == NULL ? rest->length : (size_t)(found - rest->bytes);
        size_t passed = found == NULL ? length : length + separator.length;

        *part_out = trimmed((struct slice){rest->bytes, length});
        rest->bytes += passed;
        rest->length -= passed;
        if (part_out->length > 0)
            return true;
    }
    return false;
}

static enum err_code to_list(struct arena *arena, const struct spec_column *column,
                             struct slice text, struct value *value_out)
{
    struct slice rest = text, part;
    struct value *items;
    size_t count = 0;

    while (next_part(&rest, column->separator, &part))
        count++;
    items = arena_new(arena, count, sizeof *items);
    if (items == NULL)
        return ERR_NO_MEMORY;
    rest = text;
    for (count = 0; next_part(&rest, column->separator, &part); count++)
        items[count] = (struct value){.kind = VALUE_STRING, .text = part};
    *value_out = (struct value){.kind = VALUE_LIST, .list = {items, count}};
    return ERR_OK;
}

static enum err_code as_written(struct arena *arena, struct slice text, struct value *value_out)
{
    struct err ignored = {0};
    enum err_code code = json_parse(arena, text.bytes, text.length, value_out, &ignored);

    if (code != ERR_INPUT && code != ERR_TOO_BIG)
        return code;
    *value_out = (struct value){.kind = VALUE_STRING, .text = text};
    return ERR_OK;
}

static enum err_code refuse(const struct cell_problem *problem, struct cell_problem *problem_out)
{
    *problem_out = *problem;
    return ERR_INPUT;
}

enum err_code cell_from_text(struct arena *arena, const struct spec_column *column,
                             struct slice text, struct value *value_out,
                             struct cell_problem *problem_out)
{
    enum column_type type = column == NULL ? COLUMN_STRING : column->type;
    bool whole, fits = true;

    if (type != COLUMN_STRING)
        text = trimmed(text);
    if (text.length == 0) {
        *value_out = (struct value){.kind = VALUE_OMIT};
        return ERR_OK;
    }
    switch (type) {
    case COLUMN_STRING:
        *value_out = (struct value){.kind = VALUE_STRING, .text = text};
        return ERR_OK;
    case COLUMN_INTEGER:
    case COLUMN_DECIMAL:
        if (json_number_length(text.bytes, text.length, &whole) != text.length)
            break;
        if (type == COLUMN_INTEGER && !whole)
            break;
        fits = type == COLUMN_DECIMAL || json_whole_fits(text);
        if (!fits)
            break;
        *value_out = (struct value){.kind = VALUE_NUMBER, .text = text};
        return ERR_OK;
    case COLUMN_BOOLEAN:
        if (!to_boolean(text, value_out))
            break;
        return ERR_OK;
    case COLUMN_DATE:
        if (!is_date(text))
            break;
        *value_out = (struct value){.kind = VALUE_STRING, .text = text};
        return ERR_OK;
    case COLUMN_LIST:
        return to_list(arena, column, text, value_out);
    case COLUMN_AS_WRITTEN:
        return as_written(arena, text, value_out);
    }
    return refuse(fits ? &problems[type] : &too_large, problem_out);
}

enum err_code cell_from_value(struct arena *arena, const struct spec_column *column,
                              const struct value *value, struct value *value_out,
                              struct cell_problem *problem_out)
{
    bool fits = column == NULL;

    switch (value->kind) {
    case VALUE_OMIT:
    case VALUE_NULL:
        fits = true;
        break;
    case VALUE_STRING:
    case VALUE_NUMBER:
        if (fits)
            break;
        return cell_from_text(arena, column, value->text, value_out, problem_out);
    case VALUE_BOOL:
        fits = fits || column->type == COLUMN_BOOLEAN;
        break;
    case VALUE_LIST:
        fits = fits || column->type == COLUMN_LIST;
        break;
    case VALUE_MAP:
    case VALUE_UNKNOWN:
        break;
    }
    if (!fits)
        return refuse(&problems[column->type], problem_out);
    *value_out = *value;
    return ERR_OK;
}
