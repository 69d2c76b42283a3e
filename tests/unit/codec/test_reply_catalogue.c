/* The catalogue of what a server can answer, fault by fault, against the decision table.
 *
 * H: HTTP statuses of a write. B: bodies. S: what the server makes of keys. J: remote jobs.
 * Lines that are about several answers in a row are tested where the state is: the life cycle. */
#include "purser/codec/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "11111111-2222-4333-8444-555555555555"
#define ASYNC(id)                                                              \
    "{\"async_response\":{\"id\":\"" id "\",\"response_url\":\"\",\"status\":" \
    "\"prequeued\"}}"
#define ERROR(code) "{\"error_type\":\"T\",\"error_code\":\"" code "\",\"error_message\":\"m\"}"
#define JOB(rest) "{\"id\":\"job-1\",\"request\":{\"idempotency_key\":\"" KEY "\"}," rest "}"
#define ENDED(status, http, body) \
    JOB("\"status\":\"" status "\",\"response\":{\"http_status\":" http ",\"body\":" body "}")
#define PENDING JOB("\"status\":\"pending\"")

struct fault {
    const char *line, *what;
    enum reply_phase phase;
    int http_status;
    const char *job_id, *body, *rule;
    enum item_event_kind event;
    enum reason reason;
    const char *park_reason;
    enum reply_scope scope;
    const char *request; /* NULL = POST /products */
    bool unkeyed;
    const char *type; /* NULL = JSON */
};

static struct arena arena;

static struct reply_reading read_fault(const struct fault *fault)
{
    const char *text = fault->request == NULL ? "POST /products" : fault->request;
    const char *path = strchr(text, ' ');
    enum http_method method = METHOD_GET;

    assert_non_null(path);
    assert_true(method_parse((struct slice){text, (size_t)(path - text)}, &method));
    return reply_read(&arena,
                      &(struct reply_input){.phase = fault->phase,
                                            .operation = operation_find(method, slice_of(path + 1)),
                                            .http_status = fault->http_status,
                                            .body = slice_of(fault->body),
                                            .content_type = fault->type == NULL ? "application/json"
                                                                                : fault->type,
                                            .job_id = fault->job_id,
                                            .base_origin = "https://production.rutterapi.com:443",
                                            .remote_job = "job-1",
                                            .idempotency_key = fault->unkeyed ? "" : KEY,
                                            .now_ms = 1700000000000});
}

static void assert_faults(const struct fault *faults, size_t count)
{
    arena_init(&arena, 64u * 1024 * 1024);
    for (size_t i = 0; i < count; i++) {
        const struct fault *fault = &faults[i];
        struct reply_reading reading = read_fault(fault);

        if (strcmp(reading.rule, fault->rule) != 0)
            fail_msg("%s (%s): rule %s decides, not %s", fault->line, fault->what, reading.rule,
                     fault->rule);
        if (reading.event.kind != fault->event || reading.event.reason != fault->reason)
            fail_msg("%s (%s): %s %s", fault->line, fault->what,
                     item_event_name(reading.event.kind), reason_code(reading.event.reason));
        assert_int_equal(reading.scope, fault->scope);
        if (fault->park_reason == NULL)
            assert_null(reading.park_reason);
        else
            assert_string_equal(reading.park_reason, fault->park_reason);
        arena_clear(&arena);
    }
    arena_deinit(&arena);
}

#define ASSERT_FAULTS(table) assert_faults(table, sizeof table / sizeof table[0])

