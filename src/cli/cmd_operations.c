/* purser operations [METHOD PATH]
 *
 * Promises: says what purser knows of the API's writes; reads no file, asks nobody. */
#include <stdio.h>
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/operation_text.h"
#include "purser/cli/session.h"
#include "purser/codec/operation_guess.h"

const char help_operations[] =
    "usage: purser operations [METHOD PATH | WORD] [options]\n\n"
    "  purser operations                              every write that purser knows\n"
    "  purser operations invoices                     those with this in their path\n"
    "  purser operations POST /accounting/invoices    one, with a job to paste\n"
    "  purser operations --output json                everything, for a script\n\n"
    "Says for each how a lost answer is dealt with, where response_mode goes, which\n"
    "members the body must have and which platforms have it. Reads no file and asks\n"
    "nobody.\n\n"
    "  --output FORMAT    table, json, ndjson or csv\n";

enum { LISTING_BYTES_MAX = 1024 * 1024 };

static bool is_listed(const struct operation *operation, const char *word)
{
    return word == NULL || strstr(operation->path, word) != NULL;
}

static size_t list(const char *word, enum output_format format, struct buf *out)
{
    const struct operation *operation;
    size_t count = 0;

    operation_text_begin(format, out);
    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++)
        if (is_listed(operation, word))
            operation_text_row(operation, format, count++ == 0, out);
    if (format == OUTPUT_JSON)
        buf_append_text(out, "\n]\n");
    return count;
}

/* Both words may come as one: 'POST /products'. */
static int unknown(const char *method_word, const char *path)
{
    enum http_method method = METHOD_POST;
    char help[OPERATION_GUESS_BYTES];

    if (method_word != NULL && !method_parse(slice_of(method_word), &method)) {
        print_talk("purser operations: '%.60s' is no method", method_word);
        print_talk("hint: purser operations POST /accounting/invoices");
        return EXIT_INPUT;
    }
    if (method_word != NULL)
        print_talk("purser operations: the API has no write operation %s %.200s", method_word,
                   path);
    else
        print_talk("purser operations: no operation has '%.200s' in its path", path);
    if (operation_guess(method, path, help, sizeof help, NULL))
        print_talk("hint: %s", help);
    else
        print_talk("hint: `purser operations` lists what there is; custom: true in a job sends a "
                   "request that is not there, at most once");
    return EXIT_INPUT;
}

/* The operation named by `method POST`, path either concrete or as the table writes it. */
static const struct operation *find(const char *method_word, const char *path)
{
    enum http_method method;
    const struct operation *operation;

    if (!method_parse(slice_of(method_word), &method))
        return NULL;
    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++)
        if (operation->method == method && strcmp(operation->path, path) == 0)
            return operation;
    return operation_find(method, slice_of(path));
}

static int tell(const struct options *options, const char *method, const char *path,
                struct buf *out)
{
    const struct operation *operation = NULL;

    if (method == NULL) {
        if (list(path, options->output, out) > 0)
            return EXIT_DONE;
        buf_clear(out);
        return unknown(NULL, path);
    }
    operation = find(method, path);
    if (operation == NULL)
        return unknown(method, path);
    if (options->output == OUTPUT_TABLE) {
        operation_text_explain(operation, out);
        return EXIT_DONE;
    }
    if (options->output == OUTPUT_CSV)
        operation_text_begin(OUTPUT_CSV, out);
    operation_text_row(operation, options->output == OUTPUT_JSON ? OUTPUT_NDJSON : options->output,
                       true, out);
    return EXIT_DONE;
}

int cmd_operations(int argc, char **argv)
{
    struct options options;
    struct session session;
    struct err err = {0};
    struct buf out;
    char method[8] = "";
    const char *space;
    int exit_status = options_parse(argc, argv, ALLOW_OUTPUT | ALLOW_REQUEST, &options);

    if (exit_status != -1)
        return exit_status;
    session_init(&session, &options);
    buf_init(&out, LISTING_BYTES_MAX);
    space = options.request_path != NULL ? strchr(options.request_path, ' ') : NULL;
    if (options.request_method == NULL && space != NULL) {
        (void)snprintf(method, sizeof method, "%.*s", (int)(space - options.request_path),
                       options.request_path);
        options.request_method = method;
        options.request_path = space + strspn(space, " ");
    }
    exit_status = tell(&options, options.request_method, options.request_path, &out);
    if (print_out(&out, &err) != ERR_OK)
        exit_status = session_fail(&session, &err);
    buf_deinit(&out);
    session_deinit(&session);
    return exit_status;
}
