#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "purser/base/mem.h"
#include "purser/codec/charset.h"
#include "purser/codec/gzip.h"
#include "purser/codec/zstandard.h"
#include "purser/io/command.h"
#include "source_files.h"

enum { CHUNK_BYTES = 64 * 1024, MESSAGE_BYTES = 768 };

/* bytes → [gzip or Zstandard] → [charset] → lines → spool */
struct pipeline {
    bool has_lines;         /* each of which is a row, or a part of one */
    struct byte_sink first; /* where the bytes go in */
    struct gzip_reader *gzip;
    struct zstandard_reader *zstandard;
    struct charset_reader *charset;
    struct byte_sink spool;
    char last;            /* byte that went into the spool; a line end when there is none */
    bool empty;           /* nothing has gone into the spool */
    bool from_charset;    /* it refused */
    uint64_t line_breaks; /* that have gone into the spool */
    uint64_t line_bytes;  /* behind the last of them; over ROW_BYTES_MAX: refused for that */
};

/* A line too long for a row is found here already: a program may go on with it for an hour, and
 * would fill the disk. */
static bool take_lines(struct pipeline *pipeline, const char *bytes, size_t length)
{
    for (const char *end = bytes + length; bytes < end;) {
        const char *line_feed = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *until = line_feed == NULL ? end : line_feed;
        const char *carriage_return = memrchr(bytes, '\r', (size_t)(until - bytes));

        /* Lines may also end with that alone; a piece is too short for a long one in its middle. */
        if (carriage_return != NULL)
            pipeline->line_bytes = (uint64_t)(until - carriage_return - 1);
        else
            pipeline->line_bytes += (uint64_t)(until - bytes);
        if (pipeline->line_bytes > ROW_BYTES_MAX)
            return false;
        if (line_feed == NULL)
            break;
        pipeline->line_breaks++;
        pipeline->line_bytes = 0;
        bytes = line_feed + 1;
    }
    return true;
}

static enum err_code write_lines(void *context, const char *bytes, size_t length, struct err *err)
{
    struct pipeline *pipeline = context;

    if (pipeline->has_lines && !take_lines(pipeline, bytes, length))
        return err_set(err, ERR_INPUT, "a line of more than %u bytes starts here", ROW_BYTES_MAX);
    pipeline->last = bytes[length - 1];
    pipeline->empty = false;
    return byte_sink_write(&pipeline->spool, bytes, length, err);
}

static enum err_code write_charset(void *context, const char *bytes, size_t length, struct err *err)
{
    struct pipeline *pipeline = context;
    enum err_code code = charset_reader_feed(pipeline->charset, bytes, length, err);

    pipeline->from_charset = code == ERR_INPUT;
    return code;
}

static enum err_code write_gzip(void *context, const char *bytes, size_t length, struct err *err)
{
    struct pipeline *pipeline = context;

    return gzip_reader_feed(pipeline->gzip, bytes, length, err);
}

static enum err_code write_zstandard(void *context, const char *bytes, size_t length,
                                     struct err *err)
{
    struct pipeline *pipeline = context;

    return zstandard_reader_feed(pipeline->zstandard, bytes, length, err);
}

static void close_pipeline(struct pipeline *pipeline)
{
    gzip_reader_close(pipeline->gzip);
    zstandard_reader_close(pipeline->zstandard);
    charset_reader_close(pipeline->charset);
}

static enum err_code open_pipeline(struct pipeline *pipeline, const struct source_files *files,
                                   enum source_packing packing, struct err *err)
{
    struct byte_sink sink = {write_lines, pipeline};
    enum err_code code = ERR_OK;

