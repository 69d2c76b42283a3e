#include "purser/codec/reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer.h"
#include "purser/base/log.h"
#include "reply_body.h"

/* --- texts --- */

/* Error types and codes are words; NULL when there is none. */
static const char *code_text(struct arena *arena, struct slice code)
{
    const char *text = answer_safe_text(arena, code, ERROR_CODE_BYTES_MAX);

    return text[0] == '\0' ? NULL : text;
}

/* Leaves out what does not fit; what comes first says most. */
static void append_part(struct buf *buf, const char *separator, const char *part)
{
    if (buf->length == 0)
        separator = "";
    if (part[0] == '\0' || buf->length + strlen(separator) + strlen(part) > ERROR_MESSAGE_BYTES_MAX)
        return;
    buf_append_text(buf, separator);
    buf_append_text(buf, part);
}

static const char *message_of(struct arena *arena, const struct reply_rule *rule,
                              const struct body_reading *body, const char *note)
{
    const struct answer_error *error = &body->error;
    const size_t given_max =
        rule->message == NULL ? ERROR_MESSAGE_BYTES_MAX : ERROR_MESSAGE_BYTES_MAX / 2;
    const char *given = answer_safe_text(arena, error->message, given_max);
    struct buf buf;
    char *copy;

    /* A page of markup helps nobody. */
    if (body->kind == BODY_WEB_PAGE && rule->message != NULL)
        given = "";
    buf_init(&buf, ERROR_MESSAGE_BYTES_MAX + 1);
    append_part(&buf, "", rule->message == NULL ? "" : rule->message);
    append_part(&buf, ": ", given);
    append_part(&buf, "; ", answer_safe_text(arena, error->explanation, ERROR_MESSAGE_BYTES_MAX));
    append_part(&buf, "; the platform: ", answer_platform_text(arena, &error->platform));
    append_part(&buf, "; ", note);
    copy = buf.length == 0 ? NULL : arena_copy_text(arena, buf.bytes, buf.length);
    buf_deinit(&buf);
    return copy == NULL ? "" : copy;
}

/* What the ledger keeps must hold no secret either; a replacement never makes JSON text longer or
 * breaks a string. */
static struct slice kept_result(struct arena *arena, struct slice result)
{
    char *copy = result.length == 0 ? NULL : arena_copy_text(arena, result.bytes, result.length);

    if (copy == NULL)
        return (struct slice){0};
    return (struct slice){copy, log_redact(copy, result.length)};
}

/* --- the remote job's address --- */

/* The length of "scheme://host[:port]" when it is that of the base URL, else 0. A base URL's origin
 * has its port written out; a URL of the server may leave the usual one away. Anything unusual (a
 * user, a backslash, another case of the port) does not match, which is safe: the address is then
 * built from the id. */
static size_t same_origin_length(const char *origin, struct slice url)
{
    size_t full = strlen(origin);
    const char *port = strrchr(origin, ':');
    bool usual =
        port != NULL && ((strncmp(origin, "https:", 6) == 0 && strcmp(port, ":443") == 0) ||
                         (strncmp(origin, "http:", 5) == 0 && strcmp(port, ":80") == 0));
    size_t bare = usual ? (size_t)(port - origin) : full;

    if (url.length > full && strncasecmp(url.bytes, origin, full) == 0 && url.bytes[full] == '/')
        return full;
    if (url.length > bare && strncasecmp(url.bytes, origin, bare) == 0 && url.bytes[bare] == '/')
        return bare;
    return 0;
}

static bool ends_with_job(struct slice path, struct slice id, const char *before, bool whole)
{
    size_t length = strlen(before);

    if (path.length < length + id.length || (whole && path.length != length + id.length))
        return false;
    path.bytes += path.length - length - id.length;
    return memcmp(path.bytes, before, length) == 0 &&
           memcmp(path.bytes + length, id.bytes, id.length) == 0;
}

