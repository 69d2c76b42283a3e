/* When the slots of a schedule are, and what becomes of those that have come.
 *
 * A slot is due at the first moment at which the clocks of its zone have shown its time or a later
 * one. So a time that daylight saving skips is due when the clocks jump, and is one slot with all
 * others that fall there; a time that comes twice is due at the first. A slot is known by that
 * moment, in UTC: moments never go backwards, whatever the clocks do. */
#ifndef PURSER_CORE_SCHEDULE_H
#define PURSER_CORE_SCHEDULE_H

#include "purser/core/cron.h"

/* --- time zones --- */

/* A span of time in which the clocks of a zone keep one distance from UTC. */
struct zone_span {
    int64_t begin_s,
        end_s;        /* [begin, end), Unix time; INT64_MIN and INT64_MAX where there is none */
    int32_t offset_s; /* east of UTC */
};

struct zone {
    /* The span that `unix_s` is in. Spans have no gaps, and |offset_s| is at most
     * ZONE_OFFSET_MAX_S.
     */
    struct zone_span (*span)(const struct zone *self, int64_t unix_s);
};

#define ZONE_OFFSET_MAX_S (26 * 60 * 60)

extern const struct zone zone_utc;

/* --- slots --- */

struct schedule_slot {
    int64_t due_s;    /* Unix time */
    int64_t minute;   /* of civil time: what the schedule says */
    int32_t offset_s; /* of the clocks from when it is due */
    bool is_skipped;  /* its time does not exist on that day; it is due at the next that does */
    bool is_doubled;  /* its time comes a second time, which is no slot */
};

/* The first slot that is due after `unix_s`. */
struct schedule_slot schedule_next(const struct cron *cron, const struct zone *zone,
                                   int64_t unix_s);

/* True if a slot is due at exactly `unix_s`; it is then in *slot_out. */
bool schedule_slot_at(const struct cron *cron, const struct zone *zone, int64_t unix_s,
                      struct schedule_slot *slot_out);

/* --- what becomes of them --- */

enum if_running { IF_RUNNING_SKIP, IF_RUNNING_WAIT };
enum if_missed { IF_MISSED_RUN_ONCE, IF_MISSED_SKIP, IF_MISSED_RUN_ALL };

struct schedule_policy {
    enum if_running if_running;
    enum if_missed if_missed;
    int64_t window_s; /* so late may a slot still start; INT64_MAX = any time */
};

/* Stored: append, never reorder. */
enum slot_fate {
    SLOT_CLAIMED,     /* to be run, or being run */
    SLOT_RAN,         /* its run came to an end by itself, with whatever result */
    SLOT_RUN_WENT_ON, /* skipped: another run went on at its time */
    SLOT_SUPERSEDED,  /* skipped: a later slot ran for it */
    SLOT_TOO_LATE,    /* missed: its window was over */
    SLOT_FATE_COUNT
};

/* Stable words: "ran", "skipped", "missed" … */
const char *slot_fate_code(enum slot_fate fate);
/* A sentence for people. */
const char *slot_fate_meaning(enum slot_fate fate);

/* Slots in a row that met the same fate. */
struct schedule_range {
    int64_t first_s, last_s; /* when they were due */
    uint64_t count;
    enum slot_fate fate;
    uint32_t run; /* SLOT_RUN_WENT_ON: which */
};

struct schedule_account {
    const struct cron *cron;
    const struct zone *zone;
    struct schedule_policy policy;
    int64_t after_s; /* all slots up to here are accounted for */
    int64_t now_s;
    /* The number of a run that went on at `due_s`, 0 = none. Asked in the order of time, twice. */
    uint32_t (*went_on)(void *context, int64_t due_s);
    /* Is given what is accounted for, in the order of time. False ends the account. */
    bool (*put)(void *context, const struct schedule_range *range);
    void *context;
};

/* Decides on every slot after `after_s` up to `now_s`. Gives the one that is to run as *slot_out
 * (due_s 0: none) and returns up to when all is accounted for, that slot included: before the next
 * one when if_missed is run_all, else now_s, but never before after_s. INT64_MIN when put() said
 * false. */
int64_t schedule_account(const struct schedule_account *account, struct schedule_slot *slot_out);

#endif
