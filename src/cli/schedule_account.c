/* What the ledger says of the slots of a schedule. */
#include "purser/base/moment.h"
#include "purser/cli/recall.h"
#include "purser/cli/schedule.h"
#include "purser/io/clock.h"

enum err_code schedule_require(const struct session *session, struct err *err)
{
    if (session->spec.schedule.cron_text != NULL)
        return ERR_OK;
    return err_set(err, ERR_INPUT, "%s has no schedule\nhint: schedule: { cron: \"15 6 * * 1-5\" }",
                   session->spec.file);
}

const char *schedule_note(const struct schedule_slot *slot, char *text, size_t bytes)
{
    int64_t days = (slot->minute >= 0 ? slot->minute : slot->minute - 1439) / 1440;
    int time = (int)(slot->minute - days * 1440);

    text[0] = '\0';
    if (slot->is_skipped)
        (void)snprintf(text, bytes, "%02d:%02d does not exist on that day", time / 60, time % 60);
    else if (slot->is_doubled)
        (void)snprintf(text, bytes, "%02d:%02d comes twice; this is the first", time / 60,
                       time % 60);
    return text;
}

/* So far may the clock be set back without a word. */
#define CLOCK_AHEAD_MAX_S ((int64_t)60 * 60)

/* --- which run went on when --- */

struct books {
    struct session *session;
    void (*tell)(struct session *session, const struct schedule_range *range);
    bool writes;
    struct err *err;
    enum err_code failure; /* what the account has met, and nothing more is accounted for */
    uint32_t first_run, run, last_run; /* the first that may matter; where the search stands */
    int64_t asked_s;
};

/* Finds the first run that had not ended by `after_s`. What is damaged or was killed has no end. */
static enum err_code find_first_run(struct books *books, int64_t after_s)
{
    struct ledger *ledger = books->session->ledger;
    struct run_record run;
    bool found;

    books->last_run = ledger->ops->last_run(ledger);
    for (books->first_run = books->last_run + 1; books->first_run > 1; books->first_run--) {
        if (recall_run(ledger, books->first_run - 1, true, &run, &found, books->err) != ERR_OK)
            return books->err->code;
        if (found && run.ended_ms != 0 && run.ended_ms < after_s * 1000)
            break;
    }
    return ERR_OK;
}

static uint32_t went_on(void *context, int64_t due_s)
{
    struct books *books = context;
    struct ledger *ledger = books->session->ledger;
    struct run_record run;
    bool found;

    if (due_s < books->asked_s)
        books->run = books->first_run;
    books->asked_s = due_s;
    for (; books->run <= books->last_run && books->failure == ERR_OK; books->run++) {
        books->failure = recall_run(ledger, books->run, false, &run, &found, books->err);
        if (found && run.ended_ms >= due_s * 1000)
            return run.started_ms <= due_s * 1000 ? books->run : 0;
    }
    return 0;
}

/* --- accounts --- */

static bool put(void *context, const struct schedule_range *range)
{
    struct books *books = context;
    struct ledger *ledger = books->session->ledger;
    struct slot_record slot = {.last_s = range->last_s,
                               .count = range->count,
                               .fate = range->fate,
                               .run = range->run,
                               .noted_ms = clock_wall_ms()};

    if (books->failure != ERR_OK)
        return false;
    if (books->tell != NULL && range->fate != SLOT_CLAIMED)
        books->tell(books->session, range);
    if (books->writes)
        books->failure = ledger->ops->put_slot(ledger, range->first_s, &slot, books->err);
    return books->failure == ERR_OK;
}

static enum err_code commit(struct ledger *ledger, struct err *err)
{
    uint64_t sequence;

    if (ledger->ops->commit_begin(ledger, &sequence, err) != ERR_OK)
        return err->code;
    return ledger->ops->commit_poll(ledger, true, &sequence, err);
}

