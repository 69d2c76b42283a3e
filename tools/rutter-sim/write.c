/* A write operation, from its checks to its answer. */
#include "api.h"
#include "scan.h"

#include <string.h>

#define KEY_LENGTH_MAX 100 /* Source: Rutter's help centre, validation errors (2026) */
#define ATTEMPTS_WITH_FAULTS 4

/* What is known of one write while it is handled. */
struct write {
    struct sim *sim;
    const struct request *request;
    const struct operation *operation;
    struct slice path; /* under /versioned */
    struct connection *connection;
    struct ledger_entry *entry;
    struct scan *scan;
    struct magic magic;
    uint64_t content; /* hash of connection, method, path and body; 0: not needed so far */
    uint32_t attempt; /* of this key, from 0 */
    uint64_t draw;
    const struct outcome *scripted;
    enum response_mode mode;
};

static void refuse(struct answer *answer, const char *code, const char *message)
{
    answer_error(answer, 400, "API_REQUEST_ERROR", code, message);
}

static void refuse_member(struct answer *answer, const char *code, const char *before,
                          struct slice name, const char *after)
{
    text_clear(answer->body);
    answer->status = 400;
    text_add(answer->body, SLICE("{\"error_type\":\"API_REQUEST_ERROR\",\"error_code\":\""));
    text_add_string(answer->body, code);
    text_add(answer->body, SLICE("\",\"error_message\":\""));
    text_add_string(answer->body, before);
    text_add(answer->body, name);
    text_add_string(answer->body, after);
    text_add(answer->body, SLICE("\"}"));
}

static bool check_required(struct write *write, struct answer *answer)
{
    const char *p = write->operation->required;

    while (*p != '\0') {
        size_t length = strcspn(p, " ");
        struct slice name = {p, length};

        if (scan_member_value(write->scan, name).length == 0) {
            refuse_member(answer, "MISSING_REQUIRED_FIELD", "The field ", name, " is required");
            return false;
        }
        p += length;
        p += strspn(p, " ");
    }
    return true;
}

static bool check_body(struct write *write, struct answer *answer)
{
    const struct operation *operation = write->operation;
    struct slice wrapper = slice_of(operation->wrapper);
    struct slice body = write->request->body;
    struct scan *scan = write->scan;

    if (body.length == 0 && operation->body_optional) {
        memset(scan, 0, offsetof(struct scan, members));
        return check_required(write, answer);
    }
    if (slice_find(write->request->content_type, SLICE("json")) == NULL) {
        answer_error(answer, 415, "API_REQUEST_ERROR", "UNSUPPORTED_MEDIA_TYPE",
                     "Content-Type is not application/json");
        return false;
    }
    scan_body(body, wrapper, scan);
    if (scan->problem != NULL || !scan->is_object) {
        refuse_member(answer, "INVALID_JSON", "The body is not a JSON object: ",
                      slice_of(scan->problem == NULL ? "it is another value" : scan->problem), "");
        return false;
    }
    if (scan->has_null) {
        refuse_member(answer, "INVALID_REQUEST", "Send a value or omit the field: null in '",
                      scan->null_name, "'");
        return false;
    }
    if (wrapper.length > 0 && (scan->wrapper.length == 0 || scan->wrapper.bytes[0] != '{')) {
        refuse_member(answer, "MISSING_REQUIRED_FIELD", "The body needs the object '", wrapper,
                      "'");
        return false;
    }
    return check_required(write, answer);
}

static bool check_mode(struct write *write, struct answer *answer)
{
    struct slice mode = write->scan->response_mode;

    if (mode.length == 0)
        mode = query_value(write->request->query, SLICE("response_mode"));
    if (slice_equal(mode, SLICE("async")))
        write->mode = MODE_ASYNC;
    else if (slice_equal(mode, SLICE("prefer_sync")))
        write->mode = MODE_PREFER_SYNC;
    else if (mode.length == 0)
        write->mode = MODE_SYNC;
    else {
        refuse(answer, "INVALID_REQUEST", "response_mode is async or prefer_sync");
        return false;
    }
    if (write->operation->operation_class == CLASS_SYNC ||
        write->operation->operation_class == CLASS_SYNC_WITH_JOB)
        write->mode = MODE_SYNC;
    return true;
}

