#include "purser/core/schedule.h"

#include <assert.h>

enum { MINUTE_S = 60 };

static struct zone_span span_of_utc(const struct zone *self, int64_t unix_s)
{
    (void)self;
    (void)unix_s;
    return (struct zone_span){INT64_MIN, INT64_MAX, 0};
}

const struct zone zone_utc = {span_of_utc};

/* Earlier than this before a moment, no clock has shown what it shows then, or later. */
static int64_t well_before(int64_t unix_s)
{
    return unix_s - 2 * ZONE_OFFSET_MAX_S;
}

static int64_t floor_minute(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - (MINUTE_S - 1)) / MINUTE_S;
}

/* The latest time that the clocks have shown up to `unix_s`, in seconds of civil time. */
static int64_t latest_shown(const struct zone *zone, int64_t unix_s)
{
    int64_t latest = INT64_MIN, at = well_before(unix_s);

    for (;;) {
        struct zone_span span = zone->span(zone, at);
        int64_t last = span.end_s <= unix_s ? span.end_s - 1 : unix_s;

        if (last + span.offset_s > latest)
            latest = last + span.offset_s;
        if (span.end_s > unix_s)
            return latest;
        at = span.end_s;
    }
}

/* The first moment at which the clocks show `civil_s` or later. */
static int64_t first_shown(const struct zone *zone, int64_t civil_s, struct zone_span *span_out)
{
    int64_t at = well_before(civil_s);

    for (;;) {
        struct zone_span span = zone->span(zone, at);
        int64_t moment = civil_s - span.offset_s;

        if (moment < at)
            moment = at;
        if (moment < span.end_s) {
            *span_out = span;
            return moment;
        }
        at = span.end_s;
    }
}

static bool is_shown_again(const struct zone *zone, int64_t civil_s, struct zone_span span)
{
    while (span.end_s <= civil_s + ZONE_OFFSET_MAX_S) {
        int64_t moment;

        span = zone->span(zone, span.end_s);
        moment = civil_s - span.offset_s;
        if (moment >= span.begin_s && moment < span.end_s)
            return true;
    }
    return false;
}

struct schedule_slot schedule_next(const struct cron *cron, const struct zone *zone, int64_t unix_s)
{
    struct schedule_slot slot = {.minute =
                                     cron_next(cron, floor_minute(latest_shown(zone, unix_s)))};
    struct zone_span span;

    slot.due_s = first_shown(zone, slot.minute * MINUTE_S, &span);
    slot.offset_s = span.offset_s;
    slot.is_skipped = slot.due_s + span.offset_s != slot.minute * MINUTE_S;
    slot.is_doubled = !slot.is_skipped && is_shown_again(zone, slot.minute * MINUTE_S, span);
    assert(slot.due_s > unix_s);
    return slot;
}

bool schedule_slot_at(const struct cron *cron, const struct zone *zone, int64_t unix_s,
                      struct schedule_slot *slot_out)
{
    *slot_out = schedule_next(cron, zone, unix_s - 1);
    return slot_out->due_s == unix_s;
}

/* --- what becomes of them --- */

static const struct {
    const char *code, *meaning;
} fates[SLOT_FATE_COUNT] = {
    [SLOT_CLAIMED] = {"claimed", "its run has not come to an end"},
    [SLOT_RAN] = {"ran", "its run came to an end"},
    [SLOT_RUN_WENT_ON] = {"run_went_on", "skipped, another run went on"},
    [SLOT_SUPERSEDED] = {"superseded", "skipped, a later slot ran for it"},
    [SLOT_TOO_LATE] = {"too_late", "missed, it could not start within its window"},
};

const char *slot_fate_code(enum slot_fate fate)
{
    return fates[fate].code;
}

const char *slot_fate_meaning(enum slot_fate fate)
{
    return fates[fate].meaning;
}

/* The fate of a slot as far as it does not depend on later ones; SLOT_CLAIMED = it may run. */
static enum slot_fate judge(const struct schedule_account *account, int64_t due_s,
                            uint32_t *run_out)
{
    *run_out = 0;
    if (account->now_s - due_s > account->policy.window_s)
        return SLOT_TOO_LATE;
    if (account->policy.if_running == IF_RUNNING_SKIP) {
        *run_out = account->went_on(account->context, due_s);
        if (*run_out != 0)
            return SLOT_RUN_WENT_ON;
    }
    return SLOT_CLAIMED;
}

/* The slot that is to run: the first that may when all run, else the last. */
static struct schedule_slot choose(const struct schedule_account *account)
{
    struct schedule_slot chosen = {0},
                         slot = schedule_next(account->cron, account->zone, account->after_s);
    uint32_t run;

    for (; slot.due_s <= account->now_s;
         slot = schedule_next(account->cron, account->zone, slot.due_s)) {
        if (judge(account, slot.due_s, &run) != SLOT_CLAIMED)
            continue;
        chosen = slot;
        if (account->policy.if_missed == IF_MISSED_RUN_ALL)
            break;
    }
    return chosen;
}

static bool put(const struct schedule_account *account, const struct schedule_range *range)
{
    return range->count == 0 || account->put(account->context, range);
}

int64_t schedule_account(const struct schedule_account *account, struct schedule_slot *slot_out)
{
    bool one_by_one = account->policy.if_missed == IF_MISSED_RUN_ALL;
    struct schedule_slot chosen = choose(account);
    struct schedule_slot slot = schedule_next(account->cron, account->zone, account->after_s);
    int64_t until_s = one_by_one && chosen.due_s != 0 ? chosen.due_s : account->now_s;
    struct schedule_range range = {0};

    *slot_out = chosen;
    if (until_s < account->after_s)
        until_s = account->after_s;
    for (; slot.due_s <= until_s; slot = schedule_next(account->cron, account->zone, slot.due_s)) {
        uint32_t run;
        enum slot_fate fate = judge(account, slot.due_s, &run);

        if (fate == SLOT_CLAIMED && slot.due_s != chosen.due_s)
            fate = SLOT_SUPERSEDED;
        if (range.count > 0 && range.fate == fate && range.run == run) {
            range.last_s = slot.due_s;
            range.count++;
            continue;
        }
        if (!put(account, &range))
            return INT64_MIN;
        range = (struct schedule_range){slot.due_s, slot.due_s, 1, fate, run};
    }
    return put(account, &range) ? until_s : INT64_MIN;
}
