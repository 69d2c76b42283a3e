#include "purser/cli/session.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/base/text.h"
#include "purser/cli/whole_file.h"
#include "purser/codec/openapi.h"
#include "purser/io/time_zone.h"

enum { PRINT_BYTES_MAX = 64 * 1024 * 1024, LOCK_WAIT_MS = 50, LOCK_WAITS_MAX = 100 };

void session_init(struct session *session, const struct options *options)
{
    *session = (struct session){.options = options};
    arena_init(&session->arena, SPEC_ARENA_BYTES_MAX);
    arena_init(&session->document_arena, OPENAPI_ARENA_BYTES_MAX);
    diagnostics_init(&session->diagnostics);
}

void session_close_ledger(struct session *session)
{
    lmdb_ledger_close(session->lmdb);
    if (session->directory_open)
        state_directory_close(&session->directory);
    session->lmdb = NULL;
    session->ledger = NULL;
    session->directory_open = false;
}

void session_deinit(struct session *session)
{
    session_close_ledger(session);
    diagnostics_deinit(&session->diagnostics);
    session_drop_document(session);
    arena_deinit(&session->arena);
    mem_free(session->spec_bytes);
}

int session_run_with(const struct options *options, session_command *run)
{
    struct session session;
    struct err err = {0};
    int exit_status = EXIT_DONE;

    session_init(&session, options);
    if (run(&session, &exit_status, &err) != ERR_OK)
        exit_status = session_fail(&session, &err);
    session_deinit(&session);
    return exit_status;
}

int session_run(int argc, char **argv, unsigned allowed, session_command *run)
{
    struct options options;
    int exit_status = options_parse(argc, argv, allowed, &options);

    return exit_status != -1 ? exit_status : session_run_with(&options, run);
}

static enum err_code read_spec(struct session *session, const char *file, size_t *length_out,
                               struct err *err)
{
    enum err_code code =
        whole_file_read(file, SPEC_BYTES_MAX, &session->spec_bytes, length_out, err);

    if (code != ERR_TOO_BIG)
        return code;
    diagnostics_add(&session->diagnostics, DIAG_ERROR, (struct place){.file = file}, "yaml.too_big",
                    "put the rows into a CSV or NDJSON file and name it under source",
                    "a spec has at most %u MiB, this file has more",
                    SPEC_BYTES_MAX / (1024 * 1024));
    return err_set(err, ERR_INPUT, "%s cannot be read; nothing was sent", file);
}

/* One more message about the spec, at `place`. A line "hint: …" of the error becomes its help. */
static void tell_at(struct session *session, struct place place, const char *code, const char *help,
                    struct err *err)
{
    static const char mark[] = "\nhint: ";
    char *hint = strstr(err->text, mark);

    if (hint != NULL) {
        *hint = '\0';
        hint += sizeof mark - 1;
    }
    diagnostics_add(&session->diagnostics, DIAG_ERROR, place, code, hint != NULL ? hint : help,
                    "%s", err->text);
}

static enum err_code load_zone(struct session *session, struct err *err)
{
    const struct spec_schedule *schedule = &session->spec.schedule;

    session->zone = &zone_utc;
    if (schedule->cron_text == NULL ||
        time_zone_open(&session->arena, schedule->timezone, &session->zone, err) == ERR_OK)
        return ERR_OK;
    if (err->code != ERR_INPUT)
        return err->code;
    tell_at(session, schedule->timezone_place, "spec.time_zone", NULL, err);
    return err_set(err, ERR_INPUT, "1 error in %s; nothing was sent", session->spec.file);
}

enum err_code session_load_spec(struct session *session, struct err *err)
{
    const char *file = session->options->spec_file;
    size_t length = 0;
    enum err_code code = read_spec(session, file, &length, err);

