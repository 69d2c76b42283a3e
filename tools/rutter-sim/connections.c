#include "connections.h"

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

/* Nobody has said which: a name that no real one has, so that it contradicts no spec. */
#define DEFAULT_PLATFORM "SIMULATED"

const struct connection *connection_at(const struct sim *sim, uint32_t number)
{
    return number == 0 ? NULL : sim->connections.all[number - 1];
}

struct connection *connection_new(struct sim *sim)
{
    struct connections *connections = &sim->connections;
    struct connection *connection = memory_new(sizeof *connection);

    if ((connections->count & (connections->count + 1)) == 0)
        connections->all = memory_grow(connections->all, ((size_t)connections->count + 1) * 2 *
                                                             sizeof(struct connection *));
    *connection =
        (struct connection){.number = connections->count + 1, .platform = SLICE(DEFAULT_PLATFORM)};
    connections->all[connections->count++] = connection;
    return connection;
}

void connection_add_token(struct sim *sim, const struct token *token)
{
    struct connections *connections = &sim->connections;
    struct token *added;

    if ((connections->token_count & (connections->token_count + 1)) == 0)
        connections->tokens = memory_grow(
            connections->tokens, ((size_t)connections->token_count + 1) * 2 * sizeof(struct token));
    added = &connections->tokens[connections->token_count++];
    *added = *token;
    added->text = arena_copy(&sim->arena, token->text);
    if (token->made_of[0] != 0) {
        added->text = (struct slice){arena_take(&sim->arena, UUID_LENGTH), UUID_LENGTH};
        uuid_format((char *)(uintptr_t)added->text.bytes, token->made_of[0], token->made_of[1]);
    }
    if (added->text.length > 0) {
        added->hash = hash_bytes(7, added->text);
        sha256(added->text, added->digest);
    }
    if (!token->is_revoked)
        connections->all[token->connection - 1]->token = connections->token_count;
    table_at(&connections->by_token, added->hash)->value = connections->token_count;
}

/* Makes a connection whose first token is `text`, or made of `made_of`. */
static struct connection *begin(struct sim *sim, struct slice text, const uint64_t made_of[2])
{
    struct connection *connection = connection_new(sim);
    struct token token = {.text = text, .connection = connection->number};
    struct text shown = {0};

    if (made_of != NULL) {
        token.made_of[0] = made_of[0];
        token.made_of[1] = made_of[1];
    }
    connection_add_token(sim, &token);
    token = sim->connections.tokens[connection->token - 1];
    connection->hash = token.hash;
    connection->id[0] = hash_mix(connection->hash, 21);
    connection->id[1] = hash_mix(connection->hash, 22);
    connection->created_wall_ms = sim_wall_ms(sim);
    text_add_hex(&shown, token.digest, CONNECTION_HASH_LENGTH / 2);
    memcpy(connection->shown, shown.bytes, CONNECTION_HASH_LENGTH);
    text_free(&shown);
    return connection;
}

static bool token_is_accepted(const struct options *options, struct slice token)
{
    if (options->token_count == 0)
        return options->any_token ? token.length > 0 : uuid_is_valid(token);
    for (size_t i = 0; i < options->token_count; i++)
        if (slice_equal(token, options->tokens[i]))
            return true;
    return false;
}

/* Whether `record` is of this very token; one that was known by its digest is known now. */
static bool is_token(struct sim *sim, struct token *record, struct slice token)
{
    unsigned char digest[DIGEST_BYTES];

    if (record->text.length > 0)
        return slice_equal(record->text, token);
    sha256(token, digest);
    if (memcmp(digest, record->digest, sizeof digest) != 0)
        return false;
    record->text = arena_copy(&sim->arena, token);
    return true;
}

struct connection *connection_in_any_state(struct sim *sim, struct slice token)
{
    struct table_slot *slot = table_find(&sim->connections.by_token, hash_bytes(7, token));
    struct token *record;

    if (slot == NULL)
        return token_is_accepted(&sim->options, token) ? begin(sim, token, NULL) : NULL;
    record = &sim->connections.tokens[slot->value - 1];
    if (!is_token(sim, record, token) || record->is_revoked)
        return NULL;
    return sim->connections.all[record->connection - 1];
}

struct connection *connection_of(struct sim *sim, struct slice token)
{
    struct connection *connection = connection_in_any_state(sim, token);

    return connection == NULL || connection->state == CONNECTION_BAD_TOKEN ||
                   connection->state == CONNECTION_DELETED
               ? NULL
               : connection;
}

struct connection *connection_by_id(const struct sim *sim, struct slice id)
{
    char text[UUID_LENGTH];

    for (uint32_t i = 0; i < sim->connections.count; i++) {
        struct connection *connection = sim->connections.all[i];

        uuid_format(text, connection->id[0], connection->id[1]);
        if (slice_equal(id, (struct slice){text, UUID_LENGTH}))
            return connection;
    }
    return NULL;
}

