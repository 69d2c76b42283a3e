/* One write, repeated under its key after given times: does the API still know the key? */
#ifndef PURSER_CLI_PROBE_H
#define PURSER_CLI_PROBE_H

#include "purser/cli/session.h"
#include "purser/codec/reply.h"
#include "purser/io/api_client.h"

/* What a repeat tells. */
enum probe_finding {
    PROBE_REMEMBERED, /* the first write answered again */
    PROBE_FORGOTTEN,  /* a second write was made */
    PROBE_CONFLICT,   /* 409: the key is known, but not with this request */
    PROBE_UNCLEAR,    /* throttled, lost, an error: nothing is concluded */
};

/* An answer, as far as two of them are compared. Texts are the arena's. */
struct probe_answer {
    int64_t sent_ms; /* wall clock */
    int http_status; /* 0 = no answer */
    enum item_event_kind event;
    const char *remote_job; /* "" = none is named */
    const char *request_id;
    struct slice body;
    const char *message; /* for people; "" = none */
};

struct probe {
    struct session *session;
    struct api_client *client;
    const char *item; /* JOB/KEY */
    const struct spec_job *job;
    uint32_t connection;
    struct slice path, body;
    char key[37];
    int64_t after_ms[PROBE_REPEATS_MAX]; /* ascending, from the first send */
    size_t repeat_count;
    /* Set by probe_run(). */
    struct probe_answer first, again[PROBE_REPEATS_MAX];
    enum probe_finding findings[PROBE_REPEATS_MAX];
    size_t done_count; /* repeats that were made; it ends with the first that was forgotten */
};

/* "10m,1h": rising durations. ERR_USAGE. */
enum err_code probe_parse_times(const char *text, struct probe *probe, struct err *err) ERR_CHECKED;

/* True when the first write was accepted, so that repeats mean something. */
bool probe_first_is_accepted(const struct probe_answer *first);

enum probe_finding probe_compare(const struct probe_answer *first,
                                 const struct probe_answer *again);

/* Sends, waits, repeats. ERR_STOPPED by a signal; ERR_NO_MEMORY, ERR_SYSTEM. */
enum err_code probe_run(struct probe *probe, struct err *err) ERR_CHECKED;

/* Appends what was found, for people or as one JSON object. */
void probe_append(const struct probe *probe, int exit_status, struct buf *out);

/* 0: the key was remembered every time; else 3. */
int probe_exit_status(const struct probe *probe);

#endif
