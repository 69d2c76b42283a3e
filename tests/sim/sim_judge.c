/* The laws. Each is checked as soon as it could be broken. */
#include <stdio.h>
#include <string.h>

#include "sim.h"

struct sim *sim_current;
struct sim_totals sim_totals;

/* Tolerance between what clocks say: skew between hosts and seconds cut off. */
enum { CLOCK_TOLERANCE_MS = 10 * 60 * 1000 };

struct step __real_lifecycle_step(const struct item *item, const struct item_event *event,
                                  const struct policy *policy);
struct step __wrap_lifecycle_step(const struct item *item, const struct item_event *event,
                                  const struct policy *policy);

void sim_mark_new_generation(struct sim_item *item)
{
    item->faults = 0;
    item->unknown_sends = 0;
    item->missing = 0;
    item->sent_unproven = false;
}

/* Nothing has shown yet that a key of this item would count. */
static bool is_unproven(const struct sim *sim, const struct sim_item *item)
{
    return item->keyed && sim->jobs[0].repeat == REPEAT_IF_PROVEN && !sim->ledger.proven;
}

/* As far as the client can know: a copy of this generation may have been sent. */
static bool may_be_done(const struct sim_item *item)
{
    return (item->faults & (FAULT_UNKNOWN_SEND | FAULT_CRASH)) != 0 || item->restored;
}

void sim_mark_sent(struct sim *sim, struct sim_item *item)
{
    item->sent_unproven |= is_unproven(sim, item);
}

/* What may have been on the wire when the process died is a send whose end is not known. */
void sim_mark_crash(struct sim *sim, struct sim_item *item)
{
    item->faults |= FAULT_CRASH;
    item->unknown_sends += item->died_in_run != sim->run;
    item->died_in_run = sim->run;
    sim_mark_sent(sim, item);
}

void sim_mark_found_sending(struct sim *sim)
{
    for (uint32_t number = 1; number <= sim->item_count; number++)
        if (sim->ledger.durable[number].item.state == ITEM_SENDING)
            sim_mark_crash(sim, &sim->items[number]);
}

static struct sim_item *item_of(struct sim *sim, const struct item *item)
{
    if (sim->person_acts_on != 0)
        return &sim->items[sim->person_acts_on];
    for (uint32_t number = 1; number <= sim->item_count; number++)
        if (hash128_equal(sim->items[number].request_hash, item->request_hash))
            return &sim->items[number];
    sim_fail(sim, "the engine moves an item that nobody knows");
}

/* --- every step --- */

static void trace_step(struct sim *sim, const struct sim_item *item, const struct item *before,
                       const struct item_event *event, const struct step *step)
{
    const struct item *after = &step->item;
    const int64_t values[] = {(int64_t)item->number, event->kind,       step->effect,
                              after->state,          after->reason,     after->generation,
                              after->attempt_count,  after->poll_count, after->due_ms,
                              after->http_status};
    char generation[32] = "", what[64] = "";

    sim_mark(sim, values, sizeof values / sizeof values[0]);
    if (!sim->trace.print)
        return;
    if (after->generation != before->generation)
        (void)snprintf(generation, sizeof generation, ", generation %u", after->generation);
    if (after->state != before->state)
        (void)snprintf(what, sizeof what, ", %s%s%s", item_state_name(after->state),
                       after->reason == REASON_NONE ? "" : " ", reason_code(after->reason));
    else if (step->effect == EFFECT_NONE && after->due_ms > event->now_ms)
        (void)snprintf(what, sizeof what, ", waits %lld ms",
                       (long long)(after->due_ms - event->now_ms));
    sim_trace(sim, "item %u %s > %s%s%s", (unsigned)item->number, item_state_name(before->state),
              item_event_name(event->kind), what, generation);
}

static bool is_justified(const struct sim *sim, const struct sim_item *item,
                         const struct item *before, const struct item_event *event,
                         enum reason reason)
{
    const struct policy *policy = &sim->jobs[item->job].policy;
    uint32_t faults = item->faults;
    bool unknown = may_be_done(item);