struct slice connection_token(const struct sim *sim, const struct connection *connection)
{
    return connection->token == 0 ? (struct slice){NULL, 0}
                                  : sim->connections.tokens[connection->token - 1].text;
}

static void reset_connection(struct connection *connection)
{
    free(connection->writes.allowed_at);
    connection->writes = (struct limit){0};
    connection->state = CONNECTION_READY;
    connection->disabled_reason = (struct slice){NULL, 0};
    connection->platform = SLICE(DEFAULT_PLATFORM);
    connection->store = (struct slice){NULL, 0};
    connection->has_flat_status = false;
}

void connections_reset(struct sim *sim)
{
    struct connections *connections = &sim->connections;

    for (uint32_t i = 0; i < connections->count; i++)
        reset_connection(connections->all[i]);
    for (uint32_t i = 0; i < connections->token_count; i++) {
        struct token *token = &connections->tokens[i];
        struct connection *connection = connections->all[token->connection - 1];

        token->is_revoked = token->made_of[0] != 0;
        if (!token->is_revoked)
            connection->token = i + 1;
        else if (connection->token == i + 1)
            connection->state = CONNECTION_DELETED;
    }
    table_reset(&connections->exchanged);
}

/* --- making connections --- */

/* Source: Rutter's page "Create a Connection" and its OpenAPI document of 2023-03-14, schemas
 * *Credentials. A platform that stands twice takes either set. */
static const struct {
    const char *platform;
    const char *required; /* members, separated by one space */
} credentials[] = {
    {"AMAZON", "oauth_client_id oauth_client_secret oauth_refresh_token amazon_access_key_id "
               "amazon_secret_access_key amazon_selling_partner_role amazon_seller_region"},
    {"BIG_COMMERCE", "store_url oauth_access_token"},
    {"EBAY", "oauth_client_id oauth_client_secret oauth_refresh_token"},
    {"FNAC", "partner_id shop_id key"},
    {"LAZADA",
     "oauth_client_id oauth_client_secret oauth_access_token oauth_refresh_token country"},
    {"MAGENTO", "store_url basic_username basic_password"},
    {"NETSUITE", "consumer_key consumer_secret token_id token_secret store_name"},
    {"PRESTASHOP", "store_url api_key"},
    {"QUICKBOOKS", "oauth_client_id oauth_client_secret oauth_refresh_token realm_id"},
    {"SHOPER", "store_url oauth_access_token oauth_refresh_token"},
    {"SHOPIFY", "store_url basic_username basic_password"},
    {"SHOPIFY", "store_url oauth_client_id oauth_client_secret oauth_access_token"},
    {"SQUARE", "oauth_client_id oauth_client_secret oauth_refresh_token"},
    {"STRIPE", "oauth_access_token account_id"},
    {"WALMART", "oauth_client_id oauth_client_secret"},
    {"WOO_COMMERCE", "store_url basic_username basic_password"},
    {"XERO", "oauth_client_id oauth_client_secret oauth_refresh_token tenant_id user_id"},
};

static struct slice text_member(const struct scan *scan, const char *name)
{
    struct slice value = scan_member_value(scan, slice_of(name));

    return value.length > 2 && value.bytes[0] == '"' ? scan_unquoted(value)
                                                     : (struct slice){NULL, 0};
}

/* The first of `required` that is missing, or NULL. */
static const char *missing_member(const struct scan *scan, const char *required)
{
    static char name[40];

    while (*required != '\0') {
        size_t length = strcspn(required, " ");

        if (length >= sizeof name)
            abort();
        memcpy(name, required, length);
        name[length] = '\0';
        if (text_member(scan, name).length == 0)
            return name;
        required += length;
        required += strspn(required, " ");
    }
    return NULL;
}

static const char *create_problem(const struct scan *scan, const char **code_out)
{
    struct slice platform = text_member(scan, "platform");
    static char problem[120];
    const char *missing = NULL;
    bool is_known = false;

    if (scan->member_count == 0)
        return NULL; /* the merchant will choose the platform */
    for (size_t i = 0; i < sizeof credentials / sizeof credentials[0]; i++) {
        if (!slice_equal(platform, slice_of(credentials[i].platform)))
            continue;
        is_known = true;
        missing = missing_member(scan, credentials[i].required);
        if (missing == NULL)
            return NULL;
    }
    *code_out = is_known ? "MISSING_REQUIRED_FIELD" : "INVALID_REQUEST";
    if (!is_known)
        return "platform is missing, or names none that connections can be created for";
    snprintf(problem, sizeof problem, "The credential %s of the platform is missing", missing);
    return problem;
}

static const char *exchange_problem(struct sim *sim, const struct scan *scan, const char **code_out,
                                    int *status_out)
{
    struct slice public_token = text_member(scan, "public_token");

    if (!slice_equal(text_member(scan, "client_id"), sim->options.client_id) ||
        !slice_equal(text_member(scan, "secret"), sim->options.client_secret)) {
        *code_out = "INVALID_CREDENTIALS";
        *status_out = 401;
        return "client_id or secret is wrong";
    }
    *code_out = "INVALID_PUBLIC_TOKEN";
    if (public_token.length == 0)
        return "public_token is empty";
    if (table_find(&sim->connections.exchanged, hash_bytes(8, public_token)) != NULL)
        return "public_token was exchanged before";
    return NULL;
}

