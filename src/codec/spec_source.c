#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"
#include "spec_source.h"

enum { SEPARATOR_BYTES_MAX = 8, TIMEOUT_DEFAULT_MS = 60 * 60 * 1000 };

/* The first five say where the rows are: exactly one of them stands there. */
enum {
    SOURCE_KEY_INLINE,
    SOURCE_KEY_CSV,
    SOURCE_KEY_NDJSON,
    SOURCE_KEY_JSON,
    SOURCE_KEY_COMMAND,
    SOURCE_KEY_KEY,
    SOURCE_KEY_COLUMNS,
    SOURCE_KEY_GROUP_BY,
    SOURCE_KEY_FORMAT,
    SOURCE_KEY_TIMEOUT,
    SOURCE_KEY_AT,
    SOURCE_KEY_DELIMITER,
    SOURCE_KEY_QUOTE,
    SOURCE_KEY_ENCODING,
    SOURCE_KEY_HEADER,
    SOURCE_KEY_SKIP_LINES,
    SOURCE_KEY_SUPPORTED,
    SOURCE_KEY_COUNT = SOURCE_KEY_SUPPORTED + 2
};

static const struct spec_key source_keys[SOURCE_KEY_COUNT] = {
    [SOURCE_KEY_INLINE] = {"inline", KINDS_LIST, false, NULL},
    [SOURCE_KEY_CSV] = {"csv", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_NDJSON] = {"ndjson", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_JSON] = {"json", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_COMMAND] = {"command", KINDS_LIST, false, NULL},
    [SOURCE_KEY_KEY] = {"key", KINDS_TEXT, true, NULL},
    [SOURCE_KEY_COLUMNS] = {"columns", KINDS_MAP, false, NULL},
    [SOURCE_KEY_GROUP_BY] = {"group_by", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_FORMAT] = {"format", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_TIMEOUT] = {"timeout", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_AT] = {"at", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_DELIMITER] = {"delimiter", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_QUOTE] = {"quote", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_ENCODING] = {"encoding", KINDS_TEXT, false, NULL},
    [SOURCE_KEY_HEADER] = {"header", KINDS_LIST, false, NULL},
    [SOURCE_KEY_SKIP_LINES] = {"skip_lines", KINDS_WHOLE, false, NULL},
    {"sqlite", KINDS_ANY, false,
     "command: [sqlite3, -csv, -header, FILE, \"select …\"] with format: csv"},
    {"query", KINDS_ANY, false, "command: [psql, …] with format: csv"},
};

