#include "reply_rules.h"

#include <assert.h>

/* What the HTTP status says by itself. */
enum status_kind {
    STATUS_NONSENSE, /* under 200 or over 599 */
    STATUS_OK,
    STATUS_REDIRECT,
    STATUS_REFUSAL,               /* of this very request, before it was accepted */
    STATUS_NOT_FOUND,             /* also a refusal */
    STATUS_UNAUTHORIZED,          /* 401 */
    STATUS_FORBIDDEN,             /* 403 */
    STATUS_TIMEOUT,               /* 408, 425 */
    STATUS_CONFLICT,              /* 409 under a key */
    STATUS_THROTTLED,             /* 429: the limit of the organisation */
    STATUS_PLATFORM_UNAUTHORIZED, /* 451 */
    STATUS_PLATFORM_THROTTLED,    /* 452: the limit of the connection's platform */
    STATUS_OTHER_4XX,
    STATUS_5XX
};

#define BIT(member) (1u << (member))
#define ANY 0xffffffffu
#define REFUSALS (BIT(STATUS_REFUSAL) | BIT(STATUS_NOT_FOUND))
#define STATUS_4XX                                                                                \
    (REFUSALS | BIT(STATUS_UNAUTHORIZED) | BIT(STATUS_FORBIDDEN) | BIT(STATUS_TIMEOUT) |          \
     BIT(STATUS_THROTTLED) | BIT(STATUS_PLATFORM_UNAUTHORIZED) | BIT(STATUS_PLATFORM_THROTTLED) | \
     BIT(STATUS_OTHER_4XX))
#define NOT_SURE (BIT(STATUS_OK) | BIT(STATUS_5XX))

/* The first rule that fits decides. With reliability before comfort: what could have been accepted
 * is LOST (the same key again, or in doubt when there is none), never REFUSED.
 * Source: docs.rutter.com, "Making idempotent requests" and "Handling errors"; help.rutter.com,
 * rate limits and validation errors (read 2026-11). */