const char *connection_problem(struct sim *sim, const struct scan *scan, bool is_exchange,
                               const char **code_out, int *status_out)
{
    *status_out = 400;
    return is_exchange ? exchange_problem(sim, scan, code_out, status_out)
                       : create_problem(scan, code_out);
}

void connection_note(struct sim *sim, struct job *job, const struct scan *scan)
{
    static const char *const names[] = {"store_name", "store_url", "realm_id",
                                        "tenant_id",  "shop_id",   "account_id"};

    if (job->operation->answer == ANSWER_TOKEN_EXCHANGE)
        table_at(&sim->connections.exchanged, hash_bytes(8, text_member(scan, "public_token")))
            ->value = 1;
    job->wrapper = arena_copy(&sim->arena, text_member(scan, "platform"));
    for (size_t i = 0; job->name.length == 0 && i < sizeof names / sizeof names[0]; i++)
        job->name = arena_copy(&sim->arena, text_member(scan, names[i]));
}

/* A connection that the job has made: its id and its token are in the job's answer. */
static void make(struct sim *sim, const struct job *job)
{
    const uint64_t made_of[2] = {job->entity[1] | 1, job->entity[0]};
    struct connection *connection = begin(sim, (struct slice){NULL, 0}, made_of);

    connection->id[0] = job->entity[0];
    connection->id[1] = job->entity[1];
    connection->store = job->name;
    if (job->wrapper.length > 0)
        connection->platform = job->wrapper;
    else if (job->operation->answer == ANSWER_CONNECTION)
        connection->state = CONNECTION_NOT_READY; /* until the merchant has followed the link */
}

void connection_effect(struct sim *sim, struct job *job)
{
    struct connection *connection;

    if (job->operation->answer == ANSWER_CONNECTION ||
        job->operation->answer == ANSWER_TOKEN_EXCHANGE) {
        make(sim, job);
    } else if (job->operation->answer == ANSWER_NEW_TOKEN) {
        connection = sim->connections.all[job->connection->number - 1];
        if (connection->token != 0)
            sim->connections.tokens[connection->token - 1].is_revoked = true;
        connection_add_token(sim, &(struct token){.made_of = {job->entity[1] | 1, job->entity[0]},
                                                  .connection = connection->number});
    } else if (job->operation->method == METHOD_DELETE && job->operation->without_token) {
        connection = connection_by_id(sim, path_segment_from_end(job->path, 0));
        if (connection != NULL)
            connection->state = CONNECTION_DELETED;
    }
}

/* --- showing them --- */

static void add_uuid(struct text *text, uint64_t high, uint64_t low)
{
    uuid_format(text_reserve(text, UUID_LENGTH), high, low);
    text->length += UUID_LENGTH;
}

void add_connection(struct text *text, const struct sim *sim, const struct connection *connection)
{
    text_add(text, SLICE("{\"id\":\""));
    if (connection == NULL)
        add_uuid(text, hash_mix(1, 21), hash_mix(1, 22));
    else
        add_uuid(text, connection->id[0], connection->id[1]);
    text_add(text, SLICE("\",\"orgId\":\""));
    add_uuid(text, hash_mix(sim->options.seed, 23), hash_mix(sim->options.seed, 24));
    text_add(text, SLICE("\",\"platform\":\""));
    text_add(text, connection == NULL ? SLICE(DEFAULT_PLATFORM) : connection->platform);
    text_add(text, SLICE("\"}"));
}

void add_link_url(struct text *text, const struct connection *connection)
{
    if (connection == NULL)
        return;
    text_add(text, SLICE("https://link.rutter.example/"));
    text_add_string(text, connection->shown);
}

static const struct {
    const char *name;
    const char *refusal; /* outcome */
} states[] = {[CONNECTION_READY] = {"ready", NULL},
              [CONNECTION_NOT_READY] = {"not-ready", "not-ready"},
              [CONNECTION_DISABLED] = {"disabled", "disabled"},
              [CONNECTION_NEEDS_UPDATE] = {"needs-update", "needs-update"},
              [CONNECTION_REVOKED] = {"revoked", "451"},
              [CONNECTION_NOT_ALLOWED] = {"not-allowed", "403"},
              [CONNECTION_BAD_TOKEN] = {"bad-token", NULL}};

bool connection_state_from_text(struct slice name, enum connection_state *state_out)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (slice_equal(name, slice_of(states[i].name))) {
            *state_out = (enum connection_state)i;
            return true;
        }
    }
    return false;
}

const char *connection_refusal(enum connection_state state)
{
    return state == CONNECTION_DELETED ? NULL : states[state].refusal;
}
