#include "purser/io/secret_transport.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "purser/base/log.h"
#include "purser/base/mem.h"
#include "purser/codec/json.h"
#include "purser/io/clock.h"
#include "purser/io/secret_value.h"
#include "purser/io/token_file.h"

enum {
    ANSWER_ARENA_BYTES = 64 * 1024 * 1024,
    LINE_BYTES_MAX = 64 * 1024,
    EXPANDED_BYTES_MAX = BODY_BYTES_MAX + 64 * SECRET_BYTES_MAX,
};

/* One request of ours that is under way, or was refused here and waits to be taken. */
struct passage {
    bool used;
    bool refused; /* never left: a secret could not be read */
    uint64_t tag;
    enum connection_write write;
    uint32_t job;
    struct buf body; /* expanded: holds secrets */
    char key[ITEM_KEY_BYTES_MAX + 1];
    char failure[ERR_TEXT_BYTES];
};

struct secret_transport {
    struct transport port; /* first: the interface is this object */
    struct transport *inner;
    const struct spec *spec;
    const struct credentials *credentials;
    struct token_file *files; /* one a job */
    struct passage *passages;
    uint32_t passage_count;
    struct arena arena; /* of the answer that was taken last */
    struct buf answer;  /* its body, as it is handed on */
    char failure[ERR_TEXT_BYTES];
};

static struct secret_transport *of_port(struct transport *self)
{
    return (struct secret_transport *)self;
}

bool secret_transport_is_needed(const struct spec *spec)
{
    for (size_t i = 0; i < spec->job_count; i++)
        if (spec->jobs[i].connection_write != CONNECTION_WRITE_NONE)
            return true;
    return false;
}

/* --- on the way out --- */

static void wipe(struct passage *passage)
{
    if (passage->body.bytes != NULL)
        explicit_bzero(passage->body.bytes, passage->body.capacity);
    buf_deinit(&passage->body);
    passage->used = passage->refused = false;
}

static struct passage *find(struct secret_transport *transport, bool used, uint64_t tag)
{
    for (uint32_t i = 0; i < transport->passage_count; i++) {
        struct passage *passage = &transport->passages[i];

        if (passage->used == used && (!used || passage->tag == tag))
            return passage;
    }
    return NULL;
}

/* Growing would leave copies of secrets behind, so there is room for all from the start. */
static enum err_code expand(struct secret_transport *transport, struct passage *passage,
                            const struct transfer_request *request, struct err *err)
{
    static const char blanks[1024];
    size_t room = request->body.length * 2 + 32 * SECRET_BYTES_MAX;

    buf_init(&passage->body, EXPANDED_BYTES_MAX);
    while (passage->body.length < room && passage->body.failed == ERR_OK)
        buf_append(&passage->body, blanks, sizeof blanks);
    buf_clear(&passage->body);
    return secret_body_expand(transport->spec, transport->credentials, passage->write,
                              request->body, &passage->body, err);
}

static enum err_code start(struct transport *self, const struct transfer_request *request,
                           struct err *err)
{
    struct secret_transport *transport = of_port(self);
    enum connection_write write = request->remote_job != NULL
                                      ? CONNECTION_WRITE_NONE
                                      : connection_write_of(request->method, request->path);
    struct transfer_request expanded = *request;
    struct passage *passage;
    enum err_code code;

    if (write == CONNECTION_WRITE_NONE)
        return transport->inner->ops->start(transport->inner, request, err);
    passage = find(transport, false, 0);
    if (passage == NULL)
        return err_set(err, ERR_BUSY, "all requests are in flight");
    assert(request->job < transport->spec->job_count);
    passage->used = true;
    passage->tag = request->tag;
    passage->write = write;
    passage->job = request->job;
    (void)snprintf(passage->key, sizeof passage->key, "%.*s", (int)request->item_key.length,
                   request->item_key.bytes);
    code = expand(transport, passage, request, err);
    if (code == ERR_OK) {
        expanded.body = (struct slice){buf_text(&passage->body), passage->body.length};
        code = transport->inner->ops->start(transport->inner, &expanded, err);
        if (code != ERR_OK)
            wipe(passage);
        return code;
    }
    if (code == ERR_NO_MEMORY) {
        wipe(passage);
        return code;
    }
    passage->refused = true;
    (void)snprintf(passage->failure, sizeof passage->failure, "not sent: %.480s", err->text);
    err->code = ERR_OK;
    return ERR_OK;
}

/* --- on the way in --- */

static bool is_token(struct slice name)
{
    return slice_is(name, "access_token") || slice_is(name, "new_access_token");
}

