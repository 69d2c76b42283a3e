#include "api.h"

#include <string.h>

static const char *const known_versions[] = {"2023-02-07", "2023-03-14", "2024-04-30", "2024-08-31",
                                             "unstable"};

struct slice query_value(struct slice query, struct slice name)
{
    const char *p = query.bytes;
    const char *end = slice_end(query);

    while (p < end) {
        const char *next = memchr(p, '&', (size_t)(end - p));
        struct slice pair = {p, (size_t)((next == NULL ? end : next) - p)};

        if (pair.length > name.length && pair.bytes[name.length] == '=' &&
            slice_starts_with(pair, name))
            return (struct slice){pair.bytes + name.length + 1, pair.length - name.length - 1};
        p = next == NULL ? end : next + 1;
    }
    return (struct slice){NULL, 0};
}

static bool is_authorized(const struct sim *sim, const struct request *request)
{
    struct slice scheme = {request->authorization.bytes, 6};

    return request->authorization.length > 6 &&
           slice_equal_ignoring_case(scheme, SLICE("Basic ")) &&
           slice_equal(
               (struct slice){request->authorization.bytes + 6, request->authorization.length - 6},
               text_slice(&sim->authorization));
}

static bool is_known_version(struct slice version)
{
    for (size_t i = 0; i < sizeof known_versions / sizeof known_versions[0]; i++)
        if (slice_equal(version, slice_of(known_versions[i])))
            return true;
    return false;
}

/* Credentials, version and the organisation's limit. False: the answer is composed. */
static bool check_head(struct sim *sim, const struct request *request, struct answer *answer)
{
    int64_t wait_ms;

    if (!is_authorized(sim, request)) {
        answer_error(answer, 401, "CONNECTION_ERROR", "INVALID_CREDENTIALS",
                     "The client id or secret is wrong, or Basic authentication is missing");
        return false;
    }
    if (!is_known_version(request->version)) {
        answer_error(answer, 400, "API_REQUEST_ERROR", "INVALID_VERSION",
                     "The header X-Rutter-Version is missing or names no known version");
        return false;
    }
    wait_ms = limit_take(&sim->organisation, sim->options.organisation_limit, sim->now_ms);
    if (wait_ms > 0) {
        struct text seconds = {0};

        answer_error(answer, 429, "API_REQUEST_ERROR", "RATE_LIMIT_EXCEEDED",
                     "The organisation made too many requests");
        text_add_number(&seconds, (uint64_t)(wait_ms + 999) / 1000);
        memcpy(answer->retry_after, seconds.bytes, seconds.length);
        text_free(&seconds);
        return false;
    }
    return true;
}

static void answer_script(struct answer *answer, const struct script_entry *script)
{
    text_clear(answer->body);
    text_add(answer->body, script->body);
    answer->status = script->status;
    answer->wire = script->wire;
    answer->delay_ms = script->delay_ms;
    answer->headers = script;
    answer->has_job_id = false;
    answer->waits_for = NULL;
}

static void note_fault(struct sim *sim, struct answer *answer, const struct outcome *outcome)
{
    struct ledger_entry *entry = ledger_at(&sim->ledger, answer->entry);

    entry->fault = (uint16_t)(outcome_index(outcome) + 1);
}

/* What is unusual about this poll, or NULL. */
static const struct outcome *poll_outcome(struct sim *sim, struct job *job)
{
    enum job_turn turn = job->outcome == NULL ? JOB_SUCCEEDS : job->outcome->job;

    if (turn == JOB_LOST || turn == JOB_VANISHES || (turn == JOB_LATE_TO_SEE && job->polls <= 2))
        return outcome_find(SLICE("poll-404"));
    if (job->poll_outcome_left > 0) {
        job->poll_outcome_left -= job->poll_outcome_left == UINT32_MAX ? 0 : 1;
        return job->poll_outcome;
    }
    if (job->polls > 8)
        return NULL;
    return profile_draw_poll(sim->options.profile, hash_mix(job->draw, 1000 + job->polls));
}

/* Changes the answer to a GET, which is composed, as the outcome of stage poll says. */
static void answer_get_fault(struct sim *sim, const struct request *request,
                             const struct outcome *outcome, const struct job *job,
                             struct answer *answer)
{
    note_fault(sim, answer, outcome);
    if (outcome->status != 0) {
        answer_outcome(sim, answer, outcome);
        return;
    }
    answer->wire = outcome->wire;
    answer->delay_ms += outcome->delay_ms;
    answer_change(sim, answer, outcome, job, request->authority);
}

static void answer_poll(struct sim *sim, const struct request *request, struct job *job,
                        const struct outcome *scripted, struct answer *answer)
{
    const struct outcome *outcome;

    if (job == NULL) {
        answer_error(answer, 404, "API_REQUEST_ERROR", "NOT_FOUND", "There is no such job");
        return;
    }
    job_settle(job);
    if (job->polls < UINT32_MAX)
        job->polls++;
    outcome = scripted != NULL ? scripted : poll_outcome(sim, job);
    if (outcome == NULL || outcome->status == 0)
        job_add_object(answer->body, job);
    if (outcome == NULL)
        return;
    answer_get_fault(sim, request, outcome, job, answer);
}

static void api_poll(struct sim *sim, const struct request *request, struct slice id,
                     struct answer *answer)
{
    struct job *job = jobs_find(&sim->jobs, id);
    struct ledger_entry *entry = ledger_at(&sim->ledger, answer->entry);
    struct script_subject subject = {.texts = {request->path}};
    const struct script_entry *script = NULL;

