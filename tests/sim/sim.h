/* A world in which the real core, codec and engine run: clock, ledger, network and server are
 * simulated, so one seed is one history, on every machine. No threads, sockets, disk or wall clock.
 *
 * sim_ledger     layers of durable, closing and open batches
 * sim_transport  the network: what is lost, late or doubled; checks every send
 * sim_server     keys, remote jobs and the effects that they had
 * sim_answer     the server's answers as bytes
 * sim_away       time without purser: ledgers lost or restored, records damaged, clocks set
 * sim_person     what a person does between two runs
 * sim_needs      who waits for whom, and the laws of that
 * sim_judge      the laws: what must hold after every step and at the end
 * sim_world      draws a world from its seed and drives it
 * sim_script     small written worlds, for golden traces */
#ifndef SIM_H
#define SIM_H

#include "purser/base/rng.h"
#include "purser/core/key.h"
#include "purser/engine/engine.h"

enum {
    SIM_ITEMS_MAX = 40,
    SIM_JOB_KINDS = 3, /* create (with a key), update (without), add (with a key) */
    SIM_NEEDS_MAX = 3, /* of a row; an order comes on top */
    SIM_GROUPS = 2,    /* of a job on a connection, in which items go in order */
    SIM_CONNECTIONS_MAX = 3,
    SIM_EPOCHS_MAX = 6, /* requests that one item can have after each other */
    SIM_TRANSFERS_MAX = 16,
    SIM_DELIVERIES_MAX = 256,
    SIM_JOBS_MAX = 1024,
    SIM_SCRIPT_MAX = 64,
    SIM_BODY_BYTES = 700,
};

#define SIM_WALL_START_MS INT64_C(1795000000000)
#define SIM_TRANSIT_MAX_MS (15 * 60 * 1000) /* A3: a request arrives within this or never */
#define SIM_SPEC_NAME "sim"
#define SIM_ORIGIN "https://sim.invalid"
#define SIM_NEVER INT64_MAX
#define SIM_NO_ITEM 0 /* items count from 1 */

enum sim_profile {
    SIM_RESOLVABLE, /* only faults that must end well */
    SIM_DUPLICATES, /* as that, and the network repeats requests by itself */
    SIM_ANYTHING,   /* everything, and persons who interfere */
    SIM_PROFILE_COUNT
};

/* What happened to an item that can justify a doubt. */
enum sim_fault {
    FAULT_UNKNOWN_SEND = 1 << 0, /* a send whose outcome the client cannot know */
    FAULT_CRASH = 1 << 1,        /* found in `sending` after a crash or an abandoned transfer */
    FAULT_REFUSAL = 1 << 2,      /* refused on sight */
    FAULT_CONFLICT = 1 << 3,     /* 409 */
    FAULT_PLATFORM = 1 << 4,     /* 550 */
    FAULT_JOB_ERROR = 1 << 5,    /* the remote job ended in 5xx */
    FAULT_NONSENSE = 1 << 6,     /* an answer that contradicts itself or proves nothing */
    FAULT_PARTIAL = 1 << 7,
    FAULT_WRONG_ECHO = 1 << 8,
    FAULT_DAMAGE = 1 << 9,      /* the ledger's record was damaged */
    FAULT_NO_REQUEST = 1 << 10, /* what its parents returned made no request */
};

/* What the network does with a request. */
enum sim_plan {
    PLAN_DELIVERED,
    PLAN_NOT_SENT,
    PLAN_LOST_BEFORE, /* the server never sees it */
    PLAN_LOST_AFTER,  /* the server acts, the answer is lost */
    PLAN_LATE,        /* the client gives up, then it arrives */
    PLAN_DOUBLED,     /* answered, and it arrives once more */
    PLAN_UNTRUSTED,   /* the peer's certificate is not acceptable */
    PLAN_COUNT
};

/* How the server answers a write. */
enum sim_answer {
    ANSWER_PLAIN,          /* as documented */
    ANSWER_429,            /* before it looked */
    ANSWER_452,            /* before it looked, this connection */
    ANSWER_HELD,           /* before it looked: the connection needs a person */
    ANSWER_GATEWAY_BEFORE, /* 502 or 503, the server never saw it */
    ANSWER_GATEWAY_AFTER,  /* 504 after it was accepted */
    ANSWER_GARBAGE,        /* accepted, 2xx, no JSON */
    ANSWER_PORTAL,         /* 200 and HTML from a stranger, the server never saw it */
    ANSWER_REFUSED,        /* a validation that does not hold for ever */
    ANSWER_CONFLICT,       /* 409 */
    ANSWER_550_BEFORE,     /* 550 without a job, not accepted */
    ANSWER_ERRORS_ONLY,    /* 200 with `errors` and nothing else */
    ANSWER_COUNT
};