static enum err_code account(struct books *books, struct schedule_record *schedule, int64_t now_s,
                             struct settled *settled)
{
    const struct spec_schedule *spec = &books->session->spec.schedule;
    struct schedule_account account = {
        .cron = &spec->cron,
        .zone = books->session->zone,
        .policy = spec->policy,
        .after_s = schedule->until_s,
        .now_s = now_s,
        .went_on = went_on,
        .put = put,
        .context = books,
    };
    struct schedule_slot slot;

    if (find_first_run(books, schedule->until_s) != ERR_OK)
        return books->err->code;
    books->run = books->first_run;
    books->asked_s = INT64_MIN;
    schedule->until_s = schedule_account(&account, &slot);
    if (books->failure != ERR_OK)
        return books->failure;
    schedule->claimed_s = settled->slot_s = slot.due_s;
    return ERR_OK;
}

/* A clock that was wrong must not stop the schedule until its time has come. --now has no part in
 * this: only the real clock tells that what is accounted for has not been. */
static void mend_clock(struct schedule_record *schedule, struct settled *settled)
{
    int64_t wall_s = clock_wall_ms() / 1000;

    settled->clock_was_ahead = schedule->until_s > wall_s + CLOCK_AHEAD_MAX_S;
    if (settled->clock_was_ahead)
        schedule->until_s = wall_s;
}

static enum err_code look(struct books *books, int64_t now_s, struct settled *settled)
{
    struct ledger *ledger = books->session->ledger;
    struct schedule_record schedule = {0};
    enum err_code code =
        ledger == NULL ? ERR_NOT_FOUND : ledger->ops->read_schedule(ledger, &schedule, books->err);

    *settled = (struct settled){.began = code == ERR_NOT_FOUND};
    if (code != ERR_OK && !settled->began)
        return code;
    if (schedule.claimed_s != 0) {
        settled->slot_s = schedule.claimed_s;
        settled->goes_on = true;
        return ERR_OK;
    }
    if (settled->began)
        schedule = (struct schedule_record){.since_s = now_s, .until_s = now_s};
    else
        mend_clock(&schedule, settled);
    if (!settled->began && account(books, &schedule, now_s, settled) != ERR_OK)
        return books->err->code;
    if (!books->writes)
        return ERR_OK;
    if (ledger->ops->put_schedule(ledger, &schedule, books->err) != ERR_OK)
        return books->err->code;
    return commit(ledger, books->err);
}

enum err_code schedule_settle(struct session *session, int64_t now_s,
                              void (*tell)(struct session *session,
                                           const struct schedule_range *range),
                              struct settled *settled_out, struct err *err)
{
    struct books books = {.session = session, .tell = tell, .writes = true, .err = err};

    return look(&books, now_s, settled_out);
}

enum err_code schedule_foresee(struct session *session, int64_t now_s,
                               void (*tell)(struct session *session,
                                            const struct schedule_range *range),
                               struct settled *settled_out, struct err *err)
{
    struct books books = {.session = session, .tell = tell, .err = err};

    return look(&books, now_s, settled_out);
}

enum err_code schedule_close(struct session *session, int64_t slot_s, int exit_status,
                             struct err *err)
{
    struct ledger *ledger = session->ledger;
    struct schedule_record schedule;
    struct slot_record slot;
    int64_t first_s;

    if (ledger_require(ledger->ops->read_schedule(ledger, &schedule, err),
                       "the state of the schedule", err) != ERR_OK)
        return err->code;
    if (schedule.claimed_s != slot_s)
        return ERR_OK;
    if (ledger_require(ledger->ops->slot_before(ledger, slot_s + 1, &first_s, &slot, err),
                       "the slot that is claimed", err) != ERR_OK)
        return err->code;
    slot.fate = SLOT_RAN;
    slot.exit_status = exit_status;
    slot.noted_ms = clock_wall_ms();
    schedule.claimed_s = 0;
    if (ledger->ops->put_slot(ledger, slot_s, &slot, err) != ERR_OK ||
        ledger->ops->put_schedule(ledger, &schedule, err) != ERR_OK)
        return err->code;
    return commit(ledger, err);
}
