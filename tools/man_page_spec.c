/* purser-spec(5): each table of the schema with its keys. */
#include <stdio.h>
#include <string.h>

#include "man_page.h"
#include "man_text.h"
#include "purser/cli/command.h"

enum { TABLE_DEPTH_MAX = 12, PATH_BYTES_MAX = 200, FIELD_BYTES_MAX = 64 * 1024 };

static const char intro[] =
    "A spec is one YAML file. It says which API is written to (api, connections), where rows come "
    "from (source), and which request each row becomes (request, body). Unknown keys and duplicate "
    "ones are errors, so that a setting that is misspelt cannot silently do nothing. YAML is read "
    "by the core schema of its version 1.2: no, on and 2024-08-31 are text. Secrets are never "
    "written into a spec, only where they are.";

static const char example[] =
    "purser: 1\n"
    "name: catalog-upload\n"
    "api: { environment: sandbox }\n"
    "connections:\n"
    "  shop:\n"
    "    platform: SHOPIFY\n"
    "    access_token: { env: RUTTER_ACCESS_TOKEN }\n"
    "jobs:\n"
    "  products:\n"
    "    source:\n"
    "      csv: products.csv\n"
    "      key: ${row.sku}\n"
    "      columns: { price: decimal }\n"
    "    request: POST /products\n"
    "    body:\n"
    "      product:\n"
    "        name: ${row.name}\n"
    "        description: ${row.description}\n"
    "        variants:\n"
    "          - sku: ${row.sku}\n"
    "            price: ${row.price}\n"
    "            option_values: [{ name: size, value: \"${row.size}\" }]\n";

struct page {
    const struct value *schema;
    struct buf *out;
    unsigned depth;
};

/* What $ref or the first allOf points to; OMIT when there is none. */
static struct value referred(const struct page *page, const struct value *node)
{
    static const char prefix[] = "#/definitions/";
    struct value name = value_member(node, SLICE("$ref"));
    struct value definitions = value_member(page->schema, SLICE("definitions"));
    struct value parts = value_member(node, SLICE("allOf"));

    if (name.kind == VALUE_STRING && name.text.length > sizeof prefix - 1)
        return value_member(&definitions, (struct slice){name.text.bytes + sizeof prefix - 1,
                                                         name.text.length - sizeof prefix + 1});
    if (parts.kind == VALUE_LIST && parts.list.count > 0)
        return parts.list.items[0];
    return (struct value){.kind = VALUE_OMIT};
}

/* What the node says, or what it refers to. */
static struct value said(const struct page *page, struct value node, struct slice name)
{
    for (int step = 0; step < TABLE_DEPTH_MAX && node.kind == VALUE_MAP; step++) {
        struct value found = value_member(&node, name);

        if (found.kind != VALUE_OMIT)
            return found;
        node = referred(page, &node);
    }
    return (struct value){.kind = VALUE_OMIT};
}

static bool is_required(const struct page *page, struct value table, struct slice key)
{
    struct value required = said(page, table, SLICE("required"));

    for (size_t i = 0; required.kind == VALUE_LIST && i < required.list.count; i++)
        if (slice_equal(required.list.items[i].text, key))
            return true;
    return false;
}

/* As it stands in YAML. */
static void append_value(struct buf *text, const struct value *value)
{
    bool is_plain = value->kind == VALUE_STRING && value->text.length > 1;

    if (is_plain)
        buf_append(text, value->text.bytes, value->text.length);
    else
        value_append_json(text, value);
}

static void append_list(struct buf *text, const char *before, struct value list)
{
    for (size_t i = 0; list.kind == VALUE_LIST && i < list.list.count; i++) {
        buf_append_text(text, i == 0 ? before : ", ");
        append_value(text, &list.list.items[i]);
    }
    if (list.kind == VALUE_LIST && list.list.count > 0)
        buf_append_text(text, ".");
}

static void append_key(struct page *page, struct value table, struct slice name, struct value node)
{
    struct value words = said(page, node, SLICE("description"));
    struct value fallback = said(page, node, SLICE("default"));
    struct buf text, term;

    buf_init(&text, FIELD_BYTES_MAX);
    buf_init(&term, FIELD_BYTES_MAX);
    buf_append(&term, name.bytes, name.length);
    if (is_required(page, table, name))
        buf_append_text(&term, " (required)");
    if (words.kind == VALUE_STRING)
        buf_append(&text, words.text.bytes, words.text.length);
    append_list(&text, " One of: ", said(page, node, SLICE("enum")));
    if (fallback.kind != VALUE_OMIT) {
        buf_append_text(&text, " Default: ");
        append_value(&text, &fallback);
        buf_append_byte(&text, '.');
    }
    man_term(page->out, (struct slice){buf_text(&term), term.length},
             (struct slice){buf_text(&text), text.length});
    buf_deinit(&term);
    buf_deinit(&text);
}

