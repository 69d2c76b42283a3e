#include "jobs.h"

#include "sim.h"

#include <string.h>

#define JOBS_A_BLOCK 1024

/* Only the last of the new blocks is ever used: what is before it was forgotten. */
static struct job **add_blocks(struct jobs *jobs, size_t count)
{
    struct job **blocks = memory_grow(jobs->blocks, count * sizeof(struct job *));

    while (jobs->block_count < count)
        blocks[jobs->block_count++] = NULL;
    blocks[count - 1] = memory_new(JOBS_A_BLOCK * sizeof(struct job));
    return blocks;
}

void jobs_continue(struct jobs *jobs, uint32_t number)
{
    jobs->last = number;
    jobs->forgotten = number;
}

struct job *jobs_new(struct jobs *jobs)
{
    uint32_t place = jobs->last;
    struct job *job;

    if (place / JOBS_A_BLOCK >= jobs->block_count)
        jobs->blocks = add_blocks(jobs, place / JOBS_A_BLOCK + 1);
    job = &jobs->blocks[place / JOBS_A_BLOCK][place % JOBS_A_BLOCK];
    memset(job, 0, sizeof *job);
    job->number = ++jobs->last;
    return job;
}

struct job *jobs_at(const struct jobs *jobs, uint32_t number)
{
    if (number <= jobs->forgotten || number > jobs->last)
        return NULL;
    return &jobs->blocks[(number - 1) / JOBS_A_BLOCK][(number - 1) % JOBS_A_BLOCK];
}

/* The id's last eight digits are the job's number, scrambled: finding a job needs no table. */
#define NUMBER_SCRAMBLE 0x5bd1e995u

void job_set_id(struct job *job)
{
    job->id[0] = hash_mix(job->draw, 11);
    job->id[1] = (hash_mix(job->draw, 12) << 32) | (job->number ^ NUMBER_SCRAMBLE);
}

static bool read_hex(struct slice text, uint32_t *value_out)
{
    uint32_t value = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    *value_out = value;
    return true;
}

struct job *jobs_find(const struct jobs *jobs, struct slice id)
{
    char expected[UUID_LENGTH];
    uint32_t number;
    struct job *job;

    if (id.length != UUID_LENGTH || !read_hex((struct slice){id.bytes + 28, 8}, &number))
        return NULL;
    job = jobs_at(jobs, number ^ NUMBER_SCRAMBLE);
    if (job == NULL || job->is_hidden)
        return NULL;
    uuid_format(expected, job->id[0], job->id[1]);
    return memcmp(expected, id.bytes, UUID_LENGTH) == 0 ? job : NULL;
}

static void add_uuid(struct text *text, uint64_t high, uint64_t low)
{
    uuid_format(text_reserve(text, UUID_LENGTH), high, low);
    text->length += UUID_LENGTH;
}

void job_add_id(struct text *text, const struct job *job)
{
    add_uuid(text, job->id[0], job->id[1]);
}

void job_add_url(struct text *text, const struct job *job, struct slice authority)
{
    text_add_string(text, job->sim->scheme);
    text_add(text, authority.length > 0 ? authority : text_slice(&job->sim->authority));
    text_add(text, job->old_url ? SLICE("/v2/jobs/") : SLICE("/versioned/jobs/"));
    job_add_id(text, job);
}

void add_error(struct text *text, const char *type, const char *code, const char *message)
{
    text_add(text, SLICE("{\"error_type\":\""));
    text_add_string(text, type);
    text_add(text, SLICE("\",\"error_code\":\""));
    text_add_string(text, code);
    text_add(text, SLICE("\",\"error_message\":\""));
    text_add_string(text, message);
    text_add(text, SLICE("\"}"));
}

