/* What `check` found, for programs that show it beside the lines: SARIF for editors and code
 * scanning, workflow commands for the log of a GitHub action.
 *
 * Paths are relative to the working directory where they lie below it. Lines of files are never
 * part of it, for a secret may stand on one. */
#ifndef PURSER_CLI_CHECK_REPORT_H
#define PURSER_CLI_CHECK_REPORT_H

#include "purser/base/buf.h"
#include "purser/base/diag.h"

struct check_report {
    struct diagnostics *diagnostics; /* is sorted */
    const char *failure;             /* what ended the check; NULL = it went through */
    const char *folder;              /* the working directory, absolute; "" = unknown */
    int exit_status;
};

/* Appends one SARIF log with one run; all codes of messages are its rules.
 * Source: OASIS, SARIF 2.1.0 (plus errata 01), 2023. */
void check_report_sarif(const struct check_report *report, struct buf *out);

/* Appends one line a message, as GitHub's runner reads them; nothing when all is right.
 * Source: GitHub Docs, "Workflow commands for GitHub Actions", 2024. */
void check_report_github(const struct check_report *report, struct buf *out);

#endif
