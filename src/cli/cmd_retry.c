/* purser retry SPEC
 *
 * Promises: only what failed for certain, or was cancelled, is to be sent again; never what may
 * have been done. With --input only the items of those rows are sent, and the uncorrected rows of
 * the source count for nothing until they change. */
#include <stdint.h>
#include <stdio.h>

#include "purser/cli/command.h"
#include "purser/cli/correct.h"
#include "purser/cli/decide.h"

const char help_retry[] =
    "usage: purser retry SPEC [options]\n\n"
    "  purser retry catalogue.yaml\n"
    "  purser retry catalogue.yaml --where 'code=450 and job=products'\n"
    "  purser retry catalogue.yaml --input results/failed.csv    corrected rows\n\n"
    "Failed and cancelled items become ready, those that wait for others blocked;\n"
    "`purser run` then sends them, what is blocked when what it waits for is done.\n"
    "What was refused before it was accepted keeps its idempotency key, what was\n"
    "accepted and then failed gets a new one. Items in doubt are left alone: `purser\n"
    "resolve` is for them. What `purser undo` has reversed is cancelled, so it would\n"
    "be written anew: --where 'state=failed' leaves it alone.\n\n"
    "With --input FILE the rows of the file take the places of those that failed, and\n"
    "only they are sent, at once. It is a failed.csv of `purser results`, corrected:\n"
    "purser_* columns are passed over. A row of an item that succeeded, is under way\n"
    "or is in doubt is an error, and then nothing is sent. The rows of the source\n"
    "count for nothing until they change themselves. The same command again is safe:\n"
    "what was sent is not sent twice.\n\n"
    "  --where TERMS      only these (see purser items --help)\n"
    "  --input FILE       corrected rows: .csv, .tsv, .ndjson or .jsonl\n"
    "  --job JOB          whose rows they are; else the file's folder says, or the\n"
    "                     only job\n"
    "  --output json      one object on stdout\n"
    "  --state DIR        where the ledgers are\n"
    "With --input also, as in purser run: --limit, --wait, --grace, --var, --validate\n"
    "and --slot, which is else that of the last run.\n";

static int wrong(const char *text, const char *hint)
{
    print_talk("purser retry: %s", text);
    print_talk("hint: %s", hint);
    return EXIT_INPUT;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    (void)exit_status_out;
    return decide_command(session, EVENT_RETRY, "ready", "run", err);
}

int cmd_retry(int argc, char **argv)
{
    struct options options;
    int exit_status = options_parse(argc, argv,
                                    ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_WHERE | ALLOW_RUN |
                                        ALLOW_VALIDATE | ALLOW_INPUT | ALLOW_SLOT,
                                    &options);

    if (exit_status != -1)
        return exit_status;
    if (options.input != NULL && options.where != NULL)
        return wrong("--where and --input do not go together",
                     "with --input the rows of the file say which items are meant");
    if (options.input != NULL)
        return correct_command(&options);
    if (options.job != NULL || options.wait_ms != INT64_MAX || options.limit != UINT64_MAX ||
        options.schedule.has_slot)
        return wrong("--job, --wait, --limit and --slot go with --input",
                     "without it nothing is sent: `purser run` does that");
    return session_run_with(&options, run);
}
