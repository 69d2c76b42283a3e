/* /_sim: the ledger, counts, scripts and reset. Needs no credentials; loopback only. */
#include "api.h"

#include <json.h>
#include <string.h>
#include <sys/resource.h>

static void answer_problem(struct answer *answer, int status, const char *what)
{
    text_clear(answer->body);
    answer->status = status;
    text_add(answer->body, SLICE("{\"error\":\""));
    text_add_escaped(answer->body, slice_of(what));
    text_add(answer->body, SLICE("\"}\n"));
}

static uint64_t microseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void add_statuses(struct text *text, const struct counters *counters)
{
    bool first = true;

    text_add(text, SLICE("\"by_status\":{"));
    for (size_t status = 0; status < 600; status++) {
        if (counters->by_status[status] == 0)
            continue;
        text_addf(text, "%s\"%zu\":%llu", first ? "" : ",", status,
                  (unsigned long long)counters->by_status[status]);
        first = false;
    }
    text_add(text, SLICE("}"));
}

static void add_stats(struct text *text, const struct sim *sim)
{
    const struct counters *counters = &sim->counters;
    struct rusage usage;
    uint64_t cpu_us;

    getrusage(RUSAGE_SELF, &usage);
    cpu_us = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
    text_addf(text, "{\"requests\":%llu,\"sends\":%llu,\"polls\":%llu,",
              (unsigned long long)counters->requests, (unsigned long long)counters->sends,
              (unsigned long long)counters->polls);
    add_statuses(text, counters);
    text_addf(text,
              ",\"jobs\":%u,\"keys\":%u,\"effects\":%llu,\"duplicate_effects_by_name\":%llu,"
              "\"ledger_lines\":%u,\"script_left\":%zu,",
              sim->jobs.last - sim->jobs.forgotten, sim->key_count,
              (unsigned long long)sim->ledger.effects,
              (unsigned long long)sim->ledger.duplicate_effects_by_name, sim->ledger.last,
              script_left(&sim->script));
    text_addf(text,
              "\"open_connections\":%lld,\"accepted_connections\":%llu,"
              "\"dropped_connections\":%llu,"
              "\"started_at_ms\":%lld,\"uptime_ms\":%lld,",
              (long long)counters->open_connections,
              (unsigned long long)counters->accepted_connections,
              (unsigned long long)counters->dropped_connections, (long long)sim->started_wall_ms,
              (long long)(sim->now_ms - sim->started_ms));
    text_addf(text,
              "\"cpu_us\":%llu,\"cpu_user_us\":%llu,\"cpu_system_us\":%llu,\"max_rss_kb\":%ld,"
              "\"seed\":%llu,\"profile\":\"%s\"}\n",
              (unsigned long long)cpu_us, (unsigned long long)microseconds(&usage.ru_utime),
              (unsigned long long)microseconds(&usage.ru_stime), usage.ru_maxrss,
              (unsigned long long)sim->options.seed, profile_name(sim->options.profile));
}

static void handle_fail(struct sim *sim, const struct request *request, struct answer *answer)
{
    const char *wrong = script_add(&sim->script, request->body);

    if (wrong != NULL)
        answer_problem(answer, 400, wrong);
    else
        text_addf(answer->body, "{\"script_left\":%zu}\n", script_left(&sim->script));
}

static struct slice text_of(struct json_object *root, const char *name)
{
    struct json_object *member = NULL;

    if (!json_object_is_type(root, json_type_object) ||
        !json_object_object_get_ex(root, name, &member) ||
        !json_object_is_type(member, json_type_string))
        return (struct slice){NULL, 0};
    return (struct slice){json_object_get_string(member),
                          (size_t)json_object_get_string_len(member)};
}

static const char connection_members[] =
    "state is ready, not-ready, disabled, needs-update, revoked, not-allowed or bad-token; further "
    "members are access_token, platform, store, disabled_reason and status_form (wrapped or flat)";

static const char *change_connection(struct sim *sim, struct connection *connection,
                                     struct json_object *root)
{
    struct slice state = text_of(root, "state");
    struct slice form = text_of(root, "status_form");

    if (state.length > 0 && (connection->state == CONNECTION_DELETED ||
                             !connection_state_from_text(state, &connection->state)))
        return connection_members;
    if (form.length > 0) {
        connection->has_flat_status = slice_equal(form, SLICE("flat"));
        if (!connection->has_flat_status && !slice_equal(form, SLICE("wrapped")))
            return connection_members;
    }
    if (text_of(root, "platform").length > 0)
        connection->platform = arena_copy(&sim->arena, text_of(root, "platform"));
    if (text_of(root, "store").length > 0)
        connection->store = arena_copy(&sim->arena, text_of(root, "store"));
    if (text_of(root, "disabled_reason").length > 0)
        connection->disabled_reason = arena_copy(&sim->arena, text_of(root, "disabled_reason"));
    return NULL;
}

