/* A wrong name at random places in scalars of every style: the message must point at it. The
 * generator knows where it wrote the name; the loader has to find out. */
#include "expr_fixture.h"
#include "purser/base/rng.h"
#include "purser/codec/template.h"

enum style { PLAIN, SINGLE, DOUBLE, LITERAL, FOLDED, STYLE_COUNT };

struct writer {
    struct rng rng;
    struct buf text;
    enum style style;
    unsigned indent; /* of the lines of the scalar */
    bool may_break, crlf;
    unsigned line, column;           /* of what is written next */
    unsigned name_line, name_column; /* of the wrong name */
};

static unsigned below(struct writer *writer, unsigned limit)
{
    return (unsigned)rng_below(&writer->rng, limit);
}

/* As it stands in the source. */
static void put(struct writer *writer, const char *source)
{
    for (; *source != '\0'; source++) {
        if (*source == '\n' && writer->crlf)
            buf_append_byte(&writer->text, '\r');
        buf_append_byte(&writer->text, *source);
        if (*source == '\n') {
            writer->line++;
            writer->column = 1;
        } else if (((unsigned char)*source & 0xc0) != 0x80) {
            writer->column++;
        }
    }
}

static void put_spaces(struct writer *writer, unsigned count)
{
    for (; count > 0; count--)
        put(writer, " ");
}

/* A line break inside the scalar, with what may stand around it. */
static void put_break(struct writer *writer)
{
    bool is_block = writer->style == LITERAL || writer->style == FOLDED;

    if (!is_block)
        put_spaces(writer, below(writer, 3));
    for (unsigned i = below(writer, 4) == 0 ? 3 : 1; i > 0; i--)
        put(writer, "\n");
    put_spaces(writer, writer->indent + (below(writer, 3) == 0 ? below(writer, 4) : 0));
}

/* A blank of the value: a space, or a break where the style has them. */
static void put_blank(struct writer *writer)
{
    if (writer->may_break && below(writer, 3) == 0) {
        if (writer->style == DOUBLE && below(writer, 3) == 0)
            put(writer, " \\");
        put_break(writer);
    } else if (writer->style == DOUBLE && below(writer, 6) == 0) {
        static const char *const blanks[] = {"\\ ", "\\t", "\\x20", "\\u0020", "\\x09", "\\n"};

        put(writer, blanks[below(writer, 6)]);
    } else {
        put(writer, " ");
    }
}

/* One ASCII character of the value, as the style writes it. */
static void put_character(struct writer *writer, char character)
{
    char source[16];

    snprintf(source, sizeof source, "%c", character);
    if (writer->style == SINGLE && character == '\'')
        snprintf(source, sizeof source, "''");
    if (writer->style == DOUBLE && (character == '"' || character == '\\'))
        snprintf(source, sizeof source, "\\%c", character);
    if (writer->style == DOUBLE && below(writer, 12) == 0) {
        switch (below(writer, 3)) {
        case 0:
            snprintf(source, sizeof source, "\\x%02x", (unsigned)character);
            break;
        case 1:
            snprintf(source, sizeof source, "\\u%04X", (unsigned)character);
            break;
        default:
            snprintf(source, sizeof source, "\\U%08x", (unsigned)character);
        }
    }
    put(writer, source);
}

/* \ at the end of a line gives nothing; blanks behind it give nothing either. */
static void put_continuation(struct writer *writer)
{
    if (writer->style != DOUBLE || !writer->may_break || below(writer, 40) > 0)
        return;
    put(writer, "\\\n");
    put_spaces(writer, writer->indent + below(writer, 3));
}

/* A part of the value; a blank in it may become a break. Bytes above ASCII go as they are. */
static void put_value(struct writer *writer, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == ' ') {
            put_blank(writer);
        } else if ((unsigned char)*value < 0x80) {
            put_character(writer, *value);
            if (value[1] != ' ' && value[1] != '\0')
                put_continuation(writer);
        } else {
            buf_append_byte(&writer->text, *value);
            writer->column += ((unsigned char)*value & 0xc0) != 0x80;
        }
    }
}

