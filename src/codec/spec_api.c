#include <stdio.h>
#include <string.h>

#include "purser/codec/spec_check.h"

enum { HELP_BYTES = 256 };

#define API_VERSION_DEFAULT "2024-08-31"
/* A first guess that is far under the organisation's limit of 50 a second at usual answer times.
 * Source: docs.rutter.com, rate limits (500 requests in 10 s; 2026-02). */
#define API_IN_FLIGHT_DEFAULT 64
#define API_OUTSTANDING_DEFAULT 10000
#define CONNECT_TIMEOUT_DEFAULT_MS (10 * 1000)
/* Longer than the 30 s for which prefer_sync waits. Source: docs.rutter.com, asynchronous
 * operations (2026-02). */
#define EXCHANGE_TIMEOUT_DEFAULT_MS (60 * 1000)

enum { LIMIT_RATE, LIMIT_IN_FLIGHT, LIMIT_OUTSTANDING, LIMIT_COUNT };

static const struct spec_key api_limits[LIMIT_COUNT] = {
    [LIMIT_RATE] = {"rate", KINDS_TEXT, false, NULL},
    [LIMIT_IN_FLIGHT] = {"in_flight", KINDS_WHOLE, false, NULL},
    [LIMIT_OUTSTANDING] = {"outstanding", KINDS_WHOLE, false, NULL},
};
static const struct spec_key connection_limits[LIMIT_COUNT] = {
    [LIMIT_RATE] = {"rate", KINDS_TEXT, false, NULL},
    [LIMIT_IN_FLIGHT] = {"in_flight", KINDS_WHOLE, false, NULL},
    [LIMIT_OUTSTANDING] = {"outstanding", KINDS_ANY, false, "set it in api.limits, for all"},
};

static void read_limits(struct spec_reader *reader, const struct yaml_node *node, const char *what,
                        const struct spec_key *keys, struct rate *rate, uint32_t *in_flight,
                        uint32_t *outstanding)
{
    const struct yaml_node *found[LIMIT_COUNT];

    if (node == NULL || !spec_read_map(reader, node, what, keys, LIMIT_COUNT, found))
        return;
    if (found[LIMIT_RATE] != NULL)
        spec_read_rate(reader, found[LIMIT_RATE], rate);
    if (found[LIMIT_IN_FLIGHT] != NULL)
        spec_read_count(reader, found[LIMIT_IN_FLIGHT], "in_flight", 1, IN_FLIGHT_MAX, in_flight);
    if (found[LIMIT_OUTSTANDING] != NULL && outstanding != NULL)
        spec_read_count(reader, found[LIMIT_OUTSTANDING], "outstanding", 1, OUTSTANDING_MAX,
                        outstanding);
}

/* -- api ------------------------------------------------------------------------------------- */

enum {
    API_ENVIRONMENT,
    API_VERSION,
    API_CLIENT_ID,
    API_CLIENT_SECRET,
    API_CA_FILE,
    API_LIMITS,
    API_SIMULATOR,
    API_OPENAPI,
    API_TIMEOUTS,
    API_KEY_COUNT
};

static const struct spec_key api_keys[API_KEY_COUNT] = {
    [API_ENVIRONMENT] = {"environment", KINDS_TEXT, false, NULL},
    [API_VERSION] = {"version", KINDS_TEXT, false, NULL},
    [API_CLIENT_ID] = {"client_id", KINDS_ANY, false, NULL},
    [API_CLIENT_SECRET] = {"client_secret", KINDS_ANY, false, NULL},
    [API_CA_FILE] = {"ca_file", KINDS_TEXT, false, NULL},
    [API_LIMITS] = {"limits", KINDS_MAP, false, NULL},
    [API_SIMULATOR] = {"simulator", KINDS_MAP, false, NULL},
    [API_TIMEOUTS] = {"timeouts", KINDS_MAP, false, NULL},
    [API_OPENAPI] = {"openapi", KINDS_TEXT, false, NULL},
};

static void read_environment(struct spec_reader *reader, const struct yaml_node *node)
{
    static const char *const names[] = {"production", "sandbox", "simulator"};
    static const char *const urls[] = {"https://production.rutterapi.com/versioned",
                                       "https://sandbox.rutterapi.com/versioned", ""};
    struct spec_api *api = &reader->spec->api;
    char help[HELP_BYTES];
    const char *text;

    if (!spec_read_evaluated(reader, node, "api.environment", &text))
        return;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        api->environment = (enum environment_kind)i;
        api->base_url = urls[i];
        return;
    }
    if (strstr(text, "://") == NULL) {
        if (spec_guess(help, sizeof help, text, names, sizeof names / sizeof *names) == NULL)
            snprintf(help, sizeof help, "production, sandbox, simulator or https://…");
        spec_error(reader, node->place, "spec.value", help, "no such environment: '%s'", text);
        return;
    }
    api->environment = ENVIRONMENT_URL;
    spec_read_url(reader, node, text, &api->base_url);
}

