#include "reply.h"

#include "raw.h"

#include <string.h>
#include <sys/socket.h>

#define LEDGER_CHUNK_BYTES (256 * 1024)
#define HANG_MS (10 * 60 * 1000)
#define DRIP_MS 300

static h2o_iovec_t to_iovec(struct slice part)
{
    return h2o_iovec_init(part.bytes, part.length);
}

/* An answer that is not sent at once, or not in one piece. Lives in its request's pool. */
struct exchange {
    h2o_generator_t generator; /* first: libh2o hands it back */
    struct sim *sim;
    struct timer timer;
    h2o_req_t *request;
    struct answer answer;
    struct slice body;
    bool is_started; /* the first part of the body is out */
    uint32_t ledger_next;
    uint32_t ledger_last;
    struct text chunk;
};

static void forget_exchange(void *pointer)
{
    struct exchange *exchange = pointer;

    timers_remove(&exchange->sim->timers, &exchange->timer);
    text_free(&exchange->chunk);
}

static struct exchange *new_exchange(struct sim *sim, h2o_req_t *request,
                                     const struct answer *answer)
{
    struct exchange *exchange =
        h2o_mem_alloc_shared(&request->pool, sizeof *exchange, forget_exchange);

    memset(exchange, 0, sizeof *exchange);
    exchange->sim = sim;
    exchange->request = request;
    exchange->answer = *answer;
    return exchange;
}

static void wait_with(struct exchange *exchange, int64_t delay_ms, void (*fire)(struct timer *))
{
    exchange->timer.due_ms = exchange->sim->now_ms + delay_ms;
    exchange->timer.fire = fire;
    timers_add(&exchange->sim->timers, &exchange->timer);
}

static struct exchange *exchange_of(struct timer *timer)
{
    return (struct exchange *)(void *)((char *)timer - offsetof(struct exchange, timer));
}

int reply_descriptor(h2o_req_t *request)
{
    h2o_socket_t *socket = request->conn->callbacks->get_socket(request->conn);

    return h2o_socket_get_fd(socket);
}

void reply_cut(h2o_req_t *request, bool with_reset)
{
    int descriptor = reply_descriptor(request);
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    if (with_reset) /* Linux: disconnecting a TCP socket sends a reset */
        connect(descriptor, &nowhere, sizeof nowhere);
    else
        shutdown(descriptor, SHUT_RDWR);
}

