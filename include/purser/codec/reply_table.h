/* The decision table: every (phase × HTTP status × accepted or not × body) cell and the rule that
 * decides it. Data; the reading of answers is reply.h.
 *
 * No two rules cover one cell and no rule covers what it does not name, so their order means
 * nothing. docs/ANSWERS.md is printed from here, and a test compares it. */
#ifndef PURSER_CODEC_REPLY_TABLE_H
#define PURSER_CODEC_REPLY_TABLE_H

#include "purser/codec/reply.h"

/* What the HTTP status says by itself: identifier, meaning. */
#define REPLY_STATUS_LIST(X)                                                           \
    X(STATUS_OK, "success")                                                            \
    X(STATUS_ODD_OK, "a success that the API does not document")                       \
    X(STATUS_MOVED, "the same request belongs elsewhere")                              \
    X(STATUS_REDIRECT, "a redirect that may follow a finished write")                  \
    X(STATUS_REFUSAL, "refused before it was accepted")                                \
    X(STATUS_NOT_FOUND, "not supported, or the thing named in the path is not there")  \
    X(STATUS_UNAUTHORIZED, "credentials")                                              \
    X(STATUS_FORBIDDEN, "not allowed")                                                 \
    X(STATUS_TIMEOUT, "the server gave up waiting")                                    \
    X(STATUS_CONFLICT, "another request stands under the same idempotency key")        \
    X(STATUS_THROTTLED, "the limit of the organisation")                               \
    X(STATUS_PLATFORM_UNAUTHORIZED, "the platform refused the merchant's credentials") \
    X(STATUS_PLATFORM_THROTTLED, "the limit of the connection's platform")             \
    X(STATUS_OTHER_4XX, "a refusal that nobody documents; 409 where there is no key")  \
    X(STATUS_NETWORK, "the network in between asks for a sign-in")                     \
    X(STATUS_5XX, "a server or a gateway failed")                                      \
    X(STATUS_PLATFORM_ERROR, "the platform failed; it may have written")               \
    X(STATUS_NONSENSE, "no HTTP status of a final answer")

enum status_kind {
#define X(identifier, meaning) identifier,
    REPLY_STATUS_LIST(X)
#undef X
        STATUS_KIND_COUNT
};

/* X-Rutter-Job-ID: there is one exactly when the write was accepted. */
enum proof_kind { PROOF_NONE, PROOF_JOB_ID, PROOF_BAD_JOB_ID, PROOF_KIND_COUNT };

