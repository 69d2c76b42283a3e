/* The write operations of the API and how far each can be trusted to be repeated.
 *
 * Source: Rutter's OpenAPI document of 2023-12 (version 2023-03-14; `required`, `platforms`), a
 * client generated from a newer one (2026-02) and the guides on asynchronous and on idempotent
 * requests; see ARCHITECTURE.md. */
#ifndef PURSER_CORE_OPERATION_H
#define PURSER_CORE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "purser/core/platform.h"

enum http_method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_PUT, METHOD_DELETE, METHOD_COUNT };

/* Y: response_mode and the async answer are documented. Y_PATCH: the async answer is documented,
 * the flag inferred. Y_MODE_ONLY: the flag is documented, the async answer is not. A: the async
 * answer is documented, the flag is not. N: neither. */
enum operation_class { CLASS_Y, CLASS_Y_PATCH, CLASS_Y_MODE_ONLY, CLASS_A, CLASS_N };

/* Where an operation takes response_mode. */
enum mode_place { MODE_IN_BODY, MODE_IN_QUERY, MODE_NOWHERE };

/* What a write asks for: an answer at once and a remote job to poll; the finished entity if it is
 * soon done; the finished entity (said by leaving response_mode out). */
enum response_mode { RESPONSE_ASYNC, RESPONSE_PREFER_SYNC, RESPONSE_SYNC };

struct operation {
    enum http_method method;
    const char *path;    /* template: "/products/{id}" */
    const char *wrapper; /* key of the body's object, "" = the body has no wrapper */
    const char *result;  /* key of the finished entity in an answer, "" = none known */
    enum operation_class class;
    enum mode_place mode_place;
    bool takes_access_token;     /* query parameter access_token selects the connection */
    const char *summary;         /* what it does, for people: "create an invoice" */
    const char *const *required; /* members of the wrapper's object, or of a body without a wrapper,
                                    that must be there; ends with NULL; NULL = none is known */
    uint64_t platforms;          /* that have it; PLATFORMS_UNKNOWN = no document says */
};

/* The operation that `method` and the concrete `path` (no query) belong to, concrete paths before
 * templates; NULL when there is none. */
const struct operation *operation_find(enum http_method method, struct slice path);

/* True if the concrete `path` is one of the operation's. A "{name}" of its template stands for one
 * segment, which is never empty. */
bool operation_takes_path(const struct operation *operation, struct slice path);

/* The n-th operation in the order of the table; NULL past the end. */
const struct operation *operation_at(size_t index);

/* What makes it harmless to send the same write once more. */
enum repeat {
    REPEAT_BY_KEY,    /* its idempotency key */
    REPEAT_IF_PROVEN, /* the same, once an answer has shown X-Rutter-Job-ID; until then nothing */
    REPEAT_BY_NATURE, /* done twice is done once; a user says so, never the table */
    REPEAT_NEVER      /* nothing: it is sent at most once */
};

/* By its class: Y and Y_PATCH by their key, A and Y_MODE_ONLY when it is proven, N never. */
enum repeat operation_repeat(const struct operation *operation);

const char *method_name(enum http_method method);
bool method_parse(struct slice name, enum http_method *method_out);

#endif
