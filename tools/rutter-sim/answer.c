#include "api.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LONG_URL_BYTES 100000
#define HUGE_BYTES (5u * 1024 * 1024)
#define DEEP_BRACKETS 100000
#define HTML_PAGE                                                                    \
    "<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center>" \
    "</body>\r\n</html>\r\n"

void answer_error(struct answer *answer, int status, const char *type, const char *code,
                  const char *message)
{
    text_clear(answer->body);
    answer->status = status;
    add_error(answer->body, type, code, message);
}

static void set_retry_after(struct answer *answer, const char *value)
{
    time_t then = time(NULL) + 1;
    struct tm parts;

    if (strcmp(value, "date") == 0) {
        gmtime_r(&then, &parts);
        strftime(answer->retry_after, sizeof answer->retry_after, "%a, %d %b %Y %H:%M:%S GMT",
                 &parts);
        return;
    }
    snprintf(answer->retry_after, sizeof answer->retry_after, "%s", value);
}

static void set_page(struct answer *answer, int status)
{
    text_clear(answer->body);
    answer->status = status;
    answer->content_type = "text/html";
    answer->has_job_id = false;
    text_addf(answer->body, HTML_PAGE, status, status);
}

void answer_outcome(struct sim *sim, struct answer *answer, const struct outcome *outcome)
{
    answer->wire = outcome->wire;
    answer->delay_ms += outcome->delay_ms;
    if (outcome->change != CHANGE_NONE)
        answer_change(sim, answer, outcome, NULL, (struct slice){NULL, 0});
    else if (outcome->error_type != NULL)
        answer_error(answer, outcome->status, outcome->error_type, outcome->error_code,
                     outcome->message);
    if (outcome->retry_after != NULL)
        set_retry_after(answer, outcome->retry_after);
}

void answer_set_job_id(struct answer *answer, const struct job *job)
{
    uuid_format(answer->job_id, job->id[0], job->id[1]);
    answer->has_job_id = true;
}

/* The host of --foreign-origin, with its port. */
static struct slice foreign_host(const struct sim *sim)
{
    const char *slashes = strstr(sim->options.foreign_origin, "//");

    return slice_of(slashes == NULL ? sim->options.foreign_origin : slashes + 2);
}

static struct slice without_port(struct slice authority)
{
    const char *colon =
        authority.length == 0 ? NULL : memchr(authority.bytes, ':', authority.length);

    return colon == NULL ? authority
                         : (struct slice){authority.bytes, (size_t)(colon - authority.bytes)};
}

/* One letter behind a percent sign: F, the foreign origin; H, its host; O, our origin; A, our host
 * and port; N, our host alone; S, our scheme; X, the other one; P, the job's path; L, very many
 * bytes. */
static void add_url_part(struct text *text, char letter, const struct job *job,
                         struct slice authority)
{
    const struct sim *sim = job->sim;
    bool is_tls = sim->options.tls_cert != NULL;

    if (letter == 'F') {
        text_add_string(text, sim->options.foreign_origin);
    } else if (letter == 'H') {
        text_add(text, foreign_host(sim));
    } else if (letter == 'S' || letter == 'X') {
        text_add(text, is_tls == (letter == 'S') ? SLICE("https") : SLICE("http"));
    } else if (letter == 'P') {
        text_add(text, SLICE("/versioned/jobs/"));
        job_add_id(text, job);
    } else if (letter == 'L') {
        memset(text_reserve(text, LONG_URL_BYTES), 'u', LONG_URL_BYTES);
        text->length += LONG_URL_BYTES;
    } else {
        if (letter == 'O')
            text_add_string(text, sim->scheme);
        text_add(text, letter == 'N' ? without_port(authority) : authority);
    }
}

static void add_bad_url(struct text *text, const char *pattern, const struct job *job,
                        struct slice authority)
{
    if (authority.length == 0)
        authority = text_slice(&job->sim->authority);
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '%')
            add_url_part(text, *++p, job, authority);
        else
            text_add(text, (struct slice){p, 1});
    }
}