/* What the body is: identifier, name, meaning. */
#define REPLY_BODY_LIST(X)                                                                    \
    X(BODY_EMPTY, "empty", "no body")                                                         \
    X(BODY_UNREADABLE, "unreadable", "not strict JSON, cut, or of another media type")        \
    X(BODY_WEB_PAGE, "web_page", "a web page")                                                \
    X(BODY_ERROR, "error", "an error")                                                        \
    /* errors whose code says more than the status */                                         \
    X(BODY_BAD_CREDENTIALS, "bad_credentials", "error INVALID_CREDENTIALS")                   \
    X(BODY_NOT_ALLOWED, "not_allowed", "error PRODUCT_NOT_ALLOWED")                           \
    X(BODY_NEEDS_UPDATE, "needs_update", "error NEEDS_UPDATE")                                \
    X(BODY_DISABLED, "disabled", "error CONNECTION_DISABLED")                                 \
    X(BODY_NOT_READY, "not_ready", "error PRODUCT_NOT_READY")                                 \
    X(BODY_BAD_VERSION, "bad_version", "error about X-Rutter-Version")                        \
    /* of an answer to a write */                                                             \
    X(BODY_ASYNC, "async", "names a remote job")                                              \
    X(BODY_ASYNC_WITHOUT_ID, "async_without_id", "an async_response whose id cannot be used") \
    X(BODY_ENTITY, "entity", "what was written")                                              \
    X(BODY_DELETED, "deleted", "nothing, as it should be for a DELETE answered with 204")     \
    X(BODY_WRONG_SHAPE, "wrong_shape", "JSON of another shape")                               \
    /* of an answer to a poll */                                                              \
    X(BODY_JOB_PENDING, "job_pending", "job: prequeued or pending")                           \
    X(BODY_JOB_OF_UNKNOWN_STATUS, "job_of_unknown_status", "job: a status that is not known") \
    X(BODY_JOB_OF_ANOTHER, "job_of_another", "job: of another id, key, method or path")       \
    X(BODY_JOB_SUCCESS, "job_success", "job: success")                                        \
    X(BODY_JOB_SUCCESS_ALONE, "job_success_alone", "job: success, without what was written")  \
    X(BODY_JOB_PARTIAL, "job_partial", "job: partial_success")                                \
    X(BODY_JOB_REFUSED, "job_refused", "job: failure, 400 404 410-415 422 450")               \
    X(BODY_JOB_UNAUTHORIZED, "job_unauthorized", "job: failure, 401 or INVALID_CREDENTIALS")  \
    X(BODY_JOB_NEEDS_UPDATE, "job_needs_update", "job: failure, 451 or NEEDS_UPDATE")         \
    X(BODY_JOB_FORBIDDEN, "job_forbidden", "job: failure, 403 or PRODUCT_NOT_ALLOWED")        \
    X(BODY_JOB_DISABLED, "job_disabled", "job: failure, CONNECTION_DISABLED")                 \
    X(BODY_JOB_NOT_READY, "job_not_ready", "job: failure, PRODUCT_NOT_READY")                 \
    X(BODY_JOB_THROTTLED, "job_throttled", "job: failure, 452")                               \
    X(BODY_JOB_CONFLICT, "job_conflict", "job: failure, 409")                                 \
    X(BODY_JOB_SERVER_ERROR, "job_server_error", "job: failure, 500-599 but 550")             \
    X(BODY_JOB_PLATFORM_ERROR, "job_platform_error", "job: failure, 550")                     \
    X(BODY_JOB_UNCLEAR, "job_unclear", "job: success with an error, or failure of no known status")

enum body_kind {
#define X(identifier, name, meaning) identifier,
    REPLY_BODY_LIST(X)
#undef X
        BODY_KIND_COUNT
};

#define REPLY_AREAS_MAX 3

/* A set of cells: all statuses × all proofs × all bodies, each a bit by its number. */
struct reply_area {
    uint32_t statuses, proofs;
    uint64_t bodies;
};

struct reply_rule {
    enum reply_phase phase;
    const char *name; /* stable; kept in the ledger, at most RULE_NAME_BYTES_MAX */
    struct reply_area areas[REPLY_AREAS_MAX];
    enum item_event_kind event;
    enum reason reason;
    enum reply_scope scope;
    const char *park_reason;
    const char *meaning; /* one line for people: why this follows */
    const char *message; /* goes before what the answer itself says; NULL = it says enough */
};

/* The n-th rule; NULL past the end. */
const struct reply_rule *reply_rule_at(size_t index);

bool reply_rule_covers(const struct reply_rule *rule, enum status_kind status,
                       enum proof_kind proof, enum body_kind body);

/* The rule that decides the cell; NULL when the body cannot occur in the phase. */
const struct reply_rule *reply_rule_of(enum reply_phase phase, enum status_kind status,
                                       enum proof_kind proof, enum body_kind body);

/* Why the rule of that name decides as it does, also for the names of exchanges that brought no
 * answer ("lost", "not_sent", "untrusted"); NULL when there is no such name. */
const char *reply_rule_meaning(struct slice name);

/* 409 is a conflict only under a key. */
enum status_kind reply_status_kind(int http_status, bool keyed);
const char *reply_status_meaning(enum status_kind status);
const char *reply_body_name(enum body_kind body);
const char *reply_body_meaning(enum body_kind body);
bool reply_body_is_of_phase(enum body_kind body, enum reply_phase phase);

#endif
