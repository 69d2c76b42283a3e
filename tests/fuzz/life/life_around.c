/* What is around purser: the network, the server, time and persons. */
#include "life.h"

#include <string.h>

/* --- what the server may say --- */

enum { CELLS_MAX = STATUS_KIND_COUNT * PROOF_KIND_COUNT * BODY_KIND_COUNT };

struct cell {
    uint8_t status, proof, body;
};

static struct cell cells[SITUATION_COUNT][CELLS_MAX];
static uint32_t cell_counts[SITUATION_COUNT];

static void sort_cell(enum reply_phase phase, unsigned status, unsigned proof, unsigned body)
{
    enum situation situation;

    if (!reply_body_is_of_phase((enum body_kind)body, phase))
        return;
    situation = phase == PHASE_SEND
                    ? situation_of_send((enum status_kind)status, (enum proof_kind)proof,
                                        (enum body_kind)body)
                    : situation_of_poll((enum status_kind)status, (enum body_kind)body);
    cells[situation][cell_counts[situation]++] =
        (struct cell){(uint8_t)status, (uint8_t)proof, (uint8_t)body};
}

static void sort_cells(void)
{
    if (cell_counts[SAYS_NOTHING] > 0)
        return;
    for (unsigned status = 0; status < STATUS_KIND_COUNT; status++)
        for (unsigned proof = 0; proof < PROOF_KIND_COUNT; proof++)
            for (unsigned body = 0; body < BODY_KIND_COUNT; body++) {
                sort_cell(PHASE_SEND, status, proof, body);
                sort_cell(PHASE_POLL, status, proof, body);
            }
}

static const struct reply_rule *rule_of(const struct rules *rules, enum reply_phase phase,
                                        const struct cell *cell)
{
    const struct reply_rule *list = phase == PHASE_SEND ? rules->send_rules : rules->poll_rules;
    size_t count = phase == PHASE_SEND ? *rules->send_rule_count : *rules->poll_rule_count;

    for (size_t i = 0; i < count; i++)
        if (reply_rule_covers(&list[i], (enum status_kind)cell->status,
                              (enum proof_kind)cell->proof, (enum body_kind)cell->body))
            return &list[i];
    return NULL;
}

static void take_answer(struct life *life, struct life_item *item, enum reply_phase phase,
                        enum situation situation, uint32_t index, const struct life_job *job)
{
    const struct reply_rule *rule;
    struct item_event event;
    char name[8] = {'j'};

    sort_cells();
    rule = rule_of(life->rules, phase, &cells[situation][index % cell_counts[situation]]);
    if (rule == NULL) {
        life_break(life, "an answer that no rule covers");
        return;
    }
    life_judge_answer(life, situation, rule);
    life_learn_clock(life);
    event = life_event(life, item, rule->event);
    event.reason = rule->reason;
    if (rule->event == EVENT_ACCEPTED) {
        if (job == NULL) {
            life_break(life, "an answer names a job that is none");
            return;
        }
        name[1] = (char)('A' + (job - item->jobs));
        event.remote_job = name;
    }
    life_apply(life, item, &event);
}

/* --- sends --- */

static void drop_copy(struct life_item *item, uint32_t index)
{
    item->copies[index] = item->copies[--item->copy_count];
}

/* What the server has under the key of the copy. */
static struct life_job *job_of(const struct life *life, struct life_item *item,
                               const struct life_copy *copy)
{
    for (uint32_t i = item->job_count; i-- > 0;)
        if (item->kind == LIFE_KEYED && item->jobs[i].generation == copy->generation &&
            life->now_ms - item->jobs[i].accepted_ms < item->policy.key_window_ms + LIFE_MARGIN_MS)
            return &item->jobs[i];
    return NULL;
}

void life_end_job(struct life_item *item, struct life_job *job, enum life_job_status status,
                  bool has_effect)
{
    if (job->status != RUNNING)
        return;
    job->status = status;
    if (status != SUCCEEDED && status != PARTIAL && !(status == FAILED && has_effect))
        return;
    if (item->kind != LIFE_NATURAL || item->effects == 0)
        item->effects++; /* done twice is done once by nature */
}

static enum situation choose_truth(const struct life_job *job, bool is_new, uint32_t which)
{
    enum situation truths[4];
    uint32_t count = 0;

    truths[count++] = SAYS_NOTHING;
    if (job != NULL)
        truths[count++] = SAYS_ACCEPTED;
    if (job != NULL && job->status == SUCCEEDED)
        truths[count++] = SAYS_DONE;
    if (!is_new)
        truths[count++] = SAYS_NOT_ACCEPTED;
    return truths[which % count];
}