    if (code != ERR_OK)
        return code;
    code =
        spec_load(&session->arena, file, session->spec_bytes, length, session->options->variables,
                  session->options->variable_count, &session->spec, &session->diagnostics);
    if (code == ERR_NO_MEMORY)
        return err_set(err, code, "no memory for %s", file);
    if (code != ERR_OK)
        return err_set(err, code, "%llu error%s in %s; nothing was sent",
                       (unsigned long long)session->diagnostics.error_count,
                       session->diagnostics.error_count == 1 ? "" : "s", file);
    if (load_zone(session, err) != ERR_OK)
        return err->code;
    session->spec.validation = session->options->validation;
    session->spec_loaded = true;
    return ERR_OK;
}

static enum err_code refuse_document(struct session *session, struct err *err)
{
    tell_at(session, session->spec.api.openapi_place, "spec.openapi",
            "--validate=off does without the document", err);
    return err_set(err, ERR_INPUT, "%s cannot be used; nothing was sent",
                   session->spec.api.openapi);
}

enum err_code session_load_document(struct session *session, struct err *err)
{
    struct spec *spec = &session->spec;
    const char *file = spec->api.openapi;
    size_t length = 0;
    enum err_code code;

    if (file == NULL || spec->validation == VALIDATE_OFF)
        return ERR_OK;
    code = whole_file_read(file, OPENAPI_BYTES_MAX, &session->document_bytes, &length, err);
    if (code == ERR_OK &&
        openapi_load(&session->document_arena, file, session->document_bytes, length,
                     &spec->document, &session->diagnostics, err) != ERR_OK)
        code = err_wrap(err, "%s", file);
    return code == ERR_INPUT || code == ERR_TOO_BIG ? refuse_document(session, err) : code;
}

void session_drop_document(struct session *session)
{
    session->spec.document = NULL;
    arena_deinit(&session->document_arena);
    mem_free(session->document_bytes);
    session->document_bytes = NULL;
}

/* The run that a tick has started may meet another tick's short look at the ledger. */
static enum err_code open_directory(struct session *session, bool write, struct err *err)
{
    for (int waits = 0;; waits++) {
        enum err_code code = state_directory_open(session->options->state_root, session->spec.name,
                                                  write, &session->directory, err);

        if (code != ERR_LOCKED || !session->options->schedule.scheduled || waits == LOCK_WAITS_MAX)
            return code;
        (void)poll(NULL, 0, LOCK_WAIT_MS);
    }
}

static enum err_code open_ledger(struct session *session, bool write, bool is_known,
                                 struct err *err)
{
    const struct spec_api *api = &session->spec.api;
    enum err_code code = open_directory(session, write, err);

    if (code != ERR_OK)
        return code;
    session->directory_open = true;
    code = lmdb_ledger_open(
        &session->directory,
        &(struct lmdb_ledger_options){
            .spec_name = session->spec.name,
            .base_url = api->environment == ENVIRONMENT_SIMULATOR ? "simulator" : api->base_url,
            .write = write,
            .is_known = is_known,
            .reads_all = session->reads_all,
            .adoption = session->adoption},
        &session->lmdb, err);
    if (code == ERR_OK)
        session->ledger = lmdb_ledger_port(session->lmdb);
    return code;
}

enum err_code session_open_ledger(struct session *session, bool write, struct err *err)
{
    return open_ledger(session, write, false, err);
}

enum err_code session_open_known_ledger(struct session *session, struct err *err)
{
    struct state_directory directory;

    /* Opening a directory for writing would make it. */
    if (state_directory_open(session->options->state_root, session->spec.name, false, &directory,
                             err) != ERR_OK)
        return err->code;
    state_directory_close(&directory);
    return open_ledger(session, true, true, err);
}

enum err_code session_open(struct session *session, struct err *err)
{
    enum err_code code = session_load_spec(session, err);

    return code == ERR_OK ? session_open_ledger(session, false, err) : code;
}

enum err_code session_open_known(struct session *session, struct err *err)
{
    enum err_code code = session_load_spec(session, err);

    return code == ERR_OK ? session_open_known_ledger(session, err) : code;
}

const char *session_state_words(struct session *session)
{
    if (session->options->state_root == NULL)
        return "";
    (void)snprintf(session->state_words, sizeof session->state_words, " --state %s",
                   session->options->state_root);
    return session->state_words;
}

