#include <string.h>

#include "json_schema_internal.h"

enum json_format json_format_named(struct slice name)
{
    if (slice_is(name, "uuid"))
        return FORMAT_UUID;
    if (slice_is(name, "uri"))
        return FORMAT_URI;
    if (slice_is(name, "email"))
        return FORMAT_EMAIL;
    return FORMAT_NONE;
}

const char *json_format_help(enum json_format format)
{
    static const char *const help[] = {
        [FORMAT_NONE] = "",
        [FORMAT_UUID] = "a UUID, as in 6a3e12b0-5f2c-4d7e-9d2a-0c1b2a3d4e5f",
        [FORMAT_URI] = "a URI with its scheme, as in https://example.com/a",
        [FORMAT_EMAIL] = "an e-mail address, as in ann@example.com",
    };

    return help[format];
}

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

/* Source: RFC 4122, section 3. Any version and variant. */
static bool fits_uuid(struct slice text)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (text.length != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if (shape[i] == '-' ? text.bytes[i] != '-' : !is_hex(text.bytes[i]))
            return false;
    return true;
}

/* True for what no address holds unquoted: blanks and control characters. */
static bool has_blank(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.bytes[i] <= ' ' || text.bytes[i] == 0x7f)
            return true;
    return false;
}

/* A scheme, a colon, and no character that must be escaped. Letters beyond ASCII pass: those who
 * read URIs escape them by themselves. Source: RFC 3986, sections 2 and 3.1. */
static bool fits_uri(struct slice text)
{
    size_t at = 0;

    while (at < text.length && (is_letter(text.bytes[at]) ||
                                (at > 0 && ((text.bytes[at] >= '0' && text.bytes[at] <= '9') ||
                                            strchr("+-.", text.bytes[at]) != NULL))))
        at++;
    if (at == 0 || at == text.length || text.bytes[at] != ':' || has_blank(text))
        return false;
    for (; at < text.length; at++)
        if (strchr("<>\"{}|\\^`", text.bytes[at]) != NULL)
            return false;
    return true;
}

/* Something before the last @ and something behind it. Source: RFC 5321, section 4.1.2; what it
 * allows between quotes is not told apart. */
static bool fits_email(struct slice text)
{
    const char *last = memrchr(text.bytes, '@', text.length);

    if (last == NULL || last == text.bytes || last + 1 == text.bytes + text.length)
        return false;
    return text.bytes[0] == '"' || !has_blank(text);
}

bool json_format_fits(enum json_format format, struct slice text)
{
    if (format == FORMAT_NONE)
        return true;
    if (text.length == 0)
        return false;
    switch (format) {
    case FORMAT_UUID:
        return fits_uuid(text);
    case FORMAT_URI:
        return fits_uri(text);
    case FORMAT_EMAIL:
        return fits_email(text);
    case FORMAT_NONE:
        break;
    }
    return true;
}
