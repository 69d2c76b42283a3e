/* The moves. A move is four bytes: the first chooses among what is possible, the others say how. */
#include "life.h"

#include <string.h>

uint64_t life_cells[ITEM_STATE_COUNT];
uint64_t life_steps;

enum move {
    MOVE_BEGIN_RUN,
    MOVE_CRASH,
    MOVE_COMMIT,
    MOVE_PASS_TIME,
    MOVE_SET_CLOCK,
    MOVE_LEARN_CLOCK,
    MOVE_START,
    MOVE_WITHDRAW,
    MOVE_SEND,
    MOVE_DELIVER,
    MOVE_TIME_OUT,
    MOVE_END_JOB,
    MOVE_LOSE_JOB,
    MOVE_POLL,
    MOVE_NEEDS,
    MOVE_PERSON,
};

enum { MOVES_MAX = 255, ROUNDS_MAX = 200 };

#define START_MS INT64_C(1795000000000)
#define SKEW_MAX_MS (INT64_C(400) * 24 * LIFE_HOUR_MS)

struct possible {
    uint8_t move, item;
};

struct choice {
    struct possible list[MOVES_MAX];
    uint32_t count;
};

static void add(struct choice *choice, enum move move, uint32_t item, uint32_t weight)
{
    for (; weight > 0 && choice->count < MOVES_MAX; weight--)
        choice->list[choice->count++] =
            (struct possible){.move = (uint8_t)move, .item = (uint8_t)item};
}

static void look_at_item(const struct life *life, uint32_t index, struct choice *choice)
{
    const struct life_item *item = &life->items[index];
    bool rests = item->is_loaded && !item->on_wire;

    if (item->copy_count > 0)
        add(choice, MOVE_DELIVER, index, 4);
    if (item->on_wire)
        add(choice, MOVE_TIME_OUT, index, 1);
    if (item->job_count > 0 && item->jobs[item->job_count - 1].status == RUNNING)
        add(choice, MOVE_END_JOB, index, 3);
    if (item->job_count > 0 && !item->jobs[item->job_count - 1].is_lost)
        add(choice, MOVE_LOSE_JOB, index, 1);
    if (!life->up) {
        add(choice, MOVE_PERSON, index, item_state_is_final(item->disk.state) ? 4 : 1);
        return;
    }
    if (!item->is_loaded && item->disk.state == ITEM_READY)
        add(choice, MOVE_START, index, 4);
    if (!item->is_loaded && item->disk.has_needs &&
        (item->disk.state == ITEM_READY || item->disk.state == ITEM_BLOCKED))
        add(choice, MOVE_NEEDS, index, item->disk.state == ITEM_BLOCKED ? 4 : 1);
    if (life_can_send(life, item))
        add(choice, MOVE_SEND, index, 6);
    if (rests && life->rules->is_unused_intent(&item->memory))
        add(choice, MOVE_WITHDRAW, index, 1);
    if (rests && item->memory.state == ITEM_WAITING)
        add(choice, MOVE_POLL, index, 5);
}

static void look(const struct life *life, struct choice *choice)
{
    bool is_dirty = false;

    choice->count = 0;
    add(choice, MOVE_PASS_TIME, 0, 3);
    if (life->a == 255)
        add(choice, MOVE_SET_CLOCK, 0, 8);
    for (uint32_t i = 0; i < life->item_count; i++) {
        is_dirty = is_dirty || life->items[i].is_dirty;
        look_at_item(life, i, choice);
    }
    if (!life->up) {
        add(choice, MOVE_BEGIN_RUN, 0, 4);
        return;
    }
    add(choice, MOVE_CRASH, 0, 1);
    if (is_dirty)
        add(choice, MOVE_COMMIT, 0, 6);
    if (!life->clock_known)
        add(choice, MOVE_LEARN_CLOCK, 0, 3);
}

