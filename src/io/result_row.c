#include "purser/io/result_row.h"

#include <string.h>

bool result_row_is_added(struct slice name)
{
    static const char prefix[] = "purser_";

    return name.length >= sizeof prefix - 1 && memcmp(name.bytes, prefix, sizeof prefix - 1) == 0;
}

/* The end of the member that starts at `at`: its comma, or the brace that closes the object. The
 * line has been read as JSON before, so only quotes and brackets count here. */
static size_t member_end(const struct buf *row, size_t at)
{
    size_t depth = 0;
    bool quoted = false;

    for (; at < row->length; at++) {
        char byte = row->bytes[at];

        if (quoted && byte == '\\') {
            at++;
            continue;
        }
        if (byte == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if (depth == 0 && (byte == ',' || byte == '}'))
            return at;
        if (byte == '{' || byte == '[')
            depth++;
        else if (byte == '}' || byte == ']')
            depth--;
    }
    return row->length;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The member's name, as it is written. */
static struct slice name_of(const struct buf *row, size_t at, size_t end)
{
    const char *from, *to;

    while (at < end && is_space(row->bytes[at]))
        at++;
    if (at == end || row->bytes[at] != '"')
        return (struct slice){"", 0};
    from = row->bytes + at + 1;
    to = memchr(from, '"', end - at - 1);
    return (struct slice){from, to == NULL ? 0 : (size_t)(to - from)};
}

void result_row_drop_added(struct buf *row, size_t start)
{
    size_t at = start, to;
    bool is_first = true;

    while (at < row->length && is_space(row->bytes[at]))
        at++;
    if (at == row->length || row->bytes[at] != '{')
        return;
    to = ++at;
    while (at < row->length && row->bytes[at] != '}') {
        size_t end = member_end(row, at);

        if (!result_row_is_added(name_of(row, at, end))) {
            if (!is_first)
                row->bytes[to++] = ',';
            memmove(row->bytes + to, row->bytes + at, end - at);
            to += end - at;
            is_first = false;
        }
        at = end;
        if (at == row->length || row->bytes[at] == '}')
            break;
        at++;
    }
    memmove(row->bytes + to, row->bytes + at, row->length - at);
    buf_truncate(row, to + (row->length - at));
}
