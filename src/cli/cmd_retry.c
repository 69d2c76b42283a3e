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

static enum err_code retry_items(struct session *session, const struct where *where,
                                 struct err *err)
{
    uint64_t done, passed;

    if (decide_all(session, where, EVENT_RETRY, &done, &passed, err) != ERR_OK)
        return err->code;
    return decide_report(session, "ready", done, passed, "run", err);
}

int cmd_retry(int argc, char **argv)
{
    struct options options;
    struct session session;
    struct where where;
    struct err err = {0};
    int exit_status =
        options_parse(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_WHERE, &options);

    if (exit_status != -1)
        return exit_status;
    exit_status = EXIT_DONE;
    session_init(&session, &options);
    if (where_parse(options.where, &where, &err) != ERR_OK ||
        session_load_spec(&session, &err) != ERR_OK ||
        session_open_ledger(&session, true, &err) != ERR_OK ||
        retry_items(&session, &where, &err) != ERR_OK)
        exit_status = session_fail(&session, &err);
    session_deinit(&session);
    return exit_status;
}