static void add_async(struct text *text, const struct job *job, struct slice authority,
                      const struct outcome *after)
{
    enum change change = after == NULL ? CHANGE_NONE : after->change;

    text_add(text,
             change == CHANGE_BARE ? SLICE("{\"id\":\"") : SLICE("{\"async_response\":{\"id\":\""));
    if (change == CHANGE_BAD_ID)
        text_add(text, SLICE("../../connections/"));
    job_add_id(text, job);
    text_add(text, SLICE("\",\"response_url\":\""));
    if (change == CHANGE_BAD_URL)
        add_bad_url(text, after->message, job, authority);
    else
        job_add_url(text, job, authority);
    text_add(text, change == CHANGE_ODD_STATUS ? SLICE("\",\"status\":\"queued_for_review\"}")
                                               : SLICE("\",\"status\":\"prequeued\"}"));
    if (change != CHANGE_BARE)
        text_add(text, SLICE("}"));
}

static bool answers_entity(const struct answer *answer, const struct job *job)
{
    if (answer->after != NULL && answer->after->change == CHANGE_ENTITY)
        return true;
    if (answer->mode == MODE_ASYNC)
        return false;
    return job->is_finished;
}

void answer_write(struct sim *sim, struct answer *answer, struct job *job, struct slice authority)
{
    if (answer->after != NULL && answer->after->change == CHANGE_ENTITY && !job->is_finished)
        job_finish(job);
    text_clear(answer->body);
    answer->status = 200;
    if (answers_entity(answer, job))
        answer->status = job_add_result(answer->body, job);
    else if (answer->mode == MODE_SYNC)
        answer_error(answer, 504, "API_REQUEST_ERROR", "GATEWAY_TIMEOUT",
                     "The write did not finish in time");
    else
        add_async(answer->body, job, authority, answer->after);
    if (!job->is_hidden && answer->status != 504)
        answer_set_job_id(answer, job);
    if (answer->after != NULL) {
        answer->wire = answer->after->wire;
        answer_change(sim, answer, answer->after, job, authority);
    }
}

static void name_another_job(struct sim *sim, struct answer *answer, const struct job *job,
                             struct slice authority)
{
    struct job other = *job;

    other.id[0] = hash_mix(job->id[0], sim->ledger.last);
    text_clear(answer->body);
    add_async(answer->body, &other, authority, NULL);
    answer_set_job_id(answer, &other);
}

static void insert_front(struct text *text, struct slice front)
{
    if (text->length == 0)
        return;
    text_reserve(text, front.length);
    memmove(text->bytes + 1 + front.length, text->bytes + 1, text->length - 1);
    memcpy(text->bytes + 1, front.bytes, front.length);
    text->length += front.length;
}

static void make_huge(struct text *body)
{
    struct text padding = {0};

    text_add(&padding, SLICE("\"padding\":\""));
    memset(text_reserve(&padding, HUGE_BYTES), 'p', HUGE_BYTES);
    padding.length += HUGE_BYTES;
    text_add(&padding, SLICE("\","));
    insert_front(body, text_slice(&padding));
    text_free(&padding);
}

static void make_deep(struct text *body)
{
    text_clear(body);
    text_add(body, SLICE("{\"async_response\":"));
    memset(text_reserve(body, 2 * DEEP_BRACKETS), '[', DEEP_BRACKETS);
    memset(body->bytes + body->length + DEEP_BRACKETS, ']', DEEP_BRACKETS);
    body->length += 2 * DEEP_BRACKETS;
    text_add(body, SLICE("}"));
}

/* Source: RFC 1952, section 8. */
static uint32_t crc32_of(struct slice bytes)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < bytes.length; i++) {
        crc ^= (unsigned char)bytes.bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void add_little_endian(struct text *text, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char byte = (char)(value >> (8 * i) & 255);

        text_add(text, (struct slice){&byte, 1});
    }
}