/* The object sent, with an id in front unless it brings its own. */
static void add_entity(struct text *text, const struct job *job, struct slice sent)
{
    struct slice id = path_segment_from_end(job->path, 0);
    struct slice rest = {NULL, 0};

    text_add(text, SLICE("{"));
    if (job->own_id.length == 0) {
        text_add(text, SLICE("\"id\":\""));
        if (job->operation->method == METHOD_PATCH)
            text_add(text, id);
        else
            add_uuid(text, job->entity[0], job->entity[1]);
        text_add(text, SLICE("\""));
    }
    if (sent.length > 2 && sent.bytes[0] == '{')
        rest = (struct slice){sent.bytes + 1, sent.length - 2};
    while (rest.length > 0 && strchr(" \n\r\t", rest.bytes[0]) != NULL)
        rest = (struct slice){rest.bytes + 1, rest.length - 1};
    if (rest.length > 0 && job->own_id.length == 0)
        text_add(text, SLICE(","));
    text_add(text, rest);
    text_add(text, SLICE("}"));
}

/* The length of the JSON value that `text` begins with, in an array that was found to be right. */
static size_t value_length(struct slice text)
{
    size_t depth = 0;
    bool is_in_string = false;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.bytes[i];

        if (is_in_string && c == '\\')
            i++;
        else if (c == '"')
            is_in_string = !is_in_string;
        else if (!is_in_string && (c == '{' || c == '['))
            depth++;
        else if (!is_in_string && depth == 0 && (c == ',' || c == ']'))
            return i;
        else if (!is_in_string && (c == '}' || c == ']'))
            depth--;
    }
    return text.length;
}

/* One of the transactions sent, with what the API adds. */
static void add_feed_transaction(struct text *text, const struct job *job, uint32_t number,
                                 struct slice account, struct slice sent)
{
    text_add(text, number == 0 ? SLICE("{\"id\":\"") : SLICE(",{\"id\":\""));
    add_uuid(text, job->entity[0], job->entity[1] + number);
    text_add(text, SLICE("\""));
    if (account.length > 0) {
        text_add(text, SLICE(",\"bank_feed_account_id\":"));
        text_add(text, account);
    }
    text_add(text, SLICE(",\"platform_ingested\":true"));
    if (sent.length > 2 && sent.bytes[0] == '{') {
        text_add(text, SLICE(","));
        text_add(text, (struct slice){sent.bytes + 1, sent.length - 2});
    }
    text_add(text, SLICE("}"));
}

static void add_feed_transactions(struct text *text, const struct job *job)
{
    struct scan scan;
    struct slice account = {NULL, 0};
    struct slice rest = {NULL, 0};
    uint32_t number = 0;

    if (job->wrapper.length > 0) {
        scan_body(job->wrapper, SLICE(""), &scan);
        account = scan_member_value(&scan, SLICE("bank_feed_account_id"));
        rest = scan_member_value(&scan, SLICE("transactions"));
    }
    text_add(text, SLICE("["));
    do {
        struct slice sent = {NULL, 0};

        while (rest.length > 0 && strchr("[, \n\r\t", rest.bytes[0]) != NULL)
            rest = (struct slice){rest.bytes + 1, rest.length - 1};
        if (rest.length > 0) {
            sent = (struct slice){rest.bytes, value_length(rest)};
            rest = (struct slice){rest.bytes + sent.length, rest.length - sent.length};
        }
        while (sent.length > 0 && strchr(" \n\r\t", sent.bytes[sent.length - 1]) != NULL)
            sent.length--;
        add_feed_transaction(text, job, number++, account, sent);
    } while (rest.length > 0 && rest.bytes[0] == ',');
    text_add(text, SLICE("]"));
}

static void add_deleted(struct text *text, const struct job *job)
{
    text_add_string(text, job->found_deleted ? "{\"code\":\"not_found\",\"success\":false}"
                                             : "{\"code\":\"deleted\",\"success\":true}");
}

static void add_new_connection(struct text *text, const struct job *job)
{
    char id[UUID_LENGTH];

    uuid_format(id, job->entity[0], job->entity[1]);
    text_add(text, SLICE("{\"connection\":{\"id\":\""));
    text_add(text, (struct slice){id, UUID_LENGTH});
    text_add(text, SLICE("\",\"access_token\":\""));
    add_uuid(text, job->entity[1] | 1, job->entity[0]);
    text_add(text, SLICE("\",\"link_url\":\""));
    add_link_url(text, connection_by_id(job->sim, (struct slice){id, UUID_LENGTH}));
    text_add(text, SLICE("\"}}"));
}

