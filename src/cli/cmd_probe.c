/* purser probe idempotency SPEC JOB/KEY --after TIMES
 *
 * Promises: says what it will write before it does; writes nowhere but to the API, once, and again
 * under the same key; not to production unless told so; nothing goes into a ledger. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "purser/base/log.h"
#include "purser/cli/command.h"
#include "purser/cli/probe.h"
#include "purser/cli/schedule.h"
#include "purser/io/clock.h"
#include "purser/io/intake.h"
#include "purser/io/signals.h"

const char help_probe[] =
    "usage: purser probe idempotency SPEC JOB/KEY [options]\n\n"
    "  purser probe idempotency catalogue.yaml products/SKU-1 --after 10m,1h,12h\n"
    "  purser probe idempotency catalogue.yaml products/SKU-1 --output json\n\n"
    "How long an idempotency key is remembered is documented nowhere. This measures\n"
    "it: the item's request is sent under a new random key, and again, the same bytes\n"
    "under the same key, after each of the times. It makes a real write, and a second\n"
    "one if the key was forgotten; then it ends. Nothing goes into the ledger, so\n"
    "`purser run` knows nothing of it: use the sandbox and a row that nobody will\n"
    "miss.\n\n"
    "  --after TIMES      rising times from the first send, such as 10m,1h (default\n"
    "                     10m)\n"
    "  --connection ALIAS which one, where the key stands on several\n"
    "  --allow-production needed unless the API is the sandbox, the simulator or on\n"
    "                     this machine\n"
    "  --slot TIME        as for a run of this time of the schedule\n"
    "  --var NAME=VALUE   set a variable of the spec; may be repeated\n"
    "  --output FORMAT    table or json\n\n"
    "Exit status: 0 remembered every time; 3 forgotten, or nothing can be told; 75\n"
    "stopped.\n";

struct search {
    struct probe *probe;
    const char *connection;
    struct slice key;
    size_t job_index;
    unsigned found_count;
    bool condition;
};

static bool keep(struct arena *arena, struct slice from, struct slice *to)
{
    *to = (struct slice){arena_copy_text(arena, from.length > 0 ? from.bytes : "", from.length),
                         from.length};
    return to->bytes != NULL;
}

static enum err_code take_row(void *opaque, const struct rendered_row *row, struct err *err)
{
    struct search *search = opaque;
    struct probe *probe = search->probe;
    struct session *session = probe->session;

    if (row->job_index != search->job_index || !slice_equal(row->key, search->key) ||
        (search->connection != NULL &&
         strcmp(search->connection, session->spec.connections[row->connection_index].alias) != 0))
        return ERR_OK;
    search->found_count++;
    search->condition = row->condition;
    probe->connection = (uint32_t)row->connection_index;
    if (!keep(&session->arena, row->path, &probe->path) ||
        !keep(&session->arena, row->body, &probe->body))
        return err_set(err, ERR_NO_MEMORY, "no memory for the request");
    return ERR_OK;
}

static enum err_code read_rows(struct search *search, struct err *err)
{
    struct session *session = search->probe->session;
    struct intake *intake = NULL;
    enum err_code code =
        intake_open(&session->spec, 1, clock_wall_ms(), &session->diagnostics, &intake, err);

    if (code == ERR_OK)
        code = intake_check(intake, err);
    if (code == ERR_OK)
        code = intake_each(intake, take_row, search, err);
    intake_close(intake);
    return code;
}

/* The item's request, rendered as a run would. */
static enum err_code find_request(struct probe *probe, struct err *err)
{
    struct session *session = probe->session;
    const char *slash = strchr(probe->item, '/');
    struct search search = {.probe = probe, .connection = session->options->connection};
    struct slice name;

    if (slash == NULL)
        return err_set(err, ERR_USAGE, "'%.100s' is not JOB/KEY", probe->item);
    name = (struct slice){probe->item, (size_t)(slash - probe->item)};
    search.key = slice_of(slash + 1);
    for (size_t i = 0; i < session->spec.job_count; i++)
        if (slice_is(name, session->spec.jobs[i].name)) {
            search.job_index = i;
            probe->job = &session->spec.jobs[i];
        }
    if (probe->job == NULL)
        return err_set(err, ERR_USAGE, "the spec has no job '%.*s'", (int)name.length, name.bytes);
    if (!probe->job->operation->takes_access_token ||
        probe->job->connection_write != CONNECTION_WRITE_NONE ||
        probe->job->method == METHOD_DELETE)
        return err_set(err, ERR_USAGE,
                       "%s %s takes no idempotency key, so there is nothing to measure",
                       method_name(probe->job->method), probe->job->operation->path);
    if (read_rows(&search, err) != ERR_OK)
        return err->code;
    if (search.found_count == 0)
        return err_set(err, ERR_USAGE, "no row of the sources has the item '%.200s'", probe->item);
    if (search.found_count > 1)
        return err_set(
            err, ERR_USAGE,
            "'%.200s' stands on several connections\nhint: --connection ALIAS says which",
            probe->item);
    if (!search.condition)
        return err_set(err, ERR_USAGE, "the if: of '%.200s' is false, so it is never sent",
                       probe->item);
    return ERR_OK;
}

