#include "purser/cli/operation_text.h"

#include <stdio.h>
#include <string.h>

#include "purser/base/text.h"
#include "purser/codec/connection_write.h"

static const char *const class_words[] = {
    [CLASS_Y] = "async",
    [CLASS_Y_PATCH] = "async-inferred",
    [CLASS_Y_MODE_ONLY] = "mode-only",
    [CLASS_A] = "async-undeclared",
    [CLASS_N] = "plain",
};

static const char *const repeat_words[] = {
    [REPEAT_BY_KEY] = "under-key",
    [REPEAT_IF_PROVEN] = "when-proven",
    [REPEAT_BY_NATURE] = "by-nature",
    [REPEAT_NEVER] = "at-most-once",
};

static const char *const mode_words[] = {
    [MODE_IN_BODY] = "body", [MODE_IN_QUERY] = "query", [MODE_NOWHERE] = "none"};

/* -- lists ------------------------------------------------------------------------------------- */

static void append_required(struct buf *out, const struct operation *operation, const char *between,
                            const char *quote)
{
    const char *const *names = operation->required;

    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        buf_append_format(out, "%s%s%s%s", i > 0 ? between : "", quote, names[i], quote);
}

static size_t append_platforms(struct buf *out, uint64_t platforms, const char *between,
                               const char *quote)
{
    size_t count = 0;

    for (int i = 0; i < PLATFORM_COUNT; i++)
        if ((platforms >> i & 1) != 0)
            buf_append_format(out, "%s%s%s%s", count++ > 0 ? between : "", quote,
                              platform_name((enum platform)i), quote);
    return count;
}

static size_t count_platforms(uint64_t platforms)
{
    size_t count = 0;

    for (int i = 0; i < PLATFORM_COUNT; i++)
        count += platforms >> i & 1;
    return count;
}

/* -- rows -------------------------------------------------------------------------------------- */

#define ROW_FORMAT "%-6s %-47s %-16s %-12s %-5s %-9s "

static void append_table_row(const struct operation *operation, struct buf *out)
{
    char platforms[24] = "?";
    size_t count = count_platforms(operation->platforms);
    bool wrapped = operation->wrapper[0] != '\0', requires = operation->required != NULL;

    if (operation->platforms == PLATFORMS_ALL)
        memcpy(platforms, "all", sizeof "all");
    else if (count > 0)
        (void)snprintf(platforms, sizeof platforms, "%zu", count);
    buf_append_format(out, ROW_FORMAT, method_name(operation->method), operation->path,
                      class_words[operation->class], repeat_words[operation_repeat(operation)],
                      mode_words[operation->mode_place], platforms);
    if (wrapped)
        buf_append_format(out, "%s", operation->wrapper);
    if (wrapped && requires)
        buf_append_text(out, ": ");
    append_required(out, operation, ", ", "");
    while (out->length > 0 && buf_text(out)[out->length - 1] == ' ')
        buf_truncate(out, out->length - 1);
    buf_append_byte(out, '\n');
}

static void append_name(struct buf *out, const char *member, const char *name)
{
    buf_append_format(out, name[0] != '\0' ? ",\"%s\":\"%s\"" : ",\"%s\":null", member, name);
}

static void append_json_row(const struct operation *operation, struct buf *out)
{
    buf_append_format(out,
                      "{\"v\":1,\"method\":\"%s\",\"path\":\"%s\",\"summary\":\"%s\","
                      "\"class\":\"%s\",\"repeat\":\"%s\",\"response_mode\":\"%s\"",
                      method_name(operation->method), operation->path, operation->summary,
                      class_words[operation->class], repeat_words[operation_repeat(operation)],
                      mode_words[operation->mode_place]);
    append_name(out, "wrapper", operation->wrapper);
    append_name(out, "result", operation->result);
    buf_append_text(out, ",\"required\":[");
    append_required(out, operation, ",", "\"");
    buf_append_text(out, "],\"platforms\":");
    if (operation->platforms == PLATFORMS_UNKNOWN) {
        buf_append_text(out, "null");
    } else if (operation->platforms == PLATFORMS_ALL) {
        buf_append_text(out, "[\"*\"]");
    } else {
        buf_append_byte(out, '[');
        append_platforms(out, operation->platforms, ",", "\"");
        buf_append_byte(out, ']');
    }
    buf_append_format(out, ",\"access_token\":%s}",
                      operation->takes_access_token ? "true" : "false");
}

