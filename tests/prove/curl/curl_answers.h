/* The answers of an honest server, with what each proves, said by hand. */
#ifndef PURSER_TESTS_CURL_ANSWERS_H
#define PURSER_TESTS_CURL_ANSWERS_H

#include "purser/codec/reply.h"

#define ANSWER_KEY "11111111-2222-4333-8444-555555555555"
#define ANSWER_JOB "job-1"
#define ANSWER_LATER "7" /* Retry-After, where there is one */

enum framing {
    FRAME_LENGTH,
    FRAME_CHUNKS,
    FRAME_CHUNKS_TRAILERS,
    FRAME_CLOSE,
    FRAME_LENGTH_AFTER_100,
    FRAME_CHUNKS_AFTER_103,
    FRAME_COUNT
};

struct answer_form {
    enum reply_phase phase;
    int status;
    bool names_job;   /* in the head: X-Rutter-Job-ID */
    const char *head; /* more lines of the head */
    const char *body;
    enum item_event_kind whole; /* what it means when it is all there */
    enum item_event_kind alone; /* what its head alone means, with less of a body, or another one */
};

extern const struct answer_form answer_forms[];
extern const size_t answer_form_count;

struct answer_text {
    char bytes[2048];
    size_t length;
    size_t head_start; /* of the final answer, behind informational ones */
    size_t head_end;   /* behind the empty line */
};

void answer_write(const struct answer_form *form, enum framing framing, struct answer_text *out);

#endif
