#include "reply_body.h"

enum { EXCERPT_BYTES_MAX = 200 };

static struct slice excerpt(struct slice body)
{
    body = answer_trimmed(body);
    if (body.length > EXCERPT_BYTES_MAX)
        body.length = EXCERPT_BYTES_MAX;
    return body;
}

/* {"success":false} with nothing else to go by. A DELETE that finds nothing is done all the same:
 * it is how the API makes it repeatable. */
static bool denies_success(const struct value *root)
{
    struct value success = value_member(root, SLICE("success"));

    return success.kind == VALUE_BOOL && !success.boolean &&
           !slice_is(answer_text_member(root, "code"), "not_found");
}

/* An error, and not an entity with warnings beside it. */
static bool is_error_alone(const struct value *root, struct body_reading *reading)
{
    bool is_error = answer_read_error(root, &reading->error);

    if (is_error && reading->error.type.length + reading->error.code.length > 0 &&
        value_member(root, SLICE("errors")).kind == VALUE_OMIT)
        return true;
    return (is_error && root->map.count == 1) || denies_success(root);
}

static enum body_kind kind_of_error(enum answer_error_kind kind)
{
    static const enum body_kind kinds[] = {
        [ANSWER_ERROR_OTHER] = BODY_ERROR,
        [ANSWER_ERROR_BAD_CREDENTIALS] = BODY_BAD_CREDENTIALS,
        [ANSWER_ERROR_NOT_ALLOWED] = BODY_NOT_ALLOWED,
        [ANSWER_ERROR_NEEDS_UPDATE] = BODY_NEEDS_UPDATE,
        [ANSWER_ERROR_DISABLED] = BODY_DISABLED,
        [ANSWER_ERROR_NOT_READY] = BODY_NOT_READY,
    };

    return kinds[kind];
}

/* --- an answer to a write --- */

/* Wrapped, as the API's specification has it, or bare, as its guide prints it. A whole job object
 * is one too: the answer to a repeat may be any of them. */
static bool read_async(const struct value *root, struct body_reading *reading)
{
    struct value wrapped = value_member(root, SLICE("async_response"));
    struct value job = value_member(root, SLICE("job"));
    const struct value *object = answer_is_map(&wrapped) ? &wrapped
                                 : answer_is_map(&job)   ? &job
                                                         : root;
    struct value request = value_member(object, SLICE("request"));

    reading->job_id = answer_text_member(object, "id");
    reading->response_url = answer_text_member(object, "response_url");
    if (object == &wrapped)
        return true;
    return reading->job_id.length > 0 && answer_text_member(object, "status").length > 0 &&
           (reading->response_url.length > 0 || answer_is_map(&request));
}

static bool has_result(const struct value *root, const struct operation *operation)
{
    struct value result = {.kind = VALUE_OMIT};

    if (operation != NULL && operation->result[0] != '\0')
        result = value_member(root, slice_of(operation->result));
    return result.kind != VALUE_OMIT && result.kind != VALUE_NULL;
}

static void read_written(const struct value *root, const struct reply_input *input,
                         struct body_reading *reading)
{
    reading->result = answer_trimmed(input->body);
    if (read_async(root, reading)) {
        reading->kind = reply_job_id_is_valid(reading->job_id) ? BODY_ASYNC : BODY_ASYNC_WITHOUT_ID;
    } else if (has_result(root, input->operation)) {
        reading->kind = BODY_ENTITY;
    } else if (is_error_alone(root, reading)) {
        reading->kind = kind_of_error(reading->error.kind);
    } else if (root->map.count > 0) {
        reading->kind = BODY_ENTITY;
    }
}

/* --- an answer to a poll --- */

/* Whole numbers alone; anything else is no status. */
static uint16_t status_member(const struct value *map, const char *name)
{
    struct value member = value_member(map, slice_of(name));
    uint64_t number;

    if (member.kind != VALUE_NUMBER || !text_to_u64(member.text, &number) || number > 999)
        return 0;
    return (uint16_t)number;
}

/* Which failures prove that nothing was written, and never will be. */
static enum body_kind kind_of_failure(uint16_t http_status)
{
    static const struct {
        uint16_t from, to;
        enum body_kind kind;
    } kinds[] = {
        {400, 400, BODY_JOB_REFUSED},      {401, 401, BODY_JOB_UNAUTHORIZED},
        {403, 403, BODY_JOB_FORBIDDEN},    {404, 404, BODY_JOB_REFUSED},
        {409, 409, BODY_JOB_CONFLICT},     {410, 415, BODY_JOB_REFUSED},
        {422, 422, BODY_JOB_REFUSED},      {429, 429, BODY_JOB_THROTTLED},
        {450, 450, BODY_JOB_REFUSED},      {451, 451, BODY_JOB_UNAUTHORIZED},
        {452, 452, BODY_JOB_THROTTLED},    {550, 550, BODY_JOB_PLATFORM_ERROR},
        {500, 599, BODY_JOB_SERVER_ERROR},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (http_status >= kinds[i].from && http_status <= kinds[i].to)
            return kinds[i].kind;
    }
    return BODY_JOB_UNCLEAR;
}

