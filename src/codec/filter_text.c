#include <string.h>

#include "filter.h"
#include "letters.h"
#include "purser/base/digest.h"

/* Source: Unicode 15, property White_Space, and U+FEFF, which spreadsheets leave behind. */
static bool is_space(uint32_t character)
{
    return (character >= 9 && character <= 13) || character == ' ' || character == 0x85 ||
           character == 0xa0 || character == 0x1680 ||
           (character >= 0x2000 && character <= 0x200a) || character == 0x2028 ||
           character == 0x2029 || character == 0x202f || character == 0x205f ||
           character == 0x3000 || character == 0xfeff;
}

static struct slice from(struct slice text, size_t at)
{
    return (struct slice){text.bytes + at, text.length - at};
}

/* Bytes of the character at `at`; one for a byte that is none. */
static size_t character_at(struct slice text, size_t at, uint32_t *character_out)
{
    size_t size = text_decode(from(text, at), character_out);

    if (size > 0)
        return size;
    *character_out = UINT32_MAX;
    return 1;
}

bool filter_trim(struct filter_call *call)
{
    struct slice text = call->text;
    size_t begin = 0, end = 0, at = 0;
    bool started = false;

    while (at < text.length) {
        uint32_t character;
        size_t size = character_at(text, at, &character);

        if (!is_space(character)) {
            begin = started ? begin : at;
            started = true;
            end = at + size;
        }
        at += size;
    }
    return filter_give_text(call, text.bytes + begin, end - begin);
}

/* Writes a character below U+0800. */
static size_t encode(char *out, uint32_t character)
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    out[0] = (char)(0xc0 | character >> 6);
    out[1] = (char)(0x80 | (character & 0x3f));
    return 2;
}

static bool change_case(struct filter_call *call, uint32_t (*change)(uint32_t character))
{
    struct slice text = call->text;
    /* ı and ſ become shorter, nothing becomes longer. */
    char *out = filter_memory(call, text.length, 1);
    size_t length = 0, at = 0;

    if (out == NULL)
        return false;
    while (at < text.length) {
        uint32_t character, changed;
        size_t size = character_at(text, at, &character);

        changed = change(character);
        if (changed == character) {
            memcpy(out + length, text.bytes + at, size);
            length += size;
        } else {
            length += encode(out + length, changed);
        }
        at += size;
    }
    return filter_give_text(call, out, length);
}

bool filter_lower(struct filter_call *call)
{
    return change_case(call, letter_lower);
}

bool filter_upper(struct filter_call *call)
{
    return change_case(call, letter_upper);
}

bool filter_check_replace(struct filter_call *call)
{
    struct slice old, new;

    if (!filter_argument_text(call, 0, &old) || !filter_argument_text(call, 1, &new))
        return false;
    return old.length > 0 || filter_fail(call, call->expr->operation.filter->usage,
                                         "'replace' cannot look for empty text");
}

bool filter_replace(struct filter_call *call)
{
    struct slice text = call->text, old, new;
    const char *found, *end = slice_end(text);
    size_t count = 0, length = 0;
    char *out;

    if (!filter_check_replace(call) || !filter_argument_text(call, 0, &old) ||
        !filter_argument_text(call, 1, &new))
        return false;
    for (const char *at = text.bytes; text.length > 0; at = found + old.length, count++)
        if ((found = memmem(at, (size_t)(end - at), old.bytes, old.length)) == NULL)
            break;
    if (count == 0)
        return filter_give_text(call, text.bytes, text.length);
    if (new.length > 0 && count > SIZE_MAX / 2 / new.length)
        return filter_fail(call, NULL, "'replace' makes too much text");
    out = filter_memory(call, text.length - count * old.length + count * new.length, 1);
    if (out == NULL)
        return false;
    for (const char *at = text.bytes; at <= end; at = found + old.length) {
        found = memmem(at, (size_t)(end - at), old.bytes, old.length);
        memcpy(out + length, at, (size_t)((found != NULL ? found : end) - at));
        length += (size_t)((found != NULL ? found : end) - at);
        if (found == NULL)
            break;
        if (new.length > 0)
            memcpy(out + length, new.bytes, new.length);
        length += new.length;
    }
    return filter_give_text(call, out, length);
}

bool filter_check_truncate(struct filter_call *call)
{
    int64_t wanted;

    return filter_argument_whole(call, 0, 0, INT32_MAX, &wanted);
}

