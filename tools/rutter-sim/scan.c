#include "scan.h"

#include <string.h>

struct cursor {
    const char *at;
    const char *start;
    const char *end;
    struct slice wrapper;
    struct scan *scan;
    int noted_depth; /* depth of the object whose members are noted; 0: none yet */
};

static bool scan_value(struct cursor *c, int depth, struct slice name);

static bool fail(struct cursor *c, const char *problem)
{
    if (c->scan->problem == NULL) {
        c->scan->problem = problem;
        c->scan->problem_at = (size_t)(c->at - c->start);
    }
    return false;
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

/* Length of the well-formed UTF-8 sequence at `p`, or 0. Source: RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t length;
    unsigned char low = 0x80, high = 0xbf;

    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        length = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        length = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (left < length)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return length;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(struct cursor *c)
{
    c->at++;
    if (c->at == c->end)
        return fail(c, "the text ends inside a string");
    if (*c->at == 'u') {
        if (c->end - c->at < 5 || !is_hex(c->at[1]) || !is_hex(c->at[2]) || !is_hex(c->at[3]) ||
            !is_hex(c->at[4]))
            return fail(c, "the escape u needs four hexadecimal digits");
        c->at += 5;
        return true;
    }
    if (*c->at == '\0' || strchr("\"\\/bfnrt", *c->at) == NULL)
        return fail(c, "unknown escape in a string");
    c->at++;
    return true;
}

#define EACH_BYTE(value) (0x0101010101010101u * (value))

/* Whether one of the eight bytes ends a run of plain characters: a control character, a quote, a
 * backslash, or a byte of a longer UTF-8 sequence. May also say so of eight that have none. */
static bool has_special(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE('"');
    uint64_t backslash = word ^ EACH_BYTE('\\');
    uint64_t below = (word - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1));

    return ((below | word) & EACH_BYTE(0x80)) != 0;
}

static bool is_special(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\' || (unsigned char)c >= 0x80;
}

static void skip_plain(struct cursor *c)
{
    uint64_t word;

    while (c->end - c->at >= 8) {
        memcpy(&word, c->at, sizeof word);
        if (has_special(word))
            break;
        c->at += 8;
    }
    while (c->at < c->end && !is_special(*c->at))
        c->at++;
}

static bool scan_string(struct cursor *c, struct slice *inside_out)
{
    const char *first = ++c->at;

    for (;;) {
        size_t length;

        skip_plain(c);
        if (c->at == c->end)
            return fail(c, "the text ends inside a string");
        if (*c->at == '"')
            break;
        if (*c->at == '\\') {
            if (!scan_escape(c))
                return false;
            continue;
        }
        if ((unsigned char)*c->at < 0x20)
            return fail(c, "control character in a string");
        length = utf8_length((const unsigned char *)c->at, (size_t)(c->end - c->at));
        if (length == 0)
            return fail(c, "invalid UTF-8");
        c->at += length;
    }
    *inside_out = (struct slice){first, (size_t)(c->at - first)};
    c->at++;
    return true;
}

static bool scan_digits(struct cursor *c)
{
    const char *first = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > first;
}

static bool scan_number(struct cursor *c)
{
    if (*c->at == '-')
        c->at++;
    if (c->at < c->end && *c->at == '0')
        c->at++;
    else if (!scan_digits(c))
        return fail(c, "a value was expected");
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!scan_digits(c))
            return fail(c, "digits were expected after the point");
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
            c->at++;
        if (!scan_digits(c))
            return fail(c, "digits were expected in the exponent");
    }
    return true;
}

static bool scan_word(struct cursor *c, struct slice word)
{
    if (!slice_starts_with((struct slice){c->at, (size_t)(c->end - c->at)}, word))
        return fail(c, "a value was expected");
    c->at += word.length;
    return true;
}

static void note_member(struct cursor *c, int depth, struct slice name, struct slice value)
{
    struct scan *scan = c->scan;

    if (depth == 1 && slice_equal(name, SLICE("response_mode")))
        scan->response_mode = scan_unquoted(value);
    if (depth == 1 && c->wrapper.length > 0 && slice_equal(name, c->wrapper))
        scan->wrapper = value;
    if (scan->first_sku.length == 0 && slice_equal(name, SLICE("sku")) && value.bytes[0] == '"')
        scan->first_sku = scan_unquoted(value);
    if (depth == c->noted_depth && scan->member_count < SCAN_MEMBERS_MAX)
        scan->members[scan->member_count++] = (struct scan_member){name, value};
}

