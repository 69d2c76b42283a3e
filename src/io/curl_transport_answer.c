#include <string.h>
#include <strings.h>

#include "curl_transport_internal.h"

/* A buffer that grew for one huge answer is not kept for all the small ones. */
enum { BODY_BYTES_KEPT_MAX = 64 * 1024 };

void answer_reset(struct answer *answer)
{
    struct buf body = answer->body;

    if (body.capacity > BODY_BYTES_KEPT_MAX)
        buf_deinit(&body);
    buf_clear(&body);
    memset(answer, 0, sizeof *answer);
    answer->body = body;
}

/* Visible ASCII and spaces; anything else has no business in a header that is looked at. */
static void copy_value(char *out, size_t size, const char *value, size_t length)
{
    size_t kept = 0;

    if (out[0] != '\0')
        return; /* the first of several counts */
    while (length > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        length--;
    }
    while (length > 0 && strchr(" \t\r\n", value[length - 1]) != NULL)
        length--;
    for (; kept < length && kept < size - 1; kept++)
        out[kept] = value[kept] >= ' ' && value[kept] <= '~' ? value[kept] : '?';
    out[kept] = '\0';
}

static void note_header(struct answer *answer, const char *line, size_t length)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } wanted[] = {
        {"content-type", answer->content_type, sizeof answer->content_type},
        {"x-rutter-request-id", answer->request_id, sizeof answer->request_id},
        {"x-rutter-job-id", answer->job_id, sizeof answer->job_id},
        {"retry-after", answer->retry_after, sizeof answer->retry_after},
        {"date", answer->date, sizeof answer->date},
    };
    const char *colon = memchr(line, ':', length);

    if (colon == NULL)
        return;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        size_t name_length = strlen(wanted[i].name);

        if ((size_t)(colon - line) == name_length &&
            strncasecmp(line, wanted[i].name, name_length) == 0)
            copy_value(wanted[i].out, wanted[i].size, colon + 1, length - name_length - 1);
    }
}

/* "HTTP/1.1 200 …" or "HTTP/2 200 "; 0 when it is not written so. libcurl takes any line that
 * begins with HTTP/ in whatever case and that it does not understand for a 200.
 * Source: RFC 9112, 4; curl lib/http.c, checkhttpprefix. */
static int status_of(const char *line, size_t length)
{
    size_t at = length >= 8 && line[6] == '.' ? 8 : 6;

    if (length < at + 5 || !text_is_digit(line[5]) || !text_is_digit(line[at - 1]) ||
        line[at] != ' ' || !text_is_digit(line[at + 1]) || !text_is_digit(line[at + 2]) ||
        !text_is_digit(line[at + 3]) || text_is_digit(line[at + 4]))
        return 0;
    return (line[at + 1] - '0') * 100 + (line[at + 2] - '0') * 10 + (line[at + 3] - '0');
}

/* A new status line: what came before was informational (1xx). */
static void begin_head(struct answer *answer, const char *line, size_t length)
{
    answer->http_status = status_of(line, length);
    answer->content_type[0] = answer->request_id[0] = answer->job_id[0] = '\0';
    answer->retry_after[0] = answer->date[0] = '\0';
    answer->headers_complete = false;
    if (answer->informational_count++ > INFORMATIONAL_ANSWERS_MAX)
        answer->refused = "more than 32 informational answers (1xx)";
}

size_t answer_take_header(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t length = size * count;

    answer->header_bytes += length;
    if (answer->header_bytes > ANSWER_HEADER_BYTES_MAX)
        answer->refused = "the answer's headers are longer than 64 KiB";
    else if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        begin_head(answer, bytes, length);
    else if (length <= 2)
        answer->headers_complete = true;
    else if (!answer->headers_complete)
        note_header(answer, bytes, length);
    return answer->refused == NULL ? length : 0;
}

size_t answer_take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;

    buf_append(&answer->body, bytes, size * count);
    if (answer->body.failed == ERR_OK)
        return size * count;
    answer->refused = answer->body.failed == ERR_TOO_BIG ? "the answer is longer than 4 MiB"
                                                         : "out of memory for the answer";
    return 0;
}
