/* prove-model: every history of the sending protocol, by breadth-first search.
 *
 * One item, or two that share a process and a connection. The real life cycle, the real age of a
 * key and the real decision table of answers are stepped; the model adds only what is around them:
 * a disk with batches, a network that loses, delays and doubles, a server with keys and remote
 * jobs, three clocks, crashes at any point, and persons. Times are whole ticks and ages stop at a
 * bound above which nothing changes any more, so there is no end of time, and neither crashes nor
 * losses are counted: the states are finite all the same, and all of them are looked at.
 *
 * Laws: at most one effect; a success has exactly one, a failure and what was cancelled none; what
 * is ready has had none; intent before bytes; no key is used again after its end; each doubt has a
 * cause; and from every state an end can be reached without any further fault.
 *
 * model_item     the part of an item that decisions depend on, and one step of it
 * model_answers  what the server may answer when, and what the decision table makes of it
 * model_process  what purser does: takes up, starts, sends, takes answers, polls, commits
 * model_around   the network, the server, time, and persons
 * model_laws     what must hold
 * model_search   the states, and the way to each
 * model_mutants  the rules with one of them changed: each must be found out
 * model          the program */
#ifndef MODEL_H
#define MODEL_H

#include "answer_truth.h"
#include "purser/codec/reply_table.h"
#include "purser/core/key_age.h"
#include "purser/core/lifecycle.h"

enum {
    MODEL_ITEMS_MAX = 2,
    COPIES_MAX = 3,      /* of requests of an item in the network at a time */
    GENERATIONS_MAX = 3, /* more are not asked for by persons */
    RETENTION_TICKS = 3, /* A2: the server remembers a key for so long at least */
    TRANSIT_TICKS = 1,   /* A3: a request arrives within so long or never */
    WINDOW_TICKS = RETENTION_TICKS - TRANSIT_TICKS,
    SKEW_TICKS = 1, /* the host's clock is wrong by at most so much, in both directions */
    MISSING_TICKS = 1,
    STUCK_TICKS = 2,
    ATTEMPT_LIMIT = 2,
    REKEY_LIMIT = 1,
    MISSING_LIMIT = 2,
    AGE_NONE = -100,
};

/* What kind of write it is, and what the world around it is like. A network that repeats requests
 * by itself (A4') and a refusal that proves something cannot be had together. */
enum kind {
    KIND_DOUBLED,   /* by its key; the network doubles requests, no refusal is told */
    KIND_KEYED,     /* by its key; refusals, one copy a send */
    KIND_TIMELESS,  /* as that; the server tells no time and nobody sets the host's clock */
    KIND_IMPATIENT, /* as keyed; nothing is sent again one tick after the first send */
    KIND_NEEDY,     /* as keyed; it waits for another item first */
    KIND_PROVABLE,  /* the operation takes keys, but an answer must show it first */
    KIND_UNKEYED,   /* at most once */
    KIND_NATURAL,   /* done twice is done once */
    KIND_COUNT
};

/* A struct item without what no decision depends on. */
struct value {
    uint8_t state, reason, generation, attempts;
    uint8_t unknown_send, accepted, job, body; /* job: the generation that its remote job is of */
    uint8_t missing, waits, needs, this_boot;
    uint8_t lost;       /* sends of this generation that had no usable answer; only laws look */
    int8_t intent;      /* age by the server's clock and the stamp; AGE_NONE */
    int8_t true_intent; /* age since the intent was made, by nobody's clock */
    int8_t acceptance;  /* age by the host's clock */
};

enum place { PLACE_NOWHERE, PLACE_RESTING, PLACE_ON_WIRE };

struct copy {
    uint8_t key; /* the generation, by which the key is derived; 0 = no copy */
    uint8_t body, age, is_awaited;
};

enum job_status {
    JOB_NONE,
    JOB_RUNNING,
    JOB_SUCCEEDED,
    JOB_PARTIAL,
    JOB_REFUSED,
    JOB_THROTTLED,
    JOB_ERROR, /* with or without an effect */
};

struct remote {
    uint8_t status, body, age; /* since acceptance */
    uint8_t is_forgotten;      /* the key is */
    uint8_t is_lost;           /* polls are answered 404 */
};

/* One item and all that belongs to it. */
struct local {
    uint8_t kind;
    struct value disk;
    /* of the process */
    struct value memory, staged; /* staged: what the next commit makes durable */
    uint8_t place, is_dirty, intent_open, is_server_stamp, is_new_intent;
    uint8_t reply;     /* index of a reading + 1; 0 = none */
    uint8_t reply_key; /* whose answer it is */
    /* the network and the server */
    struct copy copies[COPIES_MAX];
    struct remote remotes[GENERATIONS_MAX + 1];
    uint8_t effects;
    /* known to nobody, for the laws */
    uint8_t unsure; /* a send of this generation had an unknown outcome */
    uint8_t ended;  /* the last generation of which the client was told the end */
    uint8_t shown;  /* the end that was shown to a person */
};

struct shared {
    uint8_t up, clock_known, clock_given_up;
    uint8_t proof;   /* of KIND_PROVABLE: 0 none, 1 shown, 2 durable */
    uint8_t skew;    /* of the host's clock, + SKEW_TICKS */
    uint8_t was_set; /* the host's clock was, once */
    uint8_t is_odd;  /* the number of starts; only a mutant looks at it */
};

struct world {
    struct local items[MODEL_ITEMS_MAX];
    struct shared shared;
};

/* --- readings --- */

/* What the decision table makes of one or more cells of a situation. */
struct reading {
    enum situation situation;
    enum item_event_kind event;
    enum reason reason;
    bool shows_key;   /* X-Rutter-Job-ID: the operation takes keys */
    const char *rule; /* of the first cell */
    uint32_t cells;
};

