/* The sets and texts that the rules of the decision table are written with. */
#ifndef PURSER_CODEC_REPLY_SETS_H
#define PURSER_CODEC_REPLY_SETS_H

#include "purser/codec/reply_table.h"

extern const struct reply_rule reply_send_rules[], reply_poll_rules[];
extern const size_t reply_send_rule_count, reply_poll_rule_count;

/* --- sets --- */

#define BIT(member) (1u << (member))
#define BODY(member) (UINT64_C(1) << (member))

#define OKS (BIT(STATUS_OK) | BIT(STATUS_ODD_OK))
#define MOVES (BIT(STATUS_MOVED) | BIT(STATUS_REDIRECT))
#define REFUSALS (BIT(STATUS_REFUSAL) | BIT(STATUS_NOT_FOUND))
#define STATUS_4XX                                                                       \
    (REFUSALS | BIT(STATUS_UNAUTHORIZED) | BIT(STATUS_FORBIDDEN) | BIT(STATUS_TIMEOUT) | \
     BIT(STATUS_CONFLICT) | BIT(STATUS_THROTTLED) | BIT(STATUS_PLATFORM_UNAUTHORIZED) |  \
     BIT(STATUS_PLATFORM_THROTTLED) | BIT(STATUS_OTHER_4XX))
#define FAILURES (BIT(STATUS_5XX) | BIT(STATUS_PLATFORM_ERROR) | BIT(STATUS_NONSENSE))
#define NOT_SURE (OKS | BIT(STATUS_5XX))
#define ALL_STATUSES (OKS | MOVES | STATUS_4XX | BIT(STATUS_NETWORK) | FAILURES)

#define NO_PROOF BIT(PROOF_NONE)
#define JOB_ID BIT(PROOF_JOB_ID)
#define BAD_JOB_ID BIT(PROOF_BAD_JOB_ID)
#define ANY_PROOF (NO_PROOF | JOB_ID | BAD_JOB_ID)

#define CODES                                                                        \
    (BODY(BODY_BAD_CREDENTIALS) | BODY(BODY_NOT_ALLOWED) | BODY(BODY_NEEDS_UPDATE) | \
     BODY(BODY_DISABLED) | BODY(BODY_NOT_READY) | BODY(BODY_BAD_VERSION))
#define WITHOUT_SENSE (BODY(BODY_EMPTY) | BODY(BODY_UNREADABLE))
/* JSON that a success may have and that still says nothing. */
#define SILENT (WITHOUT_SENSE | BODY(BODY_ASYNC_WITHOUT_ID) | BODY(BODY_WRONG_SHAPE))
#define PLAIN                                                                                 \
    (SILENT | BODY(BODY_WEB_PAGE) | BODY(BODY_ERROR) | BODY(BODY_ASYNC) | BODY(BODY_ENTITY) | \
     BODY(BODY_DELETED))
#define SEND_BODIES (PLAIN | CODES)
#define JOBS                                                                                 \
    (BODY(BODY_JOB_PENDING) | BODY(BODY_JOB_OF_UNKNOWN_STATUS) | BODY(BODY_JOB_OF_ANOTHER) | \
     BODY(BODY_JOB_SUCCESS) | BODY(BODY_JOB_SUCCESS_ALONE) | BODY(BODY_JOB_PARTIAL) |        \
     BODY(BODY_JOB_REFUSED) | BODY(BODY_JOB_UNAUTHORIZED) | BODY(BODY_JOB_NEEDS_UPDATE) |    \
     BODY(BODY_JOB_FORBIDDEN) | BODY(BODY_JOB_DISABLED) | BODY(BODY_JOB_NOT_READY) |         \
     BODY(BODY_JOB_THROTTLED) | BODY(BODY_JOB_CONFLICT) | BODY(BODY_JOB_SERVER_ERROR) |      \
     BODY(BODY_JOB_PLATFORM_ERROR) | BODY(BODY_JOB_UNCLEAR))
#define NO_JOB (WITHOUT_SENSE | BODY(BODY_WEB_PAGE) | BODY(BODY_ERROR))

/* A code says more than its status, except where the answer is not the API's. */
#define CODED_POLL (ALL_STATUSES & ~(MOVES | BIT(STATUS_NETWORK)))

/* --- texts that several rules share --- */

#define SIGN_IN "the merchant must sign in to the platform again"
#define REFUSED_CREDENTIALS \
    "the API refused the client's credentials or the connection's access token"
#define OTHER_VERSION "the API does not accept the version that it is asked for (api.version)"
#define NETWORK_SIGN_IN "the network asks for a sign-in; the API was not reached"
#define SYNCHRONISING "the connection's first synchronisation is not finished"
#define DISABLED "the connection is disabled"
#define NOT_ENABLED "the operation is not enabled for this account"
#define STAYS_OPEN "; whether this write was taken stays open"
#define ASK_LATER "; the remote job goes on and is asked for later"

#endif