/* Mostly around what decides: moments, and the ends of windows to the millisecond. */
static void pass_time(struct life *life, const struct life_item *item)
{
    static const int64_t units[] = {1, 1000, LIFE_MINUTE_MS, LIFE_HOUR_MS};
    int64_t ends_ms[] = {item->belief.intent_ms + item->policy.key_window_ms,
                         item->belief.intent_ms + item->policy.give_up_ms,
                         item->belief.accepted_ms + item->policy.missing_for_ms,
                         item->belief.accepted_ms + item->policy.stuck_ms,
                         item->memory.due_ms - life->skew_ms};
    int64_t to_ms = ends_ms[life->b % 5] + life->c % 3 - 1;

    if (life->a % 4 == 0)
        life->now_ms += units[life->b & 3] * (life->b >> 2);
    else if (to_ms > life->now_ms && to_ms < life->now_ms + 48 * (int64_t)LIFE_HOUR_MS)
        life->now_ms = to_ms;
}

static void set_clock(struct life *life)
{
    static const int64_t units[] = {1000, LIFE_MINUTE_MS, LIFE_HOUR_MS, 24 * LIFE_HOUR_MS};
    int64_t by_ms = units[life->b & 3] * (life->b >> 2);

    life->skew_ms += (life->c & 1) != 0 ? by_ms : -by_ms;
    if (life->skew_ms > SKEW_MAX_MS || life->skew_ms < -SKEW_MAX_MS)
        life->skew_ms = 0;
    life->was_set = true;
}

static void say(struct life *life, struct life_item *item)
{
    static const enum item_event_kind needs[] = {EVENT_UNBLOCKED, EVENT_UNBLOCKED, EVENT_WAITS,
                                                 EVENT_NOT_RENDERED, EVENT_SKIPPED};

    life_needs(life, item, item->disk.state == ITEM_READY ? EVENT_WAITS : needs[life->a % 5]);
}

/* One that is possible, most of the time. */
static enum item_event_kind choose_person(const struct life *life, const struct life_item *item)
{
    enum item_event_kind kind = (enum item_event_kind)(life->a % ITEM_EVENT_COUNT);

    for (unsigned i = 0; i < ITEM_EVENT_COUNT && life->b >= 32; i++) {
        if (kind >= EVENT_RETRY && life_is_legal(item->disk.state, kind))
            break;
        kind = (enum item_event_kind)((kind + 1) % ITEM_EVENT_COUNT);
    }
    /* The engine's own events need a process. */
    return life_is_legal(item->disk.state, kind) && kind < EVENT_RETRY ? EVENT_RETRY : kind;
}

static void move_item(struct life *life, enum move move, struct life_item *item)
{
    struct life_job *job = item->job_count > 0 ? &item->jobs[item->job_count - 1] : NULL;
    struct item_event event;

    switch ((int)move) {
    case MOVE_START:
        life_start(life, item);
        break;
    case MOVE_WITHDRAW:
        event = life_event(life, item, EVENT_WITHDRAWN);
        life_apply(life, item, &event);
        break;
    case MOVE_SEND:
        life_send(life, item, life->a >= 32);
        break;
    case MOVE_DELIVER:
        life_deliver(life, item, life->a % item->copy_count, life->a >= 160, life->a % 8 == 0,
                     life->b * 256u + life->c);
        break;
    case MOVE_TIME_OUT:
        life_stop_waiting(item);
        event = life_event(life, item, EVENT_LOST);
        life_apply(life, item, &event);
        break;
    case MOVE_END_JOB:
        life_end_job(item, job, (enum life_job_status)(1 + life->a % 5), life->b >= 128);
        break;
    case MOVE_LOSE_JOB:
        job->is_lost = true;
        break;
    case MOVE_POLL:
        life_poll(life, item, life->a, life->b * 256u + life->c);
        break;
    case MOVE_NEEDS:
        say(life, item);
        break;
    case MOVE_PERSON:
        life_person(life, item, choose_person(life, item));
        break;
    default:
        break;
    }
}

