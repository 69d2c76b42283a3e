#include "curl_exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A transfer that needs more turns than this makes no progress. */
enum { TURNS_MAX = 20000, SLACK_MS = 2, OPEN_PEERS_MAX = 4 };

#define BODY "{\"product\":{\"name\":\"Tea\"}}"
#define COMMON                                                                      \
    "Host: 127.0.0.1:8080\r\nAuthorization: Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0\r\n" \
    "User-Agent: purser/" PURSER_VERSION "\r\n"
#define VERSION "X-Rutter-Version: 2024-08-31\r\n"

/* Byte for byte, from outside. */
static const char expected_send[] =
    "POST /versioned/products?access_token=the-token HTTP/1.1\r\n" COMMON
    "Idempotency-Key: " ANSWER_KEY "\r\nContent-Type: application/json\r\n" VERSION
    "Content-Length: 26\r\n\r\n" BODY;
static const char expected_poll[] =
    "GET /versioned/jobs/" ANSWER_JOB " HTTP/1.1\r\n" COMMON VERSION "\r\n";

struct ended {
    struct reply reply;
    struct reply_reading reading; /* of an answer */
};

static void print_sent(const struct trial *trial)
{
    for (size_t i = 0; i < world_seen.sent_bytes; i++) {
        unsigned char byte = (unsigned char)trial->plan.text[i];

        if (byte == '\n' || (byte >= ' ' && byte <= '~'))
            putchar(byte);
        else if (byte != '\r')
            printf("\\x%02x", byte);
    }
    putchar('\n');
}

void prover_broken(struct prover *prover, const struct trial *trial, const char *law)
{
    prover->broken++;
    if (prover->planted) {
        printf("prove-curl: caught: %s\n", law);
        exit(0);
    }
    if (prover->broken > 20)
        return;
    printf("broken: %s: phase %d status %d framing %d, sent %zu of %zu (head %zu), ending %d, "
           "pieces %zu, flips %zu, read %zu, reused %d, once %d\n",
           law, trial->form->phase, trial->form->status, trial->framing, world_seen.sent_bytes,
           trial->text.length, trial->text.head_end, trial->plan.ending, trial->plan.piece_count,
           trial->flips, world_seen.request_bytes, trial->reused, trial->at_most_once);
    print_sent(trial);
}

static void mix(struct prover *prover, uint64_t value)
{
    prover->hash = (prover->hash ^ value) * UINT64_C(0x100000001b3);
}

static void mix_bytes(struct prover *prover, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        mix(prover, (unsigned char)bytes[i]);
}

/* --- one exchange --- */

static struct transfer_request request_of(const struct trial *trial)
{
    if (trial->form->phase == PHASE_POLL)
        return (struct transfer_request){
            .tag = 7, .connection = UINT32_MAX, .remote_job = ANSWER_JOB, .timeout_ms = TIMEOUT_MS};
    return (struct transfer_request){.tag = 7,
                                     .connection = 0,
                                     .method = METHOD_POST,
                                     .path = SLICE("/products"),
                                     .body = SLICE(BODY),
                                     .idempotency_key = ANSWER_KEY,
                                     .at_most_once = trial->at_most_once,
                                     .timeout_ms = TIMEOUT_MS};
}

/* False when it does not end. */
static bool drive(struct prover *prover, struct reply *reply)
{
    struct err err;

    for (int turn = 0; turn < TURNS_MAX; turn++) {
        if (prover->port->ops->take(prover->port, reply))
            return true;
        if (event_loop_turn(prover->loop, 0, &err) != ERR_OK)
            return false;
        if (world_events() == 0 && !world_act() && !world_jump())
            return false;
    }
    return false;
}

static void read_answer(struct prover *prover, const struct trial *trial, struct ended *ended)
{
    const struct reply *reply = &ended->reply;
    const struct reply_input input = {.phase = trial->form->phase,
                                      .operation = operation_find(METHOD_POST, SLICE("/products")),
                                      .path = SLICE("/products"),
                                      .http_status = reply->http_status,
                                      .body = reply->body,
                                      .content_type = reply->content_type,
                                      .job_id = reply->job_id,
                                      .retry_after = reply->retry_after,
                                      .date = reply->date,
                                      .base_origin = "http://127.0.0.1:8080",
                                      .remote_job = ANSWER_JOB,
                                      .idempotency_key = ANSWER_KEY,
                                      .now_ms = 1700000000000};

    arena_clear(&prover->arena);
    ended->reading = reply_read(&prover->arena, &input);
}