    sim->counters.polls++;
    entry->is_poll = true;
    if (job == NULL) {
        ledger_describe(sim, entry, request->method, request->path, (struct slice){NULL, 0},
                        (struct slice){NULL, 0});
    } else {
        entry->job = job->number;
        entry->connection = job->connection;
        subject.texts[1] = job->body;
        if (job->connection != NULL)
            subject.access_token = connection_token(sim, job->connection);
        entry->is_old_url = slice_starts_with(request->path, SLICE("/v2/"));
    }
    if (sim->script.count > 0)
        script = script_take(&sim->script, SCRIPT_POLLS, &subject);
    if (script != NULL && script->outcome == NULL) {
        answer_script(answer, script);
        return;
    }
    if (check_head(sim, request, answer))
        answer_poll(sim, request, job, script == NULL ? NULL : script->outcome, answer);
}

/* The id of a job path, or an empty slice. */
static struct slice job_path_id(struct slice path)
{
    static const char *const prefixes[] = {"/versioned/jobs/", "/v2/jobs/"};

    for (size_t i = 0; i < 2; i++) {
        struct slice prefix = slice_of(prefixes[i]);

        if (slice_starts_with(path, prefix))
            return (struct slice){path.bytes + prefix.length, path.length - prefix.length};
    }
    return (struct slice){NULL, 0};
}

static void api_send(struct sim *sim, const struct request *request, enum method method,
                     struct slice path, struct answer *answer)
{
    struct script_subject subject = {{request->path, request->key, request->body},
                                     query_value(request->query, SLICE("access_token"))};
    const struct operation *operation;
    const struct script_entry *script = NULL;
    struct ledger_entry *entry = ledger_at(&sim->ledger, answer->entry);
    bool path_known;

    sim->counters.sends++;
    if (sim->script.count > 0)
        script = script_take(&sim->script, SCRIPT_SENDS, &subject);
    if (script != NULL && script->outcome == NULL && !script->acts) {
        ledger_describe(sim, entry, request->method, request->path, request->key, request->body);
        answer_script(answer, script);
        return;
    }
    operation = operation_match(method, path, &path_known);
    if (check_head(sim, request, answer)) {
        if (operation != NULL)
            api_write(sim, request, operation, script, answer);
        else if (path_known)
            answer_error(answer, 405, "API_REQUEST_ERROR", "METHOD_NOT_ALLOWED",
                         "The endpoint does not know this method");
        else
            answer_error(answer, 404, "API_REQUEST_ERROR", "NOT_FOUND",
                         "There is no such endpoint under /versioned");
    }
    if (entry->text == NULL)
        ledger_describe(sim, entry, request->method, request->path, request->key, request->body);
    if (script != NULL && script->outcome == NULL)
        answer_script(answer, script);
}

static void read_or_script(struct sim *sim, const struct request *request, struct slice path,
                           struct answer *answer)
{
    struct ledger_entry *entry = ledger_at(&sim->ledger, answer->entry);
    const struct script_entry *script = NULL;
    struct script_subject subject = {{request->path, request->query, {NULL, 0}},
                                     query_value(request->query, SLICE("access_token"))};

    ledger_describe(sim, entry, request->method, request->path, (struct slice){NULL, 0},
                    (struct slice){NULL, 0});
    if (sim->script.count > 0)
        script = script_take(&sim->script, SCRIPT_READS, &subject);
    if (script != NULL && script->outcome == NULL) {
        answer_script(answer, script);
        return;
    }
    if (!check_head(sim, request, answer))
        return;
    api_read(sim, request, path, answer);
    if (script != NULL)
        answer_get_fault(sim, request, script->outcome, NULL, answer);
}

void api_handle(struct sim *sim, const struct request *request, struct answer *answer)
{
    enum method method = method_from_text(request->method);
    struct slice job_id = job_path_id(request->path);
    struct slice prefix = SLICE("/versioned");
    struct slice path = {NULL, 0};

    ledger_request(sim, method);
    sim->counters.requests++;
    answer->entry = sim->ledger.last;
    answer->epoch = sim->epoch;
    answer->status = 200;
    answer->content_type = "application/json";
    answer->draw = hash_mix(sim->options.seed, (uint64_t)answer->entry << 16 | sim->epoch);
    answer->delay_ms =
        sim_pick(sim->options.latency_ms, hash_mix(sim->options.seed + 1, answer->entry));
    text_clear(answer->body);
    if (slice_starts_with(request->path, prefix))
        path = (struct slice){request->path.bytes + prefix.length,
                              request->path.length - prefix.length};
    if (method == METHOD_GET && job_id.length > 0)
        api_poll(sim, request, job_id, answer);
    else if (method == METHOD_GET)
        read_or_script(sim, request, path, answer);
    else
        api_send(sim, request, method, path, answer);
}

void api_finish(struct sim *sim, struct answer *answer)
{
    struct job *job = answer->waits_for;

    answer->waits_for = NULL;
    job_settle(job);
    answer_write(sim, answer, job, (struct slice){NULL, 0});
}

void api_answered(struct sim *sim, const struct answer *answer)
{
    bool is_lost =
        answer->wire == WIRE_CLOSE || answer->wire == WIRE_RESET || answer->wire == WIRE_HANG;

    if (answer->entry != 0 && answer->epoch == sim->epoch)
        ledger_answered(sim, answer->entry, is_lost ? 0 : answer->status);
}