static void append_csv_row(const struct operation *operation, struct buf *out)
{
    buf_append_format(out, "%s,%s,%s,%s,%s,%s,%s,%s,", method_name(operation->method),
                      operation->path, operation->summary, class_words[operation->class],
                      repeat_words[operation_repeat(operation)], mode_words[operation->mode_place],
                      operation->wrapper, operation->result);
    append_required(out, operation, " ", "");
    buf_append_byte(out, ',');
    if (operation->platforms == PLATFORMS_ALL)
        buf_append_byte(out, '*');
    else
        append_platforms(out, operation->platforms, " ", "");
    buf_append_byte(out, '\n');
}

void operation_text_begin(enum output_format format, struct buf *out)
{
    if (format == OUTPUT_TABLE)
        buf_append_format(out, ROW_FORMAT "%s\n", "METHOD", "PATH", "CLASS", "REPEATED", "MODE",
                          "PLATFORMS", "BODY");
    if (format == OUTPUT_CSV)
        buf_append_text(out, "method,path,summary,class,repeat,response_mode,wrapper,result,"
                             "required,platforms\n");
}

void operation_text_row(const struct operation *operation, enum output_format format, bool is_first,
                        struct buf *out)
{
    switch (format) {
    case OUTPUT_TABLE:
        append_table_row(operation, out);
        break;
    case OUTPUT_CSV:
        append_csv_row(operation, out);
        break;
    case OUTPUT_JSON:
        buf_append_text(out, is_first ? "[\n" : ",\n");
        append_json_row(operation, out);
        break;
    case OUTPUT_NDJSON:
        append_json_row(operation, out);
        buf_append_byte(out, '\n');
        break;
    }
}

/* -- prose ------------------------------------------------------------------------------------- */

static const char *repeat_prose(const struct operation *operation)
{
    bool is_post = operation->method == METHOD_POST;

    switch (operation_repeat(operation)) {
    case REPEAT_BY_KEY:
        if (operation->method == METHOD_DELETE)
            return "A DELETE is idempotent by design: when its answer is lost it is sent again,\n"
                   "           and an entity that is gone counts as deleted.\n";
        return "When an answer is lost, the same bytes are sent again under the same\n"
               "           Idempotency-Key, so that each write has one effect.\n";
    case REPEAT_IF_PROVEN:
        return "No document says that the API honours the Idempotency-Key here. Each write\n"
               "           is sent at most once until an answer of this operation shows a remote\n"
               "           job (X-Rutter-Job-ID), which proves it for the rest of the ledger.\n"
               "           Before, a lost answer leaves the write in doubt; idempotent: true in\n"
               "           the job says that you know better.\n";
    case REPEAT_BY_NATURE:
    case REPEAT_NEVER:
        break;
    }
    if (is_post)
        return "The API documents no Idempotency-Key here. Each write is sent at most once; a\n"
               "           lost answer leaves it in doubt, for you to resolve. idempotent: true\n"
               "           in the job says that you know better.\n";
    return "The API documents no Idempotency-Key here. Each write is sent at most once; a\n"
           "           lost answer leaves it in doubt. If a repeat changes nothing more (a DELETE\n"
           "           by id, a PATCH of absolute values), say retry: natural in the job.\n";
}

static void append_answer(struct buf *out, const struct operation *operation)
{
    if (operation->mode_place == MODE_NOWHERE)
        buf_append_text(out,
                        "Answer     The finished result; the operation takes no response_mode");
    else
        buf_append_format(out,
                          "Answer     A remote job that purser polls (response_mode=async in the "
                          "%s);\n           mode: prefer_sync or sync in the job asks for the "
                          "result at once",
                          mode_words[operation->mode_place]);
    if (operation->result[0] != '\0')
        buf_append_format(out, ".\n           outputs: reads it from ${response.%s}",
                          operation->result);
    buf_append_text(out, ".\n");
}

static void append_body(struct buf *out, const struct operation *operation)
{
    if (operation->method == METHOD_DELETE ||
        (operation->wrapper[0] == '\0' && operation->required == NULL)) {
        buf_append_text(out, operation->method == METHOD_DELETE ? "Body       none\n"
                                                                : "Body       as you write it\n");
        return;
    }
    if (operation->wrapper[0] != '\0')
        buf_append_format(out, "Body       { %s: { … } }", operation->wrapper);
    else
        buf_append_text(out, "Body       { … }");
    if (operation->required != NULL) {
        buf_append_text(out, "; required: ");
        append_required(out, operation, ", ", "");
    }
    buf_append_byte(out, '\n');
}