/* Which of the first five keys stands there; -1 after a message. */
static int choose_key(struct spec_reader *reader, const struct yaml_node *node,
                      const struct yaml_node *const *found)
{
    int chosen = -1;
    bool refused = false;

    for (int key = SOURCE_KEY_INLINE; key <= SOURCE_KEY_COMMAND; key++) {
        if (found[key] == NULL) {
            refused = refused || yaml_get(node, source_keys[key].name) != NULL;
            continue;
        }
        if (chosen != -1) {
            spec_error(reader, found[key]->place, "spec.value", "keep one of them",
                       "the source has both '%s' and '%s'", source_keys[chosen].name,
                       source_keys[key].name);
            return -1;
        }
        chosen = key;
    }
    for (size_t i = SOURCE_KEY_SUPPORTED; i < SOURCE_KEY_COUNT; i++)
        refused = refused || yaml_get(node, source_keys[i].name) != NULL;
    if (chosen == -1 && !refused)
        spec_error(reader, node->place, "spec.required",
                   "csv: FILE, ndjson: FILE, json: FILE, command: [ … ] or inline: [ … ]",
                   "the source does not say where the rows are");
    return chosen;
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

static void read_file(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                      struct spec_source *source)
{
    if (slice_is(node->text, "-"))
        source->origin = ORIGIN_STANDARD_INPUT;
    else if (spec_compile_of_run(reader, node, &source->path_of_run) &&
             source->path_of_run == NULL && spec_read_path(reader, node, what, &source->path))
        source->is_pattern = source->path[strcspn(source->path, "*?[")] != '\0';
}

void spec_source_of_results(struct spec_source *source, enum source_kind kind, const char *path)
{
    if (source->kind != SOURCE_CSV)
        source->delimiter = ',';
    source->kind = kind;
    source->origin = ORIGIN_FILES;
    source->path = path;
    source->path_of_run = NULL;
    source->command_of_run = NULL;
    source->is_pattern = false;
    source->encoding = ENCODING_UTF_8;
    source->at_count = source->header_count = 0;
    source->skip_lines = 0;
    source->quote = '"';
}

/* -- command --------------------------------------------------------------------------------- */

/* $${ is a ${ that begins no expression. */
static const char *copy_plain(struct spec_reader *reader, struct slice text)
{
    char *copy = spec_new(reader, text.length + 1, 1);
    size_t length = 0;

    for (size_t i = 0; copy != NULL && i < text.length; i++)
        if (text.length - i < 3 || memcmp(text.bytes + i, "$${", 3) != 0)
            copy[length++] = text.bytes[i];
    return copy;
}

/* NULL also where *of_run_out says that it is known in a run only. */
static const char *read_argument(struct spec_reader *reader, const struct yaml_node *node,
                                 const struct text_template **of_run_out)
{
    const char *text = NULL;

    if (node->kind == YAML_LIST || node->kind == YAML_MAP || node->kind == YAML_NULL)
        spec_error(reader, node->place, "spec.type", "quote it when it is meant as text",
                   "an argument of the command is %s, must be text", yaml_kind_name(node->kind));
    else if (!spec_compile_of_run(reader, node, of_run_out) || *of_run_out != NULL)
        return NULL;
    else if (spec_has_expression(node->text))
        (void)spec_read_evaluated(reader, node, "an argument of the command", &text);
    else
        text = copy_plain(reader, node->text);
    return text;
}

static void read_command(struct spec_reader *reader, const struct yaml_node *node,
                         struct spec_source *source)
{
    const struct text_template **of_run;
    const char **command;

    source->origin = ORIGIN_COMMAND;
    if (node->count == 0 || node->count > COMMAND_ARGUMENTS_MAX) {
        spec_error(reader, node->place, "spec.value", "[psql, -XqAt, -f, orders.sql]",
                   "a command has 1 to %d words, this one %zu", COMMAND_ARGUMENTS_MAX, node->count);
        return;
    }
    command = spec_new(reader, node->count + 1, sizeof *command);
    of_run = spec_new(reader, node->count, sizeof(*of_run));
    if (command == NULL || of_run == NULL)
        return;
    for (size_t i = 0; i < node->count; i++) {
        command[i] = read_argument(reader, node->items[i], &of_run[i]);
        if (of_run[i] == NULL)
            continue;
        command[i] = node->items[i]->text.bytes;
        source->command_of_run = of_run;
    }
    if (command[0] != NULL && command[0][0] == '\0')
        spec_error(reader, node->items[0]->place, "spec.value", NULL, "the command has no name");
    source->command = command;
}

/* format: and timeout: of a command. */
static void read_command_keys(struct spec_reader *reader, const struct yaml_node *command,
                              const struct yaml_node *format, const struct yaml_node *timeout,
                              struct spec_source *source)
{
    static const char *const words[] = {"csv", "ndjson", "json"};
    static const enum source_kind kinds[] = {SOURCE_CSV, SOURCE_NDJSON, SOURCE_JSON};
    unsigned word = 1;

    if (command == NULL) {
        const struct yaml_node *stray = format != NULL ? format : timeout;

        if (stray != NULL)
            spec_error(reader, stray->place, "spec.value", "leave it out",
                       "'%s' is only for a command", format != NULL ? "format" : "timeout");
        return;
    }
    if (format == NULL)
        spec_error(reader, command->place, "spec.required", "format: csv, ndjson or json",
                   "'format' of the command's output is missing");
    else if (spec_read_word(reader, format, "format", words, 3, &word))
        source->kind = kinds[word];
    if (timeout != NULL)
        (void)spec_read_duration(reader, timeout, "timeout", 1000, COMMAND_TIMEOUT_MAX_MS,
                                 &source->timeout_ms);
}

void spec_check_standard_input(struct spec_reader *reader)
{
    const struct spec_job *first = NULL;

    for (size_t i = 0; i < reader->spec->job_count; i++) {
        const struct spec_job *job = &reader->spec->jobs[i];

        if (job->source.origin != ORIGIN_STANDARD_INPUT)
            continue;
        if (first != NULL)
            spec_error(reader, job->source.place, "spec.standard_input", "give one of them a file",
                       "job '%s' reads standard input already", first->name);
        first = first == NULL ? job : first;
    }
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
    static const enum source_kind kind_of[] = {[SOURCE_KEY_INLINE] = SOURCE_INLINE,
                                               [SOURCE_KEY_CSV] = SOURCE_CSV,
                                               [SOURCE_KEY_NDJSON] = SOURCE_NDJSON,
                                               [SOURCE_KEY_JSON] = SOURCE_JSON,
                                               [SOURCE_KEY_COMMAND] = SOURCE_NDJSON};
    const struct yaml_node *found[SOURCE_KEY_COUNT];
    int chosen;

    *source_out = (struct spec_source){
        .place = node->place, .delimiter = ',', .quote = '"', .timeout_ms = TIMEOUT_DEFAULT_MS};
    if (!spec_read_map(reader, node, "source", source_keys, SOURCE_KEY_COUNT, found))
        return;
    source_out->key = per_row(reader, found[SOURCE_KEY_KEY], "key");
    source_out->group_by = per_row(reader, found[SOURCE_KEY_GROUP_BY], "group_by");
    if (found[SOURCE_KEY_COLUMNS] != NULL)
        read_columns(reader, found[SOURCE_KEY_COLUMNS], source_out);
    chosen = choose_key(reader, node, found);
    if (chosen == -1)
        return;
    source_out->place = found[chosen]->place;
    if (chosen == SOURCE_KEY_INLINE)
        read_inline(reader, found[chosen], source_out);
    else if (chosen == SOURCE_KEY_COMMAND)
        read_command(reader, found[chosen], source_out);
    else
        read_file(reader, found[chosen], source_keys[chosen].name, source_out);
    source_out->kind = kind_of[chosen];
    read_command_keys(reader, found[SOURCE_KEY_COMMAND], found[SOURCE_KEY_FORMAT],
                      found[SOURCE_KEY_TIMEOUT], source_out);
    spec_read_source_form(reader,
                          &(struct source_form_nodes){.at = found[SOURCE_KEY_AT],
                                                      .delimiter = found[SOURCE_KEY_DELIMITER],
                                                      .quote = found[SOURCE_KEY_QUOTE],
                                                      .encoding = found[SOURCE_KEY_ENCODING],
                                                      .header = found[SOURCE_KEY_HEADER],
                                                      .skip_lines = found[SOURCE_KEY_SKIP_LINES]},
                          source_out);
}
