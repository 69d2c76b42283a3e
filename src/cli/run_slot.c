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

static enum err_code put(struct session *session, int64_t slot_s, struct err *err)
{
    struct zone_span clocks = session->zone->span(session->zone, slot_s);
    struct spec *spec = &session->spec;
    char text[MOMENT_BYTES], local[MOMENT_BYTES];

    moment_print(slot_s, 0, text);
    moment_print(slot_s, clocks.offset_s, local);
    spec->slot = arena_copy_text(&session->arena, text, strlen(text));
    spec->slot_local = arena_copy_text(&session->arena, local, strlen(local));
    if (spec->slot == NULL || spec->slot_local == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the slot");
    return ERR_OK;
}

enum err_code run_slot_set(struct session *session, struct err *err)
{
    const struct schedule_options *options = &session->options->schedule;
    struct schedule_slot slot;

    if (!options->has_slot)
        return ERR_OK;
    if (session->spec.schedule.cron_text != NULL &&
        !schedule_slot_at(&session->spec.schedule.cron, session->zone, options->slot_s, &slot))
        return refuse(session, options->slot_s, err);
    return put(session, options->slot_s, err);
}

enum err_code run_slot_of_last(struct session *session, struct run_record *last_out,
                               struct err *err)
{
    struct ledger *ledger = session->ledger;
    enum err_code code =
        ledger->ops->read_run(ledger, ledger->ops->last_run(ledger), last_out, err);

    if (code == ERR_NOT_FOUND)
        *last_out = (struct run_record){.read_run = 1, .read_ms = clock_wall_ms()};
    else if (code != ERR_OK)
        return code;
    if (session->options->schedule.has_slot) {
        last_out->slot_s = session->options->schedule.slot_s;
        return run_slot_set(session, err);
    }
    return last_out->slot_s == 0 ? ERR_OK : put(session, last_out->slot_s, err);
}

enum err_code run_slot_inherit(struct run *run, struct err *err)
{
    struct run_record last;

    if (run_slot_of_last(run->session, &last, err) != ERR_OK)
        return err->code;
    run->slot_s = last.slot_s;
    run->read_run = last.read_run;
    run->read_ms = last.read_ms;
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
    if (ledger_require(ledger->ops->read_schedule(ledger, &schedule, err),
                       "the state of the schedule", err) != ERR_OK)
        return err->code;
    schedule.claimed_s = 0;
    return ledger->ops->put_schedule(ledger, &schedule, err);
}