void life_deliver(struct life *life, struct life_item *item, uint32_t index, bool is_refused,
                  bool ends_at_once, uint32_t cell)
{
    struct life_copy copy = item->copies[index];
    struct life_job *job;
    bool is_new = false;

    drop_copy(item, index);
    if (life->now_ms - copy.sent_ms > LIFE_TRANSIT_MS)
        return;
    job = job_of(life, item, &copy);
    if (job != NULL && job->body != copy.body) {
        life_break(life, "two requests under one key");
        return;
    }
    if (job == NULL && !is_refused && item->job_count < LIFE_JOBS_MAX) {
        job = &item->jobs[item->job_count++];
        *job = (struct life_job){
            .generation = copy.generation, .body = copy.body, .accepted_ms = life->now_ms};
        is_new = true;
        if (ends_at_once)
            life_end_job(item, job, SUCCEEDED, true);
    }
    if (!copy.is_awaited || !item->on_wire)
        return;
    life_stop_waiting(item);
    take_answer(life, item, PHASE_SEND, choose_truth(job, is_new, cell), cell / 4, job);
}

/* --- polls --- */

static struct life_job *awaited_job(struct life_item *item)
{
    return &item->jobs[item->memory.remote_job[1] - 'A'];
}

static enum situation truth_of(const struct life_job *job)
{
    static const enum situation truths[] = {
        [RUNNING] = POLL_PENDING, [SUCCEEDED] = POLL_SUCCEEDED, [PARTIAL] = POLL_PARTIAL,
        [REFUSED] = POLL_REFUSED, [THROTTLED] = POLL_THROTTLED, [FAILED] = POLL_ERROR};

    return job->is_lost ? POLL_MISSING : truths[job->status];
}

static bool ask(struct life *life, struct life_item *item)
{
    struct item_event event = life_event(life, item, EVENT_DUE);

    if (life_apply(life, item, &event) == EFFECT_POLL)
        return true;
    life_break(life, "a job that is waited for is not asked for");
    return false;
}

void life_poll(struct life *life, struct life_item *item, uint32_t how, uint32_t cell)
{
    static const enum situation odd[] = {POLL_TROUBLE, POLL_TROUBLE, POLL_MISSING};
    enum situation situation = truth_of(awaited_job(item));
    struct item_event event;

    if (!ask(life, item))
        return;
    if (how % 8 < 2) {
        event = life_event(life, item, how % 8 == 0 ? EVENT_LOST : EVENT_NOT_SENT);
        life_apply(life, item, &event);
        return;
    }
    if (how % 8 < 5)
        situation = odd[how % 8 - 2];
    else if (how == 255)
        situation = POLL_OF_ANOTHER;
    take_answer(life, item, PHASE_POLL, situation, cell, NULL);
}

void life_poll_truth(struct life *life, struct life_item *item)
{
    if (ask(life, item))
        take_answer(life, item, PHASE_POLL, truth_of(awaited_job(item)), 0, NULL);
}

/* --- persons --- */

bool life_is_under_way(const struct life *life, const struct life_item *item)
{
    for (uint32_t i = 0; i < item->job_count; i++)
        if (item->jobs[i].status == RUNNING)
            return true;
    for (uint32_t i = 0; i < item->copy_count; i++)
        if (life->now_ms - item->copies[i].sent_ms <= LIFE_TRANSIT_MS)
            return true;
    return false;
}

/* Persons say what is true. Who changes what is done twice by nature waits until it is done. */
static bool may_say(const struct life *life, const struct life_item *item,
                    enum item_event_kind kind)
{
    if (kind == EVENT_RESOLVED_DONE)
        return item->effects == 1 && !life_is_under_way(life, item);
    if (kind == EVENT_RESOLVED_NOT_DONE)
        return item->effects == 0 && !life_is_under_way(life, item);
    return (kind != EVENT_ABANDONED && item->kind != LIFE_NATURAL) ||
           !life_is_under_way(life, item);
}

void life_person(struct life *life, struct life_item *item, enum item_event_kind kind)
{
    bool was_done = item->disk.state == ITEM_SUCCEEDED;
    struct item_event event;

    life_load(item);
    event = life_event(life, item, kind);
    event.reason = kind == EVENT_UNDONE ? REASON_UNDONE : REASON_NONE;
    event.request_hash.low++;
    event.has_needs = item->disk.has_needs;
    event.waits_on = event.has_needs ? WAIT_ITEM : WAIT_NONE;
    event.waits_for = event.has_needs ? 7 : 0;
    if (!life_is_legal(item->disk.state, kind)) {
        if (life->rules->step(&item->memory, &event, &item->policy).legal)
            life_break(life, "what cannot happen is taken");
    } else if (may_say(life, item, kind)) {
        life_apply(life, item, &event);
        if (kind == EVENT_UNDONE || (kind == EVENT_CHANGED && was_done))
            item->effects = 0;
    }
    life_commit(life);
    item->is_loaded = false;
}

void life_needs(struct life *life, struct life_item *item, enum item_event_kind kind)
{
    struct item_event event;

    life_load(item);
    event = life_event(life, item, kind);
    event.waits_on = WAIT_ITEM;
    event.waits_for = 8;
    life_apply(life, item, &event);
}
