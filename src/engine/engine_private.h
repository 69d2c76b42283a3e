/* What the files of the engine share. */
#ifndef PURSER_ENGINE_PRIVATE_H
#define PURSER_ENGINE_PRIVATE_H

#include "purser/base/arena.h"
#include "purser/base/heap.h"
#include "purser/base/rng.h"
#include "purser/core/breaker.h"
#include "purser/core/key.h"
#include "purser/core/key_age.h"
#include "purser/core/poll_plan.h"
#include "purser/core/retry_budget.h"
#include "purser/engine/engine.h"

#define NO_SLOT UINT32_MAX
/* Tags of questions; those of slots count from 0. */
#define ORGANISATION_TAG UINT64_MAX
#define STATUS_TAGS (UINT64_C(1) << 32) /* + index of the connection */

enum slot_place {
    SLOT_FREE,
    SLOT_RESTING,  /* its time is in the heap */
    SLOT_TO_START, /* turned away without a key; its intent is to be made again */
    SLOT_TO_SEND,  /* in its connection's queue */
    SLOT_TO_POLL,  /* in the poll queue */
    SLOT_ON_WIRE,  /* a transfer runs */
    SLOT_ASIDE,    /* its connection is parked, and it may have been sent */
    SLOT_FINISHED, /* final; free once that is durable … */
    SLOT_RELEASING /* … and, if others wait for it, that these were looked at is durable too */
};

/* One active item. */
struct slot {
    enum slot_place place;
    uint32_t next;        /* in a queue or the free list */
    uint32_t bucket_next; /* with the same hash of the number */
    uint32_t heap_token;  /* entries in the heap with another token are void */
    uint32_t connection;  /* index */
    uint32_t job;         /* index */
    uint64_t number;
    uint64_t intent_batch;  /* that holds the intent of this generation; 0 = durable since before */
    uint64_t last_batch;    /* that holds the newest value */
    int64_t pending_age_ms; /* age of the remote job when it was last seen pending */
    int64_t aged_since_ms;  /* boot clock: when it was accepted, or taken up by this process */
    int64_t started_boot_ms; /* of the running transfer */
    bool polling;            /* the running transfer is a poll … */
    bool is_probe;           /* … or one by which a breaker finds out; for both breakers */
    bool is_connection_probe;
    bool is_budgeted;       /* a repeat that the retry budget has let through */
    bool is_lost_here;      /* this process has had no usable answer to a send of it */
    bool is_ahead;          /* counted in its connection's `ahead` … */
    bool is_unkeyed_ahead;  /* … and in `unkeyed_ahead` */
    bool is_open_on_wire;   /* counted in its job's `open_on_wire` */
    bool is_turned_away;    /* counted in its connection's `turned_away` */
    bool is_accepted_here;  /* by an answer to this process, which so knows the age of the job */
    bool is_started;        /* counted in this run's `started` */
    bool is_canary;         /* counted in its job's `canaries_open` */
    bool has_new_intent;    /* made by this process … */
    bool has_server_intent; /* … and stamped with the server's time */
    struct item item;
    char key[KEY_TEXT_BYTES]; /* idempotency key of key_generation */
    uint32_t key_generation;  /* 0 = not derived yet */
    struct buf storage;       /* of the frozen request while on the wire */
};

struct queue {
    uint32_t head, tail, count;
};

/* To the API, about no item. */
struct question {
    bool asked; /* a transfer for it runs */
    bool is_probe;
    uint32_t trouble;     /* in a row, of any kind; for the backoff */
    uint32_t unusable;    /* answers in a row that told nothing */
    int64_t ask_after_ms; /* boot clock */
};

/* Of milliseconds. */
struct mean {
    uint64_t sum, count;
};

struct connection {
    struct pace pace;
    struct breaker breaker;
    struct window window;
    struct poll_plan plan;
    struct queue to_start, to_send;
    uint64_t ready_after; /* cursor over the ready items in the ledger */
    bool ready_exhausted;
    uint64_t released_open;    /* the lowest number that the open batch has made ready; 0 = none */
    uint64_t released_closing; /* the same of the one that is being committed */
    uint32_t ahead;            /* intents made and not yet on the wire */
    uint32_t look_ahead;       /* as many as may be */
    bool starved;              /* had a place and no durable intent since the last commit */
    bool held_back;            /* its next item must wait for another one of its kind */
    bool awaits_canary;        /* its next item must wait for the first ones of its job */
    uint32_t sending_count;    /* its slots in state sending */
    uint32_t turned_away;      /* its slots in state ready: they will be sent again */
    bool checked;              /* its status was told in this run, or will not be */
    struct question status;
    bool parked;
    uint32_t parked_times;   /* in this run */
    int64_t unpark_after_ms; /* boot clock */
    int64_t parked_ms;       /* Unix */
    uint64_t aside_batch;    /* the last one into which an item was taken back */
    char parked_reason[32];
    char link_url[512]; /* for the merchant; "" = none, or too long */
    char detail[256];
    int64_t checked_ms, last_sync_ms; /* Unix; 0 = never, or not told */
    struct mean answer, accept, finish;
};

