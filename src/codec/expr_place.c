/* From a byte of a scalar's value back to the byte of its source, whatever its style.
 *
 * YAML folds, indents and breaks blanks in many ways, but all else of a value stands in its source,
 * in the same order: as it is, as '' or as an escape. So what is not blank is counted on both sides
 * side by side. */
#include <assert.h>
#include <string.h>

#include "expr_tree.h"

/* Bytes of the blank or line break at `at`; 0 when there is none. */
static size_t blank_at(struct slice text, size_t at)
{
    if (at >= text.length)
        return 0;
    if (memchr(" \t\r\n", text.bytes[at], 4) != NULL)
        return 1;
    /* U+0085 is a line break to YAML 1.1. */
    return text.length - at >= 2 && memcmp(text.bytes + at, "\xc2\x85", 2) == 0 ? 2 : 0;
}

/* One escape of a double-quoted scalar. */
struct escape {
    size_t length;     /* in the source, with its backslash */
    size_t text_bytes; /* what it gives; 0 = blanks, which are not counted */
};

static struct escape coded_escape(struct slice raw, size_t at, size_t digits)
{
    uint32_t character = 0;

    for (size_t i = at + 2; i < at + 2 + digits && i < raw.length; i++) {
        unsigned char byte = (unsigned char)raw.bytes[i];

        character = character << 4 | (byte <= '9' ? byte & 15U : (byte & 15U) + 9);
    }
    if (character == ' ' || character == '\t' || character == '\r' || character == '\n' ||
        character == 0x85)
        return (struct escape){2 + digits, 0};
    return (struct escape){2 + digits, character < 0x80      ? 1
                                       : character < 0x800   ? 2
                                       : character < 0x10000 ? 3
                                                             : 4};
}

/* Source: YAML 1.1 section 5.6, as libyaml 0.2.5 reads it */
static struct escape escape_at(struct slice raw, size_t at)
{
    switch (at + 1 < raw.length ? raw.bytes[at + 1] : '\0') {
    case 'x':
        return coded_escape(raw, at, 2);
    case 'u':
        return coded_escape(raw, at, 4);
    case 'U':
        return coded_escape(raw, at, 8);
    case 't':
    case '\t':
    case 'n':
    case 'r':
    case ' ':
    case 'N': /* U+0085 */
    case '\r':
    case '\n': /* the line goes on */
        return (struct escape){2, 0};
    case '_': /* U+00A0 */
        return (struct escape){2, 2};
    case 'L': /* U+2028 */
    case 'P': /* U+2029 */
        return (struct escape){2, 3};
    default:
        return (struct escape){2, 1};
    }
}

static bool is_quoted_by(const struct yaml_node *scalar, char quote)
{
    return !scalar->plain && scalar->raw.length > 0 && scalar->raw.bytes[0] == quote;
}

static size_t skip_blanks(const struct yaml_node *scalar, size_t at)
{
    struct slice raw = scalar->raw;
    bool has_escapes = is_quoted_by(scalar, '"');

    while (at < raw.length) {
        size_t length = blank_at(raw, at);

        if (length == 0 && has_escapes && raw.bytes[at] == '\\') {
            struct escape escape = escape_at(raw, at);

            length = escape.text_bytes == 0 ? escape.length : 0;
        }
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

static void skip_cut(struct expr_origin *origin)
{
    struct yaml_node whole = *origin->scalar;
    struct expr_origin at = *origin;

    whole.text.bytes -= whole.cut;
    whole.text.length += whole.cut;
    at.scalar = &whole;
    expr_origin_advance(&at, whole.cut);
    origin->raw_offset = at.raw_offset;
    origin->is_known = at.is_known;
}

void expr_origin_start(struct expr_origin *origin, const struct yaml_node *scalar)
{
    *origin = (struct expr_origin){.scalar = scalar, .is_known = scalar->raw.length > 0};
    if (is_quoted_by(scalar, '"') || is_quoted_by(scalar, '\''))
        origin->raw_offset = 1;
    /* The head of a block scalar has no part in its value, but may have a comment. */
    if (is_quoted_by(scalar, '|') || is_quoted_by(scalar, '>')) {
        const char *end = memchr(scalar->raw.bytes, '\n', scalar->raw.length);

        origin->raw_offset =
            end != NULL ? (size_t)(end - scalar->raw.bytes) + 1 : scalar->raw.length;
    }
    if (scalar->cut > 0)
        skip_cut(origin);
}

/* Goes past the byte of the value, and what stands for it in the source. */
static void step(struct expr_origin *origin)
{
    const struct yaml_node *scalar = origin->scalar;
    struct slice raw = scalar->raw;
    size_t at = skip_blanks(scalar, origin->raw_offset), length = 1, text_bytes = 1;
    char byte = scalar->text.bytes[origin->text_offset];

    if (at < raw.length && raw.bytes[at] == '\\' && is_quoted_by(scalar, '"')) {
        struct escape escape = escape_at(raw, at);

        length = escape.length;
        text_bytes = escape.text_bytes;
    } else if (at >= raw.length || raw.bytes[at] != byte) {
        origin->is_known = false; /* the value was made of something else */
    } else if (byte == '\'' && is_quoted_by(scalar, '\'')) {
        length = 2;
    }
    origin->raw_offset = at + length < raw.length ? at + length : raw.length;
    origin->text_offset += text_bytes;
}

void expr_origin_advance(struct expr_origin *origin, size_t text_offset)
{
    struct slice text = origin->scalar->text;

    assert(text_offset <= text.length);
    while (origin->is_known && origin->text_offset < text_offset) {
        size_t blank = blank_at(text, origin->text_offset);

        if (blank > 0)
            origin->text_offset += blank;
        else
            step(origin);
    }
    origin->text_offset = text_offset;
    if (blank_at(text, text_offset) == 0 && text_offset < text.length)
        origin->raw_offset = skip_blanks(origin->scalar, origin->raw_offset);
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
    struct expr_origin at = *origin;

    expr_origin_advance(&at, (size_t)(text.bytes - at.scalar->text.bytes));
    if (!at.is_known)
        return at.scalar->place;
    return yaml_place_in(at.scalar, at.raw_offset, count_characters(text));
}
