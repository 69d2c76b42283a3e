/* purser resolve SPEC JOB/KEY --as WORD
 *
 * Promises: one item in doubt gets a person's word; the word is recorded beside its attempts. */
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/decide.h"

const char help_resolve[] =
    "usage: purser resolve SPEC JOB/KEY --as done|not-done|abandon\n\n"
    "  purser explain catalogue.yaml products/SKU-17        look first\n"
    "  purser resolve catalogue.yaml products/SKU-17 --as done\n\n"
    "  --as done           it exists on the platform: counts as succeeded\n"
    "  --as not-done       it does not: will be sent again under a new idempotency\n"
    "                      key\n"
    "  --as abandon        leave it; it is never sent again\n"
    "  --connection ALIAS  where a key stands on several connections\n"
    "  --output json       one object on stdout\n"
    "  --state DIR         where the ledgers are\n";

static const struct {
    const char *word;
    enum item_event_kind kind;
} words[] = {{"done", EVENT_RESOLVED_DONE},
             {"not-done", EVENT_RESOLVED_NOT_DONE},
             {"abandon", EVENT_ABANDONED}};

static enum err_code parse_word(const char *word, enum item_event_kind *kind_out, struct err *err)
{
    for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, word) == 0) {
            *kind_out = words[i].kind;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_USAGE, "resolve needs --as done, --as not-done or --as abandon");
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    enum item_event_kind kind;
    struct item_view view;
    struct buf storage;
    enum err_code code;

    (void)exit_status_out;
    if (parse_word(session->options->as, &kind, err) != ERR_OK ||
        session_open_known(session, err) != ERR_OK)
        return err->code;
    buf_init(&storage, BODY_BYTES_MAX + 64 * 1024);
    code = listing_find(session->ledger, session->options->item, session->options->connection,
                        &storage, &view, err);
    if (code == ERR_OK)
        code = decide_one(session, &view, kind, err);
    if (code == ERR_OK)
        code = decide_report(session, "resolved", &(struct decide_counts){.done = 1},
                             kind == EVENT_RESOLVED_NOT_DONE ? "run" : "status", err);
    buf_deinit(&storage);
    return code;
}

int cmd_resolve(int argc, char **argv)
{
    return session_run(
        argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_AS | ALLOW_CONNECTION | ALLOW_ITEM, run);
}
