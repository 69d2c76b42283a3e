#include "curl_answers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASYNC                                                                             \
    "{\"async_response\":{\"id\":\"" ANSWER_JOB "\",\"response_url\":\"/jobs/" ANSWER_JOB \
    "\",\"status\":\"prequeued\"}}"
#define ENTITY "{\"product\":{\"id\":\"8a5c\",\"name\":\"Tea\"}}"
#define ERROR "{\"error_type\":\"INVALID\",\"error_message\":\"no such unit\"}"
#define JOB(rest) \
    "{\"id\":\"" ANSWER_JOB "\",\"request\":{\"idempotency_key\":\"" ANSWER_KEY "\"}," rest "}"
#define DONE_JOB(status, http, body) \
    JOB("\"status\":\"" status "\",\"response\":{\"http_status\":" http ",\"body\":" body "}")
#define LATER "Retry-After: " ANSWER_LATER "\r\n"
#define ELSEWHERE "Location: http://127.0.0.1:8080/elsewhere\r\n"

#define REFUSES(status)                                                    \
    {                                                                      \
        PHASE_SEND, status, false, "", ERROR, EVENT_REFUSED, EVENT_REFUSED \
    }
#define OPEN(status)                                                    \
    {                                                                   \
        PHASE_SEND, status, false, LATER, ERROR, EVENT_LOST, EVENT_LOST \
    }
#define MOVES(status)                                                    \
    {                                                                    \
        PHASE_SEND, status, false, ELSEWHERE, "", EVENT_HELD, EVENT_HELD \
    }

const struct answer_form answer_forms[] = {
    {PHASE_SEND, 202, true, "", ASYNC, EVENT_ACCEPTED, EVENT_ACCEPTED},
    {PHASE_SEND, 202, false, "", ASYNC, EVENT_ACCEPTED, EVENT_LOST},
    {PHASE_SEND, 200, false, "", ASYNC, EVENT_ACCEPTED, EVENT_LOST},
    {PHASE_SEND, 200, false, "", ENTITY, EVENT_DONE, EVENT_LOST},
    {PHASE_SEND, 201, true, "", ENTITY, EVENT_DONE, EVENT_ACCEPTED},
    {PHASE_SEND, 204, false, "", "", EVENT_LOST, EVENT_LOST},
    {PHASE_SEND, 206, false, "", ENTITY, EVENT_LOST, EVENT_LOST},
    MOVES(301),
    {PHASE_SEND, 303, false, ELSEWHERE, "", EVENT_LOST, EVENT_LOST},
    MOVES(307),
    MOVES(308),
    REFUSES(400),
    {PHASE_SEND, 400, true, "", ERROR, EVENT_ACCEPTED, EVENT_ACCEPTED},
    {PHASE_SEND, 401, false, "", ERROR, EVENT_HELD, EVENT_HELD},
    {PHASE_SEND, 403, false, "", ERROR, EVENT_HELD, EVENT_HELD},
    REFUSES(404),
    OPEN(408),
    {PHASE_SEND, 409, false, "", ERROR, EVENT_UNCLEAR, EVENT_UNCLEAR},
    REFUSES(410),
    REFUSES(413),
    REFUSES(422),
    OPEN(425),
    {PHASE_SEND, 429, false, LATER, ERROR, EVENT_THROTTLED, EVENT_THROTTLED},
    REFUSES(450),
    {PHASE_SEND, 451, false, "", ERROR, EVENT_HELD, EVENT_HELD},
    {PHASE_SEND, 452, false, LATER, ERROR, EVENT_THROTTLED, EVENT_THROTTLED},
    OPEN(500),
    OPEN(502),
    OPEN(503),
    OPEN(504),
    {PHASE_SEND, 550, false, "", ERROR, EVENT_UNCLEAR, EVENT_UNCLEAR},
    OPEN(599),
    {PHASE_POLL, 200, false, "", JOB("\"status\":\"pending\""), EVENT_PENDING, EVENT_LOST},
    {PHASE_POLL, 200, false, "", DONE_JOB("success", "200", ENTITY), EVENT_DONE, EVENT_LOST},
    {PHASE_POLL, 200, false, "", DONE_JOB("failure", "400", ERROR), EVENT_REFUSED, EVENT_LOST},
    {PHASE_POLL, 200, false, "", DONE_JOB("failure", "452", ERROR), EVENT_JOB_THROTTLED,
     EVENT_LOST},
    {PHASE_POLL, 404, false, "", ERROR, EVENT_MISSING, EVENT_MISSING},
    {PHASE_POLL, 429, false, LATER, ERROR, EVENT_THROTTLED, EVENT_THROTTLED},
    {PHASE_POLL, 503, false, LATER, ERROR, EVENT_LOST, EVENT_LOST},
};
const size_t answer_form_count = sizeof answer_forms / sizeof answer_forms[0];

static void append(struct answer_text *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct answer_text *out, const char *format, ...)
{
    size_t room = sizeof out->bytes - out->length;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(out->bytes + out->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        abort();
    out->length += (size_t)length;
}

static void append_chunks(struct answer_text *out, const char *body, bool trailers)
{
    size_t length = strlen(body), first = length / 2;

    if (first > 0)
        append(out, "%zx\r\n%.*s\r\n", first, (int)first, body);
    if (length > first)
        append(out, "%zX;more=1\r\n%s\r\n", length - first, body + first);
    append(out, "0\r\n");
    /* Trailers are not the head: what they say must not be used. */
    if (trailers)
        append(out, "X-Rutter-Job-ID: job-of-a-trailer\r\nRetry-After: 99\r\n");
    append(out, "\r\n");
}

void answer_write(const struct answer_form *form, enum framing framing, struct answer_text *out)
{
    bool chunks = framing == FRAME_CHUNKS || framing == FRAME_CHUNKS_TRAILERS ||
                  framing == FRAME_CHUNKS_AFTER_103;

    out->length = 0;
    if (framing == FRAME_LENGTH_AFTER_100)
        append(out, "HTTP/1.1 100 Continue\r\n\r\n");
    if (framing == FRAME_CHUNKS_AFTER_103)
        append(out, "HTTP/1.1 103 Early Hints\r\nX-Rutter-Job-ID: job-of-a-hint\r\n\r\n");
    out->head_start = out->length;
    append(out, "HTTP/1.1 %d Said So\r\n", form->status);
    if (form->body[0] != '\0')
        append(out, "Content-Type: application/json\r\n");
    if (form->names_job)
        append(out, "X-Rutter-Job-ID: " ANSWER_JOB "\r\n");
    append(out, "%s", form->head);
    /* 204 has no body and no framing. Source: RFC 9112, 6.3. */
    if (form->status != 204 && chunks)
        append(out, "Transfer-Encoding: chunked\r\n");
    else if (form->status != 204 && framing != FRAME_CLOSE)
        append(out, "Content-Length: %zu\r\n", strlen(form->body));
    append(out, "\r\n");
    out->head_end = out->length;
    if (form->status == 204)
        return;
    if (chunks)
        append_chunks(out, form->body, framing == FRAME_CHUNKS_TRAILERS);
    else
        append(out, "%s", form->body);
}