/* Whether a repeat is harmless; the same for all jobs of one operation. */
enum trust {
    TRUST_GIVEN, /* it is */
    TRUST_OPEN,  /* not known yet: one write at a time, until an answer shows it */
    TRUST_SHOWN, /* an answer has shown it; counts when that is durable */
    TRUST_NONE   /* it is not: at most once */
};

/* What is known of whether every item of a job is over. */
enum gate {
    GATE_UNKNOWN, /* one has come to its end since it was asked */
    GATE_SHUT,
    GATE_OPENED, /* those that wait for it are to be looked at */
    GATE_OPEN
};

/* Shown when the batch that brings it about is durable. */
struct news {
    uint64_t released, failed, in_doubt, skipped;
};

struct job {
    struct policy policy; /* as given, with `repeatable` as it is now */
    uint32_t lead;        /* the first job with the same operation; what follows is kept there */
    enum trust trust;
    uint32_t open_on_wire;  /* writes of the operation on the wire while its trust is open */
    uint32_t without_proof; /* successes in a row that showed nothing */
    uint64_t proof_batch;   /* TRUST_SHOWN: that makes it durable */
    /* of this job */
    enum gate gate;
    bool is_needed;      /* some item waits for all of the job, or will have */
    uint64_t gate_batch; /* GATE_OPENED: the last one in which an item can have come to wait */
    uint64_t finished, failed, refused;
    uint32_t canaries, canaries_open, canaries_failed; /* of this run; under way; ended badly */
    bool stopped; /* nothing more of it is started in this run */
};

struct engine {
    struct engine_options options;
    struct ledger *ledger;
    struct transport *transport;
    struct engine_now now;
    struct slot *slots;
    uint32_t slot_count, free_slots, free_count;
    uint32_t *buckets; /* slots by item number: the first of each chain, or NO_SLOT */
    uint32_t bucket_mask;
    struct connection *connections;
    struct job *jobs;
    struct pace pace;
    struct breaker breaker;
    struct retry_budget retries;
    struct question organisation; /* for the time, and whether the credentials are good */
    bool credentials_doubted;     /* nothing is sent until that is answered */
    struct queue to_poll, finished, releasing, released;
    struct {
        bool runs;
        enum wait_kind kind;
        uint64_t target, after;
    } scan;                 /* over those that wait for one thing */
    bool looked;            /* at those that wait for nothing that is known */
    uint32_t gate_next;     /* the next job of the ledger to be looked at, at the start */
    bool gates_known;       /* all were */
    uint64_t waits_batch;   /* the last one in which an item came to wait for something */
    uint32_t awaited_count; /* ends with dependents that are not durable yet */
    bool commit_urgent;     /* a commit lets blocked items go on */
    struct news news_open, news_closing;
    struct buf needs_storage, other_storage, request_storage;
    struct heap due;
    struct rng rng;
    struct arena arena;
    uint32_t on_wire, next_connection;
    uint32_t waiting_count; /* slots in state waiting */
    uint32_t skipped;       /* ready items of stopped jobs that this turn has passed by */
    uint32_t unkeyed_ahead; /* intents of operations without a key, not yet on the wire */
    bool poll_turn;
    bool aside_due;     /* a parked connection has slots that wait to be sent */
    bool job_aside_due; /* a job was stopped, and slots of it wait to be sent */
    bool resume_due;    /* a connection works again, and slots of it were set aside */
    uint32_t aside_count;
    bool restarting;          /* items of an earlier run are still to be taken up */
    bool releases_taken_up;   /* all that the index had … */
    uint64_t unslotted_batch; /* … until this one, which has ends without a slot; 0 = none */
    uint64_t release_after, restart_after;
    uint64_t batch_open, batch_durable; /* sequence of the open batch; highest durable one */
    bool commit_running;
    int64_t batch_since_boot_ms; /* first write of the open batch; 0 = empty */
    int64_t server_offset_ms;    /* server's clock minus boot clock */
    bool server_clock_known;
    bool clock_given_up;       /* the server tells no time */
    bool stamps_due;           /* it has just told it: intents bear the host's until now */
    int64_t answered_boot_ms;  /* last complete answer, or the start */
    uint32_t unanswered_count; /* exchanges without an answer since */
    int64_t drain_deadline_boot_ms;
    bool withdrawn; /* unused intents were taken back */
    bool failed;    /* storage or memory: nothing more may be sent */
    struct engine_progress progress;
};

