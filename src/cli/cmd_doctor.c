/* purser doctor SPEC
 *
 * Promises: writes nothing and takes no lock; asks the API for the status of connections alone;
 * whatever the ledger's file holds, it ends with an exit status. */
#include "doctor_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/log.h"
#include "purser/cli/command.h"

const char help_doctor[] =
    "usage: purser doctor SPEC [options]\n\n"
    "  purser doctor catalogue.yaml\n"
    "  purser doctor catalogue.yaml --offline         does not ask the API\n"
    "  purser doctor catalogue.yaml --output json     for a monitor\n\n"
    "Looks at all that a run depends on and says what is wrong and what to do next:\n"
    "the spec (not its sources), the state directory, the ledger (every record, in a\n"
    "process of its own), the credentials, the connection to the API, the clock, and\n"
    "each connection's status. Goes on after a problem where it can. Writes nothing,\n"
    "and works while a run goes on. Secrets are shown as the first 8 digits of their\n"
    "SHA-256, so that two machines can be compared.\n\n"
    "  --offline          leave out the API, the clock and the connections\n"
    "  --output FORMAT    table or json\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --state DIR        where the ledgers are\n\n"
    "Exit status: 0 all well, warnings too; else that of the first problem: 2 the\n"
    "spec, the state directory, a ledger that is refused or a credential that is\n"
    "missing, 1 a ledger whose reading fails, 3 the API cannot be asked or a\n"
    "connection cannot be written to, 4 credentials are refused or a merchant must\n"
    "sign in again.\n";

enum {
    OUTPUT_BYTES_MAX = 4 * 1024 * 1024,
    TEXT_BYTES = 2048,
};

static const char *const level_names[] = {[FINDING_OK] = "ok",
                                          [FINDING_WARNING] = "warning",
                                          [FINDING_PROBLEM] = "problem",
                                          [FINDING_SKIPPED] = "skipped"};

/* --- what was found --- */

static void append_json(struct doctor *doctor, const char *level, const char *area,
                        const char *text, const char *next)
{
    struct buf *out = &doctor->out;

    buf_append_format(out, "%s{\"level\":\"%s\",\"area\":\"%s\",\"message\":",
                      doctor->count > 0 ? ",\n" : "\n", level, area);
    text_append_json(out, slice_of(text));
    buf_append_text(out, ",\"next\":");
    if (next[0] == '\0')
        buf_append_text(out, "null");
    else
        text_append_json(out, slice_of(next));
    buf_append_byte(out, '}');
}

static void append_line(struct doctor *doctor, const char *level, const char *area,
                        const char *text, const char *next)
{
    struct buf *out = &doctor->out;

    buf_append_format(out, "%-8s %-12s ", level, area);
    text_append_printable(out, slice_of(text));
    if (next[0] != '\0') {
        buf_append_format(out, "\n%-8s %-12s next: ", "", "");
        text_append_printable(out, slice_of(next));
    }
    buf_append_byte(out, '\n');
}

void doctor_add(struct doctor *doctor, enum finding_level level, const char *area, int exit_status,
                const char *next, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (doctor->session->options->output != OUTPUT_TABLE)
        append_json(doctor, level_names[level], area, text, next);
    else
        append_line(doctor, level_names[level], area, text, next);
    doctor->count++;
    if (level == FINDING_WARNING)
        doctor->warning_count++;
    if (level != FINDING_PROBLEM)
        return;
    doctor->problem_count++;
    if (doctor->exit_status == EXIT_DONE)
        doctor->exit_status = exit_status;
}

void doctor_add_error(struct doctor *doctor, const char *area, const struct err *err)
{
    static const char hint[] = "\nhint: ";
    const char *at = strstr(err->text, hint);
    int length = at == NULL ? (int)strlen(err->text) : (int)(at - err->text);

    doctor_add(doctor, FINDING_PROBLEM, area, err_exit_status(err->code),
               at == NULL ? "" : at + strlen(hint), "%.*s", length, err->text);
}

static void append_place(const struct place *place, char *out, size_t size)
{
    if (place->file == NULL)
        return;
    if (place->line == 0)
        (void)snprintf(out, size, "%.200s: ", place->file);
    else if (place->column == 0)
        (void)snprintf(out, size, "%.200s:%u: ", place->file, place->line);
    else
        (void)snprintf(out, size, "%.200s:%u:%u: ", place->file, place->line, place->column);
}

