/* From a byte of a scalar's value back to the byte of its source, whatever its quoting. */
#include <string.h>

#include "expr_tree.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Bytes of one escape in a double-quoted scalar, from its backslash on. */
static size_t escape_length(struct slice raw, size_t at)
{
    char kind = at + 1 < raw.length ? raw.bytes[at + 1] : '\0';

    return kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
}

static size_t skip_blanks(struct slice raw, size_t at)
{
    while (at < raw.length && is_blank(raw.bytes[at]))
        at++;
    return at;
}

/* Where the source goes on after the value's byte `byte`, which stands at `at` of the source. */
static size_t step(struct slice raw, size_t at, char byte)
{
    char quote = raw.bytes[0];
    size_t blanks_end;

    if (at >= raw.length)
        return at;
    if (quote == '"' && raw.bytes[at] == '\\')
        return at + escape_length(raw, at);
    if (quote == '\'' && raw.bytes[at] == '\'')
        return at + 2;
    if (!is_blank(byte))
        return at + 1;
    /* A folded line break: blanks of the source, with the indentation, are one blank. */
    blanks_end = skip_blanks(raw, at);
    if (memchr(raw.bytes + at, '\n', blanks_end - at) != NULL)
        return blanks_end;
    return is_blank(raw.bytes[at]) ? at + 1 : at;
}

static size_t count_characters(struct slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.bytes[i] & 0xc0) != 0x80;
    return count;
}

struct place expr_place(const struct expr_origin *origin, struct slice text)
{
    const struct yaml_node *scalar = origin->scalar;
    size_t at = origin->raw_offset;

    if (!origin->is_known || scalar->raw.length == 0)
        return scalar->place;
    for (const char *byte = scalar->text.bytes + origin->text_offset; byte < text.bytes; byte++)
        at = step(scalar->raw, at, *byte);
    if (at > scalar->raw.length)
        return scalar->place;
    return yaml_place_in(scalar, at, count_characters(text));
}