/* 2024-08-31; it becomes a header. */
static void read_version(struct spec_reader *reader, const struct yaml_node *node)
{
    static const char shape[] = "dddd-dd-dd";
    bool good = node->text.length == sizeof shape - 1;

    for (size_t i = 0; good && i < sizeof shape - 1; i++)
        good = shape[i] == 'd' ? node->text.bytes[i] >= '0' && node->text.bytes[i] <= '9'
                               : node->text.bytes[i] == shape[i];
    if (good)
        reader->spec->api.version = node->text.bytes;
    else
        spec_error(reader, node->place, "spec.value", "a date: \"" API_VERSION_DEFAULT "\"",
                   "api.version is '%s'", node->text.bytes);
}

static void read_simulator(struct spec_reader *reader, const struct yaml_node *node)
{
    static const struct spec_key keys[] = {{"profile", KINDS_TEXT, false, NULL},
                                           {"seed", KINDS_WHOLE, false, NULL}};
    static const char *const profiles[] = {"clean", "realistic", "hostile"};
    const struct yaml_node *found[2];
    unsigned profile;

    if (!spec_read_map(reader, node, "api.simulator", keys, 2, found))
        return;
    if (found[0] != NULL && spec_read_word(reader, found[0], "profile", profiles, 3, &profile))
        reader->spec->api.simulator_profile = profiles[profile];
    if (found[1] != NULL && !text_to_u64(found[1]->text, &reader->spec->api.simulator_seed))
        spec_error(reader, found[1]->place, "spec.value", NULL,
                   "seed is %s, must be a whole number of at most 64 bits", found[1]->text.bytes);
}

static void read_timeouts(struct spec_reader *reader, const struct yaml_node *node)
{
    static const struct spec_key keys[] = {{"connect", KINDS_TEXT, false, NULL},
                                           {"exchange", KINDS_TEXT, false, NULL}};
    const int64_t most_ms = 10 * 60 * 1000;
    struct spec_api *api = &reader->spec->api;
    const struct yaml_node *found[2];

    if (!spec_read_map(reader, node, "api.timeouts", keys, 2, found))
        return;
    if (found[0] != NULL)
        spec_read_duration(reader, found[0], "connect", 100, most_ms, &api->connect_timeout_ms);
    if (found[1] != NULL)
        spec_read_duration(reader, found[1], "exchange", 100, most_ms, &api->exchange_timeout_ms);
}

void spec_read_api(struct spec_reader *reader, const struct yaml_node *node)
{
    struct spec_api *api = &reader->spec->api;
    const struct yaml_node *found[API_KEY_COUNT];

    *api = (struct spec_api){
        .environment = ENVIRONMENT_SANDBOX,
        .base_url = "https://sandbox.rutterapi.com/versioned",
        .version = API_VERSION_DEFAULT,
        .client_id = {SECRET_ENV, "RUTTER_CLIENT_ID", {.file = reader->spec->file}},
        .client_secret = {SECRET_ENV, "RUTTER_CLIENT_SECRET", {.file = reader->spec->file}},
        .rate = {.kind = RATE_AUTO, .burst = 1},
        .in_flight = API_IN_FLIGHT_DEFAULT,
        .outstanding = API_OUTSTANDING_DEFAULT,
        .simulator_profile = "realistic",
        .simulator_seed = 1,
        .connect_timeout_ms = CONNECT_TIMEOUT_DEFAULT_MS,
        .exchange_timeout_ms = EXCHANGE_TIMEOUT_DEFAULT_MS,
    };
    if (node == NULL || !spec_read_map(reader, node, "api", api_keys, API_KEY_COUNT, found))
        return;
    if (found[API_ENVIRONMENT] != NULL)
        read_environment(reader, found[API_ENVIRONMENT]);
    if (found[API_VERSION] != NULL)
        read_version(reader, found[API_VERSION]);
    if (found[API_CLIENT_ID] != NULL)
        spec_read_secret(reader, found[API_CLIENT_ID], "client_id", &api->client_id);
    if (found[API_CLIENT_SECRET] != NULL)
        spec_read_secret(reader, found[API_CLIENT_SECRET], "client_secret", &api->client_secret);
    if (found[API_CA_FILE] != NULL)
        spec_read_path(reader, found[API_CA_FILE], "ca_file", &api->ca_file);
    if (found[API_OPENAPI] != NULL &&
        spec_read_path(reader, found[API_OPENAPI], "openapi", &api->openapi))
        api->openapi_place = found[API_OPENAPI]->place;
    read_limits(reader, found[API_LIMITS], "api.limits", api_limits, &api->rate, &api->in_flight,
                &api->outstanding);
    if (found[API_SIMULATOR] != NULL)
        read_simulator(reader, found[API_SIMULATOR]);
    if (found[API_TIMEOUTS] != NULL)
        read_timeouts(reader, found[API_TIMEOUTS]);
}