    switch (reason) {
    case REASON_RETRIES_EXHAUSTED:
        return item->keyed &&
               (item->unknown_sends >= policy->attempt_limit ||
                (unknown && policy->give_up_ms > 0 &&
                 (item->clock_was_set || event->server_now_ms - before->intent_ms >=
                                             policy->give_up_ms - CLOCK_TOLERANCE_MS)));
    case REASON_WINDOW_PASSED:
        return item->keyed && unknown &&
               (item->clock_was_set || event->server_now_ms - before->intent_ms >=
                                           policy->key_window_ms - CLOCK_TOLERANCE_MS);
    case REASON_SERVER_LOST_JOB:
        return item->missing >= policy->missing_limit;
    case REASON_KEY_CONFLICT:
        return (faults & FAULT_CONFLICT) != 0;
    case REASON_PLATFORM_ERROR:
        return (faults & FAULT_PLATFORM) != 0;
    case REASON_SERVER_ERROR:
        return (faults & FAULT_JOB_ERROR) != 0;
    case REASON_UNCLASSIFIED:
        return (faults & FAULT_NONSENSE) != 0;
    case REASON_UNKEYED_UNKNOWN:
        return (!item->keyed || item->sent_unproven) && unknown;
    case REASON_REFUSED_AFTER_UNKNOWN:
        return unknown && (faults & FAULT_REFUSAL) != 0;
    case REASON_PARTIAL_SUCCESS:
        return (faults & FAULT_PARTIAL) != 0;
    case REASON_WRONG_JOB:
        return (faults & FAULT_WRONG_ECHO) != 0;
    case REASON_RECORD_DAMAGED:
        return (faults & FAULT_DAMAGE) != 0;
    case REASON_RESTORED_STATE:
        return item->restored;
    case REASON_NONE:
    case REASON_REFUSED:
    case REASON_JOB_FAILED:
    case REASON_TWO_SERVER_JOBS:
    case REASON_RESOLVED:
    case REASON_ABANDONED:
    case REASON_CANCELLED:
    case REASON_CONDITION_FALSE:
    case REASON_STUCK_PENDING:
    case REASON_RECONCILED:
    case REASON_NOT_RENDERED:
    case REASON_UNDONE:
    case REASON_UNDO_FOUND_NOTHING:
    case REASON_COUNT:
        break;
    }
    return false;
}

static void judge_doubt(struct sim *sim, const struct sim_item *item, const struct item *before,
                        const struct item_event *event, enum reason reason)
{
    if (!is_justified(sim, item, before, event, reason))
        sim_fail(sim, "item %u is in doubt (%s), and nothing happened to it that explains it",
                 (unsigned)item->number, reason_code(reason));
    if (sim->profile != SIM_ANYTHING && sim->script == NULL && reason != REASON_UNKEYED_UNKNOWN)
        sim_fail(sim, "item %u is in doubt (%s), but every fault could be resolved",
                 (unsigned)item->number, reason_code(reason));
}

static void judge_end(struct sim *sim, const struct sim_item *item, enum item_state state)
{
    uint32_t effects = item->effects[item->epoch];

    if (state == ITEM_SUCCEEDED && effects != 1)
        sim_fail(sim, "item %u is said to have succeeded and had %u effects",
                 (unsigned)item->number, effects);
    if (state == ITEM_FAILED && effects != 0)
        sim_fail(sim, "item %u is said to have failed and had %u effects", (unsigned)item->number,
                 effects);
    /* A throttled job gets no new key while none is proven. */
    if (state == ITEM_FAILED && item->keyed && sim->jobs[0].repeat == REPEAT_BY_KEY &&
        sim->profile != SIM_ANYTHING && sim->script == NULL)
        sim_fail(sim, "item %u failed, but every fault could be resolved", (unsigned)item->number);
}

