/* Reads: connections and their status, and what writes have made. */
#include "api.h"
#include "entities.h"

static bool refuse_token(struct answer *answer)
{
    answer_error(answer, 401, "CONNECTION_ERROR", "INVALID_CREDENTIALS",
                 "The access token is missing or unknown");
    return false;
}

/* The connection of the request, noted in the ledger. False: the answer is composed. */
static bool find_connection(struct sim *sim, const struct request *request, struct answer *answer,
                            struct connection **connection_out)
{
    *connection_out = connection_of(sim, query_value(request->query, SLICE("access_token")));
    if (*connection_out == NULL)
        return refuse_token(answer);
    ledger_at(&sim->ledger, answer->entry)->connection = *connection_out;
    return true;
}

static void add_time(struct text *text, const char *name, int64_t wall_ms)
{
    char when[SIM_TIME_BYTES];

    sim_format_time(wall_ms, when);
    text_addf(text, ",\"%s\":%s", name, when);
}

static bool needs_update(const struct connection *connection)
{
    return connection->state == CONNECTION_NEEDS_UPDATE || connection->state == CONNECTION_REVOKED;
}

static void add_sync_times(struct text *text, const struct sim *sim,
                           const struct connection *connection)
{
    add_time(text, "created_at", connection->created_wall_ms);
    if (connection->state == CONNECTION_NOT_READY)
        text_add(text, SLICE(",\"last_sync_completed_at\":null"));
    else
        add_time(text, "last_sync_completed_at",
                 sim_wall_ms(sim) - sim->now_ms + sim_synced_ms(sim));
}

static void add_status(struct text *text, const struct sim *sim,
                       const struct connection *connection)
{
    bool is_disabled = connection->state == CONNECTION_DISABLED;
    bool is_ready = connection->state != CONNECTION_NOT_READY;

    text_add(text, SLICE("{\"platform\":\""));
    text_add(text, connection->platform);
    text_addf(text, "\",\"needs_update_status\":{\"needs_update\":%s},",
              needs_update(connection) ? "true" : "false");
    text_addf(text, "\"disabled_status\":{\"is_disabled\":%s,\"disabled_reason\":",
              is_disabled ? "true" : "false");
    if (!is_disabled) {
        text_add(text, SLICE("null"));
    } else {
        text_add(text, SLICE("\""));
        text_add(text, connection->disabled_reason.length > 0 ? connection->disabled_reason
                                                              : SLICE("MANUALLY_DISABLED"));
        text_add(text, SLICE("\""));
    }
    text_addf(text,
              "},\"historical_sync_status\":{\"historical_sync_completed\":%s,\"total\":{},"
              "\"num_batches_completed\":%d,\"synced_balance_sheets_count\":0,"
              "\"synced_cash_flows_count\":0,\"synced_income_statements_count\":0,"
              "\"synced_orders_count\":0,\"synced_transactions_count\":0,\"batches\":[]},"
              "\"is_ready\":%s,\"link_url\":\"",
              is_ready ? "true" : "false", is_ready, is_ready ? "true" : "false");
    add_link_url(text, connection);
    text_add(text, SLICE("\""));
    add_sync_times(text, sim, connection);
    text_add(text, SLICE("}"));
}

static void answer_status(struct sim *sim, const struct request *request, struct answer *answer)
{
    struct connection *connection;

    if (!find_connection(sim, request, answer, &connection))
        return;
    if (connection->has_flat_status) {
        add_status(answer->body, sim, connection);
        return;
    }
    text_add(answer->body, SLICE("{\"connection\":"));
    add_connection(answer->body, sim, connection);
    text_add(answer->body, SLICE(",\"status\":"));
    add_status(answer->body, sim, connection);
    text_add(answer->body, SLICE("}"));
}

static void add_id_and_platform(struct text *text, const struct connection *connection)
{
    text_add(text, SLICE("{\"id\":\""));
    uuid_format(text_reserve(text, UUID_LENGTH), connection->id[0], connection->id[1]);
    text->length += UUID_LENGTH;
    text_add(text, SLICE("\",\"platform\":\""));
    text_add(text, connection->platform);
    text_add(text, SLICE("\",\"link_url\":\""));
    add_link_url(text, connection);
    text_add(text, SLICE("\""));
}

