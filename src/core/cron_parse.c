/* The text of a schedule → sets of bits. */
#include <string.h>

#include "purser/base/calendar.h"
#include "purser/core/cron.h"

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field_rule {
    const char *name;
    int low, high;
    const char *const *names; /* of low, low + 1, …; NULL = none */
} rules[FIELD_COUNT] = {
    [MINUTE] = {"minute", 0, 59, NULL},           [HOUR] = {"hour", 0, 23, NULL},
    [DAY] = {"day of the month", 1, 31, NULL},    [MONTH] = {"month", 1, 12, month_names},
    [WEEKDAY] = {"weekday", 0, 7, weekday_names}, /* 7 is Sunday too */
};

struct parser {
    struct slice text;
    size_t at;
    struct cron_error *error;
};

struct field {
    uint64_t bits;
    bool is_open; /* begins with * or ? */
    bool has_last;
    struct slice source;
};

/* refuse(parser, where, help, format, …) */
#define refuse(parser, where, hint, ...)                                       \
    (err_set(&(parser)->error->problem, ERR_INPUT, __VA_ARGS__),               \
     (parser)->error->offset = (size_t)((where).bytes - (parser)->text.bytes), \
     (parser)->error->length = (where).length, (parser)->error->help = (hint), false)

/* How much of it is shown in a message. */
static int shown(struct slice text)
{
    return text.length < 20 ? (int)text.length : 20;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool has_text(struct slice text, const char *lower)
{
    if (strlen(lower) != text.length)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if ((is_letter(text.bytes[i]) ? text.bytes[i] | 0x20 : text.bytes[i]) != lower[i])
            return false;
    return true;
}

/* The rest of the current field. */
static char peek(const struct parser *parser, struct slice field)
{
    const char *byte = parser->text.bytes + parser->at;

    return byte < field.bytes + field.length ? *byte : '\0';
}

static struct slice take_while(struct parser *parser, struct slice field, bool (*accepts)(char))
{
    struct slice taken = {parser->text.bytes + parser->at, 0};

    while (peek(parser, field) != '\0' && accepts(peek(parser, field))) {
        parser->at++;
        taken.length++;
    }
    return taken;
}

static bool unexpected(struct parser *parser, const struct field_rule *rule, struct slice field)
{
    struct slice where = {parser->text.bytes + parser->at, peek(parser, field) == '\0' ? 0 : 1};

    if (where.length == 0)
        return refuse(parser, where, "as in 5, 1-5, */10 or 1,15", "a value is missing in the %s",
                      rule->name);
    if (where.bytes[0] == '#' || where.bytes[0] == 'W' || where.bytes[0] == 'w')
        return refuse(parser, where,
                      "the n-th weekday of a month and the nearest one cannot be said",
                      "'%c' is not known here", where.bytes[0]);
    return refuse(parser, where, "as in 5, 1-5, */10 or 1,15", "'%c' is not expected in the %s",
                  where.bytes[0] >= ' ' && where.bytes[0] < 0x7f ? where.bytes[0] : '?',
                  rule->name);
}

static bool take_name(struct parser *parser, const struct field_rule *rule, struct slice field,
                      int *number_out)
{
    struct slice word = take_while(parser, field, is_letter);

    for (int i = 0; rule->names != NULL && rule->names[i] != NULL; i++)
        if (has_text(word, rule->names[i])) {
            *number_out = rule->low + i;
            return true;
        }
    if (rule->names == NULL)
        return refuse(parser, word, NULL, "the %s is a number, not '%.*s'", rule->name, shown(word),
                      word.bytes);
    return refuse(parser, word,
                  rule->names == month_names ? "jan, feb, mar … dec" : "sun, mon, tue … sat",
                  "there is no %s '%.*s'", rule->name, shown(word), word.bytes);
}

static bool take_value(struct parser *parser, const struct field_rule *rule, struct slice field,
                       int *number_out)
{
    struct slice digits;
    uint64_t number;

    if (is_letter(peek(parser, field)))
        return take_name(parser, rule, field, number_out);
    digits = take_while(parser, field, text_is_digit);
    if (digits.length == 0)
        return unexpected(parser, rule, field);
    if (!text_to_u64(digits, &number) || number < (uint64_t)rule->low ||
        number > (uint64_t)rule->high)
        return refuse(parser, digits, NULL, "the %s is %.*s, must be from %d to %d", rule->name,
                      shown(digits), digits.bytes, rule->low, rule->high);
    *number_out = (int)number;
    return true;
}

static bool take_step(struct parser *parser, const struct field_rule *rule, struct slice field,
                      int *step_out)
{
    struct slice digits;
    uint64_t step;

    parser->at++; /* the slash */
    digits = take_while(parser, field, text_is_digit);
    if (digits.length == 0)
        return unexpected(parser, rule, field);
    if (!text_to_u64(digits, &step) || step == 0 || step > (uint64_t)rule->high)
        return refuse(parser, digits, NULL, "the step of the %s is %.*s, must be from 1 to %d",
                      rule->name, shown(digits), digits.bytes, rule->high);
    *step_out = (int)step;
    return true;
}

/* 5, 5-9 or *, without a step. */
static bool take_range(struct parser *parser, const struct field_rule *rule, struct slice field,
                       int *low_out, int *high_out)
{
    struct slice whole = {parser->text.bytes + parser->at, 0};

    if (peek(parser, field) == '*') {
        parser->at++;
        *low_out = rule->low;
        *high_out = rule->names == weekday_names ? 6 : rule->high;
        return true;
    }
    if (!take_value(parser, rule, field, low_out))
        return false;
    *high_out = *low_out;
    if (peek(parser, field) == '-') {
        parser->at++;
        if (!take_value(parser, rule, field, high_out))
            return false;
        if (rule->names == weekday_names && *high_out == 0 && *low_out > 0)
            *high_out = 7; /* sat-sun */
    }
    whole.length = (size_t)(parser->text.bytes + parser->at - whole.bytes);
    if (*high_out < *low_out)
        return refuse(parser, whole, "write both parts, as in 22-23,0-5",
                      "the range %.*s runs backwards", shown(whole), whole.bytes);
    if (peek(parser, field) == '/' && *low_out == *high_out)
        return refuse(parser, whole, "write 5-59/15 to begin at 5, or */15",
                      "a step needs a range, and %.*s is one value", shown(whole), whole.bytes);
    return true;
}

/* Between two commas. */
static bool take_part(struct parser *parser, int index, struct field *field)
{
    const struct field_rule *rule = &rules[index];
    int low, high, step = 1;

    if (index == DAY && (peek(parser, field->source) | 0x20) == 'l') {
        parser->at++;
        field->has_last = true;
        return true;
    }
    if (!take_range(parser, rule, field->source, &low, &high) ||
        (peek(parser, field->source) == '/' && !take_step(parser, rule, field->source, &step)))
        return false;
    for (int value = low; value <= high; value += step)
        field->bits |= (uint64_t)1 << (index == WEEKDAY ? value % 7 : value);
    return true;
}

static bool take_field(struct parser *parser, int index, struct field *field)
{
    const struct field_rule *rule = &rules[index];
    char first = field->source.bytes[0];

    field->is_open = first == '*' || first == '?';
    if (first == '?' && field->source.length == 1 && (index == DAY || index == WEEKDAY)) {
        parser->at++;
        field->bits = UINT64_MAX;
        return true;
    }
    for (;;) {
        if (!take_part(parser, index, field))
            return false;
        if (peek(parser, field->source) == '\0')
            return true;
        if (peek(parser, field->source) != ',')
            return unexpected(parser, rule, field->source);
        parser->at++;
    }
}

/* The longest that the month can be. */
static int longest(int month)
{
    return calendar_month_length(2000, month);
}

static bool has_a_day(const struct cron *cron)
{
    if (cron->either_day || cron->last_day)
        return true;
    for (int month = 1; month <= 12; month++)
        for (int day = 1; (cron->months >> month & 1) != 0 && day <= longest(month); day++)
            if ((cron->days >> day & 1) != 0)
                return true;
    return false;
}

static bool combine(struct parser *parser, const struct field *fields, struct cron *cron_out)
{
    struct cron cron = {
        .minutes = fields[MINUTE].bits,
        .hours = (uint32_t)fields[HOUR].bits,
        .days = (uint32_t)fields[DAY].bits,
        .months = (uint32_t)fields[MONTH].bits,
        .weekdays = (uint32_t)fields[WEEKDAY].bits & 0x7f,
        .last_day = fields[DAY].has_last,
        .either_day = !fields[DAY].is_open && !fields[WEEKDAY].is_open,
    };

    if (!has_a_day(&cron))
        return refuse(parser, fields[DAY].source, "L is the last day of a month",
                      "this never comes: none of these months has such a day");
    *cron_out = cron;
    return true;
}

static bool take_alias(struct parser *parser, struct slice word, struct cron *cron_out)
{
    static const struct {
        const char *name, *fields;
    } aliases[] = {
        {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
        {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
        {"@annually", "0 0 1 1 *"},
    };

    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (has_text(word, aliases[i].name))
            return cron_parse(slice_of(aliases[i].fields), cron_out, parser->error);
    return refuse(parser, word, "@hourly, @daily, @weekly, @monthly or @yearly",
                  "'%.*s' is no schedule", shown(word), word.bytes);
}

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->text.length && is_blank(parser->text.bytes[parser->at]))
        parser->at++;
}

static struct slice next_field(const struct parser *parser)
{
    struct slice field = {parser->text.bytes + parser->at, 0};

    while (parser->at + field.length < parser->text.length && !is_blank(field.bytes[field.length]))
        field.length++;
    return field;
}

bool cron_parse(struct slice text, struct cron *cron_out, struct cron_error *error_out)
{
    static const char five[] = "five fields: minute hour day month weekday";
    struct parser parser = {.text = text, .error = error_out};
    struct field fields[FIELD_COUNT] = {{0}};
    struct slice rest;

    *error_out = (struct cron_error){0};
    skip_blanks(&parser);
    rest = next_field(&parser);
    if (rest.length > 0 && rest.bytes[0] == '@') {
        parser.at += rest.length;
        skip_blanks(&parser);
        if (parser.at < text.length)
            return refuse(&parser, next_field(&parser), NULL, "nothing can stand behind %.*s",
                          shown(rest), rest.bytes);
        return take_alias(&parser, rest, cron_out);
    }
    for (int i = 0; i < FIELD_COUNT; i++) {
        skip_blanks(&parser);
        fields[i].source = next_field(&parser);
        if (fields[i].source.length == 0)
            return refuse(&parser, fields[i].source, five, "the %s is missing", rules[i].name);
        if (!take_field(&parser, i, &fields[i]))
            return false;
    }
    skip_blanks(&parser);
    rest = next_field(&parser);
    if (rest.length > 0)
        return refuse(&parser, rest, five, "one field too many; seconds and years cannot be given");
    return combine(&parser, fields, cron_out);
}
