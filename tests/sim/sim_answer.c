/* The server's answers as bytes, in the forms that the API's documents and clients show. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sim.h"

static uint64_t draw(struct sim *sim, uint64_t bound)
{
    return rng_below(&sim->rng, bound);
}

static void answer(struct sim_transfer *transfer, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void answer(struct sim_transfer *transfer, int status, const char *format, ...)
{
    va_list arguments;

    transfer->http_status = status;
    transfer->content_type = "application/json; charset=utf-8";
    va_start(arguments, format);
    (void)vsnprintf(transfer->body, sizeof transfer->body, format, arguments);
    va_end(arguments);
}

static void answer_error(struct sim_transfer *transfer, int status, const char *type,
                         const char *code)
{
    answer(transfer, status,
           "{\"error_type\":\"%s\",\"error_code\":\"%s\",\"error_message\":\"no\"}", type, code);
}

static void name_job(struct sim_transfer *transfer, uint32_t job)
{
    (void)snprintf(transfer->job_id, sizeof transfer->job_id, "job-%u", job);
}

void sim_answer_date(struct sim *sim, struct sim_transfer *transfer)
{
    time_t seconds = (time_t)(sim_server_ms(sim) / 1000);
    struct tm parts;

    if (sim->server.dates == DATES_NEVER ||
        (sim->server.dates == DATES_OFTEN && draw(sim, 20) == 0) ||
        gmtime_r(&seconds, &parts) == NULL)
        return;
    (void)strftime(transfer->date, sizeof transfer->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

static void unknown_to_client(struct sim *sim, const struct sim_transfer *transfer)
{
    sim->items[transfer->item].faults |= FAULT_UNKNOWN_SEND;
    sim->items[transfer->item].unknown_sends++;
}

static void retry_after(struct sim *sim, struct sim_transfer *transfer)
{
    if (draw(sim, 3) == 0)
        (void)snprintf(transfer->retry_after, sizeof transfer->retry_after, "%u",
                       (unsigned)draw(sim, 30));
}

void sim_hold(struct sim *sim, uint32_t connection)
{
    sim->server.held_kind[connection] = (uint32_t)draw(sim, 5);
    sim->server.held_until_ms[connection] = sim->now_ms + sim_draw_ms(sim, 0, 5 * 60 * 1000);
    if (sim->server.held_kind[connection] == 0 && draw(sim, 4) == 0)
        sim->server.client_refused_until_ms = sim->server.held_until_ms[connection];
}

bool sim_is_held(const struct sim *sim, uint32_t connection)
{
    return !sim->calm && sim->now_ms < sim->server.held_until_ms[connection];
}

static void answer_held(struct sim_transfer *transfer, uint64_t kind)
{
    transfer->held = true;
    switch (kind) {
    case 0:
        answer_error(transfer, 401, "UNAUTHORIZED", "INVALID_CREDENTIALS");
        break;
    case 1:
        answer_error(transfer, 403, "FORBIDDEN", "PRODUCT_NOT_ALLOWED");
        break;
    case 2:
        answer_error(transfer, 451, "CONNECTION_ERROR", "NEEDS_UPDATE");
        break;
    case 3:
        answer_error(transfer, 400, "CONNECTION_ERROR", "CONNECTION_DISABLED");
        break;
    default:
        answer_error(transfer, 400, "CONNECTION_ERROR", "PRODUCT_NOT_READY");
        break;
    }
}

static void answer_gateway(struct sim *sim, struct sim_transfer *transfer)
{
    static const int statuses[] = {500, 502, 503, 504, 520};

    answer(transfer, statuses[draw(sim, sizeof statuses / sizeof statuses[0])],
           "<html>bad gateway</html>");
    transfer->content_type = "text/html";
}

static void answer_status(struct sim *sim, struct sim_transfer *transfer, bool ready,
                          bool needs_update, bool disabled)
{
    static const char *const words[] = {"false", "true"};
    bool flat = draw(sim, 2) == 0;

    transfer->held = !ready || needs_update || disabled;
    transfer->usable = !transfer->held;
    answer(transfer, 200,
           "{%s\"is_ready\":%s,\"needs_update_status\":{\"needs_update\":%s},"
           "\"disabled_status\":{\"is_disabled\":%s,\"disabled_reason\":null},"
           "\"link_url\":\"https://link.invalid/1\"%s}",
           flat ? "" : "\"connection\":{\"id\":\"c\"},\"status\":{", words[ready],
           words[needs_update], words[disabled], flat ? "" : "}");
}

/* To the question for the status; now and then by a copy that lags behind. */
static void answer_connection(struct sim *sim, struct sim_transfer *transfer)
{
    uint32_t kind = sim->server.held_kind[transfer->connection];

    if (!sim_is_held(sim, transfer->connection) || sim_chance(sim, 300))
        answer_status(sim, transfer, true, false, false);
    else if (kind <= 1)
        answer_held(transfer, kind);
    else
        answer_status(sim, transfer, kind != 4, kind == 2, kind == 3);
}

