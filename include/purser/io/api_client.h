/* Questions to the API, and single writes, for commands; a run has the engine.
 *
 * Requests are started, and answers come in whatever order they finish: as many are on the wire as
 * the spec allows, paced by the organisation's rate. GETs are repeated a few times when they were
 * throttled, lost or met a server in trouble; everything else is sent once. Nothing is kept
 * between two clients, and nothing is written anywhere. */
#ifndef PURSER_IO_API_CLIENT_H
#define PURSER_IO_API_CLIENT_H

#include "purser/base/arena.h"
#include "purser/io/api_link.h"

#define API_NO_CONNECTION UINT32_MAX /* no access_token in the URL */

struct api_client;

struct api_client_options {
    int signal_fd;          /* of signals_open(), borrowed: a signal ends all waiting; -1 = none */
    const char *state_path; /* where a simulator's world is kept; NULL = an empty one */
    /* Before the first repeat, then doubled; 0 = half a second. Retry-After wins where it comes. */
    int64_t first_delay_ms;
};

struct api_request {
    uint64_t tag;        /* comes back in the answer */
    uint32_t connection; /* index in the spec, or API_NO_CONNECTION */
    enum http_method method;
    struct slice path;      /* below the base URL, a query with it; empty with remote_job */
    const char *remote_job; /* asks for this remote job; NULL = not a poll */
    enum job_path job_path;
    struct slice body;           /* empty = none */
    const char *idempotency_key; /* NULL = none */
};

struct api_answer {
    uint64_t tag;
    enum transfer_outcome outcome;
    int http_status;        /* of TRANSFER_ANSWERED, else 0 */
    int http_version;       /* as that of a reply */
    uint32_t attempt_count; /* how often it was sent or tried, ≥ 1 */
    int64_t duration_ms;    /* of the last attempt */
    struct slice body;      /* this and all texts belong to the arena of the call */
    const char *content_type, *request_id, *job_id, *date; /* "" = absent */
    const char *failure; /* why there is no answer, for people, without secrets; else "" */
};

/* Opens the way to the API of `spec`; a simulator that it asks for is started and ends with the
 * client. `spec` and `credentials` must outlive the client. Errors: those of api_link_open(). */
enum err_code api_client_open(const struct spec *spec, const struct credentials *credentials,
                              const struct api_client_options *options,
                              struct api_client **client_out, struct err *err) ERR_CHECKED;
/* What is on the wire is abandoned. */
void api_client_close(struct api_client *client);

/* True when one more may be started. */
bool api_client_has_room(const struct api_client *client);

/* Takes a request, copying all of it; it leaves when the pace allows, while others wait in
 * api_client_next(). The caller has asked for room. ERR_NO_MEMORY: it was not taken. */
enum err_code api_client_start(struct api_client *client, const struct api_request *request,
                               struct err *err) ERR_CHECKED;

/* Waits for the next answer; its texts are copied into `arena`. ERR_NOT_FOUND (err untouched): no
 * request is left; ERR_STOPPED: a signal came; ERR_INPUT: a path that cannot be part of a URL;
 * ERR_NO_MEMORY, ERR_SYSTEM. After any error but the first the client can only be closed. */
enum err_code api_client_next(struct api_client *client, struct arena *arena,
                              struct api_answer *answer_out, struct err *err) ERR_CHECKED;

/* One request and its answer, when no other is under way. Errors as above. */
enum err_code api_client_request(struct api_client *client, const struct api_request *request,
                                 struct arena *arena, struct api_answer *answer_out,
                                 struct err *err) ERR_CHECKED;

/* Waits without a request; ERR_STOPPED when a signal came. */
enum err_code api_client_wait(struct api_client *client, int64_t duration_ms,
                              struct err *err) ERR_CHECKED;

/* scheme://host:port of the API. Borrowed. */
const char *api_client_origin(const struct api_client *client);

#endif