bool filter_truncate(struct filter_call *call)
{
    int64_t wanted;
    size_t at = 0;
    uint32_t character;

    if (!filter_argument_whole(call, 0, 0, INT32_MAX, &wanted))
        return false;
    for (; at < call->text.length && wanted > 0; wanted--)
        at += character_at(call->text, at, &character);
    return filter_give_text(call, call->text.bytes, at);
}

bool filter_starts_with(struct filter_call *call)
{
    struct slice start;

    if (!filter_argument_text(call, 0, &start))
        return false;
    return filter_give_truth(
        call, call->text.length >= start.length &&
                  slice_equal((struct slice){call->text.bytes, start.length}, start));
}

bool filter_ends_with(struct filter_call *call)
{
    struct slice end;

    if (!filter_argument_text(call, 0, &end))
        return false;
    return filter_give_truth(
        call, call->text.length >= end.length &&
                  slice_equal(from(call->text, call->text.length - end.length), end));
}

enum { PAD_WIDTH_MAX = 1000 };

static bool take_pad(struct filter_call *call, int64_t *width_out, struct slice *fill_out)
{
    uint32_t character;

    if (!filter_argument_whole(call, 0, 0, PAD_WIDTH_MAX, width_out) ||
        !filter_argument_text(call, 1, fill_out))
        return false;
    if (fill_out->length > 0 && character_at(*fill_out, 0, &character) == fill_out->length)
        return true;
    return filter_fail(call, call->expr->operation.filter->usage,
                       "'pad' fills up with one character");
}

bool filter_check_pad(struct filter_call *call)
{
    struct slice fill;
    int64_t width;

    return take_pad(call, &width, &fill);
}

bool filter_pad(struct filter_call *call)
{
    struct slice text = call->text, fill;
    size_t length = 0, at = 0;
    uint32_t character;
    int64_t missing;
    char *out;

    if (!take_pad(call, &missing, &fill))
        return false;
    for (; at < text.length && missing > 0; missing--)
        at += character_at(text, at, &character);
    out = filter_memory(call, text.length + (size_t)missing * fill.length, 1);
    if (out == NULL)
        return false;
    for (; missing > 0; missing--, length += fill.length)
        memcpy(out + length, fill.bytes, fill.length);
    if (text.length > 0)
        memcpy(out + length, text.bytes, text.length);
    return filter_give_text(call, out, length + text.length);
}

bool filter_slug(struct filter_call *call)
{
    struct slice text = call->text;
    /* A letter of one byte becomes one, of more bytes at most two; a dash stands for at least one
     * byte. */
    char *out = filter_memory(call, text.length, 1);
    size_t length = 0, at = 0;
    bool dash = false;

    if (out == NULL)
        return false;
    while (at < text.length) {
        uint32_t character;
        size_t size = character_at(text, at, &character);
        const char *plain = letter_plain(character);
        char digit[2] = {(char)character, '\0'};

        if (character >= '0' && character <= '9')
            plain = digit;
        at += size;
        if (plain[0] == '\0') {
            dash = length > 0;
            continue;
        }
        if (dash)
            out[length++] = '-';
        dash = false;
        memcpy(out + length, plain, strlen(plain));
        length += strlen(plain);
    }
    if (length == 0)
        return filter_fail(call, NULL, "'slug' finds no Latin letter and no digit in '%.*s'",
                           expr_shown(text), text.bytes);
    return filter_give_text(call, out, length);
}

/* Source: RFC 4648 section 4 */
bool filter_base64(struct filter_call *call)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)call->text.bytes;
    size_t length = call->text.length, at = 0;
    char *out = filter_memory(call, length / 3 + 1, 4);

    if (out == NULL)
        return false;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);

        out[at++] = digits[three >> 18];
        out[at++] = digits[three >> 12 & 63];
        out[at++] = left > 1 ? digits[three >> 6 & 63] : '=';
        out[at++] = left > 2 ? digits[three & 63] : '=';
    }
    return filter_give_text(call, out, at);
}

bool filter_sha256(struct filter_call *call)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DIGEST_BYTES];
    char *out = filter_memory(call, DIGEST_BYTES, 2);

    if (out == NULL)
        return false;
    digest_bytes(call->text.bytes, call->text.length, digest);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    return filter_give_text(call, out, (size_t)DIGEST_BYTES * 2);
}
