#include "purser/io/api_client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/mem.h"
#include "purser/base/rng.h"
#include "purser/codec/reply.h"
#include "purser/codec/spec_pace.h"
#include "purser/core/backoff.h"
#include "purser/io/clock.h"
#include "purser/io/signals.h"

enum {
    ATTEMPTS_MAX = 5, /* of a GET */
    FIRST_DELAY_MS = 500,
    MAX_DELAY_MS = 10 * 1000,
    /* A person waits in front of a command: a longer Retry-After is an answer, not a wait. */
    RETRY_AFTER_OBEYED_MS = 2 * 60 * 1000,
};

enum slot_state { SLOT_FREE, SLOT_DUE, SLOT_ON_WIRE };

struct slot {
    enum slot_state state;
    struct api_request request; /* its texts are in `text` */
    struct buf text;            /* path, remote job and body, one after the other */
    char key[IDEMPOTENCY_KEY_BYTES_MAX + 1];
    uint32_t attempt_count;
    int64_t due_boot_ms; /* SLOT_DUE */
};

struct api_client {
    struct api_link link;
    struct api_client_options options;
    struct loop_watch *signal_watch;
    struct pace pace;
    struct rng rng;
    struct slot *slots;
    uint32_t slot_count, free_count;
};

static void on_signal_ready(void *context, int fd, int ready)
{
    (void)context;
    (void)fd;
    (void)ready;
}

static enum err_code open_slots(struct api_client *client, uint32_t count, struct err *err)
{
    client->slots = mem_new(count, sizeof *client->slots);
    if (client->slots == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %u requests", count);
    for (uint32_t i = 0; i < count; i++)
        buf_init(&client->slots[i].text, BODY_BYTES_MAX + PATH_BYTES_MAX + REMOTE_JOB_BYTES_MAX);
    client->slot_count = client->free_count = count;
    return ERR_OK;
}

enum err_code api_client_open(const struct spec *spec, const struct credentials *credentials,
                              const struct api_client_options *options,
                              struct api_client **client_out, struct err *err)
{
    struct api_client *client = mem_new(1, sizeof *client);
    const struct pace_config pace = spec_organisation_pace(&spec->api);

    if (client == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to ask the API");
    client->options = *options;
    if (client->options.first_delay_ms == 0)
        client->options.first_delay_ms = FIRST_DELAY_MS;
    rng_init(&client->rng, (uint64_t)clock_wall_ms());
    pace_init(&client->pace, &pace, clock_boot_ms());
    if (open_slots(client, spec->api.in_flight, err) != ERR_OK ||
        api_link_open(spec, credentials, options->state_path, &client->link, err) != ERR_OK ||
        (options->signal_fd != -1 &&
         loop_watch_add(client->link.loop, options->signal_fd, LOOP_READ, on_signal_ready, NULL,
                        &client->signal_watch, err) != ERR_OK)) {
        api_client_close(client);
        return err->code;
    }
    *client_out = client;
    return ERR_OK;
}

void api_client_close(struct api_client *client)
{
    if (client == NULL)
        return;
    if (client->signal_watch != NULL)
        loop_watch_remove(client->signal_watch);
    api_link_close(&client->link);
    for (uint32_t i = 0; i < client->slot_count; i++)
        buf_deinit(&client->slots[i].text);
    mem_free(client->slots);
    mem_free(client);
}

const char *api_client_origin(const struct api_client *client)
{
    return client->link.origin;
}

bool api_client_has_room(const struct api_client *client)
{
    return client->free_count > 0;
}

/* Path, NUL, remote job, NUL, body: the buffer has moved for the last time when the slices are
 * made. */
static enum err_code copy_request(struct slot *slot, const struct api_request *request,
                                  struct err *err)
{
    const char *remote_job = request->remote_job == NULL ? "" : request->remote_job;
    size_t job_at, body_at;