static bool refuse_token(struct answer *answer)
{
    answer_error(answer, 401, "CONNECTION_ERROR", "INVALID_CREDENTIALS",
                 "The access token is missing or unknown");
    return false;
}

static bool check_connection(struct write *write, struct answer *answer)
{
    const char *refusal;

    if (write->operation->without_token)
        return true;
    write->connection =
        connection_of(write->sim, query_value(write->request->query, SLICE("access_token")));
    if (write->connection == NULL)
        return refuse_token(answer);
    write->entry->connection = write->connection;
    refusal = connection_refusal(write->connection->state);
    if (refusal == NULL || write->operation->answer == ANSWER_NEW_TOKEN)
        return true;
    answer_outcome(write->sim, answer, outcome_find(slice_of(refusal)));
    return false;
}

/* Of the operations that are about a connection: what they name must be right. */
static bool check_subject(struct write *write, struct answer *answer)
{
    enum answer_kind kind = write->operation->answer;
    const char *code = "GONE";
    const char *problem = NULL;
    int status = 410;

    if (kind == ANSWER_CONNECTION || kind == ANSWER_TOKEN_EXCHANGE)
        problem = connection_problem(write->sim, write->scan, kind == ANSWER_TOKEN_EXCHANGE, &code,
                                     &status);
    else if (write->operation->without_token &&
             connection_by_id(write->sim, path_segment_from_end(write->path, 0)) == NULL)
        problem = "There is no such connection";
    if (problem == NULL)
        return true;
    answer_error(answer, status, status == 401 ? "CONNECTION_ERROR" : "API_REQUEST_ERROR", code,
                 problem);
    return false;
}

/* How often this content met `outcome` before; counts this time. */
static uint32_t count_content(struct write *write, uint64_t outcome)
{
    struct table_slot *slot;

    if (write->content == 0) {
        write->content = write->connection == NULL ? 1 : write->connection->hash;
        write->content = hash_bytes(write->content + write->operation->method, write->path);
        write->content = hash_bytes(write->content, write->request->body);
    }
    slot = table_at(&write->sim->content_counts, hash_mix(write->content, outcome + 1));
    return slot->value++;
}

/* The magic outcome of one of the stages between `first` and `last` that applies now. */
static const struct outcome *magic_of(struct write *write, enum stage first, enum stage last)
{
    for (size_t i = 0; i < write->magic.count; i++) {
        const struct outcome *outcome = write->magic.entries[i].outcome;
        uint32_t times = write->magic.entries[i].times;

        if (outcome->stage < first || outcome->stage > last)
            continue;
        if (times == 0 || count_content(write, outcome_index(outcome)) < times)
            return outcome;
    }
    return NULL;
}

static bool is_stage(const struct outcome *outcome, enum stage first, enum stage last)
{
    return outcome != NULL && outcome->stage >= first && outcome->stage <= last;
}

/* What happens to this request before or after it is acted on, or NULL. */
static const struct outcome *send_outcome(struct write *write)
{
    const struct outcome *outcome;

    if (is_stage(write->scripted, STAGE_REFUSE, STAGE_AFTER))
        return write->scripted;
    outcome = magic_of(write, STAGE_REFUSE, STAGE_AFTER);
    if (outcome != NULL || write->attempt >= ATTEMPTS_WITH_FAULTS)
        return outcome;
    return profile_draw_send(write->sim->options.profile, hash_mix(write->draw, write->attempt));
}

static const struct outcome *job_outcome(struct write *write)
{
    const struct outcome *outcome;

    if (is_stage(write->scripted, STAGE_JOB, STAGE_JOB))
        return write->scripted;
    outcome = magic_of(write, STAGE_JOB, STAGE_JOB);
    if (outcome != NULL || write->sim->options.profile == PROFILE_CLEAN)
        return outcome;
    /* Only the first job of one content may fail by chance: the next generation passes. */
    if (count_content(write, UINT32_MAX) > 0)
        return NULL;
    return profile_draw_job(write->sim->options.profile, hash_mix(write->draw, 99));
}