void sim_answer_question(struct sim *sim, struct sim_transfer *transfer)
{
    if (sim_chance(sim, sim->limits.poll)) {
        if (draw(sim, 3) == 0)
            sim_answer_nothing(sim, transfer, ANSWER_429);
        else
            answer_gateway(sim, transfer);
    } else if (!sim->calm && sim->now_ms < sim->server.client_refused_until_ms) {
        answer_error(transfer, 401, "UNAUTHORIZED", "INVALID_CREDENTIALS");
        transfer->held = true;
    } else if (transfer->asks_status) {
        answer_connection(sim, transfer);
    } else {
        answer(transfer, 200, "{\"connections\":[]}");
    }
}

void sim_answer_nothing(struct sim *sim, struct sim_transfer *transfer, enum sim_answer kind)
{
    switch (kind) {
    case ANSWER_429:
        answer_error(transfer, 429, "RATE_LIMIT", "RATE_LIMIT_EXCEEDED");
        retry_after(sim, transfer);
        return;
    case ANSWER_452:
        answer_error(transfer, 452, "PLATFORM_ERROR", "PLATFORM_RATE_LIMIT");
        retry_after(sim, transfer);
        return;
    case ANSWER_HELD:
        answer_held(transfer, sim->server.held_kind[sim->items[transfer->item].connection]);
        return;
    case ANSWER_CONFLICT:
        answer_error(transfer, 409, "CONFLICT", "IDEMPOTENCY_CONFLICT");
        sim->items[transfer->item].faults |= FAULT_CONFLICT;
        if (!sim->items[transfer->item].keyed) /* then it says nothing of a key */
            break;
        return;
    case ANSWER_550_BEFORE:
        answer_error(transfer, 550, "PLATFORM_ERROR", "PLATFORM_UNAVAILABLE");
        sim->items[transfer->item].faults |= FAULT_PLATFORM;
        break;
    case ANSWER_PORTAL:
        answer(transfer, 200, "<html>please sign in</html>");
        transfer->content_type = "text/html";
        break;
    case ANSWER_ERRORS_ONLY:
        answer(transfer, 200, "{\"errors\":[{\"code\":1,\"slug\":\"odd\"}]}");
        sim->items[transfer->item].faults |= FAULT_NONSENSE;
        break;
    case ANSWER_PLAIN:
    case ANSWER_GATEWAY_BEFORE:
    case ANSWER_GATEWAY_AFTER:
    case ANSWER_GARBAGE:
    case ANSWER_REFUSED:
    case ANSWER_COUNT:
        answer_gateway(sim, transfer);
        break;
    }
    unknown_to_client(sim, transfer);
}

void sim_answer_refusal(struct sim *sim, struct sim_transfer *transfer)
{
    static const int statuses[] = {400, 404, 413, 415, 422, 450};

    answer_error(transfer, statuses[draw(sim, sizeof statuses / sizeof statuses[0])],
                 "INVALID_REQUEST", "INVALID_FIELD");
}

