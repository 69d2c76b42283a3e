#include "api.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
    if (outcome->status == 302)
        answer->location = "http://127.0.0.1:9/elsewhere";
    if (outcome->retry_after != NULL)
        set_retry_after(answer, outcome->retry_after);
}

void answer_set_job_id(struct answer *answer, const struct job *job)
{
    uuid_format(answer->job_id, job->id[0], job->id[1]);
    answer->has_job_id = true;
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
    if (change == CHANGE_FOREIGN_URL)
        text_add(text, SLICE("https://jobs.rutter.example/versioned/jobs/"));
    if (change == CHANGE_FOREIGN_URL)
        job_add_id(text, job);
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
    text_reserve(text, front.length);
    memmove(text->bytes + 1 + front.length, text->bytes + 1, text->length - 1);
    memcpy(text->bytes + 1, front.bytes, front.length);
    text->length += front.length;
}

void answer_change(struct sim *sim, struct answer *answer, const struct outcome *outcome,
                   const struct job *job, struct slice authority)
{
    switch (outcome->change) {
    case CHANGE_NONE:
    case CHANGE_BARE:
    case CHANGE_ENTITY:
    case CHANGE_FOREIGN_URL:
    case CHANGE_ODD_STATUS:
    case CHANGE_BAD_ID:
        break;
    case CHANGE_GARBAGE:
    case CHANGE_GARBAGE_NO_ID:
        text_clear(answer->body);
        text_add(answer->body, SLICE("{\"async_response\":{\"id\": <<<\x01\xff not JSON"));
        if (outcome->change == CHANGE_GARBAGE_NO_ID)
            answer->has_job_id = false;
        break;
    case CHANGE_EMPTY:
        text_clear(answer->body);
        break;
    case CHANGE_HTML:
        set_page(answer, 200);
        break;
    case CHANGE_WRONG_TYPE:
        answer->content_type = "text/plain; charset=iso-8859-1";
        break;
    case CHANGE_DUPLICATE_KEYS:
        insert_front(answer->body, SLICE("\"status\":\"failure\",\"status\":\"success\","));
        break;
    case CHANGE_NO_JOB_ID:
        answer->has_job_id = false;
        break;
    case CHANGE_STATUS:
        answer_error(answer, outcome->status, outcome->error_type, outcome->error_code,
                     outcome->message);
        break;
    case CHANGE_GATEWAY:
        set_page(answer, outcome->status);
        break;
    case CHANGE_ERRORS_ONLY:
        text_clear(answer->body);
        text_add(answer->body, SLICE("{\"errors\":[{\"code\":1,\"description\":\"simulated\","
                                     "\"slug\":\"simulated\",\"source\":\"rutter\"}]}"));
        break;
    case CHANGE_NO_CONTENT:
        text_clear(answer->body);
        answer->status = 204;
        break;
    case CHANGE_SECOND_JOB:
        if (job != NULL && !job->is_hidden)
            name_another_job(sim, answer, job, authority);
        break;
    case CHANGE_WRAPPED_JOB:
        insert_front(answer->body, SLICE("\"type\":\"JOB\",\"code\":\"JOB_COMPLETED\",\"job\":{"));
        text_add(answer->body, SLICE("}"));
        break;
    }
}