/* A copy of `value` without tokens; the first one that is text goes to *token_out. */
static bool take_token(struct arena *arena, const struct value *value, struct value *without_out,
                       struct slice *token_out)
{
    struct slice *names;
    struct value *values;
    size_t count = 0;

    *without_out = *value;
    if (value->kind == VALUE_LIST) {
        values = arena_new(arena, value->list.count + 1, sizeof *values);
        for (size_t i = 0; values != NULL && i < value->list.count; i++)
            if (!take_token(arena, &value->list.items[i], &values[i], token_out))
                return false;
        without_out->list.items = values;
        return values != NULL;
    }
    if (value->kind != VALUE_MAP)
        return true;
    names = arena_new(arena, value->map.count + 1, sizeof *names);
    values = arena_new(arena, value->map.count + 1, sizeof *values);
    if (names == NULL || values == NULL)
        return false;
    for (size_t i = 0; i < value->map.count; i++) {
        const struct value *member = &value->map.values[i];

        if (is_token(value->map.names[i])) {
            if (token_out->length == 0 && member->kind == VALUE_STRING)
                *token_out = member->text;
            continue;
        }
        names[count] = value->map.names[i];
        if (!take_token(arena, member, &values[count++], token_out))
            return false;
    }
    without_out->map.names = names;
    without_out->map.values = values;
    without_out->map.count = count;
    return true;
}

static void append_member(struct buf *line, const char *name, struct slice text)
{
    buf_append_format(line, "%s\"%s\":", line->length == 0 ? "{" : ",", name);
    text_append_json(line, text);
}

static enum err_code keep_token(struct secret_transport *transport, const struct passage *passage,
                                const struct value *answer, struct slice token, struct err *err)
{
    const struct value connection = value_member(answer, SLICE("connection"));
    struct value id = value_member(&connection, SLICE("id"));
    char now[TEXT_TIME_BYTES];
    struct buf line;
    enum err_code code;

    if (id.kind != VALUE_STRING)
        id = value_member(answer, SLICE("connection_id"));
    text_from_time_ms(clock_wall_ms(), now);
    buf_init(&line, LINE_BYTES_MAX);
    append_member(&line, "job", slice_of(transport->spec->jobs[passage->job].name));
    append_member(&line, "key", slice_of(passage->key));
    if (id.kind == VALUE_STRING)
        append_member(&line, "connection_id", id.text);
    append_member(&line, "access_token", token);
    append_member(&line, "received", slice_of(now));
    buf_append_text(&line, "}\n");
    code = line.failed == ERR_OK
               ? token_file_append(&transport->files[passage->job], &line, err)
               : err_set(err, ERR_SYSTEM, "a line for the file of access tokens cannot be made");
    if (line.bytes != NULL)
        explicit_bzero(line.bytes, line.capacity);
    buf_deinit(&line);
    return code;
}

static bool hide_token(struct slice token)
{
    char text[SECRET_BYTES_MAX + 1];
    bool hidden;

    if (token.length > SECRET_BYTES_MAX)
        return false;
    (void)snprintf(text, sizeof text, "%.*s", (int)token.length, token.bytes);
    hidden = secret_value_hide(text);
    explicit_bzero(text, sizeof text);
    return hidden;
}

/* Whatever it is that came, no secret that is known passes. An answer that is no JSON cannot be
 * looked through for a token, so nothing of it does. */
static enum err_code look_through(struct secret_transport *transport, const struct passage *passage,
                                  const struct reply *reply, struct err *err)
{
    struct value answer, without;
    struct slice token = {0};

    arena_clear(&transport->arena);
    buf_clear(&transport->answer);
    if (json_parse(&transport->arena, reply->body.bytes, reply->body.length, &answer, err) !=
        ERR_OK)
        return err->code == ERR_NO_MEMORY ? err->code : (err->code = ERR_OK);
    if (!take_token(&transport->arena, &answer, &without, &token))
        return err_set(err, ERR_NO_MEMORY, "no memory for an answer");
    if (token.length > 0) {
        enum err_code code = keep_token(transport, passage, &answer, token, err);

        if (code != ERR_OK)
            return code;
        if (!hide_token(token))
            return ERR_OK; /* without the text around it, which may hold the token again */
    }
    value_append_json(&transport->answer, &without);
    if (transport->answer.failed == ERR_OK)
        transport->answer.length = log_redact(transport->answer.bytes, transport->answer.length);
    return ERR_OK;
}

