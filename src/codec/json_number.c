#include <string.h>

#include "purser/codec/json.h"

enum { LONG_DIGITS_MIN = 19 }; /* a whole number of 19 characters may be too long */

static size_t digits_length(const char *bytes, size_t length)
{
    size_t count = 0;

    while (count < length && text_is_digit(bytes[count]))
        count++;
    return count;
}

size_t json_number_length(const char *bytes, size_t length, bool *is_whole_out)
{
    size_t at = length > 0 && bytes[0] == '-' ? 1 : 0;
    size_t digits = digits_length(bytes + at, length - at);
    size_t exponent;

    *is_whole_out = true;
    if (digits == 0)
        return 0;
    if (bytes[at] == '0')
        digits = 1;
    at += digits;
    if (at < length && bytes[at] == '.') {
        digits = digits_length(bytes + at + 1, length - at - 1);
        if (digits == 0)
            return at;
        *is_whole_out = false;
        at += 1 + digits;
    }
    if (at == length || (bytes[at] != 'e' && bytes[at] != 'E'))
        return at;
    exponent = at + 1;
    if (exponent < length && (bytes[exponent] == '+' || bytes[exponent] == '-'))
        exponent++;
    digits = digits_length(bytes + exponent, length - exponent);
    if (digits == 0)
        return at;
    *is_whole_out = false;
    return exponent + digits;
}

bool json_whole_fits(struct slice number)
{
    static const char most[] = "18446744073709551615", least[] = "9223372036854775808";
    bool negative = number.length > 0 && number.bytes[0] == '-';
    const char *limit = negative ? least : most;
    size_t limit_digits = negative ? sizeof least - 1 : sizeof most - 1;
    size_t digits = number.length - (negative ? 1 : 0);

    if (digits != limit_digits)
        return digits < limit_digits;
    return memcmp(number.bytes + number.length - digits, limit, digits) <= 0;
}

static bool is_long_number(struct slice number)
{
    bool is_whole = false;

    /* Nearly all are shorter than the shortest that may not fit. */
    return number.length >= LONG_DIGITS_MIN &&
           json_number_length(number.bytes, number.length, &is_whole) == number.length &&
           is_whole && !json_whole_fits(number);
}

bool json_holds_long_number(const struct value *value)
{
    const struct value *parts = value->kind == VALUE_LIST ? value->list.items : value->map.values;
    size_t count = value->kind == VALUE_LIST ? value->list.count : value->map.count;

    if (value->kind == VALUE_NUMBER)
        return is_long_number(value->text);
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP)
        return false;
    for (size_t i = 0; i < count; i++)
        if (json_holds_long_number(&parts[i]))
            return true;
    return false;
}
