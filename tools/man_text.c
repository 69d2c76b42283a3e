#include "man_text.h"

#include <string.h>

static void append_character(struct buf *out, uint32_t character, struct slice bytes)
{
    static const struct {
        char written;
        const char *shown;
    } escapes[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"}, {'`', "\\(ga"},
                   {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"}};

    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (character == (unsigned char)escapes[i].written) {
            buf_append_text(out, escapes[i].shown);
            return;
        }
    }
    if (character < 0x80)
        buf_append(out, bytes.bytes, bytes.length);
    else
        buf_append_format(out, "\\[u%04X]", (unsigned)character);
}

void man_append(struct buf *out, struct slice text)
{
    bool at_begin = out->length == 0 || out->bytes[out->length - 1] == '\n';

    for (size_t at = 0; at < text.length;) {
        struct slice rest = {text.bytes + at, text.length - at};
        uint32_t character;
        size_t size = text_decode(rest, &character);

        if (size == 0)
            return;
        if (at_begin && (character == '.' || character == '\''))
            buf_append_text(out, "\\&");
        append_character(out, character, (struct slice){rest.bytes, size});
        at_begin = character == '\n';
        at += size;
    }
}

void man_request(struct buf *out, const char *request, const char *text)
{
    buf_append_format(out, "%s \"", request);
    man_append(out, slice_of(text));
    buf_append_text(out, "\"\n");
}

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && strchr(" \n", text.bytes[0]) != NULL) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && strchr(" \n", text.bytes[text.length - 1]) != NULL)
        text.length--;
    return text;
}

/* Words, one blank between them: blanks at the begin of a line would break the filling. */
static void append_words(struct buf *out, struct slice text)
{
    text = trimmed(text);
    for (size_t at = 0; at < text.length;) {
        size_t end = at;

        while (end < text.length && text.bytes[end] != ' ' && text.bytes[end] != '\n')
            end++;
        man_append(out, (struct slice){text.bytes + at, end - at});
        while (end < text.length && (text.bytes[end] == ' ' || text.bytes[end] == '\n'))
            end++;
        if (end < text.length)
            buf_append_byte(out, ' ');
        at = end;
    }
    buf_append_byte(out, '\n');
}

/* Below a heading one has begun already. */
static void begin_paragraph(struct buf *out)
{
    size_t at = out->length > 0 ? out->length - 1 : 0;

    while (at > 0 && out->bytes[at - 1] != '\n')
        at--;
    if (out->length - at < 3 || memcmp(out->bytes + at, ".S", 2) != 0)
        buf_append_text(out, ".PP\n");
}

void man_paragraph(struct buf *out, struct slice text)
{
    begin_paragraph(out);
    append_words(out, text);
}

void man_lines(struct buf *out, struct slice lines)
{
    begin_paragraph(out);
    buf_append_text(out, ".nf\n");
    man_append(out, lines);
    if (out->bytes[out->length - 1] != '\n')
        buf_append_byte(out, '\n');
    buf_append_text(out, ".fi\n");
}

void man_term(struct buf *out, struct slice term, struct slice text)
{
    buf_append_text(out, ".TP\n\\fB");
    man_append(out, trimmed(term));
    buf_append_text(out, "\\fR\n");
    append_words(out, text);
}

/* --- the text of a help --- */

static struct slice line_at(const char *text)
{
    return (struct slice){text, strcspn(text, "\n")};
}

static size_t indent_of(struct slice line)
{
    size_t indent = 0;

    while (indent < line.length && line.bytes[indent] == ' ')
        indent++;
    return indent;
}

static const char *behind(const char *text)
{
    text += strcspn(text, "\n");
    return *text == '\n' ? text + 1 : text;
}

static bool is_option(struct slice line)
{
    return line.length > 2 && memcmp(line.bytes, "  -", 3) == 0;
}

/* Where the text of a term begins: behind two blanks. */
static size_t text_column(struct slice line)
{
    for (size_t i = 3; i + 2 < line.length; i++)
        if (line.bytes[i] == ' ' && line.bytes[i + 1] == ' ') {
            while (i < line.length && line.bytes[i] == ' ')
                i++;
            return i;
        }
    return line.length;
}

/* An option with the lines that go on with it; gives what follows. */
static const char *append_option(struct buf *out, const char *text)
{
    struct slice first = line_at(text), line;
    size_t column = text_column(first);
    const char *next = behind(text);

    for (line = line_at(next); indent_of(line) > 2 && line.length > 0; line = line_at(next))
        next = behind(next);
    man_term(out, (struct slice){text, column},
             (struct slice){text + column, (size_t)(next - text) - column});
    return next;
}

/* "operators", alone between empty lines. */
static bool is_heading(struct slice block)
{
    for (size_t i = 0; i < block.length; i++)
        if ((block.bytes[i] < 'a' || block.bytes[i] > 'z') && block.bytes[i] != ' ')
            return false;
    return true;
}

/* Lines up to an empty one or an option; gives what follows. */
static const char *append_block(struct buf *out, const char *text)
{
    const char *end = text;
    bool has_indent = false;
    struct slice block;

    while (*end != '\0' && line_at(end).length > 0 && !is_option(line_at(end))) {
        has_indent = has_indent || *end == ' ';
        end = behind(end);
    }
    block = (struct slice){text, (size_t)(end - text)};
    if (has_indent) {
        man_lines(out, block);
    } else if (is_heading(trimmed(block))) {
        buf_append_text(out, ".SS \"");
        man_append(out, trimmed(block));
        buf_append_text(out, "\"\n");
    } else {
        man_paragraph(out, block);
    }
    return end;
}

void man_help(struct buf *out, const char *help)
{
    while (*help != '\0') {
        if (line_at(help).length == 0)
            help = behind(help);
        else if (is_option(line_at(help)))
            help = append_option(out, help);
        else
            help = append_block(out, help);
    }
}
