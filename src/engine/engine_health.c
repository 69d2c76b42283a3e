/* What the API says of connections and credentials, and what follows: parking and going on. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine_private.h"
#include "purser/base/log.h"
#include "purser/codec/connection_status.h"
#include "purser/codec/reply.h"
#include "purser/core/backoff.h"

enum {
    ASK_FIRST_DELAY_MS = 500,
    ASK_MAX_DELAY_MS = 30 * 1000,
    ASK_GIVE_UP = 3, /* unusable answers, then writes are tried without one */
    PARKED_FIRST_MS = 60 * 1000,
    PARKED_MAX_MS = 10 * 60 * 1000,
    SOON_MS = 100,
};

static uint32_t draw(struct engine *engine)
{
    return (uint32_t)(rng_next(&engine->rng) >> 32);
}

/* A quarter of it is left to chance, so that a thousand connections are not asked at once. */
static int64_t parked_for_ms(struct engine *engine, uint32_t times)
{
    int64_t most_ms = PARKED_FIRST_MS;

    for (uint32_t i = 1; i < times && most_ms < PARKED_MAX_MS; i++)
        most_ms *= 2;
    if (most_ms > PARKED_MAX_MS)
        most_ms = PARKED_MAX_MS;
    return most_ms + backoff_delay_ms(1, most_ms / 4, most_ms / 4, draw(engine));
}

static void ask_later(struct engine *engine, struct question *question)
{
    question->trouble++;
    question->ask_after_ms =
        engine->now.boot_ms +
        backoff_delay_ms(question->trouble, ASK_FIRST_DELAY_MS, ASK_MAX_DELAY_MS, draw(engine));
}

/* --- parking --- */

static void show_parked(struct engine *engine)
{
    struct engine_progress *progress = &engine->progress;

    progress->parked_connections = 0;
    progress->parked_alias = progress->parked_reason = progress->parked_link = NULL;
    progress->parked_for_credentials = false;
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        const struct connection *connection = &engine->connections[i];

        if (!connection->parked)
            continue;
        progress->parked_connections++;
        progress->parked_alias = engine->options.connections[i].alias;
        progress->parked_reason = connection->parked_reason;
        progress->parked_link = connection->link_url;
        if (strcmp(connection->parked_reason, "unauthorized") == 0 ||
            strcmp(connection->parked_reason, "other_platform") == 0 ||
            strcmp(connection->parked_reason, "needs_update") == 0)
            progress->parked_for_credentials = true;
    }
}

/* What its answer tells is asked at once, for the link; but a status that still says that all is
 * well counts only after a while: the answer has just shown that it is not, and shows it again
 * each time that it comes. */
void engine_park(struct engine *engine, struct connection *connection, const char *reason)
{
    if (connection->parked) {
        int64_t after_ms = engine->now.boot_ms + parked_for_ms(engine, 1);

        if (after_ms > connection->unpark_after_ms)
            connection->unpark_after_ms = after_ms;
        return;
    }
    connection->parked = true;
    connection->parked_times++;
    connection->parked_ms = engine->now.wall_ms;
    connection->unpark_after_ms =
        engine->now.boot_ms + parked_for_ms(engine, connection->parked_times);
    connection->status.trouble = 0;
    connection->status.ask_after_ms = engine->now.boot_ms;
    engine->aside_due = true;
    (void)snprintf(connection->parked_reason, sizeof connection->parked_reason, "%s", reason);
    log_line(LOG_INFO, "connection=%s parked: %s",
             engine->options.connections[connection - engine->connections].alias, reason);
    if (strcmp(reason, "unauthorized") == 0) {
        engine->credentials_doubted = true;
        engine->organisation.unusable = 0;
    }
    show_parked(engine);
}

static void unpark(struct engine *engine, struct connection *connection)
{
    /* What was taken back must be durable before the ledger is asked for it again, and no write may
     * be on the wire whose end would put an item behind the cursor. */
    if (connection->aside_batch > engine->batch_durable || connection->window.in_use > 0) {
        connection->status.ask_after_ms = engine->now.boot_ms + SOON_MS;
        return;
    }
    connection->parked = false;
    connection->ready_after = 0;
    connection->ready_exhausted = false;
    connection->link_url[0] = connection->detail[0] = '\0';
    log_line(LOG_INFO, "connection=%s works again",
             engine->options.connections[connection - engine->connections].alias);
    show_parked(engine);
    engine->resume_due = true;
}

