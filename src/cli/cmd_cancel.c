/* purser cancel SPEC
 *
 * Promises: only what has not been sent is cancelled. */
#include "purser/cli/command.h"
#include "purser/cli/decide.h"

const char help_cancel[] =
    "usage: purser cancel SPEC [options]\n\n"
    "  purser cancel catalogue.yaml\n"
    "  purser cancel catalogue.yaml --where 'job=products'\n\n"
    "What has not been sent is not sent; `purser retry` takes it back. What may have\n"
    "left is passed over: it can only be finished.\n\n"
    "  --where TERMS      only these (see purser items --help)\n"
    "  --output json      one object on stdout\n"
    "  --state DIR        where the ledgers are\n";

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    (void)exit_status_out;
    return decide_command(session, EVENT_CANCELLED, "cancelled", "status", err);
}

int cmd_cancel(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_WHERE, run);
}