static void add_answered_entity(struct text *text, const struct job *job)
{
    const struct operation *operation = job->operation;

    text_add(text, SLICE("{"));
    if (operation->answer == ANSWER_ENTITY_WITH_CONNECTION) {
        text_add(text, SLICE("\"connection\":"));
        add_connection(text, job->sim, job->connection);
        text_add(text, SLICE(","));
    }
    text_add(text, SLICE("\""));
    text_add_string(text, operation->answered);
    text_add(text, SLICE("\":"));
    add_entity(text, job, operation->wrapper[0] == '\0' ? job->body : job->wrapper);
    text_add(text, SLICE("}"));
}

static void add_success_body(struct text *text, const struct job *job)
{
    const struct operation *operation = job->operation;

    switch (operation->answer) {
    case ANSWER_ENTITY:
    case ANSWER_ENTITY_WITH_CONNECTION:
        add_answered_entity(text, job);
        break;
    case ANSWER_FEED_TRANSACTIONS:
        text_add(text, SLICE("{\"bank_feed_transactions\":"));
        add_feed_transactions(text, job);
        text_add(text, SLICE("}"));
        break;
    case ANSWER_ATTACHMENT:
        text_add(text, SLICE("{\"attachment\":{\"id\":\""));
        add_uuid(text, job->entity[0], job->entity[1]);
        text_add(text, SLICE("\",\"file_name\":\""));
        text_add(text, job->name);
        text_add(text, SLICE("\"}}"));
        break;
    case ANSWER_DELETED_WRAPPED:
        text_addf(text, "{\"%s\":", operation->answered);
        add_deleted(text, job);
        text_add(text, SLICE("}"));
        break;
    case ANSWER_DELETED_BARE:
        add_deleted(text, job);
        break;
    case ANSWER_DELETED_PRODUCT:
        text_add(text, SLICE("{\"product\":\""));
        text_add(text, path_segment_from_end(job->path, 0));
        text_addf(text, "\",\"success\":%s}", job->found_deleted ? "false" : "true");
        break;
    case ANSWER_DELETED_VARIANT:
        text_add(text, SLICE("{\"productId\":\""));
        text_add(text, path_segment_from_end(job->path, 2));
        text_add(text, SLICE("\",\"variantId\":\""));
        text_add(text, path_segment_from_end(job->path, 0));
        text_add(text, SLICE("\"}"));
        break;
    case ANSWER_SUCCESS:
        text_add(text, SLICE("{\"success\":true}"));
        break;
    case ANSWER_CONNECTION:
        add_new_connection(text, job);
        break;
    case ANSWER_TOKEN_EXCHANGE:
        text_add(text, SLICE("{\"connection_id\":\""));
        add_uuid(text, job->entity[0], job->entity[1]);
        text_add(text, SLICE("\",\"access_token\":\""));
        add_uuid(text, job->entity[1] | 1, job->entity[0]);
        text_add(text, SLICE("\",\"is_ready\":true,\"platform\":\"QUICKBOOKS\","
                             "\"store_unique_name\":\"simulated\"}"));
        break;
    case ANSWER_NEW_TOKEN:
        text_add(text, SLICE("{\"new_access_token\":\""));
        add_uuid(text, job->entity[1] | 1, job->entity[0]);
        text_add(text, SLICE("\"}"));
        break;
    case ANSWER_ECHO:
        add_entity(text, job, job->body);
        break;
    }
}

static bool turn_is_failure(enum job_turn turn)
{
    return turn == JOB_FAILS || turn == JOB_FAILS_ACTED || turn == JOB_NO_HTTP_STATUS ||
           turn == JOB_INCONSISTENT;
}

int job_add_result(struct text *text, const struct job *job)
{
    const struct outcome *outcome = job->outcome;

    if (outcome != NULL && turn_is_failure(outcome->job)) {
        add_error(text, outcome->error_type, outcome->error_code, outcome->message);
        return outcome->status;
    }
    add_success_body(text, job);
    return 200;
}

