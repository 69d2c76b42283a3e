/* Drives items through their life cycle: the only caller of lifecycle_step() while a run goes on.
 *
 * One turn: finished transfers, durable batches and due items become events → lifecycle_step() each
 * → one batch → only then effects. Never waits, never reads a clock. Memory is what is active: one
 * slot an item that is sending or waiting. Owns neither ledger nor transport. */
#ifndef PURSER_ENGINE_ENGINE_H
#define PURSER_ENGINE_ENGINE_H

#include "purser/core/lifecycle.h"
#include "purser/core/pace.h"
#include "purser/engine/ledger.h"
#include "purser/engine/renderer.h"
#include "purser/engine/transport.h"

struct engine;

struct engine_connection {
    const char *alias;
    uint32_t number; /* in the ledger */
    struct pace_config pace;
    uint32_t in_flight;           /* writes of this connection that are on the wire at once */
    uint32_t learned_rate_millis; /* by an earlier run; 0 = nothing */
    uint32_t learned_in_flight;
    bool asks_status;     /* the API tells its status: asked before the first write of a run */
    const char *platform; /* that it must be of; NULL = not said */
};

struct engine_job {
    const char *name;
    uint32_t number; /* in the ledger */
    const struct operation *operation;
    enum repeat repeat;          /* what makes a repeat harmless */
    struct policy policy;        /* `repeatable` is the engine's to set */
    uint64_t failures_max;       /* stop when more items of this job failed in this run */
    uint32_t failures_millionth; /* … or this share of the finished, after 100; 0 = none */
    uint32_t refusals_max; /* stop the job when its first so many items were all refused before
                              they were accepted; 0 = never */
    bool undoes;           /* its items reverse the successes of those of another job … */
    uint32_t undone_job;   /* … with this number in the ledger */
};

struct engine_options {
    const char *spec_name;
    const char *base_origin;                     /* of the base URL, to judge a response_url */
    const struct engine_connection *connections; /* index = index of the transport */
    size_t connection_count;
    const struct engine_job *jobs;
    size_t job_count;
    struct pace_config pace; /* of the organisation: sends and polls */
    uint32_t in_flight;      /* transfers at once */
    uint32_t outstanding;    /* items active at once */
    uint64_t failures_max;   /* over all jobs */
    uint32_t failures_millionth;
    uint32_t canary;     /* each job begins so many items, and others when these have all succeeded;
                            what an earlier run left active counts among them; 0 = all at once */
    uint64_t item_limit; /* start at most so many new items; UINT64_MAX = no limit */
    int64_t timeout_ms;  /* of one exchange */
    int64_t unreachable_ms; /* stop when nothing was answered for so long */
    uint32_t run;           /* its number in the ledger */
    bool only_seen;         /* start only ready items whose seen_run is this run */
    int64_t lost_since_ms; /* what was done since then is not in the ledger, so that whatever starts
                              may have been sent; the server's clock; 0 = nothing is lost */
    uint32_t boot;         /* which boot the boot clock counts from; 0 = unknown */
    uint64_t seed;
    struct renderer *renderer; /* NULL: what has a draft is left to a run that has one */
};

struct engine_now {
    int64_t wall_ms; /* what is stored */
    int64_t boot_ms; /* what is waited for */
};

enum engine_phase {
    ENGINE_RUNNING,
    ENGINE_DRAINING, /* no new sends; waits for what is on the wire */
    ENGINE_ENDED     /* everything that happened is durable; no transfer runs */
};

/* Why it stopped before everything was done. */
enum engine_stop {
    STOP_NONE,
    STOP_ASKED,       /* engine_drain() */
    STOP_CREDENTIALS, /* the API refused the client's credentials */
    STOP_MAX_FAILURES,
    STOP_CANARY,      /* an item of a canary did not succeed */
    STOP_NOT_THE_API, /* redirects, a captive portal, an untrusted certificate */
    STOP_UNREACHABLE
};

struct engine_progress {
    enum engine_phase phase;
    enum engine_stop stop;
    char stop_text[ERROR_MESSAGE_BYTES_MAX];
    uint64_t sent, polls, throttled, retried, started; /* of this run */
    uint64_t succeeded, failed, in_doubt;              /* of this run, durable */
    uint64_t released;                                 /* as these: blocked before, and ready */
    uint64_t blocked;                                  /* in the ledger, now */
    uint32_t in_flight;                                /* transfers */
    uint32_t active;                                   /* sending or waiting */
    uint32_t parked_connections;
    bool parked_for_credentials;
    const char *parked_alias; /* one of them; NULL = none */
    const char *parked_reason;
    const char *parked_link; /* for the merchant; "" = none known */
    uint32_t stopped_jobs;   /* because all their items were refused … */
    const char *stopped_job; /* … such as this one, after so many; borrowed from the options */
    uint64_t stopped_job_refusals;
    uint32_t left_behind;         /* items that may have been sent, left to the next run */
    uint32_t stuck;               /* waiting for a remote job that is pending for too long */
    int64_t paused_until_boot_ms; /* everything waits until then; 0 = not */
    uint32_t rate_millis;         /* of the organisation now; 0 = no limit */
    uint32_t learned_rate_millis; /* the same; 0 = was never refused */
};

/* Allocates all that a run needs and takes up what an earlier run left active. The options' arrays
 * and texts must outlive the engine. Errors: ERR_NO_MEMORY, ERR_STORAGE; nothing was sent. */
enum err_code engine_new(const struct engine_options *options, struct ledger *ledger,
                         struct transport *transport, struct engine_now now,
                         struct engine **engine_out, struct err *err) ERR_CHECKED;
void engine_free(struct engine *engine);

/* One turn. *wake_boot_ms_out is when the next is due at the latest (INT64_MAX: only when something
 * finishes). Errors: ERR_STORAGE, ERR_NO_MEMORY: nothing more may be sent; free the engine. */
enum err_code engine_turn(struct engine *engine, struct engine_now now, int64_t *wake_boot_ms_out,
                          struct err *err) ERR_CHECKED;

/* Stops new sends; what is on the wire is finished until `deadline_boot_ms`, then abandoned. */
void engine_drain(struct engine *engine, int64_t deadline_boot_ms);

/* Borrowed until the next call on the engine. */
const struct engine_progress *engine_progress(struct engine *engine);

/* What a run learned of a connection, for the next one. */
struct engine_learned {
    uint32_t rate_millis;             /* 0 = was never refused */
    uint32_t in_flight;               /* 0 = as configured */
    const char *parked_reason;        /* NULL = not parked; borrowed for the life of the engine */
    const char *link_url, *detail;    /* "" = none; as above */
    int64_t parked_ms;                /* Unix; since when */
    int64_t checked_ms, last_sync_ms; /* Unix; 0 = never asked; never, or not told */
    struct learned_times times;       /* of this run; 0 = it has seen none */
};

struct engine_learned engine_learned(const struct engine *engine, size_t connection);

/* Method, path and body as one hash: what "unchanged" means, and the check before each send. */
struct hash128 request_hash(enum http_method method, struct slice path, struct slice body);

#endif