const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {204, "No Content"},
                   {301, "Moved Permanently"},
                   {302, "Found"},
                   {303, "See Other"},
                   {307, "Temporary Redirect"},
                   {308, "Permanent Redirect"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {415, "Unsupported Media Type"},
                   {429, "Too Many Requests"},
                   {450, "Platform Bad Request"},
                   {451, "Platform Unauthorized"},
                   {452, "Platform Rate Limit"},
                   {500, "Internal Server Error"},
                   {502, "Bad Gateway"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {550, "Platform Error"}};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

/* `shown` is the name as HTTP/1.1 writes it; HTTP/2 has lower case only. */
static void add_header(h2o_req_t *request, const char *name, const char *shown, struct slice value)
{
    h2o_add_header_by_str(&request->pool, &request->res.headers, name, strlen(name), 0, shown,
                          value.bytes, value.length);
}

static struct slice in_pool(h2o_req_t *request, struct slice text)
{
    char *copy = h2o_mem_alloc_pool(&request->pool, text.length + 1);

    if (text.length > 0)
        memcpy(copy, text.bytes, text.length);
    return (struct slice){copy, text.length};
}

static void add_script_headers(h2o_req_t *request, const struct script_entry *script)
{
    for (size_t i = 0; i < script->header_count; i++) {
        struct slice name = script->headers[i].name;
        char *lower = h2o_mem_alloc_pool(&request->pool, name.length + 1);

        for (size_t j = 0; j < name.length; j++) {
            char c = name.bytes[j];

            lower[j] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        h2o_set_header_by_str(&request->pool, &request->res.headers, lower, name.length, 1,
                              script->headers[i].value.bytes, script->headers[i].value.length, 1);
    }
}

/* The text that libh2o will write as Date in this turn of its loop. */
static void set_date(const struct sim *sim, h2o_req_t *request, const struct answer *answer)
{
    static bool is_changed;
    h2o_timestamp_t now;
    time_t then;
    struct tm parts;

    if (sim->options.clock_skew_ms == 0 && answer->wire != WIRE_BAD_DATE && !is_changed)
        return;
    is_changed = answer->wire == WIRE_BAD_DATE; /* other answers of this turn must be put right */
    h2o_get_timestamp(request->conn->ctx, &request->pool, &now);
    then = now.at.tv_sec + (time_t)(sim->options.clock_skew_ms / 1000);
    gmtime_r(&then, &parts);
    if (is_changed)
        memcpy(now.str->rfc1123, "yesterday, some time after tea", H2O_TIMESTR_RFC1123_LEN);
    else
        h2o_time2str_rfc1123(now.str->rfc1123, &parts);
}

static void set_head(const struct sim *sim, h2o_req_t *request, const struct answer *answer)
{
    char *ids = h2o_mem_alloc_pool(&request->pool, 2 * UUID_LENGTH);

    set_date(sim, request, answer);

    request->res.status = answer->status;
    request->res.reason = reply_reason(answer->status);
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   answer->content_type, strlen(answer->content_type));
    if (answer->entry != 0) {
        uuid_format(ids, hash_mix(answer->draw, 31), hash_mix(answer->draw, 32));
        add_header(request, "x-rutter-request-id", "X-Rutter-Request-ID",
                   (struct slice){ids, UUID_LENGTH});
    }
    if (answer->has_job_id) {
        memcpy(ids + UUID_LENGTH, answer->job_id, UUID_LENGTH);
        add_header(request, "x-rutter-job-id", "X-Rutter-Job-ID",
                   (struct slice){ids + UUID_LENGTH, UUID_LENGTH});
    }
    if (answer->retry_after[0] != '\0')
        add_header(request, "retry-after", "Retry-After",
                   in_pool(request, slice_of(answer->retry_after)));
    if (answer->content_encoding != NULL)
        add_header(request, "content-encoding", "Content-Encoding",
                   slice_of(answer->content_encoding));
    if (answer->location != NULL)
        add_header(request, "location", "Location", slice_of(answer->location));
    if (answer->headers != NULL)
        add_script_headers(request, answer->headers);
}

static void stop_nothing(h2o_generator_t *generator, h2o_req_t *request)
{
    (void)generator;
    (void)request;
}

static void send_rest(struct timer *timer)
{
    struct exchange *exchange = exchange_of(timer);
    size_t half = exchange->body.length / 2;
    h2o_iovec_t rest = h2o_iovec_init(exchange->body.bytes + half, exchange->body.length - half);

    h2o_send(exchange->request, &rest, 1, H2O_SEND_STATE_FINAL);
}

/* Called when the first half has left: what follows is the fault. */
static void after_first_half(h2o_generator_t *generator, h2o_req_t *request)
{
    struct exchange *exchange = (struct exchange *)generator;
    bool is_http2 = request->version >= 0x200;

    if (exchange->answer.wire == WIRE_DRIP) {
        wait_with(exchange, DRIP_MS, send_rest);
        return;
    }
    if (!is_http2)
        reply_cut(request, exchange->answer.wire == WIRE_RESET_BODY);
    h2o_send(request, NULL, 0, H2O_SEND_STATE_ERROR);
}

static void send_in_halves(struct exchange *exchange)
{
    h2o_req_t *request = exchange->request;
    h2o_iovec_t half = h2o_iovec_init(exchange->body.bytes, exchange->body.length / 2);

    exchange->generator.proceed = after_first_half;
    exchange->generator.stop = stop_nothing;
    request->http1_is_persistent = exchange->answer.wire == WIRE_DRIP;
    if (exchange->answer.wire == WIRE_NO_LENGTH && request->version == 0x101)
        request->version = 0x100; /* else libh2o would choose chunks */
    else if (exchange->answer.wire != WIRE_CHUNKS_CUT)
        request->res.content_length = exchange->body.length;
    h2o_start_response(request, &exchange->generator);
    h2o_send(request, &half, 1, H2O_SEND_STATE_IN_PROGRESS);
}

/* The head promises one body; behind it comes the whole answer once more. HTTP/1.1 only. */
static void send_twice(h2o_req_t *request, const struct answer *answer, struct slice body)
{
    static h2o_generator_t generator = {NULL, NULL};
    struct text all = {0};
    struct slice kept;
    h2o_iovec_t part;

    text_add(&all, body);
    text_addf(&all, "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n",
              answer->status, reply_reason(answer->status), answer->content_type, body.length);
    text_add(&all, body);
    kept = in_pool(request, text_slice(&all));
    text_free(&all);
    part = to_iovec(kept);
    request->res.content_length = body.length;
    request->http1_is_persistent = 0;
    h2o_start_response(request, &generator);
    h2o_send(request, &part, 1, H2O_SEND_STATE_FINAL);
}

static void send_early_hints(const struct sim *sim, h2o_req_t *request)
{
    static const char hints[] = "HTTP/1.1 103 Early Hints\r\n\r\n"
                                "HTTP/1.1 103 Early Hints\r\n\r\n"
                                "HTTP/1.1 103 Early Hints\r\n\r\n";

    if (request->version < 0x200 && sim->options.tls_cert == NULL)
        (void)!send(reply_descriptor(request), hints, sizeof hints - 1, MSG_NOSIGNAL);
}

static void end_hang(struct timer *timer)
{
    struct exchange *exchange = exchange_of(timer);

    reply_cut(exchange->request, false);
    h2o_send_inline(exchange->request, "", 0);
}

static void send_answer(struct sim *sim, h2o_req_t *request, const struct answer *answer,
                        struct slice body)
{
    enum wire wire = answer->wire;
    struct exchange *exchange;

    api_answered(sim, answer);
    set_head(sim, request, answer);
    if (raw_is_for(wire)) {
        if (request->version < 0x200 && sim->options.tls_cert == NULL) {
            raw_send(sim, request, answer, body);
            return;
        }
        wire = WIRE_RESET;
    }
    if (wire == WIRE_TWICE && request->version >= 0x200)
        wire = WIRE_NORMAL;
    switch (wire) {
    case WIRE_EARLY_HINTS:
        send_early_hints(sim, request);
        break;
    case WIRE_CLOSE:
    case WIRE_RESET:
        reply_cut(request, wire == WIRE_RESET);
        break;
    case WIRE_HANG:
        wait_with(new_exchange(sim, request, answer), HANG_MS, end_hang);
        return;
    case WIRE_TRUNCATED:
    case WIRE_RESET_BODY:
    case WIRE_DRIP:
    case WIRE_NO_LENGTH:
    case WIRE_CHUNKS_CUT:
        exchange = new_exchange(sim, request, answer);
        exchange->body = in_pool(request, body);
        send_in_halves(exchange);
        return;
    case WIRE_TWICE:
        send_twice(request, answer, body);
        return;
    case WIRE_NORMAL:
    case WIRE_BAD_DATE:
    case WIRE_RAW:
    case WIRE_NO_DATE:
    case WIRE_TRICKLE:
    case WIRE_HEADER_FLOOD:
    case WIRE_ENDLESS_HEADERS:
    case WIRE_HINTS_STORM:
    case WIRE_ENDLESS_HINTS:
    case WIRE_ENDLESS_BODY:
    case WIRE_NO_HEAD:
    case WIRE_BAD_STATUS_LINE:
        break;
    }
    if (answer->status == 204) {
        request->res.content_length = SIZE_MAX;
        h2o_send_inline(request, "", 0);
        return;
    }
    request->res.content_length = body.length;
    h2o_send_inline(request, body.bytes == NULL ? "" : body.bytes, body.length);
}

static void send_later(struct timer *timer)
{
    struct exchange *exchange = exchange_of(timer);
    struct text composed = {0};

    if (exchange->answer.waits_for != NULL) {
        exchange->answer.body = &composed;
        api_finish(exchange->sim, &exchange->answer);
        exchange->body = in_pool(exchange->request, text_slice(&composed));
        text_free(&composed);
    }
    send_answer(exchange->sim, exchange->request, &exchange->answer, exchange->body);
}

void reply(struct sim *sim, h2o_req_t *request, const struct answer *answer)
{
    struct exchange *exchange;

    if (answer->waits_for == NULL && answer->delay_ms <= 0) {
        send_answer(sim, request, answer, text_slice(answer->body));
        return;
    }
    exchange = new_exchange(sim, request, answer);
    exchange->body = in_pool(request, text_slice(answer->body));
    wait_with(exchange, answer->delay_ms, send_later);
}

static void ledger_proceed(h2o_generator_t *generator, h2o_req_t *request)
{
    struct exchange *exchange = (struct exchange *)generator;
    bool is_same = exchange->answer.epoch == exchange->sim->epoch;
    h2o_iovec_t part;
    bool is_last;

    text_clear(&exchange->chunk);
    while (is_same && exchange->ledger_next <= exchange->ledger_last &&
           exchange->chunk.length < LEDGER_CHUNK_BYTES)
        ledger_add_line(&exchange->chunk, exchange->sim, exchange->ledger_next++);
    is_last = !is_same || exchange->ledger_next > exchange->ledger_last;
    part = h2o_iovec_init(exchange->chunk.bytes, exchange->chunk.length);
    h2o_send(request, &part, part.len > 0 ? 1 : 0,
             is_last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

void reply_with_ledger(struct sim *sim, h2o_req_t *request, const struct answer *answer,
                       uint32_t from, uint32_t to)
{
    struct exchange *exchange = new_exchange(sim, request, answer);

    set_head(sim, request, answer);
    exchange->answer.epoch = sim->epoch;
    exchange->ledger_next = from;
    exchange->ledger_last = to;
    exchange->generator.proceed = ledger_proceed;
    exchange->generator.stop = stop_nothing;
    h2o_start_response(request, &exchange->generator);
    ledger_proceed(&exchange->generator, request);
}
