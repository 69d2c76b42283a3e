/* purser retry SPEC
 *
 * Promises: only what failed for certain, or was cancelled, becomes ready; never what may have been
 * done. */
#include "purser/cli/command.h"
#include "purser/cli/decide.h"

const char help_retry[] =
    "usage: purser retry SPEC [options]\n\n"
    "  purser retry catalogue.yaml\n"
    "  purser retry catalogue.yaml --where 'code=450 and job=products'\n\n"
    "Failed and cancelled items become ready; `purser run` then sends them. What was refused "
    "before\n"
    "it was accepted keeps its idempotency key, what was accepted and then failed gets a new one.\n"
    "Items in doubt are left alone: `purser resolve` is for them.\n\n"
    "  --where TERMS      only these (see purser items --help)\n"
    "  --output json      one object on stdout\n"
    "  --state DIR        where the ledgers are\n";

int cmd_retry(int argc, char **argv)
{
    return decide_command(argc, argv, EVENT_RETRY, "ready", "run");
}
