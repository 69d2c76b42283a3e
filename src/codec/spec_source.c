#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { SEPARATOR_BYTES_MAX = 8 };

enum {
    SOURCE_KEY_INLINE,
    SOURCE_KEY_CSV,
    SOURCE_KEY_NDJSON,
    SOURCE_KEY_KEY,
    SOURCE_KEY_COLUMNS,
    SOURCE_KEY_GROUP_BY,
    SOURCE_KEY_DELIMITER,
    SOURCE_KEY_SUPPORTED,
    SOURCE_KEY_COUNT = SOURCE_KEY_SUPPORTED + 6
};

static const struct spec_key source_keys[SOURCE_KEY_COUNT] = {
    [SOURCE_KEY_INLINE] = {"inline", KINDS_LIST, false, NULL},
    [SOURCE_KEY_CSV] = {"csv", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_NDJSON] = {"ndjson", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_KEY] = {"key", KINDS_TEXT, true, NULL},
    [SOURCE_KEY_COLUMNS] = {"columns", KINDS_MAP, false, NULL},
    [SOURCE_KEY_GROUP_BY] = {"group_by", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_DELIMITER] = {"delimiter", KINDS_TEXT, false, NULL},
    {"command", KINDS_ANY, false, "write its output to a file and name it under csv or ndjson"},
    {"sqlite", KINDS_ANY, false, "export it: sqlite3 -csv -header FILE 'select …' > rows.csv"},
    {"query", KINDS_ANY, false, "export the rows to a CSV file and name it under csv"},
    {"format", KINDS_ANY, false, "name the file under csv or ndjson"},
    {"encoding", KINDS_ANY, false, "convert it: iconv -f latin1 -t utf-8"},
    {"json", KINDS_ANY, false, "one object a line: jq -c '.[]' FILE > rows.ndjson"},
};

static const char *const kind_names[] = {
    [SOURCE_INLINE] = "inline", [SOURCE_CSV] = "csv", [SOURCE_NDJSON] = "ndjson"};

/* Which of inline, csv and ndjson; false after a message. */
static bool choose_kind(struct spec_reader *reader, const struct yaml_node *node,
                        const struct yaml_node *const *found, enum source_kind *kind_out)
{
    int chosen = -1;
    bool refused = false;

    for (int kind = SOURCE_INLINE; kind <= SOURCE_NDJSON; kind++) {
        if (found[kind] == NULL) {
            refused = refused || yaml_get(node, kind_names[kind]) != NULL;
            continue;
        }
        if (chosen != -1) {
            spec_error(reader, found[kind]->place, "spec.value", "keep one of them",
                       "the source has both '%s' and '%s'", kind_names[chosen], kind_names[kind]);
            return false;
        }
        chosen = kind;
    }
    for (size_t i = SOURCE_KEY_SUPPORTED; i < SOURCE_KEY_COUNT; i++)
        refused = refused || yaml_get(node, source_keys[i].name) != NULL;
    if (chosen == -1 && !refused)
        spec_error(reader, node->place, "spec.required", "csv: FILE, ndjson: FILE or inline: [ … ]",
                   "the source does not say where the rows are");
    if (chosen == -1)
        return false;
    *kind_out = (enum source_kind)chosen;
    return true;
}

static void read_inline(struct spec_reader *reader, const struct yaml_node *node,
                        struct spec_source *source)
{
    struct value *rows = spec_new(reader, node->count, sizeof *rows);
    struct place *places = spec_new(reader, node->count, sizeof *places);

    if (node->count > 0 && (rows == NULL || places == NULL))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *row = node->items[i];

        places[i] = row->place;
        if (row->kind != YAML_MAP)
            spec_error(reader, row->place, "spec.type", "{ sku: A-1, price: 9.99 }",
                       "a row is %s, must be a map", yaml_kind_name(row->kind));
        else
            spec_read_value(reader, row, false, &rows[i]);
    }
    source->inline_rows = rows;
    source->inline_places = places;
    source->inline_count = node->count;
}

static void read_file(struct spec_reader *reader, const struct yaml_node *node,
                      struct spec_source *source)
{
    if (slice_is(node->text, "-"))
        spec_error(reader, node->place, "spec.unsupported",
                   "write the rows to a file: purser reads them again to resume",
                   "reading rows from standard input is not supported by this version");
    else
        spec_read_path(reader, node, kind_names[source->kind], &source->path);
}

/* -- columns --------------------------------------------------------------------------------- */