static struct slice json_of(struct arena *arena, const struct value *value)
{
    struct slice text = {0};
    struct buf buf;
    char *copy;

    buf_init(&buf, ANSWER_BYTES_MAX);
    value_append_json(&buf, value);
    copy = buf.failed == ERR_OK && buf.length > 0 ? arena_copy_text(arena, buf.bytes, buf.length)
                                                  : NULL;
    if (copy != NULL)
        text = (struct slice){copy, buf.length};
    buf_deinit(&buf);
    return text;
}

static void read_finished(struct arena *arena, const struct value *job, bool success,
                          struct body_reading *reading)
{
    struct value response = value_member(job, SLICE("response"));
    struct value body = value_member(&response, SLICE("body"));
    bool is_error = is_error_alone(&body, reading);

    reading->job_http_status = status_member(&response, "http_status");
    if (body.kind != VALUE_OMIT && body.kind != VALUE_NULL)
        reading->result = json_of(arena, &body);
    if (!success) {
        reading->kind = kind_of_failure(reading->job_http_status);
        return;
    }
    if (is_error || (reading->job_http_status != 0 &&
                     (reading->job_http_status < 200 || reading->job_http_status > 299)))
        reading->kind = BODY_JOB_UNCLEAR;
    else
        reading->kind = BODY_JOB_SUCCESS;
}

static bool is_another_job(const struct value *job, const struct reply_input *input)
{
    struct value request = value_member(job, SLICE("request"));
    struct slice key = answer_text_member(&request, "idempotency_key");
    const char *ours = input->idempotency_key == NULL ? "" : input->idempotency_key;

    if (input->remote_job == NULL || !slice_is(answer_text_member(job, "id"), input->remote_job))
        return true;
    return ours[0] != '\0' && key.length > 0 && !slice_is(key, ours);
}

static void read_job(struct arena *arena, const struct value *root, const struct reply_input *input,
                     struct body_reading *reading)
{
    struct value wrapped = value_member(root, SLICE("job"));
    struct value async = value_member(root, SLICE("async_response"));
    const struct value *job = answer_is_map(&wrapped) ? &wrapped
                              : answer_is_map(&async) ? &async
                                                      : root;
    struct slice status = answer_text_member(job, "status");

    if (status.length == 0 || answer_text_member(job, "id").length == 0) {
        if (answer_read_error(root, &reading->error))
            reading->kind = kind_of_error(reading->error.kind);
    } else if (is_another_job(job, input)) {
        reading->kind = BODY_JOB_OF_ANOTHER;
    } else if (slice_is(status, "prequeued") || slice_is(status, "pending")) {
        reading->kind = BODY_JOB_PENDING;
    } else if (slice_is(status, "success") || slice_is(status, "failure")) {
        read_finished(arena, job, slice_is(status, "success"), reading);
    } else if (slice_is(status, "partial_success")) {
        read_finished(arena, job, true, reading);
        reading->kind = BODY_JOB_PARTIAL;
    } else {
        reading->kind = BODY_JOB_OF_UNKNOWN_STATUS;
    }
}

struct body_reading reply_read_body(struct arena *arena, const struct reply_input *input)
{
    struct body_reading reading = {.kind = BODY_UNREADABLE};
    bool deleted = input->http_status == 204 && input->operation != NULL &&
                   input->operation->method == METHOD_DELETE && input->phase == PHASE_SEND;
    struct value root;

    switch (answer_parse(arena, input->body, input->content_type, &root)) {
    case ANSWER_EMPTY:
        reading.kind = deleted ? BODY_DELETED : BODY_EMPTY;
        break;
    case ANSWER_WEB_PAGE:
        reading.kind = BODY_WEB_PAGE;
        reading.error.message = excerpt(input->body);
        break;
    case ANSWER_UNREADABLE:
        reading.error.message = excerpt(input->body);
        break;
    case ANSWER_OBJECT:
        if (input->phase == PHASE_SEND)
            read_written(&root, input, &reading);
        else
            read_job(arena, &root, input, &reading);
        break;
    }
    return reading;
}