struct step __wrap_lifecycle_step(const struct item *before, const struct item_event *event,
                                  const struct policy *policy)
{
    struct sim *sim = sim_current;
    struct step step = __real_lifecycle_step(before, event, policy);
    struct sim_item *item = item_of(sim, before);

    if (!step.legal)
        sim_fail(sim, "item %u is %s and gets the event %s, which cannot happen",
                 (unsigned)item->number, item_state_name(before->state),
                 item_event_name(event->kind));
    sim_totals.steps++;
    sim_totals.cells[before->state][event->kind]++;
    trace_step(sim, item, before, event, &step);
    if (sim->person_acts_on == 0) {
        sim->run_ends[step.item.state] += step.effect == EFFECT_FINAL;
        if (sim->starved && event->kind == EVENT_LOST && before->state == ITEM_SENDING) {
            item->faults |= FAULT_UNKNOWN_SEND; /* an answer that could not be read */
            item->unknown_sends++;
        }
        if (step.item.state == ITEM_IN_DOUBT && !sim->starved)
            judge_doubt(sim, item, before, event, step.item.reason);
        judge_end(sim, item, step.item.state);
        sim_judge_needs(sim, item, event->kind);
        if (step.item.state == ITEM_READY) /* when it begins again, its canary may be over */
            item->has_begun = item->is_canary = false;
    }
    if (step.item.generation != before->generation || step.item.state == ITEM_READY ||
        step.item.state == ITEM_BLOCKED)
        sim_mark_new_generation(item);
    return step;
}

/* --- every send and every effect --- */

static void judge_key(struct sim *sim, const struct transfer_request *request, uint32_t number)
{
    const struct sim_item *item = &sim->items[number];
    char key[KEY_TEXT_BYTES];

    if (is_unproven(sim, item) && may_be_done(item))
        sim_fail(sim, "item %u may have been done, no key is proven, and it is sent again", number);
    if (is_unproven(sim, item) && !request->at_most_once)
        sim_fail(sim, "item %u is sent as if its key were proven", number);
    if (!item->keyed) {
        if (request->idempotency_key != NULL || !request->at_most_once)
            sim_fail(sim, "item %u is sent with a key that its operation does not honour", number);
        if (may_be_done(item))
            sim_fail(sim, "item %u has no key, may have been done, and is sent again", number);
        return;
    }
    key_derive(SLICE(SIM_SPEC_NAME), slice_of(sim->jobs[item->job].name),
               slice_of(sim->connections[item->connection].alias), slice_of(item->key),
               sim->ledger.durable[number].item.generation, key);
    if (request->idempotency_key == NULL || strcmp(request->idempotency_key, key) != 0)
        sim_fail(sim, "item %u is sent under a key that is not that of its durable generation %u",
                 number, sim->ledger.durable[number].item.generation);
}

static void judge_health(struct sim *sim, const struct sim_item *item)
{
    const char *alias = sim->connections[item->connection].alias;

    if (sim->told_to_doubt)
        sim_fail(sim, "a write was refused for its credentials, and %s goes on writing", alias);
    if (!sim->connections[item->connection].asks_status)
        return;
    if (!sim->told[item->connection].checked)
        sim_fail(sim, "%s is written to before its status is known", alias);
    if (sim->told[item->connection].parked)
        sim_fail(sim, "%s needs a person and is written to", alias);
}

/* I11 of loads: repeats are a tenth of what is asked for the first time, and a few more. */
static void judge_repeat(struct sim *sim, const struct sim_item *item)
{
    uint32_t rate_millis = sim->options.pace.start_millis;
    uint64_t a_second = rate_millis == 0 ? 10 : rate_millis / 10000 + 1;
    uint64_t seconds = (uint64_t)(sim->now_ms - sim->run_begin_ms) / 1000 + 1;

    if (item->lost_in_run &&
        ++sim->run_repeats > 32 + sim->run_first_answers / 10 + 1 + seconds * a_second)
        sim_fail(sim, "%llu repeats, for %llu first attempts in %llu s",
                 (unsigned long long)sim->run_repeats, (unsigned long long)sim->run_first_answers,
                 (unsigned long long)seconds);
}