    *pipeline = (struct pipeline){.spool = spool_sink(files->spool),
                                  .empty = true,
                                  .has_lines = files->source->kind != SOURCE_JSON};
    if (files->source->encoding != ENCODING_UTF_8) {
        code = charset_reader_open(files->source->encoding, &sink, &pipeline->charset, err);
        sink = (struct byte_sink){write_charset, pipeline};
    }
    if (code == ERR_OK && packing == PACKING_GZIP) {
        code = gzip_reader_open(&sink, &pipeline->gzip, err);
        sink = (struct byte_sink){write_gzip, pipeline};
    }
    if (code == ERR_OK && packing == PACKING_ZSTANDARD) {
        code = zstandard_reader_open(&sink, &pipeline->zstandard, err);
        sink = (struct byte_sink){write_zstandard, pipeline};
    }
    pipeline->first = sink;
    if (code != ERR_OK)
        close_pipeline(pipeline);
    return code;
}

static enum err_code finish_pipeline(struct pipeline *pipeline, struct err *err)
{
    enum err_code code = ERR_OK;

    if (pipeline->gzip != NULL)
        code = gzip_reader_finish(pipeline->gzip, err);
    if (pipeline->zstandard != NULL)
        code = zstandard_reader_finish(pipeline->zstandard, err);
    if (code == ERR_OK && pipeline->charset != NULL) {
        code = charset_reader_finish(pipeline->charset, err);
        pipeline->from_charset = code == ERR_INPUT;
    }
    return code;
}

/* --- messages --- */

static enum err_code tell_long_line(const struct source_files *files,
                                    const struct pipeline *pipeline, const char *name,
                                    struct diagnostics *diagnostics, struct err *err)
{
    struct place place = {.file = name, .line = (uint32_t)(pipeline->line_breaks + 1), .column = 1};
    struct err why = *err;

    diagnostics_set_lines(diagnostics, name, -1, 0); /* it is too long to be shown */
    diagnostics_add(diagnostics, DIAG_ERROR, place,
                    files->source->kind == SOURCE_CSV ? "data.csv" : "data.json",
                    "a row ends with a line break, and nothing behind this place was read", "%s",
                    why.text);
    return err_set(err, ERR_INPUT, "%s:%u: %s", name, place.line, why.text);
}

/* The text of *err, which an ERR_INPUT of the pipeline has set, with its place. */
static enum err_code tell_damage(const struct source_files *files, const struct pipeline *pipeline,
                                 const char *name, struct diagnostics *diagnostics, struct err *err)
{
    struct place place = {.file = name};
    struct err why = *err;

    if (pipeline->line_bytes > ROW_BYTES_MAX)
        return tell_long_line(files, pipeline, name, diagnostics, err);
    if (!pipeline->from_charset) {
        diagnostics_add(diagnostics, DIAG_ERROR, place, "source.damaged",
                        "make it anew; nothing of it was used", "%s", why.text);
        return err_set(err, ERR_INPUT, "%s: %s", name, why.text);
    }
    charset_reader_place(pipeline->charset, &place.line, &place.column);
    if (files->source->encoding == ENCODING_UTF_16 || pipeline->first.write != write_charset)
        diagnostics_set_lines(diagnostics, name, -1, 0); /* the file's own bytes are no text */
    diagnostics_add(diagnostics, DIAG_ERROR, place, "data.encoding",
                    "encoding: utf-8, windows-1252, latin-1 or utf-16 says how the file is written",
                    "%s (%s:%u)", why.text, files->source->encoding_place.file,
                    files->source->encoding_place.line);
    return err_set(err, ERR_INPUT, "%s:%u:%u: %s", name, place.line, place.column, why.text);
}

/* What ends in the middle of a line was cut off, as far as can be told: nothing else says whether
 * all has come through a pipe. */
static enum err_code check_end(const struct source_files *files, const struct pipeline *pipeline,
                               const char *name, struct diagnostics *diagnostics, struct err *err)
{
    struct place place = {.file = name};

    if (files->source->kind == SOURCE_JSON || pipeline->empty || pipeline->last == '\n' ||
        pipeline->last == '\r')
        return ERR_OK;
    diagnostics_add(diagnostics, DIAG_ERROR, place, "source.cut_short",
                    "the last line must end with a line break: without one nobody knows whether "
                    "all rows have come",
                    "it ends in the middle of a line");
    return err_set(err, ERR_INPUT, "%s ends in the middle of a line", name);
}

