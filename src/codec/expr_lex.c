#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expr_parser.h"
#include "purser/codec/decimal.h"

void parser_error(struct parser *parser, struct slice where, const char *code, const char *help,
                  const char *format, ...)
{
    char text[DIAG_TEXT_BYTES_MAX];
    va_list arguments;

    parser->token = (struct token){.kind = TOKEN_END, .source = where};
    if (parser->failed)
        return;
    parser->failed = true;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    diagnostics_add(parser->context->diagnostics, DIAG_ERROR, expr_place(parser->origin, where),
                    code, help, "%s", text);
}

void parser_no_memory(struct parser *parser)
{
    parser_error(parser, (struct slice){parser->text.bytes + parser->at, 0}, "expr.memory", NULL,
                 "out of memory");
}

/* Letters of other scripts are fine in names: columns have them. */
static bool is_name_start(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           ((unsigned char)byte & 0x80) != 0;
}

bool expr_is_name(struct slice name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!is_name_start(name.bytes[i]) && (i == 0 || !text_is_digit(name.bytes[i])))
            return false;
    return name.length > 0;
}

static char byte_at(const struct parser *parser, size_t at)
{
    return at < parser->text.length ? parser->text.bytes[at] : '\0';
}

static struct slice part(const struct parser *parser, size_t from, size_t to)
{
    return (struct slice){parser->text.bytes + from, to - from};
}

static void set_token(struct parser *parser, enum token_kind kind, size_t length)
{
    parser->token =
        (struct token){.kind = kind, .source = part(parser, parser->at, parser->at + length)};
    parser->at += length;
}

static void read_name(struct parser *parser)
{
    size_t end = parser->at + 1;

    while (is_name_start(byte_at(parser, end)) || text_is_digit(byte_at(parser, end)))
        end++;
    set_token(parser, TOKEN_NAME, end - parser->at);
}

static void read_number(struct parser *parser)
{
    size_t end = parser->at;
    struct slice number;

    while (text_is_digit(byte_at(parser, end)))
        end++;
    if (byte_at(parser, end) == '.' && text_is_digit(byte_at(parser, end + 1)))
        for (end += 2; text_is_digit(byte_at(parser, end));)
            end++;
    while (is_name_start(byte_at(parser, end)) || text_is_digit(byte_at(parser, end)) ||
           ((byte_at(parser, end) == '-' || byte_at(parser, end) == '+') &&
            (byte_at(parser, end - 1) | 0x20) == 'e'))
        end++;
    number = part(parser, parser->at, end);
    if (decimal_is_json(number))
        set_token(parser, TOKEN_NUMBER, number.length);
    else
        parser_error(parser, number, "expr.syntax",
                     "numbers are written 12, 1.5 or 1e3; text stands in quotes",
                     "'%.*s' is no number", (int)number.length, number.bytes);
}

/* The byte that an escape stands for; 0 when there is no such escape. */
static char unescape(char kind)
{
    switch (kind) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case '"':
    case '\'':
    case '\\':
        return kind;
    default:
        return '\0';
    }
}

/* Reads the four digits of \u and writes their character at `out`; gives its bytes, or 0 when it is
 * no character that a text can have. */
static size_t unescape_character(struct slice digits, char *out)
{
    static const char hexadecimal[] = "0123456789abcdef";
    uint32_t character = 0;

    for (size_t i = 0; i < 4; i++) {
        char digit = i < digits.length ? digits.bytes[i] : '\0';
        const char *found =
            digit == '\0'
                ? NULL
                : strchr(hexadecimal, digit >= 'A' && digit <= 'F' ? digit | 0x20 : digit);

        if (found == NULL)
            return 0;
        character = character << 4 | (uint32_t)(found - hexadecimal);
    }
    if (character == 0 || (character >= 0xd800 && character <= 0xdfff))
        return 0;
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xc0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | character >> 12);
    out[1] = (char)(0x80 | (character >> 6 & 0x3f));
    out[2] = (char)(0x80 | (character & 0x3f));
    return 3;
}

/* Writes what stands between the quotes at `from` and `to`; false after a message. An escape is
 * never shorter than what it stands for. */
static bool unescape_text(struct parser *parser, size_t from, size_t to, char *text,
                          size_t *length_out)
{
    size_t length = 0;

    for (size_t i = from; i < to; i++) {
        char byte = parser->text.bytes[i];
        size_t size = 1;

        text[length] = byte;
        if (byte == '\\' && parser->text.bytes[++i] == 'u') {
            size = unescape_character(part(parser, i + 1, to), text + length);
            i += size > 0 ? 4 : 0;
        } else if (byte == '\\') {
            text[length] = unescape(parser->text.bytes[i]);
            size = text[length] != '\0';
        }
        if (size == 0) {
            parser_error(parser, part(parser, i - 1, i + 1), "expr.syntax",
                         "there are \\\" \\' \\\\ \\n \\t \\r and \\u00e4",
                         "there is no such escape");
            return false;
        }
        length += size;
    }
    *length_out = length;
    return true;
}