static void taken_write(struct sim *sim, const struct sim_transfer *transfer)
{
    struct sim_item *item = &sim->items[transfer->item];

    if (transfer->outcome == TRANSFER_LOST ||
        (transfer->outcome == TRANSFER_ANSWERED && transfer->http_status >= 500))
        item->lost_in_run = true;
    else if (transfer->outcome == TRANSFER_ANSWERED)
        sim->run_first_answers++;
}

static void taken_status(struct sim *sim, const struct sim_transfer *transfer)
{
    enum { PARKED_LEAST_MS = 60 * 1000, UNUSABLE_MAX = 3 };
    bool told = transfer->held || transfer->usable;

    if (transfer->outcome == TRANSFER_NOT_SENT || transfer->http_status == 429)
        return;
    if (!told && ++sim->told[transfer->connection].unusable >= UNUSABLE_MAX)
        told = true;
    if (told)
        sim->told[transfer->connection].checked = true;
    if (transfer->usable &&
        sim->now_ms - sim->told[transfer->connection].parked_ms >= PARKED_LEAST_MS)
        sim->told[transfer->connection].parked = false;
}

static void taken_organisation(struct sim *sim, const struct sim_transfer *transfer)
{
    if (transfer->outcome != TRANSFER_ANSWERED || transfer->http_status == 429)
        return;
    if (transfer->http_status == 200 || ++sim->doubts_unanswered >= 3)
        sim->told_to_doubt = false;
}

void sim_judge_taken(struct sim *sim, const struct sim_transfer *transfer)
{
    uint32_t connection = transfer->item == SIM_NO_ITEM ? transfer->connection
                                                        : sim->items[transfer->item].connection;
    /* What there is no memory for may not have been read. */
    bool told = transfer->outcome == TRANSFER_ANSWERED && transfer->held && !sim->starved;
    bool was_checked = sim->told[connection].checked;

    if (!transfer->polling)
        taken_write(sim, transfer);
    else if (transfer->asks_status)
        taken_status(sim, transfer);
    else if (!transfer->asks_job)
        taken_organisation(sim, transfer);
    if (transfer->outcome == TRANSFER_ANSWERED && transfer->held && sim->starved)
        sim->told[connection].may_be_parked = true;
    /* A poll that was refused for the credentials ends the run. */
    if (!told || (transfer->polling && !transfer->asks_status && transfer->http_status == 401) ||
        (transfer->item == SIM_NO_ITEM && !transfer->asks_status))
        return;
    if (transfer->http_status == 401 &&
        (transfer->polling ? !was_checked : !sim->told[connection].parked) &&
        !sim->told[connection].may_be_parked) {
        sim->told_to_doubt = true;
        sim->doubts_unanswered = 0;
    }
    if (!sim->told[connection].parked)
        sim->told[connection].parked_ms = sim->now_ms;
    sim->told[connection].parked = true;
}

/* Of each job at most `canary` items are on their way until they have all succeeded; when one has
 * ended otherwise, no item begins. What was taken back unsent is as if it had not begun. */
static void judge_canary(struct sim *sim, uint32_t number)
{
    uint32_t begun = 0, succeeded = 0;
    struct sim_item *item = &sim->items[number];

    if (sim->options.canary == 0 || item->has_begun)
        return;
    for (uint32_t i = 1; i <= sim->item_count; i++) {
        const struct sim_item *other = &sim->items[i];
        enum item_state state = sim->ledger.durable[i].item.state;

        if (!other->is_canary || state == ITEM_READY)
            continue;
        if (item_state_is_final(state) && state != ITEM_SUCCEEDED)
            sim_fail(sim, "item %u is sent after item %u of a canary is %s", number, i,
                     item_state_name(state));
        begun += other->job == item->job;
        succeeded += other->job == item->job && state == ITEM_SUCCEEDED;
    }
    if (begun >= sim->options.canary && succeeded < begun)
        sim_fail(sim, "item %u is sent when of a canary of %u only %u have succeeded", number,
                 begun, succeeded);
    item->has_begun = true;
    item->is_canary = begun < sim->options.canary;
}