static void set_lost(struct secret_transport *transport, const struct reply *reply,
                     const struct err *why, struct reply *reply_out)
{
    (void)snprintf(transport->failure, sizeof transport->failure,
                   "the API answered %d, but the access token in its answer was not kept: %.350s",
                   reply->http_status, why->text);
    *reply_out = (struct reply){.tag = reply->tag,
                                .outcome = TRANSFER_LOST,
                                .content_type = "",
                                .request_id = reply->request_id,
                                .job_id = "",
                                .retry_after = "",
                                .date = reply->date,
                                .failure = transport->failure,
                                .duration_ms = reply->duration_ms};
}

static bool take_refused(struct secret_transport *transport, struct reply *reply_out)
{
    for (uint32_t i = 0; i < transport->passage_count; i++) {
        struct passage *passage = &transport->passages[i];

        if (!passage->used || !passage->refused)
            continue;
        memcpy(transport->failure, passage->failure, sizeof transport->failure);
        *reply_out = (struct reply){.tag = passage->tag,
                                    .outcome = TRANSFER_NOT_SENT,
                                    .content_type = "",
                                    .request_id = "",
                                    .job_id = "",
                                    .retry_after = "",
                                    .date = "",
                                    .failure = transport->failure};
        wipe(passage);
        return true;
    }
    return false;
}

static bool take(struct transport *self, struct reply *reply_out)
{
    struct secret_transport *transport = of_port(self);
    struct passage *passage;
    struct err err = {0};
    struct reply reply;

    if (take_refused(transport, reply_out))
        return true;
    if (!transport->inner->ops->take(transport->inner, &reply))
        return false;
    *reply_out = reply;
    passage = find(transport, true, reply.tag);
    if (passage == NULL)
        return true;
    if (reply.outcome == TRANSFER_ANSWERED) {
        if (look_through(transport, passage, &reply, &err) != ERR_OK)
            set_lost(transport, &reply, &err, reply_out);
        else
            reply_out->body =
                (struct slice){buf_text(&transport->answer), transport->answer.length};
    }
    wipe(passage);
    return true;
}

static void abandon(struct transport *self)
{
    struct secret_transport *transport = of_port(self);

    transport->inner->ops->abandon(transport->inner);
    for (uint32_t i = 0; i < transport->passage_count; i++)
        wipe(&transport->passages[i]);
}

static const struct transport_ops secret_transport_ops = {
    .start = start, .take = take, .abandon = abandon};

/* --- opening --- */

static enum err_code open_files(struct secret_transport *transport, struct err *err)
{
    const struct spec *spec = transport->spec;

    for (size_t i = 0; i < spec->job_count; i++) {
        if (spec->jobs[i].access_tokens != NULL &&
            token_file_open(spec->jobs[i].access_tokens, &transport->files[i], err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

enum err_code secret_transport_open(const struct spec *spec, const struct credentials *credentials,
                                    struct transport *inner,
                                    struct secret_transport **transport_out, struct err *err)
{
    struct secret_transport *transport = mem_new(1, sizeof *transport);

    if (transport == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for secrets");
    transport->port.ops = &secret_transport_ops;
    transport->inner = inner;
    transport->spec = spec;
    transport->credentials = credentials;
    arena_init(&transport->arena, ANSWER_ARENA_BYTES);
    buf_init(&transport->answer, ANSWER_BYTES_MAX * 2);
    transport->files = mem_new(spec->job_count, sizeof *transport->files);
    transport->passages = mem_new(spec->api.in_flight, sizeof *transport->passages);
    if (transport->files == NULL || transport->passages == NULL) {
        secret_transport_close(transport);
        return err_set(err, ERR_NO_MEMORY, "no memory for secrets");
    }
    for (size_t i = 0; i < spec->job_count; i++)
        transport->files[i].fd = -1;
    transport->passage_count = spec->api.in_flight;
    if (open_files(transport, err) != ERR_OK) {
        secret_transport_close(transport);
        return err->code;
    }
    *transport_out = transport;
    return ERR_OK;
}

void secret_transport_close(struct secret_transport *transport)
{
    if (transport == NULL)
        return;
    for (uint32_t i = 0; i < transport->passage_count; i++)
        wipe(&transport->passages[i]);
    for (size_t i = 0; transport->files != NULL && i < transport->spec->job_count; i++)
        token_file_close(&transport->files[i]);
    if (transport->answer.bytes != NULL)
        explicit_bzero(transport->answer.bytes, transport->answer.capacity);
    buf_deinit(&transport->answer);
    arena_deinit(&transport->arena);
    mem_free(transport->files);
    mem_free(transport->passages);
    mem_free(transport);
}

struct transport *secret_transport_port(struct secret_transport *transport)
{
    return &transport->port;
}
