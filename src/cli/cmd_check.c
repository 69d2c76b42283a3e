/* purser check SPEC
 *
 * Promises: reads everything, sends nothing, writes nothing; all errors at once. */
#include <unistd.h>

#include "purser/base/log.h"
#include "purser/cli/check_report.h"
#include "purser/cli/command.h"
#include "purser/cli/schedule.h"
#include "purser/cli/session.h"
#include "purser/io/clock.h"
#include "purser/io/intake.h"

const char help_check[] =
    "usage: purser check SPEC [options]\n\n"
    "  purser check jobspecs/catalog-upload.yaml\n"
    "  purser check catalogue.yaml --output json     for an editor or a pipeline\n\n"
    "Reads the spec and all of its sources, renders every request, and says what is\n"
    "wrong, with file, line and column. Sends nothing and needs no credentials.\n\n"
    "  --slot TIME        as for a run of this time of the schedule\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --validate WORD    error (default), warn or off: a request that breaks what is\n"
    "                     known of its operation stops the run, is warned of, or\n"
    "                     passes\n"
    "  --output json      messages as JSON on stdout\n"
    "  --output sarif     as SARIF 2.1.0, for code scanning and editors\n"
    "  --output github    as annotations, in the log of a GitHub action\n";

enum { REPORT_BYTES_MAX = 16 * 1024 * 1024, FOLDER_BYTES_MAX = 4096 };

static enum err_code check(struct session *session, uint64_t *rows_out, struct err *err)
{
    struct intake *intake = NULL;
    enum err_code code = session_load_spec(session, err);

    if (code == ERR_OK)
        code = run_slot_set(session, err);
    if (code == ERR_OK)
        code = session_load_document(session, err);
    if (code == ERR_OK)
        code = intake_open(&session->spec, 1, clock_wall_ms(), &session->diagnostics, &intake, err);
    if (code == ERR_OK)
        code = intake_check(intake, err);
    *rows_out = intake == NULL ? 0 : intake_row_count(intake);
    intake_close(intake);
    return code;
}

static int report(struct session *session, uint64_t rows, struct err *err)
{
    struct buf out;
    int exit_status = EXIT_DONE;

    session_warn(session);
    buf_init(&out, 1024 * 1024);
    if (session->options->output == OUTPUT_TABLE) {
        buf_append_format(&out, "%s: right: %zu job%s, %llu item%s\n", session->spec.file,
                          session->spec.job_count, session->spec.job_count == 1 ? "" : "s",
                          (unsigned long long)rows, rows == 1 ? "" : "s");
    } else {
        buf_append_text(&out, "{\"v\":1,\"spec\":");
        text_append_json(&out, slice_of(session->spec.name));
        buf_append_format(&out, ",\"exit_code\":0,\"jobs\":%zu,\"items\":%llu,\"messages\":",
                          session->spec.job_count, (unsigned long long)rows);
        diagnostics_print_json(&session->diagnostics, &out);
        buf_append_text(&out, "}\n");
    }
    if (print_out(&out, err) != ERR_OK)
        exit_status = session_fail(session, err);
    buf_deinit(&out);
    return exit_status;
}

/* What was found, where --output says sarif or github; also when nothing was. */
static int report_for_machines(struct session *session, const char *failure, int exit_status)
{
    char folder[FOLDER_BYTES_MAX] = "";
    struct check_report found = {.diagnostics = &session->diagnostics,
                                 .failure = failure,
                                 .folder = folder,
                                 .exit_status = exit_status};
    struct err err = {0};
    struct buf out;

    if (getcwd(folder, sizeof folder) == NULL)
        folder[0] = '\0';
    buf_init(&out, REPORT_BYTES_MAX);
    if (session->options->report == REPORT_SARIF)
        check_report_sarif(&found, &out);
    else
        check_report_github(&found, &out);
    if (print_redacted(&out, &err) != ERR_OK) {
        print_talk("purser: %s", err.text);
        exit_status = EXIT_INTERNAL;
    }
    buf_deinit(&out);
    return exit_status;
}

int cmd_check(int argc, char **argv)
{
    struct options options;
    struct session session;
    struct err err = {0};
    uint64_t rows;
    int exit_status = options_parse(
        argc, argv, ALLOW_OUTPUT | ALLOW_REPORT | ALLOW_VARIABLES | ALLOW_VALIDATE | ALLOW_SLOT,
        &options);

    if (exit_status != -1)
        return exit_status;
    session_init(&session, &options);
    if (check(&session, &rows, &err) != ERR_OK)
        exit_status = session_fail(&session, &err);
    else if (options.report == REPORT_NONE)
        exit_status = report(&session, rows, &err);
    else
        session_warn(&session);
    if (options.report != REPORT_NONE)
        exit_status = report_for_machines(&session, err.text[0] == '\0' ? NULL : err.text,
                                          exit_status == -1 ? EXIT_DONE : exit_status);
    session_deinit(&session);
    return exit_status;
}