static void put_filler(struct writer *writer)
{
    static const char *const fillers[] = {
        "word",
        "gr\xc3\xb6\xc3\x9f"
        "e",
        "\xf0\x9f\x98\x80",
        "it's",
        "a\"b\"",
        "x\\y",
        "50%",
        "$a",
        "$$${none}",
        "{x}",
        "nope",
        "a b",
        "${row.a}",
        "${row.b ?? \"it's\"}",
        "${'}' | replace(\"}\", '{')}",
        "${row.c | default( 'gr\xc3\xb6\xc3\x9f"
        "e x' )}",
        "${row[\"a b\"]}",
    };
    static const char *const escapes[] = {"\\\"", "\\u00e4", "\\x41",       "\\U0001F600", "\\_",
                                          "\\L",  "\\N",     "\\u0024{no}", "\\/"};

    if (writer->style == DOUBLE && below(writer, 5) == 0)
        put(writer, escapes[below(writer, 7)]);
    else
        put_value(writer, fillers[below(writer, sizeof fillers / sizeof *fillers)]);
}

/* ${…} with a name that does not exist somewhere in it. */
static void put_wrong(struct writer *writer)
{
    static const char *const before[] = {
        "",
        "(",
        "1 + ",
        "row.a ?? ",
        "row.b | default( ",
        "'it\\'s' == ",
        "not ",
        "if(row.a, 1, ",
        "row.x[ ",
        "'\xc3\xa4' != ",
    };
    static const char *const after[] = {
        "", ")", " + 1", " ?? 2", " )", " == 1", "", ")", " ]", " | upper",
    };
    unsigned which = below(writer, sizeof before / sizeof *before);

    put_value(writer, "${");
    if (below(writer, 2) == 0)
        put_blank(writer);
    put_value(writer, before[which]);
    writer->name_line = writer->line;
    writer->name_column = writer->column;
    put_value(writer, "wrong");
    put_value(writer, after[which]);
    put_value(writer, "}");
}

static void put_content(struct writer *writer)
{
    unsigned count = 1 + below(writer, 6), wrong = below(writer, count);

    /* A plain scalar cannot begin with every character. */
    put_value(writer, writer->style == PLAIN ? "a" : "");
    for (unsigned i = 0; i < count; i++) {
        if (i == wrong)
            put_wrong(writer);
        else
            put_filler(writer);
        if (i + 1 < count && below(writer, 2) == 0)
            put_blank(writer);
    }
}

/* Anchors and tags, and comments, stand in front of the value. */
static void put_scalar(struct writer *writer)
{
    static const char *const heads[] = {"", "", "&anchor ", "!!str ", "&a !!str "};
    static const char *const chomping[] = {"", "-", "+"};

    put(writer, heads[below(writer, 5)]);
    switch (writer->style) {
    case LITERAL:
    case FOLDED:
        put(writer, writer->style == LITERAL ? "|" : ">");
        put(writer, chomping[below(writer, 3)]);
        put(writer, below(writer, 4) == 0 ? " # a ${comment}, \"it's\"\n" : "\n");
        put_spaces(writer, writer->indent);
        put_value(writer, "a"); /* says how far the text is indented */
        put_content(writer);
        put(writer, "\n");
        break;
    case SINGLE:
    case DOUBLE:
        put(writer, writer->style == SINGLE ? "'" : "\"");
        put_content(writer);
        put(writer, writer->style == SINGLE ? "'" : "\"");
        break;
    case PLAIN:
    case STYLE_COUNT:
        put_content(writer);
        break;
    }
}

static void put_document(struct writer *writer)
{
    bool is_quoted = writer->style == SINGLE || writer->style == DOUBLE;

    if (below(writer, 3) == 0)
        put(writer, "# ${comment} \xe2\x82\xac\nother: \"\xc3\xa4\\\n  ${row.a}\"\n");
    writer->indent = 2 + below(writer, 3);
    switch (below(writer, is_quoted ? 4 : 3)) {
    case 0:
        put(writer, "v: ");
        put_scalar(writer);
        break;
    case 1:
        put(writer, "v:\n- - ");
        writer->indent = 4 + below(writer, 3);
        put_scalar(writer);
        break;
    case 2:
        put(writer, "v:\n   gr\xc3\xb6\xc3\x9f"
                    "e: ");
        writer->indent = 4 + below(writer, 3);
        put_scalar(writer);
        break;
    default:
        put(writer, "v: [ { a: ");
        put_scalar(writer);
        put(writer, " } ]");
    }
    put(writer, "\n");
}

