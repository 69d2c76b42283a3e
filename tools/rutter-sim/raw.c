#include "raw.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TRICKLE_MS 200
#define FLOOD_HEADERS 100
#define STORM_HINTS 1000
#define CHUNK_BYTES 65536
#define RETRY_MS 2
#define BYTES_MAX ((uint64_t)1 << 30) /* of what has no end */
#define HINT "HTTP/1.1 103 Early Hints\r\nLink: </style>; rel=preload\r\n\r\n"

/* An answer on its way. Lives in its request's pool. */
struct raw {
    struct timer timer;
    struct sim *sim;
    h2o_req_t *request;
    struct text text;
    struct slice endless; /* comes behind the text, for ever; empty: the end */
    size_t at;
    uint64_t sent_bytes;
    bool is_slow;
};

bool raw_is_for(enum wire wire)
{
    return wire >= WIRE_RAW;
}

static void forget_raw(void *pointer)
{
    struct raw *raw = pointer;

    timers_remove(&raw->sim->timers, &raw->timer);
    text_free(&raw->text);
}

static void add_line(struct text *text, const char *name, const char *value, size_t length)
{
    text_addf(text, "%s: %.*s\r\n", name, (int)length, value);
}

static void add_head(struct raw *raw, const struct answer *answer, size_t body_bytes)
{
    struct text *text = &raw->text;
    h2o_timestamp_t now;

    text_addf(text, "HTTP/1.1 %d %s\r\n", answer->status, reply_reason(answer->status));
    if (answer->wire != WIRE_NO_DATE) {
        h2o_get_timestamp(raw->request->conn->ctx, &raw->request->pool, &now);
        text_addf(text, "Date: %s\r\n", now.str->rfc1123);
    }
    add_line(text, "Content-Type", answer->content_type, strlen(answer->content_type));
    /* Else a client would send its next request into a connection that is about to end, and could
     * not know what became of it. */
    text_add(text, SLICE("Connection: close\r\n"));
    if (answer->has_job_id)
        add_line(text, "X-Rutter-Job-ID", answer->job_id, UUID_LENGTH);
    if (answer->wire == WIRE_ENDLESS_BODY)
        text_add(text, SLICE("Transfer-Encoding: chunked\r\n"));
    else if (answer->wire != WIRE_ENDLESS_HEADERS)
        text_addf(text, "Content-Length: %zu\r\n", body_bytes);
}

static void add_flood(struct text *text)
{
    for (int i = 0; i < FLOOD_HEADERS; i++) {
        text_addf(text, "X-Flood-%d: ", i);
        memset(text_reserve(text, 1000), 'f', 1000);
        text->length += 1000;
        text_add(text, SLICE("\r\n"));
    }
}

static void compose(struct raw *raw, const struct answer *answer, struct slice body)
{
    struct text *text = &raw->text;

    if (answer->wire == WIRE_RAW) {
        text_add(text, answer->headers->raw);
        return;
    }
    if (answer->wire == WIRE_HINTS_STORM)
        for (int i = 0; i < STORM_HINTS; i++)
            text_add(text, SLICE(HINT));
    if (answer->wire == WIRE_ENDLESS_HINTS) {
        raw->endless = SLICE(HINT);
        return;
    }
    if (answer->wire == WIRE_BAD_STATUS_LINE)
        text_add(text, SLICE("HTTP/1.1 banana Split\r\n\r\n"));
    else if (answer->wire != WIRE_NO_HEAD)
        add_head(raw, answer, body.length);
    if (answer->wire == WIRE_ENDLESS_HEADERS) {
        raw->endless = SLICE("X-More: of the same\r\n");
        return;
    }
    if (answer->wire == WIRE_HEADER_FLOOD)
        add_flood(text);
    if (answer->wire == WIRE_ENDLESS_BODY) {
        text_addf(text, "\r\n%zx\r\n", body.length);
        text_add(text, body);
        text_add(text, SLICE("\r\n"));
        raw->endless = SLICE("10\r\n                \r\n");
        return;
    }
    if (answer->wire != WIRE_NO_HEAD && answer->wire != WIRE_BAD_STATUS_LINE)
        text_add(text, SLICE("\r\n"));
    text_add(text, body);
}

static void end(struct raw *raw)
{
    reply_cut(raw->request, false);
    h2o_send_inline(raw->request, "", 0);
}

static void refill(struct raw *raw)
{
    text_clear(&raw->text);
    raw->at = 0;
    while (raw->text.length < CHUNK_BYTES)
        text_add(&raw->text, raw->endless);
}

static void send_some(struct timer *timer)
{
    struct raw *raw = (struct raw *)(void *)((char *)timer - offsetof(struct raw, timer));
    size_t left;
    ssize_t sent;

    if (raw->at == raw->text.length && raw->endless.length > 0 && raw->sent_bytes < BYTES_MAX)
        refill(raw);
    left = raw->text.length - raw->at;
    sent = left == 0 ? 0
                     : send(reply_descriptor(raw->request), raw->text.bytes + raw->at,
                            raw->is_slow ? 1 : left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (left == 0 || (sent == -1 && errno != EAGAIN && errno != EINTR)) {
        end(raw);
        return;
    }
    if (sent > 0) {
        raw->at += (size_t)sent;
        raw->sent_bytes += (uint64_t)sent;
    }
    raw->timer.due_ms = raw->sim->now_ms + (raw->is_slow ? TRICKLE_MS : RETRY_MS);
    timers_add(&raw->sim->timers, &raw->timer);
}

void raw_send(struct sim *sim, h2o_req_t *request, const struct answer *answer, struct slice body)
{
    struct raw *raw = h2o_mem_alloc_shared(&request->pool, sizeof *raw, forget_raw);

    memset(raw, 0, sizeof *raw);
    raw->sim = sim;
    raw->request = request;
    raw->is_slow = answer->wire == WIRE_TRICKLE;
    raw->timer.fire = send_some;
    raw->timer.due_ms = sim->now_ms;
    compose(raw, answer, body);
    timers_add(&sim->timers, &raw->timer);
}
