#include "purser/codec/yaml_scalar.h"

#include <stdio.h>
#include <string.h>

static bool is_one_of(struct slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(text, words[i]))
            return true;
    return false;
}

static size_t digits_from(struct slice text, size_t at)
{
    size_t start = at;

    while (at < text.length && text_is_digit(text.bytes[at]))
        at++;
    return at - start;
}

/* The parts of [-]digits[.digits][e[+-]digits]; whole = false when the text is no number. */
struct number_shape {
    bool whole, is_integer, has_point;
    size_t sign, integer_digits, fraction_digits;
};

/* True if the text ends at `at` or an exponent stands there and reaches its end. */
static bool ends_with_exponent(struct slice text, size_t at)
{
    size_t digits;

    if (at == text.length)
        return true;
    if (text.bytes[at] != 'e' && text.bytes[at] != 'E')
        return false;
    at++;
    if (at < text.length && (text.bytes[at] == '+' || text.bytes[at] == '-'))
        at++;
    digits = digits_from(text, at);
    return digits > 0 && at + digits == text.length;
}

static struct number_shape shape_of(struct slice text)
{
    struct number_shape shape = {0};
    size_t at;

    shape.sign = text.length > 0 && text.bytes[0] == '-';
    shape.integer_digits = digits_from(text, shape.sign);
    at = shape.sign + shape.integer_digits;
    shape.has_point = at < text.length && text.bytes[at] == '.';
    if (shape.has_point) {
        shape.fraction_digits = digits_from(text, at + 1);
        at += 1 + shape.fraction_digits;
    }
    shape.is_integer = !shape.has_point && at == text.length;
    shape.whole = shape.integer_digits + shape.fraction_digits > 0 && ends_with_exponent(text, at);
    return shape;
}

/* JSON wants a digit on both sides of the point. */
static bool spell_for_json(struct arena *arena, struct slice text, const struct number_shape *shape,
                           struct slice *text_out)
{
    size_t point = shape->sign + shape->integer_digits;
    size_t rest = text.length - point - 1;
    bool before = shape->integer_digits == 0;
    bool after = shape->has_point && shape->fraction_digits == 0;
    char *bytes, *end;

    *text_out = text;
    if (!before && !after)
        return true;
    bytes = end = arena_new(arena, text.length + 2, 1);
    if (bytes == NULL)
        return false;
    memcpy(end, text.bytes, point);
    end += point;
    if (before)
        *end++ = '0';
    *end++ = '.';
    if (after)
        *end++ = '0';
    memcpy(end, text.bytes + point + 1, rest);
    *text_out = (struct slice){bytes, (size_t)(end - bytes) + rest};
    return true;
}

static unsigned digit_value(char byte)
{
    if (text_is_digit(byte))
        return (unsigned)(byte - '0');
    if (byte >= 'a' && byte <= 'f')
        return (unsigned)(byte - 'a' + 10);
    if (byte >= 'A' && byte <= 'F')
        return (unsigned)(byte - 'A' + 10);
    return 99;
}

/* 0x… and 0o…: true when the text is one; then *problem_out tells what came of it. */
static bool read_based_integer(struct arena *arena, struct slice text, struct slice *text_out,
                               enum yaml_scalar_problem *problem_out)
{
    unsigned bits;
    uint64_t number = 0;
    bool fits = true;
    char decimal[24];
    int length;

    if (text.length < 3 || text.bytes[0] != '0' || (text.bytes[1] != 'x' && text.bytes[1] != 'o'))
        return false;
    bits = text.bytes[1] == 'x' ? 4 : 3;
    for (size_t i = 2; i < text.length; i++) {
        unsigned digit = digit_value(text.bytes[i]);

        if (digit >= 1u << bits)
            return false;
        fits = fits && number >> (64 - bits) == 0;
        number = number << bits | digit;
    }
    length = snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)number);
    *text_out = (struct slice){arena_copy_text(arena, decimal, (size_t)length), (size_t)length};
    *problem_out = !fits                     ? YAML_SCALAR_TOO_LONG
                   : text_out->bytes == NULL ? YAML_SCALAR_NO_MEMORY
                                             : YAML_SCALAR_OK;
    return true;
}

static bool is_not_finite(struct slice text)
{
    static const char *const words[] = {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"};

    if (is_one_of(text, words, sizeof words / sizeof *words))
        return true;
    return text.length == 5 && (text.bytes[0] == '-' || text.bytes[0] == '+') &&
           is_one_of((struct slice){text.bytes + 1, 4}, words + 3, 3);
}

static bool read_word(struct slice plain, enum yaml_kind *kind_out, struct slice *text_out)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const trues[] = {"true", "True", "TRUE"};
    static const char *const falses[] = {"false", "False", "FALSE"};

    if (is_one_of(plain, nulls, sizeof nulls / sizeof *nulls)) {
        *kind_out = YAML_NULL;
    } else if (is_one_of(plain, trues, sizeof trues / sizeof *trues)) {
        *kind_out = YAML_BOOL;
        *text_out = SLICE("true");
    } else if (is_one_of(plain, falses, sizeof falses / sizeof *falses)) {
        *kind_out = YAML_BOOL;
        *text_out = SLICE("false");
    } else {
        return false;
    }
    return true;
}

enum yaml_scalar_problem yaml_scalar_read(struct arena *arena, struct slice plain,
                                          enum yaml_kind *kind_out, struct slice *text_out)
{
    enum yaml_scalar_problem problem;
    struct number_shape shape;

    *kind_out = YAML_STRING;
    *text_out = plain;
    if (read_word(plain, kind_out, text_out))
        return YAML_SCALAR_OK;
    if (is_not_finite(plain))
        return YAML_SCALAR_NOT_FINITE;
    if (read_based_integer(arena, plain, text_out, &problem)) {
        *kind_out = YAML_INTEGER;
        return problem;
    }
    shape = shape_of(plain);
    if (!shape.whole || (shape.integer_digits > 1 && plain.bytes[shape.sign] == '0'))
        return YAML_SCALAR_OK;
    *kind_out = shape.is_integer ? YAML_INTEGER : YAML_FLOAT;
    return spell_for_json(arena, plain, &shape, text_out) ? YAML_SCALAR_OK : YAML_SCALAR_NO_MEMORY;
}