void sim_answer_garbage(struct sim *sim, struct sim_transfer *transfer, uint32_t job)
{
    static const char *const bodies[] = {"", "{\"async_response\":{\"id\":\"job", "null", "[]",
                                         "{\"async_response\":{\"status\":\"pending\"}}"};

    answer(transfer, draw(sim, 2) == 0 ? 200 : 202, "%s",
           bodies[draw(sim, sizeof bodies / sizeof bodies[0])]);
    if (draw(sim, 2) == 0)
        name_job(transfer, job);
    else
        unknown_to_client(sim, transfer);
}

static void answer_entity(struct sim_transfer *transfer, uint32_t job, int status)
{
    answer(transfer, status, "{\"product\":{\"id\":\"product-%u\"}}", job);
}

static void answer_async(struct sim *sim, struct sim_transfer *transfer, uint32_t job, bool done)
{
    static const char *const places[] = {SIM_ORIGIN "/v2/jobs/", SIM_ORIGIN "/versioned/jobs/",
                                         "https://elsewhere.invalid/v2/jobs/"};
    const char *place = places[draw(sim, sizeof places / sizeof places[0])];
    const char *status = draw(sim, 2) == 0 ? "prequeued" : "pending";
    bool wrapped = draw(sim, 3) != 0;

    if (done && draw(sim, 2) == 0)
        status = "success";
    answer(transfer, 200, "%s{\"id\":\"job-%u\",\"response_url\":\"%sjob-%u\",\"status\":\"%s\"}%s",
           wrapped ? "{\"async_response\":" : "", job, place, job, status, wrapped ? "}" : "");
}

void sim_answer_accepted(struct sim *sim, struct sim_transfer *transfer, uint32_t number,
                         bool replay)
{
    const struct sim_job *job = &sim->server.jobs[number];
    bool done = job->done_ms <= sim->now_ms;
    bool show_end = done && (job->synchronous || (replay && sim_chance(sim, 500)));

    if (draw(sim, 10) != 0)
        name_job(transfer, number);
    if (show_end && (job->result == RESULT_SUCCESS || job->result == RESULT_VANISHED)) {
        answer_entity(transfer, number, draw(sim, 2) == 0 ? 200 : 201);
    } else if (show_end && job->http_status >= 400) {
        answer_error(transfer, job->http_status, "PLATFORM_ERROR", "PLATFORM_SAID_NO");
        name_job(transfer, number); /* an answer that is no success always names the job */
    } else {
        answer_async(sim, transfer, number, done);
    }
}

/* --- polls --- */

static void answer_job(struct sim *sim, struct sim_transfer *transfer, uint32_t number,
                       const char *status, const char *response)
{
    const struct sim_job *job = &sim->server.jobs[number];
    bool wrapped = draw(sim, 5) == 0;

    sim->items[transfer->item].missing = 0;
    answer(transfer, 200,
           "%s{\"id\":\"job-%u\",\"status\":\"%s\",\"request\":{\"method\":\"%s\"%s%s%s}%s}%s",
           wrapped ? "{\"type\":\"JOB\",\"code\":\"JOB_COMPLETED\",\"job\":" : "", number, status,
           sim->items[transfer->item].keyed ? "POST" : "PATCH",
           job->key[0] == '\0' ? "" : ",\"idempotency_key\":\"", job->key,
           job->key[0] == '\0' ? "" : "\"", response, wrapped ? "}" : "");
}

static void answer_failure(struct sim *sim, struct sim_transfer *transfer, uint32_t number)
{
    char response[160];

    (void)snprintf(response, sizeof response,
                   ",\"response\":{\"http_status\":%d,\"body\":{\"error_type\":\"PLATFORM_ERROR\","
                   "\"error_code\":\"SAID_NO\",\"error_message\":\"no\"}}",
                   sim->server.jobs[number].http_status);
    answer_job(sim, transfer, number, "failure", response);
}

static void answer_nonsense(struct sim *sim, struct sim_transfer *transfer, uint32_t number)
{
    switch (number % 4) {
    case 0:
        answer_job(sim, transfer, number, "success",
                   ",\"response\":{\"http_status\":400,\"body\":{\"error_type\":\"X\"}}");
        break;
    case 1:
        answer_job(sim, transfer, number, "failure", ",\"response\":{\"http_status\":200}");
        break;
    case 2:
        answer_job(sim, transfer, number, "failure", ",\"response\":{\"http_status\":429}");
        break;
    default:
        answer_job(sim, transfer, number, "failure", "");
        break;
    }
}

