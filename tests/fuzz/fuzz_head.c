/* The head of an answer, cut as the bytes say, line by line as libcurl gives it: values are visible
 * and within their bounds, whatever a later head or a trailer says; and what is made of Retry-After
 * and Date is a time or none. */
#include <string.h>

#include "curl_transport_internal.h"
#include "fuzz.h"
#include "purser/codec/reply.h"

static void check_value(const char *value, size_t size)
{
    LAW(memchr(value, '\0', size) != NULL);
    for (const char *at = value; *at != '\0'; at++)
        LAW(*at >= ' ' && *at <= '~');
    LAW(value[0] != ' ');
}

static void check(const struct answer *answer)
{
    int64_t pause_ms, date_ms;

    check_value(answer->content_type, sizeof answer->content_type);
    check_value(answer->request_id, sizeof answer->request_id);
    check_value(answer->job_id, sizeof answer->job_id);
    check_value(answer->retry_after, sizeof answer->retry_after);
    check_value(answer->date, sizeof answer->date);
    pause_ms = reply_retry_after_ms(answer->retry_after, answer->date, 1764200000000);
    LAW(pause_ms >= -1 && pause_ms <= RETRY_AFTER_MAX_MS);
    LAW(pause_ms == -1 || answer->retry_after[0] != '\0');
    date_ms = reply_date_ms(answer->date);
    LAW(date_ms >= -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct answer answer;
    char *copy = malloc(length + 1), *at = copy, *end;

    LAW(copy != NULL);
    memcpy(copy, bytes, length);
    end = copy + length;
    memset(&answer, 0, sizeof answer);
    buf_init(&answer.body, 4096);
    while (at < end && answer.refused == NULL) {
        char *line = memchr(at, '\n', (size_t)(end - at));
        size_t part = line == NULL ? (size_t)(end - at) : (size_t)(line + 1 - at);
        size_t taken = answer_take_header(at, 1, part, &answer);

        LAW((taken == part) == (answer.refused == NULL));
        at += part;
    }
    check(&answer);
    (void)answer_take_body(copy, 1, length, &answer);
    LAW(answer.body.length <= 4096);
    answer_reset(&answer);
    LAW(answer.body.length == 0 && answer.header_bytes == 0);
    buf_deinit(&answer.body);
    free(copy);
    LAW_NOTHING_LEFT();
    return 0;
}