static const struct rule rules[] = {
    /* --- an answer to a write: accepted --- */
    {PHASE_SEND, BIT(STATUS_OK), ANY, BIT(BODY_ASYNC), "accepted", .event = EVENT_ACCEPTED},
    {PHASE_SEND, BIT(STATUS_OK), ANY, BIT(BODY_ENTITY), "answered_with_entity",
     .event = EVENT_DONE},
    {PHASE_SEND, BIT(STATUS_OK), ANY, BIT(BODY_DELETED), "deleted", .event = EVENT_DONE},
    {PHASE_SEND, BIT(STATUS_OK), BIT(PROOF_JOB_ID), ANY, "accepted_by_header",
     .event = EVENT_ACCEPTED},
    {PHASE_SEND, ANY, BIT(PROOF_JOB_ID), ANY, "accepted_then_error", .event = EVENT_ACCEPTED},
    {PHASE_SEND, ANY, BIT(PROOF_BAD_JOB_ID), ANY, "job_id_not_usable", .event = EVENT_LOST,
     .message = "accepted, but the X-Rutter-Job-ID cannot be used"},

    /* --- an answer to a write without proof that it was accepted --- */
    {PHASE_SEND, BIT(STATUS_CONFLICT), ANY, ANY, "key_conflict", .event = EVENT_UNCLEAR,
     .reason = REASON_KEY_CONFLICT},
    {PHASE_SEND, STATUS_4XX, ANY, BIT(BODY_BAD_CREDENTIALS), "bad_credentials", .event = EVENT_HELD,
     .scope = SCOPE_OF_CREDENTIALS, .park_reason = "unauthorized",
     .message = "the API refused the client's credentials or the connection's access token"},
    {PHASE_SEND, STATUS_4XX, ANY, BIT(BODY_NOT_ALLOWED), "not_allowed", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_allowed",
     .message = "the operation is not enabled for this account"},
    {PHASE_SEND, STATUS_4XX, ANY, BIT(BODY_NEEDS_UPDATE), "needs_update", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "needs_update",
     .message = "the merchant must sign in to the platform again"},
    {PHASE_SEND, STATUS_4XX, ANY, BIT(BODY_DISABLED), "disabled", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "disabled",
     .message = "the connection is disabled"},
    {PHASE_SEND, STATUS_4XX, ANY, BIT(BODY_NOT_READY), "not_ready", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_ready",
     .message = "the connection's first synchronisation is not finished"},
    /* The code is about the connection; whether this write was taken stays open. */
    {PHASE_SEND, NOT_SURE, ANY, BIT(BODY_BAD_CREDENTIALS), "bad_credentials_unsure",
     .event = EVENT_LOST, .scope = SCOPE_OF_CREDENTIALS, .park_reason = "unauthorized",
     .message = "the API refused the client's credentials or the connection's access token"},
    {PHASE_SEND, NOT_SURE, ANY, BIT(BODY_NOT_ALLOWED), "not_allowed_unsure", .event = EVENT_LOST,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_allowed"},
    {PHASE_SEND, NOT_SURE, ANY, BIT(BODY_NEEDS_UPDATE), "needs_update_unsure", .event = EVENT_LOST,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "needs_update"},
    {PHASE_SEND, NOT_SURE, ANY, BIT(BODY_DISABLED), "disabled_unsure", .event = EVENT_LOST,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "disabled"},
    {PHASE_SEND, NOT_SURE, ANY, BIT(BODY_NOT_READY), "not_ready_unsure", .event = EVENT_LOST,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_ready"},
    {PHASE_SEND, BIT(STATUS_OK), ANY, BIT(BODY_ERROR), "success_with_error", .event = EVENT_UNCLEAR,
     .reason = REASON_UNCLASSIFIED, .message = "a success that holds an error and no entity"},
    {PHASE_SEND, BIT(STATUS_OK), ANY, BIT(BODY_WEB_PAGE), "web_page", .event = EVENT_LOST,
     .scope = SCOPE_OF_RUN,
     .message = "a web page came instead of the API's answer: is it the right base URL, "
                "or does the network ask for a sign-in?"},
    {PHASE_SEND, BIT(STATUS_OK), ANY, ANY, "unreadable_success", .event = EVENT_LOST,
     .message = "a success whose body cannot be understood"},
    {PHASE_SEND, BIT(STATUS_REDIRECT), ANY, ANY, "redirect", .event = EVENT_HELD,
     .scope = SCOPE_OF_RUN,
     .message = "the API's base URL redirects to another place; a write is never sent on"},
    {PHASE_SEND, REFUSALS, ANY, ANY, "refused", .event = EVENT_REFUSED, .reason = REASON_REFUSED},
    {PHASE_SEND, BIT(STATUS_UNAUTHORIZED), ANY, ANY, "unauthorized", .event = EVENT_HELD,
     .scope = SCOPE_OF_CREDENTIALS, .park_reason = "unauthorized",
     .message = "the API refused the client's credentials or the connection's access token"},
    {PHASE_SEND, BIT(STATUS_FORBIDDEN), ANY, ANY, "forbidden", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_allowed",
     .message = "the API does not allow this to the connection"},
    {PHASE_SEND, BIT(STATUS_TIMEOUT), ANY, ANY, "not_processed", .event = EVENT_LOST},
    {PHASE_SEND, BIT(STATUS_THROTTLED), ANY, ANY, "throttled", .event = EVENT_THROTTLED,
     .scope = SCOPE_OF_ALL},
    {PHASE_SEND, BIT(STATUS_PLATFORM_UNAUTHORIZED), ANY, ANY, "platform_unauthorized",
     .event = EVENT_HELD, .scope = SCOPE_OF_CONNECTION, .park_reason = "needs_update",
     .message = "the merchant must sign in to the platform again"},
    {PHASE_SEND, BIT(STATUS_PLATFORM_THROTTLED), ANY, ANY, "platform_throttled",
     .event = EVENT_THROTTLED, .scope = SCOPE_OF_CONNECTION},
    {PHASE_SEND, BIT(STATUS_5XX) | BIT(STATUS_NONSENSE), ANY, ANY, "server_error",
     .event = EVENT_LOST},
    {PHASE_SEND, ANY, ANY, ANY, "unknown_status", .event = EVENT_UNCLEAR,
     .reason = REASON_UNCLASSIFIED, .message = "an HTTP status that is not documented"},

    /* --- the remote job, as a poll shows it --- */
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_PENDING), "job_pending", .event = EVENT_PENDING},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_OF_UNKNOWN_STATUS), "job_status_unknown",
     .event = EVENT_PENDING, .message = "the remote job has a status that is unknown"},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_OF_ANOTHER), "wrong_job", .event = EVENT_UNCLEAR,
     .reason = REASON_WRONG_JOB},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_SUCCESS), "job_success", .event = EVENT_DONE},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_PARTIAL), "job_partial", .event = EVENT_UNCLEAR,
     .reason = REASON_PARTIAL_SUCCESS},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_REFUSED), "job_refused", .event = EVENT_REFUSED,
     .reason = REASON_JOB_FAILED},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_UNAUTHORIZED), "job_unauthorized",
     .event = EVENT_REFUSED, .reason = REASON_JOB_FAILED, .scope = SCOPE_OF_CONNECTION,
     .park_reason = "needs_update", .message = "the merchant must sign in to the platform again"},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_FORBIDDEN), "job_forbidden",
     .event = EVENT_REFUSED, .reason = REASON_JOB_FAILED, .scope = SCOPE_OF_CONNECTION,
     .park_reason = "not_allowed", .message = "the platform does not allow this to the connection"},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_THROTTLED), "job_throttled",
     .event = EVENT_JOB_THROTTLED, .scope = SCOPE_OF_CONNECTION},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_CONFLICT), "job_conflict",
     .event = EVENT_UNCLEAR, .reason = REASON_KEY_CONFLICT},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_SERVER_ERROR), "job_server_error",
     .event = EVENT_UNCLEAR, .reason = REASON_SERVER_ERROR},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_PLATFORM_ERROR), "job_platform_error",
     .event = EVENT_UNCLEAR, .reason = REASON_PLATFORM_ERROR},
    {PHASE_POLL, BIT(STATUS_OK), ANY, BIT(BODY_JOB_UNCLEAR), "job_unclear", .event = EVENT_UNCLEAR,
     .reason = REASON_UNCLASSIFIED,
     .message = "the remote job ended in a way that proves neither done nor not-done"},

    /* --- a poll that shows no job: it can be asked again for ever --- */
    {PHASE_POLL, ANY, ANY, BIT(BODY_BAD_CREDENTIALS), "poll_bad_credentials", .event = EVENT_HELD,
     .scope = SCOPE_OF_RUN, .park_reason = "unauthorized",
     .message = "the API refused the client's credentials"},
    {PHASE_POLL, ANY, ANY, BIT(BODY_NOT_ALLOWED), "poll_not_allowed", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_allowed"},
    {PHASE_POLL, ANY, ANY, BIT(BODY_NEEDS_UPDATE), "poll_needs_update", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "needs_update",
     .message = "the merchant must sign in to the platform again"},
    {PHASE_POLL, ANY, ANY, BIT(BODY_DISABLED), "poll_disabled", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "disabled",
     .message = "the connection is disabled"},
    {PHASE_POLL, ANY, ANY, BIT(BODY_NOT_READY), "poll_not_ready", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_ready"},
    {PHASE_POLL, BIT(STATUS_REDIRECT), ANY, ANY, "poll_redirect", .event = EVENT_HELD,
     .scope = SCOPE_OF_RUN,
     .message = "the API's base URL redirects to another place; it is not followed"},
    {PHASE_POLL, BIT(STATUS_NOT_FOUND), ANY, ANY, "job_missing", .event = EVENT_MISSING},
    {PHASE_POLL, BIT(STATUS_UNAUTHORIZED), ANY, ANY, "poll_unauthorized", .event = EVENT_HELD,
     .scope = SCOPE_OF_RUN, .park_reason = "unauthorized",
     .message = "the API refused the client's credentials"},
    {PHASE_POLL, BIT(STATUS_FORBIDDEN), ANY, ANY, "poll_forbidden", .event = EVENT_HELD,
     .scope = SCOPE_OF_CONNECTION, .park_reason = "not_allowed"},
    {PHASE_POLL, BIT(STATUS_PLATFORM_UNAUTHORIZED), ANY, ANY, "poll_platform_unauthorized",
     .event = EVENT_HELD, .scope = SCOPE_OF_CONNECTION, .park_reason = "needs_update",
     .message = "the merchant must sign in to the platform again"},
    {PHASE_POLL, BIT(STATUS_THROTTLED), ANY, ANY, "poll_throttled", .event = EVENT_THROTTLED,
     .scope = SCOPE_OF_ALL},
    {PHASE_POLL, BIT(STATUS_PLATFORM_THROTTLED), ANY, ANY, "poll_platform_throttled",
     .event = EVENT_THROTTLED, .scope = SCOPE_OF_CONNECTION},
    /* Asking was wrong, and will be: bounded like a job that the server does not know. */
    {PHASE_POLL, BIT(STATUS_REFUSAL) | BIT(STATUS_CONFLICT) | BIT(STATUS_OTHER_4XX), ANY, ANY,
     "poll_refused", .event = EVENT_MISSING},
    {PHASE_POLL, ANY, ANY, ANY, "poll_unreadable", .event = EVENT_LOST},
};

static enum status_kind kind_of_status(const struct reply_input *input)
{
    static const struct {
        int status;
        enum status_kind kind;
    } special[] = {
        {400, STATUS_REFUSAL},
        {401, STATUS_UNAUTHORIZED},
        {403, STATUS_FORBIDDEN},
        {404, STATUS_NOT_FOUND},
        {405, STATUS_REFUSAL},
        {408, STATUS_TIMEOUT},
        {410, STATUS_NOT_FOUND},
        {411, STATUS_REFUSAL},
        {413, STATUS_REFUSAL},
        {414, STATUS_REFUSAL},
        {415, STATUS_REFUSAL},
        {422, STATUS_REFUSAL},
        {425, STATUS_TIMEOUT},
        {429, STATUS_THROTTLED},
        {431, STATUS_REFUSAL},
        {450, STATUS_REFUSAL},
        {451, STATUS_PLATFORM_UNAUTHORIZED},
        {452, STATUS_PLATFORM_THROTTLED},
        {501, STATUS_REFUSAL},
    };
    int status = input->http_status;
    bool keyed = input->idempotency_key != NULL && input->idempotency_key[0] != '\0';

    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        if (special[i].status == status)
            return special[i].kind;
    }
    if (status == 409)
        return keyed ? STATUS_CONFLICT : STATUS_OTHER_4XX;
    if (status >= 200 && status < 300)
        return STATUS_OK;
    if (status >= 300 && status < 400)
        return STATUS_REDIRECT;
    if (status >= 400 && status < 500)
        return STATUS_OTHER_4XX;
    return status >= 500 && status < 600 ? STATUS_5XX : STATUS_NONSENSE;
}

enum proof_kind reply_proof(const struct reply_input *input)
{
    if (input->job_id == NULL || input->job_id[0] == '\0')
        return PROOF_NONE;
    return reply_job_id_is_valid(slice_of(input->job_id)) ? PROOF_JOB_ID : PROOF_BAD_JOB_ID;
}

const struct rule *reply_find_rule(const struct reply_input *input, enum body_kind body)
{
    enum status_kind status = kind_of_status(input);
    enum proof_kind proof = reply_proof(input);

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *rule = &rules[i];

        if (rule->phase == input->phase && (rule->statuses & BIT(status)) != 0 &&
            (rule->proofs & BIT(proof)) != 0 && (rule->bodies & BIT(body)) != 0)
            return rule;
    }
    assert(!"the last rule of each phase takes everything");
    return NULL;
}