static void schedule(struct write *write, struct job *job)
{
    enum job_turn turn = job->outcome == NULL ? JOB_SUCCEEDS : job->outcome->job;
    int64_t time_ms = sim_pick(write->sim->options.job_time_ms, hash_mix(job->draw, 3));

    if (turn == JOB_SLOW)
        time_ms = time_ms * 10 + 1000;
    if (turn == JOB_ODD_STATUS || turn == JOB_REGRESSES)
        time_ms += 500;
    job->accepted_ms = write->sim->now_ms;
    if (time_ms == 0 && turn != JOB_NEVER_ENDS) {
        job->timer.due_ms = job->accepted_ms;
        job_finish(job);
    } else {
        job_wait(job, job->accepted_ms + time_ms);
    }
}

static const char *const name_members[] = {"document_number",
                                           "name",
                                           "sku",
                                           "customer_name",
                                           "vendor_name",
                                           "order_number",
                                           "transaction_number",
                                           "file_name",
                                           "tracking_number",
                                           "internal_bank_account_id",
                                           "reference",
                                           "memo"};

static struct slice find_name(const struct scan *scan)
{
    for (size_t i = 0; i < sizeof name_members / sizeof name_members[0]; i++) {
        struct slice value = scan_member_value(scan, slice_of(name_members[i]));

        if (value.length > 2 && value.bytes[0] == '"')
            return scan_unquoted(value);
    }
    return scan->first_sku;
}

static void keep_body(struct write *write, struct job *job)
{
    struct sim *sim = write->sim;
    const struct scan *scan = write->scan;
    struct slice body = write->request->body;

    /* The bodies of operations without a token are full of secrets. */
    if (sim->options.no_echo || job->operation->without_token) {
        job->name = arena_copy(&sim->arena, find_name(scan));
        job->sku = arena_copy(&sim->arena, scan->first_sku);
        sha256(body, job->body_sha256);
        job->has_digest = true;
        if (job->operation->without_token)
            connection_note(sim, job, scan);
        return;
    }
    job->body = arena_copy(&sim->arena, body);
#define IN_COPY(part)              \
    ((part).length == 0            \
         ? (struct slice){NULL, 0} \
         : (struct slice){job->body.bytes + ((part).bytes - body.bytes), (part).length})
    job->wrapper = IN_COPY(scan->wrapper);
    job->own_id = IN_COPY(scan_member_value(scan, SLICE("id")));
    job->name = IN_COPY(find_name(scan));
    job->sku = IN_COPY(scan->first_sku);
#undef IN_COPY
}

static void set_poll_magic(struct write *write, struct job *job)
{
    for (size_t i = 0; i < write->magic.count; i++) {
        if (write->magic.entries[i].outcome->stage != STAGE_POLL)
            continue;
        job->poll_outcome = write->magic.entries[i].outcome;
        job->poll_outcome_left =
            write->magic.entries[i].times == 0 ? UINT32_MAX : write->magic.entries[i].times;
        return;
    }
}

static struct job *accept_write(struct write *write)
{
    struct sim *sim = write->sim;
    struct job *job = jobs_new(&sim->jobs);

    job->sim = sim;
    job->operation = write->operation;
    job->connection = write->connection;
    job->is_hidden = write->operation->operation_class == CLASS_SYNC;
    job->draw = write->draw;
    job->entity[0] = hash_mix(write->draw, 1);
    job->entity[1] = hash_mix(write->draw, 2);
    job_set_id(job);
    job->entry = (uint32_t)sim->ledger.last;
    job->path = arena_copy(&sim->arena, write->path);
    job->key = arena_copy(&sim->arena, write->request->key);
    keep_body(write, job);
    job->outcome = job_outcome(write);
    job->old_url = sim->options.profile != PROFILE_CLEAN && hash_mix(write->draw, 4) % 3 == 0;
    set_poll_magic(write, job);
    schedule(write, job);
    return job;
}

static bool is_same_request(const struct write *write, const struct job *job)
{
    unsigned char digest[32];

    if (job->operation != write->operation || job->connection != write->connection ||
        !slice_equal(job->path, write->path))
        return false;
    if (!job->has_digest)
        return slice_equal(job->body, write->request->body);
    sha256(write->request->body, digest);
    return memcmp(digest, job->body_sha256, sizeof digest) == 0;
}

/* Sets what is answered, and when, to a write whose job exists. */
static void answer_for_job(struct write *write, struct job *job, const struct outcome *after,
                           struct answer *answer)
{
    struct sim *sim = write->sim;
    int64_t wait_ms;