/* Another https address may be a proxy in front of production. */
static enum err_code check_environment(const struct session *session, struct err *err)
{
    const struct spec_api *api = &session->spec.api;
    bool harmless =
        api->environment == ENVIRONMENT_SANDBOX || api->environment == ENVIRONMENT_SIMULATOR ||
        (api->environment == ENVIRONMENT_URL && strncmp(api->base_url, "http:", 5) == 0);

    if (harmless || session->options->allow_production)
        return ERR_OK;
    return err_set(err, ERR_USAGE,
                   "a probe makes real writes, and %s is not the sandbox; nothing was sent\n"
                   "hint: set api.environment to sandbox, or say --allow-production",
                   api->base_url);
}

static enum err_code make_key(char key_out[37], struct err *err)
{
    unsigned char bytes[16];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(err, ERR_SYSTEM, "the system has no random numbers: %s", strerror(errno));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
    for (size_t i = 0, at = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            key_out[at++] = '-';
        at += (size_t)snprintf(key_out + at, 37 - at, "%02x", bytes[i]);
    }
    return ERR_OK;
}

static void announce(const struct probe *probe)
{
    const struct session *session = probe->session;

    print_talk("purser: %s %.*s for %s is sent to %s now, on connection %s, under the new key %s, "
               "and again %zu time%s: a real write, and a second one if the key is forgotten",
               method_name(probe->job->method), (int)probe->path.length, probe->path.bytes,
               probe->item,
               session->spec.api.environment == ENVIRONMENT_SIMULATOR ? "the simulator"
                                                                      : session->spec.api.base_url,
               session->spec.connections[probe->connection].alias, probe->key, probe->repeat_count,
               probe->repeat_count == 1 ? "" : "s");
}

static enum err_code probe_all(struct probe *probe, struct credentials *credentials, int *signal_fd,
                               struct err *err)
{
    struct session *session = probe->session;
    const char *after = session->options->after;

    if (probe_parse_times(after == NULL ? "10m" : after, probe, err) != ERR_OK ||
        session_load_spec(session, err) != ERR_OK || run_slot_set(session, err) != ERR_OK ||
        session_load_document(session, err) != ERR_OK ||
        check_environment(session, err) != ERR_OK || find_request(probe, err) != ERR_OK ||
        make_key(probe->key, err) != ERR_OK ||
        credentials_load(&session->spec, credentials, &session->diagnostics, err) != ERR_OK ||
        signals_open(signal_fd, err) != ERR_OK ||
        api_client_open(&session->spec, credentials,
                        &(struct api_client_options){.signal_fd = *signal_fd}, &probe->client,
                        err) != ERR_OK)
        return err->code;
    announce(probe);
    return probe_run(probe, err);
}

static enum err_code tell(struct probe *probe, struct err *err)
{
    struct buf out;
    enum err_code code;

    buf_init(&out, 1024 * 1024);
    probe_append(probe, probe_exit_status(probe), &out);
    code = print_redacted(&out, err);
    buf_deinit(&out);
    return code;
}

static enum err_code run(struct session *session, int *exit_status_out, struct err *err)
{
    struct probe probe = {.session = session, .item = session->options->item};
    struct credentials credentials = {0};
    int signal_fd = -1;
    enum err_code code = probe_all(&probe, &credentials, &signal_fd, err);

    *exit_status_out = probe_exit_status(&probe);
    if (code == ERR_OK)
        code = tell(&probe, err);
    /* What was found until then is not lost. */
    else if (probe.done_count > 0 && session->options->output == OUTPUT_TABLE)
        (void)tell(&probe, &(struct err){0});
    api_client_close(probe.client);
    signals_close(signal_fd);
    credentials_wipe(&credentials);
    return code;
}

int cmd_probe(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "idempotency") == 0) {
        argv[1] = argv[0];
        argc--;
        argv++;
    } else if (argc < 2 || argv[1][0] != '-') {
        print_talk("purser probe: what is to be measured? There is: purser probe idempotency SPEC "
                   "JOB/KEY");
        return EXIT_INPUT;
    }
    return session_run(argc, argv,
                       ALLOW_OUTPUT | ALLOW_VARIABLES | ALLOW_CONNECTION | ALLOW_ITEM |
                           ALLOW_PROBE | ALLOW_SLOT,
                       run);
}
