/* What a run has to do with the slot that it runs for. */
#include <string.h>

#include "purser/base/moment.h"
#include "purser/cli/schedule.h"
#include "purser/io/clock.h"

static enum err_code refuse(struct session *session, int64_t slot_s, struct err *err)
{
    const struct cron *cron = &session->spec.schedule.cron;
    struct schedule_slot next = schedule_next(cron, session->zone, slot_s);
    char text[MOMENT_BYTES], next_text[MOMENT_BYTES];

    moment_print(slot_s, 0, text);
    moment_print(next.due_s, 0, next_text);
    return err_set(err, ERR_INPUT,
                   "%s is no slot of the schedule; the next one is %s\n"
                   "hint: purser schedule next %s --from %s",
                   text, next_text, session->spec.file, text);
}

enum err_code run_slot_set(struct session *session, struct err *err)
{
    const struct schedule_options *options = &session->options->schedule;
    struct spec *spec = &session->spec;
    struct schedule_slot slot = {.due_s = options->slot_s};
    char text[MOMENT_BYTES], local[MOMENT_BYTES];

    if (!options->has_slot)
        return ERR_OK;
    if (spec->schedule.cron_text != NULL &&
        !schedule_slot_at(&spec->schedule.cron, session->zone, options->slot_s, &slot))
        return refuse(session, options->slot_s, err);
    moment_print(slot.due_s, 0, text);
    moment_print(slot.due_s, slot.offset_s, local);
    spec->slot = arena_copy_text(&session->arena, text, strlen(text));
    spec->slot_local = arena_copy_text(&session->arena, local, strlen(local));
    if (spec->slot == NULL || spec->slot_local == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the slot");
    return ERR_OK;
}

enum err_code run_slot_begin(struct run *run, bool *is_over_out, struct err *err)
{
    const struct schedule_options *options = &run->session->options->schedule;
    struct ledger *ledger = run->session->ledger;
    struct schedule_record schedule = {0};
    enum err_code code;

    *is_over_out = false;
    if (!options->has_slot)
        return ERR_OK;
    code = ledger->ops->read_schedule(ledger, &schedule, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    run->slot_s = options->slot_s;
    run->holds_claim = schedule.claimed_s == run->slot_s;
    *is_over_out = options->scheduled && !run->holds_claim;
    return ERR_OK;
}

enum err_code run_slot_put(struct run *run, int exit_status, struct err *err)
{
    struct ledger *ledger = run->session->ledger;
    /* A run that was stopped has not come to an end by itself: the next one goes on with it. */
    bool ended = exit_status >= 0 && !run->was_stopped;
    struct slot_record slot = {.last_s = run->slot_s,
                               .count = 1,
                               .fate = ended ? SLOT_RAN : SLOT_CLAIMED,
                               .run = run->number,
                               .exit_status = ended ? exit_status : 0,
                               .noted_ms = clock_wall_ms()};
    struct schedule_record schedule;

    if (!run->holds_claim)
        return ERR_OK;
    if (ledger->ops->put_slot(ledger, run->slot_s, &slot, err) != ERR_OK)
        return err->code;
    if (!ended)
        return ERR_OK;
    if (ledger->ops->read_schedule(ledger, &schedule, err) != ERR_OK)
        return err->code;
    schedule.claimed_s = 0;
    return ledger->ops->put_schedule(ledger, &schedule, err);
}