    buf_clear(&slot->text);
    buf_append(&slot->text, request->path.bytes, request->path.length);
    buf_append_byte(&slot->text, '\0');
    job_at = slot->text.length;
    buf_append(&slot->text, remote_job, strlen(remote_job) + 1);
    body_at = slot->text.length;
    buf_append(&slot->text, request->body.bytes, request->body.length);
    if (slot->text.failed != ERR_OK)
        return err_set(err, slot->text.failed, "no memory for a request");
    slot->request = *request;
    slot->request.path.bytes = slot->text.bytes;
    slot->request.remote_job = request->remote_job == NULL ? NULL : slot->text.bytes + job_at;
    slot->request.body.bytes = slot->text.bytes + body_at;
    if (request->idempotency_key != NULL) {
        (void)snprintf(slot->key, sizeof slot->key, "%s", request->idempotency_key);
        slot->request.idempotency_key = slot->key;
    }
    return ERR_OK;
}

enum err_code api_client_start(struct api_client *client, const struct api_request *request,
                               struct err *err)
{
    struct slot *slot = client->slots;

    assert(client->free_count > 0);
    while (slot->state != SLOT_FREE)
        slot++;
    if (copy_request(slot, request, err) != ERR_OK)
        return err->code;
    slot->state = SLOT_DUE;
    slot->attempt_count = 0;
    slot->due_boot_ms = 0;
    client->free_count--;
    return ERR_OK;
}

static enum err_code put_on_wire(struct api_client *client, struct slot *slot, int64_t now_ms,
                                 struct err *err)
{
    const struct api_request *request = &slot->request;
    bool is_write = request->remote_job == NULL && request->method != METHOD_GET;