static const struct yaml_node *leaf_of(const struct yaml_node *node)
{
    while (node->kind == YAML_LIST || node->kind == YAML_MAP)
        node = node->items[0];
    return node;
}

static void check_document(struct writer *writer, unsigned seed)
{
    const struct yaml_node *scalar = leaf_of(fixture_yaml(buf_text(&writer->text)));
    char expected[64];

    snprintf(expected, sizeof expected, "\"line\":%u,\"column\":%u,", writer->name_line,
             writer->name_column);
    text_template_compile(&fixture.spec_arena, scalar, &fixture.scope, &fixture.diagnostics);
    buf_clear(&fixture.out);
    diagnostics_print_json(&fixture.diagnostics, &fixture.out);
    if (fixture.diagnostics.error_count != 1 ||
        strstr(buf_text(&fixture.out), "unknown name 'wrong'") == NULL ||
        strstr(buf_text(&fixture.out), expected) == NULL)
        fail_msg("seed %u: %s is wanted, not %s in\n%s", seed, expected, buf_text(&fixture.out),
                 buf_text(&writer->text));
    diagnostics_deinit(&fixture.diagnostics);
    arena_clear(&fixture.spec_arena);
}

static void caret_stands_under_the_wrong_name_in_every_style(void **state)
{
    struct writer writer;

    (void)state;
    fixture.scope.vars = NULL;
    for (unsigned seed = 0; seed < 20000; seed++) {
        memset(&writer, 0, sizeof writer);
        rng_init(&writer.rng, seed);
        buf_init(&writer.text, 1 << 16);
        writer.style = (enum style)(seed % STYLE_COUNT);
        writer.may_break = below(&writer, 3) > 0;
        writer.crlf = below(&writer, 8) == 0;
        writer.line = writer.column = 1;
        put_document(&writer);
        check_document(&writer, seed);
        buf_deinit(&writer.text);
    }
}

/* The message about the body in `yaml` stands at line:column. */
static void assert_body_place(const char *yaml, unsigned line, unsigned column)
{
    char expected[64];

    snprintf(expected, sizeof expected, "\"line\":%u,\"column\":%u,", line, column);
    assert_null(body_template_compile(&fixture.spec_arena, fixture_yaml(yaml), &fixture.scope,
                                      WHEN_EMPTY_OMIT, &fixture.diagnostics));
    assert_int_equal(fixture.diagnostics.error_count, 1);
    buf_clear(&fixture.out);
    diagnostics_print_json(&fixture.diagnostics, &fixture.out);
    diagnostics_deinit(&fixture.diagnostics);
    for (const char *at = buf_text(&fixture.out); (at = strstr(at, "\"line\":")) != NULL; at++)
        assert_memory_equal(at, expected, strlen(expected));
}

static void what_an_alias_stands_for_is_shown_where_it_is_written(void **state)
{
    (void)state;
    assert_body_place("v:\n  a: &x 'it''s ${wrong}'\n  b: *x\n", 2, 18);
    assert_body_place("v:\n  a: &x { b: \"${wrong}\" }\n  c: [ *x ]\n", 2, 17);
}

static void names_of_fields_and_lists_of_loops_have_their_place(void **state)
{
    (void)state;
    assert_body_place("v:\n  a: 1\n  'b ${wrong}': 2\n", 3, 3);
    assert_body_place("v:\n  a:\n    $for: x in wrong\n    $do: 1\n", 3, 16);
    assert_body_place("v:\n  a:\n    $for: 'x in row[''a''][wrong]'\n    $do: 1\n", 3, 28);
    assert_body_place("v:\n  a:\n    $for: >-\n      x in\n      wrong\n    $do: 1\n", 5, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(caret_stands_under_the_wrong_name_in_every_style),
        FIXTURE_TEST(what_an_alias_stands_for_is_shown_where_it_is_written),
        FIXTURE_TEST(names_of_fields_and_lists_of_loops_have_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
