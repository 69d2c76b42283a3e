/* Any answer gives an event that the life cycle can take, and texts within their bounds.
 *
 * The input is lines: phase (s, p; S, P for a DELETE) and status, then content type, job id,
 * Retry-After and Date, each one line; the rest is the body. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "purser/base/arena.h"
#include "purser/codec/reply.h"
#include "purser/core/operation.h"

#define LINE_BYTES 200

static const char *take_line(const uint8_t **at, const uint8_t *end, char line[LINE_BYTES])
{
    size_t length = 0;

    while (*at < end && **at != '\n') {
        if (length + 1 < LINE_BYTES && **at != '\0')
            line[length++] = (char)**at;
        (*at)++;
    }
    if (*at < end)
        (*at)++;
    line[length] = '\0';
    return line;
}

static int status_of(const char *text)
{
    long number = strtol(text, NULL, 10);

    return number < 100 || number > 999 ? 200 : (int)number;
}

static void check(const struct reply_input *input, const struct reply_reading *reading)
{
    struct item item = {0};
    struct policy policy = {.repeatable = true,
                            .attempt_limit = 10,
                            .first_delay_ms = 1000,
                            .max_delay_ms = 60000,
                            .missing_for_ms = 60000,
                            .key_window_ms = 43200000};
    size_t bad;

    LAW(reading->event.kind < ITEM_EVENT_COUNT);
    LAW(reading->scope <= SCOPE_OF_CREDENTIALS);
    LAW(reading->pause_ms >= -1 && reading->pause_ms <= RETRY_AFTER_MAX_MS);
    LAW(reading->message != NULL && reading->rule != NULL);
    LAW(strlen(reading->message) <= ERROR_MESSAGE_BYTES_MAX);
    LAW(text_is_utf8(reading->message, strlen(reading->message), &bad));
    item.state = input->phase == PHASE_SEND ? ITEM_SENDING : ITEM_WAITING;
    item.accepted = input->phase == PHASE_POLL;
    item.generation = 1;
    item.attempt_count = 1;
    if (item.accepted)
        snprintf(item.remote_job, sizeof item.remote_job, "%s", input->remote_job);
    LAW(lifecycle_step(&item, &reading->event, &policy).legal);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t *at = bytes, *end = bytes + length;
    char head[LINE_BYTES], type[LINE_BYTES], job[LINE_BYTES], after[LINE_BYTES], date[LINE_BYTES];
    struct reply_input input = {.base_origin = "https://production.rutterapi.com",
                                .remote_job = "7e8aeca8-05c5-4b1e-9d1c-5d5a3c6a7f00",
                                .idempotency_key = "3f0b1c52-7d1e-4a57-9b0e-5a3f7c2d9e10",
                                .now_ms = 1764200000000};
    struct reply_reading reading;
    struct arena arena;

    take_line(&at, end, head);
    input.phase = head[0] == 'p' || head[0] == 'P' ? PHASE_POLL : PHASE_SEND;
    if (head[0] == 'S' || head[0] == 'P') {
        input.operation = operation_find(METHOD_DELETE, SLICE("/accounting/bills/1"));
        input.path = SLICE("/accounting/bills/a%2fb");
    }
    input.http_status = head[0] == '\0' ? 200 : status_of(head + 1);
    input.content_type = take_line(&at, end, type);
    input.job_id = take_line(&at, end, job);
    input.retry_after = take_line(&at, end, after);
    input.date = take_line(&at, end, date);
    input.body = (struct slice){(const char *)at, (size_t)(end - at)};
    arena_init(&arena, 64u * 1024 * 1024);
    reading = reply_read(&arena, &input);
    check(&input, &reading);
    arena_deinit(&arena);
    LAW_NOTHING_LEFT();
    return 0;
}
