/* The life of a few items of one process, move by move. The real life cycle, the real age of a key
 * and the real decision table are stepped; around them are a disk with batches, a network, a
 * server with keys and remote jobs, three clocks, crashes, boots and persons. prove-model looks at
 * all short histories with small numbers; this looks at long ones with any numbers: times in
 * milliseconds, many copies, attempts and generations.
 *
 * life_process  what purser does: starts, sends, takes answers, polls, commits, dies
 * life_around   the network, the server, time and persons
 * life_belief   a second life cycle, written from the rules of ARCHITECTURE.md: the oracle of a
 * step life_laws     what must hold of the server's truth, whoever is right about the step
 * life_play     the moves, and how bytes choose among those that are possible
 *
 * The world is as the guarantee assumes it: A1-A6, one copy a send, persons tell the truth. */
#ifndef LIFE_H
#define LIFE_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"

enum {
    LIFE_ITEMS_MAX = 3,
    LIFE_COPIES_MAX = 6,
    LIFE_JOBS_MAX = 24,
    LIFE_TRANSIT_MS = 15 * 60 * 1000, /* A3 */
    LIFE_MARGIN_MS = 20 * 60 * 1000,  /* A2: so much longer than the window a key is known */
    LIFE_NOISE_MS = 2000,             /* by which a stamp may differ from the server's clock */
    LIFE_MINUTE_MS = 60000,
    LIFE_HOUR_MS = 60 * LIFE_MINUTE_MS,
    LIFE_MOVE_BYTES = 4,
};

enum life_kind { LIFE_KEYED, LIFE_UNKEYED, LIFE_NATURAL };

enum life_job_status { RUNNING, SUCCEEDED, PARTIAL, REFUSED, THROTTLED, FAILED };

struct life_copy {
    uint32_t generation, body;
    int64_t sent_ms;
    bool is_awaited;
};

struct life_job {
    uint32_t generation, body;
    enum life_job_status status;
    int64_t accepted_ms;
    bool is_lost; /* polls are answered 404 */
};

/* What a careful person would write down about an item, from what has happened alone. */
struct life_belief {
    enum item_state state;
    enum reason reason;
    uint32_t generation, attempts, total, polls, missing, body;
    bool unsure; /* a send of this generation may have had an effect that nobody told of */
    bool accepted;
    int64_t intent_ms, accepted_ms; /* by nobody's clock */
};

struct life_item {
    enum life_kind kind;
    struct policy policy;
    struct item disk, memory, staged;
    struct life_belief disk_belief, belief, staged_belief;
    bool is_loaded, is_dirty, on_wire, intent_open, is_server_stamp;
    struct life_copy copies[LIFE_COPIES_MAX];
    uint32_t copy_count;
    struct life_job jobs[LIFE_JOBS_MAX];
    uint32_t job_count;
    uint32_t effects;
    uint32_t sent_generation; /* the last one of which a copy left … */
    int64_t first_sent_ms;    /* … and its first copy; by nobody's clock */
};

struct life {
    const struct rules *rules;
    const char *broken; /* the first law that was; NULL: none */
    struct life_item items[LIFE_ITEMS_MAX];
    uint32_t item_count;
    bool up, clock_known;
    bool was_set; /* the host's clock has once been wrong */
    int64_t now_ms, skew_ms, boot_zero_ms;
    uint32_t boot, run;
    uint8_t a, b, c; /* of the move */
    uint64_t cells[ITEM_STATE_COUNT];
    uint64_t steps;
};

/* Plays the moves of `bytes` from a new world, then lets the world be well until all is over. The
 * broken law; NULL when all hold. `rules`: what is NULL in them is as in truth. */
const char *life_play(const struct rules *rules, const uint8_t *bytes, size_t length);
/* Bits of ITEM_EVENT_COUNT: the events that have been stepped in each state, since the start. */
extern uint64_t life_cells[ITEM_STATE_COUNT];
extern uint64_t life_steps;

void life_break(struct life *life, const char *law);

/* life_process.c */
struct item_event life_event(const struct life *life, const struct life_item *item,
                             enum item_event_kind kind);
/* Steps the item in memory and judges the step. */
enum effect life_apply(struct life *life, struct life_item *item, const struct item_event *event);
void life_begin_run(struct life *life);
void life_crash(struct life *life, bool with_boot);
void life_commit(struct life *life);
void life_learn_clock(struct life *life);
void life_load(struct life_item *item);
void life_start(struct life *life, struct life_item *item);
bool life_can_send(const struct life *life, const struct life_item *item);
/* The item is due: it leaves, or comes into doubt. */
void life_send(struct life *life, struct life_item *item, bool leaves);
void life_stop_waiting(struct life_item *item);

/* life_around.c */
/* Copy `index` arrives. The server takes it unless `is_refused`, and answers with the `cell`-th of
 * the answers that are true; `is_lost`: nobody hears it. */
void life_deliver(struct life *life, struct life_item *item, uint32_t index, bool is_refused,
                  bool ends_at_once, uint32_t cell);
void life_end_job(struct life_item *item, struct life_job *job, enum life_job_status status,
                  bool has_effect);
void life_poll(struct life *life, struct life_item *item, uint32_t how, uint32_t cell);
/* Asks and is told the plain truth. */
void life_poll_truth(struct life *life, struct life_item *item);
bool life_is_under_way(const struct life *life, const struct life_item *item);
void life_person(struct life *life, struct life_item *item, enum item_event_kind kind);
/* What the engine finds out about its needs. */
void life_needs(struct life *life, struct life_item *item, enum item_event_kind kind);

/* life_belief.c */
bool life_is_legal(enum item_state state, enum item_event_kind kind);
/* Judges what the life cycle has made of `event`, and brings the belief up to date. */
void life_judge_step(struct life *life, struct life_item *item, const struct item_event *event,
                     const struct step *step);
struct life_belief life_first_belief(const struct item *item);

/* life_laws.c */
void life_judge_answer(struct life *life, enum situation situation, const struct reply_rule *rule);
void life_judge_send(struct life *life, struct life_item *item);
void life_judge_world(struct life *life);

#endif