/* -- connections ----------------------------------------------------------------------------- */

enum { CONNECTION_PLATFORM, CONNECTION_TOKEN, CONNECTION_LIMITS, CONNECTION_KEY_COUNT };

static const struct spec_key connection_keys[CONNECTION_KEY_COUNT] = {
    [CONNECTION_PLATFORM] = {"platform", KINDS_TEXT, false, NULL},
    [CONNECTION_TOKEN] = {"access_token", KINDS_ANY, false, NULL},
    [CONNECTION_LIMITS] = {"limits", KINDS_MAP, false, NULL},
};

static void read_platform(struct spec_reader *reader, const struct yaml_node *node,
                          struct spec_connection *connection)
{
    bool good = node->text.length > 0 && node->text.length <= SPEC_NAME_BYTES_MAX;

    for (size_t i = 0; good && i < node->text.length; i++) {
        char byte = node->text.bytes[i];

        good = (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
    }
    if (!good) {
        spec_error(reader, node->place, "spec.value",
                   "capital letters, digits and _, as in SHOPIFY or WOO_COMMERCE",
                   "platform is '%s'", node->text.bytes);
        return;
    }
    connection->platform = node->text.bytes;
    spec_warn_of_platform(reader, node);
}

static void read_connection(struct spec_reader *reader, const struct yaml_node *name,
                            const struct yaml_node *node, struct spec_connection *connection)
{
    const struct yaml_node *found[CONNECTION_KEY_COUNT];
    bool simulated = reader->spec->api.environment == ENVIRONMENT_SIMULATOR;
    char what[96];

    *connection = (struct spec_connection){.alias = name->text.bytes,
                                           .rate = {.kind = RATE_AUTO, .burst = 1},
                                           .in_flight = CONNECTION_IN_FLIGHT_DEFAULT,
                                           .place = name->place};
    connection->access_token.place = name->place;
    snprintf(what, sizeof what, "connection '%.63s'", name->text.bytes);
    if (!spec_name_is_valid(name->text))
        spec_error(reader, name->place, "spec.name",
                   "up to 63 letters, digits, _ . and -, starting with a letter or digit",
                   "'%s' cannot be the name of a connection", name->text.bytes);
    if (slice_is(name->text, CONNECTION_OF_ORGANISATION))
        spec_error(reader, name->place, "spec.name", "give it another name",
                   "'%s' is the name of what operations without an access token run on",
                   name->text.bytes);
    if (node->kind == YAML_NULL && simulated)
        return;
    if (!spec_read_map(reader, node, what, connection_keys, CONNECTION_KEY_COUNT, found))
        return;
    if (found[CONNECTION_PLATFORM] != NULL)
        read_platform(reader, found[CONNECTION_PLATFORM], connection);
    if (found[CONNECTION_TOKEN] != NULL)
        spec_read_secret(reader, found[CONNECTION_TOKEN], "access_token",
                         &connection->access_token);
    else if (!simulated)
        spec_error(reader, name->place, "spec.required",
                   "access_token: { env: RUTTER_ACCESS_TOKEN }; only the simulator needs none",
                   "'access_token' is missing in %s", what);
    read_limits(reader, found[CONNECTION_LIMITS], "limits", connection_limits, &connection->rate,
                &connection->in_flight, NULL);
}

void spec_read_connections(struct spec_reader *reader, const struct yaml_node *node)
{
    struct spec_connection *connections;

    if (node == NULL)
        return;
    if (node->count > SPEC_CONNECTIONS_MAX) {
        spec_error(reader, node->place, "spec.too_many", "split the spec",
                   "more than %d connections", SPEC_CONNECTIONS_MAX);
        return;
    }
    if (node->count == 0) {
        spec_error(reader, node->place, "spec.required",
                   "connections: { shop: { access_token: { env: RUTTER_ACCESS_TOKEN } } }",
                   "'connections' is empty");
        return;
    }
    connections = spec_new(reader, node->count, sizeof *connections);
    if (connections == NULL)
        return;
    for (size_t i = 0; i < node->count; i++)
        read_connection(reader, node->keys[i], node->items[i], &connections[i]);
    reader->spec->connections = connections;
    reader->spec->connection_count = node->count;
}

const struct spec_connection *spec_connection_find(const struct spec *spec, struct slice alias)
{
    for (size_t i = 0; i < spec->connection_count; i++)
        if (slice_is(alias, spec->connections[i].alias))
            return &spec->connections[i];
    return NULL;
}