static void add_store(struct text *text, const struct connection *connection)
{
    text_add(text, connection->store.length > 0 ? connection->store : SLICE("simulated"));
}

static void answer_one(struct sim *sim, const struct request *request, struct answer *answer)
{
    struct connection *connection;
    struct text *text = answer->body;

    if (!find_connection(sim, request, answer, &connection))
        return;
    text_add(text, SLICE("{\"connection\":"));
    add_id_and_platform(text, connection);
    text_addf(text, ",\"store_unique_id\":\"%s\",\"disabled\":%s,\"needs_update\":%s",
              connection->shown, connection->state == CONNECTION_DISABLED ? "true" : "false",
              needs_update(connection) ? "true" : "false");
    text_add(text, SLICE(",\"store_domain\":null,\"store_name\":\""));
    add_store(text, connection);
    text_add(text, SLICE("\""));
    add_sync_times(text, sim, connection);
    text_add(text, SLICE("}}"));
}

/* Source: Rutter's OpenAPI document of 2023-03-14, ListConnectionsResponse; the tokens are in it.
 */
static void answer_all(struct sim *sim, struct answer *answer)
{
    struct text *text = answer->body;
    bool is_first = true;

    text_add(text, SLICE("{\"connections\":["));
    for (uint32_t i = 0; i < sim->connections.count; i++) {
        const struct connection *connection = sim->connections.all[i];

        if (connection->state == CONNECTION_DELETED)
            continue;
        if (!is_first)
            text_add(text, SLICE(","));
        is_first = false;
        add_id_and_platform(text, connection);
        text_add(text, SLICE(",\"access_token\":\""));
        text_add_escaped(text, connection_token(sim, connection));
        text_add(text, SLICE("\""));
        add_time(text, "created_at", connection->created_wall_ms);
        add_time(text, "updated_at", connection->created_wall_ms);
        text_add(text, SLICE("}"));
    }
    text_add(text, SLICE("]}"));
}

/* Whether the connection's data can be read. False: the answer is composed. */
static bool check_readable(struct sim *sim, const struct request *request,
                           const struct connection *connection, struct answer *answer)
{
    bool is_forced = slice_equal(query_value(request->query, SLICE("force_fetch")), SLICE("true"));

    if (connection->state == CONNECTION_DISABLED || connection->state == CONNECTION_NOT_ALLOWED ||
        (connection->state == CONNECTION_NOT_READY && !is_forced)) {
        answer_outcome(sim, answer, outcome_find(slice_of(connection_refusal(connection->state))));
        return false;
    }
    return true;
}

static void answer_data(struct sim *sim, const struct request *request, struct slice path,
                        struct answer *answer)
{
    struct connection *connection;
    const char *problem;

    if (!find_connection(sim, request, answer, &connection) ||
        !check_readable(sim, request, connection, answer))
        return;
    if (entities_are_at(path)) {
        problem = entities_add_list(answer->body, sim, connection, path, request->query);
        if (problem != NULL)
            answer_error(answer, 400, "API_REQUEST_ERROR", "INVALID_REQUEST", problem);
    } else if (!entities_add_one(answer->body, sim, connection, path)) {
        answer_error(answer, 410, "API_REQUEST_ERROR", "GONE", "There is no such object");
    }
}

void api_read(struct sim *sim, const struct request *request, struct slice path,
              struct answer *answer)
{
    struct slice segment = path_segment_from_end(path, 0);
    struct slice parent = {path.bytes,
                           path.length - segment.length - (segment.length < path.length ? 1 : 0)};

    if (slice_equal(path, SLICE("/connections/status")))
        answer_status(sim, request, answer);
    else if (slice_equal(path, SLICE("/connections/access_token")))
        answer_one(sim, request, answer);
    else if (slice_equal(path, SLICE("/connections")))
        answer_all(sim, answer);
    else if (entities_are_at(path) || entities_are_at(parent))
        answer_data(sim, request, path, answer);
    else
        answer_error(answer, 404, "API_REQUEST_ERROR", "NOT_FOUND",
                     "The simulator reads jobs, connections and what was written, no more");
}