static void append_platform_lines(struct buf *out, const struct operation *operation)
{
    buf_append_text(out, "Platforms  ");
    if (operation->platforms == PLATFORMS_UNKNOWN) {
        buf_append_text(out, "no document says\n");
        return;
    }
    if (operation->platforms == PLATFORMS_ALL) {
        buf_append_text(out, "all\n");
        return;
    }
    append_platforms(out, operation->platforms, ", ", "");
    buf_append_text(out, "\n           (as of December 2023; others may have come since)\n");
}

/* -- a job to paste ---------------------------------------------------------------------------- */

/* The last name of the path: "variants" of /products/{id}/variants/{variantId}. */
static struct slice last_name(const char *path)
{
    struct slice name = SLICE("items");

    while (*path == '/') {
        size_t length = strcspn(path + 1, "/");

        if (path[1] != '{')
            name = (struct slice){path + 1, length};
        path += 1 + length;
    }
    return name;
}

/* The last variable of the path, "id" when it has none. */
static struct slice last_variable(const char *path)
{
    const char *brace = strrchr(path, '{');

    return brace == NULL ? SLICE("id") : (struct slice){brace + 1, strcspn(brace + 1, "}")};
}

/* "/products/${row.id}" */
static void append_path(struct buf *out, const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == '{')
            buf_append_text(out, "${row.");
        else
            buf_append_byte(out, *path);
    }
}

static void append_fields(struct buf *out, const struct operation *operation, const char *margin)
{
    const char *const *names = operation->required;

    if (names == NULL)
        buf_append_format(out, "%sfield: ${row.field}    # what is to be written\n", margin);
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        buf_append_format(out, "%s%s: ${row.%s}\n", margin, names[i], names[i]);
}

/* Where the token of the answer goes, and where the secrets of the body are. */
static void append_connection_write(struct buf *out, enum connection_write write)
{
    if (write == CONNECTION_WRITE_NONE)
        return;
    buf_append_text(out, "    access_tokens: tokens.ndjson    # made for your eyes only\n");
    if (write == CONNECTION_WRITE_CREATE)
        buf_append_text(out, "    body:                             # without one: a link for the "
                             "merchant\n"
                             "      platform: SHOPIFY\n"
                             "      store_url: ${row.store_url}\n"
                             "      basic_username: { file: \"secrets/${row.id}.api-key\" }\n"
                             "      basic_password: { file: \"secrets/${row.id}.password\" }\n");
    else if (write == CONNECTION_WRITE_EXCHANGE)
        buf_append_text(
            out, "    body:\n      public_token: { file: \"secrets/${row.id}.public-token\" }\n");
}

static void append_job(struct buf *out, const struct operation *operation)
{
    enum connection_write write = connection_write_of(operation->method, slice_of(operation->path));
    struct slice name = last_name(operation->path), key = last_variable(operation->path);
    bool wrapped = operation->wrapper[0] != '\0';

    buf_append_format(
        out,
        "jobs:\n  %.*s:\n    source:\n      csv: %.*s.csv\n"
        "      key: ${row.%.*s}    # what names this write for ever\n    request: %s ",
        (int)name.length, name.bytes, (int)name.length, name.bytes, (int)key.length, key.bytes,
        method_name(operation->method));
    append_path(out, operation->path);
    buf_append_byte(out, '\n');
    append_connection_write(out, write);
    if (operation->method == METHOD_DELETE || write != CONNECTION_WRITE_NONE ||
        (!wrapped && operation->required == NULL))
        return;
    buf_append_text(out, "    body:\n");
    if (wrapped)
        buf_append_format(out, "      %s:\n", operation->wrapper);
    append_fields(out, operation, wrapped ? "        " : "      ");
}

void operation_text_explain(const struct operation *operation, struct buf *out)
{
    buf_append_format(out, "%s %s: %s\n\n", method_name(operation->method), operation->path,
                      operation->summary);
    buf_append_format(out, "Repeats    %s", repeat_prose(operation));
    append_answer(out, operation);
    append_body(out, operation);
    append_platform_lines(out, operation);
    buf_append_text(out, "\nA job to start from:\n\n");
    append_job(out, operation);
}