/* {"access_token":…,"state":…, …}; without a token every connection seen so far is set. */
static const char *set_connection(struct sim *sim, struct json_object *root)
{
    static const char *const known[] = {"access_token", "state",           "platform",
                                        "store",        "disabled_reason", "status_form"};
    struct slice token = text_of(root, "access_token");
    struct connection *connection;
    const char *wrong = NULL;
    int count = 0;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        count += text_of(root, known[i]).length > 0;
    if (count == 0 || count != json_object_object_length(root) || (count == 1 && token.length > 0))
        return connection_members;
    if (token.length > 0) {
        connection = connection_in_any_state(sim, token);
        return connection == NULL ? "access_token is not accepted here"
                                  : change_connection(sim, connection, root);
    }
    for (uint32_t i = 0; wrong == NULL && i < sim->connections.count; i++)
        if (sim->connections.all[i]->state != CONNECTION_DELETED)
            wrong = change_connection(sim, sim->connections.all[i], root);
    return wrong;
}

/* {"passed_ms":N}: keys are older by so much. Without a body all are forgotten. */
static const char *forget_keys(struct sim *sim, struct json_object *root)
{
    struct json_object *passed = NULL;

    if (root == NULL) {
        sim->keys_forgotten = sim->jobs.last;
        return NULL;
    }
    if (!json_object_is_type(root, json_type_object) ||
        !json_object_object_get_ex(root, "passed_ms", &passed) ||
        !json_object_is_type(passed, json_type_int) || json_object_get_int64(passed) < 0)
        return "passed_ms is the number of milliseconds that have passed for the keys";
    sim->keys_older_ms += json_object_get_int64(passed);
    return NULL;
}

/* {"stand_still":true}: list reads show what was done until now, and no more, until false. */
static const char *set_reads(struct sim *sim, struct json_object *root)
{
    struct json_object *member = NULL;

    if (!json_object_is_type(root, json_type_object) ||
        !json_object_object_get_ex(root, "stand_still", &member) ||
        !json_object_is_type(member, json_type_boolean))
        return "stand_still is true or false";
    sim->stood_still_ms = sim_synced_ms(sim);
    sim->reads_stand_still = json_object_get_boolean(member);
    /* What follows within this millisecond is later all the same. */
    sim->now_ms++;
    return NULL;
}

static void handle_change(struct sim *sim, const struct request *request, struct answer *answer,
                          const char *(*change)(struct sim *, struct json_object *))
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *root =
        request->body.length == 0
            ? NULL
            : json_tokener_parse_ex(tokener, request->body.bytes, (int)request->body.length);
    const char *wrong =
        root == NULL && request->body.length > 0 ? "the body is not JSON" : change(sim, root);

    if (wrong != NULL)
        answer_problem(answer, 400, wrong);
    else
        text_add(answer->body, SLICE("{\"ok\":true}\n"));
    json_object_put(root);
    json_tokener_free(tokener);
}

static bool handle_ledger(struct sim *sim, const struct request *request, struct answer *answer,
                          uint32_t *from_out, uint32_t *to_out)
{
    struct slice from = query_value(request->query, SLICE("from"));
    struct slice limit = query_value(request->query, SLICE("limit"));
    uint64_t first = 1, count = UINT32_MAX;

    if ((from.length > 0 && !slice_to_number(from, UINT32_MAX, &first)) ||
        (limit.length > 0 && !slice_to_number(limit, UINT32_MAX, &count))) {
        answer_problem(answer, 400, "from and limit are numbers");
        return false;
    }
    if (first <= sim->ledger.forgotten)
        first = sim->ledger.forgotten + 1;
    answer->content_type = "application/x-ndjson";
    *from_out = (uint32_t)first;
    *to_out = sim->ledger.last;
    if (first + count - 1 < *to_out)
        *to_out = (uint32_t)(first + count - 1);
    return true;
}

bool control_handle(struct sim *sim, const struct request *request, struct answer *answer,
                    uint32_t *from_out, uint32_t *to_out)
{
    struct slice path = request->path;
    bool is_get = slice_equal(request->method, SLICE("GET"));
    bool is_post = slice_equal(request->method, SLICE("POST"));

    text_clear(answer->body);
    answer->status = 200;
    answer->content_type = "application/json";
    if (is_get && slice_equal(path, SLICE("/_sim/ledger")))
        return handle_ledger(sim, request, answer, from_out, to_out);
    if (is_get && slice_equal(path, SLICE("/_sim/stats"))) {
        add_stats(answer->body, sim);
    } else if (is_post && slice_equal(path, SLICE("/_sim/fail"))) {
        handle_fail(sim, request, answer);
    } else if (is_post && slice_equal(path, SLICE("/_sim/connection"))) {
        handle_change(sim, request, answer, set_connection);
    } else if (is_post && slice_equal(path, SLICE("/_sim/forget-keys"))) {
        handle_change(sim, request, answer, forget_keys);
    } else if (is_post && slice_equal(path, SLICE("/_sim/reads"))) {
        handle_change(sim, request, answer, set_reads);
    } else if (is_post && slice_equal(path, SLICE("/_sim/reset"))) {
        sim_reset(sim);
        text_add(answer->body, SLICE("{\"ok\":true}\n"));
    } else {
        answer_problem(answer, 404,
                       "GET /_sim/ledger, GET /_sim/stats, POST /_sim/fail, "
                       "POST /_sim/connection, POST /_sim/forget-keys, POST /_sim/reads, "
                       "POST /_sim/reset");
    }
    return false;
}