static void move(struct life *life, uint8_t which)
{
    struct choice choice;
    struct possible possible;

    look(life, &choice);
    possible = choice.list[which % choice.count];
    switch (possible.move) {
    case MOVE_BEGIN_RUN:
        life_begin_run(life);
        break;
    case MOVE_CRASH:
        life_crash(life, life->a >= 128);
        break;
    case MOVE_COMMIT:
        life_commit(life);
        break;
    case MOVE_PASS_TIME:
        pass_time(life, &life->items[life->c % life->item_count]);
        break;
    case MOVE_SET_CLOCK:
        set_clock(life);
        break;
    case MOVE_LEARN_CLOCK:
        life_learn_clock(life);
        break;
    default:
        move_item(life, (enum move)possible.move, &life->items[possible.item]);
    }
}

/* --- the end: nothing goes wrong any more --- */

static void wait_until_due(struct life *life, const struct life_item *item)
{
    int64_t due_ms = item->memory.due_ms - life->skew_ms;

    if (due_ms > life->now_ms)
        life->now_ms = due_ms;
}

/* The one that is waited for is lost; so is what has left before. */
static void lose(struct life *life, struct life_item *item)
{
    struct item_event event = life_event(life, item, EVENT_LOST);

    life_stop_waiting(item);
    life_apply(life, item, &event);
}

static void go_on(struct life *life, struct life_item *item)
{
    for (uint32_t i = 0; i < item->job_count; i++)
        life_end_job(item, &item->jobs[i], SUCCEEDED, true);
    if (!item->is_loaded && item->disk.state == ITEM_BLOCKED)
        life_needs(life, item, EVENT_UNBLOCKED);
    else if (!item->is_loaded && item->disk.state == ITEM_READY)
        life_start(life, item);
    if (!item->is_loaded)
        return;
    wait_until_due(life, item);
    item->copy_count = 0;
    if (item->on_wire) {
        lose(life, item);
    } else if (item->memory.state == ITEM_WAITING) {
        life_poll_truth(life, item);
    } else if (life_can_send(life, item)) {
        life_send(life, item, true);
        if (item->on_wire)
            life_deliver(life, item, item->copy_count - 1, false, false, 1);
    }
}

static bool is_over(const struct life *life)
{
    for (uint32_t i = 0; i < life->item_count; i++)
        if (life->items[i].is_loaded || !item_state_is_final(life->items[i].disk.state))
            return false;
    return true;
}

static void run_calmly(struct life *life)
{
    life->a = life->b = 0;
    life->c = 129; /* for jitter: about half */
    if (!life->up)
        life_begin_run(life);
    for (uint32_t round = 0; round < ROUNDS_MAX && life->broken == NULL; round++) {
        life_commit(life);
        life_learn_clock(life);
        life_commit(life);
        if (is_over(life))
            return;
        for (uint32_t i = 0; i < life->item_count; i++)
            go_on(life, &life->items[i]);
        life_judge_world(life);
    }
    life_break(life, "no end is reached");
}

/* What has left arrives no more, and each remote job has ended. */
static void let_things_settle(struct life *life)
{
    life->now_ms += LIFE_TRANSIT_MS + 1;
    for (uint32_t i = 0; i < life->item_count; i++) {
        struct life_item *item = &life->items[i];

        item->copy_count = 0;
        for (uint32_t j = 0; j < item->job_count; j++)
            life_end_job(item, &item->jobs[j], REFUSED, false);
    }
}

static void end_calmly(struct life *life)
{
    run_calmly(life);
    life_crash(life, false);
    let_things_settle(life);
    for (uint32_t i = 0; i < life->item_count && life->broken == NULL; i++) {
        struct life_item *item = &life->items[i];

        if (item->disk.state == ITEM_IN_DOUBT)
            life_person(life, item,
                        item->effects == 1 ? EVENT_RESOLVED_DONE : EVENT_RESOLVED_NOT_DONE);
        if (life->broken == NULL && item->disk.state == ITEM_IN_DOUBT)
            life_break(life, "a doubt that nobody can end");
    }
    run_calmly(life);
    life_judge_world(life);
    for (uint32_t i = 0; i < life->item_count; i++)
        if (life->items[i].disk.state == ITEM_IN_DOUBT)
            life_break(life, "in doubt although nothing went wrong");
}

