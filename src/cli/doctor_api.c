#include <stdio.h>
#include <string.h>

#include "doctor_private.h"
#include "purser/base/digest.h"
#include "purser/io/api_client.h"
#include "purser/io/signals.h"

enum {
    SKEW_MAX_MS = 5 * 60 * 1000,
    FIRST_DELAY_MS = 100, /* a person waits */
    FINGERPRINT_BYTES = 9,
};

/* --- credentials --- */

static void add_fingerprint(struct doctor *doctor, const char *what, const char *name,
                            const char *secret)
{
    uint8_t digest[DIGEST_BYTES];

    digest_bytes(secret, strlen(secret), digest);
    doctor_add(doctor, FINDING_OK, "credentials", 0, "", "%s%s: found, sha256 %02x%02x%02x%02x",
               what, name, digest[0], digest[1], digest[2], digest[3]);
}

bool doctor_look_at_credentials(struct doctor *doctor)
{
    const struct spec *spec = &doctor->session->spec;
    const uint64_t problems_before = doctor->problem_count;
    struct err err = {0};
    enum err_code code =
        credentials_load(spec, &doctor->credentials, &doctor->session->diagnostics, &err);

    doctor_add_messages(doctor, "credentials");
    if (code != ERR_OK && doctor->problem_count == problems_before)
        doctor_add_error(doctor, "credentials", &err);
    if (code != ERR_OK)
        return false;
    if (spec->api.environment == ENVIRONMENT_SIMULATOR) {
        doctor_add(doctor, FINDING_OK, "credentials", 0, "", "purser's own simulator needs none");
        return true;
    }
    add_fingerprint(doctor, "client id", "", doctor->credentials.client_id);
    add_fingerprint(doctor, "client secret", "", doctor->credentials.client_secret);
    for (size_t i = 0; i < spec->connection_count; i++)
        if (doctor->credentials.access_tokens[i] != NULL)
            add_fingerprint(doctor, "access token of ", spec->connections[i].alias,
                            doctor->credentials.access_tokens[i]);
    return true;
}

/* --- the API --- */

static const char *http_version_name(int version)
{
    switch (version) {
    case 10:
        return "HTTP/1.0";
    case 11:
        return "HTTP/1.1";
    case 20:
        return "HTTP/2";
    case 30:
        return "HTTP/3";
    default:
        return "HTTP";
    }
}

static void add_api(struct doctor *doctor, const char *origin,
                    const struct connection_answers *answers)
{
    bool encrypted = strncmp(origin, "https:", 6) == 0;

    if (answers->answered)
        doctor_add(doctor, FINDING_OK, "api", 0, "", "%s answered in %lld ms by %s, %s", origin,
                   (long long)answers->duration_ms, http_version_name(answers->http_version),
                   encrypted ? "TLS with a certificate that was verified"
                             : "on this machine, without TLS");
    else
        doctor_add(doctor, FINDING_PROBLEM, "api", EXIT_SOME_FAILED,
                   answers->untrusted
                       ? "nothing was sent there: is api.environment right, and does somebody "
                         "stand between (a proxy that opens TLS)?"
                       : "is api.environment right, is there a network, does a firewall let "
                         "purser out?",
                   "%s cannot be asked: %s", origin, answers->failure);
}

static void add_clock(struct doctor *doctor, const struct connection_answers *answers)
{
    int64_t ahead_ms = answers->host_ms - answers->server_ms;
    int64_t distance_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;

    if (!answers->answered)
        return;
    if (answers->server_ms == -1)
        doctor_add(doctor, FINDING_WARNING, "clock", 0, "",
                   "the API does not tell its time; the ages of keys are taken by this host's "
                   "clock alone");
    else if (distance_ms > SKEW_MAX_MS)
        doctor_add(doctor, FINDING_WARNING, "clock", 0,
                   "set this host's clock (timedatectl set-ntp true); purser takes the ages of "
                   "keys by the server's time, so nothing is sent twice for it, but reports and "
                   "schedules go by the host's",
                   "this host's clock is %lld min %s the API's", (long long)(distance_ms / 60000),
                   ahead_ms < 0 ? "behind" : "ahead of");
    else
        doctor_add(doctor, FINDING_OK, "clock", 0, "",
                   "this host and the API differ by less than 5 minutes");
}

static void add_connection(struct doctor *doctor, const struct connection_view *view)
{
    const struct connection_record *record = &view->record;
    const char *alias = view->connection->alias;
    struct slice why = record->detail.length > 0 ? record->detail : record->parked_reason;
    char next[1024] = "";

    if (strcmp(view->state, "ok") == 0) {
        doctor_add(doctor, FINDING_OK, "connection", 0, "", "%s can be written to%s%s", alias,
                   view->platform[0] == '\0' ? "" : ", ", view->platform);
        return;
    }
    if (record->link_url.length > 0)
        (void)snprintf(next, sizeof next, "send to the merchant: %.*s",
                       (int)record->link_url.length, record->link_url.bytes);
    else if (view->is_refused)
        (void)snprintf(next, sizeof next,
                       "compare the fingerprints with a machine where it works, or get a new "
                       "token");
    if (record->parked_reason.length == 0)
        doctor_add(doctor, FINDING_PROBLEM, "connection", EXIT_SOME_FAILED, next,
                   "not known whether %s can be written to: %.*s", alias, (int)why.length,
                   why.length == 0 ? "" : why.bytes);
    else
        doctor_add(doctor, FINDING_PROBLEM, "connection",
                   view->is_refused ? EXIT_CREDENTIALS : EXIT_SOME_FAILED, next,
                   "%s cannot be written to: %.*s", alias, (int)why.length, why.bytes);
}

static enum err_code ask(struct doctor *doctor, int signal_fd, struct err *err)
{
    struct session *session = doctor->session;
    struct connection_answers answers = {.server_ms = -1};
    struct connection_view *views = NULL;
    struct api_client *client = NULL;
    enum err_code code;

    code = api_client_open(
        &session->spec, &doctor->credentials,
        &(struct api_client_options){.signal_fd = signal_fd, .first_delay_ms = FIRST_DELAY_MS},
        &client, err);
    if (code != ERR_OK && code != ERR_NO_MEMORY) {
        doctor_add_error(doctor, "api", err);
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = connection_views_read(session, &views, err);
    if (code == ERR_OK)
        code = connection_views_ask(session, views, client, &answers, err);
    if (code == ERR_OK) {
        add_api(doctor, api_client_origin(client), &answers);
        add_clock(doctor, &answers);
        for (size_t i = 0; i < connection_views_count(session); i++)
            add_connection(doctor, &views[i]);
    }
    api_client_close(client);
    return code;
}

enum err_code doctor_look_at_api(struct doctor *doctor, struct err *err)
{
    int signal_fd = -1;
    enum err_code code;

    if (connection_views_count(doctor->session) == 0) {
        doctor_add(doctor, FINDING_SKIPPED, "api", 0, "",
                   "not asked: the spec has no connection with an access token");
        return ERR_OK;
    }
    code = signals_open(&signal_fd, err);
    if (code == ERR_OK)
        code = ask(doctor, signal_fd, err);
    signals_close(signal_fd);
    return code;
}