    answer->mode = write->mode;
    answer->after = after;
    if (after != NULL)
        answer->delay_ms += after->delay_ms;
    job_settle(job);
    wait_ms = job->timer.due_ms - sim->now_ms;
    if (write->mode == MODE_ASYNC || job->is_finished || wait_ms <= 0) {
        answer_write(sim, answer, job, write->request->authority);
        return;
    }
    answer->waits_for = job;
    answer->delay_ms += wait_ms > sim->options.sync_wait_ms ? sim->options.sync_wait_ms : wait_ms;
}

static void note_outcome(struct write *write, const struct outcome *outcome)
{
    if (outcome != NULL)
        write->entry->fault = (uint16_t)(outcome_index(outcome) + 1);
}

static void accept_and_answer(struct write *write, struct key_record *record,
                              const struct outcome *after, struct answer *answer)
{
    struct sim *sim = write->sim;
    struct job *job;

    if (write->connection != NULL &&
        limit_take(&write->connection->writes, sim->options.platform_limit, sim->now_ms) > 0) {
        answer_outcome(sim, answer, outcome_find(SLICE("452")));
        return;
    }
    job = accept_write(write);
    if (record != NULL)
        record->job = job->number;
    write->entry->is_accepted = true;
    ledger_describe_job(sim, write->entry, job, write->request->path, write->request->key);
    note_outcome(write, after != NULL ? after : job->outcome);
    answer_for_job(write, job, after, answer);
}

static void replay(struct write *write, const struct key_record *record,
                   const struct outcome *after, struct answer *answer)
{
    struct job *job = jobs_at(&write->sim->jobs, record->job);

    if (!is_same_request(write, job)) {
        answer_outcome(write->sim, answer, outcome_find(SLICE("409")));
        return;
    }
    write->entry->is_accepted = true;
    write->entry->is_replay = true;
    ledger_describe_job(write->sim, write->entry, job, write->request->path, write->request->key);
    note_outcome(write, after);
    answer_for_job(write, job, after, answer);
}

static void perform(struct write *write, struct key_record *record, struct answer *answer)
{
    const struct outcome *outcome = send_outcome(write);

    if (is_stage(outcome, STAGE_REFUSE, STAGE_BEFORE)) {
        note_outcome(write, outcome);
        answer_outcome(write->sim, answer, outcome);
        return;
    }
    if (record != NULL && record->job != 0)
        replay(write, record, outcome, answer);
    else
        accept_and_answer(write, record, outcome, answer);
}

static struct key_record *key_of(struct write *write)
{
    struct slice key = write->request->key;
    struct key_record *record;

    if (key.length == 0 || write->operation->operation_class == CLASS_SYNC ||
        write->operation->method == METHOD_DELETE) {
        write->draw = hash_mix(write->sim->options.seed + 2,
                               (uint64_t)write->sim->ledger.last << 20 | write->sim->epoch);
        return NULL;
    }
    record = sim_key(write->sim, key);
    if (sim_key_is_forgotten(write->sim, record)) {
        record->job = 0;
        record->attempts = 0;
        record->times_forgotten++;
    }
    write->attempt = record->attempts++;
    write->draw = hash_bytes(write->sim->options.seed + 3, key);
    if (record->times_forgotten > 0) /* a second job of the key is another one */
        write->draw = hash_mix(write->draw, record->times_forgotten);
    return record;
}

void api_write(struct sim *sim, const struct request *request, const struct operation *operation,
               const struct script_entry *script, struct answer *answer)
{
    static struct scan scan; /* one thread; large */
    struct write write = {.sim = sim,
                          .request = request,
                          .operation = operation,
                          .entry = ledger_at(&sim->ledger, answer->entry),
                          .scan = &scan,
                          .scripted = script == NULL ? NULL : script->outcome};

    write.path = (struct slice){request->path.bytes + strlen("/versioned"),
                                request->path.length - strlen("/versioned")};
    if (!check_connection(&write, answer) || !check_body(&write, answer) ||
        !check_subject(&write, answer) || !check_mode(&write, answer))
        return;
    if (request->key.length > KEY_LENGTH_MAX) {
        answer_error(answer, 500, "API_REQUEST_ERROR", "INTERNAL_ERROR",
                     "The Idempotency-Key is longer than 100 characters");
        return;
    }
    magic_find(request->body, &write.magic);
    magic_find(request->path, &write.magic);
    perform(&write, key_of(&write), answer);
}