/* --- the beginning --- */

static void begin_item(struct life_item *item, uint8_t form, uint8_t limits)
{
    item->kind = form % 8 < 5 ? LIFE_KEYED : form % 8 < 7 ? LIFE_UNKEYED : LIFE_NATURAL;
    item->policy = (struct policy){.repeatable = item->kind != LIFE_UNKEYED,
                                   .by_nature = item->kind == LIFE_NATURAL,
                                   .attempt_limit = 1 + (limits & 7u),
                                   .rekey_limit = limits >> 3 & 3u,
                                   .first_delay_ms = 1000,
                                   .max_delay_ms = 60000,
                                   .key_window_ms = 12 * LIFE_HOUR_MS,
                                   .give_up_ms = (limits & 128) != 0 ? 2 * LIFE_HOUR_MS : 0,
                                   .missing_limit = 3,
                                   .missing_for_ms = 5 * LIFE_MINUTE_MS,
                                   .stuck_ms = 24 * LIFE_HOUR_MS};
    item->disk = item_new(0, 0, (struct hash128){.low = 1}, START_MS);
    item->disk.has_dependents = (form & 32) != 0;
    if ((form & 16) != 0) {
        item->disk.has_needs = true;
        item->disk.state = ITEM_BLOCKED;
        item->disk.waits_on = WAIT_ITEM;
        item->disk.waits_for = 7;
    }
    item->disk_belief = life_first_belief(&item->disk);
}

static struct rules whole(const struct rules *rules)
{
    struct rules all = *rules;
    const struct rules *truth = &model_true_rules;

    all.step = all.step != NULL ? all.step : truth->step;
    all.must_be_stored = all.must_be_stored != NULL ? all.must_be_stored : truth->must_be_stored;
    all.is_unused_intent =
        all.is_unused_intent != NULL ? all.is_unused_intent : truth->is_unused_intent;
    all.key_age = all.key_age != NULL ? all.key_age : truth->key_age;
    all.correct_intent = all.correct_intent != NULL ? all.correct_intent : truth->correct_intent;
    if (all.send_rules == NULL) {
        all.send_rules = truth->send_rules;
        all.send_rule_count = truth->send_rule_count;
    }
    if (all.poll_rules == NULL) {
        all.poll_rules = truth->poll_rules;
        all.poll_rule_count = truth->poll_rule_count;
    }
    return all;
}

/* There is room for the jobs of a calm end. */
static bool has_room(const struct life *life)
{
    for (uint32_t i = 0; i < life->item_count; i++)
        if (life->items[i].job_count + LIFE_COPIES_MAX > LIFE_JOBS_MAX)
            return false;
    return true;
}

const char *life_play(const struct rules *rules, const uint8_t *bytes, size_t length)
{
    static struct life life;
    struct rules all = whole(rules);

    if (length < LIFE_MOVE_BYTES)
        return NULL;
    memset(&life, 0, sizeof life);
    life.rules = &all;
    life.now_ms = START_MS;
    life.boot_zero_ms = START_MS - LIFE_HOUR_MS;
    life.boot = 1;
    life.item_count = bytes[0] % 4 == 3 ? LIFE_ITEMS_MAX : 1;
    for (uint32_t i = 0; i < life.item_count; i++)
        begin_item(&life.items[i], (uint8_t)(bytes[1] + i * 5), bytes[2]);
    for (size_t at = LIFE_MOVE_BYTES;
         at + LIFE_MOVE_BYTES <= length && life.broken == NULL && has_room(&life);
         at += LIFE_MOVE_BYTES) {
        life.a = bytes[at + 1];
        life.b = bytes[at + 2];
        life.c = bytes[at + 3];
        move(&life, bytes[at]);
        life_judge_world(&life);
    }
    if (life.broken == NULL)
        end_calmly(&life);
    return life.broken;
}