/* The URL that the server gives never decides where credentials go: it only chooses between the
 * two addresses that are built here. */
static enum job_path job_path_of(const struct reply_input *input, const struct body_reading *body,
                                 const char **note_out)
{
    struct slice path = body->response_url;
    size_t origin = 0;

    if (path.length == 0)
        return JOB_PATH_BASE;
    if (input->base_origin != NULL)
        origin = same_origin_length(input->base_origin, path);
    path.bytes += origin;
    path.length -= origin;
    if (origin > 0 && ends_with_job(path, body->job_id, "/v2/jobs/", true))
        return JOB_PATH_V2;
    if (origin == 0 || !ends_with_job(path, body->job_id, "/jobs/", false) ||
        memchr(path.bytes, '?', path.length) != NULL)
        *note_out = "the server's response_url is not used; the job is asked for at the base URL";
    return JOB_PATH_BASE;
}

/* --- putting it together --- */

static void fill_accepted(struct arena *arena, const struct reply_input *input,
                          const struct body_reading *body, struct item_event *event,
                          const char **note_out)
{
    struct slice id = slice_of(input->job_id == NULL ? "" : input->job_id);

    event->job_path = JOB_PATH_BASE;
    if (body->kind == BODY_ASYNC && input->http_status >= 200 && input->http_status <= 299) {
        if (id.length > 0 && !slice_equal(id, body->job_id))
            *note_out =
                "X-Rutter-Job-ID names another job than the answer; the answer's is asked for";
        id = body->job_id;
        event->job_path = job_path_of(input, body, note_out);
    }
    event->remote_job = arena_copy_text(arena, id.bytes, id.length);
    /* Without memory for the id nothing is known: the same key will bring it again. */
    if (event->remote_job == NULL)
        event->kind = EVENT_LOST;
}

static enum proof_kind proof_of(const char *job_id)
{
    if (job_id == NULL || job_id[0] == '\0')
        return PROOF_NONE;
    return reply_job_id_is_valid(slice_of(job_id)) ? PROOF_JOB_ID : PROOF_BAD_JOB_ID;
}

struct reply_reading reply_read(struct arena *arena, const struct reply_input *input)
{
    struct body_reading body = reply_read_body(arena, input);
    enum proof_kind proof = proof_of(input->job_id);
    bool keyed = input->idempotency_key != NULL && input->idempotency_key[0] != '\0';
    const struct reply_rule *rule =
        reply_rule_of(input->phase, reply_status_kind(input->http_status, keyed), proof, body.kind);
    int64_t date_ms = reply_date_ms(input->date);
    bool is_ok = input->http_status >= 200 && input->http_status <= 299;
    const char *note = "";
    struct reply_reading reading;

    assert(rule != NULL); /* a body of this phase has a rule whatever the status */
    reading = (struct reply_reading){
        .event = {.kind = rule->event, .now_ms = input->now_ms, .reason = rule->reason},
        .scope = rule->scope,
        .park_reason = rule->park_reason,
        .pause_ms = reply_retry_after_ms(input->retry_after, input->date, input->now_ms),
        .server_now_ms = date_ms > 0 ? date_ms : 0,
        .rule = rule->name,
    };
    reading.event.delay_ms = reading.pause_ms;
    reading.event.http_status = (uint16_t)input->http_status;
    if (body.job_http_status != 0)
        reading.event.http_status = body.job_http_status;
    reading.event.accepted = input->phase == PHASE_POLL || proof != PROOF_NONE || is_ok;
    reading.event.error_type = code_text(arena, body.error.type);
    reading.event.error_code = code_text(arena, body.error.code);
    if (rule->event == EVENT_ACCEPTED)
        fill_accepted(arena, input, &body, &reading.event, &note);
    else
        reading.result = kept_result(arena, body.result);
    reading.message = message_of(arena, rule, &body, note);
    return reading;
}