/* --- laws --- */

static bool is_bare(const struct answer_form *form)
{
    return form->status == 204;
}

/* Whether what was sent proves a complete answer, from how the answer was made. Only the end of the
 * connection ends a body without a length. The very last byte of a chunked answer, a line feed, may
 * be missing: the last chunk and the trailers are there. */
static bool is_complete(const struct trial *trial)
{
    if (world_seen.sent_bytes < trial->text.head_end)
        return false;
    if (trial->framing == FRAME_CLOSE && !is_bare(trial->form))
        return world_seen.ended && trial->plan.ending == END_CLOSES;
    return world_seen.sent_bytes == trial->text.length;
}

static bool may_count(const struct trial *trial)
{
    bool chunks = trial->framing == FRAME_CHUNKS || trial->framing == FRAME_CHUNKS_TRAILERS ||
                  trial->framing == FRAME_CHUNKS_AFTER_103;

    return is_complete(trial) ||
           (chunks && !is_bare(trial->form) && world_seen.ended &&
            trial->plan.ending == END_CLOSES && world_seen.sent_bytes + 1 == trial->text.length);
}

static const char *law_of_request(const struct trial *trial, const struct reply *reply)
{
    bool poll = trial->form->phase == PHASE_POLL;
    const char *expected = poll ? expected_poll : expected_send;
    size_t length = poll ? sizeof expected_poll - 1 : sizeof expected_send - 1;

    if (world_seen.connections > 1)
        return "the request was sent on more than one connection";
    if (world_seen.request_bytes > length)
        return "more than one request was sent";
    if (memcmp(world_seen.request, expected, world_seen.request_bytes) != 0)
        return "the request is not the same byte for byte";
    if (reply->outcome == TRANSFER_NOT_SENT && world_seen.request_bytes > 0)
        return "not sent, but the peer has read some of it";
    if (world_open_peers() > OPEN_PEERS_MAX || world_seen.leaks)
        return "connections stay open";
    if (trial->at_most_once && (world_seen.opened != 1 || world_keeps_used()))
        return "what is sent at most once shares a connection";
    return NULL;
}

static const char *law_of_headers(const struct trial *trial, const struct reply *reply)
{
    const struct answer_form *form = trial->form;
    bool later = strstr(form->head, "Retry-After") != NULL;

    if (reply->http_status != form->status)
        return "another status than was sent";
    if (strcmp(reply->job_id, form->names_job ? ANSWER_JOB : "") != 0)
        return "another X-Rutter-Job-ID than was sent";
    if (strcmp(reply->retry_after, later ? ANSWER_LATER : "") != 0)
        return "another Retry-After than was sent";
    return NULL;
}

static const char *law_of_answer(const struct trial *trial, const struct ended *ended)
{
    const struct reply *reply = &ended->reply;
    const struct answer_form *form = trial->form;
    size_t whole = is_bare(form) ? 0 : strlen(form->body), length = whole;
    const char *law = law_of_headers(trial, reply);

    if (law != NULL)
        return law;
    if (trial->framing == FRAME_CLOSE && !is_bare(form))
        length = world_seen.sent_bytes - trial->text.head_end;
    if (reply->body.length != length || memcmp(reply->body.bytes, form->body, length) != 0)
        return "another body than was sent";
    if (ended->reading.event.kind != (length == whole ? form->whole : form->alone))
        return length == whole ? "a complete answer means something else"
                               : "a cut body claims too much";
    return NULL;
}

/* What follows from the body alone needs the whole of it. */
static bool claims_by_body(const struct trial *trial, const struct ended *ended)
{
    switch ((int)ended->reading.event.kind) {
    case EVENT_DONE:
    case EVENT_PENDING:
    case EVENT_JOB_THROTTLED:
        return true;
    case EVENT_ACCEPTED:
        return ended->reply.job_id[0] == '\0';
    case EVENT_REFUSED:
        return trial->form->phase == PHASE_POLL;
    default:
        return false;
    }
}