void print_talk(const char *format, ...)
{
    char line[4096];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof line)
        length = (int)sizeof line - 1;
    length = (int)log_redact(line, (size_t)length);
    fprintf(stderr, "%.*s\n", length, line);
}

enum err_code print_out(const struct buf *buf, struct err *err)
{
    if (buf->failed != ERR_OK)
        return buf_error(buf, "the output is too large to be built", err);
    /* Something in it may be missing, whoever passed over the failure. */
    if (mem_failure_count() > 0)
        return err_set(err, ERR_NO_MEMORY, "out of memory for the output");
    if (buf->length > 0 &&
        (fwrite(buf->bytes, 1, buf->length, stdout) != buf->length || fflush(stdout) != 0))
        return err_set(err, ERR_OUTPUT, "standard output: %s", strerror(errno));
    return ERR_OK;
}

enum err_code print_redacted(struct buf *buf, struct err *err)
{
    if (buf->length > 0)
        buf->length = log_redact(buf->bytes, buf->length);
    return print_out(buf, err);
}

static void print_diagnostics(struct session *session)
{
    struct buf text;

    buf_init(&text, PRINT_BYTES_MAX);
    diagnostics_print(&session->diagnostics, &text);
    if (text.length > 0) {
        text.length = log_redact(text.bytes, text.length);
        fwrite(text.bytes, 1, text.length, stderr);
    }
    buf_deinit(&text);
}

void session_warn(struct session *session)
{
    if (session->diagnostics.warning_count > 0)
        print_diagnostics(session);
}

void session_tell_loss(const struct session *session)
{
    char time[TEXT_TIME_BYTES];
    int64_t lost_since_ms = lmdb_ledger_lost_since_ms(session->lmdb);
    bool is_all_lost = lost_since_ms == LEDGER_LOST_ALL_MS;

    if (lost_since_ms == 0 || session->options->quiet)
        return;
    text_from_time_ms(lost_since_ms, time);
    print_talk("warning: the ledger is a restored backup that knows nothing of what was sent%s%s. "
               "Whatever would be sent now is repeated under its idempotency key while the API "
               "remembers that, else it goes in doubt (restored_state)",
               is_all_lost ? "" : " after ", is_all_lost ? "" : time);
}

static void print_failure_json(struct session *session, const struct err *err, int exit_status)
{
    struct buf out;
    struct err ignored = {0};

    buf_init(&out, PRINT_BYTES_MAX);
    buf_append_text(&out, "{\"v\":1");
    if (session->spec_loaded) {
        buf_append_text(&out, ",\"spec\":");
        text_append_json(&out, slice_of(session->spec.name));
    }
    buf_append_format(&out, ",\"exit_code\":%d,\"error\":{\"message\":", exit_status);
    text_append_json(&out, slice_of(err->text));
    buf_append_text(&out, "},\"messages\":");
    diagnostics_print_json(&session->diagnostics, &out);
    buf_append_text(&out, "}\n");
    if (print_redacted(&out, &ignored) != ERR_OK)
        print_talk("purser: %s", ignored.text);
    buf_deinit(&out);
}

int session_fail_as(struct session *session, const struct err *err, int exit_status)
{
    struct err no_memory = {0};

    print_diagnostics(session);
    print_talk("purser: %s", err->text[0] == '\0' ? err_code_text(err->code) : err->text);
    /* What was refused, or broke, may be right: libcurl only says that a callback did not want. */
    if ((exit_status == EXIT_INPUT || exit_status == EXIT_INTERNAL) && err->code != ERR_NO_MEMORY &&
        mem_failure_count() > 0) {
        exit_status = err_exit_status(
            err_set(&no_memory, ERR_NO_MEMORY, "out of memory, which may be all that is wrong"));
        print_talk("purser: %s", no_memory.text);
        err = &no_memory;
    }
    if (session->options->output == OUTPUT_JSON || session->options->output == OUTPUT_NDJSON)
        print_failure_json(session, err, exit_status);
    return exit_status;
}

int session_fail(struct session *session, const struct err *err)
{
    return session_fail_as(session, err, err_exit_status(err->code));
}