/* --- what is asked --- */

/* The transfer of a question; the caller has seen that it may go. */
static enum err_code ask(struct engine *engine, struct question *question, uint64_t tag,
                         uint32_t connection, struct slice path, struct err *err)
{
    if (engine->transport->ops->start(
            engine->transport,
            &(struct transfer_request){.tag = tag,
                                       .connection = connection,
                                       .method = METHOD_GET,
                                       .path = path,
                                       .timeout_ms = engine->options.timeout_ms},
            err) != ERR_OK)
        return err->code;
    question->asked = true;
    question->is_probe = engine_take_request(engine);
    return ERR_OK;
}

static bool status_is_wanted(const struct engine *engine, size_t index)
{
    const struct connection *connection = &engine->connections[index];

    if (!engine->options.connections[index].asks_status || connection->status.asked)
        return false;
    return connection->parked || (!connection->checked && connection->to_send.count > 0);
}

static bool organisation_is_wanted(const struct engine *engine)
{
    return !engine->organisation.asked &&
           (engine->credentials_doubted || engine_clock_is_wanted(engine));
}

int64_t engine_ask_at_ms(const struct engine *engine)
{
    int64_t ready_ms = engine_ready_at_ms(engine), at_ms = INT64_MAX;

    if (organisation_is_wanted(engine))
        at_ms = engine->organisation.ask_after_ms;
    for (size_t i = 0; i < engine->options.connection_count; i++)
        if (status_is_wanted(engine, i) && engine->connections[i].status.ask_after_ms < at_ms)
            at_ms = engine->connections[i].status.ask_after_ms;
    return at_ms > ready_ms ? at_ms : ready_ms;
}

enum err_code engine_ask(struct engine *engine, struct err *err)
{
    int64_t now_ms = engine->now.boot_ms;