enum { READINGS_MAX = 100 };

struct readings {
    struct reading list[READINGS_MAX];
    uint8_t count;
    uint8_t first[SITUATION_COUNT + 1]; /* sorted by situation */
};

/* --- rules: the real ones, or with one of them changed --- */

struct rules {
    const char *name;
    struct step (*step)(const struct item *, const struct item_event *, const struct policy *);
    bool (*must_be_stored)(const struct item *, const struct item *);
    bool (*is_unused_intent)(const struct item *);
    int64_t (*key_age)(const struct item *, bool, const struct key_clock *);
    bool (*needs_server)(const struct item *, const struct key_clock *);
    bool (*correct_intent)(struct item *, const struct key_clock *);
    const struct reply_rule *send_rules, *poll_rules;
    const size_t *send_rule_count, *poll_rule_count;
    /* what is not in core: the engine's, the transport's, and what is assumed of others */
    bool sends_before_durable, key_is_random, takes_late_answers, transport_repeats,
        shows_before_durable, asks_nothing_first, ignores_failed_commits, intent_of_rekey_is_open;
    bool delays_without_end, forgets_early, network_doubles, persons_guess;
};

/* Where a mutant is looked for: a world in which it can show. */
enum mutant_world {
    WORLD_KEYED,
    WORLD_UNKEYED,
    WORLD_NATURAL,
    WORLD_NEEDY,
    WORLD_CLOCK, /* keyed, and the host's clock is set */
};

struct mutant {
    struct rules rules; /* what is not set is as in truth */
    enum mutant_world world;
};

extern const struct rules model_true_rules;
extern const struct mutant model_planted[]; /* in the sources of core and codec, by plant.py */
extern const size_t model_planted_count;
extern const struct mutant model_switched[]; /* in the model: the engine's rules */
extern const size_t model_switched_count;
extern const struct mutant model_assumptions[]; /* each of them is needed */
extern const size_t model_assumption_count;

void model_read_table(const struct rules *rules, struct readings *readings);

/* --- the search --- */

struct action {
    const char *text; /* with %s for the detail */
    const char *detail;
    uint8_t item;  /* 0, 1; SHARED = of none */
    bool is_fault; /* an end must be reachable without it */
};

enum { SHARED_ACTION = 255 };

struct model;

/* A successor of the state that is being expanded. */
typedef void emit_fn(struct model *model, const struct world *next, const struct action *action);

struct model {
    const struct rules *rules;
    struct readings readings;
    uint32_t items; /* 1 or 2 */
    uint32_t kinds; /* bits */
    bool with_clock, with_bodies, checks_projection;
    uint8_t generations; /* as far as persons go */
    uint8_t copies;      /* in the network at a time */
    const struct world *from;
    emit_fn *emit;
    void *context;
    const char *broken; /* the law */
    uint8_t doubt;      /* the reason of the last doubt */
    uint64_t cells[ITEM_STATE_COUNT][ITEM_EVENT_COUNT];
    uint64_t steps;
};

/* model_item.c */
struct model_event {
    enum item_event_kind kind;
    enum reason reason;
    uint8_t body; /* EVENT_CHANGED, EVENT_UNBLOCKED */
    uint8_t job;  /* EVENT_ACCEPTED: the generation whose job the answer names */
};
struct value model_new_value(enum kind kind);
/* Steps the real life cycle twice, with different values in what the model leaves out, and gives
 * what both agree on; else model->broken is set. */
struct value model_step_value(struct model *model, const struct world *world, uint32_t item,
                              const struct value *value, const struct model_event *event,
                              enum effect *effect_out, bool *stored_out);
/* A person could cause it now. */
bool model_is_legal(const struct model *model, const struct world *world, uint32_t item,
                    const struct value *value, const struct model_event *event);
bool model_is_unused_intent(struct model *model, const struct world *world, uint32_t item);
bool model_needs_server(struct model *model, const struct world *world, uint32_t item);
/* True when the ledger must have it. */
bool model_correct_intent(struct model *model, struct world *world, uint32_t item);
bool model_is_repeatable(const struct world *world, uint32_t item);
void model_age_value(struct value *value);
void model_turn_clock(struct value *value, int ticks);

/* model_process.c: what the process does by itself; model_around.c: what happens to it. */
void model_process_moves(struct model *model);
void model_around_moves(struct model *model);
/* model_persons.c: what is done between two runs. */
void model_person_moves(struct model *model);
/* Puts the successor into its one form, judges it, and hands it to the search. */
void model_emit(struct model *model, struct world *next, const char *text, const char *detail,
                uint32_t item, bool is_fault);

/* model_laws.c */
const char *model_broken_law(const struct model *model, const struct world *world);
void model_judge_send(struct model *model, const struct world *world, uint32_t item);
/* `before`: the value that the event met. */
void model_judge_doubt(struct model *model, const struct world *world, uint32_t item,
                       const struct value *before, enum item_event_kind event,
                       enum situation situation);
bool model_is_at_end(const struct model *model, const struct world *world);

/* model_search.c */
struct search_result {
    uint64_t states, locals, moves, bytes, depth;
    uint64_t dead_ends;
    const char *broken; /* NULL: all laws hold in every state */
    uint32_t trace_length;
};
/* Searches all states. With `trace`, a broken law is printed with the way to it. `checks_ends`:
 * from each state an end must be reachable. `states_max` is a bound: reaching it is a failure. */
struct search_result model_search(struct model *model, uint64_t states_max, bool checks_ends,
                                  bool trace);

#endif
