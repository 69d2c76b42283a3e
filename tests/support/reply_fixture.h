/* Answers as they come in. */
#ifndef PURSER_TESTS_REPLY_FIXTURE_H
#define PURSER_TESTS_REPLY_FIXTURE_H

#include "purser/codec/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"

#define JSON "application/json"
#define OUR_KEY "11111111-2222-4333-8444-555555555555"
#define ORIGIN "https://production.rutterapi.com:443"
#define ASYNC(id, url)                                                                \
    "{\"async_response\":{\"id\":\"" id "\",\"response_url\":\"" url "\",\"status\":" \
    "\"prequeued\"}}"
#define JOB(rest) "{\"id\":\"job-1\",\"request\":{\"idempotency_key\":\"" OUR_KEY "\"}," rest "}"
#define DONE_JOB(status, http, body) \
    JOB("\"status\":\"" status "\",\"response\":{\"http_status\":" http ",\"body\":" body "}")

static inline struct reply_input input_of(enum reply_phase phase, int http_status, const char *body)
{
    return (struct reply_input){.phase = phase,
                                .operation = operation_find(METHOD_POST, SLICE("/products")),
                                .http_status = http_status,
                                .body = {body, strlen(body)},
                                .content_type = JSON,
                                .job_id = "",
                                .retry_after = "",
                                .date = "",
                                .base_origin = ORIGIN,
                                .remote_job = "job-1",
                                .idempotency_key = OUR_KEY,
                                .now_ms = 1700000000000};
}

#endif