    if (engine_ask_at_ms(engine) > now_ms)
        return ERR_OK;
    if (organisation_is_wanted(engine) && engine->organisation.ask_after_ms <= now_ms &&
        ask(engine, &engine->organisation, ORGANISATION_TAG, UINT32_MAX, SLICE("/connections"),
            err) != ERR_OK)
        return err->code;
    for (size_t i = 0; i < engine->options.connection_count && engine_ready_at_ms(engine) <= now_ms;
         i++) {
        struct connection *connection = &engine->connections[i];

        if (status_is_wanted(engine, i) && connection->status.ask_after_ms <= now_ms &&
            ask(engine, &connection->status, STATUS_TAGS + i, (uint32_t)i,
                SLICE("/connections/status"), err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

/* --- what is answered --- */

static bool is_throttled(struct engine *engine, const struct reply *reply)
{
    if (reply->outcome != TRANSFER_ANSWERED || reply->http_status != 429)
        return false;
    engine->progress.throttled++;
    pace_throttled(&engine->pace, engine->now.boot_ms,
                   reply_retry_after_ms(reply->retry_after, reply->date, engine->now.wall_ms));
    return true;
}

static struct connection_status read_status(struct engine *engine, const struct reply *reply,
                                            const char *platform)
{
    arena_clear(&engine->arena);
    return connection_status_read(
        &engine->arena, &(struct connection_status_input){.http_status = reply->http_status,
                                                          .body = reply->body,
                                                          .content_type = reply->content_type,
                                                          .platform = platform});
}

/* It was not their access tokens. */
static void absolve(struct engine *engine)
{
    for (size_t i = 0; i < engine->options.connection_count; i++) {
        struct connection *connection = &engine->connections[i];

        if (!connection->parked || strcmp(connection->parked_reason, "unauthorized") != 0)
            continue;
        connection->parked = false;
        connection->checked_ms = 0;
    }
    show_parked(engine);
}

/* No access token was in it, so a refusal is about the client's own credentials. */
static void take_organisation(struct engine *engine, const struct reply *reply)
{
    struct question *question = &engine->organisation;
    struct connection_status status;

    if (reply->outcome != TRANSFER_ANSWERED) {
        ask_later(engine, question);
        return;
    }
    engine_clock_answered(engine);
    if (is_throttled(engine, reply))
        return;
    status = read_status(engine, reply, NULL);
    if (status.state == CONNECTION_REFUSED) {
        absolve(engine);
        engine_stop_run(engine, STOP_CREDENTIALS, "the API refused the client's credentials%s%s",
                        status.detail[0] == '\0' ? "" : ": ", status.detail);
        return;
    }
    if (reply->http_status >= 200 && reply->http_status <= 299) {
        question->trouble = 0;
        engine->credentials_doubted = false;
        return;
    }
    ask_later(engine, question);
    if (++question->unusable >= ASK_GIVE_UP)
        engine->credentials_doubted = false; /* the other connections will show it */
}

static void keep_status(struct engine *engine, struct connection *connection,
                        const struct connection_status *status)
{
    connection->checked_ms = engine->now.wall_ms;
    connection->last_sync_ms = status->last_sync_ms;
    connection->link_url[0] = '\0'; /* half a link leads nowhere */
    if (strlen(status->link_url) < sizeof connection->link_url)
        (void)snprintf(connection->link_url, sizeof connection->link_url, "%s", status->link_url);
    (void)snprintf(connection->detail, sizeof connection->detail, "%s", status->detail);
}

static void park_by_status(struct engine *engine, struct connection *connection,
                           const struct connection_status *status)
{
    keep_status(engine, connection, status);
    if (!connection->parked) {
        engine_park(engine, connection, status->park_reason);
    } else {
        (void)snprintf(connection->parked_reason, sizeof connection->parked_reason, "%s",
                       status->park_reason);
        show_parked(engine);
    }
    connection->checked = true;
    connection->status.ask_after_ms =
        engine->now.boot_ms + parked_for_ms(engine, ++connection->status.trouble);
}

static void without_status(struct engine *engine, struct connection *connection)
{
    ask_later(engine, &connection->status);
    if (connection->parked)
        connection->status.ask_after_ms =
            engine->now.boot_ms + parked_for_ms(engine, connection->status.trouble);
    else if (++connection->status.unusable >= ASK_GIVE_UP)
        connection->checked = true;
}

static void take_usable(struct engine *engine, struct connection *connection,
                        const struct connection_status *status)
{
    keep_status(engine, connection, status);
    connection->checked = true;
    connection->status.trouble = 0;
    if (!connection->parked)
        return;
    if (engine->now.boot_ms >= connection->unpark_after_ms)
        unpark(engine, connection);
    else
        connection->status.ask_after_ms = connection->unpark_after_ms;
    if (connection->parked)
        show_parked(engine);
}

static void take_status(struct engine *engine, struct connection *connection,
                        const struct reply *reply)
{
    struct connection_status status;

    if (is_throttled(engine, reply))
        return;
    if (reply->outcome == TRANSFER_NOT_SENT) {
        ask_later(engine, &connection->status); /* writes could not leave either */
        return;
    }
    status =
        reply->outcome == TRANSFER_ANSWERED
            ? read_status(engine, reply,
                          engine->options.connections[connection - engine->connections].platform)
            : (struct connection_status){0};
    switch (status.state) {
    case CONNECTION_USABLE:
        take_usable(engine, connection, &status);
        break;
    case CONNECTION_NEEDS_UPDATE:
    case CONNECTION_DISABLED:
    case CONNECTION_NOT_READY:
    case CONNECTION_REFUSED:
    case CONNECTION_FORBIDDEN:
    case CONNECTION_OTHER_PLATFORM:
        park_by_status(engine, connection, &status);
        break;
    case CONNECTION_UNKNOWN:
    case CONNECTION_STATE_COUNT:
        without_status(engine, connection);
        break;
    }
}

void engine_take_question(struct engine *engine, const struct reply *reply)
{
    bool is_organisation = reply->tag == ORGANISATION_TAG;
    size_t index = is_organisation ? 0 : (size_t)(reply->tag - STATUS_TAGS);
    struct question *question =
        is_organisation ? &engine->organisation : &engine->connections[index].status;

    assert(is_organisation || index < engine->options.connection_count);
    question->asked = false;
    engine_request_answered(engine, reply, question->is_probe);
    if (reply->outcome == TRANSFER_ANSWERED)
        engine_learn_clock(engine, reply_date_ms(reply->date));
    if (reply->outcome == TRANSFER_UNTRUSTED)
        engine_stop_run(engine, STOP_NOT_THE_API, "%s",
                        reply->failure == NULL ? "" : reply->failure);
    if (is_organisation)
        take_organisation(engine, reply);
    else
        take_status(engine, &engine->connections[index], reply);
}
