#include "filter.h"

#include <stdio.h>
#include <stdlib.h>

#define NUMBER_BYTES 64

struct cursor {
    const char *at;
    const char *end;
    const char *problem;
    filter_member member; /* NULL: only checked */
    const void *object;
    int depth;
};

static bool read_any(struct cursor *c);

static bool fail(struct cursor *c, const char *problem)
{
    if (c->problem == NULL)
        c->problem = problem;
    c->at = c->end;
    return false;
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ')
        c->at++;
}

static bool take(struct cursor *c, struct slice word)
{
    struct slice rest = {c->at, (size_t)(c->end - c->at)};

    if (!slice_starts_with(rest, word))
        return false;
    c->at += word.length;
    skip_space(c);
    return true;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool take_word(struct cursor *c, struct slice word)
{
    if ((size_t)(c->end - c->at) > word.length && is_name_byte(c->at[word.length]))
        return false;
    return take(c, word);
}

static struct slice take_name(struct cursor *c)
{
    const char *first = c->at;

    while (c->at < c->end && is_name_byte(*c->at))
        c->at++;
    return (struct slice){first, (size_t)(c->at - first)};
}

enum comparison { EQUAL = 1, LESS = 2, GREATER = 4 };

static int take_operator(struct cursor *c)
{
    if (take(c, SLICE("<=")))
        return LESS | EQUAL;
    if (take(c, SLICE(">=")))
        return GREATER | EQUAL;
    if (take(c, SLICE("<")))
        return LESS;
    if (take(c, SLICE(">")))
        return GREATER;
    return take(c, SLICE("=")) ? EQUAL : 0;
}

/* The text between two quotes, as it stands. */
static bool take_string(struct cursor *c, struct slice *inside_out)
{
    const char *first = ++c->at;

    while (c->at < c->end && *c->at != '"')
        c->at += *c->at == '\\' && c->at + 1 < c->end ? 2 : 1;
    if (c->at == c->end)
        return fail(c, "a string does not end");
    *inside_out = (struct slice){first, (size_t)(c->at - first)};
    c->at++;
    return true;
}

static void add_utf8(struct text *text, unsigned int code)
{
    char bytes[4];
    size_t length = 0;

    if (code < 0x80) {
        bytes[length++] = (char)code;
    } else if (code < 0x800) {
        bytes[length++] = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        bytes[length++] = (char)(0xe0 | code >> 12);
        bytes[length++] = (char)(0x80 | (code >> 6 & 63));
    } else {
        bytes[length++] = (char)(0xf0 | code >> 18);
        bytes[length++] = (char)(0x80 | (code >> 12 & 63));
        bytes[length++] = (char)(0x80 | (code >> 6 & 63));
    }
    if (code >= 0x80)
        bytes[length++] = (char)(0x80 | (code & 63));
    text_add(text, (struct slice){bytes, length});
}

static unsigned int hex_of(const char *digits)
{
    char copy[5] = {0};

    memcpy(copy, digits, 4);
    return (unsigned int)strtoul(copy, NULL, 16);
}

/* What the inside of a JSON string means. */
static void add_unescaped(struct text *text, struct slice inside)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";

    for (size_t i = 0; i < inside.length; i++) {
        const char *p = inside.bytes + i;
        const char *known;
        unsigned int code;

        if (*p != '\\' || i + 1 == inside.length) {
            text_add(text, (struct slice){p, 1});
            continue;
        }
        i++;
        known = strchr(from, p[1]);
        if (p[1] == 'u' && i + 4 < inside.length) {
            code = hex_of(p + 2);
            i += 4;
            if (code >= 0xd800 && code < 0xdc00 && i + 6 < inside.length && p[6] == '\\') {
                code = 0x10000 + ((code - 0xd800) << 10) + (hex_of(p + 8) - 0xdc00);
                i += 6;
            }
            add_utf8(text, code);
        } else if (known != NULL && p[1] != '\0') {
            text_add(text, (struct slice){to + (known - from), 1});
        } else {
            text_add(text, (struct slice){p + 1, 1});
        }
    }
}