/* How a remote job ends. */
enum sim_result {
    RESULT_SUCCESS,
    RESULT_REFUSED,   /* 400, 404, 422, 450: no effect */
    RESULT_THROTTLED, /* 452: no effect */
    RESULT_ERROR,     /* 500, 502 */
    RESULT_PLATFORM,  /* 550 */
    RESULT_PARTIAL,
    RESULT_NONSENSE, /* success with 400, failure with 200 */
    RESULT_VANISHED, /* succeeds, and then the server forgets the job */
    RESULT_COUNT
};

/* How the server answers a poll. */
enum sim_poll {
    POLL_PLAIN,
    POLL_429,
    POLL_452,
    POLL_UNAUTHORIZED,
    POLL_GATEWAY,
    POLL_GARBAGE,
    POLL_UNKNOWN_STATUS,
    POLL_MISSING, /* for a moment */
    POLL_WRONG_ECHO,
    POLL_COUNT
};

struct sim;

/* --- trace --- */

struct sim_trace {
    bool print;
    uint64_t hash; /* of all that has happened; the same for the same history */
};

/* Takes into the hash what happens: the moment, all that was drawn until then, and `values`. */
void sim_mark(struct sim *sim, const int64_t *values, size_t count);

/* Something happens; it is told with --trace alone, since text costs a fifth of the time. */
void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A law is broken: prints what and the seed, and ends the program. */
_Noreturn void sim_fail(struct sim *sim, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- items --- */

struct sim_item {
    uint64_t number; /* in the ledger; 0 = none */
    uint32_t connection, job;
    bool keyed;
    char key[16];
    struct need needs[SIM_NEEDS_MAX]; /* of its row, without the order */
    size_t need_count;
    uint32_t group, place;            /* in an order; 0 = none, or lost when it was cancelled */
    bool was_let_go;                  /* all before it were over once */
    bool is_drafted;                  /* its request is made from what its parents returned */
    uint32_t epoch;                   /* number of its request */
    uint32_t source_epoch;            /* of its row in the source; more after a restore */
    struct hash128 request_hash;      /* of the request of this epoch */
    uint32_t effects[SIM_EPOCHS_MAX]; /* that the server executed */
    int32_t expected[SIM_EPOCHS_MAX]; /* effects of an epoch that has ended; -1 = not ended, or not
                                         known */
    uint32_t faults;                  /* enum sim_fault, of this generation */
    uint32_t unknown_sends;           /* of this generation */
    uint32_t died_in_run;             /* that counts as one of them */
    uint32_t missing;                 /* polls answered 404 since the job was last seen */
    uint32_t sent_generation;         /* the last one of which a send left; 0 = none */
    uint32_t job_throttles;           /* remote jobs that ended in 452 */
    bool has_begun;                   /* in this run, or was active before */
    bool is_canary;                   /* has begun before the canary of its job was over */
    bool lost_in_run;                 /* a send of this run had no usable answer */
    bool sent_unproven;  /* a send of this generation left before the operation was proven */
    bool abandoned;      /* given up in doubt */
    bool undone;         /* its epoch ended with its undo; the next one has no request yet */
    bool restored;       /* from a backup: what became of it since is not known */
    bool clock_was_set;  /* ages by the wall clock say nothing */
    bool refused_always; /* the server refuses this epoch's request on sight */
};

/* --- ledger --- */

struct sim_stored {
    struct item item;
    uint32_t epoch;
    uint32_t request_generation;
    bool has_result;
    bool damaged;
    bool is_draft; /* the request is not made yet */
    bool has_needs, needs_damaged;
    struct needs_record needs;
};

enum sim_write { WRITE_NEEDS, WRITE_ITEM, WRITE_REQUEST, WRITE_RESULT, WRITE_ATTEMPT, WRITE_PROOF };

struct sim_entry {
    enum sim_write kind;
    uint64_t number;
    struct item item;
    struct needs_record needs;
    uint32_t epoch, generation;
};

struct sim_batch {
    struct sim_entry *entries;
    size_t count, capacity;
};

struct sim_ledger {
    struct ledger base;
    struct sim *sim;
    struct sim_stored durable[SIM_ITEMS_MAX + 1]; /* by number */
    enum item_state newest[SIM_ITEMS_MAX + 1];    /* with all batches */
    uint64_t count;
    bool proven; /* the ledger knows that the first job's operation shows remote jobs */
    struct sim_batch open, closing;
    uint64_t sequence, durable_sequence;
    int64_t closing_done_ms; /* SIM_NEVER: none is closing */
    bool failed;
};

void sim_ledger_init(struct sim_ledger *ledger, struct sim *sim);
void sim_ledger_deinit(struct sim_ledger *ledger);
/* Adds an item durably, with the request of epoch 0. */
uint64_t sim_ledger_add(struct sim_ledger *ledger, const struct item *item);
/* Makes durable what is due. */
void sim_ledger_advance(struct sim_ledger *ledger);
/* What has been put becomes durable; no run goes on. */
void sim_ledger_commit(struct sim_ledger *ledger);
/* The process died: the open batch is lost, the closing one is kept or lost as a whole. */
void sim_ledger_crash(struct sim_ledger *ledger);

/* The bytes that an item sends in `epoch`; `storage` is cleared first. */
struct frozen_request sim_request(const struct sim_item *item, uint32_t epoch, struct buf *storage);

/* --- network --- */

struct sim_transfer {
    bool live;
    uint64_t tag, order;
    uint32_t item;
    bool asks_job;    /* a poll of a remote job */
    bool asks_status; /* a question for the status of `connection`; neither: for the time */
    uint32_t connection;
    bool polling;
    int64_t started_ms, finish_ms;
    enum transfer_outcome outcome;
    bool answered; /* the server has filled in what follows */
    bool held;     /* it says that a person must do something */
    bool usable;   /* it says that the connection works */
    int http_status;
    char body[SIM_BODY_BYTES];
    char job_id[32], retry_after[32], date[40];
    const char *content_type;
};

struct sim_delivery {
    int64_t at_ms;
    uint64_t order;
    uint32_t transfer; /* that waits for the answer; UINT32_MAX = none does */
    uint32_t item, epoch;
    uint32_t job; /* polled; UINT32_MAX = a write */
    enum job_path job_path;
    uint64_t body_hash;
    char key[KEY_TEXT_BYTES];
};

struct sim_transport {
    struct transport base;
    struct sim *sim;
    struct sim_transfer transfers[SIM_TRANSFERS_MAX];
    struct sim_delivery deliveries[SIM_DELIVERIES_MAX];
    uint32_t delivery_count;
    uint64_t order;
    uint32_t live_count;
};

void sim_transport_init(struct sim_transport *transport, struct sim *sim);
/* When something happens next; SIM_NEVER. */
int64_t sim_transport_next_ms(const struct sim_transport *transport);
/* A transfer has finished and can be taken. */
bool sim_transport_is_finished(const struct sim_transport *transport);
/* Lets everything arrive that is due. */
void sim_transport_advance(struct sim_transport *transport);
/* The process died or gave up: nobody waits any more; what has left may still arrive. */
void sim_transport_abandon(struct sim_transport *transport);
bool sim_transport_has_delivery(const struct sim_transport *transport, uint32_t item);

/* --- server --- */

struct sim_job {
    uint32_t item, epoch;
    char key[KEY_TEXT_BYTES]; /* "" = without */
    uint64_t body_hash;
    enum sim_result result;
    int http_status;
    bool had_effect;
    bool synchronous; /* the submit is answered with the end */
    int64_t accepted_ms, visible_ms, done_ms, vanish_ms;
};

struct sim_server {
    struct sim_job jobs[SIM_JOBS_MAX];
    uint32_t job_count;
    int64_t retention_ms;
    enum { DATES_ALWAYS, DATES_OFTEN, DATES_NEVER } dates;
    enum { JOBS_AT_BOTH, JOBS_AT_BASE, JOBS_AT_V2 } jobs_at; /* the address that works */
    int64_t held_until_ms[SIM_CONNECTIONS_MAX];              /* a person must do something */
    uint32_t held_kind[SIM_CONNECTIONS_MAX];
    int64_t client_refused_until_ms; /* the client's own credentials */
};

/* A request arrives: acts, and fills in the answer of `transfer` unless it is NULL. */
void sim_server_receive(struct sim *sim, const struct sim_delivery *delivery,
                        struct sim_transfer *transfer);

/* sim_answer.c: the bytes. */
void sim_answer_nothing(struct sim *sim, struct sim_transfer *transfer, enum sim_answer answer);
void sim_answer_refusal(struct sim *sim, struct sim_transfer *transfer);
void sim_answer_accepted(struct sim *sim, struct sim_transfer *transfer, uint32_t job, bool replay);
void sim_answer_garbage(struct sim *sim, struct sim_transfer *transfer, uint32_t job);
void sim_answer_poll(struct sim *sim, struct sim_transfer *transfer, uint32_t job,
                     enum sim_poll poll);
void sim_answer_question(struct sim *sim, struct sim_transfer *transfer);
/* The connection, or the client, needs a person from now on. */
void sim_hold(struct sim *sim, uint32_t connection);
bool sim_is_held(const struct sim *sim, uint32_t connection);
void sim_answer_date(struct sim *sim, struct sim_transfer *transfer);
/* "job-7" → 7; UINT32_MAX when it is none. */
uint32_t sim_job_of_id(const struct sim *sim, const char *id);

/* --- scripts --- */

struct sim_script {
    const char *name;
    const char *about;
    uint32_t items;
    bool unkeyed;
    enum sim_plan plans[SIM_SCRIPT_MAX];     /* of the sends, then as usual */
    enum sim_answer answers[SIM_SCRIPT_MAX]; /* of the writes that arrive */
    enum sim_result results[SIM_SCRIPT_MAX]; /* of the accepted jobs */
    enum sim_poll polls[SIM_SCRIPT_MAX];
    const char *crash_where; /* the first run dies when it first comes there; NULL = never */
    int64_t away_ms;         /* between the crash and the next run */
    bool refused;            /* the first item is refused on sight */
};

const struct sim_script *sim_script_find(const char *name);
void sim_script_list(void);

/* --- the world --- */

struct sim_limits {
    uint32_t network, server, poll, result; /* faults per mille */
    uint32_t crash_every; /* crash points between crashes, on average; 0 = never */
    uint32_t drain_every; /* turns between drains; 0 = never */
    int64_t latency_ms, commit_ms, job_ms;
    int64_t away_ms;     /* between runs, at most */
    uint32_t storm_runs; /* runs with faults */
};

/* Faults that come and go: of each period, a connection has `down_ms` from its own phase on. */
struct sim_weather {
    bool of_network, of_server;
    uint32_t rate; /* faults per mille while it is down */
    int64_t period_ms;
    int64_t phase_ms[SIM_CONNECTIONS_MAX], down_ms[SIM_CONNECTIONS_MAX];
};

/* A backup of the ledger, with what was known of its items. */
struct sim_copy {
    struct sim_stored stored[SIM_ITEMS_MAX + 1];
    struct sim_item items[SIM_ITEMS_MAX + 1];
    bool proven;
    int64_t lost_since_ms; /* as its own ledger says */
    int64_t run_begin_wall_ms;
};

struct sim {
    uint64_t seed;
    enum sim_profile profile;
    const struct sim_script *script;
    uint32_t plan_count, answer_count, result_count, poll_count; /* drawn so far */
    struct sim_trace trace;
    struct rng rng;
    struct sim_limits limits;
    struct sim_weather weather;
    bool calm; /* no faults any more */
    bool clock_goes_back, loses_state;
    bool adopts;         /* a person says of a restored ledger that it is one */
    bool has_copy;       /* somebody has kept a copy of the ledger */
    bool finishes_first; /* a changed row waits for the end of its item */
    struct sim_copy copy;
    int64_t now_ms, boot_zero_ms, wall_skew_ms, server_skew_ms;
    struct sim_item items[SIM_ITEMS_MAX + 1]; /* by number */
    uint32_t item_count;
    struct sim_ledger ledger;
    struct sim_transport transport;
    struct sim_server server;
    struct engine_options options;
    struct engine_connection connections[SIM_CONNECTIONS_MAX];
    struct engine_job jobs[SIM_JOB_KINDS];
    struct renderer renderer;
    struct buf rendered;
    bool has_needs;    /* some items wait for others */
    bool ended_calmly; /* the last run, with everything done that could be */
    uint32_t crash_in; /* crash points until the next crash; 0 = none planned */
    bool crashed;
    bool starved; /* there is no memory in this turn, so answers may be read as nothing */
    uint32_t run;
    uint64_t person_acts_on; /* item of the step that a person makes; 0 = the engine's */
    /* of this run, by the judge */
    uint64_t run_ends[ITEM_STATE_COUNT], run_sends, run_polls, run_released;
    int64_t full_at_us; /* when the organisation's bucket is full again */
    int64_t quiet_until_ms, connection_quiet_until_ms[SIM_CONNECTIONS_MAX];
    struct {
        bool checked, parked;
        bool may_be_parked; /* there may have been no memory to read that it is */
        uint32_t unusable;  /* answers to the question for its status */
        int64_t parked_ms;
    } told[SIM_CONNECTIONS_MAX]; /* what the client knows of its connections */
    bool told_to_doubt;          /* a write was refused for its credentials */
    uint32_t doubts_unanswered;
    int64_t run_begin_ms, run_begin_wall_ms;
    uint64_t run_repeats, run_first_answers;
};

/* Plays one world to its end; gives the hash of its trace. */
uint64_t sim_world_play(struct sim *sim);
/* The same from a new world: the one of `seed`, or a written one unless `script` is NULL. */
uint64_t sim_play(struct sim *sim, uint64_t seed, const struct sim_script *script, bool print);

int64_t sim_wall_ms(const struct sim *sim);
int64_t sim_server_ms(const struct sim *sim);
/* True in `per_mille` of a thousand cases; never when the world is calm or scripted. */
bool sim_chance(struct sim *sim, uint32_t per_mille);
int64_t sim_draw_ms(struct sim *sim, int64_t from_ms, int64_t to_ms);
/* True when the process dies here. */
bool sim_crash_point(struct sim *sim, const char *where);

/* sim_choice.c: what goes wrong, drawn or as written. */
void sim_draw_weather(struct sim *sim);
enum sim_plan sim_choose_plan(struct sim *sim, const struct sim_item *item, bool polling);
enum sim_answer sim_choose_answer(struct sim *sim, const struct sim_item *item);
enum sim_result sim_choose_result(struct sim *sim, struct sim_item *item);
enum sim_poll sim_choose_poll(struct sim *sim, const struct sim_job *job);

/* sim_away.c: persons act, clocks jump, requests arrive late. */
void sim_be_away(struct sim *sim);
/* What is under way arrives at its own time. */
void sim_let_time_pass(struct sim *sim, int64_t until_ms);

/* sim_person.c: persons do something to items; the engine does not run. */
void sim_person_acts(struct sim *sim);
/* A run compares the rows first: what has changed in a history that was lost is taken up. */
void sim_person_compares(struct sim *sim);

/* sim_needs.c */
void sim_draw_needs(struct sim *sim);
/* Puts all items of the world into the ledger as a first comparison would. */
void sim_reset_needs(struct sim *sim);
/* The needs of a row that has changed; it keeps its place in an order unless it had succeeded
 * or was skipped. */
struct needs_record sim_renew_needs(struct sim *sim, struct sim_item *item,
                                    const struct item *value);
/* A person tries a cancelled item again: those behind it may have passed it by. */
void sim_take_place_again(struct sim *sim, struct sim_item *item);
/* The engine lets it go. */
void sim_judge_needs(struct sim *sim, struct sim_item *item, enum item_event_kind kind);
/* All before it in its order are over, which is then so for good. */
void sim_judge_order(struct sim *sim, struct sim_item *item);
/* The run has ended by itself. */
void sim_judge_waits(struct sim *sim, uint32_t number);

/* sim_judge.c */
void sim_judge_send(struct sim *sim, const struct transfer_request *request, uint32_t item);
/* A request starts: is it too soon? */
void sim_judge_pace(struct sim *sim, const struct transfer_request *request);
/* The engine has taken an answer that asks it to wait. */
void sim_judge_pause(struct sim *sim, const struct sim_transfer *transfer);
/* The engine has taken the end of a transfer. */
void sim_judge_taken(struct sim *sim, const struct sim_transfer *transfer);
void sim_judge_run_begin(struct sim *sim);
void sim_judge_crash(struct sim *sim);
void sim_judge_effect(struct sim *sim, uint32_t item, uint32_t epoch);
void sim_judge_run_end(struct sim *sim, const struct engine_progress *progress);
void sim_judge_world_end(struct sim *sim);
void sim_mark_new_generation(struct sim_item *item);
void sim_mark_found_sending(struct sim *sim);
void sim_mark_crash(struct sim *sim, struct sim_item *item);
void sim_mark_sent(struct sim *sim, struct sim_item *item);

struct sim_totals {
    uint64_t worlds, runs, crashes, turns, steps, sends, items, restores, adoptions, replays,
        in_doubt, in_doubt_by_reason[REASON_COUNT];
    uint64_t cells[ITEM_STATE_COUNT][ITEM_EVENT_COUNT];
};

extern struct sim_totals sim_totals;
/* The world that is being played, for the hook in lifecycle_step and the handler of aborts. */
extern struct sim *sim_current;

#endif
