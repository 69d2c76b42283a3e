/* The write operations of the Rutter API, as data.
 *
 * Source: Rutter's OpenAPI document of version 2023-03-14, its guides on asynchronous operations
 * and idempotent requests, and its changelog. What is inferred is said in README.md. */
#ifndef RUTTER_SIM_OPERATIONS_H
#define RUTTER_SIM_OPERATIONS_H

#include "text.h"

enum method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_DELETE, METHOD_OTHER };

/* How an operation treats response_mode and the Idempotency-Key. */
enum operation_class {
    CLASS_ASYNC,         /* response_mode in the body; a job behind every write */
    CLASS_ASYNC_PATCH,   /* the same, inferred for PATCH */
    CLASS_ASYNC_LIKELY,  /* async_response possible though response_mode is not declared */
    CLASS_SYNC_WITH_JOB, /* response_mode accepted, always answered with the finished entity */
    CLASS_SYNC           /* no job, no key: executed once for each request */
};

/* What a finished write answers. */
enum answer_kind {
    ANSWER_ENTITY,                 /* {"invoice":{"id":…, the fields sent}} */
    ANSWER_ENTITY_WITH_CONNECTION, /* the same with "connection" beside it */
    ANSWER_FEED_TRANSACTIONS,      /* {"bank_feed_transactions":[{"id":…, each that was sent}]} */
    ANSWER_ATTACHMENT,             /* {"attachment":{"id":…,"file_name":…}} */
    ANSWER_DELETED_WRAPPED,        /* {"deleted_bill":{"code":"deleted","success":true}} */
    ANSWER_DELETED_BARE,           /* {"code":"deleted","success":true} */
    ANSWER_DELETED_PRODUCT,        /* {"product":"ID","success":true} */
    ANSWER_DELETED_VARIANT,        /* {"productId":…,"variantId":…} */
    ANSWER_SUCCESS,                /* {"success":true} */
    ANSWER_CONNECTION,             /* {"connection":{"id","access_token","link_url","name"}} */
    ANSWER_TOKEN_EXCHANGE,
    ANSWER_NEW_TOKEN,
    ANSWER_ECHO /* the body as sent, with an id */
};

struct operation {
    enum method method;
    const char *path;     /* under /versioned; {…} stands for one segment */
    const char *wrapper;  /* member that holds the fields; "" when the root does */
    const char *required; /* members of the wrapper, separated by one space */
    const char *answered; /* member of the answer that holds the entity */
    enum operation_class operation_class;
    enum answer_kind answer;
    bool without_token; /* takes no access_token */
    bool body_optional;
};

/* Builds the lookup table; call once before `operation_match`. */
void operations_init(void);

/* The operation of `method` and `path` (under /versioned, no query), or NULL. `path_known_out`
 * tells whether another method would have matched. */
const struct operation *operation_match(enum method method, struct slice path,
                                        bool *path_known_out);

/* Number of an operation in the table, and back. */
size_t operation_index(const struct operation *operation);
const struct operation *operation_at(size_t index);

/* The last segment of `path`, or the one before it if `back` is 1. */
struct slice path_segment_from_end(struct slice path, size_t back);

enum method method_from_text(struct slice text);
const char *method_name(enum method method);

#endif