static int order_of(int difference)
{
    return difference == 0 ? EQUAL : difference < 0 ? LESS : GREATER;
}

static int compare_texts(struct slice a, struct slice b)
{
    struct text left = {0}, right = {0};
    size_t shorter;
    int difference;

    add_unescaped(&left, a);
    add_unescaped(&right, b);
    shorter = left.length < right.length ? left.length : right.length;
    difference = shorter == 0 ? 0 : memcmp(left.bytes, right.bytes, shorter);
    if (difference == 0)
        difference = (left.length > right.length) - (left.length < right.length);
    text_free(&left);
    text_free(&right);
    return order_of(difference);
}

static double number_of(struct slice value)
{
    char copy[NUMBER_BYTES];

    snprintf(copy, sizeof copy, "%.*s", (int)value.length, value.bytes);
    return strtod(copy, NULL);
}

static bool is_number(struct slice value)
{
    return value.length > 0 && value.length < NUMBER_BYTES &&
           (value.bytes[0] == '-' || (value.bytes[0] >= '0' && value.bytes[0] <= '9'));
}

static int compare_numbers(struct slice a, struct slice b)
{
    double left = number_of(a), right = number_of(b);

    return order_of((left > right) - (left < right));
}

static bool read_condition(struct cursor *c)
{
    struct slice name = take_name(c), value, wanted;
    bool is_string;
    int allowed;

    if (name.length == 0)
        return fail(c, "the name of a field was expected");
    skip_space(c);
    allowed = take_operator(c);
    if (allowed == 0)
        return fail(c, "=, <, <=, > or >= was expected");
    is_string = c->at < c->end && *c->at == '"';
    if (is_string) {
        if (!take_string(c, &wanted))
            return false;
    } else {
        wanted.bytes = c->at;
        while (c->at < c->end && (is_name_byte(*c->at) || strchr("+-.", *c->at) != NULL))
            c->at++;
        wanted.length = (size_t)(c->at - wanted.bytes);
        if (!is_number(wanted))
            return fail(c, "a number, or a text in double quotes, was expected");
    }
    skip_space(c);
    if (c->member == NULL)
        return true;
    value = c->member(c->object, name);
    if (is_string && value.length >= 2 && value.bytes[0] == '"')
        return (compare_texts((struct slice){value.bytes + 1, value.length - 2}, wanted) &
                allowed) != 0;
    return !is_string && is_number(value) && (compare_numbers(value, wanted) & allowed) != 0;
}

static bool read_factor(struct cursor *c)
{
    bool fits;

    if (!take(c, SLICE("(")))
        return read_condition(c);
    if (++c->depth > FILTER_DEPTH_MAX)
        return fail(c, "too many parentheses");
    fits = read_any(c);
    c->depth--;
    if (!take(c, SLICE(")")))
        return fail(c, "')' was expected");
    return fits;
}

static bool read_all(struct cursor *c)
{
    bool fits = read_factor(c);

    while (take_word(c, SLICE("AND")))
        fits &= read_factor(c);
    return fits;
}

static bool read_any(struct cursor *c)
{
    bool fits = read_all(c);

    while (take_word(c, SLICE("OR")))
        fits |= read_all(c);
    return fits;
}

static bool read_filter(struct cursor *c)
{
    bool fits;

    skip_space(c);
    fits = read_any(c);
    if (c->problem == NULL && c->at < c->end)
        fail(c, "AND, OR or the end was expected");
    return fits;
}

const char *filter_problem(struct slice filter)
{
    struct cursor c = {.at = filter.bytes, .end = filter.bytes + filter.length};

    read_filter(&c);
    return c.problem;
}

bool filter_fits(struct slice filter, filter_member member, const void *object)
{
    struct cursor c = {.at = filter.bytes,
                       .end = filter.bytes + filter.length,
                       .member = member,
                       .object = object};

    return read_filter(&c);
}