/* --- files and standard input --- */

enum source_packing source_packing_of(const char *path)
{
    size_t length = strlen(path);

    if (length > 3 && strcmp(path + length - 3, ".gz") == 0)
        return PACKING_GZIP;
    if (length > 4 && strcmp(path + length - 4, ".zst") == 0)
        return PACKING_ZSTANDARD;
    return PACKING_NONE;
}

static enum err_code pump(int fd, const char *name, const struct interrupt *interrupt,
                          const struct byte_sink *sink, struct err *err)
{
    char *bytes = mem_new(CHUNK_BYTES, 1);
    enum err_code code = ERR_OK;
    ssize_t count = 1;

    if (bytes == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: out of memory", name);
    while (code == ERR_OK && count != 0) {
        code = interrupt_wait(interrupt, fd, err);
        if (code != ERR_OK)
            break;
        count = read(fd, bytes, CHUNK_BYTES);
        if (count == -1 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count == -1)
            code = err_set(err, errno == EISDIR || errno == EBADF ? ERR_INPUT : ERR_SYSTEM,
                           "read %s: %s", name, strerror(errno));
        else
            code = byte_sink_write(sink, bytes, (size_t)count, err);
    }
    mem_free(bytes);
    return code;
}

enum err_code source_fill_from_file(struct source_files *files, const char *name, int fd,
                                    enum source_packing packing, struct diagnostics *diagnostics,
                                    struct err *err)
{
    struct pipeline pipeline;
    struct interrupt interrupt;
    struct stat status;
    enum err_code code = open_pipeline(&pipeline, files, packing, err);

    if (code != ERR_OK)
        return code;
    code = interrupt_open(&interrupt, err);
    if (code == ERR_OK) {
        code = pump(fd, name, &interrupt, &pipeline.first, err);
        interrupt_close(&interrupt);
    }
    if (code == ERR_OK)
        code = finish_pipeline(&pipeline, err);
    if (code == ERR_INPUT)
        code = tell_damage(files, &pipeline, name, diagnostics, err);
    if (code == ERR_OK && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
        code = check_end(files, &pipeline, name, diagnostics, err);
    close_pipeline(&pipeline);
    return code;
}

/* --- commands --- */

enum { HIDDEN_MAX = 2 + SPEC_CONNECTIONS_MAX + 256 };

struct hidden {
    const char **names; /* room for HIDDEN_MAX and a NULL */
    size_t count;
};

static void hide(struct hidden *hidden, const struct secret_reference *reference)
{
    if (reference->kind == SECRET_ENV && reference->name != NULL && hidden->count < HIDDEN_MAX)
        hidden->names[hidden->count++] = reference->name;
}

/* Secrets of bodies: { env: NAME }. */
static void hide_in_body(struct hidden *hidden, const struct yaml_node *node)
{
    const struct yaml_node *name;

    if (node == NULL || (node->kind != YAML_MAP && node->kind != YAML_LIST))
        return;
    name = yaml_get(node, "env");
    if (node->kind == YAML_MAP && node->count == 1 && name != NULL && name->kind == YAML_STRING)
        hide(hidden, &(struct secret_reference){.kind = SECRET_ENV, .name = name->text.bytes});
    for (size_t i = 0; i < node->count; i++)
        hide_in_body(hidden, node->items[i]);
}

/* The variables from which the spec takes its secrets. */
static enum err_code hide_secrets(struct hidden *hidden, const struct spec *spec, struct err *err)
{
    *hidden = (struct hidden){.names = mem_new(HIDDEN_MAX + 1, sizeof *hidden->names)};
    if (hidden->names == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to start a command");
    hide(hidden, &spec->api.client_id);
    hide(hidden, &spec->api.client_secret);
    for (size_t i = 0; i < spec->connection_count; i++)
        hide(hidden, &spec->connections[i].access_token);
    for (size_t i = 0; i < spec->job_count; i++)
        if (spec->jobs[i].connection_write != CONNECTION_WRITE_NONE)
            hide_in_body(hidden, spec->jobs[i].body);
    return ERR_OK;
}

static const struct delay_words {
    const char *text, *help;
} delays[] = {
    [DELAY_BUSY] = {"had not ended", "timeout: 2h gives it more time"},
    [DELAY_SILENT] = {"had closed its output, but had not ended",
                      "it must end: its exit status says whether all rows have come"},
    [DELAY_OUTPUT_HELD] = {"had ended, but something that it started still held its output",
                           "what runs on in the background must have another output"},
};

static void say_end(const struct command_end *end, int64_t timeout_ms, char text[MESSAGE_BYTES])
{
    const char *words = end->last_words;
    const char *colon = words[0] == '\0' ? "" : ": ";

    switch (end->outcome) {
    case COMMAND_EXITED:
        (void)snprintf(text, MESSAGE_BYTES, "ended with exit status %d%s%s", end->number, colon,
                       words);
        return;
    case COMMAND_KILLED:
        (void)snprintf(text, MESSAGE_BYTES, "was killed by signal %d (%s)%s%s", end->number,
                       strsignal(end->number), colon, words);
        return;
    case COMMAND_TIMED_OUT:
        (void)snprintf(text, MESSAGE_BYTES, "%s after %lld seconds and was killed%s%s",
                       delays[end->number].text, (long long)(timeout_ms / 1000), colon, words);
        return;
    case COMMAND_NOT_STARTED:
        (void)snprintf(text, MESSAGE_BYTES, "cannot be started: %s", strerror(end->number));
        return;
    }
}

static enum err_code tell_end(const struct source_files *files, const struct command_end *end,
                              struct diagnostics *diagnostics, struct err *err)
{
    const char *program = files->source->command[0], *help = NULL;
    char text[MESSAGE_BYTES] = "";

    if (end->outcome == COMMAND_EXITED && end->number == 0)
        return ERR_OK;
    say_end(end, files->source->timeout_ms, text);
    if (end->outcome == COMMAND_TIMED_OUT)
        help = delays[end->number].help;
    else if (end->outcome == COMMAND_NOT_STARTED)
        help = "no shell runs it: the first word is a program in PATH, or a path from the folder "
               "of the spec";
    else
        help = "what it gave was not used, for it may not be all";
    diagnostics_add(diagnostics, DIAG_ERROR, files->source->place, "source.command", help,
                    "the command '%s' %s", program, text);
    return err_set(err, ERR_INPUT, "the command '%s' %s", program, text);
}

enum err_code source_fill_from_command(struct source_files *files, const char *name,
                                       const struct spec *spec, const struct spec_job *job,
                                       struct diagnostics *diagnostics, struct err *err)
{
    struct pipeline pipeline;
    struct command_end end;
    struct hidden hidden;
    enum err_code code;

    if (hide_secrets(&hidden, spec, err) != ERR_OK)
        return err->code;
    code = open_pipeline(&pipeline, files, PACKING_NONE, err);
    if (code == ERR_OK) {
        code = command_run(&(struct command){.arguments = job->source.command,
                                             .folder = spec->folder,
                                             .hidden = hidden.names,
                                             .timeout_ms = job->source.timeout_ms},
                           &pipeline.first, &end, err);
        if (code == ERR_OK)
            code = tell_end(files, &end, diagnostics, err);
        else if (code == ERR_INPUT)
            code = tell_damage(files, &pipeline, name, diagnostics, err);
        if (code == ERR_OK) {
            code = finish_pipeline(&pipeline, err);
            if (code == ERR_INPUT)
                code = tell_damage(files, &pipeline, name, diagnostics, err);
        }
        if (code == ERR_OK)
            code = check_end(files, &pipeline, name, diagnostics, err);
        close_pipeline(&pipeline);
    }
    mem_free(hidden.names);
    return code;
}