/* Flipped bits may make another answer of it, but never one that was not all there. */
static const char *law_of_flips(const struct trial *trial, const struct ended *ended)
{
    const struct reply *reply = &ended->reply;
    const char *sent = trial->plan.text, *body = trial->form->body;
    char status[8];
    size_t whole = strlen(body), other = 0;

    snprintf(status, sizeof status, " %03d", reply->http_status);
    if (memmem(sent, world_seen.sent_bytes, status, 4) == NULL)
        return "a status that was never sent";
    if (reply->job_id[0] != '\0' && strchr(reply->job_id, '?') == NULL &&
        memmem(sent, world_seen.sent_bytes, reply->job_id, strlen(reply->job_id)) == NULL)
        return "a job id that was never sent";
    if (reply->body.length > world_seen.sent_bytes)
        return "more of a body than was sent";
    if (!claims_by_body(trial, ended))
        return NULL;
    if (reply->body.length < whole)
        return "a body that is not whole claims too much";
    for (size_t i = 0; i < whole; i++)
        other += reply->body.bytes[i] != body[i];
    /* A longer chunk has the white space behind it, which JSON allows. */
    for (size_t i = whole; i < reply->body.length; i++)
        if (memchr(" \t\r\n", reply->body.bytes[i], 4) == NULL)
            return "a claim from more than the body";
    return other > trial->flips ? "a claim from bytes that were never sent" : NULL;
}

static const char *law_of_outcome(const struct trial *trial, const struct ended *ended)
{
    enum transfer_outcome outcome = ended->reply.outcome;
    bool whole_request = trial->plan.read_first == SIZE_MAX;

    /* One that may try an old connection first may have lost the request there. */
    if (trial->plan.refuse_connect && trial->at_most_once)
        return outcome == TRANSFER_NOT_SENT ? NULL : "refused, and yet it is not unsent";
    if (trial->plan.refuse_connect)
        return outcome == TRANSFER_ANSWERED ? "refused, and yet answered" : NULL;
    if (outcome != TRANSFER_ANSWERED && outcome != TRANSFER_LOST)
        return "neither answered nor lost";
    if (outcome == TRANSFER_LOST)
        return trial->flips == 0 && whole_request && is_complete(trial)
                   ? "a complete answer does not count"
                   : NULL;
    if (trial->flips > 0)
        return law_of_flips(trial, ended);
    return may_count(trial) ? law_of_answer(trial, ended) : "a cut answer counts";
}

static void note(struct prover *prover, const struct ended *ended)
{
    const struct reply *reply = &ended->reply;

    prover->exchanges++;
    prover->answered += reply->outcome == TRANSFER_ANSWERED;
    prover->lost += reply->outcome == TRANSFER_LOST;
    prover->not_sent += reply->outcome == TRANSFER_NOT_SENT;
    mix(prover, reply->outcome);
    mix(prover, (uint64_t)world_now_ns());
    mix(prover, world_seen.request_bytes << 32 | world_seen.sent_bytes);
    mix_bytes(prover, reply->failure, strlen(reply->failure));
    if (reply->outcome != TRANSFER_ANSWERED)
        return;
    mix(prover, (uint64_t)reply->http_status << 8 | ended->reading.event.kind);
    mix_bytes(prover, reply->body.bytes, reply->body.length);
}

static void play(struct prover *prover, struct trial *trial)
{
    const struct transfer_request request = request_of(trial);
    int64_t end_ns;
    struct ended ended = {0};
    struct err err;
    const char *law;

    world_begin(&trial->plan);
    end_ns = world_now_ns() + (TIMEOUT_MS + SLACK_MS) * NANOSECONDS_OF_MS;
    if (prover->port->ops->start(prover->port, &request, &err) != ERR_OK ||
        !drive(prover, &ended.reply)) {
        prover_broken(prover, trial, "it does not end");
        prover->port->ops->abandon(prover->port);
        return;
    }
    if (ended.reply.outcome == TRANSFER_ANSWERED)
        read_answer(prover, trial, &ended);
    world_settle();
    note(prover, &ended);
    law = law_of_request(trial, &ended.reply);
    if (law == NULL && world_now_ns() > end_ns)
        law = "it ends after its time-out";
    if (law == NULL)
        law = law_of_outcome(trial, &ended);
    if (law != NULL)
        prover_broken(prover, trial, law);
}

void exchange_plain(struct prover *prover)
{
    struct trial trial = {.form = &answer_forms[0], .framing = FRAME_LENGTH};

    answer_write(trial.form, trial.framing, &trial.text);
    memcpy(trial.plan.text, trial.text.bytes, trial.text.length);
    trial.plan.piece_ends[0] = trial.text.length;
    trial.plan.piece_count = 1;
    trial.plan.read_first = SIZE_MAX;
    play(prover, &trial);
}

void exchange_try(struct prover *prover, struct trial *trial)
{
    if (!trial->reused)
        world_hang_up();
    else if (world_open_peers() == 0)
        exchange_plain(prover);
    play(prover, trial);
}