/* engine_slot.c */
struct slot *slot_take(struct engine *engine, uint64_t number, const struct item *item);
void slot_release(struct engine *engine, struct slot *slot);
uint32_t slot_index(const struct engine *engine, const struct slot *slot);
bool slot_map(struct engine *engine, struct slot *slot);
/* The slot that has this item; NULL = none. */
struct slot *slot_find(const struct engine *engine, uint64_t number);
void queue_push(struct engine *engine, struct queue *queue, struct slot *slot);
void queue_push_front(struct engine *engine, struct queue *queue, struct slot *slot);
struct slot *queue_pop(struct engine *engine, struct queue *queue);
enum err_code slot_rest(struct engine *engine, struct slot *slot, struct err *err) ERR_CHECKED;

/* engine_step.c: applies one event to one slot, writes what changed, and returns the effect. The
 * clocks, the run and what was lost are put into the event here. */
enum err_code engine_step(struct engine *engine, struct slot *slot, struct item_event *event,
                          enum effect *effect_out, struct err *err) ERR_CHECKED;
/* The open batch has something in it. */
void engine_touch_batch(struct engine *engine);
struct item_event engine_event(enum item_event_kind kind);
int64_t engine_server_now_ms(const struct engine *engine);
struct key_clock engine_key_clock(const struct engine *engine);
void engine_stop_run(struct engine *engine, enum engine_stop stop, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* engine_send.c: the idempotency key of the slot's generation; "" when it cannot be known. */
const char *slot_key(struct engine *engine, struct slot *slot, const struct frozen_request *frozen);

/* engine_answer.c */
enum err_code engine_take_answers(struct engine *engine, struct err *err) ERR_CHECKED;

/* engine_send.c */
bool engine_head_is_ready(const struct engine *engine, const struct connection *connection);
void engine_leave_look_ahead(struct engine *engine, struct slot *slot);
/* Its writes carry an idempotency key. */
bool engine_sends_key(const struct engine_job *job);
enum err_code engine_start_transfers(struct engine *engine, struct err *err) ERR_CHECKED;

/* engine_trust.c */
void engine_init_jobs(struct engine *engine);
/* It may go on the wire, as far as its operation is trusted. */
bool engine_trust_allows(const struct engine *engine, const struct slot *slot);
void engine_trust_sent(struct engine *engine, struct slot *slot);
/* What the end of a send says about its operation; `reply` is NULL when there was no answer. */
enum err_code engine_trust_answered(struct engine *engine, struct slot *slot,
                                    const struct reply *reply, enum item_event_kind kind,
                                    struct err *err) ERR_CHECKED;
/* Proofs that have become durable count from now on. */
void engine_trust_durable(struct engine *engine);

/* engine_failures.c */
void engine_check_failures(struct engine *engine);
/* The slot's item has come to an end. */
void engine_count_end(struct engine *engine, const struct slot *slot);
enum err_code engine_set_jobs_aside(struct engine *engine, struct err *err) ERR_CHECKED;

/* engine_canary.c */
/* Another item of the job may begin. */
bool engine_canary_allows(const struct engine *engine, uint32_t job);
/* The slot's item begins, or is taken up from an earlier run. */
void engine_canary_begins(struct engine *engine, struct slot *slot);
/* It is left to the ledger, unsent. */
void engine_canary_taken_back(struct engine *engine, struct slot *slot);
/* It has come to an end. If not to a good one, nothing more is begun. */
void engine_canary_ends(struct engine *engine, struct slot *slot);
/* Nothing is under way: says why the run stops, if a canary is why. */
void engine_canary_tell(struct engine *engine);

/* engine_needs.c */
struct wait {
    bool is_met; /* there is none */
    enum wait_kind kind;
    uint64_t target;
};
/* As the ledger's, but ERR_INPUT when the record is damaged: that concerns its item alone. */
enum err_code engine_read_needs(struct engine *engine, uint64_t number, struct buf *storage,
                                struct needs_record *needs_out, struct err *err) ERR_CHECKED;
/* The first need that is not met now. An order that is met is taken out of `needs`, for good, and
 * *changed_out says so. Errors: ERR_INPUT when a record on the way is damaged. */
enum err_code engine_find_wait(struct engine *engine, struct needs_record *needs,
                               struct wait *wait_out, bool *changed_out,
                               struct err *err) ERR_CHECKED;
/* Every item of this job of the ledger is over. */
enum err_code engine_gate_is_open(struct engine *engine, uint64_t job, bool *open_out,
                                  struct err *err) ERR_CHECKED;
/* Index of a job of the ledger; job_count when this run has it not. */
uint32_t engine_job_index(const struct engine *engine, uint64_t number);

/* engine_release.c */
/* A blocked item, as the ledger has it: waits for another thing, is made ready, fails, is skipped.
 */
enum err_code engine_look_at(struct engine *engine, uint64_t number, const struct item *item,
                             struct err *err) ERR_CHECKED;
/* A ready item is about to be started: blocks it again unless its needs are met now. */
enum err_code engine_check_needs(struct engine *engine, struct slot *slot, bool *blocked_out,
                                 struct err *err) ERR_CHECKED;

/* engine_scan.c */
/* Gives a slot to each item whose release is due in the ledger, as far as there are any. They need
 * no network, so they make room for what does. */
enum err_code engine_take_up_releases(struct engine *engine, struct err *err) ERR_CHECKED;
/* Looks at blocked items, as many as a turn may. */
enum err_code engine_release(struct engine *engine, struct err *err) ERR_CHECKED;
/* A turn would look at something now. */
bool engine_can_release(const struct engine *engine);
/* Something can still become ready, or is and the ledger does not say so yet. */
bool engine_release_is_pending(const struct engine *engine);
/* The open batch is being committed; it is durable. */
void engine_release_closing(struct engine *engine);
void engine_release_closed(struct engine *engine);
/* The end of the slot's item is durable. */
void engine_release_ended(struct engine *engine, struct slot *slot);

/* engine_admit.c */
/* A record that says it is active or unsent but cannot be read: in doubt for good. */
enum err_code engine_put_damaged(struct engine *engine, uint64_t number, const struct item *item,
                                 struct err *err) ERR_CHECKED;
/* Ready, or its intent was never used. */
bool engine_is_unsent(const struct slot *slot);
/* Makes such an item ready again, and leaves it to the ledger. */
enum err_code engine_take_back(struct engine *engine, struct slot *slot,
                               struct err *err) ERR_CHECKED;
enum err_code engine_take_up(struct engine *engine, struct err *err) ERR_CHECKED;
enum err_code engine_admit(struct engine *engine, struct err *err) ERR_CHECKED;
enum err_code engine_withdraw_unsent(struct engine *engine, struct err *err) ERR_CHECKED;
enum err_code engine_set_aside(struct engine *engine, struct err *err) ERR_CHECKED;
bool engine_can_admit(const struct engine *engine);
/* Lets the slot wait until its item is due; a run that ends takes back what can have no effect. */
enum err_code engine_rest(struct engine *engine, struct slot *slot, struct err *err) ERR_CHECKED;
bool engine_connection_can_send(const struct engine *engine, const struct connection *connection);
/* Slots that were set aside go on, because their connection works again. */
enum err_code engine_resume_aside(struct engine *engine, struct err *err) ERR_CHECKED;

/* engine_clock.c */
void engine_learn_clock(struct engine *engine, int64_t server_now_ms);
/* Intents of this boot that bear the host's time get the same moment in the server's. */
enum err_code engine_correct_intents(struct engine *engine, struct err *err);
enum err_code engine_correct_intent(struct engine *engine, struct slot *slot, struct err *err);
bool engine_must_know_clock(const struct engine *engine, const struct slot *slot);
bool engine_clock_is_wanted(const struct engine *engine);
/* An answer came that any server tells its time with. */
void engine_clock_answered(struct engine *engine);

/* engine_health.c */
void engine_park(struct engine *engine, struct connection *connection, const char *reason);
/* When something is asked next; INT64_MAX: not as things stand. */
int64_t engine_ask_at_ms(const struct engine *engine);
enum err_code engine_ask(struct engine *engine, struct err *err) ERR_CHECKED;
void engine_take_question(struct engine *engine, const struct reply *reply);

/* engine_pacing.c: when a request of any kind may go; INT64_MAX: not by time alone. */
int64_t engine_ready_at_ms(const struct engine *engine);
/* The same for a write of the connection, which also needs the above. */
int64_t engine_connection_ready_at_ms(const struct engine *engine,
                                      const struct connection *connection);
/* A request goes; true when it is the breaker's probe. */
bool engine_take_request(struct engine *engine);
/* It came back, with an answer or without. */
void engine_request_answered(struct engine *engine, const struct reply *reply, bool was_probe);
/* The same for a write, of which more is known. */
void engine_write_answered(struct engine *engine, struct slot *slot, const struct reply *reply);
/* What the answer, or none, says of the connection's health. */
void engine_judge_connection(struct engine *engine, struct slot *slot, const struct reply *reply,
                             const struct item_event *event);
/* It is a repeat for which the retry budget has nothing left now. */
bool engine_repeat_must_wait(struct engine *engine, struct slot *slot);

/* engine_commit.c */
void engine_release_durable(struct engine *engine);
enum err_code engine_poll_commit(struct engine *engine, struct err *err) ERR_CHECKED;
enum err_code engine_commit_if_due(struct engine *engine, struct err *err) ERR_CHECKED;
int64_t engine_commit_due_ms(const struct engine *engine);

#endif