static void append_examples(struct page *page, struct value node)
{
    struct value examples = said(page, node, SLICE("examples"));
    struct buf text;

    if (examples.kind != VALUE_LIST || examples.list.count == 0)
        return;
    buf_init(&text, FIELD_BYTES_MAX);
    for (size_t i = 0; i < examples.list.count; i++) {
        buf_append_text(&text, "    ");
        append_value(&text, &examples.list.items[i]);
        buf_append_byte(&text, '\n');
    }
    buf_append_text(page->out, ".RS\n");
    man_lines(page->out, (struct slice){buf_text(&text), text.length});
    buf_append_text(page->out, ".RE\n");
    buf_deinit(&text);
}

static void append_table(struct page *page, struct value node, const char *path);

/* The table that a value is, or that one of its forms is. */
static void append_tables_in(struct page *page, struct value node, const char *path)
{
    static const char *const words[] = {"anyOf", "oneOf"};
    char below[PATH_BYTES_MAX];
    struct value entry = said(page, node, SLICE("additionalProperties"));

    if (page->depth == TABLE_DEPTH_MAX)
        return;
    page->depth++;
    if (said(page, node, SLICE("properties")).kind == VALUE_MAP)
        append_table(page, node, path);
    if (entry.kind == VALUE_MAP) {
        (void)snprintf(below, sizeof below, "%s.NAME", path);
        append_tables_in(page, entry, below);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct value forms = said(page, node, slice_of(words[i]));

        for (size_t j = 0; forms.kind == VALUE_LIST && j < forms.list.count; j++)
            append_tables_in(page, forms.list.items[j], path);
    }
    page->depth--;
}

static void append_table(struct page *page, struct value node, const char *path)
{
    struct value keys = said(page, node, SLICE("properties"));
    struct value words = said(page, node, SLICE("description"));
    char below[PATH_BYTES_MAX];

    man_request(page->out, ".SS", path[0] == '\0' ? "The file" : path);
    if (words.kind == VALUE_STRING && path[0] != '\0')
        man_paragraph(page->out, words.text);
    for (size_t i = 0; i < keys.map.count; i++) {
        append_key(page, node, keys.map.names[i], keys.map.values[i]);
        append_examples(page, keys.map.values[i]);
    }
    for (size_t i = 0; i < keys.map.count; i++) {
        (void)snprintf(below, sizeof below, "%s%s%.*s", path, path[0] == '\0' ? "" : ".",
                       (int)keys.map.names[i].length, keys.map.names[i].bytes);
        append_tables_in(page, keys.map.values[i], below);
    }
}

static void append_expressions(struct buf *out)
{
    const struct help_topic *topic = help_topic_find("expressions");
    struct buf text;

    buf_init(&text, 16 * FIELD_BYTES_MAX);
    topic->append(&text);
    man_request(out, ".SH", "EXPRESSIONS");
    man_help(out, buf_text(&text));
    buf_deinit(&text);
}

void man_page_spec(const struct value *schema, struct buf *out)
{
    struct page page = {.schema = schema, .out = out};

    buf_append_text(out,
                    ".TH purser\\-spec 5 \"\" \"purser " PURSER_VERSION "\" \"File Formats\"\n");
    buf_append_text(
        out, ".SH NAME\npurser\\-spec \\- what purser(1) is to write, and from which rows\n");
    man_request(out, ".SH", "DESCRIPTION");
    man_paragraph(out, slice_of(intro));
    man_request(out, ".SH", "EXAMPLE");
    man_lines(out, slice_of(example));
    man_request(out, ".SH", "KEYS");
    man_paragraph(out, slice_of("An editor that knows JSON Schema completes and explains them when "
                                "the first line names the schema that is installed with purser:"));
    man_lines(
        out, slice_of("# yaml-language-server: $schema=/usr/share/purser/jobspec-1.schema.json\n"));
    append_table(&page, *schema, "");
    append_expressions(out);
    buf_append_text(out, ".SH \"SEE ALSO\"\n.BR purser (1)\n");
}
