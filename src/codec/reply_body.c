#include "reply_body.h"

#include <string.h>

enum { EXCERPT_BYTES_MAX = 200 };

static struct slice excerpt(struct slice body)
{
    body = answer_trimmed(body);
    if (body.length > EXCERPT_BYTES_MAX)
        body.length = EXCERPT_BYTES_MAX;
    return body;
}

/* An error, and not an entity with warnings beside it. */
static bool is_error_alone(const struct value *root, struct body_reading *reading)
{
    bool is_error = answer_read_error(root, &reading->error);

    if (is_error && reading->error.type.length + reading->error.code.length > 0 &&
        value_member(root, SLICE("errors")).kind == VALUE_OMIT)
        return true;
    return is_error && root->map.count == 1;
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
        [ANSWER_ERROR_BAD_VERSION] = BODY_BAD_VERSION,
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

/* What says that something was written: not null, false, or empty. */
static bool is_something(const struct value *value)
{
    switch (value->kind) {
    case VALUE_MAP:
    case VALUE_NUMBER:
        return true;
    case VALUE_LIST:
        return value->list.count > 0;
    case VALUE_STRING:
        return value->text.length > 0;
    case VALUE_BOOL:
        return value->boolean;
    case VALUE_UNKNOWN:
    case VALUE_OMIT:
    case VALUE_NULL:
        break;
    }
    return false;
}

static bool is_deletion(const struct operation *operation)
{
    return operation != NULL && operation->method == METHOD_DELETE;
}

/* {"code":"deleted"|"not_found","success":…}, bare or as the one object in a wrapper; what is not
 * there needs no deleting, which is how the API makes a DELETE repeatable. 1: done, 0: denied, -1:
 * the answer has no such form. Source: Rutter's OpenAPI document of 2023-12, DELETE of bills. */
static int deletion(const struct value *root, bool is_delete)
{
    const struct value *object = root;
    struct value success;

    if (is_delete && answer_is_map(root) && root->map.count == 1)
        object = &root->map.values[0];
    if (slice_is(answer_text_member(object, "code"), "not_found"))
        return 1;
    success = value_member(object, SLICE("success"));
    return success.kind == VALUE_BOOL ? success.boolean : -1;
}

/* The entity under its own name, as a list of its kind ({"bill_payments":[…]}), or bare. Of an
 * operation whose result has no known name any object that says something will do. */
static bool has_entity(const struct value *root, const struct operation *operation)
{
    const char *name = operation == NULL ? "" : operation->result;
    struct value found = value_member(root, slice_of(name));
    struct value list = {.kind = VALUE_OMIT};

    if (name[0] == '\0')
        return root->map.count > 0;
    if (is_something(&found))
        return true;
    for (size_t i = 0; i < root->map.count; i++) {
        struct slice other = root->map.names[i];

        if (other.length == strlen(name) + 1 && memcmp(other.bytes, name, strlen(name)) == 0 &&
            other.bytes[strlen(name)] == 's')
            list = root->map.values[i];
    }
    return (list.kind == VALUE_LIST && is_something(&list)) ||
           answer_text_member(root, "id").length > 0;
}

static enum body_kind kind_of_written(const struct value *root, const struct operation *operation,
                                      struct body_reading *reading)
{
    bool is_delete = is_deletion(operation);
    int deleted = deletion(root, is_delete);

    if (operation != NULL && operation->result[0] != '\0') {
        struct value found = value_member(root, slice_of(operation->result));

        if (is_something(&found) && !(is_delete && deleted == 0))
            return BODY_ENTITY;
    }
    if (is_error_alone(root, reading))
        return kind_of_error(reading->error.kind);
    if (deleted != -1)
        return deleted == 1 ? BODY_ENTITY : BODY_ERROR;
    return has_entity(root, operation) ? BODY_ENTITY : BODY_WRONG_SHAPE;
}

static void read_written(const struct value *root, const struct reply_input *input,
                         struct body_reading *reading)
{
    reading->result = answer_trimmed(input->body);
    if (read_async(root, reading))
        reading->kind = reply_job_id_is_valid(reading->job_id) ? BODY_ASYNC : BODY_ASYNC_WITHOUT_ID;
    else
        reading->kind = kind_of_written(root, input->operation, reading);
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

/* Which failures prove that nothing was written, and never will be. 429 and 5xx do not. */
static enum body_kind kind_of_failed_status(uint16_t http_status)
{
    static const struct {
        uint16_t from, to;
        enum body_kind kind;
    } kinds[] = {
        {400, 400, BODY_JOB_REFUSED},        {401, 401, BODY_JOB_UNAUTHORIZED},
        {403, 403, BODY_JOB_FORBIDDEN},      {404, 404, BODY_JOB_REFUSED},
        {409, 409, BODY_JOB_CONFLICT},       {410, 415, BODY_JOB_REFUSED},
        {422, 422, BODY_JOB_REFUSED},        {450, 450, BODY_JOB_REFUSED},
        {451, 451, BODY_JOB_NEEDS_UPDATE},   {452, 452, BODY_JOB_THROTTLED},
        {550, 550, BODY_JOB_PLATFORM_ERROR}, {500, 599, BODY_JOB_SERVER_ERROR},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (http_status >= kinds[i].from && http_status <= kinds[i].to)
            return kinds[i].kind;
    }
    return BODY_JOB_UNCLEAR;
}

/* A code says more than the status, but only the status proves that nothing was written. */
static enum body_kind kind_of_failure(uint16_t http_status, enum answer_error_kind error)
{
    static const enum body_kind kinds[] = {
        [ANSWER_ERROR_OTHER] = BODY_JOB_REFUSED,
        [ANSWER_ERROR_BAD_CREDENTIALS] = BODY_JOB_UNAUTHORIZED,
        [ANSWER_ERROR_NOT_ALLOWED] = BODY_JOB_FORBIDDEN,
        [ANSWER_ERROR_NEEDS_UPDATE] = BODY_JOB_NEEDS_UPDATE,
        [ANSWER_ERROR_DISABLED] = BODY_JOB_DISABLED,
        [ANSWER_ERROR_NOT_READY] = BODY_JOB_NOT_READY,
        [ANSWER_ERROR_BAD_VERSION] = BODY_JOB_REFUSED,
    };
    enum body_kind by_status = kind_of_failed_status(http_status);
    bool is_refusal = by_status == BODY_JOB_REFUSED || by_status == BODY_JOB_UNAUTHORIZED ||
                      by_status == BODY_JOB_FORBIDDEN || by_status == BODY_JOB_NEEDS_UPDATE;

    return is_refusal && error != ANSWER_ERROR_OTHER ? kinds[error] : by_status;
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

static enum body_kind kind_of_success(uint16_t http_status, const struct value *body,
                                      const struct operation *operation, bool is_error)
{
    bool is_empty = !is_something(body) || (answer_is_map(body) && body->map.count == 0);

    if (is_error || deletion(body, is_deletion(operation)) == 0 ||
        (http_status != 0 && (http_status < 200 || http_status > 299)))
        return BODY_JOB_UNCLEAR;
    return is_empty && !is_deletion(operation) ? BODY_JOB_SUCCESS_ALONE : BODY_JOB_SUCCESS;
}

static void read_finished(struct arena *arena, const struct value *job, bool success,
                          const struct operation *operation, struct body_reading *reading)
{
    struct value response = value_member(job, SLICE("response"));
    struct value body = value_member(&response, SLICE("body"));
    bool is_error = is_error_alone(&body, reading);

    reading->job_http_status = status_member(&response, "http_status");
    if (body.kind != VALUE_OMIT && body.kind != VALUE_NULL)
        reading->result = json_of(arena, &body);
    reading->kind = success ? kind_of_success(reading->job_http_status, &body, operation, is_error)
                            : kind_of_failure(reading->job_http_status, reading->error.kind);
}

static bool is_another_job(const struct value *job, const struct reply_input *input)
{
    struct value request = value_member(job, SLICE("request"));
    struct slice key = answer_text_member(&request, "idempotency_key");
    const char *ours = input->idempotency_key == NULL ? "" : input->idempotency_key;

    if (input->remote_job == NULL || !slice_is(answer_text_member(job, "id"), input->remote_job))
        return true;
    if (ours[0] != '\0' && key.length > 0 && !slice_is(key, ours))
        return true;
    return reply_request_contradicts(&request, input);
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
        read_finished(arena, job, slice_is(status, "success"), input->operation, reading);
    } else if (slice_is(status, "partial_success")) {
        read_finished(arena, job, true, input->operation, reading);
        reading->kind = BODY_JOB_PARTIAL;
    } else {
        reading->kind = BODY_JOB_OF_UNKNOWN_STATUS;
    }
}

struct body_reading reply_read_body(struct arena *arena, const struct reply_input *input)
{
    struct body_reading reading = {.kind = BODY_UNREADABLE};
    bool deleted =
        input->http_status == 204 && is_deletion(input->operation) && input->phase == PHASE_SEND;
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
