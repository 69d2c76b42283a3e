/* What an honest server can mean by an answer, said independently of the decision table. */
#ifndef ANSWER_TRUTH_H
#define ANSWER_TRUTH_H

#include "purser/codec/reply_table.h"

enum situation {
    SAYS_NOT_ACCEPTED, /* a refusal that tells the truth (A4) */
    SAYS_NOTHING,      /* whether it was accepted or not */
    SAYS_ACCEPTED,
    SAYS_DONE,
    SAYS_CONFLICT, /* other bytes stand under the key */
    POLL_PENDING,
    POLL_SUCCEEDED,
    POLL_PARTIAL,
    POLL_REFUSED,
    POLL_THROTTLED,
    POLL_ERROR,
    POLL_MISSING,
    POLL_TROUBLE, /* shows no job */
    POLL_OF_ANOTHER,
    NOT_SENT, /* no answer: no byte left … */
    LOST,     /* … or nothing came back */
    SITUATION_COUNT
};

static inline bool answer_has_code(enum body_kind body)
{
    return body >= BODY_BAD_CREDENTIALS && body <= BODY_BAD_VERSION;
}

static inline bool answer_is_4xx(enum status_kind status)
{
    return status == STATUS_REFUSAL || status == STATUS_NOT_FOUND ||
           status == STATUS_UNAUTHORIZED || status == STATUS_FORBIDDEN ||
           status == STATUS_TIMEOUT || status == STATUS_CONFLICT || status == STATUS_THROTTLED ||
           status == STATUS_PLATFORM_UNAUTHORIZED || status == STATUS_PLATFORM_THROTTLED ||
           status == STATUS_OTHER_4XX;
}

/* X-Rutter-Job-ID is there exactly when the write was accepted. Without it a documented refusal is
 * the truth about this request, and everything else may be said by whoever stands in between. */
static inline enum situation situation_of_send(enum status_kind status, enum proof_kind proof,
                                               enum body_kind body)
{
    bool is_success = status == STATUS_OK || status == STATUS_ODD_OK;

    if ((is_success && body == BODY_DELETED) || (status == STATUS_OK && body == BODY_ENTITY))
        return SAYS_DONE;
    if (proof != PROOF_NONE || (status == STATUS_OK && body == BODY_ASYNC))
        return SAYS_ACCEPTED;
    if (answer_has_code(body) && answer_is_4xx(status))
        return SAYS_NOT_ACCEPTED;
    switch (status) {
    case STATUS_REFUSAL:
    case STATUS_NOT_FOUND:
    case STATUS_UNAUTHORIZED:
    case STATUS_FORBIDDEN:
    case STATUS_THROTTLED:
    case STATUS_PLATFORM_UNAUTHORIZED:
    case STATUS_PLATFORM_THROTTLED:
    case STATUS_MOVED:
        return SAYS_NOT_ACCEPTED;
    case STATUS_CONFLICT:
        return SAYS_CONFLICT;
    case STATUS_OK:
    case STATUS_ODD_OK:
    case STATUS_REDIRECT:
    case STATUS_TIMEOUT:
    case STATUS_OTHER_4XX:
    case STATUS_NETWORK:
    case STATUS_5XX:
    case STATUS_PLATFORM_ERROR:
    case STATUS_NONSENSE:
    case STATUS_KIND_COUNT:
        break;
    }
    return SAYS_NOTHING;
}

static inline enum situation situation_of_job(enum body_kind body)
{
    switch ((int)body) {
    case BODY_JOB_PENDING:
    case BODY_JOB_OF_UNKNOWN_STATUS:
        return POLL_PENDING;
    case BODY_JOB_OF_ANOTHER:
        return POLL_OF_ANOTHER;
    case BODY_JOB_SUCCESS:
    case BODY_JOB_SUCCESS_ALONE:
        return POLL_SUCCEEDED;
    case BODY_JOB_PARTIAL:
        return POLL_PARTIAL;
    case BODY_JOB_REFUSED:
    case BODY_JOB_UNAUTHORIZED:
    case BODY_JOB_NEEDS_UPDATE:
    case BODY_JOB_FORBIDDEN:
    case BODY_JOB_DISABLED:
    case BODY_JOB_NOT_READY:
        return POLL_REFUSED;
    case BODY_JOB_THROTTLED:
        return POLL_THROTTLED;
    default:
        return POLL_ERROR;
    }
}

static inline enum situation situation_of_poll(enum status_kind status, enum body_kind body)
{
    if (status == STATUS_OK && body >= BODY_JOB_PENDING)
        return situation_of_job(body);
    if (!answer_has_code(body) && (status == STATUS_NOT_FOUND || status == STATUS_REFUSAL ||
                                   status == STATUS_CONFLICT || status == STATUS_OTHER_4XX))
        return POLL_MISSING;
    return POLL_TROUBLE;
}

#endif
