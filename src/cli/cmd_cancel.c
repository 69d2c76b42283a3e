/* purser cancel SPEC
 *
 * Promises: only what has not been sent is cancelled. */
#include "purser/cli/command.h"
#include "purser/cli/decide.h"

const char help_cancel[] =
    "usage: purser cancel SPEC [options]\n\n"
    "  purser cancel catalogue.yaml\n"
    "  purser cancel catalogue.yaml --where 'job=products'\n\n"
    "What has not been sent is not sent; `purser retry` takes it back. What may have left is\n"
    "passed over: it can only be finished.\n\n"
    "  --where TERMS      only these (see purser items --help)\n"
    "  --output json      one object on stdout\n"
    "  --state DIR        where the ledgers are\n";

static enum err_code cancel_items(struct session *session, const struct where *where,
                                  struct err *err)
{
    uint64_t done, passed;

    if (decide_all(session, where, EVENT_CANCELLED, &done, &passed, err) != ERR_OK)
        return err->code;
    return decide_report(session, "cancelled", done, passed, "status", err);
}

int cmd_cancel(int argc, char **argv)
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
        cancel_items(&session, &where, &err) != ERR_OK)
        exit_status = session_fail(&session, &err);
    session_deinit(&session);
    return exit_status;
}