    if (client->link.transport->ops->start(
            client->link.transport,
            &(struct transfer_request){.tag = (uint64_t)(slot - client->slots),
                                       .connection = request->connection,
                                       .method = request->method,
                                       .path = request->path,
                                       .remote_job = request->remote_job,
                                       .job_path = request->job_path,
                                       .body = request->body,
                                       .idempotency_key = request->idempotency_key,
                                       .at_most_once = is_write && request->idempotency_key == NULL,
                                       .timeout_ms = client->link.timeout_ms},
            err) != ERR_OK)
        return err->code;
    pace_take(&client->pace, now_ms);
    slot->state = SLOT_ON_WIRE;
    slot->attempt_count++;
    return ERR_OK;
}

/* Sends what is due and allowed; *wake_ms_out is when the next may be. */
static enum err_code send_due(struct api_client *client, int64_t now_ms, int64_t *wake_ms_out,
                              struct err *err)
{
    pace_grow(&client->pace, now_ms);
    *wake_ms_out = INT64_MAX;
    for (uint32_t i = 0; i < client->slot_count; i++) {
        struct slot *slot = &client->slots[i];
        int64_t at_ms = pace_ready_at_ms(&client->pace, now_ms);

        if (slot->state != SLOT_DUE)
            continue;
        if (slot->due_boot_ms > at_ms)
            at_ms = slot->due_boot_ms;
        if (at_ms > now_ms) {
            *wake_ms_out = at_ms < *wake_ms_out ? at_ms : *wake_ms_out;
            continue;
        }
        if (put_on_wire(client, slot, now_ms, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static bool is_server_in_trouble(int http_status)
{
    return http_status == 408 || http_status == 425 || http_status == 429 || http_status >= 500;
}

static bool repeat_may_help(const struct slot *slot, const struct reply *reply)
{
    bool is_read = slot->request.remote_job != NULL || slot->request.method == METHOD_GET;

    if (!is_read || slot->attempt_count >= ATTEMPTS_MAX)
        return false;
    switch (reply->outcome) {
    case TRANSFER_ANSWERED:
        return is_server_in_trouble(reply->http_status);
    case TRANSFER_NOT_SENT:
    case TRANSFER_LOST:
        return true;
    case TRANSFER_UNTRUSTED:
        return false;
    }
    return false;
}

/* True when the request waits for its next attempt. A refusal for the rate holds all. */
static bool will_repeat(struct api_client *client, struct slot *slot, const struct reply *reply,
                        int64_t now_ms)
{
    bool answered = reply->outcome == TRANSFER_ANSWERED;
    int64_t pause_ms =
        answered ? reply_retry_after_ms(reply->retry_after, reply->date, clock_wall_ms()) : -1;
    int64_t delay_ms = pause_ms;

    if (answered && reply->http_status == 429 && pause_ms <= RETRY_AFTER_OBEYED_MS)
        pace_throttled(&client->pace, now_ms, pause_ms);
    if (!repeat_may_help(slot, reply) || pause_ms > RETRY_AFTER_OBEYED_MS)
        return false;
    if (delay_ms < 0)
        delay_ms = backoff_delay_ms(slot->attempt_count, client->options.first_delay_ms,
                                    MAX_DELAY_MS, (uint32_t)(rng_next(&client->rng) >> 32));
    slot->state = SLOT_DUE;
    slot->due_boot_ms = now_ms + delay_ms;
    return true;
}

static const char *keep(struct arena *arena, const char *text, bool *failed)
{
    char *copy = arena_copy_text(arena, text, strlen(text));

    *failed = *failed || copy == NULL;
    return copy;
}

static enum err_code hand_over(struct api_client *client, struct slot *slot,
                               const struct reply *reply, struct arena *arena,
                               struct api_answer *answer_out, struct err *err)
{
    bool failed = false;
    struct api_answer answer = {
        .tag = slot->request.tag,
        .outcome = reply->outcome,
        .http_status = reply->outcome == TRANSFER_ANSWERED ? reply->http_status : 0,
        .http_version = reply->http_version,
        .attempt_count = slot->attempt_count,
        .duration_ms = reply->duration_ms,
        .body = {arena_copy_text(arena, reply->body.length > 0 ? reply->body.bytes : "",
                                 reply->body.length),
                 reply->body.length},
        .content_type = keep(arena, reply->content_type, &failed),
        .request_id = keep(arena, reply->request_id, &failed),
        .job_id = keep(arena, reply->job_id, &failed),
        .date = keep(arena, reply->date, &failed),
        .failure = keep(arena, reply->failure, &failed)};

    if (failed || answer.body.bytes == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer of the API");
    slot->state = SLOT_FREE;
    client->free_count++;
    *answer_out = answer;
    return ERR_OK;
}

static enum err_code take_signal(const struct api_client *client, struct err *err)
{
    if (client->options.signal_fd != -1 && signals_take(client->options.signal_fd) != 0)
        return err_set(err, ERR_STOPPED, "stopped by a signal while the API was asked");
    return ERR_OK;
}

static enum err_code wait_until(struct api_client *client, int64_t wake_ms, int64_t now_ms,
                                struct err *err)
{
    int64_t wait_ms = -1;

    if (wake_ms != INT64_MAX)
        wait_ms = wake_ms > now_ms ? wake_ms - now_ms : 0;
    return event_loop_turn(client->link.loop, wait_ms, err);
}

enum err_code api_client_next(struct api_client *client, struct arena *arena,
                              struct api_answer *answer_out, struct err *err)
{
    struct transport *transport = client->link.transport;

    while (client->free_count < client->slot_count) {
        int64_t now_ms = clock_boot_ms(), wake_ms;
        struct reply reply;

        if (take_signal(client, err) != ERR_OK || send_due(client, now_ms, &wake_ms, err) != ERR_OK)
            return err->code;
        if (!transport->ops->take(transport, &reply)) {
            if (wait_until(client, wake_ms, now_ms, err) != ERR_OK)
                return err->code;
            continue;
        }
        if (!will_repeat(client, &client->slots[reply.tag], &reply, now_ms))
            return hand_over(client, &client->slots[reply.tag], &reply, arena, answer_out, err);
    }
    return ERR_NOT_FOUND;
}

enum err_code api_client_request(struct api_client *client, const struct api_request *request,
                                 struct arena *arena, struct api_answer *answer_out,
                                 struct err *err)
{
    enum err_code code;

    assert(client->free_count == client->slot_count);
    code = api_client_start(client, request, err);
    if (code == ERR_OK)
        code = api_client_next(client, arena, answer_out, err);
    assert(code != ERR_NOT_FOUND); /* what was started ends */
    return code;
}

enum err_code api_client_wait(struct api_client *client, int64_t duration_ms, struct err *err)
{
    int64_t now_ms = clock_boot_ms(), until_ms = now_ms + duration_ms;

    for (;;) {
        if (take_signal(client, err) != ERR_OK)
            return err->code;
        if (now_ms >= until_ms)
            return ERR_OK;
        if (wait_until(client, until_ms, now_ms, err) != ERR_OK)
            return err->code;
        now_ms = clock_boot_ms();
    }
}
