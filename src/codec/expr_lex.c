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

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
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
        if (!is_name_start(name.bytes[i]) && (i == 0 || !is_digit(name.bytes[i])))
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

    while (is_name_start(byte_at(parser, end)) || is_digit(byte_at(parser, end)))
        end++;
    set_token(parser, TOKEN_NAME, end - parser->at);
}

static void read_number(struct parser *parser)
{
    size_t end = parser->at;
    struct slice number;

    while (is_digit(byte_at(parser, end)))
        end++;
    if (byte_at(parser, end) == '.' && is_digit(byte_at(parser, end + 1)))
        for (end += 2; is_digit(byte_at(parser, end));)
            end++;
    while (is_name_start(byte_at(parser, end)) || is_digit(byte_at(parser, end)) ||
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

static void read_string(struct parser *parser)
{
    char quote = byte_at(parser, parser->at), *text;
    size_t end = parser->at + 1, length = 0;

    while (end < parser->text.length && parser->text.bytes[end] != quote)
        end += parser->text.bytes[end] == '\\' ? 2 : 1;
    if (end >= parser->text.length) {
        parser_error(parser, part(parser, parser->at, parser->at + 1), "expr.syntax", NULL,
                     "this text has no closing %c", quote);
        return;
    }
    text = arena_new(parser->context->arena, 1, end - parser->at);
    if (text == NULL) {
        parser_no_memory(parser);
        return;
    }
    for (size_t i = parser->at + 1; i < end; i++) {
        char byte = parser->text.bytes[i];

        if (byte == '\\') {
            byte = unescape(parser->text.bytes[++i]);
            if (byte == '\0') {
                parser_error(parser, part(parser, i - 1, i + 1), "expr.syntax",
                             "there are \\\" \\' \\\\ \\n \\t \\r", "there is no such escape");
                return;
            }
        }
        text[length++] = byte;
    }
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
    parser_error(parser, rest, "expr.syntax", NULL, "'%.*s' is not part of expressions",
                 (int)rest.length, rest.bytes);
}

static void read_symbol(struct parser *parser)
{
    static const struct {
        char text[3];
        enum token_kind kind;
    } symbols[] = {
        /* longer ones first */
        {"??", TOKEN_COALESCE},
        {"==", TOKEN_EQUAL},
        {"!=", TOKEN_UNEQUAL},
        {"<=", TOKEN_LESS_OR_EQUAL},
        {">=", TOKEN_GREATER_OR_EQUAL},
        {"<", TOKEN_LESS},
        {">", TOKEN_GREATER},
        {"+", TOKEN_PLUS},
        {"-", TOKEN_MINUS},
        {"*", TOKEN_TIMES},
        {"/", TOKEN_DIVIDE},
        {"|", TOKEN_PIPE},
        {"(", TOKEN_OPEN},
        {")", TOKEN_CLOSE},
        {"[", TOKEN_OPEN_BRACKET},
        {"]", TOKEN_CLOSE_BRACKET},
        {",", TOKEN_COMMA},
        {".", TOKEN_DOT},
        {"}", TOKEN_CLOSE_BRACE},
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
    else if (is_digit(byte))
        read_number(parser);
    else if (byte == '"' || byte == '\'')
        read_string(parser);
    else
        read_symbol(parser);
}
