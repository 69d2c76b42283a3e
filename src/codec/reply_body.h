/* What an answer's body is, for the table of reply.c. */
#ifndef PURSER_CODEC_REPLY_BODY_H
#define PURSER_CODEC_REPLY_BODY_H

#include "answer.h"
#include "purser/codec/reply_table.h"

struct body_reading {
    enum body_kind kind;
    struct slice job_id;       /* BODY_ASYNC */
    struct slice response_url; /* as given; empty = none */
    uint16_t job_http_status;  /* of a finished job; 0 = none given */
    struct slice result;       /* JSON text to keep; empty = none */
    struct answer_error error; /* its message also holds what an unreadable body begins with */
};

/* True if `request` of a job names another method or path than ours: a clear contradiction, because
 * the prefix and the query are the server's own, and the URL may hold secrets. Without a path of
 * ours the operation's template is compared. */
bool reply_request_contradicts(const struct value *request, const struct reply_input *input);

/* Cannot fail; everything it gives lives in `arena` or in the input. */
struct body_reading reply_read_body(struct arena *arena, const struct reply_input *input);

#endif