/* One stored block of deflate in a member of gzip; Source: RFC 1951, 3.2.4 and RFC 1952, 2.3. */
static void compress(struct answer *answer)
{
    struct text whole = {0};
    struct slice body = text_slice(answer->body);

    if (body.length > UINT16_MAX)
        return;
    text_add(&whole, SLICE("\x1f\x8b\x08\0\0\0\0\0\0\x03\x01"));
    add_little_endian(&whole, (uint32_t)body.length, 2);
    add_little_endian(&whole, ~(uint32_t)body.length, 2);
    text_add(&whole, body);
    add_little_endian(&whole, crc32_of(body), 4);
    add_little_endian(&whole, (uint32_t)body.length, 4);
    text_clear(answer->body);
    text_add(answer->body, text_slice(&whole));
    text_free(&whole);
    answer->content_encoding = "gzip";
}

static void make_garbage(struct text *body)
{
    text_clear(body);
    text_add(body, SLICE("{\"async_response\":{\"id\": <<<\x01\xff not JSON"));
}

static void name_two_ends(struct text *body)
{
    insert_front(body, SLICE("\"status\":\"failure\",\"status\":\"success\","));
}

static void leave_errors_only(struct text *body)
{
    text_clear(body);
    text_add(body, SLICE("{\"errors\":[{\"code\":1,\"description\":\"simulated\","
                         "\"slug\":\"simulated\",\"source\":\"rutter\"}]}"));
}

static void wrap_job(struct text *body)
{
    insert_front(body, SLICE("\"type\":\"JOB\",\"code\":\"JOB_COMPLETED\",\"job\":{"));
    text_add(body, SLICE("}"));
}

/* What becomes of the body alone. */
static void (*const body_changes[])(struct text *body) = {
    [CHANGE_GARBAGE] = make_garbage,
    [CHANGE_GARBAGE_NO_ID] = make_garbage,
    [CHANGE_EMPTY] = text_clear,
    [CHANGE_DUPLICATE_KEYS] = name_two_ends,
    [CHANGE_ERRORS_ONLY] = leave_errors_only,
    [CHANGE_HUGE] = make_huge,
    [CHANGE_DEEP] = make_deep,
    [CHANGE_WRAPPED_JOB] = wrap_job,
};

void answer_change(struct sim *sim, struct answer *answer, const struct outcome *outcome,
                   const struct job *job, struct slice authority)
{
    switch (outcome->change) {
    case CHANGE_NONE:
    case CHANGE_BARE:
    case CHANGE_ENTITY:
    case CHANGE_ODD_STATUS:
    case CHANGE_BAD_ID:
    case CHANGE_BAD_URL:
        break;
    case CHANGE_GARBAGE_NO_ID:
        answer->has_job_id = false;
        body_changes[outcome->change](answer->body);
        break;
    case CHANGE_GARBAGE:
    case CHANGE_EMPTY:
    case CHANGE_DUPLICATE_KEYS:
    case CHANGE_ERRORS_ONLY:
    case CHANGE_HUGE:
    case CHANGE_DEEP:
    case CHANGE_WRAPPED_JOB:
        body_changes[outcome->change](answer->body);
        break;
    case CHANGE_NO_JOB_ID:
        answer->has_job_id = false;
        break;
    case CHANGE_WRONG_TYPE:
        answer->content_type = "text/plain; charset=iso-8859-1";
        break;
    case CHANGE_GZIP:
        compress(answer);
        break;
    case CHANGE_HTML:
        set_page(answer, 200);
        break;
    case CHANGE_GATEWAY:
        set_page(answer, outcome->status);
        break;
    case CHANGE_REDIRECT:
        set_page(answer, outcome->status);
        answer->location = sim->elsewhere.bytes;
        break;
    case CHANGE_STATUS:
        answer_error(answer, outcome->status, outcome->error_type, outcome->error_code,
                     outcome->message);
        break;
    case CHANGE_NO_CONTENT:
        text_clear(answer->body);
        answer->status = 204;
        break;
    case CHANGE_SECOND_JOB:
        if (job != NULL && !job->is_hidden)
            name_another_job(sim, answer, job, authority);
        break;
    }
}