void sim_judge_send(struct sim *sim, const struct transfer_request *request, uint32_t number)
{
    const struct sim_item *item = &sim->items[number];
    const struct sim_stored *stored = &sim->ledger.durable[number];
    uint32_t sends = 0;

    if (sim->ledger.failed || sim->crashed)
        sim_fail(sim, "item %u is sent after the ledger failed", number);
    if (stored->item.state != ITEM_SENDING)
        sim_fail(sim, "item %u is sent before its intent is durable (it is %s)", number,
                 item_state_name(stored->item.state));
    if (request->connection != item->connection)
        sim_fail(sim, "item %u is sent on connection %u", number, request->connection);
    judge_key(sim, request, number);
    judge_health(sim, item);
    judge_repeat(sim, item);
    judge_canary(sim, number);
    for (uint32_t i = 0; i < SIM_TRANSFERS_MAX; i++) {
        const struct sim_transfer *transfer = &sim->transport.transfers[i];

        sends += transfer->live && !transfer->polling &&
                 sim->items[transfer->item].connection == item->connection;
    }
    if (sends >= sim->connections[item->connection].in_flight)
        sim_fail(sim, "connection %u has more than %u writes in flight", item->connection,
                 sim->connections[item->connection].in_flight);
}

void sim_judge_run_begin(struct sim *sim)
{
    memset(sim->run_ends, 0, sizeof sim->run_ends);
    sim->run_sends = sim->run_polls = sim->run_released = 0;
    memset(sim->told, 0, sizeof sim->told);
    sim->told_to_doubt = false;
    sim->run_begin_ms = sim->now_ms;
    sim->run_begin_wall_ms = sim_wall_ms(sim);
    sim->run_repeats = sim->run_first_answers = 0;
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        const struct sim_stored *stored = &sim->ledger.durable[number];

        sim->items[number].lost_in_run = false;
        sim->items[number].restored &= stored->item.state != ITEM_SUCCEEDED;
        sim->items[number].has_begun = sim->items[number].is_canary =
            item_state_is_active(stored->item.state) && !stored->damaged;
    }
    sim->full_at_us = 0;
    sim->quiet_until_ms = 0;
    memset(sim->connection_quiet_until_ms, 0, sizeof sim->connection_quiet_until_ms);
}

/* In no span of time more than rate × time + burst; a rate that learns has its ceiling. */
void sim_judge_pace(struct sim *sim, const struct transfer_request *request)
{
    const struct pace_config *pace = &sim->options.pace;
    int64_t rate_millis = pace->learns ? pace->ceiling_millis : pace->start_millis;
    int64_t now_us = sim->now_ms * 1000;

    if (sim->now_ms < sim->quiet_until_ms)
        sim_fail(sim, "a request starts although the API asked for a pause until %lld",
                 (long long)sim->quiet_until_ms);
    if (request->method != METHOD_GET &&
        sim->now_ms < sim->connection_quiet_until_ms[request->connection])
        sim_fail(sim, "a write starts although connection %u has to pause until %lld",
                 request->connection,
                 (long long)sim->connection_quiet_until_ms[request->connection]);
    if (rate_millis == 0)
        return;
    if (sim->full_at_us - (int64_t)(pace->burst - 1) * 1000000000 / rate_millis > now_us)
        sim_fail(sim, "requests start faster than %lld in a thousand seconds with bursts of %u",
                 (long long)rate_millis, pace->burst);
    if (sim->full_at_us < now_us)
        sim->full_at_us = now_us;
    sim->full_at_us += 1000000000 / rate_millis;
}

