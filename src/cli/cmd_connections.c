/* purser connections SPEC [--check]
 *
 * Promises: without --check nothing is asked, and it works while a run goes on. With --check one
 * GET a connection is sent and no write; what the API says is noted in the ledger if there is one
 * and no run holds it. */
#include <string.h>

#include "purser/cli/command.h"
#include "purser/cli/connection_view.h"
#include "purser/cli/recall.h"
#include "purser/io/api_client.h"
#include "purser/io/clock.h"
#include "purser/io/signals.h"

const char help_connections[] =
    "usage: purser connections SPEC [options]\n\n"
    "  purser connections catalogue.yaml              what the ledger knows\n"
    "  purser connections catalogue.yaml --check      asks the API, before a run\n"
    "  purser connections catalogue.yaml --output csv\n\n"
    "One line a connection: is it ok, or parked and why; what waits for it; the rate\n"
    "it bears; and the link that its merchant must open when only the merchant can\n"
    "mend it.\n\n"
    "  --check            ask the API now (GET /connections/status); writes nothing\n"
    "                     there. The answers are noted in the ledger unless a run\n"
    "                     holds it\n"
    "  --output FORMAT    table, json, ndjson or csv\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --state DIR        where the ledgers are\n\n"
    "Exit status: 0 all usable (without --check: none known not to be), 4 credentials\n"
    "are refused or a merchant must sign in again, 3 a connection cannot be written\n"
    "to or could not be asked.\n";

enum { OUTPUT_BYTES_MAX = 64 * 1024 * 1024 };

/* --check, from the first question to the note in the ledger. */
struct check {
    struct session *session;
    struct connection_view *views;
    struct credentials credentials;
    struct api_client *client;
    int signal_fd;
    bool has_ledger;
};

/* The record as it is now: a run may have written it since it was read. */
static enum err_code note_all(struct check *check, struct err *err)
{
    struct ledger *ledger = check->session->ledger;
    uint64_t sequence;

    for (size_t i = 0; i < connection_views_count(check->session); i++) {
        struct connection_record *record = &check->views[i].record;
        struct connection_record current;
        struct buf storage;
        uint32_t number;
        enum err_code code;

        if (!check->views[i].asked || record->checked_ms == 0)
            continue;
        if (ledger->ops->connection_number(ledger, check->views[i].connection->alias, &number,
                                           err) != ERR_OK)
            return err->code;
        buf_init(&storage, 64 * 1024);
        code = recall_connection(ledger, number, NULL, &storage, &current, err);
        record->learned_rate_millis = current.learned_rate_millis;
        record->learned_in_flight = current.learned_in_flight;
        record->times = current.times;
        buf_deinit(&storage);
        if (code != ERR_OK || ledger->ops->put_connection(ledger, number, record, err) != ERR_OK)
            return err->code;
    }
    if (ledger->ops->batch_bytes(ledger) == 0)
        return ERR_OK;
    if (ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    return ledger->ops->commit_poll(ledger, true, &sequence, err);
}

static enum err_code note(struct check *check, struct err *err)
{
    struct session *session = check->session;

    if (!check->has_ledger)
        return ERR_OK;
    if (session->ledger == NULL && session_open_ledger(session, true, err) != ERR_OK) {
        if (err->code != ERR_LOCKED)
            return err->code;
        print_talk("purser: a run holds the ledger, so the answers were not noted there");
        return ERR_OK;
    }
    return note_all(check, err);
}

/* The world of a simulator belongs to one at a time, as the ledger beside it does; so it is held
 * from the first question. Another server is asked without holding anything. */
static enum err_code ask_api(struct check *check, struct err *err)
{
    struct session *session = check->session;
    bool simulated = session->spec.api.environment == ENVIRONMENT_SIMULATOR;

    session_close_ledger(session);
    if (credentials_load(&session->spec, &check->credentials, &session->diagnostics, err) !=
            ERR_OK ||
        signals_open(&check->signal_fd, err) != ERR_OK)
        return err->code;
    if (simulated && check->has_ledger && session_open_ledger(session, true, err) != ERR_OK)
        return err->code;
    if (api_client_open(&session->spec, &check->credentials,
                        &(struct api_client_options){.signal_fd = check->signal_fd,
                                                     .state_path = simulated && check->has_ledger
                                                                       ? session->directory.path
                                                                       : NULL},
                        &check->client, err) != ERR_OK)
        return err->code;
    return connection_views_ask(session, check->views, check->client, NULL, err);
}

static enum err_code check_all(struct session *session, struct connection_view *views,
                               struct err *err)
{
    struct check check = {
        .session = session, .views = views, .signal_fd = -1, .has_ledger = session->ledger != NULL};
    enum err_code code = ask_api(&check, err);

    api_client_close(check.client);
    if (code == ERR_OK)
        code = note(&check, err);
    signals_close(check.signal_fd);
    credentials_wipe(&check.credentials);
    return code;
}

static enum err_code show(struct session *session, const struct connection_view *views,
                          struct err *err)
{
    enum err_code code;
    struct buf out;

    buf_init(&out, OUTPUT_BYTES_MAX);
    connection_views_append(session, views, &out);
    code = print_out(&out, err);
    buf_deinit(&out);
    return code;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct connection_view *views;
    enum err_code code;

    if (session_load_spec(session, err) != ERR_OK)
        return err->code;
    if (session_open_ledger(session, false, err) != ERR_OK && err->code != ERR_NOT_FOUND)
        return err->code;
    *err = (struct err){0}; /* no ledger yet: nothing is known */
    code = connection_views_read(session, &views, err);
    if (code == ERR_OK && session->options->check)
        code = check_all(session, views, err);
    if (code == ERR_OK)
        code = show(session, views, err);
    if (code != ERR_OK)
        return code;
    *exit_status_out = connection_views_exit_status(session, views);
    return ERR_OK;
}

int cmd_connections(int argc, char **argv)
{
    return session_run(argc, argv, ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_CHECK, run);
}