static void answer_end(struct sim *sim, struct sim_transfer *transfer, uint32_t number)
{
    struct sim_item *item = &sim->items[transfer->item];

    switch (sim->server.jobs[number].result) {
    case RESULT_SUCCESS:
    case RESULT_VANISHED:
        answer_job(sim, transfer, number, "success",
                   draw(sim, 8) == 0 ? ""
                                     : ",\"response\":{\"http_status\":200,"
                                       "\"body\":{\"product\":{\"id\":\"product-1\"}}}");
        return;
    case RESULT_ERROR:
        item->faults |= FAULT_JOB_ERROR;
        break;
    case RESULT_PLATFORM:
        item->faults |= FAULT_PLATFORM;
        break;
    case RESULT_PARTIAL:
        item->faults |= FAULT_PARTIAL;
        answer_job(sim, transfer, number, "partial_success",
                   ",\"response\":{\"http_status\":200,\"body\":{}}");
        return;
    case RESULT_NONSENSE:
        item->faults |= FAULT_NONSENSE;
        answer_nonsense(sim, transfer, number);
        return;
    case RESULT_REFUSED:
    case RESULT_THROTTLED:
    case RESULT_COUNT:
        break;
    }
    answer_failure(sim, transfer, number);
}

static void answer_missing(struct sim *sim, struct sim_transfer *transfer)
{
    sim->items[transfer->item].missing++;
    answer_error(transfer, 404, "NOT_FOUND", "JOB_NOT_FOUND");
}

static void answer_wrong_echo(struct sim *sim, struct sim_transfer *transfer, uint32_t number)
{
    sim->items[transfer->item].faults |= FAULT_WRONG_ECHO;
    if (sim->server.jobs[number].key[0] == '\0' || draw(sim, 2) == 0)
        answer(transfer, 200, "{\"id\":\"job-other\",\"status\":\"success\",\"request\":{}}");
    else
        answer(transfer, 200,
               "{\"id\":\"job-%u\",\"status\":\"success\",\"request\":"
               "{\"idempotency_key\":\"another\"}}",
               number);
}

static void answer_garbled_poll(struct sim *sim, struct sim_transfer *transfer)
{
    static const char *const bodies[] = {"", "{\"id\":", "{}", "nonsense",
                                         "{\"status\":\"success\"}"};

    answer(transfer, 200, "%s", bodies[draw(sim, sizeof bodies / sizeof bodies[0])]);
}

void sim_answer_poll(struct sim *sim, struct sim_transfer *transfer, uint32_t number,
                     enum sim_poll poll)
{
    const struct sim_job *job = &sim->server.jobs[number];

    switch (poll) {
    case POLL_429:
    case POLL_452:
        answer_error(transfer, poll == POLL_429 ? 429 : 452, "RATE_LIMIT", "RATE_LIMIT_EXCEEDED");
        retry_after(sim, transfer);
        return;
    case POLL_UNAUTHORIZED:
        answer_held(transfer, draw(sim, 5));
        return;
    case POLL_GATEWAY:
        answer_gateway(sim, transfer);
        return;
    case POLL_GARBAGE:
        answer_garbled_poll(sim, transfer);
        return;
    case POLL_UNKNOWN_STATUS:
        answer_job(sim, transfer, number, "archiving", "");
        return;
    case POLL_MISSING:
        answer_missing(sim, transfer);
        return;
    case POLL_WRONG_ECHO:
        answer_wrong_echo(sim, transfer, number);
        return;
    case POLL_PLAIN:
    case POLL_COUNT:
        break;
    }
    if (sim->now_ms < job->visible_ms || sim->now_ms >= job->vanish_ms)
        answer_missing(sim, transfer);
    else if (sim->now_ms < job->done_ms)
        answer_job(sim, transfer, number, draw(sim, 3) == 0 ? "prequeued" : "pending", "");
    else
        answer_end(sim, transfer, number);
}