static const char *final_status(const struct job *job, enum job_turn turn)
{
    switch (turn) {
    case JOB_FAILS:
    case JOB_FAILS_ACTED:
    case JOB_NO_HTTP_STATUS:
        return "failure";
    case JOB_PARTIAL:
        return "partial_success";
    case JOB_FLIPS:
        return job->polls > 1 ? "failure" : "success";
    case JOB_SUCCEEDS:
    case JOB_NEVER_ENDS:
    case JOB_LOST:
    case JOB_VANISHES:
    case JOB_LATE_TO_SEE:
    case JOB_NO_BODY:
    case JOB_NO_RESPONSE:
    case JOB_INCONSISTENT:
    case JOB_WRONG_KEY:
    case JOB_WRONG_ID:
    case JOB_ODD_STATUS:
    case JOB_REGRESSES:
    case JOB_ACTS_TWICE:
    case JOB_SLOW:
        break;
    }
    return "success";
}

static const char *running_status(const struct job *job, enum job_turn turn)
{
    int64_t elapsed = job->sim->now_ms - job->accepted_ms;
    int64_t whole = job->timer.due_ms - job->accepted_ms;

    if (turn == JOB_ODD_STATUS)
        return "processing";
    if (turn == JOB_REGRESSES)
        return job->polls % 2 == 1 ? "pending" : "prequeued";
    if (turn == JOB_NEVER_ENDS)
        return elapsed < 50 ? "prequeued" : "pending";
    return elapsed * 4 < whole ? "prequeued" : "pending";
}

static void add_request_echo(struct text *text, const struct job *job, enum job_turn turn)
{
    text_add(text, SLICE("\"request\":{\"url\":\""));
    text_add_string(text, job->sim->scheme);
    text_add(text, text_slice(&job->sim->authority));
    text_add(text, SLICE("/versioned"));
    text_add(text, job->path);
    if (job->connection != NULL) {
        text_add(text, SLICE("?access_token="));
        text_add(text, connection_token(job->sim, job->connection));
    }
    text_add(text, SLICE("\",\"method\":\""));
    text_add_string(text, method_name(job->operation->method));
    text_add(text, SLICE("\",\"body\":"));
    text_add(text, job->body.length > 0 ? job->body : SLICE("{}"));
    if (job->key.length > 0) {
        text_add(text, SLICE(",\"idempotency_key\":\""));
        if (turn == JOB_WRONG_KEY)
            text_add(text, SLICE("another-"));
        text_add_escaped(text, job->key);
        text_add(text, SLICE("\""));
    }
    text_add(text, SLICE("}"));
}

static void add_response(struct text *text, const struct job *job, enum job_turn turn)
{
    const struct outcome *outcome = job->outcome;
    bool is_flipped = turn == JOB_FLIPS && job->polls > 1;

    if (turn == JOB_NO_RESPONSE)
        return;
    text_add(text, SLICE(",\"response\":{"));
    if (turn_is_failure(turn) || is_flipped) {
        if (turn != JOB_NO_HTTP_STATUS)
            text_addf(text, "\"http_status\":%u,", outcome->status);
        text_add(text, SLICE("\"body\":"));
        add_error(text, outcome->error_type, outcome->error_code, outcome->message);
    } else {
        text_add(text, SLICE("\"http_status\":200"));
        if (turn != JOB_NO_BODY) {
            text_add(text, SLICE(",\"body\":"));
            add_success_body(text, job);
        }
    }
    text_add(text, SLICE("}"));
}

void job_add_object(struct text *text, const struct job *job)
{
    enum job_turn turn = job->outcome == NULL ? JOB_SUCCEEDS : job->outcome->job;
    bool is_final = job->is_finished && turn != JOB_NEVER_ENDS;

    text_add(text, SLICE("{\"id\":\""));
    if (turn == JOB_WRONG_ID)
        add_uuid(text, job->id[1], job->id[0]);
    else
        job_add_id(text, job);
    text_add(text, SLICE("\",\"status\":\""));
    text_add_string(text, is_final ? final_status(job, turn) : running_status(job, turn));
    text_add(text, SLICE("\","));
    add_request_echo(text, job, turn);
    if (is_final)
        add_response(text, job, turn);
    text_add(text, SLICE("}"));
}
