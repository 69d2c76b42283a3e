/* What can happen to a request: every answer and fault the simulator knows, by name.
 *
 * One list serves the magic text in bodies (`sim:NAME`), the script of /_sim/fail and the random
 * draws of a profile, so a fault seen in a random run can be repeated by its name. */
#ifndef RUTTER_SIM_OUTCOME_H
#define RUTTER_SIM_OUTCOME_H

#include "text.h"

enum stage {
    STAGE_REFUSE, /* a complete answer without acceptance: no job, no effect, key stays free */
    STAGE_BEFORE, /* a connection fault before the request was acted on */
    STAGE_AFTER,  /* acted on; the answer is changed, cut or lost */
    STAGE_JOB,    /* accepted; decides how the job goes on */
    STAGE_POLL    /* answer to one GET of the job; changes nothing */
};

/* What the wire does with a composed answer. */
enum wire {
    WIRE_NORMAL,
    WIRE_CLOSE,       /* closed without a byte */
    WIRE_RESET,       /* TCP reset without a byte */
    WIRE_HANG,        /* no answer, connection left open (closed after 10 minutes) */
    WIRE_TRUNCATED,   /* closed in the middle of the body, Content-Length promised all */
    WIRE_RESET_BODY,  /* TCP reset in the middle of the body */
    WIRE_DRIP,        /* second half of the body comes later */
    WIRE_TWICE,       /* the whole answer again behind itself (HTTP/1.1) */
    WIRE_EARLY_HINTS, /* three 103 answers first (HTTP/1.1 without TLS) */
    WIRE_NO_LENGTH,   /* no Content-Length, half a body, then a close that looks like an end */
    WIRE_CHUNKS_CUT,  /* chunked, closed without the last chunk */
    WIRE_BAD_DATE,    /* a Date that is none */
    /* Written by raw.c, past libh2o; on HTTP/2 and TLS the connection is reset instead. */
    WIRE_RAW,             /* bytes of a script, then a close */
    WIRE_NO_DATE,         /* no Date header */
    WIRE_TRICKLE,         /* one byte after the other, slowly, from the first on */
    WIRE_HEADER_FLOOD,    /* 100 KB of headers before the body */
    WIRE_ENDLESS_HEADERS, /* headers for ever */
    WIRE_HINTS_STORM,     /* a thousand 103 answers first */
    WIRE_ENDLESS_HINTS,   /* 103 answers for ever */
    WIRE_ENDLESS_BODY,    /* the body goes on for ever */
    WIRE_NO_HEAD,         /* the body alone, as HTTP/0.9 */
    WIRE_BAD_STATUS_LINE  /* a status line that is none */
};

/* How the composed answer of an accepted or answered request is changed. */
enum change {
    CHANGE_NONE,
    CHANGE_GARBAGE,        /* body that is no JSON */
    CHANGE_EMPTY,          /* no body */
    CHANGE_HTML,           /* 200 with a HTML page */
    CHANGE_WRONG_TYPE,     /* right body, text/plain */
    CHANGE_DUPLICATE_KEYS, /* a member twice, with two values */
    CHANGE_NO_JOB_ID,      /* right answer without X-Rutter-Job-ID */
    CHANGE_GARBAGE_NO_ID,  /* body that is no JSON, without X-Rutter-Job-ID */
    CHANGE_STATUS,         /* `status` and an error body, with X-Rutter-Job-ID */
    CHANGE_GATEWAY,        /* `status` and a HTML page, without X-Rutter-Job-ID */
    CHANGE_BARE,           /* {id,status,response_url} without async_response */
    CHANGE_ENTITY,         /* the finished entity though async was asked */
    CHANGE_ERRORS_ONLY,    /* {"errors":[…]} */
    CHANGE_BAD_URL,        /* response_url is what `message` spells */
    CHANGE_REDIRECT,       /* `status` and a Location at --foreign-origin, no job id */
    CHANGE_HUGE,           /* the right body with 5 MB more in it */
    CHANGE_DEEP,           /* 100,000 brackets */
    CHANGE_GZIP,           /* compressed, though nobody asked */
    CHANGE_NO_CONTENT,     /* 204 */
    CHANGE_ODD_STATUS,     /* a status string nobody documented */
    CHANGE_BAD_ID,         /* a job id that is a path */
    CHANGE_SECOND_JOB,     /* names another job than the one that was made */
    CHANGE_WRAPPED_JOB     /* a job in the form of the completion webhook */
};

/* How a job goes on. */
enum job_turn {
    JOB_SUCCEEDS,
    JOB_FAILS,       /* with `status`, no effect */
    JOB_FAILS_ACTED, /* with `status`, though the effect was executed */
    JOB_PARTIAL,
    JOB_NEVER_ENDS,
    JOB_LOST,           /* every poll 404 */
    JOB_VANISHES,       /* the same, and nothing was done */
    JOB_LATE_TO_SEE,    /* the first polls 404 */
    JOB_NO_BODY,        /* success without a response body */
    JOB_NO_RESPONSE,    /* success without a response */
    JOB_NO_HTTP_STATUS, /* failure without http_status */
    JOB_INCONSISTENT,   /* success with http_status 400 */
    JOB_WRONG_KEY,      /* echoes another idempotency key */
    JOB_WRONG_ID,       /* answers with another id */
    JOB_ODD_STATUS,     /* "processing" while it runs */
    JOB_REGRESSES,      /* pending, then prequeued again */
    JOB_FLIPS,          /* success once, failure ever after */
    JOB_ACTS_TWICE,     /* executes its effect twice: a broken server */
    JOB_SLOW            /* ten times the job time */
};

struct outcome {
    const char *name;
    enum stage stage;
    uint16_t status;
    enum wire wire;
    enum change change;
    enum job_turn job;
    const char *error_type;
    const char *error_code;
    const char *message;     /* of CHANGE_BAD_URL a pattern, see answer.c */
    bool once;               /* as magic text: the first time only, unless `*N` says otherwise */
    const char *retry_after; /* value of that header; "date" makes a HTTP date 1 s ahead */
    uint32_t delay_ms;
};

/* The outcome called `name`, or NULL. */
const struct outcome *outcome_find(struct slice name);
/* Every outcome, for --help and the README; NULL past the end. */
const struct outcome *outcome_at(size_t index);
size_t outcome_index(const struct outcome *outcome);

#define MAGIC_MAX 4

/* The `sim:NAME` and `sim:NAME*N` texts of one request. */
struct magic {
    size_t count;
    struct {
        const struct outcome *outcome;
        uint32_t times; /* 0: always */
    } entries[MAGIC_MAX];
};

/* Finds the magic texts in `text` and adds them to `magic`. Unknown names are left alone. */
void magic_find(struct slice text, struct magic *magic);

enum profile { PROFILE_CLEAN, PROFILE_REALISTIC, PROFILE_HOSTILE };

bool profile_from_text(struct slice text, enum profile *profile_out);
const char *profile_name(enum profile profile);

/* Draws an outcome of one of the stages refuse, before and after (a send), job, or poll from a
 * profile; NULL: nothing unusual. `draw` is a well mixed number. Every drawn outcome passes: a
 * client that goes on reaches success. */
const struct outcome *profile_draw_send(enum profile profile, uint64_t draw);
const struct outcome *profile_draw_job(enum profile profile, uint64_t draw);
const struct outcome *profile_draw_poll(enum profile profile, uint64_t draw);

#endif
