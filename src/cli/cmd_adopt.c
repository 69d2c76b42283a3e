/* purser adopt SPEC --as WORD
 *
 * Promises: a ledger that was moved, or brought back from a backup, becomes the one of this place.
 * After a backup nothing that may have been sent since is sent anew. */
#include <string.h>

#include "purser/base/text.h"
#include "purser/cli/command.h"
#include "purser/cli/session.h"

const char help_adopt[] =
    "usage: purser adopt SPEC --as moved|restored\n\n"
    "  purser adopt catalogue.yaml --as restored\n"
    "  purser run catalogue.yaml\n\n"
    "A ledger that was copied, or that is older than what was last written in its\n"
    "place, is refused until a person says what it is.\n\n"
    "  --as moved      it is the newest: it came from another machine or folder, and\n"
    "                  the one it was copied from is never used again\n"
    "  --as restored   it is a backup, and writes may have been sent since it was\n"
    "                  made. Until a run of all rows has ended, whatever would be\n"
    "                  sent is taken for sent: it is repeated under its idempotency\n"
    "                  key while the API remembers that, else it goes in doubt\n"
    "                  (restored_state), and purser reconcile looks for it. What\n"
    "                  you had resolved as not done since the backup was sent under\n"
    "                  a new key, which the backup does not know: cancel it before\n"
    "                  you run. Say it of a snapshot of the whole machine, too:\n"
    "                  nothing else tells purser of that\n"
    "  --output json   one object on stdout\n"
    "  --state DIR     where the ledgers are\n";

static enum err_code parse_word(const char *word, enum ledger_adoption *adoption_out,
                                struct err *err)
{
    if (word == NULL || (strcmp(word, "moved") != 0 && strcmp(word, "restored") != 0))
        return err_set(err, ERR_USAGE, "adopt needs --as moved or --as restored");
    *adoption_out = strcmp(word, "moved") == 0 ? LEDGER_ADOPT_MOVED : LEDGER_ADOPT_RESTORED;
    return ERR_OK;
}

static void tell(struct session *session)
{
    const char *name = session->spec.name;

    if (session->options->quiet)
        return;
    if (!lmdb_ledger_was_adopted(session->lmdb))
        print_talk("%s: the ledger is where it was written; there is nothing to adopt", name);
    else
        print_talk("%s: the ledger is adopted; no other copy of it may be used", name);
    session_tell_loss(session);
    print_talk("next: purser run %s%s", session->spec.file, session_state_words(session));
}

static enum err_code report(struct session *session, struct err *err)
{
    int64_t lost_since_ms = lmdb_ledger_lost_since_ms(session->lmdb);
    char time[TEXT_TIME_BYTES];
    struct buf out;
    enum err_code code;

    tell(session);
    if (session->options->output == OUTPUT_TABLE)
        return ERR_OK;
    buf_init(&out, 4096);
    buf_append_text(&out, "{\"v\":1,\"spec\":");
    text_append_json(&out, slice_of(session->spec.name));
    buf_append_format(&out, ",\"exit_code\":0,\"adopted\":%s,\"lost_since\":",
                      lmdb_ledger_was_adopted(session->lmdb) ? "true" : "false");
    text_from_time_ms(lost_since_ms, time);
    buf_append_format(&out, lost_since_ms == 0 ? "null}\n" : "\"%s\"}\n", time);
    code = print_out(&out, err);
    buf_deinit(&out);
    return code;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    (void)exit_status_out;
    if (parse_word(session->options->as, &session->adoption, err) != ERR_OK ||
        session_open_known(session, err) != ERR_OK)
        return err->code;
    return report(session, err);
}

int cmd_adopt(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_AS, run);
}
