#include <string.h>

#include "spec_source.h"

/* True when the key may stand there: it does, and the source is of the kind that takes it. */
static bool is_for(struct spec_reader *reader, const struct yaml_node *node, const char *name,
                   const struct spec_source *source, enum source_kind kind)
{
    if (node != NULL && source->kind != kind)
        spec_error(reader, node->place, "spec.value", "leave it out", "'%s' is only for %s", name,
                   kind == SOURCE_CSV ? "csv" : "json");
    return node != NULL && source->kind == kind;
}

static bool is_plain_character(char byte)
{
    return byte > ' ' && byte <= '~';
}

static void read_delimiter(struct spec_reader *reader, const struct yaml_node *node,
                           struct spec_source *source)
{
    char byte = node->text.length == 1 ? node->text.bytes[0] : '\0';

    if (byte != '\t' && byte != ' ' && (!is_plain_character(byte) || byte == '"'))
        spec_error(reader, node->place, "spec.value", "\",\", \";\", \"|\" or \"\\t\"",
                   "the delimiter must be one ASCII character that is not a quote");
    else
        source->delimiter = byte;
}

static void read_quote(struct spec_reader *reader, const struct yaml_node *node,
                       struct spec_source *source)
{
    if (slice_is(node->text, "none"))
        source->quote = '\0';
    else if (node->text.length != 1 || !is_plain_character(node->text.bytes[0]))
        spec_error(reader, node->place, "spec.value", "'\"', \"'\" or none",
                   "the quote must be one ASCII character, or none");
    else
        source->quote = node->text.bytes[0];
    if (source->quote == source->delimiter)
        spec_error(reader, node->place, "spec.value", NULL,
                   "quote and delimiter are the same character");
}

static void read_encoding(struct spec_reader *reader, const struct yaml_node *node,
                          struct spec_source *source)
{
    static const char *const words[] = {[ENCODING_UTF_8] = "utf-8",
                                        [ENCODING_LATIN_1] = "latin-1",
                                        [ENCODING_WINDOWS_1252] = "windows-1252",
                                        [ENCODING_UTF_16] = "utf-16"};
    unsigned word;

    source->encoding_place = node->place;
    if (spec_read_word(reader, node, "encoding", words, sizeof words / sizeof *words, &word))
        source->encoding = (enum source_encoding)word;
}

static bool is_known(const struct slice *names, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

static void read_header(struct spec_reader *reader, const struct yaml_node *node,
                        struct spec_source *source)
{
    struct slice *names;

    if (node->count == 0 || node->count > ROW_COLUMNS_MAX) {
        spec_error(reader, node->place, "spec.value", "header: [sku, price]",
                   "a header has 1 to %d names", ROW_COLUMNS_MAX);
        return;
    }
    names = spec_new(reader, node->count, sizeof *names);
    for (size_t i = 0; names != NULL && i < node->count; i++) {
        const struct yaml_node *name = node->items[i];

        if (name->kind != YAML_STRING || name->text.length == 0)
            spec_error(reader, name->place, "spec.type", NULL,
                       "the name of a column is %s, must be text",
                       name->kind == YAML_STRING ? "empty" : yaml_kind_name(name->kind));
        else if (is_known(names, i, name->text))
            spec_error(reader, name->place, "spec.value", "each column needs a name of its own",
                       "the column name '%s' stands twice", name->text.bytes);
        names[i] = name->text;
    }
    source->header = names;
    source->header_count = names == NULL ? 0 : node->count;
}

/* data.orders */
static void read_at(struct spec_reader *reader, const struct yaml_node *node,
                    struct spec_source *source)
{
    struct slice *names = spec_new(reader, JSON_PATH_DEPTH_MAX, sizeof *names);
    struct slice rest = node->text;
    size_t count = 0;

    while (names != NULL) {
        const char *dot = memchr(rest.bytes, '.', rest.length);
        struct slice name = {rest.bytes, dot == NULL ? rest.length : (size_t)(dot - rest.bytes)};

        if (name.length == 0 || count == JSON_PATH_DEPTH_MAX) {
            spec_error(reader, node->place, "spec.value", "at: data.orders",
                       "'at' is 1 to %d names with dots between them", JSON_PATH_DEPTH_MAX);
            return;
        }
        names[count++] = name;
        if (dot == NULL)
            break;
        rest = (struct slice){dot + 1, rest.length - name.length - 1};
    }
    source->at = names;
    source->at_count = names == NULL ? 0 : count;
}

void spec_read_source_form(struct spec_reader *reader, const struct source_form_nodes *nodes,
                           struct spec_source *source)
{
    if (nodes->encoding != NULL && source->kind == SOURCE_INLINE)
        spec_error(reader, nodes->encoding->place, "spec.value", "leave it out",
                   "rows in the spec have no encoding of their own");
    else if (nodes->encoding != NULL)
        read_encoding(reader, nodes->encoding, source);
    if (is_for(reader, nodes->at, "at", source, SOURCE_JSON))
        read_at(reader, nodes->at, source);
    if (is_for(reader, nodes->delimiter, "delimiter", source, SOURCE_CSV))
        read_delimiter(reader, nodes->delimiter, source);
    if (is_for(reader, nodes->quote, "quote", source, SOURCE_CSV))
        read_quote(reader, nodes->quote, source);
    if (is_for(reader, nodes->header, "header", source, SOURCE_CSV))
        read_header(reader, nodes->header, source);
    if (is_for(reader, nodes->skip_lines, "skip_lines", source, SOURCE_CSV))
        (void)spec_read_count(reader, nodes->skip_lines, "skip_lines", 0, SKIP_LINES_MAX,
                              &source->skip_lines);
}