void sim_judge_pause(struct sim *sim, const struct sim_transfer *transfer)
{
    const struct sim_item *item = &sim->items[transfer->item];
    int64_t *quiet_until_ms = transfer->http_status == 429
                                  ? &sim->quiet_until_ms
                                  : &sim->connection_quiet_until_ms[item->connection];

    uint64_t seconds;

    /* With a job's id it is the end of that job, and no word about others. */
    if (transfer->job_id[0] != '\0' || !text_to_u64(slice_of(transfer->retry_after), &seconds))
        return;
    if (sim->now_ms + (int64_t)seconds * 1000 > *quiet_until_ms)
        *quiet_until_ms = sim->now_ms + (int64_t)seconds * 1000;
}

/* Of the operations without a key, at most one intent may have been made ahead. */
void sim_judge_crash(struct sim *sim)
{
    uint32_t ahead = 0;

    for (uint32_t number = 1; number <= sim->item_count; number++) {
        const struct sim_item *item = &sim->items[number];

        const struct item *value = &sim->ledger.durable[number].item;

        ahead += (!item->keyed || is_unproven(sim, item)) && value->state == ITEM_SENDING &&
                 item->sent_generation != value->generation && (item->faults & FAULT_CRASH) == 0;
    }
    if (ahead > 1)
        sim_fail(sim, "%u items without a key would be in doubt although they were never sent",
                 ahead);
}

void sim_judge_effect(struct sim *sim, uint32_t number, uint32_t epoch)
{
    const struct sim_item *item = &sim->items[number];

    sim_trace(sim, "item %u is done by the server", number);
    if (item->effects[epoch] > 1)
        sim_fail(sim, "item %u was done %u times", number, item->effects[epoch]);
    if (item->expected[epoch] >= 0 && item->effects[epoch] > (uint32_t)item->expected[epoch])
        sim_fail(sim, "item %u was done after its row had been changed", number);
}

/* --- the end of a run and of the world --- */

/* A run that stopped by itself has done all that it could. */
static void judge_left_over(struct sim *sim, uint32_t number,
                            const struct engine_progress *progress)
{
    enum item_state state = sim->ledger.durable[number].item.state;

    if (progress->stop != STOP_NONE || progress->parked_connections > 0)
        return;
    if (item_state_is_active(state) && progress->left_behind == 0)
        sim_fail(sim, "the run ended by itself and left item %u %s", number,
                 item_state_name(state));
    /* One of the first items may be left to the next run, and the others then wait for it. */
    if (state == ITEM_READY && progress->started < sim->options.item_limit &&
        (sim->options.canary == 0 || progress->left_behind == 0))
        sim_fail(sim, "the run ended by itself and never began item %u", number);
}

static void judge_counts(struct sim *sim, const struct engine_progress *progress)
{
    if (progress->succeeded != sim->run_ends[ITEM_SUCCEEDED] ||
        progress->failed != sim->run_ends[ITEM_FAILED] ||
        progress->in_doubt != sim->run_ends[ITEM_IN_DOUBT])
        sim_fail(sim,
                 "the run reports %llu succeeded, %llu failed, %llu in doubt; it was %llu, "
                 "%llu, %llu",
                 (unsigned long long)progress->succeeded, (unsigned long long)progress->failed,
                 (unsigned long long)progress->in_doubt,
                 (unsigned long long)sim->run_ends[ITEM_SUCCEEDED],
                 (unsigned long long)sim->run_ends[ITEM_FAILED],
                 (unsigned long long)sim->run_ends[ITEM_IN_DOUBT]);
    if (progress->sent != sim->run_sends || progress->polls != sim->run_polls)
        sim_fail(sim, "the run reports %llu sends and %llu polls; it was %llu and %llu",
                 (unsigned long long)progress->sent, (unsigned long long)progress->polls,
                 (unsigned long long)sim->run_sends, (unsigned long long)sim->run_polls);
    if (progress->released != sim->run_released)
        sim_fail(sim, "the run reports %llu released items; it was %llu",
                 (unsigned long long)progress->released, (unsigned long long)sim->run_released);
    if (progress->active > 0 && progress->stop == STOP_NONE && progress->parked_connections == 0)
        sim_fail(sim, "the run ended by itself with %u active items", progress->active);
}

