/* What an answer's body is, for the table of reply.c. */
#ifndef PURSER_CODEC_REPLY_BODY_H
#define PURSER_CODEC_REPLY_BODY_H

#include "answer.h"
#include "purser/codec/reply.h"

enum body_kind {
    /* of every answer */
    BODY_EMPTY,
    BODY_UNREADABLE, /* not strict JSON, cut, of another media type, or an object without sense */
    BODY_WEB_PAGE,
    /* of an answer to a write */
    BODY_ASYNC, /* names a remote job that can be polled */
    BODY_ASYNC_WITHOUT_ID,
    BODY_ENTITY,
    BODY_DELETED, /* 204 for a DELETE */
    BODY_ERROR,
    /* errors whose code says more than the status */
    BODY_BAD_CREDENTIALS,
    BODY_NOT_ALLOWED,
    BODY_NEEDS_UPDATE,
    BODY_DISABLED,
    BODY_NOT_READY,
    /* of an answer to a poll */
    BODY_JOB_PENDING,
    BODY_JOB_OF_UNKNOWN_STATUS,
    BODY_JOB_OF_ANOTHER,
    BODY_JOB_SUCCESS,
    BODY_JOB_PARTIAL,
    BODY_JOB_REFUSED,      /* failed, and by its status nothing was written */
    BODY_JOB_UNAUTHORIZED, /* the same, because the platform's credentials are dead */
    BODY_JOB_FORBIDDEN,
    BODY_JOB_THROTTLED,
    BODY_JOB_CONFLICT,
    BODY_JOB_SERVER_ERROR,
    BODY_JOB_PLATFORM_ERROR,
    BODY_JOB_UNCLEAR,
    BODY_KIND_COUNT
};

struct body_reading {
    enum body_kind kind;
    struct slice job_id;       /* BODY_ASYNC */
    struct slice response_url; /* as given; empty = none */
    uint16_t job_http_status;  /* of a finished job; 0 = none given */
    struct slice result;       /* JSON text to keep; empty = none */
    struct answer_error error; /* its message also holds what an unreadable body begins with */
};

/* Cannot fail; everything it gives lives in `arena` or in the input. */
struct body_reading reply_read_body(struct arena *arena, const struct reply_input *input);

#endif
