#include "json_string.h"

#include <string.h>

/* The value of four hexadecimal digits; UINT32_MAX when these are none. */
static uint32_t hex4(struct slice text)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    uint32_t value = 0;

    if (text.length < 4)
        return UINT32_MAX;
    for (size_t i = 0; i < 4; i++) {
        const char *found = memchr(digits, text.bytes[i], sizeof digits - 1);

        if (found == NULL)
            return UINT32_MAX;
        value = value << 4 | (uint32_t)((found - digits) & 15);
    }
    return value;
}

/* At the byte behind a backslash: goes to the last byte of the escape. */
static const char *read_escape(struct text_reader *text)
{
    size_t left = text->text.length - text->at;
    const char *here = text->text.bytes + text->at;
    uint32_t unit;

    if (left == 0)
        return "it ends too early";
    if (*here != 'u') {
        if (memchr("\"\\/bfnrt", *here, 8) != NULL)
            return NULL;
        text->at--;
        return "no such escape";
    }
    unit = hex4((struct slice){here + 1, left - 1});
    if (unit == UINT32_MAX || unit == 0) {
        text->at = left < 5 ? text->text.length : text->at - 1;
        return left < 5 ? "it ends too early"
                        : (unit == 0 ? "\\u0000 is not supported" : "\\u needs four digits");
    }
    text->at += 4;
    return NULL;
}

const char *json_string_read(struct text_reader *text, struct slice *raw_out, bool *escaped_out)
{
    size_t start = ++text->at;
    const char *wrong;

    *escaped_out = false;
    for (; text->at < text->text.length; text->at++) {
        unsigned char byte = (unsigned char)text->text.bytes[text->at];

        if (byte == '"') {
            *raw_out = (struct slice){text->text.bytes + start, text->at - start};
            text->at++;
            return NULL;
        }
        if (byte < 0x20)
            return "a control character in a string must be escaped";
        if (byte != '\\')
            continue;
        *escaped_out = true;
        text->at++;
        wrong = read_escape(text);
        if (wrong != NULL)
            return wrong;
    }
    return "it ends too early";
}

static size_t encode(uint32_t character, char *out)
{
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length; i-- > 1; character >>= 6)
        out[i] = (char)(0x80 | (character & 0x3f));
    out[0] = (char)(marks[length] | character);
    return length;
}

/* The character of the \u at the front of `raw`; *used_out bytes make it. */
static uint32_t unicode(struct slice raw, size_t *used_out)
{
    uint32_t unit = hex4((struct slice){raw.bytes + 2, raw.length - 2}), second;

    *used_out = 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || raw.length < 12 || raw.bytes[6] != '\\' || raw.bytes[7] != 'u')
        return 0xfffd;
    second = hex4((struct slice){raw.bytes + 8, raw.length - 8});
    if (second < 0xdc00 || second > 0xdfff)
        return 0xfffd;
    *used_out = 12;
    return 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
}

size_t json_string_decode(struct slice raw, char *out)
{
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    size_t length = 0, at = 0, used;

    while (at < raw.length) {
        const char *name;

        if (raw.bytes[at] != '\\') {
            out[length++] = raw.bytes[at++];
            continue;
        }
        if (raw.bytes[at + 1] == 'u') {
            length += encode(unicode((struct slice){raw.bytes + at, raw.length - at}, &used),
                             out + length);
            at += used;
            continue;
        }
        name = memchr(names, raw.bytes[at + 1], sizeof names - 1);
        out[length++] = name == NULL ? raw.bytes[at + 1] : meanings[name - names];
        at += 2;
    }
    return length;
}