static void read_string(struct parser *parser)
{
    char quote = byte_at(parser, parser->at), *text;
    size_t end = parser->at + 1, length;

    while (end < parser->text.length && parser->text.bytes[end] != quote)
        end += parser->text.bytes[end] == '\\' ? 2 : 1;
    if (end >= parser->text.length) {
        parser_error(parser, part(parser, parser->at, parser->at + 1), "expr.syntax",
                     "a quote mark inside of the text is written \\\" or \\'",
                     "this text has no closing %c", quote);
        return;
    }
    text = arena_new(parser->context->arena, 1, end - parser->at);
    if (text == NULL) {
        parser_no_memory(parser);
        return;
    }
    if (!unescape_text(parser, parser->at + 1, end, text, &length))
        return;
    set_token(parser, TOKEN_STRING, end + 1 - parser->at);
    parser->token.text = (struct slice){text, length};
}

/* What people write who know other languages. */
static void reject(struct parser *parser)
{
    static const struct {
        const char *written, *help;
    } habits[] = {
        {"&&", "write and"},
        {"||", "write or"},
        {"!", "write not"},
        {"=", "write == to compare"},
        {"?", "there is no ? : here; write if(condition, then, else)"},
        {"{", "${ does not go inside ${…}: names stand there as they are"},
        {"$", "${ does not go inside ${…}: names stand there as they are"},
    };
    struct slice rest = part(parser, parser->at, parser->text.length);
    uint32_t character;
    size_t size = text_decode(rest, &character);

    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        struct slice written = slice_of(habits[i].written);

        if (rest.length >= written.length &&
            slice_equal((struct slice){rest.bytes, written.length}, written)) {
            parser_error(parser, (struct slice){rest.bytes, written.length}, "expr.syntax",
                         habits[i].help, "'%s' is not part of expressions", habits[i].written);
            return;
        }
    }
    rest.length = size > 0 ? size : 1;
    parser_error(parser, rest, "expr.syntax", "a text needs quotes: \"…\"",
                 "'%.*s' is not part of expressions", (int)rest.length, rest.bytes);
}

static void read_symbol(struct parser *parser)
{
    static const struct {
        char text[3];
        enum token_kind kind;
    } symbols[] = {
        /* longer ones first */
        {"??", TOKEN_COALESCE},    {"=>", TOKEN_ARROW},         {"==", TOKEN_EQUAL},
        {"!=", TOKEN_UNEQUAL},     {"<=", TOKEN_LESS_OR_EQUAL}, {">=", TOKEN_GREATER_OR_EQUAL},
        {"<", TOKEN_LESS},         {">", TOKEN_GREATER},        {"+", TOKEN_PLUS},
        {"-", TOKEN_MINUS},        {"*", TOKEN_TIMES},          {"/", TOKEN_DIVIDE},
        {"|", TOKEN_PIPE},         {"(", TOKEN_OPEN},           {")", TOKEN_CLOSE},
        {"[", TOKEN_OPEN_BRACKET}, {"]", TOKEN_CLOSE_BRACKET},  {",", TOKEN_COMMA},
        {".", TOKEN_DOT},          {"}", TOKEN_CLOSE_BRACE},
    };
    char first = byte_at(parser, parser->at), second = byte_at(parser, parser->at + 1);

    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        const char *text = symbols[i].text;

        if (first != text[0] || (text[1] != '\0' && second != text[1]))
            continue;
        if (first == '|' && second == '|')
            break;
        set_token(parser, symbols[i].kind, text[1] != '\0' ? 2 : 1);
        return;
    }
    reject(parser);
}

void parser_advance(struct parser *parser)
{
    char byte;

    if (parser->failed)
        return;
    parser->end_of_previous = parser->text.bytes + parser->at;
    while (parser->at < parser->text.length &&
           memchr(" \t\r\n", parser->text.bytes[parser->at], 4) != NULL)
        parser->at++;
    byte = byte_at(parser, parser->at);
    if (parser->at == parser->text.length)
        set_token(parser, TOKEN_END, 0);
    else if (is_name_start(byte))
        read_name(parser);
    else if (text_is_digit(byte))
        read_number(parser);
    else if (byte == '"' || byte == '\'')
        read_string(parser);
    else
        read_symbol(parser);
}