static bool scan_member(struct cursor *c, int depth)
{
    struct slice name;
    const char *value;
    bool is_wrapper;

    if (c->at == c->end || *c->at != '"')
        return fail(c, "a member name was expected");
    if (!scan_string(c, &name))
        return false;
    skip_space(c);
    if (c->at == c->end || *c->at != ':')
        return fail(c, "':' was expected");
    c->at++;
    skip_space(c);
    value = c->at;
    is_wrapper = depth == 1 && c->wrapper.length > 0 && slice_equal(name, c->wrapper);
    if (is_wrapper)
        c->noted_depth = 2;
    if (!scan_value(c, depth, name))
        return false;
    if (is_wrapper)
        c->noted_depth = 0;
    note_member(c, depth, name, (struct slice){value, (size_t)(c->at - value)});
    return true;
}

static bool scan_array(struct cursor *c, int depth)
{
    c->at++;
    skip_space(c);
    if (c->at < c->end && *c->at == ']') {
        c->at++;
        return true;
    }
    for (;;) {
        if (!scan_value(c, depth, (struct slice){NULL, 0}))
            return false;
        skip_space(c);
        if (c->at == c->end)
            return fail(c, "the text ends inside an array");
        if (*c->at == ']')
            break;
        if (*c->at != ',')
            return fail(c, "',' or ']' was expected");
        c->at++;
        skip_space(c);
    }
    c->at++;
    return true;
}

static bool scan_object(struct cursor *c, int depth)
{
    c->at++;
    skip_space(c);
    if (c->at < c->end && *c->at == '}') {
        c->at++;
        return true;
    }
    for (;;) {
        if (!scan_member(c, depth))
            return false;
        skip_space(c);
        if (c->at == c->end)
            return fail(c, "the text ends inside an object");
        if (*c->at == '}')
            break;
        if (*c->at != ',')
            return fail(c, "',' or '}' was expected");
        c->at++;
        skip_space(c);
    }
    c->at++;
    return true;
}

/* `depth` counts the containers around the value; `name` is the member it belongs to, if any. */
static bool scan_value(struct cursor *c, int depth, struct slice name)
{
    struct slice ignored;

    if (c->at == c->end)
        return fail(c, "a value was expected");
    if (depth == SCAN_DEPTH_MAX)
        return fail(c, "nested too deeply");
    switch (*c->at) {
    case '{':
        return scan_object(c, depth + 1);
    case '[':
        return scan_array(c, depth + 1);
    case '"':
        return scan_string(c, &ignored);
    case 't':
        return scan_word(c, SLICE("true"));
    case 'f':
        return scan_word(c, SLICE("false"));
    case 'n':
        if (!scan_word(c, SLICE("null")))
            return false;
        if (!c->scan->has_null)
            c->scan->null_name = name;
        c->scan->has_null = true;
        return true;
    default:
        return scan_number(c);
    }
}

void scan_body(struct slice body, struct slice wrapper, struct scan *scan)
{
    struct cursor c = {.at = body.bytes,
                       .start = body.bytes,
                       .end = body.bytes + body.length,
                       .wrapper = wrapper,
                       .scan = scan,
                       .noted_depth = wrapper.length == 0 ? 1 : 0};

    /* The members array is large and only its first `member_count` entries are ever read. */
    memset(scan, 0, offsetof(struct scan, members));
    skip_space(&c);
    scan->is_object = c.at < c.end && *c.at == '{';
    if (!scan_value(&c, 0, (struct slice){NULL, 0}))
        return;
    skip_space(&c);
    if (c.at != c.end)
        fail(&c, "text after the end of the value");
}

struct slice scan_member_value(const struct scan *scan, struct slice name)
{
    for (size_t i = 0; i < scan->member_count; i++)
        if (slice_equal(scan->members[i].name, name))
            return scan->members[i].value;
    return (struct slice){NULL, 0};
}

struct slice scan_unquoted(struct slice value)
{
    if (value.length >= 2 && value.bytes[0] == '"')
        return (struct slice){value.bytes + 1, value.length - 2};
    return value;
}