/* How a line of the tables ends. */
#define ACCEPTED .event = EVENT_ACCEPTED
#define DONE .event = EVENT_DONE
#define LOST .event = EVENT_LOST
#define REFUSED .event = EVENT_REFUSED, .reason = REASON_REFUSED
#define DOUBT(code) .event = EVENT_UNCLEAR, .reason = (code)
#define PARKED(word) .event = EVENT_HELD, .park_reason = (word), .scope = SCOPE_OF_CONNECTION
#define WHOSE .event = EVENT_HELD, .park_reason = "unauthorized", .scope = SCOPE_OF_CREDENTIALS
#define OURS .event = EVENT_HELD, .park_reason = "unauthorized", .scope = SCOPE_OF_RUN
#define STOPPED .event = EVENT_HELD, .scope = SCOPE_OF_RUN
#define LOST_AND_STOPPED .event = EVENT_LOST, .scope = SCOPE_OF_RUN
#define SLOWER(whom) .event = EVENT_THROTTLED, .scope = (whom)
#define JOB_REFUSED .event = EVENT_REFUSED, .reason = REASON_JOB_FAILED
#define JOB_PARKED(word) JOB_REFUSED, .park_reason = (word), .scope = SCOPE_OF_CONNECTION
#define WAITS .event = EVENT_PENDING
#define MISSING .event = EVENT_MISSING