static bool read_list_type(const struct yaml_node *node, struct slice *separator_out)
{
    struct slice text = node->text;

    if (text.length < sizeof "list(x)" - 1 ||
        text.length > sizeof "list()" - 1 + SEPARATOR_BYTES_MAX ||
        strncmp(text.bytes, "list(", 5) != 0 || text.bytes[text.length - 1] != ')')
        return false;
    *separator_out = (struct slice){text.bytes + 5, text.length - 6};
    return true;
}

static void read_column(struct spec_reader *reader, const struct yaml_node *name,
                        const struct yaml_node *type, struct spec_column *column)
{
    static const char *const names[] = {
        [COLUMN_STRING] = "string",   [COLUMN_INTEGER] = "integer", [COLUMN_DECIMAL] = "decimal",
        [COLUMN_BOOLEAN] = "boolean", [COLUMN_DATE] = "date",
    };

    *column = (struct spec_column){.name = name->text, .place = name->place};
    if (type->kind != YAML_STRING) {
        spec_error(reader, type->place, "spec.type", NULL,
                   "the type of a column is %s, must be text", yaml_kind_name(type->kind));
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(type->text, names[i])) {
            column->type = (enum column_type)i;
            return;
        }
    if (read_list_type(type, &column->separator)) {
        column->type = COLUMN_LIST;
        return;
    }
    spec_error(reader, type->place, "spec.value",
               "string, integer, decimal, boolean, date, or list(|) for cells split at |",
               "column '%s' has the unknown type '%s'", name->text.bytes, type->text.bytes);
}

static void read_columns(struct spec_reader *reader, const struct yaml_node *node,
                         struct spec_source *source)
{
    struct spec_column *columns;

    if (node->count > ROW_COLUMNS_MAX) {
        spec_error(reader, node->place, "spec.too_many", NULL, "more than %d columns",
                   ROW_COLUMNS_MAX);
        return;
    }
    columns = spec_new(reader, node->count, sizeof *columns);
    if (columns == NULL)
        return;
    for (size_t i = 0; i < node->count; i++)
        read_column(reader, node->keys[i], node->items[i], &columns[i]);
    source->columns = columns;
    source->column_count = node->count;
}

static void read_delimiter(struct spec_reader *reader, const struct yaml_node *node,
                           struct spec_source *source)
{
    char byte = node->text.length == 1 ? node->text.bytes[0] : '\0';

    if (source->kind != SOURCE_CSV)
        spec_error(reader, node->place, "spec.value", "leave it out",
                   "'delimiter' is only for csv");
    else if (byte != '\t' && (byte < ' ' || byte > '~' || byte == '"'))
        spec_error(reader, node->place, "spec.value", "\",\", \";\", \"|\" or \"\\t\"",
                   "the delimiter must be one ASCII character that is not a quote");
    else
        source->delimiter = byte;
}

/* A text without ${…} would be the same for every row. */
static const struct yaml_node *per_row(struct spec_reader *reader, const struct yaml_node *node,
                                       const char *name)
{
    if (node != NULL && !spec_has_expression(node->text))
        spec_error(reader, node->place, "spec.constant_key", "${row.NAME} takes a column",
                   "'%s' is the same for every row", name);
    return node;
}

void spec_read_source(struct spec_reader *reader, const struct yaml_node *node,
                      struct spec_source *source_out)
{
    const struct yaml_node *found[SOURCE_KEY_COUNT];

    *source_out = (struct spec_source){.place = node->place, .delimiter = ','};
    if (!spec_read_map(reader, node, "source", source_keys, SOURCE_KEY_COUNT, found))
        return;
    source_out->key = per_row(reader, found[SOURCE_KEY_KEY], "key");
    source_out->group_by = per_row(reader, found[SOURCE_KEY_GROUP_BY], "group_by");
    if (found[SOURCE_KEY_COLUMNS] != NULL)
        read_columns(reader, found[SOURCE_KEY_COLUMNS], source_out);
    if (!choose_kind(reader, node, found, &source_out->kind))
        return;
    source_out->place = found[source_out->kind]->place;
    if (source_out->kind == SOURCE_INLINE)
        read_inline(reader, found[SOURCE_KEY_INLINE], source_out);
    else
        read_file(reader, found[source_out->kind], source_out);
    if (found[SOURCE_KEY_DELIMITER] != NULL)
        read_delimiter(reader, found[SOURCE_KEY_DELIMITER], source_out);
}