void doctor_add_messages(struct doctor *doctor, const char *area)
{
    struct diagnostics *diagnostics = &doctor->session->diagnostics;

    for (; doctor->seen < diagnostics->count; doctor->seen++) {
        struct diag_view view = diagnostics_view(diagnostics, doctor->seen);
        char next[DIAG_TEXT_BYTES_MAX], place[256] = "";

        append_place(&view.place, place, sizeof place);
        if (view.help != NULL)
            (void)snprintf(next, sizeof next, "%s", view.help);
        else
            (void)snprintf(next, sizeof next, "purser help %s", view.code);
        doctor_add(doctor, view.severity == DIAG_ERROR ? FINDING_PROBLEM : FINDING_WARNING, area,
                   EXIT_INPUT, next, "%s%s [%s]", place, view.text, view.code);
    }
}

/* --- one after the other --- */

static bool look_at_spec(struct doctor *doctor)
{
    struct session *session = doctor->session;
    const uint64_t problems_before = doctor->problem_count;
    struct err err = {0};
    enum err_code code = session_load_spec(session, &err);

    if (code == ERR_OK)
        code = session_load_document(session, &err);
    doctor_add_messages(doctor, "spec");
    if (code != ERR_OK && doctor->problem_count == problems_before)
        doctor_add_error(doctor, "spec", &err);
    if (code == ERR_OK)
        doctor_add(doctor, FINDING_OK, "spec", 0, "", "%s: %zu job%s, %zu connection%s",
                   session->spec.file, session->spec.job_count,
                   session->spec.job_count == 1 ? "" : "s", connection_views_count(session),
                   connection_views_count(session) == 1 ? "" : "s");
    session_drop_document(session);
    return session->spec_loaded;
}

static void skip(struct doctor *doctor, const char *area, const char *why)
{
    doctor_add(doctor, FINDING_SKIPPED, area, 0, "", "%s", why);
}

static enum err_code examine(struct doctor *doctor, struct err *err)
{
    bool has_credentials;

    if (!look_at_spec(doctor)) {
        skip(doctor, "rest", "the spec names where the ledger, the secrets and the API are");
        return ERR_OK;
    }
    if (doctor_look_at_state(doctor))
        doctor_look_at_ledger(doctor);
    has_credentials = doctor_look_at_credentials(doctor);
    if (doctor->session->options->offline)
        skip(doctor, "api", "not asked: --offline");
    else if (!has_credentials)
        skip(doctor, "api", "not asked: the credentials are not complete");
    else
        return doctor_look_at_api(doctor, err);
    return ERR_OK;
}

static enum err_code show(struct doctor *doctor, struct err *err)
{
    const struct session *session = doctor->session;
    enum err_code code;
    struct buf all;

    buf_init(&all, OUTPUT_BYTES_MAX + 1024);
    if (session->options->output != OUTPUT_TABLE) {
        buf_append_text(&all, "{\"v\":1,\"spec\":");
        if (session->spec_loaded)
            text_append_json(&all, slice_of(session->spec.name));
        else
            buf_append_text(&all, "null");
        buf_append_format(&all,
                          ",\"exit_code\":%d,\"problems\":%llu,\"warnings\":%llu,\"checks\":[",
                          doctor->exit_status, (unsigned long long)doctor->problem_count,
                          (unsigned long long)doctor->warning_count);
    }
    buf_append(&all, buf_text(&doctor->out), doctor->out.length);
    if (session->options->output != OUTPUT_TABLE)
        buf_append_text(&all, "\n]}\n");
    if (doctor->out.failed != ERR_OK)
        code = buf_error(&doctor->out, "the output is too large to be built", err);
    else
        code = print_redacted(&all, err);
    buf_deinit(&all);
    return code;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct doctor doctor = {.session = session};
    enum err_code code;

    buf_init(&doctor.out, OUTPUT_BYTES_MAX);
    code = examine(&doctor, err);
    if (code == ERR_OK)
        code = show(&doctor, err);
    *exit_status_out = doctor.exit_status;
    credentials_wipe(&doctor.credentials);
    buf_deinit(&doctor.out);
    return code;
}

int cmd_doctor(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_DOCTOR, run);
}