void sim_judge_run_end(struct sim *sim, const struct engine_progress *progress)
{
    uint64_t blocked = 0;

    judge_counts(sim, progress);
    if (sim->transport.live_count > 0)
        sim_fail(sim, "the run ended with %u transfers running", sim->transport.live_count);
    if (sim->ledger.open.count > 0 || sim->ledger.closing_done_ms != SIM_NEVER)
        sim_fail(sim, "the run ended before everything was durable");
    for (uint32_t number = 1; number <= sim->item_count; number++) {
        const struct sim_stored *stored = &sim->ledger.durable[number];

        if (stored->item.state == ITEM_SENDING && !stored->damaged &&
            (sim->items[number].faults & (FAULT_UNKNOWN_SEND | FAULT_CRASH)) == 0)
            sim_fail(sim, "the run ended and left item %u in sending without need", number);
        judge_left_over(sim, number, progress);
        blocked += stored->item.state == ITEM_BLOCKED;
        if (progress->stop == STOP_NONE)
            sim_judge_waits(sim, number);
    }
    if (progress->blocked != blocked)
        sim_fail(sim, "the run reports %llu blocked items; it is %llu",
                 (unsigned long long)progress->blocked, (unsigned long long)blocked);
    sim->ended_calmly =
        sim->calm && progress->stop == STOP_NONE && progress->parked_connections == 0;
}

static void judge_item(struct sim *sim, uint32_t number)
{
    const struct sim_item *item = &sim->items[number];
    const struct sim_stored *stored = &sim->ledger.durable[number];
    uint32_t effects = item->effects[item->epoch];
    uint32_t least = 0, most = 1;

    for (uint32_t epoch = 0; epoch < item->epoch; epoch++)
        if (item->expected[epoch] >= 0 && item->effects[epoch] != (uint32_t)item->expected[epoch])
            sim_fail(sim, "request %u of item %u had %u effects, but %d were reported", epoch,
                     number, item->effects[epoch], item->expected[epoch]);
    switch (stored->item.state) {
    case ITEM_SUCCEEDED:
        least = 1;
        break;
    case ITEM_IN_DOUBT:
        break;
    case ITEM_CANCELLED:
        most = item->abandoned ? 1 : 0;
        break;
    case ITEM_BLOCKED:
    case ITEM_READY:
    case ITEM_FAILED:
    case ITEM_SKIPPED:
        most = 0;
        break;
    case ITEM_SENDING:
    case ITEM_WAITING:
    case ITEM_STATE_COUNT:
        sim_fail(sim, "item %u is still %s at the end", number,
                 item_state_name(stored->item.state));
    }
    if (item->restored) /* it may have been done in the history that was lost */
        most = 1;
    if (effects < least || effects > most)
        sim_fail(sim, "item %u ended as %s and had %u effects", number,
                 item_state_name(stored->item.state), effects);
    if (stored->item.state == ITEM_SUCCEEDED && stored->item.reason == REASON_NONE &&
        !stored->has_result)
        sim_fail(sim, "item %u succeeded and its result was not kept", number);
    if (sim->profile != SIM_ANYTHING && sim->script == NULL && item->keyed &&
        stored->item.state != ITEM_SUCCEEDED && stored->item.state != ITEM_BLOCKED &&
        !(sim->jobs[0].repeat == REPEAT_IF_PROVEN &&
          (stored->item.reason == REASON_UNKEYED_UNKNOWN || stored->item.state == ITEM_FAILED)))
        sim_fail(sim, "item %u ended as %s, but every fault could be resolved", number,
                 item_state_name(stored->item.state));
    if (stored->item.state == ITEM_IN_DOUBT) {
        sim_totals.in_doubt++;
        sim_totals.in_doubt_by_reason[stored->item.reason]++;
    }
}

void sim_judge_world_end(struct sim *sim)
{
    for (uint32_t number = 1; number <= sim->item_count; number++)
        judge_item(sim, number);
}