static void statuses_of_a_write(void **state)
{
    static const struct fault faults[] = {
        {"H01", "async_response", PHASE_SEND, 200, "", ASYNC("job-1"), "accepted", ACCEPTED},
        {"H01", "created", PHASE_SEND, 201, "", ASYNC("job-1"), "accepted", ACCEPTED},
        {"H01", "accepted", PHASE_SEND, 202, "job-1", ASYNC("job-1"), "accepted", ACCEPTED},
        {"H02", "the entity at once", PHASE_SEND, 200, "", "{\"product\":{\"id\":\"1\"}}",
         "answered_with_entity", DONE},
        {"H02", "errors only, with job id", PHASE_SEND, 200, "job-1", "{\"errors\":[{\"code\":1}]}",
         "accepted_by_header", ACCEPTED},
        {"H02", "errors only", PHASE_SEND, 200, "", "{\"errors\":[{\"code\":1}]}",
         "success_with_error", DOUBT(REASON_UNCLASSIFIED)},
        {"H03", "empty", PHASE_SEND, 200, "", "", "unreadable_success", LOST},
        {"H03", "garbage", PHASE_SEND, 200, "", "\x01\x02", "unreadable_success", LOST},
        {"H03", "wrong shape", PHASE_SEND, 200, "", "{\"hello\":1}", "unreadable_success", LOST},
        {"H03", "bad id", PHASE_SEND, 200, "", ASYNC("../1"), "unreadable_success", LOST},
        {"H03", "a web page", PHASE_SEND, 200, "", "<html>", "web_page", LOST_AND_STOPPED},
        {"H04", "no content", PHASE_SEND, 204, "", "", "odd_success", LOST},
        {"H04", "reset content", PHASE_SEND, 205, "", "", "odd_success", LOST},
        {"H04", "partial content", PHASE_SEND, 206, "", "{\"product\":{}}", "odd_success", LOST},
        {"H04", "no content for a DELETE", PHASE_SEND, 204, "", "", "deleted", DONE,
         .request = "DELETE /products/1"},
        {"H05", "moved", PHASE_SEND, 301, "", "", "moved", STOPPED},
        {"H05", "moved", PHASE_SEND, 307, "", "", "moved", STOPPED},
        {"H05", "moved", PHASE_SEND, 308, "", "", "moved", STOPPED},
        {"H05", "found", PHASE_SEND, 302, "", "", "redirect", LOST_AND_STOPPED},
        {"H05", "see other", PHASE_SEND, 303, "", "", "redirect", LOST_AND_STOPPED},
        {"H06", "refused", PHASE_SEND, 400, "", ERROR("X"), "refused", REFUSED},
        {"H07", "401", PHASE_SEND, 401, "", "", "unauthorized", WHOSE},
        {"H07", "403", PHASE_SEND, 403, "", "", "forbidden", PARKED("not_allowed")},
        {"H08", "no such endpoint", PHASE_SEND, 404, "", "", "refused", REFUSED},
        {"H09", "408", PHASE_SEND, 408, "", "", "not_processed", LOST},
        {"H09", "425", PHASE_SEND, 425, "", "", "not_processed", LOST},
        {"H10", "conflict", PHASE_SEND, 409, "", ERROR("X"), "key_conflict",
         DOUBT(REASON_KEY_CONFLICT)},
        {"H10", "conflict that names the job", PHASE_SEND, 409, "job-1", ERROR("X"),
         "accepted_then_error", ACCEPTED},
        {"H10", "conflict without a key of ours", PHASE_SEND, 409, "", ERROR("X"),
         "unknown_refusal", LOST, .request = "PATCH /products/1", .unkeyed = true},
        {"H11", "gone", PHASE_SEND, 410, "", "", "refused", REFUSED},
        {"H12", "length required", PHASE_SEND, 411, "", "", "refused", REFUSED},
        {"H12", "too large", PHASE_SEND, 413, "", "", "refused", REFUSED},
        {"H12", "URI too long", PHASE_SEND, 414, "", "", "refused", REFUSED},
        {"H12", "media type", PHASE_SEND, 415, "", "", "refused", REFUSED},
        {"H12", "unprocessable", PHASE_SEND, 422, "", "", "refused", REFUSED},
        {"H12", "headers too large", PHASE_SEND, 431, "", "", "refused", REFUSED},
        {"H12", "method", PHASE_SEND, 405, "", "", "refused", REFUSED},
        {"H13", "organisation's limit", PHASE_SEND, 429, "", "", "throttled", SLOWER(SCOPE_OF_ALL)},
        {"H15", "platform's 400", PHASE_SEND, 450, "", ERROR("X"), "refused", REFUSED},
        {"H16", "platform's 401", PHASE_SEND, 451, "", "", "platform_unauthorized",
         PARKED("needs_update")},
        {"H16", "platform's 401, accepted", PHASE_SEND, 451, "job-1", "", "accepted_then_error",
         ACCEPTED},
        {"H17", "platform's limit", PHASE_SEND, 452, "", "", "platform_throttled",
         SLOWER(SCOPE_OF_CONNECTION)},
        {"H18", "500", PHASE_SEND, 500, "", ERROR("X"), "server_error", LOST},
        {"H18", "502", PHASE_SEND, 502, "", "<html>", "server_error", LOST},
        {"H18", "503", PHASE_SEND, 503, "", "", "server_error", LOST},
        {"H18", "504 of a synchronous write", PHASE_SEND, 504, "", "", "server_error", LOST},
        {"H20", "platform's 500", PHASE_SEND, 550, "", ERROR("X"), "platform_error",
         DOUBT(REASON_PLATFORM_ERROR)},
        {"H21", "status 0", PHASE_SEND, 0, "", "", "nonsense", LOST},
        {"H21", "status 99", PHASE_SEND, 99, "", "", "nonsense", LOST},
        {"H21", "status 600", PHASE_SEND, 600, "", "", "nonsense", LOST},
        {"H21", "status 999", PHASE_SEND, 999, "", "", "nonsense", LOST},
        {"H21", "unknown 4xx", PHASE_SEND, 418, "", "", "unknown_refusal", LOST},
        {"H21", "unknown 5xx", PHASE_SEND, 501, "", "", "server_error", LOST},
        {"H22", "not ready", PHASE_SEND, 400, "", ERROR("PRODUCT_NOT_READY"), "not_ready",
         PARKED("not_ready")},
        {"H22", "not ready, as a conflict", PHASE_SEND, 409, "", ERROR("PRODUCT_NOT_READY"),
         "not_ready", PARKED("not_ready")},
        {"H22", "disabled", PHASE_SEND, 400, "", ERROR("CONNECTION_DISABLED"), "disabled",
         PARKED("disabled")},
        {"H22", "needs update", PHASE_SEND, 401, "", ERROR("NEEDS_UPDATE"), "needs_update",
         PARKED("needs_update")},
        {"H22", "not allowed", PHASE_SEND, 404, "", ERROR("PRODUCT_NOT_ALLOWED"), "not_allowed",
         PARKED("not_allowed")},
        {"H23", "200 with an error", PHASE_SEND, 200, "", ERROR("X"), "success_with_error",
         DOUBT(REASON_UNCLASSIFIED)},
        {"H24", "version refused", PHASE_SEND, 400, "", ERROR("UNSUPPORTED_API_VERSION"),
         "bad_version", STOPPED},
        {"H26", "400 that was accepted", PHASE_SEND, 400, "job-1", ERROR("X"),
         "accepted_then_error", ACCEPTED},
        {"H26", "500 that was accepted", PHASE_SEND, 500, "job-1", "", "accepted_then_error",
         ACCEPTED},
        {"H26", "550 that was accepted", PHASE_SEND, 550, "job-1", "", "accepted_then_error",
         ACCEPTED},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void bodies(void **state)
{
    static const struct fault faults[] = {
        {"B01", "cut", PHASE_SEND, 200, "", "{\"product\":{\"id\":\"1\"", "unreadable_success",
         LOST},
        {"B01", "cut", PHASE_POLL, 200, "", "{\"id\":\"job-1\",\"status\":\"success\"",
         "poll_unreadable", LOST},
        {"B02", "byte order mark", PHASE_SEND, 200, "", "\xef\xbb\xbf{\"product\":{}}",
         "unreadable_success", LOST},
        {"B02", "no UTF-8", PHASE_SEND, 200, "", "{\"product\":{\"id\":\"\xff\"}}",
         "unreadable_success", LOST},
        {"B02", "something behind", PHASE_SEND, 200, "", "{\"product\":{}} x", "unreadable_success",
         LOST},
        {"B04", "an id that is a number", PHASE_SEND, 200, "", "{\"async_response\":{\"id\":7}}",
         "unreadable_success", LOST},
        {"B05", "a key twice", PHASE_POLL, 200, "",
         "{\"id\":\"job-1\",\"status\":\"failure\",\"status\":\"success\"}", "poll_unreadable",
         LOST},
        {"B06", "status of another type", PHASE_POLL, 200, "", "{\"id\":\"job-1\",\"status\":1}",
         "poll_unreadable", LOST},
        {"B06", "no id", PHASE_POLL, 200, "", "{\"id\":null,\"status\":\"success\"}",
         "poll_unreadable", LOST},
        {"B06", "job is a list", PHASE_POLL, 200, "", "{\"job\":[]}", "poll_unreadable", LOST},
        {"B07", "a new status", PHASE_POLL, 200, "", JOB("\"status\":\"cancelled\""),
         "job_status_unknown", WAITS},
        {"B07", "a known status in capitals", PHASE_POLL, 200, "", JOB("\"status\":\"SUCCESS\""),
         "job_status_unknown", WAITS},
        {"B08", "more fields", PHASE_POLL, 200, "",
         "{\"new\":{\"a\":[1]},\"status\":\"pending\",\"id\":\"job-1\"}", "job_pending", WAITS},
        {"B09", "another media type", PHASE_SEND, 200, "", "{\"product\":{}}", "unreadable_success",
         LOST, .type = "text/plain"},
        {"B09", "a JSON type of its own", PHASE_SEND, 200, "", "{\"product\":{}}",
         "answered_with_entity", DONE, .type = "application/vnd.rutter+json; charset=utf-8"},
        {"B09", "no media type", PHASE_SEND, 200, "", "{\"product\":{}}", "answered_with_entity",
         DONE, .type = ""},
        {"B10", "half a pair in an id", PHASE_SEND, 200, "", ASYNC("\\ud800"), "unreadable_success",
         LOST},
        {"B10", "NUL in an id", PHASE_SEND, 200, "", ASYNC("a\\u0000b"), "unreadable_success",
         LOST},
        {"B15", "a web page for a refusal", PHASE_SEND, 400, "", "<html>", "refused", REFUSED},
        {"B15", "no body for a failure", PHASE_SEND, 500, "", "", "server_error", LOST},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void finished_writes_in_all_their_shapes(void **state)
{
    static const struct fault faults[] = {
        {"sync", "wrapped, with a list around it", PHASE_SEND, 200, "",
         "{\"bill_payments\":[{\"id\":\"1\"}]}", "answered_with_entity", DONE,
         .request = "POST /accounting/bill_payments"},
        {"sync", "an empty list", PHASE_SEND, 200, "", "{\"bill_payments\":[]}",
         "unreadable_success", LOST, .request = "POST /accounting/bill_payments"},
        {"sync", "beside the connection", PHASE_SEND, 200, "",
         "{\"connection\":{\"id\":\"c\"},\"order\":{\"id\":\"1\"}}", "answered_with_entity", DONE,
         .request = "PATCH /orders/1", .unkeyed = true},
        {"sync", "bare", PHASE_SEND, 200, "", "{\"id\":\"1\",\"name\":\"x\"}",
         "answered_with_entity", DONE},
        {"sync", "null", PHASE_SEND, 200, "", "{\"product\":null}", "unreadable_success", LOST},
        {"sync", "with warnings", PHASE_SEND, 200, "", "{\"product\":{},\"errors\":[{\"code\":1}]}",
         "answered_with_entity", DONE},
        {"prefer_sync", "not yet", PHASE_SEND, 200, "job-1", ASYNC("job-1"), "accepted", ACCEPTED},
        {"prefer_sync", "done", PHASE_SEND, 200, "job-1", "{\"product\":{\"id\":\"1\"}}",
         "answered_with_entity", DONE},
        {"delete", "wrapped", PHASE_SEND, 200, "",
         "{\"deleted_bill\":{\"code\":\"deleted\",\"success\":true}}", "answered_with_entity", DONE,
         .request = "DELETE /accounting/bills/1"},
        {"delete", "wrapped, was not there", PHASE_SEND, 200, "",
         "{\"deleted_bill\":{\"code\":\"not_found\",\"success\":false}}", "answered_with_entity",
         DONE, .request = "DELETE /accounting/bills/1"},
        {"delete", "wrapped, denied", PHASE_SEND, 200, "",
         "{\"deleted_bill\":{\"code\":\"locked\",\"success\":false}}", "success_with_error",
         DOUBT(REASON_UNCLASSIFIED), .request = "DELETE /accounting/bills/1"},
        {"delete", "bare", PHASE_SEND, 200, "", "{\"code\":\"deleted\",\"success\":true}",
         "answered_with_entity", DONE, .request = "DELETE /accounting/invoice_credit_memos/1"},
        {"delete", "bare, was not there", PHASE_SEND, 200, "",
         "{\"code\":\"not_found\",\"success\":false}", "answered_with_entity", DONE,
         .request = "DELETE /accounting/invoice_credit_memos/1"},
        {"delete", "bare, denied", PHASE_SEND, 200, "", "{\"code\":\"x\",\"success\":false}",
         "success_with_error", DOUBT(REASON_UNCLASSIFIED),
         .request = "DELETE /accounting/invoice_credit_memos/1"},
        {"delete", "a product", PHASE_SEND, 200, "", "{\"product\":\"1\",\"success\":true}",
         "answered_with_entity", DONE, .request = "DELETE /products/1", .unkeyed = true},
        {"delete", "a product, denied", PHASE_SEND, 200, "",
         "{\"product\":\"1\",\"success\":false}", "success_with_error", DOUBT(REASON_UNCLASSIFIED),
         .request = "DELETE /products/1", .unkeyed = true},
        {"delete", "a variant", PHASE_SEND, 200, "", "{\"productId\":\"1\",\"variantId\":\"2\"}",
         "answered_with_entity", DONE, .request = "DELETE /products/1/variants/2", .unkeyed = true},
        {"delete", "asynchronously", PHASE_SEND, 200, "", ASYNC("job-1"), "accepted", ACCEPTED,
         .request = "DELETE /accounting/bills/1"},
        {"delete", "the job's word", PHASE_POLL, 200, "",
         ENDED("success", "200", "{\"deleted_bill\":{\"code\":\"not_found\",\"success\":false}}"),
         "job_success", DONE, .request = "DELETE /accounting/bills/1"},
        {"delete", "the job's word, denied", PHASE_POLL, 200, "",
         ENDED("success", "200", "{\"deleted_bill\":{\"code\":\"x\",\"success\":false}}"),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED), .request = "DELETE /accounting/bills/1"},
        {"delete", "a job without words", PHASE_POLL, 200, "", JOB("\"status\":\"success\""),
         "job_success", DONE, .request = "DELETE /accounting/bills/1"},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void remote_jobs(void **state)
{
    static const struct fault faults[] = {
        {"J01", "pending", PHASE_POLL, 200, "", PENDING, "job_pending", WAITS},
        {"J02", "prequeued again", PHASE_POLL, 200, "", JOB("\"status\":\"prequeued\""),
         "job_pending", WAITS},
        {"J04", "success without an answer", PHASE_POLL, 200, "", JOB("\"status\":\"success\""),
         "job_success_alone", DONE},
        {"J04", "success without a body", PHASE_POLL, 200, "", ENDED("success", "200", "null"),
         "job_success_alone", DONE},
        {"J05", "failure without a status", PHASE_POLL, 200, "", JOB("\"status\":\"failure\""),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
        {"J05", "failure without a response", PHASE_POLL, 200, "",
         JOB("\"status\":\"failure\",\"response\":null"), "job_unclear",
         DOUBT(REASON_UNCLASSIFIED)},
        {"J13", "partial success", PHASE_POLL, 200, "",
         ENDED("partial_success", "200", "{\"product\":{}}"), "job_partial",
         DOUBT(REASON_PARTIAL_SUCCESS)},
        {"result", "success", PHASE_POLL, 200, "", ENDED("success", "200", "{\"product\":{}}"),
         "job_success", DONE},
        {"result", "success with a 400", PHASE_POLL, 200, "", ENDED("success", "400", "{}"),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
        {"result", "success with an error", PHASE_POLL, 200, "",
         ENDED("success", "200", ERROR("X")), "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
        {"result", "failure with a 200", PHASE_POLL, 200, "", ENDED("failure", "200", "{}"),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
        {"result", "400", PHASE_POLL, 200, "", ENDED("failure", "400", ERROR("X")), "job_refused",
         JOB_REFUSED},
        {"result", "404", PHASE_POLL, 200, "", ENDED("failure", "404", "{}"), "job_refused",
         JOB_REFUSED},
        {"result", "410", PHASE_POLL, 200, "", ENDED("failure", "410", "{}"), "job_refused",
         JOB_REFUSED},
        {"result", "415", PHASE_POLL, 200, "", ENDED("failure", "415", "{}"), "job_refused",
         JOB_REFUSED},
        {"result", "422", PHASE_POLL, 200, "", ENDED("failure", "422", "{}"), "job_refused",
         JOB_REFUSED},
        {"result", "450", PHASE_POLL, 200, "", ENDED("failure", "450", "{}"), "job_refused",
         JOB_REFUSED},
        {"result", "409", PHASE_POLL, 200, "", ENDED("failure", "409", "{}"), "job_conflict",
         DOUBT(REASON_KEY_CONFLICT)},
        {"result", "401", PHASE_POLL, 200, "", ENDED("failure", "401", "{}"), "job_unauthorized",
         JOB_PARKED("unauthorized")},
        {"result", "403", PHASE_POLL, 200, "", ENDED("failure", "403", "{}"), "job_forbidden",
         JOB_PARKED("not_allowed")},
        {"result", "451", PHASE_POLL, 200, "", ENDED("failure", "451", "{}"), "job_needs_update",
         JOB_PARKED("needs_update")},
        {"result", "disabled meanwhile", PHASE_POLL, 200, "",
         ENDED("failure", "400", ERROR("CONNECTION_DISABLED")), "job_disabled",
         JOB_PARKED("disabled")},
        {"result", "452", PHASE_POLL, 200, "", ENDED("failure", "452", "{}"), "job_throttled",
         .event = EVENT_JOB_THROTTLED, .scope = SCOPE_OF_CONNECTION},
        {"result", "429", PHASE_POLL, 200, "", ENDED("failure", "429", "{}"), "job_unclear",
         DOUBT(REASON_UNCLASSIFIED)},
        {"result", "500", PHASE_POLL, 200, "", ENDED("failure", "500", "{}"), "job_server_error",
         DOUBT(REASON_SERVER_ERROR)},
        {"result", "501", PHASE_POLL, 200, "", ENDED("failure", "501", "{}"), "job_server_error",
         DOUBT(REASON_SERVER_ERROR)},
        {"result", "503", PHASE_POLL, 200, "", ENDED("failure", "503", "{}"), "job_server_error",
         DOUBT(REASON_SERVER_ERROR)},
        {"result", "550", PHASE_POLL, 200, "", ENDED("failure", "550", "{}"), "job_platform_error",
         DOUBT(REASON_PLATFORM_ERROR)},
        {"result", "418", PHASE_POLL, 200, "", ENDED("failure", "418", "{}"), "job_unclear",
         DOUBT(REASON_UNCLASSIFIED)},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void polls_that_show_no_job(void **state)
{
    static const struct fault faults[] = {
        {"S11", "404 soon after the write", PHASE_POLL, 404, "", "{}", "job_missing", MISSING},
        {"S12", "410 for good", PHASE_POLL, 410, "", ERROR("X"), "job_missing", MISSING},
        {"R08", "redirect", PHASE_POLL, 302, "", "", "poll_redirect", STOPPED},
        {"R08", "moved", PHASE_POLL, 301, "", "", "poll_redirect", STOPPED},
        {"poll", "400", PHASE_POLL, 400, "", ERROR("X"), "poll_refused", MISSING},
        {"poll", "409", PHASE_POLL, 409, "", "", "poll_refused", MISSING},
        {"poll", "401", PHASE_POLL, 401, "", "", "poll_unauthorized", OURS},
        {"poll", "bad credentials", PHASE_POLL, 400, "", ERROR("INVALID_CREDENTIALS"),
         "poll_bad_credentials", OURS},
        {"poll", "403", PHASE_POLL, 403, "", "", "poll_forbidden", PARKED("not_allowed")},
        {"poll", "451", PHASE_POLL, 451, "", "", "poll_platform_unauthorized",
         PARKED("needs_update")},
        {"poll", "disabled", PHASE_POLL, 400, "", ERROR("CONNECTION_DISABLED"), "poll_disabled",
         PARKED("disabled")},
        {"poll", "429", PHASE_POLL, 429, "", "", "poll_throttled", SLOWER(SCOPE_OF_ALL)},
        {"poll", "452", PHASE_POLL, 452, "", "", "poll_platform_throttled",
         SLOWER(SCOPE_OF_CONNECTION)},
        {"poll", "500", PHASE_POLL, 500, "", "", "poll_server_error", LOST},
        {"poll", "550", PHASE_POLL, 550, "", "", "poll_server_error", LOST},
        {"poll", "408", PHASE_POLL, 408, "", "", "poll_server_error", LOST},
        {"poll", "a job behind a 500", PHASE_POLL, 500, "", ENDED("success", "200", "{}"),
         "poll_server_error", LOST},
        {"poll", "a web page", PHASE_POLL, 200, "", "<html>", "poll_unreadable", LOST},
        {"poll", "an error as a success", PHASE_POLL, 200, "", ERROR("X"), "poll_unreadable", LOST},
        {"H24", "version refused", PHASE_POLL, 400, "", ERROR("INVALID_VERSION"),
         "poll_bad_version", STOPPED},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void answers_that_say_accepted_in_other_ways(void **state)
{
    static const struct fault faults[] = {
        {"bare", "as the guide prints it", PHASE_SEND, 200, "",
         "{\"id\":\"job-1\",\"status\":\"prequeued\",\"response_url\":\"x\"}", "accepted",
         ACCEPTED},
        {"bare", "the whole job", PHASE_SEND, 200, "", ENDED("success", "200", "{}"), "accepted",
         ACCEPTED},
        {"bare", "the webhook's form", PHASE_SEND, 200, "",
         "{\"type\":\"JOB\",\"job\":" PENDING "}", "accepted", ACCEPTED},
        {"header", "an id that cannot be used", PHASE_SEND, 200, "job-2", ASYNC("../x"),
         "accepted_by_header", ACCEPTED},
        {"header", "a cut body", PHASE_SEND, 200, "job-2", "{\"product\":", "accepted_by_header",
         ACCEPTED},
        {"header", "a web page", PHASE_SEND, 200, "job-2", "<html>", "accepted_by_header",
         ACCEPTED},
        {"header", "no content", PHASE_SEND, 204, "job-2", "", "accepted_by_header", ACCEPTED},
        {"header", "a redirect", PHASE_SEND, 302, "job-2", "", "accepted_then_error", ACCEPTED},
        {"bad header", "an entity", PHASE_SEND, 200, "job 2", "{\"product\":{}}",
         "answered_with_entity", DONE},
        {"bad header", "nothing", PHASE_SEND, 200, "job 2", "", "job_id_not_usable", LOST},
        {"bad header", "a refusal", PHASE_SEND, 400, "job 2", ERROR("X"), "job_id_not_usable",
         LOST},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void codes_on_a_success_or_a_failure_leave_the_write_open(void **state)
{
    static const struct fault faults[] = {
        {"code", "credentials", PHASE_SEND, 500, "", ERROR("INVALID_CREDENTIALS"),
         "bad_credentials_unsure", .event = EVENT_LOST, .park_reason = "unauthorized",
         .scope = SCOPE_OF_CREDENTIALS},
        {"code", "credentials, refused", PHASE_SEND, 400, "", ERROR("INVALID_CREDENTIALS"),
         "bad_credentials", WHOSE},
        {"code", "needs update", PHASE_SEND, 500, "", ERROR("NEEDS_UPDATE"), "needs_update_unsure",
         LOST, .park_reason = "needs_update", .scope = SCOPE_OF_CONNECTION},
        {"code", "not ready", PHASE_SEND, 200, "", ERROR("PRODUCT_NOT_READY"), "not_ready_unsure",
         LOST, .park_reason = "not_ready", .scope = SCOPE_OF_CONNECTION},
        {"code", "version", PHASE_SEND, 500, "", ERROR("INVALID_VERSION"), "bad_version_unsure",
         LOST_AND_STOPPED},
        {"code", "a version of the platform", PHASE_SEND, 400, "",
         "{\"error_code\":\"INVALID_VERSION\",\"error_metadata\":{\"source\":\"platform\"}}",
         "refused", REFUSED},
        {"code", "in a job of which nothing is proved", PHASE_POLL, 200, "",
         ENDED("failure", "500", ERROR("NEEDS_UPDATE")), "job_server_error",
         DOUBT(REASON_SERVER_ERROR)},
        {"gate", "a proxy", PHASE_SEND, 407, "", "", "network_sign_in", LOST_AND_STOPPED},
        {"gate", "a hotel", PHASE_SEND, 511, "", "<html>", "network_sign_in", LOST_AND_STOPPED},
        {"gate", "on a poll", PHASE_POLL, 511, "", "", "poll_network_sign_in", STOPPED},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

static void a_status_of_a_job_is_a_whole_number_of_three_digits(void **state)
{
    static const struct fault faults[] = {
        {"http_status", "a fraction", PHASE_POLL, 200, "", ENDED("failure", "400.5", "{}"),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
        {"http_status", "2^16 + 400", PHASE_POLL, 200, "", ENDED("failure", "65936", "{}"),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
        {"http_status", "a text", PHASE_POLL, 200, "", ENDED("failure", "\"400\"", "{}"),
         "job_unclear", DOUBT(REASON_UNCLASSIFIED)},
    };

    (void)state;
    ASSERT_FAULTS(faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_of_a_write),
        cmocka_unit_test(bodies),
        cmocka_unit_test(finished_writes_in_all_their_shapes),
        cmocka_unit_test(remote_jobs),
        cmocka_unit_test(polls_that_show_no_job),
        cmocka_unit_test(answers_that_say_accepted_in_other_ways),
        cmocka_unit_test(codes_on_a_success_or_a_failure_leave_the_write_open),
        cmocka_unit_test(a_status_of_a_job_is_a_whole_number_of_three_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
